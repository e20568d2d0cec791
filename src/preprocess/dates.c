/* SPDX-License-Identifier: Apache-2.0 */
/* Dates: read without locale or time zone of the machine; parts of the proleptic Gregorian
 * calendar in UTC. */
#include "preprocess/transform_priv.h"

#include <math.h>
#include <string.h>

typedef struct stamp {
    int64_t year, month, day, hour, minute;
    double second;
    int64_t offset; /* minutes east */
} stamp;

/* Days from 1970-01-01 (Howard Hinnant, days_from_civil). */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void civil_of(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t of_era = days - era * 146097;
    int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * of_year + 2) / 153;
    *day = of_year - (153 * m + 2) / 5 + 1;
    *month = m + (m < 10 ? 3 : -9);
    *year = y + era * 400 + (*month <= 2);
}

/* least to most digits. */
static bool digits(const char **at, size_t least, size_t most, int64_t *ret)
{
    int64_t value = 0;
    size_t n = 0;
    while (n < most && (*at)[n] >= '0' && (*at)[n] <= '9')
        value = value * 10 + ((*at)[n++] - '0');
    if (n < least)
        return false;
    *at += n;
    *ret = value;
    return true;
}

static bool literal(const char **at, char c)
{
    if (**at != c)
        return false;
    ++*at;
    return true;
}

static bool fraction(const char **at, double *second)
{
    double unit = 0.1;
    if (**at < '0' || **at > '9')
        return false;
    for (; **at >= '0' && **at <= '9'; ++*at, unit /= 10)
        *second += (**at - '0') * unit;
    return true;
}

static bool read_zone(const char **at, stamp *s)
{
    int64_t hours, minutes = 0;
    if (literal(at, 'Z') || !**at)
        return true;
    int64_t sign = **at == '-' ? -1 : 1;
    if (!literal(at, '+') && !literal(at, '-'))
        return false;
    if (!digits(at, 2, 2, &hours))
        return false;
    literal(at, ':');
    if (**at && !digits(at, 2, 2, &minutes))
        return false;
    s->offset = sign * (hours * 60 + minutes);
    return hours < 24 && minutes < 60;
}

/* 2024-02-29, 20240229, 2024-02-29T13:05, 2024-02-29 13:05:09.5+01:00 */
static bool read_iso(const char *at, stamp *s)
{
    int64_t whole = 0;
    if (!digits(&at, 4, 4, &s->year))
        return false;
    bool dashes = literal(&at, '-');
    if (!digits(&at, 2, 2, &s->month) || (dashes && !literal(&at, '-')) ||
        !digits(&at, 2, 2, &s->day))
        return false;
    if (!*at)
        return true;
    if (!literal(&at, 'T') && !literal(&at, ' '))
        return false;
    if (!digits(&at, 2, 2, &s->hour) || !literal(&at, ':') ||
        !digits(&at, 2, 2, &s->minute))
        return false;
    if (literal(&at, ':')) {
        if (!digits(&at, 2, 2, &whole))
            return false;
        s->second = (double)whole;
        if (literal(&at, '.') && !fraction(&at, &s->second))
            return false;
    }
    return read_zone(&at, s) && !*at;
}

static bool read_by(const char *at, const char *format, stamp *s)
{
    for (; *format; format++) {
        int64_t whole = 0;
        bool good;
        if (*format != '%') {
            if (!literal(&at, *format))
                return false;
            continue;
        }
        switch (*++format) {
        case 'Y':
            good = digits(&at, 4, 4, &s->year);
            break;
        case 'y':
            good = digits(&at, 2, 2, &s->year);
            s->year += s->year < 69 ? 2000 : 1900;
            break;
        case 'm':
            good = digits(&at, 1, 2, &s->month);
            break;
        case 'd':
            good = digits(&at, 1, 2, &s->day);
            break;
        case 'H':
            good = digits(&at, 1, 2, &s->hour);
            break;
        case 'M':
            good = digits(&at, 1, 2, &s->minute);
            break;
        default:
            good = digits(&at, 1, 2, &whole);
            s->second = (double)whole;
        }
        if (!good)
            return false;
    }
    return !*at;
}

static int64_t days_in(int64_t year, int64_t month)
{
    static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

bool bli_date_read(const char *text, const char *format, double *ret_seconds)
{
    stamp s = {.month = 1, .day = 1};
    if (!(format ? read_by(text, format, &s) : read_iso(text, &s)))
        return false;
    if (s.month < 1 || s.month > 12 || s.day < 1 || s.day > days_in(s.year, s.month) ||
        s.hour > 23 || s.minute > 59 || s.second >= 61)
        return false;
    int64_t minutes = s.hour * 60 + s.minute - s.offset;
    *ret_seconds =
        (double)(days_of(s.year, s.month, s.day) * 86400 + minutes * 60) + s.second;
    return true;
}

double bli_date_part_of(double seconds, bl_date_part part)
{
    double days = floor(seconds / 86400), of_day = seconds - days * 86400;
    int64_t year, month, day;
    civil_of((int64_t)days, &year, &month, &day);
    switch (part) {
    case BL_DATE_YEAR:
        return (double)year;
    case BL_DATE_QUARTER:
        return (double)((month - 1) / 3 + 1);
    case BL_DATE_MONTH:
        return (double)month;
    case BL_DATE_DAY:
        return (double)day;
    case BL_DATE_WEEKDAY: /* 1970-01-01 was a Thursday */
        return (double)((((int64_t)days + 3) % 7 + 7) % 7);
    case BL_DATE_YEARDAY:
        return (double)((int64_t)days - days_of(year, 1, 1) + 1);
    case BL_DATE_HOUR:
        return floor(of_day / 3600);
    case BL_DATE_MINUTE:
        return floor(fmod(of_day, 3600) / 60);
    case BL_DATE_SECOND:
        return fmod(of_day, 60);
    case BL_DATE_DAYS:
        return days;
    default:
        return seconds;
    }
}
