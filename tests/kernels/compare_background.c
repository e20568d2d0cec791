/* SPDX-License-Identifier: Apache-2.0 */
/* Backgrounds: patterns of rows and sums of table lines; bit for bit in all variants. */
#include "compare.h"

#include "kernels/background.h"

#include <math.h>
#include <string.h>

enum {
    N_USED = 9,
    N_SPLITS = 12,
    N_PIECES = 6,
    N_VALUES = 2,
    DEPTH = 5,
    ROWS = BLK_BG_ROWS,
    MOST_BITS = 8
};

typedef struct maker {
    bl_rng rng;
    blk_bg_step steps[64];
    blk_bg_split splits[N_SPLITS];
    blk_bg_piece pieces[N_PIECES];
    uint32_t inner[4 * N_PIECES], sets[4];
    blk_bg_tree tree;
    size_t table_floats;
} maker;

static void make_piece(maker *m, uint32_t index)
{
    bl_rng *rng = &m->rng;
    blk_bg_piece *p = m->pieces + index;
    *p = (blk_bg_piece){.n_splits = (uint32_t)bli_rng_below(rng, 4),
                        .first_split = 4 * index,
                        .n_features = 1 + (uint32_t)bli_rng_below(rng, N_USED),
                        .table = m->table_floats};
    p->n_path = (uint32_t)bli_rng_below(rng, MOST_BITS - p->n_splits + 1);
    p->stride = p->n_features > 8 ? 16 : 8;
    for (uint32_t i = 0; i < p->n_splits; i++)
        m->inner[p->first_split + i] = (uint32_t)bli_rng_below(rng, N_SPLITS);
    for (uint32_t i = 0; i < p->n_features; i++)
        p->slot[i] = (i + index) % N_USED; /* different ones */
    m->table_floats += (size_t)N_VALUES * p->stride << (p->n_path + p->n_splits);
}

/* A walk down and across: pieces at any level that something was written at. */
static void make_steps(maker *m)
{
    bl_rng *rng = &m->rng;
    uint32_t n = 0, deepest = 0, piece = 0;
    while (piece < N_PIECES) {
        uint32_t level = (uint32_t)bli_rng_below(rng, (uint64_t)deepest + 1);
        if (bli_rng_below(rng, 3) == 0) {
            m->steps[n++] = (blk_bg_step){BLK_BG_PIECE, piece++, level, 0};
            continue;
        }
        if (level == DEPTH || n > 50)
            continue;
        m->steps[n++] = (blk_bg_step){BLK_BG_LEFT + (uint32_t)bli_rng_below(rng, 2),
                                      (uint32_t)bli_rng_below(rng, N_SPLITS), level,
                                      1U << bli_rng_below(rng, MOST_BITS)};
        deepest = level + 1 > deepest ? level + 1 : deepest;
    }
    m->steps[n] = (blk_bg_step){.code = BLK_BG_END};
}

static void make_tree(maker *m)
{
    bl_rng *rng = &m->rng;
    m->table_floats = 0;
    for (int i = 0; i < 4; i++)
        m->sets[i] = (uint32_t)bli_rng_next(rng);
    for (int i = 0; i < N_SPLITS; i++) {
        m->splits[i] = (blk_bg_split){.x = (uint32_t)bli_rng_below(rng, N_USED),
                                      .threshold = (float)bli_rng_below(rng, 5) - 2,
                                      .missing_left = (uint32_t)bli_rng_below(rng, 2),
                                      .special = bli_rng_below(rng, 5) == 0};
        if (m->splits[i].special && bli_rng_below(rng, 2))
            m->splits[i].set_words = 1 + (uint32_t)bli_rng_below(rng, 4);
    }
    for (uint32_t i = 0; i < N_PIECES; i++)
        make_piece(m, i);
    make_steps(m);
    m->tree = (blk_bg_tree){.n_splits = N_SPLITS,
                            .n_pieces = N_PIECES,
                            .n_values = N_VALUES,
                            .depth = DEPTH,
                            .steps = m->steps,
                            .splits = m->splits,
                            .pieces = m->pieces,
                            .inner = m->inner,
                            .sets = m->sets};
}

enum { LOW, HIGH, RAW, PHI, RIGHT, FAILED, PATTERN, N_BUFFERS };

typedef struct buffers {
    kc_guard g[N_BUFFERS];
    blk_bg_block block;
} buffers;

static void buffers_new(buffers *b, uint64_t seed)
{
    static const size_t columns[N_BUFFERS] = {N_USED,   N_USED,    N_USED,  N_USED,
                                              N_SPLITS, DEPTH + 1, N_PIECES};
    for (int i = 0; i < N_BUFFERS; i++)
        b->g[i] = kc_guarded(
            columns[i] * ROWS * (i < RIGHT ? sizeof(float) : sizeof(uint16_t)), 64);
    float *low = b->g[LOW].at, *high = b->g[HIGH].at, *raw = b->g[RAW].at,
          *phi = b->g[PHI].at;
    bl_rng rng = bli_rng(seed);
    for (size_t i = 0; i < N_USED * ROWS; i++) {
        raw[i] = kc_cell(&rng, 5);
        low[i] = isnan(raw[i]) ? -INFINITY : raw[i];
        high[i] = isnan(raw[i]) ? INFINITY : raw[i];
        phi[i] = kc_odd_float(&rng);
    }
    b->block = (blk_bg_block){.low = low,
                              .high = high,
                              .raw = raw,
                              .right = b->g[RIGHT].at,
                              .failed = b->g[FAILED].at,
                              .pattern = b->g[PATTERN].at};
}

static void buffers_free(buffers *b)
{
    for (int i = 0; i < N_BUFFERS; i++)
        kc_guard_free(b->g + i);
}

static kc_guard tables_of(maker *m)
{
    kc_guard g = kc_guarded(m->table_floats * sizeof(float), 64);
    float *table = g.at;
    for (size_t i = 0; i < m->table_floats; i++)
        table[i] = kc_odd_float(&m->rng);
    return g;
}

static void compare(const blk_background *reference, const blk_background *kernel,
                    maker *m, uint64_t seed)
{
    kc_guard tables = tables_of(m);
    buffers want, got;
    buffers_new(&want, seed);
    buffers_new(&got, seed);
    reference->patterns(&want.block, &m->tree);
    kernel->patterns(&got.block, &m->tree);
    KC(memcmp(want.block.right, got.block.right, N_SPLITS * ROWS * 2) == 0,
       "%s: which way rows go", kernel->name);
    KC(memcmp(want.block.pattern, got.block.pattern, N_PIECES * ROWS * 2) == 0,
       "%s: patterns", kernel->name);
    for (uint32_t v = 0; v < N_VALUES; v++) {
        /* Patterns of a random walk hold bits that no piece has. */
        for (size_t p = 0; p < N_PIECES; p++)
            for (size_t r = 0; r < ROWS; r++) {
                uint16_t bits =
                    (uint16_t)((1U << (m->pieces[p].n_path + m->pieces[p].n_splits)) - 1);
                want.block.pattern[p * ROWS + r] &= bits;
                got.block.pattern[p * ROWS + r] &= bits;
            }
        reference->add(&want.block, &m->tree, v, tables.at, want.g[PHI].at);
        kernel->add(&got.block, &m->tree, v, tables.at, got.g[PHI].at);
        KC(memcmp(want.g[PHI].at, got.g[PHI].at, N_USED * ROWS * sizeof(float)) == 0,
           "%s: sums of value %u", kernel->name, v);
    }
    buffers_free(&want);
    buffers_free(&got);
    kc_guard_free(&tables);
}

static void bench(const blk_background *kernel, maker *m)
{
    m->rng = bli_rng(7);
    make_tree(m);
    kc_guard tables = tables_of(m);
    buffers b;
    buffers_new(&b, 1);
    size_t times = 0;
    double start = kc_seconds();
    for (; kc_seconds() - start < 0.1; times++)
        kernel->patterns(&b.block, &m->tree);
    kc_timed("background, patterns", kernel->name, kc_seconds() - start,
             (double)times * ROWS * N_PIECES, "row and piece");
    for (size_t i = 0; i < N_PIECES * ROWS; i++)
        b.block.pattern[i] = 0;
    start = kc_seconds();
    for (times = 0; kc_seconds() - start < 0.1; times++)
        kernel->add(&b.block, &m->tree, 0, tables.at, b.g[PHI].at);
    kc_timed("background, sums", kernel->name, kc_seconds() - start,
             (double)times * ROWS * N_PIECES, "row and piece");
    buffers_free(&b);
    kc_guard_free(&tables);
}

void kc_background(const kc_options *options)
{
    static maker m;
    const blk_background *list[BLK_BG_VARIANTS + 1];
    blk_background_variants(list);
    for (size_t v = 0; list[v]; v++) {
        if (options->bench) {
            bench(list[v], &m);
            continue;
        }
        if (v == 0)
            continue; /* the reference: tests/oracle holds it to the truth */
        kc_claim("%s: background patterns and sums equal the portable ones",
                 list[v]->name);
        m.rng = bli_rng(options->seed);
        for (uint64_t i = 0; i < 300; i++) {
            make_tree(&m);
            compare(list[0], list[v], &m, options->seed + i);
        }
    }
}
