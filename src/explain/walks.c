/* SPDX-License-Identifier: Apache-2.0 */
/* Rows down the trees one by one. */
#include "explain/walks.h"

#include "base/mem.h"
#include "explain/explain_priv.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>

static int threads(int n_threads)
{
    return n_threads > 0 ? n_threads : omp_get_max_threads();
}

void bli_leaves(const bl_forest *forest, size_t first, size_t last, const float *rows,
                uint64_t n_rows, int n_threads, uint32_t *leaves)
{
    size_t from = forest->round_first[first], n = forest->round_first[last] - from;
#pragma omp parallel for num_threads(threads(n_threads)) if (n_rows > 64)
    for (uint64_t r = 0; r < n_rows; r++)
        for (size_t t = 0; t < n; t++)
            leaves[r * n + t] =
                bli_tree_leaf(forest->trees + from + t, rows + r * forest->n_features);
}

/* --- Margins in double -------------------------------------------------------------- */

static void linear_margins(const bl_forest *forest, const float *row, double *margins)
{
    size_t K = forest->n_outputs;
    for (size_t o = 0; o < K; o++) {
        margins[o] += (double)forest->linear[forest->n_features * K + o];
        for (size_t f = 0; f < forest->n_features; f++) {
            float w = forest->linear[f * K + o];
            if (!isnan(row[f]) && w != 0)
                margins[o] += (double)w * (double)row[f];
        }
    }
}

void bli_exact_margins(const bl_forest *forest, size_t first, size_t last,
                       const float *rows, uint64_t n_rows, const float *base,
                       int n_threads, double *margins)
{
    size_t K = forest->n_outputs;
    bool trees = !forest->linear && forest->n_trees;
    size_t from = trees ? forest->round_first[first] : 0;
    size_t to = trees ? forest->round_first[last] : 0;
#pragma omp parallel for num_threads(threads(n_threads)) if (n_rows > 64)
    for (uint64_t r = 0; r < n_rows; r++) {
        const float *row = rows + r * forest->n_features;
        double *out = margins + r * K;
        for (size_t o = 0; o < K; o++)
            out[o] = (double)(base ? base[r * K + o] : forest->base_margin[o]);
        for (size_t t = from; t < to; t++) {
            const bl_tree *tree = forest->trees + t;
            size_t leaf = (size_t)bli_tree_leaf(tree, row) * tree->n_values;
            for (size_t v = 0; v < tree->n_values; v++)
                out[tree->output + v] +=
                    (double)tree->leaf[leaf + v] * (double)tree->weight;
        }
        if (forest->linear)
            linear_margins(forest, row, out);
    }
}

/* --- Approximate contributions ------------------------------------------------------ */

/* Mean leaf by cover below each node of one tree, weight included: means [n_nodes][n_values].
 * order [n_nodes]: parents before children, made on the way. */
static void mean_leaves(const bl_tree *tree, uint32_t *order, double *means)
{
    uint32_t n = 1;
    order[0] = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t node = order[i];
        if (tree->left[node] < 0)
            continue;
        order[n++] = (uint32_t)tree->left[node];
        order[n++] = (uint32_t)tree->right[node];
    }
    size_t V = tree->n_values;
    while (n-- > 0) {
        uint32_t node = order[n];
        bool leaf = tree->left[node] < 0;
        size_t left = leaf ? 0 : (size_t)tree->left[node];
        size_t right = leaf ? 0 : (size_t)tree->right[node];
        double z = leaf ? 0 : bli_left_share(tree->cover[left], tree->cover[right]);
        for (size_t v = 0; v < V; v++)
            means[node * V + v] =
                leaf ? (double)tree->leaf[node * V + v] * (double)tree->weight
                     : z * means[left * V + v] + (1 - z) * means[right * V + v];
    }
}

static void add_path(const bl_tree *tree, const double *means, const float *row,
                     size_t n_features, double *phi)
{
    size_t V = tree->n_values;
    for (uint32_t node = 0; tree->left[node] >= 0;) {
        uint32_t feature = tree->feature[node],
                 next = bli_tree_child(tree, node, row[feature]);
        for (size_t v = 0; v < V; v++)
            phi[(tree->output + v) * n_features + feature] +=
                means[next * V + v] - means[node * V + v];
        node = next;
    }
}

typedef struct means {
    double *memory;
    size_t *first; /* [n_trees] */
} means;

static bl_status make_means(const bl_explainer *e, means *m, bl_err *err)
{
    const bl_tree *trees = e->forest->trees + e->forest->round_first[e->first];
    size_t n = 0;
    uint32_t most = 0;
    for (size_t t = 0; t < e->n_trees; t++) {
        m->first[t] = n;
        n += (size_t)trees[t].n_nodes * trees[t].n_values;
        most = trees[t].n_nodes > most ? trees[t].n_nodes : most;
    }
    void *memory, *order;
    bl_status st = bli_alloc(n, sizeof(double), "means of nodes", &memory, err);
    if (st != BL_OK)
        return st;
    m->memory = memory;
    st = bli_alloc(most, sizeof(uint32_t), "means of nodes", &order, err);
    for (size_t t = 0; st == BL_OK && t < e->n_trees; t++)
        mean_leaves(trees + t, order, m->memory + m->first[t]);
    if (st == BL_OK)
        free(order);
    return st;
}

static void approximate_row(const bl_explainer *e, const means *m, const float *row,
                            double *sums, float *phi)
{
    size_t F = e->n_features, K = e->n_outputs;
    const bl_tree *trees =
        e->n_trees ? e->forest->trees + e->forest->round_first[e->first] : NULL;
    for (size_t i = 0; i < F * K; i++)
        sums[i] = 0;
    for (size_t t = 0; t < e->n_trees; t++)
        add_path(trees + t, m->memory + m->first[t], row, F, sums);
    for (size_t o = 0; o < K; o++) {
        for (size_t f = 0; f < F; f++)
            phi[o * (F + 1) + f] = (float)sums[o * F + f];
        phi[o * (F + 1) + F] = (float)e->base_values[o];
    }
}

bl_status bli_approximate_rows(const bl_explainer *e, const float *rows, uint64_t n_rows,
                               int n_threads, float *phi, bl_err *err)
{
    size_t F = e->n_features, K = e->n_outputs;
    void *first, *sums = NULL;
    means m = {0};
    int n = threads(n_threads);
    if (e->forest->linear)
        return bli_explain_rows(e, rows, n_rows, phi, err);
    bl_status st = bli_alloc(e->n_trees, sizeof *m.first, "means of nodes", &first, err);
    if (st != BL_OK)
        return st;
    m.first = first;
    if (e->n_trees)
        st = make_means(e, &m, err);
    if (st == BL_OK)
        st = bli_alloc((size_t)n, F * K * sizeof(double), "sums of features", &sums, err);
    double *all = sums;
#pragma omp parallel for num_threads(n) if (n_rows > 64)
    for (uint64_t r = 0; r < (st == BL_OK ? n_rows : 0); r++)
        approximate_row(e, &m, rows + r * F, all + (size_t)omp_get_thread_num() * F * K,
                        phi + r * K * (F + 1));
    free(m.memory);
    free(m.first);
    free(sums);
    return st;
}
