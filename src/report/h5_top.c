/* SPDX-License-Identifier: Apache-2.0 */
/* The strongest values of each row, in place of all of them. */
#include "report/h5_priv.h"

#include "base/mem.h"

#include <math.h>

/* Room of one row and output: values and features at distance `step`. */
typedef struct top {
    float *value;
    int32_t *feature;
    size_t n, step;
} top;

/* Sorted by insertion: few values are among the first. Of equal ones the first stays first. */
static void insert(const top *t, size_t *n, float value, int32_t feature)
{
    float size = fabsf(value);
    if (*n == t->n && !(size > fabsf(t->value[(t->n - 1) * t->step])))
        return;
    size_t at = *n < t->n ? (*n)++ : t->n - 1;
    for (; at > 0 && size > fabsf(t->value[(at - 1) * t->step]); at--) {
        t->value[at * t->step] = t->value[(at - 1) * t->step];
        t->feature[at * t->step] = t->feature[(at - 1) * t->step];
    }
    t->value[at * t->step] = value;
    t->feature[at * t->step] = feature;
}

static float find_top(const float *phi, size_t n_features, const top *t)
{
    size_t n = 0;
    double all = 0, kept = 0;
    for (size_t f = 0; f < n_features; f++) {
        all += (double)phi[f];
        if (phi[f] != 0)
            insert(t, &n, phi[f], (int32_t)f);
    }
    for (size_t k = 0; k < n; k++)
        kept += (double)t->value[k * t->step];
    for (; n < t->n; n++) {
        t->value[n * t->step] = 0;
        t->feature[n * t->step] = -1;
    }
    return (float)(all - kept);
}

static bl_status make_room(bl_h5 *h5, uint64_t n_rows, bl_err *err)
{
    size_t n = (size_t)n_rows * h5->n_outputs;
    void *values = h5->top_values, *features = h5->top_features, *rest = h5->rest;
    bl_status st = bli_grow(&values, &h5->cap_top[0], n * h5->options.n_top,
                            sizeof(float), "top values", err);
    h5->top_values = values;
    if (st == BL_OK)
        st = bli_grow(&features, &h5->cap_top[1], n * h5->options.n_top, sizeof(int32_t),
                      "top values", err);
    h5->top_features = features;
    if (st == BL_OK)
        st = bli_grow(&rest, &h5->cap_top[2], n, sizeof(float), "top values", err);
    h5->rest = rest;
    return st;
}

bl_status bli_h5_find_top(bl_h5 *h5, const bl_batch *batch, bl_err *err)
{
    size_t K = h5->n_outputs, n_top = h5->options.n_top, line = h5->n_features + 1;
    bl_status st = make_room(h5, batch->n_rows, err);
    if (st != BL_OK)
        return st;
#pragma omp parallel for num_threads(h5->pool.n_threads)
    for (uint64_t r = 0; r < batch->n_rows; r++)
        for (size_t o = 0; o < K; o++) {
            const top t = {h5->top_values + r * n_top * K + o,
                           h5->top_features + r * n_top * K + o, n_top, K};
            h5->rest[r * K + o] =
                find_top(batch->phi + (r * K + o) * line, h5->n_features, &t);
        }
    return BL_OK;
}
