/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Models before they are given to libxgboost, which trusts what it loads: a child out of range is
 * followed, and a tree of vector leaves as 2.0 to 3.1 wrote it ends the process (3.4.1 looks for
 * leaf_weights without asking whether they are there). So bytes are read here first, and such
 * trees put into the layout that XGBoost from 3.2 on expects.
 */
#include "model/model_priv.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static bl_status put(bl_ubj_doc *doc, bl_ubj *tree, const char *key, bl_ubj *value,
                     bl_err *err)
{
    if (bli_ubj_put(doc, tree, key, value))
        return BL_OK;
    return bli_fail(err, BL_E_NOMEM, "no memory to convert the model");
}

/* Gains and covers of old vector leaves are not known: zeros, as in the forest. */
static bl_status put_missing(bl_ubj_doc *doc, bl_ubj *node, const char *key,
                             const float *values, size_t n, bl_err *err)
{
    if (bli_ubj_get(node, key))
        return BL_OK;
    return put(doc, node, key, bli_ubj_new_floats(doc, values, n), err);
}

/* Each leaf gets a number, in place of a right child, and its values that place in a list. */
static bl_status number_leaves(bl_ubj_doc *doc, bl_ubj *node, const bl_tree *tree,
                               bl_err *err)
{
    size_t n_values = tree->n_values, n_leaves = 0;
    void *right = NULL, *leaf = NULL;
    bl_status st = bli_alloc(tree->n_nodes, sizeof(int32_t), "leaf numbers", &right, err);
    if (st == BL_OK)
        st = bli_alloc(tree->n_leaves * n_values, sizeof(float), "leaves", &leaf, err);
    for (size_t i = 0; i < tree->n_nodes && st == BL_OK; i++) {
        ((int32_t *)right)[i] = tree->left[i] < 0 ? (int32_t)n_leaves : tree->right[i];
        if (tree->left[i] < 0)
            memcpy((float *)leaf + n_leaves++ * n_values, tree->leaf + i * n_values,
                   n_values * sizeof(float));
    }
    if (st == BL_OK)
        st = put(doc, node, "right_children", bli_ubj_new_ints(doc, right, tree->n_nodes),
                 err);
    if (st == BL_OK)
        st = put(doc, node, "leaf_weights",
                 bli_ubj_new_floats(doc, leaf, n_leaves * n_values), err);
    if (st == BL_OK)
        st = put_missing(doc, node, "loss_changes", tree->gain, tree->n_nodes, err);
    if (st == BL_OK)
        st = put_missing(doc, node, "sum_hessian", tree->cover, tree->n_nodes, err);
    free(right);
    free(leaf);
    return st;
}

bl_status bli_complete_vector_leaves(bl_ubj_doc *doc, bl_ubj *learner,
                                     const bl_forest *forest, bl_err *err)
{
    bl_ubj *model = bli_ubj_get(bli_tree_booster(learner), "model");
    bl_ubj *trees = bli_ubj_get(model, "trees");
    bl_ubj *node = trees && trees->kind == BL_UBJ_LIST ? trees->u.first : NULL;
    bl_status st = BL_OK;
    for (size_t t = 0; node && t < forest->n_trees && st == BL_OK; t++, node = node->next)
        if (forest->trees[t].n_values > 1 && !bli_ubj_get(node, "leaf_weights"))
            st = number_leaves(doc, node, &forest->trees[t], err);
    return st;
}

bl_status bli_model_prepare(const void *ubj, size_t n_bytes, const bl_limits *limits,
                            const bl_log *log, bl_buf *ret_ubj, bl_err *err)
{
    bl_ubj_doc *doc = NULL;
    bl_ubj *learner = NULL;
    bl_forest *forest = NULL;
    bl_buf out = {0};
    bl_status st = bli_open_model(ubj, n_bytes, limits, &doc, &learner, err);
    if (st == BL_OK)
        st = bli_forest_from(doc, learner, limits, log, &forest, err);
    if (st == BL_OK)
        st = bli_complete_vector_leaves(doc, learner, forest, err);
    if (st == BL_OK) {
        const bl_ubj *root = bli_ubj_root(doc), *model = bli_ubj_get(root, "Model");
        bli_ubj_write(model ? model : root, &out);
        st = bli_buf_check(&out, "the model", err);
    }
    bli_forest_free(forest);
    bli_ubj_free(doc);
    if (st != BL_OK) {
        bli_buf_done(&out);
        return st;
    }
    *ret_ubj = out;
    return BL_OK;
}
