#!/bin/sh
# Finding: Xpra 3.1.3 tells the kinds of the first copy again with each later one.
#
# Software: Xpra server 3.1.3 (Debian 12: xpra), xclip 0.13.
# Ran:      a bare client that wants targets with each clipboard token; in the session text is copied by xclip, then a png,
#           then text again.
# Expected: the token of a copy names the targets that its owner has: UTF8_STRING with the first and third, image/png with
#           the second.
# Seen:     a token of the second copy comes with the targets of the first: no image/png. A client that offers what the
#           token names cannot paste the picture; it has to ask for TARGETS itself.
# Exit status: 0 if it is still so.
set -eu
for package in xpra xvfb xclip; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -q '^installed$' ||
        apt-get install -y --no-install-recommends "$package" >/dev/null
done
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; }; rm -rf "$work"' EXIT
export XDG_RUNTIME_DIR="$work" XPRA_SYSTEM_CONF_DIRS="$work" HOME="$work"
chmod 700 "$work"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
/usr/bin/xpra --version
/usr/bin/xpra start --bind-tcp=127.0.0.1:"$port" --daemon=no --mdns=no --pulseaudio=no --notifications=no \
    --dbus-launch= --printing=no --webcam=no --html=off --speaker=off --microphone=off --systemd-run=no \
    --socket-dirs="$work" --clipboard=yes \
    --xvfb="Xvfb -screen 0 1600x1000x24+32 -nolisten tcp -noreset +extension Composite +extension RANDR" \
    >"$work/log" 2>&1 &
server=$!
python3 - "$port" "$work/log" <<'PYTHON'
import re, socket, struct, subprocess, sys, threading, time

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

def decode(data, at=0):
    kind = data[at:at + 1]
    if kind == b"i":
        end = data.index(b"e", at)
        return int(data[at + 1:end]), end + 1
    if kind in b"ld":
        items, at = [], at + 1
        while data[at:at + 1] != b"e":
            item, at = decode(data, at)
            items.append(item)
        return items, at + 1
    colon = data.index(b":", at)
    end = colon + 1 + int(data[at:colon])
    return data[colon + 1:end], end

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
tokens, sending = [], threading.Lock()

def send(*packet):
    body = encode(packet)
    with sending:
        connection.sendall(b"P\0\0\0" + struct.pack(">I", len(body)) + body)

def listen():
    stream = connection.makefile("rb")
    while header := stream.read(8):
        body = stream.read(struct.unpack(">I", header[4:])[0])
        if header[2] or header[3]:
            continue
        packet, _ = decode(body)
        if packet[0] == b"clipboard-token" and packet[1] == b"CLIPBOARD":
            tokens.append([target.decode() for target in packet[2]] if len(packet) > 2 else [])
        elif packet[0] == b"ping":
            send("ping_echo", packet[1], 0, 0, 0, 0)

threading.Thread(target=listen, daemon=True).start()
send("hello", {
    "version": "3.1.3", "uuid": "finding", "bencode": 1, "encoders": ["bencode"], "namespace": 1, "raw_packets": 1,
    "chunks": 1, "windows": 1, "encodings": ["rgb"], "encodings.core": ["rgb24", "rgb32"], "desktop_size": [1600, 1000],
    "compressors": [], "compression_level": 0, "clipboard": 1, "clipboard.selections": ["CLIPBOARD"],
    "clipboard.want_targets": 1, "clipboard.greedy": 0, "clipboard.notifications": 0, "clipboard.set_enabled": 1,
    "clipboard.contents-slice-fix": 1,
})
time.sleep(4)

def copied(kind, data):
    """The targets that come with the copy of `data`."""
    before = len(tokens)
    subprocess.run(["xclip", "-display", name, "-selection", "clipboard", "-t", kind, "-i"], input=data, check=True)
    until(f"a token for {kind}", lambda: True if len(tokens) > before else None)
    time.sleep(2)
    return sorted({target for token in tokens[before:] for target in token})

seen = [copied("UTF8_STRING", b"one"), copied("image/png", b"no picture"), copied("UTF8_STRING", b"two")]
for number, targets in enumerate(seen, 1):
    print(f"copy {number}: {', '.join(targets) or 'no targets'}")
sys.exit(not ("UTF8_STRING" in seen[0] and "image/png" not in seen[1] and "UTF8_STRING" in seen[1]))
PYTHON
