/* SPDX-License-Identifier: Apache-2.0 */
/* Columns and cells: who plays which role, by name or index, and settings that claim the same. */
#include "folder.h"

static bl_job *read_columns(bl_folder *folder, const char *members)
{
    char text[1024];
    bl_job *job = NULL;
    bl_err err;
    snprintf(text, sizeof text, "{\"num_round\": 3, %s}", members);
    CHECK_OK(folder_read(folder, text, TRAIN_ONLY, &job, &err), err);
    return job;
}

/* "3" or "'name'" for each column, between blanks. */
static void check_refs(const bl_column_refs *refs, const char *want)
{
    char got[256] = "";
    for (size_t i = 0; i < refs->n; i++) {
        size_t n = strlen(got);
        if (refs->ref[i].name)
            snprintf(got + n, sizeof got - n, "%s'%s'", i ? " " : "", refs->ref[i].name);
        else
            snprintf(got + n, sizeof got - n, "%s%lld", i ? " " : "",
                     (long long)refs->ref[i].index);
    }
    CHECK(strcmp(got, want) == 0, "'%s', wanted '%s'", got, want);
}

static void test_columns_are_indices_where_numbers_else_names(void **state)
{
    static const struct {
        const char *members, *want;
    } cases[] = {
        {"\"bl_drop\": \"3\"", "3"},
        {"\"bl_drop\": 3", "3"},
        {"\"bl_drop\": 3.0", "3"},
        {"\"bl_drop\": \"\\\"3\\\"\"", "3"},
        {"\"bl_drop\": \"3, zip code ,5\"", "3 'zip code' 5"},
        {"\"bl_drop\": \"[3, \\\"zip, code\\\"]\"", "3 'zip, code'"},
        {"\"bl_drop\": [3, \"zip, code\"]", "3 'zip, code'"},
        /* quoted in a list it is a name, even of digits */
        {"\"bl_drop\": [\"2015\", 2016]", "'2015' 2016"},
        {"\"bl_drop\": \"['x', 'it\\\\'s']\"", "'x' 'it's'"},
        {"\"bl_drop\": \"\\u00e4\"", "'\xc3\xa4'"},
    };
    bl_folder folder;
    (void)state;
    folder_make(&folder);
    folder_channel(&folder, "train");
    for (size_t i = 0; i < BL_LEN(cases); i++) {
        bl_job *job = read_columns(&folder, cases[i].members);
        check_refs(&job->read.drop, cases[i].want);
        bli_job_free(job);
    }
    folder_remove(&folder);
}

static void test_columns_of_every_role_are_read(void **state)
{
    bl_folder folder;
    (void)state;
    folder_make(&folder);
    folder_channel(&folder, "train");
    bl_job *job = read_columns(
        &folder,
        "\"bl_label\": \"y1,y2\", \"bl_weight\": \"w, or weight\", \"bl_base_margin\": "
        "\"m1,m2\", \"bl_id\": 9, \"bl_header\": \"yes\", \"missing\": \"-999\", "
        "\"bl_missing_text\": \"?, none\", \"bl_unseen\": \"missing\", "
        "\"bl_feature_types\": \"q,c\", \"enable_categorical\": \"true\"");
    const bl_read_settings *s = &job->read;
    check_refs(&s->labels, "'y1' 'y2'");
    assert_true(s->has_weight);
    assert_string_equal(s->weight.name, "w, or weight");
    check_refs(&s->base_margins, "'m1' 'm2'");
    check_refs(&s->ids, "9");
    assert_int_equal(s->header, BL_HEADER_YES);
    assert_true(s->missing == -999.0F);
    assert_int_equal(s->missing_texts.n, 2);
    assert_string_equal(s->missing_texts.text[0], "?");
    assert_string_equal(s->missing_texts.text[1], "none");
    assert_true(s->missing_texts_given);
    assert_int_equal(s->unseen, BL_UNSEEN_MISSING);
    assert_int_equal(s->feature_types.n, 2);
    assert_true(s->enable_categorical);
    bli_job_free(job);

    job = read_columns(&folder,
                       "\"objective\": \"survival:aft\", \"bl_label_lower_bound\": "
                       "\"lo\", \"bl_label_upper_bound\": 1");
    assert_int_equal(job->read.labels.n, 0);
    assert_string_equal(job->read.lower.name, "lo");
    assert_int_equal(job->read.upper.index, 1);
    bli_job_free(job);

    job = read_columns(&folder, "\"csv_weights\": 1, \"bl_weight\": 1");
    assert_true(job->read.has_weight);
    assert_int_equal(job->read.weight.index, 1);
    bli_job_free(job);

    job = read_columns(&folder, "\"csv_weights\": \"1\"");
    assert_true(job->read.has_weight);
    assert_int_equal(job->read.weight.index, 1);
    assert_int_equal(job->read.missing_texts.n, 3);
    assert_string_equal(job->read.missing_texts.text[0], "NA");
    assert_false(job->read.missing_texts_given);
    assert_int_equal(job->read.header, BL_HEADER_AUTO);
    bli_job_free(job);

    job = read_columns(&folder, "\"bl_missing_text\": \"\"");
    assert_int_equal(job->read.missing_texts.n, 0);
    assert_true(job->read.missing_texts_given);
    bli_job_free(job);
    folder_remove(&folder);
}

static void test_columns_that_disagree_name_both_settings(void **state)
{
    static const bl_refusal cases[] = {
        {"\"bl_weight\": 0",
         "bl_label (default 0) and bl_weight both name column 0; a column has one use"},
        {"\"bl_label\": \"y\", \"bl_drop\": \"x,y\"",
         "bl_label and bl_drop both name column 'y'; a column has one use"},
        {"\"bl_label\": 1, \"csv_weights\": 1",
         "bl_label and csv_weights both name column 1"},
        {"\"bl_drop\": \"1,2,1\"", "bl_drop names column 1 twice"},
        {"\"bl_id\": \"a\", \"bl_drop\": \"a\"", "both name column 'a'"},
        {"\"csv_weights\": 1, \"bl_weight\": 2",
         "csv_weights is 1, which takes column 1 as weight, and bl_weight is '2': leave "
         "one out"},
        {"\"csv_weights\": 1, \"bl_weight\": \"w\"", "bl_weight is 'w': leave one out"},
        {"\"bl_label_lower_bound\": 0", "bl_label_lower_bound is given without "
                                        "bl_label_upper_bound; survival:aft needs both"},
        {"\"objective\": \"survival:aft\", \"bl_label_upper_bound\": 0",
         "bl_label_upper_bound is given without bl_label_lower_bound"},
        {"\"objective\": \"survival:aft\", \"bl_label\": 2, \"bl_label_lower_bound\": 0, "
         "\"bl_label_upper_bound\": 1",
         "bl_label and bl_label_lower_bound are both given"},
        {"\"objective\": \"survival:aft\"",
         "objective survival:aft needs bl_label_lower_bound and bl_label_upper_bound"},
        {"\"bl_label_lower_bound\": 0, \"bl_label_upper_bound\": 1",
         "are for objective survival:aft; the objective is reg:squarederror"},
        {"\"bl_label\": []", "bl_label names no column"},
        {"\"bl_label\": -1",
         "bl_label: item 1 is '-1'; accepted is columns by header name or "
         "index from 0"},
        {"\"bl_label\": 1.5", "bl_label: item 1 is '1.5'"},
        {"\"bl_label\": \"0,1.5\"", "bl_label: item 2 is '1.5'"},
        {"\"bl_label\": true", "bl_label is 'true'"},
        {"\"bl_label\": \"\"", "bl_label is empty"},
        {"\"bl_weight\": [1, 2]", "bl_weight names 2 columns; accepted is one"},
        {"\"bl_weight\": {\"a\": 1}", "bl_weight is an object; accepted is one column"},
        {"\"bl_feature_names\": \"a,b,a\"",
         "bl_feature_names holds 'a' twice; names must differ"},
        {"\"bl_feature_names\": \"a,b\", \"bl_feature_types\": \"q\"",
         "bl_feature_names holds 2 names and bl_feature_types 1 types; expected is one "
         "type for "
         "each name"},
        {"\"bl_feature_types\": \"q,c\", \"enable_categorical\": \"false\"",
         "bl_feature_types has a category (c) at position 1 and enable_categorical is "
         "false"},
        {"\"bl_header\": \"maybe\"",
         "bl_header is 'maybe'; accepted is one of auto, yes, no"},
        {"\"missing\": \"inf\"", "missing is 'inf'; accepted is a number"},
    };
    static const bl_acceptance accepted[] = {
        {"\"missing\": \"NaN\"", "missing", NULL},
        {"\"bl_label\": \"y\", \"bl_drop\": \"0\"", "bl_drop", NULL},
        {"\"csv_weights\": 0, \"bl_weight\": 2", "csv_weights", NULL},
    };
    (void)state;
    check_refusals(cases, BL_LEN(cases), TRAIN_ONLY);
    check_acceptances(accepted, BL_LEN(accepted), TRAIN_ONLY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_are_indices_where_numbers_else_names),
        cmocka_unit_test(test_columns_of_every_role_are_read),
        cmocka_unit_test(test_columns_that_disagree_name_both_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
