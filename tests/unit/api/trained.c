/* SPDX-License-Identifier: Apache-2.0 */
#include "trained.h"

#include <stdlib.h>
#include <unistd.h>

static char path[] = "/tmp/boostlens-api-XXXXXX";
float rows[N_ROWS][N_FEATURES];
float labels[N_ROWS];
static BoosterHandle booster;
static DMatrixHandle matrix;

#define XGB(call) CHECK((call) == 0, "%s", XGBGetLastError())

int train(void **state)
{
    (void)state;
    srand(11);
    for (int i = 0; i < N_ROWS; i++) {
        for (int j = 0; j < N_FEATURES; j++)
            rows[i][j] = rand() % 10 == 0 ? NAN : (float)(rand() % 1000) / 500.0F;
        labels[i] = rows[i][0] > 1.0F || (rows[i][1] > 1.0F && rows[i][2] < 0.7F);
    }
    XGB(XGDMatrixCreateFromMat(&rows[0][0], N_ROWS, N_FEATURES, NAN, &matrix));
    XGB(XGDMatrixSetFloatInfo(matrix, "label", labels, N_ROWS));
    XGB(XGBoosterCreate(&matrix, 1, &booster));
    XGB(XGBoosterSetParam(booster, "objective", "binary:logistic"));
    XGB(XGBoosterSetParam(booster, "nthread", "1"));
    for (int i = 0; i < 20; i++)
        XGB(XGBoosterUpdateOneIter(booster, i, matrix));
    const char *names[N_FEATURES] = {"a", "b", "c", "d e", "f"};
    XGB(XGBoosterSetStrFeatureInfo(booster, "feature_name", names, N_FEATURES));
    int fd = mkstemp(path);
    bst_ulong n;
    const char *bytes;
    XGB(XGBoosterSaveModelToBuffer(booster, "{\"format\": \"ubj\"}", &n, &bytes));
    CHECK(fd >= 0 && write(fd, bytes, n) == (ssize_t)n && close(fd) == 0, "%s", path);
    return 0;
}

int forget(void **state)
{
    (void)state;
    XGBoosterFree(booster);
    XGDMatrixFree(matrix);
    return unlink(path);
}

bl_model *load(void)
{
    bl_model *model = NULL;
    bl_err err = {0};
    CHECK_OK(bl_model_load(path, &model, &err), err);
    return model;
}

const float *xgboost_predicts(int type, bst_ulong *ret_n)
{
    char config[128];
    snprintf(config, sizeof config,
             "{\"type\": %d, \"training\": false, \"iteration_begin\": 0, "
             "\"iteration_end\": 0, "
             "\"strict_shape\": true}",
             type);
    const bst_ulong *shape;
    bst_ulong dim;
    const float *values;
    XGB(XGBoosterPredictFromDMatrix(booster, matrix, config, &shape, &dim, &values));
    *ret_n = 1;
    for (bst_ulong i = 0; i < dim; i++)
        *ret_n *= shape[i];
    return values;
}
