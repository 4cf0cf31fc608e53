//! The session menu: what is chosen in it is done.

use std::num::NonZeroU64;

use winit::event_loop::ActiveEventLoop;

use super::Attached;
use crate::app::panel::PanelWindow;
use crate::app::screen::{self, Screen};
use crate::app::session_menu::OpenMenu;
use crate::app::settings::SettingsPanel;
use crate::channel::{RenderCommand, RendererChoice, Scaling};
use crate::config::Config;
use crate::protocol::packet::WindowId;
use crate::protocol::packet::draw::Encoding;
use crate::session::{ClipboardInput, ConnectionInput, DrawInput, Input};
use crate::stats::{Chosen, Help};
use crate::ui::session_menu::SESSION_MENU_SIZE;
use crate::ui::settings::{SETTINGS_SIZE, SettingsAction};
use crate::ui::{MenuKeys, OverlayButton, OverlayStep, SessionMenu, SessionMenuAction};

impl Attached {
    /// Opens the session menu over a window, or closes it.
    pub(super) fn toggle_menu(&mut self, over: WindowId, screen: &Screen, event_loop: &ActiveEventLoop) {
        if self.menu.take().is_some() {
            return;
        }
        self.own_windows.0 += 1;
        let keys = MenuKeys {
            overlay: self.config.overlay_key.to_string(),
            session_info: self.config.session_info_key.to_string(),
            full_screen: self.config.full_screen_key.to_string(),
        };
        let menu = SessionMenu {
            overlay: self.overlay.step(),
            recording: self.recording.is_running(),
            has_replay: self.config.instant_replay,
            keep_as: self.kept_settings.name(&self.config.connection.target),
            keys,
            ..self.chosen.clone()
        };
        let size = screen::own_size(SESSION_MENU_SIZE, &screen.desktop, event_loop);
        let menu = OpenMenu { menu, over, key: self.config.session_menu_key.clone(), size };
        match PanelWindow::open(menu, self.own_windows, event_loop, self.queues.render.clone()) {
            Ok(window) => {
                window.follow_theme(screen);
                self.menu = Some(window);
            }
            Err(error) => tracing::error!(%error, "the session menu cannot be opened"),
        }
    }

    pub(super) fn menu_action(
        &mut self,
        action: SessionMenuAction,
        screen: &Screen,
        event_loop: &ActiveEventLoop,
    ) {
        let Some(OpenMenu { menu, over, .. }) = self.menu.as_ref().map(PanelWindow::panel) else { return };
        self.chosen = SessionMenu { note: String::new(), about: false, stopping: false, ..menu.clone() };
        let over = *over;
        self.overlay.set_chosen(advised_by(&self.chosen));
        let option = |name, value: u8| DrawInput::EncodingOption { name, value: value.into() }.into();
        let input: Input = match action {
            SessionMenuAction::Encoding(encoding) => {
                DrawInput::PreferEncoding(Some(encoding).filter(|name| !name.is_empty())).into()
            }
            SessionMenuAction::Quality(percent) => option("quality", percent),
            SessionMenuAction::Speed(percent) => option("speed", percent),
            SessionMenuAction::Clipboard(direction) => ClipboardInput::Direction(direction).into(),
            SessionMenuAction::Bandwidth(limit) => {
                DrawInput::BandwidthLimit { bits_per_second: NonZeroU64::new(limit) }.into()
            }
            SessionMenuAction::Disconnect => ConnectionInput::Disconnect.into(),
            SessionMenuAction::Stop => ConnectionInput::StopServer.into(),
            SessionMenuAction::Renderer(choice) => {
                return self.render(RenderCommand::Renderer(choice));
            }
            SessionMenuAction::Scaling => return self.rescale(screen, event_loop),
            SessionMenuAction::Card => {
                self.menu = None;
                return self.card.ask();
            }
            SessionMenuAction::Overlay => return self.overlay.set_step(self.chosen.overlay, over),
            SessionMenuAction::Refresh => return self.refresh(),
            SessionMenuAction::FullScreen => {
                self.menu = None;
                return self.toggle_full_screen(over, screen);
            }
            SessionMenuAction::Keep => return self.keep_settings(),
            SessionMenuAction::Settings => return self.open_settings(screen, event_loop),
            SessionMenuAction::Replay => return self.save_replay(),
            SessionMenuAction::SessionInfo => return self.toggle_session_info(screen, event_loop),
            SessionMenuAction::Screenshot => {
                self.wanted_picture = Some(over);
                return self.render(RenderCommand::ReadBack { wid: over });
            }
            SessionMenuAction::Record => {
                let words = self.recording.toggle(&self.queues.net);
                return self.note(words);
            }
            SessionMenuAction::Close => {
                self.menu = None;
                return;
            }
        };
        self.queues.net.input(input);
    }

    /// Opens the settings window in the menu's place.
    fn open_settings(&mut self, screen: &Screen, event_loop: &ActiveEventLoop) {
        self.menu = None;
        self.own_windows.0 += 1;
        let size = screen::own_size(SETTINGS_SIZE, &screen.desktop, event_loop);
        let panel = SettingsPanel::new(self.config.files.clone(), size);
        match PanelWindow::open(panel, self.own_windows, event_loop, self.queues.render.clone()) {
            Ok(window) => {
                window.follow_theme(screen);
                self.settings = Some(window);
            }
            Err(error) => tracing::error!(%error, "the settings window cannot be opened"),
        }
    }

    /// Does what the user asks in the settings window.
    pub(super) fn settings_action(&mut self, action: SettingsAction) {
        if self.settings.as_mut().is_some_and(|window| window.panel_mut().act(action)) {
            self.settings = None;
        }
    }

    /// Has all windows drawn anew.
    fn refresh(&mut self) {
        for remote in self.windows.all() {
            self.queues.net.input(DrawInput::Refresh { wid: remote.wid });
        }
        self.note("Asked for all pixels again".to_owned());
    }

    /// Keeps what was changed in the menu with the saved connection.
    fn keep_settings(&mut self) {
        let kept = self.kept_settings.keep(&self.config.connection.target, &self.chosen);
        self.note(kept.unwrap_or_else(|error| format!("Not kept: {error}")));
    }

    /// Shows the windows as the menu says.
    pub(super) fn rescale(&mut self, screen: &Screen, event_loop: &ActiveEventLoop) {
        let scale = screen::scale(self.chosen.scaling, event_loop);
        self.render(RenderCommand::Scaling(Scaling { scale, filter: self.chosen.filter }));
        if std::mem::replace(&mut self.scale, scale) != scale {
            self.sync_screen(screen, event_loop);
            self.popups.set_scale(scale);
            self.windows.set_scale(scale, &screen.desktop);
        }
    }

    /// Tells the user, if the menu is open, what became of what was done in it.
    pub(super) fn note(&mut self, words: String) {
        if let Some(window) = &mut self.menu {
            let menu = &mut window.panel_mut().menu;
            menu.recording = self.recording.is_running();
            menu.note = words;
        }
    }

    /// One of the overlay's buttons was pressed in this window.
    pub(super) fn overlay_button(
        &mut self,
        button: OverlayButton,
        wid: WindowId,
        screen: &Screen,
        event_loop: &ActiveEventLoop,
    ) {
        match button {
            OverlayButton::Info => self.toggle_session_info(screen, event_loop),
            OverlayButton::Menu => self.toggle_menu(wid, screen, event_loop),
            OverlayButton::Corner => self.overlay.turn(),
            OverlayButton::Step => self.show_overlay(wid),
            OverlayButton::Help => {
                if let Some(help) = self.overlay.help() {
                    self.follow(help);
                }
            }
        }
    }

    /// The next step of the overlay.
    fn show_overlay(&mut self, wid: WindowId) {
        self.overlay.set_step(self.overlay.step().next(), wid);
    }

    /// Does what the overlay advises, as if it had been chosen in the menu.
    fn follow(&mut self, help: Help) {
        let input: Input = match help {
            Help::Encoding(name) => {
                self.chosen.encoding = name.to_owned();
                DrawInput::PreferEncoding(Some(name.to_owned()).filter(|name| !name.is_empty())).into()
            }
            Help::Quality(percent) => {
                self.chosen.quality = percent;
                DrawInput::EncodingOption { name: "quality", value: percent.into() }.into()
            }
            Help::Bandwidth(limit) => {
                self.chosen.bandwidth = limit;
                DrawInput::BandwidthLimit { bits_per_second: NonZeroU64::new(limit) }.into()
            }
            Help::CpuRenderer => {
                self.chosen.renderer = RendererChoice::Cpu;
                self.overlay.set_chosen(advised_by(&self.chosen));
                return self.render(RenderCommand::Renderer(RendererChoice::Cpu));
            }
        };
        self.overlay.set_chosen(advised_by(&self.chosen));
        if let Some(window) = &mut self.menu {
            let menu = &mut window.panel_mut().menu;
            (menu.encoding, menu.quality) = (self.chosen.encoding.clone(), self.chosen.quality);
            (menu.bandwidth, menu.renderer) = (self.chosen.bandwidth, self.chosen.renderer);
        }
        self.queues.net.input(input);
    }
}

/// What advice goes by.
pub(super) fn advised_by(menu: &SessionMenu) -> Chosen {
    Chosen { encoding: menu.encoding.clone(), quality: menu.quality, bandwidth: menu.bandwidth }
}

/// What the session menu begins with.
pub(super) fn chosen(config: &Config, has_clipboard: bool) -> SessionMenu {
    let pictures = &config.connection.session.pictures;
    let mut encodings: Vec<String> = Vec::new();
    for encoding in &pictures.encodings {
        let name = match encoding {
            Encoding::Rgb24 | Encoding::Rgb32 => "rgb",
            // Made by servers out of what was shown before: nothing to ask for.
            Encoding::Scroll => continue,
            // Grey: 6.x cannot be told for sure while a session runs.
            Encoding::PngGrey => continue,
            encoding => encoding.name(),
        };
        if !encodings.iter().any(|other| other == name) {
            encodings.push(name.to_owned());
        }
    }
    SessionMenu {
        encodings,
        encoding: pictures.preferred.clone().filter(|name| name != "auto").unwrap_or_default(),
        bandwidth: config.connection.session.bandwidth_limit.map_or(0, NonZeroU64::get),
        clipboard: has_clipboard.then_some(config.connection.session.clipboard.direction),
        quality: pictures.quality.unwrap_or(0),
        speed: pictures.speed.unwrap_or(0),
        overlay: if config.overlay { OverlayStep::Full } else { OverlayStep::Off },
        renderer: config.renderer.into(),
        scaling: config.desktop_scaling,
        filter: config.scaling_filter,
        ..SessionMenu::default()
    }
}
