/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a table holds: statistics of every column, what columns have to do with each other and
 * with the label. Columns come in parts, as a frame of ingest has them, any number of rows.
 *
 * Exact for any number of rows: counts, missing cells, sums, mean, deviation, smallest and
 * largest, texts with their counts. Rows are kept whole while rows x columns stay within
 * `cells`; then everything is exact. Beyond, a sample of rows (drawn without repetition, seed 0,
 * the same for all columns) stands for quantiles, histograms, correlations and what is said
 * about the label: a quantile's rank is off by more than 0.2 % with a probability below 1e-3 for
 * a million sampled rows (Dvoretzky-Kiefer-Wolfowitz), more for fewer by the square root.
 * Distinct numbers and repeated rows are then counted by adaptive sampling of hashes (Flajolet
 * 1990): exact up to the size of the table, beyond it estimates with a relative error of about
 * 1.2 / sqrt(size), and marked so. Rows are compared by 64-bit hashes.
 *
 * Memory: 8 bytes a cell of numbers and 4 of texts within `cells`, 16 to 64 bytes a distinct row up to
 * 2^23 of them, twice 16 bytes a distinct number up to 2^24 / columns where rows are sampled,
 * the caller's dictionaries with 8 bytes a text, and a column of doubles a thread at the end.
 */
#ifndef BL_EVALUATE_PROFILE_H
#define BL_EVALUATE_PROFILE_H

#include "base/levels.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    BL_PROFILE_QUANTILES = 7, /* 1, 5, 25, 50, 75, 95, 99 % */
    BL_PROFILE_BINS = 20,     /* of a histogram, equal width from smallest to largest */
    BL_PROFILE_TOP = 10,      /* most frequent values of a column */
    BL_PROFILE_CLASSES = 64,  /* of a label; more different values: a number to predict */
    BL_PROFILE_PAIRS = 128    /* columns of the correlation matrix */
};

/* Shares of the quantiles; NumPy's method "linear". */
extern const double bli_profile_quantiles[BL_PROFILE_QUANTILES];

typedef enum bl_profile_type {
    BL_PROFILE_EMPTY,   /* every cell is missing */
    BL_PROFILE_INTEGER, /* every number is written as a whole one */
    BL_PROFILE_NUMBER,
    BL_PROFILE_BOOLEAN, /* True and False, in any case */
    BL_PROFILE_TEXT,
    BL_PROFILE_DATE, /* every text is a date of one format */
    BL_PROFILE_MIXED /* numbers and texts */
} bl_profile_type;

/* What a person should know of a column: bits. */
typedef enum bl_finding {
    BL_FOUND_EMPTY = 1,
    BL_FOUND_CONSTANT = 2,      /* one value in every row */
    BL_FOUND_ONE_VALUE = 4,     /* one value, else missing */
    BL_FOUND_NEAR_CONSTANT = 8, /* one value in more than 99.5 % of the rows */
    BL_FOUND_UNIQUE = 16,       /* whole numbers or texts, another one in every row */
    BL_FOUND_MIXED = 32,
    BL_FOUND_MISSING = 64, /* more than half of the cells */
    BL_FOUND_INFINITE = 128,
    BL_FOUND_MANY_TEXTS = 256,   /* more than 1,000 different ones */
    BL_FOUND_IS_LABEL = 512,     /* equals the label, by value or one to one */
    BL_FOUND_TELLS_LABEL = 1024, /* predicts it alone */
    BL_FOUND_REPEATS = 2048      /* equals an earlier column in every row */
} bl_finding;
enum { BL_N_FINDINGS = 12 };

/* What `alone` is. */
typedef enum bl_alone {
    BL_ALONE_NONE,  /* no label, or too few rows */
    BL_ALONE_AUC,   /* two classes: area under the curve, 0.5 to 1 */
    BL_ALONE_ERROR, /* more: share of the errors of "always the commonest" that it saves */
    BL_ALONE_R2     /* a number: share of the variance */
} bl_alone;

typedef struct bl_profile_value {
    char *text; /* as a number is written, or the text itself */
    bool is_text;
    uint64_t n;
} bl_profile_value;

typedef struct bl_profile_column {
    char *name; /* header, or the index as text */
    size_t place;
    bl_profile_type type;
    uint64_t n_missing, n_numbers, n_texts, n_infinite, n_zero, n_negative;
    uint64_t n_distinct;
    bool distinct_is_estimate, top_is_estimate;
    unsigned findings; /* bl_finding */
    const char *date;  /* format of a DATE; "" for ISO 8601 */
    bool has_time;     /* of a DATE */
    /* of the finite numbers; NaN where there are none (deviation: of the sample, n - 1) */
    double min, max, mean, deviation;
    double quantile[BL_PROFILE_QUANTILES];
    size_t n_bins;                    /* 0: no histogram */
    double edge[BL_PROFILE_BINS + 1]; /* numpy.histogram's */
    uint64_t bin[BL_PROFILE_BINS];    /* of the rows that are kept */
    size_t shortest, longest;         /* texts, in characters */
    size_t n_top;
    bl_profile_value top[BL_PROFILE_TOP]; /* most frequent first; equals: numbers, then by
                                             value or bytes */
    uint64_t n_rare, rare_rows; /* texts in fewer than `rare` rows, and these rows */
    size_t repeats;             /* BL_FOUND_REPEATS: the earlier column */
    double alone;
} bl_profile_column;

typedef struct bl_profile {
    bool has_header;
    uint64_t n_rows, n_kept; /* kept: equal, or the sample */
    size_t n_columns;
    bl_profile_column *columns;
    uint64_t n_repeated_rows; /* rows that equal an earlier one */
    bool repeated_is_estimate;
    size_t label; /* SIZE_MAX: none */
    bl_alone measure;
    size_t n_classes; /* of the label; 0: a number */
    /* Pearson over rows where both cells are finite numbers; NaN where one does not vary */
    size_t n_pairs, n_pairs_left; /* columns in it; numeric columns beyond */
    size_t *pair;                 /* [n_pairs] columns */
    double *correlation;          /* [n_pairs][n_pairs] */
} bl_profile;

typedef struct bl_profiler bl_profiler;

typedef struct bl_profile_ask {
    bool has_header;
    size_t n;
    const char *const *names; /* [n] NULL entries without a header */
    size_t label;             /* SIZE_MAX: none */
    uint64_t cells;           /* kept at most, but at least 1,000 rows; 0: 2^26 */
    uint64_t rare;            /* rows below which a text is rare; 0: 20 */
} bl_profile_ask;

/* Cells of one column. */
typedef struct bl_profile_cells {
    const double *numbers; /* [n_rows] NaN: no number; NULL: none */
    const uint32_t *codes; /* [n_rows] BL_NO_LEVEL: no text; NULL: none */
    const bl_levels *levels;
    uint64_t n_true_false; /* of the column so far */
    bool is_whole;         /* so far */
} bl_profile_cells;

/* Free: bli_profiler_free. */
bl_status bli_profiler_new(const bl_profile_ask *ask, bl_profiler **ret_profiler,
                           bl_err *err);
/* columns [n]; codes mean the same text in every call. */
bl_status bli_profiler_add(bl_profiler *profiler, const bl_profile_cells *columns,
                           uint64_t n_rows, bl_err *err);
/* After the last rows, whose cells need not be there any more, but their dictionaries. Free:
 * bli_profile_free. */
bl_status bli_profiler_finish(bl_profiler *profiler, const bl_profile_cells *columns,
                              bl_profile **ret_profile, bl_err *err);
void bli_profiler_free(bl_profiler *profiler);
void bli_profile_free(bl_profile *profile);

/* "integer", ...; "constant", ... */
const char *bli_profile_type_name(bl_profile_type type);
const char *bli_finding_name(size_t bit);
const char *bli_alone_name(bl_alone measure);

#endif
