/* SPDX-License-Identifier: Apache-2.0 */
/* A model to continue from (the model channel's, or a checkpoint of another program), and
 * whether it fits the data and the job. */
#include "train/train_priv.h"

#include "base/json.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* What of a loaded model has to agree. Texts are lent by `config`. */
typedef struct start_model {
    json_t *config;
    const char *objective;
    const char *booster;
    int64_t n_classes;
    int64_t n_targets;
} start_model;

static int64_t number_at(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    int64_t value = 0;
    if (text)
        bli_read_int(text, strlen(text), &value);
    return value;
}

static bl_status describe(BoosterHandle booster, start_model *ret, bl_err *err)
{
    bst_ulong n;
    const char *text;
    if (XGBoosterSaveJsonConfig(booster, &n, &text))
        return bli_xgb_fail(err, "reading the start model");
    bl_status st = bli_json_parse(text, n, &ret->config, err);
    if (st != BL_OK)
        return st;
    const json_t *learner = json_object_get(ret->config, "learner");
    const json_t *param = json_object_get(learner, "learner_model_param");
    ret->objective =
        json_string_value(json_object_get(json_object_get(learner, "objective"), "name"));
    ret->booster = json_string_value(
        json_object_get(json_object_get(learner, "gradient_booster"), "name"));
    ret->n_classes = number_at(param, "num_class");
    ret->n_targets = number_at(param, "num_target");
    if (!ret->objective || !ret->booster)
        return bli_fail(err, BL_E_INTERNAL,
                        "XGBoost's description of a model has an unknown form");
    return BL_OK;
}

static bl_status check_features(BoosterHandle booster, const bl_schema *schema,
                                bl_err *err)
{
    bst_ulong n_features, n_names;
    const char **names;
    if (XGBoosterGetNumFeature(booster, &n_features))
        return bli_xgb_fail(err, "reading the start model");
    if (n_features != schema->n_features)
        return bli_fail(
            err, BL_E_MODEL,
            "it has %llu features, the training data %zu: continue with the columns "
            "it was trained on",
            (unsigned long long)n_features, schema->n_features);
    if (XGBoosterGetStrFeatureInfo(booster, "feature_name", &n_names, &names))
        return bli_xgb_fail(err, "reading the start model");
    if (!schema->has_names || n_names != n_features)
        return BL_OK;
    for (size_t i = 0; i < schema->n_features; i++)
        if (strcmp(names[i], schema->features[i].name))
            return bli_fail(
                err, BL_E_MODEL,
                "its feature %zu is '%.100s', the training data's is '%.100s': the "
                "columns must be the same in the same order",
                i, names[i], schema->features[i].name);
    return BL_OK;
}

/* How a margin becomes a prediction: what base_score and leaves mean. */
static const char *link_of(const char *objective)
{
    static const char *const logistic[] = {"binary:logistic", "binary:logitraw",
                                           "reg:logistic"};
    static const char *const log[] = {"count:poisson", "reg:gamma", "reg:tweedie",
                                      "survival:cox", "survival:aft"};
    for (size_t i = 0; i < sizeof logistic / sizeof *logistic; i++)
        if (!strcmp(objective, logistic[i]))
            return "log-odds";
    for (size_t i = 0; i < sizeof log / sizeof *log; i++)
        if (!strcmp(objective, log[i]))
            return "logarithms";
    return strncmp(objective, "multi:", 6) ? "plain numbers" : "class scores";
}

static bl_status check_outputs(const start_model *m, const bl_train_input *in,
                               bl_err *err)
{
    const bl_job *job = in->job;
    if (strcmp(link_of(m->objective), link_of(job->objective)))
        return bli_fail(
            err, BL_E_MODEL,
            "its objective is %s, whose scores are %s; the job's is %s, whose scores "
            "are %s: continue with an objective of the same kind",
            m->objective, link_of(m->objective), job->objective, link_of(job->objective));
    int64_t outputs = m->n_classes > m->n_targets ? m->n_classes : m->n_targets;
    int64_t wanted = (int64_t)bli_job_n_outputs(job, in->train);
    if ((outputs > 1 ? outputs : 1) != wanted)
        return bli_fail(err, BL_E_MODEL,
                        "it has %lld outputs, the job %lld (num_class, label columns or "
                        "quantiles): they must be as many",
                        (long long)(outputs > 1 ? outputs : 1), (long long)wanted);
    if (!strcmp(m->booster, "gblinear") != !strcmp(job->booster, "gblinear"))
        return bli_fail(err, BL_E_MODEL, "its booster is %s, the job's is %s", m->booster,
                        job->booster);
    if (strcmp(m->objective, job->objective))
        bli_log(in->log, BL_WARNING, BL_STAGE,
                "the start model was trained with objective %s, this job goes on with %s",
                m->objective, job->objective);
    return BL_OK;
}

static bl_status check_update(const bl_train_input *in, int rounds, bl_err *err)
{
    const char *process = bli_job_param(in->job, "process_type");
    if (!process || strcmp(process, "update"))
        return BL_OK;
    if (in->job->num_round > rounds)
        return bli_fail(err, BL_E_CONFIG,
                        "process_type=update goes over the %d rounds of the start model, "
                        "num_round is %lld: give at most %d",
                        rounds, (long long)in->job->num_round, rounds);
    if (in->job->num_round < rounds)
        bli_log(
            in->log, BL_WARNING, BL_STAGE,
            "process_type=update with num_round=%lld keeps only that many of the start "
            "model's %d rounds",
            (long long)in->job->num_round, rounds);
    return BL_OK;
}

bl_status bli_xgb_start(const bl_train_input *in, const void *model, size_t n_model,
                        BoosterHandle booster, int *ret_rounds, bl_err *err)
{
    start_model m = {0};
    int rounds = 0;
    bl_status st = BL_OK;
    char threads[32];
    snprintf(threads, sizeof threads, "%d", in->nthread);
    if (XGBoosterSetParam(booster, "nthread", threads))
        st = bli_xgb_fail(err, "setting nthread");
    if (st == BL_OK)
        st = bli_xgb_load(booster, model, n_model, err);
    if (st == BL_OK)
        st = describe(booster, &m, err);
    if (st == BL_OK)
        st = check_features(booster, in->train->schema, err);
    if (st == BL_OK)
        st = check_outputs(&m, in, err);
    if (st == BL_OK && XGBoosterBoostedRounds(booster, &rounds))
        st = bli_xgb_fail(err, "counting the start model's rounds");
    if (st == BL_OK)
        st = check_update(in, rounds, err);
    if (st == BL_OK && (XGBoosterSetAttr(booster, "best_iteration", NULL) ||
                        XGBoosterSetAttr(booster, "best_score", NULL)))
        st = bli_xgb_fail(err, "dropping the start model's best round");
    json_decref(m.config);
    if (st != BL_OK)
        return st;
    bli_log(in->log, BL_INFO, BL_STAGE, "continuing from a model of %d rounds", rounds);
    *ret_rounds = rounds;
    return BL_OK;
}
