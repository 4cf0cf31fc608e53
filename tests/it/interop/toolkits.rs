//! Programs and a window manager that people have, too large for `make test`: `make test-programs` installs them, and
//! runs this.

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use super::leaving::{menus_of, python};
use super::{empty_session, places, video};
use crate::support::display::Display;
use crate::support::program::{Launch, Program};
use crate::support::viewer::Viewer;
use crate::support::xpra::{Generation, XpraServer};

const MANAGERS: [&[&str]; 3] = [
    &["openbox", "--sm-disable"],
    &["xfwm4", "--compositor=off"],
    &["dbus-run-session", "--", "mutter", "--x11", "--sm-disable"],
];

/// How long each film plays.
const FILM: Duration = Duration::from_secs(60);

/// A window with a menu bar.
const QT: &str = r#"
import sys
from PyQt5.QtWidgets import QApplication, QMainWindow
application = QApplication(sys.argv)
window = QMainWindow()
window.setWindowTitle("menus")
window.resize(300, 200)
menu = window.menuBar().addMenu("open")
for text in ("one", "two", "three"):
    menu.addAction(text)
window.move(300, 300)
window.show()
application.exec_()
"#;

/// The same, with a menu that has a window of its own.
const SWING: &str = r#"
import javax.swing.*;

public class Menus {
    public static void main(String[] words) {
        SwingUtilities.invokeLater(() -> {
            JMenu menu = new JMenu("open");
            menu.getPopupMenu().setLightWeightPopupEnabled(false);
            for (int number = 0; number < 12; number++) menu.add(new JMenuItem("entry " + number));
            JMenuBar bar = new JMenuBar();
            bar.add(menu);
            JFrame frame = new JFrame("menus");
            frame.setJMenuBar(bar);
            frame.setSize(300, 200);
            frame.setLocation(300, 300);
            frame.setVisible(true);
        });
    }
}
"#;

fn swing(server: &XpraServer) -> Program {
    let launch = Launch::new("java").env("DISPLAY", server.x().name());
    let source = launch.directory().join("Menus.java");
    std::fs::write(&source, SWING).expect("a file");
    launch.args([&source]).start()
}

#[test]
fn menus_of_qt_close() {
    for generation in Generation::ALL {
        for manager in MANAGERS {
            menus_of(generation, &Display::managed_by(manager), |server| python(server, QT), (20, 10));
        }
    }
}

#[test]
fn menus_of_swing_close() {
    for generation in Generation::ALL {
        for manager in MANAGERS {
            menus_of(generation, &Display::managed_by(manager), swing, (20, 10));
        }
    }
}

#[test]
fn full_screen_and_back_under_mutter() {
    for generation in Generation::ALL {
        places::rounds(generation, &Display::managed_by(MANAGERS[2]));
    }
}

/// A film of 10 s that moves everywhere, of `size` (`640x480`), in `file`, whose name says the format.
fn film(file: &Path, size: &str) {
    let mut command = std::process::Command::new("ffmpeg");
    command.args(["-v", "error", "-f", "lavfi", "-i", &format!("testsrc2=size={size}:rate=25"), "-t", "10"]);
    command.args(["-vf", "noise=alls=8:allf=t", "-c:v", "libvpx", "-b:v", "6M", "-deadline", "realtime"]);
    command.args(["-cpu-used", "8"]).arg(file);
    crate::support::program::run(&mut command);
}

fn mpv(server: &XpraServer, film: &Path) -> Program {
    let words = ["--no-config", "--vo=x11", "--no-audio", "--loop=inf", "--hwdec=no", "--title=film"];
    Launch::new("mpv").args(words).args([film]).env("DISPLAY", server.x().name()).start()
}

fn firefox(server: &XpraServer, film: &Path) -> Program {
    let page = film.with_extension("html");
    let source = film.file_name().expect("a name").to_string_lossy();
    let text = format!(
        "<!doctype html><title>film</title><body style='margin:0;background:#456'>\
         <video src='{source}' muted autoplay loop></video>"
    );
    std::fs::write(&page, text).expect("a page");
    let launch = Launch::new("firefox-esr").env("DISPLAY", server.x().name()).env("MOZ_ENABLE_WAYLAND", "0");
    let profile = launch.directory().join("profile");
    std::fs::create_dir(&profile).expect("a profile");
    let quiet = "user_pref('browser.aboutwelcome.enabled', false);\n\
                 user_pref('datareporting.policy.dataSubmissionEnabled', false);\n\
                 user_pref('browser.shell.checkDefaultBrowser', false);\n\
                 user_pref('media.autoplay.default', 0);\n";
    std::fs::write(profile.join("user.js"), quiet).expect("its settings");
    let words = ["--no-remote", "--new-instance", "--width", "1300", "--height", "900", "--profile"];
    launch.args(words).args([&profile, &page]).start()
}

/// What the viewer takes: as it likes, where servers may find webp better on a link that is fast, and what makes it
/// video.
const OFFERS: [&[&str]; 2] = [&[], &["--encodings=h264,rgb"]];

/// Plays a film in a program for a minute with each offer: not one draw is refused.
fn plays(size: &str, start: fn(&XpraServer, &Path) -> Program) {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("film.webm");
    film(&file, size);
    for generation in [Generation::V3_1, Generation::V6_5] {
        let server = empty_session(generation);
        let display = Display::bare_of(2100, 1200);
        let program = start(&server, &file);
        for offer in OFFERS {
            let url = server.url();
            let log_start = server.log_length();
            let mut viewer = Viewer::start(&display, &[&[&url, "--renderer=cpu"][..], offer].concat());
            viewer.wait_window("the film", |seen| seen.title.starts_with("film"));
            std::thread::sleep(FILM);
            let sent = server.sent_since(log_start);
            let frames = sent.iter().filter(|sent| offer.is_empty() || sent.encoding == "h264").count();
            let what = format!("{generation:?}, {size} {offer:?}");
            assert!(frames > 300, "{what}: {frames} frames of a film among {} draws", sent.len());
            video::assert_nothing_refused(&server, viewer, &what);
        }
        drop(program);
    }
}

#[test]
fn mpv_plays() {
    plays("640x480", mpv);
}

#[test]
fn firefox_plays() {
    plays("640x480", firefox);
}

#[test]
fn firefox_plays_full_hd() {
    plays("1920x1080", firefox);
}
