/* SPDX-License-Identifier: Apache-2.0 */
/* Policies that stand at a bucket, and those that say who may take a role. */
#include "policy/policy_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <string.h>

static bool is_anyone(const json_t *principal)
{
    const json_t *aws = json_object_get(principal, "AWS");
    const json_t *values = aws ? aws : principal;
    for (size_t i = 0; i < bli_n_values(values); i++) {
        const char *text = json_string_value(bli_value_at(values, i));
        if (text && strcmp(text, "*") == 0)
            return true;
    }
    return false;
}

bool bli_is_restricted(const json_t *statement)
{
    static const char *const keys[] = {"aws:SourceVpce",
                                       "aws:SourceVpc",
                                       "aws:PrincipalOrgID",
                                       "aws:PrincipalOrgPaths",
                                       "aws:PrincipalArn",
                                       "aws:PrincipalAccount",
                                       "aws:SourceArn",
                                       "aws:SourceAccount",
                                       "aws:SourceOrgID",
                                       "aws:SourceIp",
                                       "aws:VpcSourceIp",
                                       "aws:userid",
                                       "s3:DataAccessPointAccount",
                                       "aws:PrincipalTag/*",
                                       "sts:ExternalId",
                                       "aws:SourceOrgPaths",
                                       "aws:username"};
    for (size_t i = 0; i < BL_LEN(keys); i++)
        if (bli_has_condition_on(statement, keys[i]))
            return true;
    return false;
}

/* --- Buckets -------------------------------------------------------------------------------------------- */

/* A call on an object of the bucket by somebody, with one key of interest. */
static bool is_denied_with(const json_t *policy, const char *action, const char *key,
                           bl_key_state state, bool is_bool)
{
    bl_key keys[] = {
        {"aws:SecureTransport", BL_KEY_GOOD, true},
        {"aws:PrincipalIsAWSService", BL_KEY_OTHER, true},
        {"aws:ViaAWSService", BL_KEY_OTHER, true},
        {"aws:SourceVpce", BL_KEY_GOOD, false},
        {"aws:SourceVpc", BL_KEY_GOOD, false},
        {"s3:x-amz-server-side-encryption", BL_KEY_GOOD, false},
        {"s3:x-amz-server-side-encryption-aws-kms-key-id", BL_KEY_GOOD, false}};
    bool both = strcmp(key, "aws:SourceVpce") == 0;
    for (size_t i = 0; i < BL_LEN(keys); i++)
        if (strcmp(keys[i].name, key) == 0 ||
            (both && strcmp(keys[i].name, "aws:SourceVpc") == 0)) {
            keys[i].state = state;
            keys[i].is_bool = is_bool;
        }
    const bl_call call = {action, "s3", NULL, keys, BL_LEN(keys)};
    return bli_is_denied(policy, &call);
}

static void check_vpce(bl_lint *lint, const json_t *policy, const char *at)
{
    static const char *const actions[] = {"s3:GetObject", "s3:PutObject"};
    static const char write[] =
        "{\"Effect\": \"Deny\", \"Principal\": \"*\", \"Action\": \"s3:*\", "
        "\"Resource\": [\"arn:aws:s3:::BUCKET\", \"arn:aws:s3:::BUCKET/*\"], "
        "\"Condition\": {\"StringNotEquals\": {\"aws:SourceVpce\": \"vpce-...\"}}}";
    for (size_t i = 0; i < BL_LEN(actions); i++) {
        bool absent =
            is_denied_with(policy, actions[i], "aws:SourceVpce", BL_KEY_ABSENT, false);
        bool other =
            is_denied_with(policy, actions[i], "aws:SourceVpce", BL_KEY_OTHER, false);
        if (absent && other)
            continue;
        bli_found(lint, "vpc-endpoint", bli_at(at, "Statement").text, write,
                  "no Deny stops %s from %s", actions[i],
                  absent  ? "another VPC endpoint"
                  : other ? "outside any VPC endpoint"
                          : "outside the project's VPC endpoint");
        return;
    }
}

void bli_lint_bucket(bl_lint *lint, const json_t *policy, const char *outer)
{
    for (size_t i = 0; i < bli_n_statements(policy); i++) {
        const json_t *statement = bli_statement(policy, i);
        if (bli_has_effect(statement, "Allow") &&
            (is_anyone(json_object_get(statement, "Principal")) ||
             json_object_get(statement, "NotPrincipal")) &&
            !bli_is_restricted(statement))
            bli_found(lint, "public", bli_at(outer, "Statement[%zu].Principal", i).text,
                      "\"Principal\": {\"AWS\": \"arn:aws:iam::ACCOUNT:role/...\"}",
                      "it allows anyone");
    }
    check_vpce(lint, policy, outer);
    if (!is_denied_with(policy, "s3:GetObject", "aws:SecureTransport", BL_KEY_OTHER,
                        true) ||
        !is_denied_with(policy, "s3:PutObject", "aws:SecureTransport", BL_KEY_OTHER,
                        true))
        bli_found(lint, "tls", bli_at(outer, "Statement").text,
                  "{\"Effect\": \"Deny\", \"Principal\": \"*\", \"Action\": \"s3:*\", "
                  "\"Resource\": [\"arn:aws:s3:::BUCKET\", \"arn:aws:s3:::BUCKET/*\"], "
                  "\"Condition\": {\"Bool\": {\"aws:SecureTransport\": \"false\"}}}",
                  "no Deny stops requests without TLS");
    if (!is_denied_with(policy, "s3:PutObject", "s3:x-amz-server-side-encryption",
                        BL_KEY_OTHER, false))
        bli_found(lint, "sse-kms", bli_at(outer, "Statement").text,
                  "{\"Effect\": \"Deny\", \"Principal\": \"*\", \"Action\": "
                  "\"s3:PutObject\", \"Resource\": \"arn:aws:s3:::BUCKET/*\", "
                  "\"Condition\": {\"StringNotEquals\": "
                  "{\"s3:x-amz-server-side-encryption\": \"aws:kms\"}}}",
                  "no Deny stops uploads that ask for another encryption than SSE-KMS");
}

/* --- Who may take the role --------------------------------------------------------------------------------- */

void bli_lint_trust(bl_lint *lint, const json_t *policy, const char *outer)
{
    for (size_t i = 0; i < bli_n_statements(policy); i++) {
        const json_t *statement = bli_statement(policy, i);
        const json_t *principal = json_object_get(statement, "Principal");
        bl_at at = bli_at(outer, "Statement[%zu]", i);
        if (!bli_has_effect(statement, "Allow"))
            continue;
        if ((is_anyone(principal) || json_object_get(statement, "NotPrincipal")) &&
            !bli_is_restricted(statement))
            bli_found(lint, "trust-anyone", bli_at(at.text, "Principal").text,
                      "\"Principal\": {\"Service\": \"sagemaker.amazonaws.com\"}",
                      "anyone may take the role");
        if (json_object_get(principal, "Service") &&
            !bli_has_condition_on(statement, "aws:Source*"))
            bli_found(lint, "confused-deputy", bli_at(at.text, "Condition").text,
                      "\"Condition\": {\"StringEquals\": {\"aws:SourceAccount\": "
                      "\"ACCOUNT\"}}",
                      "the service may take the role on behalf of another account");
    }
}
