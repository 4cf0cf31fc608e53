//! Sessions that the viewer starts: through ssh, and on this machine.

use std::collections::BTreeSet;

use tempfile::TempDir;

use super::SOON;
use super::ssh::run;
use crate::support::display::Display;
use crate::support::sshd::{Options, Sshd, private_sockets};
use crate::support::viewer::{Viewer, command};
use crate::support::wait_for;
use crate::support::xpra::Generation;

/// The displays of the sessions in a list that live, each once: xpra lists every socket.
fn displays(list: &str) -> BTreeSet<String> {
    let lines = list.lines().filter(|line| !line.contains("UNKNOWN") && !line.contains("DEAD"));
    let words = lines.flat_map(str::split_whitespace).filter(|word| {
        let number = word.strip_prefix(':').unwrap_or_default();
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    words.map(str::to_owned).collect()
}

/// The only one of them.
#[track_caller]
fn only(list: &str) -> String {
    let mut found = displays(list);
    assert_eq!(found.len(), 1, "{list}");
    found.pop_first().unwrap_or_default()
}

/// An ssh server where there is an xpra and no session, and the folder of the sessions to come.
fn without_sessions(generation: Generation) -> (TempDir, Sshd) {
    let folder = tempfile::tempdir().expect("a folder");
    // xpra wants it for itself alone.
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(folder.path(), private).expect("chmod");
    let sshd =
        Sshd::start(&Options { xpra: Some((generation, folder.path().to_owned())), lines: Vec::new() });
    (folder, sshd)
}

/// Starts one, leaves it, finds it in the list, and comes back. A 3.1 server, which is connected to twice, starts once.
fn through_ssh(generation: Generation) {
    let (_folder, sshd) = without_sessions(generation);
    let (url, with) = (sshd.url(""), sshd.option("ssh"));
    let display = Display::bare();
    let start = "--start=xterm -T 'it is new' -e sleep 1000";
    let mut viewer = Viewer::start(&display, &["start", &url, &with, start]);
    viewer.window("it is new");
    viewer.stop();
    let (code, said) = run(&["list", &url, &with]);
    assert_eq!(code, 0, "{said}");
    let found = only(&said);
    let number = found.trim_start_matches(':');
    let mut viewer = Viewer::start(&display, &[&sshd.url(number), &with]);
    viewer.window("it is new");
    viewer.stop();
    // Where one is already, none is started.
    let (code, said) = run(&["start", &sshd.url(number), &with]);
    assert_ne!(code, 0, "{said}");
}

/// A whole desktop, in one window, which holds what was started in it.
fn a_desktop(generation: Generation) {
    let (_folder, sshd) = without_sessions(generation);
    let (url, with) = (sshd.url(""), sshd.option("ssh"));
    let display = Display::bare();
    let mut viewer = Viewer::start(&display, &["start-desktop", &url, &with, "--start=xclock"]);
    let desktop = viewer.wait_window("a desktop", |seen| seen.width > 600);
    let colours = || (display.x.grab(desktop.id)?.colours() > 1).then_some(());
    wait_for("the program in it", SOON, || viewer.log(), colours);
    viewer.stop();
    let (code, said) = run(&["info", &url, &with]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("desktop"), "{said}");
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
fn a_desktop_v3_1() {
    a_desktop(Generation::V3_1);
}

#[test]
fn a_desktop_v6_5() {
    a_desktop(Generation::V6_5);
}

#[test]
fn on_this_machine() {
    let display = Display::bare();
    let settings = tempfile::tempdir().expect("a folder");
    let settings_there = settings.path().display().to_string();
    let runtime = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(runtime.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700))
        .expect("chmod");
    std::fs::write(settings.path().join("xpra.conf"), private_sockets(runtime.path())).expect("a file");
    let runtime_there = runtime.path().display().to_string();
    let environment = [
        ("XPRA_SYSTEM_CONF_DIRS", "/nonexistent"),
        ("XPRA_USER_CONF_DIRS", &settings_there),
        ("XDG_RUNTIME_DIR", &runtime_there),
    ];
    let words = ["start", "--start=xterm -T 'it is near' -e sleep 1000"];
    let mut viewer = Viewer::start_with(&display, &words, &environment);
    viewer.window("it is near");
    let list = || {
        let output = command(&["list"])
            .env("XDG_RUNTIME_DIR", &runtime_there)
            .env("HOME", &runtime_there)
            .output()
            .expect("it starts");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let found = wait_for("the session in the list", SOON, list, || {
        let said = list();
        let found = displays(&said);
        (found.len() == 1 && said.contains("1 windows")).then_some(found)
    });
    assert!(only(&list()).starts_with(':'), "{found:?}");
}
