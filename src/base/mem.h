/* SPDX-License-Identifier: Apache-2.0 */
/* Memory: products that cannot overflow, arrays that grow. */
#ifndef BL_BASE_MEM_H
#define BL_BASE_MEM_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define BL_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* false where a * b does not fit. */
bool bli_mul(size_t a, size_t b, size_t *ret_product);

/* calloc of n elements of `size` bytes; `what` names it in the message. n = 0 gives a pointer. */
bl_status bli_alloc(size_t n, size_t size, const char *what, void **ret_pointer,
                    bl_err *err);

/* Makes room for at least n elements in *array (capacity *cap), growing by half; the old block
 * stays valid on failure. Fresh bytes are not cleared. */
bl_status bli_grow(void **array, size_t *cap, size_t n, size_t size, const char *what,
                   bl_err *err);

/* strdup with a message. */
bl_status bli_strdup(const char *text, char **ret_text, bl_err *err);

#endif
