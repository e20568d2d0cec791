/* SPDX-License-Identifier: Apache-2.0 */
/* Which formulas fit a task, and the columns of one target. */
#include "evaluate/evaluate.h"

#include "evaluate/evaluate_priv.h"

#include <math.h>
#include <string.h>

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

bl_kind bli_kind_of(const char *objective)
{
    if (begins(objective, "binary:") || strcmp(objective, "reg:logistic") == 0)
        return BL_KIND_BINARY;
    if (begins(objective, "multi:"))
        return BL_KIND_CLASSES;
    if (begins(objective, "rank:"))
        return BL_KIND_RANKING;
    if (strcmp(objective, "survival:aft") == 0)
        return BL_KIND_AFT;
    if (strcmp(objective, "survival:cox") == 0)
        return BL_KIND_COX;
    return BL_KIND_NUMBER;
}

static bl_status check_labels(const bl_scored *scored, bl_kind kind, bl_err *err)
{
    if (kind == BL_KIND_AFT) {
        if (!scored->roles || !scored->roles->lower_bounds ||
            !scored->roles->upper_bounds)
            return bli_fail(
                err, BL_E_SHAPE,
                "survival:aft is scored by a lower and an upper bound of each "
                "row, but bounds are missing");
        return BL_OK;
    }
    if (!scored->labels || scored->n_labels == 0)
        return bli_fail(err, BL_E_SHAPE,
                        "objective '%s' is scored by labels, but there are none",
                        scored->objective);
    if (kind == BL_KIND_CLASSES && scored->n_classes < 2)
        return bli_fail(err, BL_E_SHAPE,
                        "objective '%s' needs at least 2 classes, found %lld",
                        scored->objective, (long long)scored->n_classes);
    if (kind == BL_KIND_CLASSES && scored->n_predictions != 1 &&
        scored->n_predictions != (size_t)scored->n_classes)
        return bli_fail(
            err, BL_E_SHAPE,
            "%zu predictions a row, expected 1 or one for each of %lld classes",
            scored->n_predictions, (long long)scored->n_classes);
    if (kind == BL_KIND_BINARY && scored->n_predictions != scored->n_labels)
        return bli_fail(err, BL_E_SHAPE, "%zu predictions a row, but %zu labels",
                        scored->n_predictions, scored->n_labels);
    return BL_OK;
}

bl_status bli_check_scored(const bl_scored *scored, bl_err *err)
{
    if (!scored->objective || !scored->predictions || scored->n_predictions == 0)
        return bli_fail(err, BL_E_SHAPE,
                        "nothing to score: no objective or no predictions");
    return check_labels(scored, bli_kind_of(scored->objective), err);
}

size_t bli_n_targets(const bl_scored *scored)
{
    bl_kind kind = bli_kind_of(scored->objective);
    return kind == BL_KIND_NUMBER || kind == BL_KIND_BINARY ? scored->n_labels : 1;
}

bl_target bli_target(const bl_scored *scored, size_t target)
{
    size_t prediction = target < scored->n_predictions ? target : 0;
    size_t output = target < scored->n_outputs ? target : 0;
    size_t label = target < scored->n_labels ? target : 0;
    return (bl_target){
        .n_rows = scored->n_rows,
        .prediction = scored->predictions + prediction,
        .prediction_step = scored->n_predictions,
        .margin = scored->margins ? scored->margins + output : NULL,
        .margin_step = scored->n_outputs,
        .label = scored->labels ? scored->labels + label : NULL,
        .label_step = scored->n_labels,
        .weights = scored->weights,
        .objective = scored->objective,
        .raw = strcmp(scored->objective, "binary:logitraw") == 0,
        .hard = strcmp(scored->objective, "binary:hinge") == 0,
    };
}

double bli_target_value(const bl_target *target, uint64_t row)
{
    double value = (double)target->prediction[row * target->prediction_step];
    return target->raw ? 1.0 / (1.0 + exp(-value)) : value;
}

bl_status bli_final_metrics(const bl_scored *scored, bl_jw *jw, bl_err *err)
{
    bl_status status = bli_check_scored(scored, err);
    if (status)
        return status;
    double weight = 0;
    for (uint64_t row = 0; row < scored->n_rows; row++)
        weight += bli_weight(scored->weights, row);
    bli_jw_key(jw, "rows");
    bli_jw_int(jw, (int64_t)scored->n_rows);
    bli_jw_key(jw, "weight_sum");
    bli_jw_double(jw, weight);
    switch (bli_kind_of(scored->objective)) {
    case BL_KIND_BINARY:
        return bli_final_binary(scored, jw, err);
    case BL_KIND_CLASSES:
        return bli_final_classes(scored, jw, err);
    case BL_KIND_RANKING:
        return bli_final_ranking(scored, jw, err);
    case BL_KIND_AFT:
    case BL_KIND_COX:
        return bli_final_survival(scored, jw, err);
    case BL_KIND_NUMBER:
        break;
    }
    return bli_final_numbers(scored, jw, err);
}
