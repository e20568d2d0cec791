/* SPDX-License-Identifier: Apache-2.0 */
/* Our own seeded draws (folds, samples of rows): the same on every machine, for ever. */
#ifndef BL_BASE_RNG_H
#define BL_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

/* splitmix64 (Steele, Lea, Flood 2014). */
typedef struct bl_rng {
    uint64_t state;
} bl_rng;

bl_rng bli_rng(uint64_t seed);
uint64_t bli_rng_next(bl_rng *rng);
/* Uniform in [0, n), n > 0, without bias (Lemire 2019). */
uint64_t bli_rng_below(bl_rng *rng, uint64_t n);
/* Fisher-Yates from the end. */
void bli_rng_shuffle(bl_rng *rng, uint64_t *items, size_t n);

#endif
