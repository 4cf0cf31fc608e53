//! Signs: what is typed here by key codes is what a program there receives.
//!
//! The same keys go to two terminals that write down what they receive: one of the local display, which
//! says what is right, and one of the session, through the viewer.

use std::path::PathBuf;

use super::{SOON, empty_session, for_every_server};
use crate::support::display::Display;
use crate::support::program::{Launch, Program, run};
use crate::support::typist::Typist;
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::xpra::{Generation, XpraServer};

for_every_server!(signs, several_layouts);

/// Key codes of a PC keyboard (evdev).
const SHIFT: u8 = 50;
const ALT_GR: u8 = 108;
const CAPS_LOCK: u8 = 66;
const NUM_LOCK: u8 = 77;
const SPACE: u8 = 65;
const RETURN: u8 = 36;
const LETTERS: [u8; 3] = [24, 26, 38];

/// The keys that type signs.
fn sign_keys() -> impl Iterator<Item = u8> {
    [49].into_iter().chain(10..=21).chain(24..=35).chain(38..=48).chain([51, 94]).chain(52..=61)
}

/// A terminal that writes what it receives into a file.
struct Notebook {
    program: Program,
    title: String,
}

impl Notebook {
    fn open(display: &str, title: &str) -> Self {
        let launch = Launch::new("xterm").env("DISPLAY", display).env("LC_ALL", "C.UTF-8");
        let script = format!("stty raw -echo; exec cat > {}", Self::file(launch.directory()).display());
        let words = ["-u8", "-title", title, "-geometry", "30x5+100+100", "-e", "sh", "-c", &script];
        Self { program: launch.args(words).start(), title: title.to_owned() }
    }

    fn file(directory: &std::path::Path) -> PathBuf {
        directory.join("typed")
    }

    fn text(&self) -> String {
        let bytes = std::fs::read(Self::file(self.program.directory())).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits until the present line has so many signs.
    #[track_caller]
    fn wait_signs(&self, count: usize) {
        let line = || self.text().rsplit('\r').next().unwrap_or_default().to_owned();
        wait_for("the signs", SOON * 2, line, || (line().chars().count() >= count).then_some(()));
    }

    /// Waits for so many lines, and gives the last one.
    #[track_caller]
    fn line(&self, count: usize) -> String {
        wait_for(
            &format!("line {count} in {}", self.title),
            SOON * 2,
            || self.text(),
            || {
                let text = self.text();
                let lines: Vec<&str> = text.split('\r').collect();
                // The last piece is what was not ended yet.
                (lines.len() > count).then(|| lines[count - 1].to_owned())
            },
        )
    }
}

/// A desk with the viewer, and both notebooks.
struct Desk<'a> {
    display: &'a Display,
    typist: Typist<'a>,
    here: Notebook,
    there: Notebook,
    lines: usize,
    viewer: Viewer<'a>,
}

impl<'a> Desk<'a> {
    fn new(display: &'a Display, server: &XpraServer) -> Self {
        let there = Notebook::open(server.x().name(), "there");
        let here = Notebook::open(display.name(), "here");
        let mut viewer = Viewer::start(display, &[&server.url()]);
        viewer.window("there");
        viewer.wait_window("the local terminal", |seen| seen.title == "here");
        Self { display, typist: Typist::at(&display.x), here, there, lines: 0, viewer }
    }

    fn open_new_notebooks(&mut self, server: &XpraServer) {
        self.there = Notebook::open(server.x().name(), "new there");
        self.here = Notebook::open(self.display.name(), "new here");
        self.lines = 0;
        for notebook in [&self.here, &self.there] {
            self.viewer.wait_window(&notebook.title, |seen| seen.title == notebook.title);
        }
    }

    fn layout(&self, words: &[&str]) {
        let mut command = std::process::Command::new("setxkbmap");
        run(command
            .args(["-rules", "evdev", "-model", "pc105"])
            .args(words)
            .env("DISPLAY", self.display.name()));
    }

    fn focus(viewer: &mut Viewer<'_>, display: &Display, title: &str) {
        let id = viewer.wait_window(title, |seen| seen.title == title).id.to_string();
        display.x.focus(id);
    }

    /// Types the same into both and compares.
    #[track_caller]
    fn check(&mut self, what: &str, keys: impl Fn(&Typist<'_>)) -> String {
        self.check_waiting(what, |typist, _| keys(typist))
    }

    /// The same with keys that wait for what was received.
    #[track_caller]
    fn check_waiting(&mut self, what: &str, keys: impl Fn(&Typist<'_>, &Notebook)) -> String {
        self.lines += 1;
        let mut lines = [&self.here, &self.there].map(|notebook| {
            Self::focus(&mut self.viewer, self.display, &notebook.title);
            keys(&self.typist, notebook);
            self.typist.tap(&[], RETURN);
            notebook.line(self.lines)
        });
        let [here, there] = &mut lines;
        assert_eq!(there, here, "{what}: what arrived, what was typed");
        std::mem::take(there)
    }
}

/// All signs of the keyboard, each with a space, which makes a sign of a dead key.
fn all_signs(typist: &Typist<'_>) {
    let all_held: [&[u8]; 4] = [&[], &[SHIFT], &[ALT_GR], &[ALT_GR, SHIFT]];
    for held in all_held {
        for key in sign_keys() {
            typist.tap(held, key).tap(&[], SPACE);
        }
    }
}

fn signs(generation: Generation) {
    let server = empty_session(generation);
    let display = Display::with_window_manager();
    let mut desk = Desk::new(&display, &server);
    for layout in ["us", "gb", "de", "fr", "be", "ch", "es", "pl", "br", "se", "fi"] {
        desk.layout(&["-layout", layout]);
        let typed = desk.check(layout, all_signs);
        let count = typed.chars().filter(|sign| *sign != ' ').count();
        assert!(count > 90, "{layout}: {typed}");
    }
    desk.layout(&["-layout", "us", "-variant", "intl"]);
    desk.check("us(intl)", all_signs);
    // Dead keys make letters, also those that other levels of their keys type.
    let typed = desk.check("accents of us(intl)", |typist| {
        for letter in LETTERS {
            typist
                .tap(&[], 48)
                .tap(&[], letter)
                .tap(&[SHIFT], 48)
                .tap(&[SHIFT], letter)
                .tap(&[ALT_GR], letter);
        }
        typist.tap(&[SHIFT], 49).tap(&[], 57).tap(&[], 48).tap(&[], SPACE).tap(&[], 38);
    });
    assert!(typed.contains("áÄá") && typed.ends_with("ñ'a"), "{typed}");
    // Changed while it runs: single keys, and all of them behind the back of `setxkbmap`.
    let change = |command: &str| {
        run(std::process::Command::new("sh").args(["-c", command]).env("DISPLAY", display.name()));
    };
    change("xmodmap -e 'keycode 24 = EuroSign sterling' -e 'keycode 26 = q'");
    let typed = desk.check("xmodmap", |typist| {
        typist.tap(&[], 24).tap(&[SHIFT], 24).tap(&[], 26).tap(&[], 38);
    });
    assert_eq!(typed, "€£qa");
    change("setxkbmap -print -layout es | xkbcomp -w0 - $DISPLAY");
    assert!(desk.check("xkbcomp", all_signs).contains('ñ'));
    desk.layout(&["-layout", "de"]);
    let typed = desk.check("accents", |typist| {
        for letter in LETTERS {
            typist.tap(&[], 21).tap(&[], letter).tap(&[SHIFT], 21).tap(&[SHIFT], letter);
            typist.tap(&[ALT_GR], 34).tap(&[], letter).tap(&[ALT_GR], 24);
        }
    });
    assert!(typed.contains('é') && typed.contains('È') && typed.contains('@'), "{typed}");
    // Locks.
    let typed = desk.check("Caps Lock", |typist| {
        typist.tap(&[], CAPS_LOCK);
        for letter in LETTERS {
            typist.tap(&[], letter).tap(&[SHIFT], letter);
        }
        typist.tap(&[], CAPS_LOCK).tap(&[], LETTERS[0]);
    });
    assert_eq!(typed, "QqEeAaq");
    // An xterm that runs while its keyboard is changed may not know the lock of the keypad any more.
    desk.open_new_notebooks(&server);
    let typed = desk.check("Num Lock", |typist| {
        typist.tap(&[], NUM_LOCK);
        for key in (79..=91).chain([63, 106]) {
            typist.tap(&[], key);
        }
        typist.tap(&[], NUM_LOCK);
    });
    assert_eq!(typed, "789-456+1230,*/");
    desk.viewer.stop();
}

fn several_layouts(generation: Generation) {
    let server = empty_session(generation);
    let display = Display::with_window_manager();
    let mut desk = Desk::new(&display, &server);
    // Right Alt is Alt in the first, AltGr in the second.
    for layouts in ["us,de", "us,ru,gr", "us,ru,gr,de", "fr,us,ua,es"] {
        desk.layout(&["-layout", layouts]);
        for group in (0..layouts.split(',').count()).rev() {
            desk.typist.lock_group(group as u8);
            desk.check(&format!("{layouts}, {group}"), all_signs);
        }
        // Switched between letters. A program looks up what a key means when it hears of it, in the map of that moment:
        // nobody switches before the letter before is there.
        let typed = desk.check_waiting(layouts, |typist, notebook| {
            for (step, group) in (1..).zip([0, 1, 0, 2, 3, 1, 3, 0]) {
                typist.lock_group(group);
                for letter in LETTERS {
                    typist.tap(&[], letter);
                }
                notebook.wait_signs(step * LETTERS.len());
            }
        });
        assert!(!typed.is_ascii() || layouts == "us,de", "{layouts}: {typed}");
        desk.typist.lock_group(0);
    }
    desk.viewer.stop();
}
