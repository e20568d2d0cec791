/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bl_table -> bl_matrix. Without a plan the columns of the table are the columns of the model;
 * blocks are taken over, not copied. With a plan: plan -> transform, fitted on the training
 * rows of a frame, and applied by the same code to any other rows.
 */
#ifndef BL_PREPROCESS_PREPROCESS_H
#define BL_PREPROCESS_PREPROCESS_H

#include "ingest/ingest.h"
#include "matrix/matrix.h"

/* The schema that the training table fixes. Free: bli_schema_free. */
bl_status bli_fit(const bl_table *train, bl_schema **ret_schema, bl_err *err);

/* Takes the rows out of the table, which keeps its columns, and gives them in the
 * schema's columns. */
bl_status bli_apply(const bl_schema *schema, bl_table *table, bl_matrix **ret_matrix,
                    bl_err *err);

/* What other tables are read like, where only a saved schema is left of the first one. Lends
 * from the schema; the arrays are the result's: bli_like_done. */
bl_status bli_like_from_schema(const bl_schema *schema, bl_table_like *ret_like,
                               bl_err *err);
void bli_like_done(bl_table_like *like);

/* --- Plans ---------------------------------------------------------------------------- */

/* A plan as a person wrote it (README.md of this room is the manual of its members). */
typedef struct bl_plan bl_plan;

/*
 * name    of its file, for messages
 * Returns BL_OK, BL_E_CONFIG (the message names the path of the wrong member and what is
 * allowed there), BL_E_LIMIT, BL_E_NOMEM. Free: bli_plan_free.
 */
bl_status bli_plan_read(const char *name, const char *text, size_t n,
                        const bl_limits *limits, bl_plan **ret_plan, bl_err *err);
void bli_plan_free(bl_plan *plan);
/* Roles that the plan does not give are taken from the settings; one that both give is
 * refused, naming both. label_given: bl_label was typed, not the default. */
bl_status bli_plan_take_settings(bl_plan *plan, const bl_read_settings *settings,
                                 bool label_given, bl_err *err);
/* --train-test-split-ratio and --random-split: they win over the plan. < 0: not given. */
void bli_plan_set_split(bl_plan *plan, double test, int64_t seed);
bool bli_plan_has_split(const bl_plan *plan);

/* --- A plan met with data --------------------------------------------------------------- */

typedef struct bl_transform bl_transform;

/* plan is lent. One that is fitted already (as process writes it) gives a fitted transform.
 * Free: bli_transform_free. */
bl_status bli_transform_new(const bl_plan *plan, const bl_limits *limits,
                            bl_transform **ret_transform, bl_err *err);
/* Levels not seen in training: over what the plan says (--unseen). */
void bli_transform_set_unseen(bl_transform *transform, bl_unseen unseen);
void bli_transform_free(bl_transform *transform);
bool bli_transform_is_fitted(const bl_transform *transform);
/* Columns of the file that features come from, and their names (NULL without a header). */
size_t bli_transform_n_columns(const bl_transform *transform);
const char *bli_transform_column(const bl_transform *transform, size_t i);

/* How files are read for it: before the first, columns are found by the plan; after it, by
 * the names (or places) of the first. doubles: every number as strtod reads it, also where
 * no step reads it. optional: rows may lack labels (predict, explain). Settings (a copy of
 * the job's) get a header where the plan names columns. */
bl_frame_ask bli_transform_ask(bl_transform *transform, bool doubles, bool optional,
                               const bl_log *log);
bool bli_plan_names_columns(const bl_plan *plan);
const bl_column_refs *bli_plan_ids(const bl_plan *plan);
const bl_column_refs *bli_plan_labels(const bl_plan *plan);
/* "missing" of the plan; NULL: not given. */
const bl_texts *bli_plan_missing(const bl_plan *plan);

enum { BL_SET_TRAIN, BL_SET_VALIDATION, BL_SET_TEST, BL_N_SETS };

/* Rows of a frame in each part, in the order they stand in there. */
typedef struct bl_row_sets {
    uint64_t *row[BL_N_SETS]; /* NULL where n is 0 */
    uint64_t n[BL_N_SETS];
} bl_row_sets;

/* Filters, duplicates, and (where split) the plan's split. */
bl_status bli_transform_rows(const bl_transform *transform, const bl_frame *frame,
                             bool split, const bl_log *log, bl_row_sets *ret_sets,
                             bl_err *err);
void bli_row_sets_done(bl_row_sets *sets);

/* Fits on rows of the frame, once. */
bl_status bli_transform_fit(bl_transform *transform, const bl_frame *frame,
                            const uint64_t *row, uint64_t n, const bl_limits *limits,
                            const bl_log *log, bl_err *err);

/* The model's columns, and the source columns they come from. Free: bli_schema_free. */
bl_status bli_transform_schema(const bl_transform *transform, bl_schema **ret_schema,
                               bl_err *err);

/*
 * Rows of a frame (NULL: all) as a matrix, with their roles.
 *
 * training    these are the rows it was fitted on: target encoding gives out-of-fold values
 * optional    rows may lack labels: then the matrix has none
 * take_files  the matrix takes the frame's list of files
 * ret_said    NULL, or set where a warning was logged, so that the next part can be quiet
 */
bl_status bli_transform_matrix(const bl_transform *transform, const bl_schema *schema,
                               bl_frame *frame, const uint64_t *row, uint64_t n,
                               bool training, bool optional, bool take_files,
                               bool *ret_said, const bl_log *log, bl_matrix **ret_matrix,
                               bl_err *err);

/* The same rows as CSV for other programs: label, weight, group, bounds, margins, ids,
 * then the features; doubles as Python's repr, categories as their level. names: a header
 * line first. `write` gets pieces of text. */
typedef bl_status (*bl_text_sink)(void *cookie, const char *text, size_t n, bl_err *err);
bl_status bli_transform_csv(const bl_transform *transform, const bl_frame *frame,
                            const uint64_t *row, uint64_t n, bool training, bool names,
                            const bl_log *log, bl_text_sink write, void *cookie,
                            bl_err *err);

/* Plan and fitted state as one JSON object, and back. The plan is the result's owner of
 * what it lends: free it after the transform. */
void bli_transform_write(const bl_transform *transform, bl_jw *jw);
bl_status bli_transform_read(const json_t *object, const bl_limits *limits,
                             bl_plan **ret_plan, bl_transform **ret_transform,
                             bl_err *err);
/* Of the text that bli_transform_write gives. */
bl_status bli_transform_digest(const bl_transform *transform,
                               char ret_sha256[BL_DIGEST_TEXT], bl_err *err);

#endif
