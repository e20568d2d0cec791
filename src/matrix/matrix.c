/* SPDX-License-Identifier: Apache-2.0 */
#include "matrix/matrix.h"

typedef int bli_nothing_yet;
