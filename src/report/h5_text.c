/* SPDX-License-Identifier: Apache-2.0 */
/* Text in attributions.h5: feature names and id columns, clean UTF-8 of fixed length. */
#include "report/h5_priv.h"

#include <H5Gpublic.h>
#include <H5Lpublic.h>
#include <H5Ppublic.h>
#include <H5Tpublic.h>
#include <string.h>

hid_t bli_h5_text_type(size_t n_bytes)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0 && H5Tset_size(type, n_bytes > 0 ? n_bytes : 1) >= 0 &&
        H5Tset_cset(type, H5T_CSET_UTF8) >= 0 &&
        H5Tset_strpad(type, H5T_STR_NULLPAD) >= 0)
        return type;
    if (type >= 0)
        H5Tclose(type);
    return H5I_INVALID_HID;
}

/* The cleaned text in h5->text. */
static void clean(bl_h5 *h5, const char *text, size_t n)
{
    h5->text.n = 0;
    bli_utf8_add(&h5->text, text, n);
}

static void put_text(bl_h5 *h5, unsigned char *out, size_t width)
{
    size_t n = h5->text.n < width ? h5->text.n : width;
    if (n > 0)
        memcpy(out, h5->text.data, n);
    memset(out + n, 0, width - n);
}

/* Names as a dataset of their own. text(names, i): name i of n. */
static bl_status write_names(bl_h5 *h5, const char *dataset, size_t n,
                             const char *(*text)(const bl_schema *schema, size_t i),
                             const bl_schema *schema, bl_err *err)
{
    size_t width = 1;
    for (size_t i = 0; i < n; i++) {
        clean(h5, text(schema, i), strlen(text(schema, i)));
        width = h5->text.n > width ? h5->text.n : width;
    }
    hid_t type = bli_h5_text_type(width);
    bl_h5_stream names = {.dataset = H5I_INVALID_HID};
    bl_h5_pool plain = {.n_threads = 0}; /* readable with any tool, and small */
    bl_status status = bli_buf_check(&h5->text, "feature names", err);
    if (status == BL_OK && type < 0)
        status = bli_h5_fail(err, dataset);
    if (status == BL_OK)
        status =
            bli_h5_stream_open(&names, &plain, h5->file, dataset, type, n, NULL, 0, err);
    for (size_t i = 0; status == BL_OK && i < n; i++) {
        uint64_t one = 1;
        unsigned char *room = bli_h5_stream_room(&names, &one);
        clean(h5, text(schema, i), strlen(text(schema, i)));
        put_text(h5, room, width);
        status = bli_h5_stream_filled(&names, &plain, one, err);
    }
    if (status == BL_OK)
        status = bli_h5_stream_close(&names, &plain, err);
    bli_h5_stream_done(&names);
    if (type >= 0)
        H5Tclose(type);
    return status;
}

static const char *feature_name(const bl_schema *schema, size_t i)
{
    return schema->features[i].name;
}

static const char *source_name(const bl_schema *schema, size_t i)
{
    return schema->sources[i];
}

bl_status bli_h5_write_names(bl_h5 *h5, const bl_schema *schema, bl_err *err)
{
    bl_status status =
        write_names(h5, "feature_names", h5->n_features, feature_name, schema, err);
    return status == BL_OK && h5->source
               ? write_names(h5, "source_names", schema->n_sources, source_name, schema,
                             err)
               : status;
}

/* Where the ids of a row of the file stand. */
static uint64_t row_of(const bl_h5 *h5, uint64_t i)
{
    return h5->row ? h5->row[i] : i;
}

static size_t id_length(const bl_text_column *column, uint64_t row)
{
    return (size_t)(column->offset[row + 1] - column->offset[row]);
}

/* A link name may hold neither '/' nor be "."; two columns may be called alike. The name
 * is left in h5->text. */
static bl_status id_name(bl_h5 *h5, hid_t group, const char *name, bl_err *err)
{
    clean(h5, name, strlen(name));
    for (size_t i = 0; i < h5->text.n; i++)
        if (h5->text.data[i] == '/')
            h5->text.data[i] = '_';
    if (h5->text.n == 0 || (h5->text.n == 1 && h5->text.data[0] == '.'))
        bli_buf_char(&h5->text, '_');
    size_t length = h5->text.n;
    for (unsigned copy = 2;; copy++) {
        bl_status status = bli_buf_check(&h5->text, "id names", err);
        if (status || H5Lexists(group, h5->text.data, H5P_DEFAULT) <= 0)
            return status;
        h5->text.n = length;
        bli_buf_printf(&h5->text, "_%u", copy);
    }
}

/* Bytes of the longest text of a column once it is clean. */
static size_t id_width(bl_h5 *h5, const bl_text_column *column)
{
    size_t width = 1;
    for (uint64_t i = 0; i < h5->n_rows; i++) {
        uint64_t row = row_of(h5, i);
        clean(h5, column->text + column->offset[row], id_length(column, row));
        width = h5->text.n > width ? h5->text.n : width;
    }
    return width;
}

static bl_status fill_ids(bl_h5 *h5, const bl_text_column *column, bl_h5_stream *stream,
                          bl_err *err)
{
    bl_h5_pool pool = {.n_threads = h5->pool.n_threads, .compress = h5->pool.compress};
    bli_h5_pool_fit(&pool, stream);
    bl_status status = bli_h5_pool_init(&pool, err);
    for (uint64_t first = 0; status == BL_OK && first < h5->n_rows;) {
        uint64_t n = h5->n_rows - first;
        unsigned char *room = bli_h5_stream_room(stream, &n);
        for (uint64_t i = 0; i < n; i++) {
            uint64_t row = row_of(h5, first + i);
            clean(h5, column->text + column->offset[row], id_length(column, row));
            put_text(h5, room + i * stream->row_bytes, stream->row_bytes);
        }
        status = bli_h5_stream_filled(stream, &pool, n, err);
        first += n;
    }
    bli_h5_pool_done(&pool);
    return status;
}

static bl_status write_id(bl_h5 *h5, hid_t group, const bl_text_column *column,
                          bl_err *err)
{
    bl_h5_stream stream = {.dataset = H5I_INVALID_HID};
    hid_t type = bli_h5_text_type(id_width(h5, column));
    bl_status status = bli_buf_check(&h5->text, "ids", err);
    if (status == BL_OK && type < 0)
        status = bli_h5_fail(err, "id");
    if (status == BL_OK)
        status = id_name(h5, group, column->name, err);
    if (status == BL_OK)
        status = bli_h5_stream_open(&stream, &h5->pool, group, h5->text.data, type,
                                    h5->n_rows, NULL, 0, err);
    stream.name = "id"; /* the text buffer is about to change */
    if (status == BL_OK)
        status = fill_ids(h5, column, &stream, err);
    if (status == BL_OK)
        status = bli_h5_stream_close(&stream, &h5->pool, err);
    bli_h5_stream_done(&stream);
    if (type >= 0)
        H5Tclose(type);
    return status == BL_OK ? bli_buf_check(&h5->text, "ids", err) : status;
}

bl_status bli_h5_write_ids(bl_h5 *h5, bl_err *err)
{
    if (h5->options.n_ids == 0)
        return BL_OK;
    hid_t group = H5I_INVALID_HID;
    hid_t settings = H5Pcreate(H5P_GROUP_CREATE);
    if (settings >= 0 && H5Pset_obj_track_times(settings, 0) >= 0)
        group = H5Gcreate2(h5->file, "id", H5P_DEFAULT, settings, H5P_DEFAULT);
    if (settings >= 0)
        H5Pclose(settings);
    if (group < 0)
        return bli_h5_fail(err, "id");
    bl_status status = BL_OK;
    for (size_t i = 0; status == BL_OK && i < h5->options.n_ids; i++)
        status = write_id(h5, group, h5->ids ? &h5->ids[i] : &h5->options.ids[i], err);
    H5Gclose(group);
    return status;
}
