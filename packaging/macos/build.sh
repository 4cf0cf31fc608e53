#!/bin/sh
# Makes Farpane.app and a disk image of it, in target/packages. Needs macOS with Xcode's command line tools,
# Rust, cmake, nasm and Python 3 (brew install cmake nasm). Never run: see packaging/README.md.
#
#   packaging/macos/build.sh            for this machine's processor
#   packaging/macos/build.sh universal  for both (rustup target add x86_64-apple-darwin aarch64-apple-darwin)
#
# MACOS_SIGN names the identity to sign with; without it the bundle is signed for this machine alone.
set -eu
cd "$(dirname "$0")/../.."
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
out=target/packages
work=target/macos
app=$work/image/Farpane.app
rm -rf "$work"
mkdir -p "$out" "$app/Contents/MacOS" "$app/Contents/Resources"

export MACOSX_DEPLOYMENT_TARGET=11.0
if [ "${1:-}" = universal ]; then
    for triple in x86_64-apple-darwin aarch64-apple-darwin; do
        cargo rustc --locked --profile dist --no-default-features --features packaged --bin farpane --target "$triple" -- -C opt-level=3
    done
    lipo -create -output "$app/Contents/MacOS/farpane" \
        target/x86_64-apple-darwin/dist/farpane target/aarch64-apple-darwin/dist/farpane
    name=universal
else
    cargo rustc --locked --profile dist --no-default-features --features packaged --bin farpane -- -C opt-level=3
    cp target/dist/farpane "$app/Contents/MacOS/farpane"
    name=$(uname -m)
fi

sed "s/@VERSION@/$version/" packaging/macos/Info.plist >"$app/Contents/Info.plist"
plutil -lint "$app/Contents/Info.plist"
set=$work/farpane.iconset
mkdir "$set"
icon() { cp "assets/icons/hicolor/$1x$1/apps/farpane.png" "$set/icon_$2.png"; }
icon 16 16x16; icon 32 16x16@2x; icon 32 32x32; icon 64 32x32@2x; icon 128 128x128
icon 256 128x128@2x; icon 256 256x256; icon 512 256x256@2x; icon 512 512x512
iconutil --convert icns --output "$app/Contents/Resources/farpane.icns" "$set"
packaging/licences.py --out "$app/Contents/Resources/THIRD-PARTY-LICENCES.txt"
"$app/Contents/MacOS/farpane" config --show >"$app/Contents/Resources/farpane.example.toml"
cp LICENSE-MIT LICENSE-APACHE "$app/Contents/Resources/"

codesign --force --options runtime --sign "${MACOS_SIGN:--}" "$app"
ln -s /Applications "$work/image/Applications"
hdiutil create -volname Farpane -srcfolder "$work/image" -format UDZO -ov "$out/farpane-$version-macos-$name.dmg"
