#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Processing jobs, end to end: files and places, arguments, messages, refusals."""
from harness import *

PLAN = {"label": "Label", "columns": [{"columns": "PAY_AMT1", "steps": ["standardize"]},
                                      {"columns": "BILL_AMT1", "steps": ["minmax"]}, {"columns": "*"}],
        "split": {"test": 0.2, "seed": 0}}
TRAIN = "3fa5aeea623d048fe03f0349121a4a453d25d5e4fd1090c0a9543ad0bb1af16e"
TEST = "d16a06b5669ff9e875e9f7f630c45e1611123c8807dd6bf045c477ba38a1d8fd"


class Processing:
    """A folder that stands for /opt/ml in a Processing job."""

    def __init__(self, inputs, plan=None, config=None):
        self.root = tempfile.mkdtemp(prefix="process-", dir=scratch)
        for name, content in inputs.items():
            self.write("processing/input/" + name, content)
        if plan is not None:
            self.write("processing/input/plan.json", plan if isinstance(plan, str) else json.dumps(plan))
        if config is not None:
            self.write("config/processingjobconfig.json", json.dumps(config))

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def write(self, name, content):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        return path

    def run(self, *arguments, rc=0, verb=("process",), environment=None):
        env = dict(os.environ, **(environment or {}))
        root = [] if environment else ["--root", self.root]
        done = subprocess.run([BOOSTLENS, *verb, *root, *arguments], env=env, capture_output=True, text=True,
                              errors="replace", timeout=HANG, check=False)
        self.stderr = done.stderr
        check(done.returncode == rc, "exit %s, expected %s: %s", done.returncode, rc, done.stderr[-1500:])
        check(done.stdout == "", "stdout is not empty: %s", done.stdout[:200])
        return self

    def read(self, *parts):
        with open(self.path(*parts), encoding="utf-8") as file:
            return file.read()

    def exists(self, *parts):
        return os.path.exists(self.path(*parts))

    @property
    def message(self):
        return self.read("output/message")


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


ROWS = "a,b,y\n" + "".join(f"{i},{'xyz'[i % 3]},{i % 2}\n" for i in range(10))


@claim
def the_notebooks_files_come_byte_for_byte():
    job = Processing({"rawdata.csv": unpacked(real("credit-default/rawdata.csv.gz"))}, PLAN).run()
    check(sha(job.read("processing/train/train_data.csv")) == TRAIN, "train_data.csv differs")
    check(sha(job.read("processing/test/test_data.csv")) == TEST, "test_data.csv differs")
    headers = job.read("processing/train_headers/train_data_headers.csv").split("\n", 1)
    check(headers[0].startswith("Label,PAY_AMT1,BILL_AMT1,LIMIT_BAL,SEX,"), headers[0])
    check(sha(headers[1]) == TRAIN, "train_data_headers.csv has other rows")
    check(not job.exists("processing/validation"), "there is a validation file nobody asked for")
    contains(job.message, "24000 training, 6000 test")
    fitted = json.loads(job.read("processing/fitted/plan.json"))["fitted"]["columns"]
    check(fitted[0]["made"][0]["steps"][0] == {"step": "standardize", "mean": 5674.108208333333,
                                               "scale": 16616.413248770503}, fitted[0])


@claim
def the_scripts_arguments_win_over_the_plan():
    job = Processing({"rawdata.csv": unpacked(real("credit-default/rawdata.csv.gz"))},
                     {**PLAN, "split": {"test": 0.5, "seed": 7}})
    job.run("--train-test-split-ratio", "0.2", "--random-split", "0")
    check(sha(job.read("processing/train/train_data.csv")) == TRAIN, "train_data.csv differs")


@claim
def without_a_plan_rows_are_split_and_cells_stay():
    job = Processing({"rows.csv": ROWS}).run()
    rows = job.read("processing/train/train_data.csv") + job.read("processing/test/test_data.csv")
    check(sorted(rows.split()) == sorted(ROWS.split()[1:]), rows)
    check(len(job.read("processing/test/test_data.csv").split()) == 3, "the default share is 0.3")
    check(job.read("processing/train_headers/train_data_headers.csv").startswith("a,b,y\n"), "no header")
    contains(job.stderr, "no plan")


@claim
def an_image_run_without_argument_works_by_its_config():
    config = {"ProcessingInputs": [{"InputName": "in", "S3Input": {"LocalPath": "/opt/ml/processing/input",
                                                                   "S3InputMode": "File"}}],
              "ProcessingOutputConfig": {"Outputs": [
                  {"OutputName": "train_data", "S3Output": {"LocalPath": "/opt/ml/processing/out/a"}},
                  {"OutputName": "test", "S3Output": {"LocalPath": "/opt/ml/processing/out/b"}}]}}
    job = Processing({"rows.csv": ROWS}, config=config)
    job.run(verb=(), environment={"SAGEMAKER_BASE_DIR": job.root})
    check(job.exists("processing/out/a/train_data.csv") and job.exists("processing/out/b/test_data.csv"),
          "the outputs are not where the config says")
    check(job.exists("processing/fitted/plan.json"), "an output that the config does not name has its own place")
    job.run("--train-test-split-ratio", "0.5", verb=(), environment={"SAGEMAKER_BASE_DIR": job.root})
    check(len(job.read("processing/out/b/test_data.csv").split()) == 5, "the argument was not taken")


@claim
def a_fitted_plan_is_applied_to_other_rows_as_it_is():
    plan = {"label": "y", "columns": [{"columns": "a", "steps": ["standardize"]}, {"columns": "b", "steps": ["onehot"]}],
            "split": {"test": 0}}
    first = Processing({"rows.csv": ROWS}, plan).run()
    fitted = first.read("processing/fitted/plan.json")
    again = Processing({"rows.csv": ROWS}, fitted).run()
    check(again.read("processing/train/train_data.csv") == first.read("processing/train/train_data.csv"), "other rows")
    one = Processing({"rows.csv": "".join(ROWS.splitlines(True)[:2])}, fitted).run()
    check(one.read("processing/train/train_data.csv") == first.read("processing/train/train_data.csv").splitlines(True)[0],
          "one row alone has other bits")
    check(first.read("processing/train_headers/train_data_headers.csv").startswith("y,a,b=x,b=y,b=z\n"), "names")


@claim
def validation_rows_are_written_where_the_plan_asks():
    plan = {"label": "y", "split": {"by": "stratified", "test": 0.2, "validation": 0.2}}
    job = Processing({"rows.csv": ROWS}, plan).run()
    for name in ("test/test_data.csv", "validation/validation_data.csv"):
        labels = [line.split(",")[0] for line in job.read("processing/" + name).split()]
        check(sorted(labels) == ["0", "1"], "%s has labels %s", name, labels)


REFUSED = [
    # plan, arguments, exit, texts
    ({"lable": "y"}, (), 1, ["'plan.json'", "lable", "did you mean 'label'", "allowed here are"]),
    ({"columns": [{"columns": "a", "steps": ["standardise"]}]}, (), 1,
     ["columns[0].steps[0]", "'standardise' is no step", "did you mean 'standardize'"]),
    ({"columns": [{"columns": "a", "steps": [{"impute": "avg"}]}]}, (), 1,
     ["columns[0].steps[0].impute", "'avg'", "mean, median or mode"]),
    ({"columns": [{"columns": "c"}]}, (), 1, ["columns[0]", "column 'c'", "has not"]),
    ({"columns": [{"columns": "b", "steps": ["standardize"]}]}, (), 1, ["line 2", "column 'b'", "'x' is no number"]),
    ({"columns": [{"columns": "b", "type": "category", "steps": ["minmax"]}]}, (), 1,
     ["columns[0].steps[0]", "works on numbers", "text here"]),
    ({"columns": [{"columns": ["a", "a"]}]}, (), 1, ["columns[0]", "has another use already"]),
    ({"split": {"test": 1.5}}, (), 1, ["split.test", "1.5", "0 to 1"]),
    ({"split": {"test": 0.6, "validation": 0.5}}, (), 1, ["split", "less than 1"]),
    ({"split": {"test": 0.99}}, (), 1, ["too few"]),
    ({"split": {"by": "time", "test": 0.2}}, (), 1, ["by time needs a column"]),
    ({"columns": [{"columns": "b", "steps": [{"ordinal": {"order": ["x", "y"]}}]}]}, (), 1,
     ["column 'b'", "level 'z'", "not in \"order\""]),
    ({"columns": [{"columns": "b", "steps": ["target"]}]}, (), 1, ["target encoding needs the label"]),
    ({"rows": [{"keep": {"column": "a", "min": 100}}]}, (), 1, ["no row is left of 10"]),
    ({"label": {"column": "y", "classes": {"0": 0}}}, (), 1, ["label '1' is no class"]),
    ("{", (), 1, ["plan.json"]),
    (None, ("--train-test-split-ratio", "1"), 64, ["above 0 and below 1", "'1'"]),
    (None, ("--random-split", "-1"), 64, ["0 to 4294967295"]),
    (None, ("--plan", "/no/such/file"), 74, ["/no/such/file"]),
    (None, ("--nothing",), 64, ["unknown option '--nothing'"]),
]


@claim
def what_is_wrong_is_refused_with_its_place_and_what_is_allowed():
    for plan, arguments, rc, texts in REFUSED:
        job = Processing({"rows.csv": ROWS}, plan).run(*arguments, rc=rc)
        contains(job.stderr, *texts)
        if rc == 1:
            contains(job.message, *texts)
            check(len(job.message.encode()) <= 1024, "the message is too long")
            check(not job.exists("processing/train"), "something was written")


@claim
def inputs_that_are_not_there_or_too_many_are_told():
    contains(Processing({"x.txt": "a"}).run(rc=1).stderr, "no .csv file in the inputs")
    job = Processing({"rows.csv": ROWS})
    job.write("config/resourceconfig.json", json.dumps({"current_host": "algo-1", "hosts": ["algo-1", "algo-2"]}))
    contains(job.run(rc=1).stderr, "lists 2 hosts")
    job = Processing({"a.csv": ROWS, "b.csv": "a,y,b\n1,2,x\n"}).run()
    check(len((job.read("processing/train/train_data.csv") + job.read("processing/test/test_data.csv")).split()) == 11,
          "files with a header are put together by name")
    contains(Processing({"a.csv": ROWS, "b.csv": "a,y,c\n1,2,x\n"}).run(rc=1).stderr, "'c'", "same columns")


raise SystemExit(main())
