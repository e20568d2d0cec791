/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exact path-dependent SHAP interactions: the whole matrix of each row, or the strength of
 * each pair over many rows, or the strongest pairs of each row, in memory bounded by the
 * pairs of features that share a path in some tree. Results are the same bits for every
 * thread count.
 *
 * The matrix is XGBoost's pred_interactions: symmetric, each row of it adds up to the SHAP
 * value of its feature, all of it to the margin, the base value in the last cell. gblinear
 * has its values on the diagonal and 0 elsewhere.
 */
#ifndef BL_EXPLAIN_INTERACTIONS_H
#define BL_EXPLAIN_INTERACTIONS_H

#include "model/model.h"

/* bl_interactions (boostlens.h) is a compiled forest; constant, shared by threads. It lends from
 * the forest, which must outlive it.
 *
 * Rounds [first, last) of the forest. kernel: NULL for the fastest that this processor
 * runs, else its name ("row by row" is the referee in double, which leaves beyond 1e30 get
 * whatever is asked); BL_E_ARG where it has none of that name. */
bl_status bli_interactions_new(const bl_forest *forest, size_t first, size_t last,
                               const char *kernel, bl_interactions **ret_interactions,
                               bl_err *err);
void bli_interactions_free(bl_interactions *interactions);
const char *bli_interactions_kernel(const bl_interactions *interactions);

/* Names of the kernels of this processor; "row by row" first; the list ends with NULL. */
#define BLI_INTERACTION_KERNELS 6
void bli_interactions_kernels(const char *ret_names[BLI_INTERACTION_KERNELS]);

/* Two features that share a path in some tree, first < second. Any other pair's interaction
 * is 0. */
typedef struct bl_pair {
    uint32_t first, second;
} bl_pair;
size_t bli_interactions_n_pairs(const bl_interactions *interactions);
const bl_pair *bli_interactions_pairs(const bl_interactions *interactions);

size_t bli_interactions_n_features(const bl_interactions *interactions);
size_t bli_interactions_n_outputs(const bl_interactions *interactions);
/* Base values [n_outputs]: base margin + sum over trees of weight * mean leaf by cover. */
const double *bli_interactions_base_values(const bl_interactions *interactions);

/*
 * matrix [n_rows][n_outputs][n_features + 1][n_features + 1] of rows [n_rows][n_features].
 * base [n_rows][n_outputs] takes the place of the model's base margin where not NULL.
 * n_threads 0: as OpenMP says. matrix is unspecified on failure. BL_E_NOMEM.
 */
bl_status bli_interactions_rows(const bl_interactions *interactions, const float *rows,
                                uint64_t n_rows, const float *base, int n_threads,
                                float *matrix, bl_err *err);

/* top [n_rows][n_outputs][n_top]: pairs by falling |value|, equal ones by features; where a
 * model has fewer than n_top pairs, the rest is {UINT32_MAX, UINT32_MAX, 0}. */
bl_status bli_interactions_top(const bl_interactions *interactions, const float *rows,
                               uint64_t n_rows, size_t n_top, int n_threads,
                               bl_top_pair *top, bl_err *err);

/* Sums over rows that come in any number of calls. The bits depend on how the rows are cut
 * into calls only where a call before the last one has a number of rows that is no multiple
 * of BLI_STRENGTH_ROWS. One thread at a time. */
#define BLI_STRENGTH_ROWS 512
typedef struct bl_strengths {
    uint64_t n_rows;
    size_t n_outputs, n_pairs, n_features;
    const bl_pair *pairs; /* [n_pairs], lent by the interactions */
    double *sum_abs;      /* [n_outputs][n_pairs] of |value| of one cell of the pair */
    double *sum;          /* [n_outputs][n_pairs] */
    double *diagonal_abs; /* [n_outputs][n_features] of |value| on the diagonal */
} bl_strengths;
bl_status bli_strengths_new(const bl_interactions *interactions,
                            bl_strengths **ret_strengths, bl_err *err);
bl_status bli_strengths_add(bl_strengths *strengths, const bl_interactions *interactions,
                            const float *rows, uint64_t n_rows, int n_threads,
                            bl_err *err);
void bli_strengths_free(bl_strengths *strengths);

#endif
