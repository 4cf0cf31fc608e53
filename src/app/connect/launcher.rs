//! What outlives the connect window: the settings, and what is kept of sessions.

use std::time::SystemTime;

use super::thumbnail;
use crate::config::Settings;
use crate::config::connections::{ConnectionKey, Store};
use crate::geometry::Size;
use crate::net::Target;

/// What outlives the window.
#[derive(Clone)]
pub struct Launcher {
    pub settings: Settings,
    /// Where connections are kept; `None` if the system does not say.
    pub store: Option<Store>,
}

impl Launcher {
    /// Whether the user saved or used an address before.
    pub fn knows(&self, target: &Target) -> bool {
        self.store.as_ref().is_some_and(|store| store.knows(target))
    }

    /// Notes that a connection was used; `is_foreign`: somebody else wrote where it is.
    pub fn note_use(&self, which: &ConnectionKey, is_foreign: bool) {
        if let Some(store) = &self.store
            && let Err(error) = store.note_use_of(which.clone(), is_foreign, SystemTime::now())
        {
            tracing::warn!(%error, "the list of recent connections cannot be written");
        }
    }

    /// Keeps the last picture of a session, rows of RGBA.
    pub fn keep_picture(&self, which: &ConnectionKey, size: Size, rgba: &[u8]) {
        if let (Some(store), Some(png)) = (&self.store, thumbnail::encode(size, rgba))
            && let Err(error) = store.save_thumbnail(which, &png)
        {
            tracing::warn!(%error, "the picture of the session cannot be kept");
        }
    }
}
