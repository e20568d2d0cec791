/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A transform met with rows: levels are looked up once a level, then every cell is arithmetic,
 * the same for one row and for a million.
 */
#include "preprocess/transform_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bli_bound_done(bl_bound *bound)
{
    for (size_t s = 0; bound->sources && s < bound->t->n_sources; s++) {
        free(bound->sources[s].code);
        free(bound->sources[s].table);
    }
    free(bound->sources);
    free(bound->by_place);
    *bound = (bl_bound){0};
}

static uint64_t row_of(const bl_bound *bound, uint64_t i)
{
    return bound->row ? bound->row[i] : i;
}

/* A level that nothing is known of: refused at its first row, or missing. */
static bl_status refuse_level(const bl_bound *bound, const bl_source *source,
                              const bl_frame_column *column, uint32_t level,
                              const char *why, bl_err *err)
{
    char quoted[80], place[200], name[80];
    const char *text = bli_levels_text(column->levels, level);
    uint64_t i = 0;
    while (i < bound->n_rows && column->codes[row_of(bound, i)] != level)
        i++;
    if (i == bound->n_rows)
        return BL_OK; /* in no row that is used */
    return bli_fail(err, BL_E_DATA, "%s, column '%s': '%s' %s",
                    bli_frame_place(bound->frame, row_of(bound, i), place, sizeof place),
                    bli_quote(source->name, strlen(source->name), name, sizeof name),
                    bli_quote(text, strlen(text), quoted, sizeof quoted), why);
}

static bl_status bind_date(const bl_bound *bound, const bl_source *source,
                           bl_bound_source *into, bl_err *err)
{
    const bl_entry *entry = bli_source_entry(bound->t, source);
    const bl_step *step = &entry->steps[bli_text_steps(entry->steps, entry->n_steps) - 1];
    const bl_levels *levels = into->column->levels;
    size_t n = bli_levels_count(levels), w = source->width;
    void *block;
    bl_status st = bli_alloc((n + 1) * w, sizeof(double), "dates", &block, err);
    if (st != BL_OK)
        return st;
    into->table = block;
    for (uint32_t c = 0; st == BL_OK && c <= n; c++) {
        double seconds = (double)NAN;
        bool good =
            c < n && bli_date_read(bli_levels_text(levels, c), step->text, &seconds);
        for (size_t k = 0; k < w; k++)
            into->table[c * w + k] =
                good ? bli_date_part_of(seconds, step->parts[k]) : (double)NAN;
        if (!good && c < n && source->unseen == BL_UNSEEN_ERROR)
            st =
                refuse_level(bound, source, into->column, c,
                             step->text ? "is no date of the plan's format"
                                        : "is no date (as 2024-02-29 or "
                                          "2024-02-29T13:05:09); \"format\" says another "
                                          "way to write it",
                             err);
    }
    return st;
}

static bl_status bind_levels(const bl_bound *bound, const bl_source *source,
                             bl_bound_source *into, uint64_t *n_unseen, bl_err *err)
{
    const bl_levels *levels = into->column->levels;
    uint32_t n = bli_levels_count(levels), missing = bli_levels_count(source->known);
    void *block;
    bl_status st = bli_alloc((size_t)n + 1, sizeof(uint32_t), "levels", &block, err);
    if (st != BL_OK)
        return st;
    into->code = block;
    if (source->filled != BL_NO_LEVEL)
        missing = source->filled;
    into->code[n] = missing;
    for (uint32_t c = 0; st == BL_OK && c < n; c++) {
        const char *text = bli_levels_text(levels, c);
        uint32_t code = bli_levels_find(source->known, text, strlen(text));
        if (code == BL_NO_LEVEL)
            code = source->other;
        into->code[c] = code == BL_NO_LEVEL ? missing : code;
        if (code != BL_NO_LEVEL)
            continue;
        if (source->unseen == BL_UNSEEN_ERROR) {
            char why[160];
            snprintf(why, sizeof why,
                     "was not seen in training, which knows %u levels; \"unseen\": "
                     "\"missing\" in the plan takes such cells as missing",
                     bli_levels_count(source->known));
            st = refuse_level(bound, source, into->column, c, why, err);
        }
        ++*n_unseen;
    }
    return st;
}

static bl_status bind_source(bl_bound *bound, size_t s, uint64_t *n_unseen, bl_err *err)
{
    const bl_source *source = &bound->t->sources[s];
    bl_bound_source *into = &bound->sources[s];
    into->column = bound->by_place[source->place];
    if (!into->column)
        return bli_fail(err, BL_E_DATA, "column '%.80s' was not read", source->name);
    if (source->is_text != (into->column->kind == BL_FRAME_TEXT)) {
        /* A column without a single value is of no kind. */
        if (source->is_text && into->column->n_missing == bound->frame->n_rows)
            return BL_OK;
        return bli_fail(err, BL_E_DATA, "column '%.80s' holds %s, in training it held %s",
                        source->name, source->is_text ? "numbers" : "text",
                        source->is_text ? "text" : "numbers");
    }
    if (!source->is_text)
        return BL_OK;
    return source->encode == BL_STEP_DATE
               ? bind_date(bound, source, into, err)
               : bind_levels(bound, source, into, n_unseen, err);
}

bl_status bli_bind(const bl_transform *t, const bl_frame *frame, const uint64_t *row,
                   uint64_t n_rows, bool training, const bl_log *log, bl_bound *ret_bound,
                   bl_err *err)
{
    bl_bound bound = {
        .t = t, .frame = frame, .row = row, .n_rows = n_rows, .training = training};
    void *block;
    uint64_t n_unseen = 0;
    bl_status st = bli_frame_places(t, frame, &bound.by_place, err);
    if (st == BL_OK) {
        st = bli_alloc(t->n_sources, sizeof(bl_bound_source), "columns", &block, err);
        bound.sources = st == BL_OK ? block : NULL;
    }
    for (size_t s = 0; st == BL_OK && s < t->n_sources; s++)
        st = bind_source(&bound, s, &n_unseen, err);
    if (st != BL_OK) {
        bli_bound_done(&bound);
        return st;
    }
    if (n_unseen)
        bli_log(log, BL_WARNING, "preprocess",
                "%llu levels were not seen in training; their cells are taken as missing",
                (unsigned long long)n_unseen);
    bound.n_unseen = n_unseen;
    *ret_bound = bound;
    return BL_OK;
}

/* --- Cells ----------------------------------------------------------------------------- */

static void fill_numbers(const bl_bound *bound, const bl_bound_source *from,
                         uint64_t first, uint64_t n, double *out)
{
    const double *x = from->column->numbers;
    if (bound->row)
        for (uint64_t i = 0; i < n; i++)
            out[i] = x[bound->row[first + i]];
    else
        memcpy(out, x + first, (size_t)n * sizeof *out);
}

/* The code of a row's level, or `missing`. */
static uint32_t code_of(const bl_bound *bound, const bl_bound_source *from, uint64_t i,
                        uint32_t missing)
{
    if (!from->code)
        return missing;
    uint32_t raw = from->column->codes[row_of(bound, i)];
    return raw == BL_NO_LEVEL ? from->code[bli_levels_count(from->column->levels)]
                              : from->code[raw];
}

static void fill_codes(const bl_bound *bound, const bl_source *source,
                       const bl_bound_source *from, const bl_made *made, uint64_t first,
                       uint64_t n, double *out)
{
    uint32_t missing = bli_levels_count(source->known);
    size_t width = source->width;
    bool is_onehot = source->encode == BL_STEP_ONEHOT;
    size_t n_cells = ((size_t)missing + 1) * width;
    if (source->filled != BL_NO_LEVEL && !from->code)
        missing = source->filled;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t code = code_of(bound, from, first + i, missing);
        if (is_onehot) {
            out[i] = code == made->part;
            continue;
        }
        const double *table = source->table;
        if (bound->training && source->fold)
            table = source->fold_tables + source->fold[first + i] * n_cells;
        out[i] = table[code * width + made->part];
    }
}

static void fill_dates(const bl_bound *bound, const bl_source *source,
                       const bl_bound_source *from, const bl_made *made, uint64_t first,
                       uint64_t n, double *out)
{
    size_t width = source->width;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t raw =
            from->table ? from->column->codes[row_of(bound, first + i)] : BL_NO_LEVEL;
        out[i] = raw == BL_NO_LEVEL ? (double)NAN : from->table[raw * width + made->part];
    }
}

static void fill_indicator(const bl_bound *bound, const bl_source *source,
                           const bl_bound_source *from, uint64_t first, uint64_t n,
                           double *out)
{
    for (uint64_t i = 0; i < n; i++) {
        uint64_t r = row_of(bound, first + i);
        out[i] = source->is_text
                     ? !from->column->codes || from->column->codes[r] == BL_NO_LEVEL
                     : isnan(from->column->numbers[r]);
    }
}

static bl_status refuse_log(const bl_bound *bound, const bl_source *source, uint64_t i,
                            bl_err *err)
{
    char place[200], name[80];
    return bli_fail(err, BL_E_DATA, "%s, column '%s': log1p needs numbers above -1",
                    bli_frame_place(bound->frame, row_of(bound, i), place, sizeof place),
                    bli_quote(source->name, strlen(source->name), name, sizeof name));
}

bl_status bli_bound_made(const bl_bound *bound, size_t made_index, uint64_t first,
                         uint64_t n, double *out, bl_err *err)
{
    const bl_transform *t = bound->t;
    size_t s = t->made_source[made_index];
    const bl_source *source = &t->sources[s];
    const bl_bound_source *from = &bound->sources[s];
    const bl_made *made = &source->made[made_index - source->first_made];
    if (made->is_indicator)
        fill_indicator(bound, source, from, first, n, out);
    else if (!source->is_text)
        fill_numbers(bound, from, first, n, out);
    else if (source->encode == BL_STEP_DATE)
        fill_dates(bound, source, from, made, first, n, out);
    else
        fill_codes(bound, source, from, made, first, n, out);
    for (size_t i = 0; i < made->n_steps; i++) {
        uint64_t bad;
        bli_number_apply(&made->steps[i], out, n, &bad);
        if (bad < n)
            return refuse_log(bound, source, first + bad, err);
    }
    return BL_OK;
}
