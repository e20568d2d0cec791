#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# container/demo.sh, with the program already built: metrics, importances and files are shown.
set -u
cd "$(dirname "$0")/../.." || exit 1
failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
expect() { # name, extended regular expression
    if grep -qE "$2" "$work/log"; then echo "ok - $1"; else
        tail -n 20 "$work/log" | sed 's/^/# /'
        echo "not ok - $1"
        failed=1
    fi
}

rc=0
BOOSTLENS_BUILT=${BOOSTLENS:-build/container/boostlens} sh container/demo.sh "$work/my job" >"$work/log" 2>&1 || rc=$?
if [ "$rc" = 0 ]; then echo "ok - the demo exits 0"; else sed 's/^/# /' "$work/log"; echo "not ok - the demo exits $rc"; exit 1; fi
expect "it shows a metric line" '^\[99\][[:space:]]train-'
expect "it shows the AUC" '^  auc +0\.7[0-9]+'
expect "it shows PAY_0 first, with a bar" '^  PAY_0 +0\.[0-9]+ #{40,}$'
expect "it shows ten importances" '^  [A-Z_0-9]+ +0\.[0-9]+ #+$'
expect "it names the model file" 'bytes  model/xgboost-model$'
expect "it names the attributions" 'bytes  output/data/attributions\.h5$'
n=$(grep -cE '^  [A-Z_0-9]+ +0\.[0-9]{4} #*$' "$work/log")
if [ "$n" = 10 ]; then echo "ok - ten bars"; else echo "not ok - $n bars, expected 10"; failed=1; fi

mkdir "$work/mine"
echo precious >"$work/mine/file"
name="a folder that is not the demo's is left alone"
if BOOSTLENS_BUILT=${BOOSTLENS:-} sh container/demo.sh "$work/mine" >"$work/log" 2>&1 || [ ! -e "$work/mine/file" ]; then
    echo "not ok - $name"
    failed=1
else
    echo "ok - $name"
fi
exit $failed
