/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of checkpoints share: one checkpoint in memory, its bytes, its folder. */
#ifndef BL_TRAIN_CHECKPOINT_PRIV_H
#define BL_TRAIN_CHECKPOINT_PRIV_H

#include "train/checkpoint.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"

#define BL_CKPT_PREFIX   "xgboost-checkpoint."
#define BL_CKPT_MAX_SETS 2

/* One checkpoint. To be written: everything is lent. As read: everything lies in `head`
 * and `bytes`, and bli_ckpt_done frees it. */
typedef struct bl_ckpt {
    /* What it belongs to. */
    const char *job_name; /* NULL: none */
    const char *xgboost;  /* "3.4.1" */
    const char *instructions;
    int64_t nthread;
    int64_t num_round;
    size_t n_items;
    const bl_checkpoint_item *items; /* [n_items] */
    /* Where it stands. */
    int64_t first_round; /* rounds that were there before this training */
    bool
        foreign; /* they came from a checkpoint of another program: num_round counts them */
    int64_t n_rounds; /* finished by it */
    bool stopped_early;
    bool have_best;
    int64_t best_iteration;
    double best_score;
    size_t n_sets;
    const char *set_names[BL_CKPT_MAX_SETS];
    size_t n_metrics;
    const char *const *metric_names;  /* [n_metrics] */
    const double *history;            /* [n_rounds][n_sets][n_metrics] */
    const void *booster, *best_model; /* best_model: n = 0 where there is none */
    size_t n_booster, n_best_model;
    /* As read. */
    json_t *head;
    bl_buf bytes;
    bl_checkpoint_item *own_items;
    const char **own_names;
    double *own_history;
} bl_ckpt;

/* --- checkpoint_format.c ------------------------------------------------------------ */

/* The bytes before the booster: header, state and history. The whole file is these, then
 * booster, then best_model. */
bl_status bli_ckpt_encode(const bl_ckpt *ckpt, bl_buf *ret_front, bl_err *err);

/* What the bytes of a file are. */
typedef enum bl_ckpt_kind {
    BL_CKPT_OURS,
    BL_CKPT_FOREIGN, /* does not begin as ours do */
    BL_CKPT_NEWER,   /* of a version this program does not know */
    BL_CKPT_TORN     /* cut short, longer than it says, or its digest differs */
} bl_ckpt_kind;

/* Takes the bytes over (also where they are not ours: freed). OURS: ret_ckpt is filled.
 * Otherwise why[] says what was found. BL_E_NOMEM alone is an error. */
#define BL_CKPT_WHY 160
bl_status bli_ckpt_decode(bl_buf *take_bytes, bl_ckpt *ret_ckpt, bl_ckpt_kind *ret_kind,
                          char why[BL_CKPT_WHY], bl_err *err);
/* The same of the start of a file, header and state, without the digest: whose it is. What it
 * stands for is not there. OURS, FOREIGN, NEWER or TORN. */
bl_status bli_ckpt_decode_state(bl_buf *take_front, bl_ckpt *ret_ckpt,
                                bl_ckpt_kind *ret_kind, bl_err *err);
/* Bytes of header and state of a file of n bytes, whose first BL_CKPT_HEADER are given; 0:
 * not ours, or torn. */
#define BL_CKPT_HEADER 120
uint64_t bli_ckpt_front_bytes(const char *header, uint64_t n);
void bli_ckpt_done(bl_ckpt *ckpt);

/* The first thing that differs and matters, as the end of a sentence ("eta is 0.3, the
 * checkpoint's job had 0.1"); false where nothing does. */
bool bli_ckpt_differs(const bl_ckpt *ckpt, const bl_checkpoints *place, int64_t num_round,
                      char out[BL_ERR_BYTES]);
/* The same job by name: equal names, or one of the two has none. */
bool bli_ckpt_same_name(const bl_ckpt *ckpt, const bl_checkpoints *place);

/* --- checkpoint_store.c: the folder ------------------------------------------------- */

/* A file whose name is a checkpoint's. */
typedef struct bl_ckpt_file {
    int64_t n; /* as in the name; -1: one of AWS's names */
    char *name;
} bl_ckpt_file;

typedef struct bl_ckpt_files {
    size_t n, cap;
    bl_ckpt_file *file; /* descending by n */
} bl_ckpt_files;

/* None where the folder is not there. */
bl_status bli_ckpt_list(const char *folder, bl_ckpt_files *ret_files, bl_err *err);
void bli_ckpt_files_done(bl_ckpt_files *files);

/* Reads and decodes a file of the folder. */
bl_status bli_ckpt_read(const char *folder, const char *name, bl_ckpt *ret_ckpt,
                        bl_ckpt_kind *ret_kind, char why[BL_CKPT_WHY], bl_err *err);
/* The bytes of a file of the folder, whatever they are. */
bl_status bli_ckpt_bytes(const char *folder, const char *name, bl_buf *ret_bytes,
                         bl_err *err);

/* Takes away what a killed writer left: temporary files of ours. */
void bli_ckpt_sweep(const char *folder);

/* Whole or absent: temporary name, sync, rename, sync of the folder. A file of that number
 * that is another job's, or not ours, is never replaced: *ret_taken then, and nothing is
 * written. */
bl_status bli_ckpt_write(const bl_checkpoints *place, const bl_ckpt *ckpt,
                         bool *ret_taken, bl_err *err);

/* Deletes the oldest own files beyond place->keep, counted from file `newest` downwards; one
 * that is being uploaded waits for the next call. */
void bli_ckpt_prune(const bl_checkpoints *place, int64_t newest, int64_t num_round);

/* --- checkpoint_resume.c ------------------------------------------------------------ */

/* What a training begins with. */
typedef enum bl_resume { BL_RESUME_NOTHING, BL_RESUME_OURS, BL_RESUME_FOREIGN } bl_resume;

/*
 * The newest checkpoint that fits: every file that does not is said in one line of the log.
 *
 * ret_ckpt     OURS: free with bli_ckpt_done.
 * ret_foreign  FOREIGN (place->use_foreign): a model file's bytes.
 *
 * BL_E_CONFIG where a checkpoint of the same job differs.
 */
bl_status bli_ckpt_find(const bl_checkpoints *place, const char *xgboost,
                        int64_t num_round, const bl_log *log, bl_resume *ret_resume,
                        bl_ckpt *ret_ckpt, bl_buf *ret_foreign, bl_err *err);

#endif
