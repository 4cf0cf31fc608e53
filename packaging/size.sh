#!/bin/sh
# Says how large a stripped binary is, and fails if that is more than the packages' limit.
#
#   packaging/size.sh [BINARY]      target/dist/farpane unless given
set -eu
cd "$(dirname "$0")/.."
. packaging/common.sh
size=$(stat -c %s "${1:-$target/dist/farpane}")
echo "packaging: the program has $size bytes of at most $size_limit"
[ "$size" -le "$size_limit" ] || { echo "packaging: packaging/README.md, Size, says where to look" >&2; exit 1; }
