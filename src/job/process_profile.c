/* SPDX-License-Identifier: Apache-2.0 */
/* process --profile: the inputs as they are, for programs and for people. */
#include "job/process_priv.h"

#include "base/fs.h"
#include "base/mem.h"
#include "job/profile_priv.h"
#include "report/profile.h"

#include <stdlib.h>
#include <string.h>

/* Paths in what is written are relative to the root: two runs give the same bytes wherever. */
static bl_status shorten_paths(const char *root, bl_files *files, bl_err *err)
{
    size_t n = strlen(root);
    bl_status st = BL_OK;
    for (size_t i = 0; st == BL_OK && i < files->n; i++) {
        char *path = files->file[i].path, *copy = NULL;
        const char *rest = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
        if (strncmp(path, root, n) == 0)
            rest = path + n;
        while (*rest == '/')
            rest++;
        st = bli_strdup(rest, &copy, err);
        if (st != BL_OK)
            break;
        free(path);
        files->file[i].path = copy;
    }
    return st;
}

static bl_status write_file(const char *path, const bl_buf *text, bl_err *err)
{
    bl_status st = bli_buf_check(text, "a profile", err);
    if (st == BL_OK)
        st = bli_make_parent(path, err);
    return st == BL_OK ? bli_write_file(path, 0644, text->data, text->n, err) : st;
}

static bl_status write_both(const bl_process_places *places, const bl_profile *profile,
                            const bl_files *files, bl_err *err)
{
    bl_buf json = {0}, page = {0};
    bli_profile_json(&json, profile, files);
    bli_profile_html(&page, profile, files);
    bl_status st = write_file(places->path[BL_FILE_PROFILE], &json, err);
    if (st == BL_OK)
        st = write_file(places->path[BL_FILE_PROFILE_PAGE], &page, err);
    bli_buf_done(&json);
    bli_buf_done(&page);
    return st;
}

static bl_status tell(const bl_process *process, const bl_process_places *places,
                      const bl_profile *profile, bl_err *err)
{
    bl_buf text = {0};
    uint64_t n = 0;
    for (size_t i = 0; i < profile->n_columns; i++)
        n += (uint64_t)__builtin_popcount(profile->columns[i].findings);
    bli_buf_printf(&text,
                   "Completed: profile of %llu rows of %zu columns from %zu file%s, %llu "
                   "finding%s.",
                   (unsigned long long)profile->n_rows, profile->n_columns, places->n,
                   places->n == 1 ? "" : "s", (unsigned long long)n, n == 1 ? "" : "s");
    bl_status st = bli_buf_check(&text, "the message", err);
    if (st == BL_OK) {
        bli_log(process->log, BL_INFO, "profile", "%s", text.data);
        bli_log(process->log, BL_INFO, "profile", "'%s' and profile.html beside it",
                places->path[BL_FILE_PROFILE]);
        st = bli_process_message(process->root, text.data, err);
    }
    bli_buf_done(&text);
    return st;
}

bl_status bli_process_profile(const bl_process *process, const bl_process_places *places,
                              const bl_plan *plan, const bl_limits *limits, bl_err *err)
{
    bl_column_ref label = {0};
    const bl_column_refs *labels = bli_plan_labels(plan);
    bl_profile *profile = NULL;
    bl_frame *frame = NULL;
    bl_profile_read read = {.n_files = places->n,
                            .files = (const char *const *)places->data,
                            .missing = bli_plan_missing(plan),
                            .names_columns = bli_plan_names_columns(plan),
                            .limits = limits,
                            .log = process->log,
                            .stop = process->stop};
    if (process->label)
        label = bli_typed_column(process->label);
    else if (labels->n)
        label = labels->ref[0];
    if (process->label || labels->n)
        read.label = &label;
    bl_status st = bli_profile_read_files(&read, &profile, &frame, err);
    if (st == BL_OK)
        st = shorten_paths(process->root, &frame->files, err);
    if (st == BL_OK)
        st = write_both(places, profile, &frame->files, err);
    if (st == BL_OK)
        st = tell(process, places, profile, err);
    bli_profile_free(profile);
    bli_frame_free(frame);
    return st;
}
