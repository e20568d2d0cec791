/* SPDX-License-Identifier: Apache-2.0 */
/* Values of one leaf for all patterns of failures, from counts of a background. */
#include "kernels/background.h"
#include "kernels/lanes.h"

#define INLINE static inline __attribute__((always_inline))

/*
 * With W_k(S) = sum over subsets A of S of share(A) t_k^|A| (subset sums, one feature after
 * the other), S the features that the row satisfies and m the number of those it fails:
 *
 *   a failed feature gets    - Sum_k w_k (1 - t_k)^(m-1) W_k(S)
 *   a satisfied feature i    Sum_k w_k (1 - t_k)^m / t_k (W_k(S) - W_k(S without i))
 *
 * for Integral t^k (1-t)^(m-1) dt = k! (m-1)! / (k+m)!, and likewise the other.
 */
INLINE void table_of(uint32_t n, int K, const double *share, const double *t,
                     const double *w, double *sums, double *table)
{
    uint32_t all = 1U << n;
    double power[BLK_BG_BITS + 1][BLK_BG_POINTS];  /* t^j */
    double failed[BLK_BG_BITS + 1][BLK_BG_POINTS]; /* w (1-t)^j */
    for (int k = 0; k < K; k++) {
        power[0][k] = 1;
        failed[0][k] = w[k];
        for (uint32_t j = 1; j <= n; j++) {
            power[j][k] = power[j - 1][k] * t[k];
            failed[j][k] = failed[j - 1][k] * (1 - t[k]);
        }
    }
    for (uint32_t s = 0; s < all; s++)
        for (int k = 0; k < K; k++)
            sums[s * (uint32_t)K + (uint32_t)k] =
                share[s] * power[__builtin_popcount(s)][k];
    for (uint32_t bit = 1; bit < all; bit <<= 1)
        for (uint32_t block = 0; block < all; block += 2 * bit) {
            const double *from = sums + (size_t)block * (size_t)K;
            double *to = sums + (size_t)(block + bit) * (size_t)K;
            for (size_t i = 0; i < (size_t)bit * (size_t)K; i++)
                to[i] += from[i];
        }
    for (uint32_t s = 0; s < all; s++) {
        const double *whole = sums + (size_t)s * (size_t)K;
        uint32_t m = n - (uint32_t)__builtin_popcount(s);
        double *line = table + (size_t)(all - 1 - s) * n;
        double factor[BLK_BG_POINTS], lost = 0;
        for (int k = 0; k < K; k++) {
            factor[k] = failed[m][k] / t[k];
            lost -= m ? failed[m - 1][k] * whole[k] : 0;
        }
        for (uint32_t i = 0; i < n; i++) {
            if (!(s >> i & 1)) {
                line[i] = lost;
                continue;
            }
            const double *without = sums + (size_t)(s ^ 1U << i) * (size_t)K;
            /* Exactly 0 where no background row fails i: the sums are then equal. */
            double value = 0;
            for (int k = 0; k < K; k++)
                value += factor[k] * (whole[k] - without[k]);
            line[i] = value;
        }
    }
}

void blk_background_table(uint32_t n, const double *share, const double *t,
                          const double *w, double *scratch, double *table)
{
    switch ((n + 1) / 2) {
    case 0:
        break;
    case 1:
        table_of(n, 1, share, t, w, scratch, table);
        break;
    case 2:
        table_of(n, 2, share, t, w, scratch, table);
        break;
    case 3:
        table_of(n, 3, share, t, w, scratch, table);
        break;
    case 4:
        table_of(n, 4, share, t, w, scratch, table);
        break;
    default:
        table_of(n, BLK_BG_POINTS, share, t, w, scratch, table);
    }
}

extern const blk_background blk_background_portable;
#if BLK_HAVE_X86
extern const blk_background blk_background_avx2;
#endif

void blk_background_variants(const blk_background *ret_list[BLK_BG_VARIANTS + 1])
{
    size_t n = 0;
    ret_list[n++] = &blk_background_portable;
#if BLK_HAVE_X86
    if (blk_cpu() & BLK_CPU_AVX2)
        ret_list[n++] = &blk_background_avx2;
#endif
    ret_list[n] = NULL;
}
