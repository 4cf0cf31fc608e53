#!/bin/sh
# Xpra 3.1.3 (Debian 12), its own server and a bare client, no Farpane.
#
# Expected: a pointer of one opaque colour, red 0x40, green 0x20, blue 0x60, arrives as png with these colours (64, 32, 96), and
# raw in the byte order in which X servers and Xpra's own pixels have it (BGRA: 96, 32, 64).
# Seen: red and blue are exchanged in both: png (96, 32, 64), raw (64, 32, 96). 6.5.5 sends the same png. Grey pointers, which
# most are, do not show it.
# Exits non-zero if that changes.
set -eu
version=3.1.3
command -v xpra >/dev/null && ldconfig -p | grep -q libXcursor.so.1 ||
    apt-get install -qq -y --no-install-recommends xpra xvfb libxcursor1 python3-pil >/dev/null
xpra --version 2>/dev/null | grep -q "v$version" || { echo "not Xpra $version" >&2; exit 2; }
work=$(mktemp -d)
pids=
trap 'for pid in $pids; do kill "$pid" 2>/dev/null || true; done; wait; rm -rf "$work"' EXIT
export XDG_RUNTIME_DIR="$work" XPRA_SYSTEM_CONF_DIRS=/nonexistent LC_ALL=C.UTF-8
cat >"$work/window.py" <<'P'
import ctypes as C, time
X, K = C.CDLL("libX11.so.6"), C.CDLL("libXcursor.so.1")
def f(lib, name, result, *args):
    function = getattr(lib, name); function.restype, function.argtypes = result, args
    return function
P, L, I, U = C.c_void_p, C.c_ulong, C.c_int, C.c_uint
class Image(C.Structure):
    _fields_ = [(n, C.c_uint32) for n in "version size width height xhot yhot delay".split()] + [("pixels", C.POINTER(C.c_uint32))]
d = f(X, "XOpenDisplay", P, C.c_char_p)(None)
w = f(X, "XCreateSimpleWindow", L, P, L, I, I, U, U, U, L, L)(d, f(X, "XDefaultRootWindow", L, P)(d), 0, 0, 300, 200, 0, 0, 0xffffff)
image = f(K, "XcursorImageCreate", C.POINTER(Image), I, I)(16, 16)
for i in range(256): image[0].pixels[i] = 0xff402060
f(X, "XDefineCursor", I, P, L, L)(d, w, f(K, "XcursorImageLoadCursor", L, P, C.POINTER(Image))(d, image))
f(X, "XStoreName", I, P, L, C.c_char_p)(d, w, b"pointed")
f(X, "XMapWindow", I, P, L)(d, w); f(X, "XFlush", I, P)(d)
time.sleep(600)
P
cat >"$work/client.py" <<'P'
import glob, io, os, socket, struct, sys, time, zlib
from PIL import Image
def enc(x):
    if isinstance(x, int): return b"i%de" % x
    if isinstance(x, str): x = x.encode()
    if isinstance(x, bytes): return b"%d:" % len(x) + x
    if isinstance(x, dict): return b"d" + b"".join(enc(k) + enc(v) for k, v in x.items()) + b"e"
    return b"l" + b"".join(map(enc, x)) + b"e"
def dec(s, i=0):
    c = s[i:i + 1]
    if c == b"i":
        j = s.index(b"e", i); return int(s[i + 1:j]), j + 1
    if c in b"ld":
        i += 1; items = []
        while s[i:i + 1] != b"e":
            value, i = dec(s, i); items.append(value)
        return items, i + 1
    j = s.index(b":", i); n = int(s[i:j]); return s[j + 1:j + 1 + n], j + 1 + n
kind = sys.argv[1]
s = socket.socket(socket.AF_UNIX); s.connect(glob.glob(os.environ["XDG_RUNTIME_DIR"] + "/s/*-*")[0]); s.settimeout(0.3)
def send(*packet):
    data = enc(packet); s.sendall(struct.pack(">cBBBL", b"P", 0, 0, 0, len(data)) + data)
send("hello", {"version": "3.1.3", "uuid": "0" * 31 + str(len(kind)), "encoders": ["bencode"], "bencode": 1, "chunks": 1, "zlib": 1,
    "compression_level": 1, "windows": 1, "keyboard": 1, "cursors": 1, "encodings": ["png", "rgb"], "encodings.core": ["png", "rgb24", "rgb32"],
    "encodings.cursor": [kind], "encodings.rgb_formats": ["BGRX", "BGRA"], "generic-rgb-encodings": 1, "desktop_size": [800, 600],
    "raw_packets": 1, "namespace": 1, "xkbmap_layout": "us", "xkbmap_keycodes": [[97, "a", 38, 0, 0]]})
buffer, chunks, wid, step, end = b"", {}, 0, 0, time.time() + 20
while time.time() < end:
    try: buffer += s.recv(1 << 20)
    except socket.timeout:
        if wid: step += 1; send("pointer-position", wid, [40 + step % 90, 40 + step % 90], [], [])
    while len(buffer) >= 8:
        _, flags, level, index, size = struct.unpack(">cBBBL", buffer[:8])
        if len(buffer) < 8 + size: break
        data, buffer = buffer[8:8 + size], buffer[8 + size:]
        if level: data = zlib.decompress(data)
        if index: chunks[index] = data; continue
        packet = dec(data)[0]
        for k, v in chunks.items(): packet[k] = v
        chunks = {}
        if packet[0] == b"new-window": wid = packet[1]; send("map-window", *packet[1:6], {}, {})
        elif packet[0] == b"draw": send("damage-sequence", packet[8], packet[1], packet[4], packet[5], 1000, "")
        elif packet[0] == b"ping": send("ping_echo", packet[1], 0, 0, 0, 0)
        elif packet[0] == b"cursor" and len(packet) > 8:
            picture = next((x for x in packet[1:] if isinstance(x, bytes) and (x[:4] == b"\x89PNG" or len(x) == 1024)), None)
            if picture is None: continue
            pixel = tuple(picture[512:515]) if len(picture) == 1024 else Image.open(io.BytesIO(picture)).getpixel((8, 8))[:3]
            if set(pixel) == {64, 32, 96}: print(*pixel); sys.exit()
sys.exit("no pointer came")
P
xpra start --displayfd=1 --daemon=no --start="/usr/bin/python3 $work/window.py" --socket-dirs="$work/s" --mdns=no --pulseaudio=no \
    --notifications=no --printing=no --webcam=no --html=off --dbus-launch= --speaker=off --microphone=off \
    --xvfb="Xvfb +extension GLX +extension Composite +extension RANDR +extension RENDER -screen 0 1600x1000x24+32 -nolisten tcp -noreset" \
    >"$work/log" 2>&1 & pids="$pids $!"
for _ in $(seq 60); do grep -q "xpra is ready" "$work/log" && break; sleep 1; done
png=$(/usr/bin/python3 "$work/client.py" png)
raw=$(/usr/bin/python3 "$work/client.py" raw)
echo "version:  $version"
echo "expected: png 64 32 96, raw 96 32 64"
echo "seen:     png $png, raw $raw"
[ "$png, $raw" = "96 32 64, 64 32 96" ]
