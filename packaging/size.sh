#!/bin/sh
# Says how large a stripped binary and the Debian package are, and fails if one is larger than its limit.
#
#   packaging/size.sh [BINARY [DEB]]      target/dist/farpane unless given, and no package
set -eu
cd "$(dirname "$0")/.."
. packaging/common.sh

# check WHAT FILE LIMIT: compares a file's size.
check() {
    size=$(stat -c %s "$2")
    echo "packaging: the $1 has $size bytes of at most $3"
    [ "$size" -le "$3" ] || { echo "packaging: packaging/README.md, Size, says where to look" >&2; exit 1; }
}
check program "${1:-$target/dist/farpane}" "$size_limit"
[ -z "${2:-}" ] || check "Debian package" "$2" "$deb_limit"
