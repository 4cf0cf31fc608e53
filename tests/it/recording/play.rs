//! The player, with a made-up recording: to the viewer, and to bare clients of all dialects.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use bytes::BufMut as _;
use farpane::buffers::{BufferPool, Payload};
use farpane::channel::clock;
use farpane::player::{AtEnd, Options, Pace, Player};
use farpane::protocol::packet::Dict;
use farpane::protocol::packet::connection;
use farpane::protocol::packet::draw::{self, DrawAck, DrawOutcome, WindowDraw};
use farpane::protocol::packet::pointer;
use farpane::protocol::packet::window::{self, WindowCreate};
use farpane::protocol::reassembly::{KeptPacket, RawRecord};
use farpane::protocol::{
    ClientPacket, Dialect, Limits, PacketReader, PacketWriter, Reassembler, ServerPacket,
};
use farpane::recording::Writer;
use farpane::session::CloseReason;
use tempfile::TempDir;

use super::{
    PATIENCE, WID, attach, draw as draw_packet, hello, picture, raw, record, session, start,
    window as window_packet,
};
use crate::support::picture::{Picture, assert_same};
use crate::support::wait_for;

/// A recording in a file that goes with its folder.
fn file(dialect: Dialect, packets: &[ServerPacket]) -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("session.fpr");
    std::fs::write(&path, record(dialect, packets).0).expect("a file");
    (folder, path)
}

fn player(file: PathBuf, pace: Pace, window: usize, at_end: AtEnd) -> Player {
    let any_port = "127.0.0.1:0".parse().expect("an address");
    Player::start(any_port, Options { file, pace, window, rounds: 1, at_end }).expect("a player")
}

/// What the viewer shows of the window with this title when it was sent all of a recording.
#[track_caller]
pub fn last_picture(options: Options, title: &str) -> Picture {
    let any_port = "127.0.0.1:0".parse().expect("an address");
    let player = Player::start(any_port, options).expect("a player");
    let mut client = attach(&format!("tcp://{}/", player.address()), &[], None);
    wait_for(
        "the end of the recording",
        PATIENCE,
        || format!("{:?}", player.played()),
        || {
            client.run_for(Duration::from_millis(10)).expect("a session");
            (player.played().finished == 1).then_some(())
        },
    );
    let played = player.played();
    assert_eq!((played.refused, played.damage.as_deref()), (0, None), "{played:?}");
    assert_eq!(played.acknowledged, played.draws, "{played:?}");
    let named = client.windows().values().find(|window| window.title == title);
    let wid = named.map(|window| window.wid).expect("a window of this title");
    picture(&client.read_back(wid).expect("pixels"))
}

/// A client made of the protocol layer and a socket.
struct Peer {
    stream: TcpStream,
    reassembler: Reassembler,
    reader: PacketReader,
    writer: PacketWriter,
}

impl Peer {
    fn attach(player: &Player, dialect: Dialect, version: &str) -> Self {
        let stream = TcpStream::connect(player.address()).expect("a connection");
        let (limits, pool) = (Limits::with_max_record(0), BufferPool::default());
        let mut peer = Self {
            stream,
            reassembler: Reassembler::new(dialect, limits, pool.clone()),
            reader: PacketReader::new(dialect, limits, pool),
            writer: PacketWriter::new(dialect),
        };
        let mut hello = Dict::default();
        hello.push("version", version).push("chunks", true);
        peer.send(&ClientPacket::Connection(connection::ToServer::Hello(hello)));
        peer
    }

    fn send(&mut self, packet: &ClientPacket) {
        let mut bytes = Vec::new();
        self.writer.write(packet, &mut bytes);
        self.stream.write_all(&bytes).expect("written");
    }

    /// The next packet, or `None` when there is none for a while, or no more.
    fn receive(&mut self, patience: Duration) -> Option<ServerPacket> {
        self.stream.set_read_timeout(Some(patience)).expect("a timeout");
        loop {
            if let Some(raw) = self.reassembler.next_packet().expect("valid records") {
                return Some(self.reader.read(raw).expect("a valid packet").packet);
            }
            let mut bytes = [0; 4096];
            let mut space = self.reassembler.buffer();
            let wanted = space.remaining_mut().min(bytes.len());
            let len = self.stream.read(&mut bytes[..wanted]).unwrap_or(0);
            if len == 0 {
                return None;
            }
            space.put_slice(&bytes[..len]);
            self.reassembler.received(clock::now());
        }
    }

    fn next_draw(&mut self, patience: Duration) -> Option<WindowDraw> {
        loop {
            if let ServerPacket::Draw(draw::FromServer::Draw(draw)) = self.receive(patience)? {
                return Some(draw);
            }
        }
    }

    fn acknowledge(&mut self, draw: &WindowDraw) {
        let WindowDraw { wid, sequence, width, height, .. } = *draw;
        let outcome = DrawOutcome::Presented { decode_us: 10 };
        self.send(&ClientPacket::Draw(draw::ToServer::Ack(DrawAck {
            wid,
            sequence,
            width,
            height,
            outcome,
        })));
    }
}

#[test]
fn the_viewer_shows_what_was_recorded() {
    for dialect in [Dialect::Modern, Dialect::Legacy31] {
        let (_folder, path) = file(dialect, &session(20));
        let player = player(path, Pace::Recorded, 4, AtEnd::Close);
        let mut client = attach(&format!("tcp://{}/", player.address()), &[], None);
        client.wait_for("the window", PATIENCE, |view| view.painted.contains(&WID)).expect("a window");
        let title = client.windows()[&WID].title.clone();
        assert_eq!(title, "a recorded window");
        client.wait_for("the end", PATIENCE, |view| view.closed.is_some()).expect("an end");
        let played = player.played();
        assert_eq!((played.clients, played.finished, played.damage.as_deref()), (1, 1, None), "{played:?}");
        assert_eq!((played.draws, played.acknowledged, played.refused), (20, 20, 0), "{played:?}");
        // The window, the end of the start, the draws: what was for the recorder is left out.
        assert_eq!(played.packets, 22, "{played:?}");
        // 25 packets, ten milliseconds apart, of which the last two and the hello do not count.
        assert!(played.time >= Duration::from_millis(225), "{played:?}");
        let reason = client.close();
        assert!(
            matches!(&reason, CloseReason::Server(why) if why.contains("end of the recording")),
            "{reason}"
        );
        assert_eq!(client.stats().draws.received.total, 20);
    }
}

#[test]
fn the_last_picture_stays() {
    let (_folder, path) = file(Dialect::Modern, &session(50));
    let options = Options { file: path, pace: Pace::FlatOut, window: 8, rounds: 1, at_end: AtEnd::Stay };
    let shown = last_picture(options, "a recorded window");
    // BGRX in the recording.
    let expected = Picture::from_fn(shown.width, shown.height, |_, _| [3, 2, 50]);
    assert_same(&shown, &expected, "recording-last-picture");
}

#[test]
fn draws_wait_for_acknowledgements() {
    let (_folder, path) = file(Dialect::Modern, &session(10));
    let player = player(path, Pace::FlatOut, 3, AtEnd::Close);
    let mut peer = Peer::attach(&player, Dialect::Modern, "6.6");
    let draws: Vec<_> = (0..3).map(|_| peer.next_draw(PATIENCE).expect("a draw")).collect();
    assert!(peer.next_draw(Duration::from_millis(300)).is_none(), "a fourth one");
    peer.acknowledge(&draws[1]);
    let fourth = peer.next_draw(PATIENCE).expect("one more");
    assert_eq!(fourth.sequence.0, 4);
    assert!(peer.next_draw(Duration::from_millis(300)).is_none(), "two more");
    for draw in [&draws[0], &draws[2], &fourth] {
        peer.acknowledge(draw);
    }
    for sequence in 5..=10 {
        let draw = peer.next_draw(PATIENCE).expect("a draw");
        assert_eq!(draw.sequence.0, sequence);
        peer.acknowledge(&draw);
    }
    let last = loop {
        match peer.receive(PATIENCE).expect("a goodbye") {
            ServerPacket::Connection(connection::FromServer::Ping { .. }) => {}
            packet => break packet,
        }
    };
    assert_eq!(
        last,
        ServerPacket::Connection(connection::FromServer::Close {
            reasons: vec!["end of the recording".into()]
        })
    );
}

#[test]
fn draws_can_be_played_again_and_held_back() {
    let (_folder, path) = file(Dialect::Modern, &session(3));
    let (pace, at_end) = (Pace::FlatOut, AtEnd::Close);
    let options = Options { file: path, pace, window: 2, rounds: 3, at_end };
    let player = Player::start("127.0.0.1:0".parse().expect("an address"), options).expect("a player");
    player.allow_draws(4);
    let mut peer = Peer::attach(&player, Dialect::Modern, "6.6");
    for sequence in 1..=4 {
        let draw = peer.next_draw(PATIENCE).expect("a draw");
        assert_eq!(draw.sequence.0, sequence);
        peer.acknowledge(&draw);
    }
    assert!(peer.next_draw(Duration::from_millis(300)).is_none(), "more than allowed");
    player.allow_draws(u64::MAX);
    for sequence in 5..=9 {
        // Only the draws come again: no second window, no second start.
        let packet = loop {
            match peer.receive(PATIENCE).expect("a packet") {
                ServerPacket::Connection(connection::FromServer::Ping { .. }) => {}
                packet => break packet,
            }
        };
        let ServerPacket::Draw(draw::FromServer::Draw(draw)) = packet else { panic!("{packet:?}") };
        assert_eq!(draw.sequence.0, sequence);
        assert_eq!(draw.data[0], ((sequence - 1) % 3 + 1) as u8, "the pixels of that draw");
        peer.acknowledge(&draw);
    }
    wait_for(
        "the end",
        PATIENCE,
        || format!("{:?}", player.played()),
        || (player.played().finished == 1).then_some(()),
    );
    let played = player.played();
    assert_eq!((played.draws, played.acknowledged), (9, 9), "{played:?}");
    assert!(played.first_acknowledged < played.last_acknowledged, "{played:?}");
}

/// What matters of packets: bencode does not tell text from bytes, so that metadata looks different.
fn described(packets: &[ServerPacket]) -> Vec<String> {
    let describe = |packet: &ServerPacket| match packet {
        ServerPacket::Window(window::FromServer::Create(window)) => {
            let WindowCreate { wid, x, y, width, height, metadata, .. } = window;
            format!("window {wid} at {x},{y}: {width} x {height}, {:?}", metadata.str("title"))
        }
        packet => format!("{packet:?}"),
    };
    packets.iter().map(describe).collect()
}

#[test]
fn every_dialect_is_served_from_every_recording() {
    for recorded in [Dialect::Modern, Dialect::Legacy31] {
        let packets = session(2);
        let (_folder, path) = file(recorded, &packets);
        let player = player(path, Pace::FlatOut, 8, AtEnd::Stay);
        for (dialect, version) in [
            (Dialect::Modern, "6.6"),
            (Dialect::Modern, "6.5.5"),
            (Dialect::Legacy31, "3.1.3"),
            (Dialect::Yaml, "6.4"),
            (Dialect::Yaml, "6.6"),
        ] {
            let mut peer = Peer::attach(&player, dialect, version);
            let Some(ServerPacket::Connection(connection::FromServer::Hello(hello))) = peer.receive(PATIENCE)
            else {
                panic!("no hello")
            };
            let encoder = match dialect {
                Dialect::Modern => "rencodeplus",
                Dialect::Legacy31 => "bencode",
                Dialect::Yaml => "yaml",
            };
            assert_eq!(hello.bool(encoder), Some(true), "{hello:?}");
            assert_eq!(hello.str("session_name"), Some("recorded"));
            let mut got = Vec::new();
            while got
                .iter()
                .filter(|packet| matches!(packet, ServerPacket::Draw(draw::FromServer::Draw(_))))
                .count()
                < 2
            {
                got.push(peer.receive(PATIENCE).expect("a packet"));
            }
            got.retain(|packet| {
                !matches!(packet, ServerPacket::Connection(connection::FromServer::Ping { .. }))
            });
            let expected: Vec<_> = packets
                .iter()
                .filter(|packet| {
                    let name = packet.name();
                    name.starts_with("window-") || name == "startup-complete"
                })
                .cloned()
                .collect();
            let (got, expected) = (described(&got), described(&expected));
            assert_eq!(got, expected, "{recorded:?} to {dialect:?} {version}");
        }
    }
}

/// 3.1 tells what its default cursor looks like. Who took that for the default cursor itself would lose the cursor that
/// is shown.
#[test]
fn what_the_default_cursor_looks_like_is_not_played() {
    let payload = b"l6:cursor11:default:pngi0ei0ei1ei1ei0ei0ei9e1:x5:xterme".to_vec();
    let shape = KeptPacket {
        wire_bytes: payload.len() as u64 + 8,
        main: RawRecord { payload: Payload::from(payload), compressor: None },
        chunks: Vec::new(),
        arrived: clock::now(),
        ledger: None,
    };
    let mut reader = PacketReader::new(Dialect::Legacy31, Limits::with_max_record(0), BufferPool::default());
    let packet = reader.read(shape.lend()).expect("a valid packet").packet;
    assert_eq!(packet, ServerPacket::Pointer(pointer::FromServer::DefaultCursorShape));

    let others = [hello(), window_packet(), draw_packet(1, [1, 2, 3, 255])];
    let [hello, window, draw] = others.map(|packet| raw(Dialect::Legacy31, &packet, clock::now()));
    let mut writer = Writer::new(Vec::new(), start(Dialect::Legacy31)).expect("memory");
    for packet in [hello, window, shape, draw] {
        writer.packet(&packet.lend()).expect("memory");
    }
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("cursor.fpr");
    std::fs::write(&path, writer.finish().expect("memory")).expect("a file");
    let player = player(path, Pace::FlatOut, 8, AtEnd::Stay);
    let mut peer = Peer::attach(&player, Dialect::Modern, "6.5.5");
    loop {
        match peer.receive(PATIENCE).expect("a packet") {
            ServerPacket::Draw(_) => break,
            packet => assert!(!matches!(packet, ServerPacket::Pointer(_)), "{packet:?}"),
        }
    }
}

#[test]
fn what_cannot_be_played_is_said() {
    let start = |path: &std::path::Path| {
        let (file, pace, at_end) = (path.to_owned(), Pace::FlatOut, AtEnd::Close);
        let options = Options { file, pace, window: 1, rounds: 1, at_end };
        Player::start("127.0.0.1:0".parse().expect("an address"), options)
    };
    let (folder, path) = file(Dialect::Modern, &session(1)[1..3]);
    let error = start(&path).expect_err("it has no hello").to_string();
    assert!(error.contains("no server accepts a client"), "{error}");
    let missing = folder.path().join("missing");
    let error = start(&missing).expect_err("there is no file").to_string();
    assert!(error.contains("missing") && error.contains("cannot open"), "{error}");
    std::fs::write(&path, "a text").expect("a file");
    let error = start(&path).expect_err("it is a text").to_string();
    assert!(error.contains("not a recording"), "{error}");

    // A recording whose recorder was killed is played as far as it goes.
    let (file, ends) = record(Dialect::Modern, &session(5));
    std::fs::write(&path, &file[..ends[7] + 5]).expect("a file");
    let player = start(&path).expect("a player");
    let mut peer = Peer::attach(&player, Dialect::Modern, "6.6");
    for _ in 0..3 {
        let draw = peer.next_draw(PATIENCE).expect("a draw");
        peer.acknowledge(&draw);
    }
    assert!(peer.next_draw(PATIENCE).is_none(), "the goodbye comes first");
    let damage = player.played().damage.expect("it is cut");
    assert!(damage.contains("without its end mark"), "{damage}");
}

/// Xpra's client in rencode, which is none of ours, is told so in words.
#[test]
fn other_packet_encoders_are_refused_in_words() {
    let (_folder, path) = file(Dialect::Modern, &session(1));
    let player = player(path, Pace::FlatOut, 8, AtEnd::Stay);
    for (flags, name) in [(1, "rencode"), (0x14, "several encoders at once")] {
        let mut stream = TcpStream::connect(player.address()).expect("a connection");
        stream.write_all(&[b'P', flags, 0, 0, 0, 0, 0, 1, b'x']).expect("written");
        let mut words = Vec::new();
        // The connection may be reset, since not all was read.
        let _ = stream.read_to_end(&mut words);
        let words = String::from_utf8_lossy(&words);
        assert!(words.starts_with("disconnect: ") && words.contains(&format!("not {name}")), "{words:?}");
    }
}

/// Sends one record of YAML.
fn send_yaml(stream: &mut TcpStream, text: &str) {
    let len = u32::try_from(text.len()).expect("a short text");
    stream.write_all(&[&[b'P', 4, 0, 0][..], &len.to_be_bytes(), text.as_bytes()].concat()).expect("written");
}

/// The next packet's text, and the raw chunk that came before it, with its index.
fn receive_yaml(stream: &mut TcpStream) -> (String, Option<(u8, Vec<u8>)>) {
    let mut chunk = None;
    loop {
        let mut header = [0; 8];
        stream.read_exact(&mut header).expect("a header");
        let [magic, flags, compression, index, len @ ..] = header;
        assert_eq!((magic, compression), (b'P', 0));
        let mut payload = vec![0; u32::from_be_bytes(len) as usize];
        stream.read_exact(&mut payload).expect("a payload");
        if index == 0 {
            assert_eq!(flags, 4, "{payload:?}");
            return (String::from_utf8(payload).expect("UTF-8"), chunk);
        }
        assert_eq!(flags, 0);
        chunk = Some((index, payload));
    }
}

/// A client that sends what Xpra-org/rust-xpra 0.3.1 does: JSON, in records that say YAML.
#[test]
fn a_yaml_client_is_played_a_whole_recording() {
    let (_folder, path) = file(Dialect::Modern, &session(20));
    let player = player(path, Pace::FlatOut, 2, AtEnd::Close);
    let mut stream = TcpStream::connect(player.address()).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let hello = r#"["hello",{"bell":true,"chunks":true,"client_type":"rust","compression_level":1,"compressors":["lz4"],"display":{"desktop_size":[1280,800],"monitors":{"0":{"geometry":[0,0,1280,800],"primary":true}}},"encoders":["yaml"],"encoding":{"core":["jpeg","png","webp"],"options":["jpeg","png","webp"]},"version":"6.4","wants":["packet-types"],"windows":true}]"#;
    send_yaml(&mut stream, hello);
    let (answer, _) = receive_yaml(&mut stream);
    assert!(answer.starts_with(r#"["hello", {"version": "6"#), "{answer}");
    assert!(answer.contains(r#""encoders": ["yaml"], "yaml": true"#), "{answer}");
    let mut draws = 0;
    loop {
        let (text, chunk) = receive_yaml(&mut stream);
        if text.starts_with(r#"["new-window", 3, "#) {
            assert!(text.contains(r#""title": "a recorded window""#), "{text}");
            send_yaml(&mut stream, r#"["window-map",3,0,0,640,480,{},{},{"index":0,"position":[0,0]}]"#);
            send_yaml(&mut stream, r#"["window-focus",3]"#);
        } else if text.starts_with(r#"["draw", 3, "#) {
            draws += 1;
            let (index, pixels) = chunk.expect("a raw chunk");
            assert_eq!((index, pixels[0]), (7, draws), "the pixels of that draw");
            assert!(text.contains(&format!(r#", "rgb32", !!binary "", {draws}, "#)), "{text}");
            send_yaml(&mut stream, &format!(r#"["window-draw-ack",{draws},3,640,480,2500,""]"#));
        } else if text.starts_with(r#"["ping", "#) {
            send_yaml(&mut stream, r#"["ping_echo",1,0,0,0,-1,""]"#);
            send_yaml(&mut stream, r#"["ping",77]"#);
        } else if text.starts_with(r#"["disconnect", "#) {
            assert!(text.contains("end of the recording"), "{text}");
            break;
        } else {
            let is_known = [r#"["startup-complete"]"#, r#"["ping_echo", 77, 0, 0, 0, -1, ""]"#];
            assert!(is_known.contains(&text.as_str()), "{text}");
        }
    }
    let played = player.played();
    assert_eq!((played.draws, played.acknowledged, played.refused), (20, 20, 0), "{played:?}");
    assert_eq!((played.finished, draws), (1, 20), "{played:?}");
}

#[test]
fn yaml_that_is_no_packet_ends_the_session() {
    let (_folder, path) = file(Dialect::Modern, &session(1));
    let player = player(path, Pace::FlatOut, 8, AtEnd::Stay);
    for text in ["[hello, {a: &a [*a]}]", "not a list", "[hello", "[ping, 1]"] {
        let mut stream = TcpStream::connect(player.address()).expect("a connection");
        send_yaml(&mut stream, text);
        let mut answer = Vec::new();
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream.read_to_end(&mut answer).expect("an end");
        assert_eq!(answer, b"", "{text}");
    }
    assert_eq!(player.played().clients, 0);
}
