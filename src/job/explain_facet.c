/* SPDX-License-Identifier: Apache-2.0 */
/* --facet: rows sorted into groups by the text of a column. */
#include "job/explain_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_ref(const bl_column_ref *ref, const char *text, bool is_index,
                   int64_t index)
{
    return ref->name ? strcmp(ref->name, text) == 0 : is_index && ref->index == index;
}

/* A column that is no feature and no label is read along as an id. */
static bl_status add_id(bl_explaining *x, const char *text, bool is_index, int64_t index,
                        bl_err *err)
{
    bl_column_refs *ids = &x->saved->read.ids;
    x->facet = BL_FACET_ID;
    for (size_t i = 0; i < ids->n; i++)
        if (is_ref(&ids->ref[i], text, is_index, index)) {
            x->facet_at = i;
            return BL_OK;
        }
    bl_column_ref *grown = realloc(ids->ref, (ids->n + 1) * sizeof *grown);
    if (!grown)
        return bli_fail(err, BL_E_NOMEM, "no memory for columns");
    ids->ref = grown;
    grown[ids->n] = (bl_column_ref){.index = is_index ? index : 0};
    bl_status st = is_index ? BL_OK : bli_strdup(text, &grown[ids->n].name, err);
    if (st != BL_OK)
        return st;
    x->facet_at = ids->n++;
    x->facet_is_ours = true;
    return BL_OK;
}

bl_status bli_facet_find(bl_explaining *x, bl_err *err)
{
    const char *text = x->apply->facet;
    const bl_schema *schema = x->saved->schema;
    const bl_read_settings *read = &x->saved->read;
    int64_t index = 0;
    if (!text)
        return BL_OK;
    bl_status st = bli_levels_new(&x->groups, err);
    if (st != BL_OK)
        return st;
    for (size_t f = 0; f < schema->n_features; f++)
        if (strcmp(schema->features[f].name, text) == 0) {
            x->facet = BL_FACET_FEATURE;
            x->facet_at = f;
            return BL_OK;
        }
    bool is_index = bli_read_int(text, strlen(text), &index) && index >= 0;
    bool is_label = strcmp(text, "label") == 0;
    for (size_t i = 0; i < read->labels.n; i++)
        is_label |= is_ref(&read->labels.ref[i], text, is_index, index);
    if (!is_label)
        return add_id(x, text, is_index, index, err);
    x->facet = BL_FACET_LABEL;
    return BL_OK;
}

/* A number as text, 2 rather than 2.0; nothing for a missing one. */
static size_t number_text(float value, char *out)
{
    size_t n = isnan(value) ? 0 : bli_write_float(value, out);
    return n > 2 && memcmp(out + n - 2, ".0", 2) == 0 ? n - 2 : n;
}

static bl_status group_of_feature(bl_explaining *x, uint64_t row, uint32_t *ret_group,
                                  bl_err *err)
{
    const bl_feature *feature = &x->saved->schema->features[x->facet_at];
    const bl_block *block = bli_matrix_block(x->matrix, row);
    float value =
        block->x[(row - block->first_row) * x->matrix->n_features + x->facet_at];
    char number[BL_NUMBER_BYTES];
    const char *text = number;
    size_t n;
    if (feature->levels && !isnan(value)) {
        text = bli_levels_text(feature->levels, (uint32_t)value);
        n = strlen(text);
    } else {
        n = number_text(value, number);
    }
    return bli_levels_add(x->groups, text, n, UINT32_MAX - 1, ret_group, err);
}

static bl_status group_of_role(bl_explaining *x, uint64_t row, uint32_t *ret_group,
                               bl_err *err)
{
    const bl_roles *roles = &x->matrix->roles;
    if (x->facet == BL_FACET_LABEL) {
        char number[BL_NUMBER_BYTES];
        size_t n = number_text(roles->labels[row * roles->n_labels], number);
        return bli_levels_add(x->groups, number, n, UINT32_MAX - 1, ret_group, err);
    }
    const bl_text_column *id = &roles->ids[x->facet_at];
    return bli_levels_add(x->groups, id->text + id->offset[row],
                          (size_t)(id->offset[row + 1] - id->offset[row]), UINT32_MAX - 1,
                          ret_group, err);
}

/* What is known only once the first rows are read. */
static bl_status settle(bl_explaining *x, bl_err *err)
{
    const bl_roles *roles = &x->matrix->roles;
    const bl_column_refs *ids = &x->saved->read.ids;
    if (x->facet == BL_FACET_LABEL && !roles->labels)
        return bli_fail(err, BL_E_ARG, "the rows have no label");
    if (x->facet != BL_FACET_ID || x->facet_at < roles->n_ids)
        return BL_OK;
    /* A file without header that holds the features only: an index is a feature's. */
    if (ids->ref[x->facet_at].name ||
        (uint64_t)ids->ref[x->facet_at].index >= x->matrix->n_features)
        return bli_fail(err, BL_E_ARG, "the rows have no such column");
    x->facet = BL_FACET_FEATURE;
    x->facet_at = (size_t)ids->ref[x->facet_at].index;
    return BL_OK;
}

bl_status bli_facet_groups(bl_explaining *x, bl_err *err)
{
    void *memory;
    if (x->facet == BL_FACET_NONE)
        return BL_OK;
    bl_status st = x->matrix->n_rows ? settle(x, err) : BL_OK;
    if (st == BL_OK)
        st = bli_alloc((size_t)x->matrix->n_rows, sizeof(uint32_t), "groups of rows",
                       &memory, err);
    if (st == BL_OK)
        x->group = memory;
    for (uint64_t r = 0; st == BL_OK && r < x->matrix->n_rows; r++)
        st = x->facet == BL_FACET_FEATURE ? group_of_feature(x, r, x->group + r, err)
                                          : group_of_role(x, r, x->group + r, err);
    if (st == BL_OK && bli_levels_count(x->groups) > BLI_MOST_GROUPS)
        st = bli_fail(
            err, BL_E_LIMIT,
            "more than %d different values: name a column that sorts the rows into "
            "fewer groups",
            BLI_MOST_GROUPS);
    if (st != BL_OK)
        bli_err_prefix(err, "--facet %.100s", x->apply->facet);
    return st;
}
