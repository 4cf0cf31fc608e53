//! The session's card, and what the user decides in it.

use winit::event_loop::ActiveEventLoop;

use super::Attached;
use crate::app::screen::Screen;
use crate::session::ConnectionInput;
use crate::ui::CardAction;

impl Attached {
    /// Whether the card is open.
    pub fn shows_card(&self) -> bool {
        self.card.is_shown()
    }

    /// Shows and paints what is said of the session itself: the veils over its windows, its card.
    pub(super) fn update_card(&mut self, screen: &Screen, event_loop: &ActiveEventLoop) {
        let is_unseen = self.away.update(&self.windows);
        // A tooltip or menu that its program left behind is nothing to leave the session by.
        let has_windows = self.windows.all().any(|window| !window.info.override_redirect);
        let away = (self.away.state(), is_unseen);
        let action = self.card.update(has_windows, away, &mut self.own_windows, screen, event_loop);
        if let Some(action) = action {
            self.card_action(action);
        }
    }

    pub(super) fn card_action(&mut self, action: CardAction) {
        let input = match action {
            CardAction::Start(application) => {
                self.card.started(&application);
                ConnectionInput::Start { name: application.name, command: application.command }
            }
            CardAction::Away(action) => return self.away_action(action),
            CardAction::Stop => ConnectionInput::StopServer,
            CardAction::Close if self.card.dismiss() => return,
            // Without it, nothing of the session would be seen any more.
            CardAction::Close | CardAction::Disconnect => ConnectionInput::Disconnect,
        };
        self.queues.net.input(input);
    }
}
