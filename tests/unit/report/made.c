/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "made.h"

#include "base/fs.h"
#include "base/rng.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

char *made_folder(void)
{
    char *folder = strdup("/tmp/boostlens-report-XXXXXX");
    assert_non_null(folder);
    assert_non_null(mkdtemp(folder));
    return folder;
}

static size_t each_file(const char *folder, bool remove_it)
{
    size_t n = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        n++;
        if (remove_it) {
            char *path = made_path(folder, entry->d_name);
            unlink(path);
            free(path);
        }
    }
    closedir(dir);
    return n;
}

void made_folder_remove(char *folder)
{
    each_file(folder, true);
    rmdir(folder);
    free(folder);
}

size_t made_count_files(const char *folder)
{
    return each_file(folder, false);
}

char *made_path(const char *folder, const char *name)
{
    bl_err err = {0};
    char *path = NULL;
    CHECK_OK(bli_path_join(folder, name, &path, &err), err);
    return path;
}

bl_buf made_read(const char *path)
{
    bl_err err = {0};
    bl_buf buf = {0};
    CHECK_OK(bli_read_file(path, (size_t)1 << 30, &buf, &err), err);
    return buf;
}

bl_schema *made_schema(size_t n, const char *const *names)
{
    bl_schema *schema = calloc(1, sizeof(*schema));
    assert_non_null(schema);
    schema->n_features = schema->n_sources = n;
    schema->features = calloc(n, sizeof(*schema->features));
    schema->sources = calloc(n, sizeof(*schema->sources));
    assert_non_null(schema->features);
    assert_non_null(schema->sources);
    for (size_t i = 0; i < n; i++) {
        char name[32];
        snprintf(name, sizeof(name), "f%zu", i);
        schema->features[i].name = strdup(names ? names[i] : name);
        schema->features[i].type = "float";
        schema->features[i].source = i;
        schema->sources[i] = strdup(names ? names[i] : name);
    }
    return schema;
}

static float value(const bl_made *made, uint64_t a, uint64_t b, uint64_t c)
{
    bl_rng rng = bli_rng(a * 1000003 + b * 10007 + c);
    uint64_t draw = bli_rng_next(&rng);
    return made->noisy ? (float)(draw >> 40) / 65536.0F - 128 : (float)(draw % 5) / 4;
}

float made_phi(const bl_made *made, uint64_t i, size_t output, size_t feature)
{
    return feature == made->n_features ? 0.25F + (float)output
                                       : value(made, i, output, feature);
}

float made_x(const bl_made *made, uint64_t i, size_t feature)
{
    return feature == 0 && i % 7 == 0 ? NAN : value(made, i, 77, feature);
}

float made_margin(const bl_made *made, uint64_t i, size_t output)
{
    return value(made, i, output, 999);
}

static void fill(const bl_made *made, bl_batch *batch, float *x, float *phi,
                 float *margins, uint64_t *row)
{
    for (uint64_t i = 0; i < batch->n_rows; i++) {
        uint64_t at = batch->first + i;
        row[i] = at * made->row_step;
        for (size_t f = 0; f < made->n_features; f++)
            x[i * made->n_features + f] = made_x(made, at, f);
        for (size_t k = 0; k < made->n_outputs; k++) {
            margins[i * made->n_outputs + k] = made_margin(made, at, k);
            for (size_t f = 0; f <= made->n_features; f++)
                phi[(i * made->n_outputs + k) * (made->n_features + 1) + f] =
                    made_phi(made, at, k, f);
        }
    }
}

bl_status made_write(const bl_made *made, const char *path, const bl_schema *schema,
                     const bl_h5_options *options, uint64_t batch_rows,
                     const char *objective, bl_err *err)
{
    char name[64];
    snprintf(name, sizeof(name), "%s", objective);
    bl_forest forest = {
        .n_features = made->n_features, .n_outputs = made->n_outputs, .objective = name};
    bl_h5 *h5 = NULL;
    bl_status status =
        bli_h5_open(path, &forest, schema, NULL,
                    made->unknown ? BL_H5_ROWS_UNKNOWN : made->n_rows, options, &h5, err);
    if (status)
        return status;
    float *x = calloc(batch_rows * made->n_features, sizeof(float));
    float *phi =
        calloc(batch_rows * made->n_outputs * (made->n_features + 1), sizeof(float));
    float *margins = calloc(batch_rows * made->n_outputs, sizeof(float));
    uint64_t *row = calloc(batch_rows, sizeof(uint64_t));
    bl_batch batch = {.row = row, .x = x, .phi = phi, .margins = margins};
    for (batch.first = 0; status == BL_OK && batch.first < made->n_rows;
         batch.first += batch.n_rows) {
        batch.n_rows = made->n_rows - batch.first;
        batch.n_rows = batch.n_rows < batch_rows ? batch.n_rows : batch_rows;
        fill(made, &batch, x, phi, margins, row);
        status = bli_h5_sink(h5, &batch, err);
    }
    free(x);
    free(phi);
    free(margins);
    free(row);
    if (status == BL_OK)
        return bli_h5_close(h5, err);
    bli_h5_abort(h5);
    return status;
}
