#!/bin/sh
# Compiles and installs Xpra 6 (server and official client) from PyPI into a prefix of its own,
# for the interop tests. Debian's xpra 3.1.3 stays as it is. Says nothing when it is there already.
#
#   tests/setup/install-xpra6.sh PREFIX
#
# The packages that it builds with come from packaging/setup.sh. About 1 minute on 2 cores.
set -eu
version=6.5.5
cython=3.3.1
# For --bind-quic.
aioquic=1.7.2
prefix=${1:?usage: install-xpra6.sh PREFIX}
mark=$prefix/.installed-$version-quic
[ -e "$mark" ] && exit 0

started=$(date +%s)
say() { echo "setup: Xpra $version: $* ($(($(date +%s) - started)) s)"; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
step() { # NAME COMMAND...: quiet, unless it fails
    name=$1; shift
    "$@" >"$work/$name.log" 2>&1 || { tail -n 40 "$work/$name.log" >&2; say "$name failed" >&2; exit 1; }
}

# Debian's own python, whichever comes first in the PATH: it alone sees Debian's python3-gi and its like.
say "making a Python environment in $prefix"
mkdir -p "$(dirname "$prefix")"
step venv /usr/bin/python3 -m venv --system-site-packages "$prefix"
PATH=$prefix/bin:$PATH
pip="$prefix/bin/python -m pip --quiet --disable-pip-version-check"
step cython $pip install "Cython==$cython" "setuptools>=77" wheel
step aioquic $pip install "aioquic==$aioquic"

# (pip runs setup.py for the metadata; --minimal makes that quick)
step download env XPRA_EXTRA_BUILD_ARGS=--minimal $pip download "xpra==$version" \
    --no-binary :all: --no-deps --no-build-isolation -d "$work"
mkdir "$work/source"
tar xf "$work/xpra-$version.tar.gz" -C "$work/source" --strip-components=1

# Without what no test uses; -O1 and no debug information halve the time that gcc takes.
jobs=$(nproc)
export NTHREADS="$jobs" CFLAGS="-O1 -g0" LC_ALL=C.UTF-8
options="--without-nvidia --without-docs --without-v4l2 --without-evdi --without-example --without-pytorch
    --without-wireshark --without-wayland_client --without-wayland_server --without-webcam --without-service
    --without-printing --without-tests --without-amf --without-uinput"
cd "$work/source"
say "compiling"
# shellcheck disable=SC2086
step compile python setup.py build_ext -j"$jobs" $options
# shellcheck disable=SC2086
step install python setup.py install --prefix="$prefix" --single-version-externally-managed \
    --record="$prefix/xpra-files.txt" $options

# (Without this it reads /etc/xpra, which belongs to 3.1.3.)
step version env XPRA_SYSTEM_CONF_DIRS="$prefix/etc/xpra" "$prefix/bin/xpra" --version
touch "$mark"
say "installed"
