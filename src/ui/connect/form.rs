//! The right side: where to connect to.

use egui::text::{CCursor, CCursorRange};
use egui::{
    Align, CollapsingHeader, ComboBox, Grid, Key, Label, Layout, RichText, ScrollArea, Slider, TextEdit, Ui,
};

use zeroize::Zeroizing;

use super::{ConnectAction, ConnectState, ConnectView};
use crate::ui::theme;

const LABEL_WIDTH: f32 = 110.0;
const BUTTONS_HEIGHT: f32 = 40.0;
/// What the list of protocols may take, so that nobody has to scroll in it.
const ALL_PROTOCOLS: f32 = 400.0;

/// What the user typed. The address and the fields under it say the same: the application keeps
/// them so.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ConnectForm {
    /// Any form of address: `host:port`, a URL, a link, `:100`, a path. It may hold a password, until it was
    /// understood.
    pub address: Zeroizing<String>,
    pub protocol: FormProtocol,
    pub host: String,
    /// Empty: the protocol's own.
    pub port: String,
    /// A display on a server that has several, a display of this machine, or a socket's path.
    pub display: String,
    pub user: String,
    /// A session is to be started, where that can be done ([`Self::starts`]).
    pub start: bool,
    /// The program in it.
    pub program: String,
    pub tls: TlsChecks,
    /// Empty: the server chooses.
    pub encoding: String,
    /// 0: the server chooses.
    pub quality: u8,
    /// 0: the server chooses.
    pub speed: u8,
    pub password_file: String,
    /// Empty: as the monitor's factor says, from 150 % on.
    pub scaling: String,
    pub overlay: bool,
    /// The name to keep it under.
    pub name: String,
}

impl ConnectForm {
    /// Whether a session is to be started: on this machine, or through ssh.
    pub const fn starts(&self) -> bool {
        self.start && self.protocol.can_start()
    }

    /// Whether it says enough to connect.
    fn is_complete(&self) -> bool {
        let is_somewhere =
            !self.address.trim().is_empty() || self.starts() && self.protocol == FormProtocol::Local;
        is_somewhere && !(self.starts() && self.program.trim().is_empty())
    }
}

/// Without the address, which may hold a password.
impl std::fmt::Debug for ConnectForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { address: _, protocol, host, port, display, user, .. } = self;
        f.debug_struct("ConnectForm")
            .field("protocol", protocol)
            .field("host", host)
            .field("port", port)
            .field("display", display)
            .field("user", user)
            .finish_non_exhaustive()
    }
}

/// The kinds of connections, in the order of the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FormProtocol {
    #[default]
    Tcp,
    Ssl,
    WebSocket,
    WebSocketTls,
    /// WebSocket over HTTP/3.
    Quic,
    WebTransport,
    /// A session of another machine, through ssh.
    Ssh,
    /// A session of this machine, by display or socket.
    Local,
}

/// How the server's certificate is checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsChecks {
    /// Do not check it at all.
    pub off: bool,
    /// A PEM file instead of the system's authorities.
    pub ca_certs: String,
    /// The name that the certificate must be for, if not the host.
    pub hostname: String,
}

impl FormProtocol {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Tcp,
        Self::Ssl,
        Self::WebSocket,
        Self::WebSocketTls,
        Self::Quic,
        Self::WebTransport,
        Self::Ssh,
        Self::Local,
    ];

    /// Its name, and what it is good for.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Tcp => "tcp (plain)",
            Self::Ssl => "ssl (encrypted)",
            Self::WebSocket => "ws (through web servers)",
            Self::WebSocketTls => "wss (encrypted, through web servers)",
            Self::Quic => "quic (encrypted, over UDP)",
            Self::WebTransport => "wt (encrypted, over UDP)",
            Self::Ssh => "ssh (encrypted, with your login there)",
            Self::Local => "this machine",
        }
    }

    /// Whether sessions can be started there.
    pub const fn can_start(self) -> bool {
        matches!(self, Self::Ssh | Self::Local)
    }

    /// Whether there is a certificate to check.
    pub const fn is_secure(self) -> bool {
        matches!(self, Self::Ssl | Self::WebSocketTls | Self::Quic | Self::WebTransport)
    }
}

/// The form and its buttons.
pub(super) fn form_ui(view: &mut ConnectView, ui: &mut Ui) -> Option<ConnectAction> {
    let mut action = address_ui(view, ui);
    let room = (ui.available_height() - BUTTONS_HEIGHT).max(60.0);
    ScrollArea::vertical().max_height(room).auto_shrink([false, false]).show(ui, |ui| {
        if let ConnectState::Failed(message) = &view.state {
            failure(message, ui);
        }
        let form = &mut view.form;
        let mut edited = fields(form, ui);
        if form.protocol.is_secure() {
            CollapsingHeader::new("Certificate").default_open(form.tls != TlsChecks::default()).show(
                ui,
                |ui| {
                    edited |= certificate(&mut form.tls, ui);
                },
            );
        }
        CollapsingHeader::new("Advanced").show(ui, |ui| edited |= more(form, ui));
        if edited {
            action = action.take().or(Some(ConnectAction::FormEdited));
        }
    });
    buttons(view, ui).or_else(|| entered(view, ui)).or(action)
}

/// Enter connects from every field: a field lets go of the focus then, a button does not.
fn entered(view: &ConnectView, ui: &Ui) -> Option<ConnectAction> {
    let entered =
        ui.input(|input| input.key_pressed(Key::Enter)) && ui.memory(|memory| memory.focused().is_none());
    (entered && is_ready(view)).then_some(ConnectAction::Connect)
}

fn is_ready(view: &ConnectView) -> bool {
    view.form.is_complete() && view.address_error.is_none()
}

fn address_ui(view: &mut ConnectView, ui: &mut Ui) -> Option<ConnectAction> {
    ui.label(RichText::new("Connect to a session").heading().strong());
    let field = ui.add(
        TextEdit::singleline(&mut *view.form.address)
            .hint_text("host:port, ssl://…, wss://…, ssh://…, or :100")
            .desired_width(f32::INFINITY)
            .margin(9)
            .font(egui::TextStyle::Body),
    );
    field.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, "Address"));
    if std::mem::take(&mut view.replaced)
        && let Some(mut state) = TextEdit::load_state(ui.ctx(), field.id)
    {
        state.clear_undoer();
        state.store(ui.ctx(), field.id);
    }
    if !std::mem::replace(&mut view.focused, true) {
        field.request_focus();
        select_all(field.id, view.form.address.chars().count(), ui);
    }
    if let Some(error) = &view.address_error {
        ui.add(Label::new(RichText::new(error).small().color(ui.visuals().warn_fg_color)).wrap());
    }
    match view.pasted_lines.take().filter(|_| field.changed()) {
        Some(lines) => view.note = format!("Of the {lines} lines that were pasted, this is the first."),
        None if field.changed() => view.note.clear(),
        None => {}
    }
    if !view.note.is_empty() {
        ui.add(Label::new(RichText::new(&view.note).small().color(ui.visuals().warn_fg_color)).wrap());
    }
    ui.add_space(4.0);
    field.changed().then_some(ConnectAction::AddressEdited)
}

/// Selects what a field says, so that typing replaces it.
pub(super) fn select_all(field: egui::Id, len: usize, ui: &Ui) {
    let mut state = TextEdit::load_state(ui.ctx(), field).unwrap_or_default();
    let all = CCursorRange::two(CCursor::default(), CCursor::new(len));
    state.cursor.set_char_range(Some(all));
    state.store(ui.ctx(), field);
}

fn failure(message: &crate::ui::Message, ui: &mut Ui) {
    let visuals = ui.visuals();
    let color = if message.alarm { visuals.error_fg_color } else { visuals.warn_fg_color };
    let words = if message.alarm { color } else { visuals.text_color() };
    egui::Frame::new()
        .fill(color.gamma_multiply(0.12))
        .stroke(egui::Stroke::new(1.0, color.gamma_multiply(0.6)))
        .corner_radius(6)
        .inner_margin(10)
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            let title = RichText::new(&message.title).strong();
            ui.label(if message.alarm { title.color(color) } else { title });
            ui.add(Label::new(RichText::new(&message.words).color(words)).wrap());
            if !message.advice.is_empty() {
                ui.add(
                    Label::new(RichText::new(&message.advice).color(ui.visuals().weak_text_color())).wrap(),
                );
            }
        });
    ui.add_space(6.0);
}

fn fields(form: &mut ConnectForm, ui: &mut Ui) -> bool {
    let mut edited = false;
    Grid::new("where").num_columns(2).min_col_width(LABEL_WIDTH).spacing([12.0, 8.0]).show(ui, |ui| {
        let label = ui.label("Protocol").id;
        edited |= ComboBox::from_id_salt("protocol")
            .selected_text(form.protocol.words())
            .width(260.0)
            .height(ALL_PROTOCOLS)
            .show_ui(ui, |ui| {
                FormProtocol::ALL.into_iter().fold(false, |edited, protocol| {
                    edited | ui.selectable_value(&mut form.protocol, protocol, protocol.words()).changed()
                })
            })
            .response
            .labelled_by(label)
            .changed();
        ui.end_row();
        let new_display = "one that is free";
        if form.protocol == FormProtocol::Local {
            let display = if form.start { new_display } else { ":100, or the path of a socket" };
            edited |= row("Display", display, &mut form.display, ui);
        } else {
            edited |= row("Host", "name or address", &mut form.host, ui);
            edited |= row("Port", "the protocol's own", &mut form.port, ui);
            let is_ssh = form.protocol == FormProtocol::Ssh;
            let display = match is_ssh {
                true if form.start => new_display,
                true => "the only session there",
                false => "only for servers with several",
            };
            edited |= row("Display", display, &mut form.display, ui);
        }
        let user = if form.protocol == FormProtocol::Ssh { "as ssh has it" } else { "yours on this machine" };
        edited |= row("User name", user, &mut form.user, ui);
        if form.protocol.can_start() {
            ui.label("Session");
            edited |= ui.checkbox(&mut form.start, "start a new one").changed();
            ui.end_row();
        }
        if form.starts() {
            edited |= row("Program", "for example xterm", &mut form.program, ui);
        }
    });
    edited
}

fn row(name: &str, hint: &str, value: &mut String, ui: &mut Ui) -> bool {
    let label = ui.label(name).id;
    let field = TextEdit::singleline(value).hint_text(hint).desired_width(260.0);
    let changed = ui.add(field).labelled_by(label).changed();
    ui.end_row();
    changed
}

fn certificate(tls: &mut TlsChecks, ui: &mut Ui) -> bool {
    let mut edited = ui.checkbox(&mut tls.off, "do not check the server's certificate").changed();
    if tls.off {
        let words = "Anyone on the way can read and change everything, and learn the password.";
        ui.add(Label::new(RichText::new(words).color(ui.visuals().warn_fg_color)).wrap());
        return edited;
    }
    Grid::new("certificate").num_columns(2).min_col_width(LABEL_WIDTH).spacing([12.0, 8.0]).show(ui, |ui| {
        edited |= row("CA file", "PEM; else the system's authorities", &mut tls.ca_certs, ui);
        edited |= row("Server's name", "the host's", &mut tls.hostname, ui);
    });
    edited
}

fn more(form: &mut ConnectForm, ui: &mut Ui) -> bool {
    let mut edited = false;
    Grid::new("more").num_columns(2).min_col_width(LABEL_WIDTH).spacing([12.0, 8.0]).show(ui, |ui| {
        ui.label("Encoding");
        let chosen = if form.encoding.is_empty() { "automatic" } else { &form.encoding };
        ComboBox::from_id_salt("encoding").selected_text(chosen.to_owned()).show_ui(ui, |ui| {
            for (value, words) in [
                ("", "automatic"),
                ("rgb", "rgb"),
                ("png", "png"),
                ("webp", "webp"),
                ("jpeg", "jpeg"),
                ("h264", "h264"),
            ] {
                edited |= ui.selectable_value(&mut form.encoding, value.to_owned(), words).changed();
            }
        });
        ui.end_row();
        for (name, value) in [("Quality", &mut form.quality), ("Speed", &mut form.speed)] {
            let label = ui.label(name).id;
            let slider = Slider::new(value, 0..=100).custom_formatter(|value, _| match value as u8 {
                0 => "automatic".to_owned(),
                percent => format!("{percent} %"),
            });
            edited |= ui.add(slider).labelled_by(label).changed();
            ui.end_row();
        }
        ui.label("Scaling");
        let words = |value: &str| match value {
            "" => "as the monitor, from 150 % on".to_owned(),
            "auto" => "as the monitor".to_owned(),
            "off" => "off".to_owned(),
            value => value.to_owned(),
        };
        ComboBox::from_id_salt("scaling").selected_text(words(&form.scaling)).width(260.0).show_ui(
            ui,
            |ui| {
                for value in ["", "off", "auto", "75%", "125%", "150%", "200%", "300%"] {
                    edited |=
                        ui.selectable_value(&mut form.scaling, value.to_owned(), words(value)).changed();
                }
            },
        );
        ui.end_row();
        edited |= row("Password file", "asked for when needed", &mut form.password_file, ui);
        ui.label("Statistics");
        edited |= ui.checkbox(&mut form.overlay, "show the overlay").changed();
        ui.end_row();
    });
    edited
}

fn buttons(view: &mut ConnectView, ui: &mut Ui) -> Option<ConnectAction> {
    let ready = is_ready(view);
    let mut action = None;
    ui.with_layout(Layout::bottom_up(Align::Max), |ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let accent = theme::accent(ui);
            let connect =
                egui::Button::new(RichText::new("Connect").color(theme::on_accent(ui))).fill(accent);
            let why_not = match &view.address_error {
                Some(error) => error.as_str(),
                None if view.form.starts() => "say which program to start",
                None => "say where to connect to",
            };
            if ui.add_enabled(ready, connect).on_disabled_hover_text(why_not).clicked() {
                action = Some(ConnectAction::Connect);
            }
            let named = !view.form.name.trim().is_empty();
            // A session that is to be started has no address to be kept yet.
            let is_somewhere = !view.form.address.trim().is_empty();
            let why_not = if is_somewhere { "give it a name first" } else { "it has no address yet" };
            let save = ui.add_enabled(ready && named && is_somewhere, egui::Button::new("Save"));
            if save.on_disabled_hover_text(why_not).clicked() {
                action = Some(ConnectAction::Save);
            }
            let name = TextEdit::singleline(&mut view.form.name)
                .hint_text("a name to keep it under")
                .desired_width((ui.available_width() - 60.0).clamp(60.0, 220.0));
            let field = ui.add(name);
            let label = ui.label("Name").id;
            field.labelled_by(label);
        });
    });
    action
}
