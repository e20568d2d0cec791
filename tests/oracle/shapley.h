/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two independent truths for path-dependent SHAP values, in long double.
 *
 * The game of a tree: a feature in the coalition decides as the row does, any other sends
 * cover's shares both ways (Lundberg, Lee et al. 2020). The first sums over all
 * coalitions; the second sums over leaves, by the polynomial whose k-th coefficient
 * counts coalitions of size k, weighted by factorials: no quadrature, no subtraction of
 * like numbers.
 */
#ifndef BL_TESTS_ORACLE_SHAPLEY_H
#define BL_TESTS_ORACLE_SHAPLEY_H

#include "model/model.h"

/* Most different features of a tree for oracle_tree_subsets. */
#define ORACLE_MOST_FEATURES 16

/* Adds to phi [n_features] the values of one tree, weight included; n_features of the
 * forest. */
void oracle_tree_subsets(const bl_tree *tree, size_t value, const float *row,
                         size_t n_features, long double *phi);
void oracle_tree_leaves(const bl_tree *tree, size_t value, const float *row,
                        size_t n_features, long double *phi);

/* Mean leaf by cover, weight included. */
long double oracle_tree_mean(const bl_tree *tree, size_t value);

/* Leaf value that the row reaches, weight included. */
long double oracle_tree_value(const bl_tree *tree, size_t value, const float *row);

typedef void (*oracle_tree_phi)(const bl_tree *tree, size_t value, const float *row,
                                size_t n_features, long double *phi);

/* phi [n_features + 1] of one output over rounds [first, last), base value last; base
 * NULL: the model's base margin. */
void oracle_forest_phi(const bl_forest *forest, size_t first, size_t last, size_t output,
                       const float *row, const float *base, oracle_tree_phi tree_phi,
                       long double *phi);

/* Margin of one output in long double. */
long double oracle_forest_margin(const bl_forest *forest, size_t first, size_t last,
                                 size_t output, const float *row, const float *base);

#endif
