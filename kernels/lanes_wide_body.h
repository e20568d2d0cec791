/* SPDX-License-Identifier: Apache-2.0 */
/* NU vectors side by side. A part of shap_lanes_body.h, which says what its macros are. */
#define INLINE static inline __attribute__((always_inline))
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif
#if POINTS_CONSTANT
#define EACH_POINT UNROLL for (int k = 0; k < K; k++)
#else
#define EACH_POINT for (int k = 0; k < K; k++)
#endif
#define EACH_VECTOR UNROLL for (int u = 0; u < NU; u++)
#define KM          BLK_MAX_POINTS
#define STEP        (NU * VL)

#define PASTE_(a, b) a##b
#define PASTE(a, b)  PASTE_(a, b)

/* --- NU vectors side by side -------------------------------------------------------- */

typedef struct W {
    V v[NU];
} W;

INLINE V all(float constant)
{
    return v_set(constant);
}
INLINE W w_all(V a)
{
    W w;
    EACH_VECTOR w.v[u] = a;
    return w;
}
INLINE W w_load(const float *p)
{
    W w;
    EACH_VECTOR w.v[u] = v_load(p + u * VL);
    return w;
}
INLINE void w_store(float *p, W a)
{
    EACH_VECTOR v_store(p + u * VL, a.v[u]);
}
INLINE W w_sub(W a, W b)
{
    EACH_VECTOR a.v[u] = v_sub(a.v[u], b.v[u]);
    return a;
}
INLINE W w_mul(W a, W b)
{
    EACH_VECTOR a.v[u] = v_mul(a.v[u], b.v[u]);
    return a;
}
INLINE W w_scale(W a, V b)
{
    EACH_VECTOR a.v[u] = v_mul(a.v[u], b);
    return a;
}
INLINE W w_fma(W a, W b, W c)
{
    EACH_VECTOR a.v[u] = v_fma(a.v[u], b.v[u], c.v[u]);
    return a;
}
/* a b + c with a constant, and with two */
INLINE W w_fma1(V a, W b, W c)
{
    EACH_VECTOR b.v[u] = v_fma(a, b.v[u], c.v[u]);
    return b;
}
INLINE W w_fma2(V a, W b, V c)
{
    EACH_VECTOR b.v[u] = v_fma(a, b.v[u], c);
    return b;
}
/* *p += a b */
INLINE void w_add_to(float *p, W a, W b)
{
    EACH_VECTOR v_store(p + u * VL, v_fma(a.v[u], b.v[u], v_load(p + u * VL)));
}
