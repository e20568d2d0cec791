/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table against the library itself: what we accept and tell XGBoost it must know, use and
 * train with, and every metric we let through for an objective it must compute. The other way
 * round it is lax on purpose: XGBoost takes more than it should.
 */
#include "folder.h"

#include <xgboost/c_api.h>

#define N_ROWS    24
#define N_COLUMNS 3

static char warnings[4096];

static void keep_warning(const char *text)
{
    size_t n = strlen(warnings);
    snprintf(warnings + n, sizeof warnings - n, "%s\n", text);
}

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* 24 rows of 3 columns; labels, groups and bounds as the objective needs them. */
static DMatrixHandle make_matrix(const char *objective)
{
    float x[N_ROWS * N_COLUMNS], y[N_ROWS], upper[N_ROWS];
    unsigned groups[4] = {6, 6, 6, 6};
    DMatrixHandle matrix;
    for (int i = 0; i < N_ROWS; i++) {
        for (int j = 0; j < N_COLUMNS; j++)
            x[i * N_COLUMNS + j] = (float)((i * (7 + 4 * j) + j) % 23);
        y[i] = (float)(starts(objective, "multi:") ? i % 3 : i % 2);
        if (starts(objective, "survival:") || strcmp(objective, "reg:gamma") == 0)
            y[i] = (float)(1 + i / 8);
        upper[i] = y[i] + 1;
    }
    assert_int_equal(XGDMatrixCreateFromMat(x, N_ROWS, N_COLUMNS, NAN, &matrix), 0);
    if (strcmp(objective, "survival:aft") == 0) {
        XGDMatrixSetFloatInfo(matrix, "label_lower_bound", y, N_ROWS);
        XGDMatrixSetFloatInfo(matrix, "label_upper_bound", upper, N_ROWS);
    } else {
        XGDMatrixSetFloatInfo(matrix, "label", y, N_ROWS);
    }
    if (starts(objective, "rank:"))
        assert_int_equal(XGDMatrixSetUIntInfo(matrix, "group", groups, 4), 0);
    return matrix;
}

/* Trains two rounds of the job and evaluates its metrics; 0 or XGBoost's own code. */
static int train(const bl_job *job, const char *member)
{
    DMatrixHandle matrix = make_matrix(job->objective);
    BoosterHandle booster;
    const char *line, *name = "train";
    int rc = XGBoosterCreate(&matrix, 1, &booster);
    XGBoosterSetParam(booster, "nthread", "1");
    XGBoosterSetParam(booster, "validate_parameters", "true");
    for (size_t i = 0; rc == 0 && i < job->n_xgboost; i++)
        rc = XGBoosterSetParam(booster, job->xgboost_names[i], job->xgboost_texts[i]);
    for (size_t i = 0; rc == 0 && i < job->n_metrics; i++)
        if (job->metrics[i].maker == BL_METRIC_XGBOOST)
            rc = XGBoosterSetParam(booster, "eval_metric", job->metrics[i].name);
    for (int round = 0; rc == 0 && round < 2; round++)
        rc = XGBoosterUpdateOneIter(booster, round, matrix);
    if (rc == 0)
        rc = XGBoosterEvalOneIter(booster, 1, &matrix, &name, 1, &line);
    if (rc != 0)
        print_error("%s: %s\n", member, XGBGetLastError());
    XGBoosterFree(booster);
    XGDMatrixFree(matrix);
    return rc;
}

/* What an objective needs before anything else can be tried with it. */
static const struct {
    const char *objective, *needs;
} objectives[] = {
    {"reg:squarederror", ""},
    {"reg:squaredlogerror", ""},
    {"reg:logistic", ""},
    {"reg:pseudohubererror", ""},
    {"reg:absoluteerror", ""},
    {"reg:quantileerror", ", \"quantile_alpha\": \"0.1,0.9\""},
    {"reg:expectileerror", ", \"expectile_alpha\": \"0.1,0.9\""},
    {"reg:gamma", ""},
    {"reg:tweedie", ""},
    {"count:poisson", ""},
    {"binary:logistic", ""},
    {"binary:logitraw", ""},
    {"binary:hinge", ""},
    {"multi:softmax", ", \"num_class\": 3"},
    {"multi:softprob", ", \"num_class\": 3"},
    {"rank:ndcg", ", \"bl_group\": 1"},
    {"rank:map", ", \"bl_group\": 1"},
    {"rank:pairwise", ", \"bl_group\": 1"},
    {"survival:aft", ", \"bl_label_lower_bound\": 0, \"bl_label_upper_bound\": 1"},
    {"survival:cox", ""},
};

static const char *const metric_names[] = {"rmse",
                                           "rmsle",
                                           "mae",
                                           "mape",
                                           "mphe",
                                           "logloss",
                                           "error",
                                           "error@0.7",
                                           "merror",
                                           "mlogloss",
                                           "auc",
                                           "aucpr",
                                           "pre",
                                           "pre@2",
                                           "ndcg",
                                           "ndcg@5-",
                                           "ndcg-",
                                           "map",
                                           "map@3",
                                           "poisson-nloglik",
                                           "gamma-nloglik",
                                           "gamma-deviance",
                                           "tweedie-nloglik@1.5",
                                           "cox-nloglik",
                                           "aft-nloglik",
                                           "interval-regression-accuracy",
                                           "quantile",
                                           "expectile",
                                           "ams@0.15"};

static void test_xgboost_computes_every_metric_we_accept_for_an_objective(void **state)
{
    bl_folder folder;
    size_t n_accepted = 0;
    (void)state;
    folder_make(&folder);
    folder_channel(&folder, "train");
    for (size_t i = 0; i < BL_LEN(objectives); i++)
        for (size_t j = 0; j < BL_LEN(metric_names); j++) {
            char text[512];
            bl_job *job = NULL;
            bl_err err;
            snprintf(
                text, sizeof text,
                "{\"num_round\": 2, \"objective\": \"%s\"%s, \"eval_metric\": \"%s\"}",
                objectives[i].objective, objectives[i].needs, metric_names[j]);
            if (folder_read(&folder, text, TRAIN_ONLY, &job, &err) != BL_OK)
                continue;
            /* These want labels of 0 and 1, which a gamma or survival job has not. */
            bool binary =
                starts(metric_names[j], "pre") || starts(metric_names[j], "map");
            if (!binary || !(starts(job->objective, "survival:") ||
                             strcmp(job->objective, "reg:gamma") == 0))
                CHECK(train(job, text) == 0, "%s", text);
            n_accepted++;
            bli_job_free(job);
        }
    print_message("%zu of %zu pairs are accepted\n", n_accepted,
                  BL_LEN(objectives) * BL_LEN(metric_names));
    assert_true(n_accepted > 300);
    folder_remove(&folder);
}

/* For every parameter XGBoost is told: texts we accept, in a job that uses them. */
static const struct {
    const char *name, *texts, *needs; /* texts between blanks */
} parameters[] = {
    {"seed", "0 -1 9223372036854775807", ""},
    {"seed_per_iteration", "true false", ""},
    {"verbosity", "0 1 2", ""},
    {"validate_parameters", "true", ""},
    {"device", "cpu", ""},
    {"objective", "reg:linear reg:squarederror", ""},
    {"num_class", "3 4", "\"objective\": \"multi:softprob\""},
    {"base_score", "0.5 [0.5] -3 1e-30", ""},
    {"base_score", "[0.1,0.2,0.3]",
     "\"objective\": \"multi:softprob\", \"num_class\": 3"},
    {"disable_default_eval_metric", "true false", ""},
    {"scale_pos_weight", "0 1 3.5", ""},
    {"tweedie_variance_power", "1.001 1.5 1.999", "\"objective\": \"reg:tweedie\""},
    {"huber_slope", "-1 0.5 3", "\"objective\": \"reg:pseudohubererror\""},
    {"quantile_alpha", "0 1 [0.1,0.9] (0.1,0.9) 0.5,0.5",
     "\"objective\": \"reg:quantileerror\""},
    {"expectile_alpha", "0.5 [0.1,0.9]", "\"objective\": \"reg:expectileerror\""},
    {"aft_loss_distribution", "normal logistic extreme",
     "\"objective\": \"survival:aft\", \"bl_label_lower_bound\": 0, "
     "\"bl_label_upper_bound\": "
     "1"},
    {"aft_loss_distribution_scale", "0.1 1 10",
     "\"objective\": \"survival:aft\", \"bl_label_lower_bound\": 0, "
     "\"bl_label_upper_bound\": "
     "1"},
    {"lambdarank_pair_method", "topk mean",
     "\"objective\": \"rank:ndcg\", \"bl_group\": 1"},
    {"lambdarank_num_pair_per_sample", "1 8",
     "\"objective\": \"rank:ndcg\", \"bl_group\": 1"},
    {"lambdarank_normalization", "true false",
     "\"objective\": \"rank:ndcg\", \"bl_group\": 1"},
    {"lambdarank_score_normalization", "true false",
     "\"objective\": \"rank:ndcg\", \"bl_group\": 1"},
    {"lambdarank_unbiased", "true false",
     "\"objective\": \"rank:ndcg\", \"bl_group\": 1"},
    {"lambdarank_bias_norm", "0 1 2", "\"objective\": \"rank:ndcg\", \"bl_group\": 1"},
    {"ndcg_exp_gain", "true false", "\"objective\": \"rank:ndcg\", \"bl_group\": 1"},
    {"booster", "gbtree gblinear dart", ""},
    {"eta", "0 0.1 1", ""},
    {"gamma", "0 2.5 3e38", ""},
    {"max_depth", "0 1 31", ""},
    {"max_leaves", "0 5", ""},
    {"grow_policy", "depthwise lossguide", ""},
    {"min_child_weight", "0 5", ""},
    {"max_delta_step", "0 0.7", ""},
    {"subsample", "0.0001 0.5 1", ""},
    {"sampling_method", "uniform gradient_based", ""},
    {"colsample_bytree", "0.0001 1", ""},
    {"colsample_bylevel", "0.0001 1", ""},
    {"colsample_bynode", "0.0001 1", ""},
    {"lambda", "0 1000", ""},
    {"alpha", "0 1000", ""},
    {"tree_method", "auto exact approx hist", ""},
    {"updater",
     "grow_colmaker grow_histmaker grow_quantile_histmaker grow_colmaker,prune "
     "grow_histmaker,refresh,prune",
     ""},
    {"updater", "shotgun coord_descent", "\"booster\": \"gblinear\""},
    {"refresh_leaf", "0 1 true", "\"updater\": \"grow_histmaker,refresh\""},
    {"process_type", "default", ""},
    {"max_bin", "2 256 4096", ""},
    {"num_parallel_tree", "1 3", ""},
    {"monotone_constraints", "(1,0,-1) (1) () [0,0] 1", ""},
    {"interaction_constraints", "[[0,1],[2]] [] [[0]]", ""},
    {"multi_strategy", "one_output_per_tree multi_output_tree", ""},
    {"max_cached_hist_node", "1 65536", ""},
    {"max_cat_to_onehot", "1 4", ""},
    {"max_cat_threshold", "1 64", ""},
    {"sample_type", "uniform weighted", "\"booster\": \"dart\""},
    {"normalize_type", "tree forest", "\"rate_drop\": 0.5"},
    {"rate_drop", "0 1", ""},
    {"one_drop", "0 1", ""},
    {"skip_drop", "0 1", ""},
    {"feature_selector", "cyclic shuffle", "\"booster\": \"gblinear\""},
    {"feature_selector", "random greedy thrifty",
     "\"booster\": \"gblinear\", \"updater\": \"coord_descent\""},
    {"top_k", "0 2",
     "\"booster\": \"gblinear\", \"updater\": \"coord_descent\", \"feature_selector\": "
     "\"greedy\""},
};

static void check_parameter(bl_folder *folder, size_t i, const char *value)
{
    char text[512];
    bl_job *job;
    bl_err err;
    snprintf(text, sizeof text, "{\"num_round\": 2, \"%s\": \"%s\"%s%s}",
             parameters[i].name, value, parameters[i].needs[0] ? ", " : "",
             parameters[i].needs);
    CHECK(folder_read(folder, text, TRAIN_ONLY, &job, &err) == BL_OK, "%s: %s", text,
          err.msg);
    CHECK(told(job, parameters[i].name), "%s: not told", text);
    warnings[0] = '\0';
    CHECK(train(job, text) == 0, "%s: told %s", text, told(job, parameters[i].name));
    CHECK(!strstr(warnings, "are not used"), "%s: %s", text, warnings);
    bli_job_free(job);
}

static void test_xgboost_knows_and_uses_every_parameter_it_is_told(void **state)
{
    bl_folder folder;
    size_t n;
    const bl_param_def *def = bli_param_defs(&n);
    (void)state;
    folder_make(&folder);
    folder_channel(&folder, "train");
    for (size_t i = 0; i < BL_LEN(parameters); i++)
        for (const char *value = parameters[i].texts; *value;) {
            char one[128];
            size_t n_value = strcspn(value, " ");
            snprintf(one, sizeof one, "%.*s", (int)n_value, value);
            check_parameter(&folder, i, one);
            value += n_value + (value[n_value] == ' ');
        }
    for (size_t i = 0; i < n; i++) {
        bool tried = def[i].use != BL_USE_XGBOOST;
        for (size_t j = 0; !tried && j < BL_LEN(parameters); j++)
            tried = strcmp(parameters[j].name, def[i].name) == 0;
        CHECK(tried, "%s is told to XGBoost and not tried here", def[i].name);
    }
    folder_remove(&folder);
}

/* The log callback is what the test above leans on: it must say so of a name that is unknown. */
static void test_xgboost_reports_a_parameter_it_does_not_use(void **state)
{
    char name[] = "no_such_parameter", value[] = "1";
    char *names = name, *texts = value;
    bl_job job = {.objective = "reg:squarederror",
                  .n_xgboost = 1,
                  .xgboost_names = &names,
                  .xgboost_texts = &texts};
    (void)state;
    warnings[0] = '\0';
    assert_int_equal(train(&job, "unknown"), 0);
    assert_non_null(strstr(warnings, "{ \"no_such_parameter\" } are not used"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_xgboost_reports_a_parameter_it_does_not_use),
        cmocka_unit_test(test_xgboost_knows_and_uses_every_parameter_it_is_told),
        cmocka_unit_test(test_xgboost_computes_every_metric_we_accept_for_an_objective),
    };
    XGBRegisterLogCallback(keep_warning);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
