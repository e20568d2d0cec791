/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps on one column of numbers: fitted in double on the whole column with NumPy's own order
 * of additions, so that scikit-learn's transformers give the same bits.
 */
#include "preprocess/transform_priv.h"

#include "base/mem.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- Sums ----------------------------------------------------------------------------- */

static double sum_block(const double *x, uint64_t n)
{
    double r[8];
    uint64_t i = 8;
    memcpy(r, x, sizeof r);
    for (; i < n - n % 8; i += 8)
        for (size_t j = 0; j < 8; j++)
            r[j] += x[i + j];
    double sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    for (; i < n; i++)
        sum += x[i];
    return sum;
}

double bli_pairwise_sum(const double *x, uint64_t n)
{
    if (n < 8) {
        double sum = 0;
        for (uint64_t i = 0; i < n; i++)
            sum += x[i];
        return sum;
    }
    if (n <= 128)
        return sum_block(x, n);
    uint64_t half = n / 2;
    half -= half % 8;
    return bli_pairwise_sum(x, half) + bli_pairwise_sum(x + half, n - half);
}

void bli_mean_var(const double *x, uint64_t n, double *ret_mean, double *ret_var)
{
    double mean = bli_pairwise_sum(x, n) / (double)n;
    double *square = malloc(((size_t)n + 1) * sizeof *square);
    *ret_mean = mean;
    *ret_var = 0;
    if (!square) { /* the mean stands; a variance in plain order is near enough */
        for (uint64_t i = 0; i < n; i++)
            *ret_var += (x[i] - mean) * (x[i] - mean) / (double)n;
        return;
    }
    for (uint64_t i = 0; i < n; i++)
        square[i] = (x[i] - mean) * (x[i] - mean);
    *ret_var = bli_pairwise_sum(square, n) / (double)n;
    free(square);
}

/* --- Order statistics ------------------------------------------------------------------ */

/* Sorts n finite numbers by their bits, eleven at a time. */
static void sort_numbers(double *x, double *other, size_t n)
{
    uint64_t *from = (uint64_t *)(void *)x, *into = (uint64_t *)(void *)other;
    for (size_t i = 0; i < n; i++)
        from[i] ^= from[i] >> 63 ? UINT64_MAX : UINT64_C(1) << 63;
    for (unsigned shift = 0; shift < 66; shift += 11) {
        size_t count[2049] = {0};
        for (size_t i = 0; i < n; i++)
            count[(from[i] >> shift & 2047) + 1]++;
        if (count[(from[0] >> shift & 2047) + 1] == n)
            continue;
        for (size_t d = 0; d < 2048; d++)
            count[d + 1] += count[d];
        for (size_t i = 0; i < n; i++)
            into[count[from[i] >> shift & 2047]++] = from[i];
        uint64_t *swap = from;
        from = into;
        into = swap;
    }
    if (from != (uint64_t *)(void *)x)
        memcpy(x, from, n * sizeof *x);
    uint64_t *bits = (uint64_t *)(void *)x;
    for (size_t i = 0; i < n; i++)
        bits[i] ^= bits[i] >> 63 ? UINT64_C(1) << 63 : UINT64_MAX;
}

/* The numbers of x without the missing ones, sorted; [*ret_n]. */
static bl_status sorted(const double *x, uint64_t n, double **ret_sorted, uint64_t *ret_n,
                        bl_err *err)
{
    void *block;
    bl_status st =
        bli_alloc((size_t)n * 2 + 2, sizeof(double), "a sorted column", &block, err);
    if (st != BL_OK)
        return st;
    double *into = block;
    size_t count = 0;
    for (uint64_t i = 0; i < n; i++)
        if (!isnan(x[i]))
            into[count++] = x[i];
    if (count)
        sort_numbers(into, into + n + 1, count);
    *ret_sorted = into;
    *ret_n = count;
    return BL_OK;
}

/* NumPy's method "linear" at share q of sorted numbers. */
static double quantile(const double *sorted, uint64_t n, double q)
{
    double at = q * (double)(n - 1);
    double below = floor(at), t = at - below;
    uint64_t i = (uint64_t)below;
    double a = sorted[i], b = sorted[i + 1 < n ? i + 1 : n - 1], diff = b - a;
    return t >= 0.5 ? b - diff * (1 - t) : a + diff * t;
}

static double median(const double *sorted, uint64_t n)
{
    return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

/* The most frequent number, the smallest of several. */
static double mode(const double *sorted, uint64_t n)
{
    double best = sorted[0];
    uint64_t best_count = 0;
    for (uint64_t i = 0; i < n;) {
        uint64_t end = i;
        while (end < n && sorted[end] == sorted[i]) /* equal bits sorted them */
            end++;
        if (end - i > best_count) {
            best_count = end - i;
            best = sorted[i];
        }
        i = end;
    }
    return best;
}

/* --- Fitting --------------------------------------------------------------------------- */

static const char *const impute_names[] = {"value", NULL};
static const char *const standardize_names[] = {"mean", "scale", NULL};
static const char *const minmax_names[] = {"scale", "add", "min", "max", NULL};
static const char *const robust_names[] = {"center", "scale", NULL};
static const char *const bounds_names[] = {"low", "high", NULL};
static const char *const no_names[] = {NULL};

const char *const *bli_number_names(bl_step_kind kind)
{
    switch (kind) {
    case BL_STEP_IMPUTE:
        return impute_names;
    case BL_STEP_STANDARDIZE:
        return standardize_names;
    case BL_STEP_MINMAX:
        return minmax_names;
    case BL_STEP_ROBUST:
        return robust_names;
    case BL_STEP_CLIP:
    case BL_STEP_WINSORIZE:
        return bounds_names;
    default:
        return no_names;
    }
}

static uint64_t count_present(const double *x, uint64_t n)
{
    uint64_t count = 0;
    for (uint64_t i = 0; i < n; i++)
        count += isnan(x[i]) == 0;
    return count;
}

static double sum_present(const double *x, uint64_t n, double *zeroed)
{
    for (uint64_t i = 0; i < n; i++)
        zeroed[i] = isnan(x[i]) ? 0 : x[i];
    return bli_pairwise_sum(zeroed, n);
}

/* Two passes, as scikit-learn's incremental mean and variance of one batch. */
static void fit_standardize(const double *x, uint64_t n, double *scratch, double *v)
{
    double count = (double)count_present(x, n);
    double mean = sum_present(x, n, scratch) / count;
    for (uint64_t i = 0; i < n; i++)
        scratch[i] = isnan(x[i]) ? 0 : x[i] - mean;
    double correction = bli_pairwise_sum(scratch, n);
    for (uint64_t i = 0; i < n; i++)
        scratch[i] *= scratch[i];
    double unnormalized = bli_pairwise_sum(scratch, n);
    unnormalized -= correction * correction / count;
    double variance = unnormalized / count;
    double product = count * mean * DBL_EPSILON;
    double constant = count * DBL_EPSILON * variance + product * product;
    v[0] = mean;
    v[1] = variance <= constant ? 1 : sqrt(variance);
}

/* A column that hardly varies is left at its scale. */
static double no_zero(double scale)
{
    return scale < 10 * DBL_EPSILON ? 1 : scale;
}

static void fit_minmax(const bl_step *step, const double *x, uint64_t n, double *v)
{
    double low = (double)INFINITY, high = -(double)INFINITY;
    for (uint64_t i = 0; i < n; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    v[0] = (step->b - step->a) / no_zero(high - low);
    v[1] = step->a - low * v[0];
    v[2] = low;
    v[3] = high;
}

static bl_status fit_bins(const bl_step *step, const double *values, uint64_t n,
                          bl_number_step *fitted, bl_err *err)
{
    void *block;
    bl_status st = bli_alloc((size_t)step->n + 1, sizeof(double), "bins", &block, err);
    if (st != BL_OK)
        return st;
    double *edge = block;
    double last = values[0];
    fitted->v = edge;
    fitted->n = 0;
    /* Inner edges; one that is no further than 1e-8 above the last makes no bin. */
    for (int64_t i = 1; i <= step->n; i++) {
        double share = i == step->n ? 1.0 : (double)i * (100.0 / (double)step->n) / 100.0;
        double at = quantile(values, n, share);
        if (!(at - last > 1e-8))
            continue;
        edge[fitted->n++] = at;
        last = at;
    }
    if (fitted->n) /* the last one is the largest value: no inner edge */
        fitted->n--;
    return BL_OK;
}

static bl_status fit_sorted(const bl_step *step, const double *x, uint64_t n,
                            bl_number_step *fitted, bl_err *err)
{
    double *values = NULL;
    uint64_t count = 0;
    bl_status st = sorted(x, n, &values, &count, err);
    if (st != BL_OK)
        return st;
    double *v = fitted->v;
    switch (step->kind) {
    case BL_STEP_IMPUTE:
        v[0] = step->impute == BL_IMPUTE_MEDIAN ? median(values, count)
                                                : mode(values, count);
        break;
    case BL_STEP_ROBUST:
        v[0] = median(values, count);
        v[1] = no_zero(quantile(values, count, step->b / 100) -
                       quantile(values, count, step->a / 100));
        break;
    case BL_STEP_WINSORIZE:
        v[0] = quantile(values, count, step->a);
        v[1] = quantile(values, count, step->b);
        break;
    default:
        free(fitted->v);
        fitted->v = NULL;
        st = fit_bins(step, values, count, fitted, err);
    }
    free(values);
    return st;
}

static bl_status fit_values(const bl_step *step, const double *x, uint64_t n,
                            bl_number_step *fitted, bl_err *err)
{
    bool is_mean = step->kind == BL_STEP_IMPUTE && step->impute == BL_IMPUTE_MEAN;
    if (step->kind == BL_STEP_IMPUTE && step->impute == BL_IMPUTE_CONSTANT) {
        fitted->v[0] = step->a;
        return BL_OK;
    }
    if (step->kind == BL_STEP_CLIP) {
        fitted->v[0] = step->a;
        fitted->v[1] = step->b;
        return BL_OK;
    }
    if (step->kind == BL_STEP_LOG1P)
        return BL_OK;
    if (count_present(x, n) == 0)
        return bli_fail(err, BL_E_DATA,
                        "%s: every cell of the training rows is missing, so there is "
                        "nothing to fit; leave the column out, or impute a constant",
                        bli_step_name(step->kind));
    if (step->kind == BL_STEP_MINMAX) {
        fit_minmax(step, x, n, fitted->v);
        return BL_OK;
    }
    if (step->kind != BL_STEP_STANDARDIZE && !is_mean)
        return fit_sorted(step, x, n, fitted, err);
    void *block;
    bl_status st = bli_alloc((size_t)n, sizeof(double), "a column", &block, err);
    if (st != BL_OK)
        return st;
    if (is_mean)
        fitted->v[0] = sum_present(x, n, block) / (double)count_present(x, n);
    else
        fit_standardize(x, n, block, fitted->v);
    free(block);
    return BL_OK;
}

bl_status bli_number_fit(const bl_step *step, double *x, uint64_t n,
                         bl_number_step *ret_step, bl_err *err)
{
    bl_number_step fitted = {.kind = step->kind};
    uint64_t bad;
    void *block;
    for (const char *const *name = bli_number_names(step->kind); *name; name++)
        fitted.n++;
    bl_status st = bli_alloc(fitted.n, sizeof(double), "a step", &block, err);
    if (st != BL_OK)
        return st;
    fitted.v = block;
    st = fit_values(step, x, n, &fitted, err);
    if (st != BL_OK) {
        free(fitted.v);
        return st;
    }
    bli_number_apply(&fitted, x, n, &bad);
    if (bad < n) {
        free(fitted.v);
        return bli_fail(err, BL_E_DATA,
                        "log1p needs numbers above -1, and a training row holds less; "
                        "clip them before");
    }
    *ret_step = fitted;
    return BL_OK;
}

/* --- Applying -------------------------------------------------------------------------- */

/* Bins below x: inner edges that are not above it. */
static double bin_of(const bl_number_step *step, double x)
{
    size_t low = 0, high = step->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (step->v[middle] <= x)
            low = middle + 1;
        else
            high = middle;
    }
    return (double)low;
}

void bli_number_apply(const bl_number_step *step, double *x, uint64_t n,
                      uint64_t *ret_bad)
{
    const double *v = step->v;
    *ret_bad = n;
    switch (step->kind) {
    case BL_STEP_IMPUTE:
        for (uint64_t i = 0; i < n; i++)
            x[i] = isnan(x[i]) ? v[0] : x[i];
        break;
    case BL_STEP_STANDARDIZE:
    case BL_STEP_ROBUST:
        for (uint64_t i = 0; i < n; i++)
            x[i] = (x[i] - v[0]) / v[1];
        break;
    case BL_STEP_MINMAX:
        for (uint64_t i = 0; i < n; i++)
            x[i] = x[i] * v[0] + v[1];
        break;
    case BL_STEP_CLIP:
    case BL_STEP_WINSORIZE:
        for (uint64_t i = 0; i < n; i++) {
            x[i] = x[i] <= v[0] ? v[0] : x[i]; /* a missing one stays */
            x[i] = x[i] >= v[1] ? v[1] : x[i];
        }
        break;
    case BL_STEP_LOG1P:
        for (uint64_t i = 0; i < n; i++) {
            if (x[i] <= -1 && *ret_bad == n)
                *ret_bad = i;
            x[i] = log1p(x[i]);
        }
        break;
    case BL_STEP_BINS:
        for (uint64_t i = 0; i < n; i++)
            x[i] = isnan(x[i]) ? x[i] : bin_of(step, x[i]);
        break;
    default:
        break;
    }
}
