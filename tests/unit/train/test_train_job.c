/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hyperparameters as a job folder has them, read by contract, through to XGBoost: each is taken
 * in the form it is told, and XGBoost uses each.
 */
#include "help.h"

#include "base/fs.h"

#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void write_config(const char *root, const char *name, const char *text)
{
    char path[512];
    bl_err err = {0};
    snprintf(path, sizeof path, "%s/input/config/%s", root, name);
    CHECK_OK(bli_write_file(path, 0644, text, strlen(text), &err), err);
}

/* A job of these hyperparameters; *ret_root is removed by forget. */
static bl_job *read_job(const char *hyperparameters, bool start_model, char root[64])
{
    char path[512];
    bl_job *job;
    bl_err err = {0};
    snprintf(root, 64, "/tmp/boostlens-test-XXXXXX");
    assert_non_null(mkdtemp(root));
    snprintf(path, sizeof path, "%s/input/config", root);
    CHECK_OK(bli_make_folder(path, 0755, &err), err);
    write_config(root, "hyperparameters.json", hyperparameters);
    write_config(root, "resourceconfig.json",
                 "{\"current_host\": \"algo-1\", \"hosts\": [\"algo-1\"]}");
    write_config(root, "inputdataconfig.json",
                 start_model ? "{\"train\": {\"ContentType\": \"text/csv\"}, \"model\": "
                               "{\"ContentType\": \"application/x-sagemaker-model\"}}"
                             : "{\"train\": {\"ContentType\": \"text/csv\"}}");
    static const char *const channels[] = {"train", "model"};
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/input/data/%s", root, channels[i]);
        CHECK_OK(bli_make_folder(path, 0755, &err), err);
    }
    bl_status st = bli_job_read(root, NULL, &job, &err);
    CHECK(st == BL_OK, "%s: %s", hyperparameters, err.msg);
    return job;
}

static void forget(const char *root)
{
    nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const struct {
    const char *hyperparameters;
    uint64_t group; /* rows of a group; 0: none */
} cases[] = {
    {"{\"num_round\": 3, \"objective\": \"binary:logistic\", \"eta\": 0.1, \"gamma\": "
     "0.5, "
     "\"max_depth\": 3, \"max_leaves\": 5, \"grow_policy\": \"lossguide\", "
     "\"min_child_weight\": 2, \"max_delta_step\": 1, \"subsample\": 0.5, "
     "\"sampling_method\": \"gradient_based\", \"colsample_bytree\": 0.9, "
     "\"colsample_bylevel\": 0.9, \"colsample_bynode\": 0.9, \"lambda\": 2, \"alpha\": "
     "0.1, "
     "\"tree_method\": \"hist\", \"max_bin\": 64, \"num_parallel_tree\": 2, "
     "\"scale_pos_weight\": 2, \"base_score\": 0.4, \"seed\": 3, "
     "\"seed_per_iteration\": \"true\", \"max_cached_hist_node\": 100, "
     "\"max_cat_to_onehot\": 3, \"max_cat_threshold\": 8, \"monotone_constraints\": "
     "\"(1,0,-1)\", \"interaction_constraints\": \"[[0,1],[2,3]]\", \"eval_metric\": "
     "\"auc,error@0.7,f1\"}",
     0},
    {"{\"num_round\": \"3\", \"objective\": \"reg:linear\", \"reg_lambda\": \"1\", "
     "\"reg_alpha\": \"0\", \"learning_rate\": \"0.2\", \"min_split_loss\": \"0\", "
     "\"random_state\": \"1\", \"n_jobs\": \"1\", \"verbosity\": \"2\"}",
     0},
    {"{\"num_round\": 3, \"objective\": \"binary:logistic\", \"booster\": \"dart\", "
     "\"sample_type\": \"weighted\", \"normalize_type\": \"forest\", \"rate_drop\": 0.5, "
     "\"one_drop\": 1, \"skip_drop\": 0.2}",
     0},
    {"{\"num_round\": 3, \"objective\": \"binary:logistic\", \"booster\": \"gblinear\", "
     "\"updater\": \"coord_descent\", \"feature_selector\": \"greedy\", \"top_k\": 2, "
     "\"lambda\": 0.1, \"alpha\": 0.1, \"eta\": 0.3}",
     0},
    {"{\"num_round\": 3, \"objective\": \"multi:softmax\", \"num_class\": 2, "
     "\"eval_metric\": "
     "[\"mlogloss\", \"auc\", \"merror\"]}",
     0},
    {"{\"num_round\": 3, \"objective\": \"multi:softprob\", \"num_class\": 2, "
     "\"multi_strategy\": \"multi_output_tree\"}",
     0},
    {"{\"num_round\": 3, \"objective\": \"reg:quantileerror\", \"quantile_alpha\": "
     "\"0.1,0.5,0.9\"}",
     0},
    {"{\"num_round\": 3, \"objective\": \"reg:quantileerror\", \"quantile_alpha\": 0.5}",
     0},
    {"{\"num_round\": 3, \"objective\": \"reg:expectileerror\", \"expectile_alpha\": "
     "\"[0.1, 0.9]\"}",
     0},
    {"{\"num_round\": 3, \"objective\": \"reg:tweedie\", \"tweedie_variance_power\": "
     "1.3}",
     0},
    {"{\"num_round\": 3, \"objective\": \"reg:pseudohubererror\", \"huber_slope\": 2}",
     0},
    {"{\"num_round\": 3, \"objective\": \"count:poisson\", \"max_delta_step\": 0.5}", 0},
    {"{\"num_round\": 3, \"objective\": \"reg:squaredlogerror\"}", 0},
    {"{\"num_round\": 3, \"objective\": \"reg:absoluteerror\", \"tree_method\": "
     "\"approx\"}",
     0},
    {"{\"num_round\": 3, \"objective\": \"reg:logistic\", \"tree_method\": \"exact\", "
     "\"max_depth\": 4}",
     0},
    {"{\"num_round\": 3, \"objective\": \"binary:hinge\", \"tree_method\": \"auto\"}", 0},
    {"{\"num_round\": 3, \"objective\": \"binary:logitraw\"}", 0},
    {"{\"num_round\": 3, \"objective\": \"survival:cox\"}", 0},
    {"{\"num_round\": 3, \"objective\": \"rank:ndcg\", \"lambdarank_pair_method\": "
     "\"mean\", "
     "\"lambdarank_num_pair_per_sample\": 2, \"lambdarank_normalization\": \"false\", "
     "\"lambdarank_score_normalization\": \"false\", \"lambdarank_unbiased\": \"true\", "
     "\"lambdarank_bias_norm\": 1.5, \"ndcg_exp_gain\": \"false\", \"bl_group\": 1, "
     "\"eval_metric\": \"ndcg@5-,map\"}",
     10},
    {"{\"num_round\": 3, \"objective\": \"rank:pairwise\", \"bl_group\": 1}", 10},
};

static void test_what_contract_tells_xgboost_uses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char root[64];
        bl_job *job = read_job(cases[i].hyperparameters, false, root);
        bl_matrix *rows = matrix_new(600, 4, 2, 0, 1);
        heard h = {.cancel_after = -1};
        bl_training *t;
        bl_err err = {0};
        if (cases[i].group)
            matrix_groups(rows, cases[i].group);
        bl_status st = train(job, rows, NULL, &h, &t, &err);
        CHECK(st == BL_OK, "%s: %s", cases[i].hyperparameters, err.msg);
        CHECK(!h.log.data || !strstr(h.log.data, "are not used"), "%s: %s",
              cases[i].hyperparameters, h.log.data);
        assert_int_equal(t->n_rounds, 3);
        heard_done(&h);
        bli_training_free(t);
        matrix_free(rows);
        bli_job_free(job);
        forget(root);
    }
}

static void test_survival_bounds_come_from_a_job(void **state)
{
    (void)state;
    char root[64];
    bl_job *job =
        read_job("{\"num_round\": 3, \"objective\": \"survival:aft\", "
                 "\"aft_loss_distribution\": \"logistic\", "
                 "\"aft_loss_distribution_scale\": 1.2, \"bl_label_lower_bound\": 0, "
                 "\"bl_label_upper_bound\": 1, \"eval_metric\": "
                 "\"interval-regression-accuracy,aft-nloglik\"}",
                 false, root);
    bl_matrix *rows = matrix_new(200, 4, 1, 0, 2);
    bl_roles *r = &rows->roles;
    r->lower_bounds = malloc(200 * sizeof(float));
    r->upper_bounds = malloc(200 * sizeof(float));
    for (int i = 0; i < 200; i++) {
        r->lower_bounds[i] = r->labels[i] + 1;
        r->upper_bounds[i] = i % 4 ? r->labels[i] + 2 : INFINITY;
    }
    free(r->labels);
    r->labels = NULL;
    r->n_labels = 0;
    heard h = {.cancel_after = -1};
    bl_training *t;
    bl_err err = {0};
    CHECK_OK(train(job, rows, NULL, &h, &t, &err), err);
    assert_non_null(strstr(h.lines.data, "[2]\ttrain-interval-regression-accuracy:"));
    heard_done(&h);
    bli_training_free(t);
    matrix_free(rows);
    bli_job_free(job);
    forget(root);
}

static void test_update_comes_from_a_job(void **state)
{
    (void)state;
    char root[64];
    bl_job *first = job_new("binary:logistic", 3);
    bl_job *job =
        read_job("{\"num_round\": 3, \"objective\": \"binary:logistic\", "
                 "\"process_type\": \"update\", \"updater\": \"refresh,prune\", "
                 "\"refresh_leaf\": 1}",
                 true, root);
    bl_matrix *rows = matrix_new(300, 4, 1, 0, 3);
    heard h = {.cancel_after = -1};
    bl_training *start, *t;
    bl_err err = {0};
    CHECK_OK(train(first, rows, NULL, NULL, &start, &err), err);
    CHECK_OK(train_from(job, rows, NULL, &h, start, &t, &err), err);
    assert_null(strstr(h.log.data, "are not used"));
    heard_done(&h);
    bli_training_free(t);
    bli_training_free(start);
    matrix_free(rows);
    job_free(first);
    bli_job_free(job);
    forget(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_contract_tells_xgboost_uses),
        cmocka_unit_test(test_survival_bounds_come_from_a_job),
        cmocka_unit_test(test_update_comes_from_a_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
