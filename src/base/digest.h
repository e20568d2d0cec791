/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, by OpenSSL. */
#ifndef BL_BASE_DIGEST_H
#define BL_BASE_DIGEST_H

#include "base/err.h"

#define BL_DIGEST_TEXT 65 /* 64 hex digits and NUL */

typedef struct bl_digest bl_digest;

bl_status bli_digest_new(bl_digest **ret_digest, bl_err *err); /* free: bli_digest_free */
void bli_digest_free(bl_digest *digest);
void bli_digest_add(bl_digest *digest, const void *bytes, size_t n);
/* The digest of all bytes added; the object may then only be freed. */
bl_status bli_digest_end(bl_digest *digest, char ret_hex[BL_DIGEST_TEXT], bl_err *err);

bl_status bli_digest_bytes(const void *bytes, size_t n, char ret_hex[BL_DIGEST_TEXT],
                           bl_err *err);
bl_status bli_digest_file(const char *path, char ret_hex[BL_DIGEST_TEXT], bl_err *err);

#endif
