#!/bin/sh
# Finding: Xpra 3.1.3 loses the keyboard's group when a client changes the keymap.
#
# Software: Xpra server 3.1.3 (Debian 12: xpra).
# Ran:      a bare client with the layouts us,de presses a key in the second group, tells of the same layouts again
#           (as clients do when `setxkbmap` or `xmodmap` ran locally), and presses keys in the second group; XKB's
#           group of the session's display is read after each step.
# Expected: every key names its group, so the display is in the second group whenever one was pressed there.
# Seen:     the new keymap puts the display into the first group, while the server goes on believing in the group of
#           the last key, whatever client sent that: all further keys of the second group type signs of the first one.
#           It ends with the first key of another group. A client mends it by naming the first group once after each
#           keymap, with a key that comes up and was not down.
# Exit status: 0 if it is still so.
set -eu
dpkg-query -W -f '${db:Status-Status}' xpra 2>/dev/null | grep -q '^installed$' ||
    apt-get install -y --no-install-recommends xpra xvfb >/dev/null
dpkg-query -W -f '${db:Status-Status}' libx11-6 2>/dev/null | grep -q '^installed$' ||
    apt-get install -y --no-install-recommends libx11-6 >/dev/null
work=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
export XDG_RUNTIME_DIR="$work" XPRA_SYSTEM_CONF_DIRS="$work" HOME="$work"
chmod 700 "$work"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
xpra --version
/usr/bin/xpra start --bind-tcp=127.0.0.1:"$port" --daemon=no --mdns=no --pulseaudio=no --notifications=no \
    --dbus-launch= --printing=no --webcam=no --html=off --speaker=off --microphone=off --systemd-run=no \
    --socket-dirs="$work" \
    --xvfb="Xvfb -screen 0 1600x1000x24+32 -nolisten tcp -noreset +extension Composite +extension RANDR" \
    >"$work/log" 2>&1 &
server=$!
python3 - "$port" "$work/log" <<'PYTHON'
import ctypes, re, socket, struct, sys, threading, time

def encode(value):
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return b"%d:%s" % (len(value), value)
    if isinstance(value, (list, tuple)):
        return b"l" + b"".join(map(encode, value)) + b"e"
    return b"d" + b"".join(encode(key) + encode(value[key]) for key in sorted(value)) + b"e"

def until(what, attempt, seconds=60):
    deadline = time.time() + seconds
    while True:
        result = attempt()
        if result is not None:
            return result
        assert time.time() < deadline, what
        time.sleep(0.1)

def log():
    return open(sys.argv[2], errors="replace").read()

until("the server", lambda: True if "xpra is ready" in log() else None)
name = until("its display", lambda: re.search(r"X11 display (:\d+)", log())).group(1)
connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
threading.Thread(target=lambda: all(iter(lambda: connection.recv(65536), b"")), daemon=True).start()

def send(*packet):
    body = encode(packet)
    connection.sendall(b"P\0\0\0" + struct.pack(">I", len(body)) + body)

query = {"rules": "evdev", "model": "pc105", "layout": "us,de"}
# A few keys, as keysym, name, key code, group, level.
keys = [(113, "q", 24, group, 0) for group in (0, 1)] + [(121, "y", 29, 0, 0), (122, "z", 29, 1, 0)]
keyboard = {
    "xkbmap_layout": "us,de", "xkbmap_query_struct": query, "xkbmap_layout_groups": 1, "xkbmap_keycodes": keys,
    "xkbmap_query": "".join(f"{key}: {value}\n" for key, value in query.items()),
    "xkbmap_x11_keycodes": {24: ["q", "Q", "q", "Q"], 29: ["y", "Y", "z", "Z"]},
}
send("hello", {
    "version": "3.1.3", "uuid": "finding", "bencode": 1, "encoders": ["bencode"], "namespace": 1, "raw_packets": 1,
    "chunks": 1, "windows": 1, "keyboard": 1, "encodings": ["rgb"], "encodings.core": ["rgb24", "rgb32"],
    "desktop_size": [1600, 1000], **keyboard,
})

class State(ctypes.Structure):
    _fields_ = [("group", ctypes.c_ubyte), ("rest", ctypes.c_ubyte * 64)]

x11 = ctypes.CDLL("libX11.so.6")
x11.XOpenDisplay.restype = ctypes.c_void_p
x11.XkbGetState.argtypes = [ctypes.c_void_p, ctypes.c_uint, ctypes.c_void_p]
display = x11.XOpenDisplay(name.encode())

def group():
    state = State()
    x11.XkbGetState(display, 0x100, ctypes.byref(state))
    return state.group

def tap(in_group):
    for pressed in (1, 0):
        send("key-action", 0, "z", pressed, [], 122, "z", 29, in_group)
    time.sleep(1)
    return group()

time.sleep(4)
seen = {"a key of the second group": tap(1)}
# The same layouts, and one key that is different: else the server takes the keymap for the one that it has.
keyboard["xkbmap_keycodes"] = keys + [(8364, "EuroSign", 26, 1, 2)]
send("keymap-changed", keyboard)
time.sleep(3)
seen["the keymap again"] = group()
seen["a key of the second group again"] = tap(1)
seen["and again"] = tap(1)
tap(0)
seen["one of the first group, then of the second"] = tap(1)
for what, number in seen.items():
    print(f"{what}: group {number}")
sys.exit(list(seen.values()) != [1, 0, 0, 0, 1])
PYTHON
