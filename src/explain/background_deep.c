/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leaves whose paths have too many features for tables: the sets of features that the
 * background fails, and those that the rows fail, are counted once each, and each pair of
 * sets is met once.
 */
#include "explain/background_priv.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define ROWS BLK_BG_ROWS

/* --- Sets
 * ------------------------------------------------------------------------------------- */

static uint32_t place_of(const bl_sets *sets, const uint64_t *key)
{
    uint64_t hash = 0;
    for (uint32_t i = 0; i < sets->n_words; i++)
        hash = (hash ^ key[i] ^ hash >> 29) * UINT64_C(0x9e3779b97f4a7c15);
    uint32_t at = (uint32_t)(hash >> 32) & (sets->n_places - 1);
    size_t bytes = sets->n_words * sizeof *key;
    while (sets->place[at] &&
           memcmp(sets->key + (size_t)(sets->place[at] - 1) * sets->n_words, key,
                  bytes) != 0)
        at = (at + 1) & (sets->n_places - 1);
    return at;
}

static bl_status enlarge(bl_sets *sets, bl_err *err)
{
    uint32_t n = sets->n_places ? 2 * sets->n_places : 64;
    void *memory;
    bl_status st = bli_alloc(n, sizeof(uint32_t), "patterns of rows", &memory, err);
    if (st != BL_OK)
        return st;
    uint64_t *key = realloc(sets->key, (size_t)n / 2 * sets->n_words * sizeof *key);
    if (!key) {
        free(memory);
        return bli_fail(err, BL_E_NOMEM, "no memory for %u patterns of rows", n / 2);
    }
    free(sets->place);
    sets->place = memory;
    sets->n_places = n;
    sets->key = key;
    for (uint32_t i = 0; i < sets->n; i++)
        sets->place[place_of(sets, key + (size_t)i * sets->n_words)] = i + 1;
    return BL_OK;
}

bl_status bli_sets_add(bl_sets *sets, const uint64_t *key, uint32_t *ret_number,
                       bl_err *err)
{
    if (2 * (uint64_t)sets->n >= sets->n_places) {
        bl_status st = enlarge(sets, err);
        if (st != BL_OK)
            return st;
    }
    uint32_t at = place_of(sets, key);
    if (!sets->place[at]) {
        memcpy(sets->key + (size_t)sets->n * sets->n_words, key,
               sets->n_words * sizeof *key);
        sets->place[at] = ++sets->n;
    }
    *ret_number = sets->place[at] - 1;
    return BL_OK;
}

void bli_sets_done(bl_sets *sets)
{
    free(sets->key);
    free(sets->place);
    *sets = (bl_sets){0};
}

uint32_t bli_bg_words(const bl_path_leaf *leaf)
{
    return (leaf->n_features + 63) / 64;
}

void bli_bg_keys(const bl_bg_tree *tree, const bl_path_leaf *leaf,
                 const blk_bg_block *block, uint64_t *keys)
{
    uint32_t n_words = bli_bg_words(leaf);
    memset(keys, 0, (size_t)ROWS * n_words * sizeof *keys);
    const bl_condition *condition = tree->conditions + leaf->first_condition;
    for (uint32_t c = 0; c < leaf->n_conditions; c++, condition++) {
        const uint16_t *right = block->right + (size_t)condition->split * ROWS;
        uint64_t bit = UINT64_C(1) << condition->feature % 64;
        uint64_t *word = keys + condition->feature / 64;
        uint16_t turned = condition->right ? UINT16_MAX : 0;
        for (size_t r = 0; r < ROWS; r++)
            word[r * n_words] |= (uint16_t)(right[r] ^ turned) ? bit : 0;
    }
}

/* --- Values
 * ------------------------------------------------------------------------------------- */

/* Sets of the background with their sizes and how many rows have them. */
typedef struct counted {
    bl_sets sets;
    uint64_t *n_rows; /* [sets.cap] */
    uint32_t *size;
} counted;

static uint32_t size_of(const uint64_t *key, uint32_t n_words)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < n_words; i++)
        n += (uint32_t)__builtin_popcountll(key[i]);
    return n;
}

static bool meet(const uint64_t *a, const uint64_t *b, uint32_t n_words)
{
    uint64_t both = 0;
    for (uint32_t i = 0; i < n_words; i++)
        both |= a[i] & b[i];
    return both != 0;
}

/* phi [n_features] of a leaf of value 1, of a row that fails exactly `failed`. */
static void value_of_set(const bl_background *bg, const counted *back,
                         const uint64_t *failed, uint32_t n_features, double *phi)
{
    uint32_t n_words = back->sets.n_words, m = size_of(failed, n_words);
    size_t side = (size_t)bg->most_features + 1;
    double each = 1 / (double)bg->background.n_rows, lost = 0;
    memset(phi, 0, n_features * sizeof *phi);
    for (uint32_t a = 0; a < back->sets.n; a++) {
        const uint64_t *key = back->sets.key + (size_t)a * n_words;
        if (meet(key, failed, n_words))
            continue;
        uint32_t k = back->size[a];
        double share = (double)back->n_rows[a] * each;
        if (m)
            lost += share * bg->beta[k * side + m - 1];
        if (!k)
            continue;
        double gained = share * bg->beta[(k - 1) * side + m];
        for (uint32_t i = 0; i < n_words; i++)
            for (uint64_t bits = key[i]; bits; bits &= bits - 1)
                phi[64 * i + (uint32_t)__builtin_ctzll(bits)] += gained;
    }
    for (uint32_t i = 0; i < n_features; i++)
        if (failed[i / 64] >> i % 64 & 1)
            phi[i] = -lost;
}

/* Everything of one leaf while rows pass by. */
typedef struct collector {
    counted back;
    bl_sets rows;
    uint64_t *keys; /* [ROWS][n_words] */
} collector;

static void collector_done(collector *c)
{
    bli_sets_done(&c->back.sets);
    free(c->back.n_rows);
    free(c->back.size);
    bli_sets_done(&c->rows);
    free(c->keys);
}

static bl_status count_set(counted *back, const uint64_t *key, bl_err *err)
{
    uint32_t number, n = back->sets.n;
    bl_status st = bli_sets_add(&back->sets, key, &number, err);
    if (st != BL_OK)
        return st;
    if (number == n) {
        void *rows = back->n_rows, *size = back->size;
        size_t cap = back->sets.cap, cap_too = cap;
        st = bli_grow(&rows, &cap, (size_t)n + 1, sizeof *back->n_rows,
                      "patterns of the background", err);
        back->n_rows = rows;
        if (st == BL_OK)
            st = bli_grow(&size, &cap_too, (size_t)n + 1, sizeof *back->size,
                          "patterns of the background", err);
        back->size = size;
        if (st != BL_OK)
            return st;
        back->sets.cap = (uint32_t)cap;
        back->n_rows[n] = 0;
        back->size[n] = size_of(key, back->sets.n_words);
    }
    back->n_rows[number]++;
    return BL_OK;
}

/* Sets of the rows of one group for each deep leaf. deep NULL: of the background. */
static bl_status collect_group(const bl_bg_tree *tree, const blk_bg_block *block,
                               uint64_t first, size_t n, collector *c, bl_deep *deep,
                               bl_err *err)
{
    uint32_t d = 0;
    for (uint32_t l = 0; l < tree->n_leaves; l++) {
        const bl_path_leaf *leaf = tree->leaves + l;
        if (leaf->piece != UINT32_MAX)
            continue;
        uint32_t n_words = bli_bg_words(leaf);
        bli_bg_keys(tree, leaf, block, c[d].keys);
        for (size_t r = 0; r < n; r++) {
            const uint64_t *key = c[d].keys + r * n_words;
            bl_status st =
                deep ? bli_sets_add(&c[d].rows, key, deep[d].set + first + r, err)
                     : count_set(&c[d].back, key, err);
            if (st != BL_OK)
                return st;
        }
        d++;
    }
    return BL_OK;
}

static bl_status collect(const bl_background *bg, const bl_bg_tree *tree,
                         const bl_groups *rows, blk_bg_block *block, collector *c,
                         bl_deep *deep, bl_err *err)
{
    bl_status st = BL_OK;
    for (uint64_t g = 0; st == BL_OK && g < rows->n_groups; g++) {
        uint64_t left = rows->n_rows - g * ROWS;
        bli_bg_block_at(block, rows, g);
        bg->kernel->patterns(block, &tree->lanes);
        st = collect_group(tree, block, g * ROWS, left < ROWS ? (size_t)left : ROWS, c,
                           deep, err);
    }
    return st;
}

static bl_status values_of_leaf(const bl_background *bg, const bl_bg_tree *tree,
                                const collector *c, bl_deep *deep, bl_err *err)
{
    const bl_path_leaf *leaf = deep->leaf;
    uint32_t n = leaf->n_features, n_values = tree->lanes.n_values;
    void *memory;
    bl_status st = bli_alloc((size_t)c->rows.n * n, n_values * sizeof(float),
                             "values of a leaf", &memory, err);
    if (st != BL_OK)
        return st;
    deep->phi = memory;
    st = bli_alloc(n, sizeof(double), "values of a leaf", &memory, err);
    if (st != BL_OK)
        return st;
    double *phi = memory;
    const double *value = tree->tree.values + (size_t)leaf->leaf * n_values;
    for (uint32_t s = 0; s < c->rows.n; s++) {
        value_of_set(bg, &c->back, c->rows.key + (size_t)s * c->rows.n_words, n, phi);
        float *to = deep->phi + (size_t)s * n * n_values;
        for (uint32_t i = 0; i < n; i++)
            for (uint32_t v = 0; v < n_values; v++)
                to[i * n_values + v] = (float)(value[v] * phi[i]);
    }
    free(phi);
    return BL_OK;
}

bl_status bli_bg_deep(const bl_background *bg, const bl_bg_tree *tree,
                      const bl_groups *rows, blk_bg_block *block, bl_deep *deep,
                      bl_err *err)
{
    void *memory;
    bl_status st =
        bli_alloc(tree->n_deep, sizeof(collector), "patterns of rows", &memory, err);
    if (st != BL_OK)
        return st;
    collector *c = memory;
    uint32_t d = 0;
    for (uint32_t l = 0; st == BL_OK && l < tree->n_leaves; l++) {
        const bl_path_leaf *leaf = tree->leaves + l;
        if (leaf->piece != UINT32_MAX)
            continue;
        deep[d] = (bl_deep){.leaf = leaf};
        c[d].back.sets.n_words = c[d].rows.n_words = bli_bg_words(leaf);
        st = bli_alloc(rows->n_rows, sizeof(uint32_t), "patterns of rows", &memory, err);
        if (st != BL_OK)
            break;
        deep[d].set = memory;
        st = bli_alloc(ROWS, bli_bg_words(leaf) * sizeof(uint64_t), "patterns of rows",
                       &memory, err);
        if (st == BL_OK)
            c[d].keys = memory;
        d++;
    }
    if (st == BL_OK)
        st = collect(bg, tree, &bg->background, block, c, NULL, err);
    if (st == BL_OK)
        st = collect(bg, tree, rows, block, c, deep, err);
    for (d = 0; st == BL_OK && d < tree->n_deep; d++)
        st = values_of_leaf(bg, tree, c + d, deep + d, err);
    for (d = 0; d < tree->n_deep; d++)
        collector_done(c + d);
    free(c);
    return st;
}
