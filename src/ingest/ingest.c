/* SPDX-License-Identifier: Apache-2.0 */
/* The face of the room: channels, lists of files, texts in memory -> bl_table. */
#include "ingest/ingest.h"

#include "base/mem.h"
#include "ingest/plain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ROWS_BETWEEN_ASKING 4096
#define FILES_IN_LOG        20

void bli_table_free(bl_table *table)
{
    if (!table)
        return;
    for (size_t k = 0; table->columns && k < table->n_features; k++) {
        free(table->columns[k].name);
        bli_levels_free(table->columns[k].levels);
    }
    free(table->columns);
    for (size_t i = 0; table->file_columns && i < table->n_file_columns; i++)
        free(table->file_columns[i]);
    free(table->file_columns);
    bli_blocks_free(table->blocks, table->n_blocks);
    bli_roles_done(&table->roles);
    bli_files_done(&table->files);
    free(table);
}

bl_status bli_table_like_new(const bl_table *table, bl_table_like **ret_like, bl_err *err)
{
    size_t n = table->n_features;
    bl_table_like *like = calloc(1, sizeof *like);
    const char **names = calloc(n + 1, sizeof *names);
    const char **types = calloc(n + 1, sizeof *types);
    const bl_levels **levels = calloc(n + 1, sizeof *levels);
    if (!like || !names || !types || !levels) {
        free(like);
        free(names);
        free(types);
        free(levels);
        return bli_fail(err, BL_E_NOMEM, "no memory for %zu column names", n);
    }
    for (size_t k = 0; k < n; k++) {
        names[k] = table->columns[k].name;
        types[k] = table->columns[k].type;
        levels[k] = table->columns[k].levels;
    }
    *like = (bl_table_like){
        .n_features = n,
        .has_header = table->has_header,
        .names = names,
        .types = types,
        .levels = levels,
        .n_file_columns = table->n_file_columns,
        .file_columns = (const char *const *)table->file_columns,
    };
    *ret_like = like;
    return BL_OK;
}

void bli_table_like_free(bl_table_like *like)
{
    if (!like)
        return;
    free((void *)(uintptr_t)like->names);
    free((void *)(uintptr_t)like->types);
    free((void *)(uintptr_t)like->levels);
    free(like);
}

/* --- One file ----------------------------------------------------------------------- */

/* The whole reading of one call: what all its files share. */
typedef struct reading {
    bl_build build;
    bl_read_how how;
    bool is_peek;
    char delimiter; /* of the first file */
    bool layout_made;
    bool first_header;
    uint64_t n_bytes, total_bytes;
} reading;

static bl_status check_cancelled(const bl_ingest *ingest, bl_err *err)
{
    if (ingest->cancelled && ingest->cancelled(ingest->cookie))
        return bli_fail(err, BL_E_CANCELLED, "stopped on request while reading data");
    return BL_OK;
}

/* The header of a later file: names that differ, and not all of them strange. */
static bl_status check_header(const reading *r, const bl_row_copy *row, const char *name,
                              bl_err *err)
{
    const bl_layout *layout = &r->build.layout;
    bl_levels *names;
    bl_status st = bli_levels_new(&names, err);
    if (st != BL_OK)
        return st;
    bool twice = false, any = false;
    for (size_t i = 0; st == BL_OK && i < row->n; i++) {
        uint32_t code;
        st = bli_levels_add(names, row->cells[i].text, row->cells[i].n, UINT32_MAX, &code,
                            err);
        twice |= st == BL_OK && code != i;
    }
    for (size_t c = 0; st == BL_OK && !any && c < layout->n_columns; c++)
        any = bli_levels_find(names, layout->names[c], strlen(layout->names[c])) !=
              BL_NO_LEVEL;
    bli_levels_free(names);
    if (st == BL_OK && any && twice)
        st = bli_fail(err, BL_E_DATA, "'%s': two columns of the header have one name",
                      name);
    if (st != BL_OK || any)
        return st;
    return bli_fail(
        err, BL_E_DATA,
        "'%s' does not begin with the header that '%s' has; all files of a job "
        "agree (bl_header says which)",
        name, r->build.table->files.file[0].path);
}

/* A later file of the same table follows the first. */
static bl_status follow_first(const reading *r, const bl_probe *probe, const char *name,
                              bl_err *err)
{
    const bl_row_copy *row = &probe->rows[0];
    const char *first = r->build.table->files.file[0].path;
    if (!r->first_header) {
        if (r->build.ingest->settings->header != BL_HEADER_NO &&
            bli_looks_like_header(probe, NULL))
            return bli_fail(err, BL_E_DATA,
                            "'%s', line %llu reads as a header, but '%s' has none; all "
                            "files of a job agree (bl_header says which)",
                            name, (unsigned long long)row->line, first);
        return BL_OK;
    }
    return check_header(r, row, name, err);
}

/* Decides, by the first two records, how the file is read. */
static bl_status prepare(reading *r, const bl_probe *probe, bl_use **ret_uses,
                         bl_err *err)
{
    bl_build *build = &r->build;
    const bl_ingest *ingest = build->ingest;
    bool is_first = !r->layout_made, header = r->first_header;
    bl_status st = is_first ? bli_decide_header(ingest, probe, build->name, &header, err)
                            : follow_first(r, probe, build->name, err);
    build->has_header = header;
    build->no_header_why = NULL;
    if (st == BL_OK && !header && ingest->settings->header == BL_HEADER_AUTO && is_first)
        bli_looks_like_header(probe, &build->no_header_why);
    if (st == BL_OK && is_first)
        st = bli_layout_make(ingest, probe, build->name, header, &build->layout, err);
    if (st == BL_OK)
        st = bli_layout_map(ingest, &build->layout, is_first, probe, build->name, header,
                            ret_uses, err);
    if (st == BL_OK && is_first) {
        r->layout_made = true;
        r->first_header = header;
        r->delimiter = probe->delimiter;
        build->table->has_header = header;
        st = bli_build_columns(build, err);
        if (st != BL_OK) {
            free(*ret_uses);
            *ret_uses = NULL;
        }
    }
    build->n_cells = probe->rows[0].n;
    return st;
}

static bl_status blank_line(const reading *r, uint64_t line, bl_err *err)
{
    if (r->build.n_cells != 1)
        return BL_OK;
    return bli_fail(err, BL_E_DATA,
                    "'%s', line %llu is blank: in a file of one column that may be a "
                    "missing value or nothing; write \"\" for a missing value, or remove "
                    "the line",
                    r->build.name, (unsigned long long)line);
}

/* Asks and tells every few thousand rows. */
static bl_status look_up(const reading *r, const bl_source *source, uint64_t *next_row,
                         bl_err *err)
{
    const bl_build *build = &r->build;
    if (bli_build_n_rows(build) < *next_row)
        return BL_OK;
    *next_row = bli_build_n_rows(build) + ROWS_BETWEEN_ASKING;
    bli_progress(build->ingest->log, "ingest", "bytes",
                 r->n_bytes + bli_source_n_bytes(source), r->total_bytes);
    return check_cancelled(build->ingest, err);
}

static double share_read(const reading *r, const bl_source *source)
{
    return r->total_bytes ? (double)(r->n_bytes + bli_source_n_bytes(source)) /
                                (double)r->total_bytes
                          : 0;
}

/* One record the ordinary way; *ret_more = false at the end. */
static bl_status read_record(reading *r, bl_csv *csv, bool *header_left,
                             uint64_t *n_records, bool *ret_more, bl_err *err)
{
    bl_record record;
    bl_next next = BL_NEXT_END;
    bl_status st = bli_csv_next(csv, &record, &next, err);
    *ret_more = next == BL_NEXT_RECORD;
    if (st != BL_OK || next != BL_NEXT_RECORD)
        return st;
    if (record.n == 0)
        return blank_line(r, record.line, err);
    ++*n_records;
    if (!*header_left)
        return bli_build_record(&r->build, &record, err);
    *header_left = false;
    return BL_OK;
}

static bl_status read_records(reading *r, bl_csv *csv, const bl_source *source,
                              char delimiter, bl_err *err)
{
    bl_build *build = &r->build;
    uint64_t n_records = 0, next_row = 0;
    bool header_left = build->has_header, more = true;
    bl_plain_reader *plain = NULL;
    bl_status st = BL_OK;
    if (!r->how.only_libcsv && !r->how.max_records && build->uses)
        st = bli_plain_reader_new(build, delimiter, &plain, err);
    while (st == BL_OK && more &&
           !(r->how.max_records && n_records == r->how.max_records)) {
        bool more_plain = plain != NULL;
        st = look_up(r, source, &next_row, err);
        if (st == BL_OK && plain)
            st = bli_plain_advance(plain, csv, &more_plain, err);
        if (st == BL_OK && bli_build_is_full(build))
            st = bli_build_give_part(build, false, share_read(r, source), err);
        if (st == BL_OK && !more_plain)
            st = read_record(r, csv, &header_left, &n_records, &more, err);
    }
    bli_plain_reader_free(plain);
    return st;
}

static bl_status add_file(reading *r, const char *name, bl_err *err)
{
    bl_build *build = &r->build;
    bl_files *files = &build->table->files;
    void *file = files->file;
    bl_status st = bli_grow(&file, &build->cap_files, files->n + 1, sizeof(bl_file),
                            "the list of files", err);
    if (st != BL_OK)
        return st;
    files->file = file;
    bl_file fresh = {.first_row = bli_build_n_rows(build)};
    st = bli_strdup(name, &fresh.path, err);
    if (st != BL_OK)
        return st;
    build->file = files->n;
    build->name = fresh.path;
    files->file[files->n++] = fresh;
    return BL_OK;
}

static void log_file(const reading *r, const bl_file *file, const bl_probe *probe)
{
    const bl_build *build = &r->build;
    bl_level level = build->file < FILES_IN_LOG ? BL_INFO : BL_DEBUG;
    if (probe->n_rows == 0) {
        bli_log(build->ingest->log, BL_NOTE, "ingest", "'%s' holds blank lines only",
                file->path);
        return;
    }
    if (build->file == 0 && !build->ingest->content_given)
        bli_log(build->ingest->log, BL_NOTE, "ingest",
                "'%s': no ContentType; by its first line this is CSV", file->path);
    bli_log(build->ingest->log, level, "ingest",
            "'%s': %llu rows, %llu bytes, %zu columns, delimiter %s, %s header",
            file->path, (unsigned long long)file->n_rows,
            (unsigned long long)file->n_bytes, build->n_cells,
            bli_delimiter_name(probe->delimiter), build->has_header ? "with" : "no");
}

static bl_status read_source(reading *r, bl_source *source, bl_err *err)
{
    bl_build *build = &r->build;
    bl_csv *csv = NULL;
    bl_probe probe = {0};
    bl_use *uses = NULL;
    bl_status st =
        bli_csv_new(source, build->name, build->ingest->limits, &r->how, &csv, err);
    if (st == BL_OK)
        st = bli_refuse_other_formats(csv, build->name, !build->ingest->content_given,
                                      err);
    if (st == BL_OK)
        st = bli_probe(csv, build->name, r->layout_made ? r->delimiter : 0,
                       build->layout.n_columns, &probe, err);
    if (st == BL_OK && probe.n_rows) {
        st = prepare(r, &probe, &uses, err);
        bli_probe_rows_done(&probe);
        build->uses = uses;
        build->is_first_record = true;
        bli_csv_set_delimiter(csv, probe.delimiter);
    }
    if (st == BL_OK)
        st = read_records(r, csv, source, probe.delimiter, err);
    bl_file *file = &build->table->files.file[build->file];
    if (st == BL_OK && !r->is_peek) {
        file->n_bytes = bli_source_n_bytes(source);
        if (st == BL_OK)
            st = bli_source_digest(source, file->sha256, err);
        if (st == BL_OK)
            log_file(r, file, &probe);
    }
    r->n_bytes += bli_source_n_bytes(source);
    free(uses);
    build->uses = NULL;
    bli_probe_done(&probe);
    bli_csv_free(csv);
    return st;
}

/* --- Many files --------------------------------------------------------------------- */

static bl_status reading_start(reading *r, const bl_ingest *ingest,
                               const bl_read_how *how, bl_err *err)
{
    void *table;
    *r = (reading){.build.ingest = ingest};
    if (how)
        r->how = *how;
    r->build.missing = bli_missing(ingest->settings);
    bl_status st = bli_alloc(1, sizeof(bl_table), "a table", &table, err);
    if (st == BL_OK)
        r->build.table = table;
    return st;
}

static bl_status reading_end(reading *r, bl_status st, const char *where,
                             bl_table **ret_table, bl_err *err)
{
    const bl_ingest *ingest = r->build.ingest;
    const char *channel = ingest->channel;
    if (st == BL_OK && !r->is_peek && bli_build_n_rows(&r->build) == 0) {
        st = bli_fail(err, BL_E_DATA, "No data in %s: not one row was found", where);
    } else if (st == BL_OK && !r->is_peek) {
        if (ingest->part)
            st = bli_build_give_part(&r->build, true, 1, err);
        if (st == BL_OK)
            st = bli_build_finish(&r->build, err);
    }
    if (st == BL_OK && ret_table) {
        *ret_table = r->build.table;
        r->build.table = NULL;
    }
    if (st != BL_OK && channel)
        bli_err_prefix(err, "%s", channel);
    bli_build_done(&r->build);
    return st;
}

static bl_status read_list(reading *r, const bl_list *list, bl_err *err)
{
    bl_status st = BL_OK;
    for (size_t i = 0; i < list->n; i++)
        r->total_bytes += list->file[i].n_bytes;
    for (size_t i = 0; st == BL_OK && i < list->n; i++) {
        bl_source *source = NULL;
        /* Peeking into a pipe would take what is in it. */
        if (r->is_peek && list->file[i].n_bytes == 0)
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

static void note_skipped(const bl_ingest *ingest, const bl_list *list)
{
    if (list->n_hidden || list->n_empty)
        bli_log(ingest->log, BL_NOTE, "ingest",
                "%s%sskipped: %llu whose names begin with . or _, %llu empty files",
                ingest->channel ? ingest->channel : "", ingest->channel ? ": " : "",
                (unsigned long long)list->n_hidden, (unsigned long long)list->n_empty);
}

static bl_status read_folder(const bl_ingest *ingest, const char *root,
                             const char *folder, const bl_read_how *how, bool is_peek,
                             bl_table **ret_table, bl_err *err)
{
    reading r;
    bl_list list = {0};
    char where[400] = "";
    bl_status st = reading_start(&r, ingest, how, err);
    if (st != BL_OK)
        return st;
    r.is_peek = is_peek;
    st = bli_walk(ingest->limits, root, folder, &list, err);
    if (st == BL_OK) {
        size_t n = strlen(root);
        bool below = strncmp(folder, root, n) == 0 && folder[n] == '/';
        snprintf(where, sizeof where,
                 "'%s' (%zu files; %llu hidden and %llu empty ones skipped)",
                 folder + (below ? n + 1 : 0), list.n, (unsigned long long)list.n_hidden,
                 (unsigned long long)list.n_empty);
        note_skipped(ingest, &list);
        if (list.n == 0)
            st = bli_fail(err, BL_E_DATA, "No data in %s", where);
        else
            st = read_list(&r, &list, err);
    }
    bli_list_done(&list);
    return reading_end(&r, st, where, ret_table, err);
}

bl_status bli_ingest_folder(const bl_ingest *ingest, const char *root, const char *folder,
                            bl_table **ret_table, bl_err *err)
{
    return read_folder(ingest, root, folder, NULL, false, ret_table, err);
}

bl_status bli_ingest_peek(const bl_ingest *ingest, const char *root, const char *folder,
                          bl_err *err)
{
    const bl_read_how two = {.chunk_bytes = 65536, .max_records = 2};
    return read_folder(ingest, root, folder, &two, true, NULL, err);
}

bl_status bli_ingest_files(const bl_ingest *ingest, const char *const *paths,
                           size_t n_paths, bl_table **ret_table, bl_err *err)
{
    reading r;
    bl_list list = {0};
    bl_status st = reading_start(&r, ingest, NULL, err);
    if (st != BL_OK)
        return st;
    st = bli_list_files(ingest->limits, paths, n_paths, &list, err);
    if (st == BL_OK)
        st = read_list(&r, &list, err);
    bli_list_done(&list);
    return reading_end(&r, st, "the files given", ret_table, err);
}

bl_status bli_ingest_text_how(const bl_ingest *ingest, const char *name,
                              const void *bytes, size_t n_bytes, const bl_read_how *how,
                              bl_table **ret_table, bl_err *err)
{
    reading r;
    bl_source *source = NULL;
    bl_status st = reading_start(&r, ingest, how, err);
    if (st != BL_OK)
        return st;
    r.total_bytes = n_bytes;
    st = add_file(&r, name, err);
    if (st == BL_OK)
        st = bli_source_of_bytes(bytes, n_bytes, r.build.name, &source, err);
    if (st == BL_OK)
        st = read_source(&r, source, err);
    bli_source_free(source);
    return reading_end(&r, st, name, ret_table, err);
}

bl_status bli_ingest_text(const bl_ingest *ingest, const char *name, const void *bytes,
                          size_t n_bytes, bl_table **ret_table, bl_err *err)
{
    return bli_ingest_text_how(ingest, name, bytes, n_bytes, NULL, ret_table, err);
}
