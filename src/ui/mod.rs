//! Layer 2: what Farpane draws itself, as pure functions of egui: the statistics overlay, the dialogs and the session
//! information window. Nothing here opens a window or touches the GPU: [`UiSurface`] makes frames that the render
//! thread paints.

pub mod away;
pub mod card;
mod certificate;
pub mod connect;
pub mod dialogs;
mod displays;
pub mod fonts;
mod graph;
mod greeting;
pub mod icon;
pub mod overlay;
pub mod plate;
mod plot;
mod secret_text;
pub mod session_info;
pub mod session_menu;
pub mod settings;
pub mod surface;
pub mod theme;
mod toast;

pub use away::{AwayAction, AwayPainter, AwayState};
pub use card::{CardAction, CardForm, CardState, card_ui};
pub use certificate::{CERTIFICATE_SIZE, certificate_ui};
pub use connect::{
    Asked, Attempt, ConnectAction, ConnectEntry, ConnectForm, ConnectState, ConnectView, EntryKind,
    FormProtocol, Reach, Stage, TlsChecks, Wish, connect_ui,
};
pub use dialogs::{Message, PasswordPrompt, PasswordReply, message_ui, password_ui};
pub use displays::{DISPLAYS_SIZE, DisplayPrompt, displays_ui};
pub use greeting::{GreetingAction, greeting};
pub use icon::{Icon, farpane_icon};
pub use overlay::{Corner, OverlayButton, OverlayState, OverlayStep, overlay_ui};
pub use secret_text::SecretText;
pub use session_info::{SessionInfoAction, session_info_ui};
pub use session_menu::{MenuKeys, SessionMenu, SessionMenuAction, session_menu_ui};
pub use settings::{SettingKind, SettingRow, SettingsAction, SettingsForm, settings_ui};
pub use surface::{OverlayPainter, UiFrame, UiSurface, passive_input};

/// Whether a key moved: what has the focus is to be in sight then.
fn is_typing(ui: &egui::Ui) -> bool {
    ui.input(|input| input.events.iter().any(|event| matches!(event, egui::Event::Key { .. })))
}
