#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGTERM and SIGINT before, in and after training."""
import threading

from harness import *

LONG = {"num_round": "100000", "max_depth": "2"}


def stopped(job, signal_number=TERM, after_rounds=3):
    """Starts the job, sends the signal once that many metric lines came, and waits."""
    process = job.start()
    lines = []
    for line in process.stdout:
        lines.append(line)
        if len(lines) == after_rounds:
            process.send_signal(signal_number)
            break
    drain = threading.Thread(target=lambda: lines.extend(process.stdout))
    drain.start()
    job.stderr = process.stderr.read()
    job.rc = process.wait(timeout=HANG)
    drain.join()
    job.stdout = "".join(lines)
    return job


@claim
def sigterm_in_training_exits_143_without_a_model():
    job = stopped(small_job(**LONG))
    check(job.rc == 143, "exit %s: %s", job.rc, job.stderr[-500:])
    check(not job.exists("model/xgboost-model"), "a model was left")
    check(job.failure, "no failure file")
    left = [name for _, _, files in os.walk(job.root) for name in files if ".tmp" in name]
    check(not left, "left: %s", left)


@claim
def sigterm_with_save_model_on_termination_leaves_a_loadable_model_and_exit_0():
    for number in (TERM, INT):
        job = stopped(small_job(save_model_on_termination="true", **LONG), number, after_rounds=10)
        check(job.rc == 0, "exit %s: %s", job.rc, job.stderr[-500:])
        check(job.exists("model/xgboost-model"), "no model")
        check(not job.exists("output/failure"), "failure: %s", job.failure)
        # The finished rounds are in the model, the one that was cut off is not: going on from it works.
        rounds = len(job.stdout.splitlines())
        check(rounds >= 10, "%d rounds", rounds)
        more = small_job(num_round="2")
        more.channel("model", job.path("model/xgboost-model"), content_type=None)
        more.expect(0)


@claim
def a_stop_before_the_first_round_exits_143():
    # Sixty thousand rows take long enough to read that the signal arrives in the reading.
    job = small_job(data=small(60000, 30), validation=False, save_model_on_termination="true", **LONG)
    process = job.start()
    time.sleep(0.05)
    process.send_signal(TERM)
    job.stdout, job.stderr = process.communicate(timeout=HANG)
    if job.stdout:
        raise Skip("training had begun before the signal came")
    # A signal that came before main had its handler ends the process by the signal itself.
    check(process.returncode in (143, -15), "exit %s: %s", process.returncode, job.stderr[-500:])
    check(not job.exists("model/xgboost-model"), "a model was left")


@claim
def the_stop_is_prompt():
    job = small_job(**LONG)
    since = time.monotonic()
    stopped(job)
    took = time.monotonic() - since
    check(took < 100, "%.1f s", took)  # catches a hang; SageMaker kills after 120 s


@claim
def a_second_signal_changes_nothing():
    job = small_job(save_model_on_termination="true", **LONG)
    process = job.start()
    for _ in range(5):
        process.stdout.readline()
    for _ in range(5):
        process.send_signal(TERM)
        time.sleep(0.002)
    process.communicate(timeout=HANG)
    check(process.returncode == 0, "exit %s", process.returncode)
    check(job.exists("model/xgboost-model"), "no model")


@claim
def a_job_killed_at_any_moment_never_leaves_a_torn_output():
    rng = random.Random(SEED)
    print(f"# TEST_SEED={SEED}")
    whole = small_job(data=small(3000, 5), validation=False).expect(0).outputs()
    for _ in range(4 if SHORT else 25):
        job = small_job(data=small(3000, 5), validation=False)
        process = job.start()
        time.sleep(rng.uniform(0.02, 0.4))
        process.kill()
        process.communicate()
        for path, digest in job.outputs().items():
            check(".tmp" in path or digest == whole.get(path), "%s differs from a whole run's", path)


raise SystemExit(main())
