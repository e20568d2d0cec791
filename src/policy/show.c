/* SPDX-License-Identifier: Apache-2.0 */
/* Findings for people and for machines. */
#include "policy/policy_priv.h"

/* Names come from the document: no line ends, no control bytes of a terminal. */
static void put_plain(bl_buf *out, const char *text)
{
    for (; *text; text++)
        bli_buf_char(out, (unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
}

void bli_lint_text(const bl_lint *lint, const char *name, bl_buf *out)
{
    for (size_t i = 0; i < lint->n; i++) {
        const bl_finding *f = &lint->finding[i];
        const char *parts[] = {name,     ": ",       f->rule,
                               ": ",     f->at,      *f->at ? ": " : "",
                               f->found, "; write ", f->write};
        for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++)
            put_plain(out, parts[k]);
        bli_buf_char(out, '\n');
    }
}

void bli_lint_json(const bl_lint *lint, const char *name, bl_jw *jw)
{
    bli_jw_object(jw);
    bli_jw_key(jw, "file");
    bli_jw_text(jw, name);
    bli_jw_key(jw, "kind");
    bli_jw_text(jw, lint->kind);
    bli_jw_key(jw, "findings");
    bli_jw_list(jw, false);
    for (size_t i = 0; i < lint->n; i++) {
        const bl_finding *f = &lint->finding[i];
        const char *const members[][2] = {
            {"rule", f->rule}, {"at", f->at}, {"found", f->found}, {"write", f->write}};
        bli_jw_object(jw);
        for (size_t k = 0; k < sizeof members / sizeof members[0]; k++) {
            bli_jw_key(jw, members[k][0]);
            bli_jw_text(jw, members[k][1]);
        }
        bli_jw_object_end(jw);
    }
    bli_jw_list_end(jw);
    bli_jw_object_end(jw);
}
