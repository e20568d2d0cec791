/* SPDX-License-Identifier: Apache-2.0 */
/* What is inside a booster: trees with their rounds, outputs and weights, or linear weights. */
#include "model/reader_priv.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

bl_status bli_get_count(const bl_reader *r, const bl_ubj *param, const char *key,
                        int64_t missing, int64_t max, int64_t *ret_value)
{
    const bl_ubj *node = bli_ubj_get(param, key);
    int64_t value = missing;
    if (node && !bli_ubj_int(node, &value))
        return bli_fail(r->err, BL_E_MODEL, "%s is no whole number", key);
    if (value < 0 || value > max)
        return bli_fail(r->err, value < 0 ? BL_E_MODEL : BL_E_LIMIT,
                        "%s is %lld, expected 0 to %lld", key, (long long)value,
                        (long long)max);
    *ret_value = value;
    return BL_OK;
}

static bl_status read_linear(bl_reader *r, const bl_ubj *booster)
{
    bl_forest *f = r->forest;
    const bl_ubj *weights = bli_ubj_get(bli_ubj_get(booster, "model"), "weights");
    size_t n;
    if (!bli_mul(f->n_features + 1, f->n_outputs, &n))
        return bli_fail(r->err, BL_E_LIMIT, "too many weights for this machine");
    if (!bli_ubj_is_list(weights) || (weights->n != n && weights->n != 0))
        return bli_fail(
            r->err, BL_E_MODEL,
            "gblinear has %zu weights, expected %zu (features and bias, by outputs)",
            bli_ubj_is_list(weights) ? weights->n : 0, n);
    void *linear, *round_first;
    bl_status st =
        bli_alloc(n, sizeof(float), "the weights of gblinear", &linear, r->err);
    if (st != BL_OK)
        return st;
    f->linear = linear;
    /* A model never trained has no weights; XGBoost makes them zeros. */
    if (weights->n && !bli_ubj_floats(weights, n, f->linear))
        return bli_fail(r->err, BL_E_MODEL, "the weights of gblinear are no numbers");
    for (size_t i = 0; i < n; i++)
        if (!isfinite(f->linear[i]))
            return bli_fail(r->err, BL_E_MODEL,
                            "weight %zu of gblinear is %g, no number to add", i,
                            (double)f->linear[i]);
    st = bli_alloc(1, sizeof(uint32_t), "rounds", &round_first, r->err);
    if (st == BL_OK)
        f->round_first = round_first;
    return st;
}

/* First tree of each round from the list, or, before 1.7, from the counts. */
static bl_status read_rounds(bl_reader *r, const bl_ubj *model)
{
    bl_forest *f = r->forest;
    const bl_ubj *list = bli_ubj_get(model, "iteration_indptr");
    size_t per_round = 1;
    if (!list) {
        int64_t parallel = 1;
        bl_status st = bli_get_count(r, bli_ubj_get(model, "gbtree_model_param"),
                                     "num_parallel_tree", 1, INT32_MAX, &parallel);
        if (st != BL_OK)
            return st;
        uint32_t last_output = 0;
        for (size_t t = 0; t < f->n_trees; t++)
            last_output =
                f->trees[t].output > last_output ? f->trees[t].output : last_output;
        if (!bli_mul((size_t)(parallel ? parallel : 1), (size_t)last_output + 1,
                     &per_round))
            per_round = SIZE_MAX;
        if (f->n_trees % per_round)
            return bli_fail(r->err, BL_E_MODEL,
                            "%zu trees do not make whole rounds of %zu", f->n_trees,
                            per_round);
    }
    size_t n = !list ? f->n_trees / per_round + 1 : bli_ubj_is_list(list) ? list->n : 0;
    void *first;
    bl_status st = bli_alloc(n ? n : 1, sizeof(uint32_t), "rounds", &first, r->err);
    if (st != BL_OK)
        return st;
    f->round_first = first;
    if (!list)
        for (size_t i = 0; i < n; i++)
            f->round_first[i] = (uint32_t)(i * per_round);
    else if (n && !bli_ubj_ints(list, n, first))
        return bli_fail(r->err, BL_E_MODEL,
                        "iteration_indptr is no list of whole numbers");
    n = n ? n : 1;
    for (size_t i = 0; i < n; i++)
        if (f->round_first[i] > f->n_trees ||
            (i ? f->round_first[i] < f->round_first[i - 1] : f->round_first[i] != 0))
            return bli_fail(r->err, BL_E_MODEL,
                            "iteration_indptr: round %zu begins at tree %u of %zu", i,
                            f->round_first[i], f->n_trees);
    if (f->round_first[n - 1] != f->n_trees)
        return bli_fail(r->err, BL_E_MODEL,
                        "iteration_indptr ends at tree %u, there are %zu",
                        f->round_first[n - 1], f->n_trees);
    f->n_rounds = n - 1;
    return BL_OK;
}

static bl_status read_weights(bl_reader *r)
{
    bl_forest *f = r->forest;
    const bl_ubj *weights = bli_tree_weights(r->learner);
    if (!weights)
        return BL_OK;
    void *scratch;
    bl_status st = bli_alloc(f->n_trees, sizeof(float), "tree weights", &scratch, r->err);
    if (st != BL_OK)
        return st;
    const float *weight = scratch;
    if (!bli_ubj_floats(weights, f->n_trees, scratch))
        st = bli_fail(r->err, BL_E_MODEL, "weight_drop has %zu weights for %zu trees",
                      weights->n, f->n_trees);
    for (size_t t = 0; t < f->n_trees && st == BL_OK; t++) {
        if (!isfinite(weight[t]))
            st = bli_fail(r->err, BL_E_MODEL, "weight_drop: the weight of tree %zu is %g",
                          t, (double)weight[t]);
        f->trees[t].weight = weight[t];
    }
    free(scratch);
    return st;
}

static bl_status read_outputs(bl_reader *r, const bl_ubj *model)
{
    bl_forest *f = r->forest;
    void *scratch;
    bl_status st = bli_alloc(f->n_trees, sizeof(int32_t), "tree_info", &scratch, r->err);
    if (st != BL_OK)
        return st;
    const int32_t *output = scratch;
    const bl_ubj *info = bli_ubj_get(model, "tree_info");
    if (!bli_ubj_ints(info, f->n_trees, scratch))
        st = bli_fail(r->err, BL_E_MODEL,
                      "tree_info has no whole number for each of %zu trees", f->n_trees);
    for (size_t t = 0; t < f->n_trees && st == BL_OK; t++) {
        if (output[t] < 0 || (size_t)output[t] >= f->n_outputs)
            st = bli_fail(r->err, BL_E_MODEL,
                          "tree %zu adds to output %d, the model has %zu", t, output[t],
                          f->n_outputs);
        f->trees[t].output = f->trees[t].n_values == 1 ? (uint32_t)output[t] : 0;
        f->vector_leaf |= f->trees[t].n_values > 1;
    }
    free(scratch);
    return st;
}

static bl_status read_trees(bl_reader *r, const bl_ubj *booster)
{
    static const char *const known[] = {"cats",
                                        "gbtree_model_param",
                                        "iteration_indptr",
                                        "tree_info",
                                        "trees",
                                        "weight_drop",
                                        NULL};
    bl_forest *f = r->forest;
    const bl_ubj *model = bli_ubj_get(booster, "model");
    const bl_ubj *trees = bli_ubj_get(model, "trees");
    int64_t n_trees = 0;
    bli_note_keys(model, known, &r->keys);
    if (!bli_ubj_is_list(trees))
        return bli_fail(r->err, BL_E_MODEL, "the model has no trees");
    bl_status st = bli_get_count(r, bli_ubj_get(model, "gbtree_model_param"), "num_trees",
                                 (int64_t)trees->n, (int64_t)r->limits->trees, &n_trees);
    if (st == BL_OK && (size_t)n_trees != trees->n)
        st = bli_fail(r->err, BL_E_MODEL, "num_trees is %lld, but there are %zu trees",
                      (long long)n_trees, trees->n);
    void *fresh = NULL;
    if (st == BL_OK)
        st = bli_alloc(trees->n, sizeof(bl_tree), "trees", &fresh, r->err);
    if (st != BL_OK)
        return st;
    f->trees = fresh;
    const bl_ubj *node = trees->kind == BL_UBJ_LIST ? trees->u.first : NULL;
    for (; node && st == BL_OK; node = node->next, f->n_trees++)
        st = bli_read_tree(node, f->n_trees, f->n_features, f->n_outputs, r->limits,
                           &r->keys, &f->trees[f->n_trees], r->err);
    if (st == BL_OK)
        st = read_outputs(r, model);
    if (st == BL_OK)
        st = read_rounds(r, model);
    if (st == BL_OK)
        st = read_weights(r);
    if (st == BL_OK)
        st = bli_read_cats(bli_ubj_get(model, "cats"), r->limits, f, r->err);
    return st;
}

bl_status bli_read_booster(bl_reader *r)
{
    static const char *const known[] = {"gbtree", "model", "name", "weight_drop", NULL};
    const bl_ubj *outer = bli_ubj_get(r->learner, "gradient_booster");
    const bl_ubj *name = bli_ubj_get(outer, "name");
    bli_note_keys(outer, known, &r->keys);
    if (bli_ubj_is_text(name, "gblinear")) {
        bl_status st = bli_strdup("gblinear", &r->forest->booster, r->err);
        return st == BL_OK ? read_linear(r, outer) : st;
    }
    if (!bli_ubj_is_text(name, "gbtree") && !bli_ubj_is_text(name, "dart"))
        return bli_fail(r->err, BL_E_MODEL,
                        "the model's booster is none of gbtree, dart and gblinear");
    bl_status st = bli_strdup(bli_tree_weights(r->learner) ? "dart" : "gbtree",
                              &r->forest->booster, r->err);
    return st == BL_OK ? read_trees(r, bli_tree_booster(r->learner)) : st;
}
