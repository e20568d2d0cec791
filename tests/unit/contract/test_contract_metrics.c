/* SPDX-License-Identifier: Apache-2.0 */
/* Metric names, their direction, their order in a job, and which objective they fit. */
#include "folder.h"

static void test_metrics_direction_follows_the_name_before_its_suffix(void **state)
{
    static const char *const up[] = {
        "auc", "aucpr", "map", "ndcg", "pre", "ams@0.15", "accuracy", "balanced_accuracy",
        "f1", "f1_binary", "f1_macro", "precision", "precision_macro", "precision_micro",
        "r2", "recall", "recall_macro", "recall_micro", "interval-regression-accuracy",
        /* dmlc/xgboost#3397, #2704: the minus is part of the name */
        "ndcg@5", "ndcg@60-", "map@3", "map@10-", "ndcg-", "map-", "pre@2"};
    static const char *const down[] = {"rmse",
                                       "rmsle",
                                       "mae",
                                       "mape",
                                       "mphe",
                                       "logloss",
                                       "error",
                                       "error@0.7",
                                       "merror",
                                       "mlogloss",
                                       "poisson-nloglik",
                                       "gamma-nloglik",
                                       "gamma-deviance",
                                       "cox-nloglik",
                                       "tweedie-nloglik@1.5",
                                       "aft-nloglik",
                                       "quantile",
                                       "expectile",
                                       "mse",
                                       "no-such-metric",
                                       "mapping",
                                       "auction"};
    (void)state;
    for (size_t i = 0; i < BL_LEN(up); i++)
        CHECK(bli_metric_is_maximised(up[i]), "%s", up[i]);
    for (size_t i = 0; i < BL_LEN(down); i++)
        CHECK(!bli_metric_is_maximised(down[i]), "%s", down[i]);
}

static void test_metrics_custom_are_those_xgboost_has_not(void **state)
{
    static const char *const ours[] = {"accuracy",
                                       "balanced_accuracy",
                                       "f1",
                                       "f1_binary",
                                       "f1_macro",
                                       "mse",
                                       "precision",
                                       "precision_macro",
                                       "precision_micro",
                                       "r2",
                                       "recall",
                                       "recall_macro",
                                       "recall_micro"};
    static const char *const xgboost[] = {"rmse", "mae", "auc", "error@0.3", "ndcg@5-"};
    (void)state;
    for (size_t i = 0; i < BL_LEN(ours); i++)
        CHECK(bli_metric_is_custom(ours[i]), "%s", ours[i]);
    for (size_t i = 0; i < BL_LEN(xgboost); i++)
        CHECK(!bli_metric_is_custom(xgboost[i]), "%s", xgboost[i]);
}

static void test_metrics_come_as_written_then_the_tuners(void **state)
{
    static const struct {
        const char *members, *names, *stopping, *notes;
    } cases[] = {
        {"\"eval_metric\": \"logloss,auc\"", "logloss auc", "auc", ""},
        {"\"eval_metric\": \" auc , logloss \"", "auc logloss", "logloss", ""},
        {"\"eval_metric\": [\"auc\", \"error@0.7\"]", "auc error@0.7", "error@0.7", ""},
        {"\"eval_metric\": \"['auc', 'f1']\"", "auc f1", "f1", ""},
        {"\"eval_metric\": \"auc,auc,logloss,auc\"", "auc logloss", "auc", ""},
        {"\"eval_metric\": \"logloss,auc\", \"_tuning_objective_metric\": "
         "\"validation:error\"",
         "logloss auc error", "error", ""},
        {"\"eval_metric\": \"logloss,auc\", \"_tuning_objective_metric\": "
         "\"validation:logloss\"",
         "logloss auc", "logloss", ""},
        {"\"_tuning_objective_metric\": \"\\\"validation:f1\\\"\"", "f1", "f1", ""},
        {"\"_tuning_objective_metric\": \"validation:auc, validation:ndcg@5-\"",
         "auc ndcg@5-", "ndcg@5-", ""},
        {"\"eval_metric\": \"auc\", \"_tuning_objective_metric\": \"\"", "auc", "auc",
         "note _tuning_objective_metric is empty; ignored\n"},
        {"\"_tuning_objective_metric\": \"my score\"", "", NULL,
         "note _tuning_objective_metric: 'my score' is no metric of channel validation "
         "that is "
         "known here, such as validation:auc; ignored\n"},
        {"\"_tuning_objective_metric\": \"train:auc\"", "", NULL,
         "note _tuning_objective_metric: 'train:auc' is no metric of channel validation "
         "that "
         "is known here, such as validation:auc; ignored\n"},
        {"\"_tuning_objective_metric\": \"validation:profit\"", "", NULL,
         "note _tuning_objective_metric: 'validation:profit' is no metric of channel "
         "validation "
         "that is known here, such as validation:auc; ignored\n"},
        /* XGBoost wants the power in the name */
        {"\"eval_metric\": \"tweedie-nloglik\"", "tweedie-nloglik@1.5",
         "tweedie-nloglik@1.5",
         "note metric tweedie-nloglik is taken as tweedie-nloglik@1.5\n"},
        {"\"eval_metric\": \"tweedie-nloglik\", \"tweedie_variance_power\": \"1.25\"",
         "tweedie-nloglik@1.25", "tweedie-nloglik@1.25",
         "note metric tweedie-nloglik is taken as tweedie-nloglik@1.25\n"},
    };
    bl_folder folder;
    (void)state;
    folder_make(&folder);
    folder_channel(&folder, "train");
    folder_channel(&folder, "validation");
    for (size_t i = 0; i < BL_LEN(cases); i++) {
        char text[512], names[256] = "";
        bl_job *job;
        bl_err err;
        snprintf(text, sizeof text,
                 "{\"num_round\": 3, \"objective\": \"binary:logistic\", %s}",
                 cases[i].members);
        CHECK_OK(folder_read(&folder, text, TRAIN_AND_VALIDATION, &job, &err), err);
        for (size_t j = 0; j < job->n_metrics; j++) {
            strcat(names, j ? " " : "");
            strcat(names, job->metrics[j].name);
        }
        CHECK(strcmp(names, cases[i].names) == 0, "%s: '%s'", cases[i].members, names);
        CHECK(cases[i].stopping
                  ? job->early_stopping_metric &&
                        strcmp(job->early_stopping_metric, cases[i].stopping) == 0
                  : !job->early_stopping_metric,
              "%s: stops by '%s'", cases[i].members,
              job->early_stopping_metric ? job->early_stopping_metric : "the default");
        CHECK(strcmp(folder.notes, cases[i].notes) == 0, "%s: '%s'", cases[i].members,
              folder.notes);
        bli_job_free(job);
    }
    folder_remove(&folder);
}

static void test_metrics_names_and_suffixes_that_are_wrong_are_refused(void **state)
{
    static const bl_refusal cases[] = {
        {"\"eval_metric\": \"rmse,invalid\"",
         "eval_metric: there is no metric 'invalid'; there "
         "are rmse, rmsle, mae"},
        {"\"eval_metric\": \"1\"", "there is no metric '1'"},
        {"\"eval_metric\": 1", "there is no metric '1'"},
        {"\"eval_metric\": \"rmsse\"",
         "there is no metric 'rmsse': did you mean 'rmse'?"},
        {"\"eval_metric\": \"logloss_\"", "did you mean 'logloss'?"},
        {"\"eval_metric\": \"<function\"", "there is no metric '<function'"},
        {"\"eval_metric\": \"\"", "eval_metric is empty; accepted is a list"},
        {"\"eval_metric\": \"error@\"", "error takes a threshold, as error@0.7"},
        {"\"eval_metric\": \"error@nan\"", "error takes a threshold"},
        {"\"eval_metric\": \"error@0.8x\"", "error takes a threshold"},
        {"\"eval_metric\": \"ndcg@0\"",
         "ndcg takes a number of top rows, a whole number from 1"},
        {"\"eval_metric\": \"ndcg@2.5\"", "ndcg takes a number of top rows"},
        {"\"eval_metric\": \"map@x-\"", "map takes a number of top rows"},
        {"\"eval_metric\": \"ndcg@5--\"", "ndcg takes a number of top rows"},
        {"\"eval_metric\": \"pre@5-\"",
         "pre takes a number of top rows, a whole number from 1, "
         "as pre@5"},
        {"\"eval_metric\": \"pre-\"", "pre takes a number of top rows"},
        {"\"eval_metric\": \"rmse@1\"", "rmse takes nothing after its name"},
        {"\"eval_metric\": \"logloss-\"", "logloss takes nothing after its name"},
        {"\"eval_metric\": \"tweedie-nloglik@2\"",
         "takes a variance power from 1 to below 2"},
        {"\"eval_metric\": \"ams\"", "ams needs a ratio from 0 to 1, as ams@0.15"},
        {"\"eval_metric\": \"f1@0.3\"", "f1 takes nothing after its name"},
    };
    (void)state;
    check_refusals(cases, BL_LEN(cases), TRAIN_ONLY);
}

static void test_metrics_that_do_not_fit_the_objective_are_refused(void **state)
{
    static const bl_refusal cases[] = {
        {"\"objective\": \"multi:softprob\", \"num_class\": 3, \"eval_metric\": "
         "\"logloss\"",
         "metric 'logloss' does not fit objective multi:softprob: it needs one "
         "prediction a "
         "row: with several classes use mlogloss, merror"},
        {"\"objective\": \"multi:softmax\", \"num_class\": 3, \"eval_metric\": \"rmse\"",
         "metric 'rmse' does not fit objective multi:softmax"},
        {"\"objective\": \"multi:softmax\", \"num_class\": 3, \"eval_metric\": \"mphe\"",
         "metric 'mphe' does not fit"},
        {"\"objective\": \"multi:softmax\", \"num_class\": 3, \"eval_metric\": "
         "\"precision\"",
         "it needs two classes; with more use precision_macro, recall_macro or f1_macro"},
        {"\"objective\": \"binary:logistic\", \"eval_metric\": \"mlogloss\"",
         "it needs objective multi:softmax or multi:softprob; for two classes use error "
         "and "
         "logloss"},
        {"\"eval_metric\": \"accuracy\"", "metric 'accuracy' does not fit objective "
                                          "reg:squarederror (the default): it needs a "
                                          "classification objective"},
        {"\"objective\": \"survival:cox\", \"eval_metric\": \"auc\"",
         "metric 'auc' does not fit objective survival:cox"},
        {"\"objective\": \"survival:aft\", \"bl_label_lower_bound\": 0, "
         "\"bl_label_upper_bound\": 1, \"eval_metric\": \"rmse\"",
         "it needs labels, and survival:aft has bounds: use aft-nloglik or "
         "interval-regression-accuracy"},
        {"\"eval_metric\": \"quantile\"", "it needs objective reg:quantileerror"},
        {"\"eval_metric\": \"expectile\"", "it needs objective reg:expectileerror"},
        {"\"objective\": \"reg:quantileerror\", \"quantile_alpha\": \"0.1,0.9\", "
         "\"eval_metric\": \"mae\"",
         "it needs one prediction a row, and this objective has several"},
        {"\"bl_label\": \"0,1\", \"eval_metric\": \"ndcg\"", "it needs one label column"},
        {"\"objective\": \"binary:logistic\", \"bl_label\": \"0,1\", \"eval_metric\": "
         "\"f1\"",
         "it needs one label column"},
        {"\"_tuning_objective_metric\": \"validation:auc\"",
         "_tuning_objective_metric: metric 'auc' does not fit objective "
         "reg:squarederror"},
        {"\"objective\": \"rank:ndcg\", \"bl_group\": 1, \"bl_weight\": 2, "
         "\"eval_metric\": "
         "\"rmse\"",
         "metric 'rmse' does not fit objective rank:ndcg: it needs rows without group "
         "weights: "
         "with bl_group and weights use ndcg, map, pre, auc or aucpr"},
    };
    static const bl_acceptance fits[] = {
        {"\"objective\": \"reg:quantileerror\", \"quantile_alpha\": 0.5, "
         "\"eval_metric\": "
         "\"mae,quantile\"",
         "quantile_alpha", "0.5"},
        {"\"objective\": \"multi:softmax\", \"num_class\": 2, \"eval_metric\": "
         "\"precision\"",
         "num_class", "2"},
        {"\"objective\": \"rank:ndcg\", \"bl_group\": 1, \"bl_weight\": 2, "
         "\"eval_metric\": "
         "\"ndcg@3,map,auc\"",
         "objective", "rank:ndcg"},
        {"\"objective\": \"reg:logistic\", \"eval_metric\": \"auc,accuracy,logloss\"",
         "objective", "reg:logistic"},
        {"\"bl_label\": \"0,1\", \"eval_metric\": \"rmse,mae\"", "objective", NULL},
    };
    (void)state;
    check_refusals(cases, BL_LEN(cases), TRAIN_ONLY);
    check_acceptances(fits, BL_LEN(fits), TRAIN_ONLY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metrics_direction_follows_the_name_before_its_suffix),
        cmocka_unit_test(test_metrics_custom_are_those_xgboost_has_not),
        cmocka_unit_test(test_metrics_come_as_written_then_the_tuners),
        cmocka_unit_test(test_metrics_names_and_suffixes_that_are_wrong_are_refused),
        cmocka_unit_test(test_metrics_that_do_not_fit_the_objective_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
