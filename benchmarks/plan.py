#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fit and transform of a plan against scikit-learn's pipeline, numbers in memory on both sides.

    python3 benchmarks/plan.py [--rows 1000000] [--columns 50] [--runs 5] [--build build]

Needs numpy and scikit-learn (container/deps.sh peers, or BOOSTLENS_PYTHON). The same columns, 1 % of the cells
missing; a fifth of the columns each: standardize, minmax, robust, impute mean and standardize, impute median and
quantile clip. Both end in a float32 matrix, rows first. Seconds are of fit and transform alone, memory is the peak of
the whole process; the sides take turns, one uncounted run first.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

STEPS = [["standardize"], [{"minmax": [0, 1]}], [{"robust": [25, 75]}], [{"impute": "mean"}, "standardize"],
         [{"impute": "median"}, {"minmax": [0, 1]}]]


def peer(path, rows, columns):
    import resource
    import time

    import numpy as np
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler
    x = np.fromfile(path).reshape(columns, rows).T
    kinds = [StandardScaler(), MinMaxScaler(), RobustScaler(), make_pipeline(SimpleImputer(), StandardScaler()),
             make_pipeline(SimpleImputer(strategy="median"), MinMaxScaler())]
    step = columns // len(kinds)
    pipeline = ColumnTransformer([(str(i), kind, list(range(i * step, (i + 1) * step)))
                                  for i, kind in enumerate(kinds)])
    began = time.perf_counter()
    pipeline.fit(x)
    fitted = time.perf_counter()
    out = np.ascontiguousarray(pipeline.transform(x), dtype=np.float32)
    ended = time.perf_counter()
    print(json.dumps({"side": "scikit-learn", "fit": fitted - began, "transform": ended - fitted,
                      "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                      "sum": float(np.nansum(out, dtype=np.float64))}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1000000)
    parser.add_argument("--columns", type=int, default=50)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--build", default="build")
    parser.add_argument("--peer")
    options = parser.parse_args()
    if options.peer:
        return peer(options.peer, options.rows, options.columns)
    import numpy as np
    subprocess.run(["ninja", "-C", options.build, "benchmarks/plan_bench"], check=True, stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory() as folder:
        data, plan = os.path.join(folder, "columns.f64"), os.path.join(folder, "plan.json")
        rng = np.random.default_rng(1)
        with open(data, "wb") as out:
            for k in range(options.columns):
                column = rng.normal(k, 1 + k, options.rows)
                column[rng.random(options.rows) < 0.01] = np.nan
                column.tofile(out)
        step = options.columns // len(STEPS)
        with open(plan, "w", encoding="utf-8") as out:
            json.dump({"columns": [{"columns": [f"c{k}" for k in range(i * step, (i + 1) * step)], "steps": steps}
                                   for i, steps in enumerate(STEPS)]}, out)
        size = [str(options.rows), str(options.columns)]
        sides = {"boostlens": [os.path.join(options.build, "benchmarks/plan_bench"), data, *size, plan],
                 "scikit-learn": [sys.executable, os.path.abspath(__file__), "--peer", data, "--rows", size[0],
                                  "--columns", size[1]]}
        seen = {name: [] for name in sides}
        for run in range(options.runs + 1):
            for name, command in sides.items():
                line = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
                print(json.dumps({**line, "run": run, "processors": os.cpu_count()}), flush=True)
                if run:
                    seen[name].append(line)
    total = {name: statistics.median(line["fit"] + line["transform"] for line in lines) for name, lines in seen.items()}
    memory = {name: statistics.median(line["peak_mb"] for line in lines) for name, lines in seen.items()}
    print("| side | fit and transform, s | peak, MB |\n| --- | --- | --- |")
    for name in seen:
        print(f"| {name} | {total[name]:.3f} | {memory[name]:.0f} |")
    print(f"times faster: {total['scikit-learn'] / total['boostlens']:.1f}; "
          f"memory: {memory['boostlens'] / memory['scikit-learn']:.2f} of it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
