/* SPDX-License-Identifier: Apache-2.0 */
/* A plan met with data: what each column of the file is for, and what was fitted. */
#ifndef BL_PREPROCESS_TRANSFORM_PRIV_H
#define BL_PREPROCESS_TRANSFORM_PRIV_H

#include "preprocess/plan_priv.h"

#define BL_NONE SIZE_MAX

/* --- Which column is what (resolve.c) ------------------------------------------------- */

typedef enum bl_place_role {
    BL_AS_LEFT,    /* left out */
    BL_AS_FEATURE, /* of an entry */
    BL_AS_LABEL,
    BL_AS_WEIGHT,
    BL_AS_GROUP,
    BL_AS_LOWER,
    BL_AS_UPPER,
    BL_AS_MARGIN,
    BL_AS_ID,
    BL_AS_DATE, /* rows are told apart by it, and it is no feature */
    BL_N_PLACE_ROLES
} bl_place_role;

/* A column of the training file. */
typedef struct bl_use_of {
    bl_place_role part;
    size_t order;  /* which one of its part; features: in the plan's order */
    size_t entry;  /* features: of the plan; BL_NONE: as it is */
    bool is_read;  /* by a row step or the split too */
    bool is_named; /* by a role or under drop */
} bl_use_of;

/* Fills has_header, file_columns, uses and n_of from the training file. */
bl_status bli_resolve(bl_transform *t, const char *file, size_t n,
                      const char *const *names, bl_err *err);
/* How a column of the training file is read. doubles: all numbers by strtod. */
void bli_want_of(const bl_transform *t, size_t i, bool doubles, bl_frame_want *want);

/* --- Number steps (numbers.c) --------------------------------------------------------- */

/* One fitted step on one column of numbers. */
typedef struct bl_number_step {
    bl_step_kind kind;
    size_t n;
    double *v; /* [n] what was fitted, by kind: see bli_number_names */
} bl_number_step;

/* Names of the first fitted numbers of a kind for JSON; the rest is a list. NULL-ended. */
const char *const *bli_number_names(bl_step_kind kind);
/* Fits on x [n] (NaN: missing) and applies itself to x. */
bl_status bli_number_fit(const bl_step *step, double *x, uint64_t n,
                         bl_number_step *ret_step, bl_err *err);
/* In place. *ret_bad: first row whose value the step does not know, else n. */
void bli_number_apply(const bl_number_step *step, double *x, uint64_t n,
                      uint64_t *ret_bad);

/* NumPy's pairwise sum of a contiguous array. */
double bli_pairwise_sum(const double *x, uint64_t n);
/* Mean and population variance as NumPy's mean and var. */
void bli_mean_var(const double *x, uint64_t n, double *ret_mean, double *ret_var);

/* --- Dates (dates.c) ------------------------------------------------------------------ */

/* Seconds since 1970-01-01 UTC of a text; format NULL: ISO 8601. false: no such date. */
bool bli_date_read(const char *text, const char *format, double *ret_seconds);
double bli_date_part_of(double seconds, bl_date_part part);

/* --- Columns that become features ----------------------------------------------------- */

typedef struct bl_made {
    char *name;
    size_t part;       /* column of the source's table; numbers: 0 */
    bool is_indicator; /* 1 where the source is missing */
    bool is_category;  /* codes into the source's levels */
    size_t n_steps;
    bl_number_step *steps;
} bl_made;

/* A column of the file and the columns made of it. */
typedef struct bl_source {
    char *name;   /* header, or "f<place>" without one */
    size_t place; /* in the training file */
    size_t entry; /* of the plan, or BL_NONE */
    bool is_text;
    bl_unseen unseen;
    /* Texts: a level's code by `known`, else `other`; a missing cell's is `filled`. */
    bl_step_kind encode;
    bl_levels *known;
    uint32_t other, filled; /* BL_NO_LEVEL: none */
    size_t width;
    double *table; /* [known + 1][width]; the last row is a missing cell's. Dates: NULL */
    /* Target encoding, while training: tables without each fold; fold of each row. */
    size_t n_folds;
    double *fold_tables; /* [n_folds][known + 1][width] */
    uint32_t *fold;      /* [n_rows fitted on] */
    size_t first_made;   /* counted over all sources */
    size_t n_made;
    bl_made *made;
} bl_source;

typedef struct bl_pca {
    char *name;
    size_t n_in, n_out;
    size_t *in;       /* [n_in] made columns, counted over all sources */
    double *mean;     /* [n_in] */
    double *axis;     /* [n_out][n_in] */
    double *singular; /* [n_out] */
} bl_pca;

/* Where a model column comes from. */
typedef struct bl_model_column {
    size_t made; /* counted over all sources; or */
    size_t pca, component;
} bl_model_column;

struct bl_transform {
    const bl_plan *plan; /* lent */
    bool is_fitted;
    bool doubles;        /* all numbers are read by strtod (process) */
    bool label_optional; /* of the files read next */
    const bl_log *log;   /* of the reading in progress; may be NULL */
    bool has_header;
    size_t n_file_columns;
    char **file_columns;
    bl_use_of *uses; /* [n_file_columns] */
    size_t n_of[BL_N_PLACE_ROLES];
    /* Classes of a text label: NULL where labels are numbers. */
    bl_levels *classes;
    double *class_value; /* [classes] */
    bool has_other_class;
    double other_class;
    size_t n_sources;
    bl_source *sources;
    size_t n_made;       /* over all sources */
    size_t *made_source; /* [n_made] */
    bool *is_dropped;    /* [n_made] by screening */
    size_t n_pcas;
    bl_pca *pcas;
    size_t n_columns;
    bl_model_column *columns;
};

void bli_source_done(bl_source *source);
size_t bli_source_n_levels(const bl_source *source);
const bl_entry *bli_source_entry(const bl_transform *t, const bl_source *source);

/* The columns as listed once all sources are fitted (fit.c). */
bl_status bli_count_made(bl_transform *t, const bl_limits *limits, bl_err *err);
/* One source a feature, by the plan (fit.c). */
bl_status bli_list_sources(bl_transform *t, bl_err *err);

/* What the plan's "fitted" holds (state.c). */
bl_status bli_transform_take_fitted(bl_transform *t, const bl_limits *limits,
                                    bl_err *err);

/* --- fit_text.c ------------------------------------------------------------------------ */

/* Dictionary, table and columns of a text column, from its rows [n] of codes. y: [n][k]
 * targets, for target encoding; NULL where there is no label. */
typedef struct bl_targets {
    size_t k;
    const double *y; /* [n][k] */
} bl_targets;
bl_status bli_fit_text(bl_source *source, const bl_frame_column *column,
                       const bl_step *steps, size_t n_steps, const uint64_t *row,
                       uint64_t n, const bl_targets *targets, uint64_t limit,
                       bl_err *err);
/* The first step after those bli_fit_text took. */
size_t bli_text_steps(const bl_step *steps, size_t n_steps);
bl_status bli_fit_target(bl_source *source, const bl_step *step, const uint32_t *code,
                         uint64_t n, const bl_targets *targets, bl_err *err);

/* --- roles.c ----------------------------------------------------------------------------- */

/* Classes of a text label, from the plan or sorted by bytes. */
bl_status bli_fit_classes(bl_transform *t, const bl_frame_column *column,
                          const uint64_t *row, uint64_t n, bl_err *err);
/* Labels [n][n_labels] of rows, in double. optional: *ret_labels NULL where none has one. */
bl_status bli_labels_of(const bl_transform *t, const bl_frame *frame,
                        const bl_frame_column *const *by_place, const uint64_t *row,
                        uint64_t n, bool optional, double **ret_labels, bl_err *err);
bl_status bli_roles_of(const bl_transform *t, const bl_frame *frame,
                       const bl_frame_column *const *by_place, const uint64_t *row,
                       uint64_t n, bool optional, bl_roles *ret_roles, bl_err *err);
/* Column of the file for a part, by its order; BL_NONE where there is none. */
size_t bli_place_of(const bl_transform *t, bl_place_role part, size_t order);

/* --- bind.c: a transform met with a frame ------------------------------------------------ */

typedef struct bl_bound_source {
    const bl_frame_column *column;
    uint32_t *code; /* [levels of the frame] code, or known (missing) */
    double *table;  /* dates: [levels of the frame + 1][width] */
} bl_bound_source;

typedef struct bl_bound {
    const bl_transform *t;
    const bl_frame *frame;
    const uint64_t *row; /* NULL: all, in order */
    uint64_t n_rows;
    bool training; /* rows the transform was fitted on: out-of-fold values */
    const bl_frame_column **by_place; /* [n_file_columns] */
    uint64_t n_unseen;                /* levels */
    bl_bound_source *sources;
} bl_bound;

bl_status bli_bind(const bl_transform *t, const bl_frame *frame, const uint64_t *row,
                   uint64_t n_rows, bool training, const bl_log *log, bl_bound *ret_bound,
                   bl_err *err);
void bli_bound_done(bl_bound *bound);
/* Rows [first, first + n) of one made column, in double. */
bl_status bli_bound_made(const bl_bound *bound, size_t made, uint64_t first, uint64_t n,
                         double *out, bl_err *err);
/* The frame's column of each column of the training file (bl_frame_column.tag); NULL where it
 * was not read. free() the array. */
bl_status bli_frame_places(const bl_transform *t, const bl_frame *frame,
                           const bl_frame_column ***ret_by_place, bl_err *err);

/* --- split.c ------------------------------------------------------------------------------ */

/* The training rows of sets, in parts. */
bl_status bli_split_rows(const bl_transform *t, const bl_frame *frame,
                         const bl_frame_column *const *by_place, bl_row_sets *sets,
                         bl_err *err);

/* --- joint.c ------------------------------------------------------------------------------ */

bl_status bli_fit_joint(bl_transform *t, const bl_bound *bound, const bl_limits *limits,
                        const bl_log *log, bl_err *err);
/* The model's columns out of what is made, dropped and joined. */
void bli_list_columns(bl_transform *t);
/* Component of n rows of the PCA's columns in [n_in][n]. */
void bli_pca_apply(const bl_pca *pca, size_t component, const double *const *in,
                   uint64_t n, double *out);

/* --- order.c: NumPy's old generator --------------------------------------------------------- */

typedef struct bl_mt {
    uint32_t state[624];
    size_t at;
} bl_mt;
void bli_mt_seed(bl_mt *mt, uint32_t seed);
/* numpy.random.RandomState(seed).permutation(n). */
bl_status bli_numpy_permutation(uint32_t seed, uint64_t n, uint64_t **ret_order,
                                bl_err *err);

#endif
