/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte buffer. A failed append is remembered and every later one is nothing, so a
 * writer appends freely and checks once at the end with bli_buf_check.
 */
#ifndef BL_BASE_BUF_H
#define BL_BASE_BUF_H

#include "base/err.h"

#include <stdbool.h>

typedef struct bl_buf {
    char *data; /* n bytes; also NUL-terminated once anything was appended */
    size_t n;
    size_t cap;
    bool failed;
} bl_buf;

void bli_buf_done(bl_buf *buf); /* frees; zero-initialise to start */
void bli_buf_add(bl_buf *buf, const void *bytes, size_t n);
void bli_buf_text(bl_buf *buf, const char *text);
void bli_buf_char(bl_buf *buf, char c);
void bli_buf_printf(bl_buf *buf, const char *fmt, ...) BL_PRINTF(2, 3);
bl_status bli_buf_check(const bl_buf *buf, const char *what, bl_err *err);

#endif
