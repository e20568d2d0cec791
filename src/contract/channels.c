/* SPDX-License-Identifier: Apache-2.0 */
/* inputdataconfig.json: which channels there are and what they hold. */
#include "contract/contract_priv.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const roles[BL_N_CHANNELS] = {
    [BL_CHANNEL_TRAIN] = "train",   [BL_CHANNEL_VALIDATION] = "validation",
    [BL_CHANNEL_TEST] = "test",     [BL_CHANNEL_MODEL] = "model",
    [BL_CHANNEL_CONFIG] = "config",
};

#define ALL_ROLES "train, validation, test, model and config"

/* Names in use elsewhere, too far from ours for an edit distance. */
static const struct {
    const char *name, *ours;
} other_names[] = {
    {"training", "train"},     {"eval", "validation"},     {"evaluation", "validation"},
    {"val", "validation"},     {"valid", "validation"},    {"dev", "validation"},
    {"holdout", "validation"}, {"testing", "test"},        {"pretrained", "model"},
    {"checkpoint", "model"},   {"settings", "config"},     {"plan", "config"},
    {"data", "train"},         {"model_channel", "model"},
};

/* Content types of the built-in image that this version does not read yet. */
static const struct {
    const char *type, *says;
} later[] = {
    {"libsvm", "libsvm"},
    {"text/libsvm", "libsvm"},
    {"text/x-libsvm", "libsvm"},
    {"parquet", "Parquet"},
    {"application/x-parquet", "Parquet"},
    {"application/vnd.apache.parquet", "Parquet"},
    {"recordio-protobuf", "RecordIO"},
    {"application/x-recordio-protobuf", "RecordIO"},
};

static bl_status refuse_name(const char *name, bl_err *err)
{
    char quoted[BL_QUOTE_BYTES];
    const char *near = NULL;
    bli_quote(name, strlen(name), quoted, sizeof quoted);
    for (size_t i = 0; i < BL_LEN(other_names); i++)
        if (strcasecmp(name, other_names[i].name) == 0)
            near = other_names[i].ours;
    for (size_t i = 0; !near && i < BL_N_CHANNELS; i++)
        if (strcasecmp(name, roles[i]) == 0)
            near = roles[i];
    if (!near)
        near = bli_nearest(name, roles, BL_N_CHANNELS);
    if (near)
        return bli_fail(
            err, BL_E_CONFIG,
            "channel '%s' is not known: call it '%s'; channels are " ALL_ROLES, quoted,
            near);
    return bli_fail(err, BL_E_CONFIG,
                    "channel '%s' is not known; channels are " ALL_ROLES, quoted);
}

/* --- Content type: TYPE[; NAME=VALUE]..., in any case of the letters ---------------- */

typedef struct bl_span {
    const char *at;
    size_t n;
} bl_span;

static bl_span trim(bl_span s)
{
    while (s.n > 0 && strchr(" \t\"", *s.at))
        s.at++, s.n--;
    while (s.n > 0 && strchr(" \t\"", s.at[s.n - 1]))
        s.n--;
    return s;
}

/* For "%.*s" in a message. */
static int shown(bl_span s)
{
    return s.n < 60 ? (int)s.n : 60;
}

static bool is_word(bl_span s, const char *word)
{
    return strlen(word) == s.n && strncasecmp(s.at, word, s.n) == 0;
}

static bl_status check_parameter(bl_span p, const char *text, bl_err *err)
{
    bl_span name = {p.at, 0}, value = {"", 0};
    const char *equals = memchr(p.at, '=', p.n);
    name.n = equals ? (size_t)(equals - p.at) : p.n;
    if (equals)
        value = (bl_span){equals + 1, p.n - name.n - 1};
    name = trim(name);
    value = trim(value);
    if (is_word(name, "label_size")) {
        if (is_word(value, "1"))
            return BL_OK;
        return bli_fail(
            err, BL_E_CONFIG,
            "ContentType '%s': label_size is '%.*s'; accepted is only 1. Name "
            "several label columns by bl_label",
            text, shown(value), value.at);
    }
    if (is_word(name, "charset")) {
        if (is_word(value, "utf-8") || is_word(value, "utf8") ||
            is_word(value, "us-ascii") || is_word(value, "ascii"))
            return BL_OK;
        return bli_fail(
            err, BL_E_CONFIG,
            "ContentType '%s': charset is '%.*s'; accepted are utf-8 and us-ascii", text,
            shown(value), value.at);
    }
    return bli_fail(
        err, BL_E_CONFIG,
        "ContentType '%s': parameter '%.*s' is not known; accepted are label_size=1 "
        "and charset=utf-8",
        text, shown(name), name.at);
}

static bl_status csv_content(const char *content_type, bl_content *ret_content,
                             bl_err *err)
{
    char text[BL_QUOTE_BYTES];
    bli_quote(content_type, strlen(content_type), text, sizeof text);
    size_t n = strcspn(content_type, ";");
    bl_span type = trim((bl_span){content_type, n});
    const char *rest = content_type + n;
    for (size_t i = 0; i < BL_LEN(later); i++)
        if (is_word(type, later[i].type))
            return bli_fail(
                err, BL_E_CONFIG,
                "ContentType '%s': %s is not read yet by this version; accepted "
                "is text/csv",
                text, later[i].says);
    if (!is_word(type, "csv") && !is_word(type, "text/csv"))
        return bli_fail(
            err, BL_E_CONFIG,
            "ContentType '%s' is not known; accepted are text/csv and csv, as in "
            "text/csv or text/csv; label_size=1; charset=utf-8",
            text);
    while (*rest == ';') {
        rest++;
        n = strcspn(rest, ";");
        bl_span parameter = trim((bl_span){rest, n});
        bl_status st = parameter.n ? check_parameter(parameter, text, err) : BL_OK;
        if (st != BL_OK)
            return st;
        rest += n;
    }
    *ret_content = BL_CONTENT_CSV;
    return BL_OK;
}

static bl_status model_content(const char *content_type, bl_err *err)
{
    char text[BL_QUOTE_BYTES];
    bl_span type = trim((bl_span){content_type, strcspn(content_type, ";")});
    if (is_word(type, "application/x-sagemaker-model") ||
        is_word(type, "application/octet-stream"))
        return BL_OK;
    return bli_fail(
        err, BL_E_CONFIG,
        "ContentType '%s' is not known; accepted is application/x-sagemaker-model, "
        "or none",
        bli_quote(content_type, strlen(content_type), text, sizeof text));
}

/* --- One channel -------------------------------------------------------------------- */

/* Member name of settings as text; NULL where absent or null. */
static bl_status get_text(const json_t *settings, const char *name, const char **ret_text,
                          bl_err *err)
{
    const json_t *member = json_object_get(settings, name);
    *ret_text = NULL;
    if (!member || json_is_null(member))
        return BL_OK;
    if (!json_is_string(member))
        return bli_fail(err, BL_E_CONFIG, "%s is no text; expected is a text in quotes",
                        name);
    *ret_text = json_string_value(member);
    return BL_OK;
}

static bl_status check_mode(const json_t *settings, bl_err *err)
{
    const char *mode, *wrapper;
    char quoted[BL_QUOTE_BYTES];
    bl_status st = get_text(settings, "TrainingInputMode", &mode, err);
    if (st == BL_OK)
        st = get_text(settings, "RecordWrapperType", &wrapper, err);
    if (st != BL_OK)
        return st;
    if (mode && strcasecmp(mode, "Pipe") == 0)
        return bli_fail(
            err, BL_E_CONFIG,
            "TrainingInputMode Pipe is not read yet by this version; accepted are "
            "File and FastFile");
    if (mode && strcasecmp(mode, "File") != 0 && strcasecmp(mode, "FastFile") != 0)
        return bli_fail(
            err, BL_E_CONFIG,
            "TrainingInputMode '%s' is not known; accepted are File and FastFile",
            bli_quote(mode, strlen(mode), quoted, sizeof quoted));
    if (wrapper && strcasecmp(wrapper, "RecordIO") == 0)
        return bli_fail(
            err, BL_E_CONFIG,
            "RecordWrapperType RecordIO is not read yet by this version; accepted "
            "is None");
    if (wrapper && strcasecmp(wrapper, "None") != 0)
        return bli_fail(err, BL_E_CONFIG,
                        "RecordWrapperType '%s' is not known; accepted is None",
                        bli_quote(wrapper, strlen(wrapper), quoted, sizeof quoted));
    return BL_OK;
}

static bl_status read_channel(const json_t *settings, const char *root, size_t role,
                              bl_channel *channel, bl_err *err)
{
    if (settings && !json_is_object(settings) && !json_is_null(settings))
        return bli_fail(err, BL_E_CONFIG,
                        "its settings are no object; expected is {\"ContentType\": "
                        "\"text/csv\", \"TrainingInputMode\": \"File\", ...}");
    const char *type;
    char below[64];
    bl_status st = check_mode(settings, err);
    if (st == BL_OK)
        st = get_text(settings, "ContentType", &type, err);
    if (st != BL_OK)
        return st;
    if (role == BL_CHANNEL_MODEL)
        channel->content = BL_CONTENT_MODEL;
    if (type && type[strspn(type, " \t")] == '\0')
        type = NULL;
    if (type && role == BL_CHANNEL_MODEL)
        st = model_content(type, err);
    else if (type && role != BL_CHANNEL_CONFIG)
        st = csv_content(type, &channel->content, err);
    if (st == BL_OK && type)
        st = bli_strdup(type, &channel->content_type, err);
    snprintf(below, sizeof below, "input/data/%s", roles[role]);
    if (st == BL_OK)
        st = bli_path_join(root, below, &channel->path, err);
    channel->present = st == BL_OK;
    return st;
}

/* --- The file ----------------------------------------------------------------------- */

static bl_status read_all(const json_t *object, const char *root, const bl_log *log,
                          bl_channel channels[BL_N_CHANNELS], bl_err *err)
{
    const char *name;
    json_t *settings;
    json_object_foreach((json_t *)(uintptr_t)object, name, settings)
    {
        size_t role = 0;
        if (strcmp(name, "code") == 0) {
            bli_log(log, BL_NOTE, BL_STAGE,
                    "channel code is ignored: no user code is run");
            continue;
        }
        while (role < BL_N_CHANNELS && strcmp(name, roles[role]) != 0)
            role++;
        if (role == BL_N_CHANNELS)
            return refuse_name(name, err);
        bl_status st = read_channel(settings, root, role, &channels[role], err);
        if (st != BL_OK) {
            bli_err_prefix(err, "channel '%s'", name);
            return st;
        }
    }
    if (!channels[BL_CHANNEL_TRAIN].present)
        return bli_fail(
            err, BL_E_CONFIG,
            "channel 'train' is missing; it holds the rows to train on and is "
            "required");
    return BL_OK;
}

/* A folder made by hand may lack the file; the folders themselves then say it. */
static bl_status read_folders(const char *root, const bl_log *log,
                              bl_channel channels[BL_N_CHANNELS], bl_err *err)
{
    bl_status st = BL_OK;
    for (size_t role = 0; st == BL_OK && role < BL_N_CHANNELS; role++) {
        char below[64];
        char *path = NULL;
        snprintf(below, sizeof below, "input/data/%s", roles[role]);
        st = bli_path_join(root, below, &path, err);
        if (st == BL_OK && bli_is_folder(path)) {
            st = read_channel(NULL, root, role, &channels[role], err);
            bli_log(log, BL_NOTE, BL_STAGE,
                    "inputdataconfig.json is not there; folder %s is taken as channel %s",
                    below, roles[role]);
        }
        free(path);
    }
    if (st == BL_OK && !channels[BL_CHANNEL_TRAIN].present)
        st = bli_fail(
            err, BL_E_CONFIG,
            "the file is not there and neither is folder input/data/train; channel "
            "'train' is required");
    return st;
}

bl_status bli_channels_read(const bl_config_text *file, const char *root,
                            const bl_log *log, bl_channel channels[BL_N_CHANNELS],
                            bl_err *err)
{
    json_t *object = NULL;
    bl_status st;
    if (!file->bytes) {
        st = read_folders(root, log, channels, err);
    } else {
        st = bli_json_parse(file->bytes, file->n, &object, err);
        if (st == BL_OK && !json_is_object(object))
            st = bli_fail(
                err, BL_E_CONFIG,
                "the file holds no object; expected is {\"train\": {\"ContentType\": "
                "\"text/csv\", ...}, ...}");
        if (st == BL_OK)
            st = read_all(object, root, log, channels, err);
        json_decref(object);
    }
    if (st != BL_OK)
        bli_err_prefix(err, "inputdataconfig.json");
    return st;
}

bl_status bli_channels_check_folders(const bl_job *job, const bl_log *log, bl_err *err)
{
    for (size_t role = 0; role < BL_N_CHANNELS; role++) {
        const bl_channel *channel = &job->channels[role];
        if (channel->present && !bli_is_folder(channel->path))
            return bli_fail(
                err, BL_E_CONFIG,
                "channel '%s' is declared in inputdataconfig.json, but there is no "
                "folder input/data/%s",
                roles[role], roles[role]);
        if (channel->present)
            continue;
        char below[64];
        char *path;
        snprintf(below, sizeof below, "input/data/%s", roles[role]);
        bl_status st = bli_path_join(job->root, below, &path, err);
        if (st != BL_OK)
            return st;
        if (bli_is_folder(path))
            bli_log(log, BL_NOTE, BL_STAGE,
                    "folder %s is no channel of this job: inputdataconfig.json does not "
                    "declare it",
                    below);
        free(path);
    }
    return BL_OK;
}
