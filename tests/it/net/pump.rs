//! Nothing stops the flow of draws for good: the pump against a model of what surrounds it, and the real
//! network task against a server that sends whatever comes to mind.

use std::collections::{HashMap, VecDeque};
use std::io::Write as _;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use farpane::buffers::Payload;
use farpane::channel::{ByteBudget, DrawJob, NetCommand, clock};
use farpane::geometry::{Rect, Size};
use farpane::net::pump::{Charge, MAX_ASIDE, MAX_ASIDE_BYTES, Next, Pump, Step, charge};
use farpane::protocol::packet::connection;
use farpane::protocol::packet::draw::{self, DrawOptions, DrawOutcome, Encoding, WindowDraw};
use farpane::protocol::packet::window;
use farpane::protocol::packet::{ClientPacket, Dict, DrawSequence, ServerPacket, WindowId};
use farpane::session::{CloseReason, ConnectionInput, DrawDone, DrawRequest, WindowInput, WindowState};
use farpane::stats::DrawTrace;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::sync::OwnedSemaphorePermit;

use super::server::{Server, window};
use super::task::{Client, LIMIT, Step as Handed, tcp_server};

const MIB: usize = 1 << 20;

// ---- the pump alone ----------------------------------------------------------------------------

/// What a packet, or a command, makes of itself.
#[derive(Clone, Debug)]
enum Made {
    /// A draw that takes so many bytes, and came in a part of them.
    Draw(usize, usize),
    Backing,
}

#[derive(Clone, Debug)]
enum Act {
    /// The server sends packets, and the socket delivers them in one read if it is read.
    Arrive(Vec<Vec<Made>>),
    /// A command, or a timer.
    Command(Vec<Made>),
    /// The consumer is done with the draw that it has had the longest, or with another one.
    Done(prop::sample::Index),
    /// The budget has room for what waits, and the task wakes up for it.
    Room,
}

/// What surrounds the pump: a socket, the budget, a consumer that holds draws.
struct World {
    pump: Pump,
    budget: ByteBudget,
    /// Sent, not received.
    socket: VecDeque<Vec<Vec<Made>>>,
    /// Received, not taken.
    packets: VecDeque<Vec<Made>>,
    held: Vec<(u64, OwnedSemaphorePermit)>,
    /// Draws that were made and not handed on: their numbers, and the bytes that they came in.
    aside: VecDeque<(u64, usize)>,
    /// What was made and what was handed on, numbered in order: draws and backings alike.
    made: u64,
    handed: u64,
}

impl World {
    fn new(budget: usize) -> Self {
        Self {
            pump: Pump::default(),
            budget: ByteBudget::new(budget),
            socket: VecDeque::new(),
            packets: VecDeque::new(),
            held: Vec::new(),
            aside: VecDeque::new(),
            made: 0,
            handed: 0,
        }
    }

    fn make(&mut self, made: &[Made]) {
        for made in made {
            let number = self.made;
            self.made += 1;
            self.pump.push(match made {
                Made::Draw(budget, part) => {
                    let charge = Charge { received: budget / part, budget: *budget };
                    self.aside.push_back((number, charge.received));
                    Step::Draw { request: request(number), charge }
                }
                Made::Backing => Step::Backing { wid: WindowId(number + 1), size: None },
            });
        }
    }

    /// What the network task does after everything that happens.
    fn advance(&mut self, permit: Option<OwnedSemaphorePermit>) {
        let mut permit = permit;
        loop {
            let budget = &self.budget;
            match self.pump.next(|bytes| permit.take().or_else(|| budget.try_acquire(bytes))) {
                Next::Draw(request, permit) => {
                    assert_eq!(request.sequence.0, self.handed, "out of order");
                    self.handed += 1;
                    self.held.push((request.sequence.0, permit));
                    assert_eq!(self.aside.pop_front().map(|(number, _)| number), Some(request.sequence.0));
                }
                Next::Backing { wid, .. } => {
                    assert_eq!(wid.0 - 1, self.handed, "out of order");
                    self.handed += 1;
                }
                Next::Take => match self.packets.pop_front() {
                    Some(packet) => self.make(&packet),
                    None => self.pump.drained(),
                },
                Next::Wait => break,
            }
        }
        assert!(permit.is_none(), "a permit that was waited for is used");
        while self.pump.may_read(0) {
            let Some(read) = self.socket.pop_front() else { break };
            self.packets.extend(read);
            self.pump.received();
            self.advance(None);
        }
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Arrive(packets) => self.socket.push_back(packets.clone()),
            Act::Command(made) => self.make(made),
            Act::Done(which) if !self.held.is_empty() => {
                drop(self.held.swap_remove(which.index(self.held.len())));
            }
            Act::Done(_) => {}
            Act::Room => {
                let permit = self.pump.wanted().and_then(|bytes| self.budget.try_acquire(bytes));
                return self.advance(permit);
            }
        }
        self.advance(None);
        self.check();
    }

    /// Something is waited for that will come.
    fn check(&self) {
        let used = self.budget.used_bytes();
        assert_eq!(used > 0, !self.held.is_empty(), "{used} bytes are in use by {} draws", self.held.len());
        match self.pump.wanted() {
            // Room comes when a draw is done.
            Some(bytes) => assert!(!self.held.is_empty(), "waits for {bytes} bytes that nobody has"),
            None => assert!(self.pump.may_read(0), "neither waits for room nor reads"),
        }
        // Whatever waits, others are taken, until there is no place for one more.
        let waiting = usize::try_from(self.made - self.handed).expect("a few");
        let received: usize = self.aside.iter().map(|(_, bytes)| bytes).sum();
        let is_crowded = waiting > 0 && (waiting >= MAX_ASIDE || received > MAX_ASIDE_BYTES);
        let is_all_taken = self.packets.is_empty() && self.socket.is_empty();
        assert!(is_crowded || is_all_taken, "{waiting} wait with {received} bytes, and nothing is taken");
        // Only the packet that filled it, and what commands made, is beyond the bounds.
        let before_last: usize = received - self.aside.back().map_or(0, |(_, bytes)| *bytes);
        let a_packet = 4 * 64 * MIB;
        assert!(before_last <= MAX_ASIDE_BYTES + a_packet, "{received} bytes wait");
        let beyond = MAX_ASIDE_BYTES.saturating_sub(received) + 1;
        assert!(waiting == 0 || !self.pump.may_read(beyond), "a large record is received while draws wait");
    }

    /// The consumer goes on until nothing is left.
    fn finish(&mut self) {
        while !self.held.is_empty() {
            drop(self.held.remove(0));
            self.advance(None);
            self.check();
        }
        assert_eq!(
            (self.handed, self.socket.len(), self.packets.len()),
            (self.made, 0, 0),
            "all went through"
        );
        assert_eq!(self.budget.used_bytes(), 0, "the budget is whole again");
        assert!(self.pump.may_read(0));
    }
}

fn request(number: u64) -> DrawRequest {
    let (encoding, now) = (Encoding::Rgb32, clock::now());
    DrawRequest {
        wid: WindowId(1),
        sequence: DrawSequence(number),
        rect: Rect { x: 0, y: 0, width: 1, height: 1 },
        encoding,
        data: Payload::default(),
        rowstride: 4,
        options: DrawOptions::default(),
        trace: DrawTrace::new(now, now, 0),
    }
}

fn made() -> impl Strategy<Value = Vec<Made>> {
    let draw = prop_oneof![1_usize..4096, 4096..2 * MIB, 2 * MIB..=64 * MIB];
    let part = prop_oneof![Just(1_usize), Just(10_usize), Just(1000_usize)];
    let draw = (draw, part).prop_map(|(budget, part)| Made::Draw(budget, part));
    prop::collection::vec(prop_oneof![4 => draw, 1 => Just(Made::Backing)], 0..4)
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => prop::collection::vec(made(), 1..20).prop_map(Act::Arrive),
        1 => prop::collection::vec(Just(Made::Backing), 0..3).prop_map(Act::Command),
        6 => any::<prop::sample::Index>().prop_map(Act::Done),
        2 => Just(Act::Room),
    ]
}

proptest! {
    #![proptest_config(Config::with_cases(400))]

    #[test]
    fn whatever_comes_the_pump_goes_on(
        acts in prop::collection::vec(act(), 1..200),
        budget in prop_oneof![Just(64 * MIB), 1024..4 * MIB],
    ) {
        let mut world = World::new(budget);
        for act in &acts {
            world.act(act);
        }
        world.finish();
    }
}

#[test]
fn a_draw_pays_for_what_it_holds() {
    let data = |len: usize| DrawRequest { data: Payload::from(vec![0; len]), ..request(1) };
    let both = |bytes: usize| Charge { received: bytes, budget: bytes };
    assert_eq!(charge(&data(3000), true), both(3000));
    let whole = data(128 << 10);
    let part = DrawRequest { data: whole.data.slice(10..60).expect("a part"), ..request(1) };
    assert_eq!(charge(&part, true), both(50), "among others: its own bytes");
    assert_eq!(charge(&part, false), both(128 << 10), "alone: the buffer");
    let rect = Rect { x: 0, y: 0, width: 1920, height: 1080 };
    assert_eq!(
        charge(&DrawRequest { rect, ..data(5) }, true),
        Charge { received: 5, budget: 1920 * 1080 * 4 }
    );
}

// ---- the network task --------------------------------------------------------------------------

/// What the server sends, one after the other.
#[derive(Clone, Debug)]
enum Sent {
    Draw {
        wid: u64,
        encoding: Encoding,
        len: usize,
        width: u32,
        height: u32,
    },
    Resize {
        wid: u64,
        side: u32,
    },
    /// The window is destroyed and made again.
    Again {
        wid: u64,
    },
    Title {
        wid: u64,
    },
    Ping,
}

/// Windows that exist; draws come for one more.
const WINDOWS: u64 = 3;

fn sent() -> impl Strategy<Value = Sent> {
    const ENCODINGS: [Encoding; 6] =
        [Encoding::Rgb32, Encoding::Jpeg, Encoding::H264, Encoding::Scroll, Encoding::Void, Encoding::Other];
    let wid = || 1..=WINDOWS;
    let len = prop_oneof![6 => 1_usize..300, 3 => 300_usize..20_000, 1 => 20_000_usize..2 * MIB];
    let side = || prop_oneof![6 => 1_u32..64, 2 => 64_u32..1024, 1 => Just(4096_u32)];
    prop_oneof![
        12 => (1..=WINDOWS + 1, prop::sample::select(&ENCODINGS[..]), len, side(), side()).prop_map(
            |(wid, encoding, len, width, height)| Sent::Draw { wid, encoding, len, width, height }
        ),
        1 => (wid(), 1_u32..500).prop_map(|(wid, side)| Sent::Resize { wid, side }),
        1 => wid().prop_map(|wid| Sent::Again { wid }),
        1 => wid().prop_map(|wid| Sent::Title { wid }),
        1 => Just(Sent::Ping),
    ]
}

fn packets(sent: &[Sent]) -> (Vec<ServerPacket>, HashMap<(u64, u64), usize>) {
    let mut packets: Vec<ServerPacket> = (1..=WINDOWS).map(window).collect();
    let mut draws = HashMap::new();
    for (number, sent) in (1_u64..).zip(sent) {
        match *sent {
            Sent::Draw { wid, encoding, len, width, height } => {
                *draws.entry((wid, number)).or_default() += 1;
                packets.push(ServerPacket::Draw(draw::FromServer::Draw(WindowDraw {
                    wid: WindowId(wid),
                    x: 0,
                    y: 0,
                    width,
                    height,
                    encoding,
                    data: Payload::from(vec![7; len]),
                    sequence: DrawSequence(number),
                    rowstride: 0,
                    options: DrawOptions::default(),
                })));
            }
            Sent::Resize { wid, side } => packets.push(ServerPacket::Window(window::FromServer::Resized {
                wid: WindowId(wid),
                width: side,
                height: side,
                resize_counter: number,
            })),
            Sent::Again { wid } => {
                packets.push(ServerPacket::Window(window::FromServer::Destroy { wid: WindowId(wid) }));
                packets.push(window(wid));
            }
            Sent::Title { wid } => {
                let mut metadata = Dict::default();
                metadata.push("title", format!("title {number}").as_str());
                packets.push(ServerPacket::Window(window::FromServer::Metadata {
                    wid: WindowId(wid),
                    metadata,
                }));
            }
            Sent::Ping => packets.push(ServerPacket::Connection(connection::FromServer::Ping {
                monotonic_ms: number,
                sid: None,
            })),
        }
    }
    (packets, draws)
}

/// A server that sends all of `packets` while it counts the acknowledgements, until it has as many as there are
/// draws. Says so by `finished`, and stays until the client leaves.
pub fn serve(
    mut server: Server<TcpStream>,
    packets: &[ServerPacket],
    draws: usize,
    finished: &AtomicBool,
) -> HashMap<(u64, u64), usize> {
    server.accept();
    let mut bytes = Vec::new();
    for packet in packets {
        bytes.extend(server.bytes(packet));
    }
    let mut writing = server.stream.try_clone().expect("a second handle");
    server.stream.set_read_timeout(Some(LIMIT)).expect("a timeout");
    let writer = std::thread::Builder::new().name("server writes".into());
    let writer = writer.spawn(move || writing.write_all(&bytes)).expect("a thread");
    let mut acknowledged: HashMap<(u64, u64), usize> = HashMap::new();
    let mut count = 0;
    while count < draws {
        let Some(packet) = server.next() else { break };
        if let ClientPacket::Draw(draw::ToServer::Ack(ack)) = packet {
            *acknowledged.entry((ack.wid.0, ack.sequence.0)).or_default() += 1;
            count += 1;
        }
    }
    if count < draws {
        // So that the writer ends.
        let _ = server.stream.shutdown(std::net::Shutdown::Both);
    } else {
        // One that comes twice comes now.
        server.send(&ServerPacket::Connection(connection::FromServer::Ping {
            monotonic_ms: u64::MAX >> 1,
            sid: None,
        }));
        while let Some(packet) = server.next() {
            match packet {
                ClientPacket::Draw(draw::ToServer::Ack(ack)) => {
                    *acknowledged.entry((ack.wid.0, ack.sequence.0)).or_default() += 1
                }
                ClientPacket::Connection(connection::ToServer::PingEcho(connection::PingEcho {
                    monotonic_ms,
                    ..
                })) if monotonic_ms == u64::MAX >> 1 => break,
                _ => {}
            }
        }
    }
    let _ = writer.join().expect("no panic");
    finished.store(true, Ordering::Release);
    while server.next().is_some() {}
    acknowledged
}

/// The end of a draw, one way or another.
pub fn done(job: &DrawJob, number: usize) -> DrawDone {
    let DrawRequest { wid, sequence, rect, encoding, trace, .. } = &job.request;
    let outcome = match number % 3 {
        0 => DrawOutcome::Presented { decode_us: 5 },
        1 => DrawOutcome::Skipped,
        _ => DrawOutcome::Error { message: "no picture".into() },
    };
    let size = Size { width: rect.width, height: rect.height };
    DrawDone { wid: *wid, sequence: *sequence, size, encoding: *encoding, outcome, trace: *trace }
}

/// Sends all of it through a network task with this budget, to a consumer that holds up to `holds` draws; commands
/// come all the time. Every draw is acknowledged once, and the budget is whole at the end.
fn flow(sent: &[Sent], budget: usize, holds: usize) {
    let (packets, draws) = packets(sent);
    let count = draws.values().sum();
    let finished = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&finished);
    let (url, server) = tcp_server(move |server| {
        let acknowledged = serve(server, &packets, count, &told);
        assert_eq!(acknowledged, draws, "each draw is acknowledged once");
    });
    let budget = ByteBudget::new(budget);
    let client = Client::with_budget(&url, budget.clone());
    client.queue.push(NetCommand::WatchStats(true));
    let mut held: VecDeque<DrawJob> = VecDeque::new();
    let mut number = 0;
    let finish = |client: &Client, job: DrawJob, number: usize| {
        let done = done(&job, number);
        drop(job);
        client.queue.push(NetCommand::DrawDone(done));
    };
    while !finished.load(Ordering::Acquire) && !server.is_finished() {
        number += 1;
        match client.draws.pop(Some(Duration::from_millis(1))) {
            Some(Handed::Draw(job)) => held.push_back(job),
            Some(Handed::Backing(..)) => {}
            None => {
                // Whatever is held: nothing comes any more.
                if let Some(job) = held.pop_front() {
                    finish(&client, job, number);
                }
            }
        }
        if held.len() > holds {
            // Not in order.
            let job = if number % 2 == 0 { held.pop_front() } else { held.pop_back() };
            job.into_iter().for_each(|job| finish(&client, job, number));
        }
        if number % 5 == 0 {
            let (wid, state) = (WindowId(1 + number as u64 % WINDOWS), WindowState::default());
            let size = Size { width: 1 + number as u32 % 300, height: 40 };
            client.input(if number % 2 == 0 {
                WindowInput::Mapped { wid, x: 1, y: 1, size }
            } else {
                WindowInput::Configured { wid, x: 2, y: 2, size, state }
            });
        }
    }
    drop(held);
    while client.draws.try_pop().is_some() {}
    client.input(ConnectionInput::Disconnect);
    assert_eq!(client.end(), CloseReason::User);
    server.join().expect("the server is content");
    assert_eq!(budget.used_bytes(), 0, "the budget is whole again");
}

/// How often the tests that look for stalls do the same.
pub fn rounds(usual: u32) -> u32 {
    std::env::var("FARPANE_STALL_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(usual)
}

#[test]
fn whatever_a_server_sends_all_of_it_is_acknowledged() {
    let mut runner = TestRunner::new(Config {
        failure_persistence: None,
        max_shrink_iters: 0,
        ..Config::with_cases(rounds(16))
    });
    let budgets = prop_oneof![Just(64 << 10), 1024_usize..4 * MIB, Just(64 * MIB)];
    runner
        .run(&(prop::collection::vec(sent(), 1..400), budgets, 0_usize..40), |(sent, budget, holds)| {
            flow(&sent, budget, holds);
            Ok(())
        })
        .expect("no stall");
}
