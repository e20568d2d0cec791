/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Labels against the objective. XGBoost names neither the smallest nor the largest label,
 * checks some of these only when a metric is asked for, and takes others without a word:
 * hinge labels of 2 give an error rate of -0.045, a tweedie model of zeros gives nan.
 */
#include "train/train_priv.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What an objective takes. */
typedef struct rule {
    const char *objective;
    float low, high;
    bool low_open;
    bool whole;          /* integers only */
    const char *accepts; /* "labels of ... must be <accepts>" */
    const char *cure;
} rule;

static const rule rules[] = {
    {"binary:logistic", 0, 1, false, false, "between 0 and 1",
     "code the two classes 0 and 1"},
    {"binary:logitraw", 0, 1, false, false, "between 0 and 1",
     "code the two classes 0 and 1"},
    {"reg:logistic", 0, 1, false, false, "between 0 and 1", "scale the label to 0 .. 1"},
    {"binary:hinge", 0, 1, false, true, "0 or 1", "code the two classes 0 and 1"},
    {"count:poisson", 0, INFINITY, false, false, "0 or larger",
     "a count is never negative"},
    {"reg:tweedie", 0, INFINITY, false, false, "0 or larger", "use reg:squarederror"},
    {"reg:gamma", 0, INFINITY, true, false, "larger than 0",
     "use reg:tweedie where 0 occurs, else reg:squarederror"},
    {"reg:squaredlogerror", -1, INFINITY, true, false, "larger than -1",
     "use reg:squarederror"},
    {"rank:map", 0, 1, false, true, "0 or 1 (relevant or not)",
     "use rank:ndcg for graded relevance"},
};

/* What the labels are. */
typedef struct scan {
    float low, high;
    uint64_t low_row, high_row;
    uint64_t unusable; /* first row with nan or inf; UINT64_MAX: none */
    uint64_t fraction; /* first row with no integer; UINT64_MAX: none */
} scan;

static scan scan_labels(const bl_matrix *m)
{
    scan s = {INFINITY, -INFINITY, 0, 0, UINT64_MAX, UINT64_MAX};
    size_t width = m->roles.n_labels;
    for (uint64_t i = 0; i < m->n_rows * width; i++) {
        float v = m->roles.labels[i];
        if (!isfinite(v) && s.unusable == UINT64_MAX)
            s.unusable = i / width;
        if (v != floorf(v) && s.fraction == UINT64_MAX)
            s.fraction = i / width;
        if (v < s.low) {
            s.low = v;
            s.low_row = i / width;
        }
        if (v > s.high) {
            s.high = v;
            s.high_row = i / width;
        }
    }
    return s;
}

const char *bli_row_place(const bl_matrix *m, uint64_t row, char out[BL_PLACE_BYTES])
{
    for (size_t i = 0; i < m->files.n; i++) {
        const bl_file *f = &m->files.file[i];
        if (row >= f->first_row && row - f->first_row < f->n_rows) {
            snprintf(out, BL_PLACE_BYTES, "row %llu of %.200s",
                     (unsigned long long)(row - f->first_row), f->path);
            return out;
        }
    }
    snprintf(out, BL_PLACE_BYTES, "row %llu", (unsigned long long)row);
    return out;
}

/* --- One objective's range ---------------------------------------------------------- */

static bl_status check_rule(const rule *r, const bl_matrix *m, const scan *s, bl_err *err)
{
    char place[BL_PLACE_BYTES];
    bool low = s->low < r->low || (r->low_open && !(s->low > r->low));
    bool high = s->high > r->high;
    if (!low && !high && (!r->whole || s->fraction == UINT64_MAX))
        return BL_OK;
    uint64_t row = low ? s->low_row : high ? s->high_row : s->fraction;
    return bli_fail(
        err, BL_E_DATA,
        "labels run from %.9g to %.9g (%s is the first that does not fit), objective "
        "%s takes labels %s: %s",
        (double)s->low, (double)s->high, bli_row_place(m, row, place), r->objective,
        r->accepts, r->cure);
}

/* The two habits behind most of these: classes counted from 1, and num_class one too
 * small. */
static bl_status check_classes(const bl_job *job, const bl_matrix *m, const scan *s,
                               bl_err *err)
{
    long long n = job->num_class;
    char place[BL_PLACE_BYTES];
    if (s->fraction != UINT64_MAX)
        return bli_fail(
            err, BL_E_DATA,
            "labels run from %.9g to %.9g and %s holds %.9g, objective %s takes the "
            "integers 0 to %lld: number the classes from 0",
            (double)s->low, (double)s->high, bli_row_place(m, s->fraction, place),
            (double)m->roles.labels[s->fraction], job->objective, n - 1);
    if (s->low >= 0 && s->high < (float)n)
        return BL_OK;
    if (s->low >= 1 && s->high <= (float)n)
        return bli_fail(
            err, BL_E_DATA,
            "labels run from %.9g to %.9g, objective %s with num_class=%lld takes the "
            "integers 0 to %lld: subtract 1 from every label (num_class=%lld instead "
            "would train a class 0 that never occurs)",
            (double)s->low, (double)s->high, job->objective, n, n - 1, n + 1);
    if (s->low >= 0)
        return bli_fail(
            err, BL_E_DATA,
            "labels run from %.9g to %.9g, objective %s with num_class=%lld takes the "
            "integers 0 to %lld: set num_class=%.9g, or number the classes from 0 "
            "without gaps",
            (double)s->low, (double)s->high, job->objective, n, n - 1,
            (double)s->high + 1);
    return bli_fail(
        err, BL_E_DATA,
        "labels run from %.9g to %.9g, objective %s with num_class=%lld takes the "
        "integers 0 to %lld: number the classes from 0",
        (double)s->low, (double)s->high, job->objective, n, n - 1);
}

/* 2^31 - 1 is the largest gain that fits XGBoost's 32 bits. */
static bl_status check_relevance(const bl_job *job, const bl_matrix *m, const scan *s,
                                 bl_err *err)
{
    const char *gain = bli_job_param(job, "ndcg_exp_gain");
    char place[BL_PLACE_BYTES];
    if (gain && (!strcmp(gain, "false") || !strcmp(gain, "0") || !strcmp(gain, "False")))
        return BL_OK;
    if (s->low >= 0 && s->high <= 31 && s->fraction == UINT64_MAX)
        return BL_OK;
    uint64_t row = s->low < 0 ? s->low_row : s->high > 31 ? s->high_row : s->fraction;
    return bli_fail(
        err, BL_E_DATA,
        "labels run from %.9g to %.9g (%s is the first that does not fit), objective "
        "%s takes the integers 0 to 31 as relevance: set ndcg_exp_gain=false for "
        "other gains",
        (double)s->low, (double)s->high, bli_row_place(m, row, place), job->objective);
}

static bl_status check_range(const bl_job *job, const bl_matrix *m, const scan *s,
                             bl_err *err)
{
    if (!strncmp(job->objective, "multi:", 6))
        return check_classes(job, m, s, err);
    if (!strcmp(job->objective, "rank:ndcg") || !strcmp(job->objective, "rank:pairwise"))
        return check_relevance(job, m, s, err);
    for (size_t i = 0; i < BL_LEN(rules); i++)
        if (!strcmp(job->objective, rules[i].objective))
            return check_rule(&rules[i], m, s, err);
    return BL_OK;
}

/* --- What trains, but hardly as meant ----------------------------------------------- */

static bl_status warn_classes(const bl_job *job, const bl_matrix *m, const bl_log *log,
                              bl_err *err)
{
    bool *seen = NULL;
    bl_status st =
        bli_alloc((size_t)job->num_class, sizeof *seen, "classes", (void **)&seen, err);
    if (st != BL_OK)
        return st;
    for (uint64_t i = 0; i < m->n_rows; i++)
        seen[(size_t)m->roles.labels[i]] = true;
    bl_buf list = {0};
    size_t n = 0;
    for (int64_t c = 0; c < job->num_class; c++)
        if (!seen[c] && n++ < 10)
            bli_buf_printf(&list, "%s%lld", n > 1 ? ", " : "", (long long)c);
    if (n && list.data)
        bli_log(
            log, BL_WARNING, BL_STAGE,
            "%zu of %lld classes never occur in the training labels (%s%s): is num_class "
            "right, do the classes begin at 0?",
            n, (long long)job->num_class, list.data, n > 10 ? ", ..." : "");
    bli_buf_done(&list);
    free(seen);
    return BL_OK;
}

static bool has_auc(const bl_job *job)
{
    for (size_t i = 0; i < job->n_metrics; i++)
        if (!strncmp(job->metrics[i].name, "auc", 3))
            return true;
    return false;
}

static bl_status check_training(const bl_job *job, const bl_matrix *m, const scan *s,
                                const bl_log *log, bl_err *err)
{
    if (!strncmp(job->objective, "multi:", 6)) {
        bl_status st = warn_classes(job, m, log, err);
        if (st != BL_OK)
            return st;
    }
    if (!strcmp(job->objective, "reg:tweedie") && s->high <= 0)
        return bli_fail(
            err, BL_E_DATA,
            "all labels are 0, objective reg:tweedie needs a label above 0: XGBoost "
            "would train a model of nan");
    if (!strcmp(job->objective, "survival:cox") && s->high <= 0)
        return bli_fail(
            err, BL_E_DATA,
            "labels run from %.9g to %.9g, objective survival:cox needs an event, a "
            "label above 0 (negative ones are right-censored times)",
            (double)s->low, (double)s->high);
    if (s->low == s->high && m->n_rows > 1)
        bli_log(log, BL_WARNING, BL_STAGE,
                "all training labels are %.9g: there is nothing to learn from them",
                (double)s->low);
    return BL_OK;
}

bl_status bli_check_labels(const bl_job *job, const bl_matrix *m, bool is_train,
                           const bl_log *log, bl_err *err)
{
    char place[BL_PLACE_BYTES];
    scan s = scan_labels(m);
    if (s.unusable != UINT64_MAX)
        return bli_fail(err, BL_E_DATA, "the label of %s is missing or infinite",
                        bli_row_place(m, s.unusable, place));
    bl_status st = check_range(job, m, &s, err);
    if (st == BL_OK && is_train)
        st = check_training(job, m, &s, log, err);
    if (st == BL_OK && has_auc(job) && s.low == s.high && m->roles.n_labels == 1)
        bli_log(
            log, BL_WARNING, BL_STAGE,
            "all %s labels are %.9g: auc and aucpr need two classes and are nan there",
            is_train ? "training" : "validation", (double)s.low);
    return st;
}
