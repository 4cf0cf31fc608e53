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
RUSTFLAGS="${RUSTFLAGS:-} $flags" cargo rustc --locked --profile dist --bin farpane -- "$@" >&2
echo "${CARGO_TARGET_DIR:-target}/dist/farpane"
