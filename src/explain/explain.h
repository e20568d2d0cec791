/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exact SHAP values of any number of rows: compiles a forest once, cuts rows into blocks by data
 * size, runs the kernels over OpenMP threads, hands each batch in row order to a sink, and keeps
 * aggregates. Results are the same bits for every thread count.
 */
#ifndef BL_EXPLAIN_EXPLAIN_H
#define BL_EXPLAIN_EXPLAIN_H

#include "base/log.h"
#include "matrix/matrix.h"
#include "model/model.h"

/* A compiled forest; constant, shared by threads. Lends from the forest, which must outlive it. */
typedef struct bl_explainer bl_explainer;

/* Rounds [first, last) of the forest; bli_forest_rounds for the rule of interfaces.md 6. */
bl_status bli_explainer_new(const bl_forest *forest, size_t first, size_t last,
                            bl_explainer **ret_explainer, bl_err *err);
void bli_explainer_free(bl_explainer *explainer);

/* The same on the kernels that flags of kernels/lanes.h allow (those the processor lacks are left
 * out); BLI_ROW_BY_ROW: the referee, in double, for tests. */
#define BLI_ROW_BY_ROW UINT32_MAX
bl_status bli_explainer_new_on(const bl_forest *forest, size_t first, size_t last,
                               unsigned cpu, bl_explainer **ret_explainer, bl_err *err);
/* "avx2", ... or "row by row" */
const char *bli_explainer_kernel(const bl_explainer *explainer);

/* Rows that sums are made of: rows in parts of a multiple of them give the bits of all at once. */
uint64_t bli_explainer_block_rows(const bl_explainer *explainer);

/* Base values [n_outputs]: base margin + sum over trees of weight * mean leaf by cover. */
const double *bli_explainer_base_values(const bl_explainer *explainer);

/* One batch of consecutive selected rows, valid during the call. */
typedef struct bl_batch {
    uint64_t first; /* position among the selected rows */
    uint64_t n_rows;
    const uint64_t *row;  /* [n_rows] row of the channel, 0-based */
    const float *x;       /* [n_rows][n_features] */
    const float *phi;     /* [n_rows][n_outputs][n_features + 1], base value last */
    const float *margins; /* [n_rows][n_outputs], bit-identical to XGBoost's */
} bl_batch;
typedef bl_status (*bl_batch_sink)(void *cookie, const bl_batch *batch, bl_err *err);

typedef struct bl_explain_options {
    int n_threads;       /* 0: as OpenMP says */
    const uint64_t *row; /* ascending rows to explain, or NULL: all */
    uint64_t n_selected; /* length of row */
    uint64_t first_row;  /* what the matrix's row 0 is called in batches and worst_row */
    const bl_log *log;
    const char *stage; /* "explain" in progress lines */
    bool (*cancelled)(void *cookie, uint64_t done, uint64_t total);
    void *cookie;
} bl_explain_options;

/* Aggregates over the explained rows. */
typedef struct bl_attribution {
    uint64_t n_rows;
    size_t n_features, n_outputs;
    double *mean_abs;     /* [n_outputs][n_features] mean |phi| */
    double *mean;         /* [n_outputs][n_features] mean phi */
    double *base_values;  /* [n_outputs] */
    double *mean_margins; /* [n_outputs] row mean of the margin */
    double max_abs_margin;
    double worst_additivity; /* max |sum of phi - double-precision margin| */
    uint64_t worst_row;
    double worst_margin_distance; /* max |sum of phi - XGBoost's float32 margin| */
} bl_attribution;

/* sink may be NULL. BL_E_CANCELLED where options->cancelled said so. A base margin of the
 * matrix replaces the model's, as in XGBoost. */
bl_status bli_explain(const bl_explainer *explainer, const bl_matrix *matrix,
                      const bl_explain_options *options, bl_batch_sink sink,
                      void *sink_cookie, bl_attribution **ret_attribution, bl_err *err);
void bli_attribution_free(bl_attribution *attribution);

/* phi of rows [n_rows][n_features] in memory, for the public API; layout as bl_batch.phi. */
bl_status bli_explain_rows(const bl_explainer *explainer, const float *rows,
                           uint64_t n_rows, float *phi, bl_err *err);

/* margins of rows [n_rows][n_features] in memory: [n_rows][n_outputs], the bits that
 * bli_forest_margins gives. */
bl_status bli_explainer_margins(const bl_explainer *explainer, const float *rows,
                                uint64_t n_rows, float *margins, bl_err *err);

/* margins of every row of a matrix, over OpenMP threads: [n_rows][n_outputs]. */
bl_status bli_predict_matrix(const bl_forest *forest, size_t first, size_t last,
                             const bl_matrix *matrix, int n_threads, float *margins,
                             bl_err *err);

#endif
