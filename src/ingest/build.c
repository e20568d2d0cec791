/* SPDX-License-Identifier: Apache-2.0 */
/* Records -> blocks of float32 and what goes along with each row. */
#include "ingest/ingest_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *bli_column_text(const bl_build *build, size_t column, char *out, size_t max)
{
    const bl_layout *layout = &build->layout;
    const char *name = layout->names[column];
    const bl_use *use = &layout->uses[column];
    if (!name && use->role == BL_ROLE_FEATURE && build->table->columns)
        name = build->table->columns[use->k].name;
    char quoted[BL_COLUMN_TEXT - 40];
    if (name)
        snprintf(out, max, "column '%s'",
                 bli_quote(name, strlen(name), quoted, sizeof quoted));
    else
        snprintf(out, max, "column %zu", column);
    return out;
}

/* "'a.csv', line 3, column 'age'" before the message. */
bl_status bli_at_cell(const bl_build *build, const bl_record *record, size_t cell,
                      bl_status st, bl_err *err)
{
    char column[BL_COLUMN_TEXT];
    bli_err_prefix(
        err, "'%s', line %llu, %s", build->name, (unsigned long long)record->line,
        bli_column_text(build, build->uses[cell].column, column, sizeof column));
    return st;
}

bl_status bli_at_record(const bl_build *build, const bl_record *record, bl_status st,
                        bl_err *err)
{
    bli_err_prefix(err, "'%s', line %llu", build->name, (unsigned long long)record->line);
    return st;
}

/* What to add where the first line of a file without header is to blame. */
const char *bli_header_hint(const bl_build *build, char *out, size_t max)
{
    *out = '\0';
    if (build->is_first_record && build->no_header_why)
        snprintf(out, max,
                 "; line 1 is read as data because %s: bl_header=yes makes it "
                 "the header",
                 build->no_header_why);
    return out;
}

/* --- Room --------------------------------------------------------------------------- */

static bl_status grow_floats(float **array, size_t cap, size_t n_values, bl_err *err)
{
    size_t n;
    if (!n_values)
        return BL_OK;
    float *grown = bli_mul(cap, n_values * sizeof(float), &n) ? realloc(*array, n) : NULL;
    if (!grown)
        return bli_fail(err, BL_E_NOMEM, "no memory for labels and weights of %zu rows",
                        cap);
    *array = grown;
    return BL_OK;
}

static bl_status grow_roles(bl_build *build, bl_err *err)
{
    bl_roles *roles = &build->table->roles;
    const size_t *n_of = build->layout.n_of;
    size_t cap = build->cap_rows < 1024 ? 1024 : build->cap_rows + build->cap_rows / 2;
    bl_status st = grow_floats(&roles->labels, cap, n_of[BL_ROLE_LABEL], err);
    if (st == BL_OK)
        st = grow_floats(&roles->weights, cap, n_of[BL_ROLE_WEIGHT], err);
    if (st == BL_OK)
        st = grow_floats(&roles->lower_bounds, cap, n_of[BL_ROLE_LOWER], err);
    if (st == BL_OK)
        st = grow_floats(&roles->upper_bounds, cap, n_of[BL_ROLE_UPPER], err);
    if (st == BL_OK)
        st = grow_floats(&roles->base_margins, cap, n_of[BL_ROLE_MARGIN], err);
    for (size_t k = 0; st == BL_OK && k < roles->n_ids; k++) {
        uint64_t *offset = realloc(roles->ids[k].offset, (cap + 1) * sizeof *offset);
        if (!offset) {
            st = bli_fail(err, BL_E_NOMEM, "no memory for ids of %zu rows", cap);
        } else {
            offset[0] = 0;
            roles->ids[k].offset = offset;
        }
    }
    if (st == BL_OK)
        build->cap_rows = cap;
    return st;
}

/* A block grows by fours to its rows, so that few rows cost little. */
static bl_status grow_block(bl_build *build, bl_err *err)
{
    bl_table *table = build->table;
    if (!table->n_blocks || build->cap_block == build->block_rows) {
        void *blocks = table->blocks;
        bl_status st = bli_grow(&blocks, &build->cap_blocks, table->n_blocks + 1,
                                sizeof(bl_block), "blocks of rows", err);
        if (st != BL_OK)
            return st;
        table->blocks = blocks;
        table->blocks[table->n_blocks++] = (bl_block){NULL, table->n_rows, 0};
        /* the second block shows that there are many */
        build->cap_block = table->n_blocks == 1 ? 0 : build->block_rows / 4;
    }
    bl_block *block = &table->blocks[table->n_blocks - 1];
    uint64_t few = table->n_features < 16384 ? 64 : 1;
    uint64_t cap = build->cap_block ? build->cap_block * 4 : few;
    cap = cap < build->block_rows ? cap : build->block_rows;
    size_t n;
    float *x = NULL;
    if (bli_mul((size_t)cap, table->n_features * sizeof(float), &n))
        x = realloc(block->x, n);
    if (!x)
        return bli_fail(err, BL_E_NOMEM, "no memory for %llu rows of %zu columns",
                        (unsigned long long)cap, table->n_features);
    block->x = x;
    build->cap_block = cap;
    return BL_OK;
}

/* The place of the row to come. */
bl_status bli_build_next_row(bl_build *build, float **ret_x, bl_err *err)
{
    bl_table *table = build->table;
    bl_status st = BL_OK;
    if (bli_build_n_rows(build) >= build->ingest->limits->rows)
        return bli_fail(err, BL_E_LIMIT, "more than %llu rows",
                        (unsigned long long)build->ingest->limits->rows);
    if (table->n_rows >= build->cap_rows)
        st = grow_roles(build, err);
    if (st == BL_OK && (!table->n_blocks ||
                        table->blocks[table->n_blocks - 1].n_rows == build->cap_block))
        st = grow_block(build, err);
    if (st == BL_OK) {
        const bl_block *block = &table->blocks[table->n_blocks - 1];
        *ret_x = block->x + block->n_rows * table->n_features;
    }
    return st;
}

/* --- Feature cells ------------------------------------------------------------------ */

/* All columns of the record whose text is not allowed there: "columns 3, 4 and 8". */
static void list_text_columns(const bl_build *build, const bl_record *record, char *out,
                              size_t max)
{
    size_t n = 0, used = 0;
    *out = '\0';
    for (size_t i = 0; i < record->n; i++) {
        const bl_use *use = &build->uses[i];
        float value;
        if (use->role != BL_ROLE_FEATURE ||
            build->states[use->column].kind != BL_KIND_NUMBER ||
            bli_read_cell(&build->missing, record->cells[i].text, record->cells[i].n,
                          &value) != BL_CELL_TEXT)
            continue;
        char column[BL_COLUMN_TEXT];
        bli_column_text(build, use->column, column, sizeof column);
        if (++n <= 8 && used < max)
            used += (size_t)snprintf(out + used, max - used, "%s%s", n > 1 ? ", " : "",
                                     column + strlen("column "));
    }
    if (n > 8 && used < max)
        snprintf(out + used, max - used, " and %zu more", n - 8);
    if (n < 2)
        *out = '\0';
}

static bl_status refuse_text(const bl_build *build, const bl_record *record, size_t i,
                             bl_err *err)
{
    char shown[BL_CELL_TEXT_MAX], others[400], hint[200];
    const bl_cell *cell = &record->cells[i];
    list_text_columns(build, record, others, sizeof others);
    bl_status st = bli_fail(
        err, BL_E_DATA,
        "'%s' is no number%s%s; text is a category with enable_categorical=true or type "
        "c "
        "in bl_feature_types, a missing value with bl_missing_text, left out with "
        "bl_drop%s",
        bli_quote(cell->text, cell->n, shown, sizeof shown),
        *others ? "; text stands in columns " : "", others,
        bli_header_hint(build, hint, sizeof hint));
    return bli_at_cell(build, record, i, st, err);
}

static bl_status refuse_infinite(const bl_build *build, const bl_record *record, size_t i,
                                 bl_err *err)
{
    char shown[BL_CELL_TEXT_MAX];
    const bl_cell *cell = &record->cells[i];
    bl_status st = bli_fail(err, BL_E_DATA,
                            "'%s' is infinite or larger than float32 holds (3.4e38); if "
                            "it means missing, name it in bl_missing_text",
                            bli_quote(cell->text, cell->n, shown, sizeof shown));
    return bli_at_cell(build, record, i, st, err);
}

/* A column of both numbers and text; the text is the first seen. */
static bl_status refuse_mixed(const bl_build *build, const bl_record *record, size_t i,
                              const char *text, size_t n, size_t file, uint64_t line,
                              bl_err *err)
{
    char shown[BL_CELL_TEXT_MAX], column[BL_COLUMN_TEXT];
    const bl_column_state *state = &build->states[build->uses[i].column];
    bli_column_text(build, build->uses[i].column, column, sizeof column);
    const bl_levels *levels = state->kind == BL_KIND_TEXT
                                  ? build->table->columns[build->uses[i].k].levels
                                  : NULL;
    bool only_line_1 = levels && bli_levels_count(levels) == 1 && line == 1 &&
                       file == 0 && !build->has_header;
    char number[200] = "above";
    if (levels)
        snprintf(number, sizeof number, "'%.150s', line %llu", build->name,
                 (unsigned long long)record->line);
    return bli_fail(
        err, BL_E_DATA,
        "'%s', line %llu, %s: '%s' is text, but the column also holds numbers "
        "(%s); name the text in bl_missing_text if it means "
        "missing, or give the column type c in bl_feature_types to make every "
        "cell a category%s",
        build->table->files.file[file].path, (unsigned long long)line, column,
        bli_quote(text, n, shown, sizeof shown), number,
        only_line_1 ? "; if line 1 is the header, say bl_header=yes" : "");
}

static bl_status add_level(bl_build *build, const bl_record *record, size_t i,
                           float *ret_code, bl_err *err)
{
    bl_column *column = &build->table->columns[build->uses[i].k];
    uint32_t code = 0;
    bl_status st = BL_OK;
    if (!column->levels)
        st = bli_levels_new(&column->levels, err);
    if (st == BL_OK)
        st = bli_levels_add(column->levels, record->cells[i].text, record->cells[i].n,
                            build->ingest->limits->levels, &code, err);
    if (st != BL_OK)
        return bli_at_cell(build, record, i, st, err);
    *ret_code = (float)code;
    return BL_OK;
}

static bl_status find_level(bl_build *build, const bl_record *record, size_t i,
                            float *ret_code, bl_err *err)
{
    bl_column_state *state = &build->states[build->uses[i].column];
    const bl_cell *cell = &record->cells[i];
    uint32_t code = bli_levels_find(state->known, cell->text, cell->n);
    if (code != BL_NO_LEVEL) {
        *ret_code = (float)code;
        return BL_OK;
    }
    if (build->ingest->settings->unseen == BL_UNSEEN_MISSING) {
        state->n_unseen++;
        build->table->columns[build->uses[i].k].n_missing++;
        *ret_code = NAN;
        return BL_OK;
    }
    char shown[BL_CELL_TEXT_MAX];
    bl_status st =
        bli_fail(err, BL_E_DATA,
                 "(row %llu of the data, from 0): level '%s' was not seen in "
                 "training, which knows %u; bl_unseen=missing reads such cells "
                 "as missing",
                 (unsigned long long)bli_build_n_rows(build),
                 bli_quote(cell->text, cell->n, shown, sizeof shown),
                 bli_levels_count(state->known));
    return bli_at_cell(build, record, i, st, err);
}

void bli_note_small_losses(bl_build *build, const bl_record *record, size_t i,
                           float value)
{
    bl_column_state *state = &build->states[build->uses[i].column];
    const bl_cell *cell = &record->cells[i];
    bool rounded = bli_is_rounded(cell->text, cell->n, value);
    if (!rounded && !bli_is_vanished(cell->text, cell->n, value))
        return;
    if (state->n_rounded + state->n_vanished == 0) {
        state->line = record->line;
        state->file = build->file;
    }
    state->n_rounded += rounded;
    state->n_vanished += !rounded;
}

static bl_status add_number(bl_build *build, const bl_record *record, size_t i,
                            bl_cell_kind kind, float value, float *ret, bl_err *err)
{
    const bl_use *use = &build->uses[i];
    bl_column_state *state = &build->states[use->column];
    bl_column *column = &build->table->columns[use->k];
    if (kind == BL_CELL_INFINITE)
        return refuse_infinite(build, record, i, err);
    if (state->kind == BL_KIND_TEXT) {
        const char *text = bli_levels_text(column->levels, 0);
        return refuse_mixed(build, record, i, text, strlen(text), state->file,
                            state->line, err);
    }
    if (state->kind == BL_KIND_OPEN)
        state->kind = BL_KIND_NUMBER;
    state->n_true_false += kind == BL_CELL_TRUE_FALSE;
    if (value == 0 || fabsf(value) >= 16777216.0F)
        bli_note_small_losses(build, record, i, value);
    if (value == build->ingest->settings->missing) {
        column->n_missing++;
        value = NAN;
    }
    column->n_zero += value == 0;
    *ret = value;
    return BL_OK;
}

/* Text where numbers are, or where either may be. */
static bl_status add_text(bl_build *build, const bl_record *record, size_t i, float *ret,
                          bl_err *err)
{
    const bl_use *use = &build->uses[i];
    bl_column_state *state = &build->states[use->column];
    const bl_cell *cell = &record->cells[i];
    const char *given = build->table->columns[use->k].type;
    if (state->kind == BL_KIND_NUMBER) {
        bool decided_by_number =
            build->ingest->settings->enable_categorical && !given && !build->ingest->like;
        return decided_by_number ? refuse_mixed(build, record, i, cell->text, cell->n,
                                                build->file, record->line, err)
                                 : refuse_text(build, record, i, err);
    }
    if (state->kind == BL_KIND_OPEN) {
        state->kind = BL_KIND_TEXT;
        build->n_text++;
        state->file = build->file;
        state->line = record->line;
    }
    return add_level(build, record, i, ret, err);
}

static bl_status add_feature(bl_build *build, const bl_record *record, size_t i,
                             float *ret, bl_err *err)
{
    const bl_use *use = &build->uses[i];
    const bl_column_state *state = &build->states[use->column];
    const bl_cell *cell = &record->cells[i];
    if (state->kind == BL_KIND_LEVELS || state->kind == BL_KIND_KNOWN) {
        if (bli_is_missing(&build->missing, cell->text, cell->n)) {
            build->table->columns[use->k].n_missing++;
            *ret = NAN;
            return BL_OK;
        }
        return state->kind == BL_KIND_LEVELS ? add_level(build, record, i, ret, err)
                                             : find_level(build, record, i, ret, err);
    }
    float value;
    bl_cell_kind kind = bli_read_cell(&build->missing, cell->text, cell->n, &value);
    switch (kind) {
    case BL_CELL_MISSING:
        build->table->columns[use->k].n_missing++;
        *ret = NAN;
        return BL_OK;
    case BL_CELL_TEXT:
        return add_text(build, record, i, ret, err);
    default:
        return add_number(build, record, i, kind, value, ret, err);
    }
}

bl_status bli_build_record(bl_build *build, const bl_record *record, bl_err *err)
{
    char hint[200];
    if (record->n != build->n_cells)
        return bli_fail(err, BL_E_DATA, "'%s', line %llu: %zu cell%s, expected %zu%s",
                        build->name, (unsigned long long)record->line, record->n,
                        record->n == 1 ? "" : "s", build->n_cells,
                        bli_header_hint(build, hint, sizeof hint));
    float *x = NULL;
    bl_status st = bli_build_next_row(build, &x, err);
    if (st != BL_OK)
        return bli_at_record(build, record, st, err);
    for (size_t i = 0; st == BL_OK && i < record->n; i++) {
        if (build->uses[i].role == BL_ROLE_FEATURE)
            st = add_feature(build, record, i, &x[build->uses[i].k], err);
        else
            st = bli_build_role(build, record, i, err);
    }
    if (st == BL_OK)
        st = bli_build_row_check(build, record, err);
    if (st != BL_OK)
        return st;
    bl_table *table = build->table;
    table->blocks[table->n_blocks - 1].n_rows++;
    table->n_rows++;
    table->files.file[build->file].n_rows++;
    build->is_first_record = false;
    return BL_OK;
}
