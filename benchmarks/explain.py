#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SHAP values, interactions, backgrounds, predictions and single requests, beside XGBoost and others.

    benchmarks/explain.sh [--all] [--repeats N] [--seconds S] [NAME...]

Stands for what a data scientist waits for who explains a whole training set, and what a server adds to
each request. Every cell is one process that trains one model and calls both sides in turn on the same
rows with the same threads; medians of processor time make the ratio (wall times are in the JSON lines).
Where XGBoost needs more than S seconds a call (default 20) for all rows, fewer rows are taken.

    values        the named subset of sets, depths and tree counts; --all: every set x depth 3 6 8 10 16 x
                  100 and 1,000 trees x 1 and 2 threads, and lossguide, many features, seven classes, DART
    predict       margins, from a matrix that XGBoost has not seen
    latency       requests of 1 to 100 rows, one thread
    interactions, background
    peers         shap, woodelf-explainer, LightGBM and CatBoost (their own models) on some cells

NAME: some of these. One JSON line a measurement on stdout, the table on stderr at the end. Real sets:
BOOSTLENS_DATA (default ../shared/data). OMP_PROC_BIND is unset (binding halves XGBoost where two OpenMP
runtimes are in the process) and GOMP_SPINCOUNT=20000 keeps a busy neighbour from hurting either side.
"""
import argparse
import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DATA = os.environ.get("BOOSTLENS_DATA", os.path.join(ROOT, "../shared/data"))
DEPS = os.environ.get("BOOSTLENS_DEPS", os.path.join(ROOT, ".deps"))
PROGRAM = os.path.join(ROOT, "build/benchmarks/explain_bench")
LIBRARY = os.path.join(ROOT, "build/src/libboostlens.so")

# name: (file, classes)
SETS = {
    "credit": ("credit-default/train_data.csv.gz", 0),
    "california": ("california-housing/housing_num.csv", 0),
    "adult": ("adult/adult_train_num.csv.gz", 0),
    "bank": ("bank-marketing/bank_num.csv.gz", 0),
    "covertype": ("covertype-93k/covertype_93k_num.csv.gz", 7),
    "diabetes": ("diabetes-130/diabetes_num.csv.gz", 0),
    "sgemm": ("sgemm/sgemm_num.csv.gz", 0),
    "kddcup": ("kddcup99-10pct/kddcup99_10pct_num.csv.gz", 0),
}

# (set, depth, rounds, threads, more)
SUBSET = [("credit", 3, 100, 1, ""), ("credit", 6, 100, 1, ""), ("credit", 6, 100, 2, ""),
          ("california", 6, 100, 1, ""), ("adult", 8, 100, 1, ""), ("credit", 10, 100, 1, ""),
          ("credit", 16, 30, 1, ""), ("covertype", 6, 20, 1, ""), ("credit", 6, 1000, 1, "")]
ODD = [("credit", 0, 100, 1, "leaves=64"), ("drawn", 6, 100, 1, "features=500"), ("credit", 6, 100, 1, "dart=1")]
DEPTHS = (3, 6, 8, 10, 16)


def grid():
    for rounds in (100, 1000):
        for depth in DEPTHS:
            for name in SETS:
                for threads in (1, 2):
                    yield (name, depth, rounds, threads, "")


def environment(threads):
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("OMP_", "GOMP_"))}
    return {**clean, "GOMP_SPINCOUNT": "20000", "OMP_NUM_THREADS": str(threads),
            "PYTHONPATH": os.path.join(DEPS, "peers") + ":" + os.path.join(DEPS, "explain-peers")}


def path_of(name):
    if name == "drawn":
        return name
    path = os.path.join(DATA, SETS[name][0])
    if not os.path.exists(path):
        print(f"{name}: no {SETS[name][0]} under BOOSTLENS_DATA ({DATA}); left out", file=sys.stderr)
        return None
    return path


def lines_of(command, threads, results, cell):
    print("running " + " ".join(os.path.basename(part) for part in command), file=sys.stderr, flush=True)
    done = subprocess.run(command, env=environment(threads), stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        print(f"{cell}: exit {done.returncode}", file=sys.stderr)
        results.append({"cell": cell, "failed": done.returncode})
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            results.append({"cell": cell, **json.loads(line)})
            print(json.dumps(results[-1]), flush=True)


def run_cell(cell, modes, options, results):
    name, depth, rounds, threads, more = cell
    path = path_of(name)
    if not path:
        return
    classes = SETS[name][1] if name in SETS else 0
    label = f"{name} d{depth} x{rounds}" + (f" {more}" if more else "") + f" {threads}t"
    command = [PROGRAM, path, *modes, f"depth={depth}", f"rounds={rounds}", f"classes={classes}", f"threads={threads}",
               f"repeats={options.repeats}", f"seconds={options.seconds}", "truth=16"] + more.split()
    lines_of(command, threads, results, label)


def run_peers(cell, options, results):
    name, depth, rounds, threads, _ = cell
    path = path_of(name)
    if path:
        lines_of(["/usr/bin/python3", os.path.join(ROOT, "benchmarks/explain_peer.py"), path, LIBRARY, str(depth), str(rounds),
                  str(SETS[name][1]), str(threads), str(options.repeats)], threads, results, f"{name} d{depth} x{rounds} {threads}t")


def about():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        found = re.search(r"^model name\s*: (.*)$", file.read(), re.M)
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return {"cpu": found[1] if found else os.uname().machine, "processors": len(os.sched_getaffinity(0)),
            "load": os.getloadavg()[0], "commit": commit.stdout.strip()}


def number(value, form):
    return "" if value is None else format(value, form)


def table(results, machine):
    out = sys.stderr
    print(f"\n{machine['cpu']}, {machine['processors']} processors, load {machine['load']:.1f} at the start, "
          f"commit {machine['commit']}\n", file=out)
    print("| what | cell | by | rows | rows/s | ns a row and tree | times XGBoost | error | MB |", file=out)
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |", file=out)
    for r in results:
        if "failed" in r:
            print(f"| | {r['cell']} | failed: exit {r['failed']} | | | | | | |", file=out)
        elif r["mode"] != "latency" and "rows_per_s" in r:
            print(f"| {r['mode']} | {r['cell']} | {r['what']} | {r['rows']} | {r['rows_per_s']:,.0f} | "
                  f"{number(r.get('ns_per_row_and_tree'), '.3g')} | {number(r.get('ratio'), '.1f')} | {number(r.get('error'), '.1e')} | "
                  f"{number(r.get('memory_mb'), '.0f')} |", file=out)
    requests = [r for r in results if r.get("mode") == "latency"]
    if requests:
        print("\n| request of | cell | by | median us | 90 % | 99 % |\n| --- | --- | --- | --- | --- | --- |", file=out)
    for r in requests:
        print(f"| {r['rows']} rows | {r['cell']} | {r['what']} | {r['p50_us']} | {r['p90_us']} | {r['p99_us']} |", file=out)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    known = ["values", "predict", "latency", "interactions", "background", "peers"]
    for name in options.names:
        if name not in known:
            sys.exit(f"no part '{name}'; there are: {', '.join(known)}")
    wanted = options.names or known
    machine, results = about(), []
    if "values" in wanted:
        for cell in (list(grid()) + ODD if options.all else SUBSET + ODD):
            run_cell(cell, ["values"], options, results)
    plain = [("credit", 6, 100, 1, ""), ("credit", 6, 1000, 1, "")]
    deep = [("credit", 10, 100, 1, ""), ("adult", 8, 100, 1, "")] + ([("credit", 16, 30, 1, "")] if options.all else [])
    for mode, cells in (("predict", plain + deep), ("latency", plain), ("interactions", plain[:1] + deep[:2]),
                        ("background", plain[:1] + deep[:2])):
        for cell in cells if mode in wanted else ():
            run_cell(cell, [mode], options, results)
    if "peers" in wanted:
        for cell in plain + deep if options.all else plain[:1] + deep[:2]:
            run_peers(cell, options, results)
    table(results, machine)
    return 1 if not results or any("failed" in r for r in results) else 0


sys.exit(main())
