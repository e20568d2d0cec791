#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs everything boostlens needs; the only place that names versions and digests.
#
#   sh container/deps.sh [build|test|container|peers]     default: build
#
#   build       compiler, meson, libraries; XGBoost's C library and header under .deps/
#   test        build, and what tests/run.sh runs: clang, formatter, sanitizers, cmocka, h5py
#   container   build, and what makes and runs images: podman, mmdebstrap
#   peers       test, and the Python packages of benchmarks/ (container/peers.txt) under .deps/peers
#
# Debian packages come from apt, XGBoost from PyPI through pip, each by its own client and with
# that client's own settings (mirrors, proxies, certificates). What pip fetches is checked against
# the SHA-256 below. Nothing is done twice: a second call with nothing missing takes well under a second.
# BOOSTLENS_DEPS names another folder than .deps. As an ordinary user, apt is called through sudo.
set -eu

xgboost_version=3.4.1
wheel_x86_64=1f16331f5c6beb2b40fbd4bf2834333062d93c9eb38b76186a5c206841dc1809
wheel_aarch64=47b81860b18056f9425b34fe2905343bc7ee0118122ae09cf2e31c305ed49877
sdist=6968a4c71efdfa859df0dfcad0d99211c95c28c4ffd6aecff46efff77d18026a

build_packages="gcc libc6-dev meson ninja-build pkg-config ca-certificates
    libcsv-dev libhdf5-dev libopenblas-openmp-dev libjansson-dev libssl-dev libdeflate-dev zlib1g-dev"
# libomp: clang's OpenMP. llvm: names in the sanitizers' reports, without which a library's leak
# looks like ours. locales: a locale with a decimal comma is made for a test.
test_packages="clang llvm clang-format libclang-rt-14-dev libomp-14-dev libcmocka-dev binutils git locales
    python3 python3-h5py python3-numpy strace"
# runc beside podman's own choice: that one refuses machines with mixed cgroups.
container_packages="podman runc containernetworking-plugins mmdebstrap"

say() { printf 'deps: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

what=${1:-build}
case $what in build | test | container | peers) ;; *) die "unknown set '$what': use build, test, container or peers" ;; esac
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
deps=${BOOSTLENS_DEPS:-$here/.deps}
case $deps in /*) ;; *) deps=$PWD/$deps ;; esac

# --- Debian packages ------------------------------------------------------------------------

install_packages() {
    command -v dpkg-query >/dev/null ||
        die "this is not Debian: install what stands at the head of container/deps.sh by other means"
    # One call for all: a call a package is what takes time when nothing is missing.
    installed=" $(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null |
        sed -n 's/ installed$//p' | tr '\n' ' ')"
    missing=
    for package in "$@"; do
        case $installed in *" $package "*) ;; *) missing="$missing $package" ;; esac
    done
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null || die "apt-get not found; install these yourself:$missing"
    as_root=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null ||
            die "not root and no sudo: ask an administrator for: apt-get install$missing"
        as_root=sudo
    fi
    say "installing Debian packages:$missing"
    export DEBIAN_FRONTEND=noninteractive
    $as_root apt-get update -q >/dev/null
    # shellcheck disable=SC2086 # one word a package
    $as_root apt-get install -y -q --no-install-recommends $missing >/dev/null
}

# --- XGBoost: the library out of the CPU-only wheel, the header out of the source package ---

need_pip() { python3 -m pip --version >/dev/null 2>&1 || install_packages python3-pip; }

pip_download="python3 -m pip --disable-pip-version-check download -q --no-deps --require-hashes"

# pip would run the source package's build code to learn its name; this backend answers instead.
write_stub_backend() {
    mkdir -p "$1/scikit_build_core"
    : >"$1/scikit_build_core/__init__.py"
    cat >"$1/scikit_build_core/build.py" <<PY
import os

def prepare_metadata_for_build_wheel(directory, config_settings=None):
    name = "xgboost-$xgboost_version.dist-info"
    os.makedirs(os.path.join(directory, name))
    with open(os.path.join(directory, name, "METADATA"), "w") as f:
        f.write("Metadata-Version: 2.1\nName: xgboost\nVersion: $xgboost_version\n")
    return name
PY
}

fetch_wheel() { # into folder $1
    arch=$(uname -m)
    case $arch in
    x86_64) digest=$wheel_x86_64 ;;
    aarch64) digest=$wheel_aarch64 ;;
    *) die "no XGBoost wheel for $arch: build XGBoost and give -Dxgboost_prefix=DIR to meson" ;;
    esac
    echo "xgboost-cpu==$xgboost_version --hash=sha256:$digest" >"$1/wheel.txt"
    $pip_download --dest "$1" --only-binary=:all: --python-version 3.12 \
        --platform "manylinux_2_28_$arch" -r "$1/wheel.txt" >&2 ||
        die "could not fetch xgboost-cpu $xgboost_version with pip; is a package index reachable?"
    python3 -m zipfile -e "$1"/xgboost_cpu-*.whl "$1/wheel"
}

fetch_source() { # into folder $1
    echo "xgboost==$xgboost_version --hash=sha256:$sdist" >"$1/sdist.txt"
    write_stub_backend "$1/stub"
    PYTHONPATH=$1/stub $pip_download --dest "$1" --no-binary xgboost --no-build-isolation \
        --python-version 3.12 -r "$1/sdist.txt" >&2 ||
        die "could not fetch the source package of xgboost $xgboost_version with pip"
    tar -xzf "$1"/xgboost-*.tar.gz -C "$1"
}

# One OpenMP runtime in the process: the wheel's own copy of libgomp becomes a link to the
# system's. Two copies and OMP_PROC_BIND leave the whole process one thread.
one_libgomp() { # in prefix $1
    system=$(gcc -print-file-name=libgomp.so.1)
    case $system in /*) ;; *) die "gcc does not know libgomp.so.1: install libgomp1" ;; esac
    for copy in "$1"/xgboost_cpu.libs/libgomp-*; do
        [ -e "$copy" ] || die "the wheel carries no libgomp: its layout has changed"
        ln -sf "$(readlink -f "$system")" "$copy"
    done
}

write_pkg_config() { # in prefix $1
    mkdir -p "$1/pkgconfig"
    cat >"$1/pkgconfig/xgboost.pc" <<'PC'
prefix=${pcfiledir}/..

Name: xgboost
Description: XGBoost's C API
Version: @VERSION@
Cflags: -isystem ${prefix}/include
Libs: -L${prefix}/xgboost/lib -lxgboost
PC
    sed -i "s/@VERSION@/$xgboost_version/" "$1/pkgconfig/xgboost.pc"
}

install_xgboost() {
    prefix=$deps/xgboost-$xgboost_version
    if [ ! -e "$prefix/complete" ]; then
        say "fetching XGBoost $xgboost_version (C library, header) into $prefix"
        need_pip
        mkdir -p "$deps"
        scratch=$(mktemp -d "$deps/fetch.XXXXXX")
        trap 'rm -rf "$scratch"' EXIT
        fetch_wheel "$scratch"
        fetch_source "$scratch"
        new=$scratch/prefix
        mkdir -p "$new/include/xgboost" "$new/xgboost/lib"
        # The wheel's layout is kept because its RPATH points from one folder to the other.
        mv "$scratch/wheel/xgboost/lib/libxgboost.so" "$new/xgboost/lib/"
        mv "$scratch/wheel/xgboost_cpu.libs" "$new/"
        mv "$scratch"/wheel/xgboost_cpu-*.dist-info/licenses "$new/" 2>/dev/null || true
        ln -s libxgboost.so "$new/xgboost/lib/libxgboost.so.3"
        cp "$scratch"/xgboost-"$xgboost_version"/cpp_src/include/xgboost/c_api.h "$new/include/xgboost/"
        write_pkg_config "$new"
        : >"$new/complete"
        rm -rf "$prefix"
        mv "$new" "$prefix"
        rm -rf "$scratch"
        trap - EXIT
    fi
    one_libgomp "$prefix"
}

# --- peers: what a Python user of XGBoost has, as the wheels bring it --------------------------

install_peers() {
    prefix=$deps/peers
    [ ! -e "$prefix/complete" ] || cmp -s "$here/container/peers.txt" "$prefix/complete" || rm -rf "$prefix"
    [ ! -e "$prefix/complete" ] || return 0
    python3 -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' ||
        die "the peers are pinned for Python 3.11, and python3 is $(python3 --version 2>&1)"
    need_pip
    say "fetching the Python packages of container/peers.txt into $prefix"
    scratch=$(mktemp -d "$deps/fetch.XXXXXX")
    trap 'rm -rf "$scratch"' EXIT
    python3 -m pip --disable-pip-version-check install -q --no-deps --require-hashes \
        --only-binary=:all: --target "$scratch/peers" -r "$here/container/peers.txt" >&2 ||
        die "could not install the packages of container/peers.txt with pip"
    # By its metadata this wheel wants Python 3.12; unpacked it runs on 3.11.
    fetch_wheel "$scratch"
    cp -R "$scratch"/wheel/* "$scratch/peers/"
    cp "$here/container/peers.txt" "$scratch/peers/complete"
    rm -rf "$prefix"
    mv "$scratch/peers" "$prefix"
    rm -rf "$scratch"
    trap - EXIT
}

# pip is asked for only where something has to be fetched, and then in the same call of apt.
[ -e "$deps/xgboost-$xgboost_version/complete" ] || python3 -m pip --version >/dev/null 2>&1 ||
    build_packages="$build_packages python3-pip"
# shellcheck disable=SC2086 # one word a package
install_packages $build_packages
install_xgboost
# shellcheck disable=SC2086
case $what in test | peers) install_packages $test_packages ;; esac
# shellcheck disable=SC2086
[ "$what" != container ] || install_packages $container_packages
[ "$what" != peers ] || install_peers
