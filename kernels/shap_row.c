/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The referee: one row, one tree, double, as close to the formulas of kernels/README.md
 * as code can be. Every vector variant is measured against it, and it against all
 * subsets.
 */
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

/* Points that one walk over the tree carries; more go in several walks, so that scratch
 * does not grow with them. */
#define MAX_POINTS 8

#define INLINE static inline __attribute__((always_inline))

int blk_goes_left(const blk_tree *tree, const blk_split *split, float x)
{
    if (isnan(x))
        return split->missing_left;
    if (!split->set_words)
        return x < split->threshold;
    /* 2^24 and above are no category codes in float32 (nor does the cast hold them all).
     */
    if (!(x >= 0 && x < 16777216.0F))
        return 1;
    uint32_t code = (uint32_t)x, word = code / 32;
    return word >= split->set_words ||
           !(tree->sets[split->set_first + word] >> (code % 32) & 1);
}

size_t blk_shap_row_scratch(uint32_t depth)
{
    size_t levels = (size_t)depth + 1;
    /* A cell for the root and for both children of each level; a difference and two
     * activities a level. */
    return (2 * levels + 1) * MAX_POINTS + 3 * levels;
}

typedef struct walk {
    const blk_tree *tree;
    size_t value;
    const float *row;
    const double *t, *w;
    double *cell; /* [2 * levels + 1][MAX_POINTS]: C on the way down, H on the way up */
    double *d;    /* [levels] a ([left] - z) */
    double *activity; /* [levels][2] 1 until a split on the feature was missed */
    double *phi;
} walk;

INLINE void go_down(const walk *w, size_t n, const blk_split *split)
{
    double active = split->earlier ? w->activity[split->earlier - 1] : 1;
    double left = blk_goes_left(w->tree, split, w->row[split->feature]);
    size_t level = split->level;
    w->activity[2 * level] = active * left;
    w->activity[2 * level + 1] = active * (1 - left);
    double z = split->share, before = split->share_before, d = active * (left - z);
    w->d[level] = d;
    const double *c = w->cell + (size_t)split->cell * MAX_POINTS;
    double *l = w->cell + (2 * level + 1) * MAX_POINTS, *r = l + MAX_POINTS;
    for (size_t k = 0; k < n; k++) {
        double t = w->t[k];
        double tau = split->earlier ? t / (before + t * (1 - before)) : t;
        l[k] = c[k] * (z + tau * d);
        r[k] = c[k] - l[k];
    }
}

INLINE void go_up(const walk *w, size_t n, const blk_split *split)
{
    double z = split->share, before = split->share_before, d = w->d[split->level],
           sum = 0;
    double *c = w->cell + (size_t)split->cell * MAX_POINTS;
    const double *l = w->cell + (2 * (size_t)split->level + 1) * MAX_POINTS;
    const double *r = l + MAX_POINTS;
    for (size_t k = 0; k < n; k++) {
        double t = w->t[k], difference = l[k] - r[k], tau = t, weight = 1;
        if (split->earlier) {
            double g = before + t * (1 - before);
            tau = t / g;
            weight = before / (g * g);
        }
        sum += c[k] * weight * difference;
        c[k] = r[k] + (z + tau * d) * difference;
    }
    w->phi[split->slot] += d * sum;
}

INLINE void walk_points(const walk *w, const size_t n)
{
    const blk_tree *tree = w->tree;
    memcpy(w->cell, w->w, n * sizeof *w->w);
    for (uint32_t s = 0; s < tree->n_steps; s++) {
        uint32_t step = tree->steps[s], index = step & BLK_STEP_INDEX;
        switch (step >> BLK_STEP_KIND) {
        case BLK_STEP_DOWN:
            go_down(w, n, tree->splits + index);
            break;
        case BLK_STEP_LEAF: {
            double v = tree->values[(size_t)index * tree->n_values + w->value];
            double *h = w->cell + (size_t)tree->leaf_cell[index] * MAX_POINTS;
            for (size_t k = 0; k < n; k++)
                h[k] = v;
            break;
        }
        default:
            go_up(w, n, tree->splits + index);
        }
    }
}

void blk_shap_row(const blk_tree *tree, size_t value, const float *row, size_t n_points,
                  const double *t, const double *w, double *scratch, double *phi)
{
    size_t levels = (size_t)tree->depth + 1;
    walk at = {.tree = tree, .value = value, .row = row, .cell = scratch, .phi = phi};
    at.d = scratch + (2 * levels + 1) * MAX_POINTS;
    at.activity = at.d + levels;
    for (size_t first = 0; first < n_points; first += MAX_POINTS) {
        at.t = t + first;
        at.w = w + first;
        switch (n_points - first) { /* a constant count lets the compiler unroll */
        case 1:
            walk_points(&at, 1);
            break;
        case 2:
            walk_points(&at, 2);
            break;
        case 3:
            walk_points(&at, 3);
            break;
        case 4:
            walk_points(&at, 4);
            break;
        case 5:
            walk_points(&at, 5);
            break;
        case 6:
            walk_points(&at, 6);
            break;
        case 7:
            walk_points(&at, 7);
            break;
        default:
            walk_points(&at, MAX_POINTS);
        }
    }
}
