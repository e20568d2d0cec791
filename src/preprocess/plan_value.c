/* SPDX-License-Identifier: Apache-2.0 */
/* Members of a plan by type; each refusal names the path and what is allowed there. */
#include "preprocess/plan_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bl_status bli_plan_refuse(const bl_plan *plan, const char *path, bl_err *err,
                          const char *fmt, ...)
{
    char text[600];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return bli_fail(err, BL_E_CONFIG, "plan '%.100s', %s: %s", plan->name,
                    *path ? path : "as a whole", text);
}

void bli_path_member(const char *path, const char *member, char out[BL_PATH_BYTES])
{
    char name[60];
    bli_quote(member, strlen(member), name, sizeof name);
    snprintf(out, BL_PATH_BYTES, "%.90s%s%s", path, *path ? "." : "", name);
}

void bli_path_item(const char *path, size_t i, char out[BL_PATH_BYTES])
{
    snprintf(out, BL_PATH_BYTES, "%.130s[%zu]", path, i);
}

const char *bli_plan_found(const json_t *value, char *out, size_t max)
{
    char text[60];
    if (json_is_string(value))
        snprintf(out, max, "'%s'",
                 bli_quote(json_string_value(value), json_string_length(value), text,
                           sizeof text));
    else if (json_is_integer(value))
        snprintf(out, max, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        snprintf(out, max, "%g", json_real_value(value));
    else
        snprintf(out, max, "%s",
                 json_is_object(value)    ? "an object"
                 : json_is_array(value)   ? "a list"
                 : json_is_boolean(value) ? "true or false"
                 : json_is_null(value)    ? "null"
                                          : "absent");
    return out;
}

static void list_words(const char *const *words, size_t n, char *out, size_t max)
{
    size_t used = 0;
    *out = '\0';
    for (size_t i = 0; i < n && used < max; i++)
        used += (size_t)snprintf(out + used, max - used, "%s%s",
                                 i == 0       ? ""
                                 : i + 1 == n ? " or "
                                              : ", ",
                                 words[i]);
}

bl_status bli_plan_members(const bl_plan *plan, const char *path, const json_t *object,
                           const char *const *known, size_t n, bl_err *err)
{
    char found[80], words[300], at[BL_PATH_BYTES];
    list_words(known, n, words, sizeof words);
    if (!json_is_object(object))
        return bli_plan_refuse(plan, path, err, "%s; expected is an object with %s",
                               bli_plan_found(object, found, sizeof found), words);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        bool is_known = false;
        for (size_t i = 0; i < n; i++)
            is_known |= strcmp(key, known[i]) == 0;
        if (is_known)
            continue;
        const char *near = bli_nearest(key, known, n);
        bli_path_member(path, key, at);
        return bli_plan_refuse(plan, at, err, "no such member%s%s%s; allowed here are %s",
                               near ? "; did you mean '" : "", near ? near : "",
                               near ? "'" : "", words);
    }
    return BL_OK;
}

bl_status bli_plan_number(const bl_plan *plan, const char *path, const json_t *value,
                          double low, double high, double *ret, bl_err *err)
{
    char found[80];
    double number = json_number_value(value);
    if (json_is_number(value) && number >= low && number <= high) {
        *ret = number;
        return BL_OK;
    }
    bli_plan_found(value, found, sizeof found);
    if (isinf(low) && isinf(high))
        return bli_plan_refuse(plan, path, err, "%s; expected is a number", found);
    if (isinf(high))
        return bli_plan_refuse(plan, path, err, "%s; expected is a number, %g or more",
                               found, low);
    return bli_plan_refuse(plan, path, err, "%s; expected is a number, %g to %g", found,
                           low, high);
}

bl_status bli_plan_int(const bl_plan *plan, const char *path, const json_t *value,
                       int64_t low, int64_t high, int64_t *ret, bl_err *err)
{
    char found[80];
    if (json_is_integer(value) && json_integer_value(value) >= low &&
        json_integer_value(value) <= high) {
        *ret = json_integer_value(value);
        return BL_OK;
    }
    return bli_plan_refuse(
        plan, path, err, "%s; expected is a whole number, %lld to %lld",
        bli_plan_found(value, found, sizeof found), (long long)low, (long long)high);
}

bl_status bli_plan_bool(const bl_plan *plan, const char *path, const json_t *value,
                        bool *ret, bl_err *err)
{
    char found[80];
    if (!json_is_boolean(value))
        return bli_plan_refuse(plan, path, err, "%s; expected is true or false",
                               bli_plan_found(value, found, sizeof found));
    *ret = json_is_true(value);
    return BL_OK;
}

bl_status bli_plan_text(const bl_plan *plan, const char *path, const json_t *value,
                        char **ret, bl_err *err)
{
    char found[80];
    char *copy = NULL;
    if (!json_is_string(value))
        return bli_plan_refuse(plan, path, err, "%s; expected is text",
                               bli_plan_found(value, found, sizeof found));
    bl_status st = bli_strdup(json_string_value(value), &copy, err);
    if (st == BL_OK) {
        free(*ret);
        *ret = copy;
    }
    return st;
}

bl_status bli_plan_word(const bl_plan *plan, const char *path, const json_t *value,
                        const char *const *words, size_t n, size_t *ret, bl_err *err)
{
    char found[80], list[300];
    const char *word = json_string_value(value);
    for (size_t i = 0; word && i < n; i++)
        if (strcmp(word, words[i]) == 0) {
            *ret = i;
            return BL_OK;
        }
    const char *near = word ? bli_nearest(word, words, n) : NULL;
    list_words(words, n, list, sizeof list);
    return bli_plan_refuse(plan, path, err, "%s%s%s%s; expected is %s",
                           bli_plan_found(value, found, sizeof found),
                           near ? "; did you mean '" : "", near ? near : "",
                           near ? "'?" : "", list);
}

static bl_status check_list(const bl_plan *plan, const char *path, const json_t *value,
                            const char *of, uint64_t limit, bl_err *err)
{
    char found[80];
    if (!json_is_array(value))
        return bli_plan_refuse(plan, path, err, "%s; expected is a list of %s",
                               bli_plan_found(value, found, sizeof found), of);
    if (json_array_size(value) > limit)
        return bli_fail(err, BL_E_LIMIT, "plan '%.100s', %s: %zu %s; the limit is %llu",
                        plan->name, path, json_array_size(value), of,
                        (unsigned long long)limit);
    return BL_OK;
}

void bli_texts_done(bl_texts *texts)
{
    for (size_t i = 0; i < texts->n; i++)
        free(texts->text[i]);
    free(texts->text);
    *texts = (bl_texts){0};
}

void bli_refs_done(bl_column_refs *refs)
{
    for (size_t i = 0; i < refs->n; i++)
        free(refs->ref[i].name);
    free(refs->ref);
    *refs = (bl_column_refs){0};
}

bl_status bli_plan_texts(const bl_plan *plan, const char *path, const json_t *value,
                         uint64_t limit, bl_texts *ret, bl_err *err)
{
    char at[BL_PATH_BYTES];
    void *block;
    bl_status st = check_list(plan, path, value, "texts", limit, err);
    if (st == BL_OK)
        st = bli_alloc(json_array_size(value), sizeof(char *), "texts", &block, err);
    if (st != BL_OK)
        return st;
    *ret = (bl_texts){.text = block};
    for (size_t i = 0; st == BL_OK && i < json_array_size(value); i++) {
        bli_path_item(path, i, at);
        st = bli_plan_text(plan, at, json_array_get(value, i), &ret->text[i], err);
        ret->n += st == BL_OK;
    }
    return st;
}

bl_status bli_plan_levels(const bl_plan *plan, const char *path, const json_t *value,
                          uint64_t limit, bl_levels **ret, bl_err *err)
{
    char at[BL_PATH_BYTES], found[80];
    bl_levels *levels = NULL;
    bl_status st = check_list(plan, path, value, "levels", limit, err);
    if (st == BL_OK)
        st = bli_levels_new(&levels, err);
    for (size_t i = 0; st == BL_OK && i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);
        uint32_t code;
        bli_path_item(path, i, at);
        if (!json_is_string(item)) {
            st = bli_plan_refuse(plan, at, err, "%s; expected is a level as text",
                                 bli_plan_found(item, found, sizeof found));
            break;
        }
        st = bli_levels_add(levels, json_string_value(item), json_string_length(item),
                            limit, &code, err);
        if (st == BL_OK && code != i)
            st = bli_plan_refuse(plan, at, err, "level %s stands twice",
                                 bli_plan_found(item, found, sizeof found));
    }
    if (st == BL_OK) {
        bli_levels_free(*ret);
        *ret = levels;
    } else {
        bli_levels_free(levels);
    }
    return st;
}

bl_status bli_plan_column(const bl_plan *plan, const char *path, const json_t *value,
                          bl_column_ref *ret, bl_err *err)
{
    char found[80];
    const char *name = json_string_value(value);
    *ret = (bl_column_ref){0};
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        ret->index = json_integer_value(value);
        return BL_OK;
    }
    if (!name || !*name)
        return bli_plan_refuse(
            plan, path, err,
            "%s; expected is a column: its name as text, or its index from 0",
            bli_plan_found(value, found, sizeof found));
    return bli_strdup(name, &ret->name, err);
}

bl_status bli_plan_columns(const bl_plan *plan, const char *path, const json_t *value,
                           uint64_t limit, bl_column_refs *ret, bl_err *err)
{
    char at[BL_PATH_BYTES];
    void *block;
    bool is_list = json_is_array(value);
    size_t n = is_list ? json_array_size(value) : 1;
    bl_status st = is_list ? check_list(plan, path, value, "columns", limit, err) : BL_OK;
    if (st == BL_OK)
        st = bli_alloc(n, sizeof(bl_column_ref), "columns", &block, err);
    if (st != BL_OK)
        return st;
    bli_refs_done(ret);
    ret->ref = block;
    for (size_t i = 0; st == BL_OK && i < n; i++) {
        bli_path_item(path, i, at);
        st = bli_plan_column(plan, is_list ? at : path,
                             is_list ? json_array_get(value, i) : value, &ret->ref[i],
                             err);
        ret->n += st == BL_OK;
    }
    return st;
}
