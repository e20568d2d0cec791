/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include "base/fs.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bl_status bli_json_parse(const char *text, size_t n, json_t **ret_value, bl_err *err)
{
    json_error_t why;
    json_t *value = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (!value)
        return bli_fail(err, BL_E_CONFIG, "line %d, column %d: no valid JSON: %s",
                        why.line, why.column, why.text);
    *ret_value = value;
    return BL_OK;
}

bl_status bli_json_read(const char *path, size_t max_bytes, json_t **ret_value,
                        bl_err *err)
{
    bl_buf buf;
    bl_status st = bli_read_file(path, max_bytes, &buf, err);
    if (st != BL_OK)
        return st;
    st = bli_json_parse(buf.data, buf.n, ret_value, err);
    if (st != BL_OK)
        bli_err_prefix(err, "'%s'", path);
    bli_buf_done(&buf);
    return st;
}

static uint64_t bit(const bl_jw *jw)
{
    return UINT64_C(1) << jw->depth;
}

/* Comma, line and indent before a value or key at the current depth. */
static void lead(bl_jw *jw)
{
    if (jw->after_key) {
        jw->after_key = false;
        return;
    }
    if (jw->depth == 0)
        return;
    bool in_line = (jw->in_line & bit(jw)) != 0;
    if (jw->has_members & bit(jw))
        bli_buf_text(jw->buf, in_line ? ", " : ",");
    jw->has_members |= bit(jw);
    if (in_line)
        return;
    bli_buf_char(jw->buf, '\n');
    for (unsigned i = 0; i < jw->depth; i++)
        bli_buf_text(jw->buf, "  ");
}

static void open_level(bl_jw *jw, char c, bool in_line)
{
    bool outer_in_line = jw->depth > 0 && (jw->in_line & bit(jw));
    lead(jw);
    bli_buf_char(jw->buf, c);
    jw->depth++;
    jw->has_members &= ~bit(jw);
    if (in_line || outer_in_line)
        jw->in_line |= bit(jw);
    else
        jw->in_line &= ~bit(jw);
}

static void close_level(bl_jw *jw, char c)
{
    bool lines = (jw->has_members & bit(jw)) && !(jw->in_line & bit(jw));
    jw->depth--;
    if (lines) {
        bli_buf_char(jw->buf, '\n');
        for (unsigned i = 0; i < jw->depth; i++)
            bli_buf_text(jw->buf, "  ");
    }
    bli_buf_char(jw->buf, c);
}

void bli_jw_object(bl_jw *jw)
{
    open_level(jw, '{', false);
}

void bli_jw_object_end(bl_jw *jw)
{
    close_level(jw, '}');
}

void bli_jw_list(bl_jw *jw, bool in_line)
{
    open_level(jw, '[', in_line);
}

void bli_jw_list_end(bl_jw *jw)
{
    close_level(jw, ']');
}

/* Length of the UTF-8 sequence at s, 0 where it is none (also overlong and surrogates).
 */
static size_t utf8_length(const unsigned char *s)
{
    if (s[0] < 0x80)
        return 1;
    size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
    if (n == 0 || s[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80) /* a NUL stops here too */
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] >= 0x90))
        return 0;
    return n;
}

static void put_text(bl_buf *buf, const char *text)
{
    bli_buf_char(buf, '"');
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        size_t n = utf8_length(s);
        if (*s == '"' || *s == '\\')
            bli_buf_printf(buf, "\\%c", *s);
        else if (*s < 0x20 || *s == 0x7f)
            bli_buf_printf(buf, "\\u%04x", *s);
        else if (n == 0)
            bli_buf_text(buf, "\xef\xbf\xbd"); /* U+FFFD, the replacement character */
        else
            bli_buf_add(buf, s, n);
        s += n ? n : 1;
    }
    bli_buf_char(buf, '"');
}

void bli_jw_key(bl_jw *jw, const char *key)
{
    lead(jw);
    put_text(jw->buf, key);
    bli_buf_text(jw->buf, ": ");
    jw->after_key = true;
}

void bli_jw_text(bl_jw *jw, const char *value)
{
    lead(jw);
    if (value)
        put_text(jw->buf, value);
    else
        bli_buf_text(jw->buf, "null");
}

void bli_jw_int(bl_jw *jw, int64_t value)
{
    lead(jw);
    bli_buf_printf(jw->buf, "%lld", (long long)value);
}

void bli_jw_double(bl_jw *jw, double value)
{
    char text[BL_NUMBER_BYTES];
    lead(jw);
    if (!isfinite(value)) {
        bli_buf_text(jw->buf, "null");
        return;
    }
    bli_buf_add(jw->buf, text, bli_write_double(value, text));
}

void bli_jw_float(bl_jw *jw, float value)
{
    char text[BL_NUMBER_BYTES];
    lead(jw);
    if (!isfinite(value)) {
        bli_buf_text(jw->buf, "null");
        return;
    }
    bli_buf_add(jw->buf, text, bli_write_float(value, text));
}

void bli_jw_bool(bl_jw *jw, bool value)
{
    lead(jw);
    bli_buf_text(jw->buf, value ? "true" : "false");
}

void bli_jw_null(bl_jw *jw)
{
    lead(jw);
    bli_buf_text(jw->buf, "null");
}

void bli_jw_end(bl_jw *jw)
{
    bli_buf_char(jw->buf, '\n');
}
