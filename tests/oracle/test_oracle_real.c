/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The eight real sets of BOOSTLENS_DATA: a model of 100 rounds on each, every row
 * explained; additivity and XGBoost's margins on all rows, truth on BL_TRUTH_ROWS of them
 * (default 60) at equal distances.
 */
#include "check.h"

#include "base/mem.h"
#include "explain/explain.h"
#include "oracle/shapley.h"

#include <stdlib.h>
#include <unistd.h>
#include <xgboost/c_api.h>
#include <zlib.h>

#define XGB(call) CHECK((call) == 0, "%s", XGBGetLastError())

static const struct {
    const char *name, *file, *objective;
    unsigned n_classes;
    unsigned max_depth;
} sets[] = {
    {"credit-default", "train_data.csv.gz", "binary:logistic", 0, 6},
    {"adult", "adult_train_num.csv.gz", "binary:logistic", 0, 8},
    {"bank-marketing", "bank_num.csv.gz", "binary:logistic", 0, 6},
    {"california-housing", "housing_num.csv", "reg:squarederror", 0, 6},
    {"covertype-93k", "covertype_93k_num.csv.gz", "multi:softprob", 7, 6},
    {"sgemm", "sgemm_num.csv.gz", "reg:squarederror", 0, 6},
    {"kddcup99-10pct", "kddcup99_10pct_num.csv.gz", "binary:logistic", 0, 6},
    {"diabetes-130", "diabetes_num.csv.gz", "binary:logistic", 0, 10},
};

typedef struct set {
    size_t n_features, n_rows;
    float *x, *y;
} set;

/* Label first, no header, an empty cell is missing. */
static bool read_set(const char *path, set *ret)
{
    gzFile file = gzopen(path, "rb");
    if (!file)
        return false;
    static char line[65536];
    size_t cap = 0, y_cap = 0, n_cells = 0;
    void *x = NULL, *y = NULL;
    *ret = (set){0};
    while (gzgets(file, line, sizeof line)) {
        size_t column = 0;
        for (char *at = line;; column++) {
            char *end;
            float value = strtof(at, &end);
            if (end == at)
                value = NAN;
            CHECK(*end == ',' || *end == '\n' || *end == '\r', "%s: row %zu", path,
                  ret->n_rows);
            if (column == 0) {
                CHECK_OK(
                    bli_grow(&y, &y_cap, ret->n_rows + 1, sizeof(float), "labels", NULL),
                    (bl_err){0});
                ((float *)y)[ret->n_rows] = value;
            } else {
                CHECK_OK(bli_grow(&x, &cap, n_cells + 1, sizeof(float), "cells", NULL),
                         (bl_err){0});
                ((float *)x)[n_cells++] = value;
            }
            if (*end != ',')
                break;
            at = end + 1;
        }
        if (!ret->n_rows)
            ret->n_features = column;
        CHECK(column == ret->n_features, "%s: row %zu has %zu cells", path, ret->n_rows,
              column);
        ret->n_rows++;
    }
    gzclose(file);
    ret->x = x;
    ret->y = y;
    return true;
}

static void set_parameter(BoosterHandle booster, const char *name, unsigned value)
{
    char text[16];
    snprintf(text, sizeof text, "%u", value);
    XGB(XGBoosterSetParam(booster, name, text));
}

static BoosterHandle train_on(const set *data, size_t which, DMatrixHandle *ret_matrix)
{
    BoosterHandle booster;
    XGB(XGDMatrixCreateFromMat(data->x, data->n_rows, data->n_features, NAN, ret_matrix));
    float least = data->y[0];
    for (size_t i = 1; i < data->n_rows; i++)
        least = fminf(least, data->y[i]);
    for (size_t i = 0; sets[which].n_classes && i < data->n_rows; i++)
        data->y[i] -= least; /* classes count from 0 */
    XGB(XGDMatrixSetFloatInfo(*ret_matrix, "label", data->y, data->n_rows));
    XGB(XGBoosterCreate(ret_matrix, 1, &booster));
    XGB(XGBoosterSetParam(booster, "objective", sets[which].objective));
    XGB(XGBoosterSetParam(booster, "tree_method", "hist"));
    XGB(XGBoosterSetParam(booster, "eta", "0.1"));
    XGB(XGBoosterSetParam(booster, "verbosity", "0"));
    set_parameter(booster, "max_depth", sets[which].max_depth);
    set_parameter(booster, "nthread", 2);
    if (sets[which].n_classes)
        set_parameter(booster, "num_class", sets[which].n_classes);
    for (int round = 0; round < 100; round++)
        XGB(XGBoosterUpdateOneIter(booster, round, *ret_matrix));
    return booster;
}

typedef struct truth {
    const bl_forest *forest;
    const float *margins; /* XGBoost's */
    uint64_t every;
    double worst, scale;
} truth;

static bl_status compare(void *cookie, const bl_batch *batch, bl_err *err)
{
    (void)err;
    truth *t = cookie;
    size_t F = t->forest->n_features, K = t->forest->n_outputs;
    long double *want = malloc((F + 1) * sizeof *want);
    assert_non_null(want);
    assert_memory_equal(batch->margins, t->margins + batch->first * K,
                        (size_t)batch->n_rows * K * sizeof(float));
    for (uint64_t r = 0; r < batch->n_rows; r++)
        for (size_t k = 0; batch->row[r] % t->every == 0 && k < K; k++) {
            oracle_forest_phi(t->forest, 0, t->forest->n_rounds, k, batch->x + r * F,
                              NULL, oracle_tree_leaves, want);
            const float *phi = batch->phi + (r * K + k) * (F + 1);
            for (size_t f = 0; f < F; f++) {
                t->worst = fmax(t->worst, fabs((double)((long double)phi[f] - want[f])));
                t->scale = fmax(t->scale, fabs((double)want[f]));
            }
        }
    free(want);
    return BL_OK;
}

static void check_set(const set *data, size_t which)
{
    DMatrixHandle matrix;
    BoosterHandle booster = train_on(data, which, &matrix);
    bst_ulong n;
    const char *bytes;
    const bst_ulong *shape;
    const float *margins;
    bl_forest *forest;
    bl_explainer *explainer;
    bl_attribution *a;
    bl_err err = {0};
    bl_limits limits = bli_limits();
    XGB(XGBoosterSaveModelToBuffer(booster, "{\"format\":\"ubj\"}", &n, &bytes));
    CHECK_OK(bli_forest_read(bytes, n, &limits, NULL, &forest, &err), err);
    CHECK_OK(bli_explainer_new(forest, 0, forest->n_rounds, &explainer, &err), err);
    XGB(XGBoosterPredictFromDMatrix(
        booster, matrix,
        "{\"type\":1,\"training\":false,\"iteration_begin\":0,"
        "\"iteration_end\":0,\"strict_shape\":true}",
        &shape, &n, &margins));
    bl_block block = {.x = data->x, .n_rows = data->n_rows};
    bl_matrix rows = {.n_features = data->n_features,
                      .n_rows = data->n_rows,
                      .n_blocks = 1,
                      .blocks = &block};
    const char *wanted = getenv("BL_TRUTH_ROWS");
    size_t n_truth = wanted ? strtoul(wanted, NULL, 10) : 60;
    CHECK(n_truth > 0, "BL_TRUTH_ROWS is '%s'; 1 or more", wanted);
    truth t = {
        .forest = forest, .margins = margins, .every = 1 + (data->n_rows - 1) / n_truth};
    bl_explain_options options = {.n_threads = 2};
    CHECK_OK(bli_explain(explainer, &rows, &options, compare, &t, &a, &err), err);
    double additivity = a->worst_additivity / a->max_abs_margin;
    printf("%-20s %6zu rows: truth %.1e of the largest |phi|, additivity %.1e of the "
           "largest "
           "|margin| (its float32 margin: %.1e)\n",
           sets[which].name, data->n_rows, t.worst / t.scale, additivity,
           a->worst_margin_distance / a->max_abs_margin);
    fflush(stdout);
    CHECK(additivity <= 1e-6, "%s: additivity error %.3g", sets[which].name, additivity);
    CHECK(t.worst <= 1e-6 * t.scale, "%s: %.3g of %.3g from the truth", sets[which].name,
          t.worst, t.scale);
    bli_attribution_free(a);
    bli_explainer_free(explainer);
    bli_forest_free(forest);
    XGB(XGBoosterFree(booster));
    XGB(XGDMatrixFree(matrix));
}

static void test_real_sets_are_exact(void **state)
{
    (void)state;
    const char *folder = getenv("BOOSTLENS_DATA"), *only = getenv("BL_TEST_SET");
    size_t n_seen = 0;
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s/%s", folder ? folder : "../shared/data",
                 sets[i].name, sets[i].file);
        if (only && strcmp(only, sets[i].name) != 0)
            continue;
        set data;
        if (!read_set(path, &data)) {
            printf("not there: %s\n", path);
            continue;
        }
        n_seen++;
        check_set(&data, i);
        free(data.x);
        free(data.y);
    }
    if (!n_seen)
        SKIP("no data set found: name their folder in BOOSTLENS_DATA");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_real_sets_are_exact)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
