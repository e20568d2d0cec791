#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the README says of the program is what the program says."""
from harness import *


def output(*words):
    return subprocess.run([BOOSTLENS, *words], capture_output=True, text=True, timeout=HANG, check=True).stdout


def readme():
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        return file.read()


@claim
def the_table_of_hyperparameters_is_the_programs_own():
    between = readme().split("<!-- hyperparameters: begin -->\n")[1].split("<!-- hyperparameters: end -->")[0]
    check(between == output("help", "train", "--markdown"),
          "README.md's table differs from 'boostlens help train --markdown': put that between the two marks")


@claim
def every_hyperparameter_is_in_the_help():
    table = output("help", "train", "--markdown")
    text = output("help", "train")
    for line in table.splitlines():
        if line.startswith("| `"):
            contains(text, line.split("`")[1])


@claim
def the_verbs_of_the_readme_are_there():
    usage = output("help")
    for verb in ("train", "explain", "predict", "check"):
        contains(usage, verb)


if __name__ == "__main__":
    sys.exit(main())
