/* SPDX-License-Identifier: Apache-2.0 */
/* resourceconfig.json and checkpointconfig.json: hosts, and the place of checkpoints. */
#include "contract/contract_priv.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define MAX_HOSTS 10000

static bl_status parse_object(const bl_config_text *file, json_t **ret_object,
                              bl_err *err)
{
    json_t *object = NULL;
    bl_status st = bli_json_parse(file->bytes, file->n, &object, err);
    if (st != BL_OK)
        return st;
    if (!json_is_object(object)) {
        json_decref(object);
        return bli_fail(err, BL_E_CONFIG, "the file holds no object");
    }
    *ret_object = object;
    return BL_OK;
}

/* Position of current among hosts sorted by bytes: those that sort before it. */
static bl_status rank_of(const json_t *hosts, const char *current, size_t *ret_rank,
                         bl_err *err)
{
    size_t before = 0, same = 0;
    char quoted[BL_QUOTE_BYTES];
    for (size_t i = 0; i < json_array_size(hosts); i++) {
        const char *host = json_string_value(json_array_get(hosts, i));
        if (!host || !*host)
            return bli_fail(err, BL_E_CONFIG, "hosts: item %zu is no name", i + 1);
        int order = strcmp(host, current);
        before += order < 0;
        same += order == 0;
    }
    bli_quote(current, strlen(current), quoted, sizeof quoted);
    if (same == 0)
        return bli_fail(err, BL_E_CONFIG, "current_host '%s' is not among hosts", quoted);
    if (same > 1)
        return bli_fail(err, BL_E_CONFIG, "hosts names '%s' %zu times; names must differ",
                        quoted, same);
    *ret_rank = before;
    return BL_OK;
}

static bl_status read_hosts(const json_t *object, bl_job *job, bl_err *err)
{
    const json_t *hosts = json_object_get(object, "hosts");
    const json_t *current = json_object_get(object, "current_host");
    if (current && !json_is_null(current) && !json_is_string(current))
        return bli_fail(err, BL_E_CONFIG, "current_host is no text");
    if (!hosts || json_is_null(hosts))
        return BL_OK; /* one host, of whatever name */
    size_t n = json_array_size(hosts);
    if (!json_is_array(hosts) || n == 0)
        return bli_fail(
            err, BL_E_CONFIG,
            "hosts is no list of names; expected is {\"current_host\": \"algo-1\", "
            "\"hosts\": [\"algo-1\"]}");
    if (n > MAX_HOSTS)
        return bli_fail(err, BL_E_LIMIT, "hosts holds %zu names; at most %d are accepted",
                        n, MAX_HOSTS);
    if (!json_is_string(current))
        return bli_fail(err, BL_E_CONFIG,
                        "current_host is missing; it names one of hosts");
    bl_status st = rank_of(hosts, json_string_value(current), &job->host_rank, err);
    job->n_hosts = n;
    return st;
}

bl_status bli_resources_read(const bl_config_text *file, bl_job *job, bl_err *err)
{
    json_t *object = NULL;
    job->n_hosts = 1;
    job->host_rank = 0;
    if (!file->bytes)
        return BL_OK;
    bl_status st = parse_object(file, &object, err);
    if (st == BL_OK) {
        st = read_hosts(object, job, err);
        if (st == BL_OK && job->n_hosts > 1)
            st = bli_fail(
                err, BL_E_CONFIG,
                "the job has %zu hosts; training on more than one is not in this "
                "version yet: ask for an instance count of 1",
                job->n_hosts);
        json_decref(object);
    }
    if (st != BL_OK)
        bli_err_prefix(err, "resourceconfig.json");
    return st;
}

/* root stands for /opt/ml, so a place below the one is a place below the other. */
static bl_status local_path(const char *path, const char *root, char **ret_path,
                            bl_err *err)
{
    static const char platform[] = "/opt/ml/";
    size_t n = sizeof platform - 1;
    char quoted[BL_QUOTE_BYTES];
    if (*path != '/')
        return bli_fail(err, BL_E_CONFIG,
                        "LocalPath '%s' is no absolute path; expected is one such as "
                        "/opt/ml/checkpoints",
                        bli_quote(path, strlen(path), quoted, sizeof quoted));
    if (strstr(path, "/../") ||
        (strlen(path) >= 3 && strcmp(path + strlen(path) - 3, "/..") == 0))
        return bli_fail(err, BL_E_CONFIG,
                        "LocalPath '%s' goes upwards; expected is a plain path",
                        bli_quote(path, strlen(path), quoted, sizeof quoted));
    if (strncmp(path, platform, n) == 0 && path[n])
        return bli_path_join(root, path + n, ret_path, err);
    return bli_strdup(path, ret_path, err);
}

bl_status bli_checkpoint_read(const bl_config_text *file, bl_job *job, bl_err *err)
{
    json_t *object = NULL;
    if (!file->bytes)
        return BL_OK;
    bl_status st = parse_object(file, &object, err);
    if (st == BL_OK) {
        const json_t *path = json_object_get(object, "LocalPath");
        if (!path || json_is_null(path))
            st = bli_path_join(job->root, "checkpoints", &job->checkpoint_dir, err);
        else if (!json_is_string(path))
            st = bli_fail(err, BL_E_CONFIG, "LocalPath is no text");
        else
            st =
                local_path(json_string_value(path), job->root, &job->checkpoint_dir, err);
        json_decref(object);
    }
    if (st != BL_OK)
        bli_err_prefix(err, "checkpointconfig.json");
    return st;
}
