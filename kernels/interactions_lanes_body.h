/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interactions with rows in lanes: the body of each variant, whose file names its
 * instruction set.
 */
#include "kernels/interactions.h"
#include "kernels/interactions_vector.h"

#define ROWS BLK_INTER_ROWS
/* Two vectors side by side, so that a constant is loaded once for both. */
#define PAIRED (2 * VL)

#define INLINE static inline __attribute__((always_inline))
/* Points are few and known; compilers of themselves unroll the outer loop or none. Where
 * compiling must be quick, one function serves all numbers of points: the same arithmetic in
 * the same order. */
#ifndef BLK_POINTS_CONSTANT
#define BLK_POINTS_CONSTANT 1
#endif
#if !BLK_POINTS_CONSTANT
#define UNROLL
#elif defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

/* Column of 0 and 1: goes left is 0, so that a threshold of 0.5 says it. */
static const float *special(const blk_inter_block *b, const blk_inter_program *p,
                            const blk_inter_split *split, float *column)
{
    const blk_tree tree = {.sets = p->sets};
    const blk_split like = {.threshold = split->threshold,
                            .set_first = split->set_first,
                            .set_words = split->set_words,
                            .missing_left = split->missing_left != 0};
    const float *x = b->raw + (size_t)split->x * ROWS;
    for (size_t r = 0; r < ROWS; r++)
        column[r] = blk_goes_left(&tree, &like, x[r]) ? 0 : 1;
    return column;
}

INLINE const float *column_of(const blk_inter_block *b, const blk_inter_program *p,
                              const blk_inter_split *split, float *column)
{
    if (split->special)
        return special(b, p, split, column);
    return (split->missing_left ? b->low : b->high) + (size_t)split->x * ROWS;
}

/* tau_k and the weight of C; without earlier splits t_k and 1. */
INLINE const float *tau_of(const blk_inter_program *p, const blk_inter_split *split,
                           int K)
{
    return split->earlier ? p->constants + split->first_constant + 2 * K : p->t;
}

/* State of the split's feature on one side, at the level of the split. */
INLINE void reach(const blk_inter_block *b, const blk_inter_program *p,
                  const blk_inter_split *split, int right, int K)
{
    const float *satisfied = p->constants + split->first_constant + (right ? K : 0);
    float *r = b->r + (size_t)split->level * BLK_INTER_POINTS * ROWS;
    const char *active =
        b->active + ((size_t)split->level * 2 + (size_t)right) * ROWS * 4;
    for (size_t i = 0; i < ROWS; i += VL) {
        M m = m_load(active + i * 4);
        UNROLL
        for (int k = 0; k < K; k++)
            v_store(r + k * ROWS + i,
                    v_pick(m, v_set(satisfied[k]), v_set(p->missed[k])));
    }
}

INLINE void enter(const blk_inter_block *b, const blk_inter_program *p,
                  const blk_inter_split *split, int K)
{
    float own[ROWS] __attribute__((aligned(64)));
    const float *x = column_of(b, p, split, own), *tau = tau_of(p, split, K);
    float threshold = split->special ? 0.5F : split->threshold;
    float *d = b->d + (size_t)split->level * ROWS;
    char *active = b->active + (size_t)split->level * 2 * ROWS * 4;
    const float *c = b->cells + (size_t)split->cell * BLK_INTER_POINTS * ROWS;
    float *left = b->cells + (2 * (size_t)split->level + 1) * BLK_INTER_POINTS * ROWS;
    float *right = left + BLK_INTER_POINTS * ROWS;
    V z = v_set(split->share), dl = v_set(split->d[0]), dr = v_set(split->d[1]);
    for (size_t i = 0; i < ROWS; i += VL) {
        M goes = m_lt(v_load(x + i), v_set(threshold)), stays = m_not(goes);
        V delta = v_pick(goes, dl, dr);
        if (split->earlier) {
            M before =
                m_load(b->active + ((size_t)split->earlier - 1) * ROWS * 4 + i * 4);
            goes = m_and(goes, before);
            stays = m_and(stays, before);
            delta = v_keep(before, delta);
        }
        m_store(active + i * 4, goes);
        m_store(active + ROWS * 4 + i * 4, stays);
        v_store(d + i, delta);
        UNROLL
        for (int k = 0; k < K; k++) {
            V above = v_load(c + k * ROWS + i);
            V l = v_mul(above, v_fma(v_set(tau[k]), delta, z));
            v_store(left + k * ROWS + i, l);
            v_store(right + k * ROWS + i, v_sub(above, l));
        }
    }
}

INLINE void weigh(V e[][2], const float *weight, int K)
{
    UNROLL
    for (int k = 0; k < K; k++) {
        e[k][0] = v_mul(e[k][0], v_set(weight[k]));
        e[k][1] = v_mul(e[k][1], v_set(weight[k]));
    }
}

/* E_k of two vectors of rows -> phi and the pairs. */
INLINE void add(const blk_inter_block *b, const blk_inter_program *p,
                const blk_inter_split *split, size_t i, V e[][2], int K)
{
    float *phi = b->phi + (size_t)split->x * ROWS + i;
    UNROLL
    for (int v = 0; v < 2; v++) {
        V sum = v_load(phi + v * VL);
        UNROLL
        for (int k = 0; k < K; k++)
            sum = v_add(sum, e[k][v]);
        v_store(phi + v * VL, sum);
    }
    const blk_inter_pair *pair = p->pairs + split->first_pair;
    for (uint32_t n = split->n_pairs; n > 0; n--, pair++) {
        float *to = b->pairs + (size_t)pair->pair * ROWS + i;
        const float *r = b->r + (size_t)pair->level * BLK_INTER_POINTS * ROWS + i;
        V one = v_load(to), two = v_load(to + VL);
        UNROLL
        for (int k = 0; k < K; k++) {
            one = v_fma(e[k][0], v_load(r + k * ROWS), one);
            two = v_fma(e[k][1], v_load(r + k * ROWS + VL), two);
        }
        v_store(to, one);
        v_store(to + VL, two);
    }
}

typedef enum { NO_LEAF, LEAF_LEFT, LEAF_RIGHT } leaf_side;

INLINE void leave(const blk_inter_block *b, const blk_inter_program *p,
                  const blk_inter_split *split, leaf_side leaf, int K)
{
    const float *tau = tau_of(p, split, K);
    const float *d = b->d + (size_t)split->level * ROWS;
    float *c = b->cells + (size_t)split->cell * BLK_INTER_POINTS * ROWS;
    const float *left =
        b->cells + (2 * (size_t)split->level + 1) * BLK_INTER_POINTS * ROWS;
    const float *right = left + BLK_INTER_POINTS * ROWS;
    V z = v_set(split->share);
    for (size_t i = 0; i < ROWS; i += PAIRED) {
        V e[BLK_INTER_POINTS][2];
        UNROLL
        for (int k = 0; k < K; k++)
            UNROLL
        for (size_t v = 0; v < 2; v++) {
            size_t at = (size_t)k * ROWS + i + v * VL;
            V l = leaf == LEAF_LEFT ? v_set(split->leaf[0]) : v_load(left + at);
            V r = leaf == LEAF_RIGHT ? v_set(split->leaf[1]) : v_load(right + at);
            V difference = v_sub(l, r), delta = v_load(d + i + v * VL);
            e[k][v] = v_mul(v_mul(v_load(c + at), delta), difference);
            v_store(c + at, v_fma(v_fma(v_set(tau[k]), delta, z), difference, r));
        }
        if (split->earlier)
            weigh(e, tau + K, K);
        add(b, p, split, i, e, K);
    }
}

INLINE void bottom(const blk_inter_block *b, const blk_inter_program *p,
                   const blk_inter_split *split, int K)
{
    float own[ROWS] __attribute__((aligned(64)));
    const float *x = column_of(b, p, split, own), *tau = tau_of(p, split, K);
    float threshold = split->special ? 0.5F : split->threshold;
    float *c = b->cells + (size_t)split->cell * BLK_INTER_POINTS * ROWS;
    V z = v_set(split->share), dl = v_set(split->d[0]), dr = v_set(split->d[1]);
    V right = v_set(split->leaf[1]);
    V difference = v_sub(v_set(split->leaf[0]), right);
    V mean = v_fma(z, difference, right);
    for (size_t i = 0; i < ROWS; i += PAIRED) {
        V e[BLK_INTER_POINTS][2];
        UNROLL
        for (size_t v = 0; v < 2; v++) {
            M goes = m_lt(v_load(x + i + v * VL), v_set(threshold));
            V delta = v_pick(goes, dl, dr);
            if (split->earlier)
                delta =
                    v_keep(m_load(b->active + ((size_t)split->earlier - 1) * ROWS * 4 +
                                  (i + v * VL) * 4),
                           delta);
            delta = v_mul(delta, difference);
            UNROLL
            for (int k = 0; k < K; k++) {
                size_t at = (size_t)k * ROWS + i + v * VL;
                e[k][v] = v_mul(v_load(c + at), delta);
                v_store(c + at, v_fma(v_set(tau[k]), delta, mean));
            }
        }
        if (split->earlier)
            weigh(e, tau + K, K);
        add(b, p, split, i, e, K);
    }
}

INLINE void run_points(const blk_inter_block *b, const blk_inter_program *p, int K)
{
    UNROLL
    for (int k = 0; k < K; k++)
        for (size_t i = 0; i < ROWS; i += VL)
            v_store(b->cells + k * ROWS + i, v_set(p->w[k]));
    for (const blk_inter_step *step = p->steps;; step++) {
        const blk_inter_split *split = p->splits + step->split;
        switch (step->code) {
        case BLK_INTER_ENTER_LEFT:
            enter(b, p, split, K);
            reach(b, p, split, 0, K);
            break;
        case BLK_INTER_ENTER_RIGHT:
            enter(b, p, split, K);
            reach(b, p, split, 1, K);
            break;
        case BLK_INTER_TURN:
            reach(b, p, split, 1, K);
            break;
        case BLK_INTER_LEAVE:
            leave(b, p, split, NO_LEAF, K);
            break;
        case BLK_INTER_LEAVE_LEAF_LEFT:
            leave(b, p, split, LEAF_LEFT, K);
            break;
        case BLK_INTER_LEAVE_LEAF_RIGHT:
            leave(b, p, split, LEAF_RIGHT, K);
            break;
        case BLK_INTER_BOTTOM:
            bottom(b, p, split, K);
            break;
        default:
            return;
        }
    }
}

#if BLK_POINTS_CONSTANT
#define POINTS(n)                                                                        \
    static void run_##n(const blk_inter_block *b, const blk_inter_program *p)            \
    {                                                                                    \
        run_points(b, p, n);                                                             \
    }
POINTS(1)
POINTS(2)
POINTS(3)
POINTS(4)
POINTS(5)
POINTS(6)
POINTS(7)
POINTS(8)

static void run(const blk_inter_block *block, const blk_inter_program *program)
{
    static void (*const by_points[])(const blk_inter_block *,
                                     const blk_inter_program *) = {
        run_1, run_2, run_3, run_4, run_5, run_6, run_7, run_8};
    by_points[program->n_points - 1](block, program);
}
#else
static void run(const blk_inter_block *block, const blk_inter_program *program)
{
    run_points(block, program, (int)program->n_points);
}
#endif

extern const blk_interactions VARIANT;
const blk_interactions VARIANT = {.name = VARIANT_NAME, .run = run};
