//! What is said of Xpra's own encryption, and what is taken of what a server says.

use farpane::protocol::cipher::{KeyHash, Padding};
use farpane::protocol::packet::connection::{self, Challenge};
use farpane::protocol::packet::{ClientPacket, Dict, ServerPacket, Value};
use farpane::protocol::{CipherMode, CipherSpec, Dialect, KeyData};
use farpane::session::{CloseReason, ConnectionInput, Encryption, Output, Profile, Secret, Setup};

use super::{Driver, changed, server_hello, setup};

const DIALECTS: [Dialect; 2] = [Dialect::Modern, Dialect::Legacy31];

fn encrypted(dialect: Dialect, mode: CipherMode) -> Setup {
    changed(setup(dialect), |setup| {
        let key = KeyData::new(Vec::from(b"the key").into()).expect("a key");
        setup.config.encryption = Some(Encryption { mode, key });
        setup.config.password = Some(Secret::new("open".to_owned()));
    })
}

/// What a server says, by its generation, with changes.
fn said(dialect: Dialect, changes: &[(&str, Value)]) -> Dict {
    let mut map = Dict::default();
    map.push("cipher", "AES")
        .push("iv", "0123456789ABCDEF")
        .push("key_salt", Vec::from([200; 64]))
        .push("key_stretch_iterations", 1000)
        .push("padding", "PKCS#7");
    for (name, value) in changes {
        map.0.retain(|(key, _)| key.as_str() != Some(name));
        if *value != Value::Null {
            map.push(name, value.clone());
        }
    }
    let mut all = Dict::default();
    if dialect.is_modern() {
        all.push("encryption", map);
        return all;
    }
    for (name, value) in map.0 {
        match name.as_str() {
            Some("cipher") => all.push("cipher", value),
            other => all.push(&format!("cipher.{}", other.unwrap_or_default()), value),
        };
    }
    all
}

fn accepting(dialect: Dialect, changes: &[(&str, Value)]) -> ServerPacket {
    let mut hello = server_hello(if dialect.is_modern() { "6.5.5" } else { "3.1.3" });
    hello.0.extend(said(dialect, changes).0);
    ServerPacket::Connection(connection::FromServer::Hello(hello))
}

fn challenge(auth_caps: Dict) -> ServerPacket {
    ServerPacket::Connection(connection::FromServer::Challenge(Challenge {
        salt: (0..64).collect(),
        auth_caps,
        digest: "hmac+sha256".to_owned(),
        salt_digest: "hmac+sha256".to_owned(),
        prompt: None,
    }))
}

/// What came out of ciphers and hellos, in order.
#[derive(Debug, PartialEq)]
enum Did {
    Decipher(CipherSpec),
    Encipher(CipherSpec),
    Hello(Dict),
}

fn did(driver: &mut Driver) -> Vec<Did> {
    let each = |output| match output {
        Output::Decipher(spec) => Some(Did::Decipher(*spec)),
        Output::Encipher(spec) => Some(Did::Encipher(*spec)),
        Output::Send(ClientPacket::Connection(connection::ToServer::Hello(hello))) => Some(Did::Hello(hello)),
        _ => None,
    };
    driver.take().into_iter().filter_map(each).collect()
}

/// Each hello says how the server is to encipher, anew; each answer how we are to. Nothing of the key is in it.
#[test]
fn each_hello_has_a_cipher_of_its_own() {
    for dialect in DIALECTS {
        let mut driver = Driver::started(encrypted(dialect, CipherMode::Cbc));
        let first = did(&mut driver);
        driver.packet(challenge(said(dialect, &[])));
        let second = did(&mut driver);
        let [Did::Decipher(one), Did::Hello(hello)] = &first[..] else { panic!("{first:?}") };
        let [Did::Encipher(ours), Did::Decipher(two), Did::Hello(again)] = &second[..] else {
            panic!("{second:?}")
        };
        for (spec, hello) in [(one, hello), (two, again)] {
            let prefix = if dialect.is_modern() { "encryption." } else { "cipher." };
            let text = |name: &str| hello.str(&format!("{prefix}{name}")).map(str::to_owned);
            assert_eq!(text("iv").expect("one").as_bytes(), spec.iv);
            assert_eq!(text("key_salt").expect("one").as_bytes(), spec.salt);
            assert_eq!(text("padding").as_deref(), Some("PKCS#7"));
            assert_eq!(hello.int(&format!("{prefix}key_stretch_iterations")), Some(10_000));
            assert_eq!((spec.hash, spec.iterations), (KeyHash::Sha1, 10_000));
            assert_eq!(spec.block, if dialect.is_modern() { 16 } else { 32 });
            assert!(!format!("{hello:?}").contains("the key"));
        }
        assert!(one.iv != two.iv && one.salt != two.salt, "they are fresh");
        assert_eq!((&ours.iv[..], &ours.salt[..]), (&b"0123456789ABCDEF"[..], &[200; 64][..]));
        assert!(again.get("challenge_response").is_some());
        driver.packet(accepting(dialect, &[("iv", "another one 1234".into())]));
        let third = did(&mut driver);
        assert!(matches!(&third[..], [Did::Encipher(spec)] if spec.iv == *b"another one 1234"), "{third:?}");
    }
}

/// What a server wants is followed within bounds, else there is no session.
#[test]
fn what_a_server_wants_is_bounded() {
    for dialect in DIALECTS {
        let outcome = |changes: &[(&str, Value)]| {
            let mut driver = Driver::started(encrypted(dialect, CipherMode::Cbc));
            driver.take();
            driver.packet(accepting(dialect, changes));
            driver.take()
        };
        let fine = |name: &str, value: Value| {
            let outputs = outcome(&[(name, value)]);
            match outputs.into_iter().next() {
                Some(Output::Encipher(spec)) => *spec,
                other => panic!("{name}: {other:?}"),
            }
        };
        let refused = |name: &str, value: Value, words: &str| match outcome(&[(name, value.clone())]).pop() {
            Some(Output::Close(CloseReason::Authentication(why))) => {
                assert!(why.contains(words), "{name}: {why}");
            }
            other => panic!("{name} {value:?}: {other:?}"),
        };
        assert_eq!(fine("key_stretch_iterations", 1_000_000.into()).iterations, 1_000_000);
        assert_eq!(fine("padding", "legacy".into()).padding, Padding::Spaces);
        assert_eq!(fine("padding", Value::Null).padding, Padding::Spaces);
        assert_eq!(fine("key_hash", "SHA512".into()).hash, KeyHash::Sha512);
        assert_eq!(fine("mode", "CTR".into()).mode, CipherMode::Ctr);
        assert_eq!(fine("key_salt", vec![7; 8].into()).salt, [7; 8]);
        for many in [-1, 0, 999, 1_000_001, i64::MAX] {
            refused("key_stretch_iterations", many.into(), "1000 to 1000000");
        }
        refused("key_stretch_iterations", "many".into(), "1000 to 1000000");
        refused("key_stretch_iterations", Value::Null, "1000 to 1000000");
        refused("key_salt", vec![7; 7].into(), "8 to 1024");
        refused("key_salt", vec![7; 1025].into(), "8 to 1024");
        refused("key_salt", Value::Null, "8 to 1024");
        refused("iv", "too short".into(), "16 to 16");
        refused("iv", Value::Null, "16 to 16");
        refused("key_size", 16.into(), "32 to 32");
        refused("mode", "GCM".into(), "AES in the mode GCM");
        refused("padding", "zeros".into(), "the padding zeros");
        refused("key_hash", "MD5".into(), "keys made with MD5");
        refused("key_stretch", "scrypt".into(), "keys made by scrypt");
        refused("stream", false.into(), "for each record anew");
        refused("cipher", "DES".into(), "the cipher DES");
        refused("cipher", "".into(), "does not say how");
        // A server that says nothing of it gets nothing more.
        let mut driver = Driver::started(encrypted(dialect, CipherMode::Cbc));
        driver.packet(challenge(Dict::default()));
        assert!(
            matches!(driver.closed(), CloseReason::Authentication(why) if why.contains("does not say how"))
        );
    }
}

/// Who is not asked for it says nothing of it, and takes nothing of it.
#[test]
fn nothing_is_offered_unasked() {
    for dialect in DIALECTS {
        let mut driver = Driver::started(setup(dialect));
        let hello = driver.hello();
        assert!(hello.get("cipher").is_none() && hello.get("encryption").is_none());
        driver.packet(accepting(dialect, &[]));
        assert!(did(&mut driver).is_empty());
        // Servers say their name and version to everybody, in plain.
        for profile in [Profile::Identify, Profile::Version] {
            let setup = changed(encrypted(dialect, CipherMode::Cbc), |setup| setup.config.profile = profile);
            let mut driver = Driver::started(setup);
            assert!(matches!(&did(&mut driver)[..], [Did::Hello(_)]), "{profile:?}");
        }
    }
}

/// 3.1 answers with its information alone, and knows one mode.
#[test]
fn what_3_1_lacks() {
    let info = |setup: &mut Setup| setup.config.profile = Profile::Info;
    let mut driver = Driver::started(changed(encrypted(Dialect::Legacy31, CipherMode::Cbc), info));
    let hello = ServerPacket::Connection(connection::FromServer::Hello(server_hello("3.1.3")));
    driver.packet(hello);
    assert_eq!(driver.closed(), CloseReason::User);
    let mut driver = Driver::started(encrypted(Dialect::Legacy31, CipherMode::Ctr));
    assert!(matches!(driver.closed(), CloseReason::Authentication(why) if why.contains("--encryption=AES")));
}

/// What servers say when they want it, or have it not, becomes what to do.
#[test]
fn refusals_say_what_to_type() {
    for (words, advice) in [
        ("missing encryption tokens", "--encryption-keyfile=FILE"),
        ("missing encryption tokens from client", "--encryption-keyfile=FILE"),
        ("the server does not support encryption on this connection", "ssl://"),
        ("unsupported cipher", "not started with --tcp-encryption=AES"),
        ("encryption key is missing", "--tcp-encryption-keyfile=FILE"),
        (
            "the server is configured for AES-CTRnot AES-CBC as requested by the client",
            "--encryption=AES-CTR",
        ),
    ] {
        let mut driver = Driver::started(setup(Dialect::Modern));
        let reasons = vec!["authentication failed".to_owned(), words.to_owned()];
        driver.packet(ServerPacket::Connection(connection::FromServer::Close { reasons }));
        assert!(
            matches!(driver.closed(), CloseReason::Authentication(why) if why.contains(advice)),
            "{words}"
        );
    }
    // Who says it to a client that offered it looks for other names.
    let older = changed(encrypted(Dialect::Modern, CipherMode::Cbc), |s| s.peer.may_speak_legacy = true);
    let mut driver = Driver::started(older);
    let reasons = vec!["missing encryption tokens".to_owned()];
    driver.packet(ServerPacket::Connection(connection::FromServer::Close { reasons }));
    assert!(matches!(driver.take().pop(), Some(Output::SpeakLegacy)));
    // 6.5.5's only answer.
    let late = || {
        let reasons = vec!["login timeout".to_owned()];
        ServerPacket::Connection(connection::FromServer::Close { reasons })
    };
    let mut driver = Driver::started(encrypted(Dialect::Modern, CipherMode::Cbc));
    assert!(
        matches!(driver.packet(late()).closed(), CloseReason::Authentication(why) if why.contains("ssl://"))
    );
    let mut driver = Driver::started(setup(Dialect::Modern));
    assert_eq!(driver.packet(late()).closed(), CloseReason::Server("login timeout".to_owned()));
    // Whoever gives up meanwhile has said no more than hello.
    let mut driver = Driver::started(encrypted(Dialect::Modern, CipherMode::Cbc));
    driver.input(ConnectionInput::Disconnect);
    assert_eq!(driver.closed(), CloseReason::User);
}
