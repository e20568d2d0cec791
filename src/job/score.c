/* SPDX-License-Identifier: Apache-2.0 */
/* Margins and predictions of a data set by the model that was written. */
#include "job/job_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static int64_t classes_of(const bl_job *job)
{
    if (job->num_class > 1)
        return job->num_class;
    return bli_objective_task(job->objective) == BL_TASK_BINARY ? 2 : 0;
}

void bli_scored_settings(const bl_stages *stages, bl_scored *scored)
{
    const char *power = bli_job_param(stages->job, "tweedie_variance_power");
    const char *exponential = bli_job_param(stages->job, "ndcg_exp_gain");
    scored->n_quantiles = stages->n_quantiles;
    scored->quantiles = stages->quantiles;
    if (!power ||
        bli_read_double(power, strlen(power), &scored->tweedie_power) != BL_NUMBER_OK)
        scored->tweedie_power = 1.5; /* XGBoost's default, for a saved model */
    scored->linear_gain = exponential && (strcmp(exponential, "false") == 0 ||
                                          strcmp(exponential, "0") == 0);
}

bl_status bli_stage_quantiles(bl_stages *stages, bl_err *err)
{
    static const char marks[] = "[]() ,\t";
    const char *text = bli_job_param(stages->job, "quantile_alpha");
    if (!text)
        return BL_OK;
    void *block;
    bl_status st = bli_alloc(strlen(text), sizeof(double), "quantiles", &block, err);
    if (st != BL_OK)
        return st;
    stages->quantiles = block;
    for (text += strspn(text, marks); *text; text += strspn(text, marks)) {
        size_t n = strcspn(text, marks);
        if (bli_read_double(text, n, &stages->quantiles[stages->n_quantiles]) ==
            BL_NUMBER_OK)
            stages->n_quantiles++;
        text += n;
    }
    return BL_OK;
}

bl_status bli_scores_from_margins(const bl_stages *stages, const bl_forest *forest,
                                  const bl_matrix *matrix, float *take_margins,
                                  bl_scores *ret_scores, bl_err *err)
{
    size_t n_predictions = bli_forest_n_predictions(forest), n;
    void *predictions;
    if (!bli_mul((size_t)matrix->n_rows, n_predictions, &n))
        return bli_fail(err, BL_E_NOMEM, "no memory for predictions");
    bl_status st = bli_alloc(n, sizeof(float), "predictions", &predictions, err);
    if (st != BL_OK)
        return st;
    bli_forest_transform(forest, take_margins, matrix->n_rows, predictions);
    *ret_scores = (bl_scores){.margins = take_margins, .predictions = predictions};
    ret_scores->scored = (bl_scored){.n_rows = matrix->n_rows,
                                     .n_outputs = forest->n_outputs,
                                     .n_predictions = n_predictions,
                                     .margins = take_margins,
                                     .predictions = predictions,
                                     .labels = matrix->roles.labels,
                                     .n_labels = matrix->roles.n_labels,
                                     .weights = matrix->roles.weights,
                                     .roles = &matrix->roles,
                                     .objective = stages->job->objective,
                                     .n_classes = classes_of(stages->job)};
    bli_scored_settings(stages, &ret_scores->scored);
    return BL_OK;
}

bl_status bli_scores_make(const bl_stages *stages, const bl_final_model *model,
                          const bl_matrix *matrix, bl_scores *ret_scores, bl_err *err)
{
    size_t n;
    void *margins;
    if (!bli_mul((size_t)matrix->n_rows, model->forest->n_outputs, &n))
        return bli_fail(err, BL_E_NOMEM, "no memory for margins");
    bl_status st = bli_alloc(n, sizeof(float), "margins", &margins, err);
    if (st == BL_OK) {
        st = bli_predict_matrix(model->forest, model->first_round, model->n_rounds,
                                matrix, stages->n_threads, margins, err);
        if (st == BL_OK)
            st = bli_scores_from_margins(stages, model->forest, matrix, margins,
                                         ret_scores, err);
        if (st != BL_OK)
            free(margins);
    }
    return st;
}

void bli_scores_done(bl_scores *scores)
{
    free(scores->margins);
    free(scores->predictions);
    *scores = (bl_scores){0};
}
