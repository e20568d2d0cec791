/* SPDX-License-Identifier: Apache-2.0 */
/* Model files: what loads, and one sentence for everything else. */
#include "help.h"

#include <stdlib.h>
#include <xgboost/c_api.h>

static void refused_as(bl_status status, const void *bytes, size_t n, const char *says)
{
    bl_buf ubj = {0};
    bl_err err = {0};
    bl_status st = bli_model_to_ubj(bytes, n, &ubj, &err);
    CHECK(st == status && strstr(err.msg, says), "status %d: '%s'", (int)st, err.msg);
    CHECK(!strchr(err.msg, '\n') && !strstr(err.msg, "Stack"), "'%s'", err.msg);
    assert_null(ubj.data);
}

static void refused(const void *bytes, size_t n, const char *says)
{
    refused_as(BL_E_MODEL, bytes, n, says);
}

#define REFUSED(literal, says) refused(literal, sizeof(literal) - 1, says)

static void test_wrappers_are_named_with_the_way_out(void **state)
{
    (void)state;
    REFUSED("", "the file is empty");
    REFUSED(
        "\x80\x03"
        "cxgboost.core\nBooster\n",
        "this is a Python pickle, and unpickling runs code, so it is never done here");
    REFUSED("\x80\x05\x95\x00", "this is a Python pickle");
    REFUSED("binf\x00\x00\x00\x3f\x7f\x00\x00\x00",
            "this is a model in XGBoost's old binary format (binf)");
    REFUSED("bs64\tAAAA", "old binary format as text (bs64)");
    REFUSED("\x1f\x8b\x08\x00\x00",
            "this is a gzip archive: take the file xgboost-model out");
    REFUSED("PK\x03\x04rest", "this is a zip archive");
    REFUSED("\xac\xed\x00\x05sr", "this is a serialized Java object");
    REFUSED("\x89HDF\r\n\x1a\n", "this is an HDF5 file");
    REFUSED("booster[0]:\n0:[f2<1.5] yes=1", "this is a text dump of trees (dump_model)");
    REFUSED("CONFIG-offset:\x10", "serialized booster of XGBoost 1.x");
    REFUSED("hello, world", "this is text ('hello, world'), not a model");
    REFUSED("\x01\x02\x03\x04", "these bytes (0x01 0x02 ...) are no model of XGBoost");
    REFUSED("{", "not a model");
    char tar[512] = {'x'};
    memcpy(tar + 257, "ustar", 5);
    refused(tar, sizeof tar, "this is a tar archive");
    /* base_score, num_feature, ..., 136 bytes; then the objective's name after its
     * length. */
    char oldest[200] = {0};
    oldest[136] = 15;
    memcpy(oldest + 144, "binary:logistic", 15);
    refused(oldest, sizeof oldest, "XGBoost's oldest binary format (no header)");
    /* Spark 0.82: the number of classes, big-endian, before such a model. */
    char spark[204] = {0, 0, 0, 2};
    memcpy(spark + 4, oldest, sizeof oldest);
    refused(spark, sizeof spark, "the file of XGBoost's Spark package");
    memcpy(spark, "\0\005_cls_\0\010featuresbinf", 21);
    refused(spark, sizeof spark, "the file of XGBoost's Spark package");
}

static void test_damaged_models_are_refused(void **state)
{
    (void)state;
    bl_job *job = job_new("binary:logistic", 2);
    bl_matrix *rows = matrix_new(100, 3, 1, 0, 1);
    bl_training *t;
    bl_err err = {0};
    CHECK_OK(train(job, rows, NULL, NULL, &t, &err), err);
    /* Cut anywhere, even before the last byte; something after it. */
    for (size_t n = 2; n < t->n_ubj; n += n + 40 < t->n_ubj ? 37 : 1)
        refused(t->ubj, n, "the UBJSON is damaged: byte ");
    char *longer = calloc(t->n_ubj + 1, 1);
    memcpy(longer, t->ubj, t->n_ubj);
    refused(longer, t->n_ubj + 1, "the UBJSON is damaged: 1 bytes follow its end");
    free(longer);
    /* Lengths that reach far beyond the end, also where the sum would wrap; endless
     * nesting. */
    REFUSED("{L\x7f\xff\xff\xff\xff\xff\xff\xff", "the UBJSON is damaged");
    REFUSED("{L\0\0\0\0\0\0\0\x01"
            "a[$D#L\x7f\xff\xff\xff\xff\xff\xff\xff",
            "the UBJSON is damaged");
    REFUSED("{L\xff\xff\xff\xff\xff\xff\xff\xff"
            "a",
            "the UBJSON is damaged");
    char deep[400] = {'{', 'L', 0, 0, 0, 0, 0, 0, 0, 1, 'a'};
    memset(deep + 11, '[', sizeof deep - 11);
    refused_as(BL_E_LIMIT, deep, sizeof deep, "nested deeper than ");
    REFUSED("{\"learner\": {}}",
            "the JSON is damaged, or no model that XGBoost's save_model wrote");
    REFUSED("{\"a\": [1, 2", "the JSON is damaged");
    /* libxgboost 3.4.1 ends the process on this one. */
    REFUSED("{\"learner\": {\"tree_param\": {\"size_leaf_vector\": \"3\"}}}",
            "vector leaves by XGBoost 2.0 to 3.1");
    bli_training_free(t);
    matrix_free(rows);
    job_free(job);
}

static void test_ubjson_and_json_give_the_same_bytes(void **state)
{
    (void)state;
    bl_job *job = job_new("multi:softprob", 3);
    bl_matrix *rows = matrix_new(300, 4, 1, 9, 2);
    bl_training *t;
    bl_err err = {0};
    job_param(job, "num_class", "3");
    CHECK_OK(train(job, rows, NULL, NULL, &t, &err), err);
    bl_buf ubj = {0};
    CHECK_OK(bli_model_to_ubj(t->ubj, t->n_ubj, &ubj, &err), err);
    assert_int_equal(ubj.n, t->n_ubj);
    assert_memory_equal(ubj.data, t->ubj, ubj.n);
    bli_buf_done(&ubj);

    BoosterHandle booster;
    bst_ulong n;
    const char *json;
    assert_int_equal(XGBoosterCreate(NULL, 0, &booster), 0);
    assert_int_equal(XGBoosterLoadModelFromBuffer(booster, t->ubj, t->n_ubj), 0);
    assert_int_equal(
        XGBoosterSaveModelToBuffer(booster, "{\"format\": \"json\"}", &n, &json), 0);
    CHECK_OK(bli_model_to_ubj(json, n, &ubj, &err), err);
    assert_int_equal(ubj.n, t->n_ubj);
    assert_memory_equal(ubj.data, t->ubj, ubj.n);
    bli_buf_done(&ubj);

    /* Pretty-printed, with a byte order mark before it. */
    bl_buf pretty = {0};
    bli_buf_text(&pretty, "\xef\xbb\xbf{\n  ");
    bli_buf_add(&pretty, json + 1, n - 1);
    bli_buf_text(&pretty, "\n");
    CHECK_OK(bli_model_to_ubj(pretty.data, pretty.n, &ubj, &err), err);
    assert_int_equal(ubj.n, t->n_ubj);
    assert_memory_equal(ubj.data, t->ubj, ubj.n);
    bli_buf_done(&pretty);
    bli_buf_done(&ubj);
    XGBoosterFree(booster);
    bli_training_free(t);
    matrix_free(rows);
    job_free(job);
}

static void test_unknown_keys_pass(void **state)
{
    (void)state;
    /* Case A71: a key XGBoost does not know, anywhere. */
    bl_job *job = job_new("reg:squarederror", 1);
    bl_matrix *rows = matrix_new(60, 2, 1, 0, 3);
    bl_training *t;
    bl_err err = {0};
    CHECK_OK(train(job, rows, NULL, NULL, &t, &err), err);
    BoosterHandle booster;
    bst_ulong n;
    const char *json;
    assert_int_equal(XGBoosterCreate(NULL, 0, &booster), 0);
    assert_int_equal(XGBoosterLoadModelFromBuffer(booster, t->ubj, t->n_ubj), 0);
    assert_int_equal(
        XGBoosterSaveModelToBuffer(booster, "{\"format\": \"json\"}", &n, &json), 0);
    bl_buf more = {0}, ubj = {0};
    bli_buf_text(&more, "{\"novel\": {\"a\": 1},");
    bli_buf_add(&more, json + 1, n - 1);
    CHECK_OK(bli_model_to_ubj(more.data, more.n, &ubj, &err), err);
    bli_buf_done(&more);
    bli_buf_done(&ubj);
    XGBoosterFree(booster);
    bli_training_free(t);
    matrix_free(rows);
    job_free(job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrappers_are_named_with_the_way_out),
        cmocka_unit_test(test_damaged_models_are_refused),
        cmocka_unit_test(test_ubjson_and_json_give_the_same_bytes),
        cmocka_unit_test(test_unknown_keys_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
