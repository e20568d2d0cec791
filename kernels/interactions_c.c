/* SPDX-License-Identifier: Apache-2.0 */
/* The reference of the vector variants: the same operations in the same order, one lane, fmaf. */
#define LANES_FMAF 1
#include "kernels/interactions_lanes_body.h"

const blk_interactions *blk_interactions_reference(void)
{
    return &blk_interactions_fmaf;
}
