/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of report: text that is clean, and HDF5 datasets filled row by row.
 */
#ifndef BL_REPORT_REPORT_PRIV_H
#define BL_REPORT_REPORT_PRIV_H

#include "report/report.h"

#include <H5Ipublic.h>
#include <H5public.h>

/* --- text.c ------------------------------------------------------------------------- */

/* Appends n bytes of text, each byte that is not part of UTF-8 (and NUL) as U+FFFD. */
void bli_utf8_add(bl_buf *out, const char *text, size_t n);
/* One CSV cell: quoted where it must be (RFC 4180). */
void bli_csv_cell(bl_buf *out, const char *text, size_t n);
/* A number, nothing where it is not finite. */
void bli_csv_number(bl_buf *out, double value);

/* --- h5_pack.c ---------------------------------------------------------------------- */

/* Of libdeflate: the higher ones save 1 % of SHAP values for a third of the speed. */
enum { BL_H5_LEVEL = 1, BL_H5_SLOTS = 16 };
/* Most dimensions of one row. */
enum { BL_H5_SHAPE = 3 };

/* What all datasets of a file share. */
typedef struct bl_h5_pool {
    int n_threads;
    bool compress;
    size_t chunk_bytes;                     /* of the largest chunk */
    size_t n_slots;                         /* chunks packed side by side */
    struct libdeflate_compressor **packers; /* [n_threads] */
    unsigned char **shuffled;               /* [n_threads][chunk_bytes] */
    unsigned char *packed;                  /* [n_slots][chunk_bytes] */
} bl_h5_pool;

/* Once it fits all streams it is for. */
bl_status bli_h5_pool_init(bl_h5_pool *pool, bl_err *err);
void bli_h5_pool_done(bl_h5_pool *pool);

/* A chunk of n bytes as the filters would leave it, in out[n]; 0 where that is no
 * smaller. shuffled_width: bytes of an element, 0 where the pipeline does not shuffle. */
size_t bli_h5_pack(const bl_h5_pool *pool, const unsigned char *in, size_t n,
                   size_t shuffled_width, unsigned char *out);

/* --- h5_driver.c -------------------------------------------------------------------- */

/* Where a file goes to, and the first thing that went wrong there. */
typedef struct bl_h5_disk {
    hid_t driver;
    int errno_value; /* 0: all is well */
} bl_h5_disk;

/* Files opened with these access settings report to disk, which must outlive them. */
bool bli_h5_disk_use(bl_h5_disk *disk, hid_t access);
void bli_h5_disk_done(bl_h5_disk *disk);

/* --- h5_stream.c -------------------------------------------------------------------- */

/* A dataset whose rows arrive in order. */
typedef struct bl_h5_stream {
    const char *name; /* for messages */
    hid_t dataset;
    bool chunked;
    bool shuffle;
    size_t element_bytes;
    int rank;
    size_t row_bytes;
    uint64_t n_rows;
    uint64_t chunk_rows;
    uint64_t capacity; /* rows of the buffer */
    uint64_t filled;   /* rows in it */
    uint64_t written;  /* rows before it */
    unsigned char *buffer;
} bl_h5_stream;

/* HDF5 prints nothing between the two. */
typedef struct bl_h5_quiet {
    void *handler;
    void *data;
} bl_h5_quiet;
void bli_h5_quiet_begin(bl_h5_quiet *ret_before);
void bli_h5_quiet_end(const bl_h5_quiet *before);
/* BL_E_IO with what HDF5 says. */
bl_status bli_h5_fail(bl_err *err, const char *what);

/* A dataset [n_rows][shape...] of the memory type below `place`. shape[n_shape], at
 * most BL_H5_SHAPE. BL_H5_ROWS_UNKNOWN: it grows with the rows that come, in chunks even where
 * nothing is compressed. */
bl_status bli_h5_stream_open(bl_h5_stream *stream, const bl_h5_pool *pool, hid_t place,
                             const char *name, hid_t type, uint64_t n_rows,
                             const size_t *shape, int n_shape, bl_err *err);
/* Room for the next rows, at most *n: their number in *n, to be filled by the caller and
 * then told by bli_h5_stream_filled, which writes what is ready. */
unsigned char *bli_h5_stream_room(bl_h5_stream *stream, uint64_t *n);
bl_status bli_h5_stream_filled(bl_h5_stream *stream, const bl_h5_pool *pool, uint64_t n,
                               bl_err *err);
/* Checks that all announced rows came, closes the dataset. */
bl_status bli_h5_stream_close(bl_h5_stream *stream, const bl_h5_pool *pool, bl_err *err);
/* Grows what the pool will have to what the stream needs. */
void bli_h5_pool_fit(bl_h5_pool *pool, const bl_h5_stream *stream);
void bli_h5_stream_done(
    bl_h5_stream *stream); /* of what is open; zero-initialised is nothing */

#endif
