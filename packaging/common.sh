# What the packaging scripts share; sourced by them, from the repository's root.
# shellcheck shell=sh
manifest() { sed -n "s/^$1 = \"\(.*\)\"\$/\1/p" Cargo.toml | head -n 1; }

version=$(manifest version)
summary=$(manifest description)
app_id=io.github.farpane.Farpane
target=${CARGO_TARGET_DIR:-target}
machine=$(uname -m)

# What the stripped program may have in bytes: 24 MiB; and the Debian package: 9 MB.
size_limit=25165824
deb_limit=9000000

# The time in every package: that of the commit, so that building it again gives the same bytes.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y Cargo.toml)}
export SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC
umask 022

# xz level of the packages.
compression=${FARPANE_COMPRESSION:-6}

# built FORMAT: that time.
built() { date -u -d "@$SOURCE_DATE_EPOCH" "+$1"; }

# need PROGRAM PACKAGE: or fail.
need() { command -v "$1" >/dev/null || { echo "packaging: there is no $1 here; it is in Debian's package $2" >&2; exit 1; }; }

# settle FOLDER: that time for all in it.
settle() { find "$1" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +; }
