/* SPDX-License-Identifier: Apache-2.0 */
/* The model channel: what is continued, and what does not fit. */
#include "help.h"

#include <stdlib.h>
#include <xgboost/c_api.h>

static bl_training *first_model(const bl_job *job, bl_matrix *rows)
{
    bl_training *t;
    bl_err err = {0};
    CHECK_OK(train(job, rows, NULL, NULL, &t, &err), err);
    return t;
}

static int rounds_of(const bl_training *t)
{
    BoosterHandle booster;
    int rounds;
    assert_int_equal(XGBoosterCreate(NULL, 0, &booster), 0);
    assert_int_equal(XGBoosterLoadModelFromBuffer(booster, t->ubj, t->n_ubj), 0);
    assert_int_equal(XGBoosterBoostedRounds(booster, &rounds), 0);
    XGBoosterFree(booster);
    return rounds;
}

static void test_num_round_more_rounds_are_trained(void **state)
{
    (void)state;
    static const char *const methods[] = {"hist", "exact", "approx"};
    for (size_t i = 0; i < 3; i++) {
        bl_job *job = job_new("binary:logistic", 5);
        bl_matrix *rows = matrix_new(600, 4, 3, 8, 1);
        heard h = {.cancel_after = -1};
        bl_training *t;
        bl_err err = {0};
        job_param(job, "tree_method", methods[i]);
        bl_training *start = first_model(job, rows);
        job->num_round = 3;
        CHECK_OK(train_from(job, rows, NULL, &h, start, &t, &err), err);
        assert_int_equal(rounds_of(t), 8);
        assert_int_equal(t->n_rounds, 3);
        assert_int_equal(t->histories[0].n_rounds, 3);
        assert_non_null(
            strstr(h.log.data, "info train: continuing from a model of 5 rounds"));
        /* Round numbers go on: best_iteration counts the start model's rounds too. */
        assert_int_equal(strncmp(h.lines.data, "[5]\ttrain-logloss:", 18), 0);
        assert_non_null(strstr(h.lines.data, "\n[7]\t"));
        heard_done(&h);
        bli_training_free(t);
        bli_training_free(start);
        matrix_free(rows);
        job_free(job);
    }
}

static void test_nothing_sampled_continues_like_one_training(void **state)
{
    (void)state;
    bl_job *job = job_new("reg:squarederror", 4);
    bl_matrix *rows = matrix_new(600, 4, 2, 0, 2);
    bl_training *t;
    bl_err err = {0};
    bl_training *start = first_model(job, rows);
    CHECK_OK(train_from(job, rows, NULL, NULL, start, &t, &err), err);
    job->num_round = 8;
    bl_training *whole = first_model(job, rows);
    assert_int_equal(t->n_ubj, whole->n_ubj);
    assert_memory_equal(t->ubj, whole->ubj, t->n_ubj);
    bli_training_free(t);
    bli_training_free(start);
    bli_training_free(whole);
    matrix_free(rows);
    job_free(job);
}

static void test_best_round_is_dropped_and_set_anew(void **state)
{
    (void)state;
    bl_job *job = job_new("binary:logistic", 30);
    bl_matrix *rows = matrix_new(400, 4, 2, 0, 8);
    bl_matrix *validation = matrix_new(150, 4, 1, 0, 9);
    bl_training *start, *t;
    bl_err err = {0};
    job_param(job, "eta", "1");
    job->early_stopping_rounds = 3;
    CHECK_OK(train(job, rows, validation, NULL, &start, &err), err);
    assert_non_null(memmem(start->ubj, start->n_ubj, "best_iteration", 14));
    job->early_stopping_rounds = 0;
    job->num_round = 2;
    CHECK_OK(train_from(job, rows, validation, NULL, start, &t, &err), err);
    assert_null(memmem(t->ubj, t->n_ubj, "best_iteration", 14));
    assert_null(memmem(t->ubj, t->n_ubj, "best_score", 10));
    assert_int_equal(t->best_iteration, -1);
    assert_int_equal(rounds_of(t), rounds_of(start) + 2);
    bli_training_free(t);
    job->early_stopping_rounds = 2;
    job->num_round = 20;
    CHECK_OK(train_from(job, rows, validation, NULL, start, &t, &err), err);
    assert_true(t->best_iteration >= rounds_of(start));
    assert_int_equal(rounds_of(t), t->best_iteration + 1);
    bli_training_free(t);
    bli_training_free(start);
    matrix_free(rows);
    matrix_free(validation);
    job_free(job);
}

/* A model of `start_objective` continued by a job that does not fit. */
static void fails(const char *start_objective, const char *start_classes,
                  const char *objective, const char *classes, size_t n_features,
                  const char *says)
{
    bl_job *first = job_new(start_objective, 2);
    bl_job *second = job_new(objective, 2);
    bl_matrix *rows = matrix_new(200, 3, 1, 0, 3);
    bl_matrix *others = matrix_new(200, n_features, 1, 0, 3);
    bl_training *t = NULL;
    bl_err err = {0};
    if (start_classes)
        job_param(first, "num_class", start_classes);
    if (classes)
        job_param(second, "num_class", classes);
    bl_training *start = first_model(first, rows);
    bl_status st = train_from(second, others, NULL, NULL, start, &t, &err);
    CHECK_FAILS(st, BL_E_MODEL, err, says);
    assert_null(t);
    bli_training_free(start);
    matrix_free(rows);
    matrix_free(others);
    job_free(first);
    job_free(second);
}

static void test_models_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    fails("binary:logistic", NULL, "binary:logistic", NULL, 4,
          "model channel: it has 3 features, the training data 4: continue with the "
          "columns it "
          "was trained on");
    fails("multi:softprob", "3", "multi:softprob", "4", 3,
          "model channel: it has 3 outputs, the job 4");
    fails(
        "reg:squarederror", NULL, "binary:logistic", NULL, 3,
        "its objective is reg:squarederror, whose scores are plain numbers; the job's is "
        "binary:logistic, whose scores are log-odds");
}

static void test_names_must_agree(void **state)
{
    (void)state;
    bl_job *job = job_new("binary:logistic", 2);
    bl_matrix *rows = matrix_new(200, 3, 1, 0, 4);
    bl_schema *schema = (bl_schema *)(uintptr_t)rows->schema;
    bl_training *t = NULL;
    bl_err err = {0};
    schema->has_names = true;
    bl_training *start = first_model(job, rows);
    CHECK_OK(train_from(job, rows, NULL, NULL, start, &t, &err), err);
    bli_training_free(t);
    t = NULL;
    free(schema->features[2].name);
    schema->features[2].name = strdup("age");
    bl_status st = train_from(job, rows, NULL, NULL, start, &t, &err);
    CHECK_FAILS(
        st, BL_E_MODEL, err,
        "model channel: its feature 2 is 'f2', the training data's is 'age': the columns "
        "must be the same in the same order");
    bli_training_free(start);
    matrix_free(rows);
    job_free(job);
}

static void test_boosters_must_agree(void **state)
{
    (void)state;
    bl_job *trees = job_new("binary:logistic", 2);
    bl_job *linear = job_new("binary:logistic", 2);
    bl_matrix *rows = matrix_new(200, 3, 1, 0, 4);
    bl_training *t = NULL;
    bl_err err = {0};
    job_param(linear, "booster", "gblinear");
    bl_training *start = first_model(trees, rows);
    bl_status st = train_from(linear, rows, NULL, NULL, start, &t, &err);
    CHECK_FAILS(st, BL_E_MODEL, err, "its booster is gbtree, the job's is gblinear");
    bli_training_free(start);
    matrix_free(rows);
    job_free(trees);
    job_free(linear);
}

static void test_a_change_of_objective_is_said(void **state)
{
    (void)state;
    bl_job *first = job_new("reg:squarederror", 2);
    bl_job *second = job_new("reg:absoluteerror", 2);
    bl_matrix *rows = matrix_new(200, 3, 1, 0, 4);
    heard h = {.cancel_after = -1};
    bl_training *t;
    bl_err err = {0};
    bl_training *start = first_model(first, rows);
    CHECK_OK(train_from(second, rows, NULL, &h, start, &t, &err), err);
    assert_non_null(strstr(h.log.data,
                           "warning train: the start model was trained with "
                           "objective reg:squarederror, this job goes on with "
                           "reg:absoluteerror"));
    heard_done(&h);
    bli_training_free(t);
    bli_training_free(start);
    matrix_free(rows);
    job_free(first);
    job_free(second);
}

static void test_update_refreshes_trees(void **state)
{
    (void)state;
    static const char *const updaters[] = {"refresh", "prune", "refresh,prune"};
    bl_job *job = job_new("binary:logistic", 4);
    bl_matrix *rows = matrix_new(600, 4, 3, 0, 5);
    bl_matrix *others = matrix_new(600, 4, 3, 0, 6);
    bl_training *start = first_model(job, rows);
    for (size_t i = 0; i < 3; i++) {
        bl_job *update = job_new("binary:logistic", 4);
        heard h = {.cancel_after = -1};
        bl_training *t = NULL;
        bl_err err = {0};
        job_param(update, "process_type", "update");
        job_param(update, "updater", updaters[i]);
        job_param(update, "refresh_leaf", "1");
        CHECK_OK(train_from(update, others, NULL, &h, start, &t, &err), err);
        assert_int_equal(rounds_of(t), 4);
        size_t width;
        float *a = plain_predict(start->ubj, start->n_ubj, others, 1, &width);
        float *b = plain_predict(t->ubj, t->n_ubj, others, 1, &width);
        bool same = !memcmp(a, b, 600 * sizeof *a);
        CHECK(same == (i == 1), "%s: %d", updaters[i], same);
        free(a);
        free(b);
        bli_training_free(t);
        t = NULL;
        update->num_round = 5;
        bl_status st = train_from(update, others, NULL, NULL, start, &t, &err);
        CHECK_FAILS(
            st, BL_E_CONFIG, err,
            "process_type=update goes over the 4 rounds of the start model, num_round is "
            "5: give at most 4");
        heard_done(&h);
        job_free(update);
    }
    bli_training_free(start);
    matrix_free(rows);
    matrix_free(others);
    job_free(job);
}

static void test_update_never_stops_early(void **state)
{
    (void)state;
    bl_job *job = job_new("binary:logistic", 4);
    bl_matrix *rows = matrix_new(300, 4, 1, 0, 5);
    bl_matrix *validation = matrix_new(100, 4, 1, 0, 6);
    bl_training *start = first_model(job, rows), *t;
    heard h = {.cancel_after = -1};
    bl_err err = {0};
    job_param(job, "process_type", "update");
    job_param(job, "updater", "refresh");
    job->early_stopping_rounds = 1;
    job->num_round = 3;
    CHECK_OK(train_from(job, rows, validation, &h, start, &t, &err), err);
    assert_non_null(
        strstr(h.log.data, "early_stopping_rounds has no effect with process_type"));
    assert_non_null(
        strstr(h.log.data, "num_round=3 keeps only that many of the start model's 4"));
    assert_int_equal(rounds_of(t), 3);
    heard_done(&h);
    bli_training_free(t);
    bli_training_free(start);
    matrix_free(rows);
    matrix_free(validation);
    job_free(job);
}

static void test_no_model_is_said_with_its_channel(void **state)
{
    (void)state;
    bl_job *job = job_new("binary:logistic", 1);
    bl_matrix *rows = matrix_new(50, 3, 1, 0, 5);
    char bytes[] = "\x80\x04\x95rest";
    bl_training pickle = {.ubj = bytes, .n_ubj = sizeof bytes - 1};
    bl_training *t = NULL;
    bl_err err = {0};
    bl_status st = train_from(job, rows, NULL, NULL, &pickle, &t, &err);
    CHECK_FAILS(st, BL_E_MODEL, err, "model channel: this is a Python pickle");
    matrix_free(rows);
    job_free(job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_num_round_more_rounds_are_trained),
        cmocka_unit_test(test_nothing_sampled_continues_like_one_training),
        cmocka_unit_test(test_best_round_is_dropped_and_set_anew),
        cmocka_unit_test(test_models_that_do_not_fit_are_refused),
        cmocka_unit_test(test_names_must_agree),
        cmocka_unit_test(test_boosters_must_agree),
        cmocka_unit_test(test_a_change_of_objective_is_said),
        cmocka_unit_test(test_update_refreshes_trees),
        cmocka_unit_test(test_update_never_stops_early),
        cmocka_unit_test(test_no_model_is_said_with_its_channel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
