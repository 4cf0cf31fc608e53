#!/bin/sh
# Installs the Debian packages that Farpane needs. Says nothing when they are all there.
#
#   packaging/setup.sh demo     to build the viewer and run the demo, also without a display
#   packaging/setup.sh test     that, and what the tests need (a real Xpra server, X tools, what builds Xpra 6)
#   packaging/setup.sh programs the large programs of 'make test-programs'
#   packaging/setup.sh packages to build the viewer and its packages
#   packaging/setup.sh list demo|test|programs|packages    only prints the names
#
# Without root and without sudo it prints what to install and fails. FARPANE_SKIP_SETUP=1 skips it all:
# for other distributions, where the same things have other names.
set -eu

# What compiles: turbojpeg (cmake, nasm), openh264 (nasm: without it its assembly is silently off), C and C++ parts.
build="build-essential cmake nasm pkg-config"
# What winit and wgpu load at run time: X11, keyboard maps, and a Vulkan driver that needs no GPU.
run="libx11-6 libx11-xcb1 libxcb1 libxcursor1 libxi6 libxrandr2 libxkbcommon0 libxkbcommon-x11-0 xkb-data
     mesa-vulkan-drivers libgl1-mesa-dri libegl1"
# A display for machines without one, and a window manager for it.
headless="xvfb x11-xkb-utils openbox"
# The servers: Debian's own Xpra 3.1.3, and what Xpra 6 (tests/setup/install-xpra6.sh) needs to run ...
server="xpra python3-gi python3-gi-cairo gir1.2-gtk-3.0 python3-cairo python3-dbus python3-pil python3-cryptography
     python3-xdg python3-setproctitle python3-pyinotify python3-psutil python3-yaml python3-netifaces python3-lz4
     xauth x11-xserver-utils dbus-x11 xterm xfonts-base"
# ... and to be compiled.
server_build="pkgconf python3-dev python3-venv
     libxxhash-dev liblz4-dev libbrotli-dev libzstd-dev libqrencode-dev
     libx11-dev libxext-dev libxfixes-dev libxrandr-dev libxtst-dev libxdamage-dev libxcomposite-dev
     libxres-dev libxkbfile-dev libxi-dev libxpresent-dev
     libgtk-3-dev python-gi-dev python3-cairo-dev libgirepository1.0-dev
     libturbojpeg0-dev libwebp-dev libavif-dev libaom-dev libx264-dev libvpx-dev libopenh264-dev
     libyuv-dev libdrm-dev libpam0g-dev libsystemd-dev libproc2-dev"
# The hands of the tests: and programs with other windows, another window manager, a display without monitors.
hands="xdotool dbus-daemon gnome-keyring libsecret-tools xclip xsel openssl openssh-client openssh-server man-db x11-apps xfwm4 xserver-xephyr"
# A proxy, host names that only one program knows, and what has servers announce themselves.
networks="tinyproxy-bin libnss-wrapper python3-zeroconf"
# Wayland compositors that need no screen, and what looks at them and types there.
wayland="sway swaybg weston grim wtype"

# Programs and a window manager that people have, too large for 'make test', and what makes films for them.
programs="firefox-esr mpv ffmpeg python3-pyqt5 openjdk-17-jdk mutter"

# What makes the packages, and what tries them in a clean system.
packages="dpkg-dev rpm xz-utils python3 git"
packages_tried="mmdebstrap lintian desktop-file-utils appstream libxml2-utils imagemagick python3-yaml squashfs-tools
     icoutils icnsutils librsvg2-bin"

[ "${1:-}" = list ] && { list=1; shift; }
case "${1:-}" in
    demo) wanted="$build $run $headless" ;;
    test) wanted="$build $run $headless $server $server_build $hands $networks $wayland $packages $packages_tried" ;;
    programs) wanted="$programs" ;;
    packages) wanted="$build $packages" ;;
    *) sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
if [ -n "${list:-}" ]; then
    # shellcheck disable=SC2086
    printf '%s\n' $wanted
    exit 0
fi
[ -n "${FARPANE_SKIP_SETUP:-}" ] && exit 0

fail() { printf '%s\n' "$@" >&2; exit 1; }

command -v cargo >/dev/null ||
    fail "Farpane needs Rust 1.95 or newer, and there is no 'cargo' here: see https://www.rust-lang.org/tools/install"

command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
    fail "This is not Debian or Ubuntu. Install what these Debian packages hold, then set FARPANE_SKIP_SETUP=1:" \
        "$(echo $wanted)"

missing=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null | awk -v wanted="$wanted" '
    $1 == "installed" { have[$2] = 1 }
    END { n = split(wanted, name, /[ \n]+/); for (i = 1; i <= n; i++) if (name[i] && !(name[i] in have)) print name[i] }')
[ -z "$missing" ] && exit 0
missing=$(echo $missing)

if [ "$(id -u)" = 0 ]; then
    root=
elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
    root=sudo
else
    fail "These Debian packages are missing, and this user can not install them (no root, no sudo):" "" \
        "    apt-get install --no-install-recommends $missing" "" \
        "Install them as root, then try again."
fi

echo "setup: installing $(echo "$missing" | wc -w) Debian packages"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { $root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 "$@" >>"$log" 2>&1; }
apt update || echo "setup: apt-get update failed; going on with the package lists that are here" >&2
# shellcheck disable=SC2086
apt install -y --no-install-recommends $missing || {
    tail -n 30 "$log" >&2
    fail "" "apt-get could not install: $missing"
}
