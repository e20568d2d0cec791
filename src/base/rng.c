/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rng.h"

bl_rng bli_rng(uint64_t seed)
{
    return (bl_rng){seed};
}

uint64_t bli_rng_next(bl_rng *rng)
{
    /* The constants are splitmix64's: the golden ratio's odd increment and Stafford's
     * mix 13. */
    uint64_t z = rng->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t bli_rng_below(bl_rng *rng, uint64_t n)
{
    /* The high word of x * n is uniform once the low word is not among the first 2^64 mod
     * n. */
    __extension__ typedef unsigned __int128 wide;
    uint64_t threshold = (0 - n) % n;
    for (;;) {
        wide product = (wide)bli_rng_next(rng) * n;
        if ((uint64_t)product >= threshold)
            return (uint64_t)(product >> 64);
    }
}

void bli_rng_shuffle(bl_rng *rng, uint64_t *items, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)bli_rng_below(rng, i);
        uint64_t item = items[i - 1];
        items[i - 1] = items[j];
        items[j] = item;
    }
}
