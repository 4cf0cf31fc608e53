//! The render thread's loop: the queue, the windows, acknowledgements, and when to present.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::backend::{Backend, Part, PresentOutcome};
use super::cpu::CpuBackend;
use super::gpu::{self, GpuBackend};
use super::window::{Window, bytes};
use super::{RenderError, RenderOptions, RendererChoice};
use crate::channel::{
    AppEvent, AppSink, BackingUpdate, DecodedDraw, DrawContent, DrawReply, OverlayFrame, Presented,
    RenderCommand, RenderItem, RenderMessage, RenderQueue, RendererInfo, SurfaceId, WindowTarget, clock,
};
use crate::codec::DecodeError;
use crate::geometry::Size;
use crate::protocol::Bounds;
use crate::protocol::packet::WindowId;
use crate::protocol::packet::draw::DrawOutcome;
use crate::session::DrawDone;
use crate::stats::{CopyLedger, alloc};

/// Draws that are uploaded before the windows are presented, however many wait.
const MAX_BATCH: usize = 256;
/// How long to wait when the system has no room for a picture.
const RETRY: Duration = Duration::from_millis(20);
/// Devices lost one after the other before giving up.
const MAX_REBUILDS: u32 = 5;

/// Runs until [`RenderCommand::Shutdown`].
pub(super) fn run(
    queue: RenderQueue,
    reply: Box<dyn DrawReply>,
    app: Arc<dyn AppSink>,
    options: RenderOptions,
) -> Result<(), RenderError> {
    let backend = open(&options)?;
    let mut renderer = Renderer {
        reply,
        app,
        options,
        backend,
        info: RendererInfo::default(),
        bounds: Bounds::default(),
        windows: HashMap::new(),
        painted: Vec::new(),
        lost: None,
        before: None,
        rebuilds: 0,
        heap_counted: alloc::so_far().count,
    };
    renderer.announce();
    queue.set_unpacks(renderer.backend.unpacks());
    let mut wait = None;
    loop {
        let mut next = queue.pop(wait);
        let mut handled = 0;
        while let Some(message) = next {
            if matches!(message, RenderMessage::Command(RenderCommand::Shutdown)) {
                renderer.finish_draws();
                return Ok(());
            }
            renderer.handle(message);
            handled += 1;
            next = if handled < MAX_BATCH { queue.try_pop() } else { None };
        }
        renderer.finish_draws();
        wait = renderer.present_all().then_some(RETRY);
        if let Some(why) = renderer.lost.take() {
            renderer.recover(why)?;
            queue.set_unpacks(renderer.backend.unpacks());
        }
    }
}

/// Opens what the options ask for.
fn open(options: &RenderOptions) -> Result<Box<dyn Backend>, RenderError> {
    let mut backend = open_any(options)?;
    backend.set_scaling(options.scaling);
    Ok(backend)
}

fn open_any(options: &RenderOptions) -> Result<Box<dyn Backend>, RenderError> {
    match options.renderer {
        RendererChoice::Cpu => Ok(Box::new(CpuBackend::default())),
        RendererChoice::Wgpu => Ok(Box::new(GpuBackend::new(options)?)),
        // Loading the graphics drivers takes time and memory, so they are asked only if there
        // may be a GPU.
        RendererChoice::Auto if !gpu::may_have_gpu() => Ok(Box::new(CpuBackend::default())),
        RendererChoice::Auto => match GpuBackend::new(options) {
            Ok(backend) if !backend.info().software => Ok(Box::new(backend)),
            Ok(_) => Ok(Box::new(CpuBackend::default())),
            Err(error) => {
                tracing::info!(%error, "no GPU");
                Ok(Box::new(CpuBackend::default()))
            }
        },
    }
}

/// A draw that was painted and is to be acknowledged once it was submitted.
struct Painted {
    draw: DrawDone,
    /// Releases the draw's share of the byte budget when it is dropped.
    permit: Option<tokio::sync::OwnedSemaphorePermit>,
    /// `Some`: the draw shows; the time that decoding and uploading took.
    spent: Option<Duration>,
}

struct Renderer {
    reply: Box<dyn DrawReply>,
    app: Arc<dyn AppSink>,
    options: RenderOptions,
    backend: Box<dyn Backend>,
    /// As last announced.
    info: RendererInfo,
    bounds: Bounds,
    windows: HashMap<SurfaceId, Window>,
    painted: Vec<Painted>,
    /// Why the backend is of no use any more.
    lost: Option<String>,
    /// The renderer before another one was chosen, until that works.
    before: Option<RendererChoice>,
    /// Backends lost since the last present.
    rebuilds: u32,
    /// Allocations of this thread that were reported.
    heap_counted: u64,
}

impl Renderer {
    fn handle(&mut self, message: RenderMessage) {
        match message {
            RenderMessage::Item(RenderItem::Draw(draw)) => self.draw(draw),
            RenderMessage::Item(RenderItem::Backing { wid, update: BackingUpdate::Resize(size) }) => {
                self.resize(wid, size);
            }
            RenderMessage::Item(RenderItem::Backing { wid, update: BackingUpdate::Destroy }) => {
                self.destroy(wid);
            }
            RenderMessage::Command(command) => self.command(command),
        }
    }

    fn command(&mut self, command: RenderCommand) {
        match command {
            RenderCommand::Attach { surface, target, size, dismissed } => {
                self.attach(surface, target, size);
                if let Some(window) = self.windows.get_mut(&surface) {
                    window.dismissed = dismissed;
                }
            }
            RenderCommand::SurfaceResized { surface, size } => self.resize_surface(surface, size),
            RenderCommand::Visible { surface, visible } => {
                if let Some(window) = self.windows.get_mut(&surface) {
                    window.redraw |= visible && window.hidden;
                    window.hidden = !visible;
                }
            }
            RenderCommand::Redraw { surface } => {
                if let Some(window) = self.windows.get_mut(&surface) {
                    window.redraw = true;
                }
            }
            RenderCommand::Detach { surface } => {
                self.backend.detach(surface);
                if let Some(window) = self.windows.get_mut(&surface) {
                    window.target = None;
                }
                self.forget_if_gone(surface);
            }
            RenderCommand::Overlay { surface, frame } => self.overlay(surface, frame),
            RenderCommand::Border { surface, border } => {
                if let Some(window) = self.windows.get_mut(&surface) {
                    window.border = Some(border);
                }
                self.lay_border(surface);
            }
            RenderCommand::ReadBack { wid } => self.read_back(wid),
            RenderCommand::Scaling(scaling) => {
                self.options.scaling = scaling;
                self.backend.set_scaling(scaling);
                self.windows.values_mut().for_each(|window| window.redraw |= window.has_content);
            }
            RenderCommand::Renderer(choice) => {
                self.before = Some(std::mem::replace(&mut self.options.renderer, choice));
                self.rebuilds = 0;
                self.lost = Some("another renderer was chosen".to_owned());
            }
            RenderCommand::Bounds(bounds) => {
                self.bounds = bounds;
                self.backend.set_bounds(bounds);
            }
            // The loop looks for it before.
            RenderCommand::Shutdown => {}
        }
    }

    /// Makes or resizes a backing. If that fails, draws for the window will be refused.
    fn resize(&mut self, wid: WindowId, size: Size) {
        let surface = SurfaceId::Remote(wid);
        let others: u64 =
            self.windows.iter().filter(|(other, _)| **other != surface).map(|(_, w)| w.bytes()).sum();
        let window = self.windows.entry(surface).or_default();
        if window.size == Some(size) {
            return;
        }
        let most = self.bounds.windows_bytes();
        let result = if others + bytes(size) > most {
            self.backend.destroy(wid);
            let limit = format!("all windows may have {} MiB", most >> 20);
            Err(RenderError::TooLarge { size, limit })
        } else {
            self.backend.resize(wid, size)
        };
        window.damage.clear();
        match result {
            Ok(()) => {
                window.size = Some(size);
                window.redraw |= window.has_content;
            }
            Err(error) => {
                tracing::error!(%wid, %error, "no backing for a window");
                window.size = None;
                self.note_lost(error);
            }
        }
    }

    fn destroy(&mut self, wid: WindowId) {
        let surface = SurfaceId::Remote(wid);
        self.backend.destroy(wid);
        if let Some(window) = self.windows.get_mut(&surface) {
            window.size = None;
            window.has_content = false;
            window.update = None;
            window.damage.clear();
        }
        self.forget_if_gone(surface);
    }

    fn forget_if_gone(&mut self, surface: SurfaceId) {
        let is_gone = |window: &Window| window.size.is_none() && window.target.is_none();
        if self.windows.get(&surface).is_some_and(is_gone) {
            self.windows.remove(&surface);
            self.backend.forget_overlay(surface);
        }
    }

    fn draw(&mut self, draw: DecodedDraw) {
        let started = clock::now();
        let mut trace = draw.trace;
        let surface = SurfaceId::Remote(draw.wid);
        let window = self.windows.get_mut(&surface).filter(|window| window.size.is_some());
        let result = match (&draw.content, &window) {
            (DrawContent::Nothing(outcome), _) => Err(outcome.clone()),
            (_, None) => Err(DrawOutcome::WindowNotFound),
            (DrawContent::Picture(picture), _) => paint_result(
                self.backend.paint(draw.wid, draw.rect, picture.into(), &mut trace.ledger),
                &mut self.lost,
            ),
            (DrawContent::Video(frame), _) => {
                let picture = frame.picture().ok_or(RenderError::Picture(DecodeError::NoPicture));
                let paint = |picture| self.backend.paint(draw.wid, draw.rect, picture, &mut trace.ledger);
                paint_result(picture.and_then(paint), &mut self.lost)
            }
            (DrawContent::Compressed(packed), _) => paint_result(
                self.backend.paint_compressed(draw.wid, draw.rect, packed, &mut trace.ledger),
                &mut self.lost,
            ),
            (DrawContent::Scroll(rects), _) => {
                paint_result(self.backend.scroll(draw.wid, rects, &mut trace.ledger), &mut self.lost)
            }
        };
        if let (DrawContent::Compressed(_), Err(DrawOutcome::Error { .. })) = (&draw.content, &result) {
            // Damaged pixels may have been unpacked in part, over those that were there.
            self.reply.refresh(draw.wid);
        }
        if let Some(window) = window {
            if result.is_ok() {
                window.has_content = true;
                window.add_damage(draw.rect, &draw.content);
            }
            if draw.flush == 0 {
                window.update = Some(draw.sequence);
            }
        }
        let (outcome, spent) = match result {
            Ok(()) => {
                let decoding = trace.decode_started.zip(trace.decoded);
                let decoding =
                    decoding.map_or(Duration::ZERO, |(from, to)| to.saturating_duration_since(from));
                let uploading = clock::now().saturating_duration_since(started);
                (DrawOutcome::Presented { decode_us: 1 }, Some(decoding + uploading))
            }
            Err(outcome) => (outcome, None),
        };
        self.painted.push(Painted {
            draw: DrawDone {
                wid: draw.wid,
                sequence: draw.sequence,
                size: Size { width: draw.rect.width, height: draw.rect.height },
                encoding: draw.encoding,
                outcome,
                trace,
            },
            permit: draw.permit,
            spent,
        });
    }

    /// Hands what was painted to the GPU and acknowledges it.
    fn finish_draws(&mut self) {
        let before = clock::now();
        if let Err(error) = self.backend.submit() {
            self.note_lost(error);
        }
        let shown = self.painted.iter().filter(|painted| painted.spent.is_some()).count();
        let now = clock::now();
        let submitting = now.saturating_duration_since(before) / u32::try_from(shown).unwrap_or(1).max(1);
        for mut painted in self.painted.drain(..) {
            painted.draw.trace.uploaded = Some(now);
            if let Some(spent) = painted.spent {
                let decode_us = u32::try_from((spent + submitting).as_micros()).unwrap_or(u32::MAX).max(1);
                painted.draw.outcome = DrawOutcome::Presented { decode_us };
            }
            drop(painted.permit);
            self.reply.done(painted.draw);
        }
    }

    /// Presents each window that shows something new. Returns whether one has to be tried again.
    fn present_all(&mut self) -> bool {
        let mut again = false;
        let heap_counted = &mut self.heap_counted;
        for (&surface, window) in &mut self.windows {
            if !window.is_due() {
                if window.damage.is_empty() {
                    window.update = None;
                }
                continue;
            }
            let mut ledger = CopyLedger::default();
            let outcome = if let Some((_, size)) = &window.target {
                if std::mem::take(&mut window.surface_outdated)
                    && let Err(error) = self.backend.resize_surface(surface, *size)
                {
                    note_lost(error, &mut self.lost);
                    continue;
                }
                let part = if window.redraw { Part::All } else { Part::Damage(window.damage.rects()) };
                let overlay = window.overlay.as_ref();
                self.backend.present(surface, part, overlay, &mut ledger)
            } else if self.options.offscreen {
                Ok(PresentOutcome::Presented)
            } else {
                continue;
            };
            match outcome {
                Ok(PresentOutcome::Presented) => {
                    self.rebuilds = 0;
                    // Windows of our own are no part of the session.
                    if let SurfaceId::Remote(wid) = surface {
                        if window.size.is_some() {
                            let (sequence, at) = (window.update, clock::now());
                            let so_far = alloc::so_far().count;
                            ledger.heap_allocations +=
                                so_far.saturating_sub(std::mem::replace(heap_counted, so_far));
                            self.reply.presented(Presented { wid, sequence, at, ledger });
                        }
                        if window.has_content && !std::mem::replace(&mut window.first_paint_sent, true) {
                            self.app.send(AppEvent::FirstPaint { wid });
                        }
                    }
                    window.presented();
                }
                Ok(PresentOutcome::TryLater) => again = true,
                Ok(PresentOutcome::Hidden) => window.presented(),
                Err(RenderError::DeviceLost(why)) => self.lost = Some(why),
                Err(error) => {
                    tracing::warn!(window = %surface, %error, "present failed");
                    window.presented();
                }
            }
        }
        again
    }

    fn attach(&mut self, surface: SurfaceId, target: Arc<dyn WindowTarget>, size: Size) {
        let window = self.windows.entry(surface).or_default();
        window.target = Some((Arc::clone(&target), size));
        window.redraw |= window.has_content;
        window.hidden = false;
        if let Err(error) = self.backend.attach(surface, target, size) {
            let why = error.to_string();
            if note_lost(error, &mut self.lost) {
                // The new backend will be given the window.
            } else if self.options.renderer == RendererChoice::Auto {
                self.options.renderer = RendererChoice::Cpu;
                self.lost = Some(why);
            } else {
                window.target = None;
                self.app.send(AppEvent::RendererFailed(why));
            }
        }
        self.announce();
    }

    fn resize_surface(&mut self, surface: SurfaceId, size: Size) {
        let Some(window) = self.windows.get_mut(&surface) else { return };
        let Some((_, surface_size)) = &mut window.target else { return };
        if *surface_size == size {
            return;
        }
        *surface_size = size;
        window.surface_outdated = true;
        window.redraw = true;
        self.lay_border(surface);
    }

    fn overlay(&mut self, surface: SurfaceId, frame: Option<OverlayFrame>) {
        let Some(window) = self.windows.get_mut(&surface) else { return };
        match (frame, &mut window.overlay) {
            (Some(frame), overlay) => {
                let changes = overlay.get_or_insert_default().update(frame);
                self.backend.update_overlay(surface, &changes);
            }
            // The next one brings its textures along.
            (None, overlay @ Some(_)) => {
                *overlay = None;
                self.backend.forget_overlay(surface);
            }
            (None, None) => return,
        }
        window.overlay_changed = true;
        if window.overlay.is_none() {
            self.lay_border(surface);
        }
    }

    /// Makes the coloured edge of a window that has one, for the size that it has now.
    fn lay_border(&mut self, surface: SurfaceId) {
        let Some(window) = self.windows.get_mut(&surface) else { return };
        let (Some(border), Some((_, size))) = (window.border, &window.target) else { return };
        let changes = window.overlay.get_or_insert_default().set_border(border, *size);
        self.backend.update_overlay(surface, &changes);
        window.overlay_changed = true;
    }

    fn read_back(&mut self, wid: WindowId) {
        let window = self.windows.get(&SurfaceId::Remote(wid));
        let overlay = window.and_then(|w| w.overlay.as_ref());
        let size = window.and_then(|w| w.size).unwrap_or_default();
        let shown = self.options.scaling.scale.size_to_local(size);
        let most = self.bounds.windows_bytes();
        let result = if bytes(shown) > most {
            let limit = format!("a picture may have {} MiB", most >> 20);
            Err(RenderError::TooLarge { size: shown, limit })
        } else {
            self.backend.read_back(wid, overlay)
        };
        let (size, rgba) = result.unwrap_or_else(|error| {
            tracing::warn!(%wid, %error, "no pixels to read back");
            self.note_lost(error);
            (Size::default(), Vec::new())
        });
        self.app.send(AppEvent::Pixels { wid, size, rgba });
    }

    /// Logs an error and returns whether it means that the backend is lost.
    fn note_lost(&mut self, error: RenderError) -> bool {
        note_lost(error, &mut self.lost)
    }

    /// Makes a new backend; one that was chosen and does not work is not kept.
    fn recover(&mut self, why: String) -> Result<(), RenderError> {
        let before = self.before.take();
        match (self.rebuild(why), before) {
            (Err(error), Some(before)) => {
                self.options.renderer = before;
                self.rebuild(format!("the renderer that was chosen does not work: {error}"))
            }
            (result, _) => result,
        }
    }

    /// Makes a new backend with everything that is needed, and asks the server for the pixels.
    fn rebuild(&mut self, why: String) -> Result<(), RenderError> {
        self.rebuilds += 1;
        if self.rebuilds > MAX_REBUILDS {
            return Err(RenderError::DeviceLost(why));
        }
        tracing::warn!(%why, "starting the renderer again");
        self.options.lose_device_after = None;
        self.backend = open(&self.options)?;
        self.backend.set_bounds(self.bounds);
        for (&surface, window) in &mut self.windows {
            if let Some((wid, size)) = surface.remote().zip(window.size) {
                self.backend.resize(wid, size)?;
                self.reply.refresh(wid);
            }
            if let Some((target, size)) = &window.target {
                self.backend.attach(surface, Arc::clone(target), *size)?;
            }
            if let Some(overlay) = &window.overlay {
                self.backend.update_overlay(surface, &overlay.all_textures());
            }
        }
        self.announce();
        Ok(())
    }

    /// Tells the statistics what renders, if that changed.
    fn announce(&mut self) {
        let info = self.backend.info();
        if info != self.info {
            tracing::info!(
                adapter = info.adapter,
                backend = info.backend,
                present_mode = info.present_mode,
                "renderer"
            );
            self.info = info.clone();
            self.reply.renderer(info);
        }
    }
}

fn paint_result(result: Result<(), RenderError>, lost: &mut Option<String>) -> Result<(), DrawOutcome> {
    result.map_err(|error| {
        let message = error.to_string();
        note_lost(error, lost);
        DrawOutcome::Error { message }
    })
}

fn note_lost(error: RenderError, lost: &mut Option<String>) -> bool {
    match error {
        RenderError::DeviceLost(why) => {
            *lost = Some(why);
            true
        }
        error => {
            tracing::warn!(%error, "rendering failed");
            false
        }
    }
}
