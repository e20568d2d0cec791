/* SPDX-License-Identifier: Apache-2.0 */
/* The process verb: inputs through a plan into train, test, validation and the fitted plan. */
#include "job/process_priv.h"

#include "base/fs.h"
#include "base/machine.h"
#include "base/mem.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_BYTES = 1024 };

static const double DEFAULT_TEST = 0.3;

typedef struct processing {
    const bl_process *process;
    bl_limits limits;
    bl_process_places places;
    bl_plan *plan;
    bl_transform *transform;
    bl_frame *frame;
    bl_row_sets sets;
    bool fits;
} processing;

static void processing_done(processing *p)
{
    bli_row_sets_done(&p->sets);
    bli_frame_free(p->frame);
    bli_transform_free(p->transform);
    bli_plan_free(p->plan);
    bli_process_places_done(&p->places);
}

static bool stop_asked(void *cookie)
{
    const processing *p = cookie;
    return p->process->stop && *p->process->stop;
}

bl_status bli_process_message(const char *root, const char *text, bl_err *err)
{
    char *folder = NULL, *path = NULL;
    size_t n = strlen(text);
    if (n > MESSAGE_BYTES)
        for (n = MESSAGE_BYTES; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80;)
            n--; /* never within a character */
    bl_status st = bli_path_join(root, "output", &folder, err);
    if (st == BL_OK)
        st = bli_make_folder(folder, 0700, err);
    if (st == BL_OK)
        st = bli_path_join(folder, "message", &path, err);
    if (st == BL_OK)
        st = bli_write_file(path, 0644, text, n, err);
    free(folder);
    free(path);
    return st;
}

/* --- The plan ------------------------------------------------------------------------------ */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bl_status read_plan(processing *p, bl_err *err)
{
    static const char none[] = "{}";
    const char *path = p->process->plan ? p->process->plan : p->places.plan;
    bl_buf text = {0};
    bl_status st = BL_OK;
    if (path)
        st = bli_read_file(path, (size_t)p->limits.config_bytes, &text, err);
    else
        bli_log(
            p->process->log, BL_NOTE, "process",
            "no plan (--plan FILE, or plan.json in an input): the rows are split, the "
            "cells stay as they are");
    if (st == BL_OK)
        st = path ? bli_plan_read(base_name(path), text.data ? text.data : "", text.n,
                                  &p->limits, &p->plan, err)
                  : bli_plan_read("none", none, sizeof none - 1, &p->limits, &p->plan,
                                  err);
    bli_buf_done(&text);
    if (st != BL_OK)
        return st;
    double test = p->process->test;
    if (test < 0 && !bli_plan_has_split(p->plan)) {
        test = DEFAULT_TEST;
        if (path)
            bli_log(p->process->log, BL_NOTE, "process",
                    "the plan has no \"split\": %g of the rows are test rows", test);
    }
    bli_plan_set_split(p->plan, test, p->process->seed);
    return bli_transform_new(p->plan, &p->limits, &p->transform, err);
}

/* --- Data ------------------------------------------------------------------------------------ */

static bl_status read_data(processing *p, bl_err *err)
{
    char na[] = "NA", nan_text[] = "NaN", null_text[] = "null";
    char *texts[] = {na, nan_text, null_text}; /* bl_missing_text's default */
    bl_read_settings settings = {.missing = NAN, .missing_texts = {BL_LEN(texts), texts}};
    const bl_read_settings read = bli_plan_read_settings(&settings, p->plan);
    const bl_ingest ingest = {.settings = &read,
                              .limits = &p->limits,
                              .log = p->process->log,
                              .content_given = true,
                              .cancelled = stop_asked,
                              .cookie = p};
    p->fits = !bli_transform_is_fitted(p->transform);
    const bl_frame_ask ask =
        bli_transform_ask(p->transform, true, false, p->process->log);
    bl_status st = bli_frame_files(&ingest, &ask, (const char *const *)p->places.data,
                                   p->places.n, &p->frame, err);
    if (st == BL_OK)
        st = bli_transform_rows(p->transform, p->frame, true, p->process->log, &p->sets,
                                err);
    if (st == BL_OK && p->fits)
        st = bli_transform_fit(p->transform, p->frame, p->sets.row[BL_SET_TRAIN],
                               p->sets.n[BL_SET_TRAIN], &p->limits, p->process->log, err);
    return st;
}

/* --- Files ----------------------------------------------------------------------------------- */

static bl_status put(void *cookie, const char *text, size_t n, bl_err *err)
{
    (void)err; /* failures show at commit */
    fwrite(text, 1, n, cookie);
    return BL_OK;
}

bl_status bli_make_parent(const char *path, bl_err *err)
{
    char *folder = NULL;
    bl_status st = bli_strdup(path, &folder, err);
    if (st != BL_OK)
        return st;
    char *slash = strrchr(folder, '/');
    if (slash && slash != folder) {
        *slash = '\0';
        st = bli_make_folder(folder, 0755, err);
    }
    free(folder);
    return st;
}

static bl_status write_csv(const processing *p, bl_process_file file, int set, bool names,
                           bl_err *err)
{
    const char *path = p->places.path[file];
    bl_output output;
    bl_status st = bli_make_parent(path, err);
    if (st == BL_OK)
        st = bli_output_open(path, 0644, &output, err);
    if (st != BL_OK)
        return st;
    st = bli_transform_csv(p->transform, p->frame, p->sets.row[set], p->sets.n[set],
                           p->fits && set == BL_SET_TRAIN, names, p->process->log, put,
                           output.file, err);
    if (st != BL_OK) {
        bli_output_abort(&output);
        return st;
    }
    st = bli_output_commit(&output, err);
    if (st == BL_OK)
        bli_log(p->process->log, BL_INFO, "process", "'%s': %llu rows", path,
                (unsigned long long)p->sets.n[set]);
    return st;
}

static bl_status write_plan(const processing *p, bl_err *err)
{
    bl_buf text = {0};
    bl_jw jw = {.buf = &text};
    const char *path = p->places.path[BL_FILE_PLAN];
    bli_transform_write(p->transform, &jw);
    bli_jw_end(&jw);
    bl_status st = bli_buf_check(&text, "the fitted plan", err);
    if (st == BL_OK)
        st = bli_make_parent(path, err);
    if (st == BL_OK)
        st = bli_write_file(path, 0644, text.data, text.n, err);
    bli_buf_done(&text);
    return st;
}

static bl_status write_all(const processing *p, bl_err *err)
{
    bl_status st = write_csv(p, BL_FILE_TRAIN, BL_SET_TRAIN, false, err);
    if (st == BL_OK)
        st = write_csv(p, BL_FILE_HEADERS, BL_SET_TRAIN, true, err);
    if (st == BL_OK && p->sets.n[BL_SET_TEST])
        st = write_csv(p, BL_FILE_TEST, BL_SET_TEST, false, err);
    if (st == BL_OK && p->sets.n[BL_SET_VALIDATION])
        st = write_csv(p, BL_FILE_VALIDATION, BL_SET_VALIDATION, false, err);
    return st == BL_OK ? write_plan(p, err) : st;
}

static bl_status tell(const processing *p, bl_err *err)
{
    bl_schema *schema = NULL;
    bl_buf text = {0};
    bl_status st = bli_transform_schema(p->transform, &schema, err);
    if (st != BL_OK)
        return st;
    bli_buf_printf(&text,
                   "Completed: %llu rows read from %zu file%s; %llu training, %llu test, "
                   "%llu validation rows of %zu features, from %zu columns.",
                   (unsigned long long)p->frame->n_rows, p->places.n,
                   p->places.n == 1 ? "" : "s",
                   (unsigned long long)p->sets.n[BL_SET_TRAIN],
                   (unsigned long long)p->sets.n[BL_SET_TEST],
                   (unsigned long long)p->sets.n[BL_SET_VALIDATION], schema->n_features,
                   schema->n_sources);
    st = bli_buf_check(&text, "the message", err);
    if (st == BL_OK) {
        bli_log(p->process->log, BL_INFO, "process", "%s", text.data);
        st = bli_process_message(p->process->root, text.data, err);
    }
    bli_buf_done(&text);
    bli_schema_free(schema);
    return st;
}

bl_status bli_process(const bl_process *process, bl_err *err)
{
    processing p = {.process = process, .limits = bli_limits()};
    omp_set_num_threads(bli_machine_threads());
    bl_status st = bli_process_places(process, &p.limits, &p.places, err);
    if (st == BL_OK)
        st = bli_process_isolate(process, &p.places, err);
    if (st == BL_OK)
        st = read_plan(&p, err);
    if (st == BL_OK && process->profile)
        st = bli_process_profile(process, &p.places, p.plan, &p.limits, err);
    if (st != BL_OK || process->only_profile)
        goto done;
    st = read_data(&p, err);
    if (st == BL_OK && stop_asked(&p))
        st = bli_fail(err, BL_E_CANCELLED,
                      "stopped on request before anything was written");
    if (st == BL_OK)
        st = write_all(&p, err);
    if (st == BL_OK)
        st = tell(&p, err);
done:
    processing_done(&p);
    return st;
}
