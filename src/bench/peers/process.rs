//! A client under test: a process with everything that it starts, its CPU time and its memory.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::channel::clock;

use super::Error;

/// Ticks a second in `/proc`, unless the kernel says otherwise.
const DEFAULT_TICKS: u64 = 100;
/// `AT_CLKTCK` of the auxiliary vector: ticks a second.
const AT_CLKTCK: u64 = 17;
/// A program has this long to end by itself.
const END_TIME: Duration = Duration::from_secs(2);

/// A folder of its own under the system's temporary one; it goes when this is dropped.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes it; `name` tells it from the others of this process.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn new(name: &str) -> Result<Self, Error> {
        let path = std::env::temp_dir().join(format!("farpane-bench-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        // Xpra and GTK want XDG_RUNTIME_DIR for themselves alone.
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).map_err(|why| Error::file(&path, why))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::debug!(%error, "a temporary folder stays");
        }
    }
}

/// A running program with a home of its own, by which all that it starts is known.
///
/// Dropping it ends all of that. It gets SIGTERM if the thread that started it dies.
#[derive(Debug)]
pub struct Tree {
    child: Child,
    home: Folder,
    ticks: u64,
}

/// What a tree of processes has used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    pub bytes: u64,
    /// Shared pages are divided among those who share them; else they count fully.
    pub is_proportional: bool,
}

impl Tree {
    /// Starts `command`, of which the first word is the program. What it says goes to a log.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(name: &str, command: &[String], environment: &[(String, String)]) -> Result<Self, Error> {
        let home = Folder::new(name)?;
        let log_path = home.path().join("log");
        let log = File::create(&log_path).map_err(|why| Error::file(&log_path, why))?;
        let second = log.try_clone().map_err(|why| Error::file(&log_path, why))?;
        let program = command.first().map(String::as_str).unwrap_or_default();
        let mut start = Command::new("setpriv");
        start
            .args(["--pdeathsig", "TERM", "--"])
            .args(command)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(second);
        for variable in [
            "XAUTHORITY",
            "WAYLAND_DISPLAY",
            "DISPLAY",
            "XDG_CONFIG_HOME",
            "XDG_CACHE_HOME",
            "XDG_DATA_HOME",
            "DBUS_SESSION_BUS_ADDRESS",
        ] {
            start.env_remove(variable);
        }
        start.env("HOME", home.path()).env("XDG_RUNTIME_DIR", home.path());
        start.env("NO_AT_BRIDGE", "1").env("LC_ALL", "C.UTF-8");
        start.envs(environment.iter().map(|(name, value)| (name, value)));
        let child = start
            .spawn()
            .map_err(|why| Error::Program { name: format!("setpriv, to run {program}"), why })?;
        Ok(Self { child, home, ticks: ticks_per_second() })
    }

    /// The process that was started itself.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What all of it has said.
    pub fn log(&self) -> String {
        let bytes = fs::read(self.home.path().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// How the program ended, if it did.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// User and system time of all its processes so far, with those that ended and were waited
    /// for. In steps of the kernel's ticks, commonly 10 ms a process.
    pub fn cpu(&self) -> Duration {
        let ticks: u64 = self.processes().into_iter().filter_map(cpu_ticks).sum();
        Duration::from_secs(ticks) / u32::try_from(self.ticks).unwrap_or(1)
    }

    /// The memory that it holds now.
    pub fn memory(&self) -> Memory {
        let mut memory = Memory { bytes: 0, is_proportional: true };
        for pid in self.processes() {
            let proportional = kilobytes(&format!("/proc/{pid}/smaps_rollup"), "Pss:");
            memory.is_proportional &= proportional.is_some();
            let resident = || kilobytes(&format!("/proc/{pid}/status"), "VmRSS:");
            memory.bytes += proportional.or_else(resident).unwrap_or(0) * 1024;
        }
        memory
    }

    /// The process and its descendants, also those that were adopted by others.
    fn processes(&self) -> Vec<u32> {
        let wanted = format!("HOME={}", self.home.path().display());
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        pids.filter(|pid| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            *pid == self.pid() || environment.split(|byte| *byte == 0).any(|entry| entry == wanted.as_bytes())
        })
        .collect()
    }

    /// Sends a signal to all processes, and waits a while for their end. Whether they ended.
    fn end(&mut self, signal: &str) -> bool {
        let deadline = clock::now() + END_TIME;
        let mut told = Vec::new();
        loop {
            let ended = self.exited().is_some();
            let mut alive = self.processes();
            alive.retain(|pid| !ended || *pid != self.child.id());
            if alive.is_empty() {
                return true;
            }
            alive.retain(|pid| !told.contains(pid));
            if !alive.is_empty() {
                let pids: Vec<String> = alive.iter().map(u32::to_string).collect();
                // A process may be gone in the meantime: no error.
                let script = format!("kill -{signal} {} 2>/dev/null", pids.join(" "));
                let _ = Command::new("sh").args(["-c", &script]).status();
                told.extend(alive);
            }
            if clock::now() > deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        if !self.end("TERM") {
            self.end("KILL");
        }
    }
}

/// User, system, and both of the children that were waited for.
fn cpu_ticks(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name comes before, in parentheses that it may contain itself.
    let (_, fields) = stat.rsplit_once(')')?;
    Some(fields.split_whitespace().skip(11).take(4).filter_map(|field| field.parse::<u64>().ok()).sum())
}

fn kilobytes(file: &str, key: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse().ok()
}

fn ticks_per_second() -> u64 {
    let vector = fs::read("/proc/self/auxv").unwrap_or_default();
    let word = |bytes: &[u8]| bytes.try_into().map(usize::from_ne_bytes).map(|word| word as u64).ok();
    let size = size_of::<usize>();
    let entries = vector.chunks_exact(2 * size);
    let found = entries.filter_map(|entry| Some((word(entry.get(..size)?)?, word(entry.get(size..)?)?)));
    found.into_iter().find(|(kind, _)| *kind == AT_CLKTCK).map_or(DEFAULT_TICKS, |(_, ticks)| ticks.max(1))
}
