//! The program as people run it, against peers that are no Xpra server, or not for long: one
//! clear line on stderr and the documented exit code.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Command, Output};
use std::thread::JoinHandle;

use crate::support::display::Display;
use crate::support::picture::Picture;

const PROGRAM: &str = env!("CARGO_BIN_EXE_farpane");

/// Runs `farpane` with no password in its environment and returns what it printed.
pub(super) fn farpane(arguments: &[&str]) -> Output {
    Command::new(PROGRAM)
        .args(arguments)
        .env_remove("FARPANE_PASSWORD")
        .env_remove("FARPANE_LOG")
        .env("FARPANE_CONFIG", "")
        // Libraries of the renderer complain without one.
        .env("XDG_RUNTIME_DIR", std::env::temp_dir())
        .output()
        .expect("the program starts")
}

/// Checks the exit code and the one line on stderr, which must contain `message`.
pub(super) fn check(arguments: &[&str], code: i32, message: &str) {
    let output = farpane(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
    assert_eq!(stderr.lines().count(), 1, "{arguments:?}: {stderr}");
    assert!(stderr.starts_with("farpane: "), "{stderr}");
    assert!(stderr.contains(message), "{arguments:?}: expected {message:?} in {stderr}");
}

/// A loopback server that hands its connections to `serve`, one after the other.
pub(super) fn peer(
    connections: usize,
    serve: impl Fn(TcpStream) + Send + 'static,
) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("tcp://{}/", listener.local_addr().expect("it is bound"));
    let run = move || {
        for _ in 0..connections {
            serve(listener.accept().expect("a connection").0);
        }
    };
    let thread = std::thread::Builder::new().name("peer".into()).spawn(run).expect("a thread");
    (url, thread)
}

/// Checks what is said about a peer that sends `bytes` after the client's hello and closes.
fn check_peer(bytes: &'static [u8], code: i32, message: &str) {
    let (url, thread) = peer(1, move |mut stream| {
        let mut hello = [0; 8];
        stream.read_exact(&mut hello).expect("a record header");
        assert_eq!(hello[0], b'P');
        stream.write_all(bytes).expect("the client reads");
        stream.shutdown(Shutdown::Write).expect("the client is there");
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    check(&["info", &url], code, message);
    thread.join().expect("the peer is content");
}

#[test]
fn a_refused_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound").to_string();
    drop(listener);
    check(&["info", &address], 5, "refused the connection");
    for scheme in ["tcp", "ssl", "ws", "wss"] {
        let url = format!("{scheme}://{address}/");
        check(&["info", &url], 5, &format!("started with --bind-{scheme}={address}?"));
    }
}

#[test]
fn a_missing_socket_host_or_display() {
    check(&["info", "socket:///does/not/exist"], 5, "cannot connect to /does/not/exist");
    check(&["info", "tcp://host.invalid/"], 5, "cannot find the host `host.invalid`");
    check(&["info", ":98765"], 5, "no session for display :98765");
    check(&["info", "hyperv://host"], 2, "`hyperv` is not a kind of connection");
    check(&["info", "/etc/passwd"], 5, "/etc/passwd is no socket");
}

/// Addresses of one network only say through which interface they are reached.
#[test]
fn interfaces_of_ipv6_addresses() {
    check(&["info", "[fe80::1%nosuch0]:14500"], 5, "no network interface `nosuch0`");
    check(&["info", "fe80::1%nosuch0"], 5, "no network interface `nosuch0`");
    check(&["info", "[fe80::1]:14500"], 5, "for example [fe80::1%eth0]:14500");
}

/// Who types a command of Xpra's learns who has it; no host of that name is looked for.
#[test]
fn commands_of_xpra_are_named() {
    check(&["send-file", ":100"], 2, "no command `send-file`");
    check(&["shadow", "tcp://host/"], 2, "or through ssh");
    check(&["print", "ssh://host"], 2, "no command `print`");
    check(&["start", "tcp://host/", "--start=xterm"], 2, "or through ssh (farpane start ssh://HOST/)");
    check(&["list", "tcp://host/"], 5, "farpane list ssh://HOST/");
    check(&["--overlay", "version"], 2, "tcp://version/");
}

/// An address that stands in the place of something else is printed without its password too.
#[test]
fn no_password_is_printed_wherever_an_address_stands() {
    let address = "tcp://root:sesam@127.0.0.1:1/";
    for arguments in [
        &["replay", address][..],
        &["serve", address],
        &["info", ":1", "--password-file", address],
        &["info", ":1", "--config", address],
        &["screenshot", "x.png", address],
        &["record", address, address],
        &["info", ":1", "--encodings", address],
        &["info", ":1", "--log", address],
    ] {
        let output = farpane(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains("farpane: "), "{arguments:?}: {said}");
        assert!(!said.contains("sesam"), "{arguments:?}: {said}");
    }
    check(&["screenshot", "x.png", ":1"], 2, "expected `farpane screenshot URL FILE`");
}

/// A terminal does not do what a link or session file says.
#[test]
fn no_control_character_reaches_the_terminal() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("x.xpra");
    std::fs::write(&file, "host=h\nrecord=/tmp/\u{1b}]0;x\u{7}\u{202e}y\nmode=\u{1b}[31mtcp\n")
        .expect("writable");
    for what in [
        "tcp://127.0.0.1/?quality=%1b%5b31mx%e2%80%ae",
        "tcp://127.0.0.1:1/?%1b%5d0;x%07=1",
        "xpra://127.0.0.1/?record=%e2%80%aey",
        "xpra://127.0.0.1/?record=%1b%5d0;x",
        &file.display().to_string(),
    ] {
        let output = farpane(&["info", what]);
        let said = String::from_utf8(output.stderr).expect("UTF-8");
        assert!(!output.status.success() && said.contains("farpane: "), "{said}");
        assert!(!said.contains(|c: char| c != '\n' && farpane::protocol::text::is_hidden(c)), "{said:?}");
    }
}

/// Local sessions are found where servers put their sockets; a stale socket hides no live one.
#[test]
#[cfg(unix)]
fn local_displays_are_found() {
    use std::os::unix::net::UnixListener;

    let dir = tempfile::tempdir().expect("a temporary directory");
    let sockets = dir.path().join("xpra");
    std::fs::create_dir_all(sockets.join("77")).expect("writable");
    drop(UnixListener::bind(sockets.join("77/socket")).expect("a socket that nobody listens on"));
    let listener = UnixListener::bind(sockets.join("here-77")).expect("a socket");
    let run = move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        stream.write_all(b"RFB 003.008\n").expect("the client reads");
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    };
    let thread = std::thread::Builder::new().spawn(run).expect("a thread");
    let output = Command::new(PROGRAM)
        .args(["info", ":77"])
        .env("XDG_RUNTIME_DIR", dir.path())
        .env("XPRA_SOCKET_HOSTNAME", "here")
        .output()
        .expect("the program starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(6), "{stderr}");
    assert!(stderr.contains("VNC"), "{stderr}");
    thread.join().expect("the peer is content");
}

#[test]
fn connections_that_break() {
    check_peer(b"", 4, "before its first word (is this an Xpra port?");
    check_peer(b"P\x10\0\0\0\0\0\x40half", 4, "the connection was lost");
    check_peer(b"P\x10\0\0\xff\xff\xff\xff", 6, "allowed are");
    check_peer(b"P\x10\0\0\0\0\0\x04\xff\xff\xff\xff", 6, "");
}

#[test]
fn a_server_that_wants_bencode_gets_it() {
    let (url, thread) = peer(2, |mut stream| {
        let mut hello = [0; 8];
        stream.read_exact(&mut hello).expect("a record header");
        let is_modern = hello[1] & 0x10 != 0;
        let answer: &[u8] = if is_modern {
            b"disconnect: failed to parse bencode packet"
        } else {
            // ["disconnect", "go away"]
            b"P\0\0\0\0\0\0\x18l10:disconnect7:go awaye"
        };
        stream.write_all(answer).expect("the client reads");
        stream.shutdown(Shutdown::Write).expect("the client is there");
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    check(&["info", &url], 3, "go away");
    thread.join().expect("the peer is content");
}

/// Servers that go away before they know what a client speaks say why in an encoder of their own; 3.1.3 on its
/// ports for TLS, 6.5.5 on those for WebSocket.
#[test]
fn goodbyes_in_other_encoders_are_read() {
    let port = b"P\x01\0\0\0\0\0+\xc2\x8adisconnect\x9einvalid protocol for this port";
    check_peer(port, 6, "invalid protocol for this port (this port is for another kind of connection");
    let long = b"P\x01\0\0\0\0\0\x54\xc2\x8adisconnect70:too many connections, and this one is one more than the server is made for";
    check_peer(long, 6, "refused the connection: too many connections, and this");
    check_peer(b"P\0\0\0\0\0\0\x18l10:disconnect7:go awaye", 6, "refused the connection: go away");
    check_peer(
        b"disconnect connection setup failed, packet type is '' and not http?",
        6,
        "use a ws:// or wss://",
    );
    check_peer(b"disconnect\n", 6, "it gave no reason");
}

/// What never began is no recording.
#[test]
fn a_recording_that_never_began_is_a_failure() {
    let (url, thread) = peer(1, |mut stream| {
        stream.read_exact(&mut [0; 8]).expect("a record header");
        stream.write_all(b"P\0\0\0\0\0\0\x18l10:disconnect7:go awaye").expect("the client reads");
        stream.shutdown(Shutdown::Write).expect("the client is there");
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("x.fpr").display().to_string();
    check(&["record", "--protocol", "bencode", &url, &file], 3, "go away");
    thread.join().expect("the peer is content");
}

#[test]
fn help_and_version() {
    let version = farpane(&["--version"]);
    assert_eq!(version.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&version.stdout).starts_with("farpane 0."));
    let help = farpane(&["--help"]);
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    for expected in ["screenshot", "demo", "FARPANE_PASSWORD", "Exit codes:", "Examples:", "socket:///PATH"] {
        assert!(help.contains(expected), "{expected} in {help}");
    }
}

/// Of the options that all commands understand, each shows those that do something.
#[test]
fn help_of_a_command() {
    let cases: [(&[&str], &[&str], &[&str]); 8] = [
        (&["attach", "--help"], &["--overlay", "--quality", "--proxy", "--ssl-cert"], &[]),
        (
            &["list", "--help"],
            &["--mdns", "--ssh", "--log", "--config"],
            &["--overlay", "--quality", "--renderer"],
        ),
        (&["help", "stop"], &["--password-file", "--proxy", "--encryption"], &["--clipboard", "--title"]),
        (&["record", "-h"], &["--encodings", "--seconds"], &["--renderer", "--border"]),
        (&["screenshot", "--help"], &["--window", "--renderer", "--quality"], &["--clipboard", "--greeting"]),
        (
            &["serve", "--help"],
            &["--bind", "--rounds", "--log"],
            &["--quality", "--password-file", "--renderer"],
        ),
        (&["replay", "--help"], &["--stats-json", "--title", "--renderer"], &["--proxy", "--quality"]),
        (&["config", "--help"], &["--path", "--config"], &["--overlay", "--ssl-cert"]),
    ];
    for (words, shown, hidden) in cases {
        let output = farpane(words);
        assert_eq!(output.status.code(), Some(0), "{words:?}");
        let help = String::from_utf8_lossy(&output.stdout).into_owned();
        let has = |name: &str| {
            help.split(|c: char| c.is_whitespace() || "[],=".contains(c)).any(|word| word == name)
        };
        shown.iter().for_each(|name| assert!(has(name), "{name} is not in {words:?}: {help}"));
        hidden.iter().for_each(|name| assert!(!has(name), "{name} is in {words:?}: {help}"));
    }
    // They are understood all the same.
    assert_eq!(farpane(&["config", "--path", "--overlay", "--quality", "50"]).status.code(), Some(0));
}

/// What `make demo` runs where there is no display.
#[test]
fn the_demo_shows_itself() {
    let display = Display::with_window_manager();
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (picture, stats) = (dir.path().join("demo.png"), dir.path().join("stats.json"));
    let output = Command::new(PROGRAM)
        .args(["demo", "--seconds", "5", "--screenshot"])
        .arg(&picture)
        .arg("--stats-json")
        .arg(&stats)
        .env("DISPLAY", display.name())
        .output()
        .expect("the program starts");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(stdout.contains("Memory copies"), "{stdout}");
    let picture = Picture::load(&picture);
    assert_eq!((picture.width, picture.height), (1600, 1000));
    assert!(picture.colours() > 1000, "{} colours", picture.colours());
    let stats = std::fs::read(&stats).expect("the statistics were written");
    let stats: serde_json::Value = serde_json::from_slice(&stats).expect("JSON");
    assert!(stats["draws"]["drawn"].as_u64().is_some_and(|drawn| drawn > 20), "{stats}");
    assert_eq!(stats["draws"]["refused"], 0);
}

#[test]
fn a_screenshot_that_cannot_be_written() {
    let server = farpane::demo::Server::start("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let url = server.address().to_string();
    check(&["screenshot", &url, "/does/not/exist.png"], 1, "cannot write /does/not/exist.png");
    check(&["screenshot", &url, "x.png", "--window", "99"], 1, "there is no window 99: the session has");
}
