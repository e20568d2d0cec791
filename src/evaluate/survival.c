/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times known within bounds. Two rows can be compared where one surely ended before the
 * other: its upper bound lies below the other's lower bound. Concordance is the share of
 * such pairs that the predictions order alike, by the product of weights, ties counting
 * half.
 */
#include "evaluate/evaluate_priv.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct bl_time {
    double lower, upper;
    double score; /* predicted time, or anything in its order */
    double weight;
    uint64_t rank; /* of score among all scores, ties equal, from 1 */
} bl_time;

static int compare(double a, double b)
{
    return (a > b) - (a < b);
}

static int by_score(const void *a, const void *b)
{
    return compare(((const bl_time *)a)->score, ((const bl_time *)b)->score);
}

/* Rows of one time in a fixed order too: sums of weights must not depend on qsort. */
static int among_tied(const bl_time *a, const bl_time *b)
{
    int order = (a->rank > b->rank) - (a->rank < b->rank);
    return order ? order : compare(a->weight, b->weight);
}

static int by_lower(const void *a, const void *b)
{
    int order = compare(((const bl_time *)a)->lower, ((const bl_time *)b)->lower);
    return order ? order : among_tied(a, b);
}

static int by_upper(const void *a, const void *b)
{
    int order = compare(((const bl_time *)a)->upper, ((const bl_time *)b)->upper);
    return order ? order : among_tied(a, b);
}

/* Sums of weights by rank in a binary indexed tree (Fenwick 1994). */
static void add_weight(double *tree, uint64_t n, uint64_t rank, double weight)
{
    for (; rank <= n; rank += rank & (0 - rank))
        tree[rank] += weight;
}

static double weight_up_to(const double *tree, uint64_t rank)
{
    double sum = 0;
    for (; rank > 0; rank -= rank & (0 - rank))
        sum += tree[rank];
    return sum;
}

/* early is in order of upper, late of lower: rows join the tree once they surely ended.
 */
static double concordance(const bl_time *early, const bl_time *late, double *tree,
                          uint64_t n)
{
    double pairs = 0;
    double agree = 0;
    double in_tree = 0;
    uint64_t joined = 0;
    for (uint64_t i = 0; i < n; i++) {
        for (; joined < n && early[joined].upper < late[i].lower; joined++) {
            add_weight(tree, n, early[joined].rank, early[joined].weight);
            in_tree += early[joined].weight;
        }
        double below = weight_up_to(tree, late[i].rank - 1);
        double tied = weight_up_to(tree, late[i].rank) - below;
        pairs += late[i].weight * in_tree;
        agree += late[i].weight * (below + tied / 2);
    }
    return pairs > 0 ? agree / pairs : BL_NAN;
}

/* Cox: a label above 0 is the time of the end, below 0 the time up to which there was
 * none. A larger prediction means an earlier end. */
static bl_time time_of(const bl_scored *scored, bool cox, uint64_t row)
{
    double prediction = (double)scored->predictions[row * scored->n_predictions];
    bl_time time = {.score = cox ? -prediction : prediction,
                    .weight = bli_weight(scored->weights, row)};
    if (!cox) {
        time.lower = (double)scored->roles->lower_bounds[row];
        time.upper = (double)scored->roles->upper_bounds[row];
        return time;
    }
    double label = (double)scored->labels[row * scored->n_labels];
    time.lower = fabs(label);
    time.upper = label < 0 ? (double)INFINITY : label;
    /* Still there at t is later than an end at t. */
    if (label < 0)
        time.lower = nextafter(time.lower, (double)INFINITY);
    return time;
}

static bl_status survival_of(const bl_scored *scored, bool cox, double *ret_concordance,
                             double *ret_within, bl_err *err)
{
    uint64_t n = scored->n_rows;
    void *times = NULL;
    void *sorted = NULL;
    void *tree = NULL;
    bl_status status = bli_alloc((size_t)n, sizeof(bl_time), "times", &times, err);
    if (status == BL_OK)
        status = bli_alloc((size_t)n, sizeof(bl_time), "times", &sorted, err);
    if (status == BL_OK)
        status = bli_alloc((size_t)n + 1, sizeof(double), "sums of times", &tree, err);
    if (status)
        goto done;
    bl_time *late = times;
    bool ordered = true;
    double weight = 0;
    double within = 0;
    for (uint64_t row = 0; row < n; row++) {
        late[row] = time_of(scored, cox, row);
        ordered &= !isnan(late[row].score);
        weight += late[row].weight;
        if (late[row].score >= late[row].lower && late[row].score <= late[row].upper)
            within += late[row].weight;
    }
    qsort(late, (size_t)n, sizeof(*late), by_score);
    for (uint64_t i = 0; i < n; i++)
        late[i].rank =
            i > 0 && late[i].score <= late[i - 1].score ? late[i - 1].rank : i + 1;
    memcpy(sorted, late, (size_t)n * sizeof(*late));
    qsort(late, (size_t)n, sizeof(*late), by_lower);
    qsort(sorted, (size_t)n, sizeof(*late), by_upper);
    *ret_concordance = ordered ? concordance(sorted, late, tree, n) : BL_NAN;
    *ret_within = within / weight;
done:
    free(times);
    free(sorted);
    free(tree);
    return status;
}

bl_status bli_final_survival(const bl_scored *scored, bl_jw *jw, bl_err *err)
{
    bool cox = bli_kind_of(scored->objective) == BL_KIND_COX;
    double agreement;
    double within;
    bl_status status = survival_of(scored, cox, &agreement, &within, err);
    if (status)
        return status;
    bli_jw_key(jw, "concordance");
    bli_jw_double(jw, agreement);
    if (!cox) {
        bli_jw_key(jw, "interval_accuracy");
        bli_jw_double(jw, within);
    }
    return BL_OK;
}
