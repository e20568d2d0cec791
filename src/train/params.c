/* SPDX-License-Identifier: Apache-2.0 */
/* What a booster is told: parameters, constraints with their names resolved, feature
 * names. */
#include "train/train_priv.h"

#include "base/json.h"
#include "base/mem.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Constraints -------------------------------------------------------------------- */

static int64_t find_feature(const bl_schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->n_features; i++)
        if (!strcmp(schema->features[i].name, name))
            return (int64_t)i;
    return -1;
}

static bl_status monotone_by_name(const json_t *object, const bl_schema *schema,
                                  bl_buf *out, bl_err *err)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        if (find_feature(schema, name) < 0)
            return bli_fail(
                err, BL_E_CONFIG,
                "monotone_constraints names '%s', which is no feature of the data", name);
        if (!json_is_integer(value) || json_integer_value(value) < -1 ||
            json_integer_value(value) > 1)
            return bli_fail(err, BL_E_CONFIG,
                            "monotone_constraints: '%s' must be -1, 0 or 1", name);
    }
    for (size_t i = 0; i < schema->n_features; i++) {
        value = json_object_get(object, schema->features[i].name);
        bli_buf_printf(out, "%s%d", i ? "," : "(",
                       value ? (int)json_integer_value(value) : 0);
    }
    bli_buf_char(out, ')');
    return bli_buf_check(out, "monotone_constraints", err);
}

bl_status bli_monotone_text(const char *text, const bl_schema *schema, char **ret_text,
                            bl_err *err)
{
    bl_buf out = {0};
    json_t *object = NULL;
    bl_status st = BL_OK;
    while (isspace((unsigned char)*text))
        text++;
    if (*text == '{') {
        st = bli_json_parse(text, strlen(text), &object, err);
        if (st != BL_OK) {
            bli_err_prefix(err, "monotone_constraints");
            st = BL_E_CONFIG;
        } else {
            st = monotone_by_name(object, schema, &out, err);
        }
        goto done;
    }
    /* XGBoost takes a tuple or a list; a shorter one leaves the other features free. */
    size_t n = 0;
    for (const char *p = text; *p; p++)
        if (isdigit((unsigned char)*p))
            n++;
    if (n > schema->n_features) {
        st = bli_fail(
            err, BL_E_CONFIG,
            "monotone_constraints has %zu entries, the data has %zu features: give one "
            "entry (-1, 0 or 1) for each feature in column order",
            n, schema->n_features);
        goto done;
    }
    bli_buf_char(&out, '(');
    for (const char *p = text; *p; p++)
        if (isdigit((unsigned char)*p) || *p == '-' || *p == ',')
            bli_buf_char(&out, *p);
    bli_buf_char(&out, ')');
    st = bli_buf_check(&out, "monotone_constraints", err);
done:
    json_decref(object);
    if (st == BL_OK)
        *ret_text = out.data;
    else
        bli_buf_done(&out);
    return st;
}

static bl_status interaction_member(const json_t *value, const bl_schema *schema,
                                    bl_buf *out, bl_err *err)
{
    int64_t feature = -1;
    if (json_is_string(value)) {
        feature = find_feature(schema, json_string_value(value));
        if (feature < 0)
            return bli_fail(
                err, BL_E_CONFIG,
                "interaction_constraints names '%s', which is no feature of the data",
                json_string_value(value));
    } else if (json_is_integer(value)) {
        feature = json_integer_value(value);
        if (feature < 0 || (uint64_t)feature >= schema->n_features)
            return bli_fail(
                err, BL_E_CONFIG,
                "interaction_constraints names feature %lld, the data has features 0 "
                "to %zu",
                (long long)feature, schema->n_features - 1);
    } else {
        return bli_fail(
            err, BL_E_CONFIG,
            "interaction_constraints must be a list of lists of feature indices or "
            "names, such as [[0, 2], [1, 3]]");
    }
    bli_buf_printf(out, "%lld", (long long)feature);
    return BL_OK;
}

bl_status bli_interaction_text(const char *text, const bl_schema *schema, char **ret_text,
                               bl_err *err)
{
    json_t *sets = NULL;
    bl_buf out = {0};
    bl_status st = bli_json_parse(text, strlen(text), &sets, err);
    if (st != BL_OK) {
        bli_err_prefix(err, "interaction_constraints");
        return st == BL_E_NOMEM ? st : BL_E_CONFIG;
    }
    bool list = json_is_array(sets);
    bli_buf_char(&out, '[');
    for (size_t i = 0; list && st == BL_OK && i < json_array_size(sets); i++) {
        const json_t *set = json_array_get(sets, i);
        list = json_is_array(set);
        bli_buf_text(&out, i ? ",[" : "[");
        for (size_t j = 0; list && st == BL_OK && j < json_array_size(set); j++) {
            if (j)
                bli_buf_char(&out, ',');
            st = interaction_member(json_array_get(set, j), schema, &out, err);
        }
        bli_buf_char(&out, ']');
    }
    bli_buf_char(&out, ']');
    if (st == BL_OK && !list)
        st = bli_fail(
            err, BL_E_CONFIG,
            "interaction_constraints must be a list of lists of feature indices or "
            "names, such as [[0, 2], [1, 3]]");
    if (st == BL_OK)
        st = bli_buf_check(&out, "interaction_constraints", err);
    json_decref(sets);
    if (st == BL_OK)
        *ret_text = out.data;
    else
        bli_buf_done(&out);
    return st;
}

/* --- Parameters --------------------------------------------------------------------- */

static bl_status set_param(BoosterHandle booster, const char *name, const char *text,
                           bl_err *err)
{
    if (!XGBoosterSetParam(booster, name, text))
        return BL_OK;
    char doing[128];
    snprintf(doing, sizeof doing, "setting %s", name);
    return bli_xgb_fail(err, doing);
}

static bl_status set_given(const bl_train_input *input, BoosterHandle booster,
                           const char *name, const char *text, bl_err *err)
{
    const bl_schema *schema = input->train->schema;
    char *resolved = NULL;
    bl_status st = BL_OK;
    if (!strcmp(name, "monotone_constraints"))
        st = bli_monotone_text(text, schema, &resolved, err);
    else if (!strcmp(name, "interaction_constraints"))
        st = bli_interaction_text(text, schema, &resolved, err);
    if (st == BL_OK)
        st = set_param(booster, name, resolved ? resolved : text, err);
    free(resolved);
    return st;
}

/* XGBoost's own metrics in the order of the job. With none of its own to compute, its
 * default one is switched off. */
static bl_status set_metrics(const bl_job *job, BoosterHandle booster, bl_err *err)
{
    bl_status st = BL_OK;
    size_t n_own = 0;
    for (size_t i = 0; st == BL_OK && i < job->n_metrics; i++)
        if (job->metrics[i].maker == BL_METRIC_XGBOOST) {
            st = set_param(booster, "eval_metric", job->metrics[i].name, err);
            n_own++;
        }
    if (st == BL_OK && job->n_metrics && !n_own)
        st = set_param(booster, "disable_default_eval_metric", "true", err);
    return st;
}

bl_status bli_xgb_params(const bl_train_input *input, BoosterHandle booster, bl_err *err)
{
    const bl_job *job = input->job;
    char threads[32];
    snprintf(threads, sizeof threads, "%d", input->nthread);
    bl_status st = BL_OK;
    for (size_t i = 0; st == BL_OK && i < job->n_xgboost; i++)
        st = set_given(input, booster, job->xgboost_names[i], job->xgboost_texts[i], err);
    if (st == BL_OK)
        st = set_param(booster, "nthread", threads, err);
    /* As Python's train: parameters that nobody uses are named in a warning. */
    if (st == BL_OK)
        st = set_param(booster, "validate_parameters", "true", err);
    if (st == BL_OK)
        st = set_metrics(job, booster, err);
    return st;
}

bl_status bli_xgb_params_again(const bl_job *job, BoosterHandle booster, bl_err *err)
{
    bl_status st = BL_OK;
    for (size_t i = 0; st == BL_OK && i < job->n_xgboost; i++)
        if (strcmp(job->xgboost_names[i], "seed") != 0)
            st = set_param(booster, job->xgboost_names[i], job->xgboost_texts[i], err);
    return st;
}

/* --- Names -------------------------------------------------------------------------- */

bl_status bli_xgb_names(const bl_schema *schema, BoosterHandle booster, bl_err *err)
{
    const char **text = NULL;
    bl_status st =
        bli_alloc(schema->n_features, sizeof *text, "feature names", (void **)&text, err);
    if (st != BL_OK)
        return st;
    for (size_t i = 0; i < schema->n_features; i++)
        text[i] = schema->features[i].name;
    if (schema->has_names &&
        XGBoosterSetStrFeatureInfo(booster, "feature_name", text, schema->n_features))
        st = bli_xgb_fail(err, "setting feature names");
    for (size_t i = 0; i < schema->n_features; i++)
        text[i] = schema->features[i].type;
    if (st == BL_OK && schema->has_types &&
        XGBoosterSetStrFeatureInfo(booster, "feature_type", text, schema->n_features))
        st = bli_xgb_fail(err, "setting feature types");
    free(text);
    return st;
}
