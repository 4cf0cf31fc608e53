//! Certificates that nobody vouches for: the user is asked once, and told when another one comes.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::SOON;
use super::connect::dialog;
use super::transports::certificate;
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::program::run;
use crate::support::relay::Relay;
use crate::support::viewer::{Viewer, command};
use crate::support::wait_for;
use crate::support::xpra::{Generation, Options, XpraServer, free_port};

const NOT_REACHED: i32 = 5;
const DIALOG: &str = "Farpane: certificate";
const SHOWN: &str = "behind TLS";

#[test]
fn certificates_with_3_1() {
    asked_once(Generation::V3_1);
    there_is_none(Generation::V3_1);
}

#[test]
fn certificates_with_6_5() {
    asked_once(Generation::V6_5);
    there_is_none(Generation::V6_5);
}

/// As OpenSSL prints it: `AB:CD:…`.
fn fingerprint(certificate: &Path) -> String {
    let openssl = ["x509", "-noout", "-fingerprint", "-sha256", "-in"];
    let said = run(Command::new("openssl").args(openssl).arg(certificate));
    said.trim().split_once('=').expect("a fingerprint").1.to_owned()
}

/// Waits for the question's content, and gives it the focus. Its picture is kept.
fn question(display: &Display, viewer: &mut Viewer, picture: &str) {
    let dialog = dialog(display, viewer, DIALOG);
    display.x.grab(dialog.id).expect("the dialog").save(picture);
}

/// `farpane WORDS` without a window, with the list of trusted servers below `data`: its exit code, and what it said.
fn said(data: &Path, words: &[&str]) -> (i32, String) {
    let output = command(words).env("XDG_DATA_HOME", data).output().expect("it starts");
    let text =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    (output.status.code().expect("a code"), text)
}

fn asked_once(generation: Generation) {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let list = data.join("farpane/known-servers");
    let (both, cert) = certificate(folder.path());
    let old = fingerprint(&cert);
    // TLS on a tcp port, which both generations find out by the first bytes.
    let tls_port = free_port();
    let bind = format!("--bind-ssl=127.0.0.1:{tls_port}");
    let switches = vec![format!("--ssl-cert={}", both.display()), "--html=on".to_owned(), bind];
    let mut server = XpraServer::start(generation, &Options { switches, ..Options::default() });
    let _card = Card::open(server.x().name(), SHOWN, &Picture::smooth(200, 100), &Look::default());
    let relay = Relay::to(server.address());
    let url = relay.url().replace("tcp://", "ssl://");
    let display = Display::with_window_manager();
    let environment = [("XDG_DATA_HOME", data.to_str().expect("a path"))];
    let start = |url: &str| Viewer::start_with(&display, &[url], &environment);
    let keys = |keys: &[&str]| keys.iter().for_each(|key| display.x.xdotool(&["key", key]));

    // Nobody can be asked: refused, with what would trust it.
    let (code, text) = said(&data, &["info", &url]);
    assert_eq!(code, NOT_REACHED, "{text}");
    let way_out = format!("farpane trust {url}");
    assert!(text.contains("signed itself") && text.contains(&way_out) && text.contains(&old), "{text}");
    // Without TLS at the port that has nothing else.
    let (code, text) = said(&data, &["info", &format!("tcp://127.0.0.1:{tls_port}/")]);
    assert!(code != 0 && text.contains("ssl://"), "{text}");
    // No is what Enter and Escape say; nothing is kept.
    for key in ["Return", "Escape"] {
        let mut viewer = start(&url);
        question(&display, &mut viewer, &format!("certificate-{generation:?}"));
        keys(&[key]);
        assert_eq!(viewer.exit_code(SOON), NOT_REACHED, "{}", viewer.log());
        assert!(viewer.log().contains("was not trusted"), "{}", viewer.log());
    }
    assert!(!list.exists());

    // For this time; that holds when the connection is made again.
    let mut viewer = start(&url);
    question(&display, &mut viewer, "certificate-once");
    keys(&["Tab", "space"]);
    viewer.window(SHOWN);
    let connections = relay.accepted();
    relay.cut();
    wait_for("another connection", SOON, || viewer.log(), || (relay.accepted() > connections).then_some(()));
    let _second = Card::open(server.x().name(), "after the cut", &Picture::smooth(90, 60), &Look::default());
    viewer.window("after the cut");
    assert!(display.x.windows().iter().all(|window| window.title != DIALOG), "it asks again");
    viewer.stop();
    assert!(!list.exists());

    // For good, over the connect window, which says what it waits for.
    let mut viewer = Viewer::start_with(&display, &["open", &url], &environment);
    question(&display, &mut viewer, "certificate-kept");
    keys(&["Tab", "Tab", "space"]);
    viewer.window(SHOWN);
    let stats = viewer.stop();
    assert_eq!(stats["session"]["encryption"], "TLS, certificate trusted by you");
    let kept = std::fs::read_to_string(&list).expect("the list");
    let line = kept.lines().last().expect("a line");
    let at = url.trim_start_matches("ssl://").trim_end_matches('/');
    assert!(line.starts_with(&format!("{at} SHA256:{old} 20")), "{kept}");
    assert_eq!(std::fs::metadata(&list).expect("the list").permissions().mode() & 0o777, 0o600);
    // Neither ssl nor wss asks again.
    let wss = url.replace("ssl://", "wss://");
    for url in [&wss, &url] {
        let mut viewer = start(url);
        viewer.window(SHOWN);
        viewer.stop();
    }
    let (code, text) = said(&data, &["info", &url]);
    assert_eq!(code, 0, "{text}");
    let (code, text) = said(&data, &["trust", &url]);
    assert!(code == 0 && text.contains("trusted already"), "{text}");

    // Another certificate, while a session runs and when one begins: refused with both.
    let mut attached = start(&wss);
    attached.window(SHOWN);
    certificate(folder.path());
    let new = fingerprint(&cert);
    server.kill();
    server.start_again();
    assert_eq!(attached.exit_code(SOON), NOT_REACHED, "{}", attached.log());
    let refused = |text: &str| {
        let words = ["has changed since you trusted it on 20", &old, &new, "farpane trust --forget"];
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
    };
    refused(&attached.log());
    let (code, text) = said(&data, &["info", &url]);
    assert_eq!(code, NOT_REACHED, "{text}");
    refused(&text);
    let link = Viewer::start_with(&display, &["open", &url], &environment);
    in_red(&display, link, generation);
    // The way out that it names.
    let (code, text) = said(&data, &["trust", "--forget", at]);
    assert_eq!(code, 0, "{text}");
    let (code, text) = said(&data, &["trust", &url, "--fingerprint", &old]);
    assert_eq!(code, NOT_REACHED, "{text}");
    let (code, text) = said(&data, &["trust", &url, "--fingerprint", &new]);
    assert_eq!(code, 0, "{text}");
    let (code, text) = said(&data, &["info", &url]);
    assert_eq!(code, 0, "{text}");
    let (code, text) = said(&data, &["trust", "--list"]);
    assert!(code == 0 && text.contains(&new) && !text.contains(&old), "{text}");
}

/// TLS is asked for where there is no certificate.
fn there_is_none(generation: Generation) {
    // 6.5.5 finds the one that Debian's package of 3.1.3 makes.
    let options = Options { switches: vec!["--ssl=off".to_owned()], ..Options::default() };
    let server = XpraServer::start(generation, &options);
    let (code, text) = said(server.directory(), &["info", &server.url().replace("tcp://", "ssl://")]);
    assert!(code == NOT_REACHED && text.contains("tcp://") && text.contains("TLS"), "{text}");
}

/// The connect window shows the refusal in red.
fn in_red(display: &Display, mut viewer: Viewer, generation: Generation) {
    let window = super::connect::connect_window(&mut viewer);
    let is_red = |pixel: &[u8]| pixel[0] >= 200 && pixel[1] <= 130 && pixel[2] <= 130;
    wait_for(
        "the refusal in red",
        SOON,
        || viewer.log(),
        || {
            let picture = display.x.grab(window.id)?;
            let red = picture.rgb.chunks(3).filter(|pixel| is_red(pixel)).count();
            (red > 500).then(|| picture.save(&format!("certificate-changed-{generation:?}")))
        },
    );
    viewer.stop();
}
