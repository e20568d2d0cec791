/* SPDX-License-Identifier: Apache-2.0 */
/* Which column of a file is what: the plan against the names of the header. */
#include "preprocess/transform_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The training file's columns, found by name or index. */
typedef struct resolver {
    bl_transform *t;
    const char *file;
    size_t n;
    const char *const *names;
    bl_levels *index; /* NULL without a header */
} resolver;

static bl_status no_such_column(const resolver *r, const char *path,
                                const bl_column_ref *ref, bl_err *err)
{
    const bl_plan *plan = r->t->plan;
    char quoted[80];
    if (!ref->name)
        return bli_plan_refuse(plan, path, err,
                               "column %lld; '%.100s' has %zu columns (0 to %zu)",
                               (long long)ref->index, r->file, r->n, r->n - 1);
    bli_quote(ref->name, strlen(ref->name), quoted, sizeof quoted);
    if (!r->index)
        return bli_plan_refuse(plan, path, err,
                               "column '%s', but '%.100s' has no header; give its index, "
                               "counted from 0",
                               quoted, r->file);
    const char *near = bli_nearest(ref->name, r->names, r->n);
    return bli_plan_refuse(plan, path, err, "column '%s', which '%.100s' has not%s%s%s",
                           quoted, r->file, near ? "; did you mean '" : "",
                           near ? near : "", near ? "'?" : "");
}

static size_t find(const resolver *r, const bl_column_ref *ref)
{
    if (!ref->name)
        return ref->index >= 0 && (uint64_t)ref->index < r->n ? (size_t)ref->index
                                                              : BL_NONE;
    uint32_t code =
        r->index ? bli_levels_find(r->index, ref->name, strlen(ref->name)) : BL_NO_LEVEL;
    return code == BL_NO_LEVEL ? BL_NONE : code;
}

static const char *const part_names[BL_N_PLACE_ROLES] = {
    [BL_AS_LEFT] = "drop",
    [BL_AS_FEATURE] = "columns",
    [BL_AS_LABEL] = "label",
    [BL_AS_WEIGHT] = "weight",
    [BL_AS_GROUP] = "group",
    [BL_AS_LOWER] = "label_lower_bound",
    [BL_AS_UPPER] = "label_upper_bound",
    [BL_AS_MARGIN] = "base_margin",
    [BL_AS_ID] = "id",
    [BL_AS_DATE] = "date"};

/* --- Roles ---------------------------------------------------------------------------- */

static bl_status set_part(resolver *r, const bl_column_ref *refs, size_t n,
                          bl_place_role part, bool *taken, bl_err *err)
{
    bl_transform *t = r->t;
    for (size_t k = 0; k < n; k++) {
        size_t i = find(r, &refs[k]);
        if (i == BL_NONE)
            return no_such_column(r, part_names[part], &refs[k], err);
        if (taken[i])
            return bli_plan_refuse(t->plan, part_names[part], err,
                                   "column %.80s has another use already (%s); a column "
                                   "has one",
                                   r->names[i] ? r->names[i] : "of that index",
                                   part_names[t->uses[i].part]);
        taken[i] = true;
        t->uses[i] =
            (bl_use_of){.part = part, .order = k, .entry = BL_NONE, .is_named = true};
        t->n_of[part] += part != BL_AS_LEFT;
    }
    return BL_OK;
}

static bl_status set_parts(resolver *r, bool *taken, bl_err *err)
{
    const bl_plan *p = r->t->plan;
    const struct {
        const bl_column_ref *refs;
        size_t n;
        bl_place_role part;
    } all[] = {
        {p->labels.ref, p->labels.n, BL_AS_LABEL},
        {&p->weight, p->has_weight, BL_AS_WEIGHT},
        {&p->group, p->has_group, BL_AS_GROUP},
        {&p->lower, p->has_lower, BL_AS_LOWER},
        {&p->upper, p->has_upper, BL_AS_UPPER},
        {p->base_margins.ref, p->base_margins.n, BL_AS_MARGIN},
        {p->ids.ref, p->ids.n, BL_AS_ID},
        {&p->date, p->has_date, BL_AS_DATE},
        {p->drop.ref, p->drop.n, BL_AS_LEFT},
    };
    bl_status st = BL_OK;
    for (size_t i = 0; st == BL_OK && i < BL_LEN(all); i++)
        st = set_part(r, all[i].refs, all[i].n, all[i].part, taken, err);
    return st;
}

/* --- Features ------------------------------------------------------------------------- */

static void take_feature(resolver *r, size_t i, size_t entry)
{
    bl_transform *t = r->t;
    t->uses[i].part = BL_AS_FEATURE;
    t->uses[i].entry = entry;
    t->uses[i].order = t->n_of[BL_AS_FEATURE]++;
}

static bl_status match_pattern(resolver *r, const bl_entry *entry, size_t e,
                               const char *pattern, bool *taken, bl_err *err)
{
    size_t n = 0;
    bool all = strcmp(pattern, "*") == 0;
    for (size_t i = 0; i < r->n; i++) {
        if (taken[i] || !(all || (r->names[i] && fnmatch(pattern, r->names[i], 0) == 0)))
            continue;
        taken[i] = true;
        take_feature(r, i, e);
        n++;
    }
    if (n || all)
        return BL_OK;
    return bli_plan_refuse(r->t->plan, entry->path, err,
                           "'%.60s' matches no column of '%.100s' that is left", pattern,
                           r->file);
}

static bl_status take_named(resolver *r, const bl_entry *entry, size_t e, size_t i,
                            bool *taken, bl_err *err)
{
    bl_place_role part = r->t->uses[i].part;
    /* The date that tells rows apart may be a feature too, where it is named. */
    if (taken[i] && part != BL_AS_DATE)
        return bli_plan_refuse(
            r->t->plan, entry->path, err,
            "column %.80s has another use already (%s); a column has one",
            r->names[i] ? r->names[i] : "of that index", part_names[part]);
    bool is_date = taken[i];
    taken[i] = true;
    take_feature(r, i, e);
    r->t->uses[i].is_read = is_date;
    return BL_OK;
}

static bool is_pattern(const resolver *r, const bl_column_ref *ref)
{
    return ref->name && strchr(ref->name, '*') && find(r, ref) == BL_NONE;
}

/* Names first, so that a pattern before them does not take what they name; the order of
 * features is the plan's all the same. */
static bl_status set_features(resolver *r, bool *taken, bl_err *err)
{
    const bl_plan *plan = r->t->plan;
    bl_status st = BL_OK;
    bool *named = calloc(r->n + 1, sizeof *named);
    if (!named)
        return bli_fail(err, BL_E_NOMEM, "no memory for columns");
    memcpy(named, taken, r->n);
    for (size_t e = 0; st == BL_OK && e < plan->n_entries; e++)
        for (size_t k = 0; st == BL_OK && k < plan->entries[e].columns.n; k++) {
            const bl_column_ref *ref = &plan->entries[e].columns.ref[k];
            size_t i = find(r, ref);
            if (i != BL_NONE)
                named[i] = true;
            else if (!is_pattern(r, ref))
                st = no_such_column(r, plan->entries[e].path, ref, err);
        }
    for (size_t e = 0; st == BL_OK && e < plan->n_entries; e++)
        for (size_t k = 0; st == BL_OK && k < plan->entries[e].columns.n; k++) {
            const bl_entry *entry = &plan->entries[e];
            const bl_column_ref *ref = &entry->columns.ref[k];
            st = is_pattern(r, ref) ? match_pattern(r, entry, e, ref->name, named, err)
                                    : take_named(r, entry, e, find(r, ref), taken, err);
        }
    for (size_t i = 0; st == BL_OK && !plan->has_entries && i < r->n; i++)
        if (!taken[i])
            take_feature(r, i, BL_NONE);
    free(named);
    return st;
}

/* What row steps and the split look at. */
static bl_status mark_read(resolver *r, bl_err *err)
{
    const bl_plan *plan = r->t->plan;
    for (size_t f = 0; f <= plan->n_filters; f++) {
        bool is_split = f == plan->n_filters;
        if (is_split ? !plan->split.has_column : plan->filters[f].duplicates)
            continue;
        const bl_column_ref *ref =
            is_split ? &plan->split.column : &plan->filters[f].column;
        size_t i = find(r, ref);
        if (i == BL_NONE)
            return no_such_column(r, is_split ? "split.column" : plan->filters[f].path,
                                  ref, err);
        r->t->uses[i].is_read = true;
    }
    return BL_OK;
}

static bl_status copy_names(bl_transform *t, size_t n, const char *const *names,
                            bl_err *err)
{
    void *columns, *uses;
    bl_status st = bli_alloc(n, sizeof(char *), "column names", &columns, err);
    if (st != BL_OK)
        return st;
    t->file_columns = columns;
    t->n_file_columns = n;
    for (size_t i = 0; st == BL_OK && i < n; i++) {
        t->has_header |= names[i] != NULL;
        if (names[i])
            st = bli_strdup(names[i], &t->file_columns[i], err);
    }
    if (st == BL_OK)
        st = bli_alloc(n, sizeof(bl_use_of), "column uses", &uses, err);
    if (st == BL_OK)
        t->uses = uses;
    return st;
}

bl_status bli_resolve(bl_transform *t, const char *file, size_t n,
                      const char *const *names, bl_err *err)
{
    resolver r = {.t = t, .file = file, .n = n, .names = names};
    bool *taken = calloc(n + 1, sizeof *taken);
    bl_status st = taken ? copy_names(t, n, names, err)
                         : bli_fail(err, BL_E_NOMEM, "no memory for columns");
    if (st == BL_OK && t->has_header)
        st = bli_levels_new(&r.index, err);
    for (size_t i = 0; st == BL_OK && t->has_header && i < n; i++) {
        uint32_t code;
        st = bli_levels_add(r.index, names[i], strlen(names[i]), UINT32_MAX, &code, err);
        if (st == BL_OK && code != i)
            st = bli_fail(err, BL_E_DATA,
                          "'%.100s': two columns of the header are named "
                          "'%.80s'; names must differ",
                          file, names[i]);
    }
    for (size_t i = 0; st == BL_OK && t->has_header && i < n; i++) {
        json_t *utf8 = json_string(names[i]);
        char quoted[80];
        if (!utf8)
            st = bli_fail(
                err, BL_E_DATA,
                "'%.100s': the name '%s' of a column is no UTF-8 text; convert the "
                "file (iconv -f LATIN1 -t UTF-8)",
                file, bli_quote(names[i], strlen(names[i]), quoted, sizeof quoted));
        json_decref(utf8);
    }
    for (size_t i = 0; st == BL_OK && i < n; i++)
        t->uses[i].entry = BL_NONE;
    if (st == BL_OK)
        st = set_parts(&r, taken, err);
    if (st == BL_OK)
        st = set_features(&r, taken, err);
    if (st == BL_OK)
        st = mark_read(&r, err);
    if (st == BL_OK && t->n_of[BL_AS_FEATURE] == 0)
        st = bli_plan_refuse(t->plan, "columns", err, "no column is left as a feature");
    bli_levels_free(r.index);
    free(taken);
    return st;
}

/* --- How the columns are read ----------------------------------------------------------- */

static bool is_narrowed_at_once(const bl_transform *t, size_t i)
{
    const bl_use_of *use = &t->uses[i];
    const bl_plan *plan = t->plan;
    if (use->is_read || plan->n_pcas || plan->correlation > 0)
        return false;
    return use->entry == BL_NONE || plan->entries[use->entry].n_steps == 0;
}

void bli_want_of(const bl_transform *t, size_t i, bool doubles, bl_frame_want *want)
{
    const bl_use_of *use = &t->uses[i];
    const bl_plan *plan = t->plan;
    *want = (bl_frame_want){.kind = BL_FRAME_AUTO, .tag = i};
    if (plan->has_missing)
        want->texts = &plan->missing;
    switch (use->part) {
    case BL_AS_LEFT:
        want->kind = use->is_read ? BL_FRAME_AUTO : BL_FRAME_SKIP;
        break;
    case BL_AS_FEATURE: {
        const bl_entry *entry = use->entry == BL_NONE ? NULL : &plan->entries[use->entry];
        bl_entry_type type = entry ? entry->type : BL_TYPE_AUTO;
        want->kind = type == BL_TYPE_NUMBER                             ? BL_FRAME_NUMBER
                     : type == BL_TYPE_CATEGORY || type == BL_TYPE_DATE ? BL_FRAME_TEXT
                                                                        : BL_FRAME_AUTO;
        if (entry && entry->has_missing)
            want->texts = &entry->missing;
        want->takes_missing = true;
        want->as_float = !doubles && is_narrowed_at_once(t, i);
        break;
    }
    case BL_AS_LABEL:
        want->kind = plan->classes.n ? BL_FRAME_TEXT : BL_FRAME_AUTO;
        want->as_float = !doubles;
        break;
    case BL_AS_ID:
        want->kind = BL_FRAME_TEXT;
        want->verbatim = true;
        break;
    case BL_AS_GROUP:
        want->kind = BL_FRAME_TEXT;
        break;
    case BL_AS_DATE:
        want->kind = BL_FRAME_AUTO;
        break;
    default:
        want->kind = BL_FRAME_NUMBER;
        want->as_float = !doubles;
        want->unbounded = use->part == BL_AS_UPPER;
    }
}

bl_status bli_frame_places(const bl_transform *t, const bl_frame *frame,
                           const bl_frame_column ***ret_by_place, bl_err *err)
{
    void *block;
    bl_status st =
        bli_alloc(t->n_file_columns, sizeof(bl_frame_column *), "columns", &block, err);
    if (st != BL_OK)
        return st;
    const bl_frame_column **by_place = block;
    for (size_t k = 0; k < frame->n_columns; k++)
        if (frame->columns[k].tag < t->n_file_columns)
            by_place[frame->columns[k].tag] = &frame->columns[k];
    *ret_by_place = by_place;
    return BL_OK;
}
