#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a job leaves: files, rights, shapes, and that they agree with each other."""
import stat

from harness import *

SHAP = packages("shap", "numpy", "h5py")
H5PY = packages("numpy", "h5py")


def need_h5py():
    if not H5PY:
        raise Skip("no h5py (container/deps.sh test installs python3-h5py)")
    return H5PY


def attributions(job, channel=""):
    _, h5py = need_h5py()
    return h5py.File(job.path("output/data", f"attributions{channel}.h5"), "r")


def three_classes(n=300):
    rng = random.Random(SEED)
    return "".join(f"{i % 3},{i % 3 + rng.gauss(0, .7):.4f},{rng.gauss(0, 1):.4f}\n" for i in range(n))


@claim
def files_and_folders_of_the_model_are_readable_by_all_and_the_rest_is_not():
    job = small_job().expect(0)
    for folder, _, files in os.walk(job.path("model")):
        check(stat.S_IMODE(os.stat(folder).st_mode) == 0o755, "%s: %o", folder, os.stat(folder).st_mode)
        for name in files:
            mode = stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode)
            check(mode == 0o644, "%s: %o", name, mode)
    for folder, _, files in os.walk(job.path("output/data")):
        for name in files:
            mode = stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode)
            check(mode & 0o077 == 0, "%s: %o", name, mode)


@claim
def outputs_take_the_owner_of_their_folder():
    if os.geteuid() != 0:
        raise Skip("needs root, to give folders to another user")
    job = small_job()
    for folder in ("model", "output"):
        os.makedirs(job.path(folder))
        os.chown(job.path(folder), 1234, 2345)
    job.expect(0)
    for path in list(job.outputs()) + ["model/boostlens", "output/data"]:
        owner = os.stat(job.path(path))
        check((owner.st_uid, owner.st_gid) == (1234, 2345), "%s: %d:%d", path, owner.st_uid, owner.st_gid)


@claim
def nothing_but_the_named_files_is_left():
    job = small_job(bl_explain="both").expect(0)
    check(set(job.outputs()) == {"model/xgboost-model", "model/boostlens/boostlens.json", "output/data/metrics.json",
                                 "output/data/importance.csv", "output/data/attributions.h5",
                                 "output/data/attributions-validation.h5", "output/data/aggregates.json",
                                 "output/data/aggregates-validation.json"}, "%s", sorted(job.outputs()))


@claim
def only_xgboost_model_lies_beside_the_folder():
    # A hosting image takes every file there for a model.
    job = small_job().expect(0)
    check(sorted(os.listdir(job.path("model"))) == ["boostlens", "xgboost-model"], "%s", os.listdir(job.path("model")))


@claim
def bl_explain_chooses_what_is_explained():
    for value, files in (("none", set()), ("train", {"attributions.h5"}), ("validation", {"attributions-validation.h5"}),
                         ("both", {"attributions.h5", "attributions-validation.h5"})):
        job = small_job(bl_explain=value).expect(0)
        found = {name for name in os.listdir(job.path("output/data")) if name.endswith(".h5")}
        check(found == files, "%s: %s", value, found)
        check(job.exists("output/data/importance.csv"), "%s: no importance.csv", value)


@claim
def attributions_have_the_shapes_that_shap_expects():
    numpy, _ = need_h5py()
    job = small_job().expect(0)
    with attributions(job) as file:
        check(file["values"].shape == (200, 3) and file["values"].dtype == numpy.float32, "%s", file["values"])
        check(file["base_values"].shape == (200,), "%s", file["base_values"])
        check(file["data"].shape == (200, 3), "%s", file["data"])
        check(file["margins"].shape == (200,) and file["predictions"].shape == (200,), "margins, predictions")
        check(list(file["feature_names"].asstr()[:]) == ["f0", "f1", "f2"], "%s", file["feature_names"][:])
        check(list(file["row"][:]) == list(range(200)), "row")
        labels = [int(line[0]) for line in small().splitlines()]
        check(list(file["labels"][:].reshape(-1)) == labels, "labels")
    many = small_job(data=three_classes(), validation=False, objective="multi:softprob", num_class="3").expect(0)
    with attributions(many) as file:
        check(file["values"].shape == (300, 2, 3), "%s", file["values"])
        check(file["base_values"].shape == (300, 3), "%s", file["base_values"])
        check(file["margins"].shape == (300, 3), "%s", file["margins"])


@claim
def every_row_sums_to_its_margin():
    numpy, _ = need_h5py()
    for job in (demo_job(), small_job(data=three_classes(), validation=False, objective="multi:softprob", num_class="3"),
                small_job(booster="dart", rate_drop="0.3"), small_job(booster="gblinear", max_depth=None),
                small_job(objective="count:poisson"), small_job(base_score="0.3"), small_job(num_parallel_tree="3", subsample="0.5")):
        job.expect(0)
        with attributions(job) as file:
            sums = file["values"][:].astype("f8").sum(1) + file["base_values"][:]
            margins = file["margins"][:].astype("f8")
            worst = numpy.abs(sums - margins).max() / max(numpy.abs(margins).max(), 1e-30)
            # XGBoost's float32 margin is itself up to 2e-6 away from the exact sum of its leaves.
            check(worst < 5e-6, "%s: worst %g of the largest margin", job.hyperparameters, worst)


@claim
def predictions_are_the_margins_seen_through_the_objective():
    numpy, _ = need_h5py()
    with attributions(demo_job().expect(0)) as file:
        want = 1 / (1 + numpy.exp(-file["margins"][:].astype("f8")))
        check(numpy.abs(file["predictions"][:] - want).max() < 1e-6, "logistic")
    with attributions(small_job(data=three_classes(), validation=False, objective="multi:softprob",
                                num_class="3").expect(0)) as file:
        margins = file["margins"][:].astype("f8")
        want = numpy.exp(margins) / numpy.exp(margins).sum(1, keepdims=True)
        check(numpy.abs(file["predictions"][:] - want).max() < 1e-6, "softmax")


@claim
def importance_is_the_mean_of_what_attributions_hold():
    numpy, _ = need_h5py()
    job = demo_job().expect(0)
    with attributions(job) as file:
        values = file["values"][:].astype("f8")
        names = list(file["feature_names"].asstr()[:])
    listed = [row for row in job.importance() if row["view"] == "source"]
    check(len(listed) == len(names), "%d rows", len(listed))
    order = [float(row["mean_abs_shap"]) for row in listed]
    check(order == sorted(order, reverse=True), "not sorted")
    for row in listed:
        column = values[:, names.index(row["feature"])]
        for key, want in (("mean_abs_shap", numpy.abs(column).mean()), ("mean_shap", column.mean())):
            check(abs(float(row[key]) - want) <= 1e-6 * max(1, abs(want)), "%s %s: %s, %g", row["feature"], key, row[key], want)
    check(listed[0]["feature"] == "PAY_0", "first is %s", listed[0]["feature"])


@claim
def missing_cells_are_nan_in_data():
    numpy, _ = need_h5py()
    with attributions(demo_job(num_round="2").expect(0)) as file:
        missing = int(numpy.isnan(file["data"][:]).sum())
    with open(CREDIT_TRAIN, encoding="utf-8") as body:
        empty = sum(line.rstrip("\n").split(",").count("") for line in body)
    check(missing == empty and empty > 0, "%d missing, %d empty cells", missing, empty)


@claim
def bl_explain_rows_draws_rows_by_seed_in_file_order():
    numpy, _ = need_h5py()
    drawn = []
    for seed in ("1", "1", "2"):
        with attributions(demo_job(num_round="3", bl_explain_rows="100", seed=seed).expect(0)) as file:
            drawn.append(list(file["row"][:]))
            check(file["values"].shape[0] == 100, "%s", file["values"])
    check(drawn[0] == drawn[1] and drawn[0] != drawn[2], "not by seed")
    check(drawn[0] == sorted(set(drawn[0])) and drawn[0][-1] < 6000, "%s", drawn[0])


@claim
def without_data_and_uncompressed_the_values_are_the_same():
    numpy, _ = need_h5py()
    with attributions(demo_job(num_round="3").expect(0)) as whole:
        for settings in ({"bl_explain_data": "no"}, {"bl_compress": "none"}):
            with attributions(demo_job(num_round="3", **settings).expect(0)) as file:
                check(numpy.array_equal(file["values"][:], whole["values"][:]), "%s", settings)
                if "bl_explain_data" in settings:
                    check("data" not in file and "labels" not in file, "data is there")


@claim
def the_log_says_that_attributions_hold_data_and_prints_the_additivity_error():
    job = demo_job(num_round="3").expect(0)
    contains(job.stderr, "additivity")
    check("feature values" in job.stderr or "bl_explain_data" in job.stderr, "nothing about feature values")


@claim
def attributions_feed_shap():
    numpy, _ = need_h5py()
    if not SHAP:
        raise Skip("no shap (container/deps.sh peers)")
    with attributions(demo_job(num_round="3").expect(0)) as file:
        explanation = SHAP[0].Explanation(values=file["values"][:], base_values=file["base_values"][:], data=file["data"][:],
                                          feature_names=list(file["feature_names"].asstr()[:]))
    check(explanation.shape == (6000, 23), "%s", explanation.shape)
    check(explanation.abs.mean(0).values.argmax() == 5, "PAY_0 is not first")


@claim
def metrics_json_holds_what_fits_the_task():
    metrics = demo_job().expect(0).metrics()
    for name in ("rows", "auc", "logloss", "error", "accuracy", "precision", "recall", "f1", "confusion_matrix", "ks", "gini",
                 "calibration"):
        check(name in metrics, "no %s", name)
    check(metrics["rows"] == 1500 and abs(metrics["gini"] - (2 * metrics["auc"] - 1)) < 1e-12, "%s", metrics["gini"])
    check(sum(sum(row) for row in metrics["confusion_matrix"]) == 1500, "%s", metrics["confusion_matrix"])
    check(0.74 < metrics["auc"] < 0.80, "auc %s", metrics["auc"])
    regression = small_job(objective="reg:squarederror").expect(0).metrics()
    for name in ("rmse", "mae", "r2"):
        check(name in regression, "no %s", name)
    classes = small_job(data=three_classes(), validation=False, objective="multi:softprob", num_class="3").expect(0)
    for name in ("mlogloss", "merror", "accuracy", "per_class", "confusion_matrix"):
        check(name in classes.metrics("train"), "no %s", name)


@claim
def early_stopping_keeps_the_best_round_and_says_which():
    job = demo_job(num_round="200", early_stopping_rounds="5", eval_metric="logloss", eta="0.5", gamma="0").expect(0)
    lines = [float(line.rsplit(":", 1)[1]) for line in job.stdout.splitlines()]
    best = min(range(len(lines)), key=lines.__getitem__)
    check(len(lines) == best + 6, "%d rounds, best %d", len(lines), best)
    found = job.json("output/data/metrics.json")["best_iteration"]
    check(found == best, "best_iteration %s, best by the lines %d", found, best)


@claim
def the_test_channel_is_scored_at_the_end_only():
    job = small_job().channel("test", ("t.csv", small(seed=9))).expect(0)
    check("test-" not in job.stdout, "test is in the metric lines")
    check(job.metrics("test")["rows"] == 200, "%s", job.metrics("test"))


@claim
def training_goes_on_from_a_model_channel():
    import tarfile
    whole = small_job(num_round="8").expect(0)
    first = small_job(num_round="5").expect(0)
    for form in ("bare", "tar"):
        more = small_job(num_round="3")
        if form == "bare":
            more.channel("model", first.path("model/xgboost-model"), content_type=None)
        else:
            with tarfile.open(os.path.join(scratch, "model.tar.gz"), "w:gz") as archive:
                archive.add(first.path("model/xgboost-model"), "xgboost-model")
            more.channel("model", os.path.join(scratch, "model.tar.gz"), content_type="application/x-sagemaker-model")
        more.expect(0)
        check(len(more.stdout.splitlines()) == 3, "%s: %d lines", form, len(more.stdout.splitlines()))
        check(abs(more.metrics()["logloss"] - whole.metrics()["logloss"]) < 1e-6, "%s: 5 + 3 rounds are not 8", form)
    other = small_job(data=small(n_features=4), validation=False)
    other.channel("model", first.path("model/xgboost-model"), content_type=None)
    other.expect(1)
    contains(other.failure, "3", "4")


@claim
def boostlens_json_says_names_parameters_versions_and_digests():
    job = demo_job().expect(0)
    known = job.json("model/boostlens/boostlens.json")
    said = json.dumps(known)
    contains(said, "PAY_0", "max_depth", "hyperparameters.json", "3.4.1", hashlib.sha256(job.read("model/xgboost-model")).hexdigest(),
             hashlib.sha256(job.read("input/data/train/train.csv")).hexdigest())


raise SystemExit(main())
