/* SPDX-License-Identifier: Apache-2.0 */
/* From XGBoost's bytes to the file a user gets, and the forest that is read back from it.
 */
#include "job/job_priv.h"

#include "base/fs.h"

#include <stdlib.h>

void bli_final_model_done(bl_final_model *model)
{
    bli_buf_done(&model->portable.bytes);
    bli_explainer_free(model->explainer);
    bli_forest_free(model->forest);
    *model = (bl_final_model){0};
}

static void say_what_was_written(const bl_stages *stages, const bl_portable *portable)
{
    if (portable->folded)
        bli_log(stages->log, BL_INFO, "model",
                "the outputs' different intercepts were added to each output's first "
                "tree, so "
                "that every XGBoost from %s on predicts the same margins",
                portable->oldest);
    if (!portable->fully && stages->job->portable_model)
        bli_log(stages->log, BL_WARNING, "model",
                "this model is read right only by XGBoost %s and later: %s",
                portable->oldest, portable->reason);
    else if (!portable->fully)
        bli_log(stages->log, BL_NOTE, "model",
                "bl_model_format=native: read right by XGBoost %s and later: %s",
                portable->oldest, portable->reason);
}

static bl_status write_model(const bl_stages *stages, const char *file_name,
                             const bl_buf *bytes, bl_err *err)
{
    char *path = NULL;
    bl_status st = bli_make_folder(stages->job->model_dir, 0755, err);
    if (st == BL_OK)
        st = bli_path_join(stages->job->model_dir, file_name, &path, err);
    if (st == BL_OK)
        st = bli_write_file(path, 0644, bytes->data, bytes->n, err);
    free(path);
    return st;
}

bl_status bli_model_finish(const bl_stages *stages, const bl_training *training,
                           const char *file_name, bl_final_model *ret_model, bl_err *err)
{
    bl_final_model model = {0};
    bool unfolded =
        stages->data[DATA_TRAIN] && stages->data[DATA_TRAIN]->roles.base_margins;
    bl_status st = stages->job->portable_model && unfolded
                       ? bli_portable_write_unfolded(training->ubj, training->n_ubj,
                                                     stages->schema, &model.portable, err)
                   : stages->job->portable_model
                       ? bli_portable_write(training->ubj, training->n_ubj,
                                            stages->schema, &model.portable, err)
                       : bli_native_write(training->ubj, training->n_ubj, stages->schema,
                                          &model.portable, err);
    const bl_buf *bytes = &model.portable.bytes;
    if (st == BL_OK)
        st = bli_digest_bytes(bytes->data, bytes->n, model.sha256, err);
    if (st == BL_OK)
        st = bli_forest_read(bytes->data, bytes->n, &stages->limits, stages->log,
                             &model.forest, err);
    if (st == BL_OK) {
        model.n_rounds = bli_forest_rounds(model.forest);
        st = bli_explainer_new(model.forest, 0, model.n_rounds, &model.explainer, err);
    }
    if (st == BL_OK)
        st = write_model(stages, file_name, bytes, err);
    if (st != BL_OK) {
        bli_final_model_done(&model);
        return st;
    }
    say_what_was_written(stages, &model.portable);
    *ret_model = model;
    return BL_OK;
}
