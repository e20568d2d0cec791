/* SPDX-License-Identifier: Apache-2.0 */
/* SageMaker stops a job by SIGTERM, waits 120 s, and kills. */
#include "cmd.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { GIVE_UP_SECONDS = 90 };

static volatile sig_atomic_t stop;
static volatile sig_atomic_t armed;
static char failure[4096];

static void on_stop(int signal_number)
{
    (void)signal_number;
    if (!stop && armed)
        alarm(GIVE_UP_SECONDS);
    stop = 1;
}

/* Only calls that are safe in a signal handler. */
static void on_alarm(int signal_number)
{
    (void)signal_number;
    if (!armed)
        return;
    static const char text[] =
        "stopped: the round in progress was not finished within 90 s of "
        "the stop signal, and there is no model yet\n";
    int fd = open(failure, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd >= 0) {
        ssize_t written = write(fd, text, sizeof text - 1);
        (void)written;
        close(fd);
    }
    ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);
    (void)written;
    _exit(143);
}

const volatile sig_atomic_t *stop_install(const char *failure_path)
{
    if (strlen(failure_path) < sizeof failure)
        strcpy(failure, failure_path);
    armed = 1;
    struct sigaction action = {.sa_handler = on_stop, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    action.sa_handler = on_alarm;
    sigaction(SIGALRM, &action, NULL);
    return &stop;
}

void stop_disarm(void)
{
    armed = 0;
    alarm(0);
}
