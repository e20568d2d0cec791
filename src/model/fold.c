/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intercepts moved into trees. A margin is a sum; what differs between outputs can as
 * well stand in the leaves of each output's first tree, where every XGBoost finds it. A
 * tree counts with its weight, so what is added is divided by it.
 */
#include "model/model_priv.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bl_ubj *first_tree(bl_ubj *learner)
{
    bl_ubj *model = bli_ubj_get(bli_tree_booster(learner), "model");
    return bli_ubj_get(model, "trees")->u.first;
}

static bl_status no_memory(bl_err *err)
{
    return bli_fail(err, BL_E_NOMEM, "no memory to rewrite the model");
}

static bool is_leaf(const bl_tree *tree, size_t node)
{
    return tree->left[node] < 0;
}

/* Scalar leaves stand among the split conditions. */
static bl_status write_scalar_leaves(bl_ubj_doc *doc, bl_ubj *node, const bl_tree *tree,
                                     bl_err *err)
{
    void *scratch;
    bl_status st = bli_alloc(tree->n_nodes, sizeof(float), "leaves", &scratch, err);
    if (st != BL_OK)
        return st;
    float *value = scratch;
    bli_ubj_floats(bli_ubj_get(node, "split_conditions"), tree->n_nodes, value);
    for (size_t i = 0; i < tree->n_nodes; i++)
        if (is_leaf(tree, i))
            value[i] = tree->leaf[i];
    if (!bli_ubj_put(doc, node, "split_conditions",
                     bli_ubj_new_floats(doc, value, tree->n_nodes)))
        st = no_memory(err);
    free(scratch);
    return st;
}

/* leaf_weights, at the number that a leaf has in place of a right child. */
static bl_status write_leaf_weights(bl_ubj_doc *doc, bl_ubj *node, const bl_tree *tree,
                                    bl_err *err)
{
    const bl_ubj *weights = bli_ubj_get(node, "leaf_weights");
    if (!weights)
        return BL_OK;
    size_t n = weights->n, n_values = tree->n_values;
    void *value = NULL, *right = NULL;
    bl_status st = bli_alloc(n, sizeof(float), "leaves", &value, err);
    if (st == BL_OK)
        st = bli_alloc(tree->n_nodes, sizeof(int32_t), "leaves", &right, err);
    if (st == BL_OK) {
        bli_ubj_floats(weights, n, value);
        bli_ubj_ints(bli_ubj_get(node, "right_children"), tree->n_nodes, right);
        for (size_t i = 0; i < tree->n_nodes; i++)
            if (is_leaf(tree, i))
                memcpy((float *)value + (size_t)((int32_t *)right)[i] * n_values,
                       tree->leaf + i * n_values, n_values * sizeof(float));
        if (!bli_ubj_put(doc, node, "leaf_weights", bli_ubj_new_floats(doc, value, n)))
            st = no_memory(err);
    }
    free(value);
    free(right);
    return st;
}

/* base_weights of a vector tree, with every leaf's values in the row of its node. */
static bl_status write_base_weights(bl_ubj_doc *doc, bl_ubj *node, const bl_tree *tree,
                                    bl_err *err)
{
    size_t n_values = tree->n_values, n = tree->n_nodes * n_values;
    void *scratch;
    bl_status st = bli_alloc(n, sizeof(float), "leaves", &scratch, err);
    if (st != BL_OK)
        return st;
    float *value = scratch;
    /* Of another size where the splits saw fewer targets: then inner nodes get zeros. */
    if (!bli_ubj_floats(bli_ubj_get(node, "base_weights"), n, value))
        memset(value, 0, n * sizeof *value);
    for (size_t i = 0; i < tree->n_nodes; i++)
        if (is_leaf(tree, i))
            memcpy(value + i * n_values, tree->leaf + i * n_values,
                   n_values * sizeof *value);
    if (!bli_ubj_put(doc, node, "base_weights", bli_ubj_new_floats(doc, value, n)))
        st = no_memory(err);
    free(scratch);
    return st;
}

bl_status bli_spread_vector_leaves(bl_ubj_doc *doc, bl_ubj *learner,
                                   const bl_forest *forest, bl_err *err)
{
    bl_status st = BL_OK;
    bl_ubj *node = first_tree(learner);
    for (size_t t = 0; t < forest->n_trees && st == BL_OK; t++) {
        /* Putting a member back moves nothing else, so the list of trees stays as it is.
         */
        if (forest->trees[t].n_values > 1)
            st = write_base_weights(doc, node, &forest->trees[t], err);
        node = node->next;
    }
    return st;
}

/* The first tree with a weight that adds to output k; n_trees where there is none. */
static size_t tree_of(const bl_forest *forest, size_t k)
{
    size_t t = 0;
    while (t < forest->n_trees &&
           ((forest->trees[t].n_values == 1 && forest->trees[t].output != k) ||
            forest->trees[t].weight == 0.0f))
        t++;
    return t;
}

static float shifted(const bl_tree *tree, size_t at, double shift)
{
    return (float)((double)tree->leaf[at] + shift / (double)tree->weight);
}

static bool stays_finite(const bl_tree *tree, size_t k, double shift)
{
    size_t column = tree->n_values > 1 ? k : 0;
    for (size_t i = 0; i < tree->n_nodes; i++)
        if (is_leaf(tree, i) &&
            !isfinite(shifted(tree, i * tree->n_values + column, shift)))
            return false;
    return true;
}

static void shift_leaves(bl_tree *tree, size_t k, double shift)
{
    size_t column = tree->n_values > 1 ? k : 0;
    for (size_t i = 0; i < tree->n_nodes; i++)
        if (is_leaf(tree, i)) {
            size_t at = i * tree->n_values + column;
            tree->leaf[at] = shifted(tree, at, shift);
        }
}

static bl_status write_leaves(bl_ubj_doc *doc, bl_ubj *node, const bl_tree *tree,
                              bl_err *err)
{
    /* XGBoost wants all arrays of a tree typed, or none. */
    const bl_ubj *left = bli_ubj_get(node, "left_children");
    if (left->kind != BL_UBJ_TYPED)
        return bli_fail(
            err, BL_E_MODEL,
            "the trees are stored as XGBoost does not store them in UBJSON: load "
            "and save the model with XGBoost 3.4 first");
    return tree->n_values > 1 ? write_leaf_weights(doc, node, tree, err)
                              : write_scalar_leaves(doc, node, tree, err);
}

bl_status bli_fold_intercepts(bl_ubj_doc *doc, bl_ubj *learner, bl_forest *forest,
                              const double *shift, bool *ret_done, bl_err *err)
{
    void *scratch;
    bl_status st = bli_alloc(forest->n_trees, 1, "trees to change", &scratch, err);
    if (st != BL_OK)
        return st;
    bool *changed = scratch;
    bool possible = true;
    for (size_t k = 0; k < forest->n_outputs && possible; k++) {
        size_t t = tree_of(forest, k);
        possible = isfinite(shift[k]) && t < forest->n_trees &&
                   stays_finite(&forest->trees[t], k, shift[k]);
    }
    for (size_t k = 0; k < forest->n_outputs && possible; k++) {
        size_t t = tree_of(forest, k);
        changed[t] |= shift[k] != 0;
        shift_leaves(&forest->trees[t], k, shift[k]);
    }
    bl_ubj *node = first_tree(learner);
    for (size_t t = 0; t < forest->n_trees && st == BL_OK && possible;
         t++, node = node->next)
        if (changed[t])
            st = write_leaves(doc, node, &forest->trees[t], err);
    free(scratch);
    if (st == BL_OK)
        *ret_done = possible;
    return st;
}
