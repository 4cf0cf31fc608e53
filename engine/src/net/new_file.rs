//! Files that Farpane makes for the user, for their owner's eyes only. Recordings, pictures and statistics are always new
//! ones: what is there already is never emptied or written over. Farpane's own lists are replaced as a whole.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
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

/// Replaces the file, or makes it: a new one is written beside it and moved into its place, so that whoever reads it sees
/// all of the old one or all of the new one.
///
/// # Errors
/// If it cannot be written; then the old one is still there.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(name);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    // Left by a process of this number that was killed.
    let _ = std::fs::remove_file(&beside);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let moved = written.and_then(|()| std::fs::rename(&beside, path));
    if moved.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    moved
}

/// Makes the folder and those above it, if they are not there, for their owner alone.
///
/// # Errors
/// If it cannot be made.
pub fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
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
