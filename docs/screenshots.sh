#!/bin/sh
# Makes the pictures of the guide from the running program, on a virtual display of its own.
#
#   docs/screenshots.sh [NAME...]     all of them, or those of: first-session overlay session-information
#                                     session-menu session-card connect-window connect-password password
#                                     certificate
#
# Needs what `make setup-test` installs, the Debian packages x11-utils and imagemagick, and the program
# (target/release/farpane, else target/debug/farpane, or $FARPANE). Ends everything that it starts. Sessions of
# others on this machine show in the connect window: run it where there are none.
set -eu
cd "$(dirname "$0")/.."
images=$PWD/docs/images
farpane=${FARPANE:-}
for built in target/release/farpane target/debug/farpane; do
    [ -n "$farpane" ] || { [ -x "$built" ] && farpane=$PWD/$built; }
done
[ -n "$farpane" ] || { echo "screenshots: build the program first (cargo build --release)" >&2; exit 1; }
xpra6=${FARPANE_XPRA6:-${FARPANE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/farpane}/xpra-6.5.5}
first_port=${FARPANE_PORT:-17640}
wanted=" ${*:-first-session overlay session-information session-menu session-card connect-window connect-password password certificate} "

work=$(mktemp -d)
started=
stop() {
    for pid in $started; do kill "$pid" 2>/dev/null || true; done
    for pid in $started; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 1' INT TERM
# Nothing of this user's own is seen or changed.
export HOME="$work/home" XDG_RUNTIME_DIR="$work/run" XDG_CONFIG_HOME="$work/config" XDG_DATA_HOME="$work/data"
export FARPANE_CONFIG= XPRA_SYSTEM_CONF_DIRS="$xpra6/etc/xpra"
mkdir -p "$HOME" "$XDG_RUNTIME_DIR" "$XDG_CONFIG_HOME" "$XDG_DATA_HOME/farpane/connections"
# Pictures show sessions as those see them who know where the menu is.
touch "$XDG_DATA_HOME/farpane/connections/knows-menu"
chmod 700 "$XDG_RUNTIME_DIR"
unset WAYLAND_DISPLAY || true

wait_for() { # WHAT COMMAND...
    what=$1; shift
    tries=300
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || { echo "screenshots: waited in vain for $what" >&2; cat "$work"/*.log >&2; exit 1; }
        sleep 0.1
    done
}
start() { # LOG COMMAND...: in the background; its number is $!
    log=$1; shift
    "$@" >"$work/$log.log" 2>&1 &
    started="$! $started"
}
is_wanted() { case "$wanted" in *" $1 "*) true ;; *) false ;; esac }
# A picture of little size: 255 colours are plenty for windows, if those between them are mixed.
keep() { # NAME GEOMETRY [OPTION]
    import -window root -crop "$2" +repage "$work/$1.png"
    # shellcheck disable=SC2086
    convert "$work/$1.png" -strip ${3:-+dither} -colors 255 -define png:compression-level=9 "PNG8:$images/$1.png"
    echo "screenshots: $images/$1.png ($(wc -c <"$images/$1.png") bytes)"
}
window() { xdotool search --onlyvisible --name "$1" | tail -n 1; }
shown() { [ -n "$(window "$1")" ]; }
end() { kill "$1"; wait "$1" 2>/dev/null || true; }

start xvfb Xvfb -displayfd 3 -screen 0 1280x820x24 -nolisten tcp -noreset 3>"$work/display"
wait_for "the display" test -s "$work/display"
DISPLAY=:$(cat "$work/display")
export DISPLAY
start openbox openbox --sm-disable
wait_for "the window manager" sh -c 'xprop -root _NET_SUPPORTING_WM_CHECK | grep -q "window id"'
sleep 1
xsetroot -solid '#33414f'

# ---- a session of the demo's windows ----------------------------------------------------------
if is_wanted first-session || is_wanted overlay || is_wanted session-information || is_wanted session-menu; then
    start demo "$farpane" demo
    demo=$!
    for title in "Raw pixels" Terminal Video "Drawing pad"; do wait_for "the window $title" shown "$title"; done
    xdotool windowmove "$(window Terminal)" 420 40 windowmove "$(window "Raw pixels")" 30 40 \
        windowmove "$(window Video)" 30 400 windowmove "$(window "Drawing pad")" 700 460
    # A user of the pad: a drawing, and a word.
    pad=$(window "Drawing pad")
    xdotool windowactivate "$pad"
    sleep 1
    xdotool mousemove --window "$pad" 60 120 mousedown 1
    for at in "90 90" "120 70" "150 90" "170 130" "200 160" "230 150" "260 110" "290 80" "320 100"; do
        # shellcheck disable=SC2086
        xdotool mousemove --window "$pad" $at
        sleep 0.1
    done
    xdotool mouseup 1 type --delay 60 "hello"
    sleep 6
    if is_wanted first-session; then keep first-session 1140x760+0+0 "-dither FloydSteinberg"; fi
    if is_wanted overlay; then
        terminal=$(window Terminal)
        xdotool windowactivate "$terminal" windowsize "$terminal" 640 720 windowmove "$terminal" 420 30
        sleep 1
        xdotool key --delay 300 shift+F11 shift+F11 shift+F11
        sleep 12
        keep overlay 660x480+410+10
        xdotool key shift+F11
    fi
    if is_wanted session-information; then
        xdotool windowactivate "$(window Video)"
        sleep 30
        xdotool key shift+F10
        wait_for "the session information" shown "[Ss]ession information"
        info=$(window "[Ss]ession information")
        xdotool windowmove "$info" 200 80 mousemove 5 5
        sleep 3
        keep session-information 880x660+190+50
    fi
    if is_wanted session-menu; then
        xdotool windowactivate "$(window Video)"
        sleep 1
        xdotool key shift+F9
        wait_for "the session menu" shown "[Ss]ession menu"
        menu=$(window "[Ss]ession menu")
        xdotool windowmove "$menu" 300 30 mousemove 5 5
        sleep 2
        keep session-menu 424x800+290+10
    fi
    end "$demo"
fi

# ---- a real server with a password ------------------------------------------------------------
if is_wanted connect-window || is_wanted connect-password || is_wanted password; then
    printf secret >"$work/password"
    start xpra "$xpra6/bin/xpra" seamless --session-name="Build machine" --start="xterm -geometry 70x16" --daemon=no \
        --source=no --mdns=no --pulseaudio=no --audio=no --notifications=no --dbus=no --systemd-run=no \
        --printing=no --webcam=no --html=off --bind-tcp=127.0.0.1:$first_port --tcp-auth="file:filename=$work/password"
    wait_for "the server" sh -c "grep -q 'xpra is ready' '$work/xpra.log'"
    wait_for "the session's socket" sh -c 'ls "$XDG_RUNTIME_DIR"/xpra/*/socket'
fi

if is_wanted password; then
    start password "$farpane" "tcp://127.0.0.1:$first_port/"
    viewer=$!
    wait_for "the password dialog" shown "Farpane: password"
    dialog=$(window "Farpane: password")
    xdotool windowmove "$dialog" 400 300 windowactivate "$dialog"
    sleep 1
    xdotool type --delay 60 secret
    xdotool mousemove 5 5
    sleep 1
    keep password 464x268+388+288
    end "$viewer"
fi

if is_wanted connect-password; then
    start asked "$farpane"
    viewer=$!
    wait_for "the connect window" shown "^Farpane$"
    connect=$(window "^Farpane$")
    xdotool windowmove "$connect" 180 60 windowactivate "$connect" mousemove 5 5
    sleep 1
    xdotool type --delay 40 "127.0.0.1:$first_port"
    xdotool key Return
    sleep 3
    xdotool type --delay 60 slip
    xdotool key Return
    sleep 4
    xdotool type --delay 60 secret
    sleep 1
    keep connect-password 920x680+170+50
    end "$viewer"
fi

# ---- a session without windows -----------------------------------------------------------------
if is_wanted session-card; then
    entry() { # NAME CATEGORY
        printf '[Desktop Entry]\nType=Application\nName=%s\nExec=true\nCategories=%s;\n' "$1" "$2" >"$work/data/applications/$1.desktop"
    }
    submenu() { # NAME CATEGORY
        printf '<Menu><Name>%s</Name><Include><Category>%s</Category></Include></Menu>' "$1" "$2"
    }
    mkdir -p "$work/data/applications" "$work/xdg/menus"
    entry "Files" Utility; entry "Text Editor" Utility; entry "Calculator" Utility
    entry "Web Browser" Network; entry "Mail" Network; entry "Spreadsheet" Office
    printf '<Menu><Name>All</Name><DefaultAppDirs/>%s</Menu>' \
        "$(submenu Accessories Utility)$(submenu Internet Network)$(submenu Office Office)" >"$work/xdg/menus/applications.menu"
    start empty env XDG_CONFIG_DIRS="$work/xdg" XDG_DATA_DIRS="$work/data" "$xpra6/bin/xpra" seamless --session-name="Build machine" \
        --daemon=no --source=no --mdns=no --pulseaudio=no --audio=no --notifications=no --dbus=no --systemd-run=no \
        --printing=no --webcam=no --html=off --bind-tcp="127.0.0.1:$((first_port + 3))"
    empty=$!
    wait_for "the server" sh -c "grep -q 'xpra is ready' '$work/empty.log'"
    sleep 3
    start card "$farpane" "tcp://127.0.0.1:$((first_port + 3))/"
    viewer=$!
    wait_for "the session's card" shown "Farpane: Build machine"
    card=$(window "Farpane: Build machine")
    xdotool windowmove "$card" 400 200 windowactivate "$card" mousemove 5 5
    sleep 2
    keep session-card 444x508+388+176
    end "$viewer"
    end "$empty"
fi

# ---- a server that nobody vouches for ----------------------------------------------------------
if is_wanted certificate; then
    openssl req -x509 -newkey rsa:2048 -nodes -days 365 -keyout "$work/key.pem" -out "$work/cert.pem" \
        -subj /CN=server -addext subjectAltName=DNS:server,IP:127.0.0.1 2>/dev/null
    start tls openssl s_server -www -accept "127.0.0.1:$((first_port + 2))" -cert "$work/cert.pem" -key "$work/key.pem"
    sleep 1
    start certificate "$farpane" "ssl://127.0.0.1:$((first_port + 2))/"
    viewer=$!
    wait_for "the question" shown "Farpane: certificate"
    dialog=$(window "Farpane: certificate")
    xdotool windowmove "$dialog" 400 300 windowactivate "$dialog"
    xdotool mousemove 5 5
    sleep 1
    keep certificate 624x458+388+288
    end "$viewer"
fi

if is_wanted connect-window; then
    kept=$XDG_DATA_HOME/farpane/connections
    printf 'mode=ssl\nhost=office.example.org\nport=14500\nusername=anna\n' >"$kept/Office.xpra"
    printf 'mode=tcp\nhost=127.0.0.1\nport=%s\n' "$((first_port + 1))" >"$kept/Drawing.xpra"
    start served "$farpane" demo --serve-only --bind "127.0.0.1:$((first_port + 1))"
    demo=$!
    # Used once, so that it is a recent one with its last look.
    start connect "$farpane"
    viewer=$!
    wait_for "the connect window" shown "^Farpane$"
    xdotool windowactivate "$(window "^Farpane$")"
    sleep 1
    xdotool type --delay 40 "127.0.0.1:$((first_port + 1))"
    xdotool key Return
    wait_for "the session" shown Terminal
    wait_for "the session's picture" sh -c "find '$kept' -name '*.png' | grep -q ."
    end "$viewer"
    start again "$farpane"
    viewer=$!
    wait_for "the connect window" shown "^Farpane$"
    connect=$(window "^Farpane$")
    xdotool windowmove "$connect" 180 60 windowactivate "$connect"
    sleep 1
    xdotool type --delay 40 "ssl://anna@studio.example.org:14500/"
    xdotool mousemove 5 5
    sleep 6
    keep connect-window 920x680+170+50
    end "$viewer"
    end "$demo"
fi
