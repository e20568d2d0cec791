/* SPDX-License-Identifier: Apache-2.0 */
/* The category sets of one tree's splits: lists of codes into words of bits. */
#include "model/tree_priv.h"

#include "base/mem.h"

#include <stdlib.h>

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

static bl_status new_array(const bl_tree_source *s, size_t n, size_t size, void **ret)
{
    return bli_alloc(n, size, "the categories of a tree", ret, s->err);
}

static size_t length(const bl_ubj *list)
{
    return bli_ubj_is_list(list) ? list->n : 0;
}

static bl_status get_long_ints(const bl_tree_source *s, const char *name, size_t n,
                               int64_t *values)
{
    if (bli_ubj_long_ints(bli_ubj_get(s->node, name), n, values))
        return BL_OK;
    return bli_wrong_array(s, name, n);
}

static bl_status get_categories(const bl_tree_source *s, categories *c)
{
    c->n_nodes = length(bli_ubj_get(s->node, "categories_nodes"));
    c->n = length(bli_ubj_get(s->node, "categories"));
    bl_status st = new_array(s, s->n, sizeof *c->type, (void **)&c->type);
    if (st == BL_OK)
        st = bli_get_ints(s, "split_type", s->n, c->type);
    if (st == BL_OK)
        st = new_array(s, c->n_nodes, sizeof *c->node, (void **)&c->node);
    if (st == BL_OK)
        st = bli_get_ints(s, "categories_nodes", c->n_nodes, c->node);
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
        st = bli_get_ints(s, "categories", c->n, c->code);
    return st;
}

/* Checks set i; its words, counted up to its largest code. */
static bl_status count_words(const bl_tree_source *s, const categories *c, size_t i,
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

static bl_status fill_bits(const bl_tree_source *s, const categories *c, bl_tree *tree)
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
bl_status bli_read_categories(const bl_tree_source *s, bl_tree *tree)
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
