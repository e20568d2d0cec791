/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON. Reading is jansson's; writing is a small emitter of our own, because jansson prints 0.1
 * as 0.10000000000000001 and our files must read well and be the same bytes every time.
 */
#ifndef BL_BASE_JSON_H
#define BL_BASE_JSON_H

#include "base/buf.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Parses a file of at most max_bytes: any JSON value, duplicate keys refused. Messages carry
 * line and column. *ret_value: json_decref it. */
bl_status bli_json_read(const char *path, size_t max_bytes, json_t **ret_value,
                        bl_err *err);
bl_status bli_json_parse(const char *text, size_t n, json_t **ret_value, bl_err *err);

/* Emitter: members in the order written, two blanks of indent, final newline by bli_jw_end.
 * Errors are those of its buffer. Zero-initialise, set buf. Depth at most 63. */
typedef struct bl_jw {
    bl_buf *buf;
    unsigned depth;
    uint64_t has_members; /* bit d: a value was already written at depth d */
    uint64_t in_line;     /* bit d: this list is written on one line */
    bool after_key;
} bl_jw;

void bli_jw_object(bl_jw *jw);
void bli_jw_object_end(bl_jw *jw);
void bli_jw_list(bl_jw *jw, bool in_line);
void bli_jw_list_end(bl_jw *jw);
void bli_jw_key(bl_jw *jw, const char *key);
void bli_jw_text(
    bl_jw *jw,
    const char *value); /* NULL writes null; bytes that are no UTF-8 as U+FFFD */
void bli_jw_int(bl_jw *jw, int64_t value);
void bli_jw_double(bl_jw *jw, double value); /* NaN and infinities write null */
void bli_jw_float(bl_jw *jw, float value);
void bli_jw_bool(bl_jw *jw, bool value);
void bli_jw_null(bl_jw *jw);
void bli_jw_end(bl_jw *jw);

#endif
