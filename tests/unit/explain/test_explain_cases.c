/* SPDX-License-Identifier: Apache-2.0 */
/* Small models whose values are known by hand. */
#include "check.h"

#include "explain/explain.h"
#include "oracle/forests.h"

#include <stdlib.h>

static void explain(const bl_forest *forest, const float *rows, uint64_t n_rows,
                    float *phi)
{
    bl_explainer *explainer;
    bl_err err = {0};
    CHECK_OK(bli_explainer_new(forest, 0, forest->n_rounds, &explainer, &err), err);
    CHECK_OK(bli_explain_rows(explainer, rows, n_rows, phi, &err), err);
    bli_explainer_free(explainer);
}

static void check_values(const float *got, const double *want, size_t n)
{
    for (size_t i = 0; i < n; i++)
        CHECK(fabs((double)got[i] - want[i]) < 1e-7, "value %zu is %.9g, not %.9g", i,
              (double)got[i], want[i]);
}

static void test_a_leaf_no_row_reached_leaves_values_finite(void **state)
{
    (void)state;
    bl_forest *forest = oracle_forest_new(1, 1);
    bl_tree *tree = oracle_add_tree(forest, 0, 1);
    uint32_t leaves = oracle_split(tree, 0, 0, 0.5F, 10, 0);
    tree->default_left[0] = 1;
    tree->leaf[leaves] = 1;
    tree->leaf[leaves + 1] = 2;
    oracle_finish_tree(tree);
    const float rows[] = {0, 1, NAN};
    float phi[6];
    explain(forest, rows, 3, phi);
    check_values(phi, (const double[]){0, 1, 1, 1, 0, 1}, 6);
    oracle_forest_free(forest);
}

static void test_no_cover_at_all_shares_alike(void **state)
{
    (void)state;
    bl_forest *forest = oracle_forest_new(1, 1);
    bl_tree *tree = oracle_add_tree(forest, 0, 1);
    uint32_t leaves = oracle_split(tree, 0, 0, 0.5F, 0, 0);
    tree->leaf[leaves] = 1;
    tree->leaf[leaves + 1] = 2;
    oracle_finish_tree(tree);
    float phi[2];
    explain(forest, (const float[]){0}, 1, phi);
    check_values(phi, (const double[]){-0.5, 1.5}, 2);
    oracle_forest_free(forest);
}

static void test_exclusive_or_shares_equally(void **state)
{
    (void)state;
    bl_forest *forest = oracle_forest_new(2, 1);
    bl_tree *tree = oracle_add_tree(forest, 0, 1);
    tree->cover[0] = 4;
    oracle_split(tree, 0, 0, 0.5F, 2, 2);
    oracle_split(tree, 1, 1, 0.5F, 1, 1);
    oracle_split(tree, 2, 1, 0.5F, 1, 1);
    const float leaf[] = {0, 0, 0, 0, 1, 1, 0};
    memcpy(tree->leaf, leaf, sizeof leaf);
    oracle_finish_tree(tree);
    float phi[3];
    explain(forest, (const float[]){1, 1}, 1, phi);
    check_values(phi, (const double[]){-0.25, -0.25, 0.5}, 3);
    oracle_forest_free(forest);
}

static void test_single_leaves_are_all_base_value(void **state)
{
    (void)state;
    bl_forest *forest = oracle_forest_new(3, 1);
    forest->base_margin[0] = 0.5F;
    bl_tree *tree = oracle_add_tree(forest, 0, 1);
    tree->leaf[0] = 0.1F;
    oracle_finish_tree(tree);
    float phi[4];
    explain(forest, (const float[]){1, 2, NAN}, 1, phi);
    check_values(phi, (const double[]){0, 0, 0, 0.6}, 4);
    oracle_forest_free(forest);
}

static void test_zero_rounds_give_the_base_margin(void **state)
{
    (void)state;
    bl_forest *forest = oracle_forest_new(2, 3);
    forest->base_margin[1] = 7;
    float phi[9];
    memset(phi, 0xff, sizeof phi);
    explain(forest, (const float[]){1, 2}, 1, phi);
    check_values(phi, (const double[]){0, 0, 0, 0, 0, 7, 0, 0, 0}, 9);
    oracle_forest_free(forest);
}

static void test_missing_goes_by_the_flag_even_into_category_zero(void **state)
{
    (void)state;
    bl_forest *forest = oracle_forest_new(1, 1);
    bl_tree *tree = oracle_add_tree(forest, 0, 1);
    uint32_t leaves = oracle_split(tree, 0, 0, 0, 1, 1);
    oracle_make_categorical(tree, 0, 1U | 1U << 3 | 1U << 31);
    tree->default_left[0] = 0;
    tree->leaf[leaves] = 1;
    tree->leaf[leaves + 1] = 2;
    oracle_finish_tree(tree);
    const float rows[] = {NAN, 0, 3, 31, 1, 32, -1};
    float phi[14];
    explain(forest, rows, 7, phi);
    for (size_t i = 0; i < 7; i++)
        CHECK((phi[2 * i] > 0) == (i < 4), "row %zu: %g", i, (double)phi[2 * i]);
    tree->default_left[0] = 1;
    explain(forest, rows, 1, phi);
    check_values(phi, (const double[]){-0.5, 1.5}, 2);
    oracle_forest_free(forest);
}

static void test_a_threshold_that_rounds_to_nothing_is_kept(void **state)
{
    (void)state;
    bl_forest *forest = oracle_forest_new(1, 1);
    bl_tree *tree = oracle_add_tree(forest, 0, 1);
    uint32_t leaves = oracle_split(tree, 0, 0, -9.53674316e-07F, 1, 1);
    tree->leaf[leaves] = 1;
    tree->leaf[leaves + 1] = 2;
    oracle_finish_tree(tree);
    const float rows[] = {0, -0.0F, -1e-6F, -9.53674316e-07F, -1e-45F, 1e-45F};
    float phi[12];
    explain(forest, rows, 6, phi);
    for (size_t i = 0; i < 6; i++)
        CHECK((phi[2 * i] > 0) == (i != 2), "row %zu: %g", i, (double)phi[2 * i]);
    oracle_forest_free(forest);
}

/* Nothing is below -infinity; missing still goes where the flag says. */
static void test_infinite_thresholds_and_cells(void **state)
{
    (void)state;
    bl_forest *forest = oracle_forest_new(2, 1);
    for (int flag = 0; flag < 2; flag++) {
        bl_tree *tree = oracle_add_tree(forest, 0, 1);
        uint32_t leaves = oracle_split(tree, 0, 0, -INFINITY, 1, 1);
        tree->default_left[0] = (uint8_t)flag;
        tree->leaf[leaves] = -1;
        tree->leaf[leaves + 1] = 1;
        oracle_finish_tree(tree);
        tree = oracle_add_tree(forest, 0, 1);
        leaves = oracle_split(tree, 0, 1, INFINITY, 1, 1);
        tree->default_left[0] = (uint8_t)flag;
        tree->leaf[leaves] = -1;
        tree->leaf[leaves + 1] = 1;
        oracle_finish_tree(tree);
    }
    const float rows[] = {-INFINITY, -INFINITY, INFINITY, INFINITY, NAN, NAN, 0, 0};
    float phi[12];
    explain(forest, rows, 4, phi);
    check_values(phi, (const double[]){2, -2, 0, 2, 2, 0, 0, 0, 0, 2, -2, 0}, 12);
    oracle_forest_free(forest);
}

static void test_tree_weights_scale_values_and_base(void **state)
{
    (void)state;
    bl_forest *forest = oracle_forest_new(1, 1);
    bl_tree *tree = oracle_add_tree(forest, 0, 1);
    uint32_t leaves = oracle_split(tree, 0, 0, 0.5F, 3, 1);
    tree->leaf[leaves] = 4;
    tree->weight = 0.25F;
    oracle_finish_tree(tree);
    float phi[2];
    explain(forest, (const float[]){0}, 1, phi);
    check_values(phi, (const double[]){0.25, 0.75}, 2);
    oracle_forest_free(forest);
}

static void test_trees_belong_to_the_output_they_name(void **state)
{
    (void)state;
    bl_forest *forest = oracle_forest_new(1, 2);
    const uint32_t outputs[] = {1, 1, 0};
    for (size_t t = 0; t < 3; t++) {
        bl_tree *tree = oracle_add_tree(forest, outputs[t], 1);
        uint32_t leaves = oracle_split(tree, 0, 0, 0.5F, 1, 1);
        tree->leaf[leaves] = (float)(t + 1);
        oracle_finish_tree(tree);
    }
    float phi[4];
    explain(forest, (const float[]){0}, 1, phi);
    check_values(phi, (const double[]){1.5, 1.5, 1.5, 1.5}, 4);
    oracle_forest_free(forest);
}

static void test_linear_models_give_weight_times_value(void **state)
{
    (void)state;
    bl_forest *forest = oracle_forest_new(3, 2);
    const float linear[] = {2, -1, 0, 3, 0, 0, 0.5F, 0.25F};
    forest->linear = malloc(sizeof linear);
    assert_non_null(forest->linear);
    memcpy(forest->linear, linear, sizeof linear);
    forest->base_margin[0] = 1;
    const float row[] = {3, NAN, INFINITY};
    float phi[8];
    explain(forest, row, 1, phi);
    check_values(phi, (const double[]){6, 0, 0, 1.5, -3, 0, 0, 0.25}, 8);
    oracle_forest_free(forest);
}

static void test_a_range_outside_the_rounds_is_refused(void **state)
{
    (void)state;
    bl_forest *forest = oracle_forest_new(1, 1);
    oracle_add_tree(forest, 0, 1);
    bl_explainer *explainer = NULL;
    bl_err err = {0};
    CHECK_FAILS(bli_explainer_new(forest, 0, 2, &explainer, &err), BL_E_ARG, err,
                "rounds 0 to 2 of a model with 1 rounds");
    assert_null(explainer);
    oracle_forest_free(forest);
}

static void test_a_range_of_rounds_uses_these_alone(void **state)
{
    (void)state;
    bl_forest *forest = oracle_forest_new(1, 1);
    for (size_t t = 0; t < 3; t++) {
        bl_tree *tree = oracle_add_tree(forest, 0, 1);
        uint32_t leaves = oracle_split(tree, 0, 0, 0.5F, 1, 1);
        tree->leaf[leaves] = (float)(1 << (2 * t));
        oracle_finish_tree(tree);
    }
    bl_explainer *explainer;
    bl_err err = {0};
    CHECK_OK(bli_explainer_new(forest, 1, 2, &explainer, &err), err);
    float phi[2];
    CHECK_OK(bli_explain_rows(explainer, (const float[]){0}, 1, phi, &err), err);
    check_values(phi, (const double[]){2, 2}, 2);
    assert_true(bli_explainer_base_values(explainer)[0] == 2);
    bli_explainer_free(explainer);
    oracle_forest_free(forest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_leaf_no_row_reached_leaves_values_finite),
        cmocka_unit_test(test_no_cover_at_all_shares_alike),
        cmocka_unit_test(test_exclusive_or_shares_equally),
        cmocka_unit_test(test_single_leaves_are_all_base_value),
        cmocka_unit_test(test_zero_rounds_give_the_base_margin),
        cmocka_unit_test(test_missing_goes_by_the_flag_even_into_category_zero),
        cmocka_unit_test(test_a_threshold_that_rounds_to_nothing_is_kept),
        cmocka_unit_test(test_infinite_thresholds_and_cells),
        cmocka_unit_test(test_tree_weights_scale_values_and_base),
        cmocka_unit_test(test_trees_belong_to_the_output_they_name),
        cmocka_unit_test(test_linear_models_give_weight_times_value),
        cmocka_unit_test(test_a_range_outside_the_rounds_is_refused),
        cmocka_unit_test(test_a_range_of_rounds_uses_these_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
