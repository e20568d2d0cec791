/* SPDX-License-Identifier: Apache-2.0 */
/* A training that is interrupted again and again ends in the bytes of one that never was. */
#include "help.h"

#include "base/fs.h"
#include "base/rng.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char root[] = "/tmp/boostlens-checkpoint-XXXXXX";

static int setup(void **state)
{
    (void)state;
    return mkdtemp(root) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

static const bl_checkpoint_item same_job[] = {{"channel train", "abc"}, {"eta", "0.3"}};

/* A fresh folder; a checkpoint after every round. */
static bl_checkpoints fresh_place(char folder[256])
{
    static int number;
    snprintf(folder, 256, "%s/%d", root, number++);
    return (bl_checkpoints){.folder = folder,
                            .job_name = "a-job",
                            .n_items = 2,
                            .items = same_job,
                            .keep = 3};
}

/* The number of the newest checkpoint; -1: there is none. */
static int newest(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    int most = -1, n;
    while (dir && (entry = readdir(dir)))
        if (sscanf(entry->d_name, "xgboost-checkpoint.%d", &n) == 1 && n > most)
            most = n;
    if (dir)
        closedir(dir);
    return most;
}

static void delete_newest(const char *folder)
{
    char path[320];
    snprintf(path, sizeof path, "%s/xgboost-checkpoint.%d", folder, newest(folder));
    assert_int_equal(unlink(path), 0);
}

/* --- Kinds of training -------------------------------------------------------------- */

typedef struct kind {
    const char *name;
    const char *objective;
    const char *params[8][2];
    int64_t early_stopping;
    bool groups, continues;
} kind;

static const kind kinds[] = {
    {"plain", "binary:logistic", {{NULL}}, 0, false, false},
    {"subsample",
     "binary:logistic",
     {{"subsample", "0.4"}, {"seed", "3"}},
     0,
     false,
     false},
    {"colsample",
     "reg:squarederror",
     {{"colsample_bytree", "0.5"},
      {"colsample_bylevel", "0.6"},
      {"colsample_bynode", "0.7"}},
     0,
     false,
     false},
    {"seed per iteration",
     "reg:squarederror",
     {{"subsample", "0.5"}, {"seed_per_iteration", "true"}},
     0,
     false,
     false},
    {"dart",
     "binary:logistic",
     {{"booster", "dart"}, {"rate_drop", "0.3"}, {"subsample", "0.7"}},
     0,
     false,
     false},
    {"dart weighted",
     "reg:squarederror",
     {{"booster", "dart"},
      {"rate_drop", "0.2"},
      {"skip_drop", "0.4"},
      {"sample_type", "weighted"},
      {"normalize_type", "forest"}},
     0,
     false,
     false},
    {"early stopping",
     "binary:logistic",
     {{"eta", "0.9"}, {"subsample", "0.6"}},
     4,
     false,
     false},
    {"parallel trees",
     "binary:logistic",
     {{"num_parallel_tree", "3"}, {"subsample", "0.5"}, {"colsample_bynode", "0.6"}},
     0,
     false,
     false},
    {"gradient_based",
     "binary:logistic",
     {{"tree_method", "hist"},
      {"sampling_method", "gradient_based"},
      {"subsample", "0.3"}},
     0,
     false,
     false},
    {"lossguide",
     "binary:logistic",
     {{"grow_policy", "lossguide"}, {"max_leaves", "6"}, {"subsample", "0.8"}},
     0,
     false,
     false},
    {"approx",
     "binary:logistic",
     {{"tree_method", "approx"}, {"subsample", "0.6"}},
     0,
     false,
     false},
    {"exact",
     "binary:logistic",
     {{"tree_method", "exact"}, {"subsample", "0.6"}, {"colsample_bylevel", "0.5"}},
     0,
     false,
     false},
    {"classes",
     "multi:softprob",
     {{"num_class", "2"}, {"subsample", "0.6"}},
     0,
     false,
     false},
    {"ranking", "rank:ndcg", {{"lambdarank_pair_method", "mean"}}, 0, true, false},
    {"median", "reg:absoluteerror", {{"subsample", "0.5"}}, 0, false, false},
    {"linear",
     "reg:squarederror",
     {{"booster", "gblinear"},
      {"updater", "coord_descent"},
      {"eta", "0.2"},
      {"lambda", "0.5"}},
     4,
     false,
     false},
    {"linear random",
     "reg:squarederror",
     {{"booster", "gblinear"},
      {"updater", "coord_descent"},
      {"feature_selector", "random"}},
     0,
     false,
     false},
    {"continued", "binary:logistic", {{"subsample", "0.5"}}, 0, false, true},
    {"continued, stopping",
     "binary:logistic",
     {{"subsample", "0.5"}, {"eta", "0.9"}},
     3,
     false,
     true},
    {"monotone and constrained",
     "binary:logistic",
     {{"monotone_constraints", "(1,0,-1)"},
      {"interaction_constraints", "[[0, 1], [2, 3]]"}},
     0,
     false,
     false},
};

static bl_job *job_of(const kind *k)
{
    bl_job *job = job_new(k->objective, 17);
    for (size_t i = 0; i < 8 && k->params[i][0]; i++)
        job_param(job, k->params[i][0], k->params[i][1]);
    if (strcmp(job->booster, "gblinear") != 0)
        job_param(job, "max_depth", "3");
    if (!strncmp(k->objective, "binary", 6)) {
        job_metric(job, "logloss");
        job_metric(job, "f1");
        job_metric(job, "auc");
    }
    job->early_stopping_rounds = k->early_stopping;
    return job;
}

typedef struct data {
    bl_matrix *train, *validation;
    bl_training *start;
} data;

/* Anew each time, as in a new process: some trainings take the cells over. */
static data data_of(const kind *k)
{
    data d = {matrix_new(400, 4, 3, 9, 5), matrix_new(150, 4, 1, 9, 6), NULL};
    if (k->groups) {
        matrix_groups(d.train, 20);
        matrix_groups(d.validation, 15);
    }
    if (k->continues) {
        bl_err err = {0};
        bl_job *job = job_new(k->objective, 3);
        bl_matrix *rows = matrix_new(400, 4, 3, 9, 5);
        CHECK_OK(train(job, rows, NULL, NULL, &d.start, &err), err);
        matrix_free(rows);
        job_free(job);
    }
    return d;
}

static void data_done(data *d)
{
    matrix_free(d->train);
    matrix_free(d->validation);
    bli_training_free(d->start);
}

/* One process: as far as it gets. */
static bl_status run_once(const kind *k, int64_t rounds, const bl_checkpoints *place,
                          bl_buf *lines, bl_training **ret)
{
    data d = data_of(k);
    bl_job *job = job_of(k);
    heard h = {.cancel_after = rounds, .checkpoints = place};
    bl_err err = {0};
    bl_status st = train_from(job, d.train, d.validation, &h, d.start, ret, &err);
    CHECK(st == BL_OK || st == BL_E_CANCELLED, "%s: %s", k->name, err.msg);
    if (h.lines.n)
        bli_buf_add(lines, h.lines.data, h.lines.n);
    heard_done(&h);
    job_free(job);
    data_done(&d);
    return st;
}

static void must_be_equal(const kind *k, const bl_training *a, const bl_training *b)
{
    CHECK(a->n_ubj == b->n_ubj && memcmp(a->ubj, b->ubj, a->n_ubj) == 0,
          "%s: another model (%zu and %zu bytes)", k->name, a->n_ubj, b->n_ubj);
    CHECK(a->n_rounds == b->n_rounds && a->stopped_early == b->stopped_early &&
              a->best_iteration == b->best_iteration && a->n_histories == b->n_histories,
          "%s: %zu and %zu rounds, best %lld and %lld", k->name, a->n_rounds, b->n_rounds,
          (long long)a->best_iteration, (long long)b->best_iteration);
    for (size_t i = 0; i < a->n_histories; i++) {
        const bl_metric_history *x = &a->histories[i], *y = &b->histories[i];
        CHECK(x->n_rounds == y->n_rounds && strcmp(x->metric, y->metric) == 0 &&
                  strcmp(x->data, y->data) == 0 &&
                  memcmp(x->values, y->values, x->n_rounds * sizeof(double)) == 0,
              "%s: another history of %s-%s", k->name, x->data, x->metric);
    }
}

static void test_every_kind_of_training_resumes_to_the_same_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const kind *k = &kinds[i];
        char folder[256];
        bl_checkpoints place = fresh_place(folder);
        bl_training *whole, *resumed;
        bl_buf whole_lines = {0}, lines = {0};
        CHECK(run_once(k, -1, NULL, &whole_lines, &whole) == BL_OK, "%s", k->name);
        /* Every second, third, ... round a stop; the lines of all runs make the whole. */
        int runs = 0;
        bl_status st;
        do {
            resumed = NULL;
            st = run_once(k, 2 + runs % 4, &place, &lines, &resumed);
            CHECK(st == BL_OK, "%s", k->name);
            if (resumed->interrupted) {
                bli_training_free(resumed);
                resumed = NULL;
            }
            CHECK(++runs < 40, "%s: no progress", k->name);
        } while (!resumed);
        CHECK(runs > 2, "%s: %d runs", k->name, runs);
        must_be_equal(k, whole, resumed);
        CHECK(whole_lines.n == lines.n &&
                  memcmp(whole_lines.data, lines.data, lines.n) == 0,
              "%s: other lines:\n%s\n---\n%s", k->name, whole_lines.data, lines.data);
        bli_buf_done(&whole_lines);
        bli_buf_done(&lines);
        bli_training_free(whole);
        bli_training_free(resumed);
    }
}

static void test_a_training_that_falls_back_to_an_older_checkpoint_ends_in_the_same_bytes(
    void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const kind *k = &kinds[i];
        char folder[256];
        bl_checkpoints place = fresh_place(folder);
        bl_training *whole, *resumed = NULL;
        bl_buf lines = {0};
        CHECK(run_once(k, -1, NULL, &lines, &whole) == BL_OK, "%s", k->name);
        CHECK(run_once(k, 6, &place, &lines, &resumed) == BL_OK, "%s", k->name);
        bli_training_free(resumed);
        delete_newest(folder);
        delete_newest(folder);
        CHECK(run_once(k, -1, &place, &lines, &resumed) == BL_OK, "%s", k->name);
        must_be_equal(k, whole, resumed);
        bli_training_free(resumed);
        /* Over: nothing is trained again, and the result is the same. */
        bl_buf none = {0};
        CHECK(run_once(k, -1, &place, &none, &resumed) == BL_OK, "%s", k->name);
        must_be_equal(k, whole, resumed);
        CHECK(none.n == 0, "%s: trained again: %s", k->name, none.data);
        bli_buf_done(&lines);
        bli_training_free(whole);
        bli_training_free(resumed);
    }
}

static void test_more_rounds_than_the_checkpoint_had_are_trained_on(void **state)
{
    (void)state;
    char folder[256];
    bl_checkpoints place = fresh_place(folder);
    bl_matrix *rows = matrix_new(400, 4, 3, 9, 5);
    bl_job *job = job_new("binary:logistic", 12);
    job_param(job, "subsample", "0.5");
    bl_training *whole, *t;
    bl_err err = {0};
    heard h = {.cancel_after = -1, .checkpoints = &place};
    CHECK_OK(train(job, rows, NULL, NULL, &whole, &err), err);
    job->num_round = 5;
    CHECK_OK(train(job, rows, NULL, &h, &t, &err), err);
    bli_training_free(t);
    job->num_round = 12;
    CHECK_OK(train(job, rows, NULL, &h, &t, &err), err);
    assert_int_equal(t->n_ubj, whole->n_ubj);
    assert_memory_equal(t->ubj, whole->ubj, t->n_ubj);
    bli_training_free(t);
    /* Fewer are another job. */
    job->num_round = 7;
    bl_status st = train(job, rows, NULL, &h, &t, &err);
    CHECK_FAILS(st, BL_E_CONFIG, err, "num_round is 7, less than the 12");
    heard_done(&h);
    bli_training_free(whole);
    matrix_free(rows);
    job_free(job);
}

/* What XGBoost does not serialize is not resumed from the middle, and that is said. */
static void test_what_cannot_be_resumed_bit_for_bit_starts_anew_and_says_so(void **state)
{
    (void)state;
    static const kind lossy[] = {
        {"unbiased", "rank:ndcg", {{"lambdarank_unbiased", "true"}}, 0, true, false},
        {"shuffle",
         "reg:squarederror",
         {{"booster", "gblinear"},
          {"updater", "coord_descent"},
          {"feature_selector", "shuffle"}},
         0,
         false,
         false},
        {"update",
         "binary:logistic",
         {{"process_type", "update"}, {"updater", "refresh"}},
         0,
         false,
         true},
    };
    for (size_t i = 0; i < sizeof lossy / sizeof *lossy; i++) {
        const kind *k = &lossy[i];
        char folder[256];
        bl_checkpoints place = fresh_place(folder);
        bl_training *whole, *resumed;
        bl_err err = {0};
        data d = data_of(k);
        bl_job *job = job_of(k);
        job->num_round = 3;
        heard h = {.cancel_after = 2, .checkpoints = &place};
        CHECK_OK(train_from(job, d.train, d.validation, NULL, d.start, &whole, &err),
                 err);
        data_done(&d);
        d = data_of(k);
        CHECK_OK(train_from(job, d.train, d.validation, &h, d.start, &resumed, &err),
                 err);
        CHECK(resumed->interrupted && newest(folder) < 0, "%s", k->name);
        CHECK(strstr(h.log.data, "starts again at round 0"), "%s: %s", k->name,
              h.log.data);
        bli_training_free(resumed);
        data_done(&d);
        for (int again = 0; again < 2; again++) { /* the end is kept */
            d = data_of(k);
            h.cancel_after = -1;
            CHECK_OK(train_from(job, d.train, d.validation, &h, d.start, &resumed, &err),
                     err);
            must_be_equal(k, whole, resumed);
            assert_true(newest(folder) >= 0);
            bli_training_free(resumed);
            data_done(&d);
        }
        heard_done(&h);
        bli_training_free(whole);
        job_free(job);
    }
}

static void test_the_newest_checkpoints_rounds_make_a_model_of_their_own(void **state)
{
    (void)state;
    char folder[256];
    bl_checkpoints place = fresh_place(folder);
    bl_matrix *rows = matrix_new(400, 4, 3, 9, 5);
    bl_job *job = job_new("binary:logistic", 30);
    bl_training *stopped, *given_up;
    bl_err err = {0};
    heard h = {.cancel_after = 4, .checkpoints = &place};
    bl_train_input input = {
        .job = job, .train = rows, .nthread = 1, .checkpoints = &place};
    CHECK_FAILS(bli_train_newest(&input, &given_up, &err), BL_E_CANCELLED, err,
                "there is no checkpoint");
    CHECK_OK(train(job, rows, NULL, &h, &stopped, &err), err);
    CHECK_OK(bli_train_newest(&input, &given_up, &err), err);
    assert_int_equal(given_up->n_rounds, 4);
    assert_true(given_up->interrupted);
    assert_int_equal(given_up->n_ubj, stopped->n_ubj);
    assert_memory_equal(given_up->ubj, stopped->ubj, stopped->n_ubj);
    bli_training_free(stopped);
    bli_training_free(given_up);
    heard_done(&h);
    matrix_free(rows);
    job_free(job);
}

static void test_the_interval_holds_checkpoints_back(void **state)
{
    (void)state;
    char folder[256];
    bl_checkpoints place = fresh_place(folder);
    bl_matrix *rows = matrix_new(200, 4, 1, 0, 5);
    bl_job *job = job_new("binary:logistic", 9);
    bl_training *t;
    bl_err err = {0};
    heard h = {.cancel_after = -1, .checkpoints = &place};
    place.seconds = 3600;
    place.keep = 100;
    CHECK_OK(train(job, rows, NULL, &h, &t, &err), err);
    /* Only the one that says training is over. */
    char path[320];
    for (int i = 0; i < 9; i++) {
        snprintf(path, sizeof path, "%s/xgboost-checkpoint.%d", folder, i);
        CHECK(bli_exists(path) == (i == 8), "%s", path);
    }
    bli_training_free(t);
    heard_done(&h);
    matrix_free(rows);
    job_free(job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_of_training_resumes_to_the_same_bytes),
        cmocka_unit_test(
            test_a_training_that_falls_back_to_an_older_checkpoint_ends_in_the_same_bytes),
        cmocka_unit_test(test_more_rounds_than_the_checkpoint_had_are_trained_on),
        cmocka_unit_test(test_what_cannot_be_resumed_bit_for_bit_starts_anew_and_says_so),
        cmocka_unit_test(test_the_newest_checkpoints_rounds_make_a_model_of_their_own),
        cmocka_unit_test(test_the_interval_holds_checkpoints_back),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
