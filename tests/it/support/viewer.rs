//! The viewer's own program, as a user runs it.

use std::process::Command;
use std::time::Duration;

use clap::Parser as _;
use farpane::cli::{Invocation, RawArgs};
use farpane::config::{Config, Settings};

use super::display::Display;
use super::program::{Launch, Program};
use super::x11::{Seen, X};

/// The configuration of `farpane WORDS`, which attaches, without this machine's configuration files.
pub fn config(words: &[&str]) -> Config {
    let words = std::iter::once("farpane").chain(words.iter().copied());
    let arguments = RawArgs::try_parse_from(words).expect("a command line");
    let settings = Settings { given: arguments.options.0.clone(), ..Settings::default() };
    match arguments.validate(settings) {
        Ok(Invocation::Attach(config)) => config,
        other => panic!("it does not attach: {other:?}"),
    }
}

/// How to start it with these words and environment variables, which come after the private `HOME` and
/// `XDG_RUNTIME_DIR`. Statistics go to `stats.json` in its directory.
pub fn launch(words: &[&str], environment: &[(&str, &str)]) -> Launch {
    let launch = Launch::new(env!("CARGO_BIN_EXE_farpane"));
    let stats = launch.directory().join("stats.json").display().to_string();
    let launch = launch.env("RUST_BACKTRACE", "1").env("FARPANE_CONFIG", "");
    let launch = launch.args(words).args(["--stats-json", &stats]);
    // Windows are looked for by the titles that they have on the server.
    let is_titled = words.iter().any(|word| word.starts_with("--title"));
    let launch = if is_titled { launch } else { launch.args(["--title", "{title}"]) };
    // It would lie over pixels that tests look at.
    let is_greeted = words.iter().any(|word| word.starts_with("--greeting"));
    let launch = if is_greeted { launch } else { launch.args(["--greeting=no"]) };
    environment.iter().fold(launch, |launch, (name, value)| launch.env(name, value))
}

/// A running `farpane`.
pub struct Viewer<'a> {
    pub x: &'a X,
    program: Program,
}

impl<'a> Viewer<'a> {
    /// Starts it on a display with these words.
    pub fn start(display: &'a Display, words: &[&str]) -> Self {
        Self::start_with(display, words, &[])
    }

    /// The same with environment variables, which come after the private `HOME` and `XDG_RUNTIME_DIR`.
    pub fn start_with(display: &'a Display, words: &[&str], environment: &[(&str, &str)]) -> Self {
        let launch = launch(words, &[&[("DISPLAY", display.name())], environment].concat());
        Self { x: &display.x, program: launch.start() }
    }

    /// Waits for a window with this title.
    #[track_caller]
    pub fn window(&mut self, title: &str) -> Seen {
        self.wait_window(&format!("farpane's window {title:?}"), |seen| seen.title == title)
    }

    /// Waits for a window that `accept` accepts; stops at once if the viewer ends.
    #[track_caller]
    pub fn wait_window(&mut self, what: &str, accept: impl Fn(&Seen) -> bool) -> Seen {
        let Self { x, program } = self;
        let log = std::cell::RefCell::new(program);
        let context = || format!("windows: {:#?}\n{}", x.windows(), super::tail(&log.borrow().stderr(), 40));
        super::wait_for(what, Duration::from_secs(30), context, || {
            log.borrow_mut().assert_running();
            x.windows().into_iter().find(&accept)
        })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.program.pid()
    }

    /// Whether it has ended.
    pub fn exited(&mut self) -> bool {
        self.program.exited().is_some()
    }

    /// What it logged.
    pub fn log(&self) -> String {
        self.program.stderr()
    }

    /// Its `HOME`.
    pub fn home(&self) -> &std::path::Path {
        self.program.directory()
    }

    /// Waits for its end and gives the exit code. Panics, with the log, if it goes on.
    #[track_caller]
    pub fn exit_code(&mut self, limit: Duration) -> i32 {
        let status = self.program.wait_exit(limit);
        let log = super::tail(&self.log(), 40);
        let status = status.unwrap_or_else(|| panic!("farpane is still running after {limit:?}:\n{log}"));
        status.code().unwrap_or_else(|| panic!("farpane was killed: {status}:\n{log}"))
    }

    /// Sends it a signal by its name, such as `USR1`.
    pub fn signal(&self, signal: &str) {
        self.program.signal(signal);
    }

    /// Asks it to end, as Ctrl-C does.
    pub fn interrupt(&self) {
        self.program.signal("INT");
    }

    /// Ends it as Ctrl-C does, and gives what `--stats-json` says.
    #[track_caller]
    pub fn stop(mut self) -> serde_json::Value {
        self.program.signal("INT");
        assert_eq!(self.exit_code(Duration::from_secs(10)), 0, "{}", self.log());
        self.stats()
    }

    /// What `--stats-json` says; only there after the end.
    #[track_caller]
    pub fn stats(&self) -> serde_json::Value {
        let path = self.program.directory().join("stats.json");
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("no statistics: {error}\n{}", super::tail(&self.log(), 40)));
        serde_json::from_str(&text).expect("statistics in JSON")
    }
}

/// A `farpane` command that ends by itself, such as `info`.
pub fn command(words: &[&str]) -> Command {
    let mut command = Command::new("timeout");
    command.args(["-k", "3", "180", env!("CARGO_BIN_EXE_farpane")]).args(words);
    command
        .env("FARPANE_CONFIG", "")
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("FARPANE_PASSWORD");
    command
}
