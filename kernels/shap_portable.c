/* SPDX-License-Identifier: Apache-2.0 */
/* Any processor, through the compiler's vector extension; two roundings for a multiply-add. */
#include <stdint.h>
#include <string.h>

typedef float V __attribute__((vector_size(16)));
typedef int32_t M __attribute__((vector_size(16)));
#define VL 4
#define NU 2
#define MB 16

static inline __attribute__((always_inline)) V pick(M m, V a, V b)
{
    return (V)(((M)a & m) | ((M)b & ~m));
}
#define v_set(a)        ((V){(a), (a), (a), (a)})
#define v_load(p)       (*(const V *)(const void *)(p))
#define v_store(p, a)   (*(V *)(void *)(p) = (a))
#define v_add(a, b)     ((a) + (b))
#define v_sub(a, b)     ((a) - (b))
#define v_mul(a, b)     ((a) * (b))
#define v_fma(a, b, c)  ((a) * (b) + (c))
#define m_lt(a, b)      ((M)((a) < (b)))
#define v_pick(m, a, b) pick(m, a, b)
#define v_keep(m, a)    ((V)((M)(a) & (m)))
#define m_and(a, b)     ((a) & (b))
#define m_but(a, b)     ((a) & ~(b))
#define m_load(p)       (*(const M *)(const void *)(p))
#define m_store(p, m)   (*(M *)(void *)(p) = (m))
#define m_all()         ((M){-1, -1, -1, -1})

typedef V P;
typedef M PM;
#define p_fma(a, b, c)  v_fma(a, b, c)
#define p_pick(m, a, b) pick(m, a, b)
#define s_fma(a, b, c)  ((a) * (b) + (c))
#define ROW_BY_POINTS   1

#define POINTS_CONSTANT BLK_POINTS_CONSTANT
#define SUFFIX          portable
#define LANES_NAME      "portable"
#define LANES_CPU       0
#include "kernels/shap_lanes_body.h"
