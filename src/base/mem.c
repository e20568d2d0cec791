/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool bli_mul(size_t a, size_t b, size_t *ret_product)
{
    return !__builtin_mul_overflow(a, b, ret_product);
}

bl_status bli_alloc(size_t n, size_t size, const char *what, void **ret_pointer,
                    bl_err *err)
{
    void *pointer = calloc(n ? n : 1, size);
    if (!pointer)
        return bli_fail(err, BL_E_NOMEM, "no memory for %s (%zu x %zu bytes)", what, n,
                        size);
    *ret_pointer = pointer;
    return BL_OK;
}

bl_status bli_grow(void **array, size_t *cap, size_t n, size_t size, const char *what,
                   bl_err *err)
{
    if (n <= *cap && *array)
        return BL_OK;
    size_t wanted = *cap + *cap / 2;
    if (wanted < n)
        wanted = n;
    if (wanted < 16)
        wanted = 16;
    size_t bytes;
    void *grown = bli_mul(wanted, size, &bytes) ? realloc(*array, bytes) : NULL;
    if (!grown)
        return bli_fail(err, BL_E_NOMEM, "no memory for %s (%zu x %zu bytes)", what,
                        wanted, size);
    *array = grown;
    *cap = wanted;
    return BL_OK;
}

bl_status bli_strdup(const char *text, char **ret_text, bl_err *err)
{
    char *copy = strdup(text);
    if (!copy)
        return bli_fail(err, BL_E_NOMEM, "no memory for a text of %zu bytes",
                        strlen(text));
    *ret_text = copy;
    return BL_OK;
}
