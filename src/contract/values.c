/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One hyperparameter: from whatever JSON value it came as to its type, checked against
 * the table. Messages begin with the name, so that callers need not prefix them.
 */
#include "contract/contract_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void bli_value_done(bl_value *value)
{
    free(value->key);
    free(value->text);
    json_decref(value->items);
    *value = (bl_value){0};
}

void bli_values_free(bl_values *values)
{
    if (!values)
        return;
    for (size_t i = 0; i < BL_N_PARAMS; i++)
        bli_value_done(&values->value[i]);
    free(values);
}

/* "eta is '2'; accepted is a number, 0 to 1": the refusal of most values. */
static bl_status refuse(const bl_value *value, const char *found, bl_err *err)
{
    char quoted[BL_QUOTE_BYTES], accepts[BL_ACCEPTS_BYTES];
    return bli_fail(err, BL_E_CONFIG, "%s is '%s'; accepted is %s", value->key,
                    bli_quote(found, strlen(found), quoted, sizeof quoted),
                    bli_param_accepts(value->def, accepts));
}

/* --- Text
 * ------------------------------------------------------------------------------------ */

static bl_status copy_trimmed(const char *text, size_t n, char **ret_text, bl_err *err)
{
    while (n > 0 && strchr(" \t\r\n", *text))
        text++, n--;
    while (n > 0 && strchr(" \t\r\n", text[n - 1]))
        n--;
    void *copy;
    bl_status st = bli_alloc(n + 1, 1, "a hyperparameter", &copy, err);
    if (st != BL_OK)
        return st;
    memcpy(copy, text, n);
    *ret_text = copy;
    return BL_OK;
}

/* Framework estimators write each value as JSON once more: a text that is a JSON string
 * is unwrapped, once. */
static bl_status unwrap(const json_t *raw, char **ret_text, bl_err *err)
{
    char *text;
    bl_status st =
        copy_trimmed(json_string_value(raw), json_string_length(raw), &text, err);
    if (st != BL_OK)
        return st;
    json_t *inner = NULL;
    if (*text == '"' && bli_json_parse(text, strlen(text), &inner, NULL) == BL_OK) {
        char *unwrapped;
        st = copy_trimmed(json_string_value(inner), json_string_length(inner), &unwrapped,
                          err);
        json_decref(inner);
        free(text);
        if (st != BL_OK)
            return st;
        text = unwrapped;
    }
    *ret_text = text;
    return BL_OK;
}

static void scalar_text(const json_t *raw, bl_buf *out)
{
    bl_jw jw = {.buf = out};
    if (json_is_string(raw))
        bli_buf_text(out, json_string_value(raw));
    else if (json_is_integer(raw))
        bli_jw_int(&jw, json_integer_value(raw));
    else if (json_is_real(raw))
        bli_jw_double(&jw, json_real_value(raw));
    else if (json_is_boolean(raw))
        bli_jw_bool(&jw, json_is_true(raw));
}

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

/* --- Numbers, words
 * -------------------------------------------------------------------------- */

static bool in_range(const bl_param_def *def, double v)
{
    return (def->low_open ? v > def->low : v >= def->low) &&
           (def->high_open ? v < def->high : v <= def->high);
}

/* "5", " 5 ", "5.0" and "5e0" are 5; whole numbers only. */
static bool whole(const char *text, int64_t *ret)
{
    double d;
    if (bli_read_int(text, strlen(text), ret))
        return true;
    if (bli_read_double(text, strlen(text), &d) != BL_NUMBER_OK || floor(d) != d ||
        fabs(d) > 9007199254740992.0) /* 2^53: beyond it not every whole number is one */
        return false;
    *ret = (int64_t)d;
    return true;
}

static bl_status read_int(bl_value *value, bl_err *err)
{
    if (!whole(value->text, &value->i) || !in_range(value->def, (double)value->i))
        return refuse(value, value->text, err);
    value->d = (double)value->i;
    return BL_OK;
}

/* XGBoost keeps its numbers as float32, where a large one is infinite, a small one 0 and
 * one just inside an open bound is the bound. */
static bool fits_float(const bl_param_def *def, double d)
{
    float f = (float)d;
    return fabs(d) <= (double)FLT_MAX && (d == 0 || fabsf(f) >= FLT_MIN) &&
           in_range(def, (double)f);
}

static bl_status read_number(const bl_value *value, const char *text, double *ret,
                             bl_err *err)
{
    bl_number kind = bli_read_double(text, strlen(text), ret);
    bool is_missing = strcmp(value->def->name, "missing") == 0;
    if (kind == BL_NUMBER_NONE && is_missing && strcasecmp(text, "nan") == 0) {
        *ret = (double)NAN;
        return BL_OK;
    }
    if (kind != BL_NUMBER_OK || !in_range(value->def, *ret))
        return refuse(value, text, err);
    if (!fits_float(value->def, *ret)) {
        char quoted[BL_QUOTE_BYTES], accepts[BL_ACCEPTS_BYTES];
        return bli_fail(err, BL_E_CONFIG,
                        "%s is '%s', which a float32 does not hold, as XGBoost keeps it; "
                        "accepted is %s",
                        value->key, bli_quote(text, strlen(text), quoted, sizeof quoted),
                        bli_param_accepts(value->def, accepts));
    }
    return BL_OK;
}

static bl_status read_bool(bl_value *value, bl_err *err)
{
    static const struct {
        const char *text;
        bool b;
    } words[] = {{"true", true},   {"1", true},  {"yes", true},
                 {"false", false}, {"0", false}, {"no", false}};
    for (size_t i = 0; i < BL_LEN(words); i++)
        if (bli_text_equal_nocase(value->text, words[i].text)) {
            value->b = words[i].b;
            return BL_OK;
        }
    return refuse(value, value->text, err);
}

static const char *find_choice(const bl_param_def *def, const char *text)
{
    for (const char *const *choice = def->choices; *choice; choice++)
        if (bli_text_equal_nocase(*choice, text))
            return *choice;
    return NULL;
}

static bl_status refuse_choice(const bl_value *value, const char *text, bl_err *err)
{
    size_t n = 0;
    while (value->def->choices[n])
        n++;
    const char *near = bli_nearest(text, value->def->choices, n);
    if (!near)
        return refuse(value, text, err);
    char quoted[BL_QUOTE_BYTES], accepts[BL_ACCEPTS_BYTES];
    return bli_fail(err, BL_E_CONFIG, "%s is '%s' (did you mean '%s'?); accepted is %s",
                    value->key, bli_quote(text, strlen(text), quoted, sizeof quoted),
                    near, bli_param_accepts(value->def, accepts));
}

/* --- Lists
 * ----------------------------------------------------------------------------------- */

static bool is_list(bl_param_type type)
{
    return type == BL_PARAM_LIST || type == BL_PARAM_FLOATS || type == BL_PARAM_TUPLE ||
           type == BL_PARAM_NESTED || type == BL_PARAM_COLUMN || type == BL_PARAM_COLUMNS;
}

static bl_status bad_item(const bl_value *value, size_t i, const json_t *item,
                          bl_err *err)
{
    char accepts[BL_ACCEPTS_BYTES], quoted[BL_QUOTE_BYTES];
    bl_buf text = {0};
    scalar_text(item, &text);
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
    scalar_text(item, &text);
    json_t *name =
        text.n && !json_is_boolean(item) ? json_stringn(text.data, text.n) : NULL;
    bli_buf_done(&text);
    return name;
}

static json_t *item_int(const bl_value *value, const json_t *item)
{
    bl_buf text = {0};
    int64_t i = 0;
    scalar_text(item, &text);
    bool ok = text.n && !json_is_boolean(item) && whole(text.data, &i) &&
              in_range(value->def, (double)i);
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
    scalar_text(item, &text);
    bool ok = json_is_number(item) && whole(text.data, &i) && i >= 0 && i < (1 << 24);
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
            const char *choice = find_choice(value->def, json_string_value(got));
            if (!choice) {
                bl_status st = refuse_choice(value, json_string_value(got), err);
                json_decref(got);
                return st;
            }
            json_decref(got);
            got = json_string(choice);
        }
        break;
    case BL_PARAM_FLOATS: {
        bl_buf text = {0};
        scalar_text(item, &text);
        bl_status st = BL_OK;
        if (text.n && !json_is_boolean(item)) {
            st = read_number(value, text.data, &d, err);
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

static bl_status read_list(bl_value *value, const json_t *list, bool plain, bl_err *err)
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

static bl_status list_from_text(bl_value *value, bl_err *err)
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
            return refuse(value, value->text, err);
    }
    if (st == BL_OK)
        st = read_list(value, list, plain, err);
    json_decref(list);
    return st;
}

/* --- The whole value
 * ------------------------------------------------------------------------- */

static bl_status read_typed(bl_value *value, bl_err *err)
{
    switch (value->def->type) {
    case BL_PARAM_INT:
        return read_int(value, err);
    case BL_PARAM_FLOAT:
        return read_number(value, value->text, &value->d, err);
    case BL_PARAM_BOOL:
        return read_bool(value, err);
    case BL_PARAM_CHOICE:
        value->choice = find_choice(value->def, value->text);
        return value->choice ? BL_OK : refuse_choice(value, value->text, err);
    case BL_PARAM_TEXT:
        return BL_OK;
    default:
        return list_from_text(value, err);
    }
}

/* "@names.txt": items for a list, one line for anything else. */
static bl_status read_at(bl_value *value, const char *root, bl_err *err)
{
    json_t *content = NULL;
    bool plain;
    bl_status st = bli_config_item(root, value->text + 1, &content, &plain, err);
    if (st == BL_OK && is_list(value->def->type)) {
        st = read_list(value, content, plain, err);
        json_decref(content);
        return st;
    }
    if (st == BL_OK && value->def->type != BL_PARAM_TEXT) {
        if (!plain || json_array_size(content) != 1) {
            st = bli_fail(err, BL_E_CONFIG, "names '%s', which must hold one line",
                          value->text + 1);
        } else {
            char *at = value->text;
            st = bli_strdup(json_string_value(json_array_get(content, 0)), &value->text,
                            err);
            if (st == BL_OK) {
                free(at);
                json_decref(content);
                return read_typed(value, err);
            }
        }
    }
    json_decref(content);
    if (st != BL_OK)
        bli_err_prefix(err, "%s", value->key);
    return st;
}

static bl_status text_of_items(bl_value *value, bl_err *err)
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

static bl_status read_raw(bl_value *value, const json_t *raw, const char *root,
                          bl_err *err)
{
    char accepts[BL_ACCEPTS_BYTES];
    bl_param_type type = value->def->type;
    bool container = json_is_array(raw) || json_is_object(raw);
    if (container && is_list(type)) {
        bl_status st = read_list(value, raw, false, err);
        return st == BL_OK ? text_of_items(value, err) : st;
    }
    if (container)
        return bli_fail(err, BL_E_CONFIG, "%s is %s; accepted is %s", value->key,
                        json_is_array(raw) ? "a list" : "an object",
                        bli_param_accepts(value->def, accepts));
    bl_status st;
    if (json_is_string(raw)) {
        st = unwrap(raw, &value->text, err);
    } else {
        bl_buf text = {0};
        scalar_text(raw, &text);
        st = bli_buf_check(&text, value->key, err);
        if (st == BL_OK)
            st = bli_strdup(text.data, &value->text, err);
        bli_buf_done(&text);
    }
    if (st != BL_OK)
        return st;
    if (value->text[0] == '@' && value->text[1])
        return read_at(value, root, err);
    bool may_be_empty = strcmp(value->def->name, "bl_missing_text") == 0 ||
                        (value->def->type == BL_PARAM_TEXT);
    if (value->text[0] == '\0' && !may_be_empty)
        return bli_fail(err, BL_E_CONFIG, "%s is empty; accepted is %s", value->key,
                        bli_param_accepts(value->def, accepts));
    return read_typed(value, err);
}

bl_status bli_value_read(const bl_param_def *def, const char *key, const json_t *raw,
                         const char *root, bl_value *ret_value, bl_err *err)
{
    bl_value value = {.def = def};
    bl_status st = bli_strdup(key, &value.key, err);
    if (st == BL_OK)
        st = read_raw(&value, raw, root, err);
    if (st != BL_OK) {
        bli_value_done(&value);
        return st;
    }
    *ret_value = value;
    return BL_OK;
}

/* --- Looking up
 * ------------------------------------------------------------------------------ */

const bl_value *bli_given(const bl_values *values, const char *name)
{
    const bl_value *value = &values->value[bli_param_index(bli_param_find(name))];
    return value->def ? value : NULL;
}

int64_t bli_int_or_default(const bl_values *values, const char *name)
{
    const bl_value *value = bli_given(values, name);
    const char *text = bli_param_find(name)->default_text;
    int64_t i = 0;
    if (value)
        return value->i;
    return bli_read_int(text, strlen(text), &i) ? i : 0;
}

bool bli_bool_or_default(const bl_values *values, const char *name)
{
    const bl_value *value = bli_given(values, name);
    bl_value of_default = {.def = bli_param_find(name)};
    bl_err ignored = {0};
    if (value)
        return value->b;
    of_default.key = of_default.text = (char *)(uintptr_t)of_default.def->default_text;
    return read_bool(&of_default, &ignored) == BL_OK && of_default.b;
}

const char *bli_choice_or_default(const bl_values *values, const char *name)
{
    const bl_value *value = bli_given(values, name);
    return value ? value->choice : bli_param_find(name)->default_text;
}

bool bli_value_equal(const bl_value *a, const bl_value *b)
{
    bool same_number = a->d == b->d || (isnan(a->d) && isnan(b->d));
    bool same_text = a->def->type != BL_PARAM_TEXT || strcmp(a->text, b->text) == 0;
    return a->i == b->i && same_number && a->b == b->b && a->choice == b->choice &&
           same_text && (a->items == b->items || json_equal(a->items, b->items));
}
