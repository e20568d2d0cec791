#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The minimal image: what is in it, and real containers of it under the SageMaker contract.

BUILD: the build folder the image is made from. Skipped where no container can be run here.
"""
import gzip
import os
import sys
import tarfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "contract"))
from harness import *

BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(ROOT, "build")))
TAG = "localhost/boostlens-test:latest"
MEGA = 1_000_000
# For machines without systemd, with mixed cgroups, or where limits cannot be raised; tried after the plain defaults.
CONFIGURATION = """[containers]
default_ulimits = ["nofile=16384:16384", "nproc=16384:16384"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
HARDENED = ["--network", "none", "--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges",
            "--pids-limit", "64", "--memory", "512m", "--cpus", "1.5", "--tmpfs", "/tmp"]


def podman(*arguments, **options):
    return subprocess.run(["podman", *arguments], capture_output=True, text=True, errors="replace", check=False,
                          timeout=HANG, **options)


def image():
    """The image's ID, built once; Skip where there is no podman that works."""
    found = image_or_reason()
    if isinstance(found, Skip):
        raise found
    return found


@functools.lru_cache(maxsize=None)
def image_or_reason():
    """The ID, or the Skip that says why there is none: tried once, whatever comes of it."""
    try:
        return first_image()
    except Skip as reason:
        return reason


def first_image():
    if not shutil.which("podman") or not shutil.which("mmdebstrap"):
        raise Skip("podman or mmdebstrap is missing (container/deps.sh container)")
    os.environ["BOOSTLENS_CONTAINER"] = "podman"
    hello = os.path.join(scratch, "hello")
    os.makedirs(hello)
    with open(os.path.join(hello, "Dockerfile"), "w", encoding="utf-8") as file:
        file.write("FROM scratch\nADD busy /\nENTRYPOINT [\"/busy\"]\n")
    static = ["gcc", "-static", "-x", "c", "-", "-o", os.path.join(hello, "busy")]
    subprocess.run(static, input="int main(void) { return 42; }", text=True, check=True)
    for configuration in (None, CONFIGURATION):
        if configuration:
            path = os.path.join(scratch, "containers.conf")
            with open(path, "w", encoding="utf-8") as file:
                file.write(configuration)
            os.environ["CONTAINERS_CONF"] = path
        podman("build", "-q", "-t", "localhost/boostlens-hello", hello)
        tried = podman("run", "--rm", "--network", "none", "localhost/boostlens-hello")
        podman("rmi", "-f", "localhost/boostlens-hello")
        if tried.returncode == 42:
            return build(TAG)
    raise Skip(f"podman runs no container here: {tried.stderr.strip()[-200:]}")


def build(tag):
    built = subprocess.run(["sh", os.path.join(ROOT, "container/image.sh"), "minimal", "--build", BUILD, "--tag", tag],
                           capture_output=True, text=True, check=False, timeout=HANG)
    check(built.returncode == 0, "image.sh: %s", built.stderr[-1500:])
    return podman("image", "inspect", "-f", "{{.Id}}", tag).stdout.strip()


@functools.lru_cache(maxsize=None)
def root_of_image():
    """Path of a tar archive of the image's files."""
    image()
    name = podman("create", TAG).stdout.strip()
    path = os.path.join(scratch, "root.tar")
    exported = podman("export", "-o", path, name)
    podman("rm", name)
    check(exported.returncode == 0, exported.stderr)
    return path


def member(name):
    with tarfile.open(root_of_image()) as archive:
        return archive.extractfile(name).read()


def contained(job, *options, verb=("train",)):
    """Runs a job's folder as SageMaker would: its parts bound below /opt/ml, the input read-only."""
    job.configure()
    for folder in ("model", "output"):
        os.makedirs(job.path(folder), exist_ok=True)
    mounts = ["-v", job.path("input") + ":/opt/ml/input:ro", "-v", job.path("model") + ":/opt/ml/model",
              "-v", job.path("output") + ":/opt/ml/output"]
    image()
    ran = podman("run", "--rm", *HARDENED, *mounts, *options, TAG, *verb)
    job.rc, job.stdout, job.stderr = ran.returncode, ran.stdout, ran.stderr
    return job


@claim
def two_builds_of_the_image_have_one_digest():
    check(image() == build("localhost/boostlens-test:again"), "the second build differs")


@claim
def there_is_no_shell_and_no_package_manager_in_it():
    with tarfile.open(root_of_image()) as archive:
        programs = {entry.name for entry in archive if not entry.isdir() and
                    entry.name.split("/")[-2:-1] in (["bin"], ["sbin"])}
    names = {os.path.basename(name) for name in programs}
    check(not names & {"sh", "bash", "dash", "apt", "dpkg", "busybox", "perl", "python3", "curl"}, "%s", names)
    check("usr/local/bin/boostlens" in programs, "%s", programs)
    print("# programs: " + " ".join(sorted(programs)))


@claim
def it_is_at_most_110_MB_and_40_MB_compressed():
    path = root_of_image()
    size = os.path.getsize(path)
    with open(path, "rb") as file, gzip.open(path + ".gz", "wb", compresslevel=6) as packed:
        shutil.copyfileobj(file, packed)
    packed = os.path.getsize(path + ".gz")
    print(f"# {size / MEGA:.1f} MB, {packed / MEGA:.1f} MB compressed")
    check(size <= 110 * MEGA and packed <= 40 * MEGA, "%s and %s bytes", size, packed)


@claim
def its_list_of_contents_names_every_package_with_its_licence():
    bom = json.loads(member("usr/local/share/doc/boostlens/sbom.cdx.json"))
    check(bom["bomFormat"] == "CycloneDX", "%s", bom.get("bomFormat"))
    listed = {part["name"] for part in bom["components"]}
    with tarfile.open(root_of_image()) as archive:
        names = archive.getnames()
    unpacked_ones = {os.path.basename(name) for name in names if name.startswith("var/lib/dpkg/status.d/")}
    check(len(unpacked_ones) > 10 and unpacked_ones <= listed, "%s not listed", unpacked_ones - listed)
    check("xgboost-cpu" in listed, "no XGBoost")
    without = [name for name in unpacked_ones if f"usr/share/doc/{name}" not in names]
    check(not without, "no licence of %s", without)
    check("usr/local/share/doc/boostlens/LICENSE" in names, "no licence of boostlens")


@claim
def a_locked_down_container_trains_the_model_that_the_program_trains_outside():
    inside = contained(small_job(), verb=("train",))
    check(inside.rc == 0, "exit %s: %s", inside.rc, inside.stderr[-1500:])
    outside = small_job().expect(0)
    check(inside.outputs() == outside.outputs(), "%s, outside %s", inside.outputs(), outside.outputs())
    check(inside.stdout == outside.stdout, "metric lines differ")


@claim
def the_sandbox_stands_in_a_locked_down_container():
    job = contained(small_job())
    check(job.rc == 0, "exit %s: %s", job.rc, job.stderr[-1500:])
    got = job.json("output/data/isolation.json")
    check(got["isolation"]["seccomp"]["in_force"] and got["isolation"]["core_dumps"] == "off", "%s", got["isolation"])
    # Landlock is the engine's to let through; where it is, reading outside the job is barred in the container too.
    print(f"# Landlock in force: {got['isolation']['landlock']['in_force']}, ABI {got['isolation']['landlock']['kernel_abi']}")
    levels = {volume["path"]: volume["level"] for volume in got["encryption"]["volumes"]}
    check({"input/data/train", "model", "output"} <= set(levels), "%s", levels)


@claim
def it_trains_as_any_user():
    job = small_job()
    job.configure()
    subprocess.run(["chmod", "-R", "a+rX", scratch], check=True)
    for folder in ("model", "output"):
        os.makedirs(job.path(folder))
        os.chown(job.path(folder), 10001, 10001)
    contained(job, "--user", "10001:10001")
    check(job.rc == 0, "exit %s: %s", job.rc, job.stderr[-1500:])
    check(os.stat(job.path("model/xgboost-model")).st_uid == 10001, "owned by somebody else")


@claim
def root_without_the_right_to_give_files_away_says_so_once():
    job = small_job()
    job.configure()
    for folder in ("model", "output"):
        os.makedirs(job.path(folder))
        os.chown(job.path(folder), 10001, 10001)
        os.chmod(job.path(folder), 0o777)
    contained(job)
    check(job.rc == 0, "exit %s: %s", job.rc, job.stderr[-1500:])
    check(job.stderr.count("files stay root's") == 1, "%s", job.stderr)


@claim
def train_is_a_program_on_the_path():
    job = contained(small_job(), "--entrypoint", "train", verb=())
    check(job.rc == 0, "exit %s: %s", job.rc, job.stderr[-1500:])
    job = contained(small_job(), "--entrypoint", '["/usr/local/bin/boostlens", "train"]', verb=())
    check(job.rc == 0, "exit %s: %s", job.rc, job.stderr[-1500:])


@claim
def with_no_argument_and_no_job_it_says_how_it_is_used():
    image()
    ran = podman("run", "--rm", *HARDENED, TAG)
    check(ran.returncode == 64, "exit %s", ran.returncode)
    contains(ran.stderr, "usage: boostlens")


@claim
def a_wrong_setting_ends_the_container_with_1_and_a_sentence_in_the_failure_file():
    job = contained(small_job(max_depth="deep"))
    check(job.rc == 1, "exit %s: %s", job.rc, job.stderr[-500:])
    contains(job.failure, "max_depth", "deep")


@claim
def a_stop_with_grace_leaves_the_model_asked_for():
    image()
    job = small_job(num_round="1000000", max_depth="2", save_model_on_termination="true", bl_explain="none")
    name = f"boostlens-test-{os.getpid()}"
    import threading
    thread = threading.Thread(target=contained, args=(job, "--name", name))
    thread.start()
    wait_for(lambda: "]\ttrain-" in podman("logs", name).stdout, what="the first round")
    stopped = podman("stop", "-t", "120", name)
    thread.join()
    check(stopped.returncode == 0, stopped.stderr)
    check(job.rc == 0, "exit %s: %s", job.rc, job.stderr[-500:])
    check(job.exists("model/xgboost-model"), "no model")


@claim
def a_quota_of_one_processor_gives_one_thread():
    job = small_job(nthread=None)
    contained(job, "--cpus", "1")
    check(job.rc == 0, "exit %s: %s", job.rc, job.stderr[-500:])
    contains(job.stderr, "1 thread\n")


@claim
def an_archive_of_it_loads_and_runs():
    image()
    archive = os.path.join(scratch, "image.tar")
    check(podman("save", "-q", "--format", "docker-archive", "-o", archive, TAG).returncode == 0, "save")
    podman("rmi", "-f", TAG)
    loaded = podman("load", "-q", "-i", archive)
    check(loaded.returncode == 0, loaded.stderr)
    ran = podman("run", "--rm", "--network", "none", TAG, "--version")
    check(ran.returncode == 0, ran.stderr)
    contains(ran.stdout, "boostlens ")


if __name__ == "__main__":
    rc = main()
    os.environ.pop("CONTAINERS_CONF", None)  # its file went with the scratch folder
    if image_or_reason.cache_info().currsize:
        podman("rmi", "-f", TAG, "localhost/boostlens-test:again")
    sys.exit(rc)
