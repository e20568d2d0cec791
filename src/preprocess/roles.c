/* SPDX-License-Identifier: Apache-2.0 */
/* What goes along with each row: labels and classes, weights, groups, bounds, margins, ids. */
#include "preprocess/transform_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t bli_place_of(const bl_transform *t, bl_place_role part, size_t order)
{
    for (size_t i = 0; i < t->n_file_columns; i++)
        if (t->uses[i].part == part && t->uses[i].order == order)
            return i;
    return BL_NONE;
}

static bl_status at_row(const bl_frame *frame, const bl_frame_column *column, uint64_t r,
                        bl_status st, bl_err *err)
{
    char place[200];
    bli_err_prefix(err, "%s, column '%.60s'",
                   bli_frame_place(frame, r, place, sizeof place),
                   column->name ? column->name : "without name");
    return st;
}

/* --- Classes --------------------------------------------------------------------------- */

bl_status bli_fit_classes(bl_transform *t, const bl_frame_column *column,
                          const uint64_t *row, uint64_t n, bl_err *err)
{
    const bl_class_map *map = &t->plan->classes;
    if (!column || column->kind != BL_FRAME_TEXT)
        return BL_OK;
    size_t most = map->n ? map->n : bli_levels_count(column->levels);
    void *block;
    bl_status st = bli_levels_new(&t->classes, err);
    if (st == BL_OK)
        st = bli_alloc(most, sizeof(double), "classes", &block, err);
    if (st != BL_OK)
        return st;
    t->class_value = block;
    uint32_t code;
    for (size_t i = 0; st == BL_OK && i < map->n; i++) {
        if (strcmp(map->text[i], "*") == 0) {
            t->has_other_class = true;
            t->other_class = map->value[i];
            continue;
        }
        st = bli_levels_add(t->classes, map->text[i], strlen(map->text[i]), UINT32_MAX,
                            &code, err);
        if (st == BL_OK)
            t->class_value[code] = map->value[i];
    }
    if (map->n || st != BL_OK)
        return st;
    for (uint64_t i = 0; st == BL_OK && i < n; i++) {
        uint32_t raw = column->codes[row ? row[i] : i];
        if (raw == BL_NO_LEVEL)
            continue;
        const char *text = bli_levels_text(column->levels, raw);
        st = bli_levels_add(t->classes, text, strlen(text), UINT32_MAX, &code, err);
    }
    uint32_t *order = st == BL_OK ? calloc(most + 1, sizeof *order) : NULL;
    if (st == BL_OK && !order)
        st = bli_fail(err, BL_E_NOMEM, "no memory for classes");
    if (st == BL_OK)
        st = bli_levels_sort(t->classes, order, err);
    for (uint32_t c = 0; st == BL_OK && c < bli_levels_count(t->classes); c++)
        t->class_value[c] = (double)c;
    free(order);
    return st;
}

static bl_status class_of(const bl_transform *t, const bl_frame *frame,
                          const bl_frame_column *column, uint64_t r, double *ret,
                          bl_err *err)
{
    char quoted[80];
    const char *text = bli_levels_text(column->levels, column->codes[r]);
    uint32_t code = bli_levels_find(t->classes, text, strlen(text));
    if (code == BL_NO_LEVEL && !t->has_other_class)
        return at_row(
            frame, column, r,
            bli_fail(
                err, BL_E_DATA, "label '%s' is no class; the plan knows %u of them%s",
                bli_quote(text, strlen(text), quoted, sizeof quoted),
                bli_levels_count(t->classes),
                t->plan->classes.n ? " (\"classes\"; \"*\" there takes all others)" : ""),
            err);
    *ret = code == BL_NO_LEVEL ? t->other_class : t->class_value[code];
    return BL_OK;
}

/* --- Numbers ---------------------------------------------------------------------------- */

static bl_status label_of(const bl_transform *t, const bl_frame *frame,
                          const bl_frame_column *column, uint64_t r, double *ret,
                          bl_err *err)
{
    *ret = (double)NAN;
    if (column->kind != BL_FRAME_TEXT) {
        *ret = column->numbers[r];
        return BL_OK;
    }
    if (column->codes[r] == BL_NO_LEVEL)
        return BL_OK;
    if (!t->classes)
        return at_row(frame, column, r,
                      bli_fail(err, BL_E_DATA,
                               "the label is text here, in training it was a number"),
                      err);
    return class_of(t, frame, column, r, ret, err);
}

static bl_status missing_label(const bl_frame *frame, const bl_frame_column *column,
                               uint64_t r, const char *what, bl_err *err)
{
    return at_row(
        frame, column, r,
        bli_fail(err, BL_E_DATA,
                 "the cell is missing, but every row needs %s; a row step can "
                 "leave such rows out ({\"drop\": {\"column\": ..., \"missing\": "
                 "true}})",
                 what),
        err);
}

bl_status bli_labels_of(const bl_transform *t, const bl_frame *frame,
                        const bl_frame_column *const *by_place, const uint64_t *row,
                        uint64_t n, bool optional, double **ret_labels, bl_err *err)
{
    size_t k = t->n_of[BL_AS_LABEL];
    void *block;
    uint64_t n_missing = 0, first = 0;
    const bl_frame_column *missing_column = NULL;
    bl_status st = bli_alloc((size_t)n * k, sizeof(double), "labels", &block, err);
    if (st != BL_OK)
        return st;
    double *labels = block;
    for (size_t j = 0; st == BL_OK && j < k; j++) {
        const bl_frame_column *column = by_place[bli_place_of(t, BL_AS_LABEL, j)];
        if (!column) {
            free(labels);
            return BL_OK; /* the file has none */
        }
        for (uint64_t i = 0; st == BL_OK && i < n; i++) {
            uint64_t r = row ? row[i] : i;
            st = label_of(t, frame, column, r, &labels[i * k + j], err);
            if (st == BL_OK && isnan(labels[i * k + j]) && n_missing++ == 0)
                missing_column = column, first = r;
        }
    }
    if (st == BL_OK && n_missing && !(optional && n_missing == n * k))
        st = missing_label(frame, missing_column, first, "a label", err);
    if (st != BL_OK || n_missing || k == 0) {
        free(labels);
        return st;
    }
    *ret_labels = labels;
    return BL_OK;
}

/* One role of numbers, narrowed: [n][width], column k of it. */
static bl_status role_numbers(const bl_frame *frame, const bl_frame_column *column,
                              const uint64_t *row, uint64_t n, const char *what,
                              size_t width, size_t k, float *into, bl_err *err)
{
    for (uint64_t i = 0; i < n; i++) {
        uint64_t r = row ? row[i] : i;
        double value = column->numbers[r];
        if (isnan(value))
            return missing_label(frame, column, r, what, err);
        into[i * width + k] = (float)value;
    }
    return BL_OK;
}

static bl_status one_role(const bl_transform *t, const bl_frame *frame,
                          const bl_frame_column *const *by_place, const uint64_t *row,
                          uint64_t n, bl_place_role part, const char *what, float **ret,
                          bl_err *err)
{
    size_t place = bli_place_of(t, part, 0);
    if (place == BL_NONE || !by_place[place])
        return BL_OK;
    void *block;
    bl_status st = bli_alloc((size_t)n, sizeof(float), "row values", &block, err);
    if (st != BL_OK)
        return st;
    *ret = block;
    return role_numbers(frame, by_place[place], row, n, what, 1, 0, *ret, err);
}

static bl_status margins_of(const bl_transform *t, const bl_frame *frame,
                            const bl_frame_column *const *by_place, const uint64_t *row,
                            uint64_t n, bl_roles *roles, bl_err *err)
{
    size_t k = t->n_of[BL_AS_MARGIN];
    void *block;
    if (k == 0)
        return BL_OK;
    bl_status st = bli_alloc((size_t)n * k, sizeof(float), "base margins", &block, err);
    if (st != BL_OK)
        return st;
    roles->base_margins = block;
    roles->n_base_margins = k;
    for (size_t j = 0; st == BL_OK && j < k; j++)
        st = role_numbers(frame, by_place[bli_place_of(t, BL_AS_MARGIN, j)], row, n,
                          "a base margin", k, j, roles->base_margins, err);
    return st;
}

static bl_status check_weights(const bl_transform *t, const bl_frame *frame,
                               const bl_frame_column *const *by_place,
                               const uint64_t *row, uint64_t n, const bl_roles *roles,
                               bl_err *err)
{
    uint64_t n_zero = 0;
    for (uint64_t i = 0; roles->weights && i < n; i++) {
        n_zero += roles->weights[i] == 0;
        if (roles->weights[i] < 0)
            return at_row(
                frame, by_place[bli_place_of(t, BL_AS_WEIGHT, 0)], row ? row[i] : i,
                bli_fail(err, BL_E_DATA, "a negative weight, %g; weights are 0 or more",
                         (double)roles->weights[i]),
                err);
    }
    if (roles->weights && n_zero == n)
        return bli_fail(err, BL_E_DATA, "all %llu weights are 0: nothing would count",
                        (unsigned long long)n);
    for (uint64_t i = 0; roles->lower_bounds && roles->upper_bounds && i < n; i++)
        if (roles->lower_bounds[i] > roles->upper_bounds[i])
            return at_row(
                frame, by_place[bli_place_of(t, BL_AS_LOWER, 0)], row ? row[i] : i,
                bli_fail(err, BL_E_DATA, "the lower bound %g is above the upper bound %g",
                         (double)roles->lower_bounds[i], (double)roles->upper_bounds[i]),
                err);
    return BL_OK;
}

/* --- Groups and ids ---------------------------------------------------------------------- */

static bl_status groups_of(const bl_transform *t, const bl_frame *frame,
                           const bl_frame_column *const *by_place, const uint64_t *row,
                           uint64_t n, bl_roles *roles, bl_err *err)
{
    size_t place = bli_place_of(t, BL_AS_GROUP, 0);
    const bl_frame_column *column = place == BL_NONE ? NULL : by_place[place];
    if (!column)
        return BL_OK;
    char quoted[80];
    void *block;
    bool *seen = calloc((size_t)bli_levels_count(column->levels) + 1, sizeof *seen);
    bl_status st = seen ? bli_alloc((size_t)n, sizeof(uint64_t), "groups", &block, err)
                        : bli_fail(err, BL_E_NOMEM, "no memory for groups");
    if (st == BL_OK)
        roles->group_rows = block;
    uint32_t before = BL_NO_LEVEL;
    for (uint64_t i = 0; st == BL_OK && i < n; i++) {
        uint64_t r = row ? row[i] : i;
        uint32_t code = column->codes[r];
        if (code == BL_NO_LEVEL) {
            st = missing_label(frame, column, r, "a group", err);
        } else if (code != before && seen[code]) {
            const char *text = bli_levels_text(column->levels, code);
            st = at_row(frame, column, r,
                        bli_fail(err, BL_E_DATA,
                                 "group '%s' begins again, but the rows of a group stand "
                                 "one after the other; sort the rows by group, and split "
                                 "by group",
                                 bli_quote(text, strlen(text), quoted, sizeof quoted)),
                        err);
        } else {
            roles->n_groups += code != before;
            roles->group_rows[roles->n_groups - 1]++;
            if (roles->weights && code == before &&
                (roles->weights[i] < roles->weights[i - 1] ||
                 roles->weights[i] > roles->weights[i - 1]))
                st = at_row(
                    frame, column, r,
                    bli_fail(err, BL_E_DATA,
                             "weight %g differs from %g of the rows before it in the "
                             "same group; a weight is that of a group",
                             (double)roles->weights[i], (double)roles->weights[i - 1]),
                    err);
            seen[code] = true;
            before = code;
        }
    }
    free(seen);
    return st;
}

static bl_status id_of(const bl_frame_column *column, size_t place, const uint64_t *row,
                       uint64_t n, bl_text_column *into, bl_err *err)
{
    char number[32];
    void *offset, *text;
    uint64_t bytes = 0;
    snprintf(number, sizeof number, "%zu", place);
    bl_status st = bli_strdup(column->name ? column->name : number, &into->name, err);
    if (st == BL_OK)
        st = bli_alloc((size_t)n + 1, sizeof(uint64_t), "ids", &offset, err);
    if (st != BL_OK)
        return st;
    into->offset = offset;
    for (uint64_t i = 0; i < n; i++) {
        bytes += strlen(bli_levels_text(column->levels, column->codes[row ? row[i] : i]));
        into->offset[i + 1] = bytes;
    }
    st = bli_alloc((size_t)bytes + 1, 1, "ids", &text, err);
    if (st != BL_OK)
        return st;
    into->text = text;
    for (uint64_t i = 0; i < n; i++)
        memcpy(into->text + into->offset[i],
               bli_levels_text(column->levels, column->codes[row ? row[i] : i]),
               (size_t)(into->offset[i + 1] - into->offset[i]));
    return BL_OK;
}

static bl_status ids_of(const bl_transform *t, const bl_frame_column *const *by_place,
                        const uint64_t *row, uint64_t n, bl_roles *roles, bl_err *err)
{
    size_t k = t->n_of[BL_AS_ID];
    void *block;
    if (k == 0)
        return BL_OK;
    bl_status st = bli_alloc(k, sizeof(bl_text_column), "ids", &block, err);
    if (st != BL_OK)
        return st;
    roles->ids = block;
    roles->n_ids = k;
    for (size_t j = 0; st == BL_OK && j < k; j++) {
        size_t place = bli_place_of(t, BL_AS_ID, j);
        st = id_of(by_place[place], place, row, n, &roles->ids[j], err);
    }
    return st;
}

bl_status bli_roles_of(const bl_transform *t, const bl_frame *frame,
                       const bl_frame_column *const *by_place, const uint64_t *row,
                       uint64_t n, bool optional, bl_roles *ret_roles, bl_err *err)
{
    bl_roles roles = {0};
    double *labels = NULL;
    void *block;
    size_t k = t->n_of[BL_AS_LABEL];
    bl_status st = bli_labels_of(t, frame, by_place, row, n, optional, &labels, err);
    if (st == BL_OK && labels)
        st = bli_alloc((size_t)n * k, sizeof(float), "labels", &block, err);
    if (st == BL_OK && labels) {
        roles.labels = block;
        roles.n_labels = k;
        for (size_t i = 0; i < (size_t)n * k; i++)
            roles.labels[i] = (float)labels[i];
    }
    free(labels);
    if (st == BL_OK)
        st = one_role(t, frame, by_place, row, n, BL_AS_WEIGHT, "a weight",
                      &roles.weights, err);
    if (st == BL_OK)
        st = one_role(t, frame, by_place, row, n, BL_AS_LOWER, "a lower bound",
                      &roles.lower_bounds, err);
    if (st == BL_OK)
        st = one_role(t, frame, by_place, row, n, BL_AS_UPPER, "an upper bound",
                      &roles.upper_bounds, err);
    if (st == BL_OK)
        st = margins_of(t, frame, by_place, row, n, &roles, err);
    if (st == BL_OK)
        st = check_weights(t, frame, by_place, row, n, &roles, err);
    if (st == BL_OK)
        st = groups_of(t, frame, by_place, row, n, &roles, err);
    if (st == BL_OK)
        st = ids_of(t, by_place, row, n, &roles, err);
    if (st == BL_OK)
        *ret_roles = roles;
    else
        bli_roles_done(&roles);
    return st;
}
