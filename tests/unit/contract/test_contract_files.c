/* SPDX-License-Identifier: Apache-2.0 */
/* The other files of a job: hyperparameters.json itself, hosts, checkpoints, job name, places. */
#include "folder.h"

#include "base/limits.h"

#include <sys/stat.h>

static void
test_files_hyperparameters_absent_empty_or_broken_are_refused_in_words(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {NULL,
         "hyperparameters.json: the file is not there; expected is one object of names "
         "and values, at least {\"num_round\": \"100\"}"},
        {"", "hyperparameters.json: the file is empty"},
        {" \n", "hyperparameters.json: the file is empty"},
        {"{}",
         "hyperparameters.json: num_round is missing: the number of rounds, a whole "
         "number, 1 or more, is required"},
        {"{\"eta\": \"0.1\"}", "num_round is missing"},
        {"{\"num_round\": null}", "num_round is missing"},
        {"{\"num_round\": \"0\"}",
         "num_round is '0'; accepted is a whole number, 1 or more"},
        {"[]", "the file holds no object; expected is {\"name\": \"value\", ...}"},
        {"\"num_round\"", "the file holds no object"},
        {"{\"num_round\": 3,\n \"eta\": 0.1",
         "hyperparameters.json: line 2, column 11: no valid "
         "JSON"},
        {"{\"num_round\": 03}", "line 1, column"},
        {"{'num_round': 3}", "line 1, column 2: no valid JSON"},
        {"{\"num_round\": 3}}", "line 1, column"},
        {"{\"num_round\": NaN}", "line 1, column"},
        {"{\"num_round\": \"\\ud800\"}", "line 1, column"},
        {"{\"num_round\": 99999999999999999999}", "too big integer"},
    };
    bl_folder folder;
    (void)state;
    folder_make(&folder);
    folder_channel(&folder, "train");
    for (size_t i = 0; i < BL_LEN(cases); i++) {
        bl_job *job = NULL;
        bl_err err;
        bl_status st = folder_read(&folder, cases[i].text, TRAIN_ONLY, &job, &err);
        CHECK(st == BL_E_CONFIG && strstr(err.msg, cases[i].says), "%s: status %d '%s'",
              cases[i].text ? cases[i].text : "absent", (int)st, err.msg);
        assert_null(job);
    }
    folder_remove(&folder);
}

static void test_files_beyond_the_limit_are_refused(void **state)
{
    bl_folder folder;
    bl_job *job = NULL;
    bl_err err;
    char path[128];
    (void)state;
    folder_make(&folder);
    folder_channel(&folder, "train");
    folder_write(&folder, "input/config/hyperparameters.json", "{\"num_round\": 3}");
    folder_write(&folder, "input/config/inputdataconfig.json", TRAIN_ONLY);
    snprintf(path, sizeof path, "%s/input/config/hyperparameters.json", folder.root);
    assert_int_equal(truncate(path, (off_t)bli_limits().config_bytes + 1), 0);
    CHECK_FAILS(bli_job_read(folder.root, NULL, &job, &err), BL_E_LIMIT, err,
                "hyperparameters.json': larger than 67108864 bytes");
    folder_remove(&folder);
}

static void test_files_that_cannot_be_read_are_the_platforms_fault(void **state)
{
    bl_folder folder;
    bl_job *job = NULL;
    bl_err err;
    char path[128];
    (void)state;
    folder_make(&folder);
    folder_channel(&folder, "train");
    folder_write(&folder, "input/config/inputdataconfig.json", TRAIN_ONLY);
    snprintf(path, sizeof path, "%s/input/config/hyperparameters.json", folder.root);
    assert_int_equal(mkdir(path, 0755), 0);
    CHECK_FAILS(bli_job_read(folder.root, NULL, &job, &err), BL_E_IO, err,
                "hyperparameters.json': read: Is a directory");
    folder_remove(&folder);
}

static void check_resource(const char *text, bl_status want, const char *says)
{
    bl_folder folder;
    bl_job *job = NULL;
    bl_err err;
    folder_make(&folder);
    folder_channel(&folder, "train");
    folder_write(&folder, "input/config/resourceconfig.json", text);
    bl_status st = folder_read(&folder, "{\"num_round\": 3}", TRAIN_ONLY, &job, &err);
    CHECK(st == want && (st == BL_OK || strstr(err.msg, says)), "%s: status %d '%s'",
          text ? text : "absent", (int)st, err.msg);
    if (st == BL_OK) {
        assert_int_equal(job->n_hosts, 1);
        assert_int_equal(job->host_rank, 0);
    }
    bli_job_free(job);
    folder_remove(&folder);
}

static void test_files_resources_of_every_shape_are_read(void **state)
{
    (void)state;
    check_resource(NULL, BL_OK, NULL);
    check_resource("{}", BL_OK, NULL);
    check_resource("{\"hosts\": null, \"current_host\": null}", BL_OK, NULL);
    check_resource("{\"current_host\":\"algo-1\",\"hosts\":[\"algo-1\"],"
                   "\"network_interface_name\":\"eth0\"}",
                   BL_OK, NULL);
    check_resource(
        "{\"current_group_name\":\"homogeneousCluster\",\"current_host\":\"algo-1\","
        "\"current_instance_type\":\"ml.m5.xlarge\",\"hosts\":[\"algo-1\"],"
        "\"network_interface_name\":\"eth0\",\"instance_groups\":["
        "{\"instance_group_name\":\"homogeneousCluster\",\"instance_type\":"
        "\"ml.m5.xlarge\",\"hosts\":[\"algo-1\"]}],\"topology\":null}",
        BL_OK, NULL);
    check_resource(
        "{\"current_host\":\"algo-1-x7k2p\",\"hosts\":[\"algo-1-x7k2p\"],"
        "\"network_interface_name\":\"eth0\",\"current_instance_type\":\"local\"}",
        BL_OK, NULL);
    check_resource(
        "{\"current_host\":\"algo-2\",\"hosts\":[\"algo-1\",\"algo-10\",\"algo-2\"]}",
        BL_E_CONFIG,
        "resourceconfig.json: the job has 3 hosts; training on more than one is not "
        "in this version yet: ask for an instance count of 1");
    check_resource("{\"current_host\":\"algo-3\",\"hosts\":[\"algo-1\"]}", BL_E_CONFIG,
                   "resourceconfig.json: current_host 'algo-3' is not among hosts");
    check_resource("{\"current_host\":\"a\",\"hosts\":[\"a\",\"a\"]}", BL_E_CONFIG,
                   "hosts names 'a' 2 times; names must differ");
    check_resource("{\"hosts\":[\"algo-1\"]}", BL_E_CONFIG, "current_host is missing");
    check_resource("{\"current_host\":\"a\",\"hosts\":[]}", BL_E_CONFIG,
                   "hosts is no list of names");
    check_resource("{\"current_host\":\"a\",\"hosts\":\"a\"}", BL_E_CONFIG,
                   "hosts is no list of names");
    check_resource("{\"current_host\":\"a\",\"hosts\":[1]}", BL_E_CONFIG,
                   "hosts: item 1 is no name");
    check_resource("{\"current_host\":1}", BL_E_CONFIG, "current_host is no text");
    check_resource("[]", BL_E_CONFIG, "resourceconfig.json: the file holds no object");
    check_resource("{", BL_E_CONFIG, "resourceconfig.json: line 1, column 1");
}

static void check_checkpoint(const char *text, const char *below, const char *says)
{
    bl_folder folder;
    bl_job *job = NULL;
    bl_err err;
    char path[128];
    folder_make(&folder);
    folder_channel(&folder, "train");
    folder_write(&folder, "input/config/checkpointconfig.json", text);
    bl_status st = folder_read(&folder, "{\"num_round\": 3}", TRAIN_ONLY, &job, &err);
    if (says) {
        CHECK_FAILS(st, BL_E_CONFIG, err, says);
    } else {
        CHECK_OK(st, err);
        snprintf(path, sizeof path, "%s%s", *below == '/' ? "" : folder.root,
                 *below == '/' ? below : below + 1);
        CHECK(strcmp(job->checkpoint_dir, path) == 0, "%s: '%s'", text,
              job->checkpoint_dir);
        assert_string_equal(folder.notes, "");
        assert_int_equal(job->checkpoint_seconds, 60);
        assert_int_equal(job->checkpoint_keep, 5);
        assert_false(job->checkpoint_foreign);
    }
    bli_job_free(job);
    folder_remove(&folder);
}

static void
test_files_checkpoints_are_below_the_root_that_stands_for_the_platforms(void **state)
{
    (void)state;
    /* a leading ~ stands for the root here */
    check_checkpoint("{\"LocalPath\": \"/opt/ml/checkpoints\"}", "~/checkpoints", NULL);
    check_checkpoint("{\"LocalPath\": \"/opt/ml/a/b/\"}", "~/a/b/", NULL);
    check_checkpoint("{\"LocalPath\": \"/state\"}", "/state", NULL);
    check_checkpoint("{}", "~/checkpoints", NULL);
    check_checkpoint("{\"LocalPath\": null, \"S3Uri\": \"s3://b\"}", "~/checkpoints",
                     NULL);
    check_checkpoint(
        "{\"LocalPath\": \"checkpoints\"}", NULL,
        "checkpointconfig.json: LocalPath 'checkpoints' is no absolute path");
    check_checkpoint("{\"LocalPath\": \"/opt/ml/../../etc\"}", NULL,
                     "LocalPath '/opt/ml/../../etc' goes upwards");
    check_checkpoint("{\"LocalPath\": 3}", NULL, "LocalPath is no text");
    check_checkpoint("[", NULL, "checkpointconfig.json: line 1, column 1");
    check_checkpoint("7", NULL, "checkpointconfig.json: the file holds no object");
}

static void test_files_places_and_job_name_are_known(void **state)
{
    bl_folder folder;
    bl_job *job;
    bl_err err;
    char *failure = NULL, path[128];
    (void)state;
    folder_make(&folder);
    folder_channel(&folder, "train");
    setenv("TRAINING_JOB_NAME", "credit-2026-11-25", 1);
    CHECK_OK(folder_read(&folder, "{\"num_round\": 3}", TRAIN_ONLY, &job, &err), err);
    assert_string_equal(job->job_name, "credit-2026-11-25");
    assert_string_equal(job->root, folder.root);
    snprintf(path, sizeof path, "%s/model", folder.root);
    assert_string_equal(job->model_dir, path);
    snprintf(path, sizeof path, "%s/output/data", folder.root);
    assert_string_equal(job->output_data_dir, path);
    snprintf(path, sizeof path, "%s/output/failure", folder.root);
    assert_string_equal(job->failure_path, path);
    CHECK_OK(bli_failure_path(folder.root, &failure, &err), err);
    assert_string_equal(failure, path);
    free(failure);
    bli_job_free(job);
    unsetenv("TRAINING_JOB_NAME");
    CHECK_OK(folder_read(&folder, "{\"num_round\": 3}", TRAIN_ONLY, &job, &err), err);
    assert_null(job->job_name);
    bli_job_free(job);
    folder_remove(&folder);
}

int main(void)
{
    unsetenv("TRAINING_JOB_NAME");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_files_hyperparameters_absent_empty_or_broken_are_refused_in_words),
        cmocka_unit_test(test_files_beyond_the_limit_are_refused),
        cmocka_unit_test(test_files_that_cannot_be_read_are_the_platforms_fault),
        cmocka_unit_test(test_files_resources_of_every_shape_are_read),
        cmocka_unit_test(
            test_files_checkpoints_are_below_the_root_that_stands_for_the_platforms),
        cmocka_unit_test(test_files_places_and_job_name_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
