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
    char accepts[BL_ACCEPTS_BYTES], quoted[BL_QUOTE_BYTES];
    bl_buf text = {0};
    bli_scalar_text(item, &text);
    const char *found = json_is_array(item)    ? "a list"
                        : json_is_object(item) ? "an object"
                        : json_is_null(item)   ? "null"
                        : text.n == 0
                            ? "empty"
                            : bli_quote(text.data, text.n, quoted, sizeof quoted);
    bl_status st = bli_fail(err, BL_E_CONFIG, "%s: item %zu is %s%s%s; accepted is %s",
                            value->key, i + 1, text.n ? "'" : "", found,
                            text.n ? "'" : "", bli_param_accepts(value->def, accepts));
    bli_buf_done(&text);
    return st;
}

static json_t *item_name(const json_t *item)
{
    bl_buf text = {0};
    bli_scalar_text(item, &text);
    json_t *name =
        text.n && !json_is_boolean(item) ? json_stringn(text.data, text.n) : NULL;
    bli_buf_done(&text);
    return name;
}

static json_t *item_int(const bl_value *value, const json_t *item)
{
    bl_buf text = {0};
    int64_t i = 0;
    bli_scalar_text(item, &text);
    bool ok = text.n && !json_is_boolean(item) && bli_read_whole(text.data, &i) &&
              bli_in_range(value->def, (double)i);
    bli_buf_done(&text);
    return ok ? json_integer(i) : NULL;
}

/* A number is an index; so is a whole number in plain text, but not a quoted one in a
 * list. */
static json_t *item_column(const json_t *item, bool plain)
{
    int64_t i;
    if (json_is_integer(item))
        return json_integer_value(item) >= 0 ? json_incref((json_t *)(uintptr_t)item)
                                             : NULL;
    if (!json_is_string(item) || json_string_length(item) == 0)
        return NULL;
    const char *text = json_string_value(item);
    if (plain && bli_read_int(text, strlen(text), &i))
        return i >= 0 ? json_integer(i) : NULL;
    return json_string(text);
}

static json_t *item_feature(const json_t *item)
{
    if (json_is_string(item))
        return json_string_length(item) ? json_incref((json_t *)(uintptr_t)item) : NULL;
    int64_t i;
    bl_buf text = {0};
    bli_scalar_text(item, &text);
    bool ok =
        json_is_number(item) && bli_read_whole(text.data, &i) && i >= 0 && i < (1 << 24);
    bli_buf_done(&text);
    return ok ? json_integer(i) : NULL;
}

static bl_status read_item(const bl_value *value, size_t i, const json_t *item,
                           bool plain, json_t **ret_item, bl_err *err)
{
    json_t *got = NULL;
    double d;
    switch (value->def->type) {
    case BL_PARAM_LIST:
        got = item_name(item);
        if (got && value->def->choices && strcmp(value->def->name, "eval_metric") != 0) {
            const char *choice = bli_choice_find(value->def, json_string_value(got));
            if (!choice) {
                bl_status st = bli_choice_refuse(value, json_string_value(got), err);
                json_decref(got);
                return st;
            }
            json_decref(got);
            got = json_string(choice);
        }
        break;
    case BL_PARAM_FLOATS: {
        bl_buf text = {0};
        bli_scalar_text(item, &text);
        bl_status st = BL_OK;
        if (text.n && !json_is_boolean(item)) {
            st = bli_number_read(value, text.data, &d, err);
            got = st == BL_OK ? json_real(d) : NULL;
        }
        bli_buf_done(&text);
        if (st != BL_OK)
            return st;
        break;
    }
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

/* --- As text --- */

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
    items_text(value->items, &jw);
    bl_status st = bli_buf_check(&text, value->key, err);
    if (st == BL_OK)
        st = bli_strdup(text.data, &value->text, err);
    bli_buf_done(&text);
    return st;
}
