/* SPDX-License-Identifier: Apache-2.0 */
/* What walking each row down each tree gives: leaf numbers, approximate contributions, margins
 * without float32 rounding. n_threads 0: as OpenMP says; results do not depend on it. */
#ifndef BL_EXPLAIN_WALKS_H
#define BL_EXPLAIN_WALKS_H

#include "explain/explain.h"

/* Node where each of rows [n_rows][n_features] ends, of rounds [first, last): [n_rows][trees].
 * The model has trees. */
void bli_leaves(const bl_forest *forest, size_t first, size_t last, const float *rows,
                uint64_t n_rows, int n_threads, uint32_t *leaves);

/*
 * Approximate contributions (Saabas): along each path, the change of the mean leaf by cover from
 * node to child goes to the feature of the split. They add up to the margin, but depend on the
 * order of splits, unlike SHAP values. phi [n_rows][n_outputs][n_features + 1], the base value of
 * bli_explainer_base_values last. A linear model has its exact contributions. BL_E_NOMEM.
 */
bl_status bli_approximate_rows(const bl_explainer *explainer, const float *rows,
                               uint64_t n_rows, int n_threads, float *phi, bl_err *err);

/* Sums of leaf values in double, what SHAP values must add up to: margins
 * [n_rows][n_outputs]. base [n_rows][n_outputs] replaces the model's base margin where not
 * NULL. */
void bli_exact_margins(const bl_forest *forest, size_t first, size_t last,
                       const float *rows, uint64_t n_rows, const float *base,
                       int n_threads, double *margins);

#endif
