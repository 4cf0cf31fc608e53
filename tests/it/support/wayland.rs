//! Private Wayland compositors without a screen: sway and Weston.

use std::fmt;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::picture::Picture;
use super::program::{Launch, Program, run};
use super::viewer::launch;
use super::wait_for;

/// Pixels of the screens.
pub const SCREEN: (usize, usize) = (1280, 800);
/// A user that nobody is, for a sway that is started by root: it refuses root.
const NOBODY: u32 = 39_999;

/// A running sway.
pub struct Sway {
    program: Program,
    socket: PathBuf,
    ipc: PathBuf,
    /// Does nothing but be a keyboard: without one nobody gets the focus.
    _keyboard: Option<Program>,
}

/// A window in sway.
#[derive(Clone, PartialEq, Eq)]
pub struct View {
    pub title: String,
    pub app_id: String,
    /// In logical pixels.
    pub x: i64,
    pub y: i64,
    pub width: i64,
    pub height: i64,
    pub floating: bool,
    pub focused: bool,
    pub fullscreen: bool,
}

/// On one line: the first lines of a failed test are all that is seen of it elsewhere.
impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { title, app_id, x, y, width, height, .. } = self;
        write!(f, "{title:?} of {app_id:?}, {width}x{height} at {x},{y}")?;
        for (is, word) in
            [(self.floating, "floating"), (self.focused, "focused"), (self.fullscreen, "fullscreen")]
        {
            if is {
                write!(f, ", {word}")?;
            }
        }
        Ok(())
    }
}

impl View {
    /// Its place and size in the pixels of a screenshot.
    pub fn in_pixels(&self, scale: f64) -> (usize, usize, usize, usize) {
        let pixels = |logical: i64| (logical as f64 * scale).round() as usize;
        (pixels(self.x), pixels(self.y), pixels(self.width), pixels(self.height))
    }
}

/// Made by sway's own shortcut.
const TAKEN: &str = "alt-tab-was-taken";

impl Sway {
    /// Starts one whose screen has this scale. Windows of the class `Card` float, all others are tiled.
    #[track_caller]
    pub fn start(scale: &str) -> Self {
        let (width, height) = SCREEN;
        let launch = if std::fs::metadata("/proc/self").expect("procfs").uid() == 0 {
            let user = [format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"), "--clear-groups".into()];
            let launch = Launch::new("setpriv").args(user).args(["--pdeathsig=TERM", "--", "sway"]);
            chown(launch.directory(), Some(NOBODY), Some(NOBODY)).expect("root may give its files away");
            launch
        } else {
            Launch::new("sway")
        };
        let configuration = launch.directory().join("config");
        let taken = format!("bindsym Mod1+Tab exec touch {}", launch.directory().join(TAKEN).display());
        let lines = [
            &taken,
            &format!("output HEADLESS-1 mode {width}x{height} scale {scale} bg #336699 solid_color"),
            "default_border none",
            "default_floating_border none",
            "for_window [app_id=\"Card\"] floating enable",
        ];
        std::fs::write(&configuration, lines.join("\n")).expect("a configuration file");
        let launch = launch.args([Path::new("-c"), &configuration]).env("WLR_BACKENDS", "headless");
        let launch = launch.env("WLR_LIBINPUT_NO_DEVICES", "1").env("WLR_RENDERER", "pixman");
        let mut program = launch.joined_output().start();
        let (socket, ipc) = wait_for("sway", Duration::from_secs(20), String::new, || {
            program.assert_running();
            let socket =
                file_in(program.directory(), |name| name.starts_with("wayland-") && !name.contains('.'))?;
            let ipc = file_in(program.directory(), |name| name.starts_with("sway-ipc."))?;
            Some((socket, ipc))
        });
        let mut sway = Self { program, socket, ipc, _keyboard: None };
        let keyboard = Launch::new("wtype").args(["-s", "3600000", "x"]).env("WAYLAND_DISPLAY", &sway.socket);
        sway._keyboard = Some(keyboard.start());
        let context = || sway.program.stderr();
        wait_for("sway's keyboard", Duration::from_secs(20), context, || {
            let seats = run(sway.swaymsg().args(["-r", "-t", "get_inputs"]));
            seats.contains("\"keyboard\"").then_some(())
        });
        // The wallpaper is a program of its own.
        let context = || sway.program.stderr();
        wait_for("sway's wallpaper", Duration::from_secs(20), context, || {
            let shot = sway.try_grab(&[])?;
            (shot.rgb.starts_with(&[0x33, 0x66, 0x99]) && shot.colours() == 1).then_some(())
        });
        sway
    }

    /// For `WAYLAND_DISPLAY`.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Gives sway a command.
    #[track_caller]
    pub fn command(&self, words: &[&str]) {
        run(self.swaymsg().args(words));
    }

    fn swaymsg(&self) -> Command {
        let mut command = Command::new("swaymsg");
        command.arg("-s").arg(&self.ipc);
        command
    }

    /// Whether it took Alt+Tab for itself, since this was asked last.
    pub fn took_alt_tab(&self) -> bool {
        std::fs::remove_file(self.program.directory().join(TAKEN)).is_ok()
    }

    /// All windows.
    #[track_caller]
    pub fn views(&self) -> Vec<View> {
        let tree = run(self.swaymsg().args(["-r", "-t", "get_tree"]));
        let mut views = Vec::new();
        collect(&serde_json::from_str(&tree).expect("sway's tree"), &mut views);
        views
    }

    /// The window with this title.
    pub fn view(&self, title: &str) -> Option<View> {
        self.views().into_iter().find(|view| view.title == title)
    }

    /// What the screen shows.
    #[track_caller]
    pub fn grab(&self) -> Picture {
        self.try_grab(&[]).expect("a screenshot")
    }

    /// What one of several screens shows.
    #[track_caller]
    pub fn grab_screen(&self, output: &str) -> Picture {
        self.try_grab(&["-o", output]).expect("a screenshot")
    }

    fn try_grab(&self, words: &[&str]) -> Option<Picture> {
        let directory = TempDir::with_prefix("farpane-test-shot-").expect("a temporary directory");
        let path = directory.path().join("shot.png");
        let mut grim = Command::new("grim");
        grim.args(words)
            .arg(&path)
            .env("WAYLAND_DISPLAY", &self.socket)
            .env("XDG_RUNTIME_DIR", self.program.directory());
        let output = grim.output().expect("grim");
        output.status.success().then(|| Picture::load(&path))
    }

    /// Types with `wtype`, a keyboard that comes, types and goes.
    #[track_caller]
    pub fn type_text(&self, words: &[&str]) {
        let mut wtype = Command::new("wtype");
        wtype
            .args(words)
            .env("WAYLAND_DISPLAY", &self.socket)
            .env("XDG_RUNTIME_DIR", self.program.directory());
        run(&mut wtype);
    }
}

fn collect(node: &Value, views: &mut Vec<View>) {
    let number = |name: &str| node["rect"][name].as_i64().unwrap_or_default();
    if node["pid"].is_number() {
        let text = |name: &str| node[name].as_str().unwrap_or_default().to_owned();
        views.push(View {
            title: text("name"),
            app_id: text("app_id"),
            x: number("x"),
            y: number("y"),
            width: number("width"),
            height: number("height"),
            floating: node["type"] == "floating_con",
            focused: node["focused"] == true,
            fullscreen: node["fullscreen_mode"] != 0,
        });
    }
    for children in ["nodes", "floating_nodes"] {
        node[children].as_array().into_iter().flatten().for_each(|child| collect(child, views));
    }
}

/// A running Weston, whose windows have frames that clients draw, and no keyboard or pointer.
pub struct Weston {
    program: Program,
}

impl Weston {
    const SOCKET: &str = "wayland-test";

    /// Starts one whose screen has this scale, in whole numbers.
    #[track_caller]
    pub fn start(scale: usize) -> Self {
        let (width, height) = (SCREEN.0 / scale, SCREEN.1 / scale);
        let launch = Launch::new("weston");
        let configuration = launch.directory().join("weston.ini");
        // A panel lies over windows that come up at the top.
        std::fs::write(&configuration, "[shell]\npanel-position=none\n").expect("a configuration file");
        let mut program = launch
            .args([
                "--backend=headless-backend.so",
                // Its other renderer reads beyond buffers that it has to stretch.
                "--use-gl",
                "--idle-time=0",
                "--debug",
            ])
            .args([format!("--config={}", configuration.display())])
            .args([format!("--width={width}"), format!("--height={height}"), format!("--scale={scale}")])
            .args([format!("--socket={}", Self::SOCKET)])
            .joined_output()
            .start();
        wait_for("Weston", Duration::from_secs(20), String::new, || {
            program.assert_running();
            program.directory().join(Self::SOCKET).exists().then_some(())
        });
        Self { program }
    }

    /// For `WAYLAND_DISPLAY`.
    pub fn socket(&self) -> PathBuf {
        self.program.directory().join(Self::SOCKET)
    }

    /// What the screen shows.
    #[track_caller]
    pub fn grab(&self) -> Picture {
        let directory = TempDir::with_prefix("farpane-test-shot-").expect("a temporary directory");
        // By itself it waits for a compositor that is gone for ever.
        let mut shooter = Command::new("timeout");
        shooter
            .args(["20", "weston-screenshooter"])
            .current_dir(directory.path())
            .env("WAYLAND_DISPLAY", self.socket());
        run(shooter.env("XDG_RUNTIME_DIR", self.program.directory()));
        let path = file_in(directory.path(), |name| name.ends_with(".png")).expect("a screenshot");
        Picture::load(&path)
    }
}

fn file_in(directory: &Path, accept: impl Fn(&str) -> bool) -> Option<PathBuf> {
    let entries = std::fs::read_dir(directory).ok()?.flatten();
    entries
        .map(|entry| entry.path())
        .find(|path| path.file_name().is_some_and(|name| accept(&name.to_string_lossy())))
}

/// A running `farpane` whose windows are a compositor's.
pub struct WaylandViewer {
    program: Program,
}

impl WaylandViewer {
    /// Starts it with these words. Windows are shown pixel by pixel, whatever the screen's scale, unless these say otherwise.
    pub fn start(socket: &Path, words: &[&str]) -> Self {
        let is_scaled = words.iter().any(|word| word.starts_with("--desktop-scaling"));
        let plain: &[&str] = if is_scaled { &[] } else { &["--desktop-scaling=off"] };
        let words = [words, plain].concat();
        Self { program: launch(&words, &[("WAYLAND_DISPLAY", &socket.to_string_lossy())]).start() }
    }

    /// What it logged.
    pub fn log(&self) -> String {
        self.program.stderr()
    }

    /// Panics if it ended.
    #[track_caller]
    pub fn assert_running(&mut self) {
        self.program.assert_running();
    }

    /// Ends it as Ctrl-C does.
    #[track_caller]
    pub fn stop(mut self) {
        self.program.signal("INT");
        let status = self.program.wait_exit(Duration::from_secs(10));
        assert_eq!(status.and_then(|status| status.code()), Some(0), "{}", self.log());
    }
}
