/* SPDX-License-Identifier: Apache-2.0 */
/* Aggregates beside sorted values: bounds that hold, and bits that depend on the values alone. */
#include "check.h"

#include "explain/aggregates.h"
#include "explain/background.h"
#include "explain/walks.h"
#include "oracle/forests.h"

#include <stdlib.h>

enum { N = 3000, F = 19, K = 2, LINE = F + 1 };

/* Values of every size, some columns of one sign, of zeros, of one value. */
static float *draw(bl_rng *rng)
{
    float *phi = malloc(sizeof *phi * N * K * LINE);
    for (int r = 0; r < N; r++)
        for (int o = 0; o < K; o++)
            for (int f = 0; f < LINE; f++) {
                double x = oracle_uniform(rng) - 0.5;
                int scale = (int)(oracle_uniform(rng) * 60) - 30;
                if (f % 5 == 1)
                    x = fabs(x);
                if (f % 5 == 2)
                    scale = 0;
                if (f % 5 == 3 && oracle_uniform(rng) < 0.7)
                    x = 0;
                if (f == 4)
                    x = 0.25, scale = 0;
                if (f == 9)
                    x = 0;
                if (f == 14)
                    scale = -140 + r % 20; /* too small for a full float */
                phi[((size_t)r * K + (size_t)o) * LINE + (size_t)f] =
                    (float)ldexp(x, f % 5 == 4 ? scale / 4 : scale);
            }
    return phi;
}

static bl_aggregates *aggregate(const float *phi, const uint32_t *group, uint64_t piece,
                                int n_threads)
{
    bl_err err = {0};
    bl_aggregates *a = NULL;
    CHECK_OK(bli_aggregates_new(F, K, 96, &a, &err), err);
    for (uint64_t at = 0; at < N; at += piece) {
        uint64_t n = N - at < piece ? N - at : piece;
        CHECK_OK(bli_aggregates_add(a, phi + at * K * LINE, NULL,
                                    group ? group + at : NULL, n, n_threads, &err),
                 err);
    }
    CHECK(bli_aggregates_n_rows(a) == N, "rows");
    return a;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void sorted(const float *phi, int output, int feature, double *out)
{
    for (int r = 0; r < N; r++)
        out[r] = (double)phi[(r * K + output) * LINE + feature];
    qsort(out, N, sizeof *out, by_value);
}

static void test_quantiles_keep_their_bound(void **state)
{
    (void)state;
    bl_rng rng = bli_rng(oracle_seed(5));
    float *phi = draw(&rng);
    bl_aggregates *a = aggregate(phi, NULL, 700, 2);
    double values[N];
    for (int i = 0; i < K * F; i++) {
        sorted(phi, i / F, i % F, values);
        double largest = fmax(fabs(values[0]), fabs(values[N - 1]));
        for (int k = 0; k <= 40; k++) {
            double q = k / 40.0;
            int rank = k * N / 40 + (k * N % 40 != 0);
            double want = values[rank ? rank - 1 : 0];
            double bound =
                fmax(bli_aggregates_accuracy(a) * fabs(want), ldexp(largest, -19));
            double got = bli_aggregates_quantile(a, (size_t)(i / F), (size_t)(i % F), q);
            CHECK(fabs(got - want) <= (k == 0 || k == 40 ? 0 : bound),
                  "output %d, feature %d, %g: %g, not %g", i / F, i % F, q, got, want);
        }
    }
    bli_aggregates_free(a);
    free(phi);
}

static void test_histograms_count_between_their_edges(void **state)
{
    (void)state;
    bl_rng rng = bli_rng(oracle_seed(6));
    float *phi = draw(&rng);
    bl_aggregates *a = aggregate(phi, NULL, N, 1);
    double values[N], edges[BLI_MOST_BINS + 1];
    uint64_t counts[BLI_MOST_BINS];
    for (int i = 0; i < K * F; i++) {
        sorted(phi, i / F, i % F, values);
        size_t n =
            bli_aggregates_histogram(a, (size_t)(i / F), (size_t)(i % F), edges, counts);
        CHECK(n >= 1 && n <= BLI_MOST_BINS, "%zu bins", n);
        CHECK(edges[0] == values[0] && edges[n] == values[N - 1], "%d: ends", i);
        uint64_t all = 0;
        for (size_t b = 0; b < n; b++) {
            uint64_t inside = 0, on = 0;
            for (int r = 0; r < N; r++) {
                inside += values[r] > edges[b] && values[r] < edges[b + 1];
                on += values[r] == edges[b] || values[r] == edges[b + 1];
            }
            CHECK(counts[b] >= inside && counts[b] <= inside + on,
                  "%d, bin %zu of %zu: %d, between %d and %d", i, b, n, (int)counts[b],
                  (int)inside, (int)(inside + on));
            CHECK(edges[b] <= edges[b + 1], "%d: edges", i);
            all += counts[b];
        }
        CHECK(all == N, "%d: %d rows", i, (int)all);
    }
    bli_aggregates_free(a);
    free(phi);
}

static void check_same(const bl_aggregates *a, const bl_aggregates *b, bool means,
                       const char *what)
{
    for (size_t o = 0; o < K; o++)
        for (size_t f = 0; f < F; f++) {
            bl_aggregate x = bli_aggregate(a, o, f), y = bli_aggregate(b, o, f);
            CHECK(x.min == y.min && x.max == y.max &&
                      (!means || (x.mean == y.mean && x.mean_abs == y.mean_abs)),
                  "%s: output %zu, feature %zu", what, o, f);
            for (int k = 0; k <= 20; k++)
                CHECK(bli_aggregates_quantile(a, o, f, k / 20.0) ==
                          bli_aggregates_quantile(b, o, f, k / 20.0),
                      "%s: output %zu, feature %zu, %d", what, o, f, k);
        }
}

static void test_bits_depend_on_the_values_alone(void **state)
{
    (void)state;
    bl_rng rng = bli_rng(oracle_seed(7));
    float *phi = draw(&rng);
    bl_aggregates *a = aggregate(phi, NULL, N, 1);
    static const uint64_t pieces[] = {1, 17, 96, 1000};
    for (size_t i = 0; i < 4; i++)
        for (int threads = 1; threads <= 7; threads += 2) {
            bl_aggregates *b = aggregate(phi, NULL, pieces[i], threads);
            check_same(a, b, true, "pieces and threads");
            bli_aggregates_free(b);
        }
    size_t line = K * LINE;
    for (size_t r = N - 1; r > 0; r--) {
        size_t other = (size_t)bli_rng_below(&rng, r + 1);
        for (size_t c = 0; c < line; c++) {
            float kept = phi[r * line + c];
            phi[r * line + c] = phi[other * line + c];
            phi[other * line + c] = kept;
        }
    }
    bl_aggregates *b = aggregate(phi, NULL, 50, 2);
    check_same(a, b, false, "order of rows");
    bli_aggregates_free(b);
    bli_aggregates_free(a);
    free(phi);
}

static void test_groups_have_their_own_means(void **state)
{
    (void)state;
    bl_rng rng = bli_rng(oracle_seed(8));
    float *phi = draw(&rng);
    uint32_t group[N];
    for (int r = 0; r < N; r++)
        group[r] = (uint32_t)(r < 10 ? r / 5 : (int)bli_rng_below(&rng, 4));
    bl_aggregates *a = aggregate(phi, group, 333, 3);
    CHECK(bli_aggregates_n_groups(a) == 4, "%zu", bli_aggregates_n_groups(a));
    for (size_t g = 0; g < 4; g++)
        for (int f = 0; f < F; f++) {
            double sum = 0, sum_abs = 0;
            uint64_t n = 0;
            for (int r = 0; r < N; r++)
                if (group[r] == g) {
                    double value = (double)phi[(r * K + 1) * LINE + f];
                    sum += value;
                    sum_abs += fabs(value);
                    n++;
                }
            bl_aggregate of = bli_aggregates_of_group(a, g, 1, (size_t)f);
            CHECK(bli_aggregates_group_rows(a, g) == n, "rows of %zu", g);
            CHECK(of.mean == sum / (double)n && of.mean_abs == sum_abs / (double)n,
                  "group %zu, feature %d", g, f);
        }
    bl_err err = {0};
    group[0] = BLI_MOST_GROUPS;
    CHECK_FAILS(bli_aggregates_add(a, phi, NULL, group, 1, 1, &err), BL_E_LIMIT, err,
                "more than 1000 different values");
    bli_aggregates_free(a);
    free(phi);
}

/* --- Of an explained matrix --------------------------------------------------------- */

typedef struct pass {
    bl_aggregates *aggregates;
    uint64_t first, n_rows;
} pass;

static bl_status take(void *cookie, const bl_batch *batch, bl_err *err)
{
    pass *p = cookie;
    CHECK(batch->first == p->n_rows && batch->row[0] == p->first + p->n_rows, "order");
    p->n_rows += batch->n_rows;
    return bli_aggregates_add(p->aggregates, batch->phi, batch->margins, NULL,
                              batch->n_rows, 2, err);
}

static bl_forest *forest_of(size_t n_features, bl_rng *rng)
{
    bl_forest *forest = oracle_forest_new(n_features, 1);
    const oracle_shape shape = {
        .n_splits = 20, .n_features = (uint32_t)n_features, .leaf_scale = 1};
    for (int t = 0; t < 6; t++)
        oracle_grow(oracle_add_tree(forest, 0, 1), &shape, rng);
    return forest;
}

static void test_means_are_the_bits_of_explain_whatever_the_parts(void **state)
{
    (void)state;
    enum { ROWS = 2000, FEATURES = 7 };
    bl_rng rng = bli_rng(oracle_seed(9));
    bl_forest *forest = forest_of(FEATURES, &rng);
    float *x = malloc(sizeof *x * ROWS * FEATURES);
    for (int r = 0; r < ROWS; r++)
        oracle_row(x + (size_t)r * FEATURES, FEATURES, 10, false, &rng);
    bl_err err = {0};
    bl_explainer *e = NULL;
    bl_attribution *whole = NULL, *mine = NULL, *part = NULL;
    CHECK_OK(bli_explainer_new(forest, 0, forest->n_rounds, &e, &err), err);
    bl_block block = {x, 0, ROWS};
    bl_matrix matrix = {
        .n_features = FEATURES, .n_rows = ROWS, .n_blocks = 1, .blocks = &block};
    const bl_explain_options all = {.n_threads = 3};
    CHECK_OK(bli_explain(e, &matrix, &all, NULL, NULL, &whole, &err), err);
    pass p = {0};
    uint64_t chunk = bli_explainer_block_rows(e), step = 3 * chunk;
    CHECK_OK(bli_aggregates_new(FEATURES, 1, chunk, &p.aggregates, &err), err);
    for (uint64_t at = 0; at < ROWS; at += step) {
        block = (bl_block){x + at * FEATURES, 0, ROWS - at < step ? ROWS - at : step};
        matrix.n_rows = block.n_rows;
        const bl_explain_options options = {.n_threads = 2, .first_row = at};
        p.first = at;
        p.n_rows = 0;
        CHECK_OK(bli_explain(e, &matrix, &options, take, &p, &part, &err), err);
        bli_attribution_free(part);
    }
    CHECK_OK(bli_aggregates_attribution(p.aggregates, bli_explainer_base_values(e), &mine,
                                        &err),
             err);
    for (size_t f = 0; f < FEATURES; f++)
        CHECK(mine->mean[f] == whole->mean[f] && mine->mean_abs[f] == whole->mean_abs[f],
              "feature %zu", f);
    CHECK(mine->mean_margins[0] == whole->mean_margins[0] &&
              mine->max_abs_margin == whole->max_abs_margin,
          "margins");
    bli_attribution_free(whole);
    bli_attribution_free(mine);
    bli_aggregates_free(p.aggregates);
    bli_explainer_free(e);
    oracle_forest_free(forest);
    free(x);
}

/* --- Walks and a background beside what they must agree with ------------------------- */

static void test_exact_margins_and_background_batches_agree(void **state)
{
    (void)state;
    enum { ROWS = 300, FEATURES = 5, BACK = 40 };
    bl_rng rng = bli_rng(oracle_seed(10));
    bl_forest *forest = forest_of(FEATURES, &rng);
    static float x[ROWS][FEATURES], back[BACK][FEATURES], phi[ROWS][FEATURES + 1],
        margins[ROWS];
    static double exact[ROWS];
    for (int r = 0; r < ROWS; r++)
        oracle_row(x[r], FEATURES, 10, true, &rng);
    for (int r = 0; r < BACK; r++)
        oracle_row(back[r], FEATURES, 10, false, &rng);
    bl_err err = {0};
    bl_background *bg = NULL;
    CHECK_OK(bli_background_new(forest, 0, forest->n_rounds, &back[0][0], BACK, NULL, 2,
                                &bg, &err),
             err);
    bli_exact_margins(forest, 0, forest->n_rounds, &x[0][0], ROWS, NULL, 2, exact);
    bli_forest_margins(forest, 0, forest->n_rounds, &x[0][0], ROWS, NULL, margins);
    CHECK_OK(bli_background_rows(bg, &x[0][0], ROWS, 1, &phi[0][0], &err), err);
    bl_block block = {&x[0][0], 0, ROWS};
    bl_matrix matrix = {
        .n_features = FEATURES, .n_rows = ROWS, .n_blocks = 1, .blocks = &block};
    pass p = {.first = 1000};
    bl_additivity found = {0};
    const bl_explain_options options = {.n_threads = 2, .first_row = 1000};
    CHECK_OK(bli_aggregates_new(FEATURES, 1, 0, &p.aggregates, &err), err);
    CHECK_OK(bli_explain_against(bg, BL_SPACE_MARGIN, &matrix, &options, take, &p, &found,
                                 &err),
             err);
    CHECK(p.n_rows == ROWS, "rows");
    CHECK(found.worst < 1e-6 * found.largest && found.worst_row >= 1000, "%g of %g",
          found.worst, found.largest);
    for (size_t f = 0; f < FEATURES; f++) {
        double sum = 0;
        for (int r = 0; r < ROWS; r++)
            sum += fabs((double)phi[r][f]);
        CHECK(fabs(sum / ROWS - bli_aggregate(p.aggregates, 0, f).mean_abs) < 1e-12,
              "feature %zu", f);
    }
    for (int r = 0; r < ROWS; r++)
        CHECK(fabs(exact[r] - (double)margins[r]) < 1e-5, "row %d", r);
    matrix.roles.n_base_margins = 1;
    CHECK_FAILS(bli_explain_against(bg, BL_SPACE_MARGIN, &matrix, &options, NULL, NULL,
                                    &found, &err),
                BL_E_ARG, err, "base margins against a background");
    matrix.roles.n_base_margins = 0;
    CHECK_FAILS(bli_explain_against(bg, BL_SPACE_LOG_LOSS, &matrix, &options, NULL, NULL,
                                    &found, &err),
                BL_E_ARG, err, "needs one label for each row");
    bli_aggregates_free(p.aggregates);
    bli_background_free(bg);
    oracle_forest_free(forest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantiles_keep_their_bound),
        cmocka_unit_test(test_histograms_count_between_their_edges),
        cmocka_unit_test(test_bits_depend_on_the_values_alone),
        cmocka_unit_test(test_groups_have_their_own_means),
        cmocka_unit_test(test_means_are_the_bits_of_explain_whatever_the_parts),
        cmocka_unit_test(test_exact_margins_and_background_batches_agree),
    };
    return cmocka_run_group_tests_name("explain aggregates", tests, NULL, NULL);
}
