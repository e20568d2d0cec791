/* SPDX-License-Identifier: Apache-2.0 */
/* What XGBoost takes on trust. */
#include "train/train_priv.h"

#include <ctype.h>
#include <string.h>

static size_t count_numbers(const char *text)
{
    size_t n = 0;
    bool inside = false;
    for (; *text; text++) {
        bool part = isdigit((unsigned char)*text) || strchr(".eE+-", *text);
        if (part && !inside)
            n++;
        inside = part;
    }
    return n;
}

size_t bli_job_n_outputs(const bl_job *job, const bl_matrix *matrix)
{
    if (!strncmp(job->objective, "multi:", 6))
        return job->num_class > 0 ? (size_t)job->num_class : 1;
    const char *alphas = NULL;
    if (!strcmp(job->objective, "reg:quantileerror"))
        alphas = bli_job_param(job, "quantile_alpha");
    else if (!strcmp(job->objective, "reg:expectileerror"))
        alphas = bli_job_param(job, "expectile_alpha");
    if (alphas && count_numbers(alphas))
        return count_numbers(alphas);
    return matrix->roles.n_labels > 1 ? matrix->roles.n_labels : 1;
}

bl_status bli_check_matrix(const bl_job *job, const bl_matrix *matrix, bool is_train,
                           const bl_log *log, bl_err *err)
{
    (void)job;
    (void)is_train;
    (void)log;
    if (!matrix->n_rows || !matrix->n_features)
        return bli_fail(err, BL_E_DATA, "the data has no rows");
    return BL_OK;
}

bl_status bli_check_settings(const bl_train_input *input, bl_err *err)
{
    (void)input;
    (void)err;
    return BL_OK;
}
