/* SPDX-License-Identifier: Apache-2.0 */
/* Curves over a threshold: one sort by score, then one pass that takes tied rows
 * together. */
#include "evaluate/evaluate_priv.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS, PASSES = 3, FEW_ROWS = 64 };

uint32_t bli_rank_key(float score)
{
    uint32_t bits;
    score += 0.0F; /* -0 and 0 are one score */
    memcpy(&bits, &score, sizeof(bits));
    /* Ascending order of floats as unsigned numbers, then turned round. */
    bits = bits & 0x80000000U ? ~bits : bits | 0x80000000U;
    return ~bits;
}

static void insertion_sort(bl_ranked *rows, uint64_t n)
{
    for (uint64_t i = 1; i < n; i++) {
        bl_ranked row = rows[i];
        uint64_t j = i;
        for (; j > 0 && rows[j - 1].key > row.key; j--)
            rows[j] = rows[j - 1];
        rows[j] = row;
    }
}

void bli_rank_sort(bl_ranked *rows, bl_ranked *scratch, uint64_t n)
{
    if (n <= FEW_ROWS) {
        insertion_sort(rows, n);
        return;
    }
    uint64_t count[PASSES][DIGITS] = {{0}};
    for (uint64_t i = 0; i < n; i++)
        for (unsigned pass = 0; pass < PASSES; pass++)
            count[pass][(rows[i].key >> (pass * DIGIT_BITS)) & (DIGITS - 1)]++;
    bl_ranked *from = rows;
    bl_ranked *to = scratch;
    for (unsigned pass = 0; pass < PASSES; pass++) {
        uint64_t first = 0;
        for (unsigned digit = 0; digit < DIGITS; digit++) {
            uint64_t here = count[pass][digit];
            count[pass][digit] = first;
            first += here;
        }
        for (uint64_t i = 0; i < n; i++)
            to[count[pass][(from[i].key >> (pass * DIGIT_BITS)) & (DIGITS - 1)]++] =
                from[i];
        bl_ranked *other = from;
        from = to;
        to = other;
    }
    /* An odd number of passes ends in scratch. */
    memcpy(rows, from, n * sizeof(*rows));
}

/*
 * Area under precision over recall between two points, false positives taken as linear in
 * true ones (Davis and Goadrich 2006): with recall r = tp / P, slope h = dfp / dtp, a = 1
 * + h and b = (fp0 - h tp0) / P, precision is r / (a r + b), and a r + b = (tp + fp) / P
 * at both ends.
 */
static double precision_area(double tp0, double fp0, double tp1, double fp1,
                             double positives)
{
    if (tp1 <= tp0)
        return 0;
    double h = (fp1 - fp0) / (tp1 - tp0);
    double a = 1 + h;
    double b = (fp0 - h * tp0) / positives;
    double width = (tp1 - tp0) / positives;
    if (b == 0 || tp0 + fp0 <= 0)
        return width / a;
    return (width - b / a * log((tp1 + fp1) / (tp0 + fp0))) / a;
}

bl_curve bli_curve_of(const bl_ranked *rows, uint64_t n)
{
    double positives = 0;
    double negatives = 0;
    for (uint64_t i = 0; i < n; i++) {
        positives += (double)rows[i].weight * (double)rows[i].label;
        negatives += (double)rows[i].weight * (1.0 - (double)rows[i].label);
    }
    bl_curve curve = {BL_NAN, BL_NAN, BL_NAN, BL_NAN, positives};
    if (!(positives > 0) || !(negatives > 0))
        return curve;
    double area = 0;
    double tp = 0;
    double fp = 0;
    curve.aucpr = curve.average_precision = curve.ks = 0;
    for (uint64_t i = 0; i < n;) {
        double tp0 = tp;
        double fp0 = fp;
        uint32_t key = rows[i].key;
        for (; i < n && rows[i].key == key; i++) {
            tp += (double)rows[i].weight * (double)rows[i].label;
            fp += (double)rows[i].weight * (1.0 - (double)rows[i].label);
        }
        area += (fp - fp0) * (tp + tp0) / 2;
        curve.aucpr += precision_area(tp0, fp0, tp, fp, positives);
        if (tp > tp0)
            curve.average_precision += (tp - tp0) / positives * (tp / (tp + fp));
        double distance = fabs(tp / positives - fp / negatives);
        if (distance > curve.ks)
            curve.ks = distance;
    }
    curve.auc = area / (positives * negatives);
    return curve;
}

double bli_auc(const float *score, const float *label, const float *weights, uint64_t n,
               bl_err *err)
{
    void *memory;
    if (bli_alloc(2 * (size_t)n, sizeof(bl_ranked), "rows in order of score", &memory,
                  err))
        return BL_NAN;
    bl_ranked *rows = memory;
    double auc = BL_NAN;
    for (uint64_t row = 0; row < n; row++) {
        if (isnan(score[row]))
            goto done;
        rows[row] = (bl_ranked){bli_rank_key(score[row]), label[row],
                                weights ? weights[row] : 1.0F};
    }
    bli_rank_sort(rows, rows + n, n);
    auc = bli_curve_of(rows, n).auc;
done:
    free(rows);
    return auc;
}
