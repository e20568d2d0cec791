/* SPDX-License-Identifier: Apache-2.0 */
/* Quantiles, histogram and the most frequent numbers of one column. */
#include "evaluate/profile_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- Order -------------------------------------------------------------------------------- */

/* Bits that order as the doubles do, and back. */
static uint64_t to_order(double value)
{
    uint64_t key = bli_key_of(value);
    return key >> 63 ? ~key : key | UINT64_C(1) << 63;
}

static double from_order(uint64_t key)
{
    return bli_value_of(key >> 63 ? key & ~(UINT64_C(1) << 63) : ~key);
}

/* By bytes, the least first; a byte that all keys share costs one look. */
void bli_sort_doubles(double *values, double *spare, uint64_t n)
{
    double *from = values, *to = spare;
    for (uint64_t i = 0; i < n; i++)
        from[i] = bli_value_of(to_order(from[i]));
    for (unsigned shift = 0; shift < 64; shift += 8) {
        uint64_t start[257] = {0}, key;
        for (uint64_t i = 0; i < n; i++) {
            memcpy(&key, &from[i], sizeof key);
            start[((key >> shift) & 255) + 1]++;
        }
        bool one = false;
        for (size_t b = 1; b <= 256; b++)
            one = one || start[b] == n;
        if (one)
            continue;
        for (size_t b = 1; b <= 256; b++)
            start[b] += start[b - 1];
        for (uint64_t i = 0; i < n; i++) {
            memcpy(&key, &from[i], sizeof key);
            memcpy(&to[start[(key >> shift) & 255]++], &key, sizeof key);
        }
        double *swap = from;
        from = to;
        to = swap;
    }
    for (uint64_t i = 0; i < n; i++) {
        uint64_t key;
        memcpy(&key, &from[i], sizeof key);
        to[i] = from_order(key);
    }
    if (to != values)
        memcpy(values, to, n * sizeof *values);
}

/* --- The most frequent ----------------------------------------------------------------------- */

/* Equal counts: numbers first (they come in order), then texts by bytes. */
static bool is_before(const char *text, bool is_text, uint64_t n,
                      const bl_profile_value *other)
{
    if (n != other->n)
        return n > other->n;
    return is_text && other->is_text && strcmp(text, other->text) < 0;
}

bl_status bli_profile_top(bl_profile_column *c, const char *text, bool is_text,
                          uint64_t n, bl_err *err)
{
    size_t at = c->n_top;
    char *copy;
    while (at > 0 && is_before(text, is_text, n, &c->top[at - 1]))
        at--;
    if (at == BL_PROFILE_TOP)
        return BL_OK;
    bl_status st = bli_strdup(text, &copy, err);
    if (st != BL_OK)
        return st;
    if (c->n_top == BL_PROFILE_TOP)
        free(c->top[--c->n_top].text);
    memmove(&c->top[at + 1], &c->top[at], (c->n_top - at) * sizeof *c->top);
    c->top[at] = (bl_profile_value){copy, is_text, n};
    c->n_top++;
    return BL_OK;
}

/* Would a value this frequent be among them? Saves writing it. */
static bool is_frequent(const bl_profile_column *c, uint64_t n)
{
    return c->n_top < BL_PROFILE_TOP || c->top[c->n_top - 1].n < n;
}

static bl_status add_number(bl_profile_column *c, double value, uint64_t n, bl_err *err)
{
    char text[BL_NUMBER_BYTES];
    size_t length;
    if (!is_frequent(c, n))
        return BL_OK;
    length = bli_write_double(value, text);
    if (length > 2 && strcmp(text + length - 2, ".0") == 0)
        text[length - 2] = '\0';
    return bli_profile_top(c, text, false, n, err);
}

/* --- Of sorted values ------------------------------------------------------------------------ */

/* NumPy's "linear", its two forms of interpolation included. */
static double quantile(const double *x, uint64_t n, double share)
{
    double at = share * (double)(n - 1), low = floor(at), part = at - low;
    uint64_t i = (uint64_t)low;
    if (i + 1 >= n)
        return x[n - 1];
    double width = x[i + 1] - x[i];
    return part >= 0.5 ? x[i + 1] - width * (1 - part) : x[i] + width * part;
}

/* numpy.histogram's bins: equal widths, the last one closed. */
static void histogram(bl_profile_column *c, const double *x, uint64_t n)
{
    double low = x[0], high = x[n - 1];
    if (low == high) {
        low -= 0.5;
        high += 0.5;
    }
    double width = (high - low) / BL_PROFILE_BINS;
    if (!isfinite(high - low) || !(width > 0) || low + width == low)
        return;
    c->n_bins = BL_PROFILE_BINS;
    for (size_t b = 0; b < BL_PROFILE_BINS; b++)
        c->edge[b] = low + (double)b * width;
    c->edge[BL_PROFILE_BINS] = high;
    for (uint64_t r = 0, b = 0; r < n; r++) {
        while (b + 1 < BL_PROFILE_BINS && x[r] >= c->edge[b + 1])
            b++;
        c->bin[b]++;
    }
}

static bl_status runs(bl_profile_column *c, const double *x, uint64_t n, uint64_t all,
                      bl_err *err)
{
    bl_status st = BL_OK;
    uint64_t n_distinct = 0;
    for (uint64_t first = 0, r = 1; st == BL_OK && r <= n; r++)
        if (r == n || x[r] != x[first]) {
            uint64_t count = r - first;
            if (all != n) /* of a sample */
                count = (uint64_t)((double)count / (double)n * (double)all + 0.5);
            n_distinct++;
            st = add_number(c, x[first], count, err);
            first = r;
        }
    c->n_distinct = n_distinct;
    return st;
}

/* --- Of all rows, where those kept are a sample --------------------------------------------- */

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* In order of value, so that equal counts stand in it too. */
static bl_status of_set(bl_profile_column *c, const bl_key_set *set, bl_err *err)
{
    void *block;
    size_t n = 0;
    bl_status st = bli_alloc(set->n_keys, 2 * sizeof(double), "values", &block, err);
    if (st != BL_OK)
        return st;
    double(*pair)[2] = block;
    for (size_t i = 0; i < set->n_slots; i++)
        if (set->n[i]) {
            pair[n][0] = bli_value_of(set->key[i]);
            pair[n++][1] = (double)set->n[i];
        }
    if (n)
        qsort(pair, n, sizeof *pair, compare_doubles);
    for (size_t i = 0; st == BL_OK && i < n; i++)
        st = add_number(c, pair[i][0], (uint64_t)pair[i][1], err);
    free(block);
    return st;
}

bl_status bli_profile_numbers(const bl_ending *e, size_t i, bl_err *err)
{
    const bl_tally *t = &e->profiler->tallies[i];
    bl_profile_column *c = &e->profile->columns[i];
    uint64_t n_kept = e->profiler->n_kept, n = 0, first = 0;
    void *block;
    for (size_t q = 0; q < BL_PROFILE_QUANTILES; q++)
        c->quantile[q] = (double)NAN;
    if (!t->numbers)
        return BL_OK;
    bl_status st = bli_alloc(n_kept, 2 * sizeof(double), "a column", &block, err);
    if (st != BL_OK)
        return st;
    double *x = block;
    for (uint64_t r = 0; r < n_kept; r++)
        if (!isnan(t->numbers[r]))
            x[n++] = t->numbers[r];
    bli_sort_doubles(x, x + n_kept, n);
    bool by_set = e->profiler->is_sampled;
    c->distinct_is_estimate = by_set && t->set.level > 0;
    c->top_is_estimate = c->distinct_is_estimate;
    if (by_set && !c->top_is_estimate)
        st = of_set(c, &t->set, err);
    else
        st = runs(c, x, n, t->n_numbers, err);
    if (by_set)
        c->n_distinct = bli_key_set_count(&t->set);
    while (first < n && isinf(x[first]))
        first++;
    while (n > first && isinf(x[n - 1]))
        n--;
    if (st == BL_OK && n > first) {
        for (size_t q = 0; q < BL_PROFILE_QUANTILES; q++)
            c->quantile[q] = quantile(x + first, n - first, bli_profile_quantiles[q]);
        histogram(c, x + first, n - first);
    }
    free(block);
    return st;
}
