/* SPDX-License-Identifier: Apache-2.0 */
/* Which variants of the interaction kernels this processor runs. */
#include "kernels/interactions.h"
#include "kernels/lanes.h"

extern const blk_interactions blk_interactions_portable;
#if BLK_HAVE_X86
extern const blk_interactions blk_interactions_avx2, blk_interactions_avx512;
#endif

void blk_interactions_variants(const blk_interactions *ret_list[BLK_INTER_VARIANTS + 1])
{
    size_t n = 0;
    ret_list[n++] = &blk_interactions_portable;
#if BLK_HAVE_X86
    unsigned cpu = blk_cpu();
    if (cpu & BLK_CPU_AVX2)
        ret_list[n++] = &blk_interactions_avx2;
    if (cpu & BLK_CPU_AVX512)
        ret_list[n++] = &blk_interactions_avx512;
#endif
    ret_list[n] = NULL;
}
