/* SPDX-License-Identifier: Apache-2.0 */
/* The columns of a table before its first record, and what is done after the last. */
#include "ingest/ingest_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTES_MAX 20 /* lines about single columns; the rest is counted */

/* --- Columns ------------------------------------------------------------------------ */

static const char *type_text(const char *given)
{
    static const char *const types[] = {"q", "i", "int", "float", "c"};
    for (size_t i = 0; i < BL_LEN(types); i++)
        if (strcmp(given, types[i]) == 0)
            return types[i];
    return NULL;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* bl_feature_names beside a header: equal, or other names; the same ones in another order
 * would give every column a wrong name. */
static bl_status check_renaming(const bl_build *build, const char **header, bl_err *err)
{
    size_t n = build->table->n_features;
    char **given = build->ingest->settings->feature_names.text;
    size_t n_other = 0;
    for (size_t k = 0; k < n; k++)
        n_other += strcmp(header[k], given[k]) != 0;
    if (!n_other)
        return BL_OK;
    const char **copy = malloc(n * sizeof *copy);
    if (!copy)
        return bli_fail(err, BL_E_NOMEM, "no memory for column names");
    for (size_t k = 0; k < n; k++)
        copy[k] = given[k];
    qsort(copy, n, sizeof *copy, compare_texts);
    qsort(header, n, sizeof *header, compare_texts);
    bool same = true;
    for (size_t k = 0; k < n && same; k++)
        same = strcmp(copy[k], header[k]) == 0;
    free(copy);
    if (same)
        return bli_fail(
            err, BL_E_CONFIG,
            "bl_feature_names holds the names of the header of '%s' in another "
            "order; leave it out, or give the order of the file",
            build->name);
    bli_log(build->ingest->log, BL_NOTE, "ingest",
            "'%s': %zu of %zu names of the header are replaced by bl_feature_names",
            build->name, n_other, n);
    return BL_OK;
}

static bl_status check_names(const bl_build *build, bl_err *err)
{
    const bl_read_settings *s = build->ingest->settings;
    const bl_layout *layout = &build->layout;
    size_t n = build->table->n_features;
    if (!s->feature_names.n)
        return BL_OK;
    if (s->feature_names.n != n)
        return bli_fail(
            err, BL_E_CONFIG,
            "bl_feature_names gives %zu names, but '%s' has %zu feature%s (%zu "
            "columns less %zu with another role)",
            s->feature_names.n, build->name, n, n == 1 ? "" : "s", layout->n_columns,
            layout->n_columns - n);
    if (build->ingest->like || !build->has_header)
        return BL_OK;
    const char **header = calloc(n, sizeof *header);
    if (!header)
        return bli_fail(err, BL_E_NOMEM, "no memory for column names");
    for (size_t i = 0; i < layout->n_columns; i++)
        if (layout->uses[i].role == BL_ROLE_FEATURE)
            header[layout->uses[i].k] = layout->names[i];
    bl_status st = check_renaming(build, header, err);
    free(header);
    return st;
}

static bl_status set_type(bl_build *build, size_t k, bl_column_state *state, bl_err *err)
{
    const bl_read_settings *s = build->ingest->settings;
    const bl_table_like *like = build->ingest->like;
    bl_column *column = &build->table->columns[k];
    const char *given = like && like->types      ? like->types[k]
                        : k < s->feature_types.n ? s->feature_types.text[k]
                                                 : NULL;
    if (given) {
        column->type = type_text(given);
        column->type_given = true;
        if (!column->type)
            return bli_fail(
                err, BL_E_CONFIG,
                "bl_feature_types: '%s' is no type; types are q, i, int, float "
                "and c",
                given);
    }
    if (like) {
        state->known = like->levels ? like->levels[k] : NULL;
        state->kind = state->known ? BL_KIND_KNOWN : BL_KIND_NUMBER;
        build->n_text += state->known != NULL;
    } else if (column->type) {
        bool is_text = strcmp(column->type, "c") == 0;
        state->kind = is_text ? BL_KIND_LEVELS : BL_KIND_NUMBER;
        build->n_text += is_text;
    } else {
        state->kind = s->enable_categorical ? BL_KIND_OPEN : BL_KIND_NUMBER;
    }
    return BL_OK;
}

static bl_status set_column(bl_build *build, size_t i, bl_err *err)
{
    const bl_table_like *like = build->ingest->like;
    const bl_texts *names = &build->ingest->settings->feature_names;
    size_t k = build->layout.uses[i].k;
    const char *name = like && like->names && like->names[k] ? like->names[k]
                       : k < names->n                        ? names->text[k]
                                                             : build->layout.names[i];
    bl_status st = BL_OK;
    if (name)
        st = bli_strdup(name, &build->table->columns[k].name, err);
    return st == BL_OK ? set_type(build, k, &build->states[i], err) : st;
}

static void note_names(const bl_build *build)
{
    const bl_table *table = build->table;
    size_t n = 0, first = 0;
    for (size_t k = table->n_features; k-- > 0;)
        if (table->columns[k].name && strpbrk(table->columns[k].name, "[]<"))
            n++, first = k;
    if (n && !build->ingest->like)
        bli_log(
            build->ingest->log, BL_NOTE, "ingest",
            "%zu column name%s with [, ] or <, which XGBoost's Python package refuses "
            "(the first: '%s'); kept as written",
            n, n == 1 ? "" : "s", table->columns[first].name);
}

bl_status bli_build_columns(bl_build *build, bl_err *err)
{
    bl_table *table = build->table;
    const bl_read_settings *s = build->ingest->settings;
    const size_t *n_of = build->layout.n_of;
    void *columns, *states, *ids, *cap_ids;
    table->n_features = n_of[BL_ROLE_FEATURE];
    table->roles.n_labels = n_of[BL_ROLE_LABEL];
    table->roles.n_base_margins = n_of[BL_ROLE_MARGIN];
    build->block_rows = bli_block_rows(table->n_features);
    bl_status st =
        bli_alloc(table->n_features, sizeof(bl_column), "columns", &columns, err);
    if (st != BL_OK)
        return st;
    table->columns = columns;
    st = bli_alloc(build->layout.n_columns, sizeof(bl_column_state), "columns", &states,
                   err);
    if (st != BL_OK)
        return st;
    build->states = states;
    st = bli_alloc(n_of[BL_ROLE_ID], sizeof(bl_text_column), "ids", &ids, err);
    if (st != BL_OK)
        return st;
    table->roles.ids = ids;
    table->roles.n_ids = n_of[BL_ROLE_ID];
    st = bli_alloc(n_of[BL_ROLE_ID], sizeof(size_t), "ids", &cap_ids, err);
    if (st != BL_OK)
        return st;
    build->cap_ids = cap_ids;
    build->n_text = n_of[BL_ROLE_ID] + n_of[BL_ROLE_GROUP];
    st = check_names(build, err);
    if (st == BL_OK && s->feature_types.n && s->feature_types.n != table->n_features)
        st = bli_fail(err, BL_E_CONFIG,
                      "bl_feature_types gives %zu types, but '%s' has %zu feature%s",
                      s->feature_types.n, build->name, table->n_features,
                      table->n_features == 1 ? "" : "s");
    for (size_t i = 0; st == BL_OK && i < build->layout.n_columns; i++) {
        const bl_use *use = &build->layout.uses[i];
        if (use->role == BL_ROLE_FEATURE) {
            st = set_column(build, i, err);
        } else if (use->role == BL_ROLE_ID) {
            char number[32];
            snprintf(number, sizeof number, "%zu", i);
            st = bli_strdup(build->layout.names[i] ? build->layout.names[i] : number,
                            &table->roles.ids[use->k].name, err);
        }
    }
    if (st == BL_OK)
        note_names(build);
    return st;
}

/* --- Levels ------------------------------------------------------------------------- */

static bl_status sort_levels(bl_table *table, size_t k, bl_err *err)
{
    bl_column *column = &table->columns[k];
    void *block;
    bl_status st = bli_alloc(bli_levels_count(column->levels), sizeof(uint32_t),
                             "the order of levels", &block, err);
    if (st != BL_OK)
        return st;
    uint32_t *new_code = block;
    st = bli_levels_sort(column->levels, new_code, err);
    for (size_t b = 0; st == BL_OK && b < table->n_blocks; b++) {
        float *x = table->blocks[b].x + k;
        for (uint64_t r = 0; r < table->blocks[b].n_rows; r++, x += table->n_features)
            if (!isnan(*x))
                *x = (float)new_code[(uint32_t)*x];
    }
    free(new_code);
    return st;
}

static bl_status finish_columns(bl_build *build, bl_err *err)
{
    bl_table *table = build->table;
    for (size_t i = 0; i < build->layout.n_columns; i++) {
        const bl_use *use = &build->layout.uses[i];
        if (use->role != BL_ROLE_FEATURE)
            continue;
        bl_column *column = &table->columns[use->k];
        bl_column_state *state = &build->states[i];
        bl_status st = BL_OK;
        if (state->kind == BL_KIND_KNOWN)
            st = bli_levels_copy(state->known, &column->levels, err);
        else if (state->kind == BL_KIND_LEVELS && !column->levels)
            st = bli_levels_new(&column->levels, err);
        else if (column->levels)
            st = sort_levels(table, use->k, err);
        if (st != BL_OK)
            return st;
        if (!column->type)
            column->type = column->levels ? "c" : "q";
    }
    return BL_OK;
}

/* --- Notes -------------------------------------------------------------------------- */

static void note_columns(const bl_build *build)
{
    const bl_log *log = build->ingest->log;
    const bl_files *files = &build->table->files;
    size_t n_lines = 0;
    for (size_t i = 0; i < build->layout.n_columns; i++) {
        const bl_column_state *s = &build->states[i];
        char column[BL_COLUMN_TEXT];
        if (!(s->n_true_false || s->n_rounded || s->n_vanished) || ++n_lines > NOTES_MAX)
            continue;
        bli_column_text(build, i, column, sizeof column);
        if (s->n_true_false)
            bli_log(log, BL_NOTE, "ingest",
                    "%s: %llu cells True or False are read as 1 or 0", column,
                    (unsigned long long)s->n_true_false);
        if (s->n_rounded)
            bli_log(log, BL_WARNING, "ingest",
                    "%s: %llu whole numbers above 16777216 have more digits than float32 "
                    "holds, so neighbours become one value (the first: '%s', line %llu)",
                    column, (unsigned long long)s->n_rounded, files->file[s->file].path,
                    (unsigned long long)s->line);
        else if (s->n_vanished)
            bli_log(log, BL_WARNING, "ingest",
                    "%s: %llu numbers are too small for float32 and become 0 (the first: "
                    "'%s', line %llu)",
                    column, (unsigned long long)s->n_vanished, files->file[s->file].path,
                    (unsigned long long)s->line);
    }
    if (n_lines > NOTES_MAX)
        bli_log(log, BL_WARNING, "ingest", "%zu more columns with notes of these kinds",
                n_lines - NOTES_MAX);
}

static void note_unseen(const bl_build *build)
{
    uint64_t n = 0;
    size_t n_columns = 0;
    char column[BL_COLUMN_TEXT] = "";
    for (size_t i = 0; i < build->layout.n_columns; i++) {
        if (!build->states[i].n_unseen)
            continue;
        if (!n_columns++)
            bli_column_text(build, i, column, sizeof column);
        n += build->states[i].n_unseen;
    }
    if (n)
        bli_log(
            build->ingest->log, BL_WARNING, "ingest",
            "%llu cells of %zu column%s hold levels not seen in training and are read "
            "as missing (the first: %s)",
            (unsigned long long)n, n_columns, n_columns == 1 ? "" : "s", column);
}

static void note_counts(const bl_build *build)
{
    const bl_table *table = build->table;
    uint64_t n_missing = 0, n_zero = 0;
    for (size_t k = 0; k < table->n_features; k++) {
        n_missing += table->columns[k].n_missing;
        n_zero += table->columns[k].n_zero;
    }
    bli_log(
        build->ingest->log, BL_INFO, "ingest",
        "%s%s%llu rows of %zu features from %zu file%s: %llu cells missing, %llu cells "
        "0 (a value)",
        build->ingest->channel ? build->ingest->channel : "",
        build->ingest->channel ? ": " : "", (unsigned long long)bli_build_n_rows(build),
        table->n_features, table->files.n, table->files.n == 1 ? "" : "s",
        (unsigned long long)n_missing, (unsigned long long)n_zero);
}

/* --- Roles -------------------------------------------------------------------------- */

bl_status bli_build_check_labels(bl_build *build, bl_err *err)
{
    bl_roles *roles = &build->table->roles;
    uint64_t n = build->n_label_missing;
    if (!n)
        return BL_OK;
    if (n < bli_build_n_rows(build) * build->layout.n_of[BL_ROLE_LABEL])
        return bli_fail(err, BL_E_DATA,
                        "'%s', line %llu: the label is missing, but other rows have one; "
                        "all rows have a label, or none",
                        build->table->files.file[build->label_missing_file].path,
                        (unsigned long long)build->label_missing_line);
    free(roles->labels);
    roles->labels = NULL;
    roles->n_labels = 0;
    return BL_OK;
}

static bl_status finish_weights(const bl_build *build, bl_err *err)
{
    uint64_t n = build->n_weight_zero;
    if (!n)
        return BL_OK;
    if (n == bli_build_n_rows(build))
        return bli_fail(
            err, BL_E_DATA,
            "all %llu weights are 0: nothing would count; name another column "
            "in bl_weight",
            (unsigned long long)n);
    bli_log(build->ingest->log, BL_WARNING, "ingest",
            "%llu of %llu rows have weight 0 and count for nothing",
            (unsigned long long)n, (unsigned long long)bli_build_n_rows(build));
    return BL_OK;
}

/* Arrays that grew by half are cut to their rows. */
static void trim(bl_build *build)
{
    bl_table *table = build->table;
    if (table->n_blocks) {
        bl_block *last = &table->blocks[table->n_blocks - 1];
        size_t n = (size_t)last->n_rows * table->n_features * sizeof(float);
        float *x = n ? realloc(last->x, n) : NULL;
        if (x)
            last->x = x;
    }
    bl_roles *roles = &table->roles;
    struct {
        float **array;
        size_t n;
    } all[] = {
        {&roles->labels, roles->n_labels},
        {&roles->weights, 1},
        {&roles->lower_bounds, 1},
        {&roles->upper_bounds, 1},
        {&roles->base_margins, roles->n_base_margins},
    };
    for (size_t i = 0; i < BL_LEN(all); i++) {
        size_t n = (size_t)table->n_rows * all[i].n * sizeof(float);
        float *array = *all[i].array && n ? realloc(*all[i].array, n) : NULL;
        if (array)
            *all[i].array = array;
    }
}

bl_status bli_build_finish(bl_build *build, bl_err *err)
{
    bl_table *table = build->table;
    bl_status st = bli_build_check_labels(build, err);
    if (st == BL_OK && build->n_label_missing)
        bli_log(build->ingest->log, BL_NOTE, "ingest",
                "the label column is empty in every row: taken as data without labels");
    if (st == BL_OK)
        st = finish_weights(build, err);
    if (st == BL_OK)
        st = finish_columns(build, err);
    if (st != BL_OK)
        return st;
    trim(build);
    table->file_columns = build->layout.names;
    table->n_file_columns = build->layout.n_columns;
    note_columns(build);
    note_unseen(build);
    note_counts(build);
    build->layout.names = NULL;
    return BL_OK;
}

void bli_build_done(bl_build *build)
{
    bli_layout_done(&build->layout);
    bli_levels_free(build->groups);
    free(build->states);
    free(build->cap_ids);
    bli_table_free(build->table);
}
