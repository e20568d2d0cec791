/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/contract.h"

typedef int bli_nothing_yet;
