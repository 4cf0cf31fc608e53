//! The servers whose certificates the user trusts although nobody vouches for them: a file of Farpane's own, like ssh's
//! `known_hosts`.
//!
//! A line a server: `HOST:PORT SHA256:… 2026-11-29`. What is no such line is left where it is and counts for nothing. The
//! file is written anew and moved into place, for its owner's eyes only. Calls read and write the disk at once.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::certificate::day;
use super::new_file;
use super::uri::HostPort;
use crate::session::Fingerprint;

/// A larger file was not written by us, in bytes: some thousand servers.
const MAX_BYTES: usize = 256 * 1024;

/// What stands in the file before anything else.
const HEADING: &str =
    "# Certificates of servers that you trust (farpane trust): HOST:PORT SHA256:FINGERPRINT DAY\n";

/// The file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownServers {
    path: PathBuf,
}

/// A server that is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// `HOST:PORT`, in small letters.
    pub server: String,
    pub fingerprint: Fingerprint,
    /// The day on which the user said so, in UTC.
    pub since: String,
}

/// Why the file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KnownServersError {
    #[error("cannot read the file of trusted servers {}: {why}; nothing is trusted that stands there", path.display())]
    Read { path: PathBuf, why: String },
    #[error("cannot write the file of trusted servers {}: {why}", path.display())]
    Write { path: PathBuf, why: String },
    #[error("the file of trusted servers {} is full: forget some of them with `farpane trust --forget HOST`", path.display())]
    Full { path: PathBuf },
    #[error(
        "{server} is known by another certificate: forget that first, with `farpane trust --forget {server}`"
    )]
    Other { server: String },
}

/// `HOST:PORT` as the file has it.
pub fn name_of(at: &HostPort) -> String {
    let host = match at.name().parse::<std::net::IpAddr>() {
        Ok(ip) => ip.to_canonical().to_string(),
        Err(_) => at.host.trim_end_matches('.').to_lowercase(),
    };
    HostPort { host, port: at.port }.to_string()
}

impl KnownServers {
    /// The file at this path. It need not exist before a server is trusted.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is trusted of this server, if anything is.
    ///
    /// # Errors
    /// If the file is there and cannot be read.
    pub fn find(&self, at: &HostPort) -> Result<Option<Known>, KnownServersError> {
        let server = name_of(at);
        Ok(self.list()?.into_iter().find(|known| known.server == server))
    }

    /// All of them, in the order in which they were trusted.
    ///
    /// # Errors
    /// If the file is there and cannot be read.
    pub fn list(&self) -> Result<Vec<Known>, KnownServersError> {
        Ok(self.read()?.lines().filter_map(Known::read).collect())
    }

    /// Trusts the server by this certificate from now on.
    ///
    /// # Errors
    /// If the server is known by another certificate, or the file cannot be written.
    pub fn trust(
        &self,
        at: &HostPort,
        fingerprint: Fingerprint,
        now: SystemTime,
    ) -> Result<(), KnownServersError> {
        let server = name_of(at);
        match self.find(at)? {
            Some(known) if known.fingerprint == fingerprint => return Ok(()),
            Some(_) => return Err(KnownServersError::Other { server }),
            None => {}
        }
        let mut text = self.read()?;
        if text.is_empty() {
            text.push_str(HEADING);
        } else if !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&format!("{server} {fingerprint} {}\n", day(now)));
        if text.len() > MAX_BYTES {
            return Err(KnownServersError::Full { path: self.path.clone() });
        }
        self.write(&text)
    }

    /// Forgets a host, at this port or at all. Returns how many lines that were.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn forget(&self, host: &str, port: Option<u16>) -> Result<usize, KnownServersError> {
        let name = |port| name_of(&HostPort { host: host.to_owned(), port });
        let is_meant = |known: &Known| match port {
            Some(port) => known.server == name(port),
            None => {
                let its_port = known.server.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
                its_port.is_some_and(|port| known.server == name(port))
            }
        };
        let text = self.read()?;
        let is_gone = |line: &&str| Known::read(line).is_some_and(|known| is_meant(&known));
        let gone = text.lines().filter(is_gone).count();
        if gone > 0 {
            let kept: String = text.split_inclusive('\n').filter(|line| !is_gone(line)).collect();
            self.write(&kept)?;
        }
        Ok(gone)
    }

    fn read(&self) -> Result<String, KnownServersError> {
        let error = |why: String| KnownServersError::Read { path: self.path.clone(), why };
        let file = match std::fs::File::open(&self.path) {
            Ok(file) => file,
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
            Err(why) => return Err(error(why.to_string())),
        };
        let mut bytes = Vec::new();
        file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(|why| error(why.to_string()))?;
        if bytes.len() > MAX_BYTES {
            return Err(error(format!("it is larger than {} KiB", MAX_BYTES >> 10)));
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn write(&self, text: &str) -> Result<(), KnownServersError> {
        let folder = self.path.parent().map_or(Ok(()), new_file::private_folder);
        folder
            .and_then(|()| new_file::replace(&self.path, text.as_bytes()))
            .map_err(|why| KnownServersError::Write { path: self.path.clone(), why: why.to_string() })
    }
}

impl Known {
    fn read(line: &str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let (server, fingerprint) = (words.next()?, words.next()?);
        let fingerprint = Fingerprint::parse(fingerprint)?;
        // Shown in messages.
        let since = words.next().filter(|day| day.len() <= 10 && day.bytes().all(|b| b.is_ascii_graphic()));
        let since = since.unwrap_or("an unknown day").to_owned();
        (!server.starts_with('#')).then(|| Self { server: server.to_lowercase(), fingerprint, since })
    }
}
