//! One connection, from its first byte to its last.

use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::OwnedSemaphorePermit;

use crate::buffers::BufferPool;
use crate::channel::{
    AppEvent, AppSink, BackingUpdate, ByteBudget, DrawJob, DrawSink, NetCommand, NetQueue, PacketSink, clock,
};
use crate::codec::Size;
use crate::protocol::packet::WindowId;
use crate::protocol::{
    Dialect, Incoming, Limits, NotXpra, PacketReader, PacketWriter, Reassembler, RecordError, ServerPacket,
    Spelling,
};
use crate::session::{
    CloseReason, DrawRequest, Generation, Input, Output, Session, SessionConfig, SessionEvent,
};
use crate::stats::DrawTrace;

use super::outgoing::Outgoing;
use super::recording::Recording;
use super::report::Report;
use super::transport::Transport;

/// Packets that may wait for a server that does not read, in bytes.
const MAX_UNSENT: usize = 4 * 1024 * 1024;
/// Commands handled before the socket gets its turn.
const MAX_COMMANDS: usize = 256;
/// Inputs kept for a second connection.
const MAX_EARLY_INPUTS: usize = 64;
/// How long writing the last packets may take.
const FLUSH_LIMIT: Duration = Duration::from_secs(1);
/// A timer that is never reached.
const NEVER: Duration = Duration::from_secs(24 * 60 * 60);

/// What outlives a connection: the ways to the other threads, and what they said so far.
pub(super) struct Links {
    pub queue: NetQueue,
    pub app: Arc<dyn AppSink>,
    pub draws: Box<dyn DrawSink>,
    pub budget: ByteBudget,
    pub pool: BufferPool,
    pub report: Report,
    /// Who gets all packets of the connections from now on.
    pub recorder: Option<Arc<dyn PacketSink>>,
    /// What came before the server accepted us, for the connection after this one.
    pub early_inputs: Vec<Input>,
}

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    Closed(CloseReason),
    /// The server is a 3.1 one.
    NeedsBencode,
}

/// What is handed to the decode pool in order.
enum Step {
    Draw(DrawRequest),
    Backing { wid: WindowId, size: Option<Size> },
}

/// What the loop woke up for.
enum Wake {
    Command(NetCommand),
    /// There is room for the first pending draw.
    Room(OwnedSemaphorePermit),
    Io(io::Result<Progress>),
    Timer,
}

/// What reading or writing achieved.
enum Progress {
    /// 0: the server has closed its side.
    Read(usize),
    Written(usize),
}

/// The state of a connection.
pub(super) struct Connection<'a> {
    dialect: Dialect,
    transport: Transport,
    outgoing: Outgoing,
    reassembler: Reassembler,
    reader: PacketReader,
    writer: PacketWriter,
    session: Session,
    /// Reused: empty between calls.
    outputs: Vec<Output>,
    /// Draws that wait for room in the budget, and what must stay behind them. While there are
    /// any, no packet is taken and the socket is not read.
    pending: VecDeque<Step>,
    /// The newest pointer position, while it may still be replaced by a newer one.
    motion: Option<Input>,
    /// All received packets were taken.
    drained: bool,
    /// The server's hello was accepted.
    established: bool,
    /// Something was received.
    heard: bool,
    end: Option<End>,
    recording: Recording,
    links: &'a mut Links,
}

impl Links {
    /// Takes a command that came while there is no session.
    pub fn before_session(&mut self, now: Instant, command: NetCommand) {
        match command {
            NetCommand::Input(input) => self.keep_early(input),
            NetCommand::WatchStats(watched) => self.report.watch(now, watched),
            NetCommand::Record(sink) => self.recorder = sink,
            NetCommand::Renderer(info) => self.report.renderer(info),
            NetCommand::DrawDone(_) | NetCommand::Presented { .. } => {}
        }
    }

    /// Keeps an input for the next connection.
    fn keep_early(&mut self, input: Input) {
        // A password answers the one challenge that it was typed for.
        if self.early_inputs.len() < MAX_EARLY_INPUTS && !matches!(input, Input::Password(_)) {
            self.early_inputs.push(input);
        }
    }
}

impl<'a> Connection<'a> {
    /// A connection that has said nothing yet.
    pub fn new(transport: Transport, session: SessionConfig, links: &'a mut Links) -> Self {
        let dialect = match session.generation {
            Generation::Modern => Dialect::Modern,
            Generation::Legacy31 => Dialect::Legacy31,
        };
        let limits = Limits::BEFORE_HELLO;
        links.report.encryption(transport.encryption());
        Self {
            dialect,
            transport,
            outgoing: Outgoing::default(),
            reassembler: Reassembler::new(dialect, limits, links.pool.clone()),
            reader: PacketReader::new(dialect, limits, links.pool.clone()),
            writer: PacketWriter::new(dialect),
            session: Session::new(session),
            outputs: Vec::new(),
            pending: VecDeque::new(),
            motion: None,
            drained: true,
            established: false,
            heard: false,
            end: None,
            recording: Recording::from_the_start(links.recorder.clone()),
            links,
        }
    }

    /// Runs until the session or the connection ends. Always writes what it can before.
    pub async fn run(mut self) -> End {
        let now = clock::now();
        self.session.start(now, &mut self.outputs);
        self.dispatch(now);
        for input in self.links.early_inputs.clone() {
            self.session.handle_input(now, input, &mut self.outputs);
            self.dispatch(now);
        }
        let mut timer = pin!(tokio::time::sleep(NEVER));
        loop {
            if let Some(end) = self.end.take() {
                self.flush().await;
                return end;
            }
            let deadline =
                [self.session.next_timeout(), self.links.report.deadline()].into_iter().flatten().min();
            let deadline = deadline.unwrap_or_else(|| clock::now() + NEVER).into();
            if timer.deadline() != deadline {
                timer.as_mut().reset(deadline);
            }
            let wanted = self.pending.front().map(Step::budget_bytes);
            let reading = self.drained && self.pending.is_empty();
            let reassembler = reading.then_some(&mut self.reassembler);
            let wake = tokio::select! {
                command = self.links.queue.pop() => Wake::Command(command),
                permit = self.links.budget.acquire(wanted.unwrap_or(0)), if wanted.is_some() => Wake::Room(permit),
                progress = progress(&mut self.transport, &mut self.outgoing, reassembler) => Wake::Io(progress),
                () = &mut timer => Wake::Timer,
            };
            self.handle(wake);
        }
    }

    fn handle(&mut self, wake: Wake) {
        let now = clock::now();
        match wake {
            Wake::Command(command) => self.commands(now, command),
            Wake::Room(permit) => {
                self.pass_on(now, Some(permit));
                self.take_packets(now);
            }
            Wake::Io(Ok(Progress::Written(bytes))) => {
                self.links.report.collector.sent(now, bytes as u64);
                self.send_motion(now);
            }
            Wake::Io(Ok(Progress::Read(0))) => self.ended(),
            Wake::Io(Ok(Progress::Read(bytes))) => {
                self.heard = true;
                self.links.report.collector.received(now, bytes as u64);
                self.links.report.collector.receive_ledger(now, &self.transport.take_ledger());
                self.reassembler.received(now);
                self.drained = false;
                self.take_packets(now);
            }
            Wake::Io(Err(error)) => self.lost(&error.to_string()),
            Wake::Timer => {
                self.links.report.publish_if_due(now);
                self.session.handle_timeout(now, &mut self.outputs);
                self.dispatch(now);
            }
        }
        if self.outgoing.len() > MAX_UNSENT {
            self.outgoing.discard();
            self.close(CloseReason::Timeout(format!(
                "the server takes no packets any more ({} MiB wait)",
                MAX_UNSENT >> 20
            )));
        }
    }

    /// Handles `first` and the commands that are waiting behind it.
    fn commands(&mut self, now: Instant, first: NetCommand) {
        self.command(now, first);
        for _ in 1..MAX_COMMANDS {
            let Some(command) = self.links.queue.try_pop() else { break };
            self.command(now, command);
        }
        self.send_motion(now);
    }

    fn command(&mut self, now: Instant, command: NetCommand) {
        match command {
            NetCommand::Input(input) => self.input(now, input),
            NetCommand::DrawDone(done) => {
                self.links.report.draw_done(now, &done);
                self.session.handle_draw_done(now, &done, &mut self.outputs);
                self.dispatch(now);
            }
            NetCommand::Presented { wid, sequence, at, ledger } => {
                self.links.report.presented(wid, sequence, at, &ledger);
            }
            NetCommand::WatchStats(watched) => self.links.report.watch(now, watched),
            NetCommand::Record(None) => self.recording = Recording::default(),
            NetCommand::Record(Some(sink)) => {
                self.recording = Recording::from_now(now, sink, self.dialect, &self.session.opening());
                // Servers begin their videos anew then.
                let windows: Vec<_> = self.recording.windows().collect();
                for wid in windows {
                    self.session_input(now, Input::RefreshWindow { wid });
                }
            }
            NetCommand::Renderer(info) => self.links.report.renderer(info),
        }
    }

    fn input(&mut self, now: Instant, input: Input) {
        if !self.established {
            self.links.keep_early(input.clone());
        }
        // Only the newest of consecutive pointer positions counts.
        let is_motion = matches!(input, Input::PointerMoved { .. });
        match self.motion.take() {
            Some(older) if !(is_motion && is_same_drag(&older, &input)) => self.session_input(now, older),
            _ => {}
        }
        if is_motion {
            self.motion = Some(input);
        } else {
            self.session_input(now, input);
        }
    }

    /// Sends the newest pointer position, unless the server has not taken the ones before it.
    fn send_motion(&mut self, now: Instant) {
        if self.outgoing.is_empty()
            && let Some(motion) = self.motion.take()
        {
            self.session_input(now, motion);
        }
    }

    fn session_input(&mut self, now: Instant, input: Input) {
        self.session.handle_input(now, input, &mut self.outputs);
        self.dispatch(now);
    }

    /// Hands received packets to the session until a draw has to wait.
    fn take_packets(&mut self, now: Instant) {
        while self.pending.is_empty() && self.end.is_none() {
            // What a packet brings about may have to come before the next one is looked at.
            let read = self.reassembler.packets(|raw| {
                let read = self.reader.read(raw);
                self.recording.record(
                    self.dialect,
                    &raw,
                    read.as_ref().ok().map(|incoming| &incoming.packet),
                );
                ControlFlow::Break(read)
            });
            match read {
                Ok(Some(Ok(incoming))) => self.packet(now, incoming),
                Ok(Some(Err(error))) => return self.close(CloseReason::Protocol(error.to_string())),
                Ok(None) => {
                    self.drained = true;
                    return;
                }
                Err(error) => return self.refuse(error),
            }
        }
    }

    fn packet(&mut self, now: Instant, incoming: Incoming<ServerPacket>) {
        let Incoming { packet, arrived, wire_bytes, ledger } = incoming;
        self.links.report.collector.packet(now, packet.name());
        self.links.report.collector.receive_ledger(now, &ledger);
        // What a packet cost to decode counts as reassembly, also where others came with it.
        let trace = DrawTrace::new(arrived, clock::now(), wire_bytes);
        self.session.handle_packet(now, trace, packet, &mut self.outputs);
        self.dispatch(now);
    }

    /// Carries out what the session wants done.
    fn dispatch(&mut self, now: Instant) {
        let mut outputs = std::mem::take(&mut self.outputs);
        for output in outputs.drain(..) {
            match output {
                Output::Send(packet) => self.writer.write(&packet, self.outgoing.buffer()),
                Output::Draw(request) => {
                    let (encoding, wire_bytes) = (request.encoding.name(), request.trace.wire_bytes);
                    self.links.report.collector.draw_received(now, encoding, wire_bytes);
                    self.pending.push_back(Step::Draw(request));
                }
                Output::Backing { wid, size } => self.pending.push_back(Step::Backing { wid, size }),
                Output::Event(event) => self.event(now, event),
                Output::Established { bounds } => {
                    self.established = true;
                    self.links.early_inputs.clear();
                    let limits = Limits::with_max_record(bounds.packet_bytes());
                    self.reassembler.set_limits(limits);
                    self.reader.set_limits(limits);
                    self.links.draws.bounds(bounds);
                }
                Output::Close(CloseReason::Timeout(why)) if !self.heard => {
                    self.close(CloseReason::Timeout(format!("{why} (is this an Xpra port?)")));
                }
                Output::Close(reason) => self.close(reason),
            }
        }
        self.outputs = outputs;
        self.pass_on(now, None);
    }

    fn event(&mut self, now: Instant, event: SessionEvent) {
        if let SessionEvent::Connected(server) = &event {
            self.writer.set_spelling(Spelling::for_version(&server.version));
        }
        self.links.report.event(now, &event);
        self.links.app.send(AppEvent::Session(event));
    }

    /// Hands pending steps to the decode pool, the first draw with `permit`, as far as there is
    /// room in the budget.
    fn pass_on(&mut self, now: Instant, mut permit: Option<OwnedSemaphorePermit>) {
        while let Some(step) = self.pending.pop_front() {
            match step {
                Step::Backing { wid, size } => {
                    let update = size.map_or(BackingUpdate::Destroy, BackingUpdate::Resize);
                    self.links.draws.backing(wid, update);
                }
                Step::Draw(request) => {
                    let bytes = budget_bytes(&request);
                    let Some(permit) = permit.take().or_else(|| self.links.budget.try_acquire(bytes)) else {
                        self.pending.push_front(Step::Draw(request));
                        break;
                    };
                    self.links.draws.draw(DrawJob { request, permit });
                }
            }
        }
        self.links.report.collector.queue_bytes(now, self.links.budget.used_bytes() as u64);
    }

    /// The server has closed its side.
    fn ended(&mut self) {
        match self.reassembler.end() {
            Err(RecordError::Truncated { .. }) | Ok(()) => {
                self.lost("the server closed it without a goodbye")
            }
            Err(error) => self.refuse(error),
        }
    }

    /// The connection is gone, `how` says in which way.
    fn lost(&mut self, how: &str) {
        self.close(CloseReason::ConnectionLost(if self.heard {
            how.to_owned()
        } else {
            format!("{how}, before its first word (is this an Xpra port? one with TLS needs ssl://)")
        }));
    }

    /// What was received is no record.
    fn refuse(&mut self, error: RecordError) {
        match error {
            RecordError::NotXpra(NotXpra::NeedsBencode) if !self.established => {
                self.end.get_or_insert(End::NeedsBencode);
            }
            error => self.close(CloseReason::Protocol(error.to_string())),
        }
    }

    fn close(&mut self, reason: CloseReason) {
        self.end.get_or_insert(End::Closed(reason));
    }

    /// Writes what waits, for a limited time, and says goodbye to the socket.
    async fn flush(&mut self) {
        let flushing = async {
            loop {
                let unsent = self.outgoing.unsent();
                if unsent.is_empty() {
                    break;
                }
                self.transport.write_all(unsent).await?;
                let bytes = unsent.len();
                self.outgoing.sent(bytes);
                self.links.report.collector.sent(clock::now(), bytes as u64);
            }
            self.transport.shutdown().await
        };
        match tokio::time::timeout(FLUSH_LIMIT, flushing).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "the last packets were not written"),
            Err(_) => tracing::debug!("the server did not take the last packets in time"),
        }
    }
}

impl Step {
    /// Bytes of the budget that it takes.
    fn budget_bytes(&self) -> usize {
        match self {
            Self::Draw(request) => budget_bytes(request),
            Self::Backing { .. } => 0,
        }
    }
}

/// What a draw may hold of memory between here and the GPU: its packet's buffer or its pixels,
/// whichever is more.
fn budget_bytes(request: &DrawRequest) -> usize {
    let pixels = u64::from(request.rect.width) * u64::from(request.rect.height);
    let decoded = usize::try_from(pixels.saturating_mul(4)).unwrap_or(usize::MAX);
    decoded.max(request.data.retained_bytes())
}

/// Whether `newer` may replace the pointer position `older`: same window and buttons.
fn is_same_drag(older: &Input, newer: &Input) -> bool {
    match (older, newer) {
        (
            Input::PointerMoved { wid, buttons, modifiers, .. },
            Input::PointerMoved { wid: wid2, buttons: buttons2, modifiers: modifiers2, .. },
        ) => wid == wid2 && buttons == buttons2 && modifiers == modifiers2,
        _ => false,
    }
}

/// Writes some of `outgoing`, or reads into `reassembler`'s buffer, whichever is possible first.
/// Cancel-safe: what was not reported did not happen.
///
/// After a failed write only reading goes on: the server's reason may still be on its way.
async fn progress(
    transport: &mut Transport,
    outgoing: &mut Outgoing,
    mut reassembler: Option<&mut Reassembler>,
) -> io::Result<Progress> {
    std::future::poll_fn(|cx| {
        let unsent = outgoing.unsent();
        if unsent.is_empty() {
            // A TLS or WebSocket layer may hold what the socket did not take. Whether that goes
            // well shows when reading.
            let _ = Pin::new(&mut *transport).poll_flush(cx);
        } else {
            match Pin::new(&mut *transport).poll_write(cx, unsent) {
                Poll::Ready(Ok(bytes)) if bytes > 0 => {
                    outgoing.sent(bytes);
                    return Poll::Ready(Ok(Progress::Written(bytes)));
                }
                Poll::Ready(result) => {
                    tracing::debug!(?result, "writing failed");
                    outgoing.discard();
                }
                Poll::Pending => {}
            }
        }
        match &mut reassembler {
            Some(reassembler) => {
                let mut space = reassembler.buffer();
                pin!(transport.read_buf(&mut space)).poll(cx).map_ok(Progress::Read)
            }
            None => Poll::Pending,
        }
    })
    .await
}
