//! Layer 3: the threads behind a viewer, wired in this one place: network, decode pool, renderer.
//!
//! ```text
//! Queues::net ──► net ──DrawSink──► decode pool ──► Queues::render ──► render
//!                  ▲                                                     │
//!                  └─────────────────────DrawReply───────────────────────┘
//! ```
//!
//! Both report to the application's [`AppSink`]. [`Engine`] is all of it; where there is nothing to show it
//! has no renderer, and where there is no session it has only one.
//!
//! # The order of the end
//!
//! Whoever fills a queue ends before its reader, so that nothing is lost between them:
//!
//! 1. The **network thread**, by [`ConnectionInput::Disconnect`] behind the commands that wait: they are still sent, then a
//!    goodbye, then [`ConnectionEvent::Closed`] is the last event of the session. No other thread is needed for
//!    that: what it waits for (room for a draw, room in the mailbox, the socket) is waited for beside its queue.
//! 2. The **decode pool** is the network thread's own and ends with it, each of its threads after the draw that it
//!    is decoding. It never waits for the renderer.
//! 3. The **renderer**, by [`RenderCommand::Shutdown`] behind all that was decoded and asked of it. What it replies
//!    then has no reader and is dropped with the queue. It lets go of the OS windows.
//!
//! [`ConnectionInput::Disconnect`]: crate::session::ConnectionInput::Disconnect
//! [`ConnectionEvent::Closed`]: crate::session::ConnectionEvent::Closed
//! [`RenderCommand::Shutdown`]: crate::channel::RenderCommand::Shutdown

use std::io;
use std::sync::Arc;

use crate::buffers::BufferPool;
use crate::channel::{
    AppSink, BackingUpdate, ByteBudget, DrawJob, DrawReply, DrawSink, NetQueue, Presented, RenderQueue,
    RendererInfo, SharedStats,
};
use crate::net::{self, MOST_SHARED, NetConfig, NetLinks, NetThread};
use crate::pipeline::DecodePool;
use crate::protocol::packet::WindowId;
use crate::render::{self, RenderOptions, RenderThread};
use crate::session::{DrawDone, LocalInfo};

/// Draws between the socket and the renderer, in bytes.
pub const DRAW_BUDGET: usize = 64 << 20;

/// The ways to an engine's threads, and their statistics. Cheap to clone; they outlive the engine.
#[derive(Clone, Default)]
pub struct Queues {
    pub net: NetQueue,
    pub render: RenderQueue,
    /// Complete when the engine has stopped.
    pub stats: SharedStats,
}

/// The running threads. Dropping it [stops](Self::stop) them.
pub struct Engine {
    net: Option<NetThread>,
    render: Option<RenderThread>,
    queues: Queues,
}

impl Engine {
    /// Connects, decodes and renders. What becomes of it is told to `app`.
    ///
    /// # Errors
    /// If the OS gives no thread. Those that were started are stopped then.
    pub fn start(
        config: NetConfig,
        local: LocalInfo,
        options: RenderOptions,
        app: Arc<dyn AppSink>,
    ) -> io::Result<Self> {
        Self::start_through((config, local), options, app, |decoders| Box::new(decoders))
    }

    /// The same, but draws go to what `through` makes, which is to hand them on to the decode pool.
    ///
    /// # Errors
    /// If the OS gives no thread. Those that were started are stopped then.
    pub fn start_through(
        (config, local): (NetConfig, LocalInfo),
        options: RenderOptions,
        app: Arc<dyn AppSink>,
        through: impl FnOnce(DecodePool) -> Box<dyn DrawSink>,
    ) -> io::Result<Self> {
        let mut engine = Self::idle();
        engine.render(options, Arc::clone(&app), Box::new(engine.queues.net.clone()))?;
        // What is kept for a while is missing among the buffers that are used again.
        let kept = config.replay.map_or(0, |replay| replay.bytes.min(MOST_SHARED));
        let pool = BufferPool::with_room_for(kept);
        let decoders = engine.decoders(&pool)?;
        let confinement = decoders.confinement().words();
        engine.connect((config, local), app, (through(decoders), confinement), pool)?;
        Ok(engine)
    }

    /// Only connects: nothing is decoded or rendered, and draws stay unacknowledged.
    ///
    /// # Errors
    /// If the OS gives no thread.
    pub fn without_renderer(config: NetConfig, local: LocalInfo, app: Arc<dyn AppSink>) -> io::Result<Self> {
        let mut engine = Self::idle();
        engine.connect((config, local), app, (Box::new(NoDraws), ""), BufferPool::default())?;
        Ok(engine)
    }

    /// Only renders what is put into its queue: `reply` learns what becomes of it, [`NoReply`] if nobody
    /// has to.
    ///
    /// # Errors
    /// If the OS gives no thread.
    pub fn without_session(
        options: RenderOptions,
        app: Arc<dyn AppSink>,
        reply: Box<dyn DrawReply>,
    ) -> io::Result<Self> {
        let mut engine = Self::idle();
        engine.render(options, app, reply)?;
        Ok(engine)
    }

    /// The ways to the threads. What is put into the queue of one that the engine does not have is never
    /// read.
    pub fn queues(&self) -> &Queues {
        &self.queues
    }

    /// Whether there is a renderer.
    pub fn renders(&self) -> bool {
        self.render.is_some()
    }

    /// Decode threads that commit to this engine's renderer, for whoever has draws without a session.
    ///
    /// # Errors
    /// If the OS gives no thread.
    pub fn decoders(&self, pool: &BufferPool) -> io::Result<DecodePool> {
        DecodePool::new(pool, self.queues.render.clone())
    }

    /// Ends the session and all threads, in the order that is described [above](self), and waits for them: about
    /// a second for a server that takes nothing. Does nothing if that was done.
    pub fn stop(&mut self) {
        self.net = None;
        self.render = None;
    }

    fn idle() -> Self {
        Self { net: None, render: None, queues: Queues::default() }
    }

    fn render(
        &mut self,
        options: RenderOptions,
        app: Arc<dyn AppSink>,
        reply: Box<dyn DrawReply>,
    ) -> io::Result<()> {
        self.render = Some(render::spawn(self.queues.render.clone(), reply, app, options)?);
        Ok(())
    }

    fn connect(
        &mut self,
        (config, local): (NetConfig, LocalInfo),
        app: Arc<dyn AppSink>,
        (draws, decoders): (Box<dyn DrawSink>, &'static str),
        pool: BufferPool,
    ) -> io::Result<()> {
        let Queues { net: queue, stats, .. } = self.queues.clone();
        let budget = ByteBudget::new(DRAW_BUDGET);
        self.net =
            Some(net::spawn(config, local, NetLinks { queue, app, draws, decoders, budget, pool, stats })?);
        Ok(())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Nobody who has to know what becomes of draws.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoReply;

impl DrawReply for NoReply {
    fn done(&mut self, _draw: DrawDone) {}
    fn presented(&mut self, _present: Presented) {}
    fn refresh(&mut self, _wid: WindowId) {}
    fn renderer(&mut self, _info: RendererInfo) {}
}

/// Where draws go when nothing is rendered.
struct NoDraws;

impl DrawSink for NoDraws {
    fn backing(&mut self, _wid: WindowId, _update: BackingUpdate) {}
    fn draw(&mut self, _job: DrawJob) {}
}
