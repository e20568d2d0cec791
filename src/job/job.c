/* SPDX-License-Identifier: Apache-2.0 */
/* The stages of a training job, in order. */
#include "job/job_priv.h"

#include "base/fs.h"
#include "base/machine.h"
#include "ingest/ingest.h"

#include <errno.h>
#include <inttypes.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void stages_done(bl_stages *stages)
{
    bli_final_model_done(&stages->model);
    bli_training_free(stages->training);
    bli_buf_done(&stages->start_model);
    bli_identity_done(&stages->identity);
    for (int data = 0; data < N_DATA; data++)
        bli_matrix_free(stages->data[data]);
    bli_schema_free(stages->schema);
    bli_transform_free(stages->transform);
    bli_plan_free(stages->plan);
    bli_table_like_free(stages->like);
    bli_table_free(stages->train_table);
    free(stages->quantiles);
    bli_job_free(stages->job);
}

/* No probe file as elsewhere: the platform mirrors whatever is in this folder. */
static bl_status check_checkpoint_folder(const bl_job *job, bl_err *err)
{
    bl_status st = bli_make_folder(job->checkpoint_dir, 0700, err);
    if (st == BL_OK && access(job->checkpoint_dir, R_OK | W_OK | X_OK) != 0)
        st = bli_fail_errno(err, BL_E_IO, errno,
                            "checkpoints: folder '%s' cannot be read and written",
                            job->checkpoint_dir);
    return st;
}

/* Every folder an output goes to is there and takes files. */
static bl_status prepare_folders(const bl_job *job, const bl_log *log, bl_err *err)
{
    bool owned = true;
    bl_status st = bli_make_folder(job->model_dir, 0755, err);
    if (st == BL_OK)
        st = bli_make_folder(job->output_data_dir, 0700, err);
    if (st == BL_OK)
        st = bli_check_writable(job->model_dir, &owned, err);
    if (st == BL_OK)
        st = bli_check_writable(job->output_data_dir, NULL, err);
    if (st == BL_OK && !owned)
        bli_log(
            log, BL_NOTE, "output",
            "files stay root's: giving them the owner of model/ is not permitted here "
            "(capability CHOWN)");
    return st == BL_OK && job->checkpoint_dir ? check_checkpoint_folder(job, err) : st;
}

static bl_status begin(bl_stages *stages, bl_err *err)
{
    bl_status st = bli_xgboost_check(stages->xgboost_version, err);
    if (st == BL_OK)
        st = bli_job_read(stages->run->root, stages->log, &stages->job, err);
    if (st != BL_OK)
        return st;
    const int *v = stages->xgboost_version;
    stages->n_threads =
        stages->job->nthread > 0 ? (int)stages->job->nthread : bli_machine_threads();
    stages->memory_limit = bli_machine_memory();
    omp_set_num_threads(stages->n_threads);
    bli_log(stages->log, BL_INFO, "start", "boostlens %s, XGBoost %d.%d.%d, %d thread%s",
            bl_version(), v[0], v[1], v[2], stages->n_threads,
            stages->n_threads == 1 ? "" : "s");
    st = bli_stage_quantiles(stages, err);
    if (st == BL_OK)
        st = prepare_folders(stages->job, stages->log, err);
    return st == BL_OK ? bli_stage_isolate(stages, err) : st;
}

static void hand_on_line(void *cookie, const char *line)
{
    const bl_stages *stages = cookie;
    stages->run->metric_line(stages->run->cookie, line);
}

bl_status bli_stage_train(bl_stages *stages, bl_matrix *train, bl_matrix *validation,
                          int64_t fold, bl_training **ret_training, bl_err *err)
{
    bl_checkpoints checkpoints;
    char *folder = NULL, name[48];
    bl_train_input input = {.job = stages->job,
                            .train = train,
                            .validation = validation,
                            .start_model = stages->start_model.data,
                            .n_start_model = stages->start_model.n,
                            .nthread = stages->n_threads,
                            .log = stages->log,
                            .metric_line = hand_on_line,
                            .cancelled = bli_stop_asked,
                            .cookie = stages};
    if (stages->job->checkpoint_dir) {
        snprintf(name, sizeof name, "model-%" PRId64, fold);
        bl_status st = bli_checkpoints_at(stages, fold < 0 ? NULL : name, &checkpoints,
                                          &folder, err);
        if (st != BL_OK)
            return st;
        input.checkpoints = &checkpoints;
    }
    bli_giveup_training(stages, fold < 0 ? &input : NULL);
    bl_status st = bli_train(&input, ret_training, err);
    bli_giveup_training(stages, NULL);
    free(folder);
    return st;
}

static bl_status train(bl_stages *stages, bl_err *err)
{
    bl_status st =
        bli_stage_train(stages, stages->data[DATA_TRAIN], stages->data[DATA_VALIDATION],
                        -1, &stages->training, err);
    bli_buf_done(&stages->start_model);
    if (st != BL_OK)
        return st;
    if (stages->training->interrupted && !stages->job->save_model_on_termination)
        return bli_fail(
            err, BL_E_CANCELLED,
            "stopped by a signal after %zu rounds; no model was asked for on "
            "termination (save_model_on_termination=true would have kept them)",
            stages->training->n_rounds);
    bli_giveup_end(stages);
    return BL_OK;
}

bl_status bli_stage_importance(const bl_stages *stages, const bl_attribution *attribution,
                               bl_err *err)
{
    const bl_final_model *model = &stages->model;
    bl_split_scores scores = {0};
    char *path = NULL;
    bl_status st = bli_forest_split_scores(model->forest, model->first_round,
                                           model->n_rounds, &scores, err);
    if (st == BL_OK)
        st = bli_output_data_path(stages->job, "importance.csv", &path, err);
    if (st == BL_OK)
        st = bli_importance_write(path, stages->schema, attribution,
                                  model->forest->linear ? NULL : &scores, err);
    bli_split_scores_done(&scores);
    free(path);
    return st;
}

/* Attributions of the data sets asked for; the training set's, or else the first, feed
 * importance.csv and the summary. */
static bl_status explain(bl_stages *stages, bl_attribution *attributions[N_DATA],
                         bl_err *err)
{
    static const char *const suffixes[] = {"", "-validation"};
    static const bl_explain_what what[] = {BL_EXPLAIN_TRAIN, BL_EXPLAIN_VALIDATION};
    bl_status st = BL_OK;
    for (int data = DATA_TRAIN; st == BL_OK && data <= DATA_VALIDATION; data++)
        if ((stages->job->explain & what[data]) && stages->data[data])
            st = bli_attribute(stages, stages->data[data], bli_data_names[data],
                               suffixes[data], &attributions[data], err);
    if (stages->job->explain == BL_EXPLAIN_VALIDATION && !stages->data[DATA_VALIDATION])
        bli_log(stages->log, BL_WARNING, "explain",
                "bl_explain=validation, but there is no validation channel: nothing "
                "explained");
    return st;
}

static bl_status write_results(bl_stages *stages, bl_err *err)
{
    bl_attribution *attributions[N_DATA] = {NULL};
    bl_status st = explain(stages, attributions, err);
    const bl_attribution *main = attributions[DATA_TRAIN] ? attributions[DATA_TRAIN]
                                                          : attributions[DATA_VALIDATION];
    if (st == BL_OK) {
        bli_say_time(stages, "explain");
        st = bli_stage_importance(stages, main, err);
    }
    if (st == BL_OK)
        st = bli_stage_metrics(stages, attributions, err);
    if (st == BL_OK)
        bli_say_time(stages, "evaluate");
    if (st == BL_OK && main)
        bli_say_importances(stages, main);
    for (int data = 0; data < N_DATA; data++)
        bli_attribution_free(attributions[data]);
    return st;
}

void bli_say_time(bl_stages *stages, const char *stage)
{
    double now = bli_seconds();
    bli_log(stages->log, BL_INFO, "time", "%s took %.3f s", stage,
            now - stages->stage_began);
    stages->stage_began = now;
}

static bl_status run_stages(bl_stages *stages, bl_err *err)
{
    stages->stage_began = bli_seconds();
    bl_status st = begin(stages, err);
    if (st == BL_OK) {
        bli_giveup_start(stages);
        st = bli_stage_load(stages, err);
    }
    if (st != BL_OK)
        return st;
    if (stages->job->checkpoint_dir)
        st = bli_identity_make(stages, &stages->identity, err);
    if (st != BL_OK)
        return st;
    bli_say_time(stages, "read");
    if (stages->job->kfold > 0)
        return bli_cross_validate(stages, err);
    st = train(stages, err);
    if (st == BL_OK) {
        bli_say_time(stages, "train");
        st = bli_model_finish(stages, stages->training, "xgboost-model", &stages->model,
                              err);
    }
    if (st == BL_OK)
        st = bli_stage_card(stages, &stages->model, 1, err);
    if (st != BL_OK)
        return st;
    bli_say_time(stages, "save");
    st = write_results(stages, err);
    if (st == BL_E_CANCELLED) {
        bli_log(
            stages->log, BL_WARNING, "stop",
            "stopped: the model is in place, the rest would have taken too long and is "
            "left out");
        return BL_OK;
    }
    return st;
}

bl_status bli_job_train(const bl_run *run, bl_err *err)
{
    bl_stages stages = {.run = run,
                        .log = run->log,
                        .limits = bli_limits(),
                        .data_names = bli_data_names};
    bl_status st = run_stages(&stages, err);
    bli_giveup_end(&stages);
    if (st == BL_OK)
        bli_log(run->log, BL_INFO, "done",
                "model and boostlens.json are in model/, metrics, "
                "importances and attributions in output/data/");
    stages_done(&stages);
    return st;
}

bl_status bli_job_check(const bl_run *run, bl_err *err)
{
    bl_stages stages = {.run = run, .log = run->log, .limits = bli_limits()};
    bl_status st = bli_job_read(run->root, run->log, &stages.job, err);
    if (st == BL_OK)
        st = bli_check_isolate(stages.job, err);
    bool planned = st == BL_OK && bli_job_param(stages.job, "bl_preprocess") != NULL;
    if (planned)
        st = bli_check_planned(&stages, err);
    for (int data = 0; !planned && st == BL_OK && data < N_DATA; data++) {
        const bl_channel *channel = &stages.job->channels[bli_data_roles[data]];
        const bl_ingest ingest = {.settings = &stages.job->read,
                                  .limits = &stages.limits,
                                  .log = run->log,
                                  .channel = bli_data_names[data],
                                  .content_given = channel->content == BL_CONTENT_CSV,
                                  .cancelled = bli_stop_asked,
                                  .cookie = &stages};
        if (channel->present)
            st = bli_ingest_peek(&ingest, run->root, channel->path, err);
    }
    stages_done(&stages);
    return st;
}
