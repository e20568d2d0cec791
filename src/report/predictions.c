/* SPDX-License-Identifier: Apache-2.0 */
/* predictions.csv: numbers as C's %f in the C locale, whatever the locale of the process.
 */
#include "report/report_priv.h"

#include "base/fs.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>

enum { FLUSH_BYTES = 1 << 20 };

static void write_row(uint64_t row, size_t n_columns, const double *values,
                      const bl_text_column *ids, size_t n_ids, bl_buf *out)
{
    for (size_t i = 0; i < n_columns; i++) {
        double value = values[row * n_columns + i];
        if (i > 0)
            bli_buf_char(out, ',');
        if (isnan(value))
            bli_buf_text(out, "nan"); /* printf would show its sign */
        else
            bli_buf_printf(out, "%f", value);
    }
    for (size_t i = 0; i < n_ids; i++) {
        uint64_t first = ids[i].offset[row];
        bli_buf_char(out, ',');
        bli_csv_cell(out, ids[i].text + first, (size_t)(ids[i].offset[row + 1] - first));
    }
    bli_buf_char(out, '\n');
}

static bl_status flush(bl_buf *out, bl_output *file, bl_err *err)
{
    bl_status status = bli_buf_check(out, "predictions.csv", err);
    if (status == BL_OK && out->n > 0 &&
        fwrite(out->data, 1, out->n, file->file) != out->n)
        status = bli_fail_errno(err, BL_E_IO, errno, "'%s'", file->path);
    out->n = 0;
    return status;
}

bl_status bli_predictions_write(const char *path, uint64_t n_rows, size_t n_columns,
                                const double *values, const bl_text_column *ids,
                                size_t n_ids, bl_err *err)
{
    bl_output file = {0};
    bl_buf out = {0};
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!c_locale)
        return bli_fail(err, BL_E_NOMEM, "no memory for the C locale");
    locale_t before = uselocale(c_locale);
    bl_status status = bli_output_open(path, 0600, &file, err);
    for (uint64_t row = 0; status == BL_OK && row < n_rows; row++) {
        write_row(row, n_columns, values, ids, n_ids, &out);
        if (out.n >= FLUSH_BYTES)
            status = flush(&out, &file, err);
    }
    if (status == BL_OK)
        status = flush(&out, &file, err);
    if (status == BL_OK)
        status = bli_output_commit(&file, err);
    else
        bli_output_abort(&file);
    bli_buf_done(&out);
    uselocale(before);
    freelocale(c_locale);
    return status;
}
