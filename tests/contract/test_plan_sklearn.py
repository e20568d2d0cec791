#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Steps of a plan against scikit-learn's transformers, to the last bit, on every real set: `process` writes
doubles that read back to the same bits, so its files are compared with what scikit-learn makes of the same cells."""
import csv
import io

from harness import *

PY = packages("numpy", "scipy", "sklearn")

READABLE = {
    "credit-default": "credit-default/rawdata.csv.gz", "adult": "adult/adult_train.csv.gz",
    "bank-marketing": "bank-marketing/bank-additional-full.csv.gz", "california-housing": "california-housing/housing.csv",
    "covertype": "covertype-93k/covertype_93k_num.csv.gz", "diabetes-130": "diabetes-130/diabetic_data.csv.gz",
    "kddcup99": "kddcup99-10pct/kddcup99_10pct_num.csv.gz", "sgemm": "sgemm/sgemm_num.csv.gz"}
ROWS = int(os.environ.get("PLAN_ROWS", "4000" if SHORT else "8000"))  # of each set; a large number: all
NUMBER_STEPS = ["standardize", "minmax", {"robust": [25, 75]}, {"impute": "mean"}, {"impute": "median"}, {"impute": "mode"},
                {"clip": [0, 100]}, "log1p", {"bins": 7}]


def table(name):
    """Header and rows of text, at most ROWS of them, and which columns hold numbers only."""
    path = real(READABLE[name])
    text = (unpacked(path) if path.endswith(".gz") else open(path, "rb").read()).decode()
    lines = text.splitlines(True)
    has_header = not lines[0].split(",")[0].strip().lstrip("-").replace(".", "", 1).isdigit()
    rows = list(csv.reader(lines[has_header:][:ROWS]))
    names = next(csv.reader(lines[:1])) if has_header else [f"c{i}" for i in range(len(rows[0]))]
    rng = random.Random(SEED)
    for row in rows:  # more missing cells than the sets have by themselves
        for k in range(1, len(row)):
            if rng.random() < 0.02:
                row[k] = ""
    return names, rows


def is_number(cells):
    try:
        return [float(cell) for cell in cells if cell not in ("", "?")] != []
    except ValueError:
        return False


def processed(names, rows, plan):
    """Columns that `process` makes of all rows, as {name: list of text}."""
    root = tempfile.mkdtemp(prefix="sk-", dir=scratch)
    os.makedirs(root + "/processing/input")
    with open(root + "/processing/input/rows.csv", "w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)
    with open(root + "/processing/input/plan.json", "w", encoding="utf-8") as out:
        json.dump({"missing": ["?"], "split": {"test": 0}, **plan}, out)
    done = subprocess.run([BOOSTLENS, "process", "--root", root], capture_output=True, text=True, errors="replace",
                          timeout=HANG, check=False)
    check(done.returncode == 0, "process: %s", done.stderr[-1500:])
    with open(root + "/processing/train_headers/train_data_headers.csv", encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))
    with open(root + "/processing/fitted/plan.json", encoding="utf-8") as file:
        fitted = json.load(file)["fitted"]
    shutil.rmtree(root)
    return {name: [line[i] for line in lines[1:]] for i, name in enumerate(lines[0])}, fitted


def same(numpy, ours, theirs, what, ulps=0):
    ours = numpy.array([float(cell) if cell else float("nan") for cell in ours])
    theirs = numpy.asarray(theirs, float).ravel()
    check(len(ours) == len(theirs), "%s: %s rows, %s expected", what, len(ours), len(theirs))
    nan = numpy.isnan(ours) & numpy.isnan(theirs)
    if ulps:
        differ = ~nan & ~(numpy.abs(ours - theirs) <= ulps * numpy.spacing(numpy.abs(theirs)))
    else:  # bits, and 0 is 0 whatever its sign
        differ = ~nan & (ours != theirs)
    if differ.any():
        i = int(numpy.argmax(differ))
        raise AssertionError(f"{what}: {differ.sum()} cells differ, the first in row {i}: {ours[i]!r}, "
                             f"scikit-learn {theirs[i]!r}")


def transformer(sklearn, step):
    from sklearn import impute, preprocessing
    if step == "standardize":
        return preprocessing.StandardScaler()
    if step == "minmax":
        return preprocessing.MinMaxScaler()
    kind, value = next(iter(step.items()))
    if kind == "robust":
        return preprocessing.RobustScaler(quantile_range=tuple(value))
    return impute.SimpleImputer(strategy={"mean": "mean", "median": "median", "mode": "most_frequent"}[value])


def numbers_of(name):
    numpy, _, sklearn = PY
    names, rows = table(name)
    columns = list(map(list, zip(*rows)))
    numeric = [k for k in range(len(names)) if is_number(columns[k])][:30]
    exact = 0
    for step in NUMBER_STEPS:
        kind = step if isinstance(step, str) else next(iter(step))
        used = [k for k in numeric if kind != "log1p" or
                all(float(cell) > -1 for cell in columns[k] if cell not in ("", "?"))]
        ours, _ = processed(names, rows, {"columns": [{"columns": [names[k] for k in used], "type": "number",
                                                       "steps": [step]}]})
        for k in used:
            x = numpy.array([float(cell) if cell not in ("", "?") else numpy.nan for cell in columns[k]]).reshape(-1, 1)
            what = f"{name}, {names[k]}, {step}"
            if kind == "clip":
                theirs = numpy.clip(x, *step["clip"])
            elif kind == "log1p":
                same(numpy, ours[names[k]], numpy.log1p(x), what, ulps=1)
                continue
            elif kind == "bins":
                present = x[~numpy.isnan(x)]
                edges = numpy.percentile(present, numpy.linspace(0, 100, step["bins"] + 1))
                keep = numpy.ediff1d(edges, to_begin=numpy.inf) > 1e-8
                theirs = numpy.searchsorted(edges[keep][1:-1], x, side="right").astype(float)
                theirs[numpy.isnan(x)] = numpy.nan
            else:
                theirs = transformer(sklearn, step).fit_transform(x.copy())
            same(numpy, ours[names[k]], theirs, what)
            exact += len(x)
    print(f"# {name}: {len(rows)} rows, {len(numeric)} columns of numbers, {exact} cells equal to the last bit")


def texts_of(name):
    numpy, _, _ = PY
    from sklearn import preprocessing
    names, rows = table(name)
    columns = list(map(list, zip(*rows)))
    used = [k for k in range(len(names)) if 2 <= len(set(columns[k])) <= 60 and names[k] != "Label"][:12]
    entry = {"columns": [names[k] for k in used], "type": "category"}
    ordinal, _ = processed(names, rows, {"columns": [{**entry, "steps": ["ordinal"]}]})
    onehot, _ = processed(names, rows, {"columns": [{**entry, "steps": ["onehot"]}]})
    for k in used:
        x = numpy.array([numpy.nan if cell in ("", "?") else cell for cell in columns[k]], dtype=object).reshape(-1, 1)
        what = f"{name}, {names[k]}"
        same(numpy, ordinal[names[k]], preprocessing.OrdinalEncoder().fit_transform(x), what + ", ordinal")
        encoder = preprocessing.OneHotEncoder(sparse_output=False).fit(x)
        theirs = encoder.transform(x)
        for i, level in enumerate(encoder.categories_[0]):
            made = f"{names[k]}={'(missing)' if level != level else level}"
            check(made in onehot, "%s: no column %s", what, made)
            same(numpy, onehot[made], theirs[:, i], what + ", onehot " + made)
    print(f"# {name}: {len(used)} columns as categories")


for set_name in READABLE:
    def numbers(name=set_name):
        if not PY:
            raise Skip("no scikit-learn (container/deps.sh peers, or BOOSTLENS_PYTHON)")
        numbers_of(name)
        texts_of(name)
    numbers.__name__ = set_name.replace("-", "_") + "_is_prepared_as_scikit_learn_does_it"
    claim(numbers)


@claim
def target_encoding_is_scikit_learns_given_its_folds():
    if not PY:
        raise Skip("no scikit-learn (container/deps.sh peers, or BOOSTLENS_PYTHON)")
    numpy, _, _ = PY
    from sklearn.model_selection import KFold
    from sklearn.preprocessing import TargetEncoder
    names, rows = table("california-housing")
    label, k = names.index("median_house_value"), names.index("ocean_proximity")
    rows = [row for row in rows if row[label]]
    x = numpy.array([[row[k] or "(none)"] for row in rows], dtype=object)
    y = numpy.array([float(row[label]) for row in rows])
    for smooth in ("auto", 10.0):
        ours, fitted = processed(names, rows, {"label": "median_house_value", "columns": [
            {"columns": "ocean_proximity", "steps": [{"target": {"folds": 4, "seed": 3, "smooth": smooth}}]}]})
        theirs = numpy.empty(len(y))
        for train, test in KFold(4, shuffle=True, random_state=3).split(x):
            encoder = TargetEncoder(target_type="continuous", smooth=smooth).fit(x[train], y[train])
            theirs[test] = encoder.transform(x[test])[:, 0]
        got = numpy.array([float(cell) for cell in ours["ocean_proximity"]])
        worst = numpy.max(numpy.abs(got - theirs) / numpy.abs(theirs))
        check(worst <= 1e-12, "smooth %s: %g relative", smooth, worst)
        encoder = TargetEncoder(target_type="continuous", smooth=smooth).fit(x, y)
        whole = dict(zip(encoder.categories_[0], encoder.encodings_[0]))
        column = fitted["columns"][0]
        for level, value in zip(column["levels"] + ["(none)"], column["table"]):
            check(abs(value - whole[level]) <= 1e-12 * abs(value), "level %s: %r, %r", level, value, whole[level])


@claim
def pca_is_scikit_learns_signs_included():
    if not PY:
        raise Skip("no scikit-learn (container/deps.sh peers, or BOOSTLENS_PYTHON)")
    numpy, _, _ = PY
    from sklearn.decomposition import PCA
    for name, used in (("credit-default", [f"BILL_AMT{i}" for i in range(1, 7)]), ("sgemm", None)):
        names, rows = table(name)
        used = used or names[1:12]
        at = [names.index(one) for one in used]
        rows = [row for row in rows if all(row[k] for k in at)]
        x = numpy.array([[float(row[k]) for k in at] for row in rows])
        ours, fitted = processed(names, rows, {"columns": [{"columns": used}],
                                               "pca": {"name": "p", "columns": used, "components": len(used) - 1}})
        pca = PCA(len(used) - 1, svd_solver="full").fit(x)
        limit = 1e-9 * pca.singular_values_[0]
        mine = fitted["pca"][0]
        check(numpy.abs(numpy.array(mine["singular_values"]) - pca.singular_values_).max() <= limit, "singular values")
        gaps = numpy.abs(numpy.diff(numpy.append(pca.singular_values_, 0)))
        got = numpy.array([[float(cell) for cell in ours[f"p_{i}"]] for i in range(len(used) - 1)]).T
        theirs = pca.transform(x)
        for i, gap in enumerate(gaps):
            if gap > 1e-6 * pca.singular_values_[0]:  # equal singular values leave their axes free
                worst = numpy.abs(got[:, i] - theirs[:, i]).max()
                check(worst <= limit, "%s: component %s is %g away, limit %g", name, i, worst, limit)


@claim
def the_split_is_train_test_splits():
    if not PY:
        raise Skip("no scikit-learn (container/deps.sh peers, or BOOSTLENS_PYTHON)")
    from sklearn.model_selection import train_test_split
    rng = random.Random(SEED)
    for _ in range(4):
        n, seed, share = rng.randrange(5, 4000), rng.randrange(2**32), rng.choice([0.1, 0.25, 1 / 3, 0.5])
        root = tempfile.mkdtemp(dir=scratch)
        os.makedirs(root + "/processing/input")
        with open(root + "/processing/input/rows.csv", "w", encoding="utf-8") as out:
            out.write("x,y\n" + "".join(f"{i},1\n" for i in range(n)))
        subprocess.run([BOOSTLENS, "process", "--root", root, "--train-test-split-ratio", repr(share), "--random-split",
                        str(seed)], check=True, capture_output=True, timeout=HANG)
        train, test = train_test_split(list(range(n)), test_size=share, random_state=seed)
        for name, expected in (("train", train), ("test", test)):
            with open(f"{root}/processing/{name}/{name}_data.csv", encoding="utf-8") as file:
                check([int(line.split(",")[0]) for line in file] == expected, "n %s, seed %s, share %s", n, seed, share)


if PY:
    print("# NumPy %s, scikit-learn %s" % (PY[0].__version__, PY[2].__version__))
raise SystemExit(main())
