/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings that do not go together. The first table goes through the built-in image's own
 * refusals one by one (what makes it refuse, and what we say); what the image refuses
 * without a reason is accepted, in the second.
 */
#include "folder.h"

#include "contract/contract_priv.h"

#define ALL_CHANNELS "{\"train\": {}, \"validation\": {}, \"model\": {}, \"config\": {}}"

static void test_rules_every_refusal_of_the_image_has_a_better_sentence(void **state)
{
    static const bl_refusal cases[] = {
        /* unknown name */
        {"\"num_rounds\": \"3\"",
         "'num_rounds' is no hyperparameter: did you mean num_round?"},
        /* unparsable; out of range; list element out of range */
        {"\"max_depth\": \"deep\"",
         "max_depth is 'deep'; accepted is a whole number, 0 or more"},
        {"\"gamma\": \"-1\"", "gamma is '-1'; accepted is a number, 0 or more"},
        {"\"updater\": \"grow_colmaker,grow_tree\"", "updater is 'grow_tree'"},
        /* its unexpected failure in a check: eval_metric without an objective is no
           failure */
        {"\"eval_metric\": \"auc\"",
         "eval_metric: metric 'auc' does not fit objective reg:squarederror (the "
         "default): it "
         "needs a classification or ranking objective: binary:*, multi:*, rank:* or "
         "reg:logistic"},
        /* multi without num_class */
        {"\"objective\": \"multi:softmax\"", "objective multi:softmax needs num_class, "
                                             "the number of classes (labels are 0 to "
                                             "num_class - 1)"},
        /* auc with a wrong objective */
        {"\"objective\": \"reg:squarederror\", \"eval_metric\": \"auc\"",
         "metric 'auc' does not fit objective reg:squarederror: it needs a "
         "classification"},
        {"\"objective\": \"count:poisson\", \"eval_metric\": \"rmse,auc\"",
         "metric 'auc' does not fit objective count:poisson"},
        /* aft-nloglik with a wrong objective */
        {"\"objective\": \"binary:logistic\", \"eval_metric\": \"aft-nloglik\"",
         "metric 'aft-nloglik' does not fit objective binary:logistic: it needs "
         "objective "
         "survival:aft"},
        /* bad threshold */
        {"\"objective\": \"binary:logistic\", \"eval_metric\": \"error@high\"",
         "eval_metric: metric 'error@high': error takes a threshold, as error@0.7"},
        {"\"objective\": \"binary:logistic\", \"eval_metric\": \"auc@0.5\"",
         "eval_metric: metric 'auc@0.5': auc takes nothing after its name"},
        /* monotone and interaction constraints with a wrong tree method: there is none
         * among tree methods, but a linear model cannot keep them */
        {"\"booster\": \"gblinear\", \"monotone_constraints\": \"(1,0)\"",
         "monotone_constraints would have no effect with booster gblinear: use gbtree"},
        {"\"booster\": \"gblinear\", \"interaction_constraints\": \"[[0,1]]\"",
         "interaction_constraints would have no effect with booster gblinear: use "
         "gbtree"},
        /* update with a grower */
        {"\"process_type\": \"update\", \"updater\": \"grow_colmaker\"",
         "updater is 'grow_colmaker'; with process_type update it takes refresh and "
         "prune, "
         "which change trees, and not grow_colmaker"},
        /* several growers */
        {"\"updater\": \"grow_colmaker,grow_histmaker\"",
         "updater names both grow_colmaker and grow_histmaker; only one can grow the "
         "trees"},
        /* a wrong linear updater */
        {"\"booster\": \"gblinear\", \"updater\": \"prune\"",
         "updater is 'prune'; booster gblinear takes exactly one of shotgun and "
         "coord_descent"},
    };
    (void)state;
    check_refusals(cases, BL_LEN(cases), ALL_CHANNELS);
}

static void test_rules_what_the_image_refuses_for_no_reason_is_accepted(void **state)
{
    static const bl_acceptance cases[] = {
        /* multi-class auc; eval_metric alone; monotone under auto; feature 0 */
        {"\"objective\": \"multi:softprob\", \"num_class\": 3, \"eval_metric\": "
         "\"auc,aucpr\"",
         "num_class", "3"},
        {"\"objective\": \"multi:softmax\", \"num_class\": 2, \"eval_metric\": \"auc\"",
         "num_class", "2"},
        {"\"eval_metric\": \"rmse, mae\"", "objective", NULL},
        {"\"monotone_constraints\": \"(1,0)\"", "monotone_constraints", "(1,0)"},
        {"\"tree_method\": \"approx\", \"monotone_constraints\": \"(1,0)\"",
         "monotone_constraints", "(1,0)"},
        {"\"tree_method\": \"exact\", \"interaction_constraints\": \"[[0,1]]\"",
         "interaction_constraints", "[[0, 1]]"},
        {"\"_tuning_objective_metric\": \"\"", "objective", NULL},
        {"\"device\": \"cpu\"", "device", "cpu"},
        {"\"enable_categorical\": \"true\"", "enable_categorical", NULL},
        {"\"max_cat_to_onehot\": \"9\"", "max_cat_to_onehot", "9"},
        {"\"scale_pos_weight\": \"0\"", "scale_pos_weight", "0.0"},
        {"\"num_class\": \"1\"", "num_class", "1"},
        {"\"base_score\": \"-4\"", "base_score", "-4.0"},
        {"\"objective\": \"survival:aft\", \"bl_label_lower_bound\": 0, "
         "\"bl_label_upper_bound\": 1, \"eval_metric\": \"aft-nloglik\"",
         "objective", "survival:aft"},
        {"\"objective\": \"rank:ndcg\", \"bl_group\": \"qid\", \"eval_metric\": "
         "\"ndcg@5-\"",
         "objective", "rank:ndcg"},
        {"\"process_type\": \"update\", \"updater\": \"refresh,prune\"", "process_type",
         "update"},
        {"\"booster\": \"gblinear\", \"updater\": \"coord_descent\", "
         "\"feature_selector\": "
         "\"greedy\"",
         "updater", "coord_descent"},
    };
    (void)state;
    check_acceptances(cases, BL_LEN(cases), ALL_CHANNELS);
}

static void test_rules_between_settings_name_both(void **state)
{
    static const bl_refusal cases[] = {
        {"\"objective\": \"multi:softprob\", \"num_class\": 1",
         "num_class is 1; objective multi:softprob needs 2 or more, labels being 0 to "
         "num_class "
         "- 1"},
        {"\"objective\": \"binary:logistic\", \"num_class\": 2",
         "num_class is 2 and objective binary:logistic has no classes to count"},
        {"\"objective\": \"reg:quantileerror\"",
         "reg:quantileerror needs quantile_alpha"},
        {"\"objective\": \"reg:expectileerror\"",
         "reg:expectileerror needs expectile_alpha"},
        {"\"objective\": \"reg:quantileerror\", \"quantile_alpha\": \"[0.9, 0.1]\"",
         "quantile_alpha is '[0.9, 0.1]'; expected are ascending numbers, and item 2 is "
         "smaller"},
        {"\"objective\": \"rank:ndcg\"", "rank:ndcg needs bl_group"},
        {"\"objective\": \"binary:logistic\", \"bl_group\": 1, \"bl_weight\": 2",
         "bl_group and a weight column are both given"},
        {"\"objective\": \"multi:softprob\", \"num_class\": 3, \"bl_label\": \"0,1\"",
         "bl_label names 2 columns, and objective multi:softprob takes one"},
        {"\"objective\": \"reg:quantileerror\", \"quantile_alpha\": 0.5, \"bl_label\": "
         "\"0,1\"",
         "bl_label names 2 columns, and objective reg:quantileerror takes one"},
        {"\"objective\": \"survival:cox\", \"bl_label\": \"0,1\"",
         "bl_label names 2 columns, and objective survival:cox takes one"},
        {"\"huber_slope\": \"0\"", "huber_slope is 0; accepted is any other number"},
        {"\"objective\": \"binary:logistic\", \"base_score\": \"1\"",
         "base_score is '1'; objective binary:logistic needs a probability between 0 and "
         "1"},
        {"\"objective\": \"count:poisson\", \"base_score\": \"0\"",
         "base_score is '0'; objective count:poisson needs a number above 0"},
        {"\"objective\": \"binary:logistic\", \"base_score\": \"[0.1, 0.2]\"",
         "base_score holds 2 numbers; expected is one, or one for each output, and this "
         "job has 1"},
        {"\"bl_base_margin\": \"1,2\"", "bl_base_margin names 2 columns; expected is one "
                                        "for each output, and this job has 1"},
        {"\"booster\": \"gblinear\", \"updater\": \"shotgun,coord_descent\"",
         "takes exactly one of shotgun and coord_descent"},
        {"\"booster\": \"gblinear\", \"feature_selector\": \"greedy\"",
         "feature_selector greedy needs updater coord_descent; updater shotgun (the "
         "default) "
         "takes cyclic and shuffle"},
        {"\"booster\": \"gblinear\", \"enable_categorical\": \"true\"",
         "booster gblinear takes no categories: use gbtree, or leave enable_categorical "
         "out"},
        {"\"booster\": \"gblinear\", \"multi_strategy\": \"multi_output_tree\"",
         "multi_strategy multi_output_tree needs trees, and booster is gblinear"},
        {"\"updater\": \"shotgun\"", "updater shotgun is for booster gblinear"},
        {"\"updater\": \"refresh\"", "updater is 'refresh'; the first must grow a tree"},
        {"\"updater\": \"prune,grow_colmaker\"",
         "updater is 'prune,grow_colmaker'; the first "
         "must grow a tree"},
        {"\"updater\": \"grow_colmaker\", \"tree_method\": \"hist\"",
         "updater grow_colmaker is tree_method exact, but tree_method is hist: leave one "
         "out"},
        {"\"process_type\": \"update\"",
         "process_type update needs updater: refresh, prune or "
         "both"},
        {"\"tree_method\": \"exact\", \"max_depth\": 0",
         "max_depth is 0, no bound, and tree_method exact needs one"},
        {"\"updater\": \"grow_colmaker\", \"max_depth\": 0",
         "tree_method exact needs one"},
        {"\"tree_method\": \"exact\", \"colsample_bynode\": 0.5",
         "colsample_bynode is '0.5'; tree_method exact does not draw columns by node"},
        {"\"tree_method\": \"exact\", \"sampling_method\": \"gradient_based\"",
         "sampling_method gradient_based has no effect with tree_method exact"},
        {"\"tree_method\": \"exact\", \"bl_feature_types\": \"q,c\"",
         "tree_method exact takes no categories: use hist, or leave type c in "
         "bl_feature_types out"},
        {"\"tree_method\": \"approx\", \"multi_strategy\": \"multi_output_tree\"",
         "multi_output_tree needs tree_method hist or auto; it is approx"},
        {"\"_kfold\": 3", "_kfold is given and so is channel 'model'"},
        {"\"early_stopping_rounds\": 3, \"disable_default_eval_metric\": \"true\"",
         "there is no metric to stop by"},
    };
    (void)state;
    check_refusals(cases, BL_LEN(cases), ALL_CHANNELS);
}

static void test_rules_between_settings_and_channels_name_both(void **state)
{
    static const bl_refusal cases[] = {
        {"\"process_type\": \"update\", \"updater\": \"refresh\"",
         "process_type update needs channel 'model', whose trees it updates"},
        {"\"bl_explain\": \"validation\"",
         "bl_explain is validation, and there is no channel 'validation'"},
        {"\"bl_explain\": \"both\"", "bl_explain is both, and there is no channel "
                                     "'validation'"},
    };
    (void)state;
    check_refusals(cases, BL_LEN(cases), TRAIN_ONLY);
}

/* Notes of a job of these members, on train alone. */
static void check_notes(const char *members, const char *notes)
{
    bl_folder folder;
    char text[2048];
    bl_job *job;
    bl_err err;
    folder_make(&folder);
    folder_channel(&folder, "train");
    snprintf(text, sizeof text, "{\"num_round\": 7, %s}", members);
    CHECK_OK(folder_read(&folder, text, TRAIN_ONLY, &job, &err), err);
    CHECK(strcmp(folder.notes, notes) == 0, "%s: '%s'", members, folder.notes);
    bli_job_free(job);
    folder_remove(&folder);
}

static void test_rules_settings_without_effect_are_named_in_one_note(void **state)
{
    (void)state;
    check_notes(
        "\"scale_pos_weight\": 2, \"tweedie_variance_power\": 1.2, \"top_k\": 3, "
        "\"objective\": \"reg:absoluteerror\", \"learning_rate\": 0.2",
        "note without effect on this job: scale_pos_weight, tweedie_variance_power, "
        "top_k\n");
    check_notes(
        "\"booster\": \"gblinear\", \"max_depth\": 3, \"rate_drop\": 0.1, \"eta\": 0.3, "
        "\"alpha\": 1, \"reg_lambda\": 1, \"top_k\": 3",
        "note without effect on this job: max_depth, rate_drop\n");
    check_notes("\"tree_method\": \"exact\", \"max_leaves\": 3, \"max_bin\": 16",
                "note without effect on this job: max_leaves, max_bin\n");
    check_notes("\"_num_cv_round\": 2, \"refresh_leaf\": 1",
                "note without effect on this job: _num_cv_round, refresh_leaf\n");
    check_notes(
        "\"eval_metric\": \"mphe,tweedie-nloglik@1.1,ndcg\", \"huber_slope\": 2, "
        "\"tweedie_variance_power\": 1.1, \"ndcg_exp_gain\": false, \"rate_drop\": 0.1",
        "");
    check_notes("\"bl_isolation\": \"auto\", \"bl_checkpoint_keep\": 3",
                "note bl_checkpoint_*: the job has no CheckpointConfig "
                "(checkpointconfig.json), so there are no checkpoints; no effect\n");
}

static void test_rules_early_stopping_without_validation_is_one_warning(void **state)
{
    bl_folder folder;
    bl_job *job;
    bl_err err;
    (void)state;
    check_notes(
        "\"early_stopping_rounds\": 3",
        "warning early_stopping_rounds needs channel validation, which this job has "
        "not: all 7 rounds are trained\n");
    check_notes("\"early_stopping_rounds\": 3, \"_kfold\": 3", "");
    folder_make(&folder);
    folder_channel(&folder, "train");
    folder_channel(&folder, "validation");
    CHECK_OK(folder_read(&folder, "{\"num_round\": 7, \"early_stopping_rounds\": 3}",
                         TRAIN_ONLY, &job, &err),
             err);
    assert_int_equal(job->early_stopping_rounds, 0);
    bli_job_free(job);
    CHECK_OK(folder_read(&folder, "{\"num_round\": 7, \"early_stopping_rounds\": 3}",
                         TRAIN_AND_VALIDATION, &job, &err),
             err);
    assert_int_equal(job->early_stopping_rounds, 3);
    assert_string_equal(folder.notes, "");
    bli_job_free(job);
    folder_remove(&folder);
}

/* The matrix is made for the method in force, and an updater names it as well as
 * tree_method. */
static void test_rules_updater_decides_the_tree_method(void **state)
{
    static const struct {
        const char *members, *method;
    } cases[] = {
        {"\"seed\": 1", "auto"},
        {"\"tree_method\": \"approx\"", "approx"},
        {"\"updater\": \"grow_colmaker,prune\"", "exact"},
        {"\"updater\": \"grow_histmaker\"", "approx"},
        {"\"updater\": \"grow_quantile_histmaker\"", "hist"},
        {"\"updater\": \"grow_colmaker\", \"tree_method\": \"auto\"", "exact"},
        {"\"process_type\": \"update\", \"updater\": \"refresh\"", "exact"},
    };
    bl_folder folder;
    (void)state;
    folder_make(&folder);
    folder_channel(&folder, "train");
    folder_channel(&folder, "model");
    for (size_t i = 0; i < BL_LEN(cases); i++) {
        char text[256];
        bl_job *job;
        bl_err err;
        snprintf(text, sizeof text, "{\"num_round\": 7, %s}", cases[i].members);
        CHECK_OK(folder_read(&folder, text, "{\"train\": {}, \"model\": {}}", &job, &err),
                 err);
        CHECK(strcmp(job->tree_method, cases[i].method) == 0, "%s: %s", cases[i].members,
              job->tree_method);
        bli_job_free(job);
    }
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules_every_refusal_of_the_image_has_a_better_sentence),
        cmocka_unit_test(test_rules_what_the_image_refuses_for_no_reason_is_accepted),
        cmocka_unit_test(test_rules_between_settings_name_both),
        cmocka_unit_test(test_rules_between_settings_and_channels_name_both),
        cmocka_unit_test(test_rules_settings_without_effect_are_named_in_one_note),
        cmocka_unit_test(test_rules_early_stopping_without_validation_is_one_warning),
        cmocka_unit_test(test_rules_updater_decides_the_tree_method),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
