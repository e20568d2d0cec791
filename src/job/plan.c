/* SPDX-License-Identifier: Apache-2.0 */
/* Channels to matrices through a preprocessing plan. */
#include "job/job_priv.h"

#include <stdlib.h>
#include <string.h>

bl_read_settings bli_plan_read_settings(const bl_read_settings *read, const bl_plan *plan)
{
    bl_read_settings own = *read;
    own.labels = own.base_margins = own.drop = own.ids = (bl_column_refs){0};
    own.has_weight = own.has_group = own.has_lower = own.has_upper = false;
    own.weight = own.group = own.lower = own.upper = (bl_column_ref){0};
    own.feature_names = own.feature_types = (bl_texts){0};
    if (own.header == BL_HEADER_AUTO && bli_plan_names_columns(plan))
        own.header = BL_HEADER_YES;
    return own;
}

static bl_status read_plan(bl_stages *stages, bl_err *err)
{
    const bl_job *job = stages->job;
    bl_buf text = {0};
    const char *name;
    bool label_given = false;
    for (size_t i = 0; i < job->n_params; i++)
        label_given |= strcmp(job->params[i].def->name, "bl_label") == 0;
    bl_status st = bli_job_plan(job, &text, &name, err);
    if (st == BL_OK)
        st = bli_plan_read(name, text.data, text.n, &stages->limits, &stages->plan, err);
    if (st == BL_OK)
        st = bli_plan_take_settings(stages->plan, &job->read, label_given, err);
    if (st == BL_OK)
        st = bli_transform_new(stages->plan, &stages->limits, &stages->transform, err);
    bli_buf_done(&text);
    return st;
}

static bl_status read_frame(bl_stages *stages, int data, const bl_read_settings *read,
                            bool peek, bl_frame **ret_frame, bl_err *err)
{
    static const bl_channel_role roles[N_DATA] = {BL_CHANNEL_TRAIN, BL_CHANNEL_VALIDATION,
                                                  BL_CHANNEL_TEST};
    const bl_channel *channel = &stages->job->channels[roles[data]];
    const bl_ingest ingest = {.settings = read,
                              .limits = &stages->limits,
                              .log = stages->log,
                              .channel = bli_data_names[data],
                              .content_given = channel->content == BL_CONTENT_CSV,
                              .cancelled = bli_stop_asked,
                              .cookie = stages};
    bl_frame_ask ask = bli_transform_ask(stages->transform, false, false, stages->log);
    ask.is_peek = peek;
    return bli_frame_folder(&ingest, &ask, stages->job->root, channel->path, ret_frame,
                            err);
}

/* The parts of the train channel: validation and test only where the plan splits. */
static bl_status make_parts(bl_stages *stages, bl_frame *frame, const bl_row_sets *sets,
                            bl_err *err)
{
    static const int sets_of[N_DATA] = {BL_SET_TRAIN, BL_SET_VALIDATION, BL_SET_TEST};
    bool fits = !bli_transform_is_fitted(stages->transform);
    bl_status st = BL_OK;
    if (fits)
        st = bli_transform_fit(stages->transform, frame, sets->row[BL_SET_TRAIN],
                               sets->n[BL_SET_TRAIN], &stages->limits, stages->log, err);
    else
        bli_log(stages->log, BL_NOTE, "preprocess",
                "the plan is fitted already: it is applied as it is");
    if (st == BL_OK)
        st = bli_transform_schema(stages->transform, &stages->schema, err);
    /* The files go with the training rows, which are read last. */
    for (int data = N_DATA; st == BL_OK && data-- > 0;) {
        int set = sets_of[data];
        if (sets->n[set])
            st = bli_transform_matrix(stages->transform, stages->schema, frame,
                                      sets->row[set], sets->n[set], fits && data == 0,
                                      false, data == 0, NULL, stages->log,
                                      &stages->data[data], err);
    }
    return st;
}

static bl_status load_train(bl_stages *stages, const bl_read_settings *read, bl_err *err)
{
    const bl_job *job = stages->job;
    bool split =
        bli_plan_has_split(stages->plan) && !job->channels[BL_CHANNEL_VALIDATION].present;
    bl_frame *frame = NULL;
    bl_row_sets sets = {0};
    bl_status st = read_frame(stages, DATA_TRAIN, read, false, &frame, err);
    if (st == BL_OK)
        st = bli_transform_rows(stages->transform, frame, split, stages->log, &sets, err);
    if (st == BL_OK && sets.n[BL_SET_TEST] && job->channels[BL_CHANNEL_TEST].present)
        st = bli_fail(err, BL_E_CONFIG,
                      "the plan's split sets test rows aside (\"test\"), and there is a "
                      "channel test: leave one out");
    if (st == BL_OK)
        st = make_parts(stages, frame, &sets, err);
    bli_row_sets_done(&sets);
    bli_frame_free(frame);
    if (st == BL_OK)
        bli_log(stages->log, BL_INFO, "preprocess",
                "%llu training rows of %zu columns, from %zu columns of the file",
                (unsigned long long)stages->data[DATA_TRAIN]->n_rows,
                stages->schema->n_features, stages->schema->n_sources);
    return st;
}

/* What the contract left open, because a plan may set rows aside. */
static bl_status check_held_out(bl_stages *stages, bl_err *err)
{
    bl_job *job = stages->job;
    if (stages->data[DATA_VALIDATION])
        return BL_OK;
    if (job->early_stopping_rounds > 0) {
        bli_log(
            stages->log, BL_WARNING, "preprocess",
            "early_stopping_rounds needs validation rows: a channel, or \"validation\" "
            "in the plan's split; all %lld rounds are trained",
            (long long)job->num_round);
        job->early_stopping_rounds = 0;
    }
    if (job->explain & BL_EXPLAIN_VALIDATION)
        return bli_fail(
            err, BL_E_CONFIG,
            "bl_explain asks for validation rows, and there are none: give the "
            "channel, or \"validation\" in the plan's split");
    return BL_OK;
}

static bl_status refuse_folds(const bl_job *job, bl_err *err)
{
    if (job->kfold == 0)
        return BL_OK;
    return bli_fail(
        err, BL_E_CONFIG,
        "_kfold and bl_preprocess are both given: a plan is fitted on training rows "
        "only, and each fold has others; run process first, or leave _kfold out");
}

bl_status bli_check_planned(bl_stages *stages, bl_err *err)
{
    bl_status st = refuse_folds(stages->job, err);
    if (st == BL_OK)
        st = read_plan(stages, err);
    if (st != BL_OK)
        return st;
    const bl_read_settings read =
        bli_plan_read_settings(&stages->job->read, stages->plan);
    for (int data = 0; st == BL_OK && data < N_DATA; data++) {
        bl_frame *frame = NULL;
        if (stages->job->channels[bli_data_roles[data]].present)
            st = read_frame(stages, data, &read, true, &frame, err);
        bli_frame_free(frame);
    }
    return st;
}

bl_status bli_load_planned(bl_stages *stages, bl_err *err)
{
    const bl_job *job = stages->job;
    static const bl_channel_role roles[N_DATA] = {BL_CHANNEL_TRAIN, BL_CHANNEL_VALIDATION,
                                                  BL_CHANNEL_TEST};
    bl_status st = refuse_folds(job, err);
    if (st == BL_OK)
        st = read_plan(stages, err);
    if (st != BL_OK)
        return st;
    const bl_read_settings read = bli_plan_read_settings(&job->read, stages->plan);
    st = load_train(stages, &read, err);
    for (int data = DATA_VALIDATION; st == BL_OK && data < N_DATA; data++) {
        bl_frame *frame = NULL;
        if (!job->channels[roles[data]].present)
            continue;
        st = read_frame(stages, data, &read, false, &frame, err);
        if (st == BL_OK) {
            st = bli_transform_matrix(stages->transform, stages->schema, frame, NULL, 0,
                                      false, false, true, NULL, stages->log,
                                      &stages->data[data], err);
            if (st != BL_OK)
                bli_err_prefix(err, "%s", bli_data_names[data]);
        }
        bli_frame_free(frame);
    }
    return st == BL_OK ? check_held_out(stages, err) : st;
}
