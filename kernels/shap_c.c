/* SPDX-License-Identifier: Apache-2.0 */
/* The reference of the vector variants: the same operations in the same order, one lane, fmaf. */
#include <math.h>
#include <stdint.h>

typedef float V;
typedef uint32_t M;
#define VL              1
#define NU              1
#define MB              4
#define v_set(a)        (a)
#define v_load(p)       (*(p))
#define v_store(p, a)   (*(p) = (a))
#define v_add(a, b)     ((a) + (b))
#define v_sub(a, b)     ((a) - (b))
#define v_mul(a, b)     ((a) * (b))
#define v_fma(a, b, c)  fmaf(a, b, c)
#define m_lt(a, b)      ((M)((a) < (b)))
#define v_pick(m, a, b) ((m) ? (a) : (b))
#define v_keep(m, a)    ((m) ? (a) : 0)
#define m_and(a, b)     ((a) & (b))
#define m_but(a, b)     ((a) & ~(b))
#define m_load(p)       (*(const M *)(const void *)(p))
#define m_store(p, m)   (*(M *)(void *)(p) = (m))
#define m_all()         1u

#define ROW_BY_POINTS   0
#define POINTS_CONSTANT 0
#define SUFFIX          fmaf
#define LANES_NAME      "fmaf"
#define LANES_CPU       BLK_CPU_FMAF
#include "kernels/shap_lanes_body.h"
