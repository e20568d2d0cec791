/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files that render a profile. */
#ifndef BL_REPORT_PROFILE_PRIV_H
#define BL_REPORT_PROFILE_PRIV_H

#include "report/profile.h"

/* At most `most` bytes, never within a character, then "…". */
void bli_cut_text(bl_buf *out, const char *text, size_t most);
/* "12.3 %" */
void bli_profile_share(bl_buf *out, double part, double all);
uint64_t bli_profile_missing(const bl_profile *profile);

/* --- profile_svg.c ----------------------------------------------------------------------- */

/* Text for HTML: cut, marked characters as entities, control characters as U+FFFD; direction
 * marks within do not reach beyond it. */
void bli_html_text(bl_buf *out, const char *text, size_t most);
/* A number for people: at most 5 digits. */
void bli_html_number(bl_buf *out, double value);
void bli_html_count(bl_buf *out, uint64_t value); /* 1,234,567 */
/* Histogram of a column of numbers. */
void bli_svg_histogram(bl_buf *out, const bl_profile_column *column);
/* Bars of the most frequent values. */
void bli_html_top(bl_buf *out, const bl_profile *profile,
                  const bl_profile_column *column);
/* Heat map of the first n columns of the matrix. */
void bli_svg_correlation(bl_buf *out, const bl_profile *profile, size_t n);

/* --- profile_style.c ----------------------------------------------------------------------- */

extern const char bli_profile_style[];

#endif
