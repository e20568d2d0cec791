/* SPDX-License-Identifier: Apache-2.0 */
/* Any processor, through the compiler's vector extension; fused multiply-adds with NEON. */
#define LANES_PORTABLE 1
#include "kernels/interactions_lanes_body.h"
