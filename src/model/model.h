/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XGBoost's UBJSON -> bl_forest, the read-only arrays that prediction and the kernels
 * walk; and back to bytes in portable form. One reader for every layout XGBoost 1.0
 * to 3.4 wrote: it goes by what is there, not by names (DART weights, vector leaves,
 * category tables).
 */
#ifndef BL_MODEL_MODEL_H
#define BL_MODEL_MODEL_H

#include "base/limits.h"
#include "base/log.h"
#include "matrix/matrix.h"

#include <stdbool.h>

/* One tree. Arrays [n_nodes]; node 0 is the root; a leaf has left = -1. Children come
 * after their parent is reached: the arrays form one tree (checked while reading). */
typedef struct bl_tree {
    uint32_t n_nodes;
    uint32_t n_leaves;
    uint32_t depth; /* edges on the longest path; 0 for a single leaf */
    int32_t *left;
    int32_t *right;
    uint32_t *feature;
    float *threshold; /* numeric split: x < threshold goes left */
    uint8_t *default_left;
    float *cover;      /* sum_hessian */
    float *gain;       /* loss_chg of a split, 0 for a leaf */
    float *leaf;       /* [n_nodes][n_values]; only a leaf's entries mean anything */
    uint32_t n_values; /* 1, or the number of targets of a vector leaf */
    /* Categorical splits: a category in the set goes right, any other number left. */
    uint32_t
        *cat_first; /* NULL where the tree has none; [n_nodes] first word in cat_bits */
    uint32_t *cat_words; /* [n_nodes] words; 0: the split is numeric */
    uint32_t *cat_bits;  /* bit c % 32 of word c / 32: category c is in the set */
    uint32_t output;     /* tree_info: the output it adds to; 0 for vector leaves */
    float weight;        /* DART's weight_drop; 1 */
} bl_tree;

typedef struct bl_forest {
    size_t n_features;
    size_t n_outputs;   /* values of a margin */
    char *objective;    /* "binary:logistic" */
    char *booster;      /* "gbtree", "dart" (has tree weights), "gblinear" */
    int version[3];     /* of the XGBoost that wrote it; 0 where the file does not say */
    float *base_margin; /* [n_outputs] base_score in margin space, as XGBoost uses it */
    float *base_score;  /* [n_base_scores] as written in the file */
    size_t n_base_scores;
    size_t n_quantiles; /* of reg:quantileerror, for messages */

    size_t n_trees;
    bl_tree *trees;
    size_t n_rounds;
    uint32_t *round_first; /* [n_rounds + 1] first tree of each round */
    bool vector_leaf;
    float *linear; /* gblinear: [n_features + 1][n_outputs], last row the bias */

    bool has_names, has_types;
    char **names;       /* [n_features], or NULL */
    char **types;       /* [n_features], or NULL */
    bl_levels **levels; /* [n_features] category tables stored in the model, NULL entries
                           where none; NULL where the model has none at all. Codes are in
                           the order of the file. */
    int64_t best_iteration; /* attribute; -1: none */
    double best_score;      /* NaN: none */
} bl_forest;

/* Reads UBJSON bytes. BL_E_MODEL names tree and node; every index, size and count is
 * checked. log gets one note for unknown keys. */
bl_status bli_forest_read(const void *ubj, size_t n_bytes, const bl_limits *limits,
                          const bl_log *log, bl_forest **ret_forest, bl_err *err);
void bli_forest_free(bl_forest *forest);

/* Rounds that count: best_iteration + 1 where recorded and within the trees, else all. */
size_t bli_forest_rounds(const bl_forest *forest);

/* --- Prediction: bit-identical to XGBoost 3.4's CPU predictor ----------------------- */

/* Node where a row ends in one tree. */
uint32_t bli_tree_leaf(const bl_tree *tree, const float *row);
/* Child of a split that value x of its feature goes to. */
uint32_t bli_tree_child(const bl_tree *tree, uint32_t node, float x);

/* margins [n_rows][n_outputs] of rows [n_rows][n_features] over rounds [first, last).
 * base [n_rows][n_outputs] replaces the model's base margin where not NULL. Serial. */
void bli_forest_margins(const bl_forest *forest, size_t first, size_t last,
                        const float *rows, uint64_t n_rows, const float *base,
                        float *margins);

/* Predictions a row: n_outputs, 1 for multi:softmax. */
size_t bli_forest_n_predictions(const bl_forest *forest);

/* XGBoost's predict from margins [n_rows][n_outputs]. */
void bli_forest_transform(const bl_forest *forest, const float *margins, uint64_t n_rows,
                          float *predictions);

/* Objectives: what a prediction is. */
typedef enum bl_task {
    BL_TASK_REGRESSION, /* a number per row: mean, quantile, log-time, ... */
    BL_TASK_BINARY,  /* probability of class 1 (or its margin, or the class: binary:hinge)
                      */
    BL_TASK_CLASSES, /* multi:softmax, multi:softprob */
    BL_TASK_RANKING,
    BL_TASK_SURVIVAL /* survival:aft, survival:cox */
} bl_task;
bl_task bli_objective_task(const char *objective);
/* true where the probabilities of classes can be had from margins (logistic, logitraw,
 * softmax, softprob). */
bool bli_objective_has_probability(const char *objective);

/*
 * UBJSON that is safe to give to libxgboost 3.4, which trusts what it loads: everything is checked
 * as bli_forest_read checks it, and trees of vector leaves of XGBoost 2.0 to 3.1, on which 3.4.1
 * crashes, get the newer layout (their gains and covers, never written then, are 0). All else
 * stays byte for byte. ret_ubj: bli_buf_done.
 */
bl_status bli_model_prepare(const void *ubj, size_t n_bytes, const bl_limits *limits,
                            const bl_log *log, bl_buf *ret_ubj, bl_err *err);

/* --- Writing ------------------------------------------------------------------------ */

typedef struct bl_portable {
    bl_buf bytes;     /* the model; bli_buf_done */
    bool folded;      /* intercepts were added to first trees */
    bool fully;       /* no XGBoost reads it wrong: those before `oldest` refuse it */
    char oldest[16];  /* oldest XGBoost, of 1.7 and later, that reads it right: "1.7",
                         "2.0", "3.1", ... */
    char reason[256]; /* why not fully portable; "" else */
} bl_portable;

/*
 * Rewrites what XGBoost 3.4 saved so that XGBoost 1.7 to 3.4 predict the same margins
 * (interfaces.md 5, cases.md rules 1 and 9): base_score as one number without brackets,
 * different intercepts folded into each output's first tree, DART in the layout up
 * to 3.2, vector leaves where both layouts look for them, parameter blocks that older
 * readers ask for.
 *
 * schema (may be NULL) gives the category tables to store under `cats`.
 *
 * Folded intercepts and base margins do not go together: a base margin takes the place of
 * base_score, but not of what was folded. A model that is used with base margins goes
 * through bli_portable_write_unfolded, which leaves different intercepts as they are
 * (fully = false then).
 *
 * BL_E_MODEL as bli_forest_read; BL_E_SHAPE where schema has another number of features.
 */
bl_status bli_portable_write(const void *ubj, size_t n_bytes, const bl_schema *schema,
                             bl_portable *ret_portable, bl_err *err);
bl_status bli_portable_write_unfolded(const void *ubj, size_t n_bytes,
                                      const bl_schema *schema, bl_portable *ret_portable,
                                      bl_err *err);
/* XGBoost's own bytes, with only the category tables filled in where the schema has some;
 * says in ret_portable which XGBoost reads them right. */
bl_status bli_native_write(const void *ubj, size_t n_bytes, const bl_schema *schema,
                           bl_portable *ret_portable, bl_err *err);

/* Gain, weight, cover and totals a feature over rounds [first, last), as XGBoost's
 * feature score. Arrays [n_features]. */
typedef struct bl_split_scores {
    double *weight, *total_gain, *total_cover; /* gain and cover are totals / weight */
} bl_split_scores;
bl_status bli_forest_split_scores(const bl_forest *forest, size_t first, size_t last,
                                  bl_split_scores *ret_scores, bl_err *err);
void bli_split_scores_done(bl_split_scores *scores);

#endif
