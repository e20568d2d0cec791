/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a policy allows: AWS's evaluation for one document. A call is a set of condition keys that
 * are there as the policy wants them, absent, or there with another value. Allow statements add
 * up; a Deny wins. What is not known is taken so that a gap is found rather than missed: an unknown
 * condition of an Allow may hold, one of a Deny may not.
 *
 * Source: the IAM user guide on policy evaluation, condition operators, and keys that are absent:
 * a positive operator does not match an absent key, a negated one does, ...IfExists does,
 * ForAllValues does, ForAnyValue does not, Null matches it by its own value.
 */
#include "policy/policy_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* --- Text ------------------------------------------------------------------------------------ */

bool bli_glob(const char *pattern, const char *text, bool nocase)
{
    const char *star = NULL, *resume = NULL;
    while (*text) {
        int p = (unsigned char)*pattern, t = (unsigned char)*text;
        if (*pattern == '*') {
            star = pattern++;
            resume = text;
        } else if (*pattern == '?' || p == t || (nocase && tolower(p) == tolower(t))) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

static bool is_text(const json_t *value, const char *text)
{
    return json_is_string(value) && strcmp(json_string_value(value), text) == 0;
}

/* --- Statements -------------------------------------------------------------------------------- */

const json_t *bli_statement(const json_t *policy, size_t i)
{
    return bli_value_at(json_object_get(policy, "Statement"), i);
}

size_t bli_n_statements(const json_t *policy)
{
    return bli_n_values(json_object_get(policy, "Statement"));
}

bool bli_has_effect(const json_t *statement, const char *effect)
{
    return is_text(json_object_get(statement, "Effect"), effect);
}

static bool any_glob(const json_t *patterns, const char *text, bool nocase)
{
    for (size_t i = 0; i < bli_n_values(patterns); i++) {
        const char *pattern = json_string_value(bli_value_at(patterns, i));
        if (pattern && bli_glob(pattern, text, nocase))
            return true;
    }
    return false;
}

bool bli_statement_has_action(const json_t *statement, const char *action)
{
    const json_t *others = json_object_get(statement, "NotAction");
    if (others)
        return !any_glob(others, action, true);
    return any_glob(json_object_get(statement, "Action"), action, true);
}

/* --- Resources ----------------------------------------------------------------------------------- */

/* A name that no pattern writes out: only a wildcard matches it. */
#define SOME_NAME "\x01"

/* What follows the fifth colon of an ARN; NULL where a wildcard stands for several parts. */
static const char *resource_part(const char *arn)
{
    for (int i = 0; i < 5 && arn; i++) {
        arn = strchr(arn, ':');
        arn = arn ? arn + 1 : NULL;
    }
    return arn;
}

/* The third part of an ARN that has all six. */
static bool is_of_service(const char *arn, const char *service)
{
    char part[64];
    const char *begin = strchr(strchr(arn, ':') + 1, ':') + 1;
    size_t n = strcspn(begin, ":");
    if (n >= sizeof part)
        return false;
    memcpy(part, begin, n);
    part[n] = '\0';
    return bli_glob(part, service, true);
}

static bool names_job(const char *rest, const char *type, bool all)
{
    char sample[128], head[128];
    const char *slash = strchr(rest, '/');
    snprintf(sample, sizeof sample, "%s/" SOME_NAME, type);
    if (all || !slash || (size_t)(slash - rest) >= sizeof head)
        return bli_glob(rest, sample, false);
    memcpy(head, rest, (size_t)(slash - rest));
    head[slash - rest] = '\0';
    return bli_glob(head, type, false);
}

/* BUCKET/KEY, the bucket being the owner's own. */
static bool names_object(const char *rest, bool all)
{
    const char *slash = strchr(rest, '/');
    if (!slash)
        return strchr(rest, '*') != NULL;
    return !all || bli_glob(slash + 1, SOME_NAME, false);
}

/* Could the pattern name a resource of this kind? all: does it name all of them (of one region and
 * account, which are the owner's)? */
static bool names_resource(const char *pattern, const bl_call *call, bool all)
{
    const char *rest = resource_part(pattern);
    if (!rest) {
        char sample[256];
        snprintf(sample, sizeof sample, "arn:aws:%s:x:1:%s/" SOME_NAME, call->service,
                 call->resource ? call->resource : SOME_NAME);
        return bli_glob(pattern, sample, false);
    }
    if (!is_of_service(pattern, call->service))
        return false;
    return call->resource ? names_job(rest, call->resource, all)
                          : names_object(rest, all);
}

static bool reaches(const json_t *statement, const bl_call *call, bool all)
{
    const json_t *others = json_object_get(statement, "NotResource");
    const json_t *these = json_object_get(statement, "Resource");
    bool any = false;
    for (size_t i = 0; i < bli_n_values(others); i++) {
        const char *pattern = json_string_value(bli_value_at(others, i));
        /* An Allow is shut out only by all, a Deny already by some. */
        any |= pattern && names_resource(pattern, call, !all);
    }
    if (others)
        return !any;
    for (size_t i = 0; i < bli_n_values(these); i++) {
        const char *pattern = json_string_value(bli_value_at(these, i));
        /* A template's reference ({"Fn::Sub": ...}) may name anything. */
        any |= pattern ? names_resource(pattern, call, all) : !all;
    }
    return any;
}

/* --- Conditions ------------------------------------------------------------------------------------ */

typedef struct operation {
    bool for_all, for_any, if_exists, negated, null, is_bool;
} operation;

static const char *const operators[] = {"StringEquals",
                                        "StringNotEquals",
                                        "StringEqualsIgnoreCase",
                                        "StringNotEqualsIgnoreCase",
                                        "StringLike",
                                        "StringNotLike",
                                        "NumericEquals",
                                        "NumericNotEquals",
                                        "NumericLessThan",
                                        "NumericLessThanEquals",
                                        "NumericGreaterThan",
                                        "NumericGreaterThanEquals",
                                        "DateEquals",
                                        "DateNotEquals",
                                        "DateLessThan",
                                        "DateLessThanEquals",
                                        "DateGreaterThan",
                                        "DateGreaterThanEquals",
                                        "Bool",
                                        "BinaryEquals",
                                        "IpAddress",
                                        "NotIpAddress",
                                        "ArnEquals",
                                        "ArnLike",
                                        "ArnNotEquals",
                                        "ArnNotLike",
                                        "Null"};

/* false: no operator of IAM. */
static bool parse_operator(const char *name, operation *op)
{
    char plain[64];
    *op = (operation){0};
    op->for_all = strncasecmp(name, "ForAllValues:", 13) == 0;
    op->for_any = strncasecmp(name, "ForAnyValue:", 12) == 0;
    name += op->for_all ? 13 : op->for_any ? 12 : 0;
    size_t n = strlen(name);
    op->if_exists = n > 8 && strcasecmp(name + n - 8, "IfExists") == 0;
    n -= op->if_exists ? 8 : 0;
    if (n >= sizeof plain)
        return false;
    memcpy(plain, name, n);
    plain[n] = '\0';
    for (size_t i = 0; i < BL_LEN(operators); i++)
        if (bli_text_equal_nocase(plain, operators[i])) {
            op->negated = strstr(operators[i], "Not") != NULL;
            op->null = strcmp(operators[i], "Null") == 0;
            op->is_bool = strcmp(operators[i], "Bool") == 0;
            return true;
        }
    return false;
}

bool bli_is_known_operator(const char *name)
{
    operation op;
    return parse_operator(name, &op);
}

/* true, "true", ["true"]: does the list hold this word? */
static bool holds_word(const json_t *values, bool word)
{
    for (size_t i = 0; i < bli_n_values(values); i++) {
        const json_t *value = bli_value_at(values, i);
        const char *text = json_string_value(value);
        if (text ? bli_text_equal_nocase(text, word ? "true" : "false")
                 : json_is_boolean(value) && json_is_true(value) == word)
            return true;
    }
    return false;
}

static bool holds_for_absent(const operation *op, const json_t *values)
{
    if (op->null)
        return holds_word(values, true);
    if (op->for_all || op->if_exists)
        return true;
    return op->negated && !op->for_any;
}

static bool holds_for_key(const operation *op, const json_t *values, const bl_key *key,
                          bool allow)
{
    if (key->state == BL_KEY_ABSENT)
        return holds_for_absent(op, values);
    if (op->null)
        return holds_word(values, false);
    if (op->is_bool && key->is_bool)
        return holds_word(values, key->state == BL_KEY_GOOD);
    if (key->state == BL_KEY_GOOD)
        return allow; /* the value is chosen so that an Allow takes it and a Deny does not */
    return op->negated;
}

/* A key that the call does not speak of. */
static bool holds_for_unknown(const operation *op, bool allow)
{
    /* "Deny unless it is this role": an exception, not a condition of the rule. */
    return allow || (op->negated && !op->for_any);
}

static const bl_key *find_key(const bl_call *call, const char *name)
{
    for (size_t i = 0; i < call->n_keys; i++)
        if (bli_text_equal_nocase(call->keys[i].name, name))
            return &call->keys[i];
    return NULL;
}

/* Every operator and every key of it must hold. */
static bool conditions_hold(const json_t *statement, const bl_call *call, bool allow)
{
    const char *name, *key_name;
    json_t *keys, *values;
    json_object_foreach(bli_iterable(json_object_get(statement, "Condition")), name, keys)
    {
        operation op;
        if (!parse_operator(name, &op))
            return false;
        json_object_foreach(keys, key_name, values)
        {
            const bl_key *key = find_key(call, key_name);
            if (key ? !holds_for_key(&op, values, key, allow)
                    : !holds_for_unknown(&op, allow))
                return false;
        }
    }
    return true;
}

bool bli_has_condition_on(const json_t *statement, const char *wanted)
{
    const char *name, *key_name;
    json_t *keys, *values;
    json_object_foreach(bli_iterable(json_object_get(statement, "Condition")), name, keys)
    {
        json_object_foreach(keys, key_name, values)
        {
            if (bli_glob(wanted, key_name, true))
                return true;
        }
    }
    return false;
}

/* --- Calls ---------------------------------------------------------------------------------------------- */

static bool applies(const json_t *statement, const bl_call *call, bool allow)
{
    return bli_has_effect(statement, allow ? "Allow" : "Deny") &&
           bli_statement_has_action(statement, call->action) &&
           reaches(statement, call, !allow) && conditions_hold(statement, call, allow);
}

/* A Deny of a bucket policy that is for some callers only does not stop the others. */
static bool is_for_everybody(const json_t *statement)
{
    const json_t *principal = json_object_get(statement, "Principal");
    if (json_object_get(statement, "NotPrincipal"))
        return true; /* all but some: an exception of the owner's */
    if (!principal || is_text(principal, "*"))
        return true;
    const json_t *aws = json_object_get(principal, "AWS");
    for (size_t i = 0; i < bli_n_values(aws); i++)
        if (is_text(bli_value_at(aws, i), "*"))
            return true;
    return false;
}

bool bli_is_denied(const json_t *policy, const bl_call *call)
{
    for (size_t i = 0; i < bli_n_statements(policy); i++) {
        const json_t *statement = bli_statement(policy, i);
        if (applies(statement, call, false) && is_for_everybody(statement))
            return true;
    }
    return false;
}

int bli_allowed_by(const json_t *policy, const bl_call *call)
{
    if (bli_is_denied(policy, call))
        return -1;
    for (size_t i = 0; i < bli_n_statements(policy); i++)
        if (applies(bli_statement(policy, i), call, true))
            return (int)i;
    return -1;
}

int bli_speaks_of(const json_t *policy, const bl_call *call, const char *key)
{
    for (size_t i = 0; i < bli_n_statements(policy); i++) {
        const json_t *statement = bli_statement(policy, i);
        if (bli_statement_has_action(statement, call->action) &&
            bli_has_condition_on(statement, key))
            return (int)i;
    }
    return -1;
}
