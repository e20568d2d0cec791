/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/text.h"

#include <locale.h>
#include <stdlib.h>

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static uint64_t bits_of_double(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* The C library is the truth; it runs in the C locale here. */
static void check_reading(const char *text)
{
    float f = 0;
    double d = 0;
    bl_number got = bli_read_float(text, strlen(text), &f);
    bl_number got_double = bli_read_double(text, strlen(text), &d);
    float want = strtof(text, NULL);
    double want_double = strtod(text, NULL);
    CHECK(got == (isinf(want) ? BL_NUMBER_INFINITE : BL_NUMBER_OK), "'%s': %d", text,
          got);
    CHECK(bits_of(f) == bits_of(want), "'%s': %a, strtof %a", text, (double)f,
          (double)want);
    CHECK(got_double == (isinf(want_double) ? BL_NUMBER_INFINITE : BL_NUMBER_OK), "'%s'",
          text);
    CHECK(bits_of_double(d) == bits_of_double(want_double), "'%s': %a, strtod %a", text,
          d, want_double);
}

static void test_numbers_read_as_the_c_library_reads_them(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "0",
        "-0",
        "-0.0",
        "1",
        "+1",
        "1.",
        ".5",
        "-.5e0",
        "1e-10",
        "2E+3",
        "1E-06",
        "0.1",
        "16777217",
        "16777219",
        "20180131",
        "9007199254740993",
        "123456789012345678901234567890",
        "1e22",
        "1e23",
        "1e-22",
        "3.4028235e38",
        "3.4028236e38",
        "1.7976931348623157e308",
        "1e-45",
        "1.4e-45",
        "7e-46",
        "1.1754943508222875e-38",
        "5e-324",
        "2e-324",
        "1e-400",
        "-9.53674316e-07",
        "8388608.5",
        "8388609.5",
        "16777216.99999999999999999999999",
        "0000000000000000000000000000001.5",
        "0.00000000000000000000000000000000000001",
        "1.00000005960464477539062500000000000000000000000000001",
        "1.000000059604644775390625"};
    for (size_t i = 0; i < BL_LEN(texts); i++)
        check_reading(texts[i]);
}

static void test_random_decimals_read_as_the_c_library_reads_them(void **state)
{
    (void)state;
    const char *seed_text = getenv("BOOSTLENS_TEST_SEED");
    uint64_t seed = seed_text ? strtoull(seed_text, NULL, 10) : 20261125;
    print_message("seed %llu\n", (unsigned long long)seed);
    bl_rng rng = bli_rng(seed);
    for (int i = 0; i < 300000; i++) {
        char text[64];
        int n = 0, n_digits = 1 + (int)bli_rng_below(&rng, 22);
        int point = (int)bli_rng_below(&rng, (uint64_t)n_digits + 1);
        if (bli_rng_below(&rng, 2))
            text[n++] = '-';
        for (int d = 0; d < n_digits; d++) {
            if (d == point)
                text[n++] = '.';
            text[n++] = (char)('0' + bli_rng_below(&rng, 10));
        }
        text[n] = '\0';
        if (bli_rng_below(&rng, 2))
            sprintf(text + n, "e%d", (int)bli_rng_below(&rng, 90) - 45);
        check_reading(text);
    }
}

/* A decimal exactly between two float32 values, and just beside it, for many exponents:
 * where rounding twice would go wrong. */
static void test_halfway_values_round_once(void **state)
{
    (void)state;
    bl_rng rng = bli_rng(7);
    for (int i = 0; i < 20000; i++) {
        uint32_t bits = (uint32_t)bli_rng_below(&rng, 0x7f000000);
        float low;
        memcpy(&low, &bits, sizeof low);
        double middle = ((double)low + (double)nextafterf(low, INFINITY)) / 2;
        char text[400];
        snprintf(text, sizeof text, "%.17g", middle);
        check_reading(text);
        snprintf(text, sizeof text, "%.60e", middle);
        check_reading(text);
    }
}

static void test_what_is_no_number_is_told(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",      " ",     "+",          "-",     ".",       "e5", "1e", "1e+",
        "0x1",   "1f",    "nan",        "NaN",   "1,5",     "1 ", " 1", "--1",
        "1.2.3", "5 USD", "2020-01-01", "1_000", "infinit", "in"};
    for (size_t i = 0; i < BL_LEN(texts); i++) {
        float f;
        double d;
        int64_t n;
        CHECK(bli_read_float(texts[i], strlen(texts[i]), &f) == BL_NUMBER_NONE, "'%s'",
              texts[i]);
        CHECK(bli_read_double(texts[i], strlen(texts[i]), &d) == BL_NUMBER_NONE, "'%s'",
              texts[i]);
        CHECK(!bli_read_int(texts[i], strlen(texts[i]), &n), "'%s'", texts[i]);
    }
}

static void test_infinities_are_told_apart(void **state)
{
    (void)state;
    static const char *const texts[] = {"inf", "-Inf", "+INFINITY", "1e39", "-1e400"};
    for (size_t i = 0; i < BL_LEN(texts); i++) {
        float f = 0;
        CHECK(bli_read_float(texts[i], strlen(texts[i]), &f) == BL_NUMBER_INFINITE &&
                  isinf(f) && (f < 0) == (texts[i][0] == '-'),
              "'%s'", texts[i]);
    }
}

static void test_integers_read_whole_and_in_range(void **state)
{
    (void)state;
    int64_t n = 0;
    CHECK(bli_read_int("9223372036854775807", 19, &n) && n == INT64_MAX, "max");
    CHECK(bli_read_int("-9223372036854775808", 20, &n) && n == INT64_MIN, "min");
    CHECK(!bli_read_int("9223372036854775808", 19, &n), "over");
    CHECK(!bli_read_int("5.0", 3, &n), "fraction");
}

static void test_written_numbers_read_back_and_look_like_repr(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {{20000, "20000.0"},
                 {-6.669359486561248e-05, "-6.669359486561248e-05"},
                 {0.1, "0.1"},
                 {1e16, "1e+16"},
                 {123456789012345680.0, "1.2345678901234568e+17"},
                 {0.0001, "0.0001"},
                 {0.00001, "1e-05"},
                 {-0.0, "-0.0"},
                 {1.5, "1.5"},
                 {5e-324, "5e-324"},
                 {9007199254740993.0, "9007199254740992.0"}};
    char out[BL_NUMBER_BYTES];
    for (size_t i = 0; i < BL_LEN(cases); i++) {
        bli_write_double(cases[i].value, out);
        CHECK(strcmp(out, cases[i].text) == 0, "%s, want %s", out, cases[i].text);
    }
    bl_rng rng = bli_rng(3);
    for (int i = 0; i < 50000; i++) {
        uint32_t bits = (uint32_t)bli_rng_next(&rng);
        float value, again;
        memcpy(&value, &bits, sizeof value);
        size_t n = bli_write_float(value, out);
        CHECK(n < BL_NUMBER_BYTES && strlen(out) == n, "length");
        if (!isfinite(value))
            continue;
        CHECK(bli_read_float(out, n, &again) == BL_NUMBER_OK && bits_of(again) == bits,
              "%s", out);
    }
}

static void test_the_locale_changes_nothing(void **state)
{
    (void)state;
    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8") && !setlocale(LC_NUMERIC, "pt_BR.UTF-8"))
        SKIP("no locale with a decimal comma is installed");
    float f = 0;
    char out[BL_NUMBER_BYTES];
    bl_number got = bli_read_float("0.10000000000000000000001", 25, &f);
    bli_write_double(0.5, out);
    setlocale(LC_NUMERIC, "C");
    CHECK(got == BL_NUMBER_OK && bits_of(f) == bits_of(0.1f), "%a", (double)f);
    CHECK(strcmp(out, "0.5") == 0, "%s", out);
}

static void test_the_nearest_name_is_offered_or_none(void **state)
{
    (void)state;
    static const char *const names[] = {"max_depth", "eta", "num_round", "subsample"};
    const char *got = bli_nearest("max-depth", names, BL_LEN(names));
    CHECK(got == names[0], "%s", got ? got : "none");
    CHECK(bli_nearest("num_rounds", names, BL_LEN(names)) == names[2], "num_rounds");
    CHECK(!bli_nearest("colour", names, BL_LEN(names)), "colour");
}

static void test_quotes_are_printable_and_cut(void **state)
{
    (void)state;
    char out[12];
    CHECK(strcmp(bli_quote("a\tb", 3, out, sizeof out), "a?b") == 0, "%s", out);
    CHECK(strcmp(bli_quote("0123456789abcdef", 16, out, sizeof out), "01234567...") == 0,
          "%s", out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_read_as_the_c_library_reads_them),
        cmocka_unit_test(test_random_decimals_read_as_the_c_library_reads_them),
        cmocka_unit_test(test_halfway_values_round_once),
        cmocka_unit_test(test_what_is_no_number_is_told),
        cmocka_unit_test(test_infinities_are_told_apart),
        cmocka_unit_test(test_integers_read_whole_and_in_range),
        cmocka_unit_test(test_written_numbers_read_back_and_look_like_repr),
        cmocka_unit_test(test_the_locale_changes_nothing),
        cmocka_unit_test(test_the_nearest_name_is_offered_or_none),
        cmocka_unit_test(test_quotes_are_printable_and_cut),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
