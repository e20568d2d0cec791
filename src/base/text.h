/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers and text, whatever the locale of the process: reading bit-identical to strtof and
 * strtod of the C locale, writing the shortest text that reads back equal.
 */
#ifndef BL_BASE_TEXT_H
#define BL_BASE_TEXT_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* What a cell of text is as a number: decimal with optional sign, fraction and exponent. */
typedef enum bl_number {
    BL_NUMBER_OK,
    BL_NUMBER_NONE, /* no number, or something after it: hex, suffix, grouping, "nan" */
    BL_NUMBER_INFINITE /* "inf"/"infinity" in any case and sign, or larger than the type holds */
} bl_number;

/* Reads all n bytes at text, no blanks around. ret is written on OK and INFINITE. */
bl_number bli_read_float(const char *text, size_t n, float *ret);
bl_number bli_read_double(const char *text, size_t n, double *ret);

/* Reads a whole decimal integer with optional sign; false where it is none or does not fit. */
bool bli_read_int(const char *text, size_t n, int64_t *ret);

/* Shortest decimal text that reads back to the same bits; "nan", "inf", "-inf". Python's repr
 * form for doubles (1e+16 and 1e-05 are where the exponent begins; "1.0"). The float form is
 * the same with float32's digits. out holds at least BL_NUMBER_BYTES; returns the length. */
#define BL_NUMBER_BYTES 40
size_t bli_write_float(float value, char *out);
size_t bli_write_double(double value, char *out);

/* Case-blind comparison of ASCII letters. */
bool bli_text_equal_nocase(const char *a, const char *b);

/* The candidate nearest to `text` by edit distance, or NULL where none is near enough to be
 * meant (distance over 1/3 of the length, at least 2 allowed); '-' counts as '_'. */
const char *bli_nearest(const char *text, const char *const *candidates, size_t n);

/* Copies text into out for a message: printable, at most max bytes, "..." where cut. */
const char *bli_quote(const char *text, size_t n, char *out, size_t max);

#endif
