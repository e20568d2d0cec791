/* SPDX-License-Identifier: Apache-2.0 */
/* What a request for a job must ask for. */
#include "policy/policy_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define VPC_WRITE                                                                        \
    "\"VpcConfig\": {\"Subnets\": [\"subnet-...\"], \"SecurityGroupIds\": [\"sg-...\"]}"

typedef struct request {
    bl_lint *lint;
    const json_t *object;
    bool camel; /* CloudTrail's spelling */
    const char *at;
} request;

static const json_t *get(const request *r, const json_t *object, const char *name)
{
    return bli_member(object, name, r->camel);
}

/* A reference of a template to what is not in it: {"Get": "Parameters.Key"} of a pipeline, {"Ref": ...} of
 * CloudFormation, "KmsKeyId.$" of a state machine. It counts as given. */
static bool is_reference(const request *r, const json_t *object, const char *name)
{
    char path_name[64];
    if (json_is_object(get(r, object, name)))
        return true;
    snprintf(path_name, sizeof path_name, "%s.$", name);
    return bli_text_of(json_object_get(object, path_name)) != NULL;
}

/* The same for an object that a template fills in as a whole. */
static bool is_whole_reference(const json_t *object)
{
    return json_object_size(object) == 1 &&
           (json_object_get(object, "Get") || json_object_get(object, "Ref") ||
            json_object_get(object, "Fn::If"));
}

/* A yes-or-no member: JSON's true only. Text is refused by AWS, and said. */
static bool is_on(const request *r, const json_t *object, const char *name)
{
    const json_t *value = get(r, object, name);
    if (json_is_string(value))
        bli_found(r->lint, "type", bli_at(r->at, "%s", name).text,
                  bli_text_equal_nocase(json_string_value(value), "true") ? "true"
                                                                          : "false",
                  "text where true or false stands, which AWS refuses");
    return json_is_true(value) || is_reference(r, object, name);
}

static void need_text(const request *r, const json_t *object, const char *outer,
                      const char *name, const char *rule, const char *write,
                      const char *why)
{
    if (!bli_text_of(get(r, object, name)) && !is_reference(r, object, name))
        bli_found(r->lint, rule, bli_at(r->at, "%s.%s", outer, name).text, write, "%s",
                  why);
}

/* A list in which something is said. */
static bool has_values(const request *r, const json_t *object, const char *name)
{
    const json_t *list = get(r, object, name);
    for (size_t i = 0; i < json_array_size(list); i++)
        if (bli_text_of(json_array_get(list, i)) ||
            json_is_object(json_array_get(list, i)))
            return true;
    return is_reference(r, object, name);
}

static void check_vpc(const request *r, const json_t *holder, const char *outer)
{
    const json_t *vpc = get(r, holder, "VpcConfig");
    const char *lacks = NULL;
    if ((!vpc && is_reference(r, holder, "VpcConfig")) || is_whole_reference(vpc))
        return;
    if (!json_is_object(vpc))
        lacks =
            "no VPC: the job's containers run in AWS's own network, with a way to the "
            "Internet";
    else if (!has_values(r, vpc, "Subnets"))
        lacks = "a VPC without subnets";
    else if (!has_values(r, vpc, "SecurityGroupIds"))
        lacks = "a VPC without security groups";
    if (lacks)
        bli_found(r->lint, "vpc", bli_at(r->at, "%sVpcConfig", outer).text, VPC_WRITE,
                  "%s", lacks);
}

static void check_switches(const request *r, const json_t *holder, const char *outer)
{
    if (!is_on(r, holder, "EnableNetworkIsolation"))
        bli_found(r->lint, "isolation",
                  bli_at(r->at, "%sEnableNetworkIsolation", outer).text,
                  "\"EnableNetworkIsolation\": true",
                  "no network isolation: the container can reach other machines and has "
                  "the role's credentials. boostlens needs neither");
    if (!is_on(r, holder, "EnableInterContainerTrafficEncryption"))
        bli_found(r->lint, "inter-container",
                  bli_at(r->at, "%sEnableInterContainerTrafficEncryption", outer).text,
                  "\"EnableInterContainerTrafficEncryption\": true",
                  "traffic between the hosts of the job is not encrypted; with one host "
                  "it costs nothing");
}

/* --- Volumes --------------------------------------------------------------------------- */

/* Instance types with disks of their own get no EBS volume, so AWS refuses a key: their disks are
 * encrypted in hardware. Sizes as "ml.m5d.xlarge": a d after the generation, or a family that has
 * disks in all sizes. Source: the API reference of ResourceConfig. */
static bool has_local_disks(const char *type)
{
    static const char *const families[] = {"g5.",   "g6.",   "g6e.",  "gr6.",
                                           "p4de.", "p5.",   "p5e.",  "p5en.",
                                           "p6-",   "trn1.", "trn2.", "trn1n."};
    if (strncmp(type, "ml.", 3) == 0)
        type += 3;
    for (size_t i = 0; i < BL_LEN(families); i++)
        if (strncmp(type, families[i], strlen(families[i])) == 0)
            return true;
    size_t letters = strcspn(type, "0123456789.");
    const char *after = type + letters + strspn(type + letters, "0123456789");
    for (; *after && *after != '.'; after++)
        if (*after == 'd')
            return true;
    return false;
}

static void check_volume(const request *r, const json_t *config, const char *outer)
{
    const char *type = bli_text_of(get(r, config, "InstanceType"));
    const json_t *groups = get(r, config, "InstanceGroups");
    for (size_t i = 0; !type && i < json_array_size(groups); i++)
        type = bli_text_of(get(r, json_array_get(groups, i), "InstanceType"));
    bool has_key = bli_text_of(get(r, config, "VolumeKmsKeyId")) != NULL;
    if (type && has_local_disks(type)) {
        if (has_key)
            bli_found(r->lint, "volume-key-refused",
                      bli_at(r->at, "%s.VolumeKmsKeyId", outer).text,
                      "an instance type without local disks, or no VolumeKmsKeyId",
                      "AWS refuses a volume key for an instance type with disks of its "
                      "own, which are encrypted in hardware with no key of yours");
        return;
    }
    need_text(r, config, outer, "VolumeKmsKeyId", "volume-key",
              "\"VolumeKmsKeyId\": \"arn:aws:kms:...:key/...\"",
              "no key of yours for the volume that holds data, model and /tmp");
}

/* --- Environment ------------------------------------------------------------------------- */

static bool looks_like_key_id(const char *text)
{
    for (const char *at = text; (at = strpbrk(at, "A")); at++) {
        size_t n = 0;
        if (strncmp(at, "AKIA", 4) != 0 && strncmp(at, "ASIA", 4) != 0)
            continue;
        while (n < 20 &&
               ((at[n] >= 'A' && at[n] <= 'Z') || (at[n] >= '0' && at[n] <= '9')))
            n++;
        if (n == 20)
            return true;
    }
    return false;
}

static bool names_a_secret(const char *name)
{
    static const char *const words[] = {"*secret*",     "*password*", "*passwd*",
                                        "*_token",      "*api_key*",  "*apikey*",
                                        "*private_key*"};
    for (size_t i = 0; i < BL_LEN(words); i++)
        if (bli_glob(words[i], name, true))
            return true;
    return false;
}

/* Whoever may describe the job reads these. The value is never said. */
static void check_secrets(const request *r, const char *map)
{
    const char *name;
    json_t *value;
    json_object_foreach(bli_iterable(get(r, r->object, map)), name, value)
    {
        const char *text = bli_text_of(value);
        char quoted[64];
        if (text && (names_a_secret(name) || looks_like_key_id(text)))
            bli_found(r->lint, "secret",
                      bli_at(r->at, "%s.%s", map,
                             bli_quote(name, strlen(name), quoted, sizeof quoted - 4))
                          .text,
                      "nothing: leave it out; a job of boostlens needs no credential",
                      "a credential by its name or form; whoever may describe the job "
                      "reads it");
    }
}

/* --- Names ----------------------------------------------------------------------------------- */

/* AWS refuses a member in other letters; a reader takes it for set. */
static void check_names(const request *r, const json_t *object, const char *outer,
                        const char *const *names, size_t n)
{
    const char *name;
    json_t *value;
    json_object_foreach(bli_iterable(object), name, value)
    {
        for (size_t i = 0; !r->camel && i < n; i++)
            if (strcmp(name, names[i]) != 0 && bli_text_equal_nocase(name, names[i]))
                bli_found(r->lint, "member-name", bli_at(r->at, "%s%s", outer, name).text,
                          names[i], "AWS does not know this spelling");
    }
}

static const char *const training_names[] = {"VpcConfig",
                                             "ResourceConfig",
                                             "OutputDataConfig",
                                             "CheckpointConfig",
                                             "StoppingCondition",
                                             "EnableNetworkIsolation",
                                             "EnableInterContainerTrafficEncryption",
                                             "EnableManagedSpotTraining"};
static const char *const processing_names[] = {"NetworkConfig", "ProcessingResources",
                                               "ProcessingOutputConfig"};
static const char *const network_names[] = {"VpcConfig", "EnableNetworkIsolation",
                                            "EnableInterContainerTrafficEncryption"};
static const char *const key_names[] = {"VolumeKmsKeyId", "KmsKeyId"};

/* --- Spot ------------------------------------------------------------------------------------- */

/* Seconds of a StoppingCondition, or what is said by -1: none, or no number. */
static json_int_t seconds(const request *r, const char *name)
{
    const json_t *value = get(r, get(r, r->object, "StoppingCondition"), name);
    if (json_is_integer(value))
        return json_integer_value(value);
    if (value && !json_is_null(value) && !json_is_object(value))
        bli_found(r->lint, "type", bli_at(r->at, "StoppingCondition.%s", name).text,
                  "a whole number of seconds", "no whole number, which AWS refuses");
    return -1;
}

static void check_spot(const request *r)
{
    static const json_int_t a_day = 86400; /* AWS's default of the run time */
    json_int_t run = seconds(r, "MaxRuntimeInSeconds");
    json_int_t wait = seconds(r, "MaxWaitTimeInSeconds");
    bool spot = is_on(r, r->object, "EnableManagedSpotTraining");
    bl_at at = bli_at(r->at, "StoppingCondition.MaxWaitTimeInSeconds");
    if (!spot) {
        if (wait >= 0)
            bli_found(r->lint, "spot-wait", at.text,
                      "\"EnableManagedSpotTraining\": true",
                      "a wait is for Spot only; without it AWS refuses the request");
        return;
    }
    const json_t *checkpoints = get(r, r->object, "CheckpointConfig");
    if (!bli_text_of(get(r, checkpoints, "S3Uri")) &&
        !is_reference(r, checkpoints, "S3Uri"))
        bli_found(r->lint, "spot-checkpoint", bli_at(r->at, "CheckpointConfig").text,
                  "\"CheckpointConfig\": {\"S3Uri\": \"s3://BUCKET/checkpoints/JOB\"}",
                  "Spot without a place for checkpoints: an interrupted job begins again "
                  "at round 0");
    if (wait < 0)
        bli_found(r->lint, "spot-wait", at.text,
                  "\"MaxWaitTimeInSeconds\": the run time and the wait you accept",
                  "Spot without a wait, which AWS refuses");
    else if (wait < (run >= 0 ? run : a_day))
        bli_found(r->lint, "spot-wait", at.text,
                  "at least MaxRuntimeInSeconds; more, so that an interruption can be "
                  "waited for",
                  "the wait (%lld s) counts the run too and is shorter than the run time "
                  "(%lld s%s)",
                  (long long)wait, (long long)(run >= 0 ? run : a_day),
                  run >= 0 ? "" : ", AWS's default");
}

/* --- Requests ----------------------------------------------------------------------------------- */

static void training(const request *r)
{
    const json_t *resources = get(r, r->object, "ResourceConfig");
    const char *resources_name = "ResourceConfig";
    if (!resources && get(r, r->object, "HyperParameterTuningResourceConfig")) {
        resources_name = "HyperParameterTuningResourceConfig";
        resources = get(r, r->object, resources_name);
    }
    check_names(r, r->object, "", training_names, BL_LEN(training_names));
    check_names(r, resources, "ResourceConfig.", key_names, BL_LEN(key_names));
    check_names(r, get(r, r->object, "OutputDataConfig"), "OutputDataConfig.", key_names,
                BL_LEN(key_names));
    check_vpc(r, r->object, "");
    check_volume(r, resources, resources_name);
    need_text(r, get(r, r->object, "OutputDataConfig"), "OutputDataConfig", "KmsKeyId",
              "output-key", "\"KmsKeyId\": \"arn:aws:kms:...:key/...\"",
              "no key of yours for model and results in the bucket");
    check_switches(r, r->object, "");
    check_spot(r);
    if (json_is_true(get(r, get(r, r->object, "RemoteDebugConfig"), "EnableRemoteDebug")))
        bli_found(r->lint, "remote-debug", bli_at(r->at, "RemoteDebugConfig").text,
                  "\"EnableRemoteDebug\": false",
                  "a shell can be opened into the running job");
    check_secrets(r, "Environment");
    check_secrets(r, "HyperParameters");
}

void bli_lint_training(bl_lint *lint, const json_t *object, bool camel, const char *at)
{
    const request r = {lint, object, camel, at};
    training(&r);
}

void bli_lint_tuning(bl_lint *lint, const json_t *object, bool camel, const char *at)
{
    const json_t *one = bli_member(object, "TrainingJobDefinition", camel);
    const json_t *several = bli_member(object, "TrainingJobDefinitions", camel);
    if (json_is_object(one)) {
        bl_at inner = bli_at(at, "TrainingJobDefinition");
        bli_lint_training(lint, one, camel, inner.text);
    }
    for (size_t i = 0; i < json_array_size(several); i++) {
        bl_at inner = bli_at(at, "TrainingJobDefinitions[%zu]", i);
        bli_lint_training(lint, json_array_get(several, i), camel, inner.text);
    }
}

void bli_lint_processing(bl_lint *lint, const json_t *object, bool camel, const char *at)
{
    const request r = {lint, object, camel, at};
    const json_t *network = get(&r, object, "NetworkConfig");
    const json_t *output = get(&r, object, "ProcessingOutputConfig");
    const json_t *cluster =
        get(&r, get(&r, object, "ProcessingResources"), "ClusterConfig");
    check_names(&r, object, "", processing_names, BL_LEN(processing_names));
    check_names(&r, network, "NetworkConfig.", network_names, BL_LEN(network_names));
    check_vpc(&r, network, "NetworkConfig.");
    check_volume(&r, cluster, "ProcessingResources.ClusterConfig");
    if (output)
        need_text(&r, output, "ProcessingOutputConfig", "KmsKeyId", "output-key",
                  "\"KmsKeyId\": \"arn:aws:kms:...:key/...\"",
                  "no key of yours for the results in the bucket");
    check_switches(&r, network, "NetworkConfig.");
    check_secrets(&r, "Environment");
}
