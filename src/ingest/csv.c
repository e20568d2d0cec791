/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CSV records. A line without a quote is cut by a scanner of our own; any other goes
 * through libcsv, line by line, so that places and lengths are exact. Both follow the
 * same rules (libcsv's), and tests hold them against each other:
 *
 *   blanks and tabs around an unquoted cell are dropped, unless they are the delimiter;
 *   CR, LF and CR LF each end a line; a quoted cell may hold them;
 *   a quote within an unquoted cell is text, but after a closing quote only blanks
 * follow.
 */
#include "ingest/reader.h"

#include "base/mem.h"

#include <csv.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES       1048576
#define FIRST_CHUNK_BYTES 65536

struct bl_csv {
    bl_source *source; /* NULL: the text was given whole */
    const char *name;
    const bl_limits *limits;
    size_t chunk_bytes;
    bool only_libcsv;
    char delimiter;

    char *text; /* unread from begin to end */
    size_t cap, begin, end;
    bool at_end;   /* nothing can be read after `end` */
    bool cut;      /* ... but more would follow: a text in memory, for probing */
    bool borrowed; /* text is not ours */
    bool has_quote, has_cr, has_nul; /* true where text[begin..end) may hold one */
    bool past_mark;                  /* a byte order mark was looked for */

    uint64_t line; /* lines before `begin` */
    bool after_cr; /* a CR ended the last line: an LF at begin belongs to it */

    struct csv_parser parser;
    bool parser_ready;
    bool row_done;
    bl_status status; /* of the callbacks */
    bl_err *err;

    bl_cell *cells;
    size_t n_cells, cap_cells;
    char *copy; /* texts of libcsv's cells, one after the other */
    size_t n_copy, cap_copy;
};

bl_status bli_csv_new(bl_source *source, const char *name, const bl_limits *limits,
                      const bl_read_how *how, bl_csv **ret_csv, bl_err *err)
{
    void *block;
    bl_status st = bli_alloc(1, sizeof(bl_csv), "a CSV reader", &block, err);
    if (st != BL_OK)
        return st;
    bl_csv *csv = block;
    csv->source = source;
    csv->name = name;
    csv->limits = limits;
    csv->chunk_bytes = how && how->chunk_bytes ? how->chunk_bytes : CHUNK_BYTES;
    csv->only_libcsv = how && how->only_libcsv;
    csv->delimiter = ',';
    *ret_csv = csv;
    return BL_OK;
}

void bli_csv_free(bl_csv *csv)
{
    if (!csv)
        return;
    if (csv->parser_ready)
        csv_free(&csv->parser);
    if (!csv->borrowed)
        free(csv->text);
    free(csv->cells);
    free(csv->copy);
    free(csv);
}

void bli_csv_set_delimiter(bl_csv *csv, char delimiter)
{
    csv->delimiter = delimiter;
}

bl_status bli_csv_over(const char *text, size_t n, bool is_cut, char delimiter,
                       const bl_csv *like, bl_csv **ret_csv, bl_err *err)
{
    bl_csv *csv;
    bl_status st = bli_csv_new(NULL, like->name, like->limits, NULL, &csv, err);
    if (st != BL_OK)
        return st;
    csv->only_libcsv = like->only_libcsv;
    csv->delimiter = delimiter;
    csv->text = (char *)(uintptr_t)text; /* never written to: at_end is set */
    csv->borrowed = true;
    csv->end = n;
    csv->at_end = true;
    csv->cut = is_cut;
    csv->past_mark = true;
    csv->has_quote = csv->has_cr = csv->has_nul = true;
    *ret_csv = csv;
    return BL_OK;
}

/* --- The buffer --------------------------------------------------------------------- */

/* Sets the flags by n bytes of text, beside what they say already where `add`. */
static void look_for_marks(bl_csv *csv, const char *text, size_t n, bool add)
{
    csv->has_quote = (add && csv->has_quote) || (n && memchr(text, '"', n));
    csv->has_cr = (add && csv->has_cr) || (n && memchr(text, '\r', n));
    csv->has_nul = (add && csv->has_nul) || (n && memchr(text, '\0', n));
}

static bl_status make_room(bl_csv *csv, bl_err *err)
{
    size_t held = csv->end - csv->begin;
    if (csv->begin) {
        memmove(csv->text, csv->text + csv->begin, held);
        csv->begin = 0;
        csv->end = held;
    }
    if (held == 0 || csv->has_quote || csv->has_cr || csv->has_nul)
        look_for_marks(csv, csv->text, held, false);
    size_t chunk = csv->cap || csv->chunk_bytes < FIRST_CHUNK_BYTES ? csv->chunk_bytes
                                                                    : FIRST_CHUNK_BYTES;
    if (csv->cap - held >= chunk)
        return BL_OK;
    void *text = csv->text;
    size_t wanted = held + (held > chunk ? held : chunk);
    bl_status st = bli_grow(&text, &csv->cap, wanted, 1, "a line of text", err);
    csv->text = text;
    return st;
}

/* Reads one chunk more; at_end where there is none. */
static bl_status fill(bl_csv *csv, bl_err *err)
{
    bl_status st = make_room(csv, err);
    if (st != BL_OK)
        return st;
    size_t got, room = csv->cap - csv->end;
    st = bli_source_read(csv->source, csv->text + csv->end,
                         room < csv->chunk_bytes ? room : csv->chunk_bytes, &got, err);
    if (st != BL_OK)
        return st;
    look_for_marks(csv, csv->text + csv->end, got, true);
    csv->end += got;
    csv->at_end = got == 0;
    return BL_OK;
}

/* The UTF-8 mark at the start of a file is no part of its first cell. */
static bl_status skip_mark(bl_csv *csv, bl_err *err)
{
    while (!csv->at_end && csv->end - csv->begin < 3) {
        bl_status st = fill(csv, err);
        if (st != BL_OK)
            return st;
    }
    csv->past_mark = true;
    if (csv->end - csv->begin >= 3 &&
        memcmp(csv->text + csv->begin, "\xef\xbb\xbf", 3) == 0)
        csv->begin += 3;
    return BL_OK;
}

bl_status bli_csv_ahead(bl_csv *csv, size_t min_bytes, const char **ret_text,
                        size_t *ret_n, bool *ret_at_end, bl_err *err)
{
    bl_status st = csv->past_mark ? BL_OK : skip_mark(csv, err);
    while (st == BL_OK && !csv->at_end && csv->end - csv->begin < min_bytes)
        st = fill(csv, err);
    if (st != BL_OK)
        return st;
    *ret_text = csv->text + csv->begin;
    *ret_n = csv->end - csv->begin;
    *ret_at_end = csv->at_end;
    return BL_OK;
}

/* First CR or LF from `from` on, or NULL. */
static const char *find_line_end(const bl_csv *csv, const char *from, size_t n)
{
    if (!n)
        return NULL;
    const char *lf = memchr(from, '\n', n);
    if (!csv->has_cr)
        return lf;
    const char *cr = memchr(from, '\r', lf ? (size_t)(lf - from) : n);
    return cr ? cr : lf;
}

static bl_status line_too_long(const bl_csv *csv, uint64_t line, bl_err *err)
{
    return bli_fail(err, BL_E_LIMIT,
                    "'%s', line %llu: the record is longer than %llu bytes; a quote that "
                    "is not closed makes one of all that follows",
                    csv->name, (unsigned long long)line,
                    (unsigned long long)csv->limits->line_bytes);
}

/* One physical line at begin: *ret_n bytes, then its end (1 byte) unless *ret_open. */
static bl_status get_line(bl_csv *csv, uint64_t held_bytes, size_t *ret_n, bool *ret_open,
                          bl_next *ret_next, bl_err *err)
{
    size_t scanned = 0;
    *ret_next = BL_NEXT_RECORD;
    for (;;) {
        const char *from = csv->text ? csv->text + csv->begin : NULL;
        size_t n = csv->end - csv->begin;
        const char *stop =
            n > scanned ? find_line_end(csv, from + scanned, n - scanned) : NULL;
        size_t length = stop ? (size_t)(stop - from) : n;
        if (length + held_bytes > csv->limits->line_bytes)
            return line_too_long(csv, csv->line + 1, err);
        if (stop || csv->at_end) {
            *ret_n = length;
            *ret_open = !stop;
            if (!stop && csv->cut)
                *ret_next = BL_NEXT_MORE;
            else if (!stop && n == 0)
                *ret_next = BL_NEXT_END;
            else if (csv->has_nul && length && memchr(from, '\0', length))
                return bli_fail(err, BL_E_DATA,
                                "'%s', line %llu: a NUL byte: this is no text file, or "
                                "one in UTF-16; save it as UTF-8",
                                csv->name, (unsigned long long)csv->line + 1);
            return BL_OK;
        }
        scanned = n;
        bl_status st = fill(csv, err);
        if (st != BL_OK)
            return st;
    }
}

/* After a CR, an LF belongs to the line that ended. */
static bl_status skip_lf(bl_csv *csv, bl_err *err)
{
    if (!csv->after_cr)
        return BL_OK;
    while (csv->begin == csv->end && !csv->at_end) {
        bl_status st = fill(csv, err);
        if (st != BL_OK)
            return st;
    }
    if (csv->begin < csv->end && csv->text[csv->begin] == '\n')
        csv->begin++;
    csv->after_cr = false;
    return BL_OK;
}

/* --- Cells -------------------------------------------------------------------------- */

static bl_status add_cell(bl_csv *csv, const char *text, size_t n, bl_err *err)
{
    if (csv->n_cells >= csv->limits->columns)
        return bli_fail(err, BL_E_LIMIT, "'%s', line %llu: more than %llu columns",
                        csv->name, (unsigned long long)csv->line + 1,
                        (unsigned long long)csv->limits->columns);
    if (csv->n_cells == csv->cap_cells) {
        void *cells = csv->cells;
        bl_status st = bli_grow(&cells, &csv->cap_cells, csv->n_cells + 1,
                                sizeof *csv->cells, "the cells of a line", err);
        if (st != BL_OK)
            return st;
        csv->cells = cells;
    }
    csv->cells[csv->n_cells++] = (bl_cell){text, n};
    return BL_OK;
}

static bool is_blank(char c, char delimiter)
{
    return (c == ' ' || c == '\t') && c != delimiter;
}

static bl_status scan_line(bl_csv *csv, const char *line, size_t n, bl_err *err)
{
    const char *at = line, *end = line + n;
    char delimiter = csv->delimiter;
    for (;;) {
        while (at < end && is_blank(*at, delimiter))
            at++;
        if (at == end && csv->n_cells == 0)
            return BL_OK; /* a blank line */
        const char *start = at;
        while (at < end && *at != delimiter)
            at++;
        const char *stop = at;
        while (stop > start && is_blank(stop[-1], delimiter))
            stop--;
        bl_status st = add_cell(csv, start, (size_t)(stop - start), err);
        if (st != BL_OK || at == end)
            return st;
        at++;
    }
}

/* --- libcsv ------------------------------------------------------------------------- */

static void on_cell(void *text, size_t n, void *cookie)
{
    bl_csv *csv = cookie;
    if (csv->status != BL_OK)
        return;
    void *copy = csv->copy;
    csv->status = bli_grow(&copy, &csv->cap_copy, csv->n_copy + n + 1, 1,
                           "the cells of a line", csv->err);
    if (csv->status != BL_OK)
        return;
    csv->copy = copy;
    if (n)
        memcpy(csv->copy + csv->n_copy, text, n);
    csv->n_copy += n;
    csv->status = add_cell(csv, NULL, n, csv->err);
}

static void on_row(int c, void *cookie)
{
    (void)c;
    ((bl_csv *)cookie)->row_done = true;
}

static bl_status parser_start(bl_csv *csv, bl_err *err)
{
    if (!csv->parser_ready &&
        csv_init(&csv->parser, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL) != 0)
        return bli_fail(err, BL_E_NOMEM, "no memory for a CSV parser");
    if (!csv->parser_ready)
        csv_set_blk_size(&csv->parser, 4096); /* its cell grows by this much a time */
    csv->parser_ready = true;
    csv_set_delim(&csv->parser, (unsigned char)csv->delimiter);
    csv->row_done = false;
    csv->status = BL_OK;
    csv->err = err;
    csv->n_copy = 0;
    return BL_OK;
}

static bl_status parse_failed(bl_csv *csv, bl_err *err)
{
    if (csv_error(&csv->parser) != CSV_EPARSE)
        return bli_fail(err, BL_E_NOMEM, "no memory for the cells of a line");
    return bli_fail(err, BL_E_DATA,
                    "'%s', line %llu: text follows a closing quote; a quote inside a "
                    "quoted cell is written twice",
                    csv->name, (unsigned long long)csv->line + 1);
}

/* Feeds n bytes. libcsv's strict mode also stops at a quote inside an unquoted cell
 * (5" pipe), which can only be text: that one byte is fed without strictness. */
static bl_status feed(bl_csv *csv, const char *text, size_t n, bl_err *err)
{
    struct csv_parser *parser = &csv->parser;
    size_t done = 0;
    while (done < n) {
        done += csv_parse(parser, text + done, n - done, on_cell, on_row, csv);
        if (done < n && csv_error(parser) == CSV_EPARSE && !parser->quoted) {
            csv_set_opts(parser, CSV_STRICT_FINI | CSV_REPALL_NL);
            size_t one = csv_parse(parser, text + done, 1, on_cell, on_row, csv);
            csv_set_opts(parser, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL);
            if (one != 1)
                return parse_failed(csv, err);
            done++;
        } else if (done < n) {
            return parse_failed(csv, err);
        }
    }
    return csv->status;
}

static bl_status finish(bl_csv *csv, uint64_t first_line, bl_err *err)
{
    if (csv_fini(&csv->parser, on_cell, on_row, csv) != 0)
        return bli_fail(
            err, BL_E_DATA,
            "'%s', line %llu: a quote in the record that begins here is never "
            "closed",
            csv->name, (unsigned long long)first_line);
    return csv->status;
}

/* One record through libcsv; its first line is *n bytes at begin. */
static bl_status libcsv_record(bl_csv *csv, size_t n, bool open, bl_next *ret_next,
                               bl_err *err)
{
    uint64_t first_line = csv->line + 1, held = 0;
    bl_status st = parser_start(csv, err);
    while (st == BL_OK) {
        size_t piece = n + (open ? 0 : 1);
        bool ends_in_cr = !open && csv->text[csv->begin + n] == '\r';
        bool rest_of_crlf = csv->after_cr && n == 0 && !open && !ends_in_cr;
        st = feed(csv, csv->text + csv->begin, piece, err);
        csv->begin += piece;
        held += piece;
        csv->after_cr = ends_in_cr;
        if (st != BL_OK || csv->row_done || open)
            break;
        if (!rest_of_crlf)
            csv->line++;
        st = get_line(csv, held, &n, &open, ret_next, err);
        if (st == BL_OK && *ret_next == BL_NEXT_MORE)
            return BL_OK;
    }
    if (st == BL_OK && !csv->row_done)
        st = finish(csv, first_line, err);
    if (st != BL_OK)
        return st;
    csv->line++;
    *ret_next = BL_NEXT_RECORD;
    const char *text = csv->copy;
    for (size_t i = 0; i < csv->n_cells; i++) {
        csv->cells[i].text = text;
        text += csv->cells[i].n;
    }
    return BL_OK;
}

bl_status bli_csv_next(bl_csv *csv, bl_record *ret_record, bl_next *ret_next, bl_err *err)
{
    size_t n;
    bool open;
    bl_status st = csv->past_mark ? BL_OK : skip_mark(csv, err);
    if (st == BL_OK)
        st = skip_lf(csv, err);
    if (st == BL_OK)
        st = get_line(csv, 0, &n, &open, ret_next, err);
    if (st != BL_OK || *ret_next != BL_NEXT_RECORD)
        return st;
    uint64_t line = csv->line + 1;
    csv->n_cells = 0;
    const char *text = csv->text + csv->begin;
    if (csv->only_libcsv || (csv->has_quote && n && memchr(text, '"', n))) {
        st = libcsv_record(csv, n, open, ret_next, err);
    } else {
        st = scan_line(csv, text, n, err);
        csv->after_cr = !open && text[n] == '\r';
        csv->begin += n + (open ? 0 : 1);
        csv->line++;
    }
    if (st == BL_OK && *ret_next == BL_NEXT_RECORD)
        *ret_record = (bl_record){line, csv->n_cells, csv->cells};
    return st;
}

bl_status bli_csv_lines(bl_csv *csv, const char **ret_text, size_t *ret_n, bl_err *err)
{
    bl_status st = csv->past_mark ? BL_OK : skip_mark(csv, err);
    if (st == BL_OK)
        st = skip_lf(csv, err);
    const char *last = NULL;
    while (st == BL_OK) {
        const char *text = csv->text + csv->begin;
        size_t n = csv->end - csv->begin;
        last = n ? memrchr(text, '\n', n) : NULL;
        /* A file of CRs, or a long line: not to be gathered here. */
        if (last || csv->at_end || n >= FIRST_CHUNK_BYTES)
            break;
        st = fill(csv, err);
    }
    if (st != BL_OK)
        return st;
    *ret_text = csv->text + csv->begin;
    *ret_n = last ? (size_t)(last - *ret_text) + 1 : 0;
    return BL_OK;
}

void bli_csv_skip(bl_csv *csv, size_t n_bytes, uint64_t n_lines)
{
    csv->begin += n_bytes;
    csv->line += n_lines;
}
