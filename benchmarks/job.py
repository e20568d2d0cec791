#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The whole job (read, train 100 rounds, explain every training row, write) beside the same job in Python.

    benchmarks/job.sh [--runs N] [--boostlens PROGRAM] [CASE...]

CASE: credit, covertype, sgemm (these three by default), adult, bank, diabetes, housing, kddcup, demo.
Stands for what a user waits for and pays for: wall time from start to exit, and the most memory the
process held. Both sides take turns on the same machine with all its processors, the files in the page cache;
each prints its stages. One JSON line a case on stdout, the tables on stderr at the end.

Real sets: BOOSTLENS_DATA (default ../shared/data). The peer's packages: container/deps.sh peers.
Both sides run without OMP_ and GOMP_ variables: the peer as libgomp starts it, ours as it starts itself. Beside
a busy neighbour the peer could be a hundred times slower, so figures want an idle machine.
"""
import argparse
import gzip
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DATA = os.environ.get("BOOSTLENS_DATA", os.path.join(ROOT, "../shared/data"))
PEERS = os.path.join(os.environ.get("BOOSTLENS_DEPS", os.path.join(ROOT, ".deps")), "peers")
NAMES = ("PAY_AMT1 BILL_AMT1 LIMIT_BAL SEX EDUCATION MARRIAGE AGE PAY_0 PAY_2 PAY_3 PAY_4 PAY_5 PAY_6 BILL_AMT2 BILL_AMT3 "
         "BILL_AMT4 BILL_AMT5 BILL_AMT6 PAY_AMT2 PAY_AMT3 PAY_AMT4 PAY_AMT5 PAY_AMT6").split()

LOGISTIC = {"objective": "binary:logistic", "eval_metric": ["auc", "logloss"], "max_depth": 6, "eta": 0.3}

# (training file, test file or None: every fifth row of the training file, parameters)
CASES = {
    "credit": ("credit-default/train_data.csv.gz", "credit-default/test_data.csv", {
        "objective": "binary:logistic", "eval_metric": ["auc", "logloss"], "max_depth": 5, "eta": 0.2, "gamma": 4,
        "min_child_weight": 6, "subsample": 1, "base_score": 0.5, "names": NAMES}),
    "covertype": ("covertype-93k/covertype_93k_num.csv.gz", None, {
        "objective": "multi:softprob", "num_class": 7, "eval_metric": ["mlogloss", "merror"], "max_depth": 6, "eta": 0.3}),
    "sgemm": ("sgemm/sgemm_num.csv.gz", None, {
        "objective": "reg:squarederror", "eval_metric": ["rmse", "mae"], "max_depth": 6, "eta": 0.3}),
    "adult": ("adult/adult_train_num.csv.gz", "adult/adult_test_num.csv.gz", LOGISTIC),
    "bank": ("bank-marketing/bank_num.csv.gz", None, LOGISTIC),
    "diabetes": ("diabetes-130/diabetes_num.csv.gz", None, LOGISTIC),
    "housing": ("california-housing/housing_num.csv", None, {
        "objective": "reg:squarederror", "eval_metric": ["rmse", "mae"], "max_depth": 6, "eta": 0.3}),
    "kddcup": ("kddcup99-10pct/kddcup99_10pct_num.csv.gz", None, LOGISTIC),
    "demo": (os.path.join(ROOT, "data/credit/train.csv"), os.path.join(ROOT, "data/credit/validation.csv"), {
        "objective": "binary:logistic", "eval_metric": ["auc", "logloss"], "max_depth": 5, "eta": 0.2, "gamma": 4,
        "min_child_weight": 6}),
}


def lines_of(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
        return file.read().splitlines(keepends=True)


def prepare(name, folder):
    """Plain CSV files without header: (train, test, rows, columns)."""
    train, test, _ = CASES[name]
    rows = lines_of(os.path.join(DATA, train))
    if test:
        held = lines_of(os.path.join(DATA, test))
    else:
        rows, held = [row for i, row in enumerate(rows) if i % 5], rows[::5]
    if name == "demo":
        rows, held = rows[1:], held[1:]
    paths = []
    for part, body in (("train", rows), ("test", held)):
        paths.append(os.path.join(folder, part + ".csv"))
        with open(paths[-1], "wb") as file:
            file.writelines(body)
    return paths[0], paths[1], len(rows), rows[0].count(b",")


def measured(command, environment):
    """Runs it: (seconds, peak bytes, stdout, stderr)."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        since = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - since
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        stdout, stderr = out.read().decode(), err.read().decode()
    if process.returncode:
        sys.exit(f"{' '.join(command)}: exit {process.returncode}\n{stderr[-2000:]}")
    return took, usage.ru_maxrss * 1024, stdout, stderr


def job_folder(root, train, test, parameters):
    """A job folder for boostlens; the data are linked, not copied."""
    shutil.rmtree(root, ignore_errors=True)
    settings = {key: ",".join(value) if isinstance(value, list) else str(value) for key, value in parameters.items()
                if key != "names"}
    settings["num_round"] = "100"
    if "names" in parameters:
        settings["bl_feature_names"] = ",".join(parameters["names"])
    channels = {}
    for name, path in (("train", train), ("validation", test)):
        os.makedirs(os.path.join(root, "input/data", name))
        os.link(path, os.path.join(root, "input/data", name, os.path.basename(path)))
        channels[name] = {"ContentType": "text/csv", "TrainingInputMode": "File", "S3DistributionType": "FullyReplicated",
                          "RecordWrapperType": "None"}
    os.makedirs(os.path.join(root, "input/config"))
    for name, content in (("hyperparameters", settings), ("inputdataconfig", channels),
                          ("resourceconfig", {"current_host": "algo-1", "hosts": ["algo-1"], "network_interface_name": "eth0"})):
        with open(os.path.join(root, "input/config", name + ".json"), "w", encoding="utf-8") as file:
            json.dump(content, file)


def our_stages(stderr):
    """{stage: seconds} from log lines that end in `STAGE took X s`."""
    return {name: float(seconds) for name, seconds in re.findall(r"(\w+) took ([0-9.]+) s", stderr)}


def summary(runs):
    walls = [wall for wall, _, _ in runs]
    stages = {}
    for _, _, times in runs:
        for name, seconds in times.items():
            stages.setdefault(name, []).append(seconds)
    return {"wall_s": round(statistics.median(walls), 3), "wall_min_s": round(min(walls), 3), "wall_max_s": round(max(walls), 3),
            "peak_mb": round(statistics.median(peak for _, peak, _ in runs) / 1e6, 1),
            "stages_s": {name: round(statistics.median(times), 4) for name, times in stages.items()}}


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        found = re.search(r"^model name\s*: (.*)$", file.read(), re.M)
    return found[1] if found else os.uname().machine


def run_case(name, program, runs):
    python = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("OMP_", "GOMP_"))}
    with tempfile.TemporaryDirectory(prefix="boostlens-bench-") as folder:
        train, test, n_rows, n_features = prepare(name, folder)
        parameters = CASES[name][2]
        with open(os.path.join(folder, "parameters.json"), "w", encoding="utf-8") as file:
            json.dump({**parameters, "num_round": 100, "tree_method": "hist"}, file)
        os.makedirs(os.path.join(folder, "peer"))
        ours, theirs = [], []
        quality = None
        for number in range(-1, runs):  # one run of each to warm the page cache, not counted
            job_folder(os.path.join(folder, "job"), train, test, parameters)
            wall, peak, _, stderr = measured([program, "train", "--root", os.path.join(folder, "job")], environment)
            peer_wall, peer_peak, stdout, _ = measured(
                [python, os.path.join(ROOT, "benchmarks/job_peer.py"), train, test, os.path.join(folder, "parameters.json"),
                 os.path.join(folder, "peer")], {**environment, "PYTHONPATH": PEERS})
            answer = json.loads(stdout.splitlines()[-1])
            quality = answer["metrics"]
            if number >= 0:
                ours.append((wall, peak, our_stages(stderr)))
                theirs.append((peer_wall, peer_peak, answer["stages"]))
            print(f"{name} {number + 1}/{runs}: {wall:.2f} s, peer {peer_wall:.2f} s", file=sys.stderr)
        with open(os.path.join(folder, "job/output/data/metrics.json"), encoding="utf-8") as file:
            final = json.load(file)["final"]["validation"]
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    result = {"case": name, "rows": n_rows, "features": n_features, "runs": runs, "threads": len(os.sched_getaffinity(0)),
              "cpu": processor(), "commit": commit.stdout.strip(), "boostlens": summary(ours), "peer": summary(theirs),
              "quality": {metric: {"boostlens": final.get(metric), "peer": value} for metric, value in quality.items()}}
    result["times_faster"] = round(result["peer"]["wall_s"] / result["boostlens"]["wall_s"], 2)
    result["memory_ratio"] = round(result["boostlens"]["peak_mb"] / result["peer"]["peak_mb"], 3)
    return result


def tables(results):
    print("\n| case | rows x features | boostlens s | peer s | times faster | boostlens MB | peer MB | memory |", file=sys.stderr)
    print("| --- | --- | --- | --- | --- | --- | --- | --- |", file=sys.stderr)
    for r in results:
        ours, peer = r["boostlens"], r["peer"]
        print(f"| {r['case']} | {r['rows']} x {r['features']} | {ours['wall_s']} ({ours['wall_min_s']}-{ours['wall_max_s']}) | "
              f"{peer['wall_s']} ({peer['wall_min_s']}-{peer['wall_max_s']}) | {r['times_faster']} | {ours['peak_mb']} | "
              f"{peer['peak_mb']} | {r['memory_ratio']} |", file=sys.stderr)
    print("\nStages, seconds:", file=sys.stderr)
    for r in results:
        for side in ("boostlens", "peer"):
            listed = ", ".join(f"{name} {seconds:g}" for name, seconds in r[side]["stages_s"].items())
            print(f"- {r['case']}, {side}: {listed}", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--boostlens", default=os.path.join(ROOT, "build/container/boostlens"))
    parser.add_argument("cases", nargs="*", default=["credit", "covertype", "sgemm"])
    options = parser.parse_args()
    program = os.path.abspath(options.boostlens)
    results = []
    for name in options.cases:
        if name not in CASES:
            sys.exit(f"no case '{name}'; there are: {', '.join(CASES)}")
        if not os.path.exists(os.path.join(DATA, CASES[name][0])):
            print(f"{name}: no {CASES[name][0]} under BOOSTLENS_DATA ({DATA}); left out", file=sys.stderr)
            continue
        results.append(run_case(name, program, options.runs))
        print(json.dumps(results[-1]), flush=True)
    tables(results)
    return 0 if results else 1


sys.exit(main())
