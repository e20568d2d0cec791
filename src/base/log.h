/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where notes and warnings go. Rooms never print: they hand lines to a bl_log that the program
 * made, or to NULL. Never a data value in a line above debug: counts, names and positions only.
 */
#ifndef BL_BASE_LOG_H
#define BL_BASE_LOG_H

#include "base/err.h"

#include <stdint.h>

typedef enum bl_level { BL_DEBUG, BL_INFO, BL_NOTE, BL_WARNING, BL_ERROR } bl_level;

typedef struct bl_log {
    void (*line)(void *cookie, bl_level level, const char *stage, const char *text);
    /* done of total units (rows, rounds) of a stage; called as often as is convenient. */
    void (*progress)(void *cookie, const char *stage, const char *unit, uint64_t done,
                     uint64_t total);
    void *cookie;
} bl_log;

/* Both accept a NULL log and NULL members. */
void bli_log(const bl_log *log, bl_level level, const char *stage, const char *fmt, ...)
    BL_PRINTF(4, 5);
void bli_progress(const bl_log *log, const char *stage, const char *unit, uint64_t done,
                  uint64_t total);

#endif
