/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the room works inside: a layout says what each column of a file is for; a build
 * takes records and makes a bl_table of them.
 */
#ifndef BL_INGEST_PRIV_H
#define BL_INGEST_PRIV_H

#include "ingest/ingest.h"
#include "ingest/reader.h"

/* --- Cells (cells.c) ---------------------------------------------------------------- */

typedef enum bl_cell_kind {
    BL_CELL_MISSING,
    BL_CELL_NUMBER,
    BL_CELL_TRUE_FALSE, /* the number is 1 or 0 */
    BL_CELL_INFINITE,   /* or larger than float32 holds */
    BL_CELL_TEXT
} bl_cell_kind;

/* The texts that mean missing, by their first byte. */
typedef struct bl_missing {
    bool first[256];
    bool any_case;
    size_t n;
    const char *const *text;
} bl_missing;

bl_missing bli_missing(const bl_read_settings *settings);
bool bli_is_missing(const bl_missing *missing, const char *text, size_t n);
bl_cell_kind bli_read_cell(const bl_missing *missing, const char *text, size_t n,
                           float *ret_value);
/* A whole number whose digits float32 does not hold, so that neighbours become one. */
bool bli_is_rounded(const char *text, size_t n, float value);
/* Not zero as written. */
bool bli_is_vanished(const char *text, size_t n, float value);

/* --- Layout (layout.c, header.c) ---------------------------------------------------- */

typedef enum bl_role {
    BL_ROLE_FEATURE,
    BL_ROLE_LABEL,
    BL_ROLE_WEIGHT,
    BL_ROLE_GROUP,
    BL_ROLE_LOWER,
    BL_ROLE_UPPER,
    BL_ROLE_MARGIN,
    BL_ROLE_ID,
    BL_ROLE_DROP,
    BL_N_ROLES
} bl_role;

/* "a weight": for "every row needs a weight". */
const char *bli_role_name(bl_role role);

typedef struct bl_use {
    bl_role role;
    size_t k;      /* which one of its role */
    size_t column; /* of the layout */
} bl_use;

/* The columns of the first file, or of the file of the table that this one is like. */
typedef struct bl_layout {
    size_t n_columns;
    char **names; /* [n_columns], NULL entries without a header */
    bl_use *uses; /* [n_columns] */
    size_t n_of[BL_N_ROLES];
} bl_layout;

void bli_layout_done(bl_layout *layout);

/* Whether line 1 of a file holds names. */
bl_status bli_decide_header(const bl_ingest *ingest, const bl_probe *probe,
                            const char *name, bool *ret_header, bl_err *err);
/* true where line 1 reads as names by itself: `auto`. ret_why (may be NULL): why not. */
bool bli_looks_like_header(const bl_probe *probe, const char **ret_why);

/* The layout of a table by its first file. header: whether that file has one. */
bl_status bli_layout_make(const bl_ingest *ingest, const bl_probe *probe,
                          const char *name, bool header, bl_layout *ret_layout,
                          bl_err *err);
/* What each column of a file is for. is_first: roles that are optional may lack, and then
 * lack in the layout. ret_uses [probe->rows[0].n], free() it. */
bl_status bli_layout_map(const bl_ingest *ingest, bl_layout *layout, bool is_first,
                         const bl_probe *probe, const char *name, bool header,
                         bl_use **ret_uses, bl_err *err);

/* --- Building (build.c, finish.c) --------------------------------------------------- */

typedef enum bl_column_kind {
    BL_KIND_NUMBER,
    BL_KIND_OPEN,   /* text is allowed; the first cell decides */
    BL_KIND_TEXT,   /* text so far: numbers are not allowed any more */
    BL_KIND_LEVELS, /* type c: every cell is a level */
    BL_KIND_KNOWN   /* levels of the first table */
} bl_column_kind;

/* Beside bl_column, while reading; for role columns too. */
typedef struct bl_column_state {
    bl_column_kind kind;
    const bl_levels *known;
    uint64_t n_true_false, n_rounded, n_vanished, n_unseen;
    uint64_t line; /* of the first rounded or vanished cell, or of the first text */
    size_t file;
} bl_column_state;

typedef struct bl_build {
    const bl_ingest *ingest;
    bl_missing missing;
    bl_table *table;
    bl_layout layout;
    bl_column_state *states; /* [layout.n_columns] */
    uint64_t
        rows_before; /* those that went with parts; table->n_rows counts the others */
    uint64_t block_rows;
    uint64_t cap_block; /* rows that the last block has room for */
    size_t cap_blocks;
    size_t cap_rows; /* of the role arrays */
    size_t cap_groups, cap_files;
    size_t *cap_ids; /* [n_ids] bytes of text */
    size_t n_text;   /* columns of text: categories, groups, ids */
    bl_levels *groups;
    uint32_t group; /* code of the group of the last row */
    float group_weight;
    uint64_t n_label_missing, n_weight_zero;
    uint64_t label_missing_line;
    size_t label_missing_file;
    /* the file being read */
    const char *name;
    size_t file;
    const bl_use *uses;
    size_t n_cells; /* columns of it */
    bool has_header;
    const char *no_header_why; /* line 1 of a file without header: why it is none */
    bool is_first_record;
} bl_build;

/* table->columns and states by the layout; also the settings on names and types. */
bl_status bli_build_columns(bl_build *build, bl_err *err);
/* Rows read so far. */
static inline uint64_t bli_build_n_rows(const bl_build *build)
{
    return build->rows_before + build->table->n_rows;
}
/* The part at work has all its rows: it is to be given away before the next. */
static inline bool bli_build_is_full(const bl_build *build)
{
    return build->ingest->part && build->table->n_rows >= build->ingest->part_rows;
}
/* Gives the rows at hand to ingest->part (parts.c). */
bl_status bli_build_give_part(bl_build *build, bool is_last, double read, bl_err *err);
/* Labels missing in some rows, but not in all, are an error; in all: there are none. */
bl_status bli_build_check_labels(bl_build *build, bl_err *err);
/* The place of the row to come, for bulk.c. */
bl_status bli_build_next_row(bl_build *build, float **ret_x, bl_err *err);
bl_status bli_build_record(bl_build *build, const bl_record *record, bl_err *err);
/* After the last record: whole-table checks, levels sorted, notes and warnings logged. */
bl_status bli_build_finish(bl_build *build, bl_err *err);
void bli_build_done(bl_build *build); /* the table too, where it is still here */

/* "column 'age'" or "column 3": of the layout's column, into out. */
const char *bli_column_text(const bl_build *build, size_t column, char *out, size_t max);
#define BL_COLUMN_TEXT 120

/* A cell that is no feature, and what only the whole row shows (roles.c). */
bl_status bli_build_role(bl_build *build, const bl_record *record, size_t cell,
                         bl_err *err);
bl_status bli_build_row_check(bl_build *build, const bl_record *record, bl_err *err);

/* For messages. The first two put the place before it and return st. */
bl_status bli_at_cell(const bl_build *build, const bl_record *record, size_t cell,
                      bl_status st, bl_err *err);
bl_status bli_at_record(const bl_build *build, const bl_record *record, bl_status st,
                        bl_err *err);
/* What to add where the first line of a file without header is to blame. */
const char *bli_header_hint(const bl_build *build, char *out, size_t max);
#define BL_CELL_TEXT_MAX 60 /* bytes of a cell that a message shows */
/* Counts a number that float32 does not hold as it is written. */
void bli_note_small_losses(bl_build *build, const bl_record *record, size_t cell,
                           float value);

/* --- Files (walk.c) ----------------------------------------------------------------- */

typedef struct bl_found {
    char *path; /* to open */
    char *name; /* relative to root, for messages */
    uint64_t n_bytes;
} bl_found;

typedef struct bl_list {
    size_t n, cap;
    bl_found *file;
    uint64_t n_hidden, n_empty;
} bl_list;

/* The data files below folder, sorted by the bytes of their path. */
bl_status bli_walk(const bl_limits *limits, const char *root, const char *folder,
                   bl_list *ret_list, bl_err *err);
/* The files named, in the order given; a folder is an error. */
bl_status bli_list_files(const bl_limits *limits, const char *const *paths,
                         size_t n_paths, bl_list *ret_list, bl_err *err);
bl_status bli_list_add(bl_list *list, const char *path, const char *name,
                       uint64_t n_bytes, const bl_limits *limits, bl_err *err);
void bli_list_done(bl_list *list);

/* --- For tests ---------------------------------------------------------------------- */

bl_status bli_ingest_text_how(const bl_ingest *ingest, const char *name,
                              const void *bytes, size_t n_bytes, const bl_read_how *how,
                              bl_table **ret_table, bl_err *err);

#endif
