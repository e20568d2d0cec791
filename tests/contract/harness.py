# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests share: job folders as SageMaker lays them out, runs of the real
program, and one line a claim (ok - name, not ok - name, skip - name: reason).

BOOSTLENS       the program (default build/container/boostlens)
BOOSTLENS_DATA  folder of the real data sets (default ../shared/data)
CONTRACT_SHORT  set: leave out what takes long (sanitizer builds)
BOOSTLENS_PYTHON  a Python that has numpy, h5py, xgboost 3.4.1, shap (else those of container/deps.sh)
TEST_SEED       seed of what is drawn at random; printed
"""
import functools
import gzip
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BOOSTLENS = os.path.abspath(os.environ.get("BOOSTLENS", os.path.join(ROOT, "build/container/boostlens")))
DATA = os.path.abspath(os.environ.get("BOOSTLENS_DATA", os.path.join(ROOT, "../shared/data")))
PEERS = os.path.join(os.environ.get("BOOSTLENS_DEPS", os.path.join(ROOT, ".deps")), "peers")
SHORT = bool(os.environ.get("CONTRACT_SHORT"))
SEED = int(os.environ.get("TEST_SEED", "1"))
HANG = 900  # seconds; a run that takes longer hangs

CREDIT_TRAIN = os.path.join(ROOT, "data/credit/train.csv")
CREDIT_VALIDATION = os.path.join(ROOT, "data/credit/validation.csv")
CREDIT_NAMES = ("PAY_AMT1 BILL_AMT1 LIMIT_BAL SEX EDUCATION MARRIAGE AGE PAY_0 PAY_2 PAY_3 PAY_4 PAY_5 PAY_6 "
                "BILL_AMT2 BILL_AMT3 BILL_AMT4 BILL_AMT5 BILL_AMT6 "
                "PAY_AMT2 PAY_AMT3 PAY_AMT4 PAY_AMT5 PAY_AMT6").split()

scratch = tempfile.mkdtemp(prefix="boostlens-test-")
claims = []


class Skip(Exception):
    """This claim cannot be tried here; says why."""


def claim(function):
    """Registers a test; its name, read with blanks, is what it claims."""
    claims.append(function)
    return function


def check(condition, message="", *values):
    if not condition:
        raise AssertionError(message % values if values else message)


def contains(text, *parts):
    for part in parts:
        check(part in text, "%r is not in %r", part, text)


def main():
    names = sys.argv[1:]
    if not os.access(BOOSTLENS, os.X_OK):
        print(f"no program at {BOOSTLENS}")
        return 1
    failed = 0
    try:
        for function in claims:
            name = function.__name__.replace("_", " ")
            if names and function.__name__ not in names:
                continue
            try:
                function()
                print(f"ok - {name}", flush=True)
            except Skip as reason:
                print(f"skip - {name}: {reason}", flush=True)
            except Exception as error:  # a defect of any kind is this claim's failure
                if not isinstance(error, AssertionError):
                    traceback.print_exc(file=sys.stdout)
                print(f"# {type(error).__name__}: {str(error)[:1500]}")
                print(f"not ok - {name}", flush=True)
                failed += 1
    finally:
        if not os.environ.get("KEEP"):
            subprocess.run(["chmod", "-R", "u+w", scratch], check=False)
            shutil.rmtree(scratch, ignore_errors=True)
        else:
            print(f"# kept: {scratch}")
    return 1 if failed else 0


# --- Python packages some claims need ---------------------------------------------------------------


def packages(*modules):
    """Imports and returns modules, from the peers of container/deps.sh or from Debian's; else Skip.
    Call it before anything is claimed: it may start this script again under another Python."""
    import importlib
    try:
        return [importlib.import_module(name) for name in modules]
    except ImportError:
        pass
    wanted = "import " + ", ".join(modules)
    candidates = [("/usr/bin/python3", ""), ("/usr/bin/python3", PEERS), (sys.executable, PEERS)]
    if os.environ.get("BOOSTLENS_PYTHON"):
        candidates.insert(0, (os.environ["BOOSTLENS_PYTHON"], ""))
    for python, path in candidates:
        if os.environ.get("HARNESS_TRIED", "") == "yes" or not shutil.which(python):
            break
        environment = dict(os.environ, PYTHONPATH=path, HARNESS_TRIED="yes")
        found = subprocess.run([python, "-c", wanted], env=environment, capture_output=True, check=False)
        if found.returncode == 0:
            shutil.rmtree(scratch, ignore_errors=True)
            os.execve(python, [python] + sys.argv, environment)
    return None


# --- Job folders -----------------------------------------------------------------------------------------


class Job:
    """A folder that stands for /opt/ml."""

    def __init__(self, name=None, **hyperparameters):
        self.root = os.path.join(scratch, name) if name else tempfile.mkdtemp(prefix="job-", dir=scratch)
        os.makedirs(os.path.join(self.root, "input/config"), exist_ok=True)
        self.hyperparameters = {key: value if isinstance(value, (dict, list, int, float)) or value is None
                                else str(value) for key, value in hyperparameters.items()}
        self.channels = {}
        self.write_config = True
        self.stdout = self.stderr = ""
        self.rc = None

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def channel(self, name, *sources, content_type="text/csv", **settings):
        """Adds a channel: each source is (file name, bytes or text) or the path of a file to link."""
        folder = self.path("input/data", name)
        os.makedirs(folder, exist_ok=True)
        for source in sources:
            if isinstance(source, tuple):
                target = os.path.join(folder, source[0])
                os.makedirs(os.path.dirname(target), exist_ok=True)
                with open(target, "wb") as file:
                    file.write(source[1].encode() if isinstance(source[1], str) else source[1])
            else:
                shutil.copy(source, folder)
        entry = {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None"}
        if content_type:
            entry["ContentType"] = content_type
        entry.update(settings)
        self.channels[name] = {key: value for key, value in entry.items() if value is not None}
        return self

    def config(self, name, content):
        with open(self.path("input/config", name), "w", encoding="utf-8") as file:
            file.write(content if isinstance(content, str) else json.dumps(content))

    def configure(self):
        if self.write_config:
            self.config("hyperparameters.json", self.hyperparameters)
            self.config("inputdataconfig.json", self.channels)
            self.config("resourceconfig.json", {"current_host": "algo-1", "hosts": ["algo-1"],
                                                "network_interface_name": "eth0"})

    def start(self, verb="train", environment=None, prefix=(), **options):
        self.configure()
        env = {key: value for key, value in os.environ.items() if not key.startswith("SAGEMAKER")}
        env.update(environment or {})
        return subprocess.Popen([*prefix, BOOSTLENS, verb, "--root", self.root], env=env, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, errors="replace", **options)

    def run(self, verb="train", **options):
        process = self.start(verb, **options)
        try:
            self.stdout, self.stderr = process.communicate(timeout=HANG)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(f"the program hangs: still there after {HANG} s") from None
        self.rc = process.returncode
        return self

    def expect(self, rc, **options):
        """Runs and checks the exit code."""
        self.run(**options)
        check(self.rc == rc, "exit %s, expected %s; stderr: %s", self.rc, rc, self.stderr[-1500:])
        return self

    def exists(self, *parts):
        return os.path.exists(self.path(*parts))

    def read(self, *parts):
        with open(self.path(*parts), "rb") as file:
            return file.read()

    def json(self, *parts):
        return json.loads(self.read(*parts))

    @property
    def failure(self):
        return self.read("output/failure").decode() if self.exists("output/failure") else ""

    def metrics(self, channel="validation"):
        return self.json("output/data/metrics.json")["final"][channel]

    def importance(self):
        """Rows of importance.csv as dictionaries."""
        import csv
        return list(csv.DictReader(self.read("output/data/importance.csv").decode().splitlines()))

    def outputs(self):
        """{path: SHA-256} of what must be the same for two runs of one job."""
        found = {}
        for base in ("model", "output/data"):
            for folder, _, files in os.walk(self.path(base)):
                for name in files:
                    path = os.path.relpath(os.path.join(folder, name), self.root)
                    if name != "isolation.json":
                        found[path] = hashlib.sha256(self.read(path)).hexdigest()
        return found


def small(n_rows=200, n_features=3, seed=SEED):
    """CSV text with a learnable 0/1 label first, no header."""
    rng = random.Random(seed)
    lines = []
    for _ in range(n_rows):
        x = [rng.uniform(-1, 1) for _ in range(n_features)]
        label = int(x[0] + 0.5 * x[-1] + rng.gauss(0, 0.3) > 0)
        lines.append(",".join([str(label)] + [f"{value:.4f}" for value in x]))
    return "\n".join(lines) + "\n"


def small_job(name=None, data=None, validation=True, **hyperparameters):
    settings = {"num_round": "5", "objective": "binary:logistic", "max_depth": "3", "nthread": "1"}
    settings.update(hyperparameters)
    job = Job(name, **{key: value for key, value in settings.items() if value is not None})
    job.channel("train", ("a.csv", data or small()))
    if validation:
        job.channel("validation", ("b.csv", small(seed=SEED + 1)))
    return job


def demo_job(name=None, **hyperparameters):
    settings = {"num_round": "30", "objective": "binary:logistic", "max_depth": "5", "eta": "0.2", "gamma": "4",
                "min_child_weight": "6", "eval_metric": "logloss,auc"}
    settings.update(hyperparameters)
    job = Job(name, **settings)
    return job.channel("train", CREDIT_TRAIN).channel("validation", CREDIT_VALIDATION)


def real(*parts):
    """Path of a real data file, or Skip."""
    path = os.path.join(DATA, *parts)
    if not os.path.exists(path):
        raise Skip(f"no {os.path.join(*parts)} under BOOSTLENS_DATA ({DATA})")
    return path


@functools.lru_cache(maxsize=None)
def unpacked(path):
    with gzip.open(path) as file:
        return file.read()


def wait_for(condition, seconds=120, what="it"):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError(f"waited {seconds} s for {what}")


TERM, INT = signal.SIGTERM, signal.SIGINT
