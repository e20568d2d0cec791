/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Model bytes of every kind of training against XGBoost's own plain path through the C
 * API: one dense array, an ordinary DMatrix, no code of ours in between.
 */
#include "help.h"

#include "base/rng.h"

#include <stdlib.h>

/* Trains cut in 1 and in 5 blocks; both must give the bytes of the plain path, and leave
 * the rows as they were. */
static void check_like_plain(const bl_job *job, bl_matrix *rows,
                             const bl_matrix *validation)
{
    bl_buf want = {0};
    float *before = matrix_rows(rows);
    plain_train(job, rows, validation, &want, NULL);
    for (size_t n_blocks = 1; n_blocks <= 5; n_blocks += 4) {
        bl_matrix *cut = matrix_recut(rows, n_blocks);
        bl_matrix *val = validation ? matrix_recut(validation, 3) : NULL;
        bl_training *t;
        bl_err err = {0};
        CHECK_OK(train(job, cut, val, NULL, &t, &err), err);
        CHECK(t->n_ubj == want.n && !memcmp(t->ubj, want.data, want.n),
              "%zu blocks: %zu bytes, the plain path gives %zu others", n_blocks,
              t->n_ubj, want.n);
        float *after = matrix_rows(cut);
        for (size_t i = 0; i < rows->n_rows * rows->n_features; i++)
            CHECK((isnan(before[i]) && isnan(after[i])) ||
                      !memcmp(&before[i], &after[i], sizeof *before),
                  "cell %zu was %g, is %g", i, (double)before[i], (double)after[i]);
        free(after);
        bli_training_free(t);
        matrix_free(cut);
        matrix_free(val);
    }
    free(before);
    bli_buf_done(&want);
}

/* binary:logistic on 2,000 x 6 with missing cells, with the given parameters. */
static void check_params(const char *const *names_and_texts)
{
    bl_job *job = job_new("binary:logistic", 6);
    for (size_t i = 0; names_and_texts[i]; i += 2)
        job_param(job, names_and_texts[i], names_and_texts[i + 1]);
    bl_matrix *rows = matrix_new(2000, 6, 1, 9, 1);
    bl_matrix *validation = matrix_new(500, 6, 1, 9, 2);
    check_like_plain(job, rows, validation);
    matrix_free(rows);
    matrix_free(validation);
    job_free(job);
}

#define PARAMS(...)                                                                      \
    (const char *const[])                                                                \
    {                                                                                    \
        __VA_ARGS__, NULL                                                                \
    }

static void test_hist_is_like_a_plain_matrix(void **state)
{
    (void)state;
    check_params(PARAMS("tree_method", "hist", "max_bin", "32"));
    check_params(PARAMS("subsample", "0.8", "colsample_bytree", "0.7", "seed", "7"));
    check_params(PARAMS("num_parallel_tree", "3", "subsample", "0.5"));
    check_params(PARAMS("grow_policy", "lossguide", "max_leaves", "11"));
}

static void test_exact_is_like_a_plain_matrix(void **state)
{
    (void)state;
    check_params(PARAMS("tree_method", "exact"));
}

static void test_approx_is_like_a_plain_matrix(void **state)
{
    (void)state;
    check_params(PARAMS("tree_method", "approx", "subsample", "0.8"));
}

static void test_dart_is_like_a_plain_matrix(void **state)
{
    (void)state;
    check_params(PARAMS("booster", "dart", "rate_drop", "0.5"));
}

static void test_gblinear_is_like_a_plain_matrix(void **state)
{
    (void)state;
    check_params(PARAMS("booster", "gblinear", "lambda", "0.1"));
}

static void test_rows_come_back_over_many_chunks(void **state)
{
    (void)state;
    /* 110,000 x 6 cells are more than two of the chunks that rows travel in. */
    bl_job *job = job_new("binary:logistic", 1);
    bl_matrix *rows = matrix_new(110000, 6, 1, 9, 16);
    job_param(job, "booster", "gblinear");
    check_like_plain(job, rows, NULL);
    matrix_free(rows);
    job_free(job);
}

static void test_weights_reach_sketch_and_gradients(void **state)
{
    (void)state;
    bl_job *job = job_new("binary:logistic", 6);
    job_param(job, "max_bin", "16");
    bl_matrix *rows = matrix_new(3000, 5, 1, 7, 3);
    bl_matrix *bare = matrix_recut(rows, 1);
    bl_buf with = {0}, without = {0};
    matrix_weights(rows, 4);
    check_like_plain(job, rows, NULL);
    plain_train(job, rows, NULL, &with, NULL);
    plain_train(job, bare, NULL, &without, NULL);
    assert_true(with.n != without.n || memcmp(with.data, without.data, with.n));
    bli_buf_done(&with);
    bli_buf_done(&without);
    matrix_free(rows);
    matrix_free(bare);
    job_free(job);
}

/* Groups of 7 rows never end where blocks do. */
static void test_groups_may_cross_blocks(void **state)
{
    (void)state;
    static const char *const objectives[] = {"rank:ndcg", "rank:map", "rank:pairwise"};
    static const char *const methods[] = {"hist", "approx", "exact"};
    for (size_t i = 0; i < 3; i++)
        for (int weighted = 0; weighted < 2; weighted++) {
            bl_job *job = job_new(objectives[i], 5);
            job_param(job, "tree_method", methods[i]);
            bl_matrix *rows = matrix_new(1001, 5, 1, 7, 5);
            matrix_groups(rows, 7);
            if (weighted)
                matrix_weights(rows, 6);
            check_like_plain(job, rows, rows);
            matrix_free(rows);
            job_free(job);
        }
}

static void test_two_row_groups_are_learnt(void **state)
{
    (void)state;
    /* Case A45: the second row of each pair is the better one. */
    bl_job *job = job_new("rank:ndcg", 10);
    bl_buf text = {0};
    for (int i = 0; i < 10; i++)
        bli_buf_text(&text, "1 1 0\n2 0 1\n");
    bl_matrix *rows = matrix_text(text.data, 2, 1);
    matrix_groups(rows, 2);
    bl_training *t;
    bl_err err = {0};
    size_t width;
    CHECK_OK(train(job, rows, NULL, NULL, &t, &err), err);
    float *scores = plain_predict(t->ubj, t->n_ubj, rows, 1, &width);
    CHECK(scores[1] > scores[0], "%g, %g", (double)scores[0], (double)scores[1]);
    free(scores);
    bli_training_free(t);
    matrix_free(rows);

    /* One pair alone weighs less than min_child_weight: said, not left to be guessed. */
    rows = matrix_text("1 1 0\n2 0 1\n", 2, 1);
    matrix_groups(rows, 2);
    heard h = {.cancel_after = -1};
    CHECK_OK(train(job, rows, NULL, &h, &t, &err), err);
    CHECK(strstr(h.log.data, "warning train: no tree has a split") &&
              strstr(h.log.data, "min_child_weight"),
          "%s", h.log.data);
    heard_done(&h);
    bli_training_free(t);
    matrix_free(rows);
    bli_buf_done(&text);
    job_free(job);
}

static void test_survival_bounds_are_set(void **state)
{
    (void)state;
    bl_job *job = job_new("survival:aft", 5);
    bl_matrix *rows = matrix_new(800, 4, 1, 0, 8);
    bl_roles *r = &rows->roles;
    r->lower_bounds = malloc(800 * sizeof(float));
    r->upper_bounds = malloc(800 * sizeof(float));
    for (int i = 0; i < 800; i++) {
        r->lower_bounds[i] = 1.0F + 10.0F * rows->blocks[0].x[i * 4];
        r->upper_bounds[i] = i % 3 ? r->lower_bounds[i] : INFINITY;
    }
    free(r->labels);
    r->labels = NULL;
    r->n_labels = 0;
    check_like_plain(job, rows, NULL);
    matrix_free(rows);
    job_free(job);
}

static void test_quantiles_and_expectiles_train(void **state)
{
    (void)state;
    static const char *const names[2][2] = {{"reg:quantileerror", "quantile_alpha"},
                                            {"reg:expectileerror", "expectile_alpha"}};
    for (size_t i = 0; i < 2; i++) {
        bl_job *job = job_new(names[i][0], 5);
        job_param(job, names[i][1], "[0.1,0.5,0.9]");
        bl_matrix *rows = matrix_new(900, 4, 1, 0, 9);
        for (int r = 0; r < 900; r++)
            rows->roles.labels[r] += 3.0F * rows->blocks[0].x[r * 4 + 1];
        check_like_plain(job, rows, NULL);
        matrix_free(rows);
        job_free(job);
    }
}

/* Two targets: the label and its opposite plus a column. */
static bl_matrix *two_targets(void)
{
    bl_matrix *rows = matrix_new(900, 4, 1, 0, 10);
    float *labels = malloc(1800 * sizeof *labels);
    for (int r = 0; r < 900; r++) {
        labels[2 * r] = rows->roles.labels[r];
        labels[2 * r + 1] = 1.0F - rows->roles.labels[r] + rows->blocks[0].x[r * 4 + 3];
    }
    free(rows->roles.labels);
    rows->roles.labels = labels;
    rows->roles.n_labels = 2;
    return rows;
}

static void test_targets_train_as_trees_and_as_vector_leaves(void **state)
{
    (void)state;
    static const char *const strategies[] = {"one_output_per_tree", "multi_output_tree"};
    for (size_t i = 0; i < 2; i++) {
        bl_job *job = job_new("reg:squarederror", 5);
        job_param(job, "multi_strategy", strategies[i]);
        bl_matrix *rows = two_targets();
        check_like_plain(job, rows, rows);
        matrix_free(rows);
        job_free(job);
    }
}

static void test_classes_train(void **state)
{
    (void)state;
    bl_job *job = job_new("multi:softprob", 5);
    job_param(job, "num_class", "3");
    bl_matrix *rows = matrix_new(900, 4, 1, 0, 11);
    for (int r = 0; r < 900; r++)
        rows->roles.labels[r] += rows->blocks[0].x[r * 4 + 3] > 0.5F ? 1.0F : 0.0F;
    check_like_plain(job, rows, rows);
    matrix_free(rows);
    job_free(job);
}

static void test_categories_train(void **state)
{
    (void)state;
    static const char *const methods[] = {"hist", "approx"};
    for (size_t i = 0; i < 2; i++) {
        bl_job *job = job_new("binary:logistic", 5);
        job_param(job, "tree_method", methods[i]);
        job_param(job, "max_cat_to_onehot", "4");
        bl_matrix *rows = matrix_new(900, 4, 1, 11, 12);
        for (int r = 0; r < 900; r++)
            rows->blocks[0].x[r * 4] = floorf(rows->blocks[0].x[r * 4] * 12.0F);
        bl_schema *schema = (bl_schema *)(uintptr_t)rows->schema;
        schema->has_types = true;
        schema->features[0].type = "c";
        check_like_plain(job, rows, NULL);
        matrix_free(rows);
        job_free(job);
    }
}

static void test_base_margins_are_set(void **state)
{
    (void)state;
    bl_job *job = job_new("binary:logistic", 4);
    bl_matrix *rows = matrix_new(700, 4, 1, 0, 13);
    rows->roles.n_base_margins = 1;
    rows->roles.base_margins = malloc(700 * sizeof(float));
    for (int r = 0; r < 700; r++)
        rows->roles.base_margins[r] = rows->blocks[0].x[r * 4] - 0.5F;
    check_like_plain(job, rows, NULL);
    matrix_free(rows);
    job_free(job);
}

static void test_names_and_types_are_in_the_model(void **state)
{
    (void)state;
    bl_job *job = job_new("binary:logistic", 3);
    job->early_stopping_rounds = 2;
    bl_matrix *rows = matrix_new(300, 3, 1, 0, 14);
    bl_matrix *validation = matrix_recut(rows, 1);
    bl_training *t;
    bl_err err = {0};
    CHECK_OK(train(job, rows, validation, NULL, &t, &err), err);
    assert_null(memmem(t->ubj, t->n_ubj, "f1", 2));
    bli_training_free(t);
    bl_schema *schema = (bl_schema *)(uintptr_t)rows->schema;
    schema->has_names = schema->has_types = true;
    free(schema->features[1].name);
    schema->features[1].name = strdup("Celltype=adeno [x] <y>");
    schema->features[1].type = "float";
    heard h = {.cancel_after = -1};
    CHECK_OK(train(job, rows, validation, &h, &t, &err), err);
    assert_non_null(memmem(t->ubj, t->n_ubj, "Celltype=adeno [x] <y>", 22));
    assert_non_null(memmem(t->ubj, t->n_ubj, "float", 5));
    /* Said once, and kept. */
    const char *note =
        strstr(h.log.data, "note train: feature name 'Celltype=adeno [x] <y>'");
    assert_non_null(note);
    assert_null(strstr(note + 1, "note train: feature name"));
    heard_done(&h);
    bli_training_free(t);
    matrix_free(rows);
    matrix_free(validation);
    job_free(job);
}

static void test_zero_weight_column_trains(void **state)
{
    (void)state;
    /* Case A27: only a row of weight 1 carries the second column. */
    static const float weights[] = {0, 0, 1, 0};
    bl_job *job = job_new("reg:squarederror", 3);
    job_param(job, "tree_method", "hist");
    bl_matrix *rows =
        matrix_text("1e6 618827.16 173\n0 637345.679 nan\n0 638888.889 nan\n"
                    "5e5 628086.42 nan\n",
                    2, 1);
    rows->roles.weights = malloc(sizeof weights);
    memcpy(rows->roles.weights, weights, sizeof weights);
    bl_training *t;
    bl_err err = {0};
    size_t width;
    CHECK_OK(train(job, rows, NULL, NULL, &t, &err), err);
    float *p = plain_predict(t->ubj, t->n_ubj, rows, 0, &width);
    for (int i = 0; i < 4; i++)
        CHECK(p[i] > -1e-6F && p[i] < 1e-6F, "row %d: %g", i, (double)p[i]);
    free(p);
    bli_training_free(t);
    matrix_free(rows);
    job_free(job);
}

static void test_constant_rows_give_their_mean(void **state)
{
    (void)state;
    /* Case A12. */
    bl_job *job = job_new("reg:squarederror", 2);
    bl_matrix *rows = matrix_text("1 7\n0 7\n1 7\n0 7\n1 7\n", 1, 1);
    bl_training *t;
    bl_err err = {0};
    size_t width;
    CHECK_OK(train(job, rows, NULL, NULL, &t, &err), err);
    float *p = plain_predict(t->ubj, t->n_ubj, rows, 0, &width);
    CHECK(fabsf(p[0] - 0.6F) < 1e-6F, "%g", (double)p[0]);
    free(p);
    bli_training_free(t);
    matrix_free(rows);
    rows = matrix_text("1 7\n", 1, 1);
    CHECK_OK(train(job, rows, NULL, NULL, &t, &err), err);
    bli_training_free(t);
    matrix_free(rows);
    job_free(job);
}

static void test_missing_is_nan_and_zero_is_a_value(void **state)
{
    (void)state;
    /* Case A75: the label is 1 exactly where the cell is 0; missing cells are another
     * label. */
    bl_job *job = job_new("reg:squarederror", 20);
    job_param(job, "eta", "1");
    job_param(job, "min_child_weight", "0");
    job_param(job, "lambda", "0");
    bl_matrix *rows = matrix_text("1 0\n1 0\n1 0\n5 nan\n5 nan\n2 3\n2 3\n", 1, 1);
    bl_training *t;
    bl_err err = {0};
    size_t width;
    CHECK_OK(train(job, rows, NULL, NULL, &t, &err), err);
    float *p = plain_predict(t->ubj, t->n_ubj, rows, 0, &width);
    CHECK(fabsf(p[0] - 1) < 1e-4F && fabsf(p[3] - 5) < 1e-4F && fabsf(p[5] - 2) < 1e-4F,
          "%g %g %g", (double)p[0], (double)p[3], (double)p[5]);
    free(p);
    bli_training_free(t);
    matrix_free(rows);
    job_free(job);
}

static void test_cancel_keeps_finished_rounds(void **state)
{
    (void)state;
    bl_job *job = job_new("binary:logistic", 50);
    bl_matrix *rows = matrix_new(500, 4, 2, 0, 15);
    bl_training *t;
    bl_err err = {0};
    heard h = {.cancel_after = 7};
    CHECK_OK(train(job, rows, NULL, &h, &t, &err), err);
    assert_true(t->interrupted);
    assert_int_equal(t->n_rounds, 7);
    assert_int_equal(t->histories[0].n_rounds, 7);
    job->num_round = 7;
    bl_buf want = {0};
    plain_train(job, rows, NULL, &want, NULL);
    assert_int_equal(t->n_ubj, want.n);
    assert_memory_equal(t->ubj, want.data, want.n);
    bli_buf_done(&want);
    heard_done(&h);
    bli_training_free(t);

    static char mark;
    t = (bl_training *)&mark;
    h = (heard){.cancel_after = 0};
    bl_status st = train(job, rows, NULL, &h, &t, &err);
    CHECK_FAILS(st, BL_E_CANCELLED, err, "stopped before one round was finished");
    assert_ptr_equal(t, &mark);
    heard_done(&h);
    matrix_free(rows);
    job_free(job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hist_is_like_a_plain_matrix),
        cmocka_unit_test(test_exact_is_like_a_plain_matrix),
        cmocka_unit_test(test_approx_is_like_a_plain_matrix),
        cmocka_unit_test(test_dart_is_like_a_plain_matrix),
        cmocka_unit_test(test_gblinear_is_like_a_plain_matrix),
        cmocka_unit_test(test_rows_come_back_over_many_chunks),
        cmocka_unit_test(test_weights_reach_sketch_and_gradients),
        cmocka_unit_test(test_groups_may_cross_blocks),
        cmocka_unit_test(test_two_row_groups_are_learnt),
        cmocka_unit_test(test_survival_bounds_are_set),
        cmocka_unit_test(test_quantiles_and_expectiles_train),
        cmocka_unit_test(test_targets_train_as_trees_and_as_vector_leaves),
        cmocka_unit_test(test_classes_train),
        cmocka_unit_test(test_categories_train),
        cmocka_unit_test(test_base_margins_are_set),
        cmocka_unit_test(test_names_and_types_are_in_the_model),
        cmocka_unit_test(test_zero_weight_column_trains),
        cmocka_unit_test(test_constant_rows_give_their_mean),
        cmocka_unit_test(test_missing_is_nan_and_zero_is_a_value),
        cmocka_unit_test(test_cancel_keeps_finished_rounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
