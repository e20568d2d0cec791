/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHAP values: rows in lanes and one row by itself. Programs are random sequences of operations,
 * well formed but of no tree. Over 500 lines: what makes the programs serves every comparison.
 */
#include "compare.h"

#include "kernels/lanes.h"

#include <math.h>
#include <string.h>

enum {
    N_USED = 5,
    N_SPECIAL = 2,
    N_COLUMNS = 2 * N_USED + N_SPECIAL,
    LEVELS = 3,
    N_SLOTS = 2 + 2 * LEVELS,
    ROW = 7, /* cells of a row */
    MOST_ROWS = 200
};
static const uint32_t used[N_USED] = {0, 2, 3, 5, 6};

/* --- Random programs ----------------------------------------------------------------- */

typedef struct maker {
    bl_rng rng;
    char code[65536];
    size_t n;
    uint32_t n_points;
    float t[BLK_MAX_POINTS], w[BLK_MAX_POINTS];
    bool small; /* numbers up to 1 */
} maker;

static float number(maker *m)
{
    return m->small ? kc_small_float(&m->rng) : kc_odd_float(&m->rng);
}

static void *put(maker *m, size_t bytes)
{
    if (m->n + bytes > sizeof m->code)
        abort();
    void *at = m->code + m->n;
    memset(at, 0, bytes);
    m->n += bytes;
    return at;
}

static void put_columns(maker *m, uint32_t x[2], uint32_t *phi, float *threshold)
{
    uint32_t column = (uint32_t)bli_rng_below(&m->rng, N_USED + N_SPECIAL);
    *phi = (uint32_t)bli_rng_below(&m->rng, N_USED);
    *threshold = (float)bli_rng_below(&m->rng, 5) - 2;
    if (column < N_USED) {
        x[0] = column;
        x[1] = column + (bli_rng_below(&m->rng, 2) ? N_USED : 0);
    } else {
        x[0] = x[1] = column + N_USED;
        *threshold = 0.5F;
    }
}

static void put_split(maker *m)
{
    blk_lane_split *s = put(m, sizeof *s);
    put_columns(m, s->x, &s->phi, &s->threshold);
    double z = kc_share(&m->rng);
    s->share = (float)z;
    s->d_left = (float)(1 - z);
    s->d_right = (float)-z;
    s->fixed = number(m);
    s->step = number(m);
}

static void put_bottom(maker *m)
{
    blk_lane_bottom *b = put(m, sizeof *b);
    put_columns(m, b->x, &b->phi, &b->threshold);
    b->e_left = number(m);
    b->e_right = number(m);
    b->mean = number(m);
    b->fixed = number(m);
}

static void put_repeat(maker *m, uint32_t level)
{
    uint32_t n = m->n_points;
    blk_repeat *r = put(m, 8 + 8 * (size_t)n);
    r->active =
        bli_rng_below(&m->rng, 2) ? 0 : (uint32_t)bli_rng_below(&m->rng, 1 + 2 * level);
    r->own = 1 + 2 * level;
    double before = kc_share(&m->rng);
    for (uint32_t k = 0; k < n; k++) {
        double t = (double)m->t[k], g = before + t * (1 - before);
        r->c[k] = (float)(t / g);
        r->c[n + k] = (float)(before / (g * g));
    }
}

/* What a code may say of repeats. */
static uint32_t repeats_of(maker *m, blk_code code)
{
    return (uint32_t)bli_rng_below(&m->rng, code == BLK_EIGHT  ? 8
                                            : code == BLK_FOUR ? 4
                                            : code == BLK_LEAF ? 1
                                                               : 2);
}

/* One operation over slots that hold something, at a level below those. */
static void put_op(maker *m, blk_code code, blk_op op)
{
    op.code = code;
    op.repeats = repeats_of(m, code);
    op.first = 2;
    op.second = 3;
    op.level = LEVELS - 1;
    size_t at = m->n;
    put(m, sizeof op);
    uint32_t splits = 1;
    if (code == BLK_PAIR)
        put_bottom(m);
    else if (code == BLK_LEAF)
        ((blk_leaf_constant *)put(m, sizeof(blk_leaf_constant)))->value = number(m);
    else
        put_split(m);
    uint32_t fours = code == BLK_FOUR ? 1 : code == BLK_EIGHT ? 2 : 0;
    for (uint32_t i = 0; i < fours; i++) {
        if (code == BLK_EIGHT)
            put_split(m);
        put_bottom(m);
        put_bottom(m);
        splits += code == BLK_EIGHT ? 3 : 2;
    }
    if (code == BLK_LEANING) {
        put_bottom(m);
        ((blk_leaf_constant *)put(m, sizeof(blk_leaf_constant)))->value = number(m);
        splits = 2;
    }
    for (uint32_t i = 0; op.repeats && i < splits; i++)
        put_repeat(m, op.level + (i > 0));
    op.bytes = (uint32_t)(m->n - at);
    memcpy(m->code + at, &op, sizeof op);
}

static void make_program(maker *m, uint32_t n_points, size_t n_ops)
{
    static const blk_code codes[] = {BLK_LEAF,     BLK_DOWN,   BLK_UP,
                                     BLK_DOWN_ONE, BLK_UP_ONE, BLK_PAIR,
                                     BLK_LEANING,  BLK_FOUR,   BLK_EIGHT};
    m->n = 0;
    m->n_points = n_points;
    for (uint32_t k = 0; k < n_points; k++) {
        m->t[k] = (float)(k + 1) / (float)(n_points + 1);
        m->w[k] = 1 / (float)n_points;
    }
    put_op(m, BLK_LEAF, (blk_op){.out = 1}); /* every slot holds something, */
    put_op(m, BLK_LEAF, (blk_op){.out = 2});
    put_op(m, BLK_DOWN, (blk_op){.in = 0}); /* and d and activity */
    for (size_t i = 0; i < n_ops; i++)
        put_op(m, codes[bli_rng_below(&m->rng, sizeof codes / sizeof *codes)],
               (blk_op){.in = (uint32_t)bli_rng_below(&m->rng, 2) * 2,
                        .out = 1 + (uint32_t)bli_rng_below(&m->rng, 2)});
    ((blk_op *)put(m, sizeof(blk_op)))->code = BLK_END;
    put(m, sizeof(blk_repeat)); /* constants of points that are not there may be read */
}

/* --- Blocks -------------------------------------------------------------------------- */

typedef struct buffers {
    blk_lanes_block block;
    kc_guard x, phi, slots, d, activity;
} buffers;

/* Of n_rows rows; alone: one row by itself. */
static void buffers_new(buffers *b, size_t n_rows, bool alone)
{
    size_t stride = alone ? 1 : (n_rows + BLK_STRIDE - 1) / BLK_STRIDE * BLK_STRIDE;
    size_t slot = alone ? BLK_ROW_SLOT : BLK_MAX_POINTS * stride + BLK_STRIDE;
    size_t align = alone ? sizeof(float) : BLK_ALIGN;
    b->x = kc_guarded(N_COLUMNS * stride * sizeof(float), align);
    b->phi = kc_guarded(N_USED * stride * sizeof(float), align);
    b->slots = kc_guarded(N_SLOTS * slot * sizeof(float), alone ? 16 : BLK_ALIGN);
    b->d = kc_guarded(LEVELS * stride * sizeof(float), align);
    b->activity = kc_guarded((1 + 2 * (LEVELS + 3)) * stride * 4, align);
    b->block = (blk_lanes_block){.x = b->x.at,
                                 .phi = b->phi.at,
                                 .slots = b->slots.at,
                                 .d = b->d.at,
                                 .activity = b->activity.at,
                                 .stride = stride,
                                 .n_rows = n_rows};
    memset(b->phi.at, 0, N_USED * stride * sizeof(float));
    memset(b->activity.at, 0, (1 + 2 * (LEVELS + 3)) * stride * 4);
}

static void buffers_free(buffers *b)
{
    kc_guard *all[] = {&b->x, &b->phi, &b->slots, &b->d, &b->activity};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        kc_guard_free(all[i]);
}

typedef struct input {
    maker maker;
    blk_program program;
    kc_guard rows; /* any alignment a float has */
    size_t n_rows;
    float special[N_SPECIAL][MOST_ROWS + BLK_STRIDE];
} input;

static void input_new(input *in, size_t n_rows, uint32_t n_points, unsigned missing)
{
    in->n_rows = n_rows;
    in->rows = kc_guarded(n_rows * ROW * sizeof(float), sizeof(float));
    float *rows = in->rows.at;
    for (size_t i = 0; i < n_rows * ROW; i++)
        rows[i] = kc_cell(&in->maker.rng, missing);
    for (size_t s = 0; s < N_SPECIAL; s++)
        for (size_t r = 0; r < MOST_ROWS + BLK_STRIDE; r++)
            in->special[s][r] = (float)bli_rng_below(&in->maker.rng, 2);
    make_program(&in->maker, n_points, 12);
    in->program = (blk_program){
        .code = in->maker.code, .n_points = n_points, .t = in->maker.t, .w = in->maker.w};
}

static void run(const blk_lanes *lanes, buffers *b, const input *in, double *sums)
{
    blk_lanes_block *block = &b->block;
    block->plane = lanes->start(block, in->rows.at, ROW, used, N_USED);
    for (size_t s = 0; s < N_SPECIAL; s++)
        memcpy(block->x + (2 * N_USED + s) * block->stride, in->special[s],
               block->stride * sizeof(float));
    lanes->shap(block, &in->program);
    lanes->flush(block, N_USED, sums);
}

/* Every row of a block that `lanes` has been through: alone it must give the same bits. */
static void compare_rows_alone(const blk_lanes *lanes, const input *in,
                               const blk_lanes_block *many, const double *want)
{
    static const uint32_t active = UINT32_MAX;
    buffers b;
    buffers_new(&b, 1, true);
    blk_lanes_block *one = &b.block;
    memcpy(one->activity, &active, sizeof active);
    one->plane = many->plane;
    for (size_t r = 0; r < in->n_rows; r++) {
        double sums[N_USED] = {0};
        for (size_t i = 0; i < N_COLUMNS; i++) {
            bool unused = i >= N_USED && i < 2 * N_USED && !many->plane;
            one->x[i] = unused ? NAN : many->x[i * many->stride + r];
        }
        lanes->row(one, &in->program);
        lanes->flush(one, N_USED, sums);
        for (size_t u = 0; u < N_USED; u++)
            KC(memcmp(sums + u, want + u * many->stride + r, sizeof *sums) == 0,
               "%s: %u points, column %zu, row %zu of %zu: %.9g alone, %.9g in lanes",
               lanes->name, in->program.n_points, u, r, in->n_rows, sums[u],
               want[u * many->stride + r]);
    }
    buffers_free(&b);
}

static void compare(const blk_lanes *reference, const blk_lanes *lanes, const input *in,
                    bool alone)
{
    buffers a, b;
    buffers_new(&a, in->n_rows, false);
    buffers_new(&b, in->n_rows, false);
    size_t stride = a.block.stride;
    double *want = calloc(2 * N_USED * stride, sizeof *want),
           *got = want + N_USED * stride, scale = 0;
    if (!want)
        abort();
    run(reference, &a, in, want);
    run(lanes, &b, in, got);
    KC(a.block.plane == b.block.plane, "%s: plane %u", lanes->name, b.block.plane);
    for (size_t i = 0; i < N_USED * stride; i++)
        if (i % stride < in->n_rows)
            scale = fmax(scale, fabs(want[i]));
    KC(isfinite(scale), "the reference's sums are not finite");
    for (size_t u = 0; u < N_USED; u++)
        for (size_t r = 0; r < in->n_rows; r++) {
            size_t i = u * stride + r;
            bool equal = lanes->cpu ? memcmp(want + i, got + i, sizeof(double)) == 0
                                    : fabs(want[i] - got[i]) <= 2e-5 * scale;
            KC(memcmp(a.block.x + i, b.block.x + i, sizeof(float)) == 0,
               "%s: column %zu, row %zu differs", lanes->name, u, r);
            KC(equal,
               "%s: %zu rows, %u points, column %zu, row %zu: %.9g, reference %.9g",
               lanes->name, in->n_rows, in->program.n_points, u, r, got[i], want[i]);
            KC(b.block.phi[i] == 0, "%s: phi was not cleared", lanes->name);
        }
    if (alone)
        compare_rows_alone(lanes, in, &b.block, got);
    free(want);
    buffers_free(&a);
    buffers_free(&b);
}

static const blk_lanes *reference_of(void)
{
    return blk_lanes_for(BLK_CPU_FMAF);
}

static bool runs_here(const blk_lanes *lanes)
{
    return !(lanes->cpu & ~(blk_cpu() | BLK_CPU_FMAF));
}

/* 0 to 2 steps and what is left, and some blocks. */
static const size_t sizes[] = {1,  2,  3,  5,  7,  8,  9,  15, 16, 17, 23,  24,
                               25, 31, 32, 33, 47, 48, 49, 63, 64, 65, 100, MOST_ROWS};
#define N_SIZES (sizeof sizes / sizeof *sizes)

static void compare_values(const blk_lanes *lanes, uint64_t seed, bool alone)
{
    static input in;
    in.maker.rng = bli_rng(seed);
    in.maker.small = !lanes->cpu;
    for (size_t i = 0; i < 3 * N_SIZES; i++)
        for (uint32_t n = 1; n <= BLK_MAX_POINTS; n++) {
            input_new(&in, sizes[i % N_SIZES], n, i % 2 ? 5 : 0);
            compare(reference_of(), lanes, &in, alone);
            kc_guard_free(&in.rows);
        }
}

/* --- Leaves and margins -------------------------------------------------------------- */

/* An EIGHT after which the slot `out` holds bits[cell of column 0], a missing one as 0. */
static blk_pick eight_of(const uint32_t bits[8], uint32_t out)
{
    static const float thresholds[] = {4, 2, 6, 1, 3, 5, 7};
    blk_pick pick = {.code = BLK_PICK_EIGHT, .bytes = sizeof pick, .out = out};
    for (int i = 0; i < 7; i++)
        pick.split[i].threshold = thresholds[i];
    memcpy(pick.value, bits, sizeof pick.value);
    return pick;
}

/* Two EIGHTs, and every operation of one split on what they found. */
static void compare_pick(const blk_lanes *lanes, const buffers *b, const float *x,
                         float *leaf, uint32_t code, float threshold,
                         const uint32_t bits[8])
{
    uint32_t back[8];
    for (int i = 0; i < 8; i++)
        back[i] = bits[7 - i];
    blk_pick picks[4] = {eight_of(bits, 0), eight_of(back, 2)};
    picks[2] = (blk_pick){.code = code, .bytes = sizeof *picks, .out = 0, .other = 2};
    memcpy(picks[2].value, bits + 3, 2 * sizeof(float));
    picks[2].split[0].threshold = threshold;
    picks[3] = (blk_pick){.code = BLK_PICK_END};
    lanes->pick(&b->block, (const char *)picks, leaf);
    for (size_t r = 0; r < b->block.n_rows; r++) {
        float cell = x[r * ROW];
        int at = isnan(cell) ? 0 : (int)cell;
        bool left = isnan(cell) || cell < threshold;
        uint32_t want = code == BLK_PICK_SLOTS   ? (left ? bits[at] : back[at])
                        : code == BLK_PICK_LEFT  ? (left ? bits[3] : bits[at])
                        : code == BLK_PICK_RIGHT ? (left ? bits[at] : bits[3])
                                                 : bits[left ? 3 : 4];
        KC(memcmp(leaf + r, &want, 4) == 0, "%s: pick %u, row %zu of %zu", lanes->name,
           code, r, b->block.n_rows);
    }
}

static void compare_picks(const blk_lanes *lanes, uint64_t seed)
{
    static const float cells[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    static const uint32_t codes[] = {BLK_PICK_PAIR, BLK_PICK_SLOTS, BLK_PICK_LEFT,
                                     BLK_PICK_RIGHT};
    bl_rng rng = bli_rng(seed);
    for (size_t i = 0; i < 4 * N_SIZES; i++) {
        size_t n = sizes[i / 4];
        buffers b;
        buffers_new(&b, n, false);
        kc_guard rows = kc_guarded(n * ROW * sizeof(float), sizeof(float)),
                 leaf = kc_guarded(b.block.stride * sizeof(float), BLK_ALIGN);
        float *x = rows.at;
        for (size_t c = 0; c < n * ROW; c++)
            x[c] = bli_rng_below(&rng, 9) ? cells[bli_rng_below(&rng, 8)] : NAN;
        b.block.plane = lanes->start(&b.block, x, ROW, used, N_USED);
        uint32_t bits[8];
        for (uint32_t v = 0; v < 8; v++)
            bits[v] = v % 2 ? v : 0x7fc00000U + (uint32_t)bli_rng_below(&rng, 65536);
        compare_pick(lanes, &b, x, leaf.at, codes[i % 4], cells[bli_rng_below(&rng, 8)],
                     bits);
        kc_guard_free(&rows);
        kc_guard_free(&leaf);
        buffers_free(&b);
    }
}

/* The tree that eight_of picks from, as a walk; and one whose leaves lie at unequal depths. */
static void compare_walks(const blk_lanes *lanes, uint64_t seed)
{
    static const float cells[] = {0, 1, 2, 3, 4, 5, 6, 7, -INFINITY, INFINITY, NAN};
    bl_rng rng = bli_rng(seed);
    for (size_t i = 0; i < 4 * N_SIZES; i++) {
        size_t n = sizes[i / 4];
        blk_walk_node nodes[15];
        float value[15];
        bool chain = i % 2;
        for (uint32_t k = 0; k < 15; k++) {
            bool leaf = chain ? k % 2 || k == 14 : k >= 7;
            uint32_t low = (uint32_t)bli_rng_below(&rng, N_USED), missing = N_USED;
            nodes[k] = (blk_walk_node){
                .threshold = leaf ? -INFINITY : (float)bli_rng_below(&rng, 9),
                .x = {low, low + (bli_rng_below(&rng, 2) ? missing : 0)},
                .left = leaf    ? k - 1
                        : chain ? k + 1
                                : 2 * k + 1};
            value[k] = (float)k;
        }
        blk_walk_tree tree = {.depth = chain ? 7 : 3, .nodes = nodes, .value = value};
        buffers b;
        buffers_new(&b, n, false);
        kc_guard rows = kc_guarded(n * ROW * sizeof(float), sizeof(float)),
                 leaf = kc_guarded((n + 7) / 8 * 8 * sizeof(float), sizeof(float));
        float *x = rows.at;
        for (size_t c = 0; c < n * ROW; c++)
            x[c] = cells[bli_rng_below(&rng, i < 2 * N_SIZES ? 10 : 11)];
        b.block.plane = lanes->start(&b.block, x, ROW, used, N_USED);
        blk_walk(&b.block, &tree, leaf.at);
        for (size_t r = 0; r < n; r++) {
            uint32_t at = 0;
            while (nodes[at].left != at - 1) {
                float cell = x[r * ROW + used[nodes[at].x[0]]];
                bool left =
                    isnan(cell) ? nodes[at].x[1] < N_USED : cell < nodes[at].threshold;
                at = nodes[at].left + !left;
            }
            KC(((const float *)leaf.at)[r] == (float)at,
               "%s: row %zu of %zu ends in %g, "
               "not in %u",
               lanes->name, r, n, (double)((const float *)leaf.at)[r], at);
        }
        kc_guard_free(&rows);
        kc_guard_free(&leaf);
        buffers_free(&b);
    }
}

static void compare_margins(const blk_lanes *lanes, uint64_t seed)
{
    bl_rng rng = bli_rng(seed);
    for (size_t n = 0; n <= 2 * BLK_STRIDE + 3; n++) {
        size_t padded = (n + lanes->step - 1) / lanes->step * lanes->step;
        kc_guard g[4];
        for (int i = 0; i < 3; i++)
            g[i] = kc_guarded(padded * sizeof(float), BLK_ALIGN);
        g[3] = kc_guarded(n * sizeof(double), BLK_ALIGN);
        float *leaf = g[0].at, *margin = g[1].at, *alone = g[2].at, weight;
        double *exact = g[3].at;
        weight = kc_odd_float(&rng);
        for (size_t r = 0; r < n; r++) {
            leaf[r] = kc_odd_float(&rng);
            margin[r] = alone[r] = kc_odd_float(&rng);
            exact[r] = (double)margin[r];
        }
        lanes->add_margins(n, leaf, weight, alone);
        float before[2 * BLK_STRIDE + 3];
        memcpy(before, margin, n * sizeof *before);
        lanes->add_leaves(n, leaf, weight, margin, exact);
        for (size_t r = 0; r < n; r++) {
            float term = leaf[r] * weight, want = before[r] + term;
            double wanted = (double)before[r] + (double)leaf[r] * (double)weight;
            KC(memcmp(&want, margin + r, 4) == 0 && memcmp(&want, alone + r, 4) == 0,
               "%s: margin of row %zu of %zu: %.9g and %.9g, not %.9g", lanes->name, r, n,
               (double)margin[r], (double)alone[r], (double)want);
            KC(wanted == exact[r], "%s: exact sum of row %zu", lanes->name, r);
        }
        for (int i = 0; i < 4; i++)
            kc_guard_free(g + i);
    }
}

/* --- Time ---------------------------------------------------------------------------- */

static void bench(const blk_lanes *lanes)
{
    static input in;
    for (uint32_t n = 1; n <= BLK_MAX_POINTS; n++) {
        char name[32];
        double sums[N_USED * 192] = {0};
        in.maker.rng = bli_rng(4);
        input_new(&in, 192, n, 0);
        buffers b, one;
        buffers_new(&b, in.n_rows, false);
        run(lanes, &b, &in, sums);
        size_t times = 0;
        double start = kc_seconds();
        for (; kc_seconds() - start < 0.1; times++)
            lanes->shap(&b.block, &in.program);
        snprintf(name, sizeof name, "values, %u points", n);
        kc_timed(name, lanes->name, kc_seconds() - start,
                 (double)times * (double)in.n_rows, "row of 15 operations");
        buffers_new(&one, 1, true);
        /* Side by side: at the ends of pages their addresses would look alike to the processor. */
        static float near[1024] __attribute__((aligned(64)));
        one.block.x = near;
        one.block.phi = near + 64;
        one.block.d = near + 128;
        one.block.activity = (char *)(near + 192);
        one.block.slots = near + 256;
        for (size_t i = 0; i < N_COLUMNS; i++)
            one.block.x[i] = b.block.x[i * b.block.stride];
        memset(one.block.activity, 0xff, 4);
        start = kc_seconds();
        for (times = 0; lanes->row && kc_seconds() - start < 0.1; times++)
            lanes->row(&one.block, &in.program);
        snprintf(name, sizeof name, "one row, %u points", n);
        if (lanes->row)
            kc_timed(name, lanes->name, kc_seconds() - start, (double)times,
                     "row of 15 operations");
        buffers_free(&one);
        buffers_free(&b);
        kc_guard_free(&in.rows);
    }
}

static void each(const kc_options *options, const char *what, bool reference_too,
                 void (*check)(const blk_lanes *lanes, uint64_t seed))
{
    const blk_lanes *const *all = blk_lanes_all();
    for (size_t v = 0; all[v]; v++) {
        char name[80];
        if (all[v] == reference_of() && !reference_too)
            continue;
        snprintf(name, sizeof name, "%s: %s", all[v]->name, what);
        if (!runs_here(all[v])) {
            kc_skip(name, "this processor has no such instructions");
            continue;
        }
        kc_claim("%s", name);
        check(all[v], options->seed);
    }
}

static void check_values(const blk_lanes *lanes, uint64_t seed)
{
    compare_values(lanes, seed, false);
}

static void check_rows(const blk_lanes *lanes, uint64_t seed)
{
    if (lanes->row)
        compare_values(lanes, seed + 1, true);
}

static void check_mask(const blk_lanes *lanes, uint64_t seed)
{
    (void)seed;
    KC(blk_lanes_for(lanes->cpu) == lanes, "the flags %u choose %s", lanes->cpu,
       blk_lanes_for(lanes->cpu)->name);
    KC(BLK_STRIDE % lanes->step == 0, "%zu rows go together", lanes->step);
}

void kc_lanes(const kc_options *options)
{
    if (options->bench) {
        const blk_lanes *const *all = blk_lanes_all();
        for (size_t v = 0; all[v]; v++)
            if (runs_here(all[v]))
                bench(all[v]);
        return;
    }
    each(options, "values equal the reference's", false, check_values);
    each(options, "picks move any bits", true, compare_picks);
    each(options, "walks end where they should", true, compare_walks);
    each(options, "margins add up as XGBoost's do", true, compare_margins);
    each(options, "its flags choose it", true, check_mask);
}

void kc_rows(const kc_options *options)
{
    if (!options->bench)
        each(options, "a row by itself gives the bits it gives among others", false,
             check_rows);
}
