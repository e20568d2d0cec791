/* SPDX-License-Identifier: Apache-2.0 */
/* Is line 1 a header? The rules of bl_header=auto, and what contradicts them. */
#include "ingest/ingest_priv.h"

#include "base/text.h"

#include <string.h>

/* true where the names of n cells differ; else *ret_twice is one that does not. */
static bl_status check_distinct(const bl_row_copy *row, size_t *ret_twice, bl_err *err)
{
    bl_levels *seen = NULL;
    *ret_twice = row->n;
    bl_status st = bli_levels_new(&seen, err);
    for (size_t i = 0; st == BL_OK && i < row->n && *ret_twice == row->n; i++) {
        uint32_t code;
        st = bli_levels_add(seen, row->cells[i].text, row->cells[i].n, UINT32_MAX, &code,
                            err);
        if (st == BL_OK && code != i)
            *ret_twice = i;
    }
    bli_levels_free(seen);
    return st;
}

static bool is_number(const bl_cell *cell)
{
    float value;
    bl_missing none = {0};
    bl_cell_kind kind = bli_read_cell(&none, cell->text, cell->n, &value);
    /* "Inf" is a name here; a number too large is a number. */
    return kind == BL_CELL_NUMBER || kind == BL_CELL_TRUE_FALSE ||
           (kind == BL_CELL_INFINITE &&
            memchr("0123456789.", cell->text[cell->n - 1], 11));
}

static bool holds_number(const bl_row_copy *row)
{
    for (size_t i = 0; i < row->n; i++)
        if (is_number(&row->cells[i]))
            return true;
    return false;
}

static bool holds_empty(const bl_row_copy *row)
{
    for (size_t i = 0; i < row->n; i++)
        if (row->cells[i].n == 0)
            return true;
    return false;
}

bool bli_looks_like_header(const bl_probe *probe, const char **ret_why)
{
    const bl_row_copy *first = &probe->rows[0];
    const char *why = NULL;
    size_t twice = first->n;
    if (holds_number(first))
        why = "it holds a number";
    else if (holds_empty(first))
        why = "one of its cells is empty";
    else if (check_distinct(first, &twice, NULL) == BL_OK && twice < first->n)
        why = "two of its cells are equal";
    else if (probe->n_rows < 2)
        why = "no other line follows";
    else if (!holds_number(&probe->rows[1]))
        why = "the next line holds no number";
    if (ret_why)
        *ret_why = why;
    return !why;
}

/* 0, 1, ..., n - 1: what pandas writes for columns that have no names. */
static bool counts_up(const bl_row_copy *row)
{
    for (size_t i = 0; i < row->n; i++) {
        int64_t value;
        if (!bli_read_int(row->cells[i].text, row->cells[i].n, &value) ||
            value != (int64_t)i)
            return false;
    }
    return row->n > 2;
}

/* A setting that names a column by name, or NULL. */
static const char *naming_setting(const bl_read_settings *s)
{
    const struct {
        const char *setting;
        const bl_column_ref *ref;
        size_t n;
    } all[] = {
        {"bl_label", s->labels.ref, s->labels.n},
        {"bl_weight", &s->weight, s->has_weight},
        {"bl_group", &s->group, s->has_group},
        {"bl_label_lower_bound", &s->lower, s->has_lower},
        {"bl_label_upper_bound", &s->upper, s->has_upper},
        {"bl_base_margin", s->base_margins.ref, s->base_margins.n},
        {"bl_drop", s->drop.ref, s->drop.n},
        {"bl_id", s->ids.ref, s->ids.n},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        for (size_t k = 0; k < all[i].n; k++)
            if (all[i].ref[k].name)
                return all[i].setting;
    return NULL;
}

static bl_status check_names(const bl_probe *probe, const char *name, const char *because,
                             bl_err *err)
{
    const bl_row_copy *row = &probe->rows[0];
    char text[80];
    for (size_t i = 0; i < row->n; i++)
        if (row->cells[i].n == 0)
            return bli_fail(err, BL_E_DATA,
                            "'%s', line %llu: column %zu has no name in the header (%s); "
                            "give it one",
                            name, (unsigned long long)row->line, i, because);
    size_t twice;
    bl_status st = check_distinct(row, &twice, err);
    if (st == BL_OK && twice < row->n)
        return bli_fail(
            err, BL_E_DATA,
            "'%s', line %llu: two columns of the header are named '%s' (%s); "
            "names must differ",
            name, (unsigned long long)row->line,
            bli_quote(row->cells[twice].text, row->cells[twice].n, text, sizeof text),
            because);
    return st;
}

/* true where line 1 holds every name of the table that this one is like. */
static bool holds_names_of(const bl_row_copy *row, const bl_table_like *like)
{
    if (!like || !like->names || !like->n_features || like->n_features > row->n)
        return false;
    bl_levels *names = NULL;
    bool all = bli_levels_new(&names, NULL) == BL_OK;
    uint32_t code;
    for (size_t i = 0; all && i < row->n; i++)
        all = bli_levels_add(names, row->cells[i].text, row->cells[i].n, UINT32_MAX,
                             &code, NULL) == BL_OK;
    for (size_t k = 0; all && k < like->n_features; k++)
        all = like->names[k] && bli_levels_find(names, like->names[k],
                                                strlen(like->names[k])) != BL_NO_LEVEL;
    bli_levels_free(names);
    return all;
}

/* A later table follows the first one. */
static bl_status follow_header(const bl_ingest *ingest, const bl_probe *probe,
                               const char *name, bool *ret_header, bl_err *err)
{
    if (ingest->like->has_header) {
        *ret_header = true;
        return check_names(probe, name, "the training data have a header", err);
    }
    if (ingest->settings->header != BL_HEADER_NO && bli_looks_like_header(probe, NULL))
        return bli_fail(err, BL_E_DATA,
                        "'%s', line %llu reads as a header, but the training data have "
                        "none; all files of a job agree (bl_header says which)",
                        name, (unsigned long long)probe->rows[0].line);
    *ret_header = false;
    return BL_OK;
}

bl_status bli_decide_header(const bl_ingest *ingest, const bl_probe *probe,
                            const char *name, bool *ret_header, bl_err *err)
{
    const bl_read_settings *settings = ingest->settings;
    const char *naming = naming_setting(settings);
    if (ingest->like && !settings->label_optional)
        return follow_header(ingest, probe, name, ret_header, err);
    if (settings->header == BL_HEADER_NO) {
        if (naming && !settings->label_optional)
            return bli_fail(err, BL_E_CONFIG,
                            "%s names a column by its name, but bl_header=no says that "
                            "the files have no header; give its index, counted from 0",
                            naming);
        *ret_header = false;
        return BL_OK;
    }
    if (settings->header == BL_HEADER_YES || (naming && !ingest->like)) {
        *ret_header = true;
        return check_names(probe, name, naming ? naming : "bl_header=yes", err);
    }
    *ret_header = bli_looks_like_header(probe, NULL) ||
                  holds_names_of(&probe->rows[0], ingest->like);
    if (*ret_header)
        return check_names(probe, name, "bl_header=auto", err);
    if (counts_up(&probe->rows[0]))
        return bli_fail(err, BL_E_DATA,
                        "'%s', line %llu reads 0, 1, ..., %zu: a header of numbers, or "
                        "data? Say bl_header=yes or bl_header=no",
                        name, (unsigned long long)probe->rows[0].line,
                        probe->rows[0].n - 1);
    return BL_OK;
}
