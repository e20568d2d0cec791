/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checkpoints of one training: when one is due, what goes into it, and how a training goes
 * on from it.
 *
 * What makes it bit for bit: XGBoosterSerializeToBuffer keeps the parameters, the state of
 * the random numbers and the model as it is in memory, where a saved model keeps the last
 * alone. Nothing is set on the booster again afterwards, because a parameter that is set
 * may seed the random numbers anew; gblinear alone forgets its parameters when it is read
 * back (seen in the 3.4.1 source: its updater is made anew with what is set then).
 */
#include "train/train_priv.h"

#include "base/machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What XGBoost keeps beside the booster and does not serialize (seen in the 3.4.1 source):
 * then the only checkpoint is the one at the end. NULL: all is in the booster. */
static const char *what_is_lost(const bl_job *job)
{
    const char *process = bli_job_param(job, "process_type");
    const char *unbiased = bli_job_param(job, "lambdarank_unbiased");
    const char *selector = bli_job_param(job, "feature_selector");
    if (process && !strcmp(process, "update"))
        return "process_type=update: the trees still to be updated";
    if (!strncmp(job->objective, "rank:", 5) && unbiased &&
        (!strcmp(unbiased, "true") || !strcmp(unbiased, "1")))
        return "lambdarank_unbiased: the position bias";
    if (!strcmp(job->booster, "gblinear") && selector && !strcmp(selector, "shuffle"))
        return "feature_selector=shuffle: the order of features";
    return NULL;
}

static void version_text(char out[32])
{
    int v[3];
    XGBoostVersion(&v[0], &v[1], &v[2]);
    snprintf(out, 32, "%d.%d.%d", v[0], v[1], v[2]);
}

/* --- Going on ----------------------------------------------------------------------- */

bl_status bli_run_find(bl_train_run *r, bl_err *err)
{
    const bl_train_input *in = r->input;
    char version[32];
    if (!in->checkpoints)
        return BL_OK;
    version_text(version);
    bl_status st = bli_ckpt_find(in->checkpoints, version, in->job->num_round, in->log,
                                 &r->resume, &r->resumed, &r->foreign, err);
    if (st == BL_OK && r->resume == BL_RESUME_OURS && r->resumed.foreign) {
        r->after_foreign = true;
        r->n_wanted -= r->resumed.first_round;
    }
    return st;
}

bool bli_run_is_over(const bl_train_run *r)
{
    return r->resume == BL_RESUME_OURS &&
           (r->resumed.stopped_early || r->resumed.n_rounds >= r->n_wanted);
}

static void note_other_machine(const bl_train_run *r)
{
    const char *here = bli_machine_instructions();
    if (r->resumed.nthread != r->input->nthread)
        bli_log(r->input->log, BL_NOTE, BL_STAGE,
                "the checkpoint was written with %" PRId64
                " threads, this training has %d: the same bytes as without an "
                "interruption are not promised",
                r->resumed.nthread, r->input->nthread);
    if (strcmp(r->resumed.instructions, here) != 0)
        bli_log(r->input->log, BL_NOTE, BL_STAGE,
                "the checkpoint was written on %.40s, this is %s: the same bytes as "
                "without an interruption are not promised",
                r->resumed.instructions, here);
}

static bl_status restore_booster(bl_train_run *r, bl_err *err)
{
    const bl_ckpt *c = &r->resumed;
    char threads[32];
    int rounds = 0;
    if (XGBoosterUnserializeFromBuffer(r->booster, c->booster, c->n_booster))
        return bli_xgb_fail(err, "going on from the checkpoint");
    snprintf(threads, sizeof threads, "%d", r->input->nthread);
    if (c->nthread != r->input->nthread &&
        XGBoosterSetParam(r->booster, "nthread", threads))
        return bli_xgb_fail(err, "setting nthread");
    if (!strcmp(r->input->job->booster, "gblinear")) {
        bl_status st = bli_xgb_params_again(r->input->job, r->booster, err);
        if (st != BL_OK)
            return st;
    }
    if (XGBoosterBoostedRounds(r->booster, &rounds))
        return bli_xgb_fail(err, "counting the checkpoint's rounds");
    if (!what_is_lost(r->input->job) && rounds != c->first_round + c->n_rounds)
        return bli_fail(err, BL_E_MODEL,
                        "the checkpoint holds %d rounds and says %" PRId64, rounds,
                        c->first_round + c->n_rounds);
    return BL_OK;
}

bl_status bli_run_restore(bl_train_run *r, bl_err *err)
{
    bl_ckpt *c = &r->resumed;
    note_other_machine(r);
    bl_status st = restore_booster(r, err);
    if (st == BL_OK)
        st = bli_metrics_restore(&r->metrics, c, err);
    if (st == BL_OK && c->n_best_model) {
        bli_buf_add(&r->best_model, c->best_model, c->n_best_model);
        st = bli_buf_check(&r->best_model, "the best round's model", err);
    }
    if (st != BL_OK)
        return st;
    r->first_round = (int)c->first_round;
    r->training->n_rounds = (size_t)c->n_rounds;
    r->training->stopped_early = c->stopped_early;
    r->have_best = c->have_best;
    r->best_iteration = c->best_iteration;
    r->best_score = c->best_score;
    if (c->have_best && r->metrics.n_metrics)
        r->maximise = bli_metric_is_maximised(r->metrics.names[r->metrics.watched]);
    r->saved_rounds = r->training->n_rounds;
    bli_log(r->input->log, BL_INFO, BL_STAGE, "%" PRId64 " rounds are there%s",
            c->first_round + c->n_rounds,
            bli_run_is_over(r) ? ", and training was over" : "");
    /* The bytes are in the booster now. */
    bli_buf_done(&c->bytes);
    c->booster = c->best_model = NULL;
    c->n_booster = c->n_best_model = 0;
    return BL_OK;
}

/* --- Writing ------------------------------------------------------------------------ */

static bl_status encode_and_write(bl_train_run *r, bool *ret_taken, bl_err *err)
{
    const bl_train_input *in = r->input;
    const bl_metrics *m = &r->metrics;
    char version[32];
    bst_ulong n;
    const char *bytes;
    version_text(version);
    if (XGBoosterSerializeToBuffer(r->booster, &n, &bytes))
        return bli_xgb_fail(err, "serializing the booster");
    bl_ckpt ckpt = {.job_name = in->checkpoints->job_name,
                    .xgboost = version,
                    .instructions = bli_machine_instructions(),
                    .nthread = in->nthread,
                    .num_round = in->job->num_round,
                    .n_items = in->checkpoints->n_items,
                    .items = in->checkpoints->items,
                    .first_round = r->first_round,
                    .foreign = r->after_foreign,
                    .n_rounds = (int64_t)r->training->n_rounds,
                    .stopped_early = r->training->stopped_early,
                    .have_best = r->have_best,
                    .best_iteration = r->best_iteration,
                    .best_score = r->best_score,
                    .n_sets = m->n_sets,
                    .n_metrics = m->n_metrics,
                    .metric_names = (const char *const *)m->names,
                    .history = m->history,
                    .booster = bytes,
                    .n_booster = n,
                    .best_model = r->best_model.data,
                    .n_best_model = r->best_model.n};
    for (size_t i = 0; i < m->n_sets; i++)
        ckpt.set_names[i] = m->sets[i].name;
    return bli_ckpt_write(in->checkpoints, &ckpt, ret_taken, err);
}

static void write_now(bl_train_run *r)
{
    const bl_train_input *in = r->input;
    int64_t newest = r->first_round + (int64_t)r->training->n_rounds - 1;
    bl_err err = {0};
    bool taken = false;
    double began = bli_seconds();
    bl_status st = encode_and_write(r, &taken, &err);
    if (st == BL_OK && !taken) {
        bli_ckpt_prune(in->checkpoints, newest, in->job->num_round);
        r->saved_rounds = r->training->n_rounds;
    }
    r->last_at = bli_seconds();
    r->last_cost = r->last_at - began;
    r->spent += r->last_cost;
    r->n_written += st == BL_OK && !taken;
    if (st != BL_OK)
        bli_log(in->log, BL_WARNING, BL_STAGE,
                "no checkpoint of round %" PRId64 ", training goes on: %s", newest,
                err.msg);
    else if (taken)
        bli_log(in->log, BL_WARNING, BL_STAGE,
                "no checkpoint of round %" PRId64
                ": a file of that number is there that is not this job's, and is kept",
                newest);
    else
        bli_log(in->log, r->said ? BL_DEBUG : BL_INFO, BL_STAGE,
                "checkpoint of round %" PRId64 " written in %.3f s", newest,
                r->last_cost);
    r->said = r->said || (st == BL_OK && !taken);
}

void bli_run_clock(bl_train_run *r)
{
    r->began = r->last_at = bli_seconds();
    if (r->input->checkpoints && what_is_lost(r->input->job) && !bli_run_is_over(r))
        bli_log(r->input->log, BL_NOTE, BL_STAGE,
                "%s cannot be kept by XGBoost, so the only checkpoint is the one at the "
                "end: a job interrupted before starts again at round 0",
                what_is_lost(r->input->job));
}

void bli_run_checkpoint_if_due(bl_train_run *r)
{
    const bl_checkpoints *place = r->input->checkpoints;
    if (!place || what_is_lost(r->input->job))
        return;
    double now = bli_seconds(), least = place->factor * r->last_cost;
    /* The second keeps the sum small too, with room for this one and the one at the
     * end, which grow with the rounds. */
    if (now - r->last_at >= (least > place->seconds ? least : place->seconds) &&
        now - r->began >= place->factor * (r->spent + 4 * r->last_cost))
        write_now(r);
}

void bli_run_checkpoint_last(bl_train_run *r)
{
    bool over = !r->training->interrupted;
    if (!r->input->checkpoints || (!over && what_is_lost(r->input->job)))
        return;
    if (r->saved_rounds != r->training->n_rounds)
        write_now(r);
    if (r->n_written)
        bli_log(r->input->log, BL_INFO, BL_STAGE,
                "%zu checkpoint%s took %.3f s of %.3f s", r->n_written,
                r->n_written == 1 ? "" : "s", r->spent, bli_seconds() - r->began);
}
