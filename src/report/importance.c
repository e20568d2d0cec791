/* SPDX-License-Identifier: Apache-2.0 */
/* importance.csv, and its first lines as bars. */
#include "report/report_priv.h"

#include "base/fs.h"
#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One line: a model column, or a source column (sums over its model columns). */
typedef struct bl_line {
    const char *name;
    size_t position;
    double mean_abs, mean; /* NaN: no attribution */
    double weight, total_gain, total_cover;
    double *
        of_output; /* [2 * n_outputs] mean |phi|, mean phi of each; NULL for one output */
    double order;  /* larger first */
} bl_line;

typedef struct bl_lines {
    size_t n;
    bl_line *line;
    double *of_outputs;
} bl_lines;

static void lines_done(bl_lines *lines)
{
    free(lines->line);
    free(lines->of_outputs);
}

static int by_order(const void *a, const void *b)
{
    const bl_line *x = a;
    const bl_line *y = b;
    if (x->order > y->order || x->order < y->order)
        return x->order > y->order ? -1 : 1;
    return (x->position > y->position) - (x->position < y->position);
}

static void add_feature(bl_line *line, size_t feature, const bl_attribution *attribution,
                        const bl_split_scores *scores)
{
    if (scores) {
        line->weight += scores->weight[feature];
        line->total_gain += scores->total_gain[feature];
        line->total_cover += scores->total_cover[feature];
    }
    for (size_t k = 0; attribution && k < attribution->n_outputs; k++) {
        double mean_abs = attribution->mean_abs[k * attribution->n_features + feature];
        double mean = attribution->mean[k * attribution->n_features + feature];
        line->mean_abs += mean_abs;
        line->mean += mean;
        if (line->of_output) {
            line->of_output[2 * k] += mean_abs;
            line->of_output[2 * k + 1] += mean;
        }
    }
}

static size_t line_of(const bl_schema *schema, bool by_source, size_t feature)
{
    return by_source ? schema->features[feature].source : feature;
}

static bl_status lines_make(const bl_schema *schema, bool by_source,
                            const bl_attribution *attribution,
                            const bl_split_scores *scores, bl_lines *ret_lines,
                            bl_err *err)
{
    size_t n = by_source ? schema->n_sources : schema->n_features;
    size_t n_outputs =
        attribution && attribution->n_outputs > 1 ? attribution->n_outputs : 0;
    bl_lines lines = {.n = n};
    void *memory;
    size_t n_each;
    bl_status status = bli_alloc(n, sizeof(bl_line), "importances", &memory, err);
    if (status)
        return status;
    lines.line = memory;
    if (!bli_mul(2 * n_outputs, n, &n_each))
        n_each = SIZE_MAX;
    status = bli_alloc(n_each, sizeof(double), "importances", &memory, err);
    if (status) {
        lines_done(&lines);
        return status;
    }
    lines.of_outputs = memory;
    double none = attribution ? 0 : (double)NAN;
    for (size_t i = 0; i < n; i++)
        lines.line[i] = (bl_line){
            .name = by_source ? schema->sources[i] : schema->features[i].name,
            .position = i,
            .mean_abs = none,
            .mean = none,
            .of_output = n_outputs ? lines.of_outputs + 2 * n_outputs * i : NULL,
        };
    for (size_t f = 0; f < schema->n_features; f++)
        add_feature(&lines.line[line_of(schema, by_source, f)], f, attribution, scores);
    for (size_t i = 0; i < n; i++) {
        double order = attribution ? lines.line[i].mean_abs : lines.line[i].total_gain;
        lines.line[i].order = isnan(order) ? -1 : order;
    }
    qsort(lines.line, n, sizeof(bl_line), by_order);
    *ret_lines = lines;
    return BL_OK;
}

static void comma_number(bl_buf *out, double value)
{
    bli_buf_char(out, ',');
    bli_csv_number(out, value);
}

static void write_line(const bl_line *line, const char *view, size_t n_outputs,
                       bool has_scores, bl_buf *out)
{
    double none = (double)NAN;
    bli_buf_text(out, view);
    bli_buf_char(out, ',');
    bli_csv_cell(out, line->name, strlen(line->name));
    comma_number(out, line->mean_abs);
    comma_number(out, line->mean);
    /* A column that no split uses has no mean gain and no mean cover. */
    comma_number(out, line->weight > 0 ? line->total_gain / line->weight : none);
    comma_number(out, has_scores ? line->weight : none);
    comma_number(out, line->weight > 0 ? line->total_cover / line->weight : none);
    comma_number(out, has_scores ? line->total_gain : none);
    comma_number(out, has_scores ? line->total_cover : none);
    for (size_t i = 0; i < 2 * n_outputs; i++)
        comma_number(out, line->of_output[i]);
    bli_buf_char(out, '\n');
}

bl_status bli_importance_write(const char *path, const bl_schema *schema,
                               const bl_attribution *attribution,
                               const bl_split_scores *scores, bl_err *err)
{
    size_t n_outputs =
        attribution && attribution->n_outputs > 1 ? attribution->n_outputs : 0;
    bl_buf out = {0};
    bl_status status = BL_OK;
    bli_buf_text(&out,
                 "view,feature,mean_abs_shap,mean_shap,gain,weight,cover,total_gain,"
                 "total_cover");
    for (size_t k = 0; k < n_outputs; k++)
        bli_buf_printf(&out, ",mean_abs_shap_%zu,mean_shap_%zu", k, k);
    bli_buf_char(&out, '\n');
    for (int by_source = 1; by_source >= 0; by_source--) {
        bl_lines lines;
        status = lines_make(schema, by_source, attribution, scores, &lines, err);
        if (status)
            goto done;
        for (size_t i = 0; i < lines.n; i++)
            write_line(&lines.line[i], by_source ? "source" : "model", n_outputs,
                       scores != NULL, &out);
        lines_done(&lines);
    }
    status = bli_buf_check(&out, "importance.csv", err);
    if (status == BL_OK)
        status = bli_write_file(path, 0600, out.data, out.n, err);
done:
    bli_buf_done(&out);
    return status;
}

/* --- Bars --------------------------------------------------------------------------- */

enum { NAME_WIDTH = 24, BAR_WIDTH = 40 };

/* A name of at most NAME_WIDTH characters, padded to `width`. */
static void put_name(const char *name, size_t width, bl_buf *out)
{
    bl_buf clean = {0};
    size_t shown = 0;
    size_t n_chars = 0;
    bli_utf8_add(&clean, name, strlen(name));
    for (size_t i = 0; i < clean.n; i++)
        n_chars += ((unsigned char)clean.data[i] & 0xc0) != 0x80;
    size_t keep = n_chars <= width ? n_chars : width - 3;
    for (size_t i = 0; i < clean.n; i++) {
        bool starts = ((unsigned char)clean.data[i] & 0xc0) != 0x80;
        if (starts && shown == keep)
            break;
        shown += starts;
        /* Control characters would move the cursor. */
        bli_buf_char(out, (unsigned char)clean.data[i] < 0x20 ? '?' : clean.data[i]);
    }
    if (keep < n_chars) {
        bli_buf_text(out, "...");
        shown += 3;
    }
    for (; shown < width; shown++)
        bli_buf_char(out, ' ');
    bli_buf_done(&clean);
}

void bli_importance_bars(const bl_schema *schema, const bl_attribution *attribution,
                         size_t n, bl_buf *out)
{
    bl_lines lines;
    size_t width = 0;
    if (lines_make(schema, true, attribution, NULL, &lines, NULL)) {
        out->failed = true;
        return;
    }
    n = n < lines.n ? n : lines.n;
    for (size_t i = 0; i < n; i++) {
        size_t length = strlen(lines.line[i].name);
        width = length > width ? length : width;
    }
    width = width < NAME_WIDTH ? width : NAME_WIDTH;
    for (size_t i = 0; i < n; i++) {
        double value = lines.line[i].mean_abs;
        double share = lines.line[0].mean_abs > 0 ? value / lines.line[0].mean_abs : 0;
        int length = isfinite(share) ? (int)lrint(share * BAR_WIDTH) : 0;
        put_name(lines.line[i].name, width, out);
        bli_buf_text(out, "  ");
        for (int c = 0; c < BAR_WIDTH; c++)
            bli_buf_char(out, c < length ? '#' : ' ');
        bli_buf_printf(out, "  %.4g\n", value);
    }
    lines_done(&lines);
}
