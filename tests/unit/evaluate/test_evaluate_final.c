/* SPDX-License-Identifier: Apache-2.0 */
/* What metrics.json says, by hand and by definition. */
#include "check.h"

#include "finals.h"

static const float labels_6[] = {1, 0, 1, 1, 0, 0};
static const float chances_6[] = {0.9F, 0.75F, 0.75F, 0.25F, 0.25F, 0};

static bl_scored binary_6(void)
{
    return (bl_scored){.n_rows = 6,
                       .n_outputs = 1,
                       .n_predictions = 1,
                       .margins = chances_6,
                       .predictions = chances_6,
                       .labels = labels_6,
                       .n_labels = 1,
                       .objective = "binary:logistic",
                       .n_classes = 2};
}

static void test_final_binary_by_hand(void **state)
{
    (void)state;
    bl_scored scored = binary_6();
    json_t *object = final_of(&scored);
    check_number(object, "rows", 6);
    check_number(object, "weight_sum", 6);
    /* Steps down the scores: (tp, fp) = (1,0) (2,1) (3,2) (3,3) of 3 and 3. */
    check_number(object, "auc", (0.5 * (1 + 2) + 0.5 * (2 + 3) + 3) / 9);
    check_number(object, "gini", 2 * (0.5 * (1 + 2) + 0.5 * (2 + 3) + 3) / 9 - 1);
    check_number(object, "ks", 1.0 / 3);
    check_number(object, "average_precision", (1.0 + 2.0 / 3 + 3.0 / 5) / 3);
    /* Between two points recall r has precision r / (2 r - 1/3): false alarms come one
     * for one. */
    double from_1 = (1.0 / 3 + log(3.0) / 6) / 2;
    double from_2 = (1.0 / 3 + log(5.0 / 3) / 6) / 2;
    check_number(object, "aucpr", 1.0 / 3 + from_1 + from_2);
    check_number(
        object, "logloss",
        -(log((double)0.9F) + log(0.25) + log(0.75) + log(0.25) + log(0.75) + 0) / 6);
    check_number(object, "error", 2.0 / 6);
    check_number(object, "precision", 2.0 / 3);
    check_number(object, "f1", 2.0 / 3);
    json_t *matrix = json_object_get(object, "confusion_matrix");
    static const int want[2][2] = {{2, 1}, {1, 2}};
    for (size_t is = 0; is < 2; is++)
        for (size_t said = 0; said < 2; said++) {
            json_t *cell = json_array_get(json_array_get(matrix, is), said);
            CHECK(json_is_integer(cell) && json_integer_value(cell) == want[is][said],
                  "cell %zu, %zu", is, said);
        }
    json_t *calibration = json_object_get(object, "calibration");
    /* Bins 0: 0 of 0; 2: 0.25 twice, half right; 7: 0.75 twice, half right; 9: 0.9,
     * right. */
    check_number(calibration, "ece", (0 + 0.5 + 0.5 + (1 - (double)0.9F)) / 6);
    check_number(calibration, "mce", 0.25);
    json_t *bins = json_object_get(calibration, "bins");
    CHECK(json_array_size(bins) == 10, "%zu bins", json_array_size(bins));
    check_number(json_array_get(bins, 7), "weight", 2);
    check_number(json_array_get(bins, 7), "rate", 0.5);
    check_null(json_array_get(bins, 5), "rate");
    json_decref(object);
}

static void test_final_binary_of_one_class_has_nulls(void **state)
{
    (void)state;
    const float ones[] = {1, 1, 1, 1, 1, 1};
    bl_scored scored = binary_6();
    scored.labels = ones;
    json_t *object = final_of(&scored);
    check_null(object, "auc");
    check_null(object, "gini");
    check_null(object, "ks");
    check_null(object, "aucpr");
    check_number(object, "recall", 3.0 / 6);
    check_number(object, "balanced_accuracy", 3.0 / 6);
    json_decref(object);
}

static void test_final_of_no_rows_is_null_throughout(void **state)
{
    (void)state;
    bl_scored scored = binary_6();
    scored.n_rows = 0;
    json_t *object = final_of(&scored);
    check_number(object, "rows", 0);
    check_null(object, "auc");
    check_null(object, "logloss");
    check_null(object, "accuracy");
    json_decref(object);
}

static void test_final_logloss_of_certainty_is_held_finite(void **state)
{
    (void)state;
    const float labels[] = {1, 0};
    const float chances[] = {0, 0};
    bl_scored scored = binary_6();
    scored.n_rows = 2;
    scored.labels = labels;
    scored.predictions = chances;
    json_t *object = final_of(&scored);
    check_number(object, "logloss", -log(1e-16) / 2);
    json_decref(object);
}

static void test_final_hinge_has_no_probability(void **state)
{
    (void)state;
    const float margins[] = {0.9F, 0.1F, 0.3F, -0.2F, -1, -2};
    const float classes[] = {1, 1, 1, 0, 0, 0};
    bl_scored scored = binary_6();
    scored.objective = "binary:hinge";
    scored.margins = margins;
    scored.predictions = classes;
    json_t *object = final_of(&scored);
    CHECK(!json_object_get(object, "logloss") && !json_object_get(object, "calibration"),
          "a probability is claimed");
    check_number(object, "auc", 8.0 / 9); /* of the margins */
    check_number(object, "accuracy", 4.0 / 6);
    json_decref(object);
}

static void test_final_logitraw_scores_the_probability(void **state)
{
    (void)state;
    const float margins[] = {2, -1};
    const float labels[] = {1, 0};
    bl_scored scored = binary_6();
    scored.objective = "binary:logitraw";
    scored.n_rows = 2;
    scored.labels = labels;
    scored.margins = scored.predictions = margins;
    json_t *object = final_of(&scored);
    check_number(object, "logloss", (log1p(exp(-2)) + log1p(exp(-1))) / 2);
    check_number(object, "accuracy", 1);
    json_decref(object);
}

static void test_final_shares_of_classes_have_no_table(void **state)
{
    (void)state;
    const float labels[] = {0.25F, 1};
    const float chances[] = {0.25F, 0.5F};
    bl_scored scored = binary_6();
    scored.objective = "reg:logistic";
    scored.n_rows = 2;
    scored.labels = labels;
    scored.predictions = chances;
    json_t *object = final_of(&scored);
    CHECK(!json_object_get(object, "confusion_matrix"), "a table of classes");
    check_number(object, "logloss",
                 -(0.25 * log(0.25) + 0.75 * log(0.75) + log(0.5)) / 2);
    check_number(object, "mse", 0.25 / 2);
    check_number(object, "auc", (0.5 * 0.75 * 0.25 + 1 * 0.75) / (1.25 * 0.75));
    json_decref(object);
}

static void test_final_several_binary_targets_are_listed(void **state)
{
    (void)state;
    const float labels[] = {1, 0, 0, 1, 1, 1};
    const float chances[] = {0.9F, 0.2F, 0.2F, 0.1F, 0.8F, 0.9F};
    bl_scored scored = binary_6();
    scored.n_rows = 3;
    scored.n_outputs = scored.n_predictions = scored.n_labels = 2;
    scored.labels = labels;
    scored.margins = scored.predictions = chances;
    json_t *object = final_of(&scored);
    check_number(object, "accuracy", (1 + 2.0 / 3) / 2);
    check_number(object, "auc", (1 + 0.5) / 2);
    json_t *targets = json_object_get(object, "targets");
    CHECK(json_array_size(targets) == 2, "%zu targets", json_array_size(targets));
    check_number(json_array_get(targets, 1), "accuracy", 2.0 / 3);
    json_decref(object);
}

static void test_final_classes_by_hand(void **state)
{
    (void)state;
    const float chances[] = {0.5F, 0.25F, 0.25F, 0.25F, 0.5F, 0.25F, 0.25F, 0.5F, 0.25F};
    const float labels[] = {0, 1, 2};
    const float weights[] = {1, 1, 2};
    bl_scored scored = {.n_rows = 3,
                        .n_outputs = 3,
                        .n_predictions = 3,
                        .predictions = chances,
                        .labels = labels,
                        .n_labels = 1,
                        .weights = weights,
                        .objective = "multi:softprob",
                        .n_classes = 3};
    json_t *object = final_of(&scored);
    check_number(object, "mlogloss", -(log(0.5) + log(0.5) + 2 * log(0.25)) / 4);
    check_number(object, "merror", 0.5);
    check_number(object, "balanced_accuracy", 2.0 / 3);
    /* Class 0: 1; class 1: tied with the row of class 2 (weight 2), above that of 0;
     * class 2: all tied. */
    double of_1 = (1 + 0.5 * 2) / 3;
    check_number(object, "auc_macro", (1 + of_1 + 0.5) / 3);
    check_number(object, "auc", (1 + of_1 + 2 * 0.5) / 4);
    json_t *cell =
        json_array_get(json_array_get(json_object_get(object, "confusion_matrix"), 2), 1);
    CHECK(json_number_value(cell) == 2, "confusion of 2 with 1");
    check_number(json_object_get(object, "calibration"), "ece", 0);
    json_decref(object);
}

static void test_final_softmax_takes_probabilities_from_margins(void **state)
{
    (void)state;
    const float margins[] = {2, 0, 0, 1};
    const float classes[] = {0, 1};
    const float labels[] = {0, 0};
    bl_scored scored = {.n_rows = 2,
                        .n_outputs = 2,
                        .n_predictions = 1,
                        .margins = margins,
                        .predictions = classes,
                        .labels = labels,
                        .n_labels = 1,
                        .objective = "multi:softmax",
                        .n_classes = 2};
    json_t *object = final_of(&scored);
    check_number(object, "mlogloss", (log1p(exp(-2)) + log1p(exp(1))) / 2);
    check_number(object, "accuracy", 0.5);
    check_null(object, "auc");
    json_decref(object);
}

static void test_final_numbers_by_hand(void **state)
{
    (void)state;
    const float labels[] = {1, 2, 4, 5};
    const float predictions[] = {2, 2, 3, 4};
    bl_scored scored = numbers("reg:squarederror", 4, 1, predictions, labels);
    json_t *object = final_of(&scored);
    check_number(object, "rmse", sqrt(3.0 / 4));
    check_number(object, "mae", 3.0 / 4);
    check_number(object, "r2", 1 - 3.0 / 10);
    check_number(object, "mape", (1 + 0 + 0.25 + 0.2) / 4);
    check_number(object, "mean_label", 3);
    check_number(object, "mean_prediction", 2.75);
    json_decref(object);
    const float zero[] = {0, 0, 0, 0};
    scored.labels = zero;
    object = final_of(&scored);
    check_null(object, "mape");
    check_null(object, "r2");
    json_decref(object);
}

static void test_final_families_have_their_deviance(void **state)
{
    (void)state;
    const float labels[] = {1, 3};
    const float predictions[] = {2, 3};
    bl_scored scored = numbers("count:poisson", 2, 1, predictions, labels);
    json_t *object = final_of(&scored);
    check_number(object, "poisson_deviance", 2 * (log(0.5) - 1 + 2) / 2);
    json_decref(object);
    scored.objective = "reg:gamma";
    object = final_of(&scored);
    check_number(object, "gamma_deviance", 2 * (log(2) + 0.5 - 1) / 2);
    json_decref(object);
    scored.objective = "reg:tweedie";
    scored.tweedie_power = 1.5;
    object = final_of(&scored);
    check_number(object, "tweedie_deviance",
                 2 * (1 / -0.25 - (1 / sqrt(2)) / -0.5 + sqrt(2) / 0.5) / 2);
    json_decref(object);
}

static void test_final_quantiles_have_pinball_and_coverage(void **state)
{
    (void)state;
    const float labels[] = {1, 2, 4};
    const float predictions[] = {0, 3, 2, 3, 2, 3};
    const double alphas[] = {0.25, 0.75};
    bl_scored scored = numbers("reg:quantileerror", 3, 2, predictions, labels);
    scored.quantiles = alphas;
    scored.n_quantiles = 2;
    json_t *object = final_of(&scored);
    json_t *list = json_object_get(object, "quantiles");
    CHECK(json_array_size(list) == 2, "%zu quantiles", json_array_size(list));
    check_number(json_array_get(list, 0), "alpha", 0.25);
    check_number(json_array_get(list, 0), "pinball", (0.25 * 1 + 0 + 0.25 * 2) / 3);
    check_number(json_array_get(list, 0), "coverage", 1.0 / 3);
    check_number(json_array_get(list, 1), "pinball",
                 (0.25 * 2 + 0.25 * 1 + 0.75 * 1) / 3);
    check_number(json_array_get(list, 1), "coverage", 2.0 / 3);
    json_decref(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_final_binary_by_hand),
        cmocka_unit_test(test_final_binary_of_one_class_has_nulls),
        cmocka_unit_test(test_final_of_no_rows_is_null_throughout),
        cmocka_unit_test(test_final_logloss_of_certainty_is_held_finite),
        cmocka_unit_test(test_final_hinge_has_no_probability),
        cmocka_unit_test(test_final_logitraw_scores_the_probability),
        cmocka_unit_test(test_final_shares_of_classes_have_no_table),
        cmocka_unit_test(test_final_several_binary_targets_are_listed),
        cmocka_unit_test(test_final_classes_by_hand),
        cmocka_unit_test(test_final_softmax_takes_probabilities_from_margins),
        cmocka_unit_test(test_final_numbers_by_hand),
        cmocka_unit_test(test_final_families_have_their_deviance),
        cmocka_unit_test(test_final_quantiles_have_pinball_and_coverage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
