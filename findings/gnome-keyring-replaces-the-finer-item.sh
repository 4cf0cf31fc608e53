#!/bin/sh
# Finding: a password saved in gnome-keyring takes the place of another one that is saved under more attributes.
#
# Software: gnome-keyring 42.1 (Debian 12: gnome-keyring), libsecret's secret-tool 0.20.5 (Debian 12: libsecret-tools).
# Ran:      on a bus and in a home of their own, a password is saved for {host, user}, then one for {host}, then one for
#           {host, user} again.
# Expected: three items, or two and the first one's new password: "replace" is for "an item with the same attributes"
#           (Secret Service API, CreateItem).
# Seen:     the second one takes the place of the first: one item is left, and nothing is found for {host, user}. The other
#           way round nothing is lost: the third comes beside the second. "The same" is "all of the new ones": whoever
#           looks for {host} finds {host, user}, and so does whoever replaces. Each item has to have the same names, with
#           empty values where there is none, or be searched for first and created without "replace".
# Exit status: 0 if it is still so.
set -eu
for package in gnome-keyring libsecret-tools dbus-daemon; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -q '^installed$' ||
        apt-get install -y --no-install-recommends "$package" >/dev/null
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME="$work" XDG_RUNTIME_DIR="$work" XDG_DATA_HOME="$work/data"
chmod 700 "$work"
dpkg-query -W gnome-keyring libsecret-tools
cat >"$work/session" <<'SESSION'
set -eu
printf 'secret' | gnome-keyring-daemon --unlock --components=secrets >/dev/null
save() { printf '%s' "$1" | secret-tool store --label="$1" "${@:2}"; }
items() { secret-tool search --all host example 2>/dev/null | sed -n 's/^label = //p' | sort | paste -s -d ' '; }
save first host example user anna
save second host example
after=$(items)
echo "after the second: $after; for {host, user}: '$(secret-tool lookup host example user anna || true)'"
save third host example user anna
echo "after the third: $(items)"
[ "$after" = second ]
[ "$(items)" = "second third" ]
SESSION
dbus-run-session -- bash "$work/session"
