#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Slow proof, run by hand: container/Dockerfile builds, and its image trains. Minutes; needs root, and the
# package sources of this machine.
#
#   sh tests/image/slim.sh
#
# Where no registry is reachable, debian:bookworm-slim is made here from Debian's packages, with this
# machine's settings of apt and pip, and loaded under that name.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
sh "$here/container/deps.sh" container
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/containers.conf" <<'TOML'
[containers]
default_ulimits = ["nofile=16384:16384", "nproc=16384:16384"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
TOML

if ! podman pull -q docker.io/library/debian:bookworm-slim >"$work/log" 2>&1; then
    echo "no registry: making the base here"
    cat /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null |
        mmdebstrap -q --variant=minbase --dpkgopt='path-exclude=/usr/share/man/*' \
            --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
            --dpkgopt='path-exclude=/usr/share/locale/*' bookworm "$work/base" - >"$work/log" 2>&1 ||
        { cat "$work/log"; exit 1; }
    for file in /etc/apt/sources.list.d/debian.sources /etc/apt/apt.conf.d/*proxy* /etc/apt/apt.conf.d/99* \
        /etc/pip.conf /etc/ssl/certs/ca-certificates.crt /usr/local/share/ca-certificates/*.crt; do
        [ -e "$file" ] || continue
        mkdir -p "$work/base$(dirname "$file")"
        cp -L "$file" "$work/base$file"
    done
    cp /etc/ssl/certs/ca-certificates.crt "$work/base/etc/ssl/machine-bundle.crt"
    rm -f "$work"/base/etc/apt/sources.list "$work"/base/etc/apt/sources.list.d/0000*
    tar -C "$work/base" -cf "$work/base.tar" .
    podman import -q "$work/base.tar" docker.io/library/debian:bookworm-slim >/dev/null
    rm -rf "$work/base" "$work/base.tar"
    settings="--network host --env PIP_CERT=/etc/ssl/machine-bundle.crt"
    for name in $(env | sed -n 's/^\(PIP_[A-Z_]*\|[A-Za-z]*_[Pp][Rr][Oo][Xx][Yy]\)=.*/\1/p'); do
        [ "$name" = PIP_CERT ] || settings="$settings --env $name=$(printenv "$name")"
    done
    export BOOSTLENS_BUILD_OPTIONS="$settings"
fi

# The plain defaults first: they work on an ordinary machine.
tried() {
    "$@" >"$work/log" 2>&1 && return
    tail -n 3 "$work/log"
    echo "once more, with runc and lower limits"
    CONTAINERS_CONF="$work/containers.conf" "$@" >"$work/log" 2>&1 || { tail -n 40 "$work/log"; exit 1; }
}

export BOOSTLENS_CONTAINER=podman
tag=localhost/boostlens-slim:test
tried sh "$here/container/image.sh" slim --tag "$tag"
podman image inspect -f '{{.Size}} bytes' "$tag"

mkdir -p "$work/ml/input/config" "$work/ml/input/data/train" "$work/ml/model" "$work/ml/output"
cp "$here/data/credit/train.csv" "$work/ml/input/data/train/"
echo '{"objective": "binary:logistic", "num_round": "20"}' >"$work/ml/input/config/hyperparameters.json"
echo '{"train": {"ContentType": "text/csv", "TrainingInputMode": "File"}}' >"$work/ml/input/config/inputdataconfig.json"
tried podman run --rm --network none --read-only --tmpfs /tmp --cap-drop all -v "$work/ml:/opt/ml" "$tag" train
test -s "$work/ml/model/xgboost-model"
podman rmi -f "$tag" >/dev/null
echo "ok - container/Dockerfile builds an image that trains"
