/* SPDX-License-Identifier: Apache-2.0 */
/* Renderers: HDF5, CSV, JSON. Every file is whole or absent, and the same bytes every time. */
#ifndef BL_REPORT_REPORT_H
#define BL_REPORT_REPORT_H

#include "evaluate/evaluate.h"
#include "explain/explain.h"
#include "matrix/matrix.h"
#include "model/model.h"

/* attributions.h5 (interfaces.md 6). Rows arrive through a sink, any number of them. */
typedef struct bl_h5 bl_h5;

typedef struct bl_h5_options {
    bool compress;      /* gzip with shuffle, else plain */
    bool with_data;     /* `data` and `labels` */
    const float *labels; /* of the channel, [n][n_labels], or NULL */
    size_t n_labels;
} bl_h5_options;

/* n_rows selected rows will come. */
bl_status bli_h5_open(const char *path, const bl_forest *forest, const bl_schema *schema,
                      const bl_explainer *explainer, uint64_t n_rows,
                      const bl_h5_options *options, bl_h5 **ret_h5, bl_err *err);
/* A bl_batch_sink; cookie is the bl_h5. */
bl_status bli_h5_sink(void *cookie, const bl_batch *batch, bl_err *err);
/* Writes what is left, syncs, renames into place. The object is freed in any case. */
bl_status bli_h5_close(bl_h5 *h5, bl_err *err);
void bli_h5_abort(bl_h5 *h5); /* removes the temporary file; NULL is nothing */

/* Bytes the file may need at most, for the check before training. */
uint64_t bli_h5_estimate(uint64_t n_rows, size_t n_features, size_t n_outputs, bool with_data);

/* importance.csv: one line a source column, then one a model column (column `view`), sorted by
 * mean |SHAP|, then by position. attribution may be NULL (bl_explain=none): its cells are empty. */
bl_status bli_importance_write(const char *path, const bl_schema *schema,
                               const bl_attribution *attribution,
                               const bl_split_scores *scores, bl_err *err);

#endif
