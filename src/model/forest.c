/* SPDX-License-Identifier: Apache-2.0 */
/* The document around the trees: objective, intercept, rounds, weights, names,
 * attributes. */
#include "model/reader_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* More outputs than any model has; a larger number is damage. */
enum { MAX_OUTPUTS = 1 << 24 };

/* --- Texts -------------------------------------------------------------------------- */

static bl_status copy_text(const bl_ubj *node, char **ret_text, bl_err *err)
{
    void *text;
    bl_status st = bli_alloc(node->n + 1, 1, "a text of the model", &text, err);
    if (st != BL_OK)
        return st;
    memcpy(text, node->u.bytes, node->n);
    *ret_text = text;
    return BL_OK;
}

/* A list of one text a feature. Its absence, and an empty list, are no names. */
static bl_status read_names(bl_reader *r, const char *key, char ***ret_names)
{
    const bl_ubj *list = bli_ubj_get(r->learner, key);
    if (!list || !bli_ubj_is_list(list) || list->n == 0)
        return BL_OK;
    size_t n = r->forest->n_features;
    if (list->kind != BL_UBJ_LIST || list->n != n) {
        bli_log(r->log, BL_WARNING, "model",
                "%s has %zu entries for %zu features: ignored", key, list->n, n);
        return BL_OK;
    }
    void *names;
    bl_status st = bli_alloc(n, sizeof(char *), "feature names", &names, r->err);
    if (st != BL_OK)
        return st;
    *ret_names = names;
    size_t i = 0;
    for (const bl_ubj *v = list->u.first; v && st == BL_OK; v = v->next, i++) {
        if (v->kind != BL_UBJ_TEXT)
            st = bli_fail(r->err, BL_E_MODEL, "%s: entry %zu is no text", key, i);
        else
            st = copy_text(v, &(*ret_names)[i], r->err);
    }
    return st;
}

/* --- Sizes, objective, intercept ---------------------------------------------------- */

static bl_status read_sizes(bl_reader *r)
{
    const bl_ubj *param = bli_ubj_get(r->learner, "learner_model_param");
    int64_t n_features = 0, n_classes = 0, n_targets = 1;
    if (!param)
        return bli_fail(r->err, BL_E_MODEL, "the model has no learner_model_param");
    bl_status st = bli_get_count(r, param, "num_feature", 0, (int64_t)r->limits->columns,
                                 &n_features);
    if (st == BL_OK)
        st = bli_get_count(r, param, "num_class", 0, MAX_OUTPUTS, &n_classes);
    if (st == BL_OK)
        st = bli_get_count(r, param, "num_target", 1, MAX_OUTPUTS, &n_targets);
    if (st == BL_OK && n_features == 0)
        st = bli_fail(r->err, BL_E_MODEL, "the model has no features (num_feature is 0)");
    if (st == BL_OK && n_classes > 1 && n_targets > 1)
        st = bli_fail(r->err, BL_E_MODEL, "%lld classes and %lld targets at once",
                      (long long)n_classes, (long long)n_targets);
    if (st != BL_OK)
        return st;
    int64_t n_outputs = n_classes > n_targets ? n_classes : n_targets;
    r->forest->n_features = (size_t)n_features;
    r->forest->n_outputs = (size_t)(n_outputs > 1 ? n_outputs : 1);
    return BL_OK;
}

static bl_status read_quantiles(bl_reader *r)
{
    const bl_ubj *objective = bli_ubj_get(r->learner, "objective");
    const bl_ubj *alpha = NULL;
    if (r->objective->link == BL_LINK_QUANTILE)
        alpha =
            bli_ubj_get(bli_ubj_get(objective, "quantile_loss_param"), "quantile_alpha");
    else if (r->objective->link == BL_LINK_EXPECTILE)
        alpha = bli_ubj_get(bli_ubj_get(objective, "expectile_loss_param"),
                            "expectile_alpha");
    if (!alpha || alpha->kind != BL_UBJ_TEXT)
        return BL_OK;
    size_t n = bli_list_length(alpha);
    if (n != r->forest->n_outputs)
        return bli_fail(r->err, BL_E_MODEL, "%s with %zu levels, but %zu outputs",
                        r->objective->name, n, r->forest->n_outputs);
    if (r->objective->link == BL_LINK_QUANTILE)
        r->forest->n_quantiles = n;
    return BL_OK;
}

static bl_status read_objective(bl_reader *r)
{
    const bl_ubj *name = bli_ubj_get(bli_ubj_get(r->learner, "objective"), "name");
    if (!name || name->kind != BL_UBJ_TEXT)
        return bli_fail(r->err, BL_E_MODEL, "the model names no objective");
    bl_status st = copy_text(name, &r->forest->objective, r->err);
    if (st != BL_OK)
        return st;
    r->objective = bli_objective(r->forest->objective);
    if (!r->objective) {
        char quoted[64];
        return bli_fail(
            r->err, BL_E_MODEL, "objective '%s' is not one that XGBoost 3.4 knows",
            bli_quote((const char *)name->u.bytes, name->n, quoted, sizeof quoted));
    }
    return read_quantiles(r);
}

/* XGBoost leaves the intercept of a model without trees as it stands unless the user gave
 * it. */
static bool applies_link(const bl_reader *r)
{
    const bl_ubj *param = bli_ubj_get(r->learner, "learner_model_param");
    int64_t estimated = 1;
    bli_ubj_int(bli_ubj_get(param, "boost_from_average"), &estimated);
    return r->forest->n_trees || r->forest->linear || !estimated;
}

static void warn_of_margin(const bl_reader *r, float before, float after)
{
    if (r->objective->link == BL_LINK_LOGIT && before == 0.0f && signbit(before))
        bli_log(r->log, BL_WARNING, "model",
                "base_score is -0, a margin that XGBoost before 1.0 wrote in its place: "
                "taken "
                "as margin 0, the probability 0.5 (XGBoost 3.4 would read it as "
                "probability 0)");
    else if (!isfinite(after))
        bli_log(r->log, BL_WARNING, "model", "base_score %g of %s is %g as a margin",
                (double)before, r->objective->name, (double)after);
}

static bl_status read_intercept(bl_reader *r)
{
    bl_forest *f = r->forest;
    const bl_ubj *param = bli_ubj_get(r->learner, "learner_model_param");
    bl_status st = bli_read_base_score(param, &f->base_score, &f->n_base_scores, r->err);
    if (st != BL_OK)
        return st;
    if (f->n_base_scores != 1 && f->n_base_scores != f->n_outputs)
        return bli_fail(r->err, BL_E_MODEL,
                        "base_score has %zu values, the model %zu outputs",
                        f->n_base_scores, f->n_outputs);
    void *margin;
    st = bli_alloc(f->n_outputs, sizeof(float), "the intercept", &margin, r->err);
    if (st != BL_OK)
        return st;
    f->base_margin = margin;
    for (size_t k = 0; k < f->n_outputs; k++)
        f->base_margin[k] = f->base_score[f->n_base_scores == 1 ? 0 : k];
    if (applies_link(r))
        st = bli_objective_margin(r->objective, f->n_outputs, f->base_margin, r->err);
    if (st == BL_OK)
        warn_of_margin(r, f->base_score[0], f->base_margin[0]);
    /* XGBoost's linear booster gives the first output's intercept to all. */
    for (size_t k = 1; k < f->n_outputs && f->linear; k++)
        f->base_margin[k] = f->base_margin[0];
    return st;
}

/* --- The whole ---------------------------------------------------------------------- */

static void read_attributes(bl_reader *r)
{
    const bl_ubj *attributes = bli_ubj_get(r->learner, "attributes");
    const bl_ubj *score = bli_ubj_get(attributes, "best_score");
    int64_t best;
    r->forest->best_iteration = -1;
    r->forest->best_score = (double)NAN;
    if (bli_ubj_int(bli_ubj_get(attributes, "best_iteration"), &best) && best >= 0)
        r->forest->best_iteration = best;
    double value;
    if (score && score->kind == BL_UBJ_TEXT &&
        bli_read_double((const char *)score->u.bytes, score->n, &value) != BL_NUMBER_NONE)
        r->forest->best_score = value;
}

static bl_status read_learner(bl_reader *r)
{
    static const char *const known[] = {"attributes",
                                        "feature_names",
                                        "feature_types",
                                        "generic_param",
                                        "gradient_booster",
                                        "learner_model_param",
                                        "metrics",
                                        "objective",
                                        "learner_train_param",
                                        NULL};
    bl_forest *f = r->forest;
    bli_note_keys(r->learner, known, &r->keys);
    bl_status st = read_sizes(r);
    if (st == BL_OK)
        st = read_objective(r);
    if (st == BL_OK)
        st = bli_read_booster(r);
    if (st == BL_OK)
        st = read_intercept(r);
    if (st == BL_OK)
        st = read_names(r, "feature_names", &f->names);
    if (st == BL_OK)
        st = read_names(r, "feature_types", &f->types);
    if (st != BL_OK)
        return st;
    f->has_names = f->names != NULL;
    f->has_types = f->types != NULL;
    read_attributes(r);
    if (r->keys.n)
        bli_log(
            r->log, BL_NOTE, "model",
            "%zu entries of the model are not known here (the first is '%s'): ignored",
            r->keys.n, r->keys.first);
    return BL_OK;
}

static void read_version(bl_ubj_doc *doc, bl_forest *forest)
{
    const bl_ubj *top = bli_ubj_root(doc);
    const bl_ubj *model = bli_ubj_get(top, "Model");
    int32_t version[3];
    if (bli_ubj_ints(bli_ubj_get(model ? model : top, "version"), 3, version))
        for (size_t i = 0; i < 3; i++)
            forest->version[i] = version[i];
}

bl_status bli_forest_from(bl_ubj_doc *doc, const bl_ubj *learner, const bl_limits *limits,
                          const bl_log *log, bl_forest **ret_forest, bl_err *err)
{
    bl_reader r = {.learner = learner, .limits = limits, .log = log, .err = err};
    void *forest = NULL;
    bl_status st = bli_alloc(1, sizeof *r.forest, "the model", &forest, err);
    if (st == BL_OK) {
        r.forest = forest;
        read_version(doc, r.forest);
        st = read_learner(&r);
    }
    if (st != BL_OK) {
        bli_err_prefix(err, "model");
        bli_forest_free(r.forest);
        return st;
    }
    *ret_forest = r.forest;
    return BL_OK;
}

bl_status bli_forest_read(const void *ubj, size_t n_bytes, const bl_limits *limits,
                          const bl_log *log, bl_forest **ret_forest, bl_err *err)
{
    bl_ubj_doc *doc = NULL;
    bl_ubj *learner = NULL;
    bl_status st = bli_open_model(ubj, n_bytes, limits, &doc, &learner, err);
    if (st == BL_OK)
        st = bli_forest_from(doc, learner, limits, log, ret_forest, err);
    bli_ubj_free(doc);
    return st;
}

static void free_texts(char **text, size_t n)
{
    for (size_t i = 0; text && i < n; i++)
        free(text[i]);
    free(text);
}

void bli_forest_free(bl_forest *forest)
{
    if (!forest)
        return;
    for (size_t t = 0; forest->trees && t < forest->n_trees; t++)
        bli_tree_done(&forest->trees[t]);
    for (size_t i = 0; forest->levels && i < forest->n_features; i++)
        bli_levels_free(forest->levels[i]);
    free_texts(forest->names, forest->n_features);
    free_texts(forest->types, forest->n_features);
    free(forest->levels);
    free(forest->trees);
    free(forest->round_first);
    free(forest->linear);
    free(forest->base_margin);
    free(forest->base_score);
    free(forest->objective);
    free(forest->booster);
    free(forest);
}
