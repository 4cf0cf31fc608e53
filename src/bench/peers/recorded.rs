//! What a recording holds: its draws, and the picture that its largest window shows at the end,
//! made slowly and exactly, without the viewer's renderers.

use std::collections::BTreeMap;
use std::path::Path;

use crate::buffers::BufferPool;
use crate::codec::{Coded, PictureRef, StillDecoder, VideoDecoder, reference};
use crate::geometry::Size;
use crate::headless::WindowPixels;
use crate::player::script::Script;
use crate::protocol::ServerPacket;
use crate::protocol::packet::WindowId;
use crate::protocol::packet::draw::{self, Encoding, ScrollRect, WindowDraw};
use crate::protocol::packet::window;
use crate::stats::CopyLedger;

use super::Error;

/// The draws of the window of a recording that is drawn most.
#[derive(Debug)]
pub struct Recorded {
    /// In order.
    pub draws: Vec<WindowDraw>,
    /// Of the window at the end.
    pub size: Size,
    /// The right and lower edge of all windows: the screen must be as large.
    pub extent: Size,
    /// All draws, also those of other windows.
    pub total_draws: u64,
}

impl Recorded {
    /// Reads a recording to its end.
    ///
    /// # Errors
    /// If it cannot be read, or draws nothing.
    pub fn load(file: &Path) -> Result<Self, Error> {
        let mut script = Script::open(file)?;
        script.hello()?;
        let mut sizes: BTreeMap<WindowId, Size> = BTreeMap::new();
        let mut draws: BTreeMap<WindowId, Vec<WindowDraw>> = BTreeMap::new();
        let mut extent = Size { width: 1, height: 1 };
        let mut total_draws = 0;
        while let Some(step) = script.next_step().map_err(|why| Error::Recording(why.to_string()))? {
            match step.packet {
                ServerPacket::Window(window::FromServer::Create(window)) => {
                    let size = Size { width: window.width, height: window.height };
                    sizes.insert(window.wid, size);
                    let end = |at: i32, len: u32| at.max(0).unsigned_abs().saturating_add(len);
                    extent.width = extent.width.max(end(window.x, size.width));
                    extent.height = extent.height.max(end(window.y, size.height));
                }
                ServerPacket::Window(window::FromServer::MoveResize(to)) => {
                    sizes.insert(to.wid, Size { width: to.width, height: to.height });
                }
                ServerPacket::Window(window::FromServer::Resized { wid, width, height, .. }) => {
                    sizes.insert(wid, Size { width, height });
                }
                ServerPacket::Window(window::FromServer::Destroy { wid }) => {
                    sizes.remove(&wid);
                    draws.remove(&wid);
                }
                ServerPacket::Draw(draw::FromServer::Draw(draw)) => {
                    total_draws += 1;
                    if let Some((width, height)) = draw.options.window_size {
                        sizes.insert(draw.wid, Size { width, height });
                    }
                    draws.entry(draw.wid).or_default().push(draw);
                }
                _ => {}
            }
        }
        let pixels = |draws: &[WindowDraw]| {
            draws.iter().map(|draw| u64::from(draw.width) * u64::from(draw.height)).sum::<u64>()
        };
        let most = draws.into_iter().filter(|(wid, _)| sizes.contains_key(wid));
        let (wid, draws) = most
            .max_by_key(|(_, draws)| pixels(draws))
            .ok_or_else(|| Error::Recording("it has no window that is drawn to its end".to_owned()))?;
        let size = sizes.get(&wid).copied().unwrap_or(extent);
        Ok(Self { draws, size, extent, total_draws })
    }

    /// Whether every client should show exactly the same pixels.
    pub fn is_lossless(&self) -> bool {
        self.draws.iter().all(|draw| {
            !matches!(draw.encoding, Encoding::Jpeg | Encoding::Webp | Encoding::H264 | Encoding::Other)
        })
    }

    /// The picture at the end.
    ///
    /// # Errors
    /// If a draw cannot be decoded.
    pub fn last_picture(&self) -> Result<WindowPixels, Error> {
        self.picture_of(&self.draws)
    }

    /// The picture before the last draw.
    ///
    /// # Errors
    /// If a draw cannot be decoded.
    pub fn picture_before(&self) -> Result<WindowPixels, Error> {
        self.picture_of(self.draws.split_last().map_or(&[], |(_, before)| before))
    }

    fn picture_of(&self, draws: &[WindowDraw]) -> Result<WindowPixels, Error> {
        let mut ledger = CopyLedger::default();
        let mut still = StillDecoder::new(BufferPool::default());
        let mut video = VideoDecoder::default();
        let Size { width, height } = self.size;
        let mut canvas =
            WindowPixels { size: self.size, rgba: vec![0; width as usize * height as usize * 4] };
        canvas.rgba.chunks_exact_mut(4).for_each(|pixel| pixel[3] = 255);
        // What is painted over entirely need not be painted; only video has to be decoded.
        let covers = |draw: &WindowDraw| {
            (draw.x, draw.y, draw.width, draw.height) == (0, 0, width, height)
                && !matches!(draw.encoding, Encoding::Scroll | Encoding::Void)
        };
        let first = draws.iter().rposition(covers).unwrap_or(0);
        for (number, draw) in draws.iter().enumerate() {
            let size = Size { width: draw.width, height: draw.height };
            let WindowDraw { encoding, data, rowstride, options, .. } = draw;
            let coded = Coded { encoding: *encoding, data, size, rowstride: *rowstride, options };
            let failed = |why: &dyn std::fmt::Display| Error::Recording(format!("draw {number}: {why}"));
            let still_picture;
            let picture = match encoding {
                Encoding::H264 => video.decode(&coded, &mut ledger).map_err(|why| failed(&why))?,
                _ if number < first => continue,
                Encoding::Scroll => {
                    scroll(&mut canvas, &options.scroll);
                    continue;
                }
                Encoding::Void => continue,
                _ => {
                    still_picture = still.decode(&coded, &mut ledger).map_err(|why| failed(&why))?;
                    Some(PictureRef::from(&still_picture))
                }
            };
            if let Some(picture) = picture.filter(|_| number >= first && options.paint != Some(false)) {
                paint(&mut canvas, picture, (draw.x, draw.y));
            }
        }
        Ok(canvas)
    }
}

/// Where a pixel is in `picture`'s bytes, if it is in the picture.
fn index(picture: Size, x: i64, y: i64) -> Option<usize> {
    let inside = (0..i64::from(picture.width)).contains(&x) && (0..i64::from(picture.height)).contains(&y);
    inside.then(|| usize::try_from((y * i64::from(picture.width) + x) * 4).ok()).flatten()
}

fn paint(canvas: &mut WindowPixels, picture: PictureRef, at: (i32, i32)) {
    let rgba = reference::to_rgba(picture);
    for (number, pixel) in (0i64..).zip(rgba.chunks_exact(4)) {
        let width = i64::from(picture.width.max(1));
        let (x, y) = (i64::from(at.0) + number % width, i64::from(at.1) + number / width);
        let to = index(canvas.size, x, y).and_then(|at| canvas.rgba.get_mut(at..at + 3));
        for (to, from) in to.into_iter().flatten().zip(pixel) {
            *to = *from;
        }
    }
}

/// Moves rectangles; each shows what was there before all of them.
fn scroll(canvas: &mut WindowPixels, rects: &[ScrollRect]) {
    let before = canvas.rgba.clone();
    for rect in rects {
        for y in 0..i64::from(rect.height) {
            for x in 0..i64::from(rect.width) {
                let from = (i64::from(rect.x) + x, i64::from(rect.y) + y);
                let to = (from.0 + i64::from(rect.dx), from.1 + i64::from(rect.dy));
                let from = index(canvas.size, from.0, from.1).and_then(|at| before.get(at..at + 4));
                let to = index(canvas.size, to.0, to.1).and_then(|at| canvas.rgba.get_mut(at..at + 4));
                for (to, from) in to.into_iter().flatten().zip(from.into_iter().flatten()) {
                    *to = *from;
                }
            }
        }
    }
}

/// How alike two pictures are: the peak signal-to-noise ratio in dB, infinite if they are the
/// same; `None` if their sizes differ.
pub fn likeness(one: &WindowPixels, other: &WindowPixels) -> Option<f64> {
    if one.size != other.size || one.rgba.len() != other.rgba.len() {
        return None;
    }
    let squares: u64 =
        one.rgba.iter().zip(&other.rgba).map(|(one, other)| u64::from(one.abs_diff(*other)).pow(2)).sum();
    if squares == 0 {
        return Some(f64::INFINITY);
    }
    let samples = one.rgba.len() as f64 * 0.75;
    Some(10.0 * (255.0 * 255.0 * samples / squares as f64).log10())
}
