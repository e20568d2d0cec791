/* SPDX-License-Identifier: Apache-2.0 */
/* Collects what other rooms offer for boostlens.json. */
#include "job/job_priv.h"

#include "base/fs.h"
#include "base/mem.h"
#include "evidence/evidence.h"

#include <stdio.h>
#include <stdlib.h>

static void write_schema(const void *schema, bl_jw *jw)
{
    bli_schema_write(schema, jw);
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
    for (int i = 0; i < 3; i++)
        card.xgboost_version[i] = stages->xgboost_version[i];
    for (int data = 0; data < N_DATA; data++)
        if (stages->data[data])
            inputs[card.n_inputs++] =
                (bl_card_input){.channel = stages->data_names[data],
                                .files = &stages->data[data]->files,
                                .n_rows = stages->data[data]->n_rows};
    st = write_card(stages, &card, err);
    free(cards);
    return st;
}
