/* SPDX-License-Identifier: Apache-2.0 */
/* The metric line byte for byte, histories, custom metrics, early stopping. */
#include "help.h"

#include <stdlib.h>

/* XGBoost's own text of a round ("[3]\ttrain-auc:0.812345...") with every value rounded
 * as the metric line has it: the independent truth for lines without custom metrics. */
static void round_texts(const char *texts, bl_buf *out)
{
    while (*texts) {
        const char *colon = texts + strcspn(texts, ":\n");
        bli_buf_add(out, texts, (size_t)(colon - texts));
        texts = colon;
        if (*colon == ':') {
            char *end;
            double value = strtod(colon + 1, &end);
            bli_buf_printf(out, ":%.5f", value);
            texts = end;
        }
        if (*texts == '\n')
            bli_buf_char(out, *texts++);
    }
}

static void check_lines(const bl_job *job, bl_matrix *rows, bl_matrix *validation)
{
    bl_buf ubj = {0}, texts = {0}, want = {0};
    heard h = {.cancel_after = -1};
    bl_training *t;
    bl_err err = {0};
    plain_train(job, rows, validation, &ubj, &texts);
    round_texts(texts.data, &want);
    CHECK_OK(train(job, rows, validation, &h, &t, &err), err);
    CHECK(!strcmp(h.lines.data, want.data), "\n%s\nis not\n%s", h.lines.data, want.data);
    bli_training_free(t);
    heard_done(&h);
    bli_buf_done(&ubj);
    bli_buf_done(&texts);
    bli_buf_done(&want);
}

static void test_lines_are_xgboosts_values_with_five_decimals(void **state)
{
    (void)state;
    static const char *const metrics[] = {"logloss", "auc",   "error@0.8", "aucpr",
                                          "error",   "map@3", "ndcg@5-",   "rmse"};
    bl_job *job = job_new("binary:logistic", 6);
    bl_matrix *rows = matrix_new(700, 4, 3, 8, 1);
    bl_matrix *validation = matrix_new(300, 4, 2, 8, 2);
    for (size_t i = 0; i < 8; i++)
        job_metric(job, metrics[i]);
    check_lines(job, rows, NULL);
    check_lines(job, rows, validation);
    matrix_free(rows);
    matrix_free(validation);
    job_free(job);
}

static void test_default_metrics_have_their_names(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"binary:logistic", "[0]\ttrain-logloss:"},
        {"reg:squarederror", "[0]\ttrain-rmse:"},
        {"count:poisson", "[0]\ttrain-poisson-nloglik:"},
        {"reg:tweedie", "[0]\ttrain-tweedie-nloglik@1.5:"},
        {"rank:ndcg", "[0]\ttrain-ndcg@32:"}};
    for (size_t i = 0; i < 5; i++) {
        bl_job *job = job_new(cases[i][0], 2);
        bl_matrix *rows = matrix_new(200, 3, 1, 0, 3);
        matrix_groups(rows, 10);
        heard h = {.cancel_after = -1};
        bl_training *t;
        bl_err err = {0};
        check_lines(job, rows, rows);
        CHECK_OK(train(job, rows, NULL, &h, &t, &err), err);
        CHECK(!strncmp(h.lines.data, cases[i][1], strlen(cases[i][1])), "%s",
              h.lines.data);
        heard_done(&h);
        bli_training_free(t);
        matrix_free(rows);
        job_free(job);
    }
}

static void test_two_spellings_of_one_metric_both_stand(void **state)
{
    (void)state;
    /* XGBoost evaluates "error" once after "error@0.5", whose name it prints as "error".
     */
    static const char *const orders[2][2] = {{"error@0.5", "error"},
                                             {"error", "error@0.5"}};
    for (size_t i = 0; i < 2; i++) {
        bl_job *job = job_new("binary:logistic", 1);
        bl_matrix *rows = matrix_new(200, 3, 1, 0, 3);
        heard h = {.cancel_after = -1};
        bl_training *t;
        bl_err err = {0};
        job_metric(job, orders[i][0]);
        job_metric(job, orders[i][1]);
        CHECK_OK(train(job, rows, NULL, &h, &t, &err), err);
        double a, b;
        CHECK(sscanf(h.lines.data, "[0]\ttrain-error:%lf\ttrain-error:%lf\n", &a, &b) ==
                  2,
              "%s", h.lines.data);
        CHECK(fabs(a - b) < 1e-9, "%g %g", a, b);
        assert_int_equal(t->n_histories, 2);
        heard_done(&h);
        bli_training_free(t);
        matrix_free(rows);
        job_free(job);
    }
}

/* Share of rows whose probability is on the label's side of 0.5, by hand. */
static double accuracy_by_hand(const bl_training *t, const bl_matrix *rows)
{
    size_t width;
    uint64_t right = 0;
    float *p = plain_predict(t->ubj, t->n_ubj, rows, 0, &width);
    for (uint64_t i = 0; i < rows->n_rows; i++)
        right += (p[i] > 0.5F) == (rows->roles.labels[i] > 0.5F);
    free(p);
    return (double)right / (double)rows->n_rows;
}

static void test_custom_metrics_stand_where_they_were_asked_for(void **state)
{
    (void)state;
    bl_job *job = job_new("binary:logistic", 4);
    bl_matrix *rows = matrix_new(700, 4, 3, 0, 4);
    bl_matrix *validation = matrix_new(333, 4, 1, 0, 5);
    heard h = {.cancel_after = -1};
    bl_training *t;
    bl_err err = {0};
    job_metric(job, "f1");
    job_metric(job, "auc");
    job_metric(job, "accuracy");
    job_metric(job, "logloss");
    CHECK_OK(train(job, rows, validation, &h, &t, &err), err);
    char last[512];
    snprintf(last, sizeof last, "%s", strstr(h.lines.data, "[3]"));
    double v[8];
    CHECK(
        sscanf(last,
               "[3]\ttrain-f1:%lf\ttrain-auc:%lf\ttrain-accuracy:%lf\ttrain-logloss:%lf\t"
               "validation-f1:%lf\tvalidation-auc:%lf\tvalidation-accuracy:%lf\t"
               "validation-logloss:%lf\n",
               &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]) == 8,
        "%s", last);
    CHECK(fabs(v[2] - accuracy_by_hand(t, rows)) < 6e-6, "%g", v[2]);
    CHECK(fabs(v[6] - accuracy_by_hand(t, validation)) < 6e-6, "%g", v[6]);
    assert_int_equal(t->n_histories, 8);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(t->histories[i].n_rounds, 4);
        assert_string_equal(t->histories[i].data, i < 4 ? "train" : "validation");
        assert_string_equal(t->histories[i].metric, job->metrics[i % 4].name);
        CHECK(fabs(t->histories[i].values[3] - v[i]) < 6e-6, "%zu: %g, %g", i,
              t->histories[i].values[3], v[i]);
    }
    heard_done(&h);
    bli_training_free(t);
    matrix_free(rows);
    matrix_free(validation);
    job_free(job);
}

static void test_custom_metrics_alone_switch_the_default_off(void **state)
{
    (void)state;
    /* 0.123456 -> "0.12346"; three rows of which two are right: 0.666667 -> 0.66667. */
    bl_job *job = job_new("binary:logistic", 1);
    bl_matrix *rows = matrix_text("1 0\n0 0\n0 0\n", 1, 1);
    heard h = {.cancel_after = -1};
    bl_training *t;
    bl_err err = {0};
    job_metric(job, "accuracy");
    CHECK_OK(train(job, rows, NULL, &h, &t, &err), err);
    assert_string_equal(h.lines.data, "[0]\ttrain-accuracy:0.66667\n");
    assert_true(fabs(t->histories[0].values[0] - 0.666667) < 1e-12);
    heard_done(&h);
    bli_training_free(t);
    matrix_free(rows);
    job_free(job);
}

static void test_custom_class_of_softmax_is_its_prediction(void **state)
{
    (void)state;
    static const char *const objectives[] = {"multi:softmax", "multi:softprob"};
    double value[2];
    for (size_t i = 0; i < 2; i++) {
        bl_job *job = job_new(objectives[i], 3);
        bl_matrix *rows = matrix_new(500, 4, 1, 0, 6);
        heard h = {.cancel_after = -1};
        bl_training *t;
        bl_err err = {0};
        for (int r = 0; r < 500; r++)
            rows->roles.labels[r] += rows->blocks[0].x[r * 4 + 3] > 0.5F ? 1.0F : 0.0F;
        job_param(job, "num_class", "3");
        job_metric(job, "merror");
        job_metric(job, "accuracy");
        CHECK_OK(train(job, rows, NULL, &h, &t, &err), err);
        /* The metric XGBoost has for the same thing. */
        value[i] = t->histories[1].values[2];
        CHECK(fabs(1.0 - t->histories[0].values[2] - value[i]) < 1e-6, "%g", value[i]);
        heard_done(&h);
        bli_training_free(t);
        matrix_free(rows);
        job_free(job);
    }
    assert_true(fabs(value[0] - value[1]) < 1e-12);
}

static void test_auc_of_one_class_is_nan_and_said(void **state)
{
    (void)state;
    bl_job *job = job_new("binary:logistic", 3);
    bl_matrix *rows = matrix_new(300, 3, 1, 0, 7);
    bl_matrix *validation = matrix_text("1 0 0 0\n1 1 1 1\n", 3, 1);
    heard h = {.cancel_after = -1};
    bl_training *t;
    bl_err err = {0};
    job_metric(job, "auc");
    job->early_stopping_rounds = 2;
    CHECK_OK(train(job, rows, validation, &h, &t, &err), err);
    assert_non_null(strstr(h.lines.data, "\tvalidation-auc:nan\n[1]"));
    assert_non_null(
        strstr(h.log.data, "warning train: all validation labels are 1: auc"));
    /* XGBoost's own words, once though they come each round. */
    const char *once = strstr(h.log.data, "XGBoost: Dataset is empty, or contains only");
    assert_non_null(once);
    assert_null(strstr(once + 1, "XGBoost: Dataset is empty"));
    /* No round is better than another, so none is cut away. */
    assert_int_equal(t->best_iteration, -1);
    assert_int_equal(t->n_rounds, 3);
    assert_false(t->stopped_early);
    assert_non_null(
        strstr(h.log.data, "auc is nan in every round: all 3 rounds are kept"));
    heard_done(&h);
    bli_training_free(t);
    matrix_free(rows);
    matrix_free(validation);
    job_free(job);
}

/* --- Early stopping ----------------------------------------------------------------- */

/* Place of the best value: the first of the largest or smallest. */
static size_t best_of(const bl_metric_history *h, bool maximise)
{
    size_t best = 0;
    for (size_t i = 1; i < h->n_rounds; i++)
        if (maximise ? h->values[i] > h->values[best] : h->values[i] < h->values[best])
            best = i;
    return best;
}

static void check_stopping(const char *objective, const char *metric, bool maximise)
{
    bl_job *job = job_new(objective, 60);
    bl_matrix *rows = matrix_new(400, 4, 2, 0, 8);
    bl_matrix *validation = matrix_new(150, 4, 1, 0, 9);
    matrix_groups(rows, 20);
    matrix_groups(validation, 15);
    job_param(job, "eta", "1");
    job_metric(job, metric);
    job->early_stopping_rounds = 4;
    heard h = {.cancel_after = -1};
    bl_training *t;
    bl_err err = {0};
    CHECK_OK(train(job, rows, validation, &h, &t, &err), err);
    const bl_metric_history *watched = &t->histories[1];
    size_t best = best_of(watched, maximise);
    CHECK(t->best_iteration == (int64_t)best, "%s: best %lld, by hand %zu", metric,
          (long long)t->best_iteration, best);
    CHECK(fabs(t->best_score - watched->values[best]) < 1e-12, "%g", t->best_score);
    CHECK(!t->stopped_early || t->n_rounds == best + 5, "%zu rounds", t->n_rounds);
    CHECK(t->stopped_early == (t->n_rounds < 60), "%zu rounds", t->n_rounds);
    /* The model is that of the best round alone, and says so. */
    bl_buf want = {0};
    job->num_round = (int64_t)best + 1;
    plain_train(job, rows, validation, &want, NULL);
    size_t width;
    float *a = plain_predict(t->ubj, t->n_ubj, rows, 1, &width);
    float *b = plain_predict(want.data, want.n, rows, 1, &width);
    assert_memory_equal(a, b, rows->n_rows * sizeof *a);
    assert_non_null(memmem(t->ubj, t->n_ubj, "best_iteration", 14));
    assert_non_null(memmem(t->ubj, t->n_ubj, "best_score", 10));
    free(a);
    free(b);
    bli_buf_done(&want);
    heard_done(&h);
    bli_training_free(t);
    matrix_free(rows);
    matrix_free(validation);
    job_free(job);
}

static void test_stopping_follows_the_true_direction(void **state)
{
    (void)state;
    /* Case A47: ndcg@k and the minus behind it are maximised, mape is not. */
    check_stopping("binary:logistic", "logloss", false);
    check_stopping("binary:logistic", "auc", true);
    check_stopping("binary:logistic", "f1", true);
    check_stopping("rank:ndcg", "ndcg@5-", true);
    check_stopping("rank:ndcg", "ndcg@5", true);
    check_stopping("rank:ndcg", "map@3", true);
    check_stopping("binary:logistic", "mse", false);
    check_stopping("reg:squarederror", "rmse", false);
}

static void test_stopping_works_for_dart_and_linear(void **state)
{
    (void)state;
    static const char *const boosters[] = {"dart", "gblinear"};
    for (size_t i = 0; i < 2; i++) {
        bl_job *job = job_new("binary:logistic", 40);
        bl_matrix *rows = matrix_new(300, 4, 1, 0, 10);
        bl_matrix *validation = matrix_new(100, 4, 1, 0, 11);
        heard h = {.cancel_after = -1};
        bl_training *t;
        bl_err err = {0};
        job_param(job, "booster", boosters[i]);
        job_param(job, "eta", "1");
        job_metric(job, "error");
        job->early_stopping_rounds = 3;
        CHECK_OK(train(job, rows, validation, &h, &t, &err), err);
        assert_true(t->stopped_early);
        assert_int_equal(t->best_iteration, best_of(&t->histories[1], false));
        /* The model's own error on the validation rows is the best one. */
        size_t width, wrong = 0;
        float *p = plain_predict(t->ubj, t->n_ubj, validation, 0, &width);
        for (int r = 0; r < 100; r++)
            wrong += (p[r] > 0.5F) != (validation->roles.labels[r] > 0.5F);
        CHECK(fabs((double)wrong / 100 - t->best_score) < 1e-9, "%s: %zu wrong, best %g",
              boosters[i], wrong, t->best_score);
        free(p);
        heard_done(&h);
        bli_training_free(t);
        matrix_free(rows);
        matrix_free(validation);
        job_free(job);
    }
}

static void test_stopping_may_follow_another_than_the_last_metric(void **state)
{
    (void)state;
    bl_job *job = job_new("binary:logistic", 60);
    bl_matrix *rows = matrix_new(400, 4, 2, 0, 8);
    bl_matrix *validation = matrix_new(150, 4, 1, 0, 9);
    bl_training *t;
    bl_err err = {0};
    job_param(job, "eta", "1");
    job_metric(job, "auc");
    job_metric(job, "logloss");
    job->early_stopping_metric = strdup("auc");
    job->early_stopping_rounds = 4;
    CHECK_OK(train(job, rows, validation, NULL, &t, &err), err);
    assert_int_equal(t->best_iteration, best_of(&t->histories[2], true));
    bli_training_free(t);
    free(job->early_stopping_metric);
    job->early_stopping_metric = NULL;
    CHECK_OK(train(job, rows, validation, NULL, &t, &err), err);
    assert_int_equal(t->best_iteration, best_of(&t->histories[3], false));
    bli_training_free(t);
    matrix_free(rows);
    matrix_free(validation);
    job_free(job);
}

static void test_stopping_without_validation_is_said(void **state)
{
    (void)state;
    bl_job *job = job_new("binary:logistic", 5);
    bl_matrix *rows = matrix_new(100, 3, 1, 0, 12);
    heard h = {.cancel_after = -1};
    bl_training *t;
    bl_err err = {0};
    job->early_stopping_rounds = 1;
    CHECK_OK(train(job, rows, NULL, &h, &t, &err), err);
    assert_non_null(strstr(h.log.data,
                           "warning train: early_stopping_rounds has no effect "
                           "without a validation channel: all 5 rounds"));
    assert_int_equal(t->n_rounds, 5);
    assert_int_equal(t->best_iteration, -1);
    assert_true(isnan(t->best_score));
    heard_done(&h);
    bli_training_free(t);
    matrix_free(rows);
    job_free(job);
}

static void test_ties_in_ndcg_are_xgboosts(void **state)
{
    (void)state;
    /* Case A49: constant scores, labels 1,2 and 2,1. One value a row order; the line has
     * XGBoost's. */
    static const char *const orders[] = {"1 0\n2 0\n", "2 0\n1 0\n"};
    for (size_t i = 0; i < 2; i++) {
        bl_job *job = job_new("rank:ndcg", 1);
        bl_matrix *rows = matrix_text(orders[i], 1, 1);
        matrix_groups(rows, 2);
        job_metric(job, "ndcg@1");
        check_lines(job, rows, NULL);
        matrix_free(rows);
        job_free(job);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_are_xgboosts_values_with_five_decimals),
        cmocka_unit_test(test_default_metrics_have_their_names),
        cmocka_unit_test(test_two_spellings_of_one_metric_both_stand),
        cmocka_unit_test(test_custom_metrics_stand_where_they_were_asked_for),
        cmocka_unit_test(test_custom_metrics_alone_switch_the_default_off),
        cmocka_unit_test(test_custom_class_of_softmax_is_its_prediction),
        cmocka_unit_test(test_auc_of_one_class_is_nan_and_said),
        cmocka_unit_test(test_stopping_follows_the_true_direction),
        cmocka_unit_test(test_stopping_works_for_dart_and_linear),
        cmocka_unit_test(test_stopping_may_follow_another_than_the_last_metric),
        cmocka_unit_test(test_stopping_without_validation_is_said),
        cmocka_unit_test(test_ties_in_ndcg_are_xgboosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
