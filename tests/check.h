/* SPDX-License-Identifier: Apache-2.0 */
/* cmocka, with a check that says what it saw. Include this first in every test program.
 */
#ifndef BL_TESTS_CHECK_H
#define BL_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

/* CHECK(n == 3, "n is %d", n) fails the test with the text and the place. */
#define CHECK(condition, ...)                                                            \
    do {                                                                                 \
        if (!(condition)) {                                                              \
            print_error("%s:%d: %s: ", __FILE__, __LINE__, #condition);                  \
            print_error(__VA_ARGS__);                                                    \
            print_error("\n");                                                           \
            fail();                                                                      \
        }                                                                                \
    } while (0)

/* The status is BL_OK, else the message of err is shown. */
#define CHECK_OK(status, err) CHECK((status) == BL_OK, "%s", (err).msg)

/* The status is `want` and the message contains `says`. */
#define CHECK_FAILS(status, want, err, says)                                             \
    CHECK((status) == (want) && strstr((err).msg, (says)), "status %d (%s)",             \
          (int)(status), (err).msg)

/* A test that cannot run here: prints why and counts as skipped. */
#define SKIP(reason)                                                                     \
    do {                                                                                 \
        print_message("skipped: %s\n", (reason));                                        \
        skip();                                                                          \
    } while (0)

static inline double relative_error(double got, double want)
{
    double scale = fabs(want);
    return scale > 0 ? fabs(got - want) / scale : fabs(got);
}

#endif
