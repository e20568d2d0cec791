#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Profiles of data, end to end: numbers against pandas and numpy, the page, hostile input."""
import html.parser

from harness import *

found = packages("numpy", "pandas")
numpy, pandas = found if found else (None, None)


class Inputs:
    """A folder that stands for /opt/ml, with inputs to profile."""

    def __init__(self, **files):
        self.root = tempfile.mkdtemp(prefix="profile-", dir=scratch)
        os.makedirs(self.path("processing/input"))
        for name, content in files.items():
            ending = {"plan": ".json"}.get(name, ".csv")
            with open(self.path("processing/input", name + ending), "wb") as file:
                file.write(content.encode() if isinstance(content, str) else content)

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def run(self, *arguments, rc=0, verb="--profile-only", threads=None):
        env = dict(os.environ, **({"OMP_NUM_THREADS": threads} if threads else {}))
        done = subprocess.run([BOOSTLENS, "process", "--root", self.root, verb, *arguments], capture_output=True,
                              text=True, errors="replace", timeout=HANG, check=False, env=env)
        self.stderr = done.stderr
        check(done.returncode == rc, "exit %s, expected %s: %s", done.returncode, rc, done.stderr[-1500:])
        check(done.stdout == "", "stdout is not empty: %s", done.stdout[:200])
        return self

    def bytes(self, name="profile.json"):
        with open(self.path("processing/profile", name), "rb") as file:
            return file.read()

    @property
    def profile(self):
        return json.loads(self.bytes())

    @property
    def columns(self):
        return {one["column"]: one for one in self.profile["profile"]}


class Page(html.parser.HTMLParser):
    """Checks that tags close in order; keeps names, and text outside of <style>."""
    VOID = {"meta", "line", "rect", "br"}

    def __init__(self, source):
        super().__init__()
        self.open, self.names, self.words, self.attributes = [], [], [], []
        self.feed(source)
        self.close()
        check(not self.open, "not closed: %s", self.open)

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.attributes += attrs
        if tag not in self.VOID or tag == "rect":
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.names.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        check(self.open and self.open[-1] == tag, "</%s> closes %s", tag, self.open[-3:])
        self.open.pop()

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self):
        return "".join(self.words)


def near(ours, theirs, what, tolerance=1e-12):
    if theirs is None or theirs != theirs:
        check(ours is None, "%s: %s, expected none", what, ours)
    else:
        check(ours is not None and abs(ours - theirs) <= tolerance * max(1.0, abs(theirs)), "%s: %r, expected %r", what,
              ours, theirs)


def compare(profile, frame):
    """A profile against pandas and numpy on the same cells."""
    check(profile["rows"] == len(frame) and profile["columns"] == len(frame.columns), "shape")
    check(profile["missing_cells"] == int(frame.isna().sum().sum()), "missing cells")
    check(profile["repeated_rows"] == {"rows": int(frame.duplicated().sum()), "estimate": False}, "repeated rows: %s, %s",
          profile["repeated_rows"], int(frame.duplicated().sum()))
    numeric = []
    for ours, name in zip(profile["profile"], frame.columns):
        column = frame[name]
        present = column.dropna()
        check(ours["missing"] == int(column.isna().sum()), "%s: missing", name)
        check(ours["distinct"] == present.nunique(), "%s: distinct %s", name, ours["distinct"])
        counts = present.value_counts()
        top = [one["rows"] for one in ours["top"]]
        check(top == sorted(counts, reverse=True)[:10], "%s: most frequent %s", name, top)
        for one in ours["top"]:
            check(counts[one["value"]] == one["rows"], "%s: %s", name, one)
        if not pandas.api.types.is_numeric_dtype(present):
            check(ours["numbers"] is None and ours["texts"]["count"] == len(present), "%s: texts", name)
            check([ours["texts"]["shortest"], ours["texts"]["longest"]] == [present.str.len().min(), present.str.len().max()],
                  "%s: lengths", name)
            continue
        numeric.append(name)
        numbers, x = ours["numbers"], present.to_numpy(float)
        check(numbers["count"] == len(x) and numbers["zeros"] == (x == 0).sum() and numbers["negative"] == (x < 0).sum(),
              "%s: counts", name)
        for ours_is, theirs in ((numbers["min"], x.min()), (numbers["max"], x.max())):
            check(ours_is == theirs, "%s: %s, expected %s", name, ours_is, theirs)
        near(numbers["mean"], x.mean(), name + ": mean")
        near(numbers["std"], x.std(ddof=1), name + ": std")
        for share, value in numbers["quantiles"].items():
            check(value == numpy.quantile(x, float(share)), "%s: quantile %s: %r, expected %r", name, share, value,
                  numpy.quantile(x, float(share)))
        bins, edges = numpy.histogram(x, 20)
        check(numbers["histogram"]["counts"] == bins.tolist(), "%s: histogram", name)
        check(numbers["histogram"]["edges"] == edges.tolist(), "%s: edges", name)
    theirs = frame[numeric].astype(float).corr()
    matrix = profile["correlation"]
    for a, row in zip(matrix["columns"], matrix["matrix"]):
        for b, value in zip(matrix["columns"], row):
            near(value, theirs.loc[a, b], f"correlation {a}, {b}", 1e-9)


def against_pandas(folder, name, *arguments):
    if not pandas:
        raise Skip("no Python with numpy and pandas")
    data = unpacked(real(folder, name)) if name.endswith(".gz") else open(real(folder, name), "rb").read()
    frame = pandas.read_csv(__import__("io").BytesIO(data), keep_default_na=False, na_values=["", "NA", "NaN", "null"],
                            low_memory=False)
    job = Inputs(a=data).run(*arguments)
    compare(job.profile, frame)
    Page(job.bytes("profile.html").decode())
    return job


@claim
def numbers_are_those_of_pandas_on_adult():
    against_pandas("adult", "adult_train.csv.gz")


@claim
def numbers_are_those_of_pandas_on_housing_with_missing_cells():
    against_pandas("california-housing", "housing.csv")


@claim
def numbers_are_those_of_pandas_on_credit_default():
    against_pandas("credit-default", "rawdata.csv.gz")


def leaky(n=400):
    """A label that columns give away, and one that says nothing."""
    rng = random.Random(SEED)
    rows = ["id,x,same,coded,noisy,constant,twice,y"]
    for i in range(n):
        y = rng.randrange(2)
        x = rng.random()
        rows.append(f"r{i},{x},{y},{'no yes'.split()[y]},{y * 10 + rng.random()},7,{x},{y}")
    return "\n".join(rows) + "\n"


@claim
def columns_that_equal_or_tell_the_label_are_found_and_others_are_not():
    job = Inputs(a=leaky()).run("--label", "y")
    found = {name: one["findings"] for name, one in job.columns.items()}
    check(found == {"id": ["unique"], "x": [], "same": ["is_label"], "coded": ["is_label"], "noisy": ["tells_label"],
                    "constant": ["constant"], "twice": ["repeats"], "y": []}, "%s", found)
    check(job.columns["x"]["alone"] < 0.65, "x: %s", job.columns["x"]["alone"])
    contains(job.bytes("profile.html").decode(), "equals the label, value for value", "predicts the label alone")
    contains(open(job.path("output/message")).read(), "profile of 400 rows of 8 columns")


@claim
def a_number_to_predict_has_its_giveaways_too():
    rng = random.Random(SEED)
    rows = ["x,twice,y"] + [f"{rng.random()},{3 - 2 * y},{y}" for y in (rng.gauss(0, 1) for _ in range(500))]
    job = Inputs(a="\n".join(rows)).run("--label", "2")
    check(job.profile["alone"] == {"measure": "r2", "classes": 0}, "%s", job.profile["alone"])
    check(job.columns["twice"]["findings"] == ["tells_label"] and job.columns["x"]["findings"] == [], "findings")


@claim
def the_profile_is_the_same_bytes_at_any_number_of_threads():
    data = leaky(3000)
    first, second = Inputs(a=data).run("--label", "y", threads="1"), Inputs(a=data).run("--label", "y", threads="3")
    for name in ("profile.json", "profile.html"):
        check(first.bytes(name) == second.bytes(name), "%s differs", name)
    check(scratch not in first.bytes().decode() + first.bytes("profile.html").decode(), "a path of this machine")


@claim
def with_profile_the_split_is_written_too_and_the_plan_tells_label_and_missing_texts():
    plan = {"label": "y", "missing": ["?"]}
    rows = "a,y\n" + "".join(f"{i if i % 5 else '?'},{'no yes'.split()[i % 2]}\n" for i in range(100))
    job = Inputs(a=rows, plan=json.dumps(plan)).run(verb="--profile")
    check(job.profile["label"] == "y" and job.columns["a"]["missing"] == 20, "%s", job.columns["a"])
    check(job.columns["a"]["type"] == "integer", "type")
    check(os.path.exists(job.path("processing/train/train_data.csv")), "no train_data.csv")


HOSTILE = '<script>alert(1)</script>"\'&\u202e'


@claim
def hostile_names_and_values_stay_text_on_the_page():
    quoted = '"' + HOSTILE.replace('"', '""') + '"'
    rows = f"{quoted},b\n" + "".join(f"{quoted},{i}\n" for i in range(20)) + f'"{"x" * 100000}",1\n'
    job = Inputs(a=rows).run()
    page = Page(job.bytes("profile.html").decode())
    check("script" not in page.names and "img" not in page.names, "tags: %s", set(page.names))
    check(not [one for one in page.attributes if one[0] in ("src", "href", "onclick", "onerror")], "attributes")
    contains(page.text, HOSTILE)
    check(len(page.text) < 20000, "a long cell reached the page: %s", len(page.text))
    check(max(len(one["value"]) for one in job.columns[HOSTILE]["top"]) <= 201, "a long cell reached the JSON")


@claim
def the_page_needs_nothing_from_elsewhere():
    page = Inputs(a=leaky()).run("--label", "y").bytes("profile.html").decode()
    for word in ("http:", "https:", "<script", "<link", "<img", "@import", "url("):
        check(word not in page, "%r is in the page", word)
    contains(page, "width=device-width", "prefers-color-scheme:dark", "<svg", "default-src 'none'")


@claim
def odd_cells_are_counted_not_refused():
    rows = "a,b,c\n1,inf,x\n2,-Infinity,1\n3,1e999,\nnan,5,?\n\"\",nan,\"a\nb\"\n"
    columns = Inputs(a=rows).run().columns
    check(columns["a"]["missing"] == 2 and columns["a"]["type"] == "integer", "a: %s", columns["a"])
    check(columns["b"]["numbers"]["infinite"] == 3 and "infinite" in columns["b"]["findings"], "b: %s", columns["b"])
    check(columns["b"]["numbers"]["mean"] == 5, "b: %s", columns["b"])
    check(columns["c"]["type"] == "mixed" and columns["c"]["missing"] == 1, "c: %s", columns["c"])


@claim
def one_row_one_column_and_ten_thousand_columns_are_profiled():
    one = Inputs(a="a,b\n1,x\n").run("--profile-only").columns
    check(one["a"]["numbers"]["std"] is None and one["a"]["numbers"]["mean"] == 1, "%s", one)
    single = Inputs(a="1\n2\n2\n").run().profile
    check(single["columns"] == 1 and single["repeated_rows"]["rows"] == 1, "%s", single)
    n = 10000
    rows = ",".join(f"c{i}" for i in range(n)) + "\n" + "".join(",".join(str((i * r) % 7) for i in range(n)) + "\n"
                                                                for r in range(5))
    job = Inputs(a=rows).run()
    check(len(job.profile["profile"]) == n and job.profile["correlation"]["left_out"] == n - 128, "columns")
    contains(Page(job.bytes("profile.html").decode()).text, "The first 300 of 10000")


@claim
def what_is_no_table_is_refused_with_a_sentence():
    contains(Inputs(a=bytes(range(256)) * 20).run(rc=1).stderr, "a.csv")
    contains(Inputs(a="a,b\n").run("--label", "a", rc=1).stderr, "No data")
    contains(Inputs(a="").run(rc=1).stderr, "no .csv file in the inputs")
    contains(Inputs(a="a,b\n1,2\n").run("--label", "c", rc=1).stderr, "label 'c'", "has no such column")
    contains(Inputs(a="1,2\n3,4\n").run("--label", "2", rc=1).stderr, "label 2", "has 2 columns (0 to 1)")
    contains(Inputs(a="1,2\n").run("--label", "0", rc=64, verb="--plan=x").stderr, "--label is of --profile")


sys.exit(main())
