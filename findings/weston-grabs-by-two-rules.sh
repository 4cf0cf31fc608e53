#!/bin/sh
# Finding: with Weston 10 a menu can hold the pointer by a button's press, and by a key's last event, be that its release.
#
# Software: Weston 10.0.1 (Debian 12: weston) in a window of Xvfb, pywayland 0.4.18 (PyPI), xdotool; sway 1.7 knows no such rule.
# Ran:      a client with a window asks for an xdg_popup with a grab (xdg_popup.grab), with the serials of events that it got
#           from xdotool's clicks and keys, after the button or key was released, and while it is held.
# Expected: one rule for both: the event that opened the menu, so a press ("in response to some sort of user action like a
#           button press, key press, or touch down event", xdg-shell), whether or not it is held still.
# Seen:     a button's press is taken, held or not; its release is not, nor an earlier press. A key's press is taken
#           only while the key is down: after it, its release is, and the press is not. Who is refused gets popup_done at
#           once. A program that opens its menus at once never sees it; a menu that comes later than the user's
#           finger is up again (from a remote session, or a slow program) is gone as soon as it is there, if a key opened it
#           and the press is what was kept. Keep the last event of the key and the last press of the button.
# Exit status: 0 if it is still so.
set -eu
for package in weston xvfb xdotool python3-venv; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -q '^installed$' ||
        apt-get install -y --no-install-recommends "$package" >/dev/null
done
work=$(mktemp -d)
started=
trap 'for pid in $started; do kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; done; rm -rf "$work"' EXIT
/usr/bin/python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet install pywayland==0.4.18
export HOME="$work" XDG_RUNTIME_DIR="$work"
chmod 700 "$work"
unset WAYLAND_SOCKET || true
weston --version
Xvfb -displayfd 3 -screen 0 1100x800x24 -nolisten tcp 3>"$work/x" 2>/dev/null &
started=$!
for _ in $(seq 50); do [ -s "$work/x" ] && break; sleep 0.2; done
DISPLAY=":$(cat "$work/x")"
export DISPLAY
weston --backend=x11-backend.so --use-pixman --socket=one --width=1000 --height=700 --log="$work/log" >/dev/null 2>&1 &
started="$! $started"
for _ in $(seq 100); do [ -S "$work/one" ] && break; sleep 0.2; done
sleep 3
WAYLAND_DISPLAY=one "$work/venv/bin/python" - <<'PYTHON'
import mmap, os, select, subprocess, sys, time
from pywayland.client import Display
from pywayland.protocol.wayland import WlCompositor, WlSeat, WlShm
from pywayland.protocol.xdg_shell import XdgWmBase

display = Display()
display.connect()
globals_ = {}
registry = display.get_registry()

def on_global(registry, number, name, version):
    for interface, most in (WlCompositor, 4), (WlShm, 1), (WlSeat, 5), (XdgWmBase, 2):
        if name == interface.name:
            globals_[name] = registry.bind(number, interface, min(version, most))

registry.dispatcher["global"] = on_global
display.roundtrip()
compositor, shm, seat, shell = (globals_[name] for name in ("wl_compositor", "wl_shm", "wl_seat", "xdg_wm_base"))

def on_ping(shell, serial):
    shell.pong(serial)

def on_nothing(*_):
    pass

shell.dispatcher["ping"] = on_ping
serials = {}

def on_button(_pointer, serial, _time, _button, pressed):
    serials["button pressed" if pressed else "button released"] = serial

def on_key(_keyboard, serial, _time, _key, pressed):
    serials["key pressed" if pressed else "key released"] = serial

def on_enter(_pointer, serial, *_):
    serials["entered"] = serial

pointer, keyboard = seat.get_pointer(), seat.get_keyboard()
pointer.dispatcher["enter"] = on_enter
pointer.dispatcher["button"] = on_button
keyboard.dispatcher["key"] = on_key

def run(seconds):
    end = time.time() + seconds
    while time.time() < end:
        display.flush()
        ready = select.select([display.get_fd()], [], [], 0.02)[0]
        display.dispatch(block=bool(ready))

def paint(surface, width, height):
    file = os.memfd_create("pixels")
    os.truncate(file, width * height * 4)
    mmap.mmap(file, width * height * 4)[:] = b"\xff" * (width * height * 4)
    surface.attach(shm.create_pool(file, width * height * 4).create_buffer(0, width, height, width * 4, 1), 0, 0)
    surface.damage(0, 0, width, height)
    surface.commit()

surface = compositor.create_surface()
window = shell.get_xdg_surface(surface)
toplevel = window.get_toplevel()

def on_window(window, serial):
    window.ack_configure(serial)
    paint(surface, 800, 500)

window.dispatcher["configure"] = on_window
toplevel.dispatcher["configure"] = toplevel.dispatcher["close"] = on_nothing
surface.commit()

def hand(*words):
    """What the user does; returns when the program has heard of it."""
    before = dict(serials)
    subprocess.run(["xdotool", *words], check=True)
    end = time.time() + 5
    while serials == before and time.time() < end:
        run(0.1)
    run(0.4)

def stays(serial):
    """Whether a popup with a grab by this event stays."""
    gone = []
    menu = compositor.create_surface()
    menu_window = shell.get_xdg_surface(menu)
    place = shell.create_positioner()
    place.set_size(100, 60)
    place.set_anchor_rect(50, 50, 1, 1)
    popup = menu_window.get_popup(window, place)

    def on_menu(menu_window, serial):
        menu_window.ack_configure(serial)
        paint(menu, 100, 60)

    def on_done(_popup):
        gone.append(True)

    menu_window.dispatcher["configure"] = on_menu
    popup.dispatcher["configure"] = on_nothing
    popup.dispatcher["popup_done"] = on_done
    popup.grab(seat, serial)
    menu.commit()
    run(0.8)
    popup.destroy()
    menu_window.destroy()
    menu.destroy()
    run(0.3)
    return not gone

for _ in range(20):
    if "entered" not in serials:
        # Weston follows a pointer that came in from outside of its window.
        subprocess.run(["xdotool", "mousemove", "1080", "780"], check=True)
        run(1)
        hand("mousemove", "500", "350")
assert "entered" in serials, "the pointer is not in the window"
hand("click", "1")
earlier = serials["button pressed"]
seen = {}
hand("click", "1")
seen["an earlier press of a button"] = stays(earlier)
hand("mousedown", "1")
seen["a button's press, held"] = stays(serials["button pressed"])
hand("mouseup", "1")
hand("click", "1")
seen["a button's press, released since"] = stays(serials["button pressed"])
hand("click", "1")
seen["a button's release"] = stays(serials["button released"])
hand("keydown", "F10")
seen["a key's press, held"] = stays(serials["key pressed"])
hand("keyup", "F10")
hand("key", "F10")
seen["a key's press, released since"] = stays(serials["key pressed"])
hand("key", "F10")
seen["a key's release"] = stays(serials["key released"])
for event, taken in seen.items():
    print(f"{event}: {'stays' if taken else 'done at once'}")
sys.stdout.flush()
# (pywayland's objects end in an order of their own.)
os._exit(list(seen.values()) != [False, True, True, False, True, False, True])
PYTHON
