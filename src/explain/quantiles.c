/* SPDX-License-Identifier: Apache-2.0 */
/* Quantiles and histograms from counts of buckets. */
#include "explain/aggregates_priv.h"

#include <math.h>

#define BINS 64

/* Buckets of one feature and output in order of value: the negative ones, 0, the positive ones. */
typedef struct bucket {
    double low, high;
    uint64_t n;
} bucket;

static size_t n_buckets(const bl_aggregates *a)
{
    return 2 * bli_bucket_count(a) + 1;
}

/* Bucket i of one sign begins here; exact. */
static double bucket_edge(const bl_aggregates *a, const bl_cell_sums *cell, size_t i)
{
    int octave = cell->top - (BLI_OCTAVES - 1) + (int)(i >> a->bits);
    double within = (double)(i & (((size_t)1 << a->bits) - 1));
    return ldexp(1 + ldexp(within, -(int)a->bits), octave - 127);
}

static bucket bucket_at(const bl_aggregates *a, const bl_cell_sums *cell, size_t i)
{
    size_t n = bli_bucket_count(a);
    if (!cell->buckets)
        return (bucket){0, 0, i == n ? cell->n_zero : 0};
    if (i == n) {
        double edge = bucket_edge(a, cell, 0);
        return (bucket){-edge, edge, cell->n_zero};
    }
    if (i > n) {
        i -= n + 1;
        return (bucket){bucket_edge(a, cell, i), bucket_edge(a, cell, i + 1),
                        cell->buckets[i]};
    }
    i = n - 1 - i;
    return (bucket){-bucket_edge(a, cell, i + 1), -bucket_edge(a, cell, i),
                    cell->buckets[n + i]};
}

static double within(const bl_cell_sums *cell, double value)
{
    return fmin(fmax(value, (double)cell->min), (double)cell->max);
}

double bli_aggregates_quantile(const bl_aggregates *a, size_t output, size_t feature,
                               double q)
{
    const bl_cell_sums *cell = a->cells + output * a->n_features + feature;
    if (a->n_rows == 0)
        return (double)NAN;
    /* Of 30 rows 0.1 is the third, though 0.1 * 30 > 3 in double. */
    double rank = ceil(q * (double)a->n_rows * (1 - 1e-12)), seen = 0;
    if (rank <= 1)
        return (double)cell->min;
    if (rank >= (double)a->n_rows)
        return (double)cell->max;
    for (size_t i = 0; i < n_buckets(a); i++) {
        bucket b = bucket_at(a, cell, i);
        seen += (double)b.n;
        if (seen >= rank)
            return within(cell, (b.low + b.high) / 2);
    }
    return (double)cell->max;
}

size_t bli_aggregates_histogram(const bl_aggregates *a, size_t output, size_t feature,
                                double *edges, uint64_t *counts)
{
    const bl_cell_sums *cell = a->cells + output * a->n_features + feature;
    double min = (double)cell->min, width = ((double)cell->max - min) / BINS;
    size_t n = 0;
    double bin = -1, end = min; /* the bin at work, and where its last bucket ends */
    for (size_t i = 0; i < n_buckets(a); i++) {
        bucket b = bucket_at(a, cell, i);
        if (!b.n)
            continue;
        double low = within(cell, b.low);
        double at =
            width > 0 ? floor((within(cell, (b.low + b.high) / 2) - min) / width) : 0;
        if (at != bin) {
            if (n && low - end > width) { /* nothing for a while: a bin of its own */
                edges[n] = end;
                counts[n++] = 0;
            }
            edges[n] = low;
            counts[n++] = 0;
            bin = at;
        }
        counts[n - 1] += b.n;
        end = within(cell, b.high);
    }
    if (n)
        edges[n] = (double)cell->max;
    return n;
}
