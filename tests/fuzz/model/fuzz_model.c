/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes as a model: read, predicted on a row of missing values and a row of zeros, scored, and
 * rewritten. What is rewritten must be readable again, and predict the same where nothing was
 * folded.
 */
#include "model/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { N_ROWS = 2 };

static bl_limits small_limits(void)
{
    bl_limits limits = bli_limits();
    limits.columns = 1 << 12;
    limits.levels = 1 << 12;
    limits.tree_nodes = 1 << 16;
    limits.json_depth = 32;
    return limits;
}

static void must(bool condition)
{
    if (!condition)
        abort();
}

static float *predict(const bl_forest *forest)
{
    size_t n_features = forest->n_features, n_outputs = forest->n_outputs;
    float *rows = calloc(N_ROWS * n_features, sizeof *rows);
    float *margins = calloc(N_ROWS * n_outputs, sizeof *margins);
    float *values = calloc(N_ROWS * n_outputs, sizeof *values);
    must(rows && margins && values);
    for (size_t i = 0; i < n_features; i++)
        rows[i] = NAN;
    bli_forest_margins(forest, 0, bli_forest_rounds(forest), rows, N_ROWS, NULL, margins);
    bli_forest_transform(forest, margins, N_ROWS, values);
    bli_forest_margins(forest, 0, forest->n_rounds, rows, N_ROWS, NULL, margins);
    free(rows);
    free(values);
    return margins;
}

static bool equal(const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(&a[i], &b[i], sizeof *a) != 0 && !(isnan(a[i]) && isnan(b[i])))
            return false;
    return true;
}

static void rewrite(const uint8_t *data, size_t size, const bl_forest *forest,
                    const float *margins)
{
    bl_limits limits = small_limits();
    bl_portable out = {0};
    bl_forest *again = NULL;
    bl_err err = {0};
    bl_status st = bli_portable_write(data, size, NULL, &out, &err);
    if (st != BL_OK) {
        must(err.msg[0] != '\0');
        return;
    }
    must(bli_forest_read(out.bytes.data, out.bytes.n, &limits, NULL, &again, &err) ==
         BL_OK);
    must(again->n_outputs == forest->n_outputs && again->n_trees == forest->n_trees);
    float *margins_again = predict(again);
    must(out.folded || equal(margins, margins_again, N_ROWS * forest->n_outputs));
    free(margins_again);
    bli_forest_free(again);
    bli_buf_done(&out.bytes);
}

static void prepare(const uint8_t *data, size_t size, const bl_forest *forest,
                    const float *margins)
{
    bl_limits limits = small_limits();
    bl_buf ready = {0};
    bl_forest *again = NULL;
    bl_err err = {0};
    must(bli_model_prepare(data, size, &limits, NULL, &ready, &err) == BL_OK);
    must(bli_forest_read(ready.data, ready.n, &limits, NULL, &again, &err) == BL_OK);
    float *margins_again = predict(again);
    must(equal(margins, margins_again, N_ROWS * forest->n_outputs));
    free(margins_again);
    bli_forest_free(again);
    bli_buf_done(&ready);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bl_limits limits = small_limits();
    bl_forest *forest = NULL;
    bl_err err = {0};
    bl_status st = bli_forest_read(data, size, &limits, NULL, &forest, &err);
    if (st != BL_OK) {
        must(err.status == st && err.msg[0] != '\0' && forest == NULL);
        return 0;
    }
    if (forest->n_outputs <= 1 << 12) {
        float *margins = predict(forest);
        bl_split_scores scores;
        must(bli_forest_split_scores(forest, 0, forest->n_rounds, &scores, &err) ==
             BL_OK);
        bli_split_scores_done(&scores);
        prepare(data, size, forest, margins);
        rewrite(data, size, forest, margins);
        free(margins);
    }
    bli_forest_free(forest);
    return 0;
}
