/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns of rows in lanes, and the sums of table lines: the body of each variant, whose
 * file gives ADD_EIGHT, DECIDE (a column and a threshold -> all ones where the row goes
 * right), VECTOR_BYTES, SUFFIX and LANES_NAME.
 */
#include "kernels/background.h"

#define ROWS BLK_BG_ROWS

#define PASTE2(a, b) a##b
#define PASTE(a, b)  PASTE2(a, b)

static void decide_by_row(const blk_bg_tree *tree, const blk_bg_split *split,
                          const float *x, uint16_t *right)
{
    const blk_tree sets = {.sets = tree->sets};
    const blk_split like = {.threshold = split->threshold,
                            .set_first = split->set_first,
                            .set_words = split->set_words,
                            .missing_left = split->missing_left != 0};
    for (size_t r = 0; r < ROWS; r++)
        right[r] = blk_goes_left(&sets, &like, x[r]) ? 0 : UINT16_MAX;
}

static void decide(const blk_bg_block *b, const blk_bg_tree *tree)
{
    for (uint32_t s = 0; s < tree->n_splits; s++) {
        const blk_bg_split *split = tree->splits + s;
        uint16_t *right = b->right + (size_t)s * ROWS;
        size_t column = (size_t)split->x * ROWS;
        if (split->special) {
            decide_by_row(tree, split, b->raw + column, right);
            continue;
        }
        const float *x = (split->missing_left ? b->low : b->high) + column;
        float threshold = split->threshold;
        DECIDE(x, threshold, right);
    }
}

typedef uint16_t lanes __attribute__((vector_size(VECTOR_BYTES)));
#define PER_VECTOR (VECTOR_BYTES / sizeof(uint16_t))

static inline lanes load(const uint16_t *from)
{
    return *(const lanes *)(const void *)from;
}

static inline void store(uint16_t *to, lanes a)
{
    *(lanes *)(void *)to = a;
}

/* The pattern one level down: a bit where the row does not go this way. */
static inline void go_down(const uint16_t *from, const uint16_t *right, uint16_t turned,
                           uint16_t bit, uint16_t *to)
{
    for (size_t r = 0; r < ROWS; r += PER_VECTOR)
        store(to + r, load(from + r) | ((load(right + r) ^ turned) & bit));
}

static inline void put_pattern(const blk_bg_block *b, const blk_bg_tree *tree,
                               const uint16_t *from, uint32_t index)
{
    const blk_bg_piece *piece = tree->pieces + index;
    const uint32_t *inner = tree->inner + piece->first_split;
    for (size_t r = 0; r < ROWS; r += PER_VECTOR) {
        lanes pattern = load(from + r);
        for (uint32_t i = 0; i < piece->n_splits; i++)
            pattern |= load(b->right + (size_t)inner[i] * ROWS + r) &
                       (uint16_t)(1U << (piece->n_path + i));
        store(b->pattern + (size_t)index * ROWS + r, pattern);
    }
}

static void patterns(const blk_bg_block *b, const blk_bg_tree *tree)
{
    decide(b, tree);
    for (size_t r = 0; r < ROWS; r++)
        b->failed[r] = 0;
    for (const blk_bg_step *step = tree->steps; step->code != BLK_BG_END; step++) {
        const uint16_t *from = b->failed + (size_t)step->level * ROWS;
        if (step->code == BLK_BG_PIECE)
            put_pattern(b, tree, from, step->index);
        else
            go_down(from, b->right + (size_t)step->index * ROWS,
                    step->code == BLK_BG_RIGHT ? UINT16_MAX : 0, (uint16_t)step->bit,
                    b->failed + (size_t)(step->level + 1) * ROWS);
    }
}

static void add(const blk_bg_block *b, const blk_bg_tree *tree, uint32_t value,
                const float *tables, float *phi)
{
    for (uint32_t p = 0; p < tree->n_pieces; p++) {
        const blk_bg_piece *piece = tree->pieces + p;
        uint32_t stride = piece->stride;
        const float *table =
            tables + piece->table +
            ((size_t)value * stride << (piece->n_path + piece->n_splits));
        const uint16_t *pattern = b->pattern + (size_t)p * ROWS;
        for (uint32_t first = 0; first < piece->n_features; first += 8) {
            uint32_t n = piece->n_features - first < 8 ? piece->n_features - first : 8;
            for (size_t r = 0; r < ROWS; r += 8)
                ADD_EIGHT(table + first, stride, pattern + r, piece->slot + first, n,
                          phi + r);
        }
    }
}

extern const blk_background PASTE(blk_background_, SUFFIX);
const blk_background PASTE(blk_background_, SUFFIX) = {
    .name = LANES_NAME,
    .patterns = patterns,
    .add = add,
};
