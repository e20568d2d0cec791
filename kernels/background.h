/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHAP values against a background of rows (interventional). src/explain/README.md has the
 * mathematics; src/explain/background_tree.c compiles the trees.
 */
#ifndef BL_KERNELS_BACKGROUND_H
#define BL_KERNELS_BACKGROUND_H

#include "kernels/kernels.h"

/* --- One leaf, all patterns
 * ------------------------------------------------------------------------------------- */

/* Most features of a leaf, and most bits of a pattern, that tables are made for. */
#define BLK_BG_BITS   10
#define BLK_BG_POINTS ((BLK_BG_BITS + 1) / 2)

/* Doubles of scratch for blk_background_table. */
#define BLK_BG_SCRATCH (BLK_BG_POINTS << BLK_BG_BITS)

/*
 * A leaf of value 1 whose path holds n <= BLK_BG_BITS different features. share [2^n]: the
 * share of background rows that fail exactly the features of a set. table [2^n][n]: the
 * values of a row that fails exactly the features of a set. t, w: Gauss-Legendre of
 * (n + 1) / 2 points; n = 0 does nothing. scratch [BLK_BG_SCRATCH], no overlap.
 */
void blk_background_table(uint32_t n, const double *share, const double *t,
                          const double *w, double *scratch, double *table);

/* --- Rows in lanes
 * ------------------------------------------------------------------------------------- */

/* Rows that go together. Buffers are aligned to 64 bytes. */
#define BLK_BG_ROWS 32

typedef struct blk_bg_split {
    uint32_t x;      /* column of its feature among the used ones */
    float threshold; /* x < threshold goes left */
    uint32_t missing_left;
    uint32_t special; /* 1: no plain comparison, blk_goes_left decides row by row */
    uint32_t set_first, set_words; /* as blk_split */
} blk_bg_split;

/* A small subtree with the path that leads to it. Its pattern of a row: bit i < n_path is
 * set where the row fails the i-th different feature of the path; then one bit for each
 * split of the subtree, set where the row goes right. */
typedef struct blk_bg_piece {
    uint32_t n_path, n_splits,
        first_split;             /* splits of the subtree: in blk_bg_tree.inner */
    uint32_t n_features, stride; /* floats of a line of its table: 8 or 16 */
    uint32_t slot[16];           /* [n_features] */
    size_t table;                /* first float of its table [n_values][2^bits][stride] */
} blk_bg_piece;

typedef enum blk_bg_code {
    BLK_BG_END,
    BLK_BG_LEFT,  /* down to the left of a split */
    BLK_BG_RIGHT, /* down to the right */
    BLK_BG_PIECE
} blk_bg_code;

typedef struct blk_bg_step {
    uint32_t code;
    uint32_t index; /* of the split or piece */
    uint32_t level; /* of the split: edges from the root; of a piece: of its top */
    uint32_t bit;   /* of the split's feature; 0 below the deepest piece */
} blk_bg_step;

typedef struct blk_bg_tree {
    uint32_t n_splits, n_pieces, n_values, depth;
    const blk_bg_step *steps; /* to END */
    const blk_bg_split *splits;
    const blk_bg_piece *pieces;
    const uint32_t *inner;
    const uint32_t *sets;
} blk_bg_tree;

/* Columns of BLK_BG_ROWS elements. */
typedef struct blk_bg_block {
    const float *low;  /* [used] NaN replaced by -infinity */
    const float *high; /* [used] NaN replaced by +infinity */
    const float *raw;  /* [used] as they are, for special splits */
    uint16_t *right;   /* [n_splits] all ones where the row goes right */
    uint16_t *failed;  /* [depth + 1] patterns of the path */
    uint16_t *pattern; /* [n_pieces] */
} blk_bg_block;

/* One instruction set. All give equal bits. */
typedef struct blk_background {
    const char *name;
    /* Fills right and pattern. */
    void (*patterns)(const blk_bg_block *block, const blk_bg_tree *tree);
    /* Adds one value of each piece, looked up by pattern, to phi [used] columns. */
    void (*add)(const blk_bg_block *block, const blk_bg_tree *tree, uint32_t value,
                const float *tables, float *phi);
} blk_background;

/* Variants that this processor runs, weakest first; the list ends with NULL. */
#define BLK_BG_VARIANTS 3
void blk_background_variants(const blk_background *ret_list[BLK_BG_VARIANTS + 1]);

#endif
