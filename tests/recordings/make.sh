#!/bin/bash
# Makes the recordings in this folder, each with a picture of what it shows at the end:
#   scrolling-6.5.fpr  a terminal that scrolls, from Xpra 6.5.5 (rencodeplus)
#   editing-3.1.fpr    text being typed, from Xpra 3.1.3 (bencode)
#   video-6.5.fpr      a moving picture, as h264 from Xpra 6.5.5
#   still-3.1.fpr      a large picture, as rgb32 with lz4 from Xpra 3.1.3
# Usage: make.sh [FARPANE [NAME...]], where FARPANE is the program to record with, and the names are
# those of the recordings to make, without .fpr. Needs what the tests need: both Xpras ('make
# setup-test'), Xvfb, xterm, xdotool and, for Xpra itself, GTK 3 for Python.
set -euo pipefail
cd "$(dirname "$0")"
farpane=${1:-../../target/debug/farpane}
shift || true
names=("$@")
here=$PWD
xpra6=${FARPANE_XPRA6:-${FARPANE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/farpane}/xpra-6.5.5}
private=$(mktemp -d)
export HOME=$private XDG_RUNTIME_DIR=$private LC_ALL=C.UTF-8
unset DISPLAY WAYLAND_DISPLAY
server=
trap 'kill $server 2>/dev/null || true; sleep 2; rm -rf "$private"' EXIT

xvfb='--xvfb=Xvfb +extension GLX +extension Composite +extension RANDR +extension RENDER -screen 0 1920x1080x24+32 -nolisten tcp -noreset -dpi 96x96'
common=(--daemon=no --mdns=no --pulseaudio=no --notifications=no --printing=no --webcam=no --html=off)

# serve DISPLAY PORT COMMAND PROGRAM SWITCHES...: starts a server and waits for its port.
serve() {
    local display=$1 port=$2 command=$3
    shift 3
    "$@" "$display" "--bind-tcp=127.0.0.1:$port" "$xvfb" "--start=$command" "${common[@]}" >"$private/log" 2>&1 &
    server=$!
    for _ in $(seq 300); do
        if (echo >"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then return; fi
        sleep 0.2
    done
    cat "$private/log" >&2
    exit 1
}

# finish NAME: the picture of the recording's end.
finish() {
    kill "$server"
    wait "$server" 2>/dev/null || true
    server=
    rm -f "$1.png"
    "$farpane" replay "$1.fpr" --headless --flat-out --screenshot "$1.png"
}

# serve6 DISPLAY PORT COMMAND: a server of 6.5.5; serve3: one of 3.1.3.
serve6() {
    serve "$1" "$2" "$3" \
        env XPRA_SYSTEM_CONF_DIRS="$xpra6/etc/xpra" XPRA_PYTHON_COMMAND="$xpra6/bin/python" XPRA_NO_ROOT_WARNING=1 \
        "$xpra6/bin/xpra" seamless --source=no --audio=no --dbus=no --systemd-run=no
}
serve3() {
    serve "$1" "$2" "$3" /usr/bin/xpra start --dbus-launch= --speaker=off --microphone=off
    # Debian's Xsession complains in a window of its own.
    for _ in $(seq 20); do
        DISPLAY=$1 xdotool search --class xmessage windowkill 2>/dev/null && break
        sleep 0.2
    done
}

# wanted NAME: whether this recording is to be made.
wanted() { [ ${#names[@]} = 0 ] || [[ " ${names[*]} " == *" $1 "* ]]; }

scrolling-6.5() {
    cat >"$private/scroll" <<'END'
for n in $(seq 1 60); do
    printf '%03d \033[3%dmline\033[0m of a terminal that scrolls\n' "$n" $((n % 7 + 1))
    sleep 0.05
done
sleep 1000
END
    serve6 :356 15556 "xterm -T scrolling -geometry 60x16 -e bash $private/scroll"
    rm -f scrolling-6.5.fpr
    "$farpane" record tcp://127.0.0.1:15556/ scrolling-6.5.fpr --seconds 6
}

editing-3.1() {
    serve3 :357 15557 "xterm -T editing -geometry 60x16 -e vi -u NONE -n"
    export DISPLAY=:357
    for _ in $(seq 50); do xdotool search --name '^editing$' >/dev/null 2>&1 && break; sleep 0.2; done
    sleep 2
    rm -f editing-3.1.fpr
    "$farpane" record tcp://127.0.0.1:15557/ editing-3.1.fpr --seconds 9 &
    recorder=$!
    sleep 2
    xdotool search --name '^editing$' windowfocus
    type() { xdotool type --delay 40 "$1"; xdotool key --delay 40 "${@:2}"; }
    type 'iText is typed, line by line,' Return
    type 'corrected,' BackSpace BackSpace Return
    type 'and moved about.' Escape
    type 'kddpyyp' colon
    wait "$recorder"
    unset DISPLAY
}

video-6.5() {
    # It begins to move when the client has been there for a while.
    serve6 :358 15558 "/usr/bin/python3 $here/window.py video 6000"
    rm -f video-6.5.fpr
    "$farpane" record tcp://127.0.0.1:15558/ video-6.5.fpr --seconds 10 --encodings h264 --quality 60
}

still-3.1() {
    serve3 :359 15559 "/usr/bin/python3 $here/window.py still"
    sleep 2
    rm -f still-3.1.fpr
    "$farpane" record tcp://127.0.0.1:15559/ still-3.1.fpr --seconds 3 --encodings rgb --compressors lz4
}

for name in scrolling-6.5 editing-3.1 video-6.5 still-3.1; do
    if wanted "$name"; then
        "$name"
        finish "$name"
    fi
done
