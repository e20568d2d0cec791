/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The quick way for lines of plain numbers: cut and read in one pass over the bytes. Whatever
 * is not plain (text, quotes, infinities, digits that float32 does not hold, another number
 * of cells, a role that lacks) stops it at the start of that line, and the ordinary way takes
 * the line; so it knows no errors, and both ways give one table.
 */
#ifndef BL_INGEST_PLAIN_H
#define BL_INGEST_PLAIN_H

#include "ingest/ingest_priv.h"

/* What the lines of a file are. Constant while lines are read. */
typedef struct bl_plain {
    const bl_missing *missing;
    char delimiter;
    size_t n_cells;
    size_t n_needed; /* cells that must hold a number: roles */
    size_t *needed;
    bool *dropped;               /* [n_cells] nobody reads it */
    size_t weight, lower, upper; /* cells of these roles; n_cells: none */
    uint64_t line_bytes;         /* limit */
    bool slow_cells;             /* a missing text begins as numbers do */
} bl_plain;

bl_status bli_plain_init(bl_plain *plain, const bl_build *build, char delimiter,
                         bl_err *err);
void bli_plain_done(bl_plain *plain);

/* Lines read into values, row-major [n_rows][n_cells], NaN where missing. */
typedef struct bl_plain_rows {
    const char *text; /* whole lines, the last byte is an LF */
    size_t n_bytes;
    float *values; /* room for n_bytes floats, which is always enough */
    size_t n_rows;
    size_t n_read; /* bytes; less than n_bytes: the next line is not plain */
} bl_plain_rows;

/* Touches nothing but rows: any number of threads may call it, each with its own. */
void bli_plain_read(const bl_plain *plain, bl_plain_rows *rows);

/* Puts plain lines of a file into the table (bulk.c). */
typedef struct bl_plain_reader bl_plain_reader;
bl_status bli_plain_reader_new(bl_build *build, char delimiter,
                               bl_plain_reader **ret_reader, bl_err *err);
void bli_plain_reader_free(bl_plain_reader *reader);
/* Takes some plain lines. *ret_more = false: the next record is to be read the ordinary way. */
bl_status bli_plain_advance(bl_plain_reader *reader, bl_csv *csv, bool *ret_more,
                            bl_err *err);

#endif
