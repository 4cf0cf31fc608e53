#!/bin/sh
# Installs Farpane from this folder, or removes it again.
#
#   ./install.sh                     for you alone, in ~/.local
#   ./install.sh --system            for all users, in /usr/local (as root)
#   ./install.sh --prefix FOLDER     elsewhere
#   ./install.sh --uninstall [--system | --prefix FOLDER]
#
# This folder may be deleted afterwards: FOLDER/share/farpane/install.sh uninstalls as well.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
prefix=$HOME/.local
uninstall=
while [ $# -gt 0 ]; do
    case "$1" in
        --system) prefix=/usr/local ;;
        --prefix) [ $# -ge 2 ] || { echo "install: --prefix needs a folder" >&2; exit 2; }; prefix=$2; shift ;;
        --uninstall) uninstall=1 ;;
        *) sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    esac
    shift
done
case "$prefix" in /*) ;; *) prefix=$PWD/$prefix ;; esac
own=$prefix/share/farpane
files=$own/installed-files
folders=$own/made-folders

run() { if command -v "$1" >/dev/null; then "$@" >/dev/null 2>&1 || true; fi; }
empty() { [ -z "$(ls -A "$1" 2>/dev/null)" ]; }

# Tells the desktop what opens what. Where these programs are missing, it finds out by itself, later.
refresh() {
    run update-desktop-database "$prefix/share/applications"
    run update-mime-database "$prefix/share/mime"
    [ ! -e "$prefix/share/icons/hicolor/icon-theme.cache" ] || run gtk-update-icon-cache -qft "$prefix/share/icons/hicolor"
}

remove() {
    while IFS= read -r path; do rm -f "$prefix/$path"; done <"$files"
    refresh
    # What these programs wrote about nothing but Farpane, in folders that were made for it.
    if grep -qx share/mime "$folders" && empty "$prefix/share/mime/packages"; then rm -r "$prefix/share/mime"; fi
    if [ "$(ls -A "$prefix/share/applications" 2>/dev/null)" = mimeinfo.cache ]; then rm "$prefix/share/applications/mimeinfo.cache"; fi
    made=$(cat "$folders")
    rm -f "$files" "$folders"
    # Deepest first, and only those that are empty.
    printf '%s\n' "$made" | sort -r | while IFS= read -r folder; do rmdir "$prefix/$folder" 2>/dev/null || true; done
}

if [ -n "$uninstall" ]; then
    [ -f "$files" ] || { echo "install: nothing of Farpane is installed in $prefix" >&2; exit 1; }
    remove
    echo "Farpane is removed from $prefix."
    exit 0
fi

[ -x "$here/bin/farpane" ] || { echo "install: this is not the folder of Farpane's archive: $here" >&2; exit 1; }
mkdir -p "$prefix" 2>/dev/null && [ -w "$prefix" ] || { echo "install: $prefix can not be written to; --system needs root" >&2; exit 1; }
if [ -f "$files" ]; then remove; fi

cd "$here"
made=$({ find bin share -type d; echo share/farpane; } | while IFS= read -r folder; do
    [ -d "$prefix/$folder" ] || echo "$folder"
done)
list=$(find bin share -type f; echo share/farpane/install.sh)
mkdir -p "$own"
printf '%s\n' "$made" >"$folders"
printf '%s\n' "$list" >"$files"
find bin share -type f | while IFS= read -r path; do
    mkdir -p "$prefix/${path%/*}"
    cp -f "$path" "$prefix/$path.new"
    mv -f "$prefix/$path.new" "$prefix/$path"
done
cp install.sh "$own/install.sh"
# The desktop may have another search path than the shell.
entry=$prefix/share/applications/farpane.desktop
sed "s|^Exec=farpane|Exec=\"$prefix/bin/farpane\"|; s|^TryExec=farpane|TryExec=$prefix/bin/farpane|" "$here/share/applications/farpane.desktop" >"$entry"
refresh
echo "Farpane is installed in $prefix. To remove it: $own/install.sh --uninstall --prefix $prefix"
case ":$PATH:" in *":$prefix/bin:"*) ;; *) echo "To start it by name in a terminal, add $prefix/bin to PATH." ;; esac
