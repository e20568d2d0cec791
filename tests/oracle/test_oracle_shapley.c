/* SPDX-License-Identifier: Apache-2.0 */
/*
 * phi against all coalitions, for small trees of every kind; and against the sum over
 * leaves for large ones. Real models: test_oracle_real.c, test_oracle_xgboost.c.
 */
#include "check.h"

#include "explain/explain.h"
#include "kernels/lanes.h"
#include "oracle/forests.h"
#include "oracle/shapley.h"

#include <stdlib.h>

/* Every kernel is tried: the referee, whose error is that of a float32 result; and the lanes, that
 * compute in float32 and may lose a few more bits on deep paths. */
static const struct {
    const char *name;
    unsigned cpu;
    double tolerance; /* of the largest value */
} kernels[] = {
    {"row by row", BLI_ROW_BY_ROW, 1.2e-7},
    {"portable", 0, 1e-6},
    {"fmaf", BLK_CPU_FMAF, 1e-6},
    {"best", ~BLK_CPU_FMAF, 1e-6},
};
enum { N_KERNELS = sizeof kernels / sizeof *kernels };

typedef struct check {
    const char *kind;
    const bl_forest *forest;
    uint64_t n_rows;
    float *rows;
    float *phi[N_KERNELS];
    double worst[N_KERNELS], scale;
} check;

/* A row by itself goes another way than a row among many: to the same bits. */
static void explain_alone(const check *c, const bl_explainer *explainer, size_t kernel)
{
    size_t row = c->forest->n_outputs * (c->forest->n_features + 1);
    float *alone = malloc(row * sizeof *alone);
    assert_non_null(alone);
    bl_err err = {0};
    for (uint64_t r = 0; r < c->n_rows; r++) {
        CHECK_OK(bli_explain_rows(explainer, c->rows + r * c->forest->n_features, 1,
                                  alone, &err),
                 err);
        CHECK(memcmp(alone, c->phi[kernel] + r * row, row * sizeof *alone) == 0,
              "%s, %s: row %llu of %llu alone has other bits", c->kind,
              kernels[kernel].name, (unsigned long long)r, (unsigned long long)c->n_rows);
    }
    free(alone);
}

static void explain_by_all(check *c)
{
    const bl_forest *forest = c->forest;
    size_t n = (size_t)c->n_rows * forest->n_outputs * (forest->n_features + 1);
    for (size_t i = 0; i < N_KERNELS; i++) {
        bl_explainer *explainer;
        bl_err err = {0};
        c->phi[i] = malloc(n * sizeof(float));
        assert_non_null(c->phi[i]);
        CHECK_OK(bli_explainer_new_on(forest, 0, forest->n_rounds, kernels[i].cpu,
                                      &explainer, &err),
                 err);
        CHECK_OK(bli_explain_rows(explainer, c->rows, c->n_rows, c->phi[i], &err), err);
        explain_alone(c, explainer, i);
        bli_explainer_free(explainer);
    }
    CHECK(memcmp(c->phi[2], c->phi[3], n * sizeof(float)) == 0 || !blk_cpu(),
          "%s: the vector kernel and its reference differ", c->kind);
}

/* One row and output; the base value and the sum to the margin are checked on the way. */
static void compare_row(check *c, uint64_t r, size_t k, oracle_tree_phi truth,
                        long double *want)
{
    const bl_forest *forest = c->forest;
    size_t F = forest->n_features;
    const float *row = c->rows + r * F;
    oracle_forest_phi(forest, 0, forest->n_rounds, k, row, NULL, truth, want);
    long double margin = oracle_forest_margin(forest, 0, forest->n_rounds, k, row, NULL);
    long double sum = want[F];
    for (size_t f = 0; f < F; f++)
        sum += want[f];
    CHECK(fabsl(sum - margin) <= 1e-12L * (1 + fabsl(margin)), "oracle: %Lg, margin %Lg",
          sum, margin);
    for (size_t i = 0; i < N_KERNELS; i++) {
        const float *got = c->phi[i] + (r * forest->n_outputs + k) * (F + 1);
        for (size_t f = 0; f < F; f++) {
            c->worst[i] =
                fmax(c->worst[i], fabs((double)((long double)got[f] - want[f])));
            c->scale = fmax(c->scale, fabs((double)want[f]));
        }
        CHECK(fabs((double)((long double)got[F] - want[F])) <=
                  1e-7 * (1 + fabs((double)want[F])),
              "base value %.9g, not %.9Lg", (double)got[F], want[F]);
    }
}

static void check_random(const char *kind, const oracle_shape *shape, uint32_t n_values,
                         size_t n_outputs, size_t n_trees, unsigned missing, bool hostile,
                         oracle_tree_phi truth, uint64_t n_rows, bl_rng *rng)
{
    bl_forest *forest = oracle_forest_new(shape->n_features + 2, n_outputs);
    size_t F = forest->n_features;
    check c = {.kind = kind, .forest = forest, .n_rows = n_rows};
    for (size_t o = 0; o < n_outputs; o++)
        forest->base_margin[o] = (float)oracle_uniform(rng) - 0.25F;
    for (size_t t = 0; t < n_trees; t++) {
        uint32_t output = n_values > 1 ? 0 : (uint32_t)bli_rng_below(rng, n_outputs);
        oracle_grow(oracle_add_tree(forest, output, n_values), shape, rng);
        forest->trees[t].weight = t % 3 ? 1 : (float)oracle_uniform(rng);
    }
    c.rows = malloc((size_t)n_rows * F * sizeof *c.rows);
    long double *want = malloc((F + 1) * sizeof *want);
    assert_true(c.rows && want);
    for (uint64_t r = 0; r < n_rows; r++)
        oracle_row(c.rows + r * F, F, missing, hostile, rng);
    explain_by_all(&c);
    for (uint64_t r = 0; r < n_rows; r++)
        for (size_t k = 0; k < n_outputs; k++)
            compare_row(&c, r, k, truth, want);
    for (size_t i = 0; i < N_KERNELS; i++) {
        double error = c.scale > 0 ? c.worst[i] / c.scale : c.worst[i];
        CHECK(error <= kernels[i].tolerance,
              "%s, %s: worst error %.3g of the largest phi", kind, kernels[i].name,
              error);
        free(c.phi[i]);
    }
    free(c.rows);
    free(want);
    oracle_forest_free(forest);
}

static const struct {
    const char *kind;
    oracle_shape shape;
    uint32_t n_values;
    size_t n_outputs;
    unsigned missing;
    bool hostile;
} kinds[] = {
    {"single leaf", {0, 1, .leaf_scale = 1}, 1, 1, 0, false},
    {"stump", {1, 1, .leaf_scale = 1}, 1, 1, 20, false},
    {"small", {6, 5, .leaf_scale = 1}, 1, 1, 0, false},
    {"missing", {12, 8, .leaf_scale = 1}, 1, 1, 30, false},
    {"all missing", {12, 8, .leaf_scale = 1}, 1, 1, 100, false},
    {"repeated", {14, 2, .leaf_scale = 1}, 1, 1, 10, false},
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
    {"chain of 10",
     {10, 10, .chain = true, .distinct = true, .leaf_scale = 1},
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
    {"chain of 14",
     {14, 14, .chain = true, .distinct = true, .leaf_scale = 1},
     1,
     1,
     5,
     false},
    {"14, repeats below",
     {20, 14, .chain = true, .distinct = true, .leaf_scale = 1},
     1,
     1,
     5,
     false},
};

static void test_values_equal_the_sum_over_all_coalitions(void **state)
{
    (void)state;
    bl_rng rng = bli_rng(oracle_seed(20261125));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (int repeat = 0; repeat < 4; repeat++)
            /* 2^14 coalitions take a while. */
            check_random(kinds[i].kind, &kinds[i].shape, kinds[i].n_values,
                         kinds[i].n_outputs, 3, kinds[i].missing, kinds[i].hostile,
                         oracle_tree_subsets, kinds[i].shape.n_features < 12 ? 7 : 1,
                         &rng);
}

static void test_the_two_oracles_agree(void **state)
{
    (void)state;
    bl_rng rng = bli_rng(oracle_seed(7));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t F = kinds[i].shape.n_features;
        bl_forest *forest = oracle_forest_new(F, 1);
        oracle_grow(oracle_add_tree(forest, 0, 1), &kinds[i].shape, &rng);
        float row[32];
        oracle_row(row, F, kinds[i].missing, kinds[i].hostile, &rng);
        long double a[33] = {0}, b[33] = {0}, scale = 0;
        oracle_tree_subsets(forest->trees, 0, row, F, a);
        oracle_tree_leaves(forest->trees, 0, row, F, b);
        for (size_t f = 0; f < F; f++)
            scale = fmaxl(scale, fabsl(a[f]));
        for (size_t f = 0; f < F; f++)
            CHECK(fabsl(a[f] - b[f]) <= 1e-15L * scale,
                  "%s: feature %zu: %.20Lg and %.20Lg", kinds[i].kind, f, a[f], b[f]);
        oracle_forest_free(forest);
    }
}

static void test_large_trees_equal_the_sum_over_leaves(void **state)
{
    (void)state;
    static const struct {
        const char *kind;
        oracle_shape shape;
    } large[] = {
        {"depth by chance, 200 splits", {200, 40, .leaf_scale = 1}},
        {"few features, 200 splits", {200, 5, .categorical = 10, .leaf_scale = 1}},
        {"chain of 17", {17, 17, .chain = true, .distinct = true, .leaf_scale = 1}},
        {"chain of 30", {30, 30, .chain = true, .distinct = true, .leaf_scale = 1}},
        {"chain of 45", {45, 45, .chain = true, .distinct = true, .leaf_scale = 1}},
        {"chain of 60 over 33",
         {60, 33, .chain = true, .distinct = true, .leaf_scale = 1}},
        {"extreme cover",
         {100, 30, .extreme_cover = true, .zero_cover = 5, .leaf_scale = 1}},
    };
    bl_rng rng = bli_rng(oracle_seed(99));
    for (size_t i = 0; i < sizeof large / sizeof *large; i++)
        check_random(large[i].kind, &large[i].shape, 1, 1, 3, 10, false,
                     oracle_tree_leaves, 20, &rng);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_two_oracles_agree),
        cmocka_unit_test(test_values_equal_the_sum_over_all_coalitions),
        cmocka_unit_test(test_large_trees_equal_the_sum_over_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
