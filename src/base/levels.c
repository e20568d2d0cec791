/* SPDX-License-Identifier: Apache-2.0 */
/* Texts in one arena, found through an open-addressing table of codes. */
#include "base/levels.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct bl_levels {
    char *arena;
    size_t n_arena, cap_arena;
    size_t *offset; /* [n] start of each text in the arena */
    size_t cap_offset;
    uint32_t n;
    uint32_t *slot; /* [n_slots] code + 1; 0 is empty */
    size_t n_slots; /* a power of two, over twice n */
};

bl_status bli_levels_new(bl_levels **ret_levels, bl_err *err)
{
    void *levels;
    bl_status st = bli_alloc(1, sizeof(bl_levels), "category levels", &levels, err);
    if (st == BL_OK)
        *ret_levels = levels;
    return st;
}

void bli_levels_free(bl_levels *levels)
{
    if (!levels)
        return;
    free(levels->arena);
    free(levels->offset);
    free(levels->slot);
    free(levels);
}

uint32_t bli_levels_count(const bl_levels *levels)
{
    return levels->n;
}

const char *bli_levels_text(const bl_levels *levels, uint32_t code)
{
    return levels->arena + levels->offset[code];
}

/* FNV-1a with a final mix; texts are short. */
static uint64_t hash(const char *text, size_t n)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    return h ^ (h >> 32);
}

static bool is_text(const bl_levels *levels, uint32_t code, const char *text, size_t n)
{
    const char *level = bli_levels_text(levels, code);
    return strncmp(level, text, n) == 0 && level[n] == '\0';
}

/* The slot that holds the text, or the empty one where it would go. */
static size_t find_slot(const bl_levels *levels, const char *text, size_t n)
{
    size_t mask = levels->n_slots - 1;
    size_t at = (size_t)hash(text, n) & mask;
    while (levels->slot[at] && !is_text(levels, levels->slot[at] - 1, text, n))
        at = (at + 1) & mask;
    return at;
}

uint32_t bli_levels_find(const bl_levels *levels, const char *text, size_t n)
{
    if (!levels->n_slots)
        return BL_NO_LEVEL;
    uint32_t slot = levels->slot[find_slot(levels, text, n)];
    return slot ? slot - 1 : BL_NO_LEVEL;
}

static void fill_slots(bl_levels *levels)
{
    memset(levels->slot, 0, levels->n_slots * sizeof *levels->slot);
    for (uint32_t code = 0; code < levels->n; code++) {
        const char *text = bli_levels_text(levels, code);
        levels->slot[find_slot(levels, text, strlen(text))] = code + 1;
    }
}

static bl_status grow_slots(bl_levels *levels, bl_err *err)
{
    if ((size_t)levels->n * 2 + 2 <= levels->n_slots)
        return BL_OK;
    size_t n_slots = levels->n_slots ? levels->n_slots * 2 : 16;
    void *slot;
    bl_status st =
        bli_alloc(n_slots, sizeof *levels->slot, "category levels", &slot, err);
    if (st != BL_OK)
        return st;
    free(levels->slot);
    levels->slot = slot;
    levels->n_slots = n_slots;
    fill_slots(levels);
    return BL_OK;
}

static bl_status add_text(bl_levels *levels, const char *text, size_t n, bl_err *err)
{
    void *arena = levels->arena, *offset = levels->offset;
    bl_status st = bli_grow(&arena, &levels->cap_arena, levels->n_arena + n + 1, 1,
                            "category levels", err);
    if (st != BL_OK)
        return st;
    levels->arena = arena;
    st = bli_grow(&offset, &levels->cap_offset, (size_t)levels->n + 1, sizeof(size_t),
                  "category levels", err);
    if (st != BL_OK)
        return st;
    levels->offset = offset;
    levels->offset[levels->n] = levels->n_arena;
    memcpy(levels->arena + levels->n_arena, text, n);
    levels->arena[levels->n_arena + n] = '\0';
    levels->n_arena += n + 1;
    return BL_OK;
}

bl_status bli_levels_add(bl_levels *levels, const char *text, size_t n, uint64_t max,
                         uint32_t *ret_code, bl_err *err)
{
    bl_status st = grow_slots(levels, err);
    if (st != BL_OK)
        return st;
    size_t at = find_slot(levels, text, n);
    if (!levels->slot[at]) {
        if (levels->n >= max)
            return bli_fail(err, BL_E_LIMIT, "more than %llu different levels",
                            (unsigned long long)max);
        st = add_text(levels, text, n, err);
        if (st != BL_OK)
            return st;
        levels->slot[at] = ++levels->n;
    }
    *ret_code = levels->slot[at] - 1;
    return BL_OK;
}

static int compare(const void *a, const void *b, void *cookie)
{
    const bl_levels *levels = cookie;
    return strcmp(bli_levels_text(levels, *(const uint32_t *)a),
                  bli_levels_text(levels, *(const uint32_t *)b));
}

bl_status bli_levels_sort(bl_levels *levels, uint32_t *ret_new_code, bl_err *err)
{
    size_t n = levels->n;
    void *order_block, *offset_block;
    bl_status st =
        bli_alloc(n, sizeof(uint32_t), "the order of levels", &order_block, err);
    if (st != BL_OK)
        return st;
    uint32_t *order = order_block;
    st = bli_alloc(n, sizeof(size_t), "the order of levels", &offset_block, err);
    if (st != BL_OK) {
        free(order);
        return st;
    }
    size_t *offset = offset_block;
    for (uint32_t code = 0; code < n; code++)
        order[code] = code;
    /* glibc's qsort_r; levels differ, so the order is one. */
    qsort_r(order, n, sizeof *order, compare, levels);
    for (uint32_t at = 0; at < n; at++) {
        ret_new_code[order[at]] = at;
        offset[at] = levels->offset[order[at]];
    }
    free(order);
    free(levels->offset);
    levels->offset = offset;
    levels->cap_offset = n ? n : 1;
    if (levels->n_slots)
        fill_slots(levels);
    return BL_OK;
}

bl_status bli_levels_copy(const bl_levels *levels, bl_levels **ret_levels, bl_err *err)
{
    bl_levels *copy;
    bl_status st = bli_levels_new(&copy, err);
    for (uint32_t code = 0; st == BL_OK && code < levels->n; code++) {
        const char *text = bli_levels_text(levels, code);
        uint32_t same;
        st = bli_levels_add(copy, text, strlen(text), UINT32_MAX, &same, err);
        if (st != BL_OK)
            bli_levels_free(copy);
    }
    if (st == BL_OK)
        *ret_levels = copy;
    return st;
}
