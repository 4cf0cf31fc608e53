#!/bin/sh
# Finding: a proxy of Xpra 6.5.5 takes what its own client says of its screen for the name of a display.
#
# Software: Xpra 6.5.5 (PyPI: xpra 6.5.5, built with Cython 3.3.1), its proxy server and its client.
# Ran:      `xpra proxy` with an account of two sessions (authentication module multifile), and `xpra attach` to it without
#           a display.
# Expected: the client is told which displays there are, as a proxy of 3.1.3 tells its client ("please specify a display,
#           more than one is available").
# Seen:     `display "{'show-desktop': True, ...}" not found`. The client's hello has a map of its screen under the key in
#           which the proxy looks for a name. So nobody learns which sessions there are. (A client whose hello has an
#           empty name there is told them.)
# Exit status: 0 if it is still so.
set -eu
for package in xvfb xauth python3-gi python3-gi-cairo gir1.2-gtk-3.0 python3-cairo python3-dbus python3-pil python3-cryptography \
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
trap 'for pid in $started; do kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; done; rm -rf "$work"' EXIT
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
export HOME="$work" XDG_RUNTIME_DIR="$work" XPRA_SYSTEM_CONF_DIRS="$prefix/etc/xpra" XPRA_PYTHON_COMMAND="$prefix/bin/python" XPRA_NO_ROOT_WARNING=1
chmod 700 "$work"
unset DISPLAY WAYLAND_DISPLAY || true
"$prefix/bin/xpra" --version
port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
echo 'anna|secret|65534|65534|:71,:72||' >"$work/users"
"$prefix/bin/xpra" proxy --bind-tcp="127.0.0.1:$port" --tcp-auth="multifile:filename=$work/users" --daemon=no --mdns=no \
    --dbus=no --html=off --proxy-start-sessions=no --socket-dirs="$work" >"$work/proxy.log" 2>&1 &
started=$!
Xvfb -displayfd 3 -screen 0 1000x700x24 -nolisten tcp 3>"$work/display" >/dev/null 2>&1 &
started="$started $!"
for _ in $(seq 120); do
    grep -q "xpra is ready" "$work/proxy.log" && [ -s "$work/display" ] && break
    sleep 0.5
done
attach() { # DISPLAY: what the client says of it
    DISPLAY=":$(cat "$work/display")" timeout 40 "$prefix/bin/xpra" attach "tcp://anna:secret@127.0.0.1:$port/$1" --opengl=no \
        --splash=no --audio=no --mmap=no --reconnect=no --socket-dirs="$work" 2>&1 || true
}
said=$(attach "")
echo "$said" | grep -o 'display ".\{40\}' | head -n 1 || true
echo "$said" | grep -q 'display "{.*show-desktop'
echo "$said" | grep -q 'session not found'
! echo "$said" | grep -q 'more than one is available'
