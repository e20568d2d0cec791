/* SPDX-License-Identifier: Apache-2.0 */
/* The container's metrics, by hand. */
#include "check.h"

#include "evaluate/evaluate.h"

/* Class 1: 2 hits, 2 missed, 1 false alarm; class 0: 3 hits. One half is class 0. */
static const float labels_8[] = {1, 1, 1, 0, 0, 0, 0, 1};
static const float chances_8[] = {0.9F, 0.6F, 0.4F, 0.2F, 0.6F, 0.5F, 0.1F, 0.5F};

static bl_scored scored_8(const char *objective, const float *predictions)
{
    return (bl_scored){.n_rows = 8,
                       .n_outputs = 1,
                       .n_predictions = 1,
                       .margins = predictions,
                       .predictions = predictions,
                       .labels = labels_8,
                       .n_labels = 1,
                       .objective = objective,
                       .n_classes = 2};
}

static double metric(const char *name, const bl_scored *scored)
{
    bl_err err = {0};
    double value = -1;
    CHECK_OK(bli_custom_metric(name, scored, &value, &err), err);
    return value;
}

static void check_metric(const char *name, const bl_scored *scored, double want)
{
    double got = metric(name, scored);
    CHECK(fabs(got - want) < 1e-15, "%s is %.17g, not %.17g", name, got, want);
}

static void check_eight(const bl_scored *scored)
{
    check_metric("accuracy", scored, 5.0 / 8);
    check_metric("balanced_accuracy", scored, (2.0 / 4 + 3.0 / 4) / 2);
    check_metric("precision", scored, 2.0 / 3);
    check_metric("recall", scored, 2.0 / 4);
    check_metric("f1_binary", scored, 4.0 / 7);
    check_metric("f1_macro", scored, (4.0 / 7 + 6.0 / 9) / 2);
    check_metric("f1", scored, (4.0 / 7 + 6.0 / 9) / 2);
    check_metric("precision_macro", scored, (2.0 / 3 + 3.0 / 5) / 2);
    check_metric("recall_macro", scored, (2.0 / 4 + 3.0 / 4) / 2);
    check_metric("precision_micro", scored, 5.0 / 8);
    check_metric("recall_micro", scored, 5.0 / 8);
}

static void test_custom_class_is_probability_over_one_half(void **state)
{
    (void)state;
    bl_scored logistic = scored_8("binary:logistic", chances_8);
    bl_scored regression = scored_8("reg:logistic", chances_8);
    check_eight(&logistic);
    check_eight(&regression);
}

static void test_custom_class_of_a_margin_is_over_zero(void **state)
{
    (void)state;
    const float margins[] = {3, 0.1F, -0.4F, -1, 0.3F, 0, -2, 0};
    bl_scored scored = scored_8("binary:logitraw", margins);
    check_eight(&scored);
}

static void test_custom_class_of_hinge_is_the_prediction(void **state)
{
    (void)state;
    const float classes[] = {1, 1, 0, 0, 1, 0, 0, 0};
    bl_scored scored = scored_8("binary:hinge", classes);
    check_eight(&scored);
}

static void test_custom_weights_count_like_repeated_rows(void **state)
{
    (void)state;
    const float labels[] = {1, 0, 1, 0};
    const float chances[] = {0.9F, 0.8F, 0.3F, 0.1F};
    const float weights[] = {3, 1, 2, 4};
    const float repeated_labels[] = {1, 1, 1, 0, 1, 1, 0, 0, 0, 0};
    const float repeated[] = {0.9F, 0.9F, 0.9F, 0.8F, 0.3F, 0.3F, 0.1F, 0.1F, 0.1F, 0.1F};
    bl_scored weighted = scored_8("binary:logistic", chances);
    weighted.n_rows = 4;
    weighted.labels = labels;
    weighted.weights = weights;
    bl_scored plain = scored_8("binary:logistic", repeated);
    plain.n_rows = 10;
    plain.labels = repeated_labels;
    static const char *const names[] = {"accuracy",
                                        "balanced_accuracy",
                                        "f1",
                                        "f1_binary",
                                        "f1_macro",
                                        "mse",
                                        "precision",
                                        "precision_macro",
                                        "precision_micro",
                                        "r2",
                                        "recall",
                                        "recall_macro",
                                        "recall_micro"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        check_metric(names[i], &weighted, metric(names[i], &plain));
    check_metric("precision", &weighted, 3.0 / 4);
}

static void test_custom_ratio_without_denominator_is_zero(void **state)
{
    (void)state;
    const float low[] = {0, 0, 0, 0, 0, 0, 0, 0};
    bl_scored scored = scored_8("binary:logistic", low);
    check_metric("precision", &scored, 0);
    check_metric("recall", &scored, 0);
    check_metric("f1_binary", &scored, 0);
    check_metric("f1_macro", &scored, (0 + 2.0 / 3) / 2);
}

static bl_scored scored_multi(const char *objective, size_t n_predictions,
                              const float *predictions, const float *labels,
                              uint64_t n_rows)
{
    return (bl_scored){.n_rows = n_rows,
                       .n_outputs = 4,
                       .n_predictions = n_predictions,
                       .predictions = predictions,
                       .labels = labels,
                       .n_labels = 1,
                       .objective = objective,
                       .n_classes = 4};
}

static void test_custom_class_of_softprob_is_the_first_largest(void **state)
{
    (void)state;
    /* Classes 1, 0 (tied with 2), 2, 1; class 3 is nowhere, so no average counts it. */
    const float chances[] = {0.1F, 0.6F, 0.2F, 0.1F, 0.4F, 0.1F, 0.4F, 0.1F,
                             0.1F, 0.2F, 0.6F, 0.1F, 0.1F, 0.5F, 0.3F, 0.1F};
    const float labels[] = {1, 0, 1, 1};
    bl_scored scored = scored_multi("multi:softprob", 4, chances, labels, 4);
    check_metric("accuracy", &scored, 3.0 / 4);
    check_metric("balanced_accuracy", &scored, (1 + 2.0 / 3) / 2);
    check_metric("precision_macro", &scored, (1.0 + 1.0 + 0.0) / 3);
    check_metric("recall_macro", &scored, (1.0 + 2.0 / 3 + 0.0) / 3);
    check_metric("f1", &scored, (1.0 + 4.0 / 5 + 0.0) / 3);
    check_metric("precision_micro", &scored, 3.0 / 4);
    check_metric("mse", &scored, 1.0 / 4);
}

static void test_custom_class_of_softmax_is_the_prediction(void **state)
{
    (void)state;
    const float classes[] = {1, 0, 2, 1};
    const float labels[] = {1, 0, 1, 1};
    bl_scored scored = scored_multi("multi:softmax", 1, classes, labels, 4);
    check_metric("accuracy", &scored, 3.0 / 4);
    check_metric("f1_macro", &scored, (1.0 + 4.0 / 5 + 0.0) / 3);
    check_metric("r2", &scored, 1 - 1.0 / (9.0 / 16 + 3.0 / 16));
}

static bl_scored scored_numbers(size_t n_targets, uint64_t n_rows,
                                const float *predictions, const float *labels)
{
    return (bl_scored){.n_rows = n_rows,
                       .n_outputs = n_targets,
                       .n_predictions = n_targets,
                       .predictions = predictions,
                       .labels = labels,
                       .n_labels = n_targets,
                       .objective = "reg:squarederror"};
}

static void test_custom_mse_and_r2_of_numbers(void **state)
{
    (void)state;
    const float labels[] = {1, 2, 3, 6};
    const float predictions[] = {2, 2, 2, 5};
    bl_scored scored = scored_numbers(1, 4, predictions, labels);
    check_metric("mse", &scored, 3.0 / 4);
    check_metric("r2", &scored, 1 - 3.0 / 14);
    scored =
        scored_numbers(2, 2, predictions, labels); /* two targets: the mean of both */
    check_metric("mse", &scored, ((1.0 + 1) / 2 + (0.0 + 1) / 2) / 2);
    check_metric("r2", &scored, ((1 - 2.0 / 2) + (1 - 1.0 / 8)) / 2);
}

static void test_custom_r2_of_equal_labels_is_zero_or_one(void **state)
{
    (void)state;
    const float labels[] = {2, 2, 2};
    const float off[] = {2, 2, 3};
    bl_scored hit = scored_numbers(1, 3, labels, labels);
    bl_scored missed = scored_numbers(1, 3, off, labels);
    check_metric("r2", &hit, 1);
    check_metric("r2", &missed, 0);
}

static void test_custom_mse_of_logitraw_is_of_the_probability(void **state)
{
    (void)state;
    const float margins[] = {0, 0};
    const float labels[] = {0, 1};
    bl_scored scored = scored_numbers(1, 2, margins, labels);
    scored.objective = "binary:logitraw";
    check_metric("mse", &scored, 0.25);
}

static void test_custom_metric_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    bl_err err = {0};
    double value = -1;
    const float numbers[] = {0.5F, 1, 2, 0};
    bl_scored scored = scored_numbers(1, 4, numbers, numbers);
    CHECK_FAILS(
        bli_custom_metric("accuracy", &scored, &value, &err), BL_E_CONFIG, err,
        "metric 'accuracy' needs classes, which objective 'reg:squarederror' does not "
        "predict: use mse, r2 or one of XGBoost's own metrics");
    CHECK_FAILS(bli_custom_metric("auc", &scored, &value, &err), BL_E_CONFIG, err,
                "metric 'auc' is none of the container's own");
    scored.objective = "binary:logistic";
    CHECK_FAILS(bli_custom_metric("f1", &scored, &value, &err), BL_E_DATA, err,
                "metric 'f1': row 0 has label 0.5: classes are the whole numbers 0 to 1");
    scored = scored_multi("multi:softmax", 1, numbers + 1, numbers + 1, 3);
    CHECK_FAILS(
        bli_custom_metric("precision", &scored, &value, &err), BL_E_CONFIG, err,
        "metric 'precision' is of two classes, but objective 'multi:softmax' has 4: use "
        "f1_macro, precision_macro, precision_micro, recall_macro or recall_micro");
    scored = scored_numbers(1, 2, numbers, numbers);
    scored.n_predictions = 2;
    scored.objective = "reg:quantileerror";
    CHECK_FAILS(bli_custom_metric("mse", &scored, &value, &err), BL_E_CONFIG, err,
                "metric 'mse' compares one prediction with one label, but there are 2 "
                "predictions "
                "and 1 label(s) a row");
    scored.objective = "survival:cox";
    CHECK_FAILS(
        bli_custom_metric("r2", &scored, &value, &err), BL_E_CONFIG, err,
        "metric 'r2' needs a label that the prediction should meet, which objective "
        "'survival:cox' does not have");
    scored.labels = NULL;
    CHECK_FAILS(bli_custom_metric("mse", &scored, &value, &err), BL_E_SHAPE, err,
                "objective 'survival:cox' is scored by labels, but there are none");
    CHECK(value == -1, "an output was written on failure");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_custom_class_is_probability_over_one_half),
        cmocka_unit_test(test_custom_class_of_a_margin_is_over_zero),
        cmocka_unit_test(test_custom_class_of_hinge_is_the_prediction),
        cmocka_unit_test(test_custom_weights_count_like_repeated_rows),
        cmocka_unit_test(test_custom_ratio_without_denominator_is_zero),
        cmocka_unit_test(test_custom_class_of_softprob_is_the_first_largest),
        cmocka_unit_test(test_custom_class_of_softmax_is_the_prediction),
        cmocka_unit_test(test_custom_mse_and_r2_of_numbers),
        cmocka_unit_test(test_custom_r2_of_equal_labels_is_zero_or_one),
        cmocka_unit_test(test_custom_mse_of_logitraw_is_of_the_probability),
        cmocka_unit_test(test_custom_metric_that_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
