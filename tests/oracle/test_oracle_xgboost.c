/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Models of every kind that libxgboost trains, beside its own contributions (to its
 * error: eight points whatever the tree, float32 throughout) and beside the truth.
 */
#include "check.h"

#include "explain/explain.h"
#include "oracle/shapley.h"
#include "trained.h"

#include <stdlib.h>

#define XGB(call) CHECK((call) == 0, "%s", XGBGetLastError())

/* What XGBoost says: [n_rows][n_outputs][n_features + 1]. */
static float *its_contributions(const trained *t, int last, const char *type,
                                size_t *ret_n)
{
    char config[160];
    snprintf(config, sizeof config,
             "{\"type\":%s,\"training\":false,\"iteration_begin\":0,\"iteration_end\":%d,"
             "\"strict_shape\":true}",
             type, last);
    const bst_ulong *shape;
    bst_ulong n_dims;
    const float *result;
    XGB(XGBoosterPredictFromDMatrix(t->booster, t->data, config, &shape, &n_dims,
                                    &result));
    size_t n = 1;
    for (bst_ulong i = 0; i < n_dims; i++)
        n *= (size_t)shape[i];
    float *copy = malloc(n * sizeof *copy);
    assert_non_null(copy);
    memcpy(copy, result, n * sizeof *copy);
    *ret_n = n;
    return copy;
}

typedef struct comparison {
    const bl_forest *forest;
    const trained *t;
    const float *phi, *margins; /* XGBoost's */
    double scale;               /* largest |phi| of it, base values apart */
    double its_scale;           /* the same of its leaves: what its float32 sums lose */
    double worst, worst_truth;
} comparison;

static bl_status compare(void *cookie, const bl_batch *batch, bl_err *err)
{
    (void)err;
    comparison *c = cookie;
    size_t F = c->forest->n_features, K = c->forest->n_outputs, row_size = K * (F + 1);
    long double *truth = malloc((F + 1) * sizeof *truth);
    assert_non_null(truth);
    for (uint64_t r = 0; r < batch->n_rows; r++) {
        size_t row = (size_t)batch->row[r];
        assert_memory_equal(batch->margins + r * K, c->margins + row * K,
                            K * sizeof(float));
        for (size_t i = 0; i < row_size; i++) {
            double want = (double)c->phi[row * row_size + i];
            double got = (double)batch->phi[r * row_size + i];
            double share =
                i % (F + 1) == F ? fmax(fabs(want), c->its_scale) : c->its_scale;
            c->worst = fmax(c->worst, fabs(got - want) / share);
        }
        for (size_t k = 0; !c->forest->linear && row % 17 == 0 && k < K; k++) {
            oracle_forest_phi(c->forest, 0, c->forest->n_rounds, k, batch->x + r * F,
                              c->t->base_margin ? c->t->base_margin + row * K : NULL,
                              oracle_tree_leaves, truth);
            for (size_t f = 0; f < F; f++) {
                double got = (double)batch->phi[(r * K + k) * (F + 1) + f];
                c->worst_truth =
                    fmax(c->worst_truth, fabs(got - (double)truth[f]) / c->scale);
            }
        }
    }
    free(truth);
    return BL_OK;
}

static const struct {
    recipe recipe;
    double tolerance;
} models[] = {
    {{.name = "regression", .params = "max_depth=6 eta=0.3", .rounds = 20}, 1e-6},
    {{.name = "missing", .params = "max_depth=6 eta=0.3", .rounds = 20, .missing = 0.3},
     1e-6},
    {{.name = "logistic",
      .params = "objective=binary:logistic max_depth=4",
      .rounds = 20,
      .y = Y_BINARY},
     1e-6},
    {{.name = "poisson",
      .params = "objective=count:poisson base_score=3000",
      .rounds = 10,
      .y = Y_COUNT},
     1e-6},
    {{.name = "classes",
      .params = "objective=multi:softprob num_class=3 max_depth=4",
      .rounds = 8,
      .y = Y_CLASS,
      .n_targets = 3},
     1e-6},
    {{.name = "parallel classes",
      .params = "objective=multi:softprob num_class=3 max_depth=4 num_parallel_tree=2 "
                "subsample=0.7",
      .rounds = 5,
      .y = Y_CLASS,
      .n_targets = 3},
     1e-6},
    {{.name = "vector leaves",
      .params = "multi_strategy=multi_output_tree tree_method=hist max_depth=5",
      .rounds = 10,
      .y = Y_MULTI,
      .n_targets = 3},
     1e-6},
    {{.name = "targets",
      .params = "tree_method=hist max_depth=4",
      .rounds = 6,
      .y = Y_MULTI,
      .n_targets = 2},
     1e-6},
    {{.name = "dart", .params = "booster=dart rate_drop=0.5 max_depth=4", .rounds = 15},
     1e-6},
    {{.name = "one-hot categories",
      .params = "tree_method=hist max_cat_to_onehot=64 max_depth=5",
      .rounds = 15,
      .n_levels = 9,
      .missing = 0.1},
     1e-6},
    {{.name = "partitioned categories",
      .params = "tree_method=hist max_cat_to_onehot=1 max_depth=5",
      .rounds = 15,
      .n_levels = 70,
      .missing = 0.1},
     1e-6},
    {{.name = "base margin", .params = "max_depth=4", .rounds = 8, .base_margin = true},
     1e-6},
    {{.name = "classes with base margin",
      .params = "objective=multi:softprob num_class=3 max_depth=3",
      .rounds = 4,
      .y = Y_CLASS,
      .n_targets = 3,
      .base_margin = true},
     1e-6},
    {{.name = "stumps", .params = "max_depth=1 eta=0.5", .rounds = 20}, 1e-6},
    {{.name = "single leaves", .params = "gamma=1e9", .rounds = 4}, 1e-6},
    {{.name = "no rounds", .params = "base_score=0.25", .rounds = 0}, 1e-6},
    {{.name = "linear",
      .params = "booster=gblinear updater=coord_descent",
      .rounds = 20,
      .missing = 0.1},
     1e-6},
    {{.name = "linear classes",
      .params =
          "booster=gblinear updater=coord_descent objective=multi:softprob num_class=3 "
          "base_score=0.5",
      .rounds = 8,
      .y = Y_CLASS,
      .n_targets = 3},
     1e-6},
    {{.name = "depth 12",
      .params = "max_depth=12 min_child_weight=0 lambda=0",
      .rounds = 10,
      .n_features = 30},
     1e-5},
    {{.name = "leaf by leaf to depth 30",
      .params = "tree_method=hist grow_policy=lossguide max_depth=30 max_leaves=400 "
                "min_child_weight=0",
      .rounds = 10,
      .n_features = 40,
      .n_rows = 1000},
     1e-5},
};

static void check_model(const recipe *how, double tolerance)
{
    trained *t = train(how);
    bl_forest *forest = read_forest(t->ubj, t->n_ubj);
    size_t n, n_margins;
    comparison c = {.forest = forest, .t = t};
    float *phi = its_contributions(t, 0, "2", &n);
    float *margins = its_contributions(t, 0, "1", &n_margins);
    c.phi = phi;
    c.margins = margins;
    size_t F = forest->n_features, K = forest->n_outputs;
    CHECK(n == t->n_rows * K * (F + 1) && n_margins == t->n_rows * K, "%s: %zu values",
          how->name, n);
    for (size_t i = 0; i < n; i++)
        if (i % (F + 1) != F)
            c.scale = fmax(c.scale, fabs((double)phi[i]));
    if (c.scale == 0)
        c.scale = 1;
    c.its_scale = c.scale;
    for (size_t k = 0; k < forest->n_trees; k++)
        for (uint32_t node = 0;
             node < forest->trees[k].n_nodes * forest->trees[k].n_values; node++)
            if (forest->trees[k].left[node / forest->trees[k].n_values] < 0)
                c.its_scale =
                    fmax(c.its_scale, fabs((double)forest->trees[k].leaf[node]));
    bl_block block = {.x = t->x, .n_rows = t->n_rows};
    bl_matrix matrix = {
        .n_features = F, .n_rows = t->n_rows, .n_blocks = 1, .blocks = &block};
    if (t->base_margin) {
        matrix.roles.base_margins = t->base_margin;
        matrix.roles.n_base_margins = K;
    }
    bl_explainer *explainer;
    bl_attribution *a;
    bl_err err = {0};
    CHECK_OK(bli_explainer_new(forest, 0, forest->n_rounds, &explainer, &err), err);
    CHECK_OK(bli_explain(explainer, &matrix, &(bl_explain_options){.n_threads = 2},
                         compare, &c, &a, &err),
             err);
    printf("%-28s XGBoost %.1e  truth %.1e  additivity %.1e\n", how->name, c.worst,
           c.worst_truth, a->worst_additivity / fmax(a->max_abs_margin, 1e-300));
    CHECK(c.worst <= tolerance, "%s: %.3g of the largest phi from XGBoost", how->name,
          c.worst);
    CHECK(c.worst_truth <= 3e-7, "%s: %.3g of the largest phi from the truth", how->name,
          c.worst_truth);
    CHECK(a->worst_additivity <= 1e-6 * a->max_abs_margin, "%s: additivity %g of %g",
          how->name, a->worst_additivity, a->max_abs_margin);
    bli_attribution_free(a);
    bli_explainer_free(explainer);
    bli_forest_free(forest);
    free(phi);
    free(margins);
    trained_free(t);
}

static void test_values_equal_xgboosts_to_its_error_and_the_truth_to_ours(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        check_model(&models[i].recipe, models[i].tolerance);
}

/* The margin holds log(3000), so that exp of all values is the predicted count. */
static void test_base_score_is_part_of_the_values(void **state)
{
    (void)state;
    trained *t = train(&(recipe){
        .params = "objective=count:poisson base_score=3000", .rounds = 10, .y = Y_COUNT});
    bl_forest *forest = read_forest(t->ubj, t->n_ubj);
    bl_explainer *explainer;
    bl_err err = {0};
    CHECK_OK(bli_explainer_new(forest, 0, forest->n_rounds, &explainer, &err), err);
    size_t F = forest->n_features, n;
    float *phi = malloc(t->n_rows * (F + 1) * sizeof *phi);
    assert_non_null(phi);
    CHECK_OK(bli_explain_rows(explainer, t->x, t->n_rows, phi, &err), err);
    float *predictions = trained_predict(t, false, 0, 0, NULL, 0, &n);
    for (size_t r = 0; r < t->n_rows; r++) {
        double sum = 0;
        for (size_t f = 0; f <= F; f++)
            sum += (double)phi[r * (F + 1) + f];
        CHECK(relative_error(exp(sum), (double)predictions[r]) < 2e-6,
              "row %zu: %g, not %g", r, exp(sum), (double)predictions[r]);
    }
    free(phi);
    free(predictions);
    bli_explainer_free(explainer);
    bli_forest_free(forest);
    trained_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_equal_xgboosts_to_its_error_and_the_truth_to_ours),
        cmocka_unit_test(test_base_score_is_part_of_the_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
