#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts single tests, for tests/run.sh.

    tally.py meson LABEL TESTLOG.json    every test of every program that `meson test` ran
    tally.py script LABEL LOG RC         the lines of one script: ok - name, not ok - name,
                                         skip - name: reason

One line a test on stdout: "pass LABEL name", "fail LABEL name", "skip LABEL name: reason". What a
failed program printed goes to stderr. A program that ends badly without a failed test of its
own (a crash, a leak, a deadline, a script that stops early) counts as one failed test, and so
does one that ran nothing.
"""
import json
import re
import sys

TAIL = 60  # lines shown of a failed program
LINE = re.compile(r"\[ *(RUN|OK|FAILED|SKIPPED) *\] (.+)")


def cmocka(text):
    """[(verdict, name, reason)] of the tests in a cmocka program's stdout."""
    tests, running, reason = [], None, ""
    for line in text.splitlines():
        found = LINE.match(line)
        if found and found[1] == "RUN":
            running, reason = found[2], ""
        elif found and running == found[2]:
            verdict = {"OK": "pass", "FAILED": "fail", "SKIPPED": "skip"}[found[1]]
            tests.append((verdict, running, reason))
            running = None
        elif running and line.startswith("skipped: "):
            reason = line[len("skipped: "):]
    if running:
        tests.append(("fail", running + " (did not end)", ""))
    return tests


def script(text):
    tests = []
    for line in text.splitlines():
        found = re.match(r"(ok|not ok|skip) - (.+)", line)
        if not found:
            continue
        verdict = {"ok": "pass", "not ok": "fail", "skip": "skip"}[found[1]]
        name, _, reason = found[2].partition(": ") if verdict == "skip" else (found[2], "", "")
        tests.append((verdict, name, reason))
    return tests


def report(label, program, tests, ended_well, how, output):
    for verdict, name, reason in tests:
        if verdict == "skip":
            print(f"skip {label} {program}: {name}: {reason or 'no reason given'}")
        else:
            print(f"{verdict} {label} {program}: {name}")
    failed = [name for verdict, name, _ in tests if verdict == "fail"]
    if not ended_well and not failed:
        print(f"fail {label} {program}: {how}")
        failed = [how]
    if ended_well and not tests:
        print(f"fail {label} {program}: ran no test")
        failed = ["ran no test"]
    if failed:
        print(f"--- {label} {program}: {', '.join(failed)}", file=sys.stderr)
        print("\n".join(output.splitlines()[-TAIL:]), file=sys.stderr)


def meson(label, path):
    with open(path, encoding="utf-8") as log:
        for line in log:
            entry = json.loads(line)
            name = entry["name"].split(":", 1)[-1].split(" / ", 1)[-1].strip()
            stdout, stderr = entry.get("stdout") or "", entry.get("stderr") or ""
            good = entry["result"] in ("OK", "EXPECTEDFAIL", "SKIP")
            tests = cmocka(stdout) or script(stdout)
            if not tests and re.search(r"^[1-9]\d* inputs replayed$", stdout, re.M) and good:
                tests = [("pass", "seeds replayed", "")]
            how = f"{entry['result'].lower()}, exit {entry.get('returncode')}"
            report(label, name, tests, good, how, stdout + "\n" + stderr)


def main():
    kind, label, path = sys.argv[1:4]
    if kind == "meson":
        meson(label, path)
    else:
        rc = int(sys.argv[4])
        with open(path, encoding="utf-8", errors="replace") as log:
            text = log.read()
        program = path.rsplit("/", 1)[-1].rsplit(".", 1)[0]
        report(label, program, script(text), rc == 0, f"exit {rc}", text)


main()
