/* SPDX-License-Identifier: Apache-2.0 */
/* A forest and a background -> what all rows share. */
#include "explain/background_priv.h"

#include "explain/explain_priv.h"

#include "base/mem.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#define ROWS BLK_BG_ROWS

/* Tables that are kept; larger ones are made again for each call and some trees at a time. */
#define KEPT_BYTES ((size_t)256 << 20)

void bli_background_kernels(const char *ret_names[BLI_BACKGROUND_KERNELS])
{
    const blk_background *list[BLK_BG_VARIANTS + 1];
    blk_background_variants(list);
    size_t n = 0;
    for (; list[n]; n++)
        ret_names[n] = list[n]->name;
    ret_names[n] = NULL;
}

static bl_status pick_kernel(bl_background *bg, const char *name, bl_err *err)
{
    const blk_background *list[BLK_BG_VARIANTS + 1];
    blk_background_variants(list);
    for (size_t i = 0; list[i]; i++)
        if (!name || strcmp(name, list[i]->name) == 0)
            bg->kernel = list[i];
    if (!bg->kernel)
        return bli_fail(err, BL_E_ARG,
                        "kernel '%.40s': this processor has none of that name", name);
    return BL_OK;
}

static const bl_tree *first_tree(const bl_background *bg)
{
    const bl_forest *forest = bg->forest;
    return forest->n_trees ? forest->trees + forest->round_first[bg->first] : NULL;
}

/* --- Rows in groups
 * ------------------------------------------------------------------------------------- */

bl_status bli_groups_init(const bl_background *bg, const float *rows, uint64_t n_rows,
                          bl_groups *groups, bl_err *err)
{
    *groups = (bl_groups){
        .n_rows = n_rows, .n_groups = (n_rows + ROWS - 1) / ROWS, .n_used = bg->n_used};
    size_t n, bytes;
    if (!bli_mul((size_t)groups->n_groups, 3 * bg->n_used, &n) ||
        !bli_mul(n ? n : 1, ROWS * sizeof(float), &bytes) ||
        !(groups->x = aligned_alloc(64, bytes)))
        return bli_fail(err, BL_E_NOMEM, "no memory for %llu rows of %zu used features",
                        (unsigned long long)n_rows, bg->n_used);
    if (rows)
        bli_groups_fill(bg, rows, groups);
    return BL_OK;
}

void bli_groups_done(bl_groups *groups)
{
    free(groups->x);
    *groups = (bl_groups){0};
}

/* Lanes beyond the last row repeat it. */
void bli_groups_fill(const bl_background *bg, const float *rows, bl_groups *groups)
{
    size_t plane = bg->n_used * ROWS;
    for (uint64_t g = 0; g < groups->n_groups; g++) {
        float *low = groups->x + g * 3 * plane, *high = low + plane, *raw = high + plane;
        for (size_t u = 0; u < bg->n_used; u++)
            for (size_t r = 0; r < ROWS; r++) {
                uint64_t row = g * ROWS + r;
                if (row >= groups->n_rows)
                    row = groups->n_rows - 1;
                float value = rows[row * bg->n_features + bg->used[u]];
                raw[u * ROWS + r] = value;
                low[u * ROWS + r] = isnan(value) ? -INFINITY : value;
                high[u * ROWS + r] = isnan(value) ? INFINITY : value;
            }
    }
}

/* --- The forest
 * ------------------------------------------------------------------------------------- */

static void mark_used(const bl_background *bg, uint32_t *slot_of)
{
    const bl_tree *trees = first_tree(bg);
    for (size_t t = 0; t < bg->n_trees; t++)
        for (uint32_t n = 0; n < trees[t].n_nodes; n++)
            if (trees[t].left[n] >= 0)
                slot_of[trees[t].feature[n]] = 1;
    const float *linear = bg->forest->linear;
    for (size_t i = 0; linear && i < bg->n_features * bg->n_outputs; i++)
        if (linear[i] != 0)
            slot_of[i / bg->n_outputs] = 1;
}

static bl_status find_used(bl_background *bg, uint32_t *slot_of, bl_err *err)
{
    mark_used(bg, slot_of);
    for (size_t f = 0; f < bg->n_features; f++)
        bg->n_used += slot_of[f];
    void *memory;
    bl_status st = bli_alloc(bg->n_used, sizeof *bg->used, "used features", &memory, err);
    if (st != BL_OK)
        return st;
    bg->used = memory;
    uint32_t slot = 0;
    for (size_t f = 0; f < bg->n_features; f++)
        if (slot_of[f]) {
            bg->used[slot] = (uint32_t)f;
            slot_of[f] = slot++;
        }
    return BL_OK;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static void measure(bl_background *bg)
{
    for (size_t t = 0; t < bg->n_trees; t++) {
        const bl_bg_tree *tree = bg->trees + t;
        bg->max_depth = larger(bg->max_depth, tree->tree.depth);
        bg->max_splits = larger(bg->max_splits, tree->lanes.n_splits);
        bg->max_pieces = larger(bg->max_pieces, tree->lanes.n_pieces);
        bg->n_pieces += tree->lanes.n_pieces;
        bg->n_deep += tree->n_deep;
        for (uint32_t l = 0; l < tree->n_leaves; l++)
            bg->most_features = larger(bg->most_features, tree->leaves[l].n_features);
        bg->table_first[t + 1] = bg->table_first[t] + tree->n_table;
    }
}

static bl_status compile_trees(bl_background *bg, const uint32_t *slot_of, bl_err *err)
{
    void *memory;
    bl_status st =
        bli_alloc(bg->n_trees, sizeof *bg->trees, "compiled trees", &memory, err);
    if (st != BL_OK)
        return st;
    bg->trees = memory;
    st = bli_alloc(bg->n_trees + 1, sizeof *bg->table_first, "compiled trees", &memory,
                   err);
    if (st != BL_OK)
        return st;
    bg->table_first = memory;
    for (size_t t = 0; st == BL_OK && t < bg->n_trees; t++)
        st =
            bli_bg_tree_init(first_tree(bg) + t, slot_of, bg->n_used, bg->trees + t, err);
    if (st == BL_OK)
        measure(bg);
    return st;
}

/* Rules for tables, and k! m! / (k + m + 1)! for what has none. */
static bl_status make_weights(bl_background *bg, bl_err *err)
{
    void *memory;
    bl_status st = bli_alloc(BLK_BG_POINTS * (BLK_BG_POINTS + 1), sizeof(double),
                             "quadrature rules", &memory, err);
    if (st != BL_OK)
        return st;
    bg->rules = memory;
    for (size_t n = 1; n <= BLK_BG_POINTS; n++)
        blk_gauss_legendre(n, bg->rules + n * (n - 1), bg->rules + n * (n - 1) + n);
    size_t side = (size_t)bg->most_features + 1;
    st = bli_alloc(side * side, sizeof(double), "weights of coalitions", &memory, err);
    if (st != BL_OK)
        return st;
    bg->beta = memory;
    for (size_t k = 0; k < side; k++) {
        bg->beta[k * side] = 1 / (double)(k + 1);
        for (size_t m = 1; m < side; m++)
            bg->beta[k * side + m] =
                bg->beta[k * side + m - 1] * (double)m / (double)(k + m + 1);
    }
    return BL_OK;
}

static bl_status compile(bl_background *bg, bl_err *err)
{
    void *memory;
    bl_status st =
        bli_alloc(bg->n_features, sizeof(uint32_t), "feature slots", &memory, err);
    if (st != BL_OK)
        return st;
    uint32_t *slot_of = memory;
    st = find_used(bg, slot_of, err);
    if (st == BL_OK)
        st = compile_trees(bg, slot_of, err);
    free(slot_of);
    return st == BL_OK ? make_weights(bg, err) : st;
}

/* --- The background
 * ------------------------------------------------------------------------------------- */

/* A missing value counts as 0, and so does anything under a weight of 0. */
static double linear_term(const bl_background *bg, const float *row, size_t u,
                          size_t output)
{
    float x = row[bg->used[u]];
    float w = bg->forest->linear[bg->used[u] * bg->n_outputs + output];
    return isnan(x) || w == 0 ? 0 : (double)w * (double)x;
}

void bli_bg_margins(const bl_background *bg, const float *row, double *margins)
{
    const bl_forest *forest = bg->forest;
    const bl_tree *trees = first_tree(bg);
    for (size_t o = 0; o < bg->n_outputs; o++)
        margins[o] = (double)forest->base_margin[o];
    for (size_t t = 0; t < bg->n_trees; t++) {
        const bl_tree *tree = trees + t;
        size_t leaf = (size_t)bli_tree_leaf(tree, row) * tree->n_values;
        for (size_t v = 0; v < tree->n_values; v++)
            margins[tree->output + v] +=
                (double)tree->weight * (double)tree->leaf[leaf + v];
    }
    for (size_t o = 0; forest->linear && o < bg->n_outputs; o++) {
        margins[o] += (double)forest->linear[bg->n_features * bg->n_outputs + o];
        for (size_t u = 0; u < bg->n_used; u++)
            margins[o] += linear_term(bg, row, u, o);
    }
}

static bl_status mean_margins(bl_background *bg, const float *rows, uint64_t n_rows,
                              int n_threads, bl_err *err)
{
    size_t K = bg->n_outputs;
    void *memory;
    bl_status st = bli_alloc(K, sizeof(double), "base values", &memory, err);
    if (st != BL_OK)
        return st;
    bg->means = memory;
    st = bli_alloc((size_t)n_rows, K * sizeof(double), "margins of the background",
                   &memory, err);
    if (st != BL_OK)
        return st;
    bg->margins = memory;
#pragma omp parallel for num_threads(n_threads)
    for (uint64_t r = 0; r < n_rows; r++)
        bli_bg_margins(bg, rows + r * bg->n_features, bg->margins + r * K);
    for (uint64_t r = 0; r < n_rows; r++)
        for (size_t o = 0; o < K; o++)
            bg->means[o] += bg->margins[r * K + o];
    for (size_t o = 0; o < K; o++)
        bg->means[o] /= (double)n_rows;
    return BL_OK;
}

static bl_status mean_cells(bl_background *bg, const float *rows, uint64_t n_rows,
                            bl_err *err)
{
    void *memory;
    bl_status st =
        bli_alloc(bg->n_used, sizeof(double), "means of features", &memory, err);
    if (st != BL_OK)
        return st;
    bg->linear = memory;
    for (uint64_t r = 0; r < n_rows; r++)
        for (size_t u = 0; u < bg->n_used; u++) {
            float x = rows[r * bg->n_features + bg->used[u]];
            bg->linear[u] += isnan(x) ? 0 : (double)x / (double)n_rows;
        }
    return BL_OK;
}

static bl_status keep_tables(bl_background *bg, int n_threads, bl_err *err)
{
    size_t n = bg->n_trees ? bg->table_first[bg->n_trees] : 0;
    if (n == 0 || n > KEPT_BYTES / sizeof(float))
        return BL_OK;
    float *tables = aligned_alloc(64, (n * sizeof *tables + 63) / 64 * 64);
    if (!tables)
        return bli_fail(err, BL_E_NOMEM, "no memory for tables of the background");
    bg->tables = tables;
    bl_status st = BL_OK;
#pragma omp parallel num_threads(n_threads)
    {
        bl_table_scratch scratch;
        bl_status mine = bli_table_scratch_init(bg, &scratch, NULL);
#pragma omp critical
        if (mine != BL_OK)
            st = mine;
#pragma omp for schedule(dynamic, 1)
        for (size_t t = 0; t < bg->n_trees; t++)
            if (mine == BL_OK)
                bli_bg_tables(bg, bg->trees + t, &scratch, tables + bg->table_first[t]);
        if (mine == BL_OK)
            bli_table_scratch_done(&scratch);
    }
    return st == BL_OK
               ? BL_OK
               : bli_fail(err, BL_E_NOMEM, "no memory for tables of the background");
}

static bl_status check(const bl_forest *forest, size_t first, size_t last,
                       uint64_t n_background, bl_err *err)
{
    if (first > last || last > forest->n_rounds)
        return bli_fail(
            err, BL_E_ARG,
            "rounds %zu to %zu of a model with %zu rounds: give a range within it", first,
            last, forest->n_rounds);
    if (n_background == 0)
        return bli_fail(err, BL_E_ARG, "a background of no rows: give at least one");
    if (n_background > UINT32_MAX)
        return bli_fail(err, BL_E_LIMIT,
                        "a background of %llu rows: up to 4294967295 can be counted",
                        (unsigned long long)n_background);
    return BL_OK;
}

bl_status bli_background_new(const bl_forest *forest, size_t first, size_t last,
                             const float *background, uint64_t n_background,
                             const char *kernel, int n_threads,
                             bl_background **ret_background, bl_err *err)
{
    bl_status st = check(forest, first, last, n_background, err);
    if (st != BL_OK)
        return st;
    bl_background *bg = calloc(1, sizeof *bg);
    if (!bg)
        return bli_fail(err, BL_E_NOMEM, "no memory for a background");
    bg->forest = forest;
    bg->first = first;
    bg->last = last;
    bg->n_features = forest->n_features;
    bg->n_outputs = forest->n_outputs;
    if (!forest->linear && forest->n_trees)
        bg->n_trees = forest->round_first[last] - forest->round_first[first];
    if (n_threads <= 0)
        n_threads = omp_get_max_threads();
    st = pick_kernel(bg, kernel, err);
    if (st == BL_OK)
        st = compile(bg, err);
    if (st == BL_OK)
        st = mean_margins(bg, background, n_background, n_threads, err);
    if (st == BL_OK)
        st = bli_groups_init(bg, background, n_background, &bg->background, err);
    if (st == BL_OK && forest->linear)
        st = mean_cells(bg, background, n_background, err);
    if (st == BL_OK)
        st = keep_tables(bg, n_threads, err);
    if (st != BL_OK) {
        bli_background_free(bg);
        return st;
    }
    *ret_background = bg;
    return BL_OK;
}

void bli_background_free(bl_background *bg)
{
    if (!bg)
        return;
    for (size_t t = 0; bg->trees && t < bg->n_trees; t++)
        bli_bg_tree_done(bg->trees + t);
    bli_groups_done(&bg->background);
    free(bg->trees);
    free(bg->table_first);
    free(bg->tables);
    free(bg->used);
    free(bg->rules);
    free(bg->beta);
    free(bg->means);
    free(bg->margins);
    free(bg->linear);
    free(bg);
}

const char *bli_background_kernel(const bl_background *bg)
{
    return bg->kernel->name;
}

const double *bli_background_base_values(const bl_background *bg)
{
    return bg->means;
}

size_t bli_background_n_features(const bl_background *bg)
{
    return bg->n_features;
}

size_t bli_background_n_outputs(const bl_background *bg)
{
    return bg->n_outputs;
}
