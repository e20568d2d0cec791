/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boostlens: predictions and exact SHAP values of XGBoost models, for C and anything that can
 * call C.
 *
 * Load a model (a file XGBoost wrote, or a folder that `boostlens train` wrote), ask its sizes,
 * give it rows of float32, get margins, predictions or SHAP values back. Nothing here prints,
 * exits, reads the environment or changes the locale.
 *
 * Threads. A loaded model is constant: any number of threads may use one at a time each with
 * its own output. Calls run on the threads OpenMP gives them; results do not depend on how many.
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

#ifdef __cplusplus
}
#endif

#endif
