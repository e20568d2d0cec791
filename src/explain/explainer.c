/* SPDX-License-Identifier: Apache-2.0 */
/* The compiled forest: which features are used, trees by output, rules of quadrature. */
#include "explain/explain_priv.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* n points are exact to degree 2n - 1, and n beside the point 0 to degree 2n; the integrand of u
 * features has degree u - 1. */
static bl_status make_rule(size_t n_different, bl_rule **ret_rule, bl_err *err)
{
    size_t n = (n_different + 1) / 2, n_lane = n_different / 2;
    if (n_different <= 1)
        n = n_lane = 1;
    void *memory;
    bl_status st = bli_alloc(1, sizeof(bl_rule), "a quadrature rule", &memory, err);
    if (st != BL_OK)
        return st;
    bl_rule *rule = memory;
    st = bli_alloc(2 * n + 3 * n_lane, sizeof(double), "a quadrature rule", &memory, err);
    if (st != BL_OK) {
        free(rule);
        return st;
    }
    double *t = memory, *w = t + n, *lane_t = w + n, *lane_w = lane_t + n_lane;
    *rule = (bl_rule){
        .n_different = n_different,
        .n_points = n,
        .t = t,
        .w = w,
        .n_lane_points = n_lane,
        .n_programs = (n_lane + BLK_MAX_POINTS - 1) / BLK_MAX_POINTS,
        .lane_t = lane_t,
        .float_t = (float *)(lane_w + n_lane),
    };
    rule->float_w = rule->float_t + n_lane;
    blk_gauss_legendre(n, t, w);
    if (n_different % 2 && n_different > 1)
        rule->w0 = blk_gauss_radau(n_lane, lane_t, lane_w);
    else
        blk_gauss_legendre(n_lane, lane_t, lane_w);
    for (size_t k = 0; k < n_lane; k++) {
        rule->float_t[k] = (float)lane_t[k];
        rule->float_w[k] = (float)lane_w[k];
    }
    *ret_rule = rule;
    return BL_OK;
}

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
    const bl_tree *trees = e->n_trees ? e->forest->trees + first_tree(e) : NULL;
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

/* The rule for n_different features, made where new. Rules stay where they are. */
static bl_status find_rule(bl_explainer *e, size_t n_different, bl_rule **ret_rule,
                           bl_err *err)
{
    for (size_t r = 0; r < e->n_rules; r++)
        if (e->rules[r]->n_different == n_different) {
            *ret_rule = e->rules[r];
            return BL_OK;
        }
    bl_rule **grown = realloc(e->rules, (e->n_rules + 1) * sizeof *grown);
    if (!grown)
        return bli_fail(err, BL_E_NOMEM, "no memory for quadrature rules");
    e->rules = grown;
    bl_status st = make_rule(n_different, &e->rules[e->n_rules], err);
    if (st == BL_OK)
        *ret_rule = e->rules[e->n_rules++];
    return st;
}

static bl_status find_special(bl_compiled *c, bl_err *err)
{
    uint32_t n_splits = c->tree.n_steps / 3, n = 0;
    for (uint32_t i = 0; i < n_splits; i++)
        c->n_special += !bli_is_plain(c->tree.splits + i);
    void *memory;
    bl_status st =
        bli_alloc(c->n_special, sizeof *c->special, "special splits", &memory, err);
    if (st != BL_OK)
        return st;
    c->special = memory;
    for (uint32_t i = 0; i < n_splits; i++)
        if (!bli_is_plain(c->tree.splits + i))
            c->special[n++] = i;
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
    st = bli_alloc(e->n_outputs, sizeof(double), "means of a tree", &memory, err);
    if (st != BL_OK)
        return st;
    double *means = memory;
    for (size_t t = 0; st == BL_OK && t < e->n_trees; t++) {
        bl_compiled *c = e->trees + t;
        const bl_tree *tree = e->forest->trees + first_tree(e) + t;
        size_t n_different;
        c->source = first_tree(e) + (uint32_t)t;
        st = bli_compile_tree(tree, slot_of, e->n_used, &c->tree, means, &n_different,
                              err);
        if (st != BL_OK)
            break;
        for (size_t v = 0; v < tree->n_values; v++)
            e->tree_means[tree->output + v] += means[v];
        if (c->tree.depth > e->max_depth)
            e->max_depth = c->tree.depth;
        st = find_special(c, err);
        if (st == BL_OK)
            st = find_rule(e, n_different, &c->rule, err);
    }
    free(means);
    return st;
}

/* Trees sorted by output, their order kept. */
static bl_status sort_parts(bl_explainer *e, bl_err *err)
{
    const bl_tree *trees = e->n_trees ? e->forest->trees + first_tree(e) : NULL;
    void *memory;
    bl_status st =
        bli_alloc(e->n_outputs + 2, sizeof *e->output_first, "outputs", &memory, err);
    if (st != BL_OK)
        return st;
    e->output_first = memory;
    size_t *next = e->output_first + 1; /* becomes the first part of the next output */
    for (size_t t = 0; t < e->n_trees; t++)
        for (size_t v = 0; v < trees[t].n_values; v++)
            next[trees[t].output + v + 1]++;
    for (size_t o = 0; o < e->n_outputs; o++)
        next[o + 1] += next[o];
    st = bli_alloc(next[e->n_outputs], sizeof *e->parts, "trees by output", &memory, err);
    if (st != BL_OK)
        return st;
    e->parts = memory;
    for (size_t t = 0; t < e->n_trees; t++)
        for (uint32_t v = 0; v < trees[t].n_values; v++)
            e->parts[next[trees[t].output + v]++] =
                (bl_part){.tree = (uint32_t)t, .value = v};
    return BL_OK;
}

/* Past these a program's buffers, which grow with the depth, or its columns cost more than the
 * lanes bring; and float32 sums of leaves must not overflow. */
#define LANE_DEPTH    256
#define LANE_FEATURES 65536
#define LANE_VALUE    1e30

static bool fits_lanes(const bl_compiled *c, size_t value)
{
    const blk_tree *tree = &c->tree;
    uint32_t n_leaves = tree->n_steps / 3 + 1;
    for (uint32_t i = 0; i < n_leaves; i++)
        if (fabs(tree->values[(size_t)i * tree->n_values + value]) > LANE_VALUE)
            return false;
    return tree->depth <= LANE_DEPTH;
}

/* Picks go through every split of a tree, some ten in the time that a walk takes for a step down. */
static bool fits_picks(const blk_tree *tree)
{
    return tree->n_steps / 3 <= 10 * (tree->depth + 1);
}

static bl_status write_leaves(bl_explainer *e, const uint32_t *slot_of, bl_part *part,
                              bl_err *err)
{
    const bl_compiled *c = e->trees + part->tree;
    const bl_tree *tree = e->forest->trees + c->source;
    if (fits_picks(&c->tree))
        return bli_write_picks(tree, part->value, slot_of, e->n_used, &part->picks, err);
    return bli_write_walk(tree, part->value, c->tree.depth, slot_of, e->n_used,
                          &part->walk, err);
}

static bl_status write_parts(bl_explainer *e, const uint32_t *slot_of, bl_err *err)
{
    if (e->n_used > LANE_FEATURES)
        e->lanes = NULL;
    for (size_t p = 0; e->lanes && p < e->output_first[e->n_outputs]; p++) {
        bl_part *part = e->parts + p;
        bl_compiled *c = e->trees + part->tree;
        if (!c->tree.depth || !fits_lanes(c, part->value))
            continue;
        void *memory;
        bl_status st = bli_alloc(c->rule->n_programs, sizeof *part->programs, "programs",
                                 &memory, err);
        if (st != BL_OK)
            return st;
        part->programs = memory;
        if (!e->margins_only)
            st = bli_write_programs(&c->tree, part->value, e->n_used, c->rule,
                                    part->programs, &part->code, &part->code_bytes, err);
        if (st == BL_OK)
            st = write_leaves(e, slot_of, part, err);
        if (st != BL_OK)
            return st;
        if (c->tree.depth > e->lane_depth)
            e->lane_depth = c->tree.depth;
        if (c->n_special > e->max_special)
            e->max_special = c->n_special;
    }
    return BL_OK;
}

/* One piece of memory for all programs: they are read from front to back, time and again. */
static bl_status gather_programs(bl_explainer *e, bl_err *err)
{
    size_t n_parts = e->output_first[e->n_outputs];
    /* Constants of points that are not there may be read past a program's end. */
    size_t bytes = sizeof(blk_repeat);
    for (size_t p = 0; p < n_parts; p++)
        bytes += bli_round_up(e->parts[p].code_bytes, 16);
    void *memory;
    bl_status st = bli_alloc(bytes, 1, "programs", &memory, err);
    if (st != BL_OK)
        return st;
    char *to = e->code = memory;
    for (size_t p = 0; p < n_parts; p++) {
        bl_part *part = e->parts + p;
        if (!part->code)
            continue;
        memcpy(to, part->code, part->code_bytes);
        for (size_t i = 0; i < e->trees[part->tree].rule->n_programs; i++)
            part->programs[i].code =
                to + (part->programs[i].code - (const char *)part->code);
        to += bli_round_up(part->code_bytes, 16);
        free(part->code);
        part->code = NULL;
    }
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
    if (st == BL_OK)
        st = write_parts(e, slot_of, err);
    if (st == BL_OK)
        st = gather_programs(e, err);
    free(slot_of);
    if (st != BL_OK)
        return st;
    for (size_t o = 0; forest->linear && o < e->n_outputs; o++)
        e->tree_means[o] = (double)forest->linear[e->n_features * e->n_outputs + o];
    for (size_t o = 0; o < e->n_outputs; o++)
        e->base_values[o] = (double)forest->base_margin[o] + e->tree_means[o];
    return BL_OK;
}

/* What calls need that depends on the model alone. */
static bl_status prepare_calls(bl_explainer *e, bl_err *err)
{
    void *memory;
    bl_status st =
        bli_alloc(BL_SPARE, sizeof *e->spare, "scratch of calls", &memory, err);
    if (st != BL_OK)
        return st;
    e->spare = memory;
    for (size_t i = 0; i < BL_SPARE; i++)
        atomic_init(&e->spare[i], NULL);
    e->block_rows = bli_block_rows_of(e);
    e->row_work = bli_row_work(e);
    e->scratch_bytes = bli_scratch_bytes(e);
    return BL_OK;
}

bl_status bli_explainer_new(const bl_forest *forest, size_t first, size_t last,
                            bl_explainer **ret_explainer, bl_err *err)
{
    return bli_explainer_new_on(forest, first, last, ~BLK_CPU_FMAF, ret_explainer, err);
}

bl_status bli_explainer_new_on(const bl_forest *forest, size_t first, size_t last,
                               unsigned cpu, bl_explainer **ret_explainer, bl_err *err)
{
    return bli_explainer_new_for(forest, first, last, cpu, false, ret_explainer, err);
}

bl_status bli_explainer_new_for(const bl_forest *forest, size_t first, size_t last,
                                unsigned cpu, bool margins_only,
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
    if (cpu != BLI_ROW_BY_ROW)
        e->lanes = blk_lanes_for(cpu & (blk_cpu() | BLK_CPU_FMAF));
    e->margins_only = margins_only;
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
    if (st == BL_OK)
        st = prepare_calls(e, err);
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
    size_t n_parts = e->parts ? e->output_first[e->n_outputs] : 0;
    for (size_t p = 0; p < n_parts; p++) {
        free(e->parts[p].programs);
        free(e->parts[p].code);
        free(e->parts[p].picks);
        free(e->parts[p].walk);
    }
    for (size_t t = 0; e->trees && t < e->n_trees; t++) {
        bli_compiled_tree_done(&e->trees[t].tree);
        free(e->trees[t].special);
    }
    for (size_t r = 0; r < e->n_rules; r++) {
        free(e->rules[r]->t); /* the other arrays follow it in the same block */
        free(e->rules[r]);
    }
    for (size_t i = 0; e->spare && i < BL_SPARE; i++)
        free(atomic_load(&e->spare[i]));
    free(e->spare);
    free(e->code);
    free(e->trees);
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

const char *bli_explainer_kernel(const bl_explainer *explainer)
{
    return explainer->lanes ? explainer->lanes->name : "row by row";
}
