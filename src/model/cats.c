/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Category tables under `cats` (XGBoost 3.1 on): one entry a feature, empty for a numeric
 * one; texts as offsets and bytes, or whole numbers as a type and values. Codes are
 * positions.
 */
#include "model/model_priv.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bl_status add_level(bl_levels *levels, size_t feature, size_t code,
                           const char *text, size_t n, const bl_limits *limits,
                           bl_err *err)
{
    uint32_t got;
    if (memchr(text, '\0', n))
        return bli_fail(err, BL_E_MODEL,
                        "cats: category %zu of feature %zu holds a NUL byte", code,
                        feature);
    bl_status st = bli_levels_add(levels, text, n, limits->levels, &got, err);
    if (st == BL_OK && got != code)
        return bli_fail(err, BL_E_MODEL, "cats: feature %zu has category %zu twice",
                        feature, code);
    return st;
}

/* Offsets of n + 1 entries into the bytes of all texts. */
static bl_status read_texts(const bl_ubj *entry, size_t feature, const bl_limits *limits,
                            bl_levels *levels, bl_err *err)
{
    const bl_ubj *offsets = bli_ubj_get(entry, "offsets");
    const bl_ubj *values = bli_ubj_get(entry, "values");
    void *offset = NULL, *bytes = NULL;
    size_t n = bli_ubj_is_list(offsets) ? offsets->n : 0;
    size_t n_bytes = bli_ubj_is_list(values) ? values->n : 0;
    bl_status st = bli_alloc(n, sizeof(int32_t), "category offsets", &offset, err);
    if (st == BL_OK)
        st = bli_alloc(n_bytes, sizeof(int32_t), "category texts", &bytes, err);
    if (st == BL_OK &&
        (!bli_ubj_ints(offsets, n, offset) || !bli_ubj_ints(values, n_bytes, bytes)))
        st = bli_fail(err, BL_E_MODEL, "cats: feature %zu has no offsets and bytes",
                      feature);
    const int32_t *from = offset, *wide = bytes;
    char *text = bytes; /* narrowed in place */
    for (size_t i = 0; i < n_bytes && st == BL_OK; i++)
        text[i] = (char)(unsigned char)wide[i];
    for (size_t i = 0; i + 1 < n && st == BL_OK; i++) {
        if (from[i] < 0 || from[i + 1] < from[i] || (size_t)from[i + 1] > n_bytes)
            st = bli_fail(err, BL_E_MODEL,
                          "cats: text %zu of feature %zu lies outside the %zu bytes", i,
                          feature, n_bytes);
        else
            st = add_level(levels, feature, i, text + from[i],
                           (size_t)(from[i + 1] - from[i]), limits, err);
    }
    free(offset);
    free(bytes);
    return st;
}

static bl_status read_numbers(const bl_ubj *entry, size_t feature,
                              const bl_limits *limits, bl_levels *levels, bl_err *err)
{
    const bl_ubj *values = bli_ubj_get(entry, "values");
    void *scratch = NULL;
    size_t n = bli_ubj_is_list(values) ? values->n : 0;
    bl_status st = bli_alloc(n, sizeof(int64_t), "categories", &scratch, err);
    if (st == BL_OK && !bli_ubj_long_ints(values, n, scratch))
        st = bli_fail(err, BL_E_MODEL,
                      "cats: the categories of feature %zu are no numbers", feature);
    const int64_t *value = scratch;
    /* Wider unsigned types are stored as signed ones of their size (XGBoost's type ids).
     */
    int64_t type = 0;
    bli_ubj_int(bli_ubj_get(entry, "type"), &type);
    for (size_t i = 0; i < n && st == BL_OK; i++) {
        char text[24];
        int64_t v = value[i];
        if (type == 12 && v < 0)
            v += INT64_C(1) << 16;
        else if (type == 14 && v < 0)
            v += INT64_C(1) << 32;
        int length = snprintf(text, sizeof text, "%" PRId64, v);
        st = add_level(levels, feature, i, text, (size_t)length, limits, err);
    }
    free(scratch);
    return st;
}

static bl_status read_entry(const bl_ubj *entry, size_t feature, const bl_limits *limits,
                            bl_levels **ret_levels, bl_err *err)
{
    const bl_ubj *values = bli_ubj_get(entry, "values");
    const bl_ubj *offsets = bli_ubj_get(entry, "offsets");
    if (!bli_ubj_is_list(values))
        return bli_fail(err, BL_E_MODEL, "cats: the entry of feature %zu has no values",
                        feature);
    if (offsets ? bli_ubj_is_list(offsets) && offsets->n < 2 : values->n == 0)
        return BL_OK; /* numeric */
    bl_levels *levels = NULL;
    bl_status st = bli_levels_new(&levels, err);
    if (st == BL_OK)
        st = offsets ? read_texts(entry, feature, limits, levels, err)
                     : read_numbers(entry, feature, limits, levels, err);
    if (st != BL_OK) {
        bli_levels_free(levels);
        return st;
    }
    *ret_levels = levels;
    return BL_OK;
}

bl_status bli_read_cats(const bl_ubj *cats, const bl_limits *limits, bl_forest *forest,
                        bl_err *err)
{
    const bl_ubj *entries = bli_ubj_get(cats, "enc");
    if (!entries || (bli_ubj_is_list(entries) && entries->n == 0))
        return BL_OK;
    if (entries->kind != BL_UBJ_LIST || entries->n != forest->n_features)
        return bli_fail(err, BL_E_MODEL,
                        "cats has tables for %zu features, the model has %zu", entries->n,
                        forest->n_features);
    void *levels;
    bl_status st = bli_alloc(forest->n_features, sizeof(bl_levels *), "category tables",
                             &levels, err);
    if (st != BL_OK)
        return st;
    forest->levels = levels;
    size_t feature = 0, n_tables = 0;
    for (const bl_ubj *e = entries->u.first; e && st == BL_OK; e = e->next, feature++) {
        st = read_entry(e, feature, limits, &forest->levels[feature], err);
        n_tables += forest->levels[feature] != NULL;
    }
    if (st == BL_OK && !n_tables) {
        free(forest->levels);
        forest->levels = NULL;
    }
    return st;
}
