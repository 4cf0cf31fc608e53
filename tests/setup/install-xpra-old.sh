#!/bin/sh
# Compiles and installs a server of the generations between Debian's 3.1 and 6 (4.4.6 or 5.1.6) from PyPI into a
# prefix of its own, for `make test-servers`. Says nothing when it is there already.
#
#   tests/setup/install-xpra-old.sh VERSION PREFIX
#
# The packages that it builds with come from packaging/setup.sh. About 4 minutes on 2 cores.
set -eu
version=${1:?usage: install-xpra-old.sh VERSION PREFIX}
prefix=${2:?usage: install-xpra-old.sh VERSION PREFIX}
case "$version" in
    4.*) cython=0.29.37 ;;
    5.*) cython=3.0.12 ;;
    *) echo "setup: only servers of 4.x and 5.x are built this way" >&2; exit 2 ;;
esac
mark=$prefix/.installed-$version
[ -e "$mark" ] && exit 0

started=$(date +%s)
say() { echo "setup: Xpra $version: $* ($(($(date +%s) - started)) s)"; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
step() { # NAME COMMAND...: quiet, unless it fails
    name=$1; shift
    "$@" >"$work/$name.log" 2>&1 || { tail -n 40 "$work/$name.log" >&2; say "$name failed" >&2; exit 1; }
}

say "making a Python environment in $prefix"
mkdir -p "$(dirname "$prefix")"
step venv /usr/bin/python3 -m venv --system-site-packages "$prefix"
PATH=$prefix/bin:$PATH
pip="$prefix/bin/python -m pip --quiet --disable-pip-version-check"
step cython $pip install "Cython==$cython" "setuptools<70" wheel

# (pip runs setup.py for the metadata, which looks for every library that Xpra can be built with: here they all seem
# to be there, but for those of one maker's graphics cards)
mkdir "$work/libraries"
printf '#!/bin/sh\ncase "$*" in *cuda*|*nv*) exit 1 ;; *--modversion*) echo 9.9.9 ;; esac\n' >"$work/libraries/pkg-config"
chmod +x "$work/libraries/pkg-config"
step download env PATH="$work/libraries:$PATH" $pip download "xpra==$version" \
    --no-binary :all: --no-deps --no-build-isolation -d "$work"
mkdir "$work/source"
tar xf "$work/xpra-$version.tar.gz" -C "$work/source" --strip-components=1

# A server alone, without what no test uses; -O1 and no debug information halve the time that gcc takes.
jobs=$(nproc)
export NTHREADS="$jobs" CFLAGS="-O1 -g0 -Wno-error" LC_ALL=C.UTF-8
options="--without-nvenc --without-nvjpeg_encoder --without-nvjpeg_decoder --without-nvfbc --without-cuda_kernels --without-docs
    --without-v4l2 --without-example --without-webcam --without-service --without-printing --without-strict
    --without-opengl --without-uinput --without-enc_ffmpeg --without-dec_avcodec2 --without-csc_swscale --without-evdi"
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
