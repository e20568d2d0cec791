/* SPDX-License-Identifier: Apache-2.0 */
/* Compiles a forest for interactions. */
#include "explain/interactions.h"

#include "explain/explain_priv.h"
#include "explain/interactions_priv.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROW_BY_ROW "row by row"

void bli_interactions_kernels(const char *ret_names[BLI_INTERACTION_KERNELS])
{
    const blk_interactions *list[BLK_INTER_VARIANTS + 1];
    blk_interactions_variants(list);
    size_t n = 0;
    ret_names[n++] = ROW_BY_ROW;
    for (size_t i = 0; list[i]; i++)
        ret_names[n++] = list[i]->name;
    ret_names[n] = NULL;
}

static bl_status pick_kernel(bl_interactions *it, const char *name, bl_err *err)
{
    const blk_interactions *list[BLK_INTER_VARIANTS + 1];
    blk_interactions_variants(list);
    if (name && strcmp(name, ROW_BY_ROW) == 0)
        return BL_OK;
    for (size_t i = 0; list[i]; i++)
        if (!name || strcmp(name, list[i]->name) == 0)
            it->kernel = list[i];
    if (!it->kernel)
        return bli_fail(err, BL_E_ARG,
                        "kernel '%.40s': this processor has none of that name", name);
    return BL_OK;
}

static const bl_tree *first_tree(const bl_interactions *it)
{
    const bl_forest *forest = it->forest;
    return forest->n_trees ? forest->trees + forest->round_first[it->first] : NULL;
}

/* slot_of [n_features]: 1 + slot, 0 where unused. */
static void mark_used(const bl_interactions *it, uint32_t *slot_of)
{
    const bl_tree *trees = first_tree(it);
    for (size_t t = 0; t < it->n_trees; t++)
        for (uint32_t n = 0; n < trees[t].n_nodes; n++)
            if (trees[t].left[n] >= 0)
                slot_of[trees[t].feature[n]] = 1;
    const float *linear = it->forest->linear;
    for (size_t i = 0; linear && i < it->n_features * it->n_outputs; i++)
        if (linear[i] != 0)
            slot_of[i / it->n_outputs] = 1;
}

static bl_status find_used(bl_interactions *it, uint32_t *slot_of, bl_err *err)
{
    mark_used(it, slot_of);
    for (size_t f = 0; f < it->n_features; f++)
        it->n_used += slot_of[f];
    void *memory;
    bl_status st = bli_alloc(it->n_used, sizeof *it->used, "used features", &memory, err);
    if (st != BL_OK)
        return st;
    it->used = memory;
    uint32_t slot = 0;
    for (size_t f = 0; f < it->n_features; f++)
        if (slot_of[f]) {
            it->used[slot] = (uint32_t)f;
            slot_of[f] = slot++;
        }
    return BL_OK;
}

static bl_status compile_trees(bl_interactions *it, const uint32_t *slot_of, bl_err *err)
{
    void *memory;
    bl_status st =
        bli_alloc(it->n_trees, sizeof *it->trees, "compiled trees", &memory, err);
    if (st != BL_OK)
        return st;
    it->trees = memory;
    st = bli_alloc(it->n_trees, sizeof *it->n_points, "compiled trees", &memory, err);
    if (st != BL_OK)
        return st;
    it->n_points = memory;
    st = bli_alloc(it->n_trees, it->n_outputs * sizeof(double), "means of trees", &memory,
                   err);
    if (st != BL_OK)
        return st;
    it->leaf_means = memory;
    for (size_t t = 0; st == BL_OK && t < it->n_trees; t++) {
        const bl_tree *tree = first_tree(it) + t;
        double *means = it->leaf_means + t * it->n_outputs;
        size_t unused;
        st = bli_compile_tree(tree, slot_of, it->n_used, it->trees + t, means, &unused,
                              err);
        if (st != BL_OK)
            break;
        for (size_t v = 0; v < tree->n_values; v++)
            it->tree_means[tree->output + v] += means[v];
        if (it->trees[t].depth > it->max_depth)
            it->max_depth = it->trees[t].depth;
        /* The values on the diagonal are of degree u - 1; n points do 2n - 1. */
        it->n_points[t] = (bli_most_different(it->trees + t) + 1) / 2;
        if (it->n_points[t] > it->most_points)
            it->most_points = it->n_points[t];
        st = bli_pairs_of_tree(&it->table, it->trees + t, it->n_used, err);
    }
    return st;
}

/* Rule of n points: t [n], w [n] behind it. */
static double *rule_of(const bl_interactions *it, size_t n)
{
    return it->rules + n * (n - 1);
}

static bl_status make_rules(bl_interactions *it, bl_err *err)
{
    size_t most = it->most_points;
    void *memory;
    bl_status st =
        bli_alloc(most * (most + 1), sizeof(double), "quadrature rules", &memory, err);
    if (st != BL_OK)
        return st;
    it->rules = memory;
    for (size_t n = 1; n <= most; n++)
        blk_gauss_legendre(n, rule_of(it, n), rule_of(it, n) + n);
    return BL_OK;
}

/* Programs of a tree that has n points. */
static size_t passes(size_t n)
{
    return (n + BLK_INTER_POINTS - 1) / BLK_INTER_POINTS;
}

/* Counts the parts of each output, then leaves in next[o] where they begin. */
static void count_parts(const bl_interactions *it, size_t *next)
{
    const bl_tree *trees = first_tree(it);
    for (size_t t = 0; t < it->n_trees; t++)
        for (size_t v = 0; it->trees[t].depth && v < trees[t].n_values; v++)
            next[trees[t].output + v + 1] += passes(it->n_points[t]);
    for (size_t o = 0; o < it->n_outputs; o++)
        next[o + 1] += next[o];
}

/* The programs of one value of one tree, as even in points as they go. */
static bl_status write_parts(bl_interactions *it, size_t t, size_t value, size_t *next,
                             bl_err *err)
{
    size_t n = it->n_points[t], n_passes = passes(n);
    const double *rule = rule_of(it, n);
    for (size_t pass = 0, done = 0; pass < n_passes; pass++) {
        size_t k = (n - done) / (n_passes - pass);
        bl_status st = bli_inter_program(
            it->trees + t, value, it->leaf_means[t * it->n_outputs + value], &it->table,
            it->n_used, k, rule + done, rule + n + done, it->parts + *next, err);
        if (st != BL_OK)
            return st;
        ++*next;
        done += k;
    }
    return BL_OK;
}

static bl_status make_parts(bl_interactions *it, bl_err *err)
{
    const bl_tree *trees = first_tree(it);
    void *memory;
    bl_status st =
        bli_alloc(it->n_outputs + 2, sizeof *it->output_first, "outputs", &memory, err);
    if (st != BL_OK)
        return st;
    it->output_first = memory;
    size_t *next = it->output_first + 1; /* becomes the first part of the next output */
    count_parts(it, next);
    st = bli_alloc(next[it->n_outputs], sizeof *it->parts, "trees by output", &memory,
                   err);
    if (st != BL_OK)
        return st;
    it->parts = memory;
    for (size_t t = 0; t < it->n_trees; t++)
        for (size_t v = 0; it->trees[t].depth && v < trees[t].n_values; v++) {
            st = write_parts(it, t, v, next + trees[t].output + v, err);
            if (st != BL_OK)
                return st;
        }
    return BL_OK;
}

static bl_status name_pairs(bl_interactions *it, bl_err *err)
{
    size_t n = it->table.n_pairs;
    void *memory;
    bl_status st = bli_alloc(n, sizeof *it->slots, "pairs of features", &memory, err);
    if (st != BL_OK)
        return st;
    it->slots = memory;
    for (size_t p = 0; p < n; p++) {
        bl_pair *pair = it->table.pairs + p;
        it->slots[p] = *pair;
        *pair = (bl_pair){it->used[pair->first], it->used[pair->second]};
    }
    return BL_OK;
}

/* States of features reach some hundreds, and so do the products of leaves with them. */
#define LARGEST_LEAF 1e30F

static bool fit_for_float(const bl_interactions *it)
{
    const bl_tree *trees = first_tree(it);
    for (size_t t = 0; t < it->n_trees; t++)
        for (size_t i = 0; i < (size_t)trees[t].n_nodes * trees[t].n_values; i++)
            if (trees[t].left[i / trees[t].n_values] < 0 &&
                fabsf(trees[t].leaf[i] * trees[t].weight) > LARGEST_LEAF)
                return false;
    return true;
}

static bl_status compile(bl_interactions *it, bl_err *err)
{
    void *memory;
    bl_status st =
        bli_alloc(it->n_features, sizeof(uint32_t), "feature slots", &memory, err);
    if (st != BL_OK)
        return st;
    uint32_t *slot_of = memory;
    st = find_used(it, slot_of, err);
    if (st == BL_OK)
        st = compile_trees(it, slot_of, err);
    free(slot_of);
    if (st == BL_OK)
        st = make_rules(it, err);
    if (!fit_for_float(it))
        it->kernel = NULL;
    if (st == BL_OK && it->kernel)
        st = make_parts(it, err);
    if (st == BL_OK)
        st = name_pairs(it, err);
    if (st != BL_OK)
        return st;
    const bl_forest *forest = it->forest;
    for (size_t o = 0; forest->linear && o < it->n_outputs; o++)
        it->tree_means[o] = (double)forest->linear[it->n_features * it->n_outputs + o];
    for (size_t o = 0; o < it->n_outputs; o++)
        it->base_values[o] = (double)forest->base_margin[o] + it->tree_means[o];
    return BL_OK;
}

bl_status bli_interactions_new(const bl_forest *forest, size_t first, size_t last,
                               const char *kernel, bl_interactions **ret_interactions,
                               bl_err *err)
{
    if (first > last || last > forest->n_rounds)
        return bli_fail(
            err, BL_E_ARG,
            "rounds %zu to %zu of a model with %zu rounds: give a range within it", first,
            last, forest->n_rounds);
    bl_interactions *it = calloc(1, sizeof *it);
    if (!it)
        return bli_fail(err, BL_E_NOMEM, "no memory for interactions");
    it->forest = forest;
    it->first = first;
    it->last = last;
    it->n_features = forest->n_features;
    it->n_outputs = forest->n_outputs;
    if (!forest->linear && forest->n_trees)
        it->n_trees = forest->round_first[last] - forest->round_first[first];
    void *memory;
    bl_status st = pick_kernel(it, kernel, err);
    if (st == BL_OK)
        st = bli_alloc(2 * it->n_outputs, sizeof(double), "base values", &memory, err);
    if (st == BL_OK) {
        it->base_values = memory;
        it->tree_means = it->base_values + it->n_outputs;
        st = compile(it, err);
    }
    if (st != BL_OK) {
        bli_interactions_free(it);
        return st;
    }
    *ret_interactions = it;
    return BL_OK;
}

void bli_interactions_free(bl_interactions *it)
{
    if (!it)
        return;
    for (size_t t = 0; it->trees && t < it->n_trees; t++)
        bli_compiled_tree_done(it->trees + t);
    for (size_t p = 0; it->parts && p < it->output_first[it->n_outputs]; p++)
        free(it->parts[p].memory);
    free(it->trees);
    free(it->n_points);
    free(it->leaf_means);
    free(it->rules);
    free(it->table.key);
    free(it->table.number);
    free(it->table.pairs);
    free(it->slots);
    free(it->output_first);
    free(it->parts);
    free(it->used);
    free(it->base_values);
    free(it);
}

const char *bli_interactions_kernel(const bl_interactions *it)
{
    return it->kernel ? it->kernel->name : ROW_BY_ROW;
}

size_t bli_interactions_n_pairs(const bl_interactions *it)
{
    return it->table.n_pairs;
}

const bl_pair *bli_interactions_pairs(const bl_interactions *it)
{
    return it->table.pairs;
}

const double *bli_interactions_base_values(const bl_interactions *it)
{
    return it->base_values;
}

size_t bli_interactions_n_features(const bl_interactions *it)
{
    return it->n_features;
}

size_t bli_interactions_n_outputs(const bl_interactions *it)
{
    return it->n_outputs;
}
