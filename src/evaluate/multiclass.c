/* SPDX-License-Identifier: Apache-2.0 */
/* Classes 0 to K - 1. */
#include "evaluate/evaluate_priv.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

/* Probabilities of a row: as predicted, or the softmax of its margins. */
static void probabilities(const bl_scored *scored, uint64_t row, double *out)
{
    size_t n = (size_t)scored->n_classes;
    if (scored->n_predictions == n) {
        for (size_t k = 0; k < n; k++)
            out[k] = (double)scored->predictions[row * n + k];
        return;
    }
    const float *margin = scored->margins + row * scored->n_outputs;
    double largest = (double)margin[0];
    double sum = 0;
    for (size_t k = 1; k < n; k++)
        largest = fmax(largest, (double)margin[k]);
    for (size_t k = 0; k < n; k++)
        sum += out[k] = exp((double)margin[k] - largest);
    for (size_t k = 0; k < n; k++)
        out[k] /= sum;
}

static bool has_probabilities(const bl_scored *scored)
{
    size_t n = (size_t)scored->n_classes;
    return scored->n_predictions == n || (scored->margins && scored->n_outputs == n);
}

/* Log loss, and how far the largest probability is from the rate of being right. */
static bl_status likelihood(const bl_scored *scored, double *ret_loss,
                            bl_calibration *calibration, bl_err *err)
{
    void *memory;
    bl_status status = bli_alloc((size_t)scored->n_classes, sizeof(double),
                                 "probabilities of a row", &memory, err);
    if (status)
        return status;
    double *p = memory;
    double weight = 0;
    double loss = 0;
    for (uint64_t row = 0; row < scored->n_rows; row++) {
        double w = bli_weight(scored->weights, row);
        size_t is = (size_t)scored->labels[row * scored->n_labels];
        probabilities(scored, row, p);
        weight += w;
        loss -= w * log(fmax(p[is], BL_LEAST_PROBABILITY));
        size_t said = bli_predicted_class(scored, row);
        bli_calibration_add(calibration, p[said], said == is, w);
    }
    free(p);
    *ret_loss = loss / weight;
    return BL_OK;
}

/* Each class against the rest. The scores of one class are comparable between rows only
 * as probabilities, never as margins. */
static bl_status auc_by_class(const bl_scored *scored, double *ret_by_prevalence,
                              double *ret_macro, bl_err *err)
{
    uint64_t n = scored->n_rows;
    size_t n_classes = (size_t)scored->n_classes;
    double *p = NULL;
    void *memory = NULL;
    bl_status status =
        bli_alloc(n_classes, sizeof(double), "probabilities of a row", &memory, err);
    if (status)
        return status;
    p = memory;
    status = bli_alloc(2 * (size_t)n, sizeof(bl_ranked), "rows in order of score",
                       &memory, err);
    if (status)
        goto done;
    bl_ranked *rows = memory;
    double weight = 0;
    double by_prevalence = 0;
    double macro = 0;
    for (size_t k = 0; k < n_classes; k++) {
        bool ordered = true;
        for (uint64_t row = 0; row < n; row++) {
            float score;
            if (scored->n_predictions == n_classes) {
                score = scored->predictions[row * n_classes + k];
            } else {
                probabilities(scored, row, p);
                score = (float)p[k];
            }
            ordered &= !isnan(score);
            float is = scored->labels[row * scored->n_labels] == (float)k;
            rows[row] = (bl_ranked){bli_rank_key(score), is,
                                    scored->weights ? scored->weights[row] : 1.0F};
        }
        bli_rank_sort(rows, rows + n, n);
        bl_curve curve = bli_curve_of(rows, n);
        double auc = ordered ? curve.auc : BL_NAN;
        weight += curve.positives;
        by_prevalence += curve.positives * auc;
        macro += auc / (double)n_classes;
    }
    free(rows);
    *ret_by_prevalence = by_prevalence / weight;
    *ret_macro = macro;
done:
    free(p);
    return status;
}

bl_status bli_final_classes(const bl_scored *scored, bl_jw *jw, bl_err *err)
{
    bl_classes classes;
    bl_calibration calibration = {{0}, {0}, {0}};
    bl_status status = bli_classes_count(scored, NULL, &classes, err);
    if (status)
        return status;
    bool probable = has_probabilities(scored);
    double loss = BL_NAN;
    double auc = BL_NAN;
    double auc_macro = BL_NAN;
    if (probable) {
        status = likelihood(scored, &loss, &calibration, err);
        if (status == BL_OK)
            status = auc_by_class(scored, &auc, &auc_macro, err);
        if (status)
            goto done;
        bli_member("mlogloss", loss, jw);
    }
    bli_member("merror", 1 - bli_accuracy(&classes), jw);
    bli_member("accuracy", bli_accuracy(&classes), jw);
    bli_member("balanced_accuracy", bli_balanced_accuracy(&classes), jw);
    bli_member("precision_macro", bli_macro(&classes, bli_class_precision), jw);
    bli_member("recall_macro", bli_macro(&classes, bli_class_recall), jw);
    bli_member("f1_macro", bli_macro(&classes, bli_class_f1), jw);
    bli_member("precision_micro", bli_accuracy(&classes), jw);
    bli_member("recall_micro", bli_accuracy(&classes), jw);
    bli_member("f1_micro", bli_accuracy(&classes), jw);
    if (probable) {
        bli_member("auc", auc, jw);
        bli_member("auc_macro", auc_macro, jw);
    }
    bli_classes_write(&classes, scored->weights != NULL, jw);
    if (probable)
        bli_calibration_write(&calibration, jw);
done:
    bli_classes_done(&classes);
    return status;
}
