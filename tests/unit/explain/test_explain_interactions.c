/* SPDX-License-Identifier: Apache-2.0 */
/* Interactions as a user meets them: known cases, threads, strongest pairs, strengths.
 * Exactness: tests/oracle. */
#include "check.h"

#include "explain/interactions.h"
#include "oracle/forests.h"

#include <stdlib.h>

typedef struct fixture {
    bl_forest *forest;
    bl_interactions *it;
    size_t n_rows, cells;
    float *rows;
} fixture;

static void *numbers(size_t n, size_t size)
{
    void *memory = calloc(n ? n : 1, size);
    assert_non_null(memory);
    return memory;
}

static void set_up(fixture *x, size_t n_features, size_t n_outputs, size_t n_rows)
{
    bl_rng rng = bli_rng(oracle_seed(8));
    const oracle_shape shape = {.n_splits = 12,
                                .n_features = (uint32_t)n_features - 1,
                                .categorical = 20,
                                .leaf_scale = 1};
    *x = (fixture){.n_rows = n_rows, .cells = (n_features + 1) * (n_features + 1)};
    x->forest = oracle_forest_new(n_features, n_outputs);
    for (uint32_t t = 0; t < 9; t++)
        oracle_grow(oracle_add_tree(x->forest, t % (uint32_t)n_outputs, 1), &shape, &rng);
    x->rows = numbers(n_rows * n_features, sizeof(float));
    for (size_t r = 0; r < n_rows; r++)
        oracle_row(x->rows + r * n_features, n_features, 10, false, &rng);
    bl_err err = {0};
    CHECK_OK(bli_interactions_new(x->forest, 0, 9, NULL, &x->it, &err), err);
}

static void tear_down(fixture *x)
{
    bli_interactions_free(x->it);
    oracle_forest_free(x->forest);
    free(x->rows);
}

static float *matrices(const fixture *x, int n_threads)
{
    float *matrix = numbers(x->n_rows * x->forest->n_outputs * x->cells, sizeof(float));
    bl_err err = {0};
    CHECK_OK(
        bli_interactions_rows(x->it, x->rows, x->n_rows, NULL, n_threads, matrix, &err),
        err);
    return matrix;
}

/* Two features of which exactly one must be below .5: shap/shap#723. */
static void test_exclusive_or_has_its_interaction_off_the_diagonal(void **state)
{
    (void)state;
    bl_forest *forest = oracle_forest_new(2, 1);
    bl_tree *tree = oracle_add_tree(forest, 0, 1);
    tree->cover[0] = 4;
    uint32_t child = oracle_split(tree, 0, 0, .5F, 2, 2);
    uint32_t left = oracle_split(tree, child, 1, .5F, 1, 1);
    uint32_t right = oracle_split(tree, child + 1, 1, .5F, 1, 1);
    tree->leaf[left + 1] = tree->leaf[right] = 1;
    oracle_finish_tree(tree);
    const float row[] = {1, 1};
    const char *names[BLI_INTERACTION_KERNELS];
    bli_interactions_kernels(names);
    for (size_t i = 0; names[i]; i++) {
        bl_interactions *it;
        bl_err err = {0};
        float m[9];
        CHECK_OK(bli_interactions_new(forest, 0, 1, names[i], &it, &err), err);
        CHECK_OK(bli_interactions_rows(it, row, 1, NULL, 1, m, &err), err);
        const float want[9] = {0, -.25F, 0, -.25F, 0, 0, 0, 0, .5F};
        for (size_t c = 0; c < 9; c++)
            CHECK(fabsf(m[c] - want[c]) < 1e-7F, "%s: cell %zu is %g", names[i], c,
                  (double)m[c]);
        assert_true(bli_interactions_base_values(it)[0] == 0.5);
        bli_interactions_free(it);
    }
    oracle_forest_free(forest);
}

static void test_matrices_are_the_same_bits_for_every_thread_count(void **state)
{
    (void)state;
    fixture x;
    set_up(&x, 7, 3, 301);
    float *one = matrices(&x, 1);
    for (int n = 2; n <= 7; n += n == 2 ? 1 : 4) {
        float *many = matrices(&x, n);
        assert_memory_equal(one, many, x.n_rows * 3 * x.cells * sizeof *one);
        free(many);
    }
    free(one);
    tear_down(&x);
}

static void test_a_row_alone_has_the_same_bits(void **state)
{
    (void)state;
    fixture x;
    set_up(&x, 7, 2, 70);
    float *all = matrices(&x, 2), *one = numbers(2 * x.cells, sizeof *one);
    bl_err err = {0};
    for (size_t r = 0; r < x.n_rows; r++) {
        CHECK_OK(bli_interactions_rows(x.it, x.rows + r * 7, 1, NULL, 1, one, &err), err);
        assert_memory_equal(one, all + r * 2 * x.cells, 2 * x.cells * sizeof *one);
    }
    CHECK_OK(bli_interactions_rows(x.it, x.rows, 0, NULL, 1, one, &err), err);
    free(all);
    free(one);
    tear_down(&x);
}

static void test_unused_features_and_pairs_apart_are_exactly_zero(void **state)
{
    (void)state;
    fixture x;
    set_up(&x, 7, 1, 50);
    float *m = matrices(&x, 1);
    bool *meets = numbers(x.cells, sizeof *meets);
    for (size_t p = 0; p < bli_interactions_n_pairs(x.it); p++) {
        bl_pair pair = bli_interactions_pairs(x.it)[p];
        assert_true(pair.first < pair.second && pair.second < 6);
        meets[pair.first * 8 + pair.second] = meets[pair.second * 8 + pair.first] = true;
    }
    for (size_t r = 0; r < x.n_rows; r++)
        for (size_t i = 0; i < 8; i++)
            for (size_t j = 0; j < 8; j++) {
                bool used = i == j ? i != 6 : meets[i * 8 + j];
                CHECK(used || m[r * x.cells + i * 8 + j] == 0, "row %zu: %zu, %zu", r, i,
                      j);
            }
    free(meets);
    free(m);
    tear_down(&x);
}

static void test_a_base_margin_takes_the_place_of_the_models(void **state)
{
    (void)state;
    fixture x;
    set_up(&x, 5, 2, 40);
    x.forest->base_margin[0] = 7;
    float *base = numbers(80, sizeof *base), *m = numbers(80 * x.cells, sizeof *m);
    for (size_t i = 0; i < 80; i++)
        base[i] = (float)i;
    bl_err err = {0};
    CHECK_OK(bli_interactions_rows(x.it, x.rows, 40, base, 1, m, &err), err);
    const double *values = bli_interactions_base_values(x.it);
    for (size_t i = 0; i < 80; i++) {
        double mean =
            values[i % 2]; /* the model's base margin was 0 when it was compiled */
        CHECK(fabs((double)m[(i + 1) * x.cells - 1] - (double)i - mean) < 1e-5,
              "base value %g", (double)m[(i + 1) * x.cells - 1]);
    }
    free(base);
    free(m);
    tear_down(&x);
}

static void test_top_pairs_are_the_largest_of_the_matrix(void **state)
{
    (void)state;
    fixture x;
    set_up(&x, 8, 2, 60);
    enum { TOP = 5 };
    bl_top_pair *top = numbers(60 * 2 * TOP, sizeof *top);
    float *m = matrices(&x, 2);
    bl_err err = {0};
    CHECK_OK(bli_interactions_top(x.it, x.rows, 60, TOP, 3, top, &err), err);
    for (size_t i = 0; i < 120; i++) {
        const float *matrix = m + i * x.cells;
        float least = fabsf(top[i * TOP + TOP - 1].value);
        size_t above = 0;
        for (size_t a = 0; a < 8; a++)
            for (size_t b = a + 1; b < 8; b++)
                above += fabsf(matrix[a * 9 + b]) > least;
        CHECK(above < TOP, "%zu pairs above the last", above);
        for (size_t k = 0; k < TOP; k++) {
            bl_top_pair pair = top[i * TOP + k];
            assert_true(pair.first < pair.second && pair.second < 8);
            assert_true(matrix[pair.first * 9 + pair.second] == pair.value);
            assert_true(k == 0 || fabsf(top[i * TOP + k - 1].value) >= fabsf(pair.value));
        }
    }
    free(top);
    free(m);
    tear_down(&x);
}

static void test_too_few_pairs_are_filled_up(void **state)
{
    (void)state;
    fixture x;
    set_up(&x, 3, 1, 2);
    bl_top_pair top[8];
    bl_err err = {0};
    CHECK_OK(bli_interactions_top(x.it, x.rows, 2, 4, 1, top, &err), err);
    assert_true(bli_interactions_n_pairs(x.it) == 1);
    assert_true(top[0].first == 0 && top[0].second == 1);
    for (size_t k = 1; k < 4; k++)
        assert_true(top[k].first == UINT32_MAX && top[k].second == UINT32_MAX &&
                    top[k].value == 0);
    CHECK_OK(bli_interactions_top(x.it, x.rows, 2, 0, 1, NULL, &err), err);
    tear_down(&x);
}

static bl_strengths *strengths(const fixture *x, uint64_t cut, int n_threads)
{
    bl_strengths *s;
    bl_err err = {0};
    CHECK_OK(bli_strengths_new(x->it, &s, &err), err);
    if (cut)
        CHECK_OK(bli_strengths_add(s, x->it, x->rows, cut, n_threads, &err), err);
    CHECK_OK(bli_strengths_add(s, x->it, x->rows + cut * x->forest->n_features,
                               x->n_rows - cut, n_threads, &err),
             err);
    assert_true(s->n_rows == x->n_rows);
    return s;
}

static void test_strengths_are_the_sums_over_matrices(void **state)
{
    (void)state;
    fixture x;
    set_up(&x, 6, 2, 1300);
    float *m = matrices(&x, 2);
    bl_strengths *s = strengths(&x, 0, 2);
    for (size_t o = 0; o < 2; o++) {
        for (size_t p = 0; p < s->n_pairs; p++) {
            double sum = 0, sum_abs = 0;
            size_t cell = s->pairs[p].first * 7 + s->pairs[p].second;
            for (size_t r = 0; r < x.n_rows; r++) {
                sum += (double)m[(r * 2 + o) * x.cells + cell];
                sum_abs += fabs((double)m[(r * 2 + o) * x.cells + cell]);
            }
            CHECK(fabs(s->sum[o * s->n_pairs + p] - sum) <= 1e-6 * (1 + sum_abs),
                  "pair %zu: sum %g, not %g", p, s->sum[o * s->n_pairs + p], sum);
            CHECK(relative_error(s->sum_abs[o * s->n_pairs + p], sum_abs) < 1e-6,
                  "pair %zu", p);
        }
        for (size_t f = 0; f < 6; f++) {
            double sum_abs = 0;
            for (size_t r = 0; r < x.n_rows; r++)
                sum_abs += fabs((double)m[(r * 2 + o) * x.cells + f * 8]);
            CHECK(relative_error(s->diagonal_abs[o * 6 + f], sum_abs) < 1e-5,
                  "feature %zu", f);
        }
    }
    bli_strengths_free(s);
    free(m);
    tear_down(&x);
}

static void test_strengths_are_the_same_bits_for_threads_and_calls(void **state)
{
    (void)state;
    fixture x;
    set_up(&x, 6, 2, 2 * BLI_STRENGTH_ROWS + 77);
    bl_strengths *one = strengths(&x, 0, 1);
    for (int n = 1; n <= 7; n += 3) {
        bl_strengths *other = strengths(&x, n == 4 ? 0 : BLI_STRENGTH_ROWS, n);
        assert_memory_equal(one->sum_abs, other->sum_abs,
                            2 * (2 * one->n_pairs + 6) * sizeof(double));
        bli_strengths_free(other);
    }
    bli_strengths_free(one);
    bli_strengths_free(NULL);
    tear_down(&x);
}

/* Memory goes by pairs that meet, not by features. */
static void test_a_million_columns_cost_little(void **state)
{
    (void)state;
    enum { F = 1000000 };
    bl_rng rng = bli_rng(3);
    bl_forest *forest = oracle_forest_new(F, 1);
    const oracle_shape shape = {
        .n_splits = 9, .n_features = 3, .chain = true, .distinct = true, .leaf_scale = 1};
    bl_tree *tree = oracle_add_tree(forest, 0, 1);
    oracle_grow(tree, &shape, &rng);
    for (uint32_t n = 0; n < tree->n_nodes; n++)
        tree->feature[n] *= 400000;
    float *row = numbers(F, sizeof *row);
    bl_interactions *it;
    bl_top_pair top[4];
    bl_err err = {0};
    CHECK_OK(bli_interactions_new(forest, 0, 1, NULL, &it, &err), err);
    CHECK_OK(bli_interactions_top(it, row, 1, 4, 1, top, &err), err);
    assert_true(bli_interactions_n_pairs(it) == 3);
    for (size_t k = 0; k < 3; k++)
        assert_true(top[k].first % 400000 == 0 && top[k].second % 400000 == 0);
    bli_interactions_free(it);
    free(row);
    oracle_forest_free(forest);
}

static void test_linear_models_have_a_diagonal_only(void **state)
{
    (void)state;
    bl_forest *forest = oracle_forest_new(2, 2);
    forest->n_rounds = 1;
    forest->linear = numbers(6, sizeof(float));
    const float w[] = {1, -2, 0, 3, .5F, .25F}; /* [feature][output], bias last */
    memcpy(forest->linear, w, sizeof w);
    forest->base_margin[1] = 1;
    const float rows[] = {2, 5, NAN, -1};
    bl_interactions *it;
    bl_err err = {0};
    float m[2 * 2 * 9];
    CHECK_OK(bli_interactions_new(forest, 0, 1, NULL, &it, &err), err);
    CHECK_OK(bli_interactions_rows(it, rows, 2, NULL, 1, m, &err), err);
    const float want[2 * 2 * 3] = {2, 0, .5F, -4, 15, 1.25F, 0, 0, .5F, 0, -3, 1.25F};
    for (size_t i = 0; i < 36; i++) {
        size_t row = i % 9 / 3, column = i % 3;
        float expected = row == column ? want[i / 9 * 3 + row] : 0;
        CHECK(m[i] == expected, "cell %zu: %g, not %g", i, (double)m[i],
              (double)expected);
    }
    bli_interactions_free(it);
    oracle_forest_free(forest);
}

static void test_what_cannot_be_is_refused_in_words(void **state)
{
    (void)state;
    fixture x;
    set_up(&x, 4, 1, 1);
    bl_interactions *it = NULL;
    bl_err err = {0};
    CHECK_FAILS(bli_interactions_new(x.forest, 0, 10, NULL, &it, &err), BL_E_ARG, err,
                "rounds 0 to 10 of a model with 9 rounds: give a range within it");
    CHECK_FAILS(bli_interactions_new(x.forest, 3, 2, NULL, &it, &err), BL_E_ARG, err,
                "rounds 3 to 2");
    CHECK_FAILS(bli_interactions_new(x.forest, 0, 9, "abacus", &it, &err), BL_E_ARG, err,
                "kernel 'abacus': this processor has none of that name");
    assert_null(it);
    bli_interactions_free(NULL);
    tear_down(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exclusive_or_has_its_interaction_off_the_diagonal),
        cmocka_unit_test(test_matrices_are_the_same_bits_for_every_thread_count),
        cmocka_unit_test(test_a_row_alone_has_the_same_bits),
        cmocka_unit_test(test_unused_features_and_pairs_apart_are_exactly_zero),
        cmocka_unit_test(test_a_base_margin_takes_the_place_of_the_models),
        cmocka_unit_test(test_top_pairs_are_the_largest_of_the_matrix),
        cmocka_unit_test(test_too_few_pairs_are_filled_up),
        cmocka_unit_test(test_strengths_are_the_sums_over_matrices),
        cmocka_unit_test(test_strengths_are_the_same_bits_for_threads_and_calls),
        cmocka_unit_test(test_a_million_columns_cost_little),
        cmocka_unit_test(test_linear_models_have_a_diagonal_only),
        cmocka_unit_test(test_what_cannot_be_is_refused_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
