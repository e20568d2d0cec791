/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renderers: HDF5, CSV, JSON. Every file is whole or absent, and the same bytes every
 * time and for any number of threads: no time, host or absolute path stands in one. Text
 * that is no UTF-8 is written with U+FFFD for each byte that does not belong.
 */
#ifndef BL_REPORT_REPORT_H
#define BL_REPORT_REPORT_H

#include "evaluate/evaluate.h"
#include "explain/aggregates.h"
#include "explain/explain.h"
#include "explain/interactions.h"
#include "matrix/matrix.h"
#include "model/model.h"

/*
 * attributions.h5 (interfaces.md 6). Rows arrive through a sink, any number of them.
 *
 * Datasets: values [rows][features] ([rows][features][outputs] where there are several),
 * base_values and margins [rows] ([rows][outputs]), predictions as XGBoost's predict
 * gives them, row (int64: 0-based row of the channel), feature_names (fixed-length
 * UTF-8), with_data: data [rows][features] and, where given, labels [rows]
 * ([rows][n_labels]); id/<name>: text columns. Attributes of the root: format 1, space
 * ("margin", "probability", "logloss"), objective, n_outputs; background_rows where there is one.
 *
 * Where source columns make several features, or several make one (a preprocessing plan):
 * source_values (float64) [rows][sources] ([rows][sources][outputs]), the sums of `values` over the
 * features of each source column, and source_names.
 *
 * n_top: instead of `values` top_values [rows][n_top] ([rows][n_top][outputs]), by falling |value|,
 * equal ones by feature; top_features (int32) alike, numbers of features, -1 where there are fewer;
 * rest_values [rows] ([rows][outputs]), the sum of all others: base, top and rest add up as base
 * and values do. No `data` then.
 * BL_H5_MATRIX: interaction_values [rows][features][features] ([rows][features][features]
 * [outputs]), by bli_h5_interactions; BL_H5_PAIRS (needs n_top): interaction_top_values [rows][n_top]
 * (..[outputs]) and interaction_top_features [rows][n_top][2] (..[outputs]), by bli_h5_top_pairs.
 *
 * compress writes chunks of about 512 KiB through the shuffle and deflate filters every
 * HDF5 library has; a chunk that does not shrink is stored as it is. They are compressed
 * side by side: call the sink from outside OpenMP regions to have threads for it. Memory:
 * 16 chunks of the largest dataset twice, less where there are fewer rows. A row of more
 * than 1 GiB in one dataset is BL_E_LIMIT.
 */
typedef struct bl_h5 bl_h5;

typedef enum bl_h5_pairs { BL_H5_NO_PAIRS, BL_H5_MATRIX, BL_H5_PAIRS } bl_h5_pairs;

typedef struct bl_h5_options {
    bool compress;       /* gzip with shuffle, else plain */
    bool with_data;      /* `data` and `labels` */
    const float *labels; /* of the channel, [n][n_labels], or NULL */
    size_t n_labels;
    const bl_text_column *ids; /* of the channel, [n_ids], or NULL */
    size_t n_ids;
    int n_threads; /* 0: as OpenMP says */
    size_t n_top;
    bl_h5_pairs interactions;
    const char *space;        /* NULL: "margin" */
    uint64_t background_rows; /* 0: none */
    size_t
        n_sources; /* for the estimate: of the second view, 0: none; else the schema tells */
    bool in_parts; /* labels and ids come with bli_h5_part; ids: names only */
} bl_h5_options;

/* n_rows selected rows will come; BL_H5_ROWS_UNKNOWN: as many as do. labels and ids must stay valid
 * until close. */
#define BL_H5_ROWS_UNKNOWN UINT64_MAX
bl_status bli_h5_open(const char *path, const bl_forest *forest, const bl_schema *schema,
                      const bl_explainer *explainer, uint64_t n_rows,
                      const bl_h5_options *options, bl_h5 **ret_h5, bl_err *err);
/* A bl_batch_sink; cookie is the bl_h5. */
bl_status bli_h5_sink(void *cookie, const bl_batch *batch, bl_err *err);
/* The rows that batches come of from now on: labels and ids [of the part], copied as far as they are
 * kept; the first is row first_row of the channel. roles must stay valid until the last of their
 * batches. */
void bli_h5_part(bl_h5 *h5, const bl_roles *roles, uint64_t first_row);
/* The next n rows, as bli_interactions_rows and bli_interactions_top give them. */
bl_status bli_h5_interactions(bl_h5 *h5, const float *matrix, uint64_t n, bl_err *err);
bl_status bli_h5_top_pairs(bl_h5 *h5, const bl_top_pair *pairs, uint64_t n, bl_err *err);
/* Writes what is left, syncs, renames into place. The object is freed in any case. */
bl_status bli_h5_close(bl_h5 *h5, bl_err *err);
void bli_h5_abort(bl_h5 *h5); /* removes the temporary file; NULL is nothing */

/* Bytes the file may need at most under these options, ids left out, for the check before
 * training. */
uint64_t bli_h5_estimate_of(uint64_t n_rows, size_t n_features, size_t n_outputs,
                            const bl_h5_options *options);

/*
 * importance.csv: one line a source column, then one a model column (column `view`),
 * sorted by mean |SHAP| (total gain where there is none), then by position. attribution
 * (bl_explain=none) and scores (gblinear) may be NULL: their cells are empty, as is every
 * number that is not defined. Columns: view, feature, mean_abs_shap, mean_shap, gain,
 * weight, cover, total_gain, total_cover; with several outputs then mean_abs_shap_<k>,
 * mean_shap_<k> of each, and the first two are their sums. A source column has the sums
 * over its model columns.
 */
bl_status bli_importance_write(const char *path, const bl_schema *schema,
                               const bl_attribution *attribution,
                               const bl_split_scores *scores, bl_err *err);

/* The n largest mean |SHAP| (summed over outputs) as lines of name, bar and number. */
void bli_importance_bars(const bl_schema *schema, const bl_attribution *attribution,
                         size_t n, bl_buf *out);

/* --- aggregates.json and interactions.csv --------------------------------------------- */

typedef struct bl_aggregates_report {
    const bl_schema *schema;
    const bl_aggregates *aggregates;
    const bl_attribution *attribution; /* rows, base values, additivity */
    const char *space;                 /* NULL: "margin" */
    uint64_t background_rows;          /* 0: none */
    const char *facet;                 /* column of the groups; NULL: none */
    const bl_levels *groups;           /* text of each group */
} bl_aggregates_report;

/*
 * {"format", "space", "background_rows", "rows", "base_values", "additivity": {"largest_total",
 * "worst_error", "worst_row"}, "quantile_error": {"of_the_value", "of_the_largest"}, "facet":
 * {"column", "groups": [{"value", "rows", "mean_abs": [outputs][features], "mean": alike}]},
 * "outputs": [{"output", "features": [{"feature", "mean_abs", "mean", "min", "max", "quantiles":
 * {"0.01": ..}, "histogram": {"edges": [n + 1], "counts": [n]}}]}]}
 *
 * A feature whose values are all 0 has neither quantiles nor histogram. Groups: numbers by size,
 * then texts by bytes; an empty text is a missing cell.
 */
bl_status bli_aggregates_write(const char *path, const bl_aggregates_report *report,
                               bl_err *err);

/*
 * Columns output, first, second, mean_abs_interaction, mean_interaction: of each output the
 * pairs of features that share a path, the strongest first, by one of the pair's two cells of the
 * matrix; twice the same feature: the diagonal, what its value has without interactions (mean |.|
 * only).
 */
bl_status bli_interactions_write(const char *path, const bl_schema *schema,
                                 const bl_strengths *strengths, bl_err *err);

/* --- metrics.json ------------------------------------------------------------------- */

/* One metric on one data set, a value a round. */
typedef struct bl_history {
    const char *data;
    const char *metric;
    size_t n_rounds;
    const double *values;
} bl_history;

/* What is known of one channel at the end; NULL: not known. */
typedef struct bl_channel_report {
    const char *channel;
    const bl_scored *scored;
    const bl_attribution *attribution;
} bl_channel_report;

typedef struct bl_metrics_report {
    const char *objective;
    size_t n_histories;
    const bl_history *histories; /* those of one data set side by side */
    size_t n_channels;
    const bl_channel_report *channels;
    int64_t best_iteration; /* -1: none */
    double best_score;
    size_t n_rounds;      /* trained */
    size_t n_rounds_used; /* that predictions and attributions are of */
    size_t n_trees_used;
    size_t n_outputs;
    const double *base_values; /* [n_outputs], or NULL */
} bl_metrics_report;

/* {"objective", "rounds", "rounds_used", "trees_used", "best_iteration", "best_score",
 * "base_values", "history": {data: {metric: [..]}}, "final": {channel: {..}},
 * "attributions": {channel: {rows, worst additivity error, ..}}} */
bl_status bli_metrics_write(const char *path, const bl_metrics_report *report,
                            bl_err *err);

/* --- predictions.csv of k-fold (contract.md 2.13) ----------------------------------- */

/* A line a row: n_columns numbers as C's %f, then the ids; no header line. */
bl_status bli_predictions_write(const char *path, uint64_t n_rows, size_t n_columns,
                                const double *values, const bl_text_column *ids,
                                size_t n_ids, bl_err *err);

#endif
