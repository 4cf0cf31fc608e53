#!/bin/bash
# Tests the packages as a user meets them: installed in a clean Debian 12, run there, removed without
# leftovers. And checks the recipes for other systems as far as that can be done here.
#
#   packaging/test.sh [BINARY]      what to pack: target/debug/farpane unless given, which the other tests built
#   packaging/test.sh FOLDER        the packages that `make packages` left there
#
# Needs root (for chroot) and what `packaging/setup.sh test` installs. The clean root is made once, and kept
# with its packages in the cache folder. Pictures are left in target/test-artifacts.
set -euo pipefail
cd "$(dirname "$0")/.."
. packaging/common.sh
given=$(realpath "${1:-$target/debug/farpane}")
cache=${FARPANE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/farpane}
artifacts=$target/test-artifacts
mkdir -p "$artifacts" "$cache"
work=$(mktemp -d "$(realpath "$target")/packages-test.XXXXXX")
root=$work/root
started=()
passed=0
clean_up() {
    for pid in "${started[@]}"; do kill -- "-$pid" 2>/dev/null || true; done
    wait
    rm -rf --one-file-system "$work"
}
trap clean_up EXIT
trap 'echo "packages: FAILED at line $LINENO: $BASH_COMMAND" >&2' ERR
ok() { passed=$((passed + 1)); echo "packages: ok: $*"; }
fail() { echo "packages: FAILED: $*" >&2; exit 1; }
for pair in mmdebstrap:mmdebstrap lintian:lintian rpm:rpm Xvfb:xvfb appstreamcli:appstream \
    desktop-file-validate:desktop-file-utils xmllint:libxml2-utils import:imagemagick; do
    need "${pair%:*}" "${pair#*:}"
done
# eventually COMMAND…: until it succeeds, for at most a minute.
eventually() { for _ in $(seq 300); do "$@" >/dev/null 2>&1 && return; sleep 0.2; done; fail "this did not happen: $*"; }
[ "$(id -u)" = 0 ] || fail "this needs root, for chroot"

# --- the recipes
packaging/check-recipes.py
ok "the recipes can be read"

packaging/icons.sh ico "$work/farpane.ico"
packaging/icons.sh icns "$work/farpane.icns"
[ "$(icotool --list "$work/farpane.ico" | wc -l)" = 7 ] && [ "$(icns2png --list "$work/farpane.icns" | grep -c "32-bit")" -ge 4 ] ||
    fail "the icons for Windows and macOS lack sizes"
ok "icons for Windows and macOS"

# --- the packages themselves
out=$given
if [ ! -d "$given" ]; then
    export FARPANE_COMPRESSION=0
    out=$work/out
    packaging/packages.sh "$out" "$given" >/dev/null
fi
deb=$(echo "$out"/*.deb) rpm=$(echo "$out"/*.rpm) archive=$(echo "$out"/*.tar.xz)
[ -f "$deb" ] && [ -f "$rpm" ] && [ -f "$archive" ] || fail "there is not one package of each kind in $out"
ok "trying $(basename -a "$deb" "$rpm" "$archive" | tr '\n' ' ')"

lintian --allow-root --fail-on error,warning "$deb"
ok "lintian"
tar -C "$work" -xf "$archive"
unpacked=$work/$(basename "$archive" .tar.xz)
again=$work/again
packaging/archive.sh "$again" "$unpacked/bin/farpane" >/dev/null
cmp "$archive" "$again/$(basename "$archive")"
ok "the archive is the same when it is made again"
desktop-file-validate "$unpacked/share/applications/farpane.desktop"
appstreamcli validate --no-net "$unpacked"/share/metainfo/*.xml >"$work/appstream" || { cat "$work/appstream"; exit 1; }
xmllint --noout "$unpacked/share/mime/packages/farpane.xml" "$unpacked/share/icons/hicolor/scalable/apps/farpane.svg"
ok "desktop entry, AppStream, MIME type"

# The AppImage without its runtime, which is not to be had here.
image=$(packaging/appimage.sh "$work/appimage" - "$unpacked")
unsquashfs -quiet -no-progress -dest "$work/appdir" "$image" >/dev/null
[ "$("$work/appdir/AppRun" --version)" = "farpane $version" ]
ok "what an AppImage holds"

needed=$(objdump -p "$unpacked/bin/farpane" | awk '$1 == "NEEDED" { print $2 }')
unknown=$(grep -vE '^(ld-linux.*|lib(c|m|gcc_s|stdc\+\+)\.so\.[0-9]+)$' <<<"$needed" || true)
[ -z "$unknown" ] || fail "linked with $unknown"
ok "linked with $(echo $needed)"
if [ -d "$given" ]; then
    packaging/size.sh "$unpacked/bin/farpane" "$deb" || fail "too large"
    ok "not too large"
fi

# --- a clean Debian
depends=$(dpkg-deb --field "$deb" Depends | tr ',' '\n' | sed 's/(.*//; s/|.*//' | xargs)
included="shared-mime-info desktop-file-utils xdg-utils libfile-mimeinfo-perl"
stamp=$(echo bookworm "$depends" "$included" | sha256sum | cut -c 1-12)
base=$cache/debian-$stamp.tar
if [ ! -f "$base" ]; then
    echo "packages: making a clean Debian in $base, once"
    # shellcheck disable=SC2016
    mmdebstrap --quiet --format=tar --mode=root --variant=minbase --include="$included" \
        --customize-hook='chroot "$1" apt-get -qq update' \
        --customize-hook='chroot "$1" apt-get -qq install -y --no-install-recommends --download-only '"$depends" \
        --skip=cleanup/apt bookworm "$base.new" || fail "no clean Debian could be made"
    mv "$base.new" "$base"
fi
mkdir "$root"
tar -C "$root" --exclude=./dev -xf "$base"
mkdir -p "$root/dev"
for device in null zero random urandom; do cp -a "/dev/$device" "$root/dev/"; done
inside() { env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 "${extra[@]}" chroot "$root" "$@"; }
extra=(DEBIAN_FRONTEND=noninteractive)
# All files, without apt's and dpkg's own notes and what programs keep as caches.
listing() {
    (cd "$root" && find . -path ./dev -prune -o -path ./proc -prune -o -path ./tmp -prune -o -path ./var/lib/dpkg -prune \
        -o -path ./var/lib/apt -prune -o -path ./var/cache -prune -o -path ./var/log -prune -o -path ./root -prune -o "$@" -print | sort)
}

# Xvfb's socket is not in the root's file system, but has a second, abstract name.
number=$work/display
setsid Xvfb -displayfd 3 -screen 0 1440x900x24 -nolisten tcp -noreset 3>"$number" >/dev/null 2>&1 &
started+=($!)
eventually [ -s "$number" ]
display=:$(cat "$number")

# --- what it says where nothing is there
install -m 755 "$unpacked/bin/farpane" "$root/tmp/farpane"
chroot "$root" ldconfig
extra=(DISPLAY="$display")
if ! inside /usr/bin/test -e /usr/lib/x86_64-linux-gnu/libstdc++.so.6; then
    inside apt-get -qq install -y --no-install-recommends libstdc++6 >/dev/null 2>&1
fi
said=$(inside /tmp/farpane demo --seconds 1 2>&1 || true)
grep -q "windows cannot be opened: missing on this machine: .*libX11.so.6.* apt install .*libx11-6" <<<"$said" ||
    fail "without X's libraries it says: $said"
ok "it says which libraries are missing"
rm "$root/tmp/farpane"

# --- the Debian package
extra=(DEBIAN_FRONTEND=noninteractive)
cp "$deb" "$root/tmp/farpane.deb"
install_deb() { inside apt-get -qq install -y --no-install-recommends /tmp/farpane.deb >"$work/log" 2>&1 || { cat "$work/log"; return 1; }; }
install_deb
inside apt-get -qq purge -y farpane >/dev/null 2>&1
listing >"$work/before"
listing ! -type d >"$work/before-files"
! grep -i farpane "$work/before" || fail "these stay when the package is purged"
install_deb
inside dpkg --audit
[ "$(inside farpane --version)" = "farpane $version" ]
ok "installed; $(inside farpane --version)"
[ -n "$(inside man -w farpane 2>/dev/null || ls "$root/usr/share/man/man1/farpane.1.gz")" ]
extra=()
printf 'host=127.0.0.1\nport=1\nmode=tcp\nautoconnect=true\n' >"$root/tmp/a session.xpra"
type=$(inside xdg-mime query filetype "/tmp/a session.xpra")
[ "$type" = application/x-xpraconfig ] || fail "a session file is of type '$type'"
for scheme in xpra xpra+tcp xpra+ssl xpra+ws xpra+wss xpra+ssh farpane; do
    grep -q "^x-scheme-handler/$scheme=.*farpane.desktop" "$root/usr/share/applications/mimeinfo.cache" ||
        fail "$scheme: is not handled"
done
[ "$(inside xdg-mime query default "$type")" = farpane.desktop ] || fail "session files are not opened by farpane"
ok "session files and links are opened by it"

extra=(DISPLAY="$display")
inside farpane demo --renderer cpu --seconds 5 --screenshot /tmp/demo.png >"$work/log" 2>&1 || { cat "$work/log"; fail "the demo"; }
cp "$root/tmp/demo.png" "$artifacts/packages-demo.png"
[ "$(identify -format '%k' "$root/tmp/demo.png")" -gt 100 ] || fail "the demo's picture is empty: $artifacts/packages-demo.png"
ok "the demo runs: $artifacts/packages-demo.png"

# --- a double click on a session file
setsid env -i PATH=/usr/bin "$(command -v chroot)" "$root" /usr/bin/farpane demo --serve-only --bind 127.0.0.1:0 >"$work/serve" 2>&1 &
started+=($!)
eventually grep -qE '127\.0\.0\.1:[0-9]+' "$work/serve"
port=$(grep -oE '127\.0\.0\.1:[0-9]+' "$work/serve" | head -n 1)
# One of the user's own: about a stranger's the user is asked first.
saved=/root/.local/share/farpane/connections
mkdir -p "$root$saved"
printf 'host=127.0.0.1\nport=%s\nmode=tcp\nautoconnect=true\n' "${port#*:}" >"$root$saved/a session.xpra"
windows() { DISPLAY=$display xdotool search --onlyvisible --name . | wc -l; }
setsid env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DISPLAY="$display" "$(command -v chroot)" "$root" \
    xdg-open "$saved/a session.xpra" >"$work/opened" 2>&1 &
opened=$!
started+=("$opened")
# The demo session has four windows.
four() { [ "$(windows)" -ge 4 ]; }
(eventually four) || { cat "$work/opened" "$work/serve"; fail "a session file opens no windows"; }
DISPLAY=$display import -window root "$artifacts/packages-xdg-open.png"
kill -- "-$opened"
wait "$opened" 2>/dev/null || true
rm -r "$root/root/.local"
ok "xdg-open shows a session file's windows: $artifacts/packages-xdg-open.png"

# --- removed again
extra=(DEBIAN_FRONTEND=noninteractive)
inside apt-get -qq purge -y farpane >/dev/null 2>&1
listing >"$work/after"
diff "$work/before" "$work/after" || fail "the Debian package leaves these files behind"
! grep -rl farpane "$root/usr/share/applications" "$root/usr/share/mime" || fail "the desktop still knows it"
ok "the Debian package leaves nothing behind"

# --- the RPM package, by rpm's own tools in the same root; what it needs comes from Debian there
rpm=(rpm --root "$root" --define "_dbpath /var/lib/rpm-test" --nodeps)
"${rpm[@]}" -i "$out"/*.rpm
"${rpm[@]}" -V farpane
[ "$(inside farpane --version)" = "farpane $version" ]
extra=(DISPLAY="$display")
inside farpane demo --renderer cpu --seconds 2 >"$work/log" 2>&1 || { cat "$work/log"; fail "the demo from the RPM package"; }
"${rpm[@]}" -e farpane
rm -rf "$root/var/lib/rpm-test"
listing ! -type d >"$work/after"
# The folders belong to other packages on systems that use RPM.
diff "$work/before-files" "$work/after" || fail "the RPM package leaves these files behind"
ok "the RPM package installs, runs, and leaves nothing behind"

# --- the archive: for all users, over itself, and for one user
cp -a "$unpacked" "$root/tmp/farpane"
extra=()
listing >"$work/before"
inside /tmp/farpane/install.sh --system >/dev/null
inside /tmp/farpane/install.sh --system >/dev/null
[ "$(inside /usr/local/bin/farpane --version)" = "farpane $version" ]
[ "$(inside xdg-mime query default x-scheme-handler/xpra)" = farpane.desktop ] || fail "xpra: is not handled"
desktop-file-validate "$root/usr/local/share/applications/farpane.desktop"
inside /usr/local/share/farpane/install.sh --uninstall --system >/dev/null
listing >"$work/after"
diff "$work/before" "$work/after" || fail "the archive's script leaves these files behind"
mkdir -p "$root/tmp/home"
extra=(HOME=/tmp/home)
inside /tmp/farpane/install.sh >/dev/null
[ "$(inside /tmp/home/.local/bin/farpane --version)" = "farpane $version" ]
[ "$(inside xdg-mime query default application/x-xpraconfig)" = farpane.desktop ] || fail "session files are not opened"
inside /tmp/home/.local/share/farpane/install.sh --uninstall >/dev/null
[ -z "$(find "$root/tmp/home" -mindepth 1 ! -path '*/.local')" ] || fail "left behind: $(find "$root/tmp/home" -mindepth 1)"
ok "the archive installs for all users and for one, and leaves nothing behind"
echo "packages: $passed passed, 0 failed"
