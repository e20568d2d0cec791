/* SPDX-License-Identifier: Apache-2.0 */
/* The container's metrics by name. */
#include "evaluate/evaluate_priv.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

static double precision_macro(const bl_classes *classes)
{
    return bli_macro(classes, bli_class_precision);
}

static double recall_macro(const bl_classes *classes)
{
    return bli_macro(classes, bli_class_recall);
}

static double f1_macro(const bl_classes *classes)
{
    return bli_macro(classes, bli_class_f1);
}

static double precision_of_1(const bl_classes *classes)
{
    return bli_class_precision(classes, 1);
}

static double recall_of_1(const bl_classes *classes)
{
    return bli_class_recall(classes, 1);
}

static double f1_of_1(const bl_classes *classes)
{
    return bli_class_f1(classes, 1);
}

/* Over all classes of rows with one label each, hits over predictions, hits over labels
 * and accuracy are one number. */
static const struct {
    const char *name;
    double (*of)(const bl_classes *);
    bool two_classes;
} class_metrics[] = {
    {"accuracy", bli_accuracy, false},
    {"balanced_accuracy", bli_balanced_accuracy, false},
    {"f1", f1_macro, false},
    {"f1_binary", f1_of_1, true},
    {"f1_macro", f1_macro, false},
    {"precision", precision_of_1, true},
    {"precision_macro", precision_macro, false},
    {"precision_micro", bli_accuracy, false},
    {"recall", recall_of_1, true},
    {"recall_macro", recall_macro, false},
    {"recall_micro", bli_accuracy, false},
};

static bl_status class_metric(size_t metric, const bl_scored *scored, double *ret_value,
                              bl_err *err)
{
    const char *name = class_metrics[metric].name;
    bl_kind kind = bli_kind_of(scored->objective);
    if (kind != BL_KIND_BINARY && kind != BL_KIND_CLASSES)
        return bli_fail(
            err, BL_E_CONFIG,
            "metric '%s' needs classes, which objective '%s' does not predict: use "
            "mse, r2 or one of XGBoost's own metrics",
            name, scored->objective);
    if (class_metrics[metric].two_classes && kind == BL_KIND_CLASSES)
        return bli_fail(err, BL_E_CONFIG,
                        "metric '%s' is of two classes, but objective '%s' has %lld: use "
                        "f1_macro, precision_macro, precision_micro, recall_macro or "
                        "recall_micro",
                        name, scored->objective, (long long)scored->n_classes);
    double sum = 0;
    size_t n_targets = bli_n_targets(scored);
    for (size_t t = 0; t < n_targets; t++) {
        bl_target target = bli_target(scored, t);
        bl_classes classes;
        bl_status status = bli_classes_count(
            scored, kind == BL_KIND_BINARY ? &target : NULL, &classes, err);
        if (status) {
            bli_err_prefix(err, "metric '%s'", name);
            return status;
        }
        sum += class_metrics[metric].of(&classes);
        bli_classes_done(&classes);
    }
    *ret_value = sum / (double)n_targets;
    return BL_OK;
}

/* mse and r2 of multi:* are of the class a row is given. */
static bl_errors errors_of_classes(const bl_scored *scored)
{
    double weight = 0;
    double square = 0;
    double mean = 0;
    double spread = 0;
    for (uint64_t row = 0; row < scored->n_rows; row++) {
        double w = bli_weight(scored->weights, row);
        double label = (double)scored->labels[row * scored->n_labels];
        double error = label - (double)bli_predicted_class(scored, row);
        weight += w;
        square += w * error * error;
        mean += w * label;
    }
    mean /= weight;
    for (uint64_t row = 0; row < scored->n_rows; row++) {
        double off = (double)scored->labels[row * scored->n_labels] - mean;
        spread += bli_weight(scored->weights, row) * off * off;
    }
    return (bl_errors){.mse = square / weight,
                       .r2 = spread > 0 ? 1 - square / spread : BL_NAN};
}

static bl_status number_metric(bool r2, const bl_scored *scored, double *ret_value,
                               bl_err *err)
{
    bl_kind kind = bli_kind_of(scored->objective);
    if (!scored->labels || kind == BL_KIND_AFT || kind == BL_KIND_COX)
        return bli_fail(
            err, BL_E_CONFIG,
            "metric '%s' needs a label that the prediction should meet, which "
            "objective '%s' does not have",
            r2 ? "r2" : "mse", scored->objective);
    size_t n_targets = bli_n_targets(scored);
    if (kind != BL_KIND_CLASSES && scored->n_predictions != n_targets)
        return bli_fail(
            err, BL_E_CONFIG,
            "metric '%s' compares one prediction with one label, but there are %zu "
            "predictions and %zu label(s) a row",
            r2 ? "r2" : "mse", scored->n_predictions, n_targets);
    double sum = 0;
    for (size_t t = 0; t < n_targets; t++) {
        bl_target target = bli_target(scored, t);
        bl_errors errors = kind == BL_KIND_CLASSES ? errors_of_classes(scored)
                                                   : bli_errors_of(&target, 0);
        if (r2 && isnan(errors.r2) && scored->n_rows > 1)
            errors.r2 = errors.mse > 0 ? 0 : isnan(errors.mse) ? BL_NAN : 1;
        sum += r2 ? errors.r2 : errors.mse;
    }
    *ret_value = sum / (double)n_targets;
    return BL_OK;
}

bl_status bli_custom_metric(const char *name, const bl_scored *scored, double *ret_value,
                            bl_err *err)
{
    bool r2 = strcmp(name, "r2") == 0;
    bl_status status = bli_check_scored(scored, err);
    if (status)
        return status;
    if (r2 || strcmp(name, "mse") == 0)
        return number_metric(r2, scored, ret_value, err);
    for (size_t i = 0; i < BL_LEN(class_metrics); i++)
        if (strcmp(name, class_metrics[i].name) == 0)
            return class_metric(i, scored, ret_value, err);
    return bli_fail(err, BL_E_CONFIG, "metric '%s' is none of the container's own", name);
}
