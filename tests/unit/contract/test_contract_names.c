/* SPDX-License-Identifier: Apache-2.0 */
/* Names of hyperparameters: known, unknown, gone, dead, ignored, given twice. */
#include "folder.h"

/* The built-in image's 53. */
static const char *const image[] = {
    "num_round",
    "csv_weights",
    "early_stopping_rounds",
    "booster",
    "verbosity",
    "nthread",
    "eta",
    "gamma",
    "max_depth",
    "min_child_weight",
    "max_delta_step",
    "subsample",
    "sampling_method",
    "colsample_bytree",
    "colsample_bylevel",
    "colsample_bynode",
    "lambda",
    "alpha",
    "tree_method",
    "sketch_eps",
    "scale_pos_weight",
    "updater",
    "dsplit",
    "refresh_leaf",
    "process_type",
    "grow_policy",
    "max_leaves",
    "max_bin",
    "predictor",
    "monotone_constraints",
    "interaction_constraints",
    "sample_type",
    "normalize_type",
    "rate_drop",
    "skip_drop",
    "one_drop",
    "lambda_bias",
    "tweedie_variance_power",
    "objective",
    "num_class",
    "base_score",
    "_kfold",
    "_num_cv_round",
    "_tuning_objective_metric",
    "eval_metric",
    "seed",
    "num_parallel_tree",
    "save_model_on_termination",
    "aft_loss_distribution",
    "aft_loss_distribution_scale",
    "deterministic_histogram",
    "prob_buffer_row",
    "use_dask_gpu_training",
    /* their aliases */
    "learning_rate",
    "min_split_loss",
    "reg_lambda",
    "reg_alpha",
    /* what XGBoost 3.4.1 documents beyond them */
    "device",
    "validate_parameters",
    "disable_default_eval_metric",
    "multi_strategy",
    "max_cached_hist_node",
    "max_cat_to_onehot",
    "max_cat_threshold",
    "feature_selector",
    "top_k",
    "seed_per_iteration",
    "huber_slope",
    "quantile_alpha",
    "expectile_alpha",
    "lambdarank_pair_method",
    "lambdarank_num_pair_per_sample",
    "lambdarank_normalization",
    "lambdarank_score_normalization",
    "lambdarank_unbiased",
    "lambdarank_bias_norm",
    "ndcg_exp_gain",
    "use_rmm",
    "use_cuda_async_pool",
    "missing",
    "enable_categorical",
    /* and ours */
    "bl_label",
    "bl_weight",
    "bl_group",
    "bl_base_margin",
    "bl_label_lower_bound",
    "bl_label_upper_bound",
    "bl_drop",
    "bl_id",
    "bl_feature_names",
    "bl_feature_types",
    "bl_header",
    "bl_missing_text",
    "bl_unseen",
    "bl_explain",
    "bl_explain_rows",
    "bl_explain_data",
    "bl_model_format",
    "bl_compress",
    "bl_preprocess",
    "bl_checkpoint_seconds",
    "bl_checkpoint_keep",
    "bl_checkpoint_foreign",
    "bl_isolation",
    "bl_require_encryption",
};

static bool in_table(const char *name)
{
    size_t n;
    const bl_param_def *def = bli_param_defs(&n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(def[i].name, name) == 0 ||
            (def[i].alias && strcmp(def[i].alias, name) == 0))
            return true;
    return false;
}

static void test_names_of_image_library_and_ours_are_all_in_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < BL_LEN(image); i++)
        CHECK(in_table(image[i]), "%s is missing", image[i]);
}

static void test_names_of_the_table_differ_and_each_has_help(void **state)
{
    size_t n;
    const bl_param_def *def = bli_param_defs(&n);
    (void)state;
    for (size_t i = 0; i < n; i++) {
        CHECK(def[i].help[0] && def[i].group[0], "%s", def[i].name);
        for (size_t j = 0; j < i; j++)
            CHECK(strcmp(def[i].name, def[j].name) != 0 &&
                      (!def[j].alias || strcmp(def[i].name, def[j].alias) != 0),
                  "%s stands twice", def[i].name);
    }
}

static void test_names_unknown_are_refused_with_the_nearest(void **state)
{
    static const bl_refusal cases[] = {
        /* amazon-sagemaker-examples#1740 */
        {"\"max-depth\": \"3\"", "hyperparameters.json: 'max-depth' is no "
                                 "hyperparameter: did you mean max_depth?"},
        {"\"Max_Depth\": \"3\"",
         "'Max_Depth' is no hyperparameter: did you mean max_depth?"},
        {"\"max.depth\": \"3\"", "did you mean max_depth?"},
        {"\"ETA\": \"0.1\"", "did you mean eta?"},
        {"\"learning-rate\": \"0.1\"", "did you mean learning_rate?"},
        {"\"early_stopping_round\": \"3\"", "did you mean early_stopping_rounds?"},
        {"\"n_estimators\": \"3\"", "'n_estimators' is no hyperparameter: did you mean "
                                    "num_round?"},
        {"\"num_estimators\": \"3\"", "'num_estimators' is no hyperparameter"},
        {"\"silent\": \"1\"", "XGBoost no longer has it; did you mean verbosity?"},
        {"\"gpu_id\": \"0\"", "there is no GPU in this build: leave it out"},
        {"\"bl_lable\": \"0\"", "did you mean bl_label?"},
        {"\"frobnicate_the_widgets\": \"1\"",
         "'frobnicate_the_widgets' is no hyperparameter and like none; `boostlens help "
         "train` "
         "lists them all"},
        {"\"\": \"1\"", "'' is no hyperparameter"},
        {"\"hello\": \"world\"", "'hello' is no hyperparameter"},
        {"\"a\\nb\": \"1\"", "'a?b' is no hyperparameter"},
    };
    (void)state;
    check_refusals(cases, BL_LEN(cases), TRAIN_ONLY);
}

static void test_names_gone_values_are_refused_with_the_nearest(void **state)
{
    static const bl_refusal cases[] = {
        {"\"tree_method\": \"gpu_hist\"",
         "tree_method is 'gpu_hist': there is no GPU in this build; the nearest is hist"},
        {"\"tree_method\": \"\\\"gpu_hist\\\"\"", "the nearest is hist"},
        {"\"updater\": \"distcol\"",
         "updater is 'distcol': XGBoost no longer has it; the nearest is grow_colmaker"},
        {"\"updater\": \"grow_skmaker,prune\"", "the nearest is grow_histmaker"},
        {"\"updater\": \"grow_colmaker, sync\"", "leave it out"},
        {"\"updater\": [\"grow_colmaker\", \"sync\"]", "updater is 'sync'"},
        {"\"updater\": \"grow_gpu_hist\"", "the nearest is grow_quantile_histmaker"},
        {"\"device\": \"cuda\"",
         "device is 'cuda': there is no GPU in this build; accepted is "
         "only cpu"},
        {"\"device\": \"gpu:0\"", "device is 'gpu:0': there is no GPU in this build"},
        {"\"device\": \"tpu\"", "device is 'tpu'"},
        {"\"use_dask_gpu_training\": \"true\"",
         "use_dask_gpu_training is true: there is no GPU in this build; accepted is only "
         "false"},
        {"\"use_rmm\": true", "use_rmm is true: there is no GPU in this build"},
        {"\"objective\": \"aft_loss_distribution\"", "the nearest is survival:aft"},
        {"\"sagemaker_program\": \"\\\"train.py\\\"\"",
         "sagemaker_program asks for a Python script: this image runs no user code"},
        {"\"sagemaker_submit_directory\": \"s3://b/source.tar.gz\"",
         "sagemaker_submit_directory asks for a Python script"},
        {"\"bl_preprocess\": [1]", "bl_preprocess is a list"},
        {"\"bl_isolation\": \"strict\"", "bl_isolation"},
        {"\"bl_require_encryption\": \"yes\"", "bl_require_encryption"},
        {"\"bl_checkpoint_foreign\": \"yes\"", "bl_checkpoint_foreign is 'yes'"},
    };
    (void)state;
    check_refusals(cases, BL_LEN(cases), TRAIN_ONLY);
}

static void test_names_dead_and_ignored_give_one_note(void **state)
{
    bl_folder folder;
    bl_job *job;
    bl_err err;
    (void)state;
    folder_make(&folder);
    folder_channel(&folder, "train");
    CHECK_OK(folder_read(
                 &folder,
                 "{\"num_round\": 3, \"sketch_eps\": \"0.03\", \"predictor\": "
                 "\"gpu_predictor\", \"dsplit\": \"row\", \"lambda_bias\": \"0\", "
                 "\"deterministic_histogram\": \"true\", \"prob_buffer_row\": \"1.0\", "
                 "\"use_dask_gpu_training\": \"false\", "
                 "\"single_precision_histogram\": \"false\", "
                 "\"sagemaker_job_name\": \"\\\"j\\\"\", \"sagemaker_region\": null, "
                 "\"sagemaker_program\": null, \"bl_require_encryption\": \"\"}",
                 TRAIN_ONLY, &job, &err),
             err);
    assert_string_equal(
        folder.notes,
        "note without effect in XGBoost 3.4: sketch_eps, predictor, dsplit, lambda_bias, "
        "deterministic_histogram, prob_buffer_row, use_dask_gpu_training, "
        "single_precision_histogram\n");
    assert_int_equal(job->n_xgboost, 0);
    bli_job_free(job);
    folder_remove(&folder);
}

/* sagemaker-xgboost-container#27 */
static void test_names_reg_linear_is_squared_error_with_one_note(void **state)
{
    static const char *const spellings[] = {"\"reg:linear\"", "\"\\\"reg:linear\\\"\""};
    bl_folder folder;
    (void)state;
    folder_make(&folder);
    folder_channel(&folder, "train");
    for (size_t i = 0; i < BL_LEN(spellings); i++) {
        char text[128];
        bl_job *job;
        bl_err err;
        snprintf(text, sizeof text, "{\"num_round\": 3, \"objective\": %s}",
                 spellings[i]);
        CHECK_OK(folder_read(&folder, text, TRAIN_ONLY, &job, &err), err);
        assert_string_equal(job->objective, "reg:squarederror");
        assert_string_equal(told(job, "objective"), "reg:squarederror");
        assert_string_equal(folder.notes, "note objective reg:linear is the old name of "
                                          "reg:squarederror and taken as it\n");
        bli_job_free(job);
    }
    folder_remove(&folder);
}

static void test_names_given_twice_must_agree(void **state)
{
    static const bl_refusal refused[] = {
        {"\"eta\": \"0.1\", \"learning_rate\": \"0.2\"",
         "eta is '0.1' and learning_rate is '0.2', but they are one setting: leave one "
         "out"},
        {"\"reg_alpha\": \"1\", \"alpha\": \"2\"", "reg_alpha is '1' and alpha is '2'"},
        {"\"nthread\": \"1\", \"n_jobs\": \"2\"", "nthread is '1' and n_jobs is '2'"},
        {"\"eta\": \"0.1\", \"eta\": \"0.1\"", "no valid JSON: duplicate object key"},
    };
    static const bl_acceptance accepted[] = {
        {"\"eta\": \"0.10\", \"learning_rate\": 0.1", "eta", "0.1"},
        {"\"lambda\": \"1\", \"reg_lambda\": \"1.0\"", "lambda", "1.0"},
    };
    (void)state;
    check_refusals(refused, BL_LEN(refused), TRAIN_ONLY);
    check_acceptances(accepted, BL_LEN(accepted), TRAIN_ONLY);
}

static void test_names_beyond_the_limit_are_refused(void **state)
{
    bl_folder folder;
    bl_job *job;
    bl_err err;
    bl_buf text = {0};
    (void)state;
    folder_make(&folder);
    folder_channel(&folder, "train");
    bli_buf_text(&text, "{\"num_round\": 3");
    for (int i = 0; i < 999; i++)
        bli_buf_printf(&text, ", \"sagemaker_%d\": \"\"", i);
    bli_buf_char(&text, '}');
    assert_false(text.failed);
    CHECK_OK(folder_read(&folder, text.data, TRAIN_ONLY, &job, &err), err);
    bli_job_free(job);
    text.n--;
    bli_buf_text(&text, ", \"sagemaker_more\": \"\"}");
    assert_false(text.failed);
    CHECK_FAILS(
        folder_read(&folder, text.data, TRAIN_ONLY, &job, &err), BL_E_LIMIT, err,
        "hyperparameters.json: the file holds 1001 names; at most 1000 are accepted");
    bli_buf_done(&text);
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_of_image_library_and_ours_are_all_in_the_table),
        cmocka_unit_test(test_names_of_the_table_differ_and_each_has_help),
        cmocka_unit_test(test_names_unknown_are_refused_with_the_nearest),
        cmocka_unit_test(test_names_gone_values_are_refused_with_the_nearest),
        cmocka_unit_test(test_names_dead_and_ignored_give_one_note),
        cmocka_unit_test(test_names_reg_linear_is_squared_error_with_one_note),
        cmocka_unit_test(test_names_given_twice_must_agree),
        cmocka_unit_test(test_names_beyond_the_limit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
