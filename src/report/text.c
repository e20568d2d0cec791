/* SPDX-License-Identifier: Apache-2.0 */
/* Text and numbers as our CSV and HDF5 files hold them. */
#include "report/report_priv.h"

#include "base/text.h"

#include <math.h>
#include <string.h>

/* Length of the UTF-8 sequence at s of at most n bytes; 0 where there is none (RFC 3629).
 */
static size_t sequence(const unsigned char *s, size_t n)
{
    if (s[0] > 0 && s[0] < 0x80)
        return 1;
    size_t length = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
    if (length == 0 || length > n || s[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
    bool surrogate = s[0] == 0xed && s[1] >= 0xa0;
    bool too_large = s[0] == 0xf4 && s[1] >= 0x90;
    return overlong || surrogate || too_large ? 0 : length;
}

void bli_utf8_add(bl_buf *out, const char *text, size_t n)
{
    const unsigned char *s = (const unsigned char *)text;
    for (size_t i = 0; i < n;) {
        size_t length = sequence(s + i, n - i);
        if (length > 0)
            bli_buf_add(out, text + i, length);
        else
            bli_buf_text(out, "\xef\xbf\xbd");
        i += length > 0 ? length : 1;
    }
}

void bli_csv_cell(bl_buf *out, const char *text, size_t n)
{
    bool quote = n > 0 && (text[0] == ' ' || text[n - 1] == ' ');
    for (size_t i = 0; i < n; i++)
        quote |= strchr(",\"\r\n", text[i]) != NULL;
    if (!quote) {
        bli_utf8_add(out, text, n);
        return;
    }
    bli_buf_char(out, '"');
    for (size_t i = 0, first = 0; i <= n; i++)
        if (i == n || text[i] == '"') {
            bli_utf8_add(out, text + first, i - first);
            if (i < n)
                bli_buf_text(out, "\"\"");
            first = i + 1;
        }
    bli_buf_char(out, '"');
}

void bli_csv_number(bl_buf *out, double value)
{
    char text[BL_NUMBER_BYTES];
    if (isfinite(value))
        bli_buf_add(out, text, bli_write_double(value, text));
}
