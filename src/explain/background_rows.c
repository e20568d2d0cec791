/* SPDX-License-Identifier: Apache-2.0 */
/* Rows against a background, in margin space. */
#include "explain/background_priv.h"

#include "base/mem.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#define ROWS BLK_BG_ROWS

/* Tables that are not kept are made for as many trees as fit in this. */
#define WAVE_BYTES ((size_t)64 << 20)
/* Rows of one pass over the forest: what their sums and columns may take, and what the
 * leaves without tables may take of one tree. */
#define BATCH_BYTES ((uint64_t)256 << 20)
/* A block of rows goes through trees whose tables stay in a core's second cache. */
#define BLOCK_GROUPS 32
#define CHUNK_BYTES  ((size_t)192 << 10)

/* Trees [from, to) at work. */
typedef struct wave {
    size_t from, to;
    const float *tables; /* of tree `from` first */
    bl_deep **deep;      /* [to - from] */
} wave;

typedef struct batch {
    const bl_background *bg;
    bl_groups groups;
    double *sums; /* [n_groups][n_outputs][n_used][ROWS] */
    int n_threads;
} batch;

/* --- One block
 * ------------------------------------------------------------------------------------- */

static void add_deep(const bl_background *bg, const bl_bg_tree *tree, const bl_deep *deep,
                     uint64_t group, uint64_t n_rows, uint32_t value, float *phi)
{
    (void)bg;
    uint64_t first = group * ROWS, n = n_rows - first < ROWS ? n_rows - first : ROWS;
    uint32_t n_values = tree->lanes.n_values;
    for (uint32_t d = 0; d < tree->n_deep; d++) {
        const bl_path_leaf *leaf = deep[d].leaf;
        const uint32_t *slot = tree->slots + leaf->first_slot;
        for (size_t r = 0; r < n; r++) {
            const float *from = deep[d].phi + (size_t)deep[d].set[first + r] *
                                                  leaf->n_features * n_values;
            for (uint32_t i = 0; i < leaf->n_features; i++)
                phi[(size_t)slot[i] * ROWS + r] += from[i * n_values + value];
        }
    }
}

/* phi [n_outputs][n_used][ROWS] of one thread; touched [n_outputs]. */
typedef struct apply_scratch {
    blk_bg_block block;
    float *phi;
    bool *touched;
} apply_scratch;

static void apply_chunk(const batch *b, const wave *w, size_t from, size_t to,
                        uint64_t group, apply_scratch *s)
{
    const bl_background *bg = b->bg;
    size_t plane = bg->n_used * ROWS;
    bli_bg_block_at(&s->block, &b->groups, group);
    for (size_t t = from; t < to; t++) {
        const bl_bg_tree *tree = bg->trees + t;
        if (tree->tree.depth == 0)
            continue;
        bg->kernel->patterns(&s->block, &tree->lanes);
        for (uint32_t v = 0; v < tree->lanes.n_values; v++) {
            float *phi = s->phi + (tree->output + v) * plane;
            s->touched[tree->output + v] = true;
            bg->kernel->add(&s->block, &tree->lanes, v,
                            w->tables + (bg->table_first[t] - bg->table_first[w->from]),
                            phi);
            if (tree->n_deep)
                add_deep(bg, tree, w->deep[t - w->from], group, b->groups.n_rows, v, phi);
        }
    }
    double *sums = b->sums + group * bg->n_outputs * plane;
    for (size_t o = 0; o < bg->n_outputs; o++) {
        if (!s->touched[o])
            continue;
        s->touched[o] = false;
        for (size_t i = o * plane; i < (o + 1) * plane; i++) {
            sums[i] += (double)s->phi[i];
            s->phi[i] = 0;
        }
    }
}

/* Groups [first, last) through the trees of the wave. */
static void apply_block(const batch *b, const wave *w, uint64_t first, uint64_t last,
                        apply_scratch *s)
{
    const bl_background *bg = b->bg;
    for (size_t from = w->from, to; from < w->to; from = to) {
        for (to = from + 1; to < w->to; to++)
            if ((bg->table_first[to + 1] - bg->table_first[from]) * sizeof(float) >
                CHUNK_BYTES)
                break;
        for (uint64_t group = first; group < last; group++)
            apply_chunk(b, w, from, to, group, s);
    }
}

static bl_status scratch_init(const bl_background *bg, apply_scratch *s)
{
    *s = (apply_scratch){0};
    if (bli_bg_block_init(bg, &s->block, NULL) != BL_OK)
        return BL_E_NOMEM;
    size_t n = bg->n_outputs * bg->n_used * ROWS;
    s->phi = aligned_alloc(64, (n * sizeof *s->phi + 64) / 64 * 64);
    s->touched = calloc(bg->n_outputs, sizeof *s->touched);
    if (!s->phi || !s->touched)
        return BL_E_NOMEM;
    memset(s->phi, 0, n * sizeof *s->phi);
    return BL_OK;
}

static void scratch_done(apply_scratch *s)
{
    bli_bg_block_done(&s->block);
    free(s->phi);
    free(s->touched);
}

static bl_status apply(const batch *b, const wave *w, bl_err *err)
{
    uint64_t n_groups = b->groups.n_groups, size = BLOCK_GROUPS;
    if (size > n_groups / (4 * (uint64_t)b->n_threads) + 1)
        size = n_groups / (4 * (uint64_t)b->n_threads) + 1;
    uint64_t n_blocks = (n_groups + size - 1) / size;
    bl_status st = BL_OK;
#pragma omp parallel num_threads(b->n_threads) if (b->n_threads > 1)
    {
        apply_scratch s;
        bl_status mine = scratch_init(b->bg, &s);
#pragma omp critical
        if (mine != BL_OK)
            st = mine;
#pragma omp for schedule(dynamic, 1)
        for (uint64_t i = 0; i < n_blocks; i++)
            if (mine == BL_OK)
                apply_block(b, w, i * size,
                            (i + 1) * size < n_groups ? (i + 1) * size : n_groups, &s);
        scratch_done(&s);
    }
    return st == BL_OK
               ? BL_OK
               : bli_fail(err, BL_E_NOMEM, "no memory for rows against a background");
}

/* --- Waves
 * ------------------------------------------------------------------------------------- */

static void wave_done(const bl_background *bg, wave *w)
{
    for (size_t t = w->from; w->deep && t < w->to; t++) {
        for (uint32_t d = 0; w->deep[t - w->from] && d < bg->trees[t].n_deep; d++) {
            free(w->deep[t - w->from][d].set);
            free(w->deep[t - w->from][d].phi);
        }
        free(w->deep[t - w->from]);
    }
    free(w->deep);
    w->deep = NULL;
}

/* One tree of a wave: its tables where they are not kept, its leaves without. */
static bl_status prepare_tree(const batch *b, wave *w, size_t t, bl_table_scratch *s,
                              float *tables, bl_err *err)
{
    const bl_background *bg = b->bg;
    const bl_bg_tree *tree = bg->trees + t;
    if (tables)
        bli_bg_tables(bg, tree, s,
                      tables + (bg->table_first[t] - bg->table_first[w->from]));
    if (!tree->n_deep)
        return BL_OK;
    bl_deep *deep = calloc(tree->n_deep, sizeof *deep);
    if (!deep)
        return bli_fail(err, BL_E_NOMEM, "no memory for patterns of rows");
    w->deep[t - w->from] = deep;
    return bli_bg_deep(bg, tree, &b->groups, &s->block, deep, err);
}

static bl_status prepare(const batch *b, wave *w, float *tables, bl_err *err)
{
    const bl_background *bg = b->bg;
    void *memory;
    bl_status st =
        bli_alloc(w->to - w->from, sizeof *w->deep, "patterns of rows", &memory, err);
    if (st != BL_OK)
        return st;
    w->deep = memory;
#pragma omp parallel num_threads(b->n_threads) if (b->n_threads > 1)
    {
        bl_table_scratch s;
        bl_status mine = bli_table_scratch_init(bg, &s, NULL);
#pragma omp for schedule(dynamic, 1)
        for (size_t t = w->from; t < w->to; t++)
            if (mine == BL_OK)
                mine = prepare_tree(b, w, t, &s, tables, NULL);
#pragma omp critical
        if (mine != BL_OK)
            st = mine;
        bli_table_scratch_done(&s);
    }
    return st == BL_OK ? BL_OK
                       : bli_fail(err, st, "no memory for rows against a background");
}

static bl_status run_wave(const batch *b, size_t from, size_t to, float *tables,
                          bl_err *err)
{
    const bl_background *bg = b->bg;
    wave w = {.from = from, .to = to};
    w.tables = tables ? tables : bg->tables + bg->table_first[from];
    bl_status st = BL_OK;
    if (tables || bg->n_deep)
        st = prepare(b, &w, tables, err);
    if (st == BL_OK)
        st = apply(b, &w, err);
    wave_done(bg, &w);
    return st;
}

/* Leaves without tables hold much memory: then a tree for each thread is a wave. */
static size_t end_of_wave(const batch *b, size_t from)
{
    const bl_background *bg = b->bg;
    size_t most = bg->n_deep ? from + (size_t)b->n_threads : bg->n_trees, to = from + 1;
    while (
        to < bg->n_trees && to < most &&
        (bg->tables ||
         (bg->table_first[to + 1] - bg->table_first[from]) * sizeof(float) <= WAVE_BYTES))
        to++;
    return to;
}

static bl_status run_forest(const batch *b, bl_err *err)
{
    const bl_background *bg = b->bg;
    bl_status st = BL_OK;
    for (size_t from = 0, to; st == BL_OK && from < bg->n_trees; from = to) {
        to = end_of_wave(b, from);
        size_t n = bg->table_first[to] - bg->table_first[from];
        float *tables = NULL;
        if (!bg->tables) {
            tables = aligned_alloc(64, (n * sizeof *tables + 64) / 64 * 64);
            if (!tables)
                return bli_fail(err, BL_E_NOMEM,
                                "no memory for tables of the background");
        }
        st = run_wave(b, from, to, tables, err);
        free(tables);
    }
    return st;
}

/* --- Batches
 * ------------------------------------------------------------------------------------- */

static uint64_t rows_of_batch(const bl_background *bg, int n_threads)
{
    uint64_t of_row = bg->n_used * (12 + 8 * (uint64_t)bg->n_outputs) + 1;
    uint64_t of_leaves = 0;
    for (size_t t = 0; t < bg->n_trees; t++) {
        uint64_t of_set =
            4 + 4 * (uint64_t)bg->most_features * bg->trees[t].lanes.n_values;
        if (bg->trees[t].n_deep * of_set > of_leaves)
            of_leaves = bg->trees[t].n_deep * of_set;
    }
    uint64_t n = BATCH_BYTES / (of_row + of_leaves * (uint64_t)n_threads);
    return n < 1024 ? 1024 : n / ROWS * ROWS;
}

static void put_linear(const bl_background *bg, const float *row, size_t output,
                       float *phi)
{
    for (size_t u = 0; u < bg->n_used; u++) {
        float x = row[bg->used[u]];
        float w = bg->forest->linear[bg->used[u] * bg->n_outputs + output];
        double value = isnan(x) ? 0 : (double)x;
        phi[bg->used[u]] = w == 0 ? 0 : (float)((double)w * (value - bg->linear[u]));
    }
}

static void put_rows(const batch *b, const float *rows, uint64_t n_rows, float *phi)
{
    const bl_background *bg = b->bg;
    size_t K = bg->n_outputs, used = bg->n_used, line = bg->n_features + 1;
#pragma omp parallel for num_threads(b->n_threads) if (b->n_threads > 1)
    for (uint64_t r = 0; r < n_rows; r++)
        for (size_t o = 0; o < K; o++) {
            float *to = phi + (r * K + o) * line;
            const double *from = b->sums + ((r / ROWS) * K + o) * used * ROWS + r % ROWS;
            memset(to, 0, bg->n_features * sizeof *to);
            if (bg->forest->linear)
                put_linear(bg, rows + r * bg->n_features, o, to);
            else
                for (size_t u = 0; u < used; u++)
                    to[bg->used[u]] = (float)from[u * ROWS];
            to[bg->n_features] = (float)bg->means[o];
        }
}

static bl_status run_batch(const bl_background *bg, const float *rows, uint64_t n_rows,
                           int n_threads, float *phi, bl_err *err)
{
    batch b = {.bg = bg, .n_threads = n_threads};
    bl_status st = bli_groups_init(bg, rows, n_rows, &b.groups, err);
    if (st != BL_OK)
        return st;
    void *memory;
    st = bli_alloc((size_t)b.groups.n_groups,
                   bg->n_outputs * bg->n_used * ROWS * sizeof(double),
                   "rows against a background", &memory, err);
    if (st == BL_OK) {
        b.sums = memory;
        st = run_forest(&b, err);
    }
    if (st == BL_OK)
        put_rows(&b, rows, n_rows, phi);
    free(b.sums);
    bli_groups_done(&b.groups);
    return st;
}

/* A line of a table takes some 5 ns: below two milliseconds of them a team costs more than
 * it saves. */
#define LINES_FOR_A_TEAM 400000

bl_status bli_background_rows(const bl_background *bg, const float *rows, uint64_t n_rows,
                              int n_threads, float *phi, bl_err *err)
{
    if (n_threads <= 0)
        n_threads = omp_get_max_threads();
    if (bg->tables && !bg->n_deep && n_rows < LINES_FOR_A_TEAM / (bg->n_pieces + 1))
        n_threads = 1;
    uint64_t most = rows_of_batch(bg, n_threads);
    for (uint64_t first = 0; first < n_rows; first += most) {
        uint64_t n = n_rows - first < most ? n_rows - first : most;
        bl_status st = run_batch(bg, rows + first * bg->n_features, n, n_threads,
                                 phi + first * bg->n_outputs * (bg->n_features + 1), err);
        if (st != BL_OK)
            return st;
    }
    return BL_OK;
}
