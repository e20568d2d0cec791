/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows against a background in probability or log-loss space: the values of each pair of
 * rows take that pair's factor, so that every pair is met. What can be shared is: a leaf
 * counts only where the row and the background row fail no feature both, and all background
 * rows that fail the same set there share everything but their factors' sum.
 */
#include "explain/background_priv.h"

#include "base/mem.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#define ROWS BLK_BG_ROWS

/* Background rows at a time: their numbers fit 16 bits, their factors a core's caches. */
#define CHUNK 1024

/* Below this difference of margins the slope in the middle stands for the quotient: off by
 * its square times a third derivative below 1/8. */
#define SMALL 1e-5

typedef struct link {
    bl_space space;
    double label;
} link;

static double value_at(const link *l, double margin)
{
    if (l->space == BL_SPACE_PROBABILITY)
        return 1 / (1 + exp(-margin));
    double softplus = margin > 0 ? margin + log1p(exp(-margin)) : log1p(exp(margin));
    return softplus - l->label * margin;
}

static double slope_at(const link *l, double margin)
{
    double p = 1 / (1 + exp(-margin));
    return l->space == BL_SPACE_PROBABILITY ? p * (1 - p) : p - l->label;
}

static double factor_of(const link *l, double row, double back)
{
    if (fabs(row - back) < SMALL)
        return slope_at(l, (row + back) / 2);
    return (value_at(l, row) - value_at(l, back)) / (row - back);
}

/* The sets that some background rows fail at one leaf. */
typedef struct at_leaf {
    bl_sets sets;
    uint32_t *size;    /* [n] features of each */
    uint32_t *first;   /* [n + 1] first member of each */
    uint16_t *members; /* rows of the chunk */
} at_leaf;

typedef struct task {
    const bl_background *bg;
    bl_groups rows;
    const double *margins; /* [n_rows] */
    bl_space space;
    const float *labels;
    at_leaf **leaves; /* [n_trees][n_leaves] of the chunk */
    double *sums;     /* [n_rows][n_used] */
    int n_threads;
} task;

/* --- Sets of a chunk
 * ------------------------------------------------------------------------------------- */

static void leaves_done(const task *k)
{
    for (size_t t = 0; k->leaves && t < k->bg->n_trees; t++) {
        for (uint32_t l = 0; k->leaves[t] && l < k->bg->trees[t].n_leaves; l++) {
            at_leaf *leaf = k->leaves[t] + l;
            bli_sets_done(&leaf->sets);
            free(leaf->size);
            free(leaf->first);
            free(leaf->members);
        }
        free(k->leaves[t]);
        k->leaves[t] = NULL;
    }
}

/* Members sorted by set. */
static bl_status sort_members(at_leaf *leaf, const uint32_t *set, size_t n, bl_err *err)
{
    void *size, *first, *members;
    bl_status st =
        bli_alloc(leaf->sets.n, sizeof(uint32_t), "patterns of rows", &size, err);
    if (st != BL_OK)
        return st;
    leaf->size = size;
    st = bli_alloc((size_t)leaf->sets.n + 2, sizeof(uint32_t), "patterns of rows", &first,
                   err);
    if (st != BL_OK)
        return st;
    leaf->first = first;
    st = bli_alloc(n, sizeof(uint16_t), "patterns of rows", &members, err);
    if (st != BL_OK)
        return st;
    leaf->members = members;
    uint32_t *next = leaf->first + 1; /* becomes the first member of the next set */
    for (size_t i = 0; i < n; i++)
        next[set[i] + 1]++;
    for (uint32_t s = 0; s < leaf->sets.n; s++)
        next[s + 1] += next[s];
    for (size_t i = 0; i < n; i++)
        leaf->members[next[set[i]]++] = (uint16_t)i;
    for (uint32_t s = 0; s < leaf->sets.n; s++)
        for (uint32_t i = 0; i < leaf->sets.n_words; i++)
            leaf->size[s] += (uint32_t)__builtin_popcountll(
                leaf->sets.key[(size_t)s * leaf->sets.n_words + i]);
    return BL_OK;
}

/* Background rows [first, first + n) at all leaves of one tree; first is that of a group. */
static bl_status sets_of_tree(const bl_background *bg, const bl_bg_tree *tree,
                              uint64_t first, size_t n, blk_bg_block *block,
                              at_leaf *leaves, bl_err *err)
{
    uint32_t n_words = (bg->most_features + 63) / 64;
    void *memory;
    bl_status st =
        bli_alloc(ROWS, n_words * sizeof(uint64_t), "patterns of rows", &memory, err);
    if (st != BL_OK)
        return st;
    uint64_t *keys = memory;
    st = bli_alloc(tree->n_leaves, CHUNK * sizeof(uint32_t), "patterns of rows", &memory,
                   err);
    if (st != BL_OK) {
        free(keys);
        return st;
    }
    uint32_t *set = memory;
    for (size_t at = 0; st == BL_OK && at < n; at += ROWS) {
        bli_bg_block_at(block, &bg->background, (first + at) / ROWS);
        bg->kernel->patterns(block, &tree->lanes);
        for (uint32_t l = 0; st == BL_OK && l < tree->n_leaves; l++) {
            leaves[l].sets.n_words = bli_bg_words(tree->leaves + l);
            bli_bg_keys(tree, tree->leaves + l, block, keys);
            for (size_t r = 0; st == BL_OK && r < ROWS && at + r < n; r++)
                st = bli_sets_add(&leaves[l].sets, keys + r * leaves[l].sets.n_words,
                                  set + (size_t)l * CHUNK + at + r, err);
        }
    }
    for (uint32_t l = 0; st == BL_OK && l < tree->n_leaves; l++)
        st = sort_members(leaves + l, set + (size_t)l * CHUNK, n, err);
    free(keys);
    free(set);
    return st;
}

static bl_status sets_of_chunk(const task *k, uint64_t first, size_t n, bl_err *err)
{
    const bl_background *bg = k->bg;
    bl_status st = BL_OK;
#pragma omp parallel num_threads(k->n_threads) if (k->n_threads > 1)
    {
        blk_bg_block block = {0};
        bl_status mine = bli_bg_block_init(bg, &block, NULL);
#pragma omp for schedule(dynamic, 1)
        for (size_t t = 0; t < bg->n_trees; t++) {
            const bl_bg_tree *tree = bg->trees + t;
            if (mine != BL_OK || tree->n_leaves == 0)
                continue;
            k->leaves[t] = calloc(tree->n_leaves, sizeof *k->leaves[t]);
            mine = k->leaves[t]
                       ? sets_of_tree(bg, tree, first, n, &block, k->leaves[t], NULL)
                       : BL_E_NOMEM;
        }
#pragma omp critical
        if (mine != BL_OK)
            st = mine;
        bli_bg_block_done(&block);
    }
    return st == BL_OK ? BL_OK : bli_fail(err, st, "no memory for patterns of rows");
}

/* --- Pairs
 * ------------------------------------------------------------------------------------- */

static bool meet(const uint64_t *a, const uint64_t *b, uint32_t n_words)
{
    uint64_t both = 0;
    for (uint32_t i = 0; i < n_words; i++)
        both |= a[i] & b[i];
    return both != 0;
}

/* One row at one leaf of value v: factor [CHUNK] of the pairs. */
static void add_leaf(const bl_background *bg, const bl_path_leaf *leaf,
                     const uint32_t *slot, const at_leaf *back, const uint64_t *failed,
                     double v, const double *factor, double *phi)
{
    uint32_t n_words = back->sets.n_words, m = 0;
    size_t side = (size_t)bg->most_features + 1;
    double lost = 0;
    for (uint32_t i = 0; i < n_words; i++)
        m += (uint32_t)__builtin_popcountll(failed[i]);
    for (uint32_t a = 0; a < back->sets.n; a++) {
        const uint64_t *key = back->sets.key + (size_t)a * n_words;
        if (meet(key, failed, n_words))
            continue;
        uint32_t k = back->size[a];
        double sum = 0;
        for (uint32_t i = back->first[a]; i < back->first[a + 1]; i++)
            sum += factor[back->members[i]];
        sum *= v;
        if (m)
            lost += sum * bg->beta[k * side + m - 1];
        double gained = k ? sum * bg->beta[(k - 1) * side + m] : 0;
        for (uint32_t i = 0; i < n_words; i++)
            for (uint64_t bits = key[i]; bits; bits &= bits - 1)
                phi[slot[64 * i + (uint32_t)__builtin_ctzll(bits)]] += gained;
    }
    for (uint32_t i = 0; m && i < leaf->n_features; i++)
        if (failed[i / 64] >> i % 64 & 1)
            phi[slot[i]] -= lost;
}

/* Scratch of one thread. */
typedef struct pair_scratch {
    blk_bg_block block;
    double *factor; /* [ROWS][CHUNK] */
    uint64_t *keys; /* [ROWS][words] */
} pair_scratch;

static void fill_factors(const task *k, uint64_t group, size_t n_rows, uint64_t first,
                         size_t n, double *factor)
{
    for (size_t r = 0; r < n_rows; r++) {
        uint64_t row = group * ROWS + r;
        const link l = {k->space, k->labels ? (double)k->labels[row] : 0};
        for (size_t i = 0; i < n; i++)
            factor[r * CHUNK + i] =
                factor_of(&l, k->margins[row], k->bg->margins[first + i]);
    }
}

/* One group of rows against background rows [first, first + n). */
static void meet_group(const task *k, uint64_t group, uint64_t first, size_t n,
                       pair_scratch *s)
{
    const bl_background *bg = k->bg;
    uint64_t left = k->rows.n_rows - group * ROWS;
    size_t n_rows = left < ROWS ? (size_t)left : ROWS;
    fill_factors(k, group, n_rows, first, n, s->factor);
    bli_bg_block_at(&s->block, &k->rows, group);
    for (size_t t = 0; t < bg->n_trees; t++) {
        const bl_bg_tree *tree = bg->trees + t;
        if (tree->n_leaves == 0)
            continue;
        bg->kernel->patterns(&s->block, &tree->lanes);
        for (uint32_t l = 0; l < tree->n_leaves; l++) {
            const bl_path_leaf *leaf = tree->leaves + l;
            uint32_t n_words = bli_bg_words(leaf);
            bli_bg_keys(tree, leaf, &s->block, s->keys);
            for (size_t r = 0; r < n_rows; r++)
                add_leaf(bg, leaf, tree->slots + leaf->first_slot, k->leaves[t] + l,
                         s->keys + r * n_words, tree->tree.values[leaf->leaf],
                         s->factor + r * CHUNK,
                         k->sums + (group * ROWS + r) * bg->n_used);
        }
    }
}

static bl_status meet_chunk(const task *k, uint64_t first, size_t n, bl_err *err)
{
    bl_status st = BL_OK;
#pragma omp parallel num_threads(k->n_threads) if (k->n_threads > 1)
    {
        pair_scratch s = {0};
        bl_status mine = bli_bg_block_init(k->bg, &s.block, NULL);
        s.factor = malloc(sizeof *s.factor * ROWS * CHUNK);
        s.keys = malloc(sizeof *s.keys * ROWS * (k->bg->most_features / 64 + 1));
        if (!s.factor || !s.keys)
            mine = BL_E_NOMEM;
#pragma omp critical
        if (mine != BL_OK)
            st = mine;
#pragma omp for schedule(dynamic, 1)
        for (uint64_t g = 0; g < k->rows.n_groups; g++)
            if (mine == BL_OK)
                meet_group(k, g, first, n, &s);
        bli_bg_block_done(&s.block);
        free(s.factor);
        free(s.keys);
    }
    return st == BL_OK ? BL_OK : bli_fail(err, st, "no memory for pairs of rows");
}

/* --- All of it
 * ------------------------------------------------------------------------------------- */

static void put_rows(const task *k, float *phi)
{
    const bl_background *bg = k->bg;
    double each = 1 / (double)bg->background.n_rows;
    size_t line = bg->n_features + 1;
    /* The base value is a mean under each of few labels, most often 0 and 1. */
    double last_label = -1, base = 0;
    for (uint64_t r = 0; r < k->rows.n_rows; r++) {
        const link l = {k->space, k->labels ? (double)k->labels[r] : 0};
        if (l.label != last_label) {
            base = 0;
            for (uint64_t i = 0; i < bg->background.n_rows; i++)
                base += value_at(&l, bg->margins[i]);
            last_label = l.label;
        }
        float *to = phi + r * line;
        memset(to, 0, bg->n_features * sizeof *to);
        for (size_t u = 0; u < bg->n_used; u++)
            to[bg->used[u]] = (float)(k->sums[r * bg->n_used + u] * each);
        to[bg->n_features] = (float)(base * each);
    }
}

/* A linear model against one background row: w (x - x'). */
static void meet_linear(const task *k, const float *rows)
{
    const bl_background *bg = k->bg;
    const bl_groups *back = &bg->background;
#pragma omp parallel for num_threads(k->n_threads) if (k->n_threads > 1)
    for (uint64_t r = 0; r < k->rows.n_rows; r++) {
        const link l = {k->space, k->labels ? (double)k->labels[r] : 0};
        for (uint64_t i = 0; i < back->n_rows; i++) {
            double factor = factor_of(&l, k->margins[r], bg->margins[i]);
            for (size_t u = 0; u < bg->n_used; u++) {
                float a = rows[r * bg->n_features + bg->used[u]];
                float b =
                    back->x[((i / ROWS * 3 + 2) * bg->n_used + u) * ROWS + i % ROWS];
                double w = (double)bg->forest->linear[bg->used[u]];
                k->sums[r * bg->n_used + u] +=
                    w == 0
                        ? 0
                        : factor * w *
                              ((isnan(a) ? 0 : (double)a) - (isnan(b) ? 0 : (double)b));
            }
        }
    }
}

static bl_status run(const task *k, const float *rows, bl_err *err)
{
    const bl_background *bg = k->bg;
    bl_status st = BL_OK;
    if (bg->forest->linear)
        meet_linear(k, rows);
    for (uint64_t first = 0; st == BL_OK && bg->n_trees && first < bg->background.n_rows;
         first += CHUNK) {
        uint64_t left = bg->background.n_rows - first;
        size_t n = left < CHUNK ? (size_t)left : CHUNK;
        st = sets_of_chunk(k, first, n, err);
        if (st == BL_OK)
            st = meet_chunk(k, first, n, err);
        leaves_done(k);
    }
    return st;
}

static bl_status check(const bl_background *bg, bl_space space, const float *labels,
                       uint64_t n_rows, bl_err *err)
{
    const char *objective = bg->forest->objective ? bg->forest->objective : "";
    if (bg->n_outputs != 1 || !bli_objective_has_probability(objective))
        return bli_fail(err, BL_E_ARG,
                        "objective '%.60s' with %zu outputs has no logistic link: "
                        "probability and log-loss space need binary:logistic, "
                        "reg:logistic or binary:logitraw; use the margin space",
                        objective, bg->n_outputs);
    if (space != BL_SPACE_LOG_LOSS)
        return BL_OK;
    if (!labels)
        return bli_fail(err, BL_E_ARG, "the log-loss space needs the rows' labels");
    for (uint64_t r = 0; r < n_rows; r++)
        if (!(labels[r] >= 0 && labels[r] <= 1))
            return bli_fail(err, BL_E_ARG, "label %g of row %llu is not between 0 and 1",
                            (double)labels[r], (unsigned long long)r);
    return BL_OK;
}

bl_status bli_background_check_space(const bl_background *bg, bl_space space, bl_err *err)
{
    return space == BL_SPACE_MARGIN ? BL_OK
                                    : check(bg, BL_SPACE_PROBABILITY, NULL, 0, err);
}

bl_status bli_background_rows_in(const bl_background *bg, bl_space space,
                                 const float *rows, const float *labels, uint64_t n_rows,
                                 int n_threads, float *phi, bl_err *err)
{
    if (space == BL_SPACE_MARGIN)
        return bli_background_rows(bg, rows, n_rows, n_threads, phi, err);
    bl_status st = check(bg, space, labels, n_rows, err);
    if (st != BL_OK)
        return st;
    task k = {.bg = bg, .space = space};
    k.labels = space == BL_SPACE_LOG_LOSS ? labels : NULL;
    k.n_threads = n_threads > 0 ? n_threads : omp_get_max_threads();
    void *leaves = NULL, *memory = NULL;
    double *margins = NULL;
    st = bli_groups_init(bg, rows, n_rows, &k.rows, err);
    if (st == BL_OK)
        st = bli_alloc((size_t)n_rows, (bg->n_used + 1) * sizeof(double),
                       "rows against a background", &memory, err);
    if (st == BL_OK)
        st = bli_alloc(bg->n_trees, sizeof *k.leaves, "patterns of rows", &leaves, err);
    if (st == BL_OK) {
        margins = memory;
        for (uint64_t r = 0; r < n_rows; r++)
            bli_bg_margins(bg, rows + r * bg->n_features, margins + r);
        k.margins = margins;
        k.sums = margins + n_rows;
        k.leaves = leaves;
        st = run(&k, rows, err);
    }
    if (st == BL_OK)
        put_rows(&k, phi);
    free(memory);
    free(leaves);
    bli_groups_done(&k.rows);
    return st;
}
