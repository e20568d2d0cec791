/* SPDX-License-Identifier: Apache-2.0 */
/* Plain lines by the piece: the same table as libcsv alone, for any number of threads. */
#include "ingest_test.h"

#include "base/rng.h"

#include <omp.h>

/* Lines that the quick way must leave to the ordinary one, or must read just as well. */
static const char *const odd_lines[] = {
    "1,2,\"3\",x,5\n",
    "\n",
    "  \n",
    "0,True,3,x,5\r\n",
    "1,20180131,3,x,5\n",
    "1,2,1e-60,x,5\n",
    "1,NA,,x, 7 \n",
    "0,1.5e3,+2,x,-.5\n",
    "1,2,3,\"a,b\nc\",5\n",
    "1,16777217.0,3,x,5\r",
    "0,-0,-0.0,,0\n",
    "0,123456789012345678901234567890e-29,3,x,5\n",
    "1,0.1000000059604644775390625,3,x,5\n",
    "1, 2\t,3, y z ,5\r\n",
    "1,-999,null,5\" x,5\n",
    "0,1.1754943508222874e-38,3,x,1e-40\n",
};

static char *make_text(uint64_t seed, size_t n_bytes, unsigned odd_in, size_t *ret_n)
{
    char *text = malloc(n_bytes + 200);
    assert_non_null(text);
    bl_rng rng = bli_rng(seed);
    size_t n = 0;
    while (n < n_bytes) {
        if (n > 100 && odd_in && bli_rng_below(&rng, odd_in) == 0) {
            const char *odd = odd_lines[bli_rng_below(&rng, BL_LEN(odd_lines))];
            n += (size_t)sprintf(text + n, "%s", odd);
            continue;
        }
        n += (size_t)sprintf(
            text + n, "%d,%d,%d.%03d,%s,-%d%s", (int)bli_rng_below(&rng, 2),
            (int)bli_rng_below(&rng, 100000), (int)bli_rng_below(&rng, 1000),
            (int)bli_rng_below(&rng, 1000), bli_rng_below(&rng, 3) ? "some text" : "",
            (int)bli_rng_below(&rng, 10), bli_rng_below(&rng, 4) ? "\n" : "\r\n");
    }
    *ret_n = n;
    return text;
}

static void check_text(const char *text, size_t n)
{
    bench b;
    setup(&b);
    bl_column_ref drop = {NULL, 3};
    b.settings.drop = (bl_column_refs){1, &drop};
    b.settings.missing = -999;
    const bl_read_how libcsv = {.only_libcsv = true};
    bl_table *want = NULL;
    CHECK_OK(bli_ingest_text_how(&b.ingest, "t.csv", text, n, &libcsv, &want, &b.err),
             b.err);
    char *heard_then = strdup(b.heard.text);
    assert_non_null(heard_then);
    static const int threads[] = {1, 2, 3, 7};
    for (size_t i = 0; i < BL_LEN(threads); i++) {
        omp_set_num_threads(threads[i]);
        b.heard = (heard){0};
        CHECK_OK(bli_ingest_text(&b.ingest, "t.csv", text, n, &b.table, &b.err), b.err);
        char what[40];
        snprintf(what, sizeof what, "%d threads", threads[i]);
        check_same_table(want, b.table, what);
        assert_string_equal(b.heard.text, heard_then);
        teardown(&b);
    }
    free(heard_then);
    bli_table_free(want);
}

static uint64_t seed_of_run(void)
{
    const char *given = getenv("BOOSTLENS_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 11;
    print_message("BOOSTLENS_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

static void test_lines_by_the_piece_are_those_of_libcsv(void **state)
{
    (void)state;
    uint64_t seed = seed_of_run();
    static const unsigned odd_in[] = {0, 50000, 1000, 20, 1};
    for (size_t i = 0; i < BL_LEN(odd_in); i++) {
        size_t n;
        char *text = make_text(seed + i, 2500000, odd_in[i], &n);
        check_text(text, n);
        free(text);
    }
}

/* The first line that is wrong is named, however far the pieces had read ahead. */
static void test_the_first_error_is_the_one_reported(void **state)
{
    (void)state;
    size_t n;
    char *text = make_text(5, 2000000, 0, &n);
    /* two slips, far apart, each in the last cell of a line */
    for (size_t part = 1; part <= 2; part++) {
        char *at = strchr(text + n * part / 3, '\n');
        at[at[-1] == '\r' ? -2 : -1] = part == 1 ? 'y' : 'z';
    }
    size_t line = 1;
    for (const char *at = text; *at != 'y' || at[1] == ' '; at++)
        line += *at == '\n';
    bench b;
    setup(&b);
    bl_column_ref drop = {NULL, 3};
    b.settings.drop = (bl_column_refs){1, &drop};
    char says[80];
    snprintf(says, sizeof says, "'t.csv', line %zu, column 4: '-y' is no number", line);
    for (int threads = 1; threads < 8; threads += 3) {
        omp_set_num_threads(threads);
        bl_status st = bli_ingest_text(&b.ingest, "t.csv", text, n, &b.table, &b.err);
        CHECK_FAILS(st, BL_E_DATA, b.err, says);
    }
    free(text);
}

static void test_limits_hold_within_pieces(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    b.heard.n = sizeof b.heard.text; /* nothing to be kept of the log */
    enum { ROWS = 60000 };
    char *text = malloc(ROWS * 6 + 1);
    assert_non_null(text);
    for (size_t r = 0; r < ROWS; r++)
        memcpy(text + 6 * r, "1,234\n", 7);
    b.limits.rows = ROWS;
    READ(&b, text);
    CHECK(b.table->n_rows == ROWS, "%d rows", (int)b.table->n_rows);
    b.limits.rows = ROWS - 1;
    REFUSED(&b, text, BL_E_LIMIT, "'t.csv', line 60000: more than 59999 rows");
    b.limits = bli_limits();
    b.limits.line_bytes = 5;
    READ(&b, text);
    memcpy(text + 6 * 50000, "1,2345,6\n1", 10);
    REFUSED(&b, text, BL_E_LIMIT,
            "'t.csv', line 50001: the record is longer than 5 bytes");
    free(text);
    teardown(&b);
}

/* A file of CRs, and one in which no line is plain: read line by line, without gathering. */
static void test_files_without_a_plain_line(void **state)
{
    (void)state;
    enum { ROWS = 200000 };
    char *text = malloc(ROWS * 9 + 1);
    assert_non_null(text);
    static const char *const lines[] = {"1,2,345\r", "1,True,5\n", "1,\"2\",3\n"};
    for (size_t i = 0; i < BL_LEN(lines); i++) {
        bench b;
        setup(&b);
        size_t n = strlen(lines[i]);
        for (size_t r = 0; r < ROWS; r++)
            memcpy(text + n * r, lines[i], n + 1);
        bl_read_how small = {.chunk_bytes = 4096};
        bl_status st = bli_ingest_text_how(&b.ingest, "t.csv", text, n * ROWS, &small,
                                           &b.table, &b.err);
        CHECK_OK(st, b.err);
        CHECK(b.table->n_rows == ROWS, "%d rows", (int)b.table->n_rows);
        CELL_IS(b.table, ROWS - 1, 0, i == 1 ? 1.0F : 2.0F);
        teardown(&b);
    }
    free(text);
}

/* Weights, bounds and margins by the piece, and the places of what is wrong with them. */
static void test_roles_by_the_piece(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    b.settings.labels.n = 0;
    b.settings.has_lower = b.settings.has_upper = b.settings.has_weight = true;
    b.settings.lower.index = 0;
    b.settings.upper.index = 1;
    b.settings.weight.index = 2;
    bl_column_ref margin = {NULL, 3};
    b.settings.base_margins = (bl_column_refs){1, &margin};
    enum { ROWS = 5000 };
    char *text = malloc(ROWS * 40), *at = text;
    assert_non_null(text);
    for (unsigned r = 0; r < ROWS; r++)
        at += sprintf(at, "%u,%u,%u,-0.5,%u\n", r, r + 10, r % 3, r * 2);
    READ(&b, text);
    const bl_roles *roles = &b.table->roles;
    for (unsigned r = 0; r < ROWS; r++)
        CHECK(roles->lower_bounds[r] == (float)r &&
                  roles->upper_bounds[r] == (float)r + 10 &&
                  roles->weights[r] == (float)(r % 3) && roles->base_margins[r] == -0.5F,
              "row %u", r);
    HEARD(&b, "1667 of 5000 rows have weight 0");
    char *slip = strstr(text, "\n4000,4010,") + 1;
    memcpy(slip, "4020", 4);
    REFUSED(&b, text, BL_E_DATA, "line 4001: the lower bound 4020 is above");
    memcpy(slip, "4000,401,-1", 11);
    REFUSED(&b, text, BL_E_DATA, "line 4001, column 2: a negative weight");
    memcpy(slip, "4000,    , ", 11);
    REFUSED(&b, text, BL_E_DATA, "line 4001, column 1: the cell is empty");
    free(text);
    teardown(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_by_the_piece_are_those_of_libcsv),
        cmocka_unit_test(test_the_first_error_is_the_one_reported),
        cmocka_unit_test(test_limits_hold_within_pieces),
        cmocka_unit_test(test_files_without_a_plain_line),
        cmocka_unit_test(test_roles_by_the_piece),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
