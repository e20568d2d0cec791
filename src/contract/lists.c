/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists as people and tools write them. SageMaker passes text, so a Python list reaches
 * us as JSON, as Python prints it, or as items between commas. Nothing is ever evaluated.
 */
#include "contract/contract_priv.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static json_t *parse(const char *text, size_t n)
{
    json_t *value = NULL;
    if (bli_json_parse(text, n, &value, NULL) != BL_OK)
        return NULL;
    if (json_is_array(value) || json_is_object(value))
        return value;
    json_decref(value);
    return NULL;
}

/* Python's notation as JSON: () as [], 'x' as "x", no comma before a closing bracket. */
static void loosen(const char *text, bl_buf *out)
{
    char quote = '\0';
    for (const char *s = text; *s; s++) {
        if (quote) {
            if (*s == '\\' && s[1] == '\'') {
                bli_buf_char(out, *++s);
            } else if (*s == '\\' && s[1]) {
                bli_buf_add(out, s++, 2);
            } else if (*s == quote) {
                bli_buf_char(out, '"');
                quote = '\0';
            } else if (*s == '"') {
                bli_buf_text(out, "\\\"");
            } else {
                bli_buf_char(out, *s);
            }
        } else if (*s == '"' || *s == '\'') {
            quote = *s;
            bli_buf_char(out, '"');
        } else if (*s == '(' || *s == '[') {
            bli_buf_char(out, '[');
        } else if (*s == ')' || *s == ']' || *s == '}') {
            while (out->n > 0 && is_blank(out->data[out->n - 1]))
                out->n--;
            if (out->n > 0 && out->data[out->n - 1] == ',')
                out->n--;
            bli_buf_char(out, *s == ')' ? ']' : *s);
        } else {
            bli_buf_char(out, *s);
        }
    }
}

static json_t *trimmed(const char *text, size_t n)
{
    while (n > 0 && is_blank(*text))
        text++, n--;
    while (n > 0 && is_blank(text[n - 1]))
        n--;
    return json_stringn(text, n);
}

static bl_status split(const char *text, json_t **ret_list, bl_err *err)
{
    json_t *list = json_array();
    if (!list)
        return bli_fail(err, BL_E_NOMEM, "no memory for a list");
    while (*text) {
        size_t n = strcspn(text, ",");
        json_t *item = trimmed(text, n);
        if (!item || json_array_append_new(list, item) != 0) {
            json_decref(list);
            return bli_fail(err, BL_E_CONFIG, "is no UTF-8 text");
        }
        text += n;
        if (*text == ',' && text[1] == '\0' && json_array_size(list) > 0) {
            json_decref(list);
            return bli_fail(err, BL_E_CONFIG, "ends with a comma");
        }
        text += *text == ',';
    }
    *ret_list = list;
    return BL_OK;
}

/* "(.5, 1.)" between its brackets: numbers that people write and JSON does not know. */
static bl_status split_inside(const char *text, json_t **ret_list, bl_err *err)
{
    size_t n = strlen(text);
    bool pair = n >= 2 && ((text[0] == '(' && text[n - 1] == ')') ||
                           (text[0] == '[' && text[n - 1] == ']'));
    if (!pair || strcspn(text + 1, "()[]{}") != n - 2)
        return bli_fail(err, BL_E_CONFIG, "is no list that can be read");
    bl_buf inside = {0};
    bli_buf_add(&inside, text + 1, n - 2);
    bl_status st = bli_buf_check(&inside, "a list", err);
    if (st == BL_OK)
        st = split(inside.data, ret_list, err);
    bli_buf_done(&inside);
    return st;
}

/* JSON; else Python's notation; else lists without the brackets around them. */
static bl_status parse_brackets(const char *text, json_t **ret_list, bl_err *err)
{
    bl_buf loose = {0}, wrapped = {0};
    json_t *list = parse(text, strlen(text));
    if (!list) {
        loosen(text, &loose);
        bli_buf_printf(&wrapped, "[%s]", loose.data ? loose.data : "");
    }
    bl_status st = bli_buf_check(&loose, "a list", err);
    if (st == BL_OK)
        st = bli_buf_check(&wrapped, "a list", err);
    if (st == BL_OK && !list && loose.n)
        list = parse(loose.data, loose.n);
    if (st == BL_OK && !list)
        list = parse(wrapped.data, wrapped.n);
    bli_buf_done(&loose);
    bli_buf_done(&wrapped);
    if (st == BL_OK && !list)
        st = bli_fail(err, BL_E_CONFIG, "is no list that can be read");
    if (st == BL_OK)
        *ret_list = list;
    return st;
}

bl_status bli_list_parse(const char *text, bool numbers, json_t **ret_list,
                         bool *ret_plain, bl_err *err)
{
    *ret_plain = !*text || !strchr("[({\"'", *text);
    if (*ret_plain)
        return split(text, ret_list, err);
    bl_status st = parse_brackets(text, ret_list, err);
    if (st == BL_E_CONFIG && numbers)
        st = split_inside(text, ret_list, err);
    return st;
}

/* --- @NAME -------------------------------------------------------------------------- */

/* Is the real file behind path below the real folder root. */
static bool inside(const char *root, const char *path)
{
    char *real_root = realpath(root, NULL);
    char *real = realpath(path, NULL);
    bool ok = false;
    if (real_root && real) {
        size_t n = strlen(real_root);
        ok = strcmp(real_root, "/") == 0 ||
             (strncmp(real, real_root, n) == 0 && real[n] == '/');
    }
    free(real_root);
    free(real);
    return ok;
}

static bl_status lines(const bl_buf *buf, json_t **ret_value, bl_err *err)
{
    json_t *list = json_array();
    const char *s = buf->data;
    if (buf->n >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0)
        s += 3;
    const char *end = buf->data + buf->n;
    bool failed = !list;
    while (!failed && s < end) {
        size_t n = strcspn(s, "\r\n");
        const char *next = s + n;
        json_t *item = trimmed(s, n);
        bool empty = json_is_string(item) && json_string_length(item) == 0;
        if (empty)
            json_decref(item);
        else
            failed = !item || json_array_append_new(list, item) != 0;
        s = next + (next < end);
    }
    if (failed) {
        json_decref(list);
        return bli_fail(err, BL_E_CONFIG, "is no UTF-8 text");
    }
    *ret_value = list;
    return BL_OK;
}

/* Bytes of file `name` of channel config, without a zero byte. */
static bl_status config_bytes(const char *root, const char *name, bl_buf *ret_buf,
                              bl_err *err)
{
    char folder[PATH_MAX], path[PATH_MAX];
    int n_folder = snprintf(folder, sizeof folder, "%s/input/data/config", root);
    int n_path = snprintf(path, sizeof path, "%s/%s", folder, name);
    struct stat st;
    char quoted[BL_QUOTE_BYTES];
    if (*name == '\0' || *name == '/' || strstr(name, "..") || n_folder >= PATH_MAX ||
        n_path >= PATH_MAX)
        return bli_fail(
            err, BL_E_CONFIG,
            "'@%s' names no file: write @ and the name of a file of channel 'config', "
            "such as @names.txt",
            bli_quote(name, strlen(name), quoted, sizeof quoted));
    bli_quote(name, strlen(name), quoted, sizeof quoted);
    if (stat(path, &st) != 0)
        return bli_fail(err, BL_E_CONFIG,
                        "'@%s': there is no such file in channel 'config'", quoted);
    if (!S_ISREG(st.st_mode) || !inside(root, path))
        return bli_fail(err, BL_E_CONFIG,
                        "'@%s' is no ordinary file inside the job's folder", quoted);
    bl_status status = bli_read_file(path, bli_limits().config_bytes, ret_buf, err);
    if (status == BL_OK && strlen(ret_buf->data) != ret_buf->n) {
        bli_buf_done(ret_buf);
        return bli_fail(err, BL_E_CONFIG, "'@%s' holds a zero byte", quoted);
    }
    return status;
}

bl_status bli_config_item(const char *root, const char *name, json_t **ret_value,
                          bool *ret_plain, bl_err *err)
{
    char quoted[BL_QUOTE_BYTES];
    bl_buf buf = {0};
    bl_status status = config_bytes(root, name, &buf, err);
    if (status != BL_OK)
        return status;
    const char *first = buf.data;
    while (is_blank(*first))
        first++;
    *ret_plain = *first != '[' && *first != '{';
    if (!*ret_plain)
        status = bli_json_parse(buf.data, buf.n, ret_value, err);
    else
        status = lines(&buf, ret_value, err);
    if (status != BL_OK)
        bli_err_prefix(err, "'@%s' in channel 'config'",
                       bli_quote(name, strlen(name), quoted, sizeof quoted));
    bli_buf_done(&buf);
    return status;
}

bl_status bli_job_plan(const bl_job *job, bl_buf *ret_text, const char **ret_name,
                       bl_err *err)
{
    const char *text = bli_job_param(job, "bl_preprocess");
    *ret_text = (bl_buf){0};
    *ret_name = "bl_preprocess";
    if (!text)
        return BL_OK;
    const char *first = text;
    while (is_blank(*first))
        first++;
    if (*first == '{') {
        bli_buf_text(ret_text, text);
        return bli_buf_check(ret_text, "a plan", err);
    }
    *ret_name = *first == '@' ? first + 1 : first;
    bl_status st = config_bytes(job->root, *ret_name, ret_text, err);
    if (st != BL_OK)
        bli_err_prefix(err, "bl_preprocess");
    return st;
}
