/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs and matrices by hand for the tests of this room. */
#ifndef BL_TESTS_UNIT_TRAIN_HELP_H
#define BL_TESTS_UNIT_TRAIN_HELP_H

#include "check.h"

#include "base/buf.h"
#include "train/train.h"

/* A job with XGBoost parameters and metrics; free: job_free. */
bl_job *job_new(const char *objective, int64_t rounds);
void job_free(bl_job *job);
/* One more XGBoost parameter, also seen by bli_job_param. */
void job_param(bl_job *job, const char *name, const char *text);
void job_metric(bl_job *job, const char *name);

/* n_rows x n_features uniform numbers from a seed, every `missing`-th cell (0: none)
 * missing; labels 0 or 1 that depend on the first three columns. Cut in n_blocks blocks.
 */
bl_matrix *matrix_new(uint64_t n_rows, size_t n_features, size_t n_blocks,
                      unsigned missing, uint64_t seed);
/* Rows of text: "label a b c\n", "nan" is missing. */
bl_matrix *matrix_text(const char *text, size_t n_features, size_t n_labels);
void matrix_free(bl_matrix *matrix);
/* The same rows cut anew. */
bl_matrix *matrix_recut(const bl_matrix *matrix, size_t n_blocks);
float *matrix_rows(const bl_matrix *matrix); /* all cells, malloc'd */
/* Groups of `size` rows; the last may be smaller. */
void matrix_groups(bl_matrix *matrix, uint64_t size);
void matrix_weights(bl_matrix *matrix, uint64_t seed);

/* Collects log lines ("warning train: text\n") and metric lines. */
typedef struct heard {
    bl_buf log;
    bl_buf lines;
    int64_t cancel_after; /* rounds; -1: never */
    int64_t asked;
    const bl_checkpoints *checkpoints; /* NULL: none */
} heard;
void heard_done(heard *h);

/* Trains with one thread; h may be NULL. */
bl_status train(const bl_job *job, bl_matrix *rows, bl_matrix *validation, heard *h,
                bl_training **ret, bl_err *err);
/* The same from a start model. */
bl_status train_from(const bl_job *job, bl_matrix *rows, bl_matrix *validation, heard *h,
                     const bl_training *start, bl_training **ret, bl_err *err);

/* XGBoost's own way without any code of ours: one dense array, an ordinary DMatrix (so no
 * quantile matrix, no blocks), the same parameters; UBJSON bytes and the last metric
 * text. */
void plain_train(const bl_job *job, const bl_matrix *rows, const bl_matrix *validation,
                 bl_buf *ret_ubj, bl_buf *ret_texts);

/* Predictions of saved bytes by XGBoost: [n_rows][*ret_width], malloc'd. */
float *plain_predict(const void *ubj, size_t n, const bl_matrix *rows, int type,
                     size_t *ret_width);

#endif
