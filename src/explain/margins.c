/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Margins of many rows: trees' picks (kernels/lanes.h) over blocks of rows. Each margin is the sum
 * that bli_forest_margins makes, in its order, so the bits are the same.
 */
#include "explain/explain_priv.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

void bli_find_leaves(const bl_explainer *e, const bl_part *part, const float *x,
                     uint64_t n_rows, bl_scratch *scratch)
{
    const bl_tree *tree = e->forest->trees + e->trees[part->tree].source;
    if (part->picks) {
        e->lanes->pick(&scratch->block, part->picks, scratch->leaf);
        return;
    }
    if (part->walk) {
        blk_walk(&scratch->block, part->walk, scratch->leaf);
        return;
    }
    for (uint64_t r = 0; r < n_rows; r++) {
        size_t leaf = bli_tree_leaf(tree, x + r * e->n_features);
        scratch->leaf[r] = tree->leaf[leaf * tree->n_values + part->value];
    }
}

static void add_tree(const bl_explainer *e, const bl_margins_job *job,
                     const bl_part *part, bl_scratch *scratch)
{
    const bl_compiled *c = e->trees + part->tree;
    if (c->n_special && (part->picks || part->walk))
        bli_special_columns(e, job->x, job->n_rows, c, scratch);
    bli_find_leaves(e, part, job->x, job->n_rows, scratch);
    e->lanes->add_margins((size_t)job->n_rows, scratch->leaf,
                          e->forest->trees[c->source].weight, scratch->margin);
}

void bli_margins_block(const bl_explainer *e, const bl_margins_job *job,
                       bl_scratch *scratch)
{
    blk_lanes_block *b = &scratch->block;
    b->n_rows = (size_t)job->n_rows;
    b->plane = e->lanes->start(b, job->x, e->n_features, e->used, e->n_used);
    for (size_t o = 0; o < e->n_outputs; o++) {
        for (uint64_t r = 0; r < job->n_rows; r++)
            scratch->margin[r] =
                job->base ? job->base[r * e->n_outputs + o] : e->forest->base_margin[o];
        for (size_t p = e->output_first[o]; p < e->output_first[o + 1]; p++)
            add_tree(e, job, e->parts + p, scratch);
        for (uint64_t r = 0; r < job->n_rows; r++)
            job->margins[r * e->n_outputs + o] = scratch->margin[r];
    }
}

/* Where fewer rows than this go down the trees one by one: a block must be filled, and for a
 * matrix the picks be written first. */
#define ROWS_FOR_LANES   64
#define ROWS_FOR_WRITING 2000

/* Rows one after the other: what a thread does at a time. */
#define WALK_ROWS 256

static void walk(const bl_forest *forest, size_t first, size_t last,
                 const bl_margins_job *job, int n_threads)
{
    const uint64_t n_rows = job->n_rows;
#pragma omp parallel for schedule(dynamic, 1) num_threads(n_threads) if (n_threads > 1)
    for (uint64_t at = 0; at < n_rows; at += WALK_ROWS)
        bli_forest_margins(forest, first, last, job->x + at * forest->n_features,
                           n_rows - at < WALK_ROWS ? n_rows - at : WALK_ROWS,
                           job->base ? job->base + at * forest->n_outputs : NULL,
                           job->margins + at * forest->n_outputs);
}

/* One thread's share of a run of rows; false where there is no memory. */
static bool pick_blocks(const bl_explainer *e, const bl_margins_job *job)
{
    void *memory = bli_scratch_borrow(e);
    bl_scratch scratch;
    if (memory)
        bli_scratch_lay_out(e, (size_t)bli_round_up(e->block_rows, BLK_STRIDE), memory,
                            &scratch);
    const uint64_t n_rows = job->n_rows, block = e->block_rows;
#pragma omp for schedule(dynamic, 1)
    for (uint64_t at = 0; at < n_rows; at += block) {
        bl_margins_job part = {
            .x = job->x + at * e->n_features,
            .n_rows = n_rows - at < block ? n_rows - at : block,
            .base = job->base ? job->base + at * e->n_outputs : NULL,
            .margins = job->margins + at * e->n_outputs,
        };
        if (memory)
            bli_margins_block(e, &part, &scratch);
    }
    bli_scratch_give_back(e, memory);
    return memory != NULL;
}

static bl_status margins_of(const bl_explainer *e, const bl_margins_job *job,
                            int n_threads, bl_err *err)
{
    if (!e->lanes || e->forest->linear || job->n_rows < ROWS_FOR_LANES) {
        walk(e->forest, e->first, e->last, job, n_threads);
        return BL_OK;
    }
    bool short_of_memory = false;
#pragma omp parallel num_threads(n_threads) if (n_threads > 1)                           \
    reduction(||                                                                         \
              : short_of_memory)
    short_of_memory = !pick_blocks(e, job);
    return short_of_memory ? bli_scratch_none(e, err) : BL_OK;
}

bl_status bli_explainer_margins(const bl_explainer *explainer, const float *rows,
                                uint64_t n_rows, float *margins, bl_err *err)
{
    /* A thread is worth waking for some 100 microseconds: so many rows down so many trees. */
    double worth = 1 + (double)n_rows * (double)explainer->n_trees / 20000;
    int n_threads = omp_get_max_threads();
    if ((double)n_threads > worth)
        n_threads = (int)worth;
    bl_margins_job job = {.x = rows, .n_rows = n_rows, .margins = margins};
    return margins_of(explainer, &job, n_threads, err);
}

static bl_status check_rows(const bl_forest *forest, const bl_matrix *matrix, bl_err *err)
{
    const bl_roles *roles = &matrix->roles;
    if (matrix->n_features != forest->n_features)
        return bli_fail(err, BL_E_SHAPE, "rows have %zu features, the model has %zu",
                        matrix->n_features, forest->n_features);
    if (roles->n_base_margins && roles->n_base_margins != forest->n_outputs)
        return bli_fail(
            err, BL_E_SHAPE,
            "rows have %zu base margins, the model has %zu outputs: give one for each",
            roles->n_base_margins, forest->n_outputs);
    return BL_OK;
}

bl_status bli_predict_matrix(const bl_forest *forest, size_t first, size_t last,
                             const bl_matrix *matrix, int n_threads, float *margins,
                             bl_err *err)
{
    bl_status st = check_rows(forest, matrix, err);
    bl_explainer *explainer = NULL;
    if (st == BL_OK && matrix->n_rows >= ROWS_FOR_WRITING)
        st = bli_explainer_new_for(forest, first, last, ~BLK_CPU_FMAF, true, &explainer,
                                   err);
    if (n_threads <= 0)
        n_threads = omp_get_max_threads();
    for (size_t b = 0; st == BL_OK && b < matrix->n_blocks; b++) {
        const bl_block *block = matrix->blocks + b;
        size_t out = (size_t)block->first_row * forest->n_outputs;
        bl_margins_job job = {
            .x = block->x,
            .n_rows = block->n_rows,
            .base =
                matrix->roles.n_base_margins ? matrix->roles.base_margins + out : NULL,
            .margins = margins + out,
        };
        if (explainer)
            st = margins_of(explainer, &job, n_threads, err);
        else
            walk(forest, first, last, &job, n_threads);
    }
    bli_explainer_free(explainer);
    return st;
}
