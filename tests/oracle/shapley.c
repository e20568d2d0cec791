/* SPDX-License-Identifier: Apache-2.0 */
#include "oracle/shapley.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *memory_for(size_t n, size_t size)
{
    void *memory = calloc(n ? n : 1, size);
    if (!memory) {
        fprintf(stderr, "no memory for the oracle\n");
        abort();
    }
    return memory;
}

static bool row_goes_left(const bl_tree *tree, uint32_t node, float x)
{
    if (isnan(x))
        return tree->default_left[node] != 0;
    if (!tree->cat_words || tree->cat_words[node] == 0)
        return x < tree->threshold[node];
    double code = trunc((double)x);
    if ((double)x < 0 || code >= 32.0 * tree->cat_words[node])
        return true;
    uint32_t c = (uint32_t)code, bits = tree->cat_bits[tree->cat_first[node] + c / 32];
    return (bits & (1U << (c % 32))) == 0;
}

/* Left child's share of cover; nothing on both sides shares alike. */
static long double share_of_left(const bl_tree *tree, uint32_t node)
{
    long double left = (long double)tree->cover[tree->left[node]];
    long double right = (long double)tree->cover[tree->right[node]];
    return left + right == 0 ? 0.5L : left / (left + right);
}

static long double leaf_value(const bl_tree *tree, uint32_t node, size_t value)
{
    return (long double)tree->weight *
           (long double)tree->leaf[node * tree->n_values + value];
}

/* --- All coalitions ----------------------------------------------------------------- */

/* Bit of each feature of the tree; -1 elsewhere. */
static int number_features(const bl_tree *tree, int *bit, size_t n_features)
{
    int n = 0;
    for (size_t f = 0; f < n_features; f++)
        bit[f] = -1;
    for (uint32_t node = 0; node < tree->n_nodes; node++)
        if (tree->left[node] >= 0 && bit[tree->feature[node]] < 0)
            bit[tree->feature[node]] = n++;
    return n;
}

static long double worth(const bl_tree *tree, uint32_t node, size_t value,
                         const float *row, const int *bit, uint32_t coalition)
{
    if (tree->left[node] < 0)
        return leaf_value(tree, node, value);
    uint32_t feature = tree->feature[node], left = (uint32_t)tree->left[node],
             right = (uint32_t)tree->right[node];
    if (coalition >> bit[feature] & 1)
        return worth(tree, row_goes_left(tree, node, row[feature]) ? left : right, value,
                     row, bit, coalition);
    long double z = share_of_left(tree, node);
    return z * worth(tree, left, value, row, bit, coalition) +
           (1 - z) * worth(tree, right, value, row, bit, coalition);
}

/* |S|! (n - 1 - |S|)! / n! */
static long double coalition_weight(int n, int size)
{
    return expl(lgammal(size + 1) + lgammal(n - size) - lgammal(n + 1));
}

void oracle_tree_subsets(const bl_tree *tree, size_t value, const float *row,
                         size_t n_features, long double *phi)
{
    int *bit = memory_for(n_features, sizeof *bit),
        n = number_features(tree, bit, n_features);
    if (n > ORACLE_MOST_FEATURES) {
        fprintf(stderr, "%d features are too many coalitions\n", n);
        abort();
    }
    uint32_t all = 1U << n;
    long double *worths = memory_for(all, sizeof *worths);
    for (uint32_t s = 0; s < all; s++)
        worths[s] = worth(tree, 0, value, row, bit, s);
    for (size_t f = 0; f < n_features; f++)
        for (uint32_t s = 0; bit[f] >= 0 && s < all; s++)
            if (!(s >> bit[f] & 1))
                phi[f] += coalition_weight(n, __builtin_popcount(s)) *
                          (worths[s | 1U << bit[f]] - worths[s]);
    free(worths);
    free(bit);
}

/* --- By leaves ---------------------------------------------------------------------- */

typedef struct path_feature {
    uint32_t feature;
    long double one, zero; /* the row satisfies all its splits; product of shares */
} path_feature;

typedef struct leaf_walk {
    const bl_tree *tree;
    size_t value;
    const float *row;
    long double *phi;
    path_feature *path;
    long double *weights; /* [most + 1][most] k! (n - 1 - k)! / n! by n and k */
    size_t most;
} leaf_walk;

static void add_leaf(const leaf_walk *w, size_t n, long double v)
{
    long double *weights = w->weights + n * w->most;
    long double *poly = memory_for(n + 1, sizeof *poly);
    for (size_t i = 0; i < n; i++) {
        if (w->path[i].one == w->path[i].zero)
            continue;
        memset(poly, 0, (n + 1) * sizeof *poly);
        poly[0] = 1;
        size_t degree = 0;
        for (size_t j = 0; j < n; j++) {
            if (j == i)
                continue;
            for (size_t k = ++degree; k > 0; k--)
                poly[k] = poly[k] * w->path[j].zero + poly[k - 1] * w->path[j].one;
            poly[0] *= w->path[j].zero;
        }
        long double sum = 0;
        for (size_t k = 0; k < n; k++)
            sum += weights[k] * poly[k];
        w->phi[w->path[i].feature] += v * (w->path[i].one - w->path[i].zero) * sum;
    }
    free(poly);
}

static void walk_leaves(const leaf_walk *w, uint32_t node, size_t n)
{
    const bl_tree *tree = w->tree;
    if (tree->left[node] < 0) {
        add_leaf(w, n, leaf_value(tree, node, w->value));
        return;
    }
    size_t i = 0;
    while (i < n && w->path[i].feature != tree->feature[node])
        i++;
    path_feature before = {.feature = tree->feature[node], .one = 1, .zero = 1};
    if (i < n)
        before = w->path[i];
    bool left = row_goes_left(tree, node, w->row[tree->feature[node]]);
    long double z = share_of_left(tree, node);
    for (int right = 0; right < 2; right++) {
        w->path[i] = before;
        w->path[i].one *= left != (right == 1);
        w->path[i].zero *= right ? 1 - z : z;
        walk_leaves(w, (uint32_t)(right ? tree->right[node] : tree->left[node]),
                    i == n ? n + 1 : n);
    }
    w->path[i] = before;
}

void oracle_tree_leaves(const bl_tree *tree, size_t value, const float *row,
                        size_t n_features, long double *phi)
{
    (void)n_features;
    leaf_walk w = {.tree = tree, .value = value, .row = row, .phi = phi};
    w.most = (size_t)tree->depth + 1;
    w.path = memory_for(w.most, sizeof *w.path);
    w.weights = memory_for((w.most + 1) * w.most, sizeof *w.weights);
    for (size_t n = 1; n <= w.most; n++)
        for (size_t k = 0; k < n; k++)
            w.weights[n * w.most + k] = coalition_weight((int)n, (int)k);
    walk_leaves(&w, 0, 0);
    free(w.path);
    free(w.weights);
}

/* --- Forests ------------------------------------------------------------------------ */

static long double mean_below(const bl_tree *tree, uint32_t node, size_t value)
{
    if (tree->left[node] < 0)
        return leaf_value(tree, node, value);
    long double z = share_of_left(tree, node);
    return z * mean_below(tree, (uint32_t)tree->left[node], value) +
           (1 - z) * mean_below(tree, (uint32_t)tree->right[node], value);
}

long double oracle_tree_mean(const bl_tree *tree, size_t value)
{
    return mean_below(tree, 0, value);
}

long double oracle_tree_value(const bl_tree *tree, size_t value, const float *row)
{
    uint32_t node = 0;
    while (tree->left[node] >= 0)
        node = (uint32_t)(row_goes_left(tree, node, row[tree->feature[node]])
                              ? tree->left[node]
                              : tree->right[node]);
    return leaf_value(tree, node, value);
}

/* Which value of the tree's leaves goes to the output; false: none. */
static bool value_for(const bl_tree *tree, size_t output, size_t *ret_value)
{
    *ret_value = tree->n_values > 1 ? output : 0;
    return tree->n_values > 1 || tree->output == output;
}

void oracle_forest_phi(const bl_forest *forest, size_t first, size_t last, size_t output,
                       const float *row, const float *base, oracle_tree_phi tree_phi,
                       long double *phi)
{
    size_t n = forest->n_features, value;
    for (size_t f = 0; f < n; f++)
        phi[f] = 0;
    phi[n] = (long double)(base ? base[output] : forest->base_margin[output]);
    for (uint32_t t = forest->round_first[first]; t < forest->round_first[last]; t++)
        if (value_for(forest->trees + t, output, &value)) {
            phi[n] += oracle_tree_mean(forest->trees + t, value);
            tree_phi(forest->trees + t, value, row, n, phi);
        }
}

long double oracle_forest_margin(const bl_forest *forest, size_t first, size_t last,
                                 size_t output, const float *row, const float *base)
{
    size_t value;
    long double sum = (long double)(base ? base[output] : forest->base_margin[output]);
    for (uint32_t t = forest->round_first[first]; t < forest->round_first[last]; t++)
        if (value_for(forest->trees + t, output, &value))
            sum += oracle_tree_value(forest->trees + t, value, row);
    return sum;
}
