//! Who has which packet: every name that servers of 3.1.3, 6.5.5 and 6.6 use, both ways.

use std::collections::BTreeSet;

use farpane::protocol::packet::{ClientPacket, ServerPacket, Value, unowned};
use farpane::protocol::{Dialect, KeptPacket};

use super::{list, map, raw, reader, record};

/// Arguments that some packet takes: between them, every packet has one.
fn shapes() -> Vec<Vec<Value>> {
    let list = |value: Value| match value {
        Value::List(items) => items,
        other => vec![other],
    };
    let none = || Value::from(map([]));
    let bytes = || Value::Bytes(vec![0; 4]);
    [
        list![],
        list![1],
        list!["x"],
        list!["x", 1],
        list!["x", "x", true],
        list![none()],
        list![1, none()],
        list![1, 1, 1, 1, 1, 1, 1, 1, 1],
        list![1, 1, 1, 1, 1, 1, 1],
        list![1, 1, 1, 1, 1],
        list![1, 1, 1],
        list![bytes(), none(), "x", "x", "x"],
        list![1, 0, 0, 1, 1, "rgb32", bytes(), 1, 4],
        list![1, 0, 0, 1, 1, none(), none()],
        list!["raw", 1, 1, 0, 0, 1, bytes(), "x"],
        list![1, 1, 1, "png", bytes()],
        list![1, 1, "png", 4, bytes()],
        list![1, 1, 1, 1, 1, "x"],
        list![1, list!["shift"]],
        list![1, "a", true, list![], 1, "a", 1, 0],
        list![1, "a", true, none()],
        list![1, list![1, 1], list![], list![]],
        list![-1, 0, 1, list![1, 1], none()],
        list![1, 1, true, list![1, 1], list![], list![]],
        list![-1, 0, 1, 1, true, list![1, 1], none()],
        list![1, 4, 100, list![1, 1], list![], list![]],
        list![map([("quality", 50.into())])],
        list!["CLIPBOARD", none()],
        list![1, "CLIPBOARD"],
        list![1, "CLIPBOARD", "TEXT"],
        list![1, "CLIPBOARD", "TEXT", 8, "bytes", bytes()],
        list![list!["CLIPBOARD"]],
    ]
    .into_iter()
    .map(list)
    .collect()
}

/// The packet `name` with each of [`shapes`].
fn packets(name: &str) -> impl Iterator<Item = KeptPacket> {
    shapes().into_iter().map(move |mut arguments| {
        arguments.insert(0, name.into());
        raw(Dialect::Modern, &record(Dialect::Modern, &Value::List(arguments)))
    })
}

/// The subjects that take the packet, or what it counts as.
fn owners_from_server(name: &str) -> BTreeSet<&'static str> {
    let owner = |packet: KeptPacket| match reader(Dialect::Modern).read(packet.lend()).ok()?.packet {
        ServerPacket::Draw(_) => Some("draw"),
        ServerPacket::Window(_) => Some("window"),
        ServerPacket::Pointer(_) => Some("pointer"),
        ServerPacket::Connection(_) => Some("connection"),
        ServerPacket::Display(_) => Some("display"),
        ServerPacket::Clipboard(_) => Some("clipboard"),
        ServerPacket::Ignored { .. } => Some("nobody"),
        ServerPacket::Unknown { .. } => Some("unknown"),
    };
    packets(name).filter_map(owner).collect()
}

fn owners_from_client(name: &str) -> BTreeSet<&'static str> {
    let owner = |packet: KeptPacket| match reader(Dialect::Modern).read_client(packet.lend()).ok()?.packet? {
        ClientPacket::Draw(_) => Some("draw"),
        ClientPacket::Pointer(_) => Some("pointer"),
        ClientPacket::Keyboard(_) => Some("keyboard"),
        ClientPacket::Window(_) => Some("window"),
        ClientPacket::Connection(_) => Some("connection"),
        ClientPacket::Display(_) => Some("display"),
        ClientPacket::Clipboard(_) => Some("clipboard"),
    };
    packets(name).filter_map(owner).collect()
}

#[test]
fn each_packet_of_a_server_has_one_owner() {
    let owned = [
        (
            "connection",
            "hello challenge connection-close disconnect ping ping-echo ping_echo startup-complete setting-change \
             server-event events control info-response",
        ),
        ("draw", "window-draw draw window-eos eos encoding-set encodings"),
        (
            "display",
            "display-resized desktop_size display-screenshot screenshot display-show-desktop show-desktop",
        ),
        (
            "window",
            "window-create new-window new-override-redirect new-tray window-metadata window-move-resize \
             configure-override-redirect window-resized window-raise raise-window window-restack restack-window \
             window-initiate-moveresize initiate-moveresize window-destroy lost-window window-icon window-bell bell",
        ),
        (
            "pointer",
            "pointer-position cursor-data cursor cursor-default window-grab pointer-grab window-ungrab \
             pointer-ungrab",
        ),
        (
            "clipboard",
            "clipboard-token clipboard-request clipboard-contents clipboard-contents-none clipboard-data \
             clipboard-pending-requests clipboard-enable-selections clipboard-loop-uuids clipboard-status \
             clipboard-enabled-status set-clipboard-enabled",
        ),
        (
            "nobody",
            "clipboard-record sound-data audio-data audio-capabilities audio-keepalive audio-level audio-signal \
             send-file send-file-chunk ack-file-chunk send-data-request send-data-response open-url file-send \
             file-send-chunk file-ack-chunk file-data-request file-data-response file-request file-open-url \
             notify_show notify_close notification-show notification-close webcam-ack webcam-stop logging \
             logging-event logging-control display-icon keyboard-record pointer pointer-motion pointer-button \
             pointer-wheel rpc-reply shell-reply ssl-upgrade udp-control set_deflate connection-data",
        ),
        ("unknown", "gibberish window-frobnicate"),
    ];
    for (owner, names) in owned {
        for name in names.split_whitespace() {
            assert_eq!(owners_from_server(name), BTreeSet::from([owner]), "{name}");
            assert_eq!(unowned::find(name).is_some(), owner == "nobody", "{name}");
        }
    }
}

#[test]
fn each_packet_of_a_client_has_one_owner() {
    let owned = [
        (
            "connection",
            "hello connection-close disconnect ping ping-echo ping_echo info-request suspend resume \
             command-start start-command",
        ),
        (
            "draw",
            "window-draw-ack damage-sequence window-ack window-refresh buffer-refresh encoding-set encoding \
             encoding-config encoding-options quality min-quality max-quality speed min-speed max-speed \
             bandwidth-limit",
        ),
        ("display", "display-configure configure-display desktop_size"),
        (
            "window",
            "window-map map-window window-unmap unmap-window window-configure configure-window window-close \
             close-window window-focus focus bell-set set-bell",
        ),
        ("keyboard", "keyboard-event key-action keyboard-config keymap-changed"),
        (
            "clipboard",
            "clipboard-token clipboard-request clipboard-contents clipboard-contents-none clipboard-data \
             clipboard-pending-requests clipboard-enable-selections clipboard-status set-clipboard-enabled",
        ),
        (
            "pointer",
            "pointer-motion pointer-position pointer pointer-button button-action pointer-wheel wheel-motion \
             cursor-set set-cursors",
        ),
    ];
    for (owner, names) in owned {
        for name in names.split_whitespace() {
            assert_eq!(owners_from_client(name), BTreeSet::from([owner]), "{name}");
        }
    }
    // What Farpane's client does not send.
    for name in ["sound-control", "send-file", "gibberish", "window-action"] {
        assert_eq!(owners_from_client(name), BTreeSet::new(), "{name}");
    }
}
