/* SPDX-License-Identifier: Apache-2.0 */
/* AUC and its relatives: by hand, and against counting all pairs. */
#include "check.h"

#include "base/rng.h"
#include "evaluate/evaluate.h"

#include <stdlib.h>

static double auc_of(const float *score, const float *label, const float *weights,
                     uint64_t n)
{
    bl_err err = {0};
    double auc = bli_auc(score, label, weights, n, &err);
    CHECK(err.status == BL_OK, "%s", err.msg);
    return auc;
}

static void test_auc_counts_ordered_pairs(void **state)
{
    (void)state;
    const float score[] = {0.1F, 0.4F, 0.35F, 0.8F};
    const float label[] = {0, 0, 1, 1};
    double auc = auc_of(score, label, NULL, 4);
    CHECK(auc == 0.75, "%.17g", auc);
}

static void test_auc_counts_a_tied_pair_half(void **state)
{
    (void)state;
    const float score[] = {1, 2, 2, 3};
    const float label[] = {0, 0, 1, 1};
    const float same[] = {0.5F, 0.5F, 0.5F, 0.5F};
    const float zeros[] = {-0.0F, 0.0F, 0.0F, -0.0F};
    CHECK(auc_of(score, label, NULL, 4) == 0.875, "tie");
    CHECK(auc_of(same, label, NULL, 4) == 0.5, "all tied");
    CHECK(auc_of(zeros, label, NULL, 4) == 0.5, "both zeros are one score");
}

static void test_auc_of_infinite_scores_is_ordered(void **state)
{
    (void)state;
    const float score[] = {-INFINITY, -1, 1, INFINITY};
    const float label[] = {0, 1, 0, 1};
    double auc = auc_of(score, label, NULL, 4);
    CHECK(auc == 0.75, "%.17g", auc);
}

static void test_auc_is_nan_without_both_classes(void **state)
{
    (void)state;
    const float score[] = {1, 2, NAN};
    const float label[] = {1, 1, 0};
    const float nothing[] = {1, 1, 0};
    CHECK(isnan(auc_of(score, label, NULL, 2)), "one class");
    CHECK(isnan(auc_of(score, label, NULL, 3)), "a score that is NaN");
    CHECK(isnan(auc_of(score, label, NULL, 0)), "no row");
    const float good[] = {1, 2, 3};
    CHECK(isnan(auc_of(good, label, nothing, 3)), "the only negative weighs nothing");
}

/* All pairs of a positive and a negative row, by weight; the definition. */
static double auc_by_pairs(const float *score, const float *label, const float *weights,
                           size_t n)
{
    double pairs = 0;
    double won = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            double w = (double)weights[i] * (double)weights[j] * (double)label[i] *
                       (1 - (double)label[j]);
            pairs += w;
            won += w * (score[i] > score[j] ? 1 : score[i] < score[j] ? 0 : 0.5);
        }
    return won / pairs;
}

static void test_auc_equals_counting_all_pairs(void **state)
{
    (void)state;
    const char *text = getenv("TEST_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 10) : 20;
    print_message("seed %llu (TEST_SEED)\n", (unsigned long long)seed);
    bl_rng rng = bli_rng(seed);
    float score[500];
    float label[500];
    float weights[500];
    for (int trial = 0; trial < 40; trial++) {
        size_t n = 2 + (size_t)bli_rng_below(&rng, 498);
        uint64_t n_scores = 1 + bli_rng_below(&rng, 1000);
        bool shares = trial % 4 == 3; /* labels between the classes */
        for (size_t i = 0; i < n; i++) {
            score[i] = ((float)bli_rng_below(&rng, n_scores) - 300) / 7;
            label[i] = shares ? (float)bli_rng_below(&rng, 5) / 4
                              : (float)bli_rng_below(&rng, 2);
            weights[i] = (float)bli_rng_below(&rng, 8) / 2;
        }
        label[0] = 1;
        label[1] = 0;
        weights[0] = weights[1] = 1;
        double got = auc_of(score, label, weights, n);
        double want = auc_by_pairs(score, label, weights, n);
        CHECK(fabs(got - want) < 1e-13, "trial %d, %zu rows: %.17g, not %.17g", trial, n,
              got, want);
    }
}

static void test_auc_of_many_rows_is_exact(void **state)
{
    (void)state;
    /* Score = row: the positives are the odd rows. Of m pairs of rows, row 2k + 1 beats k
     * + 1 negatives: m (m + 1) / 2 of m^2. */
    uint64_t m = 200000;
    float *score = malloc(2 * m * sizeof(float));
    float *label = malloc(2 * m * sizeof(float));
    assert_non_null(score);
    assert_non_null(label);
    for (uint64_t i = 0; i < 2 * m; i++) {
        score[i] = (float)i;
        label[i] = (float)(i % 2);
    }
    double auc = auc_of(score, label, NULL, 2 * m);
    double want = ((double)m + 1) / (2 * (double)m);
    free(score);
    free(label);
    CHECK(auc == want, "%.17g, not %.17g", auc, want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_auc_counts_ordered_pairs),
        cmocka_unit_test(test_auc_counts_a_tied_pair_half),
        cmocka_unit_test(test_auc_of_infinite_scores_is_ordered),
        cmocka_unit_test(test_auc_is_nan_without_both_classes),
        cmocka_unit_test(test_auc_equals_counting_all_pairs),
        cmocka_unit_test(test_auc_of_many_rows_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
