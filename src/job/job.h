/* SPDX-License-Identifier: Apache-2.0 */
/* The stages of a job in order; cancel, what is written when. */
#ifndef BL_JOB_JOB_H
#define BL_JOB_JOB_H

#include "base/buf.h"
#include "base/log.h"

#include <signal.h>
#include <stdbool.h>

typedef struct bl_run {
    const char *root; /* stands for /opt/ml */
    const bl_log *log;
    void (*metric_line)(void *cookie, const char *line); /* stdout's metric lines */
    void *cookie;
    const volatile sig_atomic_t
        *stop; /* not 0 once SIGTERM or SIGINT came; may be NULL */
    /* What is in progress that many seconds after a stop, before training is over, is given
     * up: gave_up (from another thread) tells how it ended, BL_OK with a model in place or
     * BL_E_CANCELLED, and ends the process. NULL: nothing is given up. */
    double give_up_seconds;
    void (*gave_up)(void *cookie, bl_status status, const char *sentence);
} bl_run;

/* A training job from config files to outputs. BL_OK also where it was stopped with a
 * loadable model in place; BL_E_CANCELLED where it was stopped before there was one. */
bl_status bli_job_train(const bl_run *run, bl_err *err);

/* `boostlens check`: configuration and first lines only. */
bl_status bli_job_check(const bl_run *run, bl_err *err);

/* --- A SageMaker Processing job ------------------------------------------------------- */

typedef struct bl_process {
    const char *root;      /* stands for /opt/ml */
    const char *plan;      /* --plan FILE; NULL: plan.json of an input, if there is one */
    double test;           /* --train-test-split-ratio; < 0: not given */
    int64_t seed;          /* --random-split; < 0: not given */
    const char *isolation; /* --isolation: auto (default), required, off */
    bool profile;          /* --profile: also a profile of the inputs, before all else */
    bool only_profile;     /* --profile-only: nothing else */
    const char *label; /* --label of a profile: a name, or an index; NULL: the plan's */
    const bl_log *log;
    const volatile sig_atomic_t *stop;
} bl_process;

/* profile.json and profile.html where asked (report/profile.h has their shape), then
 * splits, fits and transforms the .csv of the inputs into train_data.csv, test_data.csv,
 * train_data_headers.csv, validation_data.csv and plan.json, each where the job's config says
 * (interfaces: Preprocessing). The message for <root>/output/message is written on success. */
bl_status bli_process(const bl_process *process, bl_err *err);
/* <root>/output/message: at most 1,024 bytes of UTF-8. */
bl_status bli_process_message(const char *root, const char *text, bl_err *err);

/* --- A plan proposed from data -------------------------------------------------------------- */

typedef struct bl_propose {
    const char *file;
    const char *label; /* --label: a name, or an index; NULL: guessed, and said */
    const bl_log *log;
    const volatile sig_atomic_t *stop;
} bl_propose;

/* Appends a plan (src/preprocess/README.md) as JSON to text, checked as process and train read it.
 * The file is read twice where some of its texts mean missing. */
bl_status bli_propose(const bl_propose *propose, bl_buf *ret_text, bl_err *err);

/* --- A saved model on any rows: read, predicted and explained as in training ----------- */

/* What predict writes a line. */
typedef enum bl_output_type {
    BL_OUTPUT_PREDICTION, /* what XGBoost's predict gives */
    BL_OUTPUT_MARGIN,
    BL_OUTPUT_PROBABILITY, /* of class 1, or of each class; refused where there is none */
    BL_OUTPUT_LEAF,        /* node number in each tree */
    BL_OUTPUT_CONTRIBS     /* features then base value, output by output */
} bl_output_type;

/* Options as typed; NULL: not given, the model's own settings hold. */
typedef struct bl_apply {
    const char *model; /* a folder of ours, or a model file */
    size_t n_data;
    const char *const *data; /* files; or one folder */
    const char *output;      /* explain: a folder; predict: a file */
    const char *missing, *missing_text, *header, *label, *id, *unseen;
    const char *trees;     /* all, best, FROM:TO (rounds) */
    int64_t nthread;       /* 0: as many as this process may use */
    const char *isolation; /* auto (default), required, off */
    bl_output_type type;   /* predict */
    bool compress;         /* explain, as all below */
    bool interactions, aggregate_only;
    const char *background; /* a file of rows */
    bl_space space;
    size_t top;        /* strongest values of each row; 0: all */
    const char *facet; /* column that sorts rows into groups */
    const bl_log *log;
    const volatile sig_atomic_t *stop;
} bl_apply;

/* attributions.h5 (but with aggregate_only), importance.csv, aggregates.json, interactions.csv with
 * interactions, and metrics.json where the rows have labels. Rows are read in parts: memory does
 * not grow with their number, but for 4 bytes a row, output, label and weight where they have
 * labels, and for the texts of ids. */
bl_status bli_explain_files(const bl_apply *apply, bl_err *err);

/* One line a row, in the order of the rows: ids, then values as shortest float32 text. A folder
 * of k-fold models gives the mean over its models. */
bl_status bli_predict_files(const bl_apply *apply, bl_err *err);

#endif
