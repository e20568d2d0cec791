/* SPDX-License-Identifier: Apache-2.0 */
/* One bl_tree -> the picks, or the walk, by which each row's leaf is found (kernels/lanes.h). */
#include "explain/explain_priv.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

typedef struct picker {
    const bl_tree *tree;
    size_t value, n_used;
    const uint32_t *slot_of;
    uint8_t *height;   /* [n_nodes] of small subtrees, TALL above */
    uint32_t *special; /* [n_nodes] */
    char *picks;
    size_t n, cap;
    bl_status status;
    bl_err *err;
} picker;

#define TALL 4

static bool is_leaf(const picker *p, uint32_t node)
{
    return p->tree->left[node] < 0;
}

static uint32_t left_of(const picker *p, uint32_t node)
{
    return (uint32_t)p->tree->left[node];
}

static uint32_t right_of(const picker *p, uint32_t node)
{
    return (uint32_t)p->tree->right[node];
}

/* Heights, and the special splits numbered as the compiled tree numbers them: a split before what
 * is below it, the left part first. Depth is bounded by whoever calls. */
static unsigned survey(picker *p, uint32_t node, uint32_t *n_special)
{
    const bl_tree *tree = p->tree;
    if (is_leaf(p, node))
        return 0;
    bool plain = !(tree->cat_words && tree->cat_words[node]) &&
                 bli_is_plain(&(blk_split){.threshold = tree->threshold[node]});
    p->special[node] = plain ? UINT32_MAX : (*n_special)++;
    unsigned left = survey(p, left_of(p, node), n_special);
    unsigned right = survey(p, right_of(p, node), n_special);
    unsigned height = 1 + (left > right ? left : right);
    p->height[node] = (uint8_t)(height < TALL ? height : TALL);
    return p->height[node];
}

static float value_of(const picker *p, uint32_t leaf)
{
    return p->tree->leaf[(size_t)leaf * p->tree->n_values + p->value];
}

static void put_split(const picker *p, blk_pick *pick, int i, uint32_t node)
{
    uint32_t slot = p->slot_of[p->tree->feature[node]];
    if (p->special[node] != UINT32_MAX) {
        pick->split[i].x[0] = pick->split[i].x[1] =
            (uint32_t)(2 * p->n_used) + p->special[node];
        pick->split[i].threshold = 0.5F;
        return;
    }
    pick->split[i].x[0] = slot;
    pick->split[i].x[1] = p->tree->default_left[node] ? slot : (uint32_t)p->n_used + slot;
    pick->split[i].threshold = p->tree->threshold[node];
}

/* A subtree of height at most 3, in heap order; a leaf further up fills all values below it. */
static void put_eight(const picker *p, blk_pick *pick, int i, uint32_t node)
{
    if (i >= 7) {
        pick->value[i - 7] = value_of(p, node);
        return;
    }
    bool leaf = is_leaf(p, node);
    if (!leaf)
        put_split(p, pick, i, node);
    put_eight(p, pick, 2 * i + 1, leaf ? node : left_of(p, node));
    put_eight(p, pick, 2 * i + 2, leaf ? node : right_of(p, node));
}

static void append(picker *p, blk_pick pick)
{
    void *memory = p->picks;
    pick.bytes = sizeof pick;
    if (p->status == BL_OK)
        p->status =
            bli_grow(&memory, &p->cap, p->n + sizeof pick, 1, "picks of a tree", p->err);
    if (p->status != BL_OK)
        return;
    p->picks = memory;
    memcpy(p->picks + p->n, &pick, sizeof pick);
    p->n += sizeof pick;
}

/* The subtree's picks into slot `out`, using those after it. */
static void write(picker *p, uint32_t node, uint32_t out)
{
    blk_pick pick = {.out = out, .other = out + 1};
    if (p->height[node] < TALL && p->height[node] > 1) {
        pick.code = BLK_PICK_EIGHT;
        put_eight(p, &pick, 0, node);
        append(p, pick);
        return;
    }
    uint32_t left = left_of(p, node), right = right_of(p, node);
    if (is_leaf(p, left))
        pick.value[0] = value_of(p, left);
    if (is_leaf(p, right))
        pick.value[is_leaf(p, left)] = value_of(p, right);
    if (is_leaf(p, left) && is_leaf(p, right)) {
        pick.code = BLK_PICK_PAIR;
    } else if (is_leaf(p, left) || is_leaf(p, right)) {
        pick.code = is_leaf(p, left) ? BLK_PICK_LEFT : BLK_PICK_RIGHT;
        write(p, is_leaf(p, left) ? right : left, out);
    } else {
        pick.code = BLK_PICK_SLOTS;
        write(p, left, out);
        write(p, right, out + 1);
    }
    put_split(p, &pick, 0, node);
    append(p, pick);
}

bl_status bli_write_picks(const bl_tree *tree, size_t value, const uint32_t *slot_of,
                          size_t n_used, void **ret_picks, bl_err *err)
{
    picker p = {
        .tree = tree, .value = value, .slot_of = slot_of, .n_used = n_used, .err = err};
    p.height = calloc(tree->n_nodes, sizeof *p.height);
    p.special = calloc(tree->n_nodes, sizeof *p.special);
    if (p.height && p.special) {
        uint32_t n_special = 0;
        survey(&p, 0, &n_special);
        write(&p, 0, 0);
        append(&p, (blk_pick){.code = BLK_PICK_END});
    } else {
        p.status = bli_fail(err, BL_E_NOMEM, "no memory for picks of a tree");
    }
    free(p.height);
    free(p.special);
    if (p.status != BL_OK) {
        free(p.picks);
        return p.status;
    }
    *ret_picks = p.picks;
    return BL_OK;
}

/* --- Walks ---------------------------------------------------------------------------- */

/* What is still to be numbered: a node of the tree and its place in the walk. */
typedef struct place {
    uint32_t node, at;
} place;

static void write_node(const picker *p, blk_walk_node *nodes, float *values, place here,
                       uint32_t left)
{
    blk_walk_node *to = nodes + here.at;
    if (is_leaf(p, here.node)) {
        *to = (blk_walk_node){.threshold = -INFINITY, .left = here.at - 1};
        values[here.at] = value_of(p, here.node);
        return;
    }
    blk_pick split = {0};
    put_split(p, &split, 0, here.node);
    *to = (blk_walk_node){.threshold = split.split[0].threshold,
                          .x = {split.split[0].x[0], split.split[0].x[1]},
                          .left = left};
}

static void write_nodes(const picker *p, place *queue, blk_walk_node *nodes,
                        float *values)
{
    uint32_t n = 1;
    queue[0] = (place){0, 0};
    for (uint32_t i = 0; i < n; i++) {
        place here = queue[i];
        write_node(p, nodes, values, here, n);
        if (is_leaf(p, here.node))
            continue;
        queue[n] = (place){left_of(p, here.node), n};
        queue[n + 1] = (place){right_of(p, here.node), n + 1};
        n += 2;
    }
}

bl_status bli_write_walk(const bl_tree *tree, size_t value, uint32_t depth,
                         const uint32_t *slot_of, size_t n_used, blk_walk_tree **ret_walk,
                         bl_err *err)
{
    picker p = {
        .tree = tree, .value = value, .slot_of = slot_of, .n_used = n_used, .err = err};
    size_t n = tree->n_nodes;
    blk_walk_tree *walk =
        calloc(1, sizeof *walk + n * (sizeof(blk_walk_node) + sizeof(float)));
    place *queue = calloc(n + 2, sizeof *queue);
    p.height = calloc(n, sizeof *p.height);
    p.special = calloc(n, sizeof *p.special);
    bl_status st = BL_OK;
    if (walk && queue && p.height && p.special) {
        uint32_t n_special = 0;
        blk_walk_node *nodes = (blk_walk_node *)(void *)(walk + 1);
        float *values = (float *)(void *)(nodes + n);
        survey(&p, 0, &n_special);
        write_nodes(&p, queue, nodes, values);
        *walk = (blk_walk_tree){.depth = depth, .nodes = nodes, .value = values};
        *ret_walk = walk;
    } else {
        st = bli_fail(err, BL_E_NOMEM, "no memory for the walk of a tree");
        free(walk);
    }
    free(queue);
    free(p.height);
    free(p.special);
    return st;
}
