/* SPDX-License-Identifier: Apache-2.0 */
#include "trained.h"

#include "base/mem.h"
#include "base/rng.h"

#include <stdbool.h>
#include <stdlib.h>

#define XGB(call) CHECK((call) == 0, "%s", XGBGetLastError())

static double uniform(bl_rng *rng)
{
    return (double)(bli_rng_next(rng) >> 11) / 9007199254740992.0;
}

static double noise(bl_rng *rng)
{
    double sum = 0;
    for (int i = 0; i < 4; i++)
        sum += uniform(rng);
    return sum - 2;
}

static void *zeroed(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);
    assert_non_null(p);
    return p;
}

static float *make_rows(const recipe *r, const trained *t, bl_rng *rng)
{
    float *x = zeroed(t->n_rows * t->n_features, sizeof *x);
    for (size_t i = 0; i < t->n_rows * t->n_features; i++) {
        size_t column = i % t->n_features;
        x[i] = (float)noise(rng);
        if (r->n_levels && column < 2)
            x[i] = (float)bli_rng_below(rng, r->n_levels);
        if (uniform(rng) < r->missing)
            x[i] = NAN;
    }
    return x;
}

static double signal(const float *row, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(row[i]))
            sum +=
                sin((double)row[i] * (double)(i + 1)) + (double)row[i] / (double)(i + 2);
    return sum;
}

static float label_of(const recipe *r, double s, size_t target, bl_rng *rng)
{
    switch (r->y) {
    case Y_BINARY:
    case Y_RANK_BINARY:
        return s + noise(rng) > 0 ? 1.0f : 0.0f;
    case Y_COUNT:
        return (float)floor(exp(s / 3 + 1) + 1);
    case Y_CLASS:
        return (float)((uint64_t)(fabs(s) * 1.7 + uniform(rng)) % r->n_targets);
    case Y_RANK:
        return s > 1 ? 2.0f : s > 0 ? 1.0f : 0.0f;
    case Y_BOUNDS:
        return (float)(exp(s / 3) + 0.1);
    case Y_MULTI:
        return (float)(s * (double)(target + 1) + 3 * (double)target + noise(rng));
    default:
        return (float)(s + 2 + noise(rng) / 4);
    }
}

static void set_float(trained *t, const char *field, const float *values,
                      size_t n_columns)
{
    char spec[256];
    snprintf(
        spec, sizeof spec,
        "{\"data\":[%zu,false],\"shape\":[%zu,%zu],\"typestr\":\"<f4\",\"version\":3}",
        (size_t)(uintptr_t)values, t->n_rows, n_columns);
    XGB(XGDMatrixSetInfoFromInterface(t->data, field, spec));
}

static void set_labels(const recipe *r, trained *t, bl_rng *rng)
{
    size_t n_columns = r->y == Y_MULTI ? r->n_targets : 1;
    float *y = zeroed(t->n_rows * n_columns, sizeof *y);
    for (size_t i = 0; i < t->n_rows; i++)
        for (size_t k = 0; k < n_columns; k++)
            y[i * n_columns + k] =
                label_of(r, signal(t->x + i * t->n_features, t->n_features), k, rng);
    if (r->y == Y_BOUNDS) {
        set_float(t, "label_lower_bound", y, 1);
        for (size_t i = 0; i < t->n_rows; i += 3)
            y[i] = INFINITY;
        set_float(t, "label_upper_bound", y, 1);
    } else {
        set_float(t, "label", y, n_columns);
    }
    free(y);
    if (r->y == Y_RANK || r->y == Y_RANK_BINARY) {
        size_t n_groups = t->n_rows / 10;
        unsigned *group = zeroed(n_groups, sizeof *group);
        for (size_t i = 0; i < n_groups; i++)
            group[i] = 10;
        XGB(XGDMatrixSetUIntInfo(t->data, "group", group, n_groups));
        free(group);
    }
}

DMatrixHandle matrix_of(const float *x, size_t n_rows, size_t n_features)
{
    DMatrixHandle data;
    XGB(XGDMatrixCreateFromMat(x, n_rows, n_features, NAN, &data));
    return data;
}

static void set_types(const recipe *r, trained *t)
{
    const char **types = zeroed(t->n_features, sizeof *types);
    const char **names = zeroed(t->n_features, sizeof *names);
    static const char *const name[] = {"alpha", "beta",    "gamma",
                                       "delta", "epsilon", "zeta"};
    for (size_t i = 0; i < t->n_features; i++) {
        types[i] = r->n_levels && i < 2 ? "c" : "q";
        names[i] = name[i % BL_LEN(name)];
    }
    if (r->n_levels) {
        XGB(XGDMatrixSetStrFeatureInfo(t->data, "feature_type", types, t->n_features));
        XGB(XGBoosterSetStrFeatureInfo(t->booster, "feature_type", types, t->n_features));
    }
    if (r->names)
        XGB(XGBoosterSetStrFeatureInfo(t->booster, "feature_name", names, t->n_features));
    free(types);
    free(names);
}

static void set_params(BoosterHandle booster, const char *params)
{
    char *copy = strdup(params), *save = NULL;
    assert_non_null(copy);
    for (char *word = strtok_r(copy, " ", &save); word;
         word = strtok_r(NULL, " ", &save)) {
        char *value = strchr(word, '=');
        CHECK(value, "parameter '%s'", word);
        *value = '\0';
        XGB(XGBoosterSetParam(booster, word, value + 1));
    }
    free(copy);
}

static size_t outputs_of(const recipe *r)
{
    return r->y == Y_MULTI || r->y == Y_CLASS || r->n_targets ? r->n_targets : 1;
}

void trained_save(trained *t)
{
    bst_ulong n;
    const char *bytes;
    XGB(XGBoosterSaveModelToBuffer(t->booster, "{\"format\":\"ubj\"}", &n, &bytes));
    free(t->ubj);
    t->ubj = zeroed(n, 1);
    memcpy(t->ubj, bytes, n);
    t->n_ubj = n;
}

trained *train(const recipe *r)
{
    trained *t = zeroed(1, sizeof *t);
    bl_rng rng = bli_rng(r->seed + 7);
    t->n_rows = r->n_rows ? r->n_rows : 500;
    t->n_features = r->n_features ? r->n_features : 6;
    t->n_outputs = outputs_of(r);
    t->x = make_rows(r, t, &rng);
    t->data = matrix_of(t->x, t->n_rows, t->n_features);
    set_labels(r, t, &rng);
    XGB(XGBoosterCreate(&t->data, 1, &t->booster));
    XGB(XGBoosterSetParam(t->booster, "nthread", "1"));
    XGB(XGBoosterSetParam(t->booster, "verbosity", "0"));
    set_params(t->booster, r->params ? r->params : "");
    set_types(r, t);
    if (r->base_margin) {
        size_t n = t->n_rows * t->n_outputs;
        t->base_margin = zeroed(n, sizeof *t->base_margin);
        for (size_t i = 0; i < n; i++)
            t->base_margin[i] = (float)noise(&rng);
        set_float(t, "base_margin", t->base_margin, t->n_outputs);
    }
    for (int round = 0; round < r->rounds; round++)
        XGB(XGBoosterUpdateOneIter(t->booster, round, t->data));
    trained_save(t);
    return t;
}

void trained_free(trained *t)
{
    if (!t)
        return;
    XGBoosterFree(t->booster);
    XGDMatrixFree(t->data);
    free(t->x);
    free(t->base_margin);
    free(t->ubj);
    free(t);
}

BoosterHandle load(const void *ubj, size_t n)
{
    BoosterHandle booster;
    XGB(XGBoosterCreate(NULL, 0, &booster));
    XGBoosterSetParam(booster, "verbosity", "0");
    XGBoosterSetParam(booster, "nthread", "1");
    if (XGBoosterLoadModelFromBuffer(booster, ubj, n) == 0)
        return booster;
    XGBoosterFree(booster);
    return NULL;
}

float *predict_with(BoosterHandle booster, DMatrixHandle data, bool margin, int first,
                    int last, size_t *ret_n)
{
    char config[160];
    const bst_ulong *shape;
    bst_ulong n_dims;
    const float *values;
    snprintf(
        config, sizeof config,
        "{\"type\":%d,\"training\":false,\"iteration_begin\":%d,\"iteration_end\":%d,"
        "\"strict_shape\":true}",
        margin, first, last);
    XGB(XGBoosterPredictFromDMatrix(booster, data, config, &shape, &n_dims, &values));
    size_t n = 1;
    for (bst_ulong i = 0; i < n_dims; i++)
        n *= shape[i];
    float *copy = zeroed(n, sizeof *copy);
    memcpy(copy, values, n * sizeof *copy);
    *ret_n = n;
    return copy;
}

float *trained_predict(trained *t, bool margin, int first, int last, const float *x,
                       size_t n_rows, size_t *ret_n)
{
    if (!x)
        return predict_with(t->booster, t->data, margin, first, last, ret_n);
    DMatrixHandle data = matrix_of(x, n_rows, t->n_features);
    float *got = predict_with(t->booster, data, margin, first, last, ret_n);
    XGDMatrixFree(data);
    return got;
}

bl_forest *read_forest(const void *ubj, size_t n)
{
    bl_limits limits = bli_limits();
    bl_forest *forest = NULL;
    bl_err err = {0};
    bl_status st = bli_forest_read(ubj, n, &limits, NULL, &forest, &err);
    CHECK_OK(st, err);
    return forest;
}

size_t differing(const float *a, const float *b, size_t n)
{
    size_t n_different = 0;
    for (size_t i = 0; i < n; i++)
        n_different +=
            memcmp(&a[i], &b[i], sizeof *a) != 0 && !(isnan(a[i]) && isnan(b[i]));
    return n_different;
}
