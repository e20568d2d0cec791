/* SPDX-License-Identifier: Apache-2.0 */
/* Cells with a role: labels, weights, bounds, margins, groups, ids. */
#include "ingest/ingest_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A number that every row must have. */
static bl_status read_role(bl_build *build, const bl_record *record, size_t i, float *ret,
                           bl_err *err)
{
    const bl_use *use = &build->uses[i];
    const bl_cell *cell = &record->cells[i];
    char shown[BL_CELL_TEXT_MAX], hint[200];
    float value;
    bl_cell_kind kind = bli_read_cell(&build->missing, cell->text, cell->n, &value);
    bli_quote(cell->text, cell->n, shown, sizeof shown);
    bl_status st = BL_OK;
    if (kind == BL_CELL_MISSING && use->role == BL_ROLE_LABEL &&
        build->ingest->settings->label_optional) {
        if (build->n_label_missing++ == 0) {
            build->label_missing_line = record->line;
            build->label_missing_file = build->file;
        }
    } else if (kind == BL_CELL_MISSING) {
        st = bli_fail(
            err, BL_E_DATA, "the cell is empty or '%s', but every row needs %s%s", shown,
            bli_role_name(use->role), bli_header_hint(build, hint, sizeof hint));
    } else if (kind == BL_CELL_TEXT) {
        st = bli_fail(
            err, BL_E_DATA,
            "'%s' is no number, but this column is %s; if that stands elsewhere, "
            "name its column with %s%s",
            shown, bli_role_name(use->role),
            use->role == BL_ROLE_LABEL    ? "bl_label"
            : use->role == BL_ROLE_WEIGHT ? "bl_weight"
            : use->role == BL_ROLE_MARGIN ? "bl_base_margin"
            : use->role == BL_ROLE_LOWER  ? "bl_label_lower_bound"
                                          : "bl_label_upper_bound",
            bli_header_hint(build, hint, sizeof hint));
    } else if (kind == BL_CELL_INFINITE &&
               !(use->role == BL_ROLE_UPPER && value > 0 &&
                 memchr("iI+", *cell->text, 3) &&
                 memchr("fFyY", cell->text[cell->n - 1], 4))) {
        st = bli_fail(err, BL_E_DATA, "'%s' is not finite, but this column is %s", shown,
                      bli_role_name(use->role));
    } else if (use->role == BL_ROLE_WEIGHT && value < 0) {
        st = bli_fail(err, BL_E_DATA, "a negative weight, %s; weights are 0 or more",
                      shown);
    }
    if (st != BL_OK)
        return bli_at_cell(build, record, i, st, err);
    build->states[use->column].n_true_false += kind == BL_CELL_TRUE_FALSE;
    if (value == 0 || fabsf(value) >= 16777216.0F)
        bli_note_small_losses(build, record, i, value);
    *ret = value;
    return BL_OK;
}

static bl_status add_group(bl_build *build, const bl_record *record, size_t i,
                           bl_err *err)
{
    bl_roles *roles = &build->table->roles;
    const bl_cell *cell = &record->cells[i];
    char shown[BL_CELL_TEXT_MAX];
    bl_status st = BL_OK;
    if (bli_is_missing(&build->missing, cell->text, cell->n))
        return bli_at_cell(
            build, record, i,
            bli_fail(err, BL_E_DATA, "the cell is empty, but every row needs a group"),
            err);
    if (!build->groups)
        st = bli_levels_new(&build->groups, err);
    uint32_t code = 0, n_before = st == BL_OK ? bli_levels_count(build->groups) : 0;
    if (st == BL_OK)
        st = bli_levels_add(build->groups, cell->text, cell->n, UINT32_MAX - 1, &code,
                            err);
    if (st != BL_OK)
        return bli_at_cell(build, record, i, st, err);
    bool goes_on = code < n_before && code == build->group && roles->n_groups == 0;
    if (code < n_before && !goes_on) {
        if (code == build->group) {
            roles->group_rows[roles->n_groups - 1]++;
            return BL_OK;
        }
        st = bli_fail(err, BL_E_DATA,
                      "group '%s' begins again, but the rows of a group stand one after "
                      "the other; sort the rows by group",
                      bli_quote(cell->text, cell->n, shown, sizeof shown));
        return bli_at_cell(build, record, i, st, err);
    }
    void *rows = roles->group_rows;
    st = bli_grow(&rows, &build->cap_groups, roles->n_groups + 1, sizeof(uint64_t),
                  "groups", err);
    if (st != BL_OK)
        return st;
    roles->group_rows = rows;
    roles->group_rows[roles->n_groups++] = 1;
    roles->group_goes_on |= goes_on;
    build->group = code;
    return BL_OK;
}

static bl_status add_id(bl_build *build, const bl_record *record, size_t i, bl_err *err)
{
    size_t k = build->uses[i].k;
    bl_text_column *id = &build->table->roles.ids[k];
    const bl_cell *cell = &record->cells[i];
    uint64_t row = build->table->n_rows, used = id->offset[row];
    void *text = id->text;
    bl_status st = bli_grow(&text, &build->cap_ids[k], used + cell->n + 1, 1, "ids", err);
    if (st != BL_OK)
        return st;
    id->text = text;
    if (cell->n)
        memcpy(id->text + used, cell->text, cell->n);
    id->offset[row + 1] = used + cell->n;
    return BL_OK;
}

bl_status bli_build_role(bl_build *build, const bl_record *record, size_t i, bl_err *err)
{
    bl_roles *roles = &build->table->roles;
    const bl_use *use = &build->uses[i];
    uint64_t row = build->table->n_rows;
    switch (use->role) {
    case BL_ROLE_LABEL:
        return read_role(build, record, i, &roles->labels[row * roles->n_labels + use->k],
                         err);
    case BL_ROLE_WEIGHT:
        return read_role(build, record, i, &roles->weights[row], err);
    case BL_ROLE_LOWER:
        return read_role(build, record, i, &roles->lower_bounds[row], err);
    case BL_ROLE_UPPER:
        return read_role(build, record, i, &roles->upper_bounds[row], err);
    case BL_ROLE_MARGIN:
        return read_role(build, record, i,
                         &roles->base_margins[row * roles->n_base_margins + use->k], err);
    case BL_ROLE_GROUP:
        return add_group(build, record, i, err);
    case BL_ROLE_ID:
        return add_id(build, record, i, err);
    default:
        return BL_OK; /* dropped */
    }
}

/* What only the whole row shows. */
bl_status bli_build_row_check(bl_build *build, const bl_record *record, bl_err *err)
{
    const bl_roles *roles = &build->table->roles;
    uint64_t row = build->table->n_rows;
    if (roles->lower_bounds && roles->upper_bounds &&
        roles->lower_bounds[row] > roles->upper_bounds[row])
        return bli_at_record(
            build, record,
            bli_fail(err, BL_E_DATA, "the lower bound %g is above the upper bound %g",
                     (double)roles->lower_bounds[row], (double)roles->upper_bounds[row]),
            err);
    if (!roles->weights)
        return BL_OK;
    float weight = roles->weights[row];
    build->n_weight_zero += weight == 0;
    if (!roles->n_groups)
        return BL_OK;
    bool begins = roles->group_rows[roles->n_groups - 1] == 1 &&
                  !(roles->group_goes_on && roles->n_groups == 1);
    if (begins)
        build->group_weight = weight;
    else if (weight != build->group_weight)
        return bli_at_record(
            build, record,
            bli_fail(err, BL_E_DATA,
                     "weight %g differs from %g of the rows before it in the "
                     "same group; a weight is that of a group",
                     (double)weight, (double)build->group_weight),
            err);
    return BL_OK;
}
