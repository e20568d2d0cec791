#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Do the NEON kernels give the bits of their reference? Builds the kernels and their comparer with a
# cross compiler and runs it under an emulator; on a 64-bit ARM machine, as they are.
#
#   sh tests/neon.sh [--seed N]
#
# Debian: gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user. Without them it prints why it is skipped.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$here"
skip() { echo "skip - NEON kernels: $*"; exit 0; }

if [ "$(uname -m)" = aarch64 ]; then
    cc=${CC:-gcc} run=
else
    cc=aarch64-linux-gnu-gcc run="qemu-aarch64 -L /usr/aarch64-linux-gnu"
    command -v $cc >/dev/null || skip "no $cc (Debian: gcc-aarch64-linux-gnu libc6-dev-arm64-cross)"
    command -v qemu-aarch64 >/dev/null || skip "no qemu-aarch64 (Debian: qemu-user)"
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
flags="-std=c11 -O2 -Wall -Wextra -Werror -D_GNU_SOURCE -ffp-contract=off -Iinclude -Isrc -I.
    -DBLK_POINTS_CONSTANT=1 -DBLK_HAVE_X86=0 -DBLK_HAVE_NEON=1"
# shellcheck disable=SC2086 # one word a flag
$cc $flags -o "$scratch/compare" kernels/*.c kernels/arm/*.c tests/kernels/*.c src/base/rng.c -lm
$run "$scratch/compare" "$@"
