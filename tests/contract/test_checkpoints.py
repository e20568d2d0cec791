#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints on the real program: a job that is killed, stopped, moved and started again gives the bytes of
one that never was. The long form is tests/kill.sh."""
from resume import *


@functools.lru_cache(maxsize=None)
def reference(name):
    """(digests, stdout, seconds) of the job of this kind that is never interrupted."""
    kind = next(kind for kind in KINDS if kind[0] == name)
    since = time.monotonic()
    job = make(kind).expect(0)
    check(not job.exists("checkpoints"), "checkpoints without a place for them")
    return job.outputs(), job.stdout, time.monotonic() - since


def stop_after(job, lines):
    """SIGTERM once that many metric lines came."""
    process = job.start(environment=NAME)
    shown = []
    for line in process.stdout:
        shown.append(line)
        if len(shown) == lines:
            process.send_signal(TERM)
    job.stdout, job.stderr, job.rc = "".join(shown), process.stderr.read(), process.wait(timeout=HANG)
    return job


@claim
def a_job_stopped_twice_resumes_to_the_same_bytes_in_every_kind_of_training():
    for kind in KINDS[:3] if SHORT else KINDS:
        whole, lines, _ = reference(kind[0])
        job = with_checkpoints(make(kind))
        shown = ""
        for rounds in (5, 7):
            stop_after(job, rounds)
            check(job.rc == 143, "%s: exit %s: %s", kind[0], job.rc, job.stderr[-800:])
            check(checkpoints(job), "%s: no checkpoint", kind[0])
            contains(job.failure, "stopped")
            only_checkpoints(job)
            shown += job.stdout
            new_machine(job)
        job.expect(0, environment=NAME)
        contains(job.stderr, "going on from checkpoint")
        same_outputs(job, whole, kind[0])
        check(shown + job.stdout == lines, "%s: the metric lines of all attempts are not those of one", kind[0])
        only_checkpoints(job)


@claim
def a_job_killed_at_random_instants_ends_in_the_same_bytes():
    print(f"# TEST_SEED={SEED}")
    rng = random.Random(SEED)
    for name in ("subsample",) if SHORT else ("subsample", "early stopping", "k-fold"):
        whole, _, seconds = reference(name)
        kind = next(kind for kind in KINDS if kind[0] == name)
        kill_until_done(kind, rng, 4, whole, seconds)


@claim
def a_finished_job_started_again_explains_again_and_trains_nothing():
    for name in ("dart", "k-fold"):
        whole, _, _ = reference(name)
        job = with_checkpoints(make(next(kind for kind in KINDS if kind[0] == name))).expect(0, environment=NAME)
        new_machine(job)
        job.expect(0, environment=NAME)
        same_outputs(job, whole, name)
        contains(job.stderr, "training was over")
        check(not any("\ttrain" in line and line.startswith("[0]") for line in job.stdout.splitlines()), "trained again")


@claim
def a_torn_checkpoint_is_passed_over_with_a_warning_and_the_older_one_used():
    whole, _, _ = reference("subsample")
    job = with_checkpoints(make(KINDS[0]))
    stop_after(job, 6)
    stop_after(job, 6)
    names = sorted(checkpoints(job), key=lambda name: int(name.split(".")[1]))
    check(len(names) >= 2, "only %s", names)
    with open(job.path("checkpoints", names[-1]), "r+b") as file:
        file.truncate(100)
    new_machine(job)
    job.expect(0, environment=NAME)
    contains(job.stderr, f"WARNING", f"checkpoint {names[-1]} is passed over: it is torn",
             f"going on from checkpoint {names[-2]}")
    same_outputs(job, whole, "torn")


@claim
def the_same_job_with_other_settings_or_data_is_refused_with_exit_1():
    job = with_checkpoints(make(KINDS[0]))
    stop_after(job, 5)
    job.hyperparameters["eta"] = "0.17"
    job.expect(1, environment=NAME)
    contains(job.failure, "is of this job, but eta is 0.17, the checkpoint's job had 0.3")
    del job.hyperparameters["eta"]
    kept = job.read("input/data/train/a.csv")
    with open(job.path("input/data/train/a.csv"), "ab") as file:
        file.write(b"1,0,0,0,0,0,0\n")
    job.expect(1, environment=NAME)
    contains(job.failure, "channel train holds other data")
    with open(job.path("input/data/train/a.csv"), "wb") as file:
        file.write(kept)
    # What changes no tree may differ, and more rounds may be asked for.
    job.hyperparameters.update(bl_explain="none", bl_checkpoint_keep="2", verbosity="0", num_round="70", eta="0.30")
    job.expect(0, environment=NAME)
    check(rounds_shown(job.stdout)[-1] == 69, "%s", job.stdout[-100:])
    check(len(checkpoints(job)) <= 2, "kept: %s", checkpoints(job))


@claim
def another_jobs_checkpoints_are_used_where_all_agrees_and_else_kept():
    whole, _, _ = reference("subsample")
    job = with_checkpoints(make(KINDS[0]))
    stop_after(job, 5)
    before = {name: job.read("checkpoints", name) for name in checkpoints(job)}
    new_machine(job)
    job.expect(0, environment={"TRAINING_JOB_NAME": "the-next"})
    contains(job.stderr, "of job spot-job")
    same_outputs(job, whole, "another name")
    check(all(job.read("checkpoints", name) == body for name, body in before.items()), "theirs was changed")
    job = with_checkpoints(make(KINDS[0], max_depth="2"))
    os.makedirs(job.path("checkpoints"))
    for name, body in before.items():
        with open(job.path("checkpoints", name), "wb") as file:
            file.write(body)
    job.expect(0, environment={"TRAINING_JOB_NAME": "the-next"})
    contains(job.stderr, "passed over and kept: it is of job 'spot-job', and max_depth is 2, the checkpoint's job had 4")
    check(rounds_shown(job.stdout)[0] == 0, "did not start at round 0")
    check(all(job.read("checkpoints", name) == body for name, body in before.items()), "theirs was changed")


@claim
def checkpoints_of_the_built_in_image_are_left_alone_or_used_on_request():
    start = start_model()
    with open(start, "rb") as file:
        body = file.read()
    for use in ("ignore", "use"):
        job = with_checkpoints(make(KINDS[0], bl_checkpoint_foreign=use, num_round="9"))
        os.makedirs(job.path("checkpoints"))
        with open(job.path("checkpoints/xgboost-checkpoint_0.ubj"), "wb") as file:
            file.write(body)
        job.expect(0, environment=NAME)
        contains(job.stderr, "left alone" if use == "ignore" else "not bit for bit")
        check(rounds_shown(job.stdout) == list(range(0 if use == "ignore" else 4, 9)), "%s", job.stdout)
        check(job.read("checkpoints/xgboost-checkpoint_0.ubj") == body, "it was changed")


@claim
def with_save_model_on_termination_a_stop_leaves_model_and_checkpoint_and_the_job_goes_on():
    job = with_checkpoints(make(KINDS[0], save_model_on_termination="true"))
    stop_after(job, 6)
    check(job.rc == 0, "exit %s: %s", job.rc, job.stderr[-500:])
    check(job.exists("model/xgboost-model") and checkpoints(job), "model or checkpoint is missing")
    new_machine(job)
    job.expect(0, environment=NAME)
    whole, _, _ = reference("subsample")
    found = job.outputs()
    for path in whole:  # boostlens.json alone tells of the other setting
        check(path.endswith("boostlens.json") or found[path] == whole[path], "%s differs", path)


@claim
def fifty_stops_over_all_stages_leave_what_the_rule_says():
    print(f"# TEST_SEED={SEED}")
    rng = random.Random(SEED)
    stops(rng, 3 if SHORT else 8)


def stops(rng, n):
    whole, _, seconds = reference("subsample")
    codes = []
    for i in range(n):
        save = i % 2 == 1
        job = with_checkpoints(make(KINDS[0], save_model_on_termination="true" if save else None))
        done = attempt(job, TERM, rng.uniform(0, seconds * 1.1))
        shown = len(rounds_shown(job.stdout))
        if job.rc == -TERM and not job.stderr and not job.stdout:
            job.rc = 143  # it came before main: nothing was begun
            check(not job.outputs(), "outputs without a word")
        else:
            check((job.rc == 143) == bool(job.failure), "exit %s, failure: %s", job.rc, job.failure)
        check(job.rc in (0, 143), "exit %s: %s", job.rc, job.stderr[-800:])
        check(job.rc == 0 or not done, "exit 143 without a stop")
        codes.append(job.rc)
        only_checkpoints(job)
        check(shown == 0 or checkpoints(job), "no checkpoint after %d rounds", shown)
        model = job.exists("model/xgboost-model")
        check(model == (job.rc == 0), "exit %s, model %s", job.rc, model)
        if job.rc == 143:
            check(shown == 0 or (not save and shown < 60), "143 after %d rounds with save=%s", shown, save)
        if model:
            got = subprocess.run([BOOSTLENS, "predict", "--model", job.path("model"), "--data",
                                  job.path("input/data/train/a.csv"), "--output", job.path("scores.csv")],
                                 capture_output=True, text=True, timeout=HANG, check=False)
            check(got.returncode == 0, "what was left does not load: %s", got.stderr[-500:])
        for path, digest in job.outputs().items():
            if shown == 60 and not path.endswith("boostlens.json"):
                check(digest == whole[path], "%s differs", path)
        new_machine(job)
        job.expect(0, environment=NAME)
        found = job.outputs()
        check(all(found[path] == whole[path] for path in whole if not path.endswith("boostlens.json")), "resumed: differs")
    print(f"# exits {sorted(codes)}")


if __name__ == "__main__":
    raise SystemExit(main())
