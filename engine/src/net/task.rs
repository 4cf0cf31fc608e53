//! The network thread: connects, runs the connection, connects again for a 3.1 server and when the connection is lost,
//! and says once why it ended.

use crate::protocol::Dialect;
use std::ops::ControlFlow;
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
    Away, Before, CloseReason, ConnectionEvent, ConnectionInput, Fingerprint, Input, LocalInfo, Peer,
    Prospect, Secret, SessionConfig, Setup,
};

use super::connection::Connection;
use super::links::{End, Links};
use super::network_change::NetworkChanges;
use super::proxy::Proxy;
use super::replay::{Replay, ReplayBounds};
use super::report::Report;
use super::retry::RetryPlan;
use super::rival;
use super::several;
use super::ssh::{self, SshOptions};
#[cfg(unix)]
use super::start;
use super::tls::{TlsError, TlsOptions};
use super::transport::{ConnectError, Transport};
use super::trust;
use super::uri::{Endpoint, Target};
use super::wanted::Wanted;

/// 3.1 servers that see a new connection while they are still closing a TLS one may read from the wrong
/// one: the new one has the file descriptor of the old.
const TLS_CLOSE_TIME: Duration = Duration::from_millis(200);

/// Passwords that are asked for, for one question of a login, before the server's refusal is the end.
const MAX_TRIES: u32 = 3;

/// What is said in place of the server's goodbye.
const REPLACED: &str = "another viewer took the session over";

/// Turns of tasks in the background before the end: QUIC tells the server in one that nobody waits for it any more.
const LAST_TURNS: usize = 4;

/// What the network thread needs to know.
#[derive(Clone, Debug)]
pub struct NetConfig {
    pub target: Target,
    /// What is wanted there.
    pub wanted: Wanted,
    pub session: SessionConfig,
    pub protocol: ProtocolPolicy,
    /// How to get there through ssh.
    pub ssh: SshOptions,
    /// How to check the server of an `ssl` or `wss` connection.
    pub tls: TlsOptions,
    /// What is between this machine and a server on a network.
    pub proxy: Option<Proxy>,
    /// How long reaching the server may take.
    pub connect_timeout: Duration,
    /// Who gets what the server sends, from its first packet on.
    pub recorder: Option<Arc<dyn PacketSink>>,
    /// How much of what came lately is kept, to be saved by [`NetCommand::SaveReplay`].
    pub replay: Option<ReplayBounds>,
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
    /// What the decoders there may do, in words for statistics; empty: there are none.
    pub decoders: &'static str,
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
    let NetLinks { queue, app, draws, decoders, budget, pool, stats } = links;
    let report = Report::new(clock::now(), config.target.endpoint.transport_name(), decoders, stats);
    let recorder = config.recorder.clone();
    let commands = queue.clone();
    let replay = config.replay.map(Replay::new);
    let mut links = Links { queue, app, draws, budget, pool, report, recorder, replay };
    let run = move || {
        let running = async {
            let reason = run(&config, &local, &mut links).await;
            // What still closes a connection in the background has its turn.
            for _ in 0..LAST_TURNS {
                tokio::task::yield_now().await;
            }
            reason
        };
        let connection = AssertUnwindSafe(|| runtime.block_on(running));
        let reason = std::panic::catch_unwind(connection)
            .unwrap_or_else(|_| CloseReason::ConnectionLost("the network thread panicked".into()))
            .shown();
        tracing::info!(%reason, "the session is over");
        links.report.publish(clock::now());
        links.replay.iter_mut().for_each(Replay::finish);
        let Links { app, .. } = links;
        app.send(AppEvent::Session(ConnectionEvent::Closed(reason).into()));
        // A name that is still being looked up must not delay the end.
        runtime.shutdown_background();
    };
    let handle = std::thread::Builder::new().name("farpane-net".into()).spawn(run)?;
    Ok(NetThread { queue: commands, handle: Some(handle) })
}

/// What lasts over all connections of a session.
struct Course {
    dialect: Dialect,
    /// Connections so far.
    connections: u32,
    setup: Setup,
    /// Of the connection that was lost; `None`: no server has accepted us yet.
    before: Option<Before>,
    plan: RetryPlan,
    /// The display of the session that was started on this machine.
    started: Option<String>,
    through_ssh: ThroughSsh,
    /// The certificate that the user trusts in this session, without or with a file's memory.
    trusted: Option<Fingerprint>,
    /// Passwords that were asked for and not right, before the server accepted us.
    tries: u32,
}

/// Runs the session over as many connections as it takes.
async fn run(config: &NetConfig, local: &LocalInfo, links: &mut Links) -> CloseReason {
    let dialect = match config.protocol {
        ProtocolPolicy::Auto => Dialect::Modern,
        ProtocolPolicy::Only(dialect) => dialect,
    };
    let (asking, answers) = ssh::Asking::new(Arc::clone(&links.app), config.ssh.password.clone());
    let mut course = Course {
        dialect,
        connections: 0,
        setup: Setup { config: config.session.clone(), peer: Peer::default(), local: local.clone() },
        before: None,
        plan: RetryPlan::default(),
        started: None,
        through_ssh: ThroughSsh { asking, answers },
        trusted: config.tls.trusted,
        tries: 0,
    };
    loop {
        let (reason, mut prospect) = attempt(config, &mut course, links).await;
        if reason.is_replaced() && course.plan.is_own_doing(clock::now()) {
            prospect = Prospect::Again;
        }
        if prospect == Prospect::Over || course.before.is_none() || !config.session.reconnect {
            return reason;
        }
        let reason = reason.shown();
        tracing::info!(%reason, "the connection is lost: connecting again");
        if let ControlFlow::Break(reason) = wait(&reason, &mut course, links).await {
            return reason;
        }
    }
}

/// Connects once, with the other generation if it has to be, and runs the connection. Returns how it ended, and what
/// is to be expected after that.
async fn attempt(config: &NetConfig, course: &mut Course, links: &mut Links) -> (CloseReason, Prospect) {
    // Perhaps another client has the session by now: while we were away, or its goodbye to us was lost.
    if course.before.is_some()
        && rival::can_be_asked_about(config)
        && let Err(ended) = look_for_rival(config, course, links).await
    {
        return ended;
    }
    loop {
        let transport = match connect(config, course, links).await {
            Ok(transport) => transport,
            Err(failed) => return failed,
        };
        let tls = transport.is_tls();
        let is_auto = config.protocol == ProtocolPolicy::Auto;
        let may_speak_legacy = is_auto && course.dialect == Dialect::Modern;
        course.setup.peer = Peer { dialect: course.dialect, may_speak_legacy, link: transport.link() };
        tracing::debug!(target = %config.target, dialect = ?course.dialect, "connected");
        if course.before.is_none() {
            links.app.send(AppEvent::Connecting(ConnectStage::Hello));
        }
        let begins_with = (std::mem::take(&mut course.setup), course.before.take());
        let connection = Connection::new(transport, course.connections, begins_with, links);
        course.connections = course.connections.wrapping_add(1);
        let ended = connection.run().await;
        (course.setup, course.before) = (ended.setup, ended.before);
        // One that speaks another dialect takes nobody for a client.
        if course.before.is_some() && ended.accepted.is_none() && matches!(ended.end, End::Closed(..)) {
            course.plan.gave_up();
        }
        ended.accepted.into_iter().for_each(|at| course.plan.accepted(at));
        if tls && (course.dialect == Dialect::Legacy31 || matches!(ended.end, End::Needs(_))) {
            tokio::time::sleep(TLS_CLOSE_TIME).await;
        }
        match ended.end {
            End::Closed(CloseReason::SeveralSessions(displays), _) if displays.is_empty() => {
                course.setup.config.display_name = Some(String::new());
            }
            End::Closed(CloseReason::SeveralSessions(displays), _)
                if course.setup.local.may_prompt && course.before.is_none() =>
            {
                match several::ask(displays, links, &mut course.setup).await {
                    Ok(display) => course.setup.config.display_name = Some(display),
                    Err(reason) => return (reason, Prospect::Over),
                }
            }
            End::Closed(CloseReason::SeveralSessions(displays), prospect) => {
                return (several::refusal(&config.target, &displays), prospect);
            }
            End::Closed(CloseReason::PasswordRefused { why, number, was_asked }, prospect) => {
                let may_ask = course.setup.local.may_prompt && course.before.is_none();
                if may_ask {
                    let refused = ConnectionEvent::PasswordRefused { number, why: why.clone() };
                    links.app.send(AppEvent::Session(refused.into()));
                }
                course.tries += u32::from(was_asked);
                if !may_ask || course.tries >= MAX_TRIES {
                    return (CloseReason::Authentication(why), prospect);
                }
            }
            End::Closed(reason, prospect) => return (reason, prospect),
            End::Needs(other) if may_speak_legacy => {
                tracing::info!(
                    packet_encoder = other.packet_encoder(),
                    "the server speaks another dialect: reconnecting"
                );
                course.dialect = other;
            }
            End::Needs(Dialect::Legacy31) => {
                let words = "the server speaks the 3.1 protocol: use --protocol auto or --protocol bencode";
                return (CloseReason::Protocol(words.into()), Prospect::Over);
            }
            End::Needs(_) => {
                return (CloseReason::Protocol(NotXpra::NeedsYaml.to_string()), Prospect::Over);
            }
        }
    }
}

/// What outlives one run of ssh: who is asked, and the way of the answers.
struct ThroughSsh {
    asking: ssh::Asking,
    answers: tokio::sync::mpsc::Sender<Option<Secret>>,
}

/// Why there is no connection.
enum NotThere {
    Failed(Box<ConnectError>),
    Over(CloseReason, Prospect),
}

impl From<(CloseReason, Prospect)> for NotThere {
    fn from((reason, prospect): (CloseReason, Prospect)) -> Self {
        Self::Over(reason, prospect)
    }
}

/// Connects; once more if the user then trusts the server's certificate.
async fn connect(
    config: &NetConfig,
    course: &mut Course,
    links: &mut Links,
) -> Result<Transport, (CloseReason, Prospect)> {
    loop {
        let error = match reach(config, course, links).await {
            Ok(transport) => return Ok(transport),
            Err(NotThere::Over(reason, prospect)) => return Err((reason, prospect)),
            Err(NotThere::Failed(error)) => error,
        };
        // A session that was accepted is not asked about again: then another certificate is one that is refused.
        let may_ask = config.tls.ask && course.setup.local.may_prompt && course.before.is_none();
        if let ConnectError::Tls(TlsError::Untrusted { question, .. }) = &*error
            && let Some(at) = config.target.endpoint.tls().filter(|_| may_ask)
        {
            let asked = trust::ask(question, at, config.tls.known.as_ref(), links, &mut course.setup).await;
            course.trusted = Some(asked.map_err(|reason| (reason, Prospect::Over))?);
            continue;
        }
        let words = error.to_string();
        let reason = match &*error {
            ConnectError::Tls(TlsError::Changed { .. }) => CloseReason::CertificateChanged(words),
            _ => CloseReason::ConnectFailed(words),
        };
        return Err((reason, error.prospect()));
    }
}

/// Connects, and keeps an ear open for the user's wish to stop, and for answers to ssh's questions.
async fn reach(config: &NetConfig, course: &mut Course, links: &mut Links) -> Result<Transport, NotThere> {
    let app = Arc::clone(&links.app);
    let is_first = course.before.is_none();
    let stage = move |stage| {
        if is_first {
            app.send(AppEvent::Connecting(stage));
        }
    };
    let target = &config.target;
    let tls = TlsOptions { trusted: course.trusted, ..config.tls.clone() };
    let Course { through_ssh: ThroughSsh { asking, answers }, setup, started: begun, .. } = course;
    let connecting = async {
        match &target.endpoint {
            #[cfg(unix)]
            Endpoint::Ssh(at) => {
                let how = (&config.ssh, &config.wanted);
                let connected = ssh::connect(target, at, how, config.connect_timeout, asking).await;
                connected
                    .map(|stream| Transport::Ssh(Box::new(stream)))
                    .map_err(|error| NotThere::Over(error.reason(), error.prospect()))
            }
            _ => {
                let target = &started(config, begun, &stage).await?;
                let (proxy, limit) = (config.proxy.as_ref(), config.connect_timeout);
                let connected = Transport::connect(target, &tls, proxy, limit, &stage).await;
                connected.map_err(|error| NotThere::Failed(Box::new(error)))
            }
        }
    };
    attended(connecting, answers, setup, links).await?
}

/// The target, of a session that was started now if one of this machine is wanted that was not yet.
#[cfg(unix)]
async fn started(
    config: &NetConfig,
    begun: &mut Option<String>,
    stage: &dyn Fn(ConnectStage),
) -> Result<Target, (CloseReason, Prospect)> {
    let mut target = config.target.clone();
    if let (Wanted::New { command, arguments }, Endpoint::Display(display)) =
        (&config.wanted, &mut target.endpoint)
    {
        if begun.is_none() {
            stage(ConnectStage::Starting);
            let wished = Some(display.as_str()).filter(|display| !display.is_empty());
            let started = start::here(command, arguments, wished).await;
            *begun = Some(
                started.map_err(|error| (CloseReason::ConnectFailed(error.to_string()), Prospect::Over))?,
            );
        }
        if let Some(begun) = begun {
            display.clone_from(begun);
        }
    }
    Ok(target)
}

/// Sessions are started on Unix only.
#[cfg(not(unix))]
async fn started(
    config: &NetConfig,
    _begun: &mut Option<String>,
    _stage: &dyn Fn(ConnectStage),
) -> Result<Target, (CloseReason, Prospect)> {
    match config.wanted {
        Wanted::Running => Ok(config.target.clone()),
        Wanted::New { .. } => {
            let words = "sessions are started on Unix systems, or through ssh";
            Err((CloseReason::ConnectFailed(words.to_owned()), Prospect::Over))
        }
    }
}

/// Ends if another client has taken this one's place, as far as the server says: connecting again would throw it out.
async fn look_for_rival(
    config: &NetConfig,
    course: &mut Course,
    links: &mut Links,
) -> Result<(), (CloseReason, Prospect)> {
    let transport = connect(config, course, links).await?;
    course.setup.peer.link = transport.link();
    let is_tls = transport.is_tls();
    let (asker, pool) = (course.setup.clone(), links.pool.clone());
    let Course { through_ssh: ThroughSsh { answers, .. }, setup, .. } = course;
    let answer = attended(rival::ask(transport, &asker, &pool), answers, setup, links).await?;
    links.report.collector.sent(clock::now(), answer.sent);
    links.report.collector.received(clock::now(), answer.received);
    if answer.has_rival {
        return Err((CloseReason::Server(REPLACED.into()), Prospect::Over));
    }
    if is_tls && setup.peer.dialect == Dialect::Legacy31 {
        tokio::time::sleep(TLS_CLOSE_TIME).await;
    }
    Ok(())
}

/// What `work` comes to, unless the user wants to stop before.
async fn attended<T>(
    work: impl Future<Output = T>,
    answers: &tokio::sync::mpsc::Sender<Option<Secret>>,
    setup: &mut Setup,
    links: &mut Links,
) -> Result<T, (CloseReason, Prospect)> {
    let mut work = std::pin::pin!(work);
    loop {
        let command = tokio::select! {
            result = &mut work => return Ok(result),
            command = links.queue.pop() => command,
        };
        match command {
            NetCommand::Input(Input::Connection(ConnectionInput::Disconnect)) => {
                return Err((CloseReason::User, Prospect::Over));
            }
            // Nobody waits for a second answer to one question.
            NetCommand::Input(Input::Connection(ConnectionInput::Password(answer))) => {
                let _ = answers.try_send(Some(answer));
            }
            NetCommand::Input(Input::Connection(ConnectionInput::PasswordCancelled)) => {
                let _ = answers.try_send(None);
            }
            command => links.without_session(clock::now(), command, setup),
        }
    }
}

/// Waits for the time to try again, and says so. Breaks if the user has enough of it.
async fn wait(why: &CloseReason, course: &mut Course, links: &mut Links) -> ControlFlow<CloseReason> {
    let app = Arc::clone(&links.app);
    let say = |until| {
        let away = Away { why: why.to_string(), until };
        app.send(AppEvent::Session(ConnectionEvent::Away(away).into()));
    };
    let mut due = course.plan.lost(clock::now());
    say(Some(due));
    let mut changes = NetworkChanges::watch();
    let changed = async |changes: &mut Option<NetworkChanges>| match changes {
        Some(changes) => changes.next().await,
        None => std::future::pending().await,
    };
    loop {
        let command = tokio::select! {
            () = tokio::time::sleep_until(due.into()) => break,
            () = changed(&mut changes) => {
                tracing::debug!("the network changed");
                due = course.plan.network_changed(clock::now());
                continue;
            }
            command = links.queue.pop() => command,
        };
        match command {
            NetCommand::Input(Input::Connection(ConnectionInput::Disconnect)) => {
                return ControlFlow::Break(CloseReason::User);
            }
            NetCommand::Input(Input::Connection(ConnectionInput::TryNow)) => break,
            command => links.without_session(clock::now(), command, &mut course.setup),
        }
    }
    course.plan.tries(clock::now());
    say(None);
    ControlFlow::Continue(())
}
