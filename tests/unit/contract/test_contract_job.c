/* SPDX-License-Identifier: Apache-2.0 */
/* Whole jobs: from the files of a folder to what the rooms below are given. */
#include "folder.h"

#include "base/limits.h"

static const char credit[] =
    "{\"num_round\": \"100\", \"max_depth\": \"5\", \"eta\": \"0.2\", \"gamma\": \"4\","
    " \"min_child_weight\": \"6\", \"subsample\": \"1\", \"base_score\": \"0.5\","
    " \"objective\": \"binary:logistic\", \"eval_metric\": \"auc, logloss\","
    " \"tree_method\": \"hist\", \"early_stopping_rounds\": \"10\","
    " \"bl_feature_names\": \"a,b\", \"_tuning_objective_metric\": \"validation:f1\","
    " \"sagemaker_region\": \"\\\"eu-west-1\\\"\"}";

static void test_job_of_the_main_use_is_read_whole(void **state)
{
    bl_folder folder;
    bl_job *job;
    bl_err err;
    (void)state;
    folder_make(&folder);
    folder_channel(&folder, "train");
    folder_channel(&folder, "validation");
    folder_write(&folder, "input/config/resourceconfig.json",
                 "{\"current_host\":\"algo-1\",\"hosts\":[\"algo-1\"],"
                 "\"network_interface_name\":\"eth0\"}");
    CHECK_OK(folder_read(&folder, credit, TRAIN_AND_VALIDATION, &job, &err), err);
    assert_int_equal(job->num_round, 100);
    assert_int_equal(job->early_stopping_rounds, 10);
    assert_string_equal(job->objective, "binary:logistic");
    assert_string_equal(job->tree_method, "hist");
    assert_string_equal(job->booster, "gbtree");
    assert_int_equal(job->n_metrics, 3);
    assert_string_equal(job->metrics[0].name, "auc");
    assert_string_equal(job->metrics[1].name, "logloss");
    assert_string_equal(job->metrics[2].name, "f1");
    assert_int_equal(job->metrics[2].maker, BL_METRIC_CUSTOM);
    assert_string_equal(job->early_stopping_metric, "f1");
    assert_int_equal(job->read.labels.n, 1);
    assert_null(job->read.labels.ref[0].name);
    assert_int_equal(job->read.labels.ref[0].index, 0);
    assert_int_equal(job->read.feature_names.n, 2);
    assert_true(isnan(job->read.missing));
    assert_true(job->channels[BL_CHANNEL_TRAIN].present);
    assert_true(job->channels[BL_CHANNEL_VALIDATION].present);
    assert_false(job->channels[BL_CHANNEL_TEST].present);
    assert_int_equal(job->channels[BL_CHANNEL_TRAIN].content, BL_CONTENT_CSV);
    assert_int_equal(job->n_hosts, 1);
    assert_int_equal(job->explain, BL_EXPLAIN_TRAIN);
    assert_true(job->explain_data && job->portable_model && job->compress);
    assert_false(job->save_model_on_termination);
    assert_null(job->checkpoint_dir);

    /* Told in the table's order, what was given alone, without what is ours. */
    static const char *const names[] = {"objective", "base_score", "eta",
                                        "gamma",     "max_depth",  "min_child_weight",
                                        "subsample", "tree_method"};
    static const char *const texts[] = {
        "binary:logistic", "0.5", "0.2", "4.0", "5", "6.0", "1.0", "hist"};
    assert_int_equal(job->n_xgboost, BL_LEN(names));
    for (size_t i = 0; i < BL_LEN(names); i++) {
        assert_string_equal(job->xgboost_names[i], names[i]);
        assert_string_equal(job->xgboost_texts[i], texts[i]);
    }
    assert_string_equal(bli_job_param(job, "eta"), "0.2");
    assert_string_equal(bli_job_param(job, "learning_rate"), "0.2");
    assert_string_equal(bli_job_param(job, "max_bin"), "256");
    assert_null(bli_job_param(job, "num_class"));
    for (size_t i = 1; i < job->n_params; i++)
        assert_true(strcmp(job->params[i - 1].def->name, job->params[i].def->name) < 0);
    bli_job_free(job);
    folder_remove(&folder);
}

/* A job of the built-in image with everything that can stand together, as the platform writes it:
 * all text. */
static const char image_job[] =
    "{\"num_round\": \"20\", \"csv_weights\": \"0\", \"early_stopping_rounds\": \"5\","
    " \"booster\": \"dart\", \"verbosity\": \"1\", \"nthread\": \"2\", \"eta\": \"0.3\","
    " \"gamma\": \"0.1\", \"max_depth\": \"6\", \"min_child_weight\": \"1\","
    " \"max_delta_step\": \"0\", \"subsample\": \"0.7\", \"sampling_method\": "
    "\"uniform\","
    " \"colsample_bytree\": \"0.8\", \"colsample_bylevel\": \"0.9\","
    " \"colsample_bynode\": \"1\", \"lambda\": \"1\", \"alpha\": \"0\","
    " \"tree_method\": \"hist\", \"sketch_eps\": \"0.03\", \"scale_pos_weight\": \"1\","
    " \"updater\": \"grow_quantile_histmaker,refresh,prune\", \"dsplit\": \"row\","
    " \"refresh_leaf\": \"1\", \"process_type\": \"default\","
    " \"grow_policy\": \"lossguide\", \"max_leaves\": \"31\", \"max_bin\": \"128\","
    " \"predictor\": \"cpu_predictor\", \"monotone_constraints\": \"(1,0)\","
    " \"interaction_constraints\": \"[[1,2,4],[3,5]]\", \"sample_type\": \"uniform\","
    " \"normalize_type\": \"tree\", \"rate_drop\": \"0.1\", \"skip_drop\": \"0.2\","
    " \"one_drop\": \"0\", \"lambda_bias\": \"0\", \"objective\": \"binary:logistic\","
    " \"base_score\": \"0.5\", \"_kfold\": \"5\", \"_num_cv_round\": \"2\","
    " \"_tuning_objective_metric\": \"validation:auc\", \"eval_metric\": \"error,auc\","
    " \"seed\": \"1\", \"num_parallel_tree\": \"1\","
    " \"save_model_on_termination\": \"true\", \"deterministic_histogram\": \"true\","
    " \"prob_buffer_row\": \"2\", \"use_dask_gpu_training\": \"false\"}";

static void test_job_of_the_image_with_everything_is_read(void **state)
{
    bl_folder folder;
    bl_job *job;
    bl_err err;
    (void)state;
    folder_make(&folder);
    folder_channel(&folder, "train");
    folder_channel(&folder, "validation");
    CHECK_OK(folder_read(&folder, image_job, TRAIN_AND_VALIDATION, &job, &err), err);
    assert_int_equal(job->n_params, 49);
    assert_int_equal(job->n_xgboost, 33);
    assert_int_equal(job->kfold, 5);
    assert_int_equal(job->num_cv_round, 2);
    assert_int_equal(job->nthread, 2);
    assert_int_equal(job->seed, 1);
    assert_int_equal(job->max_bin, 128);
    assert_true(job->save_model_on_termination);
    assert_string_equal(job->early_stopping_metric, "auc");
    assert_string_equal(
        folder.notes,
        "note without effect in XGBoost 3.4: sketch_eps, dsplit, predictor, "
        "lambda_bias, deterministic_histogram, prob_buffer_row, "
        "use_dask_gpu_training\n");
    bli_job_free(job);
    folder_remove(&folder);
}

/* Rooms below compare these texts, so each meaning has one. */
static void test_job_parameter_texts_are_canonical(void **state)
{
    static const struct {
        const char *member, *name, *text;
    } cases[] = {
        {"\"tree_method\": \"\\\"HIST\\\"\"", "tree_method", "hist"},
        {"\"colsample_bynode\": \" 1 \"", "colsample_bynode", "1.0"},
        {"\"max_depth\": 0.0", "max_depth", "0"},
        {"\"ndcg_exp_gain\": \"False\"", "ndcg_exp_gain", "false"},
        {"\"updater\": \"['grow_colmaker', 'prune']\"", "updater", "grow_colmaker,prune"},
        {"\"objective\": \"reg:linear\"", "objective", "reg:squarederror"},
        {"\"bl_header\": \"YES\"", "bl_header", "yes"},
        {"\"bl_drop\": \"@drop.txt\"", "bl_drop", "[4, \"zip code\"]"},
        {"\"bl_drop\": \"4, zip code\"", "bl_drop", "4, zip code"},
        {"\"objective\": \"reg:quantileerror\", \"quantile_alpha\": \"(0.10, .9)\"",
         "quantile_alpha", "[0.1,0.9]"},
    };
    bl_folder folder;
    (void)state;
    folder_make(&folder);
    folder_channel(&folder, "train");
    folder_write(&folder, "input/data/config/drop.txt", "4\nzip code\n");
    for (size_t i = 0; i < BL_LEN(cases); i++) {
        char text[256];
        bl_job *job;
        bl_err err;
        snprintf(text, sizeof text, "{\"num_round\": 3, %s}", cases[i].member);
        CHECK_OK(folder_read(&folder, text, TRAIN_ONLY, &job, &err), err);
        const char *got = bli_job_param(job, cases[i].name);
        CHECK(got && strcmp(got, cases[i].text) == 0, "%s: '%s'", cases[i].member, got);
        bli_job_free(job);
    }
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_job_of_the_main_use_is_read_whole),
        cmocka_unit_test(test_job_of_the_image_with_everything_is_read),
        cmocka_unit_test(test_job_parameter_texts_are_canonical),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
