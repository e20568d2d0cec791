/* SPDX-License-Identifier: Apache-2.0 */
/* Which kind of document it is, in what it is wrapped, and the findings themselves. */
#include "policy/policy_priv.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Below this no document is looked for. */
enum { MAX_DEPTH = 24 };

static const char known_kinds[] =
    "a CreateTrainingJob or CreateProcessingJob request, a policy with Statement, or a "
    "CloudTrail event with eventName";

static bool search(bl_lint *lint, const json_t *value, const char *at, int depth);

/* --- Findings ------------------------------------------------------------------------------ */

bl_at bli_at(const char *outer, const char *fmt, ...)
{
    bl_at at;
    size_t n = 0;
    if (outer && *outer)
        n = (size_t)snprintf(at.text, sizeof at.text - 2, "%s.", outer);
    if (n > sizeof at.text - 3)
        n = sizeof at.text - 3;
    va_list args;
    va_start(args, fmt);
    vsnprintf(at.text + n, sizeof at.text - n, fmt, args);
    va_end(args);
    return at;
}

void bli_found(bl_lint *lint, const char *rule, const char *at, const char *write,
               const char *fmt, ...)
{
    void *block = lint->finding;
    char found[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(found, sizeof found, fmt, args);
    va_end(args);
    if (bli_grow(&block, &lint->cap, lint->n + 1, sizeof(bl_finding), "findings", NULL) !=
        BL_OK) {
        lint->failed = true;
        return;
    }
    lint->finding = block;
    bl_finding *f = &lint->finding[lint->n++];
    *f = (bl_finding){strdup(rule), strdup(at), strdup(found), strdup(write)};
    lint->failed |= !f->rule || !f->at || !f->found || !f->write;
}

void bli_lint_done(bl_lint *lint)
{
    for (size_t i = 0; i < lint->n; i++) {
        free(lint->finding[i].rule);
        free(lint->finding[i].at);
        free(lint->finding[i].found);
        free(lint->finding[i].write);
    }
    free(lint->finding);
    free(lint->kind);
    *lint = (bl_lint){0};
}

/* Adds a kind that is not there yet. */
static void add_kind(bl_lint *lint, const char *kind)
{
    const char *before = lint->kind ? lint->kind : "";
    char *joined;
    if (strstr(before, kind))
        return;
    if (asprintf(&joined, "%s%s%s", before, *before ? ", " : "", kind) < 0) {
        lint->failed = true;
        return;
    }
    free(lint->kind);
    lint->kind = joined;
}

/* --- Policies -------------------------------------------------------------------------------- */

/* How its statements speak decides what a policy is for. */
static void look_at_policy(bl_lint *lint, const json_t *policy, const char *at)
{
    bool principal = false, trust = false, s3 = false;
    for (size_t i = 0; i < bli_n_statements(policy); i++) {
        const json_t *s = bli_statement(policy, i);
        principal |=
            json_object_get(s, "Principal") || json_object_get(s, "NotPrincipal");
        trust |=
            json_object_get(s, "Action") && bli_statement_has_action(s, "sts:AssumeRole");
        s3 |= bli_statement_has_action(s, "s3:GetObject") ||
              bli_statement_has_action(s, "s3:PutObject") ||
              bli_statement_has_action(s, "s3:ListBucket");
    }
    bli_lint_statements(lint, policy, at);
    if (principal && trust && !s3) {
        add_kind(lint, "trust policy");
        bli_lint_trust(lint, policy, at);
    } else if (principal && s3) {
        add_kind(lint, "bucket policy");
        bli_lint_bucket(lint, policy, at);
    } else if (principal) {
        add_kind(lint, "resource policy");
        bli_found(lint, "document", at,
                  "a bucket policy, a role policy or a trust policy",
                  "a policy with a Principal that speaks neither of S3 nor of "
                  "sts:AssumeRole; no rule is known for it here");
    } else {
        add_kind(lint, "role policy");
        bli_lint_role(lint, policy, at);
    }
}

/* --- Events ------------------------------------------------------------------------------------ */

typedef void rules_fn(bl_lint *lint, const json_t *request, bool camel, const char *at);

static const struct {
    const char *call, *request_kind, *event_kind;
    rules_fn *rules;
} calls[] = {
    {"CreateTrainingJob", "CreateTrainingJob request", "CreateTrainingJob event",
     bli_lint_training},
    {"CreateProcessingJob", "CreateProcessingJob request", "CreateProcessingJob event",
     bli_lint_processing},
    {"CreateHyperParameterTuningJob", "CreateHyperParameterTuningJob request",
     "CreateHyperParameterTuningJob event", bli_lint_tuning},
};

static void look_at_event(bl_lint *lint, const json_t *event, const char *at)
{
    const char *call = json_string_value(json_object_get(event, "eventName"));
    const json_t *request = json_object_get(event, "requestParameters");
    if (bli_text_of(json_object_get(event, "errorCode"))) {
        add_kind(lint, "event of a refused call");
        return; /* AWS refused it: no job was started */
    }
    for (size_t i = 0; i < BL_LEN(calls); i++)
        if (call && strcmp(call, calls[i].call) == 0) {
            add_kind(lint, calls[i].event_kind);
            if (json_is_object(request))
                calls[i].rules(lint, request, true, bli_at(at, "requestParameters").text);
            else
                bli_found(lint, "document", bli_at(at, "requestParameters").text,
                          "the event as CloudTrail wrote it",
                          "an event without a request");
            return;
        }
    add_kind(lint, "event of another call");
}

/* --- What it is ---------------------------------------------------------------------------------- */

/* Index of calls, by members that only such a request has; -1. */
static int request_kind(const json_t *object, bool camel)
{
    if (bli_member(object, "HyperParameterTuningJobConfig", camel) ||
        bli_member(object, "HyperParameterTuningJobName", camel))
        return 2;
    if (bli_member(object, "ProcessingResources", camel) ||
        bli_member(object, "ProcessingJobName", camel) ||
        bli_member(object, "AppSpecification", camel))
        return 1;
    if (bli_member(object, "TrainingJobName", camel) ||
        bli_member(object, "AlgorithmSpecification", camel))
        return 0;
    return -1;
}

/* A document of a kind known here. */
static bool is_known(bl_lint *lint, const json_t *object, const char *at)
{
    if (json_object_get(object, "Statement")) {
        look_at_policy(lint, object, at);
        return true;
    }
    if (json_object_get(object, "eventName")) {
        look_at_event(lint, object, at);
        return true;
    }
    for (int camel = 0; camel < 2; camel++) {
        int kind = request_kind(object, camel);
        if (kind >= 0) {
            add_kind(lint, calls[kind].request_kind);
            calls[kind].rules(lint, object, camel, at);
            return true;
        }
    }
    return false;
}

/* A document as text in another, as `aws s3api get-bucket-policy` and lookup-events print them. */
static bool search_text(bl_lint *lint, const char *text, const char *at, int depth)
{
    static const char *const members[] = {"Policy", "PolicyDocument", "CloudTrailEvent",
                                          "Document"};
    json_t *value = NULL;
    bl_err err = {0};
    if (text[strspn(text, " \t\r\n")] != '{')
        return false;
    bl_status st = bli_json_parse(text, strlen(text), &value, &err);
    lint->failed |= st == BL_E_NOMEM;
    bool found = st == BL_OK && search(lint, value, at, depth + 1);
    json_decref(value);
    const char *name = strrchr(at, '.') ? strrchr(at, '.') + 1 : at;
    for (size_t i = 0; st != BL_OK && !found && i < BL_LEN(members); i++)
        if (strcmp(name, members[i]) == 0) {
            bli_found(lint, "json", at, "valid JSON", "%s", err.msg);
            found = true;
        }
    return found;
}

/* Documents at any depth: what the aws command, CloudTrail, CloudFormation, a pipeline's and a state
 * machine's definition put around them is no matter. false: there is none. */
static bool search(bl_lint *lint, const json_t *value, const char *at, int depth)
{
    const char *name;
    json_t *inner;
    bool any = false;
    if (depth > MAX_DEPTH)
        return false;
    if (json_is_string(value))
        return search_text(lint, json_string_value(value), at, depth);
    if (json_is_object(value) && is_known(lint, value, at))
        return true;
    for (size_t i = 0; i < json_array_size(value); i++)
        any |= search(lint, json_array_get(value, i), bli_at(at, "[%zu]", i).text,
                      depth + 1);
    json_object_foreach(bli_iterable(value), name, inner)
    {
        any |= search(lint, inner, bli_at(at, "%s", name).text, depth + 1);
    }
    return any;
}

/* Each of a list must be something; of anything else some part. */
static void look(bl_lint *lint, const json_t *value, const char *at)
{
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!search(lint, json_array_get(value, i), bli_at(at, "[%zu]", i).text, 1))
            bli_found(lint, "document", bli_at(at, "[%zu]", i).text, known_kinds,
                      "no kind of document that is known here");
    if (json_is_array(value) && json_array_size(value) == 0)
        add_kind(lint, "empty list");
    if (json_is_object(value) && !search(lint, value, at, 0))
        bli_found(lint, "document", "the whole document", known_kinds,
                  "no kind of document that is known here");
    if (!json_is_object(value) && !json_is_array(value))
        bli_found(lint, "document", "the whole document", known_kinds,
                  "neither an object nor a list");
}

/* "line 3, column 7: no valid JSON: why" cut in two. */
static void say_bad_json(bl_lint *lint, const char *message)
{
    static const char between[] = ": no valid JSON: ";
    const char *cut = strstr(message, between);
    char where[64] = "";
    if (cut)
        snprintf(where, sizeof where, "%.*s", (int)(cut - message), message);
    bli_found(
        lint, "json", where,
        "valid JSON: double quotes, a comma between members and none after the last, "
        "true and false in small letters, each key once",
        "no valid JSON: %s", cut ? cut + sizeof between - 1 : message);
}

/* Hands the findings on, or frees them. */
static bl_status finish(bl_lint *lint, bl_lint *ret_lint, bl_err *err)
{
    if (!lint->kind)
        add_kind(lint, "unknown");
    if (lint->failed) {
        bli_lint_done(lint);
        return bli_fail(err, BL_E_NOMEM, "no memory for the findings");
    }
    *ret_lint = *lint;
    return BL_OK;
}

bl_status bli_lint_unreadable(const char *reason, bl_lint *ret_lint, bl_err *err)
{
    bl_lint lint = {0};
    bli_found(&lint, "unreadable", "", "the name of a JSON file, or - for standard input",
              "%s", reason);
    return finish(&lint, ret_lint, err);
}

bl_status bli_lint_document(const char *text, size_t n, bl_lint *ret_lint, bl_err *err)
{
    bl_lint lint = {0};
    json_t *value = NULL;
    bl_err why = {0};
    if (n >= 3 &&
        memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* what some editors put first */
        text += 3;
        n -= 3;
    }
    if (n >= 2 && memcmp(text, "\x1f\x8b", 2) == 0)
        bli_found(&lint, "json", "",
                  "gunzip it first: gunzip -c FILE | boostlens lint-job -",
                  "a compressed file");
    else if (bli_json_parse(text, n, &value, &why) == BL_OK)
        look(&lint, value, "");
    else
        say_bad_json(&lint, why.msg);
    json_decref(value);
    return finish(&lint, ret_lint, err);
}
