/* SPDX-License-Identifier: Apache-2.0 */
/* inputdataconfig.json: channels, content types, and what does not work yet. */
#include "folder.h"

static const char rounds[] = "{\"num_round\": 3}";

static void test_channels_content_types_are_accepted_however_written(void **state)
{
    static const struct {
        const char *settings;
        bl_content content;
        const char *type;
    } cases[] = {
        {"{}", BL_CONTENT_NONE, NULL},
        {"null", BL_CONTENT_NONE, NULL},
        {"{\"ContentType\": null}", BL_CONTENT_NONE, NULL},
        {"{\"ContentType\": \"\"}", BL_CONTENT_NONE, NULL},
        {"{\"ContentType\": \"csv\"}", BL_CONTENT_CSV, "csv"},
        {"{\"ContentType\": \"text/csv\"}", BL_CONTENT_CSV, "text/csv"},
        {"{\"ContentType\": \"TEXT/CSV\"}", BL_CONTENT_CSV, "TEXT/CSV"},
        {"{\"ContentType\": \"text/csv;label_size=1\"}", BL_CONTENT_CSV,
         "text/csv;label_size=1"},
        {"{\"ContentType\": \" text/csv ; Label_Size = 1 ; charset=\\\"UTF-8\\\" \"}",
         BL_CONTENT_CSV, " text/csv ; Label_Size = 1 ; charset=\"UTF-8\" "},
        {"{\"ContentType\": \"text/csv; charset=us-ascii;\"}", BL_CONTENT_CSV,
         "text/csv; charset=us-ascii;"},
        /* local mode: no distribution, no wrapper; the platform: everything, and more to come */
        {"{\"TrainingInputMode\": \"File\", \"ContentType\": \"text/csv\"}",
         BL_CONTENT_CSV, "text/csv"},
        {"{\"TrainingInputMode\": \"FastFile\", \"S3DistributionType\": "
         "\"ShardedByS3Key\", "
         "\"RecordWrapperType\": \"None\", \"ContentType\": \"text/csv\", \"NewKey\": "
         "[1]}",
         BL_CONTENT_CSV, "text/csv"},
    };
    bl_folder folder;
    (void)state;
    folder_make(&folder);
    folder_channel(&folder, "train");
    for (size_t i = 0; i < BL_LEN(cases); i++) {
        char text[512], path[128];
        bl_job *job;
        bl_err err;
        snprintf(text, sizeof text, "{\"train\": %s}", cases[i].settings);
        CHECK_OK(folder_read(&folder, rounds, text, &job, &err), err);
        const bl_channel *train = &job->channels[BL_CHANNEL_TRAIN];
        CHECK(train->content == cases[i].content, "%s", cases[i].settings);
        CHECK(cases[i].type
                  ? train->content_type && strcmp(train->content_type, cases[i].type) == 0
                  : !train->content_type,
              "%s: '%s'", cases[i].settings,
              train->content_type ? train->content_type : "none");
        snprintf(path, sizeof path, "%s/input/data/train", folder.root);
        assert_string_equal(train->path, path);
        bli_job_free(job);
    }
    folder_remove(&folder);
}

static void test_channels_that_are_wrong_say_what_is_accepted(void **state)
{
    static const struct {
        const char *inputs, *says;
    } cases[] = {
        /* tf_sagemaker_docker's job */
        {"{\"training\": {\"TrainingInputMode\": \"File\"}, \"eval\": {}}",
         "inputdataconfig.json: channel 'training' is not known: call it 'train'; "
         "channels are "
         "train, validation, test, model and config"},
        {"{\"train\": {}, \"eval\": {}}",
         "channel 'eval' is not known: call it 'validation'"},
        {"{\"train\": {}, \"validaton\": {}}", "call it 'validation'"},
        {"{\"Train\": {}}", "channel 'Train' is not known: call it 'train'"},
        {"{\"train\": {}, \"images-of-cats\": {}}",
         "channel 'images-of-cats' is not known; channels are train, validation"},
        {"{}",
         "channel 'train' is missing; it holds the rows to train on and is required"},
        {"{\"validation\": {}}", "channel 'train' is missing"},
        {"{\"train\": \"text/csv\"}",
         "channel 'train': its settings are no object; expected is "
         "{\"ContentType\": \"text/csv\""},
        {"[{\"ChannelName\": \"train\"}]",
         "the file holds no object; expected is {\"train\": "},
        {"{\"InputDataConfig\": {\"train\": {}}}",
         "channel 'InputDataConfig' is not known"},
        {"", "line 1, column"},
        {"{\"train\": {}", "inputdataconfig.json: line 1, column 12: no valid JSON"},
        {"{\"train\": {}, \"train\": {}}", "duplicate object key"},
        {"{\"train\": {\"ContentType\": \"text/libsvm\"}}",
         "channel 'train': ContentType 'text/libsvm': libsvm is not read yet by this "
         "version; "
         "accepted is text/csv"},
        {"{\"train\": {\"ContentType\": \"text/x-libsvm; charset=utf-8\"}}",
         "libsvm is not read yet"},
        {"{\"train\": {\"ContentType\": \"application/x-parquet\"}}",
         "Parquet is not read yet"},
        {"{\"train\": {\"ContentType\": \"application/x-recordio-protobuf\"}}",
         "RecordIO is not read yet"},
        {"{\"train\": {\"ContentType\": \"image/png\"}}",
         "ContentType 'image/png' is not known; accepted are text/csv and csv"},
        {"{\"train\": {\"ContentType\": 5}}", "ContentType is no text"},
        {"{\"train\": {\"ContentType\": \"text/csv; label_size=2\"}}",
         "label_size is '2'; accepted is only 1. Name several label columns by bl_label"},
        {"{\"train\": {\"ContentType\": \"text/csv; charset="
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}}",
         "charset is 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'"},
        {"{\"train\": {\"ContentType\": \"text/csv; charset=latin1\"}}",
         "charset is 'latin1'; accepted are utf-8 and us-ascii"},
        {"{\"train\": {\"ContentType\": \"text/csv; header=present\"}}",
         "parameter 'header' is not known; accepted are label_size=1 and charset=utf-8"},
        {"{\"train\": {\"TrainingInputMode\": \"Pipe\"}}",
         "channel 'train': TrainingInputMode Pipe is not read yet by this version; "
         "accepted are "
         "File and FastFile"},
        {"{\"train\": {\"TrainingInputMode\": \"Carrier\"}}",
         "TrainingInputMode 'Carrier' is not known"},
        {"{\"train\": {\"RecordWrapperType\": \"RecordIO\"}}",
         "RecordWrapperType RecordIO is not read yet by this version; accepted is None"},
        {"{\"train\": {\"RecordWrapperType\": \"Zip\"}}",
         "RecordWrapperType 'Zip' is not "
         "known"},
        {"{\"train\": {}, \"model\": {\"ContentType\": \"text/csv\"}}",
         "channel 'model': ContentType 'text/csv' is not known; accepted is "
         "application/x-sagemaker-model, or none"},
        {"{\"train\": {}, \"test\": {}}",
         "channel 'test' is declared in inputdataconfig.json, but there is no folder "
         "input/data/test"},
    };
    bl_folder folder;
    (void)state;
    folder_make(&folder);
    folder_channel(&folder, "train");
    for (size_t i = 0; i < BL_LEN(cases); i++) {
        bl_job *job = NULL;
        bl_err err;
        bl_status st = folder_read(&folder, rounds, cases[i].inputs, &job, &err);
        CHECK(st == BL_E_CONFIG && strstr(err.msg, cases[i].says), "%s: status %d '%s'",
              cases[i].inputs, (int)st, err.msg);
        assert_null(job);
    }
    folder_remove(&folder);
}

static void test_channels_of_every_name_are_read(void **state)
{
    bl_folder folder;
    bl_job *job;
    bl_err err;
    (void)state;
    folder_make(&folder);
    folder_channel(&folder, "train");
    folder_channel(&folder, "validation");
    folder_channel(&folder, "test");
    folder_channel(&folder, "model");
    folder_channel(&folder, "config");
    CHECK_OK(
        folder_read(&folder, rounds,
                    "{\"train\": {}, \"validation\": {\"ContentType\": \"csv\"}, "
                    "\"test\": {}, \"model\": {\"ContentType\": "
                    "\"application/x-sagemaker-model\"}, \"config\": {\"ContentType\": "
                    "\"application/json\"}, \"code\": {\"ContentType\": "
                    "\"text/python\"}}",
                    &job, &err),
        err);
    for (size_t i = 0; i < BL_N_CHANNELS; i++)
        assert_true(job->channels[i].present);
    assert_int_equal(job->channels[BL_CHANNEL_MODEL].content, BL_CONTENT_MODEL);
    assert_int_equal(job->channels[BL_CHANNEL_CONFIG].content, BL_CONTENT_NONE);
    assert_string_equal(folder.notes,
                        "note channel code is ignored: no user code is run\n");
    bli_job_free(job);
    folder_remove(&folder);
}

static void test_channels_not_declared_are_not_read_and_said(void **state)
{
    bl_folder folder;
    bl_job *job;
    bl_err err;
    (void)state;
    folder_make(&folder);
    folder_channel(&folder, "train");
    folder_channel(&folder, "validation");
    folder_write(&folder, "input/data/train-manifest", "s3://b/p/\n");
    CHECK_OK(folder_read(&folder, rounds, TRAIN_ONLY, &job, &err), err);
    assert_false(job->channels[BL_CHANNEL_VALIDATION].present);
    assert_string_equal(folder.notes,
                        "note folder input/data/validation is no channel of this job: "
                        "inputdataconfig.json does not declare it\n");
    bli_job_free(job);
    folder_remove(&folder);
}

static void test_channels_without_their_file_are_the_folders(void **state)
{
    bl_folder folder;
    bl_job *job = NULL;
    bl_err err;
    (void)state;
    folder_make(&folder);
    CHECK_FAILS(folder_read(&folder, rounds, NULL, &job, &err), BL_E_CONFIG, err,
                "inputdataconfig.json: the file is not there and neither is folder "
                "input/data/train");
    folder_channel(&folder, "train");
    folder_channel(&folder, "test");
    folder_channel(&folder, "something-else");
    CHECK_OK(folder_read(&folder, rounds, NULL, &job, &err), err);
    assert_true(job->channels[BL_CHANNEL_TRAIN].present);
    assert_true(job->channels[BL_CHANNEL_TEST].present);
    assert_false(job->channels[BL_CHANNEL_VALIDATION].present);
    assert_string_equal(
        folder.notes,
        "note inputdataconfig.json is not there; folder input/data/train is "
        "taken as channel train\n"
        "note inputdataconfig.json is not there; folder input/data/test is "
        "taken as channel test\n");
    bli_job_free(job);
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_channels_content_types_are_accepted_however_written),
        cmocka_unit_test(test_channels_that_are_wrong_say_what_is_accepted),
        cmocka_unit_test(test_channels_of_every_name_are_read),
        cmocka_unit_test(test_channels_not_declared_are_not_read_and_said),
        cmocka_unit_test(test_channels_without_their_file_are_the_folders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
