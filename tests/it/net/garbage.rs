//! A peer that breaks the protocol is left soon, with a goodbye where it can understand one, and what it said
//! neither fills a log nor reaches a screen as it is.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use farpane::buffers::{BufferPool, Payload};
use farpane::channel::clock;
use farpane::protocol::packet::connection;
use farpane::protocol::packet::encode::Encoder;
use farpane::protocol::packet::{ClientPacket, Dict, ServerPacket, Value, WindowId};
use farpane::protocol::record::{Header, MAGIC, RecordKind};
use farpane::protocol::{Dialect, Limits, PacketReader, Reassembler, text};
use farpane::session::CloseReason;
use proptest::prelude::*;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use super::server::window;
use super::task::{Client, tcp_server};

/// Long before the limits of a hello (30 s) or of silence (45 s).
const SOON: Duration = Duration::from_secs(20);

/// How the session ends after hello and these bytes, and what the server is told.
fn after_hello(bytes: &'static [u8]) -> (CloseReason, Option<String>) {
    let told = Arc::new(Mutex::new(None));
    let heard = Arc::clone(&told);
    let (url, server) = tcp_server(move |mut server| {
        server.accept();
        server.send(&window(1));
        server.stream.write_all(bytes).expect("the client reads");
        while let Some(packet) = server.next() {
            if let ClientPacket::Connection(connection::ToServer::Close { reason }) = packet {
                *heard.lock().expect("no panic") = Some(reason);
            }
        }
    });
    let started = clock::now();
    let reason = Client::start(&url, 1 << 20).end();
    server.join().expect("the server is content");
    assert!(started.elapsed() < SOON, "{reason:?} after {:?}", started.elapsed());
    let told = told.lock().expect("no panic").take();
    (reason, told)
}

/// A packet's payload.
fn packed(packet: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    Encoder::new(Dialect::Modern, &mut bytes).value(packet);
    bytes
}

/// The bytes of a main record with this payload.
fn record(payload: &[u8]) -> Vec<u8> {
    let kind = RecordKind::Main { flush: false };
    let mut bytes = Header::encode(kind, Dialect::Modern, 0, payload.len() as u32).to_vec();
    bytes.extend(payload);
    bytes
}

#[test]
fn after_a_good_record_anything_else_is_an_error_at_once() {
    for (bytes, expected) in [
        (&b"text that never ends"[..], "text that never ends"),
        (b"S", "S"),
        (&[0, 1, 2], "00 01 02"),
        // No question of the port any more.
        (&[0, 0, 0], "in the place of a record: 00 00 00"),
        (&[21, 3, 3, 0, 2, 2, 70], "in the place of a record: 15 03 03"),
        (b"HTTP/1.1 502 Bad Gateway\r\n", "in the place of a record: HTTP/1.1 502 Bad Gateway"),
        (b"disconnect: bad packet", "bad packet"),
    ] {
        let (reason, told) = after_hello(bytes);
        assert!(matches!(&reason, CloseReason::Protocol(why) if why.contains(expected)), "{reason:?}");
        if !bytes.starts_with(b"disconnect") {
            let told = told.expect("a goodbye");
            assert!(told.starts_with("protocol error"), "{told}");
        }
    }
}

#[test]
fn what_breaks_the_protocol_is_told_with_a_goodbye() {
    let leaked = |bytes: Vec<u8>| -> &'static [u8] { bytes.leak() };
    let cases: [(&'static [u8], &str); 5] = [
        // Reserved flags.
        (&[MAGIC, 0x40, 0, 0, 0, 0, 0, 1, 0], "flags"),
        (&[MAGIC, 0x10, 0, 0, 0, 0, 0, 0], "empty"),
        (&[MAGIC, 0x10, 0, 0, 0xff, 0, 0, 0], "allowed"),
        (leaked(record(b"no packet")), "rencodeplus"),
        (leaked(record(&packed(&Value::List(vec!["window-create".into(), "x".into()])))), "wid"),
    ];
    for (bytes, expected) in cases {
        let (reason, told) = after_hello(bytes);
        assert!(matches!(&reason, CloseReason::Protocol(why) if why.contains(expected)), "{reason:?}");
        let told = told.unwrap_or_else(|| panic!("no goodbye: {reason:?}"));
        assert!(told.starts_with("protocol error") && told.contains(expected), "{told}");
    }
}

/// A line may come in parts, but not for ever.
#[test]
fn text_before_hello_is_waited_for_one_second() {
    let (url, server) = tcp_server(|mut server| {
        server.stream.write_all(b"who goes the").expect("the client reads");
        while server.next().is_some() {}
    });
    let started = clock::now();
    let reason = Client::start(&url, 1 << 20).end();
    assert!(started.elapsed() >= Duration::from_millis(900), "the rest of the line was waited for");
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    assert!(matches!(&reason, CloseReason::Protocol(why) if why.contains("who goes the")), "{reason:?}");
    server.join().expect("the server is content");

    let (url, server) = tcp_server(|mut server| {
        for part in [&b"who goes"[..], b" there", b" at night\r\n"] {
            server.stream.write_all(part).expect("the client reads");
            std::thread::sleep(Duration::from_millis(150));
        }
    });
    let reason = Client::start(&url, 1 << 20).end();
    let is_whole = |why: &str| why.contains("who goes there at night");
    assert!(matches!(&reason, CloseReason::Protocol(why) if is_whole(why)), "{reason:?}");
    server.join().expect("the server is content");
}

// ---- logs --------------------------------------------------------------------------------------

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What the session logs at this level.
fn logged(level: tracing::Level, packets: impl Iterator<Item = ServerPacket>) -> String {
    use crate::session::{Driver, setup};
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(level).with_ansi(false);
    tracing::subscriber::with_default(subscriber.with_writer(move || writer.clone()).finish(), || {
        let mut driver = Driver::running(setup(farpane::protocol::Dialect::Modern));
        log.0.lock().expect("no panic").clear();
        packets.for_each(|packet| {
            driver.packet(packet).take();
        });
    });
    let bytes = log.0.lock().expect("no panic");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A packet as it comes from the wire.
fn read(packet: &Value) -> Result<ServerPacket, String> {
    let mut reassembler =
        Reassembler::new(Dialect::Modern, Limits::with_max_record(0), BufferPool::default());
    let bytes = record(&packed(packet));
    let mut reader = PacketReader::new(Dialect::Modern, Limits::with_max_record(0), BufferPool::default());
    let mut rest = &bytes[..];
    loop {
        let fed = reassembler.feed(rest, clock::now());
        rest = &rest[fed..];
        if let Some(raw) = reassembler.next_packet().map_err(|error| error.to_string())? {
            return reader.read(raw).map(|incoming| incoming.packet).map_err(|error| error.to_string());
        }
    }
}

#[test]
fn unknown_packets_are_told_once_a_name() {
    let long = "x".repeat(1 << 20);
    let unknown = |name: &str| read(&Value::List(vec![name.into(), 1.into()])).expect("a packet");
    let packets = |count: u64| {
        let names = move |number: u64| {
            if number.is_multiple_of(2) { format!("new-{}", number % 5) } else { format!("n{number}") }
        };
        (0..count).map(move |number| unknown(&names(number)))
    };
    assert_eq!(logged(tracing::Level::INFO, packets(1000)), "", "nothing that a user sees");
    let log = logged(tracing::Level::DEBUG, packets(3000));
    assert_eq!(log.matches("name=\"new-2\"").count(), 1, "{log}");
    assert!(log.lines().count() <= 70, "{} lines", log.lines().count());
    let log = logged(tracing::Level::DEBUG, std::iter::once(unknown(&long)));
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(log.contains(&"x".repeat(64)) && !log.contains(&"x".repeat(65)), "{} characters", log.len());
}

#[test]
fn errors_quote_the_peer_in_short() {
    let long = "window-draw ".repeat(100_000);
    for packet in [
        // Its arguments are wrong; and its name is not shown in full either way.
        Value::List(vec!["window-create".into(), long.as_str().into()]),
        Value::List(vec!["setting-change".into()]),
        Value::List(vec![long.as_str().into()]),
    ] {
        match read(&packet) {
            Ok(packet) => assert!(format!("{packet:?}").len() < 300),
            Err(error) => assert!(error.len() < 300, "{error}"),
        }
    }
    // The chunk has no place in the packet of this name.
    let chunk = Header::encode(
        RecordKind::Chunk(farpane::protocol::record::ChunkIndex::new(9).expect("an index")),
        Dialect::Modern,
        0,
        3,
    );
    let mut bytes = chunk.to_vec();
    bytes.extend(b"abc");
    bytes.extend(record(&packed(&Value::List(vec![long.as_str().into()]))));
    let (reason, told) = after_hello(bytes.leak());
    assert!(reason.to_string().len() < 300 && told.is_some_and(|told| told.len() < 300), "{reason:?}");
}

#[test]
fn an_end_is_told_in_a_bounded_line() {
    let loud = format!("\u{202e}{}\u{1b}[31m", "no ".repeat(50_000));
    let reason = CloseReason::Server(loud).shown().to_string();
    assert!(reason.chars().count() < 1100 && !reason.contains(text::is_hidden), "{reason:?}");
}

// ---- text ---------------------------------------------------------------------------------------

#[test]
fn what_is_hidden_is_what_unicode_says() {
    use GeneralCategory as G;
    for character in '\0'..=char::MAX {
        match character.general_category() {
            G::Control | G::Format | G::LineSeparator | G::ParagraphSeparator => {
                assert!(text::is_hidden(character), "U+{:04X}", character as u32);
            }
            G::Unassigned => {}
            _ => assert!(!text::is_hidden(character), "U+{:04X}", character as u32),
        }
    }
}

fn any_text() -> impl Strategy<Value = String> {
    let hidden = prop::sample::select(vec![
        '\u{202e}',
        '\u{2028}',
        '\u{200b}',
        '\u{feff}',
        '\u{7}',
        '\u{ad}',
        '\u{e0041}',
    ]);
    let character = prop_oneof![any::<char>(), hidden, prop::char::range('a', 'z')];
    prop::collection::vec(character, 0..700).prop_map(|characters| characters.into_iter().collect())
}

fn is_shown(text: &str) -> bool {
    !text.contains(text::is_hidden)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// In titles, classes, prompts, reasons, what the server says of itself.
    #[test]
    fn no_text_of_the_server_is_shown_as_it_is(said in any_text()) {
        use crate::session::{Driver, changed, setup};
        use farpane::protocol::packet::connection::Challenge;
        use farpane::protocol::packet::window::{self, WindowCreate};
        use farpane::session::{ConnectionEvent, SessionEvent, WindowEvent};
        let mut asking = Driver::started(changed(setup(Dialect::Modern), |setup| setup.local.may_prompt = true));
        asking.packet(ServerPacket::Connection(connection::FromServer::Challenge(Challenge {
            salt: vec![1; 64],
            auth_caps: Dict::default(),
            digest: "hmac+sha512".to_owned(),
            salt_digest: "hmac+sha512".to_owned(),
            prompt: Some(said.clone()),
        })));
        for event in asking.events() {
            if let SessionEvent::Connection(ConnectionEvent::PasswordNeeded { prompt, .. }) = event {
                prop_assert!(is_shown(&prompt), "{:?}", prompt);
            }
        }
        let mut hello = Dict::default();
        hello.push("version", "6.5.5").push("session_name", said.as_str()).push("hostname", said.as_str());
        let mut driver = Driver::started(setup(Dialect::Modern));
        driver.packet(ServerPacket::Connection(connection::FromServer::Hello(hello)));
        let mut metadata = Dict::default();
        metadata.push("title", said.as_str()).push("class-instance", &[said.as_str(), "x"][..]);
        metadata.push("window-type", &[said.as_str()][..]);
        driver.packet(ServerPacket::Window(window::FromServer::Create(WindowCreate {
            wid: WindowId(1),
            x: 0,
            y: 0,
            width: 10,
            height: 10,
            metadata,
            client_properties: Dict::default(),
            override_redirect: false,
            tray: false,
        })));
        let mut info = Dict::default();
        info.push(&said, said.as_str());
        driver.packet(ServerPacket::Connection(connection::FromServer::InfoResponse(info)));
        for event in driver.events() {
            match event {
                SessionEvent::Connection(ConnectionEvent::Connected(server)) => {
                    prop_assert!(is_shown(&server.session_name) && is_shown(&server.hostname));
                }
                SessionEvent::Window(WindowEvent::Created(window)) => {
                    prop_assert!(is_shown(&window.title) && is_shown(&window.class.0));
                    prop_assert!(window.window_types.iter().all(|name| is_shown(name)));
                }
                SessionEvent::Connection(ConnectionEvent::Info(lines)) => {
                    prop_assert!(lines.iter().all(|(key, value)| is_shown(key) && is_shown(value)));
                }
                _ => {}
            }
        }
        driver.packet(ServerPacket::Connection(connection::FromServer::Close { reasons: vec![said.clone(), said.clone()] }));
        prop_assert!(is_shown(&driver.closed().to_string()));
        let bytes = Payload::from(said.into_bytes());
        prop_assert!(is_shown(&farpane::protocol::peer::sanitised(&bytes)));
    }
}
