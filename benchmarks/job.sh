#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The whole job beside the same job in Python; installs the peer, builds, measures. See job.py.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$here"
sh container/deps.sh peers
[ -e build/build.ninja ] || meson setup build -Dtests=false >/dev/null
ninja -C build container/boostlens >/dev/null
exec python3 benchmarks/job.py "$@"
