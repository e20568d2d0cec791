/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two independent truths for SHAP values against a single background row, in long double:
 * by all coalitions of rows put together from the two, and by leaves.
 */
#ifndef BL_TESTS_ORACLE_BACKGROUND_H
#define BL_TESTS_ORACLE_BACKGROUND_H

#include "model/model.h"

/* Adds to phi [n_features] the values of one tree for row against back, weight included. */
void oracle_pair_subsets(const bl_tree *tree, size_t value, const float *row,
                         const float *back, size_t n_features, long double *phi);
void oracle_pair_leaves(const bl_tree *tree, size_t value, const float *row,
                        const float *back, size_t n_features, long double *phi);

typedef void (*oracle_pair_phi)(const bl_tree *tree, size_t value, const float *row,
                                const float *back, size_t n_features, long double *phi);

/* A function of the margin; NULL: the margin. */
typedef long double (*oracle_link)(long double margin, long double label);

/* phi [n_features + 1] of one output over all rounds: the mean over background
 * [n_background][n_features] of each pair's values times its (f(x) - f(b)) / (x - b); the
 * mean of f last. */
void oracle_background_phi(const bl_forest *forest, size_t output, const float *row,
                           const float *background, size_t n_background,
                           oracle_pair_phi pair_phi, oracle_link f, long double label,
                           long double *phi);

#endif
