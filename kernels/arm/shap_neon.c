/* SPDX-License-Identifier: Apache-2.0 */
/* NEON of 64-bit ARM: 4 rows a vector. */
#include <arm_neon.h>
#include <stdint.h>

typedef float32x4_t V;
typedef uint32x4_t M;
#define VL              4
#define NU              4
#define MB              16
#define v_set(a)        vdupq_n_f32(a)
#define v_load(p)       vld1q_f32(p)
#define v_store(p, a)   vst1q_f32(p, a)
#define v_add(a, b)     vaddq_f32(a, b)
#define v_sub(a, b)     vsubq_f32(a, b)
#define v_mul(a, b)     vmulq_f32(a, b)
#define v_fma(a, b, c)  vfmaq_f32(c, a, b)
#define m_lt(a, b)      vcltq_f32(a, b)
#define v_pick(m, a, b) vbslq_f32(m, a, b)
#define v_keep(m, a)    vreinterpretq_f32_u32(vandq_u32(m, vreinterpretq_u32_f32(a)))
#define m_and(a, b)     vandq_u32(a, b)
#define m_but(a, b)     vbicq_u32(a, b)
#define m_load(p)       vld1q_u32((const uint32_t *)(const void *)(p))
#define m_store(p, m)   vst1q_u32((uint32_t *)(void *)(p), m)
#define m_all()         vdupq_n_u32(UINT32_MAX)

typedef float P __attribute__((vector_size(16)));
typedef int32_t PM __attribute__((vector_size(16)));
#define p_fma(a, b, c)                                                                   \
    ((P)vfmaq_f32((float32x4_t)(c), (float32x4_t)(a), (float32x4_t)(b)))
#define p_pick(m, a, b)                                                                  \
    ((P)vbslq_f32((uint32x4_t)(m), (float32x4_t)(a), (float32x4_t)(b)))
#define s_fma(a, b, c) __builtin_fmaf(a, b, c)
#define ROW_BY_POINTS  1

#define POINTS_CONSTANT BLK_POINTS_CONSTANT
#define SUFFIX          neon
#define LANES_NAME      "neon"
#define LANES_CPU       BLK_CPU_NEON
#include "kernels/shap_lanes_body.h"
