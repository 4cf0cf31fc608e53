#!/bin/sh
# Finding: what a client calls the properties of a window outlives the client.
#
# Software: Xpra server 3.1.3 (Debian 12: xpra), xterm.
# Ran:      a bare client maps a window with two client properties of names that Xpra does not know, changes one by a
#           configure packet without geometry, and goes away; a second client attaches with the same uuid, a third with
#           another one.
# Expected: client properties describe the client that is there now; unknown names are dropped.
# Seen:     the server keeps them with the window, whatever their names, and hands them to the next client with the
#           same uuid in `new-window`, the changed one as it was changed last; another uuid gets none. A place where a
#           client can keep what servers tell nobody: the order of windows, the focus, the size before maximising.
#           (PyPI's 6.5.5 does the same, seen with the same packets in rencodeplus.)
# Exit status: 0 if it is still so.
set -eu
dpkg-query -W -f '${db:Status-Status}' xpra 2>/dev/null | grep -q '^installed$' ||
    apt-get install -y --no-install-recommends xpra xvfb xterm >/dev/null
work=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
export XDG_RUNTIME_DIR="$work" XPRA_SYSTEM_CONF_DIRS="$work" HOME="$work"
chmod 700 "$work"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
xpra --version
/usr/bin/xpra start --bind-tcp=127.0.0.1:"$port" --start="xterm -T kept" --daemon=no --mdns=no --pulseaudio=no \
    --notifications=no --dbus-launch= --printing=no --webcam=no --html=off --speaker=off --microphone=off \
    --systemd-run=no --socket-dirs="$work" \
    --xvfb="Xvfb -screen 0 1600x1000x24+32 -nolisten tcp -noreset +extension Composite +extension RANDR" \
    >"$work/log" 2>&1 &
server=$!
python3 - "$port" <<'PYTHON'
import select, socket, struct, sys, time

def encode(v):
    if isinstance(v, int):
        return b"i%de" % int(v)
    if isinstance(v, str):
        return encode(v.encode())
    if isinstance(v, bytes):
        return b"%d:%s" % (len(v), v)
    if isinstance(v, list):
        return b"l" + b"".join(map(encode, v)) + b"e"
    return b"d" + b"".join(encode(k) + encode(v[k]) for k in sorted(v)) + b"e"

def decode(b, i=0):
    c = b[i : i + 1]
    if c == b"i":
        end = b.index(b"e", i)
        return int(b[i + 1 : end]), end + 1
    if c in b"ld":
        items, i = [], i + 1
        while b[i : i + 1] != b"e":
            item, i = decode(b, i)
            items.append(item)
        return (items if c == b"l" else dict(zip(map(str, items[::2]), items[1::2]))), i + 1
    colon = b.index(b":", i)
    end = colon + 1 + int(b[i:colon])
    return b[colon + 1 : end].decode("latin1"), end

class Client:
    def __init__(self, uuid):
        deadline = time.time() + 60
        while True:
            try:
                self.socket = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
                break
            except OSError:
                assert time.time() < deadline
                time.sleep(0.2)
        self.data, self.chunks = b"", {}
        self.send("hello", {
            "version": "3.1.3", "uuid": uuid, "bencode": 1, "encoders": ["bencode"], "namespace": 1, "raw_packets": 1,
            "chunks": 1, "windows": 1, "encodings": ["rgb"], "encodings.core": ["rgb24", "rgb32"],
            "generic-rgb-encodings": 1, "notify-startup-complete": 1, "desktop_size": [1600, 1000], "share": 1,
        })

    def send(self, *packet):
        body = encode(list(packet))
        self.socket.sendall(b"P\0\0\0" + struct.pack(">I", len(body)) + body)

    def window(self):
        """The first window: its number and the client properties that come with it."""
        deadline = time.time() + 30
        while time.time() < deadline:
            if select.select([self.socket], [], [], 0.2)[0]:
                self.data += self.socket.recv(65536)
            while len(self.data) >= 8 and len(self.data) >= 8 + struct.unpack(">I", self.data[4:8])[0]:
                size, chunk = struct.unpack(">I", self.data[4:8])[0], self.data[3]
                body, self.data = self.data[8 : 8 + size], self.data[8 + size :]
                if chunk == 0:
                    packet = decode(body)[0]
                    if packet[0] == "new-window":
                        return packet[1], packet[7] if len(packet) > 7 else {}
        raise SystemExit("no window came")

    def close(self):
        time.sleep(1)
        self.socket.close()
        time.sleep(1)

first = Client("1" * 32)
wid, properties = first.window()
print("first client:", properties)
first.send("map-window", wid, 100, 100, 500, 316, {"example.order": 3, "example.place": [1, 2, 3, 4]}, {})
first.send("configure-window", wid, 0, 0, 0, 0, {"example.order": 77}, 0, {}, 1)
first.close()
second = Client("1" * 32)
kept = second.window()[1]
print("second client, same uuid:", kept)
second.close()
third = Client("2" * 32)
other = third.window()[1]
print("third client, another uuid:", other)
third.close()
sys.exit(0 if kept == {"example.order": 77, "example.place": [1, 2, 3, 4]} and not other else 1)
PYTHON
