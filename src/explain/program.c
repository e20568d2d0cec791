/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One compiled tree -> programs for the lanes (kernels/lanes.h): which splits go together in one
 * operation, slots, constants. Leaves are taken less the tree's mean: SHAP values do not change,
 * and float32 keeps what matters of them.
 */
#include "explain/program_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- What is known of each split ---------------------------------------------------- */

static double leaf_value(const bl_writer *w, int32_t child)
{
    return w->tree->values[(size_t)~child * w->tree->n_values + w->value] - w->mean;
}

double bli_program_mean(const bl_writer *w, int32_t child)
{
    return child < 0 ? leaf_value(w, child) : w->nodes[child].mean;
}

static double others_of(const bl_writer *w, const blk_split *split)
{
    double product = 1;
    for (uint32_t i = 0; i < split->level; i++)
        if (w->path[i].live && w->tree->splits[w->path[i].split].slot != split->slot)
            product *= w->path[i].product;
    return product;
}

/* Level of the nearest earlier split on the same feature. */
static uint32_t earlier_level(const blk_split *split)
{
    return (split->earlier - 1) / 2;
}

static void enter(bl_writer *w, uint32_t index, uint32_t *n_special)
{
    const blk_split *split = w->tree->splits + index;
    bl_node *n = w->nodes + index;
    n->special = bli_is_plain(split) ? BL_PLAIN : (*n_special)++;
    n->others = others_of(w, split);
    if (split->earlier) {
        bl_path_entry *before = w->path + earlier_level(split);
        w->nodes[before->split].below = true;
        before->live = false;
    }
    w->path[split->level] = (bl_path_entry){
        .split = index, .product = split->share_before * split->share, .live = true};
}

static void leave(bl_writer *w, uint32_t index)
{
    const blk_split *split = w->tree->splits + index;
    bl_node *n = w->nodes + index;
    if (split->earlier)
        w->path[earlier_level(split)].live = true;
    n->mean = split->share * bli_program_mean(w, n->child[0]) +
              (1 - split->share) * bli_program_mean(w, n->child[1]);
}

/* Children and means by one walk of the tour. */
static void survey(bl_writer *w)
{
    const blk_tree *tree = w->tree;
    uint32_t level = 0, n_special = 0;
    for (uint32_t s = 0; s < tree->n_steps; s++) {
        uint32_t kind = tree->steps[s] >> BLK_STEP_KIND,
                 index = tree->steps[s] & BLK_STEP_INDEX;
        if (kind == BLK_STEP_DOWN) {
            enter(w, index, &n_special);
            w->right[level++] = false;
            continue;
        }
        if (kind == BLK_STEP_UP) {
            leave(w, index);
            level--;
        }
        if (!level)
            break; /* the root is done */
        bl_path_entry *top = w->path + level - 1;
        const blk_split *parent = tree->splits + top->split;
        bool right = w->right[level - 1];
        w->nodes[top->split].child[right] =
            kind == BLK_STEP_LEAF ? ~(int32_t)index : (int32_t)index;
        top->product = parent->share_before * (1 - parent->share);
        w->right[level - 1] = true;
    }
}

/* --- Which splits go together ------------------------------------------------------- */

static float cost_of(const bl_writer *w, int32_t child)
{
    return child < 0 ? 1 + (float)w->n_points : w->nodes[child].cost;
}

static int height_of(const bl_writer *w, int32_t child)
{
    return child < 0 ? 0 : w->nodes[child].height;
}

static void offer(bl_node *n, blk_code form, float cost)
{
    if (cost < n->cost) {
        n->cost = cost;
        n->form = form;
    }
}

/* The cheapest cover by operations, bottom up (a split's index is less than its children's). Costs
 * are vector instructions a step, the parts through memory counted double. */
static void plan(bl_writer *w, uint32_t n_splits)
{
    float k = (float)w->n_points;
    for (uint32_t i = n_splits; i-- > 0;) {
        bl_node *n = w->nodes + i;
        int32_t a = n->child[0], b = n->child[1];
        int ha = height_of(w, a), hb = height_of(w, b);
        n->height = 1 + (ha > hb ? ha : hb);
        n->cost = INFINITY;
        if (ha == 0 && hb == 0)
            offer(n, BLK_PAIR, 6 + 4 * k);
        else if (ha == 0 || hb == 0)
            offer(n, BLK_DOWN_ONE, 12 + 10 * k + cost_of(w, ha ? a : b));
        else
            offer(n, BLK_DOWN, 12 + 13 * k + cost_of(w, a) + cost_of(w, b));
        if (n->height == 2 && (ha == 0 || hb == 0))
            offer(n, BLK_LEANING, 12 + 9 * k);
        if (n->height == 2)
            offer(n, BLK_FOUR, 17 + 10 * k);
        if (n->height == 3)
            offer(n, BLK_EIGHT, 38 + 24 * k);
    }
}

/* --- A part ------------------------------------------------------------------------- */

static bl_status write_programs(bl_writer *w, const bl_rule *rule, uint32_t n_splits,
                                blk_program *programs)
{
    size_t *offset = calloc(rule->n_programs, sizeof *offset);
    if (!offset)
        return bli_fail(w->err, BL_E_NOMEM, "no memory for a program");
    for (size_t p = 0, first = 0; p < rule->n_programs; p++) {
        /* Points evenly: eleven as six and five. */
        size_t left = rule->n_programs - p;
        w->n_points = (rule->n_lane_points - first + left - 1) / left;
        w->w0 = p == 0 ? rule->w0 : 0;
        for (size_t k = 0; k < w->n_points; k++) {
            w->t[k] = rule->lane_t[first + k];
        }
        programs[p].n_points = (uint32_t)w->n_points;
        programs[p].t = rule->float_t + first;
        programs[p].w = rule->float_w + first;
        offset[p] = w->n_code;
        if (p == 0 || w->n_points != programs[p - 1].n_points)
            plan(w, n_splits);
        bli_program_write(w);
        first += w->n_points;
    }
    for (size_t p = 0; p < rule->n_programs; p++)
        programs[p].code = w->code + offset[p];
    free(offset);
    return w->status;
}

bl_status bli_write_programs(const blk_tree *tree, size_t value, size_t n_used,
                             const bl_rule *rule, blk_program *programs, void **ret_code,
                             size_t *ret_bytes, bl_err *err)
{
    bl_writer w = {.tree = tree, .value = value, .n_used = n_used, .err = err};
    uint32_t n_splits = tree->n_steps / 3;
    w.nodes = calloc(n_splits, sizeof *w.nodes);
    w.path = calloc(tree->depth, sizeof *w.path);
    w.right = calloc((size_t)tree->depth + 2, sizeof *w.right);
    bl_status st = BL_OK;
    if (!w.nodes || !w.path || !w.right)
        st = bli_fail(err, BL_E_NOMEM, "no memory for a program");
    if (st == BL_OK) {
        survey(&w);
        w.mean = w.nodes[0].mean;
        survey(&w); /* again, with leaves less the mean */
        st = write_programs(&w, rule, n_splits, programs);
    }
    if (st == BL_OK) {
        *ret_code = w.code;
        *ret_bytes = w.n_code;
        w.code = NULL;
    }
    free(w.code);
    free(w.nodes);
    free(w.path);
    free(w.right);
    return st;
}
