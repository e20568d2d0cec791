/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XGBoost's C API, and nothing of it elsewhere: quantile matrices from our blocks,
 * parameters, rounds, metrics, early stopping, loading and saving. What the C API takes
 * on trust (labels, weights, groups, bounds, column counts, unknown names) was checked
 * before.
 */
#ifndef BL_TRAIN_TRAIN_H
#define BL_TRAIN_TRAIN_H

#include "contract/contract.h"
#include "evaluate/evaluate.h"
#include "matrix/matrix.h"
#include "train/checkpoint.h"

/* Values of one metric on one data set, a number a round. */
typedef struct bl_metric_history {
    const char *data;   /* "train", "validation" */
    const char *metric; /* as printed */
    size_t n_rounds;
    double *values;
} bl_metric_history;

/* The product: a trained booster as bytes, and how it came to be. */
typedef struct bl_training {
    void *ubj; /* XGBoost's own UBJSON, n_ubj bytes; cut to the best round after early
                  stopping */
    size_t n_ubj;
    size_t n_rounds; /* finished, before any cut */
    bool stopped_early;
    bool interrupted;       /* a signal ended it; the model holds the finished rounds */
    int64_t best_iteration; /* -1 where early stopping was not in force */
    double best_score;
    size_t n_histories;
    bl_metric_history *histories;
} bl_training;

typedef struct bl_train_input {
    const bl_job *job;
    bl_matrix *train;        /* not NULL */
    bl_matrix *validation;   /* NULL: none */
    const void *start_model; /* model channel: bytes to continue from, or NULL */
    size_t n_start_model;
    int nthread;
    const bl_checkpoints *checkpoints; /* NULL: none are read or written */
    const bl_log *log;
    /* One finished metric line, "[3]\ttrain-auc:0.81234\n" (contract.md 2.16). */
    void (*metric_line)(void *cookie, const char *line);
    bool (*cancelled)(void *cookie); /* asked between rounds */
    void *cookie;
} bl_train_input;

/*
 * BL_E_CANCELLED where a signal came before one round was finished.
 *
 * With checkpoints: goes on from the newest that fits, writes one in the interval, at a stop
 * and at the end; one that cannot be written is a warning. The result is the same bytes as
 * without an interruption. Where all rounds are there already nothing is trained and no
 * matrix is built.
 */
bl_status bli_train(const bl_train_input *input, bl_training **ret_training, bl_err *err);

/* The rounds of the newest checkpoint that fits, as an interrupted training: for when a round
 * is given up. May run beside the bli_train of the same input. BL_E_CANCELLED where there is
 * none. */
bl_status bli_train_newest(const bl_train_input *input, bl_training **ret_training,
                           bl_err *err);
void bli_training_free(bl_training *training);

/* The run-time check: the loaded library's version; BL_E_CONFIG below 3.3, with the
 * reason. */
bl_status bli_xgboost_check(int ret_version[3], bl_err *err);

/* Any model XGBoost can load (UBJSON, JSON), as UBJSON bytes. Old binaries, pickles and
 * other wrappers are refused in words. ret_ubj: bli_buf_done. */
bl_status bli_model_to_ubj(const void *bytes, size_t n_bytes, bl_buf *ret_ubj,
                           bl_err *err);

#endif
