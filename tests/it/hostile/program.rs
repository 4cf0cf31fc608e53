//! The program under test: how much memory it took at most, and how it ended.

use std::fs;
use std::io;
use std::time::Duration;

use farpane::channel::clock;

use crate::support::program::{Launch, Program};

/// The most memory that a process had since its start, or since [`forget_peak`], in bytes; `None` if it has ended.
pub fn peak(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// Counts the process's most memory anew from now on.
pub fn forget_peak(pid: u32) -> io::Result<()> {
    fs::write(format!("/proc/{pid}/clear_refs"), "5")
}

/// How a program ended.
pub struct Ended {
    pub code: Option<i32>,
    /// What it said.
    pub words: String,
    /// The most memory that was seen, in bytes.
    pub peak: u64,
}

/// A command of `farpane`'s that attaches without windows, to be watched.
pub struct Watched(Program);

impl Watched {
    /// `farpane screenshot` of what `url` shows.
    pub fn screenshot(url: &str) -> Self {
        let launch = Launch::new(env!("CARGO_BIN_EXE_farpane"));
        let file = launch.directory().join("picture.png").display().to_string();
        Self(
            launch
                .env("FARPANE_CONFIG", "")
                .env("RUST_BACKTRACE", "1")
                .args(["screenshot", url, &file, "--renderer", "cpu"])
                .start(),
        )
    }

    /// Whether the process is the program by now, and not what started it: until a child has the memory of its own
    /// program it is seen with its parent's, and this parent had much.
    fn is_itself(&self) -> bool {
        let program = fs::canonicalize(env!("CARGO_BIN_EXE_farpane")).expect("the program was built");
        fs::read_link(format!("/proc/{}/exe", self.0.pid())).is_ok_and(|running| running == program)
    }

    /// Waits for the end; looks at its memory all the time. An error if it does not come.
    pub fn end(mut self, limit: Duration) -> Result<Ended, String> {
        let deadline = clock::now() + limit;
        let mut most = 0;
        loop {
            if self.is_itself() {
                most = most.max(peak(self.0.pid()).unwrap_or(0));
            }
            if let Some(status) = self.0.exited() {
                return Ok(Ended { code: status.code(), words: self.0.stderr(), peak: most });
            }
            if clock::now() > deadline {
                return Err(format!("farpane goes on for more than {limit:?}: {}", self.0.stderr()));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
