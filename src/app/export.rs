//! Where the user's exports go: a new file in the folder for downloads.

use std::env;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::net::new_file;

/// A file name without its number and extension.
const STEM: &str = "farpane-session";
/// Files with numbers that are tried.
const MAX_NUMBER: u32 = 9999;

/// An export that could not be saved.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("cannot write {}: {why}", path.display())]
    File { path: PathBuf, why: io::Error },
    #[error("{} has {MAX_NUMBER} exports already: move some away", folder.display())]
    Full { folder: PathBuf },
}

/// Writes `content` to a new file `farpane-session[-N].EXTENSION` in the user's folder for downloads, or in
/// the current one if there is none, readable by its owner only. No file is ever overwritten. Returns the file's path.
///
/// # Errors
/// If no such file can be made or written.
pub fn save(extension: &str, content: &[u8]) -> Result<PathBuf, ExportError> {
    save_in(&download_folder(), extension, content)
}

/// The same, in this folder.
///
/// # Errors
/// If no such file can be made or written.
pub fn save_in(folder: &Path, extension: &str, content: &[u8]) -> Result<PathBuf, ExportError> {
    let (mut file, path) = create_in(folder, extension)?;
    file.write_all(content).map_err(|why| ExportError::File { path: path.clone(), why })?;
    Ok(path)
}

/// Makes such a file, empty. Returns it and its path.
///
/// # Errors
/// If no such file can be made.
pub fn create(extension: &str) -> Result<(File, PathBuf), ExportError> {
    create_in(&download_folder(), extension)
}

fn create_in(folder: &Path, extension: &str) -> Result<(File, PathBuf), ExportError> {
    for number in 1..=MAX_NUMBER {
        let name = match number {
            1 => format!("{STEM}.{extension}"),
            number => format!("{STEM}-{number}.{extension}"),
        };
        let path = folder.join(name);
        match new_file::create(&path) {
            Ok(file) => return Ok((file, path)),
            Err(why) if why.kind() == io::ErrorKind::AlreadyExists => {}
            Err(why) => return Err(ExportError::File { path, why }),
        }
    }
    Err(ExportError::Full { folder: folder.to_owned() })
}

/// What the desktop calls its folder for downloads, else `~/Downloads`, else the current folder.
fn download_folder() -> PathBuf {
    let home = env::home_dir().unwrap_or_default();
    let config = env::var_os("XDG_CONFIG_HOME").map_or_else(|| home.join(".config"), PathBuf::from);
    let named = fs::read_to_string(config.join("user-dirs.dirs")).ok();
    let named = named.and_then(|dirs| named_in(&dirs, &home));
    let candidates = named.into_iter().chain([home.join("Downloads")]);
    let current = || env::current_dir().unwrap_or_default();
    candidates.into_iter().find(|folder| folder.is_dir()).unwrap_or_else(current)
}

/// The folder for downloads that a `user-dirs.dirs` names: `XDG_DOWNLOAD_DIR="$HOME/Downloads"`.
pub fn named_in(user_dirs: &str, home: &Path) -> Option<PathBuf> {
    let line = user_dirs.lines().rev().find_map(|line| line.trim().strip_prefix("XDG_DOWNLOAD_DIR="))?;
    let path = line.trim().strip_prefix('"')?.strip_suffix('"')?;
    match path.strip_prefix("$HOME") {
        Some(inside) => Some(home.join(inside.trim_start_matches('/'))),
        None => Some(PathBuf::from(path)).filter(|path| path.is_absolute()),
    }
}
