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
bl_status bli_value_refuse(const bl_value *value, const char *found, bl_err *err)
{
    char quoted[BL_QUOTE_BYTES], accepts[BL_ACCEPTS_BYTES];
    return bli_fail(err, BL_E_CONFIG, "%s is '%s'; accepted is %s", value->key,
                    bli_quote(found, strlen(found), quoted, sizeof quoted),
                    bli_param_accepts(value->def, accepts));
}

/* --- Text --------------------------------------------------------------------------- */

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

const char *bli_scalar_text(const json_t *raw, char out[BL_NUMBER_BYTES])
{
    out[0] = '\0';
    if (json_is_string(raw))
        return json_string_value(raw);
    if (json_is_integer(raw))
        snprintf(out, BL_NUMBER_BYTES, "%lld", (long long)json_integer_value(raw));
    else if (json_is_real(raw))
        bli_write_double(json_real_value(raw), out);
    else if (json_is_boolean(raw))
        return json_is_true(raw) ? "true" : "false";
    return out;
}

/* --- Numbers, words ----------------------------------------------------------------- */

bool bli_in_range(const bl_param_def *def, double v)
{
    return (def->low_open ? v > def->low : v >= def->low) &&
           (def->high_open ? v < def->high : v <= def->high);
}

/* "5", " 5 ", "5.0" and "5e0" are 5; whole numbers only. */
bool bli_read_whole(const char *text, int64_t *ret)
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
    if (!bli_read_whole(value->text, &value->i) ||
        !bli_in_range(value->def, (double)value->i))
        return bli_value_refuse(value, value->text, err);
    value->d = (double)value->i;
    return BL_OK;
}

/* XGBoost keeps its numbers as float32, where a large one is infinite, a small one 0 and
 * one just inside an open bound is the bound. */
static bool fits_float(const bl_param_def *def, double d)
{
    float f = (float)d;
    return fabs(d) <= (double)FLT_MAX && (d == 0 || fabsf(f) >= FLT_MIN) &&
           bli_in_range(def, (double)f);
}

bl_status bli_number_read(const bl_value *value, const char *text, double *ret,
                          bl_err *err)
{
    bl_number kind = bli_read_double(text, strlen(text), ret);
    bool is_missing = strcmp(value->def->name, "missing") == 0;
    if (kind == BL_NUMBER_NONE && is_missing && strcasecmp(text, "nan") == 0) {
        *ret = (double)NAN;
        return BL_OK;
    }
    if (kind != BL_NUMBER_OK || !bli_in_range(value->def, *ret))
        return bli_value_refuse(value, text, err);
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
    return bli_value_refuse(value, value->text, err);
}

const char *bli_choice_find(const bl_param_def *def, const char *text)
{
    for (const char *const *choice = def->choices; *choice; choice++)
        if (bli_text_equal_nocase(*choice, text))
            return *choice;
    return NULL;
}

bl_status bli_choice_refuse(const bl_value *value, const char *text, bl_err *err)
{
    size_t n = 0;
    while (value->def->choices[n])
        n++;
    const char *near = bli_nearest(text, value->def->choices, n);
    if (!near)
        return bli_value_refuse(value, text, err);
    char quoted[BL_QUOTE_BYTES], accepts[BL_ACCEPTS_BYTES];
    return bli_fail(err, BL_E_CONFIG, "%s is '%s' (did you mean '%s'?); accepted is %s",
                    value->key, bli_quote(text, strlen(text), quoted, sizeof quoted),
                    near, bli_param_accepts(value->def, accepts));
}

/* --- The whole value ---------------------------------------------------------------- */

static bl_status read_typed(bl_value *value, bl_err *err)
{
    switch (value->def->type) {
    case BL_PARAM_INT:
        return read_int(value, err);
    case BL_PARAM_FLOAT:
        return bli_number_read(value, value->text, &value->d, err);
    case BL_PARAM_BOOL:
        return read_bool(value, err);
    case BL_PARAM_CHOICE:
        value->choice = bli_choice_find(value->def, value->text);
        return value->choice ? BL_OK : bli_choice_refuse(value, value->text, err);
    case BL_PARAM_TEXT:
        return BL_OK;
    default:
        return bli_items_from_text(value, err);
    }
}

/* "@names.txt": items for a list, one line for anything else. */
static bl_status read_at(bl_value *value, const char *root, bl_err *err)
{
    json_t *content = NULL;
    bool plain;
    bl_status st = bli_config_item(root, value->text + 1, &content, &plain, err);
    if (st == BL_OK && bli_is_list_type(value->def->type)) {
        st = bli_items_read(value, content, plain, err);
        json_decref(content);
        return st == BL_OK ? bli_items_text(value, err) : st;
    }
    if (st == BL_OK && value->def->type != BL_PARAM_TEXT) {
        if (!plain || json_array_size(content) != 1) {
            st = bli_fail(err, BL_E_CONFIG, "'%.*s' must hold one line", BL_QUOTE_BYTES,
                          value->text);
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

static bl_status read_raw(bl_value *value, const json_t *raw, const char *root,
                          bl_err *err)
{
    char accepts[BL_ACCEPTS_BYTES];
    bl_param_type type = value->def->type;
    bool container = json_is_array(raw) || json_is_object(raw);
    if (container && bli_is_list_type(type)) {
        bl_status st = bli_items_read(value, raw, false, err);
        return st == BL_OK ? bli_items_text(value, err) : st;
    }
    if (json_is_object(raw) && strcmp(value->def->name, "bl_preprocess") == 0) {
        value->text = json_dumps(raw, JSON_COMPACT | JSON_REAL_PRECISION(17));
        return value->text ? BL_OK : bli_fail(err, BL_E_NOMEM, "no memory for a plan");
    }
    if (container)
        return bli_fail(err, BL_E_CONFIG, "%s is %s; accepted is %s", value->key,
                        json_is_array(raw) ? "a list" : "an object",
                        bli_param_accepts(value->def, accepts));
    bl_status st;
    if (json_is_string(raw)) {
        st = unwrap(raw, &value->text, err);
    } else {
        char scalar[BL_NUMBER_BYTES];
        st = bli_strdup(bli_scalar_text(raw, scalar), &value->text, err);
    }
    if (st != BL_OK)
        return st;
    if (json_is_boolean(raw) && (bli_is_list_type(type) || type == BL_PARAM_TEXT))
        return bli_value_refuse(value, value->text, err);
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

/* --- Looking up --------------------------------------------------------------------- */

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

bool bli_is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

bool bli_starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

size_t bli_n_items(const bl_values *values, const char *name)
{
    const bl_value *value = bli_given(values, name);
    return value ? json_array_size(value->items) : 0;
}

bool bli_lists(const bl_values *values, const char *name, const char *item)
{
    const bl_value *value = bli_given(values, name);
    for (size_t i = 0; value && i < json_array_size(value->items); i++)
        if (bli_is(json_string_value(json_array_get(value->items, i)), item))
            return true;
    return false;
}
