#!/bin/sh
# Makes an AppImage from the portable archive's unpacked folder. packaging/appimage.sh OUT RUNTIME FOLDER
#
# RUNTIME is AppImage's type 2 runtime for this processor (runtime-x86_64 or runtime-aarch64 of the project
# AppImage/type2-runtime). No package registry carries it, so `make packages` does not make an AppImage: see
# packaging/README.md. "-" for RUNTIME makes the file system image alone.
set -eu
cd "$(dirname "$0")/.."
. packaging/common.sh
[ $# = 3 ] || { sed -n '2s/.*portable/Needs the portable/p' "$0" >&2; exit 2; }
need mksquashfs squashfs-tools
mkdir -p "$1"
out=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
app=$work/Farpane.AppDir
mkdir -p "$app/usr"
cp -a "$3/bin" "$3/share" "$app/usr/"
cp "$app/usr/share/applications/farpane.desktop" "$app/farpane.desktop"
cp "$app/usr/share/icons/hicolor/256x256/apps/farpane.png" "$app/farpane.png"
ln -s farpane.png "$app/.DirIcon"
ln -s usr/bin/farpane "$app/AppRun"
settle "$app"
mksquashfs "$app" "$work/image" -quiet -no-progress -root-owned -noappend -no-exports -comp zstd
name=farpane-$version-$machine
if [ "$2" = - ]; then
    mv "$work/image" "$out/$name.squashfs"
    echo "$out/$name.squashfs"
else
    cat "$2" "$work/image" >"$out/$name.AppImage"
    chmod 755 "$out/$name.AppImage"
    echo "$out/$name.AppImage"
fi
