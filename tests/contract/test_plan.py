#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Training, predicting and explaining through a preprocessing plan (bl_preprocess)."""
from harness import *

PY = packages("numpy", "h5py")

ADULT_PLAN = {
    "label": {"column": "income", "classes": {"<=50K": 0, ">50K": 1}}, "missing": ["?"],
    "columns": [
        {"columns": ["age", "fnlwgt"], "steps": [{"impute": "median"}, "standardize"]},
        {"columns": ["workclass", "sex"], "steps": ["onehot"]},
        {"columns": "education", "steps": ["ordinal"]},
        {"columns": "native-country", "unseen": "missing", "steps": [{"impute": "mode"}, {"rare": 20}, "category"]},
        {"columns": "capital-gain", "steps": ["log1p", {"impute": {"with": "mean", "indicator": True}}]},
        {"columns": ["education-num", "marital-status", "occupation", "relationship", "race", "capital-loss",
                     "hours-per-week"]}]}


def planned(plan, train, name=None, **settings):
    base = {"num_round": "5", "objective": "binary:logistic", "max_depth": "3", "nthread": "1"}
    job = Job(name, **{**base, "bl_preprocess": "plan.json", **settings})
    job.channel("train", ("train.csv", train))
    return job.channel("config", ("plan.json", json.dumps(plan)), content_type=None)


def verb(name, job, data, output, *arguments, rc=0):
    done = subprocess.run([BOOSTLENS, name, "--model", job.path("model"), "--data", data, "--output", output, *arguments],
                          capture_output=True, text=True, errors="replace", timeout=HANG, check=False)
    check(done.returncode == rc, "%s: exit %s: %s", name, done.returncode, done.stderr[-1000:])
    return done.stderr


def file(name, content):
    path = os.path.join(tempfile.mkdtemp(dir=scratch), name)
    with open(path, "w", encoding="utf-8") as out:
        out.write(content)
    return path


def adult(n=None):
    lines = unpacked(real("adult/adult_train.csv.gz")).decode().splitlines(True)
    return lines[:n + 1] if n else lines


def shuffled(lines, seed=SEED):
    """The same rows with the columns in another order."""
    cells = [line.rstrip("\n").split(",") for line in lines]
    order = list(range(len(cells[0])))
    random.Random(seed).shuffle(order)
    return "".join(",".join(row[i] for i in order) + "\n" for row in cells)


@claim
def training_predicting_and_explaining_raw_rows_agree_bit_for_bit():
    lines = adult(2000)
    job = planned(ADULT_PLAN, "".join(lines)).expect(0)
    data = file("raw.csv", "".join(lines))
    out = tempfile.mkdtemp(dir=scratch)
    verb("explain", job, data, out + "/x")
    verb("predict", job, data, out + "/p.csv", "--type", "margin")
    with open(out + "/p.csv", encoding="utf-8") as lines_of_margins:
        margins = [float(line) for line in lines_of_margins]
    one = file("one.csv", "".join(lines[:1] + lines[7:8]))
    verb("predict", job, one, out + "/one.csv", "--type", "margin")
    with open(out + "/one.csv", encoding="utf-8") as alone:
        check(float(alone.read()) == margins[6], "one row alone has another margin")
    if not PY:
        raise Skip("predictions agree; attributions were not compared: no h5py")
    numpy, h5py = PY
    with h5py.File(job.path("output/data/attributions.h5")) as a, h5py.File(out + "/x/attributions.h5") as b:
        for name in ("values", "data", "margins"):
            check(a[name][:].tobytes() == b[name][:].tobytes(), "%s differ", name)
        check((a["margins"][:] == numpy.array(margins, "f4")).all(), "predict and training differ")
        names = list(a["feature_names"].asstr()[:])
    check(names[:2] == ["age", "fnlwgt"] and "workclass=Private" in names and "workclass=(missing)" in names, names)
    check("capital-gain_missing" in names, names)


@claim
def the_order_of_columns_in_a_file_changes_nothing():
    lines = adult(800)
    first = planned(ADULT_PLAN, "".join(lines)).expect(0)
    other = planned(ADULT_PLAN, shuffled(lines)).expect(0)
    check(first.read("model/xgboost-model") == other.read("model/xgboost-model"), "other models")
    out = tempfile.mkdtemp(dir=scratch)
    for name, text in (("a", "".join(lines)), ("b", shuffled(lines, SEED + 1))):
        verb("predict", first, file(name + ".csv", text), f"{out}/{name}")
    with open(out + "/a", encoding="utf-8") as a, open(out + "/b", encoding="utf-8") as b:
        check(a.read() == b.read(), "other predictions")


@claim
def a_missing_a_renamed_and_an_extra_column_each_get_their_answer():
    lines = adult(300)
    job = planned(ADULT_PLAN, "".join(lines)).expect(0)
    out = tempfile.mkdtemp(dir=scratch)
    text = "".join(lines)
    rows = [line.rstrip("\n").split(",") for line in lines]
    without = "".join(",".join(row[1:]) + "\n" for row in rows)
    contains(verb("predict", job, file("a.csv", without), out + "/p", rc=1), "lacks column 'age'")
    contains(verb("predict", job, file("b.csv", text.replace("age,", "years,", 1)), out + "/p", rc=1),
             "lacks column 'age'")
    extra = "".join(f"{line.rstrip()},{'more' if i == 0 else i}\n" for i, line in enumerate(lines))
    contains(verb("predict", job, file("c.csv", extra), out + "/p"), "1 column not in training, ignored", "'more'")
    unlabelled = "".join(",".join(row[:-1]) + "\n" for row in rows)
    verb("predict", job, file("d.csv", unlabelled), out + "/q")
    with open(out + "/p", encoding="utf-8") as a, open(out + "/q", encoding="utf-8") as b:
        check(a.read() == b.read(), "the label changes predictions")
    unseen = text.replace("Bachelors", "Bachelor of Arts", 1)
    contains(verb("predict", job, file("e.csv", unseen), out + "/p", rc=1), "'Bachelor of Arts' was not seen in training",
             "row 0", "column 'education'")
    verb("predict", job, file("e.csv", unseen), out + "/p", "--unseen", "missing")


@claim
def the_plans_split_holds_rows_out_where_there_is_no_validation_channel():
    lines = adult(1000)
    plan = {**ADULT_PLAN, "unseen": "missing", "split": {"by": "stratified", "validation": 0.2, "test": 0.1, "seed": 3}}
    job = planned(plan, "".join(lines), eval_metric="auc", early_stopping_rounds="3", num_round="50").expect(0)
    final = job.json("output/data/metrics.json")["final"]
    check([final[name]["rows"] for name in ("train", "validation", "test")] == [700, 200, 100], "%s",
          {name: final[name]["rows"] for name in final})
    given = planned(plan, "".join(lines)).channel("validation", ("v.csv", "".join(lines[:201]))).expect(0)
    check(given.json("output/data/metrics.json")["final"]["train"]["rows"] == 1000, "the split was used all the same")


@claim
def the_model_of_the_notebooks_plan_is_that_of_its_files():
    settings = {"num_round": "20", "max_depth": "5", "eta": "0.2", "gamma": "4", "min_child_weight": "6",
                "subsample": "0.8", "bl_model_format": "native", "bl_explain": "none"}
    with open(os.path.join(ROOT, "data/plans/credit-default.json"), encoding="utf-8") as plan:
        raw = planned(json.load(plan), unpacked(real("credit-default/rawdata.csv.gz")), **settings).expect(0)
    settings.update({"objective": "binary:logistic", "nthread": "1", "bl_feature_names": CREDIT_NAMES})
    ready = Job(**settings).channel("train", ("t.csv", unpacked(real("credit-default/train_data.csv.gz")))).expect(0)
    check(raw.read("model/xgboost-model") == ready.read("model/xgboost-model"), "other models")


@claim
def attributions_map_back_to_source_columns_with_exact_sums():
    plan = {**ADULT_PLAN, "pca": {"name": "gains", "columns": ["capital-loss", "hours-per-week"], "components": 2}}
    job = planned(plan, "".join(adult(1500)), num_round="20").expect(0)
    lines = job.importance()
    sources = {line["feature"]: line for line in lines if line["view"] == "source"}
    made = {line["feature"]: line for line in lines if line["view"] == "model"}
    check("workclass" in sources and "gains" in sources and "capital-loss" not in sources, sorted(sources))
    for name in ("workclass", "sex", "gains", "capital-gain"):
        parts = [line for key, line in made.items()
                 if key == name or key.startswith((name + "=", name + "_"))]
        check(len(parts) > 1, "%s has %s parts", name, len(parts))
        for column in ("mean_shap", "mean_abs_shap", "weight"):
            total = sum(float(line[column] or 0) for line in parts)
            check(abs(total - float(sources[name][column] or 0)) <= 1e-12 * abs(total), "%s of %s", column, name)
    if not PY:
        raise Skip("importance.csv adds up; attributions.h5 was not looked at: no h5py")
    numpy, h5py = PY
    with h5py.File(job.path("output/data/attributions.h5")) as file:
        values, by_source = file["values"][:].astype("f8"), file["source_values"][:]
        features, names = file["feature_names"].asstr()[:], file["source_names"].asstr()[:]
    check(by_source.dtype == numpy.float64 and len(names) == len(sources), "%s sources", len(names))
    expected = numpy.zeros_like(by_source)
    for k, feature in enumerate(features):
        at = [i for i, name in enumerate(names) if feature == name or feature.startswith((name + "=", name + "_missing"))
              or (name == "gains" and feature.startswith("gains_"))]
        check(len(at) == 1, "%s is of %s", feature, [names[i] for i in at])
        expected[:, at[0]] += values[:, k]
    check((expected == by_source).all(), "sums differ by up to %g", numpy.abs(expected - by_source).max())


@claim
def a_job_with_a_plan_is_checked_by_its_first_lines():
    lines = "".join(adult(50))
    job = planned(ADULT_PLAN, lines)
    job.run(verb="check")
    check(job.rc == 0, "exit %s: %s", job.rc, job.stderr)
    job = planned({**ADULT_PLAN, "weight": "wieght"}, lines)
    job.run(verb="check")
    check(job.rc == 1, "exit %s", job.rc)
    contains(job.stderr, "weight: column 'wieght', which", "has not")


@claim
def files_without_header_go_by_place():
    rows = [f"{i % 2},{i},{'abc'[i % 3]}" for i in range(60)]
    job = planned({"label": 0, "columns": [{"columns": 2, "steps": ["onehot"]}, {"columns": 1, "steps": ["standardize"]}]},
                  "\n".join(rows) + "\n").expect(0)
    out = tempfile.mkdtemp(dir=scratch)
    verb("predict", job, file("all.csv", "\n".join(rows) + "\n"), out + "/a")
    verb("predict", job, file("features.csv", "\n".join(row.split(",", 1)[1] for row in rows) + "\n"), out + "/b")
    with open(out + "/a", encoding="utf-8") as a, open(out + "/b", encoding="utf-8") as b:
        check(a.read() == b.read(), "features alone are read otherwise")
    contains(verb("predict", job, file("one.csv", "1\n2\n"), out + "/c", rc=1), "1 columns and no header",
             "3 columns of the training file")


def held_out(lines, has_header):
    """Every fifth row is the test set, as the data's README says."""
    head, rows = (lines[:1], lines[1:]) if has_header else ([], lines)
    return ("".join(head + [row for i, row in enumerate(rows) if i % 5]),
            "".join(head + [row for i, row in enumerate(rows) if i % 5 == 0]))


SETS = {"adult": (("adult/adult_train.csv.gz", "adult/adult_test.csv.gz"),
                  ("adult/adult_train_num.csv.gz", "adult/adult_test_num.csv.gz")),
        "bank-marketing": (("bank-marketing/bank-additional-full.csv.gz",), ("bank-marketing/bank_num.csv.gz",)),
        "diabetes-130": (("diabetes-130/diabetic_data.csv.gz",), ("diabetes-130/diabetes_num.csv.gz",))}


def readable_set_is_no_worse_with_its_plan(name):
    if SHORT:
        raise Skip("takes a while; CONTRACT_SHORT is set")
    found = {}
    for kind, paths in zip(("plan", "codes"), SETS[name]):
        texts = [unpacked(real(path)).decode().splitlines(True) for path in paths]
        train, test = [("".join(text)) for text in texts] if len(texts) == 2 else held_out(texts[0], kind == "plan")
        settings = {"num_round": "100", "max_depth": "6", "eta": "0.1", "eval_metric": "auc", "bl_explain": "none",
                    "objective": "binary:logistic"}
        job = Job(**settings, **({"bl_preprocess": "plan.json"} if kind == "plan" else {}))
        job.channel("train", ("t.csv", train)).channel("validation", ("v.csv", test))
        if kind == "plan":
            with open(os.path.join(ROOT, "data/plans", name + ".json"), encoding="utf-8") as plan:
                job.channel("config", ("plan.json", plan.read()), content_type=None)
        found[kind] = job.expect(0).metrics()["auc"]
    print(f"# {name}: AUC {found['plan']:.6f} with its plan, {found['codes']:.6f} of the numeric-coded file")
    check(found["plan"] >= found["codes"], "%s", found)


for set_name in SETS:
    def no_worse(name=set_name):
        readable_set_is_no_worse_with_its_plan(name)
    no_worse.__name__ = set_name.replace("-", "_") + "_trains_from_its_readable_file_no_worse_than_from_codes"
    claim(no_worse)


@claim
def settings_that_contradict_the_plan_are_refused():
    lines = "a,b,y\n" + "".join(f"{i},{'xyz'[i % 3]},{i % 2}\n" for i in range(30))
    for settings, texts in (
            ({"bl_label": "a"}, ["bl_label", "\"label\"", "different columns"]),
            ({"bl_feature_types": "q,c"}, ["bl_feature_types", "bl_preprocess"]),
            ({"_kfold": "3"}, ["_kfold", "bl_preprocess"]),
            ({"bl_preprocess": "other.json"}, ["bl_preprocess", "'@other.json'", "no such file"]),
            ({"bl_preprocess": {"labl": "y"}}, ["labl", "did you mean 'label'"]),
            ({"bl_explain": "validation"}, ["bl_explain", "validation rows"])):
        job = planned({"label": "y"}, lines, **settings).expect(1)
        contains(job.failure, *texts)
    job = planned({"columns": [{"columns": "b"}]}, lines, bl_label="y", bl_preprocess='{"columns": [{"columns": "b"}]}')
    contains(job.expect(0).stderr, "named by no entry")


raise SystemExit(main())
