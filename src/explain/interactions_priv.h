/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the interactions share. */
#ifndef BL_EXPLAIN_INTERACTIONS_PRIV_H
#define BL_EXPLAIN_INTERACTIONS_PRIV_H

#include "explain/interactions.h"
#include "kernels/interactions.h"

/* One value of one tree under as many points as a program carries. */
typedef struct bl_inter_part {
    blk_inter_program program;
    uint64_t n_sums; /* additions to pairs and phi */
    void *memory;    /* of the program's arrays */
} bl_inter_part;

/* Numbers of pairs of slots: open addressing, key 0 is free. */
typedef struct bl_pair_table {
    uint64_t *key;
    uint32_t *number;
    size_t size; /* a power of two */
    size_t n_pairs, cap;
    bl_pair *pairs; /* in slots while trees are compiled */
} bl_pair_table;

struct bl_interactions {
    const bl_forest *forest; /* lent */
    size_t first, last;
    size_t n_features, n_outputs;
    double *tree_means;  /* [n_outputs] */
    double *base_values; /* [n_outputs] the base margin added */

    size_t n_used; /* features that some split tests, ascending */
    uint32_t *used;

    size_t n_trees;
    blk_tree *trees;
    double *leaf_means; /* [n_trees][n_outputs] mean leaf by cover of each value */
    uint32_t *n_points; /* [n_trees] of Gauss-Legendre, for the referee */
    uint32_t most_points;
    double *rules; /* of n points from n (n - 1) on: t [n], w [n] */
    uint32_t max_depth;

    bl_pair_table table;
    bl_pair *slots; /* [n_pairs] the pairs in slots */

    const blk_interactions *kernel; /* NULL: the referee */
    size_t *output_first;           /* [n_outputs + 1] first part of each output */
    bl_inter_part *parts;           /* output by output, in order of trees */
};

/* Most different features on a path. */
uint32_t bli_most_different(const blk_tree *tree);

/* Numbers the pairs of a tree. */
bl_status bli_pairs_of_tree(bl_pair_table *table, const blk_tree *tree, size_t n_used,
                            bl_err *err);

/* The program of one value of one tree, deeper than a leaf, under some of the points of its
 * rule. All its pairs are in the table. mean is taken off each leaf: a constant moves
 * neither values nor interactions, and small differences of large leaves survive float. */
bl_status bli_inter_program(const blk_tree *tree, size_t value, double mean,
                            const bl_pair_table *table, size_t n_used, size_t n_points,
                            const double *t, const double *w, bl_inter_part *ret_part,
                            bl_err *err);

#endif
