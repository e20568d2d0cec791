/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is held out when. Rows (or, for ranking, whole groups) are shuffled by the job's
 * seed and dealt to the folds in turn; for classes each class is dealt on its own, one
 * after the other, so that every fold has its share of every class and folds differ by at
 * most one row.
 */
#include "job/job_priv.h"

#include "base/mem.h"
#include "base/rng.h"

#include <stdlib.h>

static bl_status deal_groups(const bl_roles *roles, uint32_t n_folds, bl_rng *rng,
                             uint32_t *fold, bl_err *err)
{
    size_t n = roles->n_groups;
    void *order_block, *first_block;
    bl_status st = bli_alloc(n, sizeof(uint64_t), "folds", &order_block, err);
    if (st != BL_OK)
        return st;
    st = bli_alloc(n, sizeof(uint64_t), "folds", &first_block, err);
    if (st != BL_OK) {
        free(order_block);
        return st;
    }
    uint64_t *order = order_block, *first = first_block, at = 0;
    for (size_t g = 0; g < n; g++) {
        order[g] = g;
        first[g] = at;
        at += roles->group_rows[g];
    }
    bli_rng_shuffle(rng, order, n);
    for (size_t i = 0; i < n; i++)
        for (uint64_t r = 0; r < roles->group_rows[order[i]]; r++)
            fold[first[order[i]] + r] = (uint32_t)(i % n_folds);
    free(order);
    free(first);
    return BL_OK;
}

static int compare_labels(const void *a, const void *b, void *cookie)
{
    const float *labels = cookie;
    uint64_t i = *(const uint64_t *)a, j = *(const uint64_t *)b;
    if (labels[i] != labels[j])
        return labels[i] < labels[j] ? -1 : 1;
    return i < j ? -1 : i > j;
}

/* labels: NULL deals all rows as one class. */
static bl_status deal_rows(const float *labels, uint64_t n_rows, uint32_t n_folds,
                           bl_rng *rng, uint32_t *fold, bl_err *err)
{
    void *block;
    bl_status st = bli_alloc((size_t)n_rows, sizeof(uint64_t), "folds", &block, err);
    if (st != BL_OK)
        return st;
    uint64_t *order = block;
    for (uint64_t i = 0; i < n_rows; i++)
        order[i] = i;
    if (labels)
        qsort_r(order, (size_t)n_rows, sizeof *order, compare_labels,
                (void *)(uintptr_t)labels);
    for (uint64_t first = 0, end; first < n_rows; first = end) {
        end = labels ? first + 1 : n_rows;
        while (end < n_rows && labels[order[end]] == labels[order[first]])
            end++;
        bli_rng_shuffle(rng, order + first, (size_t)(end - first));
    }
    for (uint64_t i = 0; i < n_rows; i++)
        fold[order[i]] = (uint32_t)(i % n_folds);
    free(order);
    return BL_OK;
}

bl_status bli_folds_draw(const bl_job *job, const bl_matrix *matrix, uint64_t repeat,
                         uint32_t *fold, bl_err *err)
{
    const bl_roles *roles = &matrix->roles;
    uint32_t n_folds = (uint32_t)job->kfold;
    uint64_t n_units = roles->group_rows ? roles->n_groups : matrix->n_rows;
    if (n_units < n_folds)
        return bli_fail(err, BL_E_CONFIG, "_kfold=%u, but the data has only %llu %s",
                        n_folds, (unsigned long long)n_units,
                        roles->group_rows ? "groups" : "rows");
    bl_rng rng = bli_rng((uint64_t)job->seed);
    for (uint64_t i = 0; i < repeat; i++)
        bli_rng_next(&rng);
    rng = bli_rng(bli_rng_next(&rng)); /* a stream of its own for each repeat */
    if (roles->group_rows)
        return deal_groups(roles, n_folds, &rng, fold, err);
    bl_task task = bli_objective_task(job->objective);
    bool classes = task == BL_TASK_BINARY || task == BL_TASK_CLASSES;
    return deal_rows(classes ? roles->labels : NULL, matrix->n_rows, n_folds, &rng, fold,
                     err);
}

bl_status bli_fold_rows(const uint32_t *fold, uint64_t n_rows, uint32_t f, bool inside,
                        uint64_t **ret_row, uint64_t *ret_n, bl_err *err)
{
    uint64_t n = 0;
    for (uint64_t i = 0; i < n_rows; i++)
        n += (fold[i] == f) == inside;
    void *block;
    bl_status st = bli_alloc((size_t)n, sizeof(uint64_t), "folds", &block, err);
    if (st != BL_OK)
        return st;
    uint64_t *row = block;
    n = 0;
    for (uint64_t i = 0; i < n_rows; i++)
        if ((fold[i] == f) == inside)
            row[n++] = i;
    *ret_row = row;
    *ret_n = n;
    return BL_OK;
}
