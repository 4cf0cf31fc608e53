//! What happens to the session's windows on this desktop.

use winit::event::{ElementState, MouseButton, WindowEvent};
use winit::event_loop::ActiveEventLoop;

use super::Attached;
use crate::app::full_screen::Became;
use crate::app::screen::Screen;
use crate::app::user_input::{Hotkey, KeyOutcome};
use crate::channel::clock;
use crate::config::connections::Store;
use crate::geometry::Size;
use crate::protocol::packet::WindowId;
use crate::session::WindowInput;
use crate::ui::GreetingAction;

impl Attached {
    pub(super) fn remote_window_event(
        &mut self,
        wid: WindowId,
        event: WindowEvent,
        screen: &mut Screen,
        event_loop: &ActiveEventLoop,
    ) {
        if matches!(
            event,
            WindowEvent::CursorMoved { .. }
                | WindowEvent::MouseInput { .. }
                | WindowEvent::MouseWheel { .. }
                | WindowEvent::Touch(_)
        ) {
            self.windows.before_pointer(wid, &screen.desktop);
        }
        let Some(remote) = self.windows.get(wid) else { return };
        match event {
            WindowEvent::Resized(size) => {
                let size = Size { width: size.width, height: size.height };
                self.windows.resized(wid, size);
                self.overlay.resized(wid);
                self.away.resized();
                self.greeting.resized(wid);
                self.input.window_moved();
            }
            WindowEvent::Moved(_) => {
                self.windows.mark_dirty(wid);
                self.input.window_moved();
            }
            WindowEvent::ScaleFactorChanged { mut inner_size_writer, .. } => {
                self.popups.close_all_of(wid);
                self.sync_scale(screen, event_loop);
                if let Some(size) = self.windows.scale_factor_changed(wid) {
                    let _ = inner_size_writer.request_inner_size(size);
                }
            }
            WindowEvent::RedrawRequested => self.windows.redraw(wid),
            WindowEvent::Occluded(occluded) => self.windows.occluded(wid, occluded),
            WindowEvent::CloseRequested => {
                if remote.info.is_desktop {
                    self.disconnect();
                } else {
                    self.queues.net.input(WindowInput::CloseRequested { wid });
                }
            }
            WindowEvent::Destroyed => {
                // By somebody else, as xkill does: without a window there is no other way to close it.
                self.forget(wid);
                self.queues.net.input(WindowInput::CloseRequested { wid });
            }
            WindowEvent::Focused(focused) => {
                self.input.focus(wid, focused, &mut screen.desktop);
                self.windows.mark_dirty(wid);
            }
            WindowEvent::KeyboardInput { event, is_synthetic, .. } => {
                match self.input.key(wid, &event, is_synthetic, &mut screen.desktop) {
                    KeyOutcome::Hotkey(Hotkey::Overlay) if self.away.is_still() => {}
                    KeyOutcome::Hotkey(Hotkey::Overlay) => {
                        self.overlay.set_step(self.overlay.step().next(), wid);
                    }
                    KeyOutcome::Hotkey(Hotkey::SessionInfo) => self.toggle_session_info(screen, event_loop),
                    KeyOutcome::Hotkey(Hotkey::SessionMenu) => self.toggle_menu(wid, screen, event_loop),
                    KeyOutcome::Hotkey(Hotkey::FullScreen) => self.toggle_full_screen(wid, screen),
                    KeyOutcome::Handled => {}
                }
            }
            WindowEvent::ModifiersChanged(modifiers) => self.input.modifiers(modifiers.state()),
            WindowEvent::CursorMoved { position, .. } => {
                self.hovered = Some(wid);
                self.overlay.pointer(wid, Some(position));
                self.away.pointer(wid, Some(position));
                self.greeting.pointer(wid, Some(position));
                self.leaving.entered(wid);
                self.input.moved(wid, remote.place(), position);
            }
            WindowEvent::CursorLeft { .. } => {
                self.hovered = None;
                self.overlay.pointer(wid, None);
                self.away.pointer(wid, None);
                self.greeting.pointer(wid, None);
                self.leaving.left(clock::now(), wid);
            }
            WindowEvent::MouseInput { state: ElementState::Pressed, button: MouseButton::Left, .. }
                if let Some(button) = self.overlay.button(wid) =>
            {
                self.overlay_button(button, wid, screen, event_loop);
            }
            WindowEvent::MouseInput { state: ElementState::Pressed, button: MouseButton::Left, .. }
                if let Some(action) = self.away.button(wid) =>
            {
                self.away_action(action);
            }
            WindowEvent::MouseInput { state: ElementState::Pressed, button: MouseButton::Left, .. }
                if let Some(action) = self.greeting.button(wid) =>
            {
                self.greeting.end();
                match action {
                    GreetingAction::Menu => self.toggle_menu(wid, screen, event_loop),
                    GreetingAction::Disconnect => self.disconnect(),
                    GreetingAction::Enough => knows_menu(),
                }
            }
            WindowEvent::MouseInput { state, button, .. } => {
                self.input.look_where_it_is(remote, &screen.desktop);
                self.input.button(wid, button, state);
            }
            WindowEvent::MouseWheel { delta, .. } => self.input.wheel(wid, delta),
            WindowEvent::Touch(touch) => self.input.touch(wid, remote.place(), &touch),
            _ => {}
        }
    }

    /// Shows a window in full screen, or as it was.
    pub(super) fn toggle_full_screen(&mut self, wid: WindowId, screen: &Screen) {
        self.greeting.end();
        let became = self.full_screen.toggle(wid, &self.windows, &screen.desktop);
        self.say_full_screen(became, screen);
    }

    /// Gives the keyboard to what is in full screen.
    pub(super) fn update_full_screen(&mut self, screen: &Screen) {
        let (focused, may_grab) = (self.input.focused(), !self.away.is_still());
        let became = self.full_screen.update(focused, may_grab, &self.windows, &screen.desktop);
        self.say_full_screen(became, screen);
    }

    /// Says how to get back, as long as that is so, or why nothing happened.
    fn say_full_screen(&mut self, became: Option<Became>, screen: &Screen) {
        let Some(became) = became else { return };
        let grabs = self.full_screen.can_grab(&screen.desktop);
        let keys = if grabs { " All keys go to the session." } else { "" };
        let way_back = format!("{} leaves full screen.{keys}", self.config.full_screen_key);
        let (wid, words) = match became {
            Became::Over => return self.overlay.end_words(&way_back),
            Became::Full(wid) => (wid, way_back),
            Became::Refused(wid) => {
                (wid, "The window manager does not show this window in full screen.".to_owned())
            }
            Became::Fixed(wid) => {
                (wid, "This window has one size: it cannot be shown in full screen.".to_owned())
            }
        };
        self.overlay.note(words, Some(wid));
    }
}

/// The user needs to be told no more how to open the menu.
fn knows_menu() {
    let Some(store) = Store::user() else { return };
    if let Err(error) = store.note_knows_menu() {
        tracing::warn!(%error, "it will be said again how to open the menu");
    }
}
