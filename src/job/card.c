/* SPDX-License-Identifier: Apache-2.0 */
/* Collects what other rooms offer for boostlens.json. */
#include "job/job_priv.h"

#include "base/fs.h"
#include "base/mem.h"
#include "evidence/evidence.h"
#include "ingest/ingest.h"

#include <stdio.h>
#include <stdlib.h>

static void write_plan(const void *transform, bl_jw *jw)
{
    bli_transform_write(transform, jw);
}

static void write_schema(const void *schema, bl_jw *jw)
{
    bli_schema_write(schema, jw);
}

/* --- Columns by name where there was a header --------------------------------------- */

/* Indices become names, lent from the training table, so that a file of other order is read
 * right. The array is fresh. */
static bl_status name_columns(const bl_table *table, const bl_column_refs *refs,
                              bl_column_refs *ret, bl_err *err)
{
    void *block;
    bl_status st = bli_alloc(refs->n, sizeof(bl_column_ref), "columns", &block, err);
    if (st != BL_OK)
        return st;
    *ret = (bl_column_refs){.n = refs->n, .ref = block};
    for (size_t i = 0; i < refs->n; i++) {
        const bl_column_ref *ref = &refs->ref[i];
        ret->ref[i] = *ref;
        if (!ref->name && ref->index >= 0 && (uint64_t)ref->index < table->n_file_columns)
            ret->ref[i].name = table->file_columns[ref->index];
    }
    return BL_OK;
}

static void name_column(const bl_table *table, bool has, bl_column_ref *ref)
{
    if (has && !ref->name && ref->index >= 0 &&
        (uint64_t)ref->index < table->n_file_columns)
        ref->name = table->file_columns[ref->index];
}

/* The job's reading settings with names for indices; release with settings_done. */
static bl_status settings_by_name(const bl_stages *stages, bl_read_settings *ret,
                                  bl_err *err)
{
    const bl_read_settings *read = &stages->job->read;
    const bl_table *table = stages->train_table;
    bl_read_settings named = *read;
    named.labels = named.base_margins = named.drop = named.ids = (bl_column_refs){0};
    if (stages->transform) { /* roles are the plan's */
        *ret = bli_plan_read_settings(read, stages->plan);
        return BL_OK;
    }
    bl_status st = name_columns(table, &read->labels, &named.labels, err);
    if (st == BL_OK)
        st = name_columns(table, &read->base_margins, &named.base_margins, err);
    if (st == BL_OK)
        st = name_columns(table, &read->drop, &named.drop, err);
    if (st == BL_OK)
        st = name_columns(table, &read->ids, &named.ids, err);
    name_column(table, read->has_weight, &named.weight);
    name_column(table, read->has_group, &named.group);
    name_column(table, read->has_lower, &named.lower);
    name_column(table, read->has_upper, &named.upper);
    *ret = named;
    return st;
}

static void settings_done(bl_read_settings *named)
{
    free(named->labels.ref);
    free(named->base_margins.ref);
    free(named->drop.ref);
    free(named->ids.ref);
}

static bl_card_model card_of(const bl_final_model *model, const char *name)
{
    const bl_portable *portable = &model->portable;
    const bl_forest *forest = model->forest;
    bl_card_model card = {.sha256 = model->sha256,
                          .n_bytes = portable->bytes.n,
                          .n_rounds = forest->n_rounds,
                          .n_rounds_used = model->n_rounds,
                          .n_trees = forest->n_trees,
                          .best_iteration = forest->best_iteration,
                          .oldest_xgboost = portable->oldest,
                          .portable_reason = portable->reason,
                          .portable = portable->fully,
                          .folded = portable->folded};
    snprintf(card.name, sizeof card.name, "%s", name);
    return card;
}

static bl_status write_card(const bl_stages *stages, const bl_card *card, bl_err *err)
{
    char *folder = NULL, *path = NULL;
    bl_status st = bli_path_join(stages->job->model_dir, "boostlens", &folder, err);
    if (st == BL_OK)
        st = bli_make_folder(folder, 0755, err);
    if (st == BL_OK)
        st = bli_path_join(folder, "boostlens.json", &path, err);
    if (st == BL_OK)
        st = bli_card_write(path, card, err);
    free(folder);
    free(path);
    return st;
}

bl_status bli_stage_card(const bl_stages *stages, const bl_final_model *models,
                         size_t n_models, bl_err *err)
{
    bl_card_input inputs[N_DATA];
    void *block;
    bl_status st =
        bli_alloc(n_models, sizeof(bl_card_model), "the model card", &block, err);
    if (st != BL_OK)
        return st;
    bl_card_model *cards = block;
    for (size_t i = 0; i < n_models; i++) {
        char name[64] = "xgboost-model";
        if (stages->job->kfold > 0)
            snprintf(name, sizeof name, "xgboost-model-%zu", i);
        cards[i] = card_of(&models[i], name);
    }
    bl_card card = {.job = stages->job,
                    .boostlens_version = bl_version(),
                    .n_models = n_models,
                    .models = cards,
                    .inputs = inputs,
                    .schema = write_schema,
                    .schema_product = stages->schema};
    char plan_sha256[BL_DIGEST_TEXT];
    if (stages->transform) {
        st = bli_transform_digest(stages->transform, plan_sha256, err);
        if (st != BL_OK) {
            free(cards);
            return st;
        }
        card.plan = write_plan;
        card.plan_product = stages->transform;
        card.plan_sha256 = plan_sha256;
    }
    for (int i = 0; i < 3; i++)
        card.xgboost_version[i] = stages->xgboost_version[i];
    for (int data = 0; data < N_DATA; data++)
        if (stages->data[data])
            inputs[card.n_inputs++] =
                (bl_card_input){.channel = stages->data_names[data],
                                .files = &stages->data[data]->files,
                                .n_rows = stages->data[data]->n_rows};
    bl_read_settings named = {0};
    card.read = &named;
    st = settings_by_name(stages, &named, err);
    if (st == BL_OK)
        st = write_card(stages, &card, err);
    settings_done(&named);
    free(cards);
    return st;
}
