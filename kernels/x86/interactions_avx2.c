/* SPDX-License-Identifier: Apache-2.0 */
/* AVX2 and FMA: 8 rows a vector. */
#define LANES_AVX2 1
#include "kernels/interactions_lanes_body.h"
