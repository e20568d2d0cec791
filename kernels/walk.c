/* SPDX-License-Identifier: Apache-2.0 */
/* Rows down a tree, one after the other but several at a time. */
#include "kernels/lanes.h"

/* A step down waits for memory twice: so many rows side by side keep the processor busy. */
#define TOGETHER 8

#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

void blk_walk(const blk_lanes_block *block, const blk_walk_tree *tree, float *leaf)
{
    const blk_walk_node *nodes = tree->nodes;
    const size_t stride = block->stride, plane = block->plane;
    for (size_t row = 0; row < block->n_rows; row += TOGETHER) {
        const float *x = block->x + row;
        uint32_t at[TOGETHER] = {0}, moved = 1;
        for (uint32_t level = 0; moved && level < tree->depth; level++) {
            moved = 0;
            UNROLL
            for (size_t i = 0; i < TOGETHER; i++) {
                const blk_walk_node *n = nodes + at[i];
                uint32_t to = n->left + !(x[n->x[plane] * stride + i] < n->threshold);
                moved |= to ^ at[i];
                at[i] = to;
            }
        }
        for (size_t i = 0; i < TOGETHER; i++)
            leaf[row + i] = tree->value[at[i]];
    }
}
