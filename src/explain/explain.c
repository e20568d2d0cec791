/* SPDX-License-Identifier: Apache-2.0 */
#include "explain/explain.h"

typedef int bli_nothing_yet;
