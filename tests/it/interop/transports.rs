//! TLS and WebSocket, alone and together: the same pixels through every transport.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::attach::wait_picture;
use super::for_every_server;
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::viewer::Viewer;
use crate::support::xpra::{Generation, Options, XpraServer};

for_every_server!(encrypted_and_framed, who_you_are_is_shown);

const NOT_REACHED: i32 = 5;
const LIMIT: Duration = Duration::from_secs(60);

/// A certificate for `localhost` and 127.0.0.1 that nobody signed but itself; its key stands
/// before it in the first file, the second has no key.
pub fn certificate(folder: &Path) -> (PathBuf, PathBuf) {
    let file = |name: &str| folder.join(name);
    let status = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        .args([Path::new("-keyout"), &file("key.pem"), Path::new("-out"), &file("cert.pem")])
        .output()
        .expect("openssl");
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
    let read = |name: &str| std::fs::read_to_string(file(name)).expect("PEM");
    std::fs::write(file("both.pem"), read("key.pem") + &read("cert.pem")).expect("a file");
    (file("both.pem"), file("cert.pem"))
}

fn encrypted_and_framed(generation: Generation) {
    let folder = tempfile::tempdir().expect("a folder");
    let (both, cert) = certificate(folder.path());
    let switches = vec![format!("--ssl-cert={}", both.display()), "--html=on".to_owned()];
    let server = XpraServer::start(generation, &Options { switches, ..Options::default() });
    // Some hundred KB as raw pixels, so that payloads span many TLS records.
    let picture = Picture::sharp(501, 403);
    let _card = Card::open(server.x().name(), "behind", &picture, &Look::default());
    let trust = format!("--ssl-ca-certs={}", cert.display());
    let raw = ["--encodings", "rgb", "--compressors", "none", "--compression-level", "0"];
    for scheme in ["ws", "ssl", "wss"] {
        let url = format!("{scheme}://{}/", server.address());
        let display = Display::bare();
        let mut viewer = Viewer::start(&display, &[&[url.as_str(), &trust][..], &raw].concat());
        wait_picture(&mut viewer, "behind", &picture, &format!("transport-{scheme}"));
        let stats = viewer.stop();
        assert_eq!(stats["network"]["transport"], scheme);
        let received = stats["network"]["received"]["total"].as_f64().expect("bytes");
        assert!(received > 501.0 * 403.0 * 3.0, "{scheme}: {received} bytes are no raw picture");
        // TLS: rustls moves each byte twice. WebSocket: a few bytes a frame, whatever its size.
        let copied = copied_by_transport(&stats);
        let most = if scheme == "ws" { 0.1 } else { 2.1 };
        assert!(copied / received <= most, "{scheme}: {copied} bytes copied of {received}");
    }
    // Without being told to trust it, nobody does; and the refusal says what to do.
    let display = Display::bare();
    for scheme in ["ssl", "wss"] {
        let mut viewer = Viewer::start(
            &display,
            &[&format!("{scheme}://{}/", server.address()), "--ssl-server-verify-mode=required"],
        );
        assert_eq!(viewer.exit_code(LIMIT), NOT_REACHED, "{}", viewer.log());
        assert!(viewer.log().contains("--ssl-ca-certs"), "{}", viewer.log());
    }
    let url = format!("ssl://{}/", server.address());
    let mut careless = Viewer::start(&display, &[&url, "--ssl-server-verify-mode=none"]);
    careless.window("behind");
    assert!(careless.log().contains("NOT checked"), "{}", careless.log());
    careless.stop();
}

/// A server that lets in who has a certificate of its authority, here the certificate itself.
fn who_you_are_is_shown(generation: Generation) {
    let folder = tempfile::tempdir().expect("a folder");
    let (both, cert) = certificate(folder.path());
    let file = |name: &str, path: &Path| format!("--ssl-{name}={}", path.display());
    let mut switches = vec![file("cert", &both), file("ca-certs", &cert)];
    switches.push("--ssl-client-verify-mode=required".to_owned());
    let server = XpraServer::start(generation, &Options { switches, ..Options::default() });
    let _card = Card::open(server.x().name(), "for members", &Picture::smooth(200, 100), &Look::default());
    let url = format!("ssl://{}/", server.address());
    let display = Display::bare();
    let trust = file("ca-certs", &cert);
    let mut unknown = Viewer::start(&display, &[&url, &trust]);
    assert_ne!(unknown.exit_code(LIMIT), 0, "{}", unknown.log());
    assert!(unknown.log().contains("--ssl-cert=FILE"), "{}", unknown.log());
    let key = folder.path().join("key.pem");
    for mine in [vec![file("cert", &both)], vec![file("cert", &cert), file("key", &key)]] {
        let mut args = vec![url.as_str(), trust.as_str()];
        args.extend(mine.iter().map(String::as_str));
        let mut viewer = Viewer::start(&display, &args);
        viewer.window("for members");
        viewer.stop();
    }
}

pub(super) fn copied_by_transport(stats: &serde_json::Value) -> f64 {
    let sites = stats["memory"]["by_site"].as_array().expect("the sites");
    let transport = sites.iter().find(|site| site["name"] == "transport").expect("the transport's copies");
    transport["total"].as_f64().expect("a number")
}
