/* SPDX-License-Identifier: Apache-2.0 */
/* Two classes: curves, likelihood, the table at one half, calibration. */
#include "evaluate/evaluate_priv.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One target, or the mean of several. NaN: not defined. */
typedef struct bl_binary {
    double auc, aucpr, average_precision, ks;
    double logloss, brier;
    double accuracy, balanced_accuracy, precision, recall, f1, f1_macro;
    bool whole; /* labels are 0 and 1 */
    bl_classes classes;
    bl_calibration calibration;
    bl_errors errors;
} bl_binary;

static bl_status curves(const bl_target *target, bl_binary *binary, bl_err *err)
{
    uint64_t n = target->n_rows;
    void *memory;
    bl_status status = bli_alloc(2 * (size_t)n, sizeof(bl_ranked),
                                 "rows in order of score", &memory, err);
    if (status)
        return status;
    bl_ranked *rows = memory;
    /* A predicted class orders nothing: then the margin does. */
    bool by_margin = target->hard && target->margin;
    bl_curve curve = {BL_NAN, BL_NAN, BL_NAN, BL_NAN, BL_NAN};
    for (uint64_t row = 0; row < n; row++) {
        float score = by_margin ? target->margin[row * target->margin_step]
                                : target->prediction[row * target->prediction_step];
        if (isnan(score))
            goto done;
        rows[row] =
            (bl_ranked){bli_rank_key(score), target->label[row * target->label_step],
                        target->weights ? target->weights[row] : 1.0F};
    }
    bli_rank_sort(rows, rows + n, n);
    curve = bli_curve_of(rows, n);
done:
    free(rows);
    binary->auc = curve.auc;
    binary->aucpr = curve.aucpr;
    binary->average_precision = curve.average_precision;
    binary->ks = curve.ks;
    return BL_OK;
}

static void likelihood(const bl_target *target, bl_binary *binary)
{
    double weight = 0;
    double loss = 0;
    double square = 0;
    binary->whole = true;
    for (uint64_t row = 0; row < target->n_rows; row++) {
        double w = bli_weight(target->weights, row);
        double y = (double)target->label[row * target->label_step];
        double p = bli_target_value(target, row);
        weight += w;
        binary->whole &= y == 0 || y == 1;
        if (target->hard)
            continue;
        if (y != 0)
            loss -= w * y * log(fmax(p, BL_LEAST_PROBABILITY));
        if (y != 1)
            loss -= w * (1 - y) * log(fmax(1 - p, BL_LEAST_PROBABILITY));
        square += w * (p - y) * (p - y);
        bli_calibration_add(&binary->calibration, p, y, w);
    }
    binary->logloss = target->hard ? BL_NAN : loss / weight;
    binary->brier = target->hard ? BL_NAN : square / weight;
}

static bl_status binary_of(const bl_scored *scored, const bl_target *target,
                           bl_binary *ret_binary, bl_err *err)
{
    bl_binary binary = {0};
    bl_status status = curves(target, &binary, err);
    if (status)
        return status;
    likelihood(target, &binary);
    if (binary.whole) {
        status = bli_classes_count(scored, target, &binary.classes, err);
        if (status)
            return status;
        binary.accuracy = bli_accuracy(&binary.classes);
        binary.balanced_accuracy = bli_balanced_accuracy(&binary.classes);
        binary.precision = bli_class_precision(&binary.classes, 1);
        binary.recall = bli_class_recall(&binary.classes, 1);
        binary.f1 = bli_class_f1(&binary.classes, 1);
        binary.f1_macro = bli_macro(&binary.classes, bli_class_f1);
    } else {
        binary.errors = bli_errors_of(target, 0);
    }
    *ret_binary = binary;
    return BL_OK;
}

static void write_numbers(const bl_binary *binary, bool hard, bl_jw *jw)
{
    bli_member("auc", binary->auc, jw);
    bli_member("aucpr", binary->aucpr, jw);
    bli_member("average_precision", binary->average_precision, jw);
    bli_member("gini", 2 * binary->auc - 1, jw);
    bli_member("ks", binary->ks, jw);
    if (!hard) {
        bli_member("logloss", binary->logloss, jw);
        bli_member("brier", binary->brier, jw);
    }
    if (!binary->whole) {
        bli_errors_write(&binary->errors, jw);
        return;
    }
    bli_member("error", 1 - binary->accuracy, jw);
    bli_member("accuracy", binary->accuracy, jw);
    bli_member("balanced_accuracy", binary->balanced_accuracy, jw);
    bli_member("precision", binary->precision, jw);
    bli_member("recall", binary->recall, jw);
    bli_member("f1", binary->f1, jw);
    bli_member("f1_macro", binary->f1_macro, jw);
}

static void write_tables(const bl_binary *binary, bool hard, bool weighted, bl_jw *jw)
{
    if (binary->whole)
        bli_classes_write(&binary->classes, weighted, jw);
    if (!hard)
        bli_calibration_write(&binary->calibration, jw);
}

static void add_part(bl_binary *mean, const bl_binary *one, double part)
{
    mean->whole &= one->whole;
    mean->auc += part * one->auc;
    mean->aucpr += part * one->aucpr;
    mean->average_precision += part * one->average_precision;
    mean->ks += part * one->ks;
    mean->logloss += part * one->logloss;
    mean->brier += part * one->brier;
    mean->accuracy += part * one->accuracy;
    mean->balanced_accuracy += part * one->balanced_accuracy;
    mean->precision += part * one->precision;
    mean->recall += part * one->recall;
    mean->f1 += part * one->f1;
    mean->f1_macro += part * one->f1_macro;
    mean->errors.mse += part * one->errors.mse;
    mean->errors.mae += part * one->errors.mae;
    mean->errors.r2 += part * one->errors.r2;
}

bl_status bli_final_binary(const bl_scored *scored, bl_jw *jw, bl_err *err)
{
    size_t n = bli_n_targets(scored);
    bool weighted = scored->weights != NULL;
    bool hard = strcmp(scored->objective, "binary:hinge") == 0;
    bl_binary mean = {.whole = true};
    void *memory;
    bl_status status = bli_alloc(n, sizeof(bl_binary), "metrics by target", &memory, err);
    if (status)
        return status;
    bl_binary *each = memory;
    for (size_t t = 0; t < n; t++) {
        bl_target target = bli_target(scored, t);
        status = binary_of(scored, &target, &each[t], err);
        if (status)
            goto done;
        add_part(&mean, &each[t], 1 / (double)n);
    }
    bli_member("threshold", 0.5, jw);
    write_numbers(&mean, hard, jw);
    if (n == 1) {
        write_tables(&each[0], hard, weighted, jw);
        goto done;
    }
    bli_jw_key(jw, "targets");
    bli_jw_list(jw, false);
    for (size_t t = 0; t < n; t++) {
        bli_jw_object(jw);
        write_numbers(&each[t], hard, jw);
        write_tables(&each[t], hard, weighted, jw);
        bli_jw_object_end(jw);
    }
    bli_jw_list_end(jw);
done:
    for (size_t t = 0; t < n; t++)
        bli_classes_done(&each[t].classes);
    free(each);
    return status;
}
