/* SPDX-License-Identifier: Apache-2.0 */
/* phi of one block of rows by one thread, and of rows in memory. */
#include "explain/explain_priv.h"

#include "base/mem.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* Rows of a block. With lanes its columns should stay in a core's second cache while trees pass
 * over them; a tree's constants, read once a block, want many rows. Row by row a tree stays in
 * cache for all rows of the block. */
#define LANE_ROWS  256
#define LANE_CELLS 65536
#define ROWS       64
/* And of its dense values, where a model has very many features of which few are used. */
#define BLOCK_DENSE (UINT64_C(4) << 20)

/* Float32 sums are emptied into doubles after so many splits, so that their rounding stays near
 * that of one value; more where emptying costs more. */
#define SPLITS_A_FLUSH     512
#define SPLITS_A_FLUSH_COL 32

uint64_t bli_block_rows_of(const bl_explainer *e)
{
    uint64_t dense = (uint64_t)e->n_outputs * ((uint64_t)e->n_features + 1);
    uint64_t cells = e->n_used + e->n_outputs, rows = e->lanes ? LANE_ROWS : ROWS;
    if (rows > LANE_CELLS / cells)
        rows = LANE_CELLS / cells;
    if (rows > BLOCK_DENSE / dense)
        rows = BLOCK_DENSE / dense;
    if (!e->lanes)
        return rows ? rows : 1;
    rows = rows / BLK_STRIDE * BLK_STRIDE;
    return rows ? rows : BLK_STRIDE;
}

double bli_row_work(const bl_explainer *e)
{
    double work = 0;
    for (size_t p = 0; p < e->output_first[e->n_outputs]; p++) {
        const bl_compiled *c = e->trees + e->parts[p].tree;
        work += (double)(c->tree.n_steps / 3) * (double)(e->parts[p].programs
                                                             ? c->rule->n_lane_points
                                                             : 16 * c->rule->n_points);
    }
    return work;
}

/* A missing value counts as 0, and so does anything under a weight of 0. */
static double linear_term(const bl_explainer *e, const float *x, size_t feature,
                          size_t output)
{
    float w = e->forest->linear[feature * e->n_outputs + output];
    return isnan(x[feature]) || w == 0 ? 0 : (double)w * (double)x[feature];
}

static float base_margin(const bl_explainer *e, const bl_rows_job *job, size_t output,
                         uint64_t r)
{
    return job->base ? job->base[r * e->n_outputs + output]
                     : e->forest->base_margin[output];
}

/* As it is written: float32. */
static float base_value(const bl_explainer *e, const bl_rows_job *job, size_t output,
                        uint64_t r)
{
    return (float)((double)base_margin(e, job, output, r) + e->tree_means[output]);
}

static void linear_phi(const bl_explainer *e, const bl_rows_job *job, size_t output,
                       bl_scratch *scratch)
{
    for (size_t u = 0; u < e->n_used; u++)
        for (uint64_t r = 0; r < job->n_rows; r++)
            scratch->phi[u * scratch->stride + r] =
                linear_term(e, job->x + r * e->n_features, e->used[u], output);
}

static void referee_phi(const bl_explainer *e, const bl_rows_job *job,
                        const bl_part *part, bl_scratch *scratch)
{
    const bl_compiled *c = e->trees + part->tree;
    for (uint64_t r = 0; r < job->n_rows; r++) {
        memset(scratch->row, 0, e->n_used * sizeof *scratch->row);
        blk_shap_row(&c->tree, part->value, job->x + r * e->n_features, c->rule->n_points,
                     c->rule->t, c->rule->w, scratch->kernel, scratch->row);
        for (size_t u = 0; u < e->n_used; u++)
            scratch->phi[u * scratch->stride + r] += scratch->row[u];
    }
}

void bli_special_columns(const bl_explainer *e, const float *x, uint64_t n_rows,
                         const bl_compiled *c, bl_scratch *scratch)
{
    size_t stride = scratch->stride;
    for (uint32_t i = 0; i < c->n_special; i++) {
        const blk_split *split = c->tree.splits + c->special[i];
        float *column = scratch->block.x + (2 * e->n_used + i) * stride;
        for (uint64_t r = 0; r < n_rows; r++)
            column[r] =
                blk_goes_left(&c->tree, split, x[r * e->n_features + split->feature]) ? 0
                                                                                      : 1;
        for (size_t r = (size_t)n_rows; r < stride; r++)
            column[r] = 0;
    }
}

/* --- Margins ------------------------------------------------------------------------ */

/* XGBoost's float32 margin, and what phi must add up to: the same in double. */
static void begin_margins(const bl_explainer *e, const bl_rows_job *job, size_t output,
                          bl_scratch *scratch)
{
    for (uint64_t r = 0; r < job->n_rows; r++) {
        scratch->margin[r] = base_margin(e, job, output, r);
        scratch->exact[r] = (double)scratch->margin[r];
    }
}

static void add_leaves(const bl_explainer *e, const bl_rows_job *job, const bl_part *part,
                       bl_scratch *scratch)
{
    const bl_tree *tree = e->forest->trees + e->trees[part->tree].source;
    float *leaf = scratch->leaf;
    bli_find_leaves(e, part, job->x, job->n_rows, scratch);
    if (e->lanes) {
        e->lanes->add_leaves((size_t)job->n_rows, leaf, tree->weight, scratch->margin,
                             scratch->exact);
        return;
    }
    for (uint64_t r = 0; r < job->n_rows; r++) {
        scratch->margin[r] += leaf[r] * tree->weight;
        scratch->exact[r] += (double)leaf[r] * (double)tree->weight;
    }
}

static void linear_margins(const bl_explainer *e, const bl_rows_job *job, size_t output,
                           bl_scratch *scratch)
{
    for (uint64_t r = 0; r < job->n_rows; r++) {
        const float *x = job->x + r * e->n_features;
        double sum = scratch->exact[r] + e->tree_means[output];
        for (size_t u = 0; u < e->n_used; u++)
            sum += linear_term(e, x, e->used[u], output);
        scratch->exact[r] = sum;
        scratch->margin[r] = job->margins[r * e->n_outputs + output];
    }
}

/* --- One output --------------------------------------------------------------------- */

static void flush(const bl_explainer *e, bl_scratch *scratch)
{
    e->lanes->flush(&scratch->block, e->n_used, scratch->phi);
}

static void tree_phi(const bl_explainer *e, const bl_rows_job *job, size_t output,
                     bl_scratch *scratch)
{
    size_t limit = SPLITS_A_FLUSH + SPLITS_A_FLUSH_COL * e->n_used, splits = 0;
    void (*shap)(blk_lanes_block *, const blk_program *) = !e->lanes ? NULL
                                                           : scratch->stride == 1
                                                               ? e->lanes->row
                                                               : e->lanes->shap;
    for (size_t p = e->output_first[output]; p < e->output_first[output + 1]; p++) {
        const bl_part *part = e->parts + p;
        const bl_compiled *c = e->trees + part->tree;
        if (part->programs && c->n_special)
            bli_special_columns(e, job->x, job->n_rows, c, scratch);
        if (job->sums)
            add_leaves(e, job, part, scratch);
        if (!part->programs) {
            referee_phi(e, job, part, scratch);
            continue;
        }
        for (size_t i = 0; i < c->rule->n_programs; i++)
            shap(&scratch->block, part->programs + i);
        splits += c->tree.n_steps / 3 * c->rule->n_programs;
        if (splits > limit) {
            flush(e, scratch);
            splits = 0;
        }
    }
    if (splits)
        flush(e, scratch);
}

static void output_phi(const bl_explainer *e, const bl_rows_job *job, size_t output,
                       bl_scratch *scratch)
{
    memset(scratch->phi, 0, e->n_used * scratch->stride * sizeof *scratch->phi);
    if (job->sums)
        begin_margins(e, job, output, scratch);
    if (!e->forest->linear) {
        tree_phi(e, job, output, scratch);
        return;
    }
    linear_phi(e, job, output, scratch);
    if (job->sums)
        linear_margins(e, job, output, scratch);
}

/* Sums of a column of float32 values, in eight parts whatever the processor. */
static void add_column(const double *phi, uint64_t n_rows, double *abs_sum, double *sum,
                       double *total)
{
    double part[8] = {0}, abs_part[8] = {0};
    for (uint64_t r = 0; r < n_rows; r++) {
        double value = (double)(float)phi[r]; /* as it is written */
        part[r % 8] += value;
        abs_part[r % 8] += fabs(value);
        total[r] += value;
    }
    *sum += ((part[0] + part[4]) + (part[1] + part[5])) +
            ((part[2] + part[6]) + (part[3] + part[7]));
    *abs_sum += ((abs_part[0] + abs_part[4]) + (abs_part[1] + abs_part[5])) +
                ((abs_part[2] + abs_part[6]) + (abs_part[3] + abs_part[7]));
}

static void add_output(const bl_explainer *e, const bl_rows_job *job, size_t output,
                       const bl_scratch *scratch)
{
    bl_sums *sums = job->sums;
    double *abs_phi = sums->abs_phi + output * e->n_used,
           *phi = sums->phi + output * e->n_used;
    double *total = scratch->total;
    for (uint64_t r = 0; r < job->n_rows; r++)
        total[r] = (double)base_value(e, job, output, r);
    for (size_t u = 0; u < e->n_used; u++)
        add_column(scratch->phi + u * scratch->stride, job->n_rows, abs_phi + u, phi + u,
                   total);
    for (uint64_t r = 0; r < job->n_rows; r++) {
        double margin = (double)scratch->margin[r];
        double error = fabs(total[r] - scratch->exact[r]);
        job->margins[r * e->n_outputs + output] = scratch->margin[r];
        sums->margins[output] += margin;
        if (fabs(margin) > sums->max_abs_margin)
            sums->max_abs_margin = fabs(margin);
        if (error > sums->worst_additivity) {
            sums->worst_additivity = error;
            sums->worst_row = job->row[r];
        }
        if (fabs(total[r] - margin) > sums->worst_margin_distance)
            sums->worst_margin_distance = fabs(total[r] - margin);
    }
}

static void put_output(const bl_explainer *e, const bl_rows_job *job, size_t output,
                       const bl_scratch *scratch)
{
    size_t row_size = e->n_outputs * (e->n_features + 1);
    float *out = job->phi + output * (e->n_features + 1);
    bool all = e->n_used == e->n_features;
    for (uint64_t r = 0; r < job->n_rows; r++) {
        float *row = out + r * row_size;
        const double *phi = scratch->phi + r;
        if (!all)
            memset(row, 0, e->n_features * sizeof *row);
        for (size_t u = 0; u < e->n_used; u++)
            row[e->used[u]] = (float)phi[u * scratch->stride];
        row[e->n_features] = base_value(e, job, output, r);
    }
}

/* What the lanes' start does, for one row. */
static uint32_t start_row(const bl_explainer *e, const float *x, blk_lanes_block *b)
{
    static const uint32_t active = UINT32_MAX;
    float *low = b->x, *high = low + e->n_used;
    bool missing = false;
    for (size_t u = 0; u < e->n_used; u++) {
        float value = x[e->used[u]];
        missing |= isnan(value);
        low[u] = isnan(value) ? -INFINITY : value;
        high[u] = isnan(value) ? INFINITY : value;
    }
    memcpy(b->activity, &active, sizeof active);
    return missing;
}

void bli_explain_block(const bl_explainer *e, const bl_rows_job *job, bl_scratch *scratch)
{
    if (job->sums && e->forest->linear)
        bli_forest_margins(e->forest, e->first, e->last, job->x, job->n_rows, job->base,
                           job->margins);
    if (e->lanes) {
        blk_lanes_block *b = &scratch->block;
        b->n_rows = (size_t)job->n_rows;
        b->root = NULL;
        b->plane = b->stride == 1
                       ? start_row(e, job->x, b)
                       : e->lanes->start(b, job->x, e->n_features, e->used, e->n_used);
        memset(b->phi, 0, e->n_used * b->stride * sizeof *b->phi);
    }
    for (size_t o = 0; o < e->n_outputs; o++) {
        output_phi(e, job, o, scratch);
        if (job->sums)
            add_output(e, job, o, scratch);
        if (job->phi)
            put_output(e, job, o, scratch);
    }
}

/* --- Rows in memory ----------------------------------------------------------------- */

static void explain_into(const bl_explainer *e, const float *rows, uint64_t n_rows,
                         size_t stride, float *phi, void *memory)
{
    bl_scratch scratch;
    bli_scratch_lay_out(e, stride, memory, &scratch);
    bl_rows_job job = {.x = rows, .n_rows = n_rows, .phi = phi};
    bli_explain_block(e, &job, &scratch);
}

/* So many rows one by one cost less than a step of lanes. */
#define ROWS_A_STEP 1

/* At most a block of rows, by one thread. A row's values are the same bits in lanes and by
 * itself. */
static void explain_few(const bl_explainer *e, const float *rows, uint64_t n_rows,
                        float *phi, void *memory)
{
    uint64_t in_lanes = n_rows, values = e->n_outputs * (e->n_features + 1);
    if (e->lanes && e->lanes->row && n_rows % e->lanes->step <= ROWS_A_STEP)
        in_lanes = n_rows - n_rows % e->lanes->step;
    if (in_lanes)
        explain_into(e, rows, in_lanes, (size_t)bli_round_up(in_lanes, BLK_STRIDE), phi,
                     memory);
    for (uint64_t r = in_lanes; r < n_rows; r++)
        explain_into(e, rows + r * e->n_features, 1, 1, phi + r * values, memory);
}

/* Splits times points that are worth waking a thread for: some 100 microseconds. */
#define WORK_A_THREAD 500000.0

static int threads_for(const bl_explainer *e, uint64_t n_rows)
{
    double worth = 1 + e->row_work * (double)n_rows / WORK_A_THREAD;
    int n = omp_get_max_threads();
    if ((double)n > worth)
        n = (int)worth;
    if ((uint64_t)n > n_rows)
        n = (int)n_rows;
    return n;
}

/* Few rows: smaller blocks, so that every thread has some. */
static uint64_t block_for(const bl_explainer *e, uint64_t n_rows, int n_threads)
{
    uint64_t block = e->block_rows;
    uint64_t share = (n_rows + (uint64_t)n_threads - 1) / (uint64_t)n_threads;
    if (e->lanes && n_threads > 1)
        share = bli_round_up(share, e->lanes->step);
    return block < share ? block : share;
}

bl_status bli_explain_rows(const bl_explainer *e, const float *rows, uint64_t n_rows,
                           float *phi, bl_err *err)
{
    if (!n_rows)
        return BL_OK;
    int n_threads = threads_for(e, n_rows);
    uint64_t block = block_for(e, n_rows, n_threads);
    uint64_t n_blocks = (n_rows + block - 1) / block;
    uint64_t values = e->n_outputs * (e->n_features + 1);
    if (n_blocks == 1) {
        void *memory = bli_scratch_borrow(e);
        if (!memory)
            return bli_scratch_none(e, err);
        explain_few(e, rows, n_rows, phi, memory);
        bli_scratch_give_back(e, memory);
        return BL_OK;
    }
    bool short_of_memory = false;
#pragma omp parallel num_threads(n_threads) reduction(|| : short_of_memory)
    {
        void *memory = bli_scratch_borrow(e);
        short_of_memory = !memory;
#pragma omp for schedule(dynamic, 1)
        for (uint64_t b = 0; b < n_blocks; b++) {
            uint64_t first = b * block;
            if (memory)
                explain_few(e, rows + first * e->n_features,
                            first + block < n_rows ? block : n_rows - first,
                            phi + first * values, memory);
        }
        bli_scratch_give_back(e, memory);
    }
    return short_of_memory ? bli_scratch_none(e, err) : BL_OK;
}
