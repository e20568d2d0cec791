/* SPDX-License-Identifier: Apache-2.0 */
/* One part of the rows of the explain verb, from the table to files and aggregates. */
#include "job/explain_priv.h"

#include "base/fs.h"
#include "base/mem.h"
#include "preprocess/preprocess.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

static bool stop_asked(void *cookie, uint64_t done, uint64_t total)
{
    const bl_explaining *x = cookie;
    if (!bli_stop_asked(x->stages))
        return false;
    return !x->only_part || bli_stop_is_near(x->stages, done, total);
}

/* --- The file ----------------------------------------------------------------------- */

static const char *space_name(bl_space space)
{
    return space == BL_SPACE_PROBABILITY ? "probability"
           : space == BL_SPACE_LOG_LOSS  ? "logloss"
                                         : "margin";
}

static bl_status check_room(const bl_explaining *x, const bl_part *part,
                            const bl_h5_options *options, bl_err *err)
{
    const bl_forest *forest = x->stages->model.forest;
    uint64_t rows = x->matrix->n_rows;
    if (!part->is_last && part->read > 0)
        rows = (uint64_t)((double)rows / part->read);
    uint64_t need =
        bli_h5_estimate_of(rows, forest->n_features, forest->n_outputs, options);
    uint64_t room = bli_free_bytes(x->stages->job->output_data_dir);
    if (need <= room)
        return BL_OK;
    return bli_fail(
        err, BL_E_LIMIT,
        "attributions.h5 may need %" PRIu64 " MB for %s%" PRIu64 " rows, and %" PRIu64
        " MB are free where '%s' is: %s, or explain fewer rows, or give the volume more "
        "room",
        need >> 20, part->is_last ? "" : "some ", rows, room >> 20,
        x->stages->job->output_data_dir,
        x->apply->interactions && !x->apply->top
            ? "--top K writes the strongest K pairs of each row, --aggregate-only none"
            : "--top K writes the strongest K values of each row, --aggregate-only none");
}

static bl_status open_file(bl_explaining *x, const bl_part *part, bl_err *err)
{
    const bl_roles *roles = &x->matrix->roles;
    const bl_stages *stages = x->stages;
    const bl_h5_options options = {
        .compress = x->apply->compress,
        .with_data = true,
        .labels = roles->labels,
        .n_labels = roles->n_labels,
        .ids = roles->ids,
        .n_ids = roles->n_ids - (x->facet_is_ours && roles->n_ids),
        .n_threads = stages->n_threads,
        .n_top = x->apply->top,
        .interactions = !x->apply->interactions ? BL_H5_NO_PAIRS
                        : x->apply->top         ? BL_H5_PAIRS
                                                : BL_H5_MATRIX,
        .space = space_name(x->apply->space),
        .background_rows = x->background_rows,
        .n_sources = bli_schema_is_plain(stages->schema) ? 0 : stages->schema->n_sources,
        .in_parts = true,
    };
    bl_status st = bli_output_data_path(stages->job, "attributions.h5", &x->h5_path, err);
    if (st == BL_OK)
        st = check_room(x, part, &options, err);
    if (st == BL_OK)
        st = bli_h5_open(x->h5_path, stages->model.forest, stages->schema,
                         stages->model.explainer,
                         part->is_last ? x->matrix->n_rows : BL_H5_ROWS_UNKNOWN, &options,
                         &x->h5, err);
    return st;
}

/* --- Rows --------------------------------------------------------------------------- */

static void add_bases(bl_explaining *x, const bl_batch *batch)
{
    size_t K = x->stages->model.forest->n_outputs, line = x->matrix->n_features + 1;
    for (uint64_t i = 0; i < batch->n_rows * K; i++)
        x->base_sums[i % K] += (double)batch->phi[i * line + line - 1];
}

static bl_status take_batch(void *cookie, const bl_batch *batch, bl_err *err)
{
    bl_explaining *x = cookie;
    const bl_forest *forest = x->stages->model.forest;
    bl_status st = bli_aggregates_add(x->aggregates, batch->phi, batch->margins,
                                      x->group ? x->group + batch->first : NULL,
                                      batch->n_rows, x->stages->n_threads, err);
    if (st != BL_OK && x->group)
        bli_err_prefix(err, "--facet %.100s", x->apply->facet);
    if (x->base_sums)
        add_bases(x, batch);
    if (st == BL_OK && x->h5) {
        bl_batch of_all = *batch;
        of_all.first += x->first_row;
        st = bli_h5_sink(x->h5, &of_all, err);
    }
    if (st == BL_OK && x->interactions)
        st = bli_explain_pairs(x, batch, err);
    if (st == BL_OK && (x->kept.roles.labels || x->kept.roles.lower_bounds))
        st = bli_kept_margins(&x->kept, batch->margins,
                              (size_t)batch->n_rows * forest->n_outputs, err);
    return st;
}

static void merge(bl_additivity *total, const bl_additivity *part)
{
    total->largest = fmax(total->largest, part->largest);
    total->worst_margin_distance =
        fmax(total->worst_margin_distance, part->worst_margin_distance);
    if (part->worst > total->worst) {
        total->worst = part->worst;
        total->worst_row = part->worst_row;
    }
}

static bl_status explain_rows(bl_explaining *x, bl_err *err)
{
    const bl_stages *stages = x->stages;
    /* Of some parts the bytes read say how far it is, of one its rows. */
    const bl_explain_options options = {.n_threads = stages->n_threads,
                                        .first_row = x->first_row,
                                        .log = x->only_part ? stages->log : NULL,
                                        .stage = "explain",
                                        .cancelled = stop_asked,
                                        .cookie = x};
    bl_additivity found = {0};
    if (x->background) {
        bl_status st = bli_explain_against(x->background, x->apply->space, x->matrix,
                                           &options, take_batch, x, &found, err);
        if (st == BL_OK)
            merge(&x->values, &found);
        return st;
    }
    bl_attribution *part = NULL;
    bl_status st = bli_explain(stages->model.explainer, x->matrix, &options, take_batch,
                               x, &part, err);
    if (st != BL_OK)
        return st;
    found = (bl_additivity){part->max_abs_margin, part->worst_additivity, part->worst_row,
                            part->worst_margin_distance};
    merge(&x->values, &found);
    bli_attribution_free(part);
    return BL_OK;
}

bl_status bli_explain_part(void *cookie, const bl_part *part, bl_err *err)
{
    bl_explaining *x = cookie;
    bl_matrix *matrix = NULL;
    bl_status st = bli_apply(x->saved->schema, part->table, &matrix, err);
    if (st != BL_OK)
        return st;
    x->matrix = matrix;
    x->first_row = part->first_row;
    x->only_part = part->is_last && part->first_row == 0;
    x->group = NULL;
    st = bli_facet_groups(x, err);
    if (st == BL_OK && !x->h5 && !x->apply->aggregate_only)
        st = open_file(x, part, err);
    if (st == BL_OK)
        st = bli_kept_roles(&x->kept, &matrix->roles, matrix->n_rows, err);
    if (st == BL_OK && x->h5)
        bli_h5_part(x->h5, &matrix->roles, part->first_row);
    if (st == BL_OK && matrix->n_rows)
        st = explain_rows(x, err);
    x->n_rows += matrix->n_rows;
    free(x->group);
    x->group = NULL;
    x->matrix = NULL;
    bli_matrix_free(matrix);
    return st;
}
