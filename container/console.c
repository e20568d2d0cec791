/* SPDX-License-Identifier: Apache-2.0 */
/* The log and the progress line, both on stderr: stdout belongs to the metric lines. */
#include "cmd.h"

#include "base/machine.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The console is one thing a process has; rooms get it as a const bl_log. */
static struct console {
    pthread_mutex_t lock; /* XGBoost logs from its own threads */
    bool live;            /* a progress line stands on the terminal */
    char stage[32];       /* of the progress being shown */
    uint64_t done;
    double started, shown;
} console = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void clear_live(void)
{
    if (console.live)
        fputs("\r\033[K", stderr);
    console.live = false;
}

void console_clear(void)
{
    pthread_mutex_lock(&console.lock);
    clear_live();
    pthread_mutex_unlock(&console.lock);
}

static void line(void *cookie, bl_level level, const char *stage, const char *text)
{
    (void)cookie;
    static const char *const names[] = {"DEBUG", "INFO", "NOTE", "WARNING", "ERROR"};
    if (level == BL_DEBUG)
        return;
    time_t now = time(NULL);
    struct tm utc;
    char stamp[32] = "";
    if (gmtime_r(&now, &utc))
        strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &utc);
    pthread_mutex_lock(&console.lock);
    clear_live();
    fprintf(stderr, "%-7s %s %s: %s\n", names[level], stamp, stage, text);
    pthread_mutex_unlock(&console.lock);
}

/* "12 s", "3 min", "2.5 h" */
static void print_duration(double seconds, char *text, size_t n)
{
    if (seconds < 100)
        snprintf(text, n, "%.0f s", seconds);
    else if (seconds < 6000)
        snprintf(text, n, "%.0f min", seconds / 60);
    else
        snprintf(text, n, "%.1f h", seconds / 3600);
}

static void progress(void *cookie, const char *stage, const char *unit, uint64_t done,
                     uint64_t total)
{
    (void)cookie;
    bool terminal = isatty(STDERR_FILENO);
    double every = terminal ? 0.2 : 5.0;
    double now = bli_seconds();
    pthread_mutex_lock(&console.lock);
    if (strncmp(console.stage, stage, sizeof console.stage - 1) != 0 || done == 0 ||
        done < console.done) { /* another stage, or the same once more */
        snprintf(console.stage, sizeof console.stage, "%s", stage);
        console.started = console.shown = now;
    }
    console.done = done;
    double taken = now - console.started;
    if (now - console.shown >= every && done > 0 && taken > 0) {
        double rate = (double)done / taken;
        char rest[32] = "";
        if (total >= done && total > 0)
            print_duration((double)(total - done) / rate, rest, sizeof rest);
        fprintf(stderr, "%s%s: %" PRIu64, terminal ? "\r\033[K" : "", stage, done);
        if (total > 0)
            fprintf(stderr, " of %" PRIu64, total);
        fprintf(stderr, " %s, %.4g a second", unit, rate);
        if (rest[0])
            fprintf(stderr, ", %s left", rest);
        if (!terminal)
            fputc('\n', stderr);
        console.live = terminal;
        console.shown = now;
    }
    pthread_mutex_unlock(&console.lock);
}

const bl_log *console_log(void)
{
    static const bl_log log = {.line = line, .progress = progress};
    return &log;
}
