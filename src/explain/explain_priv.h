/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share. */
#ifndef BL_EXPLAIN_EXPLAIN_PRIV_H
#define BL_EXPLAIN_EXPLAIN_PRIV_H

#include "explain/explain.h"

#include "kernels/kernels.h"

/* One tree as one output sees it: a vector leaf counts once for each of its values. */
typedef struct bl_part {
    uint32_t tree; /* index in bl_explainer.trees */
    uint32_t value;
    uint32_t rule;
} bl_part;

/* Gauss-Legendre rule of n_points; one for each number of points that some tree needs. */
typedef struct bl_rule {
    size_t n_points;
    double *t, *w;
} bl_rule;

struct bl_explainer {
    const bl_forest *forest; /* lent */
    size_t first, last;      /* rounds */
    size_t n_features, n_outputs;
    double *tree_means;  /* [n_outputs] sum of weight * mean leaf; gblinear: the bias */
    double *base_values; /* [n_outputs] the base margin added */

    size_t n_used; /* features that some split tests, ascending */
    uint32_t *used;

    size_t n_trees;
    blk_tree *trees;
    uint32_t *tree_rule; /* [n_trees] */
    uint32_t max_depth;
    size_t n_rules;
    bl_rule *rules;
    size_t *output_first; /* [n_outputs + 1] first part of each output */
    bl_part *parts;       /* output by output, in order of trees */
};

/* Share of cover that goes left. What is no positive finite number counts as 0; two zeros
 * share alike. */
double bli_left_share(float left_cover, float right_cover);

/* Compiles one tree; slot_of [n_features] numbers the used features. ret_means
 * [n_values]: mean leaf by cover, weight included. ret_n_points: what exactness needs. */
bl_status bli_compile_tree(const bl_tree *tree, const uint32_t *slot_of, size_t n_used,
                           blk_tree *ret_tree, double *ret_means, size_t *ret_n_points,
                           bl_err *err);
void bli_compiled_tree_done(blk_tree *tree);

/* --- Blocks of rows (rows.c)
 * -------------------------------------------------------------- */

/* Rows that one thread works on at a time: by sizes of the model alone, so that sums over
 * blocks are the same bits whatever else differs. */
uint64_t bli_block_rows_of(const bl_explainer *explainer);

/* Steps of all trees times points: what a row costs. */
double bli_row_work(const bl_explainer *explainer);

/* Scratch of one thread. */
typedef struct bl_scratch {
    double *kernel;
    double *phi;   /* [block rows][n_used] */
    double *exact; /* [block rows][n_outputs] margins in double */
} bl_scratch;
bl_status bli_scratch_init(const bl_explainer *explainer, bl_scratch *ret_scratch,
                           bl_err *err);
void bli_scratch_done(bl_scratch *scratch);

/* What the aggregates keep of some rows. */
typedef struct bl_sums {
    double *abs_phi; /* [n_outputs][n_used] */
    double *phi;     /* [n_outputs][n_used] */
    double *margins; /* [n_outputs] */
    double max_abs_margin;
    double worst_additivity;
    uint64_t worst_row;
    double worst_margin_distance;
} bl_sums;

/* A block of at most bli_block_rows_of rows. */
typedef struct bl_rows_job {
    const float *x; /* [n_rows][n_features] */
    uint64_t n_rows;
    const float
        *base; /* [n_rows][n_outputs] instead of the model's base margin, or NULL */
    const float *margins; /* [n_rows][n_outputs] XGBoost's; only for sums */
    const uint64_t *row;  /* [n_rows] numbers for worst_row; only for sums */
    float *phi;           /* out [n_rows][n_outputs][n_features + 1], or NULL */
    bl_sums *sums;        /* out, zeroed before; or NULL */
} bl_rows_job;
void bli_explain_block(const bl_explainer *explainer, const bl_rows_job *job,
                       bl_scratch *scratch);

#endif
