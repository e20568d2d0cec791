/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/mem.h"
#include "met.h"

#include <omp.h>
#include <stdlib.h>

static const char plan[] =
    "{\"label\": \"y\", \"columns\": ["
    "{\"columns\": \"n\", \"steps\": [{\"impute\": {\"with\": \"mean\", \"indicator\": "
    "true}}, "
    "\"standardize\"]},"
    "{\"columns\": \"t\", \"steps\": [\"onehot\"]},"
    "{\"columns\": \"r\", \"type\": \"category\", \"steps\": [{\"rare\": 3}, "
    "\"ordinal\"]},"
    "{\"columns\": \"u\", \"unseen\": \"missing\", \"steps\": [{\"target\": {\"folds\": "
    "2}}]},"
    "{\"columns\": \"d\", \"steps\": [{\"date\": [\"month\", \"weekday\"]}]},"
    "{\"columns\": [\"p\", \"q\"], \"steps\": [{\"minmax\": [0, 1]}]}],"
    "\"pca\": {\"name\": \"pq\", \"columns\": [\"p\", \"q\"], \"components\": 2}}";

static char *made_rows(int n)
{
    bl_buf text = {0};
    bli_buf_text(&text, "n,t,r,u,d,p,q,y\n");
    for (int i = 0; i < n; i++) {
        char number[16] = "";
        if (i % 7)
            snprintf(number, sizeof number, "%g", i * 0.37);
        bli_buf_printf(&text, "%s,%s,%d,%c,2024-%02d-%02d,%d,%g,%d\n", number,
                       i % 5 ? (i % 2 ? "odd" : "even") : "", i * i % 11, 'a' + i % 4,
                       i % 12 + 1, i % 28 + 1, i % 13, (i % 13) * 0.5 + i % 3,
                       i % 3 == 0);
    }
    assert_false(text.failed);
    return text.data;
}

static void test_one_row_has_the_bits_it_has_among_many(void **state)
{
    met m;
    bl_matrix *all = NULL;
    char *rows = made_rows(500);
    (void)state;
    CHECK_OK(met_fit(&m, plan, rows, NULL), m.err);
    CHECK_OK(met_apply(&m, rows, &all), m.err);
    const char *line = strchr(rows, '\n') + 1;
    size_t n_head = (size_t)(line - rows);
    for (uint64_t r = 0; r < 500; r++) {
        bl_buf one = {0};
        bl_matrix *alone = NULL;
        size_t n = (size_t)(strchr(line, '\n') - line) + 1;
        bli_buf_add(&one, rows, n_head);
        bli_buf_add(&one, line, n);
        CHECK_OK(met_apply(&m, one.data, &alone), m.err);
        const bl_block *block = bli_matrix_block(all, r);
        CHECK(memcmp(alone->blocks[0].x,
                     block->x + (r - block->first_row) * all->n_features,
                     all->n_features * sizeof(float)) == 0,
              "row %llu", (unsigned long long)r);
        bli_matrix_free(alone);
        bli_buf_done(&one);
        line += n;
    }
    bli_matrix_free(all);
    met_done(&m);
    free(rows);
}

static void test_threads_change_no_bit(void **state)
{
    char *rows = made_rows(3000), digest[2][BL_DIGEST_TEXT];
    (void)state;
    for (int k = 0; k < 2; k++) {
        met m;
        omp_set_num_threads(k ? 3 : 1);
        CHECK_OK(met_fit(&m, plan, rows, NULL), m.err);
        CHECK_OK(bli_transform_digest(m.transform, digest[k], &m.err), m.err);
        met_done(&m);
    }
    CHECK(strcmp(digest[0], digest[1]) == 0, "%s, %s", digest[0], digest[1]);
    free(rows);
}

static void test_a_fitted_plan_reads_back_to_itself(void **state)
{
    met m;
    bl_buf text = {0}, second = {0};
    bl_jw jw = {.buf = &text}, again = {.buf = &second};
    bl_plan *read_plan = NULL;
    bl_transform *t = NULL;
    json_t *json = NULL;
    char *rows = made_rows(200);
    (void)state;
    CHECK_OK(met_fit(&m, plan, rows, NULL), m.err);
    bli_transform_write(m.transform, &jw);
    CHECK_OK(bli_json_parse(text.data, text.n, &json, &m.err), m.err);
    CHECK_OK(bli_transform_read(json, &m.limits, &read_plan, &t, &m.err), m.err);
    bli_transform_write(t, &again);
    CHECK(text.n == second.n && memcmp(text.data, second.data, text.n) == 0, "%s",
          second.data);
    bli_transform_free(t);
    bli_plan_free(read_plan);
    json_decref(json);
    bli_buf_done(&text);
    bli_buf_done(&second);
    met_done(&m);
    free(rows);
}

static void test_a_fitted_plan_that_was_changed_is_refused(void **state)
{
    static const struct {
        const char *from, *to, *says;
    } cases[] = {
        {"\"kind\": \"number\"", "\"kind\": \"text\"", "'levels'"},
        {"\"width\": 1", "\"width\": 7", "'width'"},
        {"\"encode\": \"onehot\"", "\"encode\": \"clip\"", "'encode'"},
        {"\"step\": \"standardize\"", "\"step\": \"sort\"", "'step'"},
        {"\"part\": 0", "\"part\": 99", "'made'"},
        {"\"column\": \"n\"", "\"column\": \"m\"", "'columns'"},
    };
    met m;
    bl_buf text = {0};
    bl_jw jw = {.buf = &text};
    char *rows = made_rows(200);
    (void)state;
    CHECK_OK(met_fit(&m, plan, rows, NULL), m.err);
    bli_transform_write(m.transform, &jw);
    for (size_t i = 0; i < BL_LEN(cases); i++) {
        bl_buf changed = {0};
        json_t *json = NULL;
        bl_plan *read_plan = NULL;
        bl_transform *t = NULL;
        const char *at = strstr(text.data, cases[i].from);
        CHECK(at, "no %s", cases[i].from);
        bli_buf_add(&changed, text.data, (size_t)(at - text.data));
        bli_buf_text(&changed, cases[i].to);
        bli_buf_text(&changed, at + strlen(cases[i].from));
        CHECK_OK(bli_json_parse(changed.data, changed.n, &json, &m.err), m.err);
        bl_status st = bli_transform_read(json, &m.limits, &read_plan, &t, &m.err);
        CHECK(st == BL_E_MODEL && strstr(m.err.msg, cases[i].says), "%s: %d: %s",
              cases[i].to, (int)st, m.err.msg);
        json_decref(json);
        bli_buf_done(&changed);
    }
    bli_buf_done(&text);
    met_done(&m);
    free(rows);
}

static void test_training_rows_carry_targets_of_the_other_fold(void **state)
{
    /* Two folds; RandomState(0).permutation(4) is 2 3 1 0: rows 2, 3 are fold 0, rows 1, 0 fold 1. */
    static const char target[] =
        "{\"label\": \"y\", \"columns\": [{\"columns\": \"t\", \"steps\": [{\"target\": "
        "{\"folds\": 2, \"smooth\": 1}}]}]}";
    met m;
    bl_matrix *matrix = NULL;
    (void)state;
    CHECK_OK(met_fit(&m, target, "t,y\na,1\nb,2\na,3\nb,6\n", NULL), m.err);
    /* rows 0, 1 by rows 2, 3 (mean 4.5): (4.5 + 3) / 2, (4.5 + 6) / 2; and the other way */
    static const double want[] = {3.75, 5.25, 1.25, 1.75};
    for (uint64_t r = 0; r < 4; r++)
        CHECK(met_cell(m.train, r, 0) == want[r], "row %d: %g", (int)r,
              met_cell(m.train, r, 0));
    CHECK_OK(met_apply(&m, "t\na\nb\n", &matrix), m.err);
    /* mean 3: (3 + 1 + 3) / 3, (3 + 2 + 6) / 3 */
    CHECK((float)met_cell(matrix, 0, 0) == (float)(7.0 / 3), "%g",
          met_cell(matrix, 0, 0));
    CHECK((float)met_cell(matrix, 1, 0) == (float)(11.0 / 3), "%g",
          met_cell(matrix, 1, 0));
    bli_matrix_free(matrix);
    met_done(&m);
}

static void test_levels_go_where_the_plan_says(void **state)
{
    met m;
    bl_matrix *matrix = NULL;
    (void)state;
    CHECK_OK(met_fit(&m,
                     "{\"columns\": [{\"columns\": \"t\", \"steps\": [{\"rare\": 2}, "
                     "\"onehot\"]}, "
                     "{\"columns\": \"u\", \"type\": \"category\"}]}",
                     "t,u\na,x\na,x\nb,y\nb,\nc,x\n", NULL),
             m.err);
    static const char *const names[] = {"t=a", "t=b", "t=other", "u"};
    for (size_t i = 0; i < 4; i++)
        CHECK(strcmp(m.schema->features[i].name, names[i]) == 0, "%s",
              m.schema->features[i].name);
    CHECK_OK(met_apply(&m, "u,t\ny,never seen\n,\n", &matrix), m.err);
    CHECK(met_cell(matrix, 0, 2) == 1 && met_cell(matrix, 0, 0) == 0,
          "an unseen level is rare");
    CHECK(met_cell(matrix, 0, 3) == 1 && isnan(met_cell(matrix, 1, 3)), "codes of u");
    CHECK(met_cell(matrix, 1, 0) + met_cell(matrix, 1, 1) + met_cell(matrix, 1, 2) == 0,
          "a missing cell is 0 in all where training had none");
    bli_matrix_free(matrix);
    CHECK_FAILS(met_apply(&m, "u,t\nz,a\n", &matrix), BL_E_DATA, m.err,
                "'u.csv', row 0 (from 0), column 'u': 'z' was not seen in training, "
                "which knows 2");
    met_done(&m);
}

static void test_what_float32_does_not_hold_is_told(void **state)
{
    met m;
    bl_matrix *matrix = NULL;
    (void)state;
    CHECK_OK(
        met_fit(
            &m,
            "{\"columns\": [{\"columns\": \"x\", \"steps\": [{\"clip\": [0, null]}]}]}",
            "x,k\n1,1\n2,1\n", NULL),
        m.err);
    CHECK_FAILS(met_apply(&m, "x,k\n1,1\n1e39,1\n", &matrix), BL_E_DATA, m.err,
                "'u.csv', row 1 (from 0): the plan makes 1e+39 of column 0");
    met_done(&m);
}

static void test_columns_that_correlate_leave_the_first(void **state)
{
    met m;
    (void)state;
    CHECK_OK(met_fit(&m, "{\"correlation\": 0.99}",
                     "a,b,c,d\n1,2,5,-1\n2,4,1,-2\n3,6.1,4,-3\n4,8,2,-4\n", NULL),
             m.err);
    CHECK(m.schema->n_features == 2 && strcmp(m.schema->features[0].name, "a") == 0 &&
              strcmp(m.schema->features[1].name, "c") == 0,
          "%zu features", m.schema->n_features);
    met_done(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_row_has_the_bits_it_has_among_many),
        cmocka_unit_test(test_threads_change_no_bit),
        cmocka_unit_test(test_a_fitted_plan_reads_back_to_itself),
        cmocka_unit_test(test_a_fitted_plan_that_was_changed_is_refused),
        cmocka_unit_test(test_training_rows_carry_targets_of_the_other_fold),
        cmocka_unit_test(test_levels_go_where_the_plan_says),
        cmocka_unit_test(test_what_float32_does_not_hold_is_told),
        cmocka_unit_test(test_columns_that_correlate_leave_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
