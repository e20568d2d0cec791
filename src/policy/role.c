/* SPDX-License-Identifier: Apache-2.0 */
/* Policies of roles and users: which jobs they let start, and what else is too wide. */
#include "policy/policy_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* --- Statements that do not say what they seem to say -------------------------------------------- */

static const char *const elements[] = {"Sid",          "Effect",      "Principal",
                                       "NotPrincipal", "Action",      "NotAction",
                                       "Resource",     "NotResource", "Condition"};

static void check_elements(bl_lint *lint, const json_t *statement, const char *at)
{
    const char *name;
    json_t *value;
    json_object_foreach(bli_iterable(statement), name, value)
    {
        bool known = false;
        char quoted[64];
        for (size_t i = 0; i < BL_LEN(elements); i++)
            known |= strcmp(name, elements[i]) == 0;
        const char *nearest =
            known ? NULL : bli_nearest(name, elements, BL_LEN(elements));
        if (!known)
            bli_found(lint, "element", at, nearest ? nearest : "no such element",
                      "'%s' is no element of a statement, so AWS refuses the policy",
                      bli_quote(name, strlen(name), quoted, sizeof quoted - 4));
    }
    if (!json_object_get(statement, "Action") && !json_object_get(statement, "NotAction"))
        bli_found(lint, "element", at, "\"Action\": [...]",
                  "a statement without actions");
    if (json_object_get(statement, "Action") && json_object_get(statement, "NotAction"))
        bli_found(lint, "element", at, "one of them",
                  "Action and NotAction in one statement, which AWS refuses");
}

static void check_operators(bl_lint *lint, const json_t *statement, const char *at)
{
    const char *name;
    json_t *value;
    json_object_foreach(bli_iterable(json_object_get(statement, "Condition")), name,
                        value)
    {
        char quoted[64];
        if (!bli_is_known_operator(name))
            bli_found(lint, "operator", bli_at(at, "Condition").text,
                      "an operator of IAM, such as StringEquals or Null",
                      "'%s' is no condition operator, so AWS refuses the policy",
                      bli_quote(name, strlen(name), quoted, sizeof quoted - 4));
        else if (!json_is_object(value))
            bli_found(lint, "operator", bli_at(at, "Condition").text,
                      "{\"KEY\": \"VALUE\"}", "an operator that holds no keys");
    }
}

void bli_lint_statements(bl_lint *lint, const json_t *policy, const char *outer)
{
    if (bli_n_statements(policy) == 0)
        bli_found(lint, "element", bli_at(outer, "Statement").text,
                  "\"Statement\": [{...}]", "a policy without a statement");
    for (size_t i = 0; i < bli_n_statements(policy); i++) {
        const json_t *statement = bli_statement(policy, i);
        bl_at at = bli_at(outer, "Statement[%zu]", i);
        if (!json_is_object(statement)) {
            bli_found(lint, "element", at.text, "an object", "no statement");
            continue;
        }
        if (!bli_has_effect(statement, "Allow") && !bli_has_effect(statement, "Deny"))
            bli_found(lint, "effect", bli_at(at.text, "Effect").text,
                      "\"Allow\" or \"Deny\", in these letters",
                      "an effect that AWS does not know");
        check_elements(lint, statement, at.text);
        check_operators(lint, statement, at.text);
    }
}

/* --- What a job must ask for, as keys of conditions -------------------------------------------------- */

static const struct demand {
    const char *rule;   /* without its ending */
    const char *key[2]; /* both go together; [1] may be NULL */
    bool is_bool;
    const char *missing; /* "a job without ..." */
    const char *condition;
} demands[] = {
    {"vpc",
     {"sagemaker:VpcSubnets", "sagemaker:VpcSecurityGroupIds"},
     false,
     "without a VPC",
     "{\"Null\": {\"sagemaker:VpcSubnets\": \"true\"}}"},
    {"volume-key",
     {"sagemaker:VolumeKmsKey", NULL},
     false,
     "without a key for the volume",
     "{\"Null\": {\"sagemaker:VolumeKmsKey\": \"true\"}}"},
    {"output-key",
     {"sagemaker:OutputKmsKey", NULL},
     false,
     "without a key for the output",
     "{\"Null\": {\"sagemaker:OutputKmsKey\": \"true\"}}"},
    {"isolation",
     {"sagemaker:NetworkIsolation", NULL},
     true,
     "without network isolation",
     "{\"BoolIfExists\": {\"sagemaker:NetworkIsolation\": \"false\"}}"},
    {"inter-container",
     {"sagemaker:InterContainerTrafficEncryption", NULL},
     true,
     "without encryption between its containers",
     "{\"BoolIfExists\": {\"sagemaker:InterContainerTrafficEncryption\": \"false\"}}"},
};
enum { MAX_KEYS = 8 };

static const struct starter {
    const char *action, *resource;
} starters[] = {
    {"sagemaker:CreateTrainingJob", "training-job"},
    {"sagemaker:CreateProcessingJob", "processing-job"},
    {"sagemaker:CreateHyperParameterTuningJob", "hyper-parameter-tuning-job"},
};

/* A call in which all is as it should be. */
static bl_call good_call(const struct starter *starter, bl_key keys[MAX_KEYS])
{
    size_t n = 0;
    for (size_t d = 0; d < BL_LEN(demands); d++)
        for (int k = 0; k < 2 && demands[d].key[k]; k++)
            keys[n++] = (bl_key){demands[d].key[k], BL_KEY_GOOD, demands[d].is_bool};
    /* A person calls, and over TLS. */
    keys[n++] = (bl_key){"aws:ViaAWSService", BL_KEY_OTHER, true};
    keys[n++] = (bl_key){"aws:SecureTransport", BL_KEY_GOOD, true};
    return (bl_call){starter->action, "sagemaker", starter->resource, keys, n};
}

static void set_keys(bl_key *keys, size_t n, const struct demand *demand,
                     bl_key_state state)
{
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < 2; k++)
            if (demand->key[k] && strcmp(keys[i].name, demand->key[k]) == 0)
                keys[i].state = state;
}

/* The statement that lets a job start without what is demanded; -1: none does. */
static int let_through(const json_t *policy, const struct starter *starter,
                       const struct demand *demand)
{
    bl_key keys[MAX_KEYS];
    bl_call call = good_call(starter, keys);
    set_keys(keys, call.n_keys, demand, BL_KEY_ABSENT);
    int by = bli_allowed_by(policy, &call);
    if (by < 0 && demand->is_bool) {
        set_keys(keys, call.n_keys, demand, BL_KEY_OTHER);
        by = bli_allowed_by(policy, &call);
    }
    return by;
}

static int spoken_of(const json_t *policy, const struct starter *starter,
                     const struct demand *demand)
{
    bl_key keys[MAX_KEYS];
    bl_call call = good_call(starter, keys);
    int first = -1;
    for (int k = 0; k < 2 && demand->key[k] && first < 0; k++)
        first = bli_speaks_of(policy, &call, demand->key[k]);
    return first;
}

static void say_gap(bl_lint *lint, const char *outer, const struct demand *demand,
                    const char *actions, int by, int spoken)
{
    char rule[64], write[512];
    snprintf(rule, sizeof rule, "%s-%s", demand->rule,
             spoken < 0 ? "not-demanded" : "demand-undone");
    snprintf(write, sizeof write,
             "{\"Effect\": \"Deny\", \"Action\": [%s], \"Resource\": \"*\", "
             "\"Condition\": %s}",
             actions, demand->condition);
    bl_at at = bli_at(outer, "Statement[%d]", by);
    if (spoken < 0)
        bli_found(lint, rule, at.text, write, "it allows a job %s (%s)", demand->missing,
                  actions);
    else if (spoken == by)
        bli_found(lint, rule, at.text, write,
                  "it names %s, but its condition also holds where the key is absent or "
                  "false, so it allows a job %s (%s)",
                  demand->key[0], demand->missing, actions);
    else
        bli_found(lint, rule, at.text, write,
                  "Statement[%d] seems to demand %s, and this one allows a job %s (%s): "
                  "what statements allow adds up",
                  spoken, demand->key[0], demand->missing, actions);
}

/* One finding a demand: the actions that the same statement lets through are named together. */
static void check_jobs(bl_lint *lint, const json_t *policy, const char *outer)
{
    for (size_t d = 0; d < BL_LEN(demands); d++) {
        char actions[256] = "";
        int first = -1, spoken = -1;
        for (size_t s = 0; s < BL_LEN(starters); s++) {
            int by = let_through(policy, &starters[s], &demands[d]);
            if (by < 0)
                continue;
            if (first < 0)
                first = by;
            if (spoken < 0)
                spoken = spoken_of(policy, &starters[s], &demands[d]);
            size_t n = strlen(actions);
            snprintf(actions + n, sizeof actions - n, "%s\"%s\"", n ? ", " : "",
                     starters[s].action);
        }
        if (first >= 0)
            say_gap(lint, outer, &demands[d], actions, first, spoken);
    }
}

/* --- Too wide -------------------------------------------------------------------------------------------- */

static bool has_text(const json_t *values, const char *text)
{
    for (size_t i = 0; i < bli_n_values(values); i++) {
        const char *one = json_string_value(bli_value_at(values, i));
        if (one && bli_text_equal_nocase(one, text))
            return true;
    }
    return false;
}

static bool is_any_resource(const json_t *statement)
{
    return has_text(json_object_get(statement, "Resource"), "*") ||
           json_object_get(statement, "NotResource");
}

static bool is_any_bucket(const json_t *statement)
{
    const json_t *resources = json_object_get(statement, "Resource");
    if (is_any_resource(statement))
        return true;
    for (size_t i = 0; i < bli_n_values(resources); i++) {
        const char *one = json_string_value(bli_value_at(resources, i));
        if (one && strncmp(one, "arn:", 4) == 0 && strstr(one, ":s3:::*"))
            return true;
    }
    return false;
}

static bool has_own_action(const json_t *statement, const char *action)
{
    return !json_object_get(statement, "NotAction") &&
           bli_statement_has_action(statement, action);
}

static void check_wide(bl_lint *lint, const json_t *statement, const char *at)
{
    static const char *const services[] = {"s3:*", "kms:*", "iam:*", "sts:*",
                                           "secretsmanager:*"};
    const json_t *actions = json_object_get(statement, "Action");
    bool conditioned = json_object_size(json_object_get(statement, "Condition")) > 0;
    if (json_object_get(statement, "NotAction"))
        bli_found(lint, "allow-not-action", bli_at(at, "NotAction").text,
                  "\"Action\": the calls that are needed",
                  "it allows every call of AWS but the ones named, those that come later "
                  "too");
    if (has_text(actions, "*") || has_text(actions, "*:*")) {
        bli_found(lint, "admin", bli_at(at, "Action").text,
                  "\"Action\": the calls that are needed", "it allows every call of AWS");
        return;
    }
    for (size_t i = 0; i < BL_LEN(services); i++)
        if (has_text(actions, services[i]) && is_any_resource(statement) && !conditioned)
            bli_found(lint, "service-wildcard", bli_at(at, "Action").text,
                      "the calls and the resources that are needed",
                      "it allows %s on everything, without a condition", services[i]);
    if (has_own_action(statement, "iam:PassRole") &&
        !bli_has_condition_on(statement, "iam:PassedToService"))
        bli_found(lint, "pass-role", bli_at(at, "Condition").text,
                  "\"Condition\": {\"StringEquals\": {\"iam:PassedToService\": "
                  "\"sagemaker.amazonaws.com\"}}",
                  "it allows handing a role to any service of AWS");
    if ((has_own_action(statement, "s3:PutObject") ||
         has_own_action(statement, "s3:GetObject")) &&
        is_any_bucket(statement) && !conditioned)
        bli_found(lint, "any-bucket", bli_at(at, "Resource").text,
                  "\"Resource\": \"arn:aws:s3:::BUCKET/PREFIX/*\"",
                  "without a condition it allows reading or writing objects of any "
                  "bucket, those of strangers "
                  "too");
}

void bli_lint_role(bl_lint *lint, const json_t *policy, const char *outer)
{
    check_jobs(lint, policy, outer);
    for (size_t i = 0; i < bli_n_statements(policy); i++) {
        const json_t *statement = bli_statement(policy, i);
        bl_at at = bli_at(outer, "Statement[%zu]", i);
        if (bli_has_effect(statement, "Allow"))
            check_wide(lint, statement, at.text);
    }
}
