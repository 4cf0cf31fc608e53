#!/bin/sh
# Finding: an Xpra server takes a client's pointer for relative to the place that this client told it last, also after it
# has moved the window itself and said so.
#
# Software: Xpra server 3.1.3 (Debian 12: xpra), and its packet encoder, bencode.
# Ran:      a client that maps a window where the server says, a program that moves its window, and a pointer-position
#           10 pixels into the window, at the place of which the server has told the client: before and after the client
#           says that place back (configure-window).
# Expected: pointer positions are those of the screen, so the pointer comes to that place each time.
# Seen:     it is off by as much as the program moved, until the client says the place back. With PyPI's 6.5.5 (which
#           wants its own packet encoder) a viewer's clicks were off in the same way. So a client has to answer each
#           place that a server gives to a window, though it has nothing new to say.
# Exit status: 0 if it is still so.
set -eu
for package in xpra xvfb x11-apps xdotool; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -q '^installed$' ||
        apt-get install -y --no-install-recommends "$package" >/dev/null
done
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; }; rm -rf "$work"' EXIT
export XDG_RUNTIME_DIR="$work" XPRA_SYSTEM_CONF_DIRS="$work" HOME="$work"
chmod 700 "$work"
/usr/bin/xpra --version
port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
display=":$((port % 1000 + 200))"
/usr/bin/xpra start "$display" --bind-tcp="127.0.0.1:$port" --start=xclock --daemon=no --mdns=no --pulseaudio=no --notifications=no \
    --dbus-launch= --printing=no --webcam=no --html=off --speaker=off --microphone=off --systemd-run=no \
    --socket-dirs="$work" --xvfb="Xvfb -screen 0 1600x1000x24 -nolisten tcp -noreset +extension Composite" \
    >"$work/log" 2>&1 &
server=$!
for _ in $(seq 120); do
    grep -q "xpra is ready" "$work/log" 2>/dev/null && break
    sleep 0.5
done
sleep 2
DISPLAY="$display" /usr/bin/python3 - "$port" <<'PYTHON'
import queue, re, socket, struct, subprocess, sys, threading, time
from xpra.net.bencode import bdecode, bencode

HELLO = {
    "version": "3.1.3", "client_type": "test", "uuid": "0123456789abcdef", "bencode": True, "rencode": False,
    "yaml": False, "zlib": False, "lz4": False, "lzo": False, "windows": True, "mouse": True, "keyboard": False,
    "share": False, "encodings": ("rgb24", "png"), "encodings.core": ("rgb24", "png"), "encoding": "png",
    "desktop_size": (1600, 1000), "ui_client": True,
}
connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
packets = queue.Queue()

def send(*packet):
    data = bencode(packet)
    connection.sendall(struct.pack(">cBBBL", b"P", 0, 0, 0, len(data)) + data)

def exactly(count):
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise EOFError("the end of the stream")
        data += more
    return data

def read():
    while True:
        _, _, level, index, count = struct.unpack(">cBBBL", exactly(8))
        data = exactly(count)
        # Pixels come as chunks of their own.
        if level == 0 and index == 0:
            packets.put(bdecode(data)[0])

def wait(*names):
    until = time.time() + 20
    while True:
        packet = packets.get(timeout=max(0.1, until - time.time()))
        if packet[0].decode() in names:
            return packet

def xdotool(*words):
    return subprocess.run(("xdotool",) + words, check=True, stdout=subprocess.PIPE, universal_newlines=True).stdout

def pointed(window, x, y):
    send("pointer-position", window, (x, y), (), ())
    time.sleep(1)
    at = tuple(int(number) for number in re.findall(r"[xy]:(\d+)", xdotool("getmouselocation")))
    print(f"pointer at ({x}, {y}) of the client: at {at} of the server")
    return at

threading.Thread(target=read, daemon=True).start()
send("hello", HELLO)
_, window, x, y, width, height = wait("new-window")[:6]
print(f"the window is at ({x}, {y})")
send("map-window", window, x, y, width, height, {})
send("focus", window, ())
time.sleep(2)
pointed(window, x + 10, y + 10)
xdotool("search", "--name", "xclock", "windowmove", str(x + 300), str(y + 200))
moved = wait("window-move-resize", "configure-override-redirect")
print(f"the program moved; the server says: {moved[:6]}")
x, y = moved[2:4]
time.sleep(2)
after = pointed(window, x + 10, y + 10)
send("configure-window", window, x, y, width, height, {})
time.sleep(1)
told = pointed(window, x + 10, y + 10)
sys.exit(not (told == (x + 10, y + 10) and after != told))
PYTHON
