//! Layer 2: one thread that owns every window's picture and shows it.
//!
//! [`thread`] is the loop: it takes what is queued, paints all of it into the windows' backings,
//! acknowledges, and then presents each window whose update is complete, once. What painting and
//! presenting mean is up to a [`backend::Backend`]: `gpu` does it with wgpu, `cpu` in plain memory.
//!
//! The renderer never sees a packet or a socket, reads no statistics, and does nothing at all
//! while its queue is empty.

use std::sync::Arc;
use std::thread::JoinHandle;

use crate::channel::{AppEvent, AppSink, DrawReply, RenderCommand, RenderMessage, RenderQueue, Scaling};

mod backend;
mod border;
mod cpu;
mod damage;
mod error;
mod gpu;
mod overlay;
mod thread;
mod window;

pub use crate::channel::RendererChoice;
pub use error::RenderError;

/// The display connection that OS windows will come from, needed by wgpu's GL backend.
pub use wgpu::wgt::WgpuHasDisplayHandle as DisplayTarget;

/// How to render.
#[derive(Debug, Default)]
pub struct RenderOptions {
    pub renderer: RendererChoice,
    /// Let wgpu use its software adapter even if there is a GPU.
    pub force_software: bool,
    pub present_mode: PresentPreference,
    pub scaling: Scaling,
    /// There will be no OS windows: a completed update counts as presented.
    pub offscreen: bool,
    /// For tests: the first wgpu device is lost after so many submissions.
    pub lose_device_after: Option<u32>,
    /// The application's display connection, if there is one.
    pub display: Option<Arc<dyn DisplayTarget>>,
}

/// Whether a present may wait for the screen's refresh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PresentPreference {
    /// The newest picture as soon as possible, without tearing where the system offers that
    /// (mailbox, else immediate, else fifo).
    #[default]
    Latest,
    /// Every present waits its turn (fifo).
    Vsync,
}

/// The running thread. Dropping it ends the thread with [`RenderCommand::Shutdown`], after what was
/// queued before, and waits for that.
pub struct RenderThread {
    queue: RenderQueue,
    /// Until it was waited for.
    handle: Option<JoinHandle<()>>,
}

impl Drop for RenderThread {
    fn drop(&mut self) {
        self.queue.push(RenderMessage::Command(RenderCommand::Shutdown));
        if let Some(handle) = self.handle.take() {
            // A panic of the thread was reported as RendererFailed.
            let _ = handle.join();
        }
    }
}

/// Starts the render thread, `farpane-render`, which reads `queue` until it finds
/// [`RenderCommand::Shutdown`], and says through `reply` what becomes of draws.
///
/// No OS window is needed to start. If no adapter can be used, or the thread fails later, `app`
/// gets [`AppEvent::RendererFailed`].
///
/// # Errors
/// If the OS cannot start a thread.
pub fn spawn(
    queue: RenderQueue,
    reply: Box<dyn DrawReply>,
    app: Arc<dyn AppSink>,
    options: RenderOptions,
) -> std::io::Result<RenderThread> {
    let messages = queue.clone();
    let run = move || {
        let failed = Arc::clone(&app);
        let run = std::panic::AssertUnwindSafe(|| thread::run(messages, reply, app, options));
        match std::panic::catch_unwind(run) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => failed.send(AppEvent::RendererFailed(error.to_string())),
            Err(_) => failed.send(AppEvent::RendererFailed("the render thread panicked".into())),
        }
    };
    let handle = std::thread::Builder::new().name("farpane-render".into()).spawn(run)?;
    Ok(RenderThread { queue, handle: Some(handle) })
}
