/* SPDX-License-Identifier: Apache-2.0 */
#include "explain_set.h"

#include "base/mem.h"
#include "base/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

void bench_must(int ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "explain_bench: %s\n", what);
        exit(1);
    }
}

static void read_rows(const char *path, bench_set *set)
{
    static char line[1 << 16];
    size_t x_cap = 0, y_cap = 0, cells = 0;
    void *x = NULL, *y = NULL;
    gzFile file = gzopen(path, "rb");
    bench_must(file != NULL, path);
    while (gzgets(file, line, sizeof line)) {
        size_t column = 0;
        for (char *at = line, *end;; at = end + 1, column++) {
            float value = strtof(at, &end);
            if (end == at)
                value = NAN;
            void **into = column ? &x : &y;
            size_t at_cell = column ? cells++ : set->n;
            bench_must(bli_grow(into, column ? &x_cap : &y_cap, at_cell + 1, sizeof value,
                                "rows", NULL) == BL_OK,
                       "no memory for rows");
            ((float *)*into)[at_cell] = value;
            if (*end != ',')
                break;
        }
        set->n_features = column;
        set->n++;
    }
    gzclose(file);
    set->x = x;
    set->y = y;
}

static void draw_rows(size_t n_features, bench_set *set)
{
    bl_rng rng = bli_rng(1);
    set->n = 20000;
    set->n_features = n_features;
    set->x = malloc(set->n * n_features * sizeof *set->x);
    set->y = malloc(set->n * sizeof *set->y);
    bench_must(set->x && set->y, "no memory for rows");
    for (size_t r = 0; r < set->n; r++) {
        float *x = set->x + r * n_features, sum = 0;
        for (size_t f = 0; f < n_features; f++) {
            x[f] = ((float)bli_rng_below(&rng, 1000) + (float)bli_rng_below(&rng, 1000) +
                    (float)bli_rng_below(&rng, 1000)) /
                       500 -
                   3;
            if (f % 2 == 0)
                sum += x[f] * (float)(1 + f % 7) + x[f] * x[(f + 2) % (f + 1)] / 2;
        }
        set->y[r] = sum + (float)bli_rng_below(&rng, 1000) / 500 > 0;
    }
}

static void set_number(BoosterHandle booster, const char *name, unsigned value)
{
    char text[16];
    snprintf(text, sizeof text, "%u", value);
    XGB(XGBoosterSetParam(booster, name, text));
}

static void choose_objective(bench_set *set, const bench_options *o)
{
    float least = set->y[0], most = set->y[0];
    for (size_t i = 0; i < set->n; i++) {
        least = fminf(least, set->y[i]);
        most = fmaxf(most, set->y[i]);
    }
    for (size_t i = 0; o->classes && i < set->n; i++)
        set->y[i] -= least; /* classes count from 0 */
    bool binary = least == 0 && most == 1;
    XGB(XGBoosterSetParam(set->booster, "objective",
                          o->classes ? "multi:softprob"
                          : binary   ? "binary:logistic"
                                     : "reg:squarederror"));
    if (o->classes)
        set_number(set->booster, "num_class", o->classes);
}

static void train(bench_set *set, const bench_options *o)
{
    DMatrixHandle data;
    XGB(XGDMatrixCreateFromMat(set->x, set->n, set->n_features, NAN, &data));
    XGB(XGBoosterCreate(&data, 1, &set->booster));
    choose_objective(set, o);
    XGB(XGDMatrixSetFloatInfo(data, "label", set->y, set->n));
    XGB(XGBoosterSetParam(set->booster, "tree_method", "hist"));
    XGB(XGBoosterSetParam(set->booster, "eta", "0.1"));
    XGB(XGBoosterSetParam(set->booster, "verbosity", "0"));
    set_number(set->booster, "max_depth", o->depth);
    set_number(set->booster, "nthread", o->threads);
    if (o->leaves) {
        XGB(XGBoosterSetParam(set->booster, "grow_policy", "lossguide"));
        set_number(set->booster, "max_leaves", o->leaves);
    }
    if (o->dart) {
        XGB(XGBoosterSetParam(set->booster, "booster", "dart"));
        XGB(XGBoosterSetParam(set->booster, "rate_drop", "0.1"));
    }
    for (unsigned i = 0; i < o->rounds; i++)
        XGB(XGBoosterUpdateOneIter(set->booster, (int)i, data));
    XGB(XGDMatrixFree(data));
}

static double values_seconds(const bench_set *set, size_t n)
{
    struct timespec start, end;
    DMatrixHandle matrix;
    const bst_ulong *shape;
    const float *values;
    bst_ulong dimensions;
    XGB(XGDMatrixCreateFromMat(set->x, n, set->n_features, NAN, &matrix));
    clock_gettime(CLOCK_MONOTONIC, &start);
    XGB(XGBoosterPredictFromDMatrix(set->booster, matrix,
                                    "{\"type\":2,\"training\":false,"
                                    "\"iteration_begin\":0,\"iteration_end\":0,"
                                    "\"strict_shape\":true}",
                                    &shape, &dimensions, &values));
    clock_gettime(CLOCK_MONOTONIC, &end);
    XGB(XGDMatrixFree(matrix));
    return (double)(end.tv_sec - start.tv_sec) +
           1e-9 * (double)(end.tv_nsec - start.tv_nsec);
}

/* As many rows as XGBoost explains in the seconds given. */
static void limit_rows(bench_set *set, const bench_options *o)
{
    size_t n = 64;
    double took = 0;
    for (; n < set->n; n *= 4) {
        took = values_seconds(set, n);
        if (took > 0.1)
            break;
    }
    double most = took > 0 ? (double)n * (double)o->seconds / took : (double)set->n;
    if (most < (double)set->n)
        set->n = most < 64 ? 64 : (size_t)most;
}

void bench_set_new(const char *file, const bench_options *options, bench_set *ret_set)
{
    *ret_set = (bench_set){0};
    if (strcmp(file, "drawn") == 0)
        draw_rows(options->features, ret_set);
    else
        read_rows(file, ret_set);
    const char *slash = strrchr(file, '/');
    ret_set->name = slash ? slash + 1 : file;
    bench_must(ret_set->n > 0, "the file has no row");
    train(ret_set, options);
    bst_ulong n_bytes;
    const char *bytes;
    bl_err err = {0};
    bl_limits limits = bli_limits();
    XGB(XGBoosterSaveModelToBuffer(ret_set->booster, "{\"format\":\"ubj\"}", &n_bytes,
                                   &bytes));
    bench_must(bli_forest_read(bytes, n_bytes, &limits, NULL, &ret_set->forest, &err) ==
                   BL_OK,
               err.msg);
    for (size_t t = 0; t < ret_set->forest->n_trees; t++)
        ret_set->n_leaves += ret_set->forest->trees[t].n_leaves;
    if (options->rows && options->rows < ret_set->n)
        ret_set->n = options->rows;
    if (options->seconds)
        limit_rows(ret_set, options);
}
