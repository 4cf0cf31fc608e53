#!/bin/sh
# Renders assets/logo.svg to the sizes that desktops ask for, in assets/icons/hicolor. Run it after every
# change of the logo. Needs rsvg-convert (librsvg2-bin).
#
#   packaging/icons.sh                only that
#   packaging/icons.sh ico FILE       a Windows icon of them (icotool, from icoutils)
#   packaging/icons.sh icns FILE      a macOS icon of them (png2icns, from icnsutils)
set -eu
cd "$(dirname "$0")/.."
icons=assets/icons/hicolor
png() { for size in "$@"; do printf '%s\n' "$icons/${size}x$size/apps/farpane.png"; done; }

case "${1:-}" in
    "")
        for size in 16 24 32 48 64 128 256 512; do
            mkdir -p "$icons/${size}x$size/apps"
            rsvg-convert --width "$size" --height "$size" assets/logo.svg --output "$(png "$size")"
        done
        ;;
    # shellcheck disable=SC2046
    ico) icotool --create --output="$2" $(png 16 24 32 48 64 128) --raw="$(png 256)" ;;
    # shellcheck disable=SC2046
    icns) png2icns "$2" $(png 16 32 48 128 256 512) >/dev/null ;;
    *) sed -n '5,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
