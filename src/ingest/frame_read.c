/* SPDX-License-Identifier: Apache-2.0 */
/* Files into a frame: header, matching of later files, records. */
#include "ingest/frame_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ROWS_BETWEEN_ASKING 4096

typedef struct frame_reading {
    bl_frame_build build;
    bool has_columns;
    char delimiter; /* of the first file */
    uint64_t n_bytes, total_bytes;
} frame_reading;

/* --- Which cell goes where ------------------------------------------------------------ */

static bl_status first_file(frame_reading *r, const bl_probe *probe, bool header,
                            bl_err *err)
{
    bl_frame_build *build = &r->build;
    const bl_row_copy *row = &probe->rows[0];
    void *block;
    bl_status st = bli_alloc(row->n, sizeof(char *), "column names", &block, err);
    if (st != BL_OK)
        return st;
    char **names = block;
    for (size_t i = 0; st == BL_OK && header && i < row->n; i++) {
        names[i] = strndup(row->cells[i].text, row->cells[i].n);
        if (!names[i])
            st = bli_fail(err, BL_E_NOMEM, "no memory for column names");
    }
    build->frame->has_header = header;
    if (st == BL_OK)
        st = bli_frame_columns(build, row->n, (const char *const *)names, err);
    for (size_t i = 0; i < row->n; i++)
        free(names[i]);
    free(names);
    r->has_columns = st == BL_OK;
    r->delimiter = probe->delimiter;
    return st;
}

static bl_status no_such_name(const frame_reading *r, const bl_cell *cell, bl_err *err)
{
    char quoted[80];
    return bli_fail(err, BL_E_DATA,
                    "'%s' has column '%s', which '%s' has not; all files have the same "
                    "columns",
                    r->build.name, bli_quote(cell->text, cell->n, quoted, sizeof quoted),
                    r->build.frame->files.file[0].path);
}

/* ret_place [row->n]: column of the first file of each cell. */
static bl_status places_by_name(const frame_reading *r, const bl_row_copy *row,
                                size_t *ret_place, bl_err *err)
{
    const bl_frame *frame = r->build.frame;
    bl_levels *index = NULL;
    bool *seen = calloc(frame->n_file_columns + 1, sizeof *seen);
    bl_status st = seen ? bli_levels_new(&index, err)
                        : bli_fail(err, BL_E_NOMEM, "no memory for column names");
    for (size_t i = 0; st == BL_OK && i < frame->n_file_columns; i++) {
        uint32_t code;
        st = bli_levels_add(index, frame->file_columns[i], strlen(frame->file_columns[i]),
                            UINT32_MAX, &code, err);
    }
    for (size_t i = 0; st == BL_OK && i < row->n; i++) {
        uint32_t code = bli_levels_find(index, row->cells[i].text, row->cells[i].n);
        if (code == BL_NO_LEVEL)
            st = no_such_name(r, &row->cells[i], err);
        else if (seen[code])
            st =
                bli_fail(err, BL_E_DATA, "'%s': two columns of the header are named '%s'",
                         r->build.name, frame->file_columns[code]);
        else
            seen[ret_place[i] = code] = true;
    }
    for (size_t c = 0; st == BL_OK && c < frame->n_file_columns; c++)
        if (!seen[c])
            st = bli_fail(err, BL_E_DATA,
                          "'%s' lacks column '%s' of the other files; all files have the "
                          "same columns",
                          r->build.name, frame->file_columns[c]);
    bli_levels_free(index);
    free(seen);
    return st;
}

static bl_status set_slots(frame_reading *r, const bl_row_copy *row, bl_err *err)
{
    bl_frame_build *build = &r->build;
    const bl_frame *frame = build->frame;
    void *place_block, *slot_block;
    bl_status st = bli_alloc(row->n, sizeof(size_t), "columns", &place_block, err);
    if (st != BL_OK)
        return st;
    size_t *place = place_block;
    st = bli_alloc(row->n, sizeof(size_t), "columns", &slot_block, err);
    if (st == BL_OK) {
        free(build->slot);
        build->slot = slot_block;
    }
    for (size_t i = 0; i < row->n; i++)
        place[i] = i;
    if (st == BL_OK && frame->has_header)
        st = places_by_name(r, row, place, err);
    else if (st == BL_OK && row->n != frame->n_file_columns)
        st = bli_fail(err, BL_E_DATA, "'%s', line %llu: %zu cell%s, expected %zu",
                      build->name, (unsigned long long)row->line, row->n,
                      row->n == 1 ? "" : "s", frame->n_file_columns);
    for (size_t i = 0; st == BL_OK && i < row->n; i++) {
        build->slot[i] = BL_NO_SLOT;
        for (size_t low = 0, high = frame->n_columns; low < high;) {
            size_t middle = low + (high - low) / 2;
            if (frame->columns[middle].place == place[i]) {
                build->slot[i] = middle;
                break;
            }
            if (frame->columns[middle].place < place[i])
                low = middle + 1;
            else
                high = middle;
        }
    }
    free(place);
    build->n_cells = row->n;
    return st;
}

/* A later file has a header where the first one has. */
static bl_status follow_first(const frame_reading *r, const bl_probe *probe, bl_err *err)
{
    const bl_frame *frame = r->build.frame;
    if (!frame->has_header && r->build.ingest->settings->header != BL_HEADER_NO &&
        bli_looks_like_header(probe, NULL))
        return bli_fail(err, BL_E_DATA,
                        "'%s', line %llu reads as a header, but '%s' has none; all files "
                        "of a job agree (bl_header says which)",
                        r->build.name, (unsigned long long)probe->rows[0].line,
                        frame->files.file[0].path);
    return BL_OK;
}

static bl_status prepare(frame_reading *r, const bl_probe *probe, bl_err *err)
{
    bl_frame_build *build = &r->build;
    bool header = r->has_columns && build->frame->has_header;
    bl_status st;
    build->no_header_why = NULL;
    if (r->has_columns) {
        st = follow_first(r, probe, err);
    } else {
        st = bli_decide_header(build->ingest, probe, build->name, &header, err);
        if (st == BL_OK && !header)
            bli_looks_like_header(probe, &build->no_header_why);
        if (st == BL_OK)
            st = first_file(r, probe, header, err);
    }
    return st == BL_OK ? set_slots(r, &probe->rows[0], err) : st;
}

/* --- Records -------------------------------------------------------------------------- */

static bl_status look_up(const frame_reading *r, const bl_source *source, bl_err *err)
{
    const bl_ingest *ingest = r->build.ingest;
    if (r->build.frame->n_rows % ROWS_BETWEEN_ASKING != 0)
        return BL_OK;
    bli_progress(ingest->log, "ingest", "bytes", r->n_bytes + bli_source_n_bytes(source),
                 r->total_bytes);
    if (ingest->cancelled && ingest->cancelled(ingest->cookie))
        return bli_fail(err, BL_E_CANCELLED, "stopped on request while reading data");
    return BL_OK;
}

static bl_status give_part(const frame_reading *r, bool is_last, uint64_t n_bytes,
                           bl_err *err)
{
    const bl_frame_ask *ask = r->build.ask;
    double read = r->total_bytes ? (double)n_bytes / (double)r->total_bytes : 0;
    bl_status st =
        ask->part(ask->part_cookie, r->build.frame, is_last, read < 1 ? read : 1, err);
    bli_frame_clear(r->build.frame);
    return st;
}

static bl_status read_records(frame_reading *r, bl_csv *csv, const bl_source *source,
                              bl_err *err)
{
    bl_frame_build *build = &r->build;
    bool header_left = build->frame->has_header;
    for (uint64_t n = 0; !build->ask->is_peek || n < 2;) {
        bl_record record;
        bl_next next = BL_NEXT_END;
        bl_status st = look_up(r, source, err);
        if (st == BL_OK)
            st = bli_csv_next(csv, &record, &next, err);
        if (st != BL_OK || next != BL_NEXT_RECORD)
            return st;
        if (record.n == 0 && build->n_cells == 1)
            return bli_fail(err, BL_E_DATA,
                            "'%s', line %llu is blank: in a file of one column that may "
                            "be a missing value or nothing; write \"\" for a missing "
                            "value, or remove the line",
                            build->name, (unsigned long long)record.line);
        if (record.n == 0)
            continue;
        n++;
        if (header_left)
            header_left = false;
        else
            st = bli_frame_record(build, &record, err);
        if (st == BL_OK && build->ask->part &&
            build->frame->n_rows == build->ask->part_rows)
            st = give_part(r, false, r->n_bytes + bli_source_n_bytes(source), err);
        if (st != BL_OK)
            return st;
    }
    return BL_OK;
}

static bl_status read_source(frame_reading *r, bl_source *source, bl_err *err)
{
    bl_frame_build *build = &r->build;
    const bl_read_how how = {0};
    bl_csv *csv = NULL;
    bl_probe probe = {0};
    bl_status st =
        bli_csv_new(source, build->name, build->ingest->limits, &how, &csv, err);
    if (st == BL_OK)
        st = bli_refuse_other_formats(csv, build->name, !build->ingest->content_given,
                                      err);
    if (st == BL_OK)
        st = bli_probe(csv, build->name, r->has_columns ? r->delimiter : 0,
                       build->n_cells, &probe, err);
    if (st == BL_OK && probe.n_rows) {
        st = prepare(r, &probe, err);
        bli_csv_set_delimiter(csv, probe.delimiter);
        build->is_first_record = true;
        if (st == BL_OK)
            st = read_records(r, csv, source, err);
    }
    bl_file *file = &build->frame->files.file[build->file];
    file->n_bytes = bli_source_n_bytes(source);
    r->n_bytes += file->n_bytes;
    if (st == BL_OK && !build->ask->is_peek)
        st = bli_source_digest(source, file->sha256, err);
    if (st == BL_OK && probe.n_rows && !build->ask->is_peek)
        bli_log(build->ingest->log, BL_INFO, "ingest",
                "'%s': %llu rows, %llu bytes, %zu columns, delimiter %s, %s header",
                file->path, (unsigned long long)file->n_rows,
                (unsigned long long)file->n_bytes, build->n_cells,
                bli_delimiter_name(probe.delimiter),
                build->frame->has_header ? "with" : "no");
    bli_probe_done(&probe);
    bli_csv_free(csv);
    return st;
}

static bl_status add_file(frame_reading *r, const char *name, bl_err *err)
{
    bl_files *files = &r->build.frame->files;
    void *file = files->file;
    bl_status st = bli_grow(&file, &r->build.cap_files, files->n + 1, sizeof(bl_file),
                            "the list of files", err);
    if (st != BL_OK)
        return st;
    files->file = file;
    bl_file fresh = {.first_row = r->build.frame->first_row + r->build.frame->n_rows};
    st = bli_strdup(name, &fresh.path, err);
    if (st != BL_OK)
        return st;
    r->build.file = files->n;
    r->build.name = fresh.path;
    files->file[files->n++] = fresh;
    return BL_OK;
}

/* --- The face --------------------------------------------------------------------------- */

static bl_status begin(frame_reading *r, const bl_ingest *ingest, const bl_frame_ask *ask,
                       bl_err *err)
{
    void *frame;
    *r = (frame_reading){.build = {.ingest = ingest, .ask = ask}};
    bl_status st = bli_alloc(1, sizeof(bl_frame), "a table", &frame, err);
    if (st == BL_OK)
        r->build.frame = frame;
    return st;
}

static bl_status end(frame_reading *r, bl_status st, const char *where,
                     bl_frame **ret_frame, bl_err *err)
{
    const char *channel = r->build.ingest->channel;
    if (st == BL_OK && !r->build.ask->is_peek &&
        r->build.frame->n_rows + r->build.frame->first_row == 0)
        st = bli_fail(err, BL_E_DATA, "No data in %s: not one row was found", where);
    if (st == BL_OK && r->build.ask->part)
        st = give_part(r, true, r->total_bytes, err);
    if (st == BL_OK) {
        bli_frame_finish(&r->build);
        *ret_frame = r->build.frame;
        r->build.frame = NULL;
    } else if (channel) {
        bli_err_prefix(err, "%s", channel);
    }
    bli_frame_build_done(&r->build);
    return st;
}

static bl_status read_list(frame_reading *r, const bl_list *list, bl_err *err)
{
    bl_status st = BL_OK;
    for (size_t i = 0; i < list->n; i++)
        r->total_bytes += list->file[i].n_bytes;
    for (size_t i = 0; st == BL_OK && i < list->n; i++) {
        bl_source *source = NULL;
        /* Peeking into a pipe would take what is in it. */
        if (r->build.ask->is_peek && list->file[i].n_bytes == 0)
            continue;
        st = add_file(r, list->file[i].name, err);
        if (st == BL_OK)
            st = bli_source_open(list->file[i].path, r->build.name, &source, err);
        if (st == BL_OK)
            st = read_source(r, source, err);
        bli_source_free(source);
    }
    return st;
}

bl_status bli_frame_folder(const bl_ingest *ingest, const bl_frame_ask *ask,
                           const char *root, const char *folder, bl_frame **ret_frame,
                           bl_err *err)
{
    frame_reading r;
    bl_list list = {0};
    char where[400] = "";
    bl_status st = begin(&r, ingest, ask, err);
    if (st != BL_OK)
        return st;
    st = bli_walk(ingest->limits, root, folder, &list, err);
    if (st == BL_OK) {
        size_t n = strlen(root);
        bool below = strncmp(folder, root, n) == 0 && folder[n] == '/';
        snprintf(where, sizeof where,
                 "'%s' (%zu files; %llu hidden and %llu empty ones skipped)",
                 folder + (below ? n + 1 : 0), list.n, (unsigned long long)list.n_hidden,
                 (unsigned long long)list.n_empty);
        if (list.n_hidden || list.n_empty)
            bli_log(ingest->log, BL_NOTE, "ingest",
                    "skipped: %llu whose names begin with . or _, %llu empty files",
                    (unsigned long long)list.n_hidden, (unsigned long long)list.n_empty);
        st = read_list(&r, &list, err);
    }
    bli_list_done(&list);
    return end(&r, st, where, ret_frame, err);
}

bl_status bli_frame_files(const bl_ingest *ingest, const bl_frame_ask *ask,
                          const char *const *paths, size_t n_paths, bl_frame **ret_frame,
                          bl_err *err)
{
    frame_reading r;
    bl_list list = {0};
    bl_status st = begin(&r, ingest, ask, err);
    if (st != BL_OK)
        return st;
    st = bli_list_files(ingest->limits, paths, n_paths, &list, err);
    if (st == BL_OK)
        st = read_list(&r, &list, err);
    bli_list_done(&list);
    return end(&r, st, "the files given", ret_frame, err);
}

bl_status bli_frame_text(const bl_ingest *ingest, const bl_frame_ask *ask,
                         const char *name, const void *bytes, size_t n_bytes,
                         bl_frame **ret_frame, bl_err *err)
{
    frame_reading r;
    bl_source *source = NULL;
    bl_status st = begin(&r, ingest, ask, err);
    if (st != BL_OK)
        return st;
    r.total_bytes = n_bytes;
    st = add_file(&r, name, err);
    if (st == BL_OK)
        st = bli_source_of_bytes(bytes, n_bytes, r.build.name, &source, err);
    if (st == BL_OK)
        st = read_source(&r, source, err);
    bli_source_free(source);
    return end(&r, st, name, ret_frame, err);
}
