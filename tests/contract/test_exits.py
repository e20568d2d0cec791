#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exit codes, the failure file, and what goes to stdout and stderr."""
import os
import re
import subprocess

from harness import *


def program(*arguments, **options):
    return subprocess.run([BOOSTLENS, *arguments], capture_output=True, text=True, timeout=HANG, check=False, **options)


@claim
def a_job_that_works_exits_0_and_leaves_no_failure_file():
    job = small_job().expect(0)
    check(not job.exists("output/failure"), "output/failure is there: %s", job.failure)
    for path in ("model/xgboost-model", "model/boostlens/boostlens.json", "output/data/metrics.json",
                 "output/data/importance.csv", "output/data/attributions.h5"):
        check(job.exists(path), "%s is missing", path)


@claim
def a_failure_file_of_an_earlier_run_is_gone_after_a_run_that_works():
    job = small_job()
    os.makedirs(job.path("output"))
    with open(job.path("output/failure"), "w", encoding="utf-8") as file:
        file.write("old words\n")
    job.expect(0)
    check(not job.exists("output/failure"), "the old failure file is still there")


@claim
def wrong_usage_exits_64():
    for arguments in ((), ("trian",), ("train", "--rot", "x"), ("train", "--root"), ("help", "nothing")):
        got = program(*arguments)
        check(got.returncode == 64, "%r: exit %d", arguments, got.returncode)
        check(got.stderr.strip(), "%r: nothing on stderr", arguments)
        check(not got.stdout, "%r: stdout %r", arguments, got.stdout)


@claim
def help_and_version_exit_0():
    for arguments, word in ((("--version",), "boostlens "), (("help",), "train"), (("help", "train"), "num_round"),
                            (("help", "train", "--markdown"), "| `num_round`"), (("help", "check"), "check")):
        got = program(*arguments)
        check(got.returncode == 0, "%r: exit %d: %s", arguments, got.returncode, got.stderr)
        contains(got.stdout, word)


@claim
def the_program_answers_to_the_name_train():
    link = os.path.join(scratch, "train")
    os.symlink(BOOSTLENS, link)
    job = small_job()
    job.configure()
    for words in ([link], [link, "train"]):
        got = subprocess.run(words, env=dict(os.environ, SAGEMAKER_BASE_DIR=job.root), capture_output=True, text=True,
                             timeout=HANG, check=False)
        check(got.returncode == 0, "%r: exit %d: %s", words, got.returncode, got.stderr[-500:])


@claim
def a_users_mistake_exits_1_and_the_failure_file_says_the_cause_first():
    job = small_job(num_round=None).expect(1)
    check(job.failure.startswith(("Missing required hyperparameter", "missing", "num_round", "hyperparameter")),
          "failure begins: %s", job.failure[:200])
    contains(job.failure, "num_round")
    contains(job.stderr, "num_round")
    check(job.stdout == "", "stdout: %r", job.stdout)
    check(not job.exists("model/xgboost-model"), "a model was written")


@claim
def the_failure_file_holds_at_most_1024_bytes_of_utf8():
    job = small_job(**{"ü" * 3000: "1"}).expect(1)
    failure = job.read("output/failure")
    check(0 < len(failure) <= 1024, "%d bytes", len(failure))
    failure.decode("utf-8")
    check(b"\n" not in failure.rstrip(b"\n"), "more than one line: %r", failure)


@claim
def no_failure_text_holds_a_stack_trace_or_a_python_word():
    job = small_job(data="2,1\n3,2\n" * 20, validation=False, eval_metric="logloss").expect(1)
    for word in ("Stack trace", "Traceback", "\tat ", "Check failed", ".cc:", ".cu:"):
        check(word not in job.failure, "%r in %s", word, job.failure)
    contains(job.failure, "label")


@claim
def an_output_folder_that_is_a_file_exits_74():
    job = small_job()
    with open(job.path("model"), "w", encoding="utf-8"):
        pass
    job.expect(74)
    contains(job.failure, "model")


@claim
def a_full_disk_while_running_exits_74_or_is_refused_before_training_and_leaves_no_half_file():
    job = small_job(data=small(20000, 20), validation=False, num_round="3")
    os.makedirs(job.path("model"))
    os.makedirs(job.path("output"))
    probe = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "-o", "size=64k", "none", job.path("model")],
                           capture_output=True, text=True, check=False)
    if probe.returncode:
        raise Skip("cannot mount a small file system: " + probe.stderr.strip())
    script = ('mount -t tmpfs -o size=96k none "$1/output" && { "$2" train --root "$1"; rc=$?; '
              'find "$1/output" -type f >"$1/left"; cat "$1/output/failure" >"$1/said"; exit $rc; }')
    job.configure()
    got = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", job.root, BOOSTLENS], capture_output=True, text=True,
                         timeout=HANG, check=False)
    check(got.returncode in (1, 74), "exit %d: %s", got.returncode, got.stderr[-800:])
    said = job.read("said").decode()
    check(re.search(r"space|bytes|MB|KB|disk", said), "failure: %s", said)
    if got.returncode == 1:
        contains(said, "bl_explain")
    left = job.read("left").decode().split("\n")
    check(not [name for name in left if ".tmp" in name or name.endswith(".h5")], "left: %s", left)


@claim
def a_read_only_output_folder_exits_74_with_one_sentence():
    job = small_job()
    os.makedirs(job.path("model"))
    os.makedirs(job.path("output"))
    job.configure()
    script = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && exec "$2" train --root "$1"'
    probe = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False)
    if probe.returncode:
        raise Skip("cannot make a mount namespace here")
    got = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", job.root, BOOSTLENS], capture_output=True, text=True,
                         timeout=HANG, check=False)
    check(got.returncode == 74, "exit %d: %s", got.returncode, got.stderr[-800:])
    errors = [line for line in got.stderr.splitlines() if line.startswith("ERROR")]
    check(len(errors) == 1, "%d error lines: %s", len(errors), errors)
    contains(errors[0], "Read-only")
    check(os.listdir(job.path("model")) == [], "left: %s", os.listdir(job.path("model")))


@claim
def an_ordinary_user_who_may_not_write_gets_exit_74_and_one_sentence():
    if os.geteuid() != 0:
        raise Skip("needs root, to become another user")
    for shut in ("model", "output"):
        job = small_job()
        os.makedirs(job.path("model"))
        os.makedirs(job.path("output/data"))
        job.configure()
        subprocess.run(["chown", "-R", "1000:1000", job.root], check=True)
        subprocess.run(["chmod", "755", scratch], check=True)
        os.chmod(job.root, 0o755)
        os.chown(job.path(shut), 0, 0)
        os.chmod(job.path(shut), 0o755)
        if shut == "output":
            os.chown(job.path("output/data"), 0, 0)
        got = subprocess.run(["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", BOOSTLENS, "train", "--root",
                              job.root], capture_output=True, text=True, timeout=HANG, check=False)
        if got.returncode in (126, 127):
            raise Skip("the program is not in reach of another user")
        check(got.returncode == 74, "%s shut: exit %d: %s", shut, got.returncode, got.stderr[-800:])
        errors = [line for line in got.stderr.splitlines() if line.startswith("ERROR")]
        check(len(errors) == 1, "%s shut: %s", shut, errors)
        contains(errors[0], shut)
        check(not job.exists("model/xgboost-model"), "%s shut: a model was written", shut)


@claim
def stdout_carries_metric_lines_and_nothing_else():
    job = small_job(num_round="7", eval_metric="logloss,error@0.3,accuracy,auc", verbosity="3").expect(0)
    lines = job.stdout.split("\n")
    check(lines[-1] == "" and len(lines) == 8, "%d lines", len(lines) - 1)
    names = [f"{channel}-{metric}" for channel in ("train", "validation")
             for metric in ("logloss", "error@0.3", "accuracy", "auc")]
    pattern = r"\[(\d+)\]" + "".join(rf"\t{re.escape(name)}:-?\d+\.\d{{5}}" for name in names) + "$"
    for number, line in enumerate(lines[:-1]):
        found = re.match(pattern, line)
        check(found and int(found[1]) == number, "line %d: %r", number, line)


@claim
def metric_lines_match_the_built_in_images_expressions():
    job = small_job(eval_metric="auc,logloss").expect(0)
    shown = job.stdout.replace("\t", "#011")  # as CloudWatch shows them
    found = re.findall(r".*\[[0-9]+\].*#011validation-logloss:(\S+)", shown)
    check(len(found) == 5, "%d of 5", len(found))
    float(found[0])
    for metric in ("auc", "logloss"):  # the image's own tuning test
        found = re.findall(rf"\[.*\].*#011validation-{metric}:([\d.]+)", shown)
        check(len(found) == 5, "%s: %d of 5", metric, len(found))


@claim
def the_metric_line_agrees_with_metrics_json():
    job = small_job(eval_metric="logloss,auc").expect(0)
    history = job.json("output/data/metrics.json")["history"]
    for number, line in enumerate(job.stdout.splitlines()):
        for cell in line.split("\t")[1:]:
            name, value = cell.rsplit(":", 1)
            channel, metric = name.split("-", 1)
            check(f"{history[channel][metric][number]:.5f}" == value, "%s: %s", cell, history[channel][metric][number])


@claim
def every_line_of_stderr_is_an_event_with_level_and_time():
    job = small_job().expect(0)
    for line in job.stderr.splitlines():
        check(re.match(r"(DEBUG|INFO|NOTE|WARNING|ERROR) +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \S+: \S", line) or
              re.match(r"\S+: \d+( of \d+)? \S+, .* a second", line), "%r", line)


@claim
def no_value_of_the_data_reaches_the_log():
    secret = "0.73219"
    job = small_job(data=small() + f"1,{secret},0.5,0.5\n").expect(0)
    check(secret not in job.stderr, "a cell's value is in the log")


@claim
def a_broken_pipe_on_stdout_does_not_end_the_job():
    job = small_job(num_round="50")
    process = job.start()
    process.stdout.close()
    _, stderr = process.stderr.read(), process.wait(timeout=HANG)
    check(process.returncode == 0, "exit %s", process.returncode)
    check(job.exists("model/xgboost-model"), "no model")


@claim
def check_says_what_is_wrong_and_writes_nothing():
    job = small_job(etta="0.3")
    job.expect(1, verb="check")
    contains(job.stderr, "etta", "eta")
    check(not job.exists("output") and not job.exists("model"), "something was written")
    good = small_job().expect(0, verb="check")
    check(not good.exists("output") and not good.exists("model"), "something was written")
    check(good.stdout == "", "stdout: %r", good.stdout)


raise SystemExit(main())
