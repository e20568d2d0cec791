/* SPDX-License-Identifier: Apache-2.0 */
/* Cells into whole columns: numbers in double, texts as codes. */
#include "ingest/frame_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTES_MAX 20

void bli_frame_free(bl_frame *frame)
{
    if (!frame)
        return;
    for (size_t i = 0; frame->columns && i < frame->n_columns; i++) {
        free(frame->columns[i].name);
        free(frame->columns[i].numbers);
        free(frame->columns[i].codes);
        bli_levels_free(frame->columns[i].levels);
    }
    free(frame->columns);
    for (size_t i = 0; frame->file_columns && i < frame->n_file_columns; i++)
        free(frame->file_columns[i]);
    free(frame->file_columns);
    bli_files_done(&frame->files);
    free(frame);
}

void bli_frame_build_done(bl_frame_build *build)
{
    free(build->states);
    free(build->slot);
    bli_frame_free(build->frame);
}

const char *bli_frame_place(const bl_frame *frame, uint64_t row, char *out, size_t max)
{
    const bl_files *files = &frame->files;
    size_t f = 0;
    row += frame->first_row;
    while (f + 1 < files->n && files->file[f + 1].first_row <= row)
        f++;
    snprintf(out, max, "'%s', row %llu (from 0)", files->n ? files->file[f].path : "",
             (unsigned long long)(row - (files->n ? files->file[f].first_row : 0)));
    return out;
}

/* --- Columns ------------------------------------------------------------------------ */

static bl_status copy_file_columns(bl_frame *frame, size_t n, const char *const *names,
                                   bl_err *err)
{
    void *block;
    bl_status st = bli_alloc(n, sizeof(char *), "column names", &block, err);
    if (st != BL_OK)
        return st;
    frame->file_columns = block;
    frame->n_file_columns = n;
    for (size_t i = 0; st == BL_OK && i < n; i++)
        if (names[i])
            st = bli_strdup(names[i], &frame->file_columns[i], err);
    return st;
}

static bl_missing missing_of(const bl_frame_build *build, const bl_frame_want *want)
{
    bl_read_settings own = {.missing_texts_given = true};
    if (!want->texts)
        return bli_missing(build->ingest->settings);
    own.missing_texts = *want->texts;
    return bli_missing(&own);
}

static bl_status add_column(bl_frame_build *build, size_t place, const char *name,
                            const bl_frame_want *want, bl_err *err)
{
    bl_frame *frame = build->frame;
    bl_frame_state *state = &build->states[frame->n_columns];
    bl_frame_column *column = &frame->columns[frame->n_columns++];
    *state = (bl_frame_state){.want = *want, .missing = missing_of(build, want)};
    *column = (bl_frame_column){
        .place = place, .tag = want->tag, .kind = want->kind, .is_whole = true};
    bl_status st = name ? bli_strdup(name, &column->name, err) : BL_OK;
    return st == BL_OK ? bli_levels_new(&column->levels, err) : st;
}

bl_status bli_frame_columns(bl_frame_build *build, size_t n, const char *const *names,
                            bl_err *err)
{
    bl_frame *frame = build->frame;
    void *columns, *states;
    bl_frame_want *wants = calloc(n + 1, sizeof *wants);
    if (!wants)
        return bli_fail(err, BL_E_NOMEM, "no memory for %zu columns", n);
    for (size_t i = 0; i < n; i++)
        wants[i] =
            (bl_frame_want){.kind = BL_FRAME_AUTO, .takes_missing = true, .tag = i};
    bl_status st = copy_file_columns(frame, n, names, err);
    if (st == BL_OK)
        st = build->ask->choose(build->ask->cookie, build->name, n, names, wants, err);
    size_t n_kept = 0;
    for (size_t i = 0; st == BL_OK && i < n; i++)
        n_kept += wants[i].kind != BL_FRAME_SKIP;
    if (st == BL_OK)
        st = bli_alloc(n_kept, sizeof(bl_frame_column), "columns", &columns, err);
    if (st == BL_OK) {
        frame->columns = columns;
        st = bli_alloc(n_kept, sizeof(bl_frame_state), "columns", &states, err);
    }
    if (st == BL_OK)
        build->states = states;
    for (size_t i = 0; st == BL_OK && i < n; i++)
        if (wants[i].kind != BL_FRAME_SKIP)
            st = add_column(build, i, names[i], &wants[i], err);
    free(wants);
    return st;
}

/* --- Room --------------------------------------------------------------------------- */

static bl_status grow_numbers(bl_frame_column *column, size_t cap, bl_err *err)
{
    double *numbers = realloc(column->numbers, cap * sizeof *numbers);
    if (!numbers)
        return bli_fail(err, BL_E_NOMEM, "no memory for a column of %zu rows", cap);
    column->numbers = numbers;
    return BL_OK;
}

static bl_status grow_codes(bl_frame_column *column, size_t cap, bl_err *err)
{
    uint32_t *codes = realloc(column->codes, cap * sizeof *codes);
    if (!codes)
        return bli_fail(err, BL_E_NOMEM, "no memory for a column of %zu rows", cap);
    column->codes = codes;
    return BL_OK;
}

static bl_status grow(bl_frame_build *build, bl_err *err)
{
    bl_frame *frame = build->frame;
    size_t cap = build->cap_rows < 64 ? 64 : build->cap_rows + build->cap_rows / 2;
    bl_status st = BL_OK;
    if (frame->n_rows >= build->ingest->limits->rows)
        return bli_fail(err, BL_E_LIMIT, "more than %llu rows",
                        (unsigned long long)build->ingest->limits->rows);
    if (frame->n_rows < build->cap_rows)
        return BL_OK;
    for (size_t k = 0; st == BL_OK && k < frame->n_columns; k++) {
        bl_frame_column *column = &frame->columns[k];
        bool text = column->kind == BL_FRAME_TEXT;
        if (!text)
            st = grow_numbers(column, cap, err);
        if (st == BL_OK && (text || column->codes))
            st = grow_codes(column, cap, err);
    }
    if (st == BL_OK)
        build->cap_rows = cap;
    return st;
}

/* --- Cells -------------------------------------------------------------------------- */

static bl_status at_cell(const bl_frame_build *build, const bl_record *record, size_t i,
                         bl_status st, bl_err *err)
{
    const bl_frame_column *column = &build->frame->columns[build->slot[i]];
    char quoted[80];
    if (column->name)
        bli_err_prefix(
            err, "'%s', line %llu, column '%s'", build->name,
            (unsigned long long)record->line,
            bli_quote(column->name, strlen(column->name), quoted, sizeof quoted));
    else
        bli_err_prefix(err, "'%s', line %llu, column %zu", build->name,
                       (unsigned long long)record->line, column->place);
    return st;
}

static bl_cell_kind read_number(const bl_frame_state *state, const bl_cell *cell,
                                double *ret)
{
    float narrow;
    bl_cell_kind kind = bli_read_cell(&state->missing, cell->text, cell->n, &narrow);
    *ret = (double)narrow;
    if (state->want.as_float || (kind != BL_CELL_NUMBER && kind != BL_CELL_INFINITE))
        return kind;
    return bli_read_double(cell->text, cell->n, ret) == BL_NUMBER_OK ? BL_CELL_NUMBER
                                                                     : BL_CELL_INFINITE;
}

static bl_status refuse_text(const bl_frame_build *build, const bl_record *record,
                             size_t i, bl_err *err)
{
    char shown[BL_CELL_TEXT_MAX], hint[200] = "";
    const bl_cell *cell = &record->cells[i];
    if (build->is_first_record && build->no_header_why)
        snprintf(hint, sizeof hint,
                 "; line 1 is read as data because %s: bl_header=yes makes it the header",
                 build->no_header_why);
    bl_status st = bli_fail(
        err, BL_E_DATA,
        "'%s' is no number, but the column is read as numbers; name the text under "
        "\"missing\" if it means missing, or give the column \"type\": \"category\"%s",
        bli_quote(cell->text, cell->n, shown, sizeof shown), hint);
    return at_cell(build, record, i, st, err);
}

static bl_status refuse_mixed(const bl_frame_build *build, const bl_record *record,
                              size_t i, bl_err *err)
{
    char shown[BL_CELL_TEXT_MAX];
    const bl_frame_column *column = &build->frame->columns[build->slot[i]];
    const bl_frame_state *state = &build->states[build->slot[i]];
    const char *text = column->kind == BL_FRAME_TEXT ? bli_levels_text(column->levels, 0)
                                                     : record->cells[i].text;
    size_t n = column->kind == BL_FRAME_TEXT ? strlen(text) : record->cells[i].n;
    bli_quote(text, n, shown, sizeof shown);
    bl_status st = bli_fail(
        err, BL_E_DATA,
        "the column holds both numbers and text ('%s'%s%.0llu); name the text under "
        "\"missing\" if it means missing, or give the column \"type\": \"category\" to "
        "make every cell a category",
        shown, column->kind == BL_FRAME_TEXT ? ", line " : "",
        column->kind == BL_FRAME_TEXT ? (unsigned long long)state->line : 0ULL);
    return at_cell(build, record, i, st, err);
}

static void note_losses(bl_frame_build *build, const bl_record *record, size_t i,
                        double value)
{
    bl_frame_state *state = &build->states[build->slot[i]];
    const bl_cell *cell = &record->cells[i];
    bool rounded = bli_is_rounded(cell->text, cell->n, (float)value);
    if (!rounded && !bli_is_vanished(cell->text, cell->n, (float)value))
        return;
    if (state->n_rounded + state->n_vanished == 0) {
        state->line = record->line;
        state->file = build->file;
    }
    state->n_rounded += rounded;
    state->n_vanished += !rounded;
}

/* Digits, perhaps a sign before them; True and False are whole too. */
static bool is_written_whole(const bl_cell *cell)
{
    for (size_t i = 0; i < cell->n; i++)
        if (cell->text[i] == '.' || ((cell->text[i] | 0x20) == 'e' && i + 1 < cell->n))
            return false;
    return true;
}

static bl_status put_number(bl_frame_build *build, const bl_record *record, size_t i,
                            bl_cell_kind cell_kind, double value, bl_err *err)
{
    bl_frame_column *column = &build->frame->columns[build->slot[i]];
    bl_frame_state *state = &build->states[build->slot[i]];
    const bl_cell *cell = &record->cells[i];
    char shown[BL_CELL_TEXT_MAX];
    if (cell_kind == BL_CELL_INFINITE &&
        !(state->want.unbounded && isinf(value) &&
          (state->want.overflows || !memchr("0123456789.", cell->text[cell->n - 1], 11))))
        return at_cell(
            build, record, i,
            bli_fail(err, BL_E_DATA,
                     "'%s' is infinite or larger than a number holds; if it means "
                     "missing, name it under \"missing\"",
                     bli_quote(cell->text, cell->n, shown, sizeof shown)),
            err);
    if (column->kind == BL_FRAME_AUTO && !state->want.is_mixed)
        column->kind = BL_FRAME_NUMBER;
    column->n_true_false += cell_kind == BL_CELL_TRUE_FALSE;
    if (column->is_whole)
        column->is_whole = is_written_whole(cell) && fabs(value) <= 9007199254740992.0;
    if (state->want.as_float && (value == 0 || fabs(value) >= 16777216.0))
        note_losses(build, record, i, value);
    if (state->want.takes_missing && (float)value == build->ingest->settings->missing) {
        column->n_missing++;
        value = (double)NAN;
    }
    column->numbers[build->frame->n_rows] = value;
    return BL_OK;
}

static bl_status put_text(bl_frame_build *build, const bl_record *record, size_t i,
                          bl_err *err)
{
    bl_frame_column *column = &build->frame->columns[build->slot[i]];
    const bl_cell *cell = &record->cells[i];
    uint32_t code = 0;
    bl_status st = bli_levels_add(column->levels, cell->text, cell->n,
                                  build->ingest->limits->levels, &code, err);
    if (st != BL_OK)
        return at_cell(build, record, i, st, err);
    column->codes[build->frame->n_rows] = code;
    return BL_OK;
}

/* The first text of an open column: codes for the rows so far, all missing. */
static bl_status begin_texts(bl_frame_build *build, const bl_record *record, size_t k,
                             bl_err *err)
{
    bl_frame_column *column = &build->frame->columns[k];
    bl_frame_state *state = &build->states[k];
    bl_status st = grow_codes(column, build->cap_rows, err);
    if (st != BL_OK)
        return st;
    for (uint64_t r = 0; r < build->frame->n_rows; r++)
        column->codes[r] = BL_NO_LEVEL;
    state->line = record->line;
    state->file = build->file;
    if (!state->want.is_mixed) {
        column->kind = BL_FRAME_TEXT;
        free(column->numbers);
        column->numbers = NULL;
    }
    return BL_OK;
}

static bl_status add_cell(bl_frame_build *build, const bl_record *record, size_t i,
                          bl_err *err)
{
    size_t k = build->slot[i];
    bl_frame_column *column = &build->frame->columns[k];
    bl_frame_state *state = &build->states[k];
    const bl_cell *cell = &record->cells[i];
    uint64_t row = build->frame->n_rows;
    if (column->codes)
        column->codes[row] = BL_NO_LEVEL;
    if (column->numbers)
        column->numbers[row] = (double)NAN;
    if (!state->want.verbatim && bli_is_missing(&state->missing, cell->text, cell->n)) {
        column->n_missing++;
        return BL_OK;
    }
    if (state->want.kind == BL_FRAME_TEXT)
        return put_text(build, record, i, err);
    double value;
    bl_cell_kind kind = read_number(state, cell, &value);
    if (kind != BL_CELL_TEXT)
        return column->kind == BL_FRAME_TEXT
                   ? refuse_mixed(build, record, i, err)
                   : put_number(build, record, i, kind, value, err);
    if (state->want.kind == BL_FRAME_NUMBER)
        return refuse_text(build, record, i, err);
    if (column->kind == BL_FRAME_NUMBER)
        return refuse_mixed(build, record, i, err);
    bl_status st = column->codes ? BL_OK : begin_texts(build, record, k, err);
    return st == BL_OK ? put_text(build, record, i, err) : st;
}

bl_status bli_frame_record(bl_frame_build *build, const bl_record *record, bl_err *err)
{
    if (record->n != build->n_cells)
        return bli_fail(err, BL_E_DATA, "'%s', line %llu: %zu cell%s, expected %zu",
                        build->name, (unsigned long long)record->line, record->n,
                        record->n == 1 ? "" : "s", build->n_cells);
    bl_status st = grow(build, err);
    for (size_t i = 0; st == BL_OK && i < record->n; i++)
        if (build->slot[i] != BL_NO_SLOT)
            st = add_cell(build, record, i, err);
    if (st != BL_OK)
        return st;
    build->frame->n_rows++;
    build->frame->files.file[build->file].n_rows++;
    build->is_first_record = false;
    return BL_OK;
}

void bli_frame_clear(bl_frame *frame)
{
    frame->first_row += frame->n_rows;
    frame->n_rows = 0;
    for (size_t k = 0; k < frame->n_columns; k++)
        frame->columns[k].n_missing = 0;
}

/* --- After the last ------------------------------------------------------------------- */

static void note_column(const bl_frame_build *build, size_t k)
{
    const bl_frame_column *column = &build->frame->columns[k];
    const bl_frame_state *state = &build->states[k];
    const bl_log *log = build->ingest->log;
    char name[120];
    if (column->name)
        snprintf(name, sizeof name, "column '%.80s'", column->name);
    else
        snprintf(name, sizeof name, "column %zu", column->place);
    if (column->n_true_false)
        bli_log(log, BL_NOTE, "ingest", "%s: %llu cells True or False are read as 1 or 0",
                name, (unsigned long long)column->n_true_false);
    if (state->n_rounded + state->n_vanished)
        bli_log(log, BL_WARNING, "ingest",
                "%s: %llu numbers do not fit float32 and become others (the first: '%s', "
                "line %llu)",
                name, (unsigned long long)(state->n_rounded + state->n_vanished),
                build->frame->files.file[state->file].path,
                (unsigned long long)state->line);
}

void bli_frame_finish(bl_frame_build *build)
{
    bl_frame *frame = build->frame;
    size_t n_notes = 0;
    uint64_t n_missing = 0;
    if (build->ask->is_peek)
        return;
    for (size_t k = 0; k < frame->n_columns; k++) {
        bl_frame_column *column = &frame->columns[k];
        const bl_frame_state *state = &build->states[k];
        /* Not one cell decided, or only numbers where both could have stood. */
        if (column->kind == BL_FRAME_AUTO && !column->codes)
            column->kind = BL_FRAME_NUMBER;
        n_missing += column->n_missing;
        if ((column->n_true_false || state->n_rounded || state->n_vanished) &&
            n_notes++ < NOTES_MAX)
            note_column(build, k);
    }
    bli_log(build->ingest->log, BL_INFO, "ingest",
            "%s%s%llu rows of %zu columns from %zu file%s: %llu cells missing",
            build->ingest->channel ? build->ingest->channel : "",
            build->ingest->channel ? ": " : "",
            (unsigned long long)(frame->first_row + frame->n_rows), frame->n_columns,
            frame->files.n, frame->files.n == 1 ? "" : "s",
            (unsigned long long)n_missing);
}
