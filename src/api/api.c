/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of boostlens.h: check arguments, call rooms, nothing else. Models, predictions and
 * values; the rest is in shap.c. */
#include "api/api_priv.h"

#include "base/fs.h"
#include "base/mem.h"
#include "train/train.h"

#include <stdlib.h>

const char *bl_version(void)
{
    return BL_VERSION;
}

bl_status bl_model_load_buffer(const void *bytes, size_t n_bytes, bl_model **ret_model,
                               bl_err *err)
{
    if (!bytes || !ret_model)
        return bli_fail(err, BL_E_ARG,
                        "bl_model_load_buffer: bytes or ret_model is NULL");
    void *block;
    bl_status st = bli_alloc(1, sizeof(bl_model), "a model", &block, err);
    if (st != BL_OK)
        return st;
    bl_model *model = block;
    bl_buf ubj = {0};
    bl_limits limits = bli_limits();
    st = bli_model_to_ubj(bytes, n_bytes, &ubj, err);
    if (st == BL_OK)
        st = bli_forest_read(ubj.data, ubj.n, &limits, NULL, &model->forest, err);
    bli_buf_done(&ubj);
    if (st == BL_OK) {
        model->n_rounds = bli_forest_rounds(model->forest);
        st = bli_explainer_new(model->forest, 0, model->n_rounds, &model->explainer, err);
    }
    if (st == BL_OK)
        *ret_model = model;
    else
        bl_model_free(model);
    return st;
}

bl_status bl_model_load(const char *path, bl_model **ret_model, bl_err *err)
{
    if (!path || !ret_model)
        return bli_fail(err, BL_E_ARG, "bl_model_load: path or ret_model is NULL");
    char *file = NULL;
    bl_buf bytes = {0};
    bl_status st = bli_is_folder(path) ? bli_path_join(path, "xgboost-model", &file, err)
                                       : bli_strdup(path, &file, err);
    if (st == BL_OK)
        st = bli_read_file(file, (size_t)bli_limits().model_bytes, &bytes, err);
    if (st == BL_OK) {
        st = bl_model_load_buffer(bytes.data, bytes.n, ret_model, err);
        if (st != BL_OK)
            bli_err_prefix(err, "model '%s'", file);
    }
    bli_buf_done(&bytes);
    free(file);
    return st;
}

void bl_model_free(bl_model *model)
{
    if (!model)
        return;
    bli_explainer_free(model->explainer);
    bli_forest_free(model->forest);
    free(model);
}

size_t bl_model_n_features(const bl_model *model)
{
    return model->forest->n_features;
}

size_t bl_model_n_outputs(const bl_model *model)
{
    return model->forest->n_outputs;
}

size_t bl_model_n_trees(const bl_model *model)
{
    return model->forest->round_first ? model->forest->round_first[model->n_rounds] : 0;
}

const char *bl_model_feature_name(const bl_model *model, size_t feature)
{
    const bl_forest *forest = model->forest;
    return forest->has_names && feature < forest->n_features ? forest->names[feature]
                                                             : NULL;
}

size_t bl_model_n_predictions(const bl_model *model, bl_predict_type type)
{
    return type == BL_PREDICT_MARGIN ? model->forest->n_outputs
                                     : bli_forest_n_predictions(model->forest);
}

static bl_status check_rows(const char *function, const bl_model *model,
                            const float *rows, size_t n_rows, size_t n_features,
                            size_t width, const float *out, size_t out_len, bl_err *err)
{
    if (!model || (n_rows && (!rows || !out)))
        return bli_fail(err, BL_E_ARG, "%s: model, rows or the output is NULL", function);
    if (n_features != model->forest->n_features)
        return bli_fail(err, BL_E_SHAPE, "%s: rows of %zu features, the model has %zu",
                        function, n_features, model->forest->n_features);
    size_t want;
    if (!bli_mul(n_rows, width, &want) || out_len != want)
        return bli_fail(err, BL_E_SHAPE,
                        "%s: room for %zu floats, %zu rows need %zu values each",
                        function, out_len, n_rows, width);
    return BL_OK;
}

bl_status bl_predict(const bl_model *model, const float *rows, size_t n_rows,
                     size_t n_features, bl_predict_type type, float *out, size_t out_len,
                     bl_err *err)
{
    size_t width = model ? bl_model_n_predictions(model, type) : 0;
    bl_status st = check_rows("bl_predict", model, rows, n_rows, n_features, width, out,
                              out_len, err);
    if (st != BL_OK)
        return st;
    if (type == BL_PREDICT_MARGIN)
        return bli_explainer_margins(model->explainer, rows, n_rows, out, err);
    void *margins;
    st = bli_alloc(n_rows * model->forest->n_outputs, sizeof(float), "margins", &margins,
                   err);
    if (st != BL_OK)
        return st;
    st = bli_explainer_margins(model->explainer, rows, n_rows, margins, err);
    if (st == BL_OK)
        bli_forest_transform(model->forest, margins, n_rows, out);
    free(margins);
    return st;
}

bl_status bl_contribs(const bl_model *model, const float *rows, size_t n_rows,
                      size_t n_features, float *phi, size_t phi_len, bl_err *err)
{
    size_t width = model ? model->forest->n_outputs * (model->forest->n_features + 1) : 0;
    bl_status st = check_rows("bl_contribs", model, rows, n_rows, n_features, width, phi,
                              phi_len, err);
    if (st != BL_OK || n_rows == 0)
        return st;
    return bli_explain_rows(model->explainer, rows, n_rows, phi, err);
}
