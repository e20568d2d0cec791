/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One error idiom: `bl_status f(..., bl_err *err)`. The function that detects writes the whole
 * sentence with bli_fail; a caller adds at most one prefix, of what only it knows. err may be
 * NULL everywhere. Nothing here allocates.
 */
#ifndef BL_BASE_ERR_H
#define BL_BASE_ERR_H

#include "boostlens.h"

#include <stdarg.h>

#define BL_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Fills err and returns status, so that `return bli_fail(...)` reads as one step. */
bl_status bli_fail(bl_err *err, bl_status status, const char *fmt, ...) BL_PRINTF(3, 4);

/* The same for a failed system call: appends ": " and the text of errno_value. */
bl_status bli_fail_errno(bl_err *err, bl_status status, int errno_value, const char *fmt,
                         ...) BL_PRINTF(4, 5);

/* Puts "<prefix>: " before the message; the tail is cut where it no longer fits. */
void bli_err_prefix(bl_err *err, const char *fmt, ...) BL_PRINTF(2, 3);

/* Exit code of a process that ends with this status (interfaces: 0, 1, 70, 74, 143). */
int bli_status_exit_code(bl_status status);

#endif
