/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/evidence.h"

typedef int bli_nothing_yet;
