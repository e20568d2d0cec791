/* SPDX-License-Identifier: Apache-2.0 */
/* The public library as a user has it: the shared object and boostlens.h, nothing else of
 * ours. */
#include "trained.h"

static void test_predictions_are_xgboosts_bits(void **state)
{
    (void)state;
    bl_model *model = load();
    bl_err err = {0};
    float got[N_ROWS];
    static const struct {
        bl_predict_type type;
        int xgboost;
    } cases[] = {{BL_PREDICT_PREDICTION, 0}, {BL_PREDICT_MARGIN, 1}};
    for (int c = 0; c < 2; c++) {
        bst_ulong n;
        const float *want = xgboost_predicts(cases[c].xgboost, &n);
        CHECK(n == N_ROWS, "%d", (int)n);
        CHECK_OK(bl_predict(model, &rows[0][0], N_ROWS, N_FEATURES, cases[c].type, got,
                            N_ROWS, &err),
                 err);
        CHECK(memcmp(got, want, sizeof got) == 0, "type %d differs", c);
    }
    bl_model_free(model);
}

static void test_contributions_have_xgboosts_layout_and_sum_to_the_margin(void **state)
{
    (void)state;
    bl_model *model = load();
    bl_err err = {0};
    static float phi[N_ROWS][N_FEATURES + 1];
    float margin[N_ROWS];
    CHECK_OK(bl_contribs(model, &rows[0][0], N_ROWS, N_FEATURES, &phi[0][0],
                         sizeof phi / sizeof(float), &err),
             err);
    CHECK_OK(bl_predict(model, &rows[0][0], N_ROWS, N_FEATURES, BL_PREDICT_MARGIN, margin,
                        N_ROWS, &err),
             err);
    bst_ulong n;
    const float *want = xgboost_predicts(2, &n);
    CHECK(n == N_ROWS * (N_FEATURES + 1), "%d", (int)n);
    for (int i = 0; i < N_ROWS; i++) {
        double sum = 0;
        for (int j = 0; j <= N_FEATURES; j++) {
            sum += (double)phi[i][j];
            double distance =
                fabs((double)phi[i][j] - (double)want[i * (N_FEATURES + 1) + j]);
            CHECK(distance < 1e-5, "row %d, column %d: %g", i, j, distance);
        }
        CHECK(fabs(sum - (double)margin[i]) < 1e-5, "row %d: %g", i,
              sum - (double)margin[i]);
    }
    bl_model_free(model);
}

static void test_a_model_tells_its_sizes_and_names(void **state)
{
    (void)state;
    bl_model *model = load();
    CHECK(bl_model_n_features(model) == N_FEATURES && bl_model_n_outputs(model) == 1 &&
              bl_model_n_trees(model) == 20 &&
              bl_model_n_predictions(model, BL_PREDICT_PREDICTION) == 1,
          "sizes");
    CHECK(strcmp(bl_model_feature_name(model, 3), "d e") == 0, "name");
    CHECK(!bl_model_feature_name(model, 5), "no such column");
    bl_model_free(model);
    bl_model_free(NULL);
    CHECK(strlen(bl_version()) >= 5, "%s", bl_version());
}

static void test_wrong_calls_get_a_sentence(void **state)
{
    (void)state;
    bl_model *model = load(), *none = NULL;
    bl_err err = {0};
    float out[N_ROWS];
    CHECK_FAILS(
        bl_predict(model, &rows[0][0], N_ROWS, 4, BL_PREDICT_MARGIN, out, N_ROWS, &err),
        BL_E_SHAPE, err, "rows of 4 features, the model has 5");
    CHECK_FAILS(
        bl_predict(model, &rows[0][0], N_ROWS, 5, BL_PREDICT_MARGIN, out, 3, &err),
        BL_E_SHAPE, err, "room for 3 floats");
    CHECK_FAILS(bl_contribs(model, NULL, 1, 5, out, 6, &err), BL_E_ARG, err, "NULL");
    CHECK_FAILS(bl_model_load(NULL, &none, &err), BL_E_ARG, err, "path");
    CHECK_FAILS(bl_model_load("/nowhere/model", &none, &err), BL_E_IO, err,
                "No such file");
    CHECK_FAILS(bl_model_load_buffer("\x80\x03", 2, &none, &err), BL_E_MODEL, err,
                "pickle");
    CHECK(!none, "output written");
    CHECK_OK(bl_predict(model, NULL, 0, 5, BL_PREDICT_MARGIN, NULL, 0, &err), err);
    bl_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_predictions_are_xgboosts_bits),
        cmocka_unit_test(test_contributions_have_xgboosts_layout_and_sum_to_the_margin),
        cmocka_unit_test(test_a_model_tells_its_sizes_and_names),
        cmocka_unit_test(test_wrong_calls_get_a_sentence),
    };
    return cmocka_run_group_tests_name("api", tests, train, forget);
}
