/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each column says about the label alone. The cells of a column are cut into groups (a text,
 * a range of numbers, missing); half of the rows, by a hash of their number, give each group its
 * mean or its shares of the classes, and the other half is predicted from them. A column whose
 * values come once each, such as an identifier, so says nothing.
 */
#include "evaluate/profile_priv.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* MOST_BYTES: of the groups of one column; a column of more is not looked at. */
enum { BINS = 256, LEAST_OF_BIN = 20, LEAST_ROWS = 50, MOST_BYTES = 1 << 28 };

static const double TELLS_AUC = 0.999, NEAR_AUC = 0.97, TELLS_ERROR = 0.99,
                    TELLS_R2 = 0.995;

/* The label of the rows that are kept. */
typedef struct bl_target {
    uint64_t n_rows;
    uint32_t n_classes;
    uint32_t *class_of; /* [n_rows] BL_NO_LEVEL: missing; NULL: a number */
    double *value;      /* [n_rows] NaN: missing; 0 and 1 of two classes */
} bl_target;

typedef struct bl_groups {
    uint32_t n;
    uint32_t *of; /* [n_rows]; 0: missing */
} bl_groups;

/* --- The label ------------------------------------------------------------------------------- */

static bl_status classes_of_numbers(const double *x, uint64_t n, bl_target *target,
                                    bl_err *err)
{
    void *block;
    bl_status st = bli_alloc(n, 2 * sizeof(double), "the label", &block, err);
    if (st != BL_OK)
        return st;
    double *sorted = block;
    uint64_t m = 0, n_classes = 0;
    for (uint64_t r = 0; r < n; r++)
        if (!isnan(x[r]))
            sorted[m++] = x[r];
    bli_sort_doubles(sorted, sorted + n, m);
    for (uint64_t r = 0; r < m && n_classes <= BL_PROFILE_CLASSES; r++)
        if (r == 0 || sorted[r] != sorted[r - 1])
            sorted[n_classes++] = sorted[r];
    bool classes = n_classes <= BL_PROFILE_CLASSES;
    for (uint64_t r = 0; classes && r < n_classes; r++)
        classes = sorted[r] == floor(sorted[r]) && fabs(sorted[r]) <= 1e6;
    if (classes && (n_classes <= 20 || n_classes * 20 <= m)) {
        target->n_classes = (uint32_t)n_classes;
        for (uint64_t r = 0; r < n; r++) {
            uint32_t k = 0;
            while (k < n_classes && sorted[k] != x[r])
                k++;
            target->class_of[r] = k < n_classes ? k : BL_NO_LEVEL;
        }
    }
    free(block);
    return BL_OK;
}

static bl_status read_label(const bl_ending *e, bl_target *target, bl_err *err)
{
    const bl_tally *t = &e->profiler->tallies[e->profile->label];
    const bl_profile_column *c = &e->profile->columns[e->profile->label];
    void *classes, *values;
    uint64_t n = target->n_rows = e->profiler->n_kept;
    bl_status st = bli_alloc(n, sizeof(uint32_t), "the label", &classes, err);
    if (st != BL_OK)
        return st;
    target->class_of = classes;
    st = bli_alloc(n, sizeof(double), "the label", &values, err);
    if (st != BL_OK)
        return st;
    target->value = values;
    if (t->codes && !t->numbers && c->n_distinct <= BL_PROFILE_CLASSES) {
        memcpy(target->class_of, t->codes, n * sizeof *t->codes);
        target->n_classes = bli_levels_count(e->cells[e->profile->label].levels);
    } else if (t->numbers && !t->codes) {
        st = classes_of_numbers(t->numbers, n, target, err);
    }
    for (uint64_t r = 0; r < n; r++)
        target->value[r] =
            target->n_classes
                ? (target->class_of[r] == BL_NO_LEVEL ? (double)NAN
                                                      : (double)target->class_of[r])
                : (t->numbers && !t->codes ? t->numbers[r] : (double)NAN);
    if (!target->n_classes) {
        free(target->class_of);
        target->class_of = NULL;
    }
    return st;
}

/* --- Groups of a column ------------------------------------------------------------------------ */

/* Up to BINS ranges of about as many rows each, at least LEAST_OF_BIN; equal numbers stay together. */
static uint32_t cut(double *sorted, uint64_t m)
{
    uint32_t n = 0;
    uint64_t step = m / BINS > LEAST_OF_BIN ? m / BINS : LEAST_OF_BIN;
    for (uint64_t r = 0; r < m;) {
        uint64_t last = r + step - 1 < m ? r + step - 1 : m - 1;
        double end = sorted[last];
        sorted[n++] = end; /* behind what is still read */
        while (r < m && (r <= last || sorted[r] == end))
            r++;
    }
    return n;
}

static uint32_t bin_of(const double *end, uint32_t n, double value)
{
    uint32_t low = 0, high = n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (end[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bl_status group(const bl_ending *e, size_t i, bl_groups *groups, bl_err *err)
{
    const bl_tally *t = &e->profiler->tallies[i];
    uint64_t n = e->profiler->n_kept, m = 0;
    void *of, *block = NULL;
    double *sorted = NULL;
    uint32_t n_bins = 0;
    bl_status st = bli_alloc(n, sizeof(uint32_t), "a column", &of, err);
    if (st != BL_OK)
        return st;
    groups->of = of;
    if (t->numbers) {
        st = bli_alloc(n, 2 * sizeof(double), "a column", &block, err);
        if (st != BL_OK)
            return st;
        sorted = block;
        for (uint64_t r = 0; r < n; r++)
            if (!isnan(t->numbers[r]))
                sorted[m++] = t->numbers[r];
        bli_sort_doubles(sorted, sorted + n, m);
        n_bins = cut(sorted, m);
    }
    for (uint64_t r = 0; r < n; r++) {
        groups->of[r] = 0;
        if (t->codes && t->codes[r] != BL_NO_LEVEL)
            groups->of[r] = 1 + n_bins + t->codes[r];
        else if (t->numbers && !isnan(t->numbers[r]))
            groups->of[r] = 1 + bin_of(sorted, n_bins, t->numbers[r]);
    }
    groups->n = 1 + n_bins + (t->codes ? bli_levels_count(e->cells[i].levels) : 0);
    free(block);
    return BL_OK;
}

/* --- One column against the label ------------------------------------------------------------- */

static bool is_learned_from(uint64_t row)
{
    return bli_mix(row) & 1;
}

/* What one group has learned, and what is then asked of it. */
typedef struct bl_group {
    double n, sum;                       /* learned from */
    double score;                        /* what it predicts */
    double n_asked, asked, asked_square; /* less the mean of all */
} bl_group;

static int compare_scores(const void *a, const void *b)
{
    const bl_group *x = a, *y = b;
    return (x->score > y->score) - (x->score < y->score);
}

/* NaN where one class lacks. Groups of one score are one step of the curve. */
static double auc_of(bl_group *group, uint32_t n, double mean)
{
    double below = 0, area = 0, positive = 0, negative = 0;
    qsort(group, n, sizeof *group, compare_scores);
    for (uint32_t first = 0, g = 0; first < n; first = g) {
        double ones = 0, zeros = 0;
        for (; g < n && group[g].score == group[first].score; g++) {
            double own = round(group[g].asked + mean * group[g].n_asked);
            ones += own;
            zeros += group[g].n_asked - own;
        }
        area += ones * (below + zeros / 2);
        below += zeros;
        positive += ones;
        negative += zeros;
    }
    return area / (positive * negative);
}

static double r2_of(const bl_group *group, uint32_t n, double mean)
{
    double left = 0, all = 0, sum = 0, n_asked = 0;
    for (uint32_t g = 0; g < n; g++) {
        double score = group[g].score - mean;
        left += group[g].asked_square - 2 * score * group[g].asked +
                group[g].n_asked * score * score;
        all += group[g].asked_square;
        sum += group[g].asked;
        n_asked += group[g].n_asked;
    }
    all -= sum * sum / n_asked;
    return all > 0 ? 1 - left / all : (double)NAN;
}

/* Two classes or a number: the mean of each group, of classes drawn a little towards that of
 * all. */
static double by_means(const bl_target *target, const bl_groups *groups, bl_group *group)
{
    double mean = 0, n = 0, pull = target->n_classes ? 1 : 0;
    memset(group, 0, groups->n * sizeof *group);
    for (uint64_t r = 0; r < target->n_rows; r++)
        if (isfinite(target->value[r]) && is_learned_from(r)) {
            group[groups->of[r]].sum += target->value[r];
            group[groups->of[r]].n++;
            mean += target->value[r];
            n++;
        }
    mean /= n;
    for (uint32_t g = 0; g < groups->n; g++)
        group[g].score =
            group[g].n > 0 ? (group[g].sum + pull * mean) / (group[g].n + pull) : mean;
    for (uint64_t r = 0; r < target->n_rows; r++)
        if (isfinite(target->value[r]) && !is_learned_from(r)) {
            bl_group *own = &group[groups->of[r]];
            double value = target->value[r] - mean;
            own->n_asked++;
            own->asked += value;
            own->asked_square += value * value;
        }
    return target->n_classes ? auc_of(group, groups->n, mean)
                             : r2_of(group, groups->n, mean);
}

/* More classes: the commonest of each group. */
static double by_votes(const bl_target *target, const bl_groups *groups, uint64_t *votes)
{
    uint32_t k = target->n_classes;
    uint64_t *all = votes + (size_t)groups->n * k;
    double wrong = 0, wrong_alone = 0;
    memset(votes, 0, ((size_t)groups->n + 1) * k * sizeof *votes);
    for (uint64_t r = 0; r < target->n_rows; r++)
        if (target->class_of[r] != BL_NO_LEVEL && is_learned_from(r)) {
            votes[(size_t)groups->of[r] * k + target->class_of[r]]++;
            all[target->class_of[r]]++;
        }
    uint32_t commonest = 0;
    for (uint32_t c = 1; c < k; c++)
        commonest = all[c] > all[commonest] ? c : commonest;
    for (uint64_t r = 0; r < target->n_rows; r++) {
        if (target->class_of[r] == BL_NO_LEVEL || is_learned_from(r))
            continue;
        const uint64_t *of = votes + (size_t)groups->of[r] * k;
        uint32_t best = commonest;
        for (uint32_t c = 0; c < k; c++)
            best = of[c] > of[best] ? c : best;
        wrong += best != target->class_of[r];
        wrong_alone += commonest != target->class_of[r];
    }
    return wrong_alone > 0 ? 1 - wrong / wrong_alone : (double)NAN;
}

/* Each value stands with one class only, and each class with one value only. */
static bool is_one_to_one(const bl_ending *e, const bl_target *target, size_t i)
{
    const bl_tally *t = &e->profiler->tallies[i];
    uint64_t of_class[BL_PROFILE_CLASSES];
    bool seen[BL_PROFILE_CLASSES] = {false};
    uint32_t n_seen = 0;
    for (uint64_t r = 0; r < target->n_rows; r++) {
        uint32_t class_of = target->class_of[r];
        uint64_t key = t->codes && t->codes[r] != BL_NO_LEVEL ? t->codes[r]
                       : t->numbers && !isnan(t->numbers[r])
                           ? bli_key_of(t->numbers[r]) | UINT64_C(1) << 32
                           : UINT64_MAX;
        if (class_of == BL_NO_LEVEL)
            continue;
        if (key == UINT64_MAX || (seen[class_of] && of_class[class_of] != key))
            return false;
        n_seen += !seen[class_of];
        seen[class_of] = true;
        of_class[class_of] = key;
    }
    for (uint32_t a = 0; a < target->n_classes; a++)
        for (uint32_t b = 0; b < a; b++)
            if (seen[a] && seen[b] && of_class[a] == of_class[b])
                return false;
    return n_seen > 1;
}

static bool is_label(const bl_ending *e, const bl_target *target, size_t i)
{
    const bl_tally *t = &e->profiler->tallies[i];
    if (target->class_of)
        return is_one_to_one(e, target, i);
    for (uint64_t r = 0; r < target->n_rows; r++)
        if (!t->numbers ||
            (t->numbers[r] != target->value[r] && !isnan(target->value[r])))
            return false;
    return true;
}

static double pearson_squared(const bl_ending *e, const bl_target *target, size_t i)
{
    const bl_tally *t = &e->profiler->tallies[i];
    double r = t->numbers && !t->codes && e->profile->columns[i].n_missing == 0
                   ? bli_pearson(t->numbers, target->value, target->n_rows)
                   : (double)NAN;
    return r * r;
}

/* Two classes: the curve of the numbers themselves, rising or falling, over all rows: what the
 * edges of ranges lose. Each row is a group of its own. */
static bl_status by_order(const bl_ending *e, const bl_target *target, size_t i,
                          double *ret_auc, bl_err *err)
{
    const double *x = e->profiler->tallies[i].numbers;
    uint64_t n = 0;
    void *block;
    bl_status st =
        bli_alloc(target->n_rows, sizeof(bl_group), "rows of a column", &block, err);
    if (st != BL_OK)
        return st;
    bl_group *group = block;
    for (uint64_t r = 0; r < target->n_rows; r++)
        if (isfinite(target->value[r]) && !isnan(x[r]))
            group[n++] =
                (bl_group){.score = x[r], .n_asked = 1, .asked = target->value[r]};
    double auc = n < UINT32_MAX ? auc_of(group, (uint32_t)n, 0) : (double)NAN;
    *ret_auc = auc < 0.5 ? 1 - auc : auc;
    free(block);
    return BL_OK;
}

static bl_status look_at(const bl_ending *e, const bl_target *target, size_t i,
                         bl_err *err)
{
    bl_profile_column *c = &e->profile->columns[i];
    bl_groups groups = {0};
    void *room = NULL;
    uint32_t k = target->n_classes;
    size_t each = k > 2 ? k * sizeof(uint64_t) : sizeof(bl_group);
    bl_status st = group(e, i, &groups, err);
    if (st != BL_OK || groups.n > MOST_BYTES / each)
        goto done;
    st = bli_alloc((size_t)groups.n + 1, each, "groups of a column", &room, err);
    if (st != BL_OK)
        goto done;
    c->alone = k > 2 ? by_votes(target, &groups, room) : by_means(target, &groups, room);
    double limit = k > 2 ? TELLS_ERROR : k ? TELLS_AUC : TELLS_R2;
    if (!k) {
        double straight = pearson_squared(e, target, i);
        c->alone = straight > c->alone ? straight : c->alone;
    }
    const bl_tally *t = &e->profiler->tallies[i];
    if (k == 2 && c->alone >= NEAR_AUC && t->numbers && !t->codes && !c->n_missing) {
        double auc = 0;
        st = by_order(e, target, i, &auc, err);
        c->alone = auc > c->alone ? auc : c->alone;
    }
    if (is_label(e, target, i))
        c->findings |= BL_FOUND_IS_LABEL;
    else if (c->alone >= limit)
        c->findings |= BL_FOUND_TELLS_LABEL;
done:
    free(groups.of);
    free(room);
    return st;
}

static bl_status look_at_each(const bl_ending *e, size_t i, const void *cookie,
                              bl_err *err)
{
    if (i == e->profile->label ||
        e->profile->columns[i].findings & (BL_FOUND_EMPTY | BL_FOUND_CONSTANT))
        return BL_OK;
    return look_at(e, cookie, i, err);
}

bl_status bli_profile_label(const bl_ending *e, bl_err *err)
{
    bl_profile *p = e->profile;
    bl_target target = {0};
    if (p->label == SIZE_MAX || p->n_columns < 2)
        return BL_OK;
    bl_status st = read_label(e, &target, err);
    uint64_t n = 0;
    for (uint64_t r = 0; st == BL_OK && r < target.n_rows; r++)
        n += isfinite(target.value[r]) ? 1 : 0;
    p->n_classes = target.n_classes;
    if (st == BL_OK && n >= LEAST_ROWS && target.n_classes != 1) {
        p->measure = target.n_classes == 2 ? BL_ALONE_AUC
                     : target.n_classes    ? BL_ALONE_ERROR
                                           : BL_ALONE_R2;
        st = bli_each_column(e, look_at_each, &target, err);
    }
    free(target.class_of);
    free(target.value);
    return st;
}
