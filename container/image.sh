#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the image with whatever of podman, buildah or docker is there.
#
#   sh container/image.sh minimal [--build DIR] [--tag NAME] [--save FILE]
#   sh container/image.sh slim                  [--tag NAME] [--save FILE]
#
#   minimal   libraries unpacked from Debian's packages, program, licences, list of contents: no shell, no
#             package manager. Built from a build on this machine (default: build/, made if need be);
#             the same sources and packages give the same image, bit for bit. Needs container/deps.sh container.
#   slim      container/Dockerfile: compiles inside the image, on debian:bookworm-slim
#   --tag     default: boostlens:latest
#   --save    an archive for `docker load`
#
# BOOSTLENS_CONTAINER names the tool, with options where it needs some.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
usage() { sed -n 's/^# \{0,1\}//p' "$here/container/image.sh" | sed -n 2,16p >&2; exit 64; }
die() { printf 'image: %s\n' "$*" >&2; exit 1; }

variant=${1:-}
case $variant in minimal | slim) shift ;; *) usage ;; esac
build='' tag=boostlens:latest save=''
while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || usage
    case $1 in
    --build) build=$2 ;;
    --tag) tag=$2 ;;
    --save) save=$2 ;;
    *) usage ;;
    esac
    shift 2
done

find_tool() {
    for tool in podman docker; do
        "$tool" info >/dev/null 2>&1 && { echo "$tool"; return; }
    done
    die "neither podman nor docker works here: sh container/deps.sh container installs podman"
}
tool=${BOOSTLENS_CONTAINER:-$(find_tool)}
case $tool in
*docker*) reproducible='' ;;
*) reproducible='--timestamp 0 --layers=false' ;;
esac

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# --- the root of the minimal image ----------------------------------------------------------------

# mmdebstrap unpacks the packages and what they depend on; each one's control file goes where scanners look.
unpack_packages() { # into folder $1
    command -v mmdebstrap >/dev/null || die "mmdebstrap is missing: sh container/deps.sh container installs it"
    packages=$(grep -v '^#' "$here/container/runtime-packages.txt" | tr '\n' ',')
    cat /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null |
        SOURCE_DATE_EPOCH=0 mmdebstrap -q --variant=extract --include="base-files,${packages%,}" \
            --extract-hook='mkdir -p "$1/var/lib/dpkg/status.d"
                for deb in "$1"/var/cache/apt/archives/*.deb; do
                    dpkg-deb -f "$deb" >"$1/var/lib/dpkg/status.d/$(dpkg-deb -f "$deb" Package)"
                done' \
            bookworm "$1" - >"$scratch/mmdebstrap.log" 2>&1 ||
        { cat "$scratch/mmdebstrap.log" >&2; die "mmdebstrap failed; its words are above"; }
}

# What no program reads: manuals, translations, character sets of iconv, the package manager's scratch.
drop_ballast() { # in folder $1
    rm -rf "$1"/usr/share/man "$1"/usr/share/locale "$1"/usr/share/info "$1"/usr/share/lintian \
        "$1"/usr/share/bug "$1"/usr/share/doc-base "$1"/usr/lib/*/gconv "$1"/var/cache/apt "$1"/var/lib/apt \
        "$1"/var/log/* "$1"/etc/apt
    find "$1/usr/share/doc" -type f ! -name copyright -exec rm -f {} +
    find "$1/usr/share/doc" -type d -empty -delete
    # An awk is there only for a script of base-files that nobody runs.
    rm -rf "$1"/usr/bin/*awk "$1"/usr/share/doc/mawk "$1"/var/lib/dpkg/status.d/mawk
    find "$1/dev" -mindepth 1 -delete
}

# The link that the package's maintainer script would make by update-alternatives.
link_openblas() { # in folder $1
    for library in "$1"/usr/lib/*/openblas-openmp/libopenblas.so.0; do
        ln -s openblas-openmp/libopenblas.so.0 "$(dirname "$(dirname "$library")")/libopenblas.so.0"
    done
}

make_root() { # into folder $1
    unpack_packages "$1"
    drop_ballast "$1"
    link_openblas "$1"
    for file in "$1"/var/lib/dpkg/status.d/*; do cat "$file"; echo; done >"$scratch/status"
    sh "$here/container/lay-out.sh" "$build" "$scratch/status" "$1"
    chmod 1777 "$1/tmp"
}

build_minimal() {
    if [ -z "$build" ]; then
        sh "$here/container/deps.sh" build
        build=$here/build
        [ -e "$build/build.ninja" ] || meson setup "$build" "$here" -Dtests=false >/dev/null
        ninja -C "$build" >"$scratch/ninja.log" || { tail -n 40 "$scratch/ninja.log" >&2; die "the build failed"; }
    fi
    make_root "$scratch/root"
    mkdir "$scratch/context"
    tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --format=gnu \
        -C "$scratch/root" -cf "$scratch/context/root.tar" .
    # shellcheck disable=SC2086 # the tool and its options are words
    $tool build -q $reproducible -f "$here/container/Dockerfile.minimal" -t "$tag" "$scratch/context"
}

build_slim() {
    # shellcheck disable=SC2086
    $tool build -q ${BOOSTLENS_BUILD_OPTIONS:-} -f "$here/container/Dockerfile" -t "$tag" "$here"
}

"build_$variant"
if [ -n "$save" ]; then
    case $tool in
    *docker*) $tool save -o "$save" "$tag" ;;
    *) rm -f "$save"; $tool save -q --format docker-archive -o "$save" "$tag" ;;
    esac
fi
