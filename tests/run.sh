#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds and tests everything; the one command to run before and after a change.
#
#   sh tests/run.sh                what a change must pass: lint unit oracle fuzz contract image clang asan
#   sh tests/run.sh all            these and the rest of the matrix: asan-O0 options; installs the
#                                  Python peers too, so that nothing is skipped for want of them
#   sh tests/run.sh NAME...        some of them; ^NAME leaves one out
#
#   lint       includes, symbols, formatting, headers, words, commit messages (tests/lint)
#   unit       unit tests of every room, built by gcc
#   oracle     results against an independent truth, built by gcc
#   fuzz       the fuzz targets over the seeds of data/corpus, built by gcc
#   contract   the real program end to end (tests/contract), built by gcc
#   image      the minimal image, built and run with podman (tests/image); skipped where that cannot be had
#   clang      unit, oracle and fuzz, built by clang
#   asan       unit, oracle, fuzz and the short part of contract, with AddressSanitizer and UBSan, by clang
#   asan-O0    unit, oracle and fuzz with the same sanitizers, by gcc without optimization
#   options    every build option the other way
#
# Installs what is missing (container/deps.sh test). The last line is `N passed, N failed, N skipped`; a
# test is one test function of a program or one claim of a script. Exit 0 only if something passed
# and nothing failed. BOOSTLENS_DATA: folder of the real data sets (default ../shared/data); what
# needs one that is not there is skipped and says so. TESTS_BUILD: where to build (build-tests).
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$here"
build=${TESTS_BUILD:-$here/build-tests}
export BOOSTLENS_DATA="${BOOSTLENS_DATA:-$here/../shared/data}"
# libgomp's default is to spin without end at a barrier: beside one busy neighbour a small
# training then takes a hundred times as long. This bound costs nothing on an idle machine.
export GOMP_SPINCOUNT=1000
jobs=$(nproc 2>/dev/null || echo 2)
default_groups="lint unit oracle fuzz contract image clang asan"
all_groups="$default_groups asan-O0 options"

say() { printf '%s\n' "$*"; }

# --- which groups -------------------------------------------------------------------------------

wanted= unwanted= packages=test
for name in "$@"; do
    case $name in
    all) wanted="$wanted $all_groups" packages=peers ;;
    ^*) unwanted="$unwanted ${name#^}" ;;
    *) wanted="$wanted $name" ;;
    esac
done
[ -n "$wanted" ] || wanted=$default_groups
has() { case " $2 " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }
for name in $wanted $unwanted; do
    has "$name" "$all_groups" || {
        say "tests/run.sh: no group '$name'; there are: $all_groups, and all" >&2
        exit 64
    }
done
runs() { has "$1" "$wanted" && ! has "$1" "$unwanted"; }

mkdir -p "$build"
results=$build/results.txt
: >"$results"
: >"$build/scripts.txt" # seconds of each script
started=$(date +%s)

result() { say "$*" >>"$results"; }

# group NAME COMMAND: runs it and says how long it took. (Its variables are the script's: POSIX sh has no others.)
group() {
    group_name=$1
    runs "$group_name" || return 0
    group_since=$(date +%s)
    say ""
    say "== $group_name"
    "$2" || result "fail $group_name: stopped with exit $?"
    group_took=$(($(date +%s) - group_since))
    say "$group_name: $(counted pass "$group_name") passed, $(counted fail "$group_name") failed," \
        "$(counted skip "$group_name") skipped, $((group_took / 60)) min $((group_took % 60)) s"
}

counted() { grep -c "^$1 $2[ :]" "$results" || true; }

# --- build and run ---------------------------------------------------------------------------------

# build_in FOLDER LABEL COMPILER [meson options]; a failure counts as one failed test.
build_in() {
    folder=$build/$1 label=$2 compiler=$3
    shift 3
    command -v "$compiler" >/dev/null || {
        result "fail $label: no compiler $compiler (container/deps.sh test installs it)"
        return 1
    }
    if [ ! -e "$folder/build.ninja" ]; then
        rm -rf "$folder"
        CC=$compiler meson setup "$folder" "$@" >"$build/setup.log" 2>&1 || {
            tail -n 30 "$build/setup.log" >&2
            result "fail $label: meson setup"
            return 1
        }
    fi
    ninja -C "$folder" >"$build/ninja.log" 2>&1 || {
        grep -E -A 12 'error|FAILED|warning' "$build/ninja.log" | head -n 60 >&2
        result "fail $label: build by $compiler"
        return 1
    }
}

# meson_tests FOLDER LABEL [meson test options]
meson_tests() {
    folder=$build/$1 label=$2
    shift 2
    rm -f "$folder/meson-logs/testlog.json"
    meson test -C "$folder" --no-rebuild --num-processes "$jobs" --timeout-multiplier 10 "$@" >"$build/meson-test.log" 2>&1 || true
    if [ ! -s "$folder/meson-logs/testlog.json" ]; then
        cat "$build/meson-test.log" >&2
        result "fail $label: no test of this group was run"
        return 0
    fi
    python3 tests/tally.py meson "$label" "$folder/meson-logs/testlog.json" >>"$results"
}

# scripts LABEL SCRIPT...: each prints one line a claim. As many at once as there are processors.
scripts() {
    label=$1
    shift
    # shellcheck disable=SC2016 # expanded by the inner shell
    printf '%s\n' "$@" | xargs -P "$jobs" -I '{}' sh -c '
        log=$2/$(basename "${1%.*}").log rc=0 since=$(date +%s)
        case $1 in *.py) python3 "$1" ;; *) sh "$1" ;; esac >"$log" 2>&1 || rc=$?
        echo "$rc" >"$log.rc"
        echo "$(($(date +%s) - since)) s $1" >>"$2/scripts.txt"' sh '{}' "$build"
    for script in "$@"; do
        log=$build/$(basename "${script%.*}").log
        python3 tests/tally.py script "$label" "$log" "$(cat "$log.rc")" >>"$results"
    done
}

gcc_build() { build_in gcc "$1" gcc; }

run_lint() {
    gcc_build lint || return 0
    BUILD=$build/gcc scripts lint tests/lint/lint.py
}

run_unit() { gcc_build unit && meson_tests gcc unit --no-suite oracle --no-suite fuzz || return 0; }
run_oracle() { gcc_build oracle && meson_tests gcc oracle --suite oracle || return 0; }
run_fuzz() { gcc_build fuzz && meson_tests gcc fuzz --suite fuzz || return 0; }

run_contract() {
    gcc_build contract || return 0
    BOOSTLENS=$build/gcc/container/boostlens BUILD=$build/gcc \
        scripts contract tests/contract/test_*.sh tests/contract/test_*.py
}

run_image() {
    gcc_build image || return 0
    sh container/deps.sh container || say "tests/run.sh: no container tool could be installed" >&2
    BOOSTLENS=$build/gcc/container/boostlens BUILD=$build/gcc scripts image tests/image/test_*.py
}

run_clang() { build_in clang clang clang && meson_tests clang clang || return 0; }

run_asan() {
    # Leaks count; tests/lsan.supp names two of the machine's libraries.
    export LSAN_OPTIONS="suppressions=$here/tests/lsan.supp:print_suppressions=0"
    export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
    build_in asan asan clang -Db_sanitize=address,undefined -Db_lundef=false -Dbuildtype=debugoptimized &&
        meson_tests asan asan --timeout-multiplier 30 || return 0
    BOOSTLENS=$build/asan/container/boostlens BUILD=$build/asan CONTRACT_SHORT=1 \
        scripts asan tests/contract/test_*.sh
    unset ASAN_OPTIONS UBSAN_OPTIONS
}

run_asan_O0() {
    export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
    build_in asan-O0 asan-O0 gcc -Db_sanitize=address,undefined -Db_lundef=false -Dbuildtype=debug &&
        meson_tests asan-O0 asan-O0 --timeout-multiplier 40 || return 0
    unset ASAN_OPTIONS UBSAN_OPTIONS
}

run_options() {
    rm -rf "$build/no-tests" "$build/fuzzing"
    build_in no-tests options gcc -Dtests=false -Dbuildtype=minsize -Ddefault_library=static &&
        result "pass options builds with -Dtests=false, static, for size"
    build_in fuzzing options clang -Dfuzzing=true -Db_sanitize=address,undefined -Db_lundef=false -Dbuildtype=debugoptimized &&
        result "pass options builds with -Dfuzzing=true"
    return 0
}

# --- all of it ---------------------------------------------------------------------------------------

sh container/deps.sh "$packages" ||
    say "tests/run.sh: not everything could be installed; going on with what is here" >&2
for tool in meson ninja python3; do
    command -v "$tool" >/dev/null || {
        say "tests/run.sh: no $tool, so nothing can be built or counted" >&2
        say "0 passed, 1 failed, 0 skipped"
        exit 1
    }
done

# A locale with a decimal comma, and a Python with what some checks need, where they can be had.
locales=$build/locales
if [ ! -e "$locales/pt_BR.UTF-8" ] && command -v localedef >/dev/null; then
    mkdir -p "$locales"
    localedef -i pt_BR -f UTF-8 "$locales/pt_BR.UTF-8" >/dev/null 2>&1 || true
fi
[ ! -e "$locales/pt_BR.UTF-8" ] || export LOCPATH="$locales"
if [ -z "${BOOSTLENS_PYTHON:-}" ] && [ -e "$here/.deps/peers/complete" ]; then
    printf '#!/bin/sh\nPYTHONPATH="%s" exec /usr/bin/python3 "$@"\n' "$here/.deps/peers" >"$build/python"
    chmod +x "$build/python"
    export BOOSTLENS_PYTHON="$build/python"
fi

group lint run_lint
group unit run_unit
group oracle run_oracle
group fuzz run_fuzz
group contract run_contract
group image run_image
group clang run_clang
group asan run_asan
group asan-O0 run_asan_O0
group options run_options

passed=$(grep -c '^pass ' "$results" || true)
failed=$(grep -c '^fail ' "$results" || true)
skipped=$(grep -c '^skip ' "$results" || true)
took=$(($(date +%s) - started))
say ""
[ "$skipped" = 0 ] || { say "skipped:"; sed -n 's/^skip /  /p' "$results"; say ""; }
[ "$failed" = 0 ] || { say "failed:"; sed -n 's/^fail /  /p' "$results"; say ""; }
say "$((took / 60)) min $((took % 60)) s; every test by name in $results"
[ "$passed" -gt 0 ] || [ "$failed" -gt 0 ] || say "nothing ran: that is a failure"
say "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
