#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `meson install`: the program runs from where it was put, and a program of someone else's compiles,
# links and runs against the library by pkg-config alone.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build-tests/gcc}
failed=0
ok() { echo "ok - $1"; }
not_ok() { sed 's/^/# /' "$work/log"; echo "not ok - $1"; failed=1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: >"$work/log"

if [ -n "${CONTRACT_SHORT:-}" ]; then
    echo "skip - installation: is tried with the ordinary build"
    exit 0
fi

name="meson install puts everything below one prefix"
if DESTDIR=$work/root meson install -C "$build" --no-rebuild >"$work/log" 2>&1; then ok "$name"; else not_ok "$name"; exit 1; fi
prefix=$(find "$work/root" -name boostlens -type f -path '*/bin/*' | head -n 1)
prefix=${prefix%/bin/boostlens}

name="the installed program runs"
if "$prefix/bin/boostlens" --version >"$work/log" 2>&1; then ok "$name"; else not_ok "$name"; fi

pc=$(find "$prefix" -name boostlens.pc | head -n 1)
name="there is a pkg-config file"
if [ -n "$pc" ]; then ok "$name"; else echo "no boostlens.pc" >"$work/log"; not_ok "$name"; exit 1; fi

cat >"$work/version.c" <<'C'
#include <boostlens.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    bl_model *model = NULL;
    bl_err err = {0};
    bl_status st = bl_model_load("no such file", &model, &err);
    printf("%s\n%s\n%s\n", bl_version(), bl_status_name(st), err.msg);
    return st == BL_E_IO && !model && strstr(err.msg, "no such file") ? 0 : 1;
}
C
# PKG_CONFIG_SYSROOT_DIR moves the prefix that the file names to where DESTDIR put it.
export PKG_CONFIG_PATH="$(dirname "$pc")" PKG_CONFIG_SYSROOT_DIR="$work/root"
name="a program compiles against the shared library by pkg-config and runs"
# shellcheck disable=SC2046 # pkg-config's words are arguments
if gcc -std=c99 -Wall -Wextra -Werror "$work/version.c" -o "$work/version" $(pkg-config --cflags --libs boostlens) >"$work/log" 2>&1 &&
    LD_LIBRARY_PATH=$(dirname "$(find "$prefix" -name 'libboostlens.so' | head -n 1)"):$(find "$prefix" -name 'libxgboost.so' -exec dirname {} \; | head -n 1) \
        "$work/version" >"$work/log" 2>&1; then ok "$name"; else not_ok "$name"; fi
exit $failed
