#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""explain beyond SHAP values: interactions, backgrounds, spaces, strongest values, aggregates and groups; any
number of rows. Numbers are checked against the definitions, through the program's own predictions, and against
XGBoost and shap where a Python has them."""
import csv
import itertools
import math

from harness import *

PACKAGES = packages("numpy", "h5py")


def need_packages():
    if not PACKAGES:
        raise Skip("no h5py (container/deps.sh test installs python3-h5py)")
    return PACKAGES


def run(verb, model, data, *options, rc=0, output=None, **how):
    """Runs the verb; returns (output path, stderr)."""
    output = output or os.path.join(tempfile.mkdtemp(dir=scratch), "out")
    command = [BOOSTLENS, verb, "--model", model, "--data", *data, "--output", output, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=HANG, check=False, **how)
    check(done.returncode == rc, "exit %s, expected %s; stderr: %s", done.returncode, rc, done.stderr[-1500:])
    return output, done.stderr


def explain(model, data, *options, **how):
    return run("explain", model, data, *options, **how)[0]


def refused(model, data, *options, says, rc=1):
    output, stderr = run("explain", model, data, *options, rc=rc)
    contains(stderr, *says)
    left = os.listdir(output) if os.path.isdir(output) else []
    check(not left, "%s left %s", options, left)


def file(text, name="rows.csv"):
    path = os.path.join(tempfile.mkdtemp(dir=scratch), name)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    return path


def lines_of(path):
    with open(path, newline="", encoding="utf-8") as text:
        return list(csv.reader(text))


def aggregates(folder):
    with open(os.path.join(folder, "aggregates.json"), encoding="utf-8") as text:
        return json.load(text)


def features_of(folder, output=0):
    return {of["feature"]: of for of in aggregates(folder)["outputs"][output]["features"]}


@functools.lru_cache(None)
def credit():
    job = Job(num_round=20, objective="binary:logistic", max_depth=4)
    return job.channel("train", CREDIT_TRAIN).channel("validation", CREDIT_VALIDATION).expect(0)


NAMES = ("a", "b", "c", "d")


def rows_of(n, seed=SEED):
    rng = random.Random(seed)
    return [[rng.choice((0.0, 0.25, 0.5, 1.0)) if i else rng.random() for i in range(len(NAMES))] for _ in range(n)]


def label_of(row):
    a, b, c, d = row
    return (a > 0.5) + 2 * (b > 0.3) * (c > 0.3) - d


def table(rows, labels=None, groups=None):
    head = (["y"] if labels else []) + list(NAMES) + (["town"] if groups else [])
    body = [([repr(float(labels[i]))] if labels else []) + [repr(x) for x in row] + ([groups[i]] if groups else [])
            for i, row in enumerate(rows)]
    return "\n".join(",".join(line) for line in [head] + body) + "\n"


@functools.lru_cache(None)
def small_model(objective="reg:squarederror", **more):
    """Four features, depth 4: small enough for every coalition."""
    rows = rows_of(500)
    labels = [label_of(row) for row in rows]
    if objective == "binary:logistic":
        labels = [float(y > 0.5) for y in labels]
    elif objective == "multi:softprob":
        labels = [min(2, int(max(0, y + 0.5))) for y in labels]
    job = Job(num_round=12, objective=objective, max_depth=4, bl_label="y", **more)
    return job.channel("train", ("a.csv", table(rows, labels))).expect(0)


def margins(job, rows, kind="margin"):
    return [[float(cell) for cell in line] for line in
            lines_of(run("predict", job.path("model"), [file(table(rows))], "--type", kind)[0])]


def shapley(value, n):
    """{frozenset: number} of all coalitions -> values."""
    phi = []
    for i in range(n):
        rest = [j for j in range(n) if j != i]
        phi.append(sum(math.factorial(k) * math.factorial(n - k - 1) / math.factorial(n)
                       * (value[frozenset(s) | {i}] - value[frozenset(s)])
                       for k in range(n) for s in itertools.combinations(rest, k)))
    return phi


def background_values(job, row, background, link=lambda margin: margin):
    """By definition: features outside a coalition come from each background row in turn. In another space shap
    multiplies the values of each pair of rows by the quotient of differences."""
    n = len(NAMES)
    coalitions = [frozenset(s) for k in range(n + 1) for s in itertools.combinations(range(n), k)]
    mixed = [[row[i] if i in s else back[i] for i in range(n)] for back in background for s in coalitions]
    found = iter(margins(job, mixed))
    total = [0.0] * n
    for _ in background:
        value = {s: next(found)[0] for s in coalitions}
        whole, none = value[frozenset(range(n))], value[frozenset()]
        factor = (link(whole) - link(none)) / (whole - none) if whole != none else 0.0
        for i, phi in enumerate(shapley(value, n)):
            total[i] += factor * phi / len(background)
    return total


def sigmoid(margin):
    return 1 / (1 + math.exp(-margin))


@claim
def background_values_are_those_of_the_definition_in_each_space():
    numpy, h5py = need_packages()
    job = small_model("binary:logistic")
    background, rows = rows_of(7, SEED + 1), rows_of(5, SEED + 2)
    labels = [0.0, 1.0, 1.0, 0.0, 0.25]
    data, back = file(table(rows, labels)), file(table(background))
    for space, link in (("margin", None), ("probability", sigmoid), ("logloss", None)):
        folder = explain(job.path("model"), [data], "--background", back, "--space", space)
        with h5py.File(os.path.join(folder, "attributions.h5")) as got:
            check(got.attrs["space"] == space and got.attrs["background_rows"] == 7, "%s", dict(got.attrs))
            values, base = got["values"][:], got["base_values"][:]
        for i, row in enumerate(rows):
            y = labels[i]
            use = {"margin": lambda m: m, "probability": sigmoid,
                   "logloss": lambda m, y=y: math.log1p(math.exp(m)) - y * m}[space]
            want = background_values(job, row, background, use)
            mean = sum(use(m[0]) for m in margins(job, background)) / len(background)
            check(abs(base[i] - mean) < 1e-5, "%s, row %d: base %s, not %s", space, i, base[i], mean)
            check(numpy.allclose(values[i], want, atol=1e-5), "%s, row %d: %s, not %s", space, i, values[i], want)


@claim
def interactions_add_up_by_rows_and_agree_with_their_strengths():
    numpy, h5py = need_packages()
    for objective, outputs in (("reg:squarederror", 1), ("multi:softprob", 3)):
        more = {"num_class": 3} if outputs > 1 else {}
        job = small_model(objective, **more)
        rows = rows_of(700, SEED + 3)
        folder, stderr = run("explain", job.path("model"), [file(table(rows))], "--interactions")
        contains(stderr, "interactions: whole matrices of 700 rows; worst additivity error")
        with h5py.File(os.path.join(folder, "attributions.h5")) as got:
            matrix, values = got["interaction_values"][:], got["values"][:]
        check(matrix.shape == (700, 4, 4) + ((3,) if outputs > 1 else ()), "%s", matrix.shape)
        check(numpy.array_equal(matrix, matrix.swapaxes(1, 2)), "not symmetric")
        check(numpy.abs(matrix.sum(axis=2) - values).max() < 2e-6, "%s", numpy.abs(matrix.sum(axis=2) - values).max())
        with open(os.path.join(folder, "interactions.csv"), encoding="utf-8") as text:
            found = list(csv.DictReader(text))
        check(len({(line["output"], line["first"], line["second"]) for line in found}) == len(found), "twice")
        for line in found:
            i, j = NAMES.index(line["first"]), NAMES.index(line["second"])
            cell = matrix[:, i, j] if outputs == 1 else matrix[:, i, j, int(line["output"])]
            check(abs(numpy.abs(cell.astype(float)).mean() - float(line["mean_abs_interaction"])) < 1e-7, "%s", line)
            if i != j:
                check(abs(cell.astype(float).mean() - float(line["mean_interaction"])) < 1e-7, "%s", line)


@claim
def interactions_are_xgboosts():
    numpy, h5py = need_packages()
    try:
        import xgboost
    except ImportError:
        raise Skip("no xgboost package (BOOSTLENS_PYTHON names a Python that has it)") from None
    if xgboost.__version__ != "3.4.1":
        raise Skip(f"xgboost {xgboost.__version__}, not 3.4.1")
    job = credit()
    folder = explain(job.path("model"), [CREDIT_VALIDATION], "--interactions")
    with h5py.File(os.path.join(folder, "attributions.h5")) as got:
        matrix, x = got["interaction_values"][:], got["data"][:]
        names = list(got["feature_names"].asstr()[:])
    booster = xgboost.Booster(model_file=job.path("model/xgboost-model"))
    want = booster.predict(xgboost.DMatrix(x, feature_names=names), pred_interactions=True)[:, :-1, :-1]
    check(numpy.abs(matrix - want).max() < 1e-5 * numpy.abs(want).max(), "%s", numpy.abs(matrix - want).max())


@claim
def background_values_are_shaps():
    numpy, h5py = need_packages()
    try:
        import shap
        import xgboost
    except ImportError:
        raise Skip("no shap or xgboost package (BOOSTLENS_PYTHON names a Python that has them)") from None
    job = credit()
    few = file("".join(open(CREDIT_VALIDATION, encoding="utf-8").readlines()[:301]))
    folder = explain(job.path("model"), [few], "--background", few, "--space", "probability")
    with h5py.File(os.path.join(folder, "attributions.h5")) as got:
        values, x = got["values"][:], got["data"][:]
        names = list(got["feature_names"].asstr()[:])
    booster = xgboost.Booster(model_file=job.path("model/xgboost-model"))
    booster.feature_names = None
    masker = shap.maskers.Independent(x.astype(float), max_samples=len(x))
    explainer = shap.TreeExplainer(booster, masker, model_output="probability",
                                   feature_perturbation="interventional")
    want = explainer.shap_values(x[:50].astype(float), check_additivity=False)
    check(names and numpy.abs(values[:50] - want).max() < 1e-5, "%s", numpy.abs(values[:50] - want).max())


@claim
def the_strongest_values_are_those_of_all():
    numpy, h5py = need_packages()
    for objective, outputs in (("reg:squarederror", 1), ("multi:softprob", 3)):
        job = small_model(objective, **({"num_class": 3} if outputs > 1 else {}))
        data = file(table(rows_of(300, SEED + 4)))
        all_of = explain(job.path("model"), [data], "--interactions")
        top_of = explain(job.path("model"), [data], "--top", "3", "--interactions")
        with h5py.File(os.path.join(all_of, "attributions.h5")) as got:
            values, matrix = got["values"][:], got["interaction_values"][:]
        with h5py.File(os.path.join(top_of, "attributions.h5")) as got:
            check("values" not in got and "data" not in got, "%s", list(got))
            top, which, rest = got["top_values"][:], got["top_features"][:], got["rest_values"][:]
            pairs, pair_values = got["interaction_top_features"][:], got["interaction_top_values"][:]
            check(which.dtype == numpy.int32 and pairs.dtype == numpy.int32, "types")
        if outputs == 1:
            values, matrix, top, which = values[..., None], matrix[..., None], top[..., None], which[..., None]
            rest, pairs, pair_values = rest[..., None], pairs[..., None], pair_values[..., None]
        check(top.shape == (300, 3, outputs) and pairs.shape == (300, 3, 2, outputs), "%s %s", top.shape, pairs.shape)
        for k in range(outputs):
            order = numpy.sort(-numpy.abs(values[:, :, k]), axis=1)[:, :3]
            check(numpy.array_equal(-order, numpy.abs(top[:, :, k])), "not the strongest")
            used = which[:, :, k] >= 0
            found = numpy.take_along_axis(values[:, :, k], numpy.maximum(which[:, :, k], 0), axis=1)
            check(numpy.array_equal(found[used], top[:, :, k][used]) and not top[:, :, k][~used].any(), "features")
            left = values[:, :, k].astype(float).sum(axis=1) - top[:, :, k].astype(float).sum(axis=1)
            check(numpy.abs(left - rest[:, k]).max() < 1e-6, "rest")
            i, j = pairs[:, 0, 0, k], pairs[:, 0, 1, k]
            cells = matrix[numpy.arange(300), i, j, k]
            check(numpy.array_equal(cells, pair_values[:, 0, k]), "pairs")
            upper = numpy.abs(matrix[:, :, :, k])[:, *numpy.triu_indices(4, 1)].max(axis=1)
            check(numpy.array_equal(upper, numpy.abs(cells)), "not the strongest pair")


@claim
def aggregates_are_those_of_the_values():
    numpy, h5py = need_packages()
    job = credit()
    folder = explain(job.path("model"), [CREDIT_TRAIN], "--facet", "SEX")
    with h5py.File(os.path.join(folder, "attributions.h5")) as got:
        values, x = got["values"][:].astype(float), got["data"][:]
        names = list(got["feature_names"].asstr()[:])
    all_of, found = aggregates(folder), features_of(folder)
    bound = all_of["quantile_error"]
    check(all_of["rows"] == len(values) and bound["of_the_value"] <= 1 / 128, "%s", bound)
    for f, name in enumerate(names):
        of, column = found[name], numpy.sort(values[:, f])
        check(abs(of["mean"] - column.mean()) < 1e-9 and abs(of["mean_abs"] - abs(column).mean()) < 1e-9, "%s", name)
        check(of["min"] == column[0] and of["max"] == column[-1], "%s: range", name)
        if not column.any():
            continue
        for share, got in of["quantiles"].items():
            want = column[max(0, math.ceil(float(share) * len(column) - 1e-9) - 1)]
            allowed = max(bound["of_the_value"] * abs(want), bound["of_the_largest"] * abs(column).max())
            check(abs(got - want) <= allowed, "%s at %s: %s, not %s", name, share, got, want)
        edges, counts = of["histogram"]["edges"], of["histogram"]["counts"]
        check(sum(counts) == len(column) and edges == sorted(edges) and len(edges) == len(counts) + 1, "%s", name)
        check(edges[0] == column[0] and edges[-1] == column[-1], "%s: edges", name)
        for i, count in enumerate(counts):  # a value on an edge counts on the side away from 0
            inside = (column > edges[i]) & (column < edges[i + 1])
            on = numpy.isin(column, edges[i:i + 2])
            check(inside.sum() <= count <= inside.sum() + on.sum(), "%s, bin %d", name, i)
    sex = x[:, names.index("SEX")]
    groups = all_of["facet"]["groups"]
    check(all_of["facet"]["column"] == "SEX" and [g["value"] for g in groups] == ["1", "2"], "%s", groups)
    for group in groups:
        part = values[sex == float(group["value"])]
        check(group["rows"] == len(part), "%s", group["rows"])
        check(numpy.allclose(group["mean"][0], part.mean(axis=0), atol=1e-9), "means of a group")
        check(numpy.allclose(group["mean_abs"][0], abs(part).mean(axis=0), atol=1e-9), "means of a group")


@claim
def a_job_leaves_the_aggregates_that_explain_gives():
    job = credit()
    folder = explain(job.path("model"), [CREDIT_TRAIN], "--aggregate-only")
    check(sorted(os.listdir(folder)) == ["aggregates.json", "importance.csv", "metrics.json"], "%s", os.listdir(folder))
    for name in ("aggregates.json", "importance.csv"):
        with open(os.path.join(folder, name), "rb") as text:
            check(text.read() == job.read("output/data", name), "%s differs", name)
    with open(os.path.join(folder, "metrics.json"), encoding="utf-8") as text:
        check(json.load(text)["final"]["data"] == job.metrics("train"), "metrics differ")


@claim
def groups_come_from_features_labels_and_other_columns():
    rows = rows_of(60, SEED + 5)
    labels = [float(i % 3) for i in range(60)]
    towns = ["Ulm" if i % 4 else "" for i in range(60)]
    job = small_model()
    data = file(table(rows, labels, towns))
    for facet, want in (("town", ["", "Ulm"]), ("5", ["", "Ulm"]), ("label", ["0", "1", "2"]), ("y", ["0", "1", "2"]),
                        ("b", ["0", "0.25", "0.5", "1"])):
        found = aggregates(explain(job.path("model"), [data], "--aggregate-only", "--facet", facet))["facet"]
        check([group["value"] for group in found["groups"]] == want, "%s: %s", facet, found["groups"])
        check(sum(group["rows"] for group in found["groups"]) == 60, "%s", facet)
    refused(job.path("model"), [data], "--facet", "village", says=["--facet village", "has not"])
    refused(job.path("model"), [data], "--facet", "2", says=["--facet 2", "'b', a feature"])
    refused(job.path("model"), [file(table(rows))], "--facet", "label", says=["--facet label", "no label"])
    many = file(table(rows_of(1500), None, [f"t{i}" for i in range(1500)]))
    refused(job.path("model"), [many], "--facet", "town", says=["--facet town", "more than 1000 different values"])


@claim
def categories_name_their_groups():
    rng = random.Random(SEED)
    text = "y,colour,x\n" + "".join(f"{rng.random() + (c == 'red'):.3f},{c},{rng.random():.3f}\n"
                                    for c in rng.choices(("red", "green"), k=200))
    job = Job(num_round=5, objective="reg:squarederror", enable_categorical="true", bl_label="y")
    job.channel("train", ("a.csv", text)).expect(0)
    folder = explain(job.path("model"), [file(text)], "--facet", "colour", "--interactions")
    check([group["value"] for group in aggregates(folder)["facet"]["groups"]] == ["green", "red"], "groups")


@claim
def what_does_not_go_together_is_refused_with_a_sentence():
    job, data = credit(), [CREDIT_VALIDATION]
    model = job.path("model")
    regression = small_model().path("model")
    rows = file(table(rows_of(5), [0.5] * 5))
    refused(model, data, "--space", "probability", says=["against a background only", "--background FILE"])
    refused(model, data, "--interactions", "--background", data[0], says=["--interactions are path-dependent"])
    refused(model, data, "--top", "3", "--aggregate-only", says=["give one of them"])
    refused(regression, [rows], "--background", rows, "--space", "probability", says=["no logistic link"])
    unlabelled = file(table(rows_of(5)))
    logistic = small_model("binary:logistic").path("model")
    refused(logistic, [unlabelled], "--background", rows, "--space", "logloss", says=["needs one label"])
    refused(logistic, [file(table(rows_of(5), [0, 1, 2, 0, 1]))], "--background", rows, "--space", "logloss",
            says=["label 2 of row 2"])
    refused(model, data, "--background", "/nowhere.csv", says=["--background /nowhere.csv"], rc=74)
    refused(model, data, "--background", file("x,y\n1,2\n"), says=["--background", "lacks column"])
    for words, says in ((["--space", "odds"], "--space takes"), (["--top", "0"], "--top takes"), (["--top"], "--top"),
                        (["--background"], "--background"), (["--aggregates"], "unknown option")):
        refused(model, data, *words, says=[says], rc=64)
    for words in (["--interactions"], ["--aggregate-only"], ["--top", "3"], ["--facet", "SEX"], ["--space", "margin"]):
        _, stderr = run("predict", model, data, *words, rc=64)
        contains(stderr, words[0])


@claim
def trees_and_options_go_with_every_kind_of_values():
    numpy, h5py = need_packages()
    job = credit()
    for options in ([], ["--interactions"], ["--background", CREDIT_VALIDATION], ["--top", "2"]):
        found = []
        for trees in (["--trees", "0:5"], ["--trees", "5:20"], ["--trees", "0:20"]):
            folder = explain(job.path("model"), [CREDIT_VALIDATION], *options, *trees)
            with h5py.File(os.path.join(folder, "attributions.h5")) as got:
                name = "top_values" if "--top" in options else "values"
                found.append((got[name][:].astype(float), got["margins"][:].astype(float)))
        if "--top" not in options:
            check(numpy.abs(found[0][0] + found[1][0] - found[2][0]).max() < 1e-5, "%s: not a sum of trees", options)


@claim
def every_kind_of_model_adds_up_in_every_mode():
    numpy, h5py = need_packages()
    rows = rows_of(400, SEED + 7)
    y = [label_of(row) for row in rows]
    kinds = {
        "gblinear": (dict(booster="gblinear", objective="reg:squarederror"), y),
        "dart": (dict(booster="dart", objective="reg:squarederror", rate_drop=0.5), y),
        "forest": (dict(objective="reg:squarederror", num_parallel_tree=3, subsample=0.5), y),
        "classes": (dict(objective="multi:softmax", num_class=3), [min(2, int(max(0, v + 0.5))) for v in y]),
        "quantiles": (dict(objective="reg:quantileerror", quantile_alpha="[0.1, 0.9]"), y),
        "survival": (dict(objective="survival:cox"), [math.exp(v) for v in y]),
        "logitraw": (dict(objective="binary:logitraw"), [float(v > 0.5) for v in y]),
        "one leaf": (dict(objective="reg:squarederror", gamma=1e9), y),
    }
    for kind, (settings, labels) in kinds.items():
        job = Job(num_round=4, max_depth=3, bl_label="y", bl_explain="none", **settings)
        model = job.channel("train", ("a.csv", table(rows, labels))).expect(0).path("model")
        data = file(table(rows[:100], labels[:100]))
        for options in ([], ["--interactions"], ["--background", data], ["--top", "2"], ["--top", "2", "--interactions"]):
            folder, stderr = run("explain", model, [data], "--facet", "b", *options)
            contains(stderr, "worst additivity error")
            with h5py.File(os.path.join(folder, "attributions.h5")) as got:
                values = got["top_values" if "--top" in options else "values"][:].astype(float)
                total = values.sum(axis=1) + got["base_values"][:] + (got["rest_values"][:] if "--top" in options else 0)
                margins_of = got["margins"][:]
                if "interaction_values" in got:
                    whole = got["interaction_values"][:].astype(float).sum(axis=(1, 2)) + got["base_values"][:]
                    check(numpy.allclose(whole, margins_of, atol=2e-6), "%s: interactions", kind)
            check(numpy.allclose(total, margins_of, atol=2e-6), "%s %s: %s", kind, options, abs(total - margins_of).max())
            check(aggregates(folder)["additivity"]["worst_error"] < 2e-6, "%s %s", kind, options)
            with open(os.path.join(folder, "metrics.json"), encoding="utf-8") as text:
                check(json.load(text)["final"]["data"], "%s: no metrics", kind)
        run("explain", model, [data], "--aggregate-only", "--interactions", "--facet", "label")


@claim
def many_targets_and_ranking_groups_add_up_too():
    numpy, h5py = need_packages()
    rows = rows_of(300, SEED + 8)
    y = [label_of(row) for row in rows]
    text = "y,z,a,b,c,d\n" + "".join(",".join(map(repr, [v, -v * v, *row])) + "\n" for v, row in zip(y, rows))
    for strategy in ("one_output_per_tree", "multi_output_tree"):
        job = Job(num_round=4, max_depth=3, objective="reg:squarederror", bl_label="y,z", multi_strategy=strategy)
        model = job.channel("train", ("a.csv", text)).expect(0).path("model")
        for options in ([], ["--interactions"], ["--background", file(text)]):
            folder = explain(model, [file(text)], *options)
            with h5py.File(os.path.join(folder, "attributions.h5")) as got:
                total = got["values"][:].astype(float).sum(axis=1) + got["base_values"][:]
                check(numpy.allclose(total, got["margins"][:], atol=2e-6), "%s %s", strategy, options)
    grouped = "y,g,a,b,c,d\n" + "".join(f"{int(v > 0.5)},q{i // 10}," + ",".join(map(repr, row)) + "\n"
                                        for i, (v, row) in enumerate(zip(y, rows)))
    job = Job(num_round=4, max_depth=3, objective="rank:ndcg", bl_label="y", bl_group="g")
    job.channel("train", ("a.csv", grouped)).expect(0)
    folder = explain(job.path("model"), [file(grouped)], "--aggregate-only")
    with open(os.path.join(folder, "metrics.json"), encoding="utf-8") as text_of:
        check(json.load(text_of)["final"]["data"] == job.metrics("train"), "ranking metrics differ")


@claim
def base_margins_go_with_interactions_and_not_with_a_background():
    numpy, h5py = need_packages()
    rows = rows_of(300, SEED + 9)
    text = "y,m,a,b,c,d\n" + "".join(",".join(map(repr, [label_of(row), row[0] * 3 - 1, *row])) + "\n" for row in rows)
    job = Job(num_round=4, max_depth=3, objective="reg:squarederror", bl_label="y", bl_base_margin="m")
    job.channel("train", ("a.csv", text)).expect(0)
    data = file(text)
    folder = explain(job.path("model"), [data], "--interactions")
    with h5py.File(os.path.join(folder, "attributions.h5")) as got:
        base, margins_of = got["base_values"][:], got["margins"][:]
        check(numpy.ptp(base) > 1, "base values do not follow the base margins")
        whole = got["interaction_values"][:].astype(float).sum(axis=(1, 2)) + base
        check(numpy.allclose(whole, margins_of, atol=2e-6), "interactions")
    check(aggregates(folder)["additivity"]["worst_error"] < 2e-6, "additivity")
    refused(job.path("model"), [data], "--background", data, says=["base margins", "--background"])


@claim
def a_stopped_explanation_leaves_nothing_half_written():
    job = small_model()
    output = os.path.join(tempfile.mkdtemp(dir=scratch), "out")
    for verb in ("explain", "predict"):
        command = [BOOSTLENS, verb, "--model", job.path("model"), "--data", "/dev/stdin", "--output", output]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdin.write((",".join(NAMES) + "\n").encode() + b"0.5,0.5,0.5,0.5\n" * 2000000)
        process.stdin.flush()
        process.send_signal(TERM)
        try:
            process.stdin.write(b"0.5,0.5,0.5,0.5\n" * 200000)
            process.stdin.close()
        except BrokenPipeError:
            pass
        process.stdin = None
        stderr = process.communicate(timeout=HANG)[1].decode()
        check(process.returncode == 143, "%s: exit %s: %s", verb, process.returncode, stderr[-500:])
        check(not os.path.exists(output) or not os.listdir(output), "%s left %s", verb, os.path.exists(output))
        shutil.rmtree(output, ignore_errors=True)


@claim
def interactions_that_do_not_fit_the_disk_are_refused_before_work():
    # Some thousand features: their matrices of a few hundred thousand rows need more than any disk here has.
    wide, n = 3000, 2000000
    rng = random.Random(SEED)
    text = "".join(",".join([str(rng.randrange(2))] + [str(rng.randrange(3))] * wide) + "\n" for _ in range(20))
    job = Job(num_round=2, objective="binary:logistic", max_depth=2, min_child_weight=0, bl_explain="none")
    job.channel("train", ("a.csv", text)).expect(0)
    line = ",".join(["1"] * wide) + "\n"
    path = file("")
    with open(path, "w", encoding="utf-8") as out:
        out.write(line * 6000)
        out.truncate(n * len(line))  # a hole: the estimate goes by bytes
    refused(job.path("model"), [path], "--interactions", says=["attributions.h5 may need", "--top K", "--aggregate-only"])


@claim
def files_of_many_parts_hold_what_one_part_would():
    """A part is 32 MB of values: rows of few features come in several, here through a pipe as well."""
    numpy, h5py = need_packages()
    job = small_model()
    n = 1800000
    head, lines = "y,a,b,c,d,town\n", []
    rows = rows_of(1000, SEED + 6)
    for i, row in enumerate(rows):
        lines.append(",".join([repr(float(i % 2))] + [repr(x) for x in row] + [f"t{i % 3}"]) + "\n")
    path = file("")
    with open(path, "w", encoding="utf-8") as out:
        out.write(head)
        for _ in range(n // 1000):
            out.writelines(lines)
    folder = explain(job.path("model"), [path], "--id", "town", "--facet", "town", "--compress", "none")
    once = explain(job.path("model"), [file(head + "".join(lines))], "--id", "town", "--compress", "none")
    with h5py.File(os.path.join(folder, "attributions.h5")) as got, \
            h5py.File(os.path.join(once, "attributions.h5")) as want:
        check(got["values"].shape == (n, 4) and got["row"][n - 1] == n - 1, "%s", got["values"].shape)
        for name in ("values", "margins", "predictions", "labels", "data", "base_values"):
            check(numpy.array_equal(got[name][-1000:], want[name][:]), "%s differs", name)
        check(numpy.array_equal(got["id/town"][-1000:], want["id/town"][:]), "ids differ")
    of = features_of(folder)
    for name, want in features_of(once).items():
        check(abs(of[name]["mean_abs"] - want["mean_abs"]) < 1e-9 * abs(want["mean_abs"]), "%s", name)
        check(of[name].get("quantiles") == want.get("quantiles"), "%s: quantiles", name)
    read, write = os.pipe()
    with open(path, "rb") as text, os.fdopen(write, "wb") as into:
        command = [BOOSTLENS, "explain", "--model", job.path("model"), "--data", "-", "--output",
                   os.path.join(scratch, "piped"), "--facet", "town", "--aggregate-only"]
        process = subprocess.Popen(command, stdin=read, stderr=subprocess.PIPE)
        os.close(read)
        shutil.copyfileobj(text, into)
    stderr = process.communicate(timeout=HANG)[1]
    check(process.returncode == 0, "%s", stderr)
    with open(os.path.join(scratch, "piped/aggregates.json"), encoding="utf-8") as text:
        check(json.load(text) == aggregates(folder), "the pipe gives other aggregates")


@claim
def aggregates_are_the_same_bytes_for_every_number_of_threads():
    job = credit()
    found = set()
    for threads in ("1", "2", "3", "7"):
        folder = explain(job.path("model"), [CREDIT_TRAIN], "--facet", "SEX", "--interactions", "--nthread", threads)
        found.add(tuple(hashlib.sha256(open(os.path.join(folder, name), "rb").read()).hexdigest()
                        for name in sorted(os.listdir(folder))))
    check(len(found) == 1, "%d kinds of bytes", len(found))


def peak(*command):
    """Peak resident memory of a command, in MB."""
    done = subprocess.run([sys.executable, "-c",
                           "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); "
                           "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)", *command],
                          capture_output=True, text=True, timeout=HANG, check=False)
    check(done.returncode == 0, "%s", done.stderr[-1000:])
    return float(done.stdout.splitlines()[-1])


@claim
def memory_does_not_grow_with_rows():
    if SHORT:
        raise Skip("memory of sanitizer builds says nothing")
    job = small_model(nthread=1)
    line = "".join(",".join(repr(x) for x in row) + "\n" for row in rows_of(1000))
    paths = []
    for times in (2000, 5000):  # the first fills a part
        paths.append(file(""))
        with open(paths[-1], "w", encoding="utf-8") as out:
            out.write(",".join(NAMES) + "\n")
            for _ in range(times):
                out.write(line)
    for verb, options in (("explain", ["--aggregate-only"]), ("predict", [])):
        used = [peak(BOOSTLENS, verb, "--model", job.path("model"), "--data", path, "--nthread", "1", "--output",
                     os.path.join(tempfile.mkdtemp(dir=scratch), "out"), *options) for path in paths]
        check(used[1] < used[0] + 16, "%s: %.0f MB for 2 million rows, %.0f for 5 million", verb, *used)


if __name__ == "__main__":
    sys.exit(main())
