/* SPDX-License-Identifier: Apache-2.0 */
/* A call that the sandbox stopped: one sentence, and the end. */
#include "cmd.h"

#include "isolate/isolate.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static char failure[4096]; /* "" where the verb has no failure file */

static void put(int fd, const char *sentence)
{
    ssize_t written = write(fd, sentence, strlen(sentence));
    written = write(fd, "\n", 1);
    (void)written;
}

/* Only calls that are safe in a signal handler. */
static void on_trap(int signal_number, siginfo_t *info, void *context)
{
    (void)signal_number;
    (void)context;
    const char *sentence = bli_sandbox_stopped(info->si_syscall);
    int fd =
        failure[0] ? open(failure, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    if (fd >= 0) {
        put(fd, sentence);
        close(fd);
    }
    put(STDERR_FILENO, sentence);
    _exit(EXIT_OURS);
}

void trap_install(const char *failure_path)
{
    if (failure_path && strlen(failure_path) < sizeof failure)
        strcpy(failure, failure_path);
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
    sigfillset(&action.sa_mask);
    sigaction(SIGSYS, &action, NULL);
}
