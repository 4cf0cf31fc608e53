//! Packets to servers: the exact shapes that each generation wants, and back.

use std::num::NonZeroU64;

use farpane::protocol::packet::ClientPacket;
use farpane::protocol::packet::connection;
use farpane::protocol::packet::display;
use farpane::protocol::packet::draw::{self, DrawAck, DrawOutcome};
use farpane::protocol::packet::keyboard::{self, KeyboardEvent};
use farpane::protocol::packet::pointer::{self, PointerState};
use farpane::protocol::packet::window::{self, WindowGeometry};
use farpane::protocol::packet::{Dict, DrawSequence, Modifiers, Value, WindowId};
use farpane::protocol::tape::Tape;
use farpane::protocol::{Dialect, Naming, PacketWriter, bencode, rencodeplus};

use super::{list, map, raw, reader, record};

const WID: WindowId = WindowId(7);

fn written(dialect: Dialect, naming: Naming, packet: &ClientPacket) -> Vec<u8> {
    let mut writer = PacketWriter::new(dialect);
    writer.set_naming(naming);
    let mut bytes = vec![1, 2, 3];
    writer.write(packet, &mut bytes);
    bytes.split_off(3)
}

/// The packet as the peer decodes it.
fn value(dialect: Dialect, naming: Naming, packet: &ClientPacket) -> Value {
    let bytes = written(dialect, naming, packet);
    let payload = &bytes[8..];
    let mut tape = Tape::default();
    match dialect {
        Dialect::Modern => rencodeplus::decode(payload, &mut tape).expect("rencodeplus"),
        Dialect::Legacy31 => bencode::decode(payload, &mut tape).expect("bencode"),
        Dialect::Yaml => unreachable!("it has no tape of its own"),
    }
    tape.value(0, payload)
}

/// `legacy`, `v65` and `v66` are what each spelling makes of the packet.
#[track_caller]
pub fn check(packet: &ClientPacket, legacy: Value, v65: Value, v66: Value) {
    assert_eq!(value(Dialect::Modern, Naming::Legacy, packet), legacy);
    assert_eq!(value(Dialect::Modern, Naming::V65, packet), v65);
    assert_eq!(value(Dialect::Modern, Naming::V66, packet), v66);
    // bencode: the same as the legacy spelling, in the types that it has.
    assert_eq!(value(Dialect::Legacy31, Naming::V66, packet), bencoded(legacy));
}

fn bencoded(value: Value) -> Value {
    match value {
        Value::Str(text) => Value::Bytes(text.into_bytes()),
        Value::Bool(value) => Value::Int(i64::from(value)),
        Value::List(items) => Value::List(items.into_iter().map(bencoded).collect()),
        Value::Dict(Dict(pairs)) => Value::Dict(Dict(
            pairs.into_iter().map(|(key, value)| (bencoded(key), bencoded(value))).collect(),
        )),
        other => other,
    }
}

fn geometry(skip_geometry: bool) -> WindowGeometry {
    WindowGeometry {
        wid: WID,
        x: -10,
        y: 20,
        width: 300,
        height: 200,
        client_properties: Dict::default(),
        state: map([("maximized", true.into())]),
        resize_counter: 4,
        skip_geometry,
    }
}

#[test]
fn windows() {
    let state = || Value::from(map([("maximized", true.into())]));
    let place = |name: &str| list![name, 7, -10, 20, 300, 200, Dict::default(), state()];
    let window_map = ClientPacket::Window(window::ToServer::Map(geometry(false)));
    check(&window_map, place("map-window"), place("window-map"), place("window-map"));
    let configuration =
        || map([("geometry", list![-10, 20, 300, 200]), ("resize-counter", 4.into()), ("state", state())]);
    check(
        &ClientPacket::Window(window::ToServer::Configure(geometry(false))),
        list!["configure-window", 7, -10, 20, 300, 200, Dict::default(), 4, state(), false],
        list!["window-configure", 7, configuration()],
        list!["window-configure", 7, configuration()],
    );
    let only_state = || list!["window-configure", 7, map([("state", state())])];
    check(
        &ClientPacket::Window(window::ToServer::Configure(geometry(true))),
        list!["configure-window", 7, -10, 20, 300, 200, Dict::default(), 4, state(), true],
        only_state(),
        only_state(),
    );
    // Servers refuse what does not fit 16 bits.
    let far =
        WindowGeometry { x: -100_000, y: 100_000, width: 100_000, state: Dict::default(), ..geometry(false) };
    let ServerSees(x, y, width) = ServerSees::of(&value(
        Dialect::Modern,
        Naming::V65,
        &ClientPacket::Window(window::ToServer::Map(far)),
    ));
    assert_eq!((x, y, width), (-32768, 32767, 65535));

    let unmap = ClientPacket::Window(window::ToServer::Unmap { wid: WID, iconified: true });
    check(
        &unmap,
        list!["unmap-window", 7, true],
        list!["window-unmap", 7, true],
        list!["window-unmap", 7, true],
    );
    let close = ClientPacket::Window(window::ToServer::Close { wid: WID });
    check(&close, list!["close-window", 7], list!["window-close", 7], list!["window-close", 7]);
    let focus = ClientPacket::Window(window::ToServer::Focus {
        wid: None,
        modifiers: Modifiers::from_names(["shift"]),
    });
    let focused = |name: &str| list![name, 0, list!["shift"]];
    check(&focus, focused("focus"), focused("window-focus"), focused("window-focus"));
    let refresh = ClientPacket::Draw(draw::ToServer::Refresh { wid: WID, quality: 100 });
    let refreshed = |name: &str| list![name, 7, 0, 100];
    check(&refresh, refreshed("buffer-refresh"), refreshed("window-refresh"), refreshed("window-refresh"));
}

#[test]
fn what_all_windows_are_told() {
    let properties = map([("encodings", list!["png"])]);
    let packet =
        ClientPacket::Draw(draw::ToServer::AllWindows { properties: properties.clone(), refresh: false });
    let told = |name: &str, all: i64| {
        list![name, all, 0, 100, map([("refresh-now", false.into())]), properties.clone()]
    };
    check(&packet, told("buffer-refresh", -1), told("window-refresh", 0), told("window-refresh", 0));
    // Servers take 0 for their least limit.
    let none = ClientPacket::Draw(draw::ToServer::BandwidthLimit { bits_per_second: None });
    let lifted = || list!["bandwidth-limit", 10_737_418_240_i64];
    check(&none, lifted(), lifted(), lifted());
}

/// The resolution goes last, and only with it what is between.
#[test]
fn a_new_resolution_for_legacy_servers() {
    let dots = map([("", 144.into()), ("x", 143.into()), ("y", 145.into())]);
    let properties = map([("screen_sizes", list!["s"]), ("dpi", dots.into())]);
    let packet = ClientPacket::Display(display::ToServer::Configure { width: 80, height: 60, properties });
    let bytes = written(Dialect::Legacy31, Naming::Legacy, &packet);
    let read =
        reader(Dialect::Legacy31).read_client(raw(Dialect::Legacy31, &bytes).lend()).expect("a packet");
    let Some(ClientPacket::Display(display::ToServer::Configure { width: 80, height: 60, properties })) =
        read.packet
    else {
        panic!("{:?}", read.packet);
    };
    assert_eq!((properties.int("dpi.x"), properties.int("dpi.y")), (Some(143), Some(145)));
}

struct ServerSees(i64, i64, i64);

impl ServerSees {
    fn of(packet: &Value) -> Self {
        let items = packet.as_list().expect("a list");
        let int = |at: usize| items[at].as_i64().expect("an integer");
        Self(int(2), int(3), int(4))
    }
}

#[test]
fn acknowledgements() {
    let cases = [
        (DrawOutcome::Presented { decode_us: 1234 }, 1234, ""),
        (DrawOutcome::Presented { decode_us: 0 }, 1, ""),
        (DrawOutcome::Presented { decode_us: u32::MAX }, i64::from(i32::MAX), ""),
        (DrawOutcome::Skipped, 0, ""),
        (DrawOutcome::Error { message: "bad".to_owned() }, -1, "bad"),
        (DrawOutcome::WindowNotFound, -2, "window not found"),
    ];
    for (outcome, time, message) in cases {
        let ack = ClientPacket::Draw(draw::ToServer::Ack(DrawAck {
            wid: WID,
            sequence: DrawSequence(99),
            width: 3,
            height: 4,
            outcome,
        }));
        let expected = |name: &str| list![name, 99, 7, 3, 4, time, message];
        check(&ack, expected("damage-sequence"), expected("window-draw-ack"), expected("window-draw-ack"));
    }
    // 6.6 has another order of its own, which a server has to read.
    let modern = record(Dialect::Modern, &list!["window-ack", 7, 3, 4, 99, -1, "bad"]);
    let read = reader(Dialect::Modern).read_client(raw(Dialect::Modern, &modern).lend()).expect("a packet");
    let outcome = DrawOutcome::Error { message: "bad".to_owned() };
    let ack = DrawAck { wid: WID, sequence: DrawSequence(99), width: 3, height: 4, outcome };
    assert_eq!(read.packet, Some(ClientPacket::Draw(draw::ToServer::Ack(ack))));
}

#[test]
fn keyboard_and_pointer() {
    let key = ClientPacket::Keyboard(keyboard::ToServer::Event(KeyboardEvent {
        wid: Some(WID),
        keyname: "eacute".to_owned(),
        pressed: true,
        modifiers: Modifiers::from_names(["shift", "mod2"]),
        keyval: 233,
        string: "é".to_owned(),
        keycode: 38,
        group: 1,
    }));
    let modifiers = || list!["shift", "mod2"];
    let event = || {
        let properties = map([
            ("modifiers", modifiers()),
            ("keyval", 233.into()),
            ("string", "é".into()),
            ("keycode", 38.into()),
            ("group", 1.into()),
        ]);
        list!["keyboard-event", 7, "eacute", true, properties]
    };
    check(&key, list!["key-action", 7, "eacute", true, modifiers(), 233, "é", 38, 1], event(), event());

    let (modifiers, buttons) = (Modifiers::from_names(["control"]), vec![1u8]);
    let (x, y) = (-3, 70_000);
    let properties = || map([("modifiers", list!["control"]), ("buttons", list![1])]);
    let (m, b) = (modifiers, buttons.clone());
    check(
        &ClientPacket::Pointer(pointer::ToServer::Motion(PointerState {
            wid: Some(WID),
            x,
            y,
            modifiers: m,
            buttons: b,
        })),
        list!["pointer-position", 7, list![-3, 70_000], list!["control"], list![1]],
        list!["pointer-motion", -1, 0, 7, list![-3, 70_000], properties()],
        list!["pointer-motion", -1, 0, 7, list![0, 65_535], properties()],
    );
    let (m, b) = (modifiers, buttons.clone());
    check(
        &ClientPacket::Pointer(pointer::ToServer::Button {
            button: 3,
            pressed: false,
            pointer: PointerState { wid: None, x: 5, y: 6, modifiers: m, buttons: b },
        }),
        list!["button-action", 0, 3, false, list![5, 6], list!["control"], list![1]],
        list!["pointer-button", -1, 0, 0, 3, false, list![5, 6], properties()],
        list!["pointer-button", -1, 0, 0, 3, false, list![5, 6], properties()],
    );
    check(
        &ClientPacket::Pointer(pointer::ToServer::Wheel {
            button: 4,
            distance: -250,
            pointer: PointerState { wid: Some(WID), x: 5, y: 6, modifiers, buttons },
        }),
        list!["wheel-motion", 7, 4, -250, list![5, 6], list!["control"], list![1]],
        list!["pointer-wheel", 7, 4, -250, list![5, 6], list!["control"], list![1]],
        list!["pointer-wheel", 7, 4, -250, list![5, 6], list!["control"], list![1], Dict::default()],
    );
}

#[test]
fn settings() {
    let option = ClientPacket::Draw(draw::ToServer::EncodingOption { name: "quality", value: 80.into() });
    let options = || list!["encoding-options", map([("quality", 80.into())])];
    check(&option, list!["quality", 80], options(), options());
    let set = ClientPacket::Draw(draw::ToServer::EncodingSet { encoding: "jpeg".to_owned() });
    check(&set, list!["encoding", "jpeg"], list!["encoding-set", "jpeg"], list!["encoding-set", "jpeg"]);
    let display = ClientPacket::Display(display::ToServer::Configure {
        width: 800,
        height: 600,
        properties: Dict::default(),
    });
    let configure = || list!["display-configure", map([("desktop-size", list![800, 600])])];
    check(&display, list!["desktop_size", 800, 600, list![]], configure(), configure());
    let suspend = |suspended| ClientPacket::Connection(connection::ToServer::Suspend { suspended });
    check(&suspend(true), list!["suspend", true, list![]], list!["suspend"], list!["suspend", true]);
    check(&suspend(false), list!["resume", true, list![]], list!["resume"], list!["suspend", false]);
    let cursors = ClientPacket::Pointer(pointer::ToServer::CursorSet { enabled: true });
    check(&cursors, list!["set-cursors", true], list!["cursor-set", true], list!["cursor-set", true]);
    let bell = ClientPacket::Window(window::ToServer::BellSet { enabled: false });
    check(&bell, list!["set-bell", false], list!["bell-set", false], list!["bell-set", false]);
    let echo = ClientPacket::Connection(connection::ToServer::PingEcho(connection::PingEcho {
        monotonic_ms: 5,
        load: [1, 2, 3],
        latency_ms: -1,
        sid: None,
    }));
    let echoed = |name: &str| list![name, 5, 1, 2, 3, -1, ""];
    check(&echo, echoed("ping_echo"), echoed("ping_echo"), echoed("ping-echo"));
    let close = ClientPacket::Connection(connection::ToServer::Close { reason: "bye".to_owned() });
    check(
        &close,
        list!["disconnect", "bye"],
        list!["connection-close", "bye"],
        list!["connection-close", "bye"],
    );
}

/// One of each.
fn all() -> Vec<ClientPacket> {
    let none = || (Modifiers::default(), Vec::new());
    let ((m1, b1), (m2, b2), (m3, b3)) = (none(), none(), none());
    vec![
        ClientPacket::Connection(connection::ToServer::Hello(map([("version", "0.1".into())]))),
        ClientPacket::Connection(connection::ToServer::Close { reason: "bye".to_owned() }),
        ClientPacket::Connection(connection::ToServer::Ping { monotonic_ms: 1 }),
        ClientPacket::Connection(connection::ToServer::PingEcho(connection::PingEcho {
            monotonic_ms: 1,
            load: [2, 3, 4],
            latency_ms: 5,
            sid: Some("x".to_owned()),
        })),
        ClientPacket::Connection(connection::ToServer::InfoRequest),
        ClientPacket::Connection(connection::ToServer::StopServer),
        ClientPacket::Connection(connection::ToServer::ExitServer),
        ClientPacket::Connection(connection::ToServer::Start {
            name: "xterm".to_owned(),
            command: "xterm -T x".to_owned(),
            ignored: false,
        }),
        ClientPacket::Display(display::ToServer::Configure {
            width: 8,
            height: 9,
            properties: Dict::default(),
        }),
        ClientPacket::Window(window::ToServer::Map(WindowGeometry { resize_counter: 0, ..geometry(false) })),
        ClientPacket::Window(window::ToServer::Unmap { wid: WID, iconified: false }),
        ClientPacket::Window(window::ToServer::Configure(geometry(false))),
        ClientPacket::Window(window::ToServer::Close { wid: WID }),
        ClientPacket::Window(window::ToServer::Focus {
            wid: Some(WID),
            modifiers: Modifiers::from_names(["mod1"]),
        }),
        ClientPacket::Draw(draw::ToServer::Refresh { wid: WID, quality: 90 }),
        ClientPacket::Draw(draw::ToServer::AllWindows {
            properties: map([("encodings", list!["png"])]),
            refresh: false,
        }),
        ClientPacket::Draw(draw::ToServer::AllWindows {
            properties: map([("encodings", list!["png"])]),
            refresh: true,
        }),
        ClientPacket::Draw(draw::ToServer::Ack(DrawAck {
            wid: WID,
            sequence: DrawSequence(5),
            width: 1,
            height: 2,
            outcome: DrawOutcome::Presented { decode_us: 3 },
        })),
        ClientPacket::Draw(draw::ToServer::EncodingOption { name: "min-speed", value: 3.into() }),
        ClientPacket::Draw(draw::ToServer::EncodingConfig(map([("quality", 3.into())]))),
        ClientPacket::Draw(draw::ToServer::EncodingSet { encoding: "png".to_owned() }),
        ClientPacket::Keyboard(keyboard::ToServer::Event(KeyboardEvent {
            wid: None,
            keyname: "a".to_owned(),
            pressed: false,
            modifiers: Modifiers::from_names(["lock"]),
            keyval: 97,
            string: String::new(),
            keycode: 24,
            group: 2,
        })),
        ClientPacket::Keyboard(keyboard::ToServer::Config(map([("layout", "gb".into())]))),
        ClientPacket::Pointer(pointer::ToServer::Motion(PointerState {
            wid: Some(WID),
            x: 1,
            y: 2,
            modifiers: m1,
            buttons: b1,
        })),
        ClientPacket::Pointer(pointer::ToServer::Button {
            button: 1,
            pressed: true,
            pointer: PointerState { wid: Some(WID), x: 1, y: 2, modifiers: m2, buttons: b2 },
        }),
        ClientPacket::Pointer(pointer::ToServer::Wheel {
            button: 7,
            distance: 9,
            pointer: PointerState { wid: None, x: 1, y: 2, modifiers: m3, buttons: b3 },
        }),
        ClientPacket::Draw(draw::ToServer::BandwidthLimit { bits_per_second: NonZeroU64::new(1_000_000) }),
        ClientPacket::Draw(draw::ToServer::BandwidthLimit { bits_per_second: None }),
        ClientPacket::Pointer(pointer::ToServer::CursorSet { enabled: true }),
        ClientPacket::Window(window::ToServer::BellSet { enabled: true }),
        ClientPacket::Connection(connection::ToServer::Suspend { suspended: true }),
        ClientPacket::Connection(connection::ToServer::Suspend { suspended: false }),
    ]
}

#[test]
fn every_packet_that_is_written_is_read_back_in_every_spelling() {
    for naming in [Naming::Legacy, Naming::V65, Naming::V66] {
        for packet in all() {
            let bytes = written(Dialect::Modern, naming, &packet);
            let read =
                reader(Dialect::Modern).read_client(raw(Dialect::Modern, &bytes).lend()).expect("a packet");
            let read = match read.packet {
                // The legacy form carries a list of screens.
                Some(ClientPacket::Display(display::ToServer::Configure { width, height, .. })) => {
                    Some(ClientPacket::Display(display::ToServer::Configure {
                        width,
                        height,
                        properties: Dict::default(),
                    }))
                }
                // 3.1's form of "resume" and "suspend" have the same arguments.
                other => other,
            };
            assert_eq!(read.as_ref(), Some(&packet), "{naming:?}");
        }
    }
}

/// What Xpra's own clients send beside that.
#[test]
fn other_clients_are_understood() {
    let read = |packet: &Value| {
        let bytes = record(Dialect::Modern, packet);
        reader(Dialect::Modern).read_client(raw(Dialect::Modern, &bytes).lend()).expect("a packet").packet
    };
    let motion = list!["pointer", -1, 0, 7, list![5, 6, 1, 2], map([("modifiers", list!["shift"])])];
    let modifiers = Modifiers::from_names(["shift"]);
    let expected = ClientPacket::Pointer(pointer::ToServer::Motion(PointerState {
        wid: Some(WID),
        x: 5,
        y: 6,
        modifiers,
        buttons: Vec::new(),
    }));
    assert_eq!(read(&motion), Some(expected));
    let refresh = list!["buffer-refresh", -1, 0, 100, map([("refresh-now", true.into())]), Dict::default()];
    assert_eq!(
        read(&refresh),
        Some(ClientPacket::Draw(draw::ToServer::Refresh { wid: WindowId(0), quality: 100 }))
    );
    let configure = list![
        "configure-window",
        7,
        1,
        2,
        3,
        4,
        Dict::default(),
        -1,
        Dict::default(),
        false,
        7,
        list![1, 2],
        list![]
    ];
    let Some(ClientPacket::Window(window::ToServer::Configure(geometry))) = read(&configure) else {
        panic!("no geometry");
    };
    assert_eq!((geometry.x, geometry.height, geometry.resize_counter), (1, 4, 0));
    let display = list!["configure-display", map([("desktop-size", list![80, 60]), ("vrefresh", 60.into())])];
    let properties = map([("vrefresh", 60.into())]);
    assert_eq!(
        read(&display),
        Some(ClientPacket::Display(display::ToServer::Configure { width: 80, height: 60, properties }))
    );
    for name in ["sound-control", "printers", "whatever"] {
        assert_eq!(read(&list![name, 1, "x"]), None);
    }
}
