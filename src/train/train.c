/* SPDX-License-Identifier: Apache-2.0 */
/* A training from matrices to model bytes: rounds, early stopping, the cut, saving. */
#include "train/train.h"

#include "base/mem.h"
#include "base/text.h"
#include "train/train_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef bl_train_run run;

static void run_done(run *r)
{
    XGBoosterFree(r->booster);
    for (size_t i = 0; i < r->metrics.n_sets; i++)
        if (r->metrics.sets[i].handle)
            XGDMatrixFree(r->metrics.sets[i].handle);
    bli_metrics_done(&r->metrics);
    bli_buf_done(&r->best_model);
    bli_buf_done(&r->foreign);
    bli_ckpt_done(&r->resumed);
    bli_training_free(r->training);
}

/* --- Opening ------------------------------------------------------------------------ */

static bl_status open_sets(run *r, bl_err *err)
{
    const bl_train_input *in = r->input;
    bl_matrix *matrices[BL_MAX_SETS] = {in->train, in->validation};
    static const char *const names[BL_MAX_SETS] = {"train", "validation"};
    for (size_t i = 0; i < BL_MAX_SETS && matrices[i]; i++) {
        bl_watch *w = &r->metrics.sets[i];
        *w = (bl_watch){.name = names[i], .matrix = matrices[i]};
        r->metrics.n_sets = i + 1;
        if (bli_run_is_over(r))
            continue; /* nothing will be trained on it */
        bl_status st = bli_xgb_matrix(in, w->matrix, i ? r->metrics.sets[0].handle : NULL,
                                      &w->handle, err);
        if (st != BL_OK)
            return st;
    }
    return BL_OK;
}

static bl_status start_from_foreign(run *r, bl_err *err)
{
    const bl_train_input *in = r->input;
    bl_status st = bli_xgb_start(in, r->foreign.data, r->foreign.n, r->booster,
                                 &r->first_round, err);
    bli_buf_done(&r->foreign);
    if (st != BL_OK) {
        bli_err_prefix(err, "checkpoint");
        return st;
    }
    if (in->start_model)
        bli_log(in->log, BL_NOTE, BL_STAGE,
                "the checkpoint comes before channel model, which is not used");
    r->after_foreign = true;
    r->n_wanted -= r->first_round;
    if (r->n_wanted < 1)
        return bli_fail(
            err, BL_E_CONFIG,
            "the checkpoint that boostlens did not write holds %d rounds, num_round is "
            "%lld: nothing is left to train; raise num_round, or leave "
            "bl_checkpoint_foreign out",
            r->first_round, (long long)in->job->num_round);
    return BL_OK;
}

static bl_status start_from_channel(run *r, bl_err *err)
{
    const bl_train_input *in = r->input;
    bl_status st = bli_xgb_start(in, in->start_model, in->n_start_model, r->booster,
                                 &r->first_round, err);
    if (st != BL_OK)
        bli_err_prefix(err, "model channel");
    return st;
}

static bl_status open_booster(run *r, bl_err *err)
{
    DMatrixHandle handles[BL_MAX_SETS];
    size_t n_handles = bli_run_is_over(r) ? 0 : r->metrics.n_sets;
    for (size_t i = 0; i < n_handles; i++)
        handles[i] = r->metrics.sets[i].handle;
    if (XGBoosterCreate(handles, n_handles, &r->booster))
        return bli_xgb_fail(err, "opening a booster");
    if (r->resume == BL_RESUME_OURS)
        return bli_run_restore(r, err);
    bl_status st = BL_OK;
    if (r->resume == BL_RESUME_FOREIGN)
        st = start_from_foreign(r, err);
    else if (r->input->start_model)
        st = start_from_channel(r, err);
    if (st == BL_OK)
        st = bli_xgb_params(r->input, r->booster, err);
    if (st == BL_OK)
        st = bli_xgb_names(r->input->train->schema, r->booster, err);
    return st;
}

static bool is_linear(const run *r)
{
    return !strcmp(r->input->job->booster, "gblinear");
}

static bool is_update(const run *r)
{
    const char *process = bli_job_param(r->input->job, "process_type");
    return process && !strcmp(process, "update");
}

static void decide_stopping(run *r)
{
    const bl_train_input *in = r->input;
    if (!in->job->early_stopping_rounds)
        return;
    if (!in->validation) {
        bli_log(
            in->log, BL_WARNING, BL_STAGE,
            "early_stopping_rounds has no effect without a validation channel: all %lld "
            "rounds are trained",
            (long long)in->job->num_round);
        return;
    }
    if (is_update(r)) {
        bli_log(in->log, BL_WARNING, BL_STAGE,
                "early_stopping_rounds has no effect with process_type=update: a model "
                "that is "
                "only partly updated cannot be cut");
        return;
    }
    r->stopping = true;
}

/* --- Rounds ------------------------------------------------------------------------- */

/* As Python's train: repr of the score, the round counted from the start model's first.
 */
static bl_status set_best(const run *r, BoosterHandle booster, bl_err *err)
{
    char score[BL_NUMBER_BYTES + 1], iteration[32];
    size_t n = bli_write_double(r->best_score, score);
    score[n] = '\0';
    snprintf(iteration, sizeof iteration, "%lld", (long long)r->best_iteration);
    if (XGBoosterSetAttr(booster, "best_score", score) ||
        XGBoosterSetAttr(booster, "best_iteration", iteration))
        return bli_xgb_fail(err, "recording the best round");
    return BL_OK;
}

/* NaN is no score: it neither improves nor counts as the first one. */
static bool improves(const run *r, double score)
{
    if (isnan(score) || !r->have_best)
        return !isnan(score);
    return r->maximise ? score > r->best_score : score < r->best_score;
}

/* ret_stop: that many rounds went by without strict improvement. */
static bl_status watch_best(run *r, int64_t round, bool *ret_stop, bl_err *err)
{
    const bl_metrics *m = &r->metrics;
    *ret_stop = false;
    if (!r->stopping || !m->n_metrics)
        return BL_OK;
    double score = m->values[(m->n_sets - 1) * m->n_metrics + m->watched];
    if (!r->have_best)
        r->maximise = bli_metric_is_maximised(m->names[m->watched]);
    if (improves(r, score)) {
        r->have_best = true;
        r->best_score = score;
        r->best_iteration = round;
        bl_status st = set_best(r, r->booster, err);
        /* A linear model changes its weights in place and cannot be cut afterwards. */
        if (st == BL_OK && is_linear(r))
            st = bli_xgb_save(r->booster, &r->best_model, err);
        return st;
    }
    *ret_stop =
        r->have_best && round - r->best_iteration >= r->input->job->early_stopping_rounds;
    return BL_OK;
}

static bl_status show_line(const run *r, int64_t round, bl_err *err)
{
    if (!r->metrics.n_metrics || !r->input->metric_line)
        return BL_OK;
    bl_buf line = {0};
    bl_status st = bli_metrics_line(&r->metrics, round, &line, err);
    if (st == BL_OK)
        r->input->metric_line(r->input->cookie, line.data);
    bli_buf_done(&line);
    return st;
}

static bl_status one_round(run *r, int i, bool *ret_stop, bl_err *err)
{
    int64_t round = r->first_round + i;
    /* XGBoost counts from 0 in each training, also when a model is continued: its ranking
     * objectives check that. */
    if (XGBoosterUpdateOneIter(r->booster, i, r->metrics.sets[0].handle))
        return bli_xgb_fail(err, "training");
    bl_status st = bli_metrics_round(&r->metrics, r->booster, round, err);
    if (st == BL_OK)
        st = show_line(r, round, err);
    if (st == BL_OK)
        st = watch_best(r, round, ret_stop, err);
    return st;
}

static bl_status all_rounds(run *r, bl_err *err)
{
    const bl_train_input *in = r->input;
    bl_training *t = r->training;
    bli_run_clock(r);
    for (int64_t i = (int64_t)t->n_rounds; i < r->n_wanted && !t->stopped_early; i++) {
        if (in->cancelled && in->cancelled(in->cookie)) {
            t->interrupted = true;
            break;
        }
        bl_status st = one_round(r, (int)i, &t->stopped_early, err);
        if (st != BL_OK)
            return st;
        t->n_rounds++;
        bli_progress(in->log, BL_STAGE, "rounds", t->n_rounds, (uint64_t)r->n_wanted);
        bli_run_checkpoint_if_due(r);
    }
    if (!t->n_rounds)
        return bli_fail(err, BL_E_CANCELLED, "stopped before one round was finished");
    bli_run_checkpoint_last(r);
    return BL_OK;
}

/* --- Closing ------------------------------------------------------------------------ */

/* Cuts the model to its best round. XGBoost's slice is a fresh booster: what hangs on it
 * is set again. */
static bl_status cut(run *r, bl_err *err)
{
    BoosterHandle best = NULL;
    int rc = XGBoosterSlice(r->booster, 0, (int)r->best_iteration + 1, 1, &best);
    if (rc)
        return rc == -2 ? bli_fail(err, BL_E_INTERNAL, "round %lld is not in the model",
                                   (long long)r->best_iteration)
                        : bli_xgb_fail(err, "cutting the model to its best round");
    XGBoosterFree(r->booster);
    r->booster = best;
    bl_status st = set_best(r, best, err);
    if (st == BL_OK)
        st = bli_xgb_names(r->input->train->schema, best, err);
    return st;
}

/* No split anywhere is a valid model and hardly ever a wanted one. */
static void note_no_split(const run *r)
{
    bst_ulong n, dim;
    const char **features;
    const bst_ulong *shape;
    const float *scores;
    if (is_linear(r) ||
        XGBoosterFeatureScore(r->booster, "{\"importance_type\": \"weight\"}", &n,
                              &features, &dim, &shape, &scores) ||
        n)
        return;
    bli_log(r->input->log, BL_WARNING, BL_STAGE,
            "no tree has a split, every row gets the same score: too few rows or "
            "features that "
            "never vary, or min_child_weight or gamma too large for these weights");
}

static bl_status finish(run *r, bl_err *err)
{
    bl_training *t = r->training;
    bl_buf model = {0};
    bl_status st = BL_OK;
    note_no_split(r);
    if (r->stopping && !r->have_best)
        bli_log(
            r->input->log, BL_WARNING, BL_STAGE,
            "early stopping found no number to follow, %s is nan in every round: all %zu "
            "rounds are kept",
            r->metrics.n_metrics ? r->metrics.names[r->metrics.watched] : "the metric",
            t->n_rounds);
    t->best_iteration = -1;
    t->best_score = (double)NAN;
    if (r->have_best) {
        t->best_iteration = r->best_iteration;
        t->best_score = r->best_score;
        /* Interrupted: every finished round stays in, the attribute says which are best.
         */
        if (!t->interrupted && !is_linear(r))
            st = cut(r, err);
    }
    if (st == BL_OK && r->best_model.n && !t->interrupted) {
        model = r->best_model;
        r->best_model = (bl_buf){0};
    } else if (st == BL_OK) {
        st = bli_xgb_save(r->booster, &model, err);
    }
    if (st == BL_OK)
        st = bli_metrics_histories(&r->metrics, t, err);
    if (st != BL_OK) {
        bli_buf_done(&model);
        return st;
    }
    t->ubj = model.data;
    t->n_ubj = model.n;
    return BL_OK;
}

/* Rows back in place for the explanation, once the booster's own memory is free. */
static bl_status give_back(run *r, bl_err *err)
{
    XGBoosterFree(r->booster);
    r->booster = NULL;
    bl_status st = BL_OK;
    for (size_t i = r->metrics.n_sets; st == BL_OK && i-- > 0;) {
        bl_watch *w = &r->metrics.sets[i];
        if (!w->handle)
            continue;
        st = bli_xgb_give_back(w->matrix, w->handle, err);
        if (st == BL_OK) {
            XGDMatrixFree(w->handle);
            w->handle = NULL;
        }
    }
    return st;
}

static bl_status check_input(const bl_train_input *in, bl_err *err)
{
    if (!in || !in->job || !in->train || in->job->num_round < 1 || in->nthread < 1)
        return bli_fail(
            err, BL_E_ARG,
            "a training needs a job, training rows, at least one round and one "
            "thread");
    bl_status st = bli_check_settings(in, err);
    if (st == BL_OK)
        st = bli_check_matrix(in->job, in->train, true, in->log, err);
    if (st != BL_OK) {
        bli_err_prefix(err, "train");
        return st;
    }
    if (in->validation)
        st = bli_check_matrix(in->job, in->validation, false, in->log, err);
    if (st != BL_OK)
        bli_err_prefix(err, "validation");
    return st;
}

bl_status bli_train(const bl_train_input *input, bl_training **ret_training, bl_err *err)
{
    int version[3];
    bl_xgb_log messages;
    bl_status st = bli_xgboost_check(version, err);
    if (st == BL_OK)
        st = check_input(input, err);
    if (st != BL_OK)
        return st;
    run r = {.input = input,
             .metrics = {.job = input->job},
             .n_wanted = input->job->num_round};
    st = bli_xgb_log_begin(&messages, input->log, bli_job_param(input->job, "verbosity"),
                           err);
    if (st != BL_OK)
        return st;
    st = bli_alloc(1, sizeof *r.training, "training", (void **)&r.training, err);
    if (st == BL_OK)
        st = bli_run_find(&r, err);
    if (st == BL_OK)
        st = open_sets(&r, err);
    if (st == BL_OK)
        st = open_booster(&r, err);
    if (st == BL_OK) {
        decide_stopping(&r);
        st = all_rounds(&r, err);
    }
    if (st == BL_OK)
        st = finish(&r, err);
    /* Also after a failure: the rows are the caller's. Its error is the one that counts.
     */
    bl_status back = give_back(&r, st == BL_OK ? err : NULL);
    if (st == BL_OK)
        st = back;
    if (st == BL_OK) {
        *ret_training = r.training;
        r.training = NULL;
    }
    run_done(&r);
    bli_xgb_log_end();
    return st;
}

bl_status bli_train_newest(const bl_train_input *input, bl_training **ret_training,
                           bl_err *err)
{
    bl_xgb_log messages;
    run r = {.input = input,
             .metrics = {.job = input->job, .n_sets = input->validation ? 2 : 1},
             .n_wanted = 0}; /* nothing more, so no matrix is built */
    r.metrics.sets[0] = (bl_watch){.name = "train", .matrix = input->train};
    r.metrics.sets[1] = (bl_watch){.name = "validation", .matrix = input->validation};
    bl_status st = bli_xgb_log_begin(&messages, input->log, "1", err);
    if (st != BL_OK)
        return st;
    st = bli_alloc(1, sizeof *r.training, "training", (void **)&r.training, err);
    if (st == BL_OK)
        st = bli_run_find(&r, err);
    if (st == BL_OK && r.resume != BL_RESUME_OURS)
        st = bli_fail(err, BL_E_CANCELLED, "there is no checkpoint");
    if (st == BL_OK)
        st = open_booster(&r, err);
    if (st == BL_OK) {
        r.training->interrupted = true;
        st = finish(&r, err);
    }
    if (st == BL_OK) {
        *ret_training = r.training;
        r.training = NULL;
    }
    run_done(&r);
    bli_xgb_log_end();
    return st;
}

void bli_training_free(bl_training *training)
{
    if (!training)
        return;
    for (size_t i = 0; i < training->n_histories; i++) {
        free((char *)(uintptr_t)training->histories[i].metric);
        free(training->histories[i].values);
    }
    free(training->histories);
    free(training->ubj);
    free(training);
}
