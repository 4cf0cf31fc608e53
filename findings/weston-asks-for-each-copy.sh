#!/bin/sh
# Finding: Weston 10 asks for what was copied at once, without any paste, and keeps the first of its types alone.
#
# Software: Weston 10.0.1 (Debian 12: weston), wl-clipboard 2.1.0; sway 1.7 beside it.
# Ran:      `wl-copy`, which offers a text under five types, on a Weston in a window of Xvfb and on a headless sway; nobody
#           pastes. Its events are counted (WAYLAND_DEBUG). Then it ends.
# Expected: wl_data_source.send comes when somebody pastes; when the program that copied ends, the clipboard is empty. So
#           sway has it: no event, and nothing is left.
# Seen:     Weston asks within 0.1 s of each copy, for the type that was offered first, and gives that one away when the
#           program is gone; the other types are lost with it. A program that offers what it would have to fetch from far
#           away (a remote desktop's viewer) is made to fetch all of it at each copy, and what it offers first is what
#           stays: text before pictures, or the other way round.
# Exit status: 0 if it is still so.
set -eu
for package in weston sway wl-clipboard xvfb; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -q '^installed$' ||
        apt-get install -y --no-install-recommends "$package" >/dev/null
done
work=$(mktemp -d)
started=
stop() { for pid in $started; do kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; done; started=; }
trap 'stop; rm -rf "$work"' EXIT
export HOME="$work" XDG_RUNTIME_DIR="$work"
chmod 700 "$work"
unset WAYLAND_DISPLAY WAYLAND_SOCKET || true
weston --version
sway --version

# It refuses root.
as=
if [ "$(id -u)" = 0 ]; then
    as="setpriv --reuid=39999 --regid=39999 --clear-groups --"
fi

copy() { # NAME: what is seen on its display
    $as env WAYLAND_DISPLAY="$display" WAYLAND_DEBUG=1 wl-copy -f "some text" >"$work/$1.log" 2>&1 &
    copying=$!
    started="$copying $started"
    sleep 4
    # Before anybody looks at what is there.
    asked=$(grep -c '_source@[0-9]*\.send(' "$work/$1.log" || true)
    offered=$($as env WAYLAND_DISPLAY="$display" timeout 10 wl-paste --list-types | paste -s -d ' ')
    kill "$copying"
    sleep 2
    left=$($as env WAYLAND_DISPLAY="$display" timeout 10 wl-paste --list-types 2>/dev/null | paste -s -d ' ' || true)
    echo "$1: asked $asked times; offered: $offered; left: $left"
}

Xvfb -displayfd 3 -screen 0 1000x700x24 -nolisten tcp 3>"$work/x" 2>/dev/null &
started=$!
for _ in $(seq 50); do [ -s "$work/x" ] && break; sleep 0.2; done
DISPLAY=":$(cat "$work/x")" weston --backend=x11-backend.so --use-pixman --socket=one --width=800 --height=500 \
    --log="$work/server.log" >/dev/null 2>&1 &
started="$! $started"
for _ in $(seq 100); do [ -S "$work/one" ] && break; sleep 0.2; done
sleep 3
kept_as=$as as= display=one
copy weston
weston_asked=$asked weston_offered=$offered weston_left=$left
stop

as=$kept_as
mkdir "$work/other"
chmod 700 "$work/other"
[ -z "$as" ] || { chmod 711 "$work"; chown 39999:39999 "$work/other"; }
export HOME="$work/other" XDG_RUNTIME_DIR="$work/other"
touch "$work/other/config"
WLR_BACKENDS=headless WLR_LIBINPUT_NO_DEVICES=1 WLR_RENDERER=pixman $as sway -c "$work/other/config" >"$work/sway.log" 2>&1 &
started=$!
display=
for _ in $(seq 100); do
    display=$(ls "$work/other" | grep '^wayland-[0-9]*$' || true)
    [ -n "$display" ] && break
    sleep 0.2
done
sleep 1
copy sway
first=${weston_offered%% *}
grep '_source@[0-9]*\.send(' "$work/weston.log" "$work/sway.log" | head -n 3 || true
[ "$weston_asked" = 1 ]
[ "$weston_offered" != "$first" ]
[ "$weston_left" = "$first" ]
[ "$asked" = 0 ]
[ -z "$left" ]
