/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.json of one training: every data set scored by the model that was written. */
#include "job/job_priv.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bl_status bli_histories_of(const bl_training *training, bl_history **ret_histories,
                           bl_err *err)
{
    void *block;
    bl_status st = bli_alloc(training->n_histories, sizeof(bl_history),
                             "metric histories", &block, err);
    if (st != BL_OK)
        return st;
    bl_history *histories = block;
    for (size_t i = 0; i < training->n_histories; i++) {
        const bl_metric_history *from = &training->histories[i];
        histories[i] = (bl_history){.data = from->data,
                                    .metric = from->metric,
                                    .n_rounds = from->n_rounds,
                                    .values = from->values};
    }
    *ret_histories = histories;
    return BL_OK;
}

/* Margins that are there already are not made again. */
static bl_status score(bl_stages *stages, const bl_matrix *matrix, bl_scores *ret_scores,
                       bl_err *err)
{
    if (!stages->margins)
        return bli_scores_make(stages, &stages->model, matrix, ret_scores, err);
    bl_status st = bli_scores_from_margins(stages, stages->model.forest, matrix,
                                           stages->margins, ret_scores, err);
    if (st == BL_OK)
        stages->margins = NULL;
    return st;
}

static bl_status score_channels(bl_stages *stages,
                                bl_attribution *const attributions[N_DATA],
                                bl_scores scores[N_DATA],
                                bl_channel_report reports[N_DATA], size_t *ret_n,
                                bl_err *err)
{
    bl_status st = BL_OK;
    size_t n = 0;
    for (int data = 0; st == BL_OK && data < N_DATA; data++) {
        if (!stages->data[data])
            continue;
        st = score(stages, stages->data[data], &scores[data], err);
        reports[n++] = (bl_channel_report){.channel = stages->data_names[data],
                                           .scored = &scores[data].scored,
                                           .attribution = attributions[data]};
    }
    *ret_n = n;
    return st;
}

bl_status bli_stage_metrics(bl_stages *stages, bl_attribution *const attributions[N_DATA],
                            bl_err *err)
{
    /* None where a saved model is applied. */
    static const bl_training untrained = {.best_iteration = -1,
                                          .best_score = (double)NAN};
    const bl_training *training = stages->training ? stages->training : &untrained;
    const bl_forest *forest = stages->model.forest;
    size_t first = stages->model.first_round, n_used = stages->model.n_rounds;
    bl_scores scores[N_DATA] = {{{0}, NULL, NULL}};
    bl_channel_report reports[N_DATA];
    bl_metrics_report report = {
        .objective = stages->job->objective,
        .n_histories = training->n_histories,
        .channels = reports,
        .best_iteration = training->best_iteration,
        .best_score = training->best_score,
        .n_rounds = stages->training ? training->n_rounds : forest->n_rounds,
        .n_rounds_used = n_used - first,
        .n_trees_used = forest->round_first
                            ? forest->round_first[n_used] - forest->round_first[first]
                            : 0,
        .n_outputs = forest->n_outputs,
        .base_values = bli_explainer_base_values(stages->model.explainer)};
    bl_history *histories = NULL;
    char *path = NULL;
    bl_status st = bli_histories_of(training, &histories, err);
    report.histories = histories;
    if (st == BL_OK)
        st = score_channels(stages, attributions, scores, reports, &report.n_channels,
                            err);
    if (st == BL_OK)
        st = bli_output_data_path(stages->job, "metrics.json", &path, err);
    if (st == BL_OK)
        st = bli_metrics_write(path, &report, err);
    for (int data = 0; data < N_DATA; data++)
        bli_scores_done(&scores[data]);
    free(histories);
    free(path);
    return st;
}

void bli_say_importances(const bl_stages *stages, const bl_attribution *attribution)
{
    bl_buf bars = {0};
    bli_importance_bars(stages->schema, attribution, 10, &bars);
    if (bli_buf_check(&bars, "the summary", NULL) == BL_OK && bars.n)
        for (char *rest = bars.data, *line; (line = strsep(&rest, "\n"));)
            if (*line)
                bli_log(stages->log, BL_INFO, "importance", "%s", line);
    bli_buf_done(&bars);
}
