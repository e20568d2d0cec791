#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What goes wrong on a machine: every write, sync, rename, open of a job fails once; crashes; memory and
processor limits; process 1. One clear sentence, the right exit code, no torn output.

BUILD  the build folder with tests/fault's libraries (default build)
"""
import errno
import re

from resume import *

BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(ROOT, "build")))
FAULT = os.path.join(BUILD, "tests/fault/bl_fault.so")
CRASH = os.path.join(BUILD, "tests/fault/bl_crash.so")


def library(path):
    if not os.path.exists(path):
        raise Skip(f"no {path}")
    if b"__asan_init" in open(BOOSTLENS, "rb").read():
        raise Skip("AddressSanitizer must come before any preloaded library")
    return path


def make_job(name=None):
    job = small_job(name, num_round="4", bl_explain="both", bl_checkpoint_seconds="0", bl_checkpoint_keep="1")
    return with_checkpoints(job)


def with_fault(job, call, at, error, ever=False, count=None):
    env = {"LD_PRELOAD": library(FAULT), "FAULT_ROOT": job.root, "FAULT_CALL": call, "FAULT_AT": str(at),
           "FAULT_ERRNO": str(error)}
    if ever:
        env["FAULT_EVER"] = "1"
    if count:
        env["FAULT_COUNT"] = count
    return job.run(environment=env)


@functools.lru_cache(maxsize=None)
def whole_outputs():
    return make_job().expect(0).outputs()


def calls_of(call):
    path = os.path.join(scratch, "count-" + call)
    job = with_fault(make_job(), call, 0, errno.EIO, count=path)
    check(job.rc == 0, "without a fault: exit %s: %s", job.rc, job.stderr[-800:])
    same_outputs(job, whole_outputs(), "under the library")
    with open(path, encoding="ascii") as file:
        return int(file.read())


def left_clean(job, where):
    """What a failed or finished job leaves is whole, and nothing temporary."""
    for path, digest in job.outputs().items():
        check(digest == whole_outputs().get(path), "%s: %s is torn or strange", where, path)
    left = [os.path.join(folder, name) for folder, _, files in os.walk(job.root) for name in files
            if ".tmp" in name or name.endswith(".sagemaker-ignore")]
    check(not left, "%s: left %s", where, left)


def tell(job, where, words):
    """The job failed as the platform's fault, in one sentence, or did not need what failed."""
    errors = [line for line in job.stderr.splitlines() if line.startswith("ERROR")]
    check(job.rc in (0, 74), "%s: exit %s: %s", where, job.rc, job.stderr[-800:])
    if job.rc == 0:
        check(not errors, "%s: exit 0 and %s", where, errors)
        same_outputs(job, whole_outputs(), where)
        return
    check(len(errors) == 1, "%s: %d sentences: %s", where, len(errors), errors)
    check(any(word in errors[0] for word in words), "%s: %s", where, errors[0])
    if job.failure:
        check(errors[0].endswith(job.failure.strip()[-60:]), "%s: failure file: %s", where, job.failure)
    else:
        contains(job.stderr, "the failure file could not be written")


@claim
def every_call_that_fails_once_gives_one_sentence_and_no_torn_output():
    library(FAULT)
    errors = [(errno.ENOSPC, "No space left on device"), (errno.EIO, "Input/output error"),
              (errno.EDQUOT, "Disk quota exceeded")]
    failed, passed = 0, 0
    for call in ("write", "fsync", "rename", "open", "read", "mkdir", "chmod", "opendir"):
        n_calls = calls_of(call)
        check(n_calls > 0, "no %s at all", call)
        for n in range(1, n_calls + 1):
            number, words = errors[n % len(errors)] if call not in ("read", "opendir") else errors[1]
            job = with_fault(make_job(), call, n, number)
            where = f"{call} {n} of {n_calls}"
            tell(job, where, [words])
            left_clean(job, where)
            failed, passed = failed + (job.rc != 0), passed + (job.rc == 0)
            shutil.rmtree(job.root, ignore_errors=True)
        print(f"# {call}: {n_calls}", flush=True)
    print(f"# {failed} runs ended with exit 74, {passed} did not need what failed")
    check(failed > 20, "%d failures", failed)


@claim
def a_disk_that_stays_full_gives_one_sentence_and_no_torn_output():
    library(FAULT)
    n_calls = calls_of("write")
    for n in range(1, n_calls + 1, 3 if SHORT else 2):
        job = with_fault(make_job(), "write", n, errno.ENOSPC, ever=True)
        where = f"writes from {n} of {n_calls}"
        tell(job, where, ["No space left on device"])
        left_clean(job, where)
        if job.rc:
            contains(job.stderr, "give the volume more room")


@claim
def short_reads_and_writes_change_nothing():
    library(FAULT)
    for call in ("read", "write"):
        for ever in (True, False):
            job = with_fault(make_job(), call, 1, 0, ever=ever)
            check(job.rc == 0, "short %ss: exit %s: %s", call, job.rc, job.stderr[-500:])
            same_outputs(job, whole_outputs(), f"short {call}s")


@claim
def a_clock_that_goes_backwards_changes_nothing():
    job = make_job()
    job.expect(0, environment={"LD_PRELOAD": library(FAULT), "FAULT_ROOT": job.root, "FAULT_CLOCK": "1"})
    same_outputs(job, whole_outputs(), "clock")
    days = [line[8:18] for line in job.stderr.splitlines() if line.startswith("INFO")]
    check(len(set(days)) > 1 and days == sorted(days, reverse=True), "the clock did not go back: %s", days[:5])


# --- Crashes -----------------------------------------------------------------------------------------------


@claim
def a_crash_in_a_library_leaves_one_sentence_and_exit_70():
    names = {"segv": "SIGSEGV", "abort": "SIGABRT", "fpe": "SIGFPE", "bus": "SIGBUS", "ill": "SIGILL",
             "stack": "SIGSEGV"}
    for by, name in names.items():
        job = make_job()
        job.expect(70, environment={"LD_PRELOAD": library(CRASH), "CRASH_BY": by, "CRASH_AT": "3"})
        contains(job.failure, "internal error", name)
        check(job.failure.count("\n") == 1, "failure: %r", job.failure)
        contains(job.stderr, name)
        left_clean(job, by)
        # The platform starts it again.
        job.expect(0)
        same_outputs(job, whole_outputs(), f"after {name}")


# --- Process 1 ---------------------------------------------------------------------------------------------


def as_process_1(*command):
    words = ["unshare", "--pid", "--fork", "--mount-proc", *command]
    probe = subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", "true"], capture_output=True, text=True,
                           check=False)
    if probe.returncode:
        raise Skip("no process name space: " + probe.stderr.strip())
    return words


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


@claim
def as_process_1_the_job_works_and_a_stop_reaches_it_at_any_moment():
    rng = random.Random(SEED)
    print(f"# TEST_SEED={SEED}")
    job = make_job()
    job.expect(0, prefix=as_process_1())
    same_outputs(job, whole_outputs(), "process 1")
    for delay in [0.0, 0.005, 0.01, 0.02] + [rng.uniform(0, 0.3) for _ in range(2 if SHORT else 6)]:
        job = small_job(num_round="100000", max_depth="2")
        process = job.start(prefix=as_process_1())
        wait_for(lambda process=process: children(process.pid), what="process 1")
        inner = children(process.pid)[0]
        # Before it is our program the shell-less unshare is there, whose default action for it is none.
        wait_for(lambda inner=inner: b"boostlens" in open(f"/proc/{inner}/cmdline", "rb").read(), what="the program")
        time.sleep(delay)
        wait_for(lambda inner=inner: caught(inner, TERM), what="a handler or a hold for SIGTERM")
        os.kill(inner, TERM)
        job.stdout, job.stderr = process.communicate(timeout=HANG)
        check(process.returncode == 143, "after %.3f s: exit %s: %s", delay, process.returncode, job.stderr[-500:])


def caught(pid, number):
    """Blocked or caught: not lost by process 1."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            text = file.read()
    except FileNotFoundError:
        return True
    bits = 0
    for name in ("SigBlk", "SigCgt"):
        bits |= int(re.search(rf"{name}:\s*(\w+)", text)[1], 16)
    return bits >> (number - 1) & 1


@claim
def as_process_1_orphans_leave_no_zombies():
    job = small_job(num_round="100000", max_depth="2")
    job.configure()
    script = f'(sleep 0.3 & sleep 0.3 &) ; exec "{BOOSTLENS}" train --root "{job.root}"'
    process = subprocess.Popen(as_process_1("sh", "-c", script), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        wait_for(lambda: process.stdout.readline(), what="the first round")
        inner = children(process.pid)[0]
        wait_for(lambda: not children(inner), what="the orphans' end, without a zombie")
    finally:
        for pid in children(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.communicate(timeout=HANG)


# --- Limits of a cgroup --------------------------------------------------------------------------------------


def under_cgroup(job, files, verb="train"):
    """The job with files of our own in place of /sys/fs/cgroup: as a container with such limits sees it."""
    folder = tempfile.mkdtemp(prefix="cgroup-", dir=scratch)
    for name, text in files.items():
        os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
        with open(os.path.join(folder, name), "w", encoding="ascii") as file:
            file.write(text + "\n")
    probe = subprocess.run(["unshare", "-m", "mount", "--bind", folder, "/sys/fs/cgroup"], capture_output=True, text=True,
                           check=False)
    if probe.returncode:
        raise Skip("cannot mount: " + probe.stderr.strip())
    prefix = ["unshare", "-m", "sh", "-c", 'mount --bind "$1" /sys/fs/cgroup && shift && exec "$@"', "sh", folder]
    return job.run(verb, prefix=prefix)


@claim
def the_processor_quota_of_either_cgroup_version_is_the_number_of_threads():
    if len(os.sched_getaffinity(0)) < 2:
        raise Skip("one processor: no quota is smaller")
    for files in ({"cpu.max": "100000 100000"}, {"cpu.max": "30000 100000"},
                  {"cpu/cpu.cfs_quota_us": "50000", "cpu/cpu.cfs_period_us": "100000"}):
        job = under_cgroup(small_job(nthread=None), files)
        check(job.rc == 0, "exit %s: %s", job.rc, job.stderr[-500:])
        check(re.search(r"\b1 thread$", job.stderr, re.M), "%s: %s", files, job.stderr[:300])
    for files in ({"cpu.max": "max 100000"}, {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}):
        job = under_cgroup(small_job(nthread=None), files)
        check(re.search(r"\b\d+ threads$", job.stderr, re.M), "%s: %s", files, job.stderr[:300])


@claim
def a_job_that_would_outgrow_its_memory_is_refused_with_numbers_before_anything_is_read():
    data = small(60000, 60)  # 3.6 million cells
    for files in ({"memory.max": str(60 << 20)}, {"memory/memory.limit_in_bytes": str(60 << 20)}):
        job = under_cgroup(small_job(data=data, validation=False), files)
        check(job.rc == 1, "exit %s: %s", job.rc, job.stderr[-500:])
        found = re.search(r"needs about (\d+) MB of memory .*: (\d+) rows, (\d+) columns.*may use (\d+) MB", job.failure)
        check(found, "failure: %s", job.failure)
        need, rows, columns, limit = map(int, found.groups())
        check(60 < need < 200 and limit == 60 and abs(rows - 60000) < 600 and columns == 61, "%s", found.groups())
        check("read took" not in job.stderr and not os.listdir(job.path("model")), "it was read")
    job = under_cgroup(small_job(data=data, validation=False, tree_method="exact"), {"memory.max": str(90 << 20)})
    check(job.rc == 1, "exit %s", job.rc)
    contains(job.failure, "tree_method=hist, which needs about")
    for limit in ("max", str(1 << 40)):
        under_cgroup(small_job(), {"memory.max": limit})


@claim
def a_packed_file_is_counted_by_what_is_in_it():
    body = gzip.compress(small(60000, 60).encode(), 1)
    job = small_job(validation=False)
    os.remove(job.path("input/data/train/a.csv"))
    job.channel("train", ("a.csv.gz", body))
    under_cgroup(job, {"memory.max": str(60 << 20)})
    check(job.rc == 1, "exit %s: %s", job.rc, job.stderr[-500:])
    rows = int(re.search(r"(\d+) rows", job.failure)[1])
    check(40000 < rows < 70000, "%d rows", rows)


# --- Streams -----------------------------------------------------------------------------------------------------


@claim
def stdout_that_is_closed_or_full_gives_one_warning_and_ends_nothing():
    job = make_job()
    process = job.start()
    process.stdout.close()
    job.stderr, job.rc = process.stderr.read(), process.wait(timeout=HANG)
    check(job.rc == 0, "exit %s: %s", job.rc, job.stderr[-500:])
    check(job.stderr.count("stdout takes no more metric lines") == 1, "%s", job.stderr)
    same_outputs(job, whole_outputs(), "closed")
    if not os.path.exists("/dev/full"):
        raise Skip("no /dev/full")
    job = make_job()
    job.configure()
    with open("/dev/full", "w", encoding="ascii") as full:
        got = subprocess.run([BOOSTLENS, "train", "--root", job.root], stdout=full, stderr=subprocess.PIPE, text=True,
                             timeout=HANG, check=False)
    check(got.returncode == 0 and got.stderr.count("No space left on device") == 1, "exit %s: %s", got.returncode,
          got.stderr)


if __name__ == "__main__":
    raise SystemExit(main())
