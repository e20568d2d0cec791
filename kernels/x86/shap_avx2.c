/* SPDX-License-Identifier: Apache-2.0 */
/* AVX2 and FMA: 8 rows a vector. */
#include <immintrin.h>

typedef __m256 V;
typedef __m256 M;
#define VL 8
#ifndef NU
#define NU 2
#endif
#define MB             32
#define v_set(a)       _mm256_set1_ps(a)
#define v_load(p)      _mm256_load_ps(p)
#define v_store(p, a)  _mm256_store_ps(p, a)
#define v_add(a, b)    _mm256_add_ps(a, b)
#define v_sub(a, b)    _mm256_sub_ps(a, b)
#define v_mul(a, b)    _mm256_mul_ps(a, b)
#define v_fma(a, b, c) _mm256_fmadd_ps(a, b, c)
/* b > a: the cell, a, may then be the operand in memory */
#define m_lt(a, b)      _mm256_cmp_ps(b, a, _CMP_GT_OQ)
#define v_pick(m, a, b) _mm256_blendv_ps(b, a, m)
#define v_keep(m, a)    _mm256_and_ps(m, a)
#define m_and(a, b)     _mm256_and_ps(a, b)
#define m_but(a, b)     _mm256_andnot_ps(b, a)
#define m_load(p)       _mm256_load_ps((const float *)(const void *)(p))
#define m_store(p, m)   _mm256_store_ps((float *)(void *)(p), m)
#define m_all()         _mm256_castsi256_ps(_mm256_set1_epi32(-1))

#include "kernels/x86/points.h"
#define POINTS_CONSTANT BLK_POINTS_CONSTANT
#define SUFFIX          avx2
#define LANES_NAME      "avx2"
#define LANES_CPU       BLK_CPU_AVX2
#include "kernels/shap_lanes_body.h"
