#!/bin/sh
# Xpra 3.1.3 (Debian 12), its own server and client, no Farpane.
#
# Expected: a remote window's icon (_NET_WM_ICON, which has colours as they are beside their alpha) arrives as it is: half-
# transparent white, 0x80ffffff, is 0x80ffffff in the local window's _NET_WM_ICON.
# Seen: the server sends it multiplied by alpha, as png, and the client sets that: 0x807f7f7f, a half-transparent grey.
# 6.5.5's server sends the same. Icons that a server takes from a theme are not multiplied.
# Exits non-zero if that changes.
set -eu
version=3.1.3
command -v xpra >/dev/null && command -v xprop >/dev/null ||
    apt-get install -qq -y --no-install-recommends xpra xvfb x11-utils python3-gi-cairo python3-venv >/dev/null
xpra --version 2>/dev/null | grep -q "v$version" || { echo "not Xpra $version" >&2; exit 2; }
work=$(mktemp -d)
pids=
trap 'for pid in $pids; do kill "$pid" 2>/dev/null || true; done; wait; rm -rf "$work"' EXIT
/usr/bin/python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet install python-xlib==0.33
export XDG_RUNTIME_DIR="$work" XPRA_SYSTEM_CONF_DIRS=/nonexistent LC_ALL=C.UTF-8
cat >"$work/window.py" <<'P'
from Xlib import X, display
d = display.Display(); s = d.screen()
w = s.root.create_window(0, 0, 200, 150, 0, s.root_depth, background_pixel=s.white_pixel)
w.set_wm_name("iconed"); w.set_wm_class("iconed", "Iconed")
w.change_property(d.intern_atom("_NET_WM_ICON"), d.intern_atom("CARDINAL"), 32, [32, 32] + [0x80ffffff] * 1024)
w.map(); d.sync()
while True: d.next_event()
P
Xvfb -displayfd 3 -screen 0 1280x800x24 -nolisten tcp 3>"$work/display" 2>/dev/null & pids="$pids $!"
xpra start --displayfd=1 --daemon=no --start="$work/venv/bin/python $work/window.py" --socket-dirs="$work/s" --mdns=no --pulseaudio=no \
    --notifications=no --printing=no --webcam=no --html=off --dbus-launch= --speaker=off --microphone=off \
    --xvfb="Xvfb +extension GLX +extension Composite +extension RANDR +extension RENDER -screen 0 1600x1000x24+32 -nolisten tcp -noreset" \
    >"$work/log" 2>&1 & pids="$pids $!"
for _ in $(seq 60); do grep -q "xpra is ready" "$work/log" && break; sleep 1; done
DISPLAY=:$(cat "$work/display"); export DISPLAY
timeout -k 3 40 xpra attach "socket://$(ls "$work"/s/*-* | head -1)" --opengl=no --mmap=no --notifications=no --tray=no \
    --webcam=no --speaker=off --microphone=off >"$work/client" 2>&1 & pids="$pids $!"
# The client's own icon comes first: the window's has 32 x 32 pixels.
seen=
for _ in $(seq 40); do
    id=$(xwininfo -root -tree 2>/dev/null | sed -n 's/^ *\(0x[0-9a-f]*\) "iconed.*/\1/p' | head -1)
    [ -n "$id" ] && seen=$(xprop -id "$id" -notype 32c _NET_WM_ICON 2>/dev/null | tr -d ' ' | sed -n 's/.*=32,32,\([0-9]*\),.*/\1/p' | head -1)
    [ -n "$seen" ] && break
    sleep 0.5
done
seen=$(printf '0x%08x' "${seen:-0}")
echo "version:  $version"
echo "expected: 0x80ffffff"
echo "seen:     $seen"
case "$seen" in 0x807f7f7f | 0x80808080) ;; *) echo changed >&2; exit 1 ;; esac
