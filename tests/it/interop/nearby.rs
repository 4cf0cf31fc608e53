//! Servers that announce themselves, on the loopback device alone, and somebody who announces what is not so.

use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use super::SOON;
use super::connect::{connect_window, focus};
use super::ssh::run;
use super::transports::certificate;
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::program::{Launch, Program};
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::xpra::{Generation, Options, XpraServer, free_port};

/// Announces services that lead nowhere, with texts that no terminal should see, and many of them.
const LIAR: &str = r#"
import socket, sys, time
from zeroconf import ServiceInfo, Zeroconf
net = Zeroconf(interfaces=["127.0.0.1"])
kind, here = "_xpra._tcp.local.", socket.inet_aton("127.0.0.1")
def say(service, port, **texts):
    texts = {"mode": "tcp", "display": ":1", "username": "mallory", **texts}
    net.register_service(ServiceInfo(kind, service + "." + kind, port, properties=texts, server=service + ".local.", addresses=[here]), cooperating_responders=True)
listens, closed = int(sys.argv[1]), int(sys.argv[2])
say("odd", listens, uuid="a", name="\x1b[31mred\u202e")
say("nowhere", closed, uuid="b", name="nobody is here")
print("ready", flush=True)
time.sleep(600)
"#;

fn liar(listens: u16, closed: u16) -> Program {
    let python =
        Launch::new("/usr/bin/python3").args(["-c", LIAR, &listens.to_string(), &closed.to_string()]);
    let mut program = python.start();
    wait_for("the announcer", SOON, String::new, || {
        program.assert_running();
        program.stdout().contains("ready").then_some(())
    });
    program
}

/// The line of `farpane list --mdns` with this port, once there is one.
#[track_caller]
fn listed(port: &str) -> (String, String) {
    let last = std::cell::RefCell::new(String::new());
    let context = || last.borrow().clone();
    wait_for(&format!("an announcement of {port}"), Duration::from_secs(90), context, || {
        let (code, said) = run(&["list", "--mdns"]);
        assert_eq!(code, 0, "{said}");
        *last.borrow_mut() = said.clone();
        let line = said.lines().find(|line| line.contains(&format!(":{port}/")))?.to_owned();
        Some((line, said))
    })
}

fn server(generation: Generation, name: &str, more: &[String]) -> XpraServer {
    let mut switches = vec!["--mdns=yes".to_owned(), format!("--session-name={name}")];
    switches.extend(more.iter().cloned());
    // 3.1.3 would have avahi's daemon do it.
    let environment = vec![("XPRA_PREFER_ZEROCONF", "1".to_owned())];
    XpraServer::start(generation, &Options { switches, environment, ..Options::default() })
}

fn port(server: &XpraServer) -> String {
    server.address().rsplit_once(':').expect("a port").1.to_owned()
}

/// What OpenSSL says of a port.
fn has_certificate(address: &str) -> bool {
    let words = ["s_client", "-connect", address];
    let openssl = Command::new("openssl").args(words).stdin(std::process::Stdio::null()).output();
    String::from_utf8_lossy(&openssl.expect("openssl").stdout).contains("BEGIN CERTIFICATE")
}

/// One test: what is announced on the loopback device is heard by all.
#[test]
fn sessions_nearby_are_listed_tried_and_opened() {
    let display = Display::with_window_manager();
    {
        // TLS is announced with and without a certificate, and there may be one that is made for the machine: what is
        // offered is what answers.
        let plain = server(Generation::V6_5, "plain one", &[]);
        let _card = Card::open(plain.x().name(), "behind", &Picture::smooth(200, 100), &Look::default());
        let (line, said) = listed(&port(&plain));
        let scheme = if has_certificate(&plain.address()) { "ssl" } else { "tcp" };
        assert!(line.starts_with(&format!("{scheme}://127.0.0.1:{}/ ", port(&plain))), "{said}");
        assert!(line.contains("plain one") && line.contains(plain.x().name()), "{said}");

        let mut viewer = Viewer::start(&display, &["--ssl-server-verify-mode=none"]);
        let window = connect_window(&mut viewer);
        display.x.grab(window.id).expect("the window").save("connect-window-nearby-before");
        focus(&display, &window);
        // The demo, and before it the entry that looks.
        display.x.xdotool(&["key", "--delay", "200", "shift+Tab", "shift+Tab", "Return"]);
        std::thread::sleep(Duration::from_secs(1));
        let looking = display.x.grab(window.id).expect("the window");
        looking.save("connect-window-nearby-looking");
        // What was found takes the focus of what looked for it: Enter opens it.
        let found = || display.x.grab(window.id).filter(|now| *now != looking);
        wait_for("the end of the search", SOON, || viewer.log(), found).save("connect-window-nearby");
        std::thread::sleep(Duration::from_millis(300));
        display.x.grab(window.id).expect("the window").save("connect-window-nearby");
        display.x.xdotool(&["key", "Return"]);
        viewer.window("behind");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (both, _) = certificate(folder.path());
    let with_tls = server(Generation::V3_1, "with tls", &[format!("--ssl-cert={}", both.display())]);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let listens = listener.local_addr().expect("it is bound").port();
    let closed = free_port();
    let _liar = liar(listens, closed);
    let (line, said) = listed(&listens.to_string());
    assert!(line.contains("mallory") && line.contains("red"), "{said}");
    assert!(!said.contains(|c: char| c != '\n' && farpane::protocol::text::is_hidden(c)), "{said:?}");
    assert!(!said.contains("nobody is here") && !said.contains(&format!(":{closed}/")), "{said}");
    let (line, said) = listed(&port(&with_tls));
    assert!(line.starts_with(&format!("ssl://127.0.0.1:{}/ ", port(&with_tls))), "{said}");
}

/// Nothing of it happens unasked: the port of multicast DNS stays free of us.
#[test]
fn nothing_is_asked_before_somebody_wants_it() {
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[]);
    connect_window(&mut viewer);
    std::thread::sleep(Duration::from_secs(1));
    let sockets: Vec<String> = std::fs::read_dir(format!("/proc/{}/fd", viewer.pid()))
        .expect("its files")
        .flatten()
        .filter_map(|file| Some(std::fs::read_link(file.path()).ok()?.display().to_string()))
        .collect();
    let udp = ["udp", "udp6"].map(|table| {
        std::fs::read_to_string(format!("/proc/{}/net/{table}", viewer.pid())).expect("the kernel's table")
    });
    let inodes =
        udp.iter().flat_map(|table| table.lines().skip(1)).filter_map(|line| line.split_whitespace().nth(9));
    for inode in inodes {
        assert!(!sockets.contains(&format!("socket:[{inode}]")), "{udp:?}");
    }
}
