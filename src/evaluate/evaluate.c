/* SPDX-License-Identifier: Apache-2.0 */
#include "evaluate/evaluate.h"

typedef int bli_nothing_yet;
