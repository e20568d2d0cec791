/* SPDX-License-Identifier: Apache-2.0 */
/* Text as categories: which columns, which codes, and levels that come later. */
#include "ingest_test.h"

static void test_text_columns_become_sorted_levels(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    b.settings.enable_categorical = true;
    READ(&b, "y,sex,age,town\n1,male,30,\n0,female,41,Zug\n1,,NA,aarau\n0,male,7,Bern\n"
             "1,nan,8,\"Zug\"\n");
    const bl_column *sex = &b.table->columns[0], *town = &b.table->columns[2];
    assert_string_equal(sex->type, "c");
    CHECK(!sex->type_given, "by the data");
    CHECK(!b.table->columns[1].levels, "age is a number");
    CHECK(bli_levels_count(sex->levels) == 2, "levels of sex");
    assert_string_equal(bli_levels_text(sex->levels, 0), "female");
    /* bytes: capitals before small letters */
    assert_string_equal(bli_levels_text(town->levels, 0), "Bern");
    assert_string_equal(bli_levels_text(town->levels, 1), "Zug");
    assert_string_equal(bli_levels_text(town->levels, 2), "aarau");
    const float sexes[] = {1, 0, NAN, 1, NAN}, towns[] = {NAN, 1, 2, 0, 1};
    for (size_t r = 0; r < 5; r++) {
        CELL_IS(b.table, r, 0, sexes[r]);
        CELL_IS(b.table, r, 2, towns[r]);
    }
    CHECK(sex->n_missing == 2 && sex->n_zero == 0, "codes are no zeros");
    teardown(&b);
}

static void test_text_without_enable_categorical_is_refused(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    b.label.index = 2;
    REFUSED(&b, "sex,age,y\nmale,30,1\n", BL_E_DATA, "line 2, column 'sex': 'male'");
    CHECK(strstr(b.err.msg, "enable_categorical=true"), "%s", b.err.msg);
    teardown(&b);
}

static void test_numbers_and_text_in_one_column_name_the_first_text(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    b.settings.enable_categorical = true;
    REFUSED(&b, "y,a\n1,5\n0,x\n1,z\n", BL_E_DATA,
            "'t.csv', line 3, column 'a': 'x' is text");
    CHECK(strstr(b.err.msg, "also holds numbers (above)") &&
              strstr(b.err.msg, "bl_missing_text") && strstr(b.err.msg, "type c"),
          "%s", b.err.msg);
    REFUSED(&b, "y,a,b\n1,,1\n0,x,2\n1,z,3\n1,7,4\n", BL_E_DATA,
            "'t.csv', line 3, column 'a': 'x' is text, but the column also holds numbers "
            "('t.csv', line 5)");
    REFUSED(&b, "y,a\n1,True\n0,maybe\n", BL_E_DATA, "'maybe' is text");
    REFUSED(&b, "y,a,b\n1,x,1\n0,inf,2\n", BL_E_DATA, "'inf' is infinite");
    char *texts[] = {(char[]){"x"}, (char[]){"z"}};
    b.settings.missing_texts = (bl_texts){2, texts};
    b.settings.missing_texts_given = true;
    READ(&b, "y,a\n1,5\n0,x\n1,z\n");
    CHECK(b.table->columns[0].n_missing == 2, "cure 1");
    b.settings.missing_texts_given = false;
    char *types[] = {(char[]){"c"}};
    b.settings.feature_types = (bl_texts){1, types};
    READ(&b, "y,a\n1,5\n0,x\n1,5.0\n0,inf\n1,\n");
    CHECK(bli_levels_count(b.table->columns[0].levels) == 4,
          "cure 2: every cell a level");
    const float want[] = {0, 3, 1, 2, NAN};
    for (size_t r = 0; r < 5; r++)
        CELL_IS(b.table, r, 0, want[r]);
    teardown(&b);
}

static void test_a_type_given_settles_a_column(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    b.settings.enable_categorical = true;
    char *types[] = {(char[]){"q"}, (char[]){"c"}};
    b.settings.feature_types = (bl_texts){2, types};
    REFUSED(&b, "y,a,b\n1,x,1\n", BL_E_DATA, "column 'a': 'x' is no number");
    b.settings.enable_categorical = false;
    READ(&b, "y,a,b\n1,1,10\n0,2,9\n");
    CELL_IS(b.table, 0, 1, 0.0F); /* "10" before "9": bytes */
    teardown(&b);
}

static void test_levels_not_seen_in_training(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    b.settings.enable_categorical = true;
    READ(&b, "y,a,n\n1,red,1\n0,blue,2\n");
    bl_table *train = b.table;
    bl_table_like *like;
    b.table = NULL;
    CHECK_OK(bli_table_like_new(train, &like, &b.err), b.err);
    b.ingest.like = like;
    READ(&b, "n,a,y\n1,red,1\n2,,0\n3,blue,1\n");
    CELL_IS(b.table, 0, 0, 1.0F);
    CELL_IS(b.table, 1, 0, NAN);
    CELL_IS(b.table, 2, 0, 0.0F);
    CHECK(bli_levels_count(b.table->columns[0].levels) == 2, "the same levels");
    REFUSED(&b, "y,a,n\n1,red,1\n1,green,1\n", BL_E_DATA, "line 3, column 'a'");
    CHECK(strstr(b.err.msg, "(row 1 of the data, from 0): level 'green' was not seen"),
          "%s", b.err.msg);
    CHECK(strstr(b.err.msg, "bl_unseen=missing"), "%s", b.err.msg);
    REFUSED(&b, "y,a,n\n1,5,1\n", BL_E_DATA, "level '5' was not seen");
    REFUSED(&b, "y,a,n\n1,red,many\n", BL_E_DATA, "'many' is no number");
    b.settings.unseen = BL_UNSEEN_MISSING;
    READ(&b, "y,a,n\n1,red,1\n1,green,1\n0,Red,1\n0,,1\n");
    CELL_IS(b.table, 1, 0, NAN);
    CELL_IS(b.table, 2, 0, NAN);
    CHECK(b.table->columns[0].n_missing == 3, "%d", (int)b.table->columns[0].n_missing);
    HEARD(&b, "2 cells of 1 column hold levels not seen in training");
    CHECK(b.heard.n_of[BL_WARNING] == 1, "%s", b.heard.text);
    teardown(&b);
    bli_table_like_free(like);
    bli_table_free(train);
}

/* Codes are first given in order of appearance, then sorted, over many blocks. */
static void test_many_levels_over_many_blocks(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    b.settings.enable_categorical = true;
    enum { ROWS = 9000, COLUMNS = 500, LEVELS = 700 };
    size_t cap = (size_t)ROWS * (COLUMNS * 2 + 16), n = 0;
    char *text = malloc(cap);
    assert_non_null(text);
    for (size_t r = 0; r < ROWS; r++) {
        n += (size_t)snprintf(text + n, cap - n, "1,L%zu", (r * 389 + 5) % LEVELS);
        for (size_t k = 2; k < COLUMNS; k++) {
            text[n++] = ',';
            text[n++] = '0';
        }
        text[n++] = '\n';
    }
    CHECK_OK(bli_ingest_text(&b.ingest, "t.csv", text, n, &b.table, &b.err), b.err);
    CHECK(b.table->n_blocks > 3, "%zu blocks", b.table->n_blocks);
    const bl_levels *levels = b.table->columns[0].levels;
    for (size_t r = 0; r < ROWS; r++) {
        char want[16];
        snprintf(want, sizeof want, "L%zu", (r * 389 + 5) % LEVELS);
        float code = cell(b.table, r, 0);
        assert_string_equal(bli_levels_text(levels, (uint32_t)code), want);
    }
    for (uint32_t i = 1; i < LEVELS; i++)
        CHECK(strcmp(bli_levels_text(levels, i - 1), bli_levels_text(levels, i)) < 0,
              "order");
    free(text);
    teardown(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_columns_become_sorted_levels),
        cmocka_unit_test(test_text_without_enable_categorical_is_refused),
        cmocka_unit_test(test_numbers_and_text_in_one_column_name_the_first_text),
        cmocka_unit_test(test_a_type_given_settles_a_column),
        cmocka_unit_test(test_levels_not_seen_in_training),
        cmocka_unit_test(test_many_levels_over_many_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
