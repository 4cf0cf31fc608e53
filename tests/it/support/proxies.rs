//! Real proxies on loopback ports, and names that only some programs know.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::program::{Launch, Program};
use super::xpra::free_port;

/// Debian's tinyproxy with a login.
pub struct HttpProxy {
    program: Program,
    port: u16,
}

impl HttpProxy {
    /// Who may use it.
    pub const LOGIN: &str = "anna:hunter2";

    /// Starts it and waits until it listens. It knows the names of `hosts`.
    #[track_caller]
    pub fn start(hosts: &Names) -> Self {
        let tinyproxy = Path::new("/usr/bin/tinyproxy");
        assert!(tinyproxy.exists(), "no {}: run 'make setup-test' once", tinyproxy.display());
        let port = free_port();
        let mut launch = Launch::new(tinyproxy);
        let file = launch.directory().join("tinyproxy.conf");
        let text = format!(
            "Port {port}\nListen 127.0.0.1\nAllow 127.0.0.1\nTimeout 600\nBasicAuth anna hunter2\nMaxClients 20\n"
        );
        std::fs::write(&file, text).expect("a file");
        for (name, value) in hosts.environment() {
            launch = launch.env(name, value);
        }
        let program = launch.args(["-d", "-c"]).args([&file]).joined_output().start();
        let mut proxy = Self { program, port };
        super::wait_for("tinyproxy to listen", Duration::from_secs(30), String::new, || {
            proxy.program.assert_running();
            TcpStream::connect(("127.0.0.1", port)).is_ok().then_some(())
        });
        proxy
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// What it logged.
    pub fn log(&self) -> String {
        self.program.stderr()
    }
}

/// Names that only programs with [`Self::environment`] know (libnss-wrapper), with their addresses.
pub struct Names {
    folder: tempfile::TempDir,
}

impl Names {
    /// Lines of a hosts file.
    #[track_caller]
    pub fn new(lines: &[&str]) -> Self {
        assert!(Self::library().exists(), "no {}: run 'make setup-test' once", Self::library().display());
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("hosts"), lines.join("\n") + "\n").expect("a file");
        Self { folder }
    }

    fn library() -> PathBuf {
        let folder = Path::new("/usr/lib").join(format!("{}-linux-gnu", std::env::consts::ARCH));
        folder.join("libnss_wrapper.so")
    }

    /// For a program that is to know them.
    pub fn environment(&self) -> [(&'static str, String); 2] {
        let hosts = self.folder.path().join("hosts").display().to_string();
        [("LD_PRELOAD", Self::library().display().to_string()), ("NSS_WRAPPER_HOSTS", hosts)]
    }
}
