/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHAP values against a background: for each row the mean, over the rows of the background,
 * of the Shapley values of the game in which a feature in the coalition has the row's value
 * and any other the background row's (shap calls it interventional). Every row of the
 * background counts, however many there are: shap's TreeExplainer silently keeps 100 of
 * them unless it is given maskers.Independent(data, max_samples=...).
 *
 * In margin space the background is counted by patterns, once: a row costs the same for ten
 * and for a million background rows. Results are the same bits for every thread count.
 * A missing value, in a row or in the background, takes the default way as in prediction.
 */
#ifndef BL_EXPLAIN_BACKGROUND_H
#define BL_EXPLAIN_BACKGROUND_H

#include "explain/explain.h"

/*
 * bl_background (boostlens.h) is constant, shared by threads. It lends from the forest, which must
 * outlive it, and keeps a copy of the background's used columns.
 *
 * Rounds [first, last) of the forest; background [n_background][n_features]. kernel: NULL for
 * the fastest that this processor runs, else its name. n_threads 0: as OpenMP says.
 * BL_E_ARG: rounds or kernel that are none, or a background of no rows.
 */
bl_status bli_background_new(const bl_forest *forest, size_t first, size_t last,
                             const float *background, uint64_t n_background,
                             const char *kernel, int n_threads,
                             bl_background **ret_background, bl_err *err);
void bli_background_free(bl_background *background);
const char *bli_background_kernel(const bl_background *background);

/* Names of the kernels of this processor, weakest first; the list ends with NULL. */
#define BLI_BACKGROUND_KERNELS 4
void bli_background_kernels(const char *ret_names[BLI_BACKGROUND_KERNELS]);

size_t bli_background_n_features(const bl_background *background);
size_t bli_background_n_outputs(const bl_background *background);
/* Mean margins of the background [n_outputs]. */
const double *bli_background_base_values(const bl_background *background);

/* phi [n_rows][n_outputs][n_features + 1] of rows [n_rows][n_features], in margin space; the
 * base value last. Exact to 3e-7 of the largest value. phi is unspecified on failure.
 * BL_E_NOMEM. */
bl_status bli_background_rows(const bl_background *background, const float *rows,
                              uint64_t n_rows, int n_threads, float *phi, bl_err *err);

/*
 * The same in another space f, by shap's definition: the values of a row against each single
 * background row, in margins, times (f(row) - f(background row)) / (their margins'
 * difference), then the mean. Base value: mean of f over the background (under the row's
 * label for the log-loss, so that it depends on the row's label).
 *
 * The factor belongs to the pair, so that the work grows with rows x background rows:
 * patterns still share it, but it is one to two orders of magnitude slower than margins.
 *
 * labels [n_rows] in [0, 1], for the log-loss; else NULL. BL_E_ARG where the model's
 * objective has no logistic link, or a label is outside [0, 1].
 */
bl_status bli_background_rows_in(const bl_background *background, bl_space space,
                                 const float *rows, const float *labels, uint64_t n_rows,
                                 int n_threads, float *phi, bl_err *err);

/*
 * bli_explain against a background: batches of all rows of the matrix to sink, in the space asked
 * for; selected rows are not for this. Labels are the matrix's. BL_E_ARG also where the matrix has
 * base margins: whose they would be, the row's or the background's, is not defined.
 */
typedef struct bl_additivity {
    double largest; /* |total|: margin, probability, loss, in double */
    double worst;   /* |sum of values - total| */
    uint64_t worst_row;
    double
        worst_margin_distance; /* |sum of values - XGBoost's margin|; 0 in other spaces */
} bl_additivity;
bl_status bli_explain_against(const bl_background *background, bl_space space,
                              const bl_matrix *matrix, const bl_explain_options *options,
                              bl_batch_sink sink, void *sink_cookie,
                              bl_additivity *ret_additivity, bl_err *err);
/* BL_E_ARG where the model has not this space. */
bl_status bli_background_check_space(const bl_background *background, bl_space space,
                                     bl_err *err);

#endif
