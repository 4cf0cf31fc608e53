//! The network thread and Xpra's own encryption, against a scripted server that has it.

use std::net::TcpStream;

use farpane::channel::ByteBudget;
use farpane::protocol::cipher::{KeyHash, Padding};
use farpane::protocol::packet::connection::{FromServer, ToServer};
use farpane::protocol::packet::{ClientPacket, Dict, ServerPacket};
use farpane::protocol::{CipherMode, CipherSpec, KeyData};
use farpane::session::{CloseReason, ConnectionEvent, ConnectionInput, Encryption, SessionConfig};

use super::server::{Server, draw, hello, window};
use super::task::{Client, is_key, key, tcp_server};

fn data(secret: &[u8]) -> KeyData {
    KeyData::new(Vec::from(secret).into()).expect("a key")
}

fn client(url: &str, mode: CipherMode) -> Client {
    let encryption = Some(Encryption { mode, key: data(b"shared") });
    let session = SessionConfig { encryption, ..SessionConfig::default() };
    Client::with_session(url, ByteBudget::new(8 << 20), session)
}

/// What the server wants to be sent.
fn wanted(secret: &[u8], mode: CipherMode, iterations: u32) -> CipherSpec {
    CipherSpec {
        mode,
        iv: *b"iv of the server",
        salt: vec![5; 64],
        iterations,
        hash: KeyHash::Sha1,
        padding: Padding::Pkcs7,
        block: 16,
        data: data(secret),
    }
}

/// Waits for the client's hello; what it wants to be sent, with this key.
fn greeted(server: &mut Server<TcpStream>, secret: &[u8]) -> CipherSpec {
    let hello = server.wait("hello", |packet| match packet {
        ClientPacket::Connection(ToServer::Hello(hello)) => Some(hello),
        _ => None,
    });
    let said = |name: &str| hello.get_path(&format!("encryption.{name}")).and_then(|v| v.as_bytes());
    let mode = hello.str("encryption.mode").and_then(CipherMode::from_name).expect("a mode");
    CipherSpec {
        iv: said("iv").expect("one").try_into().expect("16 bytes"),
        salt: Vec::from(said("key_salt").expect("one")),
        iterations: hello.int("encryption.key_stretch_iterations").expect("a number") as u32,
        ..wanted(secret, mode, 0)
    }
}

/// A hello that says what is wanted.
fn hello_with(spec: &CipherSpec) -> ServerPacket {
    let ServerPacket::Connection(FromServer::Hello(mut hello)) = hello() else { panic!("a hello") };
    let mut map = Dict::default();
    map.push("cipher", "AES")
        .push("mode", spec.mode.name())
        .push("iv", spec.iv.to_vec())
        .push("key_salt", spec.salt.clone())
        .push("key_stretch_iterations", spec.iterations)
        .push("padding", spec.padding.name());
    hello.push("encryption", map);
    ServerPacket::Connection(FromServer::Hello(hello))
}

/// A session, with keys that are typed while the server's key takes its time: all arrive, in order and enciphered.
#[test]
fn what_is_sent_waits_for_its_cipher() {
    for mode in [CipherMode::Cbc, CipherMode::Ctr] {
        let (url, server) = tcp_server(move |mut server| {
            let theirs = greeted(&mut server, b"shared");
            let ours = wanted(b"shared", mode, 300_000);
            server.encrypt(&ours, &theirs);
            server.send(&hello_with(&ours));
            server.send(&window(1));
            server.send(&draw(1, 1));
            for _ in 0..5 {
                server.wait("a key", is_key);
            }
            server.send(&draw(1, 2));
            let mut last = None;
            while let Some(packet) = server.next() {
                last = Some(packet);
            }
            last
        });
        let client = client(&url, mode);
        client.next_event(|event| matches!(event, ConnectionEvent::Connected(_)).then_some(()));
        for _ in 0..5 {
            client.input(key("a"));
        }
        for sequence in [1, 2] {
            let request = client.next_draw().request;
            assert_eq!(request.sequence.0, sequence);
            assert!(request.data.iter().all(|byte| u64::from(*byte) == sequence), "{mode:?}");
        }
        client.input(ConnectionInput::Disconnect);
        assert_eq!(client.end(), CloseReason::User);
        let last = server.join().expect("the server's script");
        assert!(matches!(last, Some(ClientPacket::Connection(ToServer::Close { .. }))), "{last:?}");
    }
}

/// Servers with another key, that answer in plain, or that fall back to it: one sentence each, and nothing more was sent.
#[test]
fn nothing_is_said_in_plain_after_hello() {
    type Script = fn(&mut Server<TcpStream>);
    let cases: [(&str, Script, &str); 6] = [
        (
            "another key, CBC",
            |server| {
                let theirs = greeted(server, b"another");
                server.encrypt(&wanted(b"another", CipherMode::Cbc, 1000), &theirs);
                server.send(&hello_with(&wanted(b"another", CipherMode::Cbc, 1000)));
            },
            "its key file is another one",
        ),
        (
            "another padding",
            |server| {
                let theirs = CipherSpec { padding: Padding::Spaces, ..greeted(server, b"shared") };
                server.encrypt(&theirs.clone(), &theirs);
                server.send(&hello());
            },
            "its key file is another one",
        ),
        (
            "a packet that no server begins with",
            |server| {
                let theirs = greeted(server, b"shared");
                server.encrypt(&theirs.clone(), &theirs);
                server.send(&window(1));
            },
            "its key file is another one",
        ),
        (
            "a plain hello",
            |server| {
                greeted(server, b"shared");
                server.send(&hello_with(&wanted(b"shared", CipherMode::Cbc, 1000)));
            },
            "answers without encryption",
        ),
        (
            "a plain packet behind an enciphered one",
            |server| {
                let theirs = greeted(server, b"shared");
                let plain = server.bytes(&window(1));
                server.encrypt(&theirs.clone(), &theirs);
                let hello = server.bytes(&hello_with(&wanted(b"shared", CipherMode::Cbc, 1000)));
                std::io::Write::write_all(&mut server.stream, &[hello, plain].concat()).expect("it reads");
            },
            "not encrypted, after others that were",
        ),
        (
            "a plain goodbye",
            |server| {
                greeted(server, b"shared");
                let reasons = vec!["encryption key is missing".to_owned()];
                server.send(&ServerPacket::Connection(FromServer::Close { reasons }));
            },
            "the server has no key",
        ),
    ];
    for (name, script, words) in cases {
        let (url, server) = tcp_server(move |mut server| {
            script(&mut server);
            let mut rest = Vec::new();
            let _ = std::io::Read::read_to_end(&mut server.stream, &mut rest);
            rest
        });
        let reason = client(&url, CipherMode::Cbc).end().to_string();
        assert!(reason.contains(words), "{name}: {reason}");
        let rest = server.join().expect("the server's script");
        // A goodbye may be, where there is a cipher for it.
        assert!(rest.is_empty() || rest.get(1).is_some_and(|flags| flags & 2 != 0), "{name}: {rest:?}");
    }
}

/// With CTR there is no padding that another key would spoil.
#[test]
fn another_key_is_noticed_without_padding() {
    let (url, server) = tcp_server(|mut server| {
        let theirs = greeted(&mut server, b"another");
        server.encrypt(&wanted(b"another", CipherMode::Ctr, 1000), &theirs);
        server.send(&hello_with(&wanted(b"another", CipherMode::Ctr, 1000)));
        while server.next().is_some() {}
    });
    let reason = client(&url, CipherMode::Ctr).end();
    assert!(matches!(&reason, CloseReason::Authentication(why) if why.contains("key file")), "{reason:?}");
    server.join().expect("the server's script");
}
