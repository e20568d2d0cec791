/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of checkpoints: which file is gone on from, which are deleted, which never. */
#include "help.h"

#include "base/fs.h"
#include "train/checkpoint_priv.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xgboost/c_api.h>

static char root[] = "/tmp/boostlens-folder-XXXXXX";

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

static const bl_checkpoint_item mine[] = {{"channel train", "abc"}, {"eta", "0.3"}};
static const bl_checkpoint_item other_eta[] = {{"channel train", "abc"}, {"eta", "0.5"}};

typedef struct scene {
    char folder[256];
    bl_checkpoints place;
    bl_matrix *rows;
    bl_job *job;
    heard h;
    bl_training *training;
    bl_err err;
} scene;

static scene scene_new(int64_t rounds)
{
    static int number;
    scene s = {.rows = matrix_new(120, 3, 1, 0, 1),
               .job = job_new("binary:logistic", rounds)};
    snprintf(s.folder, sizeof s.folder, "%s/%d", root, number++);
    s.place =
        (bl_checkpoints){.job_name = "mine", .n_items = 2, .items = mine, .keep = 5};
    return s;
}

static bl_status run(scene *s, int64_t stop_after)
{
    heard_done(&s->h);
    bli_training_free(s->training);
    s->training = NULL;
    s->place.folder = s->folder;
    s->h = (heard){.cancel_after = stop_after, .checkpoints = &s->place};
    s->err = (bl_err){0};
    return train(s->job, s->rows, NULL, &s->h, &s->training, &s->err);
}

static void scene_done(scene *s)
{
    heard_done(&s->h);
    bli_training_free(s->training);
    matrix_free(s->rows);
    job_free(s->job);
}

static const char *path_in(const scene *s, const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", s->folder, name);
    return path;
}

static void put(const scene *s, const char *name, const void *bytes, size_t n)
{
    bl_err err = {0};
    CHECK_OK(bli_make_folder(s->folder, 0700, &err), err);
    CHECK_OK(bli_write_file(path_in(s, name), 0600, bytes, n, &err), err);
}

static bl_buf get(const scene *s, const char *name)
{
    bl_buf bytes = {0};
    bl_err err = {0};
    CHECK_OK(bli_read_file(path_in(s, name), 1 << 24, &bytes, &err), err);
    return bytes;
}

static void says(const scene *s, const char *text)
{
    CHECK(s->h.log.data && strstr(s->h.log.data, text), "no '%s' in:\n%s", text,
          s->h.log.data ? s->h.log.data : "(nothing)");
}

/* "0 2 4": the numbers that are there, and nothing else. */
static void holds(const scene *s, const char *expected)
{
    char found[512] = "";
    size_t n = 0;
    DIR *dir = opendir(s->folder);
    assert_non_null(dir);
    int others = 0;
    struct dirent *entry;
    while ((entry = readdir(dir)))
        others += entry->d_name[0] != '.';
    closedir(dir);
    for (int i = 0; i < 100; i++) {
        char name[64];
        snprintf(name, sizeof name, "xgboost-checkpoint.%d", i);
        if (bli_exists(path_in(s, name))) {
            n += (size_t)snprintf(found + n, sizeof found - n, "%s%d", n ? " " : "", i);
            others--;
        }
    }
    CHECK(strcmp(found, expected) == 0 && others == 0, "'%s', not '%s', %d others", found,
          expected, others);
}

static void test_the_newest_are_kept_and_nothing_else_is_in_the_folder(void **state)
{
    (void)state;
    scene s = scene_new(12);
    s.place.keep = 3;
    CHECK_OK(run(&s, -1), s.err);
    holds(&s, "9 10 11");
    struct stat about;
    assert_int_equal(stat(path_in(&s, "xgboost-checkpoint.11"), &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    scene_done(&s);
}

static void test_a_file_that_is_being_uploaded_is_not_deleted(void **state)
{
    (void)state;
    scene s = scene_new(10);
    s.place.keep = 2;
    CHECK_OK(run(&s, 3), s.err);
    holds(&s, "1 2");
    put(&s, "xgboost-checkpoint.1.sagemaker-uploading", "", 0);
    put(&s, "xgboost-checkpoint.2.sagemaker-uploading", "", 0);
    put(&s, "xgboost-checkpoint.2.sagemaker-uploaded", "", 0);
    CHECK_OK(run(&s, 4), s.err);
    assert_true(bli_exists(path_in(&s, "xgboost-checkpoint.1")));
    assert_false(bli_exists(path_in(&s, "xgboost-checkpoint.2")));
    /* The upload has ended, and its marker is gone. */
    unlink(path_in(&s, "xgboost-checkpoint.1.sagemaker-uploading"));
    unlink(path_in(&s, "xgboost-checkpoint.2.sagemaker-uploading"));
    unlink(path_in(&s, "xgboost-checkpoint.2.sagemaker-uploaded"));
    CHECK_OK(run(&s, -1), s.err);
    holds(&s, "8 9");
    scene_done(&s);
}

static void test_marker_and_unfinished_names_are_never_read(void **state)
{
    (void)state;
    scene s = scene_new(4);
    put(&s, "xgboost-checkpoint.7.sagemaker-uploading", "x", 1);
    put(&s, "xgboost-checkpoint.7.sagemaker-uploaded", "x", 1);
    put(&s, "xgboost-checkpoint.7.sagemaker-ignore", "x", 1);
    put(&s, "xgboost-checkpoint.x7", "x", 1);
    put(&s, "xgboost-checkpoint.", "x", 1);
    put(&s, "xgboost-checkpoint.99999999999999999999999", "x", 1);
    CHECK_OK(run(&s, -1), s.err);
    CHECK(!strstr(s.h.log.data, "passed over") && !strstr(s.h.log.data, "left alone"),
          "%s", s.h.log.data);
    /* What a killed writer of ours left is swept away; the rest is not ours to touch. */
    assert_false(bli_exists(path_in(&s, "xgboost-checkpoint.7.sagemaker-ignore")));
    assert_true(bli_exists(path_in(&s, "xgboost-checkpoint.7.sagemaker-uploading")));
    assert_true(bli_exists(path_in(&s, "xgboost-checkpoint.x7")));
    scene_done(&s);
}

static void test_a_torn_one_is_passed_over_and_the_next_older_used(void **state)
{
    (void)state;
    scene s = scene_new(9);
    CHECK_OK(run(&s, 5), s.err);
    bl_buf newest = get(&s, "xgboost-checkpoint.4");
    put(&s, "xgboost-checkpoint.4", newest.data, newest.n / 2);
    bl_buf second = get(&s, "xgboost-checkpoint.3");
    second.data[second.n - 5] ^= 1;
    put(&s, "xgboost-checkpoint.3", second.data, second.n);
    CHECK_OK(run(&s, 0), s.err);
    says(&s, "warning train: checkpoint xgboost-checkpoint.4 is passed over: it is torn");
    says(&s,
         "warning train: checkpoint xgboost-checkpoint.3 is passed over: it is damaged");
    says(&s, "going on from checkpoint xgboost-checkpoint.2 of job mine");
    assert_int_equal(s.training->n_rounds, 3);
    CHECK_OK(run(&s, -1), s.err);
    CHECK(!strncmp(s.h.lines.data, "[3]\t", 4), "%s", s.h.lines.data);
    assert_int_equal(s.training->histories[0].n_rounds, 9);
    bli_buf_done(&newest);
    bli_buf_done(&second);
    scene_done(&s);
}

static void test_one_of_a_newer_version_is_passed_over_and_kept(void **state)
{
    (void)state;
    scene s = scene_new(4);
    CHECK_OK(run(&s, 2), s.err);
    bl_buf file = get(&s, "xgboost-checkpoint.1");
    file.data[16] = 2;
    put(&s, "xgboost-checkpoint.3", file.data, file.n);
    CHECK_OK(run(&s, -1), s.err);
    says(&s, "warning train: checkpoint xgboost-checkpoint.3 is passed over: it is of "
             "format 2");
    says(&s, "going on from checkpoint xgboost-checkpoint.1");
    /* Round 3 is this job's last, and the number is taken. */
    says(&s, "no checkpoint of round 3: a file of that number is there that is not this "
             "job's");
    bl_buf after = get(&s, "xgboost-checkpoint.3");
    assert_int_equal(after.n, file.n);
    assert_memory_equal(after.data, file.data, file.n);
    bli_buf_done(&file);
    bli_buf_done(&after);
    scene_done(&s);
}

static void test_the_same_job_with_another_setting_is_refused(void **state)
{
    (void)state;
    static const char *const names[][2] = {
        {"mine", "mine"}, {NULL, "mine"}, {"mine", NULL}, {NULL, NULL}};
    for (size_t i = 0; i < 4; i++) {
        scene s = scene_new(6);
        s.place.job_name = names[i][0];
        CHECK_OK(run(&s, 3), s.err);
        s.place.job_name = names[i][1];
        s.place.items = other_eta;
        bl_status st = run(&s, -1);
        CHECK_FAILS(st, BL_E_CONFIG, s.err,
                    "checkpoint xgboost-checkpoint.2 is of this job, but eta is 0.5, the "
                    "checkpoint's job had 0.3");
        holds(&s, "0 1 2");
        scene_done(&s);
    }
}

static void
test_another_jobs_checkpoint_is_gone_on_from_where_all_else_agrees(void **state)
{
    (void)state;
    scene s = scene_new(6);
    s.place.job_name = "theirs";
    CHECK_OK(run(&s, 3), s.err);
    s.place.job_name = "mine";
    s.place.keep = 1;
    CHECK_OK(run(&s, -1), s.err);
    says(&s, "going on from checkpoint xgboost-checkpoint.2 of job theirs");
    CHECK(!strncmp(s.h.lines.data, "[3]\t", 4), "%s", s.h.lines.data);
    /* Theirs stay, of ours one. */
    holds(&s, "0 1 2 5");
    scene_done(&s);
}

static void
test_another_jobs_checkpoint_that_differs_is_kept_and_training_starts_anew(void **state)
{
    (void)state;
    scene s = scene_new(6);
    s.place.job_name = "theirs";
    s.place.items = other_eta;
    CHECK_OK(run(&s, 5), s.err);
    bl_buf theirs = get(&s, "xgboost-checkpoint.2");
    s.place.job_name = "mine";
    s.place.items = mine;
    s.place.keep = 1;
    CHECK_OK(run(&s, 4), s.err);
    says(&s, "warning train: checkpoint xgboost-checkpoint.4 is passed over and kept: it "
             "is of "
             "job 'theirs', and eta is 0.3, the checkpoint's job had 0.5");
    CHECK(!strncmp(s.h.lines.data, "[0]\t", 4), "%s", s.h.lines.data);
    bl_buf after = get(&s, "xgboost-checkpoint.2");
    assert_int_equal(after.n, theirs.n);
    assert_memory_equal(after.data, theirs.data, theirs.n);
    /* Ours of the only free number is found behind theirs. */
    CHECK_OK(run(&s, -1), s.err);
    holds(&s, "0 1 2 3 4 5");
    CHECK_OK(run(&s, -1), s.err);
    says(&s, "going on from checkpoint xgboost-checkpoint.5 of job mine");
    bli_buf_done(&theirs);
    bli_buf_done(&after);
    scene_done(&s);
}

static void test_foreign_files_are_left_alone_with_a_note(void **state)
{
    (void)state;
    static const char *const names[] = {
        "xgboost-checkpoint_0.json", "xgboost-checkpoint_0.ubj", "xgboost-checkpoint.40"};
    scene s = scene_new(3);
    for (size_t i = 0; i < 3; i++)
        put(&s, names[i], "\x80\x03pickle", 8);
    s.place.keep = 1;
    CHECK_OK(run(&s, -1), s.err);
    for (size_t i = 0; i < 3; i++) {
        char text[128];
        snprintf(
            text, sizeof text,
            "note train: checkpoint %s is left alone: it was not written by boostlens",
            names[i]);
        says(&s, text);
        assert_true(bli_exists(path_in(&s, names[i])));
    }
    CHECK(!strncmp(s.h.lines.data, "[0]\t", 4), "%s", s.h.lines.data);
    scene_done(&s);
}

static void test_a_foreign_one_is_used_on_request_as_a_start(void **state)
{
    (void)state;
    static const char *const names[] = {"xgboost-checkpoint.3",
                                        "xgboost-checkpoint_0.ubj"};
    for (size_t i = 0; i < 2; i++) {
        scene s = scene_new(4);
        s.place.use_foreign = true;
        bl_training *first, *whole;
        bl_err err = {0};
        CHECK_OK(train(s.job, s.rows, NULL, NULL, &first, &err), err);
        put(&s, names[i], first->ubj, first->n_ubj);
        /* All of its rounds are there: nothing to do. */
        bl_status st = run(&s, -1);
        CHECK_FAILS(st, BL_E_CONFIG, s.err, "holds 4 rounds, num_round is 4");
        s.job->num_round = 9;
        CHECK_OK(train(s.job, s.rows, NULL, NULL, &whole, &err), err);
        CHECK_OK(run(&s, 2), s.err);
        says(&s, "which boostlens did not write");
        says(&s, "not bit for bit");
        CHECK(!strncmp(s.h.lines.data, "[4]\t", 4), "%s", s.h.lines.data);
        /* From here on it is ours, and num_round counts all rounds. */
        CHECK_OK(run(&s, -1), s.err);
        says(&s, "going on from checkpoint xgboost-checkpoint.5");
        CHECK(strstr(s.h.lines.data, "[8]\t") && !strstr(s.h.lines.data, "[9]\t"), "%s",
              s.h.lines.data);
        /* Nothing is sampled, so it even is the model of one training. */
        assert_int_equal(s.training->n_ubj, whole->n_ubj);
        assert_memory_equal(s.training->ubj, whole->ubj, whole->n_ubj);
        bl_buf kept = get(&s, names[i]);
        assert_int_equal(kept.n, first->n_ubj);
        assert_memory_equal(kept.data, first->ubj, kept.n);
        bli_buf_done(&kept);
        bli_training_free(first);
        bli_training_free(whole);
        scene_done(&s);
    }
}

static void test_a_foreign_file_that_is_no_model_is_refused_in_words(void **state)
{
    (void)state;
    scene s = scene_new(3);
    s.place.use_foreign = true;
    put(&s, "xgboost-checkpoint.1", "\x80\x03}q", 4);
    bl_status st = run(&s, -1);
    CHECK_FAILS(st, BL_E_MODEL, s.err, "checkpoint: ");
    assert_non_null(strstr(s.err.msg, "pickle"));
    scene_done(&s);
}

static void test_links_folders_and_pipes_of_such_names_are_passed_over(void **state)
{
    (void)state;
    scene s = scene_new(3);
    put(&s, "elsewhere", "secret", 6);
    char link[512];
    snprintf(link, sizeof link, "%s", path_in(&s, "xgboost-checkpoint.9"));
    assert_int_equal(symlink(path_in(&s, "elsewhere"), link), 0);
    assert_int_equal(mkfifo(path_in(&s, "xgboost-checkpoint.8"), 0600), 0);
    assert_int_equal(mkdir(path_in(&s, "xgboost-checkpoint.7"), 0700), 0);
    CHECK_OK(run(&s, -1), s.err);
    says(&s, "xgboost-checkpoint.9 is passed over");
    says(&s, "xgboost-checkpoint.8 is passed over");
    says(&s, "xgboost-checkpoint.7 is passed over");
    scene_done(&s);
}

static void
test_a_folder_that_takes_nothing_costs_a_warning_and_not_the_training(void **state)
{
    (void)state;
    scene s = scene_new(3);
    bl_err err = {0};
    CHECK_OK(bli_write_file(s.folder, 0600, "", 0, &err), err); /* a file in its place */
    bl_status st = run(&s, -1);
    CHECK_FAILS(st, BL_E_IO, s.err, "checkpoints: ");
    scene_done(&s);
    s = scene_new(3);
    CHECK_OK(bli_make_folder(s.folder, 0700, &err), err);
    put(&s, "xgboost-checkpoint.0.sagemaker-ignore", "", 0);
    unlink(path_in(&s, "xgboost-checkpoint.0.sagemaker-ignore"));
    for (int i = 0; i < 3; i++) {
        char name[64];
        snprintf(name, sizeof name, "xgboost-checkpoint.%d.sagemaker-ignore", i);
        assert_int_equal(mkdir(path_in(&s, name), 0700), 0);
    }
    CHECK_OK(run(&s, -1), s.err);
    says(&s, "warning train: no checkpoint of round 0, training goes on: ");
    assert_int_equal(s.training->n_rounds, 3);
    scene_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_newest_are_kept_and_nothing_else_is_in_the_folder),
        cmocka_unit_test(test_a_file_that_is_being_uploaded_is_not_deleted),
        cmocka_unit_test(test_marker_and_unfinished_names_are_never_read),
        cmocka_unit_test(test_a_torn_one_is_passed_over_and_the_next_older_used),
        cmocka_unit_test(test_one_of_a_newer_version_is_passed_over_and_kept),
        cmocka_unit_test(test_the_same_job_with_another_setting_is_refused),
        cmocka_unit_test(
            test_another_jobs_checkpoint_is_gone_on_from_where_all_else_agrees),
        cmocka_unit_test(
            test_another_jobs_checkpoint_that_differs_is_kept_and_training_starts_anew),
        cmocka_unit_test(test_foreign_files_are_left_alone_with_a_note),
        cmocka_unit_test(test_a_foreign_one_is_used_on_request_as_a_start),
        cmocka_unit_test(test_a_foreign_file_that_is_no_model_is_refused_in_words),
        cmocka_unit_test(test_links_folders_and_pipes_of_such_names_are_passed_over),
        cmocka_unit_test(
            test_a_folder_that_takes_nothing_costs_a_warning_and_not_the_training),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
