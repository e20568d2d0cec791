/* SPDX-License-Identifier: Apache-2.0 */
/* Planned splits -> operations and constants (kernels/lanes.h). */
#include "explain/program_priv.h"

#include "base/mem.h"

#include <string.h>

/* --- Writing ------------------------------------------------------------------------ */

/* n bytes more, zeroed; NULL after a failure. */
static void *more(bl_writer *w, size_t n)
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

static size_t begin(bl_writer *w, blk_op op)
{
    size_t at = w->n_code;
    blk_op *into = more(w, sizeof op);
    if (into)
        *into = op;
    return at;
}

static void end(bl_writer *w, size_t at)
{
    if (w->status == BL_OK)
        ((blk_op *)(void *)(w->code + at))->bytes = (uint32_t)(w->n_code - at);
}

static void put_columns(const bl_writer *w, uint32_t index, uint32_t x[2], uint32_t *phi,
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
static bool first_is_right(const bl_node *n)
{
    return n->child[0] < 0 && n->child[1] >= 0;
}

static int32_t first_child(const bl_node *n)
{
    return n->child[first_is_right(n)];
}

static int32_t second_child(const bl_node *n)
{
    return n->child[!first_is_right(n)];
}

static void put_split(bl_writer *w, int32_t index)
{
    blk_lane_split *s = more(w, sizeof *s);
    if (!s)
        return;
    s->share = 0.5F;
    if (index < 0)
        return; /* the tree has a leaf here already: nothing moves */
    const blk_split *split = w->tree->splits + index;
    const bl_node *n = w->nodes + index;
    put_columns(w, (uint32_t)index, s->x, &s->phi, &s->threshold);
    bool swapped = first_is_right(n);
    double z = swapped ? 1 - split->share : split->share;
    double step =
        bli_program_mean(w, first_child(n)) - bli_program_mean(w, second_child(n));
    s->share = (float)z;
    s->d_left = (float)((swapped ? 0 : 1) - z);
    s->d_right = (float)((swapped ? 1 : 0) - z);
    s->fixed = (float)(w->w0 * n->others * step);
    s->step = (float)step;
}

/* A split with two leaves; or the leaf that stands in its place. */
static void put_bottom(bl_writer *w, int32_t child)
{
    blk_lane_bottom *b = more(w, sizeof *b);
    if (!b)
        return;
    b->mean = (float)bli_program_mean(w, child);
    if (child < 0)
        return;
    const blk_split *split = w->tree->splits + child;
    const bl_node *n = w->nodes + child;
    put_columns(w, (uint32_t)child, b->x, &b->phi, &b->threshold);
    double z = split->share,
           step = bli_program_mean(w, n->child[0]) - bli_program_mean(w, n->child[1]);
    b->e_left = (float)((1 - z) * step);
    b->e_right = (float)(-z * step);
    b->fixed = (float)(w->w0 * n->others);
}

static void put_leaf(bl_writer *w, double value)
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

static void put_repeat(bl_writer *w, int32_t child, uint32_t level)
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

static bool repeats(const bl_writer *w, int32_t child)
{
    return child >= 0 && (w->tree->splits[child].earlier || w->nodes[child].below);
}

/* The three splits of a FOUR at `child`, which may be less of a tree than that: a split with two
 * leaves, or a leaf. */
typedef struct four {
    int32_t top, first, second; /* ~leaf where there is no split */
} four;

static four four_at(const bl_writer *w, int32_t child)
{
    if (child < 0)
        return (four){child, child, child};
    const bl_node *n = w->nodes + child;
    return (four){child, first_child(n), second_child(n)};
}

static void put_four(bl_writer *w, four f)
{
    put_split(w, f.top);
    put_bottom(w, f.first);
    put_bottom(w, f.second);
}

static void repeats_of_four(bl_writer *w, four f, uint32_t level)
{
    put_repeat(w, f.top, level);
    put_repeat(w, f.first, level + 1);
    put_repeat(w, f.second, level + 1);
}

static void write_pair(bl_writer *w, int32_t child, uint32_t level, uint32_t in,
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

static void write_leaning(bl_writer *w, int32_t child, uint32_t level, uint32_t in,
                          uint32_t out)
{
    const bl_node *n = w->nodes + child;
    int32_t pair = first_child(n);
    bool any = repeats(w, child) || repeats(w, pair);
    size_t at =
        begin(w, (blk_op){.code = BLK_LEANING, .repeats = any, .in = in, .out = out});
    put_split(w, child);
    put_bottom(w, pair);
    put_leaf(w, bli_program_mean(w, second_child(n)));
    if (any) {
        put_repeat(w, child, level);
        put_repeat(w, pair, level + 1);
    }
    end(w, at);
}

static void write_four(bl_writer *w, int32_t child, uint32_t level, uint32_t in,
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

static void write_eight(bl_writer *w, int32_t child, uint32_t level, uint32_t in,
                        uint32_t out)
{
    const bl_node *n = w->nodes + child;
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

static void write_child(bl_writer *w, int32_t child, uint32_t level, uint32_t in,
                        uint32_t out);

static void write_down_up(bl_writer *w, int32_t child, uint32_t level, uint32_t in,
                          uint32_t out)
{
    const bl_node *n = w->nodes + child;
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
            (float)bli_program_mean(w, second_child(n));
    if (any)
        put_repeat(w, child, level);
    end(w, at);
}

static void write_child(bl_writer *w, int32_t child, uint32_t level, uint32_t in,
                        uint32_t out)
{
    if (child < 0) {
        size_t at = begin(w, (blk_op){.code = BLK_LEAF, .out = out});
        put_leaf(w, bli_program_mean(w, child));
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

void bli_program_write(bl_writer *w)
{
    write_child(w, 0, 0, 0, 1);
    end(w, begin(w, (blk_op){.code = BLK_END}));
}
