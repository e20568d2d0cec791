/* SPDX-License-Identifier: Apache-2.0 */
/* Lines, quotes, delimiters, limits: CSV as text. */
#include "ingest_test.h"

#include "base/rng.h"

static bl_status read_bytes(bench *b, const void *bytes, size_t n, const bl_read_how *how)
{
    teardown(b);
    b->err = (bl_err){0};
    return bli_ingest_text_how(&b->ingest, "t.csv", bytes, n, how, &b->table, &b->err);
}

static void test_line_ends_of_all_kinds(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "1,2\n3,4\n",
        "1,2\r\n3,4\r\n",
        "1,2\r3,4\r",
        "1,2\n3,4",
        "1,2\r\n3,4",
        "\xef\xbb\xbf\x31,2\n3,4\n",
        "\n\n1,2\n\n3,4\n\n",
        "1,2\r\n\r\n3,4\r\n\r\n",
        "1,2\n  \t \n3,4\n",
        "1,2\n\r3,4\n",
        "\xef\xbb\xbf\r\n1,2\n3,4\r",
    };
    bench b;
    setup(&b);
    for (size_t i = 0; i < BL_LEN(texts); i++) {
        CHECK(read_text(&b, texts[i]) == BL_OK, "%zu: %s", i, b.err.msg);
        CHECK(b.table->n_rows == 2, "%zu: %d rows", i, (int)b.table->n_rows);
        CELL_IS(b.table, 0, 0, 2.0F);
        CELL_IS(b.table, 1, 0, 4.0F);
        CHECK(b.table->roles.labels[0] == 1 && b.table->roles.labels[1] == 3, "%zu", i);
    }
    teardown(&b);
}

static void test_lines_are_counted_through_quotes_and_blank_lines(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    b.settings.enable_categorical = true;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"y,a,b\n1,\"x\ny\",2\n\n1,z,oops\n", "line 5, column 'b'"},
        {"y,a,b\r\n1,\"x\r\ny\",2\r\n\r\n1,z,oops\r\n", "line 5, column 'b'"},
        {"y,a,b\r1,\"x\ry\",2\r\r1,z,oops\r", "line 5, column 'b'"},
        {"\n\ny,a,b\n1,\"x\",2\n1,z,oops", "line 5, column 'b'"},
        {"y,a,b\n1,\"x\n\n\n\",2\n1,z", "line 6: 2 cells, expected 3"},
    };
    char *types[] = {(char[]){"c"}, (char[]){"q"}};
    b.settings.feature_types = (bl_texts){2, types};
    for (size_t i = 0; i < BL_LEN(cases); i++)
        REFUSED(&b, cases[i].text, BL_E_DATA, cases[i].says);
    teardown(&b);
}

static void test_quoted_cells(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    bl_column_ref id = {NULL, 1};
    b.settings.ids = (bl_column_refs){1, &id};
    READ(&b,
         "1,\"a,b\",2\n1,\"say \"\"yes\"\"\",3\n1,\"two\nlines\",4\n1,  \" kept \"  ,5\n"
         "1,5\" pipe,6\n1,\"\",7\n1,it's,8\n\"1\",x,\"9\"");
    const char *want[] = {"a,b", "say \"yes\"", "two\nlines", " kept ", "5\" pipe",
                          "",    "it's",        "x"};
    const bl_text_column *ids = &b.table->roles.ids[0];
    CHECK(b.table->n_rows == BL_LEN(want), "%d rows", (int)b.table->n_rows);
    for (size_t r = 0; r < BL_LEN(want); r++) {
        size_t n = (size_t)(ids->offset[r + 1] - ids->offset[r]);
        CHECK(n == strlen(want[r]) && memcmp(ids->text + ids->offset[r], want[r], n) == 0,
              "row %zu: '%.*s'", r, (int)n, ids->text + ids->offset[r]);
        CELL_IS(b.table, r, 0, (float)(r + 2));
    }
    REFUSED(&b, "1,a,2\n1,\"b\"c,3\n", BL_E_DATA,
            "'t.csv', line 2: text follows a closing quote");
    REFUSED(&b, "1,a,2\n1,\"b,3\n1,c,4\n", BL_E_DATA,
            "'t.csv', line 2: a quote in the record that begins here is never closed");
    teardown(&b);
}

static void test_delimiters_are_found_by_the_first_lines(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"1,2,3\n4,5,6\n", "delimiter comma"},
        {"1;2;3\n4;5;6\n", "delimiter semicolon"},
        {"1\t2\t3\n4\t5\t6\n", "delimiter tab"},
        {"1|2|3\n4|5|6\n", "delimiter bar"},
        {"1 2 3\n4 5 6\n", "delimiter blank"},
        {"1, 2, 3\n4, 5, 6\n", "delimiter comma"},
        {"1 ;2; 3\n4;5 ;6\n", "delimiter semicolon"},
        {"y;fixed acidity;pH, final\n4;5;6\n", "delimiter semicolon"},
        {"y,a|b,c\n4,5,6\n", "delimiter comma"},
        {"\"a;b\",\"c;d\",\"e;f\"\n4,5,6\n", "delimiter comma"},
        {"1\t\t3\n4\t5\t\n", "delimiter tab"},
    };
    bench b;
    setup(&b);
    for (size_t i = 0; i < BL_LEN(cases); i++) {
        CHECK(read_text(&b, cases[i].text) == BL_OK, "%zu: %s", i, b.err.msg);
        HEARD(&b, cases[i].says);
        CHECK(b.table->n_features == 2, "%zu: %zu features", i, b.table->n_features);
    }
    /* tabs keep empty cells */
    CELL_IS(b.table, 0, 0, NAN);
    CELL_IS(b.table, 1, 1, NAN);
    b.settings.enable_categorical = true;
    READ(&b, "1,foo;bar,3\n2,baz;qux,4\n");
    HEARD(&b, "delimiter comma");
    /* decimal commas */
    REFUSED(&b, "1,5;2,5\n3,5;4,5\n", BL_E_DATA,
            "both comma and semicolon could separate");
    CHECK(strstr(b.err.msg, "decimal point"), "%s", b.err.msg);
    REFUSED(&b, "1,5\t2,5\n", BL_E_DATA, "both comma and tab");
    teardown(&b);
}

static void test_one_column_and_blank_lines(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    b.settings.labels.n = 0;
    READ(&b, "fixed acidity\n1\n\"\"\n3\n");
    CHECK(b.table->n_rows == 3 && b.table->n_features == 1, "shape");
    assert_string_equal(b.table->columns[0].name, "fixed acidity");
    CELL_IS(b.table, 1, 0, NAN);
    REFUSED(&b, "a\n1\n\n3\n", BL_E_DATA, "'t.csv', line 3 is blank");
    REFUSED(&b, "a\n1\n3\n\n", BL_E_DATA, "'t.csv', line 4 is blank");
    teardown(&b);
}

static void test_rows_of_another_width_are_refused(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    REFUSED(&b, "1,2,3\n1,2\n", BL_E_DATA, "'t.csv', line 2: 2 cells, expected 3");
    REFUSED(&b, "1,2,3\n1,2,3,\n", BL_E_DATA, "line 2: 4 cells, expected 3");
    REFUSED(&b, "1,2,3\nno delimiter at all\n", BL_E_DATA, "line 2: 1 cell, expected 3");
    teardown(&b);
}

static void test_bytes_that_are_no_text_are_refused_and_odd_ones_pass(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    bl_status st = read_bytes(&b, "1,2\n3,\0", 7, NULL);
    CHECK_FAILS(st, BL_E_DATA, b.err, "'t.csv', line 2: a NUL byte");
    st = read_bytes(&b,
                    "\xff\xfe"
                    "1\0,\0",
                    6, NULL);
    CHECK_FAILS(st, BL_E_DATA, b.err, "is UTF-16 text");
    b.settings.enable_categorical = true;
    READ(&b, "1,caf\xe9\n0,\x80\xff\n");
    CHECK(bli_levels_count(b.table->columns[0].levels) == 2, "levels of any bytes");
    assert_string_equal(bli_levels_text(b.table->columns[0].levels, 1), "\x80\xff");
    teardown(&b);
}

static void test_other_formats_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"PAR1\x15\x04", "a Parquet file"},
        {"\x0a\x23\xd7\xce\x08", "a RecordIO file"},
        {"\x89HDF\r\n\x1a\n", "an HDF5 file"},
        {"PK\x03\x04", "a zip archive"},
        {"BZh91AY&SY", "compressed by bzip2"},
    };
    bench b;
    setup(&b);
    for (size_t i = 0; i < BL_LEN(cases); i++)
        REFUSED(&b, cases[i].text, BL_E_DATA, cases[i].says);
    /* libsvm by its first line, where nobody said CSV */
    b.ingest.content_given = false;
    REFUSED(&b, "1 1:0.5 7:2\n0 2:1\n", BL_E_DATA, "the first line is libsvm text");
    REFUSED(&b, "2 qid:3 1:0.5\n", BL_E_DATA, "the first line is libsvm text");
    REFUSED(&b, "1:0.5 1:1\n", BL_E_DATA, "the first line is libsvm text");
    READ(&b, "1 2 3\n0 4 5\n");
    HEARD(&b, "no ContentType; by its first line this is CSV");
    b.ingest.content_given = true;
    b.settings.enable_categorical = true;
    READ(&b, "1 1:30\n0 2:45\n");
    NOT_HEARD(&b, "ContentType");
    teardown(&b);
}

static void test_limits_hold_at_the_limit_and_not_one_above(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    b.limits.rows = 3;
    READ(&b, "1,2\n1,2\n1,2\n");
    REFUSED(&b, "1,2\n1,2\n1,2\n1,2\n", BL_E_LIMIT, "line 4: more than 3 rows");
    b.limits = bli_limits();
    b.limits.columns = 4;
    READ(&b, "1,2,3,4\n");
    REFUSED(&b, "1,2,3,4,5\n", BL_E_LIMIT, "'t.csv', line 1: more than 4 columns");
    REFUSED(&b, "1,2,3,4\n\"1\",2,3,4,5\n", BL_E_LIMIT, "line 2: more than 4 columns");
    b.limits = bli_limits();
    b.limits.line_bytes = 10;
    READ(&b, "1,2345678.\n1,2345678.\r\n1,\"34567\"\n1,2345678.");
    REFUSED(&b, "1,2\n1,23456789.\n", BL_E_LIMIT,
            "line 2: the record is longer than 10 bytes");
    REFUSED(&b, "1,2\n1,\"3456789\"\n", BL_E_LIMIT, "line 2: the record is longer");
    REFUSED(&b, "1,2\n1,23456789.", BL_E_LIMIT, "line 2: the record is longer");
    b.limits.line_bytes = 11; /* of the record: three lines, ends included */
    b.settings.enable_categorical = true;
    READ(&b, "1,x\n1,\"a\nbc\nde\"\n");
    REFUSED(&b, "1,x\n1,\"a\nbc\ndef\"\n", BL_E_LIMIT,
            "the record is longer than 11 bytes");
    b.limits = bli_limits();
    b.limits.levels = 3;
    READ(&b, "1,a\n1,b\n1,c\n1,a\n");
    REFUSED(&b, "1,a\n1,b\n1,c\n1,d\n", BL_E_LIMIT, "line 4, column 1: more than 3");
    teardown(&b);
}

/* 300,000 cells in one line: far below the limits in force. */
static void test_very_long_rows_are_read(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    enum { CELLS = 300000 };
    char *text = malloc(2 * (CELLS * 6 + 1));
    assert_non_null(text);
    size_t n = 0;
    for (size_t line = 0; line < 2; line++) {
        for (size_t i = 0; i < CELLS; i++) {
            memcpy(text + n, line ? "2E-06," : "1E-06,", 6);
            n += 6;
        }
        text[n - 1] = '\n';
    }
    bl_status st = read_bytes(&b, text, n, NULL);
    CHECK_OK(st, b.err);
    CHECK(b.table->n_rows == 2 && b.table->n_features == CELLS - 1, "shape");
    CELL_IS(b.table, 0, CELLS - 2, 1e-6F);
    CELL_IS(b.table, 1, 0, 2e-6F);
    free(text);
    teardown(&b);
}

/* --- One meaning, however it is read ------------------------------------------------ */

static const size_t chunks[] = {1, 2, 3, 5, 7, 16, 61, 4096};

/* Every chunk size, with libcsv alone and without: one table, or one message. */
static void check_every_way(bench *b, const char *text, size_t n)
{
    bl_table *whole = NULL;
    bl_err whole_err = {0};
    bl_status st = bli_ingest_text(&b->ingest, "t.csv", text, n, &whole, &whole_err);
    for (size_t i = 0; i < 2 * BL_LEN(chunks); i++) {
        bl_read_how how = {chunks[i / 2], i % 2, 0};
        char what[80];
        snprintf(what, sizeof what, "chunks of %zu, %s", how.chunk_bytes,
                 how.only_libcsv ? "libcsv" : "ours");
        bl_status again = read_bytes(b, text, n, &how);
        CHECK(again == st, "%s: status %d (%s), was %d (%s)\n%.*s", what, (int)again,
              b->err.msg, (int)st, whole_err.msg, (int)n, text);
        if (st == BL_OK)
            check_same_table(whole, b->table, what);
        else
            assert_string_equal(b->err.msg, whole_err.msg);
    }
    bli_table_free(whole);
}

static void test_chunks_and_libcsv_do_not_change_the_table(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "1,2,3,4\n5,6,7,8\n9,1,2,3",
        "y,a,b\r\n1,,\"2\"\r\n\r\n0,\" 7 \",NA\r\n",
        "\xef\xbb\xbfy;a;b\n1;5;6\r\r\n0;1;2",
        "1,\"2\n\",3\n",
        "1,2\n3,\"4\"\"\"\n",
        "1,2\n3,\"4",
        "1,2\n3,\"4\"x\n",
        "1,2\n3,4\n5\n",
        "1 2 3\n 4 5\n",
        "1\t2\n\t3\n",
        "1,True\n0, false \n",
        "1,2\n\r\n\r\r\n3,4\n\r",
        "  ,  \n1,2\n",
        "1,5\" x\n",
        "\n\n\n",
        "",
    };
    bench b;
    setup(&b);
    b.ingest.log = NULL;
    for (size_t i = 0; i < BL_LEN(texts); i++)
        check_every_way(&b, texts[i], strlen(texts[i]));
    teardown(&b);
}

static void test_random_text_reads_alike_every_way(void **state)
{
    (void)state;
    const char *given = getenv("BOOSTLENS_SEED");
    bl_rng rng = bli_rng(given ? strtoull(given, NULL, 10) : 7);
    print_message("BOOSTLENS_SEED=%s\n", given ? given : "7");
    static const char alphabet[] = "0123456789.,,,,,\n\n\n\r\"\" \t;-eax";
    bench b;
    setup(&b);
    b.ingest.log = NULL;
    unsigned n_ok = 0;
    for (int i = 0; i < 600; i++) {
        char text[120];
        size_t n = (size_t)bli_rng_below(&rng, sizeof text - 8) + 8;
        bool rows = bli_rng_below(&rng, 2);
        size_t at = 0;
        while (rows ? n - at > 8 : at < n) {
            /* half of the time two plain columns with a few slips in them */
            if (rows && bli_rng_below(&rng, 60)) {
                at += (size_t)sprintf(text + at, "%d,%d%s", (int)bli_rng_below(&rng, 10),
                                      (int)bli_rng_below(&rng, 100),
                                      bli_rng_below(&rng, 4) ? "\n" : "\r\n");
            } else {
                text[at++] = alphabet[bli_rng_below(&rng, sizeof alphabet - 1)];
            }
        }
        b.settings.enable_categorical = bli_rng_below(&rng, 2);
        b.settings.label_optional = false;
        check_every_way(&b, text, at);
        n_ok += b.table != NULL;
    }
    print_message("%u of 600 texts are tables\n", n_ok);
    CHECK(n_ok > 100, "%u tables: the texts test nothing", n_ok);
    teardown(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line_ends_of_all_kinds),
        cmocka_unit_test(test_lines_are_counted_through_quotes_and_blank_lines),
        cmocka_unit_test(test_quoted_cells),
        cmocka_unit_test(test_delimiters_are_found_by_the_first_lines),
        cmocka_unit_test(test_one_column_and_blank_lines),
        cmocka_unit_test(test_rows_of_another_width_are_refused),
        cmocka_unit_test(test_bytes_that_are_no_text_are_refused_and_odd_ones_pass),
        cmocka_unit_test(test_other_formats_are_refused_by_name),
        cmocka_unit_test(test_limits_hold_at_the_limit_and_not_one_above),
        cmocka_unit_test(test_very_long_rows_are_read),
        cmocka_unit_test(test_chunks_and_libcsv_do_not_change_the_table),
        cmocka_unit_test(test_random_text_reads_alike_every_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
