/* SPDX-License-Identifier: Apache-2.0 */
/* Opens a folder of ours (one model, or one a fold) or any model file XGBoost can load. */
#include "job/apply_priv.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "evidence/evidence.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bli_saved_free(bl_saved *saved)
{
    if (!saved)
        return;
    for (size_t i = 0; i < saved->n_models; i++)
        bli_final_model_done(&saved->models[i]);
    free(saved->models);
    bli_schema_free(saved->schema);
    bli_transform_free(saved->transform);
    bli_plan_free(saved->plan);
    bli_read_settings_done(&saved->read);
    free(saved);
}

/* --- Which rounds ------------------------------------------------------------------- */

static bl_status choose_rounds(const char *trees, bl_final_model *model, bl_err *err)
{
    const bl_forest *forest = model->forest;
    model->first_round = 0;
    model->n_rounds = bli_forest_rounds(forest);
    if (!trees || strcmp(trees, "best") == 0)
        return BL_OK;
    if (strcmp(trees, "all") == 0) {
        model->n_rounds = forest->n_rounds;
        return BL_OK;
    }
    const char *colon = strchr(trees, ':');
    int64_t from, to;
    if (!colon || !bli_read_int(trees, (size_t)(colon - trees), &from) ||
        !bli_read_int(colon + 1, strlen(colon + 1), &to))
        return bli_fail(err, BL_E_ARG, "--trees '%s': all, best or FROM:TO is expected",
                        trees);
    if (from < 0 || from >= to || (uint64_t)to > forest->n_rounds)
        return bli_fail(
            err, BL_E_ARG,
            "--trees %s: the model has rounds 0:%zu, and FROM must be below TO", trees,
            forest->n_rounds);
    model->first_round = (size_t)from;
    model->n_rounds = (size_t)to;
    return BL_OK;
}

static bl_status open_model(const char *path, const bl_apply *apply,
                            const bl_limits *limits, bl_final_model *ret_model,
                            bl_err *err)
{
    bl_final_model model = {0};
    bl_buf bytes = {0}, ubj = {0};
    bl_status st = bli_read_file(path, (size_t)limits->model_bytes, &bytes, err);
    if (st != BL_OK)
        return st;
    st = bli_digest_bytes(bytes.data, bytes.n, model.sha256, err);
    if (st == BL_OK)
        st = bli_model_to_ubj(bytes.data, bytes.n, &ubj, err);
    if (st == BL_OK)
        st = bli_forest_read(ubj.data, ubj.n, limits, apply->log, &model.forest, err);
    if (st == BL_OK)
        st = choose_rounds(apply->trees, &model, err);
    if (st == BL_OK)
        st = bli_explainer_new(model.forest, model.first_round, model.n_rounds,
                               &model.explainer, err);
    bli_buf_done(&bytes);
    bli_buf_done(&ubj);
    if (st != BL_OK) {
        bli_err_prefix(err, "model '%s'", path);
        bli_final_model_done(&model);
        return st;
    }
    bli_log(apply->log, BL_INFO, "model",
            "'%s': rounds %zu to %zu of %zu, %zu features, %zu "
            "output%s",
            path, model.first_round, model.n_rounds, model.forest->n_rounds,
            model.forest->n_features, model.forest->n_outputs,
            model.forest->n_outputs == 1 ? "" : "s");
    *ret_model = model;
    return BL_OK;
}

/* --- Which files -------------------------------------------------------------------- */

static bl_status add_model(const char *path, const bl_apply *apply,
                           const bl_limits *limits, bl_saved *saved, size_t *cap,
                           bl_err *err)
{
    void *models = saved->models;
    bl_status st = bli_grow(&models, cap, saved->n_models + 1, sizeof(bl_final_model),
                            "models", err);
    saved->models = models;
    if (st == BL_OK)
        st = open_model(path, apply, limits, &saved->models[saved->n_models], err);
    saved->n_models += st == BL_OK;
    return st;
}

static bl_status open_folder(const bl_apply *apply, const bl_limits *limits,
                             bl_saved *saved, bl_err *err)
{
    char *path = NULL;
    size_t cap = 0;
    bl_status st = bli_path_join(apply->model, "xgboost-model", &path, err);
    if (st == BL_OK && bli_exists(path)) {
        st = add_model(path, apply, limits, saved, &cap, err);
        free(path);
        return st;
    }
    free(path);
    for (size_t i = 0; st == BL_OK; i++) {
        char name[64];
        snprintf(name, sizeof name, "xgboost-model-%zu", i);
        st = bli_path_join(apply->model, name, &path, err);
        if (st != BL_OK)
            break;
        bool there = bli_exists(path);
        if (there)
            st = add_model(path, apply, limits, saved, &cap, err);
        free(path);
        if (!there)
            break;
    }
    if (st == BL_OK && saved->n_models == 0)
        return bli_fail(err, BL_E_MODEL,
                        "'%s' holds neither xgboost-model nor xgboost-model-0",
                        apply->model);
    return st;
}

static bl_status check_alike(const bl_saved *saved, bl_err *err)
{
    const bl_forest *one = saved->models[0].forest;
    for (size_t i = 1; i < saved->n_models; i++) {
        const bl_forest *other = saved->models[i].forest;
        if (other->n_features != one->n_features || other->n_outputs != one->n_outputs ||
            strcmp(other->objective, one->objective) != 0)
            return bli_fail(
                err, BL_E_MODEL,
                "xgboost-model-%zu differs from xgboost-model-0 in features, outputs "
                "or objective: they are not folds of one job",
                i);
    }
    return BL_OK;
}

/* --- The card ----------------------------------------------------------------------- */

/* boostlens/boostlens.json in the folder, or beside the file. */
static bl_status card_path(const char *model, char **ret_path, bl_err *err)
{
    char *folder = NULL;
    bl_status st = bli_strdup(model, &folder, err);
    if (st != BL_OK)
        return st;
    if (!bli_is_folder(model)) {
        char *slash = strrchr(folder, '/');
        strcpy(slash ? slash : folder, slash ? "" : ".");
    }
    st = bli_path_join(folder, "boostlens/boostlens.json", ret_path, err);
    free(folder);
    return st;
}

static bool names_this_model(const json_t *card, const bl_saved *saved)
{
    const json_t *models = json_object_get(card, "models");
    for (size_t m = 0; m < saved->n_models; m++) {
        bool found = false;
        for (size_t i = 0; i < json_array_size(models); i++) {
            const char *sha256 =
                json_string_value(json_object_get(json_array_get(models, i), "sha256"));
            found |= sha256 && strcmp(sha256, saved->models[m].sha256) == 0;
        }
        if (!found)
            return false;
    }
    return true;
}

/* Ids are the plan's; the reading settings list them too, for --facet. */
static bl_status name_ids(bl_saved *saved, bl_err *err)
{
    const bl_column_refs *ids = bli_plan_ids(saved->plan);
    void *block;
    bl_status st = bli_alloc(ids->n, sizeof(bl_column_ref), "ids", &block, err);
    if (st != BL_OK)
        return st;
    free(saved->read.ids.ref); /* empty with a plan */
    saved->read.ids = (bl_column_refs){.ref = block};
    for (size_t i = 0; st == BL_OK && i < ids->n; i++) {
        saved->read.ids.ref[i].index = ids->ref[i].index;
        saved->read.ids.n++;
        if (ids->ref[i].name)
            st = bli_strdup(ids->ref[i].name, &saved->read.ids.ref[i].name, err);
    }
    return st;
}

/* The fitted plan of the card, whose digest says that it is the one that was written. */
static bl_status read_plan(const json_t *card, const bl_limits *limits, bl_saved *saved,
                           bl_err *err)
{
    const json_t *plan = json_object_get(card, "plan");
    const char *written = json_string_value(json_object_get(card, "plan_sha256"));
    char sha256[BL_DIGEST_TEXT];
    if (!plan)
        return BL_OK;
    bl_status st = bli_transform_read(plan, limits, &saved->plan, &saved->transform, err);
    if (st == BL_OK)
        st = bli_transform_digest(saved->transform, sha256, err);
    if (st == BL_OK && (!written || strcmp(written, sha256) != 0))
        return bli_fail(err, BL_E_MODEL,
                        "the fitted plan is not the one that was written (its digest "
                        "differs): take the file as the job left it");
    return st == BL_OK ? name_ids(saved, err) : st;
}

static bl_status read_card(const bl_apply *apply, const bl_limits *limits,
                           bl_saved *saved, bl_err *err)
{
    char *path = NULL;
    json_t *card = NULL;
    bl_status st = card_path(apply->model, &path, err);
    if (st != BL_OK)
        return st;
    if (!bli_exists(path)) {
        free(path);
        return BL_OK;
    }
    st = bli_json_read(path, (size_t)limits->config_bytes, &card, err);
    if (st == BL_OK && !names_this_model(card, saved)) {
        bli_log(apply->log, BL_WARNING, "model",
                "'%s' is about another model (its digest differs): not used", path);
    } else if (st == BL_OK) {
        st = bli_schema_read(json_object_get(card, "schema"), &saved->schema, err);
        if (st == BL_OK)
            st = bli_card_settings(card, &saved->read, err);
        if (st == BL_OK)
            st = read_plan(card, limits, saved, err);
        if (st == BL_OK &&
            saved->schema->n_features != saved->models[0].forest->n_features)
            st = bli_fail(err, BL_E_MODEL, "%zu features, the model has %zu",
                          saved->schema->n_features, saved->models[0].forest->n_features);
        saved->has_card = st == BL_OK;
        if (st != BL_OK)
            bli_err_prefix(err, "'%s'", path);
    }
    json_decref(card);
    free(path);
    return st;
}

/* --- Without a card: what the model itself knows ------------------------------------ */

static bl_status fill_feature(const bl_forest *forest, size_t i, bl_schema *schema,
                              bl_err *err)
{
    static const char *const types[] = {"float", "q", "i", "int", "c"};
    bl_feature *feature = &schema->features[i];
    char plain[32];
    snprintf(plain, sizeof plain, "f%zu", i);
    const char *name = forest->has_names ? forest->names[i] : plain;
    feature->type = types[0];
    for (size_t t = 0; forest->has_types && t < BL_LEN(types); t++)
        if (strcmp(forest->types[i], types[t]) == 0)
            feature->type = types[t];
    feature->source = i;
    bl_status st = bli_strdup(name, &feature->name, err);
    if (st == BL_OK)
        st = bli_strdup(name, &schema->sources[i], err);
    if (st == BL_OK && forest->levels && forest->levels[i])
        st = bli_levels_copy(forest->levels[i], &feature->levels, err);
    return st;
}

static bl_status schema_of_forest(const bl_forest *forest, bl_schema **ret_schema,
                                  bl_err *err)
{
    void *block, *features, *sources;
    bl_status st = bli_alloc(1, sizeof(bl_schema), "a schema", &block, err);
    if (st != BL_OK)
        return st;
    bl_schema *schema = block;
    schema->has_names = forest->has_names;
    schema->has_types = forest->has_types;
    st = bli_alloc(forest->n_features, sizeof(bl_feature), "a schema", &features, err);
    if (st == BL_OK) {
        schema->features = features;
        schema->n_features = forest->n_features;
        st = bli_alloc(forest->n_features, sizeof(char *), "a schema", &sources, err);
    }
    if (st == BL_OK) {
        schema->sources = sources;
        schema->n_sources = forest->n_features;
    }
    for (size_t i = 0; st == BL_OK && i < forest->n_features; i++)
        st = fill_feature(forest, i, schema, err);
    if (st == BL_OK)
        *ret_schema = schema;
    else
        bli_schema_free(schema);
    return st;
}

bl_status bli_saved_open(const bl_apply *apply, const bl_limits *limits,
                         bl_saved **ret_saved, bl_err *err)
{
    void *block;
    bl_status st = bli_alloc(1, sizeof(bl_saved), "a model", &block, err);
    if (st != BL_OK)
        return st;
    bl_saved *saved = block;
    size_t cap = 0;
    st = bli_is_folder(apply->model)
             ? open_folder(apply, limits, saved, err)
             : add_model(apply->model, apply, limits, saved, &cap, err);
    if (st == BL_OK)
        st = check_alike(saved, err);
    if (st == BL_OK)
        st = read_card(apply, limits, saved, err);
    if (st == BL_OK && !saved->schema)
        st = schema_of_forest(saved->models[0].forest, &saved->schema, err);
    if (st == BL_OK)
        st = bli_saved_options(apply, saved, err);
    if (st == BL_OK)
        *ret_saved = saved;
    else
        bli_saved_free(saved);
    return st;
}
