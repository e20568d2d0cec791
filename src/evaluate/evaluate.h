/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metric formulas, weighted, in double. Each is checked against an independent
 * implementation. Sums run in row order, so that a result does not depend on threads;
 * tied scores are never ordered by row: every curve moves over all rows of one score in
 * one step.
 */
#ifndef BL_EVALUATE_EVALUATE_H
#define BL_EVALUATE_EVALUATE_H

#include "base/json.h"
#include "base/rows.h"

/* What is scored. Predictions are what XGBoost's predict gives, margins raw scores. The
 * last three may stay zero: what depends on them is then left out. */
typedef struct bl_scored {
    uint64_t n_rows;
    size_t n_outputs;         /* values of a margin a row */
    size_t n_predictions;     /* values of a prediction a row */
    const float *margins;     /* [n_rows][n_outputs]; NULL: not to be had */
    const float *predictions; /* [n_rows][n_predictions] */
    const float *labels;      /* [n_rows][n_labels], NULL with bounds */
    size_t n_labels;
    const float *weights;  /* NULL: all 1 */
    const bl_roles *roles; /* groups, bounds; may be NULL */
    const char *objective;
    int64_t n_classes; /* classes of a multi:* objective; 2 for binary; else 0 */
    size_t n_quantiles;
    const double *quantiles; /* quantile_alpha of reg:quantileerror, [n_quantiles] */
    double tweedie_power;    /* tweedie_variance_power */
    bool linear_gain;        /* ndcg_exp_gain=false: the gain of a row is its label */
} bl_scored;

/*
 * The container's custom metrics (contract.md 2.17), computed right: weighted; the class
 * of a row by probability over 0.5, margin over 0 (binary:logitraw), the predicted class
 * itself (binary:hinge, multi:softmax) or the largest score, the first where several are
 * (multi:softprob). Names: accuracy balanced_accuracy f1 f1_binary f1_macro mse precision
 * precision_macro precision_micro r2 recall recall_macro recall_micro.
 *
 * Averages are scikit-learn's: f1 is f1_macro; macro is the mean over the classes that
 * occur in labels or predictions; precision, recall and f1_binary are of class 1; a ratio
 * without a denominator is 0; r2 of equal labels is 1 where all are hit, else 0. mse and
 * r2 use the probability for binary:logitraw and the predicted class for multi:*. Several
 * targets: the mean over targets. A rate over no weight at all is NaN.
 *
 * BL_E_CONFIG where the metric does not fit the objective, BL_E_DATA where labels are no
 * classes.
 */
bl_status bli_custom_metric(const char *name, const bl_scored *scored, double *ret_value,
                            bl_err *err);

/*
 * Everything that fits the task, as the members of one JSON object already open in jw.
 * What is not defined (an AUC without both classes, R2 of equal labels) is null;
 * precision, recall and F1 without a denominator are 0, as scikit-learn has them. All
 * have rows and weight_sum (rows where there are no weights).
 *
 * Two classes (binary:*, reg:logistic):
 *
 * threshold, auc, aucpr (XGBoost's interpolation), average_precision (scikit-learn's
 * steps), gini (2 auc - 1), ks, logloss (probabilities held off 0 by 1e-16, as
 * XGBoost's), brier, error, accuracy, balanced_accuracy, precision, recall, f1 (of these
 * two: class 1; the custom metric f1 is f1_macro), f1_macro, confusion_matrix
 * [label][predicted] of sums of weights, per_class, calibration: 10 bins [k/10, (k+1)/10)
 * of the probability, ece (mean distance of prediction and rate, by weight), mce (the
 * largest).
 *
 * binary:hinge has no probability, so no logloss, brier and calibration; its curves
 * are of the margin. Labels between 0 and 1 are shares of both classes in curves and
 * logloss; the tables by class give way to rmse, mae, mse, r2.
 *
 * Classes (multi:*):
 *
 * mlogloss, merror, accuracy, balanced_accuracy; precision, recall and f1 as _macro
 * and _micro; auc (each class against the rest, mean by prevalence: XGBoost's), auc_macro
 * (the plain mean), confusion_matrix (up to 256 classes), per_class, calibration of the
 * largest probability against being right.
 *
 * Numbers (all other objectives):
 *
 * rmse, mae, mse, r2, mape (null where a label is 0), mean_label, mean_prediction;
 * poisson_deviance, gamma_deviance or tweedie_deviance by objective.
 * reg:quantileerror: `quantiles`, a list of alpha, pinball, coverage (share of labels not
 * above) and these.
 *
 * Ranking (rank:*):
 *
 * groups, ndcg, ndcg@5, ndcg@10, map (labels 0 and 1 only): means over groups by
 * weight. Tie rule: rows of one score share the places they take together (the mean over
 * all their orders; for map they are one step), so the order of rows never matters. The
 * gain is 2^label - 1; the label itself with linear_gain or a label over 31. A group
 * without a gain counts 1 in ndcg and map, as XGBoost has it (which forgets the weight of
 * such a group).
 *
 * Survival:
 *
 * concordance: pairs by the product of their weights, tied predictions half;
 * survival:aft: interval_accuracy (prediction within its bounds).
 *
 * Several targets have a list `targets` of such objects, and the means of their numbers
 * beside.
 */
bl_status bli_final_metrics(const bl_scored *scored, bl_jw *jw, bl_err *err);

/* Building blocks, for tests and callers. weights may be NULL. NaN where not defined. */
double bli_auc(const float *score, const float *label, const float *weights, uint64_t n,
               bl_err *err);

#endif
