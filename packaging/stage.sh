#!/bin/sh
# Lays out what every package for Linux holds, in DESTDIR/usr. All of them are made from this.
#
#   packaging/stage.sh DESTDIR [BINARY]      BINARY: target/dist/farpane unless given
set -eu
cd "$(dirname "$0")/.."
. packaging/common.sh
[ $# -ge 1 ] || { sed -n '4s/^# *//p' "$0" >&2; exit 2; }
mkdir -p "$1"
root=$(cd "$1" && pwd)
binary=${2:-$target/dist/farpane}
share=$root/usr/share
put() { install -D --mode=644 "$1" "$2"; }

install -D --mode=755 "$binary" "$root/usr/bin/farpane"
strip --strip-unneeded --remove-section=.comment "$root/usr/bin/farpane"

put packaging/linux/farpane.desktop "$share/applications/farpane.desktop"
put packaging/linux/farpane-mime.xml "$share/mime/packages/farpane.xml"
metainfo=$share/metainfo/$app_id.metainfo.xml
put "packaging/linux/$app_id.metainfo.xml" "$metainfo"
sed -i "s/@VERSION@/$version/; s/@DATE@/$(built %Y-%m-%d)/" "$metainfo"

put assets/logo.svg "$share/icons/hicolor/scalable/apps/farpane.svg"
for icon in assets/icons/hicolor/*/apps/farpane.png; do
    put "$icon" "$share/${icon#assets/}"
done

# What the program says of itself.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Not what this machine's user has configured.
own() { env -i HOME="$scratch" "$binary" "$@"; }
mkdir -p "$share/man/man1"
own man --out "$share/man/man1"
gzip --best --no-name "$share"/man/man1/*.1
own completions bash >"$scratch/bash"
own completions zsh >"$scratch/zsh"
own completions fish >"$scratch/fish"
own config --show >"$scratch/farpane.toml"
put "$scratch/bash" "$share/bash-completion/completions/farpane"
put "$scratch/zsh" "$share/zsh/site-functions/_farpane"
put "$scratch/fish" "$share/fish/vendor_completions.d/farpane.fish"
put "$scratch/farpane.toml" "$share/doc/farpane/examples/farpane.toml"

# Words and licences.
put CHANGELOG.md "$share/doc/farpane/changelog"
gzip --best --no-name "$share/doc/farpane/changelog"
awk '/^@MIT@$/ { while ((getline line < "LICENSE-MIT") > 0) print line == "" ? " ." : " " line; next } { print }' \
    packaging/linux/copyright >"$scratch/copyright"
put "$scratch/copyright" "$share/doc/farpane/copyright"
packaging/licences.py --out "$scratch/THIRD-PARTY-LICENCES.txt"
put "$scratch/THIRD-PARTY-LICENCES.txt" "$share/doc/farpane/THIRD-PARTY-LICENCES.txt"
gzip --best --no-name "$share/doc/farpane/THIRD-PARTY-LICENCES.txt"
settle "$root"
