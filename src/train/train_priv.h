/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share. c_api.h is included here and nowhere else in the
 * project. */
#ifndef BL_TRAIN_PRIV_H
#define BL_TRAIN_PRIV_H

#include "train/checkpoint_priv.h"
#include "train/train.h"

#include <xgboost/c_api.h>

#define BL_STAGE "train"

/* --- xgb.c: calls, their errors, XGBoost's own messages ----------------------------- */

/* XGBoost's last error as ours: the status says whose move it is, the message is one
 * sentence, without stack trace, source place and time. `doing`: "building the training
 * matrix". */
bl_status bli_xgb_fail(bl_err *err, const char *doing);

/* XGBoost's messages of this thread go to log until bli_xgb_log_end; each text once. The
 * object must outlive that. XGBoost hands a text and no cookie, hence one per thread. */
#define BL_XGB_SEEN 32
typedef struct bl_xgb_log {
    const bl_log *log;
    size_t n_seen;
    uint64_t seen[BL_XGB_SEEN];
} bl_xgb_log;
bl_status bli_xgb_log_begin(bl_xgb_log *state, const bl_log *log, const char *verbosity,
                            bl_err *err);
void bli_xgb_log_end(void);

/* XGBoost's text without the clutter around it, in out (max bytes with the NUL): for
 * tests too. */
void bli_xgb_tidy(const char *text, char *out, size_t max);

/* --- checks.c, labels.c: what the C API takes on trust ------------------------------ */

/* "row 12 of input/data/train/a.csv": rows of a file counted from 0, without its header.
 */
#define BL_PLACE_BYTES 256
const char *bli_row_place(const bl_matrix *m, uint64_t row, char out[BL_PLACE_BYTES]);

/* Labels against the objective; also warns of what trains, but hardly as meant. */
bl_status bli_check_labels(const bl_job *job, const bl_matrix *m, bool is_train,
                           const bl_log *log, bl_err *err);

/* Values of a margin a row that this job trains: classes, targets, quantiles. */
size_t bli_job_n_outputs(const bl_job *job, const bl_matrix *matrix);

/* Labels, weights, groups, bounds, margins and categories of one data set. BL_E_CONFIG or
 * BL_E_DATA say what was found and what is accepted. */
bl_status bli_check_matrix(const bl_job *job, const bl_matrix *matrix, bool is_train,
                           const bl_log *log, bl_err *err);
/* Settings that only make sense against a schema or against each other. */
bl_status bli_check_settings(const bl_train_input *input, bl_err *err);

/* --- matrix.c ----------------------------------------------------------------------- */

typedef enum bl_xgb_kind {
    BL_XGB_QUANTILE, /* hist: bins only, straight from our blocks */
    BL_XGB_ORDINARY  /* exact, approx, gblinear, update: XGBoost's own copy of every value
                      */
} bl_xgb_kind;
bl_xgb_kind bli_xgb_kind(const bl_job *job);

/* reference: the training matrix's handle for a validation matrix, NULL for the training
 * one. An ordinary matrix takes the blocks' cells over (x is NULL then) until
 * bli_xgb_give_back; if it cannot be built, the matrix may only be freed. */
bl_status bli_xgb_matrix(const bl_train_input *input, bl_matrix *matrix,
                         DMatrixHandle reference, DMatrixHandle *ret_handle, bl_err *err);
bl_status bli_xgb_give_back(bl_matrix *matrix, DMatrixHandle handle, bl_err *err);

/* --- params.c ----------------------------------------------------------------------- */

/* Hands the job's parameters to a booster. */
bl_status bli_xgb_params(const bl_train_input *input, BoosterHandle booster, bl_err *err);
/* The same for a gblinear booster that was read back from a checkpoint: seed and metrics are as
 * they were. */
bl_status bli_xgb_params_again(const bl_job *job, BoosterHandle booster, bl_err *err);
/* Feature names and types, where the user has some. */
bl_status bli_xgb_names(const bl_schema *schema, BoosterHandle booster, bl_err *err);
/* Constraints in the form XGBoost takes, names resolved; text is malloc'd. */
bl_status bli_monotone_text(const char *text, const bl_schema *schema, char **ret_text,
                            bl_err *err);
bl_status bli_interaction_text(const char *text, const bl_schema *schema, char **ret_text,
                               bl_err *err);

/* --- metrics.c ---------------------------------------------------------------------- */

#define BL_MAX_SETS 2

typedef struct bl_watch {
    const char *name; /* "train", "validation" */
    bl_matrix *matrix;
    DMatrixHandle handle;
} bl_watch;

typedef struct bl_metrics {
    const bl_job *job;
    size_t n_sets;
    bl_watch sets[BL_MAX_SETS];
    size_t
        n_metrics;  /* known after the first round: the default metric has a name then */
    char **names;   /* as printed */
    double *values; /* [n_sets][n_metrics] of the newest round */
    size_t n_rounds;
    size_t cap_rounds;
    double *history; /* [n_rounds][n_sets][n_metrics] */
    size_t watched;  /* metric that early stopping follows */
} bl_metrics;

/* Values of a finished round, into values and history. `round` as printed. */
bl_status bli_metrics_round(bl_metrics *metrics, BoosterHandle booster, int64_t round,
                            bl_err *err);
/* The line of the newest round. */
bl_status bli_metrics_line(const bl_metrics *metrics, int64_t round, bl_buf *line,
                           bl_err *err);
bl_status bli_metrics_histories(const bl_metrics *metrics, bl_training *training,
                                bl_err *err);
/* Names and history of a checkpoint; the sets are open. */
bl_status bli_metrics_restore(bl_metrics *metrics, const bl_ckpt *ckpt, bl_err *err);
void bli_metrics_done(bl_metrics *metrics);

/* --- load.c ------------------------------------------------------------------------- */

/* Loads a model file's bytes, or says in one sentence what they are instead. */
bl_status bli_xgb_load(BoosterHandle booster, const void *bytes, size_t n, bl_err *err);
/* XGBoost's own UBJSON; *out is replaced. */
bl_status bli_xgb_save(BoosterHandle booster, bl_buf *out, bl_err *err);

/* --- start.c: a model to continue from ---------------------------------------------- */

/* Loads a start model into a booster and checks that it fits; its best_iteration and
 * best_score are dropped. ret_rounds: rounds it holds. */
bl_status bli_xgb_start(const bl_train_input *input, const void *model, size_t n_model,
                        BoosterHandle booster, int *ret_rounds, bl_err *err);

/* --- train.c and checkpoint.c: one training while it runs --------------------------- */

typedef struct bl_train_run {
    const bl_train_input *input;
    BoosterHandle booster;
    bl_metrics metrics; /* the watched sets own their handles */
    int first_round;    /* rounds that were there before: a start model's */
    int64_t n_wanted;   /* rounds of this training */
    bool stopping;      /* early stopping is in force */
    bool maximise;
    bool have_best;
    int64_t best_iteration;
    double best_score;
    bl_buf best_model; /* gblinear: the model of the best round */
    bl_training *training;
    /* Checkpoints. */
    bl_resume resume;
    bl_ckpt resumed;     /* OURS */
    bl_buf foreign;      /* FOREIGN: a model */
    bool after_foreign;  /* first_round counts the rounds of such a one */
    size_t saved_rounds; /* of the newest one written or gone on from */
    double began, last_at, last_cost, spent;
    size_t n_written;
    bool said; /* that they are written */
} bl_train_run;

/* Looks for a checkpoint to go on from, into resume, resumed and foreign. */
bl_status bli_run_find(bl_train_run *run, bl_err *err);
/* All rounds are in `resumed`. */
bool bli_run_is_over(const bl_train_run *run);
/* A booster from `resumed`, and history and state with it. */
bl_status bli_run_restore(bl_train_run *run, bl_err *err);
/* The clock of the interval begins. */
void bli_run_clock(bl_train_run *run);
/* After a round: writes a checkpoint where one is due. */
void bli_run_checkpoint_if_due(bl_train_run *run);
/* The last one: at a stop, or when training is over. */
void bli_run_checkpoint_last(bl_train_run *run);

#endif
