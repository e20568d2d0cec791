/* SPDX-License-Identifier: Apache-2.0 */
/* Cells: what a text is, and what is said where it is nothing we take. */
#include "ingest_test.h"

#include "base/rng.h"

#include <locale.h>
#include <sys/stat.h>

/* What AWS's image makes of a cell, and what we do instead: every row of the table of the
 * contract. The cell stands in the middle of a row that is else plain. */
static const struct {
    const char *cell;
    float value;      /* NAN: missing */
    const char *says; /* of the error; NULL: a value */
} cells[] = {
    {"", NAN, NULL},
    {"NA", NAN, NULL},
    {"?", 0, "'?' is no number"},
    {"abc", 0, "'abc' is no number"},
    {"True", 1, NULL},
    {"False", 0, NULL},
    {"tRUE", 1, NULL},
    {"\"5\"", 5, NULL},
    {"female", 0, "'female' is no number"},
    {"f1", 0, "'f1' is no number"},
    {"east", 0, "'east' is no number"},
    {"-", 0, "'-' is no number"},
    {"+", 0, "'+' is no number"},
    {".", 0, "'.' is no number"},
    {"nan", NAN, NULL},
    {"nancy", 0, "'nancy' is no number"},
    {" ", NAN, NULL},
    {"   ", NAN, NULL},
    {"\"\"", NAN, NULL},
    {"\"  \"", NAN, NULL},
    {"inf", 0, "'inf' is infinite"},
    {"-Infinity", 0, "'-Infinity' is infinite"},
    {"infant", 0, "'infant' is no number"},
    {"2020-01-01", 0, "'2020-01-01' is no number"},
    {"0x10", 0, "'0x10' is no number"},
    {"5 USD", 0, "'5 USD' is no number"},
    {"1.5e3", 1500, NULL},
    {"1,5", 0, "4 cells, expected 3"},
    {"\"1,500\"", 0, "'1,500' is no number"},
    {"1_000", 0, "'1_000' is no number"},
    {"1.5f", 0, "'1.5f' is no number"},
    {"  7\t", 7, NULL},
    {"+3", 3, NULL},
    {"-.5e0", -0.5F, NULL},
    {"5.", 5, NULL},
    {"2E+3", 2000, NULL},
    {"1e-10", 1e-10F, NULL},
    {"1E-06", 1e-6F, NULL},
    {"3.5e38", 0, "larger than float32 holds"},
    {"1.79769313486e+308", 0, "larger than float32 holds"},
    {"NaN", NAN, NULL},
    {"Null", NAN, NULL},
    {"none", 0, "'none' is no number"},
};

static void test_every_cell_is_a_value_or_missing_or_refused_with_its_place(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    for (size_t i = 0; i < BL_LEN(cells); i++) {
        char text[200];
        snprintf(text, sizeof text, "1,2,3\n0,%s,4\n", cells[i].cell);
        bl_status st = read_text(&b, text);
        if (cells[i].says) {
            CHECK(st == BL_E_DATA && strstr(b.err.msg, cells[i].says), "%s: %d %s",
                  cells[i].cell, (int)st, b.err.msg);
            CHECK(strstr(b.err.msg, "'t.csv', line 2"), "%s", b.err.msg);
            CHECK(!b.table, "%s: a table in spite of the error", cells[i].cell);
            continue;
        }
        CHECK(st == BL_OK, "%s: %s", cells[i].cell, b.err.msg);
        CELL_IS(b.table, 1, 0, cells[i].value);
        CELL_IS(b.table, 1, 1, 4.0F);
        CHECK(b.table->n_rows == 2, "%d rows", (int)b.table->n_rows);
    }
    teardown(&b);
}

/* The last cell of a line is where AWS's reader runs on into the next line. */
static void test_blanks_in_the_last_cell_are_missing(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    READ(&b, "1,2,  \n0,3,4\n");
    CHECK(b.table->n_rows == 2, "%d rows", (int)b.table->n_rows);
    CELL_IS(b.table, 0, 1, NAN);
    CELL_IS(b.table, 1, 0, 3.0F);
    CHECK(b.table->columns[1].n_missing == 1, "counted");
    teardown(&b);
}

static void test_zero_is_a_value_and_absent_is_missing_and_both_are_counted(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    READ(&b, "1,0,\n0,-0.0,0\n1,,0e9\n");
    CHECK(b.table->columns[0].n_zero == 2 && b.table->columns[0].n_missing == 1, "0");
    CHECK(b.table->columns[1].n_zero == 2 && b.table->columns[1].n_missing == 1, "1");
    HEARD(&b, "2 cells missing, 4 cells 0");
    teardown(&b);
}

static void test_missing_texts_given_replace_the_usual_ones(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    char *texts[] = {(char[]){"?"}, (char[]){"-999"}, (char[]){"unknown"}};
    b.settings.missing_texts = (bl_texts){3, texts};
    b.settings.missing_texts_given = true;
    READ(&b, "1,?,-999,unknown,\n0,1,2,3,4\n");
    for (size_t k = 0; k < 4; k++)
        CELL_IS(b.table, 0, k, NAN);
    REFUSED(&b, "1,NA,1,1,1\n", BL_E_DATA, "'NA' is no number");
    REFUSED(&b, "1,Unknown,1,1,1\n", BL_E_DATA, "'Unknown' is no number");
    READ(&b, "1,-999.0,1,1,1\n");
    CELL_IS(b.table, 0, 0, -999.0F);
    teardown(&b);
}

static void test_the_number_missing_is_applied_after_the_texts(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    b.settings.missing = -999.0F;
    READ(&b, "-999,-999,-9.99e2\n0,998,NA\n");
    CELL_IS(b.table, 0, 0, NAN);
    CELL_IS(b.table, 0, 1, NAN);
    CELL_IS(b.table, 1, 1, NAN);
    CHECK(b.table->columns[1].n_missing == 2, "counted");
    CHECK(b.table->roles.labels[0] == -999.0F, "a label is none of it");
    b.settings.missing = 0;
    READ(&b, "0,0,1\n");
    CELL_IS(b.table, 0, 0, NAN);
    CHECK(b.table->columns[0].n_zero == 0, "missing is not zero");
    teardown(&b);
}

static void test_true_and_false_are_noted_once_a_column(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    READ(&b, "True,FALSE,1\nfalse,true,2\n");
    CHECK(b.table->roles.labels[0] == 1 && b.table->roles.labels[1] == 0, "labels");
    CELL_IS(b.table, 0, 0, 0.0F);
    CELL_IS(b.table, 1, 0, 1.0F);
    HEARD(&b, "column 0: 2 cells True or False");
    HEARD(&b, "column 1: 2 cells True or False");
    CHECK(b.heard.n_of[BL_NOTE] == 2, "%u notes", b.heard.n_of[BL_NOTE]);
    teardown(&b);
}

/* Thresholds of tiny numbers: nothing is flushed to zero. */
static void test_tiny_numbers_stay(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    READ(&b, "1,0\n1,-0.0\n1,-1e-6\n1,-9.53674316e-07\n1,1e-45\n");
    CELL_IS(b.table, 0, 0, 0.0F);
    CELL_IS(b.table, 1, 0, -0.0F);
    CELL_IS(b.table, 2, 0, -1e-6F);
    CELL_IS(b.table, 3, 0, -9.53674316e-07F);
    CELL_IS(b.table, 4, 0, 1e-45F);
    CHECK(b.heard.n_of[BL_WARNING] == 0, "%s", b.heard.text);
    teardown(&b);
}

/* Dates as whole numbers: ...131 and ...132 are one float32. */
static void test_whole_numbers_that_collapse_are_warned_of_once_a_column(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    READ(&b, "1,20180130\n0,20180131\n1,20180132\n0,20180133.0\n");
    CHECK(cell(b.table, 1, 0) == cell(b.table, 2, 0), "one value");
    HEARD(&b, "column 1: 2 whole numbers above 16777216");
    HEARD(&b, "'t.csv', line 2");
    CHECK(b.heard.n_of[BL_WARNING] == 1, "%s", b.heard.text);
    READ(&b, "1,16777216\n0,16777218\n1,-20180130\n0,16777215\n1,123456789.25\n0,1e30\n");
    CHECK(b.heard.n_of[BL_WARNING] == 0, "%s", b.heard.text);
    READ(&b, "1,16777217\n0,-16777217\n1,184467440737095516150000\n");
    HEARD(&b, "column 1: 3 whole numbers");
    READ(&b, "20180131,1\n");
    HEARD(&b, "column 0: 1 whole numbers");
    teardown(&b);
}

static void test_numbers_that_become_zero_are_warned_of(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    READ(&b, "1,1e-50\n0,-0.00e-3\n1,0\n0,2e-60\n");
    HEARD(&b, "column 1: 2 numbers are too small for float32 and become 0");
    HEARD(&b, "line 1");
    CHECK(b.heard.n_of[BL_WARNING] == 1, "%s", b.heard.text);
    teardown(&b);
}

static void test_all_text_columns_of_the_row_are_named(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    /* a quoted name with a comma, an empty age */
    REFUSED(&b, "1,0,3,\"Lake, Ms. Ann\",female,,1,0,B/7 11,7.25,,Q\n", BL_E_DATA,
            "text stands in columns 3, 4, 8, 11");
    CHECK(strstr(b.err.msg, "line 1, column 3: 'Lake, Ms. Ann'"), "%s", b.err.msg);
    b.settings.enable_categorical = true;
    READ(&b, "1,0,3,\"Lake, Ms. Ann\",female,,1,0,B/7 11,7.25,,Q\n");
    CHECK(b.table->n_features == 11, "%zu features", b.table->n_features);
    CELL_IS(b.table, 0, 4, NAN);
    teardown(&b);
}

static void test_a_data_value_never_reaches_the_log(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    b.settings.enable_categorical = true;
    READ(&b, "y,city,n\n1,Xanadu,20180131\n0,Utopia,1e-50\n1,NA,True\n");
    NOT_HEARD(&b, "Xanadu");
    NOT_HEARD(&b, "20180131");
    NOT_HEARD(&b, "1e-50");
    teardown(&b);
}

/* Random decimals of many shapes, read through a file, against strtof of the C locale. */
static void check_against_strtof(uint64_t seed)
{
    bench b;
    setup(&b);
    enum { ROWS = 20000 };
    char *text = malloc(ROWS * 64), *at = text;
    float *want = malloc(ROWS * sizeof *want);
    assert_non_null(text);
    assert_non_null(want);
    bl_rng rng = bli_rng(seed);
    for (size_t r = 0; r < ROWS; r++) {
        char number[48], *o = number;
        size_t whole = bli_rng_below(&rng, 12), part = bli_rng_below(&rng, 14);
        if (bli_rng_below(&rng, 3) == 0)
            *o++ = bli_rng_below(&rng, 2) ? '-' : '+';
        for (size_t i = 0; i < whole; i++)
            *o++ = (char)('0' + bli_rng_below(&rng, 10));
        if (part)
            *o++ = '.';
        for (size_t i = 0; i < part; i++)
            *o++ = (char)('0' + bli_rng_below(&rng, 10));
        if (!whole && !part)
            *o++ = '7';
        if (bli_rng_below(&rng, 3) == 0)
            o += sprintf(o, "e%d", (int)bli_rng_below(&rng, 60) - 40);
        *o = '\0';
        want[r] = strtof(number, NULL);
        if (!isfinite(want[r])) {
            strcpy(number, "1");
            want[r] = 1;
        }
        at += sprintf(at, "0,%s\n", number);
    }
    READ(&b, text);
    for (size_t r = 0; r < ROWS; r++)
        CELL_IS(b.table, r, 0, want[r]);
    free(text);
    free(want);
    teardown(&b);
}

static uint64_t seed_of_run(void)
{
    const char *given = getenv("BOOSTLENS_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 20180131;
    print_message("BOOSTLENS_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

static void test_numbers_are_those_of_strtof(void **state)
{
    (void)state;
    check_against_strtof(seed_of_run());
}

/* Texts at and beside the middle between two float32 numbers: where rounding twice would show. */
static void test_numbers_between_two_float32_are_those_of_strtof(void **state)
{
    (void)state;
    bl_rng rng = bli_rng(seed_of_run());
    enum { ROWS = 20000 };
    char *text = malloc(ROWS * 80), *at = text;
    float *want = malloc(ROWS * sizeof *want);
    assert_non_null(text);
    assert_non_null(want);
    for (size_t r = 0; r < ROWS; r++) {
        /* exponents in which 17 digits have no e: as files write them */
        float low = ldexpf((float)(8388608 + bli_rng_below(&rng, 8388608)),
                           (int)bli_rng_below(&rng, 40) - 40);
        double middle = ((double)low + (double)nextafterf(low, INFINITY)) / 2;
        if (bli_rng_below(&rng, 3) == 0)
            middle = nextafter(middle, bli_rng_below(&rng, 2) ? 0 : 1e30);
        char number[60];
        snprintf(number, sizeof number, bli_rng_below(&rng, 2) ? "%.17g" : "%.25f",
                 middle);
        want[r] = strtof(number, NULL);
        at += sprintf(at, "0,%s\n", number);
    }
    bench b;
    setup(&b);
    READ(&b, text);
    for (size_t r = 0; r < ROWS; r++)
        CELL_IS(b.table, r, 0, want[r]);
    free(text);
    free(want);
    teardown(&b);
}

/* A locale with a decimal comma is made for the test: a bare system has none. */
static void test_numbers_do_not_depend_on_the_locale(void **state)
{
    (void)state;
    char folder[] = "/tmp/boostlens-locale-XXXXXX", command[300];
    if (!mkdtemp(folder))
        fail_msg("no folder in /tmp");
    snprintf(command, sizeof command,
             "localedef -i pt_BR -f UTF-8 %s/pt_BR.UTF-8 >/dev/null 2>&1", folder);
    bool made = system(command) <= 256; /* 1: warnings */
    setenv("LOCPATH", folder, 1);
    bool set = made && setlocale(LC_ALL, "pt_BR.UTF-8");
    bool comma = set && strcmp(localeconv()->decimal_point, ",") == 0;
    bench b;
    setup(&b);
    bl_status st = BL_OK;
    float got[3] = {0};
    if (comma) {
        /* more digits than the quick way takes, so that strtof itself is asked */
        st = read_text(&b, "1,0.1,2.5e-1,0.1000000000000000055511151231257827\n");
        for (size_t k = 0; st == BL_OK && k < 3; k++)
            got[k] = cell(b.table, 0, k);
    }
    setlocale(LC_ALL, "C");
    unsetenv("LOCPATH");
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command) != 0)
        print_message("left: %s\n", folder);
    if (!comma)
        SKIP("no locale with a decimal comma could be made (localedef)");
    CHECK_OK(st, b.err);
    CHECK(got[0] == 0.1F && got[1] == 0.25F && got[2] == 0.1F, "%g %g %g", (double)got[0],
          (double)got[1], (double)got[2]);
    teardown(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_cell_is_a_value_or_missing_or_refused_with_its_place),
        cmocka_unit_test(test_blanks_in_the_last_cell_are_missing),
        cmocka_unit_test(test_zero_is_a_value_and_absent_is_missing_and_both_are_counted),
        cmocka_unit_test(test_missing_texts_given_replace_the_usual_ones),
        cmocka_unit_test(test_the_number_missing_is_applied_after_the_texts),
        cmocka_unit_test(test_true_and_false_are_noted_once_a_column),
        cmocka_unit_test(test_tiny_numbers_stay),
        cmocka_unit_test(test_whole_numbers_that_collapse_are_warned_of_once_a_column),
        cmocka_unit_test(test_numbers_that_become_zero_are_warned_of),
        cmocka_unit_test(test_all_text_columns_of_the_row_are_named),
        cmocka_unit_test(test_a_data_value_never_reaches_the_log),
        cmocka_unit_test(test_numbers_are_those_of_strtof),
        cmocka_unit_test(test_numbers_between_two_float32_are_those_of_strtof),
        cmocka_unit_test(test_numbers_do_not_depend_on_the_locale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
