#!/bin/sh
# Runs the demo that `make demo` built: on the display that is there, else for ten seconds on a
# virtual one, and then the picture is in target/demo.png.
set -eu
target=${CARGO_TARGET_DIR:-target}
farpane=$target/debug/farpane

if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    exec "$farpane" demo "$@"
fi

echo "demo: no display here, so it runs for ten seconds on a virtual one"
number=$(mktemp)
Xvfb -displayfd 3 -screen 0 1440x900x24 -nolisten tcp -noreset 3>"$number" >/dev/null 2>&1 &
xvfb=$!
trap 'kill "$xvfb" 2>/dev/null; wait "$xvfb" 2>/dev/null || true; rm -f "$number"' EXIT
tries=100
until [ -s "$number" ]; do
    kill -0 "$xvfb" 2>/dev/null && [ "$tries" -gt 0 ] || { echo "demo: Xvfb did not start" >&2; exit 1; }
    tries=$((tries - 1))
    sleep 0.1
done
DISPLAY=:$(cat "$number")
export DISPLAY
# Title bars and the keyboard focus, which the overlay follows.
if command -v openbox >/dev/null; then
    openbox >/dev/null 2>&1 &
fi
# Farpane writes over nothing.
rm -f "$target/demo.png"
"$farpane" demo --seconds 10 --screenshot "$target/demo.png" "$@"
echo "demo: the picture is in $target/demo.png; run 'make demo' on a machine with a display to try it yourself"
