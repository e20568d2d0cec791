/* SPDX-License-Identifier: Apache-2.0 */
/* Rows given away in parts: what the next part begins with. */
#include "ingest/ingest_priv.h"

#include "base/mem.h"

#include <stdlib.h>

/* Roles as they were before the first row. */
static bl_status fresh_roles(const bl_build *build, bl_roles *ret_roles, bl_err *err)
{
    const bl_roles *now = &build->table->roles;
    bl_roles roles = {.n_labels = build->layout.n_of[BL_ROLE_LABEL],
                      .n_base_margins = now->n_base_margins};
    void *ids;
    bl_status st = bli_alloc(now->n_ids, sizeof *roles.ids, "ids", &ids, err);
    if (st != BL_OK)
        return st;
    roles.ids = ids;
    for (; st == BL_OK && roles.n_ids < now->n_ids; roles.n_ids++)
        st = bli_strdup(now->ids[roles.n_ids].name, &roles.ids[roles.n_ids].name, err);
    if (st != BL_OK)
        bli_roles_done(&roles);
    else
        *ret_roles = roles;
    return st;
}

bl_status bli_build_give_part(bl_build *build, bool is_last, double read, bl_err *err)
{
    bl_table *table = build->table;
    const bl_ingest *ingest = build->ingest;
    bl_files files = table->files;
    bl_roles roles = {0};
    bl_status st = bli_build_check_labels(build, err);
    if (st == BL_OK)
        st = fresh_roles(build, &roles, err);
    if (st != BL_OK)
        return st;
    uint64_t n = table->n_rows;
    table->files = (bl_files){0}; /* they are of the whole */
    const bl_part part = {table, build->rows_before, is_last, read};
    st = ingest->part(ingest->part_cookie, &part, err);
    bli_files_done(&table->files);
    table->files = files;
    bli_blocks_free(table->blocks, table->n_blocks);
    bli_roles_done(&table->roles);
    table->blocks = NULL;
    table->n_blocks = 0;
    table->roles = roles;
    table->n_rows = 0;
    build->rows_before += n;
    build->cap_blocks = build->cap_rows = build->cap_groups = 0;
    build->cap_block = 0;
    for (size_t i = 0; i < roles.n_ids; i++)
        build->cap_ids[i] = 0;
    return st;
}
