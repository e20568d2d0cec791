/* SPDX-License-Identifier: Apache-2.0 */
/* Which column is what, and how cells are read. */
#include "contract/contract_priv.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void refs_done(bl_column_refs *refs)
{
    for (size_t i = 0; i < refs->n; i++)
        free(refs->ref[i].name);
    free(refs->ref);
}

static void texts_done(bl_texts *texts)
{
    for (size_t i = 0; i < texts->n; i++)
        free(texts->text[i]);
    free(texts->text);
}

void bli_read_settings_done(bl_read_settings *settings)
{
    refs_done(&settings->labels);
    free(settings->weight.name);
    free(settings->group.name);
    free(settings->lower.name);
    free(settings->upper.name);
    refs_done(&settings->base_margins);
    refs_done(&settings->drop);
    refs_done(&settings->ids);
    texts_done(&settings->feature_names);
    texts_done(&settings->feature_types);
    texts_done(&settings->missing_texts);
    *settings = (bl_read_settings){0};
}

static bl_status read_ref(const json_t *item, bl_column_ref *ret_ref, bl_err *err)
{
    *ret_ref = (bl_column_ref){.name = NULL, .index = -1};
    if (json_is_string(item))
        return bli_strdup(json_string_value(item), &ret_ref->name, err);
    ret_ref->index = json_integer_value(item);
    return BL_OK;
}

static bl_status read_refs(const bl_value *value, bl_column_refs *refs, bl_err *err)
{
    size_t n = value ? json_array_size(value->items) : 0;
    void *array;
    if (n == 0)
        return BL_OK;
    bl_status st = bli_alloc(n, sizeof(bl_column_ref), "columns", &array, err);
    if (st != BL_OK)
        return st;
    refs->ref = array;
    for (; st == BL_OK && refs->n < n; refs->n++)
        st = read_ref(json_array_get(value->items, refs->n), &refs->ref[refs->n], err);
    return st;
}

static bl_status read_one(const bl_value *value, bool *has, bl_column_ref *ref,
                          bl_err *err)
{
    *has = value != NULL;
    return value ? read_ref(json_array_get(value->items, 0), ref, err) : BL_OK;
}

static bl_status read_texts(const bl_value *value, bl_texts *texts, bl_err *err)
{
    size_t n = value ? json_array_size(value->items) : 0;
    void *array;
    if (n == 0)
        return BL_OK;
    bl_status st = bli_alloc(n, sizeof(char *), "texts", &array, err);
    if (st != BL_OK)
        return st;
    texts->text = array;
    for (; st == BL_OK && texts->n < n; texts->n++)
        st = bli_strdup(json_string_value(json_array_get(value->items, texts->n)),
                        &texts->text[texts->n], err);
    return st;
}

/* --- One column, one role ----------------------------------------------------------- */

typedef struct bl_claim {
    const char *setting;
    const bl_column_ref *ref;
} bl_claim;

static int compare_claims(const void *a, const void *b)
{
    const bl_column_ref *x = ((const bl_claim *)a)->ref, *y = ((const bl_claim *)b)->ref;
    if (!x->name != !y->name)
        return x->name ? 1 : -1;
    if (x->name)
        return strcmp(x->name, y->name);
    return x->index < y->index ? -1 : x->index > y->index;
}

static void claim(bl_claim *claims, size_t *n, const char *setting,
                  const bl_column_ref *refs, size_t n_refs)
{
    for (size_t i = 0; i < n_refs; i++)
        claims[(*n)++] = (bl_claim){setting, &refs[i]};
}

/* A column that two settings claim under the same name or index; under one of each only
 * the reader can tell. */
static bl_status check_claims(const bl_values *values, const bl_read_settings *s,
                              bl_err *err)
{
    const char *label =
        bli_given(values, "bl_label") ? "bl_label" : "bl_label (default 0)";
    const char *weight = bli_given(values, "bl_weight") ? "bl_weight" : "csv_weights";
    size_t n = s->labels.n + s->base_margins.n + s->drop.n + s->ids.n + 4;
    void *array;
    bl_status st = bli_alloc(n, sizeof(bl_claim), "columns", &array, err);
    if (st != BL_OK)
        return st;
    bl_claim *claims = array;
    n = 0;
    claim(claims, &n, label, s->labels.ref, s->labels.n);
    claim(claims, &n, weight, &s->weight, s->has_weight);
    claim(claims, &n, "bl_group", &s->group, s->has_group);
    claim(claims, &n, "bl_label_lower_bound", &s->lower, s->has_lower);
    claim(claims, &n, "bl_label_upper_bound", &s->upper, s->has_upper);
    claim(claims, &n, "bl_base_margin", s->base_margins.ref, s->base_margins.n);
    claim(claims, &n, "bl_drop", s->drop.ref, s->drop.n);
    claim(claims, &n, "bl_id", s->ids.ref, s->ids.n);
    qsort(claims, n, sizeof *claims, compare_claims);
    for (size_t i = 1; i < n; i++) {
        if (compare_claims(&claims[i - 1], &claims[i]) != 0)
            continue;
        const bl_claim *a = &claims[i - 1], *b = &claims[i];
        char quoted[BL_QUOTE_BYTES];
        const char *name = a->ref->name;
        if (name)
            snprintf(quoted, sizeof quoted, "'%.60s'", name);
        else
            snprintf(quoted, sizeof quoted, "%lld", (long long)a->ref->index);
        if (strcmp(a->setting, b->setting) == 0)
            st = bli_fail(err, BL_E_CONFIG, "%s names column %s twice", a->setting,
                          quoted);
        else
            st = bli_fail(err, BL_E_CONFIG,
                          "%s and %s both name column %s; a column has one use",
                          a->setting, b->setting, quoted);
        break;
    }
    free(claims);
    return st;
}

/* --- Rules between these settings --------------------------------------------------- */

static bl_status check_weights(const bl_values *values, bl_read_settings *s, bl_err *err)
{
    const bl_value *csv = bli_given(values, "csv_weights");
    if (!csv || csv->i != 1)
        return BL_OK;
    if (s->has_weight && (s->weight.name || s->weight.index != 1))
        return bli_fail(
            err, BL_E_CONFIG,
            "csv_weights is 1, which takes column 1 as weight, and bl_weight is "
            "'%s': leave one out",
            bli_given(values, "bl_weight")->text);
    s->has_weight = true;
    s->weight.index = 1;
    return BL_OK;
}

static bl_status check_bounds(const bl_values *values, const bl_read_settings *s,
                              bl_err *err)
{
    const char *objective = bli_choice_or_default(values, "objective");
    bool aft = strcmp(objective, "survival:aft") == 0;
    if (s->has_lower != s->has_upper)
        return bli_fail(err, BL_E_CONFIG,
                        "%s is given without %s; survival:aft needs both",
                        s->has_lower ? "bl_label_lower_bound" : "bl_label_upper_bound",
                        s->has_lower ? "bl_label_upper_bound" : "bl_label_lower_bound");
    if (s->has_lower && bli_given(values, "bl_label"))
        return bli_fail(
            err, BL_E_CONFIG,
            "bl_label and bl_label_lower_bound are both given; the bounds stand "
            "instead of a label: leave bl_label out");
    if (aft && !s->has_lower)
        return bli_fail(err, BL_E_CONFIG,
                        "objective survival:aft needs bl_label_lower_bound and "
                        "bl_label_upper_bound, the columns of the two bounds");
    if (!aft && s->has_lower)
        return bli_fail(err, BL_E_CONFIG,
                        "bl_label_lower_bound and bl_label_upper_bound are for objective "
                        "survival:aft; the objective is %s",
                        objective);
    return BL_OK;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bl_status check_names(const bl_read_settings *s, bl_err *err)
{
    size_t n = s->feature_names.n;
    void *array;
    if (s->feature_types.n && n && s->feature_types.n != n)
        return bli_fail(
            err, BL_E_CONFIG,
            "bl_feature_names holds %zu names and bl_feature_types %zu types; "
            "expected is one type for each name",
            n, s->feature_types.n);
    if (n == 0)
        return BL_OK;
    bl_status st = bli_alloc(n, sizeof(char *), "feature names", &array, err);
    if (st != BL_OK)
        return st;
    char **sorted = array;
    memcpy(sorted, s->feature_names.text, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare_texts);
    for (size_t i = 1; st == BL_OK && i < n; i++)
        if (strcmp(sorted[i - 1], sorted[i]) == 0)
            st = bli_fail(err, BL_E_CONFIG,
                          "bl_feature_names holds '%.80s' twice; names must differ",
                          sorted[i]);
    free(sorted);
    return st;
}

static bl_status check_types(const bl_values *values, const bl_read_settings *s,
                             bl_err *err)
{
    const bl_value *categorical = bli_given(values, "enable_categorical");
    for (size_t i = 0; i < s->feature_types.n; i++)
        if (strcmp(s->feature_types.text[i], "c") == 0 && categorical && !categorical->b)
            return bli_fail(err, BL_E_CONFIG,
                            "bl_feature_types has a category (c) at position %zu and "
                            "enable_categorical is false: leave enable_categorical out",
                            i);
    return BL_OK;
}

/* As the table's default says; in any case of the letters, because nobody typed them. */
static bl_status default_missing_texts(bl_read_settings *s, bl_err *err)
{
    static const char *const texts[] = {"NA", "NaN", "null"};
    void *array;
    bl_status st = bli_alloc(BL_LEN(texts), sizeof(char *), "texts", &array, err);
    if (st != BL_OK)
        return st;
    s->missing_texts.text = array;
    for (; st == BL_OK && s->missing_texts.n < BL_LEN(texts); s->missing_texts.n++)
        st = bli_strdup(texts[s->missing_texts.n],
                        &s->missing_texts.text[s->missing_texts.n], err);
    return st;
}

static bl_status default_label(bl_read_settings *s, bl_err *err)
{
    void *array;
    bl_status st = bli_alloc(1, sizeof(bl_column_ref), "columns", &array, err);
    if (st != BL_OK)
        return st;
    s->labels = (bl_column_refs){1, array};
    return BL_OK;
}

bl_status bli_columns_read(const bl_values *values, bl_read_settings *s, bl_err *err)
{
    const bl_value *label = bli_given(values, "bl_label");
    const bl_value *missing = bli_given(values, "missing");
    const char *header = bli_choice_or_default(values, "bl_header");
    s->header = strcmp(header, "yes") == 0  ? BL_HEADER_YES
                : strcmp(header, "no") == 0 ? BL_HEADER_NO
                                            : BL_HEADER_AUTO;
    s->unseen = strcmp(bli_choice_or_default(values, "bl_unseen"), "missing") == 0
                    ? BL_UNSEEN_MISSING
                    : BL_UNSEEN_ERROR;
    s->missing = missing ? (float)missing->d : NAN;
    s->enable_categorical = bli_bool_or_default(values, "enable_categorical");
    s->missing_texts_given = bli_given(values, "bl_missing_text") != NULL;

    bl_status st = read_refs(label, &s->labels, err);
    if (st == BL_OK)
        st = read_one(bli_given(values, "bl_weight"), &s->has_weight, &s->weight, err);
    if (st == BL_OK)
        st = read_one(bli_given(values, "bl_group"), &s->has_group, &s->group, err);
    if (st == BL_OK)
        st = read_one(bli_given(values, "bl_label_lower_bound"), &s->has_lower, &s->lower,
                      err);
    if (st == BL_OK)
        st = read_one(bli_given(values, "bl_label_upper_bound"), &s->has_upper, &s->upper,
                      err);
    if (st == BL_OK)
        st = read_refs(bli_given(values, "bl_base_margin"), &s->base_margins, err);
    if (st == BL_OK)
        st = read_refs(bli_given(values, "bl_drop"), &s->drop, err);
    if (st == BL_OK)
        st = read_refs(bli_given(values, "bl_id"), &s->ids, err);
    if (st == BL_OK)
        st = read_texts(bli_given(values, "bl_feature_names"), &s->feature_names, err);
    if (st == BL_OK)
        st = read_texts(bli_given(values, "bl_feature_types"), &s->feature_types, err);
    if (st == BL_OK)
        st = read_texts(bli_given(values, "bl_missing_text"), &s->missing_texts, err);
    if (st == BL_OK)
        st = check_bounds(values, s, err);
    if (st == BL_OK && !s->missing_texts_given)
        st = default_missing_texts(s, err);
    if (st == BL_OK && label && s->labels.n == 0)
        st = bli_fail(err, BL_E_CONFIG, "bl_label names no column");
    if (st == BL_OK && !label && !s->has_lower)
        st = default_label(s, err);
    if (st == BL_OK)
        st = check_weights(values, s, err);
    if (st == BL_OK)
        st = check_claims(values, s, err);
    if (st == BL_OK)
        st = check_names(s, err);
    return st == BL_OK ? check_types(values, s, err) : st;
}
