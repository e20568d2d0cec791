/* SPDX-License-Identifier: Apache-2.0 */
#include "oracle/background.h"

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

/* a! b! / (a + b + 1)! */
static long double weight(int a, int b)
{
    return expl(lgammal(a + 1) + lgammal(b + 1) - lgammal(a + b + 2));
}

/* --- All coalitions
 * ------------------------------------------------------------------------------------- */

void oracle_pair_subsets(const bl_tree *tree, size_t value, const float *row,
                         const float *back, size_t n_features, long double *phi)
{
    uint32_t *feature = memory_for(n_features, sizeof *feature);
    float *mixed = memory_for(n_features, sizeof *mixed);
    int n = 0;
    for (uint32_t node = 0; node < tree->n_nodes; node++) {
        int i = 0;
        while (i < n && feature[i] != tree->feature[node])
            i++;
        if (tree->left[node] >= 0 && i == n)
            feature[n++] = tree->feature[node];
    }
    if (n > ORACLE_MOST_FEATURES) {
        fprintf(stderr, "%d features are too many coalitions\n", n);
        abort();
    }
    long double *worth = memory_for((size_t)1 << n, sizeof *worth);
    memcpy(mixed, back, n_features * sizeof *mixed);
    for (uint32_t s = 0; s < 1U << n; s++) {
        for (int i = 0; i < n; i++)
            mixed[feature[i]] = s >> i & 1 ? row[feature[i]] : back[feature[i]];
        worth[s] = oracle_tree_value(tree, value, mixed);
    }
    long double by_size[ORACLE_MOST_FEATURES];
    for (int size = 0; size < n; size++)
        by_size[size] = weight(size, n - 1 - size);
    for (int i = 0; i < n; i++)
        for (uint32_t s = 0; s < 1U << n; s++)
            if (!(s >> i & 1))
                phi[feature[i]] +=
                    by_size[__builtin_popcount(s)] * (worth[s | 1U << i] - worth[s]);
    free(worth);
    free(mixed);
    free(feature);
}

/* --- By leaves
 * ------------------------------------------------------------------------------------- */

typedef struct sides {
    uint32_t feature;
    bool row, back; /* satisfies all its splits so far */
} sides;

typedef struct walk {
    const bl_tree *tree;
    size_t value;
    const float *row, *back;
    long double *phi;
    sides *path;
} walk;

static bool goes_left(const bl_tree *tree, uint32_t node, float x)
{
    if (isnan(x))
        return tree->default_left[node] != 0;
    if (!tree->cat_words || tree->cat_words[node] == 0)
        return x < tree->threshold[node];
    if (x < 0 || (double)x >= 32.0 * tree->cat_words[node])
        return true;
    uint32_t c = (uint32_t)x;
    return !(tree->cat_bits[tree->cat_first[node] + c / 32] & 1U << c % 32);
}

/* The coalition must hold all that only the row satisfies, and none of what only the
 * background row does. */
static void add_leaf(const walk *w, size_t n, long double v)
{
    int needed = 0, barred = 0;
    for (size_t i = 0; i < n; i++) {
        if (!w->path[i].row && !w->path[i].back)
            return;
        needed += w->path[i].row && !w->path[i].back;
        barred += !w->path[i].row && w->path[i].back;
    }
    for (size_t i = 0; i < n; i++) {
        if (w->path[i].row && !w->path[i].back)
            w->phi[w->path[i].feature] += v * weight(needed - 1, barred);
        else if (!w->path[i].row && w->path[i].back)
            w->phi[w->path[i].feature] -= v * weight(needed, barred - 1);
    }
}

static void walk_leaves(const walk *w, uint32_t node, size_t n)
{
    const bl_tree *tree = w->tree;
    if (tree->left[node] < 0) {
        add_leaf(w, n,
                 (long double)tree->weight *
                     (long double)tree->leaf[node * tree->n_values + w->value]);
        return;
    }
    uint32_t feature = tree->feature[node];
    size_t i = 0;
    while (i < n && w->path[i].feature != feature)
        i++;
    sides before = i < n ? w->path[i] : (sides){feature, true, true};
    bool row = goes_left(tree, node, w->row[feature]);
    bool back = goes_left(tree, node, w->back[feature]);
    for (int right = 0; right < 2; right++) {
        w->path[i] =
            (sides){feature, before.row && row == !right, before.back && back == !right};
        walk_leaves(w, (uint32_t)(right ? tree->right[node] : tree->left[node]),
                    i == n ? n + 1 : n);
    }
    w->path[i] = before;
}

void oracle_pair_leaves(const bl_tree *tree, size_t value, const float *row,
                        const float *back, size_t n_features, long double *phi)
{
    (void)n_features;
    walk w = {.tree = tree, .value = value, .row = row, .back = back, .phi = phi};
    w.path = memory_for((size_t)tree->depth + 1, sizeof *w.path);
    walk_leaves(&w, 0, 0);
    free(w.path);
}

/* --- Forests
 * ------------------------------------------------------------------------------------- */

void oracle_background_phi(const bl_forest *forest, size_t output, const float *row,
                           const float *background, size_t n_background,
                           oracle_pair_phi pair_phi, oracle_link f, long double label,
                           long double *phi)
{
    size_t n = forest->n_features;
    long double *pair = memory_for(n, sizeof *pair);
    long double x = oracle_forest_margin(forest, 0, forest->n_rounds, output, row, NULL);
    memset(phi, 0, (n + 1) * sizeof *phi);
    for (size_t b = 0; b < n_background; b++) {
        const float *back = background + b * n;
        long double y =
            oracle_forest_margin(forest, 0, forest->n_rounds, output, back, NULL);
        memset(pair, 0, n * sizeof *pair);
        for (size_t t = 0; t < forest->n_trees; t++) {
            const bl_tree *tree = forest->trees + t;
            if (tree->n_values > 1 || tree->output == output)
                pair_phi(tree, tree->n_values > 1 ? output : 0, row, back, n, pair);
        }
        long double factor = 1;
        if (f && fabsl(x - y) > 1e-9L)
            factor = (f(x, label) - f(y, label)) / (x - y);
        else if (f) /* the slope, by a difference that long double affords */
            factor = (f(x + 1e-6L, label) - f(x - 1e-6L, label)) / 2e-6L;
        for (size_t i = 0; i < n; i++)
            phi[i] += factor * pair[i] / (long double)n_background;
        phi[n] += (f ? f(y, label) : y) / (long double)n_background;
    }
    free(pair);
}
