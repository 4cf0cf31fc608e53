//! Real servers through real proxies: OpenSSH's SOCKS4a and SOCKS5 (`ssh -D`), and tinyproxy with a login; and hosts with
//! several addresses.

use std::net::SocketAddr;
use std::process::Command;

use super::attach::wait_picture;
use super::ssh::info;
use super::transports::certificate;
use crate::net::dial::black_hole;
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::proxies::{HttpProxy, Names};
use crate::support::sshd::{Options as SshdOptions, Sshd};
use crate::support::viewer::{Viewer, command};
use crate::support::xpra::{Generation, Options, XpraServer, free_port};

const NOT_REACHED: i32 = 5;
/// A name that nothing but the HTTP proxy, or whoever is told so, knows.
const OFFICE: &str = "office.test";

fn said(command: &mut Command) -> (i32, String) {
    let output = command.stdin(std::process::Stdio::null()).output().expect("the program starts");
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    (output.status.code().expect("a code"), text.concat())
}

#[track_caller]
fn assert_info((code, said): (i32, String), proxy: &str) {
    assert_eq!(code, 0, "{said}");
    assert!(said.contains(&format!("\nproxy     {proxy}\n")), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

fn through(generation: Generation) {
    let folder = tempfile::tempdir().expect("a folder");
    let (both, cert) = certificate(folder.path());
    let switches = vec![format!("--ssl-cert={}", both.display()), "--html=on".to_owned()];
    let server = XpraServer::start(generation, &Options { switches, ..Options::default() });
    let picture = Picture::sharp(301, 203);
    let _card = Card::open(server.x().name(), "behind", &picture, &Look::default());
    let (address, trust) = (server.address(), format!("--ssl-ca-certs={}", cert.display()));
    let port = address.rsplit_once(':').expect("a port").1.to_owned();
    let url = |scheme: &str| format!("{scheme}://{address}/");
    let display = Display::bare();

    // OpenSSH. It is a process of this account on this machine, and yet the link behind it is nobody's secret.
    let sshd = Sshd::start(&SshdOptions { lines: vec!["LogLevel DEBUG2".into()], xpra: None });
    let socks_port = free_port();
    let socks = sshd.socks(socks_port);
    let five = format!("socks5://127.0.0.1:{socks_port}");
    let mut viewer = Viewer::start(&display, &[&url("tcp"), &format!("--proxy={five}")]);
    wait_picture(&mut viewer, "behind", &picture, "proxy-socks5");
    let stats = viewer.stop();
    assert_eq!(stats["session"]["encryption"], "none", "{stats}");
    assert!(sshd.log().contains(&format!("port {port}")), "{}", sshd.log());
    let by_words = format!("{}?proxy-host=127.0.0.1&proxy-port={socks_port}", url("wss"));
    assert_info(info(&[&by_words, &trust]), &five);
    let four = format!("socks4a://127.0.0.1:{socks_port}");
    assert_info(info(&[&url("ssl"), &trust, &format!("--proxy={four}")]), &four);
    // By the environment, and not where that is switched off: the name is one that this machine does not take for itself.
    let names = Names::new(&[&format!("127.0.0.1 {OFFICE}")]);
    let office = format!("tcp://{OFFICE}:{port}/");
    let by_environment = |words: &[&str]| {
        let mut command = command(&[&["info", &office][..], words].concat());
        command.envs(names.environment()).env("ALL_PROXY", format!("{five}/?rdns=no"));
        command
    };
    assert_info(said(&mut by_environment(&[])), &format!("{five}/?rdns=no"));
    let (code, without) = said(&mut by_environment(&["--proxy=none"]));
    assert!(code == 0 && !without.contains("\nproxy "), "{without}");
    let (code, without) = said(by_environment(&[]).env("no_proxy", "test"));
    assert!(code == 0 && !without.contains("\nproxy "), "{without}");
    drop(socks);
    let (code, gone) = said(&mut by_environment(&[]));
    assert_eq!(code, NOT_REACHED, "{gone}");
    assert!(gone.contains("cannot reach the proxy"), "{gone}");

    // tinyproxy, which alone knows the name.
    let proxy = HttpProxy::start(&names);
    let shown = format!("http://anna@{}", proxy.address());
    let login = format!("--proxy=http://{}@{}", HttpProxy::LOGIN, proxy.address());
    let wss = format!("wss://{OFFICE}:{port}/");
    let (trust, name) = (trust.as_str(), "--ssl-server-hostname=localhost");
    let mut viewer = Viewer::start(&display, &[&wss, trust, name, &login]);
    wait_picture(&mut viewer, "behind", &picture, "proxy-http");
    viewer.stop();
    for (scheme, more) in [("tcp", &[][..]), ("ws", &[]), ("ssl", &[trust, name])] {
        let there = format!("{scheme}://{OFFICE}:{port}/");
        assert_info(info(&[&[there.as_str(), &login][..], more].concat()), &shown);
    }
    assert!(proxy.log().contains(&format!("CONNECT {OFFICE}:{port}")), "{}", proxy.log());
    for (login, words) in [
        ("", "wants a login: write its address as http://NAME:PASSWORD@"),
        ("anna:wrong@", "refused the login (HTTP status "),
    ] {
        let (code, said) = info(&[&office, &format!("--proxy=http://{login}{}", proxy.address())]);
        assert_eq!(code, NOT_REACHED, "{said}");
        assert!(said.contains(words) && said.contains(&proxy.address()), "{said}");
    }
    // Nobody listens there, and nobody has that name.
    for nowhere in [format!("tcp://127.0.0.1:{socks_port}/"), format!("tcp://nobody.invalid:{port}/")] {
        let (code, said) = info(&[&nowhere, &login]);
        assert_eq!(code, NOT_REACHED, "{said}");
        assert!(said.contains("does not connect to") && said.contains("HTTP status 5"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
    // The first of the addresses answers nothing.
    let six: SocketAddr = format!("[::1]:{port}").parse().expect("an address");
    let _hole = black_hole(six);
    let twofold = Names::new(&[&format!("::1 {OFFICE}"), &format!("127.0.0.1 {OFFICE}")]);
    let mut command = command(&["info", &office, "--connect-timeout", "20"]);
    let (code, said) = said(command.envs(twofold.environment()));
    assert_eq!(code, 0, "{said}");
}

#[test]
fn v3_1() {
    through(Generation::V3_1);
}

#[test]
fn v6_5() {
    through(Generation::V6_5);
}

/// OpenSSH gives no reason, it closes: what that may mean is said.
#[test]
fn a_server_that_the_proxy_does_not_reach() {
    let sshd = Sshd::start(&SshdOptions::default());
    let port = free_port();
    let _socks = sshd.socks(port);
    let nowhere = format!("tcp://127.0.0.1:{}/", free_port());
    let (code, said) = info(&[&nowhere, &format!("--proxy=socks5://127.0.0.1:{port}")]);
    assert_eq!(code, NOT_REACHED, "{said}");
    assert!(said.contains("does the server run there?"), "{said}");
}
