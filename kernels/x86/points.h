/* SPDX-License-Identifier: Apache-2.0 */
/* The points of one row in four lanes, for processors with FMA (kernels/points_body.h). */
#ifndef BL_KERNELS_X86_POINTS_H
#define BL_KERNELS_X86_POINTS_H

#include <immintrin.h>
#include <stdint.h>

typedef float P __attribute__((vector_size(16)));
typedef int32_t PM __attribute__((vector_size(16)));
#define p_fma(a, b, c)  ((P)_mm_fmadd_ps((__m128)(a), (__m128)(b), (__m128)(c)))
#define p_pick(m, a, b) ((P)_mm_blendv_ps((__m128)(b), (__m128)(a), (__m128)(m)))
#define s_fma(a, b, c)  __builtin_fmaf(a, b, c)

#define ROW_BY_POINTS 1

#endif
