/* SPDX-License-Identifier: Apache-2.0 */
/* Sums, buckets and groups, one column of values at a time. */
#include "explain/aggregates_priv.h"

#include "base/mem.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_CHUNK 256
/* All buckets together; past that they get wider. */
#define BUCKET_BYTES ((size_t)64 << 20)
#define MOST_BITS    6
#define LEAST_BITS   3
/* Tables of groups. */
#define GROUP_BYTES ((size_t)256 << 20)
/* Features of one piece of work, a cache line of values, and rows of it that stay in the first
 * cache. */
#define TILE      16
#define TILE_ROWS 256

static size_t n_cells(const bl_aggregates *a)
{
    return a->n_outputs * a->n_features;
}

bl_status bli_aggregates_new(size_t n_features, size_t n_outputs, uint64_t chunk_rows,
                             bl_aggregates **ret_aggregates, bl_err *err)
{
    bl_aggregates *a = calloc(1, sizeof *a);
    if (!a)
        return bli_fail(err, BL_E_NOMEM, "no memory for aggregates");
    a->n_features = n_features;
    a->n_outputs = n_outputs;
    a->chunk_rows = chunk_rows ? chunk_rows : DEFAULT_CHUNK;
    size_t n;
    void *cells = NULL, *margins = NULL;
    bl_status st = bli_mul(n_features, n_outputs, &n)
                       ? bli_alloc(n, sizeof *a->cells, "aggregates", &cells, err)
                       : bli_fail(err, BL_E_NOMEM, "no memory for aggregates");
    a->cells = cells;
    if (st == BL_OK)
        st = bli_alloc(n_outputs, 2 * sizeof(double), "aggregates", &margins, err);
    if (st != BL_OK) {
        bli_aggregates_free(a);
        return st;
    }
    a->margins = margins;
    a->chunk_margins = a->margins + n_outputs;
    a->bits = MOST_BITS;
    while (a->bits > LEAST_BITS &&
           n > BUCKET_BYTES / (2 * bli_bucket_count(a) * sizeof(uint64_t)))
        a->bits--;
    *ret_aggregates = a;
    return BL_OK;
}

void bli_aggregates_free(bl_aggregates *a)
{
    if (!a)
        return;
    for (size_t i = 0; a->cells && i < n_cells(a); i++)
        free(a->cells[i].buckets);
    for (size_t g = 0; g < a->n_groups; g++)
        free(a->groups[g].sums);
    free(a->groups);
    free(a->cells);
    free(a->margins);
    free(a);
}

/* --- Buckets ------------------------------------------------------------------------ */

/* Makes `octave` the topmost: what falls out at the bottom counts as 0. */
static void raise_top(const bl_aggregates *a, bl_cell_sums *cell, int octave)
{
    size_t n = bli_bucket_count(a);
    size_t by = (size_t)(octave - cell->top) << a->bits;
    cell->top = octave;
    if (by > n)
        by = n;
    for (int side = 0; side < 2; side++) {
        uint64_t *buckets = cell->buckets + (size_t)side * n;
        for (size_t i = 0; i < by; i++)
            cell->n_zero += buckets[i];
        memmove(buckets, buckets + by, (n - by) * sizeof *buckets);
        memset(buckets + n - by, 0, by * sizeof *buckets);
    }
}

/* false: no memory. */
static bool count(const bl_aggregates *a, bl_cell_sums *cell, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    int octave = (int)(bits >> 23 & 0xff);
    size_t n = bli_bucket_count(a);
    if (octave == 0) { /* 0, or too small for a full float */
        cell->n_zero++;
        return true;
    }
    if (!cell->buckets) {
        cell->buckets = calloc(2 * n, sizeof *cell->buckets);
        cell->top = octave;
        if (!cell->buckets)
            return false;
    }
    if (octave > cell->top)
        raise_top(a, cell, octave);
    int from_bottom = octave - (cell->top - (BLI_OCTAVES - 1));
    if (from_bottom < 0) {
        cell->n_zero++;
        return true;
    }
    size_t at = (size_t)from_bottom << a->bits;
    at += bits >> (23 - a->bits) & ((1U << a->bits) - 1);
    cell->buckets[(bits >> 31) * n + at]++;
    return true;
}

/* --- Rows --------------------------------------------------------------------------- */

static double parts_sum(const double *p)
{
    return ((p[0] + p[4]) + (p[1] + p[5])) + ((p[2] + p[6]) + (p[3] + p[7]));
}

/* A chunk is full: its sums go to the total. */
static void close_chunk(bl_cell_sums *cell)
{
    cell->sum += parts_sum(cell->part);
    cell->sum_abs += parts_sum(cell->abs_part);
    memset(cell->part, 0, sizeof cell->part);
    memset(cell->abs_part, 0, sizeof cell->abs_part);
}

/* Values [n] at distance stride; the first is row `at` of its chunk. */
static bool add_column(const bl_aggregates *a, bl_cell_sums *cell, const float *values,
                       size_t stride, uint64_t n, uint64_t at)
{
    bool ok = true;
    for (uint64_t r = 0; r < n; r++) {
        float value = values[r * stride];
        cell->part[at % 8] += (double)value;
        cell->abs_part[at % 8] += fabs((double)value);
        if (++at == a->chunk_rows) {
            close_chunk(cell);
            at = 0;
        }
        if (value < cell->min)
            cell->min = value;
        if (value > cell->max)
            cell->max = value;
        ok &= count(a, cell, value);
    }
    return ok;
}

static void add_to_groups(const bl_aggregates *a, size_t cell, const float *values,
                          size_t stride, const uint32_t *group, uint64_t n)
{
    for (uint64_t r = 0; r < n; r++) {
        double value = (double)values[r * stride];
        double *sums = a->groups[group[r]].sums + 2 * cell;
        sums[0] += fabs(value);
        sums[1] += value;
    }
}

/* Features [first, last) of one output. */
static bool add_tile(bl_aggregates *a, const float *phi, const uint32_t *group,
                     uint64_t n_rows, size_t output, size_t first, size_t last)
{
    size_t line = a->n_features + 1, stride = a->n_outputs * line;
    bool ok = true;
    for (uint64_t from = 0; from < n_rows; from += TILE_ROWS) {
        uint64_t n = n_rows - from < TILE_ROWS ? n_rows - from : TILE_ROWS;
        uint64_t at = (a->n_rows + from) % a->chunk_rows;
        for (size_t f = first; f < last; f++) {
            size_t cell = output * a->n_features + f;
            const float *values = phi + from * stride + output * line + f;
            if (a->n_rows + from == 0)
                a->cells[cell].min = a->cells[cell].max = values[0];
            ok &= add_column(a, a->cells + cell, values, stride, n, at);
            if (group)
                add_to_groups(a, cell, values, stride, group + from, n);
        }
    }
    return ok;
}

static void add_margins(bl_aggregates *a, const float *margins, uint64_t n_rows)
{
    size_t K = a->n_outputs;
    for (uint64_t r = 0; r < n_rows; r++) {
        for (size_t o = 0; o < K; o++) {
            double margin = (double)margins[r * K + o];
            a->chunk_margins[o] += margin;
            a->max_abs_margin = fmax(a->max_abs_margin, fabs(margin));
        }
        if ((a->n_rows + r + 1) % a->chunk_rows)
            continue;
        for (size_t o = 0; o < K; o++) {
            a->margins[o] += a->chunk_margins[o];
            a->chunk_margins[o] = 0;
        }
    }
}

static bl_status add_group(bl_aggregates *a, bl_err *err)
{
    if (a->n_groups == BLI_MOST_GROUPS ||
        (a->n_groups + 1) * n_cells(a) > GROUP_BYTES / (2 * sizeof(double)))
        return bli_fail(err, BL_E_LIMIT,
                        "more than %zu different values: name a column that sorts the "
                        "rows into fewer groups",
                        a->n_groups);
    void *groups = a->groups, *sums;
    bl_status st = bli_grow(&groups, &a->cap_groups, a->n_groups + 1, sizeof *a->groups,
                            "groups of rows", err);
    if (st != BL_OK)
        return st;
    a->groups = groups;
    st = bli_alloc(n_cells(a), 2 * sizeof(double), "groups of rows", &sums, err);
    if (st == BL_OK)
        a->groups[a->n_groups++] = (bl_group_sums){.sums = sums};
    return st;
}

static bl_status count_groups(bl_aggregates *a, const uint32_t *group, uint64_t n_rows,
                              bl_err *err)
{
    for (uint64_t r = 0; r < n_rows; r++) {
        while (group[r] >= a->n_groups) {
            bl_status st = add_group(a, err);
            if (st != BL_OK)
                return st;
        }
        a->groups[group[r]].n_rows++;
    }
    return BL_OK;
}

bl_status bli_aggregates_add(bl_aggregates *a, const float *phi, const float *margins,
                             const uint32_t *group, uint64_t n_rows, int n_threads,
                             bl_err *err)
{
    bl_status st = group ? count_groups(a, group, n_rows, err) : BL_OK;
    if (st != BL_OK || n_rows == 0)
        return st;
    size_t tiles = (a->n_features + TILE - 1) / TILE, n = tiles * a->n_outputs;
    bool ok = true;
    if (n_threads <= 0)
        n_threads = omp_get_max_threads();
#pragma omp parallel for schedule(dynamic, 1) num_threads(n_threads)                     \
    reduction(&& : ok) if (n > 1 && n_threads > 1)
    for (size_t i = 0; i < n; i++) {
        size_t first = i % tiles * TILE;
        size_t last = first + TILE < a->n_features ? first + TILE : a->n_features;
        ok = add_tile(a, phi, group, n_rows, i / tiles, first, last) && ok;
    }
    if (!ok)
        return bli_fail(err, BL_E_NOMEM, "no memory for quantiles of %zu features",
                        a->n_features);
    if (margins)
        add_margins(a, margins, n_rows);
    a->n_rows += n_rows;
    return BL_OK;
}

/* --- Results ------------------------------------------------------------------------ */

uint64_t bli_aggregates_n_rows(const bl_aggregates *a)
{
    return a->n_rows;
}

size_t bli_aggregates_n_features(const bl_aggregates *a)
{
    return a->n_features;
}

size_t bli_aggregates_n_outputs(const bl_aggregates *a)
{
    return a->n_outputs;
}

double bli_aggregates_accuracy(const bl_aggregates *a)
{
    return ldexp(1, -(int)(a->bits + 1));
}

bl_aggregate bli_aggregate(const bl_aggregates *a, size_t output, size_t feature)
{
    const bl_cell_sums *cell = a->cells + output * a->n_features + feature;
    double n = a->n_rows ? (double)a->n_rows : 1;
    return (bl_aggregate){
        .mean_abs = (cell->sum_abs + parts_sum(cell->abs_part)) / n,
        .mean = (cell->sum + parts_sum(cell->part)) / n,
        .min = (double)cell->min,
        .max = (double)cell->max,
    };
}

size_t bli_aggregates_n_groups(const bl_aggregates *a)
{
    return a->n_groups;
}

uint64_t bli_aggregates_group_rows(const bl_aggregates *a, size_t group)
{
    return a->groups[group].n_rows;
}

bl_aggregate bli_aggregates_of_group(const bl_aggregates *a, size_t group, size_t output,
                                     size_t feature)
{
    const bl_group_sums *g = a->groups + group;
    const double *sums = g->sums + 2 * (output * a->n_features + feature);
    double n = g->n_rows ? (double)g->n_rows : 1;
    return (bl_aggregate){.mean_abs = sums[0] / n, .mean = sums[1] / n};
}

bl_status bli_aggregates_attribution(const bl_aggregates *a, const double *base_values,
                                     bl_attribution **ret_attribution, bl_err *err)
{
    bl_attribution *to = calloc(1, sizeof *to);
    if (!to)
        return bli_fail(err, BL_E_NOMEM, "no memory for attributions");
    size_t cells = n_cells(a);
    void *memory;
    bl_status st = bli_alloc(2 * cells + 2 * a->n_outputs, sizeof(double), "attributions",
                             &memory, err);
    if (st != BL_OK) {
        free(to);
        return st;
    }
    *to = (bl_attribution){.n_rows = a->n_rows,
                           .n_features = a->n_features,
                           .n_outputs = a->n_outputs,
                           .max_abs_margin = a->max_abs_margin};
    to->mean_abs = memory;
    to->mean = to->mean_abs + cells;
    to->base_values = to->mean + cells;
    to->mean_margins = to->base_values + a->n_outputs;
    for (size_t i = 0; i < cells; i++) {
        bl_aggregate of = bli_aggregate(a, i / a->n_features, i % a->n_features);
        to->mean_abs[i] = of.mean_abs;
        to->mean[i] = of.mean;
    }
    double n = a->n_rows ? (double)a->n_rows : 1;
    for (size_t o = 0; o < a->n_outputs; o++) {
        to->base_values[o] = base_values[o];
        to->mean_margins[o] = (a->margins[o] + a->chunk_margins[o]) / n;
    }
    *ret_attribution = to;
    return BL_OK;
}
