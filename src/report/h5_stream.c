/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A dataset filled row by row. Plain ones are contiguous; compressed ones are cut into
 * chunks of whole rows, which we shuffle and deflate ourselves over threads and hand to
 * HDF5 ready made, in order. Chunks depend on sizes alone, so threads do not show in the
 * file.
 */
#include "report/report_priv.h"

#include "base/mem.h"

#include <H5Dpublic.h>
#include <H5Epublic.h>
#include <H5Ppublic.h>
#include <H5Spublic.h>
#include <H5Tpublic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A chunk this size fits the default chunk cache of HDF5 readers: row by row reading
 * unpacks each chunk once. */
#define CHUNK_BYTES ((size_t)1 << 19)
/* HDF5 takes no chunk of 4 GiB. */
#define MAX_ROW_BYTES ((size_t)1 << 30)
/* A chunk stored as it is says in this mask which filters of the pipeline it skips: both.
 */
#define SKIP_SHUFFLE_AND_DEFLATE 3U
#define SKIP_DEFLATE             1U

/* --- Errors ------------------------------------------------------------------------- */

void bli_h5_quiet_begin(bl_h5_quiet *ret_before)
{
    H5E_auto2_t handler = NULL;
    H5Eget_auto2(H5E_DEFAULT, &handler, &ret_before->data);
    memcpy(&ret_before->handler, &handler, sizeof(handler));
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

void bli_h5_quiet_end(const bl_h5_quiet *before)
{
    H5E_auto2_t handler;
    memcpy(&handler, &before->handler, sizeof(handler));
    H5Eset_auto2(H5E_DEFAULT, handler, before->data);
}

/* The innermost line of the error stack. */
static herr_t first_line(unsigned n, const H5E_error2_t *error, void *cookie)
{
    if (n == 0)
        *(const char **)cookie = error->desc;
    return n == 0;
}

bl_status bli_h5_fail(bl_err *err, const char *what)
{
    const char *line = NULL;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, first_line, &line);
    return bli_fail(err, BL_E_IO, "could not write %s: HDF5 says \"%s\"", what,
                    line ? line : "");
}

/* --- Chunks ------------------------------------------------------------------------- */

/* Makes room in the file for the rows of the buffer. */
static bool extend(const bl_h5_stream *stream)
{
    hsize_t dims[1 + BL_H5_SHAPE] = {0};
    hid_t space = H5Dget_space(stream->dataset);
    bool ok = space >= 0 && H5Sget_simple_extent_dims(space, dims, NULL) >= 0;
    dims[0] = stream->written + stream->filled;
    ok = ok && H5Dset_extent(stream->dataset, dims) >= 0;
    if (space >= 0)
        H5Sclose(space);
    return ok;
}

static bl_status write_chunks(bl_h5_stream *stream, const bl_h5_pool *pool, bl_err *err)
{
    size_t chunk_bytes = (size_t)stream->chunk_rows * stream->row_bytes;
    uint64_t n_chunks = (stream->filled + stream->chunk_rows - 1) / stream->chunk_rows;
    size_t width = stream->shuffle ? stream->element_bytes : 0;
    size_t sizes[BL_H5_SLOTS] = {0};
    size_t used = (size_t)stream->filled * stream->row_bytes;
    memset(stream->buffer + used, 0, (size_t)n_chunks * chunk_bytes - used);
    if (stream->n_rows == BL_H5_ROWS_UNKNOWN && !extend(stream))
        return bli_h5_fail(err, stream->name);
#pragma omp parallel for schedule(dynamic) num_threads(pool->n_threads)
    for (uint64_t i = 0; i < (pool->compress ? n_chunks : 0); i++)
        sizes[i] = bli_h5_pack(pool, stream->buffer + i * chunk_bytes, chunk_bytes, width,
                               pool->packed + i * pool->chunk_bytes);
    for (uint64_t i = 0; i < n_chunks; i++) {
        hsize_t offset[1 + BL_H5_SHAPE] = {stream->written + i * stream->chunk_rows};
        bool small = sizes[i] > 0;
        const void *bytes = small ? pool->packed + i * pool->chunk_bytes
                                  : stream->buffer + i * chunk_bytes;
        unsigned skip = small || !pool->compress ? 0
                        : stream->shuffle        ? SKIP_SHUFFLE_AND_DEFLATE
                                                 : SKIP_DEFLATE;
        if (H5Dwrite_chunk(stream->dataset, H5P_DEFAULT, skip, offset,
                           small ? sizes[i] : chunk_bytes, bytes) < 0)
            return bli_h5_fail(err, stream->name);
    }
    return BL_OK;
}

/* --- Streams ------------------------------------------------------------------------ */

static bl_status write_plain(bl_h5_stream *stream, bl_err *err)
{
    hid_t file_space = H5Dget_space(stream->dataset);
    hid_t type = H5Dget_type(stream->dataset);
    hsize_t dims[1 + BL_H5_SHAPE] = {0};
    hsize_t start[1 + BL_H5_SHAPE] = {stream->written};
    H5Sget_simple_extent_dims(file_space, dims, NULL);
    dims[0] = stream->filled;
    hid_t space = H5Screate_simple(stream->rank, dims, NULL);
    bool ok =
        file_space >= 0 && type >= 0 && space >= 0 &&
        H5Sselect_hyperslab(file_space, H5S_SELECT_SET, start, NULL, dims, NULL) >= 0 &&
        H5Dwrite(stream->dataset, type, space, file_space, H5P_DEFAULT, stream->buffer) >=
            0;
    bl_status status = ok ? BL_OK : bli_h5_fail(err, stream->name);
    H5Sclose(space);
    H5Sclose(file_space);
    H5Tclose(type);
    return status;
}

/* Rows of a chunk and of the buffer, from sizes alone. */
static void plan(bl_h5_stream *stream, bool compress)
{
    bool unknown = stream->n_rows == BL_H5_ROWS_UNKNOWN;
    stream->chunked =
        (compress || unknown) && stream->n_rows > 0 && stream->row_bytes > 0;
    uint64_t rows = stream->row_bytes > 0 ? CHUNK_BYTES / stream->row_bytes : 1;
    rows = rows < 1 ? 1 : rows;
    stream->chunk_rows = rows < stream->n_rows ? rows : stream->n_rows;
    uint64_t chunks =
        stream->n_rows > 0 ? (stream->n_rows - 1) / stream->chunk_rows + 1 : 0;
    stream->capacity = stream->chunk_rows * (chunks < BL_H5_SLOTS ? chunks : BL_H5_SLOTS);
}

static hid_t creation_settings(const bl_h5_stream *stream, const hsize_t *dims,
                               bool compress)
{
    hid_t settings = H5Pcreate(H5P_DATASET_CREATE);
    bool ok = settings >= 0 && H5Pset_obj_track_times(settings, 0) >= 0 &&
              H5Pset_fill_time(settings, H5D_FILL_TIME_NEVER) >= 0;
    if (ok && stream->chunked) {
        hsize_t chunk[1 + BL_H5_SHAPE] = {stream->chunk_rows};
        for (int i = 1; i < stream->rank; i++)
            chunk[i] = dims[i];
        ok = H5Pset_chunk(settings, stream->rank, chunk) >= 0;
        if (ok && compress)
            ok = (!stream->shuffle || H5Pset_shuffle(settings) >= 0) &&
                 H5Pset_deflate(settings, BL_H5_LEVEL) >= 0;
    }
    if (ok)
        return settings;
    if (settings >= 0)
        H5Pclose(settings);
    return H5I_INVALID_HID;
}

bl_status bli_h5_stream_open(bl_h5_stream *stream, const bl_h5_pool *pool, hid_t place,
                             const char *name, hid_t type, uint64_t n_rows,
                             const size_t *shape, int n_shape, bl_err *err)
{
    bool unknown = n_rows == BL_H5_ROWS_UNKNOWN;
    hsize_t dims[1 + BL_H5_SHAPE] = {unknown ? 0 : n_rows};
    hsize_t most[1 + BL_H5_SHAPE] = {unknown ? H5S_UNLIMITED : n_rows};
    *stream = (bl_h5_stream){.name = name,
                             .dataset = H5I_INVALID_HID,
                             .element_bytes = H5Tget_size(type),
                             .shuffle = H5Tget_class(type) != H5T_STRING,
                             .rank = 1 + n_shape,
                             .n_rows = n_rows};
    bool fits = true;
    stream->row_bytes = stream->element_bytes;
    for (int i = 0; i < n_shape; i++) {
        dims[1 + i] = most[1 + i] = shape[i];
        fits = fits && bli_mul(stream->row_bytes, shape[i], &stream->row_bytes);
    }
    if (!fits || stream->row_bytes > MAX_ROW_BYTES)
        return bli_fail(
            err, BL_E_LIMIT,
            "one row of '%s' is larger than the %zu bytes that an HDF5 file of ours "
            "can hold: explain fewer outputs or features, or set bl_explain=none",
            name, MAX_ROW_BYTES);
    plan(stream, pool->compress);
    void *buffer;
    bl_status status =
        bli_alloc((size_t)stream->capacity, stream->row_bytes, "HDF5 rows", &buffer, err);
    if (status)
        return status;
    stream->buffer = buffer;
    unknown = unknown && stream->chunked; /* rows of no bytes need no extent */
    hid_t space = H5Screate_simple(stream->rank, dims, unknown ? most : NULL);
    hid_t settings = creation_settings(stream, dims, pool->compress);
    hid_t links = H5Pcreate(H5P_LINK_CREATE);
    if (space >= 0 && settings >= 0 && links >= 0 &&
        H5Pset_char_encoding(links, H5T_CSET_UTF8) >= 0)
        stream->dataset =
            H5Dcreate2(place, name, type, space, links, settings, H5P_DEFAULT);
    if (stream->dataset < 0)
        status = bli_h5_fail(err, name);
    if (space >= 0)
        H5Sclose(space);
    if (settings >= 0)
        H5Pclose(settings);
    if (links >= 0)
        H5Pclose(links);
    return status;
}

unsigned char *bli_h5_stream_room(bl_h5_stream *stream, uint64_t *n)
{
    uint64_t room = stream->capacity - stream->filled;
    if (*n > room)
        *n = room;
    return stream->buffer + (size_t)stream->filled * stream->row_bytes;
}

static bl_status write_filled(bl_h5_stream *stream, const bl_h5_pool *pool, bl_err *err)
{
    bl_status status =
        stream->chunked ? write_chunks(stream, pool, err) : write_plain(stream, err);
    stream->written += stream->filled;
    stream->filled = 0;
    return status;
}

bl_status bli_h5_stream_filled(bl_h5_stream *stream, const bl_h5_pool *pool, uint64_t n,
                               bl_err *err)
{
    stream->filled += n;
    if (stream->filled == 0 || stream->row_bytes == 0 ||
        (stream->filled < stream->capacity &&
         stream->written + stream->filled < stream->n_rows))
        return BL_OK;
    return write_filled(stream, pool, err);
}

bl_status bli_h5_stream_close(bl_h5_stream *stream, const bl_h5_pool *pool, bl_err *err)
{
    if (stream->n_rows == BL_H5_ROWS_UNKNOWN) {
        bl_status status =
            stream->filled && stream->row_bytes ? write_filled(stream, pool, err) : BL_OK;
        if (status != BL_OK)
            return status;
        stream->n_rows = stream->written + stream->filled;
    }
    if (stream->written + stream->filled != stream->n_rows)
        return bli_fail(err, BL_E_INTERNAL,
                        "%llu rows came for '%s', %llu were announced",
                        (unsigned long long)(stream->written + stream->filled),
                        stream->name, (unsigned long long)stream->n_rows);
    herr_t closed = H5Dclose(stream->dataset);
    stream->dataset = H5I_INVALID_HID;
    return closed < 0 ? bli_h5_fail(err, stream->name) : BL_OK;
}

void bli_h5_stream_done(bl_h5_stream *stream)
{
    if (stream->buffer && stream->dataset >= 0)
        H5Dclose(stream->dataset);
    free(stream->buffer);
    *stream = (bl_h5_stream){.dataset = H5I_INVALID_HID};
}
