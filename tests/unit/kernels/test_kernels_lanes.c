/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every variant this processor can run against the fmaf reference, on hostile input: sizes about
 * a step, buffers that end where a page cannot be touched, infinities, denormals, huge and tiny
 * constants. Programs are random sequences of operations, well formed but of no tree.
 */
#include "check.h"

#include "base/rng.h"
#include "kernels/lanes.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { N_USED = 5, N_SPECIAL = 2, LEVELS = 3, N_SLOTS = 2 + 2 * LEVELS };

static uint64_t seed_of_run(uint64_t otherwise)
{
    const char *text = getenv("BL_TEST_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 10) : otherwise;
    printf("seed %llu (BL_TEST_SEED sets another)\n", (unsigned long long)seed);
    return seed;
}

/* --- Buffers with a page behind them that must not be touched ----------------------------- */

typedef struct guarded {
    char *map;
    size_t map_bytes;
    void *at;
} guarded;

static guarded guard(size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), body = (bytes + page - 1) / page * page;
    guarded g = {.map_bytes = body + 2 * page};
    g.map = mmap(NULL, g.map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                 -1, 0);
    assert_true(g.map != MAP_FAILED);
    assert_true(mprotect(g.map, page, PROT_NONE) == 0);
    assert_true(mprotect(g.map + page + body, page, PROT_NONE) == 0);
    g.at = g.map + page + body - (bytes + BLK_ALIGN - 1) / BLK_ALIGN * BLK_ALIGN;
    return g;
}

typedef struct buffers {
    blk_lanes_block block;
    guarded x, phi, slots, d, activity;
} buffers;

static size_t x_floats(size_t stride)
{
    return (2 * N_USED + N_SPECIAL) * stride;
}

static void buffers_new(buffers *b, size_t n_rows)
{
    size_t stride = (n_rows + BLK_STRIDE - 1) / BLK_STRIDE * BLK_STRIDE;
    b->x = guard(x_floats(stride) * sizeof(float));
    b->phi = guard(N_USED * stride * sizeof(float));
    b->slots = guard(N_SLOTS * (BLK_MAX_POINTS * stride + BLK_STRIDE) * sizeof(float));
    b->d = guard(LEVELS * stride * sizeof(float));
    b->activity = guard((1 + 2 * (LEVELS + 3)) * stride * 4);
    b->block = (blk_lanes_block){.x = b->x.at,
                                 .phi = b->phi.at,
                                 .slots = b->slots.at,
                                 .d = b->d.at,
                                 .activity = b->activity.at,
                                 .stride = stride,
                                 .n_rows = n_rows};
}

static void buffers_free(buffers *b)
{
    guarded *all[] = {&b->x, &b->phi, &b->slots, &b->d, &b->activity};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        munmap(all[i]->map, all[i]->map_bytes);
}

/* --- Random programs ---------------------------------------------------------------------- */

typedef struct maker {
    bl_rng rng;
    char code[65536];
    size_t n;
    uint32_t n_points;
} maker;

static float any_float(bl_rng *rng, bool extreme)
{
    static const float odd[] = {0, -0.0F, 1, 1e-42F, -1e-42F, 1e-30F, 100, -100, 0.5F};
    if (extreme && bli_rng_below(rng, 3) == 0)
        return odd[bli_rng_below(rng, sizeof odd / sizeof *odd)];
    return (float)bli_rng_below(rng, 2001) / 1000 - 1;
}

static void *put(maker *m, size_t bytes)
{
    assert_true(m->n + bytes <= sizeof m->code);
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
    s->share = (float)bli_rng_below(&m->rng, 1001) / 1000;
    s->d_left = 1 - s->share;
    s->d_right = -s->share;
    s->fixed = any_float(&m->rng, true);
    s->step = any_float(&m->rng, true);
}

static void put_bottom(maker *m)
{
    blk_lane_bottom *b = put(m, sizeof *b);
    put_columns(m, b->x, &b->phi, &b->threshold);
    b->e_left = any_float(&m->rng, true);
    b->e_right = any_float(&m->rng, true);
    b->mean = any_float(&m->rng, true);
    b->fixed = any_float(&m->rng, true);
}

static void put_repeat(maker *m, uint32_t level)
{
    blk_repeat *r = put(m, 8 + 8 * (size_t)m->n_points);
    r->active =
        bli_rng_below(&m->rng, 2) ? 0 : (uint32_t)bli_rng_below(&m->rng, 1 + 2 * level);
    r->own = 1 + 2 * level;
    for (uint32_t k = 0; k < 2 * m->n_points; k++)
        r->c[k] = (float)bli_rng_below(&m->rng, 1001) / 1000;
}

/* One operation over slots that hold something, at a level below those. */
static void put_op(maker *m, blk_code code)
{
    uint32_t repeats = (uint32_t)bli_rng_below(&m->rng, code == BLK_EIGHT  ? 8
                                                        : code == BLK_FOUR ? 4
                                                        : code == BLK_LEAF ? 1
                                                                           : 2);
    uint32_t level = LEVELS - 1;
    blk_op op = {.code = code,
                 .repeats = repeats,
                 .in = (uint32_t)bli_rng_below(&m->rng, 2) * 2,
                 .out = 1 + (uint32_t)bli_rng_below(&m->rng, 2),
                 .first = 2,
                 .second = 3,
                 .level = level};
    size_t at = m->n;
    put(m, sizeof op);
    int splits = 0;
    if (code == BLK_PAIR) {
        put_bottom(m);
        splits = 1;
    } else if (code == BLK_LEAF) {
        ((blk_leaf_constant *)put(m, sizeof(blk_leaf_constant)))->value =
            any_float(&m->rng, true);
    } else {
        put_split(m);
        splits = 1;
    }
    int fours = code == BLK_FOUR ? 1 : code == BLK_EIGHT ? 2 : 0;
    for (int i = 0; i < fours; i++) {
        if (code == BLK_EIGHT)
            put_split(m);
        put_bottom(m);
        put_bottom(m);
        splits += code == BLK_EIGHT ? 3 : 2;
    }
    if (code == BLK_LEANING) {
        put_bottom(m);
        ((blk_leaf_constant *)put(m, sizeof(blk_leaf_constant)))->value =
            any_float(&m->rng, true);
        splits = 2;
    }
    for (int i = 0; repeats && i < splits; i++)
        put_repeat(m, level + (uint32_t)(i > 0));
    op.bytes = (uint32_t)(m->n - at);
    memcpy(m->code + at, &op, sizeof op);
}

static void make_program(maker *m, uint32_t n_points)
{
    static const blk_code codes[] = {BLK_LEAF,     BLK_DOWN,   BLK_UP,
                                     BLK_DOWN_ONE, BLK_UP_ONE, BLK_PAIR,
                                     BLK_LEANING,  BLK_FOUR,   BLK_EIGHT};
    m->n = 0;
    m->n_points = n_points;
    put_op(m, BLK_LEAF); /* slots 1 and 2 hold something */
    ((blk_op *)(void *)m->code)->out = 2;
    put_op(m, BLK_DOWN); /* and 3, d and activity */
    ((blk_op *)(void *)(m->code + ((blk_op *)(void *)m->code)->bytes))->in = 0;
    for (int i = 0; i < 12; i++)
        put_op(m, codes[bli_rng_below(&m->rng, sizeof codes / sizeof *codes)]);
    ((blk_op *)put(m, sizeof(blk_op)))->code = BLK_END;
    put(m, sizeof(blk_repeat)); /* constants of points that are not there may be read */
}

/* --- The comparison ----------------------------------------------------------------------- */

typedef struct input {
    maker maker;
    blk_program program;
    float t[BLK_MAX_POINTS], w[BLK_MAX_POINTS];
    float *rows;
    size_t n_rows;
} input;

static const uint32_t used[N_USED] = {0, 2, 3, 5, 6};
enum { ROW = 7 };

static void fill_rows(input *in, bool missing)
{
    for (size_t i = 0; i < in->n_rows * ROW; i++) {
        uint64_t kind = bli_rng_below(&in->maker.rng, 20);
        in->rows[i] = kind == 0   ? INFINITY
                      : kind == 1 ? -INFINITY
                      : kind == 2 ? 1e-42F
                      : kind == 3 ? 3e38F
                                  : (float)bli_rng_below(&in->maker.rng, 9) / 2 - 2;
        if (missing && kind == 4)
            in->rows[i] = NAN;
    }
}

static void run(const blk_lanes *lanes, buffers *b, const input *in, const float *special,
                double *sums)
{
    blk_lanes_block *block = &b->block;
    block->root = NULL;
    block->plane = lanes->start(block, in->rows, ROW, used, N_USED);
    memcpy(block->x + 2 * N_USED * block->stride, special,
           N_SPECIAL * block->stride * sizeof *special);
    memset(block->phi, 0, N_USED * block->stride * sizeof *block->phi);
    lanes->shap(block, &in->program);
    lanes->flush(block, N_USED, sums);
}

static void compare(const blk_lanes *reference, const blk_lanes *lanes, const input *in,
                    const float *special)
{
    buffers a, b;
    buffers_new(&a, in->n_rows);
    buffers_new(&b, in->n_rows);
    size_t stride = a.block.stride;
    double *want = calloc(2 * N_USED * stride, sizeof *want),
           *got = want + N_USED * stride;
    assert_non_null(want);
    run(reference, &a, in, special, want);
    run(lanes, &b, in, special, got);
    assert_true(a.block.plane == b.block.plane);
    double scale = 0;
    for (size_t i = 0; i < N_USED * stride; i++)
        if (i % stride < in->n_rows)
            scale = fmax(scale, fabs(want[i]));
    assert_true(scale > 0 && isfinite(scale));
    for (size_t u = 0; u < N_USED; u++)
        for (size_t r = 0; r < in->n_rows; r++) {
            size_t i = u * stride + r;
            assert_memory_equal(a.block.x + i, b.block.x + i, sizeof(float));
            bool equal = lanes->cpu ? memcmp(want + i, got + i, sizeof(double)) == 0
                                    : fabs(want[i] - got[i]) <= 2e-5 * scale;
            CHECK(equal,
                  "%s: %zu rows, %u points, column %zu, row %zu: %.9g, reference %.9g",
                  lanes->name, in->n_rows, in->program.n_points, u, r, got[i], want[i]);
            CHECK(b.block.phi[i] == 0, "%s: phi was not cleared", lanes->name);
        }
    free(want);
    buffers_free(&a);
    buffers_free(&b);
}

static const blk_lanes *reference_of(const blk_lanes *const *all)
{
    while (!((*all)->cpu & BLK_CPU_FMAF))
        all++;
    return *all;
}

static void test_variants_equal_their_reference(void **state)
{
    (void)state;
    static input in;
    static float rows[200 * ROW], special[N_SPECIAL * 256];
    in.maker.rng = bli_rng(seed_of_run(4));
    in.rows = rows;
    const blk_lanes *const *all = blk_lanes_all(), *reference = reference_of(all);
    static const size_t sizes[] = {1,  2,  7,  8,  9,  15, 16,  17, 31,
                                   32, 33, 47, 63, 64, 65, 100, 200};
    for (size_t i = 0; i < 3 * sizeof sizes / sizeof *sizes; i++)
        for (uint32_t n = 1; n <= BLK_MAX_POINTS; n++) {
            in.n_rows = sizes[i % (sizeof sizes / sizeof *sizes)];
            fill_rows(&in, i % 2);
            for (size_t s = 0; s < sizeof special / sizeof *special; s++)
                special[s] = (float)bli_rng_below(&in.maker.rng, 2);
            make_program(&in.maker, n);
            for (uint32_t k = 0; k < n; k++) {
                in.t[k] = (float)(k + 1) / (float)(n + 1);
                in.w[k] = 1 / (float)n;
            }
            in.program =
                (blk_program){.code = in.maker.code, .n_points = n, .t = in.t, .w = in.w};
            for (size_t v = 0; all[v]; v++)
                if (all[v] != reference && !(all[v]->cpu & ~blk_cpu()))
                    compare(reference, all[v], &in, special);
        }
    for (size_t v = 0; all[v]; v++)
        if (all[v] != reference)
            print_message("%s: %s\n", all[v]->name,
                          all[v]->cpu & ~blk_cpu() ? "not on this processor"
                                                   : "compared");
}

/* Any 32 bits come through a pick; NaN cells go by the plane. */
static void test_picks_move_bits(void **state)
{
    (void)state;
    bl_rng rng = bli_rng(seed_of_run(11));
    const blk_lanes *const *all = blk_lanes_all();
    for (size_t v = 0; all[v]; v++) {
        if (all[v]->cpu & ~(blk_cpu() | BLK_CPU_FMAF))
            continue;
        for (size_t n = 1; n < 70; n += 3) {
            buffers b;
            buffers_new(&b, n);
            static float rows[70 * ROW], leaf[128] __attribute__((aligned(BLK_ALIGN)));
            for (size_t i = 0; i < n * ROW; i++)
                rows[i] = bli_rng_below(&rng, 4) ? (float)bli_rng_below(&rng, 8) : NAN;
            b.block.plane = all[v]->start(&b.block, rows, ROW, used, N_USED);
            /* value[i] where the cell of column 0 is i; missing as 0 */
            blk_pick picks[2] = {{.code = BLK_PICK_EIGHT, .bytes = sizeof(blk_pick)},
                                 {.code = BLK_PICK_END}};
            const float thresholds[] = {4, 2, 6, 1, 3, 5, 7};
            for (int i = 0; i < 7; i++) {
                picks[0].split[i].x[0] = picks[0].split[i].x[1] = 0;
                picks[0].split[i].threshold = thresholds[i];
            }
            uint32_t bits[8];
            for (int i = 0; i < 8; i++)
                bits[i] = i % 2 ? (uint32_t)i
                                : 0x7fc00000U + (uint32_t)bli_rng_next(&rng) % 65536;
            memcpy(picks[0].value, bits, sizeof bits);
            all[v]->pick(&b.block, (const char *)picks, leaf);
            for (size_t r = 0; r < n; r++) {
                float x = rows[r * ROW];
                CHECK(memcmp(leaf + r, bits + (isnan(x) ? 0 : (int)x), 4) == 0,
                      "%s: row %zu of %zu", all[v]->name, r, n);
            }
            buffers_free(&b);
        }
    }
}

static void test_the_mask_forces_a_variant(void **state)
{
    (void)state;
    assert_string_equal(blk_lanes_for(0)->name, "portable");
    assert_string_equal(blk_lanes_for(BLK_CPU_FMAF)->name, "fmaf");
    const blk_lanes *const *all = blk_lanes_all();
    for (size_t v = 0; all[v]; v++) {
        assert_ptr_equal(blk_lanes_for(all[v]->cpu), all[v]);
        CHECK(BLK_STRIDE % all[v]->step == 0, "%s goes by %zu rows", all[v]->name,
              all[v]->step);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_variants_equal_their_reference),
        cmocka_unit_test(test_picks_move_bits),
        cmocka_unit_test(test_the_mask_forces_a_variant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
