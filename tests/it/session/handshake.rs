//! Hello of both generations, what the server's hello means, goodbyes and silence.

use std::time::Duration;

use farpane::geometry::Size;
use farpane::protocol::limits::MAX_HELLO;
use farpane::protocol::packet::connection::{self, Challenge, PingEcho};
use farpane::protocol::packet::draw::{self, Encoding};
use farpane::protocol::packet::keyboard;
use farpane::protocol::packet::window;
use farpane::protocol::packet::{ClientPacket, ServerPacket};
use farpane::protocol::packet::{Dict, Value};
use farpane::protocol::{Bounds, Dialect, PacketWriter};
use farpane::session::ping::{PING_INTERVAL, SERVER_TIMEOUT};
use farpane::session::{
    CloseReason, ConnectionEvent, ConnectionInput, DrawInput, HELLO_TIMEOUT, KeyboardInput, Keymap, Link,
    Output, Profile, Secret, SessionEvent, WindowInput,
};
use farpane::session::{DisplayInfo, Monitor};

use super::{Driver, changed, dict, server_hello, setup};

fn goodbye(reason: &str) -> ServerPacket {
    ServerPacket::Connection(connection::FromServer::Close { reasons: vec![reason.to_owned()] })
}

#[test]
fn hello_to_modern_servers_is_nested() {
    let hello = Driver::started(setup(Dialect::Modern)).hello();
    assert_eq!(hello.strs("encoders"), Some(vec!["rencodeplus"]));
    assert_eq!(hello.strs("compressors"), Some(vec!["lz4", "zstd", "brotli"]), "6.x knows no zlib");
    assert_eq!(hello.bool("chunks"), Some(true));
    let encoding = hello.get("encoding").and_then(Value::as_dict).expect("an encoding map");
    assert!(encoding.strs("core").expect("encodings").contains(&"h264"));
    assert_eq!(encoding.strs("full_csc_modes.h264"), Some(vec!["YUV420P"]));
    let window = hello.get("window").and_then(Value::as_dict).expect("a window map");
    assert_eq!(window.bool("enabled"), Some(true));
    assert!(hello.get_path("display.monitors").is_some());
    assert_eq!(hello.get_path("keymap.keycodes"), None, "keycodes follow after hello");
    let fields = hello.0.iter().filter_map(|(key, _)| key.as_str());
    let mut names: Vec<&str> = fields.collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count, "no key twice");
}

#[test]
fn hello_to_legacy_servers_is_flat() {
    let hello = Driver::started(setup(Dialect::Legacy31)).hello();
    assert_eq!(hello.strs("encoders"), Some(vec!["bencode"]));
    assert_eq!(hello.strs("compressors"), Some(vec!["lz4", "zlib"]));
    assert_eq!(hello.get("encoding.scrolling").and_then(Value::as_bool), Some(true));
    assert_eq!(hello.get("encoding.eos").and_then(Value::as_bool), Some(true));
    assert!(hello.get("encodings.core").is_some());
    let keycodes = hello.get("xkbmap_keycodes").and_then(Value::as_list).expect("keycodes");
    assert!(keycodes.len() > 100, "3.1 refuses to type without keycodes");
    assert!(hello.get("xkbmap_x11_keycodes").is_none(), "the US keymap is nobody's X11 keymap");
}

#[test]
fn scroll_is_kept_from_servers_that_fail_with_it() {
    let offers = |caps: &Dict, path: &str| caps.strs(path).expect("a list").contains(&"scroll");
    let check = |version: &str, expect: bool| {
        let mut driver = Driver::started(setup(Dialect::Modern));
        assert!(!offers(&driver.hello(), "encoding.core"), "nobody knows the version yet");
        driver.packet(ServerPacket::Connection(connection::FromServer::Hello(server_hello(version))));
        let offered = driver.sent().into_iter().any(|packet| match packet {
            ClientPacket::Draw(draw::ToServer::EncodingConfig(caps)) => {
                offers(&caps, "core") && offers(&caps, "options")
            }
            _ => false,
        });
        assert_eq!(offered, expect, "{version}");
    };
    check("6.5", false);
    check("6.5.5-r0", false);
    check("6.6", true);
    check("6.10-r123", true);
    check("7", true);
    check("", false);
    check("nonsense", false);
}

#[test]
fn only_what_is_offered_is_named() {
    let mut setup = setup(Dialect::Modern);
    setup.config.pictures.encodings = vec![Encoding::Png, Encoding::Rgb24, Encoding::Rgb32];
    setup.config.pictures.quality = Some(200);
    let hello = Driver::started(setup).hello();
    assert_eq!(hello.strs("encoding.core"), Some(vec!["png", "rgb24", "rgb32"]));
    assert_eq!(hello.strs("encoding.options"), Some(vec!["png", "rgb"]));
    assert_eq!(hello.get_path("encoding.full_csc_modes"), Some(&Value::Dict(Dict::default())));
    assert_eq!(hello.int("encoding.quality"), Some(100));
    assert_eq!(hello.str("encoding.setting"), Some("auto"));
    // What is not done is not offered: without `restack` servers ask for raises alone, which are done.
    for missing in ["pointer.grabs", "window.grabs", "window.restack"] {
        assert_eq!(hello.get_path(missing), None, "{missing}");
    }
}

/// A preferred encoding is a shorter list: told as such, servers answer with plain pixels.
#[test]
fn a_preferred_encoding_is_offered_with_what_it_needs() {
    let check = |preferred: &str, core: &[&str], setting: &str| {
        let with = |dialect| {
            let mut setup = setup(dialect);
            setup.config.pictures.preferred = Some(preferred.to_owned());
            Driver::started(setup).hello()
        };
        let modern = with(Dialect::Modern);
        assert_eq!(modern.strs("encoding.core").as_deref(), Some(core), "{preferred}");
        assert_eq!(modern.str("encoding.setting"), Some(setting), "{preferred}");
        let legacy = with(Dialect::Legacy31);
        assert_eq!(legacy.strs("encodings.core").as_deref(), Some(core), "{preferred}");
        assert_eq!(legacy.get("encoding").and_then(Value::as_str), Some(setting), "{preferred}");
        let scrolls = legacy.get("encoding.scrolling").and_then(Value::as_bool);
        assert_eq!(scrolls, Some(preferred == "grayscale"), "{preferred}");
    };
    check("png", &["png", "png/P"], "auto");
    check("png/P", &["png/P", "rgb24", "rgb32"], "auto");
    check("png/L", &["png/L", "png"], "png/L");
    check("rgb", &["rgb24", "rgb32"], "auto");
    check("jpeg", &["jpeg", "rgb24", "rgb32"], "auto");
    check("webp", &["webp", "rgb24", "rgb32"], "auto");
    let all = ["h264", "webp", "png", "png/P", "png/L", "rgb24", "rgb32", "jpeg"];
    check("h264", &["h264", "png", "rgb24", "rgb32"], "auto");
    check("grayscale", &all, "grayscale");
}

#[test]
fn another_encoding_is_offered_to_all_windows() {
    let check = |dialect, names: &[&str]| {
        let mut driver = Driver::running(setup(dialect));
        driver.input(DrawInput::EncodingOption { name: "quality", value: 55 }).take();
        let sent = driver.input(DrawInput::PreferEncoding(Some("png".to_owned()))).sent();
        let core = |caps: &Dict, key: &str| caps.get(key).and_then(Value::as_list).map(<[Value]>::len);
        let said = sent.iter().map(|packet| match packet {
            ClientPacket::Draw(draw::ToServer::AllWindows { properties, refresh }) => {
                assert_eq!(core(properties, "encodings.core"), Some(2));
                if *refresh { "refreshed" } else { "changed" }
            }
            ClientPacket::Draw(draw::ToServer::EncodingConfig(caps)) => {
                assert_eq!((core(caps, "core"), caps.int("quality")), (Some(2), Some(55)));
                "config"
            }
            ClientPacket::Draw(draw::ToServer::EncodingSet { encoding }) => {
                assert_eq!(encoding, "auto");
                "set"
            }
            other => panic!("{other:?}"),
        });
        assert_eq!(said.collect::<Vec<_>>(), names);
        // and to those that come later
        let wid = driver.window(5, 0, 0, 90, 80);
        let sent = driver.input(WindowInput::Mapped { wid, x: 0, y: 0, size: super::size(90, 80) }).sent();
        let [ClientPacket::Window(window::ToServer::Map(map))] = &sent[..] else { panic!("{sent:?}") };
        assert_eq!(core(&map.client_properties, "encodings.core"), Some(2));
    };
    check(Dialect::Modern, &["changed", "config", "refreshed"]);
    check(Dialect::Legacy31, &["changed", "set"]);
}

#[test]
fn the_fonts_resolution_has_no_name() {
    let mut setup = setup(Dialect::Modern);
    setup.local.display.dpi = 144;
    let hello = Driver::started(setup).hello();
    let dpi = hello.get("display").and_then(Value::as_dict).and_then(|display| display.get("dpi"));
    let dpi = dpi.and_then(Value::as_dict).expect("a map");
    assert_eq!(["", "x", "y"].map(|key| dpi.get(key).and_then(Value::as_i64)), [Some(144); 3]);
    assert_eq!(hello.get("bandwidth").and_then(Value::as_bool), Some(true));
}

/// 4.x and 5.x answer the modern hello, and understand half of it.
#[test]
fn servers_between_the_generations_are_spoken_to_in_the_old_way() {
    let check = |version: &str, may_speak_legacy: bool, expected: bool| {
        let setup = changed(setup(Dialect::Modern), |setup| setup.peer.may_speak_legacy = may_speak_legacy);
        let mut driver = Driver::started(setup);
        driver.take();
        let hello = ServerPacket::Connection(connection::FromServer::Hello(server_hello(version)));
        assert_eq!(driver.session.will_speak_legacy(&hello), expected, "{version}");
        let out = driver.packet(hello).take();
        let last = out.last().expect("something");
        assert_eq!(matches!(last, Output::SpeakLegacy), expected, "{version}: {out:?}");
        let goodbye =
            matches!(out[0], Output::Send(ClientPacket::Connection(connection::ToServer::Close { .. })));
        assert_eq!(goodbye, expected, "{version}: {out:?}");
    };
    for version in ["4.4.6", "5.1.6", "5.1.6-r34"] {
        check(version, true, true);
        check(version, false, false);
    }
    for version in ["6.0", "6.5.5", "6.6", ""] {
        check(version, true, false);
    }
}

#[test]
fn the_keymap_follows_hello_where_it_did_not_fit() {
    let mut driver = Driver::started(setup(Dialect::Modern));
    driver.packet(ServerPacket::Connection(connection::FromServer::Hello(server_hello("6.5"))));
    let keymaps: Vec<Dict> = keymaps(&mut driver);
    assert_eq!(keymaps.len(), 1);
    assert!(keymaps[0].get("keycodes").and_then(Value::as_list).expect("keycodes").len() > 100);
    assert!(keymaps[0].get("x11_keycodes").is_none());

    let german = Keymap { layout: "de".to_owned(), ..Keymap::default() };
    driver.input(KeyboardInput::KeymapChanged(Box::new(german.clone())));
    let told = self::keymaps(&mut driver);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].str("layout"), Some("de"));
    assert!(told[0].get("x11_keycodes").is_some(), "the local X server's own map");
    driver.input(KeyboardInput::KeymapChanged(Box::new(german)));
    assert!(driver.sent().is_empty(), "nothing changed");
}

fn keymaps(driver: &mut Driver) -> Vec<Dict> {
    let keymap = |packet| match packet {
        ClientPacket::Keyboard(keyboard::ToServer::Config(keymap)) => Some(keymap),
        _ => None,
    };
    driver.sent().into_iter().filter_map(keymap).collect()
}

#[test]
fn the_servers_hello_is_understood_in_both_forms() {
    let check = |hello: Dict, dialect: Dialect, expect: [&str; 6]| {
        let mut driver = Driver::started(setup(dialect));
        driver.take();
        let outputs = driver.packet(ServerPacket::Connection(connection::FromServer::Hello(hello))).take();
        assert!(matches!(outputs[0], Output::Established { bounds } if bounds.packet_bytes() >= 16 << 20));
        let Some(Output::Event(SessionEvent::Connection(ConnectionEvent::Connected(info)))) = outputs.get(1)
        else {
            panic!("no Connected in {outputs:?}");
        };
        let got = [&info.version, &info.session_name, &info.platform, &info.mode, &info.display, &info.wire];
        assert_eq!(got.map(String::as_str), expect);
    };
    let modern = dict(&[
        ("version", "6.5".into()),
        ("session_name", "work".into()),
        ("platform", dict(&[("name", "Linux Debian".into())]).into()),
        ("session-type", "seamless".into()),
        ("display", dict(&[("name", ":7".into())]).into()),
        ("compressors", (&["lz4", "brotli", "none"][..]).into()),
    ]);
    let expect = ["6.5", "work", "Linux Debian", "seamless", ":7", "rencodeplus+lz4"];
    check(modern, Dialect::Modern, expect);
    let legacy = dict(&[
        ("version", Value::Bytes(b"3.1.3".into())),
        ("session_name", Value::Bytes(b"old".into())),
        ("platform", Value::Bytes(b"linux".into())),
        ("server.mode", Value::Bytes(b"GTK3 X11".into())),
        ("desktop", true.into()),
        ("display", Value::Bytes(b":110".into())),
        ("lz4", false.into()),
        ("zlib", true.into()),
    ]);
    check(legacy, Dialect::Legacy31, ["3.1.3", "old", "linux", "desktop", ":110", "bencode+zlib"]);
}

#[test]
fn larger_desktops_allow_larger_records_within_reason() {
    let check = |mode: &str, width: i64, height: i64, expect: (u32, u32)| {
        let mut driver = Driver::started(setup(Dialect::Modern));
        let mut hello = server_hello("6.5");
        hello.push("session-type", mode);
        hello.push("actual_desktop_size", vec![Value::Int(width), Value::Int(height)]);
        let outputs = driver.packet(ServerPacket::Connection(connection::FromServer::Hello(hello))).take();
        let limit = outputs.iter().find_map(|output| match output {
            Output::Established { bounds } => Some(*bounds),
            _ => None,
        });
        assert_eq!(limit, Some(Bounds::of_desktop(expect.0, expect.1)), "{mode} {width} x {height}");
    };
    let Size { width, height } = setup(Dialect::Modern).local.display.size;
    check("desktop", 0, 0, (width, height));
    check("desktop", -5, i64::MAX, (width, height));
    check("desktop", 7680, 4320, (7680, 4320));
    check("shadow", 800, 2000, (width, 2000));
    check("shadow", i64::from(u32::MAX), i64::from(u32::MAX), (u32::MAX, u32::MAX));
    // Of a server that shows windows one by one only the local desktop counts.
    check("seamless", 7680, 4320, (width, height));
    let most = Bounds::of_desktop(u32::MAX, u32::MAX);
    assert_eq!(most.packet_bytes(), Bounds::of_desktop(7680, 4320).packet_bytes());
}

#[test]
fn goodbyes_mean_what_they_say() {
    let check = |before_hello: bool, words: &str, expect: CloseReason| {
        let setup = setup(Dialect::Modern);
        let mut driver = if before_hello { Driver::started(setup) } else { Driver::running(setup) };
        assert_eq!(driver.packet(goodbye(words)).closed(), expect);
    };
    check(
        true,
        "authentication failed",
        CloseReason::Authentication("the server refused the login: authentication failed".to_owned()),
    );
    check(true, "server error: \u{7}x", CloseReason::Server("server error: x".to_owned()));
    check(false, "server shutdown", CloseReason::Server("server shutdown".to_owned()));
    check(false, "password changed", CloseReason::Server("password changed".to_owned()));
    check(false, "", CloseReason::Server("no reason given".to_owned()));
    check(false, &"x".repeat(5000), CloseReason::Server("x".repeat(300)));
    let mut driver = Driver::started(setup(Dialect::Modern));
    driver.packet(goodbye("cannot proceed without 'xor' digest support"));
    let CloseReason::Authentication(words) = driver.closed() else { panic!("not about the login") };
    assert!(words.contains("ssl://"), "{words}");
}

#[test]
fn leaving_says_goodbye_once() {
    let mut driver = Driver::running(setup(Dialect::Modern));
    let outputs = driver.input(ConnectionInput::Disconnect).take();
    assert!(matches!(outputs[0], Output::Send(ClientPacket::Connection(connection::ToServer::Close { .. }))));
    assert!(matches!(outputs[1], Output::Close(CloseReason::User)));
    driver.input(ConnectionInput::Disconnect).packet(goodbye("too late")).pass(Duration::from_secs(100));
    assert!(driver.take().is_empty());
    assert_eq!(driver.session.next_timeout(), None);
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let mut driver = Driver::started(setup(Dialect::Modern));
    driver.take();
    driver.pass(HELLO_TIMEOUT - Duration::from_millis(1));
    assert!(driver.take().is_empty());
    assert!(matches!(driver.pass(Duration::from_millis(1)).closed(), CloseReason::Timeout(_)));
}

#[test]
fn windows_before_hello_break_the_protocol() {
    let mut driver = Driver::started(setup(Dialect::Modern));
    driver.packet(super::create(1, 0, 0, 10, 10, Dict::default()));
    assert!(matches!(driver.closed(), CloseReason::Protocol(_)));
}

#[test]
fn pings_measure_and_answer() {
    let mut driver = Driver::running(setup(Dialect::Modern));
    driver.pass(Duration::ZERO);
    let sent = driver.sent();
    let [ClientPacket::Connection(connection::ToServer::Ping { monotonic_ms })] = sent[..] else {
        panic!("no ping but {sent:?}")
    };
    driver.now += Duration::from_micros(2500);
    let echo = PingEcho { monotonic_ms, load: [0; 3], latency_ms: -1, sid: None };
    let events =
        driver.packet(ServerPacket::Connection(connection::FromServer::PingEcho(echo.clone()))).events();
    assert!(
        matches!(events[..], [SessionEvent::Connection(ConnectionEvent::Latency(latency))] if latency == Duration::from_micros(2500))
    );
    assert!(
        driver.packet(ServerPacket::Connection(connection::FromServer::PingEcho(echo))).take().is_empty(),
        "one answer a ping"
    );

    driver.packet(ServerPacket::Connection(connection::FromServer::Ping {
        monotonic_ms: 77,
        sid: Some("s".to_owned()),
    }));
    let expect = ClientPacket::Connection(connection::ToServer::PingEcho(connection::PingEcho {
        monotonic_ms: 77,
        load: [0; 3],
        latency_ms: 2,
        sid: Some("s".to_owned()),
    }));
    assert_eq!(driver.sent(), [expect]);
}

#[test]
fn silence_ends_the_session_and_any_word_prevents_it() {
    let mut driver = Driver::running(setup(Dialect::Modern));
    let mut waited = Duration::ZERO;
    while waited < SERVER_TIMEOUT * 3 {
        driver.pass(PING_INTERVAL).packet(ServerPacket::Connection(connection::FromServer::StartupComplete));
        waited += PING_INTERVAL;
    }
    driver.take();
    let mut waited = Duration::ZERO;
    while driver.session.next_timeout().is_some() {
        assert!(waited <= SERVER_TIMEOUT + PING_INTERVAL, "still waiting after {waited:?}");
        driver.pass(PING_INTERVAL);
        waited += PING_INTERVAL;
    }
    assert!(matches!(driver.closed(), CloseReason::Timeout(_)));
}

#[test]
fn a_machine_that_slept_does_not_blame_the_server() {
    let mut driver = Driver::running(setup(Dialect::Modern));
    driver.pass(Duration::ZERO).pass(Duration::from_secs(3600));
    assert!(
        driver
            .sent()
            .iter()
            .all(|packet| matches!(packet, ClientPacket::Connection(connection::ToServer::Ping { .. })))
    );
    assert!(driver.session.next_timeout().is_some());
}

#[test]
fn asking_for_information_ends_with_the_answer() {
    let setup = changed(setup(Dialect::Modern), |setup| setup.config.profile = Profile::Info);
    let mut driver = Driver::started(setup);
    assert_eq!(driver.hello().str("request"), Some("info"));
    let deep = dict(&[
        (
            "server",
            dict(&[("pid", 7.into()), ("", "x".into()), ("load", vec![Value::Int(1), Value::Int(2)].into())])
                .into(),
        ),
        ("ok", true.into()),
    ]);
    let outputs = driver.packet(ServerPacket::Connection(connection::FromServer::Hello(deep))).take();
    let Some(Output::Event(SessionEvent::Connection(ConnectionEvent::Info(lines)))) = outputs.first() else {
        panic!("{outputs:?}")
    };
    let lines: Vec<String> = lines.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(lines, ["server.pid=7", "server=x", "server.load=1, 2", "ok=true"]);
    assert!(matches!(outputs.last(), Some(Output::Close(CloseReason::User))));
}

/// A 6.x server that is not backwards compatible reads no more before hello.
#[test]
fn hello_stays_under_16_kib_even_with_many_monitors_and_a_login() {
    let mut setup = setup(Dialect::Modern);
    setup.config.password = Some(Secret::new("x".repeat(200)));
    setup.peer.link = Link { encrypted: true, local: true };
    let monitor = |i: i32| Monitor {
        name: format!("a monitor with a long name {i}"),
        x: i * 3840,
        size: super::size(3840, 2160),
        width_mm: 600,
        height_mm: 340,
        ..Monitor::default()
    };
    setup.local.display = DisplayInfo {
        size: super::size(8192, 4096),
        monitors: (0..40).map(monitor).collect(),
        refresh_hz: 144,
        dpi: 144,
    };
    let mut driver = Driver::started(setup);
    let challenge = Challenge {
        salt: vec![7; 64],
        auth_caps: Dict::default(),
        digest: "xor".to_owned(),
        salt_digest: "hmac+sha512".to_owned(),
        prompt: None,
    };
    driver.packet(ServerPacket::Connection(connection::FromServer::Challenge(challenge)));
    let hello = ClientPacket::Connection(connection::ToServer::Hello(driver.hello()));
    let mut bytes = Vec::new();
    PacketWriter::new(Dialect::Modern).write(&hello, &mut bytes);
    assert!(bytes.len() < MAX_HELLO, "{} bytes", bytes.len());
}
