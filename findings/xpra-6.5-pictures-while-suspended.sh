#!/bin/sh
# Finding: a server of Xpra 6.5.5 goes on sending pictures to a client that said `suspend`.
#
# Software: Xpra 6.5.5 (PyPI: xpra 6.5.5, built with Cython 3.3.1), its server, its packet encoder rencodeplus; xterm.
# Ran:      a client with an xterm that writes a line each 0.3 s counts draws for 5 s: at first, after `suspend` [true, all
#           its windows] (what Xpra's own client says when its machine goes to sleep), after `resume`, and after `suspend`
#           and `unmap-window`.
# Expected: nothing while suspended, then a refresh: so a server of 3.1.3 has it with the same packets.
# Seen:     as many draws while suspended as before; sound, cursors, bells and notices alone stop. What was waiting is
#           dropped and the next update sent. Only a window that is unmapped gets no draws: a client that wants rest has
#           to unmap its windows (and map them afterwards, which brings them anew).
# Exit status: 0 if it is still so.
set -eu
for package in xvfb xauth xterm python3-gi python3-gi-cairo gir1.2-gtk-3.0 python3-cairo python3-dbus python3-pil python3-cryptography \
    python3-xdg python3-setproctitle python3-pyinotify python3-psutil python3-yaml python3-netifaces python3-lz4 \
    pkgconf gcc python3-dev python3-venv libxxhash-dev liblz4-dev libbrotli-dev libzstd-dev libqrencode-dev libx11-dev \
    libxext-dev libxfixes-dev libxrandr-dev libxtst-dev libxdamage-dev libxcomposite-dev libxres-dev libxkbfile-dev \
    libxi-dev libxpresent-dev libgtk-3-dev python-gi-dev python3-cairo-dev libgirepository1.0-dev libturbojpeg0-dev \
    libwebp-dev libavif-dev libaom-dev libx264-dev libvpx-dev libopenh264-dev libyuv-dev libdrm-dev libpam0g-dev \
    libsystemd-dev libproc2-dev; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -q '^installed$' ||
        apt-get install -y --no-install-recommends "$package" >/dev/null
done
work=$(mktemp -d)
started=
trap '[ -z "$started" ] || { kill "$started" 2>/dev/null || true; wait "$started" 2>/dev/null || true; }; rm -rf "$work"' EXIT
prefix=$work/prefix
/usr/bin/python3 -m venv --system-site-packages "$prefix"
PATH=$prefix/bin:$PATH
"$prefix/bin/pip" --quiet install Cython==3.3.1 "setuptools>=77" wheel
XPRA_EXTRA_BUILD_ARGS=--minimal "$prefix/bin/pip" --quiet download xpra==6.5.5 --no-binary :all: --no-deps --no-build-isolation -d "$work"
mkdir "$work/source"
tar xf "$work/xpra-6.5.5.tar.gz" -C "$work/source" --strip-components=1
(
    cd "$work/source"
    export CFLAGS="-O0 -g0" LC_ALL=C.UTF-8
    options="--without-nvidia --without-docs --without-v4l2 --without-evdi --without-example --without-pytorch --without-wireshark
        --without-wayland_client --without-wayland_server --without-webcam --without-service --without-printing
        --without-tests --without-quic --without-amf --without-uinput"
    # shellcheck disable=SC2086
    python setup.py build_ext -j"$(nproc)" $options
    # shellcheck disable=SC2086
    python setup.py install --prefix="$prefix" --single-version-externally-managed --record="$work/files" $options
) >"$work/build.log" 2>&1 || { tail -n 20 "$work/build.log" >&2; exit 1; }
export HOME="$work" XDG_RUNTIME_DIR="$work" XPRA_SYSTEM_CONF_DIRS="$work" XPRA_PYTHON_COMMAND="$prefix/bin/python" XPRA_NO_ROOT_WARNING=1
chmod 700 "$work"
unset DISPLAY WAYLAND_DISPLAY || true
"$prefix/bin/xpra" --version
port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$prefix/bin/xpra" seamless --bind-tcp="127.0.0.1:$port" --start="xterm -e sh -c 'while :; do date; sleep 0.3; done'" --daemon=no \
    --mdns=no --dbus=no --html=off --pulseaudio=no --audio=no --notifications=no --printing=no --webcam=no --source=no \
    --systemd-run=no --socket-dirs="$work" \
    --xvfb="Xvfb -screen 0 1000x700x24+32 -nolisten tcp -noreset +extension Composite +extension RANDR" >"$work/log" 2>&1 &
started=$!
for _ in $(seq 120); do
    grep -q "xpra is ready" "$work/log" && break
    sleep 0.5
done
"$prefix/bin/python" - "$port" <<'PYTHON'
import socket, struct, sys, threading, time
from xpra.net.rencodeplus.rencodeplus import dumps, loads

connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
windows, draws = [], 0

def send(*packet):
    data = dumps(list(packet))
    connection.sendall(struct.pack(">cBBBL", b"P", 0x10, 0, 0, len(data)) + data)

def exactly(count):
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data

def read():
    global draws
    while True:
        _, _, level, index, count = struct.unpack(">cBBBL", exactly(8))
        data = exactly(count)
        if index or level:
            continue
        packet = loads(data)
        if packet[0] == "new-window":
            windows.append(packet)
        elif packet[0] == "ping":
            send("ping_echo", packet[1], 0, 0, 0, 0)
        elif packet[0] == "draw":
            draws += 1
            send("damage-sequence", packet[8], packet[1], packet[4], packet[5], 1000, "")

send("hello", {
    "version": "6.5.5", "uuid": "finding", "rencodeplus": True, "chunks": True, "windows": True, "desktop_size": (1000, 700),
    "encoding": {"": "rgb24", "core": ("rgb24", "rgb32", "png"), "options": ("rgb24", "rgb32", "png"), "rgb_formats": ("BGRX",)},
})
threading.Thread(target=read, daemon=True).start()
deadline = time.time() + 30
while not windows and time.time() < deadline:
    time.sleep(0.1)
wid, geometry = windows[0][1], windows[0][2:6]
send("map-window", wid, *geometry, {}, {})
time.sleep(3)

def counted(*packet):
    if packet:
        send(*packet)
    time.sleep(1)
    before = draws
    time.sleep(5)
    return draws - before

seen = {
    "at first": counted(),
    "suspended": counted("suspend", True, [wid]),
    "resumed": counted("resume", True, [wid]),
}
send("suspend", True, [wid])
seen["suspended and unmapped"] = counted("unmap-window", wid, False, {})
for when, count in seen.items():
    print(f"{when}: {count} draws in 5 s")
first, suspended, resumed, unmapped = seen.values()
sys.exit(not (min(first, suspended, resumed) >= 5 and suspended > first / 2 and unmapped == 0))
PYTHON
