/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver: selected rows in batches that bound memory and the time between two
 * progress calls, batches in blocks over threads, sums of blocks added in order of rows.
 */
#include "explain/explain_priv.h"

#include "base/mem.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* Buffers of a batch, and the work (steps times points) between two calls of progress:
 * about half a second of one core. */
#define BATCH_BYTES (UINT64_C(16) << 20)
#define BATCH_WORK  2e8

typedef struct driver {
    const bl_explainer *e;
    const bl_matrix *matrix;
    const bl_explain_options *options;
    uint64_t n_rows; /* selected */
    uint64_t block_rows, blocks_per_batch;
    int n_threads;
    bl_scratch *scratch; /* [n_threads] */
    bool wants_phi;
    uint64_t *row;
    float *x, *base, *margins, *phi; /* of a batch */
    bl_sums *sums;                   /* [blocks_per_batch] */
    double *sums_memory;
    bl_sums total;
    double *total_memory;
} driver;

static size_t sums_doubles(const bl_explainer *e)
{
    return e->n_outputs * (2 * e->n_used + 1);
}

static void sums_at(const bl_explainer *e, double *memory, bl_sums *ret_sums)
{
    size_t n = e->n_outputs * e->n_used;
    memset(memory, 0, sums_doubles(e) * sizeof *memory);
    *ret_sums =
        (bl_sums){.abs_phi = memory, .phi = memory + n, .margins = memory + 2 * n};
}

static void plan_batches(driver *d)
{
    const bl_explainer *e = d->e;
    uint64_t dense = d->wants_phi ? e->n_outputs * ((uint64_t)e->n_features + 1) : 0;
    uint64_t row_bytes = 4 * (dense + e->n_features + 2 * (uint64_t)e->n_outputs) + 8;
    d->block_rows = bli_block_rows_of(e);
    uint64_t block_bytes = d->block_rows * row_bytes + 8 * (uint64_t)sums_doubles(e);
    uint64_t blocks = BATCH_BYTES / block_bytes;
    double by_work = BATCH_WORK / (bli_row_work(e) * (double)d->block_rows + 1);
    if (by_work < (double)blocks)
        blocks = (uint64_t)by_work;
    /* Enough of them for every thread, memory allowing: a batch that leaves threads idle
     * only makes the calls of progress more frequent. */
    uint64_t least = 4 * (uint64_t)d->n_threads;
    if (blocks < least && least * block_bytes <= 4 * BATCH_BYTES)
        blocks = least;
    uint64_t all = (d->n_rows + d->block_rows - 1) / d->block_rows;
    if (blocks > all)
        blocks = all;
    d->blocks_per_batch = blocks ? blocks : 1;
}

static bl_status allocate(driver *d, bl_err *err)
{
    const bl_explainer *e = d->e;
    size_t rows = (size_t)(d->block_rows * d->blocks_per_batch);
    if (rows > d->n_rows)
        rows = (size_t)d->n_rows;
    size_t n_base = d->matrix->roles.n_base_margins ? e->n_outputs : 0;
    struct {
        void *into;
        size_t n, size;
    } wanted[] = {
        {&d->scratch, (size_t)d->n_threads, sizeof *d->scratch},
        {&d->row, rows, sizeof *d->row},
        {&d->x, rows, e->n_features * sizeof *d->x},
        {&d->base, rows, n_base * sizeof *d->base},
        {&d->margins, rows, e->n_outputs * sizeof *d->margins},
        {&d->phi, rows,
         d->wants_phi ? e->n_outputs * (e->n_features + 1) * sizeof *d->phi : 0},
        {&d->sums, (size_t)d->blocks_per_batch, sizeof *d->sums},
        {&d->sums_memory, (size_t)d->blocks_per_batch, sums_doubles(e) * sizeof(double)},
        {&d->total_memory, sums_doubles(e), sizeof(double)},
    };
    for (size_t i = 0; i < BL_LEN(wanted); i++) {
        void *memory;
        bl_status st =
            bli_alloc(wanted[i].n, wanted[i].size, "a batch of rows", &memory, err);
        if (st != BL_OK)
            return st;
        memcpy(wanted[i].into, &memory, sizeof memory);
    }
    for (int i = 0; i < d->n_threads; i++) {
        bl_status st = bli_scratch_init(e, d->block_rows, d->scratch + i, err);
        if (st != BL_OK)
            return st;
    }
    sums_at(e, d->total_memory, &d->total);
    return BL_OK;
}

static void driver_done(driver *d)
{
    for (int i = 0; d->scratch && i < d->n_threads; i++)
        bli_scratch_done(d->scratch + i);
    free(d->scratch);
    free(d->row);
    free(d->x);
    free(d->base);
    free(d->margins);
    free(d->phi);
    free(d->sums);
    free(d->sums_memory);
    free(d->total_memory);
}

static void run_block(const driver *d, uint64_t first, uint64_t n_batch, uint64_t block,
                      bl_scratch *scratch)
{
    const bl_explainer *e = d->e;
    uint64_t at = block * d->block_rows;
    uint64_t n = at + d->block_rows < n_batch ? d->block_rows : n_batch - at;
    const float *base =
        d->matrix->roles.n_base_margins ? d->base + at * e->n_outputs : NULL;
    for (uint64_t i = at; i < at + n; i++) {
        uint64_t row = d->options->row ? d->options->row[first + i] : first + i;
        const bl_block *from = bli_matrix_block(d->matrix, row);
        d->row[i] = d->options->first_row + row;
        memcpy(d->x + i * e->n_features,
               from->x + (row - from->first_row) * e->n_features,
               e->n_features * sizeof *d->x);
        if (base)
            memcpy(d->base + i * e->n_outputs,
                   d->matrix->roles.base_margins + row * e->n_outputs,
                   e->n_outputs * sizeof *d->base);
    }
    const float *x = d->x + at * e->n_features;
    float *margins = d->margins + at * e->n_outputs;
    sums_at(e, d->sums_memory + block * sums_doubles(e), d->sums + block);
    bl_rows_job job = {
        .x = x,
        .n_rows = n,
        .base = base,
        .margins = margins,
        .row = d->row + at,
        .phi = d->wants_phi ? d->phi + at * e->n_outputs * (e->n_features + 1) : NULL,
        .sums = d->sums + block,
    };
    bli_explain_block(e, &job, scratch);
}

static void add_sums(const bl_explainer *e, const bl_sums *part, bl_sums *total)
{
    for (size_t i = 0; i < e->n_outputs * e->n_used; i++) {
        total->abs_phi[i] += part->abs_phi[i];
        total->phi[i] += part->phi[i];
    }
    for (size_t o = 0; o < e->n_outputs; o++)
        total->margins[o] += part->margins[o];
    if (part->max_abs_margin > total->max_abs_margin)
        total->max_abs_margin = part->max_abs_margin;
    if (part->worst_additivity > total->worst_additivity) {
        total->worst_additivity = part->worst_additivity;
        total->worst_row = part->worst_row;
    }
    if (part->worst_margin_distance > total->worst_margin_distance)
        total->worst_margin_distance = part->worst_margin_distance;
}

static bl_status run_batches(driver *d, bl_batch_sink sink, void *cookie, bl_err *err)
{
    const bl_explain_options *options = d->options;
    uint64_t batch_rows = d->block_rows * d->blocks_per_batch;
    for (uint64_t first = 0; first < d->n_rows; first += batch_rows) {
        if (options->cancelled && options->cancelled(options->cookie, first, d->n_rows))
            return bli_fail(err, BL_E_CANCELLED,
                            "explanation stopped on request after %llu of %llu rows",
                            (unsigned long long)first, (unsigned long long)d->n_rows);
        uint64_t n = first + batch_rows < d->n_rows ? batch_rows : d->n_rows - first;
        uint64_t n_blocks = (n + d->block_rows - 1) / d->block_rows;
#pragma omp parallel for schedule(dynamic, 1) num_threads(d->n_threads)
        for (uint64_t b = 0; b < n_blocks; b++)
            run_block(d, first, n, b, d->scratch + omp_get_thread_num());
        for (uint64_t b = 0; b < n_blocks; b++)
            add_sums(d->e, d->sums + b, &d->total);
        if (sink) {
            bl_batch batch = {first, n, d->row, d->x, d->phi, d->margins};
            bl_status st = sink(cookie, &batch, err);
            if (st != BL_OK)
                return st;
        }
        bli_progress(options->log, options->stage, "rows", first + n, d->n_rows);
    }
    return BL_OK;
}

static bl_status make_attribution(const driver *d, bl_attribution **ret_attribution,
                                  bl_err *err)
{
    const bl_explainer *e = d->e;
    bl_attribution *a = calloc(1, sizeof *a);
    if (!a)
        return bli_fail(err, BL_E_NOMEM, "no memory for attributions");
    size_t cells = e->n_outputs * e->n_features;
    void *memory;
    bl_status st = bli_alloc(2 * cells + 2 * e->n_outputs, sizeof(double), "attributions",
                             &memory, err);
    if (st != BL_OK) {
        free(a);
        return st;
    }
    a->n_rows = d->n_rows;
    a->n_features = e->n_features;
    a->n_outputs = e->n_outputs;
    a->mean_abs = memory;
    a->mean = a->mean_abs + cells;
    a->base_values = a->mean + cells;
    a->mean_margins = a->base_values + e->n_outputs;
    double n = d->n_rows ? (double)d->n_rows : 1;
    for (size_t o = 0; o < e->n_outputs; o++) {
        for (size_t u = 0; u < e->n_used; u++) {
            a->mean_abs[o * e->n_features + e->used[u]] =
                d->total.abs_phi[o * e->n_used + u] / n;
            a->mean[o * e->n_features + e->used[u]] = d->total.phi[o * e->n_used + u] / n;
        }
        a->base_values[o] = e->base_values[o];
        a->mean_margins[o] = d->total.margins[o] / n;
    }
    a->max_abs_margin = d->total.max_abs_margin;
    a->worst_additivity = d->total.worst_additivity;
    a->worst_row = d->total.worst_row;
    a->worst_margin_distance = d->total.worst_margin_distance;
    *ret_attribution = a;
    return BL_OK;
}

/* The matrix and the selection fit the model. */
static bl_status check_rows(const bl_explainer *e, const bl_matrix *matrix,
                            const bl_explain_options *options, bl_err *err)
{
    if (matrix->n_features != e->n_features)
        return bli_fail(err, BL_E_SHAPE, "rows have %zu features, the model has %zu",
                        matrix->n_features, e->n_features);
    if (matrix->roles.n_base_margins && matrix->roles.n_base_margins != e->n_outputs)
        return bli_fail(
            err, BL_E_SHAPE,
            "rows have %zu base margins, the model has %zu outputs: give one for each",
            matrix->roles.n_base_margins, e->n_outputs);
    for (uint64_t i = 0; options->row && i < options->n_selected; i++)
        if (options->row[i] >= matrix->n_rows ||
            (i && options->row[i] <= options->row[i - 1]))
            return bli_fail(
                err, BL_E_ARG, "row %llu is not in ascending order within %llu rows",
                (unsigned long long)options->row[i], (unsigned long long)matrix->n_rows);
    return BL_OK;
}

bl_status bli_explain(const bl_explainer *explainer, const bl_matrix *matrix,
                      const bl_explain_options *options, bl_batch_sink sink,
                      void *sink_cookie, bl_attribution **ret_attribution, bl_err *err)
{
    bl_status st = check_rows(explainer, matrix, options, err);
    if (st != BL_OK)
        return st;
    driver d = {
        .e = explainer,
        .matrix = matrix,
        .options = options,
        .n_rows = options->row ? options->n_selected : matrix->n_rows,
        .n_threads = options->n_threads > 0 ? options->n_threads : omp_get_max_threads(),
        .wants_phi = sink != NULL,
    };
    plan_batches(&d);
    st = allocate(&d, err);
    if (st == BL_OK)
        st = run_batches(&d, sink, sink_cookie, err);
    if (st == BL_OK)
        st = make_attribution(&d, ret_attribution, err);
    driver_done(&d);
    return st;
}

uint64_t bli_explainer_block_rows(const bl_explainer *explainer)
{
    return bli_block_rows_of(explainer);
}

void bli_attribution_free(bl_attribution *attribution)
{
    if (!attribution)
        return;
    free(attribution->mean_abs); /* the other arrays follow it in the same block */
    free(attribution);
}
