/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Every status: its name, and the exit code of a process that ends with it. */
static const struct {
    const char *name;
    int exit_code;
} statuses[] = {
    [BL_OK] = {"BL_OK", 0},
    [BL_E_ARG] = {"BL_E_ARG", 1},
    [BL_E_CONFIG] = {"BL_E_CONFIG", 1},
    [BL_E_DATA] = {"BL_E_DATA", 1},
    [BL_E_SHAPE] = {"BL_E_SHAPE", 1},
    [BL_E_MODEL] = {"BL_E_MODEL", 1},
    [BL_E_LIMIT] = {"BL_E_LIMIT", 1},
    [BL_E_IO] = {"BL_E_IO", 74},
    [BL_E_NOMEM] = {"BL_E_NOMEM", 74},
    [BL_E_CANCELLED] = {"BL_E_CANCELLED", 143},
    [BL_E_INTERNAL] = {"BL_E_INTERNAL", 70},
};

const char *bl_status_name(bl_status status)
{
    size_t i = (size_t)status;
    return i < sizeof statuses / sizeof statuses[0] ? statuses[i].name : "unknown status";
}

int bli_status_exit_code(bl_status status)
{
    size_t i = (size_t)status;
    return i < sizeof statuses / sizeof statuses[0] ? statuses[i].exit_code : 70;
}

static void BL_PRINTF(4, 0)
    set(bl_err *err, bl_status status, int errno_value, const char *fmt, va_list args)
{
    if (!err)
        return;
    err->status = status;
    err->sys_errno = errno_value;
    vsnprintf(err->msg, sizeof err->msg, fmt, args);
}

bl_status bli_fail(bl_err *err, bl_status status, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    set(err, status, 0, fmt, args);
    va_end(args);
    return status;
}

/* What to do about an errno that says more about the machine than about the call. */
static const char *cure(int errno_value)
{
    switch (errno_value) {
    case ENOSPC:
        return "; give the volume more room";
    case EDQUOT:
        return "; the quota is used up, raise it or give more room";
    case EIO:
        return "; the storage failed, start the job again";
    default:
        return "";
    }
}

bl_status bli_fail_errno(bl_err *err, bl_status status, int errno_value, const char *fmt,
                         ...)
{
    va_list args;
    va_start(args, fmt);
    set(err, status, errno_value, fmt, args);
    va_end(args);
    if (err) {
        char text[128];
        size_t n = strlen(err->msg);
        /* The GNU strerror_r, which may return a constant instead of text. */
        snprintf(err->msg + n, sizeof err->msg - n, ": %s%s",
                 strerror_r(errno_value, text, sizeof text), cure(errno_value));
    }
    return status;
}

void bli_err_prefix(bl_err *err, const char *fmt, ...)
{
    if (!err)
        return;
    char prefix[BL_ERR_BYTES - 2];
    va_list args;
    va_start(args, fmt);
    vsnprintf(prefix, sizeof prefix - 2, fmt, args);
    va_end(args);
    size_t n = strlen(prefix);
    memcpy(prefix + n, ": ", 2);
    n += 2;
    /* Bytes are moved because gcc warns about a deliberate cut with snprintf. */
    size_t rest = strlen(err->msg);
    if (rest > sizeof err->msg - 1 - n)
        rest = sizeof err->msg - 1 - n;
    memmove(err->msg + n, err->msg, rest);
    memcpy(err->msg, prefix, n);
    err->msg[n + rest] = '\0';
}
