/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pure functions: pointers, sizes, numbers. No allocation, input or output, logs,
 * threads, globals. Each says its shapes, aliasing, and how it treats NaN and infinity.
 * kernels/README.md has the mathematics.
 */
#ifndef BL_KERNELS_KERNELS_H
#define BL_KERNELS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* --- Quadrature on [0, 1] ----------------------------------------------------------- */

/* Gauss-Legendre, n >= 1 points: exact for polynomials of degree 2n - 1. t [n] ascending
 * inside (0, 1), w [n] positive, sum 1; both within an ulp or two. */
void blk_gauss_legendre(size_t n, double *t, double *w);

/* Gauss-Radau with the fixed point 0 and n >= 0 others t [n], w [n]: exact for degree 2n.
 * Returns the weight of the point 0. */
double blk_gauss_radau(size_t n, double *t, double *w);

/* --- Path-dependent SHAP, one row and one tree, in double: the referee -------------- */

/* One split. Shares are fractions of cover: of the left child z, of the right 1 - z. */
typedef struct blk_split {
    double share;        /* z in [0, 1] */
    double share_before; /* product of the shares of earlier splits on the same feature,
                            along this path; 1 where there is none */
    float threshold;     /* x < threshold goes left */
    uint32_t feature;    /* column of the row */
    uint32_t slot;       /* element of phi */
    uint32_t level;      /* edges from the root */
    uint32_t cell;       /* where its parent puts what it hands down: 0 for the root, else
                            2 * level of the parent + 1 (left) or + 2 (right) */
    uint32_t earlier; /* 1 + 2 * level + side of the path at the nearest earlier split on
                         the same feature (side 1: right); 0 where there is none */
    uint32_t set_first; /* categorical: first word of the set in tree->sets */
    uint32_t set_words; /* and its length; 0: numeric */
    uint8_t missing_left;
} blk_split;

/* A tree as the tour of a depth-first walk: down into a split, its left part, its right
 * part, up again. A step is a kind in the two highest bits and an index. */
#define BLK_STEP_DOWN  0u /* index of a split */
#define BLK_STEP_LEAF  1u /* index of a leaf */
#define BLK_STEP_UP    2u /* index of a split */
#define BLK_STEP_KIND  30
#define BLK_STEP_INDEX 0x3fffffffu

typedef struct blk_tree {
    uint32_t n_steps;
    uint32_t n_values; /* values of a leaf */
    uint32_t depth;
    const uint32_t *steps;
    const blk_split *splits;
    const uint32_t *leaf_cell; /* [leaf] as blk_split.cell */
    const double *values;      /* [leaf][n_values], tree weight included */
    const uint32_t *sets;      /* bit c % 32 of word c / 32: category c goes right */
} blk_tree;

/* true where x goes left: NaN by missing_left, else a number by x < threshold; a category
 * by the set: outside it, negative, or beyond it goes left. */
int blk_goes_left(const blk_tree *tree, const blk_split *split, float x);

/* Doubles of scratch that blk_shap_row needs for trees of this depth. */
size_t blk_shap_row_scratch(uint32_t depth);

/*
 * Adds the SHAP values of one row under value `value` of one tree to phi [slots]:
 * Gauss-Legendre with points t [n_points] and weights w. Exact to rounding where 2 *
 * n_points is at least the number of different features on any path. Finite for finite
 * leaf values, whatever the row holds. scratch [blk_shap_row_scratch(tree->depth)], no
 * overlap with anything else.
 */
void blk_shap_row(const blk_tree *tree, size_t value, const float *row, size_t n_points,
                  const double *t, const double *w, double *scratch, double *phi);

#endif
