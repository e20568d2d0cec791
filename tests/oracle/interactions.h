/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two independent truths for path-dependent SHAP interactions, in long double: by all
 * coalitions, and by leaves with the polynomial that counts coalitions by size. Neither
 * uses quadrature. The values on the diagonal come from oracle/shapley.h.
 */
#ifndef BL_TESTS_ORACLE_INTERACTIONS_H
#define BL_TESTS_ORACLE_INTERACTIONS_H

#include "model/model.h"

/* Adds to matrix [n_features][n_features] the interaction values of one tree off the
 * diagonal, weight included: both cells of a pair get half of its interaction index. */
void oracle_pairs_subsets(const bl_tree *tree, size_t value, const float *row,
                          size_t n_features, long double *matrix);
void oracle_pairs_leaves(const bl_tree *tree, size_t value, const float *row,
                         size_t n_features, long double *matrix);

typedef void (*oracle_tree_pairs)(const bl_tree *tree, size_t value, const float *row,
                                  size_t n_features, long double *matrix);

/* matrix [n_features + 1][n_features + 1] of one output over rounds [first, last): diagonal
 * and base value included. */
void oracle_forest_matrix(const bl_forest *forest, size_t first, size_t last,
                          size_t output, const float *row, oracle_tree_pairs tree_pairs,
                          long double *matrix);

#endif
