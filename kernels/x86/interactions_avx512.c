/* SPDX-License-Identifier: Apache-2.0 */
/* AVX-512: 16 rows a vector. */
#define LANES_AVX512 1
#include "kernels/interactions_lanes_body.h"
