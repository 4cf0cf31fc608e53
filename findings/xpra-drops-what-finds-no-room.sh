#!/bin/sh
# Finding: while a client's shared memory is full, an Xpra server drops updates, and nobody gets them later.
#
# Software: Xpra server 3.1.3 (Debian 12: xpra), and its packet encoder, bencode; python-xlib 0.33.
# Ran:      a client with a shared area of 64 MiB and a window of 1500 x 900 (5.4 MB). The program fills it 25 times, each time
#           with another grey, then with its last colour, and does nothing more. Round one: the client frees each
#           update at once. Round two: it frees nothing until 5 s after the last one, then all; it acknowledges each draw
#           at once in both. It waits 10 s more, and asks for a refresh.
# Expected: what finds no room comes as pixels in the packet, or waits: the window ends with its last colour both times.
# Seen:     in round two 12 greys come, then nothing: no packet of another encoding, nothing when there is room again, no
#           automatic refresh. The window shows an old picture until its program paints again or the client asks for
#           a refresh, which brings the last colour. The server says "mmap area is full!" in its own log alone.
#           (PyPI's 6.5.5 does the same, seen twice.) So a client must free before it paints, not after, or
#           ask for a refresh of all windows whenever less than an update's size was left.
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
# The server starts others of its kind by the name python3.11.
export XDG_RUNTIME_DIR="$work" XPRA_SYSTEM_CONF_DIRS="$work" HOME="$work" PATH=/usr/sbin:/usr/bin:/sbin:/bin
chmod 700 "$work"
xpra --version
cat >"$work/program.py" <<'PYTHON'
import os, sys, time
from Xlib import display

connection = display.Display()
screen = connection.screen()
window = screen.root.create_window(0, 0, 1500, 900, 0, screen.root_depth, background_pixel=0xFFFFFF)
window.map()
connection.sync()
context = window.create_gc()

def fill(colour):
    context.change(foreground=colour)
    window.fill_rectangle(context, 0, 0, 1500, 900)
    connection.sync()

for number, last in enumerate((0x00FF00, 0x0000FF), 1):
    while not os.path.exists(f"{sys.argv[1]}/go{number}"):
        time.sleep(0.1)
    for step in range(25):
        fill(0x010101 * (60 + step * 4))
        time.sleep(0.3)
    fill(last)
time.sleep(1000)
PYTHON
port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
xpra start --bind-tcp="127.0.0.1:$port" --start="$work/venv/bin/python $work/program.py $work" --daemon=no --mdns=no \
    --pulseaudio=no --notifications=no --dbus-launch= --printing=no --webcam=no --html=off --speaker=off --microphone=off \
    --systemd-run=no --socket-dirs="$work" --mmap=yes \
    --xvfb="Xvfb -screen 0 1600x1000x24+32 -nolisten tcp -noreset +extension Composite +extension RANDR" \
    >"$work/log" 2>&1 &
server=$!
for _ in $(seq 120); do
    grep -q "xpra is ready" "$work/log" && break
    sleep 0.5
done
/usr/bin/python3 - "$port" "$work" <<'PYTHON'
import mmap, random, socket, struct, sys, threading, time
from xpra.net.bencode import bdecode, bencode

port, work = int(sys.argv[1]), sys.argv[2]
SIZE, TOKEN, TOKEN_AT, TOKEN_SIZE = 64 * 1024 * 1024 + 4096, random.getrandbits(128), 1024, 128
with open(f"{work}/area", "w+b") as file:
    file.truncate(SIZE)
    area = mmap.mmap(file.fileno(), SIZE)
area[TOKEN_AT:TOKEN_AT + TOKEN_SIZE] = TOKEN.to_bytes(TOKEN_SIZE, "little")
connection = socket.create_connection(("127.0.0.1", port))
windows, draws, at_once = [], [], True

def send(*packet):
    data = bencode(packet)
    connection.sendall(struct.pack(">cBBBL", b"P", 0, 0, 0, len(data)) + data)

def exactly(count):
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data

def free(draw):
    offset, length = draw[7][-1]
    area[0:4] = struct.pack("=I", offset + length)

def read():
    while True:
        _, _, level, index, count = struct.unpack(">cBBBL", exactly(8))
        data = exactly(count)
        packet = bdecode(data)[0] if level == index == 0 else [b""]
        if packet[0] == b"new-window":
            windows.append(packet)
        elif packet[0] == b"ping":
            send("ping_echo", packet[1], 0, 0, 0, 0)
        elif packet[0] == b"draw":
            if packet[6] == b"mmap":
                offset = packet[7][0][0]
                draws.append((packet[6].decode(), area[offset:offset + 3][::-1].hex()))
                if at_once:
                    free(packet)
                else:
                    kept.append(packet)
            else:
                draws.append((packet[6].decode(), None))
            send("damage-sequence", packet[8], packet[1], packet[4], packet[5], 1000, "")

send("hello", {
    "version": "3.1.3", "uuid": "finding", "bencode": True, "encoders": ["bencode"], "namespace": True, "raw_packets": True,
    "chunks": True, "windows": True, "encodings": ["rgb", "png"], "encodings.core": ["rgb24", "rgb32", "png"],
    "generic-rgb-encodings": True, "encodings.rgb_formats": ["BGRX"], "desktop_size": [1600, 1000], "mmap.namespace": True,
    "mmap.file": f"{work}/area", "mmap.size": SIZE, "mmap.token": TOKEN, "mmap.token_index": TOKEN_AT,
    "mmap.token_bytes": TOKEN_SIZE,
})
kept = []
threading.Thread(target=read, daemon=True).start()
deadline = time.time() + 30
while not windows and time.time() < deadline:
    time.sleep(0.1)
wid = windows[0][1]
send("map-window", wid, 10, 10, 1500, 900, {}, {})
time.sleep(2)

def painted(number):
    """What comes while the program paints, and until 5 s after it."""
    del draws[:]
    open(f"{work}/go{number}", "w").close()
    time.sleep(25 * 0.3 + 5 + 3)
    return list(draws)

freed = painted(1)
at_once = False
full = painted(2)
free(kept[-1])
del draws[:]
time.sleep(10)
later = list(draws)
at_once = True
send("buffer-refresh", wid, 0, 100, {"refresh-now": True, "batch": {"reset": True}}, {})
time.sleep(3)
refreshed = draws[len(later):]
print("freed at once:", len(freed), "draws, the last one is", freed[-1])
print("not freed:", len(full), "draws, the last one is", full[-1])
print("in 10 s after all was freed:", later)
print("after a request:", refreshed)
ways = {encoding for encoding, _ in freed + full}
sys.exit(not (ways == {"mmap"} and freed[-1][1] == "00ff00" and len(full) < 15 and full[-1][1] != "0000ff" and not later
              and refreshed and refreshed[-1][1] == "0000ff"))
PYTHON
