/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of a profile. */
#ifndef BL_EVALUATE_PROFILE_PRIV_H
#define BL_EVALUATE_PROFILE_PRIV_H

#include "evaluate/profile.h"

/* --- profile_set.c: how many different keys, how often each ------------------------------- */

/* Keys whose hash has `level` trailing zero bits; more of them than cap: the level rises. */
typedef struct bl_key_set {
    uint64_t *key; /* [n_slots]; n of an empty slot is 0 */
    uint64_t *n;
    size_t n_slots, n_keys, cap;
    unsigned level;
} bl_key_set;

uint64_t bli_mix(uint64_t key);
uint64_t bli_key_of(double value); /* 0.0 and -0.0 are one */
double bli_value_of(uint64_t key);
bl_status bli_key_set_add(bl_key_set *set, uint64_t key, bl_err *err);
uint64_t bli_key_set_count(const bl_key_set *set);
void bli_key_set_done(bl_key_set *set);

/* --- profile.c -------------------------------------------------------------------------- */

/* One column while rows come. */
typedef struct bl_tally {
    uint64_t n_missing, n_numbers, n_texts, n_infinite, n_zero, n_negative;
    double min, max, mean, m2; /* of n_numbers - n_infinite */
    uint64_t *count;           /* [cap_count] of each text */
    size_t cap_count;
    bl_key_set set; /* of numbers, where rows are sampled */
    /* rows that are kept; NULL: none is a number, a text */
    double *numbers;
    uint32_t *codes;
} bl_tally;

struct bl_profiler {
    bl_profile_ask ask;
    char **names; /* [n] */
    bl_tally *tallies;
    uint64_t n_rows, n_kept, cap_kept, most_kept;
    bool is_sampled;
    bl_key_set rows;
    uint64_t state; /* of the draw */
};

/* What the ends of the columns need: cells, and the profile they go to. */
typedef struct bl_ending {
    const bl_profiler *profiler;
    const bl_profile_cells *cells;
    bl_profile *profile;
} bl_ending;

/* Work on every column, some at a time; the first failure in order of columns is told. */
typedef bl_status bl_column_work(const bl_ending *ending, size_t i, const void *cookie,
                                 bl_err *err);
bl_status bli_each_column(const bl_ending *ending, bl_column_work *work,
                          const void *cookie, bl_err *err);

/* --- profile_numbers.c ------------------------------------------------------------------- */

/* Sorts; spare [n]. */
void bli_sort_doubles(double *values, double *spare, uint64_t n);
/* Quantiles, histogram, distinct numbers and the most frequent ones of column i. */
bl_status bli_profile_numbers(const bl_ending *ending, size_t i, bl_err *err);
/* Puts a value where it belongs among the most frequent; takes nothing. */
bl_status bli_profile_top(bl_profile_column *column, const char *text, bool is_text,
                          uint64_t n, bl_err *err);

/* --- profile_texts.c --------------------------------------------------------------------- */

bl_status bli_profile_texts(const bl_ending *ending, size_t i, bl_err *err);

/* --- profile_joint.c --------------------------------------------------------------------- */

bl_status bli_profile_pairs(const bl_ending *ending, bl_err *err);
/* Columns that equal an earlier one. */
bl_status bli_profile_repeats(const bl_ending *ending, bl_err *err);
/* Pearson over rows where both are finite. */
double bli_pearson(const double *x, const double *y, uint64_t n);

/* --- profile_label.c ------------------------------------------------------------------------ */

bl_status bli_profile_label(const bl_ending *ending, bl_err *err);

#endif
