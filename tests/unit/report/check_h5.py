#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Opens FOLDER/attributions.h5 as its readers do and compares it with the raw numbers beside it.

    check_h5.py FOLDER

FOLDER also holds values.f32, data.f32 and margins.f32 (float32, row-major) and names.txt (one a line).
Exit 0: equal; 1: not; 3: equal, but there is no shap to feed.
"""
import sys

import h5py
import numpy as np

folder = sys.argv[1]
f = h5py.File(folder + "/attributions.h5", "r")


def raw(name, shape):
    return np.fromfile(f"{folder}/{name}.f32", np.float32).reshape(shape)


def check(what, ok):
    if not ok:
        sys.exit(f"attributions.h5: {what}")


values = f["values"][:]
rows, features = values.shape[:2]
names = list(f["feature_names"].asstr()[:])
check("values differ", np.array_equal(values, raw("values", values.shape)))
check("values are not float32", values.dtype == np.float32)
check("data differ", np.array_equal(f["data"][:], raw("data", (rows, features)), equal_nan=True))
check("margins differ", np.array_equal(f["margins"][:], raw("margins", f["margins"].shape)))
check("row is not int64", f["row"].dtype == np.int64)
check("names differ", names == open(folder + "/names.txt", encoding="utf-8").read().split("\n")[:-1])
check("ids differ", list(f["id/customer"].asstr()[:2]) == ["c0", "c1"])
check("space is not margin", f.attrs["space"] == "margin")
check("n_outputs", f.attrs["n_outputs"] == (values.shape[2] if values.ndim == 3 else 1))
check("objective", f.attrs["objective"] in ("binary:logistic", "multi:softprob"))
check("rows one by one differ", all(np.array_equal(f["values"][i], values[i]) for i in (0, rows // 2, rows - 1)))
try:
    import shap
except ImportError:
    sys.exit(3)
e = shap.Explanation(values=values, base_values=f["base_values"][:], data=f["data"][:], feature_names=names)
check("shap sees another shape", e.shape == values.shape)
check("shap sees other values", np.array_equal(e[0].values, values[0]))
check("shap's mean differs", np.allclose(e.abs.mean(0).values, np.abs(values).mean(0)))
check("shap finds no column by name", np.array_equal(e[:, names[1]].values, values[:, 1]))
check("base values", np.shape(e.base_values) == ((rows,) if values.ndim == 2 else (rows, values.shape[2])))
