/* SPDX-License-Identifier: Apache-2.0 */
/* Interactions of rows, whole or the strongest pairs, into their datasets. */
#include "report/h5_priv.h"

#include <string.h>

/* What the datasets of one call are filled from. */
typedef struct source {
    const float *matrix;
    const bl_top_pair *pairs;
} source;

/* [outputs][features + 1][features + 1] of a row to [features][features][outputs]. */
static void put_matrix(const bl_h5 *h5, const float *from, float *to)
{
    size_t F = h5->n_features, K = h5->n_outputs, side = F + 1;
    for (size_t i = 0; i < F; i++)
        for (size_t k = 0; k < K; k++) {
            const float *line = from + (k * side + i) * side;
            if (K == 1)
                memcpy(to + i * F, line, F * sizeof *to);
            for (size_t j = 0; K > 1 && j < F; j++)
                to[(i * F + j) * K + k] = line[j];
        }
}

static void put_row(const bl_h5 *h5, size_t which, const source *from, uint64_t r,
                    unsigned char *out)
{
    size_t K = h5->n_outputs, n_top = h5->options.n_top;
    size_t cells = K * (h5->n_features + 1) * (h5->n_features + 1);
    float *values = (float *)(void *)out;
    int32_t *features = (int32_t *)(void *)out;
    if (which == BL_H5_INTERACTIONS) {
        put_matrix(h5, from->matrix + r * cells, values);
        return;
    }
    for (size_t k = 0; k < K; k++)
        for (size_t t = 0; t < n_top; t++) {
            const bl_top_pair *pair = from->pairs + (r * K + k) * n_top + t;
            if (which == BL_H5_PAIR_VALUES) {
                values[t * K + k] = pair->value;
                continue;
            }
            bool none = pair->first == UINT32_MAX;
            features[(t * 2) * K + k] = none ? -1 : (int32_t)pair->first;
            features[(t * 2 + 1) * K + k] = none ? -1 : (int32_t)pair->second;
        }
}

static bl_status put(bl_h5 *h5, size_t which, const source *from, uint64_t n, bl_err *err)
{
    bl_h5_stream *stream = &h5->streams[which];
    bl_status st = BL_OK;
    for (uint64_t first = 0; st == BL_OK && first < n;) {
        uint64_t some = n - first;
        unsigned char *room = bli_h5_stream_room(stream, &some);
#pragma omp parallel for num_threads(h5->pool.n_threads)
        for (uint64_t r = 0; r < some; r++)
            put_row(h5, which, from, first + r, room + r * stream->row_bytes);
        st = bli_h5_stream_filled(stream, &h5->pool, some, err);
        first += some;
    }
    return st;
}

static bl_status put_all(bl_h5 *h5, const source *from, uint64_t n, bl_err *err)
{
    bl_h5_quiet before;
    bl_status st = BL_OK;
    bli_h5_quiet_begin(&before);
    for (size_t i = BL_H5_INTERACTIONS; st == BL_OK && i < BL_H5_N_FIXED; i++)
        if (h5->streams[i].rank > 0)
            st = put(h5, i, from, n, err);
    bli_h5_quiet_end(&before);
    return bli_h5_check_disk(h5, st, err);
}

bl_status bli_h5_interactions(bl_h5 *h5, const float *matrix, uint64_t n, bl_err *err)
{
    const source from = {.matrix = matrix};
    return put_all(h5, &from, n, err);
}

bl_status bli_h5_top_pairs(bl_h5 *h5, const bl_top_pair *pairs, uint64_t n, bl_err *err)
{
    const source from = {.pairs = pairs};
    return put_all(h5, &from, n, err);
}
