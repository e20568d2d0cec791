/* SPDX-License-Identifier: Apache-2.0 */
/* Background rows by pattern -> the tables of a tree's pieces. */
#include "explain/background_priv.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROWS     BLK_BG_ROWS
#define PATTERNS (1U << BLK_BG_BITS)
#define STRIDE   16

/* --- Blocks of patterns
 * ------------------------------------------------------------------------------------- */

bl_status bli_bg_block_init(const bl_background *bg, blk_bg_block *ret_block, bl_err *err)
{
    size_t columns = (size_t)bg->max_splits + bg->max_depth + 1 + bg->max_pieces;
    uint16_t *memory = aligned_alloc(64, columns * ROWS * sizeof *memory);
    if (!memory)
        return bli_fail(err, BL_E_NOMEM, "no memory for patterns of rows");
    *ret_block = (blk_bg_block){
        .right = memory,
        .failed = memory + (size_t)bg->max_splits * ROWS,
    };
    ret_block->pattern = ret_block->failed + ((size_t)bg->max_depth + 1) * ROWS;
    return BL_OK;
}

void bli_bg_block_done(blk_bg_block *block)
{
    free(block->right);
    *block = (blk_bg_block){0};
}

void bli_bg_block_at(blk_bg_block *block, const bl_groups *groups, uint64_t group)
{
    size_t plane = groups->n_used * ROWS;
    block->low = groups->x + group * 3 * plane;
    block->high = block->low + plane;
    block->raw = block->high + plane;
}

/* --- Scratch
 * ------------------------------------------------------------------------------------- */

bl_status bli_table_scratch_init(const bl_background *bg, bl_table_scratch *s,
                                 bl_err *err)
{
    *s = (bl_table_scratch){0};
    bl_status st = bli_bg_block_init(bg, &s->block, err);
    if (st != BL_OK)
        return st;
    void *memory;
    st = bli_alloc(PATTERNS * (1 + BLK_BG_BITS + STRIDE) + BLK_BG_SCRATCH, sizeof(double),
                   "tables of the background", &memory, err);
    if (st != BL_OK)
        goto fail;
    s->memory = memory;
    s->share = s->memory;
    s->table = s->share + PATTERNS;
    s->piece = s->table + PATTERNS * BLK_BG_BITS;
    s->sums = s->piece + PATTERNS * STRIDE;
    st = bli_alloc(bg->max_pieces, PATTERNS * sizeof(uint32_t),
                   "counts of the background", &memory, err);
    if (st != BL_OK)
        goto fail;
    s->counts = memory;
    return BL_OK;
fail:
    bli_table_scratch_done(s);
    return st;
}

void bli_table_scratch_done(bl_table_scratch *s)
{
    bli_bg_block_done(&s->block);
    free(s->memory);
    free(s->counts);
    *s = (bl_table_scratch){0};
}

/* --- Tables
 * ------------------------------------------------------------------------------------- */

static void count(const bl_background *bg, const bl_bg_tree *tree, bl_table_scratch *s)
{
    const bl_groups *rows = &bg->background;
    memset(s->counts, 0, (size_t)tree->lanes.n_pieces * PATTERNS * sizeof *s->counts);
    for (uint64_t g = 0; g < rows->n_groups; g++) {
        bli_bg_block_at(&s->block, rows, g);
        bg->kernel->patterns(&s->block, &tree->lanes);
        uint64_t left = rows->n_rows - g * ROWS;
        size_t n = left < ROWS ? (size_t)left : ROWS;
        for (uint32_t p = 0; p < tree->lanes.n_pieces; p++) {
            const uint16_t *pattern = s->block.pattern + (size_t)p * ROWS;
            uint32_t *counts = s->counts + (size_t)p * PATTERNS;
            for (size_t r = 0; r < n; r++)
                counts[pattern[r]]++;
        }
    }
}

/* The part of a leaf in its piece: which bits of the piece's pattern make it fail what. */
typedef struct leaf_view {
    uint32_t n_features;
    uint32_t feature[BLK_BG_BITS]; /* of the piece */
    uint32_t n_inner;
    struct {
        uint32_t bit, right; /* of the piece's pattern */
        uint32_t fails;      /* bit of the leaf's pattern */
    } inner[BLK_BG_BITS];
    uint32_t path_mask;
} leaf_view;

static leaf_view view_of(const bl_bg_tree *tree, const bl_path_leaf *leaf)
{
    const blk_bg_piece *piece = tree->pieces + leaf->piece;
    leaf_view v = {.n_features = leaf->n_features, .path_mask = (1U << leaf->n_path) - 1};
    for (uint32_t i = 0; i < leaf->n_features; i++) {
        uint32_t slot = tree->slots[leaf->first_slot + i], f = 0;
        while (piece->slot[f] != slot)
            f++;
        v.feature[i] = f;
    }
    const bl_condition *condition = tree->conditions + leaf->first_condition;
    for (uint32_t c = 0; c < leaf->n_conditions; c++, condition++)
        for (uint32_t i = 0; i < piece->n_splits; i++)
            if (tree->inner[piece->first_split + i] == condition->split) {
                v.inner[v.n_inner].bit = 1U << (piece->n_path + i);
                v.inner[v.n_inner].right = condition->right;
                v.inner[v.n_inner++].fails = 1U << condition->feature;
            }
    return v;
}

/* Features of the leaf that each pattern of its piece fails. */
static void map_patterns(const leaf_view *v, uint32_t n_patterns, uint16_t *failed)
{
    for (uint32_t p = 0; p < n_patterns; p++)
        failed[p] = (uint16_t)(p & v->path_mask);
    for (uint32_t i = 0; i < v->n_inner; i++) {
        uint32_t bit = v->inner[i].bit, wanted = v->inner[i].right ? bit : 0;
        for (uint32_t p = 0; p < n_patterns; p++)
            failed[p] |= (uint16_t)((p & bit) != wanted ? v->inner[i].fails : 0);
    }
}

/* table [2^n_features][n_features] of a leaf of value 1. */
static void make_leaf(const bl_background *bg, const leaf_view *v, uint32_t n_patterns,
                      const uint32_t *counts, bl_table_scratch *s)
{
    uint32_t n = v->n_features, points = (n + 1) / 2;
    double each = 1 / (double)bg->background.n_rows;
    memset(s->share, 0, sizeof *s->share << n);
    for (uint32_t p = 0; p < n_patterns; p++)
        if (counts[p])
            s->share[s->failed[p]] += counts[p];
    for (uint32_t p = 0; p < 1U << n; p++)
        s->share[p] *= each;
    const double *rule = bg->rules + points * (points - 1);
    blk_background_table(n, s->share, rule, rule + points, s->sums, s->table);
}

static void add_leaf(const leaf_view *v, uint32_t n_patterns, uint32_t stride,
                     double value, bl_table_scratch *s)
{
    uint32_t n = v->n_features;
    for (uint32_t p = 0; p < n_patterns; p++) {
        const double *from = s->table + (size_t)s->failed[p] * n;
        double *to = s->piece + (size_t)p * stride;
        for (uint32_t i = 0; i < n; i++)
            to[v->feature[i]] += value * from[i];
    }
}

/* Leaves [from, to) of one piece. */
static void make_piece(const bl_background *bg, const bl_bg_tree *tree, uint32_t from,
                       uint32_t to, bl_table_scratch *s, float *tables)
{
    const blk_bg_piece *piece = tree->pieces + tree->leaves[from].piece;
    uint32_t n_patterns = 1U << (piece->n_path + piece->n_splits);
    const uint32_t *counts = s->counts + (size_t)tree->leaves[from].piece * PATTERNS;
    size_t n_cells = (size_t)n_patterns * piece->stride;
    for (uint32_t value = 0; value < tree->lanes.n_values; value++) {
        memset(s->piece, 0, n_cells * sizeof *s->piece);
        for (uint32_t l = from; l < to; l++) {
            const bl_path_leaf *leaf = tree->leaves + l;
            leaf_view v = view_of(tree, leaf);
            map_patterns(&v, n_patterns, s->failed);
            make_leaf(bg, &v, n_patterns, counts, s);
            add_leaf(&v, n_patterns, piece->stride,
                     tree->tree.values[(size_t)leaf->leaf * tree->lanes.n_values + value],
                     s);
        }
        float *table = tables + piece->table + value * n_cells;
        for (size_t i = 0; i < n_cells; i++)
            table[i] = (float)s->piece[i];
    }
}

void bli_bg_tables(const bl_background *bg, const bl_bg_tree *tree, bl_table_scratch *s,
                   float *tables)
{
    if (tree->lanes.n_pieces == 0)
        return;
    count(bg, tree, s);
    for (uint32_t from = 0, to; from < tree->n_leaves; from = to) {
        to = from + 1;
        if (tree->leaves[from].piece == UINT32_MAX)
            continue;
        while (to < tree->n_leaves && tree->leaves[to].piece == tree->leaves[from].piece)
            to++;
        make_piece(bg, tree, from, to, s, tables);
    }
}
