/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules between settings. XGBoost's C API trusts its caller: it drops what it does not
 * know, takes (2,0) as a constraint and fails in the middle of training where two
 * settings do not go together. All that can be said before the data are seen is said
 * here.
 */
#include "contract/contract_priv.h"

#include "base/mem.h"

#include <float.h>
#include <math.h>
#include <string.h>

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static size_t n_items(const bl_values *values, const char *name)
{
    const bl_value *value = bli_given(values, name);
    return value ? json_array_size(value->items) : 0;
}

static bool lists(const bl_values *values, const char *name, const char *item)
{
    const bl_value *value = bli_given(values, name);
    for (size_t i = 0; value && i < json_array_size(value->items); i++)
        if (is(json_string_value(json_array_get(value->items, i)), item))
            return true;
    return false;
}

/* Predictions a row as far as settings tell: classes, quantiles, label columns. */
static size_t n_outputs(const bl_values *values, const bl_job *job)
{
    if (job->num_class > 1)
        return (size_t)job->num_class;
    if (is(job->objective, "reg:quantileerror"))
        return n_items(values, "quantile_alpha");
    if (is(job->objective, "reg:expectileerror"))
        return n_items(values, "expectile_alpha");
    return job->read.labels.n > 1 ? job->read.labels.n : 1;
}

/* --- Objective
 * ------------------------------------------------------------------------------- */

static bl_status check_classes(const bl_values *values, const bl_job *job, bl_err *err)
{
    const bl_value *num_class = bli_given(values, "num_class");
    bool multi = starts(job->objective, "multi:");
    if (multi && !num_class)
        return bli_fail(
            err, BL_E_CONFIG,
            "objective %s needs num_class, the number of classes (labels are 0 to "
            "num_class - 1)",
            job->objective);
    if (multi && num_class->i < 2)
        return bli_fail(
            err, BL_E_CONFIG,
            "num_class is %lld; objective %s needs 2 or more, labels being 0 to "
            "num_class - 1",
            (long long)num_class->i, job->objective);
    if (!multi && num_class && num_class->i > 1)
        return bli_fail(
            err, BL_E_CONFIG,
            "num_class is %lld and objective %s has no classes to count: leave "
            "num_class out, or use multi:softprob",
            (long long)num_class->i, job->objective);
    return BL_OK;
}

static bl_status check_alphas(const bl_values *values, const bl_job *job,
                              const char *objective, const char *name, bl_err *err)
{
    const bl_value *alphas = bli_given(values, name);
    if (is(job->objective, objective) && (!alphas || json_array_size(alphas->items) == 0))
        return bli_fail(
            err, BL_E_CONFIG,
            "objective %s needs %s, one or more numbers from 0 to 1, ascending, as "
            "0.5 or [0.1, 0.9]",
            objective, name);
    for (size_t i = 1; alphas && i < json_array_size(alphas->items); i++)
        if (json_real_value(json_array_get(alphas->items, i)) <
            json_real_value(json_array_get(alphas->items, i - 1)))
            return bli_fail(err, BL_E_CONFIG,
                            "%s is '%s'; expected are ascending numbers, and item %zu is "
                            "smaller than the one before",
                            name, alphas->text, i + 1);
    return BL_OK;
}

static bl_status check_labels(const bl_values *values, const bl_job *job, bl_err *err)
{
    const char *objective = job->objective;
    bool one_only = starts(objective, "multi:") || starts(objective, "rank:") ||
                    is(objective, "survival:cox") || is(objective, "reg:quantileerror") ||
                    is(objective, "reg:expectileerror");
    if (job->read.labels.n > 1 && one_only)
        return bli_fail(err, BL_E_CONFIG,
                        "bl_label names %zu columns, and objective %s takes one",
                        job->read.labels.n, objective);
    if (starts(objective, "rank:") && !job->read.has_group)
        return bli_fail(
            err, BL_E_CONFIG,
            "objective %s needs bl_group, the column that says which rows are "
            "ranked together",
            objective);
    if (job->read.has_group && job->read.has_weight && !starts(objective, "rank:"))
        return bli_fail(
            err, BL_E_CONFIG,
            "bl_group and a weight column are both given: weights are then those "
            "of groups, which only the rank:* objectives take; the objective is %s",
            objective);
    size_t n = job->read.base_margins.n, outputs = n_outputs(values, job);
    if (n > 1 && n != outputs)
        return bli_fail(
            err, BL_E_CONFIG,
            "bl_base_margin names %zu columns; expected is one for each of the %zu "
            "outputs",
            n, outputs);
    return BL_OK;
}

/* The link functions' domains; XGBoost itself answers with nan in most of these. */
static bl_status check_base_score(const bl_values *values, const bl_job *job, bl_err *err)
{
    const bl_value *given = bli_given(values, "base_score");
    const char *objective = job->objective;
    bool share = is(objective, "binary:logistic") || is(objective, "reg:logistic");
    bool positive = is(objective, "count:poisson") || is(objective, "reg:gamma") ||
                    is(objective, "reg:tweedie") || starts(objective, "survival:");
    size_t n = n_items(values, "base_score"), outputs = n_outputs(values, job);
    if (!given)
        return BL_OK;
    if (n != 1 && n != outputs)
        return bli_fail(
            err, BL_E_CONFIG,
            "base_score holds %zu numbers; expected is one, or one for each of the "
            "%zu outputs",
            n, outputs);
    for (size_t i = 0; i < n; i++) {
        double d = json_real_value(json_array_get(given->items, i));
        float f = (float)d;
        if (share && !(f > 0 && f < 1))
            return bli_fail(
                err, BL_E_CONFIG,
                "base_score is '%s'; objective %s needs a probability between 0 "
                "and 1, neither included",
                given->text, objective);
        if (positive && !(f > 0))
            return bli_fail(err, BL_E_CONFIG,
                            "base_score is '%s'; objective %s needs a number above 0",
                            given->text, objective);
    }
    return BL_OK;
}

/* --- Booster, tree method, updaters
 * ---------------------------------------------------------- */

static const struct {
    const char *updater, *method;
} growers[] = {{"grow_colmaker", "exact"},
               {"grow_histmaker", "approx"},
               {"grow_quantile_histmaker", "hist"}};

static const char *grower_method(const char *updater)
{
    for (size_t i = 0; i < BL_LEN(growers); i++)
        if (is(updater, growers[i].updater))
            return growers[i].method;
    return NULL;
}

const char *bli_effective_method(const bl_values *values)
{
    const bl_value *updater = bli_given(values, "updater");
    const char *method = bli_choice_or_default(values, "tree_method");
    if (is(bli_choice_or_default(values, "process_type"), "update"))
        return "exact"; /* refresh and prune walk rows of an ordinary matrix */
    for (size_t i = 0; updater && i < json_array_size(updater->items); i++) {
        const char *of =
            grower_method(json_string_value(json_array_get(updater->items, i)));
        if (of)
            return of;
    }
    return method;
}

static bl_status check_linear(const bl_values *values, const bl_job *job, bl_err *err)
{
    static const char *const trees_only[] = {"monotone_constraints",
                                             "interaction_constraints"};
    const bl_value *updater = bli_given(values, "updater");
    const char *selector = bli_choice_or_default(values, "feature_selector");
    const char *solver = "shotgun";
    if (updater) {
        solver = json_string_value(json_array_get(updater->items, 0));
        if (json_array_size(updater->items) != 1 ||
            !(is(solver, "shotgun") || is(solver, "coord_descent")))
            return bli_fail(
                err, BL_E_CONFIG,
                "updater is '%s'; booster gblinear takes exactly one of shotgun and "
                "coord_descent",
                updater->text);
    }
    if (is(solver, "shotgun") && !is(selector, "cyclic") && !is(selector, "shuffle"))
        return bli_fail(
            err, BL_E_CONFIG,
            "feature_selector %s needs updater coord_descent; updater %s takes "
            "cyclic and shuffle",
            selector, updater ? "shotgun" : "shotgun (the default)");
    if (job->read.enable_categorical || lists(values, "bl_feature_types", "c"))
        return bli_fail(
            err, BL_E_CONFIG,
            "booster gblinear takes no categories: use gbtree, or leave %s out",
            job->read.enable_categorical ? "enable_categorical"
                                         : "type c in bl_feature_types");
    for (size_t i = 0; i < BL_LEN(trees_only); i++)
        if (n_items(values, trees_only[i]))
            return bli_fail(err, BL_E_CONFIG,
                            "%s would have no effect with booster gblinear: use gbtree",
                            trees_only[i]);
    if (is(bli_choice_or_default(values, "multi_strategy"), "multi_output_tree") ||
        is(bli_choice_or_default(values, "process_type"), "update"))
        return bli_fail(err, BL_E_CONFIG,
                        "%s needs trees, and booster is gblinear: use gbtree",
                        is(bli_choice_or_default(values, "process_type"), "update")
                            ? "process_type update"
                            : "multi_strategy multi_output_tree");
    return BL_OK;
}

static bl_status check_update(const bl_values *values, const bl_job *job, bl_err *err)
{
    const bl_value *updater = bli_given(values, "updater");
    if (!updater)
        return bli_fail(err, BL_E_CONFIG,
                        "process_type update needs updater: refresh, prune or both");
    for (size_t i = 0; i < json_array_size(updater->items); i++) {
        const char *name = json_string_value(json_array_get(updater->items, i));
        if (!is(name, "refresh") && !is(name, "prune"))
            return bli_fail(
                err, BL_E_CONFIG,
                "updater is '%s'; with process_type update it takes refresh and "
                "prune, which change trees, and not %s",
                updater->text, name);
    }
    if (!job->channels[BL_CHANNEL_MODEL].present)
        return bli_fail(
            err, BL_E_CONFIG,
            "process_type update needs channel 'model', whose trees it updates");
    return BL_OK;
}

static bl_status check_updaters(const bl_values *values, bl_err *err)
{
    const bl_value *updater = bli_given(values, "updater");
    const bl_value *method = bli_given(values, "tree_method");
    const char *grower = NULL;
    for (size_t i = 0; updater && i < json_array_size(updater->items); i++) {
        const char *name = json_string_value(json_array_get(updater->items, i));
        if (is(name, "shotgun") || is(name, "coord_descent"))
            return bli_fail(
                err, BL_E_CONFIG,
                "updater %s is for booster gblinear; trees take grow_colmaker, "
                "grow_histmaker, grow_quantile_histmaker, refresh and prune",
                name);
        if (!grower_method(name)) {
            if (i == 0)
                return bli_fail(
                    err, BL_E_CONFIG,
                    "updater is '%s'; the first must grow a tree: grow_colmaker, "
                    "grow_histmaker or grow_quantile_histmaker (%s alone needs "
                    "process_type update)",
                    updater->text, name);
            continue;
        }
        if (grower)
            return bli_fail(err, BL_E_CONFIG,
                            "updater names both %s and %s; only one can grow the trees",
                            grower, name);
        grower = name;
        if (i > 0)
            return bli_fail(err, BL_E_CONFIG, "updater is '%s'; %s must stand first",
                            updater->text, name);
    }
    if (grower && method && !is(method->choice, "auto") &&
        !is(method->choice, grower_method(grower)))
        return bli_fail(
            err, BL_E_CONFIG,
            "updater %s is tree_method %s, but tree_method is %s: leave one out", grower,
            grower_method(grower), method->choice);
    return BL_OK;
}

static bl_status check_exact(const bl_values *values, const bl_job *job, bl_err *err)
{
    const bl_value *depth = bli_given(values, "max_depth");
    const bl_value *bynode = bli_given(values, "colsample_bynode");
    if (depth && depth->i == 0)
        return bli_fail(
            err, BL_E_CONFIG,
            "max_depth is 0, no bound, and tree_method exact needs one: give a "
            "depth of 1 or more, or use hist");
    if (bynode && bynode->d < 1)
        return bli_fail(
            err, BL_E_CONFIG,
            "colsample_bynode is '%s'; tree_method exact does not draw columns by "
            "node: leave it out, or use hist",
            bynode->text);
    if (is(bli_choice_or_default(values, "sampling_method"), "gradient_based"))
        return bli_fail(
            err, BL_E_CONFIG,
            "sampling_method gradient_based has no effect with tree_method exact: "
            "use hist");
    if (job->read.enable_categorical || lists(values, "bl_feature_types", "c"))
        return bli_fail(
            err, BL_E_CONFIG,
            "tree_method exact takes no categories: use hist, or leave %s out",
            job->read.enable_categorical ? "enable_categorical"
                                         : "type c in bl_feature_types");
    return BL_OK;
}

static bl_status check_trees(const bl_values *values, const bl_job *job, bl_err *err)
{
    const char *method = bli_effective_method(values);
    bool update = is(bli_choice_or_default(values, "process_type"), "update");
    bl_status st = update ? check_update(values, job, err) : check_updaters(values, err);
    if (st != BL_OK)
        return st;
    if (is(bli_choice_or_default(values, "multi_strategy"), "multi_output_tree") &&
        !is(method, "hist") && !is(method, "auto"))
        return bli_fail(
            err, BL_E_CONFIG,
            "multi_strategy multi_output_tree needs tree_method hist or auto; it is "
            "%s",
            update ? "an update" : method);
    return is(method, "exact") && !update ? check_exact(values, job, err) : BL_OK;
}

/* --- Settings that would do nothing
 * ---------------------------------------------------------- */

/* name matters where the objective begins with one of the texts, or a metric does. */
static const struct {
    const char *name, *objectives[6], *metric;
} scoped[] = {
    {"tweedie_variance_power", {"reg:tweedie"}, "tweedie-nloglik"},
    {"huber_slope", {"reg:pseudohubererror"}, "mphe"},
    {"quantile_alpha", {"reg:quantileerror"}, NULL},
    {"expectile_alpha", {"reg:expectileerror"}, NULL},
    {"aft_loss_distribution", {"survival:aft"}, NULL},
    {"aft_loss_distribution_scale", {"survival:aft"}, NULL},
    {"lambdarank_pair_method", {"rank:"}, NULL},
    {"lambdarank_num_pair_per_sample", {"rank:"}, NULL},
    {"lambdarank_normalization", {"rank:"}, NULL},
    {"lambdarank_score_normalization", {"rank:"}, NULL},
    {"lambdarank_unbiased", {"rank:"}, NULL},
    {"lambdarank_bias_norm", {"rank:"}, NULL},
    {"ndcg_exp_gain", {"rank:"}, "ndcg"},
    {"scale_pos_weight",
     {"binary:logi", "reg:logistic", "reg:squarederror", "reg:gamma"},
     NULL},
};

static bool scope_holds(size_t i, const bl_job *job)
{
    for (const char *const *objective = scoped[i].objectives; *objective; objective++)
        if (starts(job->objective, *objective))
            return true;
    for (size_t j = 0; scoped[i].metric && j < job->n_metrics; j++)
        if (starts(job->metrics[j].name, scoped[i].metric))
            return true;
    return false;
}

static bool unused(const bl_values *values, const bl_job *job, const bl_param_def *def)
{
    static const char *const linear_too[] = {"booster", "eta", "lambda", "alpha",
                                             "updater"};
    static const char *const not_exact[] = {"max_leaves", "grow_policy", "max_bin",
                                            "max_cached_hist_node"};
    bool linear = is(job->booster, "gblinear");
    bool of_trees = is(def->group, "Trees") || is(def->group, "Dropout");
    for (size_t i = 0; i < BL_LEN(scoped); i++)
        if (is(scoped[i].name, def->name))
            return !scope_holds(i, job);
    for (size_t i = 0; i < BL_LEN(linear_too); i++)
        if (is(linear_too[i], def->name))
            return false;
    if (linear ? of_trees : strstr(def->group, "gblinear") != NULL)
        return true;
    for (size_t i = 0; i < BL_LEN(not_exact); i++)
        if (is(not_exact[i], def->name))
            return is(job->tree_method, "exact");
    if (is(def->name, "refresh_leaf"))
        return !lists(values, "updater", "refresh");
    return is(def->name, "_num_cv_round") && !bli_given(values, "_kfold");
}

void bli_rules_note_unused(const bl_values *values, const bl_job *job, const bl_log *log)
{
    bl_buf names = {0};
    for (size_t i = 0; i < BL_N_PARAMS; i++)
        if (values->value[i].def && unused(values, job, values->value[i].def))
            bli_buf_printf(&names, "%s%s", names.n ? ", " : "", values->value[i].key);
    if (names.n && !names.failed)
        bli_log(log, BL_NOTE, BL_STAGE, "without effect on this job: %s", names.data);
    bli_buf_done(&names);
}

/* --- The rest
 * -------------------------------------------------------------------------------- */

static bl_status check_folds(const bl_values *values, const bl_job *job, bl_err *err)
{
    if (bli_given(values, "_kfold") && job->channels[BL_CHANNEL_MODEL].present)
        return bli_fail(
            err, BL_E_CONFIG,
            "_kfold is given and so is channel 'model': that model may have seen the "
            "rows a fold holds out. Leave one out");
    return BL_OK;
}

static bl_status check_explain(const bl_values *values, const bl_job *job, bl_err *err)
{
    const bl_value *explain = bli_given(values, "bl_explain");
    if (explain && (is(explain->choice, "validation") || is(explain->choice, "both")) &&
        !job->channels[BL_CHANNEL_VALIDATION].present)
        return bli_fail(
            err, BL_E_CONFIG,
            "bl_explain is %s, and there is no channel 'validation': give the "
            "channel, or explain train",
            explain->choice);
    return BL_OK;
}

/* What later versions bring is refused where the job would otherwise not be what was
 * asked for. */
static bl_status check_later(const bl_values *values, const bl_log *log, bl_err *err)
{
    if (bli_given(values, "bl_preprocess"))
        return bli_fail(
            err, BL_E_CONFIG,
            "bl_preprocess is not in this version yet: preprocess before the job "
            "and leave it out");
    if (bli_given(values, "bl_require_encryption"))
        return bli_fail(
            err, BL_E_CONFIG,
            "bl_require_encryption is not in this version yet, so nothing can be "
            "promised: leave it out");
    if (is(bli_choice_or_default(values, "bl_isolation"), "required"))
        return bli_fail(
            err, BL_E_CONFIG,
            "bl_isolation is required, and the sandbox is not in this version yet: "
            "leave it out");
    if (is(bli_choice_or_default(values, "bl_checkpoint_foreign"), "use"))
        return bli_fail(
            err, BL_E_CONFIG,
            "bl_checkpoint_foreign is use, and checkpoints are not in this version "
            "yet: leave it out, or give the model in channel 'model'");
    if (bli_given(values, "bl_checkpoint_seconds") ||
        bli_given(values, "bl_checkpoint_keep"))
        bli_log(log, BL_NOTE, BL_STAGE,
                "bl_checkpoint_*: checkpoints are not in this version yet; no effect");
    if (bli_given(values, "bl_isolation"))
        bli_log(log, BL_NOTE, BL_STAGE,
                "bl_isolation: the sandbox is not in this version yet; no effect");
    return BL_OK;
}

bl_status bli_rules_check(const bl_values *values, const bl_job *job, const bl_log *log,
                          bl_err *err)
{
    const bl_value *slope = bli_given(values, "huber_slope");
    bool linear = is(job->booster, "gblinear");
    bl_status st = BL_OK;
    if (slope && slope->d == 0)
        st = bli_fail(err, BL_E_CONFIG, "huber_slope is 0; accepted is any other number");
    if (st == BL_OK)
        st = check_classes(values, job, err);
    if (st == BL_OK)
        st = check_alphas(values, job, "reg:quantileerror", "quantile_alpha", err);
    if (st == BL_OK)
        st = check_alphas(values, job, "reg:expectileerror", "expectile_alpha", err);
    if (st == BL_OK)
        st = check_labels(values, job, err);
    if (st == BL_OK)
        st = check_base_score(values, job, err);
    if (st == BL_OK)
        st = linear ? check_linear(values, job, err) : check_trees(values, job, err);
    if (st == BL_OK)
        st = check_folds(values, job, err);
    if (st == BL_OK)
        st = check_explain(values, job, err);
    return st == BL_OK ? check_later(values, log, err) : st;
}
