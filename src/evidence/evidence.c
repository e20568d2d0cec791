/* SPDX-License-Identifier: Apache-2.0 */
/* boostlens.json */
#include "evidence/evidence.h"

#include "base/fs.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

static void text_member(const char *name, const char *value, bl_jw *jw)
{
    bli_jw_key(jw, name);
    bli_jw_text(jw, value);
}

static void int_member(const char *name, uint64_t value, bl_jw *jw)
{
    bli_jw_key(jw, name);
    bli_jw_int(jw, (int64_t)value);
}

static void bool_member(const char *name, bool value, bl_jw *jw)
{
    bli_jw_key(jw, name);
    bli_jw_bool(jw, value);
}

static void write_model(const bl_card_model *model, bl_jw *jw)
{
    bli_jw_object(jw);
    text_member("file", model->name, jw);
    text_member("sha256", model->sha256, jw);
    int_member("bytes", model->n_bytes, jw);
    bool_member("portable", model->portable, jw);
    bool_member("folded", model->folded, jw);
    text_member("oldest_xgboost", model->oldest_xgboost, jw);
    text_member("reason", model->portable_reason, jw);
    int_member("rounds", model->n_rounds, jw);
    int_member("rounds_used", model->n_rounds_used, jw);
    int_member("trees", model->n_trees, jw);
    bli_jw_key(jw, "best_iteration");
    if (model->best_iteration >= 0)
        bli_jw_int(jw, model->best_iteration);
    else
        bli_jw_null(jw);
    bli_jw_object_end(jw);
}

static void write_models(const bl_card *card, bl_jw *jw)
{
    bli_jw_key(jw, "models");
    bli_jw_list(jw, false);
    for (size_t i = 0; i < card->n_models; i++)
        write_model(&card->models[i], jw);
    bli_jw_list_end(jw);
}

/* --- How cells are to be read when this model meets other files --------------------- */

/* A column by name is text, by index a number. */
static void write_column(const bl_column_ref *column, bl_jw *jw)
{
    if (column->name)
        bli_jw_text(jw, column->name);
    else
        bli_jw_int(jw, column->index);
}

static void column_member(const char *name, bool has, const bl_column_ref *column,
                          bl_jw *jw)
{
    bli_jw_key(jw, name);
    if (has)
        write_column(column, jw);
    else
        bli_jw_null(jw);
}

static void columns_member(const char *name, const bl_column_refs *columns, bl_jw *jw)
{
    bli_jw_key(jw, name);
    bli_jw_list(jw, true);
    for (size_t i = 0; i < columns->n; i++)
        write_column(&columns->ref[i], jw);
    bli_jw_list_end(jw);
}

/* JSON has no NaN and no infinities: null is NaN, infinities are text. */
static void missing_member(float missing, bl_jw *jw)
{
    char text[BL_NUMBER_BYTES];
    bli_jw_key(jw, "missing");
    if (isinf(missing)) {
        bli_write_float(missing, text);
        bli_jw_text(jw, text);
    } else {
        bli_jw_float(jw, missing);
    }
}

static void write_read(const bl_read_settings *read, bl_jw *jw)
{
    static const char *const headers[] = {"auto", "yes", "no"};
    bli_jw_key(jw, "read");
    bli_jw_object(jw);
    text_member("header", headers[read->header], jw);
    columns_member("labels", &read->labels, jw);
    column_member("weight", read->has_weight, &read->weight, jw);
    column_member("group", read->has_group, &read->group, jw);
    column_member("label_lower_bound", read->has_lower, &read->lower, jw);
    column_member("label_upper_bound", read->has_upper, &read->upper, jw);
    columns_member("base_margins", &read->base_margins, jw);
    columns_member("drop", &read->drop, jw);
    columns_member("ids", &read->ids, jw);
    missing_member(read->missing, jw);
    bli_jw_key(jw, "missing_texts");
    bli_jw_list(jw, true);
    for (size_t i = 0; i < read->missing_texts.n; i++)
        bli_jw_text(jw, read->missing_texts.text[i]);
    bli_jw_list_end(jw);
    bool_member("missing_texts_given", read->missing_texts_given, jw);
    bool_member("enable_categorical", read->enable_categorical, jw);
    text_member("unseen", read->unseen == BL_UNSEEN_MISSING ? "missing" : "error", jw);
    bli_jw_object_end(jw);
}

/* --- Parameters --------------------------------------------------------------------- */

static const bl_param *given(const bl_job *job, const bl_param_def *def)
{
    for (size_t i = 0; i < job->n_params; i++)
        if (job->params[i].def == def)
            return &job->params[i];
    return NULL;
}

static void write_parameter(const char *name, const char *value, const char *source,
                            bl_jw *jw)
{
    bli_jw_key(jw, name);
    bli_jw_object(jw);
    text_member("value", value, jw);
    text_member("source", source, jw);
    bli_jw_object_end(jw);
}

/* In the order of the table: given ones, and every default in force. */
static void write_parameters(const bl_job *job, bl_jw *jw)
{
    size_t n;
    const bl_param_def *defs = bli_param_defs(&n);
    bli_jw_key(jw, "parameters");
    bli_jw_object(jw);
    for (size_t i = 0; i < n; i++) {
        const bl_param *param = given(job, &defs[i]);
        if (param)
            write_parameter(defs[i].name, param->text, param->source, jw);
        else if (defs[i].use != BL_USE_DEAD && defs[i].default_text[0] != '\0')
            write_parameter(defs[i].name, defs[i].default_text, "default", jw);
    }
    bli_jw_object_end(jw);
}

/* --- Inputs ------------------------------------------------------------------------- */

static const char *below_root(const char *path, const char *root)
{
    size_t n = strlen(root);
    while (n > 0 && root[n - 1] == '/')
        n--;
    if (strncmp(path, root, n) != 0 || path[n] != '/')
        return path;
    path += n;
    return path + strspn(path, "/");
}

static void write_inputs(const bl_card *card, bl_jw *jw)
{
    bli_jw_key(jw, "inputs");
    bli_jw_object(jw);
    for (size_t i = 0; i < card->n_inputs; i++) {
        const bl_files *files = card->inputs[i].files;
        bli_jw_key(jw, card->inputs[i].channel);
        bli_jw_object(jw);
        int_member("rows", card->inputs[i].n_rows, jw);
        bli_jw_key(jw, "files");
        bli_jw_list(jw, false);
        for (size_t f = 0; files && f < files->n; f++) {
            const bl_file *file = &files->file[f];
            bli_jw_object(jw);
            text_member("path", below_root(file->path, card->job->root), jw);
            int_member("bytes", file->n_bytes, jw);
            int_member("rows", file->n_rows, jw);
            text_member("sha256", file->sha256, jw);
            bli_jw_object_end(jw);
        }
        bli_jw_list_end(jw);
        bli_jw_object_end(jw);
    }
    bli_jw_object_end(jw);
}

bl_status bli_card_write(const char *path, const bl_card *card, bl_err *err)
{
    bl_buf out = {0};
    bl_jw jw = {.buf = &out};
    char version[48];
    snprintf(version, sizeof(version), "%d.%d.%d", card->xgboost_version[0],
             card->xgboost_version[1], card->xgboost_version[2]);
    bli_jw_object(&jw);
    int_member("format", 1, &jw);
    text_member("boostlens", card->boostlens_version, &jw);
    text_member("xgboost", version, &jw);
    text_member("objective", card->job->objective, &jw);
    text_member("booster", card->job->booster, &jw);
    write_models(card, &jw);
    bli_jw_key(&jw, "schema");
    if (card->schema)
        card->schema(card->schema_product, &jw);
    else
        bli_jw_null(&jw);
    if (card->plan) {
        text_member("plan_sha256", card->plan_sha256, &jw);
        bli_jw_key(&jw, "plan");
        card->plan(card->plan_product, &jw);
    }
    write_read(card->read, &jw);
    write_parameters(card->job, &jw);
    write_inputs(card, &jw);
    bli_jw_object_end(&jw);
    bli_jw_end(&jw);
    bl_status status = bli_buf_check(&out, "boostlens.json", err);
    if (status == BL_OK)
        status = bli_write_file(path, 0644, out.data, out.n, err);
    bli_buf_done(&out);
    return status;
}
