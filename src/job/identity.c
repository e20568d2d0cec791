/* SPDX-License-Identifier: Apache-2.0 */
/* What a checkpoint must agree with: the data, and every setting that changes trees. */
#include "job/job_priv.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Settings that change no tree: a job may go on with others of these. num_round is compared
 * on its own: it may grow. */
static const char *const free_settings[] = {"num_round",
                                            "nthread",
                                            "verbosity",
                                            "validate_parameters",
                                            "save_model_on_termination",
                                            "bl_explain",
                                            "bl_explain_rows",
                                            "bl_explain_data",
                                            "bl_model_format",
                                            "bl_compress",
                                            "bl_checkpoint_seconds",
                                            "bl_checkpoint_keep",
                                            "bl_checkpoint_foreign",
                                            "bl_preprocess", /* its contents are */
                                            "bl_isolation",
                                            "bl_require_encryption"};

static bool is_free(const bl_param_def *def)
{
    for (size_t i = 0; i < BL_LEN(free_settings); i++)
        if (strcmp(def->name, free_settings[i]) == 0)
            return true;
    return def->use == BL_USE_DEAD;
}

void bli_identity_done(bl_identity *identity)
{
    for (size_t i = 0; i < identity->n; i++) {
        free((char *)(uintptr_t)identity->item[i].name);
        free((char *)(uintptr_t)identity->item[i].value);
    }
    free(identity->item);
    *identity = (bl_identity){0};
}

static bl_status add_item(bl_identity *identity, const char *name, const char *value,
                          bl_err *err)
{
    char *a = NULL, *b = NULL;
    bl_status st = bli_grow((void **)&identity->item, &identity->cap, identity->n + 1,
                            sizeof *identity->item, "settings", err);
    if (st == BL_OK)
        st = bli_strdup(name, &a, err);
    if (st == BL_OK)
        st = bli_strdup(value, &b, err);
    if (st != BL_OK) {
        free(a);
        return st;
    }
    identity->item[identity->n++] = (bl_checkpoint_item){.name = a, .value = b};
    return BL_OK;
}

/* 0.30 and 0.3 are one number. */
static const char *plain_text(const bl_param_def *def, const char *text, char *number,
                              size_t max)
{
    int64_t whole;
    double value;
    if (def->type == BL_PARAM_INT && bli_read_int(text, strlen(text), &whole)) {
        snprintf(number, max, "%" PRId64, whole);
        return number;
    }
    if (def->type == BL_PARAM_FLOAT &&
        bli_read_double(text, strlen(text), &value) == BL_NUMBER_OK) {
        number[bli_write_double(value, number)] = '\0';
        return number;
    }
    return text;
}

static bl_status add_setting(bl_identity *identity, const bl_job *job,
                             const bl_param_def *def, bl_err *err)
{
    const char *text = bli_job_param(job, def->name);
    char number[BL_NUMBER_BYTES + 1];
    return text ? add_item(identity, def->name,
                           plain_text(def, text, number, sizeof number), err)
                : BL_OK;
}

/* The files' digests in the order they were read: renaming a file changes nothing. */
static bl_status add_data(bl_identity *identity, const char *name, const bl_files *files,
                          bl_err *err)
{
    bl_digest *digest;
    char hex[BL_DIGEST_TEXT], item[64];
    bl_status st = bli_digest_new(&digest, err);
    if (st != BL_OK)
        return st;
    for (size_t i = 0; i < files->n; i++)
        bli_digest_add(digest, files->file[i].sha256, BL_DIGEST_TEXT - 1);
    st = bli_digest_end(digest, hex, err);
    bli_digest_free(digest);
    snprintf(item, sizeof item, "channel %s", name);
    return st == BL_OK ? add_item(identity, item, hex, err) : st;
}

static bl_status add_digest(bl_identity *identity, const char *name, const bl_buf *bytes,
                            bl_err *err)
{
    char hex[BL_DIGEST_TEXT];
    bl_status st = bli_digest_bytes(bytes->data, bytes->n, hex, err);
    return st == BL_OK ? add_item(identity, name, hex, err) : st;
}

static bl_status add_plan(bl_identity *identity, const bl_job *job, bl_err *err)
{
    bl_buf text = {0};
    const char *name;
    bl_status st = bli_job_plan(job, &text, &name, err);
    if (st == BL_OK && text.n)
        st = add_digest(identity, "channel config (bl_preprocess)", &text, err);
    bli_buf_done(&text);
    return st;
}

bl_status bli_identity_make(const bl_stages *stages, bl_identity *ret, bl_err *err)
{
    bl_identity identity = {0};
    size_t n_defs;
    const bl_param_def *defs = bli_param_defs(&n_defs);
    bl_status st = BL_OK;
    for (int data = 0; st == BL_OK && data < N_DATA; data++)
        if (stages->data[data])
            st = add_data(&identity, bli_data_names[data], &stages->data[data]->files,
                          err);
    if (st == BL_OK && stages->start_model.n)
        st = add_digest(&identity, "channel model", &stages->start_model, err);
    if (st == BL_OK)
        st = add_plan(&identity, stages->job, err);
    for (size_t i = 0; st == BL_OK && i < n_defs; i++)
        if (!is_free(&defs[i]))
            st = add_setting(&identity, stages->job, &defs[i], err);
    if (st != BL_OK) {
        bli_identity_done(&identity);
        return st;
    }
    *ret = identity;
    return BL_OK;
}

bl_status bli_checkpoints_at(const bl_stages *stages, const char *below,
                             bl_checkpoints *ret, char **ret_folder, bl_err *err)
{
    const bl_job *job = stages->job;
    char *folder = NULL;
    bl_status st = below ? bli_path_join(job->checkpoint_dir, below, &folder, err)
                         : bli_strdup(job->checkpoint_dir, &folder, err);
    if (st != BL_OK)
        return st;
    *ret = (bl_checkpoints){.folder = folder,
                            .job_name = job->job_name,
                            .n_items = stages->identity.n,
                            .items = stages->identity.item,
                            .keep = job->checkpoint_keep,
                            .seconds = (double)job->checkpoint_seconds,
                            .factor = BL_CHECKPOINT_FACTOR,
                            .use_foreign = job->checkpoint_foreign};
    *ret_folder = folder;
    return BL_OK;
}
