/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objectives: the link from base_score to margin and what XGBoost's predict makes of a
 * margin. Every formula is float32 in XGBoost's order of operations, so that the bits
 * agree; expf, logf, log1pf and expm1f are the C library's, as they are XGBoost's.
 */
#include "model/model_priv.h"

#include <math.h>
#include <string.h>

static const bl_objective objectives[] = {
    {"reg:squarederror", BL_TASK_REGRESSION, BL_LINK_IDENTITY, false, 107},
    {"reg:linear", BL_TASK_REGRESSION, BL_LINK_IDENTITY, false, 107},
    {"reg:squaredlogerror", BL_TASK_REGRESSION, BL_LINK_IDENTITY, false, 107},
    {"reg:pseudohubererror", BL_TASK_REGRESSION, BL_LINK_IDENTITY, false, 107},
    {"reg:absoluteerror", BL_TASK_REGRESSION, BL_LINK_IDENTITY, false, 107},
    {"reg:quantileerror", BL_TASK_REGRESSION, BL_LINK_QUANTILE, false, 200},
    {"reg:expectileerror", BL_TASK_REGRESSION, BL_LINK_EXPECTILE, false, 303},
    {"reg:logistic", BL_TASK_REGRESSION, BL_LINK_LOGIT, true, 107},
    {"reg:gamma", BL_TASK_REGRESSION, BL_LINK_LOG, false, 107},
    {"reg:tweedie", BL_TASK_REGRESSION, BL_LINK_LOG, false, 107},
    {"count:poisson", BL_TASK_REGRESSION, BL_LINK_LOG, false, 107},
    {"binary:logistic", BL_TASK_BINARY, BL_LINK_LOGIT, true, 107},
    {"binary:logitraw", BL_TASK_BINARY, BL_LINK_IDENTITY, true, 107},
    {"binary:hinge", BL_TASK_BINARY, BL_LINK_STEP, false, 107},
    {"multi:softmax", BL_TASK_CLASSES, BL_LINK_SOFTMAX, true, 107},
    {"multi:softprob", BL_TASK_CLASSES, BL_LINK_SOFTPROB, true, 107},
    {"rank:pairwise", BL_TASK_RANKING, BL_LINK_IDENTITY, false, 107},
    {"rank:ndcg", BL_TASK_RANKING, BL_LINK_IDENTITY, false, 107},
    {"rank:map", BL_TASK_RANKING, BL_LINK_IDENTITY, false, 107},
    {"survival:aft", BL_TASK_SURVIVAL, BL_LINK_LOG_TIME, false, 107},
    {"survival:cox", BL_TASK_SURVIVAL, BL_LINK_LOG, false, 107},
};

const bl_objective *bli_objective(const char *name)
{
    for (size_t i = 0; i < sizeof objectives / sizeof *objectives; i++)
        if (strcmp(objectives[i].name, name) == 0)
            return &objectives[i];
    return NULL;
}

bl_task bli_objective_task(const char *name)
{
    const bl_objective *objective = bli_objective(name);
    return objective ? objective->task : BL_TASK_REGRESSION;
}

bool bli_objective_has_probability(const char *name)
{
    const bl_objective *objective = bli_objective(name);
    return objective && objective->probability;
}

/* --- base_score to margin ----------------------------------------------------------- */

/* A probability cannot be -0: that is the margin of 0.5, which XGBoost before 1.0 kept in
 * place of base_score and which XGBoost 1.x carried over when it converted such a file.
 */
static bool is_old_margin(float score)
{
    return score == 0.0f && signbit(score);
}

static bl_status logit(float *score, bl_err *err)
{
    float p = *score;
    if (is_old_margin(p))
        return BL_OK;
    if (!(p >= 0.0f && p <= 1.0f))
        return bli_fail(err, BL_E_MODEL,
                        "base_score must be in (0,1) for the logistic loss, got %g",
                        (double)p);
    p = p > BL_RT_EPS ? p : BL_RT_EPS;
    p = p < 1.0f - BL_RT_EPS ? p : 1.0f - BL_RT_EPS;
    *score = -logf(1.0f / p - 1.0f);
    return BL_OK;
}

static float softplus(float x)
{
    return x > 0.0f ? x + log1pf(expf(-x)) : log1pf(expf(x));
}

static float softplus_inverse(float x)
{
    x = x < BL_RT_EPS ? BL_RT_EPS : x;
    return x + logf(-expm1f(-x));
}

bl_status bli_objective_margin(const bl_objective *objective, size_t n, float *score,
                               bl_err *err)
{
    bool is_log = objective->link == BL_LINK_LOG || objective->link == BL_LINK_LOG_TIME;
    bl_status st = BL_OK;
    for (size_t i = 0; i < n && st == BL_OK; i++)
        if (objective->link == BL_LINK_LOGIT)
            st = logit(&score[i], err);
        else if (is_log && !(score[i] >= 0.0f))
            st = bli_fail(err, BL_E_MODEL,
                          "base_score must not be negative for %s, got %g",
                          objective->name, (double)score[i]);
        else if (is_log)
            score[i] = logf(score[i]);
    if (objective->link == BL_LINK_EXPECTILE)
        for (size_t i = n; i-- > 1;)
            score[i] = softplus_inverse((score[i] - score[i - 1]) - BL_RT_EPS);
    return st;
}

/* --- margin to prediction ----------------------------------------------------------- */

static float sigmoid(float x)
{
    x = 88.7f < -x ? 88.7f : -x;
    return 1.0f / (expf(x) + 1.0f + 1e-16f);
}

static void softprob(size_t n, const float *margin, float *out)
{
    float largest = margin[0];
    for (size_t i = 1; i < n; i++)
        largest = fmaxf(margin[i], largest);
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        out[i] = expf(margin[i] - largest);
        sum += (double)out[i];
    }
    for (size_t i = 0; i < n; i++)
        out[i] /= (float)sum;
}

static float softmax_class(size_t n, const float *margin)
{
    size_t best = 0;
    for (size_t i = 0; i < n; i++)
        if (margin[i] > margin[best])
            best = i;
    return (float)best;
}

/* Insertion sort as XGBoost does it: where a NaN stands decides what moves. */
static void sort_quantiles(size_t n, const float *margin, float *out)
{
    for (size_t i = 0; i < n; i++) {
        float value = margin[i];
        size_t at = i;
        for (; at > 0 && out[at - 1] > value; at--)
            out[at] = out[at - 1];
        out[at] = value;
    }
}

static void expectiles(size_t n, const float *margin, float *out)
{
    float value = margin[0];
    out[0] = value;
    for (size_t i = 1; i < n; i++) {
        value += BL_RT_EPS + softplus(margin[i]);
        out[i] = value;
    }
}

static float transform_one(bl_link link, float margin)
{
    switch (link) {
    case BL_LINK_LOGIT:
        return sigmoid(margin);
    case BL_LINK_LOG:
        return expf(margin);
    case BL_LINK_LOG_TIME:
        return (float)exp((double)margin);
    case BL_LINK_STEP:
        return margin > 0.0f ? 1.0f : 0.0f;
    default:
        return margin;
    }
}

size_t bli_forest_n_predictions(const bl_forest *forest)
{
    return strcmp(forest->objective, "multi:softmax") == 0 ? 1 : forest->n_outputs;
}

void bli_forest_transform(const bl_forest *forest, const float *margins, uint64_t n_rows,
                          float *predictions)
{
    const bl_objective *objective = bli_objective(forest->objective);
    bl_link link = objective ? objective->link : BL_LINK_IDENTITY;
    size_t n = forest->n_outputs;
    size_t n_out = bli_forest_n_predictions(forest);
    for (uint64_t row = 0; row < n_rows; row++, margins += n, predictions += n_out) {
        switch (link) {
        case BL_LINK_SOFTMAX:
            predictions[0] = softmax_class(n, margins);
            break;
        case BL_LINK_SOFTPROB:
            softprob(n, margins, predictions);
            break;
        case BL_LINK_QUANTILE:
            sort_quantiles(n, margins, predictions);
            break;
        case BL_LINK_EXPECTILE:
            expectiles(n, margins, predictions);
            break;
        default:
            for (size_t i = 0; i < n; i++)
                predictions[i] = transform_one(link, margins[i]);
        }
    }
}
