//! Finds the socket of an Xpra session on this machine.
//!
//! Servers bind `DIR/HOSTNAME-N` in several directories (xpra/platform/dotxpra.py); 6.x ones also
//! bind `RUNTIME_DIR/xpra/N/socket` (seen with 6.5.5). Linux's conventions.

use std::path::PathBuf;

/// Nobody has more sessions than this.
const MAX_ENTRIES: usize = 1000;

/// Where servers of this user may have put the socket of display `display` (without the colon),
/// best first. Nothing is said about whether they exist.
pub fn socket_candidates(display: &str) -> Vec<PathBuf> {
    let name = format!("{}-{display}", hostname());
    let mut candidates = Vec::new();
    for dir in socket_dirs() {
        candidates.push(dir.join(display).join("socket"));
        candidates.push(dir.join(&name));
    }
    candidates
}

/// Whether somebody takes connections at one of these sockets.
#[cfg(unix)]
pub fn is_live(sockets: &[PathBuf]) -> bool {
    sockets.iter().any(|socket| std::os::unix::net::UnixStream::connect(socket).is_ok())
}

/// There are none.
#[cfg(not(unix))]
pub fn is_live(_sockets: &[PathBuf]) -> bool {
    false
}

/// Those of these sessions at whose sockets somebody listens, without connecting to them, which servers would note in their
/// logs. Where the system does not say it: all of them.
pub fn listening(mut sessions: Vec<LocalSession>) -> Vec<LocalSession> {
    // Behind seven columns comes the path; flags 00010000 are those of a socket that listens.
    if let Ok(table) = std::fs::read_to_string("/proc/net/unix") {
        let listens = |line: &str| {
            let mut columns = line.split_ascii_whitespace();
            (columns.nth(3) == Some("00010000")).then(|| columns.nth(3).map(PathBuf::from))?
        };
        let paths: std::collections::BTreeSet<PathBuf> = table.lines().filter_map(listens).collect();
        sessions.retain(|session| paths.contains(&session.socket));
    }
    sessions
}

/// A socket of a session on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalSession {
    /// The display's name without the colon.
    pub display: String,
    pub socket: PathBuf,
}

/// The sockets of this user's sessions, a display each, without saying whether anybody listens.
pub fn sessions() -> Vec<LocalSession> {
    let prefix = format!("{}-", hostname());
    let mut sessions: Vec<LocalSession> = Vec::new();
    for entry in
        socket_dirs().iter().filter_map(|dir| dir.read_dir().ok()).flatten().flatten().take(MAX_ENTRIES)
    {
        let name = entry.file_name().to_string_lossy().into_owned();
        let in_folder = entry.path().join("socket");
        let found = match name.strip_prefix(&prefix) {
            Some(display) => Some((display.to_owned(), entry.path())),
            None => in_folder.exists().then_some((name, in_folder)),
        };
        if let Some((display, socket)) = found
            && sessions.iter().all(|session| session.display != display)
        {
            sessions.push(LocalSession { display, socket });
        }
    }
    sessions.sort_by(|a, b| a.display.cmp(&b.display));
    sessions
}

/// Directories in which Xpra servers put their sockets, without repetition.
fn socket_dirs() -> Vec<PathBuf> {
    let mut dirs: Vec<PathBuf> = Vec::new();
    let mut add = |dir: PathBuf| {
        if !dirs.contains(&dir) {
            dirs.push(dir);
        }
    };
    if let Some(runtime_dir) = std::env::var_os("XDG_RUNTIME_DIR").filter(|dir| !dir.is_empty()) {
        add(PathBuf::from(runtime_dir).join("xpra"));
    }
    if let Some(uid) = user_id() {
        add(PathBuf::from(format!("/run/user/{uid}/xpra")));
    }
    if let Some(home) = std::env::home_dir() {
        add(home.join(".xpra"));
    }
    add(PathBuf::from("/run/xpra"));
    add(PathBuf::from("/var/run/xpra"));
    dirs
}

/// The name that servers put into their socket's name.
fn hostname() -> String {
    std::env::var("XPRA_SOCKET_HOSTNAME")
        .unwrap_or_else(|_| gethostname::gethostname().to_string_lossy().into_owned())
}

/// The name of this process's account: some servers want to know it before they ask for a
/// password.
pub fn account_name() -> Option<String> {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    variable("LOGNAME").or_else(|| variable("USER")).or_else(|| variable("USERNAME")).or_else(passwd_name)
}

/// The account's name in /etc/passwd (`name:password:uid:…`).
fn passwd_name() -> Option<String> {
    let uid = user_id()?.to_string();
    let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
    let of_line = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    };
    accounts.lines().find_map(of_line)
}

/// The owner of this process.
#[cfg(target_os = "linux")]
pub(super) fn user_id() -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").ok().map(|process| process.uid())
}

#[cfg(not(target_os = "linux"))]
pub(super) fn user_id() -> Option<u32> {
    None
}
