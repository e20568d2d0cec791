/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/mem.h"
#include "base/rng.h"
#include "met.h"
#include "preprocess/transform_priv.h"

#include <stdlib.h>
#include <time.h>

static uint64_t seed(void)
{
    const char *text = getenv("TEST_SEED");
    uint64_t value = text ? strtoull(text, NULL, 10) : 1;
    print_message("seed %llu\n", (unsigned long long)value);
    return value;
}

static void test_order_is_numpys_permutation(void **state)
{
    /* numpy.random.RandomState(0).permutation(30000), RandomState(42).permutation(10) */
    static const uint64_t first[] = {8225, 10794, 9163, 26591, 6631};
    static const uint64_t ten[] = {8, 1, 5, 0, 7, 2, 9, 4, 3, 6};
    uint64_t *order = NULL;
    bl_err err = {0};
    (void)state;
    CHECK_OK(bli_numpy_permutation(0, 30000, &order, &err), err);
    for (size_t i = 0; i < BL_LEN(first); i++)
        CHECK(order[i] == first[i], "%zu: %llu", i, (unsigned long long)order[i]);
    free(order);
    CHECK_OK(bli_numpy_permutation(42, 10, &order, &err), err);
    for (size_t i = 0; i < BL_LEN(ten); i++)
        CHECK(order[i] == ten[i], "%zu: %llu", i, (unsigned long long)order[i]);
    free(order);
    CHECK_OK(bli_numpy_permutation(7, 1, &order, &err), err);
    CHECK(order[0] == 0, "one row");
    free(order);
}

static void test_sums_are_right_to_rounding_at_every_length(void **state)
{
    bl_rng rng = bli_rng(seed());
    (void)state;
    for (uint64_t n = 0; n < 700; n++) {
        double x[700];
        long double exact = 0, size = 0;
        for (uint64_t i = 0; i < n; i++) {
            x[i] = (double)bli_rng_next(&rng) / 1e18 - 9;
            exact += (long double)x[i];
            size += fabsl((long double)x[i]);
        }
        double sum = bli_pairwise_sum(x, n);
        CHECK(fabsl((long double)sum - exact) <= 1e-15L * size, "n %llu: %.17g",
              (unsigned long long)n, sum);
    }
}

static void test_dates_agree_with_the_c_library(void **state)
{
    bl_rng rng = bli_rng(seed());
    (void)state;
    for (int i = 0; i < 20000; i++) {
        /* years 0001 to 9999 */
        time_t t =
            (time_t)bli_rng_below(&rng, UINT64_C(315537897599)) - INT64_C(62135596800);
        struct tm tm;
        char text[64];
        double seconds = 0;
        assert_non_null(gmtime_r(&t, &tm));
        snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
                 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
        CHECK(bli_date_read(text, NULL, &seconds) && seconds == (double)t, "%s: %.0f",
              text, seconds);
        const double want[BL_N_DATE_PARTS] = {tm.tm_year + 1900,
                                              tm.tm_mon / 3 + 1,
                                              tm.tm_mon + 1,
                                              tm.tm_mday,
                                              (tm.tm_wday + 6) % 7,
                                              tm.tm_yday + 1,
                                              tm.tm_hour,
                                              tm.tm_min,
                                              tm.tm_sec,
                                              floor((double)t / 86400),
                                              (double)t};
        for (int part = 0; part < BL_N_DATE_PARTS; part++)
            CHECK(bli_date_part_of(seconds, (bl_date_part)part) == want[part],
                  "%s, %s: %g", text, bli_date_part_name((bl_date_part)part),
                  bli_date_part_of(seconds, (bl_date_part)part));
    }
}

static void test_dates_that_are_none_are_told(void **state)
{
    static const char *const none[] = {"",
                                       "2024",
                                       "2024-13-01",
                                       "2023-02-29",
                                       "2024-00-10",
                                       "2024-01-01T24:00",
                                       "2024-01-01T10",
                                       "2024-1-1",
                                       "2024-01-01x",
                                       "24-01-01",
                                       "2024-01-01T10:00+25:00",
                                       "20240101 ",
                                       "x"};
    static const struct {
        const char *text, *format;
        double seconds;
    } some[] = {
        {"20240229", NULL, 1709164800},
        {"1970-01-01 00:00:01.5", NULL, 1.5},
        {"1970-01-01T01:00+01:00", NULL, 0},
        {"1970-01-01T00:00-0130", NULL, 5400},
        {"29.2.2024", "%d.%m.%Y", 1709164800},
        {"01/02/70 05:06:07", "%m/%d/%y %H:%M:%S", 104767},
        {"68", "%y", 3092601600},
    };
    double seconds;
    (void)state;
    for (size_t i = 0; i < BL_LEN(none); i++)
        CHECK(!bli_date_read(none[i], NULL, &seconds), "'%s' is taken", none[i]);
    for (size_t i = 0; i < BL_LEN(some); i++)
        CHECK(bli_date_read(some[i].text, some[i].format, &seconds) &&
                  seconds == some[i].seconds,
              "'%s': %.1f", some[i].text, seconds);
}

/* Values by hand: 1, 2, 3, 4, 100 and a missing cell. */
static void test_steps_give_the_numbers_of_a_pocket_calculator(void **state)
{
    static const struct {
        const char *step;
        double want[6];
    } cases[] = {
        {"{\"impute\": \"mean\"}", {1, 2, 3, 4, 100, 22}},
        {"{\"impute\": \"median\"}", {1, 2, 3, 4, 100, 3}},
        {"{\"impute\": {\"constant\": -1}}", {1, 2, 3, 4, 100, -1}},
        {"{\"impute\": \"mode\"}", {1, 2, 3, 4, 100, 1}},
        {"{\"minmax\": [0, 99]}", {0, 1, 2, 3, 99, (double)NAN}},
        {"{\"robust\": [25, 75]}", {-1, -0.5, 0, 0.5, 48.5, (double)NAN}},
        {"{\"clip\": [2, null]}", {2, 2, 3, 4, 100, (double)NAN}},
        {"{\"winsorize\": [0.25, 0.75]}", {2, 2, 3, 4, 4, (double)NAN}},
        {"{\"bins\": 2}", {0, 0, 1, 1, 1, (double)NAN}},
    };
    (void)state;
    for (size_t i = 0; i < BL_LEN(cases); i++) {
        met m;
        char plan[200];
        snprintf(plan, sizeof plan,
                 "{\"columns\": [{\"columns\": \"x\", \"steps\": [%s]}]}", cases[i].step);
        CHECK_OK(met_fit(&m, plan, "x,k\n1,1\n2,1\n3,1\n4,1\n100,1\n,1\n", NULL), m.err);
        for (uint64_t r = 0; r < 6; r++) {
            double got = met_cell(m.train, r, 0), want = cases[i].want[r];
            CHECK(isnan(want) ? isnan(got) : fabs(got - want) < 1e-6, "%s, row %llu: %g",
                  cases[i].step, (unsigned long long)r, got);
        }
        met_done(&m);
    }
}

static void test_a_column_that_never_varies_is_left_at_its_scale(void **state)
{
    static const char *const steps[] = {"\"standardize\"", "\"minmax\"", "\"robust\""};
    (void)state;
    for (size_t i = 0; i < BL_LEN(steps); i++) {
        met m;
        char plan[200];
        snprintf(plan, sizeof plan,
                 "{\"columns\": [{\"columns\": \"x\", \"steps\": [%s]}]}", steps[i]);
        CHECK_OK(met_fit(&m, plan, "x,k\n7,1\n7,1\n7,1\n", NULL), m.err);
        CHECK(met_cell(m.train, 0, 0) == 0, "%s: %g", steps[i], met_cell(m.train, 0, 0));
        met_done(&m);
    }
}

static void test_a_step_with_nothing_to_fit_says_so(void **state)
{
    met m;
    (void)state;
    CHECK_FAILS(
        met_fit(&m,
                "{\"columns\": [{\"columns\": \"x\", \"type\": \"number\", \"steps\": "
                "[{\"impute\": \"mean\"}]}, {\"columns\": \"k\"}]}",
                "x,k\n,1\n,2\n", NULL),
        BL_E_DATA, m.err,
        "plan 'plan.json', columns[0], column 'x': impute: every cell of the "
        "training rows is missing");
    met_done(&m);
    CHECK_FAILS(met_fit(&m,
                        "{\"columns\": [{\"columns\": \"x\", \"steps\": [\"log1p\"]}]}",
                        "x,k\n-1,1\n3,1\n", NULL),
                BL_E_DATA, m.err, "log1p needs numbers above -1");
    met_done(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_is_numpys_permutation),
        cmocka_unit_test(test_sums_are_right_to_rounding_at_every_length),
        cmocka_unit_test(test_dates_agree_with_the_c_library),
        cmocka_unit_test(test_dates_that_are_none_are_told),
        cmocka_unit_test(test_steps_give_the_numbers_of_a_pocket_calculator),
        cmocka_unit_test(test_a_column_that_never_varies_is_left_at_its_scale),
        cmocka_unit_test(test_a_step_with_nothing_to_fit_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
