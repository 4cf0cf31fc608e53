#!/bin/sh
# Finding: Xpra's window manager tells a new window its old size when it has asked for another one already.
#
# Software: Xpra server 3.1.3 (Debian 12: xpra), python-xlib 0.33.
# Ran:      a session without any client. A program makes a window and, before it maps it, asks for 10 x 17 pixels, waits
#           until it has them, and asks for 484 x 316: what xterm does. Then it looks at the first size that it is told
#           after the X server took that second request (by the event's serial number). 1000 windows.
# Expected: a size is told once, so behind the second request comes 484 x 316 (ICCCM 4.1.5: the window manager adds an
#           event of its own where nothing is resized).
# Seen:     it resizes the window and sends an event of its own besides, a moment later. Most windows have asked anew by
#           then and are told 10 x 17 as if that were the answer: 827 to 973 of 1000 in five runs (with PyPI's 6.5.5
#           724 and 726 in two). libXt takes that for a refusal: about half
#           of the xterms that are started while 6.5.5 is busy stay one sign large.
# Exit status: 0 if it is still so.
set -eu
for package in xpra xvfb python3-venv; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -q '^installed$' ||
        apt-get install -y --no-install-recommends "$package" >/dev/null
done
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; }; rm -rf "$work"' EXIT
/usr/bin/python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet install python-xlib==0.33
export XDG_RUNTIME_DIR="$work" XPRA_SYSTEM_CONF_DIRS="$work" HOME="$work"
chmod 700 "$work"
/usr/bin/xpra --version
/usr/bin/xpra start --displayfd=1 --daemon=no --mdns=no --pulseaudio=no --notifications=no --dbus-launch= --printing=no \
    --webcam=no --html=off --speaker=off --microphone=off --systemd-run=no --socket-dirs="$work" \
    --xvfb="Xvfb -screen 0 1600x1000x24+32 -nolisten tcp -noreset +extension Composite +extension RANDR" \
    >"$work/log" 2>&1 &
server=$!
display=
for _ in $(seq 120); do
    display=$(sed -n 's/.*X11 display \(:[0-9]*\).*/\1/p' "$work/log" | head -1)
    [ -n "$display" ] && grep -q "xpra is ready" "$work/log" && break
    sleep 0.5
done
"$work/venv/bin/python" - "$display" <<'PYTHON'
import sys
from Xlib import X, display

WINDOWS, SMALL, LARGE = 1000, (10, 17), (484, 316)
connection = display.Display(sys.argv[1])
screen = connection.screen()

def ask(window, size):
    window.configure(width=size[0], height=size[1])
    connection.flush()
    return connection.display.request_serial - 1 & 0xFFFF

def told(window, serial):
    """The first size that the window is told once the X server has taken the request."""
    while True:
        event = connection.next_event()
        later = (event.sequence_number - serial & 0xFFFF) < 0x8000
        if event.type == X.ConfigureNotify and event.window == window and later:
            return event.width, event.height

late = 0
for _ in range(WINDOWS):
    window = screen.root.create_window(0, 0, 1, 1, 0, screen.root_depth, event_mask=X.StructureNotifyMask)
    first = told(window, ask(window, SMALL))
    size = told(window, ask(window, LARGE))
    assert (first, size) in ((SMALL, SMALL), (SMALL, LARGE)), (first, size)
    late += size == SMALL
print(f"told {SMALL[0]} x {SMALL[1]} behind the request for {LARGE[0]} x {LARGE[1]}: {late} of {WINDOWS} windows")
sys.exit(late == 0)
PYTHON
