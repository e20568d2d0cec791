/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model_priv.h"

typedef int bli_nothing_yet;
