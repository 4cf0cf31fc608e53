#!/bin/sh
# Builds what the packages hold: the profile "dist", without the paths of this machine in it. Prints
# where it is. Further arguments go to rustc.
set -eu
cd "$(dirname "$0")/.."
cargo_home=${CARGO_HOME:-$HOME/.cargo}
flags="--remap-path-prefix=$PWD=/farpane"
for registry in "$cargo_home"/registry/src/*; do
    flags="$flags --remap-path-prefix=$registry=/crates"
done
# No exception is thrown through C or C++ here, and so nothing needs tables for it.
export CFLAGS="${CFLAGS:-} -fno-asynchronous-unwind-tables"
export CXXFLAGS="${CXXFLAGS:-} -fno-asynchronous-unwind-tables -fno-exceptions"
# rustc brings its own linker for this target, which can fold functions that are the same.
case $(rustc -vV | sed -n 's/^host: //p') in
    x86_64-unknown-linux-gnu) set -- -C link-arg=-Wl,--icf=all -C link-arg=-Wl,-O2 "$@" ;;
esac
# All libraries are optimised together at the level of the program, each as its own level in Cargo.toml allows:
# below 3, not even theirs would use vector instructions.
RUSTFLAGS="${RUSTFLAGS:-} $flags" cargo rustc --locked --profile dist --no-default-features --features packaged \
    --bin farpane -- -C opt-level=3 "$@" >&2
echo "${CARGO_TARGET_DIR:-target}/dist/farpane"
