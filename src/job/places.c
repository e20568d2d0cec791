/* SPDX-License-Identifier: Apache-2.0 */
#include "job/places_priv.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A pipe or socket is no place of a file system, and Landlock takes no rule for one. */
static bool is_pipe(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && (S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode));
}

bl_status bli_places_add(bl_places *p, const char *path, bool write, bl_err *err)
{
    if (is_pipe(path))
        return BL_OK;
    void *block = p->place;
    char *copy = NULL;
    bl_status st = bli_grow(&block, &p->cap, p->n + 1, sizeof(bl_place), "places", err);
    p->place = block;
    if (st == BL_OK)
        st = bli_strdup(path, &copy, err);
    if (st == BL_OK)
        p->place[p->n++] = (bl_place){copy, copy, write};
    return st;
}

static bl_status read_word(const char *word, bl_isolation *ret_wanted, bl_err *err)
{
    static const char *const words[] = {[BL_ISOLATION_AUTO] = "auto",
                                        [BL_ISOLATION_REQUIRED] = "required",
                                        [BL_ISOLATION_OFF] = "off"};
    for (size_t i = 0; word && i < BL_LEN(words); i++)
        if (strcmp(word, words[i]) == 0) {
            *ret_wanted = (bl_isolation)i;
            return BL_OK;
        }
    if (word)
        return bli_fail(err, BL_E_ARG,
                        "--isolation '%s': auto, required or off is expected", word);
    *ret_wanted = BL_ISOLATION_AUTO;
    return BL_OK;
}

bl_status bli_places_enter(const bl_places *places, const char *word, const bl_log *log,
                           bl_err *err)
{
    bl_sandbox sandbox = {0};
    bl_isolation wanted = BL_ISOLATION_AUTO;
    char text[512];
    bl_status st = read_word(word, &wanted, err);
    if (st != BL_OK)
        return st;
    st = bli_sandbox_enter(wanted, places->place, places->n, &sandbox, err);
    bli_sandbox_say(&sandbox, text, sizeof text);
    bli_log(log, BL_INFO, "isolation", "%s", text);
    return st;
}

void bli_places_done(bl_places *p)
{
    for (size_t i = 0; i < p->n; i++)
        free((char *)(uintptr_t)p->place[i].path);
    free(p->place);
    *p = (bl_places){0};
}
