/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of a few rows, from any number of threads: what a server does. */
#include "check.h"

#include "base/mem.h"
#include "explain/explain_priv.h"
#include "oracle/forests.h"

#include <omp.h>
#include <stdlib.h>

enum { N_FEATURES = 7, N_OUTPUTS = 2, N_ROWS = 300, ROW = N_OUTPUTS * (N_FEATURES + 1) };

typedef struct fixture {
    bl_forest *forest;
    bl_explainer *explainer;
    float rows[N_ROWS * N_FEATURES], phi[N_ROWS * ROW], margins[N_ROWS * N_OUTPUTS];
} fixture;

static void set_up(fixture *it, uint32_t n_splits, bool margins_only)
{
    bl_rng rng = bli_rng(8);
    bl_err err = {0};
    const oracle_shape shape = {.n_splits = n_splits,
                                .n_features = N_FEATURES,
                                .categorical = 10,
                                .leaf_scale = 1};
    it->forest = oracle_forest_new(N_FEATURES, N_OUTPUTS);
    for (size_t t = 0; t < 6; t++)
        oracle_grow(oracle_add_tree(it->forest, (uint32_t)(t % N_OUTPUTS), 1), &shape,
                    &rng);
    it->forest->base_margin[1] = 0.3F;
    for (size_t r = 0; r < N_ROWS; r++)
        oracle_row(it->rows + r * N_FEATURES, N_FEATURES, 10, true, &rng);
    CHECK_OK(bli_explainer_new_for(it->forest, 0, it->forest->n_rounds, ~BLK_CPU_FMAF,
                                   margins_only, &it->explainer, &err),
             err);
    bli_forest_margins(it->forest, 0, it->forest->n_rounds, it->rows, N_ROWS, NULL,
                       it->margins);
    if (!margins_only)
        CHECK_OK(bli_explain_rows(it->explainer, it->rows, N_ROWS, it->phi, &err), err);
}

static void tear_down(fixture *it)
{
    bli_explainer_free(it->explainer);
    oracle_forest_free(it->forest);
}

static void test_threads_may_share_an_explainer(void **state)
{
    (void)state;
    static fixture it;
    set_up(&it, 40, false);
    size_t wrong = 0;
#pragma omp parallel for schedule(dynamic, 1) num_threads(8) reduction(+ : wrong)
    for (size_t i = 0; i < 600; i++) {
        float phi[9 * ROW];
        bl_err err = {0};
        size_t first = i % (N_ROWS - 9), n = 1 + i % 9;
        wrong += bli_explain_rows(it.explainer, it.rows + first * N_FEATURES, n, phi,
                                  &err) != BL_OK ||
                 memcmp(phi, it.phi + first * ROW, n * ROW * sizeof *phi) != 0;
    }
    CHECK(wrong == 0, "%zu of 600 calls gave other values", wrong);
    tear_down(&it);
}

static void test_a_call_takes_the_scratch_of_an_earlier_one(void **state)
{
    (void)state;
    static fixture it;
    set_up(&it, 40, false);
    void *first = bli_scratch_borrow(it.explainer);
    assert_non_null(first);
    void *second = bli_scratch_borrow(it.explainer);
    assert_true(second && second != first);
    bli_scratch_give_back(it.explainer, first);
    assert_ptr_equal(bli_scratch_borrow(it.explainer), first);
    bli_scratch_give_back(it.explainer, first);
    bli_scratch_give_back(it.explainer, second);
    /* More than are kept: the rest is freed, which a leak checker would tell. */
    void *many[BL_SPARE + 3];
    for (size_t i = 0; i < BL_LEN(many); i++)
        assert_non_null(many[i] = bli_scratch_borrow(it.explainer));
    for (size_t i = 0; i < BL_LEN(many); i++)
        bli_scratch_give_back(it.explainer, many[i]);
    bli_scratch_give_back(it.explainer, NULL);
    tear_down(&it);
}

/* Any number of rows, trees of any size: those that are picked in lanes and those that rows
 * walk down. */
static void test_margins_are_those_of_a_walk(void **state)
{
    (void)state;
    static const uint32_t splits[] = {0, 1, 2, 3, 20, 2500};
    static fixture it;
    for (size_t s = 0; s < BL_LEN(splits); s++)
        for (int only = 0; only < 2; only++) {
            set_up(&it, splits[s], only);
            static float got[N_ROWS * N_OUTPUTS];
            bl_err err = {0};
            for (size_t n = 1; n <= N_ROWS; n += n < 70 ? 1 : 46) {
                memset(got, 0xff, sizeof got);
                CHECK_OK(bli_explainer_margins(it.explainer, it.rows, n, got, &err), err);
                CHECK(memcmp(got, it.margins, n * N_OUTPUTS * sizeof *got) == 0,
                      "%zu rows down trees of %u splits differ", n, splits[s]);
            }
            tear_down(&it);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_may_share_an_explainer),
        cmocka_unit_test(test_a_call_takes_the_scratch_of_an_earlier_one),
        cmocka_unit_test(test_margins_are_those_of_a_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
