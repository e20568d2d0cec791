/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "kernels/kernels.h"

/* The integral of t^degree over [0, 1] is 1 / (degree + 1). */
static double worst_moment(size_t n, const double *t, const double *w, double w0,
                           size_t degree)
{
    double worst = 0;
    for (size_t d = 0; d <= degree; d++) {
        long double sum = d == 0 ? (long double)w0 : 0;
        for (size_t i = 0; i < n; i++)
            sum += (long double)w[i] * powl((long double)t[i], (long double)d);
        worst = fmax(worst, (double)fabsl(sum - 1.0L / (long double)(d + 1)));
    }
    return worst;
}

static void check_points(const char *rule, size_t n, const double *t, const double *w,
                         double low)
{
    for (size_t i = 0; i < n; i++) {
        CHECK(t[i] > low && t[i] < 1 && w[i] > 0, "%s %zu: point %zu at %g weighs %g",
              rule, n, i, t[i], w[i]);
        low = t[i];
    }
}

static void test_rules_are_exact_to_their_degree(void **state)
{
    (void)state;
    static double t[400], w[400];
    for (size_t n = 1; n <= 400; n += n < 40 ? 1 : 37) {
        blk_gauss_legendre(n, t, w);
        check_points("Legendre", n, t, w, 0);
        double error = worst_moment(n, t, w, 0, 2 * n - 1);
        CHECK(error < 4e-16, "Legendre, %zu points: %g", n, error);
        double w0 = blk_gauss_radau(n, t, w);
        check_points("Radau", n, t, w, 0);
        error = worst_moment(n, t, w, w0, 2 * n);
        CHECK(error < 4e-16, "Radau, %zu points: %g", n, error);
    }
}

static void test_known_rules(void **state)
{
    (void)state;
    double t[2], w[2];
    blk_gauss_legendre(1, t, w);
    assert_true(t[0] == 0.5 && w[0] == 1);
    blk_gauss_legendre(2, t, w);
    CHECK(fabs(t[0] - (0.5 - sqrt(1.0 / 12))) < 1e-16 && w[0] == 0.5 && w[1] == 0.5,
          "%.17g %.17g", t[0], w[0]);
    assert_true(blk_gauss_radau(0, t, w) == 1);
    double w0 = blk_gauss_radau(1, t, w);
    CHECK(w0 == 0.25 && fabs(t[0] - 2.0 / 3) < 2e-16 && fabs(w[0] - 0.75) < 2e-16,
          "%g %.17g %.17g", w0, t[0], w[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules_are_exact_to_their_degree),
        cmocka_unit_test(test_known_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
