/* SPDX-License-Identifier: Apache-2.0 */
/* A frame while it is read: what frame.c (cells) and frame_read.c (files) share. */
#ifndef BL_INGEST_FRAME_PRIV_H
#define BL_INGEST_FRAME_PRIV_H

#include "ingest/ingest_priv.h"

/* Beside bl_frame_column, while reading. */
typedef struct bl_frame_state {
    bl_frame_want want;
    bl_missing missing;
    uint64_t n_rounded, n_vanished;
    uint64_t line; /* of the first text of an open column, or of the first loss */
    size_t file;
} bl_frame_state;

typedef struct bl_frame_build {
    const bl_ingest *ingest;
    const bl_frame_ask *ask;
    bl_frame *frame;
    bl_frame_state *states; /* [n_columns] */
    size_t cap_rows, cap_files;
    /* the file being read */
    const char *name;
    size_t file;
    size_t n_cells;
    size_t *slot; /* [n_cells] column of the frame, SIZE_MAX: none */
    bool is_first_record;
    const char *no_header_why;
} bl_frame_build;

#define BL_NO_SLOT SIZE_MAX

/* Columns of the frame by what was asked for; names: [n] of the first file. */
bl_status bli_frame_columns(bl_frame_build *build, size_t n, const char *const *names,
                            bl_err *err);
bl_status bli_frame_record(bl_frame_build *build, const bl_record *record, bl_err *err);
/* No rows: the next part. */
void bli_frame_clear(bl_frame *frame);
void bli_frame_finish(bl_frame_build *build);
void bli_frame_build_done(bl_frame_build *build);

#endif
