//! Base of layer 2: every message that crosses a thread, the byte-bounded budget, the doorbell, and
//! how server pixels become local ones.
//!
//! ```text
//! net ──RenderItem (through the decode pool, in order per window)──► render
//! net ──AppEvent──► app            app ──NetCommand──► net ◄──DrawReply── render
//! app ──RenderCommand──► render    render ──AppEvent──► app
//! ```

mod border;
pub mod clock;
pub mod mailbox;
pub mod messages;
pub mod queue;
mod render_queue;
pub mod scaling;
mod surface;
mod video;

pub use border::Border;
pub use mailbox::Mailbox;
pub use messages::{
    AppEvent, AppSink, BackingUpdate, ConnectStage, DecodedDraw, DrawContent, DrawJob, DrawReply, DrawSink,
    NetCommand, OverlayFrame, PacketSink, Presented, RenderCommand, RenderItem, RenderMessage,
    RendererChoice, RendererInfo, WindowTarget,
};
pub use queue::{AsyncQueue, ByteBudget, Queue};
pub use render_queue::RenderQueue;
pub use scaling::{DesktopScaling, Scale, Scaling, ScalingFilter};
pub use surface::{OwnId, SurfaceId};
pub use video::{VideoFrame, VideoReturn};

/// To the network task.
pub type NetQueue = AsyncQueue<NetCommand>;

/// The newest statistics: written by the network task, read by the overlay and at exit.
pub type SharedStats = std::sync::Arc<std::sync::Mutex<std::sync::Arc<crate::stats::StatsSnapshot>>>;
