/* SPDX-License-Identifier: Apache-2.0 */
#include "preprocess/preprocess.h"

typedef int bli_nothing_yet;
