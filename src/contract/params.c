/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of hyperparameters: the built-in image's 53, everything else
 * XGBoost 3.4.1 documents, and our own bl_*. Ranges are those of XGBoost 3.4.1's
 * documentation, which are never narrower than the image's. Validation, `boostlens help
 * train` and the README come from here.
 */
#include "contract/contract_priv.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

#define CHOICES(...)                                                                     \
    (const char *const[])                                                                \
    {                                                                                    \
        __VA_ARGS__, NULL                                                                \
    }

/* Ranges. ABOVE leaves out the lower bound, BETWEEN both. XGBoost keeps counts in 32
 * bits. */
#define NO_RANGE       .low = 0, .high = 0
#define ANY            .low = -HUGE_VAL, .high = HUGE_VAL
#define FROM(a)        .low = (a), .high = HUGE_VAL
#define COUNT_FROM(a)  .low = (a), .high = 2147483647.0
#define FROM_TO(a, b)  .low = (a), .high = (b)
#define ABOVE(a)       .low = (a), .high = HUGE_VAL, .low_open = true
#define ABOVE_TO(a, b) .low = (a), .high = (b), .low_open = true
#define BETWEEN(a, b)  .low = (a), .high = (b), .low_open = true, .high_open = true

#define PARAM(name_, type_, use_, default_, help_, ...)                                  \
    {                                                                                    \
        .name = (name_), .group = GROUP, .type = BL_PARAM_##type_, .use = BL_USE_##use_, \
        .default_text = (default_), .help = (help_), __VA_ARGS__                         \
    }

static const bl_param_def defs[] = {
#define GROUP "The job"
    PARAM("num_round", INT, JOB, "",
          "Rounds of boosting; required. With channel `model`: that many more rounds.",
          COUNT_FROM(1)),
    PARAM("early_stopping_rounds", INT, JOB, "",
          "Stop after so many rounds without a better score on `validation`; the best "
          "round is kept. Off where not given.",
          COUNT_FROM(1)),
    PARAM("_tuning_objective_metric", TEXT, JOB, "",
          "Set by SageMaker's tuner. `validation:METRIC` adds that metric, and early "
          "stopping follows it; anything else is ignored with a note.",
          NO_RANGE),
    PARAM("_kfold", INT, JOB, "",
          "Folds of cross-validation over `train` and `validation` together. Off where "
          "not given.",
          COUNT_FROM(2)),
    PARAM("_num_cv_round", INT, JOB, "1",
          "Repeats of the cross-validation, each with its own split.", COUNT_FROM(1)),
    PARAM("save_model_on_termination", BOOL, JOB, "false",
          "A stopped job leaves a loadable model of the rounds done and ends with 0.",
          NO_RANGE),
    PARAM("csv_weights", INT, JOB, "0", "1: column 1 holds the weights, as bl_weight=1.",
          FROM_TO(0, 1)),
    PARAM("nthread", INT, JOB, "0", "Threads; 0 and -1 take all this process may use.",
          COUNT_FROM(-1), .alias = "n_jobs"),
    PARAM("seed", INT, XGBOOST, "0",
          "Seed of every random draw: sampling, dropout, folds, bl_explain_rows.", ANY,
          .alias = "random_state"),
    PARAM("seed_per_iteration", BOOL, XGBOOST, "false", "Seed each round by its number.",
          NO_RANGE),
    PARAM("verbosity", INT, XGBOOST, "1",
          "What XGBoost itself says: 0 nothing, 1 warnings, 2 information, 3 debugging.",
          FROM_TO(0, 3)),
    PARAM("validate_parameters", BOOL, XGBOOST, "false",
          "XGBoost's own look for unused parameters. Ours is always on.", NO_RANGE),
    PARAM("device", CHOICE, XGBOOST, "cpu", "There is no GPU in this build.",
          .choices = CHOICES("cpu")),
    PARAM("missing", FLOAT, JOB, "nan",
          "A number that means missing, beside empty cells and bl_missing_text.", ANY),
    PARAM("enable_categorical", BOOL, JOB, "false", "Columns of text are categories.",
          NO_RANGE),
#undef GROUP
#define GROUP "Learning task"
    PARAM("objective", CHOICE, XGBOOST, "reg:squarederror",
          "What is learned. reg:linear is taken as reg:squarederror.",
          .choices =
              CHOICES("reg:squarederror", "reg:squaredlogerror", "reg:logistic",
                      "reg:pseudohubererror", "reg:absoluteerror", "reg:quantileerror",
                      "reg:expectileerror", "reg:gamma", "reg:tweedie", "count:poisson",
                      "binary:logistic", "binary:logitraw", "binary:hinge",
                      "multi:softmax", "multi:softprob", "rank:ndcg", "rank:map",
                      "rank:pairwise", "survival:aft", "survival:cox")),
    PARAM("num_class", INT, XGBOOST, "",
          "Classes of multi:softmax and multi:softprob, labels 0 to num_class - 1.",
          COUNT_FROM(1)),
    PARAM("base_score", FLOATS, XGBOOST, "",
          "Prediction before the first tree, one number or one for each output. "
          "Estimated from the labels where not given.",
          ANY),
    PARAM("eval_metric", LIST, JOB, "",
          "Metrics of every round, in this order. The objective's own where not given.",
          NO_RANGE),
    PARAM("disable_default_eval_metric", BOOL, XGBOOST, "false",
          "No metric where eval_metric is not given.", NO_RANGE),
    PARAM("scale_pos_weight", FLOAT, XGBOOST, "1",
          "Factor on the weight of rows with label 1.", FROM(0)),
    PARAM("tweedie_variance_power", FLOAT, XGBOOST, "1.5",
          "reg:tweedie: variance goes as this power of the mean.", BETWEEN(1, 2)),
    PARAM("huber_slope", FLOAT, XGBOOST, "1",
          "reg:pseudohubererror and mphe: where the loss turns linear; not 0.", ANY),
    PARAM("quantile_alpha", FLOATS, XGBOOST, "",
          "reg:quantileerror: the quantiles, ascending; required there.", FROM_TO(0, 1)),
    PARAM("expectile_alpha", FLOATS, XGBOOST, "",
          "reg:expectileerror: the expectiles, ascending; required there.",
          FROM_TO(0, 1)),
    PARAM("aft_loss_distribution", CHOICE, XGBOOST, "normal",
          "survival:aft: distribution of the noise.",
          .choices = CHOICES("normal", "logistic", "extreme")),
    PARAM("aft_loss_distribution_scale", FLOAT, XGBOOST, "1",
          "survival:aft: scale of that distribution.", ABOVE(0)),
    PARAM("lambdarank_pair_method", CHOICE, XGBOOST, "topk",
          "rank:*: pairs with the top rows of each group, or sampled for every row.",
          .choices = CHOICES("topk", "mean")),
    PARAM("lambdarank_num_pair_per_sample", INT, XGBOOST, "",
          "rank:*: how many top rows (topk; 32) or pairs a row (mean; 1).",
          COUNT_FROM(1)),
    PARAM("lambdarank_normalization", BOOL, XGBOOST, "true",
          "rank:*: normalize gradients of a group.", NO_RANGE),
    PARAM("lambdarank_score_normalization", BOOL, XGBOOST, "true",
          "rank:*: normalize by the difference of scores of a pair.", NO_RANGE),
    PARAM("lambdarank_unbiased", BOOL, XGBOOST, "false",
          "rank:*: correct for the position bias of clicks.", NO_RANGE),
    PARAM("lambdarank_bias_norm", FLOAT, XGBOOST, "1", "rank:*: norm of that correction.",
          FROM(0)),
    PARAM("ndcg_exp_gain", BOOL, XGBOOST, "true",
          "ndcg: gain 2^label - 1 (labels up to 31); false: the label itself.", NO_RANGE),
#undef GROUP
#define GROUP "Trees"
    PARAM("booster", CHOICE, XGBOOST, "gbtree",
          "Trees, a linear model, or trees with dropout.",
          .choices = CHOICES("gbtree", "gblinear", "dart")),
    PARAM("eta", FLOAT, XGBOOST, "0.3", "Shrinkage of each round. gblinear: 0.5.",
          FROM_TO(0, 1), .alias = "learning_rate"),
    PARAM("gamma", FLOAT, XGBOOST, "0", "Least gain of a split.", FROM(0),
          .alias = "min_split_loss"),
    PARAM("max_depth", INT, XGBOOST, "6",
          "Depth of a tree; 0: no bound (not with exact).", COUNT_FROM(0)),
    PARAM("max_leaves", INT, XGBOOST, "0",
          "Leaves of a tree; 0: no bound. Not used by exact.", COUNT_FROM(0)),
    PARAM("grow_policy", CHOICE, XGBOOST, "depthwise",
          "Level by level, or the best gain first. Not used by exact.",
          .choices = CHOICES("depthwise", "lossguide")),
    PARAM("min_child_weight", FLOAT, XGBOOST, "1", "Least sum of hessians in a child.",
          FROM(0)),
    PARAM("max_delta_step", FLOAT, XGBOOST, "0",
          "Bound of a leaf's value before eta; 0: none. count:poisson: 0.7.", FROM(0)),
    PARAM("subsample", FLOAT, XGBOOST, "1", "Share of rows drawn for each tree.",
          ABOVE_TO(0, 1)),
    PARAM("sampling_method", CHOICE, XGBOOST, "uniform",
          "Each row alike, or by its gradient (hist only).",
          .choices = CHOICES("uniform", "gradient_based")),
    PARAM("colsample_bytree", FLOAT, XGBOOST, "1",
          "Share of columns drawn for each tree.", ABOVE_TO(0, 1)),
    PARAM("colsample_bylevel", FLOAT, XGBOOST, "1",
          "Of those, share drawn for each level.", ABOVE_TO(0, 1)),
    PARAM("colsample_bynode", FLOAT, XGBOOST, "1",
          "Of those, share drawn for each split (not with exact).", ABOVE_TO(0, 1)),
    PARAM("lambda", FLOAT, XGBOOST, "1",
          "L2 penalty on leaf values or weights. gblinear: 0.", FROM(0),
          .alias = "reg_lambda"),
    PARAM("alpha", FLOAT, XGBOOST, "0", "L1 penalty on leaf values or weights.", FROM(0),
          .alias = "reg_alpha"),
    PARAM("tree_method", CHOICE, XGBOOST, "auto",
          "How splits are searched; auto is hist.",
          .choices = CHOICES("auto", "exact", "approx", "hist")),
    PARAM("updater", LIST, XGBOOST, "",
          "Steps of building a tree (at most one grow_*), or the solver of gblinear "
          "(shotgun, coord_descent). Follows from tree_method where not given.",
          .choices = CHOICES("grow_colmaker", "grow_histmaker", "grow_quantile_histmaker",
                             "refresh", "prune", "shotgun", "coord_descent")),
    PARAM("refresh_leaf", BOOL, XGBOOST, "1",
          "Updater refresh: renew leaf values too, not only statistics.", NO_RANGE),
    PARAM("process_type", CHOICE, XGBOOST, "default",
          "update: refresh or prune the trees of channel `model` instead of adding any.",
          .choices = CHOICES("default", "update")),
    PARAM("max_bin", INT, XGBOOST, "256", "Bins of a column for hist and approx.",
          COUNT_FROM(2)),
    PARAM("num_parallel_tree", INT, XGBOOST, "1",
          "Trees of each round: a boosted forest.", COUNT_FROM(1)),
    PARAM(
        "monotone_constraints", TUPLE, XGBOOST, "",
        "For each feature -1, 0 or 1: (1,0,-1), or {\"NAME\": 1} with bl_feature_names.",
        FROM_TO(-1, 1)),
    PARAM("interaction_constraints", NESTED, XGBOOST, "",
          "Groups of features that may meet on a path: [[0, 1], [2, 3]], from 0, or by "
          "name with bl_feature_names.",
          FROM(0)),
    PARAM("multi_strategy", CHOICE, XGBOOST, "one_output_per_tree",
          "A tree for each output, or trees whose leaves hold all outputs (hist only).",
          .choices = CHOICES("one_output_per_tree", "multi_output_tree")),
    PARAM("max_cached_hist_node", INT, XGBOOST, "65536", "Histograms kept in memory.",
          COUNT_FROM(1)),
    PARAM("max_cat_to_onehot", INT, XGBOOST, "4",
          "Categories below this number are split one against the rest.", COUNT_FROM(1)),
    PARAM("max_cat_threshold", INT, XGBOOST, "64",
          "Most categories considered for a split into two sets.", COUNT_FROM(1)),
#undef GROUP
#define GROUP "Dropout"
    PARAM("sample_type", CHOICE, XGBOOST, "uniform", "How dropped trees are drawn.",
          .choices = CHOICES("uniform", "weighted")),
    PARAM("normalize_type", CHOICE, XGBOOST, "tree",
          "Weight of new trees: as each dropped one, or as their sum.",
          .choices = CHOICES("tree", "forest")),
    PARAM("rate_drop", FLOAT, XGBOOST, "0", "Share of trees dropped in a round.",
          FROM_TO(0, 1)),
    PARAM("one_drop", BOOL, XGBOOST, "0", "Drop at least one tree.", NO_RANGE),
    PARAM("skip_drop", FLOAT, XGBOOST, "0", "Probability of a round without dropout.",
          FROM_TO(0, 1)),
#undef GROUP
#define GROUP "Linear model (booster gblinear)"
    PARAM("feature_selector", CHOICE, XGBOOST, "cyclic",
          "Order of columns. shotgun knows cyclic and shuffle only.",
          .choices = CHOICES("cyclic", "shuffle", "random", "greedy", "thrifty")),
    PARAM("top_k", INT, XGBOOST, "0", "greedy and thrifty: columns considered; 0: all.",
          COUNT_FROM(0)),
#undef GROUP
#define GROUP "Columns and cells"
    PARAM(
        "bl_label", COLUMNS, OURS, "0",
        "Label column, by header name or index from 0; several make a multi-target job.",
        NO_RANGE),
    PARAM("bl_weight", COLUMN, OURS, "", "Weight column.", NO_RANGE),
    PARAM("bl_group", COLUMN, OURS, "",
          "Ranking group, compared as text; its rows are adjacent.", NO_RANGE),
    PARAM("bl_base_margin", COLUMNS, OURS, "",
          "Margin each row starts from, one column or one for each output.", NO_RANGE),
    PARAM("bl_label_lower_bound", COLUMN, OURS, "",
          "survival:aft: lower bound of the label; instead of bl_label.", NO_RANGE),
    PARAM("bl_label_upper_bound", COLUMN, OURS, "",
          "survival:aft: upper bound, `inf` where censored.", NO_RANGE),
    PARAM("bl_drop", COLUMNS, OURS, "", "Columns left out.", NO_RANGE),
    PARAM("bl_id", COLUMNS, OURS, "",
          "Columns carried as text into attributions and predictions.", NO_RANGE),
    PARAM("bl_feature_names", LIST, OURS, "",
          "Names of the features in file order. The header's where not given.", NO_RANGE),
    PARAM("bl_feature_types", LIST, OURS, "",
          "XGBoost's types of the features in file order; c is a category.",
          .choices = CHOICES("q", "i", "int", "float", "c")),
    PARAM("bl_header", CHOICE, OURS, "auto", "Is the first line a header.",
          .choices = CHOICES("auto", "yes", "no")),
    PARAM("bl_missing_text", LIST, OURS, "NA,NaN,null",
          "Cell texts that mean missing (the default in any case of letters). An empty "
          "cell always does.",
          NO_RANGE),
    PARAM("bl_unseen", CHOICE, OURS, "error", "A category that training did not see.",
          .choices = CHOICES("error", "missing")),
    PARAM("bl_preprocess", TEXT, OURS, "",
          "Preprocessing plan: a file of channel `config`, or its JSON.", NO_RANGE),
#undef GROUP
#define GROUP "Results and safety"
    PARAM("bl_explain", CHOICE, OURS, "train", "Rows that get exact attributions.",
          .choices = CHOICES("train", "validation", "both", "none")),
    PARAM("bl_explain_rows", INT, OURS, "",
          "How many rows, drawn by seed, in file order. All where not given.", FROM(1)),
    PARAM("bl_explain_data", BOOL, OURS, "yes",
          "Feature values and labels beside the attributions.", NO_RANGE),
    PARAM("bl_model_format", CHOICE, OURS, "portable",
          "portable: read right by XGBoost 1.7 to 3.4; native: XGBoost's own bytes.",
          .choices = CHOICES("portable", "native")),
    PARAM("bl_compress", CHOICE, OURS, "gzip", "Compression of HDF5 files.",
          .choices = CHOICES("gzip", "none")),
    PARAM("bl_checkpoint_seconds", INT, OURS, "60",
          "Least seconds between checkpoints (where the platform gives a place for "
          "them); at "
          "least 50 times what the last one took. 0: that alone.",
          FROM(0)),
    PARAM("bl_checkpoint_keep", INT, OURS, "5",
          "Own checkpoints kept, the newest; other jobs' are never deleted.", FROM(1)),
    PARAM(
        "bl_checkpoint_foreign", CHOICE, OURS, "ignore",
        "Checkpoints that boostlens did not write, AWS's image's: leave alone, or go on "
        "from the newest as XGBoost would (not bit for bit).",
        .choices = CHOICES("ignore", "use")),
    PARAM("bl_isolation", CHOICE, OURS, "auto",
          "Sandbox of the job: auto takes what the kernel has, required refuses less "
          "than all.",
          .choices = CHOICES("auto", "required", "off")),
    PARAM("bl_require_encryption", CHOICE, OURS, "",
          "Least evidence that every volume is encrypted; the job is refused without.",
          .choices = CHOICES("proven", "asserted")),
#undef GROUP
#define GROUP "Without effect in XGBoost 3.4 (accepted with a note)"
    PARAM("sketch_eps", FLOAT, DEAD, "", "Use max_bin.", BETWEEN(0, 1)),
    PARAM("predictor", CHOICE, DEAD, "", "Prediction runs where training runs.",
          .choices = CHOICES("auto", "cpu_predictor", "gpu_predictor")),
    PARAM("dsplit", CHOICE, DEAD, "", "Rows are split.",
          .choices = CHOICES("row", "col")),
    PARAM("lambda_bias", FLOAT, DEAD, "", "The bias is not penalized.", FROM_TO(0, 1)),
    PARAM("deterministic_histogram", BOOL, DEAD, "", "Histograms are deterministic.",
          NO_RANGE),
    PARAM("prob_buffer_row", FLOAT, DEAD, "", "Its updater is gone.", ABOVE(0)),
    PARAM("single_precision_histogram", BOOL, DEAD, "", "Histograms are in double.",
          NO_RANGE),
    PARAM("use_dask_gpu_training", BOOL, DEAD, "",
          "true is refused: there is no GPU in this build.", NO_RANGE),
    PARAM("use_rmm", BOOL, DEAD, "", "true is refused: there is no GPU in this build.",
          NO_RANGE),
    PARAM("use_cuda_async_pool", BOOL, DEAD, "",
          "true is refused: there is no GPU in this build.", NO_RANGE),
#undef GROUP
};

_Static_assert(BL_LEN(defs) == BL_N_PARAMS, "BL_N_PARAMS is the number of entries");

const bl_param_def *bli_param_defs(size_t *ret_n)
{
    *ret_n = BL_LEN(defs);
    return defs;
}

/* The first letter first: a job asks some hundred times, and a fuzzer asks millions of jobs. */
static bool same(const char *a, const char *b)
{
    return a[0] == b[0] && strcmp(a, b) == 0;
}

const bl_param_def *bli_param_find(const char *name)
{
    for (size_t i = 0; i < BL_LEN(defs); i++)
        if (same(defs[i].name, name) || (defs[i].alias && same(defs[i].alias, name)))
            return &defs[i];
    return NULL;
}

size_t bli_param_index(const bl_param_def *def)
{
    return (size_t)(def - defs);
}
