/* SPDX-License-Identifier: Apache-2.0 */
/* boostlens.json: what stands in it, and that nothing of the machine does. */
#include "check.h"

#include "base/fs.h"
#include "evidence/evidence.h"

#include <stdlib.h>
#include <unistd.h>

static const bl_param_def *def_of(const char *name)
{
    size_t n;
    const bl_param_def *defs = bli_param_defs(&n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(defs[i].name, name) == 0)
            return &defs[i];
    fail_msg("no parameter %s", name);
    return NULL;
}

static void write_schema(const void *product, bl_jw *jw)
{
    bli_jw_object(jw);
    bli_jw_key(jw, "n");
    bli_jw_int(jw, *(const int *)product);
    bli_jw_object_end(jw);
}

/* Writes a card of a job below root and reads its bytes. */
static bl_buf card_bytes(const char *root, float missing)
{
    char given_root[128];
    char file_path[160];
    char relative[] = "input/data/validation/b.csv";
    char eta_text[] = "0.3";
    char objective_text[] = "reg:linear";
    char label_name[] = "y";
    char unknown[] = "?";
    char *missing_texts[] = {unknown};
    bl_column_ref labels[] = {{label_name, 0}, {NULL, 3}};
    bl_column_ref ids[] = {{NULL, 7}};
    snprintf(given_root, sizeof(given_root), "%s", root);
    snprintf(file_path, sizeof(file_path), "%s/input/data/train/a.csv", root);
    bl_param params[] = {{def_of("eta"), eta_text, "hyperparameters.json"},
                         {def_of("objective"), objective_text, "hyperparameters.json"}};
    bl_job job = {.root = given_root,
                  .n_params = 2,
                  .params = params,
                  .objective = "reg:squarederror",
                  .booster = "gbtree",
                  .read = {.labels = {2, labels},
                           .ids = {1, ids},
                           .has_weight = true,
                           .weight = {NULL, 1},
                           .header = BL_HEADER_YES,
                           .missing_texts = {1, missing_texts},
                           .missing_texts_given = true,
                           .missing = missing,
                           .unseen = BL_UNSEEN_MISSING}};
    bl_file train_file = {
        .path = file_path, .n_bytes = 12, .n_rows = 3, .sha256 = "ab12"};
    bl_file validation_file = {
        .path = relative, .n_bytes = 5, .n_rows = 1, .sha256 = "cd"};
    bl_files train = {1, &train_file};
    bl_files validation = {1, &validation_file};
    const bl_card_input inputs[] = {{"train", &train, 3}, {"validation", &validation, 1}};
    const bl_card_model model = {.name = "xgboost-model",
                                 .sha256 = "ffee",
                                 .n_bytes = 99,
                                 .n_rounds = 10,
                                 .n_rounds_used = 8,
                                 .n_trees = 20,
                                 .best_iteration = 7,
                                 .oldest_xgboost = "1.7",
                                 .portable_reason = "",
                                 .portable = true};
    int product = 5;
    const bl_card card = {.job = &job,
                          .read = &job.read,
                          .boostlens_version = "0.1.0",
                          .xgboost_version = {3, 4, 1},
                          .n_models = 1,
                          .models = &model,
                          .n_inputs = 2,
                          .inputs = inputs,
                          .schema = write_schema,
                          .schema_product = &product};
    bl_err err = {0};
    bl_buf bytes = {0};
    char path[] = "/tmp/boostlens-card-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    CHECK_OK(bli_card_write(path, &card, &err), err);
    CHECK_OK(bli_read_file(path, 1 << 20, &bytes, &err), err);
    unlink(path);
    return bytes;
}

static json_t *parsed(float missing)
{
    bl_err err = {0};
    json_t *object = NULL;
    bl_buf bytes = card_bytes("/srv/one", missing);
    CHECK_OK(bli_json_parse(bytes.data, bytes.n, &object, &err), err);
    bli_buf_done(&bytes);
    return object;
}

static const json_t *at(const json_t *object, const char *a, const char *b)
{
    const json_t *value = json_object_get(object, a);
    CHECK(value, "no member %s", a);
    if (!b)
        return value;
    value = json_object_get(value, b);
    CHECK(value, "no member %s in %s", b, a);
    return value;
}

static void check_word(const json_t *value, const char *want)
{
    CHECK(json_is_string(value) && strcmp(json_string_value(value), want) == 0,
          "not '%s'", want);
}

static void test_card_names_model_versions_and_inputs(void **state)
{
    (void)state;
    json_t *card = parsed(NAN);
    CHECK(json_integer_value(at(card, "format", NULL)) == 1, "format");
    check_word(at(card, "boostlens", NULL), "0.1.0");
    check_word(at(card, "xgboost", NULL), "3.4.1");
    const json_t *model = json_array_get(at(card, "models", NULL), 0);
    check_word(at(model, "file", NULL), "xgboost-model");
    check_word(at(model, "sha256", NULL), "ffee");
    check_word(at(model, "oldest_xgboost", NULL), "1.7");
    CHECK(json_integer_value(at(model, "rounds_used", NULL)) == 8, "rounds");
    CHECK(json_is_true(at(model, "portable", NULL)), "portable");
    CHECK(json_integer_value(at(card, "schema", "n")) == 5, "schema");
    const json_t *train = at(card, "inputs", "train");
    CHECK(json_integer_value(at(train, "rows", NULL)) == 3, "rows");
    const json_t *file = json_array_get(at(train, "files", NULL), 0);
    check_word(at(file, "path", NULL), "input/data/train/a.csv");
    check_word(at(file, "sha256", NULL), "ab12");
    file = json_array_get(at(at(card, "inputs", "validation"), "files", NULL), 0);
    check_word(at(file, "path", NULL), "input/data/validation/b.csv");
    json_decref(card);
}

static void test_card_says_how_cells_are_read(void **state)
{
    (void)state;
    json_t *card = parsed(NAN);
    const json_t *labels = at(card, "read", "labels");
    check_word(json_array_get(labels, 0), "y");
    CHECK(json_integer_value(json_array_get(labels, 1)) == 3, "a column by index");
    CHECK(json_integer_value(at(card, "read", "weight")) == 1, "weight");
    CHECK(json_is_null(at(card, "read", "group")), "group");
    check_word(at(card, "read", "header"), "yes");
    check_word(at(card, "read", "unseen"), "missing");
    check_word(json_array_get(at(card, "read", "missing_texts"), 0), "?");
    CHECK(json_is_null(at(card, "read", "missing")), "NaN is null");
    json_decref(card);
    card = parsed(-999.5F);
    CHECK(json_number_value(at(card, "read", "missing")) == -999.5, "missing");
    json_decref(card);
    card = parsed(-INFINITY);
    check_word(at(card, "read", "missing"), "-inf");
    json_decref(card);
}

static void test_card_has_given_and_default_parameters(void **state)
{
    (void)state;
    json_t *card = parsed(NAN);
    check_word(at(at(card, "parameters", "eta"), "value", NULL), "0.3");
    check_word(at(at(card, "parameters", "eta"), "source", NULL), "hyperparameters.json");
    check_word(at(at(card, "parameters", "objective"), "value", NULL), "reg:linear");
    check_word(at(at(card, "parameters", "max_depth"), "value", NULL),
               def_of("max_depth")->default_text);
    check_word(at(at(card, "parameters", "max_depth"), "source", NULL), "default");
    json_decref(card);
}

static void test_card_does_not_show_where_it_was_made(void **state)
{
    (void)state;
    bl_buf one = card_bytes("/srv/one", 0);
    bl_buf other = card_bytes("/elsewhere/and/deeper/", 0);
    CHECK(one.n == other.n && memcmp(one.data, other.data, one.n) == 0, "%s\n%s",
          one.data, other.data);
    CHECK(!strstr(one.data, "/srv"), "%s", one.data);
    bli_buf_done(&one);
    bli_buf_done(&other);
}

static void test_card_in_no_folder_is_an_error(void **state)
{
    (void)state;
    char root[] = "/srv";
    bl_job job = {.root = root, .objective = "reg:gamma", .booster = "gbtree"};
    const bl_card card = {.job = &job, .read = &job.read, .boostlens_version = "0.1.0"};
    bl_err err = {0};
    CHECK_FAILS(bli_card_write("/nowhere/boostlens.json", &card, &err), BL_E_IO, err,
                "/nowhere");
}

static void test_settings_are_read_back_as_written(void **state)
{
    (void)state;
    bl_err err = {0};
    const float missing[] = {NAN, -INFINITY, -999.5F};
    for (int i = 0; i < 3; i++) {
        json_t *card = parsed(missing[i]);
        bl_read_settings read = {0};
        CHECK_OK(bli_card_settings(card, &read, &err), err);
        CHECK(read.labels.n == 2 && strcmp(read.labels.ref[0].name, "y") == 0 &&
                  !read.labels.ref[1].name && read.labels.ref[1].index == 3,
              "labels");
        CHECK(read.ids.n == 1 && read.ids.ref[0].index == 7, "ids");
        CHECK(read.has_weight && read.weight.index == 1 && !read.has_group, "roles");
        CHECK(read.header == BL_HEADER_YES && read.unseen == BL_UNSEEN_MISSING, "words");
        CHECK(read.missing_texts.n == 1 && strcmp(read.missing_texts.text[0], "?") == 0 &&
                  read.missing_texts_given,
              "missing texts");
        CHECK(isnan(missing[i]) ? isnan(read.missing) : read.missing == missing[i], "%g",
              (double)read.missing);
        bli_read_settings_done(&read);
        json_decref(card);
    }
}

static void test_damaged_settings_name_the_member(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"{}", "no object 'read'"},
        {"{\"read\": {}}", "'header' under 'read'"},
        {"{\"read\": {\"header\": \"auto\", \"unseen\": \"error\", \"labels\": [-1]}}",
         "'labels' under 'read'"},
        {"{\"read\": {\"header\": \"auto\", \"unseen\": \"error\", \"weight\": 1.5}}",
         "'weight' under 'read'"},
        {"{\"read\": {\"header\": \"auto\", \"unseen\": \"error\", \"missing_texts\": "
         "[1]}}",
         "'missing_texts' under 'read'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bl_err err = {0};
        json_t *card = NULL;
        bl_read_settings read = {0};
        CHECK_OK(bli_json_parse(cases[i].text, strlen(cases[i].text), &card, &err), err);
        CHECK_FAILS(bli_card_settings(card, &read, &err), BL_E_MODEL, err, cases[i].says);
        json_decref(card);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_card_names_model_versions_and_inputs),
        cmocka_unit_test(test_card_says_how_cells_are_read),
        cmocka_unit_test(test_card_has_given_and_default_parameters),
        cmocka_unit_test(test_card_does_not_show_where_it_was_made),
        cmocka_unit_test(test_card_in_no_folder_is_an_error),
        cmocka_unit_test(test_settings_are_read_back_as_written),
        cmocka_unit_test(test_damaged_settings_name_the_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
