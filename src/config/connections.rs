//! The user's saved connections, and what was used lately: session files, pictures of their last
//! look, and `recent.json`, in one folder (`farpane/connections` in the platform's place for
//! data). Everything in it is readable by the user only; the list of recent ones holds no
//! password. All calls read or write the folder at once: not for a render loop.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use etcetera::BaseStrategy;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::SessionFile;
use super::private_file::read_text;
use super::session_file::SessionFileError;
use crate::net::{Target, new_file};
use crate::protocol::text;

/// What was used before the latest ones is forgotten.
pub const MAX_RECENT: usize = 50;
/// More files than this are no list that somebody reads.
const MAX_SAVED: usize = 1000;
/// A larger list was not written by us, in bytes.
const MAX_RECENT_BYTES: u64 = 256 * 1024;
/// The connect window's size: `900x640`.
const WINDOW_FILE: &str = "window-size";
const KNOWS_MENU_FILE: &str = "knows-menu";
const MAX_WINDOW_BYTES: u64 = 64;
/// The corner that the overlay was put in: `top-left`.
const CORNER_FILE: &str = "overlay-corner";
/// A longer name fits no file system everywhere, in bytes.
const MAX_NAME_BYTES: usize = 100;

/// The folder of saved connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    folder: PathBuf,
}

/// A saved connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// What the user calls it: the file's name without `.xpra`.
    pub name: String,
    pub file: PathBuf,
    pub last_used: Option<SystemTime>,
    /// The picture of its last look, if there is one: PNG.
    pub thumbnail: Option<PathBuf>,
}

/// Something that was connected to lately.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recent {
    pub which: ConnectionKey,
    pub last_used: SystemTime,
    /// The picture of its last look, if there is one: PNG.
    pub thumbnail: Option<PathBuf>,
}

/// How a connection is found again.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConnectionKey {
    /// A saved one, by its name.
    Saved(String),
    /// One that was not saved, by its address: without password, with the user's name.
    Address(String),
}

/// Connections that cannot be read or kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    #[error("{}", not_a_name(.got))]
    Name { got: String },
    #[error("there is a connection `{name}` already")]
    Exists { name: String },
    #[error("there is no connection `{name}`")]
    Missing { name: String },
    #[error(transparent)]
    File(#[from] SessionFileError),
    #[error("cannot use the folder of connections {}: {why}", path.display())]
    Folder { path: PathBuf, why: String },
}

/// A line of `recent.json`.
#[derive(Serialize, Deserialize)]
struct Used {
    which: ConnectionKey,
    /// Since 1970 (UTC).
    seconds: u64,
    /// The address came by a link or a stranger's session file, and the user has never typed it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_foreign: bool,
}

impl ConnectionKey {
    /// An unsaved one.
    pub fn address(target: &Target) -> Self {
        Self::Address(address(target))
    }
}

/// Why this cannot be the name of a connection. A long one is not repeated.
fn not_a_name(got: &str) -> String {
    if got.len() > MAX_NAME_BYTES {
        let bytes = got.len();
        return format!("the name is too long: it has {bytes} bytes, expected at most {MAX_NAME_BYTES}");
    }
    let got = text::shown(got, MAX_NAME_BYTES);
    format!(
        "`{got}` cannot be a connection's name: expected none of / \\ : * ? \" < > | in it, and no dot at an end"
    )
}

/// A target's address: without password, with the user's name.
pub fn address(target: &Target) -> String {
    let address = target.to_string();
    match (&target.username, address.split_once("://")) {
        (Some(username), Some((scheme, rest))) if scheme != "socket" => {
            let username =
                percent_encoding::utf8_percent_encode(username, percent_encoding::NON_ALPHANUMERIC);
            format!("{scheme}://{username}@{rest}")
        }
        _ => address,
    }
}

impl Store {
    /// The user's own; `None` if the system does not say where the user's data belongs. Need not
    /// exist before something is saved.
    pub fn user() -> Option<Self> {
        let base = etcetera::choose_base_strategy().ok()?;
        Some(Self::at(base.data_dir().join("farpane").join("connections")))
    }

    /// The one in this folder.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Whether a file is one of the saved connections, so that the user has written it.
    pub fn holds(&self, file: &Path) -> bool {
        let folder = file.parent().and_then(|parent| parent.canonicalize().ok());
        folder.is_some() && folder == self.folder.canonicalize().ok()
    }

    /// All saved connections, by name.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn list(&self) -> Result<Vec<Saved>, StoreError> {
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.unusable(&error)),
        };
        let used = self.used_lately();
        let mut saved: Vec<Saved> = entries
            .flatten()
            .filter_map(|entry| {
                let file = entry.path();
                let is_ours = file.extension().is_some_and(|extension| extension == "xpra") && file.is_file();
                let name = file.file_stem()?.to_str().filter(|_| is_ours)?.to_owned();
                let which = ConnectionKey::Saved(name.clone());
                let last_used = used.iter().find(|used| used.which == which).map(Used::time);
                Some(Saved { thumbnail: self.picture(&which), name, file, last_used })
            })
            .take(MAX_SAVED)
            .collect();
        saved.sort_by_key(|saved| (saved.name.to_lowercase(), saved.name.clone()));
        Ok(saved)
    }

    /// What was used lately, the latest first, without saved ones that are gone.
    pub fn recent(&self) -> Vec<Recent> {
        let used = self.used_lately().into_iter();
        used.filter(|used| match &used.which {
            ConnectionKey::Saved(name) => self.file(name).is_ok_and(|file| file.is_file()),
            ConnectionKey::Address(_) => true,
        })
        .map(|used| Recent {
            last_used: used.time(),
            thumbnail: self.picture(&used.which),
            which: used.which,
        })
        .collect()
    }

    /// A saved connection.
    ///
    /// # Errors
    /// If there is none of this name, or it cannot be read.
    pub fn load(&self, name: &str) -> Result<SessionFile, StoreError> {
        Ok(SessionFile::read(&self.existing(name)?)?)
    }

    /// Saves a connection under this name, over the one that has it already if `replace`.
    ///
    /// # Errors
    /// If the name cannot be one or is taken, or the file cannot be written.
    pub fn save(&self, name: &str, file: &SessionFile, replace: bool) -> Result<PathBuf, StoreError> {
        let path = self.file(name)?;
        if !replace && path.exists() {
            return Err(StoreError::Exists { name: name.to_owned() });
        }
        self.create()?;
        file.write(&path)?;
        Ok(path)
    }

    /// Gives a saved connection another name; its picture and time of last use follow.
    ///
    /// # Errors
    /// If there is none of the old name, or the new one cannot be one or is taken.
    pub fn rename(&self, old: &str, new: &str) -> Result<(), StoreError> {
        let (from, to) = (self.existing(old)?, self.file(new)?);
        if from == to {
            return Ok(());
        }
        if to.exists() {
            return Err(StoreError::Exists { name: new.to_owned() });
        }
        std::fs::rename(&from, &to).map_err(|error| self.unusable(&error))?;
        let (old, new) = (ConnectionKey::Saved(old.to_owned()), ConnectionKey::Saved(new.to_owned()));
        // There may be no picture yet.
        let _ = std::fs::rename(self.thumbnail(&old), self.thumbnail(&new));
        let mut used = self.used_lately();
        used.retain(|used| used.which != new);
        used.iter_mut().filter(|used| used.which == old).for_each(|used| used.which = new.clone());
        self.write_used(&used)
    }

    /// Deletes a saved connection, its picture, and that it was used.
    ///
    /// # Errors
    /// If there is none of this name, or it cannot be deleted.
    pub fn delete(&self, name: &str) -> Result<(), StoreError> {
        let file = self.existing(name)?;
        std::fs::remove_file(file).map_err(|error| self.unusable(&error))?;
        self.forget(&ConnectionKey::Saved(name.to_owned()))
    }

    /// Takes a connection out of the recent ones, and deletes its picture.
    ///
    /// # Errors
    /// If the list cannot be written.
    pub fn forget(&self, which: &ConnectionKey) -> Result<(), StoreError> {
        // There may be none.
        let _ = std::fs::remove_file(self.thumbnail(which));
        let mut used = self.used_lately();
        used.retain(|used| used.which != *which);
        self.write_used(&used)
    }

    /// Whether a target is that of a saved or recent connection.
    pub fn knows(&self, target: &Target) -> bool {
        let wanted = address(target);
        let is_recent =
            self.used_lately().iter().any(|used| used.which == ConnectionKey::Address(wanted.clone()));
        let of_saved = |saved: &Saved| SessionFile::read(&saved.file).ok()?.request(true).ok();
        is_recent
            || self
                .list()
                .unwrap_or_default()
                .iter()
                .filter_map(of_saved)
                .any(|saved| address(&saved.target) == wanted)
    }

    /// Whether the user never typed this recent address: somebody else's link or file led there.
    pub fn is_foreign(&self, address: &str) -> bool {
        let is_it = |used: &&Used| matches!(&used.which, ConnectionKey::Address(other) if other == address);
        self.used_lately().iter().find(is_it).is_some_and(|used| used.is_foreign)
    }

    /// The file of a saved connection of this name; `None` if it cannot be a name. Need not exist.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.file(name).ok()
    }

    /// When something in the folder changed last, as far as the system says: whoever did it.
    pub fn changed(&self) -> [Option<SystemTime>; 2] {
        // Files come into their place by renaming, which changes the folder they are in.
        [self.folder.clone(), self.folder.join("recent")]
            .map(|folder| std::fs::metadata(folder).and_then(|metadata| metadata.modified()).ok())
    }

    /// The connect window's size in points when it was left, if it can be one.
    pub fn window_size(&self) -> Option<(u32, u32)> {
        let text = read_text(&self.folder.join(WINDOW_FILE), MAX_WINDOW_BYTES).ok()?;
        let (width, height) = text.trim().split_once('x')?;
        let side = |text: &str| text.parse().ok().filter(|side| (100..=16_384).contains(side));
        Some((side(width)?, side(height)?))
    }

    /// Keeps it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep_window_size(&self, (width, height): (u32, u32)) -> Result<(), StoreError> {
        if self.window_size() == Some((width, height)) {
            return Ok(());
        }
        self.create()?;
        let text = format!("{width}x{height}\n");
        new_file::replace(&self.folder.join(WINDOW_FILE), text.as_bytes()).map_err(|e| self.unusable(&e))
    }

    /// Whether the user read what is said at the first window of a session, and wants no more of it.
    pub fn knows_menu(&self) -> bool {
        self.folder.join(KNOWS_MENU_FILE).exists()
    }

    /// Keeps that.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn note_knows_menu(&self) -> Result<(), StoreError> {
        self.create()?;
        new_file::replace(&self.folder.join(KNOWS_MENU_FILE), b"").map_err(|e| self.unusable(&e))
    }

    /// The corner that the user put the overlay in.
    pub fn overlay_corner(&self) -> Option<String> {
        let text = read_text(&self.folder.join(CORNER_FILE), MAX_WINDOW_BYTES).ok()?;
        Some(text.trim().to_owned())
    }

    /// Keeps it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep_overlay_corner(&self, corner: &str) -> Result<(), StoreError> {
        self.create()?;
        let text = format!("{corner}\n");
        new_file::replace(&self.folder.join(CORNER_FILE), text.as_bytes()).map_err(|e| self.unusable(&e))
    }

    /// The saved connection that leads to this address, if there is one.
    pub fn saved_for(&self, wanted: &str) -> Option<String> {
        let leads = |saved: &Saved| {
            let request = SessionFile::read(&saved.file).ok().and_then(|file| file.request(true).ok());
            request.is_some_and(|request| address(&request.target) == wanted)
        };
        self.list().ok()?.into_iter().find(leads).map(|saved| saved.name)
    }

    /// A name like this one that no saved connection has.
    pub fn free_name(&self, like: &str) -> Option<String> {
        let like = if self.file(like).is_ok() { like } else { "session" };
        let mut names = (1..1000).map(|number| match number {
            1 => like.to_owned(),
            number => format!("{like} {number}"),
        });
        names.find(|name| self.file(name).is_ok_and(|file| !file.exists()))
    }

    /// Notes that the user's own connection was used at this time.
    ///
    /// # Errors
    /// If the list cannot be written.
    pub fn note_use(&self, which: ConnectionKey, now: SystemTime) -> Result<(), StoreError> {
        self.note_use_of(which, false, now)
    }

    /// Notes that a connection was used at this time; `is_foreign`: somebody else wrote where it is.
    ///
    /// # Errors
    /// If the list cannot be written.
    pub fn note_use_of(
        &self,
        which: ConnectionKey,
        is_foreign: bool,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        let mut used = self.used_lately();
        // What the user typed once stays the user's.
        let was_own = used.iter().any(|used| used.which == which && !used.is_foreign);
        used.retain(|used| used.which != which);
        let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        used.push(Used { which, seconds, is_foreign: is_foreign && !was_own });
        used.sort_by_key(|used| std::cmp::Reverse(used.seconds));
        for old in used.split_off(used.len().min(MAX_RECENT)) {
            if matches!(old.which, ConnectionKey::Address(_)) {
                let _ = std::fs::remove_file(self.thumbnail(&old.which));
            }
        }
        self.write_used(&used)
    }

    /// Where the picture of a connection's last look belongs: PNG. Need not exist.
    pub fn thumbnail(&self, which: &ConnectionKey) -> PathBuf {
        match which {
            ConnectionKey::Saved(name) => self.folder.join(format!("{name}.png")),
            ConnectionKey::Address(address) => {
                let digest = Sha256::digest(address);
                let name: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
                self.folder.join("recent").join(format!("{name}.png"))
            }
        }
    }

    /// Keeps the picture of a connection's last look.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save_thumbnail(&self, which: &ConnectionKey, png: &[u8]) -> Result<(), StoreError> {
        if let ConnectionKey::Saved(name) = which {
            self.existing(name)?;
        }
        self.create()?;
        let path = self.thumbnail(which);
        let folder = path.parent().unwrap_or(&self.folder);
        std::fs::create_dir_all(folder)
            .and_then(|()| new_file::replace(&path, png))
            .map_err(|error| self.unusable(&error))
    }

    fn picture(&self, which: &ConnectionKey) -> Option<PathBuf> {
        Some(self.thumbnail(which)).filter(|path| path.is_file())
    }

    /// The file of a name that can be one, on every platform.
    fn file(&self, name: &str) -> Result<PathBuf, StoreError> {
        let is_name = !name.is_empty()
            && name.len() <= MAX_NAME_BYTES
            && name.trim() == name
            && !name.starts_with('.')
            && !name.ends_with('.')
            && !name.contains(|c: char| c.is_control() || "/\\:*?\"<>|".contains(c));
        if !is_name {
            return Err(StoreError::Name { got: name.to_owned() });
        }
        Ok(self.folder.join(format!("{name}.xpra")))
    }

    fn existing(&self, name: &str) -> Result<PathBuf, StoreError> {
        let file = self.file(name)?;
        if file.is_file() { Ok(file) } else { Err(StoreError::Missing { name: name.to_owned() }) }
    }

    fn create(&self) -> Result<(), StoreError> {
        new_file::private_folder(&self.folder).map_err(|error| self.unusable(&error))
    }

    fn unusable(&self, error: &io::Error) -> StoreError {
        StoreError::Folder { path: self.folder.clone(), why: error.to_string() }
    }

    /// The latest first. A list that cannot be read is as good as none: it is only a memory.
    fn used_lately(&self) -> Vec<Used> {
        let text = match read_text(&self.folder.join("recent.json"), MAX_RECENT_BYTES) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
            Err(error) => {
                tracing::warn!(%error, "the list of recent connections cannot be read");
                return Vec::new();
            }
        };
        let used: Result<Vec<Used>, _> = serde_json::from_str(&text);
        used.unwrap_or_else(|error| {
            tracing::warn!(%error, "the list of recent connections cannot be understood");
            Vec::new()
        })
    }

    fn write_used(&self, used: &[Used]) -> Result<(), StoreError> {
        self.create()?;
        let path = self.folder.join("recent.json");
        let text = serde_json::to_vec_pretty(used).map_err(io::Error::from);
        text.and_then(|text| new_file::replace(&path, &text)).map_err(|error| self.unusable(&error))
    }
}

impl Used {
    fn time(&self) -> SystemTime {
        UNIX_EPOCH.checked_add(Duration::from_secs(self.seconds)).unwrap_or(UNIX_EPOCH)
    }
}
