/* SPDX-License-Identifier: Apache-2.0 */
/* Rounds, model bytes, metric lines: against XGBoost's own plain path through the C API.
 */
#include "help.h"

#include <stdlib.h>

static void same_bytes(const bl_training *t, const bl_buf *want)
{
    CHECK(t->n_ubj == want->n && !memcmp(t->ubj, want->data, want->n),
          "%zu bytes, the plain path gives %zu others", t->n_ubj, want->n);
}

static void test_blocks_do_not_change_the_model(void **state)
{
    (void)state;
    bl_job *job = job_new("binary:logistic", 8);
    job_param(job, "subsample", "0.8");
    job_param(job, "seed", "7");
    bl_matrix *rows = matrix_new(3000, 6, 1, 9, 1);
    bl_buf want = {0};
    plain_train(job, rows, NULL, &want, NULL);
    for (size_t n_blocks = 1; n_blocks <= 13; n_blocks += 4) {
        bl_matrix *cut = matrix_recut(rows, n_blocks);
        bl_training *t;
        bl_err err = {0};
        CHECK_OK(train(job, cut, NULL, NULL, &t, &err), err);
        same_bytes(t, &want);
        bli_training_free(t);
        matrix_free(cut);
    }
    bli_buf_done(&want);
    matrix_free(rows);
    job_free(job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_do_not_change_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
