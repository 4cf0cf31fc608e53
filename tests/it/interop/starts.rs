//! Sessions that the viewer starts: through ssh, and on this machine.

use super::SOON;
use super::ssh::run;
use crate::support::display::Display;
use crate::support::sshd::{Options, Sshd};
use crate::support::viewer::{Viewer, command};
use crate::support::wait_for;
use crate::support::xpra::Generation;

/// The displays in a list.
fn displays(list: &str) -> Vec<String> {
    let words = list.split_whitespace().filter(|word| {
        let number = word.strip_prefix(':').unwrap_or_default();
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    words.map(str::to_owned).collect()
}

/// Starts one, leaves it, finds it in the list, and comes back. A 3.1 server, which is connected to twice, starts once.
fn through_ssh(generation: Generation) {
    let folder = tempfile::tempdir().expect("a folder");
    let sshd =
        Sshd::start(&Options { xpra: Some((generation, folder.path().to_owned())), lines: Vec::new() });
    let (url, with) = (sshd.url(""), sshd.option("ssh"));
    let display = Display::bare();
    let start = "--start=xterm -T 'it is new' -e sleep 1000";
    let mut viewer = Viewer::start(&display, &["start", &url, &with, start]);
    viewer.window("it is new");
    viewer.stop();
    let (code, said) = run(&["list", &url, &with]);
    assert_eq!(code, 0, "{said}");
    let found = displays(&said);
    assert_eq!(found.len(), 1, "{said}");
    let mut viewer = Viewer::start(&display, &[&sshd.url(found[0].trim_start_matches(':')), &with]);
    viewer.window("it is new");
    viewer.stop();
    // Where one is already, none is started.
    let (code, said) = run(&["start", &sshd.url(found[0].trim_start_matches(':')), &with]);
    assert_ne!(code, 0, "{said}");
}

#[test]
fn v3_1() {
    through_ssh(Generation::V3_1);
}

#[test]
fn v6_5() {
    through_ssh(Generation::V6_5);
}

#[test]
fn on_this_machine() {
    let display = Display::bare();
    let environment = [("XPRA_SYSTEM_CONF_DIRS", "/nonexistent")];
    let words = ["start", "--start=xterm -T 'it is near' -e sleep 1000"];
    let mut viewer = Viewer::start_with(&display, &words, &environment);
    viewer.window("it is near");
    let home = viewer.home().to_owned();
    let list = || {
        let output =
            command(&["list"]).env("XDG_RUNTIME_DIR", &home).env("HOME", &home).output().expect("it starts");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let found = wait_for("the session in the list", SOON, list, || {
        let said = list();
        let found = displays(&said);
        (found.len() == 1 && said.contains("1 windows")).then_some(found)
    });
    assert!(found[0].starts_with(':'));
}
