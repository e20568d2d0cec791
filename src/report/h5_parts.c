/* SPDX-License-Identifier: Apache-2.0 */
/* Rows in parts: labels are taken from the part at hand, ids are kept, because only after the last row
 * is known how long the longest is. */
#include "report/h5_priv.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void bli_h5_part(bl_h5 *h5, const bl_roles *roles, uint64_t first_row)
{
    h5->part = roles;
    h5->first_row = first_row;
}

bl_status bli_h5_ids_start(bl_h5 *h5, bl_err *err)
{
    size_t n = h5->options.n_ids;
    void *ids, *caps;
    bl_status st = bli_alloc(n, sizeof *h5->ids, "ids", &ids, err);
    if (st != BL_OK)
        return st;
    h5->ids = ids;
    st = bli_alloc(n, sizeof *h5->cap_ids, "ids", &caps, err);
    if (st != BL_OK)
        return st;
    h5->cap_ids = caps;
    for (size_t i = 0; st == BL_OK && i < n; i++)
        st = bli_strdup(h5->options.ids[i].name, &h5->ids[i].name, err);
    return st;
}

void bli_h5_ids_done(bl_h5 *h5)
{
    for (size_t i = 0; h5->ids && i < h5->options.n_ids; i++) {
        free(h5->ids[i].name);
        free(h5->ids[i].text);
        free(h5->ids[i].offset);
    }
    free(h5->ids);
    free(h5->cap_ids);
    h5->ids = NULL;
}

static bl_status add_id(bl_h5 *h5, size_t i, const bl_batch *batch, bl_err *err)
{
    const bl_text_column *from = h5->part->ids + i;
    bl_text_column *to = h5->ids + i;
    uint64_t first = batch->row[0] - h5->first_row, n = batch->n_rows;
    const char *text = from->text + from->offset[first];
    size_t bytes = (size_t)(from->offset[first + n] - from->offset[first]);
    void *offset = to->offset, *texts = to->text;
    bl_status st = bli_grow(&offset, &h5->cap_ids[i][1], (size_t)(h5->n_done + n + 1),
                            sizeof *to->offset, "ids", err);
    to->offset = offset;
    if (st != BL_OK)
        return st;
    if (h5->n_done == 0)
        to->offset[0] = 0;
    size_t used = (size_t)to->offset[h5->n_done];
    st = bli_grow(&texts, &h5->cap_ids[i][0], used + bytes + 1, 1, "ids", err);
    to->text = texts;
    if (st != BL_OK)
        return st;
    if (bytes)
        memcpy(to->text + used, text, bytes);
    for (uint64_t r = 1; r <= n; r++)
        to->offset[h5->n_done + r] = used + from->offset[first + r] - from->offset[first];
    return BL_OK;
}

bl_status bli_h5_ids_add(bl_h5 *h5, const bl_batch *batch, bl_err *err)
{
    bl_status st = BL_OK;
    for (size_t i = 0; st == BL_OK && batch->n_rows && i < h5->options.n_ids; i++)
        st = add_id(h5, i, batch, err);
    return st;
}
