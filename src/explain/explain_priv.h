/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share. */
#ifndef BL_EXPLAIN_EXPLAIN_PRIV_H
#define BL_EXPLAIN_EXPLAIN_PRIV_H

#include "explain/explain.h"

#include "kernels/lanes.h"

#include <math.h>
#include <stdatomic.h>

/* Rules of quadrature for trees with so many different features on their longest path. */
typedef struct bl_rule {
    size_t n_different;
    /* For the referee, Gauss-Legendre. */
    size_t n_points;
    double *t, *w;
    /* For the lanes: an odd number of features takes Gauss-Radau, whose point 0 costs nothing
     * but constants. At most BLK_MAX_POINTS in a program. */
    size_t n_lane_points, n_programs;
    double w0; /* weight of the point 0; 0 where it is none */
    double *lane_t;
    float *float_t, *float_w;
} bl_rule;

typedef struct bl_compiled {
    blk_tree tree;
    bl_rule *rule;     /* lent by the explainer */
    uint32_t *special; /* [n_special] splits that are no plain comparison */
    uint32_t n_special;
    uint32_t source; /* index in the forest */
} bl_compiled;

/* One tree as one output sees it: a vector leaf counts once for each of its values. */
typedef struct bl_part {
    uint32_t tree; /* index in bl_explainer.trees */
    uint32_t value;
    blk_program *programs; /* [rule->n_programs]; NULL: the referee does this tree */
    void *code;            /* until all programs lie together */
    size_t code_bytes;
    /* How a row's leaf is found: by picks, by a walk in the block, or, where both are missing, by
     * bli_tree_leaf. */
    void *picks;
    blk_walk_tree *walk;
} bl_part;

struct bl_explainer {
    const bl_forest *forest; /* lent */
    size_t first, last;      /* rounds */
    bool margins_only;       /* no programs: it can only predict */
    size_t n_features, n_outputs;
    double *tree_means;  /* [n_outputs] sum of weight * mean leaf; gblinear: the bias */
    double *base_values; /* [n_outputs] the base margin added */

    size_t n_used; /* features that some split tests, ascending */
    uint32_t *used;

    const blk_lanes *lanes; /* NULL: the referee does every tree */
    size_t n_trees;
    bl_compiled *trees;
    uint32_t max_depth;  /* of all trees */
    uint32_t lane_depth; /* of those with programs */
    uint32_t max_special;
    size_t n_rules;
    bl_rule **rules;
    size_t *output_first; /* [n_outputs + 1] first part of each output */
    bl_part *parts;       /* output by output, in order of trees */

    char *code;             /* of all programs, in the order of parts */
    uint64_t block_rows;    /* bli_block_rows_of */
    double row_work;        /* bli_row_work */
    size_t scratch_bytes;   /* of one thread, for rows in memory */
    _Atomic(void *) *spare; /* [BL_SPARE] such scratch, not in use */
};

/* Scratch kept for calls to come, so that a call allocates nothing: some hundred KB each for a usual
 * model. More threads at a time than this allocate theirs. */
#define BL_SPARE 16

/* margins_only: spares the programs, and bli_explain_block may not be called. */
bl_status bli_explainer_new_for(const bl_forest *forest, size_t first, size_t last,
                                unsigned cpu, bool margins_only,
                                bl_explainer **ret_explainer, bl_err *err);

/* Share of cover that goes left. What is no positive finite number counts as 0; two zeros
 * share alike. */
double bli_left_share(float left_cover, float right_cover);

/* Compiles one tree; slot_of [n_features] numbers the used features. ret_means [n_values]: mean
 * leaf by cover, weight included. ret_n_different: most different features on a path. */
bl_status bli_compile_tree(const bl_tree *tree, const uint32_t *slot_of, size_t n_used,
                           blk_tree *ret_tree, double *ret_means, size_t *ret_n_different,
                           bl_err *err);
void bli_compiled_tree_done(blk_tree *tree);

/* A number is compared with a threshold that some number is less than; else the split gets a
 * column of 0 and 1. */
static inline bool bli_is_plain(const blk_split *split)
{
    return !split->set_words && split->threshold > -INFINITY;
}

/* Writes programs [rule->n_programs] of one value of one tree, deeper than a leaf; free
 * *ret_code, of *ret_bytes bytes, when they are done with. */
bl_status bli_write_programs(const blk_tree *tree, size_t value, size_t n_used,
                             const bl_rule *rule, blk_program *programs, void **ret_code,
                             size_t *ret_bytes, bl_err *err);

/* Writes the picks of one value of one tree, deeper than a leaf; free *ret_picks. */
bl_status bli_write_picks(const bl_tree *tree, size_t value, const uint32_t *slot_of,
                          size_t n_used, void **ret_picks, bl_err *err);

/* The same tree as a walk; free *ret_walk. */
bl_status bli_write_walk(const bl_tree *tree, size_t value, uint32_t depth,
                         const uint32_t *slot_of, size_t n_used, blk_walk_tree **ret_walk,
                         bl_err *err);

typedef struct bl_scratch bl_scratch;

/* The leaf of each row of a block under one part, whose special columns are filled. x: the rows
 * themselves. */
void bli_find_leaves(const bl_explainer *explainer, const bl_part *part, const float *x,
                     uint64_t n_rows, bl_scratch *scratch);

/* --- Blocks of rows (rows.c) -------------------------------------------------------- */

/* Rows that one thread works on at a time: by sizes of the model alone, so that sums over blocks
 * are the same bits whatever else differs. */
uint64_t bli_block_rows_of(const bl_explainer *explainer);

/* Splits of all trees times points: what a row costs. */
double bli_row_work(const bl_explainer *explainer);

/* Bytes of scratch that serve any number of rows up to a block. */
size_t bli_scratch_bytes(const bl_explainer *explainer);

/* Scratch of one thread, for blocks of up to n_rows. */
struct bl_scratch {
    void *memory;
    size_t stride;         /* rows a column holds */
    blk_lanes_block block; /* buffers of the lanes */
    double *phi;           /* [n_used] columns */
    double *kernel;        /* of the referee */
    double *row;           /* [n_used] of the referee */
    float *leaf, *margin;  /* columns: of one tree, of one output */
    double *exact;         /* column: margin in double */
    double *total;         /* column: sum of values */
};
bl_status bli_scratch_init(const bl_explainer *explainer, uint64_t n_rows,
                           bl_scratch *ret_scratch, bl_err *err);
void bli_scratch_done(bl_scratch *scratch);

/* Memory of explainer->scratch_bytes, from an earlier call where one is done; NULL where there is
 * none: bli_scratch_none says so. Give it back (NULL is nothing). */
void *bli_scratch_borrow(const bl_explainer *explainer);
bl_status bli_scratch_none(const bl_explainer *explainer, bl_err *err);
void bli_scratch_give_back(const bl_explainer *explainer, void *memory);
/* Scratch in such memory: columns of `stride` rows, 1 (one row by itself) or a multiple of
 * BLK_STRIDE up to a block. */
void bli_scratch_lay_out(const bl_explainer *explainer, size_t stride, void *memory,
                         bl_scratch *ret_scratch);

static inline uint64_t bli_round_up(uint64_t n, uint64_t to)
{
    return (n + to - 1) / to * to;
}

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
    const uint64_t *row; /* [n_rows] numbers for worst_row; only for sums */
    float *phi;          /* out [n_rows][n_outputs][n_features + 1], or NULL */
    bl_sums *sums;       /* out, zeroed before; or NULL */
    float *margins;      /* out [n_rows][n_outputs] XGBoost's; only with sums */
} bl_rows_job;
void bli_explain_block(const bl_explainer *explainer, const bl_rows_job *job,
                       bl_scratch *scratch);

/* Fills the columns of a tree's splits that are no plain comparison: 1 for rows that go right. */
void bli_special_columns(const bl_explainer *explainer, const float *x, uint64_t n_rows,
                         const bl_compiled *tree, bl_scratch *scratch);

/* Rows to predict; a block has at most bli_block_rows_of of them. */
typedef struct bl_margins_job {
    const float *x; /* [n_rows][n_features] */
    uint64_t n_rows;
    const float *base; /* [n_rows][n_outputs], or NULL */
    float *margins;    /* out [n_rows][n_outputs] */
} bl_margins_job;
/* An explainer with lanes and trees. */
void bli_margins_block(const bl_explainer *explainer, const bl_margins_job *job,
                       bl_scratch *scratch);

#endif
