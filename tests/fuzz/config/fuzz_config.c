/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration of a job as bytes: hyperparameters.json, inputdataconfig.json,
 * resourceconfig.json and checkpointconfig.json, one after the other with a line "%%" between
 * them; a file that is not there at the end is absent. Whatever they hold, a job or one sentence
 * comes back.
 */
#include "contract/contract_priv.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes up to the next separator. */
static bl_config_text next_file(const char **at, const char *end)
{
    static const char separator[] = "\n%%\n";
    bl_config_text file = {NULL, 0};
    if (!*at)
        return file;
    const char *found = memmem(*at, (size_t)(end - *at), separator, sizeof separator - 1);
    file = (bl_config_text){*at, (size_t)((found ? found : end) - *at)};
    *at = found ? found + sizeof separator - 1 : NULL;
    return file;
}

static void check_job(const bl_job *job)
{
    if (job->num_round < 1 || !job->objective || !job->booster || !job->tree_method ||
        !job->channels[BL_CHANNEL_TRAIN].present)
        abort();
    for (size_t i = 0; i < job->n_xgboost; i++)
        if (!job->xgboost_names[i][0] || !job->xgboost_texts[i])
            abort();
    for (size_t i = 0; i < job->n_params; i++)
        if (bli_job_param(job, job->params[i].def->name) != job->params[i].text)
            abort();
    for (size_t i = 0; i < job->n_metrics; i++)
        if (bli_metric_is_custom(job->metrics[i].name) !=
            (job->metrics[i].maker == BL_METRIC_CUSTOM))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *at = (const char *)data, *end = at + size;
    bl_config_texts texts = {.job_name = "fuzz"};
    bl_job *job = NULL;
    bl_err err = {0};
    texts.hyperparameters = next_file(&at, end);
    texts.input_data = next_file(&at, end);
    texts.resource = next_file(&at, end);
    texts.checkpoint = next_file(&at, end);
    bl_status st = bli_job_parse("/no/such/root", &texts, NULL, &job, &err);
    if (st == BL_OK)
        check_job(job);
    else if (job || !err.msg[0] || err.status != st)
        abort();
    bli_job_free(job);
    return 0;
}
