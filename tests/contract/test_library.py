#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The shared library from Python by ctypes alone, as the README shows it: what it gives is what the program writes."""
import ctypes

from harness import *

PACKAGES = packages("numpy", "h5py")
LIBRARY = os.path.join(os.path.dirname(BOOSTLENS), "../src/libboostlens.so.0")


class Strength(ctypes.Structure):
    _fields_ = [("first", ctypes.c_uint32), ("second", ctypes.c_uint32), ("mean_abs", ctypes.c_double),
                ("mean", ctypes.c_double)]


@functools.lru_cache(None)
def library():
    if not PACKAGES:
        raise Skip("no h5py (container/deps.sh test installs python3-h5py)")
    if not os.path.exists(LIBRARY):
        raise Skip(f"no {LIBRARY}")
    if SHORT:
        raise Skip("Python cannot load a library with sanitizers")
    lib = ctypes.CDLL(LIBRARY)
    for name in ("bl_model_n_features", "bl_model_n_outputs", "bl_model_n_trees", "bl_interactions_n_pairs"):
        getattr(lib, name).restype = ctypes.c_size_t
    return lib


@functools.lru_cache(None)
def trained():
    job = Job(num_round=10, objective="binary:logistic", max_depth=4)
    return job.channel("train", CREDIT_TRAIN).expect(0)


def call(name, *values):
    """Arrays become pointers, numbers size_t; a status other than 0 is an error with the library's sentence."""
    numpy = PACKAGES[0]
    err = ctypes.create_string_buffer(1032)
    given = [ctypes.c_void_p(v.ctypes.data) if isinstance(v, numpy.ndarray)
             else ctypes.c_size_t(v) if isinstance(v, int) else v for v in values]
    status = getattr(library(), name)(*given, err)
    check(status == 0, "%s: %s", name, err.raw[8:].split(b"\0")[0].decode())


def handle(name, *values):
    made = ctypes.c_void_p()
    call(name, *values, ctypes.byref(made))
    return made


def model():
    return handle("bl_model_load", os.fsencode(trained().path("model")))


@functools.lru_cache(None)
def explained(*options):
    numpy, h5py = PACKAGES
    output = os.path.join(tempfile.mkdtemp(dir=scratch), "out")
    done = subprocess.run([BOOSTLENS, "explain", "--model", trained().path("model"), "--data", CREDIT_VALIDATION,
                           "--output", output, *options], capture_output=True, text=True, timeout=HANG, check=False)
    check(done.returncode == 0, "%s", done.stderr)
    with h5py.File(os.path.join(output, "attributions.h5")) as file:
        return {name: file[name][:] for name in file if isinstance(file[name], h5py.Dataset)}, output


@claim
def interactions_of_the_library_are_the_programs():
    library()
    numpy, _ = PACKAGES
    want, _ = explained("--interactions")
    x = numpy.ascontiguousarray(want["data"][:500])
    n, f = x.shape
    it = handle("bl_interactions_new", model())
    matrix = numpy.empty((n, 1, f + 1, f + 1), numpy.float32)
    call("bl_interactions_rows", it, x, n, f, matrix, matrix.size)
    check(numpy.array_equal(matrix[:, 0, :f, :f], want["interaction_values"][:500]), "matrices differ")
    pairs = library().bl_interactions_n_pairs(it)
    strengths = (Strength * pairs)()
    call("bl_interactions_strengths", it, x, n, f, ctypes.byref(strengths), pairs)
    for s in strengths:
        cells = matrix[:, 0, s.first, s.second].astype(float)
        check(abs(abs(cells).mean() - s.mean_abs) < 1e-7, "pair %d, %d", s.first, s.second)
    library().bl_interactions_free(it)


@claim
def a_background_of_the_library_is_the_programs():
    library()
    numpy, _ = PACKAGES
    for space, name in ((0, "margin"), (1, "probability"), (2, "logloss")):
        want, _ = explained("--background", CREDIT_VALIDATION, "--space", name)
        x, y = numpy.ascontiguousarray(want["data"][:50]), numpy.ascontiguousarray(want["labels"][:50])
        back = want["data"]
        bg = handle("bl_background_new", model(), back, *back.shape)
        phi = numpy.empty((50, 1, x.shape[1] + 1), numpy.float32)
        call("bl_background_contribs", bg, ctypes.c_int(space), x, y if space == 2 else None, *x.shape, phi, phi.size)
        check(numpy.abs(phi[:, 0, :-1] - want["values"][:50]).max() < 1e-7, "%s", name)
        check(numpy.abs(phi[:, 0, -1] - want["base_values"][:50]).max() < 1e-7, "%s: base", name)
        library().bl_background_free(bg)


@claim
def aggregates_of_the_library_are_the_programs():
    library()
    numpy, _ = PACKAGES
    want, folder = explained("--interactions")
    x = want["data"]
    phi = numpy.empty((len(x), 1, x.shape[1] + 1), numpy.float32)
    m = model()
    call("bl_contribs", m, x, *x.shape, phi, phi.size)
    aggregates = handle("bl_aggregates_new", m)
    for piece in numpy.array_split(phi, 7):
        piece = numpy.ascontiguousarray(piece)
        call("bl_aggregates_add", aggregates, piece, len(piece), piece.size)
    median, mean = numpy.empty((2, 1, x.shape[1]))
    call("bl_aggregates_quantile", aggregates, ctypes.c_double(0.5), median, median.size)
    call("bl_aggregates_mean", aggregates, mean, mean.size)
    with open(os.path.join(folder, "aggregates.json"), encoding="utf-8") as file:
        for f, of in enumerate(json.load(file)["outputs"][0]["features"]):
            check(median[0, f] == of.get("quantiles", {}).get("0.5", 0), "%s: median", of["feature"])
            check(abs(mean[0, f] - of["mean"]) < 1e-12, "%s: mean", of["feature"])
    library().bl_aggregates_free(aggregates)


@claim
def leaves_of_the_library_are_the_programs():
    library()
    numpy, _ = PACKAGES
    want, _ = explained("--interactions")
    x = numpy.ascontiguousarray(want["data"][:100])
    m = model()
    leaves = numpy.empty((100, library().bl_model_n_trees(m)), numpy.uint32)
    call("bl_leaves", m, x, *x.shape, leaves, leaves.size)
    output = os.path.join(tempfile.mkdtemp(dir=scratch), "leaves.csv")
    subprocess.run([BOOSTLENS, "predict", "--model", trained().path("model"), "--data", CREDIT_VALIDATION, "--output",
                    output, "--type", "leaf"], check=True, capture_output=True, timeout=HANG)
    with open(output, encoding="utf-8") as file:
        rows = [[int(cell) for cell in line.split(",")] for line in file][:100]
    check(rows == leaves.tolist(), "leaves differ")


if __name__ == "__main__":
    sys.exit(main())
