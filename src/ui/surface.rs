//! From a ui function to a frame that the render thread can paint.

use std::sync::Arc;
use std::time::Duration;

use egui::{Event, Key, RawInput, Rect, Ui, Vec2, ViewportId};

use super::overlay::{Buttons, OverlayButton, OverlayState, overlay_ui};
use super::{fonts, theme};
use crate::channel::OverlayFrame;
use crate::geometry::Size;
use crate::stats::{Advice, Help, StatsSnapshot};

/// An egui context and what is needed to run it without eframe. One for each OS window, because
/// textures belong to a window; made anew when the window's renderer starts anew.
///
/// With winit: feed events to an [`egui_winit::State`] made with [`Self::context`], and pass
/// [`Self::frame`] what its `take_egui_input` returns.
#[derive(Default)]
pub struct UiSurface {
    context: egui::Context,
}

/// What one run of a ui function brings.
pub struct UiFrame {
    pub frame: OverlayFrame,
    /// The cursor's look, texts to copy, where text is typed: for
    /// [`egui_winit::State::handle_platform_output`].
    pub platform_output: egui::PlatformOutput,
    /// When the next frame is wanted if no event comes before; [`Duration::MAX`]: never.
    pub repaint_after: Duration,
}

impl UiSurface {
    /// A surface with Farpane's look.
    pub fn new() -> Self {
        let context = fonts::context();
        theme::apply(&context);
        context.options_mut(|options| options.zoom_with_keyboard = false);
        Self { context }
    }

    /// The context; clones of it are the same context.
    pub fn context(&self) -> &egui::Context {
        &self.context
    }

    /// Runs `ui` on `input`, once or more, and turns what it painted last into triangles.
    pub fn frame(&self, mut input: RawInput, mut ui: impl FnMut(&mut Ui)) -> UiFrame {
        let mut output = egui::FullOutput::default();
        while let Some(end) = end_of_run(&input.events) {
            let later = input.events.split_off(end);
            output.append(self.context.run_ui(input.take(), &mut ui));
            input.events = later;
        }
        output.append(self.context.run_ui(input, ui));
        let repaint_after = output
            .viewport_output
            .get(&ViewportId::ROOT)
            .map_or(Duration::MAX, |viewport| viewport.repaint_delay);
        let frame = OverlayFrame {
            primitives: self.context.tessellate(output.shapes, output.pixels_per_point),
            textures_delta: output.textures_delta,
            pixels_per_point: output.pixels_per_point,
        };
        UiFrame { frame, platform_output: output.platform_output, repaint_after }
    }
}

/// How many of the events belong in a run of their own; `None`: all of them. On a busy machine, several keys come
/// together. The focus moves once in a run, before or after everything else that is typed in it: so what moves
/// it comes alone, behind what was typed before.
fn end_of_run(events: &[Event]) -> Option<usize> {
    use Key::{ArrowDown, ArrowLeft, ArrowRight, ArrowUp, Tab};
    let moves_focus = |event: &Event| {
        matches!(
            event,
            Event::Key { key: Tab | ArrowDown | ArrowLeft | ArrowRight | ArrowUp, pressed: true, .. }
        )
    };
    let end = events.iter().position(moves_focus)?.max(1);
    (end < events.len()).then_some(end)
}

/// Input without events for a window of `size` physical pixels at `scale` pixels a point.
pub fn passive_input(size: Size, scale: f32) -> RawInput {
    let scale = if scale.is_finite() && scale > 0.0 { scale } else { 1.0 };
    let points = Vec2::new(size.width as f32, size.height as f32) / scale;
    let mut input = RawInput {
        screen_rect: Some(Rect::from_min_size(egui::Pos2::ZERO, points)),
        focused: true,
        ..RawInput::default()
    };
    input.viewports.entry(ViewportId::ROOT).or_default().native_pixels_per_point = Some(scale);
    input
}

/// Makes the overlay's frames for one window, and only when there is something new to show.
#[derive(Default)]
pub struct OverlayPainter {
    surface: UiSurface,
    painted: Option<(Arc<StatsSnapshot>, Size, f32, OverlayState)>,
    /// Where the overlay's buttons are, in physical pixels.
    buttons: Buttons,
}

impl OverlayPainter {
    /// How often the overlay looks for new statistics.
    pub const REFRESH: Duration = Duration::from_secs(1);

    /// A painter whose first frame brings its textures along.
    pub fn new() -> Self {
        Self { surface: UiSurface::new(), painted: None, buttons: Buttons::new() }
    }

    /// The overlay for a window of `size` physical pixels at `scale` pixels a point; `None` if
    /// the last one still stands.
    pub fn frame(
        &mut self,
        snapshot: &Arc<StatsSnapshot>,
        state: &OverlayState,
        size: Size,
        scale: f32,
    ) -> Option<OverlayFrame> {
        let same = self.painted.as_ref().is_some_and(|(painted, at_size, at_scale, in_state)| {
            Arc::ptr_eq(painted, snapshot) && *at_size == size && *at_scale == scale && in_state == state
        });
        if same {
            return None;
        }
        self.painted = Some((Arc::clone(snapshot), size, scale, state.clone()));
        let mut buttons = Buttons::new();
        let frame = self.surface.frame(passive_input(size, scale), |ui| {
            buttons = overlay_ui(snapshot, state, ui);
        });
        let scale = frame.frame.pixels_per_point;
        self.buttons = buttons.into_iter().map(|(button, place)| (button, place * scale)).collect();
        Some(frame.frame)
    }

    /// The button at this place, in physical pixels.
    pub fn button_at(&self, x: f32, y: f32) -> Option<OverlayButton> {
        let mut buttons = self.buttons.iter();
        buttons.find(|(_, place)| place.contains(egui::pos2(x, y))).map(|(button, _)| *button)
    }

    /// What the last frame advised.
    pub fn help(&self) -> Option<Help> {
        let (snapshot, _, _, state) = self.painted.as_ref()?;
        Advice::of(snapshot, &state.chosen).help
    }
}
