/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Category tables: what XGBoost stores of a data frame's text columns, and what we store of a
 * schema, are the same bytes; XGBoost re-codes by ours.
 */
#include "trained.h"

#include "hand.h"

#include "base/mem.h"
#include "base/rng.h"

#include <stdlib.h>

enum { N_ROWS = 200, N_LEVELS = 5 };

/* A column of text as Arrow has it, and one of numbers. */
typedef struct frame {
    int32_t offset[N_LEVELS + 1];
    char text[64];
    int32_t code[N_ROWS];
    float number[N_ROWS];
    float label[N_ROWS];
} frame;

/* By bytes, which is not XGBoost's order: its bytes are signed. */
static const char *const levels[N_LEVELS] = {"", "blue", "green", "red", "\xc3\xbcz"};

static void set_texts(frame *f, const char *const *text)
{
    size_t at = 0;
    for (int i = 0; i < N_LEVELS; i++) {
        memcpy(f->text + at, text[i], strlen(text[i]));
        at += strlen(text[i]);
        f->offset[i + 1] = (int32_t)at;
    }
}

static void fill(frame *f)
{
    bl_rng rng = bli_rng(5);
    *f = (frame){.offset = {0}};
    set_texts(f, levels);
    for (int i = 0; i < N_ROWS; i++) {
        f->code[i] = (int32_t)bli_rng_below(&rng, N_LEVELS);
        f->number[i] = (float)bli_rng_below(&rng, 1000) / 100.0f;
        f->label[i] = (float)((f->code[i] * 7) % 5) + f->number[i] / 4.0f;
    }
}

static void describe(char *out, size_t size, const void *data, const char *type, size_t n)
{
    snprintf(out, size,
             "{\"data\":[%zu,true],\"typestr\":\"%s\",\"version\":3,\"shape\":[%zu]}",
             (size_t)(uintptr_t)data, type, n);
}

static void set_types(DMatrixHandle data)
{
    const char *types[] = {"c", "q"};
    assert_int_equal(XGDMatrixSetStrFeatureInfo(data, "feature_type", types, 2), 0);
}

static DMatrixHandle columnar(const frame *f)
{
    char offset[128], text[128], code[128], number[128], all[768];
    DMatrixHandle data;
    describe(offset, sizeof offset, f->offset, "<i4", N_LEVELS + 1);
    describe(text, sizeof text, f->text, "<i1", (size_t)f->offset[N_LEVELS]);
    describe(code, sizeof code, f->code, "<i4", N_ROWS);
    describe(number, sizeof number, f->number, "<f4", N_ROWS);
    snprintf(all, sizeof all, "[[{\"offsets\":%s,\"values\":%s},%s],%s]", offset, text,
             code, number);
    CHECK(XGDMatrixCreateFromColumnar(all, "{\"missing\":NaN,\"nthread\":1}", &data) == 0,
          "%s", XGBGetLastError());
    set_types(data);
    return data;
}

static DMatrixHandle coded(const frame *f)
{
    static float x[N_ROWS][2];
    for (int i = 0; i < N_ROWS; i++) {
        x[i][0] = (float)f->code[i];
        x[i][1] = f->number[i];
    }
    DMatrixHandle data = matrix_of(&x[0][0], N_ROWS, 2);
    set_types(data);
    return data;
}

/* Three rounds over data; takes it over. */
static bl_buf train_on(DMatrixHandle data, const frame *f)
{
    BoosterHandle booster;
    bl_buf out = {0};
    bst_ulong n;
    const char *bytes;
    assert_int_equal(XGDMatrixSetFloatInfo(data, "label", f->label, N_ROWS), 0);
    assert_int_equal(XGBoosterCreate(&data, 1, &booster), 0);
    XGBoosterSetParam(booster, "nthread", "1");
    XGBoosterSetParam(booster, "max_depth", "3");
    for (int i = 0; i < 3; i++)
        CHECK(XGBoosterUpdateOneIter(booster, i, data) == 0, "%s", XGBGetLastError());
    assert_int_equal(
        XGBoosterSaveModelToBuffer(booster, "{\"format\":\"ubj\"}", &n, &bytes), 0);
    bli_buf_add(&out, bytes, n);
    XGBoosterFree(booster);
    XGDMatrixFree(data);
    return out;
}

typedef struct tiny_schema {
    bl_schema schema;
    bl_feature feature[2];
} tiny_schema;

static tiny_schema make_schema(void)
{
    static char color[] = "color", size[] = "size";
    tiny_schema s = {
        .feature = {{.name = color, .type = "c"}, {.name = size, .type = "q"}}};
    bl_err err = {0};
    uint32_t code;
    CHECK_OK(bli_levels_new(&s.feature[0].levels, &err), err);
    for (int i = 0; i < N_LEVELS; i++)
        CHECK_OK(bli_levels_add(s.feature[0].levels, levels[i], strlen(levels[i]), 100,
                                &code, &err),
                 err);
    s.schema.n_features = 2;
    return s;
}

static void test_a_schema_is_stored_as_xgboost_stores_a_data_frame(void **state)
{
    (void)state;
    frame f;
    fill(&f);
    bl_buf theirs = train_on(columnar(&f), &f), plain = train_on(coded(&f), &f);
    tiny_schema s = make_schema();
    s.schema.features = s.feature;
    bl_portable ours = {0};
    bl_err err = {0};
    CHECK_OK(bli_native_write(plain.data, plain.n, &s.schema, &ours, &err), err);
    CHECK(ours.bytes.n == theirs.n && memcmp(ours.bytes.data, theirs.data, theirs.n) == 0,
          "%zu bytes, XGBoost's are %zu", ours.bytes.n, theirs.n);
    bl_forest *forest = read_forest(ours.bytes.data, ours.bytes.n);
    assert_non_null(forest->levels);
    assert_null(forest->levels[1]);
    for (uint32_t i = 0; i < N_LEVELS; i++)
        assert_string_equal(bli_levels_text(forest->levels[0], i), levels[i]);
    bli_forest_free(forest);
    bli_levels_free(s.feature[0].levels);
    bli_buf_done(&ours.bytes);
    bli_buf_done(&theirs);
    bli_buf_done(&plain);
}

static void test_xgboost_recodes_another_order_of_categories_by_our_table(void **state)
{
    (void)state;
    frame f, other;
    fill(&f);
    bl_buf plain = train_on(coded(&f), &f);
    tiny_schema s = make_schema();
    s.schema.features = s.feature;
    bl_portable ours = {0};
    bl_err err = {0};
    CHECK_OK(bli_portable_write(plain.data, plain.n, &s.schema, &ours, &err), err);
    BoosterHandle booster = load(ours.bytes.data, ours.bytes.n);
    CHECK(booster, "%s", XGBGetLastError());
    /* The same rows, their table turned round. */
    const char *turned[N_LEVELS];
    other = f;
    for (int i = 0; i < N_LEVELS; i++)
        turned[i] = levels[N_LEVELS - 1 - i];
    set_texts(&other, turned);
    for (int i = 0; i < N_ROWS; i++)
        other.code[i] = N_LEVELS - 1 - f.code[i];
    DMatrixHandle a = columnar(&other), b = coded(&f);
    size_t n, n2;
    float *recoded = predict_with(booster, a, true, 0, 0, &n);
    float *by_code = predict_with(booster, b, true, 0, 0, &n2);
    CHECK(n == N_ROWS && n2 == N_ROWS && differing(recoded, by_code, n) == 0,
          "%zu of %zu differ", differing(recoded, by_code, n), n);
    free(recoded);
    free(by_code);
    XGDMatrixFree(a);
    XGDMatrixFree(b);
    XGBoosterFree(booster);
    bli_levels_free(s.feature[0].levels);
    bli_buf_done(&ours.bytes);
    bli_buf_done(&plain);
}

static void test_a_schema_of_another_width_is_refused(void **state)
{
    (void)state;
    tiny_schema s = make_schema();
    s.schema.features = s.feature;
    s.schema.n_features = 1;
    bl_buf ubj = ubjson(stump);
    bl_portable out = {0};
    bl_err err = {0};
    bl_status st = bli_portable_write(ubj.data, ubj.n, &s.schema, &out, &err);
    CHECK_FAILS(st, BL_E_SHAPE, err, "the schema has 1 features, the model 2");
    assert_null(out.bytes.data);
    bli_buf_done(&ubj);
    bli_levels_free(s.feature[0].levels);
}

static void test_whole_number_categories_are_read_as_text(void **state)
{
    (void)state;
    bl_buf ubj = ubjson(replaced(stump, "'gbtree_model_param':{",
                                 "'cats':{'enc':[{'type':12,'values':[5,-7]},"
                                 "{'offsets':[],'values':[]}]},'gbtree_model_param':{"));
    bl_forest *forest = read_forest(ubj.data, ubj.n);
    assert_string_equal(bli_levels_text(forest->levels[0], 0), "5");
    /* Unsigned 16 bits are stored as signed ones. */
    assert_string_equal(bli_levels_text(forest->levels[0], 1), "65529");
    assert_null(forest->levels[1]);
    bli_forest_free(forest);
    bli_buf_done(&ubj);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_schema_is_stored_as_xgboost_stores_a_data_frame),
        cmocka_unit_test(test_xgboost_recodes_another_order_of_categories_by_our_table),
        cmocka_unit_test(test_a_schema_of_another_width_is_refused),
        cmocka_unit_test(test_whole_number_categories_are_read_as_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
