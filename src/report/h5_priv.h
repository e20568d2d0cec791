/* SPDX-License-Identifier: Apache-2.0 */
/* Between h5.c and h5_text.c: the file being written. */
#ifndef BL_REPORT_H5_PRIV_H
#define BL_REPORT_H5_PRIV_H

#include "report/report_priv.h"

/* The datasets filled row by row. */
enum {
    BL_H5_VALUES,
    BL_H5_BASE_VALUES,
    BL_H5_MARGINS,
    BL_H5_PREDICTIONS,
    BL_H5_ROW,
    BL_H5_DATA,
    BL_H5_LABELS,
    BL_H5_TOP_VALUES,
    BL_H5_TOP_FEATURES,
    BL_H5_REST,
    BL_H5_SOURCE_VALUES,
    BL_H5_INTERACTIONS, /* these three by calls of their own */
    BL_H5_PAIR_VALUES,
    BL_H5_PAIR_FEATURES,
    BL_H5_N_FIXED
};

struct bl_h5 {
    char *path;
    char *temp_path;
    bl_h5_disk disk;
    hid_t file;
    const bl_forest *forest;
    size_t n_features, n_outputs, n_predictions;
    size_t *source; /* [n_features] source of each; NULL: each its own */
    uint64_t n_rows;
    uint64_t n_done;
    bl_h5_options options;
    bl_h5_pool pool;
    bl_h5_stream streams[BL_H5_N_FIXED]; /* rank 0: not in this file */
    uint64_t *row;                       /* [n_rows] of the channel; NULL without ids */
    float *predictions;                  /* of a batch */
    size_t n_prediction_cells;
    bl_buf text;              /* one cell, made clean */
    uint64_t first_row;       /* of the part */
    const bl_roles *part;     /* NULL: not in parts */
    bl_text_column *ids;      /* [options.n_ids] kept of parts */
    size_t (*cap_ids)[2];     /* [options.n_ids] bytes of text; offsets */
    float *top_values, *rest; /* of a batch: [rows][n_top][outputs], [rows][outputs] */
    int32_t *top_features;
    size_t cap_top[3];
};

/* What the disk said, if anything, wins over what followed from it. */
bl_status bli_h5_check_disk(const bl_h5 *h5, bl_status status, bl_err *err);

/* --- h5_top.c ----------------------------------------------------------------------- */

/* Fills top_values, top_features and rest for a batch. */
bl_status bli_h5_find_top(bl_h5 *h5, const bl_batch *batch, bl_err *err);

/* --- h5_sources.c ------------------------------------------------------------------- */

/* h5->source and options.n_sources by the schema. */
bl_status bli_h5_map_sources(bl_h5 *h5, const bl_schema *schema, bl_err *err);
/* Rows [first, first + n) of a batch: [n][n_sources][n_outputs]. */
void bli_h5_put_sources(const bl_h5 *h5, const bl_batch *batch, uint64_t first,
                        uint64_t n, double *out);

/* --- h5_parts.c --------------------------------------------------------------------- */

/* Room for the ids of parts, named as options.ids are. */
bl_status bli_h5_ids_start(bl_h5 *h5, bl_err *err);
/* Keeps the ids of a batch. */
bl_status bli_h5_ids_add(bl_h5 *h5, const bl_batch *batch, bl_err *err);
void bli_h5_ids_done(bl_h5 *h5);

/* A fixed-length UTF-8 type, padded with NUL; negative on failure. */
hid_t bli_h5_text_type(size_t n_bytes);
bl_status bli_h5_write_names(bl_h5 *h5, const bl_schema *schema, bl_err *err);
/* The group `id`: texts of the rows in h5->row. */
bl_status bli_h5_write_ids(bl_h5 *h5, bl_err *err);

#endif
