/* SPDX-License-Identifier: Apache-2.0 */
/* profile.json, and the sentences that both files share. */
#include "report/report_priv.h"

#include "base/json.h"
#include "base/text.h"
#include "report/profile.h"
#include "report/profile_priv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_BYTES = 200 };

void bli_cut_text(bl_buf *out, const char *text, size_t most)
{
    size_t n = strlen(text), cut = n;
    if (n > most)
        for (cut = most; cut > 0 && ((unsigned char)text[cut] & 0xc0) == 0x80;)
            cut--;
    bli_buf_add(out, text, cut);
    if (cut < n)
        bli_buf_text(out, "\xe2\x80\xa6");
}

void bli_profile_share(bl_buf *out, double part, double all)
{
    double share = all > 0 ? 100 * part / all : 0;
    if (share > 99.99 && share < 100)
        bli_buf_text(out, "over 99.99 %");
    else if (share > 99 && share < 100)
        bli_buf_printf(out, "%.2f %%", share);
    else
        bli_buf_printf(out, share > 0 && share < 0.1 ? "%.2g %%" : "%.3g %%", share);
}

void bli_profile_sentence(bl_buf *out, const bl_profile *p, const bl_profile_column *c,
                          bl_finding finding)
{
    double rows = (double)p->n_rows;
    static const char *const measures[] = {"", "area under the curve", "errors saved",
                                           "R\xc2\xb2"};
    switch (finding) {
    case BL_FOUND_EMPTY:
        bli_buf_text(out, "every cell is missing");
        break;
    case BL_FOUND_CONSTANT:
        bli_buf_text(out, "one and the same value in every row");
        break;
    case BL_FOUND_ONE_VALUE:
        bli_buf_text(out, "one value, or missing");
        break;
    case BL_FOUND_NEAR_CONSTANT:
        bli_buf_text(out, "one value in ");
        bli_profile_share(out, (double)c->top[0].n, rows);
        bli_buf_text(out, " of the rows");
        break;
    case BL_FOUND_UNIQUE:
        bli_buf_text(out, "another value in every row, as an identifier has");
        break;
    case BL_FOUND_MIXED:
        bli_buf_printf(out, "numbers (%llu cells) and texts (%llu)",
                       (unsigned long long)c->n_numbers, (unsigned long long)c->n_texts);
        break;
    case BL_FOUND_MISSING:
        bli_profile_share(out, (double)c->n_missing, rows);
        bli_buf_text(out, " of the cells are missing");
        break;
    case BL_FOUND_INFINITE:
        bli_buf_printf(out, "%llu infinite or too large numbers",
                       (unsigned long long)c->n_infinite);
        break;
    case BL_FOUND_MANY_TEXTS:
        bli_buf_printf(out, "%llu different texts", (unsigned long long)c->n_distinct);
        break;
    case BL_FOUND_IS_LABEL:
        bli_buf_text(out, "equals the label, value for value: a model that sees it only "
                          "copies it");
        break;
    case BL_FOUND_TELLS_LABEL:
        bli_buf_printf(out, "predicts the label alone (%s %.4f): known only afterwards?",
                       measures[p->measure], c->alone);
        break;
    case BL_FOUND_REPEATS:
        bli_buf_text(out, "equals column '");
        bli_cut_text(out, p->columns[c->repeats].name, TEXT_BYTES);
        bli_buf_text(out, "' in every row");
        break;
    }
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void text(bl_jw *jw, const char *value)
{
    bl_buf cut = {0};
    bli_cut_text(&cut, value, TEXT_BYTES);
    bli_jw_text(jw, cut.data ? cut.data : "");
    jw->buf->failed |= cut.failed;
    bli_buf_done(&cut);
}

static void count(bl_jw *jw, const char *key, uint64_t value)
{
    bli_jw_key(jw, key);
    bli_jw_int(jw, (int64_t)value);
}

static void number(bl_jw *jw, const char *key, double value)
{
    bli_jw_key(jw, key);
    bli_jw_double(jw, value);
}

static void numbers(bl_jw *jw, const bl_profile_column *c)
{
    bli_jw_key(jw, "numbers");
    if (!c->n_numbers) {
        bli_jw_null(jw);
        return;
    }
    bli_jw_object(jw);
    count(jw, "count", c->n_numbers);
    count(jw, "infinite", c->n_infinite);
    count(jw, "zeros", c->n_zero);
    count(jw, "negative", c->n_negative);
    number(jw, "min", c->min);
    number(jw, "max", c->max);
    number(jw, "mean", c->mean);
    number(jw, "std", c->deviation);
    bli_jw_key(jw, "quantiles");
    bli_jw_object(jw);
    for (size_t q = 0; q < BL_PROFILE_QUANTILES; q++) {
        char key[BL_NUMBER_BYTES];
        bli_write_double(bli_profile_quantiles[q], key);
        number(jw, key, c->quantile[q]);
    }
    bli_jw_object_end(jw);
    bli_jw_key(jw, "histogram");
    if (c->n_bins) {
        bli_jw_object(jw);
        bli_jw_key(jw, "edges");
        bli_jw_list(jw, true);
        for (size_t b = 0; b <= c->n_bins; b++)
            bli_jw_double(jw, c->edge[b]);
        bli_jw_list_end(jw);
        bli_jw_key(jw, "counts");
        bli_jw_list(jw, true);
        for (size_t b = 0; b < c->n_bins; b++)
            bli_jw_int(jw, (int64_t)c->bin[b]);
        bli_jw_list_end(jw);
        bli_jw_object_end(jw);
    } else {
        bli_jw_null(jw);
    }
    bli_jw_object_end(jw);
}

static void texts(bl_jw *jw, const bl_profile_column *c)
{
    bli_jw_key(jw, "texts");
    if (!c->n_texts) {
        bli_jw_null(jw);
        return;
    }
    bli_jw_object(jw);
    count(jw, "count", c->n_texts);
    count(jw, "shortest", c->shortest);
    count(jw, "longest", c->longest);
    count(jw, "rare", c->n_rare);
    count(jw, "rare_rows", c->rare_rows);
    bli_jw_key(jw, "date");
    if (c->date) {
        bli_jw_object(jw);
        bli_jw_key(jw, "format");
        bli_jw_text(jw, *c->date ? c->date : "ISO 8601");
        bli_jw_key(jw, "time");
        bli_jw_bool(jw, c->has_time);
        bli_jw_object_end(jw);
    } else {
        bli_jw_null(jw);
    }
    bli_jw_object_end(jw);
}

static void top(bl_jw *jw, const bl_profile_column *c)
{
    bli_jw_key(jw, "top");
    bli_jw_list(jw, false);
    for (size_t k = 0; k < c->n_top; k++) {
        const char *value = c->top[k].text;
        double of = 0;
        int64_t whole = 0;
        bli_jw_object(jw);
        bli_jw_key(jw, "value");
        if (!c->top[k].is_text && bli_read_int(value, strlen(value), &whole))
            bli_jw_int(jw, whole);
        else if (!c->top[k].is_text &&
                 bli_read_double(value, strlen(value), &of) == BL_NUMBER_OK)
            bli_jw_double(jw, of);
        else
            text(jw, value);
        count(jw, "rows", c->top[k].n);
        bli_jw_object_end(jw);
    }
    bli_jw_list_end(jw);
    bli_jw_key(jw, "top_estimate");
    bli_jw_bool(jw, c->top_is_estimate);
}

static void column(bl_jw *jw, const bl_profile *p, const bl_profile_column *c)
{
    bli_jw_object(jw);
    bli_jw_key(jw, "column");
    text(jw, c->name);
    count(jw, "index", c->place);
    bli_jw_key(jw, "type");
    bli_jw_text(jw, bli_profile_type_name(c->type));
    count(jw, "rows", p->n_rows);
    count(jw, "missing", c->n_missing);
    count(jw, "distinct", c->n_distinct);
    bli_jw_key(jw, "distinct_estimate");
    bli_jw_bool(jw, c->distinct_is_estimate);
    bli_jw_key(jw, "findings");
    bli_jw_list(jw, true);
    for (size_t bit = 0; bit < BL_N_FINDINGS; bit++)
        if (c->findings >> bit & 1)
            bli_jw_text(jw, bli_finding_name(bit));
    bli_jw_list_end(jw);
    number(jw, "alone", c->alone);
    numbers(jw, c);
    texts(jw, c);
    top(jw, c);
    bli_jw_object_end(jw);
}

static void findings(bl_jw *jw, const bl_profile *p)
{
    bli_jw_key(jw, "findings");
    bli_jw_list(jw, false);
    for (size_t i = 0; i < p->n_columns; i++)
        for (size_t bit = 0; bit < BL_N_FINDINGS; bit++) {
            const bl_profile_column *c = &p->columns[i];
            bl_buf sentence = {0};
            if (!(c->findings >> bit & 1))
                continue;
            bli_profile_sentence(&sentence, p, c, (bl_finding)(1U << bit));
            bli_jw_object(jw);
            bli_jw_key(jw, "column");
            text(jw, c->name);
            bli_jw_key(jw, "finding");
            bli_jw_text(jw, bli_finding_name(bit));
            bli_jw_key(jw, "text");
            bli_jw_text(jw, sentence.data);
            bli_jw_object_end(jw);
            bli_buf_done(&sentence);
        }
    bli_jw_list_end(jw);
}

static void correlation(bl_jw *jw, const bl_profile *p)
{
    bli_jw_key(jw, "correlation");
    bli_jw_object(jw);
    bli_jw_key(jw, "method");
    bli_jw_text(jw, "pearson");
    bli_jw_key(jw, "columns");
    bli_jw_list(jw, true);
    for (size_t i = 0; i < p->n_pairs; i++)
        text(jw, p->columns[p->pair[i]].name);
    bli_jw_list_end(jw);
    count(jw, "left_out", p->n_pairs_left);
    bli_jw_key(jw, "matrix");
    bli_jw_list(jw, false);
    for (size_t i = 0; i < p->n_pairs; i++) {
        bli_jw_list(jw, true);
        for (size_t k = 0; k < p->n_pairs; k++)
            bli_jw_double(jw, p->correlation[i * p->n_pairs + k]);
        bli_jw_list_end(jw);
    }
    bli_jw_list_end(jw);
    bli_jw_object_end(jw);
}

static void files_of(bl_jw *jw, const bl_files *files)
{
    bli_jw_key(jw, "files");
    bli_jw_list(jw, false);
    for (size_t i = 0; i < files->n; i++) {
        bli_jw_object(jw);
        bli_jw_key(jw, "file");
        bli_jw_text(jw, files->file[i].path);
        count(jw, "rows", files->file[i].n_rows);
        count(jw, "bytes", files->file[i].n_bytes);
        bli_jw_key(jw, "sha256");
        bli_jw_text(jw, files->file[i].sha256);
        bli_jw_object_end(jw);
    }
    bli_jw_list_end(jw);
}

uint64_t bli_profile_missing(const bl_profile *p)
{
    uint64_t n = 0;
    for (size_t i = 0; i < p->n_columns; i++)
        n += p->columns[i].n_missing;
    return n;
}

static void summary(bl_jw *jw, const bl_profile *p)
{
    bli_jw_key(jw, "kept");
    bli_jw_object(jw);
    count(jw, "rows", p->n_kept);
    bli_jw_key(jw, "sample");
    bli_jw_bool(jw, p->n_kept < p->n_rows);
    bli_jw_object_end(jw);
    bli_jw_key(jw, "repeated_rows");
    bli_jw_object(jw);
    count(jw, "rows", p->n_repeated_rows);
    bli_jw_key(jw, "estimate");
    bli_jw_bool(jw, p->repeated_is_estimate);
    bli_jw_object_end(jw);
    bli_jw_key(jw, "alone");
    bli_jw_object(jw);
    bli_jw_key(jw, "measure");
    bli_jw_text(jw, bli_alone_name(p->measure));
    count(jw, "classes", p->n_classes);
    bli_jw_object_end(jw);
}

void bli_profile_json(bl_buf *out, const bl_profile *p, const bl_files *files)
{
    bl_jw jw = {.buf = out};
    bli_jw_object(&jw);
    count(&jw, "format", 1);
    count(&jw, "rows", p->n_rows);
    count(&jw, "columns", p->n_columns);
    count(&jw, "missing_cells", bli_profile_missing(p));
    bli_jw_key(&jw, "label");
    if (p->label == SIZE_MAX)
        bli_jw_null(&jw);
    else
        text(&jw, p->columns[p->label].name);
    files_of(&jw, files);
    summary(&jw, p);
    findings(&jw, p);
    bli_jw_key(&jw, "profile");
    bli_jw_list(&jw, false);
    for (size_t i = 0; i < p->n_columns; i++)
        column(&jw, p, &p->columns[i]);
    bli_jw_list_end(&jw);
    correlation(&jw, p);
    bli_jw_object_end(&jw);
    bli_jw_end(&jw);
}
