#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""explain and predict: a saved model on any rows gives what the job gave, and says what does not fit."""
import csv
import io

from harness import *

PACKAGES = packages("numpy", "h5py")


def apply(verb, model, data, *options, output=None, rc=0):
    """Runs the verb; returns (output path, stderr)."""
    output = output or os.path.join(tempfile.mkdtemp(dir=scratch), "out")
    command = [BOOSTLENS, verb, "--model", model, "--data", *data, "--output", output, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=HANG, check=False)
    check(done.returncode == rc, "exit %s, expected %s; stderr: %s", done.returncode, rc, done.stderr[-1500:])
    return output, done.stderr


def lines(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def predictions(model, data, *options, **more):
    return lines(apply("predict", model, data, *options, **more)[0])


@functools.lru_cache(None)
def trained():
    """A job on data/credit with everything left in place."""
    job = Job(num_round=20, objective="binary:logistic", max_depth=4)
    job.channel("train", CREDIT_TRAIN).channel("validation", CREDIT_VALIDATION)
    return job.expect(0)


def rewritten(name, change):
    """The validation rows as lists of cells, changed, in a file of their own."""
    rows = lines(CREDIT_VALIDATION)
    path = os.path.join(tempfile.mkdtemp(dir=scratch), name)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(change(row, i) for i, row in enumerate(rows))
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.getvalue())
    return path


@claim
def explaining_the_training_rows_gives_the_jobs_own_file():
    job = trained()
    folder, _ = apply("explain", job.path("model"), [CREDIT_TRAIN])
    for name in ("attributions.h5", "importance.csv"):
        with open(os.path.join(folder, name), "rb") as file:
            check(file.read() == job.read("output/data", name), "%s differs", name)
    with open(os.path.join(folder, "metrics.json"), encoding="utf-8") as file:
        mine = json.load(file)["final"]["data"]
    check(mine == job.json("output/data/metrics.json")["final"]["train"], "metrics differ")


@claim
def predicting_gives_the_jobs_predictions_to_the_last_bit():
    if not PACKAGES:
        raise Skip("no h5py (container/deps.sh test installs python3-h5py)")
    numpy, h5py = PACKAGES
    job = trained()
    rows = predictions(job.path("model"), [CREDIT_TRAIN])
    got = numpy.array([float(row[0]) for row in rows], numpy.float32)
    margins = numpy.array([float(row[0]) for row in predictions(job.path("model"), [CREDIT_TRAIN], "--type", "margin")],
                          numpy.float32)
    with h5py.File(job.path("output/data/attributions.h5")) as file:
        check(numpy.array_equal(got, file["predictions"][:]), "predictions differ")
        check(numpy.array_equal(margins, file["margins"][:]), "margins differ")
        contribs = predictions(job.path("model"), [CREDIT_TRAIN], "--type", "contribs")
        values = numpy.array(contribs, dtype=numpy.float64).astype(numpy.float32)
        check(numpy.array_equal(values[:, :-1], file["values"][:]), "contributions differ")


@claim
def the_bare_file_and_columns_in_any_order_give_the_same():
    job = trained()
    want = predictions(job.path("model"), [CREDIT_VALIDATION])
    header = lines(CREDIT_VALIDATION)[0]
    order = list(range(len(header)))
    random.Random(SEED).shuffle(order)
    shuffled = rewritten("shuffled.csv", lambda row, _: [row[i] for i in order])
    check(predictions(job.path("model"), [shuffled]) == want, "shuffled columns")
    check(predictions(job.path("model/xgboost-model"), [CREDIT_VALIDATION]) == want, "bare file beside its card")
    alone = os.path.join(tempfile.mkdtemp(dir=scratch), "any-name")
    shutil.copy(job.path("model/xgboost-model"), alone)
    check(predictions(alone, [shuffled]) == want, "bare file alone, by the names in the model")


@claim
def rows_without_label_and_without_header_are_read_by_position():
    job = trained()
    want = predictions(job.path("model"), [CREDIT_VALIDATION])
    label = lines(CREDIT_VALIDATION)[0].index(lines(CREDIT_VALIDATION)[0][0])
    path = rewritten("features.csv", lambda row, _: [cell for i, cell in enumerate(row) if i != label])
    check(predictions(job.path("model"), [path]) == want, "no label")
    with open(path, encoding="utf-8") as file:
        text = file.read().split("\n", 1)[1]
    bare = os.path.join(os.path.dirname(path), "bare.csv")
    with open(bare, "w", encoding="utf-8") as file:
        file.write(text)
    check(predictions(job.path("model"), [bare], "--header", "no") == want, "no header")


@claim
def ids_come_first_and_quoted_where_they_must():
    job = trained()
    path = rewritten("ids.csv", lambda row, i: row + (["who, when"] if i == 0 else [f"a,{i}" if i % 2 else f'b"{i}']))
    rows = predictions(job.path("model"), [path], "--id", str(len(lines(path)[0]) - 1))
    check([row[0] for row in rows[:3]] == ["a,1", 'b"2', "a,3"], "%s", rows[:3])
    check([row[1:] for row in rows] == predictions(job.path("model"), [CREDIT_VALIDATION]), "values differ")


@claim
def rows_come_from_a_pipe_and_go_to_standard_output():
    job = trained()
    want = apply("predict", job.path("model"), [CREDIT_VALIDATION])[0]
    with open(want, "rb") as file, open(CREDIT_VALIDATION, "rb") as rows:
        want, rows = file.read(), rows.read()
    for name in ("-", "/dev/stdout"):
        ran = subprocess.run([BOOSTLENS, "predict", "--model", job.path("model"), "--data", "/dev/stdin", "--output", name],
                             input=rows, capture_output=True, check=False)
        check(ran.returncode == 0, "exit %s: %s", ran.returncode, ran.stderr[-500:])
        check(ran.stdout == want, "%s: other bytes", name)
    check(os.path.islink("/dev/stdout"), "/dev/stdout was replaced")


@claim
def several_files_are_one_after_the_other():
    job = trained()
    once = predictions(job.path("model"), [CREDIT_VALIDATION])
    check(predictions(job.path("model"), [CREDIT_VALIDATION, CREDIT_VALIDATION]) == once + once, "order")


@claim
def leaves_and_rounds_are_those_asked_for():
    job = trained()
    rows = predictions(job.path("model"), [CREDIT_VALIDATION], "--type", "leaf", "--trees", "2:5")
    check({len(row) for row in rows} == {3} and all(cell.isdigit() for cell in rows[0]), "%s", rows[0])
    all_rows = predictions(job.path("model"), [CREDIT_VALIDATION], "--type", "leaf")
    check([row[2:5] for row in all_rows] == rows, "rounds 2 to 5")
    _, stderr = apply("predict", job.path("model"), [CREDIT_VALIDATION], "--trees", "5:99", rc=1)
    contains(stderr, "--trees 5:99", "0:20")


@claim
def what_does_not_fit_is_said_and_nothing_is_left():
    job = trained()
    cases = [
        (rewritten("few.csv", lambda row, _: row[:5]), "lacks column"),
        (os.path.join(scratch, "nowhere.csv"), "nowhere.csv"),
        (rewritten("text.csv", lambda row, i: row[:-1] + ["abc"] if i == 3 else row), "line 4"),
    ]
    for path, says in cases:
        output, stderr = apply("predict", job.path("model"), [path], rc=74 if "nowhere" in path else 1)
        contains(stderr, says)
        check(not os.path.exists(output) and not os.listdir(os.path.dirname(output)), "something is left: %s", output)
    _, stderr = apply("predict", scratch, [CREDIT_VALIDATION], rc=1)
    contains(stderr, "neither xgboost-model nor xgboost-model-0")
    broken = os.path.join(tempfile.mkdtemp(dir=scratch), "model")
    with open(broken, "wb") as file:
        file.write(b"\x80\x04\x95rest of a pickle")
    _, stderr = apply("predict", broken, [CREDIT_VALIDATION], rc=1)
    contains(stderr, "pickle")


@claim
def an_extra_column_is_ignored_with_one_warning():
    job = trained()
    path = rewritten("extra.csv", lambda row, i: ["note" if i == 0 else "7"] + row)
    output, stderr = apply("predict", job.path("model"), [path])
    check(lines(output) == predictions(job.path("model"), [CREDIT_VALIDATION]), "values differ")
    contains(stderr, "WARNING", "note")


@claim
def a_wrong_command_line_is_exit_64():
    for words in (["predict"], ["predict", "--model", "m"], ["explain", "--model", "m", "--data", "d", "--output", "o", "--type", "leaf"],
                  ["predict", "--model", "m", "--data", "d", "--output", "o", "--type", "shap"],
                  ["predict", "--model", "m", "--data", "d", "--output", "o", "--nthread", "0"]):
        done = subprocess.run([BOOSTLENS, *words], capture_output=True, text=True, timeout=HANG, check=False)
        check(done.returncode == 64, "%s: exit %s", words, done.returncode)
        contains(done.stderr, "boostlens help")


@claim
def text_categories_are_coded_by_the_models_own_table():
    colours = ["red", "green", "blue", "amber"]
    rng = random.Random(SEED)
    rows = [(colours[rng.randrange(4)], rng.random()) for _ in range(400)]
    text = "y,colour,x\n" + "".join(f"{colours.index(c) + x:.3f},{c},{x:.3f}\n" for c, x in rows)
    job = Job(num_round=10, objective="reg:squarederror", enable_categorical="true", bl_label="y")
    job.channel("train", ("a.csv", text)).expect(0)
    few = os.path.join(tempfile.mkdtemp(dir=scratch), "few.csv")
    with open(few, "w", encoding="utf-8") as file:
        file.write("colour,x\nred,0.5\nblue,0.5\n")
    alone = os.path.join(os.path.dirname(few), "model.bin")
    shutil.copy(job.path("model/xgboost-model"), alone)
    with_card = predictions(job.path("model"), [few])
    check(predictions(alone, [few]) == with_card, "the table in the model and the card's differ")
    check(abs(float(with_card[0][0]) - 0.5) < 0.6 and abs(float(with_card[1][0]) - 2.5) < 0.6, "%s", with_card)
    with open(few, "a", encoding="utf-8") as file:
        file.write("mauve,0.5\n")
    _, stderr = apply("predict", job.path("model"), [few], rc=1)
    contains(stderr, "mauve", "colour")
    check(len(predictions(job.path("model"), [few], "--unseen", "missing")) == 3, "unseen as missing")


@claim
def the_folds_of_a_job_predict_their_mean():
    job = Job(num_round=5, objective="binary:logistic", _kfold=3)
    job.channel("train", CREDIT_TRAIN).expect(0)
    each = [predictions(job.path(f"model/xgboost-model-{i}"), [CREDIT_VALIDATION]) for i in range(3)]
    mean = predictions(job.path("model"), [CREDIT_VALIDATION])
    for i, row in enumerate(mean):
        want = sum(float(fold[i][0]) for fold in each) / 3
        check(abs(float(row[0]) - want) < 1e-7, "row %d: %s, expected %s", i, row[0], want)


if __name__ == "__main__":
    sys.exit(main())
