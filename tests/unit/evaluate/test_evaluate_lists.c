/* SPDX-License-Identifier: Apache-2.0 */
/* Ranking and survival in metrics.json, by hand and by counting all pairs. */
#include "check.h"

#include "finals.h"

#include "base/rng.h"

#include <stdlib.h>

/* --- Ranking ------------------------------------------------------------------------ */

static void test_final_ranking_by_hand(void **state)
{
    (void)state;
    const float labels[] = {3, 0, 2, 0, 0};
    const float scores[] = {1, 2, 3, 5, 4};
    uint64_t groups[] = {3, 2};
    bl_roles roles = {.n_groups = 2, .group_rows = groups};
    bl_scored scored = numbers("rank:ndcg", 5, 1, scores, labels);
    scored.roles = &roles;
    json_t *object = final_of(&scored);
    double dcg = 3 + 0 / log2(3) + 7 / log2(4);
    double best = 7 + 3 / log2(3);
    check_number(object, "groups", 2);
    check_number(object, "ndcg",
                 (dcg / best + 1) / 2); /* a list without a gain counts 1 */
    CHECK(!json_object_get(object, "map"), "map of graded labels");
    json_decref(object);
    scored.linear_gain = true;
    object = final_of(&scored);
    check_number(object, "ndcg", ((2 + 3.0 / 2) / (3 + 2 / log2(3)) + 1) / 2);
    json_decref(object);
}

static void test_final_ndcg_of_tied_scores_ignores_row_order(void **state)
{
    (void)state;
    const float up[] = {1, 2};
    const float down[] = {2, 1};
    const float scores[] = {0.5F, 0.5F};
    bl_scored scored = numbers("rank:ndcg", 2, 1, scores, up);
    json_t *object = final_of(&scored);
    double want = 2 * (1 + 1 / log2(3)) / (3 + 1 / log2(3)); /* the mean of both orders */
    check_number(object, "ndcg", want);
    json_decref(object);
    scored.labels = down;
    object = final_of(&scored);
    check_number(object, "ndcg", want);
    json_decref(object);
}

static void test_final_map_by_hand_and_weighted_by_group(void **state)
{
    (void)state;
    const float labels[] = {1, 0, 1, 0, 1};
    const float scores[] = {1, 2, 3, 2, 1};
    const float weights[] = {3, 3, 3, 1, 1};
    uint64_t groups[] = {3, 2};
    bl_roles roles = {.n_groups = 2, .group_rows = groups};
    bl_scored scored = numbers("rank:map", 5, 1, scores, labels);
    scored.roles = &roles;
    scored.weights = weights;
    json_t *object = final_of(&scored);
    check_number(object, "map", (3 * (1 + 2.0 / 3) / 2 + 1 * 0.5) / 4);
    json_decref(object);
}

static void test_final_groups_that_miss_rows_are_refused(void **state)
{
    (void)state;
    const float values[] = {1, 0, 1};
    uint64_t groups[] = {2};
    bl_roles roles = {.n_groups = 1, .group_rows = groups};
    bl_scored scored = numbers("rank:ndcg", 3, 1, values, values);
    scored.roles = &roles;
    bl_err err = {0};
    bl_buf buf = {0};
    bl_jw jw = {.buf = &buf};
    bli_jw_object(&jw);
    CHECK_FAILS(bli_final_metrics(&scored, &jw, &err), BL_E_SHAPE, err,
                "the groups hold 2 rows, but there are 3");
    bli_buf_done(&buf);
}

/* --- Survival ----------------------------------------------------------------------- */

static double concordance_by_pairs(const double *lower, const double *upper,
                                   const float *time, const float *weights, size_t n)
{
    double pairs = 0;
    double agree = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            if (upper[i] < lower[j]) {
                double w = (double)weights[i] * (double)weights[j];
                pairs += w;
                agree += w * (time[i] < time[j] ? 1 : time[i] > time[j] ? 0 : 0.5);
            }
    return pairs > 0 ? agree / pairs : (double)NAN;
}

static void test_final_concordance_equals_counting_all_pairs(void **state)
{
    (void)state;
    const char *text = getenv("TEST_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 10) : 3;
    print_message("seed %llu (TEST_SEED)\n", (unsigned long long)seed);
    bl_rng rng = bli_rng(seed);
    enum { N = 150 };
    float low[N], high[N], time[N], weights[N], label[N];
    double lower[N], upper[N];
    for (int trial = 0; trial < 20; trial++) {
        bool cox = trial % 2;
        for (size_t i = 0; i < N; i++) {
            low[i] = (float)(1 + bli_rng_below(&rng, 30));
            bool censored = bli_rng_below(&rng, 3) == 0;
            high[i] = censored ? INFINITY : low[i] + (float)bli_rng_below(&rng, 4);
            time[i] = (float)bli_rng_below(&rng, 40);
            weights[i] = (float)bli_rng_below(&rng, 5);
            label[i] = censored ? -low[i] : low[i];
            lower[i] = (double)low[i] + (cox && censored ? 0.5 : 0);
            upper[i] = cox && !censored ? (double)low[i] : (double)high[i];
        }
        bl_roles roles = {.lower_bounds = low, .upper_bounds = high};
        bl_scored scored =
            numbers(cox ? "survival:cox" : "survival:aft", N, 1, time, label);
        scored.weights = weights;
        scored.roles = &roles;
        json_t *object = final_of(&scored);
        double want = concordance_by_pairs(lower, upper, time, weights, N);
        /* A larger hazard is an earlier end. */
        check_number(object, "concordance", cox ? 1 - want : want);
        json_decref(object);
    }
}

static void test_final_aft_counts_rows_within_bounds(void **state)
{
    (void)state;
    float low[] = {1, 2, 3};
    float high[] = {2, 2, INFINITY};
    const float time[] = {2, 1, 9};
    bl_roles roles = {.lower_bounds = low, .upper_bounds = high};
    bl_scored scored = numbers("survival:aft", 3, 1, time, NULL);
    scored.roles = &roles;
    json_t *object = final_of(&scored);
    check_number(object, "interval_accuracy", 2.0 / 3);
    json_decref(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_final_ranking_by_hand),
        cmocka_unit_test(test_final_ndcg_of_tied_scores_ignores_row_order),
        cmocka_unit_test(test_final_map_by_hand_and_weighted_by_group),
        cmocka_unit_test(test_final_groups_that_miss_rows_are_refused),
        cmocka_unit_test(test_final_concordance_equals_counting_all_pairs),
        cmocka_unit_test(test_final_aft_counts_rows_within_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
