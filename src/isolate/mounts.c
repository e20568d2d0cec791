/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/self/mountinfo: proc(5). */
#include "isolate/isolate_priv.h"

#include "base/fs.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* 16 MiB: some thousand mounts of a busy host. */
enum { MAX_BYTES = 1 << 24 };

void bli_mounts_done(bl_mounts *mounts)
{
    for (size_t i = 0; i < mounts->n; i++) {
        free(mounts->mount[i].point);
        free(mounts->mount[i].type);
        free(mounts->mount[i].source);
    }
    free(mounts->mount);
    *mounts = (bl_mounts){0};
}

/* Blanks, tabs, newlines and backslashes stand as \040 and the like. In place. */
static void unescape(char *text)
{
    char *out = text;
    for (const char *in = text; *in; out++) {
        if (in[0] == '\\' && in[1] >= '0' && in[1] <= '3' && in[2] >= '0' &&
            in[2] <= '7' && in[3] >= '0' && in[3] <= '7') {
            *out = (char)((in[1] - '0') * 64 + (in[2] - '0') * 8 + (in[3] - '0'));
            in += 4;
        } else {
            *out = *in++;
        }
    }
    *out = '\0';
}

/* Cuts the next word off; NULL at the end. */
static char *word(char **at)
{
    char *begin = *at + strspn(*at, " ");
    if (!*begin)
        return NULL;
    char *end = begin + strcspn(begin, " ");
    *at = *end ? end + 1 : end;
    *end = '\0';
    return begin;
}

/* `36 35 98:0 /root /point opts [optional...] - type source superopts`; false where it is none. */
static bool parse_line(char *line, bl_mount *ret_mount)
{
    char *at = line, *numbers = NULL, *point = NULL, *type, *source;
    for (int field = 1; field <= 6; field++) {
        char *text = word(&at);
        if (!text)
            return false;
        if (field == 3)
            numbers = text;
        if (field == 5)
            point = text;
    }
    char *end;
    unsigned long major = strtoul(numbers, &end, 10);
    if (end == numbers || *end != ':')
        return false;
    char *second = end + 1;
    unsigned long minor = strtoul(second, &end, 10);
    if (end == second || *end)
        return false;
    do {
        type = word(&at);
        if (!type)
            return false;
    } while (strcmp(type, "-") != 0);
    type = word(&at);
    source = word(&at);
    if (!type || !source)
        return false;
    unescape(point);
    unescape(source);
    *ret_mount = (bl_mount){point, type, source, (unsigned)major, (unsigned)minor};
    return true;
}

static bl_status add_mount(bl_mounts *mounts, const bl_mount *lent, bl_err *err)
{
    void *block = mounts->mount;
    bl_status st =
        bli_grow(&block, &mounts->cap, mounts->n + 1, sizeof(bl_mount), "mounts", err);
    mounts->mount = block;
    if (st != BL_OK)
        return st;
    bl_mount *mount = &mounts->mount[mounts->n++];
    *mount = (bl_mount){.major = lent->major, .minor = lent->minor};
    st = bli_strdup(lent->point, &mount->point, err);
    if (st == BL_OK)
        st = bli_strdup(lent->type, &mount->type, err);
    return st == BL_OK ? bli_strdup(lent->source, &mount->source, err) : st;
}

bl_status bli_mounts_read(const char *system_root, bl_mounts *ret_mounts, bl_err *err)
{
    bl_mounts mounts = {0};
    bl_buf text = {0};
    char *path;
    bl_status st = bli_path_join(system_root, "/proc/self/mountinfo", &path, err);
    if (st != BL_OK)
        return st;
    st = bli_read_file(path, MAX_BYTES, &text, NULL);
    free(path);
    if (st != BL_OK) {
        *ret_mounts = mounts;
        return st == BL_E_NOMEM ? bli_fail(err, st, "no memory for the mounts") : BL_OK;
    }
    char *rest = text.data;
    for (char *line; st == BL_OK && (line = strsep(&rest, "\n"));) {
        bl_mount mount;
        if (parse_line(line, &mount))
            st = add_mount(&mounts, &mount, err);
    }
    bli_buf_done(&text);
    if (st == BL_OK)
        *ret_mounts = mounts;
    else
        bli_mounts_done(&mounts);
    return st;
}

bool bli_path_is_below(const char *point, const char *folder)
{
    size_t n = strlen(folder);
    while (n > 0 && folder[n - 1] == '/')
        n--;
    return strncmp(point, folder, n) == 0 && (point[n] == '/' || point[n] == '\0');
}

const bl_mount *bli_mount_of(const bl_mounts *mounts, const char *path)
{
    const bl_mount *best = NULL;
    for (size_t i = 0; i < mounts->n; i++) {
        const bl_mount *mount = &mounts->mount[i];
        if (bli_path_is_below(path, mount->point) &&
            (!best || strlen(mount->point) >= strlen(best->point)))
            best = mount;
    }
    return best;
}
