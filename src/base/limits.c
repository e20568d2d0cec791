/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"

bl_limits bli_limits(void)
{
    return (bl_limits){
        .rows = UINT64_C(1) << 40,
        .columns = (UINT64_C(1) << 24) - 1,
        .line_bytes = UINT64_C(1) << 30,
        /* XGBoost keeps a category code in a float32, exact below 2^24. */
        .levels = (UINT64_C(1) << 24) - 1,
        .files = 1000000,
        .folder_depth = 64,
        .config_bytes = UINT64_C(64) << 20,
        .model_bytes = UINT64_C(1) << 36,
        .trees = (UINT64_C(1) << 31) - 1,
        .tree_nodes = UINT64_C(1) << 30,
        .json_depth = 64,
        .plan_columns = 65536,
        .plan_levels = 100000,
        .plan_joint = 4096,
    };
}
