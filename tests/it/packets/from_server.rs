//! Packets from servers: what 3.1.3, 6.5.5 and 6.6 send, and everything that we write ourselves.

use farpane::buffers::Payload;
use farpane::protocol::packet::connection::{self, Challenge, PingEcho};
use farpane::protocol::packet::display;
use farpane::protocol::packet::draw::{
    self, DrawOptions, Encoding, PixelCompression, RgbFormatName, ScrollRect, WindowDraw,
};
use farpane::protocol::packet::menu::{Application, Category, Menu};
use farpane::protocol::packet::pointer::{self, Cursor};
use farpane::protocol::packet::window::{
    self, WindowBell, WindowCreate, WindowInitiateMoveResize, WindowMoveResize,
};
use farpane::protocol::packet::{Dict, DrawSequence, ShortName, Value, WindowId};
use farpane::protocol::packet::{Image, ServerPacket};
use farpane::protocol::{Dialect, Naming, PacketWriter};

use super::{list, map, raw, reader, record};

const WID: WindowId = WindowId(7);

fn bytes(text: &str) -> Value {
    Value::Bytes(text.as_bytes().to_vec())
}

/// A map as bencode leaves it: keys and texts are bytes.
fn legacy_map<const N: usize>(entries: [(&str, Value); N]) -> Dict {
    Dict(entries.into_iter().map(|(key, value)| (bytes(key), value)).collect())
}

fn read(dialect: Dialect, packet: &Value) -> ServerPacket {
    reader(dialect).read(raw(dialect, &record(dialect, packet)).lend()).expect("a packet").packet
}

#[track_caller]
fn check(packet: Value, expected: &ServerPacket) {
    assert_eq!(&read(Dialect::Modern, &packet), expected, "{packet:?}");
}

/// Packets that have no text in maps, so that bencode tells them as well.
#[track_caller]
fn check_both(packet: Value, expected: &ServerPacket) {
    assert_eq!(&read(Dialect::Legacy31, &packet), expected, "{packet:?}");
    check(packet, expected);
}

fn create(override_redirect: bool, tray: bool, metadata: Dict) -> ServerPacket {
    let (x, y) = if tray { (0, 0) } else { (-5, 20) };
    let client_properties = Dict::default();
    ServerPacket::Window(window::FromServer::Create(WindowCreate {
        wid: WID,
        x,
        y,
        width: 300,
        height: 200,
        metadata,
        client_properties,
        override_redirect,
        tray,
    }))
}

#[test]
fn windows() {
    let none = || Value::from(Dict::default());
    for name in ["new-window", "window-create"] {
        check_both(list![name, 7, -5, 20, 300, 200, none(), none()], &create(false, false, Dict::default()));
        check_both(list![name, 7, -5, 20, 300, 200, none()], &create(false, false, Dict::default()));
    }
    check_both(
        list!["new-override-redirect", 7, -5, 20, 300, 200, none(), none()],
        &create(true, false, Dict::default()),
    );
    let popup = map([("override-redirect", true.into()), ("title", "menu".into())]);
    check(list!["window-create", 7, -5, 20, 300, 200, popup.clone(), none()], &create(true, false, popup));
    check_both(list!["new-tray", 7, 300, 200, none()], &create(false, true, Dict::default()));
    let title = list!["new-window", 7, -5, 20, 300, 200, legacy_map([("title", bytes("é"))]), none()];
    let ServerPacket::Window(window::FromServer::Create(window)) = read(Dialect::Legacy31, &title) else {
        panic!("no window");
    };
    assert_eq!(window.metadata.str("title"), Some("é"));

    let moved = |resize_counter| {
        let (x, y, width, height) = (1, 2, 3, 4);
        ServerPacket::Window(window::FromServer::MoveResize(WindowMoveResize {
            wid: WID,
            x,
            y,
            width,
            height,
            resize_counter,
        }))
    };
    check_both(list!["window-move-resize", 7, 1, 2, 3, 4, 9], &moved(9));
    check_both(list!["configure-override-redirect", 7, 1, 2, 3, 4], &moved(0));
    let resized = ServerPacket::Window(window::FromServer::Resized {
        wid: WID,
        width: 3,
        height: 4,
        resize_counter: 2,
    });
    check_both(list!["window-resized", 7, 3, 4, 2], &resized);
    for name in ["lost-window", "window-destroy"] {
        check_both(list![name, 7], &ServerPacket::Window(window::FromServer::Destroy { wid: WID }));
    }
    for name in ["raise-window", "window-raise"] {
        check_both(list![name, 7], &ServerPacket::Window(window::FromServer::Raise { wid: WID }));
    }
    for name in ["eos", "window-eos"] {
        check_both(list![name, 7], &ServerPacket::Draw(draw::FromServer::EndOfStream { wid: WID }));
    }
    for name in ["pointer-grab", "window-grab"] {
        check_both(list![name, 7], &ServerPacket::Pointer(pointer::FromServer::Grab { wid: WID }));
    }
    for name in ["pointer-ungrab", "window-ungrab"] {
        check_both(list![name, -1], &ServerPacket::Pointer(pointer::FromServer::Ungrab { wid: None }));
    }
    for name in ["restack-window", "window-restack"] {
        let restack = ServerPacket::Window(window::FromServer::Restack { wid: WID, detail: 1, sibling: 0 });
        check_both(list![name, 7, 1, 0], &restack);
    }
    for name in ["initiate-moveresize", "window-initiate-moveresize"] {
        let start =
            WindowInitiateMoveResize { wid: WID, root_x: 1, root_y: 2, direction: 8, button: 1, source: 1 };
        check_both(
            list![name, 7, 1, 2, 8, 1, 1],
            &ServerPacket::Window(window::FromServer::InitiateMoveResize(start)),
        );
    }
    for name in ["bell", "window-bell"] {
        let bell =
            WindowBell { wid: None, percent: 50, pitch: -1, duration_ms: 100, name: "ding".to_owned() };
        check_both(
            list![name, 0, 0, 50, -1, 100, 0, 0, "ding"],
            &ServerPacket::Window(window::FromServer::Bell(bell)),
        );
    }
    let icon = |encoding: &str, data: Vec<u8>| Image {
        width: 32,
        height: 32,
        encoding: encoding.to_owned(),
        rowstride: 0,
        data: Payload::from(data),
    };
    check_both(
        list!["window-icon", 7, 32, 32, "png", vec![1u8, 2]],
        &ServerPacket::Window(window::FromServer::Icon { wid: WID, image: icon("png", vec![1, 2]) }),
    );
    check_both(
        list!["window-icon", 7, 32, 32, "default", ""],
        &ServerPacket::Window(window::FromServer::Icon { wid: WID, image: icon("default", vec![]) }),
    );
}

#[test]
fn session() {
    for name in ["disconnect", "connection-close"] {
        let reasons = vec!["authentication failed".to_owned(), "bye".to_owned()];
        let close = ServerPacket::Connection(connection::FromServer::Close { reasons });
        check_both(list![name, "authentication failed", "bye"], &close);
        check_both(list![name, list!["authentication failed", "bye"]], &close);
    }
    let ping = |sid: Option<&str>| {
        ServerPacket::Connection(connection::FromServer::Ping {
            monotonic_ms: 123,
            sid: sid.map(str::to_owned),
        })
    };
    check_both(list!["ping", 123], &ping(None));
    check_both(list!["ping", 123, 1_700_000_000_000i64], &ping(None));
    check_both(list!["ping", 123, 1_700_000_000_000i64, "abc"], &ping(Some("abc")));
    check_both(list!["ping", 123, "abc"], &ping(Some("abc")));
    for name in ["ping_echo", "ping-echo"] {
        let echo = PingEcho { monotonic_ms: 5, load: [1, 2, 3], latency_ms: -1, sid: None };
        check_both(
            list![name, 5, 1, 2, 3, -1, ""],
            &ServerPacket::Connection(connection::FromServer::PingEcho(echo.clone())),
        );
        check_both(
            list![name, 5, 1, 2, 3, -1],
            &ServerPacket::Connection(connection::FromServer::PingEcho(echo)),
        );
    }
    // 3.1 sends an empty text where it has no capabilities.
    let challenge = Challenge {
        salt: b"salt".to_vec(),
        auth_caps: Dict::default(),
        digest: "hmac+sha512".to_owned(),
        salt_digest: "hmac+sha256".to_owned(),
        prompt: Some("password".to_owned()),
    };
    check_both(
        list!["challenge", b"salt".to_vec(), "", "hmac+sha512", "hmac+sha256", "password"],
        &ServerPacket::Connection(connection::FromServer::Challenge(challenge.clone())),
    );
    let without_prompt = Challenge { prompt: None, salt_digest: "xor".to_owned(), ..challenge };
    check_both(
        list!["challenge", "salt", Dict::default(), "hmac+sha512"],
        &ServerPacket::Connection(connection::FromServer::Challenge(without_prompt)),
    );
    check_both(list!["startup-complete"], &ServerPacket::Connection(connection::FromServer::StartupComplete));
    for name in ["server-event", "events"] {
        let event = ServerPacket::Connection(connection::FromServer::ServerEvent {
            name: "exit".to_owned(),
            values: vec![1.into(), 2.into()],
        });
        check_both(list![name, "exit", 1, 2], &event);
    }
    for name in ["encodings", "encoding-set"] {
        check_both(
            list![name, Dict::default()],
            &ServerPacket::Draw(draw::FromServer::Encodings(Dict::default())),
        );
    }
    let (width, height, max_width, max_height) = (1024, 768, 3840, 2160);
    for name in ["desktop_size", "display-resized"] {
        let resized =
            ServerPacket::Display(display::FromServer::Resized { width, height, max_width, max_height });
        check_both(list![name, 1024, 768, 3840, 2160], &resized);
    }
    let position = ServerPacket::Pointer(pointer::FromServer::Position { wid: Some(WID), x: -1, y: 2 });
    check_both(list!["pointer-position", 7, -1, 2, 0, 0], &position);
    for name in ["sound-data", "notify_show", "notification-show", "webcam-stop"] {
        let packet = read(Dialect::Modern, &list![name, 1, 2, 3]);
        assert!(matches!(packet, ServerPacket::Ignored { name: ignored } if ignored == name), "{packet:?}");
    }
    check(list!["launch-missiles", 1], &ServerPacket::Unknown { name: "launch-missiles".to_owned() });
}

#[test]
fn cursors() {
    let cursor = |encoding: &str| {
        ServerPacket::Pointer(pointer::FromServer::Cursor(Cursor {
            encoding: encoding.to_owned(),
            width: 16,
            height: 24,
            hotspot_x: 3,
            hotspot_y: 4,
            serial: 99,
            data: Payload::from(vec![1, 2, 3]),
            name: "xterm".to_owned(),
        }))
    };
    let data = || vec![1u8, 2, 3];
    check_both(list!["cursor", "png", 0, 0, 16, 24, 3, 4, 99, data(), "xterm", 24, 64, 64], &cursor("png"));
    check_both(list!["cursor-data", "raw", 16, 24, 3, 4, 99, data(), "xterm"], &cursor("raw"));
    check_both(list!["cursor", ""], &ServerPacket::Pointer(pointer::FromServer::DefaultCursor));
    check_both(list!["cursor-default"], &ServerPacket::Pointer(pointer::FromServer::DefaultCursor));
    let default = list!["cursor", "default:png", 0, 0, 16, 24, 3, 4, 99, data(), "xterm"];
    check_both(default, &ServerPacket::Pointer(pointer::FromServer::DefaultCursorShape));
}

fn draw(encoding: Encoding, data: &[u8], options: DrawOptions) -> ServerPacket {
    ServerPacket::Draw(draw::FromServer::Draw(WindowDraw {
        wid: WID,
        x: 10,
        y: 20,
        width: 640,
        height: 480,
        encoding,
        data: Payload::from(data.to_vec()),
        sequence: DrawSequence(17),
        rowstride: 2560,
        options,
    }))
}

fn draw_packet(name: &str, encoding: &str, data: Value, options: Dict) -> Value {
    list![name, 7, 10, 20, 640, 480, encoding, data, 17, 2560, options]
}

#[test]
fn draws() {
    let pixels = || Value::Bytes(vec![1, 2, 3, 4]);
    for name in ["draw", "window-draw"] {
        let options =
            DrawOptions { rgb_format: Some(RgbFormatName::Bgrx), flush: 3, ..DrawOptions::default() };
        let lz4 = DrawOptions { pixel_compression: PixelCompression::Lz4, ..options.clone() };
        let modern =
            [("rgb_format", "BGRX".into()), ("flush", 3.into()), ("lz4", 1.into()), ("encoder", "x".into())];
        check(draw_packet(name, "rgb32", pixels(), map(modern)), &draw(Encoding::Rgb32, &[1, 2, 3, 4], lz4));
        let zlib = DrawOptions { pixel_compression: PixelCompression::Zlib, ..options };
        let legacy =
            [("rgb_format", bytes("BGRX")), ("flush", 3.into()), ("zlib", 1.into()), ("lz4", 0.into())];
        let packet = draw_packet(name, "rgb32", pixels(), legacy_map(legacy));
        let expected = draw(Encoding::Rgb32, &[1, 2, 3, 4], zlib);
        assert_eq!(read(Dialect::Legacy31, &packet), expected);
    }
    // An unknown compressor's pixels are never taken for pixels.
    for (name, compression) in [
        ("zstd", PixelCompression::Zstd),
        ("lzo", PixelCompression::Other),
        ("brotli", PixelCompression::Other),
        ("snappy", PixelCompression::Other),
    ] {
        let options = DrawOptions { pixel_compression: compression, ..DrawOptions::default() };
        let packet = draw_packet("draw", "rgb32", pixels(), map([(name, 3.into())]));
        assert_eq!(read(Dialect::Modern, &packet), draw(Encoding::Rgb32, &[1, 2, 3, 4], options), "{name}");
        let none = draw_packet("draw", "rgb32", pixels(), map([(name, 0.into())]));
        assert_eq!(
            read(Dialect::Modern, &none),
            draw(Encoding::Rgb32, &[1, 2, 3, 4], DrawOptions::default())
        );
    }
    let video = DrawOptions {
        csc: ShortName::new("YUV420P"),
        frame: Some(3),
        frame_type: ShortName::new("IDR"),
        scaled_size: Some((320, 240)),
        full_range: Some(true),
        quality: Some(80),
        window_size: Some((640, 480)),
        paint: Some(false),
        delayed: 2,
        ..DrawOptions::default()
    };
    let options = map([
        ("csc", "YUV420P".into()),
        ("frame", 3.into()),
        ("type", "IDR".into()),
        ("scaled_size", list![320, 240]),
        ("full-range", true.into()),
        ("quality", 80.into()),
        ("window-size", list![640, 480]),
        ("paint", false.into()),
        ("delayed", 2.into()),
    ]);
    check(draw_packet("draw", "h264", pixels(), options), &draw(Encoding::H264, &[1, 2, 3, 4], video));
    check(
        draw_packet("draw", "avif", pixels(), Dict::default()),
        &draw(Encoding::Other, &[1, 2, 3, 4], DrawOptions::default()),
    );
    let unknown = DrawOptions { rgb_format: Some(RgbFormatName::Other), ..DrawOptions::default() };
    check(
        draw_packet("draw", "rgb32", pixels(), map([("rgb_format", "XYZ".into())])),
        &draw(Encoding::Rgb32, &[1, 2, 3, 4], unknown),
    );
}

/// 3.1.3 and 6.5 put the rectangles where pixels are; 6.6 in the options, or in both.
#[test]
fn scroll_draws() {
    let rect = |dy: i32| list![0, 16, 640, 464, 0, dy];
    let expected = |flush| {
        let scroll = vec![
            ScrollRect { x: 0, y: 16, width: 640, height: 464, dx: 0, dy: -16 },
            ScrollRect { x: 0, y: 16, width: 640, height: 464, dx: 0, dy: 3 },
        ];
        draw(Encoding::Scroll, &[], DrawOptions { scroll, flush, ..DrawOptions::default() })
    };
    let rects = || list![rect(-16), rect(3)];
    check_both(draw_packet("draw", "scroll", rects(), Dict::default()), &expected(0));
    let legacy = draw_packet("draw", "scroll", rects(), legacy_map([("flush", 1.into())]));
    assert_eq!(read(Dialect::Legacy31, &legacy), expected(1));
    let options = || map([("scroll", rects())]);
    check(draw_packet("window-draw", "scroll", Value::Bytes(vec![]), options()), &expected(0));
    check(draw_packet("draw", "scroll", rects(), options()), &expected(0));
}

/// One of each packet that can be written.
fn all() -> Vec<ServerPacket> {
    let (width, height, max_width, max_height) = (1024, 768, 3840, 2160);
    let image = Image {
        width: 8,
        height: 9,
        encoding: "png".to_owned(),
        rowstride: 0,
        data: Payload::from(vec![1, 2]),
    };
    let scroll = vec![ScrollRect { x: 0, y: 1, width: 2, height: 3, dx: 4, dy: -5 }];
    vec![
        ServerPacket::Connection(connection::FromServer::Hello(map([("version", "6.5.5".into())]))),
        ServerPacket::Connection(connection::FromServer::Challenge(Challenge {
            salt: vec![1, 255],
            auth_caps: map([("module", "env".into())]),
            digest: "hmac+sha512".to_owned(),
            salt_digest: "xor".to_owned(),
            prompt: Some("password".to_owned()),
        })),
        ServerPacket::Connection(connection::FromServer::Close {
            reasons: vec!["a".to_owned(), "b".to_owned()],
        }),
        ServerPacket::Connection(connection::FromServer::Ping { monotonic_ms: 1, sid: None }),
        ServerPacket::Connection(connection::FromServer::Ping { monotonic_ms: 1, sid: Some("s".to_owned()) }),
        ServerPacket::Connection(connection::FromServer::PingEcho(PingEcho {
            monotonic_ms: 9,
            load: [1, 2, 3],
            latency_ms: -1,
            sid: None,
        })),
        ServerPacket::Connection(connection::FromServer::StartupComplete),
        ServerPacket::Connection(connection::FromServer::SettingChange {
            name: "bell".to_owned(),
            value: true.into(),
        }),
        ServerPacket::Connection(connection::FromServer::Menu(Menu {
            categories: vec![Category {
                name: "Tools".to_owned(),
                applications: vec![Application { name: "é".to_owned(), command: "true %u".to_owned() }],
            }],
        })),
        ServerPacket::Connection(connection::FromServer::ServerEvent {
            name: "x".to_owned(),
            values: vec![1.into()],
        }),
        ServerPacket::Connection(connection::FromServer::Control {
            command: "quit".to_owned(),
            arguments: vec!["now".into()],
        }),
        ServerPacket::Connection(connection::FromServer::InfoResponse(map([(
            "a",
            map([("b", 1.into())]).into(),
        )]))),
        ServerPacket::Draw(draw::FromServer::Encodings(map([("encodings", list!["png"])]))),
        ServerPacket::Display(display::FromServer::Resized { width, height, max_width, max_height }),
        ServerPacket::Display(display::FromServer::Screenshot(Image { rowstride: 32, ..image.clone() })),
        ServerPacket::Display(display::FromServer::ShowDesktop { show: true }),
        create(false, false, map([("title", "t".into())])),
        create(false, true, map([("tray", true.into())])),
        create(true, false, map([("override-redirect", true.into())])),
        ServerPacket::Window(window::FromServer::Metadata {
            wid: WID,
            metadata: map([("title", "t".into())]),
        }),
        ServerPacket::Window(window::FromServer::MoveResize(WindowMoveResize {
            wid: WID,
            x: -1,
            y: 2,
            width: 3,
            height: 4,
            resize_counter: 5,
        })),
        ServerPacket::Window(window::FromServer::Resized {
            wid: WID,
            width: 3,
            height: 4,
            resize_counter: 6,
        }),
        ServerPacket::Window(window::FromServer::Raise { wid: WID }),
        ServerPacket::Window(window::FromServer::Restack { wid: WID, detail: 1, sibling: 2 }),
        ServerPacket::Window(window::FromServer::InitiateMoveResize(WindowInitiateMoveResize {
            wid: WID,
            root_x: 1,
            root_y: -2,
            direction: 8,
            button: 1,
            source: 1,
        })),
        ServerPacket::Window(window::FromServer::Destroy { wid: WID }),
        ServerPacket::Window(window::FromServer::Icon { wid: WID, image }),
        draw(Encoding::Jpeg, &[9; 5000], DrawOptions { quality: Some(9), ..DrawOptions::default() }),
        draw(
            Encoding::Rgb32,
            &[9; 50],
            DrawOptions { rgb_format: Some(RgbFormatName::R210), ..DrawOptions::default() },
        ),
        draw(Encoding::Scroll, &[], DrawOptions { scroll, ..DrawOptions::default() }),
        ServerPacket::Draw(draw::FromServer::EndOfStream { wid: WID }),
        ServerPacket::Window(window::FromServer::Bell(WindowBell {
            wid: Some(WID),
            percent: 1,
            pitch: 2,
            duration_ms: 3,
            name: "n".to_owned(),
        })),
        ServerPacket::Pointer(pointer::FromServer::Grab { wid: WID }),
        ServerPacket::Pointer(pointer::FromServer::Ungrab { wid: Some(WID) }),
        ServerPacket::Pointer(pointer::FromServer::Position { wid: Some(WID), x: 1, y: -2 }),
        ServerPacket::Pointer(pointer::FromServer::Cursor(Cursor {
            encoding: "png".to_owned(),
            width: 1,
            height: 2,
            hotspot_x: 0,
            hotspot_y: 1,
            serial: 4,
            data: Payload::from(vec![1]),
            name: "c".to_owned(),
        })),
        ServerPacket::Pointer(pointer::FromServer::DefaultCursor),
        ServerPacket::Ignored { name: "sound-data" },
        ServerPacket::Unknown { name: "what".to_owned() },
    ]
}

#[test]
fn every_packet_that_is_written_is_read_back_in_every_spelling() {
    for naming in [Naming::Legacy, Naming::V65, Naming::V66] {
        for chunks in [true, false] {
            for packet in all() {
                let mut writer = PacketWriter::new(Dialect::Modern);
                writer.set_naming(naming);
                let records = writer.write_server(&packet, chunks);
                assert!(chunks || records.data.is_none());
                let data = records.data.as_deref().unwrap_or_default();
                let stream = [&records.head[..], data, &records.tail].concat();
                let read =
                    reader(Dialect::Modern).read(raw(Dialect::Modern, &stream).lend()).expect("a packet");
                // A tray is named by its packet or by its metadata; it has no place.
                let read = match (read.packet, &packet) {
                    (ServerPacket::Window(window::FromServer::Create(window)), _) if window.tray => {
                        create(false, true, window.metadata)
                    }
                    (read, _) => read,
                };
                assert_eq!(read, packet, "{naming:?}");
            }
        }
    }
}

/// The menu as both generations send it: what can be started and seen is kept, without icons and within bounds.
#[test]
fn the_menu_is_read_within_bounds() {
    let entry = |exec: &str, more: (&str, Value)| {
        Value::from(map([("Exec", exec.into()), ("IconData", Value::Bytes(vec![7; 5000])), more]))
    };
    let mut entries = map([
        ("Editor", entry("gedit %U", ("Comment", "writes".into()))),
        ("Only a command", map([("command", "/usr/bin/x".into())]).into()),
        ("Terminal's", entry("top", ("Terminal", true.into()))),
        ("Hidden", entry("x", ("NoDisplay", true.into()))),
        ("Two\u{202e}\nlines", entry("x", ("Name", "x".into()))),
        ("Odd", entry("x\n-y", ("Name", "x".into()))),
        ("Long", entry(&"x".repeat(5000), ("Name", "x".into()))),
        ("Nothing", Value::Int(3)),
    ]);
    let menu = |entries: &Dict| {
        let category = map([("Entries", entries.clone().into()), ("IconData", Value::Bytes(vec![7; 5000]))]);
        Value::from(map([("Tools", category.into()), ("Empty", map([]).into()), ("Odd", 1.into())]))
    };
    let told = |dialect, name: &str, value: Value| match read(dialect, &list!["setting-change", name, value])
    {
        ServerPacket::Connection(connection::FromServer::Menu(menu)) => menu,
        other => panic!("{other:?}"),
    };
    for (dialect, name) in [(Dialect::Modern, "menu"), (Dialect::Legacy31, "xdg-menu")] {
        let Menu { categories } = told(dialect, name, menu(&entries));
        let [category] = &categories[..] else { panic!("{categories:?}") };
        let kept: Vec<(&str, String)> =
            category.applications.iter().map(|one| (one.name.as_str(), one.command_line())).collect();
        let expected = [("Editor", "gedit"), ("Only a command", "/usr/bin/x"), ("Twolines", "x")];
        assert_eq!(kept, expected.map(|(name, line)| (name, line.to_owned())), "{dialect:?}");
        assert_eq!(told(dialect, name, "".into()), Menu::default());
    }
    for number in 0..5000 {
        entries.push(&format!("number {number}"), map([("Exec", "x".into())]));
    }
    let Menu { categories } = told(Dialect::Modern, "menu", menu(&entries));
    assert_eq!(categories[0].applications.len(), 2000);
}
