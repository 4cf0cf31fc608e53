//! Sessions over UDP: WebSocket over HTTP/3 and WebTransport, to 6.5.5 (3.1.3 has neither).

use std::path::Path;
use std::time::Duration;

use x11rb::protocol::Event;

use super::SOON;
use super::attach::wait_picture;
use super::clipboard::{copy, paste};
use super::transports::{certificate, copied_by_transport};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::udp_relay::UdpRelay;
use crate::support::viewer::{Viewer, command};
use crate::support::wait_for;
use crate::support::xpra::{Generation, Options, XpraServer, free_port};

const SERVER_ENDED: i32 = 3;
const CONNECTION_LOST: i32 = 4;
const NOT_REACHED: i32 = 5;
const LOGIN_REFUSED: i32 = 7;
const LIMIT: Duration = Duration::from_secs(60);
const RAW: [&str; 6] = ["--encodings", "rgb", "--compressors", "none", "--compression-level", "0"];

/// A server that listens on a UDP port too, which it is returned with. `auth`: what is asked of who comes there.
fn server(folder: &Path, auth: Option<&str>) -> (XpraServer, u16) {
    let (both, _) = certificate(folder);
    let port = free_port();
    let mut switches = vec![
        format!("--bind-quic=127.0.0.1:{port}"),
        format!("--ssl-cert={}", both.display()),
        format!("--ssl-key={}", folder.join("key.pem").display()),
        "--xvfb=Xvfb +extension GLX +extension Composite +extension RANDR +extension RENDER -screen 0 3840x2160x24+32 \
         -nolisten tcp -noreset -dpi 96x96"
            .to_owned(),
    ];
    switches.extend(auth.map(|auth| format!("--quic-auth={auth}")));
    let server = XpraServer::start(Generation::V6_5, &Options { switches, ..Options::default() });
    (server, port)
}

fn trust(folder: &Path) -> String {
    format!("--ssl-ca-certs={}", folder.join("cert.pem").display())
}

#[test]
fn a_session_over_udp() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, port) = server(folder.path(), None);
    let trust = trust(folder.path());
    let picture = Picture::sharp(501, 403);
    let card = Card::open(server.x().name(), "behind", &picture, &Look::default());
    for scheme in ["quic", "wt"] {
        let url = format!("{scheme}://localhost:{port}/");
        let display = Display::with_window_manager();
        let mut viewer = Viewer::start(&display, &[&[url.as_str(), &trust][..], &RAW].concat());
        wait_picture(&mut viewer, "behind", &picture, &format!("transport-{scheme}"));
        let id = viewer.window("behind").id;
        display.x.focus(id);
        card.wait_event("the focus", |event| matches!(event, Event::FocusIn(_)).then_some(()));
        display.x.xdotool(&["key", "a"]);
        card.wait_event("a key", |event| matches!(event, Event::KeyPress(_)).then_some(()));
        card.wait_event("its release", |event| matches!(event, Event::KeyRelease(_)).then_some(()));
        // More than we send ahead. Servers wait for 2.5 s for it, and read UDP slowly on a busy machine.
        let text: Vec<u8> =
            (0..500_000_u32).map(|n| b'a' + (n.wrapping_mul(2_654_435_761) >> 24) as u8 % 26).collect();
        let wait_paste = |display: &str, wanted: &[u8], viewer: &Viewer<'_>| {
            let context = || format!("{}\n{}", viewer.log(), crate::support::tail(&server.log(), 20));
            wait_for("the text", SOON, context, || {
                (paste(display, "clipboard", "UTF8_STRING").as_deref() == Some(wanted)).then_some(())
            });
        };
        let owner = copy(display.name(), "clipboard", "UTF8_STRING", &text);
        wait_paste(server.x().name(), &text, &viewer);
        drop(owner);
        let _owner = copy(server.x().name(), "clipboard", "UTF8_STRING", &text);
        wait_paste(display.name(), &text, &viewer);

        let stats = viewer.stop();
        assert_eq!(stats["network"]["transport"], scheme);
        assert_eq!(stats["session"]["encryption"], "TLS, certificate checked");
        let received = stats["network"]["received"]["total"].as_f64().expect("bytes");
        assert!(received > 501.0 * 403.0 * 3.0, "{scheme}: {received} bytes are no raw picture");
        // QUIC: quinn moves each byte twice. WebSocket: a few bytes a frame, whatever its size.
        let copied = copied_by_transport(&stats);
        let factor = copied / received;
        assert!((1.9..=2.1).contains(&factor), "{scheme}: {copied} bytes copied of {received}");
    }
    drop(card);
    // As raw pixels 33 MB, twice what QUIC lets a server send ahead.
    let large = Picture::sharp(3840, 2160);
    let _card = Card::open(server.x().name(), "large", &large, &Look::default());
    let url = format!("quic://localhost:{port}/");
    let display = Display::bare_of(3840, 2160);
    let words = [url.as_str(), &trust, "--reconnect=no"];
    let mut viewer = Viewer::start(&display, &[&words[..], &RAW].concat());
    wait_picture(&mut viewer, "large", &large, "quic-large");

    refusals(port, &trust);
    // Who stops a server ends its sessions, with its words if these arrive: servers do not wait for that.
    server.stop();
    let code = viewer.exit_code(LIMIT);
    let said = viewer.log().contains("server shutdown");
    assert_eq!(code, if said { SERVER_ENDED } else { CONNECTION_LOST }, "{}", viewer.log());
}

fn refusals(port: u16, trust: &str) {
    let display = Display::bare();
    let (asks_nobody, elsewhere) = ("--ssl-server-verify-mode=required", "--ssl-server-hostname=elsewhere");
    for scheme in ["quic", "wt"] {
        let url = format!("{scheme}://localhost:{port}/");
        for (words, wanted) in [
            (&[url.as_str(), asks_nobody][..], "--ssl-ca-certs"),
            (&[&url, trust, asks_nobody, elsewhere], "for another name, `localhost`, `127.0.0.1`"),
        ] {
            let mut viewer = Viewer::start(&display, words);
            assert_eq!(viewer.exit_code(LIMIT), NOT_REACHED, "{}", viewer.log());
            assert!(viewer.log().contains(wanted), "{}", viewer.log());
        }
    }
    let url = format!("quic://localhost:{port}/");
    let output = command(&["info", &url, "--ssl-server-verify-mode=none"]).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("NOT checked"), "{said}");
}

/// A login, and links that lead elsewhere, go dead, and end.
#[test]
fn a_session_over_udp_outlives_its_way() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut server, port) = server(folder.path(), Some("password:value=sesame"));
    let trust = trust(folder.path());
    let info = |password: &str| {
        let words = ["info", &format!("quic://127.0.0.1:{port}/"), &trust];
        let output = command(&words).env("FARPANE_PASSWORD", password).output().expect("it starts");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = info("sesame");
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = info("open");
    assert_eq!(code, Some(LOGIN_REFUSED), "{said}");

    let picture = |number: usize| Picture::smooth(1000, 200).crop(number % 8 * 80, 0, 300, 200);
    let card = Card::open(server.x().name(), "lasting", &picture(1), &Look::default());
    let display = Display::with_window_manager();
    let secret = [("FARPANE_PASSWORD", "sesame")];
    let shown = |viewer: &mut Viewer<'_>, wanted: &Picture| {
        let window = viewer.window("lasting");
        wait_for(
            "the picture",
            SOON,
            || viewer.log(),
            || (display.x.grab(window.id)?.psnr(wanted) > 30.0).then_some(()),
        );
    };
    let relay = UdpRelay::to(port);
    let url = format!("quic://127.0.0.1:{}/", relay.port());
    let words = [url.as_str(), &trust, "--log=info", "--silence-timeout=6"];
    let mut viewer = Viewer::start_with(&display, &words, &secret);
    shown(&mut viewer, &picture(1));
    // A router forgets us, and gives us another port: nothing is lost by that.
    relay.change_ports();
    card.show(&picture(2));
    shown(&mut viewer, &picture(2));
    assert!(!viewer.log().contains("the connection is lost"), "{}", viewer.log());
    // Nothing gets through.
    relay.silence();
    let lost = |viewer: &Viewer<'_>| viewer.log().contains("the connection is lost").then_some(());
    wait_for("the loss", SOON, || viewer.log(), || lost(&viewer));
    card.show(&picture(3));
    relay.go_on();
    shown(&mut viewer, &picture(3));
    viewer.stop();

    // The server dies without a word: its machine says that nobody listens.
    let url = format!("wt://127.0.0.1:{port}/");
    let words = [url.as_str(), &trust, "--log=info", "--silence-timeout=600"];
    let mut viewer = Viewer::start_with(&display, &words, &secret);
    shown(&mut viewer, &picture(3));
    server.kill();
    wait_for("the loss", SOON, || viewer.log(), || lost(&viewer));
    assert!(viewer.log().contains("nothing listens on the server's UDP port any more"), "{}", viewer.log());
    server.start_again();
    card.show(&picture(4));
    shown(&mut viewer, &picture(4));
    viewer.stop();
}
