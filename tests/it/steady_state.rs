//! In steady state the viewer allocates nothing for a draw, on any of its threads.
//!
//! The viewer runs in a process of its own, so that nobody else's allocations are counted: this
//! test binary again, which attaches to a recording that the test plays. Only Rust's heap is
//! counted; what C libraries do inside is theirs.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use farpane::buffers::{BufferPool, Payload};
use farpane::channel::{AppEvent, AppSink, BackingUpdate, DrawJob, DrawSink, clock};
use farpane::geometry::Size;
use farpane::pipeline::DecodePool;
use farpane::player::{AtEnd, Options, Pace, Player};
use farpane::protocol::packet::connection;
use farpane::protocol::packet::draw::{
    self, DrawOptions, Encoding, PixelCompression, RgbFormatName, WindowDraw,
};
use farpane::protocol::packet::window::{self, WindowCreate};
use farpane::protocol::packet::{Dict, DrawSequence, WindowId};
use farpane::protocol::{Dialect, Limits, PacketWriter, Reassembler, ServerPacket};
use farpane::recording::{Facts, Start, Writer};
use farpane::render::RenderOptions;
use farpane::session::{LocalInfo, Profile};
use farpane::stats::alloc::so_far;
use farpane::threads::Engine;

use crate::support::alloc::by_all_threads;
use crate::support::samples;
use crate::support::wait_for;

const WID: WindowId = WindowId(1);
const SIZE: Size = Size { width: 640, height: 480 };
/// Draws before the counting: buffers are made, queues and tables grow.
const WARM_UP: usize = 60;
/// Draws that are counted together.
const BATCH: usize = 20;
/// The fewest of several batches count: a ping may fall into one, or a queue grow once more.
const BATCHES: usize = 5;
const DRAWS: usize = WARM_UP + BATCH * BATCHES + 1;
/// The `png` crate makes a new decoder for every picture.
const PNG_ALLOCATIONS: u64 = 11;
/// Where the viewer process finds the server.
const SERVER: &str = "FARPANE_TEST_STEADY_STATE_SERVER";

fn rgb(pixel_compression: PixelCompression) -> DrawOptions {
    DrawOptions { rgb_format: Some(RgbFormatName::Bgrx), pixel_compression, ..DrawOptions::default() }
}

/// A recording of draws of the whole window.
fn recording(encoding: Encoding, draws: impl Fn(usize) -> (Vec<u8>, DrawOptions)) -> Vec<u8> {
    let facts = Facts { started_unix_ms: 0, server: "tcp://host/".into(), recorder: "a test".into() };
    let start = Start { dialect: Dialect::Modern, facts };
    let mut file = Writer::new(Vec::new(), start).expect("memory");
    let mut write = |packet: &ServerPacket| {
        let records = PacketWriter::new(Dialect::Modern).write_server(packet, true);
        let bytes = [&records.head[..], records.data.as_deref().unwrap_or_default(), &records.tail].concat();
        let limits = Limits::established(SIZE.width, SIZE.height);
        let mut reassembler = Reassembler::new(Dialect::Modern, limits, BufferPool::default());
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            rest = &rest[reassembler.feed(rest, clock::now())..];
            while let Some(raw) = reassembler.next_packet().expect("valid records") {
                file.packet(&raw).expect("memory");
            }
        }
    };
    let mut hello = Dict::default();
    hello.push("version", "6.5.5");
    write(&ServerPacket::Connection(connection::FromServer::Hello(hello)));
    write(&ServerPacket::Window(window::FromServer::Create(WindowCreate {
        wid: WID,
        x: 0,
        y: 0,
        width: SIZE.width,
        height: SIZE.height,
        metadata: Dict::default(),
        client_properties: Dict::default(),
        override_redirect: false,
        tray: false,
    })));
    write(&ServerPacket::Connection(connection::FromServer::StartupComplete));
    for number in 0..DRAWS {
        let (data, options) = draws(number);
        write(&ServerPacket::Draw(draw::FromServer::Draw(WindowDraw {
            wid: WID,
            x: 0,
            y: 0,
            width: SIZE.width,
            height: SIZE.height,
            encoding,
            data: Payload::from(data),
            sequence: DrawSequence(number as u64 + 1),
            rowstride: 0,
            options,
        })));
    }
    file.finish().expect("memory")
}

/// Plays the recording to a viewer in another process, which runs `test`. Returns the fewest allocations of a batch:
/// of the network thread, and of all threads.
fn allocations_of_a_batch(test: &str, window: usize, recording: &[u8]) -> (u64, u64) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), recording).expect("a file");
    let options =
        Options { file: file.path().to_owned(), pace: Pace::FlatOut, window, rounds: 1, at_end: AtEnd::Stay };
    let player = Player::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), options).expect("a server");
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program)
        .args([&format!("steady_state::{test}"), "--exact", "--nocapture"])
        .env(SERVER, player.address().to_string())
        .output()
        .expect("this program, again");
    let output =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let batches: Vec<(u64, u64)> = output
        .lines()
        .filter_map(|line| {
            let (net, all) = line.strip_prefix("batch ")?.split_once(' ')?;
            Some((net.parse().ok()?, all.parse().ok()?))
        })
        .collect();
    assert_eq!(batches.len(), BATCHES, "{output}");
    let least = |counts: &mut dyn Iterator<Item = u64>| counts.min().expect("batches");
    (least(&mut batches.iter().map(|batch| batch.0)), least(&mut batches.iter().map(|batch| batch.1)))
}

/// Checks that nobody allocates but the library that decodes, so many times a picture; on behalf of `test`,
/// which runs the viewer instead in the other process.
#[track_caller]
fn check(
    test: &str,
    encoding: Encoding,
    of_the_library: u64,
    draws: impl Fn(usize) -> (Vec<u8>, DrawOptions),
) {
    if let Ok(server) = std::env::var(SERVER) {
        return run_viewer(&server);
    }
    // Several draws on their way at once, unless each has to be counted apart.
    let window = if of_the_library == 0 { 4 } else { 1 };
    let counts = allocations_of_a_batch(test, window, &recording(encoding, draws));
    let expected = (0, of_the_library * BATCH as u64);
    assert_eq!(counts, expected, "allocations of the network thread, and of all threads");
}

#[test]
fn raw_pixels() {
    let photo = samples::photo(SIZE, 0);
    check("raw_pixels", Encoding::Rgb32, 0, |_| (photo.clone(), rgb(PixelCompression::None)));
}

#[test]
fn lz4() {
    let packed = samples::lz4(&samples::photo(SIZE, 0));
    check("lz4", Encoding::Rgb32, 0, |_| (packed.clone(), rgb(PixelCompression::Lz4)));
}

#[test]
fn jpeg() {
    let jpeg = samples::jpeg(SIZE, &samples::photo(SIZE, 0), turbojpeg::Subsamp::Sub2x2);
    check("jpeg", Encoding::Jpeg, 0, |_| (jpeg.clone(), DrawOptions::default()));
}

#[test]
fn webp() {
    let webp = samples::webp(SIZE, &samples::photo(SIZE, 0), false);
    check("webp", Encoding::Webp, 0, |_| (webp.clone(), DrawOptions::default()));
}

#[test]
fn png() {
    let rgb = samples::without_alpha(&samples::photo(SIZE, 0));
    let png = samples::png(SIZE, png::ColorType::Rgb, png::BitDepth::Eight, &[], &rgb);
    check("png", Encoding::Png, PNG_ALLOCATIONS, |_| (png.clone(), DrawOptions::default()));
}

#[test]
fn h264() {
    let film = samples::h264(SIZE, DRAWS as u32);
    let options = |number: usize| DrawOptions { frame: Some(number as u64), ..DrawOptions::default() };
    check("h264", Encoding::H264, 0, |number| (film[number].clone(), options(number)));
}

// ---- the other process -----------------------------------------------------------------------------

/// Hands draws on, and counts on the network thread what was allocated between batches of them.
struct Counting {
    decoders: DecodePool,
    draws: usize,
    /// The network thread's allocations, and all, at the beginning of each batch.
    counted: Arc<Mutex<Vec<(u64, u64)>>>,
}

impl DrawSink for Counting {
    fn backing(&mut self, wid: WindowId, update: BackingUpdate) {
        self.decoders.backing(wid, update);
    }

    fn draw(&mut self, job: DrawJob) {
        if self.draws >= WARM_UP && (self.draws - WARM_UP).is_multiple_of(BATCH) {
            let now = (so_far().count, by_all_threads());
            self.counted.lock().unwrap_or_else(PoisonError::into_inner).push(now);
        }
        self.draws += 1;
        self.decoders.draw(job);
    }
}

struct NoApp;

impl AppSink for NoApp {
    fn send(&self, event: AppEvent) {
        if let AppEvent::RendererFailed(why) = event {
            panic!("{why}");
        }
    }
}

/// The viewer without windows, all its threads as always. Prints what it counted.
#[expect(clippy::print_stdout, reason = "the other process reads it")]
fn run_viewer(server: &str) {
    let url = format!("tcp://{server}/");
    let config = crate::support::viewer::config(&[&url, "--renderer", "cpu"]);
    let options = RenderOptions { offscreen: true, ..config.render_options() };
    // With room for all, so that counting does not allocate.
    let counted = Arc::new(Mutex::new(Vec::with_capacity(BATCHES + 1)));
    let counting = |decoders| Box::new(Counting { decoders, draws: 0, counted: Arc::clone(&counted) }) as _;
    let config = config.net(Profile::Attach);
    let engine = Engine::start_through((config, LocalInfo::default()), options, Arc::new(NoApp), counting)
        .expect("threads");
    let done = || counted.lock().unwrap_or_else(PoisonError::into_inner).len() > BATCHES;
    wait_for("all draws", Duration::from_secs(60), String::new, || done().then_some(()));
    drop(engine);
    let counted = counted.lock().unwrap_or_else(PoisonError::into_inner);
    for pair in counted.windows(2) {
        println!("batch {} {}", pair[1].0 - pair[0].0, pair[1].1 - pair[0].1);
    }
}
