/* SPDX-License-Identifier: Apache-2.0 */
/* Points and weights on [0, 1], by Newton's method on the Legendre recurrence. */
#include "kernels/kernels.h"

#include <math.h>

static const long double pi = 3.141592653589793238462643383279502884L;

/* Legendre polynomials P_n(x) and P_(n-1)(x); n >= 1. */
static long double legendre(size_t n, long double x, long double *ret_previous)
{
    long double before = 1, now = x;
    for (size_t k = 2; k <= n; k++) {
        long double kk = (long double)k;
        long double next = ((2 * kk - 1) * x * now - (kk - 1) * before) / kk;
        before = now;
        now = next;
    }
    *ret_previous = before;
    return now;
}

/* P_n'(x) for |x| < 1. */
static long double legendre_slope(size_t n, long double x, long double now,
                                  long double before)
{
    return (long double)n * (x * now - before) / (x * x - 1);
}

/* Newton's steps double the digits; from these starting points three or four are enough,
 * and a step that no longer shrinks is rounding. */
#define MAX_NEWTON 50

void blk_gauss_legendre(size_t n, double *t, double *w)
{
    for (size_t i = 0; i < n; i++) {
        /* Tricomi's first term: within O(n^-2) of the i-th largest root. */
        long double x = cosl(pi * ((long double)i + 0.75L) / ((long double)n + 0.5L));
        long double before, now, slope, last = 1;
        for (int step = 0; step < MAX_NEWTON; step++) {
            now = legendre(n, x, &before);
            long double dx = now / legendre_slope(n, x, now, before);
            if (fabsl(dx) >= last)
                break;
            last = fabsl(dx);
            x -= dx;
        }
        now = legendre(n, x, &before);
        slope = legendre_slope(n, x, now, before);
        t[n - 1 - i] = (double)((1 + x) / 2);
        w[n - 1 - i] = (double)(1 / ((1 - x * x) * slope * slope));
    }
}

/* With m = n + 1 points, -1 among them, the others are the roots of (P_(m-1) + P_m) / (1
 * + x), with weights (1 - x) / (m P_(m-1)(x))^2; the fixed point weighs 2 / m^2. All
 * halved here, for an interval of length 1. (Hildebrand, Introduction to Numerical
 * Analysis, 8.11.) */
double blk_gauss_radau(size_t n, double *t, double *w)
{
    size_t m = n + 1;
    long double mm = (long double)m;
    for (size_t i = 0; i < n; i++) {
        /* The roots are those of a Jacobi polynomial (0, 1): its asymptotic first term.
         */
        long double x = cosl(pi * ((long double)i + 0.75L) / mm);
        long double before, last = 1;
        for (int step = 0; step < MAX_NEWTON; step++) {
            long double now = legendre(m, x, &before), older;
            long double slope = legendre_slope(m, x, now, before);
            legendre(m - 1, x, &older);
            slope += m == 1 ? 0 : legendre_slope(m - 1, x, before, older);
            long double q = (now + before) / (1 + x);
            long double dx = q / ((slope - q) / (1 + x));
            if (fabsl(dx) >= last)
                break;
            last = fabsl(dx);
            x -= dx;
        }
        legendre(m, x, &before);
        t[n - 1 - i] = (double)((1 + x) / 2);
        w[n - 1 - i] = (double)((1 - x) / (2 * mm * mm * before * before));
    }
    return (double)(1 / (mm * mm));
}
