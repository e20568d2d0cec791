/* SPDX-License-Identifier: Apache-2.0 */
/* Predicted numbers against numbers: regression in all its families. */
#include "evaluate/evaluate_priv.h"

#include <math.h>
#include <string.h>

typedef double (*bl_deviance)(double label, double value, double power);

/* Twice the difference of the log likelihoods of a perfect prediction and this one. */
static double poisson_deviance(double label, double value, double power)
{
    (void)power;
    double part = label > 0 ? label * log(label / value) : 0;
    return 2 * (part - label + value);
}

static double gamma_deviance(double label, double value, double power)
{
    (void)power;
    return 2 * (log(value / label) + label / value - 1);
}

/* Of a Tweedie power between 1 and 2. */
static double tweedie_deviance(double label, double value, double power)
{
    return 2 * (pow(label, 2 - power) / ((1 - power) * (2 - power)) -
                label * pow(value, 1 - power) / (1 - power) +
                pow(value, 2 - power) / (2 - power));
}

static const struct {
    const char *objective;
    const char *name;
    bl_deviance of;
} families[] = {
    {"count:poisson", "poisson_deviance", poisson_deviance},
    {"reg:gamma", "gamma_deviance", gamma_deviance},
    {"reg:tweedie", "tweedie_deviance", tweedie_deviance},
};

static size_t family_of(const char *objective, double tweedie_power)
{
    size_t n = sizeof(families) / sizeof(families[0]);
    for (size_t i = 0; i < n; i++)
        if (strcmp(objective, families[i].objective) == 0)
            return families[i].of != tweedie_deviance ||
                           (tweedie_power > 1 && tweedie_power < 2)
                       ? i
                       : n;
    return n;
}

bl_errors bli_errors_of(const bl_target *target, double tweedie_power)
{
    size_t family = family_of(target->objective, tweedie_power);
    bl_deviance deviance_of =
        family < sizeof(families) / sizeof(families[0]) ? families[family].of : NULL;
    double weight = 0;
    double square = 0;
    double absolute = 0;
    double share = 0;
    double labels = 0;
    double values = 0;
    double deviance = 0;
    bool any_zero = false;
    for (uint64_t row = 0; row < target->n_rows; row++) {
        double w = bli_weight(target->weights, row);
        double label = (double)target->label[row * target->label_step];
        double value = bli_target_value(target, row);
        double error = value - label;
        weight += w;
        square += w * error * error;
        absolute += w * fabs(error);
        labels += w * label;
        values += w * value;
        any_zero |= label == 0;
        share += w * fabs(error / label);
        if (deviance_of)
            deviance += w * deviance_of(label, value, tweedie_power);
    }
    double mean = labels / weight;
    double spread = 0;
    for (uint64_t row = 0; row < target->n_rows; row++) {
        double off = (double)target->label[row * target->label_step] - mean;
        spread += bli_weight(target->weights, row) * off * off;
    }
    return (bl_errors){
        .mse = square / weight,
        .mae = absolute / weight,
        .r2 = spread > 0 ? 1 - square / spread : BL_NAN,
        .mape = any_zero ? BL_NAN : share / weight,
        .mean_label = mean,
        .mean_value = values / weight,
        .deviance = deviance_of ? deviance / weight : BL_NAN,
    };
}

void bli_errors_write(const bl_errors *errors, bl_jw *jw)
{
    bli_member("rmse", sqrt(errors->mse), jw);
    bli_member("mae", errors->mae, jw);
    bli_member("mse", errors->mse, jw);
    bli_member("r2", errors->r2, jw);
}

static void write_all(const bl_errors *errors, const bl_scored *scored, bl_jw *jw)
{
    bli_errors_write(errors, jw);
    bli_member("mape", errors->mape, jw);
    bli_member("mean_label", errors->mean_label, jw);
    bli_member("mean_prediction", errors->mean_value, jw);
    size_t family = family_of(scored->objective, scored->tweedie_power);
    if (family < sizeof(families) / sizeof(families[0]))
        bli_member(families[family].name, errors->deviance, jw);
}

/* Rows that cost alpha a unit below the label and 1 - alpha above it. */
static void write_quantile(const bl_target *target, double alpha, bl_jw *jw)
{
    double weight = 0;
    double cost = 0;
    double below = 0;
    for (uint64_t row = 0; row < target->n_rows; row++) {
        double w = bli_weight(target->weights, row);
        double label = (double)target->label[row * target->label_step];
        double value = bli_target_value(target, row);
        weight += w;
        cost += w * (label >= value ? alpha * (label - value)
                                    : (1 - alpha) * (value - label));
        if (label <= value)
            below += w;
    }
    bli_member("alpha", alpha, jw);
    bli_member("pinball", cost / weight, jw);
    bli_member("coverage", below / weight, jw);
}

/* Several predictions of one label: quantiles or expectiles. */
static void write_outputs(const bl_scored *scored, bl_jw *jw)
{
    bool quantiles = strcmp(scored->objective, "reg:quantileerror") == 0;
    bli_jw_key(jw, quantiles ? "quantiles" : "outputs");
    bli_jw_list(jw, false);
    for (size_t k = 0; k < scored->n_predictions; k++) {
        bl_target target = bli_target(scored, 0);
        target.prediction = scored->predictions + k;
        bl_errors errors = bli_errors_of(&target, 0);
        bli_jw_object(jw);
        if (quantiles)
            write_quantile(&target,
                           k < scored->n_quantiles ? scored->quantiles[k] : BL_NAN, jw);
        write_all(&errors, scored, jw);
        bli_jw_object_end(jw);
    }
    bli_jw_list_end(jw);
}

bl_status bli_final_numbers(const bl_scored *scored, bl_jw *jw, bl_err *err)
{
    size_t n_targets = bli_n_targets(scored);
    bool quantile = strcmp(scored->objective, "reg:quantileerror") == 0;
    if (n_targets == 1 && (scored->n_predictions > 1 || quantile)) {
        write_outputs(scored, jw);
        return BL_OK;
    }
    if (scored->n_predictions != n_targets)
        return bli_fail(err, BL_E_SHAPE, "%zu predictions a row, but %zu labels",
                        scored->n_predictions, n_targets);
    bl_errors mean = {0};
    for (size_t t = 0; t < n_targets; t++) {
        bl_target target = bli_target(scored, t);
        bl_errors errors = bli_errors_of(&target, scored->tweedie_power);
        double part = 1 / (double)n_targets;
        mean.mse += part * errors.mse;
        mean.mae += part * errors.mae;
        mean.r2 += part * errors.r2;
        mean.mape += part * errors.mape;
        mean.mean_label += part * errors.mean_label;
        mean.mean_value += part * errors.mean_value;
        mean.deviance += part * errors.deviance;
    }
    write_all(&mean, scored, jw);
    if (n_targets == 1)
        return BL_OK;
    bli_jw_key(jw, "targets");
    bli_jw_list(jw, false);
    for (size_t t = 0; t < n_targets; t++) {
        bl_target target = bli_target(scored, t);
        bl_errors errors = bli_errors_of(&target, scored->tweedie_power);
        bli_jw_object(jw);
        write_all(&errors, scored, jw);
        bli_jw_object_end(jw);
    }
    bli_jw_list_end(jw);
    return BL_OK;
}
