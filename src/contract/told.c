/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What XGBoost is told: canonical names and texts in the order of the table, of what was
 * given alone. Numbers are written as Python writes them, because the image we replace
 * hands over Python numbers and the last bit of a float depends on its text.
 */
#include "contract/contract_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static bl_status feature_index(const bl_value *value, const char *name, const bl_job *job,
                               int64_t *ret_index, bl_err *err)
{
    const bl_texts *names = &job->read.feature_names;
    char quoted[BL_QUOTE_BYTES];
    bli_quote(name, strlen(name), quoted, sizeof quoted);
    if (names->n == 0)
        return bli_fail(err, BL_E_CONFIG,
                        "%s names feature '%s'; names need bl_feature_names, else write "
                        "indices from 0",
                        value->key, quoted);
    for (size_t i = 0; i < names->n; i++)
        if (strcmp(names->text[i], name) == 0) {
            *ret_index = (int64_t)i;
            return BL_OK;
        }
    const char *near = bli_nearest(name, (const char *const *)names->text, names->n);
    if (near)
        return bli_fail(
            err, BL_E_CONFIG,
            "%s names feature '%s', which bl_feature_names has not: did you mean "
            "'%s'?",
            value->key, quoted, near);
    return bli_fail(err, BL_E_CONFIG,
                    "%s names feature '%s', which bl_feature_names has not", value->key,
                    quoted);
}

static void tuple_text(const int64_t *items, size_t n, bl_buf *out)
{
    for (size_t i = 0; i < n; i++)
        bli_buf_printf(out, "%c%lld", i ? ',' : '(', (long long)items[i]);
    bli_buf_text(out, n == 0 ? "()" : n == 1 ? ",)" : ")");
}

static bl_status tell_tuple(const bl_value *value, const bl_job *job, bl_buf *out,
                            bl_err *err)
{
    size_t n_names = job->read.feature_names.n;
    bool by_name = json_is_object(value->items);
    size_t n = by_name ? n_names : json_array_size(value->items);
    if (!by_name && n_names && n > n_names)
        return bli_fail(
            err, BL_E_CONFIG,
            "%s holds %zu items and bl_feature_names %zu names; expected is at "
            "most one item for each feature",
            value->key, n, n_names);
    void *array;
    bl_status st = bli_alloc(n, sizeof(int64_t), "constraints", &array, err);
    if (st != BL_OK)
        return st;
    int64_t *items = array;
    const char *name;
    json_t *item;
    if (by_name) {
        json_object_foreach(value->items, name, item)
        {
            int64_t i;
            st = feature_index(value, name, job, &i, err);
            if (st != BL_OK)
                break;
            items[i] = json_integer_value(item);
        }
    } else {
        for (size_t i = 0; i < n; i++)
            items[i] = json_integer_value(json_array_get(value->items, i));
    }
    if (st == BL_OK)
        tuple_text(items, n, out);
    free(items);
    return st;
}

static bl_status tell_nested(const bl_value *value, const bl_job *job, bl_buf *out,
                             bl_err *err)
{
    size_t n_names = job->read.feature_names.n;
    bli_buf_char(out, '[');
    for (size_t i = 0; i < json_array_size(value->items); i++) {
        const json_t *group = json_array_get(value->items, i);
        bli_buf_text(out, i ? ", [" : "[");
        for (size_t j = 0; j < json_array_size(group); j++) {
            const json_t *item = json_array_get(group, j);
            int64_t index = json_integer_value(item);
            bl_status st = BL_OK;
            if (json_is_string(item))
                st = feature_index(value, json_string_value(item), job, &index, err);
            else if (n_names && (uint64_t)index >= n_names)
                st = bli_fail(err, BL_E_CONFIG,
                              "%s names feature %lld; bl_feature_names has %zu names, so "
                              "indices go from 0 to %zu",
                              value->key, (long long)index, n_names, n_names - 1);
            if (st != BL_OK)
                return st;
            bli_buf_printf(out, "%s%lld", j ? ", " : "", (long long)index);
        }
        bli_buf_char(out, ']');
    }
    bli_buf_char(out, ']');
    return BL_OK;
}

static void tell_number(double d, bl_buf *out)
{
    char text[BL_NUMBER_BYTES];
    bli_buf_add(out, text, bli_write_double(d, text));
}

/* XGBoost reads "0.1,0.9" as 0.1 without a word, so several numbers always stand in
 * brackets. */
static void tell_numbers(const json_t *items, bl_buf *out)
{
    size_t n = json_array_size(items);
    bli_buf_text(out, n == 1 ? "" : "[");
    for (size_t i = 0; i < n; i++) {
        bli_buf_text(out, i ? "," : "");
        tell_number(json_real_value(json_array_get(items, i)), out);
    }
    bli_buf_text(out, n == 1 ? "" : "]");
}

static bl_status tell(const bl_value *value, const bl_job *job, bl_buf *out, bl_err *err)
{
    switch (value->def->type) {
    case BL_PARAM_INT:
        bli_buf_printf(out, "%lld", (long long)value->i);
        return BL_OK;
    case BL_PARAM_FLOAT:
        tell_number(value->d, out);
        return BL_OK;
    case BL_PARAM_BOOL:
        bli_buf_text(out, value->b ? "true" : "false");
        return BL_OK;
    case BL_PARAM_CHOICE:
        bli_buf_text(out, value->choice);
        return BL_OK;
    case BL_PARAM_LIST:
        for (size_t i = 0; i < json_array_size(value->items); i++)
            bli_buf_printf(out, "%s%s", i ? "," : "",
                           json_string_value(json_array_get(value->items, i)));
        return BL_OK;
    case BL_PARAM_FLOATS:
        tell_numbers(value->items, out);
        return BL_OK;
    case BL_PARAM_TUPLE:
        return tell_tuple(value, job, out, err);
    default:
        return tell_nested(value, job, out, err);
    }
}

bl_status bli_told_make(const bl_values *values, bl_job *job, bl_err *err)
{
    void *names, *texts;
    bl_status st = bli_alloc(BL_N_PARAMS, sizeof(char *), "parameters", &names, err);
    if (st != BL_OK)
        return st;
    job->xgboost_names = names;
    st = bli_alloc(BL_N_PARAMS, sizeof(char *), "parameters", &texts, err);
    if (st != BL_OK)
        return st;
    job->xgboost_texts = texts;
    for (size_t i = 0; st == BL_OK && i < BL_N_PARAMS; i++) {
        const bl_value *value = &values->value[i];
        if (!value->def || value->def->use != BL_USE_XGBOOST)
            continue;
        size_t k = job->n_xgboost++;
        bl_buf text = {0};
        st = bli_strdup(value->def->name, &job->xgboost_names[k], err);
        if (st == BL_OK)
            st = tell(value, job, &text, err);
        if (st == BL_OK)
            st = bli_buf_check(&text, value->key, err);
        if (st == BL_OK)
            st = bli_strdup(text.data, &job->xgboost_texts[k], err);
        bli_buf_done(&text);
    }
    return st;
}
