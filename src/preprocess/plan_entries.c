/* SPDX-License-Identifier: Apache-2.0 */
/* "columns" of a plan: which columns, of which type, and whether their steps fit together. */
#include "preprocess/plan_priv.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

void bli_entry_done(bl_entry *entry)
{
    bli_refs_done(&entry->columns);
    bli_texts_done(&entry->missing);
    for (size_t i = 0; i < entry->n_steps; i++)
        bli_step_done(&entry->steps[i]);
    free(entry->steps);
}

/* --- The flow of kinds through the steps ---------------------------------------------- */

static bl_step_class class_of(const bl_step *step)
{
    if (step->kind != BL_STEP_IMPUTE)
        return bli_step_class_of(step->kind);
    if (step->impute == BL_IMPUTE_MODE)
        return BL_CLASS_ANY;
    return step->impute == BL_IMPUTE_CONSTANT && step->text ? BL_CLASS_TEXT
                                                            : BL_CLASS_NUMBER;
}

static bl_status check_flow(const bl_plan *plan, bl_entry *entry, bl_err *err)
{
    const bl_step *last = NULL;
    bool encoded = false;
    for (size_t i = 0; i < entry->n_steps; i++) {
        const bl_step *step = &entry->steps[i];
        const char *name = bli_step_name(step->kind);
        bl_step_class class = class_of(step);
        bool is_text =
            !encoded && (entry->type == BL_TYPE_CATEGORY || entry->type == BL_TYPE_DATE);
        if (last)
            return bli_plan_refuse(plan, step->path, err,
                                   "%s stands after %s, which must be the last step",
                                   name, bli_step_name(last->kind));
        if (class == BL_CLASS_ANY)
            continue;
        if (entry->type == BL_TYPE_AUTO)
            entry->type = class == BL_CLASS_NUMBER     ? BL_TYPE_NUMBER
                          : step->kind == BL_STEP_DATE ? BL_TYPE_DATE
                                                       : BL_TYPE_CATEGORY;
        else if (class == BL_CLASS_NUMBER && is_text)
            return bli_plan_refuse(
                plan, step->path, err,
                "%s works on numbers, but the column is %s here; "
                "encode it before (%s)",
                name, entry->type == BL_TYPE_DATE ? "a date" : "text",
                entry->type == BL_TYPE_DATE ? "date" : "ordinal, onehot, target");
        else if (class != BL_CLASS_NUMBER && !is_text)
            return bli_plan_refuse(
                plan, step->path, err, "%s works on text, but the column is %s here",
                name, encoded ? "encoded already" : "of numbers (\"type\": \"number\")");
        if (class == BL_CLASS_ENCODE &&
            (step->kind == BL_STEP_DATE) != (entry->type == BL_TYPE_DATE))
            return bli_plan_refuse(plan, step->path, err, "%s does not go with type %s",
                                   name,
                                   entry->type == BL_TYPE_DATE ? "date" : "category");
        encoded |= class == BL_CLASS_ENCODE;
        if (step->kind == BL_STEP_CATEGORY || step->kind == BL_STEP_ONEHOT)
            last = step;
    }
    return BL_OK;
}

/* --- Entries -------------------------------------------------------------------------- */

static bl_status read_steps(const bl_plan *plan, const bl_limits *limits, bl_entry *entry,
                            const json_t *list, bl_err *err)
{
    char path[BL_PATH_BYTES], at[BL_PATH_BYTES], found[80];
    void *block;
    size_t n = json_array_size(list);
    bli_path_member(entry->path, "steps", path);
    if (!json_is_array(list))
        return bli_plan_refuse(plan, path, err, "%s; expected is a list of steps",
                               bli_plan_found(list, found, sizeof found));
    if (n > 64)
        return bli_plan_refuse(plan, path, err, "%zu steps; the limit is 64", n);
    bl_status st = bli_alloc(n, sizeof(bl_step), "steps", &block, err);
    if (st != BL_OK)
        return st;
    entry->steps = block;
    for (size_t i = 0; st == BL_OK && i < n; i++) {
        bli_path_item(path, i, at);
        entry->n_steps = i + 1;
        st = bli_plan_step(plan, limits, at, json_array_get(list, i), &entry->steps[i],
                           err);
    }
    return st;
}

static bl_status read_entry(const bl_plan *plan, const bl_limits *limits,
                            const json_t *value, bl_entry *entry, bl_err *err)
{
    static const char *const members[] = {"columns", "type", "missing", "unseen",
                                          "steps"};
    static const char *const types[] = {"auto", "number", "category", "date"};
    static const char *const unseen[] = {"error", "missing"};
    char at[BL_PATH_BYTES];
    size_t word = 0;
    bl_status st = bli_plan_members(plan, entry->path, value, members, 5, err);
    if (st != BL_OK)
        return st;
    const json_t *type = json_object_get(value, "type");
    const json_t *missing = json_object_get(value, "missing");
    const json_t *unseen_word = json_object_get(value, "unseen");
    const json_t *list = json_object_get(value, "steps");
    bli_path_member(entry->path, "columns", at);
    st = bli_plan_columns(plan, at, json_object_get(value, "columns"),
                          limits->plan_columns, &entry->columns, err);
    bli_path_member(entry->path, "type", at);
    if (st == BL_OK && type) {
        st = bli_plan_word(plan, at, type, types, 4, &word, err);
        entry->type = (bl_entry_type)word;
    }
    bli_path_member(entry->path, "missing", at);
    if (st == BL_OK && missing) {
        st = bli_plan_texts(plan, at, missing, 1000, &entry->missing, err);
        entry->has_missing = true;
    }
    bli_path_member(entry->path, "unseen", at);
    if (st == BL_OK && unseen_word) {
        st = bli_plan_word(plan, at, unseen_word, unseen, 2, &word, err);
        entry->unseen = word ? BL_UNSEEN_MISSING : BL_UNSEEN_ERROR;
        entry->has_unseen = true;
    }
    if (st == BL_OK && list)
        st = read_steps(plan, limits, entry, list, err);
    return st == BL_OK ? check_flow(plan, entry, err) : st;
}

bl_status bli_plan_entries(bl_plan *plan, const json_t *value, const bl_limits *limits,
                           bl_err *err)
{
    char found[80];
    void *block;
    size_t n = json_array_size(value);
    if (!json_is_array(value))
        return bli_plan_refuse(plan, "columns", err, "%s; expected is a list of entries",
                               bli_plan_found(value, found, sizeof found));
    if (n > limits->plan_columns)
        return bli_fail(err, BL_E_LIMIT,
                        "plan '%.100s', columns: %zu entries; the limit is %llu",
                        plan->name, n, (unsigned long long)limits->plan_columns);
    bl_status st = bli_alloc(n, sizeof(bl_entry), "a plan", &block, err);
    if (st != BL_OK)
        return st;
    plan->entries = block;
    plan->has_entries = true;
    for (size_t i = 0; st == BL_OK && i < n; i++) {
        bl_entry *entry = &plan->entries[i];
        bli_path_item("columns", i, entry->path);
        plan->n_entries = i + 1;
        st = read_entry(plan, limits, json_array_get(value, i), entry, err);
    }
    return st;
}
