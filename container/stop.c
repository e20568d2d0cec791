/* SPDX-License-Identifier: Apache-2.0 */
/* SageMaker stops a job by SIGTERM, waits 120 s, and kills. */
#include "cmd.h"

#include <signal.h>

static volatile sig_atomic_t stop;

static void on_stop(int signal_number)
{
    (void)signal_number;
    stop = 1;
}

static void mask(int how)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(how, &set, NULL);
}

void stop_hold(void)
{
    mask(SIG_BLOCK);
}

void stop_release(void)
{
    mask(SIG_UNBLOCK);
}

const volatile sig_atomic_t *stop_install(void)
{
    struct sigaction action = {.sa_handler = on_stop, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    stop_release();
    return &stop;
}
