/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A profile as files: profile.json for programs, profile.html for people. Equal profiles give
 * equal bytes.
 *
 * profile.json: {"format": 1, "rows", "columns", "missing_cells", "label": NAME or null,
 *  "files": [{"file", "rows", "bytes", "sha256"}],
 *  "kept": {"rows", "sample": bool} - rows that quantiles, histograms, correlations and "alone"
 *     are of,
 *  "repeated_rows": {"rows", "estimate": bool},
 *  "alone": {"measure": "auc" | "errors_saved" | "r2" | "none", "classes"},
 *  "findings": [{"column", "finding", "text"}],
 *  "profile": [{"column", "index", "type", "rows", "missing", "distinct", "distinct_estimate",
 *     "findings": [..], "alone",
 *     "numbers": null or {"count", "infinite", "zeros", "negative", "min", "max", "mean",
 *        "std" (n - 1), "quantiles": {"0.01": .., ..}, "histogram": null or {"edges": [21],
 *        "counts": [20]}},
 *     "texts": null or {"count", "shortest", "longest" (characters), "rare", "rare_rows",
 *        "date": null or {"format", "time"}},
 *     "top": [{"value": number or text, "rows"}], "top_estimate"}],
 *  "correlation": {"method": "pearson", "columns": [..], "left_out", "matrix": [[..]]}}
 * A number that is not there is null. A text of more than 200 bytes is cut and ends in "…".
 *
 * profile.html is one file: no script, no font, no picture from elsewhere; SVG within. It shows at
 * most 300 columns and a matrix of 40; the rest is in the JSON.
 */
#ifndef BL_REPORT_PROFILE_H
#define BL_REPORT_PROFILE_H

#include "base/buf.h"
#include "base/rows.h"
#include "evaluate/profile.h"

void bli_profile_json(bl_buf *out, const bl_profile *profile, const bl_files *files);
void bli_profile_html(bl_buf *out, const bl_profile *profile, const bl_files *files);

/* What a finding says of its column, a sentence without the column's name. */
void bli_profile_sentence(bl_buf *out, const bl_profile *profile,
                          const bl_profile_column *column, bl_finding finding);

#endif
