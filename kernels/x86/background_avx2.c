/* SPDX-License-Identifier: Apache-2.0 */
/* AVX2: eight lines of a table are turned into eight columns in registers. */
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

static inline __attribute__((always_inline)) void
add_eight(const float *table, uint32_t stride, const uint16_t *pattern,
          const uint32_t *slot, uint32_t n, float *phi)
{
#define LINE(r) _mm256_load_ps(table + (size_t)pattern[r] * stride)
    __m256 r0 = LINE(0), r1 = LINE(1), r2 = LINE(2), r3 = LINE(3);
    __m256 r4 = LINE(4), r5 = LINE(5), r6 = LINE(6), r7 = LINE(7);
#undef LINE
    __m256 a0 = _mm256_unpacklo_ps(r0, r1), a1 = _mm256_unpackhi_ps(r0, r1);
    __m256 a2 = _mm256_unpacklo_ps(r2, r3), a3 = _mm256_unpackhi_ps(r2, r3);
    __m256 a4 = _mm256_unpacklo_ps(r4, r5), a5 = _mm256_unpackhi_ps(r4, r5);
    __m256 a6 = _mm256_unpacklo_ps(r6, r7), a7 = _mm256_unpackhi_ps(r6, r7);
    __m256 b[8] = {
        _mm256_shuffle_ps(a0, a2, 0x44), _mm256_shuffle_ps(a0, a2, 0xee),
        _mm256_shuffle_ps(a1, a3, 0x44), _mm256_shuffle_ps(a1, a3, 0xee),
        _mm256_shuffle_ps(a4, a6, 0x44), _mm256_shuffle_ps(a4, a6, 0xee),
        _mm256_shuffle_ps(a5, a7, 0x44), _mm256_shuffle_ps(a5, a7, 0xee),
    };
#define COLUMN(i, half)                                                                  \
    do {                                                                                 \
        float *column = phi + (size_t)slot[i] * 32;                                      \
        __m256 line = _mm256_permute2f128_ps(b[(i) % 4], b[(i) % 4 + 4], half);          \
        _mm256_store_ps(column, _mm256_add_ps(_mm256_load_ps(column), line));            \
        if ((i) + 1 == n)                                                                \
            return;                                                                      \
    } while (0)
    COLUMN(0, 0x20);
    COLUMN(1, 0x20);
    COLUMN(2, 0x20);
    COLUMN(3, 0x20);
    COLUMN(4, 0x31);
    COLUMN(5, 0x31);
    COLUMN(6, 0x31);
    COLUMN(7, 0x31);
#undef COLUMN
}

static inline void decide_column(const float *x, float threshold, uint16_t *right)
{
    __m256 t = _mm256_set1_ps(threshold);
    for (size_t r = 0; r < 32; r += 16) {
        __m256i a =
            _mm256_castps_si256(_mm256_cmp_ps(_mm256_load_ps(x + r), t, _CMP_NLT_UQ));
        __m256i b =
            _mm256_castps_si256(_mm256_cmp_ps(_mm256_load_ps(x + r + 8), t, _CMP_NLT_UQ));
        /* The pack works in halves: put them in order. */
        __m256i both = _mm256_permute4x64_epi64(_mm256_packs_epi32(a, b), 0xd8);
        _mm256_store_si256((__m256i *)(void *)(right + r), both);
    }
}

#define ADD_EIGHT    add_eight
#define DECIDE       decide_column
#define VECTOR_BYTES 32
#define SUFFIX       avx2
#define LANES_NAME   "avx2"
#include "kernels/background_lanes_body.h"
_Static_assert(BLK_BG_ROWS == 32, "columns of add_eight and decide_column");
