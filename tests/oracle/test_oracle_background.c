/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values against a background: every kernel against all coalitions, for small trees of
 * every kind; against pairs of rows and leaves for large ones; in probability and log-loss
 * space too.
 */
#include "check.h"

#include "explain/background.h"
#include "oracle/background.h"
#include "oracle/forests.h"

#include <stdlib.h>

/* Of the largest value. */
#define TOLERANCE 3e-7

typedef struct kind {
    const char *name;
    oracle_shape shape;
    uint32_t n_values;
    size_t n_outputs;
    unsigned missing;
    bool hostile;
} kind;

#define CHAIN(n, features)                                                               \
    {                                                                                    \
        n, features, .chain = true, .distinct = true, .leaf_scale = 1                    \
    }

static const kind kinds[] = {
    {"single leaf", {0, 1, .leaf_scale = 1}, 1, 1, 0, false},
    {"stump", {1, 1, .leaf_scale = 1}, 1, 1, 20, false},
    {"small", {6, 5, .leaf_scale = 1}, 1, 1, 0, false},
    {"missing", {12, 8, .leaf_scale = 1}, 1, 1, 30, false},
    {"all missing", {12, 8, .leaf_scale = 1}, 1, 1, 100, false},
    {"repeated", {14, 2, .leaf_scale = 1}, 1, 1, 10, false},
    {"repeated chain", {12, 3, .chain = true, .leaf_scale = 1}, 1, 1, 10, false},
    {"bushy", {40, 9, .leaf_scale = 5}, 1, 1, 10, false},
    {"bushier", {100, 6, .leaf_scale = 5}, 1, 1, 10, false},
    {"categorical", {14, 6, .categorical = 60, .leaf_scale = 1}, 1, 1, 20, false},
    {"many outputs", {10, 6, .leaf_scale = 1}, 1, 4, 10, false},
    {"vector leaves", {10, 6, .categorical = 20, .leaf_scale = 1}, 3, 3, 10, false},
    {"huge leaves", {10, 5, .leaf_scale = 1e30F}, 1, 1, 10, false},
    {"tiny leaves", {10, 5, .leaf_scale = 1e-30F}, 1, 1, 10, false},
    {"infinite cells", {14, 6, .categorical = 20, .leaf_scale = 1}, 1, 1, 20, true},
    {"chain of 8", CHAIN(8, 8), 1, 1, 5, false},
    {"chain of 9", CHAIN(9, 9), 1, 1, 5, false},
    {"chain of 10", CHAIN(10, 10), 1, 1, 5, false},
    {"chain of 11", CHAIN(11, 11), 1, 1, 5, false},
    {"chain of 12, vectors", CHAIN(12, 12), 2, 2, 5, false},
};

static const kind large[] = {
    {"depth by chance, 200 splits", {200, 40, .leaf_scale = 1}, 1, 1, 10, false},
    {"few features, 200 splits",
     {200, 5, .categorical = 10, .leaf_scale = 1},
     1,
     1,
     10,
     false},
    {"chain of 17", CHAIN(17, 17), 1, 1, 5, false},
    {"chain of 30", CHAIN(30, 30), 1, 1, 5, false},
    {"chain of 70, vectors", CHAIN(70, 70), 2, 2, 1, false},
    {"chain of 150 over 130", CHAIN(150, 130), 1, 1, 1, false},
};

typedef struct fixture {
    bl_forest *forest;
    size_t n_rows, n_background;
    float *rows, *background, *labels;
} fixture;

static float *draw_rows(const kind *k, size_t n, size_t n_features, bl_rng *rng)
{
    float *rows = malloc((n ? n : 1) * n_features * sizeof *rows);
    assert_non_null(rows);
    for (size_t r = 0; r < n; r++)
        oracle_row(rows + r * n_features, n_features, k->missing, k->hostile, rng);
    return rows;
}

static fixture draw(const kind *k, size_t n_trees, size_t n_rows, size_t n_background,
                    bl_rng *rng)
{
    fixture it = {.n_rows = n_rows, .n_background = n_background};
    it.forest = oracle_forest_new(k->shape.n_features + 2, k->n_outputs);
    for (size_t o = 0; o < k->n_outputs; o++)
        it.forest->base_margin[o] = (float)oracle_uniform(rng) - 0.25F;
    for (size_t t = 0; t < n_trees; t++) {
        uint32_t output =
            k->n_values > 1 ? 0 : (uint32_t)bli_rng_below(rng, k->n_outputs);
        oracle_grow(oracle_add_tree(it.forest, output, k->n_values), &k->shape, rng);
        it.forest->trees[t].weight = t % 3 ? 1 : (float)oracle_uniform(rng);
    }
    it.rows = draw_rows(k, n_rows, it.forest->n_features, rng);
    it.background = draw_rows(k, n_background, it.forest->n_features, rng);
    it.labels = malloc(n_rows * sizeof *it.labels);
    assert_non_null(it.labels);
    for (size_t r = 0; r < n_rows; r++)
        it.labels[r] = r % 3 ? (float)(r % 2) : 0.25F;
    return it;
}

static void discard(fixture *it)
{
    oracle_forest_free(it->forest);
    free(it->rows);
    free(it->background);
    free(it->labels);
}

static long double probability(long double margin, long double label)
{
    (void)label;
    return 1 / (1 + expl(-margin));
}

static long double log_loss(long double margin, long double label)
{
    return log1pl(expl(margin)) - label * margin;
}

static const oracle_link links[] = {NULL, probability, log_loss};

/* Against the truth in one space, with one kernel. */
static void check_kernel(const kind *k, const fixture *it, const char *kernel,
                         bl_space space, oracle_pair_phi truth)
{
    size_t F = it->forest->n_features, K = it->forest->n_outputs;
    float *phi = malloc(it->n_rows * K * (F + 1) * sizeof *phi);
    long double *want = malloc((F + 1) * sizeof *want);
    assert_true(phi && want);
    bl_background *bg;
    bl_err err = {0};
    CHECK_OK(bli_background_new(it->forest, 0, it->forest->n_rounds, it->background,
                                it->n_background, kernel, 1, &bg, &err),
             err);
    assert_string_equal(bli_background_kernel(bg), kernel);
    CHECK_OK(
        bli_background_rows_in(bg, space, it->rows, it->labels, it->n_rows, 1, phi, &err),
        err);
    double worst = 0, scale = 0;
    for (size_t r = 0; r < it->n_rows; r++)
        for (size_t o = 0; o < K; o++) {
            const float *got = phi + (r * K + o) * (F + 1);
            oracle_background_phi(it->forest, o, it->rows + r * F, it->background,
                                  it->n_background, truth, links[space],
                                  (long double)it->labels[r], want);
            for (size_t f = 0; f < F; f++) {
                worst = fmax(worst, fabs((double)((long double)got[f] - want[f])));
                scale = fmax(scale, fabs((double)want[f]));
            }
            CHECK(fabs((double)((long double)got[F] - want[F])) <=
                      1e-7 * (1 + fabs((double)want[F])),
                  "%s: base value %.9g, not %.9Lg", k->name, (double)got[F], want[F]);
        }
    CHECK(worst <= TOLERANCE * scale, "%s, %s, space %d: %.3g of the largest value",
          k->name, kernel, (int)space, scale > 0 ? worst / scale : worst);
    bli_background_free(bg);
    free(phi);
    free(want);
}

static void check_kind(const kind *k, size_t n_rows, size_t n_background,
                       oracle_pair_phi truth, bl_rng *rng)
{
    fixture it = draw(k, 3, n_rows, n_background, rng);
    const char *names[BLI_BACKGROUND_KERNELS];
    bli_background_kernels(names);
    for (size_t i = 0; names[i]; i++)
        check_kernel(k, &it, names[i], BL_SPACE_MARGIN, truth);
    static char logistic[] = "binary:logistic";
    it.forest->objective = logistic;
    /* Margins of 1e30 have no probabilities between. */
    if (it.forest->n_outputs == 1 && k->shape.leaf_scale < 100 &&
        k->shape.leaf_scale > 0.01F) {
        check_kernel(k, &it, names[0], BL_SPACE_PROBABILITY, truth);
        check_kernel(k, &it, names[0], BL_SPACE_LOG_LOSS, truth);
    }
    it.forest->objective = NULL;
    discard(&it);
}

static void test_the_two_oracles_agree(void **state)
{
    (void)state;
    bl_rng rng = bli_rng(oracle_seed(5));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        fixture it = draw(kinds + i, 1, 1, 1, &rng);
        size_t F = it.forest->n_features;
        long double a[32] = {0}, b[32] = {0}, scale = 0;
        oracle_pair_subsets(it.forest->trees, 0, it.rows, it.background, F, a);
        oracle_pair_leaves(it.forest->trees, 0, it.rows, it.background, F, b);
        for (size_t f = 0; f < F; f++)
            scale = fmaxl(scale, fabsl(a[f]));
        for (size_t f = 0; f < F; f++)
            CHECK(fabsl(a[f] - b[f]) <= 1e-15L * scale, "%s: %.20Lg and %.20Lg",
                  kinds[i].name, a[f], b[f]);
        discard(&it);
    }
}

static void test_values_equal_the_sum_over_all_coalitions(void **state)
{
    (void)state;
    bl_rng rng = bli_rng(oracle_seed(20261125));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (int repeat = 0; repeat < 3; repeat++)
            check_kind(kinds + i, kinds[i].shape.n_features < 10 ? 5 : 2, repeat ? 7 : 1,
                       oracle_pair_subsets, &rng);
}

static void test_values_of_large_trees_equal_the_sum_over_pairs(void **state)
{
    (void)state;
    bl_rng rng = bli_rng(oracle_seed(99));
    for (size_t i = 0; i < sizeof large / sizeof *large; i++)
        check_kind(large + i, 40, 50, oracle_pair_leaves, &rng);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_two_oracles_agree),
        cmocka_unit_test(test_values_equal_the_sum_over_all_coalitions),
        cmocka_unit_test(test_values_of_large_trees_equal_the_sum_over_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
