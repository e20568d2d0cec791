/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of a plan: their names, what each takes, and what it takes where nothing is said. */
#include "preprocess/plan_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    bl_step_class class;
    bool bare; /* may stand as its name alone */
    const char *example;
} steps[BL_N_STEPS] = {
    [BL_STEP_IMPUTE] = {"impute", BL_CLASS_ANY, false, "{\"impute\": \"median\"}"},
    [BL_STEP_INDICATOR] = {"indicator", BL_CLASS_ANY, true, "\"indicator\""},
    [BL_STEP_STANDARDIZE] = {"standardize", BL_CLASS_NUMBER, true, "\"standardize\""},
    [BL_STEP_MINMAX] = {"minmax", BL_CLASS_NUMBER, true, "{\"minmax\": [0, 1]}"},
    [BL_STEP_ROBUST] = {"robust", BL_CLASS_NUMBER, true, "{\"robust\": [25, 75]}"},
    [BL_STEP_LOG1P] = {"log1p", BL_CLASS_NUMBER, true, "\"log1p\""},
    [BL_STEP_CLIP] = {"clip", BL_CLASS_NUMBER, false, "{\"clip\": [0, null]}"},
    [BL_STEP_WINSORIZE] = {"winsorize", BL_CLASS_NUMBER, false,
                           "{\"winsorize\": [0.01, 0.99]}"},
    [BL_STEP_BINS] = {"bins", BL_CLASS_NUMBER, false, "{\"bins\": 10}"},
    [BL_STEP_RARE] = {"rare", BL_CLASS_TEXT, false, "{\"rare\": 0.01}"},
    [BL_STEP_CATEGORY] = {"category", BL_CLASS_ENCODE, true, "\"category\""},
    [BL_STEP_ORDINAL] = {"ordinal", BL_CLASS_ENCODE, true, "\"ordinal\""},
    [BL_STEP_ONEHOT] = {"onehot", BL_CLASS_ENCODE, true, "\"onehot\""},
    [BL_STEP_TARGET] = {"target", BL_CLASS_ENCODE, true, "{\"target\": {\"folds\": 5}}"},
    [BL_STEP_DATE] = {"date", BL_CLASS_ENCODE, true, "{\"date\": [\"year\", \"month\"]}"},
};

static const char *const parts[BL_N_DATE_PARTS] = {
    "year", "quarter", "month",  "day",  "weekday", "yearday",
    "hour", "minute",  "second", "days", "epoch"};

const char *bli_step_name(bl_step_kind kind)
{
    return steps[kind].name;
}

bool bli_step_kind_of(const char *name, bl_step_kind *ret)
{
    for (size_t i = 0; i < BL_N_STEPS; i++)
        if (strcmp(name, steps[i].name) == 0) {
            *ret = (bl_step_kind)i;
            return true;
        }
    return false;
}

bl_step_class bli_step_class_of(bl_step_kind kind)
{
    return steps[kind].class;
}

const char *bli_date_part_name(bl_date_part part)
{
    return parts[part];
}

void bli_step_done(bl_step *step)
{
    free(step->text);
    bli_levels_free(step->order);
}

/* --- Arguments of steps --------------------------------------------------------------- */

typedef struct reader {
    const bl_plan *plan;
    const bl_limits *limits;
} reader;

static bl_status wrong(const reader *r, const bl_step *step, const json_t *value,
                       bl_err *err)
{
    char found[80];
    return bli_plan_refuse(r->plan, step->path, err, "%s takes no %s; write it as %s",
                           steps[step->kind].name,
                           bli_plan_found(value, found, sizeof found),
                           steps[step->kind].example);
}

/* [a, b], each a number or (where open) null. */
static bl_status read_pair(const reader *r, bl_step *step, const json_t *value,
                           double low, double high, bool open, bl_err *err)
{
    char at[BL_PATH_BYTES];
    double *into[2] = {&step->a, &step->b};
    if (!json_is_array(value) || json_array_size(value) != 2)
        return wrong(r, step, value, err);
    for (size_t i = 0; i < 2; i++) {
        const json_t *item = json_array_get(value, i);
        bli_path_item(step->path, i, at);
        if (open && json_is_null(item)) {
            *into[i] = i ? (double)INFINITY : -(double)INFINITY;
            continue;
        }
        bl_status st = bli_plan_number(r->plan, at, item, low, high, into[i], err);
        if (st != BL_OK)
            return st;
    }
    if (!(step->a < step->b))
        return bli_plan_refuse(r->plan, step->path, err,
                               "[%g, %g]: the first must be below the second", step->a,
                               step->b);
    return BL_OK;
}

static bl_status read_constant(const reader *r, bl_step *step, const json_t *value,
                               bl_err *err)
{
    char at[BL_PATH_BYTES], found[80];
    step->impute = BL_IMPUTE_CONSTANT;
    bli_path_member(step->path, "constant", at);
    if (json_is_string(value))
        return bli_plan_text(r->plan, at, value, &step->text, err);
    if (!json_is_number(value))
        return bli_plan_refuse(r->plan, at, err, "%s; expected is a number, or a level",
                               bli_plan_found(value, found, sizeof found));
    step->a = json_number_value(value);
    return BL_OK;
}

static bl_status read_impute(const reader *r, bl_step *step, const json_t *value,
                             bl_err *err)
{
    static const char *const words[] = {"mean", "median", "mode"};
    static const char *const members[] = {"with", "constant", "indicator"};
    char at[BL_PATH_BYTES];
    size_t word = 0;
    if (!json_is_object(value)) {
        bl_status st = bli_plan_word(r->plan, step->path, value, words, 3, &word, err);
        step->impute = (bl_impute)word;
        return st;
    }
    bl_status st = bli_plan_members(r->plan, step->path, value, members, 3, err);
    const json_t *with = json_object_get(value, "with");
    const json_t *constant = json_object_get(value, "constant");
    const json_t *indicator = json_object_get(value, "indicator");
    if (st == BL_OK && !with == !constant)
        return bli_plan_refuse(r->plan, step->path, err,
                               "expected is one of \"with\" (mean, median, mode) and "
                               "\"constant\"");
    bli_path_member(step->path, "with", at);
    if (st == BL_OK && with) {
        st = bli_plan_word(r->plan, at, with, words, 3, &word, err);
        step->impute = (bl_impute)word;
    } else if (st == BL_OK) {
        st = read_constant(r, step, constant, err);
    }
    bli_path_member(step->path, "indicator", at);
    if (st == BL_OK && indicator)
        st = bli_plan_bool(r->plan, at, indicator, &step->indicator, err);
    return st;
}

static bl_status read_bins(const reader *r, bl_step *step, const json_t *value,
                           bl_err *err)
{
    static const char *const members[] = {"n", "method"};
    static const char *const methods[] = {"linear"};
    char at[BL_PATH_BYTES];
    size_t word;
    const json_t *n = value;
    bl_status st = BL_OK;
    bli_path_member(step->path, "n", at);
    if (json_is_object(value)) {
        st = bli_plan_members(r->plan, step->path, value, members, 2, err);
        n = json_object_get(value, "n");
    }
    if (st == BL_OK)
        st = bli_plan_int(r->plan, json_is_object(value) ? at : step->path, n, 2, 65536,
                          &step->n, err);
    const json_t *method = json_object_get(value, "method");
    bli_path_member(step->path, "method", at);
    return st == BL_OK && method
               ? bli_plan_word(r->plan, at, method, methods, 1, &word, err)
               : st;
}

static bl_status read_rare(const reader *r, bl_step *step, const json_t *value,
                           bl_err *err)
{
    static const char *const members[] = {"below", "name"};
    char at[BL_PATH_BYTES];
    bool is_object = json_is_object(value);
    bl_status st =
        is_object ? bli_plan_members(r->plan, step->path, value, members, 2, err) : BL_OK;
    bli_path_member(step->path, "below", at);
    if (st == BL_OK)
        st = bli_plan_number(r->plan, is_object ? at : step->path,
                             is_object ? json_object_get(value, "below") : value, 0,
                             (double)INFINITY, &step->a, err);
    const json_t *name = json_object_get(value, "name");
    bli_path_member(step->path, "name", at);
    if (st == BL_OK && name)
        return bli_plan_text(r->plan, at, name, &step->text, err);
    return st == BL_OK ? bli_strdup("other", &step->text, err) : st;
}

static bl_status read_order(const reader *r, bl_step *step, const json_t *value,
                            bl_err *err)
{
    static const char *const members[] = {"order"};
    char at[BL_PATH_BYTES];
    bl_status st = bli_plan_members(r->plan, step->path, value, members, 1, err);
    const json_t *order = json_object_get(value, "order");
    bli_path_member(step->path, "order", at);
    return st == BL_OK && order
               ? bli_plan_levels(r->plan, at, order, r->limits->plan_levels, &step->order,
                                 err)
               : st;
}

static bl_status read_target(const reader *r, bl_step *step, const json_t *value,
                             bl_err *err)
{
    static const char *const members[] = {"folds", "seed", "smooth"};
    static const char *const words[] = {"auto"};
    char at[BL_PATH_BYTES];
    size_t word;
    bl_status st = bli_plan_members(r->plan, step->path, value, members, 3, err);
    const json_t *folds = json_object_get(value, "folds");
    const json_t *seed = json_object_get(value, "seed");
    const json_t *smooth = json_object_get(value, "smooth");
    bli_path_member(step->path, "folds", at);
    if (st == BL_OK && folds)
        st = bli_plan_int(r->plan, at, folds, 2, 1000, &step->n, err);
    bli_path_member(step->path, "seed", at);
    if (st == BL_OK && seed)
        st = bli_plan_int(r->plan, at, seed, 0, UINT32_MAX, &step->seed, err);
    bli_path_member(step->path, "smooth", at);
    if (st != BL_OK || !smooth)
        return st;
    if (json_is_string(smooth))
        return bli_plan_word(r->plan, at, smooth, words, 1, &word, err);
    step->is_auto = false;
    return bli_plan_number(r->plan, at, smooth, 0, (double)INFINITY, &step->a, err);
}

static bl_status read_parts(const reader *r, bl_step *step, const char *path,
                            const json_t *value, bl_err *err)
{
    char at[BL_PATH_BYTES], found[80];
    if (!json_is_array(value) || json_array_size(value) == 0)
        return bli_plan_refuse(r->plan, path, err, "%s; expected is a list of parts",
                               json_is_array(value)
                                   ? "an empty list"
                                   : bli_plan_found(value, found, sizeof found));
    step->n_parts = 0;
    for (size_t i = 0; i < json_array_size(value); i++) {
        size_t part = 0;
        bli_path_item(path, i, at);
        bl_status st = bli_plan_word(r->plan, at, json_array_get(value, i), parts,
                                     BL_N_DATE_PARTS, &part, err);
        for (size_t k = 0; st == BL_OK && k < step->n_parts; k++)
            if (step->parts[k] == (bl_date_part)part)
                st = bli_plan_refuse(r->plan, at, err, "'%s' stands twice", parts[part]);
        if (st != BL_OK)
            return st;
        step->parts[step->n_parts++] = (bl_date_part)part;
    }
    return BL_OK;
}

static bl_status read_date(const reader *r, bl_step *step, const json_t *value,
                           bl_err *err)
{
    static const char *const members[] = {"parts", "format"};
    char at[BL_PATH_BYTES];
    if (!json_is_object(value))
        return read_parts(r, step, step->path, value, err);
    bl_status st = bli_plan_members(r->plan, step->path, value, members, 2, err);
    const json_t *list = json_object_get(value, "parts");
    const json_t *format = json_object_get(value, "format");
    bli_path_member(step->path, "parts", at);
    if (st == BL_OK && list)
        st = read_parts(r, step, at, list, err);
    bli_path_member(step->path, "format", at);
    if (st != BL_OK || !format)
        return st;
    st = bli_plan_text(r->plan, at, format, &step->text, err);
    if (st != BL_OK)
        return st;
    for (const char *c = step->text; *c; c++) {
        if (*c != '%')
            continue;
        c++;
        if (!*c || !strchr("YmdHMSy", *c))
            return bli_plan_refuse(
                r->plan, at, err,
                "'%%%c' is not known; allowed are %%Y %%y %%m %%d %%H %%M %%S and other "
                "characters as they stand",
                *c ? *c : ' ');
    }
    return strstr(step->text, "%Y") || strstr(step->text, "%y")
               ? BL_OK
               : bli_plan_refuse(r->plan, at, err, "a date needs its year: %%Y or %%y");
}

static void set_defaults(bl_step *step)
{
    step->is_auto = true;
    switch (step->kind) {
    case BL_STEP_MINMAX:
        step->b = 1;
        break;
    case BL_STEP_ROBUST:
        step->a = 25, step->b = 75;
        break;
    case BL_STEP_TARGET:
        step->n = 5;
        break;
    case BL_STEP_DATE:
        step->n_parts = 4;
        step->parts[0] = BL_DATE_YEAR, step->parts[1] = BL_DATE_MONTH;
        step->parts[2] = BL_DATE_DAY, step->parts[3] = BL_DATE_WEEKDAY;
        break;
    default:
        break;
    }
}

static bl_status read_arguments(const reader *r, bl_step *step, const json_t *value,
                                bl_err *err)
{
    switch (step->kind) {
    case BL_STEP_IMPUTE:
        return read_impute(r, step, value, err);
    case BL_STEP_MINMAX:
        return read_pair(r, step, value, -(double)INFINITY, (double)INFINITY, false, err);
    case BL_STEP_ROBUST:
        return read_pair(r, step, value, 0, 100, false, err);
    case BL_STEP_CLIP:
        return read_pair(r, step, value, -(double)INFINITY, (double)INFINITY, true, err);
    case BL_STEP_WINSORIZE:
        return read_pair(r, step, value, 0, 1, false, err);
    case BL_STEP_BINS:
        return read_bins(r, step, value, err);
    case BL_STEP_RARE:
        return read_rare(r, step, value, err);
    case BL_STEP_CATEGORY:
    case BL_STEP_ORDINAL:
    case BL_STEP_ONEHOT:
        return read_order(r, step, value, err);
    case BL_STEP_TARGET:
        return read_target(r, step, value, err);
    case BL_STEP_DATE:
        return read_date(r, step, value, err);
    default:
        return wrong(r, step, value, err);
    }
}

static bl_status unknown_step(const reader *r, const char *path, const char *name,
                              bl_err *err)
{
    const char *names[BL_N_STEPS];
    char quoted[60], list[300] = "";
    size_t used = 0;
    for (size_t i = 0; i < BL_N_STEPS; i++) {
        names[i] = steps[i].name;
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "",
                                 names[i]);
    }
    const char *near = bli_nearest(name, names, BL_N_STEPS);
    return bli_plan_refuse(r->plan, path, err, "'%s' is no step%s%s%s; steps are %s",
                           bli_quote(name, strlen(name), quoted, sizeof quoted),
                           near ? "; did you mean '" : "", near ? near : "",
                           near ? "'?" : "", list);
}

/* A name alone, or an object of one member: its name and what it takes. */
static bl_status read_step(const reader *r, const char *path, const json_t *value,
                           bl_step *step, bl_err *err)
{
    char found[80];
    const char *name = json_string_value(value);
    const json_t *arguments = NULL;
    if (json_is_object(value) && json_object_size(value) == 1) {
        void *it = json_object_iter((json_t *)(uintptr_t)value);
        name = json_object_iter_key(it);
        arguments = json_object_iter_value(it);
    }
    if (!name)
        return bli_plan_refuse(r->plan, path, err,
                               "%s; expected is a step: a name, or an object of one "
                               "member as {\"impute\": \"median\"}",
                               bli_plan_found(value, found, sizeof found));
    if (!bli_step_kind_of(name, &step->kind))
        return unknown_step(r, path, name, err);
    snprintf(step->path, sizeof step->path, "%s", path);
    set_defaults(step);
    if (!arguments && !steps[step->kind].bare)
        return bli_plan_refuse(r->plan, path, err, "%s needs to know more: %s", name,
                               steps[step->kind].example);
    if (!arguments)
        return BL_OK;
    bli_path_member(path, name, step->path);
    return read_arguments(r, step, arguments, err);
}

bl_status bli_plan_step(const bl_plan *plan, const bl_limits *limits, const char *path,
                        const json_t *value, bl_step *ret_step, bl_err *err)
{
    const reader r = {plan, limits};
    return read_step(&r, path, value, ret_step, err);
}
