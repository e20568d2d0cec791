#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What one busy neighbour costs, and what the bounded spin costs on an idle machine.

    benchmarks/neighbour.py [--runs N] [--boostlens PROGRAM]

Stands for a shared machine: another process keeps one processor busy while a job trains. OpenMP's
idle threads spin without end by default, so every parallel loop then waits for the scheduler; the program
bounds the spin by itself (container/main.c). Measured: `boostlens train` on data/credit, without
attributions, alone and beside one busy process (in a session of its own, as another container is: the
scheduler then shares processors between groups, which is the hard case), as it is and with libgomp's own default.
One JSON line a case, medians of N runs.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

# Ends by itself where this script is killed.
BUSY = "import os; parent = os.getppid()\nwhile os.getppid() == parent: pass"
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def job(root, rounds):
    shutil.rmtree(root, ignore_errors=True)
    os.makedirs(os.path.join(root, "input/config"))
    os.makedirs(os.path.join(root, "input/data/train"))
    shutil.copy(os.path.join(ROOT, "data/credit/train.csv"), os.path.join(root, "input/data/train"))
    for name, content in (
            ("hyperparameters", {"num_round": str(rounds), "objective": "binary:logistic", "max_depth": "6", "bl_explain": "none"}),
            ("inputdataconfig", {"train": {"ContentType": "text/csv", "TrainingInputMode": "File"}}),
            ("resourceconfig", {"current_host": "algo-1", "hosts": ["algo-1"]})):
        with open(os.path.join(root, "input/config", name + ".json"), "w", encoding="utf-8") as file:
            json.dump(content, file)


def seconds(program, root, environment, rounds, limit):
    job(root, rounds)
    since = time.perf_counter()
    try:
        done = subprocess.run([program, "train", "--root", root], env=environment, capture_output=True, text=True, timeout=limit,
                              check=False)
    except subprocess.TimeoutExpired:
        return limit
    if done.returncode:
        sys.exit(done.stderr[-1000:])
    return time.perf_counter() - since


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--limit", type=float, default=120, help="seconds after which a run is given up")
    parser.add_argument("--boostlens", default=os.path.join(ROOT, "build/container/boostlens"))
    options = parser.parse_args()
    plain = {key: value for key, value in os.environ.items() if not key.startswith(("OMP_", "GOMP_", "BOOSTLENS_STARTED"))}
    # BOOSTLENS_STARTED keeps the program from starting itself anew with the bounded spin.
    settings = {"bounded spin (as shipped)": plain, "libgomp's default": {**plain, "BOOSTLENS_STARTED": "1"}}
    alone = {}
    with tempfile.TemporaryDirectory(prefix="boostlens-bench-") as folder:
        for beside in ("nobody", "one busy process"):
            busy = None if beside == "nobody" else subprocess.Popen([sys.executable, "-c", BUSY], start_new_session=True)
            try:
                for name, environment in settings.items():
                    times = [seconds(os.path.abspath(options.boostlens), os.path.join(folder, "job"), environment, options.rounds,
                                     options.limit) for _ in range(options.runs)]
                    median = statistics.median(times)
                    alone.setdefault(name, median)
                    print(json.dumps({"case": name, "beside": beside, "processors": len(os.sched_getaffinity(0)),
                                      "runs": options.runs, "seconds": round(median, 3), "min_s": round(min(times), 3),
                                      "max_s": round(max(times), 3), "times_alone": round(median / alone[name], 2)}), flush=True)
            finally:
                if busy:
                    busy.kill()
                    busy.wait()


main()
