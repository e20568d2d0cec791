#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What boostlens adds to an image, laid out under a folder:
#
#   sh container/lay-out.sh BUILD STATUS ROOT
#
# BUILD    a build folder, default prefix (/usr/local), built
# STATUS   the package database of the image's base, in dpkg's format: what else the image carries
# ROOT     program, XGBoost, licences, the list of contents (CycloneDX) and the folders of the
#          SageMaker contract go below it
#
# The same input gives the same bytes.
set -eu

[ $# = 3 ] || { sed -n 's/^# \{0,1\}//p' "$0" | sed -n 2,11p >&2; exit 64; }
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
build=$1 status=$2 root=$3

umask 022
mkdir -p "$root"
root=$(CDPATH='' cd -- "$root" && pwd)
DESTDIR=$root meson install -C "$build" --no-rebuild --tags runtime >/dev/null
program=$root/usr/local/bin/boostlens
[ -x "$program" ] || { echo "lay-out: no $program: is $build built for another prefix?" >&2; exit 1; }
find "$root/usr/local" -type f \( -name boostlens -o -name '*.so*' \) -exec strip --strip-unneeded {} +

ln -sf boostlens "$root/usr/local/bin/train"
mkdir -p "$root/opt/ml" "$root/usr/local/share/doc/boostlens"
cp "$here/LICENSE" "$root/usr/local/share/doc/boostlens/"
version=$(sed -n "s/^ *version: '\(.*\)',$/\1/p" "$here/meson.build" | head -n 1)
xgboost=$(sed -n 's/^xgboost_version=//p' "$here/container/deps.sh")
python3 "$here/container/sbom.py" "$version" "$xgboost" "$status" "$root" \
    >"$root/usr/local/share/doc/boostlens/sbom.cdx.json"
