#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Explainers that live in Python, and ours through ctypes, in one process on one model.

    explain_peer.py FILE LIBRARY DEPTH ROUNDS CLASSES THREADS REPEATS

One JSON line an explainer and kind of value. Rows: more and more until more no longer make it faster, so that
what a call costs once does not count against anybody who works in large batches. Errors are taken against shap's C
code in float64. LightGBM and CatBoost explain models of their own of the same depth and number of trees:
compare sizes, not values; their leaves are printed.
"""
import ctypes
import gzip
import json
import os
import statistics
import sys
import tempfile
import time
import warnings

import numpy as np

warnings.filterwarnings("ignore")
FILE, LIBRARY = sys.argv[1:3]
DEPTH, ROUNDS, CLASSES, THREADS, REPEATS = map(int, sys.argv[3:8])


def rows_of(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rt") as file:
        cells = np.array([[float(cell) if cell else np.nan for cell in line.rstrip("\n").split(",")] for line in file], np.float32)
    y = cells[:, 0] - (cells[:, 0].min() if CLASSES else 0)
    return np.ascontiguousarray(cells[:, 1:]), y


X, Y = rows_of(FILE)
BINARY = not CLASSES and set(np.unique(Y)) == {0, 1}


class Ours:
    """libboostlens: values and margins of rows."""

    def __init__(self, model):
        self.lib = ctypes.CDLL(LIBRARY)
        self.lib.bl_model_n_outputs.restype = ctypes.c_size_t
        self.model, self.err = ctypes.c_void_p(), ctypes.create_string_buffer(1032)
        self.check(self.lib.bl_model_load(model.encode(), ctypes.byref(self.model), self.err))
        self.n_outputs = self.lib.bl_model_n_outputs(self.model)

    def check(self, status):
        if status:
            raise RuntimeError(self.err.raw[8:].split(b"\0")[0].decode())

    def contribs(self, x):
        phi = np.empty((len(x), self.n_outputs, x.shape[1] + 1), np.float32)
        self.check(self.lib.bl_contribs(self.model, x.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(len(x)),
                                        ctypes.c_size_t(x.shape[1]), phi.ctypes.data_as(ctypes.c_void_p),
                                        ctypes.c_size_t(phi.size), self.err))
        return phi


def timed(call, n):
    start = time.perf_counter()
    result = call(X[:n])
    return time.perf_counter() - start, result


def put(what, mode, call, truth=None, leaves=None, most=None):
    """Times `call` on as many rows as serve it best, and prints the line."""
    try:
        n, most = 32, min(len(X), most or len(X))
        took = timed(call, n)[0]
        while n < most and took < 10:
            more = min(most, 4 * n)
            longer = timed(call, more)[0]
            steady = took > 0.3 and longer / more > 0.85 * took / n
            n, took = more, longer
            if steady:
                break
        took = statistics.median([took] + [timed(call, n)[0] for _ in range(min(REPEATS, 3) - 1)])
        line = {"mode": mode, "what": what, "rows": n, "rows_per_s": n / took, "threads": THREADS,
                "ns_per_row_and_tree": 1e9 * took / n / ROUNDS / max(CLASSES, 1)}
        if truth is not None:
            got = np.asarray(timed(call, len(truth))[1], np.float64).reshape(len(truth), -1)
            line["error"] = float(np.abs(got - truth).max() / np.abs(truth).max())
        if leaves:
            line["leaves"] = leaves
        print(json.dumps(line), flush=True)
    except Exception as error:  # a peer that cannot is a result, not the end
        print(f"{what}, {mode}: {type(error).__name__}: {str(error)[:200]}", file=sys.stderr)


def main():
    import shap
    import xgboost

    objective = {"objective": "multi:softprob", "num_class": CLASSES} if CLASSES else \
        {"objective": "binary:logistic" if BINARY else "reg:squarederror"}
    booster = xgboost.train({**objective, "tree_method": "hist", "eta": 0.1, "max_depth": DEPTH, "nthread": THREADS},
                            xgboost.DMatrix(X, Y), ROUNDS)
    with tempfile.TemporaryDirectory(prefix="boostlens-bench-") as folder:
        path = os.path.join(folder, "model.ubj")
        booster.save_model(path)
        ours = Ours(path)

    exact = shap.TreeExplainer(booster)
    exact.model.model_type = "internal"  # its own C code, not XGBoost's values
    truth = None
    if not CLASSES:
        truth = exact.shap_values(X[:64], check_additivity=False).reshape(64, -1)

    def values(phi):
        return phi[..., :-1]

    put("XGBoost", "values", lambda x: values(booster.predict(xgboost.DMatrix(x), pred_contribs=True)), truth)
    put("boostlens", "values", lambda x: values(ours.contribs(x)), truth)
    put("shap, C, 1 thread", "values", lambda x: exact.shap_values(x, check_additivity=False))

    try:
        import pandas
        from woodelf.explainer import WoodelfExplainer
        frame = pandas.DataFrame(X, columns=[f"f{i}" for i in range(X.shape[1])])
        woodelf = WoodelfExplainer(booster, feature_perturbation="tree_path_dependent")
        put("woodelf, 1 thread", "values", lambda x: woodelf.shap_values(frame[:len(x)], verbose=False), truth)
        for size in (1000,):
            background = frame[-size:]
            against = WoodelfExplainer(booster, background)
            put(f"woodelf, 1 thread, {size} rows", "background", lambda x: against.shap_values(frame[:len(x)], verbose=False))
    except ImportError as error:
        print(f"woodelf: {error}", file=sys.stderr)

    masker = shap.maskers.Independent(X[-1000:], max_samples=1000)
    against = shap.TreeExplainer(booster, masker)
    put("shap, C, 1 thread, 1000 rows", "background", lambda x: against.shap_values(x, check_additivity=False), most=64)

    try:
        import lightgbm
        own = lightgbm.train({"objective": "multiclass" if CLASSES else "binary" if BINARY else "regression",
                              **({"num_class": CLASSES} if CLASSES else {}), "max_depth": DEPTH, "num_leaves": min(2 ** DEPTH, 4096),
                              "learning_rate": 0.1, "num_threads": THREADS, "verbosity": -1}, lightgbm.Dataset(X, Y), ROUNDS)
        leaves = int(sum(tree["num_leaves"] for tree in own.dump_model()["tree_info"]))
        put("LightGBM, its model", "values", lambda x: own.predict(x, pred_contrib=True), leaves=leaves)
    except ImportError as error:
        print(f"LightGBM: {error}", file=sys.stderr)

    try:
        import catboost
        if DEPTH <= 10:
            own = catboost.CatBoost({"loss_function": "MultiClass" if CLASSES else "Logloss" if BINARY else "RMSE",
                                     "depth": DEPTH, "iterations": ROUNDS, "learning_rate": 0.1, "thread_count": THREADS,
                                     "verbose": False, "allow_writing_files": False})
            own.fit(X, Y)
            put("CatBoost, its model", "values", lambda x: own.get_feature_importance(
                catboost.Pool(x), type="ShapValues", thread_count=THREADS), leaves=int(sum(own.get_tree_leaf_counts())))
    except ImportError as error:
        print(f"CatBoost: {error}", file=sys.stderr)


main()
