/* SPDX-License-Identifier: Apache-2.0 */
/* Many rows: blocks, threads, selection, aggregates, errors. */
#include "check.h"

#include "base/digest.h"
#include "explain/explain.h"
#include "oracle/forests.h"

#include <stdlib.h>

typedef struct fixture {
    bl_forest *forest;
    bl_explainer *explainer;
    bl_matrix matrix;
} fixture;

static void set_up(fixture *rig, size_t n_features, size_t n_outputs, uint64_t n_rows,
                   bool base)
{
    bl_rng rng = bli_rng(5);
    bl_err err = {0};
    const oracle_shape shape = {.n_splits = 20,
                                .n_features = (uint32_t)n_features - 1,
                                .categorical = 10,
                                .leaf_scale = 1};
    rig->forest = oracle_forest_new(n_features, n_outputs);
    for (size_t t = 0; t < 4 * n_outputs; t++)
        oracle_grow(oracle_add_tree(rig->forest, (uint32_t)(t % n_outputs), 1), &shape,
                    &rng);
    rig->forest->base_margin[0] = 0.3F;
    CHECK_OK(
        bli_explainer_new(rig->forest, 0, rig->forest->n_rounds, &rig->explainer, &err),
        err);
    /* Blocks of unequal sizes, as files give them. */
    const uint64_t sizes[] = {n_rows / 2, 1, n_rows - n_rows / 2 - 1};
    rig->matrix = (bl_matrix){.n_features = n_features, .n_rows = n_rows, .n_blocks = 3};
    rig->matrix.blocks = calloc(3, sizeof(bl_block));
    assert_non_null(rig->matrix.blocks);
    uint64_t first = 0;
    for (size_t b = 0; b < 3; b++) {
        bl_block *block = rig->matrix.blocks + b;
        *block = (bl_block){.first_row = first, .n_rows = sizes[b]};
        block->x = malloc(((size_t)sizes[b] * n_features + 1) * sizeof(float));
        assert_non_null(block->x);
        for (uint64_t r = 0; r < sizes[b]; r++)
            oracle_row(block->x + r * n_features, n_features, 10, false, &rng);
        first += sizes[b];
    }
    if (base) {
        rig->matrix.roles.n_base_margins = n_outputs;
        rig->matrix.roles.base_margins =
            malloc((size_t)n_rows * n_outputs * sizeof(float));
        assert_non_null(rig->matrix.roles.base_margins);
        for (size_t i = 0; i < n_rows * n_outputs; i++)
            rig->matrix.roles.base_margins[i] = (float)oracle_uniform(&rng);
    }
}

static void tear_down(fixture *rig)
{
    bli_explainer_free(rig->explainer);
    oracle_forest_free(rig->forest);
    bli_blocks_free(rig->matrix.blocks, rig->matrix.n_blocks);
    bli_roles_done(&rig->matrix.roles);
}

/* What a sink saw. */
typedef struct seen {
    const fixture *rig;
    const uint64_t *row; /* selection, or NULL */
    uint64_t next;
    bl_digest *digest;
    double *sum_abs, *sum; /* [n_outputs][n_features] */
    double worst;
    bl_status answer;
} seen;

static bl_status look(void *cookie, const bl_batch *batch, bl_err *err)
{
    seen *s = cookie;
    const bl_forest *forest = s->rig->forest;
    size_t F = forest->n_features, K = forest->n_outputs;
    CHECK(batch->first == s->next, "batch at %llu, expected %llu",
          (unsigned long long)batch->first, (unsigned long long)s->next);
    s->next += batch->n_rows;
    for (uint64_t r = 0; r < batch->n_rows; r++) {
        uint64_t row = batch->row[r];
        assert_true(row == (s->row ? s->row[batch->first + r] : batch->first + r));
        const bl_block *block = bli_matrix_block(&s->rig->matrix, row);
        const float *x = block->x + (row - block->first_row) * F;
        assert_memory_equal(batch->x + r * F, x, F * sizeof(float));
        const float *base = s->rig->matrix.roles.base_margins;
        float margin[8];
        bli_forest_margins(forest, 0, forest->n_rounds, x, 1,
                           base ? base + row * K : NULL, margin);
        assert_memory_equal(batch->margins + r * K, margin, K * sizeof(float));
        for (size_t k = 0; k < K; k++) {
            const float *phi = batch->phi + (r * K + k) * (F + 1);
            double sum = 0;
            for (size_t f = 0; f <= F; f++) {
                sum += (double)phi[f];
                if (f < F) {
                    s->sum_abs[k * F + f] += fabs((double)phi[f]);
                    s->sum[k * F + f] += (double)phi[f];
                }
            }
            s->worst = fmax(s->worst, fabs(sum - (double)margin[k]));
        }
    }
    bli_digest_add(s->digest, batch->phi,
                   (size_t)batch->n_rows * K * (F + 1) * sizeof(float));
    bli_digest_add(s->digest, batch->margins, (size_t)batch->n_rows * K * sizeof(float));
    if (s->answer != BL_OK)
        return bli_fail(err, s->answer, "the sink is full");
    return BL_OK;
}

static void run(const fixture *rig, const bl_explain_options *options,
                char hex[BL_DIGEST_TEXT])
{
    size_t F = rig->forest->n_features, K = rig->forest->n_outputs;
    bl_err err = {0};
    seen s = {.rig = rig, .row = options->row};
    s.sum_abs = calloc(2 * K * F, sizeof(double));
    assert_non_null(s.sum_abs);
    s.sum = s.sum_abs + K * F;
    CHECK_OK(bli_digest_new(&s.digest, &err), err);
    bl_attribution *a;
    CHECK_OK(bli_explain(rig->explainer, &rig->matrix, options, look, &s, &a, &err), err);
    uint64_t n = options->row ? options->n_selected : rig->matrix.n_rows;
    assert_true(s.next == n && a->n_rows == n && a->n_features == F && a->n_outputs == K);
    for (size_t i = 0; i < K * F; i++) {
        CHECK(relative_error(a->mean_abs[i] * (double)n, s.sum_abs[i]) < 1e-12,
              "mean |phi| %zu: %g", i, a->mean_abs[i]);
        CHECK(fabs(a->mean[i] * (double)n - s.sum[i]) <= 1e-12 * s.sum_abs[i],
              "mean phi %zu: %g", i, a->mean[i]);
    }
    CHECK(fabs(a->worst_margin_distance - s.worst) < 1e-12, "%g and %g",
          a->worst_margin_distance, s.worst);
    CHECK(a->worst_additivity <= 1e-6 * a->max_abs_margin, "%g of %g",
          a->worst_additivity, a->max_abs_margin);
    assert_true(a->worst_row < rig->matrix.n_rows);
    bli_digest_add(s.digest, a->mean_abs, K * F * sizeof(double));
    bli_digest_add(s.digest, a->mean, K * F * sizeof(double));
    bli_digest_add(s.digest, a->mean_margins, K * sizeof(double));
    bli_digest_add(s.digest, &a->worst_additivity, sizeof(double));
    bli_digest_add(s.digest, &a->worst_row, sizeof a->worst_row);
    CHECK_OK(bli_digest_end(s.digest, hex, &err), err);
    /* Without a sink the aggregates are the same bits. */
    bl_attribution *b;
    CHECK_OK(bli_explain(rig->explainer, &rig->matrix, options, NULL, NULL, &b, &err),
             err);
    assert_memory_equal(a->mean_abs, b->mean_abs, K * F * sizeof(double));
    assert_memory_equal(a->mean, b->mean, K * F * sizeof(double));
    bli_attribution_free(a);
    bli_attribution_free(b);
    bli_digest_free(s.digest);
    free(s.sum_abs);
}

static void test_results_are_the_same_bits_for_every_thread_count(void **state)
{
    (void)state;
    for (int base = 0; base < 2; base++) {
        fixture it;
        set_up(&it, 9, 3, 3001, base);
        char first[BL_DIGEST_TEXT], other[BL_DIGEST_TEXT];
        run(&it, &(bl_explain_options){.n_threads = 1}, first);
        for (int n = 2; n <= 7; n += n == 2 ? 1 : 4) {
            run(&it, &(bl_explain_options){.n_threads = n}, other);
            CHECK(strcmp(first, other) == 0, "%d threads: %s, one: %s", n, other, first);
        }
        tear_down(&it);
    }
}

static void test_a_selection_keeps_its_order(void **state)
{
    (void)state;
    fixture it;
    set_up(&it, 5, 2, 1000, true);
    uint64_t row[300];
    for (size_t i = 0; i < 300; i++)
        row[i] = 3 * i + (i > 166);
    char hex[BL_DIGEST_TEXT];
    run(&it, &(bl_explain_options){.n_threads = 2, .row = row, .n_selected = 300}, hex);
    run(&it, &(bl_explain_options){.n_threads = 2, .row = row, .n_selected = 1}, hex);
    tear_down(&it);
}

static void test_rows_in_memory_give_the_same_bits(void **state)
{
    (void)state;
    fixture it;
    set_up(&it, 6, 2, 500, false);
    const bl_block *block = it.matrix.blocks;
    float *all = malloc((size_t)block->n_rows * 2 * 7 * sizeof *all), one[14];
    assert_non_null(all);
    bl_err err = {0};
    CHECK_OK(bli_explain_rows(it.explainer, block->x, block->n_rows, all, &err), err);
    for (uint64_t r = 0; r < block->n_rows; r++) {
        CHECK_OK(bli_explain_rows(it.explainer, block->x + r * 6, 1, one, &err), err);
        CHECK(memcmp(one, all + r * 14, sizeof one) == 0, "row %d alone differs", (int)r);
    }
    /* Any number of rows: whole steps of lanes, and what is left one by one. */
    float *some = malloc(70 * 14 * sizeof *some);
    assert_non_null(some);
    for (uint64_t n = 2; n < 70; n++) {
        const uint64_t first = 3 * n % 100;
        CHECK_OK(bli_explain_rows(it.explainer, block->x + first * 6, n, some, &err),
                 err);
        CHECK(memcmp(some, all + first * 14, n * 14 * sizeof *some) == 0,
              "%d rows at a time differ", (int)n);
    }
    free(some);
    CHECK_OK(bli_explain_rows(it.explainer, block->x, 0, NULL, &err), err);
    free(all);
    tear_down(&it);
}

static void test_no_rows_give_zeros(void **state)
{
    (void)state;
    fixture it;
    set_up(&it, 4, 1, 10, false);
    bl_attribution *a;
    bl_err err = {0};
    const uint64_t none = 0;
    CHECK_OK(bli_explain(it.explainer, &it.matrix,
                         &(bl_explain_options){.row = &none, .n_selected = 0}, NULL, NULL,
                         &a, &err),
             err);
    assert_true(a->n_rows == 0 && a->mean_abs[0] == 0 && a->mean_margins[0] == 0);
    bli_attribution_free(a);
    tear_down(&it);
}

static bool stop_later(void *cookie, uint64_t done, uint64_t total)
{
    (void)total;
    return done >= *(const uint64_t *)cookie;
}

static void test_a_cancelled_run_says_how_far_it_came(void **state)
{
    (void)state;
    fixture it;
    set_up(&it, 5, 1, 800, false);
    uint64_t limit = 0;
    bl_explain_options options = {.cancelled = stop_later, .cookie = &limit};
    bl_attribution *a = NULL;
    bl_err err = {0};
    CHECK_FAILS(bli_explain(it.explainer, &it.matrix, &options, NULL, NULL, &a, &err),
                BL_E_CANCELLED, err, "stopped on request after 0 of 800 rows");
    assert_null(a);
    tear_down(&it);
}

static void test_an_error_of_the_sink_ends_the_run(void **state)
{
    (void)state;
    fixture it;
    set_up(&it, 5, 1, 100, false);
    bl_err err = {0};
    double sums[10] = {0};
    seen s = {.rig = &it, .sum_abs = sums, .sum = sums + 5, .answer = BL_E_IO};
    CHECK_OK(bli_digest_new(&s.digest, &err), err);
    bl_attribution *a = NULL;
    CHECK_FAILS(bli_explain(it.explainer, &it.matrix, &(bl_explain_options){0}, look, &s,
                            &a, &err),
                BL_E_IO, err, "the sink is full");
    assert_null(a);
    bli_digest_free(s.digest);
    tear_down(&it);
}

static void test_rows_that_do_not_fit_the_model_are_refused(void **state)
{
    (void)state;
    fixture it;
    set_up(&it, 5, 2, 100, true);
    bl_attribution *a = NULL;
    bl_err err = {0};
    bl_explain_options options = {0};
    float margins[200];
    it.matrix.roles.n_base_margins = 1;
    CHECK_FAILS(bli_explain(it.explainer, &it.matrix, &options, NULL, NULL, &a, &err),
                BL_E_SHAPE, err, "1 base margins, the model has 2 outputs");
    CHECK_FAILS(bli_predict_matrix(it.forest, 0, 1, &it.matrix, 1, margins, &err),
                BL_E_SHAPE, err, "1 base margins, the model has 2 outputs");
    it.matrix.roles.n_base_margins = 2;
    it.matrix.n_features = 6;
    CHECK_FAILS(bli_explain(it.explainer, &it.matrix, &options, NULL, NULL, &a, &err),
                BL_E_SHAPE, err, "rows have 6 features, the model has 5");
    CHECK_FAILS(bli_predict_matrix(it.forest, 0, 1, &it.matrix, 1, margins, &err),
                BL_E_SHAPE, err, "rows have 6 features, the model has 5");
    it.matrix.n_features = 5;
    const uint64_t beyond[] = {1, 100}, twice[] = {4, 4};
    options = (bl_explain_options){.row = beyond, .n_selected = 2};
    CHECK_FAILS(bli_explain(it.explainer, &it.matrix, &options, NULL, NULL, &a, &err),
                BL_E_ARG, err, "row 100 is not in ascending order within 100 rows");
    options.row = twice;
    CHECK_FAILS(bli_explain(it.explainer, &it.matrix, &options, NULL, NULL, &a, &err),
                BL_E_ARG, err, "row 4 is not in ascending order");
    assert_null(a);
    tear_down(&it);
}

static void test_margins_of_a_matrix_equal_those_of_its_rows(void **state)
{
    (void)state;
    for (int base = 0; base < 2; base++) {
        fixture it;
        set_up(&it, 5, 3, 2500, base);
        float *margins = malloc(2500 * 3 * sizeof *margins), one[3];
        assert_non_null(margins);
        bl_err err = {0};
        CHECK_OK(bli_predict_matrix(it.forest, 1, 8, &it.matrix, 3, margins, &err), err);
        for (uint64_t r = 0; r < 2500; r++) {
            const bl_block *block = bli_matrix_block(&it.matrix, r);
            const float *b = it.matrix.roles.base_margins;
            bli_forest_margins(it.forest, 1, 8, block->x + (r - block->first_row) * 5, 1,
                               b ? b + r * 3 : NULL, one);
            assert_memory_equal(one, margins + r * 3, sizeof one);
        }
        free(margins);
        tear_down(&it);
    }
}

/* A model of a million columns that uses three of them. */
static void test_columns_that_no_tree_uses_cost_little(void **state)
{
    (void)state;
    enum { F = 1000000, ROWS = 40 };
    bl_rng rng = bli_rng(3);
    bl_forest *forest = oracle_forest_new(F, 1);
    const oracle_shape shape = {.n_splits = 9, .n_features = 3, .leaf_scale = 1};
    bl_tree *tree = oracle_add_tree(forest, 0, 1);
    oracle_grow(tree, &shape, &rng);
    for (uint32_t n = 0; n < tree->n_nodes; n++)
        tree->feature[n] *= 400000;
    float *x = calloc((size_t)ROWS * F, sizeof *x);
    assert_non_null(x);
    for (size_t r = 0; r < ROWS; r++)
        for (size_t f = 0; f < F; f += 400000)
            oracle_row(x + r * F + f, 1, 0, false, &rng);
    bl_block block = {.x = x, .n_rows = ROWS};
    bl_matrix matrix = {.n_features = F, .n_rows = ROWS, .n_blocks = 1, .blocks = &block};
    bl_explainer *explainer;
    bl_err err = {0};
    CHECK_OK(bli_explainer_new(forest, 0, 1, &explainer, &err), err);
    bl_attribution *a;
    CHECK_OK(
        bli_explain(explainer, &matrix, &(bl_explain_options){0}, NULL, NULL, &a, &err),
        err);
    CHECK(a->worst_additivity < 1e-6 * a->max_abs_margin, "%g", a->worst_additivity);
    size_t used = 0;
    for (size_t f = 0; f < F; f++)
        used += a->mean_abs[f] > 0;
    CHECK(used >= 1 && used <= 3, "%zu features with a value", used);
    bli_attribution_free(a);
    bli_explainer_free(explainer);
    free(x);
    oracle_forest_free(forest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_results_are_the_same_bits_for_every_thread_count),
        cmocka_unit_test(test_a_selection_keeps_its_order),
        cmocka_unit_test(test_rows_in_memory_give_the_same_bits),
        cmocka_unit_test(test_no_rows_give_zeros),
        cmocka_unit_test(test_a_cancelled_run_says_how_far_it_came),
        cmocka_unit_test(test_an_error_of_the_sink_ends_the_run),
        cmocka_unit_test(test_rows_that_do_not_fit_the_model_are_refused),
        cmocka_unit_test(test_margins_of_a_matrix_equal_those_of_its_rows),
        cmocka_unit_test(test_columns_that_no_tree_uses_cost_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
