/* SPDX-License-Identifier: Apache-2.0 */
/* Feature scores are XGBoost's; objectives are known for what they are. */
#include "trained.h"

#include "base/mem.h"

#include <stdlib.h>

static void check_scores(trained *t, const bl_forest *f, const char *kind,
                         const double *want)
{
    char config[64];
    bst_ulong n, n_dims;
    const char **names;
    const bst_ulong *shape;
    const float *scores;
    snprintf(config, sizeof config, "{\"importance_type\":\"%s\"}", kind);
    CHECK(XGBoosterFeatureScore(t->booster, config, &n, &names, &n_dims, &shape,
                                &scores) == 0,
          "%s", XGBGetLastError());
    size_t n_used = 0;
    for (size_t i = 0; i < f->n_features; i++)
        n_used += want[i] != 0;
    CHECK(n == n_used, "%s: %zu features, XGBoost has %zu", kind, n_used, (size_t)n);
    for (size_t i = 0; i < n; i++) {
        size_t feature = (size_t)atoi(names[i] + 1);
        CHECK(relative_error((double)scores[i], want[feature]) < 1e-5,
              "%s of f%zu: %g, XGBoost %g", kind, feature, want[feature],
              (double)scores[i]);
    }
}

static void test_split_scores_are_xgboosts(void **state)
{
    (void)state;
    static const recipe recipes[] = {
        {.params = "max_depth=4", .rounds = 10, .missing = 0.1},
        {.params = "max_depth=4 booster=dart rate_drop=0.5", .rounds = 10},
        {.params = "max_depth=4 multi_strategy=multi_output_tree",
         .rounds = 5,
         .y = Y_MULTI,
         .n_targets = 3},
        {.params = "gamma=1e9", .rounds = 2}, /* A12: no split, no score */
    };
    for (size_t r = 0; r < BL_LEN(recipes); r++) {
        trained *t = train(&recipes[r]);
        bl_forest *f = read_forest(t->ubj, t->n_ubj);
        bl_split_scores s;
        bl_err err = {0};
        CHECK_OK(bli_forest_split_scores(f, 0, f->n_rounds, &s, &err), err);
        check_scores(t, f, "weight", s.weight);
        check_scores(t, f, "total_gain", s.total_gain);
        check_scores(t, f, "total_cover", s.total_cover);
        for (size_t i = 0; i < f->n_features; i++) {
            s.total_gain[i] /= s.weight[i] > 0 ? s.weight[i] : 1;
            s.total_cover[i] /= s.weight[i] > 0 ? s.weight[i] : 1;
        }
        check_scores(t, f, "gain", s.total_gain);
        check_scores(t, f, "cover", s.total_cover);
        bli_split_scores_done(&s);
        bli_forest_free(f);
        trained_free(t);
    }
}

static void test_objectives_are_sorted_into_tasks(void **state)
{
    (void)state;
    assert_int_equal(bli_objective_task("reg:gamma"), BL_TASK_REGRESSION);
    assert_int_equal(bli_objective_task("binary:hinge"), BL_TASK_BINARY);
    assert_int_equal(bli_objective_task("multi:softmax"), BL_TASK_CLASSES);
    assert_int_equal(bli_objective_task("rank:map"), BL_TASK_RANKING);
    assert_int_equal(bli_objective_task("survival:cox"), BL_TASK_SURVIVAL);
    assert_true(bli_objective_has_probability("binary:logitraw"));
    assert_true(bli_objective_has_probability("multi:softmax"));
    assert_false(bli_objective_has_probability("binary:hinge"));
    assert_false(bli_objective_has_probability("count:poisson"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split_scores_are_xgboosts),
        cmocka_unit_test(test_objectives_are_sorted_into_tasks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
