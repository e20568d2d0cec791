/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What XGBoost evaluates under the same name: margins are handed over as base margins of
 * a booster without trees. XGBoost sums in float here and there, hence the bound.
 */
#include "check.h"

#include "base/rng.h"
#include "evaluate/evaluate.h"

#include <stdlib.h>
#include <xgboost/c_api.h>

enum { MAX_ROWS = 1000, CLASSES = 4 };

#define CALL(call) CHECK((call) == 0, "%s", XGBGetLastError())

typedef struct bl_margins {
    uint64_t n;
    size_t width;
    float margins[MAX_ROWS * CLASSES];
    float predictions[MAX_ROWS * CLASSES];
    float labels[MAX_ROWS];
    float weights[MAX_ROWS];
    size_t n_groups;
    uint64_t groups[MAX_ROWS];
} bl_margins;

/* XGBoost's value of one metric. */
static double xgboost_value(const bl_margins *data, const char *objective,
                            const char *metric)
{
    static float zeros[MAX_ROWS];
    DMatrixHandle matrix;
    BoosterHandle booster;
    const char *line = NULL;
    const char *name = "d";
    unsigned groups[MAX_ROWS];
    float group_weights[MAX_ROWS];
    uint64_t row = 0;
    for (size_t g = 0; g < data->n_groups; g++) {
        groups[g] = (unsigned)data->groups[g];
        group_weights[g] = data->weights[row];
        row += data->groups[g];
    }
    CALL(XGDMatrixCreateFromMat(zeros, data->n, 1, NAN, &matrix));
    CALL(XGDMatrixSetFloatInfo(matrix, "label", data->labels, data->n));
    CALL(XGDMatrixSetFloatInfo(matrix, "base_margin", data->margins,
                               data->n * data->width));
    if (data->n_groups)
        CALL(XGDMatrixSetUIntInfo(matrix, "group", groups, data->n_groups));
    CALL(XGDMatrixSetFloatInfo(matrix, "weight",
                               data->n_groups ? group_weights : data->weights,
                               data->n_groups ? data->n_groups : data->n));
    CALL(XGBoosterCreate(&matrix, 1, &booster));
    CALL(XGBoosterSetParam(booster, "objective", objective));
    CALL(XGBoosterSetParam(booster, "eval_metric", metric));
    CALL(XGBoosterSetParam(booster, "nthread", "1"));
    if (data->width > 1)
        CALL(XGBoosterSetParam(booster, "num_class", "4"));
    CALL(XGBoosterEvalOneIter(booster, 0, &matrix, &name, 1, &line));
    const char *colon = line ? strrchr(line, ':') : NULL;
    CHECK(colon, "no value in '%s'", line ? line : "");
    double value = strtod(colon + 1, NULL);
    XGBoosterFree(booster);
    XGDMatrixFree(matrix);
    return value;
}

static double our_value(const bl_margins *data, const char *objective, const char *metric)
{
    bl_roles roles = {.n_groups = data->n_groups, .group_rows = NULL};
    static uint64_t groups[MAX_ROWS];
    memcpy(groups, data->groups, sizeof(groups));
    roles.group_rows = groups;
    bl_scored scored = {.n_rows = data->n,
                        .n_outputs = data->width,
                        .n_predictions = data->width,
                        .margins = data->margins,
                        .predictions = data->predictions,
                        .labels = data->labels,
                        .n_labels = 1,
                        .weights = data->weights,
                        .roles = data->n_groups ? &roles : NULL,
                        .objective = objective,
                        .n_classes = data->width > 1 ? CLASSES : 2};
    bl_err err = {0};
    bl_buf buf = {0};
    bl_jw jw = {.buf = &buf};
    json_t *object = NULL;
    bli_jw_object(&jw);
    CHECK_OK(bli_final_metrics(&scored, &jw, &err), err);
    bli_jw_object_end(&jw);
    bli_jw_end(&jw);
    CHECK_OK(bli_json_parse(buf.data, buf.n, &object, &err), err);
    double value = json_number_value(json_object_get(object, metric));
    json_decref(object);
    bli_buf_done(&buf);
    return value;
}

static void fill(bl_rng *rng, bl_margins *data, size_t width, bool grouped)
{
    /* Softmax may round equal chances apart, so what is tied there is anybody's guess. */
    bool tied = !grouped && width == 1;
    float step = tied ? 0.1F : 1e-6F;
    data->width = width;
    data->n = 100 + bli_rng_below(rng, MAX_ROWS - 99);
    data->n_groups = 0;
    for (uint64_t i = 0; i < data->n * width; i++)
        data->margins[i] = ((float)bli_rng_below(rng, tied ? 60 : 1U << 24) - 30) * step;
    for (uint64_t i = 0; i < data->n; i++)
        data->weights[i] = (float)(1 + bli_rng_below(rng, 6)) / 2;
    for (uint64_t row = 0; grouped && row < data->n;) {
        uint64_t n = 1 + bli_rng_below(rng, 20);
        n = n < data->n - row ? n : data->n - row;
        data->groups[data->n_groups++] = n;
        for (uint64_t i = 1; i < n; i++)
            data->weights[row + i] = data->weights[row];
        row += n;
    }
}

static void transform(bl_margins *data, const char *objective)
{
    for (uint64_t i = 0; i < data->n; i++) {
        const float *margin = data->margins + i * data->width;
        float *prediction = data->predictions + i * data->width;
        float sum = 0;
        float largest = margin[0];
        for (size_t k = 1; k < data->width; k++)
            largest = fmaxf(largest, margin[k]);
        for (size_t k = 0; k < data->width; k++) {
            if (data->width > 1)
                sum += prediction[k] = expf(margin[k] - largest);
            else if (strcmp(objective, "binary:logistic") == 0)
                prediction[k] = 1 / (1 + expf(-margin[k]));
            else if (strcmp(objective, "reg:gamma") == 0)
                prediction[k] = expf(margin[k]);
            else
                prediction[k] = margin[k];
        }
        for (size_t k = 0; data->width > 1 && k < data->width; k++)
            prediction[k] /= sum;
    }
}

static void compare(const char *objective, size_t width, uint64_t n_labels,
                    float first_label, const char *const *metrics, size_t n_metrics)
{
    const char *text = getenv("TEST_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 10) : 11;
    print_message("seed %llu (TEST_SEED)\n", (unsigned long long)seed);
    bl_rng rng = bli_rng(seed);
    static bl_margins data;
    for (int trial = 0; trial < 5; trial++) {
        fill(&rng, &data, width, strncmp(objective, "rank:", 5) == 0);
        for (uint64_t i = 0; i < data.n; i++)
            data.labels[i] =
                first_label + (float)(i < n_labels ? i : bli_rng_below(&rng, n_labels));
        /* XGBoost forgets the weight of a list without a gain. */
        for (uint64_t row = 0, g = 0; g < data.n_groups; row += data.groups[g++])
            data.labels[row] = 1;
        transform(&data, objective);
        for (size_t i = 0; i < n_metrics; i++) {
            double want = xgboost_value(&data, objective, metrics[i]);
            double got = our_value(&data, objective, metrics[i]);
            CHECK(relative_error(got, want) < 2e-6,
                  "trial %d: %s of %s is %.9g, XGBoost's %.9g", trial, metrics[i],
                  objective, got, want);
        }
    }
}

#define COMPARE(objective, width, n_labels, first_label, ...)                            \
    do {                                                                                 \
        static const char *const metrics[] = {__VA_ARGS__};                              \
        compare(objective, width, n_labels, first_label, metrics,                        \
                sizeof(metrics) / sizeof(metrics[0]));                                   \
    } while (0)

static void test_binary_metrics_equal_xgboosts(void **state)
{
    (void)state;
    COMPARE("binary:logistic", 1, 2, 0, "auc", "aucpr", "logloss", "error");
}

static void test_class_metrics_equal_xgboosts(void **state)
{
    (void)state;
    COMPARE("multi:softprob", CLASSES, CLASSES, 0, "mlogloss", "merror", "auc");
}

static void test_number_metrics_equal_xgboosts(void **state)
{
    (void)state;
    COMPARE("reg:squarederror", 1, 9, 1, "rmse", "mae", "mape");
}

static void test_ranking_metrics_of_distinct_scores_equal_xgboosts(void **state)
{
    (void)state;
    COMPARE("rank:ndcg", 1, 5, 0, "ndcg", "ndcg@5", "ndcg@10");
    COMPARE("rank:map", 1, 2, 0, "map", "ndcg");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_binary_metrics_equal_xgboosts),
        cmocka_unit_test(test_class_metrics_equal_xgboosts),
        cmocka_unit_test(test_number_metrics_equal_xgboosts),
        cmocka_unit_test(test_ranking_metrics_of_distinct_scores_equal_xgboosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
