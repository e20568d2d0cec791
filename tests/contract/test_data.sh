#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# data/: every file has the digest that data/README.md states, and the generator makes them again.
set -u
cd "$(dirname "$0")/../.."
failed=0
ok() { echo "ok - $1"; }
not_ok() { echo "# $2"; echo "not ok - $1"; failed=1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

wrong=
for file in data/credit/*.csv; do
    digest=$(sha256sum "$file" | cut -d' ' -f1)
    grep -q "| \`${file#data/}\` |.*$digest" data/README.md || wrong="$wrong $file"
done
name="every data file has the digest its README states"
if [ -z "$wrong" ]; then ok "$name"; else not_ok "$name" "other digest:$wrong"; fi

for compiler in gcc clang; do
    for level in -O0 -O2 "-O3 -march=native"; do
        name="the generator makes the same bytes by $compiler $level"
        command -v "$compiler" >/dev/null || { echo "skip - $name: no $compiler"; continue; }
        # shellcheck disable=SC2086 # several flags
        if ! "$compiler" -std=c11 $level -ffp-contract=off -Wall -Wextra -Werror -o "$work/generate" data/generate.c 2>"$work/err"; then
            not_ok "$name" "$(head -n 1 "$work/err")"
            continue
        fi
        rm -rf "$work/credit"
        mkdir "$work/credit"
        if "$work/generate" "$work/credit" && cmp "$work/credit/train.csv" data/credit/train.csv &&
            cmp "$work/credit/validation.csv" data/credit/validation.csv; then
            ok "$name"
        else
            not_ok "$name" "the files differ"
        fi
    done
done
exit $failed
