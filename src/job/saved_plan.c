/* SPDX-License-Identifier: Apache-2.0 */
/* Raw rows for a saved model that has a preprocessing plan. */
#include "job/apply_priv.h"

#include "base/fs.h"

#include <stdlib.h>
#include <string.h>

/* A reading in parts: each goes through the plan, and on as a table. */
typedef struct planned {
    const bl_apply *apply;
    const bl_saved *saved;
    bl_status (*part)(void *cookie, const bl_part *part, bl_err *err);
    void *cookie;
    uint64_t first_row;
    bool has_labels;
    const bl_log *log; /* NULL once something was said */
} planned;

static bool stop_asked(void *cookie)
{
    const bl_apply *apply = cookie;
    return apply->stop && *apply->stop;
}

static bl_status check_options(const bl_apply *apply, const bl_saved *saved, bl_err *err)
{
    const char *option = apply->label && strcmp(apply->label, "none") != 0 ? "--label"
                         : apply->id && strcmp(apply->id, "none") != 0     ? "--id"
                                                                           : NULL;
    if (option)
        return bli_fail(err, BL_E_ARG,
                        "%s: the model has a preprocessing plan, which says what each "
                        "column is: leave it out",
                        option);
    if (saved->read.ids.n > bli_plan_ids(saved->plan)->n)
        return bli_fail(
            err, BL_E_ARG,
            "--facet: the model has a preprocessing plan; a column of the model, "
            "the label or an id of the plan is expected");
    if (apply->unseen)
        bli_transform_set_unseen(saved->transform, saved->read.unseen);
    return BL_OK;
}

/* The matrix takes the place of a table's rows. */
static bl_status hand_on(planned *p, bl_matrix *matrix, bool is_last, double read,
                         bl_err *err)
{
    bl_table table = {.n_features = matrix->n_features,
                      .has_header = p->saved->schema->has_header,
                      .n_rows = matrix->n_rows,
                      .n_blocks = matrix->n_blocks,
                      .blocks = matrix->blocks,
                      .roles = matrix->roles};
    const bl_part part = {&table, p->first_row, is_last, read};
    matrix->blocks = NULL;
    matrix->n_blocks = 0;
    matrix->roles = (bl_roles){0};
    p->first_row += table.n_rows;
    bl_status st = p->part(p->cookie, &part, err);
    bli_blocks_free(table.blocks, table.n_blocks);
    bli_roles_done(&table.roles);
    bli_files_done(&table.files);
    return st;
}

static bl_status take_frame(void *cookie, bl_frame *frame, bool is_last, double read,
                            bl_err *err)
{
    planned *p = cookie;
    bl_matrix *matrix = NULL;
    bool said = false;
    bl_status st =
        bli_transform_matrix(p->saved->transform, p->saved->schema, frame, NULL, 0, false,
                             true, false, &said, p->log, &matrix, err);
    if (st != BL_OK)
        return st;
    if (said)
        p->log = NULL;
    bool has_labels = matrix->roles.labels != NULL;
    if (p->first_row == 0)
        p->has_labels = has_labels;
    if (matrix->n_rows && has_labels != p->has_labels)
        st = bli_fail(
            err, BL_E_DATA,
            "from row %llu (from 0) the label is %s, but not before; all rows have "
            "a label, or none",
            (unsigned long long)p->first_row, has_labels ? "there" : "missing");
    if (st == BL_OK)
        st = hand_on(p, matrix, is_last, read, err);
    bli_matrix_free(matrix);
    return st;
}

static bl_status read_frames(planned *p, const bl_limits *limits,
                             const char *const *paths, size_t n_paths, uint64_t part_rows,
                             bl_frame **ret_frame, bl_err *err)
{
    const bl_apply *apply = p->apply;
    const bl_saved *saved = p->saved;
    bl_read_settings read = bli_plan_read_settings(&saved->read, saved->plan);
    size_t n = bli_transform_n_columns(saved->transform);
    const char **names = calloc(n + 1, sizeof *names);
    if (!names)
        return bli_fail(err, BL_E_NOMEM, "no memory for column names");
    for (size_t i = 0; i < n; i++)
        names[i] = bli_transform_column(saved->transform, i);
    const bl_table_like like = {.n_features = n,
                                .has_header = saved->schema->has_header,
                                .names = saved->schema->has_names ? names : NULL};
    const bl_ingest ingest = {.settings = &read,
                              .limits = limits,
                              .like = &like,
                              .log = apply->log,
                              .content_given = true,
                              .cancelled = stop_asked,
                              .cookie = (void *)(uintptr_t)apply};
    read.label_optional = true;
    read.header = saved->read.header;
    if (!apply->header)
        read.header = BL_HEADER_AUTO;
    bl_frame_ask ask = bli_transform_ask(saved->transform, false, true, apply->log);
    if (p->part) {
        ask.part = take_frame;
        ask.part_cookie = p;
        ask.part_rows = part_rows;
    }
    bl_status st =
        n_paths == 1 && bli_is_folder(paths[0])
            ? bli_frame_folder(&ingest, &ask, paths[0], paths[0], ret_frame, err)
            : bli_frame_files(&ingest, &ask, paths, n_paths, ret_frame, err);
    free(names);
    return st;
}

bl_status bli_planned_parts(const bl_apply *apply, const bl_saved *saved,
                            const bl_limits *limits, uint64_t part_rows,
                            bl_status (*part)(void *cookie, const bl_part *part,
                                              bl_err *err),
                            void *cookie, bl_err *err)
{
    planned p = {.apply = apply,
                 .saved = saved,
                 .part = part,
                 .cookie = cookie,
                 .log = apply->log};
    bl_frame *frame = NULL;
    bl_status st = check_options(apply, saved, err);
    if (st == BL_OK)
        st = read_frames(&p, limits, apply->data, apply->n_data, part_rows, &frame, err);
    bli_frame_free(frame);
    return st;
}

bl_status bli_planned_background(const bl_apply *apply, const bl_saved *saved,
                                 const bl_limits *limits, bl_matrix **ret_matrix,
                                 bl_err *err)
{
    planned p = {.apply = apply, .saved = saved};
    bl_frame *frame = NULL;
    bl_status st = check_options(apply, saved, err);
    if (st == BL_OK)
        st = read_frames(&p, limits, &apply->background, 1, 0, &frame, err);
    if (st == BL_OK)
        st = bli_transform_matrix(saved->transform, saved->schema, frame, NULL, 0, false,
                                  true, true, NULL, apply->log, ret_matrix, err);
    bli_frame_free(frame);
    return st;
}
