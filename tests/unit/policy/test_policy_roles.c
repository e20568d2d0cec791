/* SPDX-License-Identifier: Apache-2.0 */
/* What policies allow: every way a condition can be written that lets a job through. */
#include "lint_check.h"

#include "base/mem.h"

#define POLICY(statements) "{'Version':'2012-10-17','Statement':[" statements "]}"
#define ALLOW(more)                                                                      \
    "{'Effect':'Allow','Action':'sagemaker:CreateTrainingJob','Resource':'*'" more "}"
#define DENY(condition)                                                                  \
    "{'Effect':'Deny','Action':'sagemaker:Create*','Resource':'*','Condition'"           \
    ":" condition "}"
/* Denies that demand all but the volume key. */
#define OTHERS                                                                           \
    DENY("{'Null':{'sagemaker:VpcSubnets':'true'}}")                                     \
    "," DENY("{'Null':{'sagemaker:OutputKmsKey':'true'}}") "," DENY(                     \
        "{'BoolIfExists':{'sagemaker:NetworkIsolation':'false'}}") "," DENY("{'"         \
                                                                            "BoolIfExis" \
                                                                            "ts':{'"     \
                                                                            "sagemaker:" \
                                                                            "InterConta" \
                                                                            "inerTraffi" \
                                                                            "cEncryptio" \
                                                                            "n':'false'" \
                                                                            "}}")
#define VOLUME(statements) POLICY(statements "," OTHERS)
#define ALL_DEMANDS                                                                      \
    "vpc-not-demanded volume-key-not-demanded output-key-not-demanded "                  \
    "isolation-not-demanded inter-container-not-demanded"

static const lint_case demands[] = {
    {POLICY(ALLOW("")), ALL_DEMANDS},
    {"{'Statement':" ALLOW("") "}", ALL_DEMANDS}, /* one statement without a list */
    {VOLUME(ALLOW("")), "volume-key-not-demanded"},
    {VOLUME(ALLOW("") "," DENY("{'Null':{'sagemaker:VolumeKmsKey':'true'}}")), ""},
    {VOLUME(ALLOW("") "," DENY("{'Null':{'sagemaker:VolumeKmsKey':true}}")), ""},
    {VOLUME(ALLOW("") "," DENY("{'Null':{'SageMaker:volumekmskey':['true']}}")), ""},
    {VOLUME(ALLOW("") "," DENY("{'null':{'sagemaker:VolumeKmsKey':'true'}}")), ""},
    /* A positive operator of an Allow does not match an absent key ... */
    {VOLUME(ALLOW(",'Condition':{'StringEquals':{'sagemaker:VolumeKmsKey':'k'}}")), ""},
    {VOLUME(ALLOW(",'Condition':{'ArnLike':{'sagemaker:VolumeKmsKey':'arn:*'}}")), ""},
    {VOLUME(ALLOW(",'Condition':{'Null':{'sagemaker:VolumeKmsKey':'false'}}")), ""},
    {VOLUME(
         ALLOW(",'Condition':{'ForAnyValue:StringEquals':{'sagemaker:VolumeKmsKey':'k'}"
               "}")),
     ""},
    /* ... but these do. */
    {VOLUME(
         ALLOW(",'Condition':{'StringEqualsIfExists':{'sagemaker:VolumeKmsKey':'k'}}")),
     "volume-key-demand-undone"},
    {VOLUME(ALLOW(",'Condition':{'ForAllValues:StringEquals':{'sagemaker:VolumeKmsKey':"
                  "'k'}}")),
     "volume-key-demand-undone"},
    {VOLUME(ALLOW(",'Condition':{'StringNotEquals':{'sagemaker:VolumeKmsKey':'bad'}}")),
     "volume-key-demand-undone"},
    {VOLUME(ALLOW(",'Condition':{'Null':{'sagemaker:VolumeKmsKey':'true'}}")),
     "volume-key-demand-undone"},
    /* A Deny by a negated operator matches an absent key, by a positive one it does not. */
    {VOLUME(ALLOW("") "," DENY("{'StringNotEquals':{'sagemaker:VolumeKmsKey':'k'}}")),
     ""},
    {VOLUME(ALLOW("") "," DENY("{'StringNotLike':{'sagemaker:VolumeKmsKey':'arn:*'}}")),
     ""},
    {VOLUME(ALLOW("") "," DENY(
         "{'StringNotEqualsIfExists':{'sagemaker:VolumeKmsKey':'k'}}")),
     ""},
    {VOLUME(
         ALLOW("") "," DENY("{'ForAnyValue:StringNotEquals':{'sagemaker:VolumeKmsKey':'k'"
                            "}}")),
     "volume-key-demand-undone"},
    {VOLUME(ALLOW("") "," DENY("{'StringEquals':{'sagemaker:VolumeKmsKey':'bad'}}")),
     "volume-key-demand-undone"},
    {VOLUME(ALLOW("") "," DENY("{'Null':{'sagemaker:VolumeKmsKey':'false'}}")),
     "volume-key-demand-undone"},
    /* A later Allow undoes what an earlier one demands. */
    {VOLUME(ALLOW(
         ",'Condition':{'StringEquals':{'sagemaker:VolumeKmsKey':'k'}}") "," ALLOW("")),
     "volume-key-demand-undone"},
    {VOLUME(ALLOW(
         ",'Condition':{'StringEquals':{'sagemaker:VolumeKmsKey':'k'}}") ",{"
                                                                         "'Effect':'"
                                                                         "Allow','"
                                                                         "NotAction':'"
                                                                         "iam:*','"
                                                                         "Resource':'*'"
                                                                         "}"),
     "volume-key-demand-undone allow-not-action"},
    /* A Deny for some jobs or some callers only is none for all. */
    {VOLUME(ALLOW("") ",{'Effect':'Deny','Action':'sagemaker:CreateTrainingJob',"
                      "'Resource':'arn:aws:sagemaker:*:*:training-job/prod-*',"
                      "'Condition':{'Null':{'sagemaker:VolumeKmsKey':'true'}}}"),
     "volume-key-demand-undone"},
    {VOLUME(ALLOW("") ",{'Effect':'Deny','Action':'sagemaker:CreateTrainingJob',"
                      "'Resource':'arn:aws:sagemaker:*:*:training-job/*',"
                      "'Condition':{'Null':{'sagemaker:VolumeKmsKey':'true'}}}"),
     ""},
    {VOLUME(ALLOW("") "," DENY("{'Null':{'sagemaker:VolumeKmsKey':'true'},'StringEquals':"
                               "{'aws:PrincipalTag/team':'a'}}")),
     "volume-key-demand-undone"},
    /* An exception for a known role does not make it none. */
    {VOLUME(ALLOW("") "," DENY("{'Null':{'sagemaker:VolumeKmsKey':'true'},"
                               "'ArnNotLike':{'aws:PrincipalArn':'arn:*:role/admin'}}")),
     ""},
    {VOLUME(ALLOW("") ",{'Effect':'Deny','NotAction':['s3:*'],'Resource':'*',"
                      "'Condition':{'Null':{'sagemaker:VolumeKmsKey':'true'}}}"),
     ""},
    {VOLUME(ALLOW("") ",{'Effect':'Deny','NotAction':['sagemaker:*'],'Resource':'*',"
                      "'Condition':{'Null':{'sagemaker:VolumeKmsKey':'true'}}}"),
     "volume-key-not-demanded"},
    /* Two keys in one Null: the Deny holds only where both are absent. */
    {VOLUME(ALLOW("") "," DENY("{'Null':{'sagemaker:VolumeKmsKey':'true',"
                               "'sagemaker:OutputKmsKey':'true'}}")),
     "volume-key-demand-undone"},
    /* Jobs it may not start at all. */
    {POLICY("{'Effect':'Allow','Action':['sagemaker:Describe*','s3:GetObject'],"
            "'Resource':'arn:aws:s3:::b/*'}"),
     ""},
    {POLICY("{'Effect':'Allow','Action':'sagemaker:createtrainingjob','Resource':"
            "'arn:aws:sagemaker:eu-west-1:1:training-job/x-*'}"),
     ALL_DEMANDS},
    {POLICY("{'Effect':'Allow','Action':'sagemaker:Create*','Resource':"
            "'arn:aws:sagemaker:eu-west-1:1:model/*'}"),
     ""},
    {POLICY(ALLOW("") ",{'Effect':'Deny','Action':'sagemaker:*','Resource':'*'}"), ""},
};

/* Of a yes-or-no key an explicit false counts too. */
#define ISOLATION(statements)                                                            \
    POLICY(statements "," DENY("{'Null':{'sagemaker:VpcSubnets':'true'}}") "," DENY(     \
        "{'Null':{'"                                                                     \
        "sagemaker:"                                                                     \
        "OutputKmsKey':'"                                                                \
        "true'}}") "," DENY("{'Null':{'sagemaker:VolumeKmsKey':'true'}}") "," DENY("{'"  \
                                                                                   "Boo" \
                                                                                   "lIf" \
                                                                                   "Exi" \
                                                                                   "sts" \
                                                                                   "':{" \
                                                                                   "'"   \
                                                                                   "sag" \
                                                                                   "ema" \
                                                                                   "ker" \
                                                                                   ":"   \
                                                                                   "Int" \
                                                                                   "erC" \
                                                                                   "ont" \
                                                                                   "ain" \
                                                                                   "erT" \
                                                                                   "raf" \
                                                                                   "f"   \
                                                                                   "icE" \
                                                                                   "ncr" \
                                                                                   "ypt" \
                                                                                   "ion" \
                                                                                   "':'" \
                                                                                   "fal" \
                                                                                   "se'" \
                                                                                   "}"   \
                                                                                   "}"))

static const lint_case switches[] = {
    {ISOLATION(ALLOW("") "," DENY("{'Bool':{'sagemaker:NetworkIsolation':'false'}}")),
     "isolation-demand-undone"}, /* absent gets through */
    {ISOLATION(ALLOW("") "," DENY("{'Null':{'sagemaker:NetworkIsolation':'true'}}")),
     "isolation-demand-undone"}, /* false gets through */
    {ISOLATION(
         ALLOW("") "," DENY("{'BoolIfExists':{'sagemaker:NetworkIsolation':'false'}}")),
     ""},
    {ISOLATION(
         ALLOW("") "," DENY("{'BoolIfExists':{'sagemaker:NetworkIsolation':false}}")),
     ""},
    {ISOLATION(ALLOW(",'Condition':{'Bool':{'sagemaker:NetworkIsolation':'true'}}")), ""},
    {ISOLATION(ALLOW(",'Condition':{'Bool':{'sagemaker:NetworkIsolation':'True'}}")), ""},
    {ISOLATION(
         ALLOW(",'Condition':{'BoolIfExists':{'sagemaker:NetworkIsolation':'true'}}")),
     "isolation-demand-undone"},
};

static const lint_case wide[] = {
    {POLICY("{'Effect':'Allow','Action':'*','Resource':'*'}"), ALL_DEMANDS " admin"},
    {POLICY("{'Effect':'Allow','Action':'s3:*','Resource':'*'}"),
     "service-wildcard any-bucket"},
    {POLICY("{'Effect':'Allow','Action':['s3:GetObject'],'Resource':['arn:aws:s3:::*']}"),
     "any-bucket"},
    {POLICY(
         "{'Effect':'Allow','Action':['s3:GetObject'],'Resource':['arn:aws:s3:::b/*']}"),
     ""},
    {POLICY("{'Effect':'Allow','Action':'s3:Get*','Resource':'*','Condition':{"
            "'StringEquals':{'aws:ResourceAccount':'1'}}}"),
     ""},
    {POLICY("{'Effect':'Allow','Action':'iam:PassRole','Resource':'*'}"), "pass-role"},
    {POLICY("{'Effect':'Allow','Action':'iam:PassRole','Resource':'*','Condition':{"
            "'StringEquals':{'iam:PassedToService':'sagemaker.amazonaws.com'}}}"),
     ""},
    {POLICY("{'Effect':'Allow','Action':'iam:*','Resource':'arn:aws:iam::1:role/x'}"),
     "pass-role"},
    {POLICY("{'Effect':'Deny','Action':'*','Resource':'*'}"), ""},
};

static const lint_case forms[] = {
    {"{'Statement':[]}", "element"},
    {POLICY("{'Effect':'allow','Action':'s3:GetObject','Resource':'arn:aws:s3:::b/*'}"),
     "effect"},
    {POLICY("{'Action':'s3:GetObject','Resource':'arn:aws:s3:::b/*'}"), "effect"},
    {POLICY(
         "{'Effect':'Allow','Actions':['s3:GetObject'],'Resource':'arn:aws:s3:::b/*'}"),
     "element element"},
    {POLICY("{'Effect':'Allow','Action':'a:b','NotAction':'c:d','Resource':'*'}"),
     "element " ALL_DEMANDS " allow-not-action"},
    {POLICY("{'Effect':'Allow','Action':'a:b','Resource':'*','Condition':{'StringIs':{"
            "'k':'v'}}}"),
     "operator"},
    {POLICY("{'Effect':'Allow','Action':'a:b','Resource':'*','Condition':{'Null':'k'}}"),
     "operator"},
    {POLICY("'text'"), "element"},
};

static const lint_case buckets[] = {
#define BUCKET(statements) POLICY(statements "," TLS "," KMS)
#define TLS                                                                              \
    "{'Effect':'Deny','Principal':'*','Action':'s3:*','Resource':['arn:aws:s3:::b',"     \
    "'arn:aws:s3:::b/*'],'Condition':{'Bool':{'aws:SecureTransport':'false'}}}"
#define KMS                                                                              \
    "{'Effect':'Deny','Principal':'*','Action':'s3:PutObject','Resource':"               \
    "'arn:aws:s3:::b/*','Condition':{'StringNotEquals':{"                                \
    "'s3:x-amz-server-side-encryption':'aws:kms'}}}"
#define DENY_S3(condition)                                                               \
    "{'Effect':'Deny','Principal':'*','Action':'s3:*','Resource':'arn:aws:s3:::b/*',"    \
    "'Condition':" condition "}"
    {BUCKET(DENY_S3("{'StringNotEquals':{'aws:SourceVpce':'vpce-1'}}")), ""},
    {BUCKET(DENY_S3("{'StringNotEquals':{'aws:sourcevpce':['vpce-1','vpce-2']}}")), ""},
    {BUCKET(DENY_S3("{'StringNotEqualsIfExists':{'aws:SourceVpce':'vpce-1'}}")), ""},
    {BUCKET(DENY_S3("{'StringNotEquals':{'aws:SourceVpc':'vpc-1'}}")), ""},
    {BUCKET(DENY_S3("{'ForAnyValue:StringNotEquals':{'aws:SourceVpce':'vpce-1'}}")),
     "vpc-endpoint"},
    {BUCKET(DENY_S3("{'Null':{'aws:SourceVpce':'true'}}")), "vpc-endpoint"},
    {BUCKET(DENY_S3("{'StringEquals':{'aws:SourceVpce':'vpce-1'}}")), "vpc-endpoint"},
    {BUCKET("{'Effect':'Deny','Principal':{'AWS':'arn:aws:iam::1:role/r'},'Action':'s3:*'"
            ",'Resource':'arn:aws:s3:::b/*','Condition':{'StringNotEquals':{"
            "'aws:SourceVpce':'vpce-1'}}}"),
     "vpc-endpoint"},
    {BUCKET("{'Effect':'Deny','Principal':'*','Action':'s3:*','Resource':"
            "'arn:aws:s3:::b/data/*','Condition':{'StringNotEquals':{'aws:SourceVpce':"
            "'vpce-1'}}}"),
     "vpc-endpoint"},
    {POLICY("{'Effect':'Allow','Principal':'*','Action':'s3:GetObject','Resource':"
            "'arn:aws:s3:::b/*'}"),
     "public vpc-endpoint tls sse-kms"},
    {BUCKET("{'Effect':'Allow','Principal':{'AWS':['*']},'Action':'s3:GetObject',"
            "'Resource':'arn:aws:s3:::b/*','Condition':{'StringEquals':{"
            "'aws:PrincipalOrgID':'o-1'}}}"),
     "vpc-endpoint"},
};

static const lint_case trusts[] = {
    {POLICY("{'Effect':'Allow','Principal':{'Service':'sagemaker.amazonaws.com'},"
            "'Action':'sts:AssumeRole'}"),
     "confused-deputy"},
    {POLICY("{'Effect':'Allow','Principal':{'Service':'sagemaker.amazonaws.com'},"
            "'Action':'sts:AssumeRole','Condition':{'StringEquals':{"
            "'aws:SourceAccount':'1'}}}"),
     ""},
    {POLICY("{'Effect':'Allow','Principal':{'AWS':'*'},'Action':'sts:AssumeRole'}"),
     "trust-anyone"},
};

static void check_all(const lint_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check_case(&cases[i]);
}

static void test_roles_a_demand_that_lets_a_job_through_is_found(void **state)
{
    (void)state;
    check_all(demands, BL_LEN(demands));
    check_all(switches, BL_LEN(switches));
}

static void test_roles_too_wide_are_found(void **state)
{
    (void)state;
    check_all(wide, BL_LEN(wide));
}

static void test_roles_statements_that_say_nothing_are_found(void **state)
{
    (void)state;
    check_all(forms, BL_LEN(forms));
}

static void test_roles_policies_of_buckets_and_trusts_are_told_apart(void **state)
{
    (void)state;
    check_all(buckets, BL_LEN(buckets));
    check_all(trusts, BL_LEN(trusts));
}

static void test_roles_the_statement_that_undoes_is_named(void **state)
{
    (void)state;
    bl_lint lint = lint_of(VOLUME(ALLOW(
        ",'Condition':{'StringEquals':{'sagemaker:VolumeKmsKey':'k'}}") "," ALLOW("")));
    assert_int_equal(lint.n, 1);
    assert_string_equal(lint.finding[0].at, "Statement[1]");
    assert_string_equal(
        lint.finding[0].found,
        "Statement[0] seems to demand sagemaker:VolumeKmsKey, and this one allows a job "
        "without a key for the volume (\"sagemaker:CreateTrainingJob\"): what statements "
        "allow adds up");
    CHECK(strstr(lint.finding[0].write,
                 "\"Condition\": {\"Null\": {\"sagemaker:VolumeKmsKey\": \"true\"}}"),
          "%s", lint.finding[0].write);
    bli_lint_done(&lint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_roles_a_demand_that_lets_a_job_through_is_found),
        cmocka_unit_test(test_roles_too_wide_are_found),
        cmocka_unit_test(test_roles_statements_that_say_nothing_are_found),
        cmocka_unit_test(test_roles_policies_of_buckets_and_trusts_are_told_apart),
        cmocka_unit_test(test_roles_the_statement_that_undoes_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
