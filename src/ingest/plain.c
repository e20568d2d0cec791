/* SPDX-License-Identifier: Apache-2.0 */
/* Plain lines -> floats: one pass over the bytes, no tables, no errors. */
#include "ingest/plain.h"

#include "base/mem.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double powers[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

bl_status bli_plain_init(bl_plain *plain, const bl_build *build, char delimiter,
                         bl_err *err)
{
    void *needed, *dropped;
    bl_status st =
        bli_alloc(build->n_cells, sizeof(size_t), "column roles", &needed, err);
    if (st != BL_OK)
        return st;
    st = bli_alloc(build->n_cells, sizeof(bool), "column roles", &dropped, err);
    if (st != BL_OK) {
        free(needed);
        return st;
    }
    size_t n = build->n_cells;
    *plain = (bl_plain){
        .dropped = dropped,
        .missing = &build->missing,
        .delimiter = delimiter,
        .n_cells = n,
        .needed = needed,
        .weight = n,
        .lower = n,
        .upper = n,
        .line_bytes = build->ingest->limits->line_bytes,
    };
    for (size_t i = 0; i < n; i++) {
        bl_role role = build->uses[i].role;
        plain->dropped[i] = role == BL_ROLE_DROP;
        if (role != BL_ROLE_FEATURE && role != BL_ROLE_DROP)
            plain->needed[plain->n_needed++] = i;
        if (role == BL_ROLE_WEIGHT)
            plain->weight = i;
        else if (role == BL_ROLE_LOWER)
            plain->lower = i;
        else if (role == BL_ROLE_UPPER)
            plain->upper = i;
    }
    for (const char *c = "0123456789+-."; *c; c++)
        plain->slow_cells |= build->missing.first[(unsigned char)*c];
    return BL_OK;
}

void bli_plain_done(bl_plain *plain)
{
    free(plain->needed);
    free(plain->dropped);
    *plain = (bl_plain){0};
}

static bool ends_cell(char c, char delimiter)
{
    return c == delimiter || c == '\n' || c == '\r';
}

static bool is_blank(char c, char delimiter)
{
    return (c == ' ' || c == '\t') && c != delimiter;
}

/* Any cell, from its first byte that is no blank. Returns its end, NULL where not plain. */
static const char *read_any_cell(const bl_plain *plain, const char *at, float *ret)
{
    const char *end = at;
    while (!ends_cell(*end, plain->delimiter)) {
        if (*end == '"' || *end == '\0')
            return NULL;
        end++;
    }
    const char *stop = end;
    while (stop > at && is_blank(stop[-1], plain->delimiter))
        stop--;
    size_t n = (size_t)(stop - at);
    bl_cell_kind kind = bli_read_cell(plain->missing, at, n, ret);
    if (kind == BL_CELL_MISSING)
        return end;
    if (kind != BL_CELL_NUMBER || bli_is_rounded(at, n, *ret) ||
        bli_is_vanished(at, n, *ret))
        return NULL;
    return end;
}

/* The float32 nearest to digits / 10^n_fraction; false where one division and one narrowing
 * do not settle it (see bli_read_float), or where digits get lost. */
static inline bool settle(uint64_t digits, size_t n_fraction, float *ret)
{
    if (digits < (UINT64_C(1) << 24) && n_fraction == 0) {
        *ret = (float)digits;
        return true;
    }
    if (digits > (UINT64_C(1) << 53) || n_fraction > 22)
        return false;
    double value = (double)digits / powers[n_fraction];
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    if ((bits & 0x1fffffff) == 0x10000000 || (value < 0x1p-126 && digits))
        return false;
    *ret = (float)value;
    /* 20180131.0 may lose digits too: let the careful way look */
    return n_fraction ? value < 0x1p24 : (uint64_t)*ret == digits;
}

/* One cell; at its end, NULL where not plain. The text ends in an LF, which stops all. */
static inline const char *read_cell(const bl_plain *plain, const char *at, float *ret)
{
    char delimiter = plain->delimiter;
    while (is_blank(*at, delimiter))
        at++;
    const char *start = at;
    if (plain->slow_cells)
        return read_any_cell(plain, start, ret);
    bool negative = *at == '-';
    at += negative;
    const char *digits_at = at;
    uint64_t digits = 0;
    for (; is_digit(*at); at++)
        digits = digits * 10 + (uint64_t)(*at - '0');
    size_t n_digits = (size_t)(at - digits_at), n_fraction = 0;
    if (*at == '.') {
        const char *fraction_at = ++at;
        for (; is_digit(*at); at++)
            digits = digits * 10 + (uint64_t)(*at - '0');
        n_fraction = (size_t)(at - fraction_at);
        n_digits += n_fraction;
    }
    if (ends_cell(*at, delimiter) && n_digits && n_digits <= 19 &&
        settle(digits, n_fraction, ret)) {
        *ret = negative ? -*ret : *ret;
        return at;
    }
    if (at == start && ends_cell(*at, delimiter)) {
        *ret = NAN;
        return at;
    }
    return read_any_cell(plain, start, ret);
}

/* A cell that nobody reads. */
static const char *skip_cell(const bl_plain *plain, const char *at, float *ret)
{
    while (!ends_cell(*at, plain->delimiter)) {
        if (*at == '"' || *at == '\0')
            return NULL;
        at++;
    }
    *ret = NAN;
    return at;
}

static bool roles_hold(const bl_plain *plain, const float *row)
{
    for (size_t i = 0; i < plain->n_needed; i++)
        if (isnan(row[plain->needed[i]]))
            return false;
    size_t n = plain->n_cells;
    return (plain->weight == n || row[plain->weight] >= 0) &&
           (plain->lower == n || plain->upper == n ||
            row[plain->lower] <= row[plain->upper]);
}

/* One line into row; its end (after the LF), NULL where not plain. */
static const char *read_line(const bl_plain *plain, const char *line, float *row)
{
    const char *at = line;
    size_t last = plain->n_cells - 1;
    for (size_t i = 0; i < last; i++) {
        at = plain->dropped[i] ? skip_cell(plain, at, &row[i])
                               : read_cell(plain, at, &row[i]);
        if (!at || *at != plain->delimiter)
            return NULL;
        at++;
    }
    at = plain->dropped[last] ? skip_cell(plain, at, &row[last])
                              : read_cell(plain, at, &row[last]);
    if (!at)
        return NULL;
    if ((uint64_t)(at - line) > plain->line_bytes)
        return NULL;
    if (*at == '\r')
        at++;
    if (*at != '\n' || (plain->n_cells == 1 && isnan(row[0])) || !roles_hold(plain, row))
        return NULL;
    return at + 1;
}

void bli_plain_read(const bl_plain *plain, bl_plain_rows *rows)
{
    const char *at = rows->text, *end = at + rows->n_bytes;
    rows->n_rows = 0;
    while (at < end) {
        const char *next =
            read_line(plain, at, rows->values + rows->n_rows * plain->n_cells);
        if (!next)
            break;
        rows->n_rows++;
        at = next;
    }
    rows->n_read = (size_t)(at - rows->text);
}
