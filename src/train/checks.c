/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What XGBoost takes on trust: weights, groups, bounds, base margins, categories, and
 * settings that only make sense against the data or against each other. Labels are in
 * labels.c.
 */
#include "train/train_priv.h"

#include "base/mem.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static bool is_rank(const bl_job *job)
{
    return !strncmp(job->objective, "rank:", 5);
}

static size_t count_numbers(const char *text)
{
    size_t n = 0;
    bool inside = false;
    for (; *text; text++) {
        bool part = isdigit((unsigned char)*text) || strchr(".eE+-", *text);
        n += part && !inside;
        inside = part;
    }
    return n;
}

static const char *alphas_name(const bl_job *job)
{
    return !strcmp(job->objective, "reg:quantileerror")    ? "quantile_alpha"
           : !strcmp(job->objective, "reg:expectileerror") ? "expectile_alpha"
                                                           : NULL;
}

size_t bli_job_n_outputs(const bl_job *job, const bl_matrix *matrix)
{
    if (!strncmp(job->objective, "multi:", 6))
        return job->num_class > 0 ? (size_t)job->num_class : 1;
    const char *name = alphas_name(job);
    const char *alphas = name ? bli_job_param(job, name) : NULL;
    if (alphas && count_numbers(alphas))
        return count_numbers(alphas);
    return matrix->roles.n_labels > 1 ? matrix->roles.n_labels : 1;
}

/* --- Roles -------------------------------------------------------------------------- */

static bl_status check_weights(const bl_matrix *m, bool is_train, const bl_log *log,
                               bl_err *err)
{
    char place[BL_PLACE_BYTES];
    if (!m->roles.weights)
        return BL_OK;
    bool any = false;
    for (uint64_t i = 0; i < m->n_rows; i++) {
        float w = m->roles.weights[i];
        if (!(w >= 0) || isinf(w))
            return bli_fail(
                err, BL_E_DATA,
                "the weight of %s is %.9g: weights are 0 or larger and finite",
                bli_row_place(m, i, place), (double)w);
        any |= w > 0;
    }
    if (any)
        return BL_OK;
    if (is_train)
        return bli_fail(err, BL_E_DATA,
                        "all %llu weights are 0: at least one row must count",
                        (unsigned long long)m->n_rows);
    bli_log(log, BL_WARNING, BL_STAGE,
            "all validation weights are 0: no metric there means anything");
    return BL_OK;
}

static bl_status check_group_weights(const bl_matrix *m, bl_err *err)
{
    const bl_roles *r = &m->roles;
    char place[BL_PLACE_BYTES];
    uint64_t row = 0;
    for (size_t g = 0; r->weights && g < r->n_groups; g++) {
        for (uint64_t i = 1; i < r->group_rows[g]; i++)
            if (r->weights[row + i] < r->weights[row] ||
                r->weights[row + i] > r->weights[row])
                return bli_fail(
                    err, BL_E_DATA,
                    "the weight of %s differs from its group's first (%.9g, %.9g): "
                    "ranking weighs whole groups",
                    bli_row_place(m, row + i, place), (double)r->weights[row + i],
                    (double)r->weights[row]);
        row += r->group_rows[g];
    }
    return BL_OK;
}

static bl_status check_groups(const bl_job *job, const bl_matrix *m, bl_err *err)
{
    const bl_roles *r = &m->roles;
    if (!r->n_groups) {
        if (!is_rank(job))
            return BL_OK;
        return bli_fail(
            err, BL_E_CONFIG,
            "objective %s ranks within groups and the data has none: name the group "
            "column with bl_group (without it XGBoost takes all rows as one group)",
            job->objective);
    }
    uint64_t n = 0;
    for (size_t g = 0; g < r->n_groups; g++)
        n += r->group_rows[g];
    if (n != m->n_rows)
        return bli_fail(err, BL_E_SHAPE, "the groups have %llu rows, the data %llu",
                        (unsigned long long)n, (unsigned long long)m->n_rows);
    if (n > UINT32_MAX)
        return bli_fail(err, BL_E_LIMIT, "%llu rows in groups: XGBoost ranks at most %lu",
                        (unsigned long long)n, (unsigned long)UINT32_MAX);
    return check_group_weights(m, err);
}

static bl_status check_bounds(const bl_matrix *m, bl_err *err)
{
    const bl_roles *r = &m->roles;
    char place[BL_PLACE_BYTES];
    if (!r->lower_bounds || !r->upper_bounds)
        return bli_fail(
            err, BL_E_CONFIG,
            "objective survival:aft needs two bounds a row: name their columns with "
            "bl_label_lower_bound and bl_label_upper_bound");
    for (uint64_t i = 0; i < m->n_rows; i++) {
        float low = r->lower_bounds[i], high = r->upper_bounds[i];
        if (!(low >= 0) || isinf(low) || isnan(high))
            return bli_fail(
                err, BL_E_DATA,
                "%s has the bounds %.9g and %.9g: the lower one is a time of 0 or "
                "larger, the upper one a time or inf",
                bli_row_place(m, i, place), (double)low, (double)high);
        if (low > high)
            return bli_fail(err, BL_E_DATA,
                            "%s has the lower bound %.9g above the upper %.9g",
                            bli_row_place(m, i, place), (double)low, (double)high);
    }
    return BL_OK;
}

static bl_status check_margins(const bl_job *job, const bl_matrix *m, bl_err *err)
{
    const bl_roles *r = &m->roles;
    char place[BL_PLACE_BYTES];
    size_t n = r->n_base_margins, outputs = bli_job_n_outputs(job, m);
    if (!r->base_margins)
        return BL_OK;
    if (n != outputs)
        return bli_fail(
            err, BL_E_CONFIG,
            "bl_base_margin names %zu columns, the model has %zu outputs: give one "
            "column for each output",
            n, outputs);
    for (uint64_t i = 0; i < m->n_rows * n; i++)
        if (!isfinite(r->base_margins[i]))
            return bli_fail(err, BL_E_DATA,
                            "the base margin of %s is missing or infinite",
                            bli_row_place(m, i / n, place));
    return BL_OK;
}

/* --- Categories --------------------------------------------------------------------- */

/* XGBoost keeps codes as float32: 2^24 - 1 is the last integer before gaps. */
#define MAX_CODE 16777215

static bl_status check_codes(const bl_matrix *m, size_t feature, bl_err *err)
{
    const bl_feature *f = &m->schema->features[feature];
    char place[BL_PLACE_BYTES];
    uint32_t n_levels = f->levels ? bli_levels_count(f->levels) : MAX_CODE;
    uint64_t row = 0;
    for (size_t b = 0; b < m->n_blocks; b++)
        for (uint64_t i = 0; i < m->blocks[b].n_rows; i++, row++) {
            float v = m->blocks[b].x[i * m->n_features + feature];
            if (isnan(v) || (v >= 0 && v < (float)n_levels && v == floorf(v)))
                continue;
            return bli_fail(
                err, BL_E_DATA,
                "feature '%.100s' is a category and %s holds the code %.9g: codes are "
                "integers from 0 to %u",
                f->name, bli_row_place(m, row, place), (double)v, n_levels - 1);
        }
    return BL_OK;
}

static bl_status check_categories(const bl_job *job, const bl_matrix *m, bl_err *err)
{
    const bl_schema *s = m->schema;
    for (size_t i = 0; i < s->n_features; i++) {
        if (strcmp(s->features[i].type, "c"))
            continue;
        bool linear = !strcmp(job->booster, "gblinear");
        if (linear || !strcmp(job->tree_method, "exact"))
            return bli_fail(err, BL_E_CONFIG,
                            "feature '%.100s' is a category, %s takes numbers only: use "
                            "tree_method hist or approx",
                            s->features[i].name,
                            linear ? "booster=gblinear" : "tree_method=exact");
        bl_status st = check_codes(m, i, err);
        if (st != BL_OK)
            return st;
    }
    return BL_OK;
}

/* --- A data set --------------------------------------------------------------------- */

static bl_status check_targets(const bl_job *job, const bl_matrix *m, bl_err *err)
{
    static const char *const single[] = {
        "multi:", "rank:", "survival:", "reg:quantileerror", "reg:expectileerror"};
    for (size_t i = 0; m->roles.n_labels > 1 && i < BL_LEN(single); i++)
        if (!strncmp(job->objective, single[i], strlen(single[i])))
            return bli_fail(err, BL_E_CONFIG,
                            "bl_label names %zu columns, objective %s takes one label",
                            m->roles.n_labels, job->objective);
    return BL_OK;
}

bl_status bli_check_matrix(const bl_job *job, const bl_matrix *m, bool is_train,
                           const bl_log *log, bl_err *err)
{
    if (!m->n_rows || !m->n_features)
        return bli_fail(err, BL_E_DATA, "the data has %llu rows and %zu features",
                        (unsigned long long)m->n_rows, m->n_features);
    bl_status st = check_targets(job, m, err);
    if (st == BL_OK)
        st = check_groups(job, m, err);
    if (st == BL_OK)
        st = check_weights(m, is_train, log, err);
    if (st == BL_OK && !strcmp(job->objective, "survival:aft"))
        st = check_bounds(m, err);
    else if (st == BL_OK && !m->roles.labels)
        st = bli_fail(err, BL_E_CONFIG,
                      "objective %s needs a label: name its column with bl_label",
                      job->objective);
    else if (st == BL_OK)
        st = bli_check_labels(job, m, is_train, log, err);
    if (st == BL_OK)
        st = check_margins(job, m, err);
    if (st == BL_OK)
        st = check_categories(job, m, err);
    return st;
}

/* --- Settings ----------------------------------------------------------------------- */

static bool param_is(const bl_job *job, const char *name, const char *text)
{
    const char *given = bli_job_param(job, name);
    return given && !strcmp(given, text);
}

/* What exact refuses in XGBoost only after the matrix was built. */
static bl_status check_exact(const bl_job *job, bl_err *err)
{
    const char *bynode = bli_job_param(job, "colsample_bynode");
    if (strcmp(job->tree_method, "exact"))
        return BL_OK;
    if (bynode && strcmp(bynode, "1") && strcmp(bynode, "1.0"))
        return bli_fail(
            err, BL_E_CONFIG,
            "tree_method=exact cannot sample columns by node (colsample_bynode=%s): "
            "use hist or approx",
            bynode);
    if (param_is(job, "sampling_method", "gradient_based"))
        return bli_fail(
            err, BL_E_CONFIG,
            "tree_method=exact samples uniformly only: sampling_method=gradient_based "
            "needs hist");
    if (param_is(job, "max_depth", "0"))
        return bli_fail(
            err, BL_E_CONFIG,
            "tree_method=exact needs a max_depth of 1 or more: unlimited depth (0) "
            "needs hist or approx");
    return BL_OK;
}

static bl_status check_alphas(const bl_job *job, bl_err *err)
{
    const char *name = alphas_name(job);
    if (!name)
        return BL_OK;
    const char *text = bli_job_param(job, name);
    if (text && count_numbers(text))
        return BL_OK;
    return bli_fail(
        err, BL_E_CONFIG,
        "objective %s needs %s: one number or a rising list of numbers between 0 and "
        "1, such as 0.1,0.5,0.9",
        job->objective, name);
}

static bl_status check_update(const bl_train_input *in, bl_err *err)
{
    if (!param_is(in->job, "process_type", "update"))
        return BL_OK;
    if (!in->start_model)
        return bli_fail(
            err, BL_E_CONFIG,
            "process_type=update changes the trees of a model that is there: give it "
            "in a channel named model, or leave process_type out");
    if (!strcmp(in->job->booster, "gblinear"))
        return bli_fail(err, BL_E_CONFIG, "process_type=update needs a tree booster");
    return BL_OK;
}

static bl_status check_vector_leaves(const bl_train_input *in, bl_err *err)
{
    const bl_job *job = in->job;
    bool hist = !strcmp(job->tree_method, "hist") || !strcmp(job->tree_method, "auto");
    if (param_is(job, "multi_strategy", "multi_output_tree") && !hist)
        return bli_fail(err, BL_E_CONFIG,
                        "multi_strategy=multi_output_tree needs tree_method=hist, not %s",
                        job->tree_method);
    return BL_OK;
}

/* XGBoost's Python refuses such names, the model itself does not mind. */
static void note_names(const bl_train_input *in)
{
    const bl_schema *s = in->train->schema;
    for (size_t i = 0; s->has_names && i < s->n_features; i++)
        if (strpbrk(s->features[i].name, "[]<")) {
            bli_log(in->log, BL_NOTE, BL_STAGE,
                    "feature name '%.100s' holds [, ] or <: it is kept as it is, but "
                    "XGBoost's "
                    "Python package takes no data with such a name",
                    s->features[i].name);
            return;
        }
}

static bl_status check_widths(const bl_train_input *in, bl_err *err)
{
    if (in->validation && in->validation->n_features != in->train->n_features)
        return bli_fail(err, BL_E_SHAPE,
                        "the validation data has %zu features, the training data %zu",
                        in->validation->n_features, in->train->n_features);
    if (in->validation && in->validation->roles.n_labels != in->train->roles.n_labels)
        return bli_fail(err, BL_E_SHAPE,
                        "the validation data has %zu labels a row, the training data %zu",
                        in->validation->roles.n_labels, in->train->roles.n_labels);
    return BL_OK;
}

bl_status bli_check_settings(const bl_train_input *in, bl_err *err)
{
    if (in->job->num_round > INT32_MAX)
        return bli_fail(err, BL_E_LIMIT,
                        "num_round is %lld: XGBoost counts rounds up to %d",
                        (long long)in->job->num_round, INT32_MAX);
    bl_status st = check_widths(in, err);
    if (st == BL_OK)
        st = check_exact(in->job, err);
    if (st == BL_OK)
        st = check_alphas(in->job, err);
    if (st == BL_OK)
        st = check_vector_leaves(in, err);
    if (st == BL_OK)
        st = check_update(in, err);
    if (st == BL_OK)
        note_names(in);
    return st;
}
