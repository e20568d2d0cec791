/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading: up to 19 significant digits are gathered into a 64-bit integer; where that
 * integer is at most 2^53 and the power of ten within 10^22, one double multiplication or
 * division is correctly rounded (Clinger 1990). Narrowing to float32 then rounds a second
 * time, which is wrong only where the double lies exactly between two float32 values:
 * that case, and all others, go to strtof / strtod of the C locale.
 */
#include "base/text.h"

#include "base/mem.h"

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const double powers[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* A decimal taken apart: value = +-digits * 10^exponent, exact where !cut. */
typedef struct decimal {
    uint64_t digits;
    int exponent;
    bool negative;
    bool cut; /* more digits than the integer holds, or a wild exponent */
} decimal;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* One run of digits: the first 19 significant ones go into d->digits. */
static const char *take_digits(const char *at, const char *end, decimal *d,
                               int *significant, bool fraction)
{
    for (; at < end && is_digit(*at); at++) {
        if (*significant == 19) {
            d->cut = true;
            continue;
        }
        d->digits = d->digits * 10 + (uint64_t)(*at - '0');
        if (d->digits)
            ++*significant;
        if (fraction)
            d->exponent--;
    }
    return at;
}

static const char *take_exponent(const char *at, const char *end, decimal *d)
{
    bool negative = false;
    int value = 0;
    if (at < end && (*at == '+' || *at == '-'))
        negative = *at++ == '-';
    if (at == end || !is_digit(*at))
        return NULL;
    for (; at < end && is_digit(*at); at++)
        if (value < 100000)
            value = value * 10 + (*at - '0');
    d->exponent += negative ? -value : value;
    return at;
}

/* false where the text is no decimal number. */
static bool take_apart(const char *text, size_t n, decimal *ret)
{
    const char *at = text, *end = text + n;
    decimal d = {0};
    int significant = 0;
    if (at < end && (*at == '+' || *at == '-'))
        d.negative = *at++ == '-';
    const char *whole = at;
    at = take_digits(at, end, &d, &significant, false);
    bool any = at > whole;
    if (at < end && *at == '.') {
        const char *fraction = ++at;
        at = take_digits(at, end, &d, &significant, true);
        any |= at > fraction;
    }
    if (!any)
        return false;
    if (at < end && (*at == 'e' || *at == 'E'))
        at = take_exponent(at + 1, end, &d);
    if (at != end)
        return false;
    *ret = d;
    return true;
}

/* true where one correctly rounded operation gives the double. */
static bool exact_double(const decimal *d, double *ret)
{
    if (d->cut || d->digits > (UINT64_C(1) << 53) || d->exponent < -22 ||
        d->exponent > 22)
        return false;
    double value = (double)d->digits;
    value = d->exponent < 0 ? value / powers[-d->exponent] : value * powers[d->exponent];
    *ret = d->negative ? -value : value;
    return true;
}

static bool is_infinity(const char *text, size_t n)
{
    if (n && (*text == '+' || *text == '-'))
        text++, n--;
    return (n == 3 && strncasecmp(text, "inf", 3) == 0) ||
           (n == 8 && strncasecmp(text, "infinity", 8) == 0);
}

static locale_t c_locale;
static pthread_once_t c_locale_once = PTHREAD_ONCE_INIT;

static void make_c_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* A NUL-ended copy for strtof and strtod: on the stack where it fits. */
static double slow_number(const char *text, size_t n, bool narrow)
{
    char small[256];
    char *copy = n < sizeof small ? small : malloc(n + 1);
    if (!copy)
        return (double)NAN; /* no decimal is: the callers refuse it */
    memcpy(copy, text, n);
    copy[n] = '\0';
    pthread_once(&c_locale_once, make_c_locale);
    double value =
        narrow ? (double)strtof_l(copy, NULL, c_locale) : strtod_l(copy, NULL, c_locale);
    if (copy != small)
        free(copy);
    return value;
}

bl_number bli_read_double(const char *text, size_t n, double *ret)
{
    decimal d;
    if (!take_apart(text, n, &d)) {
        if (!is_infinity(text, n))
            return BL_NUMBER_NONE;
        *ret = *text == '-' ? -HUGE_VAL : HUGE_VAL;
        return BL_NUMBER_INFINITE;
    }
    if (!exact_double(&d, ret))
        *ret = slow_number(text, n, false);
    if (isnan(*ret))
        return BL_NUMBER_NONE;
    return isinf(*ret) ? BL_NUMBER_INFINITE : BL_NUMBER_OK;
}

bl_number bli_read_float(const char *text, size_t n, float *ret)
{
    decimal d;
    if (!take_apart(text, n, &d)) {
        if (!is_infinity(text, n))
            return BL_NUMBER_NONE;
        *ret = *text == '-' ? -HUGE_VALF : HUGE_VALF;
        return BL_NUMBER_INFINITE;
    }
    double value;
    bool exact = exact_double(&d, &value);
    if (exact) {
        uint64_t bits;
        memcpy(&bits, &value, sizeof bits);
        /* Halfway between two normal float32 values, or among the subnormal ones, whose
         * halfway points lie elsewhere. */
        bool doubtful = (bits & 0x1fffffff) == 0x10000000;
        double size = fabs(value);
        if (doubtful || (size < 0x1p-126 && size > 0))
            exact = false;
    }
    *ret = (float)(exact ? value : slow_number(text, n, true));
    if (isnan(*ret))
        return BL_NUMBER_NONE;
    return isinf(*ret) ? BL_NUMBER_INFINITE : BL_NUMBER_OK;
}

bool bli_read_int(const char *text, size_t n, int64_t *ret)
{
    size_t at = 0;
    bool negative = false;
    if (n && (text[0] == '+' || text[0] == '-'))
        negative = text[at++] == '-';
    if (at == n)
        return false;
    int64_t value = 0;
    for (; at < n; at++) {
        if (!is_digit(text[at]) || __builtin_mul_overflow(value, (int64_t)10, &value))
            return false;
        int64_t digit = text[at] - '0';
        if (negative ? __builtin_sub_overflow(value, digit, &value)
                     : __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *ret = value;
    return true;
}

/* Digits and exponent of the shortest %e text that reads back to the same value. */
static size_t lay_out(const char *scientific, char *out);

static bool reads_back(const char *text, double value, bool narrow)
{
    double again = slow_number(text, strlen(text), narrow);
    return memcmp(&again, &value, sizeof value) == 0;
}

/* snprintf prints the decimal point of the process's locale. */
static void print_scientific(char *text, size_t n, int precision, double value)
{
    pthread_once(&c_locale_once, make_c_locale);
    locale_t before = uselocale(c_locale);
    snprintf(text, n, "%.*e", precision, value);
    uselocale(before);
}

static size_t write_number(double value, bool narrow, char *out)
{
    const char *special = isnan(value) ? "nan" : value < 0 ? "-inf" : "inf";
    if (!isfinite(value)) {
        size_t n = strlen(special);
        memcpy(out, special, n + 1);
        return n;
    }
    char text[64];
    int max = narrow ? 8 : 16;
    /* 15 (6) digits of a normal number always survive, so no shorter text is missed once
     * trailing zeros go; subnormal ones hold fewer. */
    bool normal = value == 0 || fabs(value) >= (narrow ? 0x1p-126 : 0x1p-1022);
    int precision = !normal ? 0 : narrow ? 5 : 14;
    print_scientific(text, sizeof text, precision, value);
    while (precision < max && !reads_back(text, value, narrow))
        print_scientific(text, sizeof text, ++precision, value);
    return lay_out(text, out);
}

/* "-1.2300e+05" -> "-123000.0": trailing zeros go, and the point moves as Python's repr
 * does. */
static size_t lay_out(const char *scientific, char *out)
{
    char digits[32];
    int n = 0;
    char *o = out;
    const char *s = scientific;
    if (*s == '-')
        *o++ = *s++;
    for (; *s && *s != 'e'; s++)
        if (*s != '.')
            digits[n++] = *s;
    int exponent = *s ? atoi(s + 1) : 0;
    while (n > 1 && digits[n - 1] == '0')
        n--;
    if (exponent < -4 || exponent >= 16) {
        *o++ = digits[0];
        if (n > 1)
            *o++ = '.';
        for (int i = 1; i < n; i++)
            *o++ = digits[i];
        o += sprintf(o, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
        return (size_t)(o - out);
    }
    int at =
        exponent < 0 ? exponent : 0; /* place of a digit; 0 stands before the point */
    if (exponent < 0) {
        *o++ = '0';
        *o++ = '.';
        for (int i = -1; i > at; i--)
            *o++ = '0';
        for (int i = 0; i < n; i++)
            *o++ = digits[i];
    } else {
        for (int i = 0; i < n || i <= exponent; i++) {
            if (i == exponent + 1)
                *o++ = '.';
            *o++ = i < n ? digits[i] : '0';
        }
        if (n <= exponent + 1) {
            *o++ = '.';
            *o++ = '0';
        }
    }
    *o = '\0';
    return (size_t)(o - out);
}

size_t bli_write_float(float value, char *out)
{
    return write_number((double)value, true, out);
}

size_t bli_write_double(double value, char *out)
{
    return write_number(value, false, out);
}

bool bli_text_equal_nocase(const char *a, const char *b)
{
    for (;; a++, b++) {
        char x = *a >= 'A' && *a <= 'Z' ? (char)(*a - 'A' + 'a') : *a;
        char y = *b >= 'A' && *b <= 'Z' ? (char)(*b - 'A' + 'a') : *b;
        if (x != y)
            return false;
        if (!x)
            return true;
    }
}

static char folded(char c)
{
    if (c == '-')
        return '_';
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

#define NEAREST_MAX 64 /* longer names are not typing errors of anything we know */

static size_t edit_distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
    size_t row[NEAREST_MAX + 1];
    for (size_t j = 0; j <= n_b; j++)
        row[j] = j;
    for (size_t i = 1; i <= n_a; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n_b; j++) {
            size_t change = diagonal + (folded(a[i - 1]) != folded(b[j - 1]));
            diagonal = row[j];
            size_t best = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            row[j] = change < best ? change : best;
        }
    }
    return row[n_b];
}

const char *bli_nearest(const char *text, const char *const *candidates, size_t n)
{
    size_t n_text = strlen(text);
    if (n_text > NEAREST_MAX)
        return NULL;
    const char *best = NULL;
    size_t best_distance = n_text / 3 > 2 ? n_text / 3 : 2;
    best_distance++;
    for (size_t i = 0; i < n; i++) {
        size_t n_candidate = strlen(candidates[i]);
        if (n_candidate > NEAREST_MAX)
            continue;
        size_t distance = edit_distance(text, n_text, candidates[i], n_candidate);
        if (distance < best_distance && distance < n_candidate) {
            best = candidates[i];
            best_distance = distance;
        }
    }
    return best;
}

const char *bli_quote(const char *text, size_t n, char *out, size_t max)
{
    size_t room = max - 1, o = 0;
    bool cut = n > room;
    size_t take = cut && room >= 3 ? room - 3 : cut ? room : n;
    for (; o < take; o++) {
        unsigned char c = (unsigned char)text[o];
        out[o] = c < 0x20 || c == 0x7f ? '?' : (char)c;
    }
    if (cut && room >= 3) {
        /* no half of a UTF-8 character before the dots */
        while (o > 0 && ((unsigned char)text[o] & 0xc0) == 0x80)
            o--;
        memcpy(out + o, "...", 3);
        o += 3;
    }
    out[o] = '\0';
    return out;
}
