//! Every form of an address, where it leads, and that Xpra's own clients of both generations go there
//! too.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Stdio;

use farpane::config::Request;
use farpane::net::address::redacted;
use farpane::net::{Endpoint, Target};
use proptest::prelude::*;

use crate::support::xpra::{Generation, python};

/// What is written, and what it means; after a `!` the words that the refusal must have.
const FORMS: &[(&str, &str)] = &[
    // Plain TCP.
    ("tcp://host", "tcp host 14500"),
    ("tcp://host/", "tcp host 14500"),
    ("tcp://host:1000", "tcp host 1000"),
    ("tcp://host:1000/", "tcp host 1000"),
    ("tcp://host:1000/7", "tcp host 1000 display=7"),
    ("tcp://host:1000/:7", "tcp host 1000 display=7"),
    ("tcp://host:1000/tcp:192.0.2.7:10000", "tcp host 1000 display=tcp:192.0.2.7:10000"),
    ("tcp://user@host/", "tcp host 14500 user=user"),
    ("tcp://user:pw@host:1000/7", "tcp host 1000 display=7 user=user password=pw"),
    ("tcp://user:p@w@host:1000/7", "tcp host 1000 display=7 user=user password=p@w"),
    ("tcp://user:p%40w@host:1000/7", "tcp host 1000 display=7 user=user password=p@w"),
    ("tcp://user:a%2Fb%3Fc%23d%3Ae%25@host", "tcp host 14500 user=user password=a/b?c#d:e%"),
    ("TCP://host:1000/", "tcp host 1000"),
    ("tcp:host", "tcp host 14500"),
    ("tcp:host:1000", "tcp host 1000"),
    ("tcp:127.0.0.1:1000", "tcp 127.0.0.1 1000"),
    ("tcp:host:1000:7", "tcp host 1000 display=7"),
    ("tcp:host:1000/7", "tcp host 1000 display=7"),
    ("tcp:host:1000:secret", "! invalid port number"),
    ("ssh:host:secret", "! invalid port number"),
    ("tcp:user@host:1000", "tcp host 1000 user=user"),
    ("tcp:user:pw@host:1000", "tcp host 1000 user=user password=pw"),
    ("tcp:user:pw@host:1000:7", "tcp host 1000 display=7 user=user password=pw"),
    ("tcp/host", "tcp host 14500"),
    ("tcp/host:1000", "tcp host 1000"),
    ("tcp/127.0.0.1:1000", "tcp 127.0.0.1 1000"),
    ("tcp/host:1000/7", "tcp host 1000 display=7"),
    ("tcp/host/7", "tcp host 14500 display=7"),
    ("tcp/user@host:1000/7", "tcp host 1000 display=7 user=user"),
    ("tcp/user:pw@host:1000/7", "tcp host 1000 display=7 user=user password=pw"),
    ("xpra://host/", "tcp host 14500"),
    ("xpra://host:1000/7", "tcp host 1000 display=7"),
    ("xpra+tcp://host:1000/", "tcp host 1000"),
    ("xpratcp://host:1000", "tcp host 1000"),
    ("host", "tcp host 14500"),
    ("host:1000", "tcp host 1000"),
    ("host:1000/7", "tcp host 1000 display=7"),
    ("host/7", "tcp host 14500 display=7"),
    ("user@host:1000", "tcp host 1000 user=user"),
    ("user:pw@host:1000", "tcp host 1000 user=user password=pw"),
    ("ssl.example.org:1000", "tcp ssl.example.org 1000"),
    // TLS: never taken for a name with a password on plain TCP.
    ("ssl://host", "ssl host 443"),
    ("ssl://host:1000/7", "ssl host 1000 display=7"),
    ("tls://host:1000/", "ssl host 1000"),
    ("xpras://host", "ssl host 443"),
    ("xpra+ssl://host:1000/", "ssl host 1000"),
    ("xpra+tls://host:1000/", "ssl host 1000"),
    ("ssl:host:1000", "ssl host 1000"),
    ("SSL:host:1000", "ssl host 1000"),
    ("ssl:user:pw@host:1000", "ssl host 1000 user=user password=pw"),
    ("ssl:root:secret@host:1000", "ssl host 1000 user=root password=secret"),
    ("ssl/host:1000", "ssl host 1000"),
    ("ssl/user:pw@host:1000/7", "ssl host 1000 display=7 user=user password=pw"),
    // WebSocket: what stands after the host is the web server's, and stays as it is.
    ("ws://host/", "ws host 80"),
    ("ws://host:1000/", "ws host 1000"),
    ("ws://host:1000/path/to", "ws host 1000 display=path/to"),
    ("ws://host:1000/path/to/", "ws host 1000 display=path/to/"),
    ("ws://host:1000/a%20b/%2F/", "ws host 1000 display=a%20b/%2F/"),
    ("ws://host/a=b,c", "ws host 80 display=a=b,c"),
    ("ws:host:1000", "ws host 1000"),
    ("ws/host:1000", "ws host 1000"),
    ("http://host/", "ws host 80"),
    ("wss://host/", "wss host 443"),
    ("wss:host:1000", "wss host 1000"),
    ("wss:user:pw@host:1000", "wss host 1000 user=user password=pw"),
    ("wss/host:1000/7", "wss host 1000 display=7"),
    ("https://host/one/", "wss host 443 display=one/"),
    ("xpra+wss://host:1000/", "wss host 1000"),
    // ssh: understood, so that the refusal can say what to do.
    ("ssh://host", "ssh host 22"),
    ("ssh://host/7", "ssh host 22 display=7"),
    ("ssh://host:2222", "ssh host 2222"),
    ("ssh://user@host:2222/7", "ssh host 2222 display=7 user=user"),
    ("ssh:host", "ssh host 22"),
    ("ssh:host:7", "ssh host 22 display=7"),
    ("ssh:user@host:7", "ssh host 22 display=7 user=user"),
    ("ssh:user:pw@host:7", "ssh host 22 display=7 user=user password=pw"),
    ("ssh/host/7", "ssh host 22 display=7"),
    ("ssh/user@host/7", "ssh host 22 display=7 user=user"),
    ("ssh/user:pw@host:22/7", "ssh host 22 display=7 user=user password=pw"),
    ("xpra+ssh://host:7", "ssh host 7"),
    // This machine.
    (":100", "display 100"),
    ("100", "display 100"),
    (":100.0", "display 100"),
    ("wayland-1", "display wayland-1"),
    ("/tmp/x", "socket /tmp/x"),
    ("socket:/tmp/x", "socket /tmp/x"),
    ("socket:///tmp/x", "socket /tmp/x"),
    ("socket:///tmp/a%20b", "socket /tmp/a b"),
    ("socket://user:pw@/tmp/x", "socket /tmp/x user=user password=pw"),
    ("unix:/tmp/x", "socket /tmp/x"),
    ("unix-domain:/tmp/x", "socket /tmp/x"),
    ("unix-domain:///tmp/x", "socket /tmp/x"),
    ("@name", "abstract name"),
    ("socket:@name", "abstract name"),
    ("socket://@name", "abstract name"),
    ("unix-domain:@name", "abstract name"),
    // IPv6: in brackets, or with a zone behind which the port begins.
    ("[::1]:1000", "tcp ::1 1000"),
    ("tcp://[::1]/", "tcp ::1 14500"),
    ("tcp://[::1]:1000/7", "tcp ::1 1000 display=7"),
    ("tcp://user:pw@[2001:db8::7]:1000/", "tcp 2001:db8::7 1000 user=user password=pw"),
    ("tcp:[::1]:1000", "tcp ::1 1000"),
    ("tcp:[::1]:1000:7", "tcp ::1 1000 display=7"),
    ("tcp/[::1]:1000/7", "tcp ::1 1000 display=7"),
    ("ssh:[::1]:7", "ssh ::1 22 display=7"),
    ("tcp://[fe80::1%eth0]:1000/", "tcp fe80::1%eth0 1000"),
    ("tcp://[fe80::1%25eth0]:1000/", "tcp fe80::1%eth0 1000"),
    ("tcp://fe80::1%eth0:1000/", "tcp fe80::1%eth0 1000"),
    ("fe80::1%eth0", "tcp fe80::1%eth0 14500"),
    ("::1", "! write tcp://[::1]/"),
    ("tcp://::1/", "! write tcp://[::1]/"),
    ("tcp://::1", "! write tcp://[::1]/"),
    ("tcp://::1:1000/", "! write tcp://[::1:1000]/ or, with a port, tcp://[::1]:1000/"),
    ("tcp:::1:1000", "! write tcp://[::1:1000]/ or, with a port, tcp://[::1]:1000/"),
    ("fe80::1:1000", "! write tcp://[fe80::1:1000]/ or, with a port, tcp://[fe80::1]:1000/"),
    ("ssl://2001:db8::7/", "! write ssl://[2001:db8::7]/"),
    ("2001:db8:1:2:3:4:5:6:14500", "! write tcp://[2001:db8:1:2:3:4:5:6]:14500/"),
    ("tcp://[::1/", "! [IPv6 address]:PORT"),
    ("tcp://[::1]1000/", "! [IPv6 address]:PORT"),
    ("tcp://[host]:1000/", "! no IPv6 address"),
    ("tcp://[fe80::1%]/", "! no interface's name"),
    // Options.
    ("tcp://host:1000/?quality=50", "tcp host 1000 quality=50"),
    ("tcp://host:1000/7?quality=50&speed=3", "tcp host 1000 display=7 quality=50 speed=3"),
    ("tcp://host:1000/?quality=50#top", "tcp host 1000 quality=50"),
    ("tcp://host:1000/?username=anna@example.org", "tcp host 1000 username=anna@example.org"),
    // QUIC.
    ("quic://host", "quic host 14500"),
    ("quic://host:1000/", "quic host 1000"),
    ("quic://host:1000/a/b", "quic host 1000 display=a/b"),
    ("quic://user@[::1]:1000/", "quic ::1 1000 user=user"),
    ("quic:host:1000", "quic host 1000"),
    ("wt://host", "wt host 14500"),
    ("wt://host:1000/", "wt host 1000"),
    // What is no address.
    ("", "! no server given"),
    (":x", "! is not a display"),
    (":", "! is not a display"),
    ("@", "! abstract socket"),
    ("foo://host", "! `foo` is not a kind of connection"),
    ("vnc:host:1", "! `vnc` is not a kind of connection"),
    ("rfb://host:1/", "! `rfb` is not a kind of connection"),
    ("rdp/host", "! `rdp` is not a kind of connection"),
    ("vsock:10:2000", "vsock 10 2000"),
    ("vsock://2:70000/", "vsock 2 70000"),
    ("vsock://local", "vsock 1 14500"),
    ("vsock://host:x/", "! vsock://2:14500/"),
    ("vsock://-1:1/", "! vsock://2:14500/"),
    ("vsock://2:1/path", "! vsock://2:14500/"),
    ("vsock://", "! vsock://2:14500/"),
    ("named-pipe:x", "! `named-pipe` is not a kind of connection"),
    ("udp:host:1000", "! `udp` is not a kind of connection"),
    ("foo:host:1000", "! begins with ssl://, ws:// or wss://"),
    ("foo/host:1000", "! [SCHEME://]HOST[:PORT][/DISPLAY]"),
    ("tcp:14500", "! tcp://HOST:PORT/"),
    ("ssl:443", "! ssl://HOST:PORT/"),
    ("xpra:1234", "! tcp://HOST:PORT/"),
    ("tcp://", "! a host name"),
    ("tcp:", "! a host name"),
    ("tcp://:1000/", "! a host name"),
    ("host:1000:7", "! tcp://HOST:PORT/DISPLAY"),
    ("tcp://host:1000:7", "! tcp://HOST:PORT/DISPLAY"),
    ("host:99999", "! invalid port number"),
    ("host:0", "! port 0"),
    ("host:+80", "! invalid port number"),
    ("my host:1000", "! this cannot be a host's name"),
    ("socket://run/x", "! three slashes"),
    ("socket:///", "! the path of a socket"),
    ("socket:run/x", "! three slashes"),
    ("socket/run/x", "! the path of a socket"),
    // Passwords with characters that mean something else.
    ("tcp://root:sesamsecret:P/", "! --password-file"),
    ("tcp://root:sesam/secret@host:1000/", "! @ is written as %40"),
    ("tcp://root:sesam#secret@host:1000/", "! @ is written as %40"),
    ("tcp://root:sesam?secret@host:1000/", "! @ is written as %40"),
    ("tcp://root:12/secret@host:1000/", "! @ is written as %40"),
    ("tcp://root:se@s/am#secret@host:1000/", "! @ is written as %40"),
    ("tcp://root:se@s#secret@host:1000/", "! @ is written as %40"),
    ("tcp://root:se@s?secret@host:1000/", "! @ is written as %40"),
    ("tcp://root:12#secret@host:1000/", "! @ is written as %40"),
    ("tcp://root:12?secret@host:1000/", "! @ is written as %40"),
    (":secret@host:1000", "! is not a display"),
];

/// Where the clients and Farpane do not agree, and why Farpane is right.
fn differs(form: &str, generation: Generation) -> Option<&'static str> {
    let old = generation == Generation::V3_1;
    match form {
        _ if form.contains("p%40w") || form.contains("%2F") || form.contains("a%20b") => {
            Some("the clients do not decode, and 3.1.3 joins a path with colons")
        }
        "tcp://[fe80::1%25eth0]:1000/" => Some("RFC 6874 writes a zone so"),
        _ if form.starts_with("ssh:user") && !old => Some("6.5.5 takes 3.1.3's display for ssh's port"),
        "ssh:[::1]:7" if !old => Some("the same"),
        _ if old && ["ssl://host", "ws://host/", "wss://host/", "ws://host/a=b,c"].contains(&form) => {
            Some("3.1.3's port of ssl, ws and wss is tcp's: 443 and 80 are what is behind web servers")
        }
        _ if old && form.contains("host:1000/path") => Some("3.1.3 joins a path with colons to the host"),
        "tcp://host:1000/tcp:192.0.2.7:10000" | "tcp:host:1000:7" | "tcp:host:1000/7" if old => {
            Some("3.1.3 takes all of it for the host's name")
        }
        "tcp:host:1000/7" | "::1" | "fe80::1%eth0" => Some("a display in two different ways"),
        "tcp://::1" | "tcp://::1/" | "tcp://::1:1000/" | "tcp:::1:1000" | "ssl://2001:db8::7/" => {
            Some("where the port begins, the two do not agree: nothing is guessed")
        }
        "tcp://[::1/" | "tcp://[::1]1000/" | "tcp://[host]:1000/" | "tcp://[fe80::1%]/" => Some("no address"),
        "tcp://host:1000:7" if old => Some("3.1.3 takes all of it for the host's name"),
        "socket:@name" | "socket://@name" | "socket://run/x" | "socket:run/x" | "socket/run/x" => {
            Some("3.1.3 takes a relative path")
        }
        "socket:///tmp/a%20b" | "socket://user:pw@/tmp/x" => Some("the path is decoded"),
        "ws://host/a=b,c" => Some("6.5.5 looks for options in a web server's path"),
        "@" => Some("a socket without a name"),
        "@name" => Some("6.5.5 has an abstract name as path and display"),
        "tcp://" | "tcp:" | "tcp://:1000/" | "socket:///" => Some("no host"),
        "tcp:14500" | "ssl:443" | "xpra:1234" => Some("a port without a host"),
        _ if old && (form.starts_with("quic") || form.starts_with("wt")) => Some("3.1.3 has no QUIC"),
        "vnc:host:1" | "rfb://host:1/" | "udp:host:1000" => Some("a kind of connection that Farpane lacks"),
        _ if form.starts_with("vsock") => Some("they look for a part of Xpra that is not everywhere"),
        _ if form.contains("secret") => Some("a password that the clients take for something else"),
        "tcp://host:1000/?username=anna@example.org" | "host:0" | "host:99999" => Some("odd"),
        ":x" | ":" => Some("a display's name of another system"),
        _ => None,
    }
}

/// A target in the words of the table.
fn words(target: &Target) -> String {
    let mut words = match &target.endpoint {
        Endpoint::Tcp(at) => format!("tcp {} {}", at.host, at.port),
        Endpoint::Tls(at) => format!("ssl {} {}", at.host, at.port),
        Endpoint::WebSocket { at, secure: false } => format!("ws {} {}", at.host, at.port),
        Endpoint::WebSocket { at, secure: true } => format!("wss {} {}", at.host, at.port),
        Endpoint::Quic { at, framing } => format!("{} {} {}", framing.scheme(), at.host, at.port),
        Endpoint::Ssh(at) => format!("ssh {} {}", at.host, at.port),
        Endpoint::Vsock(at) => format!("vsock {} {}", at.cid, at.port),
        Endpoint::Unix(path) => format!("socket {}", path.display()),
        Endpoint::Abstract(name) => format!("abstract {name}"),
        Endpoint::Display(name) => format!("display {name}"),
    };
    let password = target.password.as_ref().map(|password| password.expose().to_owned());
    for (name, value) in [("display", &target.display), ("user", &target.username), ("password", &password)] {
        if let Some(value) = value {
            let _ = write!(words, " {name}={value}");
        }
    }
    for (name, value) in &target.options {
        let _ = write!(words, " {name}={value}");
    }
    words
}

#[test]
fn every_form_leads_where_it_should() {
    let mut wrong = Vec::new();
    for (form, expected) in FORMS {
        match (Target::parse(form), expected.strip_prefix("! ")) {
            (Ok(target), None) if words(&target) == *expected => {
                // What is shown of it leads to the same place again, without the password.
                let shown = Target::parse(&target.to_string()).expect("what is shown");
                let bare = Target { username: None, password: None, options: Vec::new(), ..target.clone() };
                assert_eq!(shown, bare, "{form}: {target}");
            }
            (Err(error), Some(said)) if error.to_string().contains(said) => {}
            (Ok(target), _) => wrong.push(format!("{form}: {expected}, but {}", words(&target))),
            (Err(error), _) => wrong.push(format!("{form}: {expected}, but {error}")),
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Slips of the hand, each with the right form: no host called `ssl`, `.` or `127.0.0.1,14500` is looked for.
/// A path of a socket is shown so that it leads there again, whatever signs are in it.
#[test]
fn a_socket_with_signs_in_its_path_is_shown_as_one() {
    for path in ["/run/100%25", "/run/%61b", "/run/a?b=c", "/run/a b#c", "/run/me@here"] {
        let target = Target::parse(path).expect("a path");
        let shown = Target::parse(&target.to_string()).expect("an address");
        assert_eq!(shown.endpoint, target.endpoint, "{target}");
    }
    assert!(Target::parse("/").is_err() && Target::parse("socket:///").is_err());
}

#[test]
fn slips_are_answered_with_the_right_form() {
    const SLIPS: &[(&str, &str)] = &[
        ("tcp://ssl://host:1000/", "write one of them, as in ssl://HOST:PORT/"),
        ("ssl://ssl://host", "write one of them, as in ssl://HOST:PORT/"),
        ("tcp://ssl:host:1000", "write one of them, as in ssl://HOST:PORT/"),
        ("xpra://wss/host", "tcp wss 14500 display=host"),
        ("ssl:WSS://host", "write one of them, as in wss://HOST:PORT/"),
        ("tcp://ssl:1000/", "tcp ssl 1000"),
        ("tcp://ssl/", "tcp ssl 14500"),
        ("tcp://ssl:pw@host/", "tcp host 14500 user=ssl password=pw"),
        ("::1:23307", "write tcp://[::1]:23307/"),
        ("::1:23307/7", "write tcp://[::1]:23307/"),
        ("::1/100", "write tcp://[::1]/"),
        ("::1?quality=3", "write tcp://[::1]/"),
        ("tcp://::1]:1000/", "expected [IPv6 address]:PORT"),
        ("ssl:/host:1000", "as in ssl://HOST:PORT/"),
        ("wss//host:1000", "as in wss://HOST:PORT/"),
        ("tcp:///host:1000", "as in tcp://HOST:PORT/"),
        ("./run/x", "whole path, as in socket:///"),
        ("../x", "whole path, as in socket:///"),
        ("~/x", "whole path, as in socket:///"),
        ("..:1000", "cannot be a host's name"),
        ("127.0.0.1,1000", "cannot be a host's name"),
        ("127.0.0.1;1000", "cannot be a host's name"),
        ("tcp://ho%0Ast/", "cannot be a host's name"),
        ("tcp://ho\u{202e}st/", "cannot be a host's name"),
        ("tcp://b\u{fc}ro.my_lan:1000/", "tcp b\u{fc}ro.my_lan 1000"),
    ];
    for (slip, expected) in SLIPS {
        match Target::parse(slip) {
            Ok(target) => assert_eq!(words(&target), *expected, "{slip}"),
            Err(error) => assert!(error.to_string().contains(expected), "{slip}: {error}"),
        }
    }
    // Neither a host's name nor what is said of one is longer than names are.
    let long = "a".repeat(5000);
    for text in [long.clone(), format!("{long}://host"), format!("tcp://{long}:1/")] {
        let error = Target::parse(&text).expect_err("too long").to_string();
        assert!(error.len() < 300, "{error}");
    }
}

/// The real clients' own code understands the same.
#[test]
fn xpras_clients_go_to_the_same_place() {
    let forms: Vec<&str> = FORMS.iter().map(|(form, _)| *form).filter(|form| !form.is_empty()).collect();
    let mut wrong = Vec::new();
    for generation in [Generation::V3_1, Generation::V6_5] {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/addresses.py");
        let mut client = python(generation)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python");
        client.stdin.take().expect("it is piped").write_all(forms.join("\n").as_bytes()).expect("it reads");
        let output = client.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = said.lines().find(|line| line.starts_with('[')).unwrap_or_else(|| panic!("{said}"));
        let all: Vec<serde_json::Value> = serde_json::from_str(line).expect("JSON");
        assert_eq!(all.len(), forms.len());
        let mut agreed = 0;
        for (form, theirs) in forms.iter().zip(&all) {
            if differs(form, generation).is_some() || theirs.get("refused").is_some() {
                continue;
            }
            let ours = match Target::parse(form) {
                Ok(target) => words(&Target { options: Vec::new(), ..target }),
                Err(error) => error.to_string(),
            };
            let theirs = words_of_client(theirs);
            if ours == theirs {
                agreed += 1;
            } else {
                wrong.push(format!("{generation:?} {form}: {theirs}, but {ours}"));
            }
        }
        assert!(agreed > 40, "{generation:?} agreed on {agreed} only");
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// What a client's parser gave, in the words of the table.
fn words_of_client(given: &serde_json::Value) -> String {
    let text = |name: &str| match given.get(name) {
        Some(serde_json::Value::String(text)) => Some(text.clone()),
        Some(serde_json::Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let kind = text("type").unwrap_or_default();
    let display = text("display").map(|display| display.trim_start_matches(':').to_owned());
    if kind == "unix-domain" || kind == "socket" {
        return match (text("socket_path"), display) {
            (Some(path), _) => format!("socket {path}"),
            (None, display) => {
                let display = display.unwrap_or_default();
                format!("display {}", display.trim_end_matches(".0"))
            }
        };
    }
    let host = text("host").unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = text("port").unwrap_or_else(|| "22".to_owned());
    let mut words = format!("{kind} {host} {port}");
    for (name, value) in [("display", display), ("user", text("username")), ("password", text("password"))] {
        if let Some(value) = value {
            let _ = write!(words, " {name}={value}");
        }
    }
    words
}

#[test]
fn what_is_shown_of_a_bad_address_ends_at_its_first_colon() {
    for (text, shown) in [
        ("tcp://root:secret:P/", "tcp://root:…"),
        ("root:secret@host:x", "root:…"),
        ("ssl:root:secret@host:x", "ssl:root:…"),
        ("ssl/root:secret@host:x", "ssl/root:…"),
        ("foo://root:secret@host", "foo://root:…"),
        ("root:se://cret@host", "root:…"),
        (":secret@host", ":…"),
        ("my host", "my host"),
        ("tcp://", "tcp://"),
    ] {
        assert_eq!(redacted(text), shown, "{text}");
    }
    assert!(redacted(&"x".repeat(5000)).len() < 100);
}

proptest! {
    /// A password with any character in it, in any form: it is understood, or no word of it is repeated.
    #[test]
    fn no_password_is_ever_printed(
        scheme in "(tcp|ssl|ws|wss|ssh|xpra|xpra\\+tcp|foo|quic|wt|vnc|)",
        separator in "(://|:|/)",
        begin in "[a-z0-9]{0,4}",
        special in "[@/#?:\\[\\]% ,;=&\\\\^|<>\"'+-]{0,3}",
        tail in "(@host|@host:1000|@host:1000/7|@host:P/|:P/|:1000/|@\\[::1\\]:1|@::1:1|@|@host/7\\?quality=5|)",
    ) {
        let scheme = if scheme.is_empty() { String::new() } else { format!("{scheme}{separator}") };
        let text = format!("{scheme}root:{begin}{special}sesamsecret{tail}");
        let understood = Target::parse(&text);
        let said = match &understood {
            Ok(target) => format!("{target} {target:?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        // Where the password's own characters made a host or display of it, there is no way to know.
        let is_place = understood.is_ok() && special.contains(['@', '/', '?', '#']);
        prop_assert!(is_place || !said.contains("sesam"), "{text}: {said}");
        if let Err(error) = Request::address(&text) {
            prop_assert!(!error.to_string().contains("sesam"), "{text}: {error}");
        }
    }
}
