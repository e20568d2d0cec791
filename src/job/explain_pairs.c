/* SPDX-License-Identifier: Apache-2.0 */
/* Interactions of the rows at work: into the file, and their strengths. */
#include "job/explain_priv.h"

#include "base/mem.h"
#include "explain/walks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Matrices, or pairs, held at once. */
#define PIECE_BYTES ((uint64_t)32 << 20)
/* Where no matrix is written, those of up to so many rows of each part are summed, as far as they
 * fit this. */
#define SAMPLE_ROWS  32
#define SAMPLE_BYTES ((uint64_t)64 << 20)

static uint64_t cells_of(const bl_explaining *x)
{
    uint64_t side = x->matrix->n_features + 1;
    return side * side * x->stages->model.forest->n_outputs;
}

static const float *base_of(const bl_explaining *x, uint64_t row)
{
    const bl_roles *roles = &x->matrix->roles;
    return roles->n_base_margins ? roles->base_margins + row * roles->n_base_margins
                                 : NULL;
}

/* Each whole matrix adds up to the margin. exact [n][n_outputs] in double. */
static void measure(bl_explaining *x, const float *matrix, const double *exact,
                    const uint64_t *row, uint64_t n)
{
    size_t K = x->stages->model.forest->n_outputs;
    uint64_t cells = cells_of(x) / K;
    for (uint64_t i = 0; i < n * K; i++) {
        double sum = 0;
        for (uint64_t c = 0; c < cells; c++)
            sum += (double)matrix[i * cells + c];
        x->pairs.largest = fmax(x->pairs.largest, fabs(exact[i]));
        if (fabs(sum - exact[i]) > x->pairs.worst) {
            x->pairs.worst = fabs(sum - exact[i]);
            x->pairs.worst_row = row[i / K];
        }
    }
    x->n_paired += n;
}

/* Matrices of rows [at, at + n) of the batch, measured, and written where asked for. */
static bl_status whole(bl_explaining *x, const bl_batch *batch, uint64_t at, uint64_t n,
                       float *matrix, double *exact, bl_err *err)
{
    const bl_final_model *model = &x->stages->model;
    const float *rows = batch->x + at * x->matrix->n_features;
    const float *base = base_of(x, batch->first + at);
    bl_status st = bli_interactions_rows(x->interactions, rows, n, base,
                                         x->stages->n_threads, matrix, err);
    if (st != BL_OK)
        return st;
    bli_exact_margins(model->forest, model->first_round, model->n_rounds, rows, n, base,
                      x->stages->n_threads, exact);
    measure(x, matrix, exact, batch->row + at, n);
    return x->h5 && !x->apply->top ? bli_h5_interactions(x->h5, matrix, n, err) : BL_OK;
}

static bl_status all_matrices(bl_explaining *x, const bl_batch *batch, uint64_t n_rows,
                              bl_err *err)
{
    uint64_t step = PIECE_BYTES / (4 * cells_of(x));
    step = step < SAMPLE_ROWS ? SAMPLE_ROWS : step / SAMPLE_ROWS * SAMPLE_ROWS;
    if (step > n_rows)
        step = n_rows;
    void *matrix = NULL, *exact = NULL;
    size_t n;
    bl_status st = bli_mul((size_t)step, (size_t)cells_of(x), &n)
                       ? bli_alloc(n, sizeof(float), "interactions", &matrix, err)
                       : bli_fail(err, BL_E_NOMEM, "no memory for interactions");
    if (st == BL_OK)
        st = bli_alloc((size_t)step, x->stages->model.forest->n_outputs * sizeof(double),
                       "interactions", &exact, err);
    for (uint64_t at = 0; st == BL_OK && at < n_rows; at += step)
        st = whole(x, batch, at, n_rows - at < step ? n_rows - at : step, matrix, exact,
                   err);
    free(matrix);
    free(exact);
    return st;
}

static bl_status top_pairs(bl_explaining *x, const bl_batch *batch, bl_err *err)
{
    size_t each = x->stages->model.forest->n_outputs * x->apply->top;
    uint64_t step = PIECE_BYTES / (sizeof(bl_top_pair) * each);
    step = step < SAMPLE_ROWS ? SAMPLE_ROWS : step / SAMPLE_ROWS * SAMPLE_ROWS;
    if (step > batch->n_rows)
        step = batch->n_rows;
    void *pairs;
    bl_status st = bli_alloc((size_t)step, each * sizeof(bl_top_pair),
                             "pairs of features", &pairs, err);
    if (st != BL_OK)
        return st;
    for (uint64_t at = 0; st == BL_OK && at < batch->n_rows; at += step) {
        uint64_t n = batch->n_rows - at < step ? batch->n_rows - at : step;
        st = bli_interactions_top(x->interactions, batch->x + at * x->matrix->n_features,
                                  n, x->apply->top, x->stages->n_threads, pairs, err);
        if (st == BL_OK)
            st = bli_h5_top_pairs(x->h5, pairs, n, err);
    }
    free(pairs);
    return st;
}

/* Strengths are sums over chunks of rows, so those of a chunk that is not whole wait. */
static bl_status add_strengths(bl_explaining *x, const float *rows, uint64_t n,
                               bl_err *err)
{
    size_t F = x->matrix->n_features;
    bl_status st = BL_OK;
    while (st == BL_OK && n) {
        uint64_t some = BLI_STRENGTH_ROWS - x->n_pending;
        if (x->n_pending == 0 && n >= BLI_STRENGTH_ROWS) {
            some = n / BLI_STRENGTH_ROWS * BLI_STRENGTH_ROWS;
            st = bli_strengths_add(x->strengths, x->interactions, rows, some,
                                   x->stages->n_threads, err);
        } else {
            some = some < n ? some : n;
            memcpy(x->pending + x->n_pending * F, rows, some * F * sizeof *rows);
            x->n_pending += some;
            if (x->n_pending == BLI_STRENGTH_ROWS)
                st = bli_explain_pairs_end(x, err);
        }
        rows += some * F;
        n -= some;
    }
    return st;
}

bl_status bli_explain_pairs_end(bl_explaining *x, bl_err *err)
{
    uint64_t n = x->n_pending;
    x->n_pending = 0;
    return n ? bli_strengths_add(x->strengths, x->interactions, x->pending, n,
                                 x->stages->n_threads, err)
             : BL_OK;
}

bl_status bli_explain_pairs(bl_explaining *x, const bl_batch *batch, bl_err *err)
{
    uint64_t measured = batch->n_rows;
    if (!x->h5 || x->apply->top) {
        measured = batch->first == 0 ? SAMPLE_BYTES / (4 * cells_of(x)) : 0;
        measured = measured < SAMPLE_ROWS ? measured : SAMPLE_ROWS;
        measured = measured < batch->n_rows ? measured : batch->n_rows;
    }
    bl_status st = measured ? all_matrices(x, batch, measured, err) : BL_OK;
    if (st == BL_OK && x->h5 && x->apply->top)
        st = top_pairs(x, batch, err);
    return st == BL_OK ? add_strengths(x, batch->x, batch->n_rows, err) : st;
}
