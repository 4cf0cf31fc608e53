#!/bin/sh
# Finding: a server of Xpra 6.5.5 that was started with `--mmap=no` lets nobody attach.
#
# Software: Xpra 6.5.5 (PyPI: xpra 6.5.5, built with Cython 3.3.1), its server and its client.
# Ran:      `xpra seamless --mmap=no` (or `mmap = no` in xpra.conf, as one writes where memory cannot be shared), then
#           `xpra info` and `xpra attach`; the same without that option.
# Expected: windows come as packets, as with every client that offers no shared memory.
# Seen:     `xpra info` is answered, and every client that wants windows, Xpra's own too, is thrown out behind its hello:
#           "connection error", "error accepting new connection". The server hides the module of what is switched off
#           from its own imports, and its window compressor wants an exception from there: "No module named
#           'xpra.net.mmap.common'" in its log. The client's option, `attach --mmap=no`, does no harm.
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
stop() { for pid in $started; do kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; done; started=; }
trap 'stop; rm -rf "$work"' EXIT
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
Xvfb -displayfd 3 -screen 0 1000x700x24 -nolisten tcp 3>"$work/display" >/dev/null 2>&1 &
screen=$!
attached() { # OPTION: what the client says of a server with it
    port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    "$prefix/bin/xpra" seamless --bind-tcp="127.0.0.1:$port" "$1" --start=xterm --daemon=no --mdns=no --dbus=no --html=off \
        --pulseaudio=no --audio=no --notifications=no --printing=no --webcam=no --source=no --systemd-run=no \
        --socket-dirs="$work" --xvfb="Xvfb -screen 0 1000x700x24+32 -nolisten tcp -noreset +extension Composite +extension RANDR" \
        >"$work/server$1.log" 2>&1 &
    started="$screen $!"
    for _ in $(seq 120); do
        grep -q "xpra is ready" "$work/server$1.log" && break
        sleep 0.5
    done
    timeout 30 "$prefix/bin/xpra" info "tcp://127.0.0.1:$port/" 2>/dev/null | grep '^windows.count=' || true
    DISPLAY=":$(cat "$work/display")" timeout -k 3 20 "$prefix/bin/xpra" attach "tcp://127.0.0.1:$port/" --opengl=no \
        --splash=no --audio=no --tray=no --notifications=no --reconnect=no --socket-dirs="$work" >"$work/client$1.log" 2>&1 || true
    started=${started#"$screen "}
    stop
    started=$screen
}
attached --mmap=yes
attached --mmap=no
grep -hio "attached to .*\|error accepting new connection" "$work/client--mmap=yes.log" | head -n 1
grep -hio "attached to .*\|error accepting new connection" "$work/client--mmap=no.log" | head -n 1
grep -o "No module named .xpra.net.mmap.common.*" "$work/server--mmap=no.log" | head -n 1
grep -qi "attached to" "$work/client--mmap=yes.log"
grep -q "error accepting new connection" "$work/client--mmap=no.log"
! grep -qi "attached to" "$work/client--mmap=no.log"
