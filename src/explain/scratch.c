/* SPDX-License-Identifier: Apache-2.0 */
/* What one thread works in: one piece of memory, cut to the size of its rows. */
#include "explain/explain_priv.h"

#include <stdlib.h>

/* A buffer that grows by parts, each aligned; NULL memory: only counts. */
typedef struct layout {
    char *memory;
    size_t used;
} layout;

static void *take(layout *l, size_t n, size_t size)
{
    void *at = l->memory ? l->memory + l->used : NULL;
    l->used += (size_t)bli_round_up(n * size, BLK_ALIGN);
    return at;
}

/* Columns of `stride` rows: 1 for one row by itself, else a multiple of BLK_STRIDE. */
static size_t lay_out(const bl_explainer *e, size_t stride, layout l, bl_scratch *scratch)
{
    size_t depth = e->lane_depth;
    size_t slot = stride == 1 ? BLK_ROW_SLOT : BLK_MAX_POINTS * stride + BLK_STRIDE;
    scratch->memory = l.memory;
    scratch->stride = stride;
    scratch->phi = take(&l, e->n_used * stride, sizeof(double));
    scratch->kernel = take(&l, blk_shap_row_scratch(e->max_depth), sizeof(double));
    scratch->row = take(&l, e->n_used, sizeof(double));
    scratch->leaf = take(&l, stride, sizeof(float));
    scratch->margin = take(&l, stride, sizeof(float));
    scratch->exact = take(&l, stride, sizeof(double));
    scratch->total = take(&l, stride, sizeof(double));
    if (!e->lanes)
        return l.used;
    blk_lanes_block *b = &scratch->block;
    *b = (blk_lanes_block){.stride = stride};
    b->x = take(&l, (2 * e->n_used + e->max_special) * stride + 1, sizeof(float));
    b->phi = take(&l, e->n_used * stride, sizeof(float));
    b->slots = take(&l, (2 * depth + 4) * slot, sizeof(float));
    b->d = take(&l, (depth + 1) * stride, sizeof(float));
    b->activity = take(&l, (2 * depth + 8) * stride, 4);
    return l.used;
}

bl_status bli_scratch_init(const bl_explainer *e, uint64_t n_rows,
                           bl_scratch *ret_scratch, bl_err *err)
{
    size_t stride = (size_t)bli_round_up(n_rows, BLK_STRIDE);
    size_t bytes = lay_out(e, stride, (layout){NULL, 0}, ret_scratch);
    void *memory = aligned_alloc(BLK_ALIGN, bytes);
    if (!memory)
        return bli_fail(err, BL_E_NOMEM, "no memory for explaining rows (%zu bytes)",
                        bytes);
    lay_out(e, stride, (layout){memory, 0}, ret_scratch);
    return BL_OK;
}

size_t bli_scratch_bytes(const bl_explainer *e)
{
    bl_scratch unused;
    size_t stride = (size_t)bli_round_up(bli_block_rows_of(e), BLK_STRIDE);
    size_t many = lay_out(e, stride, (layout){NULL, 0}, &unused);
    size_t one = lay_out(e, 1, (layout){NULL, 0}, &unused);
    return many > one ? many : one;
}

void bli_scratch_done(bl_scratch *scratch)
{
    free(scratch->memory);
    *scratch = (bl_scratch){0};
}

void bli_scratch_lay_out(const bl_explainer *e, size_t stride, void *memory,
                         bl_scratch *ret_scratch)
{
    *ret_scratch = (bl_scratch){0};
    lay_out(e, stride, (layout){memory, 0}, ret_scratch);
}

/* --- Kept from call to call ----------------------------------------------------------- */

/* Scratch of earlier calls, kept for the next ones: any thread takes what it finds. */
void *bli_scratch_borrow(const bl_explainer *e)
{
    for (size_t i = 0; i < BL_SPARE; i++) {
        void *memory = atomic_exchange(&e->spare[i], NULL);
        if (memory)
            return memory;
    }
    return aligned_alloc(BLK_ALIGN, e->scratch_bytes);
}

bl_status bli_scratch_none(const bl_explainer *e, bl_err *err)
{
    return bli_fail(err, BL_E_NOMEM, "no memory for explaining rows (%zu bytes)",
                    e->scratch_bytes);
}

void bli_scratch_give_back(const bl_explainer *e, void *memory)
{
    for (size_t i = 0; memory && i < BL_SPARE; i++) {
        void *none = NULL;
        if (atomic_compare_exchange_strong(&e->spare[i], &none, memory))
            return;
    }
    free(memory);
}
