/* SPDX-License-Identifier: Apache-2.0 */
/* How large attributions.h5 may get, for checks before the work. */
#include "report/report_priv.h"

uint64_t bli_h5_estimate_of(uint64_t n_rows, size_t n_features, size_t n_outputs,
                            const bl_h5_options *options)
{
    double outputs = (double)n_outputs, features = (double)n_features;
    double top = (double)options->n_top;
    /* base_values, margins, predictions, labels (one a row, or as many as outputs), row */
    double row = 4.0 * outputs * 4 + 8;
    row += 4.0 * outputs * (top > 0 ? 2 * top + 1 : features);
    if (options->with_data && top == 0)
        row += 4.0 * features;
    if (top == 0)
        row += 8.0 * outputs * (double)options->n_sources;
    if (options->interactions == BL_H5_MATRIX)
        row += 4.0 * outputs * features * features;
    else if (options->interactions == BL_H5_PAIRS)
        row += 4.0 * outputs * 3 * top;
    /* Names, object headers; a chunk that does not shrink costs its index entry. */
    double other = 256.0 * features + 1048576.0;
    double bytes = row * (double)n_rows * 1.001 + other;
    return bytes < (double)UINT64_MAX ? (uint64_t)bytes : UINT64_MAX;
}
