/* SPDX-License-Identifier: Apache-2.0 */
/* A round that does not end in time after a stop: what the process leaves, and how it ends. Each
 * job runs in a process of its own, because it ends by the clock. */
#include "check.h"

#include "base/fs.h"
#include "job/job_priv.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char root[] = "/tmp/boostlens-giveup-XXXXXX";
static volatile sig_atomic_t stop;
static int slow_round, stop_round; /* from 0; -1: never */

/* XGBoost's, but some rounds take long; in the program it is found before the library's. */
int XGBoosterUpdateOneIter(void *booster, int round, void *matrix);
__attribute__((visibility("default"))) int XGBoosterUpdateOneIter(void *booster,
                                                                  int round, void *matrix)
{
    int (*real)(void *, int, void *);
    void *found = dlsym(RTLD_NEXT, "XGBoosterUpdateOneIter");
    memcpy(&real, &found, sizeof real);
    if (round == stop_round)
        stop = 1;
    if (round == slow_round)
        sleep(60); /* the clock comes long before */
    else
        usleep(200000); /* long enough that a checkpoint after each is worth its cost */
    return real(booster, round, matrix);
}

static int teardown(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

static int setup(void **state)
{
    (void)state;
    return mkdtemp(root) ? 0 : -1;
}

static void gave_up(void *cookie, bl_status status, const char *sentence)
{
    FILE *file = fopen(cookie, "w");
    if (file) {
        fputs(sentence, file);
        fclose(file);
    }
    _exit(bli_status_exit_code(status));
}

static void metric_line(void *cookie, const char *line)
{
    (void)cookie;
    (void)line;
}

static void put(const char *folder, const char *name, const char *text)
{
    char path[400];
    bl_err err = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    *strrchr(path, '/') = '\0';
    CHECK_OK(bli_make_folder(path, 0755, &err), err);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    CHECK_OK(bli_write_file(path, 0644, text, strlen(text), &err), err);
}

/* Runs a job in a process of its own; its exit code, and what it said at the end. */
static int run(const char *name, const char *more, bool checkpoints, char folder[256],
               char said[1024])
{
    char text[512], said_path[300];
    bl_buf rows = {0};
    snprintf(folder, 256, "%s/%s", root, name);
    snprintf(text, sizeof text,
             "{\"num_round\": 8, \"objective\": \"binary:logistic\", \"nthread\": 1, "
             "\"bl_explain\": \"none\", \"bl_isolation\": \"off\", "
             "\"bl_checkpoint_seconds\": 0%s}",
             more);
    put(folder, "input/config/hyperparameters.json", text);
    put(folder, "input/config/inputdataconfig.json",
        "{\"train\": {\"ContentType\": \"text/csv\"}}");
    if (checkpoints)
        put(folder, "input/config/checkpointconfig.json", "{}");
    for (int i = 0; i < 100; i++)
        bli_buf_printf(&rows, "%d,%d,%d.5\n", i % 2, i * 7 % 13, i % 2 * 2 + i % 5);
    put(folder, "input/data/train/a.csv", rows.data);
    bli_buf_done(&rows);
    snprintf(said_path, sizeof said_path, "%s/said", folder);
    pid_t child = fork();
    if (child == 0) {
        const bl_run job = {.root = folder,
                            .metric_line = metric_line,
                            .cookie = said_path,
                            .stop = &stop,
                            .give_up_seconds = 1,
                            .gave_up = gave_up};
        bl_err err = {0};
        _exit(bli_status_exit_code(bli_job_train(&job, &err)));
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status), "ended by signal %d", WTERMSIG(status));
    bl_buf sentence = {0};
    said[0] = '\0';
    if (bli_read_file(said_path, 1000, &sentence, NULL) == BL_OK)
        snprintf(said, 1024, "%s", sentence.data);
    bli_buf_done(&sentence);
    return WEXITSTATUS(status);
}

static size_t rounds_of_model(const char *folder)
{
    char path[300];
    bl_buf bytes = {0};
    bl_forest *forest;
    bl_err err = {0};
    bl_limits limits = bli_limits();
    snprintf(path, sizeof path, "%s/model/xgboost-model", folder);
    if (!bli_exists(path))
        return 0;
    CHECK_OK(bli_read_file(path, 1 << 24, &bytes, &err), err);
    CHECK_OK(bli_forest_read(bytes.data, bytes.n, &limits, NULL, &forest, &err), err);
    size_t n = forest->n_rounds;
    bli_forest_free(forest);
    bli_buf_done(&bytes);
    return n;
}

static void test_the_newest_checkpoints_rounds_become_the_model(void **state)
{
    (void)state;
    char folder[256], said[1024];
    slow_round = stop_round = 5;
    int code =
        run("saved", ", \"save_model_on_termination\": \"true\"", true, folder, said);
    CHECK(code == 0, "exit %d: %s", code, said);
    assert_non_null(
        strstr(said, "not finished within 1 s of the stop signal and is given up"));
    size_t rounds = rounds_of_model(folder);
    CHECK(rounds >= 1 && rounds <= 5, "%zu rounds", rounds);
    char path[300];
    snprintf(path, sizeof path, "%s/model/boostlens/boostlens.json", folder);
    assert_true(bli_exists(path));
}

static void test_where_no_model_is_asked_for_or_none_can_be_made_it_is_143(void **state)
{
    (void)state;
    char folder[256], said[1024];
    slow_round = stop_round = 2;
    assert_int_equal(run("unasked", "", true, folder, said), 143);
    assert_non_null(strstr(said, "there is no model"));
    assert_int_equal(rounds_of_model(folder), 0);
    assert_int_equal(
        run("no-place", ", \"save_model_on_termination\": \"true\"", false, folder, said),
        143);
    assert_int_equal(rounds_of_model(folder), 0);
    slow_round = stop_round = 0;
    assert_int_equal(
        run("none-yet", ", \"save_model_on_termination\": \"true\"", true, folder, said),
        143);
    assert_non_null(strstr(said, "there is no checkpoint"));
    assert_int_equal(rounds_of_model(folder), 0);
}

static void test_a_round_that_ends_in_time_is_not_given_up(void **state)
{
    (void)state;
    char folder[256], said[1024];
    slow_round = -1;
    stop_round = 3;
    assert_int_equal(
        run("in-time", ", \"save_model_on_termination\": \"true\"", true, folder, said),
        0);
    assert_string_equal(said, "");
    assert_int_equal(rounds_of_model(folder), 4);
    assert_int_equal(run("stopped", "", true, folder, said), 143);
    assert_string_equal(said, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_newest_checkpoints_rounds_become_the_model),
        cmocka_unit_test(test_where_no_model_is_asked_for_or_none_can_be_made_it_is_143),
        cmocka_unit_test(test_a_round_that_ends_in_time_is_not_given_up),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
