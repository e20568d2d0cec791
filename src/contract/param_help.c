/* SPDX-License-Identifier: Apache-2.0 */
/* The table in words: what a parameter accepts, `boostlens help train`, the README's
 * table. */
#include "contract/contract_priv.h"

#include "base/text.h"

#include <math.h>
#include <string.h>

static const char *number_text(double v, char out[BL_NUMBER_BYTES])
{
    size_t n = bli_write_double(v, out);
    if (n > 2 && strcmp(out + n - 2, ".0") == 0)
        out[n - 2] = '\0';
    return out;
}

/* ", 1 or more", ", above 0, at most 1", ", 0 to 1"; nothing where every number is
 * accepted. */
static void range_text(const bl_param_def *def, bl_buf *out)
{
    char low[BL_NUMBER_BYTES], high[BL_NUMBER_BYTES];
    bool has_low = isfinite(def->low), has_high = isfinite(def->high);
    /* 2^31 - 1 is the type's own bound, not worth a reader's time unless it is met. */
    bool wide = !has_high || def->high == 2147483647.0;
    number_text(def->low, low);
    number_text(def->high, high);
    if (has_low && wide)
        bli_buf_printf(out, def->low_open ? ", above %s" : ", %s or more", low);
    else if (has_low && has_high && def->low_open && def->high_open)
        bli_buf_printf(out, ", between %s and %s, neither included", low, high);
    else if (has_low && has_high && def->low_open)
        bli_buf_printf(out, ", above %s, at most %s", low, high);
    else if (has_low && has_high)
        bli_buf_printf(out, ", %s to %s", low, high);
}

static void choices_text(const bl_param_def *def, bl_buf *out)
{
    for (size_t i = 0; def->choices[i]; i++)
        bli_buf_printf(out, "%s%s", i ? ", " : "", def->choices[i]);
}

/* whole: with the bound that is only the type's. */
static void accepts_text(const bl_param_def *def, bool whole, bl_buf *out)
{
    switch (def->type) {
    case BL_PARAM_INT:
        bli_buf_text(out, "a whole number");
        range_text(def, out);
        if (whole && def->high == 2147483647.0)
            bli_buf_text(out, " (below 2^31)");
        break;
    case BL_PARAM_FLOAT:
        bli_buf_text(out, "a number");
        range_text(def, out);
        break;
    case BL_PARAM_BOOL:
        bli_buf_text(out, "true or false");
        break;
    case BL_PARAM_CHOICE:
        bli_buf_text(out, def->choices[1] ? "one of " : "only ");
        choices_text(def, out);
        break;
    case BL_PARAM_LIST:
        bli_buf_text(out, "a list, as a,b or [\"a\", \"b\"]");
        if (def->choices) {
            bli_buf_text(out, ", of ");
            choices_text(def, out);
        }
        break;
    case BL_PARAM_FLOATS:
        bli_buf_text(out, "one or more numbers, as 0.1 or [0.1, 0.9]");
        if (isfinite(def->low))
            bli_buf_text(out, ", each");
        range_text(def, out);
        break;
    case BL_PARAM_TUPLE:
        bli_buf_text(out, "-1, 0 or 1 for each feature, as (1,0,-1), or {\"NAME\": 1}");
        break;
    case BL_PARAM_NESTED:
        bli_buf_text(
            out, "lists of features in a list, as [[0, 1], [2, 3, 4]], indices from 0 "
                 "or names");
        break;
    case BL_PARAM_COLUMN:
        bli_buf_text(out, "one column, its header name or its index from 0");
        break;
    case BL_PARAM_COLUMNS:
        bli_buf_text(out, "columns by header name or index from 0, as 0,3 or "
                          "[\"name\", 3]");
        break;
    case BL_PARAM_TEXT:
        bli_buf_text(out, "text");
        break;
    }
}

const char *bli_param_accepts(const bl_param_def *def, char out[BL_ACCEPTS_BYTES])
{
    bl_buf text = {0};
    accepts_text(def, true, &text);
    snprintf(out, BL_ACCEPTS_BYTES, "%s",
             text.data && !text.failed ? text.data : def->help);
    bli_buf_done(&text);
    return out;
}

/* --- Help --------------------------------------------------------------------------- */

/* Words of text in lines of at most 88 columns, each led by indent blanks. */
static void wrap(bl_buf *out, unsigned indent, const char *text)
{
    size_t col = 0;
    while (*text) {
        size_t n = strcspn(text, " ");
        if (col && col + 1 + n > 88) {
            bli_buf_char(out, '\n');
            col = 0;
        }
        if (col) {
            bli_buf_char(out, ' ');
            col++;
        } else {
            bli_buf_printf(out, "%*s", (int)indent, "");
            col = indent;
        }
        bli_buf_add(out, text, n);
        col += n;
        text += n;
        while (*text == ' ')
            text++;
    }
    bli_buf_char(out, '\n');
}

static void text_entry(bl_buf *out, const bl_param_def *def)
{
    bl_buf line = {0};
    bli_buf_printf(out, "  %s", def->name);
    if (def->alias)
        bli_buf_printf(out, " (%s)", def->alias);
    if (def->default_text[0])
        bli_buf_printf(out, " = %s", def->default_text);
    bli_buf_char(out, '\n');
    bli_buf_printf(&line, "%s Accepted: ", def->help);
    accepts_text(def, false, &line);
    bli_buf_char(&line, '.');
    if (line.data && !line.failed)
        wrap(out, 6, line.data);
    else
        out->failed = true;
    bli_buf_done(&line);
}

static void cell(bl_buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            bli_buf_char(out, '\\');
        bli_buf_char(out, *text);
    }
}

static void markdown_entry(bl_buf *out, const bl_param_def *def)
{
    bl_buf accepts = {0};
    bli_buf_printf(out, "| `%s`", def->name);
    if (def->alias)
        bli_buf_printf(out, " (`%s`)", def->alias);
    bli_buf_text(out, " | ");
    accepts_text(def, false, &accepts);
    cell(out, accepts.data ? accepts.data : "");
    bli_buf_done(&accepts);
    if (def->default_text[0])
        bli_buf_printf(out, " | `%s` | ", def->default_text);
    else
        bli_buf_text(out, " | | ");
    cell(out, def->help);
    bli_buf_text(out, " |\n");
}

static void heading(bl_buf *out, const char *group, bool markdown, bool first)
{
    if (!markdown) {
        bli_buf_printf(out, "%s%s\n", first ? "" : "\n", group);
        return;
    }
    bli_buf_printf(out, "%s**%s**\n\n", first ? "" : "\n", group);
    bli_buf_text(out, "| name | accepted | default | what it does |\n"
                      "| --- | --- | --- | --- |\n");
}

bl_status bli_param_help(bl_buf *out, bool markdown, bl_err *err)
{
    size_t n;
    const bl_param_def *def = bli_param_defs(&n);
    for (size_t i = 0; i < n; i++, def++) {
        if (i == 0 || strcmp(def->group, def[-1].group) != 0)
            heading(out, def->group, markdown, i == 0);
        if (markdown)
            markdown_entry(out, def);
        else
            text_entry(out, def);
    }
    return bli_buf_check(out, "the table of hyperparameters", err);
}
