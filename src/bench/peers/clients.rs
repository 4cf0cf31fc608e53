//! The clients that are installed here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use super::Error;

/// In a command, the place of the server's URL.
const URL: &str = "{url}";

/// A client and how it is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    pub name: String,
    /// Farpane in one of its renderers: what is compared with the others.
    pub is_farpane: bool,
    /// The program and its arguments, among them `{url}`.
    pub command: Vec<String>,
    pub environment: Vec<(String, String)>,
    /// It is to paint with OpenGL, and says in its log whether it does.
    pub is_opengl: bool,
}

/// A client of the user's, as a configuration in JSON names it: a list of these.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Other {
    name: String,
    command: Vec<String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
}

impl Client {
    /// The command that attaches to `url`.
    pub fn command_for(&self, url: &str) -> Vec<String> {
        self.command.iter().map(|word| word.replace(URL, url)).collect()
    }

    /// This program in one of its renderers, `cpu` or `wgpu`.
    ///
    /// # Errors
    /// If the OS does not say where this program is.
    pub fn farpane(renderer: &str) -> Result<Self, Error> {
        let program =
            std::env::current_exe().map_err(|why| Error::Program { name: "farpane".into(), why })?;
        Ok(Self {
            name: format!("farpane {renderer}"),
            is_farpane: true,
            command: words(&[&program.to_string_lossy(), URL, "--renderer", renderer, "--greeting=no"]),
            environment: Vec::new(),
            is_opengl: false,
        })
    }

    /// Xpra's own client in both ways of painting.
    fn xpra(xpra: &Xpra) -> Vec<Self> {
        let Xpra { program, environment, version } = xpra;
        let client = |paints: &str, is_opengl: bool| {
            let opengl = if is_opengl { "--opengl=yes" } else { "--opengl=no" };
            let mut command = words(&[&program.to_string_lossy(), "attach", URL, opengl]);
            command.extend(words(&["--mmap=no", "--notifications=no", "--tray=no", "--webcam=no"]));
            command.extend(words(&["--desktop-scaling=off"]));
            if xpra.is_modern() {
                command.extend(words(&["--audio=no", "--splash=no", "--reconnect=no"]));
            } else {
                // Its own packet encoder is none that the player speaks.
                command.extend(words(&["--speaker=off", "--microphone=off", "--packet-encoders=bencode"]));
            }
            Self {
                name: format!("xpra {version} {paints}"),
                is_farpane: false,
                command,
                environment: environment.clone(),
                is_opengl,
            }
        };
        vec![client("cairo", false), client("opengl", true)]
    }
}

/// Farpane in each renderer, then Xpra's own client: the one of `PATH`, and the 6.5.5 that the
/// tests use.
///
/// # Errors
/// If the OS does not say where this program is.
pub fn installed() -> Result<Vec<Client>, Error> {
    let mut clients = vec![Client::farpane("cpu")?, Client::farpane("wgpu")?];
    clients.extend(Xpra::installed().iter().flat_map(Client::xpra));
    Ok(clients)
}

/// Xpra 6.5.5 where `make setup-test` puts it, painting with cairo and OpenGL.
pub fn xpra6() -> Vec<Client> {
    Xpra::cached().iter().flat_map(Client::xpra).collect()
}

/// An Xpra that is installed here: its client, and its server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Xpra {
    pub program: PathBuf,
    pub environment: Vec<(String, String)>,
    /// For example `6.5.5`.
    pub version: String,
}

impl Xpra {
    /// The one of `PATH`, and the 6.5.5 that the tests use.
    pub fn installed() -> Vec<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found =
            std::env::split_paths(&path).map(|folder| folder.join("xpra")).find(|file| file.is_file());
        let environment = vec![("XPRA_SYSTEM_CONF_DIRS".into(), "/nonexistent".into())];
        let of_path = found.and_then(|program| Self::at(&program, environment));
        of_path.into_iter().chain(Self::cached()).collect()
    }

    /// The one at `program`, if it tells its version.
    fn at(program: &Path, environment: Vec<(String, String)>) -> Option<Self> {
        let mut command = Command::new(program);
        command.arg("--version").envs(environment.clone());
        let said =
            command.output().map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).ok()?;
        let version = said.split_whitespace().find_map(|word| {
            let version = word.trim_start_matches('v');
            version.starts_with(|c: char| c.is_ascii_digit()).then(|| version.to_owned())
        })?;
        let version = version.split('-').next().unwrap_or(&version).to_owned();
        Some(Self { program: program.to_owned(), environment, version })
    }

    /// Its client that paints without OpenGL.
    pub fn client(&self) -> Option<Client> {
        Client::xpra(self).into_iter().find(|client| !client.is_opengl)
    }

    /// Whether its version contains one of these, of which there may be none.
    pub fn is_wanted(&self, versions: &[String]) -> bool {
        versions.is_empty() || versions.iter().any(|part| self.version.contains(part.as_str()))
    }

    /// Xpra 5 or later.
    pub fn is_modern(&self) -> bool {
        self.version
            .split('.')
            .next()
            .and_then(|major| major.parse::<u32>().ok())
            .is_some_and(|major| major >= 5)
    }

    /// Xpra 6.5.5 where `make setup-test` puts it (`FARPANE_XPRA6`).
    fn cached() -> Option<Self> {
        let (prefix, environment) = cached()?;
        Self::at(&prefix.join("bin/xpra"), environment)
    }
}

/// The folder of Xpra 6.5.5, and the environment that it needs.
fn cached() -> Option<(PathBuf, Vec<(String, String)>)> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = || {
        let home = || variable("HOME").map(|home| home.join(".cache"));
        let farpane = || Some(variable("XDG_CACHE_HOME").or_else(home)?.join("farpane"));
        Some(variable("FARPANE_CACHE").or_else(farpane)?.join("xpra-6.5.5"))
    };
    let prefix = variable("FARPANE_XPRA6").or_else(cache)?;
    let text = |path: &str| prefix.join(path).display().to_string();
    let environment = vec![
        // Else it reads /etc/xpra, which belongs to another version.
        ("XPRA_SYSTEM_CONF_DIRS".into(), text("etc/xpra")),
        ("XPRA_PYTHON_COMMAND".into(), text("bin/python")),
        ("XPRA_NO_ROOT_WARNING".into(), "1".into()),
    ];
    Some((prefix, environment))
}

/// The clients that a configuration names.
///
/// # Errors
/// If it cannot be read, or a command lacks `{url}`.
pub fn configured(file: &Path) -> Result<Vec<Client>, Error> {
    let wrong = |why: String| Error::Config { path: file.to_owned(), why };
    let text = std::fs::read_to_string(file).map_err(|why| Error::file(file, why))?;
    let others: Vec<Other> = serde_json::from_str(&text).map_err(|why| wrong(why.to_string()))?;
    others
        .into_iter()
        .map(|Other { name, command, environment }| {
            if !command.iter().any(|word| word.contains(URL)) {
                return Err(wrong(format!("the command of {name:?} has no word with {URL}")));
            }
            let environment = environment.into_iter().collect();
            Ok(Client { name, is_farpane: false, command, environment, is_opengl: false })
        })
        .collect()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
