//! A window of Farpane's own: made of egui alone, painted by the renderer like an overlay over
//! nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use winit::event::WindowEvent;
use winit::event_loop::ActiveEventLoop;
use winit::keyboard::ModifiersState;
use winit::window::{Window, WindowAttributes};

use crate::channel::{OwnId, RenderCommand, RenderMessage, RenderQueue, SurfaceId, clock};
use crate::config::KeyCombination;
use crate::geometry::Size;
use crate::input::keysym;
use crate::ui::UiSurface;

use super::attributes::own_icon;
use super::retired;

/// Animations (a spinner while connecting) are painted no faster: presenting does not wait for the screen.
const FRAME: Duration = Duration::from_millis(33);

/// An open window. Closed by dropping it.
pub struct OwnWindow {
    id: SurfaceId,
    window: Arc<Window>,
    surface: UiSurface,
    input: egui_winit::State,
    next: Option<Instant>,
    render: RenderQueue,
}

impl OwnWindow {
    /// Opens a window, which is due to be painted at once. `id` tells the windows of one render
    /// thread apart.
    ///
    /// # Errors
    /// If the OS makes no window.
    pub fn open(
        attributes: WindowAttributes,
        id: OwnId,
        event_loop: &ActiveEventLoop,
        render: RenderQueue,
    ) -> Result<Self, winit::error::OsError> {
        let window = Arc::new(event_loop.create_window(attributes.with_window_icon(own_icon()))?);
        let surface = UiSurface::new();
        let input = egui_winit::State::new(
            surface.context().clone(),
            egui::ViewportId::ROOT,
            &window,
            Some(window.scale_factor() as f32),
            None,
            None,
        );
        let target: Arc<Window> = Arc::clone(&window);
        let own = Self { id: SurfaceId::Own(id), window, surface, input, next: Some(clock::now()), render };
        let size = own.window.inner_size();
        let size = Size { width: size.width, height: size.height };
        own.send(RenderCommand::Attach { surface: own.id, target, size, dismissed: None });
        Ok(own)
    }

    /// The context that the window's content is made with.
    pub fn context(&self) -> &egui::Context {
        self.surface.context()
    }

    /// The look that the desktop wants, if winit knows it.
    pub fn theme(&self) -> Option<winit::window::Theme> {
        self.window.theme()
    }

    /// Pixels a point.
    pub fn scale_factor(&self) -> f64 {
        self.window.scale_factor()
    }

    /// Whether an event is for this window.
    pub fn is(&self, id: winit::window::WindowId) -> bool {
        self.window.id() == id
    }

    /// An event of the window.
    pub fn event(&mut self, event: &WindowEvent) {
        match event {
            WindowEvent::Resized(size) => {
                let size = Size { width: size.width, height: size.height };
                self.send(RenderCommand::SurfaceResized { surface: self.id, size });
            }
            WindowEvent::RedrawRequested => self.send(RenderCommand::Redraw { surface: self.id }),
            WindowEvent::Occluded(occluded) => {
                self.send(RenderCommand::Visible { surface: self.id, visible: !occluded });
            }
            _ => {}
        }
        if self.input.on_window_event(&self.window, event).repaint {
            self.due_at(clock::now());
        }
    }

    /// Whether it is time to paint.
    pub fn is_due(&self) -> bool {
        self.next.is_some_and(|next| next <= clock::now())
    }

    /// Paints what `ui` shows. egui may run it twice.
    pub fn paint(&mut self, ui: impl FnMut(&mut egui::Ui)) {
        let mut input = self.input.take_egui_input(&self.window);
        for event in &mut input.events {
            if let egui::Event::Paste(text) = event {
                one_line(text);
            }
        }
        let frame = self.surface.frame(input, ui);
        self.input.handle_platform_output(&self.window, frame.platform_output);
        self.send(RenderCommand::Overlay { surface: self.id, frame: Some(frame.frame) });
        let pause = frame.repaint_after.max(FRAME);
        self.next = (frame.repaint_after < Duration::MAX).then(|| clock::now() + pause);
    }

    /// Paint at `moment`, if not before.
    pub fn due_at(&mut self, moment: Instant) {
        self.next = Some(self.next.map_or(moment, |next| next.min(moment)));
    }

    /// When the window is due to be painted; `None` before something happens.
    pub fn deadline(&self) -> Option<Instant> {
        self.next
    }

    fn send(&self, command: RenderCommand) {
        self.render.push(RenderMessage::Command(command));
    }
}

/// Programs copy whole lines: a password has no line's end in it. All fields have one line.
fn one_line(pasted: &mut String) {
    pasted.truncate(pasted.trim_end_matches(['\r', '\n']).len());
}

/// Whether an event of an own window is that this key combination is pressed; `modifiers` follows
/// what is held there.
pub fn is_pressed(key: &KeyCombination, event: &WindowEvent, modifiers: &mut ModifiersState) -> bool {
    match event {
        WindowEvent::ModifiersChanged(changed) => {
            *modifiers = changed.state();
            false
        }
        WindowEvent::KeyboardInput { event, is_synthetic: false, .. } => {
            let held =
                [modifiers.shift_key(), modifiers.control_key(), modifiers.alt_key(), modifiers.super_key()];
            let keysym = keysym::from_winit(&event.logical_key, event.location);
            let pressed = event.state.is_pressed() && !event.repeat;
            pressed && keysym.is_some_and(|keysym| key.is(held, &keysym::name(keysym)))
        }
        _ => false,
    }
}

impl Drop for OwnWindow {
    fn drop(&mut self) {
        self.window.set_visible(false);
        self.send(RenderCommand::Detach { surface: self.id });
        retired::retire(Arc::clone(&self.window));
    }
}
