/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base_score as text that old and new XGBoost read alike. From 3.1 on its reader rounds
 * correctly; up to 3.0 it is dmlc-core's, which works in float32 step by step and is
 * often off in the last bit. So the usual ways to write a number are tried until one is
 * read right by both.
 */
#include "model/model_priv.h"

#include "base/text.h"

#include <string.h>

/* Up to 3.0 a whole part beyond 32 bits was read wrong (10872876000 as another number). */
enum { MAX_WHOLE_DIGITS = 9 };
/* Its range checks, near the ends of float32, also turn away numbers within. */
static const float SMALLEST = 1e-28f, LARGEST = 1e28f;

/* Digits d1 d2 ... dn standing for 0.d1d2...dn * 10^exponent. */
typedef struct digits {
    char digit[BL_NUMBER_BYTES];
    int n, exponent;
} digits;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The steps of dmlc-core's ParseFloat<float>, without its range checks: the texts tried
 * here are well formed and of moderate size. */
static float dmlc_read(const char *at)
{
    bool negative = *at == '-';
    at += negative;
    uint64_t whole = 0;
    for (; is_digit(*at); at++)
        whole = whole * 10 + (uint64_t)(*at - '0');
    float value = (float)whole;
    if (*at == '.') {
        uint64_t fraction = 0, power = 1;
        int n = 0;
        for (at++; is_digit(*at); at++, n++) {
            if (n >= 19)
                continue;
            fraction = fraction * 10 + (uint64_t)(*at - '0');
            power *= 10;
        }
        value += (float)((double)fraction / (double)power);
    }
    if (*at == 'E') {
        bool divide = *++at == '-';
        at += divide;
        unsigned exponent = 0;
        for (; is_digit(*at); at++)
            exponent = exponent * 10 + (unsigned)(*at - '0');
        float scale = 1.0f;
        for (; exponent >= 8; exponent -= 8)
            scale *= 1E8f;
        for (; exponent > 0; exponent--)
            scale *= 10.0f;
        value = divide ? value / scale : value * scale;
    }
    return negative ? -value : value;
}

/* Takes the text of a positive number apart. */
static digits take_apart(const char *text, size_t n)
{
    digits d = {.n = 0};
    int exponent = 0;
    bool point = false;
    for (size_t i = 0; i < n && text[i] != 'e'; i++) {
        if (text[i] == '.') {
            point = true;
            continue;
        }
        if (d.n || text[i] != '0')
            d.digit[d.n++] = text[i];
        if (!point && d.n)
            exponent++;
        if (point && !d.n)
            exponent--;
    }
    const char *e = memchr(text, 'e', n);
    int64_t more = 0;
    if (e)
        bli_read_int(e + 1, n - (size_t)(e + 1 - text), &more);
    d.exponent = exponent + (int)more;
    while (d.n && d.digit[d.n - 1] == '0')
        d.n--;
    return d;
}

/* The digits with `before` of them in front of the point; false where that is too long.
 */
static bool put_together(const digits *d, bool negative, int before,
                         char text[BL_SCORE_BYTES])
{
    int exponent = d->exponent - before;
    int zeros = before < 0 ? -before : 0, padding = before > d->n ? before - d->n : 0;
    if (zeros > 18 || before > MAX_WHOLE_DIGITS ||
        d->n + zeros + padding > BL_SCORE_BYTES - 16)
        return false;
    char *at = text;
    if (negative)
        *at++ = '-';
    if (before <= 0)
        *at++ = '0';
    for (int i = 0; i < before; i++)
        *at++ = i < d->n ? d->digit[i] : '0';
    if (before < d->n) {
        *at++ = '.';
        for (int i = 0; i < zeros; i++)
            *at++ = '0';
        for (int i = before > 0 ? before : 0; i < d->n; i++)
            *at++ = d->digit[i];
    }
    if (exponent)
        snprintf(at, BL_SCORE_BYTES - (size_t)(at - text), "E%d", exponent);
    else
        *at = '\0';
    return true;
}

static bool is_read_right(const char *text, float score)
{
    float exact, stepwise = dmlc_read(text);
    return bli_read_float(text, strlen(text), &exact) == BL_NUMBER_OK &&
           memcmp(&exact, &score, sizeof score) == 0 &&
           memcmp(&stepwise, &score, sizeof score) == 0;
}

static bool try_digits(const digits *d, float score, char text[BL_SCORE_BYTES])
{
    bool negative = score < 0;
    /* As XGBoost writes it, one digit before the point; then plain; then any other place.
     */
    if (put_together(d, negative, 1, text) && is_read_right(text, score))
        return true;
    if (put_together(d, negative, d->exponent, text) && is_read_right(text, score))
        return true;
    for (int away = 1; away <= 19; away++)
        for (int side = -1; side <= 1; side += 2) {
            int before = 1 - side * away;
            if (before <= MAX_WHOLE_DIGITS && put_together(d, negative, before, text) &&
                is_read_right(text, score))
                return true;
        }
    return false;
}

bool bli_score_text(float score, char text[BL_SCORE_BYTES])
{
    char number[BL_NUMBER_BYTES];
    if (score == 0.0f) {
        strcpy(text, "0E0");
        return is_read_right(text, score); /* not for -0 */
    }
    float positive = score < 0 ? -score : score;
    if (!(positive > SMALLEST && positive < LARGEST))
        return false;
    digits shortest = take_apart(number, bli_write_float(positive, number));
    if (try_digits(&shortest, score, text))
        return true;
    digits longer = take_apart(number, bli_write_double((double)positive, number));
    return try_digits(&longer, score, text);
}
