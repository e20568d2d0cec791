/* SPDX-License-Identifier: Apache-2.0 */
/* Rows through a fitted transform: into a matrix, by blocks side by side, or into CSV. */
#include "preprocess/transform_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- One block of rows ------------------------------------------------------------------ */

/* What a thread works in: one column of n rows, and the inputs of a PCA. */
typedef struct bench {
    uint64_t rows;
    double *column;
    double *joint; /* [largest n_in][rows] */
    const double **in;
    size_t joint_of; /* PCA whose inputs of which rows lie there */
    uint64_t joint_first;
} bench;

static void bench_done(bench *b)
{
    free(b->column);
    free(b->joint);
    free(b->in);
}

static bl_status bench_new(const bl_transform *t, uint64_t rows, bench *ret, bl_err *err)
{
    size_t widest = 0, cells;
    void *column, *joint, *in;
    for (size_t p = 0; p < t->n_pcas; p++)
        widest = t->pcas[p].n_in > widest ? t->pcas[p].n_in : widest;
    if (!bli_mul(widest, (size_t)rows, &cells))
        cells = SIZE_MAX;
    *ret = (bench){.rows = rows, .joint_of = BL_NONE};
    bl_status st = bli_alloc((size_t)rows, sizeof(double), "a block", &column, err);
    if (st != BL_OK)
        return st;
    ret->column = column;
    st = bli_alloc(cells, sizeof(double), "a block", &joint, err);
    if (st != BL_OK)
        return st;
    ret->joint = joint;
    st = bli_alloc(widest, sizeof(double *), "a block", &in, err);
    if (st == BL_OK)
        ret->in = in;
    return st;
}

/* Rows [first, first + n) of a model column into b->column. */
static bl_status fill_column(const bl_bound *bound, const bl_model_column *column,
                             uint64_t first, uint64_t n, bench *b, bl_err *err)
{
    if (column->made != BL_NONE)
        return bli_bound_made(bound, column->made, first, n, b->column, err);
    const bl_pca *pca = &bound->t->pcas[column->pca];
    bl_status st = BL_OK;
    if (b->joint_of != column->pca || b->joint_first != first) {
        for (size_t j = 0; st == BL_OK && j < pca->n_in; j++) {
            b->in[j] = b->joint + j * b->rows;
            st = bli_bound_made(bound, pca->in[j], first, n, b->joint + j * b->rows, err);
        }
        b->joint_of = column->pca;
        b->joint_first = first;
    }
    if (st == BL_OK)
        bli_pca_apply(pca, column->component, b->in, n, b->column);
    return st;
}

static bl_status narrow(const bl_bound *bound, size_t c, const double *from,
                        uint64_t first, uint64_t n, size_t width, float *x, bl_err *err)
{
    for (uint64_t i = 0; i < n; i++) {
        float value = (float)from[i];
        if (isinf(value)) {
            char place[200];
            uint64_t r = bound->row ? bound->row[first + i] : first + i;
            return bli_fail(
                err, BL_E_DATA,
                "%s: the plan makes %g of column %zu of the model, larger than "
                "float32 holds (3.4e38)",
                bli_frame_place(bound->frame, r, place, sizeof place), from[i], c);
        }
        x[i * width + c] = value;
    }
    return BL_OK;
}

static bl_status fill_block(const bl_bound *bound, bl_block *block, bl_err *err)
{
    const bl_transform *t = bound->t;
    bench b = {0};
    void *x;
    size_t cells;
    if (!bli_mul((size_t)block->n_rows, t->n_columns, &cells))
        return bli_fail(err, BL_E_NOMEM, "no memory for rows");
    bl_status st = bli_alloc(cells, sizeof(float), "rows", &x, err);
    if (st != BL_OK)
        return st;
    block->x = x;
    st = bench_new(t, block->n_rows, &b, err);
    for (size_t c = 0; st == BL_OK && c < t->n_columns; c++) {
        st = fill_column(bound, &t->columns[c], block->first_row, block->n_rows, &b, err);
        if (st == BL_OK)
            st = narrow(bound, c, b.column, block->first_row, block->n_rows, t->n_columns,
                        block->x, err);
    }
    bench_done(&b);
    return st;
}

/* --- A matrix ------------------------------------------------------------------------------ */

static bl_status fill_matrix(const bl_bound *bound, bl_matrix *matrix, bl_err *err)
{
    uint64_t step = bli_block_rows(matrix->n_features);
    size_t n_blocks = (size_t)((matrix->n_rows + step - 1) / step), first_bad = n_blocks;
    void *blocks;
    bl_err *first = NULL;
    bl_status st = bli_alloc(n_blocks, sizeof(bl_block), "rows", &blocks, err);
    if (st != BL_OK)
        return st;
    matrix->blocks = blocks;
    matrix->n_blocks = n_blocks;
    first = calloc(1, sizeof *first);
    if (!first)
        return bli_fail(err, BL_E_NOMEM, "no memory for rows");
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t k = 0; k < n_blocks; k++) {
        bl_err own = {0};
        uint64_t at = k * step, left = matrix->n_rows - at;
        matrix->blocks[k] =
            (bl_block){.first_row = at, .n_rows = left < step ? left : step};
        if (fill_block(bound, &matrix->blocks[k], &own) != BL_OK) {
#pragma omp critical
            if (k < first_bad) {
                first_bad = k;
                *first = own;
            }
        }
    }
    if (first_bad < n_blocks) {
        st = first->status;
        if (err)
            *err = *first;
    }
    free(first);
    return st;
}

bl_status bli_transform_matrix(const bl_transform *t, const bl_schema *schema,
                               bl_frame *frame, const uint64_t *row, uint64_t n,
                               bool training, bool optional, bool take_files,
                               bool *ret_said, const bl_log *log, bl_matrix **ret_matrix,
                               bl_err *err)
{
    void *block;
    bl_bound bound = {0};
    if (!row)
        n = frame->n_rows;
    bl_status st = bli_bind(t, frame, row, n, training, log, &bound, err);
    if (st == BL_OK && ret_said)
        *ret_said |= bound.n_unseen > 0;
    if (st == BL_OK)
        st = bli_alloc(1, sizeof(bl_matrix), "a matrix", &block, err);
    if (st != BL_OK) {
        bli_bound_done(&bound);
        return st;
    }
    bl_matrix *matrix = block;
    *matrix = (bl_matrix){.schema = schema, .n_features = t->n_columns, .n_rows = n};
    st = fill_matrix(&bound, matrix, err);
    if (st == BL_OK)
        st =
            bli_roles_of(t, frame, bound.by_place, row, n, optional, &matrix->roles, err);
    bli_bound_done(&bound);
    if (st != BL_OK) {
        bli_matrix_free(matrix);
        return st;
    }
    if (take_files) {
        matrix->files = frame->files;
        frame->files = (bl_files){0};
    }
    *ret_matrix = matrix;
    return BL_OK;
}

/* --- CSV -------------------------------------------------------------------------------------- */

enum { CSV_ROWS = 4096 };

static void put_text(bl_buf *out, const char *text)
{
    if (!strpbrk(text, ",\"\n\r") && *text != ' ' && *text != '\t') {
        bli_buf_text(out, text);
        return;
    }
    bli_buf_char(out, '"');
    for (; *text; text++) {
        if (*text == '"')
            bli_buf_char(out, '"');
        bli_buf_char(out, *text);
    }
    bli_buf_char(out, '"');
}

/* As Python's repr prints a double; whole: as an integer. */
static void put_number(bl_buf *out, double value, bool whole)
{
    char text[BL_NUMBER_BYTES];
    if (isnan(value))
        return;
    size_t n = bli_write_double(value, text);
    if (whole && n > 2 && memcmp(text + n - 2, ".0", 2) == 0)
        n -= 2;
    bli_buf_add(out, text, n);
}

/* Columns before the features, in this order. */
static const bl_place_role written_parts[] = {BL_AS_WEIGHT, BL_AS_GROUP,  BL_AS_LOWER,
                                              BL_AS_UPPER,  BL_AS_MARGIN, BL_AS_ID};

typedef struct csv {
    const bl_bound *bound;
    const double *labels; /* [n][n_labels] */
    bool *whole_label;    /* [n_labels] written as integers, as they came */
    bool *whole_feature;  /* [n_columns] likewise, where no entry of the plan names it */
    size_t n_places;      /* roles besides the label */
    size_t *place;
    bl_text_sink write;
    void *cookie;
} csv;

static void put_names(const csv *c, const bl_schema *schema, bl_buf *out)
{
    const bl_transform *t = c->bound->t;
    bool comma = false;
    for (size_t k = 0; k < t->n_of[BL_AS_LABEL] + c->n_places; k++) {
        size_t n_labels = t->n_of[BL_AS_LABEL];
        size_t place =
            k < n_labels ? bli_place_of(t, BL_AS_LABEL, k) : c->place[k - n_labels];
        if (comma)
            bli_buf_char(out, ',');
        comma = true;
        if (t->file_columns[place])
            put_text(out, t->file_columns[place]);
        else
            bli_buf_printf(out, "f%zu", place);
    }
    for (size_t i = 0; i < schema->n_features; i++) {
        if (comma)
            bli_buf_char(out, ',');
        comma = true;
        put_text(out, schema->features[i].name);
    }
    bli_buf_char(out, '\n');
}

static void put_role(const csv *c, size_t place, uint64_t r, bl_buf *out)
{
    const bl_frame_column *column = c->bound->by_place[place];
    if (column->kind != BL_FRAME_TEXT)
        put_number(out, column->numbers[r], column->is_whole);
    else if (column->codes[r] != BL_NO_LEVEL)
        put_text(out, bli_levels_text(column->levels, column->codes[r]));
}

static void put_row(const csv *c, const bl_schema *schema, const double *values,
                    uint64_t first, uint64_t i, bl_buf *out)
{
    const bl_transform *t = c->bound->t;
    size_t n_labels = t->n_of[BL_AS_LABEL];
    uint64_t at = first + i, r = c->bound->row ? c->bound->row[at] : at;
    bool comma = false;
    for (size_t k = 0; k < n_labels + c->n_places; k++) {
        if (comma)
            bli_buf_char(out, ',');
        comma = true;
        if (k < n_labels)
            put_number(out, c->labels[at * n_labels + k], c->whole_label[k]);
        else
            put_role(c, c->place[k - n_labels], r, out);
    }
    for (size_t k = 0; k < schema->n_features; k++) {
        double value = values[k * CSV_ROWS + i];
        const bl_levels *levels = schema->features[k].levels;
        if (comma)
            bli_buf_char(out, ',');
        comma = true;
        if (levels && !isnan(value))
            put_text(out, bli_levels_text(levels, (uint32_t)value));
        else
            put_number(out, value, c->whole_feature[k]);
    }
    bli_buf_char(out, '\n');
}

static bl_status write_rows(const csv *c, const bl_schema *schema, bl_err *err)
{
    const bl_transform *t = c->bound->t;
    bench b = {0};
    bl_buf out = {0};
    void *values = NULL;
    size_t cells;
    bl_status st = bench_new(t, CSV_ROWS, &b, err);
    if (st == BL_OK)
        st = bli_mul(t->n_columns, CSV_ROWS, &cells)
                 ? bli_alloc(cells, sizeof(double), "rows", &values, err)
                 : bli_fail(err, BL_E_NOMEM, "no memory for rows");
    for (uint64_t first = 0; st == BL_OK && first < c->bound->n_rows; first += CSV_ROWS) {
        uint64_t left = c->bound->n_rows - first, n = left < CSV_ROWS ? left : CSV_ROWS;
        for (size_t k = 0; st == BL_OK && k < t->n_columns; k++) {
            st = fill_column(c->bound, &t->columns[k], first, n, &b, err);
            if (st == BL_OK)
                memcpy((double *)values + k * CSV_ROWS, b.column,
                       (size_t)n * sizeof(double));
        }
        out.n = 0;
        for (uint64_t i = 0; st == BL_OK && i < n; i++)
            put_row(c, schema, values, first, i, &out);
        if (st == BL_OK)
            st = bli_buf_check(&out, "rows", err);
        if (st == BL_OK)
            st = c->write(c->cookie, out.data, out.n, err);
    }
    bli_buf_done(&out);
    bench_done(&b);
    free(values);
    return st;
}

static bool has_whole_classes(const bl_transform *t)
{
    bool whole = !t->has_other_class || t->other_class == floor(t->other_class);
    for (uint32_t k = 0; k < bli_levels_count(t->classes); k++)
        whole &= t->class_value[k] == floor(t->class_value[k]);
    return whole;
}

/* Which columns are written as the integers they came as. */
static bl_status find_whole(csv *c, bl_err *err)
{
    const bl_transform *t = c->bound->t;
    void *labels, *features;
    bl_status st = bli_alloc(t->n_of[BL_AS_LABEL], 1, "columns", &labels, err);
    if (st != BL_OK)
        return st;
    c->whole_label = labels;
    st = bli_alloc(t->n_columns, 1, "columns", &features, err);
    if (st != BL_OK)
        return st;
    c->whole_feature = features;
    for (size_t k = 0; k < t->n_of[BL_AS_LABEL]; k++) {
        const bl_frame_column *column =
            c->bound->by_place[bli_place_of(t, BL_AS_LABEL, k)];
        c->whole_label[k] =
            column && (column->kind == BL_FRAME_TEXT ? t->classes && has_whole_classes(t)
                                                     : column->is_whole);
    }
    for (size_t k = 0; k < t->n_columns; k++) {
        size_t made = t->columns[k].made;
        size_t s = made == BL_NONE ? BL_NONE : t->made_source[made];
        c->whole_feature[k] = s != BL_NONE && t->sources[s].entry == BL_NONE &&
                              c->bound->sources[s].column->is_whole;
    }
    return BL_OK;
}

static bl_status list_places(csv *c, bl_err *err)
{
    const bl_transform *t = c->bound->t;
    void *block;
    bl_status st = bli_alloc(t->n_file_columns, sizeof(size_t), "columns", &block, err);
    if (st != BL_OK)
        return st;
    c->place = block;
    for (size_t p = 0; p < BL_LEN(written_parts); p++)
        for (size_t k = 0; k < t->n_of[written_parts[p]]; k++)
            c->place[c->n_places++] = bli_place_of(t, written_parts[p], k);
    return BL_OK;
}

bl_status bli_transform_csv(const bl_transform *t, const bl_frame *frame,
                            const uint64_t *row, uint64_t n, bool training, bool names,
                            const bl_log *log, bl_text_sink write, void *cookie,
                            bl_err *err)
{
    bl_bound bound = {0};
    bl_schema *schema = NULL;
    double *labels = NULL;
    csv c = {.bound = &bound, .write = write, .cookie = cookie};
    bl_buf head = {0};
    if (!row)
        n = frame->n_rows;
    bl_status st = bli_bind(t, frame, row, n, training, log, &bound, err);
    if (st == BL_OK)
        st = bli_transform_schema(t, &schema, err);
    if (st == BL_OK)
        st = list_places(&c, err);
    if (st == BL_OK)
        st = find_whole(&c, err);
    if (st == BL_OK && t->n_of[BL_AS_LABEL])
        st = bli_labels_of(t, frame, bound.by_place, row, n, false, &labels, err);
    c.labels = labels;
    if (st == BL_OK && names) {
        put_names(&c, schema, &head);
        st = bli_buf_check(&head, "names", err);
        if (st == BL_OK)
            st = write(cookie, head.data, head.n, err);
    }
    if (st == BL_OK)
        st = write_rows(&c, schema, err);
    bli_buf_done(&head);
    free(labels);
    free(c.place);
    free(c.whole_label);
    free(c.whole_feature);
    bli_schema_free(schema);
    bli_bound_done(&bound);
    return st;
}
