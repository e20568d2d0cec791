/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of files into a profile, in parts, whatever their cells hold. */
#include "job/job_priv.h"

#include "base/mem.h"
#include "base/text.h"
#include "job/profile_priv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t PART_CELLS = UINT64_C(1) << 22;

typedef struct reading {
    const bl_profile_read *read;
    bl_profiler *profiler;
    bl_profile *profile;
    bl_profile_cells *cells; /* [n_columns] */
    bl_frame_ask ask;
} reading;

bl_column_ref bli_typed_column(const char *text)
{
    bl_column_ref ref = {0};
    if (!bli_read_int(text, strlen(text), &ref.index) || ref.index < 0)
        ref.name = (char *)(uintptr_t)text; /* lent, not written to */
    return ref;
}

static bl_status find_label(const bl_column_ref *ref, const char *file, size_t n,
                            const char *const *names, size_t *ret_label, bl_err *err)
{
    char quoted[80];
    if (!ref->name && (uint64_t)ref->index < n) {
        *ret_label = (size_t)ref->index;
        return BL_OK;
    }
    if (!ref->name)
        return bli_fail(err, BL_E_CONFIG,
                        "label %lld: '%.200s' has %zu columns (0 to %zu)",
                        (long long)ref->index, file, n, n - 1);
    for (size_t i = 0; i < n; i++)
        if (names[i] && strcmp(names[i], ref->name) == 0) {
            *ret_label = i;
            return BL_OK;
        }
    const char *near = n && names[0] ? bli_nearest(ref->name, names, n) : NULL;
    return bli_fail(err, BL_E_CONFIG, "label '%s': '%.200s' has no such column%s%s%s",
                    bli_quote(ref->name, strlen(ref->name), quoted, sizeof quoted), file,
                    near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static size_t guess_label(size_t n, const char *const *names)
{
    static const char *const usual[] = {"label", "target",  "class",
                                        "y",     "outcome", "response"};
    for (size_t k = 0; k < BL_LEN(usual); k++)
        for (size_t i = 0; i < n; i++)
            if (names[i] && bli_text_equal_nocase(names[i], usual[k]))
                return i;
    return 0;
}

/* Every column, with whatever cells it has. */
static bl_status choose(void *cookie, const char *file, size_t n,
                        const char *const *names, bl_frame_want *wants, bl_err *err)
{
    reading *r = cookie;
    bl_profile_ask ask = {
        .has_header = n > 0 && names[0], .n = n, .names = names, .label = SIZE_MAX};
    void *cells;
    bl_status st = BL_OK;
    for (size_t i = 0; i < n; i++) {
        wants[i].is_mixed = wants[i].unbounded = wants[i].overflows = true;
        wants[i].takes_missing = false;
        wants[i].texts = r->read->missing;
    }
    r->ask.part_rows = PART_CELLS / (n ? n : 1);
    r->ask.part_rows = r->ask.part_rows < 16      ? 16
                       : r->ask.part_rows > 65536 ? 65536
                                                  : r->ask.part_rows;
    if (r->read->guess_label)
        ask.label = guess_label(n, names);
    if (r->read->label)
        st = find_label(r->read->label, file, n, names, &ask.label, err);
    if (st == BL_OK)
        st = bli_alloc(n, sizeof(bl_profile_cells), "columns", &cells, err);
    if (st != BL_OK)
        return st;
    r->cells = cells;
    return bli_profiler_new(&ask, &r->profiler, err);
}

static bl_status take_part(void *cookie, bl_frame *frame, bool is_last, double read,
                           bl_err *err)
{
    reading *r = cookie;
    bl_status st = BL_OK;
    (void)read;
    for (size_t i = 0; i < frame->n_columns; i++) {
        const bl_frame_column *c = &frame->columns[i];
        r->cells[i] = (bl_profile_cells){.numbers = c->numbers,
                                         .codes = c->codes,
                                         .levels = c->levels,
                                         .n_true_false = c->n_true_false,
                                         .is_whole = c->is_whole};
    }
    if (frame->n_rows)
        st = bli_profiler_add(r->profiler, r->cells, frame->n_rows, err);
    if (st == BL_OK && is_last)
        st = bli_profiler_finish(r->profiler, r->cells, &r->profile, err);
    return st;
}

static bool stop_asked(void *cookie)
{
    const reading *r = cookie;
    return r->read->stop && *r->read->stop;
}

bl_status bli_profile_read_files(const bl_profile_read *read, bl_profile **ret_profile,
                                 bl_frame **ret_frame, bl_err *err)
{
    reading r = {.read = read};
    bl_read_settings settings = {.missing = NAN, .header = BL_HEADER_AUTO};
    bl_frame *frame = NULL;
    if (read->names_columns || (read->label && read->label->name))
        settings.header = BL_HEADER_YES;
    const bl_ingest ingest = {.settings = &settings,
                              .limits = read->limits,
                              .log = read->log,
                              .content_given = true,
                              .cancelled = stop_asked,
                              .cookie = &r};
    r.ask = (bl_frame_ask){
        .choose = choose, .cookie = &r, .part = take_part, .part_cookie = &r};
    bl_status st =
        bli_frame_files(&ingest, &r.ask, read->files, read->n_files, &frame, err);
    if (st == BL_OK) {
        *ret_profile = r.profile;
        *ret_frame = frame;
    } else {
        bli_profile_free(r.profile);
    }
    bli_profiler_free(r.profiler);
    free(r.cells);
    return st;
}
