/* SPDX-License-Identifier: Apache-2.0 */
/* What a k-fold job leaves: everything out of fold. */
#include "job/job_priv.h"

#include "base/machine.h"
#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- predictions.csv ---------------------------------------------------------------- */

/* label, value, class for a classification; label and prediction of each output else. */
static size_t prediction_columns(const bl_crossval *cv)
{
    return cv->n_classes ? 3 : 1 + cv->n_predictions;
}

static void fill_prediction(const bl_crossval *cv, uint64_t row, double *line)
{
    const bl_roles *roles = &cv->matrix->roles;
    line[0] = roles->labels ? (double)roles->labels[row * roles->n_labels]
                            : (double)roles->lower_bounds[row];
    if (!cv->n_classes) {
        for (size_t k = 0; k < cv->n_predictions; k++)
            line[1 + k] = (double)cv->predictions[row * cv->n_predictions + k];
        return;
    }
    const uint32_t *votes = cv->votes + row * cv->n_classes;
    size_t best = 0;
    for (size_t k = 1; k < cv->n_classes; k++)
        if (votes[k] > votes[best])
            best = k;
    line[1] = cv->confidence[row];
    line[2] = (double)best;
}

static bl_status write_predictions(const bl_stages *stages, const bl_crossval *cv,
                                   bl_err *err)
{
    size_t n_columns = prediction_columns(cv);
    uint64_t n_rows = cv->matrix->n_rows;
    const bl_roles *roles = &cv->matrix->roles;
    void *block;
    char *path = NULL;
    bl_status st =
        bli_alloc((size_t)n_rows * n_columns, sizeof(double), "predictions", &block, err);
    if (st != BL_OK)
        return st;
    double *values = block;
    for (uint64_t i = 0; i < n_rows; i++)
        fill_prediction(cv, i, values + i * n_columns);
    st = bli_output_data_path(stages->job, "predictions.csv", &path, err);
    if (st == BL_OK)
        st = bli_predictions_write(path, n_rows, n_columns, values, roles->ids,
                                   roles->n_ids, err);
    free(values);
    free(path);
    return st;
}

/* --- attributions.h5 ---------------------------------------------------------------- */

enum { BATCH_CELLS = 1 << 20 }; /* phi values held at once: 4 MiB */

/* A batch of rows being put together from the models they were held out of. */
typedef struct gather {
    const bl_crossval *cv;
    uint64_t first, n_rows;
    uint64_t *row;    /* [n_rows] of the channel */
    uint64_t *picked; /* rows of one fold */
    float *phi, *x, *margins;
    size_t width; /* phi values a row */
} gather;

static void gather_done(gather *g)
{
    free(g->row);
    free(g->picked);
    free(g->phi);
    free(g->x);
    free(g->margins);
}

static bl_status gather_new(const bl_crossval *cv, uint64_t most, gather *g, bl_err *err)
{
    void *row = NULL, *picked = NULL, *phi = NULL, *x = NULL, *margins = NULL;
    size_t n = (size_t)most;
    g->cv = cv;
    g->width = cv->n_outputs * (cv->matrix->n_features + 1);
    bl_status st = bli_alloc(n, sizeof(uint64_t), "a batch", &row, err);
    if (st == BL_OK)
        st = bli_alloc(n, sizeof(uint64_t), "a batch", &picked, err);
    if (st == BL_OK)
        st = bli_alloc(n * g->width, sizeof(float), "a batch", &phi, err);
    if (st == BL_OK)
        st = bli_alloc(n * cv->matrix->n_features, sizeof(float), "a batch", &x, err);
    if (st == BL_OK)
        st = bli_alloc(n * cv->n_outputs, sizeof(float), "a batch", &margins, err);
    g->row = row;
    g->picked = picked;
    g->phi = phi;
    g->x = x;
    g->margins = margins;
    return st;
}

/* Adds one model's values of some of the rows, each with its share of the mean. */
static bl_status add_batch(void *cookie, const bl_batch *batch, bl_err *err)
{
    (void)err;
    gather *g = cookie;
    const bl_crossval *cv = g->cv;
    float share = 1.0F / (float)cv->n_repeats;
    size_t n_features = cv->matrix->n_features;
    for (uint64_t i = 0, at = 0; i < batch->n_rows; i++) {
        while (g->row[at] != batch->row[i])
            at++;
        for (size_t k = 0; k < g->width; k++)
            g->phi[at * g->width + k] += share * batch->phi[i * g->width + k];
        for (size_t k = 0; k < cv->n_outputs; k++)
            g->margins[at * cv->n_outputs + k] +=
                share * batch->margins[i * cv->n_outputs + k];
        memcpy(g->x + at * n_features, batch->x + i * n_features,
               n_features * sizeof(float));
    }
    return BL_OK;
}

static bl_status gather_from_model(const bl_stages *stages, gather *g, size_t model,
                                   bl_attribution *total, bl_err *err)
{
    const bl_crossval *cv = g->cv;
    const uint32_t *fold = cv->fold + model / cv->n_folds * cv->matrix->n_rows;
    uint64_t n = 0;
    for (uint64_t i = 0; i < g->n_rows; i++)
        if (fold[g->row[i]] == model % cv->n_folds)
            g->picked[n++] = g->row[i];
    if (n == 0)
        return BL_OK;
    const bl_explain_options options = {
        .n_threads = stages->n_threads, .row = g->picked, .n_selected = n};
    bl_attribution *part = NULL;
    bl_status st = bli_explain(cv->models[model].explainer, cv->matrix, &options,
                               add_batch, g, &part, err);
    if (st != BL_OK)
        return st;
    if (part->worst_additivity > total->worst_additivity) {
        total->worst_additivity = part->worst_additivity;
        total->worst_row = part->worst_row;
    }
    total->max_abs_margin = fmax(total->max_abs_margin, part->max_abs_margin);
    total->worst_margin_distance =
        fmax(total->worst_margin_distance, part->worst_margin_distance);
    bli_attribution_free(part);
    return BL_OK;
}

static void add_to_total(const gather *g, bl_attribution *total)
{
    size_t n_features = total->n_features;
    for (uint64_t i = 0; i < g->n_rows; i++)
        for (size_t k = 0; k < total->n_outputs; k++) {
            const float *phi = g->phi + i * g->width + k * (n_features + 1);
            for (size_t f = 0; f < n_features; f++) {
                total->mean_abs[k * n_features + f] += fabs((double)phi[f]);
                total->mean[k * n_features + f] += (double)phi[f];
            }
            total->base_values[k] += (double)phi[n_features];
            total->mean_margins[k] += (double)g->margins[i * total->n_outputs + k];
        }
    total->n_rows += g->n_rows;
}

static bl_status new_total(const bl_crossval *cv, bl_attribution **ret_total, bl_err *err)
{
    size_t n_outputs = cv->n_outputs, n_cells = n_outputs * cv->matrix->n_features;
    void *block, *mean_abs = NULL, *mean = NULL, *base = NULL, *margins = NULL;
    bl_status st = bli_alloc(1, sizeof(bl_attribution), "attributions", &block, err);
    if (st != BL_OK)
        return st;
    bl_attribution *total = block;
    total->n_features = cv->matrix->n_features;
    total->n_outputs = n_outputs;
    st = bli_alloc(n_cells, sizeof(double), "attributions", &mean_abs, err);
    if (st == BL_OK)
        st = bli_alloc(n_cells, sizeof(double), "attributions", &mean, err);
    if (st == BL_OK)
        st = bli_alloc(n_outputs, sizeof(double), "attributions", &base, err);
    if (st == BL_OK)
        st = bli_alloc(n_outputs, sizeof(double), "attributions", &margins, err);
    total->mean_abs = mean_abs;
    total->mean = mean;
    total->base_values = base;
    total->mean_margins = margins;
    if (st == BL_OK)
        *ret_total = total;
    else
        bli_attribution_free(total);
    return st;
}

static void divide(double *values, size_t n, uint64_t by)
{
    for (size_t i = 0; i < n && by > 0; i++)
        values[i] /= (double)by;
}

static bl_status stream_batches(bl_stages *stages, gather *g, const uint64_t *row,
                                uint64_t n, uint64_t step, bl_h5 *h5,
                                bl_aggregates *aggregates, bl_attribution *total,
                                bl_err *err)
{
    const bl_crossval *cv = g->cv;
    bl_status st = BL_OK;
    for (g->first = 0; st == BL_OK && g->first < n; g->first += g->n_rows) {
        if (bli_stop_is_near(stages, g->first, n))
            return bli_fail(err, BL_E_CANCELLED, "stopped while explaining");
        bli_progress(stages->log, "explain", "rows", g->first, n);
        g->n_rows = n - g->first < step ? n - g->first : step;
        for (uint64_t i = 0; i < g->n_rows; i++)
            g->row[i] = row ? row[g->first + i] : g->first + i;
        memset(g->phi, 0, (size_t)g->n_rows * g->width * sizeof(float));
        memset(g->margins, 0, (size_t)g->n_rows * cv->n_outputs * sizeof(float));
        for (size_t model = 0; st == BL_OK && model < cv->n_models; model++)
            st = gather_from_model(stages, g, model, total, err);
        const bl_batch batch = {.first = g->first,
                                .n_rows = g->n_rows,
                                .row = g->row,
                                .x = g->x,
                                .phi = g->phi,
                                .margins = g->margins};
        if (st == BL_OK)
            st = bli_h5_sink(h5, &batch, err);
        if (st == BL_OK)
            st = bli_aggregates_add(aggregates, g->phi, NULL, NULL, g->n_rows,
                                    stages->n_threads, err);
        if (st == BL_OK)
            add_to_total(g, total);
    }
    return st;
}

static bl_status write_attributions(bl_stages *stages, const bl_crossval *cv,
                                    bl_attribution **ret_total, bl_err *err)
{
    uint64_t *row = NULL, n = 0;
    char *path = NULL;
    bl_h5 *h5 = NULL;
    gather g = {0};
    bl_attribution *total = NULL;
    bl_aggregates *aggregates = NULL;
    bl_status st = bli_rows_to_explain(stages->job, cv->matrix->n_rows, &row, &n, err);
    uint64_t step = BATCH_CELLS / (cv->n_outputs * (cv->matrix->n_features + 1)) + 1;
    if (step > n)
        step = n;
    if (st == BL_OK)
        st = new_total(cv, &total, err);
    if (st == BL_OK)
        st = gather_new(cv, step, &g, err);
    if (st == BL_OK)
        st = bli_aggregates_new(cv->matrix->n_features, cv->n_outputs, 0, &aggregates,
                                err);
    if (st == BL_OK)
        st = bli_output_data_path(stages->job, "attributions.h5", &path, err);
    if (st == BL_OK)
        st = bli_attributions_open(stages, &cv->models[0], cv->matrix, path, n, &h5, err);
    if (st == BL_OK) {
        stages->attribute_began = bli_seconds();
        st = stream_batches(stages, &g, row, n, step, h5, aggregates, total, err);
        if (st == BL_OK)
            st = bli_h5_close(h5, err);
        else
            bli_h5_abort(h5);
    }
    gather_done(&g);
    free(row);
    free(path);
    if (st == BL_OK) {
        size_t n_cells = total->n_outputs * total->n_features;
        divide(total->mean_abs, n_cells, n);
        divide(total->mean, n_cells, n);
        divide(total->base_values, total->n_outputs, n);
        divide(total->mean_margins, total->n_outputs, n);
        st = bli_write_aggregates(stages, "", aggregates, total, err);
    }
    bli_aggregates_free(aggregates);
    if (st != BL_OK) {
        bli_attribution_free(total);
        return st;
    }
    bli_say_additivity(stages, "out of fold", total);
    *ret_total = total;
    return BL_OK;
}

/* --- importance.csv and metrics.json ------------------------------------------------ */

static bl_status write_importance(const bl_stages *stages, const bl_crossval *cv,
                                  const bl_attribution *total, bl_err *err)
{
    bl_split_scores sum = {0};
    char *path = NULL;
    bl_status st = BL_OK;
    for (size_t i = 0; st == BL_OK && i < cv->n_models; i++) {
        bl_split_scores scores = {0};
        const bl_final_model *model = &cv->models[i];
        st = bli_forest_split_scores(model->forest, 0, model->n_rounds,
                                     i ? &scores : &sum, err);
        for (size_t f = 0; st == BL_OK && i && f < cv->matrix->n_features; f++) {
            sum.weight[f] += scores.weight[f];
            sum.total_gain[f] += scores.total_gain[f];
            sum.total_cover[f] += scores.total_cover[f];
        }
        bli_split_scores_done(&scores);
    }
    if (st == BL_OK)
        st = bli_output_data_path(stages->job, "importance.csv", &path, err);
    if (st == BL_OK)
        st = bli_importance_write(path, stages->schema, total,
                                  cv->models[0].forest->linear ? NULL : &sum, err);
    bli_split_scores_done(&sum);
    free(path);
    return st;
}

/* "validation-3": data set and model. */
static bl_status all_histories(const bl_crossval *cv, bl_history **ret_histories,
                               char (**ret_names)[48], size_t *ret_n, bl_err *err)
{
    size_t each = cv->trainings[0]->n_histories, n = each * cv->n_models;
    void *histories_block, *names_block;
    bl_status st =
        bli_alloc(n, sizeof(bl_history), "metric histories", &histories_block, err);
    if (st != BL_OK)
        return st;
    st = bli_alloc(n, sizeof(char[48]), "metric histories", &names_block, err);
    if (st != BL_OK) {
        free(histories_block);
        return st;
    }
    bl_history *histories = histories_block;
    char(*names)[48] = names_block;
    for (size_t i = 0; i < n; i++) {
        const bl_metric_history *from = &cv->trainings[i / each]->histories[i % each];
        snprintf(names[i], sizeof names[i], "%s-%zu", from->data, i / each);
        histories[i] = (bl_history){.data = names[i],
                                    .metric = from->metric,
                                    .n_rounds = from->n_rounds,
                                    .values = from->values};
    }
    *ret_histories = histories;
    *ret_names = names;
    *ret_n = n;
    return BL_OK;
}

static bl_status write_metrics(const bl_stages *stages, const bl_crossval *cv,
                               const bl_attribution *total, bl_err *err)
{
    const bl_matrix *matrix = cv->matrix;
    bl_scored scored = {.n_rows = matrix->n_rows,
                        .n_outputs = cv->n_outputs,
                        .n_predictions = cv->n_predictions,
                        .margins = cv->margins,
                        .predictions = cv->predictions,
                        .labels = matrix->roles.labels,
                        .n_labels = matrix->roles.n_labels,
                        .weights = matrix->roles.weights,
                        .roles = &matrix->roles,
                        .objective = stages->job->objective,
                        .n_classes = (int64_t)cv->n_classes};
    bli_scored_settings(stages, &scored);
    const bl_channel_report channel = {
        .channel = "out_of_fold", .scored = &scored, .attribution = total};
    bl_metrics_report report = {.objective = stages->job->objective,
                                .n_channels = 1,
                                .channels = &channel,
                                .best_iteration = -1,
                                .best_score = (double)NAN,
                                .n_outputs = cv->n_outputs,
                                .base_values = total ? total->base_values : NULL};
    for (size_t i = 0; i < cv->n_models; i++) {
        const bl_final_model *model = &cv->models[i];
        report.n_rounds += cv->trainings[i]->n_rounds;
        report.n_rounds_used += model->n_rounds;
        if (model->forest->round_first)
            report.n_trees_used += model->forest->round_first[model->n_rounds];
    }
    bl_history *histories = NULL;
    char(*names)[48] = NULL;
    char *path = NULL;
    bl_status st = all_histories(cv, &histories, &names, &report.n_histories, err);
    report.histories = histories;
    if (st == BL_OK)
        st = bli_output_data_path(stages->job, "metrics.json", &path, err);
    if (st == BL_OK)
        st = bli_metrics_write(path, &report, err);
    free(histories);
    free(names);
    free(path);
    return st;
}

bl_status bli_crossval_write(bl_stages *stages, const bl_crossval *cv, bl_err *err)
{
    bl_attribution *total = NULL;
    bl_status st = bli_stage_card(stages, cv->models, cv->n_models, err);
    if (st == BL_OK)
        st = write_predictions(stages, cv, err);
    if (st == BL_OK && stages->job->explain != BL_EXPLAIN_NONE)
        st = write_attributions(stages, cv, &total, err);
    if (st == BL_OK)
        st = write_importance(stages, cv, total, err);
    if (st == BL_OK)
        st = write_metrics(stages, cv, total, err);
    if (st == BL_OK && total)
        bli_say_importances(stages, total);
    bli_attribution_free(total);
    return st;
}
