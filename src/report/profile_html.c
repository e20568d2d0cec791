/* SPDX-License-Identifier: Apache-2.0 */
/* profile.html, top to bottom. */
#include "report/report_priv.h"

#include "report/profile_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CARDS = 300, HEAT = 40, FINDINGS = 200, ALONE = 25, NAME = 120 };

static void tile(bl_buf *out, uint64_t n, const char *what)
{
    bli_buf_text(out, "<div class=\"tile\"><b>");
    bli_html_count(out, n);
    bli_buf_printf(out, "</b><span>%s</span></div>", what);
}

static void tiles(bl_buf *out, const bl_profile *p)
{
    uint64_t n_numeric = 0, n_text = 0, missing = bli_profile_missing(p);
    for (size_t i = 0; i < p->n_columns; i++) {
        bl_profile_type type = p->columns[i].type;
        n_numeric += type == BL_PROFILE_INTEGER || type == BL_PROFILE_NUMBER ||
                     type == BL_PROFILE_BOOLEAN;
        n_text += type == BL_PROFILE_TEXT || type == BL_PROFILE_DATE ||
                  type == BL_PROFILE_MIXED;
    }
    bli_buf_text(out, "<div class=\"tiles\">");
    tile(out, p->n_rows, "rows");
    tile(out, p->n_columns, "columns");
    tile(out, n_numeric, "columns of numbers");
    tile(out, n_text, "columns with texts");
    bli_buf_text(out, "<div class=\"tile\"><b>");
    bli_profile_share(out, (double)missing, (double)p->n_rows * (double)p->n_columns);
    bli_buf_text(out, "</b><span>of the cells missing (");
    bli_html_count(out, missing);
    bli_buf_text(out, ")</span></div>");
    tile(out, p->n_repeated_rows,
         p->repeated_is_estimate ? "rows repeat an earlier one (estimate)"
                                 : "rows repeat an earlier one");
    bli_buf_text(out, "</div>");
}

/* --- Findings --------------------------------------------------------------------------------- */

/* The worst first. */
static const bl_finding by_weight[] = {
    BL_FOUND_IS_LABEL, BL_FOUND_TELLS_LABEL, BL_FOUND_INFINITE,  BL_FOUND_MIXED,
    BL_FOUND_REPEATS,  BL_FOUND_EMPTY,       BL_FOUND_CONSTANT,  BL_FOUND_UNIQUE,
    BL_FOUND_MISSING,  BL_FOUND_MANY_TEXTS,  BL_FOUND_ONE_VALUE, BL_FOUND_NEAR_CONSTANT};

static const struct {
    bl_finding finding;
    const char *words, *look;
} words[] = {
    {BL_FOUND_IS_LABEL, "equals the label", " bad"},
    {BL_FOUND_TELLS_LABEL, "tells the label", " bad"},
    {BL_FOUND_INFINITE, "infinite numbers", " warn"},
    {BL_FOUND_MIXED, "mixed", " warn"},
    {BL_FOUND_REPEATS, "repeats", " warn"},
    {BL_FOUND_EMPTY, "empty", " warn"},
    {BL_FOUND_CONSTANT, "constant", " warn"},
    {BL_FOUND_UNIQUE, "unique", ""},
    {BL_FOUND_MISSING, "mostly missing", " warn"},
    {BL_FOUND_MANY_TEXTS, "many texts", ""},
    {BL_FOUND_ONE_VALUE, "one value", ""},
    {BL_FOUND_NEAR_CONSTANT, "hardly varies", ""},
};

static void pills(bl_buf *out, unsigned findings)
{
    for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
        if (findings & words[k].finding)
            bli_buf_printf(out, "<span class=\"pill%s\">%s</span>", words[k].look,
                           words[k].words);
}

static void finding(bl_buf *out, const bl_profile *p, const bl_profile_column *c,
                    bl_finding one)
{
    bl_buf sentence = {0};
    bli_profile_sentence(&sentence, p, c, one);
    bli_buf_text(out, "<li>");
    pills(out, one);
    bli_buf_text(out, "<b>");
    bli_html_text(out, c->name, NAME);
    bli_buf_text(out, "</b>: ");
    bli_html_text(out, sentence.data ? sentence.data : "", 600);
    bli_buf_text(out, "</li>");
    out->failed |= sentence.failed;
    bli_buf_done(&sentence);
}

static void findings(bl_buf *out, const bl_profile *p)
{
    size_t n = 0;
    bli_buf_text(out, "<h2>Findings</h2><div class=\"panel\"><ul class=\"found\">");
    for (size_t k = 0; k < sizeof by_weight / sizeof by_weight[0]; k++)
        for (size_t i = 0; i < p->n_columns; i++)
            if (p->columns[i].findings & by_weight[k] && n++ < FINDINGS)
                finding(out, p, &p->columns[i], by_weight[k]);
    if (n > FINDINGS)
        bli_buf_printf(out, "<li>%zu more stand in profile.json</li>", n - FINDINGS);
    if (!n)
        bli_buf_text(out, "<li>Nothing to report: no column is empty, constant, mixed, "
                          "repeated or mostly missing.</li>");
    bli_buf_text(out, "</ul></div>");
}

/* --- The label ---------------------------------------------------------------------------------- */

static int by_alone(const void *a, const void *b)
{
    const bl_profile_column *x = *(const bl_profile_column *const *)a;
    const bl_profile_column *y = *(const bl_profile_column *const *)b;
    if (x->alone != y->alone)
        return x->alone > y->alone ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

static void alone_bars(bl_buf *out, const bl_profile *p, const bl_profile_column **of,
                       size_t n)
{
    double base = p->measure == BL_ALONE_AUC ? 0.5 : 0;
    bli_buf_text(out, "<div class=\"panel\"><table>");
    for (size_t k = 0; k < n; k++) {
        double width = (of[k]->alone - base) / (1 - base);
        width = width > 0 ? width : 0;
        bli_buf_text(out, "<tr><td class=\"v\">");
        bli_html_text(out, of[k]->name, 60);
        bli_buf_printf(
            out,
            "</td><td class=\"w\"><div class=\"b\" style=\"width:%.1f%%\"></div></td>"
            "<td class=\"n\">%.3f</td></tr>",
            100 * width, of[k]->alone);
    }
    bli_buf_text(out, "</table></div>");
}

static void label(bl_buf *out, const bl_profile *p)
{
    static const char *const what[] = {
        "",
        "Area under the ROC curve of a prediction from this column alone, learned on "
        "half "
        "of the rows and measured on the other half: 0.5 says nothing, 1 says all.",
        "Share of the errors of always guessing the commonest class that a guess from "
        "this column alone saves, learned on half of the rows, measured on the other.",
        "Share of the label's variance (R\xc2\xb2) that this column alone explains, "
        "learned "
        "on half of the rows, measured on the other."};
    size_t n = 0;
    const bl_profile_column **of = calloc(p->n_columns + 1, sizeof *of);
    if (!of) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < p->n_columns; i++)
        if (!isnan(p->columns[i].alone))
            of[n++] = &p->columns[i];
    if (p->label != SIZE_MAX && n) {
        qsort(of, n, sizeof *of, by_alone);
        bli_buf_text(out, "<h2>What each column says about ");
        bli_html_text(out, p->columns[p->label].name, NAME);
        bli_buf_printf(out, "</h2><p>%s%s</p>", what[p->measure],
                       n > ALONE ? " The 25 strongest." : "");
        alone_bars(out, p, of, n < ALONE ? n : ALONE);
    }
    free(of);
}

/* --- Columns -------------------------------------------------------------------------------------- */

static void fact(bl_buf *out, const char *what, double value)
{
    bli_buf_printf(out, "<div><dt>%s</dt><dd>", what);
    bli_html_number(out, value);
    bli_buf_text(out, "</dd></div>");
}

static void facts(bl_buf *out, const bl_profile *p, const bl_profile_column *c)
{
    bli_buf_text(out, "<dl><div><dt>missing</dt><dd>");
    bli_profile_share(out, (double)c->n_missing, (double)p->n_rows);
    bli_buf_printf(out, "</dd></div><div><dt>distinct</dt><dd>%s",
                   c->distinct_is_estimate ? "\xe2\x89\x88 " : "");
    bli_html_count(out, c->n_distinct);
    bli_buf_text(out, "</dd></div>");
    if (!isnan(c->mean)) {
        fact(out, "mean", c->mean);
        fact(out, "median", c->quantile[3]);
        fact(out, "deviation", c->deviation);
    }
    if (c->n_numbers && c->n_zero) {
        bli_buf_text(out, "<div><dt>zero</dt><dd>");
        bli_profile_share(out, (double)c->n_zero, (double)p->n_rows);
        bli_buf_text(out, "</dd></div>");
    }
    if (c->n_texts) {
        bli_buf_text(out, "<div><dt>length</dt><dd>");
        bli_buf_printf(out, c->shortest == c->longest ? "%zu" : "%zu\xe2\x80\x93%zu",
                       c->shortest, c->longest);
        bli_buf_text(out, "</dd></div>");
    }
    bli_buf_text(out, "</dl>");
}

static void quantiles(bl_buf *out, const bl_profile_column *c)
{
    bli_buf_text(out, "<details><summary>quantiles</summary><table>");
    for (size_t q = 0; q < BL_PROFILE_QUANTILES; q++) {
        bli_buf_printf(out, "<tr><td>%g %%</td><td class=\"n\">",
                       100 * bli_profile_quantiles[q]);
        bli_html_number(out, c->quantile[q]);
        bli_buf_text(out, "</td></tr>");
    }
    bli_buf_text(out, "</table></details>");
}

static void card(bl_buf *out, const bl_profile *p, const bl_profile_column *c)
{
    bool few = c->n_distinct <= BL_PROFILE_TOP;
    bli_buf_text(out, "<section class=\"card\"><h3>");
    bli_html_text(out, c->name, NAME);
    bli_buf_printf(out, "</h3><span class=\"pill\">%s</span>",
                   bli_profile_type_name(c->type));
    if (c->place == p->label)
        bli_buf_text(out, "<span class=\"pill\">label</span>");
    pills(out, c->findings);
    facts(out, p, c);
    if (c->n_bins && !few)
        bli_svg_histogram(out, c);
    if (c->n_top && (few || c->n_texts)) {
        bli_html_top(out, p, c);
    } else if (c->n_top) {
        bli_buf_printf(out, "<details><summary>most frequent%s</summary>",
                       c->top_is_estimate ? " (estimate)" : "");
        bli_html_top(out, p, c);
        bli_buf_text(out, "</details>");
    }
    if (c->n_numbers)
        quantiles(out, c);
    bli_buf_text(out, "</section>");
}

static void columns(bl_buf *out, const bl_profile *p)
{
    bli_buf_text(out, "<h2>Columns</h2>");
    if (p->n_columns > CARDS)
        bli_buf_printf(out, "<p>The first %d of %zu; profile.json has the others.</p>",
                       CARDS, p->n_columns);
    bli_buf_text(out, "<div class=\"cards\">");
    for (size_t i = 0; i < p->n_columns && i < CARDS; i++)
        card(out, p, &p->columns[i]);
    bli_buf_text(out, "</div>");
}

static void correlation(bl_buf *out, const bl_profile *p)
{
    size_t n = p->n_pairs < HEAT ? p->n_pairs : HEAT, all = p->n_pairs + p->n_pairs_left;
    if (n < 2)
        return;
    bli_buf_text(out, "<h2>Correlation</h2><p>Pearson's, over the rows where both cells "
                      "are numbers; orange is positive, blue negative, the stronger the "
                      "fuller.");
    if (all > n)
        bli_buf_printf(out, " The first %zu of %zu columns of numbers.", n, all);
    bli_buf_text(out, "</p><div class=\"panel\">");
    bli_svg_correlation(out, p, n);
    bli_buf_text(out, "</div>");
}

static void footer(bl_buf *out, const bl_profile *p, const bl_files *files)
{
    bli_buf_text(out, "<footer>");
    if (p->n_kept < p->n_rows) {
        bli_buf_text(out,
                     "Quantiles, histograms, correlations and what is said about the "
                     "label are of a random sample of ");
        bli_html_count(out, p->n_kept);
        bli_buf_text(out, " rows; all else is of every row. ");
    }
    for (size_t i = 0; i < files->n && i < 20; i++) {
        bli_html_text(out, files->file[i].path, 200);
        bli_buf_printf(out, " (SHA-256 %.16s\xe2\x80\xa6) ", files->file[i].sha256);
    }
    bli_buf_text(out, "Made by boostlens process --profile; the same numbers, and more, "
                      "stand in profile.json.");
    bli_buf_text(out, "</footer>");
}

void bli_profile_html(bl_buf *out, const bl_profile *p, const bl_files *files)
{
    bli_buf_text(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                      "<meta name=\"viewport\" content=\"width=device-width, "
                      "initial-scale=1\"><meta http-equiv=\"Content-Security-Policy\" "
                      "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
                      "<title>Profile of the data</title><style>");
    bli_buf_text(out, bli_profile_style);
    bli_buf_text(out, "</style></head><body><main><h1>Profile of the data</h1><p>");
    for (size_t i = 0; i < files->n && i < 5; i++) {
        bli_buf_text(out, i ? ", " : "");
        bli_html_text(out, files->file[i].path, 200);
    }
    if (files->n > 5)
        bli_buf_printf(out, " and %zu more files", files->n - 5);
    bli_buf_text(out, "</p>");
    tiles(out, p);
    findings(out, p);
    label(out, p);
    columns(out, p);
    correlation(out, p);
    footer(out, p, files);
    bli_buf_text(out, "</main></body></html>\n");
}
