/* SPDX-License-Identifier: Apache-2.0 */
/* Explains two rows with any XGBoost model: every feature at 0, then every feature
 * missing. */
#include <boostlens.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    bl_model *model;
    bl_err err = {0};
    if (argc != 2 || bl_model_load(argv[1], &model, &err) != BL_OK) {
        fprintf(stderr, "usage: explain_rows MODEL\n%s\n", err.msg);
        return 1;
    }
    size_t n = bl_model_n_features(model), width = bl_model_n_outputs(model) * (n + 1);
    float *rows = calloc(2 * n, sizeof *rows), *phi = calloc(2 * width, sizeof *phi);
    for (size_t i = 0; rows && i < n; i++)
        rows[n + i] = NAN;
    bl_status status =
        rows && phi ? bl_contribs(model, rows, 2, n, phi, 2 * width, &err) : BL_E_NOMEM;
    for (size_t i = 0; status == BL_OK && i <= n; i++) {
        const char *name = i < n ? bl_model_feature_name(model, i) : "base value";
        printf("%-24s %12g %12g\n", name ? name : "(no name)", (double)phi[i],
               (double)phi[width + i]);
    }
    if (status != BL_OK)
        fprintf(stderr, "%s: %s\n", bl_status_name(status), err.msg);
    free(rows);
    free(phi);
    bl_model_free(model);
    return status != BL_OK;
}
