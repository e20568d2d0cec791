/* SPDX-License-Identifier: Apache-2.0 */
/* Between aggregates.c, which counts, and quantiles.c, which reads the counts. */
#ifndef BL_EXPLAIN_AGGREGATES_PRIV_H
#define BL_EXPLAIN_AGGREGATES_PRIV_H

#include "explain/aggregates.h"

#define BLI_OCTAVES 20

/* One feature and output. */
typedef struct bl_cell_sums {
    double sum, sum_abs;         /* of full chunks */
    double part[8], abs_part[8]; /* of the chunk at work */
    float min, max;
    int top; /* exponent field of the topmost octave */
    uint64_t n_zero;
    uint64_t
        *buckets; /* positive, then negative, each by rising |value|; NULL: all are 0 */
} bl_cell_sums;

typedef struct bl_group_sums {
    uint64_t n_rows;
    double *sums; /* [n_outputs][n_features] of |value| and value */
} bl_group_sums;

struct bl_aggregates {
    size_t n_features, n_outputs;
    uint64_t chunk_rows, n_rows;
    unsigned bits; /* log2 of the buckets of an octave */
    bl_cell_sums *cells;
    double *margins, *chunk_margins; /* [n_outputs] */
    double max_abs_margin;
    size_t n_groups, cap_groups;
    bl_group_sums *groups;
};

/* Of one sign. */
static inline size_t bli_bucket_count(const bl_aggregates *a)
{
    return (size_t)BLI_OCTAVES << a->bits;
}

#endif
