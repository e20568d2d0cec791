/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a document for lint-job: findings, each with all its parts, or none. */
#include "policy/policy.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bl_lint lint;
    bl_err err = {0};
    bl_buf text = {0};
    bl_jw jw = {.buf = &text};
    if (bli_lint_document((const char *)data, size, &lint, &err) != BL_OK)
        abort(); /* memory does not run out here */
    if (!lint.kind || !lint.kind[0])
        abort();
    for (size_t i = 0; i < lint.n; i++)
        if (!lint.finding[i].rule[0] || !lint.finding[i].found[0] ||
            !lint.finding[i].write[0])
            abort();
    bli_lint_json(&lint, "f", &jw);
    bli_lint_text(&lint, "f", &text);
    bli_buf_done(&text);
    bli_lint_done(&lint);
    return 0;
}
