/* SPDX-License-Identifier: Apache-2.0 */
/* Labels, weights and margins of all rows, which metrics such as AUC need together. */
#include "job/explain_priv.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void bli_kept_done(bl_kept *kept)
{
    bli_roles_done(&kept->roles);
    free(kept->margins);
    *kept = (bl_kept){0};
}

/* Appends n floats to the first `used` of *array. */
static bl_status append(float **array, size_t *cap, size_t used, const float *from,
                        size_t n, bl_err *err)
{
    void *memory = *array;
    bl_status st = bli_grow(&memory, cap, used + n, sizeof(float),
                            "labels and margins for metrics", err);
    *array = memory;
    if (st == BL_OK && n)
        memcpy(*array + used, from, n * sizeof(float));
    return st;
}

static bl_status append_groups(bl_kept *kept, const bl_roles *roles, bl_err *err)
{
    bl_roles *to = &kept->roles;
    void *memory = to->group_rows;
    bl_status st = bli_grow(&memory, &kept->cap[5], to->n_groups + roles->n_groups,
                            sizeof(uint64_t), "groups for metrics", err);
    to->group_rows = memory;
    for (size_t g = 0; st == BL_OK && g < roles->n_groups; g++) {
        if (g == 0 && roles->group_goes_on && to->n_groups)
            to->group_rows[to->n_groups - 1] += roles->group_rows[0];
        else
            to->group_rows[to->n_groups++] = roles->group_rows[g];
    }
    return st;
}

bl_status bli_kept_roles(bl_kept *kept, const bl_roles *roles, uint64_t n_rows,
                         bl_err *err)
{
    bl_roles *to = &kept->roles;
    size_t before = (size_t)kept->n_rows, n = (size_t)n_rows;
    const struct {
        float **to;
        const float *from;
        size_t width;
    } all[] = {
        {&to->labels, roles->labels, roles->n_labels},
        {&to->weights, roles->weights, 1},
        {&to->lower_bounds, roles->lower_bounds, 1},
        {&to->upper_bounds, roles->upper_bounds, 1},
    };
    bl_status st = BL_OK;
    if (!roles->labels && !roles->lower_bounds)
        return BL_OK;
    for (size_t i = 0; st == BL_OK && i < BL_LEN(all); i++)
        if (all[i].from)
            st = append(all[i].to, &kept->cap[i], before * all[i].width, all[i].from,
                        n * all[i].width, err);
    if (st == BL_OK && roles->n_groups)
        st = append_groups(kept, roles, err);
    to->n_labels = roles->n_labels;
    kept->n_rows += n_rows;
    return st;
}

bl_status bli_kept_margins(bl_kept *kept, const float *margins, size_t n, bl_err *err)
{
    bl_status st =
        append(&kept->margins, &kept->cap[4], kept->n_margins, margins, n, err);
    if (st == BL_OK)
        kept->n_margins += n;
    return st;
}
