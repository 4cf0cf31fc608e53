#!/bin/sh
# By hand: where windows are, under window managers that are too large for 'make test' (which has openbox and
# xfwm4). Installs them if they are missing (about 220 MB), needs what 'make setup-test' installs.
#
#   tests/setup/window-managers.sh [mutter|metacity|i3|xfwm4|openbox] [TEST]
set -eu
cd "$(dirname "$0")/../.."
wm=${1:-mutter}
filter=${2:-interop::places}
case "$wm" in
    mutter) command="dbus-run-session -- mutter --x11 --sm-disable" package=mutter ;;
    metacity) command="dbus-run-session -- metacity --sm-disable --no-composite" package=metacity ;;
    i3) command="i3 -a" package=i3-wm ;;
    xfwm4) command="xfwm4 --compositor=off" package=xfwm4 ;;
    openbox) command="openbox --sm-disable" package=openbox ;;
    *) sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -q '^installed$' ||
    apt-get install -y --no-install-recommends "$package"
FARPANE_TEST_WM="$command" cargo test --test it -- "$filter"
