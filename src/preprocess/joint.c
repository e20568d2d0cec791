/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What takes several columns together: screening by correlation, and PCA. Linear algebra is
 * OpenBLAS's, on blocks of rows cut by size alone, on one thread, reduced in order; applying a
 * PCA is a loop of our own, so that one row and a million give the same bits.
 */
#include "preprocess/transform_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of OpenBLAS (Fortran's calling convention, 32-bit integers). */
void dsyrk_(const char *uplo, const char *trans, const int *n, const int *k,
            const double *alpha, const double *a, const int *lda, const double *beta,
            double *c, const int *ldc);
void dgeqrf_(const int *m, const int *n, double *a, const int *lda, double *tau,
             double *work, const int *lwork, int *info);
void dgesvd_(const char *jobu, const char *jobvt, const int *m, const int *n, double *a,
             const int *lda, double *s, double *u, const int *ldu, double *vt,
             const int *ldvt, double *work, const int *lwork, int *info);
void openblas_set_num_threads(int n);

enum { JOINT_ROWS = 4096 };

static void *room(size_t n, size_t m, bl_status *st, bl_err *err)
{
    void *block = NULL;
    size_t cells;
    if (*st == BL_OK && !bli_mul(n, m, &cells))
        *st = bli_fail(err, BL_E_NOMEM, "no memory for %zu x %zu numbers", n, m);
    if (*st == BL_OK)
        *st = bli_alloc(cells, sizeof(double), "a matrix of columns", &block, err);
    return *st == BL_OK ? block : NULL;
}

/* Mean of each of d made columns over all rows. ret_first_missing: a row, or n. */
static bl_status means_of(const bl_bound *bound, const size_t *made, size_t d,
                          double *column, double *mean, size_t *ret_missing, bl_err *err)
{
    bl_status st = BL_OK;
    *ret_missing = d;
    for (size_t j = 0; st == BL_OK && j < d; j++) {
        uint64_t present = 0;
        st = bli_bound_made(bound, made[j], 0, bound->n_rows, column, err);
        for (uint64_t i = 0; st == BL_OK && i < bound->n_rows; i++) {
            if (isnan(column[i])) {
                column[i] = 0;
                *ret_missing = *ret_missing == d ? j : *ret_missing;
            } else {
                present++;
            }
        }
        if (st == BL_OK)
            mean[j] =
                present ? bli_pairwise_sum(column, bound->n_rows) / (double)present : 0;
    }
    return st;
}

/* Rows [first, first + n) centered, column after column with ld rows each; missing: 0. */
static bl_status centered(const bl_bound *bound, const size_t *made, size_t d,
                          const double *mean, uint64_t first, uint64_t n, double *out,
                          size_t ld, bl_err *err)
{
    bl_status st = BL_OK;
    for (size_t j = 0; st == BL_OK && j < d; j++) {
        double *column = out + j * ld;
        st = bli_bound_made(bound, made[j], first, n, column, err);
        for (uint64_t i = 0; st == BL_OK && i < n; i++)
            column[i] = isnan(column[i]) ? 0 : column[i] - mean[j];
    }
    return st;
}

/* --- Screening ---------------------------------------------------------------------------- */

/* Later columns that correlate with an earlier one that stays. */
static void pick_dropped(bl_transform *t, const size_t *made, size_t d,
                         const double *gram, double limit, const bl_log *log)
{
    size_t n_dropped = 0;
    for (size_t b = 1; b < d; b++)
        for (size_t a = 0; a < b && !t->is_dropped[made[b]]; a++) {
            double scale = sqrt(gram[a * d + a]) * sqrt(gram[b * d + b]);
            /* upper triangle, columns first: element (a, b) */
            double r = scale > 0 ? gram[b * d + a] / scale : 0;
            if (t->is_dropped[made[a]] || !(fabs(r) > limit))
                continue;
            const bl_source *of_a = &t->sources[t->made_source[made[a]]];
            const bl_source *of_b = &t->sources[t->made_source[made[b]]];
            t->is_dropped[made[b]] = true;
            if (n_dropped++ < 20)
                bli_log(
                    log, BL_NOTE, "preprocess",
                    "column '%.60s' is left out: its correlation with '%.60s' is %.6f",
                    of_b->made[made[b] - of_b->first_made].name,
                    of_a->made[made[a] - of_a->first_made].name, r);
        }
    if (n_dropped)
        bli_log(log, BL_INFO, "preprocess", "correlation: %zu of %zu columns left out",
                n_dropped, d);
}

static bl_status screen(bl_transform *t, const bl_bound *bound, const bl_limits *limits,
                        const bl_log *log, bl_err *err)
{
    bl_status st = BL_OK;
    size_t d = 0, missing;
    size_t *made = calloc(t->n_made + 1, sizeof *made);
    if (!made)
        return bli_fail(err, BL_E_NOMEM, "no memory for columns");
    for (size_t m = 0; m < t->n_made; m++) {
        const bl_source *source = &t->sources[t->made_source[m]];
        if (!source->made[m - source->first_made].is_category)
            made[d++] = m;
    }
    if (d > limits->plan_joint) {
        free(made);
        return bli_fail(err, BL_E_LIMIT,
                        "plan '%.60s', correlation: %zu columns; the limit is %llu",
                        t->plan->name, d, (unsigned long long)limits->plan_joint);
    }
    double *column = room((size_t)bound->n_rows, 1, &st, err);
    double *mean = room(d, 1, &st, err);
    double *rows = room(d, JOINT_ROWS, &st, err);
    double *gram = room(d, d, &st, err);
    if (st == BL_OK)
        st = means_of(bound, made, d, column, mean, &missing, err);
    for (uint64_t first = 0; st == BL_OK && d && first < bound->n_rows;
         first += JOINT_ROWS) {
        uint64_t left = bound->n_rows - first;
        int n = left < JOINT_ROWS ? (int)left : JOINT_ROWS, columns = (int)d;
        int ld = JOINT_ROWS;
        const double one = 1;
        st = centered(bound, made, d, mean, first, (uint64_t)n, rows, JOINT_ROWS, err);
        if (st == BL_OK)
            dsyrk_("U", "T", &columns, &n, &one, rows, &ld, &one, gram, &columns);
    }
    if (st == BL_OK)
        pick_dropped(t, made, d, gram, t->plan->correlation, log);
    free(made);
    free(column);
    free(mean);
    free(rows);
    free(gram);
    return st;
}

/* --- PCA ---------------------------------------------------------------------------------- */

void bli_pca_apply(const bl_pca *pca, size_t component, const double *const *in,
                   uint64_t n, double *out)
{
    const double *axis = pca->axis + component * pca->n_in;
    for (uint64_t i = 0; i < n; i++)
        out[i] = 0;
    for (size_t j = 0; j < pca->n_in; j++) {
        const double *x = in[j];
        double mean = pca->mean[j], weight = axis[j];
        for (uint64_t i = 0; i < n; i++)
            out[i] += (x[i] - mean) * weight;
    }
}

/* R of the QR decomposition of all rows: block by block below the R so far. */
static bl_status triangle(const bl_bound *bound, const bl_pca *pca, double **ret_r,
                          bl_err *err)
{
    bl_status st = BL_OK;
    size_t d = pca->n_in, step = d * 2 > JOINT_ROWS ? d * 2 : JOINT_ROWS, ld = d + step;
    int columns = (int)d, leading = (int)ld, lwork = (int)(64 * d), info = 0;
    double *stack = room(ld, d, &st, err), *tau = room(d, 1, &st, err);
    double *work = room((size_t)lwork, 1, &st, err), *r = room(d, d, &st, err);
    size_t top = 0;
    for (uint64_t first = 0; st == BL_OK && first < bound->n_rows; first += step) {
        uint64_t left = bound->n_rows - first;
        int n = left < step ? (int)left : (int)step, m = n + (int)top;
        for (size_t j = 0; j < d; j++)
            for (size_t i = 0; i < top; i++)
                stack[j * ld + i] = i <= j ? r[j * d + i] : 0;
        st = centered(bound, pca->in, d, pca->mean, first, (uint64_t)n, stack + top, ld,
                      err);
        if (st != BL_OK)
            break;
        dgeqrf_(&m, &columns, stack, &leading, tau, work, &lwork, &info);
        if (info != 0)
            st = bli_fail(err, BL_E_INTERNAL, "PCA: dgeqrf gives %d", info);
        top = (size_t)m < d ? (size_t)m : d;
        for (size_t j = 0; j < d; j++)
            for (size_t i = 0; i < d; i++)
                r[j * d + i] = i <= j && i < top ? stack[j * ld + i] : 0;
    }
    free(stack);
    free(tau);
    free(work);
    if (st == BL_OK)
        *ret_r = r;
    else
        free(r);
    return st;
}

/* Signs as scikit-learn's: the largest entry of an axis by size is positive. */
static void set_axes(bl_pca *pca, const double *vt)
{
    size_t d = pca->n_in;
    for (size_t k = 0; k < pca->n_out; k++) {
        size_t largest = 0;
        for (size_t j = 1; j < d; j++)
            if (fabs(vt[j * d + k]) > fabs(vt[largest * d + k]))
                largest = j;
        double sign = vt[largest * d + k] < 0 ? -1 : 1;
        for (size_t j = 0; j < d; j++)
            pca->axis[k * d + j] = sign * vt[j * d + k];
    }
}

static bl_status decompose(const bl_bound *bound, bl_pca *pca, bl_err *err)
{
    bl_status st = BL_OK;
    size_t d = pca->n_in;
    int n = (int)d, lwork = (int)(16 * d + 64), info = 0, one = 1;
    double *r = NULL, none;
    st = triangle(bound, pca, &r, err);
    double *s = room(d, 1, &st, err), *vt = room(d, d, &st, err);
    double *work = room((size_t)lwork, 1, &st, err);
    if (st == BL_OK) {
        dgesvd_("N", "A", &n, &n, r, &n, s, &none, &one, vt, &n, work, &lwork, &info);
        if (info != 0)
            st = bli_fail(err, BL_E_INTERNAL, "PCA: dgesvd gives %d", info);
    }
    if (st == BL_OK) {
        memcpy(pca->singular, s, pca->n_out * sizeof *s);
        set_axes(pca, vt);
    }
    free(r);
    free(s);
    free(vt);
    free(work);
    return st;
}

static bool names_source(const bl_column_refs *refs, const bl_transform *t,
                         const bl_source *source, bool *used)
{
    for (size_t i = 0; i < refs->n; i++) {
        const char *name = refs->ref[i].name;
        if (name ? strcmp(name, source->name) == 0
                 : refs->ref[i].index == (int64_t)source->place) {
            used[i] = true;
            return true;
        }
    }
    (void)t;
    return false;
}

static bl_status choose_inputs(const bl_transform *t, const bl_pca_plan *plan,
                               bl_pca *pca, const bool *is_taken, const bl_limits *limits,
                               bl_err *err)
{
    void *block;
    bool *used = calloc(plan->columns.n + 1, sizeof *used);
    bl_status st = used ? bli_alloc(t->n_made, sizeof(size_t), "columns", &block, err)
                        : bli_fail(err, BL_E_NOMEM, "no memory for columns");
    if (st == BL_OK)
        pca->in = block;
    for (size_t m = 0; st == BL_OK && m < t->n_made; m++) {
        const bl_source *source = &t->sources[t->made_source[m]];
        if (!names_source(&plan->columns, t, source, used) || t->is_dropped[m])
            continue;
        if (is_taken[m])
            st =
                bli_plan_refuse(t->plan, plan->path, err,
                                "column '%.60s' is in another PCA already", source->name);
        else if (source->made[m - source->first_made].is_category)
            st = bli_plan_refuse(
                t->plan, plan->path, err,
                "column '%.60s' is a category; encode it (onehot, ordinal, "
                "target)",
                source->name);
        pca->in[pca->n_in++] = m;
    }
    for (size_t i = 0; st == BL_OK && i < plan->columns.n; i++)
        if (!used[i])
            st = bli_plan_refuse(
                t->plan, plan->path, err, "column '%.60s' is no feature of this plan",
                plan->columns.ref[i].name ? plan->columns.ref[i].name : "of that index");
    free(used);
    if (st == BL_OK && pca->n_in > limits->plan_joint)
        return bli_fail(err, BL_E_LIMIT,
                        "plan '%.60s', %s: %zu columns; the limit is %llu", t->plan->name,
                        plan->path, pca->n_in, (unsigned long long)limits->plan_joint);
    if (st == BL_OK && (uint64_t)plan->components > pca->n_in)
        return bli_plan_refuse(
            t->plan, plan->path, err,
            "%lld components of %zu columns; at most as many as columns",
            (long long)plan->components, pca->n_in);
    return st;
}

static bl_status fit_pca(const bl_transform *t, const bl_bound *bound,
                         const bl_pca_plan *plan, bl_pca *pca, const bool *is_taken,
                         const bl_limits *limits, bl_err *err)
{
    size_t missing = 0;
    bl_status st = bli_strdup(plan->name, &pca->name, err);
    if (st == BL_OK)
        st = choose_inputs(t, plan, pca, is_taken, limits, err);
    pca->n_out = (size_t)plan->components;
    if (st == BL_OK && bound->n_rows < 2)
        st = bli_fail(err, BL_E_DATA, "PCA needs at least two training rows");
    pca->mean = room(pca->n_in, 1, &st, err);
    pca->axis = room(pca->n_out, pca->n_in, &st, err);
    pca->singular = room(pca->n_out, 1, &st, err);
    double *column = room((size_t)bound->n_rows, 1, &st, err);
    if (st == BL_OK)
        st = means_of(bound, pca->in, pca->n_in, column, pca->mean, &missing, err);
    free(column);
    if (st == BL_OK && missing < pca->n_in)
        return bli_plan_refuse(
            t->plan, plan->path, err,
            "column '%.60s' has missing cells; impute them in its steps",
            t->sources[t->made_source[pca->in[missing]]].name);
    return st == BL_OK ? decompose(bound, pca, err) : st;
}

/* Columns that stay in their order; a PCA's components stand where its first column stood. */
void bli_list_columns(bl_transform *t)
{
    size_t n = 0;
    for (size_t m = 0; m < t->n_made; m++) {
        size_t p = 0, first = BL_NONE;
        for (; p < t->n_pcas && first == BL_NONE; p++)
            for (size_t j = 0; j < t->pcas[p].n_in && first == BL_NONE; j++)
                if (t->pcas[p].in[j] == m)
                    first = t->pcas[p].in[0];
        if (first != BL_NONE) {
            p--;
            for (size_t k = 0; first == m && k < t->pcas[p].n_out; k++)
                t->columns[n++] = (bl_model_column){BL_NONE, p, k};
        } else if (!t->is_dropped[m]) {
            t->columns[n++] = (bl_model_column){m, BL_NONE, 0};
        }
    }
    t->n_columns = n;
}

bl_status bli_fit_joint(bl_transform *t, const bl_bound *bound, const bl_limits *limits,
                        const bl_log *log, bl_err *err)
{
    void *block;
    bl_status st = BL_OK;
    openblas_set_num_threads(1);
    if (t->plan->correlation > 0)
        st = screen(t, bound, limits, log, err);
    bool *is_taken = calloc(t->n_made + 1, sizeof *is_taken);
    if (st == BL_OK && !is_taken)
        st = bli_fail(err, BL_E_NOMEM, "no memory for columns");
    if (st == BL_OK)
        st = bli_alloc(t->plan->n_pcas, sizeof(bl_pca), "a plan", &block, err);
    if (st == BL_OK)
        t->pcas = block;
    for (size_t p = 0; st == BL_OK && p < t->plan->n_pcas; p++) {
        t->n_pcas = p + 1;
        st = fit_pca(t, bound, &t->plan->pcas[p], &t->pcas[p], is_taken, limits, err);
        for (size_t j = 0; st == BL_OK && j < t->pcas[p].n_in; j++)
            is_taken[t->pcas[p].in[j]] = true;
    }
    free(is_taken);
    if (st == BL_OK)
        bli_list_columns(t);
    return st;
}
