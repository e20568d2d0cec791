/* SPDX-License-Identifier: Apache-2.0 */
/* What the first two records say: which delimiter, and whether this is CSV at all. */
#include "ingest/reader.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* Blank is the last resort: it also stands beside other delimiters and inside cells. */
static const char delimiters[] = {',', ';', '\t', '|', ' '};

const char *bli_delimiter_name(char delimiter)
{
    switch (delimiter) {
    case ',':
        return "comma";
    case ';':
        return "semicolon";
    case '\t':
        return "tab";
    case '|':
        return "bar";
    default:
        return "blank";
    }
}

/* --- Two records under one delimiter ------------------------------------------------ */

static void row_done(bl_row_copy *row)
{
    free(row->cells);
    free(row->text);
    *row = (bl_row_copy){0};
}

void bli_probe_rows_done(bl_probe *probe)
{
    row_done(&probe->rows[0]);
    row_done(&probe->rows[1]);
}

void bli_probe_done(bl_probe *probe)
{
    bli_probe_rows_done(probe);
    *probe = (bl_probe){0};
}

static bl_status row_copy(const bl_record *record, bl_row_copy *ret_row, bl_err *err)
{
    size_t n_text = 0;
    for (size_t i = 0; i < record->n; i++)
        n_text += record->cells[i].n;
    void *cells, *text;
    bl_status st = bli_alloc(record->n, sizeof(bl_cell), "the first lines", &cells, err);
    if (st != BL_OK)
        return st;
    st = bli_alloc(n_text + 1, 1, "the first lines", &text, err);
    if (st != BL_OK) {
        free(cells);
        return st;
    }
    *ret_row = (bl_row_copy){record->line, record->n, cells, text};
    char *at = text;
    for (size_t i = 0; i < record->n; i++) {
        size_t n = record->cells[i].n;
        if (n)
            memcpy(at, record->cells[i].text, n);
        ret_row->cells[i] = (bl_cell){at, n};
        at += n;
    }
    return BL_OK;
}

typedef enum trial_state { TRIAL_WHOLE, TRIAL_SHORT, TRIAL_BROKEN } trial_state;

typedef struct trial {
    trial_state state;
    bl_status status; /* of a broken one */
    bl_err err;
    bl_probe probe;
} trial;

static void try_delimiter(bl_csv *csv, const char *text, size_t n, bool is_cut,
                          char delimiter, trial *ret)
{
    trial t = {.state = TRIAL_WHOLE, .probe.delimiter = delimiter};
    bl_csv *over = NULL;
    bl_next next = BL_NEXT_RECORD;
    t.status = bli_csv_over(text, n, is_cut, delimiter, csv, &over, &t.err);
    while (t.status == BL_OK && t.probe.n_rows < 2 && next == BL_NEXT_RECORD) {
        bl_record record;
        t.status = bli_csv_next(over, &record, &next, &t.err);
        if (t.status != BL_OK || next != BL_NEXT_RECORD || record.n == 0)
            continue;
        t.status = row_copy(&record, &t.probe.rows[t.probe.n_rows], &t.err);
        if (t.status == BL_OK)
            t.probe.n_rows++;
    }
    if (t.status != BL_OK)
        t.state = TRIAL_BROKEN;
    else if (next == BL_NEXT_MORE)
        t.state = TRIAL_SHORT;
    bli_csv_free(over);
    *ret = t;
}

/* --- Choosing ----------------------------------------------------------------------- */

static bool is_number(const char *text, size_t n)
{
    float value;
    return bli_read_float(text, n, &value) == BL_NUMBER_OK;
}

/* true where `by` cuts the cell into numbers only, two or more: "1,5" or "5;2". */
static bool is_numbers_between(const bl_cell *cell, char by)
{
    const char *at = cell->text, *end = at + cell->n;
    size_t n = 0;
    for (;;) {
        const char *stop = memchr(at, by, (size_t)(end - at));
        if (!is_number(at, (size_t)((stop ? stop : end) - at)))
            return false;
        n++;
        if (!stop)
            return n > 1;
        at = stop + 1;
    }
}

static bool holds_number(const bl_row_copy *row)
{
    for (size_t i = 0; i < row->n; i++)
        if (is_number(row->cells[i].text, row->cells[i].n))
            return true;
    return false;
}

static bool all_numbers(const bl_row_copy *row)
{
    for (size_t i = 0; i < row->n; i++)
        if (!is_number(row->cells[i].text, row->cells[i].n))
            return false;
    return true;
}

static bool is_consistent(const bl_probe *probe)
{
    return probe->n_rows < 2 || probe->rows[0].n == probe->rows[1].n;
}

/* A cell that another candidate cuts into numbers says that one of the two is a decimal
 * comma or the like. */
static bool is_clean(const trial *trials, const bool *in, size_t which)
{
    const bl_probe *probe = &trials[which].probe;
    for (size_t other = 0; other < BL_LEN(delimiters); other++) {
        if (other == which || !in[other])
            continue;
        for (size_t r = 0; r < probe->n_rows; r++)
            for (size_t i = 0; i < probe->rows[r].n; i++)
                if (probe->rows[r].cells[i].n &&
                    is_numbers_between(&probe->rows[r].cells[i], delimiters[other]))
                    return false;
    }
    return true;
}

static size_t count(const bool *in, size_t *ret_first)
{
    size_t n = 0;
    for (size_t i = BL_LEN(delimiters); i-- > 0;)
        if (in[i])
            n++, *ret_first = i;
    return n;
}

static size_t choose_last_resort(const trial *trials)
{
    const size_t blank = BL_LEN(delimiters) - 1;
    const bl_probe *probe = &trials[blank].probe;
    if (trials[blank].state == TRIAL_WHOLE && probe->n_rows && probe->rows[0].n > 1 &&
        (is_consistent(probe) || all_numbers(&probe->rows[0])))
        return blank;
    return 0; /* one column: nothing to cut */
}

static bl_status choose(const trial *trials, const char *name, size_t *ret_which,
                        bl_err *err)
{
    bool in[BL_LEN(delimiters)] = {false}, next[BL_LEN(delimiters)];
    const size_t blank = BL_LEN(delimiters) - 1;
    for (size_t i = 0; i < blank; i++)
        in[i] = trials[i].state == TRIAL_WHOLE && trials[i].probe.n_rows &&
                trials[i].probe.rows[0].n > 1;
    size_t n = count(in, ret_which);
    if (n == 0) {
        *ret_which = choose_last_resort(trials);
        return BL_OK;
    }
    for (int step = 0; n > 1 && step < 3; step++) {
        for (size_t i = 0; i < BL_LEN(delimiters); i++) {
            const bl_probe *probe = &trials[i].probe;
            next[i] =
                in[i] && (step == 0   ? is_consistent(probe)
                          : step == 1 ? is_clean(trials, in, i)
                                      : holds_number(&probe->rows[probe->n_rows - 1]));
        }
        size_t first;
        size_t n_next = count(next, &first);
        if (n_next == 0 && step == 1)
            break;
        if (n_next) {
            n = n_next;
            *ret_which = first;
            memcpy(in, next, sizeof in);
        }
    }
    if (n == 1)
        return BL_OK;
    size_t first = *ret_which, second = first + 1;
    while (second < blank && !in[second])
        second++;
    return bli_fail(err, BL_E_DATA,
                    "'%s', line %llu: both %s and %s could separate the cells; numbers "
                    "are written with a decimal point, and a cell that holds a delimiter "
                    "is quoted",
                    name, (unsigned long long)trials[first].probe.rows[0].line,
                    bli_delimiter_name(delimiters[first]),
                    bli_delimiter_name(delimiters[second]));
}

/* The first bound at which some delimiter gives two whole records; bounds do not depend
 * on how many bytes a read gives, so neither does the choice. */
static bl_status try_all(bl_csv *csv, trial *trials, bl_err *err)
{
    for (size_t bound = 65536;; bound *= 2) {
        const char *text;
        size_t n;
        bool at_end;
        bl_status st = bli_csv_ahead(csv, bound, &text, &n, &at_end, err);
        if (st != BL_OK)
            return st;
        bool is_cut = n > bound || !at_end, any_whole = false, any_short = false;
        for (size_t i = 0; i < BL_LEN(delimiters); i++) {
            try_delimiter(csv, text, n < bound ? n : bound, is_cut, delimiters[i],
                          &trials[i]);
            any_whole |= trials[i].state == TRIAL_WHOLE;
            any_short |= trials[i].state == TRIAL_SHORT;
        }
        if (any_whole)
            return BL_OK;
        if (!any_short) {
            if (err)
                *err = trials[0].err;
            return trials[0].status;
        }
        for (size_t i = 0; i < BL_LEN(delimiters); i++)
            bli_probe_done(&trials[i].probe);
    }
}

bl_status bli_probe(bl_csv *csv, const char *name, char prefer, size_t prefer_n,
                    bl_probe *ret_probe, bl_err *err)
{
    trial *trials = calloc(BL_LEN(delimiters), sizeof *trials);
    if (!trials)
        return bli_fail(err, BL_E_NOMEM, "no memory for the first lines");
    size_t which = BL_LEN(delimiters);
    bl_status st = try_all(csv, trials, err);
    for (size_t i = 0; st == BL_OK && i < BL_LEN(delimiters); i++)
        if (prefer == delimiters[i] && trials[i].state == TRIAL_WHOLE &&
            trials[i].probe.n_rows && trials[i].probe.rows[0].n == prefer_n)
            which = i;
    if (st == BL_OK && which == BL_LEN(delimiters))
        st = choose(trials, name, &which, err);
    if (st == BL_OK && trials[which].state == TRIAL_BROKEN) {
        st = trials[which].status;
        if (err)
            *err = trials[which].err;
    }
    if (st == BL_OK) {
        *ret_probe = trials[which].probe;
        trials[which].probe = (bl_probe){0};
    }
    for (size_t i = 0; i < BL_LEN(delimiters); i++)
        bli_probe_done(&trials[i].probe);
    free(trials);
    return st;
}

/* --- Other formats ------------------------------------------------------------------ */

static const struct {
    const char *magic;
    size_t n;
    const char *what;
} magics[] = {
    {"PAR1\x15", 5, "a Parquet file"},
    {"\x0a\x23\xd7\xce", 4, "a RecordIO file"},
    {"\x89HDF\r\n\x1a\n", 8, "an HDF5 file"},
    {"PK\x03\x04", 4, "a zip archive (or a spreadsheet)"},
    {"\x28\xb5\x2f\xfd", 4, "compressed by zstd"},
    {"\xfd"
     "7zXZ",
     5, "compressed by xz"},
    {"BZh91AY&SY", 10, "compressed by bzip2"},
    {"\xff\xfe", 2, "UTF-16 text"},
    {"\xfe\xff", 2, "UTF-16 text"},
};

/* "1 3:0.5 7:2", "2 qid:1 1:3": every token after the first is index:value. */
static bool is_libsvm(const char *line, size_t n)
{
    const char *at = line, *end = line + n;
    size_t n_tokens = 0;
    for (;;) {
        while (at < end && (*at == ' ' || *at == '\t'))
            at++;
        if (at == end || *at == '#')
            return n_tokens > 1;
        const char *start = at, *colon = NULL;
        while (at < end && *at != ' ' && *at != '\t') {
            if (*at == ':' && !colon)
                colon = at;
            at++;
        }
        int64_t index;
        if (n_tokens++ == 0) {
            if (!is_number(start, (size_t)((colon ? colon : at) - start)))
                return false;
            continue;
        }
        bool is_qid = colon == start + 3 && memcmp(start, "qid", 3) == 0;
        if (!colon ||
            (!is_qid && !bli_read_int(start, (size_t)(colon - start), &index)) ||
            !is_number(colon + 1, (size_t)(at - colon - 1)))
            return false;
    }
}

bl_status bli_refuse_other_formats(bl_csv *csv, const char *name, bool guess_libsvm,
                                   bl_err *err)
{
    const char *text;
    size_t n;
    bool at_end;
    bl_status st = bli_csv_ahead(csv, 65536, &text, &n, &at_end, err);
    if (st != BL_OK)
        return st;
    for (size_t i = 0; i < BL_LEN(magics); i++)
        if (n >= magics[i].n && memcmp(text, magics[i].magic, magics[i].n) == 0)
            return bli_fail(err, BL_E_DATA,
                            "'%s' is %s; what is read here is CSV text, plain or gzip",
                            name, magics[i].what);
    if (!guess_libsvm)
        return BL_OK;
    size_t length = 0;
    while (length < n && text[length] != '\n' && text[length] != '\r')
        length++;
    if (is_libsvm(text, length))
        return bli_fail(err, BL_E_DATA,
                        "'%s': the first line is libsvm text (index:value), which is not "
                        "read by this version; if it is CSV, say so by ContentType "
                        "text/csv",
                        name);
    return BL_OK;
}
