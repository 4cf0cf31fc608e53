//! What was changed in the session menu, kept with the saved connection.

use crate::channel::{RendererChoice, ScalingFilter};
use crate::config::connections::{ConnectionKey, Store, StoreError, address};
use crate::config::{Layer, SessionFile};
use crate::net::Target;
use crate::session::clipboard::Direction;
use crate::ui::{OverlayStep, SessionMenu};

use super::connect::form::suggested_name;

/// How a session began.
#[derive(Clone, Debug, Default)]
pub struct Began {
    /// How the connection is found again; `None`: it is not to be.
    pub which: Option<ConnectionKey>,
    /// What was said with its address.
    pub options: Layer,
}

/// Where the menu's settings are kept, and what they were when that was done last.
pub struct KeptSettings {
    began: Began,
    before: SessionMenu,
}

impl KeptSettings {
    /// `before`: what the menu began with.
    pub fn new(began: Began, before: SessionMenu) -> Self {
        Self { began, before }
    }

    /// The name of the connection that they are kept with, or that is made for them.
    pub fn name(&self, target: &Target) -> Option<String> {
        let store = Store::user()?;
        self.saved(&store).or_else(|| {
            self.began.which.as_ref()?;
            store.free_name(&suggested_name(target))
        })
    }

    /// The saved connection of the session.
    fn saved(&self, store: &Store) -> Option<String> {
        match self.began.which.as_ref()? {
            ConnectionKey::Saved(name) => Some(name.clone()),
            ConnectionKey::Address(address) => store.saved_for(address),
        }
    }

    /// Keeps what the menu has otherwise than before. Returns words for the user.
    ///
    /// # Errors
    /// If the connection cannot be read or written.
    pub fn keep(&mut self, target: &Target, now: &SessionMenu) -> Result<String, StoreError> {
        let changes = changes(&self.before, now);
        let (Some(store), Some(name)) = (Store::user(), self.name(target)) else {
            return Ok("Not kept: there is no place for it".to_owned());
        };
        let saved = self.saved(&store);
        if changes.is_empty() && saved.is_some() {
            return Ok("Nothing was changed in this menu".to_owned());
        }
        let mut file = match &saved {
            Some(name) => store.load(name)?,
            None => SessionFile::new(target, &self.began.options),
        };
        for (option, value) in &changes {
            file.set(option, value)?;
        }
        store.save(&name, &file, saved.is_some())?;
        self.before = now.clone();
        tracing::debug!(name, address = address(target), "settings are kept");
        let what: Vec<&str> = changes.iter().map(|(option, _)| *option).collect();
        Ok(match what.is_empty() {
            true => format!("Saved the connection as {name}"),
            false => format!("Kept for {name}: {}", what.join(", ")),
        })
    }
}

/// The options that are otherwise in the second menu, as a session file has them.
pub fn changes(before: &SessionMenu, now: &SessionMenu) -> Vec<(&'static str, String)> {
    let or_auto = |text: &str| if text.is_empty() { "auto".to_owned() } else { text.to_owned() };
    let options = |menu: &SessionMenu| {
        [
            ("encoding", or_auto(&menu.encoding)),
            ("quality", menu.quality.to_string()),
            ("speed", menu.speed.to_string()),
            ("bandwidth-limit", bandwidth(menu.bandwidth)),
            ("renderer", renderer(menu.renderer).to_owned()),
            ("desktop-scaling", menu.scaling.to_string()),
            ("scaling-filter", filter(menu.filter).to_owned()),
            ("clipboard-direction", menu.clipboard.map_or("", Direction::name).to_owned()),
            ("overlay", if menu.overlay == OverlayStep::Off { "no" } else { "yes" }.to_owned()),
        ]
    };
    let both = options(before).into_iter().zip(options(now));
    both.filter(|(before, now)| before != now && !now.1.is_empty()).map(|(_, now)| now).collect()
}

fn bandwidth(limit: u64) -> String {
    match limit {
        0 => "none".to_owned(),
        limit if limit.is_multiple_of(1_000_000) => format!("{}Mbps", limit / 1_000_000),
        limit => format!("{limit}bps"),
    }
}

const fn renderer(choice: RendererChoice) -> &'static str {
    match choice {
        RendererChoice::Auto => "auto",
        RendererChoice::Wgpu => "wgpu",
        RendererChoice::Cpu => "cpu",
    }
}

const fn filter(filter: ScalingFilter) -> &'static str {
    match filter {
        ScalingFilter::Auto => "auto",
        ScalingFilter::Linear => "linear",
        ScalingFilter::Nearest => "nearest",
    }
}
