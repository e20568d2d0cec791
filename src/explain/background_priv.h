/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the background room share. */
#ifndef BL_EXPLAIN_BACKGROUND_PRIV_H
#define BL_EXPLAIN_BACKGROUND_PRIV_H

#include "explain/background.h"
#include "kernels/background.h"

/* --- A tree
 * ------------------------------------------------------------------------------------- */

/* A condition of a leaf's path: the row must go left or right, else it fails a feature. */
typedef struct bl_condition {
    uint32_t split, right;
    uint32_t feature; /* in order of the path's different features */
} bl_condition;

typedef struct bl_path_leaf {
    uint32_t leaf;
    uint32_t n_features, first_slot; /* in bl_bg_tree.slots */
    uint32_t n_conditions, first_condition;
    uint32_t piece; /* its piece; UINT32_MAX: its path has too many features for tables */
    uint32_t
        n_path; /* of those in pieces: features of the piece's path, which come first */
} bl_path_leaf;

typedef struct bl_bg_tree {
    blk_bg_tree lanes;
    blk_tree tree;
    blk_bg_step *steps;
    blk_bg_split *splits;
    blk_bg_piece *pieces;
    uint32_t *inner;
    uint32_t n_inner;
    bl_path_leaf *leaves; /* piece by piece, those without one in between */
    uint32_t n_leaves, n_deep;
    uint32_t *slots;
    bl_condition *conditions;
    uint32_t output;
    size_t n_table; /* floats of its tables */
} bl_bg_tree;

bl_status bli_bg_tree_init(const bl_tree *source, const uint32_t *slot_of, size_t n_used,
                           bl_bg_tree *ret_tree, bl_err *err);
void bli_bg_tree_done(bl_bg_tree *tree);

/* --- Rows
 * ------------------------------------------------------------------------------------- */

/* Rows in groups of BLK_BG_ROWS, as columns of the used features. */
typedef struct bl_groups {
    uint64_t n_rows, n_groups;
    size_t n_used;
    float *x; /* [n_groups][3][n_used][BLK_BG_ROWS] low, high, raw */
} bl_groups;
bl_status bli_groups_init(const bl_background *bg, const float *rows, uint64_t n_rows,
                          bl_groups *ret_groups, bl_err *err);
void bli_groups_done(bl_groups *groups);
void bli_groups_fill(const bl_background *bg, const float *rows, bl_groups *groups);

/* Scratch of one thread for the patterns of any tree of the model. */
bl_status bli_bg_block_init(const bl_background *bg, blk_bg_block *ret_block,
                            bl_err *err);
void bli_bg_block_done(blk_bg_block *block);
void bli_bg_block_at(blk_bg_block *block, const bl_groups *groups, uint64_t group);

/* --- The object
 * ------------------------------------------------------------------------------------- */

struct bl_background {
    const bl_forest *forest; /* lent */
    size_t first, last;
    size_t n_features, n_outputs;
    size_t n_used;
    uint32_t *used;

    const blk_background *kernel;
    size_t n_trees;
    bl_bg_tree *trees;
    uint32_t max_depth, max_splits, max_pieces, most_features;
    uint64_t n_pieces; /* of all trees */
    uint64_t
        n_deep;    /* leaves of all trees whose paths have too many features for tables */
    double *rules; /* of n points from n (n - 1) on: t [n], w [n] */
    double *beta;  /* [most_features + 1][most_features + 1] k! m! / (k + m + 1)! */

    bl_groups background;
    double *means;   /* [n_outputs] mean margin */
    double *margins; /* [n_background][n_outputs] */
    double *linear;  /* gblinear: [n_used] mean of the background, missing as 0 */

    /* Tables of all trees, where they are few enough to keep; else NULL. */
    float *tables;
    size_t *table_first; /* [n_trees + 1] */
};

/* Margins of a row in double: base margin and all trees. */
void bli_bg_margins(const bl_background *bg, const float *row, double *margins);

/* --- Tables
 * ------------------------------------------------------------------------------------- */

/* Scratch of one thread. */
typedef struct bl_table_scratch {
    blk_bg_block block;
    uint16_t failed[1 << BLK_BG_BITS]; /* of one leaf, by pattern of its piece */
    double *memory;
    double *share;    /* [2^BITS] */
    double *table;    /* [2^BITS][BITS] of a leaf */
    double *sums;     /* of blk_background_table */
    double *piece;    /* [2^BITS][16] */
    uint32_t *counts; /* [max_pieces][2^BITS] */
} bl_table_scratch;
bl_status bli_table_scratch_init(const bl_background *bg, bl_table_scratch *ret_scratch,
                                 bl_err *err);
void bli_table_scratch_done(bl_table_scratch *scratch);

/* Tables [tree.n_table] of the pieces of one tree. */
void bli_bg_tables(const bl_background *bg, const bl_bg_tree *tree,
                   bl_table_scratch *scratch, float *tables);

/* --- Leaves whose paths have too many features for tables
 * ------------------------------------------------------------------------------------- */

/* Sets of features as distinct keys of n_words, numbered in order of appearance. */
typedef struct bl_sets {
    uint32_t n_words, n, cap;
    uint64_t *key;     /* [cap][n_words] */
    uint32_t *place;   /* [n_places] 1 + number; 0: free */
    uint32_t n_places; /* a power of two */
} bl_sets;
/* Number of a set, which is added where new. */
bl_status bli_sets_add(bl_sets *sets, const uint64_t *key, uint32_t *ret_number,
                       bl_err *err);
void bli_sets_done(bl_sets *sets);

/* Values of one leaf for each of some rows. */
typedef struct bl_deep {
    const bl_path_leaf *leaf;
    uint32_t *set; /* [n_rows] */
    float *phi;    /* [n_sets][n_features][n_values] */
} bl_deep;

/* Words of a set of the leaf's features. */
uint32_t bli_bg_words(const bl_path_leaf *leaf);
/* Features that the rows of a block fail: keys [BLK_BG_ROWS][n_words]. block->right has been
 * filled. */
void bli_bg_keys(const bl_bg_tree *tree, const bl_path_leaf *leaf,
                 const blk_bg_block *block, uint64_t *keys);

/* Fills deep [tree->n_deep]; free each's arrays. */
bl_status bli_bg_deep(const bl_background *bg, const bl_bg_tree *tree,
                      const bl_groups *rows, blk_bg_block *block, bl_deep *deep,
                      bl_err *err);

#endif
