//! Sessions through a real ssh server.

use std::time::Duration;

use super::SOON;
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::sshd::{Options as SshdOptions, Sshd};
use crate::support::viewer::{Viewer, command};
use crate::support::wait_for;
use crate::support::xpra::{Generation, Options, XpraServer};

/// `farpane info` of a session through ssh, and how it ends.
pub fn info(words: &[&str]) -> (i32, String) {
    run(&[&["info"], words].concat())
}

/// A command without windows, without a terminal, and how it ends.
pub fn run(words: &[&str]) -> (i32, String) {
    let output = command(words).stdin(std::process::Stdio::null()).output();
    let output = output.expect("the program starts");
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    (output.status.code().expect("a code"), text.concat())
}

fn sshd_for(server: &XpraServer, lines: &[String]) -> Sshd {
    let xpra = Some((server.generation, server.directory().to_owned()));
    Sshd::start(&SshdOptions { xpra, lines: lines.to_vec() })
}

/// The processes that `parent` started and that are there, zombies too.
fn children(parent: u32) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").expect("/proc").flatten();
    let of_parent = |entry: std::fs::DirEntry| {
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        let behind = stat.rsplit_once(") ")?.1.to_owned();
        (behind.split(' ').nth(1)? == parent.to_string()).then_some(stat)
    };
    processes.filter_map(of_parent).collect()
}

fn with_server(generation: Generation) {
    let server = XpraServer::start(generation, &Options::default());
    let picture = Picture::smooth(200, 100);
    let _card = Card::open(server.x().name(), "far away", &picture, &Look::default());
    let sshd = sshd_for(&server, &[]);
    let number = server.x().name().trim_start_matches(':').to_owned();
    let with = sshd.option("ssh");

    // A display is given.
    let display = Display::bare();
    let mut viewer = Viewer::start(&display, &[&sshd.url(&number), &with]);
    viewer.window("far away");
    assert_eq!(children(viewer.pid()).len(), 1, "{:?}", children(viewer.pid()));
    // Whoever ends the session there: ssh goes with it, and the viewer says why.
    let stats = viewer.stop();
    assert_eq!(stats["network"]["transport"], "ssh");
    assert_eq!(stats["session"]["encryption"], "ssh");

    // None is given: it is the only one. Its shell talks.
    let noise = sshd.folder().join("noise");
    std::fs::write(&noise, "Password expires soon. P\nP\x10 PPP\0P\nno end of line").expect("a file");
    let talks = format!("ForceCommand cat {}; eval \"$SSH_ORIGINAL_COMMAND\"", noise.display());
    let talking = sshd_for(&server, &[talks]);
    let (code, said) = info(&[&talking.url(""), &talking.option("ssh")]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains(&format!(":{number}")), "{said}");

    // The server allows one command only, and its shell talks.
    let only = format!("ForceCommand cat {}; exec xpra _proxy", noise.display());
    let strict = sshd_for(&server, &[only]);
    let (code, said) = info(&[&strict.url("ignored"), &strict.option("ssh"), "--connect-timeout", "1"]);
    assert_eq!(code, 0, "{said}");

    // The session's end.
    let mut viewer = Viewer::start(&display, &[&sshd.url(&number), &with]);
    viewer.window("far away");
    server.stop();
    assert_eq!(viewer.exit_code(SOON), 3, "{}", viewer.log());
}

#[test]
fn v3_1() {
    with_server(Generation::V3_1);
}

#[test]
fn v6_5() {
    with_server(Generation::V6_5);
}

#[test]
fn a_missing_session_is_said_to_be_missing() {
    let folder = tempfile::tempdir().expect("a folder");
    let xpra = Some((Generation::V3_1, folder.path().to_owned()));
    let sshd = Sshd::start(&SshdOptions { xpra, ..SshdOptions::default() });
    let (code, said) = info(&[&sshd.url("77"), &sshd.option("ssh")]);
    assert_eq!(code, 5, "{said}");
    assert!(said.contains("there is no session :77 on 127.0.0.1"), "{said}");
    assert!(said.contains("ssh:  cannot find live server for display :77"), "{said}");
    let (code, said) = info(&[&sshd.url(""), &sshd.option("ssh")]);
    assert_eq!(code, 5, "{said}");
    assert!(said.contains("has no session, or several"), "{said}");
}

#[test]
fn who_stops_while_ssh_connects_is_not_waited_for() {
    let sshd = Sshd::start(&SshdOptions {
        lines: vec!["ForceCommand echo it waits >&2; sleep 1000".into()],
        xpra: None,
    });
    let display = Display::bare();
    let mut viewer = Viewer::start(&display, &[&sshd.url("77"), &sshd.option("ssh"), "--log", "debug"]);
    let pid = viewer.pid();
    wait_for("ssh to run", SOON, || viewer.log(), || viewer.log().contains("it waits").then_some(()));
    let ssh: Vec<String> =
        children(pid).iter().filter_map(|stat| Some(stat.split_once(' ')?.0.to_owned())).collect();
    viewer.interrupt();
    assert_eq!(viewer.exit_code(Duration::from_secs(10)), 0, "{}", viewer.log());
    for pid in ssh {
        assert!(!std::path::Path::new("/proc").join(&pid).exists(), "{pid} is still there");
    }
}
