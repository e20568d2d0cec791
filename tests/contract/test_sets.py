#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""All real sets train and explain as they are: label first, no header, nothing special."""
import re

from harness import *

PY = packages("numpy", "h5py")

SETS = {
    "credit-default": ("credit-default/train_data.csv.gz", {"objective": "binary:logistic"}),
    "adult": ("adult/adult_train_num.csv.gz", {"objective": "binary:logistic"}),
    "bank-marketing": ("bank-marketing/bank_num.csv.gz", {"objective": "binary:logistic"}),
    "california-housing": ("california-housing/housing_num.csv", {"objective": "reg:squarederror"}),
    "covertype": ("covertype-93k/covertype_93k_num.csv.gz", {"objective": "multi:softprob", "num_class": "7"}),
    "diabetes-130": ("diabetes-130/diabetes_num.csv.gz", {"objective": "binary:logistic"}),
    "kddcup99": ("kddcup99-10pct/kddcup99_10pct_num.csv.gz", {"objective": "binary:logistic"}),
    "sgemm": ("sgemm/sgemm_num.csv.gz", {"objective": "reg:squarederror"}),
}
ROWS = {"credit-default": 24000, "adult": 32561, "bank-marketing": 41188, "california-housing": 20640, "covertype": 92962,
        "diabetes-130": 101766, "kddcup99": 494021, "sgemm": 241600}


def train_and_explain(name):
    path, settings = SETS[name]
    rounds = "3" if SHORT else "10"
    job = Job(num_round=rounds, max_depth="6", bl_explain_rows="2000" if SHORT else "20000", **settings)
    job.channel("train", real(path), content_type="text/csv").expect(0)
    metrics = job.metrics("train")
    check(metrics["rows"] == ROWS[name], "%s rows", metrics["rows"])
    said = re.findall(r"additivity[^\n]*", job.stderr)
    check(said, "the additivity error is not in the log")
    if not PY:
        raise Skip("trained and explained; the values were not looked at: no h5py")
    numpy, h5py = PY
    with h5py.File(job.path("output/data/attributions.h5")) as file:
        values, margins = file["values"][:].astype("f8"), file["margins"][:].astype("f8")
        check(numpy.isfinite(values).all(), "values that are not finite")
        worst = numpy.abs(values.sum(1) + file["base_values"][:] - margins).max() / numpy.abs(margins).max()
        check(worst < 5e-6, "sums are %g of the largest margin away from XGBoost's", worst)
    print(f"# {name}: {metrics['rows']} rows; {said[0]}; sums within {worst:.1e} of XGBoost's float32 margins")


for set_name in SETS:
    def one(name=set_name):
        train_and_explain(name)
    one.__name__ = set_name.replace("-", "_") + "_trains_and_explains"
    claim(one)

raise SystemExit(main())
