/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas, batches and a temporary folder for the tests of report. */
#ifndef BL_TESTS_REPORT_MADE_H
#define BL_TESTS_REPORT_MADE_H

#include "report/report.h"

/* A fresh folder below /tmp, removed with all it holds. */
char *made_folder(void);
void made_folder_remove(char *folder);
/* folder/name; free() it. */
char *made_path(const char *folder, const char *name);
/* Names in the folder that are neither "." nor "..". */
size_t made_count_files(const char *folder);
/* Whole contents; bli_buf_done. */
bl_buf made_read(const char *path);

/* A schema of columns with these names (NULL: f0, f1, ...), one source each. */
bl_schema *made_schema(size_t n, const char *const *names);

/* Rows whose every value is known from its position. */
typedef struct bl_made {
    size_t n_features, n_outputs;
    uint64_t n_rows;
    uint64_t row_step; /* row i of the selection is row i * row_step of the channel */
    bool unknown;      /* how many rows come is not said */
    bool noisy; /* full mantissas, which do not compress; else few distinct values */
} bl_made;

float made_phi(const bl_made *made, uint64_t i, size_t output,
               size_t feature); /* [F]: base */
float made_x(const bl_made *made, uint64_t i, size_t feature);
float made_margin(const bl_made *made, uint64_t i, size_t output);

/* Writes all rows in batches of at most batch_rows. */
bl_status made_write(const bl_made *made, const char *path, const bl_schema *schema,
                     const bl_h5_options *options, uint64_t batch_rows,
                     const char *objective, bl_err *err);

#endif
