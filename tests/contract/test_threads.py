#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One OpenMP runtime in the process, the thread count asked for, and a bounded spin in force."""
import re

from harness import *

LONG = {"num_round": "100000", "max_depth": "4", "nthread": None}
CPUS = len(os.sched_getaffinity(0))


def look(environment):
    """(OpenMP runtimes mapped, threads, environment, processors of the mask) of a job in training."""
    job = small_job(data=small(5000, 10), validation=False, **LONG)
    job.hyperparameters.pop("nthread", None)
    process = job.start(environment=environment)
    try:
        for _ in range(20):
            check(process.stdout.readline(), "the job ended: %s", job.failure)
        with open(f"/proc/{process.pid}/maps", encoding="utf-8") as file:
            runtimes = {os.path.realpath(line.split()[-1]) for line in file if re.search(r"/lib(gomp|omp|iomp5)[-.]", line)}
        threads = len(os.listdir(f"/proc/{process.pid}/task"))
        with open(f"/proc/{process.pid}/environ", "rb") as file:
            env = dict(item.split("=", 1) for item in file.read().decode().split("\0") if "=" in item)
        return runtimes, threads, env
    finally:
        process.kill()
        process.communicate()


def bare(**more):
    """An environment that says nothing of OpenMP, but what is given."""
    for name in list(os.environ):
        if name.startswith(("OMP_", "GOMP_", "BOOSTLENS_STARTED")):
            del os.environ[name]
    return more


@claim
def one_openmp_runtime_is_mapped_and_all_processors_are_used():
    for environment in ({}, {"OMP_PROC_BIND": "true"}, {"OMP_PROC_BIND": "close", "OMP_PLACES": "cores"}):
        runtimes, threads, _ = look(bare(**environment))
        check(len(runtimes) == 1 or any("/libomp" in path for path in runtimes), "%s: %s", environment, runtimes)
        # The main thread, its team, and at most the few helpers that a library starts.
        check(CPUS <= threads <= CPUS + 2, "%s: %d threads on %d processors", environment, threads, CPUS)


@claim
def a_bounded_spin_is_in_force_without_being_asked_for():
    _, _, env = look(bare())
    check(env.get("GOMP_SPINCOUNT") == "1000", "GOMP_SPINCOUNT=%s", env.get("GOMP_SPINCOUNT"))


@claim
def what_the_user_says_of_the_spin_stands():
    _, _, env = look(bare(GOMP_SPINCOUNT="77"))
    check(env.get("GOMP_SPINCOUNT") == "77", "GOMP_SPINCOUNT=%s", env.get("GOMP_SPINCOUNT"))
    _, _, env = look(bare(OMP_WAIT_POLICY="passive"))
    check("GOMP_SPINCOUNT" not in env, "GOMP_SPINCOUNT=%s", env.get("GOMP_SPINCOUNT"))


@claim
def closed_standard_streams_do_no_harm():
    bare()
    job = small_job()
    job.configure()
    got = subprocess.run(["sh", "-c", 'exec "$0" train --root "$1" <&- >&- 2>&-', BOOSTLENS, job.root], check=False, timeout=HANG)
    check(got.returncode == 0, "exit %d", got.returncode)
    check(job.exists("model/xgboost-model"), "no model")


raise SystemExit(main())
