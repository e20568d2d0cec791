/* SPDX-License-Identifier: Apache-2.0 */
/* What one cell of text is. */
#include "ingest/ingest_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

static const char *const usual_missing[] = {"NA", "NaN", "null"};

bl_missing bli_missing(const bl_read_settings *settings)
{
    bl_missing missing = {.any_case = !settings->missing_texts_given};
    if (settings->missing_texts_given) {
        missing.n = settings->missing_texts.n;
        missing.text = (const char *const *)settings->missing_texts.text;
    } else {
        missing.n = BL_LEN(usual_missing);
        missing.text = usual_missing;
    }
    for (size_t i = 0; i < missing.n; i++) {
        unsigned char c = (unsigned char)missing.text[i][0];
        missing.first[c] = true;
        if (missing.any_case)
            missing.first[c | 0x20] = missing.first[c & 0xdf] = true;
    }
    return missing;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

/* ASCII only, whatever the locale. */
static bool is_word(const char *text, size_t n, const char *word, bool any_case)
{
    for (size_t i = 0; i < n; i++)
        if (text[i] != word[i] && !(any_case && lower(text[i]) == lower(word[i])))
            return false; /* also where word ends: text holds no NUL */
    return word[n] == '\0';
}

bool bli_is_missing(const bl_missing *missing, const char *text, size_t n)
{
    if (n == 0)
        return true;
    if (missing->first[(unsigned char)*text]) {
        for (size_t i = 0; i < missing->n; i++)
            if (is_word(text, n, missing->text[i], missing->any_case))
                return true;
    }
    /* Only a quoted cell can still begin with a blank. */
    if (*text != ' ' && *text != '\t')
        return false;
    for (size_t i = 0; i < n; i++)
        if (text[i] != ' ' && text[i] != '\t')
            return false;
    return true;
}

bl_cell_kind bli_read_cell(const bl_missing *missing, const char *text, size_t n,
                           float *ret_value)
{
    *ret_value = NAN;
    if (bli_is_missing(missing, text, n))
        return BL_CELL_MISSING;
    switch (bli_read_float(text, n, ret_value)) {
    case BL_NUMBER_OK:
        return BL_CELL_NUMBER;
    case BL_NUMBER_INFINITE:
        return BL_CELL_INFINITE;
    default:
        break;
    }
    bool is_true = is_word(text, n, "true", true);
    if (is_true || is_word(text, n, "false", true)) {
        *ret_value = is_true;
        return BL_CELL_TRUE_FALSE;
    }
    return BL_CELL_TEXT;
}

bool bli_is_rounded(const char *text, size_t n, float value)
{
    const float exact_to = 16777216.0F; /* 2^24 */
    if (!(fabsf(value) >= exact_to))
        return false;
    size_t at = *text == '+' || *text == '-';
    uint64_t whole = 0;
    bool fits = true;
    for (; at < n && text[at] >= '0' && text[at] <= '9'; at++)
        fits = fits && !__builtin_mul_overflow(whole, (uint64_t)10, &whole) &&
               !__builtin_add_overflow(whole, (uint64_t)(text[at] - '0'), &whole);
    /* 20180131.0 is how a whole number looks once it stood beside missing ones. */
    if (at < n && text[at] == '.')
        for (at++; at < n && text[at] == '0';)
            at++;
    if (at < n)
        return false; /* a fraction or an exponent: a measured number */
    /* Over 20 digits: all float32 neighbours lie far apart, so hardly one is hit exactly.
     */
    return !fits || fabsf(value) >= 0x1p64F || (uint64_t)fabsf(value) != whole;
}

bool bli_is_vanished(const char *text, size_t n, float value)
{
    if (value != 0)
        return false;
    for (size_t i = 0; i < n && text[i] != 'e' && text[i] != 'E'; i++)
        if (text[i] >= '1' && text[i] <= '9')
            return true;
    return false;
}
