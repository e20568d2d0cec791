/* SPDX-License-Identifier: Apache-2.0 */
/* The explain verb: a job's last stages, with a saved model in place of a trained one. */
#include "job/apply_priv.h"

#include "base/fs.h"
#include "base/machine.h"
#include "base/mem.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* The few settings of a job that the last stages ask for. */
static bl_status make_job(const bl_apply *apply, const bl_saved *saved, bl_job **ret_job,
                          bl_err *err)
{
    void *block;
    bl_status st = bli_alloc(1, sizeof(bl_job), "a job", &block, err);
    if (st != BL_OK)
        return st;
    bl_job *job = block;
    const bl_forest *forest = saved->models[0].forest;
    job->objective = forest->objective;
    job->num_class = bli_objective_task(forest->objective) == BL_TASK_CLASSES
                         ? (int64_t)forest->n_outputs
                         : 0;
    job->explain = BL_EXPLAIN_TRAIN;
    job->explain_data = true;
    job->compress = apply->compress;
    st = bli_strdup(apply->output, &job->output_data_dir, err);
    if (st == BL_OK)
        *ret_job = job;
    else
        bli_job_free(job);
    return st;
}

static bool has_labels(const bl_matrix *matrix)
{
    return matrix->roles.labels || matrix->roles.lower_bounds;
}

static bl_status write_all(bl_stages *stages, const bl_matrix *matrix, bl_err *err)
{
    bl_attribution *attributions[N_DATA] = {NULL};
    bl_status st = bli_attribute(stages, matrix, "data", "attributions.h5",
                                 &attributions[DATA_TRAIN], err);
    if (st == BL_OK)
        st = bli_stage_importance(stages, attributions[DATA_TRAIN], err);
    if (st == BL_OK && has_labels(matrix))
        st = bli_stage_metrics(stages, attributions, err);
    if (st == BL_OK)
        bli_say_importances(stages, attributions[DATA_TRAIN]);
    bli_attribution_free(attributions[DATA_TRAIN]);
    return st;
}

bl_status bli_explain_files(const bl_apply *apply, bl_err *err)
{
    static const char *const names[N_DATA] = {"data"};
    const bl_run run = {.log = apply->log, .stop = apply->stop};
    bl_stages stages = {
        .run = &run, .log = apply->log, .limits = bli_limits(), .data_names = names};
    bl_saved *saved = NULL;
    bl_matrix *matrix = NULL;
    stages.n_threads = apply->nthread > 0 ? (int)apply->nthread : bli_machine_threads();
    omp_set_num_threads(stages.n_threads);
    bl_status st = bli_apply_isolate(apply, err);
    if (st == BL_OK)
        st = bli_saved_open(apply, &stages.limits, &saved, err);
    if (st == BL_OK && saved->n_models > 1)
        st = bli_fail(
            err, BL_E_ARG,
            "'%s' holds the %zu models of a k-fold job; explain takes one: give "
            "--model %s/xgboost-model-0 (the job's own attributions.h5 is out of fold)",
            apply->model, saved->n_models, apply->model);
    if (st == BL_OK)
        st = bli_saved_rows(apply, saved, &stages.limits, &matrix, err);
    if (st == BL_OK)
        st = make_job(apply, saved, &stages.job, err);
    if (st == BL_OK) {
        stages.schema = saved->schema;
        stages.model = saved->models[0];
        stages.data[DATA_TRAIN] = matrix;
        st = write_all(&stages, matrix, err);
    }
    bli_job_free(stages.job);
    bli_matrix_free(matrix);
    bli_saved_free(saved);
    return st;
}
