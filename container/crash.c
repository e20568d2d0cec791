/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A crash, of ours or in a library, still leaves one sentence in the failure file. Only calls
 * that are safe in a signal handler; paths and texts are made beforehand.
 */
#include "cmd.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#endif

enum { EXIT_INTERNAL = 70, STACK_BYTES = 64 * 1024 };

static char folder[4096], failure[4096], temp[4200];

/* The main thread's stack may be what ran out. */
static char stack[STACK_BYTES];

static const struct {
    int signal_number;
    const char *text;
} crashes[] = {
    {SIGSEGV,
     "internal error: the program crashed (SIGSEGV, wrong memory access, or the stack "
     "ran out)"},
    {SIGBUS,
     "internal error: the program crashed (SIGBUS, memory that could not be had: a file "
     "that was cut short while mapped, or failing storage)"},
    {SIGABRT, "internal error: the program or one of its libraries gave up (SIGABRT)"},
    {SIGFPE, "internal error: the program crashed (SIGFPE, arithmetic)"},
    {SIGILL,
     "internal error: illegal instruction (SIGILL): the processor is older than this "
     "program needs, or the program is damaged"},
};

static const char advice[] =
    "; nothing half-written is left, whole outputs and checkpoints "
    "stay; start the job again, and report this with the job's log\n";

static void say(int fd, const char *text)
{
    ssize_t written = write(fd, text, strlen(text));
    (void)written;
}

static void on_crash(int signal_number)
{
    const char *text = crashes[0].text;
    for (size_t i = 0; i < sizeof crashes / sizeof crashes[0]; i++)
        if (crashes[i].signal_number == signal_number)
            text = crashes[i].text;
    say(STDERR_FILENO, "ERROR   crash: ");
    say(STDERR_FILENO, text);
    say(STDERR_FILENO, advice);
    if (failure[0]) {
        mkdir(folder, 0700);
        int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd >= 0) {
            say(fd, text);
            say(fd, advice);
            fsync(fd);
            close(fd);
            rename(temp, failure);
        }
    }
    _exit(EXIT_INTERNAL);
}

void crash_install(const char *failure_path)
{
#if defined(HAS_ASAN)
    (void)failure_path; /* its own report says more */
    (void)on_crash;
    (void)stack;
#else
    const char *slash = strrchr(failure_path, '/');
    if (slash && strlen(failure_path) < sizeof failure) {
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - failure_path),
                 failure_path);
        snprintf(temp, sizeof temp, "%s/.failure.crash.tmp", folder);
        snprintf(failure, sizeof failure, "%s", failure_path);
    }
    const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&alternate, NULL);
    struct sigaction action = {.sa_handler = on_crash,
                               .sa_flags = SA_ONSTACK | (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof crashes / sizeof crashes[0]; i++)
        sigaction(crashes[i].signal_number, &action, NULL);
#endif
}
