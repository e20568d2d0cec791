/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Target encoding: a level becomes the mean of the label over its rows, drawn towards the mean
 * of all rows. Training rows get the tables of the folds they are not in.
 */
#include "preprocess/transform_priv.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct encoding {
    const bl_step *step;
    const uint32_t *code; /* [n] level, or the last row: missing */
    uint64_t n;
    size_t n_table; /* levels and the row of missing cells */
    const bl_targets *targets;
    const uint32_t *fold; /* NULL: all rows count */
    uint32_t left_out;
    double *y;                    /* [n] targets of the rows that count, in order */
    double *sum, *count, *square; /* [n_table] */
} encoding;

static bool counts(const encoding *e, uint64_t i)
{
    return !e->fold || e->fold[i] != e->left_out;
}

/* A weight of the mean of all rows that follows from the spread within each level (empirical
 * Bayes), as scikit-learn's smooth="auto". */
static double shrunk(const encoding *e, size_t c, double mean, double variance)
{
    double level_mean = e->sum[c];
    double lambda =
        variance * e->count[c] / (variance * e->count[c] + e->square[c] / e->count[c]);
    return isnan(lambda) ? mean : lambda * level_mean + (1 - lambda) * mean;
}

static void encode_column(const encoding *e, size_t k, double *table)
{
    size_t width = e->targets->k;
    const double *y = e->targets->y;
    double mean, variance;
    uint64_t n = 0;
    for (uint64_t i = 0; i < e->n; i++)
        if (counts(e, i))
            e->y[n++] = y[i * width + k];
    bli_mean_var(e->y, n, &mean, &variance);
    double weight = e->step->is_auto ? 0 : e->step->a;
    for (size_t c = 0; c < e->n_table; c++) {
        e->sum[c] = weight * mean;
        e->count[c] = weight;
        e->square[c] = 0;
    }
    for (uint64_t i = 0; i < e->n; i++)
        if (counts(e, i)) {
            e->sum[e->code[i]] += y[i * width + k];
            e->count[e->code[i]] += 1;
        }
    for (size_t c = 0; c < e->n_table; c++)
        e->sum[c] = e->count[c] > 0 ? e->sum[c] / e->count[c] : mean;
    for (uint64_t i = 0; e->step->is_auto && i < e->n; i++)
        if (counts(e, i)) {
            double difference = y[i * width + k] - e->sum[e->code[i]];
            e->square[e->code[i]] += difference * difference;
        }
    for (size_t c = 0; c < e->n_table; c++)
        table[c * width + k] =
            e->step->is_auto ? shrunk(e, c, mean, variance) : e->sum[c];
}

/* Folds as scikit-learn's KFold(shuffle=True, random_state=seed) cuts them. */
static bl_status draw_folds(const bl_step *step, uint64_t n, uint32_t *fold, bl_err *err)
{
    uint64_t *order = NULL, k = (uint64_t)step->n, at = 0;
    if (n < k)
        return bli_fail(
            err, BL_E_DATA,
            "target encoding in %llu folds needs as many training rows; there "
            "are %llu",
            (unsigned long long)k, (unsigned long long)n);
    bl_status st = bli_numpy_permutation((uint32_t)step->seed, n, &order, err);
    if (st != BL_OK)
        return st;
    for (uint64_t f = 0; f < k; f++)
        for (uint64_t i = 0; i < n / k + (f < n % k); i++)
            fold[order[at++]] = (uint32_t)f;
    free(order);
    return BL_OK;
}

static bl_status make_room(bl_source *source, size_t n_table, uint64_t n, size_t k,
                           double **ret_scratch, bl_err *err)
{
    void *table, *folds, *fold, *scratch;
    size_t cells, all;
    if (!bli_mul(n_table, k, &cells) || !bli_mul(cells, source->n_folds, &all))
        return bli_fail(err, BL_E_NOMEM, "no memory for %zu levels", n_table);
    bl_status st = bli_alloc(cells, sizeof(double), "a table of levels", &table, err);
    if (st != BL_OK)
        return st;
    source->table = table;
    st = bli_alloc(all, sizeof(double), "tables of levels", &folds, err);
    if (st != BL_OK)
        return st;
    source->fold_tables = folds;
    st = bli_alloc((size_t)n, sizeof(uint32_t), "folds", &fold, err);
    if (st != BL_OK)
        return st;
    source->fold = fold;
    st = bli_alloc((size_t)n + 3 * n_table, sizeof(double), "targets", &scratch, err);
    if (st == BL_OK)
        *ret_scratch = scratch;
    return st;
}

bl_status bli_fit_target(bl_source *source, const bl_step *step, const uint32_t *code,
                         uint64_t n, const bl_targets *targets, bl_err *err)
{
    size_t n_table = (size_t)bli_levels_count(source->known) + 1;
    double *scratch = NULL;
    source->width = targets->k;
    source->n_folds = (size_t)step->n;
    bl_status st = make_room(source, n_table, n, targets->k, &scratch, err);
    if (st == BL_OK)
        st = draw_folds(step, n, source->fold, err);
    if (st == BL_OK) {
        encoding e = {.step = step,
                      .code = code,
                      .n = n,
                      .n_table = n_table,
                      .targets = targets,
                      .y = scratch,
                      .sum = scratch + n,
                      .count = scratch + n + n_table,
                      .square = scratch + n + 2 * n_table};
        for (size_t k = 0; k < targets->k; k++)
            encode_column(&e, k, source->table);
        e.fold = source->fold;
        for (size_t f = 0; f < source->n_folds; f++) {
            e.left_out = (uint32_t)f;
            for (size_t k = 0; k < targets->k; k++)
                encode_column(&e, k, source->fold_tables + f * n_table * targets->k);
        }
    }
    free(scratch);
    return st;
}
