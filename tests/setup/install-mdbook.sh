#!/bin/sh
# Builds mdBook, which makes the user guide, into a prefix of its own. Says nothing when it is there already.
#
#   tests/setup/install-mdbook.sh PREFIX
#
# About 2 minutes of processor time; with optimisation twice as many, for a guide that is made in a third of a second.
set -eu
version=0.5.4
prefix=${1:?usage: install-mdbook.sh PREFIX}
case "$("$prefix/bin/mdbook" --version 2>/dev/null || true)" in
    "mdbook v$version") exit 0 ;;
esac

echo "setup: building mdBook $version into $prefix"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Neither its own web server nor a search index is needed. A build folder that is set for this project is not
# for that one.
env -u CARGO_TARGET_DIR CARGO_PROFILE_DEV_DEBUG=false cargo install mdbook --debug --no-default-features --locked --version "$version" --force \
    --root "$prefix" >"$log" 2>&1 || {
    tail -n 40 "$log" >&2
    echo "setup: mdBook could not be built" >&2
    exit 1
}
