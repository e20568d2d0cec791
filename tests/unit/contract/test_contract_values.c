/* SPDX-License-Identifier: Apache-2.0 */
/* The dialects hyperparameters come in, and each type's values. */
#include "folder.h"

#include <locale.h>

/* sagemaker-python-sdk#5317, #3487: plain where JSON was awaited, and encoded twice. */
static void test_values_plain_and_double_encoded_are_the_same(void **state)
{
    static const bl_acceptance cases[] = {
        {"\"objective\": \"reg:squarederror\"", "objective", "reg:squarederror"},
        {"\"objective\": \"\\\"reg:squarederror\\\"\"", "objective", "reg:squarederror"},
        {"\"max_depth\": 7", "max_depth", "7"},
        {"\"max_depth\": \"7\"", "max_depth", "7"},
        {"\"max_depth\": \"\\\"7\\\"\"", "max_depth", "7"},
        {"\"max_depth\": \" 5 \"", "max_depth", "5"},
        {"\"max_depth\": \"5.0\"", "max_depth", "5"},
        {"\"max_depth\": 5.0", "max_depth", "5"},
        {"\"max_depth\": \"1e1\"", "max_depth", "10"},
        {"\"max_depth\": \"+4\"", "max_depth", "4"},
        {"\"eta\": 0.1", "eta", "0.1"},
        {"\"eta\": \"0.10\"", "eta", "0.1"},
        {"\"eta\": \"1\"", "eta", "1.0"},
        {"\"eta\": \"1e-5\"", "eta", "1e-05"},
        {"\"seed\": 9223372036854775807", "seed", "9223372036854775807"},
        {"\"seed\": \"-1\"", "seed", "-1"},
        {"\"seed_per_iteration\": true", "seed_per_iteration", "true"},
        {"\"seed_per_iteration\": \"True\"", "seed_per_iteration", "true"},
        {"\"seed_per_iteration\": \"1\"", "seed_per_iteration", "true"},
        {"\"refresh_leaf\": 0, \"updater\": \"grow_histmaker,refresh\"", "refresh_leaf",
         "false"},
        {"\"one_drop\": \"no\"", "one_drop", "false"},
        {"\"tree_method\": \"Hist\"", "tree_method", "hist"},
        {"\"reg_lambda\": \"2\"", "lambda", "2.0"},
        {"\"learning_rate\": \"0.5\"", "eta", "0.5"},
        {"\"random_state\": \"5\"", "seed", "5"},
    };
    (void)state;
    check_acceptances(cases, BL_LEN(cases), TRAIN_ONLY);
}

static void test_values_lists_are_read_however_they_are_written(void **state)
{
    static const bl_acceptance cases[] = {
        {"\"monotone_constraints\": \"(1,-1)\"", "monotone_constraints", "(1,-1)"},
        {"\"monotone_constraints\": \"(1, 0, -1)\"", "monotone_constraints", "(1,0,-1)"},
        {"\"monotone_constraints\": \"(1,)\"", "monotone_constraints", "(1,)"},
        {"\"monotone_constraints\": \"(1)\"", "monotone_constraints", "(1,)"},
        {"\"monotone_constraints\": \"1\"", "monotone_constraints", "(1,)"},
        {"\"monotone_constraints\": \"1,0\"", "monotone_constraints", "(1,0)"},
        {"\"monotone_constraints\": \"[1, -1]\"", "monotone_constraints", "(1,-1)"},
        {"\"monotone_constraints\": [1, -1]", "monotone_constraints", "(1,-1)"},
        {"\"monotone_constraints\": \"\\\"(1,-1)\\\"\"", "monotone_constraints",
         "(1,-1)"},
        {"\"monotone_constraints\": {\"b\": -1}, \"bl_feature_names\": \"a,b,c\"",
         "monotone_constraints", "(0,-1,0)"},
        {"\"monotone_constraints\": \"{'b': -1, 'c': 1}\", \"bl_feature_names\": "
         "\"a,b,c\"",
         "monotone_constraints", "(0,-1,1)"},
        {"\"interaction_constraints\": \"[[0, 1], [2,3,4]]\"", "interaction_constraints",
         "[[0, 1], [2, 3, 4]]"},
        {"\"interaction_constraints\": \"[[1,2,4],[3,5]]\"", "interaction_constraints",
         "[[1, 2, 4], [3, 5]]"},
        {"\"interaction_constraints\": [[0], [1]]", "interaction_constraints",
         "[[0], [1]]"},
        {"\"interaction_constraints\": \"((0, 1), (2,))\"", "interaction_constraints",
         "[[0, 1], [2]]"},
        {"\"interaction_constraints\": \"[['a','c'],['b']]\", \"bl_feature_names\": "
         "\"a,b,c\"",
         "interaction_constraints", "[[0, 2], [1]]"},
        {"\"objective\": \"reg:quantileerror\", \"quantile_alpha\": \"0.5\"",
         "quantile_alpha", "0.5"},
        {"\"objective\": \"reg:quantileerror\", \"quantile_alpha\": 0.5",
         "quantile_alpha", "0.5"},
        /* XGBoost itself reads this text as 0.1 alone, silently. */
        {"\"objective\": \"reg:quantileerror\", \"quantile_alpha\": \"0.1,0.9\"",
         "quantile_alpha", "[0.1,0.9]"},
        {"\"objective\": \"reg:quantileerror\", \"quantile_alpha\": \"(0.1, 0.9)\"",
         "quantile_alpha", "[0.1,0.9]"},
        {"\"objective\": \"reg:expectileerror\", \"expectile_alpha\": [0.1, 0.5, 1]",
         "expectile_alpha", "[0.1,0.5,1.0]"},
        {"\"objective\": \"multi:softprob\", \"num_class\": 3, \"base_score\": "
         "\"[0.1,0.2,0.3]\"",
         "base_score", "[0.1,0.2,0.3]"},
        {"\"base_score\": \".5\"", "base_score", "0.5"},
        {"\"base_score\": \"[+.25]\"", "base_score", "0.25"},
        {"\"base_score\": \"1.\"", "base_score", "1.0"},
        {"\"monotone_constraints\": \"(+1, -1)\"", "monotone_constraints", "(1,-1)"},
        {"\"interaction_constraints\": \"[0, 1], [2]\"", "interaction_constraints",
         "[[0, 1], [2]]"},
        {"\"updater\": \"grow_colmaker, prune\"", "updater", "grow_colmaker,prune"},
        {"\"updater\": [\"grow_colmaker\", \"prune\"]", "updater", "grow_colmaker,prune"},
        {"\"updater\": \"['grow_colmaker', 'prune']\"", "updater", "grow_colmaker,prune"},
    };
    (void)state;
    check_acceptances(cases, BL_LEN(cases), TRAIN_ONLY);
}

static void test_values_that_are_wrong_say_what_is_accepted(void **state)
{
    static const bl_refusal cases[] = {
        {"\"eta\": \"1.01\"",
         "hyperparameters.json: eta is '1.01'; accepted is a number, 0 to 1"},
        {"\"eta\": \"-0.1\"", "eta is '-0.1'; accepted is a number, 0 to 1"},
        {"\"learning_rate\": \"2\"",
         "learning_rate is '2'; accepted is a number, 0 to 1"},
        {"\"eta\": \"nan\"", "eta is 'nan'; accepted is a number, 0 to 1"},
        {"\"gamma\": \"inf\"", "gamma is 'inf'; accepted is a number, 0 or more"},
        {"\"gamma\": \"1e39\"", "gamma is '1e39', which a float32 does not hold"},
        {"\"gamma\": \"1e-50\"", "gamma is '1e-50', which a float32 does not hold"},
        {"\"gamma\": \"1e999\"", "gamma is '1e999'; accepted is a number"},
        {"\"eta\": \"0x1\"", "eta is '0x1'; accepted is a number, 0 to 1"},
        {"\"eta\": \"0,1\"", "eta is '0,1'; accepted is a number, 0 to 1"},
        {"\"eta\": \"fast\"", "eta is 'fast'; accepted is a number, 0 to 1"},
        {"\"eta\": \"\"", "eta is empty; accepted is a number, 0 to 1"},
        {"\"eta\": [0.1]", "eta is a list; accepted is a number, 0 to 1"},
        {"\"eta\": {\"a\": {\"b\": 1}}",
         "eta is an object; accepted is a number, 0 to 1"},
        {"\"eta\": true", "eta is 'true'; accepted is a number"},
        {"\"subsample\": \"0\"",
         "subsample is '0'; accepted is a number, above 0, at most 1"},
        {"\"max_depth\": \"5.5\"",
         "max_depth is '5.5'; accepted is a whole number, 0 or more"},
        {"\"max_depth\": \"-1\"",
         "max_depth is '-1'; accepted is a whole number, 0 or more"},
        {"\"max_depth\": \"1_000\"", "max_depth is '1_000'; accepted is a whole number"},
        {"\"max_depth\": \"2147483648\"",
         "max_depth is '2147483648'; accepted is a whole number, 0 or more (below 2^31)"},
        {"\"seed\": \"9223372036854775808\"",
         "seed is '9223372036854775808'; accepted is a "
         "whole number"},
        {"\"verbosity\": \"4\"", "verbosity is '4'; accepted is a whole number, 0 to 3"},
        {"\"verbosity\": \"0.5\"",
         "verbosity is '0.5'; accepted is a whole number, 0 to 3"},
        {"\"save_model_on_termination\": \"maybe\"",
         "save_model_on_termination is 'maybe'; accepted is true or false"},
        {"\"tweedie_variance_power\": \"2\"",
         "tweedie_variance_power is '2'; accepted is a number, between 1 and 2, neither "
         "included"},
        /* 2.0 once it is a float32 */
        {"\"tweedie_variance_power\": \"1.99999999\"",
         "tweedie_variance_power is '1.99999999', which a float32 does not hold"},
        {"\"booster\": \"1\"",
         "booster is '1'; accepted is one of gbtree, gblinear, dart"},
        {"\"booster\": \"gbtre\"",
         "booster is 'gbtre' (did you mean 'gbtree'?); accepted is "
         "one of"},
        {"\"objective\": \"binary:logstic\"", "(did you mean 'binary:logistic'?)"},
        {"\"grow_policy\": \"0.01\"", "accepted is one of depthwise, lossguide"},
        {"\"monotone_constraints\": \"(2,0)\"",
         "monotone_constraints: item 1 is '2'; accepted is -1, 0 or 1 for each feature"},
        {"\"monotone_constraints\": \"__import__('os').system('true')\"",
         "monotone_constraints: item 1 is '__import__('os').system('true')'; accepted is "
         "-1, 0 or 1"},
        {"\"monotone_constraints\": \"(1,0.5)\"",
         "monotone_constraints: item 2 is '0.5'"},
        {"\"monotone_constraints\": {\"a\": 1}",
         "monotone_constraints names feature 'a'; names need bl_feature_names"},
        {"\"monotone_constraints\": {\"al\": 1}, \"bl_feature_names\": \"ab,c\"",
         "monotone_constraints names feature 'al', which bl_feature_names has not: did "
         "you "
         "mean 'ab'?"},
        {"\"monotone_constraints\": \"(1,1,1)\", \"bl_feature_names\": \"a,b\"",
         "monotone_constraints holds 3 items and bl_feature_names 2 names"},
        {"\"interaction_constraints\": \"[0,1]\"",
         "interaction_constraints: item 1 is '0'; accepted is lists of features in a "
         "list"},
        {"\"interaction_constraints\": \"[[-1]]\"",
         "interaction_constraints: item 1 is '-1'"},
        {"\"interaction_constraints\": \"[[0.5]]\"",
         "interaction_constraints: item 1 is '0.5'"},
        {"\"interaction_constraints\": \"[[0],[\"",
         "interaction_constraints is '[[0],['; "
         "accepted is lists of features"},
        {"\"interaction_constraints\": \"[[0,9]]\", \"bl_feature_names\": \"a,b\"",
         "interaction_constraints names feature 9; bl_feature_names has 2 names, so "
         "indices go "
         "from 0 to 1"},
        {"\"interaction_constraints\": [[[0]]]",
         "interaction_constraints: item 1 is a list"},
        {"\"objective\": \"reg:quantileerror\", \"quantile_alpha\": \"0.5,1.1\"",
         "quantile_alpha is '1.1'; accepted is one or more numbers, as 0.1 or [0.1, "
         "0.9], "
         "each, 0 to 1"},
        {"\"objective\": \"reg:quantileerror\", \"quantile_alpha\": \"[null]\"",
         "quantile_alpha: item 1 is null"},
        {"\"bl_feature_names\": \"a,,b\"",
         "bl_feature_names: item 2 is empty; accepted is a "
         "list"},
        {"\"bl_feature_names\": \"a,b,\"",
         "bl_feature_names is 'a,b,'; accepted is a list"},
        {"\"bl_feature_names\": [\"a\", {\"b\": 1}]",
         "bl_feature_names: item 2 is an object"},
        {"\"bl_feature_types\": \"q,x\"", "bl_feature_types is 'x'"},
    };
    (void)state;
    check_refusals(cases, BL_LEN(cases), TRAIN_ONLY);
}

static void test_values_null_is_not_given_and_said_once(void **state)
{
    bl_folder folder;
    bl_job *job;
    bl_err err;
    (void)state;
    folder_make(&folder);
    folder_channel(&folder, "train");
    CHECK_OK(folder_read(&folder,
                         "{\"num_round\": 3, \"eta\": null, \"num_class\": \"null\", "
                         "\"gamma\": \"None\", \"objective\": null, \"bl_label\": null}",
                         TRAIN_ONLY, &job, &err),
             err);
    assert_string_equal(
        folder.notes, "note null, taken as not given: eta, num_class, gamma, objective, "
                      "bl_label\n");
    assert_int_equal(job->n_xgboost, 0);
    assert_int_equal(job->n_params, 1);
    assert_string_equal(job->objective, "reg:squarederror");
    bli_job_free(job);

    /* For cell texts it is a text like any other. */
    CHECK_OK(folder_read(&folder, "{\"num_round\": 3, \"bl_missing_text\": \"null\"}",
                         TRAIN_ONLY, &job, &err),
             err);
    assert_int_equal(job->read.missing_texts.n, 1);
    assert_string_equal(job->read.missing_texts.text[0], "null");
    bli_job_free(job);
    folder_remove(&folder);
}

/* Sets a locale that writes 0,1 for 0.1: an installed one, or one made in folder. */
static bool set_comma_locale(const char *folder)
{
    static const char *const names[] = {"pt_BR.UTF-8", "de_DE.UTF-8", "ru_RU.UTF-8"};
    char command[256];
    for (size_t i = 0; i < BL_LEN(names); i++)
        if (setlocale(LC_ALL, names[i]))
            return true;
    snprintf(command, sizeof command,
             "localedef -i pt_BR -f UTF-8 --no-archive %s/pt_BR.UTF-8 >%s/out 2>&1",
             folder, folder);
    if (system(command) != 0)
        return false;
    setenv("LOCPATH", folder, 1);
    return setlocale(LC_ALL, "pt_BR.UTF-8") != NULL;
}

/* PicNet/XGBoost.Net#7, topepo/caret#1251: the host writes numbers with a comma. */
static void test_values_do_not_depend_on_the_locale(void **state)
{
    static const bl_acceptance cases[] = {
        {"\"eta\": \"0.1\"", "eta", "0.1"},
        {"\"eta\": 0.1", "eta", "0.1"},
        {"\"base_score\": \"0.5\"", "base_score", "0.5"},
        {"\"base_score\": [0.5]", "base_score", "0.5"},
    };
    bl_folder folder;
    (void)state;
    folder_make(&folder);
    if (!set_comma_locale(folder.root)) {
        folder_remove(&folder);
        SKIP("no locale with a decimal comma, and localedef cannot make one");
    }
    assert_string_equal(localeconv()->decimal_point, ",");
    check_acceptances(cases, BL_LEN(cases), TRAIN_ONLY);
    folder_remove(&folder);
    setlocale(LC_ALL, "C");
}

static const struct {
    const char *file, *text, *setting, *says; /* says NULL: accepted */
} at_cases[] = {
    {"names.txt",
     "\xef\xbb\xbf"
     "alpha\r\nbeta, too\n\n  gamma  \n",
     "bl_feature_names", NULL},
    {"names.json", " [\"alpha\", \"beta, too\", \"gamma\"]\n", "bl_feature_names", NULL},
    {"sub/names.json", "[\"alpha\", \"beta, too\", \"gamma\"]", "bl_feature_names", NULL},
    {"broken.json", "[\"alpha\", \n\"be", "bl_feature_names",
     "bl_feature_names: '@broken.json' in channel 'config': line 2, column"},
    {"object.json", "{\"a\": 1}", "bl_feature_names", "bl_feature_names is an object"},
    {"empty.txt", "", "bl_label", "bl_label names no column"},
};

static void test_values_at_name_is_read_from_channel_config(void **state)
{
    bl_folder folder;
    bl_err err;
    (void)state;
    folder_make(&folder);
    folder_channel(&folder, "train");
    folder_channel(&folder, "config");
    for (size_t i = 0; i < BL_LEN(at_cases); i++) {
        char below[128], text[256];
        bl_job *job = NULL;
        snprintf(below, sizeof below, "input/data/config/%s", at_cases[i].file);
        folder_write(&folder, below, at_cases[i].text);
        snprintf(text, sizeof text, "{\"num_round\": 3, \"%s\": \"@%s\"}",
                 at_cases[i].setting, at_cases[i].file);
        bl_status st = folder_read(&folder, text, TRAIN_ONLY, &job, &err);
        if (at_cases[i].says) {
            CHECK_FAILS(st, BL_E_CONFIG, err, at_cases[i].says);
            continue;
        }
        CHECK_OK(st, err);
        assert_int_equal(job->read.feature_names.n, 3);
        assert_string_equal(job->read.feature_names.text[0], "alpha");
        assert_string_equal(job->read.feature_names.text[1], "beta, too");
        assert_string_equal(job->read.feature_names.text[2], "gamma");
        bli_job_free(job);
    }
    folder_remove(&folder);
}

static void test_values_at_name_serves_numbers_and_columns_too(void **state)
{
    bl_folder folder;
    bl_job *job;
    bl_err err;
    (void)state;
    folder_make(&folder);
    folder_channel(&folder, "train");
    folder_write(&folder, "input/data/config/eta.txt", " 0.25 \n");
    folder_write(&folder, "input/data/config/drop.txt", "7\nzip code\n");
    folder_write(&folder, "input/data/config/two.txt", "1\n2\n");
    CHECK_OK(folder_read(&folder,
                         "{\"num_round\": 3, \"eta\": \"\\\"@eta.txt\\\"\", "
                         "\"bl_drop\": \"@drop.txt\"}",
                         TRAIN_ONLY, &job, &err),
             err);
    assert_string_equal(told(job, "eta"), "0.25");
    assert_int_equal(job->read.drop.n, 2);
    assert_int_equal(job->read.drop.ref[0].index, 7);
    assert_string_equal(job->read.drop.ref[1].name, "zip code");
    bli_job_free(job);
    CHECK_FAILS(folder_read(&folder, "{\"num_round\": 3, \"eta\": \"@two.txt\"}",
                            TRAIN_ONLY, &job, &err),
                BL_E_CONFIG, err, "eta: '@two.txt' must hold one line");
    folder_remove(&folder);
}

static void test_values_at_name_stays_inside_the_job(void **state)
{
    bl_folder folder;
    bl_job *job = NULL;
    bl_err err;
    char link[256];
    (void)state;
    folder_make(&folder);
    folder_channel(&folder, "train");
    folder_channel(&folder, "config");
    snprintf(link, sizeof link, "%s/input/data/config/passwd", folder.root);
    assert_int_equal(symlink("/etc/passwd", link), 0);
    CHECK_FAILS(folder_read(&folder, "{\"num_round\": 3, \"bl_drop\": \"@passwd\"}",
                            TRAIN_ONLY, &job, &err),
                BL_E_CONFIG, err,
                "bl_drop: '@passwd' is no ordinary file inside the job's folder");
    CHECK_FAILS(folder_read(&folder, "{\"num_round\": 3, \"bl_drop\": \"@../../x\"}",
                            TRAIN_ONLY, &job, &err),
                BL_E_CONFIG, err,
                "bl_drop: '@../../x' names no file: write @ and the name");
    CHECK_FAILS(folder_read(&folder, "{\"num_round\": 3, \"bl_drop\": \"@/etc/passwd\"}",
                            TRAIN_ONLY, &job, &err),
                BL_E_CONFIG, err,
                "bl_drop: '@/etc/passwd' names no file: write @ and the name");
    CHECK_FAILS(folder_read(&folder, "{\"num_round\": 3, \"bl_drop\": \"@gone.txt\"}",
                            TRAIN_ONLY, &job, &err),
                BL_E_CONFIG, err,
                "bl_drop: '@gone.txt': there is no such file in channel 'config'");
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_plain_and_double_encoded_are_the_same),
        cmocka_unit_test(test_values_lists_are_read_however_they_are_written),
        cmocka_unit_test(test_values_that_are_wrong_say_what_is_accepted),
        cmocka_unit_test(test_values_null_is_not_given_and_said_once),
        cmocka_unit_test(test_values_do_not_depend_on_the_locale),
        cmocka_unit_test(test_values_at_name_is_read_from_channel_config),
        cmocka_unit_test(test_values_at_name_serves_numbers_and_columns_too),
        cmocka_unit_test(test_values_at_name_stays_inside_the_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
