/* SPDX-License-Identifier: Apache-2.0 */
/* A plan met with a text: what the tests of this room share. */
#ifndef BL_TESTS_PREPROCESS_MET_H
#define BL_TESTS_PREPROCESS_MET_H

#include "preprocess/preprocess.h"

typedef struct met {
    bl_read_settings settings;
    bl_limits limits;
    bl_plan *plan;
    bl_transform *transform;
    bl_frame *frame;
    bl_row_sets sets;
    bl_schema *schema;
    bl_matrix *train; /* training rows */
    bl_err err;
} met;

/* Reads, splits, fits and applies as far as it goes; the status of the first step that fails.
 * limits: NULL for the usual. Release with met_done in any case. */
bl_status met_fit(met *m, const char *plan, const char *csv, const bl_limits *limits);
void met_done(met *m);

/* Other rows through the fitted plan: BL_OK with a matrix (free it), else the message in
 * m->err. */
bl_status met_apply(met *m, const char *csv, bl_matrix **ret_matrix);

/* Cell of a matrix. */
double met_cell(const bl_matrix *matrix, uint64_t row, size_t column);

#endif
