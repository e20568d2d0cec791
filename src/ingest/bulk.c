/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plain lines by the piece: the text read ahead is cut into pieces at line ends, the pieces
 * are read side by side, and their rows are put into the table in order. A piece ends early
 * at a line that is not plain; what was read beyond it is read again, so pieces are small
 * after such a line and grow as long as all is well.
 */
#include "ingest/plain.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_BYTES 131072
#define SMALL_BYTES 4096
#define PIECES_MAX  8
#define WAIT_MAX    512

struct bl_plain_reader {
    bl_build *build;
    bl_plain plain;
    size_t n_features;
    size_t *cell;  /* [n_features] cell of each */
    size_t window; /* bytes to take at a time */
    /* After a line that is not plain, records to leave to the ordinary way: more and more
     * where plain lines never come. */
    size_t wait, next_wait;
    float *values[PIECES_MAX];
    size_t cap[PIECES_MAX]; /* floats */
};

bl_status bli_plain_reader_new(bl_build *build, char delimiter,
                               bl_plain_reader **ret_reader, bl_err *err)
{
    void *block, *cell;
    bl_status st =
        bli_alloc(1, sizeof(bl_plain_reader), "a reader of lines", &block, err);
    if (st != BL_OK)
        return st;
    bl_plain_reader *reader = block;
    reader->build = build;
    reader->window = SMALL_BYTES;
    reader->n_features = build->table->n_features;
    st = bli_alloc(reader->n_features, sizeof(size_t), "column roles", &cell, err);
    if (st == BL_OK) {
        reader->cell = cell;
        st = bli_plain_init(&reader->plain, build, delimiter, err);
    }
    if (st != BL_OK) {
        bli_plain_reader_free(reader);
        return st;
    }
    for (size_t i = 0; i < build->n_cells; i++)
        if (build->uses[i].role == BL_ROLE_FEATURE)
            reader->cell[build->uses[i].k] = i;
    *ret_reader = reader;
    return BL_OK;
}

void bli_plain_reader_free(bl_plain_reader *reader)
{
    if (!reader)
        return;
    for (size_t i = 0; i < PIECES_MAX; i++)
        free(reader->values[i]);
    bli_plain_done(&reader->plain);
    free(reader->cell);
    free(reader);
}

/* --- Rows into the table ------------------------------------------------------------ */

static void put_features(const bl_plain_reader *reader, const float *row, float *x)
{
    bl_column *columns = reader->build->table->columns;
    float missing = reader->build->ingest->settings->missing;
    for (size_t k = 0; k < reader->n_features; k++) {
        float value = row[reader->cell[k]];
        if (value == missing)
            value = NAN;
        columns[k].n_missing += isnan(value) != 0;
        columns[k].n_zero += value == 0;
        x[k] = value;
    }
}

static void put_roles(bl_plain_reader *reader, const float *row, uint64_t at)
{
    bl_build *build = reader->build;
    bl_roles *roles = &build->table->roles;
    for (size_t n = 0; n < reader->plain.n_needed; n++) {
        size_t i = reader->plain.needed[n];
        const bl_use *use = &build->uses[i];
        switch (use->role) {
        case BL_ROLE_LABEL:
            roles->labels[at * roles->n_labels + use->k] = row[i];
            break;
        case BL_ROLE_WEIGHT:
            roles->weights[at] = row[i];
            build->n_weight_zero += row[i] == 0;
            break;
        case BL_ROLE_LOWER:
            roles->lower_bounds[at] = row[i];
            break;
        case BL_ROLE_UPPER:
            roles->upper_bounds[at] = row[i];
            break;
        default:
            roles->base_margins[at * roles->n_base_margins + use->k] = row[i];
        }
    }
}

/* An open column that holds a number is one of numbers from now on. */
static void settle_open_columns(bl_plain_reader *reader, const bl_plain_rows *rows)
{
    bl_build *build = reader->build;
    for (size_t k = 0; k < reader->n_features; k++) {
        size_t i = reader->cell[k];
        bl_column_state *state = &build->states[build->uses[i].column];
        if (state->kind != BL_KIND_OPEN)
            continue;
        for (size_t r = 0; r < rows->n_rows && state->kind == BL_KIND_OPEN; r++)
            if (!isnan(rows->values[r * reader->plain.n_cells + i]))
                state->kind = BL_KIND_NUMBER;
    }
}

/* Rows of a piece, fewer where the part is full or the next one is to be refused. */
static bl_status put_rows(bl_plain_reader *reader, const bl_plain_rows *rows,
                          size_t *ret_n_put, bl_err *err)
{
    bl_build *build = reader->build;
    bl_table *table = build->table;
    size_t n = 0;
    uint64_t most = build->ingest->limits->rows - build->rows_before;
    for (; n < rows->n_rows && table->n_rows < most && !bli_build_is_full(build); n++) {
        const float *row = rows->values + n * reader->plain.n_cells;
        float *x = NULL;
        bl_status st = bli_build_next_row(build, &x, err);
        if (st != BL_OK)
            return st;
        put_features(reader, row, x);
        put_roles(reader, row, table->n_rows);
        table->blocks[table->n_blocks - 1].n_rows++;
        table->n_rows++;
    }
    table->files.file[build->file].n_rows += n;
    settle_open_columns(reader, rows);
    *ret_n_put = n;
    return BL_OK;
}

/* Bytes of the first n lines. */
static size_t bytes_of_lines(const char *text, size_t n)
{
    const char *at = text;
    while (n-- > 0)
        at = (const char *)rawmemchr(at, '\n') + 1;
    return (size_t)(at - text);
}

/* --- Pieces ------------------------------------------------------------------------- */

/* Cuts up to PIECES_MAX pieces of whole lines out of the first n bytes. */
static size_t cut(const char *text, size_t n, bl_plain_rows *pieces)
{
    size_t n_pieces = 0, at = 0;
    while (at < n && n_pieces < PIECES_MAX) {
        size_t end = n - at > PIECE_BYTES ? at + PIECE_BYTES : n;
        if (end < n) {
            const char *lf = memrchr(text + at, '\n', end - at);
            if (!lf)
                lf = memchr(text + end, '\n', n - end); /* one long line */
            end = (size_t)(lf - text) + 1;
        }
        pieces[n_pieces++] = (bl_plain_rows){.text = text + at, .n_bytes = end - at};
        at = end;
    }
    return n_pieces;
}

static bl_status make_room(bl_plain_reader *reader, bl_plain_rows *pieces,
                           size_t n_pieces, bl_err *err)
{
    for (size_t i = 0; i < n_pieces; i++) {
        if (reader->cap[i] < pieces[i].n_bytes) {
            free(reader->values[i]);
            reader->cap[i] = 0;
            reader->values[i] = malloc(pieces[i].n_bytes * sizeof(float));
            if (!reader->values[i])
                return bli_fail(err, BL_E_NOMEM, "no memory for %zu bytes of lines",
                                pieces[i].n_bytes);
            reader->cap[i] = pieces[i].n_bytes;
        }
        pieces[i].values = reader->values[i];
    }
    return BL_OK;
}

static void wait_longer(bl_plain_reader *reader)
{
    reader->wait = reader->next_wait;
    reader->next_wait = reader->next_wait ? reader->next_wait * 2 : 1;
    if (reader->next_wait > WAIT_MAX)
        reader->next_wait = WAIT_MAX;
}

static bool can_be_plain(const bl_build *build)
{
    return build->n_text == 0 && !build->is_first_record;
}

bl_status bli_plain_advance(bl_plain_reader *reader, bl_csv *csv, bool *ret_more,
                            bl_err *err)
{
    const char *text;
    size_t n;
    *ret_more = false;
    if (!can_be_plain(reader->build) || (reader->wait && reader->wait--))
        return BL_OK;
    bl_status st = bli_csv_lines(csv, &text, &n, err);
    if (st == BL_OK && n == 0)
        wait_longer(reader);
    if (st != BL_OK || n == 0)
        return st;
    if (n > reader->window) {
        const char *lf = memrchr(text, '\n', reader->window);
        n = lf ? (size_t)(lf - text) + 1 : bytes_of_lines(text, 1);
    }
    bl_plain_rows pieces[PIECES_MAX];
    size_t n_pieces = cut(text, n, pieces);
    st = make_room(reader, pieces, n_pieces, err);
    if (st != BL_OK)
        return st;
    const bl_plain *plain = &reader->plain;
#pragma omp parallel for schedule(dynamic, 1) if (n_pieces > 1)
    for (size_t i = 0; i < n_pieces; i++)
        bli_plain_read(plain, &pieces[i]);
    bool whole = true;
    if (pieces[0].n_rows == 0)
        wait_longer(reader);
    else
        reader->next_wait = 0;
    for (size_t i = 0; i < n_pieces && whole; i++) {
        size_t n_put = 0;
        st = put_rows(reader, &pieces[i], &n_put, err);
        if (st != BL_OK)
            return st;
        bool all = n_put == pieces[i].n_rows;
        bli_csv_skip(csv, all ? pieces[i].n_read : bytes_of_lines(pieces[i].text, n_put),
                     n_put);
        whole = all && pieces[i].n_read == pieces[i].n_bytes;
    }
    if (!whole && !bli_build_is_full(reader->build))
        reader->window = SMALL_BYTES;
    else if (reader->window < PIECES_MAX * (size_t)PIECE_BYTES)
        reader->window *= 2;
    *ret_more = whole;
    return BL_OK;
}
