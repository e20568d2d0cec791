/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that runs out: the n-th allocation of ours fails, for n = 1, 2, ... until the job is
 * read. Each failure must be BL_E_NOMEM with a sentence, write no job and (under a leak checker)
 * lose nothing. jansson's own allocations are left alone: it reports their failure as bad JSON.
 */
#include "folder.h"

static long countdown; /* 0: nothing fails */

static bool fails_now(void)
{
    return countdown > 0 && --countdown == 0;
}

/* The linker sends every call of these from our objects here. */
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *block, size_t size);
void *__real_malloc(size_t size);
char *__real_strdup(const char *text);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_malloc(size_t size);
char *__wrap_strdup(const char *text);

void *__wrap_calloc(size_t n, size_t size)
{
    return fails_now() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    return fails_now() ? NULL : __real_realloc(block, size);
}

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : __real_malloc(size);
}

char *__wrap_strdup(const char *text)
{
    return fails_now() ? NULL : __real_strdup(text);
}

static const char job_text[] =
    "{\"num_round\": \"9\", \"objective\": \"\\\"reg:linear\\\"\", \"eta\": 0.1, "
    "\"eval_metric\": \"rmse,tweedie-nloglik,mae\", \"bl_feature_names\": "
    "\"@names.txt\", "
    "\"bl_drop\": \"1,'x'\", \"bl_id\": [4, \"id\"], \"bl_weight\": \"w\", "
    "\"monotone_constraints\": {\"b\": 1}, \"interaction_constraints\": "
    "\"[['a'],[1,2]]\", "
    "\"_tuning_objective_metric\": \"validation:r2\", \"seed\": null, \"sketch_eps\": "
    "0.5, "
    "\"top_k\": 3, \"base_score\": \"[0.5]\", \"updater\": \"grow_histmaker\"}";

static void test_fault_each_failed_allocation_is_reported_and_lost_nothing(void **state)
{
    bl_folder folder;
    bl_job *job = NULL;
    long n = 0;
    (void)state;
    folder_make(&folder);
    folder_channel(&folder, "train");
    folder_channel(&folder, "validation");
    folder_write(&folder, "input/data/config/names.txt", "a\nb\nc\n");
    folder_write(&folder, "input/config/hyperparameters.json", job_text);
    folder_write(&folder, "input/config/inputdataconfig.json", TRAIN_AND_VALIDATION);
    folder_write(&folder, "input/config/checkpointconfig.json",
                 "{\"LocalPath\": \"/opt/ml/checkpoints\"}");
    for (n = 1; n < 5000; n++) {
        bl_err err = {0};
        countdown = n;
        bl_status st = bli_job_read(folder.root, NULL, &job, &err);
        bool reached = countdown == 0;
        countdown = 0;
        if (st == BL_OK) {
            /* A lost note or help text is no failure; a lost job would be. */
            bli_job_free(job);
            job = NULL;
            if (!reached)
                break;
            continue;
        }
        CHECK(st == BL_E_NOMEM, "allocation %ld: status %d '%s'", n, (int)st, err.msg);
        CHECK(err.msg[0], "allocation %ld: no text", n);
        assert_null(job);
    }
    print_message("%ld allocations failed in turn\n", n - 1);
    assert_true(n > 100 && n < 5000);
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fault_each_failed_allocation_is_reported_and_lost_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
