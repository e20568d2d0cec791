/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel comparer: every variant of every kernel against its reference on input chosen to hurt,
 * in buffers that end where a page cannot be touched. Needs nothing but the kernels and our seeded
 * draws, so that it can be built for any processor and run under an emulator.
 */
#ifndef BL_TESTS_KERNELS_COMPARE_H
#define BL_TESTS_KERNELS_COMPARE_H

#include "base/rng.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* What the program was asked for. */
typedef struct kc_options {
    uint64_t seed;
    bool bench;
} kc_options;

/* --- One file a kernel --------------------------------------------------------------- */

void kc_lanes(const kc_options *options);
void kc_rows(const kc_options *options);
void kc_interactions(const kc_options *options);
void kc_background(const kc_options *options);

/* --- Verdicts ------------------------------------------------------------------------ */

/* Begins a claim: "ok - name" is printed when the next one begins, or "not ok - name" where a
 * check failed in between. */
void kc_claim(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A variant that cannot run here. */
void kc_skip(const char *name, const char *reason);
/* Prints the last verdict; the number of claims that failed. */
int kc_end(void);

void kc_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#define KC(condition, ...)                                                               \
    do {                                                                                 \
        if (!(condition))                                                                \
            kc_fail(__FILE__, __LINE__, __VA_ARGS__);                                    \
    } while (0)

/* --- Memory -------------------------------------------------------------------------- */

/* `bytes` bytes that end at a page which must not be touched, but for what `align` (a power of
 * two) needs; another such page lies before them. Filled with 0xff: NaN to whoever reads what
 * was not written. */
typedef struct kc_guard {
    char *map;
    size_t map_bytes;
    void *at;
} kc_guard;
kc_guard kc_guarded(size_t bytes, size_t align);
void kc_guard_free(kc_guard *guard);

/* --- Draws --------------------------------------------------------------------------- */

/* Zeros, denormals, huge and tiny numbers among usual ones; finite. */
float kc_odd_float(bl_rng *rng);
/* The same up to 1: for variants that are bound, where huge numbers that cancel leave nothing to
 * compare. */
float kc_small_float(bl_rng *rng);
/* A cell of a row: these and infinities; NaN in `missing` percent. */
float kc_cell(bl_rng *rng, unsigned missing);
/* A share of cover of two children with covers from 1e-12 to 1e9. */
double kc_share(bl_rng *rng);

/* --- Time ---------------------------------------------------------------------------- */

double kc_seconds(void); /* processor time of this process */
/* One line of --bench: nanoseconds each of `n` things in `seconds`. */
void kc_timed(const char *kernel, const char *variant, double seconds, double n,
              const char *thing);

#endif
