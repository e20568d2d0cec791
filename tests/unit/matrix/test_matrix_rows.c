/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/mem.h"
#include "matrix/matrix.h"

#include <stdlib.h>

enum { WIDTH = 3 };

static void *filled(size_t n, size_t size)
{
    void *block = calloc(n ? n : 1, size);
    assert_non_null(block);
    return block;
}

/* Rows first .. first + n: cell (r, c) = 10 r + c, label r, weight r + 0.5, two ids a
 * row, groups of three rows, in blocks of two. */
static bl_matrix *make_matrix(uint64_t first, uint64_t n)
{
    bl_matrix *matrix = filled(1, sizeof *matrix);
    *matrix =
        (bl_matrix){.n_features = WIDTH, .n_rows = n, .n_blocks = (size_t)(n + 1) / 2};
    matrix->blocks = filled(matrix->n_blocks, sizeof(bl_block));
    for (uint64_t r = 0; r < n; r++) {
        bl_block *block = &matrix->blocks[r / 2];
        if (!block->x) {
            block->x = filled(2 * WIDTH, sizeof(float));
            block->first_row = r;
        }
        for (int c = 0; c < WIDTH; c++)
            block->x[(r % 2) * WIDTH + (uint64_t)c] =
                (float)(10 * (first + r)) + (float)c;
        block->n_rows++;
    }
    bl_roles *roles = &matrix->roles;
    roles->n_labels = 1;
    roles->labels = filled(n, sizeof(float));
    roles->weights = filled(n, sizeof(float));
    roles->n_groups = (size_t)(n + 2) / 3;
    roles->group_rows = filled(roles->n_groups, sizeof(uint64_t));
    roles->n_ids = 1;
    roles->ids = filled(1, sizeof(bl_text_column));
    roles->ids[0].name = strdup("id");
    roles->ids[0].text = filled(16 * n, 1);
    roles->ids[0].offset = filled(n + 1, sizeof(uint64_t));
    for (uint64_t r = 0; r < n; r++) {
        uint64_t at = roles->ids[0].offset[r];
        roles->labels[r] = (float)(first + r);
        roles->weights[r] = (float)(first + r) + 0.5F;
        roles->group_rows[r / 3]++;
        int length = sprintf(roles->ids[0].text + at, "row%d", (int)(first + r));
        roles->ids[0].offset[r + 1] = at + (uint64_t)length;
    }
    matrix->files.n = 1;
    matrix->files.file = filled(1, sizeof(bl_file));
    matrix->files.file[0] = (bl_file){.path = strdup("a.csv"), .n_rows = n};
    return matrix;
}

/* Row i of the matrix is row `want` of make_matrix(0, ...). */
static void check_row(const bl_matrix *matrix, uint64_t i, uint64_t want)
{
    const bl_block *block = bli_matrix_block(matrix, i);
    const float *x = block->x + (i - block->first_row) * WIDTH;
    for (int c = 0; c < WIDTH; c++)
        CHECK(x[c] == (float)(10 * want) + (float)c, "row %d, column %d", (int)i, c);
    CHECK(matrix->roles.labels[i] == (float)want, "label %d", (int)i);
    CHECK(matrix->roles.weights[i] == (float)want + 0.5F, "weight %d", (int)i);
    const bl_text_column *ids = &matrix->roles.ids[0];
    char text[16];
    int n = sprintf(text, "row%d", (int)want);
    CHECK(ids->offset[i + 1] - ids->offset[i] == (uint64_t)n &&
              memcmp(ids->text + ids->offset[i], text, (size_t)n) == 0,
          "id %d", (int)i);
}

static void test_taken_rows_come_with_everything_of_theirs(void **state)
{
    (void)state;
    bl_err err = {0};
    bl_matrix *matrix = make_matrix(0, 11), *taken = NULL;
    const uint64_t row[] = {0, 2, 3, 4, 9, 10};
    CHECK_OK(bli_matrix_take_rows(matrix, row, BL_LEN(row), &taken, &err), err);
    CHECK(taken->n_rows == BL_LEN(row), "%d", (int)taken->n_rows);
    for (uint64_t i = 0; i < BL_LEN(row); i++)
        check_row(taken, i, row[i]);
    const uint64_t groups[] = {2, 2, 2}; /* of 0 2 | 3 4 | 9 10 */
    CHECK(taken->roles.n_groups == 3 &&
              memcmp(taken->roles.group_rows, groups, sizeof groups) == 0,
          "%zu groups", taken->roles.n_groups);
    bli_matrix_free(taken);
    bli_matrix_free(matrix);
}

static void test_one_matrix_after_another_is_their_rows_in_order(void **state)
{
    (void)state;
    bl_err err = {0};
    bl_matrix *a = make_matrix(0, 5), *b = make_matrix(5, 4), *both = NULL;
    CHECK_OK(bli_matrix_append(&a, &b, &both, &err), err);
    CHECK(!a && !b && both->n_rows == 9 && both->files.n == 2, "taken over");
    CHECK(both->files.file[1].first_row == 5, "second file begins at row 5");
    for (uint64_t i = 0; i < 9; i++)
        check_row(both, i, i);
    const uint64_t groups[] = {3, 2, 3, 1};
    CHECK(both->roles.n_groups == 4 &&
              memcmp(both->roles.group_rows, groups, sizeof groups) == 0,
          "groups");
    bli_matrix_free(both);
}

static void test_different_columns_do_not_go_together(void **state)
{
    (void)state;
    bl_err err = {0};
    bl_matrix *a = make_matrix(0, 2), *b = make_matrix(2, 2), *both = NULL;
    b->n_features = 2;
    CHECK_FAILS(bli_matrix_append(&a, &b, &both, &err), BL_E_SHAPE, err,
                "different columns");
    CHECK(a && b && !both, "nothing taken over");
    bli_matrix_free(a);
    bli_matrix_free(b);
}

static void test_a_schema_survives_json(void **state)
{
    (void)state;
    bl_err err = {0};
    const char *text =
        "{\"has_names\": true, \"has_types\": true, \"has_header\": false, "
        "\"sources\": [\"a b\", \"c\"], \"features\": ["
        "{\"name\": \"a b\", \"type\": \"float\", \"source\": 0},"
        "{\"name\": \"c\", \"type\": \"c\", \"source\": 1, \"levels\": [\"\", \"x\"]}]}";
    json_t *json = NULL;
    bl_schema *schema = NULL, *again = NULL;
    CHECK_OK(bli_json_parse(text, strlen(text), &json, &err), err);
    CHECK_OK(bli_schema_read(json, &schema, &err), err);
    json_decref(json);
    bl_buf buf = {0}, second = {0};
    bl_jw jw = {.buf = &buf}, jw2 = {.buf = &second};
    bli_schema_write(schema, &jw);
    CHECK_OK(bli_json_parse(buf.data, buf.n, &json, &err), err);
    CHECK_OK(bli_schema_read(json, &again, &err), err);
    bli_schema_write(again, &jw2);
    CHECK(strcmp(buf.data, second.data) == 0, "%s", second.data);
    CHECK(again->n_features == 2 && bli_levels_count(again->features[1].levels) == 2,
          "levels");
    json_decref(json);
    bli_schema_free(schema);
    bli_schema_free(again);
    bli_buf_done(&buf);
    bli_buf_done(&second);
}

static void test_a_damaged_schema_is_refused_in_words(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"{}", "lacks 'features' or 'sources'"},
        {"{\"sources\":[\"a\"],\"features\":[{\"name\":\"a\",\"type\":\"z\",\"source\":0}"
         "]}",
         "lacks its name, type or source"},
        {"{\"sources\":[\"a\"],\"features\":[{\"name\":\"a\",\"type\":\"c\",\"source\":1}"
         "]}",
         "lacks its name, type or source"},
        {"{\"sources\":[1],\"features\":[]}", "source column 0 has no name"},
        {"{\"sources\":[\"a\"],\"features\":[{\"name\":\"a\",\"type\":\"c\",\"source\":0,"
         "\"levels\":[\"x\",\"x\"]}]}",
         "level 1 of a feature stands twice"},
    };
    for (size_t i = 0; i < BL_LEN(cases); i++) {
        bl_err err = {0};
        json_t *json = NULL;
        bl_schema *schema = NULL;
        CHECK_OK(bli_json_parse(cases[i].text, strlen(cases[i].text), &json, &err), err);
        CHECK_FAILS(bli_schema_read(json, &schema, &err), BL_E_MODEL, err, cases[i].says);
        CHECK(!schema, "output written");
        json_decref(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken_rows_come_with_everything_of_theirs),
        cmocka_unit_test(test_one_matrix_after_another_is_their_rows_in_order),
        cmocka_unit_test(test_different_columns_do_not_go_together),
        cmocka_unit_test(test_a_schema_survives_json),
        cmocka_unit_test(test_a_damaged_schema_is_refused_in_words),
    };
    return cmocka_run_group_tests_name("matrix", tests, NULL, NULL);
}
