/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "job/job_priv.h"

#include <stdlib.h>

enum { N = 103, K = 5 };

static void draw(const char *objective, const float *labels, const uint64_t *groups,
                 size_t n_groups, uint64_t repeat, uint32_t fold[N])
{
    bl_err err = {0};
    const bl_job job = {.kfold = K, .seed = 7, .objective = objective};
    bl_matrix matrix = {.n_rows = N};
    matrix.roles.n_labels = 1;
    matrix.roles.labels = (float *)(uintptr_t)labels;
    matrix.roles.group_rows = (uint64_t *)(uintptr_t)groups;
    matrix.roles.n_groups = n_groups;
    CHECK_OK(bli_folds_draw(&job, &matrix, repeat, fold, &err), err);
}

static void test_folds_are_even_and_each_row_is_held_out_once(void **state)
{
    (void)state;
    float labels[N];
    for (int i = 0; i < N; i++)
        labels[i] = (float)i;
    uint32_t fold[N], again[N], other[N];
    draw("reg:squarederror", labels, NULL, 0, 0, fold);
    draw("reg:squarederror", labels, NULL, 0, 0, again);
    draw("reg:squarederror", labels, NULL, 0, 1, other);
    CHECK(memcmp(fold, again, sizeof fold) == 0, "not reproducible");
    CHECK(memcmp(fold, other, sizeof fold) != 0, "repeats are equal");
    int seen = 0;
    for (uint32_t f = 0; f < K; f++) {
        uint64_t *in, *out, n_in, n_out;
        bl_err err = {0};
        CHECK_OK(bli_fold_rows(fold, N, f, true, &in, &n_in, &err), err);
        CHECK_OK(bli_fold_rows(fold, N, f, false, &out, &n_out, &err), err);
        CHECK(n_in + n_out == N && (n_in == N / K || n_in == N / K + 1), "%d in fold %u",
              (int)n_in, f);
        for (uint64_t i = 1; i < n_in; i++)
            CHECK(in[i - 1] < in[i], "not ascending");
        seen += (int)n_in;
        free(in);
        free(out);
    }
    CHECK(seen == N, "%d", seen);
}

static void test_classes_are_spread_evenly(void **state)
{
    (void)state;
    float labels[N];
    for (int i = 0; i < N; i++)
        labels[i] = i < 20 ? 1.0F : 0.0F; /* sorted, as exports often are */
    uint32_t fold[N];
    draw("binary:logistic", labels, NULL, 0, 0, fold);
    int ones[K] = {0};
    for (int i = 0; i < N; i++)
        ones[fold[i]] += labels[i] > 0;
    for (int f = 0; f < K; f++)
        CHECK(ones[f] == 4, "fold %d has %d of 20", f, ones[f]);
}

static void test_groups_stay_whole(void **state)
{
    (void)state;
    static const uint64_t groups[] = {10, 1, 30, 2, 20, 3, 37};
    float labels[N] = {0};
    uint32_t fold[N];
    draw("rank:ndcg", labels, groups, 7, 0, fold);
    uint64_t first = 0;
    for (int g = 0; g < 7; first += groups[g++])
        for (uint64_t i = 1; i < groups[g]; i++)
            CHECK(fold[first + i] == fold[first], "group %d is cut", g);
}

static void test_more_folds_than_rows_are_refused(void **state)
{
    (void)state;
    bl_err err = {0};
    uint32_t fold[3];
    const bl_job job = {.kfold = K, .objective = "reg:squarederror"};
    const bl_matrix matrix = {.n_rows = 3};
    CHECK_FAILS(bli_folds_draw(&job, &matrix, 0, fold, &err), BL_E_CONFIG, err,
                "_kfold=5, but the data has only 3 rows");
}

static void test_rows_to_explain_are_drawn_once_each_in_order(void **state)
{
    (void)state;
    bl_err err = {0};
    bl_job job = {.explain_rows = 40, .seed = 3};
    uint64_t *row = NULL, n = 0;
    CHECK_OK(bli_rows_to_explain(&job, N, &row, &n, &err), err);
    CHECK(n == 40, "%d", (int)n);
    for (uint64_t i = 1; i < n; i++)
        CHECK(row[i - 1] < row[i] && row[i] < N, "row %d", (int)row[i]);
    free(row);
    job.explain_rows = N;
    CHECK_OK(bli_rows_to_explain(&job, N, &row, &n, &err), err);
    CHECK(!row && n == N, "all rows");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folds_are_even_and_each_row_is_held_out_once),
        cmocka_unit_test(test_classes_are_spread_evenly),
        cmocka_unit_test(test_groups_stay_whole),
        cmocka_unit_test(test_more_folds_than_rows_are_refused),
        cmocka_unit_test(test_rows_to_explain_are_drawn_once_each_in_order),
    };
    return cmocka_run_group_tests_name("folds", tests, NULL, NULL);
}
