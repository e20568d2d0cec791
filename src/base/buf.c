/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bli_buf_done(bl_buf *buf)
{
    free(buf->data);
    *buf = (bl_buf){0};
}

/* Room for n more bytes and the NUL behind them. */
static bool reserve(bl_buf *buf, size_t n)
{
    void *data = buf->data;
    if (!buf->failed && n < SIZE_MAX - buf->n - 1 &&
        bli_grow(&data, &buf->cap, buf->n + n + 1, 1, "a buffer", NULL) == BL_OK)
        buf->data = data;
    else
        buf->failed = true;
    return !buf->failed;
}

void bli_buf_add(bl_buf *buf, const void *bytes, size_t n)
{
    if (!reserve(buf, n))
        return;
    if (n)
        memcpy(buf->data + buf->n, bytes, n);
    buf->n += n;
    buf->data[buf->n] = '\0';
}

void bli_buf_text(bl_buf *buf, const char *text)
{
    bli_buf_add(buf, text, strlen(text));
}

void bli_buf_char(bl_buf *buf, char c)
{
    bli_buf_add(buf, &c, 1);
}

void bli_buf_printf(bl_buf *buf, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0)
        buf->failed = true;
    else if (reserve(buf, (size_t)n)) {
        vsnprintf(buf->data + buf->n, (size_t)n + 1, fmt, again);
        buf->n += (size_t)n;
    }
    va_end(again);
}

bl_status bli_buf_check(const bl_buf *buf, const char *what, bl_err *err)
{
    if (buf->failed)
        return bli_fail(err, BL_E_NOMEM, "no memory for %s (over %zu bytes)", what,
                        buf->n);
    return BL_OK;
}
