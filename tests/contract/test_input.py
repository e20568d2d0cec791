#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Config files, channels, headers and cells as users bring them."""
import gzip

from harness import *

H5PY = packages("numpy", "h5py")


def model_of(job):
    return job.read("model/xgboost-model")


def rows(n=60, text="{label},{a},{b}\n"):
    rng = random.Random(SEED)
    lines = []
    for _ in range(n):
        a, b = rng.randrange(100), rng.randrange(100)
        lines.append(text.format(label=int(a + b > 100), a=a, b=b))
    return "".join(lines)


@claim
def hyperparameters_are_read_in_every_dialect_in_use():
    reference = model_of(small_job(num_round="4", eta="0.5", eval_metric="auc,logloss").expect(0))
    dialects = {
        "JSON numbers": {"num_round": 4, "eta": 0.5, "max_depth": 3, "nthread": 1, "eval_metric": "auc,logloss"},
        "encoded twice": {"num_round": "\"4\"", "eta": "\"0.5\"", "objective": "\"binary:logistic\"",
                          "eval_metric": "\"auc,logloss\""},
        "a list": {"num_round": "4", "eta": "0.5", "eval_metric": ["auc", "logloss"]},
        "a list as text": {"num_round": "4", "eta": "0.5", "eval_metric": "[\"auc\", \"logloss\"]"},
        "blanks around": {"num_round": " 4 ", "eta": "0.5 ", "eval_metric": "auc, logloss"},
        "null": {"num_round": "4", "eta": "0.5", "gamma": None, "eval_metric": "auc,logloss"},
        "an alias": {"num_round": "4", "learning_rate": "0.5", "eval_metric": "auc,logloss"},
        "SageMaker's own": {"num_round": "4", "eta": "0.5", "eval_metric": "auc,logloss", "sagemaker_region": "\"eu-west-1\"",
                            "sagemaker_job_name": "\"x\"", "sagemaker_container_log_level": "20"},
    }
    for name, settings in dialects.items():
        job = small_job(**settings)
        job.run()
        check(job.rc == 0, "%s: exit %s: %s", name, job.rc, job.failure)
        check(model_of(job) == reference, "%s: another model", name)


@claim
def unknown_keys_and_files_in_the_config_folder_are_ignored():
    reference = model_of(small_job().expect(0))
    job = small_job()
    job.channels["train"]["Future"] = {"a": [1]}
    job.configure()
    job.config("init-config.json", "{]")
    job.config("trainingjobconfig.json", "nothing of ours")
    job.config("debughookconfig.json", {"LocalPath": "/x", "S3OutputPath": "s3://x"})
    job.config("resourceconfig.json", {
        "current_group_name": "homogeneousCluster", "current_host": "algo-1", "current_instance_type": "ml.m5.xlarge",
        "hosts": ["algo-1"], "instance_groups": [{"instance_group_name": "homogeneousCluster", "instance_type":
                                                  "ml.m5.xlarge", "hosts": ["algo-1"]}],
        "network_interface_name": "eth0", "topology": None})
    job.write_config = False
    check(model_of(job.expect(0)) == reference, "another model")


@claim
def local_mode_and_fastfile_work():
    reference = model_of(small_job().expect(0))
    for settings in ({"S3DistributionType": None, "RecordWrapperType": None},
                     {"TrainingInputMode": "FastFile"}, {"S3DistributionType": "ShardedByS3Key"}):
        job = Job(**small_job().hyperparameters)
        job.channel("train", ("a.csv", small()), **settings)
        job.channel("validation", ("b.csv", small(seed=SEED + 1)), **settings)
        check(model_of(job.expect(0)) == reference, "%s: another model", settings)


@claim
def a_read_only_input_is_enough():
    job = small_job()
    job.configure()
    subprocess.run(["chmod", "-R", "a-w", job.path("input")], check=True)
    before = sorted(os.listdir(job.path("input/data/train")))
    job.write_config = False
    job.expect(0)
    check(sorted(os.listdir(job.path("input/data/train"))) == before, "something was written beside the data")


@claim
def a_root_with_blanks_and_letters_works():
    job = small_job("a job with blanks, ü and 'quotes'")
    job.expect(0)


@claim
def a_missing_train_channel_is_named():
    job = Job(num_round="2", objective="binary:logistic")
    job.channel("validation", ("b.csv", small()))
    job.expect(1)
    contains(job.failure, "train")
    job = Job(num_round="2").expect(1)
    contains(job.failure, "train")


@claim
def an_unknown_channel_is_refused_with_the_nearest_name():
    for wrong, right in (("training", "train"), ("validate", "validation"), ("tset", "test")):
        job = small_job()
        job.channel(wrong, ("a.csv", small()))
        job.expect(1)
        contains(job.failure, f"'{wrong}'", right)


@claim
def a_channel_without_its_folder_or_without_rows_is_named():
    job = small_job()
    shutil.rmtree(job.path("input/data/validation"))
    job.expect(1)
    contains(job.failure, "validation")
    for files in ([], [("_SUCCESS", "")], [("empty.csv", "")]):
        job = Job(num_round="2", objective="binary:logistic")
        job.channel("train", *files)
        job.expect(1)
        contains(job.failure, "train")


@claim
def config_files_that_are_broken_are_named_with_their_place():
    cases = (("hyperparameters.json", "{\"num_round\": \"3\",\n \"eta\" }"), ("hyperparameters.json", "[]"),
             ("inputdataconfig.json", "{"), ("inputdataconfig.json", "\"x\""), ("resourceconfig.json", "{]"),
             ("hyperparameters.json", b"\xff\xfe"), ("hyperparameters.json", ""))
    for name, body in cases:
        job = small_job()
        job.configure()
        with open(job.path("input/config", name), "wb") as file:
            file.write(body if isinstance(body, bytes) else body.encode())
        job.write_config = False
        job.expect(1)
        contains(job.failure, name)
        if "\n" in str(body):
            contains(job.failure, "line 2")


@claim
def a_missing_hyperparameters_file_is_named():
    job = small_job()
    job.configure()
    os.remove(job.path("input/config/hyperparameters.json"))
    job.write_config = False
    job.run()
    check(job.rc in (1, 74), "exit %s", job.rc)
    contains(job.failure, "hyperparameters.json")


@claim
def a_header_row_is_found_used_and_never_trained_on():
    body = rows()
    plain = small_job(data=body, validation=False).expect(0)
    named = small_job(data="y,income,age\n" + body, validation=False).expect(0)
    check(plain.metrics("train")["rows"] == named.metrics("train")["rows"] == 60, "rows: %s", named.metrics("train"))
    check(plain.metrics("train") == named.metrics("train"), "other metrics")
    check({row["feature"] for row in named.importance()} == {"income", "age"}, "%s", named.importance())
    check({row["feature"] for row in plain.importance()} == {"f0", "f1"}, "%s", plain.importance())


@claim
def xgboost_model_carries_the_headers_names_but_never_made_up_ones():
    named = small_job(data="y,income,age\n" + rows(), validation=False).expect(0)
    plain = small_job(data=rows(), validation=False).expect(0)
    contains(model_of(named).decode("latin-1"), "income", "age")
    check(b"f0" not in model_of(plain), "f0 is in the model")


@claim
def header_doubts_are_refused_naming_bl_header():
    cases = {
        "some cells numbers": "y,1,age\n" + rows(),
        "duplicate names": "y,a,a\n" + rows(),
        "an empty name": "y,,age\n" + rows(),
        "column numbers": "0,1,2,3\n" + rows(text="{label},{a},{b},1\n"),
    }
    for name, body in cases.items():
        job = small_job(data=body, validation=False)
        job.run()
        check(job.rc == 1, "%s: exit %s: %s", name, job.rc, job.failure)
        contains(job.failure, "bl_header")


@claim
def bl_header_yes_and_no_rule():
    job = small_job(data="1,2,3\n" + rows(), validation=False, bl_header="yes").expect(0)
    check({row["feature"] for row in job.importance()} == {"2", "3"}, "%s", job.importance())
    job = small_job(data="y,a,b\n" + rows(), validation=False, bl_header="no").expect(1)
    contains(job.failure, "line 1")


@claim
def a_label_is_found_by_name_and_channels_are_matched_by_name():
    first = small_job(data="a,b,y\n" + rows(text="{a},{b},{label}\n"), validation=False, bl_label="y")
    first.channel("validation", ("v.csv", "y,b,a\n" + rows(text="{label},{b},{a}\n")))
    first.expect(0)
    check(first.metrics("train") == first.metrics("validation"), "the columns were not matched by name")
    job = small_job(data="a,b,y\n" + rows(text="{a},{b},{label}\n"), validation=False, bl_label="z").expect(1)
    contains(job.failure, "z")


@claim
def line_ends_bom_delimiters_quotes_and_gzip_change_nothing():
    body = rows()
    reference = model_of(small_job(data=body, validation=False).expect(0))
    forms = {
        "CRLF": body.replace("\n", "\r\n"), "CR": body.replace("\n", "\r"), "byte order mark": "\ufeff" + body,
        "no newline at the end": body.rstrip("\n"), "semicolons": body.replace(",", ";"), "tabs": body.replace(",", "\t"),
        "bars": body.replace(",", "|"), "blanks": body.replace(",", " "), "blank lines": body.replace("\n", "\n\n"),
        "quotes": "".join('"' + line.replace(",", '","') + '"\n' for line in body.splitlines()),
        "blanks around": body.replace(",", " , "), "gzip": gzip.compress(body.encode()),
    }
    for name, form in forms.items():
        job = small_job(data=form, validation=False)
        job.run()
        check(job.rc == 0, "%s: exit %s: %s", name, job.rc, job.failure)
        check(model_of(job) == reference, "%s: another model", name)


@claim
def content_types_are_read_with_parameters_and_any_case():
    reference = model_of(small_job(data=rows(), validation=False).expect(0))
    for content_type in ("csv", "text/csv", "TEXT/CSV", "text/csv;label_size=1", "text/csv; label_size=1", None):
        job = Job(**small_job().hyperparameters)
        job.channel("train", ("a.csv", rows()), content_type=content_type)
        job.run()
        check(job.rc == 0, "%s: exit %s: %s", content_type, job.rc, job.failure)
        check(model_of(job) == reference, "%s: another model", content_type)
    for content_type in ("text/csv;label_size=2", "image/png", "text/libsvm", "application/x-recordio-protobuf",
                         "application/x-parquet"):
        job = Job(**small_job().hyperparameters)
        job.channel("train", ("a.csv", rows()), content_type=content_type)
        job.expect(1)
        contains(job.failure, "train", content_type.split(";")[0].split("/")[1].replace("x-", "").split("-")[0])


@claim
def pipe_mode_and_several_hosts_are_refused_by_name():
    job = Job(**small_job().hyperparameters)
    job.channel("train", ("a.csv", rows()), TrainingInputMode="Pipe").expect(1)
    contains(job.failure, "Pipe")
    job = small_job()
    job.configure()
    job.config("resourceconfig.json", {"current_host": "algo-1", "hosts": ["algo-1", "algo-2"]})
    job.write_config = False
    job.expect(1)
    contains(job.failure, "2", "host")


@claim
def hidden_empty_and_marker_files_are_skipped_with_a_note():
    reference = small_job(data=rows(), validation=False).expect(0)
    job = Job(**small_job().hyperparameters)
    job.channel("train", ("a.csv", rows()), (".hidden", "1,x\n"), ("_SUCCESS", ""), ("_temporary/part.csv", "bad,bad\n"),
                (".git/config", "[x]\n"), ("empty.csv", ""))
    with open(job.path("input/data/train-manifest"), "w", encoding="utf-8") as file:
        file.write("s3://bucket/prefix\n")
    job.expect(0)
    check(model_of(job) == model_of(reference), "another model")
    notes = [line for line in job.stderr.splitlines() if "skipped" in line or "left out" in line]
    check(notes, "no note: %s", job.stderr)


@claim
def links_stay_inside_the_root():
    outside = os.path.join(scratch, "outside.csv")
    with open(outside, "w", encoding="utf-8") as file:
        file.write(rows())
    job = Job(**small_job().hyperparameters)
    job.channel("train", ("a.csv", rows()))
    os.symlink(outside, job.path("input/data/train/b.csv"))
    job.expect(1)
    contains(job.failure, "b.csv")
    job = Job(**small_job().hyperparameters)
    job.channel("train", ("a.csv", rows()))
    os.makedirs(job.path("input/store"))
    os.rename(job.path("input/data/train/a.csv"), job.path("input/store/a.csv"))
    os.symlink("../../store/a.csv", job.path("input/data/train/a.csv"))
    job.expect(0)


# What the built-in image makes of a cell silently (contract.md 2.8), and what is done here.
CELLS = (
    ("", None), ("NA", None), ("nan", None), ("NULL", None), ("   ", None), ('""', None),
    ("1.5e3", 1500), ("-.5e0", -0.5), ("2E+3", 2000), ("1e-10", 1e-10), ("+7", 7), ("007", 7), ('"5"', 5), (" 5 ", 5),
    ("?", "'?'"), ("abc", "'abc'"), ("female", "'female'"), ("east", "'east'"), ("f1", "'f1'"), ("-", "'-'"), ("+", "'+'"),
    (".", "'.'"), ("nancy", "'nancy'"), ("infant", "'infant'"), ("inf", "inf"), ("-Infinity", "nfinity"),
    ("2020-01-01", "'2020-01-01'"), ("5 USD", "'5 USD'"), ("0x10", "'0x10'"), ("1f", "'1f'"), ("1_000", "'1_000'"),
    ("1.79769313486e+308", "1.79769313486e+308"), ("1e39", "1e39"), ("1,5", "4 cells"),
)


@claim
def every_cell_of_the_built_in_images_table_is_a_value_missing_or_an_error_with_its_place():
    lines = rows().splitlines()
    wrong = []
    for cell, want in CELLS:
        for column in (1, 2):  # mid-line and at the end of the line
            cells = lines[9].split(",")
            cells[column] = cell
            body = "\n".join(lines[:9] + [",".join(cells)] + lines[10:]) + "\n"
            job = small_job(data=body, validation=False)
            job.run()
            where = f"{cell!r} in column {column}"
            if isinstance(want, str):
                if job.rc != 1 or "line 10" not in job.failure or want not in job.failure or "a.csv" not in job.failure:
                    wrong.append(f"{where}: exit {job.rc}: {job.failure}")
            elif job.rc != 0:
                wrong.append(f"{where}: exit {job.rc}: {job.failure}")
            elif H5PY:
                numpy, h5py = H5PY
                with h5py.File(job.path("output/data/attributions.h5")) as file:
                    got = file["data"][9, column - 1]
                    if len(file["data"]) != 60:
                        wrong.append(f"{where}: {len(file['data'])} rows")
                if (want is None and not numpy.isnan(got)) or (want is not None and got != numpy.float32(want)):
                    wrong.append(f"{where}: {got}, expected {want}")
    check(not wrong, "%s", "; ".join(wrong))


@claim
def true_and_false_are_1_and_0():
    body = rows()
    reference = model_of(small_job(data=rows(text="{label},{a},{label}\n"), validation=False).expect(0))
    truth = "".join(line.rsplit(",", 1)[0] + (",True" if line.endswith("1") else ",FALSE") + "\n"
                    for line in rows(text="{label},{a},{label}\n").splitlines())
    check(truth != body, "no truth values")
    check(model_of(small_job(data=truth, validation=False).expect(0)) == reference, "another model")


@claim
def short_and_long_rows_are_refused_with_file_and_line():
    for line in ("1,2\n", "1,2,3,4\n"):
        job = small_job(data=rows(20) + line + rows(5), validation=False).expect(1)
        contains(job.failure, "train", "a.csv", "line 21", "3")


@claim
def a_missing_or_wrong_label_or_weight_is_refused_with_its_place():
    for line, word in ((",2,3\n", "label"), ("x,2,3\n", "line 21"), ("2,2,3\n", "label"), ("-1,2,3\n", "label")):
        job = small_job(data=rows(20) + line, validation=False).expect(1)
        contains(job.failure, word)
    for weight in ("", "-1", "x"):
        job = small_job(data=rows(20, "{label},1,{a},{b}\n") + f"1,{weight},2,3\n", validation=False, csv_weights="1").expect(1)
        contains(job.failure, "line 21")


@claim
def the_number_of_columns_must_agree_between_channels():
    job = small_job(data=rows(), validation=False)
    job.channel("validation", ("v.csv", rows(text="{label},{a},{b},1\n")))
    job.expect(1)
    contains(job.failure, "validation", "4", "3")


@claim
def one_very_long_line_is_read():
    n = 2000 if SHORT else 300000
    body = "".join(f"{i % 2}," + ",".join(["1E-06"] * (n - 1) + [str(i)]) + "\n" for i in range(4))
    job = small_job(data=body, validation=False, num_round="1", bl_explain="none", min_child_weight="0").expect(0)
    check(job.metrics("train")["rows"] == 4, "%s rows", job.metrics("train")["rows"])


@claim
def text_columns_are_refused_or_become_categories():
    body = "y,sex,age\n" + "".join(f"{i % 2},{('male', 'female')[i % 2]},{i}\n" for i in range(40))
    job = small_job(data=body, validation=False, bl_header="yes").expect(1)
    contains(job.failure, "sex", "male", "enable_categorical")
    job = small_job(data=body, validation=False, bl_header="yes", enable_categorical="true").expect(0)
    contains(json.dumps(job.json("model/boostlens/boostlens.json")), "female", "male")
    seen = small_job(data=body, validation=False, bl_header="yes", enable_categorical="true")
    seen.channel("validation", ("v.csv", "y,sex,age\n1,other,3\n"))
    seen.expect(1)
    contains(seen.failure, "other", "sex", "validation")


raise SystemExit(main())
