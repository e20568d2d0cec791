/* SPDX-License-Identifier: Apache-2.0 */
/* Interactions, backgrounds, aggregates and walks as a user of the library has them, beside
 * XGBoost's own numbers and the definitions. */
#include "trained.h"

#include <stdlib.h>

enum { SIDE = N_FEATURES + 1, N_BACKGROUND = 9, N_FEW = 12 };

static bl_model *model;
static float phi[N_ROWS][SIDE];

static int start(void **state)
{
    bl_err err = {0};
    if (train(state) != 0)
        return -1;
    model = load();
    CHECK_OK(bl_contribs(model, &rows[0][0], N_ROWS, N_FEATURES, &phi[0][0],
                         (size_t)N_ROWS * SIDE, &err),
             err);
    return 0;
}

static int stop(void **state)
{
    bl_model_free(model);
    return forget(state);
}

static double apart(const float *got, const float *want, size_t n)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++)
        worst = fmax(worst, fabs((double)got[i] - (double)want[i]));
    return worst;
}

/* --- Walks -------------------------------------------------------------------------- */

static void test_approximate_contributions_are_xgboosts(void **state)
{
    (void)state;
    static float got[N_ROWS][SIDE];
    bl_err err = {0};
    bst_ulong n;
    const float *want = xgboost_predicts(3, &n);
    CHECK(n == N_ROWS * SIDE, "%d", (int)n);
    CHECK_OK(
        bl_approx_contribs(model, &rows[0][0], N_ROWS, N_FEATURES, &got[0][0], n, &err),
        err);
    CHECK(apart(&got[0][0], want, n) < 1e-5, "%g", apart(&got[0][0], want, n));
    CHECK(apart(&got[0][0], &phi[0][0], n) > 1e-3, "they are not SHAP values");
}

static void test_leaves_are_xgboosts(void **state)
{
    (void)state;
    bl_err err = {0};
    bst_ulong n;
    const float *want = xgboost_predicts(6, &n);
    CHECK(n == N_ROWS * bl_model_n_trees(model), "%d", (int)n);
    uint32_t *got = malloc(n * sizeof *got);
    CHECK_OK(bl_leaves(model, &rows[0][0], N_ROWS, N_FEATURES, got, n, &err), err);
    for (bst_ulong i = 0; i < n; i++)
        CHECK(got[i] == (uint32_t)want[i], "%d: node %u, XGBoost's %g", (int)i, got[i],
              (double)want[i]);
    free(got);
}

/* --- Interactions ------------------------------------------------------------------- */

static bl_interactions *interactions(void)
{
    bl_interactions *it = NULL;
    bl_err err = {0};
    CHECK_OK(bl_interactions_new(model, &it, &err), err);
    return it;
}

static void test_interactions_are_xgboosts(void **state)
{
    (void)state;
    static float got[N_ROWS][SIDE][SIDE];
    bl_interactions *it = interactions();
    bl_err err = {0};
    bst_ulong n;
    const float *want = xgboost_predicts(4, &n);
    CHECK(n == N_ROWS * SIDE * SIDE, "%d", (int)n);
    CHECK_OK(
        bl_interactions_rows(it, &rows[0][0], N_ROWS, N_FEATURES, &got[0][0][0], n, &err),
        err);
    CHECK(apart(&got[0][0][0], want, n) < 1e-5, "%g", apart(&got[0][0][0], want, n));
    for (int r = 0; r < N_ROWS; r++)
        for (int i = 0; i < SIDE; i++) {
            double sum = 0;
            for (int j = 0; j < SIDE; j++)
                sum += (double)got[r][i][j];
            CHECK(fabs(sum - (double)phi[r][i]) < 2e-6, "row %d, feature %d: %g", r, i,
                  sum - (double)phi[r][i]);
        }
    bl_interactions_free(it);
}

static void test_top_pairs_and_strengths_are_those_of_the_matrix(void **state)
{
    (void)state;
    static float matrix[N_ROWS][SIDE][SIDE];
    enum { N_TOP = 20 };
    static bl_top_pair top[N_ROWS][N_TOP];
    bl_interactions *it = interactions();
    bl_err err = {0};
    size_t n = bl_interactions_n_pairs(it);
    CHECK(n >= 3 && n <= 10, "%zu pairs", n);
    CHECK_OK(bl_interactions_rows(it, &rows[0][0], N_ROWS, N_FEATURES, &matrix[0][0][0],
                                  sizeof matrix / sizeof(float), &err),
             err);
    CHECK_OK(bl_interactions_top(it, &rows[0][0], N_ROWS, N_FEATURES, N_TOP, &top[0][0],
                                 (size_t)N_ROWS * N_TOP, &err),
             err);
    for (int r = 0; r < N_ROWS; r++)
        for (size_t k = 0; k < N_TOP; k++) {
            const bl_top_pair *pair = &top[r][k];
            if (k >= n) {
                CHECK(pair->first == UINT32_MAX && pair->value == 0, "row %d: %zu", r, k);
                continue;
            }
            CHECK(pair->first < pair->second, "row %d", r);
            CHECK(pair->value == matrix[r][pair->first][pair->second], "row %d", r);
            CHECK(k == 0 || fabsf(pair->value) <= fabsf(pair[-1].value), "row %d", r);
        }
    bl_strength strengths[10];
    CHECK_OK(bl_interactions_strengths(it, &rows[0][0], N_ROWS, N_FEATURES, strengths, n,
                                       &err),
             err);
    for (size_t p = 0; p < n; p++) {
        double sum = 0, sum_abs = 0;
        for (int r = 0; r < N_ROWS; r++) {
            double value = (double)matrix[r][strengths[p].first][strengths[p].second];
            sum += value;
            sum_abs += fabs(value);
        }
        CHECK(fabs(sum_abs / N_ROWS - strengths[p].mean_abs) < 1e-7 &&
                  fabs(sum / N_ROWS - strengths[p].mean) < 1e-7,
              "pair %zu", p);
    }
    bl_interactions_free(it);
}

/* --- Against a background ----------------------------------------------------------- */

static bl_background *background(void)
{
    bl_background *bg = NULL;
    bl_err err = {0};
    CHECK_OK(bl_background_new(model, &rows[N_ROWS - N_BACKGROUND][0], N_BACKGROUND,
                               N_FEATURES, &bg, &err),
             err);
    return bg;
}

/* Mean margin of the background with the row's features of the coalition. */
static double value_of(const float *row, unsigned coalition)
{
    float mixed[N_BACKGROUND][N_FEATURES], margin[N_BACKGROUND];
    double sum = 0;
    bl_err err = {0};
    for (int b = 0; b < N_BACKGROUND; b++)
        for (int f = 0; f < N_FEATURES; f++)
            mixed[b][f] =
                coalition >> f & 1 ? row[f] : rows[N_ROWS - N_BACKGROUND + b][f];
    CHECK_OK(bl_predict(model, &mixed[0][0], N_BACKGROUND, N_FEATURES, BL_PREDICT_MARGIN,
                        margin, N_BACKGROUND, &err),
             err);
    for (int b = 0; b < N_BACKGROUND; b++)
        sum += (double)margin[b];
    return sum / N_BACKGROUND;
}

static void shapley(const float *row, double *out)
{
    static const double factorial[] = {1, 1, 2, 6, 24, 120};
    for (int f = 0; f < N_FEATURES; f++) {
        out[f] = 0;
        for (unsigned s = 0; s < 1U << N_FEATURES; s++) {
            if (s >> f & 1)
                continue;
            int size = __builtin_popcount(s);
            double weight = factorial[size] * factorial[N_FEATURES - size - 1] /
                            factorial[N_FEATURES];
            out[f] += weight * (value_of(row, s | 1U << f) - value_of(row, s));
        }
    }
    out[N_FEATURES] = value_of(row, 0);
}

static void test_background_values_are_shapleys(void **state)
{
    (void)state;
    float got[N_FEW][SIDE];
    double want[SIDE], base;
    bl_background *bg = background();
    bl_err err = {0};
    CHECK_OK(bl_background_contribs(bg, BL_SPACE_MARGIN, &rows[0][0], NULL, N_FEW,
                                    N_FEATURES, &got[0][0], (size_t)N_FEW * SIDE, &err),
             err);
    CHECK_OK(bl_background_base_values(bg, &base, 1, &err), err);
    for (int r = 0; r < N_FEW; r++) {
        shapley(rows[r], want);
        for (int f = 0; f < SIDE; f++)
            CHECK(fabs((double)got[r][f] - want[f]) < 2e-6, "row %d, %d: %g, not %g", r,
                  f, (double)got[r][f], want[f]);
    }
    CHECK(fabs(base - want[N_FEATURES]) < 1e-6, "%g", base);
    bl_background_free(bg);
}

static void test_other_spaces_add_up_to_probability_and_loss(void **state)
{
    (void)state;
    float got[N_FEW][SIDE], p[N_FEW];
    bl_background *bg = background();
    bl_err err = {0};
    CHECK_OK(bl_predict(model, &rows[0][0], N_FEW, N_FEATURES, BL_PREDICT_PREDICTION, p,
                        N_FEW, &err),
             err);
    for (int loss = 0; loss < 2; loss++) {
        CHECK_OK(
            bl_background_contribs(bg, loss ? BL_SPACE_LOG_LOSS : BL_SPACE_PROBABILITY,
                                   &rows[0][0], loss ? labels : NULL, N_FEW, N_FEATURES,
                                   &got[0][0], (size_t)N_FEW * SIDE, &err),
            err);
        for (int r = 0; r < N_FEW; r++) {
            double want = (double)p[r], sum = 0;
            if (loss)
                want = -log(labels[r] > 0 ? want : 1 - want);
            for (int f = 0; f < SIDE; f++)
                sum += (double)got[r][f];
            CHECK(fabs(sum - want) < 2e-6, "row %d: %g, not %g", r, sum, want);
        }
    }
    bl_background_free(bg);
}

/* --- Aggregates --------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void check_quantiles(const bl_aggregates *a, int feature, const double *sorted)
{
    static const double shares[] = {0, 0.01, 0.25, 0.5, 0.9, 1};
    double accuracy = bl_aggregates_accuracy(a), out[N_FEATURES];
    double largest = fmax(fabs(sorted[0]), fabs(sorted[N_ROWS - 1]));
    bl_err err = {0};
    CHECK(accuracy <= 1.0 / 128, "%g", accuracy);
    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
        int rank = (int)ceil(shares[i] * N_ROWS - 1e-9);
        double want = sorted[rank ? rank - 1 : 0];
        double bound = fmax(accuracy * fabs(want), ldexp(largest, -19));
        CHECK_OK(bl_aggregates_quantile(a, shares[i], out, N_FEATURES, &err), err);
        CHECK(fabs(out[feature] - want) <= (shares[i] == 0 || shares[i] == 1 ? 0 : bound),
              "feature %d, %g: %g, not %g", feature, shares[i], out[feature], want);
    }
}

static void test_aggregates_are_means_and_quantiles(void **state)
{
    (void)state;
    bl_aggregates *a = NULL;
    bl_err err = {0};
    double mean[N_FEATURES], mean_abs[N_FEATURES];
    CHECK_OK(bl_aggregates_new(model, &a, &err), err);
    for (size_t from = 0, n; from < N_ROWS; from += n) {
        n = from == 0 ? 1 : from < 200 ? 77 : N_ROWS - from;
        CHECK_OK(bl_aggregates_add(a, phi[from], n, n * SIDE, &err), err);
    }
    CHECK(bl_aggregates_n_rows(a) == N_ROWS, "rows");
    CHECK_OK(bl_aggregates_mean(a, mean, N_FEATURES, &err), err);
    CHECK_OK(bl_aggregates_mean_abs(a, mean_abs, N_FEATURES, &err), err);
    for (int f = 0; f < N_FEATURES; f++) {
        double sorted[N_ROWS], sum = 0, sum_abs = 0;
        for (int r = 0; r < N_ROWS; r++) {
            sorted[r] = (double)phi[r][f];
            sum += sorted[r];
            sum_abs += fabs(sorted[r]);
        }
        CHECK(fabs(sum / N_ROWS - mean[f]) < 1e-12 &&
                  fabs(sum_abs / N_ROWS - mean_abs[f]) < 1e-12,
              "feature %d", f);
        qsort(sorted, N_ROWS, sizeof *sorted, by_value);
        check_quantiles(a, f, sorted);
    }
    bl_aggregates_free(a);
}

/* --- Wrong calls -------------------------------------------------------------------- */

static void test_wrong_calls_get_a_sentence(void **state)
{
    (void)state;
    float out[200];
    double numbers[N_FEATURES];
    uint32_t leaves[20];
    bl_err err = {0};
    bl_interactions *it = interactions(), *no_it = NULL;
    bl_background *bg = background(), *no_bg = NULL;
    bl_aggregates *a = NULL;
    const float *x = &rows[0][0];
    CHECK_OK(bl_aggregates_new(model, &a, &err), err);
    CHECK_FAILS(bl_interactions_rows(it, x, 1, 4, out, 36, &err), BL_E_SHAPE, err,
                "rows of 4 features, the model has 5");
    CHECK_FAILS(bl_interactions_rows(it, x, 1, 5, out, 35, &err), BL_E_SHAPE, err,
                "room for 35 floats, 1 x 6 x 6");
    CHECK_FAILS(bl_interactions_rows(it, x, SIZE_MAX / 2, 5, out, 36, &err), BL_E_SHAPE,
                err, "room for 36 floats");
    CHECK_FAILS(
        bl_interactions_top(it, NULL, 1, 5, 2, (bl_top_pair *)(void *)out, 2, &err),
        BL_E_ARG, err, "NULL");
    CHECK_FAILS(
        bl_interactions_strengths(it, x, 0, 5, (bl_strength *)(void *)out, 1, &err),
        BL_E_ARG, err, "no rows");
    CHECK_FAILS(bl_interactions_new(NULL, &no_it, &err), BL_E_ARG, err, "NULL");
    CHECK_FAILS(bl_background_new(model, x, 0, 5, &no_bg, &err), BL_E_ARG, err,
                "no rows");
    CHECK_FAILS(bl_background_new(model, x, 1, 6, &no_bg, &err), BL_E_SHAPE, err,
                "rows of 6 features");
    CHECK_FAILS(
        bl_background_contribs(bg, BL_SPACE_LOG_LOSS, x, NULL, 1, 5, out, 6, &err),
        BL_E_ARG, err, "labels are needed");
    CHECK_FAILS(
        bl_background_contribs(bg, BL_SPACE_MARGIN, x, labels, 1, 5, out, 6, &err),
        BL_E_ARG, err, "give NULL");
    CHECK_FAILS(bl_background_contribs(bg, (bl_space)7, x, NULL, 1, 5, out, 6, &err),
                BL_E_ARG, err, "7 is no bl_space");
    CHECK_FAILS(bl_background_base_values(bg, numbers, 2, &err), BL_E_SHAPE, err,
                "room for 2 numbers");
    CHECK_FAILS(bl_aggregates_add(a, out, 2, 6, &err), BL_E_SHAPE, err, "2 x 1 x 6");
    CHECK_FAILS(bl_aggregates_quantile(a, 1.5, numbers, 5, &err), BL_E_ARG, err,
                "from 0 to 1");
    CHECK_FAILS(bl_approx_contribs(model, x, 1, 5, out, 5, &err), BL_E_SHAPE, err,
                "room for 5 floats");
    CHECK_FAILS(bl_leaves(model, x, 2, 5, leaves, 20, &err), BL_E_SHAPE, err,
                "2 x 20 x 1");
    CHECK(!no_it && !no_bg, "output written");
    CHECK_OK(bl_aggregates_quantile(a, 0.5, numbers, 5, &err), err);
    CHECK(isnan(numbers[0]), "no rows have no median");
    bl_interactions_free(it);
    bl_background_free(bg);
    bl_aggregates_free(a);
    bl_interactions_free(NULL);
    bl_background_free(NULL);
    bl_aggregates_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_approximate_contributions_are_xgboosts),
        cmocka_unit_test(test_leaves_are_xgboosts),
        cmocka_unit_test(test_interactions_are_xgboosts),
        cmocka_unit_test(test_top_pairs_and_strengths_are_those_of_the_matrix),
        cmocka_unit_test(test_background_values_are_shapleys),
        cmocka_unit_test(test_other_spaces_add_up_to_probability_and_loss),
        cmocka_unit_test(test_aggregates_are_means_and_quantiles),
        cmocka_unit_test(test_wrong_calls_get_a_sentence),
    };
    return cmocka_run_group_tests_name("api shap", tests, start, stop);
}
