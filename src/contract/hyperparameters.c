/* SPDX-License-Identifier: Apache-2.0 */
/* hyperparameters.json: names, what is gone, what is ignored, and each value by the
 * table. */
#include "contract/contract_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* SageMaker sends at most 100; more than this is a mistake. */
#define MAX_NAMES 1000

/* Names other tools use for what is here under another. */
static const struct {
    const char *name, *says;
} foreign[] = {
    {"num_boost_round", "did you mean num_round?"},
    {"n_estimators", "did you mean num_round?"},
    {"num_iterations", "did you mean num_round?"},
    {"epochs", "did you mean num_round?"},
    {"silent", "XGBoost no longer has it; did you mean verbosity?"},
    {"gpu_id", "there is no GPU in this build: leave it out"},
    {"n_gpus", "there is no GPU in this build: leave it out"},
    {"num_leaves", "did you mean max_leaves?"},
    {"random_seed", "did you mean seed?"},
    {"num_threads", "did you mean nthread?"},
    {"metric", "did you mean eval_metric?"},
    {"loss", "did you mean objective?"},
    {"nfold", "did you mean _kfold?"},
    {"kfold", "did you mean _kfold?"},
    {"label", "did you mean bl_label?"},
    {"target", "did you mean bl_label?"},
    {"label_column", "did you mean bl_label?"},
    {"weight", "did you mean bl_weight?"},
    {"feature_names", "did you mean bl_feature_names?"},
    {"feature_types", "did you mean bl_feature_types?"},
    {"header", "did you mean bl_header?"},
    {"base_margin", "did you mean bl_base_margin?"},
};

/* Values XGBoost once had, or this build has not. Those that end a list entry are looked
 * for in each item of a list. */
static const struct {
    const char *name, *value, *says;
} removed[] = {
    {"tree_method", "gpu_hist", "there is no GPU in this build; the nearest is hist"},
    {"tree_method", "gpu_exact", "there is no GPU in this build; the nearest is exact"},
    {"updater", "distcol", "XGBoost no longer has it; the nearest is grow_colmaker"},
    {"updater", "grow_skmaker",
     "XGBoost no longer has it; the nearest is grow_histmaker"},
    {"updater", "grow_local_histmaker",
     "XGBoost no longer has it; the nearest is grow_histmaker"},
    {"updater", "sync",
     "XGBoost no longer has it and needs none in its place: leave it out"},
    {"updater", "grow_gpu_hist",
     "there is no GPU in this build; the nearest is grow_quantile_histmaker"},
    {"updater", "grow_gpu_approx",
     "there is no GPU in this build; the nearest is grow_histmaker"},
    {"updater", "gpu_coord_descent",
     "there is no GPU in this build; the nearest is coord_descent"},
    {"objective", "aft_loss_distribution",
     "that is the name of a setting; the nearest is survival:aft"},
};

static bl_status refuse_unknown(const char *key, bl_err *err)
{
    char folded[64], quoted[BL_QUOTE_BYTES];
    size_t n = strlen(key), n_names = 0;
    bli_quote(key, n, quoted, sizeof quoted);
    snprintf(folded, sizeof folded, "%s", key);
    for (char *c = folded; *c; c++)
        *c = *c == '-' || *c == '.' || *c == ' ' ? '_'
             : *c >= 'A' && *c <= 'Z'            ? (char)(*c - 'A' + 'a')
                                                 : *c;
    for (size_t i = 0; i < BL_LEN(foreign); i++)
        if (strcmp(folded, foreign[i].name) == 0)
            return bli_fail(err, BL_E_CONFIG, "'%s' is no hyperparameter: %s", quoted,
                            foreign[i].says);
    const char *names[2 * BL_N_PARAMS];
    const bl_param_def *defs = bli_param_defs(&n);
    for (size_t i = 0; i < n; i++) {
        names[n_names++] = defs[i].name;
        if (defs[i].alias)
            names[n_names++] = defs[i].alias;
    }
    const char *near = bli_nearest(folded, names, n_names);
    if (near)
        return bli_fail(err, BL_E_CONFIG, "'%s' is no hyperparameter: did you mean %s?",
                        quoted, near);
    return bli_fail(
        err, BL_E_CONFIG,
        "'%s' is no hyperparameter and like none; `boostlens help train` lists "
        "them all",
        quoted);
}

/* Ignored names are true; a job that asks for user code is refused. */
static bl_status check_sagemaker(const char *key, const json_t *value, bool *ret_ignore,
                                 bl_err *err)
{
    *ret_ignore = strncmp(key, "sagemaker_", 10) == 0;
    const char *text = json_string_value(value);
    bool empty =
        json_is_null(value) ||
        (text && (!*text || strcmp(text, "null") == 0 || strcmp(text, "\"\"") == 0));
    if ((strcmp(key, "sagemaker_program") == 0 ||
         strcmp(key, "sagemaker_submit_directory") == 0) &&
        !empty)
        return bli_fail(
            err, BL_E_CONFIG,
            "%s asks for a Python script: this image runs no user code. Train with "
            "hyperparameters and channels alone, through the generic Estimator",
            key);
    return BL_OK;
}

/* Does a value, or an item of a list however it is written, read as word. */
static bool mentions(const json_t *raw, const char *word)
{
    const char *text = json_string_value(raw);
    size_t n = strlen(word);
    for (size_t i = 0; i < json_array_size(raw); i++) {
        const json_t *item = json_array_get(raw, i);
        if (json_is_string(item) && strcmp(json_string_value(item), word) == 0)
            return true;
    }
    for (const char *at = text ? strstr(text, word) : NULL; at;
         at = strstr(at + 1, word)) {
        bool starts = at == text || strchr(" ,\"'[(", at[-1]);
        if (starts && strchr(" ,\"'])", at[n])) /* the final NUL is found too */
            return true;
    }
    return false;
}

static bl_status check_removed(const char *key, const bl_param_def *def,
                               const json_t *raw, bl_err *err)
{
    const char *text = json_string_value(raw);
    for (size_t i = 0; i < BL_LEN(removed); i++)
        if (strcmp(def->name, removed[i].name) == 0 && mentions(raw, removed[i].value))
            return bli_fail(err, BL_E_CONFIG, "%s is '%s': %s", key, removed[i].value,
                            removed[i].says);
    if (strcmp(def->name, "device") == 0 && text &&
        (strstr(text, "cuda") || strstr(text, "gpu") || strstr(text, "sycl"))) {
        char quoted[BL_QUOTE_BYTES];
        return bli_fail(err, BL_E_CONFIG,
                        "%s is '%s': there is no GPU in this build; accepted is only cpu",
                        key, bli_quote(text, strlen(text), quoted, sizeof quoted));
    }
    return BL_OK;
}

/* A null is as good as not given: JSON's, and the text that Python tools make of it where
 * that can mean nothing else. */
static bool is_null(const bl_param_def *def, const json_t *raw)
{
    const char *text = json_string_value(raw);
    bool may_be_text = def->type == BL_PARAM_LIST || def->type == BL_PARAM_COLUMN ||
                       def->type == BL_PARAM_COLUMNS || def->type == BL_PARAM_TEXT ||
                       def->choices;
    if (json_is_null(raw))
        return true;
    if (!text || strcmp(def->name, "bl_missing_text") == 0)
        return false;
    return strcmp(text, "null") == 0 || (strcmp(text, "None") == 0 && !may_be_text);
}

static const char *const no_gpu_flags[] = {"use_dask_gpu_training", "use_rmm",
                                           "use_cuda_async_pool"};

typedef struct bl_notes {
    bl_buf nulls;
    bl_buf dead;
} bl_notes;

static void note(bl_buf *list, const char *name)
{
    bli_buf_printf(list, "%s%s", list->n ? ", " : "", name);
}

static bl_status keep(bl_values *values, bl_value *value, bl_err *err)
{
    bl_value *place = &values->value[bli_param_index(value->def)];
    if (!place->def) {
        *place = *value;
        *value = (bl_value){0};
        return BL_OK;
    }
    if (bli_value_equal(place, value))
        return BL_OK;
    char a[BL_QUOTE_BYTES], b[BL_QUOTE_BYTES];
    return bli_fail(err, BL_E_CONFIG,
                    "%s is '%s' and %s is '%s', but they are one setting: leave one out",
                    place->key, bli_quote(place->text, strlen(place->text), a, sizeof a),
                    value->key, bli_quote(value->text, strlen(value->text), b, sizeof b));
}

static bl_status read_one(bl_values *values, const char *key, const json_t *raw,
                          const char *root, const bl_log *log, bl_notes *notes,
                          bl_err *err)
{
    bool ignore;
    bl_status st = check_sagemaker(key, raw, &ignore, err);
    if (st != BL_OK || ignore)
        return st;
    const bl_param_def *def = bli_param_find(key);
    if (!def)
        return refuse_unknown(key, err);
    if (is_null(def, raw)) {
        note(&notes->nulls, key);
        return BL_OK;
    }
    st = check_removed(key, def, raw, err);
    if (st != BL_OK)
        return st;
    const char *text = json_string_value(raw);
    json_t *modern = NULL;
    if (strcmp(def->name, "objective") == 0 && text &&
        (strcmp(text, "reg:linear") == 0 || strcmp(text, "\"reg:linear\"") == 0)) {
        bli_log(
            log, BL_NOTE, BL_STAGE,
            "objective reg:linear is the old name of reg:squarederror and taken as it");
        modern = json_string("reg:squarederror");
        raw = modern;
    }
    /* The tuner's text is free with an image of one's own; an empty encryption setting
     * asks for nothing. */
    bool is_empty = text && (!*text || strcmp(text, "\"\"") == 0);
    if (is_empty && strcmp(def->name, "bl_require_encryption") == 0)
        return BL_OK;
    bl_value value = {0};
    st = bli_value_read(def, key, raw, root, &value, err);
    json_decref(modern);
    if (st != BL_OK)
        return st;
    for (size_t i = 0; st == BL_OK && i < BL_LEN(no_gpu_flags); i++)
        if (strcmp(def->name, no_gpu_flags[i]) == 0 && value.b)
            st = bli_fail(
                err, BL_E_CONFIG,
                "%s is true: there is no GPU in this build; accepted is only false", key);
    if (st == BL_OK && def->use == BL_USE_DEAD)
        note(&notes->dead, key);
    if (st == BL_OK)
        st = keep(values, &value, err);
    bli_value_done(&value);
    return st;
}

static void say_notes(const bl_notes *notes, const bl_log *log)
{
    if (notes->nulls.n)
        bli_log(log, BL_NOTE, BL_STAGE, "null, taken as not given: %s",
                notes->nulls.data);
    if (notes->dead.n)
        bli_log(log, BL_NOTE, BL_STAGE, "without effect in XGBoost 3.4: %s",
                notes->dead.data);
}

static bl_status parse(const bl_config_text *file, json_t **ret_object, bl_err *err)
{
    size_t n = file->n;
    if (!file->bytes)
        return bli_fail(
            err, BL_E_CONFIG,
            "the file is not there; expected is one object of names and values, "
            "at least {\"num_round\": \"100\"}");
    while (n > 0 && strchr(" \t\r\n", file->bytes[n - 1]))
        n--;
    if (n == 0)
        return bli_fail(
            err, BL_E_CONFIG,
            "the file is empty; expected is one object of names and values, at "
            "least {\"num_round\": \"100\"}");
    json_t *object;
    bl_status st = bli_json_parse(file->bytes, file->n, &object, err);
    if (st != BL_OK)
        return st;
    if (!json_is_object(object)) {
        json_decref(object);
        return bli_fail(
            err, BL_E_CONFIG,
            "the file holds no object; expected is {\"name\": \"value\", ...}");
    }
    if (json_object_size(object) > MAX_NAMES) {
        st =
            bli_fail(err, BL_E_LIMIT, "the file holds %zu names; at most %d are accepted",
                     json_object_size(object), MAX_NAMES);
        json_decref(object);
        return st;
    }
    *ret_object = object;
    return BL_OK;
}

bl_status bli_hyperparameters_read(const bl_config_text *file, const char *root,
                                   const bl_log *log, bl_values **ret_values, bl_err *err)
{
    json_t *object = NULL;
    void *values = NULL;
    bl_notes notes = {0};
    bl_status st = parse(file, &object, err);
    if (st == BL_OK)
        st = bli_alloc(1, sizeof(bl_values), "hyperparameters", &values, err);
    const char *key;
    json_t *raw;
    if (st == BL_OK) {
        json_object_foreach(object, key, raw)
        {
            st = read_one(values, key, raw, root, log, &notes, err);
            if (st != BL_OK)
                break;
        }
    }
    if (st == BL_OK) {
        say_notes(&notes, log);
        *ret_values = values;
    } else {
        bli_values_free(values);
        bli_err_prefix(err, "hyperparameters.json");
    }
    bli_buf_done(&notes.nulls);
    bli_buf_done(&notes.dead);
    json_decref(object);
    return st;
}
