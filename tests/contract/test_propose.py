#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Proposed plans, end to end: what is found in data, and that train and process take what is printed."""
from harness import *


def propose(content, *arguments, rc=0, name="a.csv"):
    """The plan as text, and the program's own words."""
    path = os.path.join(tempfile.mkdtemp(prefix="propose-", dir=scratch), name)
    with open(path, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
    done = subprocess.run([BOOSTLENS, "plan", path, *arguments], capture_output=True, text=True, errors="replace",
                          timeout=HANG, check=False)
    check(done.returncode == rc, "exit %s, expected %s: %s", done.returncode, rc, done.stderr[-1500:])
    return done.stdout, done.stderr


def planned(content, *arguments):
    return json.loads(propose(content, *arguments)[0])


def entry_of(plan, column):
    return [one for one in plan["columns"] if column in one["columns"]]


def process(content, plan):
    root = tempfile.mkdtemp(prefix="process-", dir=scratch)
    os.makedirs(root + "/processing/input")
    for name, text in (("a.csv", content), ("plan.json", plan)):
        with open(f"{root}/processing/input/{name}", "wb") as file:
            file.write(text.encode() if isinstance(text, str) else text)
    done = subprocess.run([BOOSTLENS, "process", "--root", root], capture_output=True, text=True, timeout=HANG, check=False)
    check(done.returncode == 0, "process does not take it: %s", done.stderr[-1000:])
    with open(root + "/processing/train_headers/train_data_headers.csv", encoding="utf-8") as file:
        return file.read()


def train(content, plan, **hyperparameters):
    told = json.loads(plan)["comment"]
    settings = {"objective": told["objective"], "num_round": "5", "bl_preprocess": "plan.json", "bl_explain": "none"}
    if "num_class" in told:
        settings["num_class"] = str(told["num_class"])
    settings.update(hyperparameters)
    job = Job(**settings).channel("train", ("a.csv", content)).channel("config", ("plan.json", plan), content_type=None)
    return job.expect(0)


def kinds(n=1200):
    """A column of each kind that a plan knows."""
    rng = random.Random(SEED)
    rows = ["id,when,plain,hole,sign,word,free,fixed,copy,leak,y"]
    for i in range(n):
        y, x = rng.randrange(2), rng.randrange(1000)
        rows.append(f"{i + 7},{i % 28 + 1:02}.{i % 12 + 1:02}.2024,{x},{'?' if i % 9 == 0 else x % 77},"
                    f"{'unknown' if i % 5 == 0 else x / 8},{'abcde'[x % 5] if i % 400 else 'rare%d' % i},"
                    f"text {i} of {x},7,{x},{'NY'[y]},{'no yes'.split()[y]}")
    return "\n".join(rows) + "\n"


@claim
def each_kind_of_column_is_found():
    content = kinds()
    text = propose(content, "--label", "y")[0]
    plan = json.loads(text)
    check(plan["label"] == {"column": "y", "classes": {"no": 0, "yes": 1}}, "%s", plan["label"])
    check(sorted(plan["missing"]) == sorted(["?", "NA", "NaN", "null"]), "%s", plan["missing"])
    check(plan["id"] == ["id", "free"], "id: %s", plan["id"])
    check(plan["drop"] == ["fixed", "copy", "leak"], "drop: %s", plan["drop"])
    check(set(plan["comment"]["dropped"]) == {"fixed", "copy", "leak"}, "%s", plan["comment"])
    contains(plan["comment"]["dropped"]["leak"], "equals the label")
    check(entry_of(plan, "when")[0]["steps"] == [{"date": {"parts": ["year", "month", "day", "weekday"],
                                                           "format": "%d.%m.%Y"}}], "when")
    check(entry_of(plan, "plain") == [{"columns": ["plain", "hole"]}], "plain: %s", entry_of(plan, "plain"))
    contains(entry_of(plan, "sign")[0]["missing"], "unknown", "?")
    check(entry_of(plan, "word")[0]["steps"] == [{"rare": 20}, "ordinal"], "word")
    header = process(content, text).split("\n")[0]
    check(header.startswith("y,id,free,when_year,") or header.startswith("y,id,free,when"), header)
    train(content, text, eval_metric="auc")


def on_real_data(folder, name, *arguments, **hyperparameters):
    path = real(folder, name)
    content = unpacked(path) if name.endswith(".gz") else open(path, "rb").read()
    text = propose(content, *arguments)[0]
    train(content, text, **hyperparameters)
    return json.loads(text)


@claim
def adult_trains_from_its_proposed_plan():
    plan = on_real_data("adult", "adult_train.csv.gz", "--label", "income")
    check(plan["missing"][0] == "?" and "drop" not in plan, "%s", plan)


@claim
def bank_marketing_trains_from_its_proposed_plan():
    plan = on_real_data("bank-marketing", "bank-additional-full.csv.gz")
    check(plan["label"]["classes"] == {"no": 0, "yes": 1}, "%s", plan["label"])


@claim
def diabetes_trains_from_its_proposed_plan():
    plan = on_real_data("diabetes-130", "diabetic_data.csv.gz", "--label", "readmitted", num_round="2")
    check(plan["id"] == ["encounter_id"] and plan["drop"] == ["patient_nbr", "examide", "citoglipton"], "%s", plan)
    check(entry_of(plan, "diag_1")[0]["type"] == "category", "diag_1")


@claim
def credit_default_housing_and_sgemm_train_from_their_proposed_plans():
    on_real_data("credit-default", "rawdata.csv.gz")
    on_real_data("california-housing", "housing.csv", "--label", "median_house_value")
    plan = on_real_data("sgemm", "sgemm_product.csv.gz", "--label", "Run1 (ms)", num_round="2")
    check(plan["drop"] == [f"Run{i} (ms)" for i in (2, 3, 4)], "%s", plan["drop"])


@claim
def kddcup_without_a_header_trains_from_its_proposed_plan():
    if SHORT:
        raise Skip("CONTRACT_SHORT")
    plan = on_real_data("kddcup99-10pct", "kddcup99_10pct.csv.gz", "--label", "41", num_round="1")
    check(len(plan["label"]["classes"]) == 23 and plan["drop"] == [19, 20], "%s", plan["drop"])


@claim
def without_a_label_the_guess_is_said():
    text, said = propose("a,b\n" + "".join(f"{i % 2},{i}\n" for i in range(50)))
    check(json.loads(text)["label"] == "a" and "guess" in json.loads(text)["comment"]["label"], text)
    contains(said, "no --label: column 0 is taken")
    check(planned("a,Target\n" + "".join(f"{i},{i % 2}\n" for i in range(50)))["label"] == "Target", "Target")


@claim
def rows_without_a_label_are_left_out_and_two_whole_numbers_become_classes():
    content = "x,y\n" + "".join(f"{i % 7},{'' if i % 10 == 0 else i % 2 + 1}\n" for i in range(200))
    text = propose(content, "--label", "y")[0]
    plan = json.loads(text)
    check(plan["rows"] == [{"drop": {"column": "y", "missing": True}}], "%s", plan.get("rows"))
    check(plan["label"] == {"column": "y", "classes": {"1": 0, "2": 1}}, "%s", plan["label"])
    train(content, text)
    mixed = "x,y\n" + "".join(f"{i % 7},{'unknown' if i % 10 == 0 else i % 2}\n" for i in range(200))
    text = propose(mixed, "--label", "y")[0]
    check(json.loads(text)["label"]["classes"] == {"0": 0, "1": 1, "unknown": 2}, text)
    process(mixed, text)


@claim
def odd_names_are_taken_back_as_they_are():
    names = ['a "quoted", name', "star*", "[0]", "ümläut", "<b>&", "y"]
    head = ",".join('"' + name.replace('"', '""') + '"' for name in names)
    content = head + "\n" + "".join(f"{i % 3},{i % 5},{i % 7},{'uvw'[i % 3]},{i % 2},{i % 2 ^ (i % 11 == 0)}\n" for i in range(100))
    text = propose(content, "--label", "y")[0]
    check(json.loads(text)["columns"][0]["columns"] == names[:3], text)
    process(content, text)
    train(content, text)


@claim
def ten_thousand_columns_and_bytes_that_are_no_text_make_a_plan():
    n = 10000
    wide = ",".join(f"c{i}" for i in range(n)) + "\n" + "".join(
        ",".join(str((i * r + i % 3) % 7) for i in range(n)) + "\n" for r in range(30))
    check(len(planned(wide, "--label", "c1")["columns"]) >= 1, "wide")
    plan = planned(b"a\xff,b,y\n" + b"".join(b"%d,%s,%d\n" % (i, b"\xfe" if i % 2 else b"z", i % 2 ^ (i % 7 == 0))
                                             for i in range(90)), "--label", "y")
    check(0 in plan.get("id", []) + [c for one in plan["columns"] for c in one["columns"]], "%s", plan)


@claim
def what_is_no_table_and_wrong_arguments_are_refused():
    contains(propose(bytes(range(256)) * 20, rc=1)[1], "a.csv")
    contains(propose("", rc=1)[1], "No data")
    done = subprocess.run([BOOSTLENS, "plan", "/dev/null"], capture_output=True, text=True, timeout=HANG, check=False)
    check(done.returncode == 1, "exit %s", done.returncode)
    contains(done.stderr, "give a regular file")
    contains(propose("a\n1\n2\n", rc=1)[1], "one column")
    contains(propose("a,b\n1,2\n", "--label", "c", rc=1)[1], "label 'c'", "no such column")
    contains(propose("a,b\n1,2\n", "--what", rc=64)[1], "unknown option '--what'")
    contains(propose("a,b\n1,2\n", "--label", rc=64)[1], "a column is expected after '--label'")
    contains(propose("a,b\n1,2\n", "more.csv", rc=64)[1], "one file is expected")


sys.exit(main())
