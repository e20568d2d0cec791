/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes -> bl_table. One file a format behind a small reader interface (reader.h); this
 * face reads whole channels or lists of files. Every file is read once, front to back;
 * its digest is taken on the way. The peak is at most twice the float32 matrix (of a
 * part, where rows come in parts) plus 64 MB
 * while columns are fewer than some 300,000; each takes about 210 bytes for its name, role
 * and counters (1,048,330 columns x 3 rows: 228 MB).
 */
#ifndef BL_INGEST_INGEST_H
#define BL_INGEST_INGEST_H

#include "base/levels.h"
#include "base/rows.h"
#include "contract/contract.h"

/* One feature column of a table. */
typedef struct bl_column {
    char *name;        /* setting, header, or NULL where there is neither */
    const char *type;  /* "q", "i", "int", "float", "c" */
    bool type_given;   /* by bl_feature_types */
    bl_levels *levels; /* of a category, sorted by bytes, codes in x; else NULL */
    uint64_t n_missing;
    uint64_t n_zero;
} bl_column;

typedef struct bl_table {
    size_t n_features;
    bl_column *columns;
    bool has_header;
    size_t n_file_columns; /* of the first file, roles included */
    char **file_columns;   /* [n_file_columns] its header, NULL entries without one */
    uint64_t n_rows;
    size_t n_blocks;
    bl_block *blocks;
    bl_roles roles;
    bl_files files;
} bl_table;

/* What the first table of a job fixes for the later ones: header or none, names, levels.
 */
typedef struct bl_table_like {
    size_t n_features;
    bool has_header;
    const char *const *names;       /* [n_features], NULL entries without a header */
    const char *const *types;       /* [n_features] */
    const bl_levels *const *levels; /* [n_features], NULL for numbers */
    /* Header of the first table's file, roles included, so that roles given by index are
     * found by name in files of another order. 0 and NULL where it is not known. */
    size_t n_file_columns;
    const char *const *file_columns;
} bl_table_like;

/* The table as what later ones are like: lends from it. Free with bli_table_like_free. */
bl_status bli_table_like_new(const bl_table *table, bl_table_like **ret_like,
                             bl_err *err);
void bli_table_like_free(bl_table_like *like);

/* Some rows of a reading, with their roles. */
typedef struct bl_part {
    bl_table *table;    /* its rows are there to be taken: bli_apply */
    uint64_t first_row; /* its row 0 is this row of the data */
    bool is_last;       /* perhaps without rows */
    double read;        /* share of the bytes of all files read so far; 0: not known */
} bl_part;

typedef struct bl_ingest {
    const bl_read_settings *settings;
    const bl_limits *limits;
    const bl_table_like *like; /* NULL for the first */
    const bl_log *log;
    const char *channel; /* "train": prefix of messages; NULL: none */
    bool content_given;  /* ContentType says CSV; else the first line decides, and it is
                            said */
    bool (*cancelled)(void *cookie); /* NULL: never */
    void *cookie;
    /*
     * Rows in parts, so that any number of them goes through bounded memory; needs `like`. Called
     * whenever part_rows of them are there, and after the end with the rest. The table that
     * reading gives in the end has no rows, but counts and files. NULL: all rows in one table.
     */
    bl_status (*part)(void *part_cookie, const bl_part *part, bl_err *err);
    void *part_cookie;
    uint64_t part_rows;
} bl_ingest;

/*
 * Reads every data file of a channel folder, in order of relative path (bytes), any
 * depth.
 *
 * root      the job's root: links are followed inside it only, paths in messages are
 * relative. folder    the channel's folder.
 *
 * Returns BL_OK, BL_E_DATA, BL_E_CONFIG (a setting that the header contradicts),
 * BL_E_LIMIT, BL_E_IO, BL_E_NOMEM, BL_E_CANCELLED.
 */
bl_status bli_ingest_folder(const bl_ingest *ingest, const char *root, const char *folder,
                            bl_table **ret_table, bl_err *err);

/* The same for named files, in the order given. */
bl_status bli_ingest_files(const bl_ingest *ingest, const char *const *paths,
                           size_t n_paths, bl_table **ret_table, bl_err *err);

/* The first lines only, for `boostlens check`: header, roles, delimiter, column count; at
 * most the first two records of each file. */
bl_status bli_ingest_peek(const bl_ingest *ingest, const char *root, const char *folder,
                          bl_err *err);

/* What a channel will be in memory, by the first bytes of its files. */
typedef struct bl_ingest_size {
    uint64_t n_bytes;  /* as stored */
    uint64_t n_rows;   /* with header lines */
    uint64_t n_cells;  /* roles included */
    uint64_t n_filled; /* of these, not empty */
} bl_ingest_size;

/* A guess before anything is read; settings are not looked at. */
bl_status bli_ingest_guess(const bl_ingest *ingest, const char *root, const char *folder,
                           bl_ingest_size *ret_size, bl_err *err);

/* One text in memory as one file named `name` (tests, fuzzing, requests). */
bl_status bli_ingest_text(const bl_ingest *ingest, const char *name, const void *bytes,
                          size_t n_bytes, bl_table **ret_table, bl_err *err);

void bli_table_free(bl_table *table);

/* --- Columns as they are, for a preprocessing plan or a profile ------------------------ */

/*
 * A frame keeps whole columns: numbers in double, texts as codes into a dictionary. Roles
 * are columns like all others; nothing is sorted, renamed or narrowed.
 */
typedef enum bl_frame_kind {
    BL_FRAME_SKIP,   /* not kept */
    BL_FRAME_AUTO,   /* the first cell that is not missing decides: number or text */
    BL_FRAME_NUMBER, /* text is an error */
    BL_FRAME_TEXT    /* every cell is a text, "1" too */
} bl_frame_kind;

/* What a column is wanted as. */
typedef struct bl_frame_want {
    bl_frame_kind kind;
    bool as_float;         /* numbers as strtof reads them, widened; else as strtod */
    bool verbatim;         /* texts: no text means missing, not even the empty one */
    bool unbounded;        /* numbers: inf is one */
    bool overflows;        /* unbounded: so is what is too large for a double */
    bool takes_missing;    /* the settings' number `missing` is missing here */
    bool is_mixed;         /* AUTO: numbers and texts may both stand here */
    const bl_texts *texts; /* that mean missing here, lent; NULL: the settings' */
    size_t tag;            /* the asker's own, handed on to the column */
} bl_frame_want;

typedef struct bl_frame_column {
    char *name;         /* header; NULL without one */
    size_t place, tag;  /* in the file read first; the asker's own */
    bl_frame_kind kind; /* NUMBER or TEXT; AUTO: both stand here (is_mixed) */
    double *numbers;    /* [n_rows] NaN: missing, or a text; NULL where kind is TEXT */
    uint32_t *codes;    /* [n_rows] BL_NO_LEVEL: missing, or a number; NULL: NUMBER */
    bl_levels *levels;  /* of codes, in order of appearance */
    uint64_t n_missing, n_true_false;
    bool is_whole; /* every number is written as a whole one, below 2^53 */
} bl_frame_column;

typedef struct bl_frame {
    bool has_header;
    size_t n_columns;
    bl_frame_column *columns; /* those wanted, in the order of the file read first */
    size_t n_file_columns;
    char **file_columns; /* [n_file_columns] names, NULL entries without a header */
    uint64_t first_row;  /* of the data, where rows come in parts */
    uint64_t n_rows;
    bl_files files;
} bl_frame;

/* Asked once, when the names of the first file are known. names: NULL entries without a
 * header. wants [n]: all BL_FRAME_AUTO, to be changed. */
typedef struct bl_frame_ask {
    bl_status (*choose)(void *cookie, const char *file, size_t n,
                        const char *const *names, bl_frame_want *wants, bl_err *err);
    void *cookie;
    /* Rows in parts, as of bl_ingest: the frame's rows are gone after the call, its dictionaries
     * stay. NULL: all rows in one frame. */
    bl_status (*part)(void *part_cookie, bl_frame *frame, bool is_last, double read,
                      bl_err *err);
    void *part_cookie;
    uint64_t part_rows;
    bool is_peek; /* at most the first two records of each file; rows may lack */
} bl_frame_ask;

/* As bli_ingest_folder and bli_ingest_files. Of the settings of `ingest`, header, missing
 * texts and number count; whether line 1 is a header follows `like` too, where there is
 * one. Later files of a table with a header are matched by name. Free: bli_frame_free. */
bl_status bli_frame_folder(const bl_ingest *ingest, const bl_frame_ask *ask,
                           const char *root, const char *folder, bl_frame **ret_frame,
                           bl_err *err);
bl_status bli_frame_files(const bl_ingest *ingest, const bl_frame_ask *ask,
                          const char *const *paths, size_t n_paths, bl_frame **ret_frame,
                          bl_err *err);
bl_status bli_frame_text(const bl_ingest *ingest, const bl_frame_ask *ask,
                         const char *name, const void *bytes, size_t n_bytes,
                         bl_frame **ret_frame, bl_err *err);
void bli_frame_free(bl_frame *frame);

/* "'a.csv', row 12": the file of a row, and which of its rows (from 0), for messages. */
const char *bli_frame_place(const bl_frame *frame, uint64_t row, char *out, size_t max);

#endif
