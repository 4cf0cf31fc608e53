//! Child processes that never outlive the test.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use farpane::channel::clock;
use tempfile::TempDir;

/// A running program with a private directory, whose output goes to a file.
///
/// The directory is its `HOME`, and by that all of its descendants are known, whichever process groups
/// and sessions they start, and whatever else of the environment they drop (Xpra does both with its X
/// server).
///
/// It gets SIGTERM when the thread that started it ends, however it ends: start programs in the
/// thread that uses them.
pub struct Program {
    name: String,
    child: Child,
    directory: TempDir,
}

/// How to start a [`Program`].
pub struct Launch {
    command: Command,
    name: String,
    directory: TempDir,
    joined: bool,
}

impl Launch {
    pub fn new(program: impl AsRef<Path>) -> Self {
        let program = program.as_ref();
        let name =
            program.file_name().map(|name| name.to_string_lossy().into_owned()).expect("a program's name");
        let directory = TempDir::with_prefix(format!("farpane-test-{name}-")).expect("a temporary directory");
        // Xpra and GTK want it for themselves alone.
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        fs::set_permissions(directory.path(), private).expect("chmod");
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM", "--"]).arg(program);
        // A home of its own: no configuration of the user, no traces left.
        command.env("HOME", directory.path()).env("XDG_RUNTIME_DIR", directory.path());
        for name in
            ["XAUTHORITY", "WAYLAND_DISPLAY", "DISPLAY", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"]
        {
            command.env_remove(name);
        }
        command.env("NO_AT_BRIDGE", "1").env("LC_ALL", "C.UTF-8");
        Self { command, name, directory, joined: false }
    }

    pub fn args<S: AsRef<std::ffi::OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Both outputs into one log, which [`Program::stderr`] reads.
    pub fn joined_output(mut self) -> Self {
        self.joined = true;
        self
    }

    /// The private directory, which is also `HOME` and `XDG_RUNTIME_DIR`; it goes with the program.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub fn start(mut self) -> Program {
        let file = |name| File::create(self.directory.path().join(name)).expect("a file for the output");
        let stderr = file("stderr");
        let stdout = if self.joined { stderr.try_clone().expect("a second handle") } else { file("stdout") };
        let child = self
            .command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .unwrap_or_else(|error| panic!("{} did not start: {error}", self.name));
        Program { name: self.name, child, directory: self.directory }
    }
}

impl Program {
    /// What it wrote to stdout so far.
    pub fn stdout(&self) -> String {
        self.read("stdout")
    }

    /// What it wrote to stderr so far.
    pub fn stderr(&self) -> String {
        self.read("stderr")
    }

    fn read(&self, file: &str) -> String {
        let bytes = fs::read(self.directory.path().join(file)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its end, if it came already.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("wait")
    }

    /// Its end, or `None` when it is still running after `limit`.
    pub fn wait_exit(&mut self, limit: Duration) -> Option<ExitStatus> {
        let deadline = clock::now() + limit;
        loop {
            let status = self.exited();
            if status.is_some() || clock::now() > deadline {
                return status;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Sends a signal (`TERM`, `KILL`, …) to the program itself.
    pub fn signal(&self, signal: &str) {
        kill(signal, &[self.pid()]);
    }

    /// Part of the failed test's output.
    #[expect(clippy::print_stderr, reason = "the test runner shows it with the failure")]
    fn show_log(&self) {
        eprintln!("--- the end of {}'s log:\n{}\n---", self.name, super::tail(&self.stderr(), 30));
    }

    /// Panics, with the end of the log, if it ended.
    pub fn assert_running(&mut self) {
        if let Some(status) = self.exited() {
            panic!("{} ended with {status}:\n{}", self.name, super::tail(&self.stderr(), 40));
        }
    }
}

impl Drop for Program {
    /// Asks the program and all that it started to end (an X server removes its socket then), and
    /// kills what is left.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.show_log();
        }
        for (signal, patience) in [("TERM", Duration::from_secs(3)), ("KILL", Duration::from_secs(2))] {
            let deadline = clock::now() + patience;
            let mut signalled = Vec::new();
            loop {
                let _ = self.child.try_wait();
                let alive = processes_at_home_in(self.directory());
                if alive.is_empty() {
                    return;
                }
                let fresh: Vec<u32> = alive.iter().filter(|pid| !signalled.contains(*pid)).copied().collect();
                kill(signal, &fresh);
                signalled.extend(fresh);
                if clock::now() > deadline {
                    break;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

fn kill(signal: &str, pids: &[u32]) {
    if pids.is_empty() {
        return;
    }
    let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
    let script = format!("kill -{signal} {} 2>/dev/null", pids.join(" "));
    // A process may be gone in the meantime: no error.
    let _ = Command::new("sh").args(["-c", &script]).status();
}

fn processes_at_home_in(directory: &Path) -> Vec<u32> {
    let wanted = format!("HOME={}", directory.display());
    let is_at_home = |process: &PathBuf| {
        // A zombie's environment is empty, so the dead are not counted.
        let environment = fs::read(process.join("environ")).unwrap_or_default();
        environment.split(|&byte| byte == 0).any(|variable| variable == wanted.as_bytes())
    };
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    processes
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
        .filter(|(_, path)| is_at_home(path))
        .map(|(pid, _)| pid)
        .collect()
}

/// The words of a command that runs to its end, and its output. Panics when it fails.
#[track_caller]
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?} failed with {}:\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
