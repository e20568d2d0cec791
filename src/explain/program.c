/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One compiled tree -> programs for the lanes (kernels/lanes.h): which splits go together in one
 * operation, slots, constants. Leaves are taken less the tree's mean: SHAP values do not change,
 * and float32 keeps what matters of them.
 */
#include "explain/explain_priv.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A split of the tree with what the programs need to know of it. Children: index of a split, or
 * ~index of a leaf. */
typedef struct node {
    int32_t child[2];
    double mean;   /* of its leaves, less the tree's */
    double others; /* product of the shares of the other features of its path */
    bool below;    /* its feature is met again below */
    int height;
    float cost;
    blk_code form;
    uint32_t special; /* column of 0 and 1, or BL_PLAIN */
} node;

#define BL_PLAIN UINT32_MAX

typedef struct path_entry {
    uint32_t split;
    double product; /* of the shares of its feature, this side of the split included */
    bool live;      /* no later split of the path tests the same feature */
} path_entry;

typedef struct writer {
    const blk_tree *tree;
    size_t value, n_used;
    double mean;
    node *nodes;
    path_entry *path; /* [depth] */
    bool *right;      /* [depth] which side of it the survey is on */
    size_t n_points;
    double t[BLK_MAX_POINTS], w0;
    char *code;
    size_t n_code, cap;
    bl_status status;
    bl_err *err;
} writer;

/* --- What is known of each split ---------------------------------------------------- */

static double leaf_value(const writer *w, int32_t child)
{
    return w->tree->values[(size_t)~child * w->tree->n_values + w->value] - w->mean;
}

static double mean_of(const writer *w, int32_t child)
{
    return child < 0 ? leaf_value(w, child) : w->nodes[child].mean;
}

static double others_of(const writer *w, const blk_split *split)
{
    double product = 1;
    for (uint32_t i = 0; i < split->level; i++)
        if (w->path[i].live && w->tree->splits[w->path[i].split].slot != split->slot)
            product *= w->path[i].product;
    return product;
}

/* Level of the nearest earlier split on the same feature. */
static uint32_t earlier_level(const blk_split *split)
{
    return (split->earlier - 1) / 2;
}

static void enter(writer *w, uint32_t index, uint32_t *n_special)
{
    const blk_split *split = w->tree->splits + index;
    node *n = w->nodes + index;
    n->special = bli_is_plain(split) ? BL_PLAIN : (*n_special)++;
    n->others = others_of(w, split);
    if (split->earlier) {
        path_entry *before = w->path + earlier_level(split);
        w->nodes[before->split].below = true;
        before->live = false;
    }
    w->path[split->level] = (path_entry){
        .split = index, .product = split->share_before * split->share, .live = true};
}

static void leave(writer *w, uint32_t index)
{
    const blk_split *split = w->tree->splits + index;
    node *n = w->nodes + index;
    if (split->earlier)
        w->path[earlier_level(split)].live = true;
    n->mean = split->share * mean_of(w, n->child[0]) +
              (1 - split->share) * mean_of(w, n->child[1]);
}

/* Children and means by one walk of the tour. */
static void survey(writer *w)
{
    const blk_tree *tree = w->tree;
    uint32_t level = 0, n_special = 0;
    for (uint32_t s = 0; s < tree->n_steps; s++) {
        uint32_t kind = tree->steps[s] >> BLK_STEP_KIND,
                 index = tree->steps[s] & BLK_STEP_INDEX;
        if (kind == BLK_STEP_DOWN) {
            enter(w, index, &n_special);
            w->right[level++] = false;
            continue;
        }
        if (kind == BLK_STEP_UP) {
            leave(w, index);
            level--;
        }
        if (!level)
            break; /* the root is done */
        path_entry *top = w->path + level - 1;
        const blk_split *parent = tree->splits + top->split;
        bool right = w->right[level - 1];
        w->nodes[top->split].child[right] =
            kind == BLK_STEP_LEAF ? ~(int32_t)index : (int32_t)index;
        top->product = parent->share_before * (1 - parent->share);
        w->right[level - 1] = true;
    }
}

/* --- Which splits go together ------------------------------------------------------- */

static float cost_of(const writer *w, int32_t child)
{
    return child < 0 ? 1 + (float)w->n_points : w->nodes[child].cost;
}

static int height_of(const writer *w, int32_t child)
{
    return child < 0 ? 0 : w->nodes[child].height;
}

static void offer(node *n, blk_code form, float cost)
{
    if (cost < n->cost) {
        n->cost = cost;
        n->form = form;
    }
}

/* The cheapest cover by operations, bottom up (a split's index is less than its children's). Costs
 * are vector instructions a step, the parts through memory counted double. */
static void plan(writer *w, uint32_t n_splits)
{
    float k = (float)w->n_points;
    for (uint32_t i = n_splits; i-- > 0;) {
        node *n = w->nodes + i;
        int32_t a = n->child[0], b = n->child[1];
        int ha = height_of(w, a), hb = height_of(w, b);
        n->height = 1 + (ha > hb ? ha : hb);
        n->cost = INFINITY;
        if (ha == 0 && hb == 0)
            offer(n, BLK_PAIR, 6 + 4 * k);
        else if (ha == 0 || hb == 0)
            offer(n, BLK_DOWN_ONE, 12 + 10 * k + cost_of(w, ha ? a : b));
        else
            offer(n, BLK_DOWN, 12 + 13 * k + cost_of(w, a) + cost_of(w, b));
        if (n->height == 2 && (ha == 0 || hb == 0))
            offer(n, BLK_LEANING, 12 + 9 * k);
        if (n->height == 2)
            offer(n, BLK_FOUR, 17 + 10 * k);
        if (n->height == 3)
            offer(n, BLK_EIGHT, 38 + 24 * k);
    }
}

/* --- Writing ------------------------------------------------------------------------ */

/* n bytes more, zeroed; NULL after a failure. */
static void *more(writer *w, size_t n)
{
    /* Constants for more points than there are may be read past the end, never used. */
    size_t slack = sizeof(blk_repeat);
    void *memory = w->code;
    if (w->status == BL_OK)
        w->status =
            bli_grow(&memory, &w->cap, w->n_code + n + slack, 1, "a program", w->err);
    if (w->status != BL_OK)
        return NULL;
    w->code = memory;
    void *at = w->code + w->n_code;
    memset(at, 0, n + slack);
    w->n_code += n;
    return at;
}

static size_t begin(writer *w, blk_op op)
{
    size_t at = w->n_code;
    blk_op *into = more(w, sizeof op);
    if (into)
        *into = op;
    return at;
}

static void end(writer *w, size_t at)
{
    if (w->status == BL_OK)
        ((blk_op *)(void *)(w->code + at))->bytes = (uint32_t)(w->n_code - at);
}

static void put_columns(const writer *w, uint32_t index, uint32_t x[2], uint32_t *phi,
                        float *threshold)
{
    const blk_split *split = w->tree->splits + index;
    uint32_t special = w->nodes[index].special;
    *phi = split->slot;
    if (special != BL_PLAIN) {
        x[0] = x[1] = (uint32_t)(2 * w->n_used) + special;
        *threshold = 0.5F;
        return;
    }
    x[0] = split->slot;
    x[1] = split->missing_left ? split->slot : (uint32_t)w->n_used + split->slot;
    *threshold = split->threshold;
}

/* The leaning side first: a leaf, if any, is the second child. */
static bool first_is_right(const node *n)
{
    return n->child[0] < 0 && n->child[1] >= 0;
}

static int32_t first_child(const node *n)
{
    return n->child[first_is_right(n)];
}

static int32_t second_child(const node *n)
{
    return n->child[!first_is_right(n)];
}

static void put_split(writer *w, int32_t index)
{
    blk_lane_split *s = more(w, sizeof *s);
    if (!s)
        return;
    s->share = 0.5F;
    if (index < 0)
        return; /* the tree has a leaf here already: nothing moves */
    const blk_split *split = w->tree->splits + index;
    const node *n = w->nodes + index;
    put_columns(w, (uint32_t)index, s->x, &s->phi, &s->threshold);
    bool swapped = first_is_right(n);
    double z = swapped ? 1 - split->share : split->share;
    double step = mean_of(w, first_child(n)) - mean_of(w, second_child(n));
    s->share = (float)z;
    s->d_left = (float)((swapped ? 0 : 1) - z);
    s->d_right = (float)((swapped ? 1 : 0) - z);
    s->fixed = (float)(w->w0 * n->others * step);
    s->step = (float)step;
}

/* A split with two leaves; or the leaf that stands in its place. */
static void put_bottom(writer *w, int32_t child)
{
    blk_lane_bottom *b = more(w, sizeof *b);
    if (!b)
        return;
    b->mean = (float)mean_of(w, child);
    if (child < 0)
        return;
    const blk_split *split = w->tree->splits + child;
    const node *n = w->nodes + child;
    put_columns(w, (uint32_t)child, b->x, &b->phi, &b->threshold);
    double z = split->share,
           step = leaf_value(w, n->child[0]) - leaf_value(w, n->child[1]);
    b->e_left = (float)((1 - z) * step);
    b->e_right = (float)(-z * step);
    b->fixed = (float)(w->w0 * n->others);
}

static void put_leaf(writer *w, double value)
{
    blk_leaf_constant *c = more(w, sizeof *c);
    if (c)
        c->value = (float)value;
}

/* Columns of activity: 0 is all ones, a level has two, for rows that go left and right. */
static uint32_t own_column(uint32_t level)
{
    return 1 + 2 * level;
}

static void put_repeat(writer *w, int32_t child, uint32_t level)
{
    size_t n = w->n_points;
    blk_repeat *r = more(w, sizeof *r - 2 * sizeof(float) * (BLK_MAX_POINTS - n));
    if (!r)
        return;
    const blk_split *split = child < 0 ? NULL : w->tree->splits + child;
    double before = split ? split->share_before : 1;
    r->own = own_column(level);
    if (split)
        r->active = split->earlier; /* columns go by sides, as this does */
    for (size_t k = 0; k < n; k++) {
        double g = before + w->t[k] * (1 - before);
        r->c[k] = (float)(w->t[k] / g);
        r->c[n + k] = (float)(before / (g * g));
    }
}

static bool repeats(const writer *w, int32_t child)
{
    return child >= 0 && (w->tree->splits[child].earlier || w->nodes[child].below);
}

/* The three splits of a FOUR at `child`, which may be less of a tree than that: a split with two
 * leaves, or a leaf. */
typedef struct four {
    int32_t top, first, second; /* ~leaf where there is no split */
} four;

static four four_at(const writer *w, int32_t child)
{
    if (child < 0)
        return (four){child, child, child};
    const node *n = w->nodes + child;
    return (four){child, first_child(n), second_child(n)};
}

static void put_four(writer *w, four f)
{
    put_split(w, f.top);
    put_bottom(w, f.first);
    put_bottom(w, f.second);
}

static void repeats_of_four(writer *w, four f, uint32_t level)
{
    put_repeat(w, f.top, level);
    put_repeat(w, f.first, level + 1);
    put_repeat(w, f.second, level + 1);
}

static void write_pair(writer *w, int32_t child, uint32_t level, uint32_t in,
                       uint32_t out)
{
    bool any = repeats(w, child);
    size_t at =
        begin(w, (blk_op){.code = BLK_PAIR, .repeats = any, .in = in, .out = out});
    put_bottom(w, child);
    if (any)
        put_repeat(w, child, level);
    end(w, at);
}

static void write_leaning(writer *w, int32_t child, uint32_t level, uint32_t in,
                          uint32_t out)
{
    const node *n = w->nodes + child;
    int32_t pair = first_child(n);
    bool any = repeats(w, child) || repeats(w, pair);
    size_t at =
        begin(w, (blk_op){.code = BLK_LEANING, .repeats = any, .in = in, .out = out});
    put_split(w, child);
    put_bottom(w, pair);
    put_leaf(w, mean_of(w, second_child(n)));
    if (any) {
        put_repeat(w, child, level);
        put_repeat(w, pair, level + 1);
    }
    end(w, at);
}

static void write_four(writer *w, int32_t child, uint32_t level, uint32_t in,
                       uint32_t out)
{
    four f = four_at(w, child);
    uint32_t any = (repeats(w, f.top) ? 1 : 0) |
                   (repeats(w, f.first) || repeats(w, f.second) ? 2 : 0);
    size_t at =
        begin(w, (blk_op){.code = BLK_FOUR, .repeats = any, .in = in, .out = out});
    put_four(w, f);
    if (any)
        repeats_of_four(w, f, level);
    end(w, at);
}

static void write_eight(writer *w, int32_t child, uint32_t level, uint32_t in,
                        uint32_t out)
{
    const node *n = w->nodes + child;
    four half[2] = {four_at(w, first_child(n)), four_at(w, second_child(n))};
    uint32_t any = repeats(w, child) ? 1 : 0;
    for (int i = 0; i < 2; i++)
        if (repeats(w, half[i].top) || repeats(w, half[i].first) ||
            repeats(w, half[i].second))
            any |= 2U << i;
    size_t at =
        begin(w, (blk_op){.code = BLK_EIGHT, .repeats = any, .in = in, .out = out});
    put_split(w, child);
    put_four(w, half[0]);
    put_four(w, half[1]);
    if (any)
        put_repeat(w, child, level);
    for (int i = 0; any && i < 2; i++)
        repeats_of_four(w, half[i], level + 1);
    end(w, at);
}

static uint32_t child_slot(uint32_t level, bool second)
{
    return 2 + 2 * level + second;
}

static void write_child(writer *w, int32_t child, uint32_t level, uint32_t in,
                        uint32_t out);

static void write_down_up(writer *w, int32_t child, uint32_t level, uint32_t in,
                          uint32_t out)
{
    const node *n = w->nodes + child;
    bool one = n->form == BLK_DOWN_ONE, any = repeats(w, child);
    blk_op op = {
        .code = n->form,
        .repeats = any,
        .in = in,
        .out = out,
        .first = child_slot(level, false),
        .second = child_slot(level, true),
        .level = level,
    };
    size_t at = begin(w, op);
    put_split(w, child);
    if (any)
        put_repeat(w, child, level);
    end(w, at);
    write_child(w, first_child(n), level + 1, op.first, op.first);
    if (!one)
        write_child(w, second_child(n), level + 1, op.second, op.second);
    op.code = one ? BLK_UP_ONE : BLK_UP;
    at = begin(w, op);
    size_t split_at = w->n_code;
    put_split(w, child);
    if (one && w->status == BL_OK) /* UP_ONE takes the leaf's value there */
        ((blk_lane_split *)(void *)(w->code + split_at))->step =
            (float)mean_of(w, second_child(n));
    if (any)
        put_repeat(w, child, level);
    end(w, at);
}

static void write_child(writer *w, int32_t child, uint32_t level, uint32_t in,
                        uint32_t out)
{
    if (child < 0) {
        size_t at = begin(w, (blk_op){.code = BLK_LEAF, .out = out});
        put_leaf(w, leaf_value(w, child));
        end(w, at);
        return;
    }
    switch (w->nodes[child].form) {
    case BLK_PAIR:
        write_pair(w, child, level, in, out);
        break;
    case BLK_LEANING:
        write_leaning(w, child, level, in, out);
        break;
    case BLK_FOUR:
        write_four(w, child, level, in, out);
        break;
    case BLK_EIGHT:
        write_eight(w, child, level, in, out);
        break;
    default:
        write_down_up(w, child, level, in, out);
    }
}

/* --- A part ------------------------------------------------------------------------- */

static bl_status write_programs(writer *w, const bl_rule *rule, uint32_t n_splits,
                                blk_program *programs)
{
    size_t *offset = calloc(rule->n_programs, sizeof *offset);
    if (!offset)
        return bli_fail(w->err, BL_E_NOMEM, "no memory for a program");
    for (size_t p = 0, first = 0; p < rule->n_programs; p++) {
        /* Points evenly: eleven as six and five. */
        size_t left = rule->n_programs - p;
        w->n_points = (rule->n_lane_points - first + left - 1) / left;
        w->w0 = p == 0 ? rule->w0 : 0;
        for (size_t k = 0; k < w->n_points; k++) {
            w->t[k] = rule->lane_t[first + k];
        }
        programs[p].n_points = (uint32_t)w->n_points;
        programs[p].t = rule->float_t + first;
        programs[p].w = rule->float_w + first;
        offset[p] = w->n_code;
        if (p == 0 || w->n_points != programs[p - 1].n_points)
            plan(w, n_splits);
        write_child(w, 0, 0, 0, 1);
        end(w, begin(w, (blk_op){.code = BLK_END}));
        first += w->n_points;
    }
    for (size_t p = 0; p < rule->n_programs; p++)
        programs[p].code = w->code + offset[p];
    free(offset);
    return w->status;
}

bl_status bli_write_programs(const blk_tree *tree, size_t value, size_t n_used,
                             const bl_rule *rule, blk_program *programs, void **ret_code,
                             bl_err *err)
{
    writer w = {.tree = tree, .value = value, .n_used = n_used, .err = err};
    uint32_t n_splits = tree->n_steps / 3;
    w.nodes = calloc(n_splits, sizeof *w.nodes);
    w.path = calloc(tree->depth, sizeof *w.path);
    w.right = calloc((size_t)tree->depth + 2, sizeof *w.right);
    bl_status st = BL_OK;
    if (!w.nodes || !w.path || !w.right)
        st = bli_fail(err, BL_E_NOMEM, "no memory for a program");
    if (st == BL_OK) {
        survey(&w);
        w.mean = w.nodes[0].mean;
        survey(&w); /* again, with leaves less the mean */
        st = write_programs(&w, rule, n_splits, programs);
    }
    if (st == BL_OK) {
        *ret_code = w.code;
        w.code = NULL;
    }
    free(w.code);
    free(w.nodes);
    free(w.path);
    free(w.right);
    return st;
}
