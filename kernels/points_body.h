/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One row at a time: a program's points lie in the lanes, four to a vector. For requests of a few
 * rows, which would leave most lanes of a block empty. A part of shap_lanes_body.h.
 *
 * Every number goes through the operations that rows in lanes put it through, in the same order
 * and with the same roundings, so that a row's values are the same bits either way. Lanes past
 * the last point hold finite numbers that nothing reads.
 *
 * The including file has defined p_fma(a, b, c) = a b + c of vectors P, s_fma of single numbers,
 * and p_pick(m, a, b) = m ? a : b.
 */

/* The points' own vector; a Q holds all points of a program. */
#define QUADS ((BLK_MAX_POINTS + 3) / 4)
typedef struct Q {
    P v[QUADS];
} Q;

#if POINTS_CONSTANT
#define EACH_QUAD UNROLL for (int q = 0; q < (K + 3) / 4; q++)
#else
#define EACH_QUAD for (int q = 0; q < (K + 3) / 4; q++)
#endif

INLINE P p_set(float a)
{
    return (P){a, a, a, a};
}
INLINE P p_load(const float *from)
{
    P a;
    memcpy(&a, from, sizeof a);
    return a;
}
INLINE PM m_set(uint32_t m)
{
    int32_t a = (int32_t)m;
    return (PM){a, a, a, a};
}
INLINE float point_of(const Q *a, int k)
{
    return a->v[k / 4][k % 4];
}

/* What all operations on a row share. */
typedef struct row_at {
    const float *x;
    float *phi, *d;
    P *slots; /* [n_slots][QUADS] */
    uint32_t *active;
    uint32_t plane, n_points;
    Q t;
} row_at;

INLINE P *row_slot(const row_at *a, uint32_t slot)
{
    return a->slots + (size_t)slot * QUADS;
}

/* Which lanes hold points. */
INLINE P row_only(const int K, int q, P a)
{
    PM in = {4 * q < K ? -1 : 0, 4 * q + 1 < K ? -1 : 0, 4 * q + 2 < K ? -1 : 0,
             4 * q + 3 < K ? -1 : 0};
    return (P)((PM)a & in);
}

/* d, in every lane. */
INLINE P row_d(const row_at *a, const blk_lane_split *s, const blk_repeat *r,
               const int repeats)
{
    PM is = p_set(a->x[s->x[a->plane]]) < p_set(s->threshold);
    P d = p_pick(is, p_set(s->d_left), p_set(s->d_right));
    if (!repeats)
        return d;
    PM was = m_set(a->active[r->active]);
    a->active[r->own] = (uint32_t)(was & is)[0];
    a->active[r->own + 1] = (uint32_t)(was & ~is)[0];
    return (P)((PM)d & was);
}

INLINE P row_e(const row_at *a, const blk_lane_bottom *b, const blk_repeat *r,
               const int repeats)
{
    PM is = p_set(a->x[b->x[a->plane]]) < p_set(b->threshold);
    P e = p_pick(is, p_set(b->e_left), p_set(b->e_right));
    return repeats ? (P)((PM)e & m_set(a->active[r->active])) : e;
}

INLINE P row_tau(const row_at *a, const int K, const blk_repeat *r, const int repeats,
                 int q)
{
    return repeats ? row_only(K, q, p_load(r->c + 4 * q)) : a->t.v[q];
}

INLINE Q row_factors(const row_at *a, const int K, const blk_lane_split *s,
                     const blk_repeat *r, const int repeats, P d)
{
    Q f;
    EACH_QUAD f.v[q] = p_fma(row_tau(a, K, r, repeats, q), d, p_set(s->share));
    return f;
}

INLINE Q row_weighted(const int K, Q c, const blk_repeat *r, const int repeats)
{
    EACH_QUAD
    {
        if (repeats)
            c.v[q] *= row_only(K, q, p_load(r->c + K + 4 * q));
    }
    return c;
}

/* Sums over points go through them one after the other, as a lane does. */
INLINE float row_dot(const int K, float sum, Q a, Q b)
{
    EACH_POINT sum = s_fma(point_of(&a, k), point_of(&b, k), sum);
    return sum;
}

INLINE float row_sum(const int K, float sum, Q c, const blk_repeat *r, const int repeats)
{
    EACH_POINT sum =
        repeats ? s_fma(r->c[K + k], point_of(&c, k), sum) : sum + point_of(&c, k);
    return sum;
}

INLINE void row_add(const row_at *a, uint32_t column, P d, float sum)
{
    a->phi[column] = s_fma(d[0], sum, a->phi[column]);
}

INLINE Q row_mul(const int K, Q a, Q b)
{
    EACH_QUAD a.v[q] *= b.v[q];
    return a;
}
INLINE Q row_sub(const int K, Q a, Q b)
{
    EACH_QUAD a.v[q] -= b.v[q];
    return a;
}
INLINE Q row_load(const int K, const P *from)
{
    Q a = {{{0}}};
    EACH_QUAD a.v[q] = from[q];
    return a;
}
INLINE void row_store(const int K, P *to, Q a)
{
    EACH_QUAD to[q] = a.v[q];
}

/* --- Operations: those of shap_lanes_body.h, one row --------------------------------- */

INLINE void row_four(const row_at *a, const int K, const int top, const int rest,
                     const int leaning, const blk_lane_split *s, const blk_lane_bottom *b,
                     float value, const char *repeats, Q C, Q *H)
{
    const blk_repeat *r0 = repeat_at(repeats, K, 0), *r1 = repeat_at(repeats, K, 1),
                     *r2 = repeat_at(repeats, K, 2);
    P d = row_d(a, s, r0, top);
    Q f = row_factors(a, K, s, r0, top, d);
    Q first = row_mul(K, C, f);
    float sum1 = row_sum(K, b[0].fixed, first, r1, rest), sum2 = 0;
    if (!leaning)
        sum2 = row_sum(K, b[1].fixed, row_sub(K, C, first), r2, rest);
    P e1 = row_e(a, b, r1, rest), e2 = e1, mean2 = p_set(value), both = e1;
    row_add(a, b[0].phi, e1, sum1);
    if (!leaning) {
        e2 = row_e(a, b + 1, r2, rest);
        row_add(a, b[1].phi, e2, sum2);
        mean2 = p_set(b[1].mean);
        both = e1 - e2;
    }
    P step = p_set(s->step);
    Q difference = {{{0}}};
    EACH_QUAD
    {
        P tau1 = row_tau(a, K, r1, rest, q), second = mean2;
        if (!leaning)
            second = p_fma(row_tau(a, K, r2, rest, q), e2, mean2);
        if (rest && !leaning)
            difference.v[q] = p_fma(tau1, e1, p_set(b[0].mean)) - second;
        else
            difference.v[q] = p_fma(tau1, both, step);
        H->v[q] = p_fma(f.v[q], difference.v[q], second);
    }
    float sum = row_dot(K, s->fixed, row_weighted(K, C, r0, top), difference);
    row_add(a, s->phi, d, sum);
}

INLINE void row_op_leaf(const int K, const row_at *a, const blk_op *op)
{
    P value = p_set(((const blk_leaf_constant *)(op + 1))->value);
    EACH_QUAD row_slot(a, op->out)[q] = value;
}

INLINE void row_op_down(const int K, const int repeats, const int one, const row_at *a,
                        const blk_op *op)
{
    const blk_lane_split *s = (const blk_lane_split *)(op + 1);
    const blk_repeat *r = (const blk_repeat *)(s + 1);
    P d = row_d(a, s, r, repeats);
    Q C = row_load(K, row_slot(a, op->in));
    Q first = row_mul(K, C, row_factors(a, K, s, r, repeats, d));
    a->d[op->level] = d[0];
    row_store(K, row_slot(a, op->first), first);
    if (!one)
        row_store(K, row_slot(a, op->second), row_sub(K, C, first));
}

INLINE void row_op_up(const int K, const int repeats, const int one, const row_at *a,
                      const blk_op *op)
{
    const blk_lane_split *s = (const blk_lane_split *)(op + 1);
    const blk_repeat *r = (const blk_repeat *)(s + 1);
    P d = p_set(a->d[op->level]), value = p_set(s->step);
    Q f = row_factors(a, K, s, r, repeats, d), C = row_load(K, row_slot(a, op->in));
    Q second = {{{0}}};
    if (one)
        EACH_QUAD second.v[q] = value;
    else
        second = row_load(K, row_slot(a, op->second));
    Q difference = row_sub(K, row_load(K, row_slot(a, op->first)), second);
    float sum = row_dot(K, s->fixed, row_weighted(K, C, r, repeats), difference);
    EACH_QUAD row_slot(a, op->out)[q] = p_fma(f.v[q], difference.v[q], second.v[q]);
    row_add(a, s->phi, d, sum);
}

INLINE void row_op_pair(const int K, const int repeats, const row_at *a, const blk_op *op)
{
    const blk_lane_bottom *b = (const blk_lane_bottom *)(op + 1);
    const blk_repeat *r = (const blk_repeat *)(b + 1);
    P e = row_e(a, b, r, repeats), mean = p_set(b->mean);
    Q C = row_load(K, row_slot(a, op->in));
    row_add(a, b->phi, e, row_sum(K, b->fixed, C, r, repeats));
    EACH_QUAD row_slot(a, op->out)[q] = p_fma(row_tau(a, K, r, repeats, q), e, mean);
}

INLINE void row_op_four(const int K, const int top, const int rest, const int leaning,
                        const row_at *a, const blk_op *op)
{
    const blk_lane_split *s = (const blk_lane_split *)(op + 1);
    const blk_lane_bottom *bottom = (const blk_lane_bottom *)(s + 1);
    const char *end = (const char *)(bottom + (leaning ? 1 : 2));
    float value = 0;
    if (leaning) {
        value = ((const blk_leaf_constant *)end)->value;
        end += sizeof(blk_leaf_constant);
    }
    Q H = {{{0}}};
    row_four(a, K, top, rest, leaning, s, bottom, value, end,
             row_load(K, row_slot(a, op->in)), &H);
    row_store(K, row_slot(a, op->out), H);
}

INLINE void row_op_eight(const int K, const int top, const int left, const int right,
                         const row_at *a, const blk_op *op)
{
    const blk_lane_split *s = (const blk_lane_split *)(op + 1);
    const blk_four *half = (const blk_four *)(s + 1);
    const char *repeats = (const char *)(half + 2);
    const blk_repeat *r = repeat_at(repeats, K, 0);
    const char *r1 = (const char *)repeat_at(repeats, K, 1);
    const char *r2 = (const char *)repeat_at(repeats, K, 4);
    P d = row_d(a, s, r, top);
    Q f = row_factors(a, K, s, r, top, d), C = row_load(K, row_slot(a, op->in));
    Q first = row_mul(K, C, f), H1 = {{{0}}}, H2 = {{{0}}};
    row_four(a, K, left, left, 0, &half[0].split, half[0].bottom, 0, r1, first, &H1);
    row_four(a, K, right, right, 0, &half[1].split, half[1].bottom, 0, r2,
             row_sub(K, C, first), &H2);
    Q difference = row_sub(K, H1, H2);
    float sum = row_dot(K, s->fixed, row_weighted(K, C, r, top), difference);
    EACH_QUAD row_slot(a, op->out)[q] = p_fma(f.v[q], difference.v[q], H2.v[q]);
    row_add(a, s->phi, d, sum);
}

/* --- A program ----------------------------------------------------------------------- */

/* The variants that TABLE names, as cases: the code, and what repeats. */
#define CASE(code, repeats) case (code)*8 + (repeats)
#define ROW_CASES                                                                        \
    CASE(BLK_LEAF, 0) : row_op_leaf(K, &a, op);                                          \
    break;                                                                               \
    CASE(BLK_DOWN, 0) : row_op_down(K, 0, 0, &a, op);                                    \
    break;                                                                               \
    CASE(BLK_DOWN, 1) : row_op_down(K, 1, 0, &a, op);                                    \
    break;                                                                               \
    CASE(BLK_UP, 0) : row_op_up(K, 0, 0, &a, op);                                        \
    break;                                                                               \
    CASE(BLK_UP, 1) : row_op_up(K, 1, 0, &a, op);                                        \
    break;                                                                               \
    CASE(BLK_DOWN_ONE, 0) : row_op_down(K, 0, 1, &a, op);                                \
    break;                                                                               \
    CASE(BLK_DOWN_ONE, 1) : row_op_down(K, 1, 1, &a, op);                                \
    break;                                                                               \
    CASE(BLK_UP_ONE, 0) : row_op_up(K, 0, 1, &a, op);                                    \
    break;                                                                               \
    CASE(BLK_UP_ONE, 1) : row_op_up(K, 1, 1, &a, op);                                    \
    break;                                                                               \
    CASE(BLK_PAIR, 0) : row_op_pair(K, 0, &a, op);                                       \
    break;                                                                               \
    CASE(BLK_PAIR, 1) : row_op_pair(K, 1, &a, op);                                       \
    break;                                                                               \
    CASE(BLK_LEANING, 0) : row_op_four(K, 0, 0, 1, &a, op);                              \
    break;                                                                               \
    CASE(BLK_LEANING, 1) : row_op_four(K, 1, 1, 1, &a, op);                              \
    break;                                                                               \
    CASE(BLK_FOUR, 0) : row_op_four(K, 0, 0, 0, &a, op);                                 \
    break;                                                                               \
    CASE(BLK_FOUR, 1) : row_op_four(K, 1, 0, 0, &a, op);                                 \
    break;                                                                               \
    CASE(BLK_FOUR, 2) : CASE(BLK_FOUR, 3) : row_op_four(K, 1, 1, 0, &a, op);             \
    break;                                                                               \
    CASE(BLK_EIGHT, 0) : row_op_eight(K, 0, 0, 0, &a, op);                               \
    break;                                                                               \
    CASE(BLK_EIGHT, 1) : row_op_eight(K, 1, 0, 0, &a, op);                               \
    break;                                                                               \
    CASE(BLK_EIGHT, 2) : CASE(BLK_EIGHT, 3) : row_op_eight(K, 1, 1, 0, &a, op);          \
    break;                                                                               \
    CASE(BLK_EIGHT, 4) : CASE(BLK_EIGHT, 5) : row_op_eight(K, 1, 0, 1, &a, op);          \
    break;                                                                               \
    CASE(BLK_EIGHT, 6) : CASE(BLK_EIGHT, 7) : row_op_eight(K, 1, 1, 1, &a, op);          \
    break;

INLINE void row_program(const int K, blk_lanes_block *b, const blk_program *program)
{
    row_at a = {
        .x = b->x,
        .phi = b->phi,
        .d = b->d,
        .slots = (P *)(void *)b->slots,
        .active = (uint32_t *)(void *)b->activity,
        .plane = b->plane,
        .n_points = program->n_points,
    };
    float t[4 * QUADS] = {0}, w[4 * QUADS] = {0};
    EACH_POINT t[k] = program->t[k], w[k] = program->w[k];
    EACH_QUAD
    {
        a.t.v[q] = p_load(t + 4 * q);
        row_slot(&a, 0)[q] = p_load(w + 4 * q);
    }
    for (const blk_op *op = (const blk_op *)program->code;;
         op = (const blk_op *)((const char *)op + op->bytes)) {
        /* An operation takes a few hundred bytes, and less time than they take to come. */
        for (size_t i = 0; i < 4; i++)
            __builtin_prefetch((const char *)op + 1024 + 64 * i);
        switch (op->code * 8 + op->repeats) {
            ROW_CASES
        default:
            return;
        }
    }
}

#if POINTS_CONSTANT
#define ROW(n)                                                                           \
    static void row_##n(blk_lanes_block *b, const blk_program *program)                  \
    {                                                                                    \
        row_program(n, b, program);                                                      \
    }
ROW(1)
ROW(2)
ROW(3)
ROW(4)
ROW(5)
ROW(6)
ROW(7)
ROW(8)

static void row(blk_lanes_block *b, const blk_program *program)
{
    static void (*const by_points[])(blk_lanes_block *, const blk_program *) = {
        row_1, row_2, row_3, row_4, row_5, row_6, row_7, row_8};
    by_points[program->n_points - 1](b, program);
}
#else
static void row(blk_lanes_block *b, const blk_program *program)
{
    row_program((int)program->n_points, b, program);
}
#endif
