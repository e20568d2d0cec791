/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The referee of the interaction kernels: one row, one tree, one point after the other, in
 * double.
 */
#include "kernels/interactions.h"

#include <string.h>

size_t blk_interactions_row_scratch(uint32_t depth)
{
    size_t levels = (size_t)depth + 1;
    /* C or H of the root and both children of each level; a level's d, state, feature, mark
     * and two activities. */
    return 2 * levels + 1 + 6 * levels;
}

typedef struct walk {
    const blk_tree *tree;
    size_t value;
    const float *row;
    double t;
    double *cell;
    double *d;
    double *state;    /* [levels] r of the feature on the side in hand */
    double *split;    /* [levels] index of the split on the path */
    double *mark;     /* [levels] 1: a later split on the path has the same feature */
    double *activity; /* [levels][2] */
    double *matrix;
    size_t n_slots;
} walk;

/* r = (o - z) / (z + t (o - z)) of a feature that has its product of shares z so far. */
static double state_of(const walk *w, const blk_split *split, int right)
{
    if (w->activity[2 * (size_t)split->level + (size_t)right] == 0)
        return -1 / (1 - w->t);
    double z = split->share_before * (right ? 1 - split->share : split->share);
    return (1 - z) / (z + w->t * (1 - z));
}

static void go_down(const walk *w, uint32_t index)
{
    const blk_split *split = w->tree->splits + index;
    double active = split->earlier ? w->activity[split->earlier - 1] : 1;
    double left = blk_goes_left(w->tree, split, w->row[split->feature]);
    size_t level = split->level;
    w->activity[2 * level] = active * left;
    w->activity[2 * level + 1] = active * (1 - left);
    w->d[level] = active * (left - split->share);
    w->split[level] = (double)index;
    double before = split->share_before, tau = w->t;
    if (split->earlier)
        tau /= before + w->t * (1 - before);
    double c = w->cell[split->cell], *l = w->cell + 2 * level + 1;
    l[0] = c * (split->share + tau * w->d[level]);
    l[1] = c - l[0];
}

/* The features above a split other than its own, each at its latest split. */
static void add_partners(const walk *w, const blk_split *split, double e)
{
    memset(w->mark, 0, split->level * sizeof *w->mark);
    if (split->earlier)
        w->mark[(split->earlier - 1) / 2] = 1;
    for (size_t level = split->level; level-- > 0;) {
        const blk_split *above = w->tree->splits + (size_t)w->split[level];
        if (above->earlier)
            w->mark[(above->earlier - 1) / 2] = 1;
        /* A split whose feature is the one in hand marks its earlier ones, and is marked
         * itself. */
        if (w->mark[level] != 0)
            continue;
        size_t i = split->slot, j = above->slot;
        w->matrix[i > j ? i * w->n_slots + j : j * w->n_slots + i] += e * w->state[level];
    }
}

static void go_up(const walk *w, const blk_split *split)
{
    double before = split->share_before, d = w->d[split->level], tau = w->t, weight = 1;
    if (split->earlier) {
        double g = before + w->t * (1 - before);
        tau = w->t / g;
        weight = before / (g * g);
    }
    double *c = w->cell + split->cell;
    const double *h = w->cell + 2 * (size_t)split->level + 1;
    double difference = h[0] - h[1], e = *c * weight * d * difference;
    w->matrix[split->slot * w->n_slots + split->slot] += e;
    add_partners(w, split, e);
    *c = h[1] + (split->share + tau * d) * difference;
}

/* The side of the parent's split that a cell belongs to has been reached. */
static void reach(const walk *w, uint32_t cell)
{
    if (cell == 0)
        return;
    size_t level = (cell - 1) / 2;
    const blk_split *split = w->tree->splits + (size_t)w->split[level];
    w->state[level] = state_of(w, split, (int)((cell - 1) % 2));
}

void blk_interactions_row(const blk_tree *tree, size_t value, const float *row,
                          size_t n_points, const double *t, const double *w,
                          double *scratch, double *matrix, size_t n_slots)
{
    size_t levels = (size_t)tree->depth + 1;
    walk at = {
        .tree = tree,
        .value = value,
        .row = row,
        .cell = scratch,
        .matrix = matrix,
        .n_slots = n_slots,
    };
    at.d = scratch + 2 * levels + 1;
    at.state = at.d + levels;
    at.split = at.state + levels;
    at.mark = at.split + levels;
    at.activity = at.mark + levels;
    for (size_t k = 0; k < n_points; k++) {
        at.t = t[k];
        at.cell[0] = w[k];
        for (uint32_t s = 0; s < tree->n_steps; s++) {
            uint32_t index = tree->steps[s] & BLK_STEP_INDEX;
            switch (tree->steps[s] >> BLK_STEP_KIND) {
            case BLK_STEP_DOWN:
                reach(&at, tree->splits[index].cell);
                go_down(&at, index);
                break;
            case BLK_STEP_LEAF:
                at.cell[tree->leaf_cell[index]] =
                    tree->values[(size_t)index * tree->n_values + value];
                break;
            default:
                go_up(&at, tree->splits + index);
            }
        }
    }
}
