/* SPDX-License-Identifier: Apache-2.0 */
/* Interactions of models that libxgboost trains, beside its own pred_interactions (to the
 * error of its float32 sums). */
#include "check.h"

#include "explain/interactions.h"
#include "trained.h"

#include <stdlib.h>

static const recipe models[] = {
    {.name = "regression", .params = "max_depth=6 eta=0.3", .rounds = 20},
    {.name = "missing", .params = "max_depth=6 eta=0.3", .rounds = 20, .missing = 0.3},
    {.name = "classes",
     .params = "objective=multi:softprob num_class=3 max_depth=4 num_parallel_tree=2 "
               "subsample=0.7",
     .rounds = 5,
     .y = Y_CLASS,
     .n_targets = 3},
    {.name = "vector leaves",
     .params = "multi_strategy=multi_output_tree tree_method=hist max_depth=5",
     .rounds = 10,
     .y = Y_MULTI,
     .n_targets = 3},
    {.name = "dart", .params = "booster=dart rate_drop=0.5 max_depth=4", .rounds = 15},
    {.name = "one-hot categories",
     .params = "tree_method=hist max_cat_to_onehot=64 max_depth=5",
     .rounds = 15,
     .n_levels = 9,
     .missing = 0.1},
    {.name = "partitioned categories",
     .params = "tree_method=hist max_cat_to_onehot=1 max_depth=5",
     .rounds = 15,
     .n_levels = 70,
     .missing = 0.1},
    {.name = "base margin", .params = "max_depth=4", .rounds = 8, .base_margin = true},
    {.name = "stumps", .params = "max_depth=1 eta=0.5", .rounds = 20},
    {.name = "single leaves", .params = "gamma=1e9", .rounds = 4},
    {.name = "no rounds", .params = "base_score=0.25", .rounds = 0},
    {.name = "depth 12",
     .params = "max_depth=12 min_child_weight=0 lambda=0",
     .rounds = 10,
     .n_features = 20},
};

/* Sums of a few hundred float32 numbers, relative to the largest leaf or number. */
#define TOLERANCE 5e-6

static double largest_leaf(const bl_forest *forest)
{
    double largest = 1e-30;
    for (size_t t = 0; t < forest->n_trees; t++) {
        const bl_tree *tree = forest->trees + t;
        for (uint32_t i = 0; i < tree->n_nodes * tree->n_values; i++)
            if (tree->left[i / tree->n_values] < 0)
                largest = fmax(largest, fabs((double)tree->leaf[i]));
    }
    return largest;
}

static void check_model(const recipe *how)
{
    trained *t = train(how);
    bl_forest *forest = read_forest(t->ubj, t->n_ubj);
    const bst_ulong *shape;
    bst_ulong n_dims;
    const float *its;
    CHECK(XGBoosterPredictFromDMatrix(
              t->booster, t->data,
              "{\"type\":4,\"training\":false,\"iteration_begin\":0,\"iteration_end\":0,"
              "\"strict_shape\":true}",
              &shape, &n_dims, &its) == 0,
          "%s: %s", how->name, XGBGetLastError());
    size_t side = forest->n_features + 1, cells = side * side;
    size_t n = t->n_rows * forest->n_outputs * cells;
    CHECK(n_dims == 4 && shape[0] * shape[1] * shape[2] * shape[3] == n, "%s", how->name);
    float *ours = malloc(n * sizeof *ours);
    assert_non_null(ours);
    bl_interactions *it;
    bl_err err = {0};
    CHECK_OK(bli_interactions_new(forest, 0, forest->n_rounds, NULL, &it, &err), err);
    CHECK_OK(bli_interactions_rows(it, t->x, t->n_rows, t->base_margin, 2, ours, &err),
             err);
    double worst = 0, scale = largest_leaf(forest);
    for (size_t i = 0; i < n; i++)
        scale = fmax(scale, i % cells == cells - 1 ? 0 : fabs((double)its[i]));
    for (size_t i = 0; i < n; i++) {
        double largest =
            i % cells == cells - 1 ? fmax(scale, fabs((double)its[i])) : scale;
        worst = fmax(worst, fabs((double)ours[i] - (double)its[i]) / largest);
    }
    printf("%-24s %.1e\n", how->name, worst);
    CHECK(worst <= TOLERANCE, "%s: %.3g of the largest number from XGBoost", how->name,
          worst);
    free(ours);
    bli_interactions_free(it);
    bli_forest_free(forest);
    trained_free(t);
}

static void test_matrices_equal_xgboosts_to_its_error(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        check_model(models + i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matrices_equal_xgboosts_to_its_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
