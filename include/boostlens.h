/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boostlens: predictions and exact SHAP values of XGBoost models, for C and anything that can
 * call C.
 *
 * Load a model (a file XGBoost wrote, or a folder that `boostlens train` wrote), ask its sizes,
 * give it rows of float32, get margins, predictions, SHAP values, interactions, or values against
 * a background back. Nothing here prints, exits, reads the environment or changes the locale.
 *
 * Threads. A loaded model is constant, and so are what bl_interactions_new and bl_background_new
 * make of it: any number of threads may use one at a time each with its own output. bl_aggregates
 * is one thread's at a time. Calls run on the threads OpenMP gives them; results do not depend on
 * how many.
 *
 * Lifetimes. Interactions and backgrounds borrow from their model: free them before it. Aggregates
 * keep nothing of it.
 *
 * Errors. Every function that can fail returns a status and, where the caller lends a bl_err,
 * leaves there one sentence that says what was found, what is accepted, and where. Outputs are
 * written on success only; arrays the caller lends are unspecified after a failure.
 */
#ifndef BOOSTLENS_H
#define BOOSTLENS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define BL_API __attribute__((visibility("default")))
#else
#define BL_API
#endif

/* What went wrong, and whose move it is. */
typedef enum bl_status {
    BL_OK = 0,
    BL_E_ARG,       /* yours: a call with wrong arguments */
    BL_E_CONFIG,    /* yours: a setting */
    BL_E_DATA,      /* yours: the data */
    BL_E_SHAPE,     /* yours: sizes that do not fit each other */
    BL_E_MODEL,     /* yours: a model file that is broken, or no model */
    BL_E_LIMIT,     /* yours: larger than a stated limit */
    BL_E_IO,        /* the machine's: a file could not be read or written */
    BL_E_NOMEM,     /* the machine's: an allocation failed */
    BL_E_CANCELLED, /* stopped on request */
    BL_E_INTERNAL   /* ours: a defect in boostlens */
} bl_status;

#define BL_ERR_BYTES 1024

/* The caller's; zero it before first use. Setting it never allocates. */
typedef struct bl_err {
    bl_status status;
    int sys_errno; /* errno behind BL_E_IO, else 0 */
    char msg[BL_ERR_BYTES];
} bl_err;

/* A loaded model; constant once loaded. */
typedef struct bl_model bl_model;
/* A model compiled for interactions; constant. */
typedef struct bl_interactions bl_interactions;
/* A model against rows that it has counted; constant. */
typedef struct bl_background bl_background;
/* Means and quantiles of values. */
typedef struct bl_aggregates bl_aggregates;

/* "0.1.0" */
BL_API const char *bl_version(void);

/* The status as a word, for logs: "BL_E_DATA". Never NULL. */
BL_API const char *bl_status_name(bl_status status);

/*
 * Loads a model.
 *
 * path       a model file (UBJSON or JSON of XGBoost 1.0 to 3.4, whatever its name), or a folder
 *            that holds `xgboost-model`.
 * ret_model  the model; free it with bl_model_free.
 *
 * Returns BL_OK, BL_E_IO, BL_E_MODEL (not a model, a format older than XGBoost 1.0, a pickle,
 * or damaged), BL_E_LIMIT, BL_E_NOMEM.
 */
BL_API bl_status bl_model_load(const char *path, bl_model **ret_model, bl_err *err);

/* The same from `n_bytes` bytes at `bytes`, borrowed for the call. */
BL_API bl_status bl_model_load_buffer(const void *bytes, size_t n_bytes,
                                      bl_model **ret_model, bl_err *err);

/* Frees a model; NULL is nothing. */
BL_API void bl_model_free(bl_model *model);

/* Columns of a row. */
BL_API size_t bl_model_n_features(const bl_model *model);

/* Values a row: 1, the number of classes, targets or quantiles. */
BL_API size_t bl_model_n_outputs(const bl_model *model);

/* Trees in use: best_iteration + 1 rounds where the model records it, else all. */
BL_API size_t bl_model_n_trees(const bl_model *model);

/* Name of column `feature`, lent by the model; NULL where the model has none. */
BL_API const char *bl_model_feature_name(const bl_model *model, size_t feature);

/* What bl_predict returns. */
typedef enum bl_predict_type {
    BL_PREDICT_MARGIN, /* raw score: log-odds, log mean, ... */
    BL_PREDICT_PREDICTION /* as XGBoost's predict: probability, class of multi:softmax, mean */
} bl_predict_type;

/* Values a row of that type: n_outputs, but 1 for predictions of multi:softmax. */
BL_API size_t bl_model_n_predictions(const bl_model *model, bl_predict_type type);

/*
 * Predicts. Bit-identical to XGBoost 3.4's own predictions of the same model.
 *
 * rows     [n_rows][n_features], row-major; NaN is a missing value. Borrowed.
 * out      [n_rows][bl_model_n_predictions(model, type)], row-major.
 * out_len  floats in out; must equal that product.
 *
 * Returns BL_OK, BL_E_ARG, BL_E_SHAPE (n_features or out_len), BL_E_NOMEM.
 */
BL_API bl_status bl_predict(const bl_model *model, const float *rows, size_t n_rows,
                            size_t n_features, bl_predict_type type, float *out,
                            size_t out_len, bl_err *err);

/*
 * Exact path-dependent TreeSHAP values of every row (for gblinear: weight times value).
 *
 * rows     as for bl_predict.
 * phi      out, row-major [n_rows][n_outputs][n_features + 1], in margin units; the last column
 *          is the base value (expected margin by cover, base score included). The layout is
 *          XGBoost's strict_shape.
 * phi_len  floats in phi; must equal that product.
 *
 * A row's values sum to its margin within float32 rounding. A missing value takes the split's
 * default branch, as in prediction. Source: path-dependent TreeSHAP (Lundberg et al. 2020) by
 * quadrature with as many points as the longest path needs; see kernels/README.md.
 *
 * Returns BL_OK, BL_E_ARG, BL_E_SHAPE, BL_E_NOMEM.
 */
BL_API bl_status bl_contribs(const bl_model *model, const float *rows, size_t n_rows,
                             size_t n_features, float *phi, size_t phi_len, bl_err *err);

/*
 * Approximate contributions (Saabas): the change of the expected margin along each path goes to the
 * feature of the split. Layout, units and sums as bl_contribs; unlike SHAP values they depend on
 * the order of splits. XGBoost's pred_contribs with approx_contribs. For gblinear the exact
 * values.
 *
 * Returns BL_OK, BL_E_ARG, BL_E_SHAPE, BL_E_NOMEM.
 */
BL_API bl_status bl_approx_contribs(const bl_model *model, const float *rows,
                                    size_t n_rows, size_t n_features, float *phi,
                                    size_t phi_len, bl_err *err);

/*
 * Number of the node where each row ends in each tree in use, as XGBoost's pred_leaf.
 *
 * leaves      out, row-major [n_rows][bl_model_n_trees].
 * leaves_len  numbers in leaves; must equal that product.
 *
 * Returns BL_OK, BL_E_ARG (gblinear has no trees), BL_E_SHAPE.
 */
BL_API bl_status bl_leaves(const bl_model *model, const float *rows, size_t n_rows,
                           size_t n_features, uint32_t *leaves, size_t leaves_len,
                           bl_err *err);

/* --- Interactions -------------------------------------------------------------------
 *
 * Path-dependent SHAP interaction values: symmetric; each row of a matrix adds up to the
 * feature's SHAP value, all of it to the margin; the diagonal is what is left of a feature's value
 * when its interactions are taken off. In margin units. Source: the Shapley interaction index
 * (Lundberg et al. 2020), see src/explain/README.md. gblinear: its values on the diagonal.
 */

/* Compiles a model. BL_OK, BL_E_ARG, BL_E_NOMEM. */
BL_API bl_status bl_interactions_new(const bl_model *model,
                                     bl_interactions **ret_interactions, bl_err *err);
/* NULL is nothing. */
BL_API void bl_interactions_free(bl_interactions *interactions);

/*
 * The whole matrix of every row, as XGBoost's pred_interactions with strict_shape.
 *
 * rows        as for bl_predict.
 * matrix      out, row-major [n_rows][n_outputs][n_features + 1][n_features + 1]; the base value
 *             is in the last cell, the rest of the last row and column is 0.
 * matrix_len  floats in matrix; must equal that product.
 *
 * Returns BL_OK, BL_E_ARG, BL_E_SHAPE, BL_E_NOMEM.
 */
BL_API bl_status bl_interactions_rows(const bl_interactions *interactions,
                                      const float *rows, size_t n_rows, size_t n_features,
                                      float *matrix, size_t matrix_len, bl_err *err);

/* Two features of one row and output, first < second; value is that of either of the pair's two
 * cells of the matrix. */
typedef struct bl_top_pair {
    uint32_t first, second;
    float value;
} bl_top_pair;

/*
 * The strongest pairs of every row, without its matrix.
 *
 * top      out, row-major [n_rows][n_outputs][n_top]: by falling |value|, equal ones by features.
 *          Where a model has fewer pairs that share a path, the rest is {UINT32_MAX, UINT32_MAX,
 *          0}.
 * top_len  pairs in top; must equal that product.
 *
 * Returns BL_OK, BL_E_ARG, BL_E_SHAPE, BL_E_NOMEM.
 */
BL_API bl_status bl_interactions_top(const bl_interactions *interactions,
                                     const float *rows, size_t n_rows, size_t n_features,
                                     size_t n_top, bl_top_pair *top, size_t top_len,
                                     bl_err *err);

/* Pairs of features that share a path in some tree; all others interact nowhere. */
BL_API size_t bl_interactions_n_pairs(const bl_interactions *interactions);

/* How strong one pair is over many rows, by either of its two cells. */
typedef struct bl_strength {
    uint32_t first, second;
    double mean_abs; /* mean |value| */
    double mean;
} bl_strength;

/*
 * Strengths of all pairs over these rows.
 *
 * strengths      out, row-major [n_outputs][bl_interactions_n_pairs], pairs in one order for all
 *                outputs and calls.
 * strengths_len  of strengths; must equal that product.
 *
 * Returns BL_OK, BL_E_ARG (no rows: there is no mean), BL_E_SHAPE, BL_E_NOMEM.
 */
BL_API bl_status bl_interactions_strengths(const bl_interactions *interactions,
                                           const float *rows, size_t n_rows,
                                           size_t n_features, bl_strength *strengths,
                                           size_t strengths_len, bl_err *err);

/* --- Against a background -----------------------------------------------------------
 *
 * Interventional SHAP values: for each row the mean, over the rows of a background, of the Shapley
 * values of the game in which a feature in the coalition has the row's value and any other the
 * background row's. All background rows count, however many: a row costs the same for ten and for
 * a million. Source: Lundberg et al. 2020; shap's TreeExplainer with a background.
 */

/*
 * Counts a background.
 *
 * rows    [n_rows][n_features], at least one; a copy of what the model uses is kept.
 *
 * Returns BL_OK, BL_E_ARG (no rows), BL_E_SHAPE, BL_E_LIMIT (above 4294967295 rows), BL_E_NOMEM.
 */
BL_API bl_status bl_background_new(const bl_model *model, const float *rows,
                                   size_t n_rows, size_t n_features,
                                   bl_background **ret_background, bl_err *err);
/* NULL is nothing. */
BL_API void bl_background_free(bl_background *background);

/* What the values of a row add up to, from the base value. */
typedef enum bl_space {
    BL_SPACE_MARGIN,
    BL_SPACE_PROBABILITY, /* of class 1 */
    BL_SPACE_LOG_LOSS     /* of the row's label: a value below 0 makes the loss smaller */
} bl_space;

/* Base values [n_outputs] in margin space: mean margins of the background. base_len: n_outputs.
 * BL_OK, BL_E_ARG, BL_E_SHAPE. */
BL_API bl_status bl_background_base_values(const bl_background *background, double *base,
                                           size_t base_len, bl_err *err);

/*
 * Values of every row. Layout as bl_contribs; the last column is the base value in the space asked
 * for (BL_SPACE_LOG_LOSS: the background's mean loss under the row's label).
 *
 * space   probability and log loss are defined for one output with a logistic link: binary:logistic,
 *         binary:logitraw, reg:logistic. Their work grows with rows x background rows.
 * labels  [n_rows] in [0, 1] for BL_SPACE_LOG_LOSS; NULL for the others.
 *
 * Returns BL_OK, BL_E_ARG (space, labels), BL_E_SHAPE, BL_E_NOMEM.
 */
BL_API bl_status bl_background_contribs(const bl_background *background, bl_space space,
                                        const float *rows, const float *labels,
                                        size_t n_rows, size_t n_features, float *phi,
                                        size_t phi_len, bl_err *err);

/* --- Aggregates ---------------------------------------------------------------------
 *
 * Means and quantiles of values that come in any number of pieces, in memory that does not grow
 * with rows. The same bits whatever the pieces.
 */

/* BL_OK, BL_E_ARG, BL_E_NOMEM. */
BL_API bl_status bl_aggregates_new(const bl_model *model, bl_aggregates **ret_aggregates,
                                   bl_err *err);
/* NULL is nothing. */
BL_API void bl_aggregates_free(bl_aggregates *aggregates);

/*
 * Adds rows of values as bl_contribs, bl_approx_contribs and bl_background_contribs give them.
 * phi_len: floats in phi, n_rows x n_outputs x (n_features + 1). After a failure only
 * bl_aggregates_free may follow.
 *
 * Returns BL_OK, BL_E_ARG, BL_E_SHAPE, BL_E_NOMEM.
 */
BL_API bl_status bl_aggregates_add(bl_aggregates *aggregates, const float *phi,
                                   size_t n_rows, size_t phi_len, bl_err *err);

BL_API uint64_t bl_aggregates_n_rows(const bl_aggregates *aggregates);

/* Mean |value| and mean value: out [n_outputs][n_features], out_len that product. Without rows 0.
 * BL_OK, BL_E_ARG, BL_E_SHAPE. */
BL_API bl_status bl_aggregates_mean_abs(const bl_aggregates *aggregates, double *out,
                                        size_t out_len, bl_err *err);
BL_API bl_status bl_aggregates_mean(const bl_aggregates *aggregates, double *out,
                                    size_t out_len, bl_err *err);

/*
 * The smallest value that at least a share q of the rows do not exceed: out [n_outputs][n_features].
 * 0 and 1 are the exact extremes. Others are off by at most accuracy times the value, or 2^-19 of
 * the feature's largest |value| where that is more; accuracy: bl_aggregates_accuracy, 1/128 up to
 * 3,276 features times outputs, wider beyond and at most 1/16. Without rows NaN.
 *
 * Returns BL_OK, BL_E_ARG (q outside 0 to 1), BL_E_SHAPE.
 */
BL_API bl_status bl_aggregates_quantile(const bl_aggregates *aggregates, double q,
                                        double *out, size_t out_len, bl_err *err);
BL_API double bl_aggregates_accuracy(const bl_aggregates *aggregates);

#ifdef __cplusplus
}
#endif

#endif
