#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does memory grow with rows? Peak resident memory of `explain --aggregate-only` and `predict` on more and more rows of 50
features through a pipe, with a model of 500 trees of depth 6. One line a run.

    python3 benchmarks/rows_memory.py [MILLIONS_OF_ROWS...]     default 0.2 1 3

BOOSTLENS  the program (default build/container/boostlens)
"""
import json
import os
import random
import subprocess
import sys
import tempfile
import time

BOOSTLENS = os.path.abspath(os.environ.get("BOOSTLENS", "build/container/boostlens"))
BLOCK = 20000  # rows, repeated


def rows(rng, n, label):
    lines = []
    for _ in range(n):
        x = [rng.gauss(0, 1) for _ in range(50)]
        y = x[0] * x[1] + x[2] - abs(x[3]) + x[4] * x[5] * x[6] + 0.1 * sum(v * v for v in x[7:20]) + rng.gauss(0, 0.1)
        lines.append(",".join("%.4f" % v for v in ([y] if label else []) + x) + "\n")
    return "".join(lines).encode()


def write(folder, name, content):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(content if isinstance(content, bytes) else json.dumps(content).encode())


def train(root, rng):
    config = os.path.join(root, "input/config")
    write(os.path.join(root, "input/data/train"), "a.csv", rows(rng, BLOCK, True))
    write(config, "hyperparameters.json", {"num_round": "500", "objective": "reg:squarederror", "max_depth": "6",
                                           "eta": "0.1", "bl_explain": "none"})
    write(config, "inputdataconfig.json", {"train": {"ContentType": "text/csv", "TrainingInputMode": "File"}})
    write(config, "resourceconfig.json", {"current_host": "algo-1", "hosts": ["algo-1"]})
    subprocess.run([BOOSTLENS, "train", "--root", root], check=True, capture_output=True)


def run(root, verb, options, block, times):
    output = os.path.join(tempfile.mkdtemp(dir=root), "out")
    command = [BOOSTLENS, verb, "--model", os.path.join(root, "model"), "--data", "-", "--output", output, *options]
    began = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    for _ in range(times):
        process.stdin.write(block)
    process.stdin.close()
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{verb}: status {status}")
    print(f"{verb:8} {times * BLOCK:>10} rows  peak {used.ru_maxrss / 1024:6.0f} MB  "
          f"{time.monotonic() - began:7.1f} s", flush=True)


def main():
    rng = random.Random(1)
    with tempfile.TemporaryDirectory(prefix="boostlens-rows-") as root:
        train(root, rng)
        block = rows(rng, BLOCK, False)
        for millions in [float(word) for word in sys.argv[1:]] or [0.2, 1, 3]:
            times = max(1, round(millions * 1e6 / BLOCK))
            run(root, "explain", ["--aggregate-only"], block, times)
            run(root, "predict", [], block, times)


if __name__ == "__main__":
    main()
