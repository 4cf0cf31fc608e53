#!/bin/sh
# Finding: a server of Xpra 6.5.5 that is told to encrypt with AES serves every connection in plain, and answers nobody who
#          asks for AES.
#
# Software: Xpra 6.5.5 (PyPI: xpra 6.5.5, built with Cython 3.3.1), its server and its client.
# Ran:      `xpra seamless --bind-tcp=… --tcp-encryption=AES --tcp-encryption-keyfile=FILE`, and the same with
#           `--bind-tcp=…,encryption=AES,keyfile=FILE`; then `xpra info` without and with the same encryption.
# Expected: as with 3.1.3: who asks for no encryption is refused ("missing encryption tokens"), who has the key is answered.
# Seen:     who asks for none gets the whole information, in plain. Who asks for AES gets nothing: the server's thread ends
#           with "ValueError: the server does not support encryption on this connection", and the login times out. The class
#           that reads the options (xpra/server/subsystem/encryption.py, EncryptionServer) is no part of the server.
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
unset DISPLAY WAYLAND_DISPLAY XPRA_ENCRYPTION_KEY || true
"$prefix/bin/xpra" --version
Xvfb -displayfd 3 -screen 0 1000x700x24+32 -nolisten tcp 3>"$work/display" >/dev/null 2>&1 &
started="$started $!"
for _ in $(seq 120); do
    [ -s "$work/display" ] && break
    sleep 0.5
done
head -c 30 /dev/urandom | base64 >"$work/key"
free_port() { /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
by_switch=$(free_port) by_option=$(free_port)
"$prefix/bin/xpra" seamless ":$(cat "$work/display")" --use-display=yes --bind-tcp="127.0.0.1:$by_switch" \
    --bind-tcp="127.0.0.1:$by_option,encryption=AES,keyfile=$work/key" --tcp-encryption=AES \
    --tcp-encryption-keyfile="$work/key" --daemon=no --mdns=no --dbus=no --html=off --audio=no --source=no --pulseaudio=no \
    --notifications=no --systemd-run=no --socket-dirs="$work" -d auth >"$work/server.log" 2>&1 &
started="$started $!"
for _ in $(seq 120); do
    grep -q "xpra is ready" "$work/server.log" && break
    sleep 0.5
done
info() { timeout 60 "$prefix/bin/xpra" info "$@" --socket-dirs="$work" 2>&1 || true; }
for port in "$by_switch" "$by_option"; do
    plain=$(info "tcp://127.0.0.1:$port/")
    echo "without encryption: $(echo "$plain" | grep -c '=') lines, of which $(echo "$plain" | grep -m1 '^display.address=')"
    secret=$(info --encryption=AES --encryption-keyfile="$work/key" "tcp://127.0.0.1:$port/")
    echo "with encryption: $(echo "$secret" | tail -n 1)"
    echo "$plain" | grep -q '^display.address='
    ! echo "$secret" | grep -q '^display.address='
done
grep 'ValueError: ' "$work/server.log"
