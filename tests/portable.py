# SPDX-License-Identifier: Apache-2.0
"""Steps of tests/portable.sh, each its own process because each loads another XGBoost.

train XGBOOST DIR            models of every kind, and the rows they predict
rewrite PROGRAM DIR          our three forms of each model, and our own margins
predict XGBOOST DIR VERSION  margins of every form by one XGBoost
compare DIR VERSION...       the table, and whether every claim holds
"""
import glob
import json
import os
import subprocess
import sys
import warnings

import numpy as np

FORMS = ("portable", "unfolded", "native")
NAMED = 3.0e-7  # folding may move a margin by this much of the largest


def load_xgboost(folder):
    sys.path.insert(0, folder)
    warnings.filterwarnings("ignore")
    import xgboost

    xgboost.set_config(verbosity=0)
    assert os.path.realpath(xgboost.__file__).startswith(os.path.realpath(folder)), xgboost.__file__
    return xgboost


# --- train ----------------------------------------------------------------------------------------


def kinds():
    """name, parameters, labels or matrix arguments, rounds, rows, base margin."""
    rng = np.random.default_rng(20)
    n = 400
    x = rng.normal(size=(n, 5)).astype(np.float32)
    x[rng.random(x.shape) < 0.1] = np.nan
    s = np.nansum(np.sin(x * 2), 1)
    binary = (s + rng.normal(size=n) > 0).astype(float)
    count = np.floor(np.exp(s / 3 + 1)) + 1
    classes = (np.abs(s) * 1.7).astype(int) % 3
    both = np.stack([s, 2 - s], 1)
    categories = np.nan_to_num(x)
    categories[:, 0] = rng.integers(0, 40, n)
    categories[:, 1] = rng.integers(0, 4, n)
    types = {"feature_types": ["c", "c", "q", "q", "q"], "enable_categorical": True}
    soft = {"objective": "multi:softprob", "num_class": 3}
    vector = {"multi_strategy": "multi_output_tree"}

    def kind(name, params, label, rounds=6, rows=x, base=None, **more):
        return name, dict(params), label, rounds, rows, base, more

    for name in ("reg:squarederror", "reg:squaredlogerror", "reg:pseudohubererror",
                 "reg:absoluteerror", "reg:gamma", "reg:tweedie", "count:poisson",
                 "survival:cox"):
        yield kind(name, {"objective": name}, count)
    for name in ("reg:logistic", "binary:logistic", "binary:logitraw", "binary:hinge"):
        yield kind(name, {"objective": name}, binary)
    for name in ("rank:pairwise", "rank:ndcg", "rank:map"):
        yield kind(name, {"objective": name}, binary, qid=np.arange(n) // 10)
    yield kind("survival:aft", {"objective": "survival:aft", "base_score": 3.7}, None,
               label_lower_bound=count, label_upper_bound=count * 2)
    yield kind("multi:softprob", soft, classes)
    yield kind("multi:softmax", {**soft, "objective": "multi:softmax"}, classes)
    yield kind("softprob, base_score given", {**soft, "base_score": 0.5}, classes)
    yield kind("softprob, base_score 2", {**soft, "base_score": 2}, classes)
    yield kind("softprob, parallel trees", {**soft, "num_parallel_tree": 2, "subsample": 0.5},
               classes)
    yield kind("softprob, base margin", soft, classes, base=rng.normal(size=(n, 3)))
    quantile = {"objective": "reg:quantileerror"}
    yield kind("one quantile", {**quantile, "quantile_alpha": 0.3}, s)
    yield kind("three quantiles", {**quantile, "quantile_alpha": [0.1, 0.5, 0.9]}, s)
    yield kind("three expectiles", {"objective": "reg:expectileerror",
                                    "expectile_alpha": [0.1, 0.5, 0.9]}, s)
    yield kind("multi-target", {}, both)
    yield kind("multi-target, large", {}, both * 1e6 + 5e6)
    yield kind("multi-label", {"objective": "binary:logistic"}, np.stack([binary, s > 1], 1))
    yield kind("multi-target gamma", {"objective": "reg:gamma"}, np.stack([count, count * 50], 1))
    yield kind("vector leaves", vector, both)
    yield kind("vector leaves, base_score given", {**vector, "base_score": 1.5}, both)
    yield kind("vector leaves, categories", vector, both, rows=categories, **types)
    yield kind("vector leaves, softprob", {**vector, **soft}, classes)
    yield kind("vector leaves, dart", {**vector, "rate_drop": 0.5}, both, rounds=8)
    yield kind("partition of categories", {"max_cat_to_onehot": 1}, s, rows=categories, **types)
    yield kind("one-hot categories", {"max_cat_to_onehot": 99}, s, rows=categories, **types)
    yield kind("parallel trees", {"num_parallel_tree": 3, "subsample": 0.5}, s)
    yield kind("gblinear", {"booster": "gblinear"}, s)
    yield kind("gblinear, logistic", {"booster": "gblinear", "objective": "binary:logistic"},
               binary)
    yield kind("gblinear, softprob", {"booster": "gblinear", **soft}, classes)
    yield kind("gblinear, multi-target", {"booster": "gblinear"}, both)
    dart = {"booster": "dart", "rate_drop": 0.5}
    yield kind("dart", dart, s, rounds=12)
    yield kind("dart, logistic", {**dart, "objective": "binary:logistic"}, binary, rounds=8)
    yield kind("dart, softprob", {**dart, **soft}, classes, rounds=8)
    yield kind("dart, multi-target, parallel", {**dart, "num_parallel_tree": 2}, both * 100,
               rounds=8)
    yield kind("single leaves", {"gamma": 1e9}, s)
    yield kind("no trees", {}, s, rounds=0)
    yield kind("no trees, logistic", {"objective": "binary:logistic"}, binary, rounds=0)
    yield kind("all labels 0, logistic", {"objective": "binary:logistic"}, binary * 0)
    yield kind("all labels 1, logistic", {"objective": "binary:logistic"}, binary * 0 + 1)
    yield kind("all labels 0, poisson", {"objective": "count:poisson"}, binary * 0)
    # Intercepts that the step-by-step reader of old versions could get wrong.
    for i in range(48):
        value = np.float32(rng.normal() * 10.0 ** rng.integers(-12, 13))
        yield kind(f"score {i:02d}", {"base_score": float(value)}, s, rounds=1)


def train(folder, to):
    xgb = load_xgboost(folder)
    info = {}
    for i, (name, params, label, rounds, rows, base, more) in enumerate(kinds()):
        params.update(nthread=1, max_depth=3)
        data = xgb.DMatrix(rows, label, base_margin=base, **more)
        booster = xgb.train(params, data, rounds)
        stem = f"{to}/{i:03d}"
        with open(stem + ".trained.ubj", "wb") as f:
            f.write(booster.save_raw("ubj"))
        np.save(stem + ".npy", rows)
        np.ascontiguousarray(rows, "<f4").tofile(stem + ".f32")
        if base is not None:
            np.save(stem + ".base.npy", base.astype(np.float32))
        info[f"{i:03d}"] = {"name": name}
    with open(f"{to}/info.json", "w") as f:
        json.dump(info, f)


# --- rewrite, predict -----------------------------------------------------------------------------


def read_info(folder):
    with open(f"{folder}/info.json") as f:
        return json.load(f)


def rewrite(program, folder):
    info = read_info(folder)
    for key, one in info.items():
        stem = f"{folder}/{key}"
        for form in FORMS:
            out = f"{stem}.{form}.ubj"
            said = subprocess.run([program, form, stem + ".trained.ubj", out], check=True,
                                  stdout=subprocess.PIPE, text=True).stdout
            one[form] = said.split()
            subprocess.run([program, "margins", out, stem + ".f32", f"{stem}.{form}.own"],
                           check=True)
    with open(f"{folder}/info.json", "w") as f:
        json.dump(info, f)


def predict(folder, to, version):
    xgb = load_xgboost(folder)
    assert xgb.__version__ == version, xgb.__version__
    out = {}
    for path in sorted(glob.glob(f"{to}/*.ubj")):
        key, form = os.path.basename(path)[:-4].split(".")
        rows = np.load(f"{to}/{key}.npy")
        base = f"{to}/{key}.base.npy"
        base = np.load(base) if os.path.exists(base) else None
        try:
            booster = xgb.Booster({"nthread": 1})
            booster.load_model(path)
            data = xgb.DMatrix(rows, feature_types=booster.feature_types, enable_categorical=True,
                               base_margin=base)
            margins = booster.predict(data, output_margin=True)
            out[f"{key}.{form}"] = np.asarray(margins, np.float32).ravel()
        except xgb.core.XGBoostError as error:
            out[f"{key}.{form}"] = np.array(str(error).split("\n")[0])
    np.savez(f"{to}/{version}.npz", **out)


# --- compare --------------------------------------------------------------------------------------


def same_bits(a, b):
    return a.shape == b.shape and bool((a.view(np.uint32) == b.view(np.uint32)).all())


def distance(a, b):
    """Largest difference relative to the largest |b|."""
    finite = np.isfinite(b)
    if not finite.any():
        return 0.0
    with np.errstate(invalid="ignore"):
        return float(np.abs(a.astype(float) - b)[finite].max() / max(np.abs(b[finite]).max(), 1e-30))


def number(version):
    major, minor = version.split(".")[:2]
    return int(major) * 100 + int(minor)


def judge(one, form, has_base, results, truth, versions):
    """The cells of one row, and what is wrong with it."""
    oldest, fully, folded = one[form]
    written = results["3.4.1"][form]
    cells, wrong = [], []
    for version in versions:
        got = results[version][form]
        refused = got.dtype.kind in "US"
        equal = not refused and same_bits(got, written)
        cells.append("refused" if refused else "=" if equal else f"{distance(got, written):.1e}")
        if has_base and form == "portable":
            continue  # folded and base margin do not go together: unfolded is for these
        if has_base:
            if not equal:
                wrong.append(f"{version}: with base margins every version must agree")
        elif number(version) >= number(oldest):
            if not equal:
                wrong.append(f"{version} is said to read it right")
        elif fully == "fully" and not refused:
            wrong.append(f"{version} is said to refuse it")
        elif equal:
            wrong.append(f"{version} reads it right, said only from {oldest} on")
    if folded == "whole" and not same_bits(written, truth):
        wrong.append("margins moved without folding")
    if folded == "folded" and not has_base and not distance(written, truth) <= NAMED:
        wrong.append(f"folding moved a margin by {distance(written, truth):.1e}")
    return cells, wrong


def compare(folder, versions):
    info = read_info(folder)
    loaded = {v: np.load(f"{folder}/{v}.npz") for v in versions}
    failed = 0
    scores = []
    print(f"{'kind':32} {'form':9}{'from':6}{'':8}{'moved by':10}", *[f"{v:8}" for v in versions])
    for key, one in info.items():
        has_base = os.path.exists(f"{folder}/{key}.base.npy")
        truth = loaded["3.4.1"][f"{key}.trained"]
        for form in FORMS:
            if form == "unfolded" and one["portable"][2] == "whole":
                continue  # the same bytes
            results = {v: {form: loaded[v][f"{key}.{form}"]} for v in versions}
            cells, wrong = judge(one, form, has_base, results, truth, versions)
            own = np.fromfile(f"{folder}/{key}.{form}.own", "<f4")
            if not has_base and not same_bits(own, results["3.4.1"][form]):
                wrong.append("our own margins are not XGBoost's")
            failed += len(wrong)
            if one["name"].startswith("score ") and not wrong:
                scores.append(form)
                continue
            moved = distance(results["3.4.1"][form], truth)
            print(f"{one['name']:32} {form:9}{one[form][0]:6}"
                  f"{'folded' if one[form][2] == 'folded' else '':8}"
                  f"{'' if has_base and form == 'portable' else f'{moved:.1e}' if moved else '0':10}",
                  *[f"{c:8}" for c in cells])
            for text in wrong:
                print(f"    WRONG: {text}")
    print(f"{scores.count('portable')} further base_score values, |value| 1e-13 to 1e13: equal in "
          f"every version; written as a list: as claimed ({scores.count('native')})")
    print(f"{failed} wrong claims")
    return 1 if failed or not scores else 0


if __name__ == "__main__":
    command, rest = sys.argv[1], sys.argv[2:]
    if command == "compare":
        sys.exit(compare(rest[0], rest[1:]))
    {"train": train, "rewrite": rewrite, "predict": predict}[command](*rest)
