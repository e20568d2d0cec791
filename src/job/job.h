/* SPDX-License-Identifier: Apache-2.0 */
/* The stages of a job in order; cancel, what is written when. */
#ifndef BL_JOB_JOB_H
#define BL_JOB_JOB_H

#include "base/log.h"

#include <signal.h>

typedef struct bl_run {
    const char *root; /* stands for /opt/ml */
    const bl_log *log;
    void (*metric_line)(void *cookie, const char *line); /* stdout's metric lines */
    void *cookie;
    void (*trained)(void);             /* called once training is over; may be NULL */
    const volatile sig_atomic_t *stop; /* not 0 once SIGTERM or SIGINT came */
} bl_run;

/* A training job from config files to outputs. BL_OK also where it was stopped with a
 * loadable model in place; BL_E_CANCELLED where it was stopped before there was one. */
bl_status bli_job_train(const bl_run *run, bl_err *err);

/* `boostlens check`: configuration and first lines only. */
bl_status bli_job_check(const bl_run *run, bl_err *err);

#endif
