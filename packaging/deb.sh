#!/bin/sh
# Makes the Debian package. packaging/deb.sh OUT [BINARY]
set -eu
cd "$(dirname "$0")/.."
. packaging/common.sh
need dpkg-shlibdeps dpkg-dev
mkdir -p "$1"
out=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/debian/farpane
packaging/stage.sh "$root" ${2:+"$2"}
architecture=$(dpkg --print-architecture)
maintainer="The Farpane developers <${DEBEMAIL:-farpane@localhost}>"

mkdir -p "$root/usr/share/zsh/vendor-completions"
mv "$root/usr/share/zsh/site-functions/_farpane" "$root/usr/share/zsh/vendor-completions/"
rmdir "$root/usr/share/zsh/site-functions"
install -D --mode=644 packaging/linux/lintian-overrides "$root/usr/share/lintian/overrides/farpane"
gzip --best --no-name >"$root/usr/share/doc/farpane/changelog.Debian.gz" <<END
farpane ($version-1) unstable; urgency=medium

  * Built from version $version; what is new in it is in changelog.gz.

 -- $maintainer  $(built '%a, %d %b %Y %H:%M:%S +0000')
END

# What the program is linked with, and what it loads when it starts: a window system, by X11 or by Wayland.
printf 'Source: farpane\n\nPackage: farpane\nArchitecture: any\nDepends: ${shlibs:Depends}\n' >"$work/debian/control"
depends=$(cd "$work" && dpkg-shlibdeps -O "debian/farpane/usr/bin/farpane" | sed -n 's/^shlibs:Depends=//p')
mkdir -p "$root/DEBIAN"
cat >"$root/DEBIAN/control" <<END
Package: farpane
Version: $version-1
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $(du --summarize --apparent-size --block-size=1024 --exclude=DEBIAN "$root" | cut -f 1)
Depends: $depends, libx11-6, libx11-xcb1, libxcb1, libxcursor1, libxi6, libxrandr2, libxkbcommon0, libxkbcommon-x11-0, libwayland-client0, xkb-data
Recommends: libvulkan1, mesa-vulkan-drivers, libegl1, libgl1-mesa-dri, ca-certificates
Suggests: xpra, openssh-client
Section: net
Priority: optional
Description: fast native viewer for Xpra sessions
 Farpane attaches to a running Xpra session and shows its windows as windows of
 the local desktop, or a whole remote desktop in one window.
 .
 It draws with the graphics card, or with the processor where there is none, and
 shows live what every byte costs on its way from the network to the screen.
END
(cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
settle "$root"
dpkg-deb --root-owner-group -Zxz "-z$compression" --build "$root" "$out/farpane_$version-1_$architecture.deb" >/dev/null
echo "$out/farpane_$version-1_$architecture.deb"
