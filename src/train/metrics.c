/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of a round: XGBoost's out of the text it gives (17 significant digits or more:
 * exact), ours from its predictions; the metric line; the history.
 */
#include "train/train_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One "train-auc:0.81" of XGBoost's text; name and value are lent. */
typedef struct spot {
    size_t set;
    const char *name;
    size_t n_name;
    double value;
} spot;

typedef struct spots {
    size_t n, cap;
    spot *spot;
} spots;

static bl_status read_value(const char *text, size_t n, double *ret)
{
    if (n == 3 && !strncmp(text, "nan", 3))
        *ret = (double)NAN;
    else if (n == 4 && !strncmp(text, "-nan", 4))
        *ret = (double)NAN;
    else if (bli_read_double(text, n, ret) == BL_NUMBER_NONE)
        return BL_E_INTERNAL;
    return BL_OK;
}

/* "\ttrain-ndcg@5-:0.7": the set's name ends at the first '-', the metric's at the last
 * ':'. */
static bl_status read_spot(const bl_metrics *m, const char *text, size_t n, spot *ret)
{
    const char *dash = memchr(text, '-', n);
    const char *colon = memrchr(text, ':', n);
    if (!dash || !colon || colon < dash)
        return BL_E_INTERNAL;
    size_t set = 0;
    while (set < m->n_sets && (strncmp(m->sets[set].name, text, (size_t)(dash - text)) ||
                               m->sets[set].name[dash - text]))
        set++;
    if (set == m->n_sets)
        return BL_E_INTERNAL;
    *ret = (spot){.set = set, .name = dash + 1, .n_name = (size_t)(colon - dash - 1)};
    return read_value(colon + 1, n - (size_t)(colon + 1 - text), &ret->value);
}

static bl_status read_text(const bl_metrics *m, const char *text, spots *ret, bl_err *err)
{
    for (const char *tab = strchr(text, '\t'); tab; tab = strchr(tab + 1, '\t')) {
        bl_status st = bli_grow((void **)&ret->spot, &ret->cap, ret->n + 1, sizeof(spot),
                                "metrics", err);
        if (st != BL_OK)
            return st;
        if (read_spot(m, tab + 1, strcspn(tab + 1, "\t"), &ret->spot[ret->n]) != BL_OK)
            return bli_fail(err, BL_E_INTERNAL,
                            "XGBoost's metric text has an unknown form: '%.200s'", text);
        ret->n++;
    }
    return BL_OK;
}

/* Longest: the largest double, its sign, point, decimals and NUL. */
#define FIXED_BYTES 336

/* "%.<decimals>f" of the C locale, whatever the locale is; nan never has a sign. */
static void fixed_text(double value, int decimals, char *out, size_t max)
{
    if (isnan(value)) {
        snprintf(out, max, "nan");
        return;
    }
    snprintf(out, max, "%.*f", decimals, value);
    for (char *p = out; *p; p++)
        if (*p == ',')
            *p = '.';
}

/* --- Names -------------------------------------------------------------------------- */

/* XGBoost prints its own spelling of a name ("error" for "error@0.5"), and that is what
 * stands in the metric line; the k-th of its metrics is the k-th asked for. It skips one
 * whose name it already has: then the spot of that name counts for both. */
static const spot *find_spot(const spots *all, size_t set, size_t k, const char *asked)
{
    const spot *by_place = NULL, *by_name = NULL;
    size_t place = 0;
    for (size_t i = 0; i < all->n; i++) {
        const spot *s = &all->spot[i];
        if (s->set != set)
            continue;
        if (asked && strlen(asked) == s->n_name && !strncmp(asked, s->name, s->n_name))
            by_name = s;
        if (place++ == k)
            by_place = s;
    }
    return by_name ? by_name : by_place;
}

static bl_status add_name(bl_metrics *m, const char *name, size_t n, bl_err *err)
{
    char *text = strndup(name, n);
    if (!text)
        return bli_fail(err, BL_E_NOMEM, "metric names");
    m->names[m->n_metrics++] = text;
    return BL_OK;
}

static bl_status learn_names(bl_metrics *m, const spots *all, bl_err *err)
{
    size_t asked = m->job->n_metrics;
    size_t n = asked ? asked : all->n / m->n_sets;
    bl_status st =
        bli_alloc(n + 1, sizeof *m->names, "metric names", (void **)&m->names, err);
    if (st == BL_OK)
        st = bli_alloc(n * m->n_sets + 1, sizeof *m->values, "metric values",
                       (void **)&m->values, err);
    size_t k = 0;
    for (size_t i = 0; st == BL_OK && i < n; i++) {
        const bl_metric_name *name = asked ? &m->job->metrics[i] : NULL;
        if (name && name->maker == BL_METRIC_CUSTOM) {
            st = add_name(m, name->name, strlen(name->name), err);
            continue;
        }
        const spot *s = find_spot(all, 0, k++, name ? name->name : NULL);
        st = s ? add_name(m, s->name, s->n_name, err)
               : bli_fail(err, BL_E_INTERNAL, "XGBoost gives no value of metric '%s'",
                          name ? name->name : "?");
    }
    return st;
}

/* Place among the job's metrics of the one that early stopping follows. */
static void learn_watched(bl_metrics *m)
{
    const char *name = m->job->early_stopping_metric;
    m->watched = m->n_metrics ? m->n_metrics - 1 : 0;
    for (size_t i = 0; name && i < m->job->n_metrics; i++)
        if (!strcmp(m->job->metrics[i].name, name))
            m->watched = i;
}

/* --- Custom metrics ----------------------------------------------------------------- */

static bl_status predict(BoosterHandle booster, DMatrixHandle handle, int type,
                         uint64_t n_rows, size_t *ret_columns, float **ret, bl_err *err)
{
    char config[160];
    snprintf(config, sizeof config,
             "{\"type\": %d, \"training\": false, \"iteration_begin\": 0, "
             "\"iteration_end\": 0, "
             "\"strict_shape\": true}",
             type);
    const bst_ulong *shape;
    bst_ulong dim;
    const float *values;
    if (XGBoosterPredictFromDMatrix(booster, handle, config, &shape, &dim, &values))
        return bli_xgb_fail(err, "predicting for the metrics");
    size_t n = 1;
    for (bst_ulong i = 0; i < dim; i++)
        n *= shape[i];
    bl_status st = bli_alloc(n, sizeof **ret, "predictions", (void **)ret, err);
    if (st != BL_OK)
        return st;
    memcpy(*ret, values, n * sizeof **ret);
    *ret_columns = n_rows ? n / n_rows : 0;
    return BL_OK;
}

static int64_t n_classes(const bl_job *job)
{
    if (!strncmp(job->objective, "multi:", 6))
        return job->num_class;
    return strncmp(job->objective, "binary:", 7) && strcmp(job->objective, "reg:logistic")
               ? 0
               : 2;
}

/* Values of all custom metrics on one data set. */
static bl_status custom_values(bl_metrics *m, BoosterHandle booster, size_t set,
                               bl_err *err)
{
    const bl_watch *w = &m->sets[set];
    const bl_roles *roles = &w->matrix->roles;
    float *margins = NULL, *predictions = NULL;
    bl_scored scored = {.n_rows = w->matrix->n_rows,
                        .labels = roles->labels,
                        .n_labels = roles->n_labels,
                        .weights = roles->weights,
                        .roles = roles,
                        .objective = m->job->objective,
                        .n_classes = n_classes(m->job)};
    bl_status st =
        predict(booster, w->handle, 1, scored.n_rows, &scored.n_outputs, &margins, err);
    if (st == BL_OK)
        st = predict(booster, w->handle, 0, scored.n_rows, &scored.n_predictions,
                     &predictions, err);
    scored.margins = margins;
    scored.predictions = predictions;
    for (size_t i = 0; st == BL_OK && i < m->job->n_metrics; i++) {
        if (m->job->metrics[i].maker != BL_METRIC_CUSTOM)
            continue;
        double value;
        char text[FIXED_BYTES];
        st = bli_custom_metric(m->job->metrics[i].name, &scored, &value, err);
        if (st != BL_OK)
            break;
        /* Six decimals on the way (contract.md 2.16): line, history and early stopping
         * all see this one number. */
        fixed_text(value, 6, text, sizeof text);
        if (read_value(text, strlen(text), &m->values[set * m->n_metrics + i]) != BL_OK)
            m->values[set * m->n_metrics + i] = value;
    }
    free(margins);
    free(predictions);
    return st;
}

/* --- A round ------------------------------------------------------------------------ */

static bl_status xgboost_text(const bl_metrics *m, BoosterHandle booster, int64_t round,
                              const char **ret, bl_err *err)
{
    DMatrixHandle handles[BL_MAX_SETS];
    const char *names[BL_MAX_SETS];
    for (size_t i = 0; i < m->n_sets; i++) {
        handles[i] = m->sets[i].handle;
        names[i] = m->sets[i].name;
    }
    if (XGBoosterEvalOneIter(booster, (int)round, handles, names, m->n_sets, ret))
        return bli_xgb_fail(err, "evaluating metrics");
    return BL_OK;
}

static bl_status keep_history(bl_metrics *m, bl_err *err)
{
    size_t width = m->n_sets * m->n_metrics;
    size_t want;
    if (!bli_mul(m->n_rounds + 1, width, &want))
        return bli_fail(err, BL_E_LIMIT, "too many rounds");
    bl_status st = bli_grow((void **)&m->history, &m->cap_rounds, want,
                            sizeof *m->history, "evaluation history", err);
    if (st != BL_OK)
        return st;
    memcpy(m->history + m->n_rounds * width, m->values, width * sizeof *m->values);
    m->n_rounds++;
    return BL_OK;
}

static bool has_custom(const bl_job *job)
{
    for (size_t i = 0; i < job->n_metrics; i++)
        if (job->metrics[i].maker == BL_METRIC_CUSTOM)
            return true;
    return false;
}

bl_status bli_metrics_round(bl_metrics *m, BoosterHandle booster, int64_t round,
                            bl_err *err)
{
    const char *text;
    spots all = {0};
    bl_status st = xgboost_text(m, booster, round, &text, err);
    if (st == BL_OK)
        st = read_text(m, text, &all, err);
    if (st == BL_OK && !m->names) {
        st = learn_names(m, &all, err);
        learn_watched(m);
    }
    for (size_t set = 0; st == BL_OK && set < m->n_sets; set++) {
        size_t k = 0;
        for (size_t i = 0; i < m->n_metrics; i++) {
            if (m->job->n_metrics && m->job->metrics[i].maker == BL_METRIC_CUSTOM)
                continue;
            const spot *s = find_spot(&all, set, k++, m->names[i]);
            m->values[set * m->n_metrics + i] = s ? s->value : (double)NAN;
        }
    }
    free(all.spot);
    for (size_t set = 0; st == BL_OK && has_custom(m->job) && set < m->n_sets; set++)
        st = custom_values(m, booster, set, err);
    return st == BL_OK ? keep_history(m, err) : st;
}

bl_status bli_metrics_line(const bl_metrics *m, int64_t round, bl_buf *line, bl_err *err)
{
    bli_buf_printf(line, "[%lld]", (long long)round);
    for (size_t set = 0; set < m->n_sets; set++)
        for (size_t i = 0; i < m->n_metrics; i++) {
            char text[FIXED_BYTES];
            fixed_text(m->values[set * m->n_metrics + i], 5, text, sizeof text);
            bli_buf_printf(line, "\t%s-%s:%s", m->sets[set].name, m->names[i], text);
        }
    bli_buf_char(line, '\n');
    return bli_buf_check(line, "metric line", err);
}

bl_status bli_metrics_histories(const bl_metrics *m, bl_training *training, bl_err *err)
{
    size_t width = m->n_sets * m->n_metrics;
    bl_status st = bli_alloc(width, sizeof *training->histories, "evaluation history",
                             (void **)&training->histories, err);
    for (size_t i = 0; st == BL_OK && i < width; i++) {
        bl_metric_history *h = &training->histories[i];
        h->data = m->sets[i / m->n_metrics].name;
        h->n_rounds = m->n_rounds;
        char *name;
        st = bli_strdup(m->names[i % m->n_metrics], &name, err);
        if (st != BL_OK)
            break;
        h->metric = name;
        training->n_histories = i + 1;
        st = bli_alloc(m->n_rounds, sizeof *h->values, "evaluation history",
                       (void **)&h->values, err);
        for (size_t r = 0; st == BL_OK && r < m->n_rounds; r++)
            h->values[r] = m->history[r * width + i];
    }
    return st;
}

bl_status bli_metrics_restore(bl_metrics *m, const bl_ckpt *ckpt, bl_err *err)
{
    for (size_t i = 0; i < ckpt->n_sets; i++)
        if (ckpt->n_sets != m->n_sets || strcmp(ckpt->set_names[i], m->sets[i].name))
            return bli_fail(err, BL_E_MODEL,
                            "the checkpoint's history is of other data sets");
    size_t n = ckpt->n_metrics, width = n * m->n_sets;
    bl_status st =
        bli_alloc(n + 1, sizeof *m->names, "metric names", (void **)&m->names, err);
    if (st == BL_OK)
        st = bli_alloc(width + 1, sizeof *m->values, "metric values", (void **)&m->values,
                       err);
    for (size_t i = 0; st == BL_OK && i < n; i++)
        st = add_name(m, ckpt->metric_names[i], strlen(ckpt->metric_names[i]), err);
    for (int64_t r = 0; st == BL_OK && r < ckpt->n_rounds; r++) {
        memcpy(m->values, ckpt->history + (size_t)r * width, width * sizeof *m->values);
        st = keep_history(m, err);
    }
    learn_watched(m);
    return st;
}

void bli_metrics_done(bl_metrics *m)
{
    for (size_t i = 0; i < m->n_metrics; i++)
        free(m->names[i]);
    free(m->names);
    free(m->values);
    free(m->history);
}
