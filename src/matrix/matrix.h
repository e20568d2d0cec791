/* SPDX-License-Identifier: Apache-2.0 */
/* What a row is: names, kinds and levels of the model's columns, and float32 rows of them. */
#ifndef BL_MATRIX_MATRIX_H
#define BL_MATRIX_MATRIX_H

#include "base/json.h"
#include "base/levels.h"
#include "base/rows.h"

/* One column of the model. */
typedef struct bl_feature {
    char *name;        /* as written by the user; "f<i>" where has_names is false */
    const char *type;  /* XGBoost's "q", "i", "int", "float", "c" */
    bl_levels *levels; /* of type "c" read from text; else NULL */
    size_t source;     /* index of the source column it comes from */
} bl_feature;

typedef struct bl_schema {
    size_t n_features;
    bl_feature *features;
    bool has_names;  /* false: names are f0, f1, ... and stay out of the model file */
    bool has_types;  /* given by the user, or some column is a category */
    bool has_header; /* of the data it was made from */
    size_t n_sources;
    char **sources; /* names of the source columns */
} bl_schema;

typedef struct bl_matrix {
    const bl_schema *schema; /* lent */
    size_t n_features;
    uint64_t n_rows;
    size_t n_blocks;
    bl_block *blocks;
    bl_roles roles;
    bl_files files;
} bl_matrix;

void bli_schema_free(bl_schema *schema);
/* Each source column is one feature, in the same order: the two views are one. */
bool bli_schema_is_plain(const bl_schema *schema);
void bli_matrix_free(bl_matrix *matrix);

/* The rows at row[0..n), ascending or not, as a fresh matrix with their roles (groups are kept
 * whole: rows of a group must be adjacent in `row`). */
bl_status bli_matrix_take_rows(const bl_matrix *matrix, const uint64_t *row, uint64_t n,
                               bl_matrix **ret_matrix, bl_err *err);

/* Rows of `a` then rows of `b`, both taken over and freed on success. */
bl_status bli_matrix_append(bl_matrix **take_a, bl_matrix **take_b,
                            bl_matrix **ret_matrix, bl_err *err);

/* Block that holds a row. */
const bl_block *bli_matrix_block(const bl_matrix *matrix, uint64_t row);

/* Writes the schema as a JSON object; reads it back. */
void bli_schema_write(const bl_schema *schema, bl_jw *jw);
bl_status bli_schema_read(const json_t *object, bl_schema **ret_schema, bl_err *err);

#endif
