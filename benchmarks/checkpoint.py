#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What checkpoints cost a training, whether that grows faster than its rounds, and how soon a job goes on.

    python3 benchmarks/checkpoint.py [--runs N] [--boostlens PROGRAM] [--rounds 500,1000,2000,4000]

The set of data/credit, depth 5. Each length is trained without a place for checkpoints and with one, in turns:
with the interval at 0, so that only the rule "at least 50 times what the last one took" holds them back (the
dearest there is), and with the default of 60 s. Then the finished job is started again on an empty machine:
the time until training is behind it. One JSON line a case on stdout, the table on stderr at the end.
"""
import argparse
import glob
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


def make(folder, rounds, seconds, place):
    os.makedirs(os.path.join(folder, "input/config"))
    for channel in ("train", "validation"):
        os.makedirs(os.path.join(folder, "input/data", channel))
        shutil.copy(os.path.join(ROOT, "data/credit", channel + ".csv"), os.path.join(folder, "input/data", channel))
    files = {
        "hyperparameters": {"num_round": str(rounds), "objective": "binary:logistic", "eval_metric": "auc,logloss",
                            "max_depth": "5", "eta": "0.05", "subsample": "0.8", "bl_explain": "none",
                            "bl_checkpoint_seconds": str(seconds)},
        "inputdataconfig": {"train": {"ContentType": "text/csv"}, "validation": {"ContentType": "text/csv"}}}
    if place:
        files["checkpointconfig"] = {"LocalPath": "/opt/ml/checkpoints"}
    for name, content in files.items():
        with open(os.path.join(folder, "input/config", name + ".json"), "w", encoding="ascii") as file:
            json.dump(content, file)


def run(program, folder):
    """(wall, training, checkpoints written, seconds they took, and of how many)"""
    since = time.monotonic()
    got = subprocess.run([program, "train", "--root", folder], env=dict(os.environ, GOMP_SPINCOUNT="20000"),
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    wall = time.monotonic() - since
    if got.returncode:
        sys.exit(got.stderr[-2000:])
    training = float(re.search(r"train took ([\d.]+) s", got.stderr)[1])
    found = re.search(r"(\d+) checkpoints? took ([\d.]+) s of ([\d.]+) s", got.stderr)
    written, spent, of = (int(found[1]), float(found[2]), float(found[3])) if found else (0, 0.0, training)
    return wall, training, written, spent, of


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--boostlens", default=os.path.join(ROOT, "build/container/boostlens"))
    parser.add_argument("--rounds", default="500,1000,2000,4000")
    options = parser.parse_args()
    scratch = tempfile.mkdtemp(prefix="boostlens-bench-")
    table = []
    try:
        for rounds in map(int, options.rounds.split(",")):
            times = {"without": [], "often": [], "default": []}
            shares, written, resumed, size = [], 0, [], 0
            for turn in range(options.runs):
                for kind, seconds, place in (("without", 60, False), ("often", 0, True), ("default", 60, True)):
                    folder = os.path.join(scratch, f"{rounds}-{turn}-{kind}")
                    make(folder, rounds, seconds, place)
                    _, training, n, spent, of = run(options.boostlens, folder)
                    times[kind].append(training)
                    if kind == "often":
                        shares.append(spent / of)
                        written = n
                        newest = max(glob.glob(folder + "/checkpoints/xgboost-checkpoint.*"), key=os.path.getsize)
                        size = os.path.getsize(newest)
                        shutil.rmtree(folder + "/model")
                        shutil.rmtree(folder + "/output")
                        resumed.append(run(options.boostlens, folder)[1])
                    shutil.rmtree(folder)
            row = {"rounds": rounds, "checkpoint_bytes": size, "checkpoints": written, "processors": os.cpu_count(),
                   "load": round(os.getloadavg()[0], 1),
                   **{kind + "_s": round(statistics.median(values), 3) for kind, values in times.items()},
                   "share": round(statistics.median(shares), 5), "resume_s": round(statistics.median(resumed), 3)}
            print(json.dumps(row), flush=True)
            table.append(row)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print("| rounds | file MB | train without s | default 60 s | as often as allowed s | checkpoints | share of time | "
          "going on from the last one s |\n| --- | --- | --- | --- | --- | --- | --- | --- |", file=sys.stderr)
    for row in table:
        print(f"| {row['rounds']} | {row['checkpoint_bytes'] / 1e6:.1f} | {row['without_s']} | {row['default_s']} | "
              f"{row['often_s']} | {row['checkpoints']} | {100 * row['share']:.2f} % | {row['resume_s']} |", file=sys.stderr)


main()
