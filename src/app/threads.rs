//! The other threads: started when the display is known, joined in order at the end.

use std::sync::Arc;

use anyhow::Context as _;

use crate::buffers::BufferPool;
use crate::channel::{
    AppSink, ByteBudget, NetCommand, NetQueue, RenderCommand, RenderMessage, RenderQueue, SharedStats,
};
use crate::config::DRAW_BUDGET;
use crate::net::{self, NetConfig, NetThread};
use crate::pipeline::DecodePool;
use crate::render::{self, RenderOptions, RenderThread};
use crate::session::Input;

/// The queues between the threads. Cheap to clone.
#[derive(Clone, Default)]
pub struct Queues {
    pub net: NetQueue,
    pub render: RenderQueue,
    pub stats: SharedStats,
}

/// The running threads.
pub struct Threads {
    net: NetThread,
    render: RenderThread,
}

impl Threads {
    /// Starts rendering, decoding and the connection.
    ///
    /// # Errors
    /// If the OS gives no thread.
    pub fn start(
        net: NetConfig,
        options: RenderOptions,
        queues: &Queues,
        app: Arc<dyn AppSink>,
    ) -> anyhow::Result<Self> {
        let pool = BufferPool::default();
        let render = render::spawn(queues.render.clone(), queues.net.clone(), Arc::clone(&app), options)
            .context("cannot start the render thread")?;
        let decoders =
            DecodePool::new(&pool, queues.render.clone()).context("cannot start the decode threads")?;
        let net = net::spawn(
            net,
            queues.net.clone(),
            app,
            Box::new(decoders),
            ByteBudget::new(DRAW_BUDGET),
            pool,
            Arc::clone(&queues.stats),
        )
        .context("cannot start the network thread")?;
        Ok(Self { net, render })
    }

    /// Ends all threads and waits for them: the connection first, which also ends the decode
    /// threads, then the renderer, which lets go of the windows.
    pub fn stop(self, queues: &Queues) {
        queues.net.push(NetCommand::Input(Input::Disconnect));
        self.net.join();
        queues.render.push(RenderMessage::Command(RenderCommand::Shutdown));
        self.render.join();
    }
}
