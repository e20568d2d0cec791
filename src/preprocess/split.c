/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Splits. Shares are of the rows that filters left: test rounded up, validation rounded up,
 * the rest trains. By random the order is NumPy's permutation: its first rows are test, the
 * next ones validation, so that a split into two parts is scikit-learn's.
 */
#include "preprocess/transform_priv.h"

#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct splitting {
    const bl_transform *t;
    const bl_frame *frame;
    const bl_frame_column *column; /* NULL where none is needed */
    const uint64_t *row;           /* [n] after the filters */
    uint64_t n, n_test, n_validation;
    uint8_t *set;    /* [n] of row i */
    uint64_t *order; /* [n] places among row in the order of output */
} splitting;

static bl_status column_of(splitting *s, const bl_frame_column *const *by_place,
                           bl_err *err)
{
    const bl_transform *t = s->t;
    const bl_split_plan *split = &t->plan->split;
    size_t place = BL_NONE;
    if (split->by == BL_SPLIT_RANDOM)
        return BL_OK;
    for (size_t i = 0; split->has_column && i < t->n_file_columns; i++)
        if (split->column.name ? t->file_columns[i] &&
                                     strcmp(t->file_columns[i], split->column.name) == 0
                               : (int64_t)i == split->column.index)
            place = i;
    if (!split->has_column)
        place = bli_place_of(t,
                             split->by == BL_SPLIT_TIME    ? BL_AS_DATE
                             : split->by == BL_SPLIT_GROUP ? BL_AS_GROUP
                                                           : BL_AS_LABEL,
                             0);
    s->column = place == BL_NONE ? NULL : by_place[place];
    if (s->column)
        return BL_OK;
    return bli_plan_refuse(t->plan, "split", err,
                           "by %s needs a column: \"column\" here, or the plan's %s",
                           split->by == BL_SPLIT_TIME    ? "time"
                           : split->by == BL_SPLIT_GROUP ? "group"
                                                         : "stratified",
                           split->by == BL_SPLIT_TIME    ? "\"date\""
                           : split->by == BL_SPLIT_GROUP ? "\"group\""
                                                         : "\"label\"");
}

/* A cell as a key: equal cells, equal keys. */
static uint64_t key_of(const splitting *s, uint64_t i)
{
    uint64_t r = s->row[i], bits;
    if (s->column->kind == BL_FRAME_TEXT)
        return s->column->codes[r];
    double value = s->column->numbers[r] + 0.0;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* Numbers classes of equal keys in order of appearance; *ret_n of them. */
static bl_status number_keys(const splitting *s, uint32_t *of, uint32_t *ret_n,
                             bl_err *err)
{
    bl_levels *keys = NULL;
    bl_status st = bli_levels_new(&keys, err);
    for (uint64_t i = 0; st == BL_OK && i < s->n; i++) {
        char key[24]; /* as text: levels know no zero bytes */
        int n = snprintf(key, sizeof key, "%llx", (unsigned long long)key_of(s, i));
        st = bli_levels_add(keys, key, (size_t)n, UINT32_MAX - 1, &of[i], err);
    }
    *ret_n = st == BL_OK ? bli_levels_count(keys) : 0;
    bli_levels_free(keys);
    return st;
}

static void cut_in_order(splitting *s)
{
    for (uint64_t i = 0; i < s->n; i++)
        s->set[s->order[i]] = i < s->n_test                     ? BL_SET_TEST
                              : i < s->n_test + s->n_validation ? BL_SET_VALIDATION
                                                                : BL_SET_TRAIN;
}

static bl_status by_random(splitting *s, bl_err *err)
{
    free(s->order);
    s->order = NULL;
    bl_status st =
        bli_numpy_permutation((uint32_t)s->t->plan->split.seed, s->n, &s->order, err);
    if (st == BL_OK)
        cut_in_order(s);
    return st;
}

/* How many of each class: its exact share rounded down, and one more for those with the
 * largest remainders (the first of equals). */
static bl_status quotas(const uint64_t *count, uint32_t n_classes, uint64_t n,
                        uint64_t want, uint64_t *quota, bl_err *err)
{
    double *remainder = calloc((size_t)n_classes + 1, sizeof *remainder);
    if (!remainder)
        return bli_fail(err, BL_E_NOMEM, "no memory for classes");
    uint64_t given = 0;
    for (uint32_t c = 0; c < n_classes; c++) {
        double exact = (double)count[c] * (double)want / (double)n;
        quota[c] = (uint64_t)floor(exact);
        remainder[c] = exact - floor(exact);
        given += quota[c];
    }
    while (given < want) {
        uint32_t best = 0;
        for (uint32_t c = 1; c < n_classes; c++)
            if (remainder[c] > remainder[best])
                best = c;
        if (remainder[best] < 0)
            break;
        remainder[best] = -1;
        if (quota[best] < count[best])
            quota[best]++, given++;
    }
    free(remainder);
    return BL_OK;
}

static bl_status by_class(splitting *s, bl_err *err)
{
    uint32_t n_classes = 0;
    uint32_t *of = calloc((size_t)s->n + 1, sizeof *of);
    bl_status st = of ? number_keys(s, of, &n_classes, err)
                      : bli_fail(err, BL_E_NOMEM, "no memory for classes");
    uint64_t *count =
        st == BL_OK ? calloc(3 * ((size_t)n_classes + 1), sizeof *count) : NULL;
    if (st == BL_OK && !count)
        st = bli_fail(err, BL_E_NOMEM, "no memory for classes");
    if (st == BL_OK && (n_classes > s->n / 2 || n_classes > 4096))
        st = bli_plan_refuse(s->t->plan, "split", err,
                             "stratified by a column of %u values in %llu rows; it takes "
                             "at most 4096 classes, of several rows each",
                             n_classes, (unsigned long long)s->n);
    if (st == BL_OK)
        st = by_random(s, err);
    if (st == BL_OK) {
        uint64_t *test = count + n_classes + 1, *validation = test + n_classes + 1;
        for (uint64_t i = 0; i < s->n; i++)
            count[of[i]]++;
        st = quotas(count, n_classes, s->n, s->n_test, test, err);
        for (uint32_t c = 0; st == BL_OK && c < n_classes; c++)
            count[c] -= test[c];
        if (st == BL_OK)
            st = quotas(count, n_classes, s->n - s->n_test, s->n_validation, validation,
                        err);
        for (uint64_t i = 0; st == BL_OK && i < s->n; i++) {
            uint64_t at = s->order[i];
            uint32_t c = of[at];
            s->set[at] = test[c]         ? BL_SET_TEST
                         : validation[c] ? BL_SET_VALIDATION
                                         : BL_SET_TRAIN;
            if (test[c])
                test[c]--;
            else if (validation[c])
                validation[c]--;
        }
    }
    free(of);
    free(count);
    return st;
}

/* Whole groups in NumPy's order of the groups, until each part is full; rows keep theirs. */
static bl_status by_group(splitting *s, bl_err *err)
{
    uint32_t n_groups = 0;
    uint64_t *order = NULL, *count = NULL;
    uint32_t *of = calloc((size_t)s->n + 1, sizeof *of);
    bl_status st = of ? number_keys(s, of, &n_groups, err)
                      : bli_fail(err, BL_E_NOMEM, "no memory for groups");
    if (st == BL_OK)
        st = bli_numpy_permutation((uint32_t)s->t->plan->split.seed, n_groups, &order,
                                   err);
    uint8_t *set = calloc((size_t)n_groups + 1, 1);
    count = calloc((size_t)n_groups + 1, sizeof *count);
    if (st == BL_OK && (!set || !count))
        st = bli_fail(err, BL_E_NOMEM, "no memory for groups");
    for (uint64_t i = 0; st == BL_OK && i < s->n; i++)
        count[of[i]]++;
    uint64_t test = 0, validation = 0;
    for (uint32_t g = 0; st == BL_OK && g < n_groups; g++) {
        uint64_t group = order[g];
        if (test < s->n_test)
            set[group] = BL_SET_TEST, test += count[group];
        else if (validation < s->n_validation)
            set[group] = BL_SET_VALIDATION, validation += count[group];
    }
    for (uint64_t i = 0; st == BL_OK && i < s->n; i++)
        s->set[i] = set[of[i]];
    free(of);
    free(order);
    free(set);
    free(count);
    return st;
}

typedef struct dated {
    double when;
    uint64_t i;
} dated;

static int compare_dated(const void *a, const void *b)
{
    const dated *x = a, *y = b;
    if (x->when < y->when || x->when > y->when)
        return x->when < y->when ? -1 : 1;
    return x->i < y->i ? -1 : 1;
}

/* The last rows by time are test, those before them validation. */
static bl_status by_time(splitting *s, bl_err *err)
{
    const bl_frame_column *column = s->column;
    dated *rows = calloc((size_t)s->n + 1, sizeof *rows);
    bl_status st = rows ? BL_OK : bli_fail(err, BL_E_NOMEM, "no memory for dates");
    for (uint64_t i = 0; st == BL_OK && i < s->n; i++) {
        uint64_t r = s->row[i];
        bool text = column->kind == BL_FRAME_TEXT;
        bool missing = text ? column->codes[r] == BL_NO_LEVEL : isnan(column->numbers[r]);
        rows[i].i = i;
        if (!missing && !text)
            rows[i].when = column->numbers[r];
        else if (missing ||
                 !bli_date_read(bli_levels_text(column->levels, column->codes[r]), NULL,
                                &rows[i].when)) {
            char place[200];
            st = bli_fail(
                err, BL_E_DATA,
                "%s: split by time: the cell is missing or no date (as 2024-02-29 "
                "or 2024-02-29T13:05:09)",
                bli_frame_place(s->frame, r, place, sizeof place));
        }
    }
    if (st == BL_OK) {
        qsort(rows, (size_t)s->n, sizeof *rows, compare_dated);
        uint64_t train = s->n - s->n_test - s->n_validation;
        for (uint64_t i = 0; i < s->n; i++) {
            s->order[i] = rows[i].i;
            s->set[rows[i].i] = i < train                     ? BL_SET_TRAIN
                                : i < train + s->n_validation ? BL_SET_VALIDATION
                                                              : BL_SET_TEST;
        }
    }
    free(rows);
    return st;
}

/* Where a key goes depends on nothing but the key and the seed: a row stays in its part
 * when the data grow. */
static bl_status share_of(const splitting *s, const char *text, size_t n, double *ret,
                          bl_err *err)
{
    char hex[BL_DIGEST_TEXT], first[14];
    bl_buf salted = {0};
    bli_buf_printf(&salted, "%lld:", (long long)s->t->plan->split.seed);
    bli_buf_add(&salted, text, n);
    bl_status st = bli_buf_check(&salted, "a key", err);
    if (st == BL_OK)
        st = bli_digest_bytes(salted.data, salted.n, hex, err);
    bli_buf_done(&salted);
    if (st != BL_OK)
        return st;
    memcpy(first, hex, 13); /* 52 bits */
    first[13] = '\0';
    *ret = (double)strtoull(first, NULL, 16) / 4503599627370496.0;
    return BL_OK;
}

static bl_status by_hash(splitting *s, bl_err *err)
{
    const bl_split_plan *split = &s->t->plan->split;
    const bl_frame_column *column = s->column;
    bool text = column->kind == BL_FRAME_TEXT;
    size_t n_levels = text ? bli_levels_count(column->levels) : 0;
    double *of_level = calloc(n_levels + 1, sizeof *of_level);
    bl_status st = of_level ? BL_OK : bli_fail(err, BL_E_NOMEM, "no memory for keys");
    for (uint32_t c = 0; st == BL_OK && c < n_levels; c++) {
        const char *level = bli_levels_text(column->levels, c);
        st = share_of(s, level, strlen(level), &of_level[c], err);
    }
    for (uint64_t i = 0; st == BL_OK && i < s->n; i++) {
        uint64_t r = s->row[i];
        double share = 0;
        if (text && column->codes[r] != BL_NO_LEVEL) {
            share = of_level[column->codes[r]];
        } else {
            char number[BL_NUMBER_BYTES] = "";
            size_t n = text || isnan(column->numbers[r])
                           ? 0
                           : bli_write_double(column->numbers[r], number);
            st = share_of(s, number, n, &share, err);
        }
        s->set[i] = share < split->test                       ? BL_SET_TEST
                    : share < split->test + split->validation ? BL_SET_VALIDATION
                                                              : BL_SET_TRAIN;
    }
    free(of_level);
    return st;
}

static bl_status deal(const splitting *s, bl_row_sets *sets, bl_err *err)
{
    static const char *const names[] = {"training", "validation", "test"};
    bl_row_sets dealt = {0};
    const bl_split_plan *split = &s->t->plan->split;
    bl_status st = BL_OK;
    for (uint64_t i = 0; i < s->n; i++)
        dealt.n[s->set[i]]++;
    for (int k = 0; st == BL_OK && k < BL_N_SETS; k++) {
        void *block;
        bool wanted = k == BL_SET_TRAIN ||
                      (k == BL_SET_TEST ? split->test > 0 : split->validation > 0);
        if (wanted && dealt.n[k] == 0)
            st = bli_plan_refuse(s->t->plan, "split", err, "no %s row comes of %llu rows",
                                 names[k], (unsigned long long)s->n);
        else
            st = bli_alloc((size_t)dealt.n[k], sizeof(uint64_t), "rows", &block, err);
        if (st == BL_OK)
            dealt.row[k] = block;
        dealt.n[k] = 0;
    }
    for (uint64_t i = 0; st == BL_OK && i < s->n; i++) {
        uint64_t at = s->order[i];
        int k = s->set[at];
        dealt.row[k][dealt.n[k]++] = s->row[at];
    }
    if (st != BL_OK) {
        bli_row_sets_done(&dealt);
        return st;
    }
    bli_row_sets_done(sets);
    *sets = dealt;
    return BL_OK;
}

bl_status bli_split_rows(const bl_transform *t, const bl_frame *frame,
                         const bl_frame_column *const *by_place, bl_row_sets *sets,
                         bl_err *err)
{
    const bl_split_plan *split = &t->plan->split;
    splitting s = {.t = t,
                   .frame = frame,
                   .row = sets->row[BL_SET_TRAIN],
                   .n = sets->n[BL_SET_TRAIN]};
    void *set, *order;
    s.n_test = (uint64_t)ceil(split->test * (double)s.n);
    s.n_validation = (uint64_t)ceil(split->validation * (double)s.n);
    if (s.n_test + s.n_validation == 0)
        return BL_OK; /* no split: the order of the file stays */
    if (s.n_test + s.n_validation >= s.n)
        return bli_plan_refuse(
            t->plan, "split", err,
            "%llu rows are too few: %llu for test and %llu for validation "
            "leave none to train on",
            (unsigned long long)s.n, (unsigned long long)s.n_test,
            (unsigned long long)s.n_validation);
    bl_status st = column_of(&s, by_place, err);
    if (st != BL_OK)
        return st;
    st = bli_alloc((size_t)s.n, 1, "a split", &set, err);
    if (st != BL_OK)
        return st;
    s.set = set;
    st = bli_alloc((size_t)s.n, sizeof(uint64_t), "a split", &order, err);
    if (st == BL_OK) {
        s.order = order;
        for (uint64_t i = 0; i < s.n; i++)
            s.order[i] = i;
        st = split->by == BL_SPLIT_RANDOM       ? by_random(&s, err)
             : split->by == BL_SPLIT_STRATIFIED ? by_class(&s, err)
             : split->by == BL_SPLIT_GROUP      ? by_group(&s, err)
             : split->by == BL_SPLIT_TIME       ? by_time(&s, err)
                                                : by_hash(&s, err);
    }
    if (st == BL_OK)
        st = deal(&s, sets, err);
    free(s.set);
    free(s.order);
    return st;
}
