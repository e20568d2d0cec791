#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Recomputes the metrics of each case in a JSON file with scikit-learn; exit 1 where one differs.

    compare_sklearn.py CASES.json
"""
import json
import sys
import warnings

import numpy as np
import sklearn.metrics as m

BOUND = 1e-9  # relative; sums in another order, float64 throughout
warnings.simplefilter("ignore")
compared = worst = 0
failed = []


def same(case, name, got, want):
    global compared, worst
    off = abs(got - want) / max(abs(want), 1e-3)
    compared += 1
    worst = max(worst, off)
    if not off <= BOUND:
        failed.append(f"{case}: {name} is {got!r}, scikit-learn says {want!r}")


def curve_ks(y, p, w):
    fpr, tpr, _ = m.roc_curve(y, p, sample_weight=w, drop_intermediate=False)
    return np.max(np.abs(tpr - fpr))


def ece(value, rate, w):
    bins = np.minimum((value * 10).astype(int), 9)
    sums = [np.array([np.sum((w * x)[bins == b]) for b in range(10)]) for x in (value, rate)]
    return np.sum(np.abs(sums[0] - sums[1])) / np.sum(w)


def classes(case, c, y, said, w):
    f, u = c["final"], c["custom"]
    same(case, "accuracy", f["accuracy"], m.accuracy_score(y, said, sample_weight=w))
    same(case, "balanced", f["balanced_accuracy"], m.balanced_accuracy_score(y, said, sample_weight=w))
    table = m.confusion_matrix(y, said, sample_weight=w, labels=range(len(f["confusion_matrix"])))
    for got, want in zip(np.ravel(f["confusion_matrix"]), table.ravel()):
        same(case, "confusion", got, want)
    each = m.precision_recall_fscore_support(y, said, sample_weight=w, zero_division=0,
                                             labels=range(len(f["per_class"])))
    for i, name in enumerate(("precision", "recall", "f1", "support")):
        for k, row in enumerate(f["per_class"]):
            same(case, f"per class {name}", row[name], each[i][k])
    same(case, "custom accuracy", u["accuracy"], f["accuracy"])
    same(case, "custom balanced", u["balanced_accuracy"], f["balanced_accuracy"])
    for average in ("macro", "micro"):
        for name, score in (("precision", m.precision_score), ("recall", m.recall_score)):
            want = score(y, said, sample_weight=w, average=average, zero_division=0)
            same(case, f"custom {name}_{average}", u[f"{name}_{average}"], want)
    want = m.f1_score(y, said, sample_weight=w, average="macro", zero_division=0)
    same(case, "custom f1", u["f1"], want)
    same(case, "custom f1_macro", u["f1_macro"], want)
    same(case, "f1_macro", f["f1_macro"], want)


def binary(case, c, y, p, w):
    f, u = c["final"], c["custom"]
    said = (p > 0.5).astype(int)
    classes(case, c, y, said, w)
    same(case, "auc", f["auc"], m.roc_auc_score(y, p, sample_weight=w))
    same(case, "average_precision", f["average_precision"],
         m.average_precision_score(y, p, sample_weight=w))
    same(case, "ks", f["ks"], curve_ks(y, p, w))
    same(case, "logloss", f["logloss"], m.log_loss(y, p, sample_weight=w))
    same(case, "brier", f["brier"], m.brier_score_loss(y, p, sample_weight=w))
    same(case, "ece", f["calibration"]["ece"], ece(p, y, w))
    for name, score in (("precision", m.precision_score), ("recall", m.recall_score)):
        same(case, f"custom {name}", u[name], score(y, said, sample_weight=w, zero_division=0))
        same(case, name, f[name], u[name])
    same(case, "custom f1_binary", u["f1_binary"], m.f1_score(y, said, sample_weight=w))
    same(case, "f1", f["f1"], u["f1_binary"])


def multi(case, c, y, p, w):
    f = c["final"]
    said = np.argmax(p, axis=1)
    classes(case, c, y, said, w)
    same(case, "mlogloss", f["mlogloss"],
         -np.average(np.log(p[np.arange(len(y)), y.astype(int)]), weights=w))
    each = [m.roc_auc_score(y == k, p[:, k], sample_weight=w) for k in range(p.shape[1])]
    share = [np.sum(w[y == k]) for k in range(p.shape[1])]
    same(case, "auc_macro", f["auc_macro"], np.mean(each))
    same(case, "auc", f["auc"], np.average(each, weights=share))
    same(case, "ece", f["calibration"]["ece"], ece(p.max(axis=1), said == y, w))


def numbers(case, c, y, p, w):
    f, u = c["final"], c["custom"]
    same(case, "mse", f["mse"], m.mean_squared_error(y, p, sample_weight=w))
    same(case, "rmse", f["rmse"], m.mean_squared_error(y, p, sample_weight=w) ** 0.5)
    same(case, "mae", f["mae"], m.mean_absolute_error(y, p, sample_weight=w))
    same(case, "r2", f["r2"], m.r2_score(y, p, sample_weight=w))
    same(case, "mape", f["mape"], m.mean_absolute_percentage_error(y, p, sample_weight=w))
    same(case, "custom mse", u["mse"], f["mse"])
    same(case, "custom r2", u["r2"], f["r2"])
    power = {"count:poisson": 1, "reg:gamma": 2, "reg:tweedie": 1.3}.get(c["objective"])
    if power:
        name = c["objective"].split(":")[1] + "_deviance"
        same(case, name, f[name], m.mean_tweedie_deviance(y, p, sample_weight=w, power=power))


def ranking(case, c, y, p, w):
    f = c["final"]
    y, p, w = (x.reshape(10, -1) for x in (y, p, w))
    gain = 2 ** y - 1
    for name, k in (("ndcg", None), ("ndcg@5", 5), ("ndcg@10", 10)):
        each = [m.ndcg_score(gain[g:g + 1], p[g:g + 1], k=k) for g in range(10)]
        same(case, name, f[name], np.average(each, weights=w[:, 0]))
    if y.max() == 1:
        each = [m.average_precision_score(y[g], p[g]) for g in range(10)]
        same(case, "map", f["map"], np.average(each, weights=w[:, 0]))


for number, c in enumerate(json.load(open(sys.argv[1]))):
    labels = np.array(c["labels"])
    predictions = np.array(c["predictions"])
    weights = np.array(c.get("weights", np.ones(len(labels))))
    if c["width"] > 1:
        predictions = predictions.reshape(-1, c["width"])
    kind = {"binary:logistic": binary, "multi:softprob": multi, "rank:ndcg": ranking}
    kind.get(c["objective"], numbers)(f"case {number} ({c['objective']})", c, labels, predictions,
                                      weights)
print(f"{compared} numbers compared, largest relative difference {worst:.1e}")
print("\n".join(failed[:20]))
sys.exit(1 if failed or compared < 100 else 0)
