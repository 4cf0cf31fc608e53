//! Session files: as Xpra's launcher writes and reads them, and a round trip that loses nothing.

use std::path::{Path, PathBuf};

use farpane::config::session_file::SessionFile;
use farpane::config::{ConfigError, Layer, Origin, Request, Settings};
use farpane::net::{Endpoint, HostPort, Secret, Target};
use proptest::prelude::*;

use crate::support;
use crate::support::xpra::{Generation, python};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn at(host: &str, port: u16) -> HostPort {
    HostPort { host: host.to_owned(), port }
}

#[test]
fn what_xpras_launchers_wrote_is_read() {
    let file = SessionFile::read(&golden("session-3.1.3.xpra")).expect("a file");
    assert_eq!(file.problems(), []);
    assert!(file.autoconnect());
    let request = file.request(true).expect("valid");
    assert_eq!(request.target.endpoint, Endpoint::Tls(at("server.example.org", 14501)));
    let config = Settings::default().config(&request).expect("valid");
    let session = &config.connection.session;
    assert_eq!(session.identity.username, "alice");
    assert_eq!(session.password.as_ref().map(Secret::expose), Some("hidden"));
    assert_eq!(session.pictures.preferred.as_deref(), Some("webp"));
    let pictures = &session.pictures;
    assert_eq!((pictures.quality, pictures.min_quality, pictures.speed), (Some(70), Some(30), None));
    assert!(session.share && config.connection.tls.verify && !config.connection.tls.check_hostname);
    assert!(!format!("{file:?}{config:?}").contains("hidden"));

    let file = SessionFile::read(&golden("session-6.5.5.xpra")).expect("a file");
    let request = file.request(true).expect("valid");
    let endpoint = Endpoint::WebSocket { at: at("server.example.org", 8443), secure: true };
    assert_eq!((request.target.endpoint.clone(), request.target.display.as_deref()), (endpoint, Some("100")));
    let session = Settings::default().config(&request).expect("valid").connection.session;
    assert_eq!(session.pictures.encodings.len(), 1);
    assert_eq!((session.compression_level, session.pictures.preferred), (3, None));
}

/// 6.5.5's own launcher code understands what Farpane writes.
#[test]
fn xpras_launcher_reads_what_was_written() {
    let mut options = Layer::default();
    for (name, value) in
        [("quality", "60"), ("encodings", "png,webp"), ("renderer", "cpu"), ("ssl-check-hostname", "no")]
    {
        options.set(name, value, Origin::CommandLine).expect("valid");
    }
    let target = Target::parse("wss://alice:secret@server.example.org:8443/100").expect("a URL");
    let mut file = SessionFile::new(&target, &options);
    assert!(!file.to_text().contains("secret"), "{}", file.to_text().as_str());
    file.set("autoconnect", "yes").expect("valid");
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("work.xpra");
    file.write(&path).expect("writable");
    let script = golden("session_files.py");
    let said = support::program::run(python(Generation::V6_5).arg(script).arg("read").arg(&path));
    let json = said.lines().find(|line| line.starts_with('{')).expect("a line of JSON");
    let read: serde_json::Value = serde_json::from_str(json).expect("JSON");
    assert_eq!(read["mode"], "wss");
    assert_eq!(read["host"], "server.example.org");
    assert_eq!((&read["port"], &read["path"]), (&8443.into(), &"100".into()));
    assert_eq!((&read["username"], &read["autoconnect"]), (&"alice".into(), &true.into()));
    assert_eq!((&read["quality"], &read["ssl-check-hostname"]), (&60.into(), &false.into()));
    assert_eq!(read["encodings"], serde_json::json!(["png,webp"]));
    assert_eq!(read.get("password"), None);
    // And Farpane reads it back.
    let again = SessionFile::read(&path).expect("a file").request(true).expect("valid");
    assert_eq!((again.target.endpoint, again.target.display), (target.endpoint, target.display));
}

const COMMENTED: &str = "# my server\r\n\r\nhost = old \r\nspeaker=off\r\n! note\r\nkey-shortcut=a:\\\r\n  b\r\nhost=second\r\nno pair\r\n=x";

#[test]
fn what_is_not_changed_stays_as_it_was() {
    let mut file = SessionFile::parse(COMMENTED);
    assert_eq!(*file.to_text(), COMMENTED);
    assert_eq!(file.values("key-shortcut").collect::<Vec<_>>(), ["a: b"]);
    assert_eq!(file.value("host"), Some("second"));
    file.set("host", "new").expect("valid");
    file.set("port", "1").expect("valid");
    assert_eq!(
        *file.to_text(),
        "# my server\r\n\r\nhost=new\r\nspeaker=off\r\n! note\r\nkey-shortcut=a:\\\r\n  b\r\nno pair\r\n=x\r\nport=1\r\n"
    );
    file.remove("port");
    for (name, value) in [
        ("a", "x\ny=z"),
        ("a", "x\\"),
        ("a=b", "x"),
        ("#a", "x"),
        ("", "x"),
        ("a\nb", "x"),
        ("password", "x"),
    ] {
        assert!(file.set(name, value).is_err(), "{name:?}={value:?}");
    }
}

#[test]
fn passwords_are_kept_out_unless_asked_for() {
    let mut file = SessionFile::parse("host=h\n");
    file.store_password(&Secret::new("s=e cret".to_owned())).expect("it can be held");
    assert_eq!(*file.to_text(), "host=h\npassword=s=e cret\n");
    assert_eq!(file.password().as_ref().map(Secret::expose), Some("s=e cret"));
    assert!(!format!("{file:?}").contains("cret"));
    file.forget_passwords();
    assert_eq!(*file.to_text(), "host=h\n");
    assert!(file.store_password(&Secret::new(" x".to_owned())).is_err());
}

#[test]
#[cfg(unix)]
fn only_the_owner_can_read_what_was_written() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("a.xpra");
    SessionFile::parse("host=h\n").write(&path).expect("writable");
    SessionFile::parse("host=i\n").write(&path).expect("writable again");
    assert_eq!(std::fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(dir.path()).expect("a directory").count(), 1);
}

#[test]
fn each_mode_leads_to_its_endpoint() {
    for (text, endpoint) in [
        ("host=h", Endpoint::Tcp(at("h", 14500))),
        ("host=h\nport=-1\nmode=tcp", Endpoint::Tcp(at("h", 14500))),
        ("host=[::1]\nport=1\nmode=SSL", Endpoint::Tls(at("::1", 1))),
        ("host=::1\nport=1", Endpoint::Tcp(at("::1", 1))),
        ("host=fe80::1%eth0", Endpoint::Tcp(at("fe80::1%eth0", 14500))),
        ("host=[::1]:15351", Endpoint::Tcp(at("::1", 15351))),
        ("host=127.0.0.1:15351", Endpoint::Tcp(at("127.0.0.1", 15351))),
        ("host=h:443\nport=-1\nmode=ssl", Endpoint::Tls(at("h", 443))),
        ("host=h:443\nport=443\nmode=ssl", Endpoint::Tls(at("h", 443))),
        ("host=h\nmode=ws", Endpoint::WebSocket { at: at("h", 80), secure: false }),
        (
            "host=h\nmode=quic",
            Endpoint::Quic { at: at("h", 14500), framing: farpane::net::quic::Framing::WebSocket },
        ),
        (
            "host=h\nport=7\nmode=wt",
            Endpoint::Quic { at: at("h", 7), framing: farpane::net::quic::Framing::WebTransport },
        ),
        ("host=h\nmode=ssh -> ssh\nport=7\nssh_port=2222", Endpoint::Ssh(at("h", 2222))),
        ("mode=display\nport=100", Endpoint::Display("100".into())),
        ("mode=socket\nport=:7", Endpoint::Display("7".into())),
        ("mode=socket\npath=/run/x", Endpoint::Unix("/run/x".into())),
        ("mode=unix-domain\npath=@x", Endpoint::Abstract("x".into())),
    ] {
        let request =
            SessionFile::parse(text).request(true).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(request.target.endpoint, endpoint, "{text}");
        let again = SessionFile::new(&request.target, &Layer::default()).request(true).expect("valid");
        assert_eq!(again.target, request.target, "{text}");
    }
}

#[test]
fn problems_name_their_field() {
    let problems = |text: &str| {
        let problems = SessionFile::parse(text).problems();
        problems.into_iter().map(|problem| (problem.name, problem.line, problem.message)).collect::<Vec<_>>()
    };
    for (text, name, line, message) in [
        ("", "host", 0, "no server"),
        ("host=a b", "host", 1, "is not a server's name"),
        ("host=a\nport=70000", "port", 2, "1 to 65535"),
        ("host=a\nmode=hyperv", "mode", 2, "`hyperv` is not a kind of connection"),
        ("mode=display", "port", 0, "number of a display"),
        ("host=a\nencryption=AES-GCM", "encryption", 2, "expected none, AES, AES-CBC or AES-CTR"),
        ("host=a\ntcp-encryption=DES", "tcp-encryption", 2, "expected none, AES, AES-CBC or AES-CTR"),
        ("host=ssl://a", "host", 1, "belongs behind mode="),
        ("host=a\nmode=TCP + AES-GCM", "mode", 2, "expected none, AES, AES-CBC or AES-CTR"),
        ("host=a:1\nport=2", "host", 1, "contradict each other"),
        ("host=a:b", "host", 1, "is not a server's name"),
        ("host=a:1:2", "host", 1, "is not a server's name"),
        ("host=root:secret@a", "host", 1, "`root:…` is not a server's name"),
        ("host=a\n\nquality=200", "quality", 3, "expected a number from 0 to 100"),
        (
            "host=a\nssl-server-verify-mode=maybe",
            "ssl-server-verify-mode",
            2,
            "expected one of ask, required, none",
        ),
    ] {
        let found = problems(text);
        assert!(
            found.iter().any(|p| p.0 == name && p.1 == line && p.2.contains(message)),
            "{text:?}: {found:?}"
        );
    }
    assert_eq!(problems("port=0x\nquality=x\nspeed=x\nmode=tcp").len(), 4);
}

/// A session file may come from anybody, like a link.
#[test]
fn a_strangers_file_asks_before_it_touches_files_or_checks() {
    let text = "host=h\nmode=ssl\nssl-server-verify-mode=none\npassword-file=/etc/passwd\nrecord=/tmp/x\nquality=5\nstart=xterm\n";
    let file = SessionFile::parse(text);
    let request = file.request(false).expect("valid");
    let Err(ConfigError::Questions(questions)) = Settings::default().config(&request) else {
        panic!("not asked")
    };
    let names: Vec<&str> = questions.iter().map(|question| question.name.as_str()).collect();
    assert_eq!(names, ["password-file", "record", "ssl-server-verify-mode"]);
    assert_eq!(file.request(true).expect("valid").questions, []);
}

#[test]
fn files_are_opened_by_name_and_by_url() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("my server.XPRA");
    std::fs::write(&path, "host=h\nport=2\nencodings=vp9\nencodings=png\n").expect("writable");
    let url = url::Url::from_file_path(&path).expect("an absolute path");
    for text in [path.display().to_string(), url.to_string()] {
        let request = Request::open(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(request.target.endpoint, Endpoint::Tcp(at("h", 2)));
        // Xpra knows more encodings.
        let config = Settings::default().config(&request).expect("valid");
        assert_eq!(config.connection.session.pictures.encodings.len(), 1);
    }
    std::fs::write(&path, "x".repeat(70_000)).expect("writable");
    let error = Request::open(&path.display().to_string()).expect_err("too large").to_string();
    assert!(error.contains("too large"), "{error}");
}

/// Files from before everything was UTF-8, and from editors that mark it.
#[test]
fn latin_1_and_byte_order_marks_are_read() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("old.xpra");
    std::fs::write(&path, b"# Anna's B\xfcro\nhost=h\nusername=j\xf6rg\n").expect("writable");
    let request = Request::open(&path.display().to_string()).expect("a file");
    assert_eq!(request.target.endpoint, Endpoint::Tcp(at("h", 14500)));
    assert_eq!(request.target.username.as_deref(), Some("jörg"));
    // What some editors of Windows call Unicode.
    for order in [u16::to_le_bytes, u16::to_be_bytes] {
        let text = "\u{feff}host=h\r\nusername=j\u{f6}rg\r\n";
        std::fs::write(&path, text.encode_utf16().flat_map(order).collect::<Vec<u8>>()).expect("writable");
        let request = Request::open(&path.display().to_string()).expect("a file");
        assert_eq!(request.target.endpoint, Endpoint::Tcp(at("h", 14500)));
        assert_eq!(request.target.username.as_deref(), Some("j\u{f6}rg"));
    }
    std::fs::write(&path, "\u{feff}host=h\n").expect("writable");
    let request = Request::open(&path.display().to_string()).expect("a file");
    assert_eq!(request.target.endpoint, Endpoint::Tcp(at("h", 14500)));
}

proptest! {
    #[test]
    fn any_text_survives(text in "([a-z=#!\\\\ \r\n\"]|\\PC){0,80}", value in "[a-z]{1,8}") {
        let mut file = SessionFile::parse(&text);
        let written = file.to_text();
        prop_assert_eq!(written.as_str(), text.trim_start_matches('\u{feff}'));
        let _ = file.problems();
        file.set("name-that-is-new", &value).expect("plain");
        let again = SessionFile::parse(&file.to_text());
        prop_assert_eq!(again.value("name-that-is-new"), Some(value.as_str()), "{:?}", file.to_text());
    }
}
