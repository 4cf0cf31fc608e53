#!/bin/sh
# Renders farpane.svg to the PNG sizes that desktops ask for. Needs rsvg-convert (librsvg2-bin).
set -eu
cd "$(dirname "$0")"
for size in 16 24 32 48 64 128 256 512; do
    rsvg-convert --width "$size" --height "$size" farpane.svg --output "farpane-$size.png"
done
