/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XGBoost matrices from our float32 blocks.
 *
 * hist: a quantile matrix. XGBoost asks for the blocks one after the other, several times
 * (shape, sketch, bins, columns), and keeps one or two bytes a cell; no second float copy
 * exists. Everything else: an ordinary matrix, 8 bytes a value (README.md says why not
 * less).
 *
 * Only weights are given with the blocks, because the sketch uses them. All else is set
 * once the matrix is whole: a ranking group may cross from one block to the next.
 */
#include "train/train_priv.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARRAY_BYTES 192

bl_xgb_kind bli_xgb_kind(const bl_job *job)
{
    const char *process = bli_job_param(job, "process_type");
    const char *updater = bli_job_param(job, "updater");
    bool hist = !strcmp(job->tree_method, "hist") || !strcmp(job->tree_method, "auto");
    if (!strcmp(job->booster, "gblinear") || !hist)
        return BL_XGB_ORDINARY;
    if (process && !strcmp(process, "update"))
        return BL_XGB_ORDINARY;
    if (updater && *updater && !strstr(updater, "grow_quantile_histmaker"))
        return BL_XGB_ORDINARY;
    return BL_XGB_QUANTILE;
}

/* An array as XGBoost takes it (NumPy's array interface, version 3). columns 0: a vector.
 */
static const char *array_text(const void *data, const char *type, uint64_t rows,
                              uint64_t columns, char out[ARRAY_BYTES])
{
    char shape[64];
    if (columns)
        snprintf(shape, sizeof shape, "%llu, %llu", (unsigned long long)rows,
                 (unsigned long long)columns);
    else
        snprintf(shape, sizeof shape, "%llu", (unsigned long long)rows);
    snprintf(
        out, ARRAY_BYTES,
        "{\"data\": [%llu, true], \"typestr\": \"%s\", \"shape\": [%s], \"version\": 3}",
        (unsigned long long)(uintptr_t)data, type, shape);
    return out;
}

/* --- Quantile ----------------------------------------------------------------------- */

typedef struct feed {
    const bl_matrix *matrix;
    DMatrixHandle proxy;
    size_t block;
    uint64_t row;
    bool failed;
} feed;

static int set_proxy(feed *f, const bl_block *block)
{
    const bl_matrix *m = f->matrix;
    char text[ARRAY_BYTES];
    if (XGProxyDMatrixSetDataDense(
            f->proxy, array_text(block->x, "<f4", block->n_rows, m->n_features, text)))
        return -1;
    if (m->roles.weights &&
        XGDMatrixSetInfoFromInterface(
            f->proxy, "weight",
            array_text(m->roles.weights + f->row, "<f4", block->n_rows, 0, text)))
        return -1;
    return 0;
}

static int feed_next(DataIterHandle handle)
{
    feed *f = handle;
    while (f->block < f->matrix->n_blocks && !f->matrix->blocks[f->block].n_rows)
        f->block++;
    if (f->block == f->matrix->n_blocks || f->failed)
        return 0;
    const bl_block *block = &f->matrix->blocks[f->block++];
    if (set_proxy(f, block)) {
        f->failed = true;
        return 0;
    }
    f->row += block->n_rows;
    return 1;
}

static void feed_reset(DataIterHandle handle)
{
    feed *f = handle;
    f->block = 0;
    f->row = 0;
}

static bl_status set_types(DMatrixHandle handle, const bl_schema *schema, bl_err *err)
{
    if (!schema->has_types)
        return BL_OK;
    const char **types = NULL;
    bl_status st = bli_alloc(schema->n_features, sizeof *types, "feature types",
                             (void **)&types, err);
    if (st != BL_OK)
        return st;
    for (size_t i = 0; i < schema->n_features; i++)
        types[i] = schema->features[i].type;
    if (XGDMatrixSetStrFeatureInfo(handle, "feature_type", types, schema->n_features))
        st = bli_xgb_fail(err, "setting feature types");
    free(types);
    return st;
}

static bl_status quantile_matrix(const bl_train_input *input, const bl_matrix *matrix,
                                 DMatrixHandle reference, DMatrixHandle *ret, bl_err *err)
{
    feed f = {.matrix = matrix};
    if (XGProxyDMatrixCreate(&f.proxy))
        return bli_xgb_fail(err, "opening a matrix");
    bl_status st = set_types(f.proxy, matrix->schema, err);
    if (st != BL_OK)
        goto done;
    char config[128];
    snprintf(config, sizeof config,
             "{\"missing\": NaN, \"nthread\": %d, \"max_bin\": %lld}", input->nthread,
             (long long)input->job->max_bin);
    DMatrixHandle handle = NULL;
    int rc = XGQuantileDMatrixCreateFromCallback(&f, f.proxy, reference, feed_reset,
                                                 feed_next, config, &handle);
    if (rc || f.failed) {
        st = bli_xgb_fail(err, reference ? "building the validation matrix"
                                         : "building the training matrix");
        if (!rc)
            XGDMatrixFree(handle);
        goto done;
    }
    *ret = handle;
done:
    XGDMatrixFree(f.proxy);
    return st;
}

/* --- Ordinary ----------------------------------------------------------------------- */

/* Cells that go to XGBoost, or come back, at once: what lies beside them stays small. */
#define CHUNK_CELLS ((size_t)262144)

static uint64_t chunk_rows(size_t n_features)
{
    return n_features < CHUNK_CELLS ? CHUNK_CELLS / n_features : 1;
}

/*
 * XGBoost copies what it is handed, so a block of ours is freed as soon as the one after it is
 * asked for. bli_xgb_give_back puts them in place again.
 */
typedef struct pour {
    bl_matrix *matrix;
    size_t block;
    uint64_t row; /* next of the block */
    bool free_blocks;
    bool failed;
    int64_t *offset; /* [chunk + 1] */
    int *index;      /* [chunk][n_features], 0 .. n_features - 1 over and over */
} pour;

static int pour_next(DataIterHandle handle, XGBCallbackSetData *set,
                     DataHolderHandle holder)
{
    pour *p = handle;
    bl_matrix *m = p->matrix;
    while (p->block < m->n_blocks && p->row == m->blocks[p->block].n_rows) {
        if (p->free_blocks) {
            free(m->blocks[p->block].x);
            m->blocks[p->block].x = NULL;
        }
        p->block++;
        p->row = 0;
    }
    if (p->block == m->n_blocks)
        return 0;
    const bl_block *block = &m->blocks[p->block];
    uint64_t n = chunk_rows(m->n_features);
    if (n > block->n_rows - p->row)
        n = block->n_rows - p->row;
    XGBoostBatchCSR batch = {.size = n,
                             .columns = m->n_features,
                             .offset = p->offset,
                             .index = p->index,
                             .value = block->x + p->row * m->n_features};
    p->row += n;
    p->failed = set(holder, batch) != 0;
    return p->failed ? 0 : 1;
}

static bl_status ordinary_matrix(bl_matrix *matrix, DMatrixHandle *ret, bl_err *err)
{
    /* Rows can be had back by a 32-bit signed row number only. */
    pour p = {.matrix = matrix, .free_blocks = matrix->n_rows <= INT32_MAX};
    uint64_t rows = chunk_rows(matrix->n_features);
    size_t cells = rows * matrix->n_features;
    DMatrixHandle handle = NULL;
    bl_status st =
        bli_alloc(rows + 1, sizeof *p.offset, "row offsets", (void **)&p.offset, err);
    if (st == BL_OK)
        st = bli_alloc(cells, sizeof *p.index, "column numbers", (void **)&p.index, err);
    if (st == BL_OK) {
        for (uint64_t r = 0; r <= rows; r++)
            p.offset[r] = (int64_t)(r * matrix->n_features);
        for (size_t i = 0; i < cells; i++)
            p.index[i] = (int)(i % matrix->n_features);
        if (XGDMatrixCreateFromDataIter(&p, pour_next, NULL, NAN, &handle) || p.failed)
            st = bli_xgb_fail(err, "building a matrix");
    }
    if (st == BL_OK)
        st = set_types(handle, matrix->schema, err);
    free(p.offset);
    free(p.index);
    if (st == BL_OK)
        *ret = handle;
    else if (handle)
        XGDMatrixFree(handle);
    return st;
}

/* Buffers of one chunk on its way back. */
typedef struct scratch {
    int *row;         /* [chunk] */
    bst_ulong *start; /* [chunk + 1] */
    unsigned *index;  /* [chunk][n_features] */
    float *value;     /* likewise */
} scratch;

static void scratch_done(scratch *s)
{
    free(s->row);
    free(s->start);
    free(s->index);
    free(s->value);
}

static bl_status scratch_open(size_t n_features, scratch *s, bl_err *err)
{
    uint64_t rows = chunk_rows(n_features);
    size_t cells = rows * n_features;
    bl_status st = bli_alloc(rows, sizeof *s->row, "row numbers", (void **)&s->row, err);
    if (st == BL_OK)
        st =
            bli_alloc(rows + 1, sizeof *s->start, "row offsets", (void **)&s->start, err);
    if (st == BL_OK)
        st =
            bli_alloc(cells, sizeof *s->index, "column numbers", (void **)&s->index, err);
    if (st == BL_OK)
        st = bli_alloc(cells, sizeof *s->value, "cells", (void **)&s->value, err);
    return st;
}

/* Rows [first, first + n) of handle, to x. */
static bl_status fetch_rows(DMatrixHandle handle, uint64_t first, uint64_t n,
                            size_t n_features, const scratch *s, float *x, bl_err *err)
{
    DMatrixHandle part = NULL;
    for (uint64_t r = 0; r < n; r++)
        s->row[r] = (int)(first + r);
    int rc = XGDMatrixSliceDMatrixEx(handle, s->row, n, &part, 1);
    if (!rc)
        rc = XGDMatrixGetDataAsCSR(part, "{}", s->start, s->index, s->value);
    bl_status st = rc ? bli_xgb_fail(err, "fetching rows") : BL_OK;
    if (part)
        XGDMatrixFree(part);
    if (st != BL_OK)
        return st;
    for (size_t i = 0; i < n * n_features; i++)
        x[i] = NAN;
    for (uint64_t r = 0; r < n; r++)
        for (bst_ulong i = s->start[r]; i < s->start[r + 1]; i++)
            x[r * n_features + s->index[i]] = s->value[i];
    return BL_OK;
}

static bl_status fetch_block(DMatrixHandle handle, uint64_t first, size_t n_features,
                             const scratch *s, bl_block *block, bl_err *err)
{
    uint64_t chunk = chunk_rows(n_features);
    bl_status st = bli_alloc(block->n_rows * n_features, sizeof(float), "rows",
                             (void **)&block->x, err);
    for (uint64_t r = 0; st == BL_OK && r < block->n_rows; r += chunk) {
        uint64_t n = block->n_rows - r < chunk ? block->n_rows - r : chunk;
        st = fetch_rows(handle, first + r, n, n_features, s, block->x + r * n_features,
                        err);
    }
    return st;
}

bl_status bli_xgb_give_back(bl_matrix *matrix, DMatrixHandle handle, bl_err *err)
{
    bool any = false;
    for (size_t i = 0; i < matrix->n_blocks; i++)
        any |= !matrix->blocks[i].x;
    if (!any || !handle)
        return BL_OK;
    scratch s = {NULL, NULL, NULL, NULL};
    bl_status st = scratch_open(matrix->n_features, &s, err);
    uint64_t first = 0;
    for (size_t i = 0; st == BL_OK && i < matrix->n_blocks; i++) {
        bl_block *block = &matrix->blocks[i];
        if (!block->x)
            st = fetch_block(handle, first, matrix->n_features, &s, block, err);
        first += block->n_rows;
    }
    scratch_done(&s);
    return st;
}

/* --- What goes along with the rows -------------------------------------------------- */

static bl_status set_info(DMatrixHandle handle, const char *field, const void *data,
                          const char *type, uint64_t rows, size_t columns, bl_err *err)
{
    char text[ARRAY_BYTES];
    if (!data || !rows)
        return BL_OK;
    if (XGDMatrixSetInfoFromInterface(handle, field,
                                      array_text(data, type, rows, columns, text))) {
        char doing[64];
        snprintf(doing, sizeof doing, "setting %s", field);
        return bli_xgb_fail(err, doing);
    }
    return BL_OK;
}

/* XGBoost wants one weight a group; ours are one a row, equal within a group (checks.c).
 */
static bl_status set_weights(DMatrixHandle handle, const bl_matrix *m, bl_err *err)
{
    const bl_roles *r = &m->roles;
    if (!r->weights || !r->n_groups)
        return set_info(handle, "weight", r->weights, "<f4", m->n_rows, 0, err);
    float *weights = NULL;
    bl_status st =
        bli_alloc(r->n_groups, sizeof *weights, "group weights", (void **)&weights, err);
    if (st != BL_OK)
        return st;
    uint64_t row = 0;
    for (size_t g = 0; g < r->n_groups; g++) {
        weights[g] = r->weights[row];
        row += r->group_rows[g];
    }
    st = set_info(handle, "weight", weights, "<f4", r->n_groups, 0, err);
    free(weights);
    return st;
}

static bl_status set_roles(DMatrixHandle handle, const bl_matrix *m, bl_err *err)
{
    const bl_roles *r = &m->roles;
    bl_status st = set_info(handle, "label", r->labels, "<f4", m->n_rows,
                            r->n_labels > 1 ? r->n_labels : 0, err);
    if (st == BL_OK)
        st = set_info(handle, "group", r->group_rows, "<u8", r->n_groups, 0, err);
    if (st == BL_OK)
        st = set_weights(handle, m, err);
    if (st == BL_OK)
        st = set_info(handle, "label_lower_bound", r->lower_bounds, "<f4", m->n_rows, 0,
                      err);
    if (st == BL_OK)
        st = set_info(handle, "label_upper_bound", r->upper_bounds, "<f4", m->n_rows, 0,
                      err);
    if (st == BL_OK)
        st = set_info(handle, "base_margin", r->base_margins, "<f4", m->n_rows,
                      r->n_base_margins > 1 ? r->n_base_margins : 0, err);
    return st;
}

bl_status bli_xgb_matrix(const bl_train_input *input, bl_matrix *matrix,
                         DMatrixHandle reference, DMatrixHandle *ret_handle, bl_err *err)
{
    DMatrixHandle handle = NULL;
    bl_status st = bli_xgb_kind(input->job) == BL_XGB_QUANTILE
                       ? quantile_matrix(input, matrix, reference, &handle, err)
                       : ordinary_matrix(matrix, &handle, err);
    if (st != BL_OK)
        return st;
    st = set_roles(handle, matrix, err);
    if (st != BL_OK) {
        XGDMatrixFree(handle);
        return st;
    }
    *ret_handle = handle;
    return BL_OK;
}
