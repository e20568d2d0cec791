/* SPDX-License-Identifier: Apache-2.0 */
/* A document and the rules it must raise, in order, joined by blanks. Documents are written with ' for
 * ", which none of them holds. */
#ifndef BL_TESTS_POLICY_LINT_CHECK_H
#define BL_TESTS_POLICY_LINT_CHECK_H

#include "check.h"

#include "policy/policy.h"

#include <stdlib.h>

typedef struct lint_case {
    const char *document, *rules;
} lint_case;

static inline bl_lint lint_of(const char *document)
{
    bl_lint lint;
    bl_err err = {0};
    char *text = strdup(document);
    for (char *c = text; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    CHECK_OK(bli_lint_document(text, strlen(text), &lint, &err), err);
    free(text);
    return lint;
}

static inline void check_case(const lint_case *c)
{
    char rules[1024] = "";
    bl_lint lint = lint_of(c->document);
    for (size_t i = 0; i < lint.n; i++) {
        size_t n = strlen(rules);
        snprintf(rules + n, sizeof rules - n, "%s%s", n ? " " : "", lint.finding[i].rule);
        CHECK(lint.finding[i].found[0] && lint.finding[i].write[0], "%s says nothing",
              lint.finding[i].rule);
    }
    CHECK(strcmp(rules, c->rules) == 0, "%s\n raises '%s', expected '%s' (%s)",
          c->document, rules, c->rules, lint.n ? lint.finding[0].found : "");
    bli_lint_done(&lint);
}

#endif
