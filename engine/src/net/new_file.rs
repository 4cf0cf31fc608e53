//! Files that Farpane makes for the user (recordings, pictures, statistics): always new ones, for their
//! owner's eyes only. What is there already is never emptied or written over.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// Names that are tried beside the one that was given.
const MAX_NUMBER: u32 = 9999;

/// Makes the file.
///
/// # Errors
/// If it exists already, or cannot be made.
pub fn create(path: &Path) -> io::Result<File> {
    check(path)?;
    if is_stream(path) {
        return OpenOptions::new().write(true).open(path);
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|why| if why.kind() == io::ErrorKind::AlreadyExists { exists() } else { why })
}

/// Says early what [`create`] would say of a file that is there: before a session is attached to for it.
///
/// # Errors
/// If the file exists already.
pub fn check(path: &Path) -> io::Result<()> {
    if path.symlink_metadata().is_ok() && !is_stream(path) { Err(exists()) } else { Ok(()) }
}

/// Makes the file, or if it exists `NAME-2.EXTENSION`, `NAME-3.EXTENSION`, …. Returns it and its path.
///
/// # Errors
/// If none can be made.
pub fn create_numbered(path: &Path) -> io::Result<(File, PathBuf)> {
    for number in 1..=MAX_NUMBER {
        let candidate = if number == 1 { path.to_owned() } else { numbered(path, number) };
        match create(&candidate) {
            Err(why) if why.kind() == io::ErrorKind::AlreadyExists => {}
            Ok(file) => {
                if number > 1 {
                    tracing::warn!(given = %path.display(), written = %candidate.display(),
                        "that file exists: another name is taken");
                }
                return Ok((file, candidate));
            }
            Err(why) => return Err(why),
        }
    }
    Err(exists())
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{number}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

fn exists() -> io::Error {
    let words = "it exists already, and no file is written over: give another name, or move it away first";
    io::Error::new(io::ErrorKind::AlreadyExists, words)
}

/// Whether there is nothing to lose: a device, a pipe, or what a shell has opened for us.
fn is_stream(path: &Path) -> bool {
    let is_open =
        path.starts_with("/dev/fd") || path == Path::new("/dev/stdout") || path == Path::new("/dev/stderr");
    is_open || path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir())
}
