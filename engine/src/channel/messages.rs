//! Every enum that crosses a thread.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use raw_window_handle::{HasDisplayHandle, HasWindowHandle};
use tokio::sync::OwnedSemaphorePermit;

use super::{Border, Mailbox, NetQueue, Scaling, SurfaceId, VideoFrame};
use crate::codec::{Coded, CompressedPixels, Picture};
use crate::geometry::{Rect, Size};
use crate::protocol::packet::draw::{DrawOutcome, Encoding, ScrollRect};
use crate::protocol::packet::{DrawSequence, WindowId};
use crate::protocol::reassembly::RawPacket;
use crate::protocol::{Bounds, Dialect};
use crate::session::{DrawDone, DrawInput, DrawRequest, Input, SessionEvent};
use crate::stats::{CopyLedger, DrawTrace};

/// A draw on its way to a decode thread. The permit holds its share of the byte budget until the
/// draw was uploaded: dropping it lets the socket be read on.
#[derive(Debug)]
pub struct DrawJob {
    pub request: DrawRequest,
    pub permit: OwnedSemaphorePermit,
}

impl<'a> From<&'a DrawRequest> for Coded<'a> {
    /// What a decoder needs of it.
    fn from(request: &'a DrawRequest) -> Self {
        let DrawRequest { encoding, ref data, rect, rowstride, ref options, .. } = *request;
        let size = Size { width: rect.width, height: rect.height };
        Self { encoding, data, size, rowstride, options }
    }
}

/// What the pipeline hands to the render thread, in order per window.
#[derive(Debug)]
pub enum RenderItem {
    Backing { wid: WindowId, update: BackingUpdate },
    Draw(DecodedDraw),
}

/// A change of a window's backing (its picture of the remote window).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackingUpdate {
    /// Makes the backing, black, or resizes it, keeping the top left part.
    Resize(Size),
    Destroy,
}

impl From<Option<Size>> for BackingUpdate {
    /// A size, or `None` of a window that is gone.
    fn from(size: Option<Size>) -> Self {
        size.map_or(Self::Destroy, Self::Resize)
    }
}

/// A draw after decoding.
#[derive(Debug)]
pub struct DecodedDraw {
    pub wid: WindowId,
    pub sequence: DrawSequence,
    pub rect: Rect,
    pub encoding: Encoding,
    pub content: DrawContent,
    /// Draws of the same update that follow; 0: present now.
    pub flush: u32,
    pub trace: DrawTrace,
    pub permit: Option<OwnedSemaphorePermit>,
}

/// Takes draws from the network task to the decode pool. Calls never block.
pub trait DrawSink: Send {
    /// A window's backing changes, in order with its draws.
    fn backing(&mut self, wid: WindowId, update: BackingUpdate);
    /// Decode and show a draw.
    fn draw(&mut self, job: DrawJob);
    /// What windows and decoders may take of memory from now on.
    fn bounds(&mut self, _bounds: Bounds) {}
}

/// Takes what becomes of draws, from the render thread to whoever they came from: the network task,
/// or nobody. Calls never block.
pub trait DrawReply: Send {
    /// A draw was handed to the GPU, or cannot be: the one answer to it.
    fn done(&mut self, draw: DrawDone);
    /// A window of the session was presented.
    fn presented(&mut self, present: Presented);
    /// A window's pixels are lost: they are to be sent again.
    fn refresh(&mut self, wid: WindowId);
    /// What renders from now on.
    fn renderer(&mut self, info: RendererInfo);
}

/// A window was presented.
#[derive(Debug)]
pub struct Presented {
    pub wid: WindowId,
    /// The last draw of the newest update that became visible with it, `None` for an expose or a
    /// new picture of the overlay.
    pub sequence: Option<DrawSequence>,
    pub at: Instant,
    /// Copies made for it that belong to no single draw.
    pub ledger: CopyLedger,
}

/// Takes packets as they came from the server, besides the session. Calls may block for a disk.
pub trait PacketSink: Send + Sync + std::fmt::Debug {
    /// The next packet.
    fn packet(&self, dialect: Dialect, packet: &RawPacket<'_>);

    /// There will be no more.
    fn end(&self) {}
}

/// Everything that the render thread waits for.
pub enum RenderMessage {
    Item(RenderItem),
    Command(RenderCommand),
}

/// What is to be painted.
#[derive(Debug)]
pub enum DrawContent {
    /// A picture, scaled to the draw's rectangle if its size differs.
    Picture(Picture),
    /// The same, still compressed: only if [`super::RenderQueue::unpacks`].
    Compressed(CompressedPixels),
    /// The same, still in the decoder.
    Video(VideoFrame),
    Scroll(Vec<ScrollRect>),
    /// Nothing to paint: acknowledged with this outcome, in order.
    Nothing(DrawOutcome),
}

/// To the network task.
#[derive(Debug)]
pub enum NetCommand {
    Input(Input),
    DrawDone(DrawDone),
    Presented(Presented),
    /// Whether anybody looks at them: only then are statistics published several times a second.
    WatchStats(bool),
    /// Gives all packets to this one too from now on, beginning with what is needed to make sense of them; or to
    /// nobody any more.
    Record(Option<Arc<dyn PacketSink>>),
    /// Gives what came lately to this one, and then tells it the [end](PacketSink::end).
    SaveReplay(Arc<dyn PacketSink>),
    /// What renders: adapter name, backend, present mode. For statistics.
    Renderer(RendererInfo),
}

impl NetQueue {
    /// Tells the session something.
    pub fn input(&self, input: impl Into<Input>) {
        self.push(NetCommand::Input(input.into()));
    }
}

impl DrawReply for NetQueue {
    fn done(&mut self, draw: DrawDone) {
        self.push(NetCommand::DrawDone(draw));
    }

    fn presented(&mut self, present: Presented) {
        self.push(NetCommand::Presented(present));
    }

    fn refresh(&mut self, wid: WindowId) {
        self.input(DrawInput::Refresh { wid });
    }

    fn renderer(&mut self, info: RendererInfo) {
        self.push(NetCommand::Renderer(info));
    }
}

/// What draws the pixels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RendererInfo {
    /// For example `llvmpipe (LLVM 15.0.6, 256 bits)`.
    pub adapter: String,
    /// For example `vulkan`.
    pub backend: String,
    /// For example `mailbox`.
    pub present_mode: String,
    /// The adapter is a CPU.
    pub software: bool,
}

/// How far connecting has come, in this order; what a kind of connection does not need is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectStage {
    /// The host's addresses are looked up.
    Resolving { host: String },
    /// A connection to this address or socket is asked for.
    Reaching { at: String },
    /// A proxy is asked for a connection to the server.
    Proxying { proxy: String, to: String },
    /// TLS: keys are agreed on and the certificate is checked.
    Securing,
    /// WebSocket: the web server is asked to let Xpra through.
    Upgrading,
    /// A session is started on this machine.
    Starting,
    /// ssh is logging in, and finds xpra there.
    LoggingIn {
        host: String,
        /// A session is started there.
        starts: bool,
    },
    /// ssh, or a program behind it, said this line.
    SshSays { line: String },
    /// The other side is asked whether it speaks Xpra, and accepts us.
    Hello,
}

/// To the application's event loop.
#[derive(Debug)]
pub enum AppEvent {
    Connecting(ConnectStage),
    Session(SessionEvent),
    /// The renderer cannot go on.
    RendererFailed(String),
    /// The first present of a window happened.
    FirstPaint {
        wid: WindowId,
    },
    /// Pixels asked for by [`RenderCommand::ReadBack`].
    Pixels {
        wid: WindowId,
        size: Size,
        rgba: Vec<u8>,
    },
}

/// Where [`AppEvent`]s go: winit's proxy as a doorbell over a mailbox, or the mailbox alone in headless
/// runs. Implementations must not block.
pub trait AppSink: Send + Sync {
    /// Queues the event and wakes the receiver.
    fn send(&self, event: AppEvent);

    /// Where events wait, if they do: while it is full, no packet is taken that could cause more.
    fn mailbox(&self) -> Option<&Mailbox> {
        None
    }
}

/// An OS window that a surface can be made for.
pub trait WindowTarget: HasWindowHandle + HasDisplayHandle + Send + Sync {}

impl<T: HasWindowHandle + HasDisplayHandle + Send + Sync> WindowTarget for T {}

/// What paints and presents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RendererChoice {
    /// A GPU by wgpu; where there is none, the CPU, which is faster than a GPU made of software.
    #[default]
    Auto,
    /// wgpu, if need be on a software adapter.
    Wgpu,
    /// Plain memory.
    Cpu,
}

/// From the application to the render thread. Each OS window has a surface of its own; pixels are there of
/// remote windows only.
pub enum RenderCommand {
    /// Show this window, or nothing but overlays, in an OS window of `size` physical pixels.
    Attach {
        surface: SurfaceId,
        target: Arc<dyn WindowTarget>,
        size: Size,
        /// Set as soon as the window system took the window away: presenting to it may end the connection.
        dismissed: Option<Arc<AtomicBool>>,
    },
    /// The OS window has another size now.
    SurfaceResized {
        surface: SurfaceId,
        size: Size,
    },
    /// The OS window is (not) visible: nothing is presented while it is not.
    Visible {
        surface: SurfaceId,
        visible: bool,
    },
    /// The OS asks for the content again (expose).
    Redraw {
        surface: SurfaceId,
    },
    /// The OS window goes away. The target is dropped before the answer to `done`.
    Detach {
        surface: SurfaceId,
    },
    /// Draw this over the window from now on, or nothing: then the next frame is the first one of its context.
    Overlay {
        surface: SurfaceId,
        frame: Option<OverlayFrame>,
    },
    /// The window has a coloured edge from now on, which covers what is there of its content.
    Border {
        surface: SurfaceId,
        border: Border,
    },
    /// Sends what the window shows, overlay included, in local pixels, as [`AppEvent::Pixels`] (after
    /// the draws that came before).
    ReadBack {
        wid: WindowId,
    },
    /// Render with something else from now on; the server is asked for the pixels again.
    Renderer(RendererChoice),
    /// Show all windows in this size and way from now on.
    Scaling(Scaling),
    /// What all windows together may take of memory from now on.
    Bounds(Bounds),
    Shutdown,
}

/// One picture of the overlay, in egui's terms.
///
/// Each window has an egui context of its own: texture ids are per window. Every frame that the
/// context makes must be sent, because its texture deltas build on those before.
pub struct OverlayFrame {
    pub textures_delta: egui::TexturesDelta,
    pub primitives: Vec<egui::ClippedPrimitive>,
    pub pixels_per_point: f32,
}

impl Drop for OverlayFrame {
    /// egui's debug builds panic when texture changes are dropped that nobody applied; here that
    /// only means that the window went away first. Take the changes with `std::mem::take`.
    fn drop(&mut self) {
        self.textures_delta.clear();
    }
}
