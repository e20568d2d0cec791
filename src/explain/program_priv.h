/* SPDX-License-Identifier: Apache-2.0 */
/* A tree on its way to programs: program.c surveys and plans it, program_write.c writes them. */
#ifndef BL_EXPLAIN_PROGRAM_PRIV_H
#define BL_EXPLAIN_PROGRAM_PRIV_H

#include "explain/explain_priv.h"

/* A split of the tree with what the programs need to know of it. Children: index of a split, or
 * ~index of a leaf. */
typedef struct bl_node {
    int32_t child[2];
    double mean;   /* of its leaves, less the tree's */
    double others; /* product of the shares of the other features of its path */
    bool below;    /* its feature is met again below */
    int height;
    float cost;
    blk_code form;
    uint32_t special; /* column of 0 and 1, or BL_PLAIN */
} bl_node;

#define BL_PLAIN UINT32_MAX

typedef struct bl_path_entry {
    uint32_t split;
    double product; /* of the shares of its feature, this side of the split included */
    bool live;      /* no later split of the path tests the same feature */
} bl_path_entry;

typedef struct bl_writer {
    const blk_tree *tree;
    size_t value, n_used;
    double mean;
    bl_node *nodes;
    bl_path_entry *path; /* [depth] */
    bool *right;         /* [depth] which side of it the survey is on */
    size_t n_points;
    double t[BLK_MAX_POINTS], w0;
    char *code;
    size_t n_code, cap;
    bl_status status;
    bl_err *err;
} bl_writer;

/* Mean of a child's leaves, less the tree's mean. */
double bli_program_mean(const bl_writer *w, int32_t child);

/* Writes the operations of the whole tree for the writer's points, BLK_END last. */
void bli_program_write(bl_writer *w);

#endif
