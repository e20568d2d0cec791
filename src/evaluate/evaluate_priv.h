/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of evaluate: what kind of task it is, one target's columns, class
 * tables. */
#ifndef BL_EVALUATE_EVALUATE_PRIV_H
#define BL_EVALUATE_EVALUATE_PRIV_H

#include "evaluate/evaluate.h"

#include <math.h>

#define BL_NAN ((double)NAN)

typedef enum bl_kind {
    BL_KIND_NUMBER,
    BL_KIND_BINARY,
    BL_KIND_CLASSES,
    BL_KIND_RANKING,
    BL_KIND_AFT,
    BL_KIND_COX
} bl_kind;

bl_kind bli_kind_of(const char *objective);

/* Sizes and pointers fit each other; BL_E_SHAPE else. */
bl_status bli_check_scored(const bl_scored *scored, bl_err *err);

/* One target: label i is label[i * label_step], and so on. */
typedef struct bl_target {
    uint64_t n_rows;
    const float *prediction;
    size_t prediction_step;
    const float *margin; /* may be NULL */
    size_t margin_step;
    const float *label;
    size_t label_step;
    const float *weights; /* may be NULL */
    const char *objective;
    bool raw;  /* binary:logitraw: the prediction is a margin */
    bool hard; /* binary:hinge: the prediction is a class */
} bl_target;

size_t bli_n_targets(const bl_scored *scored);
bl_target bli_target(const bl_scored *scored, size_t target);

static inline double bli_weight(const float *weights, uint64_t row)
{
    return weights ? (double)weights[row] : 1.0;
}

/* "name": value */
static inline void bli_member(const char *name, double value, bl_jw *jw)
{
    bli_jw_key(jw, name);
    bli_jw_double(jw, value);
}

/* Probability of class 1, or for tasks without one the prediction. */
double bli_target_value(const bl_target *target, uint64_t row);

/* XGBoost holds probabilities this far off 0 in its log losses. */
#define BL_LEAST_PROBABILITY 1e-16

/* --- classes.c ---------------------------------------------------------------------- */

enum { BL_MAX_MATRIX_CLASSES = 256 };

/* Sums of weights by class; a confusion matrix where the classes are few. */
typedef struct bl_classes {
    size_t n_classes;
    double weight;
    double *support;   /* [n_classes] by label */
    double *predicted; /* [n_classes] by prediction */
    double *hit;       /* [n_classes] both */
    bool *occurs;      /* [n_classes] in a label or a prediction */
    double *matrix; /* [n_classes][n_classes] label, predicted; NULL beyond the limit */
} bl_classes;

/* Of a binary target or (target NULL) of a multi:* objective. BL_E_DATA for labels that
 * are no classes. */
bl_status bli_classes_count(const bl_scored *scored, const bl_target *target,
                            bl_classes *ret_classes, bl_err *err);
void bli_classes_done(bl_classes *classes);

/* Class a row of a multi:* objective is given. */
size_t bli_predicted_class(const bl_scored *scored, uint64_t row);

double bli_class_precision(const bl_classes *classes, size_t class_idx);
double bli_class_recall(const bl_classes *classes, size_t class_idx);
double bli_class_f1(const bl_classes *classes, size_t class_idx);
/* Mean over the classes that occur. */
double bli_macro(const bl_classes *classes, double (*of)(const bl_classes *, size_t));
double bli_accuracy(const bl_classes *classes);
double bli_balanced_accuracy(const bl_classes *classes);
/* Members confusion_matrix and per_class. */
void bli_classes_write(const bl_classes *classes, bool weighted, bl_jw *jw);

/* --- curve.c ------------------------------------------------------------------------ */

/* A row in order of score; all curves need no more of it. */
typedef struct bl_ranked {
    uint32_t key; /* bli_rank_key of the score: a larger score has a smaller key */
    float label;
    float weight;
} bl_ranked;

uint32_t bli_rank_key(float score);
/* By key, stable. scratch [n]. */
void bli_rank_sort(bl_ranked *rows, bl_ranked *scratch, uint64_t n);

typedef struct bl_curve {
    double auc, aucpr, average_precision, ks;
    double positives; /* weight of class 1 */
} bl_curve;

/* rows sorted; all NaN where a class has no weight. */
bl_curve bli_curve_of(const bl_ranked *rows, uint64_t n);

/* --- the tasks of final.c ----------------------------------------------------------- */

bl_status bli_final_binary(const bl_scored *scored, bl_jw *jw, bl_err *err);
bl_status bli_final_classes(const bl_scored *scored, bl_jw *jw, bl_err *err);
bl_status bli_final_numbers(const bl_scored *scored, bl_jw *jw, bl_err *err);
bl_status bli_final_ranking(const bl_scored *scored, bl_jw *jw, bl_err *err);
bl_status bli_final_survival(const bl_scored *scored, bl_jw *jw, bl_err *err);

/* --- numbers.c ---------------------------------------------------------------------- */

/* Of a target's values against its labels. */
typedef struct bl_errors {
    double mse, mae, r2, mape, mean_label, mean_value;
    double deviance; /* of the objective's own family, else NaN */
} bl_errors;
bl_errors bli_errors_of(const bl_target *target, double tweedie_power);
/* Members rmse, mae, mse, r2. */
void bli_errors_write(const bl_errors *errors, bl_jw *jw);

/* --- calibration.c ------------------------------------------------------------------ */

enum { BL_BINS = 10 };

typedef struct bl_calibration {
    double weight[BL_BINS], value[BL_BINS], rate[BL_BINS]; /* sums */
} bl_calibration;
void bli_calibration_add(bl_calibration *calibration, double value, double rate,
                         double weight);
double bli_calibration_ece(const bl_calibration *calibration, double *ret_mce);
/* Member calibration. */
void bli_calibration_write(const bl_calibration *calibration, bl_jw *jw);

#endif
