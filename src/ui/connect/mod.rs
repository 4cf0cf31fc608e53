//! The connect window: saved, recent and local sessions on the left, a form on the right, and in its
//! place how far connecting is or what went wrong.
//!
//! What is shown is a [`ConnectView`]; what the user decides comes back as a [`ConnectAction`]. What
//! an address means, where connections are kept and how to connect is the application's business.

mod form;
mod list;
mod progress;

use std::sync::Arc;

use egui::{CentralPanel, ColorImage, Frame, Key, Modifiers, Panel, Ui};

pub use form::{ConnectForm, FormProtocol, TlsChecks};
pub use progress::{Asked, Attempt, Stage};

use super::theme;

/// Size of the window in points, to begin with.
pub const CONNECT_SIZE: (u32, u32) = (900, 640);
/// The least size in points in which everything can be reached.
pub const CONNECT_MIN_SIZE: (u32, u32) = (600, 420);

const LIST_WIDTH: f32 = 320.0;

/// Everything that the window shows.
#[derive(Default)]
pub struct ConnectView {
    pub entries: Vec<ConnectEntry>,
    pub form: ConnectForm,
    /// What is wrong with the address, in words; shown under it.
    pub address_error: Option<String>,
    pub state: ConnectState,
    /// The entry that the form was filled from.
    pub selected: Option<u64>,
    /// The address has had the focus since the form was last shown.
    focused: bool,
    /// Another address is shown than the one that was typed.
    replaced: bool,
    /// The entry whose deletion has to be confirmed.
    deleting: Option<u64>,
    /// The entry that is to have the focus, and whose focus it takes; `None`: whatever has it.
    attended: Option<(u64, Option<u64>)>,
    /// The saved entry that gets another name, and what was typed of it.
    renaming: Option<(u64, String)>,
    /// The pictures of the entries.
    textures: std::collections::HashMap<u64, egui::TextureHandle>,
}

impl ConnectView {
    /// Shows this address in place of what was typed, which may hold a password: undoing does not bring it back.
    pub fn replace_address(&mut self, address: String) {
        self.form.address = address.into();
        self.replaced = true;
    }

    /// A try to connect begins. Whatever comes of it, the address is where to go on: it may be over before any frame
    /// shows it.
    pub fn begin(&mut self, attempt: Attempt) {
        self.state = ConnectState::Connecting(attempt);
        self.focused = false;
    }

    /// Gives an entry the focus; that of the entry `before` alone, if one is given.
    pub fn attend(&mut self, entry: u64, before: Option<u64>) {
        self.attended = Some((entry, before));
    }

    /// The entries are others now: their numbers stand for other pictures.
    pub fn forget_pictures(&mut self) {
        self.textures.clear();
        (self.deleting, self.renaming) = (None, None);
    }
}

/// A line of the list.
#[derive(Clone, Debug)]
pub struct ConnectEntry {
    /// Its number, as long as the window is open.
    pub id: u64,
    pub kind: EntryKind,
    pub name: String,
    /// Its address, without a password. Empty: it has none.
    pub address: String,
    /// What leads there on a command line.
    pub command: String,
    /// When it was last used, for example.
    pub note: String,
    /// The last picture of the session.
    pub thumbnail: Option<Arc<ColorImage>>,
}

/// Where an entry comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// Kept by the user in a session file.
    Saved,
    /// Used before.
    Recent,
    /// A session that runs on this machine.
    Local,
    /// A session that announces itself on the network, or the wish to look for such.
    Nearby,
    /// The demo session.
    Demo,
}

/// What the right side shows.
#[derive(Default)]
pub enum ConnectState {
    /// The form, with what happened before, if anything.
    #[default]
    Ready,
    /// The form, and why the last try failed.
    Failed(super::Message),
    /// How far connecting is.
    Connecting(Attempt),
    /// A link or session file leads somewhere, or asks for something, that needs the user's word.
    Asking(Asked),
}

/// What the user decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectAction {
    /// An entry was chosen: fill the form with it.
    Select(u64),
    /// Connect to this entry.
    Open(u64),
    /// The address was edited: say what it means.
    AddressEdited,
    /// A field of the form was edited: the address follows.
    FormEdited,
    /// Connect to what the form says.
    Connect,
    /// Keep what the form says as a session file.
    Save,
    Delete(u64),
    /// Give this saved entry another name.
    Rename(u64, String),
    /// Keep a copy of this saved entry.
    Duplicate(u64),
    /// Stop connecting.
    Cancel,
    /// The user allows what a link asks for, or does not.
    Consent(bool),
    Quit,
}

/// The window's content.
pub fn connect_ui(view: &mut ConnectView, ui: &mut Ui) -> Option<ConnectAction> {
    if !matches!(view.state, ConnectState::Ready | ConnectState::Failed(_)) {
        view.focused = false;
    }
    let busy = matches!(view.state, ConnectState::Connecting(_));
    let panel = Frame::new().fill(theme::side_fill(ui)).inner_margin(14);
    // A narrow window keeps room for the form.
    let list_width = LIST_WIDTH.min(ui.available_width() * 0.45);
    let listed = Panel::left("entries")
        .exact_size(list_width)
        .resizable(false)
        .frame(panel)
        .show(ui, |ui| ui.add_enabled_ui(!busy, |ui| list::list_ui(view, ui)).inner)
        .inner;
    let content = Frame::new().fill(ui.visuals().panel_fill).inner_margin(20);
    let decided = CentralPanel::default().frame(content).show(ui, |ui| match &mut view.state {
        ConnectState::Connecting(attempt) => progress::progress_ui(attempt, ui),
        ConnectState::Asking(questions) => progress::consent_ui(questions, ui),
        ConnectState::Ready | ConnectState::Failed(_) => form::form_ui(view, ui),
    });
    listed.or(decided.inner).or_else(|| keys(view, ui))
}

/// Keys that mean the same wherever the focus is.
fn keys(view: &ConnectView, ui: &Ui) -> Option<ConnectAction> {
    // What was held when Q was pressed counts: it may be released by now.
    let (escape, quit) =
        ui.input_mut(|input| (input.key_pressed(Key::Escape), input.consume_key(Modifiers::COMMAND, Key::Q)));
    match &view.state {
        _ if quit => Some(ConnectAction::Quit),
        ConnectState::Connecting(_) if escape => Some(ConnectAction::Cancel),
        ConnectState::Asking(_) if escape => Some(ConnectAction::Consent(false)),
        _ => None,
    }
}
