# SPDX-License-Identifier: Apache-2.0
"""Jobs that are interrupted and started again until they are done, as on Spot machines: between two
attempts everything is gone but the input and the checkpoints. Shared by test_checkpoints.py (short) and
tests/kill.py (long)."""
import glob
import itertools

from harness import *

ROWS = int(os.environ.get("KILL_ROWS", "3000"))
NAME = {"TRAINING_JOB_NAME": "spot-job"}

# Name, hyperparameters, what else the job has. All sample, so that a resume which is not bit for bit shows.
KINDS = [
    ("subsample", {"subsample": "0.5", "seed": "3"}, ()),
    ("colsample", {"colsample_bytree": "0.6", "colsample_bylevel": "0.7", "colsample_bynode": "0.7"}, ()),
    ("dart", {"booster": "dart", "rate_drop": "0.2", "subsample": "0.7", "num_round": "50"}, ()),
    ("early stopping", {"early_stopping_rounds": "8", "eta": "0.1", "subsample": "0.6", "num_round": "200"}, ()),
    ("parallel trees", {"num_parallel_tree": "3", "subsample": "0.5", "colsample_bynode": "0.6"}, ()),
    ("k-fold", {"_kfold": "3", "subsample": "0.5", "num_round": "25"}, ()),
    ("gradient based", {"tree_method": "hist", "sampling_method": "gradient_based", "subsample": "0.3"}, ()),
    ("lossguide", {"grow_policy": "lossguide", "max_leaves": "12", "max_depth": "0", "subsample": "0.7"}, ()),
    ("approx", {"tree_method": "approx", "subsample": "0.6"}, ()),
    ("exact", {"tree_method": "exact", "subsample": "0.6", "colsample_bylevel": "0.6"}, ()),
    ("continued", {"subsample": "0.6"}, ("model",)),
    ("two threads", {"subsample": "0.5", "nthread": "2"}, ()),
]


def make(kind, **more):
    """A job of this kind; where it goes on from a model, one that was trained once."""
    _, settings, extras = kind
    settings = dict({"num_round": "60", "max_depth": "4", "bl_checkpoint_seconds": "0", "eval_metric": "auc,logloss",
                     "bl_explain": "both"}, **settings)
    settings.update(more)
    job = small_job(data=train_rows(), validation=False, **settings)
    job.channel("validation", ("b.csv", small(400, 6, seed=SEED + 1)))
    if "model" in extras:
        job.channel("model", start_model(), content_type=None)
    return job


@functools.lru_cache(maxsize=None)
def train_rows():
    return small(ROWS, 6)


@functools.lru_cache(maxsize=None)
def start_model():
    job = small_job(data=small(500, 6), validation=False, num_round="4").expect(0)
    return job.path("model/xgboost-model")


def with_checkpoints(job):
    job.config("checkpointconfig.json", {"LocalPath": "/opt/ml/checkpoints"})
    return job


def new_machine(job):
    """What a new machine does not have."""
    for name in ("model", "output"):
        shutil.rmtree(job.path(name), ignore_errors=True)


def checkpoints(job):
    return sorted(os.path.relpath(path, job.path("checkpoints"))
                  for path in glob.glob(job.path("checkpoints/**"), recursive=True) if os.path.isfile(path))


def only_checkpoints(job, mid_write=False):
    for name in checkpoints(job):
        stem = name[:-len(".sagemaker-ignore")] if mid_write and name.endswith(".sagemaker-ignore") else name
        parts = stem.split("/")
        check(parts[-1].startswith("xgboost-checkpoint.") and parts[-1].split(".", 1)[1].isdigit(),
              "in the checkpoint folder: %s", name)
        check(len(parts) == 1 or (len(parts) == 2 and parts[0].startswith("model-")), "in the checkpoint folder: %s", name)


def rounds_shown(stdout):
    return [int(line[1:line.index("]")]) for line in stdout.splitlines() if line.startswith("[")]


def nothing_torn(job, whole):
    """Every output is whole or absent; temporary names of a killed process aside."""
    for path, digest in job.outputs().items():
        check(".tmp" in path or digest == whole.get(path), "%s differs from a whole run's", path)


def same_outputs(job, whole, where):
    found = job.outputs()
    check(found.keys() == whole.keys(), "%s: other files: %s", where, found.keys() ^ whole.keys())
    other = [path for path in whole if whole[path] != found[path]]
    check(not other, "%s: these differ: %s", where, other)


def attempt(job, signal_number, delay):
    """One machine. False: it was still at work when the signal came."""
    process = job.start(environment=NAME)
    try:
        job.stdout, job.stderr = process.communicate(timeout=delay)
        job.rc, done = process.returncode, True
    except subprocess.TimeoutExpired:
        process.send_signal(signal_number)
        job.stdout, job.stderr = process.communicate(timeout=HANG)
        job.rc, done = process.returncode, False
    return done


def kill_until_done(kind, rng, n_kills, whole, longest):
    """kill -9 at random instants until that many have hit or the job is done; then the job's own end.
    Returns how many hit."""
    job = with_checkpoints(make(kind))
    hits = 0
    while hits < n_kills:
        done = attempt(job, signal.SIGKILL, rng.uniform(0, longest))
        only_checkpoints(job, mid_write=True)
        nothing_torn(job, whole)
        if done:
            check(job.rc == 0, "%s: exit %s: %s", kind[0], job.rc, job.stderr[-800:])
            break
        hits += 1
        new_machine(job)
    else:
        job.expect(0, environment=NAME)
    same_outputs(job, whole, f"{kind[0]}, {hits} kills")
    only_checkpoints(job)
    return hits
