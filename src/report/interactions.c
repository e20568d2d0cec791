/* SPDX-License-Identifier: Apache-2.0 */
/* interactions.csv: how strong each pair of features is over all rows. */
#include "report/report_priv.h"

#include "base/fs.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

typedef struct line {
    size_t output, first, second;
    double mean_abs, mean;
} line;

/* Output by output, the strongest first. */
static int by_strength(const void *a, const void *b)
{
    const line *x = a, *y = b;
    if (x->output != y->output)
        return x->output < y->output ? -1 : 1;
    if (x->mean_abs > y->mean_abs || x->mean_abs < y->mean_abs)
        return x->mean_abs > y->mean_abs ? -1 : 1;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return (x->second > y->second) - (x->second < y->second);
}

static size_t collect(const bl_strengths *s, line *lines)
{
    double n = s->n_rows ? (double)s->n_rows : 1;
    size_t at = 0;
    for (size_t o = 0; o < s->n_outputs; o++) {
        for (size_t p = 0; p < s->n_pairs; p++) {
            size_t i = o * s->n_pairs + p;
            lines[at++] = (line){o, s->pairs[p].first, s->pairs[p].second,
                                 s->sum_abs[i] / n, s->sum[i] / n};
        }
        for (size_t f = 0; f < s->n_features; f++) {
            size_t i = o * s->n_features + f;
            if (s->diagonal_abs[i] > 0)
                lines[at++] = (line){o, f, f, s->diagonal_abs[i] / n, 0};
        }
    }
    return at;
}

static void put_name(const bl_schema *schema, size_t feature, bl_buf *out)
{
    const char *name = schema->features[feature].name;
    bli_csv_cell(out, name, strlen(name));
}

bl_status bli_interactions_write(const char *path, const bl_schema *schema,
                                 const bl_strengths *strengths, bl_err *err)
{
    void *memory;
    size_t most = strengths->n_outputs * (strengths->n_pairs + strengths->n_features);
    bl_status st = bli_alloc(most, sizeof(line), "pairs of features", &memory, err);
    if (st != BL_OK)
        return st;
    line *lines = memory;
    size_t n = collect(strengths, lines);
    qsort(lines, n, sizeof *lines, by_strength);
    bl_buf out = {0};
    bli_buf_printf(&out, "output,first,second,mean_abs_interaction,mean_interaction\n");
    for (size_t i = 0; i < n; i++) {
        bli_buf_printf(&out, "%zu,", lines[i].output);
        put_name(schema, lines[i].first, &out);
        bli_buf_char(&out, ',');
        put_name(schema, lines[i].second, &out);
        bli_buf_char(&out, ',');
        bli_csv_number(&out, lines[i].mean_abs);
        bli_buf_char(&out, ',');
        if (lines[i].first != lines[i].second)
            bli_csv_number(&out, lines[i].mean);
        bli_buf_char(&out, '\n');
    }
    free(lines);
    st = bli_buf_check(&out, "interactions.csv", err);
    if (st == BL_OK)
        st = bli_write_file(path, 0600, out.data, out.n, err);
    bli_buf_done(&out);
    return st;
}
