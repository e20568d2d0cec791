/* SPDX-License-Identifier: Apache-2.0 */
/* Models trained by libxgboost in the test itself, and what it predicts of them. */
#ifndef BL_TESTS_UNIT_MODEL_TRAINED_H
#define BL_TESTS_UNIT_MODEL_TRAINED_H

#include "check.h"
#include "model/model.h"

#include <xgboost/c_api.h>

/* What to train on. Zero is a plain regression on complete rows. */
typedef struct recipe {
    const char *name;
    const char *params; /* "max_depth=3 eta=0.2", blanks between */
    int rounds;
    size_t n_rows, n_features; /* 0: 500 and 6 */
    enum {
        Y_REAL,
        Y_BINARY,
        Y_COUNT,
        Y_CLASS,
        Y_RANK,
        Y_RANK_BINARY,
        Y_BOUNDS,
        Y_MULTI
    } y;
    size_t n_targets;  /* classes of Y_CLASS, columns of Y_MULTI */
    double missing;    /* share of missing cells */
    unsigned n_levels; /* > 0: the first two features are categories 0 .. n_levels-1 */
    bool base_margin;
    bool names;
    uint64_t seed;
} recipe;

typedef struct trained {
    BoosterHandle booster;
    DMatrixHandle data;
    size_t n_rows, n_features, n_outputs;
    float *x;           /* [n_rows][n_features] */
    float *base_margin; /* [n_rows][n_outputs] or NULL */
    char *ubj;          /* the model as XGBoost saves it */
    size_t n_ubj;
} trained;

/* Fails the test with XGBoost's message where it refuses. */
trained *train(const recipe *r);
void trained_free(trained *t);

/* Saves again into t->ubj after a change to the booster. */
void trained_save(trained *t);

/* XGBoost's predictions over rounds [first, last), 0: all; of what other rows hold where
 * x is not NULL. Fresh array of *ret_n floats. */
float *trained_predict(trained *t, bool margin, int first, int last, const float *x,
                       size_t n_rows, size_t *ret_n);

/* A booster that was loaded from bytes; NULL and the message in XGBGetLastError
 * otherwise. */
BoosterHandle load(const void *ubj, size_t n);
float *predict_with(BoosterHandle booster, DMatrixHandle data, bool margin, int first,
                    int last, size_t *ret_n);

DMatrixHandle matrix_of(const float *x, size_t n_rows, size_t n_features);

bl_forest *read_forest(const void *ubj, size_t n);

/* Counts floats whose bits differ (NaNs are equal to each other). */
size_t differing(const float *a, const float *b, size_t n);

#endif
