/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Margins and predictions are XGBoost's own, bit for bit: models of every objective and
 * booster are trained by libxgboost here and predicted by both.
 */
#include "trained.h"

#include "base/mem.h"
#include "base/rng.h"

#include <stdlib.h>

#define FEW "max_depth=4 eta=0.3 "

static const recipe recipes[] = {
    {.name = "squared error", .params = FEW "objective=reg:squarederror", .rounds = 12},
    {.name = "squared error, missing",
     .params = FEW "objective=reg:squarederror",
     .rounds = 12,
     .missing = 0.3},
    {.name = "base_score given", .params = FEW "base_score=-3.25", .rounds = 5},
    {.name = "reg:linear", .params = FEW "objective=reg:linear", .rounds = 5},
    {.name = "squared log error",
     .params = FEW "objective=reg:squaredlogerror",
     .rounds = 6,
     .y = Y_COUNT},
    {.name = "pseudo Huber", .params = FEW "objective=reg:pseudohubererror", .rounds = 6},
    {.name = "absolute error", .params = FEW "objective=reg:absoluteerror", .rounds = 6},
    {.name = "one quantile",
     .params = FEW "objective=reg:quantileerror quantile_alpha=0.3",
     .rounds = 6},
    {.name = "three quantiles",
     .params = FEW "objective=reg:quantileerror quantile_alpha=[0.1,0.5,0.9]",
     .rounds = 6,
     .n_targets = 3},
    {.name = "three expectiles",
     .params = FEW "objective=reg:expectileerror expectile_alpha=[0.1,0.5,0.9]",
     .rounds = 6,
     .n_targets = 3},
    {.name = "logistic regression",
     .params = FEW "objective=reg:logistic",
     .rounds = 6,
     .y = Y_BINARY},
    {.name = "gamma", .params = FEW "objective=reg:gamma", .rounds = 6, .y = Y_COUNT},
    {.name = "tweedie",
     .params = FEW "objective=reg:tweedie tweedie_variance_power=1.2",
     .rounds = 6,
     .y = Y_COUNT},
    {.name = "poisson",
     .params = FEW "objective=count:poisson",
     .rounds = 6,
     .y = Y_COUNT},
    {.name = "binary logistic",
     .params = FEW "objective=binary:logistic",
     .rounds = 12,
     .y = Y_BINARY},
    {.name = "binary logitraw",
     .params = FEW "objective=binary:logitraw",
     .rounds = 6,
     .y = Y_BINARY},
    {.name = "binary hinge",
     .params = FEW "objective=binary:hinge",
     .rounds = 6,
     .y = Y_BINARY},
    {.name = "softmax",
     .params = FEW "objective=multi:softmax num_class=4",
     .rounds = 6,
     .y = Y_CLASS,
     .n_targets = 4},
    {.name = "softprob",
     .params = FEW "objective=multi:softprob num_class=4",
     .rounds = 6,
     .y = Y_CLASS,
     .n_targets = 4},
    {.name = "softprob, parallel trees (A10)",
     .params =
         FEW "objective=multi:softprob num_class=3 num_parallel_tree=2 subsample=0.7",
     .rounds = 5,
     .y = Y_CLASS,
     .n_targets = 3},
    {.name = "rank pairwise",
     .params = FEW "objective=rank:pairwise",
     .rounds = 6,
     .y = Y_RANK},
    {.name = "rank ndcg", .params = FEW "objective=rank:ndcg", .rounds = 6, .y = Y_RANK},
    {.name = "rank map",
     .params = FEW "objective=rank:map",
     .rounds = 6,
     .y = Y_RANK_BINARY},
    {.name = "survival aft",
     .params = FEW "objective=survival:aft",
     .rounds = 6,
     .y = Y_BOUNDS},
    {.name = "survival cox",
     .params = FEW "objective=survival:cox",
     .rounds = 6,
     .y = Y_COUNT},
    {.name = "multi target",
     .params = FEW "objective=reg:squarederror",
     .rounds = 6,
     .y = Y_MULTI,
     .n_targets = 3},
    {.name = "vector leaves",
     .params = FEW "objective=reg:squarederror multi_strategy=multi_output_tree",
     .rounds = 6,
     .y = Y_MULTI,
     .n_targets = 3},
    {.name = "vector leaves, softprob",
     .params =
         FEW "objective=multi:softprob num_class=3 multi_strategy=multi_output_tree",
     .rounds = 6,
     .y = Y_CLASS,
     .n_targets = 3},
    {.name = "vector leaves, categories, missing, dart",
     .params = FEW "multi_strategy=multi_output_tree rate_drop=0.5",
     .rounds = 8,
     .y = Y_MULTI,
     .n_targets = 2,
     .n_levels = 9,
     .missing = 0.2},
    {.name = "dart", .params = FEW "booster=dart rate_drop=0.4", .rounds = 15},
    {.name = "dart, softprob, parallel trees",
     .params =
         FEW "booster=dart rate_drop=0.4 normalize_type=forest objective=multi:softprob "
             "num_class=3 num_parallel_tree=2",
     .rounds = 8,
     .y = Y_CLASS,
     .n_targets = 3},
    {.name = "random forest",
     .params = FEW "num_parallel_tree=7 subsample=0.5 colsample_bynode=0.5 eta=1",
     .rounds = 2},
    {.name = "one-hot categories",
     .params = FEW "max_cat_to_onehot=100",
     .rounds = 8,
     .n_levels = 7,
     .missing = 0.1},
    {.name = "partition of categories",
     .params = FEW "max_cat_to_onehot=1",
     .rounds = 8,
     .n_levels = 70,
     .missing = 0.1},
    {.name = "gblinear", .params = "booster=gblinear", .rounds = 8, .missing = 0.1},
    {.name = "gblinear, softprob",
     .params = "booster=gblinear objective=multi:softprob num_class=3",
     .rounds = 4,
     .y = Y_CLASS,
     .n_targets = 3},
    {.name = "gblinear, multi target",
     .params = "booster=gblinear",
     .rounds = 4,
     .y = Y_MULTI,
     .n_targets = 2},
    {.name = "base margin", .params = FEW, .rounds = 6, .base_margin = true},
    {.name = "base margin, softprob",
     .params = FEW "objective=multi:softprob num_class=3",
     .rounds = 6,
     .y = Y_CLASS,
     .n_targets = 3,
     .base_margin = true},
    {.name = "base margin, gblinear",
     .params = "booster=gblinear",
     .rounds = 4,
     .base_margin = true},
    {.name = "deep, by loss",
     .params = "grow_policy=lossguide max_leaves=200 max_depth=0 min_child_weight=0",
     .rounds = 4,
     .n_rows = 2000},
    {.name = "exact, pruned",
     .params = "tree_method=exact max_depth=8 gamma=2",
     .rounds = 8},
    {.name = "approx", .params = FEW "tree_method=approx", .rounds = 5},
    {.name = "single leaves (A12)", .params = "gamma=1e9", .rounds = 3},
    {.name = "one row (A12)", .params = FEW, .rounds = 3, .n_rows = 1},
    {.name = "no rounds", .params = "objective=binary:logistic", .y = Y_BINARY},
    {.name = "no rounds, base_score given",
     .params = "objective=binary:logistic base_score=0.2",
     .y = Y_BINARY},
    {.name = "named", .params = FEW, .rounds = 2, .names = true},
};

static void compare(trained *t, const bl_forest *f, const char *name, int first, int last)
{
    size_t n, n_value;
    float *want = trained_predict(t, true, first, last, NULL, 0, &n);
    float *want_value = trained_predict(t, false, first, last, NULL, 0, &n_value);
    CHECK(n == t->n_rows * f->n_outputs, "%s: %zu margins", name, n);
    CHECK(n_value == t->n_rows * bli_forest_n_predictions(f), "%s: %zu values", name,
          n_value);
    float *got = calloc(n, sizeof *got), *got_value = calloc(n_value, sizeof *got_value);
    assert_true(got && got_value);
    bli_forest_margins(f, (size_t)first, last ? (size_t)last : f->n_rounds, t->x,
                       t->n_rows, t->base_margin, got);
    bli_forest_transform(f, got, t->n_rows, got_value);
    CHECK(differing(got, want, n) == 0, "%s: %zu of %zu margins differ", name,
          differing(got, want, n), n);
    CHECK(differing(got_value, want_value, n_value) == 0, "%s: %zu of %zu values differ",
          name, differing(got_value, want_value, n_value), n_value);
    free(want);
    free(want_value);
    free(got);
    free(got_value);
}

static void test_every_objective_and_booster_predicts_xgboosts_bits(void **state)
{
    (void)state;
    for (size_t i = 0; i < BL_LEN(recipes); i++) {
        trained *t = train(&recipes[i]);
        bl_forest *f = read_forest(t->ubj, t->n_ubj);
        compare(t, f, recipes[i].name, 0, 0);
        if (!f->linear && recipes[i].rounds > 3)
            compare(t, f, recipes[i].name, 1, 3);
        bli_forest_free(f);
        trained_free(t);
    }
}

/* Cells that are no code of any category, and edges of numbers. */
static const float odd[] = {-1.0f,  -0.5f,      0.5f,        2.7f,  69.0f,  70.0f, 71.5f,
                            1e9f,   16777215.f, 16777216.0f, 3e38f, -3e38f, -0.0f, NAN,
                            1e-45f, 31.0f,      32.0f,       63.9f, 64.0f,  4.3e9f};

static void test_odd_cells_go_the_way_they_go_in_xgboost(void **state)
{
    (void)state; /* A17 */
    static const recipe recipes_odd[] = {
        {.params = "max_depth=5 max_cat_to_onehot=1", .rounds = 8, .n_levels = 70},
        {.params = "max_depth=5 max_cat_to_onehot=100", .rounds = 8, .n_levels = 33},
        {.params = "max_depth=5", .rounds = 8, .missing = 0.2},
    };
    enum { N = 400 };
    for (size_t r = 0; r < BL_LEN(recipes_odd); r++) {
        trained *t = train(&recipes_odd[r]);
        bl_forest *f = read_forest(t->ubj, t->n_ubj);
        bl_rng rng = bli_rng(11);
        float *x = calloc(N * t->n_features, sizeof *x), *got = calloc(N, sizeof *got);
        assert_true(x && got);
        for (size_t i = 0; i < N * t->n_features; i++)
            x[i] = odd[bli_rng_below(&rng, BL_LEN(odd))];
        size_t n;
        float *want = trained_predict(t, true, 0, 0, x, N, &n);
        bli_forest_margins(f, 0, f->n_rounds, x, N, NULL, got);
        CHECK(n == N && differing(got, want, N) == 0, "%zu of %d differ",
              differing(got, want, N), (int)N);
        free(x);
        free(got);
        free(want);
        bli_forest_free(f);
        trained_free(t);
    }
}

static void test_margins_do_not_depend_on_how_rows_are_cut(void **state)
{
    (void)state;
    trained *t =
        train(&(recipe){.params = FEW, .rounds = 9, .n_rows = 200, .missing = 0.2});
    bl_forest *f = read_forest(t->ubj, t->n_ubj);
    float all[200], one[200];
    bli_forest_margins(f, 0, f->n_rounds, t->x, 200, NULL, all);
    for (size_t i = 0; i < 200; i++)
        bli_forest_margins(f, 0, f->n_rounds, t->x + i * t->n_features, 1, NULL, &one[i]);
    assert_true(differing(all, one, 200) == 0);
    bli_forest_free(f);
    trained_free(t);
}

static void test_best_iteration_counts_rounds(void **state)
{
    (void)state;
    trained *t = train(&(recipe){.params = FEW, .rounds = 9});
    assert_int_equal(XGBoosterSetAttr(t->booster, "best_iteration", "4"), 0);
    trained_save(t);
    bl_forest *f = read_forest(t->ubj, t->n_ubj);
    assert_true(bli_forest_rounds(f) == 5);
    compare(t, f, "best iteration", 0, 5);
    bli_forest_free(f);
    trained_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_objective_and_booster_predicts_xgboosts_bits),
        cmocka_unit_test(test_odd_cells_go_the_way_they_go_in_xgboost),
        cmocka_unit_test(test_margins_do_not_depend_on_how_rows_are_cut),
        cmocka_unit_test(test_best_iteration_counts_rounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
