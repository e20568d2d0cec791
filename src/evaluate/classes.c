/* SPDX-License-Identifier: Apache-2.0 */
/* Tables by class, and the averages scikit-learn defines over them. */
#include "evaluate/evaluate_priv.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

size_t bli_predicted_class(const bl_scored *scored, uint64_t row)
{
    const float *prediction = scored->predictions + row * scored->n_predictions;
    if (scored->n_predictions == 1) {
        size_t class_idx = prediction[0] > 0 ? (size_t)prediction[0] : 0;
        return class_idx < (size_t)scored->n_classes ? class_idx
                                                     : (size_t)scored->n_classes - 1;
    }
    size_t best = 0;
    for (size_t k = 1; k < scored->n_predictions; k++)
        if (prediction[k] > prediction[best])
            best = k;
    return best;
}

static size_t binary_class(const bl_target *target, uint64_t row)
{
    double value = (double)target->prediction[row * target->prediction_step];
    return value > (target->raw ? 0.0 : 0.5);
}

void bli_classes_done(bl_classes *classes)
{
    free(classes->support);
    free(classes->predicted);
    free(classes->hit);
    free(classes->occurs);
    free(classes->matrix);
    *classes = (bl_classes){0};
}

static bl_status classes_init(size_t n, bl_classes *ret_classes, bl_err *err)
{
    const char *what = "table of classes";
    void *memory[5] = {NULL};
    for (size_t i = 0; i < 3; i++)
        if (bli_alloc(n, sizeof(double), what, &memory[i], err))
            goto fail;
    if (bli_alloc(n, sizeof(bool), what, &memory[3], err))
        goto fail;
    if (n <= BL_MAX_MATRIX_CLASSES &&
        bli_alloc(n * n, sizeof(double), "confusion matrix", &memory[4], err))
        goto fail;
    *ret_classes = (bl_classes){.n_classes = n,
                                .support = memory[0],
                                .predicted = memory[1],
                                .hit = memory[2],
                                .occurs = memory[3],
                                .matrix = memory[4]};
    return BL_OK;
fail:
    for (size_t i = 0; i < BL_LEN(memory); i++)
        free(memory[i]);
    return BL_E_NOMEM;
}

bl_status bli_classes_count(const bl_scored *scored, const bl_target *target,
                            bl_classes *ret_classes, bl_err *err)
{
    bl_target whole = bli_target(scored, 0);
    bl_classes classes;
    size_t n = target ? 2 : (size_t)scored->n_classes;
    bl_status status = classes_init(n, &classes, err);
    if (status)
        return status;
    if (!target)
        target = &whole;
    for (uint64_t row = 0; row < target->n_rows; row++) {
        float label = target->label[row * target->label_step];
        if (!(label >= 0 && label < (float)n && floorf(label) == label)) {
            status =
                bli_fail(err, BL_E_DATA,
                         "row %llu has label %g: classes are the whole numbers 0 to %zu",
                         (unsigned long long)row, (double)label, n - 1);
            bli_classes_done(&classes);
            return status;
        }
        size_t is = (size_t)label;
        size_t said = target == &whole ? bli_predicted_class(scored, row)
                                       : binary_class(target, row);
        double weight = bli_weight(target->weights, row);
        classes.weight += weight;
        classes.support[is] += weight;
        classes.predicted[said] += weight;
        classes.occurs[is] = classes.occurs[said] = true;
        if (is == said)
            classes.hit[is] += weight;
        if (classes.matrix)
            classes.matrix[is * n + said] += weight;
    }
    *ret_classes = classes;
    return BL_OK;
}

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

double bli_class_precision(const bl_classes *classes, size_t class_idx)
{
    return ratio(classes->hit[class_idx], classes->predicted[class_idx]);
}

double bli_class_recall(const bl_classes *classes, size_t class_idx)
{
    return ratio(classes->hit[class_idx], classes->support[class_idx]);
}

double bli_class_f1(const bl_classes *classes, size_t class_idx)
{
    return ratio(2 * classes->hit[class_idx],
                 classes->support[class_idx] + classes->predicted[class_idx]);
}

double bli_macro(const bl_classes *classes, double (*of)(const bl_classes *, size_t))
{
    double sum = 0;
    size_t n = 0;
    for (size_t k = 0; k < classes->n_classes; k++)
        if (classes->occurs[k]) {
            sum += of(classes, k);
            n++;
        }
    return n > 0 ? sum / (double)n : BL_NAN;
}

double bli_accuracy(const bl_classes *classes)
{
    double hit = 0;
    for (size_t k = 0; k < classes->n_classes; k++)
        hit += classes->hit[k];
    return classes->weight > 0 ? hit / classes->weight : BL_NAN;
}

double bli_balanced_accuracy(const bl_classes *classes)
{
    double sum = 0;
    size_t n = 0;
    for (size_t k = 0; k < classes->n_classes; k++)
        if (classes->support[k] > 0) {
            sum += bli_class_recall(classes, k);
            n++;
        }
    return n > 0 ? sum / (double)n : BL_NAN;
}

static void write_sum(double sum, bool weighted, bl_jw *jw)
{
    if (weighted)
        bli_jw_double(jw, sum);
    else
        bli_jw_int(jw, (int64_t)sum);
}

void bli_classes_write(const bl_classes *classes, bool weighted, bl_jw *jw)
{
    size_t n = classes->n_classes;
    if (classes->matrix) {
        bli_jw_key(jw, "confusion_matrix");
        bli_jw_list(jw, false);
        for (size_t is = 0; is < n; is++) {
            bli_jw_list(jw, true);
            for (size_t said = 0; said < n; said++)
                write_sum(classes->matrix[is * n + said], weighted, jw);
            bli_jw_list_end(jw);
        }
        bli_jw_list_end(jw);
    }
    bli_jw_key(jw, "per_class");
    bli_jw_list(jw, false);
    for (size_t k = 0; k < n; k++) {
        bli_jw_object(jw);
        bli_jw_key(jw, "class");
        bli_jw_int(jw, (int64_t)k);
        bli_jw_key(jw, "support");
        write_sum(classes->support[k], weighted, jw);
        bli_jw_key(jw, "predicted");
        write_sum(classes->predicted[k], weighted, jw);
        bli_jw_key(jw, "precision");
        bli_jw_double(jw, bli_class_precision(classes, k));
        bli_jw_key(jw, "recall");
        bli_jw_double(jw, bli_class_recall(classes, k));
        bli_jw_key(jw, "f1");
        bli_jw_double(jw, bli_class_f1(classes, k));
        bli_jw_object_end(jw);
    }
    bli_jw_list_end(jw);
}
