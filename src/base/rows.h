/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What bl_table and bl_matrix share: blocks of float32 rows, what goes along with each row, and
 * the files it all came from. Counts of rows, cells and bytes are 64 bits everywhere.
 */
#ifndef BL_BASE_ROWS_H
#define BL_BASE_ROWS_H

#include "base/digest.h"

#include <stdbool.h>
#include <stdint.h>

/* Row-major [n_rows][n_features]; NaN is missing. */
typedef struct bl_block {
    float *x;
    uint64_t first_row; /* of the channel */
    uint64_t n_rows;
} bl_block;

/* Text cells carried verbatim: cell i of the column is text[offset[i]] .. offset[i + 1]. */
typedef struct bl_text_column {
    char *name; /* header name, or the index as text */
    char *text;
    uint64_t *offset; /* [n_rows + 1] */
} bl_text_column;

/* NULL where a role is absent. All [n_rows], row-major where several. */
typedef struct bl_roles {
    size_t n_labels;
    float *labels; /* [n_rows][n_labels] */
    float *weights;
    float *lower_bounds; /* survival:aft */
    float *upper_bounds;
    size_t n_base_margins;
    float *base_margins; /* [n_rows][n_base_margins] */
    size_t n_groups;
    uint64_t *group_rows; /* [n_groups] rows of each ranking group, in order */
    bool group_goes_on;   /* of a part: its first group began in the part before */
    size_t n_ids;
    bl_text_column *ids; /* [n_ids] */
} bl_roles;

typedef struct bl_file {
    char *path; /* relative to the job's root, or as given on the command line */
    uint64_t n_bytes;
    uint64_t first_row;
    uint64_t n_rows;
    char sha256[BL_DIGEST_TEXT];
} bl_file;

typedef struct bl_files {
    size_t n;
    bl_file *file;
} bl_files;

void bli_blocks_free(bl_block *blocks, size_t n_blocks); /* the array and each x */
void bli_roles_done(bl_roles *roles);
void bli_files_done(bl_files *files);

/* Rows of a block for n_features columns: about 4 MiB a block, a multiple of 64, at least 64.
 * Blocks are cut by data size alone, so that results do not depend on threads. */
uint64_t bli_block_rows(size_t n_features);

#endif
