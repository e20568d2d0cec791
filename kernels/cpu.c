/* SPDX-License-Identifier: Apache-2.0 */
/* Which variants there are, and which this processor can run. */
#include "kernels/lanes.h"

extern const blk_lanes blk_lanes_fmaf, blk_lanes_portable;
#if BLK_HAVE_X86
extern const blk_lanes blk_lanes_avx2, blk_lanes_avx512;
#endif
#if BLK_HAVE_NEON
extern const blk_lanes blk_lanes_neon;
#endif

/* Weakest first. */
static const blk_lanes *const variants[] = {
    &blk_lanes_fmaf,
    &blk_lanes_portable,
#if BLK_HAVE_X86
    &blk_lanes_avx2,
    &blk_lanes_avx512,
#endif
#if BLK_HAVE_NEON
    &blk_lanes_neon,
#endif
    NULL,
};

unsigned blk_cpu(void)
{
    unsigned cpu = 0;
#if BLK_HAVE_X86
    /* The compiler's runtime asks the operating system for the registers' state too. */
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        cpu |= BLK_CPU_AVX2;
    if ((cpu & BLK_CPU_AVX2) && __builtin_cpu_supports("avx512f") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl"))
        cpu |= BLK_CPU_AVX512;
#endif
#if BLK_HAVE_NEON
    cpu |= BLK_CPU_NEON; /* a part of every 64-bit ARM processor */
#endif
    return cpu;
}

const blk_lanes *blk_lanes_for(unsigned cpu)
{
    const blk_lanes *best = &blk_lanes_portable;
    for (size_t i = 0; variants[i]; i++)
        if (variants[i]->cpu && (variants[i]->cpu & cpu) == variants[i]->cpu)
            best = variants[i];
    return best;
}

const blk_lanes *const *blk_lanes_all(void)
{
    return variants;
}
