#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The peer of benchmarks/job.py: the same job as a competent person writes it in Python.

    job_peer.py TRAIN.csv TEST.csv PARAMETERS.json OUTPUT_FOLDER

Read both files (label first, no header), train with both as watch lists, SHAP values of every training
row by pred_contribs, save the model, the values as gzip'd HDF5, importances as CSV, metrics as JSON.
Prints one JSON line: seconds of each stage.
"""
import json
import sys
import time

started = time.perf_counter()
stages = {}


def stage(name):
    global started
    now = time.perf_counter()
    stages[name] = round(now - started, 4)
    started = now


import h5py
import numpy as np
import pandas as pd
import xgboost as xgb

stage("imports")

train_path, test_path, parameters_path, out = sys.argv[1:5]
with open(parameters_path, encoding="utf-8") as file:
    parameters = json.load(file)
n_rounds = int(parameters.pop("num_round"))
names = parameters.pop("names", None)
train = pd.read_csv(train_path, header=None, dtype=np.float32)
test = pd.read_csv(test_path, header=None, dtype=np.float32)
names = names or [f"f{i}" for i in range(train.shape[1] - 1)]
y, x = train[0].to_numpy(), train.iloc[:, 1:].to_numpy()
y_test, x_test = test[0].to_numpy(), test.iloc[:, 1:].to_numpy()
del train, test
stage("read")

dtrain = xgb.QuantileDMatrix(x, label=y, feature_names=names)
dtest = xgb.QuantileDMatrix(x_test, label=y_test, feature_names=names, ref=dtrain)
stage("matrix")

history = {}
booster = xgb.train(parameters, dtrain, n_rounds, evals=[(dtrain, "train"), (dtest, "validation")], evals_result=history,
                    verbose_eval=False)
stage("train")

predictions = booster.predict(dtest)
metrics = {"history": history, "final": {name: values[-1] for name, values in history["validation"].items()}}
if parameters["objective"].startswith("binary"):
    metrics["accuracy"] = float(((predictions > 0.5) == y_test).mean())
elif parameters["objective"].startswith("multi"):
    metrics["accuracy"] = float((predictions.argmax(1) == y_test).mean())
else:
    metrics["r2"] = float(1 - ((y_test - predictions) ** 2).sum() / ((y_test - y_test.mean()) ** 2).sum())
with open(f"{out}/metrics.json", "w", encoding="utf-8") as file:
    json.dump(metrics, file)
stage("evaluate")

contribs = booster.predict(xgb.DMatrix(x, feature_names=names), pred_contribs=True)
stage("explain")

booster.save_model(f"{out}/model.ubj")
stage("save")

values, base = contribs[..., :-1], contribs[..., -1]
if values.ndim == 3:  # [rows, outputs, features] as shap wants it: [rows, features, outputs]
    values = values.transpose(0, 2, 1)
with h5py.File(f"{out}/attributions.h5", "w") as file:
    for name, array in (("values", values), ("base_values", base), ("data", x), ("labels", y)):
        file.create_dataset(name, data=array, compression="gzip")
    file["feature_names"] = names
stage("hdf5")

importance = pd.DataFrame({"feature": names, "mean_abs_shap": np.abs(values).mean(axis=0).reshape(len(names), -1).mean(1)})
for kind in ("gain", "weight", "cover", "total_gain", "total_cover"):
    importance[kind] = importance.feature.map(booster.get_score(importance_type=kind))
importance.sort_values("mean_abs_shap", ascending=False).to_csv(f"{out}/importance.csv", index=False)
stage("importance")

print(json.dumps({"stages": stages, "metrics": metrics["final"]}))
