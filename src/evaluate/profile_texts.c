/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of one column: how many, how often, how long, and whether all of them are dates. */
#include "evaluate/profile_priv.h"

#include <string.h>

/* --- Dates --------------------------------------------------------------------------------- */

typedef struct bl_date_form {
    const char *format; /* of a plan's step; "": ISO 8601 */
    const char
        *shape; /* y, m, d, H, M, S: digits of a number; all else stands for itself */
    bool has_time;
} bl_date_form;

/* The first that all texts have: where day and month cannot be told apart, the day first. */
static const bl_date_form forms[] = {
    {"", "yyyy-mm-dd", false},
    {"", "yyyy-mm-dd HH:MM", true},
    {"", "yyyy-mm-dd HH:MM:SS", true},
    {"", "yyyy-mm-ddTHH:MM", true},
    {"", "yyyy-mm-ddTHH:MM:SS", true},
    {"", "yyyy-mm-ddTHH:MM:SSZ", true},
    {"%Y/%m/%d", "yyyy/mm/dd", false},
    {"%d.%m.%Y", "dd.mm.yyyy", false},
    {"%d/%m/%Y", "dd/mm/yyyy", false},
    {"%m/%d/%Y", "mm/dd/yyyy", false},
    {"%d-%m-%Y", "dd-mm-yyyy", false},
    {"%d.%m.%Y %H:%M", "dd.mm.yyyy HH:MM", true},
    {"%d/%m/%Y %H:%M", "dd/mm/yyyy HH:MM", true},
    {"%m/%d/%Y %H:%M", "mm/dd/yyyy HH:MM", true},
};

/* Day and month may be one digit where the form is not ISO 8601. */
static bool has_form(const char *text, const bl_date_form *form)
{
    int value[128] = {0};
    for (const char *shape = form->shape; *shape;) {
        size_t width = 1, n = 0;
        char c = *shape;
        if (!strchr("ymdHMS", c)) {
            if (*text++ != *shape++)
                return false;
            continue;
        }
        while (shape[width] == c)
            width++;
        shape += width;
        for (; n < width && *text >= '0' && *text <= '9'; n++)
            value[(unsigned char)c] = value[(unsigned char)c] * 10 + (*text++ - '0');
        if (n < width && (n == 0 || c == 'y' || !*form->format))
            return false;
    }
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = value['y'], month = value['m'], day = value['d'];
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return !*text && month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] &&
           (month != 2 || day != 29 || leap) && value['H'] < 24 && value['M'] < 60 &&
           value['S'] < 60;
}

static void find_date(bl_profile_column *c, const bl_levels *levels,
                      const uint64_t *count)
{
    uint32_t n = bli_levels_count(levels);
    for (size_t f = 0; f < sizeof forms / sizeof forms[0]; f++) {
        uint32_t code = 0;
        while (code < n &&
               (!count[code] || has_form(bli_levels_text(levels, code), &forms[f])))
            code++;
        if (code == n) {
            c->date = forms[f].format;
            c->has_time = forms[f].has_time;
            return;
        }
    }
}

/* --- Counts ------------------------------------------------------------------------------- */

static size_t characters(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

bl_status bli_profile_texts(const bl_ending *e, size_t i, bl_err *err)
{
    const bl_tally *t = &e->profiler->tallies[i];
    const bl_levels *levels = e->cells[i].levels;
    bl_profile_column *c = &e->profile->columns[i];
    bl_status st = BL_OK;
    if (!t->n_texts)
        return BL_OK;
    uint32_t n = bli_levels_count(levels);
    n = n < t->cap_count ? n : (uint32_t)t->cap_count;
    for (uint32_t code = 0; st == BL_OK && code < n; code++) {
        if (!t->count[code])
            continue;
        const char *text = bli_levels_text(levels, code);
        size_t length = characters(text);
        c->shortest = c->longest == 0 || length < c->shortest ? length : c->shortest;
        c->longest = length > c->longest ? length : c->longest;
        c->n_distinct++;
        if (t->count[code] < e->profiler->ask.rare) {
            c->n_rare++;
            c->rare_rows += t->count[code];
        }
        st = bli_profile_top(c, text, true, t->count[code], err);
    }
    if (st == BL_OK && !t->n_numbers)
        find_date(c, levels, t->count);
    return st;
}
