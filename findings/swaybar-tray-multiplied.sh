#!/bin/sh
# Finding: sway's bar takes the pixels of a tray icon for multiplied by their alpha.
#
# Software: swaybar 1.7 (Debian 12: sway), grim 1.4.0, PyGObject 3.42 as the program that has the icon (python3-gi).
# Ran:      a StatusNotifierItem with an IconPixmap of 32 x 32 half-transparent white pixels (80 ff ff ff: ARGB32 in network
#           byte order), shown in the black tray of a headless sway; then the same with 80 80 80 80. A picture is taken.
# Expected: straight alpha, as ARGB32 has it elsewhere (_NET_WM_ICON, QImage): grey, 128 128 128, for the first, a darker
#           grey, 64 64 64, for the second.
# Seen:     255 255 255 and 128 128 128. Each half-transparent edge of an icon comes out too bright there, up to white, and
#           pixels that are right there are too dark in a tray that takes them as straight. Nothing on the bus tells the
#           two apart. Icons whose pixels are opaque or empty look the same in both.
# Exit status: 0 if it is still so.
set -eu
for package in sway grim dbus-daemon python3-gi python3-pil; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -q '^installed$' ||
        apt-get install -y --no-install-recommends "$package" >/dev/null
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 700 "$work"
swaybar --version
cat >"$work/config" <<'CONFIG'
output HEADLESS-1 mode 640x480
bar {
    position top
    height 40
    tray_output *
    tray_padding 0
    status_command none
    workspace_buttons no
    colors {
        background #000000
    }
}
CONFIG
cat >"$work/item.py" <<'PYTHON'
import sys, time
from gi.repository import Gio, GLib

INTERFACE = "org.kde.StatusNotifierItem"
values = {
    "Category": GLib.Variant("s", "ApplicationStatus"), "Id": GLib.Variant("s", "item"), "Title": GLib.Variant("s", "item"),
    "Status": GLib.Variant("s", "Active"), "IconName": GLib.Variant("s", ""), "ItemIsMenu": GLib.Variant("b", False),
    "IconPixmap": GLib.Variant("a(iiay)", [(32, 32, bytes.fromhex(sys.argv[1]) * 1024)]),
}
properties = "".join(f'<property name="{name}" type="{value.get_type_string()}" access="read"/>' for name, value in values.items())
interface = Gio.DBusNodeInfo.new_for_xml(f'<node><interface name="{INTERFACE}">{properties}</interface></node>').interfaces[0]
bus = Gio.bus_get_sync(Gio.BusType.SESSION)
bus.register_object("/StatusNotifierItem", interface, None, lambda _bus, _who, _path, _interface, name: values[name], None)
name = "org.kde.StatusNotifierItem-1-1"
Gio.bus_own_name_on_connection(bus, name, 0, None, None)
watcher = "org.kde.StatusNotifierWatcher"
for _ in range(100):
    try:
        bus.call_sync(watcher, "/StatusNotifierWatcher", watcher, "RegisterStatusNotifierItem", GLib.Variant("(s)", (name,)),
                      None, 0, 2000, None)
        break
    except GLib.Error:
        time.sleep(0.2)
GLib.MainLoop().run()
PYTHON
cat >"$work/session" <<'SESSION'
cd "$HOME"
WLR_BACKENDS=headless WLR_LIBINPUT_NO_DEVICES=1 WLR_RENDERER=pixman sway -c "$HOME/config" >sway.log 2>&1 &
sway=$!
/usr/bin/python3 item.py "$1" >item.log 2>&1 &
item=$!
for _ in $(seq 100); do
    grep -q "Registering Status Notifier Item" sway.log && break
    sleep 0.2
done
sleep 2
WAYLAND_DISPLAY=$(ls | grep '^wayland-[0-9]*$' | head -n 1) grim "$1.png"
kill "$item" "$sway"
wait
SESSION
# It refuses root, and a bus wants an account that has a name.
as=
if [ "$(id -u)" = 0 ]; then
    chown -R 65534:65534 "$work"
    as="setpriv --reuid=65534 --regid=65534 --clear-groups --"
fi
for pixel in 80ffffff 80808080; do
    HOME="$work" XDG_RUNTIME_DIR="$work" $as dbus-run-session -- sh "$work/session" "$pixel"
done
/usr/bin/python3 - "$work" <<'PYTHON'
import sys
from PIL import Image

seen = {}
for pixel in "80ffffff", "80808080":
    # The tray is at the bar's right end.
    shown = Image.open(f"{sys.argv[1]}/{pixel}.png").convert("RGB").crop((590, 0, 640, 40))
    seen[pixel] = max((count, colour) for count, colour in shown.getcolors() if len(set(colour)) == 1 and colour[0])
    print(f"{pixel}: {seen[pixel][0]} pixels of {seen[pixel][1]}")
sys.exit([colour for _, colour in seen.values()] != [(255, 255, 255), (128, 128, 128)])
PYTHON
