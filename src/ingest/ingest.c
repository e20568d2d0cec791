/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/ingest.h"

typedef int bli_nothing_yet;
