#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How fast are the explanations, beside every other explainer? Installs the peers, builds, measures,
# prints one table. See explain.py.
#
#   sh benchmarks/explain.sh [--all] [NAME...]
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$here"
deps=${BOOSTLENS_DEPS:-$here/.deps}
sh container/deps.sh peers
peers=$deps/explain-peers
if ! cmp -s benchmarks/explain_peers.txt "$peers/complete"; then
    rm -rf "$peers"
    echo "explain.sh: fetching the packages of benchmarks/explain_peers.txt into $peers" >&2
    /usr/bin/python3 -m pip --disable-pip-version-check install -q --no-deps --require-hashes \
        --only-binary=:all: --target "$peers" -r benchmarks/explain_peers.txt >&2
    cp benchmarks/explain_peers.txt "$peers/complete"
fi
[ -e build/build.ninja ] || meson setup build >/dev/null
library=$(ninja -C build -t targets all | sed -n 's/^\(src\/libboostlens\.so\.[0-9.]*\): .*/\1/p')
ninja -C build benchmarks/explain_bench "$library" >/dev/null
exec /usr/bin/python3 benchmarks/explain.py "$@"
