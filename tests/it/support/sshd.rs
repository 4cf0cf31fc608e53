//! An ssh server on a loopback port, with keys and a configuration of its own, that anybody with its key can log in to
//! as the account that runs the tests.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::program::{Launch, Program, run};
use super::xpra::{Generation, free_port};

const PASSPHRASE: &str = "open sesame";

/// A running server; its folder has what clients need too.
pub struct Sshd {
    program: Program,
    port: u16,
}

/// What is not as usual.
#[derive(Default)]
pub struct Options {
    /// Whose xpra is found there, and in which runtime folder its sessions are. Else none is found.
    pub xpra: Option<(Generation, PathBuf)>,
    /// Lines of its configuration.
    pub lines: Vec<String>,
}

fn key(file: &Path, passphrase: &str) {
    run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", passphrase, "-f"]).arg(file));
}

/// Xpra's configuration (a folder of `XPRA_USER_CONF_DIRS` has it as `xpra.conf`) that keeps the sockets of sessions
/// out of the folders that all tests see.
pub fn private_sockets(runtime: &Path) -> String {
    let sockets = runtime.join("xpra").display().to_string();
    format!(
        "socket-dir = {sockets}\nsocket-dirs = {sockets}\nclient-socket-dirs = {sockets}\nmdns = no\ndbus = no\npulseaudio = no\naudio = no\n"
    )
}

impl Sshd {
    /// Starts it and waits until it listens.
    #[track_caller]
    pub fn start(options: &Options) -> Self {
        let program = Path::new("/usr/sbin/sshd");
        assert!(program.exists(), "no {}: run 'make setup-test' once", program.display());
        // Root's needs it; systemd makes it where it starts one.
        let _ = std::fs::create_dir("/run/sshd");
        let port = free_port();
        let launch = Launch::new(program);
        let folder = launch.directory().to_owned();
        let file = |name: &str| folder.join(name).display().to_string();
        key(&folder.join("host"), "");
        key(&folder.join("key"), "");
        key(&folder.join("locked"), PASSPHRASE);
        key(&folder.join("stranger"), "");
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("a key");
        let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("a file");
        write("authorized", &(read("key.pub") + &read("locked.pub")));
        write("known", &format!("[127.0.0.1]:{port} {}", read("host.pub")));
        write("other", &format!("[127.0.0.1]:{port} {}", read("stranger.pub")));
        let mut environment = vec![("HOME".to_owned(), folder.display().to_string())];
        // What the shell there needs to be one.
        let tools = folder.join("bin");
        std::fs::create_dir(&tools).expect("a folder");
        for tool in ["sh", "id", "cat", "sleep"] {
            std::os::unix::fs::symlink(Path::new("/bin").join(tool), tools.join(tool)).expect("a link");
        }
        let mut path = tools.display().to_string();
        if let Some((generation, runtime)) = &options.xpra {
            let (xpra, variables) = generation.command();
            path = format!("{}:/usr/bin:/bin", xpra.parent().expect("a folder").display());
            environment.push(("XDG_RUNTIME_DIR".to_owned(), runtime.display().to_string()));
            let settings = folder.display().to_string();
            environment.push(("XPRA_USER_CONF_DIRS".to_owned(), settings));
            write("xpra.conf", &private_sockets(runtime));
            environment.extend(variables.into_iter().map(|(name, value)| (name.to_owned(), value)));
        }
        environment.push(("PATH".to_owned(), path));
        let environment: Vec<String> =
            environment.into_iter().map(|(name, value)| format!("\"{name}={value}\"")).collect();
        let mut lines = vec![
            "ListenAddress 127.0.0.1".to_owned(),
            format!("Port {port}"),
            format!("HostKey {}", file("host")),
            format!("AuthorizedKeysFile {}", file("authorized")),
            format!("SetEnv {}", environment.join(" ")),
            "PidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\nPermitRootLogin yes"
                .to_owned(),
        ];
        lines.extend(options.lines.iter().cloned());
        write("sshd_config", &lines.join("\n"));
        let program = launch.args(["-D", "-e", "-f", &file("sshd_config")]).start();
        let mut sshd = Self { program, port };
        for (name, key, known) in [
            ("ssh", "key", "known"),
            ("locked_ssh", "locked", "known"),
            ("stranger_ssh", "stranger", "known"),
            ("other_ssh", "key", "other"),
            ("unknown_ssh", "key", "none"),
        ] {
            let lines = [
                "Host *".to_owned(),
                format!("IdentityFile {}", file(key)),
                "IdentitiesOnly yes\nIdentityAgent none\nGlobalKnownHostsFile none".to_owned(),
                format!("UserKnownHostsFile {}", file(known)),
            ];
            write(name, &lines.join("\n"));
        }
        super::wait_for("sshd to listen", Duration::from_secs(30), String::new, || {
            sshd.program.assert_running();
            TcpStream::connect(("127.0.0.1", port)).is_ok().then_some(())
        });
        sshd
    }

    /// `ssh://127.0.0.1:PORT/REST`.
    pub fn url(&self, rest: &str) -> String {
        format!("ssh://127.0.0.1:{}/{rest}", self.port)
    }

    /// The option that makes ssh use the configuration with this name: `ssh` (all is well), `locked_ssh` (the key has a
    /// [passphrase](Self::PASSPHRASE)), `stranger_ssh` (the key is not let in), `other_ssh` (the host had another key),
    /// `unknown_ssh` (the host is new).
    pub fn option(&self, configuration: &str) -> String {
        format!("--ssh=ssh -F {}", self.program.directory().join(configuration).display())
    }

    /// OpenSSH's own SOCKS proxy (`ssh -D`) through this server, listening on `port`.
    #[track_caller]
    pub fn socks(&self, port: u16) -> Program {
        let configuration = self.program.directory().join("ssh").display().to_string();
        let bind = format!("127.0.0.1:{port}");
        let words = ["-F", &configuration, "-N", "-D", &bind, "-p", &self.port.to_string(), "127.0.0.1"];
        let mut ssh = Launch::new("/usr/bin/ssh").args(words).joined_output().start();
        super::wait_for("ssh -D to listen", Duration::from_secs(30), String::new, || {
            ssh.assert_running();
            TcpStream::connect(("127.0.0.1", port)).is_ok().then_some(())
        });
        ssh
    }

    /// Of the locked key.
    pub const PASSPHRASE: &str = PASSPHRASE;

    /// What it logged.
    pub fn log(&self) -> String {
        self.program.stderr()
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.program.directory()
    }
}
