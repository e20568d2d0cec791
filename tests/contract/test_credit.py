#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The main job on the real credit-default set, beside XGBoost's own Python package."""
from harness import *

PY = packages("numpy", "h5py", "xgboost", "pandas")
PARAMETERS = {"max_depth": 5, "eta": 0.2, "gamma": 4, "min_child_weight": 6, "objective": "binary:logistic",
              "tree_method": "hist", "base_score": 0.5, "nthread": 2}


def credit(**settings):
    job = Job(num_round="100", bl_feature_names=",".join(CREDIT_NAMES),
              **{**{key: str(value) for key, value in PARAMETERS.items()}, "subsample": "1", "eval_metric": "auc,logloss", **settings})
    job.channel("train", ("train.csv", unpacked(real("credit-default/train_data.csv.gz"))))
    return job.channel("validation", real("credit-default/test_data.csv"))


def peer():
    if not PY:
        raise Skip("no XGBoost 3.4.1 for Python (container/deps.sh peers)")
    numpy, h5py, xgboost, pandas = PY
    if xgboost.__version__ != "3.4.1":
        raise Skip(f"XGBoost {xgboost.__version__}, not 3.4.1")
    return PY


def frame(pandas, path):
    table = pandas.read_csv(path, header=None, dtype="float32").to_numpy()
    return table[:, 1:], table[:, 0]


@claim
def the_main_job_reaches_the_reference_figures():
    job = credit().expect(0)
    auc = job.metrics()["auc"]
    check(abs(auc - 0.78558) < 2e-3, "AUC %s, reference 0.785", auc)
    sources = [row for row in job.importance() if row["view"] == "source"]
    check(sources[0]["feature"] == "PAY_0", "first is %s", sources[0]["feature"])
    check(0.40 < float(sources[0]["mean_abs_shap"]) < 0.55, "PAY_0 %s", sources[0]["mean_abs_shap"])
    check(len(sources) == 23, "%d features", len(sources))
    print(f"# AUC {auc}, mean |SHAP| of PAY_0 {sources[0]['mean_abs_shap']}")


@claim
def predictions_are_bit_identical_to_xgboosts_python_package():
    numpy, h5py, xgboost, pandas = peer()
    x, y = frame(pandas, real("credit-default/train_data.csv.gz"))
    xv, _ = frame(pandas, real("credit-default/test_data.csv"))
    for settings in ({"subsample": 1}, {"subsample": 0.8, "seed": 7}, {"subsample": 0.8, "seed": 7, "colsample_bytree": 0.5}):
        job = credit(bl_explain="both", **{key: str(value) for key, value in settings.items()}).expect(0)
        booster = xgboost.train({**PARAMETERS, **settings}, xgboost.QuantileDMatrix(x, y, nthread=2), 100)
        for rows, channel in ((x, ""), (xv, "-validation")):
            matrix = xgboost.DMatrix(rows, nthread=2)
            with h5py.File(job.path(f"output/data/attributions{channel}.h5")) as file:
                for ours, theirs in ((file["margins"][:], booster.predict(matrix, output_margin=True)),
                                     (file["predictions"][:], booster.predict(matrix))):
                    other = int((ours.view("u4") != theirs.view("u4")).sum())
                    check(other == 0, "%s%s: %d of %d values differ", settings, channel, other, len(ours))


@claim
def a_native_multi_class_model_is_bit_identical_to_xgboosts_python_package():
    numpy, h5py, xgboost, pandas = peer()
    table = pandas.read_csv(real("covertype-93k/covertype_93k_num.csv.gz"), header=None, dtype="float32", nrows=20000).to_numpy()
    settings = {"objective": "multi:softprob", "num_class": 7, "max_depth": 6, "eta": 0.3, "tree_method": "hist", "nthread": 2}
    booster = xgboost.train(settings, xgboost.QuantileDMatrix(table[:, 1:], table[:, 0], nthread=2), 20)
    job = Job(num_round="20", bl_model_format="native", **{key: str(value) for key, value in settings.items()})
    body = gzip.open(real("covertype-93k/covertype_93k_num.csv.gz")).read().split(b"\n")[:20000]
    job.channel("train", ("a.csv", b"\n".join(body) + b"\n")).expect(0)
    theirs = booster.predict(xgboost.DMatrix(table[:, 1:], nthread=2), output_margin=True)
    with h5py.File(job.path("output/data/attributions.h5")) as file:
        other = int((file["margins"][:].view("u4") != theirs.view("u4")).sum())
        check(other == 0, "%d margins differ", other)
    check(bytes(job.read("model/xgboost-model")) == bytes(booster.save_raw("ubj")), "another model file")


@claim
def xgboosts_python_package_loads_the_model_and_predicts_the_same():
    numpy, h5py, xgboost, pandas = peer()
    job = credit().expect(0)
    booster = xgboost.Booster(model_file=job.path("model/xgboost-model"))
    check(booster.feature_names == CREDIT_NAMES, "%s", booster.feature_names)
    x, _ = frame(pandas, real("credit-default/train_data.csv.gz"))
    matrix = xgboost.DMatrix(x, feature_names=CREDIT_NAMES)
    with h5py.File(job.path("output/data/attributions.h5")) as file:
        theirs = booster.predict(matrix, output_margin=True)
        check((file["margins"][:].view("u4") == theirs.view("u4")).all(), "other margins")
        contribs = booster.predict(matrix, pred_contribs=True)
        worst = numpy.abs(file["values"][:] - contribs[:, :-1]).max() / numpy.abs(contribs).max()
        check(worst < 5e-6, "SHAP values %g away", worst)


raise SystemExit(main())
