/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SageMaker's training contract: config files -> bl_job. The job is constant once read. Every
 * refusal says what was found and what is accepted; everything that can be checked without
 * looking at the data is checked here.
 *
 * More than one host, Pipe mode, libsvm, Parquet and RecordIO are refused, each by name.
 */
#ifndef BL_CONTRACT_CONTRACT_H
#define BL_CONTRACT_CONTRACT_H

#include "base/buf.h"
#include "base/limits.h"
#include "base/log.h"

#include <stdbool.h>

/* --- One table of hyperparameters (params.c): validation, help and the README come from it  */

typedef enum bl_param_type {
    BL_PARAM_INT,
    BL_PARAM_FLOAT,
    BL_PARAM_CHOICE,
    BL_PARAM_BOOL,
    BL_PARAM_LIST,   /* names, comma-separated or a JSON array */
    BL_PARAM_FLOATS, /* numbers, comma-separated or a JSON array */
    BL_PARAM_TUPLE,  /* monotone_constraints */
    BL_PARAM_NESTED, /* interaction_constraints */
    BL_PARAM_COLUMN, /* a column by name or index */
    BL_PARAM_COLUMNS,
    BL_PARAM_TEXT
} bl_param_type;

/* Who uses a parameter. */
typedef enum bl_param_use {
    BL_USE_XGBOOST, /* handed to XGBoost */
    BL_USE_JOB,     /* the container's own (num_round, csv_weights, ...) */
    BL_USE_OURS,    /* bl_* */
    BL_USE_DEAD     /* accepted with one note: no effect in XGBoost 3.4 */
} bl_param_use;

typedef struct bl_param_def {
    const char *name;
    const char *alias; /* NULL or a second spelling XGBoost documents */
    const char *group; /* heading of the README's table it stands under */
    bl_param_type type;
    bl_param_use use;
    double low, high;           /* numbers; -INFINITY / INFINITY where open-ended */
    bool low_open, high_open;   /* bound itself excluded */
    const char *const *choices; /* NULL-ended, for CHOICE and LIST; else NULL */
    const char *default_text;   /* as a user would write it; "" where there is none */
    const char *help;           /* one line */
} bl_param_def;

/* The whole table, in the order of the README. */
const bl_param_def *bli_param_defs(size_t *ret_n);

/* --- The job ------------------------------------------------------------------------ */

/* A parameter in force. */
typedef struct bl_param {
    const bl_param_def *def;
    char *text; /* what XGBoost is told, where it is; a choice as listed; else as given */
    const char *source; /* "hyperparameters.json" or "default" */
} bl_param;

/* A column of a file: by header name, or by 0-based index where name is NULL. */
typedef struct bl_column_ref {
    char *name;
    int64_t index;
} bl_column_ref;

typedef struct bl_column_refs {
    size_t n;
    bl_column_ref *ref;
} bl_column_refs;

typedef struct bl_texts {
    size_t n;
    char **text;
} bl_texts;

typedef enum bl_header { BL_HEADER_AUTO, BL_HEADER_YES, BL_HEADER_NO } bl_header;
typedef enum bl_unseen { BL_UNSEEN_ERROR, BL_UNSEEN_MISSING } bl_unseen;

/* How the cells and columns of text files are to be read; also made from a saved model's
 * settings by the explain and predict verbs. */
typedef struct bl_read_settings {
    bl_column_refs labels; /* empty with bounds, or where rows have no label */
    bool label_optional;   /* predict and explain */
    bool ids_optional;     /* a background */
    bool has_weight, has_group, has_lower, has_upper;
    bl_column_ref weight, group, lower, upper;
    bl_column_refs base_margins;
    bl_column_refs drop;
    bl_column_refs ids;
    bl_texts feature_names; /* empty: the header's */
    bl_texts feature_types; /* empty, or one of q i int float c a feature */
    bl_header header;
    bl_texts
        missing_texts; /* beside the empty cell; compared without case where default */
    bool missing_texts_given;
    float missing; /* XGBoost's own, applied after the texts; NaN by default */
    bool enable_categorical;
    bl_unseen unseen;
} bl_read_settings;

typedef enum bl_channel_role {
    BL_CHANNEL_TRAIN,
    BL_CHANNEL_VALIDATION,
    BL_CHANNEL_TEST,
    BL_CHANNEL_MODEL,
    BL_CHANNEL_CONFIG,
    BL_N_CHANNELS
} bl_channel_role;

typedef enum bl_content { BL_CONTENT_NONE, BL_CONTENT_CSV, BL_CONTENT_MODEL } bl_content;

typedef struct bl_channel {
    bool present;
    char *path;         /* folder <root>/input/data/<name> */
    char *content_type; /* as the user typed it, or NULL */
    bl_content content; /* NONE: to be decided by the first data line */
} bl_channel;

typedef enum bl_metric_maker {
    BL_METRIC_XGBOOST, /* XGBoost evaluates it */
    BL_METRIC_CUSTOM   /* we do: accuracy, f1, ... (contract.md 2.17) */
} bl_metric_maker;

typedef struct bl_metric_name {
    char *name; /* with its suffix: "ndcg@5-" */
    bl_metric_maker maker;
} bl_metric_name;

typedef enum bl_explain_what {
    BL_EXPLAIN_NONE = 0,
    BL_EXPLAIN_TRAIN = 1,
    BL_EXPLAIN_VALIDATION = 2,
    BL_EXPLAIN_BOTH = 3
} bl_explain_what;

typedef struct bl_job {
    /* Places. root stands for /opt/ml; others are below it. */
    char *root;
    char *model_dir;       /* model */
    char *output_data_dir; /* output/data */
    char *failure_path;    /* output/failure */
    char *checkpoint_dir;  /* NULL: checkpointing is off */
    char *job_name;        /* TRAINING_JOB_NAME, or NULL */
    int64_t checkpoint_seconds, checkpoint_keep;
    bool checkpoint_foreign; /* go on from a checkpoint that is not ours */
    bl_channel channels[BL_N_CHANNELS];

    /* Cluster. */
    size_t n_hosts;
    size_t host_rank;

    /* Parameters in force (given ones, in order of name), and what code asks for by type.
     */
    size_t n_params;
    bl_param *params;
    int64_t num_round;
    int64_t early_stopping_rounds; /* 0: off, also where nothing is held out to stop by */
    int64_t nthread;               /* 0: as many as this process may use */
    int64_t seed;
    int64_t num_class;           /* 0: none */
    int64_t kfold, num_cv_round; /* 0 and 1: no cross-validation */
    int64_t max_bin;
    bool save_model_on_termination;
    const char *objective;       /* canonical: reg:linear is reg:squarederror */
    const char *booster;         /* gbtree, gblinear, dart */
    const char *tree_method;     /* auto, exact, approx, hist */
    size_t n_metrics;            /* eval_metric as written, then the tuning objective's */
    bl_metric_name *metrics;     /* empty: the objective's default */
    char *early_stopping_metric; /* interfaces.md 1; NULL: the objective's default */
    bl_read_settings read;
    bl_explain_what explain;
    int64_t explain_rows; /* 0: all */
    bool explain_data;
    bool portable_model;
    bool compress;

    /* What XGBoost is told, canonical names and texts, in a fixed order; without
     * eval_metric, nthread and what is ours. */
    size_t n_xgboost;
    char **xgboost_names;
    char **xgboost_texts;
} bl_job;

/*
 * Reads <root>/input/config and checks it.
 *
 * root      stands for /opt/ml.
 * log       gets notes (dead parameters, ignored channels, reg:linear, ...).
 * ret_job   free with bli_job_free.
 *
 * Returns BL_OK, BL_E_CONFIG (the user's to mend), BL_E_IO, BL_E_LIMIT, BL_E_NOMEM.
 */
bl_status bli_job_read(const char *root, const bl_log *log, bl_job **ret_job,
                       bl_err *err);
void bli_job_free(bl_job *job);

/* Just the places below root, so that a failure file can be written before anything is
 * read. */
bl_status bli_failure_path(const char *root, char **ret_path, bl_err *err);

/* Text of a parameter in force, given or default; NULL where there is neither. */
const char *bli_job_param(const bl_job *job, const char *name);

/* Custom metric names and XGBoost's, for messages and for tests. true where we compute
 * it. */
bool bli_metric_is_custom(const char *name);
/* true where a larger value is better, by exact names and XGBoost's own rules (`ndcg@5-`
 * and `map@3` included; interval-regression-accuracy is one). */
bool bli_metric_is_maximised(const char *name);

/* The text of bl_preprocess: its JSON, or that of the file it names in channel config.
 * ret_name: what to call it in messages. ret_text stays empty where there is none. */
bl_status bli_job_plan(const bl_job *job, bl_buf *ret_text, const char **ret_name,
                       bl_err *err);

void bli_read_settings_done(bl_read_settings *settings);

/* `boostlens help train`: the table as text; and as Markdown for the README. */
bl_status bli_param_help(bl_buf *out, bool markdown, bl_err *err);

#endif
