/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A library to be preloaded that lets libxgboost crash in the CRASH_AT-th round (from 1): by
 * CRASH_BY segv, abort, fpe, bus, ill, stack (an endless recursion), or sleep (a round that takes
 * CRASH_SECONDS).
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* Deeper than any stack; the volatile array keeps a compiler from making a loop of it. */
static unsigned recurse(unsigned n)
{
    volatile char block[65536];
    block[0] = (char)n;
    return n == 0 ? 0U : recurse(n + 1) + (unsigned)block[n % sizeof block];
}

static void crash(const char *by)
{
    static const struct {
        const char *name;
        int signal_number;
    } signals[] = {{"segv", SIGSEGV}, {"fpe", SIGFPE}, {"bus", SIGBUS}, {"ill", SIGILL}};
    if (strcmp(by, "abort") == 0)
        abort();
    if (strcmp(by, "stack") == 0)
        _exit((int)(recurse(1) & 1));
    if (strcmp(by, "sleep") == 0) {
        const char *seconds = getenv("CRASH_SECONDS");
        sleep(seconds ? (unsigned)atoi(seconds) : 1);
        return;
    }
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        if (strcmp(by, signals[i].name) == 0)
            raise(signals[i].signal_number);
}

EXPORT int XGBoosterUpdateOneIter(void *booster, int round, void *matrix);
int XGBoosterUpdateOneIter(void *booster, int round, void *matrix)
{
    static int rounds;
    const char *by = getenv("CRASH_BY"), *at = getenv("CRASH_AT");
    int (*real)(void *, int, void *);
    void *found = dlsym(RTLD_NEXT, "XGBoosterUpdateOneIter");
    memcpy(&real, &found, sizeof real);
    if (by && ++rounds == (at ? atoi(at) : 1))
        crash(by);
    return real(booster, round, matrix);
}
