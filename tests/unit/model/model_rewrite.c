/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests/portable.sh: rewrites models, and predicts their margins.
 *
 *   model_rewrite portable|unfolded|native MODEL.ubj OUT.ubj
 *       prints  OLDEST fully|partly folded|whole
 *   model_rewrite margins MODEL.ubj ROWS.f32 OUT.f32
 *       rows and margins as raw little-endian float32
 */
#include "base/fs.h"
#include "model/model.h"

#include <stdlib.h>
#include <string.h>

static bl_status rewrite(const char *how, const bl_buf *model, const char *to,
                         bl_err *err)
{
    bl_portable out = {0};
    bl_status st;
    if (strcmp(how, "portable") == 0)
        st = bli_portable_write(model->data, model->n, NULL, &out, err);
    else if (strcmp(how, "unfolded") == 0)
        st = bli_portable_write_unfolded(model->data, model->n, NULL, &out, err);
    else
        st = bli_native_write(model->data, model->n, NULL, &out, err);
    if (st == BL_OK)
        st = bli_write_file(to, 0644, out.bytes.data, out.bytes.n, err);
    if (st == BL_OK)
        printf("%s %s %s\n", out.oldest, out.fully ? "fully" : "partly",
               out.folded ? "folded" : "whole");
    bli_buf_done(&out.bytes);
    return st;
}

static bl_status margins(const bl_buf *model, const char *rows_path, const char *to,
                         bl_err *err)
{
    bl_limits limits = bli_limits();
    bl_forest *forest = NULL;
    bl_buf rows = {0};
    void *out = NULL;
    size_t n_out = 0;
    bl_status st = bli_forest_read(model->data, model->n, &limits, NULL, &forest, err);
    if (st == BL_OK)
        st = bli_read_file(rows_path, SIZE_MAX / 2, &rows, err);
    if (st == BL_OK) {
        size_t n_rows = rows.n / sizeof(float) / forest->n_features;
        n_out = n_rows * forest->n_outputs;
        out = malloc((n_out + 1) * sizeof(float));
        void *x = malloc(rows.n + 1);
        if (out && x) {
            memcpy(x, rows.data, rows.n);
            bli_forest_margins(forest, 0, forest->n_rounds, x, n_rows, NULL, out);
            st = bli_write_file(to, 0644, out, n_out * sizeof(float), err);
        } else {
            st = bli_fail(err, BL_E_NOMEM, "no memory for the margins");
        }
        free(x);
    }
    free(out);
    bli_buf_done(&rows);
    bli_forest_free(forest);
    return st;
}

int main(int argc, char **argv)
{
    bl_err err = {0};
    bl_buf model = {0};
    bl_status st = BL_E_ARG;
    if (argc == 4 && strcmp(argv[1], "margins") != 0) {
        st = bli_read_file(argv[2], SIZE_MAX / 2, &model, &err);
        if (st == BL_OK)
            st = rewrite(argv[1], &model, argv[3], &err);
    } else if (argc == 5 && strcmp(argv[1], "margins") == 0) {
        st = bli_read_file(argv[2], SIZE_MAX / 2, &model, &err);
        if (st == BL_OK)
            st = margins(&model, argv[3], argv[4], &err);
    } else {
        bli_fail(&err, st,
                 "usage: model_rewrite portable|unfolded|native|margins MODEL ...");
    }
    bli_buf_done(&model);
    if (st != BL_OK)
        fprintf(stderr, "%s\n", err.msg);
    return st == BL_OK ? 0 : 1;
}
