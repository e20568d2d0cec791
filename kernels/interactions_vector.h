/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few vector operations of kernels/interactions_lanes_body.h, in the instruction set
 * that its includer names. V: floats, M: a mask of 4 bytes a lane.
 */
#ifndef BL_KERNELS_INTERACTIONS_VECTOR_H
#define BL_KERNELS_INTERACTIONS_VECTOR_H

#if defined(LANES_AVX512)
#include <immintrin.h>
typedef __m512 V;
typedef __mmask16 M;
#define VL              16
#define v_set(a)        _mm512_set1_ps(a)
#define v_load(p)       _mm512_load_ps(p)
#define v_store(p, a)   _mm512_store_ps(p, a)
#define v_add(a, b)     _mm512_add_ps(a, b)
#define v_sub(a, b)     _mm512_sub_ps(a, b)
#define v_mul(a, b)     _mm512_mul_ps(a, b)
#define v_fma(a, b, c)  _mm512_fmadd_ps(a, b, c)
#define v_pick(m, a, b) _mm512_mask_blend_ps(m, b, a)
#define v_keep(m, a)    _mm512_maskz_mov_ps(m, a)
#define m_lt(a, b)      _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ)
#define m_and(a, b)     ((__mmask16)((a) & (b)))
#define m_not(a)        ((__mmask16) ~(a))
#define m_load(p)       _mm512_movepi32_mask(_mm512_load_si512(p))
#define m_store(p, m)   _mm512_store_si512(p, _mm512_movm_epi32(m))
#define VARIANT         blk_interactions_avx512
#define VARIANT_NAME    "avx512"

#elif defined(LANES_AVX2)
#include <immintrin.h>
typedef __m256 V;
typedef __m256 M;
#define VL              8
#define v_set(a)        _mm256_set1_ps(a)
#define v_load(p)       _mm256_load_ps(p)
#define v_store(p, a)   _mm256_store_ps(p, a)
#define v_add(a, b)     _mm256_add_ps(a, b)
#define v_sub(a, b)     _mm256_sub_ps(a, b)
#define v_mul(a, b)     _mm256_mul_ps(a, b)
#define v_fma(a, b, c)  _mm256_fmadd_ps(a, b, c)
#define v_pick(m, a, b) _mm256_blendv_ps(b, a, m)
#define v_keep(m, a)    _mm256_and_ps(m, a)
#define m_lt(a, b)      _mm256_cmp_ps(a, b, _CMP_LT_OQ)
#define m_and(a, b)     _mm256_and_ps(a, b)
#define m_not(a)        _mm256_xor_ps(a, _mm256_castsi256_ps(_mm256_set1_epi32(-1)))
#define m_load(p)       _mm256_load_ps((const float *)(const void *)(p))
#define m_store(p, m)   _mm256_store_ps((float *)(void *)(p), m)
#define VARIANT         blk_interactions_avx2
#define VARIANT_NAME    "avx2"

#elif defined(LANES_FMAF)
#include <math.h>
#include <stdint.h>
typedef float V;
typedef uint32_t M;
#define VL              1
#define v_set(a)        (a)
#define v_load(p)       (*(p))
#define v_store(p, a)   (*(p) = (a))
#define v_add(a, b)     ((a) + (b))
#define v_sub(a, b)     ((a) - (b))
#define v_mul(a, b)     ((a) * (b))
#define v_fma(a, b, c)  fmaf(a, b, c)
#define v_pick(m, a, b) ((m) ? (a) : (b))
#define v_keep(m, a)    ((m) ? (a) : 0)
#define m_lt(a, b)      ((a) < (b) ? UINT32_MAX : 0)
#define m_and(a, b)     ((a) & (b))
#define m_not(a)        (~(a))
#define m_load(p)       (*(const M *)(const void *)(p))
#define m_store(p, m)   (*(M *)(void *)(p) = (m))
#define VARIANT         blk_interactions_fmaf
#define VARIANT_NAME    "fmaf"

#else
#include <stdint.h>
typedef float V __attribute__((vector_size(16)));
typedef int32_t M __attribute__((vector_size(16)));
#define VL              4
#define v_set(a)        ((V){(a), (a), (a), (a)})
#define v_load(p)       (*(const V *)(const void *)(p))
#define v_store(p, a)   (*(V *)(void *)(p) = (a))
#define v_add(a, b)     ((a) + (b))
#define v_sub(a, b)     ((a) - (b))
#define v_mul(a, b)     ((a) * (b))
#define v_pick(m, a, b) ((V)(((M)(a) & (m)) | ((M)(b) & ~(m))))
#define v_keep(m, a)    ((V)((M)(a) & (m)))
#define m_lt(a, b)      ((M)((a) < (b)))
#define m_and(a, b)     ((a) & (b))
#define m_not(a)        (~(a))
#define m_load(p)       (*(const M *)(const void *)(p))
#define m_store(p, m)   (*(M *)(void *)(p) = (m))
#if defined(__ARM_NEON) && defined(__aarch64__)
#include <arm_neon.h>
#define v_fma(a, b, c)                                                                   \
    ((V)vfmaq_f32((float32x4_t)(c), (float32x4_t)(a), (float32x4_t)(b)))
#define VARIANT      blk_interactions_portable
#define VARIANT_NAME "neon"
#else
#define v_fma(a, b, c) ((a) * (b) + (c))
#define VARIANT        blk_interactions_portable
#define VARIANT_NAME   "portable"
#endif
#endif

#endif
