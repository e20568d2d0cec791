/* SPDX-License-Identifier: Apache-2.0 */
/* Values against a background as a user meets them: known cases, threads, spaces.
 * Exactness: tests/oracle. */
#include "check.h"

#include "explain/background.h"
#include "oracle/forests.h"

#include <stdlib.h>

typedef struct fixture {
    bl_forest *forest;
    size_t n_rows, n_background;
    float *rows, *background;
} fixture;

static void *numbers(size_t n, size_t size)
{
    void *memory = calloc(n ? n : 1, size);
    assert_non_null(memory);
    return memory;
}

static void set_up(fixture *x, const oracle_shape *shape, size_t n_outputs, size_t n_rows,
                   size_t n_background)
{
    bl_rng rng = bli_rng(oracle_seed(18));
    size_t F = shape->n_features + 1;
    *x = (fixture){.n_rows = n_rows, .n_background = n_background};
    x->forest = oracle_forest_new(F, n_outputs);
    for (uint32_t t = 0; t < 9; t++)
        oracle_grow(oracle_add_tree(x->forest, t % (uint32_t)n_outputs, 1), shape, &rng);
    x->rows = numbers(n_rows * F, sizeof(float));
    x->background = numbers(n_background * F, sizeof(float));
    for (size_t r = 0; r < n_rows; r++)
        oracle_row(x->rows + r * F, F, 10, false, &rng);
    for (size_t r = 0; r < n_background; r++)
        oracle_row(x->background + r * F, F, 10, false, &rng);
}

static void tear_down(fixture *x)
{
    x->forest->objective = NULL;
    oracle_forest_free(x->forest);
    free(x->rows);
    free(x->background);
}

static bl_background *new_background(const fixture *x, int n_threads)
{
    bl_background *bg;
    bl_err err = {0};
    CHECK_OK(bli_background_new(x->forest, 0, 9, x->background, x->n_background, NULL,
                                n_threads, &bg, &err),
             err);
    return bg;
}

static const oracle_shape small = {
    .n_splits = 12, .n_features = 6, .categorical = 20, .leaf_scale = 1};
/* Tables, larger tables, and paths too long for any. */
static const oracle_shape mixed = {
    .n_splits = 150, .n_features = 40, .categorical = 10, .leaf_scale = 1};

/* shap/shap#3267: wrong from depth 17 on. */
static void test_a_chain_of_17_adds_up_to_the_difference(void **state)
{
    (void)state;
    enum { N = 17 };
    bl_forest *forest = oracle_forest_new(N, 1);
    bl_tree *tree = oracle_add_tree(forest, 0, 1);
    tree->cover[0] = 1 << N;
    uint32_t node = 0;
    for (uint32_t k = 0; k < N; k++) {
        float half = tree->cover[node] / 2;
        uint32_t left = oracle_split(tree, node, k, .5F, half, half);
        tree->leaf[left] = (float)k;
        node = left + 1;
    }
    tree->leaf[node] = N;
    oracle_finish_tree(tree);
    const float zeros[N] = {0};
    float ones[N], phi[N + 1];
    for (size_t i = 0; i < N; i++)
        ones[i] = 1;
    bl_background *bg;
    bl_err err = {0};
    CHECK_OK(bli_background_new(forest, 0, 1, zeros, 1, NULL, 1, &bg, &err), err);
    CHECK_OK(bli_background_rows(bg, ones, 1, 1, phi, &err), err);
    double sum = 0;
    for (size_t i = 0; i < N; i++)
        sum += (double)phi[i];
    CHECK(fabs(sum - N) < 1e-5, "sum %g", sum);
    /* Feature k is worth 1 for each j from k on: where it comes last of 0 .. j. */
    double want = 0;
    for (size_t k = N; k-- > 0;) {
        want += 1.0 / (double)(k + 1);
        CHECK(fabs((double)phi[k] - want) < 1e-6, "feature %zu: %g, not %g", k,
              (double)phi[k], want);
    }
    assert_true(phi[N] == 0);
    bli_background_free(bg);
    oracle_forest_free(forest);
}

static void test_values_are_the_same_bits_for_every_thread_count(void **state)
{
    (void)state;
    const oracle_shape *shapes[] = {&small, &mixed};
    for (size_t i = 0; i < 2; i++) {
        fixture x;
        set_up(&x, shapes[i], 2, 301, 77);
        size_t line = x.forest->n_features + 1, n = x.n_rows * 2 * line;
        float *one = numbers(n, sizeof *one), *many = numbers(n, sizeof *many);
        bl_err err = {0};
        for (int threads = 1; threads <= 7; threads += threads == 3 ? 4 : 1) {
            bl_background *bg = new_background(&x, threads);
            CHECK_OK(bli_background_rows(bg, x.rows, x.n_rows, threads,
                                         threads == 1 ? one : many, &err),
                     err);
            bli_background_free(bg);
            if (threads > 1)
                assert_memory_equal(one, many, n * sizeof *one);
        }
        free(one);
        free(many);
        tear_down(&x);
    }
}

static void test_a_row_alone_has_the_same_bits(void **state)
{
    (void)state;
    fixture x;
    set_up(&x, &mixed, 1, 70, 33);
    size_t line = x.forest->n_features + 1;
    bl_background *bg = new_background(&x, 2);
    float *all = numbers(70 * line, sizeof *all), *one = numbers(line, sizeof *one);
    bl_err err = {0};
    CHECK_OK(bli_background_rows(bg, x.rows, 70, 2, all, &err), err);
    for (size_t r = 0; r < 70; r++) {
        CHECK_OK(bli_background_rows(bg, x.rows + r * (line - 1), 1, 1, one, &err), err);
        assert_memory_equal(one, all + r * line, line * sizeof *one);
    }
    CHECK_OK(bli_background_rows(bg, x.rows, 0, 1, one, &err), err);
    bli_background_free(bg);
    free(all);
    free(one);
    tear_down(&x);
}

static void test_a_row_against_itself_gets_exactly_nothing(void **state)
{
    (void)state;
    fixture x;
    set_up(&x, &mixed, 1, 1, 1);
    size_t F = x.forest->n_features;
    memcpy(x.background, x.rows, F * sizeof(float));
    bl_background *bg = new_background(&x, 1);
    float *phi = numbers(F + 1, sizeof *phi);
    bl_err err = {0};
    CHECK_OK(bli_background_rows(bg, x.rows, 1, 1, phi, &err), err);
    for (size_t f = 0; f < F; f++)
        CHECK(phi[f] == 0, "feature %zu: %g", f, (double)phi[f]);
    bli_background_free(bg);
    free(phi);
    tear_down(&x);
}

static void test_a_background_twice_over_is_the_same_background(void **state)
{
    (void)state;
    fixture x;
    set_up(&x, &mixed, 1, 50, 40);
    size_t F = x.forest->n_features;
    memcpy(x.background + 20 * F, x.background, 20 * F * sizeof(float));
    float *twice = numbers(50 * (F + 1), sizeof *twice);
    float *once = numbers(50 * (F + 1), sizeof *once);
    bl_err err = {0};
    bl_background *bg = new_background(&x, 1);
    CHECK_OK(bli_background_rows(bg, x.rows, 50, 1, twice, &err), err);
    bli_background_free(bg);
    x.n_background = 20;
    bg = new_background(&x, 1);
    CHECK_OK(bli_background_rows(bg, x.rows, 50, 1, once, &err), err);
    bli_background_free(bg);
    for (size_t i = 0; i < 50 * (F + 1); i++)
        CHECK(fabsf(once[i] - twice[i]) < 1e-6F, "%g and %g", (double)once[i],
              (double)twice[i]);
    free(once);
    free(twice);
    tear_down(&x);
}

static double margin_of(const fixture *x, const float *row)
{
    float margin;
    bli_forest_margins(x->forest, 0, 9, row, 1, NULL, &margin);
    return (double)margin;
}

static void test_values_add_up_in_every_space(void **state)
{
    (void)state;
    fixture x;
    set_up(&x, &mixed, 1, 60, 50);
    static char logistic[] = "binary:logistic";
    x.forest->objective = logistic;
    size_t F = x.forest->n_features;
    bl_background *bg = new_background(&x, 2);
    float *phi = numbers(60 * (F + 1), sizeof *phi), labels[60];
    for (size_t r = 0; r < 60; r++)
        labels[r] = (float)(r % 2);
    bl_err err = {0};
    for (bl_space space = BL_SPACE_MARGIN; space <= BL_SPACE_LOG_LOSS; space++) {
        CHECK_OK(bli_background_rows_in(bg, space, x.rows, labels, 60, 2, phi, &err),
                 err);
        for (size_t r = 0; r < 60; r++) {
            double sum = 0, m = margin_of(&x, x.rows + r * F), want = m;
            for (size_t f = 0; f <= F; f++)
                sum += (double)phi[r * (F + 1) + f];
            if (space == BL_SPACE_PROBABILITY)
                want = 1 / (1 + exp(-m));
            if (space == BL_SPACE_LOG_LOSS)
                want = log1p(exp(m)) - (double)labels[r] * m;
            CHECK(fabs(sum - want) < 2e-6 * (1 + fabs(m)), "space %d: %g, not %g",
                  (int)space, sum, want);
        }
    }
    bli_background_free(bg);
    free(phi);
    tear_down(&x);
}

/* Factors are taken from 1,024 background rows at a time. */
static void test_spaces_take_any_number_of_background_rows(void **state)
{
    (void)state;
    fixture x;
    set_up(&x, &small, 1, 3, 2500);
    static char logistic[] = "reg:logistic";
    x.forest->objective = logistic;
    size_t F = x.forest->n_features;
    bl_background *bg = new_background(&x, 2);
    float phi[3 * 8], one[3 * 8];
    bl_err err = {0};
    CHECK_OK(
        bli_background_rows_in(bg, BL_SPACE_PROBABILITY, x.rows, NULL, 3, 2, phi, &err),
        err);
    CHECK_OK(
        bli_background_rows_in(bg, BL_SPACE_PROBABILITY, x.rows, NULL, 3, 1, one, &err),
        err);
    assert_memory_equal(phi, one, sizeof phi);
    bli_background_free(bg);
    double sum[3 * 8] = {0};
    for (size_t part = 0; part < 2; part++) {
        fixture half = x;
        half.n_background = 1250;
        half.background = x.background + part * 1250 * F;
        bg = new_background(&half, 1);
        CHECK_OK(bli_background_rows_in(bg, BL_SPACE_PROBABILITY, x.rows, NULL, 3, 1, one,
                                        &err),
                 err);
        bli_background_free(bg);
        for (size_t i = 0; i < 24; i++)
            sum[i] += (double)one[i] / 2;
    }
    for (size_t i = 0; i < 24; i++)
        CHECK(fabs((double)phi[i] - sum[i]) < 1e-6, "%g, halves: %g", (double)phi[i],
              sum[i]);
    tear_down(&x);
}

static void test_linear_models_are_held_against_the_means(void **state)
{
    (void)state;
    bl_forest *forest = oracle_forest_new(2, 1);
    static char logistic[] = "binary:logistic";
    forest->objective = logistic;
    forest->n_rounds = 1;
    forest->linear = numbers(3, sizeof(float));
    forest->linear[0] = 2;
    forest->linear[1] = -1;
    forest->linear[2] = .5F;
    const float background[] = {1, 0, 3, NAN, NAN, 4, 0, 0};
    const float rows[] = {2, 1, NAN, 3};
    bl_background *bg;
    bl_err err = {0};
    float phi[6];
    CHECK_OK(bli_background_new(forest, 0, 1, background, 4, NULL, 1, &bg, &err), err);
    CHECK_OK(bli_background_rows(bg, rows, 2, 1, phi, &err), err);
    const float want[] = {2, 0, 1.5F, -2, -2, 1.5F}; /* means of the columns: 1 and 1 */
    for (size_t i = 0; i < 6; i++)
        CHECK(fabsf(phi[i] - want[i]) < 1e-6F, "%zu: %g", i, (double)phi[i]);
    assert_true(bli_background_base_values(bg)[0] == 1.5);
    CHECK_OK(
        bli_background_rows_in(bg, BL_SPACE_PROBABILITY, rows, NULL, 2, 1, phi, &err),
        err);
    CHECK(fabs((double)(phi[0] + phi[1] + phi[2]) - 1 / (1 + exp(-3.5))) < 1e-6,
          "probability %g", (double)(phi[0] + phi[1] + phi[2]));
    bli_background_free(bg);
    forest->objective = NULL;
    oracle_forest_free(forest);
}

static void test_what_cannot_be_is_refused_in_words(void **state)
{
    (void)state;
    fixture x;
    set_up(&x, &small, 1, 2, 3);
    bl_background *bg = NULL;
    bl_err err = {0};
    CHECK_FAILS(bli_background_new(x.forest, 0, 10, x.background, 3, NULL, 1, &bg, &err),
                BL_E_ARG, err, "rounds 0 to 10 of a model with 9 rounds");
    CHECK_FAILS(bli_background_new(x.forest, 0, 9, x.background, 0, NULL, 1, &bg, &err),
                BL_E_ARG, err, "a background of no rows: give at least one");
    CHECK_FAILS(
        bli_background_new(x.forest, 0, 9, x.background, 3, "abacus", 1, &bg, &err),
        BL_E_ARG, err, "kernel 'abacus': this processor has none of that name");
    assert_null(bg);
    bg = new_background(&x, 1);
    float phi[14], labels[2] = {1, 1.5F};
    static char squared[] = "reg:squarederror", logistic[] = "binary:logistic";
    x.forest->objective = squared;
    CHECK_FAILS(
        bli_background_rows_in(bg, BL_SPACE_PROBABILITY, x.rows, NULL, 2, 1, phi, &err),
        BL_E_ARG, err,
        "objective 'reg:squarederror' with 1 outputs has no logistic link");
    x.forest->objective = logistic;
    CHECK_FAILS(
        bli_background_rows_in(bg, BL_SPACE_LOG_LOSS, x.rows, NULL, 2, 1, phi, &err),
        BL_E_ARG, err, "the log-loss space needs the rows' labels");
    CHECK_FAILS(
        bli_background_rows_in(bg, BL_SPACE_LOG_LOSS, x.rows, labels, 2, 1, phi, &err),
        BL_E_ARG, err, "label 1.5 of row 1 is not between 0 and 1");
    bli_background_free(bg);
    bli_background_free(NULL);
    tear_down(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_chain_of_17_adds_up_to_the_difference),
        cmocka_unit_test(test_values_are_the_same_bits_for_every_thread_count),
        cmocka_unit_test(test_a_row_alone_has_the_same_bits),
        cmocka_unit_test(test_a_row_against_itself_gets_exactly_nothing),
        cmocka_unit_test(test_a_background_twice_over_is_the_same_background),
        cmocka_unit_test(test_values_add_up_in_every_space),
        cmocka_unit_test(test_spaces_take_any_number_of_background_rows),
        cmocka_unit_test(test_linear_models_are_held_against_the_means),
        cmocka_unit_test(test_what_cannot_be_is_refused_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
