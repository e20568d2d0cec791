/* SPDX-License-Identifier: Apache-2.0 */
/* SageMaker's processing contract: which folders are inputs, where each output goes. */
#include "job/process_priv.h"

#include "base/fs.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct {
    const char *name, *stem, *folder;
} files[BL_N_PROCESS_FILES] = {
    [BL_FILE_TRAIN] = {"train_data.csv", "train_data", "train"},
    [BL_FILE_TEST] = {"test_data.csv", "test_data", "test"},
    [BL_FILE_HEADERS] = {"train_data_headers.csv", "train_data_headers", "train_headers"},
    [BL_FILE_VALIDATION] = {"validation_data.csv", "validation_data", "validation"},
    [BL_FILE_PLAN] = {"plan.json", "plan", "fitted"},
    [BL_FILE_PROFILE] = {"profile.json", "profile", "profile"},
    [BL_FILE_PROFILE_PAGE] = {"profile.html", "profile", "profile"},
};

void bli_process_places_done(bl_process_places *places)
{
    free(places->plan);
    for (size_t i = 0; i < places->n; i++)
        free(places->data[i]);
    free(places->data);
    for (size_t i = 0; i < BL_N_PROCESS_FILES; i++)
        free(places->path[i]);
    *places = (bl_process_places){0};
}

/* /opt/ml/... below the folder that stands for /opt/ml. */
static bl_status local_path(const char *root, const char *path, char **ret_path,
                            bl_err *err)
{
    static const char opt_ml[] = "/opt/ml/";
    if (strncmp(path, opt_ml, sizeof opt_ml - 1) == 0)
        return bli_path_join(root, path + sizeof opt_ml - 1, ret_path, err);
    return bli_strdup(path, ret_path, err);
}

/* --- Inputs ------------------------------------------------------------------------------ */

typedef struct finder {
    const bl_process *process;
    const bl_limits *limits;
    bl_process_places *places;
    size_t cap;
} finder;

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n > m && strcmp(name + n - m, end) == 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bl_status add_data(finder *f, const char *path, bl_err *err)
{
    bl_process_places *places = f->places;
    void *data = places->data;
    for (size_t i = 0; i < places->n; i++)
        if (strcmp(places->data[i], path) == 0)
            return BL_OK; /* one input lies within another */
    if (places->n >= f->limits->files)
        return bli_fail(err, BL_E_LIMIT, "more than %llu files in the inputs",
                        (unsigned long long)f->limits->files);
    bl_status st =
        bli_grow(&data, &f->cap, places->n + 1, sizeof(char *), "the list of files", err);
    places->data = data;
    if (st == BL_OK)
        st = bli_strdup(path, &places->data[places->n], err);
    places->n += st == BL_OK;
    return st;
}

static bl_status add_plan(finder *f, const char *path, bl_err *err)
{
    bl_process_places *places = f->places;
    if (f->process->plan || (places->plan && strcmp(places->plan, path) == 0))
        return BL_OK;
    if (places->plan)
        return bli_fail(err, BL_E_CONFIG,
                        "two plans in the inputs, '%s' and '%s': leave one out, or say "
                        "--plan FILE",
                        places->plan, path);
    return bli_strdup(path, &places->plan, err);
}

/* A link may point anywhere inside the root. */
static bool is_inside(const char *root, const char *path)
{
    char *real_root = realpath(root, NULL), *real = realpath(path, NULL);
    size_t n = real_root ? strlen(real_root) : 0;
    bool inside = real_root && real &&
                  (strcmp(real_root, "/") == 0 ||
                   (strncmp(real, real_root, n) == 0 && real[n] == '/'));
    free(real_root);
    free(real);
    return inside;
}

static bl_status look_through(finder *f, const char *folder, uint64_t depth, bl_err *err);

static bl_status look_at(finder *f, const char *folder, const char *name, uint64_t depth,
                         bl_err *err)
{
    char *path = NULL;
    struct stat info, link;
    bl_status st = bli_path_join(folder, name, &path, err);
    if (st != BL_OK)
        return st;
    if (lstat(path, &link) != 0 || stat(path, &info) != 0)
        st = bli_fail_errno(err, BL_E_IO, errno, "'%s'", path);
    else if (S_ISLNK(link.st_mode) && !is_inside(f->process->root, path))
        st = bli_fail(err, BL_E_DATA,
                      "'%s' is a link out of the job's folder; give the file itself",
                      path);
    else if (S_ISDIR(info.st_mode))
        st = look_through(f, path, depth + 1, err);
    else if (strcmp(name, "plan.json") == 0)
        st = add_plan(f, path, err);
    else if ((ends_with(name, ".csv") || ends_with(name, ".csv.gz")) && info.st_size > 0)
        st = add_data(f, path, err);
    free(path);
    return st;
}

static bl_status look_through(finder *f, const char *folder, uint64_t depth, bl_err *err)
{
    char **names = NULL;
    size_t n = 0, cap = 0;
    bl_status st = BL_OK;
    if (depth > f->limits->folder_depth)
        return bli_fail(err, BL_E_LIMIT, "'%s': folders are nested deeper than %llu",
                        folder, (unsigned long long)f->limits->folder_depth);
    DIR *dir = opendir(folder);
    if (!dir)
        return bli_fail_errno(err, BL_E_IO, errno, "'%s'", folder);
    struct dirent *entry;
    while (st == BL_OK && (entry = readdir(dir))) {
        void *array = names;
        if (entry->d_name[0] == '.' || entry->d_name[0] == '_')
            continue;
        st = bli_grow(&array, &cap, n + 1, sizeof(char *), "a folder", err);
        names = array;
        if (st == BL_OK)
            st = bli_strdup(entry->d_name, &names[n], err);
        n += st == BL_OK;
    }
    closedir(dir);
    if (n)
        qsort(names, n, sizeof *names, compare_names);
    for (size_t i = 0; st == BL_OK && i < n; i++)
        st = look_at(f, folder, names[i], depth, err);
    for (size_t i = 0; i < n; i++)
        free(names[i]);
    free(names);
    return st;
}

static bl_status look_at_input(finder *f, const json_t *input, size_t i, bl_err *err)
{
    const json_t *s3 = json_object_get(input, "S3Input");
    const json_t *dataset = json_object_get(input, "DatasetDefinition");
    const char *mode = json_string_value(json_object_get(s3, "S3InputMode"));
    const char *path = json_string_value(json_object_get(s3, "LocalPath"));
    const char *name = json_string_value(json_object_get(input, "InputName"));
    if (!path)
        path = json_string_value(json_object_get(dataset, "LocalPath"));
    if (mode && strcmp(mode, "Pipe") == 0)
        return bli_fail(err, BL_E_CONFIG,
                        "input '%.60s' has S3InputMode Pipe, which this version does not "
                        "read: use File",
                        name ? name : "");
    if (!path)
        return bli_fail(
            err, BL_E_CONFIG,
            "processingjobconfig.json: ProcessingInputs[%zu] has no LocalPath", i);
    char *local = NULL;
    bl_status st = local_path(f->process->root, path, &local, err);
    if (st == BL_OK && !bli_is_folder(local))
        st = bli_fail(err, BL_E_DATA, "input '%.60s': there is no folder '%s'",
                      name ? name : "", local);
    if (st == BL_OK)
        st = look_through(f, local, 0, err);
    free(local);
    return st;
}

static bl_status find_inputs(finder *f, const json_t *config, bl_err *err)
{
    const json_t *inputs = json_object_get(config, "ProcessingInputs");
    bl_status st = BL_OK;
    for (size_t i = 0; st == BL_OK && i < json_array_size(inputs); i++)
        st = look_at_input(f, json_array_get(inputs, i), i, err);
    if (json_array_size(inputs) || st != BL_OK)
        return st;
    char *folder = NULL;
    st = bli_path_join(f->process->root, "processing/input", &folder, err);
    if (st == BL_OK && !bli_is_folder(folder))
        st = bli_fail(err, BL_E_DATA,
                      "there is no input: neither in processingjobconfig.json "
                      "nor a folder '%s'",
                      folder);
    if (st == BL_OK)
        st = look_through(f, folder, 0, err);
    free(folder);
    return st;
}

/* --- Outputs ------------------------------------------------------------------------------- */

/* LocalPath of the output named as the file's stem, else as its folder; NULL: none. */
static const char *output_path(const json_t *config, const char *output_name)
{
    const json_t *outputs =
        json_object_get(json_object_get(config, "ProcessingOutputConfig"), "Outputs");
    for (size_t i = 0; i < json_array_size(outputs); i++) {
        const json_t *output = json_array_get(outputs, i);
        const char *name = json_string_value(json_object_get(output, "OutputName"));
        if (name && strcmp(name, output_name) == 0)
            return json_string_value(
                json_object_get(json_object_get(output, "S3Output"), "LocalPath"));
    }
    return NULL;
}

static bl_status place_output(const char *root, const json_t *config,
                              bl_process_file file, char **ret_path, bl_err *err)
{
    char below[64], *folder = NULL;
    const char *path = output_path(config, files[file].stem);
    if (!path)
        path = output_path(config, files[file].folder);
    snprintf(below, sizeof below, "processing/%s", files[file].folder);
    bl_status st = path ? local_path(root, path, &folder, err)
                        : bli_path_join(root, below, &folder, err);
    if (st == BL_OK)
        st = bli_path_join(folder, files[file].name, ret_path, err);
    free(folder);
    return st;
}

/* --- Config ---------------------------------------------------------------------------------- */

static bl_status read_config(const char *root, const char *name, const bl_limits *limits,
                             json_t **ret_config, bl_err *err)
{
    char below[64], *path = NULL;
    snprintf(below, sizeof below, "config/%s", name);
    bl_status st = bli_path_join(root, below, &path, err);
    if (st == BL_OK && bli_exists(path))
        st = bli_json_read(path, (size_t)limits->config_bytes, ret_config, err);
    if (st == BL_OK && *ret_config && !json_is_object(*ret_config)) {
        json_decref(*ret_config);
        *ret_config = NULL;
        st = bli_fail(err, BL_E_CONFIG, "'%s' holds no JSON object", path);
    }
    free(path);
    return st;
}

bl_status bli_process_places(const bl_process *process, const bl_limits *limits,
                             bl_process_places *ret_places, bl_err *err)
{
    json_t *config = NULL, *resource = NULL;
    bl_process_places places = {0};
    finder f = {process, limits, &places, 0};
    bl_status st =
        read_config(process->root, "processingjobconfig.json", limits, &config, err);
    if (st == BL_OK)
        st = read_config(process->root, "resourceconfig.json", limits, &resource, err);
    size_t n_hosts = json_array_size(json_object_get(resource, "hosts"));
    if (st == BL_OK && n_hosts > 1)
        st =
            bli_fail(err, BL_E_CONFIG,
                     "resourceconfig.json lists %zu hosts; process works on one: ask for "
                     "InstanceCount 1",
                     n_hosts);
    if (st == BL_OK)
        st = find_inputs(&f, config, err);
    if (st == BL_OK && places.n == 0)
        st = bli_fail(err, BL_E_DATA, "no .csv file in the inputs");
    for (int i = 0; st == BL_OK && i < BL_N_PROCESS_FILES; i++)
        st =
            place_output(process->root, config, (bl_process_file)i, &places.path[i], err);
    json_decref(config);
    json_decref(resource);
    if (st == BL_OK)
        *ret_places = places;
    else
        bli_process_places_done(&places);
    return st;
}
