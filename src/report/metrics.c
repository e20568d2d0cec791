/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.json */
#include "report/report_priv.h"

#include "base/fs.h"

#include <math.h>
#include <string.h>

static void write_history(const bl_metrics_report *report, bl_jw *jw)
{
    const char *open = NULL;
    bli_jw_key(jw, "history");
    bli_jw_object(jw);
    for (size_t i = 0; i < report->n_histories; i++) {
        const bl_history *history = &report->histories[i];
        if (!open || strcmp(open, history->data) != 0) {
            if (open)
                bli_jw_object_end(jw);
            bli_jw_key(jw, history->data);
            bli_jw_object(jw);
            open = history->data;
        }
        bli_jw_key(jw, history->metric);
        bli_jw_list(jw, true);
        for (size_t round = 0; round < history->n_rounds; round++)
            bli_jw_double(jw, history->values[round]);
        bli_jw_list_end(jw);
    }
    if (open)
        bli_jw_object_end(jw);
    bli_jw_object_end(jw);
}

static bl_status write_finals(const bl_metrics_report *report, bl_jw *jw, bl_err *err)
{
    bli_jw_key(jw, "final");
    bli_jw_object(jw);
    for (size_t i = 0; i < report->n_channels; i++) {
        const bl_channel_report *channel = &report->channels[i];
        if (!channel->scored)
            continue;
        bli_jw_key(jw, channel->channel);
        bli_jw_object(jw);
        bl_status status = bli_final_metrics(channel->scored, jw, err);
        bli_jw_object_end(jw);
        if (status) {
            bli_err_prefix(err, "metrics of channel %s", channel->channel);
            return status;
        }
    }
    bli_jw_object_end(jw);
    return BL_OK;
}

static void member(const char *name, double value, bl_jw *jw)
{
    bli_jw_key(jw, name);
    bli_jw_double(jw, value);
}

static void write_attributions(const bl_metrics_report *report, bl_jw *jw)
{
    bli_jw_key(jw, "attributions");
    bli_jw_object(jw);
    for (size_t i = 0; i < report->n_channels; i++) {
        const bl_attribution *attribution = report->channels[i].attribution;
        if (!attribution)
            continue;
        bli_jw_key(jw, report->channels[i].channel);
        bli_jw_object(jw);
        bli_jw_key(jw, "rows");
        bli_jw_int(jw, (int64_t)attribution->n_rows);
        member("largest_margin", attribution->max_abs_margin, jw);
        member("worst_additivity_error", attribution->worst_additivity, jw);
        member("worst_additivity_error_relative",
               attribution->worst_additivity / attribution->max_abs_margin, jw);
        bli_jw_key(jw, "worst_row");
        bli_jw_int(jw, (int64_t)attribution->worst_row);
        member("worst_distance_to_margin", attribution->worst_margin_distance, jw);
        bli_jw_key(jw, "mean_margins");
        bli_jw_list(jw, true);
        for (size_t k = 0; k < attribution->n_outputs; k++)
            bli_jw_double(jw, attribution->mean_margins[k]);
        bli_jw_list_end(jw);
        bli_jw_object_end(jw);
    }
    bli_jw_object_end(jw);
}

static void write_model(const bl_metrics_report *report, bl_jw *jw)
{
    bli_jw_key(jw, "objective");
    bli_jw_text(jw, report->objective);
    bli_jw_key(jw, "rounds");
    bli_jw_int(jw, (int64_t)report->n_rounds);
    bli_jw_key(jw, "rounds_used");
    bli_jw_int(jw, (int64_t)report->n_rounds_used);
    bli_jw_key(jw, "trees_used");
    bli_jw_int(jw, (int64_t)report->n_trees_used);
    bli_jw_key(jw, "best_iteration");
    if (report->best_iteration >= 0)
        bli_jw_int(jw, report->best_iteration);
    else
        bli_jw_null(jw);
    member("best_score", report->best_iteration >= 0 ? report->best_score : (double)NAN,
           jw);
    bli_jw_key(jw, "base_values");
    if (!report->base_values) {
        bli_jw_null(jw);
        return;
    }
    bli_jw_list(jw, true);
    for (size_t k = 0; k < report->n_outputs; k++)
        bli_jw_double(jw, report->base_values[k]);
    bli_jw_list_end(jw);
}

bl_status bli_metrics_write(const char *path, const bl_metrics_report *report,
                            bl_err *err)
{
    bl_buf out = {0};
    bl_jw jw = {.buf = &out};
    bli_jw_object(&jw);
    write_model(report, &jw);
    bl_status status = write_finals(report, &jw, err);
    if (status)
        goto done;
    write_attributions(report, &jw);
    write_history(report, &jw);
    bli_jw_object_end(&jw);
    bli_jw_end(&jw);
    status = bli_buf_check(&out, "metrics.json", err);
    if (status == BL_OK)
        status = bli_write_file(path, 0600, out.data, out.n, err);
done:
    bli_buf_done(&out);
    return status;
}
