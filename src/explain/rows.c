/* SPDX-License-Identifier: Apache-2.0 */
/* phi of one block of rows by one thread, and of rows in memory. */
#include "explain/explain_priv.h"

#include "base/mem.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* A block's phi stays in a core's second cache, and a tree is read once for many rows. */
#define BLOCK_ROWS  64
#define BLOCK_CELLS 65536
/* A block's dense rows, where a model has very many features of which few are used. */
#define BLOCK_DENSE (UINT64_C(4) << 20)

uint64_t bli_block_rows_of(const bl_explainer *e)
{
    uint64_t rows = BLOCK_ROWS;
    uint64_t dense = (uint64_t)e->n_outputs * ((uint64_t)e->n_features + 1);
    if (e->n_used && rows > BLOCK_CELLS / e->n_used)
        rows = BLOCK_CELLS / e->n_used;
    if (rows > BLOCK_DENSE / dense)
        rows = BLOCK_DENSE / dense;
    return rows ? rows : 1;
}

double bli_row_work(const bl_explainer *e)
{
    double work = 0;
    for (size_t p = 0; p < e->output_first[e->n_outputs]; p++)
        work += (double)e->trees[e->parts[p].tree].n_steps *
                (double)e->rules[e->parts[p].rule].n_points;
    return work;
}

bl_status bli_scratch_init(const bl_explainer *e, bl_scratch *ret_scratch, bl_err *err)
{
    size_t rows = (size_t)bli_block_rows_of(e);
    size_t kernel = blk_shap_row_scratch(e->max_depth);
    size_t n = kernel + rows * (e->n_used + e->n_outputs);
    void *memory;
    bl_status st = bli_alloc(n, sizeof(double), "explaining rows", &memory, err);
    if (st != BL_OK)
        return st;
    ret_scratch->kernel = memory;
    ret_scratch->phi = ret_scratch->kernel + kernel;
    ret_scratch->exact = ret_scratch->phi + rows * e->n_used;
    return BL_OK;
}

void bli_scratch_done(bl_scratch *scratch)
{
    free(scratch->kernel);
    *scratch = (bl_scratch){0};
}

/* A missing value counts as 0, and so does anything under a weight of 0. */
static double linear_term(const bl_explainer *e, const float *x, size_t feature,
                          size_t output)
{
    float w = e->forest->linear[feature * e->n_outputs + output];
    return isnan(x[feature]) || w == 0 ? 0 : (double)w * (double)x[feature];
}

static void output_phi(const bl_explainer *e, const bl_rows_job *job, size_t output,
                       bl_scratch *scratch)
{
    memset(scratch->phi, 0, (size_t)job->n_rows * e->n_used * sizeof *scratch->phi);
    for (uint64_t r = 0; e->forest->linear && r < job->n_rows; r++)
        for (size_t u = 0; u < e->n_used; u++)
            scratch->phi[r * e->n_used + u] =
                linear_term(e, job->x + r * e->n_features, e->used[u], output);
    for (size_t p = e->output_first[output]; p < e->output_first[output + 1]; p++) {
        const bl_part *part = e->parts + p;
        const bl_rule *rule = e->rules + part->rule;
        for (uint64_t r = 0; r < job->n_rows; r++)
            blk_shap_row(e->trees + part->tree, part->value, job->x + r * e->n_features,
                         rule->n_points, rule->t, rule->w, scratch->kernel,
                         scratch->phi + r * e->n_used);
    }
}

/* Margins in double by a walk that shares nothing with the kernels: what phi must add up
 * to. */
static void exact_margins(const bl_explainer *e, const bl_rows_job *job, double *exact)
{
    const bl_forest *forest = e->forest;
    const bl_tree *trees =
        e->n_trees ? forest->trees + forest->round_first[e->first] : forest->trees;
    for (uint64_t r = 0; r < job->n_rows; r++) {
        const float *x = job->x + r * e->n_features;
        double *sum = exact + r * e->n_outputs;
        for (size_t o = 0; o < e->n_outputs; o++)
            sum[o] = (double)(job->base ? job->base[r * e->n_outputs + o]
                                        : forest->base_margin[o]);
        for (size_t t = 0; t < e->n_trees; t++) {
            const bl_tree *tree = trees + t;
            size_t leaf = (size_t)bli_tree_leaf(tree, x) * tree->n_values;
            for (size_t v = 0; v < tree->n_values; v++)
                sum[tree->output + v] +=
                    (double)tree->weight * (double)tree->leaf[leaf + v];
        }
        for (size_t o = 0; forest->linear && o < e->n_outputs; o++) {
            sum[o] += (double)forest->linear[e->n_features * e->n_outputs + o];
            for (size_t u = 0; u < e->n_used; u++)
                sum[o] += linear_term(e, x, e->used[u], o);
        }
    }
}

static void add_row(const bl_explainer *e, const bl_rows_job *job, size_t output,
                    uint64_t r, float base, const bl_scratch *scratch)
{
    bl_sums *sums = job->sums;
    const double *phi = scratch->phi + r * e->n_used;
    double *abs_phi = sums->abs_phi + output * e->n_used,
           *sum = sums->phi + output * e->n_used;
    double total = (double)base;
    for (size_t u = 0; u < e->n_used; u++) {
        double value = (double)(float)phi[u]; /* as it is written */
        abs_phi[u] += fabs(value);
        sum[u] += value;
        total += value;
    }
    double margin = (double)job->margins[r * e->n_outputs + output];
    double error = fabs(total - scratch->exact[r * e->n_outputs + output]);
    sums->margins[output] += margin;
    if (fabs(margin) > sums->max_abs_margin)
        sums->max_abs_margin = fabs(margin);
    if (error > sums->worst_additivity) {
        sums->worst_additivity = error;
        sums->worst_row = job->row[r];
    }
    if (fabs(total - margin) > sums->worst_margin_distance)
        sums->worst_margin_distance = fabs(total - margin);
}

static void put_row(const bl_explainer *e, const double *phi, float base, float *out)
{
    memset(out, 0, e->n_features * sizeof *out);
    for (size_t u = 0; u < e->n_used; u++)
        out[e->used[u]] = (float)phi[u];
    out[e->n_features] = base;
}

void bli_explain_block(const bl_explainer *e, const bl_rows_job *job, bl_scratch *scratch)
{
    if (job->sums)
        exact_margins(e, job, scratch->exact);
    for (size_t o = 0; o < e->n_outputs; o++) {
        output_phi(e, job, o, scratch);
        for (uint64_t r = 0; r < job->n_rows; r++) {
            float margin =
                job->base ? job->base[r * e->n_outputs + o] : e->forest->base_margin[o];
            float base = (float)((double)margin + e->tree_means[o]);
            if (job->sums)
                add_row(e, job, o, r, base, scratch);
            if (job->phi)
                put_row(e, scratch->phi + r * e->n_used, base,
                        job->phi + (r * e->n_outputs + o) * (e->n_features + 1));
        }
    }
}

bl_status bli_explain_rows(const bl_explainer *e, const float *rows, uint64_t n_rows,
                           float *phi, bl_err *err)
{
    uint64_t block = bli_block_rows_of(e), n_blocks = (n_rows + block - 1) / block;
    int n_threads = omp_get_max_threads();
    if ((uint64_t)n_threads > n_blocks)
        n_threads = n_blocks ? (int)n_blocks : 1;
    bl_scratch *scratch = calloc((size_t)n_threads, sizeof *scratch);
    if (!scratch)
        return bli_fail(err, BL_E_NOMEM, "no memory for explaining rows");
    bl_status st = BL_OK;
    for (int i = 0; st == BL_OK && i < n_threads; i++)
        st = bli_scratch_init(e, scratch + i, err);
    if (st != BL_OK)
        goto fail;
#pragma omp parallel for schedule(dynamic, 1) num_threads(n_threads) if (n_threads > 1)
    for (uint64_t b = 0; b < n_blocks; b++) {
        uint64_t first = b * block;
        bl_rows_job job = {
            .x = rows + first * e->n_features,
            .n_rows = first + block < n_rows ? block : n_rows - first,
            .phi = phi + first * e->n_outputs * (e->n_features + 1),
        };
        bli_explain_block(e, &job, scratch + (n_threads > 1 ? omp_get_thread_num() : 0));
    }
fail:
    for (int i = 0; i < n_threads; i++)
        bli_scratch_done(scratch + i);
    free(scratch);
    return st;
}
