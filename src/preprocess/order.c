/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Mersenne Twister (Matsumoto and Nishimura, 1998) and NumPy's old shuffle on top of it:
 * what scikit-learn's train_test_split draws for an integer random_state.
 */
#include "preprocess/transform_priv.h"

#include "base/mem.h"

void bli_mt_seed(bl_mt *mt, uint32_t seed)
{
    mt->state[0] = seed;
    for (uint32_t i = 1; i < 624; i++)
        mt->state[i] = 1812433253U * (mt->state[i - 1] ^ (mt->state[i - 1] >> 30)) + i;
    mt->at = 624;
}

static void refill(bl_mt *mt)
{
    for (size_t i = 0; i < 624; i++) {
        uint32_t y =
            (mt->state[i] & 0x80000000U) | (mt->state[(i + 1) % 624] & 0x7fffffffU);
        mt->state[i] = mt->state[(i + 397) % 624] ^ (y >> 1) ^ (y & 1 ? 0x9908b0dfU : 0);
    }
    mt->at = 0;
}

static uint32_t draw(bl_mt *mt)
{
    if (mt->at == 624)
        refill(mt);
    uint32_t y = mt->state[mt->at++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680U;
    y ^= y << 15 & 0xefc60000U;
    return y ^ y >> 18;
}

/* Uniform in [0, most] by masking and trying again. */
static uint64_t draw_to(bl_mt *mt, uint64_t most)
{
    uint64_t mask = most, value;
    for (unsigned shift = 1; shift < 64; shift *= 2)
        mask |= mask >> shift;
    do {
        value = draw(mt);
        if (most > UINT32_MAX)
            value = value << 32 | draw(mt);
        value &= mask;
    } while (value > most);
    return value;
}

bl_status bli_numpy_permutation(uint32_t seed, uint64_t n, uint64_t **ret_order,
                                bl_err *err)
{
    bl_mt mt;
    void *block;
    bl_status st =
        bli_alloc((size_t)n, sizeof(uint64_t), "the order of rows", &block, err);
    if (st != BL_OK)
        return st;
    uint64_t *order = block;
    for (uint64_t i = 0; i < n; i++)
        order[i] = i;
    bli_mt_seed(&mt, seed);
    for (uint64_t i = n; i-- > 1;) {
        uint64_t j = draw_to(&mt, i), swap = order[i];
        order[i] = order[j];
        order[j] = swap;
    }
    *ret_order = order;
    return BL_OK;
}
