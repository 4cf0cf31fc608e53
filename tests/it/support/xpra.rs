//! Real Xpra servers, of both generations.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use super::display::Display;
use super::program::{Launch, Program};
use super::slots::Slot;
use super::x11::X;

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// Debian's: bencode and legacy packet names.
    V3_1,
    /// PyPI's 6.5.5: rencodeplus, and legacy names unless told otherwise.
    V6_5,
    /// The same with `XPRA_BACKWARDS_COMPATIBLE=0`, which insists on modern packet names.
    V6_5Modern,
    /// PyPI's 4.4.6: rencodeplus, and 3.1's names for everything. Only there after `make setup-servers`.
    #[cfg_attr(
        not(feature = "test-servers"),
        allow(dead_code, reason = "only `make test-servers` starts it")
    )]
    V4_4,
    /// PyPI's 5.1.6: the same.
    #[cfg_attr(
        not(feature = "test-servers"),
        allow(dead_code, reason = "only `make test-servers` starts it")
    )]
    V5_1,
}

impl Generation {
    pub const ALL: [Self; 3] = [Self::V3_1, Self::V6_5, Self::V6_5Modern];

    /// The program, and the environment that it needs.
    pub fn command(self) -> (PathBuf, Vec<(&'static str, String)>) {
        if self == Self::V3_1 {
            // Debian's configuration starts an Xsession, which shows what its xmessage finds worth it.
            return ("/usr/bin/xpra".into(), vec![("XPRA_SYSTEM_CONF_DIRS", "/nonexistent".into())]);
        }
        let (version, variable, setup) = match self {
            Self::V4_4 => ("4.4.6", "FARPANE_XPRA4", "setup-servers"),
            Self::V5_1 => ("5.1.6", "FARPANE_XPRA5", "setup-servers"),
            _ => ("6.5.5", "FARPANE_XPRA6", "setup-test"),
        };
        let prefix = xpra_prefix(version, variable);
        let program = prefix.join("bin/xpra");
        assert!(program.exists(), "no Xpra {version} in {}: run 'make {setup}' once", prefix.display());
        let mut environment = vec![
            // Else it reads /etc/xpra, which belongs to 3.1.3.
            ("XPRA_SYSTEM_CONF_DIRS", prefix.join("etc/xpra").display().to_string()),
            ("XPRA_PYTHON_COMMAND", prefix.join("bin/python").display().to_string()),
            ("XPRA_NO_ROOT_WARNING", "1".into()),
        ];
        if matches!(self, Self::V4_4 | Self::V5_1) {
            // Else they look for the rules of keyboards in their own prefix.
            environment.push(("XPRA_XKB_CONFIG_ROOT", "/usr/share/X11/xkb".into()));
        }
        if self == Self::V6_5Modern {
            environment.push(("XPRA_BACKWARDS_COMPATIBLE", "0".into()));
        }
        (program, environment)
    }
}

/// The Python that this generation's Xpra runs in, with the environment that it needs.
pub fn python(generation: Generation) -> std::process::Command {
    let (program, environment) = generation.command();
    let program = match generation {
        Generation::V3_1 => PathBuf::from("/usr/bin/python3"),
        _ => program.with_file_name("python3"),
    };
    let mut command = std::process::Command::new(program);
    command.envs(environment);
    command
}

/// This generation's program, with the environment that it needs.
pub fn xpra(generation: Generation) -> std::process::Command {
    let (program, environment) = generation.command();
    let mut command = std::process::Command::new(program);
    command.envs(environment);
    command
}

/// What `xpra attach --help` of this generation prints.
pub fn attach_help(generation: Generation) -> String {
    let (program, environment) = generation.command();
    super::program::run(std::process::Command::new(program).args(["attach", "--help"]).envs(environment))
}

/// Where `make setup-test` or `make setup-servers` installs an Xpra, unless `variable` says.
fn xpra_prefix(version: &str, name: &str) -> PathBuf {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable(name).unwrap_or_else(|| {
        let cache = variable("FARPANE_CACHE").unwrap_or_else(|| {
            let home = || variable("HOME").expect("HOME").join(".cache");
            variable("XDG_CACHE_HOME").unwrap_or_else(home).join("farpane")
        });
        cache.join(format!("xpra-{version}"))
    })
}

/// What to start, beside the defaults: a seamless session with nothing in it and no password.
#[derive(Clone, Default)]
pub struct Options {
    /// A whole desktop of this size in one window instead of seamless windows.
    pub desktop: Option<(u16, u16)>,
    /// A command to run in the session.
    pub start: Option<String>,
    /// Who connects must know it.
    pub password: Option<String>,
    /// Further switches, such as `--compressors=zlib`.
    pub switches: Vec<String>,
    /// What stands behind its port, such as `,encryption=AES`.
    pub socket_options: String,
    /// A script of Python that is started instead of `xpra`, with its arguments.
    pub script: Option<PathBuf>,
    /// Further environment variables.
    pub environment: Vec<(&'static str, String)>,
}

/// Starts Xpra's own client on `display`, attached to `url`. It paints without OpenGL and shows no
/// splash; `switches` are further ones. What it logs is its `stderr`.
pub fn official_client(generation: Generation, display: &Display, url: &str, switches: &[&str]) -> Program {
    let (command, environment) = generation.command();
    let mut launch = Launch::new(command).args(["attach", url]).args(switches);
    launch = launch.args(["--opengl=no", "--mmap=no", "--notifications=no", "--tray=no", "--webcam=no"]);
    launch = match generation {
        Generation::V3_1 => launch.args(["--speaker=off", "--microphone=off"]),
        _ => launch.args(["--audio=no", "--splash=no", "--reconnect=no"]),
    };
    for (name, value) in environment {
        launch = launch.env(name, value);
    }
    launch.env("DISPLAY", display.name()).joined_output().start()
}

/// A running server with its own X display, listening on a loopback port and a Unix socket.
pub struct XpraServer {
    pub generation: Generation,
    port: u16,
    // The connection to its display goes before the server, which takes the display with it.
    x: X,
    program: Program,
    /// The servers that it took the place of: its X server is a child of the first.
    before: Vec<Program>,
    options: Options,
    _slot: Slot,
}

/// A picture that the server says it compressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The encoding's name: `rgb24`, `png`, `h264`, …
    pub encoding: String,
    pub width: u32,
    pub height: u32,
    /// What the server told the client of it: `{'lz4': 1, 'rgb_format': 'BGRX', …`.
    pub options: String,
}

impl XpraServer {
    /// Starts it and waits until it accepts connections.
    #[track_caller]
    pub fn start(generation: Generation, options: &Options) -> Self {
        let slot = Slot::take();
        let port = free_port();
        let (program, display) = Self::launch(generation, options, port, None);
        let (before, options) = (Vec::new(), options.clone());
        Self { generation, port, x: X::connect(&display), program, before, options, _slot: slot }
    }

    /// Starts another server for the display of this one, which was killed, and on its port.
    #[track_caller]
    pub fn start_again(&mut self) {
        let display = (self.x.name(), self.program.directory());
        let (program, _) = Self::launch(self.generation, &self.options, self.port, Some(display));
        self.before.push(std::mem::replace(&mut self.program, program));
    }

    /// A server that is ready, and its display: the one that is named, with the folder of the server that started it.
    #[track_caller]
    fn launch(
        generation: Generation,
        options: &Options,
        port: u16,
        display: Option<(&str, &Path)>,
    ) -> (Program, String) {
        let (command, environment) = generation.command();
        let mode = match (options.desktop.is_some(), generation) {
            (true, Generation::V3_1 | Generation::V4_4 | Generation::V5_1) => "start-desktop",
            (true, _) => "desktop",
            (false, Generation::V3_1 | Generation::V4_4 | Generation::V5_1) => "start",
            (false, _) => "seamless",
        };
        let mut launch = match &options.script {
            None => Launch::new(command),
            Some(script) => Launch::new(python(generation).get_program()).args([script]),
        };
        launch = launch.args([mode]);
        if let Some((display, folder)) = display {
            let authority = folder.join(".Xauthority").display().to_string();
            launch = launch.args([display, "--use-display=yes"]).env("XAUTHORITY", authority);
        }
        // As by default, but nothing outside of the private directory.
        let sockets = launch.directory().join("xpra");
        let password = launch.directory().join("password");
        let bind = format!("--bind-tcp=127.0.0.1:{port}{}", options.socket_options);
        if let Some(text) = &options.password {
            std::fs::write(&password, text).expect("a password file");
            launch = launch.args([format!("--tcp-auth=file:filename={}", password.display())]);
        }
        let (width, height) = options.desktop.unwrap_or((2560, 1600));
        let xvfb = format!(
            "--xvfb=Xvfb +extension GLX +extension Composite +extension RANDR +extension RENDER \
             -screen 0 {width}x{height}x24+32 -nolisten tcp -noreset -dpi 96x96"
        );
        launch = launch.args([&bind, &xvfb, &format!("--socket-dirs={}", sockets.display())]);
        launch = launch.args(["--daemon=no", "--mdns=no", "--pulseaudio=no", "--notifications=no"]);
        launch = launch.args(["--printing=no", "--webcam=no", "--html=off"]);
        launch = match generation {
            Generation::V3_1 => {
                launch.args(["--dbus-launch=", "--speaker=off", "--microphone=off", "-d", "compress,server"])
            }
            Generation::V4_4 | Generation::V5_1 => {
                let sound = ["--source=no", "--speaker=off", "--microphone=off", "--dbus-launch="];
                launch.args(sound).args(["--systemd-run=no", "-d", "compress"])
            }
            _ => {
                launch.args(["--source=no", "--audio=no", "--dbus=no", "--systemd-run=no", "-d", "compress"])
            }
        };
        if let Some(command) = &options.start {
            launch = launch.args([format!("--start={command}")]);
        }
        launch = launch.args(&options.switches);
        for (name, value) in environment.into_iter().chain(options.environment.clone()) {
            launch = launch.env(name, value);
        }
        let program = std::cell::RefCell::new(launch.joined_output().start());
        let display = super::wait_for(
            &format!("{generation:?} to be ready"),
            Duration::from_secs(60),
            || super::tail(&program.borrow().stderr(), 40),
            || {
                let mut program = program.borrow_mut();
                program.assert_running();
                let log = program.stderr();
                let listening = || TcpStream::connect(("127.0.0.1", port)).is_ok();
                // 3.1.3 says that it is ready while it still loads its encoders.
                let loaded = generation != Generation::V3_1 || log.contains("threaded_init() end");
                let ready = loaded && log.contains("xpra is ready.") && listening();
                ready.then(|| display_in(&log)).flatten()
            },
        );
        (program.into_inner(), display)
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// `xpra control` with these words. Panics unless it succeeds.
    #[track_caller]
    pub fn control(&self, words: &[&str]) {
        let (program, environment) = self.generation.command();
        let mut command = std::process::Command::new(program);
        command.arg("control").arg(self.url()).args(words).envs(environment);
        super::program::run(&mut command);
    }

    /// `tcp://127.0.0.1:PORT/`.
    pub fn url(&self) -> String {
        format!("tcp://{}/", self.address())
    }

    /// The display that the session's programs are on, for a look at the true pixels.
    pub fn x(&self) -> &X {
        &self.x
    }

    /// The private `XDG_RUNTIME_DIR`, in which the session's socket can be found.
    pub fn directory(&self) -> &Path {
        self.program.directory()
    }

    /// The Unix socket that it listens on.
    pub fn socket(&self) -> PathBuf {
        let number = self.x.name().trim_start_matches(':');
        let modern = self.directory().join("xpra").join(number).join("socket");
        if modern.exists() {
            return modern;
        }
        let entries = std::fs::read_dir(self.directory().join("xpra")).expect("the socket directory");
        let ending = format!("-{number}");
        let paths = entries.flatten().map(|entry| entry.path());
        paths.into_iter().find(|path| path.to_string_lossy().ends_with(&ending)).expect("a socket")
    }

    /// Everything it said.
    pub fn log(&self) -> String {
        self.program.stderr()
    }

    /// How much of the log there is, to look only at what comes [`since`](Self::sent_since).
    pub fn log_length(&self) -> usize {
        self.log().len()
    }

    /// The pictures that it compressed since the log had this length: the proof that an encoding was
    /// really used.
    pub fn sent_since(&self, length: usize) -> Vec<Sent> {
        self.log()[length..].lines().filter_map(Sent::parse).collect()
    }

    /// Ends it without a word to anyone, as a crash does.
    pub fn kill(&self) {
        self.program.signal("KILL");
    }

    /// It stands still, as under a debugger or without memory, until it [goes on](Self::go_on).
    pub fn stand_still(&self) {
        self.program.signal("STOP");
    }

    /// It works again.
    pub fn go_on(&self) {
        self.program.signal("CONT");
    }

    /// Waits until its process has ended.
    #[track_caller]
    pub fn wait_end(&mut self, limit: std::time::Duration) {
        assert!(
            self.program.wait_exit(limit).is_some(),
            "the server runs on:\n{}",
            super::tail(&self.log(), 20)
        );
    }

    /// Asks it to stop; it tells its clients.
    pub fn stop(&self) {
        self.program.signal("TERM");
    }
}

impl Sent {
    /// Parses `compress: 0.1ms for 10x17 pixels at 0,0 for wid=1 using rgb24 with ratio …`.
    fn parse(line: &str) -> Option<Self> {
        let rest = line.split_once("compress:")?.1;
        let (size, rest) = rest.split_once("ms for")?.1.trim_start().split_once(' ')?;
        let (width, height) = size.split_once('x')?;
        let encoding = rest.split_once(" using ")?.1.split_whitespace().next()?;
        Some(Self {
            encoding: encoding.to_owned(),
            width: width.parse().ok()?,
            height: height.parse().ok()?,
            options: rest.split_once("client_options=")?.1.split(", options=").next()?.to_owned(),
        })
    }
}

/// The display's name, from `connected to X11 server ':1'` or `connected to X11 display :1 with 24 bit colors`.
fn display_in(log: &str) -> Option<String> {
    let rest = log.split_once("connected to X11 ")?.1;
    let digits: String = rest.split_once(':')?.1.chars().take_while(char::is_ascii_digit).collect();
    (!digits.is_empty()).then(|| format!(":{digits}"))
}

/// A loopback port that is free, and that nobody gets by chance: it lies below those that systems give away.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const PORTS: std::ops::Range<u16> = 10_000..32_000;
    let first = std::process::id() % u32::from(PORTS.end - PORTS.start);
    loop {
        let number = first + u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = PORTS.start + (number % u32::from(PORTS.end - PORTS.start)) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
