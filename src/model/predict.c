/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prediction in float32, tree after tree in the order of the model: the order in which
 * XGBoost's CPU predictor adds, so that the sums agree to the last bit.
 */
#include "model/model_priv.h"

#include <math.h>
#include <string.h>

/* Rows that stay in cache while a tree passes over them; the sums do not depend on it. */
enum { BLOCK_ROWS = 64 };

/* XGBoost's rule: below zero, past the codes float32 tells apart, and beyond the set's
 * last word go left; a fraction is cut off. */
static bool category_goes_left(const bl_tree *tree, uint32_t node, float x)
{
    if (x < 0.0f || x >= (float)BL_CATEGORY_END)
        return true;
    uint32_t code = (uint32_t)x;
    if (code / 32 >= tree->cat_words[node])
        return true;
    return !(tree->cat_bits[tree->cat_first[node] + code / 32] >> (code % 32) & 1u);
}

static inline uint32_t child(const bl_tree *tree, uint32_t node, float x)
{
    bool left;
    if (isnan(x))
        left = tree->default_left[node];
    else if (tree->cat_words && tree->cat_words[node])
        left = category_goes_left(tree, node, x);
    else
        left = x < tree->threshold[node];
    return (uint32_t)(left ? tree->left[node] : tree->right[node]);
}

uint32_t bli_tree_child(const bl_tree *tree, uint32_t node, float x)
{
    return child(tree, node, x);
}

uint32_t bli_tree_leaf(const bl_tree *tree, const float *row)
{
    uint32_t node = 0;
    while (tree->left[node] >= 0)
        node = child(tree, node, row[tree->feature[node]]);
    return node;
}

static void add_tree(const bl_forest *forest, const bl_tree *tree, const float *rows,
                     uint64_t n_rows, float *margins)
{
    size_t n_outputs = forest->n_outputs;
    for (uint64_t row = 0; row < n_rows; row++) {
        uint32_t leaf = bli_tree_leaf(tree, rows + row * forest->n_features);
        float *margin = margins + row * n_outputs;
        if (tree->n_values == 1) {
            margin[tree->output] += tree->leaf[leaf] * tree->weight;
            continue;
        }
        const float *value = tree->leaf + (size_t)leaf * tree->n_values;
        for (size_t k = 0; k < tree->n_values; k++)
            margin[k] += value[k] * tree->weight;
    }
}

/* Bias first, then the cells in order; a missing one adds nothing. */
static void linear_margin(const bl_forest *forest, const float *row, float *margin)
{
    size_t n_outputs = forest->n_outputs;
    const float *bias = forest->linear + forest->n_features * n_outputs;
    for (size_t k = 0; k < n_outputs; k++) {
        float sum = bias[k] + margin[k];
        for (size_t i = 0; i < forest->n_features; i++)
            if (!isnan(row[i]))
                sum += row[i] * forest->linear[i * n_outputs + k];
        margin[k] = sum;
    }
}

static void start(const bl_forest *forest, uint64_t n_rows, const float *base,
                  float *margins)
{
    size_t n_outputs = forest->n_outputs;
    if (base) {
        memcpy(margins, base, n_rows * n_outputs * sizeof *margins);
        return;
    }
    for (uint64_t row = 0; row < n_rows; row++)
        memcpy(margins + row * n_outputs, forest->base_margin,
               n_outputs * sizeof *margins);
}

void bli_forest_margins(const bl_forest *forest, size_t first, size_t last,
                        const float *rows, uint64_t n_rows, const float *base,
                        float *margins)
{
    if (!n_rows)
        return;
    start(forest, n_rows, base, margins);
    if (forest->linear) {
        for (uint64_t row = 0; row < n_rows; row++)
            linear_margin(forest, rows + row * forest->n_features,
                          margins + row * forest->n_outputs);
        return;
    }
    for (uint64_t row = 0; row < n_rows; row += BLOCK_ROWS) {
        uint64_t n = n_rows - row < BLOCK_ROWS ? n_rows - row : BLOCK_ROWS;
        for (size_t t = forest->round_first[first]; t < forest->round_first[last]; t++)
            add_tree(forest, &forest->trees[t], rows + row * forest->n_features, n,
                     margins + row * forest->n_outputs);
    }
}

size_t bli_forest_rounds(const bl_forest *forest)
{
    if (forest->best_iteration >= 0 &&
        (uint64_t)forest->best_iteration < forest->n_rounds)
        return (size_t)forest->best_iteration + 1;
    return forest->n_rounds;
}
