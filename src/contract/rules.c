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

/* Predictions a row as far as settings tell: classes, quantiles, label columns. */
static size_t n_outputs(const bl_values *values, const bl_job *job)
{
    if (job->num_class > 1)
        return (size_t)job->num_class;
    if (bli_is(job->objective, "reg:quantileerror"))
        return bli_n_items(values, "quantile_alpha");
    if (bli_is(job->objective, "reg:expectileerror"))
        return bli_n_items(values, "expectile_alpha");
    return job->read.labels.n > 1 ? job->read.labels.n : 1;
}

/* --- Objective ---------------------------------------------------------------------- */

static bl_status check_classes(const bl_values *values, const bl_job *job, bl_err *err)
{
    const bl_value *num_class = bli_given(values, "num_class");
    bool multi = bli_starts(job->objective, "multi:");
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
    if (bli_is(job->objective, objective) &&
        (!alphas || json_array_size(alphas->items) == 0))
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
    bool one_only = bli_starts(objective, "multi:") || bli_starts(objective, "rank:") ||
                    bli_is(objective, "survival:cox") ||
                    bli_is(objective, "reg:quantileerror") ||
                    bli_is(objective, "reg:expectileerror");
    if (job->read.labels.n > 1 && one_only)
        return bli_fail(err, BL_E_CONFIG,
                        "bl_label names %zu columns, and objective %s takes one",
                        job->read.labels.n, objective);
    if (bli_starts(objective, "rank:") && !job->read.has_group)
        return bli_fail(
            err, BL_E_CONFIG,
            "objective %s needs bl_group, the column that says which rows are "
            "ranked together",
            objective);
    if (job->read.has_group && job->read.has_weight && !bli_starts(objective, "rank:"))
        return bli_fail(
            err, BL_E_CONFIG,
            "bl_group and a weight column are both given: weights are then those "
            "of groups, which only the rank:* objectives take; the objective is %s",
            objective);
    size_t n = job->read.base_margins.n, outputs = n_outputs(values, job);
    if (n > 1 && n != outputs)
        return bli_fail(
            err, BL_E_CONFIG,
            "bl_base_margin names %zu columns; expected is one for each output, and "
            "this job has %zu",
            n, outputs);
    return BL_OK;
}

/* The link functions' domains; XGBoost itself answers with nan in most of these. */
static bl_status check_base_score(const bl_values *values, const bl_job *job, bl_err *err)
{
    const bl_value *given = bli_given(values, "base_score");
    const char *objective = job->objective;
    bool share =
        bli_is(objective, "binary:logistic") || bli_is(objective, "reg:logistic");
    bool positive = bli_is(objective, "count:poisson") ||
                    bli_is(objective, "reg:gamma") || bli_is(objective, "reg:tweedie") ||
                    bli_starts(objective, "survival:");
    size_t n = bli_n_items(values, "base_score"), outputs = n_outputs(values, job);
    if (!given)
        return BL_OK;
    if (n != 1 && n != outputs)
        return bli_fail(
            err, BL_E_CONFIG,
            "base_score holds %zu numbers; expected is one, or one for each output, "
            "and this job has %zu",
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

/* --- Settings that would do nothing ------------------------------------------------- */

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
        if (bli_starts(job->objective, *objective))
            return true;
    for (size_t j = 0; scoped[i].metric && j < job->n_metrics; j++)
        if (bli_starts(job->metrics[j].name, scoped[i].metric))
            return true;
    return false;
}

static bool unused(const bl_values *values, const bl_job *job, const bl_param_def *def)
{
    static const char *const linear_too[] = {"booster", "eta", "lambda", "alpha",
                                             "updater"};
    static const char *const not_exact[] = {"max_leaves", "grow_policy", "max_bin",
                                            "max_cached_hist_node"};
    bool linear = bli_is(job->booster, "gblinear");
    bool of_trees = bli_is(def->group, "Trees") || bli_is(def->group, "Dropout");
    for (size_t i = 0; i < BL_LEN(scoped); i++)
        if (bli_is(scoped[i].name, def->name))
            return !scope_holds(i, job);
    for (size_t i = 0; i < BL_LEN(linear_too); i++)
        if (bli_is(linear_too[i], def->name))
            return false;
    if (linear ? of_trees : strstr(def->group, "gblinear") != NULL)
        return true;
    for (size_t i = 0; i < BL_LEN(not_exact); i++)
        if (bli_is(not_exact[i], def->name))
            return bli_is(job->tree_method, "exact");
    if (bli_is(def->name, "refresh_leaf"))
        return !bli_lists(values, "updater", "refresh");
    return bli_is(def->name, "_num_cv_round") && !bli_given(values, "_kfold");
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

/* --- The rest ----------------------------------------------------------------------- */

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
    if (explain && !bli_given(values, "bl_preprocess") &&
        (bli_is(explain->choice, "validation") || bli_is(explain->choice, "both")) &&
        !job->channels[BL_CHANNEL_VALIDATION].present)
        return bli_fail(
            err, BL_E_CONFIG,
            "bl_explain is %s, and there is no channel 'validation': give the "
            "channel, or explain train",
            explain->choice);
    return BL_OK;
}

static void note_checkpoints(const bl_values *values, const bl_job *job,
                             const bl_log *log)
{
    if (!job->checkpoint_dir && (bli_given(values, "bl_checkpoint_seconds") ||
                                 bli_given(values, "bl_checkpoint_keep") ||
                                 bli_given(values, "bl_checkpoint_foreign")))
        bli_log(log, BL_NOTE, BL_STAGE,
                "bl_checkpoint_*: the job has no CheckpointConfig "
                "(checkpointconfig.json), so there are no checkpoints; no effect");
}

bl_status bli_rules_check(const bl_values *values, const bl_job *job, const bl_log *log,
                          bl_err *err)
{
    const bl_value *slope = bli_given(values, "huber_slope");
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
        st = bli_booster_check(values, job, err);
    if (st == BL_OK)
        st = check_folds(values, job, err);
    if (st == BL_OK)
        st = check_explain(values, job, err);
    if (st == BL_OK)
        note_checkpoints(values, job, log);
    return st;
}
