/* SPDX-License-Identifier: Apache-2.0 */
/* A real model with missing values, written by XGBoost itself, for the tests of the public library. */
#ifndef BL_TESTS_UNIT_API_TRAINED_H
#define BL_TESTS_UNIT_API_TRAINED_H

#include "check.h"

#include "boostlens.h"

#include <xgboost/c_api.h>

enum { N_ROWS = 400, N_FEATURES = 5 };

extern float rows[N_ROWS][N_FEATURES];
extern float labels[N_ROWS];

/* Set up and tear down a group of tests. */
int train(void **state);
int forget(void **state);

/* The model, loaded. */
bl_model *load(void);
/* XGBoost's own values, [N_ROWS][width], by its type of prediction. */
const float *xgboost_predicts(int type, bst_ulong *ret_n);

#endif
