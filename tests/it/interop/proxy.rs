//! Proxies in front of several sessions: the display after the port says which one is wanted; without one it is asked.

use std::net::TcpStream;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::SOON;
use super::connect::dialog;
use crate::support::display::Display;
use crate::support::program::{Launch, Program};
use crate::support::viewer::{Viewer, command};
use crate::support::xpra::{Generation, free_port};
use crate::support::{tail, wait_for};

const XPRA: &str = "/usr/bin/xpra";
const LIMIT: Duration = Duration::from_secs(60);
const SERVER_ENDED: i32 = 3;
/// Proxies refuse to work for root: then everything belongs to this account.
const NOBODY: (&str, u32) = ("nobody", 65534);

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// A program of an ordinary account, with the folder of the sockets that all of them share.
fn start(home: &Path, words: &[&str]) -> Program {
    let launch = if is_root() {
        let user =
            ["--reuid", NOBODY.0, "--regid", "nogroup", "--clear-groups", "--pdeathsig", "TERM", "--", XPRA];
        Launch::new("/usr/bin/setpriv").args(user)
    } else {
        Launch::new(XPRA)
    };
    let own = launch.directory().to_owned();
    if is_root() {
        std::os::unix::fs::chown(&own, Some(NOBODY.1), Some(NOBODY.1)).expect("chown");
    }
    let switches = [
        "--daemon=no",
        "--mdns=no",
        "--pulseaudio=no",
        "--notifications=no",
        "--dbus-launch=",
        "--printing=no",
    ];
    let more = ["--webcam=no", "--html=off", "--speaker=off", "--microphone=off"];
    // Where all of them put and look for sockets: a proxy looks below the runtime folder, whatever else it is told.
    let sockets = sockets(home);
    let folders = ["--socket-dir", "--socket-dirs"].map(|name| format!("{name}={}", sockets.display()));
    let launch = launch.args(words).args(switches).args(more).args(folders);
    let launch = launch.env("XDG_RUNTIME_DIR", home).env("HOME", home);
    launch.env("XPRA_SYSTEM_CONF_DIRS", "/nonexistent").joined_output().start()
}

fn sockets(home: &Path) -> PathBuf {
    home.join("xpra")
}

/// A session with one terminal; returns it and its display.
fn session(home: &Path, title: &str) -> (Program, String) {
    let xvfb = "--xvfb=Xvfb +extension GLX +extension Composite +extension RANDR +extension RENDER \
                -screen 0 1280x800x24+32 -nolisten tcp -noreset -dpi 96x96";
    let run = format!("--start=xterm -T {title}");
    let program = start(home, &["start", xvfb, &run]);
    let display = wait_for(
        "a session",
        LIMIT,
        || tail(&program.stderr(), 40),
        || {
            let log = program.stderr();
            let rest = log.split_once("connected to X11 display :")?.1;
            let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
            log.contains("xpra is ready.").then_some(number)
        },
    );
    (program, display)
}

#[test]
fn the_display_after_the_port_chooses_the_session() {
    let home = tempfile::TempDir::new().expect("a folder");
    let shared = home.path().join("runtime");
    let permissions = |mode| std::os::unix::fs::PermissionsExt::from_mode(mode);
    std::fs::set_permissions(home.path(), permissions(0o755)).expect("chmod");
    for folder in [shared.clone(), sockets(&shared)] {
        std::fs::create_dir(&folder).expect("a folder");
        std::fs::set_permissions(&folder, permissions(0o700)).expect("chmod");
        if is_root() {
            std::os::unix::fs::chown(&folder, Some(NOBODY.1), Some(NOBODY.1)).expect("chown");
        }
    }
    let sessions = ["first", "second"].map(|title| session(&shared, title));
    let port = free_port();
    let bind = format!("--bind-tcp=127.0.0.1:{port}");
    let proxy = start(&shared, &["proxy", &bind, "--tcp-auth=none", "--proxy-start-sessions=no"]);
    wait_ready(&proxy, port);
    let display = Display::bare();
    for ((_, number), title) in sessions.iter().zip(["first", "second"]) {
        for address in [format!("tcp://127.0.0.1:{port}/{number}"), format!("tcp:127.0.0.1:{port}:{number}")]
        {
            let mut viewer = Viewer::start(&display, &[&address]);
            let window = viewer.window(title);
            wait_for(
                "its content",
                SOON,
                || viewer.log(),
                || (display.x.grab(window.id)?.colours() > 1).then_some(()),
            );
            viewer.stop();
        }
    }
    // Without one it is asked which is wanted, or said how to write it.
    let url = format!("tcp://127.0.0.1:{port}/");
    let said = refusal(&[&url]);
    let is_named = |(_, number): &(Program, String)| said.contains(&format!(":{number}"));
    assert!(sessions.iter().all(is_named) && said.contains(&format!("for example {url}")), "{said}");
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&url]);
    choose(&display, &mut viewer, "sessions-3.1.3");
    viewer.wait_window("a session's window", |seen| ["first", "second"].contains(&seen.title.as_str()));
    viewer.stop();
}

/// Waits until a proxy takes connections.
#[track_caller]
fn wait_ready(proxy: &Program, port: u16) {
    wait_for(
        "the proxy",
        LIMIT,
        || tail(&proxy.stderr(), 40),
        || {
            let is_ready = proxy.stderr().contains("xpra is ready.");
            (is_ready && TcpStream::connect(("127.0.0.1", port)).is_ok()).then_some(())
        },
    );
}

/// What `farpane screenshot` says when it ends because a session is to be named.
fn refusal(words: &[&str]) -> String {
    let output =
        command(&[&["screenshot"], words, &["/nonexistent/x.png"]].concat()).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(SERVER_ENDED), "{said}");
    assert!(said.contains("it has several sessions"), "{said}");
    said
}

/// Waits for the list of sessions, keeps its picture, and chooses the first.
fn choose(display: &Display, viewer: &mut Viewer, picture: &str) {
    let dialog = dialog(display, viewer, "Farpane: sessions");
    display.x.grab(dialog.id).expect("the dialog").save(picture);
    display.x.xdotool(&["key", "Return"]);
}

/// 6.5.5's takes what hello says of the screen for a display that is wanted: it is asked
/// again without a name. The password is asked for once. It cannot show a session, whatever the client.
#[test]
fn a_proxy_of_6_5_names_its_sessions() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let users = folder.path().join("users");
    std::fs::write(&users, "anna|secret|65534|65534|:71,:72||\n").expect("a file");
    let port = free_port();
    let (xpra, environment) = Generation::V6_5.command();
    let auth = format!("--tcp-auth=multifile:filename={}", users.display());
    let launch = Launch::new(xpra);
    let sockets = format!("--socket-dirs={}", launch.directory().display());
    let launch = launch.args(["proxy", &format!("--bind-tcp=127.0.0.1:{port}"), &auth, &sockets]);
    let launch =
        launch.args(["--daemon=no", "--mdns=no", "--dbus=no", "--html=off", "--proxy-start-sessions=no"]);
    let launch = environment.into_iter().fold(launch, |launch, (name, value)| launch.env(name, value));
    let proxy = launch.joined_output().start();
    wait_ready(&proxy, port);
    let password = folder.path().join("password");
    std::fs::write(&password, "secret").expect("a file");
    let url = format!("tcp://anna@127.0.0.1:{port}/");
    let said = refusal(&[&url, "--password-file", &password.display().to_string()]);
    let example = format!(
        "several sessions, :71, :72: write which one after the port, for example tcp://127.0.0.1:{port}/71"
    );
    assert!(said.contains(&example), "{said}");
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&url]);
    dialog(&display, &mut viewer, "Farpane: password");
    display.x.xdotool(&["type", "--delay", "20", "secret"]);
    display.x.xdotool(&["key", "Return"]);
    choose(&display, &mut viewer, "sessions-6.5");
    assert_ne!(viewer.exit_code(LIMIT), 0, "{}", viewer.log());
    assert!(!viewer.log().contains("several sessions"), "{}", viewer.log());
}
