#!/bin/sh
# Makes the portable archive, with its own install script. packaging/archive.sh OUT [BINARY]
set -eu
cd "$(dirname "$0")/.."
. packaging/common.sh
mkdir -p "$1"
out=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
name=farpane-$version-linux-$machine
packaging/stage.sh "$work/stage" ${2:+"$2"}
mv "$work/stage/usr" "$work/$name"
install --mode=755 packaging/linux/install.sh "$work/$name/install.sh"
install --mode=644 README.md LICENSE-MIT LICENSE-APACHE "$work/$name/"
settle "$work/$name"
tar --create --directory="$work" --sort=name --owner=0 --group=0 --numeric-owner --format=ustar "$name" |
    xz --threads=1 "-$compression" >"$out/$name.tar.xz"
echo "$out/$name.tar.xz"
