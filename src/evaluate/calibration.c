/* SPDX-License-Identifier: Apache-2.0 */
/* Are probabilities what they say: predicted and observed rate over equal-width bins. */
#include "evaluate/evaluate_priv.h"

#include <math.h>

void bli_calibration_add(bl_calibration *calibration, double value, double rate,
                         double weight)
{
    if (isnan(value))
        return;
    int bin = (int)(value * BL_BINS);
    bin = bin < 0 ? 0 : bin >= BL_BINS ? BL_BINS - 1 : bin;
    calibration->weight[bin] += weight;
    calibration->value[bin] += weight * value;
    calibration->rate[bin] += weight * rate;
}

double bli_calibration_ece(const bl_calibration *calibration, double *ret_mce)
{
    double weight = 0;
    double sum = 0;
    double worst = 0;
    for (int bin = 0; bin < BL_BINS; bin++) {
        if (!(calibration->weight[bin] > 0))
            continue;
        /* weight * |mean value - mean rate| */
        double off = fabs(calibration->value[bin] - calibration->rate[bin]);
        weight += calibration->weight[bin];
        sum += off;
        worst = fmax(worst, off / calibration->weight[bin]);
    }
    *ret_mce = weight > 0 ? worst : BL_NAN;
    return weight > 0 ? sum / weight : BL_NAN;
}

void bli_calibration_write(const bl_calibration *calibration, bl_jw *jw)
{
    double mce;
    double ece = bli_calibration_ece(calibration, &mce);
    bli_jw_key(jw, "calibration");
    bli_jw_object(jw);
    bli_jw_key(jw, "ece");
    bli_jw_double(jw, ece);
    bli_jw_key(jw, "mce");
    bli_jw_double(jw, mce);
    bli_jw_key(jw, "bins");
    bli_jw_list(jw, false);
    for (int bin = 0; bin < BL_BINS; bin++) {
        double weight = calibration->weight[bin];
        bli_jw_object(jw);
        bli_jw_key(jw, "from");
        bli_jw_double(jw, bin / (double)BL_BINS);
        bli_jw_key(jw, "to");
        bli_jw_double(jw, (bin + 1) / (double)BL_BINS);
        bli_jw_key(jw, "weight");
        bli_jw_double(jw, weight);
        bli_jw_key(jw, "mean_prediction");
        bli_jw_double(jw, weight > 0 ? calibration->value[bin] / weight : BL_NAN);
        bli_jw_key(jw, "rate");
        bli_jw_double(jw, weight > 0 ? calibration->rate[bin] / weight : BL_NAN);
        bli_jw_object_end(jw);
    }
    bli_jw_list_end(jw);
    bli_jw_object_end(jw);
}
