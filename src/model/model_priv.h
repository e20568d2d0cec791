/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BL_MODEL_MODEL_PRIV_H
#define BL_MODEL_MODEL_PRIV_H

#include "model/model.h"
#include "model/ubj_priv.h"

/* XGBoost's bound on category codes: from here on a code is in no set, and float32 no
 * longer tells whole numbers apart. */
#define BL_CATEGORY_END 16777216

/* XGBoost's smallest probability, and smallest gap between expectiles (kRtEps). */
#define BL_RT_EPS 1e-6f

/* --- Objectives (objective.c) ------------------------------------------------------- */

typedef enum bl_link { /* from base_score to margin, and what predict makes of a margin */
                       BL_LINK_IDENTITY,
                       BL_LINK_LOGIT,    /* sigmoid back */
                       BL_LINK_LOG,      /* exp back */
                       BL_LINK_LOG_TIME, /* the same, exp in double */
                       BL_LINK_STEP,     /* identity, predict is margin > 0 */
                       BL_LINK_SOFTMAX,  /* identity, predict is the class */
                       BL_LINK_SOFTPROB, /* identity, predict is the probability of each
                                            class */
                       BL_LINK_QUANTILE, /* identity, predict sorts a row's quantiles */
                       BL_LINK_EXPECTILE /* a first value and gaps through softplus */
} bl_link;

typedef struct bl_objective {
    const char *name;
    bl_task task;
    bl_link link;
    bool probability;
    unsigned
        since; /* 100 * major + minor of the first XGBoost, from 1.7 on, that knows it */
} bl_objective;

/* NULL: XGBoost 3.4 does not know it. */
const bl_objective *bli_objective(const char *name);

/* base_score [n] to margins in place, as XGBoost 3.4 does it. BL_E_MODEL where it has
 * none. */
bl_status bli_objective_margin(const bl_objective *objective, size_t n, float *score,
                               bl_err *err);

/* --- Reading ------------------------------------------------------------------------ */

/* Keys met that are not known, for one note. */
typedef struct bl_unknown_keys {
    size_t n;
    char first[64];
} bl_unknown_keys;

/* Counts the members of object whose key is not in the list, which ends with NULL. */
void bli_note_keys(const bl_ubj *object, const char *const *known, bl_unknown_keys *keys);

/* learner: the object that holds the model; bytes that are no UBJSON model get one
 * sentence on what they are. */
bl_status bli_open_model(const void *ubj, size_t n_bytes, const bl_limits *limits,
                         bl_ubj_doc **ret_doc, bl_ubj **ret_learner, bl_err *err);

/* The tree booster's object that has `model` and perhaps weights beside it. */
bl_ubj *bli_tree_booster(const bl_ubj *learner);
/* DART weights, in any of their three places; NULL where the model has none. */
bl_ubj *bli_tree_weights(const bl_ubj *learner);

/* Values of a list written as text: one more than its commas. */
size_t bli_list_length(const bl_ubj *text);
/* Numbers of base_score's text "[1E0,2E0]", "(1,2)" or "1E0"; a fresh array. */
bl_status bli_read_base_score(const bl_ubj *learner_model_param, float **ret_score,
                              size_t *ret_n, bl_err *err);

/* bli_forest_read of a document that is open. */
bl_status bli_forest_from(bl_ubj_doc *doc, const bl_ubj *learner, const bl_limits *limits,
                          const bl_log *log, bl_forest **ret_forest, bl_err *err);

/* Tree t of the model. n_outputs bounds a vector leaf. */
bl_status bli_read_tree(const bl_ubj *node, size_t t, size_t n_features, size_t n_outputs,
                        const bl_limits *limits, bl_unknown_keys *keys, bl_tree *ret_tree,
                        bl_err *err);
void bli_tree_done(bl_tree *tree);

/* Category tables under `cats`, into forest->levels. */
bl_status bli_read_cats(const bl_ubj *cats, const bl_limits *limits, bl_forest *forest,
                        bl_err *err);

/* --- Writing ------------------------------------------------------------------------ */

#define BL_SCORE_BYTES 64

/* A text for base_score that every XGBoost from 1.7 on reads as exactly this float; false
 * where there is none. */
bool bli_score_text(float score, char text[BL_SCORE_BYTES]);

/* Adds shift[k] to the leaves of the first tree of each output k, in document and forest;
 * those with shift 0 are left alone. *ret_done is false, and nothing changed, where an
 * output has no tree to take it. */
bl_status bli_fold_intercepts(bl_ubj_doc *doc, bl_ubj *learner, bl_forest *forest,
                              const double *shift, bool *ret_done, bl_err *err);
/* Gives vector trees of 2.0 to 3.1 the arrays that XGBoost from 3.2 on wants. */
bl_status bli_complete_vector_leaves(bl_ubj_doc *doc, bl_ubj *learner,
                                     const bl_forest *forest, bl_err *err);
/* Copies the leaves of vector trees to base_weights, where XGBoost before 3.2 looks for
 * them. */
bl_status bli_spread_vector_leaves(bl_ubj_doc *doc, bl_ubj *learner,
                                   const bl_forest *forest, bl_err *err);

/* The schema's category tables under `cats`; nothing where it has none. */
bl_status bli_write_cats(bl_ubj_doc *doc, bl_ubj *learner, const bl_schema *schema,
                         bl_err *err);

#endif
