//! Every form that a server can be named in.

use std::path::PathBuf;

use farpane::net::uri::{DEFAULT_PORT, Endpoint, HostPort, Target, TargetError};
use proptest::prelude::*;

fn parse(text: &str) -> Target {
    Target::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn check(text: &str, endpoint: Endpoint) {
    assert_eq!(parse(text).endpoint, endpoint, "{text}");
}

fn at(host: &str, port: u16) -> HostPort {
    HostPort { host: host.to_owned(), port }
}

#[test]
fn every_form_is_understood() {
    check("tcp://host:1234/", Endpoint::Tcp(at("host", 1234)));
    check("TCP://host:1234", Endpoint::Tcp(at("host", 1234)));
    check("host:1234", Endpoint::Tcp(at("host", 1234)));
    check("host", Endpoint::Tcp(at("host", DEFAULT_PORT)));
    check("192.168.1.2", Endpoint::Tcp(at("192.168.1.2", DEFAULT_PORT)));
    check("[::1]:1234", Endpoint::Tcp(at("::1", 1234)));
    check("tcp://[fe80::1]/", Endpoint::Tcp(at("fe80::1", DEFAULT_PORT)));
    check("xpra://host", Endpoint::Tcp(at("host", DEFAULT_PORT)));
    check("xpra+tcp://host:1/", Endpoint::Tcp(at("host", 1)));
    check("ssl://host:1", Endpoint::Tls(at("host", 1)));
    check("xpra+ssl://host:1", Endpoint::Tls(at("host", 1)));
    check("ws://host", Endpoint::WebSocket { at: at("host", 80), secure: false });
    check("wss://host/", Endpoint::WebSocket { at: at("host", 443), secure: true });
    check("ssh://me@host/100", Endpoint::Ssh(at("host", 22)));
    check("socket:///run/xpra/vm-100", Endpoint::Unix(PathBuf::from("/run/xpra/vm-100")));
    check("socket:///a%20b", Endpoint::Unix(PathBuf::from("/a b")));
    check("/run/xpra/vm-100", Endpoint::Unix(PathBuf::from("/run/xpra/vm-100")));
    check("@name", Endpoint::Abstract("name".into()));
    check("socket://@name", Endpoint::Abstract("name".into()));
    check(":100", Endpoint::Display("100".into()));
    check(":100.0", Endpoint::Display("100".into()));
    check("100", Endpoint::Display("100".into()));
    check("wayland-1", Endpoint::Display("wayland-1".into()));
    check(" :7 ", Endpoint::Display("7".into()));
}

#[test]
fn credentials_display_and_options_are_taken_from_the_url() {
    let target = parse("tcp://me%40work:s%3Ae%2Fcret@host:1/100?encoding=png&quality=40");
    assert_eq!(target.username.as_deref(), Some("me@work"));
    assert_eq!(target.password.as_ref().map(|p| p.expose()), Some("s:e/cret"));
    assert_eq!(target.display.as_deref(), Some("100"));
    assert_eq!(
        target.options,
        [("encoding".to_owned(), "png".to_owned()), ("quality".to_owned(), "40".to_owned())]
    );
    let target = parse("socket://me:secret@/run/x");
    assert_eq!(target.endpoint, Endpoint::Unix(PathBuf::from("/run/x")));
    assert_eq!(target.username.as_deref(), Some("me"));
    assert_eq!(target.password.as_ref().map(|p| p.expose()), Some("secret"));
}

#[test]
fn what_cannot_be_understood_is_explained() {
    for (text, message) in [
        ("", "no server given"),
        ("gopher://host", "`gopher` is not a kind of connection"),
        ("tcp://", "`tcp://` is not a valid address"),
        ("host:99999", "is not a valid address"),
        ("host:0", "port 0"),
        ("socket://run/x", "three slashes"),
        ("socket:///", "the path of a socket"),
        (":x", "is not a display"),
    ] {
        let error = Target::parse(text).expect_err(text).to_string();
        assert!(error.contains(message), "{text}: {error}");
    }
    assert_eq!(Target::parse("  "), Err(TargetError::Empty));
}

#[test]
fn loopback_and_sockets_are_local() {
    for (text, local) in [
        ("localhost", true),
        ("127.0.0.1:1", true),
        ("[::1]:1", true),
        (":1", true),
        ("/x", true),
        ("wss://[::1]/", true),
        ("example.org", false),
        ("10.0.0.1", false),
    ] {
        assert_eq!(parse(text).is_local(), local, "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_panics_and_no_password_shows(text in "\\PC{0,40}", password in "[a-z]{12,20}") {
        let _ = Target::parse(&text);
        let url = format!("tcp://u:{password}@{text}");
        let shown = match Target::parse(&url) {
            Ok(target) => format!("{target} {target:?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        prop_assert!(!shown.contains(&password) || text.contains(&password), "{}", shown);
    }

    #[test]
    fn display_parses_back(host in "[a-z][a-z0-9-]{0,12}(\\.[a-z]{2,5})?", port in 1u16.., display in "[0-9]{0,4}") {
        let target = parse(&format!("tcp://{host}:{port}/{display}"));
        prop_assert_eq!(parse(&target.to_string()), target);
    }
}
