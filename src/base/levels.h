/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The levels (category names) of one column. While reading they are collected in order of
 * appearance; bli_levels_sort then puts them in order of bytes, which is the order of codes in
 * every model we train.
 */
#ifndef BL_BASE_LEVELS_H
#define BL_BASE_LEVELS_H

#include "base/err.h"

#include <stdint.h>

typedef struct bl_levels bl_levels;

#define BL_NO_LEVEL UINT32_MAX

bl_status bli_levels_new(bl_levels **ret_levels, bl_err *err); /* free: bli_levels_free */
void bli_levels_free(bl_levels *levels);
uint32_t bli_levels_count(const bl_levels *levels);
/* Text of a code, NUL-terminated, lent. */
const char *bli_levels_text(const bl_levels *levels, uint32_t code);
/* Code of a text, or BL_NO_LEVEL. */
uint32_t bli_levels_find(const bl_levels *levels, const char *text, size_t n);
/* Code of a text, added where new. BL_E_LIMIT beyond max levels. */
bl_status bli_levels_add(bl_levels *levels, const char *text, size_t n, uint64_t max,
                         uint32_t *ret_code, bl_err *err);
/* Sorts by bytes. ret_new_code[old code] = new code, for count entries. */
bl_status bli_levels_sort(bl_levels *levels, uint32_t *ret_new_code, bl_err *err);
bl_status bli_levels_copy(const bl_levels *levels, bl_levels **ret_levels, bl_err *err);

#endif
