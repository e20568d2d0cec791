/* SPDX-License-Identifier: Apache-2.0 */
/* What columns have to do with each other: correlations, and columns that are there twice. */
#include "evaluate/profile_priv.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LANES = 8 };

/* Sums in lanes, so that the order of adding is fixed and the loop is quick. */
typedef struct bl_sums {
    double n[LANES], x[LANES], y[LANES];
} bl_sums;

static double total(const double lane[LANES])
{
    return ((lane[0] + lane[1]) + (lane[2] + lane[3])) +
           ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

static void means_of(const double *x, const double *y, uint64_t n, double ret[3])
{
    bl_sums sums = {0};
    for (uint64_t r = 0; r < n; r++) {
        size_t lane = r % LANES;
        bool both = isfinite(x[r]) && isfinite(y[r]);
        sums.n[lane] += both;
        sums.x[lane] += both ? x[r] : 0;
        sums.y[lane] += both ? y[r] : 0;
    }
    ret[0] = total(sums.n);
    ret[1] = total(sums.x) / ret[0];
    ret[2] = total(sums.y) / ret[0];
}

double bli_pearson(const double *x, const double *y, uint64_t n)
{
    double mean[3], xx[LANES] = {0}, yy[LANES] = {0}, xy[LANES] = {0};
    means_of(x, y, n, mean);
    if (mean[0] < 2)
        return (double)NAN;
    for (uint64_t r = 0; r < n; r++) {
        size_t lane = r % LANES;
        bool both = isfinite(x[r]) && isfinite(y[r]);
        double dx = both ? x[r] - mean[1] : 0, dy = both ? y[r] - mean[2] : 0;
        xx[lane] += dx * dx;
        yy[lane] += dy * dy;
        xy[lane] += dx * dy;
    }
    double scale = sqrt(total(xx)) * sqrt(total(yy));
    /* A column that does not vary leaves only rounding. */
    double floor_x = fabs(mean[1]) * 1e-15, floor_y = fabs(mean[2]) * 1e-15;
    if (!(scale > 0) || !isfinite(scale) || sqrt(total(xx) / mean[0]) <= floor_x ||
        sqrt(total(yy) / mean[0]) <= floor_y)
        return (double)NAN;
    double r = total(xy) / scale;
    return r > 1 ? 1 : r < -1 ? -1 : r;
}

/* --- The matrix ------------------------------------------------------------------------------ */

static bool is_numeric(const bl_profile_column *c)
{
    return c->type == BL_PROFILE_INTEGER || c->type == BL_PROFILE_NUMBER ||
           c->type == BL_PROFILE_BOOLEAN;
}

static void choose(const bl_ending *e, size_t *pair, size_t *ret_n, size_t *ret_left)
{
    const bl_profile *p = e->profile;
    size_t n = 0, left = 0;
    bool with_label = p->label != SIZE_MAX && is_numeric(&p->columns[p->label]);
    if (with_label)
        pair[n++] = p->label;
    for (size_t i = 0; i < p->n_columns; i++) {
        if (!is_numeric(&p->columns[i]) || (with_label && i == p->label))
            continue;
        if (n < BL_PROFILE_PAIRS)
            pair[n++] = i;
        else
            left++;
    }
    *ret_n = n;
    *ret_left = left;
}

bl_status bli_profile_pairs(const bl_ending *e, bl_err *err)
{
    bl_profile *p = e->profile;
    void *pair, *matrix;
    bl_status st =
        bli_alloc(BL_PROFILE_PAIRS, sizeof *p->pair, "correlations", &pair, err);
    if (st != BL_OK)
        return st;
    p->pair = pair;
    choose(e, p->pair, &p->n_pairs, &p->n_pairs_left);
    size_t n = p->n_pairs;
    st = bli_alloc(n * n, sizeof(double), "correlations", &matrix, err);
    if (st != BL_OK)
        return st;
    p->correlation = matrix;
    const bl_tally *tallies = e->profiler->tallies;
    uint64_t n_kept = e->profiler->n_kept;
    int64_t n_cells = (int64_t)(n * n);
#pragma omp parallel for schedule(dynamic, 4)
    for (int64_t cell = 0; cell < n_cells; cell++) {
        size_t a = (size_t)cell / n, b = (size_t)cell % n;
        if (b > a)
            continue;
        double r =
            bli_pearson(tallies[p->pair[a]].numbers, tallies[p->pair[b]].numbers, n_kept);
        if (a == b && !isnan(r))
            r = 1;
        p->correlation[a * n + b] = p->correlation[b * n + a] = r;
    }
    return BL_OK;
}

/* --- Columns that are there twice ------------------------------------------------------------- */

static uint64_t print_of(const bl_ending *e, size_t i)
{
    const bl_tally *t = &e->profiler->tallies[i];
    uint64_t print = 0;
    for (uint64_t r = 0; r < e->profiler->n_kept; r++) {
        uint64_t key = 1;
        /* Codes are each column's own; the same texts in the same rows have the same ones. */
        if (t->codes && t->codes[r] != BL_NO_LEVEL)
            key = ((uint64_t)t->codes[r] << 2) | 2;
        else if (t->numbers && !isnan(t->numbers[r]))
            key = bli_mix(bli_key_of(t->numbers[r]));
        print = bli_mix(print ^ key);
    }
    return print;
}

static bool same_cells(const bl_ending *e, size_t i, size_t k)
{
    const bl_tally *a = &e->profiler->tallies[i], *b = &e->profiler->tallies[k];
    if (!a->codes != !b->codes || !a->numbers != !b->numbers)
        return false;
    for (uint64_t r = 0; r < e->profiler->n_kept; r++) {
        if (a->codes) {
            bool none = a->codes[r] == BL_NO_LEVEL;
            if (none != (b->codes[r] == BL_NO_LEVEL))
                return false;
            if (!none && strcmp(bli_levels_text(e->cells[i].levels, a->codes[r]),
                                bli_levels_text(e->cells[k].levels, b->codes[r])) != 0)
                return false;
        }
        if (a->numbers && a->numbers[r] != b->numbers[r] &&
            !(isnan(a->numbers[r]) && isnan(b->numbers[r])))
            return false;
    }
    return true;
}

typedef struct bl_print {
    uint64_t print;
    size_t column;
} bl_print;

static int compare_prints(const void *a, const void *b)
{
    const bl_print *x = a, *y = b;
    if (x->print != y->print)
        return x->print < y->print ? -1 : 1;
    return (x->column > y->column) - (x->column < y->column);
}

bl_status bli_profile_repeats(const bl_ending *e, bl_err *err)
{
    bl_profile *p = e->profile;
    void *block;
    bl_status st = bli_alloc(p->n_columns, sizeof(bl_print), "columns", &block, err);
    if (st != BL_OK)
        return st;
    bl_print *prints = block;
    int64_t n = (int64_t)p->n_columns;
#pragma omp parallel for schedule(dynamic, 1)
    for (int64_t i = 0; i < n; i++)
        prints[i] = (bl_print){print_of(e, (size_t)i), (size_t)i};
    if (n)
        qsort(prints, p->n_columns, sizeof *prints, compare_prints);
    for (size_t first = 0, i = 1; i < p->n_columns; i++) {
        bl_profile_column *c = &p->columns[prints[i].column];
        if (prints[i].print != prints[first].print) {
            first = i;
            continue;
        }
        /* What equals the label is told as that. */
        if (prints[first].column == p->label || prints[i].column == p->label)
            continue;
        if (c->findings & (BL_FOUND_EMPTY | BL_FOUND_CONSTANT) || p->n_rows < 2 ||
            !same_cells(e, prints[first].column, prints[i].column))
            continue;
        c->findings |= BL_FOUND_REPEATS;
        c->repeats = prints[first].column;
    }
    free(block);
    return BL_OK;
}
