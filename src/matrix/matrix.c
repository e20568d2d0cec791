/* SPDX-License-Identifier: Apache-2.0 */
/* Rows: taking some, putting two matrices together. */
#include "matrix/matrix.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void bli_matrix_free(bl_matrix *matrix)
{
    if (!matrix)
        return;
    bli_blocks_free(matrix->blocks, matrix->n_blocks);
    bli_roles_done(&matrix->roles);
    bli_files_done(&matrix->files);
    free(matrix);
}

const bl_block *bli_matrix_block(const bl_matrix *matrix, uint64_t row)
{
    size_t low = 0, high = matrix->n_blocks;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (matrix->blocks[middle].first_row <= row)
            low = middle;
        else
            high = middle;
    }
    return &matrix->blocks[low];
}

static bl_status new_matrix(const bl_matrix *like, uint64_t n_rows,
                            bl_matrix **ret_matrix, bl_err *err)
{
    void *matrix;
    bl_status st = bli_alloc(1, sizeof(bl_matrix), "a matrix", &matrix, err);
    if (st != BL_OK)
        return st;
    *(bl_matrix *)matrix = (bl_matrix){
        .schema = like->schema, .n_features = like->n_features, .n_rows = n_rows};
    *ret_matrix = matrix;
    return BL_OK;
}

static bl_status take_block(const bl_matrix *matrix, const uint64_t *row, bl_block *block,
                            bl_err *err)
{
    size_t width = matrix->n_features, cells;
    void *x;
    if (!bli_mul((size_t)block->n_rows, width, &cells))
        return bli_fail(err, BL_E_NOMEM, "no memory for rows");
    bl_status st = bli_alloc(cells, sizeof(float), "rows", &x, err);
    if (st != BL_OK)
        return st;
    block->x = x;
    for (uint64_t i = 0; i < block->n_rows; i++) {
        const bl_block *from = bli_matrix_block(matrix, row[i]);
        memcpy(block->x + i * width, from->x + (row[i] - from->first_row) * width,
               width * sizeof(float));
    }
    return BL_OK;
}

static bl_status take_blocks(const bl_matrix *matrix, const uint64_t *row,
                             bl_matrix *into, bl_err *err)
{
    uint64_t step = bli_block_rows(matrix->n_features);
    size_t n_blocks = (size_t)((into->n_rows + step - 1) / step);
    void *blocks;
    bl_status st = bli_alloc(n_blocks, sizeof(bl_block), "rows", &blocks, err);
    if (st != BL_OK)
        return st;
    into->blocks = blocks;
    for (size_t b = 0; st == BL_OK && b < n_blocks; b++) {
        uint64_t first = b * step, left = into->n_rows - first;
        into->blocks[b] =
            (bl_block){.first_row = first, .n_rows = left < step ? left : step};
        into->n_blocks = b + 1;
        st = take_block(matrix, row + first, &into->blocks[b], err);
    }
    return st;
}

/* Rows of an array [n_rows][width]; NULL stays NULL. */
static bl_status take_floats(const float *from, size_t width, const uint64_t *row,
                             uint64_t n, float **ret_floats, bl_err *err)
{
    if (!from)
        return BL_OK;
    void *floats;
    bl_status st =
        bli_alloc((size_t)n * width, sizeof(float), "row values", &floats, err);
    if (st != BL_OK)
        return st;
    float *into = floats;
    for (uint64_t i = 0; i < n; i++)
        memcpy(into + i * width, from + row[i] * width, width * sizeof(float));
    *ret_floats = into;
    return BL_OK;
}

static bl_status take_text(const bl_text_column *from, const uint64_t *row, uint64_t n,
                           bl_text_column *into, bl_err *err)
{
    uint64_t bytes = 0;
    for (uint64_t i = 0; i < n; i++)
        bytes += from->offset[row[i] + 1] - from->offset[row[i]];
    void *text, *offset;
    bl_status st = bli_strdup(from->name, &into->name, err);
    if (st == BL_OK && (st = bli_alloc((size_t)bytes, 1, "ids", &text, err)) == BL_OK)
        into->text = text;
    if (st == BL_OK &&
        (st = bli_alloc((size_t)n + 1, sizeof(uint64_t), "ids", &offset, err)) == BL_OK)
        into->offset = offset;
    for (uint64_t i = 0, at = 0; st == BL_OK && i < n; i++) {
        uint64_t first = from->offset[row[i]], length = from->offset[row[i] + 1] - first;
        memcpy(into->text + at, from->text + first, (size_t)length);
        at += length;
        into->offset[i + 1] = at;
    }
    return st;
}

static bl_status take_ids(const bl_roles *from, const uint64_t *row, uint64_t n,
                          bl_roles *into, bl_err *err)
{
    if (!from->n_ids)
        return BL_OK;
    void *ids;
    bl_status st = bli_alloc(from->n_ids, sizeof(bl_text_column), "ids", &ids, err);
    if (st != BL_OK)
        return st;
    into->ids = ids;
    into->n_ids = from->n_ids;
    for (size_t i = 0; st == BL_OK && i < from->n_ids; i++)
        st = take_text(&from->ids[i], row, n, &into->ids[i], err);
    return st;
}

/* Sizes of the groups of the taken rows: a new group begins where the old group's index
 * changes. */
static bl_status take_groups(const bl_matrix *matrix, const uint64_t *row, uint64_t n,
                             bl_roles *into, bl_err *err)
{
    const bl_roles *from = &matrix->roles;
    if (!from->group_rows)
        return BL_OK;
    void *group_of_block, *sizes;
    bl_status st = bli_alloc((size_t)matrix->n_rows, sizeof(uint64_t), "groups",
                             &group_of_block, err);
    if (st != BL_OK)
        return st;
    uint64_t *group_of = group_of_block, at = 0;
    for (size_t g = 0; g < from->n_groups; g++)
        for (uint64_t i = 0; i < from->group_rows[g]; i++)
            group_of[at++] = g;
    st = bli_alloc((size_t)n, sizeof(uint64_t), "groups", &sizes, err);
    if (st == BL_OK) {
        into->group_rows = sizes;
        for (uint64_t i = 0; i < n; i++) {
            if (i == 0 || group_of[row[i]] != group_of[row[i - 1]])
                into->n_groups++;
            into->group_rows[into->n_groups - 1]++;
        }
    }
    free(group_of);
    return st;
}

static bl_status take_roles(const bl_matrix *matrix, const uint64_t *row, uint64_t n,
                            bl_roles *into, bl_err *err)
{
    const bl_roles *from = &matrix->roles;
    into->n_labels = from->n_labels;
    into->n_base_margins = from->n_base_margins;
    bl_status st = take_floats(from->labels, from->n_labels, row, n, &into->labels, err);
    if (st == BL_OK)
        st = take_floats(from->weights, 1, row, n, &into->weights, err);
    if (st == BL_OK)
        st = take_floats(from->lower_bounds, 1, row, n, &into->lower_bounds, err);
    if (st == BL_OK)
        st = take_floats(from->upper_bounds, 1, row, n, &into->upper_bounds, err);
    if (st == BL_OK)
        st = take_floats(from->base_margins, from->n_base_margins, row, n,
                         &into->base_margins, err);
    if (st == BL_OK)
        st = take_groups(matrix, row, n, into, err);
    return st == BL_OK ? take_ids(from, row, n, into, err) : st;
}

bl_status bli_matrix_take_rows(const bl_matrix *matrix, const uint64_t *row, uint64_t n,
                               bl_matrix **ret_matrix, bl_err *err)
{
    bl_matrix *taken;
    bl_status st = new_matrix(matrix, n, &taken, err);
    if (st != BL_OK)
        return st;
    st = take_blocks(matrix, row, taken, err);
    if (st == BL_OK)
        st = take_roles(matrix, row, n, &taken->roles, err);
    if (st == BL_OK)
        *ret_matrix = taken;
    else
        bli_matrix_free(taken);
    return st;
}

/* --- Two matrices, one after the other ---------------------------------------------- */

static bl_status join(void *a, size_t n_a, const void *b, size_t n_b, size_t size,
                      void **ret_joined, bl_err *err)
{
    if (!a && !b)
        return BL_OK;
    void *joined;
    bl_status st = bli_alloc(n_a + n_b, size, "row values", &joined, err);
    if (st != BL_OK)
        return st;
    if (a && n_a)
        memcpy(joined, a, n_a * size);
    if (b && n_b)
        memcpy((char *)joined + n_a * size, b, n_b * size);
    free(a);
    *ret_joined = joined;
    return BL_OK;
}

static bl_status join_floats(float **a, uint64_t n_a, const float *b, uint64_t n_b,
                             size_t width, bl_err *err)
{
    void *joined = *a;
    bl_status st = join(*a, (size_t)n_a * width, b, (size_t)n_b * width, sizeof(float),
                        &joined, err);
    *a = joined;
    return st;
}

static bl_status join_text(bl_text_column *a, uint64_t n_a, const bl_text_column *b,
                           uint64_t n_b, bl_err *err)
{
    uint64_t bytes_a = a->offset[n_a], bytes_b = b->offset[n_b];
    void *text = a->text, *offset = a->offset;
    bl_status st =
        join(a->text, (size_t)bytes_a, b->text, (size_t)bytes_b, 1, &text, err);
    a->text = text;
    if (st == BL_OK)
        st = join(a->offset, (size_t)n_a + 1, b->offset + 1, (size_t)n_b,
                  sizeof(uint64_t), &offset, err);
    a->offset = offset;
    for (uint64_t i = 1; st == BL_OK && i <= n_b; i++)
        a->offset[n_a + i] += bytes_a;
    return st;
}

static bl_status join_roles(bl_roles *a, uint64_t n_a, const bl_roles *b, uint64_t n_b,
                            bl_err *err)
{
    void *groups = a->group_rows;
    bl_status st = join_floats(&a->labels, n_a, b->labels, n_b, a->n_labels, err);
    if (st == BL_OK)
        st = join_floats(&a->weights, n_a, b->weights, n_b, 1, err);
    if (st == BL_OK)
        st = join_floats(&a->lower_bounds, n_a, b->lower_bounds, n_b, 1, err);
    if (st == BL_OK)
        st = join_floats(&a->upper_bounds, n_a, b->upper_bounds, n_b, 1, err);
    if (st == BL_OK)
        st = join_floats(&a->base_margins, n_a, b->base_margins, n_b, a->n_base_margins,
                         err);
    if (st == BL_OK && a->group_rows) {
        st = join(a->group_rows, a->n_groups, b->group_rows, b->n_groups,
                  sizeof(uint64_t), &groups, err);
        a->group_rows = groups;
        a->n_groups += st == BL_OK ? b->n_groups : 0;
    }
    for (size_t i = 0; st == BL_OK && i < a->n_ids; i++)
        st = join_text(&a->ids[i], n_a, &b->ids[i], n_b, err);
    return st;
}

static bl_status join_files(bl_matrix *a, bl_matrix *b, bl_err *err)
{
    void *files = a->files.file;
    size_t n_a = a->files.n, n_b = b->files.n;
    bl_status st =
        join(a->files.file, n_a, b->files.file, n_b, sizeof(bl_file), &files, err);
    a->files.file = files;
    if (st != BL_OK)
        return st;
    for (size_t i = 0; i < n_b; i++)
        a->files.file[n_a + i].first_row += a->n_rows;
    a->files.n += n_b;
    b->files.n = 0; /* the paths have moved */
    return BL_OK;
}

static bl_status join_blocks(bl_matrix *a, bl_matrix *b, bl_err *err)
{
    void *blocks = a->blocks;
    bl_status st = join(a->blocks, a->n_blocks, b->blocks, b->n_blocks, sizeof(bl_block),
                        &blocks, err);
    a->blocks = blocks;
    if (st != BL_OK)
        return st;
    for (size_t i = 0; i < b->n_blocks; i++)
        a->blocks[a->n_blocks + i].first_row += a->n_rows;
    a->n_blocks += b->n_blocks;
    b->n_blocks = 0; /* the rows have moved */
    return BL_OK;
}

bl_status bli_matrix_append(bl_matrix **take_a, bl_matrix **take_b,
                            bl_matrix **ret_matrix, bl_err *err)
{
    bl_matrix *a = *take_a, *b = *take_b;
    if (a->n_features != b->n_features || a->roles.n_labels != b->roles.n_labels ||
        a->roles.n_ids != b->roles.n_ids || !a->roles.weights != !b->roles.weights ||
        !a->roles.group_rows != !b->roles.group_rows)
        return bli_fail(err, BL_E_SHAPE, "two sets of rows with different columns");
    bl_status st = join_roles(&a->roles, a->n_rows, &b->roles, b->n_rows, err);
    if (st == BL_OK)
        st = join_files(a, b, err);
    if (st == BL_OK)
        st = join_blocks(a, b, err);
    if (st != BL_OK)
        return st;
    a->n_rows += b->n_rows;
    bli_matrix_free(b);
    *take_a = *take_b = NULL;
    *ret_matrix = a;
    return BL_OK;
}
