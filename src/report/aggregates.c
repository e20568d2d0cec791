/* SPDX-License-Identifier: Apache-2.0 */
/* aggregates.json */
#include "report/report_priv.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void member(const char *name, double value, bl_jw *jw)
{
    bli_jw_key(jw, name);
    bli_jw_double(jw, value);
}

static void doubles(const char *name, const double *values, size_t n, bl_jw *jw)
{
    bli_jw_key(jw, name);
    bli_jw_list(jw, true);
    for (size_t i = 0; i < n; i++)
        bli_jw_double(jw, values[i]);
    bli_jw_list_end(jw);
}

static void write_head(const bl_aggregates_report *report, bl_jw *jw)
{
    const bl_attribution *a = report->attribution;
    bli_jw_key(jw, "format");
    bli_jw_int(jw, 1);
    bli_jw_key(jw, "space");
    bli_jw_text(jw, report->space ? report->space : "margin");
    bli_jw_key(jw, "background_rows");
    bli_jw_int(jw, (int64_t)report->background_rows);
    bli_jw_key(jw, "rows");
    bli_jw_int(jw, (int64_t)a->n_rows);
    doubles("base_values", a->base_values, a->n_outputs, jw);
    bli_jw_key(jw, "additivity");
    bli_jw_object(jw);
    member("largest_total", a->max_abs_margin, jw);
    member("worst_error", a->worst_additivity, jw);
    bli_jw_key(jw, "worst_row");
    bli_jw_int(jw, (int64_t)a->worst_row);
    bli_jw_object_end(jw);
    bli_jw_key(jw, "quantile_error");
    bli_jw_object(jw);
    member("of_the_value", bli_aggregates_accuracy(report->aggregates), jw);
    member("of_the_largest", ldexp(1, -19), jw);
    bli_jw_object_end(jw);
}

static void write_quantiles(const bl_aggregates *a, size_t output, size_t feature,
                            bl_jw *jw)
{
    static const char *const shares[] = {"0.01", "0.05", "0.1",  "0.25", "0.5",
                                         "0.75", "0.9",  "0.95", "0.99"};
    bli_jw_key(jw, "quantiles");
    bli_jw_object(jw);
    for (size_t i = 0; i < BL_LEN(shares); i++) {
        double share = 0.5;
        bli_read_double(shares[i], strlen(shares[i]), &share);
        member(shares[i], bli_aggregates_quantile(a, output, feature, share), jw);
    }
    bli_jw_object_end(jw);
}

static void write_histogram(const bl_aggregates *a, size_t output, size_t feature,
                            bl_jw *jw)
{
    double edges[BLI_MOST_BINS + 1];
    uint64_t counts[BLI_MOST_BINS];
    size_t n = bli_aggregates_histogram(a, output, feature, edges, counts);
    bli_jw_key(jw, "histogram");
    bli_jw_object(jw);
    doubles("edges", edges, n ? n + 1 : 0, jw);
    bli_jw_key(jw, "counts");
    bli_jw_list(jw, true);
    for (size_t i = 0; i < n; i++)
        bli_jw_int(jw, (int64_t)counts[i]);
    bli_jw_list_end(jw);
    bli_jw_object_end(jw);
}

static void write_feature(const bl_aggregates_report *report, size_t output,
                          size_t feature, bl_jw *jw)
{
    const bl_aggregates *a = report->aggregates;
    bl_aggregate of = bli_aggregate(a, output, feature);
    bli_jw_object(jw);
    bli_jw_key(jw, "feature");
    bli_jw_text(jw, report->schema->features[feature].name);
    member("mean_abs", of.mean_abs, jw);
    member("mean", of.mean, jw);
    member("min", of.min, jw);
    member("max", of.max, jw);
    if (of.mean_abs > 0) {
        write_quantiles(a, output, feature, jw);
        write_histogram(a, output, feature, jw);
    }
    bli_jw_object_end(jw);
}

static void write_outputs(const bl_aggregates_report *report, bl_jw *jw)
{
    bli_jw_key(jw, "outputs");
    bli_jw_list(jw, false);
    for (size_t o = 0; o < report->attribution->n_outputs; o++) {
        bli_jw_object(jw);
        bli_jw_key(jw, "output");
        bli_jw_int(jw, (int64_t)o);
        bli_jw_key(jw, "features");
        bli_jw_list(jw, false);
        for (size_t f = 0; f < report->attribution->n_features; f++)
            write_feature(report, o, f, jw);
        bli_jw_list_end(jw);
        bli_jw_object_end(jw);
    }
    bli_jw_list_end(jw);
}

/* --- Groups ------------------------------------------------------------------------- */

typedef struct group {
    const char *text;
    size_t code;
    double number;
} group;

/* Numbers by size, then the rest by bytes. */
static int by_value(const void *a, const void *b)
{
    const group *x = a, *y = b;
    bool numbers[2] = {!isnan(x->number), !isnan(y->number)};
    if (numbers[0] != numbers[1])
        return numbers[0] ? -1 : 1;
    if (numbers[0] && (x->number < y->number || x->number > y->number))
        return x->number < y->number ? -1 : 1;
    return strcmp(x->text, y->text);
}

static void write_means(const bl_aggregates_report *report, size_t g, bool absolute,
                        bl_jw *jw)
{
    bli_jw_key(jw, absolute ? "mean_abs" : "mean");
    bli_jw_list(jw, false);
    for (size_t o = 0; o < report->attribution->n_outputs; o++) {
        bli_jw_list(jw, true);
        for (size_t f = 0; f < report->attribution->n_features; f++) {
            bl_aggregate of = bli_aggregates_of_group(report->aggregates, g, o, f);
            bli_jw_double(jw, absolute ? of.mean_abs : of.mean);
        }
        bli_jw_list_end(jw);
    }
    bli_jw_list_end(jw);
}

static bl_status write_groups(const bl_aggregates_report *report, bl_jw *jw, bl_err *err)
{
    size_t n = bli_aggregates_n_groups(report->aggregates);
    void *memory;
    bl_status st = bli_alloc(n, sizeof(group), "groups of rows", &memory, err);
    if (st != BL_OK)
        return st;
    group *groups = memory;
    for (size_t i = 0; i < n; i++) {
        groups[i] = (group){bli_levels_text(report->groups, (uint32_t)i), i, (double)NAN};
        double number;
        if (bli_read_double(groups[i].text, strlen(groups[i].text), &number) ==
            BL_NUMBER_OK)
            groups[i].number = number;
    }
    qsort(groups, n, sizeof *groups, by_value);
    bli_jw_key(jw, "facet");
    bli_jw_object(jw);
    bli_jw_key(jw, "column");
    bli_jw_text(jw, report->facet);
    bli_jw_key(jw, "groups");
    bli_jw_list(jw, false);
    for (size_t i = 0; i < n; i++) {
        bli_jw_object(jw);
        bli_jw_key(jw, "value");
        bli_jw_text(jw, groups[i].text);
        bli_jw_key(jw, "rows");
        bli_jw_int(
            jw, (int64_t)bli_aggregates_group_rows(report->aggregates, groups[i].code));
        write_means(report, groups[i].code, true, jw);
        write_means(report, groups[i].code, false, jw);
        bli_jw_object_end(jw);
    }
    bli_jw_list_end(jw);
    bli_jw_object_end(jw);
    free(groups);
    return BL_OK;
}

bl_status bli_aggregates_write(const char *path, const bl_aggregates_report *report,
                               bl_err *err)
{
    bl_buf out = {0};
    bl_jw jw = {.buf = &out};
    bl_status st = BL_OK;
    bli_jw_object(&jw);
    write_head(report, &jw);
    if (report->facet)
        st = write_groups(report, &jw, err);
    write_outputs(report, &jw);
    bli_jw_object_end(&jw);
    bli_jw_end(&jw);
    if (st == BL_OK)
        st = bli_buf_check(&out, "aggregates.json", err);
    if (st == BL_OK)
        st = bli_write_file(path, 0600, out.data, out.n, err);
    bli_buf_done(&out);
    return st;
}
