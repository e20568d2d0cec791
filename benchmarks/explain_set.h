/* SPDX-License-Identifier: Apache-2.0 */
/* Rows and a model to explain: a file or drawn ones, trained by XGBoost. Any failure ends the
 * program with a sentence. */
#ifndef BL_BENCHMARKS_EXPLAIN_SET_H
#define BL_BENCHMARKS_EXPLAIN_SET_H

#include "model/model.h"

#include <xgboost/c_api.h>

typedef struct bench_options {
    unsigned depth, rounds, leaves, classes, dart; /* of the model */
    unsigned rows;                                 /* explained; 0: all */
    unsigned seconds;  /* of XGBoost's values; 0: whatever they take */
    unsigned features; /* of drawn rows */
    unsigned threads, repeats, truth, background, portable;
} bench_options;

typedef struct bench_set {
    const char *name; /* of the file, or "drawn" */
    size_t n, n_features;
    float *x, *y;
    BoosterHandle booster;
    bl_forest *forest; /* the same model */
    size_t n_leaves;
} bench_set;

void bench_must(int ok, const char *what);
#define XGB(call) bench_must((call) == 0, XGBGetLastError())

/* file: label first, no header, an empty cell is missing, gzip or not; "drawn": 20,000 rows of
 * `features` normal-looking columns with a label that half of them decide. Trains on all rows. */
void bench_set_new(const char *file, const bench_options *options, bench_set *ret_set);

#endif
