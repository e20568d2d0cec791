/* SPDX-License-Identifier: Apache-2.0 */
/* What explain and predict need of a boostlens.json: how cells are to be read. */
#include "evidence/evidence.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bl_status wrong(const char *member, bl_err *err)
{
    return bli_fail(err, BL_E_MODEL, "'%s' under 'read' is not as boostlens writes it",
                    member);
}

static bl_status read_column(const json_t *value, const char *member, bl_column_ref *ret,
                             bl_err *err)
{
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        *ret = (bl_column_ref){.index = json_integer_value(value)};
        return BL_OK;
    }
    if (!json_is_string(value))
        return wrong(member, err);
    *ret = (bl_column_ref){0};
    return bli_strdup(json_string_value(value), &ret->name, err);
}

static bl_status read_optional(const json_t *read, const char *member, bool *ret_has,
                               bl_column_ref *ret, bl_err *err)
{
    const json_t *value = json_object_get(read, member);
    *ret_has = value && !json_is_null(value);
    return *ret_has ? read_column(value, member, ret, err) : BL_OK;
}

static bl_status read_columns(const json_t *read, const char *member, bl_column_refs *ret,
                              bl_err *err)
{
    const json_t *list = json_object_get(read, member);
    size_t n = json_array_size(list);
    if (list && !json_is_array(list))
        return wrong(member, err);
    void *block;
    bl_status st = bli_alloc(n, sizeof(bl_column_ref), "column names", &block, err);
    if (st != BL_OK)
        return st;
    ret->ref = block;
    for (size_t i = 0; st == BL_OK && i < n; i++) {
        st = read_column(json_array_get(list, i), member, &ret->ref[i], err);
        ret->n += st == BL_OK;
    }
    return st;
}

static bl_status read_texts(const json_t *read, const char *member, bl_texts *ret,
                            bl_err *err)
{
    const json_t *list = json_object_get(read, member);
    size_t n = json_array_size(list);
    void *block;
    bl_status st = bli_alloc(n, sizeof(char *), "texts", &block, err);
    if (st != BL_OK)
        return st;
    ret->text = block;
    for (size_t i = 0; st == BL_OK && i < n; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        st = text ? bli_strdup(text, &ret->text[i], err) : wrong(member, err);
        ret->n += st == BL_OK;
    }
    return st;
}

static bl_status read_words(const json_t *read, bl_read_settings *ret, bl_err *err)
{
    static const char *const headers[] = {
        [BL_HEADER_AUTO] = "auto", [BL_HEADER_YES] = "yes", [BL_HEADER_NO] = "no"};
    const char *header = json_string_value(json_object_get(read, "header"));
    const char *unseen = json_string_value(json_object_get(read, "unseen"));
    if (!header || !unseen)
        return wrong(header ? "unseen" : "header", err);
    for (int i = 0; i < 3; i++)
        if (strcmp(header, headers[i]) == 0)
            ret->header = (bl_header)i;
    ret->unseen = strcmp(unseen, "missing") == 0 ? BL_UNSEEN_MISSING : BL_UNSEEN_ERROR;
    ret->enable_categorical = json_is_true(json_object_get(read, "enable_categorical"));
    ret->missing_texts_given = json_is_true(json_object_get(read, "missing_texts_given"));
    const json_t *missing = json_object_get(read, "missing");
    const char *infinite = json_string_value(missing);
    ret->missing = json_is_number(missing) ? (float)json_number_value(missing) : NAN;
    if (infinite)
        ret->missing = infinite[0] == '-' ? -INFINITY : INFINITY;
    return BL_OK;
}

bl_status bli_card_settings(const json_t *card, bl_read_settings *ret_settings,
                            bl_err *err)
{
    const json_t *read = json_object_get(card, "read");
    if (!json_is_object(read))
        return bli_fail(err, BL_E_MODEL, "no object 'read'");
    bl_read_settings settings = {0};
    bl_status st = read_words(read, &settings, err);
    if (st == BL_OK)
        st = read_columns(read, "labels", &settings.labels, err);
    if (st == BL_OK)
        st = read_optional(read, "weight", &settings.has_weight, &settings.weight, err);
    if (st == BL_OK)
        st = read_optional(read, "group", &settings.has_group, &settings.group, err);
    if (st == BL_OK)
        st = read_optional(read, "label_lower_bound", &settings.has_lower,
                           &settings.lower, err);
    if (st == BL_OK)
        st = read_optional(read, "label_upper_bound", &settings.has_upper,
                           &settings.upper, err);
    if (st == BL_OK)
        st = read_columns(read, "base_margins", &settings.base_margins, err);
    if (st == BL_OK)
        st = read_columns(read, "drop", &settings.drop, err);
    if (st == BL_OK)
        st = read_columns(read, "ids", &settings.ids, err);
    if (st == BL_OK)
        st = read_texts(read, "missing_texts", &settings.missing_texts, err);
    if (st == BL_OK)
        *ret_settings = settings;
    else
        bli_read_settings_done(&settings);
    return st;
}
