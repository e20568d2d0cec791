/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SageMaker kills 120 s after SIGTERM, and a round in XGBoost cannot be interrupted. A
 * thread of its own looks at the clock: when the round in progress is not finished in time
 * it makes the model of the newest checkpoint's rounds, where one is asked for, and the
 * process ends. Whoever comes first, the round or the clock, decides; the other one waits
 * for the end.
 */
#include "job/job_priv.h"

#include "base/machine.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_MILLISECONDS = 100 };

typedef enum turn {
    TURN_OPEN,
    TURN_JOB,  /* the round came to its end: the job goes on to its own */
    TURN_CLOCK /* given up */
} turn;

struct bl_giveup {
    bl_stages *stages;
    pthread_t thread;
    pthread_mutex_t lock;
    turn turn;
    bool quit;
    const bl_train_input *training; /* in progress, of a job without folds; or NULL */
};

static turn take_turn(bl_giveup *g, turn wanted)
{
    pthread_mutex_lock(&g->lock);
    if (g->turn == TURN_OPEN)
        g->turn = wanted;
    turn now = g->turn;
    pthread_mutex_unlock(&g->lock);
    return now;
}

static void wait_for_the_end(void)
{
    for (;;)
        pause();
}

/* The newest checkpoint's rounds as model and card. */
static bl_status save_newest(bl_giveup *g, size_t *ret_rounds, bl_err *err)
{
    bl_training *training = NULL;
    bl_final_model model = {0};
    bl_status st = bli_train_newest(g->training, &training, err);
    if (st == BL_OK)
        st = bli_model_finish(g->stages, training, "xgboost-model", &model, err);
    if (st == BL_OK)
        st = bli_stage_card(g->stages, &model, 1, err);
    if (st == BL_OK)
        *ret_rounds = training->n_rounds;
    bli_final_model_done(&model);
    bli_training_free(training);
    return st;
}

static void give_up(bl_giveup *g)
{
    const bl_stages *stages = g->stages;
    const bl_run *run = stages->run;
    const bl_job *job = stages->job;
    char text[BL_ERR_BYTES];
    bl_err err = {0};
    size_t rounds = 0;
    bl_status st = BL_E_CANCELLED;
    if (g->training && g->training->checkpoints && job->save_model_on_termination)
        st = save_newest(g, &rounds, &err);
    if (st == BL_OK)
        snprintf(text, sizeof text,
                 "stopped: the round in progress was not finished within %.0f s of the "
                 "stop signal and is given up; the model holds the newest checkpoint's "
                 "%zu rounds",
                 run->give_up_seconds, rounds);
    else
        snprintf(text, sizeof text,
                 "stopped: what was in progress was not finished within %.0f s of the "
                 "stop signal, and there is no model%s%.400s",
                 run->give_up_seconds, err.msg[0] ? ": " : "", err.msg);
    run->gave_up(run->cookie, st == BL_OK ? BL_OK : BL_E_CANCELLED, text);
}

static void *watch(void *cookie)
{
    bl_giveup *g = cookie;
    const bl_run *run = g->stages->run;
    const struct timespec nap = {.tv_nsec = LOOK_MILLISECONDS * 1000000L};
    double stopped_at = -1;
    for (bool quit = false; !quit;) {
        nanosleep(&nap, NULL);
        pthread_mutex_lock(&g->lock);
        quit = g->quit || g->turn == TURN_JOB;
        pthread_mutex_unlock(&g->lock);
        double now = bli_seconds();
        if (stopped_at < 0 && *run->stop)
            stopped_at = now;
        if (!quit && stopped_at >= 0 && now - stopped_at >= run->give_up_seconds &&
            take_turn(g, TURN_CLOCK) == TURN_CLOCK) {
            give_up(g);
            return NULL;
        }
    }
    return NULL;
}

void bli_giveup_start(bl_stages *stages)
{
    if (!stages->run->gave_up || !stages->run->stop)
        return;
    bl_giveup *g = calloc(1, sizeof *g);
    if (!g)
        return;
    g->stages = stages;
    pthread_mutex_init(&g->lock, NULL);
    if (pthread_create(&g->thread, NULL, watch, g) != 0) {
        pthread_mutex_destroy(&g->lock);
        free(g);
        bli_log(
            stages->log, BL_NOTE, "stop",
            "no thread could be started: a round that is not finished in time after a "
            "stop is not given up");
        return;
    }
    stages->giveup = g;
}

void bli_giveup_training(bl_stages *stages, const bl_train_input *training)
{
    bl_giveup *g = stages->giveup;
    if (!g)
        return;
    pthread_mutex_lock(&g->lock);
    turn now = g->turn;
    g->training = training;
    pthread_mutex_unlock(&g->lock);
    if (now == TURN_CLOCK)
        wait_for_the_end();
}

void bli_giveup_asked(const bl_stages *stages)
{
    if (stages->giveup && take_turn(stages->giveup, TURN_JOB) == TURN_CLOCK)
        wait_for_the_end();
}

void bli_giveup_end(bl_stages *stages)
{
    bl_giveup *g = stages->giveup;
    if (!g)
        return;
    if (take_turn(g, TURN_JOB) == TURN_CLOCK)
        wait_for_the_end();
    pthread_mutex_lock(&g->lock);
    g->quit = true;
    pthread_mutex_unlock(&g->lock);
    pthread_join(g->thread, NULL);
    pthread_mutex_destroy(&g->lock);
    free(g);
    stages->giveup = NULL;
}
