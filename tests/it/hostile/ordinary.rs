//! What ordinary sessions need: nothing of it is refused, and it stays within the same memory.

use farpane::geometry::Size;
use farpane::net::{BESIDE_VIDEO, ReplayBounds};
use farpane::protocol::Bounds;

use super::draws::picture;
use super::peer::{self, Draw, Peer};
use super::{Case, MEMORY, Right, case, raw};
use crate::support::samples;

const FOUR_K: (u32, u32) = (3840, 2160);

/// What the viewer may take at a desktop of this size: three pictures of it, and 256 MB.
fn memory((width, height): (u32, u32)) -> u64 {
    3 * u64::from(width) * u64::from(height) * 4 + 256_000_000
}

fn shown(name: &str, act: impl Fn(&mut Peer) + 'static) -> Case {
    case(name, Right::Shown, act)
}

/// Draws of a whole window in every encoding that servers choose.
fn whole_window(wid: i64, width: u32, height: u32) -> Vec<Draw> {
    let size = (i64::from(width), i64::from(height));
    let with = |encoding: &'static str, data: Vec<u8>| Draw { wid, ..Draw::with(encoding, size, data) };
    let rgba = picture("rgb32", width, height);
    let pixels = Size { width, height };
    let video = samples::h264(pixels, 1).remove(0);
    vec![
        with("jpeg", picture("jpeg", width, height)),
        with("webp", picture("webp", width, height)),
        with("webp", samples::webp(pixels, &rgba, true)),
        with("png", picture("png", width, height)),
        with("rgb32", samples::lz4(&rgba)).option("lz4", 1),
        with("h264", video).option("frame", 0).option("csc", "YUV420P").option("type", "IDR"),
        with("rgb24", picture("rgb24", width, height)),
        with("rgb32", rgba),
    ]
}

#[test]
fn a_4k_desktop_in_every_encoding() {
    let (width, height) = FOUR_K;
    let draws = whole_window(10, width, height);
    let mut table = vec![shown("a window of the whole desktop", move |peer| {
        peer.send(&raw::window(10, i64::from(width), i64::from(height), &[]));
    })];
    for draw in draws {
        let name = format!("4K in {} {:?}", draw.encoding, draw.options);
        table.push(shown(&name, move |peer| (0..4).for_each(|_| peer.draw(&draw))));
    }
    peer::play_on(FOUR_K, memory(FOUR_K), &table);
}

/// A session that was used at a 4K monitor, shown on a laptop.
#[test]
fn a_4k_window_on_a_small_desktop() {
    let (width, height) = FOUR_K;
    let mut table = vec![shown("a window larger than the desktop", move |peer| {
        peer.send(&raw::window(10, i64::from(width), i64::from(height), &[]));
    })];
    for draw in whole_window(10, width, height) {
        let name = format!("4K in {} {:?}", draw.encoding, draw.options);
        table.push(shown(&name, move |peer| peer.draw(&draw)));
    }
    peer::play_on((1920, 1080), MEMORY, &table);
}

#[test]
fn sixty_windows_with_video_and_ten_of_the_whole_desktop() {
    let film = samples::h264(Size { width: 320, height: 240 }, 8);
    let rgba = picture("rgb32", 640, 480);
    let packed = samples::lz4(&rgba);
    let jpeg = picture("jpeg", 1920, 1080);
    peer::play(&[
        shown("60 windows of 640 x 480", move |peer| {
            (100..160).for_each(|wid| peer.send(&raw::window(wid, 640, 480, &[])));
            for wid in 100..160 {
                peer.draw(&Draw { wid, ..Draw::with("rgb32", (640, 480), packed.clone()) }.option("lz4", 1));
            }
        }),
        shown("video of 320 x 240 in 16 of them", move |peer| {
            for (frame, unit) in (0..).zip(&film) {
                for wid in 100..116 {
                    let draw = Draw { wid, ..Draw::with("h264", (320, 240), unit.clone()) };
                    peer.draw(&draw.option("frame", frame).option("csc", "YUV420P"));
                }
            }
        }),
        shown("ten windows of the whole desktop with a jpeg each", move |peer| {
            (100..160).for_each(|wid| peer.send(&raw::ints("window-destroy", &[wid])));
            (200..210).for_each(|wid| peer.send(&raw::window(wid, 1920, 1080, &[])));
            for wid in 200..210 {
                peer.draw(&Draw { wid, ..Draw::with("jpeg", (1920, 1080), jpeg.clone()) });
            }
        }),
    ]);
}

/// The sums of the bounds leave room for the program itself, whatever the desktop's size.
#[test]
fn the_bounds_fit_together() {
    /// What the program takes before anything is shown, and what is in no sum: packets of a moment.
    const PROGRAM: u64 = 64_000_000;
    for (width, height) in
        [(800, 600), (1366, 768), (1920, 1080), (2560, 1440), FOUR_K, (7680, 4320), (u32::MAX, u32::MAX)]
    {
        let bounds = Bounds::of_desktop(width, height);
        let pixels = (u64::from(width) * u64::from(height)).min(7680 * 4320);
        let sums = bounds.windows_bytes() + bounds.video_bytes() + bounds.icons_bytes() as u64;
        // Where there is no video there is more of it, but no more than that takes.
        let replay = ReplayBounds::default().bytes as u64;
        assert!(replay - BESIDE_VIDEO as u64 <= bounds.video_bytes(), "{width} x {height}");
        let sums = sums + BESIDE_VIDEO as u64;
        let limit = 3 * pixels * 4 + 256_000_000;
        assert!(
            sums + PROGRAM < limit,
            "{width} x {height}: {} of {} MB",
            sums / 1_000_000,
            limit / 1_000_000
        );
        assert!(bounds.packet_bytes() as u64 >= pixels * 4, "{width} x {height}");
        assert!(bounds.window_pixels() >= pixels, "{width} x {height}");
    }
}
