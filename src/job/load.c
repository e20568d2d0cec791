/* SPDX-License-Identifier: Apache-2.0 */
/* Channels to matrices; what cannot fit is refused before anything is trained. */
#include "job/job_priv.h"

#include "base/fs.h"
#include "ingest/ingest.h"
#include "preprocess/preprocess.h"
#include "report/report.h"

#include <inttypes.h>
#include <stdlib.h>

const char *const bli_data_names[N_DATA] = {"train", "validation", "test"};

const bl_channel_role bli_data_roles[N_DATA] = {BL_CHANNEL_TRAIN, BL_CHANNEL_VALIDATION,
                                                BL_CHANNEL_TEST};

bool bli_stop_asked(void *cookie)
{
    const bl_stages *stages = cookie;
    if (!stages->run->stop || !*stages->run->stop)
        return false;
    bli_giveup_asked(stages);
    return true;
}

static bl_status read_channel(bl_stages *stages, int data, bl_table **ret_table,
                              bl_err *err)
{
    const bl_job *job = stages->job;
    const bl_channel *channel = &job->channels[bli_data_roles[data]];
    const bl_ingest ingest = {.settings = &job->read,
                              .limits = &stages->limits,
                              .like = stages->like,
                              .log = stages->log,
                              .channel = bli_data_names[data],
                              .content_given = channel->content == BL_CONTENT_CSV,
                              .cancelled = bli_stop_asked,
                              .cookie = stages};
    return bli_ingest_folder(&ingest, job->root, channel->path, ret_table, err);
}

static bl_status load_data(bl_stages *stages, int data, bl_err *err)
{
    bl_table *table = NULL;
    bl_status st = read_channel(stages, data, &table, err);
    if (st == BL_OK && data == DATA_TRAIN)
        st = bli_fit(table, &stages->schema, err);
    if (st == BL_OK) {
        st = bli_apply(stages->schema, table, &stages->data[data], err);
        if (st != BL_OK)
            bli_err_prefix(err, "%s channel", bli_data_names[data]);
    }
    if (st == BL_OK && data == DATA_TRAIN) {
        /* Its columns say what the later channels must look like. */
        stages->train_table = table;
        return bli_table_like_new(table, &stages->like, err);
    }
    bli_table_free(table);
    return st;
}

/* Values a row of a margin, before there is a model. */
static size_t outputs_of(const bl_job *job, const bl_matrix *train)
{
    if (job->num_class > 1)
        return (size_t)job->num_class;
    const char *alphas = bli_job_param(job, "quantile_alpha");
    size_t n = 1;
    for (; alphas && *alphas; alphas++)
        n += *alphas == ',';
    return n > train->roles.n_labels ? n : train->roles.n_labels;
}

/* The attributions' file must fit the disk; said before training, when it is cheap to
 * mend. */
static bl_status check_room(const bl_stages *stages, bl_err *err)
{
    const bl_job *job = stages->job;
    uint64_t need = 0;
    for (int data = DATA_TRAIN; data <= DATA_VALIDATION; data++) {
        bl_explain_what what =
            data == DATA_TRAIN ? BL_EXPLAIN_TRAIN : BL_EXPLAIN_VALIDATION;
        const bl_matrix *matrix = stages->data[data];
        if (!(job->explain & what) || !matrix)
            continue;
        uint64_t rows = matrix->n_rows;
        if (job->explain_rows > 0 && (uint64_t)job->explain_rows < rows)
            rows = (uint64_t)job->explain_rows;
        const bl_h5_options options = {.with_data = job->explain_data,
                                       .n_sources = bli_schema_is_plain(stages->schema)
                                                        ? 0
                                                        : stages->schema->n_sources};
        need += bli_h5_estimate_of(rows, matrix->n_features, outputs_of(job, matrix),
                                   &options);
    }
    uint64_t room = bli_free_bytes(job->output_data_dir);
    if (need <= room)
        return BL_OK;
    return bli_fail(
        err, BL_E_LIMIT,
        "the attributions may need %" PRIu64 " MB, and %" PRIu64
        " MB are free where output/data is: give the volume more room, explain fewer "
        "rows (bl_explain_rows), or none (bl_explain=none)",
        need >> 20, room >> 20);
}

bl_status bli_stage_load(bl_stages *stages, bl_err *err)
{
    const bl_job *job = stages->job;
    bl_status st = bli_memory_check(stages, err);
    bool planned = bli_job_param(job, "bl_preprocess") != NULL;
    if (st == BL_OK && planned)
        st = bli_load_planned(stages, err);
    for (int data = 0; !planned && st == BL_OK && data < N_DATA; data++)
        if (job->channels[bli_data_roles[data]].present)
            st = load_data(stages, data, err);
    if (st == BL_OK && job->channels[BL_CHANNEL_MODEL].present)
        st = bli_start_model_read(&job->channels[BL_CHANNEL_MODEL], &stages->limits,
                                  &stages->start_model, err);
    return st == BL_OK ? check_room(stages, err) : st;
}
