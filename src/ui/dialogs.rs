//! The password and message dialogs. Each fills an OS window of its own.

use std::sync::Arc;

use egui::text::LayoutJob;
use egui::{
    Align, CentralPanel, FontSelection, Frame, Galley, Key, Label, Layout, RichText, TextBuffer, TextEdit, Ui,
};

use super::secret_text::SecretText;
use super::theme;
use crate::session::Secret;

/// Size of a dialog's window, in points: wide enough for two buttons and a line of text.
pub const DIALOG_SIZE: (u32, u32) = (440, 220);

/// What the words of a refusal take, in points.
const REFUSAL_HEIGHT: u32 = 44;
/// The same for questions of ssh's, which has more to say.
const SSH_DIALOG_SIZE: (u32, u32) = (560, 300);
/// What ssh takes for a yes.
const YES: &str = "yes";

/// What the password dialog asks, and what was typed so far (wiped when dropped).
#[derive(Default)]
pub struct PasswordPrompt {
    /// Who asks: an address without a password.
    server: String,
    /// Who is to log in; empty: nobody knows.
    user: String,
    /// Why the last answer was none, in words; empty: there was none.
    refusal: String,
    /// What for, in the server's words.
    prompt: String,
    /// How many times the server has asked in this login.
    number: u32,
    /// ssh asks, not a server.
    of_ssh: bool,
    /// Only a yes is wanted.
    confirm: bool,
    password: SecretText,
    shown: bool,
    /// The desktop has a store that can keep it.
    can_keep: bool,
    keep: bool,
    focused: bool,
}

/// The end of a password dialog.
#[derive(Clone, PartialEq, Eq)]
pub enum PasswordReply {
    Password(Secret),
    /// The desktop's store is to keep it, once it was right.
    Keep(Secret),
    Cancelled,
}

impl PasswordPrompt {
    /// `server` asks, for the `number`th time in this login, with the words `prompt`.
    pub fn new(server: impl Into<String>, prompt: impl Into<String>, number: u32) -> Self {
        Self { server: server.into(), prompt: prompt.into(), number, ..Self::default() }
    }

    /// ssh asks `prompt`, in one or more lines; `confirm`: it wants a yes or nothing.
    pub fn of_ssh(prompt: impl Into<String>, confirm: bool) -> Self {
        Self { prompt: prompt.into(), of_ssh: true, confirm, ..Self::default() }
    }

    /// ssh asks, which may want something else if this is not answered.
    pub const fn is_of_ssh(&self) -> bool {
        self.of_ssh
    }

    /// With the name that the password belongs to.
    #[must_use]
    pub fn of_user(self, user: impl Into<String>) -> Self {
        Self { user: user.into(), ..self }
    }

    /// Once more: `why` the answer before was not right.
    #[must_use]
    pub fn after(self, why: impl Into<String>) -> Self {
        Self { refusal: why.into(), ..self }
    }

    /// With the offer to keep it in the desktop's store.
    #[must_use]
    pub fn with_store(self, can_keep: bool) -> Self {
        Self { can_keep, ..self }
    }

    /// Its window's title.
    pub const fn title(&self) -> &'static str {
        if self.of_ssh { "Farpane: ssh asks" } else { "Farpane: password" }
    }

    /// Size of its window, in points.
    pub const fn size(&self) -> (u32, u32) {
        match DIALOG_SIZE {
            _ if self.of_ssh => SSH_DIALOG_SIZE,
            (width, height) if !self.refusal.is_empty() => (width, height + REFUSAL_HEIGHT),
            size => size,
        }
    }
}

impl std::fmt::Debug for PasswordReply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Password(_) => "Password(…)",
            Self::Keep(_) => "Keep(…)",
            Self::Cancelled => "Cancelled",
        })
    }
}

/// The password dialog: Enter answers, Escape cancels. `Some` when the user decided.
pub fn password_ui(prompt: &mut PasswordPrompt, ui: &mut Ui) -> Option<PasswordReply> {
    dialog(ui, |ui| question_ui(prompt, ui))
}

/// The same wherever there is room for it: the question, the field, and the buttons at the bottom.
pub(super) fn question_ui(prompt: &mut PasswordPrompt, ui: &mut Ui) -> Option<PasswordReply> {
    if prompt.of_ssh {
        ssh_asks(prompt, ui);
    } else {
        server_asks(prompt, ui);
    }
    ui.add_space(4.0);
    if prompt.confirm {
        // A key that was meant for another window is no yes.
        let (accepted, cancelled) = buttons(ui, "Yes", Some("No"), false);
        let yes = || PasswordReply::Password(Secret::new(YES.to_owned()));
        return if accepted { Some(yes()) } else { cancelled.then_some(PasswordReply::Cancelled) };
    }
    field_ui(prompt, ui);
    ui.horizontal_wrapped(|ui| {
        ui.checkbox(&mut prompt.shown, "Show password");
        if prompt.can_keep {
            ui.checkbox(&mut prompt.keep, "Remember in the password store");
        }
    });
    let (accepted, cancelled) = buttons(ui, "Connect", Some("Cancel"), true);
    if accepted {
        let password = prompt.password.take();
        Some(if prompt.keep { PasswordReply::Keep(password) } else { PasswordReply::Password(password) })
    } else {
        cancelled.then_some(PasswordReply::Cancelled)
    }
}

fn field_ui(prompt: &mut PasswordPrompt, ui: &mut Ui) {
    let shown = prompt.password.shared();
    let mut in_clear = move |ui: &Ui, _dots: &dyn TextBuffer, _width: f32| -> Arc<Galley> {
        let font = FontSelection::default().resolve(ui.style());
        let color = ui.visuals().widgets.inactive.text_color();
        let job = LayoutJob::simple_singleline(shown.borrow().as_str().to_owned(), font, color);
        ui.fonts_mut(|fonts| fonts.layout_job(job))
    };
    let mut edit = TextEdit::singleline(&mut prompt.password)
        .password(!prompt.shown)
        .hint_text("password")
        .desired_width(f32::INFINITY)
        .margin(8);
    if prompt.shown {
        edit = edit.layouter(&mut in_clear);
    }
    let field = ui.add(edit);
    if !prompt.focused {
        field.request_focus();
        prompt.focused = true;
    }
}

fn server_asks(prompt: &PasswordPrompt, ui: &mut Ui) {
    let what = if prompt.number > 1 { "Another password" } else { "Password" };
    let (heading, place) = match prompt.user.as_str() {
        "" => (format!("{what} needed"), format!("for {}", prompt.server)),
        user => (format!("{what} for {user}"), format!("on {}", prompt.server)),
    };
    let strong = ui.visuals().strong_text_color();
    ui.add(Label::new(RichText::new(heading).heading().color(strong)).truncate());
    ui.add(Label::new(RichText::new(place).color(strong)).truncate());
    if !prompt.prompt.is_empty() {
        // Anybody can write there what they like: it must not look like words of ours.
        let said = format!("The server says: “{}”", prompt.prompt);
        ui.add(Label::new(RichText::new(said).italics()).truncate());
    }
    if !prompt.refusal.is_empty() {
        let color = ui.visuals().warn_fg_color;
        ui.add(Label::new(RichText::new(&prompt.refusal).color(color)).wrap());
    }
}

fn ssh_asks(prompt: &PasswordPrompt, ui: &mut Ui) {
    ui.label(RichText::new("ssh asks").heading().color(ui.visuals().strong_text_color()));
    let room = (ui.available_height() - if prompt.confirm { 52.0 } else { 110.0 }).max(20.0);
    egui::ScrollArea::vertical().max_height(room).auto_shrink([false, true]).show(ui, |ui| {
        ui.add(Label::new(&prompt.prompt).wrap());
    });
}

/// What the message dialog says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// What happened, in a few words.
    pub title: String,
    /// The reason, as the error says it.
    pub words: String,
    /// What the user can do about it; empty: nothing is suggested.
    pub advice: String,
    /// Somebody may have meant harm: it is shown in red.
    pub alarm: bool,
}

/// The message dialog. True when the user closes it (button, Enter or Escape).
pub fn message_ui(message: &Message, ui: &mut Ui) -> bool {
    dialog(ui, |ui| {
        let (title, words) =
            if message.alarm { (theme::ALARM, theme::ALARM) } else { (theme::TEXT, theme::WARNING) };
        ui.label(RichText::new(&message.title).heading().color(title));
        let room = (ui.available_height() - 44.0).max(20.0);
        egui::ScrollArea::vertical().max_height(room).auto_shrink([false, false]).show(ui, |ui| {
            ui.add(Label::new(RichText::new(&message.words).color(words)).wrap());
            if !message.advice.is_empty() {
                ui.add(Label::new(RichText::new(&message.advice).color(theme::LABEL)).wrap());
            }
        });
        let (accepted, cancelled) = buttons(ui, "Close", None, true);
        accepted || cancelled
    })
}

pub(super) fn dialog<R>(ui: &mut Ui, content: impl FnOnce(&mut Ui) -> R) -> R {
    CentralPanel::default()
        .frame(Frame::new().fill(theme::BACKGROUND).inner_margin(18))
        .show(ui, content)
        .inner
}

/// Buttons at the bottom right, and their keys: whether it was accepted (Enter in a field, if `enter`), cancelled (Escape).
fn buttons(ui: &mut Ui, accept: &str, cancel: Option<&str>, enter: bool) -> (bool, bool) {
    let takes_enter = enter;
    let (enter, escape) = ui.input(|input| (input.key_pressed(Key::Enter), input.key_pressed(Key::Escape)));
    let clicked = ui.with_layout(Layout::bottom_up(Align::Max), |ui| {
        ui.with_layout(Layout::right_to_left(Align::Max), |ui| {
            let primary = egui::Button::new(RichText::new(accept).color(theme::on_accent(ui)));
            let primary = primary.fill(theme::accent(ui));
            let accepted = ui.add(primary).clicked();
            let cancelled = cancel.is_some_and(|label| ui.button(label).clicked());
            (accepted, cancelled)
        })
        .inner
    });
    let (accepted, cancelled) = clicked.inner;
    // A field lets go of the focus then; what else has it takes Enter for itself.
    let enter = enter && takes_enter && ui.memory(|memory| memory.focused().is_none());
    (accepted || enter, cancelled || escape)
}
