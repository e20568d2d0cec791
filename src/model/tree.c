/* SPDX-License-Identifier: Apache-2.0 */
/* One tree out of its arrays, with every index checked. */
#include "model/tree_priv.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const known_keys[] = {"base_weights",
                                         "categories",
                                         "categories_nodes",
                                         "categories_segments",
                                         "categories_sizes",
                                         "default_left",
                                         "id",
                                         "leaf_child_counts",
                                         "leaf_weights",
                                         "left_children",
                                         "loss_changes",
                                         "parents",
                                         "right_children",
                                         "split_conditions",
                                         "split_indices",
                                         "split_type",
                                         "sum_hessian",
                                         "tree_param",
                                         NULL};

void bli_tree_done(bl_tree *tree)
{
    free(tree->left); /* the one block of all node arrays */
    free(tree->cat_first);
    free(tree->cat_words);
    free(tree->cat_bits);
    *tree = (bl_tree){0};
}

bl_status bli_wrong_array(const bl_tree_source *s, const char *name, size_t n)
{
    const bl_ubj *array = bli_ubj_get(s->node, name);
    if (!array)
        return bli_fail(s->err, BL_E_MODEL, "tree %zu has no %s", s->t, name);
    if (bli_ubj_is_list(array) && array->n != n)
        return bli_fail(s->err, BL_E_MODEL, "tree %zu: %s has %zu entries, expected %zu",
                        s->t, name, array->n, n);
    return bli_fail(s->err, BL_E_MODEL, "tree %zu: %s is no list of numbers that fit",
                    s->t, name);
}

static bl_status get_floats(const bl_tree_source *s, const char *name, size_t n,
                            float *values)
{
    if (bli_ubj_floats(bli_ubj_get(s->node, name), n, values))
        return BL_OK;
    return bli_wrong_array(s, name, n);
}

bl_status bli_get_ints(const bl_tree_source *s, const char *name, size_t n,
                       int32_t *values)
{
    if (bli_ubj_ints(bli_ubj_get(s->node, name), n, values))
        return BL_OK;
    return bli_wrong_array(s, name, n);
}

/* All arrays of [n] in one block that begins at left. */
static bl_status new_arrays(const bl_tree_source *s, size_t n_values, bl_tree *tree)
{
    size_t n = s->n, n_leaf = 0, n_words = 0;
    void *block;
    if (!bli_mul(n, n_values, &n_leaf) || !bli_mul(n, 7, &n_words) ||
        n_leaf > SIZE_MAX / 8 - n_words)
        return bli_fail(s->err, BL_E_LIMIT, "tree %zu: too large for this machine", s->t);
    bl_status st = bli_alloc(n_words + n_leaf, 4, "a tree", &block, s->err);
    if (st != BL_OK)
        return st;
    tree->left = block;
    tree->right = tree->left + n;
    tree->feature = (uint32_t *)(tree->right + n);
    tree->threshold = (float *)(tree->feature + n);
    tree->cover = tree->threshold + n;
    tree->gain = tree->cover + n;
    tree->leaf = tree->gain + n;
    tree->default_left = (uint8_t *)(tree->leaf + n_leaf);
    tree->n_nodes = (uint32_t)n;
    tree->n_values = (uint32_t)n_values;
    tree->weight = 1.0f;
    return BL_OK;
}

/* Whole numbers of up to 64 bits into unsigned 32. */
static bl_status get_features(const bl_tree_source *s, uint32_t *feature)
{
    void *scratch;
    bl_status st = bli_alloc(s->n, sizeof(int64_t), "split indices", &scratch, s->err);
    if (st != BL_OK)
        return st;
    int64_t *value = scratch;
    bool ok = bli_ubj_long_ints(bli_ubj_get(s->node, "split_indices"), s->n, value);
    for (size_t i = 0; ok && i < s->n; i++) {
        ok = value[i] >= INT32_MIN && value[i] <= UINT32_MAX;
        feature[i] = (uint32_t)value[i];
    }
    if (!ok)
        st = bli_wrong_array(s, "split_indices", s->n);
    free(scratch);
    return st;
}

static bl_status get_default_left(const bl_tree_source *s, uint8_t *default_left)
{
    void *scratch;
    bl_status st = bli_alloc(s->n, sizeof(int32_t), "default branches", &scratch, s->err);
    if (st != BL_OK)
        return st;
    int32_t *value = scratch;
    st = bli_get_ints(s, "default_left", s->n, value);
    for (size_t i = 0; st == BL_OK && i < s->n; i++)
        default_left[i] = value[i] != 0;
    free(scratch);
    return st;
}

/* Vector leaves before 3.2 carry neither gains nor covers: zeros stand for both. */
static bl_status get_statistics(const bl_tree_source *s, bl_tree *tree)
{
    bl_status st = BL_OK;
    bool optional = tree->n_values > 1;
    if (!optional || bli_ubj_get(s->node, "sum_hessian"))
        st = get_floats(s, "sum_hessian", s->n, tree->cover);
    if (st == BL_OK && (!optional || bli_ubj_get(s->node, "loss_changes")))
        st = get_floats(s, "loss_changes", s->n, tree->gain);
    return st;
}

/* Up to 3.1 a leaf's values stand in base_weights at the leaf's node; since then in
 * leaf_weights at the number that the leaf has in place of a right child. */
static bl_status get_vector_leaves(const bl_tree_source *s, bl_tree *tree)
{
    size_t n_values = tree->n_values;
    const bl_ubj *weights = bli_ubj_get(s->node, "leaf_weights");
    if (!weights)
        return get_floats(s, "base_weights", s->n * n_values, tree->leaf);
    if (!bli_ubj_is_list(weights) || weights->n % n_values)
        return bli_fail(s->err, BL_E_MODEL,
                        "tree %zu: leaf_weights is no list of whole vectors of %zu", s->t,
                        n_values);
    size_t n_vectors = weights->n / n_values;
    void *scratch;
    bl_status st =
        bli_alloc(weights->n, sizeof(float), "the leaves of a tree", &scratch, s->err);
    if (st != BL_OK)
        return st;
    const float *vector = scratch;
    st = get_floats(s, "leaf_weights", weights->n, scratch);
    for (size_t i = 0; i < s->n && st == BL_OK; i++) {
        if (tree->left[i] >= 0)
            continue;
        if (tree->right[i] < 0 || (size_t)tree->right[i] >= n_vectors)
            st = bli_fail(s->err, BL_E_MODEL,
                          "tree %zu, node %zu: leaf number %d, but there are %zu leaves",
                          s->t, i, tree->right[i], n_vectors);
        else
            memcpy(tree->leaf + i * n_values, vector + (size_t)tree->right[i] * n_values,
                   n_values * sizeof *vector);
    }
    free(scratch);
    return st;
}

static bl_status get_arrays(const bl_tree_source *s, bl_tree *tree)
{
    bl_status st = bli_get_ints(s, "left_children", s->n, tree->left);
    if (st == BL_OK)
        st = bli_get_ints(s, "right_children", s->n, tree->right);
    if (st == BL_OK)
        st = get_features(s, tree->feature);
    if (st == BL_OK)
        st = get_floats(s, "split_conditions", s->n, tree->threshold);
    if (st == BL_OK)
        st = get_default_left(s, tree->default_left);
    if (st == BL_OK)
        st = get_statistics(s, tree);
    if (st == BL_OK && tree->n_values > 1)
        st = get_vector_leaves(s, tree);
    else if (st ==
             BL_OK) /* a scalar leaf keeps its value where a split has its condition */
        memcpy(tree->leaf, tree->threshold, s->n * sizeof *tree->leaf);
    return st;
}

/* --- Shape -------------------------------------------------------------------------- */

/* XGBoost's pruning leaves nodes behind that nothing reaches; it marks them so, and a
 * leaf of nothing stands for them here. */
static bool is_deleted(const bl_tree *tree, size_t node)
{
    return (tree->feature[node] & UINT32_C(0x7fffffff)) == UINT32_C(0x7fffffff);
}

static void clear_node(bl_tree *tree, size_t node)
{
    tree->left[node] = tree->right[node] = -1;
    tree->feature[node] = 0;
    tree->threshold[node] = tree->cover[node] = tree->gain[node] = 0;
    for (size_t k = 0; k < tree->n_values; k++)
        tree->leaf[node * tree->n_values + k] = 0;
    if (tree->cat_words)
        tree->cat_words[node] = 0;
}

static bl_status check_leaf(const bl_tree_source *s, bl_tree *tree, uint32_t node)
{
    for (size_t k = 0; k < tree->n_values; k++) {
        float value = tree->leaf[(size_t)node * tree->n_values + k];
        if (!isfinite(value))
            return bli_fail(
                s->err, BL_E_MODEL,
                "tree %zu, node %u: the leaf's value is %g, no number to add up; "
                "train the model anew",
                s->t, node, (double)value);
    }
    tree->right[node] = -1; /* the leaf number of a vector leaf has served */
    tree->n_leaves++;
    return BL_OK;
}

static bl_status check_split(const bl_tree_source *s, const bl_tree *tree, uint32_t node,
                             const uint8_t *seen)
{
    if (tree->feature[node] >= s->n_features)
        return bli_fail(s->err, BL_E_MODEL,
                        "tree %zu, node %u splits on feature %u, the model has %zu", s->t,
                        node, tree->feature[node], s->n_features);
    const int32_t child[] = {tree->left[node], tree->right[node]};
    for (size_t i = 0; i < 2; i++) {
        if (child[i] < 0 || (size_t)child[i] >= s->n)
            return bli_fail(s->err, BL_E_MODEL,
                            "tree %zu, node %u: child %d is not among its %zu nodes",
                            s->t, node, child[i], s->n);
        if (seen[child[i]] || (i == 1 && child[0] == child[1]))
            return bli_fail(s->err, BL_E_MODEL,
                            "tree %zu, node %d is reached twice: the nodes form no tree",
                            s->t, child[i]);
    }
    return BL_OK;
}

typedef struct place {
    uint32_t node, depth;
} place;

/* Walks from the root; seen[node] is set for every node reached. */
static bl_status walk(const bl_tree_source *s, bl_tree *tree, uint8_t *seen, place *stack)
{
    size_t n = 0;
    stack[n++] = (place){0, 0};
    seen[0] = 1;
    while (n) {
        place at = stack[--n];
        tree->depth = at.depth > tree->depth ? at.depth : tree->depth;
        bl_status st;
        if (tree->left[at.node] < 0) {
            st = check_leaf(s, tree, at.node);
        } else {
            st = check_split(s, tree, at.node, seen);
            for (size_t i = 0; st == BL_OK && i < 2; i++) {
                uint32_t child = (uint32_t)(i ? tree->left : tree->right)[at.node];
                seen[child] = 1;
                stack[n++] = (place){child, at.depth + 1};
            }
        }
        if (st != BL_OK)
            return st;
    }
    return BL_OK;
}

/* Nothing here needs parents, but XGBoost goes by them without a look. */
static bl_status check_parents(const bl_tree_source *s, const bl_tree *tree)
{
    if (!bli_ubj_get(s->node, "parents"))
        return BL_OK;
    void *scratch;
    bl_status st = bli_alloc(s->n, sizeof(int32_t), "parents", &scratch, s->err);
    if (st != BL_OK)
        return st;
    const int32_t *parent = scratch;
    st = bli_get_ints(s, "parents", s->n, scratch);
    for (size_t i = 1; i < s->n && st == BL_OK; i++)
        if (parent[i] < 0 || (size_t)parent[i] >= s->n)
            st = bli_fail(s->err, BL_E_MODEL,
                          "tree %zu, node %zu: parent %d is not among its %zu nodes",
                          s->t, i, parent[i], s->n);
    for (size_t i = 0; i < s->n && st == BL_OK; i++)
        if (tree->left[i] >= 0 &&
            ((size_t)parent[tree->left[i]] != i || (size_t)parent[tree->right[i]] != i))
            st = bli_fail(s->err, BL_E_MODEL,
                          "tree %zu, node %zu is not what its children call their parent",
                          s->t, i);
    free(scratch);
    return st;
}

static bl_status check_shape(const bl_tree_source *s, bl_tree *tree)
{
    void *seen = NULL, *stack = NULL;
    bl_status st = bli_alloc(s->n, 1, "a walk over a tree", &seen, s->err);
    if (st == BL_OK)
        st = bli_alloc(s->n + 1, sizeof(place), "a walk over a tree", &stack, s->err);
    if (st == BL_OK)
        st = walk(s, tree, seen, stack);
    for (size_t i = 0; i < s->n && st == BL_OK; i++) {
        if (((const uint8_t *)seen)[i])
            continue;
        if (!is_deleted(tree, i) || tree->n_values > 1)
            st = bli_fail(s->err, BL_E_MODEL,
                          "tree %zu, node %zu is not reached from the root", s->t, i);
        clear_node(tree, i);
    }
    free(seen);
    free(stack);
    return st;
}

/* --- The whole ---------------------------------------------------------------------- */

static bl_status read_sizes(bl_tree_source *s, size_t n_outputs, size_t *ret_n_values)
{
    const bl_ubj *left = bli_ubj_get(s->node, "left_children");
    const bl_ubj *param = bli_ubj_get(s->node, "tree_param");
    if (!bli_ubj_is_list(left))
        return bli_fail(s->err, BL_E_MODEL, "tree %zu has no left_children", s->t);
    int64_t n_nodes = (int64_t)left->n, n_values = 1;
    const bl_ubj *count = bli_ubj_get(param, "num_nodes");
    if ((count && !bli_ubj_int(count, &n_nodes)) || n_nodes < 1 ||
        (size_t)n_nodes != left->n)
        return bli_fail(s->err, BL_E_MODEL,
                        "tree %zu: num_nodes is %lld, left_children has %zu", s->t,
                        (long long)n_nodes, left->n);
    if ((uint64_t)n_nodes > s->limits->tree_nodes || n_nodes > INT32_MAX)
        return bli_fail(s->err, BL_E_LIMIT, "tree %zu has %lld nodes, the limit is %llu",
                        s->t, (long long)n_nodes,
                        (unsigned long long)s->limits->tree_nodes);
    const bl_ubj *size = bli_ubj_get(param, "size_leaf_vector");
    if (size && !bli_ubj_int(size, &n_values))
        return bli_fail(s->err, BL_E_MODEL,
                        "tree %zu: size_leaf_vector is no whole number", s->t);
    n_values = n_values < 1 ? 1 : n_values; /* 0 in models before 2.0 */
    if (n_values != 1 && (uint64_t)n_values != n_outputs)
        return bli_fail(s->err, BL_E_MODEL,
                        "tree %zu: its leaves have %lld values, the model %zu outputs",
                        s->t, (long long)n_values, n_outputs);
    s->n = (size_t)n_nodes;
    *ret_n_values = (size_t)n_values;
    return BL_OK;
}

bl_status bli_read_tree(const bl_ubj *node, size_t t, size_t n_features, size_t n_outputs,
                        const bl_limits *limits, bl_unknown_keys *keys, bl_tree *ret_tree,
                        bl_err *err)
{
    bl_tree_source s = {
        .node = node, .t = t, .n_features = n_features, .limits = limits, .err = err};
    bl_tree tree = {0};
    size_t n_values = 1;
    bli_note_keys(node, known_keys, keys);
    bl_status st = read_sizes(&s, n_outputs, &n_values);
    if (st == BL_OK)
        st = new_arrays(&s, n_values, &tree);
    if (st == BL_OK)
        st = get_arrays(&s, &tree);
    if (st == BL_OK)
        st = bli_read_categories(&s, &tree);
    if (st == BL_OK)
        st = check_shape(&s, &tree);
    if (st == BL_OK)
        st = check_parents(&s, &tree);
    if (st != BL_OK) {
        bli_tree_done(&tree);
        return st;
    }
    *ret_tree = tree;
    return BL_OK;
}
