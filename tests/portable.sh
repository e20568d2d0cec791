#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Is a model we write read right by the XGBoost versions we say? To run by hand: it fetches eight
# releases of XGBoost (some 500 MB the first time) and takes a few minutes.
#
#   sh tests/portable.sh [BUILD]      BUILD: a meson build folder (default build)
#
# Models of every kind are trained by 3.4.1, rewritten by our writer (portable, unfolded, native),
# and their margins compared bit for bit in each version. Prints a table; exits 1 when a claim is
# wrong, too bold or too cautious. Wheels are kept under ${BOOSTLENS_DEPS:-.deps}/peers.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$here"
build=${1:-build}
peers=${BOOSTLENS_DEPS:-$here/.deps}/peers
python=python3

say() { printf 'portable: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

[ "$(uname -m)" = x86_64 ] || { say "skipped: the old releases are fetched for x86_64 only"; exit 0; }
python_version=$($python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
[ "$python_version" = 3.11 ] || say "numpy and scipy are pinned for Python 3.11, this is $python_version"

# What is fetched: package, version, platform, SHA-256.
wheels='xgboost 1.7.6 manylinux2014 b1d5db49b199152d62bd9217c98760207d3de86d2b9d243260c573ffe638f80a
xgboost 2.0.3 manylinux2014 30bd5f789fad467fd49e04e5d19e04238b931682c3951a514da5c2410b3bf59c
xgboost-cpu 2.1.4 manylinux2014 ac3281127b2f77f6c62e8699216b0974a1c4a442ee6162eb94256c01df7cd1f5
xgboost-cpu 3.0.5 manylinux_2_28 ed5c141b88e53777b9bf8786881fd6e2e9032837c7e349052ab40363a14ac708
xgboost-cpu 3.1.2 manylinux_2_28 99eaa21e3ee6be249aad358c29fa6ac1bd84d531f549558704f52ededdff132d
xgboost-cpu 3.2.0 manylinux_2_28 9c10b1653e1a689bf4094a328144cf3633c9be0e5217a76fbdc2fde6abcb2950
xgboost-cpu 3.3.0 manylinux_2_28 04faff7816f887e89ab1e28161c2644f8830f631fa257d509054063c421a40c1
xgboost-cpu 3.4.1 manylinux_2_28 1f16331f5c6beb2b40fbd4bf2834333062d93c9eb38b76186a5c206841dc1809'
numpy='numpy==1.26.4 --hash=sha256:666dbfb6ec68962c033a450943ded891bed2d54e6755e35e5835d63f4f6931d5'
scipy='scipy==1.11.4 --hash=sha256:530f9ad26440e85766509dbf78edcfe13ffd0ab7fec2560ee5c36ff74d6269ff'

mkdir -p "$peers"
scratch=$(mktemp -d "$peers/portable.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
pip="$python -m pip --disable-pip-version-check download -q --no-deps --only-binary=:all:"

# Fetches requirement $1 with pip's further arguments and unpacks the wheel into folder $2. A wheel
# is unpacked, not installed: several versions must live side by side.
unpack() {
    requirement=$1 to=$2
    shift 2
    [ ! -e "$to/complete" ] || return 0
    say "fetching ${requirement%% *}"
    rm -rf "$scratch/wheel"
    mkdir -p "$scratch/wheel" "$to"
    printf '%s\n' "$requirement" >"$scratch/requirement.txt"
    $pip --require-hashes --dest "$scratch/wheel" "$@" -r "$scratch/requirement.txt" >&2 ||
        die "could not fetch ${requirement%% *}; is a package index reachable?"
    $python -m zipfile -e "$scratch"/wheel/*.whl "$to"
    : >"$to/complete"
}

# Python's own numpy and scipy do as well.
if ! $python -c 'import numpy, scipy' 2>/dev/null; then
    unpack "$numpy" "$peers/numpy"
    unpack "$scipy" "$peers/scipy"
    PYTHONPATH="$peers/numpy:$peers/scipy${PYTHONPATH:+:$PYTHONPATH}"
    export PYTHONPATH
    $python -c 'import numpy, scipy' || die "numpy and scipy do not load"
fi

echo "$wheels" >"$scratch/wheels.txt"
versions=
while read -r package version platform digest; do
    unpack "$package==$version --hash=sha256:$digest" "$peers/xgboost-$version" \
        --python-version 3.12 --platform "${platform}_x86_64"
    versions="$versions $version"
done <"$scratch/wheels.txt"

ninja -C "$build" tests/unit/model/model_rewrite >&2 || die "no build in $build: meson setup $build"
rewrite=$build/tests/unit/model/model_rewrite

export OMP_NUM_THREADS=1
$python tests/portable.py train "$peers/xgboost-3.4.1" "$scratch"
$python tests/portable.py rewrite "$rewrite" "$scratch"
for version in $versions; do
    say "predicting with $version"
    $python tests/portable.py predict "$peers/xgboost-$version" "$scratch" "$version"
done
# shellcheck disable=SC2086 # one word a version
$python tests/portable.py compare "$scratch" $versions
