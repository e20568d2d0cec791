/* SPDX-License-Identifier: Apache-2.0 */
/* Hyperparameters that are lists: their items by type. */
#include "contract/contract_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

bool bli_is_list_type(bl_param_type type)
{
    return type == BL_PARAM_LIST || type == BL_PARAM_FLOATS || type == BL_PARAM_TUPLE ||
           type == BL_PARAM_NESTED || type == BL_PARAM_COLUMN || type == BL_PARAM_COLUMNS;
}

static bl_status bad_item(const bl_value *value, size_t i, const json_t *item,
                          bl_err *err)
{
    char accepts[BL_ACCEPTS_BYTES], quoted[BL_QUOTE_BYTES], scalar[BL_NUMBER_BYTES];
    const char *text = bli_scalar_text(item, scalar);
    const char *found = json_is_array(item)    ? "a list"
                        : json_is_object(item) ? "an object"
                        : json_is_null(item)   ? "null"
                        : !*text               ? "empty"
                                               : NULL;
    if (!found)
        return bli_fail(err, BL_E_CONFIG, "%s: item %zu is '%s'; accepted is %s",
                        value->key, i + 1,
                        bli_quote(text, strlen(text), quoted, sizeof quoted),
                        bli_param_accepts(value->def, accepts));
    return bli_fail(err, BL_E_CONFIG, "%s: item %zu is %s; accepted is %s", value->key,
                    i + 1, found, bli_param_accepts(value->def, accepts));
}

static json_t *item_name(const json_t *item)
{
    char scalar[BL_NUMBER_BYTES];
    const char *text = bli_scalar_text(item, scalar);
    return *text && !json_is_boolean(item) ? json_string(text) : NULL;
}

static json_t *item_int(const bl_value *value, const json_t *item)
{
    char scalar[BL_NUMBER_BYTES];
    int64_t i;
    if (json_is_boolean(item) || !bli_read_whole(bli_scalar_text(item, scalar), &i) ||
        !bli_in_range(value->def, (double)i))
        return NULL;
    return json_integer(i);
}

/* A number is an index, also in plain text; quoted in a list it is a name. */
static json_t *item_column(const json_t *item, bool plain)
{
    char scalar[BL_NUMBER_BYTES];
    const char *text = bli_scalar_text(item, scalar);
    bool is_text = json_is_string(item) && *text;
    int64_t i;
    double d;
    if (is_text && !plain)
        return json_string(text);
    if (bli_read_whole(text, &i))
        return i >= 0 ? json_integer(i) : NULL;
    if (is_text && bli_read_double(text, strlen(text), &d) == BL_NUMBER_NONE)
        return json_string(text);
    return NULL;
}

static json_t *item_feature(const json_t *item)
{
    char scalar[BL_NUMBER_BYTES];
    const char *text = bli_scalar_text(item, scalar);
    int64_t i;
    if (json_is_string(item))
        return *text ? json_string(text) : NULL;
    if (!json_is_number(item) || !bli_read_whole(text, &i) || i < 0 ||
        (uint64_t)i >= bli_limits().columns)
        return NULL;
    return json_integer(i);
}

/* NULL with BL_OK where item is no number at all. */
static bl_status item_number(const bl_value *value, const json_t *item, json_t **ret_item,
                             bl_err *err)
{
    char scalar[BL_NUMBER_BYTES];
    const char *text = bli_scalar_text(item, scalar);
    double d;
    if (!*text || json_is_boolean(item))
        return BL_OK;
    bl_status st = bli_number_read(value, text, &d, err);
    if (st == BL_OK)
        *ret_item = json_real(d);
    return st;
}

static bl_status read_item(const bl_value *value, size_t i, const json_t *item,
                           bool plain, json_t **ret_item, bl_err *err)
{
    json_t *got = NULL;
    bl_status st;
    switch (value->def->type) {
    case BL_PARAM_LIST:
        got = item_name(item);
        if (got && value->def->choices && strcmp(value->def->name, "eval_metric") != 0) {
            const char *choice = bli_choice_find(value->def, json_string_value(got));
            if (!choice) {
                st = bli_choice_refuse(value, json_string_value(got), err);
                json_decref(got);
                return st;
            }
            json_decref(got);
            got = json_string(choice);
        }
        break;
    case BL_PARAM_FLOATS:
        st = item_number(value, item, &got, err);
        if (st != BL_OK)
            return st;
        break;
    case BL_PARAM_TUPLE:
        got = item_int(value, item);
        break;
    case BL_PARAM_COLUMN:
    case BL_PARAM_COLUMNS:
        got = item_column(item, plain);
        break;
    default:
        got = item_feature(item);
    }
    if (!got)
        return bad_item(value, i, item, err);
    *ret_item = got;
    return BL_OK;
}

static bl_status read_items(const bl_value *value, const json_t *list, bool plain,
                            json_t **ret_items, bl_err *err)
{
    json_t *items = json_array();
    bl_status st = items ? BL_OK : bli_fail(err, BL_E_NOMEM, "no memory for a list");
    uint64_t most = bli_limits().columns;
    if (st == BL_OK && json_array_size(list) > most)
        st = bli_fail(err, BL_E_LIMIT, "%s holds %zu items; at most %llu are accepted",
                      value->key, json_array_size(list), (unsigned long long)most);
    for (size_t i = 0; st == BL_OK && i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        json_t *got = NULL;
        if (value->def->type == BL_PARAM_NESTED && json_is_array(item)) {
            json_t *group = json_array();
            for (size_t j = 0; st == BL_OK && j < json_array_size(item); j++) {
                st = read_item(value, j, json_array_get(item, j), plain, &got, err);
                if (st == BL_OK && json_array_append_new(group, got) != 0)
                    st = bli_fail(err, BL_E_NOMEM, "no memory for a list");
            }
            got = group;
        } else if (value->def->type == BL_PARAM_NESTED) {
            st = bad_item(value, i, item, err);
        } else {
            st = read_item(value, i, item, plain, &got, err);
        }
        if (st == BL_OK && json_array_append_new(items, got) != 0)
            st = bli_fail(err, BL_E_NOMEM, "no memory for a list");
        else if (st != BL_OK)
            json_decref(got);
    }
    if (st != BL_OK)
        json_decref(items);
    else
        *ret_items = items;
    return st;
}

/* {"NAME": 1}: constraints by feature name. */
static bl_status read_dict(const bl_value *value, const json_t *dict, json_t **ret_items,
                           bl_err *err)
{
    json_t *items = json_object();
    bl_status st = items ? BL_OK : bli_fail(err, BL_E_NOMEM, "no memory for a list");
    const char *name;
    json_t *item;
    size_t i = 0;
    json_object_foreach((json_t *)(uintptr_t)dict, name, item)
    {
        json_t *got = item_int(value, item);
        if (!got)
            st = bad_item(value, i, item, err);
        else if (json_object_set_new(items, name, got) != 0)
            st = bli_fail(err, BL_E_NOMEM, "no memory for a list");
        if (st != BL_OK)
            break;
        i++;
    }
    if (st != BL_OK)
        json_decref(items);
    else
        *ret_items = items;
    return st;
}

bl_status bli_items_read(bl_value *value, const json_t *list, bool plain, bl_err *err)
{
    bl_param_type type = value->def->type;
    if (json_is_object(list)) {
        if (type != BL_PARAM_TUPLE) {
            char accepts[BL_ACCEPTS_BYTES];
            return bli_fail(err, BL_E_CONFIG, "%s is an object; accepted is %s",
                            value->key, bli_param_accepts(value->def, accepts));
        }
        return read_dict(value, list, &value->items, err);
    }
    if (type == BL_PARAM_COLUMN && json_array_size(list) != 1)
        return bli_fail(err, BL_E_CONFIG, "%s names %zu columns; accepted is one",
                        value->key, json_array_size(list));
    return read_items(value, list, plain, &value->items, err);
}

bl_status bli_items_from_text(bl_value *value, bl_err *err)
{
    bl_param_type type = value->def->type;
    json_t *list = NULL;
    bool plain = false;
    bl_status st;
    if (type == BL_PARAM_COLUMN && !strchr("[(", *value->text)) {
        /* One column's name may hold a comma. */
        list = json_pack("[s]", value->text);
        plain = true;
        st = list ? BL_OK : bli_fail(err, BL_E_CONFIG, "%s is no UTF-8 text", value->key);
    } else {
        bool numbers =
            type == BL_PARAM_FLOATS || type == BL_PARAM_TUPLE || type == BL_PARAM_NESTED;
        st = bli_list_parse(value->text, numbers, &list, &plain, err);
        if (st == BL_E_CONFIG)
            return bli_value_refuse(value, value->text, err);
    }
    if (st == BL_OK)
        st = bli_items_read(value, list, plain, err);
    json_decref(list);
    return st;
}

/* --- As text ------------------------------------------------------------------------ */

/* Arrays of depth 2 at most, as normalised. */
static void items_text(const json_t *items, bl_jw *jw)
{
    size_t i;
    const char *name;
    json_t *item;
    if (json_is_array(items)) {
        bli_jw_list(jw, true);
        for (i = 0; i < json_array_size(items); i++)
            items_text(json_array_get(items, i), jw);
        bli_jw_list_end(jw);
    } else if (json_is_object(items)) {
        bli_jw_object(jw);
        json_object_foreach((json_t *)(uintptr_t)items, name, item)
        {
            bli_jw_key(jw, name);
            items_text(item, jw);
        }
        bli_jw_object_end(jw);
    } else if (json_is_integer(items)) {
        bli_jw_int(jw, json_integer_value(items));
    } else if (json_is_real(items)) {
        bli_jw_double(jw, json_real_value(items));
    } else {
        bli_jw_text(jw, json_string_value(items));
    }
}

bl_status bli_items_text(bl_value *value, bl_err *err)
{
    bl_buf text = {0};
    bl_jw jw = {.buf = &text};
    char *copy = NULL;
    items_text(value->items, &jw);
    bl_status st = bli_buf_check(&text, value->key, err);
    if (st == BL_OK)
        st = bli_strdup(text.data, &copy, err);
    bli_buf_done(&text);
    if (st != BL_OK)
        return st;
    free(value->text);
    value->text = copy;
    return BL_OK;
}
