/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a matrix against a background, batch by batch, as explain.c does it without one. */
#include "explain/background_priv.h"
#include "explain/walks.h"

#include "base/mem.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* Buffers of a batch. The tables of large models are made again for each, so there is no use in
 * small ones; where each pair of rows is met a batch takes long, and so has few rows. */
#define BATCH_BYTES (UINT64_C(64) << 20)
#define PAIRS_ROWS  512

typedef struct driver {
    const bl_background *bg;
    bl_space space;
    const bl_matrix *matrix;
    const bl_explain_options *options;
    int n_threads;
    uint64_t batch_rows;
    uint64_t *row;
    float *x, *phi, *margins, *labels;
    double *exact;
    bl_additivity worst;
} driver;

static bl_status allocate(driver *d, bl_err *err)
{
    const bl_background *bg = d->bg;
    size_t F = bg->n_features, K = bg->n_outputs;
    uint64_t row_bytes = 4 * ((uint64_t)K * (F + 4) + F) + 16;
    uint64_t rows = BATCH_BYTES / row_bytes;
    if (d->space != BL_SPACE_MARGIN && rows > PAIRS_ROWS)
        rows = PAIRS_ROWS;
    if (rows > d->matrix->n_rows)
        rows = d->matrix->n_rows;
    d->batch_rows = rows ? rows : 1;
    struct {
        void *into;
        size_t size;
    } wanted[] = {
        {&d->row, sizeof *d->row},
        {&d->x, F * sizeof *d->x},
        {&d->phi, K * (F + 1) * sizeof *d->phi},
        {&d->margins, K * sizeof *d->margins},
        {&d->labels, sizeof *d->labels},
        {&d->exact, K * sizeof *d->exact},
    };
    for (size_t i = 0; i < BL_LEN(wanted); i++) {
        void *memory;
        bl_status st = bli_alloc((size_t)d->batch_rows, wanted[i].size, "a batch of rows",
                                 &memory, err);
        if (st != BL_OK)
            return st;
        memcpy(wanted[i].into, &memory, sizeof memory);
    }
    return BL_OK;
}

static void driver_done(driver *d)
{
    free(d->row);
    free(d->x);
    free(d->phi);
    free(d->margins);
    free(d->labels);
    free(d->exact);
}

static void gather(driver *d, uint64_t first, uint64_t n)
{
    size_t F = d->bg->n_features;
    const float *labels = d->matrix->roles.labels;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t row = first + i;
        const bl_block *from = bli_matrix_block(d->matrix, row);
        memcpy(d->x + i * F, from->x + (row - from->first_row) * F, F * sizeof *d->x);
        d->row[i] = d->options->first_row + row;
        d->labels[i] = labels ? labels[row] : 0;
    }
}

/* What the values of one row and output must add up to. */
static double total_of(const driver *d, double margin, float label)
{
    double softplus = margin > 0 ? margin + log1p(exp(-margin)) : log1p(exp(margin));
    switch (d->space) {
    case BL_SPACE_PROBABILITY:
        return 1 / (1 + exp(-margin));
    case BL_SPACE_LOG_LOSS:
        return softplus - (double)label * margin;
    default:
        return margin;
    }
}

static void measure(driver *d, uint64_t n)
{
    const bl_background *bg = d->bg;
    size_t F = bg->n_features, K = bg->n_outputs;
    bl_additivity *worst = &d->worst;
    for (uint64_t i = 0; i < n * K; i++) {
        const float *phi = d->phi + i * (F + 1);
        double sum = 0, total = total_of(d, d->exact[i], d->labels[i / K]);
        for (size_t f = 0; f <= F; f++)
            sum += (double)phi[f];
        worst->largest = fmax(worst->largest, fabs(total));
        if (fabs(sum - total) > worst->worst) {
            worst->worst = fabs(sum - total);
            worst->worst_row = d->row[i / K];
        }
        if (d->space == BL_SPACE_MARGIN)
            worst->worst_margin_distance =
                fmax(worst->worst_margin_distance, fabs(sum - (double)d->margins[i]));
    }
}

static void find_margins(driver *d, uint64_t n)
{
    const bl_background *bg = d->bg;
    size_t F = bg->n_features, K = bg->n_outputs;
    uint64_t piece = 64;
    bli_exact_margins(bg->forest, bg->first, bg->last, d->x, n, NULL, d->n_threads,
                      d->exact);
#pragma omp parallel for schedule(dynamic, 1) num_threads(d->n_threads)
    for (uint64_t at = 0; at < n; at += piece)
        bli_forest_margins(bg->forest, bg->first, bg->last, d->x + at * F,
                           n - at < piece ? n - at : piece, NULL, d->margins + at * K);
}

static bl_status run_batch(driver *d, uint64_t first, uint64_t n, bl_batch_sink sink,
                           void *cookie, bl_err *err)
{
    gather(d, first, n);
    bl_status st =
        d->space == BL_SPACE_MARGIN
            ? bli_background_rows(d->bg, d->x, n, d->n_threads, d->phi, err)
            : bli_background_rows_in(d->bg, d->space, d->x,
                                     d->space == BL_SPACE_LOG_LOSS ? d->labels : NULL, n,
                                     d->n_threads, d->phi, err);
    if (st != BL_OK)
        return st;
    find_margins(d, n);
    measure(d, n);
    const bl_batch batch = {first, n, d->row, d->x, d->phi, d->margins};
    return sink ? sink(cookie, &batch, err) : BL_OK;
}

static bl_status run_batches(driver *d, bl_batch_sink sink, void *cookie, bl_err *err)
{
    const bl_explain_options *options = d->options;
    uint64_t all = d->matrix->n_rows;
    for (uint64_t first = 0; first < all; first += d->batch_rows) {
        uint64_t n = all - first < d->batch_rows ? all - first : d->batch_rows;
        if (options->cancelled && options->cancelled(options->cookie, first, all))
            return bli_fail(err, BL_E_CANCELLED,
                            "explanation stopped on request after %llu of %llu rows",
                            (unsigned long long)first, (unsigned long long)all);
        bl_status st = run_batch(d, first, n, sink, cookie, err);
        if (st != BL_OK)
            return st;
        bli_progress(options->log, options->stage, "rows", first + n, all);
    }
    return BL_OK;
}

static bl_status check(const driver *d, bl_err *err)
{
    const bl_matrix *matrix = d->matrix;
    if (matrix->n_features != d->bg->n_features)
        return bli_fail(err, BL_E_SHAPE, "rows have %zu features, the model has %zu",
                        matrix->n_features, d->bg->n_features);
    if (matrix->roles.n_base_margins)
        return bli_fail(
            err, BL_E_ARG,
            "rows with base margins against a background: it is not defined "
            "whose margin a mixed row begins from; leave the base margins out");
    if (d->space == BL_SPACE_LOG_LOSS && matrix->roles.n_labels != 1)
        return bli_fail(err, BL_E_ARG,
                        "the log-loss space needs one label for each row, and the rows "
                        "have %zu",
                        matrix->roles.n_labels);
    for (uint64_t r = 0; d->space == BL_SPACE_LOG_LOSS && r < matrix->n_rows; r++)
        if (!(matrix->roles.labels[r] >= 0 && matrix->roles.labels[r] <= 1))
            return bli_fail(
                err, BL_E_ARG,
                "label %g of row %llu (from 0): the log-loss space needs labels "
                "from 0 to 1",
                (double)matrix->roles.labels[r],
                (unsigned long long)(d->options->first_row + r));
    return bli_background_check_space(d->bg, d->space, err);
}

bl_status bli_explain_against(const bl_background *bg, bl_space space,
                              const bl_matrix *matrix, const bl_explain_options *options,
                              bl_batch_sink sink, void *sink_cookie,
                              bl_additivity *ret_additivity, bl_err *err)
{
    driver d = {.bg = bg, .space = space, .matrix = matrix, .options = options};
    d.n_threads = options->n_threads > 0 ? options->n_threads : omp_get_max_threads();
    bl_status st = check(&d, err);
    if (st == BL_OK)
        st = allocate(&d, err);
    if (st == BL_OK)
        st = run_batches(&d, sink, sink_cookie, err);
    if (st == BL_OK)
        *ret_additivity = d.worst;
    driver_done(&d);
    return st;
}
