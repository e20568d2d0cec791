/* SPDX-License-Identifier: Apache-2.0 */
/* A plan: JSON as a person writes it, checked. */
#include "preprocess/plan_priv.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void classes_done(bl_class_map *classes)
{
    for (size_t i = 0; i < classes->n; i++)
        free(classes->text[i]);
    free(classes->text);
    free(classes->value);
}

void bli_plan_free(bl_plan *plan)
{
    if (!plan)
        return;
    bli_refs_done(&plan->labels);
    classes_done(&plan->classes);
    bl_column_ref *single[] = {&plan->weight, &plan->group, &plan->lower,
                               &plan->upper,  &plan->date,  &plan->split.column};
    for (size_t i = 0; i < BL_LEN(single); i++)
        free(single[i]->name);
    bli_refs_done(&plan->ids);
    bli_refs_done(&plan->base_margins);
    bli_refs_done(&plan->drop);
    bli_texts_done(&plan->missing);
    for (size_t i = 0; i < plan->n_entries; i++)
        bli_entry_done(&plan->entries[i]);
    free(plan->entries);
    for (size_t i = 0; i < plan->n_filters; i++) {
        free(plan->filters[i].column.name);
        bli_levels_free(plan->filters[i].in);
    }
    free(plan->filters);
    for (size_t i = 0; i < plan->n_pcas; i++) {
        free(plan->pcas[i].name);
        bli_refs_done(&plan->pcas[i].columns);
    }
    free(plan->pcas);
    json_decref(plan->document);
    json_decref(plan->fitted);
    free(plan->name);
    free(plan);
}

/* --- The label ------------------------------------------------------------------------ */

static bl_status add_class(bl_plan *plan, const char *text, double value, bl_err *err)
{
    bl_class_map *map = &plan->classes;
    bl_status st = bli_strdup(text, &map->text[map->n], err);
    if (st == BL_OK)
        map->value[map->n++] = value;
    return st;
}

/* {"<30": 1, "*": 0}, or the texts of classes 0, 1, ... in a list. */
static bl_status read_classes(bl_plan *plan, const json_t *value, const bl_limits *limits,
                              bl_err *err)
{
    static const char path[] = "label.classes";
    char at[BL_PATH_BYTES], found[80];
    void *texts, *values;
    bool is_map = json_is_object(value);
    size_t n = is_map ? json_object_size(value) : json_array_size(value);
    if (n == 0)
        return bli_plan_refuse(
            plan, path, err,
            "%s; expected is a map of texts to numbers, as {\"no\": 0, \"yes\": 1}, or a "
            "list of texts, the first for class 0",
            bli_plan_found(value, found, sizeof found));
    if (n > limits->plan_levels)
        return bli_fail(err, BL_E_LIMIT,
                        "plan '%.100s', %s: %zu classes; the limit is %llu", plan->name,
                        path, n, (unsigned long long)limits->plan_levels);
    bl_status st = bli_alloc(n, sizeof(char *), "classes", &texts, err);
    if (st != BL_OK)
        return st;
    plan->classes.text = texts;
    st = bli_alloc(n, sizeof(double), "classes", &values, err);
    if (st != BL_OK)
        return st;
    plan->classes.value = values;
    if (!is_map) {
        bl_levels *levels = NULL;
        st = bli_plan_levels(plan, path, value, limits->plan_levels, &levels, err);
        for (size_t i = 0; st == BL_OK && i < n; i++)
            st = add_class(plan, bli_levels_text(levels, (uint32_t)i), (double)i, err);
        bli_levels_free(levels);
        return st;
    }
    const char *key;
    json_t *item;
    json_object_foreach((json_t *)(uintptr_t)value, key, item)
    {
        double number = 0;
        bli_path_member(path, key, at);
        if (st == BL_OK)
            st = bli_plan_number(plan, at, item, -(double)INFINITY, (double)INFINITY,
                                 &number, err);
        if (st == BL_OK)
            st = add_class(plan, key, number, err);
    }
    return st;
}

static bl_status read_label(bl_plan *plan, const json_t *value, const bl_limits *limits,
                            bl_err *err)
{
    static const char *const members[] = {"column", "classes"};
    plan->has_label = true;
    if (!json_is_object(value))
        return bli_plan_columns(plan, "label", value, limits->plan_columns, &plan->labels,
                                err);
    const json_t *classes = json_object_get(value, "classes");
    bl_status st = bli_plan_members(plan, "label", value, members, 2, err);
    if (st == BL_OK)
        st = bli_plan_columns(plan, "label.column", json_object_get(value, "column"), 1,
                              &plan->labels, err);
    return st == BL_OK && classes ? read_classes(plan, classes, limits, err) : st;
}

/* --- Rows ----------------------------------------------------------------------------- */

static bl_status read_condition(bl_plan *plan, const char *path, const json_t *value,
                                const bl_limits *limits, bl_filter *filter, bl_err *err)
{
    static const char *const members[] = {"column", "min", "max", "in", "missing"};
    char at[BL_PATH_BYTES];
    bl_status st = bli_plan_members(plan, path, value, members, 5, err);
    const json_t *min = json_object_get(value, "min"),
                 *max = json_object_get(value, "max");
    const json_t *in = json_object_get(value, "in");
    const json_t *missing = json_object_get(value, "missing");
    bli_path_member(path, "column", at);
    if (st == BL_OK)
        st = bli_plan_column(plan, at, json_object_get(value, "column"), &filter->column,
                             err);
    bli_path_member(path, "min", at);
    filter->has_min = min != NULL;
    if (st == BL_OK && min)
        st = bli_plan_number(plan, at, min, -(double)INFINITY, (double)INFINITY,
                             &filter->min, err);
    bli_path_member(path, "max", at);
    filter->has_max = max != NULL;
    if (st == BL_OK && max)
        st = bli_plan_number(plan, at, max, -(double)INFINITY, (double)INFINITY,
                             &filter->max, err);
    bli_path_member(path, "in", at);
    if (st == BL_OK && in)
        st = bli_plan_levels(plan, at, in, limits->plan_levels, &filter->in, err);
    bli_path_member(path, "missing", at);
    filter->has_missing = missing != NULL;
    if (st == BL_OK && missing)
        st = bli_plan_bool(plan, at, missing, &filter->missing, err);
    if (st == BL_OK && !min && !max && !in && !missing)
        st = bli_plan_refuse(plan, path, err,
                             "no condition; expected is at least one of min, max, in, "
                             "missing");
    if (st == BL_OK && in && (min || max))
        st = bli_plan_refuse(
            plan, path, err,
            "\"in\" compares texts and min, max compare numbers: use one");
    return st;
}

static bl_status read_filter(bl_plan *plan, const json_t *value, const bl_limits *limits,
                             bl_filter *filter, bl_err *err)
{
    static const char *const members[] = {"keep", "drop"};
    char at[BL_PATH_BYTES], found[80];
    const char *word = json_string_value(value);
    if (word && strcmp(word, "duplicates") == 0) {
        filter->duplicates = true;
        return BL_OK;
    }
    if (!json_is_object(value) || json_object_size(value) != 1)
        return bli_plan_refuse(
            plan, filter->path, err,
            "%s; expected is {\"keep\": {...}}, {\"drop\": {...}} or \"duplicates\"",
            bli_plan_found(value, found, sizeof found));
    bl_status st = bli_plan_members(plan, filter->path, value, members, 2, err);
    if (st != BL_OK)
        return st;
    filter->keep = json_object_get(value, "keep") != NULL;
    const char *member = filter->keep ? "keep" : "drop";
    bli_path_member(filter->path, member, at);
    return read_condition(plan, at, json_object_get(value, member), limits, filter, err);
}

static bl_status read_filters(bl_plan *plan, const json_t *value, const bl_limits *limits,
                              bl_err *err)
{
    char found[80];
    void *block;
    size_t n = json_array_size(value);
    if (!json_is_array(value) || n > 1000)
        return bli_plan_refuse(plan, "rows", err,
                               "%s; expected is a list of at most 1000 row steps",
                               bli_plan_found(value, found, sizeof found));
    bl_status st = bli_alloc(n, sizeof(bl_filter), "row steps", &block, err);
    if (st != BL_OK)
        return st;
    plan->filters = block;
    for (size_t i = 0; st == BL_OK && i < n; i++) {
        bl_filter *filter = &plan->filters[i];
        plan->n_filters = i + 1;
        bli_path_item("rows", i, filter->path);
        st = read_filter(plan, json_array_get(value, i), limits, filter, err);
    }
    return st;
}

/* --- Split ---------------------------------------------------------------------------- */

static bl_status read_split(bl_plan *plan, const json_t *value, bl_err *err)
{
    static const char *const members[] = {"by", "test", "validation", "seed", "column"};
    static const char *const ways[] = {"random", "stratified", "group", "time", "hash"};
    bl_split_plan *split = &plan->split;
    size_t word = 0;
    bl_status st = bli_plan_members(plan, "split", value, members, 5, err);
    const json_t *by = json_object_get(value, "by");
    const json_t *test = json_object_get(value, "test");
    const json_t *validation = json_object_get(value, "validation");
    const json_t *seed = json_object_get(value, "seed");
    const json_t *column = json_object_get(value, "column");
    if (st == BL_OK && by)
        st = bli_plan_word(plan, "split.by", by, ways, 5, &word, err);
    split->by = (bl_split_by)word;
    if (st == BL_OK && test)
        st = bli_plan_number(plan, "split.test", test, 0, 1, &split->test, err);
    if (st == BL_OK && validation)
        st = bli_plan_number(plan, "split.validation", validation, 0, 1,
                             &split->validation, err);
    if (st == BL_OK && seed)
        st = bli_plan_int(plan, "split.seed", seed, 0, UINT32_MAX, &split->seed, err);
    split->has_column = column != NULL;
    if (st == BL_OK && column)
        st = bli_plan_column(plan, "split.column", column, &split->column, err);
    split->present = true;
    if (st == BL_OK && !(split->test + split->validation < 1))
        st = bli_plan_refuse(plan, "split", err,
                             "test and validation take %g of the rows; expected is less "
                             "than 1",
                             split->test + split->validation);
    if (st == BL_OK && !test && !validation)
        st = bli_plan_refuse(plan, "split", err,
                             "no share; expected is test or validation, or both");
    if (st == BL_OK && !column && (split->by == BL_SPLIT_HASH))
        st = bli_plan_refuse(plan, "split", err, "by hash needs \"column\", the key");
    return st;
}

/* --- Several columns together --------------------------------------------------------- */

static bl_status read_pca(bl_plan *plan, const json_t *value, const bl_limits *limits,
                          bl_pca_plan *pca, bl_err *err)
{
    static const char *const members[] = {"name", "columns", "components"};
    char at[BL_PATH_BYTES];
    bl_status st = bli_plan_members(plan, pca->path, value, members, 3, err);
    const json_t *name = json_object_get(value, "name");
    bli_path_member(pca->path, "columns", at);
    if (st == BL_OK)
        st = bli_plan_columns(plan, at, json_object_get(value, "columns"),
                              limits->plan_joint, &pca->columns, err);
    bli_path_member(pca->path, "components", at);
    if (st == BL_OK)
        st = bli_plan_int(plan, at, json_object_get(value, "components"), 1,
                          (int64_t)limits->plan_joint, &pca->components, err);
    bli_path_member(pca->path, "name", at);
    if (st == BL_OK && name)
        return bli_plan_text(plan, at, name, &pca->name, err);
    return st == BL_OK ? bli_strdup("pca", &pca->name, err) : st;
}

static bl_status read_pcas(bl_plan *plan, const json_t *value, const bl_limits *limits,
                           bl_err *err)
{
    void *block;
    bool is_list = json_is_array(value);
    size_t n = is_list ? json_array_size(value) : 1;
    if (n > 1000)
        return bli_plan_refuse(plan, "pca", err, "%zu of them; the limit is 1000", n);
    bl_status st = bli_alloc(n, sizeof(bl_pca_plan), "a plan", &block, err);
    if (st != BL_OK)
        return st;
    plan->pcas = block;
    for (size_t i = 0; st == BL_OK && i < n; i++) {
        bl_pca_plan *pca = &plan->pcas[i];
        plan->n_pcas = i + 1;
        if (is_list)
            bli_path_item("pca", i, pca->path);
        else
            snprintf(pca->path, sizeof pca->path, "pca");
        st = read_pca(plan, is_list ? json_array_get(value, i) : value, limits, pca, err);
        for (size_t k = 0; st == BL_OK && k < i; k++)
            if (strcmp(plan->pcas[k].name, pca->name) == 0)
                st = bli_plan_refuse(plan, pca->path, err,
                                     "two are named '%.60s'; give each its \"name\"",
                                     pca->name);
    }
    return st;
}

/* --- All of it ------------------------------------------------------------------------ */

static bl_status read_one(bl_plan *plan, const char *member, bool *has,
                          bl_column_ref *column, bl_err *err)
{
    const json_t *value = json_object_get(plan->document, member);
    *has = value != NULL;
    return value ? bli_plan_column(plan, member, value, column, err) : BL_OK;
}

static bl_status read_many(bl_plan *plan, const char *member, uint64_t limit,
                           bl_column_refs *columns, bl_err *err)
{
    const json_t *value = json_object_get(plan->document, member);
    return value ? bli_plan_columns(plan, member, value, limit, columns, err) : BL_OK;
}

static bl_status read_roles(bl_plan *plan, const bl_limits *limits, bl_err *err)
{
    uint64_t limit = limits->plan_columns;
    const json_t *label = json_object_get(plan->document, "label");
    bl_status st = label ? read_label(plan, label, limits, err) : BL_OK;
    if (st == BL_OK)
        st = read_one(plan, "weight", &plan->has_weight, &plan->weight, err);
    if (st == BL_OK)
        st = read_one(plan, "group", &plan->has_group, &plan->group, err);
    if (st == BL_OK)
        st = read_one(plan, "date", &plan->has_date, &plan->date, err);
    if (st == BL_OK)
        st = read_one(plan, "label_lower_bound", &plan->has_lower, &plan->lower, err);
    if (st == BL_OK)
        st = read_one(plan, "label_upper_bound", &plan->has_upper, &plan->upper, err);
    if (st == BL_OK)
        st = read_many(plan, "id", limit, &plan->ids, err);
    if (st == BL_OK)
        st = read_many(plan, "base_margin", limit, &plan->base_margins, err);
    if (st == BL_OK)
        st = read_many(plan, "drop", limit, &plan->drop, err);
    if (st == BL_OK && plan->has_lower != plan->has_upper)
        st = bli_plan_refuse(plan,
                             plan->has_lower ? "label_lower_bound" : "label_upper_bound",
                             err, "both bounds are needed");
    if (st == BL_OK && plan->has_lower && plan->has_label)
        st = bli_plan_refuse(plan, "label", err,
                             "the bounds stand instead of a label: leave one out");
    return st;
}

static bl_status read_rest(bl_plan *plan, const bl_limits *limits, bl_err *err)
{
    static const char *const unseen_words[] = {"error", "missing"};
    const json_t *document = plan->document;
    const json_t *missing = json_object_get(document, "missing");
    const json_t *unseen = json_object_get(document, "unseen");
    const json_t *columns = json_object_get(document, "columns");
    const json_t *rows = json_object_get(document, "rows");
    const json_t *correlation = json_object_get(document, "correlation");
    const json_t *pca = json_object_get(document, "pca");
    const json_t *split = json_object_get(document, "split");
    size_t word = 0;
    bl_status st = BL_OK;
    plan->has_missing = missing != NULL;
    if (missing)
        st = bli_plan_texts(plan, "missing", missing, 1000, &plan->missing, err);
    plan->has_unseen = unseen != NULL;
    if (st == BL_OK && unseen)
        st = bli_plan_word(plan, "unseen", unseen, unseen_words, 2, &word, err);
    plan->unseen = word ? BL_UNSEEN_MISSING : BL_UNSEEN_ERROR;
    if (st == BL_OK && columns)
        st = bli_plan_entries(plan, columns, limits, err);
    if (st == BL_OK && rows)
        st = read_filters(plan, rows, limits, err);
    if (st == BL_OK && correlation)
        st = bli_plan_number(plan, "correlation", correlation, 0, 1, &plan->correlation,
                             err);
    if (st == BL_OK && pca)
        st = read_pcas(plan, pca, limits, err);
    return st == BL_OK && split ? read_split(plan, split, err) : st;
}

static bl_status read_document(bl_plan *plan, const bl_limits *limits, bl_err *err)
{
    static const char *const members[] = {"format",
                                          "comment",
                                          "label",
                                          "weight",
                                          "group",
                                          "id",
                                          "date",
                                          "drop",
                                          "missing",
                                          "unseen",
                                          "rows",
                                          "columns",
                                          "pca",
                                          "split",
                                          "fitted",
                                          "correlation",
                                          "base_margin",
                                          "label_lower_bound",
                                          "label_upper_bound",
                                          "$schema"};
    int64_t format;
    bl_status st =
        bli_plan_members(plan, "", plan->document, members, BL_LEN(members), err);
    const json_t *given = json_object_get(plan->document, "format");
    if (st == BL_OK && given)
        st = bli_plan_int(plan, "format", given, 1, 1, &format, err);
    if (st == BL_OK)
        st = read_roles(plan, limits, err);
    if (st == BL_OK)
        st = read_rest(plan, limits, err);
    json_t *fitted = json_object_get(plan->document, "fitted");
    if (st == BL_OK && fitted) {
        plan->fitted = json_incref(fitted);
        json_object_del(plan->document, "fitted");
    }
    return st;
}

bl_status bli_plan_of(const char *name, json_t *take_document, const bl_limits *limits,
                      bl_plan **ret_plan, bl_err *err)
{
    void *block;
    bl_status st = bli_alloc(1, sizeof(bl_plan), "a plan", &block, err);
    if (st != BL_OK) {
        json_decref(take_document);
        return st;
    }
    bl_plan *plan = block;
    plan->document = take_document;
    st = bli_strdup(name, &plan->name, err);
    if (st == BL_OK)
        st = read_document(plan, limits, err);
    if (st != BL_OK) {
        bli_plan_free(plan);
        return st;
    }
    *ret_plan = plan;
    return BL_OK;
}

bl_status bli_plan_read(const char *name, const char *text, size_t n,
                        const bl_limits *limits, bl_plan **ret_plan, bl_err *err)
{
    json_t *document = NULL;
    if (n > limits->config_bytes)
        return bli_fail(err, BL_E_LIMIT, "plan '%.100s' has %zu bytes; the limit is %llu",
                        name, n, (unsigned long long)limits->config_bytes);
    bl_status st = bli_json_parse(text, n, &document, err);
    if (st != BL_OK) {
        bli_err_prefix(err, "plan '%.100s'", name);
        return st;
    }
    return bli_plan_of(name, document, limits, ret_plan, err);
}
