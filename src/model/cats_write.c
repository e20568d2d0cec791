/* SPDX-License-Identifier: Apache-2.0 */
/* Category tables of a schema as XGBoost 3.1 and later keep those of a data frame. */
#include "model/model_priv.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

typedef struct tables {
    bl_ubj_doc *doc;
    const bl_schema *schema;
    bl_ubj *entries, *last;
    int32_t *segment; /* [n_features + 1] categories before each feature */
    int32_t *sorted;  /* [all categories] codes of each feature in XGBoost's order */
    bl_err *err;
} tables;

static bl_status no_memory(bl_err *err)
{
    return bli_fail(err, BL_E_NOMEM, "no memory for the model's category tables");
}

typedef struct named_code {
    const char *text;
    int32_t code;
} named_code;

/* XGBoost compares the bytes of texts as signed ones, so that UTF-8 comes before ASCII,
 * and searches in that order. */
static int compare(const void *a, const void *b)
{
    const signed char *x = (const signed char *)((const named_code *)a)->text;
    const signed char *y = (const signed char *)((const named_code *)b)->text;
    while (*x && *x == *y) {
        x++;
        y++;
    }
    if (!*x || !*y)
        return (*x != 0) - (*y != 0);
    return (*x > *y) - (*x < *y);
}

static bl_status sort_codes(const tables *s, const bl_levels *levels, int32_t *sorted)
{
    uint32_t n = bli_levels_count(levels);
    void *scratch;
    bl_status st = bli_alloc(n, sizeof(named_code), "category tables", &scratch, s->err);
    if (st != BL_OK)
        return st;
    named_code *named = scratch;
    for (uint32_t i = 0; i < n; i++)
        named[i] = (named_code){bli_levels_text(levels, i), (int32_t)i};
    qsort(named, n, sizeof *named, compare);
    for (uint32_t i = 0; i < n; i++)
        sorted[i] = named[i].code;
    free(scratch);
    return BL_OK;
}

/* {"offsets": [0, ...], "values": bytes}; both empty for a feature without levels. */
static bl_status add_entry(tables *s, const bl_levels *levels)
{
    uint32_t n = levels ? bli_levels_count(levels) : 0;
    size_t n_bytes = 0;
    for (uint32_t i = 0; i < n; i++)
        n_bytes += strlen(bli_levels_text(levels, i));
    if (n_bytes > INT32_MAX)
        return bli_fail(
            s->err, BL_E_LIMIT,
            "the category names of one column take %zu bytes, XGBoost holds %d", n_bytes,
            INT32_MAX);
    void *offset = NULL, *bytes = NULL;
    bl_status st =
        bli_alloc((size_t)n + 1, sizeof(int32_t), "category tables", &offset, s->err);
    if (st == BL_OK)
        st = bli_alloc(n_bytes, 1, "category tables", &bytes, s->err);
    size_t at = 0;
    for (uint32_t i = 0; i < n && st == BL_OK; i++) {
        const char *text = bli_levels_text(levels, i);
        memcpy((char *)bytes + at, text, strlen(text));
        at += strlen(text);
        ((int32_t *)offset)[i + 1] = (int32_t)at;
    }
    bl_ubj *entry = bli_ubj_new_object(s->doc);
    if (st == BL_OK &&
        (!entry ||
         !bli_ubj_put(s->doc, entry, "offsets",
                      bli_ubj_new_ints(s->doc, offset, n ? (size_t)n + 1 : 0)) ||
         !bli_ubj_put(s->doc, entry, "values",
                      bli_ubj_new_bytes(s->doc, bytes, n_bytes)) ||
         !bli_ubj_append(s->entries, s->last, entry)))
        st = no_memory(s->err);
    s->last = entry;
    free(offset);
    free(bytes);
    return st;
}

static bl_status fill(tables *s)
{
    size_t n = s->schema->n_features;
    bl_status st = BL_OK;
    for (size_t i = 0; i < n && st == BL_OK; i++) {
        const bl_levels *levels = s->schema->features[i].levels;
        st = add_entry(s, levels);
        if (st == BL_OK && levels)
            st = sort_codes(s, levels, s->sorted + s->segment[i]);
    }
    return st;
}

/* Categories of all features; fills the segments. */
static bl_status count(tables *s)
{
    uint64_t n = 0;
    for (size_t i = 0; i < s->schema->n_features; i++) {
        const bl_levels *levels = s->schema->features[i].levels;
        n += levels ? bli_levels_count(levels) : 0;
        if (n > INT32_MAX)
            return bli_fail(s->err, BL_E_LIMIT, "more categories than XGBoost holds (%d)",
                            INT32_MAX);
        s->segment[i + 1] = (int32_t)n;
    }
    return BL_OK;
}

static bool has_levels(const bl_schema *schema)
{
    for (size_t i = 0; schema && i < schema->n_features; i++)
        if (schema->features[i].levels && bli_levels_count(schema->features[i].levels))
            return true;
    return false;
}

static bl_status put_tables(tables *s, bl_ubj *model)
{
    size_t n = s->schema->n_features;
    bl_ubj *cats = bli_ubj_new_object(s->doc);
    bl_status st = fill(s);
    if (st != BL_OK)
        return st;
    if (!cats || !bli_ubj_put(s->doc, cats, "enc", s->entries) ||
        !bli_ubj_put(s->doc, cats, "feature_segments",
                     bli_ubj_new_ints(s->doc, s->segment, n + 1)) ||
        !bli_ubj_put(s->doc, cats, "sorted_idx",
                     bli_ubj_new_ints(s->doc, s->sorted, (size_t)s->segment[n])) ||
        !bli_ubj_put(s->doc, model, "cats", cats))
        return no_memory(s->err);
    return BL_OK;
}

bl_status bli_write_cats(bl_ubj_doc *doc, bl_ubj *learner, const bl_schema *schema,
                         bl_err *err)
{
    bl_ubj *model = bli_ubj_get(bli_tree_booster(learner), "model");
    if (!has_levels(schema) || !model || !bli_ubj_get(model, "trees"))
        return BL_OK;
    tables s = {
        .doc = doc, .schema = schema, .entries = bli_ubj_new_list(doc), .err = err};
    void *segment = NULL, *sorted = NULL;
    bl_status st = bli_alloc(schema->n_features + 1, sizeof(int32_t), "category tables",
                             &segment, err);
    if (st == BL_OK && !s.entries)
        st = no_memory(err);
    s.segment = segment;
    if (st == BL_OK)
        st = count(&s);
    if (st == BL_OK)
        st = bli_alloc((size_t)s.segment[schema->n_features], sizeof(int32_t),
                       "category tables", &sorted, err);
    s.sorted = sorted;
    if (st == BL_OK)
        st = put_tables(&s, model);
    free(segment);
    free(sorted);
    return st;
}
