/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every vector variant of the SHAP kernel, written once. The including file has defined:
 *   V, M                      a vector of VL floats, a mask of VL lanes
 *   VL, NU                    lanes, vectors that go together (their constants are loaded once)
 *   MB                        bytes of a mask in memory, at most 4 VL
 *   v_set v_load v_store v_add v_sub v_mul v_fma(a, b, c) = a b + c
 *   m_lt(a, b)                a < b, false for NaN
 *   v_pick(m, a, b) v_keep(m, a)    m ? a : b, m ? a : 0
 *   m_and m_but(a, b) = a and not b, m_load m_store m_all
 *   POINTS_CONSTANT           1: one function a number of points; 0: one for all (the reference)
 *   SUFFIX, LANES_NAME, LANES_CPU
 *   ROW_BY_POINTS             1: and the operations of points_body.h, for one row at a time
 *
 * Names as in kernels/README.md: per point k, C comes down, H goes up, f is the first child's
 * factor, d = [first] - z, e = d (difference of two leaves).
 */
#include "kernels/lanes.h"

#include <math.h>
#include <string.h>

#include "kernels/lanes_wide_body.h"

/* --- Pieces of trees ---------------------------------------------------------------- */

/* What all steps of a block share, and where one step is. */
typedef struct at {
    const float *x;
    float *phi;
    char *activity;
    size_t x_stride;   /* bytes between columns of x and of phi */
    size_t act_stride; /* bytes between columns of activity */
    uint32_t plane, n_points;
    V t[KM];
} at;

INLINE const float *x_at(const at *a, const uint32_t column[2])
{
    return (const float *)((const char *)a->x + column[a->plane] * a->x_stride);
}
INLINE float *phi_at(const at *a, uint32_t column)
{
    return (float *)((char *)a->phi + column * a->x_stride);
}
INLINE char *activity_at(const at *a, uint32_t column)
{
    return a->activity + column * a->act_stride;
}
INLINE const blk_repeat *repeat_at(const char *first, int K, int i)
{
    return (const blk_repeat *)(first + (size_t)i * (8 + 8 * (size_t)K));
}

/* d and the factors of an inner split. `repeats`: its feature was met before, or will be again
 * below, so that activity is read and written. */
INLINE W split_d(const at *a, const blk_lane_split *s, const blk_repeat *r,
                 const int repeats)
{
    const float *x = x_at(a, s->x);
    V threshold = all(s->threshold), left = all(s->d_left), right = all(s->d_right);
    W d;
    if (!repeats) {
        EACH_VECTOR d.v[u] = v_pick(m_lt(v_load(x + u * VL), threshold), left, right);
        return d;
    }
    /* own column 0: the rows that stay active going left; 1: going right */
    const char *active = activity_at(a, r->active);
    char *own = activity_at(a, r->own);
    EACH_VECTOR
    {
        M was = m_load(active + u * MB), is = m_lt(v_load(x + u * VL), threshold);
        m_store(own + u * MB, m_and(was, is));
        m_store(own + a->act_stride + u * MB, m_but(was, is));
        d.v[u] = v_keep(was, v_pick(is, left, right));
    }
    return d;
}

INLINE void split_factors(const at *a, const int K, const blk_lane_split *s,
                          const blk_repeat *r, const int repeats, W d, W *f)
{
    V z = all(s->share);
    EACH_POINT f[k] = w_fma2(repeats ? all(r->c[k]) : a->t[k], d, z);
}

/* C as the sum of a split sees it: weighted where its feature was met before. */
INLINE W weighted(const int K, W c, const blk_repeat *r, const int repeats, int k)
{
    return repeats ? w_scale(c, all(r->c[K + k])) : c;
}

INLINE W bottom_e(const at *a, const blk_lane_bottom *b, const blk_repeat *r,
                  const int repeats)
{
    const float *x = x_at(a, b->x);
    V threshold = all(b->threshold), left = all(b->e_left), right = all(b->e_right);
    W e;
    if (!repeats) {
        EACH_VECTOR e.v[u] = v_pick(m_lt(v_load(x + u * VL), threshold), left, right);
        return e;
    }
    const char *active = activity_at(a, r->active);
    EACH_VECTOR e.v[u] = v_keep(m_load(active + u * MB),
                                v_pick(m_lt(v_load(x + u * VL), threshold), left, right));
    return e;
}

/* A split over two PAIRs, or over a PAIR and a leaf (its value in `value`): C in, H out, phi of
 * its features added to. */
INLINE void four(const at *a, const int K, const int top, const int rest,
                 const int leaning, const blk_lane_split *s, const blk_lane_bottom *b,
                 float value, const char *repeats, const W *C, W *H)
{
    const blk_repeat *r0 = repeat_at(repeats, K, 0), *r1 = repeat_at(repeats, K, 1),
                     *r2 = repeat_at(repeats, K, 2);
    W f[KM], d = split_d(a, s, r0, top);
    split_factors(a, K, s, r0, top, d, f);
    W sum1 = w_all(all(b[0].fixed)), sum2 = sum1;
    if (!leaning)
        sum2 = w_all(all(b[1].fixed));
    EACH_POINT
    {
        W first = w_mul(C[k], f[k]);
        EACH_VECTOR sum1.v[u] = rest ? v_fma(all(r1->c[K + k]), first.v[u], sum1.v[u])
                                     : v_add(sum1.v[u], first.v[u]);
        if (!leaning) {
            W second = w_sub(C[k], first);
            EACH_VECTOR sum2.v[u] = rest
                                        ? v_fma(all(r2->c[K + k]), second.v[u], sum2.v[u])
                                        : v_add(sum2.v[u], second.v[u]);
        }
    }
    W e1 = bottom_e(a, b, r1, rest), e2 = e1;
    w_add_to(phi_at(a, b[0].phi), e1, sum1);
    V mean2 = all(value);
    if (!leaning) {
        e2 = bottom_e(a, b + 1, r2, rest);
        w_add_to(phi_at(a, b[1].phi), e2, sum2);
        mean2 = all(b[1].mean);
    }
    W sum = w_all(all(s->fixed)), both = e1;
    V step = all(s->step);
    if (!leaning && !rest)
        both = w_sub(e1, e2);
    EACH_POINT
    {
        W second = w_all(mean2), difference;
        if (!leaning)
            second = w_fma2(rest ? all(r2->c[k]) : a->t[k], e2, mean2);
        if (rest && !leaning)
            difference = w_sub(w_fma2(all(r1->c[k]), e1, all(b[0].mean)), second);
        else
            difference = w_fma2(rest ? all(r1->c[k]) : a->t[k], both, step);
        sum = w_fma(weighted(K, C[k], r0, top, k), difference, sum);
        H[k] = w_fma(f[k], difference, second);
    }
    w_add_to(phi_at(a, s->phi), d, sum);
}

/* --- Operations, over all steps of a block ------------------------------------------ */

/* Slots are [step][point][STEP]. */
#define POINT(k)     ((k)*STEP)
#define NEXT_STEP(p) ((p) += K * STEP)
#define NEXT_ROWS(a) ((a)->x += STEP, (a)->phi += STEP, (a)->activity += NU * MB)

INLINE float *slot_at(const blk_lanes_block *b, uint32_t slot)
{
    return b->slots + slot * (BLK_MAX_POINTS * b->stride + BLK_STRIDE);
}

INLINE void op_leaf(const int K, const blk_lanes_block *b, size_t n_steps,
                    const blk_op *op)
{
    V value = all(((const blk_leaf_constant *)(op + 1))->value);
    float *h = slot_at(b, op->out);
    for (size_t i = 0; i < n_steps * (size_t)K; i++, h += STEP)
        w_store(h, w_all(value));
}

INLINE void op_down(const int K, const int repeats, const int one,
                    const blk_lanes_block *b, at a, size_t n_steps, const blk_op *op)
{
    const blk_lane_split *s = (const blk_lane_split *)(op + 1);
    const blk_repeat *r = (const blk_repeat *)(s + 1);
    const float *c = slot_at(b, op->in);
    float *first = slot_at(b, op->first), *second = slot_at(b, op->second);
    float *keep = b->d + op->level * b->stride;
    for (size_t i = 0; i < n_steps; i++) {
        W f[KM], d = split_d(&a, s, r, repeats);
        split_factors(&a, K, s, r, repeats, d, f);
        w_store(keep, d);
        EACH_POINT
        {
            W C = w_load(c + POINT(k)), C1 = w_mul(C, f[k]);
            w_store(first + POINT(k), C1);
            if (!one)
                w_store(second + POINT(k), w_sub(C, C1));
        }
        keep += STEP;
        NEXT_STEP(c);
        NEXT_STEP(first);
        NEXT_STEP(second);
        NEXT_ROWS(&a);
    }
}

INLINE void op_up(const int K, const int repeats, const int one, const blk_lanes_block *b,
                  at a, size_t n_steps, const blk_op *op)
{
    const blk_lane_split *s = (const blk_lane_split *)(op + 1);
    const blk_repeat *r = (const blk_repeat *)(s + 1);
    const float *c = slot_at(b, op->in), *first = slot_at(b, op->first),
                *second = slot_at(b, op->second), *keep = b->d + op->level * b->stride;
    float *out = slot_at(b, op->out);
    V fixed = all(s->fixed), value = all(s->step); /* a leaf's value travels in step */
    for (size_t i = 0; i < n_steps; i++) {
        W f[KM], d = w_load(keep), sum = w_all(fixed);
        split_factors(&a, K, s, r, repeats, d, f);
        EACH_POINT
        {
            W H2 = one ? w_all(value) : w_load(second + POINT(k));
            W difference = w_sub(w_load(first + POINT(k)), H2);
            sum =
                w_fma(weighted(K, w_load(c + POINT(k)), r, repeats, k), difference, sum);
            w_store(out + POINT(k), w_fma(f[k], difference, H2));
        }
        w_add_to(phi_at(&a, s->phi), d, sum);
        keep += STEP;
        NEXT_STEP(c);
        NEXT_STEP(first);
        NEXT_STEP(second);
        NEXT_STEP(out);
        NEXT_ROWS(&a);
    }
}

INLINE void op_pair(const int K, const int repeats, const blk_lanes_block *b, at a,
                    size_t n_steps, const blk_op *op)
{
    const blk_lane_bottom *bottom = (const blk_lane_bottom *)(op + 1);
    const blk_repeat *r = (const blk_repeat *)(bottom + 1);
    const float *c = slot_at(b, op->in);
    float *out = slot_at(b, op->out);
    V mean = all(bottom->mean), fixed = all(bottom->fixed);
    for (size_t i = 0; i < n_steps; i++) {
        W sum = w_all(fixed), e = bottom_e(&a, bottom, r, repeats);
        EACH_POINT
        {
            W C = w_load(c + POINT(k));
            EACH_VECTOR sum.v[u] = repeats ? v_fma(all(r->c[K + k]), C.v[u], sum.v[u])
                                           : v_add(sum.v[u], C.v[u]);
        }
        w_add_to(phi_at(&a, bottom->phi), e, sum);
        EACH_POINT w_store(out + POINT(k),
                           w_fma2(repeats ? all(r->c[k]) : a.t[k], e, mean));
        NEXT_STEP(c);
        NEXT_STEP(out);
        NEXT_ROWS(&a);
    }
}

INLINE void op_four(const int K, const int top, const int rest, const int leaning,
                    const blk_lanes_block *b, at a, size_t n_steps, const blk_op *op)
{
    const blk_lane_split *s = (const blk_lane_split *)(op + 1);
    const blk_lane_bottom *bottom = (const blk_lane_bottom *)(s + 1);
    const char *end = (const char *)(bottom + (leaning ? 1 : 2));
    float value = 0;
    if (leaning) {
        value = ((const blk_leaf_constant *)end)->value;
        end += sizeof(blk_leaf_constant);
    }
    const float *c = slot_at(b, op->in);
    float *out = slot_at(b, op->out);
    for (size_t i = 0; i < n_steps; i++) {
        W C[KM], H[KM];
        EACH_POINT C[k] = w_load(c + POINT(k));
        four(&a, K, top, rest, leaning, s, bottom, value, end, C, H);
        EACH_POINT w_store(out + POINT(k), H[k]);
        NEXT_STEP(c);
        NEXT_STEP(out);
        NEXT_ROWS(&a);
    }
}

/* One half of an EIGHT. */
typedef struct blk_four {
    blk_lane_split split;
    blk_lane_bottom bottom[2];
} blk_four;

INLINE void op_eight(const int K, const int top, const int left, const int right,
                     const blk_lanes_block *b, at a, size_t n_steps, const blk_op *op)
{
    const blk_lane_split *s = (const blk_lane_split *)(op + 1);
    const blk_four *half = (const blk_four *)(s + 1);
    const char *repeats = (const char *)(half + 2);
    const blk_repeat *r = repeat_at(repeats, K, 0);
    const char *r1 = (const char *)repeat_at(repeats, K, 1);
    const char *r2 = (const char *)repeat_at(repeats, K, 4);
    const float *c = slot_at(b, op->in);
    float *out = slot_at(b, op->out);
    V fixed = all(s->fixed);
    for (size_t i = 0; i < n_steps; i++) {
        W f[KM], C[KM], H1[KM], H2[KM], sum = w_all(fixed);
        W d = split_d(&a, s, r, top);
        split_factors(&a, K, s, r, top, d, f);
        EACH_POINT C[k] = w_mul(w_load(c + POINT(k)), f[k]);
        four(&a, K, left, left, 0, &half[0].split, half[0].bottom, 0, r1, C, H1);
        EACH_POINT C[k] = w_sub(w_load(c + POINT(k)), C[k]);
        four(&a, K, right, right, 0, &half[1].split, half[1].bottom, 0, r2, C, H2);
        EACH_POINT
        {
            W difference = w_sub(H1[k], H2[k]);
            sum = w_fma(weighted(K, w_load(c + POINT(k)), r, top, k), difference, sum);
            w_store(out + POINT(k), w_fma(f[k], difference, H2[k]));
        }
        w_add_to(phi_at(&a, s->phi), d, sum);
        NEXT_STEP(c);
        NEXT_STEP(out);
        NEXT_ROWS(&a);
    }
}

/* --- Programs ----------------------------------------------------------------------- */

/* A function for each operation, its repeats and its number of points: each small enough for a
 * compiler to do well and soon. */
typedef void (*op_run)(const blk_lanes_block *b, const at *a, size_t n_steps,
                       const blk_op *op);

#define OP(n, name, call)                                                                \
    static __attribute__((noinline)) void PASTE(name##_, n)(                             \
        const blk_lanes_block *b, const at *shared, size_t n_steps, const blk_op *op)    \
    {                                                                                    \
        const int K = POINTS(n);                                                         \
        const at a = *shared;                                                            \
        call;                                                                            \
    }
#if POINTS_CONSTANT
#define POINTS(n) (n)
#else
#define POINTS(n) ((int)shared->n_points)
#endif

#define OPS(n)                                                                           \
    OP(n, leaf, op_leaf(K, b, n_steps, op); (void)a)                                     \
    OP(n, down, op_down(K, 0, 0, b, a, n_steps, op))                                     \
    OP(n, down_r, op_down(K, 1, 0, b, a, n_steps, op))                                   \
    OP(n, up, op_up(K, 0, 0, b, a, n_steps, op))                                         \
    OP(n, up_r, op_up(K, 1, 0, b, a, n_steps, op))                                       \
    OP(n, down1, op_down(K, 0, 1, b, a, n_steps, op))                                    \
    OP(n, down1_r, op_down(K, 1, 1, b, a, n_steps, op))                                  \
    OP(n, up1, op_up(K, 0, 1, b, a, n_steps, op))                                        \
    OP(n, up1_r, op_up(K, 1, 1, b, a, n_steps, op))                                      \
    OP(n, pair, op_pair(K, 0, b, a, n_steps, op))                                        \
    OP(n, pair_r, op_pair(K, 1, b, a, n_steps, op))                                      \
    OP(n, lean, op_four(K, 0, 0, 1, b, a, n_steps, op))                                  \
    OP(n, lean_r, op_four(K, 1, 1, 1, b, a, n_steps, op))                                \
    OP(n, four, op_four(K, 0, 0, 0, b, a, n_steps, op))                                  \
    OP(n, four_t, op_four(K, 1, 0, 0, b, a, n_steps, op))                                \
    OP(n, four_r, op_four(K, 1, 1, 0, b, a, n_steps, op))                                \
    OP(n, eight, op_eight(K, 0, 0, 0, b, a, n_steps, op))                                \
    OP(n, eight_t, op_eight(K, 1, 0, 0, b, a, n_steps, op))                              \
    OP(n, eight_1, op_eight(K, 1, 1, 0, b, a, n_steps, op))                              \
    OP(n, eight_2, op_eight(K, 1, 0, 1, b, a, n_steps, op))                              \
    OP(n, eight_r, op_eight(K, 1, 1, 1, b, a, n_steps, op))

/* By code, then by repeats. Where a part below repeats, the top is taken to as well: one function
 * less for a multiplication more. */
#define TABLE(n)                                                                         \
    {                                                                                    \
        [BLK_LEAF] = {leaf_##n}, [BLK_DOWN] = {down_##n, down_r_##n},                    \
        [BLK_UP] = {up_##n, up_r_##n}, [BLK_DOWN_ONE] = {down1_##n, down1_r_##n},        \
        [BLK_UP_ONE] = {up1_##n, up1_r_##n}, [BLK_PAIR] = {pair_##n, pair_r_##n},        \
        [BLK_LEANING] = {lean_##n, lean_r_##n},                                          \
        [BLK_FOUR] = {four_##n, four_t_##n, four_r_##n, four_r_##n}, [BLK_EIGHT] = {     \
            eight_##n,                                                                   \
            eight_t_##n,                                                                 \
            eight_1_##n,                                                                 \
            eight_1_##n,                                                                 \
            eight_2_##n,                                                                 \
            eight_2_##n,                                                                 \
            eight_r_##n,                                                                 \
            eight_r_##n                                                                  \
        }                                                                                \
    }

#if POINTS_CONSTANT
OPS(1)
OPS(2)
OPS(3)
OPS(4)
OPS(5)
OPS(6)
OPS(7)
OPS(8)
static const op_run tables[BLK_MAX_POINTS][BLK_EIGHT + 1][8] = {
    TABLE(1), TABLE(2), TABLE(3), TABLE(4), TABLE(5), TABLE(6), TABLE(7), TABLE(8)};
#define TABLE_OF(points) tables[(points)-1]
#else
OPS(any)
static const op_run tables[1][BLK_EIGHT + 1][8] = {TABLE(any)};
#define TABLE_OF(points) tables[0]
#endif

static void shap(blk_lanes_block *b, const blk_program *program)
{
    const int K = (int)program->n_points;
    const size_t n_steps = (b->n_rows + STEP - 1) / STEP;
    const op_run(*table)[8] = TABLE_OF(K);
    at a = {
        .x = b->x,
        .phi = b->phi,
        .activity = b->activity,
        .x_stride = b->stride * sizeof(float),
        .act_stride = b->stride * sizeof(float),
        .plane = b->plane,
        .n_points = program->n_points,
    };
    for (int k = 0; k < K; k++)
        a.t[k] = v_set(program->t[k]);
    if (b->root != program->w) {
        b->root = program->w;
        float *c = b->slots;
        for (size_t i = 0; i < n_steps; i++, NEXT_STEP(c))
            for (int k = 0; k < K; k++)
                w_store(c + POINT(k), w_all(v_set(program->w[k])));
    }
    for (const blk_op *op = (const blk_op *)program->code; op->code != BLK_END;) {
        const blk_op *next = (const blk_op *)((const char *)op + op->bytes);
        /* The constants of a large model come from afar. */
        for (size_t i = 0; i < 4; i++)
            __builtin_prefetch((const char *)next + 64 * i);
        table[op->code][op->repeats](b, &a, n_steps, op);
        op = next;
    }
}

#include "kernels/lanes_rows_body.h"
#if ROW_BY_POINTS
#include "kernels/points_body.h"
#define ROW_FUNCTION row
#else
#define ROW_FUNCTION NULL
#endif

const blk_lanes PASTE(blk_lanes_, SUFFIX);
const blk_lanes PASTE(blk_lanes_, SUFFIX) = {
    .name = LANES_NAME,
    .cpu = LANES_CPU,
    .step = STEP,
    .start = start,
    .shap = shap,
    .row = ROW_FUNCTION,
    .pick = pick_leaves,
    .add_leaves = add_leaves,
    .add_margins = add_margins,
    .flush = flush,
};
