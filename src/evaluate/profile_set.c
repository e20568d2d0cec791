/* SPDX-License-Identifier: Apache-2.0 */
/* Different keys, counted exactly while they fit, then by adaptive sampling. */
#include "evaluate/profile_priv.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The finisher of splitmix64: every bit of the key moves every bit of the result. */
uint64_t bli_mix(uint64_t key)
{
    key += UINT64_C(0x9e3779b97f4a7c15);
    key = (key ^ (key >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    key = (key ^ (key >> 27)) * UINT64_C(0x94d049bb133111eb);
    return key ^ (key >> 31);
}

uint64_t bli_key_of(double value)
{
    uint64_t key;
    if (value == 0)
        value = 0; /* without its sign */
    memcpy(&key, &value, sizeof key);
    return key;
}

double bli_value_of(uint64_t key)
{
    double value;
    memcpy(&value, &key, sizeof value);
    return value;
}

void bli_key_set_done(bl_key_set *set)
{
    free(set->key);
    free(set->n);
    *set = (bl_key_set){.cap = set->cap};
}

static bool belongs(const bl_key_set *set, uint64_t hash)
{
    return (hash & ((UINT64_C(1) << set->level) - 1)) == 0;
}

/* The level is in the low bits, so the place comes from the high ones. */
static size_t place_of(const bl_key_set *set, uint64_t key, uint64_t hash)
{
    size_t mask = set->n_slots - 1, at = (size_t)(hash >> 24) & mask;
    while (set->n[at] && set->key[at] != key)
        at = (at + 1) & mask;
    return at;
}

/* Keys of the level into n_slots fresh slots. */
static bl_status rebuild(bl_key_set *set, size_t n_slots, bl_err *err)
{
    bl_key_set fresh = {.n_slots = n_slots, .cap = set->cap, .level = set->level};
    void *key, *n;
    bl_status st = bli_alloc(n_slots, sizeof *fresh.key, "a set of values", &key, err);
    if (st != BL_OK)
        return st;
    fresh.key = key;
    st = bli_alloc(n_slots, sizeof *fresh.n, "a set of values", &n, err);
    if (st != BL_OK) {
        free(key);
        return st;
    }
    fresh.n = n;
    for (size_t i = 0; i < set->n_slots; i++) {
        uint64_t hash = bli_mix(set->key[i]);
        if (!set->n[i] || !belongs(&fresh, hash))
            continue;
        size_t at = place_of(&fresh, set->key[i], hash);
        fresh.key[at] = set->key[i];
        fresh.n[at] = set->n[i];
        fresh.n_keys++;
    }
    bli_key_set_done(set);
    *set = fresh;
    return BL_OK;
}

bl_status bli_key_set_add(bl_key_set *set, uint64_t key, bl_err *err)
{
    uint64_t hash = bli_mix(key);
    bl_status st = BL_OK;
    if (!belongs(set, hash))
        return BL_OK;
    if (set->n_keys * 2 >= set->n_slots)
        st = rebuild(set, set->n_slots ? set->n_slots * 2 : 64, err);
    if (st != BL_OK)
        return st;
    size_t at = place_of(set, key, hash);
    set->key[at] = key;
    set->n_keys += set->n[at]++ == 0;
    while (st == BL_OK && set->n_keys > set->cap) {
        set->level++;
        st = rebuild(set, set->n_slots, err);
    }
    return st;
}

uint64_t bli_key_set_count(const bl_key_set *set)
{
    return (uint64_t)set->n_keys << set->level;
}
