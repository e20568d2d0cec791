/* SPDX-License-Identifier: Apache-2.0 */
/* Any processor. */
#include <stddef.h>
#include <stdint.h>

/* Eight rows' lines of up to eight floats -> columns. */
static void add_eight(const float *table, uint32_t stride, const uint16_t *pattern,
                      const uint32_t *slot, uint32_t n, float *phi)
{
    float line[8][8];
    for (size_t r = 0; r < 8; r++)
        for (size_t i = 0; i < 8; i++)
            line[i][r] = table[(size_t)pattern[r] * stride + i];
    for (uint32_t i = 0; i < n; i++) {
        float *column = phi + (size_t)slot[i] * 32;
        for (size_t r = 0; r < 8; r++)
            column[r] += line[i][r];
    }
}

static void decide_column(const float *x, float threshold, uint16_t *right)
{
    int32_t wide[32];
    for (size_t r = 0; r < 32; r++)
        wide[r] = x[r] < threshold ? 0 : -1;
    for (size_t r = 0; r < 32; r++)
        right[r] = (uint16_t)wide[r];
}

#define ADD_EIGHT    add_eight
#define DECIDE       decide_column
#define VECTOR_BYTES 16
#define SUFFIX       portable
#define LANES_NAME   "portable"
#include "kernels/background_lanes_body.h"
_Static_assert(BLK_BG_ROWS == 32, "columns of add_eight and decide_column");
