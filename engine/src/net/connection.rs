//! One connection, from its first byte to its last.

mod keeping;

use std::io;
use std::pin::pin;
use std::task::Context;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::sync::OwnedSemaphorePermit;

use crate::channel::{AppEvent, AppSink, DrawJob, Mailbox, NetCommand, Presented, clock};
use crate::protocol::packet::connection;
use crate::protocol::{
    ClientPacket, Dialect, Incoming, Limits, Naming, NotXpra, PacketReader, PacketWriter, Reassembler,
    RecordError, ServerPacket,
};
use crate::session::draw_ledger::MAX_DRAWS_IN_FLIGHT;
use crate::session::{
    Before, CloseReason, ConnectionEvent, DrawRequest, Input, Output, PointerInput, Prospect, Session,
    SessionEvent, Setup,
};
use crate::stats::{CopySite, DrawTrace, copies};

use super::ciphers::{self, Ciphers, KEYS_DIFFER, Made};
use super::links::{End, Ended, Links};
use super::outgoing::{Outgoing, Wrote};
use super::progress::{Progress, progress};
use super::pump::{Next, Pump, Step, charge};
use super::recording::Recording;
use super::ssh::SshError;
use super::tls::TlsError;
use super::transport::{self, Transport};

/// Packets that may wait for a server that does not read, in bytes: all but bulk data, which waits where it comes from.
const MAX_UNSENT: usize = 4 * 1024 * 1024;
/// Answers to pings are sent one by one as long as no more waits than this, in bytes.
const MAX_ECHOES: usize = 16 * 1024;
/// Commands handled before the socket gets its turn.
const MAX_COMMANDS: usize = 256;
/// How long writing the last packets may take.
const FLUSH_LIMIT: Duration = Duration::from_secs(1);
/// How long the end of a line is waited for, from a peer that sends text instead of records.
const LINE_LIMIT: Duration = Duration::from_secs(1);
/// Shorter stops of the machine are none.
const A_NAP: Duration = Duration::from_secs(2);
/// A timer that is never reached.
const NEVER: Duration = Duration::from_secs(24 * 60 * 60);

/// What the loop woke up for.
enum Wake {
    Command(NetCommand),
    /// There is room for the draw that waits first.
    Room(OwnedSemaphorePermit),
    Io(io::Result<Progress>),
    Cipher(Result<Made, tokio::task::JoinError>),
    /// The application has taken events: there is room for more.
    AppRoom,
    Timer,
}

/// The state of a connection.
pub(super) struct Connection<'a> {
    dialect: Dialect,
    transport: Transport,
    outgoing: Outgoing,
    reassembler: Reassembler,
    reader: PacketReader,
    writer: PacketWriter,
    ciphers: Ciphers,
    session: Session,
    /// Reused: empty between calls.
    outputs: Vec<Output>,
    /// Draws that wait for room in the budget, and what must stay behind them.
    pump: Pump,
    /// The newest pointer position, while it may still be replaced by a newer one.
    motion: Option<Input>,
    /// The answer to the newest ping, while the server does not take the ones before it.
    echo: Option<ClientPacket>,
    /// Its number, from 0.
    number: u32,
    /// When the server's hello was accepted.
    accepted: Option<Instant>,
    /// Something was received.
    heard: bool,
    end: Option<End>,
    recording: Recording,
    links: &'a mut Links,
}

impl<'a> Connection<'a> {
    /// A connection that has said nothing yet, the `number`th; after a lost one, whose session left something.
    pub fn new(
        transport: Transport,
        number: u32,
        (setup, before): (Setup, Option<Before>),
        links: &'a mut Links,
    ) -> Self {
        let dialect = setup.peer.dialect;
        links.report.encryption(ciphers::words(transport.encryption(), &setup));
        links.replay.iter_mut().for_each(|replay| replay.begin(dialect));
        let recording = match &before {
            None => Recording::from_the_start(links.recorder.clone()),
            Some(before) => Recording::after(clock::now(), links.recorder.clone(), dialect, before.windows()),
        };
        let session = match before {
            None => Session::new(setup),
            Some(before) => Session::after(before, setup),
        };
        let limits = Limits::BEFORE_HELLO;
        Self {
            dialect,
            transport,
            outgoing: Outgoing::default(),
            reassembler: Reassembler::new(dialect, limits, links.pool.clone()),
            reader: PacketReader::new(dialect, limits, links.pool.clone()),
            writer: PacketWriter::new(dialect),
            ciphers: Ciphers::default(),
            session,
            outputs: Vec::new(),
            pump: Pump::default(),
            motion: None,
            echo: None,
            number,
            accepted: None,
            heard: false,
            end: None,
            recording,
            links,
        }
    }

    /// Runs until the session or the connection ends. Always writes what it can before.
    pub async fn run(mut self) -> Ended {
        let now = clock::now();
        let mut slept = clock::slept();
        self.session.start(now, &mut self.outputs);
        self.dispatch(now);
        self.advance(now, None);
        let mut timer = pin!(tokio::time::sleep(NEVER));
        loop {
            self.next_bulk();
            if let Some(end) = self.end.take() {
                self.links.report.collector.clipboard(clock::now(), self.session.clipboard_totals());
                self.flush().await;
                return self.ended_with(end);
            }
            let line = self.reassembler.text_since().map(|since| since + LINE_LIMIT);
            let motion = self.motion.as_ref().filter(|_| self.outgoing.is_idle() && self.ciphers.may_send());
            let motion = motion.and_then(|_| self.session.next_motion(clock::now()));
            let deadlines = [self.session.next_timeout(), self.links.deadline(), line, motion];
            let deadline = deadlines.into_iter().flatten().min();
            let deadline = deadline.unwrap_or_else(|| clock::now() + NEVER).into();
            if timer.deadline() != deadline {
                timer.as_mut().reset(deadline);
            }
            let wanted = self.pump.wanted();
            let reassembler = if self.may_read() { Some(&mut self.reassembler) } else { None };
            let wake = tokio::select! {
                command = self.links.queue.pop() => Wake::Command(command),
                permit = self.links.budget.acquire(wanted.unwrap_or(0)), if wanted.is_some() => Wake::Room(permit),
                made = self.ciphers.made(), if self.ciphers.is_making() => Wake::Cipher(made),
                progress = progress(&mut self.transport, &mut self.outgoing, reassembler) => Wake::Io(progress),
                () = room(&*self.links.app), if is_full(&*self.links.app) => Wake::AppRoom,
                () = &mut timer => Wake::Timer,
            };
            if matches!(wake, Wake::Timer)
                && let so_far = clock::slept()
                && so_far.saturating_sub(std::mem::replace(&mut slept, so_far)) > A_NAP
            {
                tracing::info!("this machine slept");
                self.session.woke(clock::now());
            }
            self.handle(wake);
        }
    }

    /// What is left of it. Draws that wait are forgotten; windows that are gone or changed stay so.
    fn ended_with(mut self, end: End) -> Ended {
        for (wid, size) in self.pump.abandon() {
            self.links.draws.backing(wid, size.into());
        }
        let (setup, before) = self.session.leave();
        Ended { end, accepted: self.accepted, setup, before }
    }

    fn handle(&mut self, wake: Wake) {
        let now = clock::now();
        let mut room = None;
        match wake {
            Wake::Command(command) => self.commands(now, command),
            Wake::Room(permit) => room = Some(permit),
            Wake::Io(Ok(Progress::Written(wrote))) => {
                let (Wrote::Control(bytes) | Wrote::Bulk(bytes)) = wrote;
                self.links.report.collector.sent(now, bytes as u64);
                // What would make it answer waits behind that.
                if let Wrote::Bulk(_) = wrote {
                    self.session.excuse_silence(now);
                }
            }
            Wake::Io(Ok(Progress::Read(0))) => self.ended(now),
            Wake::Io(Ok(Progress::Read(bytes))) => {
                self.heard = true;
                self.session.receiving(now, &mut self.outputs);
                self.dispatch(now);
                self.links.report.collector.received(now, bytes as u64);
                self.links.report.collector.receive_ledger(now, &self.transport.take_ledger());
                self.reassembler.received(now);
                self.pump.received();
            }
            Wake::AppRoom => {}
            Wake::Cipher(made) => self.cipher(made),
            Wake::Io(Err(error)) if transport::is_fault(&error) => {
                self.fail(now, CloseReason::Protocol(error.to_string()));
            }
            Wake::Io(Err(error))
                if !self.heard && error.get_ref().is_some_and(|error| error.is::<TlsError>()) =>
            {
                self.end_with(CloseReason::ConnectFailed(error.to_string()), Prospect::Over);
            }
            Wake::Io(Err(error)) => match SshError::within(&error).filter(|_| !self.heard) {
                Some(ssh) => self.end_with(ssh.reason(), ssh.prospect()),
                None => self.lost(&error.to_string()),
            },
            Wake::Timer => {
                self.links.report.collector.clipboard(now, self.session.clipboard_totals());
                self.links.do_what_is_due(now);
                if !self.may_read() {
                    self.session.excuse_silence(now);
                }
                self.session.handle_timeout(now, &mut self.outputs);
                self.dispatch(now);
                let text = self.reassembler.text_since().filter(|since| now >= *since + LINE_LIMIT);
                if let (Some(_), Err(error)) = (text, self.reassembler.end()) {
                    self.refuse(now, error);
                }
            }
        }
        self.advance(now, room);
        self.send_newest(now);
        if self.outgoing.waiting_bytes() > MAX_UNSENT {
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
    }

    fn command(&mut self, now: Instant, command: NetCommand) {
        match command {
            NetCommand::Input(input) => self.input(now, input),
            NetCommand::DrawDone(done) => {
                self.links.report.draw_done(now, &done);
                // Who sent the draws of an earlier connection waits for nothing any more, and the numbers come again.
                if done.trace.connection == self.number {
                    self.session.handle_draw_done(&done, &mut self.outputs);
                    self.dispatch(now);
                }
            }
            NetCommand::Presented(Presented { wid, sequence, at, ledger }) => {
                self.links.report.presented(wid, sequence, at, &ledger);
            }
            NetCommand::WatchStats(watched) => self.links.report.watch(now, watched),
            NetCommand::Record(sink) => self.record(now, sink),
            NetCommand::SaveReplay(sink) => self.save_replay(now, sink),
            NetCommand::Renderer(info) => self.links.report.renderer(info),
        }
    }

    fn input(&mut self, now: Instant, input: Input) {
        // Only the newest of consecutive pointer positions counts.
        let is_motion = matches!(input, Input::Pointer(PointerInput::Moved(_)));
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

    /// Sends the newest pointer position and the answer to the newest ping, unless the server has not taken
    /// the ones before, or it would become old on its way.
    fn send_newest(&mut self, now: Instant) {
        if !self.ciphers.may_send() {
            return;
        }
        if self.outgoing.is_idle()
            && let Some(echo) = self.echo.take()
        {
            self.writer.write(&echo, self.outgoing.buffer());
        }
        if self.outgoing.is_idle()
            && self.session.next_motion(now).is_some_and(|due| due <= now)
            && let Some(motion) = self.motion.take()
        {
            self.session_input(now, motion);
        }
    }

    /// Fetches bulk data to be written when nothing else waits, and what the user did meanwhile, which goes before it.
    fn next_bulk(&mut self) {
        if !self.outgoing.is_empty() || !self.ciphers.may_send() {
            return;
        }
        if let Some(packet) = self.session.next_bulk() {
            self.outgoing.set_bulk(self.writer.write_bulk(&packet), self.writer.enciphers());
            if let Some(command) = self.links.queue.try_pop() {
                self.handle(Wake::Command(command));
            }
        }
    }

    fn session_input(&mut self, now: Instant, input: Input) {
        self.session.handle_input(now, input, &mut self.outputs);
        self.dispatch(now);
    }

    /// Hands draws to the decode pool and received packets to the session, as far as it goes now; the
    /// draw that waits first with `permit`. To be called after everything that happened: else nobody would
    /// wake up for what became possible.
    fn advance(&mut self, now: Instant, permit: Option<OwnedSemaphorePermit>) {
        let mut permit = permit;
        loop {
            let budget = &self.links.budget;
            match self.pump.next(|bytes| permit.take().or_else(|| budget.try_acquire(bytes))) {
                Next::Draw(request, permit) => {
                    self.links.draws.draw(DrawJob { request, permit });
                    self.note_queue(now);
                }
                Next::Backing { wid, size } => {
                    self.links.draws.backing(wid, size.into());
                }
                Next::Take if self.may_take() => self.take_packet(now),
                Next::Take | Next::Wait => break,
            }
        }
        self.note_queue(now);
    }

    /// Whether what a packet may bring about has a place.
    fn may_take(&self) -> bool {
        self.end.is_none()
            && self.session.draws_in_flight() < MAX_DRAWS_IN_FLIGHT
            && !is_full(&*self.links.app)
    }

    /// Whether the socket is read.
    fn may_read(&self) -> bool {
        self.ciphers.may_read() && self.pump.may_read(self.reassembler.announced()) && self.may_take()
    }

    /// Hands the next of the received packets to the session.
    fn take_packet(&mut self, now: Instant) {
        // What a packet brings about may have to come before the next one is looked at.
        let raw = match self.reassembler.next_packet() {
            Ok(Some(raw)) => raw,
            Ok(None) => return self.pump.drained(),
            Err(error) => return self.refuse(now, error),
        };
        let read = self.reader.read(raw);
        let packet = read.as_ref().ok().map(|incoming| &incoming.packet);
        let says_it_again = packet.is_some_and(|packet| self.session.will_speak_legacy(packet));
        // The recording is of the connection that follows.
        if !says_it_again {
            self.recording.record(self.dialect, &raw, packet);
            self.links.keep(now, &raw, packet, &self.session);
        }
        let deciphered = self.reassembler.has_deciphered();
        if let Some(why) = self.ciphers.objection(&read, deciphered, says_it_again) {
            return self.close(CloseReason::Authentication(why.to_owned()));
        }
        match read {
            Ok(incoming) => self.packet(now, incoming),
            Err(error) => self.fail(now, CloseReason::Protocol(error.to_string())),
        }
    }

    fn packet(&mut self, now: Instant, incoming: Incoming<ServerPacket>) {
        let Incoming { packet, arrived, wire_bytes, ledger } = incoming;
        self.links.report.collector.packet(now, packet.name());
        self.links.report.collector.receive_ledger(now, &ledger);
        // What a packet cost to decode counts as reassembly, also where others came with it.
        let mut trace = DrawTrace::new(arrived, clock::now(), wire_bytes);
        trace.connection = self.number;
        self.session.handle_packet(now, trace, packet, &mut self.outputs);
        self.dispatch(now);
    }

    /// Carries out what the session wants done.
    fn dispatch(&mut self, now: Instant) {
        let mut outputs = std::mem::take(&mut self.outputs);
        for output in outputs.drain(..) {
            match output {
                Output::Send(
                    echo @ ClientPacket::Connection(connection::ToServer::PingEcho(connection::PingEcho {
                        ..
                    })),
                ) if self.outgoing.waiting_bytes() > MAX_ECHOES => {
                    self.echo = Some(echo);
                }
                Output::Send(packet) => self.send(packet),
                Output::Decipher(spec) => self.ciphers.decipher(*spec),
                Output::Encipher(spec) => self.ciphers.encipher(*spec),
                Output::Draw(request) => self.draw(now, request),
                Output::Backing { wid, size } => self.pump.push(Step::Backing { wid, size }),
                Output::Event(event) => self.event(now, event),
                Output::Established { bounds } => {
                    self.accepted.get_or_insert(now);
                    let limits = Limits::with_max_record(bounds.packet_bytes());
                    self.reassembler.set_limits(limits);
                    self.reader.set_limits(limits);
                    self.links.draws.bounds(bounds);
                }
                Output::SpeakLegacy => {
                    self.end.get_or_insert(End::Needs(Dialect::Legacy31));
                }
                Output::Close(CloseReason::Timeout(why)) if !self.heard => {
                    self.close(CloseReason::Timeout(format!("{why} ({})", self.transport.doubt())));
                }
                Output::Close(reason) => self.close(reason),
            }
        }
        self.outputs = outputs;
    }

    /// Writes the packet, or keeps it until it can be enciphered.
    fn send(&mut self, packet: ClientPacket) {
        if let Some(packet) = self.ciphers.admit(packet, self.writer.enciphers()) {
            self.writer.write(&packet, self.outgoing.buffer());
        }
    }

    /// Takes a cipher, and sends what waited for it.
    fn cipher(&mut self, made: Result<Made, tokio::task::JoinError>) {
        match made {
            Ok(Made::Decryptor(cipher)) => self.reassembler.decipher(cipher),
            Ok(Made::Encryptor(cipher)) => {
                self.writer.encipher(cipher);
                self.ciphers.take_held().into_iter().for_each(|packet| self.send(packet));
            }
            Err(error) => self.close(CloseReason::Protocol(format!("no key could be made: {error}"))),
        }
    }

    /// A draw joins those that wait to be handed on.
    fn draw(&mut self, now: Instant, mut request: DrawRequest) {
        self.links.report.collector.draw_received(now, request.encoding.name(), request.trace.wire_bytes);
        let mut shares_buffer = self.reassembler.shares_buffer(&request.data);
        if shares_buffer && self.reassembler.is_crowded() {
            let ledger = &mut request.trace.ledger;
            let mut own = self.links.pool.take(request.data.len(), ledger);
            copies::append(ledger, CopySite::Splice, &request.data, own.vec());
            request.data = own.freeze();
            shares_buffer = false;
        }
        let charge = charge(&request, shares_buffer);
        self.pump.push(Step::Draw { request, charge });
    }

    fn note_queue(&mut self, now: Instant) {
        self.links.report.collector.queue_bytes(now, self.links.budget.used_bytes() as u64);
    }

    fn event(&mut self, now: Instant, event: SessionEvent) {
        if let SessionEvent::Connection(event) = &event {
            if let ConnectionEvent::Connected(server) = event {
                self.writer.set_naming(Naming::for_version(&server.version));
            }
            self.links.report.event(now, event);
        }
        self.links.app.send(AppEvent::Session(event));
    }

    /// The server has closed its side.
    fn ended(&mut self, now: Instant) {
        match self.reassembler.end() {
            Err(RecordError::Truncated { .. }) | Ok(()) => {
                self.lost("the server closed it without a goodbye")
            }
            Err(error) => self.refuse(now, error),
        }
    }

    /// The connection is gone, `how` says in which way.
    fn lost(&mut self, how: &str) {
        if self.session.is_stopping() {
            return self.close(CloseReason::User);
        }
        self.close(CloseReason::ConnectionLost(if self.heard {
            how.to_owned()
        } else {
            format!("{how}, before its first word ({})", self.transport.doubt())
        }));
    }

    /// What was received is no record.
    fn refuse(&mut self, now: Instant, error: RecordError) {
        match error {
            RecordError::NotXpra(NotXpra::NeedsBencode) if self.accepted.is_none() => {
                self.end.get_or_insert(End::Needs(Dialect::Legacy31));
            }
            RecordError::NotXpra(NotXpra::NeedsYaml) if self.accepted.is_none() => {
                self.end.get_or_insert(End::Needs(Dialect::Yaml));
            }
            RecordError::Padding if self.ciphers.is_unproven() => {
                self.close(CloseReason::Authentication(KEYS_DIFFER.to_owned()));
            }
            // Whatever it is, it would not understand a goodbye.
            RecordError::NotXpra(_) => self.close(CloseReason::Protocol(error.to_string())),
            error => self.fail(now, CloseReason::Protocol(error.to_string())),
        }
    }

    /// The session cannot go on: the server is told, if it still can be.
    fn fail(&mut self, now: Instant, reason: CloseReason) {
        self.session.fail(reason, &mut self.outputs);
        self.dispatch(now);
    }

    fn close(&mut self, reason: CloseReason) {
        let prospect = reason.prospect();
        self.end_with(reason, prospect);
    }

    fn end_with(&mut self, reason: CloseReason, prospect: Prospect) {
        self.end.get_or_insert(End::Closed(reason, prospect));
    }

    /// Writes what waits, for a limited time, and says goodbye to the socket.
    async fn flush(&mut self) {
        self.outgoing.forget_bulk();
        let flushing = async {
            while !self.ciphers.may_send() {
                let made = self.ciphers.made().await;
                self.cipher(made);
            }
            while !self.outgoing.is_empty() {
                let write = |cx: &mut Context<'_>| self.outgoing.poll_write(&mut self.transport, cx);
                let (Wrote::Control(bytes) | Wrote::Bulk(bytes)) = std::future::poll_fn(write).await?;
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

/// Whether the application has too many events to take.
fn is_full(app: &dyn AppSink) -> bool {
    app.mailbox().is_some_and(Mailbox::is_full)
}

/// Waits until it has taken some.
async fn room(app: &dyn AppSink) {
    if let Some(mailbox) = app.mailbox() {
        mailbox.room().await;
    }
}

/// Whether `newer` may replace the pointer position `older`: same window and buttons.
fn is_same_drag(older: &Input, newer: &Input) -> bool {
    match (older, newer) {
        (Input::Pointer(PointerInput::Moved(older)), Input::Pointer(PointerInput::Moved(newer))) => {
            (older.wid, &older.buttons, older.modifiers) == (newer.wid, &newer.buttons, newer.modifiers)
        }
        _ => false,
    }
}
