#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same job gives the same bytes, whenever, wherever and on however many threads."""
import re

from harness import *


def jobs():
    """(name, a function that makes the job in a given folder)"""
    yield "demo", lambda name: demo_job(name, subsample="0.8", seed="7", bl_explain="both", nthread="2")
    yield "three classes", lambda name: small_job(
        name, data=three_classes(), validation=False, objective="multi:softprob", num_class="3", colsample_bytree="0.7")
    yield "dart", lambda name: small_job(name, booster="dart", rate_drop="0.3", seed="3")
    yield "gblinear", lambda name: small_job(name, booster="gblinear", max_depth=None, updater="coord_descent")


def three_classes(n=300):
    rng = random.Random(SEED)
    return "".join(f"{i % 3},{i % 3 + rng.gauss(0, .7):.4f},{rng.gauss(0, 1):.4f}\n" for i in range(n))


def same(first, second, where):
    check(first.keys() == second.keys(), "%s: other files: %s", where, first.keys() ^ second.keys())
    other = [path for path in first if first[path] != second[path]]
    check(not other, "%s: these differ: %s", where, other)
    check(first, "%s: no output at all", where)


@claim
def two_runs_of_one_job_give_the_same_bytes():
    for name, make in jobs():
        first = make("one " + name).expect(0)
        second = make("elsewhere/two " + name).expect(0, environment={"TRAINING_JOB_NAME": "another", "TZ": "Asia/Tokyo",
                                                                     "HOSTNAME": "other"})
        same(first.outputs(), second.outputs(), name)
        check(first.stdout == second.stdout, "%s: other metric lines", name)


@claim
def a_second_run_in_the_same_folder_gives_the_same_bytes():
    job = demo_job(nthread="2")
    first = job.expect(0).outputs()
    same(first, job.expect(0).outputs(), "second run")


@claim
def one_two_three_and_seven_explain_threads_give_the_same_bytes():
    # OpenMP counts what OMP_NUM_THREADS says; nthread=1 holds XGBoost, whose sums depend on its threads.
    outputs = {}
    for threads in (1, 2, 3, 7):
        job = demo_job(nthread="1", bl_explain="both").expect(
            0, environment={"OMP_NUM_THREADS": str(threads), "OMP_DYNAMIC": "false"})
        outputs[threads] = job.outputs()
        check("output/data/attributions.h5" in outputs[threads], "no attributions")
    for threads in (2, 3, 7):
        same(outputs[1], outputs[threads], f"{threads} threads")


@claim
def the_locale_changes_nothing():
    reference = demo_job().expect(0).outputs()
    folder = os.path.join(scratch, "locales")
    os.makedirs(folder)
    tried = 0
    for name in ("pt_BR", "de_DE"):
        made = subprocess.run(["localedef", "-i", name, "-f", "UTF-8", os.path.join(folder, name + ".UTF-8")],
                              capture_output=True, text=True, check=False)
        if made.returncode not in (0, 1) or not os.path.isdir(os.path.join(folder, name + ".UTF-8")):
            continue
        job = demo_job().expect(0, environment={"LC_ALL": name + ".UTF-8", "LOCPATH": folder})
        same(reference, job.outputs(), name)
        tried += 1
    if not tried:
        raise Skip("no locale with a decimal comma can be made here (package locales)")


@claim
def file_order_and_folders_do_not_matter_only_names_do():
    rows = small(300).splitlines(keepends=True)
    parts = [("".join(rows[:100]), "".join(rows[100:200]), "".join(rows[200:]))]
    whole = small_job(data="".join(rows)).expect(0).outputs()
    job = small_job(data="".join(rows[:100]))
    os.remove(job.path("input/data/train/a.csv"))
    # Written last to first, so that the order of the folder's entries is another one.
    for name, body in zip(("z.csv", "b/deep/er/still/x.csv", "a/x.csv"), reversed(parts[0])):
        target = job.path("input/data/train", name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8") as file:
            file.write(body)
    split = job.expect(0).outputs()
    for path in ("model/xgboost-model", "output/data/attributions.h5", "output/data/metrics.json",
                 "output/data/importance.csv"):
        check(whole[path] == split[path], "%s differs", path)


@claim
def no_time_host_path_or_process_stands_in_an_output():
    job = demo_job("no trace", bl_compress="none").expect(0, environment={"HOSTNAME": "host-name-of-test"})
    words = [os.path.dirname(scratch).encode() + b"/", b"no trace", b"host-name-of-test", os.uname().nodename.encode()]
    year = time.strftime("%Y-%m").encode()
    for path in job.outputs():
        body = job.read(path)
        for word in words + [year]:
            if len(word) > 4:
                check(word not in body, "%r is in %s", word, path)
        check(not re.search(rb"\b\d\d:\d\d:\d\d\b", body) or path.endswith((".h5", "xgboost-model")),
              "a time of day is in %s", path)


raise SystemExit(main())
