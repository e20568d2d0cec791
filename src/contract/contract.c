/* SPDX-License-Identifier: Apache-2.0 */
/* The job from its files: read, check, fill in. */
#include "contract/contract.h"

#include "contract/contract_priv.h"

#include "base/fs.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void bli_job_free(bl_job *job)
{
    if (!job)
        return;
    free(job->root);
    free(job->model_dir);
    free(job->output_data_dir);
    free(job->failure_path);
    free(job->checkpoint_dir);
    free(job->job_name);
    for (size_t i = 0; i < BL_N_CHANNELS; i++) {
        free(job->channels[i].path);
        free(job->channels[i].content_type);
    }
    for (size_t i = 0; i < job->n_params; i++)
        free(job->params[i].text);
    free(job->params);
    for (size_t i = 0; i < job->n_metrics; i++)
        free(job->metrics[i].name);
    free(job->metrics);
    free(job->early_stopping_metric);
    bli_read_settings_done(&job->read);
    for (size_t i = 0; i < job->n_xgboost; i++) {
        free(job->xgboost_names[i]);
        free(job->xgboost_texts[i]);
    }
    free(job->xgboost_names);
    free(job->xgboost_texts);
    free(job);
}

bl_status bli_failure_path(const char *root, char **ret_path, bl_err *err)
{
    return bli_path_join(root, "output/failure", ret_path, err);
}

const char *bli_job_param(const bl_job *job, const char *name)
{
    const bl_param_def *def = bli_param_find(name);
    for (size_t i = 0; def && i < job->n_params; i++)
        if (job->params[i].def == def)
            return job->params[i].text;
    return def && def->default_text[0] ? def->default_text : NULL;
}

static bl_status set_places(bl_job *job, const char *root, const char *job_name,
                            bl_err *err)
{
    bl_status st = bli_strdup(root, &job->root, err);
    if (st == BL_OK)
        st = bli_path_join(root, "model", &job->model_dir, err);
    if (st == BL_OK)
        st = bli_path_join(root, "output/data", &job->output_data_dir, err);
    if (st == BL_OK)
        st = bli_failure_path(root, &job->failure_path, err);
    if (st == BL_OK && job_name && *job_name)
        st = bli_strdup(job_name, &job->job_name, err);
    return st;
}

/* What code asks for by type; checks come later. */
static void set_typed(bl_job *job, const bl_values *values)
{
    const char *explain = bli_choice_or_default(values, "bl_explain");
    job->objective = bli_choice_or_default(values, "objective");
    job->booster = bli_choice_or_default(values, "booster");
    job->tree_method = bli_effective_method(values);
    job->num_round = bli_int_or_default(values, "num_round");
    job->early_stopping_rounds = bli_int_or_default(values, "early_stopping_rounds");
    job->nthread = bli_int_or_default(values, "nthread");
    if (job->nthread < 0)
        job->nthread = 0;
    job->seed = bli_int_or_default(values, "seed");
    job->kfold = bli_int_or_default(values, "_kfold");
    job->num_cv_round = bli_int_or_default(values, "_num_cv_round");
    job->max_bin = bli_int_or_default(values, "max_bin");
    if (strncmp(job->objective, "multi:", 6) == 0)
        job->num_class = bli_int_or_default(values, "num_class");
    job->save_model_on_termination =
        bli_bool_or_default(values, "save_model_on_termination");
    job->checkpoint_seconds = bli_int_or_default(values, "bl_checkpoint_seconds");
    job->checkpoint_keep = bli_int_or_default(values, "bl_checkpoint_keep");
    job->checkpoint_foreign =
        strcmp(bli_choice_or_default(values, "bl_checkpoint_foreign"), "use") == 0;
    job->explain = strcmp(explain, "train") == 0        ? BL_EXPLAIN_TRAIN
                   : strcmp(explain, "validation") == 0 ? BL_EXPLAIN_VALIDATION
                   : strcmp(explain, "both") == 0       ? BL_EXPLAIN_BOTH
                                                        : BL_EXPLAIN_NONE;
    job->explain_rows = bli_int_or_default(values, "bl_explain_rows");
    job->explain_data = bli_bool_or_default(values, "bl_explain_data");
    job->portable_model =
        strcmp(bli_choice_or_default(values, "bl_model_format"), "portable") == 0;
    job->compress = strcmp(bli_choice_or_default(values, "bl_compress"), "gzip") == 0;
}

static int compare_params(const void *a, const void *b)
{
    return strcmp(((const bl_param *)a)->def->name, ((const bl_param *)b)->def->name);
}

/* One text for one meaning, so that nobody below parses what people type: what XGBoost is told, a
 * choice as it is listed, and for the rest what was given. */
static bl_status param_text(const bl_job *job, const bl_value *value, char **ret_text,
                            bl_err *err)
{
    const char *text = value->choice ? value->choice : value->text;
    for (size_t i = 0; i < job->n_xgboost; i++)
        if (strcmp(job->xgboost_names[i], value->def->name) == 0)
            text = job->xgboost_texts[i];
    return bli_strdup(text, ret_text, err);
}

static bl_status set_params(bl_job *job, const bl_values *values, bl_err *err)
{
    void *array;
    bl_status st = bli_alloc(BL_N_PARAMS, sizeof(bl_param), "parameters", &array, err);
    if (st != BL_OK)
        return st;
    job->params = array;
    for (size_t i = 0; st == BL_OK && i < BL_N_PARAMS; i++) {
        const bl_value *value = &values->value[i];
        if (!value->def)
            continue;
        bl_param *param = &job->params[job->n_params++];
        *param = (bl_param){.def = value->def, .source = "hyperparameters.json"};
        st = param_text(job, value, &param->text, err);
    }
    qsort(job->params, job->n_params, sizeof *job->params, compare_params);
    return st;
}

static bl_status check_stopping(bl_job *job, const bl_values *values, const bl_log *log,
                                bl_err *err)
{
    if (job->early_stopping_rounds == 0)
        return BL_OK;
    if (!job->early_stopping_metric && job->n_metrics == 0 &&
        bli_bool_or_default(values, "disable_default_eval_metric"))
        return bli_fail(
            err, BL_E_CONFIG,
            "early_stopping_rounds is given, and with disable_default_eval_metric "
            "and no eval_metric there is no metric to stop by");
    /* A plan may set rows aside; then the job says so. */
    bool planned = bli_given(values, "bl_preprocess") != NULL;
    if (!job->channels[BL_CHANNEL_VALIDATION].present && job->kfold == 0 && !planned) {
        bli_log(
            log, BL_WARNING, BL_STAGE,
            "early_stopping_rounds needs channel validation, which this job has not: all "
            "%lld rounds are trained",
            (long long)job->num_round);
        job->early_stopping_rounds = 0;
    }
    return BL_OK;
}

static bl_status apply(bl_job *job, const bl_values *values, const bl_log *log,
                       bl_err *err)
{
    if (!bli_given(values, "num_round"))
        return bli_fail(
            err, BL_E_CONFIG,
            "num_round is missing: the number of rounds, a whole number, 1 or more, "
            "is required");
    set_typed(job, values);
    bl_status st = bli_columns_read(values, &job->read, err);
    if (st == BL_OK)
        st = bli_rules_check(values, job, log, err);
    if (st == BL_OK)
        st = bli_metrics_read(values, log, job, err);
    if (st == BL_OK)
        st = check_stopping(job, values, log, err);
    if (st == BL_OK)
        st = bli_told_make(values, job, err);
    if (st != BL_OK)
        return st;
    bli_rules_note_unused(values, job, log);
    return set_params(job, values, err);
}

bl_status bli_job_parse(const char *root, const bl_config_texts *texts, const bl_log *log,
                        bl_job **ret_job, bl_err *err)
{
    void *fresh;
    bl_values *values = NULL;
    bl_status st = bli_alloc(1, sizeof(bl_job), "a job", &fresh, err);
    if (st != BL_OK)
        return st;
    bl_job *job = fresh;
    st = set_places(job, root, texts->job_name, err);
    if (st == BL_OK)
        st = bli_resources_read(&texts->resource, job, err);
    if (st == BL_OK)
        st = bli_hyperparameters_read(&texts->hyperparameters, root, log, &values, err);
    if (st == BL_OK)
        st = bli_channels_read(&texts->input_data, root, log, job->channels, err);
    if (st == BL_OK)
        st = bli_checkpoint_read(&texts->checkpoint, job, err);
    if (st == BL_OK) {
        st = apply(job, values, log, err);
        if (st == BL_E_CONFIG || st == BL_E_LIMIT)
            bli_err_prefix(err, "hyperparameters.json");
    }
    bli_values_free(values);
    if (st != BL_OK) {
        bli_job_free(job);
        return st;
    }
    *ret_job = job;
    return BL_OK;
}

/* --- Files -------------------------------------------------------------------------- */

static bl_status load(const char *root, const char *name, bl_buf *buf,
                      bl_config_text *text, bl_err *err)
{
    char below[64];
    char *path;
    snprintf(below, sizeof below, "input/config/%s", name);
    bl_status st = bli_path_join(root, below, &path, err);
    if (st != BL_OK)
        return st;
    if (bli_exists(path)) {
        st = bli_read_file(path, bli_limits().config_bytes, buf, err);
        if (st == BL_OK)
            *text = (bl_config_text){buf->data, buf->n};
    }
    free(path);
    return st;
}

bl_status bli_job_read(const char *root, const bl_log *log, bl_job **ret_job, bl_err *err)
{
    bl_buf bufs[4] = {{0}};
    bl_config_texts texts = {.job_name = getenv("TRAINING_JOB_NAME")};
    bl_job *job = NULL;
    bl_status st =
        load(root, "hyperparameters.json", &bufs[0], &texts.hyperparameters, err);
    if (st == BL_OK)
        st = load(root, "inputdataconfig.json", &bufs[1], &texts.input_data, err);
    if (st == BL_OK)
        st = load(root, "resourceconfig.json", &bufs[2], &texts.resource, err);
    if (st == BL_OK)
        st = load(root, "checkpointconfig.json", &bufs[3], &texts.checkpoint, err);
    if (st == BL_OK)
        st = bli_job_parse(root, &texts, log, &job, err);
    for (size_t i = 0; i < BL_LEN(bufs); i++)
        bli_buf_done(&bufs[i]);
    if (st == BL_OK)
        st = bli_channels_check_folders(job, log, err);
    if (st != BL_OK) {
        bli_job_free(job);
        return st;
    }
    *ret_job = job;
    return BL_OK;
}
