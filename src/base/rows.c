/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rows.h"

#include <stdlib.h>

void bli_blocks_free(bl_block *blocks, size_t n_blocks)
{
    if (!blocks)
        return;
    for (size_t i = 0; i < n_blocks; i++)
        free(blocks[i].x);
    free(blocks);
}

void bli_roles_done(bl_roles *roles)
{
    free(roles->labels);
    free(roles->weights);
    free(roles->lower_bounds);
    free(roles->upper_bounds);
    free(roles->base_margins);
    free(roles->group_rows);
    for (size_t i = 0; i < roles->n_ids; i++) {
        free(roles->ids[i].name);
        free(roles->ids[i].text);
        free(roles->ids[i].offset);
    }
    free(roles->ids);
    *roles = (bl_roles){0};
}

void bli_files_done(bl_files *files)
{
    for (size_t i = 0; i < files->n; i++)
        free(files->file[i].path);
    free(files->file);
    *files = (bl_files){0};
}

uint64_t bli_block_rows(size_t n_features)
{
    const uint64_t block_bytes = UINT64_C(4) << 20;
    uint64_t row_bytes = sizeof(float) * (n_features ? n_features : 1);
    uint64_t rows = block_bytes / row_bytes / 64 * 64;
    return rows > 64 ? rows : 64;
}
