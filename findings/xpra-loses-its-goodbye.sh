#!/bin/sh
# Finding: an Xpra server that throws a client out does not always tell it why, if the client says something just then.
#
# Software: Xpra server 3.1.3 (Debian 12: xpra), and its packet encoder, bencode.
# Ran:      a client that sends a ping each millisecond, then a second one with the same uuid, which takes its place;
#           up to 100 times.
# Expected: the first one is sent `disconnect` ("new client", "new connection from the same uuid"), then the end of the
#           stream: a client that says nothing is told each time (and its stream stays open).
# Seen:     sometimes the stream ends, or is reset, without that packet: 2 of 12 times, and 1 of 12 with a ping each
#           20 ms; with PyPI's 6.5.5 3 of 12 and 0 of 12. So a client whose stream ends cannot know whether the network
#           broke or another one took its place. One that connects again by itself may throw that one out in turn.
# Exit status: 0 if it is still so.
set -eu
for package in xpra xvfb x11-apps; do
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
/usr/bin/xpra start --bind-tcp="127.0.0.1:$port" --start=xclock --daemon=no --mdns=no --pulseaudio=no --notifications=no \
    --dbus-launch= --printing=no --webcam=no --html=off --speaker=off --microphone=off --systemd-run=no \
    --socket-dirs="$work" --xvfb="Xvfb -screen 0 1600x1000x24 -nolisten tcp -noreset +extension Composite" \
    >"$work/log" 2>&1 &
server=$!
for _ in $(seq 120); do
    grep -q "xpra is ready" "$work/log" && break
    sleep 0.5
done
sleep 2
/usr/bin/python3 - "$port" <<'PYTHON'
import socket, struct, sys, threading, time
from xpra.net.bencode import bdecode, bencode

ROUNDS = 100
HELLO = {
    "version": "3.1.3", "client_type": "test", "uuid": "0123456789abcdef", "bencode": True, "rencode": False,
    "yaml": False, "zlib": False, "lz4": False, "lzo": False, "windows": False, "keyboard": False, "share": False,
    "encodings": ("rgb24", "png"), "encodings.core": ("rgb24", "png"), "encoding": "png",
}

class Client:
    def __init__(self):
        self.socket = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.names, self.end = [], None
        self.accepted = threading.Event()
        self.reading = threading.Thread(target=self.read, daemon=True)
        self.reading.start()
        self.send("hello", HELLO)
        assert self.accepted.wait(20), "no hello"

    def send(self, *packet):
        data = bencode(packet)
        self.socket.sendall(struct.pack(">cBBBL", b"P", 0, 0, 0, len(data)) + data)

    def exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise EOFError("the end of the stream")
            data += more
        return data

    def read(self):
        try:
            while True:
                _, _, level, _, count = struct.unpack(">cBBBL", self.exactly(8))
                data = self.exactly(count)
                if level == 0:
                    name = bdecode(data)[0][0].decode()
                    self.names.append(name)
                    if name == "hello":
                        self.accepted.set()
        except (EOFError, OSError) as error:
            self.end = error

lost, rounds = 0, 0
while rounds < ROUNDS and not lost:
    rounds += 1
    first = Client()
    time.sleep(0.3)

    def talk():
        try:
            while True:
                first.send("ping", int(time.time() * 1000))
                time.sleep(0.001)
        except OSError:
            pass

    talking = threading.Thread(target=talk, daemon=True)
    talking.start()
    second = Client()
    first.reading.join(20)
    assert first.end is not None, "its stream did not end"
    if "disconnect" not in first.names:
        lost += 1
        print(f"time {rounds}: {first.end!r} without a goodbye; before it: {first.names[-2:]}")
    second.socket.close()
    time.sleep(0.2)
print(f"goodbyes lost: {lost} of {rounds}")
sys.exit(lost == 0)
PYTHON
