/* SPDX-License-Identifier: Apache-2.0 */
/* One tree out of its arrays, with every index checked. */
#include "model/model_priv.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is read of one tree. */
typedef struct source {
    const bl_ubj *node;
    size_t t;
    size_t n; /* nodes */
    size_t n_features;
    const bl_limits *limits;
    bl_err *err;
} source;

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

static bl_status wrong_array(const source *s, const char *name, size_t n)
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

static bl_status get_floats(const source *s, const char *name, size_t n, float *values)
{
    if (bli_ubj_floats(bli_ubj_get(s->node, name), n, values))
        return BL_OK;
    return wrong_array(s, name, n);
}

static bl_status get_ints(const source *s, const char *name, size_t n, int32_t *values)
{
    if (bli_ubj_ints(bli_ubj_get(s->node, name), n, values))
        return BL_OK;
    return wrong_array(s, name, n);
}

/* All arrays of [n] in one block that begins at left. */
static bl_status new_arrays(const source *s, size_t n_values, bl_tree *tree)
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
static bl_status get_features(const source *s, uint32_t *feature)
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
        st = wrong_array(s, "split_indices", s->n);
    free(scratch);
    return st;
}

static bl_status get_default_left(const source *s, uint8_t *default_left)
{
    void *scratch;
    bl_status st = bli_alloc(s->n, sizeof(int32_t), "default branches", &scratch, s->err);
    if (st != BL_OK)
        return st;
    int32_t *value = scratch;
    st = get_ints(s, "default_left", s->n, value);
    for (size_t i = 0; st == BL_OK && i < s->n; i++)
        default_left[i] = value[i] != 0;
    free(scratch);
    return st;
}

/* Vector leaves before 3.2 carry neither gains nor covers: zeros stand for both. */
static bl_status get_statistics(const source *s, bl_tree *tree)
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
static bl_status get_vector_leaves(const source *s, bl_tree *tree)
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

static bl_status get_arrays(const source *s, bl_tree *tree)
{
    bl_status st = get_ints(s, "left_children", s->n, tree->left);
    if (st == BL_OK)
        st = get_ints(s, "right_children", s->n, tree->right);
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

/* --- Categories
 * ---------------------------------------------------------------------------- */

typedef struct categories {
    size_t n_nodes, n; /* categorical nodes, category entries */
    int32_t *type;     /* [nodes of the tree] 1: categorical */
    int32_t *node;     /* [n_nodes] ascending */
    int64_t *first, *size;
    int32_t *code;
} categories;

static void categories_done(categories *c)
{
    free(c->type);
    free(c->node);
    free(c->first);
    free(c->size);
    free(c->code);
}

static bl_status new_array(const source *s, size_t n, size_t size, void **ret)
{
    return bli_alloc(n, size, "the categories of a tree", ret, s->err);
}

static size_t length(const bl_ubj *list)
{
    return bli_ubj_is_list(list) ? list->n : 0;
}

static bl_status get_long_ints(const source *s, const char *name, size_t n,
                               int64_t *values)
{
    if (bli_ubj_long_ints(bli_ubj_get(s->node, name), n, values))
        return BL_OK;
    return wrong_array(s, name, n);
}

static bl_status get_categories(const source *s, categories *c)
{
    c->n_nodes = length(bli_ubj_get(s->node, "categories_nodes"));
    c->n = length(bli_ubj_get(s->node, "categories"));
    bl_status st = new_array(s, s->n, sizeof *c->type, (void **)&c->type);
    if (st == BL_OK)
        st = get_ints(s, "split_type", s->n, c->type);
    if (st == BL_OK)
        st = new_array(s, c->n_nodes, sizeof *c->node, (void **)&c->node);
    if (st == BL_OK)
        st = get_ints(s, "categories_nodes", c->n_nodes, c->node);
    if (st == BL_OK)
        st = new_array(s, c->n_nodes, sizeof *c->first, (void **)&c->first);
    if (st == BL_OK)
        st = get_long_ints(s, "categories_segments", c->n_nodes, c->first);
    if (st == BL_OK)
        st = new_array(s, c->n_nodes, sizeof *c->size, (void **)&c->size);
    if (st == BL_OK)
        st = get_long_ints(s, "categories_sizes", c->n_nodes, c->size);
    if (st == BL_OK)
        st = new_array(s, c->n, sizeof *c->code, (void **)&c->code);
    if (st == BL_OK)
        st = get_ints(s, "categories", c->n, c->code);
    return st;
}

/* Checks set i; its words, counted up to its largest code. */
static bl_status count_words(const source *s, const categories *c, size_t i,
                             uint32_t *ret_words)
{
    int32_t node = c->node[i];
    if (node < 0 || (size_t)node >= s->n || (i > 0 && node <= c->node[i - 1]))
        return bli_fail(s->err, BL_E_MODEL,
                        "tree %zu: categories_nodes names node %d out of range or order",
                        s->t, node);
    int64_t first = c->first[i], size = c->size[i];
    if (first < 0 || size < 1 || first > (int64_t)c->n || size > (int64_t)c->n - first)
        return bli_fail(
            s->err, BL_E_MODEL,
            "tree %zu, node %d: its categories are %lld from entry %lld of %zu", s->t,
            node, (long long)size, (long long)first, c->n);
    int32_t largest = 0;
    for (int64_t k = first; k < first + size; k++) {
        if (c->code[k] < 0 || (uint64_t)c->code[k] >= s->limits->levels)
            return bli_fail(
                s->err, BL_E_MODEL, "tree %zu, node %d: category %d, expected 0 to %llu",
                s->t, node, c->code[k], (unsigned long long)(s->limits->levels - 1));
        largest = c->code[k] > largest ? c->code[k] : largest;
    }
    *ret_words = (uint32_t)largest / 32 + 1;
    return BL_OK;
}

static bl_status fill_bits(const source *s, const categories *c, bl_tree *tree)
{
    bl_status st = new_array(s, s->n, sizeof(uint32_t), (void **)&tree->cat_first);
    if (st == BL_OK)
        st = new_array(s, s->n, sizeof(uint32_t), (void **)&tree->cat_words);
    uint64_t n_words = 0;
    for (size_t i = 0; i < c->n_nodes && st == BL_OK; i++) {
        uint32_t words = 0;
        st = count_words(s, c, i, &words);
        /* XGBoost goes by split_type: a set at a numeric split is not looked at. */
        if (st != BL_OK || c->type[c->node[i]] != 1)
            continue;
        tree->cat_first[c->node[i]] = (uint32_t)n_words;
        tree->cat_words[c->node[i]] = words;
        n_words += words;
        if (n_words > UINT32_MAX)
            st = bli_fail(s->err, BL_E_LIMIT, "tree %zu: too many categories", s->t);
    }
    if (st == BL_OK)
        st = new_array(s, (size_t)n_words, sizeof(uint32_t), (void **)&tree->cat_bits);
    for (size_t i = 0; i < c->n_nodes && st == BL_OK; i++) {
        if (c->type[c->node[i]] != 1)
            continue;
        uint32_t *bits = tree->cat_bits + tree->cat_first[c->node[i]];
        for (int64_t k = c->first[i]; k < c->first[i] + c->size[i]; k++)
            bits[c->code[k] / 32] |= UINT32_C(1) << (c->code[k] % 32);
    }
    return st;
}

/* Models before 1.3 know no split_type: all numeric. */
static bl_status read_categories(const source *s, bl_tree *tree)
{
    if (!bli_ubj_get(s->node, "split_type"))
        return BL_OK;
    categories c = {0};
    bl_status st = get_categories(s, &c);
    bool any = false;
    for (size_t i = 0; i < s->n && st == BL_OK; i++)
        any |= c.type[i] == 1;
    if (st == BL_OK && any)
        st = fill_bits(s, &c, tree);
    for (size_t i = 0; i < s->n && st == BL_OK && any; i++)
        if (c.type[i] == 1 && tree->left[i] >= 0 && !tree->cat_words[i])
            st = bli_fail(s->err, BL_E_MODEL,
                          "tree %zu, node %zu: a categorical split without categories",
                          s->t, i);
    categories_done(&c);
    return st;
}

/* --- Shape
 * --------------------------------------------------------------------------------- */

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

static bl_status check_leaf(const source *s, bl_tree *tree, uint32_t node)
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

static bl_status check_split(const source *s, const bl_tree *tree, uint32_t node,
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
static bl_status walk(const source *s, bl_tree *tree, uint8_t *seen, place *stack)
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

static bl_status check_shape(const source *s, bl_tree *tree)
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
        if (!is_deleted(tree, i))
            st = bli_fail(s->err, BL_E_MODEL,
                          "tree %zu, node %zu is not reached from the root", s->t, i);
        clear_node(tree, i);
    }
    free(seen);
    free(stack);
    return st;
}

/* --- The whole
 * ----------------------------------------------------------------------------- */

static bl_status read_sizes(source *s, size_t n_outputs, size_t *ret_n_values)
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
    source s = {
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
        st = read_categories(&s, &tree);
    if (st == BL_OK)
        st = check_shape(&s, &tree);
    if (st != BL_OK) {
        bli_tree_done(&tree);
        return st;
    }
    *ret_tree = tree;
    return BL_OK;
}
