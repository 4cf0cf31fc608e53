//! Passwords. The expected answers were computed with Python 3.11's `hmac` module:
//! `salt = hmac.new(client_salt, server_salt, D).hexdigest()`, `hmac.new(password, salt, D).hexdigest()`.

use farpane::protocol::Dialect;
use farpane::protocol::packet::ServerPacket;
use farpane::protocol::packet::connection::{self, Challenge};
use farpane::protocol::packet::{Dict, Value};
use farpane::session::auth::{self, AuthError, CLIENT_SALT_LEN};
use farpane::session::{
    CloseReason, ConnectionEvent, ConnectionInput, Input, Link, Secret, SessionEvent, Setup,
};

use super::{Driver, changed, setup};

const PASSWORD: &str = "pässwörd";
const OPEN: Link = Link { encrypted: false, local: false };
const LOCAL: Link = Link { encrypted: false, local: true };
const ENCRYPTED: Link = Link { encrypted: true, local: false };

fn challenge(digest: &str, salt_digest: &str) -> Challenge {
    Challenge {
        salt: (0..64).collect(),
        auth_caps: Dict::default(),
        digest: digest.to_owned(),
        salt_digest: salt_digest.to_owned(),
        prompt: None,
    }
}

fn client_salt() -> [u8; CLIENT_SALT_LEN] {
    std::array::from_fn(|i| 100 + u8::try_from(i).expect("32 bytes"))
}

#[test]
fn answers_equal_pythons() {
    let check = |digest: &str, salt_digest: &str, link: Link, expect: &[u8]| {
        let secret = Secret::new(PASSWORD.to_owned());
        let answer =
            auth::respond(&challenge(digest, salt_digest), Dialect::Legacy31, link, &secret, client_salt());
        assert_eq!(answer.expect("an answer").response.as_slice(), expect, "{digest} {salt_digest}");
    };
    let hmac = |digest, expect: &str| check(digest, digest, OPEN, expect.as_bytes());
    hmac(
        "hmac+sha512",
        "b26b502c772860af7afc48c09c9f88ca93195ce09e1febce1f323da8c753e31b\
         7e4552edd140fba6983b78a8eccf4b6fd2ba9d46e8da95907893e706e38bd465",
    );
    hmac(
        "hmac+sha384",
        "704ce4b30cfa0ef06d5befb4ae8940aa617c2b8f055dfb22feb048bbe85d91bdda5eea5b50debe989233d423f22b41b8",
    );
    hmac("hmac+sha256", "456c50fca279959aee35d400511585a394b72dd2fa5d40aef0be63080f2ebff8");
    hmac("hmac+sha224", "3efdfa9ca011e0f0cf102ebb74c35dbf03856c3b1a06b88702d233b9");
    hmac("hmac+sha1", "ba8812d99abc3ca973d1d9b64bc5bf2a6cb29f4b");
    let mixed = "b9821ab272b3f5444ab3ebbc237b06f3182465bf0d4e6d7b9384b21d96ae9f28";
    check("hmac+sha256", "hmac+sha512", OPEN, mixed.as_bytes());
    let xor = [0x48, 0xf6, 0x95, 0x15, 0x17, 0x44, 0xa2, 0x86, 0x46, 0x50];
    check("xor", "hmac+sha512", ENCRYPTED, &xor);
    check("xor", "hmac+sha512", LOCAL, &xor);
}

/// 6.x: `password.encode("latin1")` if that works, else UTF-8; 3.1: UTF-8.
#[test]
fn passwords_are_spelled_as_the_server_reads_them() {
    let check = |password: &str, expect: &str| {
        let challenge = challenge("hmac+sha512", "hmac+sha512");
        let secret = Secret::new(password.to_owned());
        let answer = auth::respond(&challenge, Dialect::Modern, OPEN, &secret, client_salt());
        assert_eq!(answer.expect("an answer").response.as_slice(), expect.as_bytes(), "{password}");
    };
    check(
        PASSWORD,
        "f445350569e4e953f2bc9d07d913916107c14c89e16947b6ece8e811a45d4e7f\
         f504fab9cb3facbd9abbfba70965cf4f79957272c1d6aad923659add692b0db5",
    );
    check(
        "пароль",
        "5848db1c1649f72110beafd04a252adf088e78e2f651445d544413a0486730f8\
         9282d53be2be911c430d92c5948811c4220fca746686f1038456e4211bb1a6a8",
    );
}

#[test]
fn dangerous_or_odd_challenges_are_refused() {
    let check = |challenge: Challenge, expect: AuthError| {
        assert_eq!(auth::check(&challenge, OPEN), Err(expect));
    };
    let unsupported = |digest: &str| AuthError::Unsupported { digest: digest.to_owned() };
    check(challenge("xor", "hmac+sha512"), AuthError::WouldReveal { digest: "xor".to_owned() });
    check(challenge("xor:x", "hmac+sha512"), AuthError::WouldReveal { digest: "xor".to_owned() });
    check(challenge("des", "hmac+sha512"), unsupported("des"));
    check(challenge("plain", "hmac+sha512"), unsupported("plain"));
    check(challenge("", "hmac+sha512"), unsupported("unnamed"));
    check(challenge("kerberos:host", "hmac+sha512"), unsupported("kerberos"));
    check(challenge("hmac+md5", "hmac+sha512"), unsupported("hmac+md5"));
    check(challenge("hmac+sha512", "xor"), unsupported("salt digest xor"));
    check(challenge(&"a\n".repeat(500), "x"), unsupported(&"a".repeat(40)));
    for got in [0, 15, 1025, 1 << 20] {
        let salt = vec![1; got];
        check(Challenge { salt, ..challenge("hmac+sha512", "hmac+sha512") }, AuthError::SaltLength { got });
    }
}

#[test]
fn xor_is_offered_only_where_nobody_listens() {
    let digests = |link: Link| {
        let setup = changed(setup(Dialect::Modern), |setup| setup.peer.link = link);
        let hello = Driver::started(setup).hello();
        let texts = |key: &str| hello.strs(key).expect("digests").iter().map(|d| (*d).to_owned()).collect();
        let both: (Vec<String>, Vec<String>) = (texts("digest"), texts("salt-digest"));
        both
    };
    for (link, xor) in [(OPEN, false), (LOCAL, true), (ENCRYPTED, true)] {
        let (digest, salt_digest) = digests(link);
        assert_eq!(digest.iter().any(|d| d == "xor"), xor);
        assert!(salt_digest.iter().all(|d| d.starts_with("hmac+sha")));
    }
}

#[test]
fn a_known_password_answers_at_once() {
    let password = Some(Secret::new(PASSWORD.to_owned()));
    let mut driver =
        Driver::started(changed(setup(Dialect::Modern), |setup| setup.config.password = password));
    assert_eq!(driver.hello().get("challenge_response"), None);
    driver.packet(ServerPacket::Connection(connection::FromServer::Challenge(challenge(
        "hmac+sha512",
        "hmac+sha512",
    ))));
    let hello = driver.hello();
    let salt = hello.get("challenge_client_salt").and_then(Value::as_bytes).expect("a salt");
    let salt: [u8; CLIENT_SALT_LEN] = salt.try_into().expect("its length");
    let secret = Secret::new(PASSWORD.to_owned());
    let expect =
        auth::respond(&challenge("hmac+sha512", "hmac+sha512"), Dialect::Modern, OPEN, &secret, salt)
            .expect("an answer");
    let response = hello.get("challenge_response").and_then(Value::as_bytes).expect("a response");
    assert_eq!(response, expect.response.as_slice());
    assert!(hello.get("encoding").is_some(), "the second hello is a whole one");
    assert!(!format!("{hello:?} {:?}", driver.session).contains(PASSWORD));

    let password = Some(Secret::new(PASSWORD.to_owned()));
    let mut other =
        Driver::started(changed(setup(Dialect::Modern), |setup| setup.config.password = password));
    let other = other
        .packet(ServerPacket::Connection(connection::FromServer::Challenge(challenge(
            "hmac+sha512",
            "hmac+sha512",
        ))))
        .hello();
    let other = other.get("challenge_client_salt").and_then(Value::as_bytes).expect("a salt").to_owned();
    assert_ne!(other, salt, "each answer has a salt of its own");
}

/// Each step of a login has its own password: what answers one is proof of nothing in another, and is
/// not given to it.
#[test]
fn one_password_answers_one_challenge() {
    let step = || {
        ServerPacket::Connection(connection::FromServer::Challenge(challenge("hmac+sha512", "hmac+sha512")))
    };
    let password = || Some(Secret::new(PASSWORD.to_owned()));
    let modern = || changed(setup(Dialect::Modern), |setup| setup.config.password = password());
    let mut asked = Driver::started(changed(modern(), |setup| setup.local.may_prompt = true));
    assert!(asked.packet(step()).hello().get("challenge_response").is_some());
    asked.packet(step());
    let events = asked.events();
    assert!(
        matches!(&events[..], [SessionEvent::Connection(ConnectionEvent::PasswordNeeded { number: 2, .. })]),
        "{events:?}"
    );
    asked.input(ConnectionInput::Password(Secret::new("second".to_owned())));
    assert!(asked.hello().get("challenge_response").is_some());

    let mut alone = Driver::started(modern());
    alone.packet(step()).hello();
    alone.packet(step());
    let reason = alone.closed();
    assert!(
        matches!(&reason, CloseReason::Authentication(words) if words.contains("another password")),
        "{reason:?}"
    );
}

/// What a server says of the password that it wants is one short line, without anything that hides or
/// turns its words.
#[test]
fn a_servers_words_are_one_short_line() {
    for (said, shown) in [
        ("", ""),
        ("pass\u{1b}word for work", "password for work"),
        ("one\ntwo", "one"),
        ("a\u{202e}b\u{200b}c\u{2066}d\u{feff}e", "abcde"),
        (&"x".repeat(500), &format!("{}…", "x".repeat(60))),
    ] {
        let mut driver =
            Driver::started(changed(setup(Dialect::Modern), |setup| setup.local.may_prompt = true));
        driver.take();
        let prompt = Some(said.to_owned());
        driver.packet(ServerPacket::Connection(connection::FromServer::Challenge(Challenge {
            prompt,
            ..challenge("hmac+sha256", "hmac+sha256")
        })));
        let events = driver.events();
        assert!(
            matches!(&events[..], [SessionEvent::Connection(ConnectionEvent::PasswordNeeded { prompt, .. })] if prompt == shown),
            "{events:?}"
        );
    }
}

#[test]
fn the_user_is_asked_when_there_is_no_password() {
    let mut driver = Driver::started(changed(setup(Dialect::Modern), |setup| setup.local.may_prompt = true));
    driver.take();
    let prompt = Some("pass\u{1b}word for work".to_owned());
    driver.packet(ServerPacket::Connection(connection::FromServer::Challenge(Challenge {
        prompt,
        ..challenge("hmac+sha256", "hmac+sha256")
    })));
    let events = driver.events();
    assert!(
        matches!(&events[..], [SessionEvent::Connection(ConnectionEvent::PasswordNeeded { prompt, number: 1 })] if prompt == "password for work")
    );
    assert_eq!(driver.session.next_timeout(), None, "people may take their time");
    driver.input(ConnectionInput::Password(Secret::new(PASSWORD.to_owned())));
    assert!(driver.hello().get("challenge_response").is_some());
    assert!(driver.session.next_timeout().is_some());
    driver
        .input(ConnectionInput::Password(Secret::new("again".to_owned())))
        .input(ConnectionInput::PasswordCancelled);
    assert!(driver.take().is_empty(), "nobody asked");
}

#[test]
fn without_anyone_to_ask_the_login_fails() {
    let check = |setup: Setup, input: Option<Input>| {
        let mut driver = Driver::started(setup);
        driver.packet(ServerPacket::Connection(connection::FromServer::Challenge(challenge(
            "hmac+sha512",
            "hmac+sha512",
        ))));
        if let Some(input) = input {
            driver.input(input);
        }
        let reason = driver.closed();
        assert!(matches!(reason, CloseReason::Authentication(_)), "{reason:?}");
        assert_eq!(reason.exit_code(), 7);
    };
    let modern = || setup(Dialect::Modern);
    check(modern(), None);
    check(
        changed(modern(), |setup| setup.local.may_prompt = true),
        Some(Input::Connection(ConnectionInput::PasswordCancelled)),
    );
    check(
        changed(modern(), |setup| setup.local.may_prompt = true),
        Some(Input::Connection(ConnectionInput::Password(Secret::new(String::new())))),
    );
    check(changed(modern(), |setup| setup.config.password = Some(Secret::new(String::new()))), None);
}

#[test]
fn a_server_cannot_ask_forever() {
    let mut driver = Driver::started(changed(setup(Dialect::Modern), |setup| setup.local.may_prompt = true));
    for _ in 0..auth::MAX_CHALLENGES {
        driver.packet(ServerPacket::Connection(connection::FromServer::Challenge(challenge(
            "hmac+sha512",
            "hmac+sha512",
        ))));
        driver.input(ConnectionInput::Password(Secret::new(PASSWORD.to_owned())));
        driver.hello();
    }
    driver.packet(ServerPacket::Connection(connection::FromServer::Challenge(challenge(
        "hmac+sha512",
        "hmac+sha512",
    ))));
    assert!(matches!(driver.closed(), CloseReason::Authentication(_)));
}
