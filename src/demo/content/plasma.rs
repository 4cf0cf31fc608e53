//! A picture that changes everywhere all the time, sent raw: what a large raw chunk costs.

use std::f32::consts::TAU;
use std::time::Duration;

use crate::demo::canvas::{Canvas, Color, Draw, Packing};
use crate::demo::hello::Offers;

use super::Content;

/// Time between pictures.
const EVERY: Duration = Duration::from_millis(50);

/// Waves of colour.
#[derive(Debug)]
pub struct Plasma {
    canvas: Canvas,
    /// The sine of a whole turn in 256 steps, from 0 to 255.
    sine: [u8; 256],
    last: Option<Duration>,
}

impl Plasma {
    /// A window of 320 × 240.
    pub fn new() -> Self {
        let mut sine = [0; 256];
        for (step, value) in (0u16..).zip(&mut sine) {
            *value = (127.5 + 127.5 * (f32::from(step) / 256.0 * TAU).sin()) as u8;
        }
        Self { canvas: Canvas::new(320, 240, [0; 3]), sine, last: None }
    }

    fn color(&self, x: u32, y: u32, time: u32) -> Color {
        let wave = |value: u32| self.sine[(value & 255) as usize];
        let a = u32::from(wave(x + time));
        let b = u32::from(wave(2 * y + 3 * time / 2));
        let c = u32::from(wave((x + y) / 2 + 2 * time));
        [wave((a + b) / 2 + time), wave((b + c) / 2 + 85), wave((c + a) / 2 + 170)]
    }
}

impl Default for Plasma {
    fn default() -> Self {
        Self::new()
    }
}

impl Content for Plasma {
    fn title(&self) -> String {
        "Raw pixels".to_owned()
    }

    fn size(&self) -> (u32, u32) {
        (self.canvas.area().width, self.canvas.area().height)
    }

    fn resizable(&self) -> bool {
        true
    }

    fn resize(&mut self, width: u32, height: u32) {
        self.canvas = Canvas::new(width, height, [0; 3]);
        self.last = None;
    }

    fn draws(&mut self, offers: &Offers, elapsed: Duration, whole: bool) -> Vec<Draw> {
        if !whole && self.last.is_some_and(|last| elapsed.saturating_sub(last) < EVERY) {
            return Vec::new();
        }
        self.last = Some(elapsed);
        let time = u32::try_from(elapsed.as_millis() / 20).unwrap_or(0);
        let mut canvas = std::mem::replace(&mut self.canvas, Canvas::new(0, 0, [0; 3]));
        canvas.paint(|x, y| self.color(x, y, time));
        self.canvas = canvas;
        vec![self.canvas.draw(self.canvas.area(), Packing::Raw, offers)]
    }
}
