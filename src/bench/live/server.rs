//! A real server with a session of its own.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

use crate::bench::peers::Error;
use crate::bench::peers::clients::Xpra;
use crate::bench::peers::process::Tree;
use crate::channel::clock;

/// A server starts within this time.
const PATIENCE: Duration = Duration::from_secs(90);
/// The session's screen.
const XVFB: &str = "--xvfb=Xvfb +extension GLX +extension Composite +extension RANDR +extension RENDER \
                    -screen 0 2560x1600x24+32 -nolisten tcp -noreset -dpi 96x96";

/// A running server, which nobody else can attach to by chance.
pub struct Server {
    tree: Tree,
    port: u16,
    display: String,
}

impl Server {
    /// Starts it, with these switches besides, and waits until it accepts connections.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start(xpra: &Xpra, switches: &[&str]) -> Result<Self, Error> {
        let failed =
            |why: String| Error::Client { name: format!("the server of Xpra {}", xpra.version), why };
        let port = free_port().map_err(|why| failed(why.to_string()))?;
        let mode = if xpra.is_modern() { "seamless" } else { "start" };
        let bind = format!("--bind-tcp=127.0.0.1:{port}");
        let mut words = vec![xpra.program.display().to_string()];
        let common = [mode, &bind, XVFB, "--daemon=no", "--mdns=no", "--pulseaudio=no", "--notifications=no"];
        words.extend(common.map(str::to_owned));
        words.extend(["--printing=no", "--webcam=no", "--html=off"].map(str::to_owned));
        words.extend(if xpra.is_modern() {
            ["--source=no", "--audio=no", "--dbus=no", "--systemd-run=no"].map(str::to_owned)
        } else {
            ["--dbus-launch=", "--speaker=off", "--microphone=off", "--debug=server"].map(str::to_owned)
        });
        words.extend(switches.iter().map(|switch| (*switch).to_owned()));
        let mut tree = Tree::start("server", &words, &xpra.environment)?;
        let deadline = clock::now() + PATIENCE;
        loop {
            let log = tree.log();
            // 3.1 says that it is ready while it still loads its encoders.
            let is_loaded = xpra.is_modern() || log.contains("threaded_init() end");
            let listens = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
            if is_loaded
                && log.contains("xpra is ready.")
                && listens()
                && let Some(display) = display_in(&log)
            {
                return Ok(Self { tree, port, display });
            }
            if clock::now() > deadline || tree.exited().is_some() {
                return Err(failed(log.lines().last().unwrap_or("it says nothing").to_owned()));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What to attach to.
    pub fn url(&self) -> String {
        format!("tcp://127.0.0.1:{}/", self.port)
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The display that the session's programs are on.
    pub fn display(&self) -> &str {
        &self.display
    }

    /// Draws that a client refused so far.
    pub fn refused(&self) -> usize {
        self.tree.log().matches("client decoding error").count()
    }
}

/// From `connected to X11 server ':1'` or `connected to X11 display :1 with 24 bit colors`.
fn display_in(log: &str) -> Option<String> {
    let rest = log.split_once("connected to X11 ")?.1;
    let digits: String = rest.split_once(':')?.1.chars().take_while(char::is_ascii_digit).collect();
    (!digits.is_empty()).then(|| format!(":{digits}"))
}

/// A loopback port that was free a moment ago.
fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
