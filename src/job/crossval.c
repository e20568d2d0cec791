/* SPDX-License-Identifier: Apache-2.0 */
/*
 * k-fold cross-validation: train + validation rows together, each fold's model measured
 * on the rows it has not seen; predictions and attributions of a row come from the models
 * it was held out of, averaged over repeats.
 */
#include "job/job_priv.h"

#include "base/mem.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void crossval_done(bl_crossval *cv)
{
    for (size_t i = 0; i < cv->n_models; i++) {
        bli_final_model_done(&cv->models[i]);
        bli_training_free(cv->trainings[i]);
    }
    free(cv->models);
    free(cv->trainings);
    free(cv->fold);
    free(cv->margins);
    free(cv->predictions);
    free(cv->confidence);
    free(cv->votes);
}

static bl_status crossval_new(const bl_stages *stages, bl_crossval *cv, bl_err *err)
{
    const bl_job *job = stages->job;
    void *models, *trainings, *fold;
    cv->n_folds = (size_t)job->kfold;
    cv->n_repeats = (size_t)job->num_cv_round;
    size_t n = cv->n_folds * cv->n_repeats, n_cells;
    if (!bli_mul(cv->n_repeats, (size_t)cv->matrix->n_rows, &n_cells))
        return bli_fail(err, BL_E_NOMEM, "no memory for folds");
    bl_status st = bli_alloc(n, sizeof(bl_final_model), "fold models", &models, err);
    if (st != BL_OK)
        return st;
    cv->models = models;
    st = bli_alloc(n, sizeof(bl_training *), "fold models", &trainings, err);
    if (st != BL_OK)
        return st;
    cv->trainings = trainings;
    st = bli_alloc(n_cells, sizeof(uint32_t), "folds", &fold, err);
    if (st == BL_OK)
        cv->fold = fold;
    return st;
}

static bl_status new_sums(const bl_forest *forest, const bl_job *job, bl_crossval *cv,
                          bl_err *err)
{
    size_t n = (size_t)cv->matrix->n_rows;
    bl_task task = bli_objective_task(job->objective);
    void *margins, *predictions, *confidence, *votes;
    cv->n_outputs = forest->n_outputs;
    cv->n_predictions = bli_forest_n_predictions(forest);
    cv->n_classes = task == BL_TASK_BINARY    ? 2
                    : task == BL_TASK_CLASSES ? forest->n_outputs
                                              : 0;
    bl_status st = bli_alloc(n * cv->n_outputs, sizeof(float), "margins", &margins, err);
    if (st != BL_OK)
        return st;
    cv->margins = margins;
    st =
        bli_alloc(n * cv->n_predictions, sizeof(float), "predictions", &predictions, err);
    if (st != BL_OK)
        return st;
    cv->predictions = predictions;
    st = bli_alloc(n, sizeof(double), "predictions", &confidence, err);
    if (st != BL_OK)
        return st;
    cv->confidence = confidence;
    st = bli_alloc(n * (cv->n_classes ? cv->n_classes : 1), sizeof(uint32_t), "votes",
                   &votes, err);
    if (st == BL_OK)
        cv->votes = votes;
    return st;
}

/* The class a row's prediction says, and its probability (binary: that of class 1; raw
 * scores and classes as they are). */
static size_t predicted_class(const bl_crossval *cv, const bl_scored *scored,
                              uint64_t row, double *ret_confidence)
{
    const float *margin = scored->margins + row * scored->n_outputs;
    if (cv->n_classes == 2 && scored->n_outputs == 1) {
        float value = scored->predictions[row];
        *ret_confidence = (double)value;
        return strcmp(scored->objective, "binary:logitraw") == 0 ? value > 0
                                                                 : value > 0.5F;
    }
    size_t best = 0;
    for (size_t k = 1; k < scored->n_outputs; k++)
        if (margin[k] > margin[best])
            best = k;
    double sum = 0;
    for (size_t k = 0; k < scored->n_outputs; k++)
        sum += exp((double)margin[k] - (double)margin[best]);
    *ret_confidence = 1 / sum;
    return best;
}

/* Predictions of the held-out rows, added to what earlier repeats left there. */
static bl_status add_held_out(const bl_stages *stages, bl_crossval *cv,
                              const bl_final_model *model, const bl_matrix *held,
                              const uint64_t *row, bl_err *err)
{
    bl_status st = BL_OK;
    if (!cv->votes)
        st = new_sums(model->forest, stages->job, cv, err);
    bl_scores scores = {0};
    if (st == BL_OK)
        st = bli_scores_make(stages, model, held, &scores, err);
    if (st != BL_OK)
        return st;
    size_t n_outputs = cv->n_outputs, n_predictions = cv->n_predictions;
    float share = 1.0F / (float)cv->n_repeats;
    for (uint64_t i = 0; i < held->n_rows; i++) {
        for (size_t k = 0; k < n_outputs; k++)
            cv->margins[row[i] * n_outputs + k] +=
                share * scores.margins[i * n_outputs + k];
        for (size_t k = 0; k < n_predictions; k++)
            cv->predictions[row[i] * n_predictions + k] +=
                share * scores.predictions[i * n_predictions + k];
        if (!cv->n_classes)
            continue;
        double confidence;
        size_t class_index = predicted_class(cv, &scores.scored, i, &confidence);
        cv->votes[row[i] * cv->n_classes + class_index]++;
        cv->confidence[row[i]] += confidence / (double)cv->n_repeats;
    }
    bli_scores_done(&scores);
    return BL_OK;
}

static bl_status run_fold(bl_stages *stages, bl_crossval *cv, size_t repeat, size_t f,
                          bl_err *err)
{
    const bl_matrix *matrix = cv->matrix;
    const uint32_t *fold = cv->fold + repeat * matrix->n_rows;
    size_t i = repeat * cv->n_folds + f;
    uint64_t *kept_row = NULL, *held_row = NULL, n_kept = 0, n_held = 0;
    bl_matrix *kept = NULL, *held = NULL;
    bli_log(stages->log, BL_INFO, "fold", "fold %zu of %zu, repeat %zu of %zu", f + 1,
            cv->n_folds, repeat + 1, cv->n_repeats);
    bl_status st =
        bli_fold_rows(fold, matrix->n_rows, (uint32_t)f, false, &kept_row, &n_kept, err);
    if (st == BL_OK)
        st = bli_fold_rows(fold, matrix->n_rows, (uint32_t)f, true, &held_row, &n_held,
                           err);
    if (st == BL_OK)
        st = bli_matrix_take_rows(matrix, kept_row, n_kept, &kept, err);
    if (st == BL_OK)
        st = bli_matrix_take_rows(matrix, held_row, n_held, &held, err);
    if (st == BL_OK)
        st = bli_stage_train(stages, kept, held, (int64_t)i, &cv->trainings[i], err);
    if (st == BL_OK && cv->trainings[i]->interrupted)
        st = bli_fail(err, BL_E_CANCELLED, "stopped by a signal in fold %zu of %zu",
                      f + 1, cv->n_folds);
    char name[64];
    snprintf(name, sizeof name, "xgboost-model-%zu", i);
    if (st == BL_OK)
        st = bli_model_finish(stages, cv->trainings[i], name, &cv->models[i], err);
    if (st == BL_OK)
        st = add_held_out(stages, cv, &cv->models[i], held, held_row, err);
    cv->n_models = i + 1;
    bli_matrix_free(kept);
    bli_matrix_free(held);
    free(kept_row);
    free(held_row);
    return st;
}

/* "[100]\ttrain-auc:0.81\tvalidation-auc:0.78": means of the last values over models
 * [first, last). */
static bl_status report_line(const bl_stages *stages, const bl_crossval *cv, size_t first,
                             size_t last, bl_err *err)
{
    const bl_training *one = cv->trainings[first];
    bl_buf line = {0};
    bli_buf_printf(&line, "[%" PRId64 "]", stages->job->num_round);
    for (size_t h = 0; h < one->n_histories; h++) {
        double sum = 0;
        for (size_t i = first; i < last; i++) {
            const bl_metric_history *history = &cv->trainings[i]->histories[h];
            sum += history->values[history->n_rounds - 1];
        }
        bli_buf_printf(&line, "\t%s-%s:%.5f", one->histories[h].data,
                       one->histories[h].metric, sum / (double)(last - first));
    }
    bli_buf_char(&line, '\n');
    bl_status st = bli_buf_check(&line, "a report line", err);
    if (st == BL_OK)
        stages->run->metric_line(stages->run->cookie, line.data);
    bli_buf_done(&line);
    return st;
}

static bl_status run_folds(bl_stages *stages, bl_crossval *cv, bl_err *err)
{
    bl_status st = BL_OK;
    for (size_t repeat = 0; st == BL_OK && repeat < cv->n_repeats; repeat++) {
        st = bli_folds_draw(stages->job, cv->matrix, repeat,
                            cv->fold + repeat * cv->matrix->n_rows, err);
        for (size_t f = 0; st == BL_OK && f < cv->n_folds; f++)
            st = run_fold(stages, cv, repeat, f, err);
        if (st == BL_OK)
            st = report_line(stages, cv, repeat * cv->n_folds, (repeat + 1) * cv->n_folds,
                             err);
    }
    if (st == BL_OK && cv->n_repeats > 1)
        st = report_line(stages, cv, 0, cv->n_models, err);
    return st;
}

bl_status bli_cross_validate(bl_stages *stages, bl_err *err)
{
    bl_crossval cv = {0};
    bl_status st = BL_OK;
    if (stages->data[DATA_VALIDATION])
        st = bli_matrix_append(&stages->data[DATA_TRAIN], &stages->data[DATA_VALIDATION],
                               &stages->data[DATA_TRAIN], err);
    cv.matrix = stages->data[DATA_TRAIN];
    if (st == BL_OK)
        st = crossval_new(stages, &cv, err);
    if (st == BL_OK)
        st = run_folds(stages, &cv, err);
    if (st == BL_OK)
        bli_giveup_end(stages);
    if (st == BL_OK)
        st = bli_crossval_write(stages, &cv, err);
    crossval_done(&cv);
    return st;
}
