/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blk_tree -> pieces: the largest subtrees whose splits and path have few enough bits for a
 * table that stays in the first cache; where a path has more, two leaves or one with a
 * larger table; where it has too many for any table, a leaf by itself.
 */
#include "explain/background_priv.h"

#include "explain/explain_priv.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* 2^8 lines of 8 floats: 8 KiB. */
#define PIECE_BITS 8

typedef struct writer {
    bl_bg_tree *to;
    const blk_tree *tree;
    uint32_t *below;   /* [n_splits] splits of its subtree */
    uint32_t *up;      /* [n_splits] step that leaves it */
    uint32_t *path;    /* [depth] split */
    uint32_t *side;    /* [depth] 1: right */
    uint32_t *feature; /* [depth] number among the path's different features */
    uint32_t *slots;   /* [depth] slot of each different feature */
    uint32_t n_slots, n_conditions;
    uint32_t n_steps;
} writer;

/* Splits of each subtree, and where its tour ends. */
static void measure(writer *w)
{
    const blk_tree *tree = w->tree;
    uint32_t n = 0;
    for (uint32_t s = 0; s < tree->n_steps; s++) {
        uint32_t index = tree->steps[s] & BLK_STEP_INDEX;
        switch (tree->steps[s] >> BLK_STEP_KIND) {
        case BLK_STEP_DOWN:
            w->below[index] = n++;
            break;
        case BLK_STEP_UP:
            w->below[index] = n - w->below[index];
            w->up[index] = s;
            break;
        default:
            break;
        }
    }
}

static void side_of(writer *w, uint32_t cell)
{
    if (cell)
        w->side[(cell - 1) / 2] = (cell - 1) % 2;
}

/* Different features on the path down to a level. */
static uint32_t n_different(const writer *w, uint32_t level)
{
    uint32_t n = 0;
    for (uint32_t l = 0; l < level; l++)
        if (w->feature[l] >= n)
            n = w->feature[l] + 1;
    return n;
}

/* Puts a split on the path. */
static void enter(writer *w, uint32_t index)
{
    const blk_split *split = w->tree->splits + index;
    uint32_t level = split->level;
    side_of(w, split->cell);
    w->path[level] = index;
    w->feature[level] =
        split->earlier ? w->feature[(split->earlier - 1) / 2] : n_different(w, level);
    w->slots[w->feature[level]] = split->slot;
}

static void put_leaf(writer *w, uint32_t leaf, uint32_t piece, uint32_t n_path)
{
    bl_bg_tree *to = w->to;
    uint32_t cell = w->tree->leaf_cell[leaf];
    side_of(w, cell);
    uint32_t level = cell ? (cell - 1) / 2 + 1 : 0, n = n_different(w, level);
    to->leaves[to->n_leaves++] = (bl_path_leaf){
        .leaf = leaf,
        .n_features = n,
        .first_slot = w->n_slots,
        .n_conditions = level,
        .first_condition = w->n_conditions,
        .piece = piece,
        .n_path = n_path,
    };
    if (piece == UINT32_MAX)
        to->n_deep++;
    memcpy(to->slots + w->n_slots, w->slots, n * sizeof *w->slots);
    w->n_slots += n;
    for (uint32_t l = 0; l < level; l++)
        to->conditions[w->n_conditions++] =
            (bl_condition){w->path[l], w->side[l], w->feature[l]};
}

static void put_step(writer *w, uint32_t code, uint32_t index, uint32_t level,
                     uint32_t bit)
{
    w->to->steps[w->n_steps++] = (blk_bg_step){code, index, level, bit};
}

/* A step down the side of the split at `level`. */
static void put_side(writer *w, uint32_t level)
{
    uint32_t feature = w->feature[level];
    put_step(w, w->side[level] ? BLK_BG_RIGHT : BLK_BG_LEFT, w->path[level], level,
             feature < BLK_BG_BITS ? 1U << feature : 0);
}

/* The piece of steps [s, end] of the tour, whose top is at `level`. */
static void put_piece(writer *w, uint32_t s, uint32_t end, uint32_t level)
{
    const blk_tree *tree = w->tree;
    bl_bg_tree *to = w->to;
    uint32_t number = to->lanes.n_pieces++, n_path = n_different(w, level);
    blk_bg_piece *piece = to->pieces + number;
    *piece = (blk_bg_piece){.n_path = n_path, .first_split = to->n_inner};
    piece->n_features = n_path;
    memcpy(piece->slot, w->slots, n_path * sizeof *w->slots);
    for (; s <= end; s++) {
        uint32_t index = tree->steps[s] & BLK_STEP_INDEX;
        switch (tree->steps[s] >> BLK_STEP_KIND) {
        case BLK_STEP_DOWN: {
            enter(w, index);
            to->inner[to->n_inner++] = index;
            piece->n_splits++;
            uint32_t i = 0, slot = tree->splits[index].slot;
            while (i < piece->n_features && piece->slot[i] != slot)
                i++;
            piece->slot[i] = slot;
            if (i == piece->n_features)
                piece->n_features++;
            break;
        }
        case BLK_STEP_LEAF:
            put_leaf(w, index, number, n_path);
            break;
        default:
            break;
        }
    }
    piece->stride = piece->n_features > 8 ? 16 : 8;
    piece->table = to->n_table;
    to->n_table += ((size_t)tree->n_values * piece->stride)
                   << (piece->n_path + piece->n_splits);
    put_step(w, BLK_BG_PIECE, number, level, 0);
}

static void write(writer *w)
{
    const blk_tree *tree = w->tree;
    for (uint32_t s = 0; s < tree->n_steps; s++) {
        uint32_t index = tree->steps[s] & BLK_STEP_INDEX;
        uint32_t kind = tree->steps[s] >> BLK_STEP_KIND;
        if (kind == BLK_STEP_UP)
            continue;
        uint32_t cell =
            kind == BLK_STEP_DOWN ? tree->splits[index].cell : tree->leaf_cell[index];
        uint32_t level = cell ? (cell - 1) / 2 + 1 : 0;
        side_of(w, cell);
        if (level)
            put_side(w, level - 1);
        uint32_t bits = n_different(w, level);
        if (kind == BLK_STEP_LEAF) {
            if (bits <= BLK_BG_BITS)
                put_piece(w, s, s, level);
            else
                put_leaf(w, index, UINT32_MAX, 0);
            continue;
        }
        bits += w->below[index];
        if (bits <= PIECE_BITS || (w->below[index] == 1 && bits <= BLK_BG_BITS)) {
            put_piece(w, s, w->up[index], level);
            s = w->up[index];
        } else {
            enter(w, index);
        }
    }
    put_step(w, BLK_BG_END, 0, 0, 0);
}

static void write_splits(const blk_tree *tree, bl_bg_tree *to)
{
    for (uint32_t i = 0; i < to->lanes.n_splits; i++) {
        const blk_split *split = tree->splits + i;
        to->splits[i] = (blk_bg_split){
            .x = split->slot,
            .threshold = split->threshold,
            .missing_left = split->missing_left,
            /* The planes of missing cells need numbers below the threshold. */
            .special = split->set_words || !(split->threshold > -INFINITY),
            .set_first = split->set_first,
            .set_words = split->set_words,
        };
    }
}

typedef struct wanted {
    void *into; /* a pointer */
    size_t n, size;
} wanted;

static bl_status allocate(const wanted *list, size_t n, bl_err *err)
{
    for (size_t i = 0; i < n; i++) {
        void *memory;
        bl_status st =
            bli_alloc(list[i].n, list[i].size, "a compiled tree", &memory, err);
        if (st != BL_OK)
            return st;
        memcpy(list[i].into, &memory, sizeof memory);
    }
    return BL_OK;
}

/* Conditions of all leaves: their levels. */
static size_t sum_of_levels(const blk_tree *tree, uint32_t n_leaves)
{
    size_t sum = 0;
    for (uint32_t i = 0; i < n_leaves; i++)
        sum += tree->leaf_cell[i] ? (tree->leaf_cell[i] - 1) / 2 + 1 : 0;
    return sum;
}

static bl_status write_tree(writer *w, bl_err *err)
{
    const blk_tree *tree = w->tree;
    bl_bg_tree *to = w->to;
    size_t n_splits = tree->n_steps / 3, n_leaves = n_splits + 1, depth = tree->depth;
    size_t levels = sum_of_levels(tree, (uint32_t)n_leaves);
    if (levels > UINT32_MAX)
        return bli_fail(err, BL_E_LIMIT, "a tree whose leaves' levels add up to %zu",
                        levels);
    const wanted list[] = {
        {&w->below, n_splits, sizeof *w->below},
        {&w->up, n_splits, sizeof *w->up},
        {&w->path, depth, sizeof *w->path},
        {&w->side, depth, sizeof *w->side},
        {&w->feature, depth, sizeof *w->feature},
        {&w->slots, depth, sizeof *w->slots},
        {&to->steps, 3 * n_leaves, sizeof *to->steps},
        {&to->splits, n_splits, sizeof *to->splits},
        {&to->pieces, n_leaves, sizeof *to->pieces},
        {&to->inner, n_splits, sizeof *to->inner},
        {&to->leaves, n_leaves, sizeof *to->leaves},
        {&to->slots, levels, sizeof *to->slots},
        {&to->conditions, levels, sizeof *to->conditions},
    };
    bl_status st = allocate(list, BL_LEN(list), err);
    if (st != BL_OK)
        return st;
    to->lanes.n_splits = (uint32_t)n_splits;
    measure(w);
    write_splits(tree, to);
    write(w);
    to->lanes.n_values = tree->n_values;
    to->lanes.depth = tree->depth;
    to->lanes.steps = to->steps;
    to->lanes.splits = to->splits;
    to->lanes.pieces = to->pieces;
    to->lanes.inner = to->inner;
    to->lanes.sets = tree->sets;
    return BL_OK;
}

bl_status bli_bg_tree_init(const bl_tree *source, const uint32_t *slot_of, size_t n_used,
                           bl_bg_tree *ret_tree, bl_err *err)
{
    void *memory;
    size_t unused;
    bl_status st =
        bli_alloc(source->n_values, sizeof(double), "means of a tree", &memory, err);
    if (st != BL_OK)
        return st;
    st = bli_compile_tree(source, slot_of, n_used, &ret_tree->tree, memory, &unused, err);
    free(memory);
    if (st != BL_OK)
        return st;
    ret_tree->output = source->output;
    if (ret_tree->tree.depth == 0)
        return BL_OK;
    writer w = {.to = ret_tree, .tree = &ret_tree->tree};
    st = write_tree(&w, err);
    free(w.below);
    free(w.up);
    free(w.path);
    free(w.side);
    free(w.feature);
    free(w.slots);
    return st;
}

void bli_bg_tree_done(bl_bg_tree *tree)
{
    bli_compiled_tree_done(&tree->tree);
    free(tree->steps);
    free(tree->splits);
    free(tree->pieces);
    free(tree->inner);
    free(tree->leaves);
    free(tree->slots);
    free(tree->conditions);
}
