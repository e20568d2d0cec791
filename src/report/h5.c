/* SPDX-License-Identifier: Apache-2.0 */
/* attributions.h5: which datasets there are, and a batch of rows into each of them. */
#include "report/h5_priv.h"

#include "base/fs.h"
#include "base/mem.h"

#include <H5Apublic.h>
#include <H5Dpublic.h>
#include <H5Fpublic.h>
#include <H5Ppublic.h>
#include <H5Spublic.h>
#include <H5Tpublic.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

void bli_h5_abort(bl_h5 *h5)
{
    if (!h5)
        return;
    bl_h5_quiet before;
    bli_h5_quiet_begin(&before);
    for (size_t i = 0; i < BL_H5_N_FIXED; i++)
        bli_h5_stream_done(&h5->streams[i]);
    if (h5->file >= 0)
        H5Fclose(h5->file);
    bli_h5_disk_done(&h5->disk);
    bli_h5_quiet_end(&before);
    if (h5->temp_path)
        bli_temp_abort(h5->temp_path);
    bli_h5_pool_done(&h5->pool);
    bli_buf_done(&h5->text);
    bli_h5_ids_done(h5);
    free(h5->top_values);
    free(h5->top_features);
    free(h5->rest);
    free(h5->predictions);
    free(h5->row);
    free(h5->source);
    free(h5->path);
    free(h5->temp_path);
    free(h5);
}

/* What the disk said, if anything, wins over what followed from it. */
bl_status bli_h5_check_disk(const bl_h5 *h5, bl_status status, bl_err *err)
{
    if (h5->disk.errno_value)
        status = bli_fail_errno(err, BL_E_IO, h5->disk.errno_value, "could not write");
    if (status)
        bli_err_prefix(err, "'%s'", h5->path);
    return status;
}

static bl_status create_file(bl_h5 *h5, bl_err *err)
{
    hid_t creation = H5Pcreate(H5P_FILE_CREATE);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    /* Formats that HDF5 1.8 and later read; no time in the root group. */
    if (creation >= 0 && access >= 0 && H5Pset_obj_track_times(creation, 0) >= 0 &&
        H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V110) >= 0 &&
        H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0 &&
        bli_h5_disk_use(&h5->disk, access))
        h5->file = H5Fcreate(h5->temp_path, H5F_ACC_TRUNC, creation, access);
    bl_status status = h5->file >= 0 ? BL_OK : bli_h5_fail(err, "the file");
    if (creation >= 0)
        H5Pclose(creation);
    if (access >= 0)
        H5Pclose(access);
    return status;
}

static bl_status write_attribute(bl_h5 *h5, const char *name, hid_t type,
                                 const void *value, bl_err *err)
{
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t attribute = type >= 0 && space >= 0 ? H5Acreate2(h5->file, name, type, space,
                                                           H5P_DEFAULT, H5P_DEFAULT)
                                              : H5I_INVALID_HID;
    bl_status status = BL_OK;
    if (attribute < 0 || H5Awrite(attribute, type, value) < 0)
        status = bli_h5_fail(err, name);
    if (attribute >= 0)
        H5Aclose(attribute);
    if (space >= 0)
        H5Sclose(space);
    return status;
}

static bl_status write_text_attribute(bl_h5 *h5, const char *name, const char *text,
                                      bl_err *err)
{
    h5->text.n = 0;
    bli_utf8_add(&h5->text, text, strlen(text));
    bl_status status = bli_buf_check(&h5->text, name, err);
    if (status)
        return status;
    /* Of variable length: h5py gives those as str. */
    const char *clean = h5->text.n ? h5->text.data : "";
    hid_t type = bli_h5_text_type(H5T_VARIABLE);
    status = write_attribute(h5, name, type, &clean, err);
    if (type >= 0)
        H5Tclose(type);
    return status;
}

static bl_status write_attributes(bl_h5 *h5, bl_err *err)
{
    int64_t format = 1;
    int64_t n_outputs = (int64_t)h5->n_outputs;
    bl_status status = write_attribute(h5, "format", H5T_NATIVE_INT64, &format, err);
    if (status == BL_OK)
        status = write_text_attribute(
            h5, "space", h5->options.space ? h5->options.space : "margin", err);
    if (status == BL_OK)
        status = write_text_attribute(h5, "objective", h5->forest->objective, err);
    if (status == BL_OK)
        status = write_attribute(h5, "n_outputs", H5T_NATIVE_INT64, &n_outputs, err);
    int64_t background = (int64_t)h5->options.background_rows;
    if (status == BL_OK && background)
        status =
            write_attribute(h5, "background_rows", H5T_NATIVE_INT64, &background, err);
    return status;
}

/* --- Opening ------------------------------------------------------------------------ */

static bl_status open_fixed(bl_h5 *h5, bl_err *err)
{
    size_t n_labels = h5->options.n_labels, n_top = h5->options.n_top;
    bool several = h5->n_outputs > 1, all = n_top == 0;
    bool matrix = h5->options.interactions == BL_H5_MATRIX,
         pairs = h5->options.interactions == BL_H5_PAIRS;
    const struct {
        const char *name;
        hid_t type;
        size_t shape[BL_H5_SHAPE];
        int n_shape;
        bool present;
    } fixed[BL_H5_N_FIXED] = {
        [BL_H5_VALUES] = {"values",
                          H5T_IEEE_F32LE,
                          {h5->n_features, h5->n_outputs},
                          several ? 2 : 1,
                          all},
        [BL_H5_BASE_VALUES] =
            {"base_values", H5T_IEEE_F32LE, {h5->n_outputs}, several, true},
        [BL_H5_MARGINS] = {"margins", H5T_IEEE_F32LE, {h5->n_outputs}, several, true},
        [BL_H5_PREDICTIONS] = {"predictions",
                               H5T_IEEE_F32LE,
                               {h5->n_predictions},
                               h5->n_predictions > 1,
                               true},
        [BL_H5_ROW] = {"row", H5T_STD_I64LE, {0}, 0, true},
        [BL_H5_DATA] =
            {"data", H5T_IEEE_F32LE, {h5->n_features}, 1, h5->options.with_data && all},
        [BL_H5_LABELS] = {"labels",
                          H5T_IEEE_F32LE,
                          {n_labels},
                          n_labels > 1,
                          h5->options.with_data && h5->options.labels && n_labels > 0},
        [BL_H5_TOP_VALUES] =
            {"top_values", H5T_IEEE_F32LE, {n_top, h5->n_outputs}, several ? 2 : 1, !all},
        [BL_H5_TOP_FEATURES] = {"top_features",
                                H5T_STD_I32LE,
                                {n_top, h5->n_outputs},
                                several ? 2 : 1,
                                !all},
        [BL_H5_REST] = {"rest_values", H5T_IEEE_F32LE, {h5->n_outputs}, several, !all},
        [BL_H5_SOURCE_VALUES] = {"source_values",
                                 H5T_IEEE_F64LE,
                                 {h5->options.n_sources, h5->n_outputs},
                                 several ? 2 : 1,
                                 all && h5->source},
        [BL_H5_INTERACTIONS] = {"interaction_values",
                                H5T_IEEE_F32LE,
                                {h5->n_features, h5->n_features, h5->n_outputs},
                                several ? 3 : 2,
                                matrix},
        [BL_H5_PAIR_VALUES] = {"interaction_top_values",
                               H5T_IEEE_F32LE,
                               {n_top, h5->n_outputs},
                               several ? 2 : 1,
                               pairs},
        [BL_H5_PAIR_FEATURES] = {"interaction_top_features",
                                 H5T_STD_I32LE,
                                 {n_top, 2, h5->n_outputs},
                                 several ? 3 : 2,
                                 pairs},
    };
    for (size_t i = 0; i < BL_H5_N_FIXED; i++) {
        if (!fixed[i].present)
            continue;
        bl_status status = bli_h5_stream_open(&h5->streams[i], &h5->pool, h5->file,
                                              fixed[i].name, fixed[i].type, h5->n_rows,
                                              fixed[i].shape, fixed[i].n_shape, err);
        if (status)
            return status;
    }
    return BL_OK;
}

/* Rows are remembered for the id columns, which are written last: only then is it known how
 * long the longest text of the selected rows is. */
static bl_status make_rows(bl_h5 *h5, bl_err *err)
{
    void *memory;
    if (h5->options.n_ids == 0)
        return BL_OK;
    if (h5->options.in_parts)
        return bli_h5_ids_start(h5, err);
    bl_status status =
        bli_alloc((size_t)h5->n_rows, sizeof(uint64_t), "rows with ids", &memory, err);
    if (status == BL_OK)
        h5->row = memory;
    return status;
}

static bl_status start(bl_h5 *h5, const char *path, const bl_schema *schema, bl_err *err)
{
    bl_status status = bli_strdup(path, &h5->path, err);
    if (status == BL_OK)
        status = bli_h5_map_sources(h5, schema, err);
    if (status == BL_OK)
        status = bli_temp_name(path, &h5->temp_path, err);
    if (status == BL_OK)
        status = make_rows(h5, err);
    if (status == BL_OK)
        status = create_file(h5, err);
    if (status == BL_OK)
        status = write_attributes(h5, err);
    if (status == BL_OK)
        status = bli_h5_write_names(h5, schema, err);
    if (status == BL_OK)
        status = open_fixed(h5, err);
    for (size_t i = 0; status == BL_OK && i < BL_H5_N_FIXED; i++)
        bli_h5_pool_fit(&h5->pool, &h5->streams[i]);
    return status == BL_OK ? bli_h5_pool_init(&h5->pool, err) : status;
}

bl_status bli_h5_open(const char *path, const bl_forest *forest, const bl_schema *schema,
                      const bl_explainer *explainer, uint64_t n_rows,
                      const bl_h5_options *options, bl_h5 **ret_h5, bl_err *err)
{
    (void)explainer; /* base values arrive with the rows: a base margin changes them */
    void *memory;
    bl_status status = bli_alloc(1, sizeof(bl_h5), "HDF5", &memory, err);
    if (status)
        return status;
    bl_h5 *h5 = memory;
    *h5 = (bl_h5){
        .disk = {.driver = H5I_INVALID_HID},
        .file = H5I_INVALID_HID,
        .forest = forest,
        .n_features = forest->n_features,
        .n_outputs = forest->n_outputs,
        .n_predictions = bli_forest_n_predictions(forest),
        .n_rows = n_rows,
        .options = *options,
        .pool = {.n_threads =
                     options->n_threads > 0 ? options->n_threads : omp_get_max_threads(),
                 .compress = options->compress},
    };
    for (size_t i = 0; i < BL_H5_N_FIXED; i++)
        h5->streams[i].dataset = H5I_INVALID_HID;
    bl_h5_quiet before;
    bli_h5_quiet_begin(&before);
    status = start(h5, path, schema, err);
    bli_h5_quiet_end(&before);
    if (h5->path)
        status = bli_h5_check_disk(h5, status, err);
    if (status) {
        bli_h5_abort(h5);
        return status;
    }
    *ret_h5 = h5;
    return BL_OK;
}

/* --- Rows --------------------------------------------------------------------------- */

/* phi [outputs][features + 1] of each row to [features][outputs]. */
static void put_values(const bl_h5 *h5, const bl_batch *batch, uint64_t first, uint64_t n,
                       unsigned char *out)
{
    size_t n_features = h5->n_features;
    size_t n_outputs = h5->n_outputs;
    float *values = (float *)(void *)out;
#pragma omp parallel for schedule(static)                                                \
    num_threads(h5->pool.n_threads) if (n_outputs > 1)
    for (uint64_t i = 0; i < n; i++) {
        const float *phi = batch->phi + (first + i) * n_outputs * (n_features + 1);
        float *to = values + i * n_features * n_outputs;
        if (n_outputs == 1)
            memcpy(to, phi, n_features * sizeof(float));
        else
            for (size_t f = 0; f < n_features; f++)
                for (size_t k = 0; k < n_outputs; k++)
                    to[f * n_outputs + k] = phi[k * (n_features + 1) + f];
    }
}

static void put_base_values(const bl_h5 *h5, const bl_batch *batch, uint64_t first,
                            uint64_t n, unsigned char *out)
{
    float *values = (float *)(void *)out;
    size_t n_outputs = h5->n_outputs;
    const float *phi = batch->phi + first * n_outputs * (h5->n_features + 1);
    for (uint64_t i = 0; i < n * n_outputs; i++)
        values[i] = phi[i * (h5->n_features + 1) + h5->n_features];
}

static void put_labels(const bl_h5 *h5, const uint64_t *row, uint64_t n, float *out)
{
    size_t width = h5->options.n_labels;
    const float *labels = h5->part ? h5->part->labels : h5->options.labels;
    for (uint64_t i = 0; i < n; i++)
        memcpy(out + i * width, labels + (row[i] - h5->first_row) * width,
               width * sizeof *out);
}

static void put_rows(bl_h5 *h5, size_t which, const bl_batch *batch, uint64_t first,
                     uint64_t n, unsigned char *out)
{
    size_t row_bytes = h5->streams[which].row_bytes;
    switch (which) {
    case BL_H5_VALUES:
        put_values(h5, batch, first, n, out);
        return;
    case BL_H5_SOURCE_VALUES:
        bli_h5_put_sources(h5, batch, first, n, (double *)(void *)out);
        return;
    case BL_H5_BASE_VALUES:
        put_base_values(h5, batch, first, n, out);
        return;
    case BL_H5_MARGINS:
        memcpy(out, batch->margins + first * h5->n_outputs, n * row_bytes);
        return;
    case BL_H5_PREDICTIONS:
        memcpy(out, h5->predictions + first * h5->n_predictions, n * row_bytes);
        return;
    case BL_H5_ROW:
        memcpy(out, batch->row + first, n * row_bytes);
        return;
    case BL_H5_DATA:
        memcpy(out, batch->x + first * h5->n_features, n * row_bytes);
        return;
    case BL_H5_TOP_VALUES:
        memcpy(out, h5->top_values + first * h5->options.n_top * h5->n_outputs,
               n * row_bytes);
        return;
    case BL_H5_TOP_FEATURES:
        memcpy(out, h5->top_features + first * h5->options.n_top * h5->n_outputs,
               n * row_bytes);
        return;
    case BL_H5_REST:
        memcpy(out, h5->rest + first * h5->n_outputs, n * row_bytes);
        return;
    default: /* labels */
        put_labels(h5, batch->row + first, n, (float *)(void *)out);
    }
}

static bl_status put_batch(bl_h5 *h5, size_t which, const bl_batch *batch, bl_err *err)
{
    bl_h5_stream *stream = &h5->streams[which];
    for (uint64_t first = 0; first < batch->n_rows;) {
        uint64_t n = batch->n_rows - first;
        unsigned char *room = bli_h5_stream_room(stream, &n);
        put_rows(h5, which, batch, first, n, room);
        bl_status status = bli_h5_stream_filled(stream, &h5->pool, n, err);
        if (status)
            return status;
        first += n;
    }
    return BL_OK;
}

static bl_status predict(bl_h5 *h5, const bl_batch *batch, bl_err *err)
{
    size_t cells;
    if (!bli_mul((size_t)batch->n_rows, h5->n_predictions, &cells))
        return bli_fail(err, BL_E_LIMIT, "a batch of rows is too large");
    void *memory = h5->predictions;
    bl_status status = bli_grow(&memory, &h5->n_prediction_cells, cells, sizeof(float),
                                "predictions", err);
    h5->predictions = memory;
    if (status == BL_OK)
        bli_forest_transform(h5->forest, batch->margins, batch->n_rows, h5->predictions);
    return status;
}

bl_status bli_h5_sink(void *cookie, const bl_batch *batch, bl_err *err)
{
    bl_h5 *h5 = cookie;
    if (batch->first != h5->n_done || batch->n_rows > h5->n_rows - h5->n_done)
        return bli_fail(err, BL_E_INTERNAL,
                        "rows %llu to %llu came for '%s' after %llu of %llu",
                        (unsigned long long)batch->first,
                        (unsigned long long)(batch->first + batch->n_rows), h5->path,
                        (unsigned long long)h5->n_done, (unsigned long long)h5->n_rows);
    bl_h5_quiet before;
    bli_h5_quiet_begin(&before);
    bl_status status = predict(h5, batch, err);
    if (status == BL_OK && h5->options.n_top)
        status = bli_h5_find_top(h5, batch, err);
    for (size_t i = 0; status == BL_OK && i < BL_H5_INTERACTIONS; i++)
        if (h5->streams[i].rank > 0)
            status = put_batch(h5, i, batch, err);
    if (status == BL_OK && h5->ids)
        status = bli_h5_ids_add(h5, batch, err);
    if (h5->row)
        memcpy(h5->row + h5->n_done, batch->row, batch->n_rows * sizeof(uint64_t));
    bli_h5_quiet_end(&before);
    h5->n_done += batch->n_rows;
    return bli_h5_check_disk(h5, status, err);
}

static bl_status finish(bl_h5 *h5, bl_err *err)
{
    bl_status status = BL_OK;
    if (h5->n_rows == BL_H5_ROWS_UNKNOWN)
        h5->n_rows = h5->n_done;
    for (size_t i = 0; status == BL_OK && i < BL_H5_N_FIXED; i++) {
        if (h5->streams[i].rank > 0)
            status = bli_h5_stream_close(&h5->streams[i], &h5->pool, err);
        bli_h5_stream_done(&h5->streams[i]);
    }
    if (status == BL_OK)
        status = bli_h5_write_ids(h5, err);
    if (status)
        return status;
    herr_t closed = H5Fclose(h5->file);
    h5->file = H5I_INVALID_HID;
    return closed < 0 ? bli_h5_fail(err, "the file") : BL_OK;
}

bl_status bli_h5_close(bl_h5 *h5, bl_err *err)
{
    bl_h5_quiet before;
    bli_h5_quiet_begin(&before);
    bl_status status = finish(h5, err);
    bli_h5_quiet_end(&before);
    status = bli_h5_check_disk(h5, status, err);
    if (status == BL_OK) {
        status = bli_temp_commit(h5->temp_path, h5->path, 0600, err);
        free(h5->temp_path);
        h5->temp_path = NULL;
    }
    bli_h5_abort(h5);
    return status;
}
