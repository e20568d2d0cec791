/* SPDX-License-Identifier: Apache-2.0 */
/* The places of a verb that has no job: explain, predict, process. */
#ifndef BL_JOB_PLACES_PRIV_H
#define BL_JOB_PLACES_PRIV_H

#include "base/log.h"
#include "isolate/isolate.h"

typedef struct bl_places {
    bl_place *place; /* paths owned */
    size_t n, cap;
} bl_places;

bl_status bli_places_add(bl_places *places, const char *path, bool write, bl_err *err);
/* Enters the sandbox with them and says what was reached. word: auto (also NULL), required, off;
 * BL_E_ARG for another. */
bl_status bli_places_enter(const bl_places *places, const char *word, const bl_log *log,
                           bl_err *err);
void bli_places_done(bl_places *places);

#endif
