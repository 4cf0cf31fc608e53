//! The connect window: saved, recent and local sessions on the left, a form on the right, and in its
//! place how far connecting is or what went wrong.
//!
//! What is shown is a [`ConnectView`]; what the user decides comes back as a [`ConnectAction`]. What
//! an address means, where connections are kept and how to connect is the application's business.

mod consent;
mod form;
mod list;
mod menu;
mod progress;

use std::sync::Arc;

use egui::{CentralPanel, ColorImage, Event, Frame, Key, Modifiers, Panel, Ui};

pub use consent::{Asked, Wish};
pub use form::{ConnectForm, FormProtocol, TlsChecks};
use list::Renaming;
pub use progress::{Attempt, Stage};

use super::dialogs::{PasswordPrompt, PasswordReply};
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
    /// What has to be answered before connecting goes on.
    pub question: Option<PasswordPrompt>,
    /// The entry that the form was filled from.
    pub selected: Option<u64>,
    /// The address has had the focus since the form was last shown.
    focused: bool,
    /// Of how many lines the first was taken, if several were pasted.
    pasted_lines: Option<usize>,
    /// What is to be said of the address besides; empty: nothing.
    note: String,
    /// Another address is shown than the one that was typed.
    replaced: bool,
    /// The entry whose deletion has to be confirmed.
    deleting: Option<u64>,
    /// The entry that is to have the focus, and whose focus it takes; `None`: whatever has it.
    attended: Option<(u64, Option<u64>)>,
    /// The saved entry that gets another name.
    renaming: Option<Renaming>,
    /// The entry whose menu is open, and whether a key opened it.
    menu: Option<(u64, bool)>,
    /// The pictures of the entries.
    textures: std::collections::HashMap<u64, egui::TextureHandle>,
}

impl ConnectView {
    /// Shows this address in place of what was typed, which may hold a password: undoing does not bring it back.
    pub fn replace_address(&mut self, address: String) {
        self.form.address = address.into();
        self.note.clear();
        self.replaced = true;
    }

    /// A try to connect begins. Whatever comes of it, the address is where to go on: it may be over before any frame
    /// shows it.
    pub fn begin(&mut self, attempt: Attempt) {
        self.state = ConnectState::Connecting(attempt);
        self.question = None;
        self.focused = false;
    }

    /// Gives an entry the focus; that of the entry `before` alone, if one is given.
    pub fn attend(&mut self, entry: u64, before: Option<u64>) {
        self.attended = Some((entry, before));
    }

    /// The entries are others now: `new` has the number of one that is still there. What is done with an entry goes on.
    pub fn renumber(&mut self, new: impl Fn(u64) -> Option<u64>) {
        self.textures.clear();
        self.selected = self.selected.and_then(&new);
        self.deleting = self.deleting.and_then(&new);
        self.menu = self.menu.and_then(|(id, by_key)| Some((new(id)?, by_key)));
        self.renaming = self.renaming.take().and_then(|mut renaming| {
            renaming.id = new(renaming.id)?;
            Some(renaming)
        });
    }

    /// The name that was given to an entry cannot be its: `why`. It stays where it was typed.
    pub fn refuse_name(&mut self, why: String) {
        if let Some(renaming) = &mut self.renaming {
            renaming.refuse(why);
        }
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
    /// The same as a link, for others. Empty: there is none.
    pub link: String,
    /// When it was last used, for example.
    pub note: String,
    /// What became of asking its server.
    pub reach: Reach,
    /// The last picture of the session.
    pub thumbnail: Option<Arc<ColorImage>>,
}

/// Whether a server can be reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// It was not asked.
    #[default]
    Unknown,
    /// It answers: what it said, in a few words.
    Yes(String),
    /// Something answers, and this is wrong with it.
    Odd(String),
    /// Why not.
    No(String),
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
    /// The answer to [`ConnectView::question`].
    Answer(PasswordReply),
    /// The user allows what a link asks for, or does not.
    Consent(bool),
    /// Connect, and do nothing else of what the link asks for.
    ConnectWithout,
    Quit,
}

/// The window's content.
pub fn connect_ui(view: &mut ConnectView, ui: &mut Ui) -> Option<ConnectAction> {
    if !matches!(view.state, ConnectState::Ready | ConnectState::Failed(_)) {
        view.focused = false;
    }
    first_line(view, ui);
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
        ConnectState::Connecting(attempt) => progress::progress_ui(attempt, &mut view.question, ui),
        ConnectState::Asking(questions) => consent::consent_ui(questions, ui),
        ConnectState::Ready | ConnectState::Failed(_) => form::form_ui(view, ui),
    });
    listed.or(decided.inner).or_else(|| keys(view, ui))
}

/// All fields have one line: of several that are pasted, the first counts. Two addresses would else become one.
fn first_line(view: &mut ConnectView, ui: &Ui) {
    ui.input_mut(|input| {
        for event in &mut input.events {
            if let Event::Paste(text) = event {
                let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
                let first = lines.next().map(str::to_owned);
                let more = lines.count();
                if let Some(first) = first.filter(|_| more > 0) {
                    view.pasted_lines = Some(more + 1);
                    *text = first;
                }
            }
        }
    });
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
