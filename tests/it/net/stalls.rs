//! Ordinary sessions that are large or many at once, through the whole viewer without windows: socket, session, decode
//! threads and renderer. Each is repeated; `FARPANE_STALL_ROUNDS=100 cargo test --test it net::stalls` does so
//! until a rare stall would be found.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use farpane::buffers::Payload;
use farpane::geometry::Size;
use farpane::headless::HeadlessClient;
use farpane::player::{AtEnd, Options, Pace, Player};
use farpane::protocol::packet::draw::{
    self, DrawOptions, Encoding, PixelCompression, RgbFormatName, WindowDraw,
};
use farpane::protocol::packet::window::{self, WindowCreate};
use farpane::protocol::packet::{Dict, DrawSequence, WindowId};
use farpane::protocol::{Dialect, ServerPacket};
use farpane::session::Profile;

use super::pump::{rounds, serve};
use super::server::hello;
use super::task::{LIMIT, tcp_server};
use crate::recording::record;
use crate::support::{samples, wait_for};

fn window(wid: u64, size: Size) -> ServerPacket {
    let Size { width, height } = size;
    ServerPacket::Window(window::FromServer::Create(WindowCreate {
        wid: WindowId(wid),
        x: 0,
        y: 0,
        width,
        height,
        metadata: Dict::default(),
        client_properties: Dict::default(),
        override_redirect: false,
        tray: false,
    }))
}

/// Draws from the top left corner, numbered as they are made.
#[derive(Default)]
struct Draws {
    packets: Vec<ServerPacket>,
    count: u64,
}

impl Draws {
    fn window(&mut self, wid: u64, size: Size) {
        self.packets.push(window(wid, size));
    }

    fn draw(&mut self, wid: u64, size: Size, encoding: Encoding, data: &[u8], options: DrawOptions) {
        self.count += 1;
        self.packets.push(ServerPacket::Draw(draw::FromServer::Draw(WindowDraw {
            wid: WindowId(wid),
            x: 0,
            y: 0,
            width: size.width,
            height: size.height,
            encoding,
            data: Payload::from(data.to_vec()),
            sequence: DrawSequence(self.count),
            rowstride: 0,
            options,
        })));
    }

    /// Sends all of it to a viewer, which has to acknowledge each draw once.
    #[track_caller]
    fn play(&self) {
        let expected: HashMap<(u64, u64), usize> = self.packets.iter().filter_map(once).collect();
        let (packets, count) = (self.packets.clone(), expected.len());
        let finished = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&finished);
        let (url, server) = tcp_server(move |server| {
            let acknowledged = serve(server, &packets, count, &told);
            let missing =
                expected.iter().filter(|(draw, times)| acknowledged.get(draw) != Some(times)).count();
            assert_eq!((missing, acknowledged.len()), (0, count), "draws that were not acknowledged once");
        });
        let mut viewer = attach(&url);
        while !finished.load(Ordering::Acquire) && !server.is_finished() {
            viewer.run_for(Duration::from_millis(5)).expect("a session");
        }
        viewer.close();
        server.join().expect("every draw is acknowledged");
    }
}

fn once(packet: &ServerPacket) -> Option<((u64, u64), usize)> {
    match packet {
        ServerPacket::Draw(draw::FromServer::Draw(draw)) => Some(((draw.wid.0, draw.sequence.0), 1)),
        _ => None,
    }
}

fn attach(url: &str) -> HeadlessClient {
    let config = crate::support::viewer::config(&[url, "--renderer", "cpu"]);
    HeadlessClient::start(config.net(Profile::Attach), config.render_options()).expect("threads")
}

fn rgb(pixel_compression: PixelCompression) -> DrawOptions {
    DrawOptions { rgb_format: Some(RgbFormatName::Bgrx), pixel_compression, ..DrawOptions::default() }
}

const FULL_HD: Size = Size { width: 1920, height: 1080 };

#[test]
fn ten_full_hd_windows_with_a_jpeg_each() {
    let jpeg = samples::jpeg(FULL_HD, &samples::photo(FULL_HD, 0), turbojpeg::Subsamp::Sub2x2);
    let mut draws = Draws::default();
    for wid in 1..=10 {
        draws.window(wid, FULL_HD);
        draws.draw(wid, FULL_HD, Encoding::Jpeg, &jpeg, DrawOptions::default());
    }
    (0..rounds(4)).for_each(|_| draws.play());
}

#[test]
fn sixty_windows_of_video() {
    const SIZE: Size = Size { width: 640, height: 360 };
    const FRAMES: u32 = 5;
    let film = samples::h264(SIZE, FRAMES);
    let mut draws = Draws::default();
    (1..=60).for_each(|wid| draws.window(wid, SIZE));
    for (frame, data) in (0..).zip(&film) {
        for wid in 1..=60 {
            let options = DrawOptions { frame: Some(frame), ..DrawOptions::default() };
            draws.draw(wid, SIZE, Encoding::H264, data, options);
        }
    }
    (0..rounds(2)).for_each(|_| draws.play());
}

/// More than may be under way at once: the others wait in the socket.
#[test]
fn thirty_thousand_small_draws_in_a_burst() {
    const SIZE: Size = Size { width: 8, height: 8 };
    let pixels = vec![90; 8 * 8 * 4];
    let mut draws = Draws::default();
    draws.window(1, FULL_HD);
    for number in 0..30_000 {
        // One that nobody can decode, now and then.
        let encoding = if number % 100 == 99 { Encoding::Png } else { Encoding::Rgb32 };
        draws.draw(1, SIZE, encoding, &pixels, rgb(PixelCompression::None));
    }
    (0..rounds(2)).for_each(|_| draws.play());
}

/// As a browser with a video looks to a server: whole pages packed, the video, and frames that are refused.
#[test]
fn a_recording_flat_out_with_32_draws_unacknowledged() {
    const PAGE: Size = Size { width: 1280, height: 972 };
    const VIDEO: Size = Size { width: 1280, height: 720 };
    const FRAMES: usize = 30;
    let film = samples::h264(VIDEO, FRAMES as u32);
    let page = samples::lz4(&samples::photo(PAGE, 0));
    let mut draws = Draws::default();
    draws.packets.push(hello());
    draws.window(1, PAGE);
    for (frame, data) in (0..).zip(&film) {
        let options = DrawOptions { frame: Some(frame), ..DrawOptions::default() };
        draws.draw(1, VIDEO, Encoding::H264, data, options);
        if frame % 3 == 0 {
            draws.draw(1, PAGE, Encoding::Rgb32, &page, rgb(PixelCompression::Lz4));
        }
        if frame % 10 == 9 {
            draws.draw(1, VIDEO, Encoding::Webp, b"no picture", DrawOptions::default());
        }
    }
    let folder = tempfile::TempDir::new().expect("a folder");
    let file = folder.path().join("browser.fpr");
    std::fs::write(&file, record(Dialect::Modern, &draws.packets).0).expect("a file");
    for _ in 0..rounds(2) {
        let options =
            Options { file: file.clone(), pace: Pace::FlatOut, window: 32, rounds: 3, at_end: AtEnd::Stay };
        let any_port: SocketAddr = "127.0.0.1:0".parse().expect("an address");
        let player = Player::start(any_port, options).expect("a player");
        let mut viewer = attach(&format!("tcp://{}/", player.address()));
        let state = || format!("{:?}", player.played());
        wait_for("the end of the recording", LIMIT, state, || {
            viewer.run_for(Duration::from_millis(5)).expect("a session");
            (player.played().finished == 1).then_some(())
        });
        let played = player.played();
        assert_eq!((played.acknowledged, played.draws), (3 * draws.count, 3 * draws.count), "{played:?}");
        viewer.close();
    }
}
