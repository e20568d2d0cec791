/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which XGBoost reads a model right, and the rewriting that makes it all from 1.7 on.
 * Every number of a version here was measured (tests/portable.sh): models trained
 * by 3.4.1, margins compared bit for bit
 * in 1.7.6, 2.0.3, 2.1.4, 3.0.5, 3.1.2, 3.2.0, 3.3.0 and 3.4.1.
 */
#include "model/model_priv.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct rewrite {
    bl_ubj_doc *doc;
    bl_ubj *learner;
    bl_forest *forest;
    const bl_objective *objective;
    unsigned oldest;
    bl_portable out;
    bl_err *err;
} rewrite;

static bl_status open_all(rewrite *r, const void *ubj, size_t n_bytes,
                          const bl_schema *schema)
{
    bl_limits limits = bli_limits();
    bl_status st = bli_open_model(ubj, n_bytes, &limits, &r->doc, &r->learner, r->err);
    if (st == BL_OK)
        st = bli_forest_from(r->doc, r->learner, &limits, NULL, &r->forest, r->err);
    if (st != BL_OK)
        return st;
    if (schema && schema->n_features != r->forest->n_features)
        return bli_fail(r->err, BL_E_SHAPE, "the schema has %zu features, the model %zu",
                        schema->n_features, r->forest->n_features);
    r->objective = bli_objective(r->forest->objective);
    r->oldest = r->objective->since;
    r->out.fully = true;
    return BL_OK;
}

static void close_all(rewrite *r)
{
    bli_forest_free(r->forest);
    bli_ubj_free(r->doc);
    bli_buf_done(&r->out.bytes);
}

/* XGBoost before `version` refuses the model. */
static void refused_before(rewrite *r, unsigned version)
{
    r->oldest = version > r->oldest ? version : r->oldest;
}

/* XGBoost before `version` reads the model without a word and predicts something else. */
static void wrong_before(rewrite *r, unsigned version, const char *reason)
{
    if (version <= r->oldest)
        return;
    r->oldest = version;
    r->out.fully = false;
    snprintf(r->out.reason, sizeof r->out.reason, "%s", reason);
}

static bl_status finish(rewrite *r, bl_portable *ret_portable)
{
    snprintf(r->out.oldest, sizeof r->out.oldest, "%u.%u", r->oldest / 100,
             r->oldest % 100);
    const bl_ubj *root = bli_ubj_root(r->doc), *model = bli_ubj_get(root, "Model");
    bli_ubj_write(model ? model : root, &r->out.bytes);
    bl_status st = bli_buf_check(&r->out.bytes, "the model", r->err);
    if (st != BL_OK)
        return st;
    *ret_portable = r->out;
    r->out.bytes = (bl_buf){0};
    return BL_OK;
}

static bl_status put(rewrite *r, bl_ubj *object, const char *key, bl_ubj *value)
{
    if (bli_ubj_put(r->doc, object, key, value))
        return BL_OK;
    return bli_fail(r->err, BL_E_NOMEM, "no memory to rewrite the model");
}

/* --- What the model is like --------------------------------------------------------- */

static bool link_changes(const bl_objective *objective)
{
    return objective->link == BL_LINK_LOGIT || objective->link == BL_LINK_LOG ||
           objective->link == BL_LINK_LOG_TIME;
}

static bool is_empty(const bl_forest *forest)
{
    return !forest->n_trees && !forest->linear;
}

static bool same_intercepts(const bl_forest *forest)
{
    for (size_t k = 1; k < forest->n_outputs; k++)
        if (memcmp(&forest->base_margin[k], &forest->base_margin[0], sizeof(float)) != 0)
            return false;
    return true;
}

static const char intercepts_differ[] = "its outputs have different intercepts, which "
                                        "XGBoost before 3.1 does not read: it takes "
                                        "0.5 for each";
static const char no_trees[] = "it has no trees, and XGBoost before 3.1 then takes "
                               "base_score for a value after the link "
                               "function";

/* --- Rewriting ---------------------------------------------------------------------- */

static bl_status set_score(rewrite *r, const char *text)
{
    return put(r, bli_ubj_get(r->learner, "learner_model_param"), "base_score",
               bli_ubj_new_text(r->doc, text));
}

/* base_score as the number that all outputs share. */
static bl_status write_one_score(rewrite *r)
{
    char text[BL_SCORE_BYTES];
    float score = r->forest->base_score[0];
    if (r->objective->link == BL_LINK_LOGIT) {
        /* XGBoost before 3.2 refuses 0 and 1; 3.4 itself moves them this far inside. */
        score = score == 0.0f && signbit(score) ? 0.5f : score;
        score = score < BL_RT_EPS ? BL_RT_EPS : score;
        score = score > 1.0f - BL_RT_EPS ? 1.0f - BL_RT_EPS : score;
    }
    if (score == 0.0f)
        score = 0.0f; /* not -0 */
    if (bli_score_text(score, text))
        return set_score(r, text);
    wrong_before(
        r, 301, "its base_score is a number that XGBoost before 3.1 cannot read exactly");
    return BL_OK;
}

/* A base_score of 0.5 for all, and the rest of each intercept in a tree. */
static bl_status fold(rewrite *r)
{
    float rest = 0.5f;
    size_t n = r->forest->n_outputs;
    bl_status st = bli_objective_margin(r->objective, 1, &rest, r->err);
    void *scratch = NULL;
    if (st == BL_OK)
        st = bli_alloc(n, sizeof(double), "intercepts", &scratch, r->err);
    if (st != BL_OK)
        return st;
    double *shift = scratch;
    for (size_t k = 0; k < n; k++)
        shift[k] = (double)r->forest->base_margin[k] - (double)rest;
    st =
        bli_fold_intercepts(r->doc, r->learner, r->forest, shift, &r->out.folded, r->err);
    free(scratch);
    if (st == BL_OK && r->out.folded)
        st = set_score(r, "5E-1");
    else if (st == BL_OK)
        wrong_before(r, 301, intercepts_differ);
    return st;
}

static bl_status write_intercept(rewrite *r, bool may_fold)
{
    if (r->objective->since >= 301)
        return BL_OK; /* who knows the objective reads lists */
    if (is_empty(r->forest) && link_changes(r->objective) &&
        r->forest->base_margin[0] == r->forest->base_score[0]) {
        wrong_before(r, 301, no_trees);
        return BL_OK;
    }
    if (same_intercepts(r->forest))
        return write_one_score(r);
    if (may_fold)
        return fold(r);
    wrong_before(r, 301, intercepts_differ);
    return BL_OK;
}

/* {"gbtree": {"model", "name"}, "name": "dart", "weight_drop"}: where all versions look.
 */
static bl_status write_dart_layout(rewrite *r)
{
    bl_ubj *weights = bli_tree_weights(r->learner);
    if (!weights)
        return BL_OK;
    bl_ubj *outer = bli_ubj_get(r->learner, "gradient_booster");
    bl_ubj *booster = bli_tree_booster(r->learner);
    bl_ubj *model = bli_ubj_take(booster, "model");
    bli_ubj_take(outer, "weight_drop");
    bli_ubj_take(booster, "weight_drop");
    bli_ubj_take(model, "weight_drop");
    bl_ubj *inner = bli_ubj_new_object(r->doc), *dart = bli_ubj_new_object(r->doc);
    if (!inner || !dart)
        return bli_fail(r->err, BL_E_NOMEM, "no memory to rewrite the model");
    bl_status st = put(r, inner, "model", model);
    if (st == BL_OK)
        st = put(r, inner, "name", bli_ubj_new_text(r->doc, "gbtree"));
    if (st == BL_OK)
        st = put(r, dart, "gbtree", inner);
    if (st == BL_OK)
        st = put(r, dart, "name", bli_ubj_new_text(r->doc, "dart"));
    if (st == BL_OK)
        st = put(r, dart, "weight_drop", weights);
    return st == BL_OK ? put(r, r->learner, "gradient_booster", dart) : st;
}

/* Blocks that older readers insist on and newer ones no longer write or look at. */
static bl_status write_parameter_blocks(rewrite *r)
{
    bl_ubj *objective = bli_ubj_get(r->learner, "objective");
    const char *name = r->forest->objective;
    const char *block = NULL;
    if (r->objective->task == BL_TASK_RANKING)
        block = "lambda_rank_param"; /* 1.7 */
    else if (strcmp(name, "reg:squaredlogerror") == 0)
        block = "reg_loss_param"; /* to 2.1 */
    if (!block || bli_ubj_get(objective, block))
        return BL_OK;
    bl_ubj *empty = bli_ubj_new_object(r->doc);
    return put(r, objective, block, empty);
}

static bl_status rewrite_all(rewrite *r, const bl_schema *schema, bool may_fold)
{
    bl_status st = write_intercept(r, may_fold);
    if (st == BL_OK && r->forest->vector_leaf) {
        refused_before(r, 200);
        st = bli_complete_vector_leaves(r->doc, r->learner, r->forest, r->err);
        if (st == BL_OK)
            st = bli_spread_vector_leaves(r->doc, r->learner, r->forest, r->err);
    }
    if (st == BL_OK)
        st = bli_write_cats(r->doc, r->learner, schema, r->err);
    if (r->forest->vector_leaf && bli_tree_weights(r->learner))
        wrong_before(r, 303,
                     "it has tree weights (DART) on vector leaves, where XGBoost before "
                     "3.3 leaves them out");
    if (st == BL_OK)
        st = write_dart_layout(r);
    if (st == BL_OK)
        st = write_parameter_blocks(r);
    return st;
}

static bl_status portable(const void *ubj, size_t n_bytes, const bl_schema *schema,
                          bool may_fold, bl_portable *ret_portable, bl_err *err)
{
    rewrite r = {.err = err};
    bl_status st = open_all(&r, ubj, n_bytes, schema);
    if (st == BL_OK)
        st = rewrite_all(&r, schema, may_fold);
    if (st == BL_OK)
        st = finish(&r, ret_portable);
    close_all(&r);
    return st;
}

bl_status bli_portable_write(const void *ubj, size_t n_bytes, const bl_schema *schema,
                             bl_portable *ret_portable, bl_err *err)
{
    return portable(ubj, n_bytes, schema, true, ret_portable, err);
}

bl_status bli_portable_write_unfolded(const void *ubj, size_t n_bytes,
                                      const bl_schema *schema, bl_portable *ret_portable,
                                      bl_err *err)
{
    return portable(ubj, n_bytes, schema, false, ret_portable, err);
}

/* --- As XGBoost wrote it ------------------------------------------------------------ */

/* base_score in brackets is not understood before 3.1, which then takes 0.5. */
static bool reads_as_half(const rewrite *r)
{
    for (size_t i = 0; i < r->forest->n_base_scores; i++)
        if (r->forest->base_score[i] != 0.5f)
            return false;
    return true;
}

static void judge_native(rewrite *r)
{
    const bl_forest *f = r->forest;
    if (f->vector_leaf || r->objective->task == BL_TASK_RANKING)
        refused_before(r, 200);
    if (strcmp(f->objective, "reg:squaredlogerror") == 0)
        refused_before(r, 300);
    if (bli_ubj_get(bli_ubj_get(bli_tree_booster(r->learner), "model"), "weight_drop"))
        wrong_before(r, 304,
                     "it has tree weights (DART), where XGBoost before 3.4 does not "
                     "look for them");
    if (is_empty(f) && link_changes(r->objective))
        wrong_before(r, 301, no_trees);
    if (!reads_as_half(r))
        wrong_before(r, 301,
                     "its base_score is written as a list, which XGBoost before 3.1 does "
                     "not read: it takes 0.5");
    bool at_the_end = f->base_score[0] == 0.0f || f->base_score[0] == 1.0f;
    if (r->objective->link == BL_LINK_LOGIT && at_the_end)
        refused_before(r, 302);
}

bl_status bli_native_write(const void *ubj, size_t n_bytes, const bl_schema *schema,
                           bl_portable *ret_portable, bl_err *err)
{
    rewrite r = {.err = err};
    bl_status st = open_all(&r, ubj, n_bytes, schema);
    if (st == BL_OK) {
        judge_native(&r);
        st = bli_write_cats(r.doc, r.learner, schema, err);
    }
    if (st == BL_OK)
        st = finish(&r, ret_portable);
    close_all(&r);
    return st;
}
