/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interaction matrices of every kernel against all coalitions, for small trees of every
 * kind; and against the sum over leaves for large ones.
 */
#include "check.h"

#include "explain/interactions.h"
#include "oracle/forests.h"
#include "oracle/interactions.h"

#include <stdlib.h>

/* Shares of the largest number of the matrix. The referee rounds its results to float32;
 * the lanes work in it, which in these forests of random leaves and many repeats costs up
 * to 1.1e-6 (of 30 seeds); on trained models far less. */
#define TOLERANCE      3e-7
#define LANE_TOLERANCE 2e-6
/* Rows of the matrix against phi. */
#define SUMS 2e-6

typedef struct kind {
    const char *name;
    oracle_shape shape;
    uint32_t n_values;
    size_t n_outputs;
    unsigned missing;
    bool hostile;
} kind;

static const kind kinds[] = {
    {"single leaf", {0, 1, .leaf_scale = 1}, 1, 1, 0, false},
    {"stump", {1, 1, .leaf_scale = 1}, 1, 1, 20, false},
    {"two splits", {2, 3, .leaf_scale = 1}, 1, 1, 20, false},
    {"small", {6, 5, .leaf_scale = 1}, 1, 1, 0, false},
    {"missing", {12, 8, .leaf_scale = 1}, 1, 1, 30, false},
    {"all missing", {12, 8, .leaf_scale = 1}, 1, 1, 100, false},
    {"repeated", {14, 2, .leaf_scale = 1}, 1, 1, 10, false},
    {"repeated thrice", {30, 3, .leaf_scale = 1}, 1, 1, 10, false},
    {"one feature", {9, 1, .chain = true, .leaf_scale = 1}, 1, 1, 10, false},
    {"repeated chain", {12, 3, .chain = true, .leaf_scale = 1}, 1, 1, 10, false},
    {"bushy", {40, 10, .leaf_scale = 5}, 1, 1, 10, false},
    {"categorical", {14, 6, .categorical = 60, .leaf_scale = 1}, 1, 1, 20, false},
    {"many outputs", {10, 6, .leaf_scale = 1}, 1, 4, 10, false},
    {"vector leaves", {10, 6, .categorical = 20, .leaf_scale = 1}, 3, 3, 10, false},
    {"zero cover", {14, 6, .zero_cover = 40, .leaf_scale = 1}, 1, 1, 10, false},
    {"zero cover repeated", {14, 2, .zero_cover = 40, .leaf_scale = 1}, 1, 1, 10, false},
    {"extreme cover", {14, 5, .extreme_cover = true, .leaf_scale = 1}, 1, 1, 10, false},
    {"huge leaves", {10, 5, .leaf_scale = 1e30F}, 1, 1, 10, false},
    {"tiny leaves", {10, 5, .leaf_scale = 1e-30F}, 1, 1, 10, false},
    {"infinite cells", {14, 6, .categorical = 20, .leaf_scale = 1}, 1, 1, 20, true},
    {"chain of 9",
     {9, 9, .chain = true, .distinct = true, .leaf_scale = 1},
     1,
     1,
     5,
     false},
    {"chain of 12",
     {12, 12, .chain = true, .distinct = true, .leaf_scale = 1},
     1,
     1,
     5,
     false},
    {"12, repeats below",
     {20, 12, .chain = true, .distinct = true, .leaf_scale = 1},
     1,
     1,
     5,
     false},
};

static const kind large[] = {
    {"depth by chance, 200 splits", {200, 40, .leaf_scale = 1}, 1, 1, 10, false},
    {"few features, 200 splits",
     {200, 5, .categorical = 10, .leaf_scale = 1},
     1,
     1,
     10,
     false},
    {"chain of 17",
     {17, 17, .chain = true, .distinct = true, .leaf_scale = 1},
     1,
     1,
     10,
     false},
    {"chain of 30",
     {30, 30, .chain = true, .distinct = true, .leaf_scale = 1},
     1,
     1,
     10,
     false},
    {"chain of 60 over 33",
     {60, 33, .chain = true, .distinct = true, .leaf_scale = 1},
     1,
     1,
     10,
     false},
    {"extreme cover",
     {100, 30, .extreme_cover = true, .zero_cover = 5, .leaf_scale = 1},
     1,
     1,
     10,
     false},
};

static bl_forest *draw_forest(const kind *k, size_t n_trees, bl_rng *rng)
{
    bl_forest *forest = oracle_forest_new(k->shape.n_features + 2, k->n_outputs);
    for (size_t o = 0; o < k->n_outputs; o++)
        forest->base_margin[o] = (float)oracle_uniform(rng) - 0.25F;
    for (size_t t = 0; t < n_trees; t++) {
        uint32_t output =
            k->n_values > 1 ? 0 : (uint32_t)bli_rng_below(rng, k->n_outputs);
        oracle_grow(oracle_add_tree(forest, output, k->n_values), &k->shape, rng);
        forest->trees[t].weight = t % 3 ? 1 : (float)oracle_uniform(rng);
    }
    return forest;
}

/* Symmetric, rows add up to phi, all of it to the margin; returns the largest number. */
static double check_sums(const kind *k, const float *got, const long double *want,
                         size_t side)
{
    double scale = 0;
    for (size_t i = 0; i < side * side; i++)
        scale = fmax(scale, fabs((double)want[i]));
    for (size_t i = 0; i < side; i++) {
        double sum = 0;
        long double phi = 0;
        for (size_t j = 0; j < side; j++) {
            CHECK(got[i * side + j] == got[j * side + i], "%s: %zu, %zu", k->name, i, j);
            sum += (double)got[i * side + j];
            phi += want[i * side + j];
        }
        CHECK(fabs(sum - (double)phi) <= SUMS * scale, "%s: row %zu: %g, not %g", k->name,
              i, sum, (double)phi);
    }
    return scale;
}

/* Largest error as a share of the largest number. */
static double worst_error(const kind *k, const bl_forest *forest, const float *rows,
                          uint64_t n_rows, const char *kernel, oracle_tree_pairs truth)
{
    size_t side = forest->n_features + 1, cells = side * side, K = forest->n_outputs;
    float *matrix = malloc((size_t)n_rows * K * cells * sizeof *matrix);
    long double *want = malloc(cells * sizeof *want);
    assert_true(matrix && want);
    bl_interactions *it;
    bl_err err = {0};
    CHECK_OK(bli_interactions_new(forest, 0, forest->n_rounds, kernel, &it, &err), err);
    assert_string_equal(bli_interactions_kernel(it), kernel);
    CHECK_OK(bli_interactions_rows(it, rows, n_rows, NULL, 1, matrix, &err), err);
    double worst = 0, scale = 0;
    for (uint64_t r = 0; r < n_rows; r++)
        for (size_t o = 0; o < K; o++) {
            const float *got = matrix + (r * K + o) * cells;
            oracle_forest_matrix(forest, 0, forest->n_rounds, o,
                                 rows + r * forest->n_features, truth, want);
            scale = fmax(scale, check_sums(k, got, want, side));
            for (size_t i = 0; i < cells; i++)
                worst = fmax(worst, fabs((double)((long double)got[i] - want[i])));
        }
    bli_interactions_free(it);
    free(matrix);
    free(want);
    return scale > 0 ? worst / scale : worst;
}

static void check_kind(const kind *k, uint64_t n_rows, oracle_tree_pairs truth,
                       bl_rng *rng)
{
    bl_forest *forest = draw_forest(k, 3, rng);
    float *rows = malloc((size_t)n_rows * forest->n_features * sizeof *rows);
    assert_non_null(rows);
    for (uint64_t r = 0; r < n_rows; r++)
        oracle_row(rows + r * forest->n_features, forest->n_features, k->missing,
                   k->hostile, rng);
    const char *names[BLI_INTERACTION_KERNELS];
    bli_interactions_kernels(names);
    for (size_t i = 0; names[i]; i++) {
        double error = worst_error(k, forest, rows, n_rows, names[i], truth);
        double most = strcmp(names[i], "row by row") == 0 ? TOLERANCE : LANE_TOLERANCE;
        CHECK(error <= most, "%s, %s: worst error %.3g of the largest number", k->name,
              names[i], error);
    }
    free(rows);
    oracle_forest_free(forest);
}

static void test_the_two_oracles_agree(void **state)
{
    (void)state;
    bl_rng rng = bli_rng(oracle_seed(3));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        bl_forest *forest = draw_forest(kinds + i, 1, &rng);
        size_t cells = (forest->n_features + 1) * (forest->n_features + 1);
        float row[32];
        oracle_row(row, forest->n_features, kinds[i].missing, kinds[i].hostile, &rng);
        long double a[32 * 32], b[32 * 32], scale = 0;
        assert_true(cells <= 32 * 32);
        oracle_forest_matrix(forest, 0, 1, 0, row, oracle_pairs_subsets, a);
        oracle_forest_matrix(forest, 0, 1, 0, row, oracle_pairs_leaves, b);
        for (size_t c = 0; c < cells; c++)
            scale = fmaxl(scale, fabsl(a[c]));
        for (size_t c = 0; c < cells; c++)
            CHECK(fabsl(a[c] - b[c]) <= 1e-15L * scale, "%s: cell %zu: %.20Lg and %.20Lg",
                  kinds[i].name, c, a[c], b[c]);
        oracle_forest_free(forest);
    }
}

static void test_matrices_equal_the_sum_over_all_coalitions(void **state)
{
    (void)state;
    bl_rng rng = bli_rng(oracle_seed(20261125));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (int repeat = 0; repeat < 4; repeat++)
            /* 2^12 coalitions take a while. */
            check_kind(kinds + i, kinds[i].shape.n_features < 12 ? 7 : 1,
                       oracle_pairs_subsets, &rng);
}

static void test_matrices_of_large_trees_equal_the_sum_over_leaves(void **state)
{
    (void)state;
    bl_rng rng = bli_rng(oracle_seed(99));
    for (size_t i = 0; i < sizeof large / sizeof *large; i++)
        check_kind(large + i, 3, oracle_pairs_leaves, &rng);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_two_oracles_agree),
        cmocka_unit_test(test_matrices_equal_the_sum_over_all_coalitions),
        cmocka_unit_test(test_matrices_of_large_trees_equal_the_sum_over_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
