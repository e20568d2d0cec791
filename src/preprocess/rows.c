/* SPDX-License-Identifier: Apache-2.0 */
/* Which rows: filters, duplicates, and the parts of the split. */
#include "preprocess/transform_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bli_row_sets_done(bl_row_sets *sets)
{
    for (int i = 0; i < BL_N_SETS; i++)
        free(sets->row[i]);
    *sets = (bl_row_sets){0};
}

/* --- Filters --------------------------------------------------------------------------- */

static double number_of(const bl_frame_column *column, uint32_t level)
{
    double value;
    const char *text = bli_levels_text(column->levels, level);
    return bli_read_double(text, strlen(text), &value) == BL_NUMBER_OK ? value
                                                                       : (double)NAN;
}

static bool in_bounds(const bl_filter *filter, double value)
{
    return !(filter->has_min && !(value >= filter->min)) &&
           !(filter->has_max && !(value <= filter->max));
}

/* A text among "in" that reads as this number. */
static bool is_listed(const bl_filter *filter, double value)
{
    for (uint32_t c = 0; c < bli_levels_count(filter->in); c++) {
        double other;
        const char *text = bli_levels_text(filter->in, c);
        if (bli_read_double(text, strlen(text), &other) == BL_NUMBER_OK && other == value)
            return true;
    }
    return false;
}

static bool level_holds(const bl_filter *filter, const bl_frame_column *column,
                        uint32_t level)
{
    const char *text = bli_levels_text(column->levels, level);
    if (filter->in && bli_levels_find(filter->in, text, strlen(text)) == BL_NO_LEVEL)
        return false;
    bool bounds = filter->has_min || filter->has_max;
    return !bounds || in_bounds(filter, number_of(column, level));
}

static bl_status apply_filter(const bl_filter *filter, const bl_frame_column *column,
                              const bl_frame *frame, bool *is_out, bl_err *err)
{
    bool *holds = NULL;
    bool text = column->kind == BL_FRAME_TEXT;
    bool asks_value = filter->in || filter->has_min || filter->has_max;
    if (text) {
        uint32_t n = bli_levels_count(column->levels);
        holds = calloc((size_t)n + 1, sizeof *holds);
        if (!holds)
            return bli_fail(err, BL_E_NOMEM, "no memory for %u levels", n);
        for (uint32_t c = 0; c < n; c++)
            holds[c] = level_holds(filter, column, c);
    }
    for (uint64_t r = 0; r < frame->n_rows; r++) {
        bool missing = text ? column->codes[r] == BL_NO_LEVEL : isnan(column->numbers[r]);
        bool hit;
        if (missing)
            hit = filter->has_missing && filter->missing;
        else if (filter->has_missing && filter->missing)
            hit = false;
        else if (!asks_value)
            hit = true; /* "missing": false */
        else
            hit = text ? holds[column->codes[r]]
                       : in_bounds(filter, column->numbers[r]) &&
                             (!filter->in || is_listed(filter, column->numbers[r]));
        is_out[r] |= hit != filter->keep;
    }
    free(holds);
    return BL_OK;
}

/* --- Duplicates ------------------------------------------------------------------------ */

static uint64_t mix(uint64_t h, uint64_t v)
{
    h ^= v + 0x9e3779b97f4a7c15U + (h << 6) + (h >> 2);
    h *= 0xbf58476d1ce4e5b9U;
    return h ^ h >> 31;
}

static uint64_t cell_bits(const bl_frame_column *column, uint64_t r)
{
    uint64_t bits = 0;
    if (column->kind == BL_FRAME_TEXT)
        return column->codes[r];
    double value = column->numbers[r];
    if (isnan(value))
        return UINT64_MAX;
    value += 0.0; /* -0 and 0 are one value */
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static bool rows_equal(const bl_frame *frame, uint64_t a, uint64_t b)
{
    for (size_t k = 0; k < frame->n_columns; k++)
        if (cell_bits(&frame->columns[k], a) != cell_bits(&frame->columns[k], b))
            return false;
    return true;
}

/* Rows that repeat an earlier one that is still there, in every column that is read. */
static bl_status drop_duplicates(const bl_frame *frame, bool *is_out, bl_err *err)
{
    uint64_t n_slots = 64;
    while (n_slots < frame->n_rows * 2)
        n_slots *= 2;
    void *block;
    bl_status st = bli_alloc((size_t)n_slots, sizeof(uint64_t), "rows seen", &block, err);
    if (st != BL_OK)
        return st;
    uint64_t *slot = block; /* row + 1; 0: free */
    for (uint64_t r = 0; r < frame->n_rows; r++) {
        uint64_t h = 0;
        if (is_out[r])
            continue;
        for (size_t k = 0; k < frame->n_columns; k++)
            h = mix(h, cell_bits(&frame->columns[k], r));
        uint64_t at = h & (n_slots - 1);
        while (slot[at] && !rows_equal(frame, slot[at] - 1, r))
            at = (at + 1) & (n_slots - 1);
        if (slot[at])
            is_out[r] = true;
        else
            slot[at] = r + 1;
    }
    free(slot);
    return BL_OK;
}

static bl_status filter_rows(const bl_transform *t, const bl_frame *frame,
                             const bl_frame_column *const *by_place, const bl_log *log,
                             uint64_t **ret_row, uint64_t *ret_n, bl_err *err)
{
    const bl_plan *plan = t->plan;
    void *block;
    bool *is_out = calloc((size_t)frame->n_rows + 1, sizeof *is_out);
    bl_status st =
        is_out ? bli_alloc((size_t)frame->n_rows, sizeof(uint64_t), "rows", &block, err)
               : bli_fail(err, BL_E_NOMEM, "no memory for rows");
    uint64_t *row = st == BL_OK ? block : NULL;
    uint64_t before = frame->n_rows;
    for (size_t f = 0; st == BL_OK && f < plan->n_filters; f++) {
        const bl_filter *filter = &plan->filters[f];
        if (filter->duplicates) {
            st = drop_duplicates(frame, is_out, err);
        } else {
            size_t place = 0;
            const char *name = filter->column.name;
            while (place < t->n_file_columns &&
                   (name ? !t->file_columns[place] ||
                               strcmp(t->file_columns[place], name) != 0
                         : (int64_t)place != filter->column.index))
                place++;
            if (place == t->n_file_columns || !by_place[place])
                st = bli_plan_refuse(plan, filter->path, err,
                                     "its column was not read (an id cannot be asked)");
            else
                st = apply_filter(filter, by_place[place], frame, is_out, err);
        }
        uint64_t left = 0;
        for (uint64_t r = 0; st == BL_OK && r < frame->n_rows; r++)
            left += !is_out[r];
        if (st == BL_OK)
            bli_log(log, BL_INFO, "preprocess", "%s: %llu of %llu rows left",
                    filter->path, (unsigned long long)left, (unsigned long long)before);
        before = left;
    }
    uint64_t n = 0;
    for (uint64_t r = 0; st == BL_OK && r < frame->n_rows; r++)
        if (!is_out[r])
            row[n++] = r;
    free(is_out);
    if (st == BL_OK && n == 0)
        st = bli_fail(err, BL_E_DATA, "plan '%.60s', rows: no row is left of %llu",
                      plan->name, (unsigned long long)frame->n_rows);
    if (st != BL_OK) {
        free(row);
        return st;
    }
    *ret_row = row;
    *ret_n = n;
    return BL_OK;
}

bl_status bli_transform_rows(const bl_transform *t, const bl_frame *frame, bool split,
                             const bl_log *log, bl_row_sets *ret_sets, bl_err *err)
{
    bl_row_sets sets = {0};
    const bl_frame_column **by_place = NULL;
    bl_status st = bli_frame_places(t, frame, &by_place, err);
    if (st == BL_OK)
        st = filter_rows(t, frame, by_place, log, &sets.row[BL_SET_TRAIN],
                         &sets.n[BL_SET_TRAIN], err);
    if (st == BL_OK && split && t->plan->split.present)
        st = bli_split_rows(t, frame, by_place, &sets, err);
    if (st == BL_OK && split && t->plan->split.present)
        bli_log(log, BL_INFO, "preprocess",
                "split: %llu rows to train on, %llu validation, %llu test",
                (unsigned long long)sets.n[BL_SET_TRAIN],
                (unsigned long long)sets.n[BL_SET_VALIDATION],
                (unsigned long long)sets.n[BL_SET_TEST]);
    free(by_place);
    if (st == BL_OK)
        *ret_sets = sets;
    else
        bli_row_sets_done(&sets);
    return st;
}
