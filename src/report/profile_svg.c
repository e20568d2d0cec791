/* SPDX-License-Identifier: Apache-2.0 */
/* The pictures of profile.html, and text that is safe in it. */
#include "report/report_priv.h"

#include "base/text.h"
#include "report/profile_priv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void bli_html_text(bl_buf *out, const char *text, size_t most)
{
    bl_buf cut = {0}, clean = {0};
    bli_cut_text(&cut, text, most);
    bli_utf8_add(&clean, cut.data ? cut.data : "", cut.n);
    /* FSI .. PDI: as <bdi>, but also within SVG and <title>. */
    bli_buf_text(out, "&#8296;");
    for (size_t i = 0; i < clean.n; i++) {
        unsigned char c = (unsigned char)clean.data[i];
        if (c == '&')
            bli_buf_text(out, "&amp;");
        else if (c == '<')
            bli_buf_text(out, "&lt;");
        else if (c == '>')
            bli_buf_text(out, "&gt;");
        else if (c == '"')
            bli_buf_text(out, "&quot;");
        else if (c == '\'')
            bli_buf_text(out, "&#39;");
        else if (c < 0x20 || c == 0x7f)
            bli_buf_text(out, "\xef\xbf\xbd");
        else
            bli_buf_char(out, (char)c);
    }
    bli_buf_text(out, "&#8297;");
    out->failed |= cut.failed || clean.failed;
    bli_buf_done(&cut);
    bli_buf_done(&clean);
}

void bli_html_number(bl_buf *out, double value)
{
    if (isnan(value))
        bli_buf_text(out, "\xe2\x80\x93");
    else if (fabs(value) >= 10000 && fabs(value) < 1e7)
        bli_buf_printf(out, "%.0f", value);
    else
        bli_buf_printf(out, "%.5g", value);
}

void bli_html_count(bl_buf *out, uint64_t value)
{
    char digits[32];
    int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            bli_buf_char(out, ',');
        bli_buf_char(out, digits[i]);
    }
}

/* --- Histogram -------------------------------------------------------------------------------- */

void bli_svg_histogram(bl_buf *out, const bl_profile_column *c)
{
    enum { WIDTH = 300, HEIGHT = 64, STEP = WIDTH / BL_PROFILE_BINS };
    uint64_t most = 1;
    for (size_t b = 0; b < c->n_bins; b++)
        most = c->bin[b] > most ? c->bin[b] : most;
    bli_buf_printf(out,
                   "<svg class=\"hist\" viewBox=\"0 0 %d %d\" role=\"img\">"
                   "<title>histogram, equal widths</title>",
                   WIDTH, HEIGHT + 16);
    for (size_t b = 0; b < c->n_bins; b++) {
        double height = HEIGHT * (double)c->bin[b] / (double)most;
        if (!c->bin[b])
            continue;
        height = height < 1 ? 1 : height; /* a few rows are seen too */
        bli_buf_printf(out,
                       "<rect x=\"%zu\" y=\"%.1f\" width=\"%d\" height=\"%.1f\"><title>",
                       b * STEP, HEIGHT - height, STEP - 1, height);
        bli_html_number(out, c->edge[b]);
        bli_buf_text(out, " to ");
        bli_html_number(out, c->edge[b + 1]);
        bli_buf_text(out, ": ");
        bli_html_count(out, c->bin[b]);
        bli_buf_text(out, "</title></rect>");
    }
    bli_buf_printf(out,
                   "<line x1=\"0\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>"
                   "<text x=\"0\" y=\"%d\">",
                   WIDTH, HEIGHT, HEIGHT, HEIGHT + 13);
    bli_html_number(out, c->min);
    bli_buf_printf(out, "</text><text x=\"%d\" y=\"%d\" text-anchor=\"end\">", WIDTH,
                   HEIGHT + 13);
    bli_html_number(out, c->max);
    bli_buf_text(out, "</text></svg>");
}

/* --- Bars --------------------------------------------------------------------------------------- */

void bli_html_top(bl_buf *out, const bl_profile *p, const bl_profile_column *c)
{
    double most = c->n_top ? (double)c->top[0].n : 1;
    bli_buf_text(out, "<table>");
    for (size_t k = 0; k < c->n_top; k++) {
        bli_buf_text(out, "<tr><td class=\"v\">");
        bli_html_text(out, c->top[k].text, 60);
        bli_buf_printf(
            out,
            "</td><td class=\"w\"><div class=\"b\" style=\"width:%.1f%%\"></div></td>"
            "<td class=\"n\">",
            100 * (double)c->top[k].n / most);
        bli_html_count(out, c->top[k].n);
        bli_buf_text(out, "</td><td class=\"n\">");
        bli_profile_share(out, (double)c->top[k].n, (double)p->n_rows);
        bli_buf_text(out, "</td></tr>");
    }
    bli_buf_text(out, "</table>");
}

/* --- Heat map ----------------------------------------------------------------------------------- */

enum { HEAT_NAME = 22 }; /* bytes of a name */

static void heat_label(bl_buf *out, const char *name, size_t i, size_t left, size_t cell)
{
    size_t middle = left + i * cell + cell / 2;
    bli_buf_printf(out, "<text x=\"%zu\" y=\"%zu\" text-anchor=\"end\">", left - 6,
                   middle + 4);
    bli_html_text(out, name, HEAT_NAME);
    bli_buf_printf(out,
                   "</text><text transform=\"translate(%zu %zu) rotate(-60)\" x=\"0\" "
                   "y=\"0\">",
                   middle + 4, left - 6);
    bli_html_text(out, name, HEAT_NAME);
    bli_buf_text(out, "</text>");
}

static void heat_cell(bl_buf *out, const bl_profile *p, size_t a, size_t b, size_t left,
                      size_t cell)
{
    double r = p->correlation[a * p->n_pairs + b];
    bli_buf_printf(out,
                   "<rect class=\"%s\" x=\"%zu\" y=\"%zu\" width=\"%zu\" "
                   "height=\"%zu\" fill-opacity=\"%.2f\"><title>",
                   isnan(r) ? "f"
                   : r < 0  ? "m"
                            : "p",
                   left + b * cell, left + a * cell, cell - 1, cell - 1,
                   isnan(r) ? 0 : fabs(r));
    bli_html_text(out, p->columns[p->pair[a]].name, 60);
    bli_buf_text(out, ", ");
    bli_html_text(out, p->columns[p->pair[b]].name, 60);
    if (isnan(r))
        bli_buf_text(out, ": one does not vary</title></rect>");
    else
        bli_buf_printf(out, ": %.3f</title></rect>", r);
}

/* Room for the longest name, at a letter's usual width. */
static size_t heat_margin(const bl_profile *p, size_t n)
{
    size_t longest = 4;
    for (size_t i = 0; i < n; i++) {
        size_t length = strlen(p->columns[p->pair[i]].name);
        longest = length > longest ? length : longest;
    }
    return 14 + 7 * (longest < HEAT_NAME ? longest : HEAT_NAME);
}

void bli_svg_correlation(bl_buf *out, const bl_profile *p, size_t n)
{
    size_t cell = n <= 12 ? 40 : n <= 25 ? 28 : 20, left = heat_margin(p, n);
    size_t side = left + n * cell;
    bli_buf_printf(out,
                   "<svg class=\"heat\" width=\"%zu\" viewBox=\"0 0 %zu %zu\" "
                   "role=\"img\"><title>correlation matrix</title>",
                   side + 40, side + 40, side + 4);
    for (size_t a = 0; a < n; a++) {
        heat_label(out, p->columns[p->pair[a]].name, a, left, cell);
        for (size_t b = 0; b < n; b++)
            heat_cell(out, p, a, b, left, cell);
    }
    bli_buf_text(out, "</svg>");
}
