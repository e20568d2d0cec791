/* SPDX-License-Identifier: Apache-2.0 */
/* AVX-512: 16 rows a vector, masks in mask registers. */
#include <immintrin.h>

typedef __m512 V;
typedef __mmask16 M;
#define VL              16
#define NU              2
#define MB              2
#define v_set(a)        _mm512_set1_ps(a)
#define v_load(p)       _mm512_load_ps(p)
#define v_store(p, a)   _mm512_store_ps(p, a)
#define v_add(a, b)     _mm512_add_ps(a, b)
#define v_sub(a, b)     _mm512_sub_ps(a, b)
#define v_mul(a, b)     _mm512_mul_ps(a, b)
#define v_fma(a, b, c)  _mm512_fmadd_ps(a, b, c)
#define m_lt(a, b)      _mm512_cmp_ps_mask(b, a, _CMP_GT_OQ)
#define v_pick(m, a, b) _mm512_mask_mov_ps(b, m, a)
#define v_keep(m, a)    _mm512_maskz_mov_ps(m, a)
#define m_and(a, b)     _kand_mask16(a, b)
#define m_but(a, b)     _kandn_mask16(b, a)
#define m_load(p)       _load_mask16((__mmask16 *)(uintptr_t)(const void *)(p))
#define m_store(p, m)   _store_mask16((__mmask16 *)(void *)(p), m)
#define m_all()         ((M)0xffff)

#include "kernels/x86/points.h"
#define POINTS_CONSTANT BLK_POINTS_CONSTANT
#define SUFFIX          avx512
#define LANES_NAME      "avx512"
#define LANES_CPU       BLK_CPU_AVX512
#include "kernels/shap_lanes_body.h"
