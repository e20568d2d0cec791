/* SPDX-License-Identifier: Apache-2.0 */
/* What a document is and in what it is wrapped; what is said of one that cannot be read. */
#include "lint_check.h"

#include "base/mem.h"

static const lint_case wrapped[] = {
    /* As `aws iam get-role-policy`, `get-policy-version`, `get-role`, `s3api get-bucket-policy` print. */
    {"{'RoleName':'r','PolicyName':'p','PolicyDocument':{'Statement':{'Effect':'Allow',"
     "'Action':'*','Resource':'arn:x'}}}",
     "admin"},
    {"{'PolicyVersion':{'Document':{'Statement':[{'Effect':'Allow','Action':'*',"
     "'Resource':'arn:x'}]},'VersionId':'v1'}}",
     "admin"},
    {"{'Role':{'AssumeRolePolicyDocument':{'Statement':[{'Effect':'Allow','Principal':{"
     "'AWS':'*'},'Action':'sts:AssumeRole'}]}}}",
     "trust-anyone"},
    {"[{'TrainingJobName':'a','VpcConfig':{'Subnets':['s'],'SecurityGroupIds':['g']},"
     "'EnableNetworkIsolation':true,'EnableInterContainerTrafficEncryption':true,"
     "'OutputDataConfig':{'KmsKeyId':'k'}},{'Statement':[{'Effect':'Allow','Action':'*',"
     "'Resource':'arn:x'}]}]",
     "volume-key admin"},
    {"[]", ""},
    {"{}", "document"},
    {"{'Name':'terraform'}", "document"},
    {"3", "document"},
    {"'text'", "document"},
    {"null", "document"},
    {"[[[[[[[[[[{}]]]]]]]]]]", "document"},
    {"{'Resources':{'R':{'Type':'AWS::IAM::Role','Properties':{"
     "'AssumeRolePolicyDocument':{'Statement':[{'Effect':'Allow','Principal':{'Service':"
     "'sagemaker.amazonaws.com'},'Action':'sts:AssumeRole'}]},'Policies':[{"
     "'PolicyDocument':{'Statement':[{'Effect':'Allow','Action':'s3:GetObject','Resource'"
     ":{'Fn::Sub':'arn:aws:s3:::${B}/*'}}]}}]}}}}",
     "confused-deputy"},
    {"{'Version':'2020-12-01','Steps':[{'Name':'t','Type':'Training','Arguments':{"
     "'AlgorithmSpecification':{},'OutputDataConfig':{'KmsKeyId':{'Get':'Parameters.K'}},"
     "'VpcConfig':{'Subnets':{'Get':'Parameters.S'},'SecurityGroupIds':['sg']},"
     "'EnableNetworkIsolation':true}}]}",
     "volume-key inter-container"},
    {"{'States':{'Train':{'Resource':'arn:aws:states:::sagemaker:createTrainingJob.sync',"
     "'Parameters':{'TrainingJobName.$':'$.n','AlgorithmSpecification':{},"
     "'OutputDataConfig':{'KmsKeyId.$':'$.k'},'ResourceConfig':{'VolumeKmsKeyId.$':'$.k'}"
     ",'VpcConfig.$':'$.v','EnableNetworkIsolation':true,"
     "'EnableInterContainerTrafficEncryption':true}}}}",
     ""},
    {"{'Statement':[{'Effect':'Allow','Principal':{'AWS':'x'},'Action':'kms:*',"
     "'Resource':'*'}]}",
     "document"},
    {"", "json"},
    {"{'a':1,}", "json"},
    {"{'a':True}", "json"},
    {"{'a':1 'b':2}", "json"},
    {"{'a':1,'a':2}", "json"},
    {"{'a':1}{}", "json"},
    {"// a comment\n{}", "json"},
};

static void test_documents_are_found_in_what_they_are_wrapped_in(void **state)
{
    (void)state;
    for (size_t i = 0; i < BL_LEN(wrapped); i++)
        check_case(&wrapped[i]);
}

static void test_documents_as_text_in_documents_are_read(void **state)
{
    (void)state;
    static const char text[] =
        "{\"Policy\": \"{\\\"Statement\\\": [{\\\"Effect\\\": \\\"Allow\\\", "
        "\\\"Principal\\\": \\\"*\\\", \\\"Action\\\": \\\"s3:GetObject\\\", "
        "\\\"Resource\\\": \\\"arn:aws:s3:::b/*\\\"}]}\"}";
    bl_lint lint;
    bl_err err = {0};
    CHECK_OK(bli_lint_document(text, sizeof text - 1, &lint, &err), err);
    assert_string_equal(lint.kind, "bucket policy");
    assert_int_equal(lint.n, 4);
    assert_string_equal(lint.finding[0].rule, "public");
    assert_string_equal(lint.finding[0].at, "Policy.Statement[0].Principal");
    bli_lint_done(&lint);
}

static void test_documents_invalid_json_is_named_by_line_and_column(void **state)
{
    (void)state;
    bl_lint lint = lint_of("{\n  'a': 1\n  'b': 2\n}");
    assert_int_equal(lint.n, 1);
    assert_string_equal(lint.finding[0].rule, "json");
    assert_string_equal(lint.finding[0].at, "line 3, column 5");
    CHECK(strstr(lint.finding[0].found, "no valid JSON: "), "%s", lint.finding[0].found);
    bli_lint_done(&lint);
}

static void test_documents_a_byte_order_mark_is_passed_over(void **state)
{
    (void)state;
    check_case(&(lint_case){"\xef\xbb\xbf[]", ""});
}

static void test_documents_findings_are_one_line_each_and_json(void **state)
{
    (void)state;
    bl_lint lint = lint_of("{'TrainingJobName':'j','Environment':{'a\\npassword':'x'}}");
    bl_buf out = {0}, json = {0};
    bl_jw jw = {.buf = &json};
    bl_err err = {0};
    json_t *value;
    size_t n_lines = 0;
    bli_lint_text(&lint, "f.json", &out);
    for (size_t i = 0; i < out.n; i++)
        n_lines += out.data[i] == '\n';
    assert_int_equal(n_lines, lint.n);
    CHECK(strncmp(out.data, "f.json: vpc: VpcConfig: no VPC", 30) == 0, "%s", out.data);
    bli_lint_json(&lint, "f.json", &jw);
    bli_jw_end(&jw);
    CHECK_OK(bli_json_parse(json.data, json.n, &value, &err), err);
    assert_string_equal(json_string_value(json_object_get(value, "kind")),
                        "CreateTrainingJob request");
    assert_int_equal(json_array_size(json_object_get(value, "findings")), lint.n);
    json_decref(value);
    bli_buf_done(&out);
    bli_buf_done(&json);
    bli_lint_done(&lint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documents_are_found_in_what_they_are_wrapped_in),
        cmocka_unit_test(test_documents_as_text_in_documents_are_read),
        cmocka_unit_test(test_documents_invalid_json_is_named_by_line_and_column),
        cmocka_unit_test(test_documents_a_byte_order_mark_is_passed_over),
        cmocka_unit_test(test_documents_findings_are_one_line_each_and_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
