#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lint-job on the requests and policies of AWS's workshop notebooks, rebuilt from their description, and on
our own templates; the templates against botocore's model of the service."""
import glob
import importlib.util

from harness import *

packages("botocore")
HERE = os.path.join(ROOT, "tests/contract/lint-job")
TEMPLATES = sorted(glob.glob(os.path.join(ROOT, "container/aws/*.json")))


def lint(*files, rc=None, text=None):
    one = subprocess.run([BOOSTLENS, "lint-job", *files], capture_output=True, text=True, timeout=HANG, input=text)
    check(rc is None or one.returncode == rc, "exit %s, expected %s: %s%s", one.returncode, rc, one.stdout, one.stderr)
    return one


def rules(name, rc=1):
    path = os.path.join(HERE, name)
    got = json.loads(lint(path, "--json", rc=rc).stdout)
    check(got["files"][0]["file"] == path and got["n_findings"] == len(got["files"][0]["findings"]), "%s", got)
    return [finding["rule"] for finding in got["files"][0]["findings"]]


@claim
def the_notebooks_first_training_request_raises_exactly_its_six_gaps():
    check(rules("cell-54.json") == ["vpc", "volume-key", "output-key", "isolation", "inter-container",
                                    "spot-checkpoint"], "%s", rules("cell-54.json"))
    check(rules("event-54.json") == rules("cell-54.json"), "the event differs: %s", rules("event-54.json"))


@claim
def the_notebooks_second_training_request_raises_the_same_less_vpc_and_volume_key():
    check(rules("cell-56.json") == ["output-key", "isolation", "inter-container", "spot-checkpoint"],
          "%s", rules("cell-56.json"))


@claim
def the_notebooks_processing_request_raises_output_key_isolation_and_inter_container():
    check(rules("cell-44.json") == ["output-key", "isolation", "inter-container"], "%s", rules("cell-44.json"))


@claim
def the_first_notebooks_policy_demands_a_vpc_and_nothing_of_encryption_or_isolation():
    check(rules("policy-notebook.json") == ["volume-key-not-demanded", "output-key-not-demanded",
                                            "isolation-not-demanded", "inter-container-not-demanded"],
          "%s", rules("policy-notebook.json"))


@claim
def the_studio_policy_is_no_valid_json_in_two_places_and_undoes_what_it_demands():
    for name, line in (("policy-studio.json", 42), ("policy-studio-half.json", 47)):
        one = lint(os.path.join(HERE, name), rc=1)
        contains(one.stdout, f"{name}: json: line {line}, column ", "no valid JSON")
    got = rules("policy-studio-mended.json")
    check(got == ["vpc-demand-undone", "volume-key-demand-undone", "output-key-demand-undone",
                  "isolation-not-demanded", "inter-container-demand-undone"], "%s", got)
    one = lint(os.path.join(HERE, "policy-studio-mended.json"), rc=1)
    contains(one.stdout, "Statement[0] seems to demand sagemaker:VolumeKmsKey", "Statement[2]: ", "adds up",
             '{"Null": {"sagemaker:VolumeKmsKey": "true"}}')


@claim
def our_templates_raise_nothing():
    check(len(TEMPLATES) == 6, "%s", TEMPLATES)
    one = lint(*TEMPLATES, rc=0)
    check(one.stdout == "", "%s", one.stdout)
    for path in TEMPLATES:
        contains(one.stderr, f"{path}: ")
    got = json.loads(lint("--json", *TEMPLATES, rc=0).stdout)
    kinds = [entry["kind"] for entry in got["files"]]
    check(kinds == ["bucket policy", "CreateProcessingJob request", "CreateTrainingJob request", "role policy",
                    "trust policy", "role policy"], "%s", kinds)


@claim
def every_finding_of_a_template_with_one_part_taken_away_is_found():
    """So that an empty answer on the templates means something."""
    with open(os.path.join(ROOT, "container/aws/create-training-job.json"), encoding="utf-8") as file:
        whole = json.load(file)
    cases = (("VpcConfig", None, "vpc"), ("ResourceConfig", "VolumeKmsKeyId", "volume-key"),
             ("OutputDataConfig", "KmsKeyId", "output-key"), ("EnableNetworkIsolation", None, "isolation"),
             ("EnableInterContainerTrafficEncryption", None, "inter-container"),
             ("CheckpointConfig", None, "spot-checkpoint"), ("StoppingCondition", "MaxWaitTimeInSeconds", "spot-wait"))
    for outer, inner, rule in cases:
        part = json.loads(json.dumps(whole))
        if inner:
            del part[outer][inner]
        else:
            del part[outer]
        got = json.loads(lint("-", "--json", rc=1, text=json.dumps(part)).stdout)
        check([finding["rule"] for finding in got["files"][0]["findings"]] == [rule], "%s: %s", rule, got)
    with open(os.path.join(ROOT, "container/aws/starter-policy.json"), encoding="utf-8") as file:
        policy = json.load(file)
    del policy["Statement"][0]["Condition"]["Bool"]
    got = json.loads(lint("-", "--json", rc=1, text=json.dumps(policy)).stdout)
    check([finding["rule"] for finding in got["files"][0]["findings"]] == ["inter-container-not-demanded"], "%s", got)


# --- The templates against the service's own model --------------------------------------------------------


def model():
    """The service model as botocore carries it."""
    found = importlib.util.find_spec("botocore")
    if not found:
        raise Skip("no botocore (container/deps.sh peers)")
    folder = os.path.join(os.path.dirname(found.origin), "data/sagemaker/2017-07-24")
    for name, opener in (("service-2.json.gz", gzip.open), ("service-2.json", open)):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            with opener(path, "rt", encoding="utf-8") as file:
                return json.load(file)
    raise Skip(f"this botocore carries no model of SageMaker in {folder}")


def violations(shapes, name, value, where):
    """What of value is not as the shape wants it, patterns, lengths and enumerations too."""
    import re
    shape = shapes[name]
    kind = shape["type"]
    types = {"structure": dict, "map": dict, "list": list, "string": str, "boolean": bool, "integer": int, "long": int,
             "float": float, "double": float, "timestamp": (str, int, float)}
    if not isinstance(value, types[kind]) or (kind in ("integer", "long") and isinstance(value, bool)):
        return [f"{where}: {type(value).__name__} where {kind} stands"]
    found = []
    size = len(value) if kind in ("string", "list", "map") else value
    if kind in ("string", "list", "map", "integer", "long", "float", "double"):
        if "min" in shape and size < shape["min"]:
            found.append(f"{where}: {size} is less than {shape['min']}")
        if "max" in shape and size > shape["max"]:
            found.append(f"{where}: {size} is more than {shape['max']}")
    if kind == "string":
        if "enum" in shape and value not in shape["enum"]:
            found.append(f"{where}: {value!r} is none of {shape['enum'][:8]}")
        # Java's classes of letters, blanks and digits have other names in Python.
        pattern = re.sub(r"\\p\{([LZN])\}", lambda m: {"L": r"\w", "Z": r"\s", "N": r"\d"}[m[1]], shape.get("pattern", ""))
        if pattern and not re.fullmatch(pattern, value, re.S):
            found.append(f"{where}: {value!r} is not as {shape['pattern']}")
    elif kind == "structure":
        found += [f"{where}.{need} is missing" for need in shape.get("required", []) if need not in value]
        for key, one in value.items():
            if key not in shape["members"]:
                found.append(f"{where}.{key} is no member")
            else:
                found += violations(shapes, shape["members"][key]["shape"], one, f"{where}.{key}")
    elif kind == "list":
        for number, one in enumerate(value):
            found += violations(shapes, shape["member"]["shape"], one, f"{where}[{number}]")
    elif kind == "map":
        for key, one in value.items():
            found += violations(shapes, shape["key"]["shape"], key, f"{where} key")
            found += violations(shapes, shape["value"]["shape"], one, f"{where}.{key}")
    return found


@claim
def our_requests_and_the_rebuilt_ones_are_valid_by_the_services_model():
    shapes = model()["shapes"]
    files = [(path, "CreateTrainingJobRequest") for path in
             (os.path.join(ROOT, "container/aws/create-training-job.json"), os.path.join(HERE, "cell-54.json"),
              os.path.join(HERE, "cell-56.json"))]
    files += [(path, "CreateProcessingJobRequest") for path in
              (os.path.join(ROOT, "container/aws/create-processing-job.json"), os.path.join(HERE, "cell-44.json"))]
    for path, shape in files:
        with open(path, encoding="utf-8") as file:
            found = violations(shapes, shape, json.load(file), shape)
        check(not found, "%s: %s", path, found)
    # The checker itself: each kind of violation is seen.
    with open(files[0][0], encoding="utf-8") as file:
        good = json.load(file)
    for change in ({"TrainingJobName": "a_b"}, {"RoleArn": "x"}, {"EnableNetworkIsolation": "true"}, {"Nothing": 1},
                   {"ResourceConfig": {"InstanceType": "ml.none"}}, {"Tags": [{"Key": "k"}]}):
        check(violations(shapes, "CreateTrainingJobRequest", {**good, **change}, ""), "not seen: %s", change)


@claim
def the_training_request_runs_here_with_its_own_hyperparameters():
    """The settings of the template are ones this program takes."""
    with open(os.path.join(ROOT, "container/aws/create-training-job.json"), encoding="utf-8") as file:
        settings = json.load(file)["HyperParameters"]
    settings.pop("bl_require_encryption")  # this machine's volumes are not AWS's
    job = demo_job(**settings).run()
    check(job.rc == 0, "exit %s: %s", job.rc, job.stderr[-500:])
    import re
    with open(os.path.join(ROOT, "container/aws/create-training-job.json"), encoding="utf-8") as file:
        definitions = json.load(file)["AlgorithmSpecification"]["MetricDefinitions"]
    shown = job.stdout.replace("\t", "#011")  # as CloudWatch shows a tab
    for definition in definitions:
        check(re.search(definition["Regex"], shown), "%s finds nothing in %s", definition["Regex"], shown[:200])


# --- The command ---------------------------------------------------------------------------------------------


@claim
def usage_unreadable_files_and_help_have_their_exit_codes():
    for arguments in ((), ("--json",), ("--nothing", "x"), ("-x",)):
        one = lint(*arguments, rc=64)
        contains(one.stderr, "usage: boostlens lint-job FILE...")
    # A file that cannot be read keeps nothing of the others back.
    one = lint(os.path.join(HERE, "absent.json"), HERE, os.path.join(HERE, "cell-44.json"), rc=1)
    contains(one.stdout, "absent.json: unreadable: ", "No such file", f"{HERE}: unreadable: ", "directory", "cell-44.json: output-key")
    compressed = os.path.join(scratch, "log.json.gz")
    with gzip.open(compressed, "wb") as file:
        file.write(b"{}")
    contains(lint(compressed, rc=1).stdout, "a compressed file; write gunzip")
    one = lint("-", rc=1, text="")
    contains(one.stdout, "-: json: line 1, column 0")
    one = subprocess.run([BOOSTLENS, "help", "lint-job"], capture_output=True, text=True, check=True)
    contains(one.stdout, "--json")
    with open("/dev/full", "w", encoding="utf-8") as full:
        one = subprocess.run([BOOSTLENS, "lint-job", os.path.join(HERE, "cell-54.json")], stdout=full,
                             stderr=subprocess.PIPE, text=True)
    check(one.returncode == 74, "exit %s", one.returncode)


@claim
def several_files_are_all_looked_at():
    one = lint(os.path.join(HERE, "cell-54.json"), TEMPLATES[0], os.path.join(HERE, "policy-studio.json"), rc=1)
    check(len(one.stdout.splitlines()) == 7, "%s", one.stdout)


raise SystemExit(main())
