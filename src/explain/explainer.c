/* SPDX-License-Identifier: Apache-2.0 */
/* The compiled forest: which features are used, trees by output, rules of quadrature. */
#include "explain/explain_priv.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static uint32_t first_tree(const bl_explainer *e)
{
    return e->forest->n_trees ? e->forest->round_first[e->first] : 0;
}

static bl_status find_used(bl_explainer *e, uint32_t **ret_slot_of, bl_err *err)
{
    void *memory;
    bl_status st =
        bli_alloc(e->n_features, sizeof(uint32_t), "feature slots", &memory, err);
    if (st != BL_OK)
        return st;
    uint32_t *slot_of = memory;
    const bl_tree *trees = e->forest->trees + first_tree(e);
    for (size_t t = 0; t < e->n_trees; t++)
        for (uint32_t n = 0; n < trees[t].n_nodes; n++)
            if (trees[t].left[n] >= 0)
                slot_of[trees[t].feature[n]] = 1;
    const float *linear = e->forest->linear;
    for (size_t f = 0; linear && f < e->n_features; f++)
        for (size_t o = 0; o < e->n_outputs; o++)
            slot_of[f] |= linear[f * e->n_outputs + o] != 0;
    for (size_t f = 0; f < e->n_features; f++)
        e->n_used += slot_of[f];
    st = bli_alloc(e->n_used, sizeof *e->used, "used features", &memory, err);
    if (st != BL_OK) {
        free(slot_of);
        return st;
    }
    e->used = memory;
    uint32_t slot = 0;
    for (size_t f = 0; f < e->n_features; f++)
        if (slot_of[f]) {
            e->used[slot] = (uint32_t)f;
            slot_of[f] = slot++;
        }
    *ret_slot_of = slot_of;
    return BL_OK;
}

/* Index of the rule with n_points, made where new. */
static bl_status find_rule(bl_explainer *e, size_t n_points, uint32_t *ret_rule,
                           bl_err *err)
{
    size_t r = 0;
    while (r < e->n_rules && e->rules[r].n_points != n_points)
        r++;
    *ret_rule = (uint32_t)r;
    if (r < e->n_rules)
        return BL_OK;
    bl_rule *grown = realloc(e->rules, (r + 1) * sizeof *grown);
    if (!grown)
        return bli_fail(err, BL_E_NOMEM, "no memory for quadrature rules");
    e->rules = grown;
    void *memory;
    bl_status st =
        bli_alloc(2 * n_points, sizeof(double), "a quadrature rule", &memory, err);
    if (st != BL_OK)
        return st;
    double *t = memory;
    blk_gauss_legendre(n_points, t, t + n_points);
    e->rules[e->n_rules++] = (bl_rule){.n_points = n_points, .t = t, .w = t + n_points};
    return BL_OK;
}

static bl_status compile_trees(bl_explainer *e, const uint32_t *slot_of, bl_err *err)
{
    void *memory;
    bl_status st =
        bli_alloc(e->n_trees, sizeof *e->trees, "compiled trees", &memory, err);
    if (st != BL_OK)
        return st;
    e->trees = memory;
    st = bli_alloc(e->n_trees, sizeof *e->tree_rule, "compiled trees", &memory, err);
    if (st != BL_OK)
        return st;
    e->tree_rule = memory;
    st = bli_alloc(e->n_outputs, sizeof(double), "means of a tree", &memory, err);
    if (st != BL_OK)
        return st;
    double *means = memory;
    for (size_t t = 0; st == BL_OK && t < e->n_trees; t++) {
        const bl_tree *tree = e->forest->trees + first_tree(e) + t;
        size_t n_points;
        st = bli_compile_tree(tree, slot_of, e->n_used, e->trees + t, means, &n_points,
                              err);
        if (st != BL_OK)
            break;
        for (size_t v = 0; v < tree->n_values; v++)
            e->tree_means[tree->output + v] += means[v];
        if (e->trees[t].depth > e->max_depth)
            e->max_depth = e->trees[t].depth;
        st = find_rule(e, n_points, e->tree_rule + t, err);
    }
    free(means);
    return st;
}

/* Trees sorted by output, their order kept. A single leaf gives nothing to anyone. */
static bl_status sort_parts(bl_explainer *e, bl_err *err)
{
    const bl_tree *trees = e->forest->trees + first_tree(e);
    void *memory;
    bl_status st =
        bli_alloc(e->n_outputs + 2, sizeof *e->output_first, "outputs", &memory, err);
    if (st != BL_OK)
        return st;
    e->output_first = memory;
    size_t *next = e->output_first + 1; /* becomes the first part of the next output */
    for (size_t t = 0; t < e->n_trees; t++)
        for (size_t v = 0; e->trees[t].depth && v < trees[t].n_values; v++)
            next[trees[t].output + v + 1]++;
    for (size_t o = 0; o < e->n_outputs; o++)
        next[o + 1] += next[o];
    st = bli_alloc(next[e->n_outputs], sizeof *e->parts, "trees by output", &memory, err);
    if (st != BL_OK)
        return st;
    e->parts = memory;
    for (size_t t = 0; t < e->n_trees; t++)
        for (uint32_t v = 0; e->trees[t].depth && v < trees[t].n_values; v++)
            e->parts[next[trees[t].output + v]++] =
                (bl_part){.tree = (uint32_t)t, .value = v, .rule = e->tree_rule[t]};
    return BL_OK;
}

static bl_status compile(bl_explainer *e, bl_err *err)
{
    const bl_forest *forest = e->forest;
    uint32_t *slot_of = NULL;
    bl_status st = find_used(e, &slot_of, err);
    if (st == BL_OK)
        st = compile_trees(e, slot_of, err);
    if (st == BL_OK)
        st = sort_parts(e, err);
    free(slot_of);
    if (st != BL_OK)
        return st;
    for (size_t o = 0; forest->linear && o < e->n_outputs; o++)
        e->tree_means[o] = (double)forest->linear[e->n_features * e->n_outputs + o];
    for (size_t o = 0; o < e->n_outputs; o++)
        e->base_values[o] = (double)forest->base_margin[o] + e->tree_means[o];
    return BL_OK;
}

bl_status bli_explainer_new(const bl_forest *forest, size_t first, size_t last,
                            bl_explainer **ret_explainer, bl_err *err)
{
    if (first > last || last > forest->n_rounds)
        return bli_fail(
            err, BL_E_ARG,
            "rounds %zu to %zu of a model with %zu rounds: give a range within it", first,
            last, forest->n_rounds);
    bl_explainer *e = calloc(1, sizeof *e);
    if (!e)
        return bli_fail(err, BL_E_NOMEM, "no memory for an explainer");
    e->forest = forest;
    e->first = first;
    e->last = last;
    e->n_features = forest->n_features;
    e->n_outputs = forest->n_outputs;
    if (!forest->linear && forest->n_trees)
        e->n_trees = forest->round_first[last] - forest->round_first[first];
    void *memory;
    bl_status st =
        bli_alloc(2 * e->n_outputs, sizeof(double), "base values", &memory, err);
    if (st == BL_OK) {
        e->base_values = memory;
        e->tree_means = e->base_values + e->n_outputs;
        st = compile(e, err);
    }
    if (st != BL_OK) {
        bli_explainer_free(e);
        return st;
    }
    *ret_explainer = e;
    return BL_OK;
}

void bli_explainer_free(bl_explainer *e)
{
    if (!e)
        return;
    for (size_t t = 0; e->trees && t < e->n_trees; t++)
        bli_compiled_tree_done(e->trees + t);
    for (size_t r = 0; r < e->n_rules; r++)
        free(e->rules[r].t);
    free(e->trees);
    free(e->tree_rule);
    free(e->rules);
    free(e->output_first);
    free(e->parts);
    free(e->used);
    free(e->base_values);
    free(e);
}

const double *bli_explainer_base_values(const bl_explainer *explainer)
{
    return explainer->base_values;
}
