#!/bin/sh
# Makes every package that can be made on Debian 12, in OUT. packaging/packages.sh OUT [BINARY]
set -eu
cd "$(dirname "$0")/.."
[ $# -ge 1 ] || { sed -n '2s/^# *//p' "$0" >&2; exit 2; }
for kind in deb rpm archive; do
    "packaging/$kind.sh" "$@"
done
