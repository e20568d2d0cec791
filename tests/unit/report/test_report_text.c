/* SPDX-License-Identifier: Apache-2.0 */
/* importance.csv, its bars, metrics.json and predictions.csv: every byte. */
#include "check.h"

#include "made.h"

#include "base/json.h"

#include <locale.h>
#include <stdlib.h>

static void check_text(const char *path, const char *want)
{
    bl_buf got = made_read(path);
    CHECK(got.n == strlen(want) && memcmp(got.data, want, got.n) == 0,
          "got:\n%swant:\n%s", got.data, want);
    bli_buf_done(&got);
}

/* --- importance.csv ----------------------------------------------------------------- */

static const char *const names_4[] = {"age", "a \"b\",c", "bad\xff", "never"};
static double mean_abs_4[] = {0.25, 0.5, 0.25, 0};
static double mean_4[] = {-0.125, 0.5, 1e-20, 0};
static double base_1[] = {0.5};
static double weight_4[] = {3, 4, 1, 0};
static double gain_4[] = {1.5, 8, 0.1, 0};
static double cover_4[] = {300, 100, 7, 0};

static void check_importance(const bl_attribution *attribution, bool with_scores,
                             const char *want)
{
    bl_err err = {0};
    char *folder = made_folder();
    char *path = made_path(folder, "importance.csv");
    bl_schema *schema = made_schema(4, names_4);
    bl_split_scores scores = {weight_4, gain_4, cover_4};
    CHECK_OK(bli_importance_write(path, schema, attribution, with_scores ? &scores : NULL,
                                  &err),
             err);
    check_text(path, want);
    bli_schema_free(schema);
    free(path);
    made_folder_remove(folder);
}

#define HEADER                                                                           \
    "view,feature,mean_abs_shap,mean_shap,gain,weight,cover,total_gain,total_cover"

static void test_importance_is_sorted_by_mean_abs_then_position(void **state)
{
    (void)state;
    const bl_attribution attribution = {.n_rows = 9,
                                        .n_features = 4,
                                        .n_outputs = 1,
                                        .mean_abs = mean_abs_4,
                                        .mean = mean_4,
                                        .base_values = base_1};
    check_importance(&attribution, true,
                     HEADER "\n"
                            "source,\"a \"\"b\"\",c\",0.5,0.5,2.0,4.0,25.0,8.0,100.0\n"
                            "source,age,0.25,-0.125,0.5,3.0,100.0,1.5,300.0\n"
                            "source,bad\xef\xbf\xbd,0.25,1e-20,0.1,1.0,7.0,0.1,7.0\n"
                            "source,never,0.0,0.0,,0.0,,0.0,0.0\n"
                            "model,\"a \"\"b\"\",c\",0.5,0.5,2.0,4.0,25.0,8.0,100.0\n"
                            "model,age,0.25,-0.125,0.5,3.0,100.0,1.5,300.0\n"
                            "model,bad\xef\xbf\xbd,0.25,1e-20,0.1,1.0,7.0,0.1,7.0\n"
                            "model,never,0.0,0.0,,0.0,,0.0,0.0\n");
}

static void test_importance_without_attributions_is_sorted_by_gain(void **state)
{
    (void)state;
    check_importance(NULL, true,
                     HEADER "\n"
                            "source,\"a \"\"b\"\",c\",,,2.0,4.0,25.0,8.0,100.0\n"
                            "source,age,,,0.5,3.0,100.0,1.5,300.0\n"
                            "source,bad\xef\xbf\xbd,,,0.1,1.0,7.0,0.1,7.0\n"
                            "source,never,,,,0.0,,0.0,0.0\n"
                            "model,\"a \"\"b\"\",c\",,,2.0,4.0,25.0,8.0,100.0\n"
                            "model,age,,,0.5,3.0,100.0,1.5,300.0\n"
                            "model,bad\xef\xbf\xbd,,,0.1,1.0,7.0,0.1,7.0\n"
                            "model,never,,,,0.0,,0.0,0.0\n");
}

static void test_importance_of_no_rows_and_no_trees_is_empty(void **state)
{
    (void)state;
    const double nan = (double)NAN;
    double none[] = {nan, nan, nan, nan};
    const bl_attribution attribution = {.n_features = 4,
                                        .n_outputs = 1,
                                        .mean_abs = none,
                                        .mean = none,
                                        .base_values = base_1};
    check_importance(&attribution, false,
                     HEADER "\n"
                            "source,age,,,,,,,\n"
                            "source,\"a \"\"b\"\",c\",,,,,,,\n"
                            "source,bad\xef\xbf\xbd,,,,,,,\n"
                            "source,never,,,,,,,\n"
                            "model,age,,,,,,,\n"
                            "model,\"a \"\"b\"\",c\",,,,,,,\n"
                            "model,bad\xef\xbf\xbd,,,,,,,\n"
                            "model,never,,,,,,,\n");
}

static void test_importance_of_several_outputs_and_encoded_columns(void **state)
{
    (void)state;
    /* Columns 0 and 1 of the model come from one source column. */
    const char *const names[] = {"x=a", "x=b", "y"};
    double mean_abs[] = {1, 0.5, 0.25, 0, 2, 8};
    double mean[] = {1, -0.5, 0.25, 0, -2, 8};
    double base[] = {0, 0};
    double weight[] = {1, 3, 1};
    double gain[] = {2, 6, 1};
    double cover[] = {10, 30, 1};
    const bl_attribution attribution = {.n_rows = 1,
                                        .n_features = 3,
                                        .n_outputs = 2,
                                        .mean_abs = mean_abs,
                                        .mean = mean,
                                        .base_values = base};
    const bl_split_scores scores = {weight, gain, cover};
    bl_err err = {0};
    char *folder = made_folder();
    char *path = made_path(folder, "importance.csv");
    bl_schema *schema = made_schema(3, names);
    free(schema->sources[0]);
    free(schema->sources[1]);
    schema->sources[0] = strdup("x");
    schema->sources[1] = schema->sources[2];
    schema->n_sources = 2;
    schema->features[1].source = 0;
    schema->features[2].source = 1;
    CHECK_OK(bli_importance_write(path, schema, &attribution, &scores, &err), err);
    check_text(path, HEADER ",mean_abs_shap_0,mean_shap_0,mean_abs_shap_1,mean_shap_1\n"
                            "source,y,8.25,8.25,1.0,1.0,1.0,1.0,1.0,0.25,0.25,8.0,8.0\n"
                            "source,x,3.5,-1.5,2.0,4.0,10.0,8.0,40.0,1.5,0.5,2.0,-2.0\n"
                            "model,y,8.25,8.25,1.0,1.0,1.0,1.0,1.0,0.25,0.25,8.0,8.0\n"
                            "model,x=b,2.5,-2.5,2.0,3.0,10.0,6.0,30.0,0.5,-0.5,2.0,-2.0\n"
                            "model,x=a,1.0,1.0,2.0,1.0,10.0,2.0,10.0,1.0,1.0,0.0,0.0\n");
    bli_schema_free(schema);
    free(path);
    made_folder_remove(folder);
}

static void test_importance_in_no_folder_is_an_error(void **state)
{
    (void)state;
    bl_err err = {0};
    bl_schema *schema = made_schema(1, NULL);
    CHECK_FAILS(bli_importance_write("/nowhere/i.csv", schema, NULL, NULL, &err), BL_E_IO,
                err, "/nowhere");
    bli_schema_free(schema);
}

static void test_bars_show_the_largest_first(void **state)
{
    (void)state;
    const char *const names[] = {"small", "a name that is far too long to be shown",
                                 "\xc3\xa4\x07", "none"};
    double mean_abs[] = {0.0125, 2, 1, 0};
    double mean[] = {0, 0, 0, 0};
    const bl_attribution attribution = {.n_rows = 1,
                                        .n_features = 4,
                                        .n_outputs = 1,
                                        .mean_abs = mean_abs,
                                        .mean = mean,
                                        .base_values = base_1};
    bl_schema *schema = made_schema(4, names);
    bl_buf out = {0};
    bli_importance_bars(schema, &attribution, 3, &out);
    const char *want =
        "a name that is far to...  ########################################  2\n"
        "\xc3\xa4?                        ####################                      1\n"
        "small                                                               0.0125\n";
    CHECK(strcmp(out.data, want) == 0, "got\n%swant\n%s", out.data, want);
    bli_buf_done(&out);
    bli_schema_free(schema);
}

/* --- metrics.json ------------------------------------------------------------------- */

static json_t *written_metrics(const bl_metrics_report *report)
{
    bl_err err = {0};
    json_t *object = NULL;
    char *folder = made_folder();
    char *path = made_path(folder, "metrics.json");
    CHECK_OK(bli_metrics_write(path, report, &err), err);
    CHECK_OK(bli_json_read(path, 1 << 20, &object, &err), err);
    free(path);
    made_folder_remove(folder);
    return object;
}

static const json_t *at(const json_t *object, const char *a, const char *b, const char *c)
{
    const char *path[] = {a, b, c};
    for (size_t i = 0; i < 3 && path[i]; i++) {
        object = json_object_get(object, path[i]);
        CHECK(object, "no member %s", path[i]);
    }
    return object;
}

static void test_metrics_hold_history_finals_and_additivity(void **state)
{
    (void)state;
    const double train_auc[] = {0.5, (double)NAN};
    const double validation_auc[] = {0.25, 0.75};
    const double validation_loss[] = {1, 0.1};
    const bl_history histories[] = {{"train", "auc", 2, train_auc},
                                    {"validation", "auc", 2, validation_auc},
                                    {"validation", "logloss", 2, validation_loss}};
    const float labels[] = {1, 2};
    const float predictions[] = {1, 3};
    const bl_scored scored = {.n_rows = 2,
                              .n_outputs = 1,
                              .n_predictions = 1,
                              .predictions = predictions,
                              .labels = labels,
                              .n_labels = 1,
                              .objective = "reg:squarederror"};
    double mean_margins[] = {2};
    const bl_attribution attribution = {.n_rows = 2,
                                        .n_features = 1,
                                        .n_outputs = 1,
                                        .mean_margins = mean_margins,
                                        .max_abs_margin = 4,
                                        .worst_additivity = 1e-6,
                                        .worst_row = 1,
                                        .worst_margin_distance = 2e-6};
    const bl_channel_report channels[] = {{"train", &scored, &attribution},
                                          {"validation", &scored, NULL}};
    const double base_values[] = {1.5};
    const bl_metrics_report report = {.objective = "reg:squarederror",
                                      .n_histories = 3,
                                      .histories = histories,
                                      .n_channels = 2,
                                      .channels = channels,
                                      .best_iteration = 1,
                                      .best_score = 0.75,
                                      .n_rounds = 2,
                                      .n_rounds_used = 2,
                                      .n_trees_used = 2,
                                      .n_outputs = 1,
                                      .base_values = base_values};
    json_t *object = written_metrics(&report);
    CHECK(json_is_null(json_array_get(at(object, "history", "train", "auc"), 1)), "NaN");
    CHECK(json_number_value(
              json_array_get(at(object, "history", "validation", "logloss"), 1)) == 0.1,
          "history");
    CHECK(json_object_size(at(object, "history", NULL, NULL)) == 2, "data sets");
    CHECK(json_number_value(at(object, "final", "validation", "mse")) == 0.5, "mse");
    CHECK(json_integer_value(at(object, "attributions", "train", "worst_row")) == 1,
          "row");
    CHECK(json_number_value(at(object, "attributions", "train",
                               "worst_additivity_error_relative")) == 1e-6 / 4,
          "additivity");
    CHECK(json_object_size(at(object, "attributions", NULL, NULL)) == 1, "attributions");
    CHECK(json_integer_value(at(object, "best_iteration", NULL, NULL)) == 1, "best");
    CHECK(json_number_value(at(object, "best_score", NULL, NULL)) == 0.75, "best");
    CHECK(json_integer_value(at(object, "trees_used", NULL, NULL)) == 2, "trees");
    CHECK(json_number_value(json_array_get(at(object, "base_values", NULL, NULL), 0)) ==
              1.5,
          "base value");
    json_decref(object);
}

static void test_metrics_without_anything_are_whole(void **state)
{
    (void)state;
    const bl_metrics_report report = {
        .objective = "reg:gamma", .best_iteration = -1, .best_score = 7};
    json_t *object = written_metrics(&report);
    CHECK(json_is_null(at(object, "best_iteration", NULL, NULL)), "best_iteration");
    CHECK(json_is_null(at(object, "best_score", NULL, NULL)), "best_score");
    CHECK(json_is_null(at(object, "base_values", NULL, NULL)), "base_values");
    CHECK(json_object_size(at(object, "final", NULL, NULL)) == 0, "final");
    json_decref(object);
}

static void test_metrics_that_cannot_be_had_leave_no_file(void **state)
{
    (void)state;
    const float predictions[] = {1};
    const bl_scored scored = {.n_rows = 1,
                              .n_outputs = 1,
                              .n_predictions = 1,
                              .predictions = predictions,
                              .objective = "reg:gamma"};
    const bl_channel_report channel = {"test", &scored, NULL};
    const bl_metrics_report report = {.objective = "reg:gamma",
                                      .n_channels = 1,
                                      .channels = &channel,
                                      .best_iteration = -1};
    bl_err err = {0};
    char *folder = made_folder();
    char *path = made_path(folder, "metrics.json");
    CHECK_FAILS(
        bli_metrics_write(path, &report, &err), BL_E_SHAPE, err,
        "metrics of channel test: objective 'reg:gamma' is scored by labels, but there "
        "are none");
    CHECK(made_count_files(folder) == 0, "a file is left");
    free(path);
    made_folder_remove(folder);
}

/* --- predictions.csv ---------------------------------------------------------------- */

static void test_predictions_are_percent_f_with_ids_last(void **state)
{
    (void)state;
    bl_err err = {0};
    const double values[] = {1, 0.12345678, 0, -2, (double)NAN, (double)INFINITY};
    char text[] = "k,1k2";
    uint64_t offset[] = {0, 3, 5};
    char name[] = "id";
    const bl_text_column ids = {name, text, offset};
    char *folder = made_folder();
    char *path = made_path(folder, "predictions.csv");
    /* A locale with a decimal comma, where there is one. */
    const char *with_comma = setlocale(LC_ALL, "de_DE.UTF-8");
    CHECK_OK(bli_predictions_write(path, 2, 3, values, &ids, 1, &err), err);
    if (with_comma)
        setlocale(LC_ALL, "C");
    check_text(path, "1.000000,0.123457,0.000000,\"k,1\"\n-2.000000,nan,inf,k2\n");
    CHECK_OK(bli_predictions_write(path, 0, 3, values, NULL, 0, &err), err);
    check_text(path, "");
    CHECK_FAILS(bli_predictions_write("/nowhere/p.csv", 2, 3, values, NULL, 0, &err),
                BL_E_IO, err, "/nowhere");
    free(path);
    made_folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_importance_is_sorted_by_mean_abs_then_position),
        cmocka_unit_test(test_importance_without_attributions_is_sorted_by_gain),
        cmocka_unit_test(test_importance_of_no_rows_and_no_trees_is_empty),
        cmocka_unit_test(test_importance_of_several_outputs_and_encoded_columns),
        cmocka_unit_test(test_importance_in_no_folder_is_an_error),
        cmocka_unit_test(test_bars_show_the_largest_first),
        cmocka_unit_test(test_metrics_hold_history_finals_and_additivity),
        cmocka_unit_test(test_metrics_without_anything_are_whole),
        cmocka_unit_test(test_metrics_that_cannot_be_had_leave_no_file),
        cmocka_unit_test(test_predictions_are_percent_f_with_ids_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
