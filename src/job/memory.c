/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Will the job fit its memory? Asked before anything is loaded: a process that outgrows its
 * cgroup is killed without a word (exit 137).
 *
 * Bytes a cell, measured with 600,000 rows x 30 features (src/train/README.md): 8 at the peak
 * with hist (4 of our matrix, the rest XGBoost's bins), 20 where XGBoost keeps its own copy of
 * the values and one sorted by columns. A k-fold job holds a copy of the rows beside.
 */
#include "job/job_priv.h"

#include "ingest/ingest.h"

#include <inttypes.h>
#include <string.h>

enum {
    CELL = 4,      /* read */
    CELL_HIST = 8, /* read and trained on as bins */
    CELL_PLAN =
        12, /* a plan: columns of doubles beside the matrix; gone before training */
    CELL_VALUES = 20 /* read and trained on as values */
};

#define PROGRAM_BYTES (UINT64_C(40) << 20)

static bool keeps_values(const bl_job *job)
{
    const char *process = bli_job_param(job, "process_type");
    return strcmp(job->booster, "gblinear") == 0 ||
           strcmp(job->tree_method, "exact") == 0 ||
           strcmp(job->tree_method, "approx") == 0 ||
           (process && strcmp(process, "update") == 0);
}

static uint64_t need_of(const bl_job *job, int data, const bl_ingest_size *size,
                        bool values)
{
    uint64_t outputs = job->num_class > 1 ? (uint64_t)job->num_class : 1;
    uint64_t need = size->n_rows * (16 + 16 * outputs); /* labels, margins, gradients */
    if (data == DATA_TEST)
        return need + size->n_cells * CELL;
    if (job->kfold > 0)
        need += size->n_cells * CELL;
    if (!values && bli_job_param(job, "bl_preprocess"))
        return need + size->n_cells * CELL_PLAN;
    return need + (values ? size->n_cells * CELL + size->n_filled * (CELL_VALUES - CELL)
                          : size->n_cells * CELL_HIST);
}

bl_status bli_memory_check(const bl_stages *stages, bl_err *err)
{
    const bl_job *job = stages->job;
    bool values = keeps_values(job);
    uint64_t need = PROGRAM_BYTES, need_hist = PROGRAM_BYTES, rows = 0, cells = 0;
    for (int data = 0; data < N_DATA; data++) {
        const bl_channel *channel = &job->channels[bli_data_roles[data]];
        const bl_ingest ingest = {.settings = &job->read, .limits = &stages->limits};
        bl_ingest_size size;
        if (!channel->present)
            continue;
        /* What is wrong with the files is said by the reader. */
        if (bli_ingest_guess(&ingest, job->root, channel->path, &size, NULL) != BL_OK)
            return BL_OK;
        need += need_of(job, data, &size, values);
        need_hist += need_of(job, data, &size, false);
        rows += size.n_rows;
        cells += size.n_cells;
    }
    uint64_t limit = stages->memory_limit;
    bli_log(stages->log, BL_DEBUG, "memory", "about %" PRIu64 " of %" PRIu64 " MB needed",
            need >> 20, limit >> 20);
    if (need <= limit) {
        if (need > limit / 5 * 4)
            bli_log(stages->log, BL_WARNING, "memory",
                    "the job needs about %" PRIu64 " MB of memory and may use %" PRIu64
                    " MB: that is close",
                    need >> 20, limit >> 20);
        return BL_OK;
    }
    char hist[96] = "";
    if (values && need_hist <= limit && strcmp(job->booster, "gblinear") != 0)
        snprintf(hist, sizeof hist,
                 ", or tree_method=hist, which needs about %" PRIu64 " MB",
                 need_hist >> 20);
    return bli_fail(
        err, BL_E_LIMIT,
        "the job needs about %" PRIu64 " MB of memory (by the first lines of its files: "
        "%" PRIu64 " rows, %" PRIu64 " columns), and this machine or container may use "
        "%" PRIu64 " MB: take an instance with more memory, give fewer rows or columns%s",
        need >> 20, rows, rows ? cells / rows : 0, limit >> 20, hist);
}
