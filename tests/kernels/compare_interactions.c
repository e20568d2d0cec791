/* SPDX-License-Identifier: Apache-2.0 */
/* Interactions: programs of random trees whose constants are of no tree. */
#include "compare.h"

#include "kernels/interactions.h"
#include "kernels/lanes.h"

#include <math.h>
#include <string.h>

enum { N_USED = 5, N_PAIRS = 7, LEVELS = 5, ROWS = BLK_INTER_ROWS };

typedef struct maker {
    bl_rng rng;
    blk_inter_step steps[4 << LEVELS];
    blk_inter_split splits[2 << LEVELS];
    blk_inter_pair pairs[LEVELS << (LEVELS + 1)];
    float constants[(8 * BLK_INTER_POINTS) << LEVELS];
    uint32_t sets[4];
    uint32_t n_steps, n_splits, n_pairs, n_constants;
    blk_inter_program program;
    bool small; /* numbers up to 1 */
} maker;

static float number(maker *m)
{
    return m->small ? kc_small_float(&m->rng) : kc_odd_float(&m->rng);
}

static void put(maker *m, uint32_t code, uint32_t split)
{
    m->steps[m->n_steps++] = (blk_inter_step){code, split};
}

static void put_constants(maker *m, blk_inter_split *split)
{
    uint32_t K = m->program.n_points, n = (split->earlier ? 4 : 2) * K;
    split->first_constant = m->n_constants;
    for (uint32_t k = 0; k < n; k++)
        m->constants[m->n_constants++] = (float)kc_share(&m->rng);
}

static uint32_t put_split(maker *m, uint32_t level, uint32_t cell)
{
    bl_rng *rng = &m->rng;
    uint32_t index = m->n_splits++;
    blk_inter_split *s = m->splits + index;
    double z = kc_share(rng);
    *s = (blk_inter_split){
        .x = (uint32_t)bli_rng_below(rng, N_USED),
        .threshold = (float)bli_rng_below(rng, 5) - 2,
        .share = (float)z,
        .d = {(float)(1 - z), (float)-z},
        .leaf = {number(m), number(m)},
        .level = level,
        .cell = cell,
        .earlier = level && bli_rng_below(rng, 2)
                       ? 1 + (uint32_t)bli_rng_below(rng, 2 * (uint64_t)level)
                       : 0,
        .first_pair = m->n_pairs,
        .missing_left = (uint32_t)bli_rng_below(rng, 2),
        .special = bli_rng_below(rng, 6) == 0,
    };
    if (s->special && bli_rng_below(rng, 2))
        s->set_words = 1 + (uint32_t)bli_rng_below(rng, 4);
    for (uint32_t l = 0; l < level; l++)
        if (bli_rng_below(rng, 3))
            m->pairs[m->n_pairs++] =
                (blk_inter_pair){l, (uint32_t)bli_rng_below(rng, N_PAIRS)};
    s->n_pairs = m->n_pairs - s->first_pair;
    put_constants(m, s);
    return index;
}

static void grow(maker *m, uint32_t level, uint32_t cell)
{
    uint32_t kind = level + 1 == LEVELS ? 0 : (uint32_t)bli_rng_below(&m->rng, 5);
    uint32_t left = 2 * level + 1, split = put_split(m, level, cell);
    if (kind == 0) {
        put(m, BLK_INTER_BOTTOM, split);
    } else if (kind == 1) {
        put(m, BLK_INTER_ENTER_RIGHT, split);
        grow(m, level + 1, left + 1);
        put(m, BLK_INTER_LEAVE_LEAF_LEFT, split);
    } else if (kind == 2) {
        put(m, BLK_INTER_ENTER_LEFT, split);
        grow(m, level + 1, left);
        put(m, BLK_INTER_LEAVE_LEAF_RIGHT, split);
    } else {
        put(m, BLK_INTER_ENTER_LEFT, split);
        grow(m, level + 1, left);
        put(m, BLK_INTER_TURN, split);
        grow(m, level + 1, left + 1);
        put(m, BLK_INTER_LEAVE, split);
    }
}

static void make_program(maker *m, uint32_t n_points)
{
    m->n_steps = m->n_splits = m->n_pairs = m->n_constants = 0;
    m->program = (blk_inter_program){.n_points = n_points};
    for (int i = 0; i < 4; i++)
        m->sets[i] = (uint32_t)bli_rng_next(&m->rng);
    for (uint32_t k = 0; k < n_points; k++) {
        m->program.t[k] = (float)(k + 1) / (float)(n_points + 1);
        m->program.w[k] = 1 / (float)n_points;
        m->program.missed[k] = -1 / (1 - m->program.t[k]);
    }
    grow(m, 0, 0);
    put(m, BLK_INTER_END, 0);
    m->program.steps = m->steps;
    m->program.splits = m->splits;
    m->program.pairs = m->pairs;
    m->program.constants = m->constants;
    m->program.sets = m->sets;
}

enum { LOW, HIGH, RAW, PHI, PAIRS, CELLS, STATES, D, ACTIVE, N_BUFFERS };

typedef struct buffers {
    kc_guard g[N_BUFFERS];
    blk_inter_block block;
} buffers;

static void buffers_new(buffers *b)
{
    const size_t points = BLK_INTER_POINTS;
    const size_t columns[N_BUFFERS] = {
        N_USED,          N_USED, N_USED,    N_USED, N_PAIRS, (2 * LEVELS + 1) * points,
        LEVELS * points, LEVELS, 2 * LEVELS};
    for (int i = 0; i < N_BUFFERS; i++) {
        size_t bytes = columns[i] * ROWS * sizeof(float);
        b->g[i] = kc_guarded(bytes, 64);
        if (i == PHI || i == PAIRS)
            memset(b->g[i].at, 0, bytes);
    }
    b->block = (blk_inter_block){.low = b->g[LOW].at,
                                 .high = b->g[HIGH].at,
                                 .raw = b->g[RAW].at,
                                 .phi = b->g[PHI].at,
                                 .pairs = b->g[PAIRS].at,
                                 .cells = b->g[CELLS].at,
                                 .r = b->g[STATES].at,
                                 .d = b->g[D].at,
                                 .active = b->g[ACTIVE].at};
}

static void buffers_free(buffers *b)
{
    for (int i = 0; i < N_BUFFERS; i++)
        kc_guard_free(b->g + i);
}

static void fill(buffers *b, uint64_t seed)
{
    bl_rng rng = bli_rng(seed);
    float *low = b->g[LOW].at, *high = b->g[HIGH].at, *raw = b->g[RAW].at;
    for (size_t i = 0; i < N_USED * ROWS; i++) {
        raw[i] = kc_cell(&rng, 5);
        low[i] = isnan(raw[i]) ? -INFINITY : raw[i];
        high[i] = isnan(raw[i]) ? INFINITY : raw[i];
    }
}

static void compare(const blk_interactions *kernel, const blk_inter_program *program,
                    uint64_t seed)
{
    const blk_interactions *reference = blk_interactions_reference();
    buffers want, got;
    buffers_new(&want);
    buffers_new(&got);
    fill(&want, seed);
    fill(&got, seed);
    reference->run(&want.block, program);
    kernel->run(&got.block, program);
    for (int i = PHI; i <= PAIRS; i++) {
        const float *a = want.g[i].at, *b = got.g[i].at;
        size_t n = (i == PHI ? N_USED : N_PAIRS) * ROWS;
        float scale = 0;
        for (size_t c = 0; c < n; c++)
            scale = fmaxf(scale, fabsf(a[c]));
        KC(isfinite(scale), "the reference's sums are not finite");
        bool bits = strcmp(kernel->name, "portable") != 0;
        for (size_t c = 0; c < n; c++)
            KC(bits ? memcmp(a + c, b + c, 4) == 0 : fabsf(a[c] - b[c]) <= 2e-5F * scale,
               "%s: %u points, %s %zu, row %zu: %.9g, reference %.9g", kernel->name,
               program->n_points, i == PHI ? "feature" : "pair", c / ROWS, c % ROWS,
               (double)b[c], (double)a[c]);
    }
    buffers_free(&want);
    buffers_free(&got);
}

static void bench(const blk_interactions *kernel, maker *m)
{
    for (uint32_t n = 1; n <= BLK_INTER_POINTS; n++) {
        char name[40];
        buffers b;
        m->rng = bli_rng(7);
        make_program(m, n);
        buffers_new(&b);
        fill(&b, 1);
        size_t times = 0;
        double start = kc_seconds();
        for (; kc_seconds() - start < 0.1; times++)
            kernel->run(&b.block, &m->program);
        snprintf(name, sizeof name, "interactions, %u points", n);
        kc_timed(name, kernel->name, kc_seconds() - start,
                 (double)times * ROWS * (double)m->n_splits, "row and split");
        buffers_free(&b);
    }
}

void kc_interactions(const kc_options *options)
{
    static maker m;
    const blk_interactions *list[BLK_INTER_VARIANTS + 1];
    blk_interactions_variants(list);
    for (size_t v = 0; list[v]; v++) {
        if (options->bench) {
            bench(list[v], &m);
            continue;
        }
        kc_claim("%s: interactions equal the reference's", list[v]->name);
        m.rng = bli_rng(options->seed);
        m.small = strcmp(list[v]->name, "portable") == 0;
        for (uint64_t i = 0; i < 60; i++)
            for (uint32_t n = 1; n <= BLK_INTER_POINTS; n++) {
                make_program(&m, n);
                compare(list[v], &m.program, options->seed + i);
            }
    }
}
