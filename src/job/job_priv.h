/* SPDX-License-Identifier: Apache-2.0 */
/* What the stages of a training job hand on to each other. */
#ifndef BL_JOB_JOB_PRIV_H
#define BL_JOB_JOB_PRIV_H

#include "contract/contract.h"
#include "evaluate/evaluate.h"
#include "explain/aggregates.h"
#include "explain/explain.h"
#include "ingest/ingest.h"
#include "job/job.h"
#include "matrix/matrix.h"
#include "model/model.h"
#include "preprocess/preprocess.h"
#include "report/report.h"
#include "train/train.h"

/* Data sets of a job, in the order of metric lines. */
enum { DATA_TRAIN, DATA_VALIDATION, DATA_TEST, N_DATA };

/* A model as it will be used: written bytes, their digest, and the forest read back from
 * them, so that predictions and attributions are those of the file. */
typedef struct bl_final_model {
    bl_portable portable;
    char sha256[BL_DIGEST_TEXT];
    bl_forest *forest;
    bl_explainer *explainer;
    size_t first_round, n_rounds; /* in use: [first_round, n_rounds) */
} bl_final_model;

/* giveup.c: what is not finished in time after a stop. */
typedef struct bl_giveup bl_giveup;

/* What a checkpoint must agree with; names and values are owned. */
typedef struct bl_identity {
    size_t n, cap;
    bl_checkpoint_item *item;
} bl_identity;

/* A job in progress; each stage fills its part. */
typedef struct bl_stages {
    const bl_run *run;
    const bl_log *log;
    bl_limits limits;
    int n_threads;
    uint64_t
        memory_limit; /* bytes; asked before the sandbox, which hides where it stands */
    int xgboost_version[3];
    double stage_began;     /* bli_seconds when the stage in progress began */
    double stopped_at;      /* bli_seconds when a stop was first seen; 0: not */
    double attribute_began; /* bli_seconds when the explanation in progress began */
    bl_job *job;
    size_t n_quantiles;
    double *quantiles;     /* quantile_alpha, or NULL */
    bl_table *train_table; /* its columns, without rows */
    bl_table_like *like;   /* lends from train_table */
    bl_plan *plan;         /* bl_preprocess; then there is no train_table */
    bl_transform *transform;
    bl_schema *schema;
    const char *const *data_names;
    bl_matrix *data[N_DATA]; /* NULL where the channel is absent */
    float *margins;     /* of the only data set there is, taken by its metrics; or NULL */
    bl_buf start_model; /* of channel model; n = 0: none */
    bl_identity identity; /* empty where there are no checkpoints */
    bl_giveup *giveup;    /* NULL: no round is given up */
    bl_training *training;
    bl_final_model model;
} bl_stages;

extern const char *const bli_data_names[N_DATA];
extern const bl_channel_role bli_data_roles[N_DATA];

/* memory.c: BL_E_LIMIT with both figures where the job would outgrow its memory. */
bl_status bli_memory_check(const bl_stages *stages, bl_err *err);

/* isolation.c: bars the process and looks at its volumes; output/data/isolation.json. Before the first
 * thread, and before any data are read. BL_E_CONFIG where less is reached than the job requires. */
bl_status bli_stage_isolate(const bl_stages *stages, bl_err *err);
/* The same for `check`, which only reads; nothing is recorded. */
bl_status bli_check_isolate(const bl_job *job, bl_err *err);

/* load.c: channels -> schema, data, start_model; the room the outputs need is checked. */
bl_status bli_stage_load(bl_stages *stages, bl_err *err);

/* plan.c: the same with a plan: its rows, its split, its columns. */
bl_status bli_load_planned(bl_stages *stages, bl_err *err);
/* The plan and the first lines, for `boostlens check`. */
bl_status bli_check_planned(bl_stages *stages, bl_err *err);
/* Settings for reading the frames of a plan: `read` without roles, lending from it, and a
 * header where the plan names columns. */
bl_read_settings bli_plan_read_settings(const bl_read_settings *read,
                                        const bl_plan *plan);

/* start_model.c: the bytes of the model in channel `model`. */
bl_status bli_start_model_read(const bl_channel *channel, const bl_limits *limits,
                               bl_buf *ret_model, bl_err *err);

/* giveup.c. start: the clock may give up from now on. training: one is in progress (its rounds
 * so far can be saved), or no longer (NULL). asked: a stop was seen, the job comes to its own
 * end. end: training is over. The last three do not return once the clock has decided. */
void bli_giveup_start(bl_stages *stages);
void bli_giveup_training(bl_stages *stages, const bl_train_input *training);
void bli_giveup_asked(const bl_stages *stages);
void bli_giveup_end(bl_stages *stages);

/* identity.c */
bl_status bli_identity_make(const bl_stages *stages, bl_identity *ret_identity,
                            bl_err *err);
void bli_identity_done(bl_identity *identity);
/* The place of checkpoints, or folder `below` in it (NULL: itself). free() ret_folder. */
bl_status bli_checkpoints_at(const bl_stages *stages, const char *below,
                             bl_checkpoints *ret_checkpoints, char **ret_folder,
                             bl_err *err);

/* job.c: one training on these rows, continuing from start_model where there is one; fold:
 * -1, or its number among the models of a k-fold job. */
bl_status bli_stage_train(bl_stages *stages, bl_matrix *train, bl_matrix *validation,
                          int64_t fold, bl_training **ret_training, bl_err *err);

/* job.c: logs what a stage took and begins the next. */
void bli_say_time(bl_stages *stages, const char *stage);

/* job.c: importance.csv; attribution NULL where nothing was explained. */
bl_status bli_stage_importance(const bl_stages *stages, const bl_attribution *attribution,
                               bl_err *err);

/* model_file.c: XGBoost's bytes -> written file and what is read back from it. */
bl_status bli_model_finish(const bl_stages *stages, const bl_training *training,
                           const char *file_name, bl_final_model *ret_model, bl_err *err);
void bli_final_model_done(bl_final_model *model);

/* score.c: what else of the job's settings the metrics of a data set depend on. */
void bli_scored_settings(const bl_stages *stages, bl_scored *scored);
/* quantile_alpha as numbers, into stages. */
bl_status bli_stage_quantiles(bl_stages *stages, bl_err *err);

/* score.c: margins and predictions of a data set, ready for evaluate. */
typedef struct bl_scores {
    bl_scored scored;
    float *margins, *predictions;
} bl_scores;
bl_status bli_scores_make(const bl_stages *stages, const bl_final_model *model,
                          const bl_matrix *matrix, bl_scores *ret_scores, bl_err *err);
/* The same around margins [n_rows][n_outputs] that are there already; taken over. */
bl_status bli_scores_from_margins(const bl_stages *stages, const bl_forest *forest,
                                  const bl_matrix *matrix, float *take_margins,
                                  bl_scores *ret_scores, bl_err *err);
void bli_scores_done(bl_scores *scores);

/* attribute.c: attributions of a data set to attributions<suffix>.h5, aggregates of them to
 * aggregates<suffix>.json. row: ascending, NULL: all. */
bl_status bli_rows_to_explain(const bl_job *job, uint64_t n_rows, uint64_t **ret_row,
                              uint64_t *ret_n, bl_err *err);
bl_status bli_attribute(bl_stages *stages, const bl_matrix *matrix, const char *data_name,
                        const char *suffix, bl_attribution **ret_attribution,
                        bl_err *err);
bl_status bli_write_aggregates(const bl_stages *stages, const char *suffix,
                               const bl_aggregates *aggregates,
                               const bl_attribution *attribution, bl_err *err);
void bli_say_additivity(const bl_stages *stages, const char *data_name,
                        const bl_attribution *attribution);
/* The file the attributions of n_rows rows go to. */
bl_status bli_attributions_open(const bl_stages *stages, const bl_final_model *model,
                                const bl_matrix *matrix, const char *path,
                                uint64_t n_rows, bl_h5 **ret_h5, bl_err *err);
/* The rest is written after a stop only while it takes less than 10 s: a cancel callback
 * for bli_explain with the stages as cookie. */
bool bli_stop_is_near(void *cookie, uint64_t done, uint64_t total);
bool bli_stop_asked(
    void *cookie); /* the same for reading and training: as soon as asked */

/* card.c: model/boostlens/boostlens.json. */
bl_status bli_stage_card(const bl_stages *stages, const bl_final_model *models,
                         size_t n_models, bl_err *err);

/* metrics.c: output/data/metrics.json, and the summaries in the log. attributions: NULL
 * where a data set was not explained. */
bl_status bli_stage_metrics(bl_stages *stages, bl_attribution *const attributions[N_DATA],
                            bl_err *err);
bl_status bli_histories_of(const bl_training *training, bl_history **ret_histories,
                           bl_err *err); /* lends from training; free() it */
void bli_say_importances(const bl_stages *stages, const bl_attribution *attribution);

/* folds.c: fold [n_rows] of each row, seeded; stratified by label for classes, ranking
 * groups kept whole. */
bl_status bli_folds_draw(const bl_job *job, const bl_matrix *matrix, uint64_t repeat,
                         uint32_t *fold, bl_err *err);
/* Rows of fold f (or, where !inside, of all others), ascending. */
bl_status bli_fold_rows(const uint32_t *fold, uint64_t n_rows, uint32_t f, bool inside,
                        uint64_t **ret_row, uint64_t *ret_n, bl_err *err);

/* All folds of all repeats; model i = repeat * n_folds + fold. */
typedef struct bl_crossval {
    const bl_matrix *matrix;
    size_t n_folds, n_repeats;
    size_t n_models; /* so far */
    bl_final_model *models;
    bl_training **trainings;
    uint32_t *fold; /* [n_repeats][n_rows] */
    size_t n_outputs, n_predictions;
    size_t n_classes;   /* of a classification, else 0 */
    float *margins;     /* [n_rows][n_outputs] out of fold, mean over repeats */
    float *predictions; /* [n_rows][n_predictions] likewise */
    double *
        confidence; /* [n_rows] probability of the class predicted (binary: of class 1) */
    uint32_t *votes; /* [n_rows][n_classes] repeats that predicted the class */
} bl_crossval;

/* crossval.c: the whole of a k-fold job after loading. */
bl_status bli_cross_validate(bl_stages *stages, bl_err *err);
/* crossval_write.c: boostlens.json, predictions.csv, attributions.h5, importance.csv,
 * metrics.json. */
bl_status bli_crossval_write(bl_stages *stages, const bl_crossval *cv, bl_err *err);

/* <root>/output/data/<name> */
bl_status bli_output_data_path(const bl_job *job, const char *name, char **ret_path,
                               bl_err *err);

#endif
