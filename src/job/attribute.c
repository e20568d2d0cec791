/* SPDX-License-Identifier: Apache-2.0 */
/* Which rows are explained, and the file their attributions go to. */
#include "job/job_priv.h"

#include "base/fs.h"
#include "base/machine.h"
#include "base/mem.h"
#include "base/rng.h"
#include "report/report.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    REST_SECONDS = 10
}; /* what may still be written after a stop once training is done */

bl_status bli_output_data_path(const bl_job *job, const char *name, char **ret_path,
                               bl_err *err)
{
    bl_status st = bli_make_folder(job->output_data_dir, 0700, err);
    return st == BL_OK ? bli_path_join(job->output_data_dir, name, ret_path, err) : st;
}

bool bli_stop_is_near(void *cookie, uint64_t done, uint64_t total)
{
    bl_stages *stages = cookie;
    if (!bli_stop_asked(stages))
        return false;
    double now = bli_seconds();
    if (stages->stopped_at == 0)
        stages->stopped_at = now;
    double since = now - stages->attribute_began;
    double left = done > 0 ? since * (double)(total - done) / (double)done : 0;
    return now + left > stages->stopped_at + REST_SECONDS;
}

/* Selection sampling (Knuth, TAOCP 3.4.2, algorithm S): the rows come in ascending order.
 */
bl_status bli_rows_to_explain(const bl_job *job, uint64_t n_rows, uint64_t **ret_row,
                              uint64_t *ret_n, bl_err *err)
{
    uint64_t wanted = job->explain_rows > 0 ? (uint64_t)job->explain_rows : n_rows;
    if (wanted >= n_rows) {
        *ret_row = NULL;
        *ret_n = n_rows;
        return BL_OK;
    }
    void *block;
    bl_status st =
        bli_alloc((size_t)wanted, sizeof(uint64_t), "rows to explain", &block, err);
    if (st != BL_OK)
        return st;
    uint64_t *row = block, n = 0;
    bl_rng rng = bli_rng((uint64_t)job->seed);
    for (uint64_t i = 0; n < wanted; i++)
        if (bli_rng_below(&rng, n_rows - i) < wanted - n)
            row[n++] = i;
    *ret_row = row;
    *ret_n = wanted;
    return BL_OK;
}

bl_status bli_attributions_open(const bl_stages *stages, const bl_final_model *model,
                                const bl_matrix *matrix, const char *path,
                                uint64_t n_rows, bl_h5 **ret_h5, bl_err *err)
{
    const bl_job *job = stages->job;
    const bl_h5_options options = {.compress = job->compress,
                                   .with_data = job->explain_data,
                                   .labels = matrix->roles.labels,
                                   .n_labels = matrix->roles.n_labels,
                                   .ids = matrix->roles.ids,
                                   .n_ids = matrix->roles.n_ids,
                                   .n_threads = stages->n_threads};
    return bli_h5_open(path, model->forest, stages->schema, model->explainer, n_rows,
                       &options, ret_h5, err);
}

void bli_say_additivity(const bl_stages *stages, const char *data_name,
                        const bl_attribution *attribution)
{
    double scale = attribution->max_abs_margin > 0 ? attribution->max_abs_margin : 1;
    bli_log(
        stages->log, BL_INFO, "explain",
        "%s: %llu rows; worst additivity error %.3g (%.3g of the largest margin), at row "
        "%llu; largest distance to XGBoost's float32 margin %.3g",
        data_name, (unsigned long long)attribution->n_rows, attribution->worst_additivity,
        attribution->worst_additivity / scale, (unsigned long long)attribution->worst_row,
        attribution->worst_margin_distance);
}

/* Where batches go. */
typedef struct sinks {
    bl_h5 *h5;
    bl_aggregates *aggregates;
    int n_threads;
} sinks;

static bl_status take_batch(void *cookie, const bl_batch *batch, bl_err *err)
{
    const sinks *to = cookie;
    bl_status st = bli_aggregates_add(to->aggregates, batch->phi, batch->margins, NULL,
                                      batch->n_rows, to->n_threads, err);
    return st == BL_OK ? bli_h5_sink(to->h5, batch, err) : st;
}

bl_status bli_write_aggregates(const bl_stages *stages, const char *suffix,
                               const bl_aggregates *aggregates,
                               const bl_attribution *attribution, bl_err *err)
{
    char name[64];
    char *path = NULL;
    snprintf(name, sizeof name, "aggregates%s.json", suffix);
    const bl_aggregates_report report = {
        .schema = stages->schema, .aggregates = aggregates, .attribution = attribution};
    bl_status st = bli_output_data_path(stages->job, name, &path, err);
    if (st == BL_OK)
        st = bli_aggregates_write(path, &report, err);
    free(path);
    return st;
}

/* Rows [n_rows], all where NULL, into the file of that name and into aggregates. */
static bl_status explain_rows(bl_stages *stages, const bl_matrix *matrix,
                              const char *file_name, const uint64_t *row, uint64_t n_rows,
                              bl_aggregates *aggregates, bl_attribution **ret_attribution,
                              bl_err *err)
{
    const bl_final_model *model = &stages->model;
    char *path = NULL;
    sinks to = {.aggregates = aggregates, .n_threads = stages->n_threads};
    bl_status st = bli_output_data_path(stages->job, file_name, &path, err);
    if (st == BL_OK)
        st = bli_attributions_open(stages, model, matrix, path, n_rows, &to.h5, err);
    free(path);
    if (st != BL_OK)
        return st;
    const bl_explain_options options = {.n_threads = stages->n_threads,
                                        .row = row,
                                        .n_selected = row ? n_rows : 0,
                                        .log = stages->log,
                                        .stage = "explain",
                                        .cancelled = bli_stop_is_near,
                                        .cookie = stages};
    stages->attribute_began = bli_seconds();
    st = bli_explain(model->explainer, matrix, &options, take_batch, &to, ret_attribution,
                     err);
    if (st == BL_OK)
        return bli_h5_close(to.h5, err);
    bli_h5_abort(to.h5);
    return st;
}

bl_status bli_attribute(bl_stages *stages, const bl_matrix *matrix, const char *data_name,
                        const char *suffix, bl_attribution **ret_attribution, bl_err *err)
{
    const bl_explainer *explainer = stages->model.explainer;
    char file_name[64];
    uint64_t *row = NULL, n_rows = 0;
    bl_aggregates *aggregates = NULL;
    bl_attribution *attribution = NULL;
    snprintf(file_name, sizeof file_name, "attributions%s.h5", suffix);
    bl_status st = bli_rows_to_explain(stages->job, matrix->n_rows, &row, &n_rows, err);
    if (st == BL_OK)
        st = bli_aggregates_new(matrix->n_features, stages->model.forest->n_outputs,
                                bli_explainer_block_rows(explainer), &aggregates, err);
    if (st == BL_OK)
        st = explain_rows(stages, matrix, file_name, row, n_rows, aggregates,
                          &attribution, err);
    if (st == BL_OK)
        st = bli_write_aggregates(stages, suffix, aggregates, attribution, err);
    free(row);
    bli_aggregates_free(aggregates);
    if (st != BL_OK) {
        bli_attribution_free(attribution);
        return st;
    }
    bli_say_additivity(stages, data_name, attribution);
    if (stages->job->explain_data)
        bli_log(stages->log, BL_NOTE, "explain",
                "%s holds the feature values of these rows (bl_explain_data=no leaves "
                "them out)",
                file_name);
    *ret_attribution = attribution;
    return BL_OK;
}
