/* SPDX-License-Identifier: Apache-2.0 */
/* A plan beside the job's own settings: what one of them does not say, the other does; what
 * both say must be the same. */
#include "preprocess/plan_priv.h"

#include "base/mem.h"

#include <string.h>

static json_t *as_json(const bl_column_ref *ref)
{
    return ref->name ? json_string(ref->name) : json_integer(ref->index);
}

static bool refs_equal(const bl_column_refs *a, const bl_column_refs *b)
{
    bool equal = a->n == b->n;
    for (size_t i = 0; equal && i < a->n; i++) {
        const char *x = a->ref[i].name, *y = b->ref[i].name;
        equal = !x == !y && (x ? strcmp(x, y) == 0 : a->ref[i].index == b->ref[i].index);
    }
    return equal;
}

static bl_status copy_refs(const bl_column_refs *from, bl_column_refs *into, bl_err *err)
{
    void *block;
    bl_status st = bli_alloc(from->n, sizeof(bl_column_ref), "columns", &block, err);
    if (st != BL_OK)
        return st;
    bli_refs_done(into);
    into->ref = block;
    for (size_t i = 0; st == BL_OK && i < from->n; i++) {
        into->ref[i].index = from->ref[i].index;
        into->n++;
        if (from->ref[i].name)
            st = bli_strdup(from->ref[i].name, &into->ref[i].name, err);
    }
    return st;
}

static bl_status take(bl_plan *plan, const char *member, const char *setting,
                      const bl_column_refs *given, bool has, bl_column_refs *into,
                      bl_err *err)
{
    if (given->n == 0)
        return BL_OK;
    if (has && refs_equal(given, into))
        return BL_OK;
    if (has)
        return bli_fail(err, BL_E_CONFIG,
                        "%s and the plan's \"%s\" name different columns: leave one out",
                        setting, member);
    json_t *list = json_array();
    for (size_t i = 0; list && i < given->n; i++)
        json_array_append_new(list, as_json(&given->ref[i]));
    if (!list || json_object_set_new(plan->document, member, list) != 0)
        return bli_fail(err, BL_E_NOMEM, "no memory for a plan");
    return copy_refs(given, into, err);
}

static bl_status take_one(bl_plan *plan, const char *member, const char *setting,
                          const bl_column_ref *given, bool is_given, bool *has,
                          bl_column_ref *into, bl_err *err)
{
    bl_column_ref one = *given, own = *into;
    bl_column_refs given_refs = {is_given, &one}, own_refs = {*has, &own}, fresh = {0};
    if (!is_given || (*has && refs_equal(&given_refs, &own_refs)))
        return BL_OK;
    if (*has)
        return bli_fail(err, BL_E_CONFIG,
                        "%s and the plan's \"%s\" name different columns: leave one out",
                        setting, member);
    bl_status st = copy_refs(&given_refs, &fresh, err);
    if (st == BL_OK && json_object_set_new(plan->document, member, as_json(given)) != 0)
        st = bli_fail(err, BL_E_NOMEM, "no memory for a plan");
    if (st == BL_OK) {
        *into = fresh.ref[0];
        fresh.ref[0].name = NULL;
        *has = true;
    }
    bli_refs_done(&fresh);
    return st;
}

static bl_status refuse_others(const bl_plan *plan, const bl_read_settings *s,
                               bl_err *err)
{
    if (s->feature_names.n || s->feature_types.n)
        return bli_fail(err, BL_E_CONFIG,
                        "%s and bl_preprocess are both given; names and types of the "
                        "model's columns are the plan's: leave it out",
                        s->feature_names.n ? "bl_feature_names" : "bl_feature_types");
    if (s->missing_texts_given && plan->has_missing)
        return bli_fail(
            err, BL_E_CONFIG,
            "bl_missing_text and the plan's \"missing\" are both given: leave "
            "one out");
    if (s->unseen == BL_UNSEEN_MISSING && plan->has_unseen &&
        plan->unseen == BL_UNSEEN_ERROR)
        return bli_fail(
            err, BL_E_CONFIG,
            "bl_unseen is missing and the plan's \"unseen\" is error: leave one "
            "out");
    return BL_OK;
}

bl_status bli_plan_take_settings(bl_plan *plan, const bl_read_settings *s,
                                 bool label_given, bl_err *err)
{
    bl_status st = refuse_others(plan, s, err);
    bool takes_label =
        label_given || (!plan->has_label && !plan->has_lower && !s->has_lower);
    if (plan->fitted)
        return st; /* its roles are settled */
    if (st == BL_OK && takes_label) {
        st = take(plan, "label", "bl_label", &s->labels, plan->has_label, &plan->labels,
                  err);
        plan->has_label |= s->labels.n > 0;
    }
    if (st == BL_OK)
        st = take_one(plan, "weight", "bl_weight", &s->weight, s->has_weight,
                      &plan->has_weight, &plan->weight, err);
    if (st == BL_OK)
        st = take_one(plan, "group", "bl_group", &s->group, s->has_group,
                      &plan->has_group, &plan->group, err);
    if (st == BL_OK)
        st = take_one(plan, "label_lower_bound", "bl_label_lower_bound", &s->lower,
                      s->has_lower, &plan->has_lower, &plan->lower, err);
    if (st == BL_OK)
        st = take_one(plan, "label_upper_bound", "bl_label_upper_bound", &s->upper,
                      s->has_upper, &plan->has_upper, &plan->upper, err);
    if (st == BL_OK)
        st = take(plan, "base_margin", "bl_base_margin", &s->base_margins,
                  plan->base_margins.n > 0, &plan->base_margins, err);
    if (st == BL_OK)
        st = take(plan, "id", "bl_id", &s->ids, plan->ids.n > 0, &plan->ids, err);
    if (st == BL_OK)
        st = take(plan, "drop", "bl_drop", &s->drop, plan->drop.n > 0, &plan->drop, err);
    if (st == BL_OK && s->unseen == BL_UNSEEN_MISSING && !plan->has_unseen) {
        plan->has_unseen = true;
        plan->unseen = BL_UNSEEN_MISSING;
        json_object_set_new(plan->document, "unseen", json_string("missing"));
    }
    return st;
}

const bl_column_refs *bli_plan_ids(const bl_plan *plan)
{
    return &plan->ids;
}

const bl_column_refs *bli_plan_labels(const bl_plan *plan)
{
    return &plan->labels;
}

const bl_texts *bli_plan_missing(const bl_plan *plan)
{
    return plan->has_missing ? &plan->missing : NULL;
}

static bool any_name(const bl_column_refs *refs)
{
    for (size_t i = 0; i < refs->n; i++)
        if (refs->ref[i].name && strcmp(refs->ref[i].name, "*") != 0)
            return true;
    return false;
}

bool bli_plan_names_columns(const bl_plan *plan)
{
    bool any = any_name(&plan->labels) || any_name(&plan->ids) || any_name(&plan->drop) ||
               any_name(&plan->base_margins) || plan->weight.name || plan->group.name ||
               plan->lower.name || plan->upper.name || plan->date.name ||
               plan->split.column.name;
    for (size_t i = 0; i < plan->n_entries; i++)
        any |= any_name(&plan->entries[i].columns);
    for (size_t i = 0; i < plan->n_filters; i++)
        any |= plan->filters[i].column.name != NULL;
    for (size_t i = 0; i < plan->n_pcas; i++)
        any |= any_name(&plan->pcas[i].columns);
    return any;
}

void bli_plan_set_split(bl_plan *plan, double test, int64_t seed)
{
    bl_split_plan *split = &plan->split;
    json_t *member = json_object_get(plan->document, "split");
    if (!member && test >= 0) {
        json_object_set_new(plan->document, "split", json_object());
        member = json_object_get(plan->document, "split");
    }
    if (test >= 0) {
        split->present = true;
        split->test = test;
        json_object_set_new(member, "test", json_real(test));
    }
    if (seed >= 0) {
        split->seed = seed;
        if (member)
            json_object_set_new(member, "seed", json_integer(seed));
    }
}

bool bli_plan_has_split(const bl_plan *plan)
{
    return plan->split.present;
}
