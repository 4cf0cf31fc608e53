//! The network thread: connects, runs the connection, connects again for a 3.1 server, and says
//! once why it ended.

use crate::protocol::Dialect;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::buffers::BufferPool;
use crate::channel::{
    AppEvent, AppSink, ByteBudget, ConnectStage, DrawSink, NetCommand, NetQueue, PacketSink, SharedStats,
    clock,
};
use crate::protocol::NotXpra;
use crate::session::{
    CloseReason, ConnectionEvent, ConnectionInput, Input, LocalInfo, Peer, Secret, SessionConfig, Setup,
};

use super::connection::{Connection, End, Links};
use super::report::Report;
use super::ssh::{self, SshOptions};
use super::tls::TlsOptions;
use super::transport::{ConnectError, Transport};
use super::uri::{Endpoint, Target};

/// 3.1 servers that see a new connection while they are still closing a TLS one may read from the wrong
/// one: the new one has the file descriptor of the old.
const TLS_CLOSE_TIME: Duration = Duration::from_millis(200);

/// What the network thread needs to know.
#[derive(Clone, Debug)]
pub struct NetConfig {
    pub target: Target,
    pub session: SessionConfig,
    pub protocol: ProtocolPolicy,
    /// How to get there through ssh.
    pub ssh: SshOptions,
    /// How to check the server of an `ssl` or `wss` connection.
    pub tls: TlsOptions,
    /// How long reaching the server may take.
    pub connect_timeout: Duration,
    /// Who gets what the server sends, from its first packet on.
    pub recorder: Option<Arc<dyn PacketSink>>,
}

/// Which generation of servers to speak to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProtocolPolicy {
    /// The modern one, and the other if the server asks for it.
    #[default]
    Auto,
    Only(Dialect),
}

/// The ways between the network thread and the others.
pub struct NetLinks {
    /// What it is told.
    pub queue: NetQueue,
    /// Who learns what happens.
    pub app: Arc<dyn AppSink>,
    /// Where draws go. Dropped with the thread.
    pub draws: Box<dyn DrawSink>,
    /// What draws may take of memory between the socket and the GPU: while it is spent, the
    /// socket is not read.
    pub budget: ByteBudget,
    /// Where buffers come from.
    pub pool: BufferPool,
    /// Where statistics are published.
    pub stats: SharedStats,
}

/// The running network thread. It ends by itself when the session does. Dropping it ends the session as
/// [`ConnectionInput::Disconnect`] does, and waits for the thread: for a server that takes nothing about a second.
pub struct NetThread {
    queue: NetQueue,
    /// Until it was waited for.
    handle: Option<JoinHandle<()>>,
}

impl NetThread {
    /// Waits until the thread has ended, which is soon after [`ConnectionEvent::Closed`].
    pub fn join(mut self) {
        self.wait();
    }

    fn wait(&mut self) {
        if self.handle.take().is_some_and(|handle| handle.join().is_err()) {
            tracing::error!("the network thread panicked");
        }
    }
}

impl Drop for NetThread {
    fn drop(&mut self) {
        if self.handle.is_some() {
            self.queue.input(ConnectionInput::Disconnect);
            self.wait();
        }
    }
}

/// Starts the network thread, `farpane-net`, which alone touches the socket and owns the session.
///
/// The last event is [`ConnectionEvent::Closed`], exactly once; the statistics are complete by then.
///
/// # Errors
/// If the OS gives no thread or no event queue.
pub fn spawn(config: NetConfig, local: LocalInfo, links: NetLinks) -> std::io::Result<NetThread> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .thread_name("farpane-resolve")
        .max_blocking_threads(1)
        .build()?;
    let NetLinks { queue, app, draws, budget, pool, stats } = links;
    let report = Report::new(clock::now(), config.target.endpoint.transport_name(), stats);
    let recorder = config.recorder.clone();
    let commands = queue.clone();
    let mut links = Links { queue, app, draws, budget, pool, report, recorder, early_inputs: Vec::new() };
    let run = move || {
        let connection = AssertUnwindSafe(|| runtime.block_on(run(&config, &local, &mut links)));
        let reason = std::panic::catch_unwind(connection)
            .unwrap_or_else(|_| CloseReason::ConnectionLost("the network thread panicked".into()))
            .shown();
        tracing::info!(%reason, "the session is over");
        links.report.publish(clock::now());
        let Links { app, .. } = links;
        app.send(AppEvent::Session(ConnectionEvent::Closed(reason).into()));
        // A name that is still being looked up must not delay the end.
        runtime.shutdown_background();
    };
    let handle = std::thread::Builder::new().name("farpane-net".into()).spawn(run)?;
    Ok(NetThread { queue: commands, handle: Some(handle) })
}

async fn run(config: &NetConfig, local: &LocalInfo, links: &mut Links) -> CloseReason {
    let mut dialect = match config.protocol {
        ProtocolPolicy::Auto => Dialect::Modern,
        ProtocolPolicy::Only(dialect) => dialect,
    };
    let (asking, answers) = ssh::Asking::new(Arc::clone(&links.app), config.ssh.password.clone());
    let mut through_ssh = ThroughSsh { asking, answers };
    loop {
        let transport = match connect(config, links, &mut through_ssh).await {
            Ok(transport) => transport,
            Err(reason) => return reason,
        };
        let tls = matches!(transport, Transport::Tls(_) | Transport::WebSocketTls(_));
        let is_auto = config.protocol == ProtocolPolicy::Auto;
        let may_speak_legacy = is_auto && dialect == Dialect::Modern;
        let setup = Setup {
            config: config.session.clone(),
            peer: Peer { dialect, may_speak_legacy, link: transport.link() },
            local: local.clone(),
        };
        tracing::debug!(target = %config.target, ?dialect, "connected");
        links.app.send(AppEvent::Connecting(ConnectStage::Hello));
        match Connection::new(transport, setup, links).run().await {
            End::Closed(reason) => return reason,
            End::Needs(other) if may_speak_legacy => {
                tracing::info!(
                    packet_encoder = other.packet_encoder(),
                    "the server speaks another dialect: reconnecting"
                );
                dialect = other;
                if tls {
                    tokio::time::sleep(TLS_CLOSE_TIME).await;
                }
            }
            End::Needs(Dialect::Legacy31) => {
                return CloseReason::Protocol(
                    "the server speaks the 3.1 protocol: use --protocol auto or --protocol bencode".into(),
                );
            }
            End::Needs(_) => return CloseReason::Protocol(NotXpra::NeedsYaml.to_string()),
        }
    }
}

/// What outlives one run of ssh: who is asked, and the way of the answers.
struct ThroughSsh {
    asking: ssh::Asking,
    answers: tokio::sync::mpsc::Sender<Option<Secret>>,
}

/// Connects, and keeps an ear open for the user's wish to stop, and for answers to ssh's questions.
async fn connect(
    config: &NetConfig,
    links: &mut Links,
    through_ssh: &mut ThroughSsh,
) -> Result<Transport, CloseReason> {
    let app = Arc::clone(&links.app);
    let stage = move |stage| app.send(AppEvent::Connecting(stage));
    let ThroughSsh { asking, answers } = through_ssh;
    let connecting = async {
        match &config.target.endpoint {
            #[cfg(unix)]
            Endpoint::Ssh(at) => {
                let connected =
                    ssh::connect(&config.target, at, &config.ssh, config.connect_timeout, asking).await;
                connected.map(|stream| Transport::Ssh(Box::new(stream))).map_err(|error| error.reason())
            }
            _ => {
                let connected =
                    Transport::connect(&config.target, &config.tls, config.connect_timeout, &stage).await;
                connected.map_err(|error: ConnectError| CloseReason::ConnectFailed(error.to_string()))
            }
        }
    };
    let mut connecting = std::pin::pin!(connecting);
    loop {
        let command = tokio::select! {
            result = &mut connecting => return result,
            command = links.queue.pop() => command,
        };
        match command {
            NetCommand::Input(Input::Connection(ConnectionInput::Disconnect)) => {
                return Err(CloseReason::User);
            }
            // Nobody waits for a second answer to one question.
            NetCommand::Input(Input::Connection(ConnectionInput::Password(answer))) => {
                let _ = answers.try_send(Some(answer));
            }
            NetCommand::Input(Input::Connection(ConnectionInput::PasswordCancelled)) => {
                let _ = answers.try_send(None);
            }
            command => links.before_session(clock::now(), command),
        }
    }
}
