/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is kept of the values of any number of rows: means, quantiles, histograms, tables by
 * group. Memory goes with features x outputs (and groups), never with rows. Whatever pieces the
 * rows come in and however many threads there are: the same bits.
 *
 * Quantiles come from counts of buckets on a logarithmic scale: each octave of |value| is cut
 * into 2^m buckets of equal width (m of bli_aggregates_accuracy), for the 20 octaves below the
 * largest |value|; what is smaller counts as 0. Counts are integers and buckets are fixed by
 * the values alone, so that nothing depends on order. A quantile is the middle of the bucket
 * that holds the value of its rank, so that it differs from that value by at most
 *
 *     2^-(m + 1) of it, or 2^-19 of the largest |value| of the feature where that is more.
 */
#ifndef BL_EXPLAIN_AGGREGATES_H
#define BL_EXPLAIN_AGGREGATES_H

#include "explain/explain.h"

/* bl_aggregates (boostlens.h) is one thread's at a time.
 *
 * chunk_rows: means are made of sums over so many rows; with the block rows of an explainer they
 * are the bits of bli_explain's own. 0: any. */
bl_status bli_aggregates_new(size_t n_features, size_t n_outputs, uint64_t chunk_rows,
                             bl_aggregates **ret_aggregates, bl_err *err);
void bli_aggregates_free(bl_aggregates *aggregates);

/*
 * Adds rows. phi [n_rows][n_outputs][n_features + 1], the last of each left alone. margins
 * [n_rows][n_outputs] or NULL. group [n_rows] or NULL: number of the group a row is of, from 0;
 * either all rows have one or none. BL_E_LIMIT from the group BLI_MOST_GROUPS on; BL_E_NOMEM.
 * After a failure only bli_aggregates_free.
 */
#define BLI_MOST_GROUPS 1000
bl_status bli_aggregates_add(bl_aggregates *aggregates, const float *phi,
                             const float *margins, const uint32_t *group, uint64_t n_rows,
                             int n_threads, bl_err *err);

uint64_t bli_aggregates_n_rows(const bl_aggregates *aggregates);
size_t bli_aggregates_n_features(const bl_aggregates *aggregates);
size_t bli_aggregates_n_outputs(const bl_aggregates *aggregates);
/* 2^-(m + 1) */
double bli_aggregates_accuracy(const bl_aggregates *aggregates);

/* Of one feature and output. No rows: 0. */
typedef struct bl_aggregate {
    double mean_abs, mean, min, max;
} bl_aggregate;
bl_aggregate bli_aggregate(const bl_aggregates *aggregates, size_t output,
                           size_t feature);

/* The smallest value that at least q of the rows do not exceed, 0 <= q <= 1; the smallest and
 * the largest are exact. No rows: NaN. */
double bli_aggregates_quantile(const bl_aggregates *aggregates, size_t output,
                               size_t feature, double q);

/* Counts between edges: bins of about the same width, moved to the nearest edges of buckets so
 * that counts are exact. A value on an edge counts on the side away from 0 (the outermost ones
 * inside). edges [BLI_MOST_BINS + 1], counts [BLI_MOST_BINS]; gives the number of bins, 0 where
 * there are no rows. */
#define BLI_MOST_BINS 130
size_t bli_aggregates_histogram(const bl_aggregates *aggregates, size_t output,
                                size_t feature, double *edges, uint64_t *counts);

/* Groups seen; rows and means of one. */
size_t bli_aggregates_n_groups(const bl_aggregates *aggregates);
uint64_t bli_aggregates_group_rows(const bl_aggregates *aggregates, size_t group);
bl_aggregate bli_aggregates_of_group(const bl_aggregates *aggregates, size_t group,
                                     size_t output, size_t feature); /* min, max: 0 */

/* As bli_explain would have given it, but for what is known of additivity (0).
 * base_values [n_outputs]. */
bl_status bli_aggregates_attribution(const bl_aggregates *aggregates,
                                     const double *base_values,
                                     bl_attribution **ret_attribution, bl_err *err);

#endif
