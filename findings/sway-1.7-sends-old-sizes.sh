#!/bin/sh
# Finding: with each change of the focus, sway 1.7 gives a floating window back a size that it no longer has.
#
# Software: sway 1.7 with wlroots 0.15 (Debian 12: sway), GTK 3.24 as the program (gir1.2-gtk-3.0, python3-gi).
# Ran:      two floating windows of one program on a headless screen. When both are shown, the first makes itself
#           smaller (`gtk_window_resize`), which sway follows. Then the focus goes to one window and to the other.
# Expected: a configure event that only tells about the focus has the window's size, or none: (0, 0).
# Seen:     it has the size that sway chose last, here the one from when the window was mapped. The program obeys, and
#           is as large as it was before. A client that resizes itself has to know such sizes as out of date, or what
#           its user or its scale factor made of the window is lost at the next click beside it.
# Exit status: 0 if it is still so.
set -eu
for package in sway python3-gi gir1.2-gtk-3.0; do
    dpkg-query -W -f '${db:Status-Status}' $package 2>/dev/null | grep -q '^installed$' ||
        apt-get install -y --no-install-recommends $package >/dev/null
done
work=$(mktemp -d)
server=
trap 'kill $server 2>/dev/null || true; wait $server 2>/dev/null || true; rm -rf "$work"' EXIT
chmod 700 "$work"
export XDG_RUNTIME_DIR="$work" HOME="$work"
printf '%s\n' 'output HEADLESS-1 mode 1280x800' 'default_floating_border none' \
    'for_window [title=".*"] floating enable' >"$work/config"
# It refuses root.
as=
if [ "$(id -u)" = 0 ]; then
    chown -R 39999:39999 "$work"
    as="setpriv --reuid=39999 --regid=39999 --clear-groups --"
fi
sway --version
WLR_BACKENDS=headless WLR_LIBINPUT_NO_DEVICES=1 WLR_RENDERER=pixman $as sway -c "$work/config" >"$work/log" 2>&1 &
server=$!
cat >"$work/program.py" <<'PYTHON'
import os, signal
import gi
gi.require_version("Gtk", "3.0")
from gi.repository import GLib, Gtk
windows = []
for title, size in ("first", (420, 320)), ("second", (300, 200)):
    window = Gtk.Window(title=title)
    window.set_decorated(False)
    window.set_default_size(*size)
    window.show_all()
    windows.append(window)
GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGUSR1, lambda: windows[0].resize(210, 160) or True)
Gtk.main()
PYTHON
/usr/bin/python3 - "$work" <<'PYTHON'
import glob, json, os, signal, subprocess, sys, time

work = sys.argv[1]

def wait(what, ask):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.05)
    sys.exit(f"waited in vain for {what}")

def views(node):
    if node.get("pid"):
        yield node
    for child in node["nodes"] + node["floating_nodes"]:
        yield from views(child)

ipc = wait("sway", lambda: glob.glob(f"{work}/sway-ipc.*"))[0]
display = wait("sway", lambda: [p for p in glob.glob(f"{work}/wayland-*") if not p.endswith(".lock")])[0]

def swaymsg(*words):
    return subprocess.run(["swaymsg", "-r", "-s", ipc, *words], check=True, capture_output=True, text=True).stdout

def size(title):
    for view in views(json.loads(swaymsg("-t", "get_tree"))):
        if view["name"] == title:
            return view["rect"]["width"], view["rect"]["height"]

environment = dict(os.environ, WAYLAND_DISPLAY=display, GDK_BACKEND="wayland", NO_AT_BRIDGE="1")
program = subprocess.Popen(["/usr/bin/python3", f"{work}/program.py"], env=environment, stderr=subprocess.DEVNULL)
try:
    wait("two windows", lambda: size("first") and size("second"))
    time.sleep(1)
    large = size("first")
    print("as it was mapped:", *large)
    program.send_signal(signal.SIGUSR1)
    wait("the smaller window", lambda: size("first") < (large[0] - 100, large[1] - 100))
    time.sleep(1)
    print("as it resized itself:", *size("first"))
    for title in ("first", "second", "first"):
        swaymsg(f'[title="^{title}$"] focus')
        time.sleep(0.5)
    after = size("first")
    print("after the focus changed:", *after)
finally:
    program.terminate()
    program.wait()
sys.exit(0 if after == large else f"the window kept {after}: no longer so")
PYTHON
