#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How soon the first log line comes: what a person who watches a job's log waits for.

    benchmarks/start.py [--runs N] [--boostlens PROGRAM]

Measured: `boostlens train` on a small job, from the start of the process to the first byte on stderr, as in the image
(GOMP_SPINCOUNT set) and as a bare command (the program starts itself once more). One JSON line a case, medians of N runs.
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def lay_out(root):
    os.makedirs(os.path.join(root, "input/config"))
    os.makedirs(os.path.join(root, "input/data/train"))
    os.symlink(os.path.join(ROOT, "data/credit/train.csv"), os.path.join(root, "input/data/train/train.csv"))
    for name, content in (("hyperparameters", {"num_round": "1", "objective": "binary:logistic"}),
                          ("inputdataconfig", {"train": {"ContentType": "text/csv", "TrainingInputMode": "File"}})):
        with open(os.path.join(root, "input/config", name + ".json"), "w", encoding="utf-8") as file:
            json.dump(content, file)


def milliseconds(program, root, environment):
    since = time.perf_counter()
    process = subprocess.Popen([program, "train", "--root", root], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    process.stderr.read(1)
    took = time.perf_counter() - since
    process.communicate()
    return 1000 * took


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--boostlens", default=os.path.join(ROOT, "build/container/boostlens"))
    options = parser.parse_args()
    bare = {key: value for key, value in os.environ.items() if not key.startswith(("OMP_", "GOMP_"))}
    with tempfile.TemporaryDirectory(prefix="boostlens-bench-") as root:
        lay_out(root)
        for case, environment in (("as in the image", {**bare, "GOMP_SPINCOUNT": "1000"}), ("bare command", bare)):
            times = [milliseconds(os.path.abspath(options.boostlens), root, environment) for _ in range(options.runs)]
            print(json.dumps({"case": case, "runs": options.runs, "first_line_ms": round(statistics.median(times), 1),
                              "min_ms": round(min(times), 1), "max_ms": round(max(times), 1)}), flush=True)


main()
