/* SPDX-License-Identifier: Apache-2.0 */
/* A plan as read: what a person asked for, checked as far as it can be without data. */
#ifndef BL_PREPROCESS_PLAN_PRIV_H
#define BL_PREPROCESS_PLAN_PRIV_H

#include "preprocess/preprocess.h"

#include "base/json.h"

#define BL_PATH_BYTES 160 /* "columns[12].steps[3].impute.with" */

typedef enum bl_step_kind {
    BL_STEP_IMPUTE,
    BL_STEP_INDICATOR,
    BL_STEP_STANDARDIZE,
    BL_STEP_MINMAX,
    BL_STEP_ROBUST,
    BL_STEP_LOG1P,
    BL_STEP_CLIP,
    BL_STEP_WINSORIZE,
    BL_STEP_BINS,
    BL_STEP_RARE,
    BL_STEP_CATEGORY,
    BL_STEP_ORDINAL,
    BL_STEP_ONEHOT,
    BL_STEP_TARGET,
    BL_STEP_DATE,
    BL_N_STEPS
} bl_step_kind;

/* What a step takes, and what comes out of it. */
typedef enum bl_step_class {
    BL_CLASS_NUMBER, /* numbers -> numbers */
    BL_CLASS_TEXT,   /* texts -> texts */
    BL_CLASS_ENCODE, /* texts -> numbers */
    BL_CLASS_ANY     /* either, unchanged in kind */
} bl_step_class;

typedef enum bl_impute {
    BL_IMPUTE_MEAN,
    BL_IMPUTE_MEDIAN,
    BL_IMPUTE_MODE,
    BL_IMPUTE_CONSTANT
} bl_impute;

typedef enum bl_date_part {
    BL_DATE_YEAR,
    BL_DATE_QUARTER,
    BL_DATE_MONTH,
    BL_DATE_DAY,
    BL_DATE_WEEKDAY, /* Monday is 0 */
    BL_DATE_YEARDAY, /* January 1st is 1 */
    BL_DATE_HOUR,
    BL_DATE_MINUTE,
    BL_DATE_SECOND,
    BL_DATE_DAYS,  /* since 1970-01-01 */
    BL_DATE_EPOCH, /* seconds since then */
    BL_N_DATE_PARTS
} bl_date_part;

typedef struct bl_step {
    bl_step_kind kind;
    char path[BL_PATH_BYTES];
    bl_impute impute;
    bool indicator;   /* impute: a column of 0 and 1 beside it */
    double a, b;      /* constant; low and high; quantiles; rare's bound; smooth */
    bool is_auto;     /* target: smooth */
    int64_t n, seed;  /* bins; folds and their seed */
    char *text;       /* constant text, name of rare levels, format of dates */
    bl_levels *order; /* levels in the order given; NULL: sorted by bytes */
    size_t n_parts;   /* of dates */
    bl_date_part parts[BL_N_DATE_PARTS];
} bl_step;

typedef enum bl_entry_type {
    BL_TYPE_AUTO,
    BL_TYPE_NUMBER,
    BL_TYPE_CATEGORY,
    BL_TYPE_DATE
} bl_entry_type;

/* Some columns and what is done to each of them. */
typedef struct bl_entry {
    char path[BL_PATH_BYTES];
    bl_column_refs columns; /* names may hold * */
    bl_entry_type type;
    bool has_missing;
    bl_texts missing;
    bool has_unseen;
    bl_unseen unseen;
    size_t n_steps;
    bl_step *steps;
} bl_entry;

typedef struct bl_filter {
    char path[BL_PATH_BYTES];
    bool duplicates; /* leave out rows that repeat an earlier one; else: */
    bool keep;       /* rows for which it holds; else the others */
    bl_column_ref column;
    bool has_min, has_max, has_missing, missing;
    double min, max;
    bl_levels *in; /* NULL: not asked */
} bl_filter;

typedef enum bl_split_by {
    BL_SPLIT_RANDOM,
    BL_SPLIT_STRATIFIED,
    BL_SPLIT_GROUP,
    BL_SPLIT_TIME,
    BL_SPLIT_HASH
} bl_split_by;

typedef struct bl_split_plan {
    bool present;
    bl_split_by by;
    double test, validation;
    int64_t seed;
    bool has_column;
    bl_column_ref column;
} bl_split_plan;

typedef struct bl_class_map {
    size_t n;
    char **text;   /* "*": every other text */
    double *value; /* [n] */
} bl_class_map;

typedef struct bl_pca_plan {
    char path[BL_PATH_BYTES];
    char *name;
    bl_column_refs columns;
    int64_t components;
} bl_pca_plan;

struct bl_plan {
    char *name;       /* of the file, for messages */
    json_t *document; /* as given, without "fitted" */
    json_t *fitted;   /* "fitted", or NULL */
    bool has_label;
    bl_column_refs labels;
    bl_class_map classes; /* n = 0: none given */
    bool has_weight, has_group, has_lower, has_upper, has_date;
    bl_column_ref weight, group, lower, upper, date;
    bl_column_refs ids, base_margins, drop;
    bool has_missing;
    bl_texts missing;
    bl_unseen unseen;
    bool has_unseen;
    bool has_entries; /* "columns" is there: all others are left out */
    size_t n_entries;
    bl_entry *entries;
    size_t n_filters;
    bl_filter *filters;
    double correlation; /* 0: no screening */
    size_t n_pcas;
    bl_pca_plan *pcas;
    bl_split_plan split;
};

/* The plan of a JSON value that it takes over. */
bl_status bli_plan_of(const char *name, json_t *take_document, const bl_limits *limits,
                      bl_plan **ret_plan, bl_err *err);

/* --- plan_value.c: members by type ---------------------------------------------------- */

/* "plan 'plan.json', columns[2].steps[0]: " and the sentence. */
bl_status bli_plan_refuse(const bl_plan *plan, const char *path, bl_err *err,
                          const char *fmt, ...) BL_PRINTF(4, 5);
/* path.member, path[index] */
void bli_path_member(const char *path, const char *member, char out[BL_PATH_BYTES]);
void bli_path_item(const char *path, size_t i, char out[BL_PATH_BYTES]);
/* Every member of object is one of known [n]. */
bl_status bli_plan_members(const bl_plan *plan, const char *path, const json_t *object,
                           const char *const *known, size_t n, bl_err *err);
bl_status bli_plan_number(const bl_plan *plan, const char *path, const json_t *value,
                          double low, double high, double *ret, bl_err *err);
bl_status bli_plan_int(const bl_plan *plan, const char *path, const json_t *value,
                       int64_t low, int64_t high, int64_t *ret, bl_err *err);
bl_status bli_plan_bool(const bl_plan *plan, const char *path, const json_t *value,
                        bool *ret, bl_err *err);
bl_status bli_plan_text(const bl_plan *plan, const char *path, const json_t *value,
                        char **ret, bl_err *err);
bl_status bli_plan_word(const bl_plan *plan, const char *path, const json_t *value,
                        const char *const *words, size_t n, size_t *ret, bl_err *err);
bl_status bli_plan_texts(const bl_plan *plan, const char *path, const json_t *value,
                         uint64_t limit, bl_texts *ret, bl_err *err);
bl_status bli_plan_levels(const bl_plan *plan, const char *path, const json_t *value,
                          uint64_t limit, bl_levels **ret, bl_err *err);
bl_status bli_plan_column(const bl_plan *plan, const char *path, const json_t *value,
                          bl_column_ref *ret, bl_err *err);
bl_status bli_plan_columns(const bl_plan *plan, const char *path, const json_t *value,
                           uint64_t limit, bl_column_refs *ret, bl_err *err);
void bli_texts_done(bl_texts *texts);
void bli_refs_done(bl_column_refs *refs);
/* What a value is, in words: "a list", "text 'x'", ... */
const char *bli_plan_found(const json_t *value, char *out, size_t max);

/* --- plan_steps.c --------------------------------------------------------------------- */

const char *bli_step_name(bl_step_kind kind);
bool bli_step_kind_of(const char *name, bl_step_kind *ret);
bl_step_class bli_step_class_of(bl_step_kind kind);
const char *bli_date_part_name(bl_date_part part);
/* A step; on failure too, ret_step is released with bli_step_done. */
bl_status bli_plan_step(const bl_plan *plan, const bl_limits *limits, const char *path,
                        const json_t *value, bl_step *ret_step, bl_err *err);
void bli_step_done(bl_step *step);

/* --- plan_entries.c ------------------------------------------------------------------- */

bl_status bli_plan_entries(bl_plan *plan, const json_t *value, const bl_limits *limits,
                           bl_err *err);
void bli_entry_done(bl_entry *entry);

#endif
