#!/bin/sh
# Finding: Xpra 3.1.3 makes a window narrower when its program's largest width shrinks, but never lower.
#
# Software: Xpra server 3.1.3 (Debian 12: xpra), python-xlib 0.33.
# Ran:      a session with Xpra's own client attached. A program has a window of 300 x 200 and says, by WM_NORMAL_HINTS, that
#           its smallest and largest size are 250 x 150 (and resizes nothing itself). It notes the sizes that it is told
#           in the next two seconds. The same with 350 x 250.
# Expected: it is told one size, 250 x 150.
# Seen:     250 x 200 and then, when the client has heard of the limits and answered, 250 x 150. The width is held to its
#           maximum, the height is not; growing, both are right: 350 x 250. PyPI's 6.5.5 makes it 250 x 150 at once.
#           Tk (`wm resizable 0 0`) says its limits before it resizes, takes 250 x 200 for the user's wish, and stays 200 high
#           from then on: a dialog that grows and shrinks ends with the wrong height, whichever client is attached.
# Exit status: 0 if it is still so.
set -eu
for package in xpra xvfb python3-venv; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -q '^installed$' ||
        apt-get install -y --no-install-recommends "$package" >/dev/null
done
work=$(mktemp -d)
server=
client=
screen=
trap 'for one in $client $server $screen; do kill "$one" 2>/dev/null || true; wait "$one" 2>/dev/null || true; done; rm -rf "$work"' EXIT
/usr/bin/python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet install python-xlib==0.33
export XDG_RUNTIME_DIR="$work" XPRA_SYSTEM_CONF_DIRS="$work" HOME="$work"
chmod 700 "$work"
/usr/bin/xpra --version
/usr/bin/xpra start --displayfd=1 --daemon=no --mdns=no --notifications=no --printing=no \
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
Xvfb -displayfd 3 -screen 0 1600x1000x24 -nolisten tcp -noreset 3>"$work/screen" >"$work/screen.log" 2>&1 &
screen=$!
while [ ! -s "$work/screen" ]; do sleep 0.2; done
DISPLAY=":$(cat "$work/screen")" /usr/bin/xpra attach "$display" --socket-dirs="$work" --mdns=no --pulseaudio=no \
    --notifications=no --opengl=no --speaker=off --microphone=off --webcam=no --printing=no --tray=no \
    >"$work/client.log" 2>&1 &
client=$!
for _ in $(seq 120); do
    grep -qi "attached to" "$work/client.log" && break
    sleep 0.5
done
"$work/venv/bin/python" - "$display" <<'PYTHON'
import sys, time
from Xlib import X, Xutil, display

connection = display.Display(sys.argv[1])
screen = connection.screen()

def sizes_after(width, height):
    """The sizes that the window is told once its limits are another."""
    window = screen.root.create_window(100, 100, 300, 200, 0, screen.root_depth, X.CopyFromParent,
                                       event_mask=X.StructureNotifyMask)
    window.map()
    connection.sync()
    time.sleep(2)
    while connection.pending_events():
        connection.next_event()
    window.set_wm_normal_hints(flags=Xutil.PMinSize | Xutil.PMaxSize, min_width=width, min_height=height,
                               max_width=width, max_height=height)
    connection.sync()
    time.sleep(2)
    sizes = []
    while connection.pending_events():
        event = connection.next_event()
        if event.type == X.ConfigureNotify and (event.width, event.height) not in sizes[-1:]:
            sizes.append((event.width, event.height))
    window.destroy()
    return sizes

smaller, larger = sizes_after(250, 150), sizes_after(350, 250)
print("300 x 200, then 250 x 150 is the only size:", smaller)
print("300 x 200, then 350 x 250 is the only size:", larger)
sys.exit(smaller[:1] != [(250, 200)] or larger[:1] != [(350, 250)])
PYTHON
