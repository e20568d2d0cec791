#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Do threads race in the explanations? ThreadSanitizer with clang and LLVM's OpenMP, whose Archer tells
# it of parallel regions and barriers (gcc's knows nothing of libgomp's and reports nonsense). To run by
# hand: some minutes.
#
#   sh tests/tsan.sh [BUILD]      BUILD: where to build (default build-tsan)
#
# First a race made on purpose must be found, else silence means nothing. Prints one line a program,
# "ok - ..." or "not ok - ...", or one "skip - ..." where a tool is absent.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$here"
build=${1:-build-tsan}
skip() { echo "skip - thread sanitizer: $*"; exit 0; }

command -v clang >/dev/null || skip "no clang"
archer=$(find /usr/lib/llvm-* /usr/lib/*-linux-gnu -name 'libarcher.so' 2>/dev/null | head -1)
[ -n "$archer" ] || skip "no libarcher.so (Debian: libomp-14-dev)"
# ASLR beyond what this clang's runtime can map stops it before main.
runner=
setarch "$(uname -m)" -R true 2>/dev/null && runner="setarch $(uname -m) -R"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export OMP_TOOL_LIBRARIES="$archer" OMP_NUM_THREADS=4
export TSAN_OPTIONS="ignore_noninstrumented_modules=1:halt_on_error=0:exitcode=66"

cat >"$scratch/race.c" <<'C'
#include <stdio.h>
int main(void)
{
    long sum = 0, good = 0;
#pragma omp parallel for
    for (int i = 0; i < 10000; i++)
        sum += i;
#pragma omp parallel for reduction(+ : good)
    for (int i = 0; i < 10000; i++)
        good += i;
    printf("%ld %ld\n", sum, good);
    return 0;
}
C
clang -fopenmp -fsanitize=thread -g -O1 "$scratch/race.c" -o "$scratch/race" 2>"$scratch/log" ||
    skip "clang cannot build with -fsanitize=thread -fopenmp"
$runner "$scratch/race" >"$scratch/out" 2>&1 && rc=0 || rc=$?
if [ "$rc" = 66 ] && grep -q 'race.c:7' "$scratch/out" && ! grep -q 'race.c:10' "$scratch/out"; then
    echo "ok - a race made on purpose is found, a reduction is not taken for one"
else
    cat "$scratch/out" >&2
    echo "not ok - a race made on purpose is found, a reduction is not taken for one"
    exit 1
fi

[ -e "$build/build.ninja" ] || CC=clang meson setup "$build" -Db_sanitize=thread -Db_lundef=false \
    -Dbuildtype=debugoptimized -Ddefault_library=static >&2
failed=0
# A program a line: what may run in several threads at a time.
for program in explain/test_explain_driver explain/test_explain_interactions explain/test_explain_background \
    explain/test_explain_calls api/test_api; do
    ninja -C "$build" "tests/unit/$program" >&2
    if $runner "$build/tests/unit/$program" >"$scratch/out" 2>&1 && ! grep -q 'WARNING: ThreadSanitizer' "$scratch/out"; then
        echo "ok - ${program##*/} runs without a race"
    else
        tail -60 "$scratch/out" >&2
        echo "not ok - ${program##*/} runs without a race"
        failed=1
    fi
done
exit $failed
