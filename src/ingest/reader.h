/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The room's own interface between bytes and rows: a source gives bytes, a reader makes
 * records of cells out of them. One reader a format; csv.c is the first.
 */
#ifndef BL_INGEST_READER_H
#define BL_INGEST_READER_H

#include "base/digest.h"
#include "base/limits.h"

#include <stdbool.h>
#include <stdint.h>

/* --- Sources ------------------------------------------------------------------------ */

/* Bytes of one file, read once, front to back; gzip (by its magic) is unpacked on the
 * way. The digest is that of the bytes as stored. */
typedef struct bl_source bl_source;

/* path is opened, name stands in messages. Anything that can be read front to back will
 * do, a FIFO too. Free: bli_source_free. */
bl_status bli_source_open(const char *path, const char *name, bl_source **ret_source,
                          bl_err *err);
/* bytes are borrowed for the life of the source. */
bl_status bli_source_of_bytes(const void *bytes, size_t n_bytes, const char *name,
                              bl_source **ret_source, bl_err *err);
void bli_source_free(bl_source *source);

/* Up to cap bytes; *ret_n = 0 is the end. */
bl_status bli_source_read(bl_source *source, char *out, size_t cap, size_t *ret_n,
                          bl_err *err);
/* Bytes taken from storage so far. */
uint64_t bli_source_n_bytes(const bl_source *source);
/* After the end was read: once. */
bl_status bli_source_digest(bl_source *source, char ret_hex[BL_DIGEST_TEXT], bl_err *err);

/* --- Records ------------------------------------------------------------------------ */

/* Not NUL-terminated; lent until the next record is read. */
typedef struct bl_cell {
    const char *text;
    size_t n;
} bl_cell;

typedef struct bl_record {
    uint64_t line; /* of the file, from 1, on which the record begins */
    size_t n;      /* 0: a blank line */
    const bl_cell *cells;
} bl_record;

typedef enum bl_next {
    BL_NEXT_RECORD,
    BL_NEXT_END,
    BL_NEXT_MORE /* a text in memory ends within a record, and is not the whole file */
} bl_next;

/* How to read; tests vary it, and the result must not change. */
typedef struct bl_read_how {
    size_t chunk_bytes;   /* asked of the source at a time; 0: the usual */
    bool only_libcsv;     /* no scanner of our own */
    uint64_t max_records; /* of each file; 0: all */
} bl_read_how;

typedef struct bl_csv bl_csv;

/* Reads records of a source (borrowed). The delimiter is set before the first record. */
bl_status bli_csv_new(bl_source *source, const char *name, const bl_limits *limits,
                      const bl_read_how *how, bl_csv **ret_csv, bl_err *err);
void bli_csv_free(bl_csv *csv);
void bli_csv_set_delimiter(bl_csv *csv, char delimiter);
bl_status bli_csv_next(bl_csv *csv, bl_record *ret_record, bl_next *ret_next,
                       bl_err *err);

/* Reads the records of n bytes of text, the start of what `like` reads; is_cut: more
 * would follow, so a record that reaches the end is not known. */
bl_status bli_csv_over(const char *text, size_t n, bool is_cut, char delimiter,
                       const bl_csv *like, bl_csv **ret_csv, bl_err *err);

/* The bytes read ahead and not yet made into records; lent until the next call. Where
 * more is asked (min_bytes over what there is) reads on; at_end says that nothing
 * follows. */
bl_status bli_csv_ahead(bl_csv *csv, size_t min_bytes, const char **ret_text,
                        size_t *ret_n, bool *ret_at_end, bl_err *err);

/* Whole lines read ahead, up to an LF; *ret_n = 0 where there is none, for the next record
 * may need more bytes or ends otherwise. Lent until the next call. */
bl_status bli_csv_lines(bl_csv *csv, const char **ret_text, size_t *ret_n, bl_err *err);
/* Takes the first n_bytes of them, n_lines lines, as read. */
void bli_csv_skip(bl_csv *csv, size_t n_bytes, uint64_t n_lines);

/* --- The first two records, for deciding -------------------------------------------- */

typedef struct bl_row_copy {
    uint64_t line;
    size_t n;
    bl_cell *cells;
    char *text;
} bl_row_copy;

typedef struct bl_probe {
    char delimiter;
    size_t n_rows; /* 0, 1, 2 */
    bl_row_copy rows[2];
} bl_probe;

/* Finds the delimiter by the first two records: , ; tab | or blank. `prefer` (0: none) is
 * taken where it gives prefer_n cells. */
bl_status bli_probe(bl_csv *csv, const char *name, char prefer, size_t prefer_n,
                    bl_probe *ret_probe, bl_err *err);
void bli_probe_rows_done(bl_probe *probe); /* keeps delimiter and n_rows */
void bli_probe_done(bl_probe *probe);

/* Refuses what is no CSV by its first bytes, naming what it is; libsvm only where
 * guess_libsvm, because a text column may look like it. */
bl_status bli_refuse_other_formats(bl_csv *csv, const char *name, bool guess_libsvm,
                                   bl_err *err);

/* "comma", "blank", ... */
const char *bli_delimiter_name(char delimiter);

#endif
