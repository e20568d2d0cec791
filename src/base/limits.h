/* SPDX-License-Identifier: Apache-2.0 */
/* Everything a user can grow has a limit; tests lower the large ones. */
#ifndef BL_BASE_LIMITS_H
#define BL_BASE_LIMITS_H

#include <stddef.h>
#include <stdint.h>

typedef struct bl_limits {
    uint64_t rows;         /* of a channel */
    uint64_t columns;      /* of a file, roles included */
    uint64_t line_bytes;   /* of one record of text */
    uint64_t levels;       /* categories of one column */
    uint64_t files;        /* of a channel */
    uint64_t folder_depth; /* below a channel */
    uint64_t config_bytes; /* of one JSON settings file */
    uint64_t model_bytes;  /* of a model file */
    uint64_t trees;        /* of a model */
    uint64_t tree_nodes;   /* of one tree */
    uint64_t json_depth;   /* nesting of a model document */
    uint64_t plan_columns; /* that a preprocessing plan names or makes */
    uint64_t plan_levels;  /* of one column that a plan turns into codes or columns */
    uint64_t plan_joint;   /* columns of one PCA, or of a correlation screening */
} bl_limits;

/* The limits in force: rows 2^40, columns 2^24 - 1 (levels likewise: XGBoost's own bound on
 * category codes), line_bytes 2^30, files 10^6, folder_depth 64, config_bytes 64 MiB,
 * model_bytes 2^36, trees 2^31 - 1, tree_nodes 2^30, json_depth 64, plan_columns 65,536,
 * plan_levels 100,000, plan_joint 4,096. */
bl_limits bli_limits(void);

#endif
