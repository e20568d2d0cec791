/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model.h"

typedef int bli_nothing_yet;
