/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metric names: what exists, which way is better, what a name may end in, and which
 * objectives can be measured by it. What XGBoost 3.4.1 computes for which objective was
 * tried pair by pair: it fails late and in its own words, or reads past its labels (mphe
 * with several outputs).
 */
#include "contract/contract_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

typedef enum bl_suffix {
    SUFFIX_NONE,
    SUFFIX_THRESHOLD, /* error@0.7 */
    SUFFIX_TOP,       /* pre@5 */
    SUFFIX_TOP_MINUS, /* ndcg@5-, ndcg- */
    SUFFIX_POWER,     /* tweedie-nloglik@1.5, required */
    SUFFIX_RATIO      /* ams@0.15, required */
} bl_suffix;

/* What a metric needs of the job. */
typedef enum bl_needs {
    NEEDS_ONE_OUTPUT, /* a prediction for each label */
    NEEDS_SCORES,     /* auc: binary, multi-class, ranking */
    NEEDS_CLASSES,    /* merror: multi-class only */
    NEEDS_AFT,
    NEEDS_QUANTILES,
    NEEDS_EXPECTILES,
    NEEDS_LABELS_01, /* accuracy: binary or multi-class labels */
    NEEDS_TWO        /* precision: binary labels, or two classes */
} bl_needs;

typedef struct bl_metric_def {
    const char *name;
    bl_metric_maker maker;
    bool maximised;
    bl_suffix suffix;
    bl_needs needs;
} bl_metric_def;

#define XGB    BL_METRIC_XGBOOST
#define CUSTOM BL_METRIC_CUSTOM

static const bl_metric_def metrics[] = {
    {"rmse", XGB, false, SUFFIX_NONE, NEEDS_ONE_OUTPUT},
    {"rmsle", XGB, false, SUFFIX_NONE, NEEDS_ONE_OUTPUT},
    {"mae", XGB, false, SUFFIX_NONE, NEEDS_ONE_OUTPUT},
    {"mape", XGB, false, SUFFIX_NONE, NEEDS_ONE_OUTPUT},
    {"mphe", XGB, false, SUFFIX_NONE, NEEDS_ONE_OUTPUT},
    {"logloss", XGB, false, SUFFIX_NONE, NEEDS_ONE_OUTPUT},
    {"error", XGB, false, SUFFIX_THRESHOLD, NEEDS_ONE_OUTPUT},
    {"merror", XGB, false, SUFFIX_NONE, NEEDS_CLASSES},
    {"mlogloss", XGB, false, SUFFIX_NONE, NEEDS_CLASSES},
    {"auc", XGB, true, SUFFIX_NONE, NEEDS_SCORES},
    {"aucpr", XGB, true, SUFFIX_NONE, NEEDS_SCORES},
    {"pre", XGB, true, SUFFIX_TOP, NEEDS_ONE_OUTPUT},
    {"ndcg", XGB, true, SUFFIX_TOP_MINUS, NEEDS_ONE_OUTPUT},
    {"map", XGB, true, SUFFIX_TOP_MINUS, NEEDS_ONE_OUTPUT},
    {"poisson-nloglik", XGB, false, SUFFIX_NONE, NEEDS_ONE_OUTPUT},
    {"gamma-nloglik", XGB, false, SUFFIX_NONE, NEEDS_ONE_OUTPUT},
    {"gamma-deviance", XGB, false, SUFFIX_NONE, NEEDS_ONE_OUTPUT},
    {"tweedie-nloglik", XGB, false, SUFFIX_POWER, NEEDS_ONE_OUTPUT},
    {"cox-nloglik", XGB, false, SUFFIX_NONE, NEEDS_ONE_OUTPUT},
    {"aft-nloglik", XGB, false, SUFFIX_NONE, NEEDS_AFT},
    /* The share of rows inside their interval: a hit rate, which AWS's image minimises.
     */
    {"interval-regression-accuracy", XGB, true, SUFFIX_NONE, NEEDS_AFT},
    {"quantile", XGB, false, SUFFIX_NONE, NEEDS_QUANTILES},
    {"expectile", XGB, false, SUFFIX_NONE, NEEDS_EXPECTILES},
    {"ams", XGB, true, SUFFIX_RATIO, NEEDS_ONE_OUTPUT},
    {"accuracy", CUSTOM, true, SUFFIX_NONE, NEEDS_LABELS_01},
    {"balanced_accuracy", CUSTOM, true, SUFFIX_NONE, NEEDS_LABELS_01},
    {"f1", CUSTOM, true, SUFFIX_NONE, NEEDS_LABELS_01},
    {"f1_binary", CUSTOM, true, SUFFIX_NONE, NEEDS_TWO},
    {"f1_macro", CUSTOM, true, SUFFIX_NONE, NEEDS_LABELS_01},
    {"mse", CUSTOM, false, SUFFIX_NONE, NEEDS_ONE_OUTPUT},
    {"precision", CUSTOM, true, SUFFIX_NONE, NEEDS_TWO},
    {"precision_macro", CUSTOM, true, SUFFIX_NONE, NEEDS_LABELS_01},
    {"precision_micro", CUSTOM, true, SUFFIX_NONE, NEEDS_LABELS_01},
    {"r2", CUSTOM, true, SUFFIX_NONE, NEEDS_ONE_OUTPUT},
    {"recall", CUSTOM, true, SUFFIX_NONE, NEEDS_TWO},
    {"recall_macro", CUSTOM, true, SUFFIX_NONE, NEEDS_LABELS_01},
    {"recall_micro", CUSTOM, true, SUFFIX_NONE, NEEDS_LABELS_01},
};

/* Length of a name without "@..." and the minus of "ndcg-". */
static size_t base_length(const char *name)
{
    size_t n = strcspn(name, "@");
    if (name[n] == '\0' && n > 0 && name[n - 1] == '-')
        n--;
    return n;
}

static const bl_metric_def *find(const char *name, size_t n)
{
    for (size_t i = 0; i < BL_LEN(metrics); i++)
        if (strlen(metrics[i].name) == n && memcmp(metrics[i].name, name, n) == 0)
            return &metrics[i];
    return NULL;
}

bool bli_metric_is_custom(const char *name)
{
    const bl_metric_def *def = find(name, base_length(name));
    return def && def->maker == BL_METRIC_CUSTOM;
}

bool bli_metric_is_maximised(const char *name)
{
    const bl_metric_def *def = find(name, base_length(name));
    return def && def->maximised;
}

/* --- One name ----------------------------------------------------------------------- */

static bl_status refuse_unknown(const char *key, const char *name, bl_err *err)
{
    char quoted[BL_QUOTE_BYTES], base[64];
    const char *names[BL_LEN(metrics)];
    for (size_t i = 0; i < BL_LEN(metrics); i++)
        names[i] = metrics[i].name;
    size_t n = base_length(name);
    n = n < sizeof base ? n : sizeof base - 1;
    memcpy(base, name, n);
    base[n] = '\0';
    const char *near = bli_nearest(base, names, BL_LEN(metrics));
    bli_quote(name, strlen(name), quoted, sizeof quoted);
    if (near)
        return bli_fail(err, BL_E_CONFIG,
                        "%s: there is no metric '%s': did you mean '%s'?", key, quoted,
                        near);
    bl_buf all = {0};
    for (size_t i = 0; i < BL_LEN(metrics); i++)
        bli_buf_printf(&all, "%s%s", i ? ", " : "", names[i]);
    bl_status st = bli_fail(err, BL_E_CONFIG, "%s: there is no metric '%s'; there are %s",
                            key, quoted, all.data ? all.data : "");
    bli_buf_done(&all);
    return st;
}

static bool number_in(const char *text, size_t n, double low, double high, bool high_open)
{
    double d;
    return bli_read_double(text, n, &d) == BL_NUMBER_OK && d >= low &&
           (high_open ? d < high : d <= high);
}

static bool top_ok(const char *text, size_t n, bool minus)
{
    int64_t i;
    if (minus && n > 1 && text[n - 1] == '-')
        n--;
    return n > 0 && *text != '+' && bli_read_int(text, n, &i) && i >= 1 &&
           i <= UINT32_MAX;
}

/* What follows the name, rest, is what the metric takes; else a sentence of what it
 * takes. */
static bl_status check_suffix(const bl_metric_def *def, const char *key, const char *name,
                              bl_err *err)
{
    const char *rest = name + strlen(def->name);
    const char *value = *rest == '@' ? rest + 1 : NULL;
    size_t n = value ? strlen(value) : 0;
    const char *takes = NULL;
    switch (def->suffix) {
    case SUFFIX_NONE:
        takes = *rest ? "takes nothing after its name" : NULL;
        break;
    case SUFFIX_THRESHOLD:
        if (*rest && !(value && number_in(value, n, -3e38, 3e38, false)))
            takes = "takes a threshold, as error@0.7";
        break;
    case SUFFIX_TOP:
        if (*rest && !(value && top_ok(value, n, false)))
            takes = "takes a number of top rows, a whole number from 1, as pre@5";
        break;
    case SUFFIX_TOP_MINUS:
        if (*rest && strcmp(rest, "-") != 0 && !(value && top_ok(value, n, true)))
            takes = "takes a number of top rows, a whole number from 1, and a minus, as "
                    "ndcg@5, ndcg@5- or ndcg-";
        break;
    case SUFFIX_POWER:
        if (*rest && !(value && number_in(value, n, 1, 2, true)))
            takes = "takes a variance power from 1 to below 2, as tweedie-nloglik@1.5";
        break;
    case SUFFIX_RATIO:
        if (!(value && number_in(value, n, 0, 1, false)))
            takes = "needs a ratio from 0 to 1, as ams@0.15";
        break;
    }
    if (!takes)
        return BL_OK;
    char quoted[BL_QUOTE_BYTES];
    return bli_fail(err, BL_E_CONFIG, "%s: metric '%s': %s %s", key,
                    bli_quote(name, strlen(name), quoted, sizeof quoted), def->name,
                    takes);
}

/* --- Metric and objective ----------------------------------------------------------- */

/* Does each row get several predictions for one label. */
static bool several_outputs(const bl_values *values, const bl_job *job)
{
    return bli_starts(job->objective, "multi:") ||
           (strcmp(job->objective, "reg:quantileerror") == 0 &&
            bli_n_items(values, "quantile_alpha") > 1) ||
           (strcmp(job->objective, "reg:expectileerror") == 0 &&
            bli_n_items(values, "expectile_alpha") > 1);
}

/* NULL where the metric fits, else what it needs. */
static const char *unfit(const bl_metric_def *def, const bl_values *values,
                         const bl_job *job)
{
    const char *objective = job->objective;
    bool multi = bli_starts(objective, "multi:");
    bool two = bli_starts(objective, "binary:") || strcmp(objective, "reg:logistic") == 0;
    bool aft = strcmp(objective, "survival:aft") == 0;
    bool ranking = def->suffix == SUFFIX_TOP || def->suffix == SUFFIX_TOP_MINUS;
    switch (def->needs) {
    case NEEDS_ONE_OUTPUT:
        if (aft)
            return "labels, and survival:aft has bounds: use aft-nloglik or "
                   "interval-regression-accuracy";
        if (several_outputs(values, job))
            return multi ? "one prediction a row: with several classes use mlogloss, "
                           "merror, "
                           "auc, aucpr, accuracy, balanced_accuracy, f1, precision_macro "
                           "or "
                           "recall_macro"
                         : "one prediction a row, and this objective has several";
        if (ranking)
            return job->read.labels.n > 1 ? "one label column" : NULL;
        if (job->read.has_group && job->read.has_weight &&
            def->maker == BL_METRIC_XGBOOST)
            return "rows without group weights: with bl_group and weights use ndcg, map, "
                   "pre, "
                   "auc or aucpr";
        return NULL;
    case NEEDS_SCORES:
        return multi || two || bli_starts(objective, "rank:")
                   ? NULL
                   : "a classification or ranking objective: binary:*, multi:*, rank:* "
                     "or "
                     "reg:logistic";
    case NEEDS_CLASSES:
        return multi ? NULL
                     : "objective multi:softmax or multi:softprob; for two classes use "
                       "error and logloss";
    case NEEDS_AFT:
        return aft ? NULL : "objective survival:aft";
    case NEEDS_QUANTILES:
        return strcmp(objective, "reg:quantileerror") == 0
                   ? NULL
                   : "objective reg:quantileerror";
    case NEEDS_EXPECTILES:
        return strcmp(objective, "reg:expectileerror") == 0
                   ? NULL
                   : "objective reg:expectileerror";
    case NEEDS_TWO:
        if (multi && job->num_class > 2)
            return "two classes; with more use precision_macro, recall_macro or f1_macro";
        /* fall through */
    case NEEDS_LABELS_01:
        if (!multi && !two)
            return "a classification objective: binary:*, multi:* or reg:logistic";
        return job->read.labels.n > 1 ? "one label column" : NULL;
    }
    return NULL;
}

static bl_status check_fit(const bl_metric_def *def, const char *key, const char *name,
                           const bl_values *values, const bl_job *job, bl_err *err)
{
    const char *needs = unfit(def, values, job);
    if (!needs)
        return BL_OK;
    return bli_fail(err, BL_E_CONFIG,
                    "%s: metric '%s' does not fit objective %s%s: it needs %s", key, name,
                    job->objective,
                    bli_given(values, "objective") ? "" : " (the default)", needs);
}

/* --- The list of a job -------------------------------------------------------------- */

static bool listed(const bl_job *job, const char *name)
{
    for (size_t i = 0; i < job->n_metrics; i++)
        if (strcmp(job->metrics[i].name, name) == 0)
            return true;
    return false;
}

/* XGBoost computes tweedie-nloglik at a stated power only; without one it is the
 * objective's. */
static bl_status full_name(const bl_metric_def *def, const char *name,
                           const bl_values *values, const bl_log *log, char **ret_name,
                           bl_err *err)
{
    if (def->suffix != SUFFIX_POWER || strchr(name, '@'))
        return bli_strdup(name, ret_name, err);
    const bl_value *power = bli_given(values, "tweedie_variance_power");
    char text[BL_NUMBER_BYTES], whole[BL_NUMBER_BYTES + 32];
    bli_write_double(power ? power->d : 1.5, text);
    snprintf(whole, sizeof whole, "%s@%s", def->name, text);
    bli_log(log, BL_NOTE, BL_STAGE, "metric %s is taken as %s", name, whole);
    return bli_strdup(whole, ret_name, err);
}

static bl_status add(const char *key, const char *name, const bl_values *values,
                     const bl_log *log, bl_job *job, char **ret_last, bl_err *err)
{
    const bl_metric_def *def = find(name, base_length(name));
    if (!def)
        return refuse_unknown(key, name, err);
    bl_status st = check_suffix(def, key, name, err);
    if (st == BL_OK)
        st = check_fit(def, key, name, values, job, err);
    char *full = NULL;
    if (st == BL_OK)
        st = full_name(def, name, values, log, &full, err);
    if (st == BL_OK) {
        char *last = NULL;
        st = bli_strdup(full, &last, err);
        if (st == BL_OK) {
            free(*ret_last);
            *ret_last = last;
        }
    }
    if (st == BL_OK && !listed(job, full)) {
        void *array = job->metrics;
        size_t cap = job->n_metrics;
        st = bli_grow(&array, &cap, job->n_metrics + 1, sizeof *job->metrics, "metrics",
                      err);
        if (st == BL_OK) {
            job->metrics = array;
            job->metrics[job->n_metrics++] = (bl_metric_name){full, def->maker};
            full = NULL;
        }
    }
    free(full);
    return st;
}

/* A part of _tuning_objective_metric: true where it names a metric of ours on validation.
 */
static bool tuned_metric(const char *part, size_t n, char out[64])
{
    static const char prefix[] = "validation:";
    while (n > 0 && *part == ' ')
        part++, n--;
    while (n > 0 && part[n - 1] == ' ')
        n--;
    if (n <= sizeof prefix - 1 || memcmp(part, prefix, sizeof prefix - 1) != 0)
        return false;
    part += sizeof prefix - 1;
    n -= sizeof prefix - 1;
    if (n >= 64)
        return false;
    memcpy(out, part, n);
    out[n] = '\0';
    const bl_metric_def *def = find(out, base_length(out));
    return def && check_suffix(def, "", out, NULL) == BL_OK;
}

static bl_status add_tuned(const bl_values *values, const bl_log *log, bl_job *job,
                           bl_err *err)
{
    const bl_value *tuned = bli_given(values, "_tuning_objective_metric");
    bl_status st = BL_OK;
    if (!tuned)
        return BL_OK;
    bool any = false, found = false;
    for (const char *part = tuned->text; st == BL_OK && *part;) {
        size_t n = strcspn(part, ",");
        char name[64], quoted[BL_QUOTE_BYTES];
        any = true;
        if (tuned_metric(part, n, name))
            st =
                add(tuned->key, name, values, log, job, &job->early_stopping_metric, err);
        else
            bli_log(
                log, BL_NOTE, BL_STAGE,
                "%s: '%s' is no metric of channel validation that is known here, such as "
                "validation:auc; ignored",
                tuned->key, bli_quote(part, n, quoted, sizeof quoted));
        part += n + (part[n] == ',');
    }
    if (!any)
        bli_log(log, BL_NOTE, BL_STAGE, "%s is empty; ignored", tuned->key);
    if (found && !job->channels[BL_CHANNEL_VALIDATION].present && job->kfold == 0)
        bli_log(log, BL_WARNING, BL_STAGE,
                "%s asks for a metric of channel validation, which this job has not: the "
                "tuner "
                "will find no value",
                tuned->key);
    return st;
}

bl_status bli_metrics_read(const bl_values *values, const bl_log *log, bl_job *job,
                           bl_err *err)
{
    const bl_value *given = bli_given(values, "eval_metric");
    bl_status st = BL_OK;
    for (size_t i = 0; st == BL_OK && given && i < json_array_size(given->items); i++)
        st = add(given->key, json_string_value(json_array_get(given->items, i)), values,
                 log, job, &job->early_stopping_metric, err);
    if (st == BL_OK)
        st = add_tuned(values, log, job, err);
    return st;
}
