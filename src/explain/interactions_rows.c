/* SPDX-License-Identifier: Apache-2.0 */
/* Interactions of rows: matrices, strongest pairs, strengths. */
#include "explain/explain_priv.h"
#include "explain/interactions_priv.h"

#include "base/mem.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#define ROWS BLK_INTER_ROWS

/* What one thread works in. Columns of ROWS. */
typedef struct scratch {
    blk_inter_block block;
    float *x;                /* low, high, raw: [n_used] columns each */
    double *pairs;           /* [n_pairs] columns: twice the value */
    double *phi;             /* [n_used] columns */
    double *kernel, *matrix; /* of the referee */
    double *diagonal;        /* [n_used] */
    void *memory;
} scratch;

/* Floats first: all of them are columns, so what follows is aligned for doubles. */
static bl_status scratch_init(const bl_interactions *it, scratch *s, bl_err *err)
{
    size_t used = it->n_used, pairs = it->table.n_pairs, depth = it->max_depth;
    size_t cells = (2 * depth + 1) * BLK_INTER_POINTS, states = depth * BLK_INTER_POINTS;
    size_t columns = 4 * used + pairs + cells + states + 3 * depth;
    size_t doubles = (pairs + used) * ROWS + used;
    if (!it->kernel)
        doubles += blk_interactions_row_scratch(it->max_depth) + used * used;
    size_t bytes = columns * ROWS * sizeof(float) + doubles * sizeof(double);
    s->memory = aligned_alloc(64, (bytes + 64) / 64 * 64);
    if (!s->memory)
        return bli_fail(err, BL_E_NOMEM,
                        "no memory for interactions of %zu pairs of features (%zu bytes)",
                        pairs, bytes);
    s->x = s->memory;
    blk_inter_block *b = &s->block;
    b->low = s->x;
    b->high = b->low + used * ROWS;
    b->raw = b->high + used * ROWS;
    b->phi = s->x + 3 * used * ROWS;
    b->pairs = b->phi + used * ROWS;
    b->cells = b->pairs + pairs * ROWS;
    b->r = b->cells + cells * ROWS;
    b->d = b->r + states * ROWS;
    b->active = (char *)(b->d + depth * ROWS);
    s->pairs = (double *)(void *)(s->x + columns * ROWS);
    s->phi = s->pairs + pairs * ROWS;
    s->diagonal = s->phi + used * ROWS;
    s->kernel = s->diagonal + used;
    s->matrix = s->kernel + blk_interactions_row_scratch(it->max_depth);
    return BL_OK;
}

/* Threads for n pieces of work, each with its scratch. */
typedef struct team {
    int n;
    scratch *scratch;
} team;

static void team_done(team *t)
{
    for (int i = 0; t->scratch && i < t->n; i++)
        free(t->scratch[i].memory);
    free(t->scratch);
}

static bl_status team_init(const bl_interactions *it, int n_threads, uint64_t n_pieces,
                           team *t, bl_err *err)
{
    t->n = n_threads > 0 ? n_threads : omp_get_max_threads();
    if ((uint64_t)t->n > n_pieces)
        t->n = n_pieces ? (int)n_pieces : 1;
    t->scratch = calloc((size_t)t->n, sizeof *t->scratch);
    if (!t->scratch)
        return bli_fail(err, BL_E_NOMEM, "no memory for interactions of rows");
    for (int i = 0; i < t->n; i++) {
        bl_status st = scratch_init(it, t->scratch + i, err);
        if (st != BL_OK) {
            team_done(t);
            return st;
        }
    }
    return BL_OK;
}

/* --- Values of one block ------------------------------------------------------------ */

/* Rows to columns; lanes beyond n_rows repeat the last row. */
static void fill_columns(const bl_interactions *it, const float *rows, size_t n_rows,
                         scratch *s)
{
    float *low = s->x, *high = low + it->n_used * ROWS, *raw = high + it->n_used * ROWS;
    for (size_t u = 0; u < it->n_used; u++)
        for (size_t r = 0; r < ROWS; r++) {
            size_t row = r < n_rows ? r : n_rows - 1;
            float value = rows[row * it->n_features + it->used[u]];
            raw[u * ROWS + r] = value;
            low[u * ROWS + r] = isnan(value) ? -INFINITY : value;
            high[u * ROWS + r] = isnan(value) ? INFINITY : value;
        }
}

/* Float sums stay short: they go to double every so many, which costs a twentieth of the time
 * and halves the error. */
static uint64_t sums_between_flushes(const bl_interactions *it)
{
    return 1024 + 4 * (uint64_t)it->table.n_pairs;
}

static void flush_columns(float *from, double *to, size_t n_columns)
{
    for (size_t i = 0; i < n_columns * ROWS; i++) {
        to[i] += (double)from[i];
        from[i] = 0;
    }
}

static void flush(const bl_interactions *it, scratch *s)
{
    flush_columns(s->block.pairs, s->pairs, it->table.n_pairs);
    flush_columns(s->block.phi, s->phi, it->n_used);
}

static void run_lanes(const bl_interactions *it, size_t output, scratch *s)
{
    uint64_t sums = 0, most = sums_between_flushes(it);
    memset(s->block.pairs, 0, it->table.n_pairs * ROWS * sizeof(float));
    memset(s->block.phi, 0, it->n_used * ROWS * sizeof(float));
    for (size_t p = it->output_first[output]; p < it->output_first[output + 1]; p++) {
        it->kernel->run(&s->block, &it->parts[p].program);
        sums += it->parts[p].n_sums;
        if (sums >= most) {
            flush(it, s);
            sums = 0;
        }
    }
    flush(it, s);
}

static void run_referee_tree(const bl_interactions *it, size_t t, size_t value,
                             const float *rows, size_t n_rows, scratch *s)
{
    size_t n = it->n_points[t], used = it->n_used;
    const double *rule = it->rules + n * (n - 1);
    for (size_t r = 0; r < n_rows; r++) {
        memset(s->matrix, 0, used * used * sizeof *s->matrix);
        blk_interactions_row(it->trees + t, value, rows + r * it->n_features, n, rule,
                             rule + n, s->kernel, s->matrix, used);
        for (size_t p = 0; p < it->table.n_pairs; p++)
            s->pairs[p * ROWS + r] +=
                s->matrix[it->slots[p].second * used + it->slots[p].first];
        for (size_t u = 0; u < used; u++)
            s->phi[u * ROWS + r] += s->matrix[u * used + u];
    }
}

static void run_referee(const bl_interactions *it, const float *rows, size_t n_rows,
                        size_t output, scratch *s)
{
    const bl_forest *forest = it->forest;
    for (size_t t = 0; t < it->n_trees; t++) {
        const bl_tree *tree = forest->trees + forest->round_first[it->first] + t;
        if (it->trees[t].depth && tree->n_values > 1)
            run_referee_tree(it, t, output, rows, n_rows, s);
        else if (it->trees[t].depth && tree->output == output)
            run_referee_tree(it, t, 0, rows, n_rows, s);
    }
}

/* A missing value counts as 0, and so does anything under a weight of 0. */
static void run_linear(const bl_interactions *it, const float *rows, size_t n_rows,
                       size_t output, scratch *s)
{
    for (size_t u = 0; u < it->n_used; u++) {
        float w = it->forest->linear[it->used[u] * it->n_outputs + output];
        for (size_t r = 0; r < n_rows; r++) {
            float x = rows[r * it->n_features + it->used[u]];
            s->phi[u * ROWS + r] = isnan(x) || w == 0 ? 0 : (double)w * (double)x;
        }
    }
}

/* Fills s->pairs and s->phi; fill_columns has been called for these rows. */
static void values_of_block(const bl_interactions *it, const float *rows, size_t n_rows,
                            size_t output, scratch *s)
{
    memset(s->pairs, 0, it->table.n_pairs * ROWS * sizeof *s->pairs);
    memset(s->phi, 0, it->n_used * ROWS * sizeof *s->phi);
    if (it->forest->linear)
        run_linear(it, rows, n_rows, output, s);
    else if (it->kernel)
        run_lanes(it, output, s);
    else
        run_referee(it, rows, n_rows, output, s);
}

/* --- Matrices ----------------------------------------------------------------------- */

static void put_matrix(const bl_interactions *it, size_t r, double base, scratch *s,
                       float *matrix)
{
    size_t side = it->n_features + 1;
    memset(matrix, 0, side * side * sizeof *matrix);
    for (size_t u = 0; u < it->n_used; u++)
        s->diagonal[u] = s->phi[u * ROWS + r];
    for (size_t p = 0; p < it->table.n_pairs; p++) {
        bl_pair slot = it->slots[p];
        size_t i = it->table.pairs[p].first, j = it->table.pairs[p].second;
        float value = (float)(s->pairs[p * ROWS + r] / 2);
        matrix[i * side + j] = matrix[j * side + i] = value;
        s->diagonal[slot.first] -= (double)value;
        s->diagonal[slot.second] -= (double)value;
    }
    for (size_t u = 0; u < it->n_used; u++)
        matrix[it->used[u] * (side + 1)] = (float)s->diagonal[u];
    matrix[side * side - 1] = (float)base;
}

bl_status bli_interactions_rows(const bl_interactions *it, const float *rows,
                                uint64_t n_rows, const float *base, int n_threads,
                                float *matrix, bl_err *err)
{
    uint64_t n_blocks = (n_rows + ROWS - 1) / ROWS;
    size_t K = it->n_outputs, cells = (it->n_features + 1) * (it->n_features + 1);
    team t = {0};
    bl_status st = team_init(it, n_threads, n_blocks, &t, err);
    if (st != BL_OK)
        return st;
#pragma omp parallel for schedule(dynamic, 1) num_threads(t.n) if (t.n > 1)
    for (uint64_t b = 0; b < n_blocks; b++) {
        scratch *s = t.scratch + (t.n > 1 ? omp_get_thread_num() : 0);
        uint64_t first = b * ROWS;
        size_t n = n_rows - first < ROWS ? (size_t)(n_rows - first) : ROWS;
        const float *x = rows + first * it->n_features;
        fill_columns(it, x, n, s);
        for (size_t o = 0; o < K; o++) {
            values_of_block(it, x, n, o, s);
            for (size_t r = 0; r < n; r++) {
                size_t at = (first + r) * K + o;
                float margin = base ? base[at] : it->forest->base_margin[o];
                put_matrix(it, r, (double)margin + it->tree_means[o], s,
                           matrix + at * cells);
            }
        }
    }
    team_done(&t);
    return BL_OK;
}

/* --- Strongest pairs ---------------------------------------------------------------- */

static bool stronger(const bl_top_pair *a, const bl_top_pair *b)
{
    float x = fabsf(a->value), y = fabsf(b->value);
    if (x != y)
        return x > y;
    return a->first != b->first ? a->first < b->first : a->second < b->second;
}

/* Sorted by insertion: few pairs are among the first. */
static void put_top(const bl_interactions *it, size_t r, size_t n_top, const scratch *s,
                    bl_top_pair *top)
{
    size_t n = 0;
    for (size_t p = 0; p < it->table.n_pairs && n_top; p++) {
        bl_top_pair pair = {it->table.pairs[p].first, it->table.pairs[p].second,
                            (float)(s->pairs[p * ROWS + r] / 2)};
        if (n == n_top && !stronger(&pair, top + n - 1))
            continue;
        size_t at = n < n_top ? n++ : n - 1;
        for (; at > 0 && stronger(&pair, top + at - 1); at--)
            top[at] = top[at - 1];
        top[at] = pair;
    }
    for (; n < n_top; n++)
        top[n] = (bl_top_pair){UINT32_MAX, UINT32_MAX, 0};
}

bl_status bli_interactions_top(const bl_interactions *it, const float *rows,
                               uint64_t n_rows, size_t n_top, int n_threads,
                               bl_top_pair *top, bl_err *err)
{
    uint64_t n_blocks = (n_rows + ROWS - 1) / ROWS;
    team t = {0};
    bl_status st = team_init(it, n_threads, n_blocks, &t, err);
    if (st != BL_OK)
        return st;
#pragma omp parallel for schedule(dynamic, 1) num_threads(t.n) if (t.n > 1)
    for (uint64_t b = 0; b < n_blocks; b++) {
        scratch *s = t.scratch + (t.n > 1 ? omp_get_thread_num() : 0);
        uint64_t first = b * ROWS;
        size_t n = n_rows - first < ROWS ? (size_t)(n_rows - first) : ROWS;
        const float *x = rows + first * it->n_features;
        fill_columns(it, x, n, s);
        for (size_t o = 0; o < it->n_outputs; o++) {
            values_of_block(it, x, n, o, s);
            for (size_t r = 0; r < n; r++)
                put_top(it, r, n_top, s,
                        n_top ? top + ((first + r) * it->n_outputs + o) * n_top : NULL);
        }
    }
    team_done(&t);
    return BL_OK;
}

/* --- Strengths ---------------------------------------------------------------------- */

static size_t sums_of(const bl_strengths *s)
{
    return s->n_outputs * (2 * s->n_pairs + s->n_features);
}

bl_status bli_strengths_new(const bl_interactions *it, bl_strengths **ret_strengths,
                            bl_err *err)
{
    bl_strengths *s = calloc(1, sizeof *s);
    if (!s)
        return bli_fail(err, BL_E_NOMEM, "no memory for strengths of interactions");
    *s = (bl_strengths){
        .n_outputs = it->n_outputs,
        .n_pairs = it->table.n_pairs,
        .n_features = it->n_features,
        .pairs = it->table.pairs,
    };
    void *memory;
    bl_status st =
        bli_alloc(sums_of(s), sizeof(double), "strengths of interactions", &memory, err);
    if (st != BL_OK) {
        free(s);
        return st;
    }
    s->sum_abs = memory;
    s->sum = s->sum_abs + s->n_outputs * s->n_pairs;
    s->diagonal_abs = s->sum + s->n_outputs * s->n_pairs;
    *ret_strengths = s;
    return BL_OK;
}

void bli_strengths_free(bl_strengths *strengths)
{
    if (!strengths)
        return;
    free(strengths->sum_abs);
    free(strengths);
}

/* Adds one output of one block to sums laid out as bl_strengths has them. */
static void add_block(const bl_interactions *it, size_t n_rows, size_t output, scratch *s,
                      double *sums)
{
    size_t pairs = it->table.n_pairs;
    double *sum_abs = sums + output * pairs;
    double *sum = sums + (it->n_outputs + output) * pairs;
    double *diagonal = sums + 2 * it->n_outputs * pairs + output * it->n_features;
    for (size_t p = 0; p < pairs; p++) {
        bl_pair slot = it->slots[p];
        for (size_t r = 0; r < n_rows; r++) {
            double value = s->pairs[p * ROWS + r] / 2;
            sum_abs[p] += fabs(value);
            sum[p] += value;
            s->phi[slot.first * ROWS + r] -= value;
            s->phi[slot.second * ROWS + r] -= value;
        }
    }
    for (size_t u = 0; u < it->n_used; u++)
        for (size_t r = 0; r < n_rows; r++)
            diagonal[it->used[u]] += fabs(s->phi[u * ROWS + r]);
}

static void add_chunk(const bl_interactions *it, const float *rows, size_t n_rows,
                      scratch *s, double *sums)
{
    for (size_t first = 0; first < n_rows; first += ROWS) {
        size_t n = n_rows - first < ROWS ? n_rows - first : ROWS;
        const float *x = rows + first * it->n_features;
        fill_columns(it, x, n, s);
        for (size_t o = 0; o < it->n_outputs; o++) {
            values_of_block(it, x, n, o, s);
            add_block(it, n, o, s, sums);
        }
    }
}

/* Each chunk is summed by itself; the sums are added in order of chunks, whoever had
 * them. */
bl_status bli_strengths_add(bl_strengths *strengths, const bl_interactions *it,
                            const float *rows, uint64_t n_rows, int n_threads,
                            bl_err *err)
{
    uint64_t n_chunks = (n_rows + BLI_STRENGTH_ROWS - 1) / BLI_STRENGTH_ROWS;
    size_t n_sums = sums_of(strengths);
    team t = {0};
    bl_status st = team_init(it, n_threads, n_chunks, &t, err);
    if (st != BL_OK)
        return st;
    void *memory;
    st = bli_alloc(n_sums, sizeof(double) * (size_t)t.n, "strengths of interactions",
                   &memory, err);
    if (st != BL_OK) {
        team_done(&t);
        return st;
    }
    double *all_sums = memory;
#pragma omp parallel for ordered schedule(dynamic, 1) num_threads(t.n) if (t.n > 1)
    for (uint64_t c = 0; c < n_chunks; c++) {
        int me = t.n > 1 ? omp_get_thread_num() : 0;
        double *sums = all_sums + (size_t)me * n_sums;
        uint64_t first = c * BLI_STRENGTH_ROWS;
        uint64_t n =
            n_rows - first < BLI_STRENGTH_ROWS ? n_rows - first : BLI_STRENGTH_ROWS;
        memset(sums, 0, n_sums * sizeof *sums);
        add_chunk(it, rows + first * it->n_features, (size_t)n, t.scratch + me, sums);
#pragma omp ordered
        for (size_t i = 0; i < n_sums; i++)
            strengths->sum_abs[i] += sums[i];
    }
    strengths->n_rows += n_rows;
    free(all_sums);
    team_done(&t);
    return BL_OK;
}
