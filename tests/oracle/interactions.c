/* SPDX-License-Identifier: Apache-2.0 */
#include "oracle/interactions.h"

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

static long double left_share(const bl_tree *tree, uint32_t node)
{
    long double left = (long double)tree->cover[tree->left[node]];
    long double right = (long double)tree->cover[tree->right[node]];
    return left + right > 0 ? left / (left + right) : 0.5L;
}

typedef struct factor {
    uint32_t feature;
    long double one, zero; /* the row satisfies all its splits; product of shares */
} factor;

typedef void (*leaf_visitor)(void *cookie, const factor *path, size_t n, long double v);

typedef struct visit {
    const bl_tree *tree;
    size_t value;
    const float *row;
    leaf_visitor visitor;
    void *cookie;
    factor *path;
} visit;

static void visit_leaves(const visit *w, uint32_t node, size_t n)
{
    const bl_tree *tree = w->tree;
    if (tree->left[node] < 0) {
        w->visitor(w->cookie, w->path, n,
                   (long double)tree->weight *
                       (long double)tree->leaf[node * tree->n_values + w->value]);
        return;
    }
    size_t i = 0;
    while (i < n && w->path[i].feature != tree->feature[node])
        i++;
    factor before = i < n ? w->path[i] : (factor){tree->feature[node], 1, 1};
    bool left = goes_left(tree, node, w->row[tree->feature[node]]);
    long double z = left_share(tree, node);
    for (int right = 0; right < 2; right++) {
        w->path[i] = before;
        w->path[i].one *= left == !right;
        w->path[i].zero *= right ? 1 - z : z;
        visit_leaves(w, (uint32_t)(right ? tree->right[node] : tree->left[node]),
                     i == n ? n + 1 : n);
    }
    w->path[i] = before;
}

static void all_leaves(const bl_tree *tree, size_t value, const float *row,
                       leaf_visitor visitor, void *cookie)
{
    visit w = {
        .tree = tree, .value = value, .row = row, .visitor = visitor, .cookie = cookie};
    w.path = memory_for((size_t)tree->depth + 1, sizeof *w.path);
    visit_leaves(&w, 0, 0);
    free(w.path);
}

/* |S|! (n - 2 - |S|)! / (n - 1)! */
static long double pair_weight(int n, int size)
{
    return expl(lgammal(size + 1) + lgammal(n - 1 - size) - lgammal(n));
}

/* --- All coalitions ----------------------------------------------------------------- */

typedef struct game {
    int *bit; /* [n_features]; -1 elsewhere */
    int n;
    long double *worth; /* [2^n] */
} game;

static void add_to_worths(void *cookie, const factor *path, size_t n, long double v)
{
    const game *g = cookie;
    for (uint32_t s = 0; s < 1U << g->n; s++) {
        long double product = v;
        for (size_t i = 0; i < n; i++)
            product *= s >> g->bit[path[i].feature] & 1 ? path[i].one : path[i].zero;
        g->worth[s] += product;
    }
}

void oracle_pairs_subsets(const bl_tree *tree, size_t value, const float *row,
                          size_t n_features, long double *matrix)
{
    game g = {.bit = memory_for(n_features, sizeof *g.bit)};
    for (size_t f = 0; f < n_features; f++)
        g.bit[f] = -1;
    for (uint32_t node = 0; node < tree->n_nodes; node++)
        if (tree->left[node] >= 0 && g.bit[tree->feature[node]] < 0)
            g.bit[tree->feature[node]] = g.n++;
    if (g.n > ORACLE_MOST_FEATURES) {
        fprintf(stderr, "%d features are too many coalitions\n", g.n);
        abort();
    }
    g.worth = memory_for((size_t)1 << g.n, sizeof *g.worth);
    long double weight[ORACLE_MOST_FEATURES];
    for (int size = 0; size + 2 <= g.n; size++)
        weight[size] = pair_weight(g.n, size) / 2;
    all_leaves(tree, value, row, add_to_worths, &g);
    for (size_t i = 0; i < n_features; i++)
        for (size_t j = 0; j < n_features; j++) {
            if (i == j || g.bit[i] < 0 || g.bit[j] < 0)
                continue;
            uint32_t a = 1U << g.bit[i], b = 1U << g.bit[j];
            for (uint32_t s = 0; s < 1U << g.n; s++)
                if (!(s & (a | b)))
                    matrix[i * n_features + j] += weight[__builtin_popcount(s)] *
                                                  (g.worth[s | a | b] - g.worth[s | a] -
                                                   g.worth[s | b] + g.worth[s]);
        }
    free(g.worth);
    free(g.bit);
}

/* --- By leaves ---------------------------------------------------------------------- */

typedef struct by_leaves {
    size_t n_features;
    long double *matrix, *poly;
    long double *weight; /* [n] of one leaf */
} by_leaves;

static void add_leaf(void *cookie, const factor *path, size_t n, long double v)
{
    const by_leaves *w = cookie;
    for (size_t k = 0; k + 2 <= n; k++)
        w->weight[k] = pair_weight((int)n, (int)k) * v / 2;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) {
            size_t degree = 0;
            w->poly[0] = 1;
            for (size_t l = 0; l < n; l++) {
                if (l == i || l == j)
                    continue;
                w->poly[++degree] = 0;
                for (size_t k = degree; k > 0; k--)
                    w->poly[k] = w->poly[k] * path[l].zero + w->poly[k - 1] * path[l].one;
                w->poly[0] *= path[l].zero;
            }
            long double sum = 0;
            for (size_t k = 0; k <= degree; k++)
                sum += w->weight[k] * w->poly[k];
            sum *= (path[i].one - path[i].zero) * (path[j].one - path[j].zero);
            w->matrix[path[i].feature * w->n_features + path[j].feature] += sum;
            w->matrix[path[j].feature * w->n_features + path[i].feature] += sum;
        }
}

void oracle_pairs_leaves(const bl_tree *tree, size_t value, const float *row,
                         size_t n_features, long double *matrix)
{
    by_leaves w = {.n_features = n_features, .matrix = matrix};
    w.poly = memory_for((size_t)tree->depth + 1, sizeof *w.poly);
    w.weight = memory_for((size_t)tree->depth + 1, sizeof *w.weight);
    all_leaves(tree, value, row, add_leaf, &w);
    free(w.poly);
    free(w.weight);
}

/* --- Forests ------------------------------------------------------------------------ */

void oracle_forest_matrix(const bl_forest *forest, size_t first, size_t last,
                          size_t output, const float *row, oracle_tree_pairs tree_pairs,
                          long double *matrix)
{
    size_t n = forest->n_features, side = n + 1;
    long double *pairs = memory_for(n * n, sizeof *pairs);
    long double *phi = memory_for(side, sizeof *phi);
    for (uint32_t t = forest->round_first[first]; t < forest->round_first[last]; t++) {
        const bl_tree *tree = forest->trees + t;
        if (tree->n_values > 1 || tree->output == output)
            tree_pairs(tree, tree->n_values > 1 ? output : 0, row, n, pairs);
    }
    oracle_forest_phi(forest, first, last, output, row, NULL, oracle_tree_leaves, phi);
    memset(matrix, 0, side * side * sizeof *matrix);
    for (size_t i = 0; i < n; i++) {
        matrix[i * side + i] = phi[i];
        for (size_t j = 0; j < n; j++)
            if (i != j) {
                matrix[i * side + j] = pairs[i * n + j];
                matrix[i * side + i] -= pairs[i * n + j];
            }
    }
    matrix[side * side - 1] = phi[n];
    free(pairs);
    free(phi);
}
