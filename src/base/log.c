/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdio.h>

void bli_log(const bl_log *log, bl_level level, const char *stage, const char *fmt, ...)
{
    if (!log || !log->line)
        return;
    char text[2048];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    log->line(log->cookie, level, stage, text);
}

void bli_progress(const bl_log *log, const char *stage, const char *unit, uint64_t done,
                  uint64_t total)
{
    if (log && log->progress)
        log->progress(log->cookie, stage, unit, done, total);
}
