/* SPDX-License-Identifier: Apache-2.0 */
/* Headers, names and types; files and tables that follow one another. */
#include "ingest_test.h"

static void test_a_header_is_seen_by_itself(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    READ(&b, "y,fixed acidity,x.y,Celltype=adeno\n1,2,3,4\n0,5,6,\n");
    CHECK(b.table->has_header && b.table->n_rows == 2 && b.table->n_features == 3,
          "shape");
    assert_string_equal(b.table->columns[0].name, "fixed acidity");
    assert_string_equal(b.table->columns[1].name, "x.y");
    assert_string_equal(b.table->columns[2].name, "Celltype=adeno");
    assert_string_equal(b.table->columns[0].type, "q");
    assert_string_equal(b.table->file_columns[0], "y");
    CHECK(b.table->n_file_columns == 4, "columns of the file");
    READ(&b, "1,2,3\n4,5,6\n");
    CHECK(!b.table->has_header && b.table->n_rows == 2, "no header");
    CHECK(!b.table->columns[0].name, "no name");
    /* 1e-10 is a number, whatever letters it holds */
    READ(&b, "1,1e-10,2E+3,-.5e0\n");
    CHECK(!b.table->has_header && b.table->n_rows == 1, "numbers are no names");
    teardown(&b);
}

static void test_names_are_kept_and_odd_ones_noted_once(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    READ(&b, "y,\"a,b\",c[0],d<1,\"e\"\"f\"\n1,2,3,4,5\n");
    assert_string_equal(b.table->columns[0].name, "a,b");
    assert_string_equal(b.table->columns[1].name, "c[0]");
    assert_string_equal(b.table->columns[3].name, "e\"f");
    HEARD(&b, "2 column names with [, ] or <");
    CHECK(b.heard.n_of[BL_NOTE] == 1, "%s", b.heard.text);
    teardown(&b);
}

static void test_a_first_line_that_is_neither_names_bl_header(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    /* as wide as the data, and not names: counts beside class names */
    REFUSED(&b, "120,4,setosa,versicolor,virginica\n6.4,2.8,5.6,2.2,2\n", BL_E_DATA,
            "bl_header=yes");
    CHECK(strstr(b.err.msg, "because it holds a number"), "%s", b.err.msg);
    REFUSED(&b, "y,a,a\n1,2,3\n", BL_E_DATA, "because two of its cells are equal");
    REFUSED(&b, "y,a,\n1,2,3\n", BL_E_DATA, "because one of its cells is empty");
    REFUSED(&b, "y,a,b\n", BL_E_DATA, "because no other line follows");
    REFUSED(&b, "y,a,b\n,,\n1,2,3\n", BL_E_DATA, "because the next line holds no number");
    /* a letter in column 0, where the label is awaited */
    REFUSED(&b, "M,0.455,0.365,15\nF,0.53,0.42,9\n", BL_E_DATA, "bl_label");
    CHECK(strstr(b.err.msg, "line 1, column 0: 'M' is no number"), "%s", b.err.msg);
    REFUSED(&b, "0,1,2,3\n1,5,6,7\n", BL_E_DATA, "bl_header=yes or bl_header=no");
    READ(&b, "0,1\n1,5\n"); /* two columns: too likely to be data */
    CHECK(b.table->n_rows == 2, "rows");
    b.settings.header = BL_HEADER_NO;
    READ(&b, "0,1,2,3\n1,5,6,7\n");
    CHECK(b.table->n_rows == 2, "rows");
    b.settings.header = BL_HEADER_YES;
    READ(&b, "0,1,2,3\n1,5,6,7\n");
    CHECK(b.table->n_rows == 1, "rows");
    assert_string_equal(b.table->columns[2].name, "3");
    teardown(&b);
}

static void test_text_in_line_1_only_names_bl_header(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    b.settings.enable_categorical = true;
    REFUSED(&b, "120,4,setosa\n6.4,2.8,5.6\n", BL_E_DATA, "bl_header=yes");
    CHECK(strstr(b.err.msg, "line 1, column 2: 'setosa' is text"), "%s", b.err.msg);
    REFUSED(&b, "120,4,setosa\n6.4,2.8,\n1,2,3\n", BL_E_DATA, "bl_header=yes");
    teardown(&b);
}

static void test_a_column_named_by_name_makes_line_1_the_header(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    char name[] = "target";
    b.label.name = name;
    READ(&b, "1,target,3\n4,5,6\n"); /* numbers as names, and the label in the middle */
    CHECK(b.table->n_rows == 1 && b.table->roles.labels[0] == 5, "label");
    assert_string_equal(b.table->columns[1].name, "3");
    REFUSED(&b, "target,a,a\n4,5,6\n", BL_E_DATA,
            "two columns of the header are named 'a'");
    REFUSED(&b, "target,a,\n4,5,6\n", BL_E_DATA, "column 2 has no name");
    REFUSED(&b, "targte,a,b\n4,5,6\n", BL_E_CONFIG, "did you mean 'targte'");
    b.settings.header = BL_HEADER_NO;
    REFUSED(&b, "target,a,b\n4,5,6\n", BL_E_CONFIG, "bl_header=no");
    teardown(&b);
}

static void test_names_and_types_may_be_given(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    char *names[] = {(char[]){"age"}, (char[]){"pay"}};
    char *types[] = {(char[]){"int"}, (char[]){"c"}};
    b.settings.feature_names = (bl_texts){2, names};
    b.settings.feature_types = (bl_texts){2, types};
    READ(&b, "1,30,x\n0,40,y\n");
    assert_string_equal(b.table->columns[0].name, "age");
    assert_string_equal(b.table->columns[0].type, "int");
    CHECK(b.table->columns[0].type_given, "given");
    assert_string_equal(b.table->columns[1].type, "c");
    CHECK(!b.table->has_header, "names given are no header");
    REFUSED(&b, "1,x,y\n", BL_E_DATA, "column 'age'");
    REFUSED(&b, "1,2,3,4\n", BL_E_CONFIG,
            "bl_feature_names gives 2 names, but 't.csv' has 3");
    b.settings.feature_names.n = 0;
    REFUSED(&b, "1,2,3,4\n", BL_E_CONFIG, "bl_feature_types gives 2 types");
    types[1][0] = 'z';
    REFUSED(&b, "1,2,3\n", BL_E_CONFIG, "'z' is no type");
    teardown(&b);
}

static void test_names_given_beside_a_header(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    char *names[] = {(char[]){"b"}, (char[]){"a"}};
    b.settings.feature_names = (bl_texts){2, names};
    REFUSED(&b, "y,a,b\n1,2,3\n", BL_E_CONFIG, "in another order");
    READ(&b, "y,b,a\n1,2,3\n");
    CHECK(b.heard.n_of[BL_NOTE] == 0, "%s", b.heard.text);
    READ(&b, "y,c,d\n1,2,3\n");
    assert_string_equal(b.table->columns[0].name, "b");
    assert_string_equal(b.table->file_columns[1], "c");
    HEARD(&b, "2 of 2 names of the header are replaced by bl_feature_names");
    teardown(&b);
}

/* --- later tables ------------------------------------------------------------------- */

static bl_table *first_table;
static bl_table_like *like;

/* Reads the first table of the job; later calls of read_text follow it. */
static void start_job(bench *b, const char *text)
{
    READ(b, text);
    first_table = b->table;
    b->table = NULL;
    CHECK_OK(bli_table_like_new(first_table, &like, &b->err), b->err);
    b->ingest.like = like;
}

static void end_job(bench *b)
{
    teardown(b);
    bli_table_like_free(like);
    bli_table_free(first_table);
    b->ingest.like = NULL;
}

static void test_other_channels_are_matched_by_name(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    start_job(&b, "y,a,b\n1,2,3\n");
    READ(&b, "b,y,a\n30,10,20\n");
    CHECK(b.table->roles.labels[0] == 10, "label by the name of column 0");
    CELL_IS(b.table, 0, 0, 20.0F);
    CELL_IS(b.table, 0, 1, 30.0F);
    REFUSED(&b, "y,a,c\n1,2,3\n", BL_E_DATA, "lacks column 'b' (a feature)");
    REFUSED(&b, "a,b\n1,2\n", BL_E_DATA, "lacks column 'y' (a label)");
    REFUSED(&b, "y,a,b,c\n1,2,3,4\n", BL_E_DATA,
            "has column 'c', which the training data have not");
    REFUSED(&b, "y,a,a\n1,2,3\n", BL_E_DATA, "named 'a'");
    REFUSED(&b, "1,2,3\n4,5,6\n", BL_E_DATA, "lacks column");
    end_job(&b);
    start_job(&b, "1,2,3\n");
    REFUSED(&b, "y,a,b\n1,2,3\n", BL_E_DATA, "the training data have none");
    REFUSED(&b, "1,2\n", BL_E_DATA, "expected are 2 features");
    REFUSED(&b, "1,2,3,4\n", BL_E_DATA, "expected are 2 features");
    READ(&b, "4,5,6\n");
    end_job(&b);
}

static void test_rows_to_predict_need_no_label(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    start_job(&b, "y,a,b\n1,2,3\n");
    b.settings.label_optional = true;
    READ(&b, "b,a\n30,20\n");
    CHECK(!b.table->roles.labels && b.table->roles.n_labels == 0, "no labels");
    CELL_IS(b.table, 0, 0, 20.0F);
    READ(&b, "a,extra,y,b\n20,7,1,30\n");
    CHECK(b.table->roles.labels && b.table->roles.labels[0] == 1, "labels");
    CELL_IS(b.table, 0, 1, 30.0F);
    HEARD(&b, "1 column not in training, ignored (the first: 'extra')");
    READ(&b, "20,30\n21,31\n"); /* by place: as many columns as features */
    CHECK(!b.table->roles.labels && b.table->n_rows == 2, "no labels");
    READ(&b, "1,20,30\n0,21,31\n");
    CHECK(b.table->roles.labels && b.table->roles.labels[1] == 0, "labels by place");
    REFUSED(&b, "20\n21\n", BL_E_DATA, "expected are 2 features");
    /* a model that knows its features, but not the file it was trained on */
    bl_table_like bare = *like;
    bare.file_columns = NULL;
    bare.n_file_columns = 0;
    b.ingest.like = &bare;
    READ(&b, "b,a\n30,20\n");
    CHECK(!b.table->roles.labels, "no labels");
    CELL_IS(b.table, 0, 0, 20.0F);
    READ(&b, "y,b,a\n1,30,20\n");
    CHECK(b.table->roles.labels && b.table->roles.labels[0] == 1, "labels");
    CELL_IS(b.table, 0, 1, 30.0F);
    REFUSED(&b, "y,b\n1,30\n", BL_E_DATA, "lacks column 'a'");
    b.ingest.like = like;
    end_job(&b);
}

static void test_an_empty_label_column_is_no_label_where_none_is_needed(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    start_job(&b, "1,2,3\n");
    REFUSED(&b, ",2,3\n", BL_E_DATA, "every row needs a label");
    b.settings.label_optional = true;
    READ(&b, ",2,3\nNA,4,5\n");
    CHECK(!b.table->roles.labels && b.table->n_rows == 2, "no labels");
    HEARD(&b, "empty in every row");
    REFUSED(&b, "1,2,3\n,4,5\n", BL_E_DATA, "'t.csv', line 2: the label is missing");
    end_job(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_header_is_seen_by_itself),
        cmocka_unit_test(test_names_are_kept_and_odd_ones_noted_once),
        cmocka_unit_test(test_a_first_line_that_is_neither_names_bl_header),
        cmocka_unit_test(test_text_in_line_1_only_names_bl_header),
        cmocka_unit_test(test_a_column_named_by_name_makes_line_1_the_header),
        cmocka_unit_test(test_names_and_types_may_be_given),
        cmocka_unit_test(test_names_given_beside_a_header),
        cmocka_unit_test(test_other_channels_are_matched_by_name),
        cmocka_unit_test(test_rows_to_predict_need_no_label),
        cmocka_unit_test(test_an_empty_label_column_is_no_label_where_none_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
