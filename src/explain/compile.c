/* SPDX-License-Identifier: Apache-2.0 */
/* One bl_tree -> the tour that the kernels walk. */
#include "explain/explain_priv.h"

#include "base/mem.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

double bli_left_share(float left_cover, float right_cover)
{
    double left = isfinite(left_cover) && left_cover > 0 ? (double)left_cover : 0;
    double right = isfinite(right_cover) && right_cover > 0 ? (double)right_cover : 0;
    return left + right > 0 ? left / (left + right) : 0.5;
}

/* A split whose subtree is being walked. */
typedef struct frame {
    uint32_t node;
    uint32_t split;
    uint32_t slot;
    bool right; /* which of its subtrees */
    uint32_t saved_earlier;
    double saved_before;
} frame;

typedef struct compiler {
    const bl_tree *tree;
    const uint32_t *slot_of;
    frame *path; /* [depth] */
    uint32_t level;
    uint32_t *earlier; /* [n_used] as blk_split.earlier, for the current path */
    double *before;    /* [n_used] product of shares on the current path */
    uint32_t n_different, most_different;
    uint32_t *steps;
    blk_split *splits;
    uint32_t *leaf_cell;
    double *values;
    double *mean; /* [depth + 1][2][n_values] means of finished children */
    uint32_t n_steps, n_splits, n_leaves;
} compiler;

static uint32_t cell_here(const compiler *c)
{
    return c->level ? 2 * (c->level - 1) + 1 + c->path[c->level - 1].right : 0;
}

static void emit(compiler *c, uint32_t kind, uint32_t index)
{
    c->steps[c->n_steps++] = kind << BLK_STEP_KIND | index;
}

/* Where the mean of the subtree in hand goes. */
static double *mean_here(const compiler *c)
{
    return c->mean + (size_t)cell_here(c) * c->tree->n_values;
}

static void put_leaf(compiler *c, uint32_t node)
{
    size_t n_values = c->tree->n_values;
    double *mean = mean_here(c);
    for (size_t v = 0; v < n_values; v++) {
        double leaf =
            (double)c->tree->weight * (double)c->tree->leaf[node * n_values + v];
        c->values[c->n_leaves * n_values + v] = leaf;
        mean[v] = leaf;
    }
    c->leaf_cell[c->n_leaves] = cell_here(c);
    emit(c, BLK_STEP_LEAF, c->n_leaves++);
}

/* The feature's state on one side of the split on top of the path. */
static void take_side(compiler *c, bool right)
{
    frame *top = c->path + c->level - 1;
    double z = c->splits[top->split].share;
    top->right = right;
    c->earlier[top->slot] = 1 + 2 * (c->level - 1) + right;
    c->before[top->slot] = top->saved_before * (right ? 1 - z : z);
}

static void open_split(compiler *c, uint32_t node)
{
    const bl_tree *tree = c->tree;
    uint32_t slot = c->slot_of[tree->feature[node]];
    bool categorical = tree->cat_words && tree->cat_words[node];
    blk_split *split = c->splits + c->n_splits;
    *split = (blk_split){
        .share =
            bli_left_share(tree->cover[tree->left[node]], tree->cover[tree->right[node]]),
        .share_before = c->before[slot],
        .threshold = tree->threshold[node],
        .feature = tree->feature[node],
        .slot = slot,
        .level = c->level,
        .cell = cell_here(c),
        .earlier = c->earlier[slot],
        .set_first = categorical ? tree->cat_first[node] : 0,
        .set_words = categorical ? tree->cat_words[node] : 0,
        .missing_left = tree->default_left[node],
    };
    emit(c, BLK_STEP_DOWN, c->n_splits);
    c->path[c->level++] = (frame){
        .node = node,
        .split = c->n_splits++,
        .slot = slot,
        .saved_earlier = split->earlier,
        .saved_before = split->share_before,
    };
    if (!split->earlier && ++c->n_different > c->most_different)
        c->most_different = c->n_different;
    take_side(c, false);
}

static void close_split(compiler *c)
{
    frame top = c->path[--c->level];
    const blk_split *split = c->splits + top.split;
    c->earlier[top.slot] = top.saved_earlier;
    c->before[top.slot] = top.saved_before;
    if (!top.saved_earlier)
        c->n_different--;
    size_t n_values = c->tree->n_values;
    double z = split->share, *mean = mean_here(c);
    const double *left = c->mean + (2 * (size_t)c->level + 1) * n_values;
    for (size_t v = 0; v < n_values; v++)
        mean[v] = z * left[v] + (1 - z) * left[n_values + v];
    emit(c, BLK_STEP_UP, top.split);
}

static void walk(compiler *c)
{
    uint32_t node = 0;
    for (;;) {
        while (c->tree->left[node] >= 0) {
            open_split(c, node);
            node = (uint32_t)c->tree->left[node];
        }
        put_leaf(c, node);
        while (c->level && c->path[c->level - 1].right)
            close_split(c);
        if (!c->level)
            return;
        take_side(c, true);
        node = (uint32_t)c->tree->right[c->path[c->level - 1].node];
    }
}

/* Leaves and depth, counted here so that a forest made by hand need not. */
static bl_status measure(const bl_tree *tree, uint32_t *ret_n_leaves, uint32_t *ret_depth,
                         bl_err *err)
{
    typedef struct {
        uint32_t node, level;
    } place;
    void *memory;
    bl_status st =
        bli_alloc(tree->n_nodes, sizeof(place), "a tree's nodes", &memory, err);
    if (st != BL_OK)
        return st;
    place *stack = memory;
    uint32_t n_stack = 0, n_leaves = 0, depth = 0;
    stack[n_stack++] = (place){0, 0};
    while (n_stack) {
        place at = stack[--n_stack];
        if (at.level > depth)
            depth = at.level;
        if (tree->left[at.node] < 0) {
            n_leaves++;
            continue;
        }
        assert(n_stack + 2 <= tree->n_nodes);
        stack[n_stack++] = (place){(uint32_t)tree->left[at.node], at.level + 1};
        stack[n_stack++] = (place){(uint32_t)tree->right[at.node], at.level + 1};
    }
    free(stack);
    *ret_n_leaves = n_leaves;
    *ret_depth = depth;
    return BL_OK;
}

static bl_status allocate(compiler *c, uint32_t n_leaves, uint32_t depth, size_t n_used,
                          bl_err *err)
{
    struct {
        void *into;
        size_t n, size;
    } wanted[] = {
        {&c->path, depth, sizeof *c->path},
        {&c->earlier, n_used, sizeof *c->earlier},
        {&c->before, n_used, sizeof *c->before},
        {&c->steps, 3 * (size_t)n_leaves, sizeof *c->steps},
        {&c->splits, n_leaves, sizeof *c->splits},
        {&c->leaf_cell, n_leaves, sizeof *c->leaf_cell},
        {&c->values, n_leaves, sizeof *c->values * c->tree->n_values},
        {&c->mean, 2 * (size_t)depth + 1, sizeof *c->mean * c->tree->n_values},
    };
    for (size_t i = 0; i < BL_LEN(wanted); i++) {
        void *memory;
        bl_status st =
            bli_alloc(wanted[i].n, wanted[i].size, "a compiled tree", &memory, err);
        if (st != BL_OK)
            return st;
        memcpy(wanted[i].into, &memory, sizeof memory);
    }
    return BL_OK;
}

bl_status bli_compile_tree(const bl_tree *tree, const uint32_t *slot_of, size_t n_used,
                           blk_tree *ret_tree, double *ret_means, size_t *ret_n_different,
                           bl_err *err)
{
    compiler c = {.tree = tree, .slot_of = slot_of};
    uint32_t n_leaves, depth;
    bl_status st = measure(tree, &n_leaves, &depth, err);
    if (st == BL_OK)
        st = allocate(&c, n_leaves, depth, n_used, err);
    if (st != BL_OK)
        goto fail;
    for (size_t i = 0; i < n_used; i++)
        c.before[i] = 1;
    walk(&c);
    memcpy(ret_means, c.mean, tree->n_values * sizeof *c.mean);
    *ret_n_different = c.most_different;
    *ret_tree = (blk_tree){
        .n_steps = c.n_steps,
        .n_values = tree->n_values,
        .depth = depth,
        .steps = c.steps,
        .splits = c.splits,
        .leaf_cell = c.leaf_cell,
        .values = c.values,
        .sets = tree->cat_bits,
    };
    c.steps = NULL;
    c.splits = NULL;
    c.leaf_cell = NULL;
    c.values = NULL;
fail:
    free(c.path);
    free(c.earlier);
    free(c.before);
    free(c.steps);
    free(c.splits);
    free(c.leaf_cell);
    free(c.values);
    free(c.mean);
    return st;
}

/* The kernels see a constant tree; this room owns what it points to. */
static void free_const(const void *pointer)
{
    void *memory;
    memcpy(&memory, &pointer, sizeof memory);
    free(memory);
}

void bli_compiled_tree_done(blk_tree *tree)
{
    free_const(tree->steps);
    free_const(tree->splits);
    free_const(tree->leaf_cell);
    free_const(tree->values);
    *tree = (blk_tree){0};
}
