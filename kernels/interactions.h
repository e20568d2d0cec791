/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHAP interactions, path-dependent. src/explain/README.md has the mathematics;
 * src/explain/interactions_program.c writes the programs.
 *
 * What the kernels sum for a pair of features is twice the interaction value of either of
 * its two cells: halving is the caller's.
 */
#ifndef BL_KERNELS_INTERACTIONS_H
#define BL_KERNELS_INTERACTIONS_H

#include "kernels/kernels.h"

/* --- One row and one tree, in double: the referee ----------------------------------- */

/* Doubles of scratch that blk_interactions_row needs for trees of this depth. */
size_t blk_interactions_row_scratch(uint32_t depth);

/*
 * Adds to matrix [n_slots][n_slots] what one row gets under value `value` of one tree: SHAP
 * values on the diagonal; for two features the sum of both their cells, once, in the cell
 * whose row is the larger slot. Rule and limits as of blk_shap_row: exact where 2 *
 * n_points is at least the number of different features on any path.
 */
void blk_interactions_row(const blk_tree *tree, size_t value, const float *row,
                          size_t n_points, const double *t, const double *w,
                          double *scratch, double *matrix, size_t n_slots);

/* --- Rows in lanes ------------------------------------------------------------------ */

/* Points that one program carries; a tree that needs more has several programs. */
#define BLK_INTER_POINTS 8

/* Rows that go together. Buffers are aligned to 64 bytes. */
#define BLK_INTER_ROWS 32

/* Cells that hold C on the way down and H on the way up are numbered as blk_split.cell. */
typedef enum blk_inter_code {
    BLK_INTER_END,
    BLK_INTER_ENTER_LEFT,  /* from C of the split's cell: C of both children; the state
                              of its feature on the left side */
    BLK_INTER_ENTER_RIGHT, /* where the left child is a leaf: on the right side */
    BLK_INTER_TURN,        /* the state of its feature on the right side */
    BLK_INTER_LEAVE,       /* H of both children -> H of the cell; sums */
    BLK_INTER_LEAVE_LEAF_LEFT, /* the same where one child is a leaf */
    BLK_INTER_LEAVE_LEAF_RIGHT,
    BLK_INTER_BOTTOM /* a split with two leaves: all at once */
} blk_inter_code;

/* A partner on the path: the level of its latest split, and the pair's accumulator. */
typedef struct blk_inter_pair {
    uint32_t level, pair;
} blk_inter_pair;

/* One split, in the order in which ENTER and BOTTOM meet them. */
typedef struct blk_inter_split {
    uint32_t x;      /* column of its feature among the used ones, and of phi */
    float threshold; /* x < threshold goes left */
    float share;     /* z of the left child */
    float d[2];      /* 1 - z and -z: [left] - z of a row that goes left, and right */
    float leaf[2];   /* values of children that are leaves */
    uint32_t level, cell;
    uint32_t earlier; /* as blk_split.earlier */
    uint32_t n_pairs, first_pair;
    uint32_t missing_left;
    uint32_t special; /* 1: no plain comparison, blk_goes_left decides row by row */
    uint32_t set_first, set_words; /* as blk_split */
    /* [n_points] r of the left side where satisfied, r of the right side; where the
     * feature has an earlier split, tau and the weight of C follow. */
    uint32_t first_constant;
} blk_inter_split;

typedef struct blk_inter_step {
    uint32_t code, split;
} blk_inter_step;

typedef struct blk_inter_program {
    const blk_inter_step *steps; /* to END */
    const blk_inter_split *splits;
    const blk_inter_pair *pairs;
    const float *constants;
    const uint32_t *sets;
    uint32_t n_points;
    float t[BLK_INTER_POINTS], w[BLK_INTER_POINTS];
    float missed[BLK_INTER_POINTS]; /* r where a split on the feature was missed */
} blk_inter_program;

/* Columns of BLK_INTER_ROWS floats, one row a lane. */
typedef struct blk_inter_block {
    const float *low;  /* [used] NaN replaced by -infinity */
    const float *high; /* [used] NaN replaced by +infinity */
    const float *raw;  /* [used] as they are, for special splits */
    float *phi;        /* [used] added to */
    float *pairs;      /* [pairs] added to: twice the interaction value */
    float *cells;      /* [2 * depth + 1][BLK_INTER_POINTS] */
    float *r;          /* [depth][BLK_INTER_POINTS] state of the feature of each level */
    float *d;          /* [depth] */
    char *active;      /* [2 * depth] masks of 4 bytes a row */
} blk_inter_block;

/* One instruction set. The variants with fused multiply-adds give equal bits; "portable"
 * rounds twice where they round once. */
typedef struct blk_interactions {
    const char *name;
    void (*run)(const blk_inter_block *block, const blk_inter_program *program);
} blk_interactions;

/* One lane and fmaf: what the variants with fused multiply-adds must equal. For tests. */
const blk_interactions *blk_interactions_reference(void);

/* Variants that this processor runs, weakest first; the list ends with NULL. */
#define BLK_INTER_VARIANTS 4
void blk_interactions_variants(const blk_interactions *ret_list[BLK_INTER_VARIANTS + 1]);

#endif
