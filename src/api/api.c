/* SPDX-License-Identifier: Apache-2.0 */
#include "boostlens.h"

typedef int bli_nothing_yet;
