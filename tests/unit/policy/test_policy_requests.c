/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and events. */
#include "lint_check.h"

#include "base/mem.h"

#define VPC "'VpcConfig':{'Subnets':['subnet-1'],'SecurityGroupIds':['sg-1']}"
#define SWITCHES                                                                         \
    "'EnableNetworkIsolation':true,'EnableInterContainerTrafficEncryption':true"
#define OUTPUT         "'OutputDataConfig':{'S3OutputPath':'s3://b/','KmsKeyId':'k'}"
#define VOLUME         "'ResourceConfig':{'InstanceType':'ml.m5.xlarge','VolumeKmsKeyId':'k'}"
#define TRAINING(rest) "{'TrainingJobName':'j'," rest "}"
#define GOOD           VPC "," SWITCHES "," OUTPUT "," VOLUME

static const lint_case training[] = {
    {TRAINING(GOOD), ""},
    {"{'TrainingJobName':'j'}", "vpc volume-key output-key isolation inter-container"},
    /* What a skeleton of the aws command holds counts as nothing. */
    {TRAINING(
         "'VpcConfig':{'Subnets':[''],'SecurityGroupIds':['']},'ResourceConfig':{"
         "'VolumeKmsKeyId':''},'OutputDataConfig':{'KmsKeyId':'  '},"
         "'EnableNetworkIsolation':false,'EnableInterContainerTrafficEncryption':false"),
     "vpc volume-key output-key isolation inter-container"},
    {TRAINING("'VpcConfig':{'Subnets':['s']}," SWITCHES "," OUTPUT "," VOLUME), "vpc"},
    {TRAINING("'VpcConfig':{'Subnets':[],'SecurityGroupIds':['g']}," SWITCHES "," OUTPUT
              "," VOLUME),
     "vpc"},
    {TRAINING("'VpcConfig':null," SWITCHES "," OUTPUT "," VOLUME), "vpc"},
    /* Text for true is refused by AWS. */
    {TRAINING(VPC "," OUTPUT "," VOLUME ",'EnableNetworkIsolation':'true',"
                  "'EnableInterContainerTrafficEncryption':true"),
     "type isolation"},
    /* Another case is another member. */
    {TRAINING(SWITCHES "," OUTPUT "," VOLUME
                       ",'VPCConfig':{'Subnets':['s'],'SecurityGroupIds':['g']}"),
     "member-name vpc"},
    {TRAINING(VPC
              "," SWITCHES "," OUTPUT
              ",'ResourceConfig':{'VolumeKMSKeyId':'k','InstanceType':'ml.m5.large'}"),
     "member-name volume-key"},
    /* Disks of their own take no key. */
    {TRAINING(VPC "," SWITCHES "," OUTPUT ",'ResourceConfig':{'InstanceType':'ml.m5d."
                  "large','VolumeKmsKeyId':'k'}"),
     "volume-key-refused"},
    {TRAINING(VPC "," SWITCHES "," OUTPUT
                  ",'ResourceConfig':{'InstanceType':'ml.g5.xlarge'}"),
     ""},
    {TRAINING(VPC "," SWITCHES "," OUTPUT
                  ",'ResourceConfig':{'InstanceType':'ml.p4d.24xlarge'}"),
     ""},
    {TRAINING(VPC "," SWITCHES "," OUTPUT
                  ",'ResourceConfig':{'InstanceType':'ml.c4.xlarge'}"),
     "volume-key"},
    {TRAINING(VPC "," SWITCHES "," OUTPUT
                  ",'ResourceConfig':{'InstanceGroups':[{'InstanceType':'ml.g4dn.xlarge'"
                  "}]}"),
     ""},
    /* Spot. */
    {TRAINING(GOOD ",'EnableManagedSpotTraining':true,'StoppingCondition':{"
                   "'MaxRuntimeInSeconds':3600,'MaxWaitTimeInSeconds':3600}"),
     "spot-checkpoint"},
    {TRAINING(GOOD ",'EnableManagedSpotTraining':true,'CheckpointConfig':{'S3Uri':'s3://"
                   "b/c'},'StoppingCondition':{'MaxRuntimeInSeconds':3600,"
                   "'MaxWaitTimeInSeconds':3599}"),
     "spot-wait"},
    {TRAINING(GOOD ",'EnableManagedSpotTraining':true,'CheckpointConfig':{'LocalPath':'/"
                   "opt/ml/checkpoints'},'StoppingCondition':{'MaxWaitTimeInSeconds':"
                   "86400}"),
     "spot-checkpoint"},
    {TRAINING(GOOD ",'EnableManagedSpotTraining':true,'CheckpointConfig':{'S3Uri':'s3://"
                   "b/c'},'StoppingCondition':{'MaxWaitTimeInSeconds':7200}"),
     "spot-wait"},
    {TRAINING(GOOD ",'EnableManagedSpotTraining':true,'CheckpointConfig':{'S3Uri':'s3://"
                   "b/c'},'StoppingCondition':{'MaxRuntimeInSeconds':7200}"),
     "spot-wait"},
    {TRAINING(GOOD ",'StoppingCondition':{'MaxRuntimeInSeconds':60,"
                   "'MaxWaitTimeInSeconds':60}"),
     "spot-wait"},
    {TRAINING(GOOD ",'StoppingCondition':{'MaxRuntimeInSeconds':'3600'}"), "type"},
    /* What else lets something out. */
    {TRAINING(GOOD ",'RemoteDebugConfig':{'EnableRemoteDebug':true}"), "remote-debug"},
    {TRAINING(GOOD ",'Environment':{'DB_PASSWORD':'x','A':'b'}"), "secret"},
    {TRAINING(GOOD ",'HyperParameters':{'k':'AKIAIOSFODNN7EXAMPLE'}"), "secret"},
    {TRAINING(GOOD ",'HyperParameters':{'objective':'binary:logistic'}"), ""},
    /* An answer of DescribeTrainingJob. */
    {"{'TrainingJobArn':'a','TrainingJobStatus':'Completed','TrainingJobName':'j'," GOOD
     "}",
     ""},
    {TRAINING("'VpcConfig':{'Ref':'Vpc'}," SWITCHES "," OUTPUT "," VOLUME), ""},
    /* A tuning job holds training jobs. */
    {"{'HyperParameterTuningJobName':'t','TrainingJobDefinition':{" VPC "," SWITCHES
     "," OUTPUT "}}",
     "volume-key"},
    {"{'HyperParameterTuningJobName':'t','TrainingJobDefinitions':[{" GOOD "},{" SWITCHES
     "," OUTPUT "," VOLUME "}]}",
     "vpc"},
};

static const lint_case processing[] = {
    {"{'ProcessingJobName':'p'}", "vpc volume-key isolation inter-container"},
    {"{'ProcessingJobName':'p','ProcessingOutputConfig':{'Outputs':[]},"
     "'ProcessingResources':{'ClusterConfig':{'InstanceType':'ml.m5.large',"
     "'VolumeKmsKeyId':'k'}},'NetworkConfig':{" VPC "," SWITCHES "}}",
     "output-key"},
    /* The switches stand in NetworkConfig, not at the top. */
    {"{'ProcessingJobName':'p'," SWITCHES "," VPC
     ",'ProcessingResources':{'ClusterConfig':{'VolumeKmsKeyId':'k'}}}",
     "vpc isolation inter-container"},
};

static const lint_case events[] = {
    {"{'eventName':'CreateTrainingJob','requestParameters':{'trainingJobName':'j',"
     "'vpcConfig':{'subnets':['s'],'securityGroupIds':['g']},'enableNetworkIsolation':"
     "true,'enableInterContainerTrafficEncryption':true,'outputDataConfig':{'kmsKeyId':"
     "'k'},'resourceConfig':{'instanceType':'ml.m5.large','volumeKmsKeyId':'k'}}}",
     ""},
    {"{'Records':[{'eventName':'CreateTrainingJob','requestParameters':{"
     "'trainingJobName':'j'}},{'eventName':'DescribeTrainingJob','requestParameters':{}}]"
     "}",
     "vpc volume-key output-key isolation inter-container"},
    {"{'detail':{'eventName':'CreateProcessingJob','requestParameters':{"
     "'networkConfig':{'enableNetworkIsolation':true}}}}",
     "vpc volume-key inter-container"},
    /* AWS refused the call: there is no job. */
    {"{'eventName':'CreateTrainingJob','errorCode':'AccessDenied','requestParameters':{"
     "'trainingJobName':'j'}}",
     ""},
    {"{'eventName':'CreateTrainingJob','requestParameters':null}", "document"},
    {"{'eventName':'StartInstances'}", ""},
};

static void check_all(const lint_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check_case(&cases[i]);
}

static void test_requests_of_training_raise_what_they_lack(void **state)
{
    (void)state;
    check_all(training, BL_LEN(training));
}

static void test_requests_of_processing_raise_what_they_lack(void **state)
{
    (void)state;
    check_all(processing, BL_LEN(processing));
}

static void test_requests_in_events_are_read_in_cloudtrails_spelling(void **state)
{
    (void)state;
    check_all(events, BL_LEN(events));
}

static void test_requests_never_show_a_secret(void **state)
{
    (void)state;
    bl_buf out = {0};
    bl_lint lint = lint_of(
        TRAINING(GOOD ",'Environment':{'DB_PASSWORD':'hunter2','K':'xAKIAIOSFODNN7"
                      "EXAMPLE'}"));
    bli_lint_text(&lint, "f", &out);
    CHECK(strstr(out.data, "Environment.DB_PASSWORD") && !strstr(out.data, "hunter2") &&
              !strstr(out.data, "AKIA"),
          "%s", out.data);
    bli_buf_done(&out);
    bli_lint_done(&lint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_of_training_raise_what_they_lack),
        cmocka_unit_test(test_requests_of_processing_raise_what_they_lack),
        cmocka_unit_test(test_requests_in_events_are_read_in_cloudtrails_spelling),
        cmocka_unit_test(test_requests_never_show_a_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
