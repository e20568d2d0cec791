/* SPDX-License-Identifier: Apache-2.0 */
/* blk_tree -> pairs of features that meet on a path, and programs for rows in lanes. */
#include "explain/interactions_priv.h"

#include "base/mem.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

uint32_t bli_most_different(const blk_tree *tree)
{
    uint32_t now = 0, most = 0;
    for (uint32_t s = 0; s < tree->n_steps; s++) {
        uint32_t kind = tree->steps[s] >> BLK_STEP_KIND;
        uint32_t index = tree->steps[s] & BLK_STEP_INDEX;
        if (kind == BLK_STEP_LEAF || tree->splits[index].earlier)
            continue;
        now += kind == BLK_STEP_DOWN ? 1 : UINT32_MAX;
        if (now > most)
            most = now;
    }
    return most;
}

/* --- Pairs -------------------------------------------------------------------------- */

static uint64_t key_of(size_t n_used, uint32_t a, uint32_t b)
{
    uint64_t small = a < b ? a : b, large = a < b ? b : a;
    return 1 + small * n_used + large;
}

static size_t place_of(const bl_pair_table *table, uint64_t key)
{
    /* Fibonacci hashing: 2^64 / golden ratio. */
    size_t at = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (table->size - 1);
    while (table->key[at] && table->key[at] != key)
        at = (at + 1) & (table->size - 1);
    return at;
}

static bl_status enlarge(bl_pair_table *table, bl_err *err)
{
    bl_pair_table larger = *table;
    larger.size = table->size ? 2 * table->size : 256;
    void *key, *number;
    bl_status st =
        bli_alloc(larger.size, sizeof(uint64_t), "pairs of features", &key, err);
    if (st != BL_OK)
        return st;
    st = bli_alloc(larger.size, sizeof(uint32_t), "pairs of features", &number, err);
    if (st != BL_OK) {
        free(key);
        return st;
    }
    larger.key = key;
    larger.number = number;
    for (size_t i = 0; i < table->size; i++)
        if (table->key[i]) {
            size_t at = place_of(&larger, table->key[i]);
            larger.key[at] = table->key[i];
            larger.number[at] = table->number[i];
        }
    free(table->key);
    free(table->number);
    *table = larger;
    return BL_OK;
}

static bl_status add_pair(bl_pair_table *table, size_t n_used, uint32_t a, uint32_t b,
                          bl_err *err)
{
    if (2 * (table->n_pairs + 1) > table->size) {
        bl_status st = enlarge(table, err);
        if (st != BL_OK)
            return st;
    }
    uint64_t key = key_of(n_used, a, b);
    size_t at = place_of(table, key);
    if (table->key[at])
        return BL_OK;
    if (table->n_pairs == UINT32_MAX)
        return bli_fail(err, BL_E_LIMIT, "more than 2^32 pairs of features interact");
    void *array = table->pairs;
    bl_status st = bli_grow(&array, &table->cap, table->n_pairs + 1, sizeof(bl_pair),
                            "pairs of features", err);
    table->pairs = array;
    if (st != BL_OK)
        return st;
    table->key[at] = key;
    table->number[at] = (uint32_t)table->n_pairs;
    table->pairs[table->n_pairs++] = (bl_pair){a < b ? a : b, a < b ? b : a};
    return BL_OK;
}

/* --- A walk along the tour of a tree ------------------------------------------------ */

/* What is known at a split: the path above it. */
typedef struct path {
    const blk_tree *tree;
    uint32_t *split; /* [depth] */
    bool *later;     /* [depth] a later split on the path has the same feature */
} path;

static bl_status path_init(path *p, const blk_tree *tree, bl_err *err)
{
    void *split, *later;
    *p = (path){.tree = tree};
    bl_status st = bli_alloc(tree->depth, sizeof(uint32_t), "a tree's path", &split, err);
    if (st != BL_OK)
        return st;
    st = bli_alloc(tree->depth, sizeof(bool), "a tree's path", &later, err);
    if (st != BL_OK) {
        free(split);
        return st;
    }
    p->split = split;
    p->later = later;
    return BL_OK;
}

static void path_done(path *p)
{
    free(p->split);
    free(p->later);
}

/* Levels above a split that hold the latest split of a feature other than its own, deepest
 * first; their number. levels [depth] may be NULL. */
static uint32_t partners(const path *p, const blk_split *split, uint32_t *levels)
{
    uint32_t n = 0;
    for (uint32_t level = 0; level < split->level; level++)
        p->later[level] = false;
    if (split->earlier)
        p->later[(split->earlier - 1) / 2] = true;
    for (uint32_t level = split->level; level-- > 0;) {
        const blk_split *above = p->tree->splits + p->split[level];
        if (above->earlier)
            p->later[(above->earlier - 1) / 2] = true;
        if (p->later[level])
            continue;
        if (levels)
            levels[n] = level;
        n++;
    }
    return n;
}

bl_status bli_pairs_of_tree(bl_pair_table *table, const blk_tree *tree, size_t n_used,
                            bl_err *err)
{
    path p;
    bl_status st = path_init(&p, tree, err);
    if (st != BL_OK)
        return st;
    for (uint32_t s = 0; st == BL_OK && s < tree->n_steps; s++) {
        if (tree->steps[s] >> BLK_STEP_KIND != BLK_STEP_DOWN)
            continue;
        uint32_t index = tree->steps[s] & BLK_STEP_INDEX;
        const blk_split *split = tree->splits + index;
        p.split[split->level] = index;
        partners(&p, split, NULL);
        for (uint32_t level = split->level; st == BL_OK && level-- > 0;)
            if (!p.later[level])
                st = add_pair(table, n_used, split->slot,
                              tree->splits[p.split[level]].slot, err);
    }
    path_done(&p);
    return st;
}

/* --- Programs ----------------------------------------------------------------------- */

typedef struct writer {
    path p;
    size_t value;
    double mean;
    const bl_pair_table *table;
    size_t n_used;
    size_t n_points;
    const float *t;
    uint32_t *levels;
    int64_t *leaf; /* [n_splits][2] leaf of each side; -1: a split */
    blk_inter_step *steps;
    blk_inter_split *splits;
    blk_inter_pair *pairs;
    float *constants;
    size_t n_steps, n_splits, n_pairs, n_constants;
} writer;

/* Sizes of what will be written, and which children are leaves. */
static void measure(writer *w)
{
    const blk_tree *tree = w->p.tree;
    for (uint32_t s = 0; s < tree->n_steps; s++) {
        uint32_t index = tree->steps[s] & BLK_STEP_INDEX;
        const blk_split *split = tree->splits + index;
        switch (tree->steps[s] >> BLK_STEP_KIND) {
        case BLK_STEP_DOWN:
            w->p.split[split->level] = index;
            w->leaf[2 * (size_t)index] = w->leaf[2 * (size_t)index + 1] = -1;
            w->n_pairs += partners(&w->p, split, NULL);
            w->n_constants += (split->earlier ? 4 : 2) * w->n_points;
            w->n_steps += 3;
            w->n_splits++;
            break;
        case BLK_STEP_LEAF: {
            uint32_t cell = tree->leaf_cell[index];
            w->leaf[2 * (size_t)w->p.split[(cell - 1) / 2] + (cell - 1) % 2] = index;
            break;
        }
        default:
            break;
        }
    }
}

/* r where every split of the feature so far was satisfied, z the product of their shares. */
static float satisfied(double z, double t)
{
    return (float)((1 - z) / (z + t * (1 - z)));
}

static void write_constants(writer *w, const blk_split *split)
{
    size_t K = w->n_points;
    float *c = w->constants + w->n_constants;
    double before = split->share_before;
    for (size_t k = 0; k < K; k++) {
        double t = (double)w->t[k], g = before + t * (1 - before);
        c[k] = satisfied(before * split->share, t);
        c[K + k] = satisfied(before * (1 - split->share), t);
        if (!split->earlier)
            continue;
        c[2 * K + k] = (float)(t / g);
        c[3 * K + k] = (float)(before / (g * g));
    }
    w->n_constants += (split->earlier ? 4 : 2) * K;
}

static void write_split(writer *w, uint32_t index)
{
    const blk_tree *tree = w->p.tree;
    const blk_split *split = tree->splits + index;
    blk_inter_split *to = w->splits + index;
    w->p.split[split->level] = index;
    uint32_t n_levels = partners(&w->p, split, w->levels);
    *to = (blk_inter_split){
        .x = split->slot,
        .threshold = split->threshold,
        .share = (float)split->share,
        .d = {(float)(1 - split->share), (float)-split->share},
        .level = split->level,
        .cell = split->cell,
        .earlier = split->earlier,
        .n_pairs = n_levels,
        .first_pair = (uint32_t)w->n_pairs,
        .missing_left = split->missing_left,
        /* The planes of missing cells need numbers below the threshold. */
        .special = split->set_words || !(split->threshold > -INFINITY),
        .set_first = split->set_first,
        .set_words = split->set_words,
        .first_constant = (uint32_t)w->n_constants,
    };
    for (int side = 0; side < 2; side++) {
        int64_t leaf = w->leaf[2 * (size_t)index + (size_t)side];
        if (leaf >= 0)
            to->leaf[side] =
                (float)(tree->values[(size_t)leaf * tree->n_values + w->value] - w->mean);
    }
    for (uint32_t i = 0; i < n_levels; i++) {
        uint32_t slot = tree->splits[w->p.split[w->levels[i]]].slot;
        size_t at = place_of(w->table, key_of(w->n_used, split->slot, slot));
        w->pairs[w->n_pairs++] = (blk_inter_pair){w->levels[i], w->table->number[at]};
    }
    write_constants(w, split);
}

static void put(writer *w, uint32_t code, uint32_t split)
{
    w->steps[w->n_steps++] = (blk_inter_step){code, split};
}

static void write_down(writer *w, uint32_t index)
{
    const blk_split *split = w->p.tree->splits + index;
    bool leaf_left = w->leaf[2 * (size_t)index] >= 0;
    bool leaf_right = w->leaf[2 * (size_t)index + 1] >= 0;
    if (split->cell && (split->cell - 1) % 2 == 1) {
        uint32_t parent = w->p.split[split->level - 1];
        if (w->leaf[2 * (size_t)parent] < 0)
            put(w, BLK_INTER_TURN, parent);
    }
    write_split(w, index);
    if (leaf_left && leaf_right)
        put(w, BLK_INTER_BOTTOM, index);
    else
        put(w, leaf_left ? BLK_INTER_ENTER_RIGHT : BLK_INTER_ENTER_LEFT, index);
}

static void write_up(writer *w, uint32_t index)
{
    bool leaf_left = w->leaf[2 * (size_t)index] >= 0;
    bool leaf_right = w->leaf[2 * (size_t)index + 1] >= 0;
    if (leaf_left && leaf_right)
        return;
    put(w,
        leaf_left    ? BLK_INTER_LEAVE_LEAF_LEFT
        : leaf_right ? BLK_INTER_LEAVE_LEAF_RIGHT
                     : BLK_INTER_LEAVE,
        index);
}

static void write_steps(writer *w)
{
    const blk_tree *tree = w->p.tree;
    for (uint32_t s = 0; s < tree->n_steps; s++) {
        uint32_t index = tree->steps[s] & BLK_STEP_INDEX;
        uint32_t kind = tree->steps[s] >> BLK_STEP_KIND;
        if (kind == BLK_STEP_DOWN)
            write_down(w, index);
        else if (kind == BLK_STEP_UP)
            write_up(w, index);
    }
    put(w, BLK_INTER_END, 0);
}

/* One piece of memory for all four arrays, the strictest alignment first. */
static bl_status allocate(writer *w, void **ret_memory, bl_err *err)
{
    size_t bytes = w->n_splits * sizeof *w->splits + (w->n_steps + 1) * sizeof *w->steps +
                   w->n_pairs * sizeof *w->pairs + w->n_constants * sizeof *w->constants;
    void *memory;
    bl_status st = bli_alloc(bytes, 1, "a tree's program", &memory, err);
    if (st != BL_OK)
        return st;
    w->splits = memory;
    w->steps = (blk_inter_step *)(void *)(w->splits + w->n_splits);
    w->pairs = (blk_inter_pair *)(void *)(w->steps + w->n_steps + 1);
    w->constants = (float *)(void *)(w->pairs + w->n_pairs);
    w->n_steps = w->n_pairs = w->n_constants = 0;
    *ret_memory = memory;
    return BL_OK;
}

bl_status bli_inter_program(const blk_tree *tree, size_t value, double mean,
                            const bl_pair_table *table, size_t n_used, size_t n_points,
                            const double *t, const double *w, bl_inter_part *ret_part,
                            bl_err *err)
{
    assert(tree->depth > 0 && n_points <= BLK_INTER_POINTS);
    bl_inter_part part = {
        .program = {.sets = tree->sets, .n_points = (uint32_t)n_points}};
    /* The factors, their quotients and the states all take the same t, so its rounding to
     * float only moves a point of the rule. */
    for (size_t k = 0; k < n_points; k++) {
        part.program.t[k] = (float)t[k];
        part.program.w[k] = (float)w[k];
        part.program.missed[k] = (float)(-1 / (1 - (double)part.program.t[k]));
    }
    writer at = {.value = value,
                 .mean = mean,
                 .table = table,
                 .n_used = n_used,
                 .n_points = n_points};
    at.t = part.program.t;
    void *memory;
    bl_status st = path_init(&at.p, tree, err);
    if (st != BL_OK)
        return st;
    st = bli_alloc(tree->depth, sizeof *at.levels, "a tree's path", &memory, err);
    if (st != BL_OK)
        goto fail;
    at.levels = memory;
    st = bli_alloc(tree->n_steps, 2 * sizeof *at.leaf, "a tree's leaves", &memory, err);
    if (st != BL_OK)
        goto fail;
    at.leaf = memory;
    measure(&at);
    st = allocate(&at, &part.memory, err);
    if (st != BL_OK)
        goto fail;
    write_steps(&at);
    part.program.steps = at.steps;
    part.program.splits = at.splits;
    part.program.pairs = at.pairs;
    part.program.constants = at.constants;
    part.n_sums = at.n_pairs + at.n_splits;
    *ret_part = part;
fail:
    path_done(&at.p);
    free(at.levels);
    free(at.leaf);
    return st;
}
