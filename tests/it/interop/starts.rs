//! Sessions that the viewer starts: through ssh, and on this machine.

use std::collections::BTreeSet;

use tempfile::TempDir;

use super::SOON;
use super::ssh::run;
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
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

/// The screen of somebody who sits there.
fn a_shadow(generation: Generation) {
    let (_folder, sshd) = without_sessions(generation);
    let there = Display::with_window_manager();
    let picture = Picture::smooth(500, 300);
    let _card =
        Card::open(there.name(), "there", &picture, &Look { at: (50, 50), placed: true, ..Look::default() });
    let (url, with) = (sshd.url(there.name().trim_start_matches(':')), sshd.option("ssh"));
    let display = Display::bare();
    let mut viewer = Viewer::start(&display, &["shadow", &url, &with]);
    let shadow = viewer.wait_window("a shadow", |seen| seen.width > 600);
    let colours = || (display.x.grab(shadow.id)?.colours() > 500).then_some(());
    wait_for("what is on that screen", SOON, || viewer.log(), colours);
    display.x.picture(shadow.id).save(&format!("shadow-{generation:?}"));
    let (code, said) = run(&["stop", &url, &with]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(viewer.exit_code(SOON), 3, "{}", viewer.log());
}

#[test]
fn a_shadow_v3_1() {
    a_shadow(Generation::V3_1);
}

#[test]
fn a_shadow_v6_5() {
    a_shadow(Generation::V6_5);
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

/// Where this machine's xpra (3.1.3) keeps the sessions of a test.
pub(super) struct Here {
    settings: TempDir,
    runtime: TempDir,
}

impl Here {
    pub(super) fn new() -> Self {
        let here = Self {
            settings: tempfile::tempdir().expect("a folder"),
            runtime: tempfile::tempdir().expect("a folder"),
        };
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(here.runtime.path(), private).expect("chmod");
        std::fs::write(here.settings.path().join("xpra.conf"), private_sockets(here.runtime.path()))
            .expect("a file");
        here
    }

    pub(super) fn viewer<'a>(&self, display: &'a Display, words: &[&str]) -> Viewer<'a> {
        self.viewer_with(display, words, &std::env::var("PATH").expect("a path"))
    }

    /// One that finds its programs there.
    fn viewer_with<'a>(&self, display: &'a Display, words: &[&str], programs: &str) -> Viewer<'a> {
        let path = |folder: &TempDir| folder.path().display().to_string();
        let (settings, runtime) = (path(&self.settings), path(&self.runtime));
        let environment = [
            ("XPRA_SYSTEM_CONF_DIRS", "/nonexistent"),
            ("XPRA_USER_CONF_DIRS", &settings),
            ("XDG_RUNTIME_DIR", &runtime),
            ("PATH", programs),
        ];
        Viewer::start_with(display, words, &environment)
    }

    /// What a command says, on stdout and stderr, and its exit code.
    fn run(&self, words: &[&str]) -> (Option<i32>, String) {
        let mut command = command(words);
        command.env("XDG_RUNTIME_DIR", self.runtime.path()).env("HOME", self.runtime.path());
        let output = command.output().expect("it starts");
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    }

    /// Stops the session, whose display this is, and sees it go.
    #[track_caller]
    pub(super) fn stop(&self, display: &str) {
        assert_eq!(self.run(&["stop", display]), (Some(0), "the session has ended\n".to_owned()));
        let (_, list) = self.run(&["list"]);
        assert!(!displays(&list).contains(display), "it is there still: {list}");
    }

    /// The display of the session that was started here, by its socket: `HOST-DISPLAY`.
    pub(super) fn display(&self) -> Option<String> {
        let names =
            std::fs::read_dir(self.runtime.path().join("xpra")).into_iter().flatten().filter_map(Result::ok);
        let names = names.filter_map(|entry| entry.file_name().into_string().ok());
        let number = |name: String| name.rsplit_once('-').map(|(_, number)| format!(":{number}"));
        names.filter_map(number).find(|display| display[1..].bytes().all(|byte| byte.is_ascii_digit()))
    }
}

/// From the command line: started, listed, stopped.
#[test]
fn on_this_machine() {
    let (here, display) = (Here::new(), Display::bare());
    let mut viewer = here.viewer(&display, &["start", "--start=xterm -T 'it is near' -e sleep 1000"]);
    viewer.window("it is near");
    let list = || here.run(&["list"]).1;
    let found = wait_for("the session in the list", SOON, list, || {
        let display = here.display()?;
        let is_it = |line: &str| line.starts_with(&format!("{display} ")) && line.contains("1 windows");
        list().lines().any(is_it).then_some(display)
    });
    // Where a session runs, or another X server, none is started.
    for (taken, why) in [(found.as_str(), "a session runs on"), (display.name(), "is in use")] {
        let mut other = here.viewer(&display, &["start", taken, "--start=xterm"]);
        assert_eq!(other.exit_code(SOON), 5, "{}", other.log());
        assert!(other.log().contains(why), "{}", other.log());
    }
    here.stop(&found);
    assert_eq!(viewer.exit_code(SOON), 3, "{}", viewer.log());
}

/// Why there is no session is said: xpra's own words, or that there is no xpra.
#[test]
fn nothing_starts_on_this_machine() {
    let (here, display) = (Here::new(), Display::bare());
    let folder = tempfile::tempdir().expect("a folder");
    for program in ["/bin/sh", "/usr/bin/setpriv"] {
        let name = program.rsplit('/').next().expect("a name");
        std::os::unix::fs::symlink(program, folder.path().join(name)).expect("a link");
    }
    let programs = folder.path().display().to_string();
    let mut viewer = here.viewer_with(&display, &["start", "--start=xterm"], &programs);
    assert_eq!(viewer.exit_code(SOON), 5, "{}", viewer.log());
    assert!(viewer.log().contains("there is no `xpra` on this machine"), "{}", viewer.log());

    let xpra = folder.path().join("xpra");
    std::fs::write(&xpra, "#!/bin/sh\necho this xpra is unwell >&2\nexit 3\n").expect("a script");
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(&xpra, private).expect("chmod");
    let mut viewer = here.viewer_with(&display, &["start", "--start=xterm"], &programs);
    assert_eq!(viewer.exit_code(SOON), 5, "{}", viewer.log());
    assert!(viewer.log().contains("this xpra is unwell"), "{}", viewer.log());
}

/// From the connect window, with the keyboard.
#[test]
fn from_the_connect_window() {
    let (here, display) = (Here::new(), Display::with_window_manager());
    let mut viewer = here.viewer(&display, &[]);
    let window = super::connect::connect_window(&mut viewer);
    super::connect::focus(&display, &window);
    // The address makes it "this machine".
    let new = format!(":{}", 4000 + std::process::id() % 1000);
    let key = |keys: &[&str]| display.x.xdotool(&[&["key", "--delay", "100"], keys].concat());
    let kind = |words: &str| display.x.xdotool(&["type", "--delay", "20", words]);
    kind(&new);
    key(&["Tab", "Tab", "Tab", "Tab", "space", "Tab"]);
    kind("xterm -T formed");
    display.x.picture(window.id).save("connect-start");
    key(&["Return"]);
    viewer.window("formed");
    here.stop(&new);
}
